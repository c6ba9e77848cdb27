//! Events that wait for their cursor because something remembers them, in total order.
//!
//! What is moved about here is small: the event's time, its source, how its id begins, where it stands. At `occurrences_waiting_max` the last in
//! total order is lost: it is the one that most others still have to come before. Must never lose one without counting it.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::sync::Arc;

use model::{EventOrder, Occurrence, Timestamp};

use crate::lane::CorrelatorId;

/// The queue of a lane.
#[derive(Debug)]
pub(crate) struct Occurrences {
    events: BTreeSet<Waiting>,
    /// Events that came.
    taken: u64,
    /// Of the events that came, by number.
    sources: Vec<Arc<str>>,
    occurrences_waiting_max: usize,
    lost: u64,
}

#[derive(Debug)]
struct Waiting {
    /// The event's own; time, or source and near together, decide nearly always: then the event is not looked at.
    time: Timestamp,
    /// How its id begins, so that numbers stand as the ids do.
    near: u64,
    /// Number of its source: equal ones are of one source, others may be, too.
    source: u32,
    correlator: u32,
    /// Equal orders (records without an id that are equal to the last byte) stand as they came.
    number: u64,
    event: Box<Occurrence>,
}

const _: () = assert!(size_of::<Waiting>() == 40);

impl Ord for Waiting {
    fn cmp(&self, other: &Waiting) -> Ordering {
        let by_id = || match self.near.cmp(&other.near) {
            decided if decided.is_ne() && self.source == other.source => decided,
            _ => self.event.order.cmp(&other.event.order),
        };
        self.time.cmp(&other.time).then_with(by_id).then_with(|| self.number.cmp(&other.number))
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
        Occurrences { events: BTreeSet::new(), taken: 0, sources: Vec::new(), occurrences_waiting_max, lost: 0 }
    }

    pub(crate) fn push(&mut self, correlator: CorrelatorId, event: Box<Occurrence>) {
        self.taken += 1;
        let EventOrder { time, source, id, .. } = &event.order;
        let (time, near, source) = (*time, near(id), self.source(source));
        self.events.insert(Waiting { time, near, source, correlator: correlator as u32, number: self.taken, event });
        if self.events.len() > self.occurrences_waiting_max {
            self.events.pop_last();
            self.lost += 1;
        }
    }

    fn source(&mut self, name: &Arc<str>) -> u32 {
        let known = self.sources.iter().position(|known| Arc::ptr_eq(known, name) || known == name);
        known.unwrap_or_else(|| {
            self.sources.push(name.clone());
            self.sources.len() - 1
        }) as u32
    }

    pub(crate) fn peek(&self) -> Option<&EventOrder> {
        self.events.first().map(|first| &first.event.order)
    }

    /// The first one stands at this place.
    pub(crate) fn next_is(&self, order: &EventOrder) -> bool {
        let is_near = |first: &&Waiting| first.time == order.time && first.near == near(&order.id);
        self.events.first().filter(is_near).is_some_and(|first| first.event.order == *order)
    }

    /// When the first one happened.
    pub(crate) fn next_time(&self) -> Option<Timestamp> {
        self.events.first().map(|first| first.time)
    }

    pub(crate) fn pop(&mut self) -> Option<(CorrelatorId, Box<Occurrence>)> {
        self.events.pop_first().map(|first| (first.correlator as CorrelatorId, first.event))
    }

    pub(crate) fn forget(&mut self, gone: impl Fn(&Occurrence) -> bool) {
        self.events.retain(|waiting| !gone(&waiting.event));
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Occurrence> {
        self.events.iter().map(|waiting| &*waiting.event)
    }

    /// The events in total order, each with who remembers it.
    pub(crate) fn in_order(&self) -> impl Iterator<Item = (CorrelatorId, &Occurrence)> {
        self.events.iter().map(|waiting| (waiting.correlator as CorrelatorId, &*waiting.event))
    }

    /// The first so many of those before a time; before the last time there is: of all.
    pub(crate) fn coming(&self, limit: Timestamp, count: usize) -> impl Iterator<Item = (CorrelatorId, &Occurrence)> {
        let is_before = move |waiting: &&Waiting| waiting.time < limit || limit == Timestamp::MAX;
        let first = self.events.iter().take(count).take_while(is_before);
        first.map(|waiting| (waiting.correlator as CorrelatorId, &*waiting.event))
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

/// The first eight bytes of an id.
fn near(id: &str) -> u64 {
    let mut first = [0; 8];
    first.iter_mut().zip(id.bytes()).for_each(|(place, byte)| *place = byte);
    u64::from_be_bytes(first)
}

#[cfg(test)]
mod tests {
    use model::{Arrival, Carried, Partition, Position, Sha256};

    use super::*;

    fn event(ms: i64, source: &str, id: &str, bytes: &str, offset: i64) -> Box<Occurrence> {
        let order = EventOrder {
            time: Timestamp::from_ms(ms),
            source: source.into(),
            id: id.into(),
            sha256: Sha256::of(bytes.as_bytes()),
        };
        let position = Position { partition: Partition { source: source.into(), name: "0".into() }, offset };
        Box::new(Occurrence {
            order,
            arrival: Arrival::OnTime,
            position,
            fields: Carried::default(),
            held: Vec::new(),
            gate: 0,
        })
    }

    #[test]
    fn they_leave_in_total_order_equal_ones_as_they_came_and_the_last_is_lost() {
        let mut events = Vec::new();
        for at in 0..2_000 {
            // Few of each, so that every part of the order has to decide for some.
            let of = |parts: i64, step: i64| at * step / 7 % parts;
            let ids = ["x", "y", "", "x\0", "long-as-x", "long-as-y", "long-as-", "é"];
            let (source, id) = (["b", "a"][of(2, 3) as usize], ids[of(8, 5) as usize]);
            events.push(event(of(50, 11), source, id, ["1", "2"][of(2, 13) as usize], at));
        }
        let mut queue = Occurrences::new(1_500);
        events.iter().for_each(|event| queue.push(3, event.clone()));
        let mut wanted = events;
        // A stable sort leaves equal ones as they came.
        wanted.sort_by(|a, b| a.order.cmp(&b.order));
        assert_eq!((queue.len(), queue.lost()), (1_500, 500));
        assert!(
            queue
                .in_order()
                .map(|(_, event)| event.position.offset)
                .eq(wanted.iter().take(1_500).map(|event| event.position.offset))
        );
        for event in wanted.iter().take(1_500) {
            assert_eq!((queue.peek(), queue.next_time()), (Some(&event.order), Some(event.order.time)));
            let last = &wanted[1_499].order;
            assert!(queue.next_is(&event.order) && queue.next_is(last) == (event.order == *last));
            assert_eq!(queue.pop().map(|(of, event)| (of, event.position.offset)), Some((3, event.position.offset)));
        }
        assert!(queue.is_empty());
    }
}
