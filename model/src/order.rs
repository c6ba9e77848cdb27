//! The one total order in which keyed state changes: (event time, events before timers, source, event id, SHA-256).
//!
//! Never compares anything that depends on arrival: no offset, no partition, no thread.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{Sha256, Timestamp};

/// Place of an event in total order. The derived order of the fields is the order of design: time first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct EventOrder {
    /// Event time.
    pub time: Timestamp,
    /// Source name.
    pub source: Arc<str>,
    /// Event id (provider id and part; the hash where there is none).
    pub id: Arc<str>,
    /// SHA-256 of the event's own bytes.
    pub sha256: Sha256,
}

/// Place of a record in total order: what stands at an event comes before the timers of its time, and timers at which a
/// rule holds come before those that expire.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// At an event.
    Event(EventOrder),
    /// At a timer.
    Timer {
        /// When the timer is due.
        time: Timestamp,
        /// It expires an alert; timers at which a rule holds come first.
        expires: bool,
    },
}

impl Place {
    /// The event time at which the record stands.
    pub fn time(&self) -> Timestamp {
        match self {
            Place::Event(order) => order.time,
            Place::Timer { time, .. } => *time,
        }
    }
}

/// Total order of records: place, then rule id, then fingerprint.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RecordOrder {
    /// Where the record stands.
    pub place: Place,
    /// The rule that made it.
    pub rule: Arc<str>,
    /// Its alert.
    pub fingerprint: crate::Fingerprint,
}

impl Ord for RecordOrder {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.place
            .time()
            .cmp(&other.place.time())
            .then_with(|| self.place.cmp(&other.place))
            .then_with(|| self.rule.cmp(&other.rule))
            .then_with(|| self.fingerprint.cmp(&other.fingerprint))
    }
}

impl PartialOrd for RecordOrder {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
