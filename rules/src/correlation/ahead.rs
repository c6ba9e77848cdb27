//! What waits for the cursor, by key: the state that each key will have once all that waits has been sealed.
//!
//! A key takes each waiting event by one step, the step that sealing takes. Only an event that comes before others of its
//! key, or a seal that was not foreseen, makes the key's state be built anew. Must never change what is sealed, nor hold
//! anything longer than its events wait.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use hashbrown::HashMap;
use model::{Detector, EventOrder, Finding, Timestamp};
use rustc_hash::FxBuildHasher;

use super::engine::Walk;
use super::handles::Handle;
use super::spec::References;
use super::state::{Seen, State, Verdict};

/// A place in total order: time, event; behind all events of the time what timers derive, in the order in which they run.
pub(super) type Spot = (i64, bool, Option<EventOrder>);

/// Takes an event of these references into a state.
pub(super) type Step<'s> = &'s mut dyn FnMut(&mut State, &[usize], (&Arc<Seen>, Handle)) -> Option<Verdict>;

impl Walk<'_> {
    pub(super) fn spot(&self) -> Spot {
        (self.seen.at, self.timer.is_some(), self.timer.is_none().then(|| self.seen.order.clone()))
    }
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Ahead {
    keys: HashMap<(u32, Box<str>), Waiting, FxBuildHasher>,
    /// As many as there are that learn, by number: each knows the keys of what waits.
    pub(super) detectors: Vec<Box<dyn Detector>>,
    undecided: BTreeMap<DueAt, Undecided>,
    /// By node: timers take part in what it is fed. Empty: not yet looked at.
    pub(super) uncertain: Vec<bool>,
    /// Events so far.
    taken: u64,
    /// When it was looked through last for what nobody will seal.
    swept_at: i64,
}

/// Due time, rank of the rule, number of its memory, key, event: the order of timers.
pub(super) type DueAt = (i64, u32, usize, Box<str>, EventOrder);

/// An event that a timer decides.
#[derive(Debug)]
pub(super) struct Undecided {
    /// Node of the rule.
    pub(super) at: usize,
    pub(super) seen: Arc<Seen>,
    pub(super) finding: Option<Box<Finding>>,
}

/// An event that waits, with the references that it came through.
type Entering = ((Arc<Seen>, Handle), References);

/// One key: its state with all that waits, and what waits.
#[derive(Debug)]
struct Waiting {
    state: State,
    /// Something was sealed that did not wait, or not sealed that did.
    is_stale: bool,
    events: BTreeMap<Spot, VecDeque<Entering>>,
}

/// Events ahead are numbered behind all that are sealed.
const NUMBERS_AHEAD: u64 = 1 << 62;

/// How often it is looked through, in milliseconds of event time.
const SWEEP_MS: i64 = 60_000;

impl Ahead {
    /// The next number of an event ahead.
    pub(super) fn number(&mut self) -> u64 {
        self.taken += 1;
        NUMBERS_AHEAD + self.taken
    }

    /// The event enters its key's state; gives the first event from it on at which the step says something.
    pub(super) fn enter(
        &mut self,
        (node, key): (u32, &str),
        (spot, (seen, handle), references): (Spot, (Arc<Seen>, Handle), References),
        sealed: &dyn Fn() -> State,
        step: Step<'_>,
    ) -> Option<(Arc<Seen>, Verdict)> {
        let new = || Waiting { state: sealed(), is_stale: false, events: BTreeMap::new() };
        let waiting = self.keys.entry((node, key.into())).or_insert_with(new);
        let is_next = !waiting.is_stale && waiting.events.last_key_value().is_none_or(|(last, _)| *last <= spot);
        let of_spot = waiting.events.entry(spot.clone()).or_default();
        of_spot.push_back(((seen.clone(), handle), references.clone()));
        if is_next {
            return step(&mut waiting.state, &references, (&seen, handle)).map(|verdict| (seen, verdict));
        }
        (waiting.state, waiting.is_stale) = (sealed(), false);
        let mut found = None;
        for (at, entered) in &waiting.events {
            for (number, ((event, handle), references)) in entered.iter().enumerate() {
                let verdict = step(&mut waiting.state, references, (event, *handle));
                let is_from_it = *at > spot || *at == spot && number + 1 == entered.len();
                if found.is_none() && is_from_it {
                    found = verdict.map(|verdict| (event.clone(), verdict));
                }
            }
        }
        found
    }

    /// Asks a key's state as it is once everything that waits at the places in question (the first ones) has been sealed.
    pub(super) fn ask<R>(
        &self,
        (node, key): (u32, &str),
        is_sealed: &dyn Fn(&Spot) -> bool,
        sealed: &dyn Fn() -> State,
        step: Step<'_>,
        question: impl FnOnce(&State) -> R,
    ) -> R {
        let Some(waiting) = self.keys.get(&(node, Box::from(key))) else { return question(&sealed()) };
        if !waiting.is_stale && waiting.events.last_key_value().is_none_or(|(last, _)| is_sealed(last)) {
            return question(&waiting.state);
        }
        let mut state = sealed();
        for ((event, handle), references) in
            waiting.events.iter().take_while(|(spot, _)| is_sealed(spot)).flat_map(|(_, of)| of)
        {
            step(&mut state, references, (event, *handle));
        }
        question(&state)
    }

    /// An event has entered a key's state behind the cursor.
    pub(super) fn sealed(&mut self, node: u32, key: &str, spot: impl FnOnce() -> Spot) {
        if self.keys.is_empty() {
            return;
        }
        let name = (node, Box::from(key));
        let Some(waiting) = self.keys.get_mut(&name) else { return };
        let spot = spot();
        while let Some(first) = waiting.events.first_entry()
            && *first.key() < spot
        {
            first.remove();
            waiting.is_stale = true;
        }
        match waiting.events.first_entry().filter(|first| *first.key() == spot) {
            None => waiting.is_stale = true,
            Some(mut first) => {
                first.get_mut().pop_front();
                if first.get().is_empty() {
                    first.remove();
                }
            }
        }
        if waiting.events.is_empty() {
            self.keys.remove(&name);
        }
    }

    /// Every handle that is named here.
    pub(super) fn handles(&mut self, name: &mut dyn FnMut(&mut Handle)) {
        for waiting in self.keys.values_mut() {
            waiting.state.handles(name);
            waiting.events.values_mut().flatten().for_each(|((_, handle), _)| name(handle));
        }
    }

    /// A timer decides an event.
    pub(super) fn decide_later(&mut self, due: DueAt, undecided: Undecided) {
        self.undecided.insert(due, undecided);
    }

    /// The next event that a timer before a time decides.
    pub(super) fn pop_due(&mut self, before: i64) -> Option<(DueAt, Undecided)> {
        self.undecided.first_key_value().filter(|(due, _)| due.0 < before)?;
        self.undecided.pop_first()
    }

    /// Timers up to a time have run behind the cursor.
    pub(super) fn timers_ran(&mut self, now: i64) {
        while self.pop_due(now.saturating_add(1)).is_some() {}
    }

    /// Drops what was derived ahead and never came true, and what waits no more.
    pub(super) fn sweep(&mut self, now: i64) {
        self.timers_ran(now.saturating_sub(1));
        if now.saturating_sub(self.swept_at) < SWEEP_MS {
            return;
        }
        self.swept_at = now;
        self.keys.retain(|_, waiting| waiting.events.keys().next_back().is_some_and(|last| last.0 >= now));
        self.detectors.iter_mut().for_each(|detector| detector.forget_before(Timestamp::from_ms(now)));
    }
}
