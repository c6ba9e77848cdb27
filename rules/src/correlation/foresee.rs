//! Rules that remember, ahead of the cursor: values before, intervals, detectors, each with what waits.
//!
//! As `memory` does it behind the cursor. Must never tell that an event lies outside all intervals while something in order
//! could still open one over it.

use std::sync::Arc;

use model::{Basis, Derived, Finding, Timestamp};

use super::ahead::{Spot, Undecided};
use super::engine::{Correlations, Walk, node_of};
use super::graph::Port;
use super::group;
use super::handles::Handle;
use super::memory;
use super::spec::{Remembered, Work};
use super::state::{Seen, State, Verdict};

/// References of what enters an interval's state.
const OPENS: usize = 0;
const CLOSES: usize = 1;

/// The step of an interval's state.
fn bind(memory: &Remembered) -> impl FnMut(&mut State, &[usize], (&Arc<Seen>, Handle)) -> Option<Verdict> {
    move |state, references, (seen, _)| {
        if let Remembered::Interval { rule, .. } = memory {
            references.iter().for_each(|reference| memory::bind(rule, *reference == OPENS, seen.at, state));
        }
        None
    }
}

impl Correlations {
    /// The ports of a rule that something has come through ahead; says whether it holds as far as is known.
    pub(super) fn rule_ahead(
        &mut self,
        at: usize,
        ports: &[Port],
        memories: &[Remembered],
        walk: &mut Walk<'_>,
    ) -> bool {
        let own = ports.contains(&Port::Own);
        let mut holds = own;
        for (number, memory) in memories.iter().enumerate() {
            if let Remembered::Interval { key: [_, open, close], .. } = memory {
                for (port, reference, side) in [(Port::Open(number), OPENS, open), (Port::Close(number), CLOSES, close)]
                {
                    if ports.contains(&port) {
                        self.remember_ahead(at, number, memory, (reference, side), walk);
                    }
                }
            } else if own {
                holds &= self.agrees_ahead(at, number, memory, walk);
            }
        }
        for (number, memory) in memories.iter().enumerate() {
            if holds && let Remembered::Interval { .. } = memory {
                holds = !self.is_uncertain(at) && self.inside_ahead((at, number), memory, walk);
            }
        }
        if !holds {
            walk.found.retain(|found| found.at != at);
        } else if let Some(finding) = walk.findings.remove(&at) {
            self.tell_rule(at, *finding, walk.tell);
        }
        holds
    }

    /// The event enters what a rule remembers of each of its keys; says whether the test holds at it under one.
    fn remember_ahead(
        &mut self,
        at: usize,
        number: usize,
        memory: &Remembered,
        (reference, side): (usize, &[Option<model::CarriedField>]),
        walk: &Walk<'_>,
    ) -> bool {
        let node = node_of(at, number);
        let Correlations { keys, ahead, scratch, .. } = self;
        let (mut bind, mut holds) = (bind(memory), false);
        group::keys(side, &walk.seen.fields, &mut scratch.key, &mut |key| {
            let sealed = || keys.get(node, key.into()).map_or_else(|| memory.state(), |entry| entry.state.clone());
            let entering = (walk.spot(), (walk.seen.clone(), walk.handle), [reference].into_iter().collect());
            let found = match memory {
                Remembered::Previous { .. } => {
                    ahead.enter((node, key), entering, &sealed, &mut |state, _, (seen, _)| {
                        memory::see(memory, seen, state).then(Verdict::default)
                    })
                }
                _ => ahead.enter((node, key), entering, &sealed, &mut bind),
            };
            holds |= found.is_some_and(|(seen, _)| Arc::ptr_eq(&seen, &walk.seen));
        });
        holds
    }

    /// The value before, or a detector, agrees.
    fn agrees_ahead(&mut self, at: usize, number: usize, memory: &Remembered, walk: &mut Walk<'_>) -> bool {
        match memory {
            Remembered::Previous { key, field, .. } => {
                let has_value = field.is_some_and(|field| walk.seen.fields.text(field).is_some());
                has_value && self.remember_ahead(at, number, memory, (OPENS, key), walk)
            }
            Remembered::Detected(asked) => {
                let Correlations { detectors, ahead, lists, scratch, .. } = self;
                let mut ask = |number: usize, observation: &model::Observation<'_>| {
                    detectors.get(number)?.peek(ahead.detectors.get_mut(number)?.as_mut(), observation)
                };
                let found = asked.holds(&walk.seen, &mut ask, lists, &mut scratch.row);
                memory::explain(at, asked, found, walk)
            }
            Remembered::Watched(of) => self.watch_ahead(at, of, walk),
            Remembered::Interval { .. } => true,
        }
    }

    /// An interval is known to cover the event, where that is asked. What none covers so far is decided when its time comes.
    fn inside_ahead(&mut self, (at, number): (usize, usize), memory: &Remembered, walk: &Walk<'_>) -> bool {
        let Remembered::Interval { rule, key: [own, ..] } = memory else { return true };
        let seen = &walk.seen;
        let mut found = Vec::new();
        group::keys(own, &seen.fields, &mut self.scratch.key, &mut |key| found.push(key.to_owned()));
        let (spot, rank) = (walk.spot(), self.nodes.get(at).and_then(Option::as_ref).map_or(0, |active| active.rank));
        let (mut waits, mut covered) = (false, false);
        for key in &found {
            covered |= self.covers_ahead((at, number), memory, key, seen.at, &|other| *other <= spot);
            if !(covered || waits) {
                waits = true;
                let due = (seen.later(rule.pad_before_ms), rank, number, key.as_str().into(), seen.order.clone());
                let finding = walk.findings.get(&at).cloned();
                self.ahead.decide_later(due, Undecided { at, seen: seen.clone(), finding });
            }
        }
        rule.inside && !waits && !found.is_empty()
    }

    /// An interval of the key covers a time, once all that waits at the places in question has been sealed.
    fn covers_ahead(
        &self,
        (at, number): (usize, usize),
        memory: &Remembered,
        key: &str,
        time: i64,
        is_sealed: &dyn Fn(&Spot) -> bool,
    ) -> bool {
        let Remembered::Interval { rule, .. } = memory else { return false };
        let node = node_of(at, number);
        let sealed = || self.keys.get(node, key.into()).map_or_else(|| memory.state(), |entry| entry.state.clone());
        self.ahead.ask((node, key), is_sealed, &sealed, &mut bind(memory), |state| match state {
            State::Intervals(intervals) => intervals.covers(time, rule),
            _ => false,
        })
    }

    /// Nothing before a time is expected any more: tells what timers before it find, as far as is known.
    pub(super) fn decide_ahead(&mut self, before: i64, tell: &mut dyn FnMut(Derived)) {
        let nodes = self.nodes.clone();
        while let Some(((now, _, number, key, _), Undecided { at, seen, finding })) = self.ahead.pop_due(before) {
            let Some(Work::Rule(memories)) = nodes.get(at).and_then(Option::as_ref).map(|active| &active.spec.work)
            else {
                continue;
            };
            let Some(memory @ Remembered::Interval { rule, .. }) = memories.get(number) else { continue };
            if self.covers_ahead((at, number), memory, &key, seen.at, &|spot| spot.0 <= now) != rule.inside {
                continue;
            }
            let later = Seen { at: now, number: self.ahead.number(), ..(*seen).clone() };
            let mut walk = self.later(later, now, tell);
            if let Some(finding) = finding {
                let basis = Basis::Timer(Timestamp::from_ms(now));
                self.tell_rule(at, Finding { basis, ..*finding }, walk.tell);
            }
            self.feed(at, &mut walk.agenda);
            self.walk_ahead(walk);
        }
    }
}
