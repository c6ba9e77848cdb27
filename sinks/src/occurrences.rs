//! Events that wait for their cursor because something remembers them, in total order.
//!
//! What is moved about here is small: the event's time and where the event stands. At `occurrences_waiting_max` the last in
//! total order is lost: it is the one that most others still have to come before. Must never lose one without counting it.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use model::{EventOrder, Occurrence, Timestamp};

use crate::lane::CorrelatorId;

/// The queue of a lane.
#[derive(Debug)]
pub(crate) struct Occurrences {
    events: BTreeSet<Waiting>,
    /// Events that came.
    taken: u64,
    occurrences_waiting_max: usize,
    lost: u64,
}

#[derive(Debug)]
struct Waiting {
    /// The event's own, which decides nearly always: then the event is not looked at.
    time: Timestamp,
    /// Equal orders (records without an id that are equal to the last byte) stand as they came.
    number: u64,
    correlator: CorrelatorId,
    event: Box<Occurrence>,
}

impl Ord for Waiting {
    fn cmp(&self, other: &Waiting) -> Ordering {
        let by_time = self.time.cmp(&other.time);
        by_time.then_with(|| self.event.order.cmp(&other.event.order)).then_with(|| self.number.cmp(&other.number))
    }
}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Waiting) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Waiting {
    fn eq(&self, other: &Waiting) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Waiting {}

impl Occurrences {
    pub(crate) fn new(occurrences_waiting_max: usize) -> Occurrences {
        Occurrences { events: BTreeSet::new(), taken: 0, occurrences_waiting_max, lost: 0 }
    }

    pub(crate) fn push(&mut self, correlator: CorrelatorId, event: Box<Occurrence>) {
        self.taken += 1;
        self.events.insert(Waiting { time: event.order.time, number: self.taken, correlator, event });
        if self.events.len() > self.occurrences_waiting_max {
            self.events.pop_last();
            self.lost += 1;
        }
    }

    pub(crate) fn peek(&self) -> Option<&EventOrder> {
        self.events.first().map(|first| &first.event.order)
    }

    /// When the first one happened.
    pub(crate) fn next_time(&self) -> Option<Timestamp> {
        self.events.first().map(|first| first.time)
    }

    pub(crate) fn pop(&mut self) -> Option<(CorrelatorId, Box<Occurrence>)> {
        self.events.pop_first().map(|first| (first.correlator, first.event))
    }

    pub(crate) fn forget(&mut self, gone: impl Fn(&Occurrence) -> bool) {
        self.events.retain(|waiting| !gone(&waiting.event));
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Occurrence> {
        self.events.iter().map(|waiting| &*waiting.event)
    }

    /// The events in total order, each with who remembers it.
    pub(crate) fn in_order(&self) -> impl Iterator<Item = (CorrelatorId, &Occurrence)> {
        self.events.iter().map(|waiting| (waiting.correlator, &*waiting.event))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.events.len()
    }

    /// Events lost because `occurrences_waiting_max` was reached.
    pub(crate) fn lost(&self) -> u64 {
        self.lost
    }
}
