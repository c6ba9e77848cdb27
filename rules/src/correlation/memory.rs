//! Rules that remember: the value before, intervals that others open and close, what a detector has learnt.
//!
//! What a rule remembers takes note of every event that its detection matches, then agrees or not. Must never let a rule
//! hold before all of it agrees.

use model::{Anomaly, Derived, Finding, Observation, Urgency};

use super::deriving::Found;
use super::detecting;
use super::detecting::Asked;
use super::engine::{Active, Correlations, Walk, node_of};
use super::graph::Port;
use super::group;
use super::spec::{Remembered, Work};
use super::state::{Seen, State};
use crate::ast::Interval;
use crate::lists::Standing;

/// What an interval says of an event.
enum Inside {
    /// An interval covers it.
    Covered,
    /// None does so far; a timer decides.
    Later,
    /// It lacks a field of the key.
    Keyless,
}

/// An interval opens or closes.
pub(super) fn bind(rule: &Interval, opens: bool, at: i64, state: &mut State) {
    match state {
        State::Intervals(intervals) if opens => intervals.open(at, rule),
        State::Intervals(intervals) => intervals.close(at, rule),
        _ => {}
    }
}

/// The event's value takes the place of the one before; says whether the test holds at it.
pub(super) fn see(memory: &Remembered, seen: &Seen, state: &mut State) -> bool {
    let (Remembered::Previous { rule, field, same, .. }, State::Last(last)) = (memory, state) else { return false };
    let Some(value) = field.and_then(|field| seen.fields.text(field)) else { return false };
    let same = same.iter().map(|field| Some(seen.fields.text((*field)?)?.to_owned())).collect();
    last.see(rule, value, same, seen.at)
}

/// What detectors found stands in the finding, and is an event itself; says whether they agreed.
pub(super) fn explain(at: usize, asked: &Asked, found: Option<Vec<Anomaly>>, walk: &mut Walk<'_>) -> bool {
    let holds = found.is_some();
    let found = found.unwrap_or_default();
    if let Some(finding) = walk.findings.remove(&at) {
        walk.findings.insert(at, detecting::explained(finding, &found));
    }
    let of = |anomaly| Found { at, algo: asked.algo.clone(), key: Vec::new(), anomaly };
    walk.found.extend(found.into_iter().map(of));
    holds
}

impl Correlations {
    /// The ports of a rule that something has come through; says whether the rule holds.
    pub(super) fn rule(&mut self, at: usize, ports: &[Port], walk: &mut Walk<'_>) -> bool {
        let own = ports.contains(&Port::Own);
        let remembers = |active: &Active| !matches!(&active.spec.work, Work::Rule(memories) if memories.is_empty());
        if !self.nodes.get(at).and_then(Option::as_ref).is_some_and(remembers) && walk.findings.is_empty() {
            return own && self.nodes.get(at).is_some_and(Option::is_some);
        }
        let nodes = self.nodes.clone();
        let Some(Work::Rule(memories)) = nodes.get(at).and_then(Option::as_ref).map(|active| &active.spec.work) else {
            return false;
        };
        let mut holds = own;
        for (number, memory) in memories.iter().enumerate() {
            if let (Remembered::Watched(of), true) = (memory, ports.contains(&Port::Announce)) {
                self.announced(of, walk);
            }
            if let Remembered::Interval { rule, key: [_, open, close] } = memory {
                for (port, side) in [(Port::Open(number), open), (Port::Close(number), close)] {
                    if ports.contains(&port) {
                        self.bound((node_of(at, number), memory), (port, side), rule, walk);
                    }
                }
            } else if own {
                holds &= self.agrees(at, number, memory, walk);
            }
        }
        // Intervals have the last word, and may take their time.
        for (number, memory) in memories.iter().enumerate() {
            let Remembered::Interval { rule, .. } = memory else { continue };
            if !holds {
                break;
            }
            let finding = walk.findings.remove(&at);
            holds = match self.inside((at, number), memory, walk, finding.as_deref()) {
                Inside::Covered => rule.inside,
                Inside::Later | Inside::Keyless => false,
            };
            walk.findings.extend(finding.map(|finding| (at, finding)));
        }
        if !holds {
            walk.found.retain(|found| found.at != at);
        } else if let Some(finding) = walk.findings.remove(&at) {
            self.tell_rule(at, *finding, walk.tell);
        }
        holds
    }

    /// A rule that remembers holds: while a list of what feeds it is missing, it wakes nobody.
    pub(super) fn tell_rule(&self, at: usize, finding: Finding, tell: &mut dyn FnMut(Derived)) {
        let Some(active) = self.nodes.get(at).and_then(Option::as_ref).filter(|active| active.speaks) else { return };
        let urgency = match self.lists.standing(&active.lists, Some(finding.time())) {
            Standing::TicketOnly | Standing::Silent => Urgency::Ticket,
            _ => finding.urgency,
        };
        tell(Derived::Holds(Finding { urgency, ..finding }));
    }

    /// An interval opens or closes.
    fn bound(
        &mut self,
        (node, memory): (u32, &Remembered),
        (port, side): (Port, &[Option<model::CarriedField>]),
        rule: &Interval,
        walk: &Walk<'_>,
    ) {
        let (keys, ahead, seen) = (&mut self.keys, &mut self.ahead, &walk.seen);
        group::keys(side, &seen.fields, &mut self.scratch.key, &mut |key| {
            let kept_ms = rule.ttl_ms.saturating_add(rule.pad_after_ms).saturating_add(rule.pad_before_ms);
            let slot = keys.slot(node, key.into(), (seen.at.saturating_add(kept_ms), kept_ms), || memory.state());
            if let Some(entry) = keys.entry_mut(slot) {
                bind(rule, matches!(port, Port::Open(_)), seen.at, &mut entry.state);
            }
            ahead.sealed(node, key, || walk.spot());
        });
    }

    /// The value before, or a detector, agrees.
    fn agrees(&mut self, at: usize, number: usize, memory: &Remembered, walk: &mut Walk<'_>) -> bool {
        let seen = &walk.seen;
        match memory {
            Remembered::Previous { rule, key, field, .. } => {
                if field.and_then(|field| seen.fields.text(field)).is_none() {
                    return false;
                }
                let (keys, ahead, mut changed) = (&mut self.keys, &mut self.ahead, false);
                let found = group::keys(key, &seen.fields, &mut self.scratch.key, &mut |key| {
                    let kept = (seen.at.saturating_add(rule.ttl_ms), rule.ttl_ms);
                    let slot = keys.slot(node_of(at, number), key.into(), kept, || memory.state());
                    if let Some(entry) = keys.entry_mut(slot) {
                        changed |= see(memory, seen, &mut entry.state);
                    }
                    ahead.sealed(node_of(at, number), key, || walk.spot());
                });
                self.keyless += u64::from(!found);
                changed
            }
            Remembered::Detected(asked) => {
                let detectors = &mut self.detectors;
                let mut ask = |number: usize, event: &Observation<'_>| detectors.get_mut(number)?.observe(event);
                explain(at, asked, asked.holds(seen, &mut ask, &self.lists, &mut self.scratch.row), walk)
            }
            Remembered::Watched(of) => self.watch((at, number), of, walk),
            Remembered::Interval { .. } => true,
        }
    }

    fn inside(
        &mut self,
        (at, number): (usize, usize),
        memory: &Remembered,
        walk: &Walk<'_>,
        finding: Option<&Finding>,
    ) -> Inside {
        let Remembered::Interval { rule, key: [own, ..] } = memory else { return Inside::Covered };
        let (keys, timers, seen) = (&mut self.keys, &mut self.timers, &walk.seen);
        let (mut waits, mut covered) = (false, false);
        let found = group::keys(own, &seen.fields, &mut self.scratch.key, &mut |key| {
            let due = seen.later(rule.pad_before_ms);
            let slot = keys.slot(node_of(at, number), key.into(), (due, rule.pad_before_ms), || memory.state());
            let Some(State::Intervals(intervals)) = keys.entry_mut(slot).map(|entry| &mut entry.state) else { return };
            covered |= intervals.covers(seen.at, rule);
            if !(covered || waits) {
                waits = true;
                intervals.decide_later(due, seen.clone(), finding.cloned().map(Box::new));
                timers.insert((due, slot));
            }
        });
        self.keyless += u64::from(!found);
        match (found, waits) {
            (false, _) => Inside::Keyless,
            (true, true) => Inside::Later,
            (true, false) => Inside::Covered,
        }
    }
}
