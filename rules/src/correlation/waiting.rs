//! What is due later: timers of absences, of conditions that deny, of intervals; and late events at an absence.
//!
//! Timers run after all events of their time. Must never run one twice.

use std::sync::Arc;

use model::{Arrival, Basis, Derived, Finding, Row, Timestamp, Urgency};

use super::absence::Clock;
use super::engine::{Correlations, Walk, node_of};
use super::graph::Port;
use super::group::Groups;
use super::handles::Handle;
use super::keys::{Key, SlotId};
use super::spec::{Remembered, Waiting, Work};
use super::state::{Seen, State, Verdict};
use crate::lists::Lists;

/// What is due holds: a correlation, or a rule whose memory took its time.
enum Due {
    Correlation(Verdict),
    Rule(Option<Box<Finding>>),
}

/// The predicates between a start and what it waits for are true.
pub(super) fn fits(waiting: &Waiting, start: &Arc<Seen>, expected: &Arc<Seen>, lists: &Lists, row: &mut Row) -> bool {
    let of = |reference| if reference == waiting.start { Some(start) } else { Some(expected) };
    waiting.predicates.is_empty() || waiting.predicates.hold(of, lists, row)
}

impl Correlations {
    /// Runs what one key has due.
    pub(super) fn due(&mut self, slot: SlotId, now: i64, tell: &mut dyn FnMut(Derived)) {
        while let Some((at, key, seen, due)) = self.pop_due(slot, now) {
            self.applied += 1;
            let later = Seen {
                at: now,
                number: self.applied,
                gate: seen.gate,
                order: seen.order.clone(),
                position: seen.position.clone(),
                fields: seen.fields.clone(),
            };
            let mut walk = self.later(later, now, tell);
            let holds = match due {
                Due::Correlation(verdict) => self.holds(at, &key, &verdict, &mut walk),
                Due::Rule(finding) => {
                    if let Some(finding) = finding {
                        let basis = Basis::Timer(Timestamp::from_ms(now));
                        self.tell_rule(at, Finding { basis, ..*finding }, walk.tell);
                    }
                    true
                }
            };
            if holds {
                self.feed(at, &mut walk.agenda);
                self.walk(walk);
            }
        }
    }

    /// The next of a key's events whose time is over and at which its rule holds.
    fn pop_due(&mut self, slot: SlotId, now: i64) -> Option<(usize, Box<str>, Arc<Seen>, Due)> {
        loop {
            let entry = self.keys.entry_mut(slot)?;
            let (at, number) = ((entry.node >> 4) as usize, (entry.node & 15) as usize);
            let active = self.nodes.get(at)?.as_ref()?;
            let (seen, due) = match (&active.spec.work, &mut entry.state) {
                (Work::Absence(waiting), State::Waits(waits)) => {
                    let seen = waits.pop_due(now, !waiting.predicates.is_empty())?;
                    let evidence = vec![seen.evidence()];
                    let facts = self.health.moved(at, seen.at, waiting.spans.wait_ms, now).into_iter().collect();
                    (seen, Some(Due::Correlation(Verdict { evidence, facts, ..Verdict::default() })))
                }
                (Work::Present(occurring), State::Present(present)) => {
                    let seen = present.pop_due(now)?;
                    let verdict = present.holds((&occurring.wanted, occurring.listed), seen.at, &self.handles);
                    (seen, verdict.map(Due::Correlation))
                }
                (Work::Rule(memories), State::Intervals(intervals)) => {
                    let (seen, finding) = intervals.pop_due(now)?;
                    let Remembered::Interval { rule, .. } = memories.get(number)? else { return None };
                    let holds = intervals.covers(seen.at, rule) == rule.inside;
                    (seen, holds.then_some(Due::Rule(finding)))
                }
                _ => return None,
            };
            let Some(due) = due else { continue };
            let key = entry.key.as_str().into();
            if matches!(active.spec.work, Work::Absence(_)) {
                // What is expected may still come and resolve the alert.
                let open_ms =
                    active.voice.info.realert_ms(Urgency::Ticket).max(active.voice.info.realert_ms(Urgency::Page));
                self.keys.keep_until(slot, now.saturating_add(open_ms));
            }
            return Some((at, key, seen, due));
        }
    }

    /// The order of timers of one time, which must not depend on that of the documents: rule, memory, key.
    pub(super) fn rank(&self, slot: SlotId) -> (u32, u32, &str) {
        let (node, key) = self.keys.name(slot);
        let active = self.nodes.get((node >> 4) as usize).and_then(Option::as_ref);
        (active.map_or(0, |active| active.rank), node & 15, key)
    }

    /// A late event at an absence: it arms its timer or is judged at once; what was expected satisfies or resolves.
    pub(super) fn late(
        &mut self,
        at: usize,
        reference: usize,
        (seen, handle): (&Arc<Seen>, Handle),
        arrival: Arrival,
        tell: &mut dyn FnMut(Derived),
    ) {
        let Some(active) = self.nodes.get(at).and_then(Option::as_ref) else { return };
        let Work::Absence(waiting) = &active.spec.work else { return };
        let clock = Clock { spans: waiting.spans, gaps: self.health.gaps(at) };
        let judged = reference == waiting.start && clock.due(seen.at) <= self.now;
        let (mut groups, mut entering) = (Groups::default(), Vec::new());
        self.keyless += self.groups(at, &[Port::Reference(reference)], seen, &mut groups, &mut entering);
        let principal = self.graph.principal(&seen.fields);
        for (key, _) in entering {
            let (agenda, findings) = Default::default();
            let seen = seen.clone();
            let found = Vec::new();
            let mut walk = Walk { agenda, seen, handle, principal, timer: None, findings, found, tell: &mut *tell };
            if judged {
                self.judge_late(at, groups.key(key), arrival, &mut walk);
            } else {
                self.group(at, groups.key(key), &[reference], &mut walk);
            }
        }
    }

    /// A late start whose time is over: it holds now unless what it waits for is known.
    fn judge_late(&mut self, at: usize, key: Key<'_>, arrival: Arrival, walk: &mut Walk<'_>) {
        let Correlations { nodes, keys, health, lists, scratch, .. } = self;
        let Some(active) = nodes.get(at).and_then(Option::as_ref).filter(|active| active.speaks) else { return };
        let Work::Absence(waiting) = &active.spec.work else { return };
        let seen = &walk.seen;
        let clock = Clock { spans: waiting.spans, gaps: health.gaps(at) };
        if let Some(State::Waits(waits)) = keys.get_mut(node_of(at, 0), key).map(|entry| &mut entry.state)
            && waits.knows(seen, clock, &mut |start, expected| fits(waiting, start, expected, lists, &mut scratch.row))
        {
            return;
        }
        let due = clock.due(seen.at);
        let facts = health.moved(at, seen.at, waiting.spans.wait_ms, due).into_iter().collect();
        let verdict = Verdict { evidence: vec![seen.evidence()], facts, ..Verdict::default() };
        let Some(urgency) = self.urgency(at, &walk.seen) else { return };
        let Some(active) = self.nodes.get(at).and_then(Option::as_ref) else { return };
        let seen = &walk.seen;
        (walk.tell)(Derived::Holds(active.voice.finding(key.text, seen, &verdict, Some(due), (urgency, arrival))));
    }
}
