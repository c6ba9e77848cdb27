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
    /// Equal orders (records without an id that are equal to the last byte) stand one behind the other.
    events: BTreeMap<EventOrder, Vec<(CorrelatorId, Occurrence)>>,
    len: usize,
    occurrences_waiting_max: usize,
    lost: u64,
}

impl Occurrences {
    pub(crate) fn new(occurrences_waiting_max: usize) -> Occurrences {
        Occurrences { events: BTreeMap::new(), len: 0, occurrences_waiting_max, lost: 0 }
    }

    pub(crate) fn push(&mut self, correlator: CorrelatorId, event: Occurrence) {
        self.events.entry(event.order.clone()).or_default().push((correlator, event));
        self.len += 1;
        if self.len > self.occurrences_waiting_max
            && let Some(mut last) = self.events.last_entry()
        {
            last.get_mut().pop();
            if last.get().is_empty() {
                last.remove();
            }
            self.len -= 1;
            self.lost += 1;
        }
    }

    pub(crate) fn peek(&self) -> Option<&EventOrder> {
        self.events.first_key_value().map(|(order, _)| order)
    }

    pub(crate) fn pop(&mut self) -> Option<(CorrelatorId, Occurrence)> {
        let mut first = self.events.first_entry()?;
        let event = first.get_mut().pop();
        if first.get().is_empty() {
            first.remove();
        }
        self.len -= usize::from(event.is_some());
        event
    }

    pub(crate) fn forget(&mut self, gone: impl Fn(&Occurrence) -> bool) {
        self.events.retain(|_, events| {
            events.retain(|(_, event)| !gone(event));
            !events.is_empty()
        });
        self.len = self.events.values().map(Vec::len).sum();
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Occurrence> {
        self.events.values().flatten().map(|(_, event)| event)
    }

    /// The events in total order, each with who remembers it.
    pub(crate) fn snapshot(&self) -> Vec<(CorrelatorId, &Occurrence)> {
        self.events.values().flatten().map(|(correlator, event)| (*correlator, event)).collect()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Events lost because `occurrences_waiting_max` was reached.
    pub(crate) fn lost(&self) -> u64 {
        self.lost
    }
}
