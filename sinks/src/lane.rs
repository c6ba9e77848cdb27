//! The rules that share a cursor: their waiting findings and events, their keyed state, their open alerts.
//!
//! Goes from place to place in total order: an event with everything that holds at it, then the timers at which a rule
//! holds, then those that expire. Must never pass its limit, and never look at when something arrived.

use std::fmt;
use std::rc::Rc;

use model::{
    AlertRecord, AlertState, Correlator, CorrelatorHeld, Derived, EVENTS_AT_ONCE, EventOrder, Finding, Occurrence,
    Place, RedactionKey, Resolution, SourceHealth, Timestamp,
};

use crate::life::{Life, Sealed, alone};
use crate::occurrences::Occurrences;
use crate::queue::Queue;
use crate::seal::{Limits, Mode};
use crate::suppression::{Silences, suppressed};

/// What has the last word on a finding when its turn comes in total order: it may add facts.
pub trait Decide: fmt::Debug {
    /// The rule holds.
    fn decide(&self, finding: &mut Finding) -> bool;

    /// Nothing can be told of it before its turn.
    fn waits(&self, finding: &Finding) -> bool;
}

/// Number of a keyed state in its lane.
pub type CorrelatorId = usize;

/// See the module.
#[derive(Debug)]
pub(crate) struct Lane {
    pub(crate) life: Life,
    /// The alerts that a silence keeps from being told: folded and counted like others.
    pub(crate) silenced: Life,
    pub(crate) silences: Silences,
    pub(crate) waiting: Queue,
    pub(crate) events: Occurrences,
    /// One for each version of the rules that remembers something; an old one lets its timers run.
    pub(crate) correlators: Vec<Box<dyn Correlator>>,
    pub(crate) cursor: Timestamp,
    /// At the end of input buckets close no later than this.
    pub(crate) last: Timestamp,
    pub(crate) redaction: RedactionKey,
    decider: Option<Rc<dyn Decide>>,
    mode: Mode,
    /// What holds at the place at hand; reused.
    derived: Vec<Derived>,
    /// So many of the events that come next have been announced to their keyed state.
    approached: usize,
    /// What happens before this is history that is loaded: it changes keyed state, and nobody is told.
    pub(crate) history_to: Timestamp,
    /// What keyed states know of that.
    in_history: Option<bool>,
    /// What rules have found out of sources, and from when on it counts; nobody else has been told.
    pub(crate) heard: Vec<(SourceHealth, Timestamp)>,
}

/// The next place of a lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Event,
    Timers(Timestamp),
    Closes(Timestamp),
    /// Of keyed states that look at what was told.
    LastCloses(Timestamp),
    Expiry(Timestamp),
}

/// A place, and whether it comes behind everything else of this place.
pub(crate) type NextPlace = (Place, bool);

impl Lane {
    pub(crate) fn new(mode: Mode, limits: Limits, redaction: RedactionKey, decider: Option<Rc<dyn Decide>>) -> Lane {
        Lane {
            life: Life::new(limits.open_alerts_max, redaction),
            silenced: Life::new(limits.open_alerts_max, redaction),
            silences: Silences::new(limits.silences_max),
            waiting: Queue::new(limits.findings_waiting_max),
            events: Occurrences::new(limits.occurrences_waiting_max),
            correlators: Vec::new(),
            cursor: Timestamp::MIN,
            last: Timestamp::MIN,
            redaction,
            decider,
            mode,
            derived: Vec::new(),
            approached: 0,
            history_to: Timestamp::MIN,
            in_history: None,
            heard: Vec::new(),
        }
    }

    /// Sealing up to a limit begins: what the queue has lost is settled before anything of it changes state.
    pub(crate) fn begin(&mut self, limit: Timestamp) {
        if self.next(limit).is_some() {
            self.waiting.settle();
        }
    }

    fn next_event(&self) -> Option<&EventOrder> {
        let finding = self.waiting.peek().and_then(|order| match &order.place {
            Place::Event(event) => Some(event),
            Place::Timer { .. } => None,
        });
        match (finding, self.events.peek()) {
            (Some(finding), Some(event)) => Some(finding.min(event)),
            (finding, event) => finding.or(event),
        }
    }

    /// What comes next, if it lies before the limit. Timers run after all events of their time, buckets close behind them.
    fn next(&self, limit: Timestamp) -> Option<Next> {
        let finding = self.waiting.peek().filter(|order| matches!(order.place, Place::Event(_)));
        let event = finding.map(|order| order.place.time()).into_iter().chain(self.events.next_time()).min();
        let timers = self.correlators.iter().filter_map(|correlator| correlator.next_timer()).min();
        let expiry = self.life.next_timer().into_iter().chain(self.silenced.next_timer()).min();
        let closes = self.next_close(false, limit);
        let last_closes = self.next_close(true, limit);
        let first = [event, timers, closes, last_closes, expiry].into_iter().flatten().min()?;
        if first >= limit && limit != Timestamp::MAX {
            return None;
        }
        Some(match first {
            _ if event == Some(first) => Next::Event,
            _ if timers == Some(first) => Next::Timers(first),
            _ if closes == Some(first) => Next::Closes(first),
            _ if last_closes == Some(first) => Next::LastCloses(first),
            _ => Next::Expiry(first),
        })
    }

    /// When the next bucket closes, of keyed states that close first, or of those that do behind all others.
    fn next_close(&self, is_last: bool, limit: Timestamp) -> Option<Timestamp> {
        let of = self.correlators.iter().filter(|correlator| correlator.closes_last() == is_last);
        let first = of.filter_map(|correlator| correlator.next_close()).min();
        first.filter(|at| limit != Timestamp::MAX || *at < self.last)
    }

    /// The place that comes next, if it lies before the limit.
    pub(crate) fn place(&self, limit: Timestamp) -> Option<NextPlace> {
        let next = self.next(limit)?;
        let place = match next {
            Next::Event => Place::Event(self.next_event()?.clone()),
            Next::Timers(time) | Next::Closes(time) | Next::LastCloses(time) => Place::Timer { time, expires: false },
            Next::Expiry(time) => Place::Timer { time, expires: true },
        };
        Some((place, matches!(next, Next::LastCloses(_))))
    }

    /// Does what comes at the next place, if it lies before the limit. False: nothing does.
    pub(crate) fn step(&mut self, limit: Timestamp, tell: &mut impl FnMut(Sealed)) -> bool {
        let Some(next) = self.next(limit) else { return false };
        self.reach_history(limit);
        match next {
            Next::Expiry(_) => self.expire_first(tell),
            Next::Event if self.events.is_empty() => {
                if let Some(finding) = self.waiting.pop() {
                    self.hold(finding, tell);
                }
            }
            Next::Event | Next::Timers(_) | Next::Closes(_) | Next::LastCloses(_) => {
                let mut derived = std::mem::take(&mut self.derived);
                if next == Next::Event {
                    self.approach(limit);
                    self.events_of_place(&mut derived);
                } else if let Next::Timers(time) = next {
                    let due = self.correlators.iter_mut().filter(|correlator| correlator.next_timer() == Some(time));
                    due.for_each(|correlator| correlator.run_timers(&mut |of| derived.push(of)));
                } else if let Next::Closes(time) | Next::LastCloses(time) = next {
                    let is_last = next == Next::LastCloses(time);
                    let due = self.correlators.iter_mut().filter(|correlator| correlator.closes_last() == is_last);
                    let due = due.filter(|correlator| correlator.next_close() == Some(time));
                    due.for_each(|correlator| correlator.close_buckets(&mut |of| derived.push(of)));
                }
                derived.sort_by(|a, b| key_of(a).cmp(&key_of(b)));
                for of in derived.drain(..) {
                    self.take(of, tell);
                }
                self.derived = derived;
            }
        }
        true
    }

    /// A keyed state has come or gone: what all know of history is said anew.
    pub(crate) fn forget_history(&mut self) {
        self.in_history = None;
    }

    /// Keyed states learn whether what comes next is history.
    fn reach_history(&mut self, limit: Timestamp) {
        if self.in_history == Some(false) {
            return;
        }
        let next = self.place(limit).map(|(place, _)| place.time());
        let is_history = next.is_some_and(|time| time < self.history_to);
        if self.in_history != Some(is_history) {
            self.in_history = Some(is_history);
            self.correlators.iter_mut().for_each(|correlator| correlator.backfill(is_history));
        }
    }

    /// Nobody is told of it: it happened before what is told begins.
    fn is_history(&self, finding: &Finding) -> bool {
        !finding.timeless && finding.time() < self.history_to
    }

    /// Announces the next events before the limit, so that what they work on comes from memory all at once.
    fn approach(&mut self, limit: Timestamp) {
        if self.approached > 0 || self.events.len() < 2 {
            return;
        }
        let Lane { events, correlators, approached, .. } = self;
        let coming = || events.coming(limit, EVENTS_AT_ONCE);
        *approached = coming().count();
        for (at, correlator) in correlators.iter_mut().enumerate() {
            correlator.approach(&mut coming().filter(|(of, _)| *of == at).map(|(_, event)| event));
        }
    }

    /// Everything that holds at the first event: findings that waited, and what its occurrences derive.
    fn events_of_place(&mut self, derived: &mut Vec<Derived>) {
        let is_before_findings = |time| self.waiting.peek().is_none_or(|first| first.place.time() > time);
        if self.events.next_time().is_some_and(is_before_findings) {
            return self.events_alone(derived);
        }
        let Some(order) = self.next_event().cloned() else { return };
        while self.waiting.peek().is_some_and(|first| matches!(&first.place, Place::Event(event) if *event == order)) {
            derived.extend(self.waiting.pop().map(Derived::Holds));
        }
        while self.events.next_is(&order) {
            let Some((correlator, event)) = self.events.pop() else { break };
            self.apply(correlator, *event, derived);
        }
    }

    /// The same where no finding waits for its time.
    fn events_alone(&mut self, derived: &mut Vec<Derived>) {
        let Some((correlator, event)) = self.events.pop() else { return };
        // Nearly always one event has its place alone: then its place need not be remembered.
        let shared = self.events.next_is(&event.order).then(|| event.order.clone());
        self.apply(correlator, *event, derived);
        let Some(order) = shared else { return };
        while self.events.next_is(&order) {
            let Some((correlator, event)) = self.events.pop() else { break };
            self.apply(correlator, *event, derived);
        }
    }

    fn apply(&mut self, correlator: CorrelatorId, event: Occurrence, derived: &mut Vec<Derived>) {
        self.approached = self.approached.saturating_sub(1);
        if let Some(correlator) = self.correlators.get_mut(correlator) {
            correlator.apply(event, &mut |of| derived.push(of));
        }
    }

    fn take(&mut self, derived: Derived, tell: &mut impl FnMut(Sealed)) {
        match derived {
            Derived::Holds(finding) => self.hold(finding, tell),
            Derived::Resolves(resolution) => self.resolve(&resolution, tell),
            Derived::Heard(said, from) => self.hear(said, from),
        }
    }

    /// What a rule has found out of a source: the lane knows it at once, others are told.
    fn hear(&mut self, said: SourceHealth, from: Timestamp) {
        self.correlators.iter_mut().for_each(|correlator| correlator.heed(&said, from));
        self.heard.push((said, from));
    }

    fn resolve(&mut self, resolution: &Resolution, tell: &mut impl FnMut(Sealed)) {
        let redaction = self.redaction;
        self.life.resolve(resolution, tell);
        self.silenced.resolve(resolution, &mut |sealed| {
            suppressed(sealed, None, redaction).into_iter().for_each(&mut *tell);
        });
    }

    fn hold(&mut self, mut finding: Finding, tell: &mut impl FnMut(Sealed)) {
        if self.is_history(&finding) || self.decider.as_ref().is_some_and(|decider| !decider.decide(&mut finding)) {
            return;
        }
        let redaction = self.redaction;
        if self.mode == Mode::EveryMatch {
            return tell(alone(&finding, AlertState::Match, redaction));
        }
        if finding.rule.shadow {
            return self.silenced.hold(finding, &mut |sealed| {
                suppressed(sealed, None, redaction).into_iter().for_each(&mut *tell);
            });
        }
        self.silences.reach(finding.time());
        match self.silences.over(&finding) {
            None => self.life.hold(finding, tell),
            Some(by) => self.silenced.hold(finding, &mut |sealed| {
                // An alert that gives way to this one was covered by another silence.
                let by = Some(&*by).filter(|_| sealed.1.state.is_told());
                suppressed(sealed, by, redaction).into_iter().for_each(&mut *tell);
            }),
        }
    }

    /// Runs the timer that is next, of those that are told and those that are not.
    fn expire_first(&mut self, tell: &mut impl FnMut(Sealed)) {
        let told_first = match (self.life.first_timer(), self.silenced.first_timer()) {
            (Some(told), Some(silenced)) => told <= silenced,
            (told, _) => told.is_some(),
        };
        if told_first {
            self.life.expire_first(tell);
        } else {
            let redaction = self.redaction;
            self.silenced.expire_first(&mut |sealed| {
                suppressed(sealed, None, redaction).into_iter().for_each(&mut *tell);
            });
        }
    }

    /// A finding that stands alone, because it came too late or from too far ahead.
    pub(crate) fn alone(&mut self, mut finding: Finding, tell: &mut impl FnMut(Sealed)) {
        if self.is_history(&finding) || self.decider.as_ref().is_some_and(|decider| !decider.decide(&mut finding)) {
            return;
        }
        let finding = &finding;
        if self.mode == Mode::EveryMatch {
            return tell(alone(finding, AlertState::Match, self.redaction));
        }
        let sealed = alone(finding, AlertState::Firing, self.redaction);
        match self.silences.over(finding) {
            None if finding.rule.shadow => suppressed(sealed, None, self.redaction).into_iter().for_each(tell),
            None => tell(sealed),
            Some(by) => suppressed(sealed, Some(&by), self.redaction).into_iter().for_each(tell),
        }
    }

    /// An event that no window takes: what it tells stands alone, what it closes is closed.
    pub(crate) fn late(&mut self, correlator: CorrelatorId, event: Occurrence, tell: &mut impl FnMut(Sealed)) {
        let Some(correlator) = self.correlators.get_mut(correlator) else { return };
        let mut derived = Vec::new();
        correlator.apply_late(event, &mut |of| derived.push(of));
        for of in derived {
            match of {
                Derived::Holds(finding) => self.alone(finding, tell),
                Derived::Resolves(resolution) => self.resolve(&resolution, tell),
                Derived::Heard(said, from) => self.hear(said, from),
            }
        }
    }

    /// What can be told of a finding ahead of its cursor.
    pub(crate) fn preview(&mut self, finding: &Finding) -> Option<AlertRecord> {
        match &self.decider {
            _ if self.is_history(finding) => None,
            Some(decider) if decider.waits(finding) => None,
            Some(decider) => {
                let mut finding = finding.clone();
                decider.decide(&mut finding).then(|| self.life.preview(&finding)).flatten()
            }
            None => self.life.preview(finding),
        }
    }

    pub(crate) fn held(&self) -> CorrelatorHeld {
        self.correlators.iter().fold(CorrelatorHeld::default(), |mut sum, correlator| {
            sum += correlator.held();
            sum
        })
    }
}

/// Records of one place stand in the order of rule id and fingerprint.
fn key_of(derived: &Derived) -> Option<(&str, model::Fingerprint)> {
    match derived {
        Derived::Holds(finding) => Some((&finding.rule.id, finding.fingerprint)),
        Derived::Resolves(resolution) => Some((&resolution.rule.id, resolution.fingerprint)),
        Derived::Heard(..) => None,
    }
}
