//! Which rules occur in a window: in any order, one after the other, or as a choice of events that predicates accept.
//!
//! Must never let an event stand in a sequence behind one of a later time.

use std::collections::BTreeMap;

use rules::ast::{Condition, Correlation, CorrelationType, Occur};
use serde_json::{Map, Value};

use super::measure::{count_holds, evidence};
use super::world::{Input, Log, Verdict, World};
use crate::oracle::where_expr;

/// The expression is true where `there` says which references occur.
fn truth(occur: &Occur, there: &impl Fn(usize) -> bool) -> bool {
    match occur {
        Occur::Reference(at) => there(*at),
        Occur::All(parts) => parts.iter().all(|part| truth(part, there)),
        Occur::Any(parts) => parts.iter().any(|part| truth(part, there)),
        Occur::Not(part) => !truth(part, there),
    }
}

/// The expression denies that something occurs.
fn denies(occur: &Occur) -> bool {
    match occur {
        Occur::Reference(_) => false,
        Occur::All(parts) | Occur::Any(parts) => parts.iter().any(denies),
        Occur::Not(_) => true,
    }
}

/// References that the expression affirms, in their order.
fn affirmed(occur: &Occur) -> Vec<usize> {
    let mut found = match occur {
        Occur::Reference(at) => vec![*at],
        Occur::All(parts) | Occur::Any(parts) => parts.iter().flat_map(affirmed).collect(),
        Occur::Not(_) => Vec::new(),
    };
    found.sort_unstable();
    found
}

/// The newest sequence of events of these references, from its last event backwards: the last of its rule, before it the
/// last one that is not later, and so on. It is also the one that begins last.
fn chain<'i>(window: &[&'i Input], steps: &[usize]) -> Option<Vec<&'i Input>> {
    let mut chain: Vec<&Input> = Vec::new();
    for step in steps.iter().rev() {
        let fits = |input: &&&Input| {
            input.references.contains(step) && chain.last().is_none_or(|next| input.at_ms <= next.at_ms)
        };
        chain.push(window.iter().filter(fits).max_by_key(|input| (input.at_ms, input.number))?);
    }
    Some(chain)
}

fn events_of<'i>(inputs: impl IntoIterator<Item = &'i Input>) -> Vec<usize> {
    evidence(inputs.into_iter().map(|input| (input.number, input.event)))
}

impl World<'_> {
    /// The condition of a temporal correlation over a window that ends with its event.
    pub(super) fn occurring(&self, correlation: &Correlation, window: &[&Input]) -> Option<Verdict> {
        if !correlation.wheres.is_empty() {
            return self.choice(correlation, window);
        }
        let listed: Vec<usize> = (0..correlation.listed).collect();
        let is_there = |at: usize| window.iter().any(|input| input.references.contains(&at));
        let ordered = correlation.kind == CorrelationType::TemporalOrdered;
        match &correlation.condition {
            Condition::Occur(occur) if denies(occur) => None,
            Condition::Occur(occur) if ordered => Some((None, events_of(chain(window, &affirmed(occur))?))),
            Condition::Measure { tests, .. } if ordered && tests.is_empty() => {
                Some((None, events_of(chain(window, &listed)?)))
            }
            Condition::Measure { tests, .. } if ordered => {
                let longest = (0..=listed.len()).rev().find_map(|to| chain(window, &listed[..to]))?;
                count_holds(tests, longest.len()).then(|| (Some(longest.len() as f64), events_of(longest)))
            }
            Condition::Measure { tests, .. } if !tests.is_empty() => {
                let count = listed.iter().filter(|at| is_there(**at)).count();
                count_holds(tests, count).then(|| (Some(count as f64), last_of_each(&listed, window)))
            }
            Condition::Measure { .. } => {
                listed.iter().all(|at| is_there(*at)).then(|| (None, last_of_each(&listed, window)))
            }
            Condition::Occur(occur) => truth(occur, &is_there).then(|| (None, last_of_each(&listed, window))),
        }
    }

    /// The time at which the window after an event is complete: for conditions that deny, and events they affirm.
    pub(super) fn complete_at(&self, correlation: &Correlation, input: &Input) -> Option<i64> {
        let Condition::Occur(occur) = &correlation.condition else { return None };
        let counts = denies(occur) && affirmed(occur).iter().any(|at| input.references.contains(at));
        counts.then_some(input.at_ms + correlation.timespan_ms)
    }

    /// The condition over the window that begins with an event and is complete now.
    pub(super) fn window_after(&self, log: Log, correlation: &Correlation, input: &Input) -> Option<Verdict> {
        let Condition::Occur(occur) = &correlation.condition else { return None };
        let window = self.since(log, &input.key, input.at_ms);
        let is_there = |at: usize| window.iter().any(|input| input.references.contains(&at));
        if !truth(occur, &is_there) {
            return None;
        }
        if correlation.kind == CorrelationType::TemporalOrdered {
            return Some((None, events_of(chain(&window, &affirmed(occur))?)));
        }
        let listed: Vec<usize> = (0..correlation.listed).collect();
        Some((None, last_of_each(&listed, &window)))
    }

    /// Every choice of one event for each rule is tried; of those that fit, the one that began last is told, of equal ones
    /// the one that was complete last, then the oldest of the other events.
    fn choice(&self, correlation: &Correlation, window: &[&Input]) -> Option<Verdict> {
        let mut choices: Vec<Vec<&Input>> = vec![Vec::new()];
        let ordered = correlation.kind == CorrelationType::TemporalOrdered;
        for at in 0..correlation.listed {
            let members: Vec<&Input> = window.iter().filter(|of| of.references.contains(&at)).copied().collect();
            let mut longer = Vec::new();
            for choice in &choices {
                let in_order = |of: &&&Input| !ordered || choice.last().is_none_or(|last| last.at_ms <= of.at_ms);
                longer.extend(members.iter().filter(in_order).map(|of| [choice.as_slice(), &[of]].concat()));
            }
            choices = longer;
        }
        choices.retain(|choice| self.predicates_hold(correlation, &choice.iter().copied().enumerate().collect()));
        let rank = |choice: &Vec<&Input>| {
            let newest = choice.iter().map(|of| of.number).max();
            let completed = choice.iter().rposition(|of| Some(of.number) == newest);
            let oldest_first: Vec<_> = choice.iter().map(|of| std::cmp::Reverse(of.number)).collect();
            (choice.iter().map(|of| of.at_ms).min(), newest, completed, oldest_first)
        };
        choices.into_iter().max_by_key(rank).map(|choice| (None, events_of(choice)))
    }

    /// Every expression is true of the events of these references.
    pub(super) fn predicates_hold(&self, correlation: &Correlation, chosen: &BTreeMap<usize, &Input>) -> bool {
        let mut fields = Map::new();
        for (at, input) in chosen {
            let name = &correlation.references[*at].name;
            let of_event = self.events[input.event].fields.as_object().into_iter().flatten();
            fields.extend(of_event.map(|(field, value)| (format!("{name}.{field}"), value.clone())));
        }
        let fields = Value::Object(fields);
        let lists = BTreeMap::new();
        correlation.wheres.iter().all(|of| where_expr::truth(&of.expr, &fields, &lists) == Some(true))
    }
}

/// The last event of each reference.
fn last_of_each(listed: &[usize], window: &[&Input]) -> Vec<usize> {
    let last = |at: &usize| window.iter().rfind(|input| input.references.contains(at)).copied();
    events_of(listed.iter().filter_map(last))
}
