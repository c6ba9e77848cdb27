//! The single fate of each record and of each event, and the two identities that prove nothing vanished.
//!
//! Records read = decoded + filtered + invalid + dropped. Events = accepted + late + duplicate + dropped.
//! Counting happens here only; a fate is given exactly once.

use serde::{Deserialize, Serialize};

/// What became of a record (for a container: of each of its elements).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RecordOutcome {
    /// It became events.
    Decoded,
    /// Configuration or its format says that it is of no interest.
    Filtered,
    /// It could not be decoded, or its source may not say it. It goes to the dead letter.
    Invalid(Invalid),
    /// A limit was reached. Counted and visible; it goes to the dead letter.
    Dropped,
}

/// Why a record is invalid: the `reason` of its dead letter and the label of its counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Invalid {
    /// Not one JSON value.
    NotJson,
    /// Not UTF-8 text.
    NotUtf8,
    /// Nested deeper than the limit.
    TooDeep,
    /// Larger than the limit.
    TooLarge,
    /// A JSON value of another shape than the format's records have.
    WrongShape,
    /// No format recognises it.
    UnknownFormat,
    /// None of the time fields is there, or none of them is a time.
    NoTime,
    /// Its source may not speak this format or class.
    ClassNotAllowed,
    /// The compressed stream or file ends in the middle or is damaged.
    Damaged,
}

impl Invalid {
    /// Every reason.
    pub const ALL: [Invalid; 9] = [
        Invalid::NotJson,
        Invalid::NotUtf8,
        Invalid::TooDeep,
        Invalid::TooLarge,
        Invalid::WrongShape,
        Invalid::UnknownFormat,
        Invalid::NoTime,
        Invalid::ClassNotAllowed,
        Invalid::Damaged,
    ];

    /// The reason as it is counted and written.
    pub fn name(self) -> &'static str {
        match self {
            Invalid::NotJson => "not_json",
            Invalid::NotUtf8 => "not_utf8",
            Invalid::TooDeep => "too_deep",
            Invalid::TooLarge => "too_large",
            Invalid::WrongShape => "wrong_shape",
            Invalid::UnknownFormat => "unknown_format",
            Invalid::NoTime => "no_time",
            Invalid::ClassNotAllowed => "class_not_allowed",
            Invalid::Damaged => "damaged",
        }
    }
}

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EventOutcome {
    /// It takes part in everything.
    Accepted,
    /// It came behind its partition's watermark, or too far ahead of the clock (`early`): judged alone.
    Late {
        /// Too far ahead instead of behind.
        early: bool,
    },
    /// The same id with the same bytes was seen before.
    Duplicate,
    /// A limit was reached.
    Dropped,
}

/// Counts of record outcomes. `read` is counted apart, so that the identity can be checked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordCounts {
    /// Records taken from the source.
    pub read: u64,
    /// See [`RecordOutcome::Decoded`].
    pub decoded: u64,
    /// See [`RecordOutcome::Filtered`].
    pub filtered: u64,
    /// See [`RecordOutcome::Invalid`].
    pub invalid: u64,
    /// See [`RecordOutcome::Dropped`].
    pub dropped: u64,
}

/// Counts of event outcomes. `seen` is counted apart, so that the identity can be checked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventCounts {
    /// Events that records became.
    pub seen: u64,
    /// See [`EventOutcome::Accepted`].
    pub accepted: u64,
    /// See [`EventOutcome::Late`]; early ones included.
    pub late: u64,
    /// Of the late ones, those that were too far ahead.
    pub early: u64,
    /// See [`EventOutcome::Duplicate`].
    pub duplicate: u64,
    /// See [`EventOutcome::Dropped`].
    pub dropped: u64,
}

/// The books of one partition.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    /// Records by outcome.
    pub records: RecordCounts,
    /// Events by outcome.
    pub events: EventCounts,
    /// Invalid records by reason, in the order of [`Invalid::ALL`].
    #[serde(skip)]
    pub invalid: [u64; Invalid::ALL.len()],
}

impl Ledger {
    /// Books one record's fate.
    pub fn record(&mut self, outcome: RecordOutcome) {
        self.records.read += 1;
        match outcome {
            RecordOutcome::Decoded => self.records.decoded += 1,
            RecordOutcome::Filtered => self.records.filtered += 1,
            RecordOutcome::Invalid(reason) => {
                self.records.invalid += 1;
                if let Some(at) = Invalid::ALL.iter().position(|known| *known == reason) {
                    self.invalid[at] += 1;
                }
            }
            RecordOutcome::Dropped => self.records.dropped += 1,
        }
    }

    /// Books one event's fate.
    pub fn event(&mut self, outcome: EventOutcome) {
        self.events.seen += 1;
        match outcome {
            EventOutcome::Accepted => self.events.accepted += 1,
            EventOutcome::Late { early } => {
                self.events.late += 1;
                self.events.early += u64::from(early);
            }
            EventOutcome::Duplicate => self.events.duplicate += 1,
            EventOutcome::Dropped => self.events.dropped += 1,
        }
    }

    /// Adds another partition's books.
    pub fn add(&mut self, other: &Ledger) {
        let (r, o) = (&mut self.records, &other.records);
        r.read += o.read;
        r.decoded += o.decoded;
        r.filtered += o.filtered;
        r.invalid += o.invalid;
        r.dropped += o.dropped;
        let (e, o) = (&mut self.events, &other.events);
        e.seen += o.seen;
        e.accepted += o.accepted;
        e.late += o.late;
        e.early += o.early;
        e.duplicate += o.duplicate;
        e.dropped += o.dropped;
        for (sum, more) in self.invalid.iter_mut().zip(other.invalid) {
            *sum += more;
        }
    }

    /// Both identities hold: nothing vanished and nothing was counted twice.
    pub fn balances(&self) -> bool {
        let (r, e) = (&self.records, &self.events);
        r.read == r.decoded + r.filtered + r.invalid + r.dropped
            && e.seen == e.accepted + e.late + e.duplicate + e.dropped
            && r.invalid == self.invalid.iter().sum::<u64>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fate_is_booked_once() {
        let mut ledger = Ledger::default();
        for outcome in [RecordOutcome::Decoded, RecordOutcome::Filtered, RecordOutcome::Dropped] {
            ledger.record(outcome);
        }
        for reason in Invalid::ALL {
            ledger.record(RecordOutcome::Invalid(reason));
        }
        for outcome in
            [EventOutcome::Accepted, EventOutcome::Late { early: true }, EventOutcome::Duplicate, EventOutcome::Dropped]
        {
            ledger.event(outcome);
        }
        let mut sum = Ledger::default();
        sum.add(&ledger);
        sum.add(&ledger);
        assert!(ledger.balances() && sum.balances());
        assert_eq!(sum.records.read, 2 * (3 + Invalid::ALL.len() as u64));
        sum.records.decoded -= 1;
        assert!(!sum.balances());
    }
}
