//! The compiled form of a rule set for one log source.
//!
//! One projection says which fields to extract, indexes answer every text test at once, and each rule is reached only
//! through a predicate it cannot hold without. Immutable once built; evaluators share it.

use std::sync::Arc;

use model::{CarriedField, Projection, Slot, Urgency};
use regex::Regex;
use rustc_hash::FxHashMap;

use super::error::CompileError;
use super::index::literal_of;
use super::required::required_text;
use super::uses::{list_uses, searched_fields};
use super::witness::{Key, Witnesses};
use super::{Check, Glob, Predicate, PredicateId, TextIndex};
use crate::ast::{FieldTest, ListUse, Pattern, Piece, Rule, Search, Test};
use crate::correlation::{Graph, Watched, is_open};
use crate::where_expr::Where;

/// Index of a node of a program's condition trees.
pub(crate) type NodeIx = u32;

/// One node of a condition.
#[derive(Debug)]
pub(crate) enum Node {
    All(Vec<NodeIx>),
    Any(Vec<NodeIx>),
    Not(NodeIx),
    Predicate(PredicateId),
}

/// A field of an alert's key and where it is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyField {
    /// Field name.
    pub name: String,
    /// Its slot.
    pub slot: Slot,
}

/// One rule of a program.
#[derive(Debug)]
pub(crate) struct CompiledRule {
    /// Index in the rule set.
    pub(crate) rule: u32,
    pub(crate) condition: NodeIx,
    pub(crate) wheres: Vec<Where>,
    pub(crate) lists: Vec<ListUse>,
    pub(crate) routes: Vec<(Option<NodeIx>, Urgency)>,
    /// None: the rule declares no key.
    pub(crate) key: Option<Vec<KeyField>>,
    /// The fields that the rule looks at, for the person who reads its alert.
    pub(crate) looks_at: Vec<KeyField>,
    /// Fields that something remembers of the rule's events; None: nothing does.
    pub(crate) carried: Option<Vec<(CarriedField, Slot)>>,
    /// It tells alerts of its own.
    pub(crate) speaks: bool,
}

/// A rule set compiled for one log source.
#[derive(Debug, Default)]
pub struct Program {
    pub(crate) projection: Projection,
    pub(crate) predicates: Vec<Predicate>,
    pub(crate) nodes: Vec<Node>,
    pub(crate) rules: Vec<CompiledRule>,
    /// Text index by slot; slots behind the end have none.
    pub(crate) indexes: Vec<TextIndex>,
    /// Rules that an event concerns once the predicate holds.
    pub(crate) by_predicate: Vec<Vec<u32>>,
    /// Rules that an event concerns once the slot has a value.
    pub(crate) by_presence: Vec<Vec<u32>>,
    /// Rules that concern every event.
    pub(crate) always: Vec<u32>,
    /// Rules that hold at every event that does not concern them: nothing but denials.
    pub(crate) by_default: Vec<u32>,
    pub(crate) keywords: TextIndex,
    /// Text is looked for in many fields.
    pub(crate) reads_many: bool,
    /// By predicate, ascending.
    pub(crate) keyword_globs: Vec<(PredicateId, Glob, bool)>,
}

impl Program {
    /// Compiles the rules that `takes` accepts; `field` turns a rule's field name into the path asked of records.
    ///
    /// # Errors
    /// When the rules' texts do not fit an automaton.
    pub fn compile(rules: &[Arc<Rule>], takes: impl Fn(&Rule) -> bool) -> Result<Program, CompileError> {
        Program::compile_with(rules, &Graph::default(), |_, rule| takes(rule))
    }

    /// The same, carrying of each rule's events what the graph remembers; `takes` also hears the rule's index.
    ///
    /// # Errors
    /// When the rules' texts do not fit an automaton.
    pub fn compile_with(
        rules: &[Arc<Rule>],
        graph: &Graph,
        takes: impl Fn(u32, &Rule) -> bool,
    ) -> Result<Program, CompileError> {
        let numbered = (0..).zip(rules).map(|(at, rule)| (at, rule.as_ref()));
        Program::compile_numbered(numbered.filter(|(at, rule)| takes(*at, rule)), graph)
    }

    /// The same of some rules with their indexes.
    pub(crate) fn compile_numbered<'r>(
        rules: impl Iterator<Item = (u32, &'r Rule)>,
        graph: &Graph,
    ) -> Result<Program, CompileError> {
        let mut compiler = Compiler::default();
        for (at, rule) in rules {
            compiler.rule(at, rule, graph.watched(at))?;
        }
        compiler.finish()
    }

    /// The fields that the program asks of a record.
    pub fn projection(&self) -> &Projection {
        &self.projection
    }

    /// Indexes in the rule set of the rules in it.
    pub fn rule_indexes(&self) -> impl Iterator<Item = u32> + '_ {
        self.rules.iter().map(|rule| rule.rule)
    }

    /// The pattern of a keyword, and whether case matters.
    pub(crate) fn keyword(&self, id: PredicateId) -> Option<(&Glob, bool)> {
        let at = self.keyword_globs.binary_search_by_key(&id, |(known, ..)| *known).ok()?;
        self.keyword_globs.get(at).map(|(_, glob, cased)| (glob, *cased))
    }

    /// No rule is in it.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Number of rules in it.
    pub fn len(&self) -> usize {
        self.rules.len()
    }
}

/// From so many indexed fields on, folding whole records costs less than folding their values.
const MANY_FROM: usize = 64;

/// Equal tests share a predicate: they are told apart by this text.
type Interned = FxHashMap<String, PredicateId>;

#[derive(Default)]
struct Compiler {
    program: Program,
    interned: Interned,
    /// Texts of indexed predicates, for witnesses.
    texts: FxHashMap<PredicateId, (Slot, Vec<Pattern>)>,
    keywords: Vec<(PredicateId, Pattern)>,
}

impl Compiler {
    fn rule(&mut self, at: u32, rule: &Rule, watched: Option<&Watched>) -> Result<(), CompileError> {
        let named = |error| CompileError::Regex { rule: rule.title.clone(), error };
        let condition = self.search(&rule.condition).map_err(named)?;
        let mut fields = Vec::new();
        searched_fields(&rule.condition, &mut fields);
        for expression in &rule.wheres {
            for field in expression.fields() {
                self.program.projection.ask(field);
                fields.push(field);
            }
        }
        // By what alerts are told together is said, too.
        fields.extend(rule.alert.iter().flat_map(|alert| alert.group.iter().flatten()).map(String::as_str));
        fields.sort_unstable();
        fields.dedup();
        let looks_at = self.key_fields(fields);
        let mut routes = Vec::new();
        let mut key = None;
        if let Some(alert) = &rule.alert {
            for route in &alert.routes {
                let when = route.when.as_ref().map(|when| self.search(when)).transpose().map_err(named)?;
                routes.push((when, route.urgency));
            }
            key = alert.fingerprint.as_ref().map(|names| self.key_fields(names.iter().map(String::as_str).collect()));
        }
        // What asks for earlier events is decided where those are remembered.
        let decided = rule.wheres.iter().filter(|expression| !is_open(expression));
        let (wheres, lists) = (decided.cloned().collect(), list_uses(rule));
        let projection = &mut self.program.projection;
        let carried = watched.map(|watched| {
            watched.fields.iter().map(|(field, name)| (*field, projection.ask(name))).collect::<Vec<_>>()
        });
        let speaks = watched.is_none_or(|watched| watched.speaks);
        self.program.rules.push(CompiledRule {
            rule: at,
            condition,
            wheres,
            lists,
            routes,
            key,
            looks_at,
            carried,
            speaks,
        });
        Ok(())
    }

    fn key_fields(&mut self, names: Vec<&str>) -> Vec<KeyField> {
        let projection = &mut self.program.projection;
        names.into_iter().map(|name| KeyField { name: name.to_owned(), slot: projection.ask(name) }).collect()
    }

    fn node(&mut self, node: Node) -> NodeIx {
        self.program.nodes.push(node);
        (self.program.nodes.len() - 1) as NodeIx
    }

    fn search(&mut self, search: &Search) -> Result<NodeIx, regex::Error> {
        let node = match search {
            Search::All(parts) => {
                let parts = parts.iter().map(|part| self.search(part)).collect::<Result<_, _>>()?;
                Node::All(parts)
            }
            Search::Any(parts) => Node::Any(self.alternatives(parts)?),
            Search::Not(part) => Node::Not(self.search(part)?),
            Search::Field(test) => Node::Predicate(self.field(test)?),
            Search::Keyword(pattern) => Node::Predicate(self.keyword(pattern)),
        };
        Ok(self.node(node))
    }

    /// Text alternatives of one field become one predicate: a list of a hundred values costs as much as one.
    fn alternatives(&mut self, parts: &[Search]) -> Result<Vec<NodeIx>, regex::Error> {
        let mut texts: Vec<(&str, Vec<&Pattern>)> = Vec::new();
        let mut nodes = Vec::new();
        for part in parts {
            match part {
                Search::Field(FieldTest { field, test: Test::Text(pattern) }) if literal_of(pattern).is_some() => {
                    match texts.iter_mut().find(|(name, _)| name == field) {
                        Some((_, patterns)) => patterns.push(pattern),
                        None => texts.push((field, vec![pattern])),
                    }
                }
                other => nodes.push(self.search(other)?),
            }
        }
        for (field, patterns) in texts {
            let predicate = self.indexed(field, &patterns);
            nodes.push(self.node(Node::Predicate(predicate)));
        }
        Ok(nodes)
    }

    fn intern(
        &mut self,
        name: String,
        make: impl FnOnce(&mut Self) -> Result<Predicate, regex::Error>,
    ) -> Result<(PredicateId, bool), regex::Error> {
        if let Some(&known) = self.interned.get(&name) {
            return Ok((known, false));
        }
        let predicate = make(self)?;
        let id = self.program.predicates.len() as PredicateId;
        self.program.predicates.push(predicate);
        self.interned.insert(name, id);
        Ok((id, true))
    }

    fn indexed(&mut self, field: &str, patterns: &[&Pattern]) -> PredicateId {
        let slot = self.program.projection.ask(field);
        let name = format!("{slot}:{patterns:?}");
        let interned = self.intern(name, |_| Ok(Predicate { slot, check: Check::Indexed }));
        let Ok((id, new)) = interned else { return PredicateId::MAX };
        if new {
            let index = self.index_of(slot);
            for pattern in patterns {
                index.add_value(pattern, id);
            }
            self.texts.insert(id, (slot, patterns.iter().map(|&pattern| pattern.clone()).collect()));
        }
        id
    }

    /// An expression that every value lacks in which a certain text does not stand: the index looks for the text.
    fn indexed_regex(&mut self, field: &str, source: &str, text: String) -> Result<PredicateId, regex::Error> {
        let slot = self.program.projection.ask(field);
        let regex = Regex::new(source)?;
        let name = format!("{slot}:regex:{source}");
        let (id, new) = self.intern(name, |_| Ok(Predicate { slot, check: Check::Indexed }))?;
        if new {
            self.index_of(slot).add_regex(regex, text.clone(), id);
            let part = Pattern { pieces: vec![Piece::Many, Piece::Literal(text), Piece::Many], cased: false };
            self.texts.insert(id, (slot, vec![part]));
        }
        Ok(id)
    }

    fn index_of(&mut self, slot: Slot) -> &mut TextIndex {
        let slots = slot as usize + 1;
        if self.program.indexes.len() < slots {
            self.program.indexes.resize_with(slots, TextIndex::default);
        }
        &mut self.program.indexes[slot as usize]
    }

    fn keyword(&mut self, pattern: &Pattern) -> PredicateId {
        let interned =
            self.intern(format!("keyword:{pattern:?}"), |_| Ok(Predicate { slot: Slot::MAX, check: Check::Keyword }));
        let Ok((id, new)) = interned else { return PredicateId::MAX };
        if new {
            self.keywords.push((id, pattern.clone()));
            let mut open = pattern.clone();
            open.pieces.insert(0, Piece::Many);
            open.pieces.push(Piece::Many);
            self.program.keyword_globs.push((id, Glob::new(&open), pattern.cased));
        }
        id
    }

    fn field(&mut self, FieldTest { field, test }: &FieldTest) -> Result<PredicateId, regex::Error> {
        if let Test::Text(pattern) = test
            && literal_of(pattern).is_some()
        {
            return Ok(self.indexed(field, &[pattern]));
        }
        if let Test::Regex(source) = test
            && let Some(text) = required_text(source)
        {
            return self.indexed_regex(field, source, text);
        }
        let slot = self.program.projection.ask(field);
        let interned =
            self.intern(format!("{slot}:{test:?}"), |compiler| Ok(Predicate { slot, check: compiler.check(test)? }));
        interned.map(|(id, _)| id)
    }

    fn check(&mut self, test: &Test) -> Result<Check, regex::Error> {
        Ok(match test {
            Test::Text(pattern) => Check::Glob { glob: Glob::new(pattern), cased: pattern.cased },
            Test::Number(number) => Check::Number(*number),
            Test::Null => Check::Null,
            Test::Exists(wanted) => Check::Exists(*wanted),
            Test::Regex(source) => Check::Regex(Regex::new(source)?),
            Test::Cidr(network) => Check::Cidr(*network),
            Test::Compare(how, number) => Check::Compare(*how, *number),
            Test::FieldRef { other, how, cased } => {
                Check::FieldRef { other: self.program.projection.ask(other), how: *how, cased: *cased }
            }
            Test::TimePart(part, how, number) => Check::TimePart(*part, *how, *number),
            Test::InList { list, how, cased } => Check::InList { list: list.clone(), how: *how, cased: *cased },
        })
    }

    fn finish(mut self) -> Result<Program, CompileError> {
        let witnesses = Witnesses::new(&self.program, &self.texts, &self.keywords);
        let keys: Vec<(Option<Vec<Key>>, bool)> =
            self.program.rules.iter().map(|rule| witnesses.of_rule(rule)).collect();
        let program = &mut self.program;
        program.by_predicate.resize(program.predicates.len(), Vec::new());
        program.by_presence.resize(program.projection.len(), Vec::new());
        for (at, (keys, by_default)) in keys.into_iter().enumerate() {
            let at = at as u32;
            if by_default {
                program.by_default.push(at);
            }
            let Some(keys) = keys else {
                program.always.push(at);
                continue;
            };
            for key in keys {
                match key {
                    Key::Predicate(id) => program.by_predicate[id as usize].push(at),
                    Key::Presence(slot) => program.by_presence[slot as usize].push(at),
                }
            }
        }
        program.indexes.iter_mut().try_for_each(TextIndex::finish)?;
        program.indexes.resize_with(program.projection.len(), TextIndex::default);
        // Keywords that no rule waits for are looked for when somebody asks: most are parts of a longer `all`.
        for (id, pattern) in &self.keywords {
            if program.by_predicate.get(*id as usize).is_some_and(|rules| !rules.is_empty()) {
                program.keywords.add_keyword(pattern, *id);
                program.projection.keep_all();
            }
        }
        program.keywords.finish()?;
        program.reads_many = program.indexes.iter().filter(|index| !index.is_empty()).count() > MANY_FROM;
        Ok(self.program)
    }
}
