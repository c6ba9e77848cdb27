//! Events that wait for their cursor because something remembers them, in total order.
//!
//! At `occurrences_waiting_max` the last in total order is lost: it is the one that most others still have to come before.
//! Must never lose one without counting it.

use std::collections::BTreeMap;

use model::{EventOrder, Occurrence};

use crate::lane::CorrelatorId;

/// The queue of a lane.
#[derive(Debug)]
pub(crate) struct Occurrences {
    /// Equal orders (records without an id that are equal to the last byte) stand as they came.
    events: BTreeMap<(EventOrder, u64), (CorrelatorId, Occurrence)>,
    /// Events that came.
    taken: u64,
    occurrences_waiting_max: usize,
    lost: u64,
}

impl Occurrences {
    pub(crate) fn new(occurrences_waiting_max: usize) -> Occurrences {
        Occurrences { events: BTreeMap::new(), taken: 0, occurrences_waiting_max, lost: 0 }
    }

    pub(crate) fn push(&mut self, correlator: CorrelatorId, event: Occurrence) {
        self.taken += 1;
        self.events.insert((event.order.clone(), self.taken), (correlator, event));
        if self.events.len() > self.occurrences_waiting_max {
            self.events.pop_last();
            self.lost += 1;
        }
    }

    pub(crate) fn peek(&self) -> Option<&EventOrder> {
        self.events.first_key_value().map(|((order, _), _)| order)
    }

    pub(crate) fn pop(&mut self) -> Option<(CorrelatorId, Occurrence)> {
        self.events.pop_first().map(|(_, event)| event)
    }

    pub(crate) fn forget(&mut self, gone: impl Fn(&Occurrence) -> bool) {
        self.events.retain(|_, (_, event)| !gone(event));
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Occurrence> {
        self.events.values().map(|(_, event)| event)
    }

    /// The events in total order, each with who remembers it.
    pub(crate) fn in_order(&self) -> impl Iterator<Item = (CorrelatorId, &Occurrence)> {
        self.events.values().map(|(correlator, event)| (*correlator, event))
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
