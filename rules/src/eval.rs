//! Evaluation: which rules of a program hold at one event, and what they want said about it.
//!
//! Owns scratch memory that is reused from event to event, so an event that concerns no rule allocates nothing. Sees one
//! event at a time: must never remember anything of the last one.

use model::{Carrying, Scalar, Timestamp, Urgency, View};

use crate::compile::{Check, CompiledRule, KeyField, Node, NodeIx, PredicateId, Program};
use crate::fold::Folded;
use crate::lists::{Lists, Standing};
use crate::values::Values;

/// A rule that holds at the event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// Index of the rule in its rule set.
    pub rule: u32,
    /// What it wants said; None: it is silent.
    pub told: Option<ToldOf>,
    /// Something remembers the rule's events.
    pub is_watched: bool,
}

/// What a rule wants said of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToldOf {
    /// Where it is told.
    pub urgency: Urgency,
    /// The alert's key.
    pub key: AlertKey,
    /// Fields that the rule looks at and that the event has, (field, text).
    pub facts: Vec<(String, String)>,
}

/// The key that makes an alert's fingerprint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AlertKey {
    /// The declared fields, all present.
    Declared(Vec<(String, String)>),
    /// A declared field is missing: the event itself is the key.
    Event,
    /// The rule declares none.
    Default,
}

/// Longest text of a fact, in characters: attackers write some of them.
const FACT_CHARACTERS_MAX: usize = 256;

/// Evaluates programs. One per thread.
#[derive(Debug, Default)]
pub struct Evaluator {
    epoch: u32,
    /// By predicate: twice the epoch in which it was answered, plus one where it holds.
    answers: Vec<u32>,
    /// By rule: the epoch in which it became a candidate.
    concerned: Vec<u32>,
    candidates: Vec<u32>,
    holding: Vec<u32>,
    folded: Folded,
    values: Values,
    suspects: Vec<PredicateId>,
}

impl Evaluator {
    /// Local indexes of the program's rules that hold at the event, in rule order, before lists have their say.
    pub fn holding(&mut self, program: &Program, view: View<'_>, lists: &Lists) -> &[u32] {
        self.begin(program);
        self.collect(program, view);
        let mut candidates = std::mem::take(&mut self.candidates);
        candidates.extend_from_slice(&program.always);
        for &at in &candidates {
            let Some(rule) = program.rules.get(at as usize) else { continue };
            let mut event = Asked { program, view, lists, evaluator: self };
            if event.node(rule.condition)
                && rule.wheres.iter().all(|expr| expr.holds(program.projection(), view, lists))
            {
                self.holding.push(at);
            }
        }
        self.candidates = candidates;
        let unconcerned = |rule: &u32| self.concerned.get(*rule as usize) != Some(&self.epoch);
        self.holding.extend(program.by_default.iter().copied().filter(unconcerned));
        self.holding.sort_unstable();
        &self.holding
    }

    /// The rules that hold at the event, with what they want said; `carrying` gathers what is remembered of the event.
    pub fn matches(
        &mut self,
        program: &Program,
        view: View<'_>,
        (lists, at): (&Lists, Option<Timestamp>),
        found: &mut Vec<Match>,
        carrying: &mut Carrying,
    ) {
        if self.holding(program, view, lists).is_empty() {
            return;
        }
        let holding = std::mem::take(&mut self.holding);
        for &at_rule in &holding {
            let Some(rule) = program.rules.get(at_rule as usize) else { continue };
            let standing = lists.standing(&rule.lists, at);
            if standing == Standing::Silent {
                continue;
            }
            let mut event = Asked { program, view, lists, evaluator: self };
            let urgency = match standing {
                Standing::TicketOnly => Urgency::Ticket,
                _ => event.urgency(rule),
            };
            let is_watched = rule.carried.is_some();
            carry(rule, view, carrying);
            let told = rule.speaks.then(|| ToldOf { urgency, key: key_of(rule, view), facts: facts_of(rule, view) });
            found.push(Match { rule: rule.rule, told, is_watched });
        }
        self.holding = holding;
    }

    fn begin(&mut self, program: &Program) {
        self.candidates.clear();
        self.holding.clear();
        self.values.clear();
        self.folded.clear(program.reads_many);
        if self.epoch >= u32::MAX / 2 - 1 {
            self.answers.clear();
            self.concerned.clear();
            self.epoch = 0;
        }
        self.epoch += 1;
        if self.answers.len() < program.predicates.len() {
            self.answers.resize(program.predicates.len(), 0);
        }
        if self.concerned.len() < program.rules.len() {
            self.concerned.resize(program.rules.len(), 0);
        }
    }

    /// Asks every index of a field that the event has, and gathers the rules the event concerns.
    fn collect(&mut self, program: &Program, view: View<'_>) {
        let mut folded = std::mem::take(&mut self.folded);
        for &slot in view.touched() {
            let Some(index) = program.indexes.get(slot as usize) else { continue };
            if let Some(rules) = program.by_presence.get(slot as usize) {
                self.concern(rules);
            }
            if !index.is_empty() {
                index.search(view, slot, &mut folded, |predicate| self.found(program, predicate));
            }
        }
        self.folded = folded;
        if !program.keywords.is_empty() {
            self.keywords(program, view);
        }
    }

    fn found(&mut self, program: &Program, predicate: PredicateId) {
        let yes = self.epoch * 2 + 1;
        if let Some(answer) = self.answers.get_mut(predicate as usize)
            && *answer != yes
        {
            *answer = yes;
            if let Some(rules) = program.by_predicate.get(predicate as usize) {
                self.concern(rules);
            }
        }
    }

    fn concern(&mut self, rules: &[u32]) {
        for &rule in rules {
            if let Some(seen) = self.concerned.get_mut(rule as usize)
                && *seen != self.epoch
            {
                *seen = self.epoch;
                self.candidates.push(rule);
            }
        }
    }

    /// Keywords: the record's values are searched at once for every text; what is found is verified where more is asked.
    fn keywords(&mut self, program: &Program, view: View<'_>) {
        let mut suspects = std::mem::take(&mut self.suspects);
        suspects.clear();
        program.keywords.search_texts(self.values.folded(view).joined(), |predicate| suspects.push(predicate));
        suspects.sort_unstable();
        suspects.dedup();
        for &predicate in &suspects {
            if self.keyword_holds(program, view, predicate) {
                self.found(program, predicate);
            }
        }
        self.suspects = suspects;
    }

    fn keyword_holds(&mut self, program: &Program, view: View<'_>, predicate: PredicateId) -> bool {
        program.keyword(predicate).is_some_and(|(glob, cased)| self.values.any(view, glob, cased))
    }
}

/// One event being asked about.
struct Asked<'e> {
    program: &'e Program,
    view: View<'e>,
    lists: &'e Lists,
    evaluator: &'e mut Evaluator,
}

impl Asked<'_> {
    fn node(&mut self, node: NodeIx) -> bool {
        let program = self.program;
        match program.nodes.get(node as usize) {
            None => false,
            Some(Node::All(parts)) => parts.iter().all(|&part| self.node(part)),
            Some(Node::Any(parts)) => parts.iter().any(|&part| self.node(part)),
            Some(Node::Not(part)) => !self.node(*part),
            Some(Node::Predicate(id)) => self.predicate(*id),
        }
    }

    fn predicate(&mut self, id: PredicateId) -> bool {
        let yes = self.evaluator.epoch * 2 + 1;
        let known = self.evaluator.answers.get(id as usize).copied().unwrap_or(0);
        if known == yes || known == yes - 1 {
            return known == yes;
        }
        let Some(predicate) = self.program.predicates.get(id as usize) else { return false };
        let holds = match predicate.check {
            Check::Indexed => false,
            Check::Keyword => self.keyword_on_demand(id),
            _ => predicate.holds(self.view, self.lists),
        };
        if let Some(answer) = self.evaluator.answers.get_mut(id as usize) {
            *answer = if holds { yes } else { yes - 1 };
        }
        holds
    }

    /// Keywords that rules wait for have been looked for already.
    fn keyword_on_demand(&mut self, id: PredicateId) -> bool {
        let awaited = self.program.by_predicate.get(id as usize).is_some_and(|rules| !rules.is_empty());
        !awaited && self.evaluator.keyword_holds(self.program, self.view, id)
    }

    fn urgency(&mut self, rule: &CompiledRule) -> Urgency {
        for (when, urgency) in &rule.routes {
            if when.is_none_or(|when| self.node(when)) {
                return *urgency;
            }
        }
        Urgency::Ticket
    }
}

fn carry(rule: &CompiledRule, view: View<'_>, carrying: &mut Carrying) {
    for (field, slot) in rule.carried.iter().flatten() {
        if !carrying.has(*field) {
            view.values(*slot).filter_map(Scalar::as_text).for_each(|text| carrying.push(*field, &text));
        }
    }
}

fn key_of(rule: &CompiledRule, view: View<'_>) -> AlertKey {
    let Some(fields) = &rule.key else { return AlertKey::Default };
    let pair = |field: &KeyField| Some((field.name.clone(), text_of(field, view)?));
    fields.iter().map(pair).collect::<Option<Vec<_>>>().map_or(AlertKey::Event, AlertKey::Declared)
}

/// The field's text; several values stand as a JSON array.
fn text_of(field: &KeyField, view: View<'_>) -> Option<String> {
    let mut texts: Vec<String> =
        view.values(field.slot).filter_map(Scalar::as_text).map(|text| text.into_owned()).collect();
    match texts.len() {
        0 => None,
        1 => texts.pop(),
        _ => serde_json::to_string(&texts).ok(),
    }
}

/// A text as a fact: redacted, then cut.
pub(crate) fn fact(field: &str, text: &str) -> String {
    model::cut(&model::redact_field(field, text), FACT_CHARACTERS_MAX).into_owned()
}

fn facts_of(rule: &CompiledRule, view: View<'_>) -> Vec<(String, String)> {
    let pair = |field: &KeyField| {
        let text = text_of(field, view)?;
        Some((field.name.clone(), fact(&field.name, &text)))
    };
    rule.looks_at.iter().filter_map(pair).collect()
}
