//! Witnesses: for each rule the smallest set of predicates of which at least one holds whenever the rule does.
//!
//! An event concerns a rule only when a witness of it holds, so the rarest literals are chosen. Must never choose a set
//! that a matching event could do without: a missed rule is silent.

use model::Slot;
use rustc_hash::FxHashMap;

use super::index::literal_of;
use super::program::CompiledRule;
use super::{Check, Node, NodeIx, PredicateId, Program};
use crate::ast::{Pattern, Piece};

/// What an event must have to concern a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Key {
    /// This predicate holds.
    Predicate(PredicateId),
    /// This field is present.
    Presence(Slot),
}

/// Cost of waiting for a field to be there at all: dearer than any list of texts that is worth its place.
const PRESENCE_COST: f64 = 1_000.0;
/// Cost of a keyword of some length: it is looked for in whole records, and short ones are in many of them.
const KEYWORD_COST: f64 = 50.0;

/// How a node's witnesses are chosen: their cost, and which.
type Choose<'p> = fn(&Witnesses<'p>, NodeIx) -> Option<(f64, Vec<Key>)>;

/// Chooses witnesses for the rules of one program.
pub(crate) struct Witnesses<'p> {
    program: &'p Program,
    costs: FxHashMap<PredicateId, f64>,
}

impl<'p> Witnesses<'p> {
    /// Weighs every indexed predicate: the more rules look for its texts, the more events have them.
    pub(crate) fn new(
        program: &'p Program,
        texts: &FxHashMap<PredicateId, (Slot, Vec<Pattern>)>,
        keywords: &[(PredicateId, Pattern)],
    ) -> Self {
        let mut wanted_by: FxHashMap<(Slot, String), f64> = FxHashMap::default();
        for rule in &program.rules {
            let mut predicates = Vec::new();
            reached(program, rule.condition, &mut predicates);
            predicates.sort_unstable();
            predicates.dedup();
            for (slot, patterns) in predicates.iter().filter_map(|id| texts.get(id)) {
                for literal in patterns.iter().filter_map(literal_of) {
                    *wanted_by.entry((*slot, literal)).or_default() += 1.0;
                }
            }
        }
        let cost = |slot: Slot, pattern: &Pattern| {
            let literal = literal_of(pattern).unwrap_or_default();
            let short = if literal.chars().count() < 4 { 4.0 } else { 1.0 };
            let popular = wanted_by.get(&(slot, literal)).copied().unwrap_or(1.0);
            (1.0 + popular) * short * looseness(pattern)
        };
        let of_field = |(&id, (slot, patterns)): (&PredicateId, &(Slot, Vec<Pattern>))| {
            (id, patterns.iter().map(|pattern| cost(*slot, pattern)).sum())
        };
        let of_keyword = |(id, pattern): &(PredicateId, Pattern)| {
            let length = literal_of(pattern).map_or(0, |literal| literal.len());
            (
                *id,
                if length < 4 {
                    16.0
                } else if length < 7 {
                    4.0
                } else {
                    1.0
                } * KEYWORD_COST,
            )
        };
        let costs = texts.iter().map(of_field).chain(keywords.iter().map(of_keyword)).collect();
        Witnesses { program, costs }
    }

    /// What concerns a rule; true: it holds at every event that none of it concerns. None: every event concerns it.
    pub(crate) fn of_rule(&self, rule: &CompiledRule) -> (Option<Vec<Key>>, bool) {
        if let Some(keys) = self.of(rule.condition) {
            return (Some(keys), false);
        }
        let against = if rule.wheres.is_empty() { self.against(rule.condition) } else { None };
        let by_default = against.is_some();
        (against, by_default)
    }

    /// The witnesses of a condition; None: it can hold without any of them.
    fn of(&self, condition: NodeIx) -> Option<Vec<Key>> {
        let (_, mut keys) = self.choose(condition)?;
        keys.sort_unstable();
        keys.dedup();
        Some(keys)
    }

    /// The witnesses against a condition: without any of them it holds. None: it can fail without any.
    fn against(&self, condition: NodeIx) -> Option<Vec<Key>> {
        let (_, mut keys) = self.choose_against(condition)?;
        keys.sort_unstable();
        keys.dedup();
        Some(keys)
    }

    fn choose_against(&self, node: NodeIx) -> Option<(f64, Vec<Key>)> {
        match &self.program.nodes[node as usize] {
            Node::Not(part) => self.choose(*part),
            Node::All(parts) => self.sum(parts, Self::choose_against),
            Node::Any(parts) => self.least(parts, Self::choose_against),
            Node::Predicate(id) => {
                let predicate = &self.program.predicates[*id as usize];
                let of_absence = matches!(predicate.check, Check::Null | Check::Exists(false));
                of_absence.then(|| (PRESENCE_COST, vec![Key::Presence(predicate.slot)]))
            }
        }
    }

    /// All of them: each part can do it alone.
    fn sum(&self, parts: &[NodeIx], choose: Choose<'p>) -> Option<(f64, Vec<Key>)> {
        let mut all: Vec<(Key, f64)> = Vec::new();
        for &part in parts {
            let (cost, keys) = choose(self, part)?;
            let each = cost / keys.len().max(1) as f64;
            all.extend(keys.into_iter().map(|key| (key, each)));
        }
        // What several parts wait for costs once.
        all.sort_by(|a, b| a.0.cmp(&b.0).then(b.1.total_cmp(&a.1)));
        all.dedup_by_key(|(key, _)| *key);
        Some((all.iter().map(|(_, cost)| cost).sum(), all.into_iter().map(|(key, _)| key).collect()))
    }

    /// The cheapest of them: every part is needed.
    fn least(&self, parts: &[NodeIx], choose: Choose<'p>) -> Option<(f64, Vec<Key>)> {
        parts.iter().filter_map(|&part| choose(self, part)).min_by(|a, b| a.0.total_cmp(&b.0))
    }

    fn choose(&self, node: NodeIx) -> Option<(f64, Vec<Key>)> {
        match &self.program.nodes[node as usize] {
            Node::Not(part) => self.choose_against(*part),
            Node::All(parts) => self.least(parts, Self::choose),
            Node::Any(parts) => self.sum(parts, Self::choose),
            Node::Predicate(id) => self.predicate(*id),
        }
    }

    fn predicate(&self, id: PredicateId) -> Option<(f64, Vec<Key>)> {
        let predicate = &self.program.predicates[id as usize];
        match predicate.check {
            Check::Indexed => Some((self.costs.get(&id).copied().unwrap_or(1.0), vec![Key::Predicate(id)])),
            Check::Keyword => {
                let (glob, _) = self.program.keyword(id)?;
                let cost = self.costs.get(&id).copied().unwrap_or(KEYWORD_COST);
                glob.has_literal().then(|| (cost, vec![Key::Predicate(id)]))
            }
            _ if predicate.needs_presence() => Some((PRESENCE_COST, vec![Key::Presence(predicate.slot)])),
            _ => None,
        }
    }
}

fn reached(program: &Program, node: NodeIx, predicates: &mut Vec<PredicateId>) {
    match &program.nodes[node as usize] {
        Node::All(parts) | Node::Any(parts) => parts.iter().for_each(|&part| reached(program, part, predicates)),
        Node::Not(part) => reached(program, *part, predicates),
        Node::Predicate(id) => predicates.push(*id),
    }
}

/// A whole value is rarer than a start or an end of one, and that rarer than a part.
fn looseness(pattern: &Pattern) -> f64 {
    let open = |piece: Option<&Piece>| matches!(piece, Some(Piece::Many | Piece::One));
    match (open(pattern.pieces.first()), open(pattern.pieces.last())) {
        (false, false) => 1.0,
        (true, true) => 4.0,
        _ => 2.0,
    }
}
