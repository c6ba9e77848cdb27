//! What is learned over days and asked of single events, or decided when a bucket of event time closes.
//!
//! Behind this trait so that rules know nothing of formulas and detectors nothing of conditions. Asked behind the cursor, in
//! total order, by one thread; must never read a clock, nor let the order of events of one time change what is learned.
//! Their parameters: `detector_spec.rs`.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{Evidence, Malformed, Timestamp};

/// One detector with all its keys: plain data, bounded, a function of the observations before.
pub trait Detector: Any + fmt::Debug + Send {
    /// Takes an event in, and says what is remarkable about it against what was known before.
    fn observe(&mut self, observation: &Observation<'_>) -> Option<Anomaly>;

    /// What [`Detector::observe`] would say of an event that waits, once all that waits before it has been observed. Learns
    /// nothing: `ahead`, made by [`Detector::ahead`], takes the event in.
    fn peek(&self, ahead: &mut (dyn Detector + 'static), observation: &Observation<'_>) -> Option<Anomaly>;

    /// One of the same parameters that knows nothing, for events that wait.
    fn ahead(&self) -> Box<dyn Detector>;

    /// Drops every key that was not touched since a time: of those, nothing waits any more.
    fn forget_before(&mut self, time: Timestamp);

    /// What is held, and what limits have cost.
    fn held(&self) -> DetectorHeld;

    /// When its next bucket closes. None: it has no buckets, or nothing in them.
    fn due(&self) -> Option<Timestamp> {
        None
    }

    /// Closes every bucket that ends at or before a time: what they held is judged, then learned. A bucket [start, end) is
    /// closed before the events of its end are observed. What an observation finds still open it closes itself, and tells
    /// nobody what came of it: whoever drives a detector closes first. In order of time, then key.
    fn close(&mut self, at: Timestamp) -> Vec<Told> {
        let _ = at;
        Vec::new()
    }

    /// Takes an announced period in: what happens in it is judged, but neither told nor learned.
    fn announce(&mut self, period: &Period) {
        let _ = period;
    }

    /// History is being loaded: all is learned, nothing is told.
    fn backfill(&mut self, is_history: bool) {
        let _ = is_history;
    }

    /// Everything it has learned.
    ///
    /// # Errors
    /// When it cannot be written.
    fn snapshot(&self) -> Result<Vec<u8>, Malformed>;

    /// Puts what a detector of the same parameters had learned in the place of what this one has.
    ///
    /// # Errors
    /// When the bytes are no such snapshot; nothing has changed then.
    fn restore(&mut self, snapshot: &[u8]) -> Result<(), Malformed>;
}

/// An event as a detector sees it.
#[derive(Debug, Clone, Copy)]
pub struct Observation<'e> {
    /// Event time (of what a timer derived: the timer's).
    pub at: Timestamp,
    /// The texts of each field, in the order that the detector's [`crate::DetectorSpec`] states; none where the event lacks it.
    pub texts: &'e [Vec<&'e str>],
    /// The event may be learned from: nobody who attacks wrote it, as far as is known.
    pub teaches: bool,
    /// The event.
    pub evidence: &'e Arc<Evidence>,
}

/// What was observed, and what was known before, for the person who reads the alert.
#[derive(Debug, Clone, PartialEq)]
pub struct Anomaly {
    /// The measure; each detector says of what.
    pub value: f64,
    /// What was observed, in words.
    pub observed: String,
    /// What it was compared with, in words.
    pub baseline: String,
    /// The same in numbers.
    pub figures: Figures,
    /// The events that made it, in total order, the observed one last.
    pub evidence: Vec<Arc<Evidence>>,
    /// Whether it is to be told.
    pub standing: Standing,
}

/// What was observed in numbers, as far as the detector has them.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Figures {
    /// What was seen: a count, bad ones, milliseconds.
    pub observed: Option<f64>,
    /// What was expected, in the same unit.
    pub expected: Option<f64>,
    /// The probability of as much or more.
    pub p: Option<f64>,
}

/// How much an [`Anomaly`] counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// History is being loaded.
    History,
    /// The key has not been seen for long enough.
    Learning,
    /// A change or a maintenance was announced for its time.
    Explained,
    /// The key is known, the time of trial is not over: for the report of what would have been told.
    Shadow,
    /// To be told.
    Active,
}

/// What the close of a bucket found of one key. See [`Detector::close`].
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// End of the bucket.
    pub at: Timestamp,
    /// Whose.
    pub key: String,
    /// What became of it.
    pub change: Change,
    /// In words; of what ended, the bucket that was ordinary again.
    pub anomaly: Anomaly,
}

/// See [`Told`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// The closed bucket is remarkable, and no event of it had been.
    Began,
    /// It is remarkable as the bucket before was, or as one of its events had been.
    Lasts,
    /// The bucket before was remarkable, or an event of this one; this one is not.
    Ended,
    /// It has been so for as long as learning may be held: the new level is the norm from here on. Worth a ticket.
    Accepted,
}

/// An announced change or maintenance.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Period {
    /// What it is about: names each of which is the key's, a part of it ([`key_of`]), or a group of its peers. Empty: all keys.
    pub of: Vec<String>,
    /// From when.
    pub from: Timestamp,
    /// Until when, exclusive.
    pub to: Timestamp,
}

/// The key of several texts, and of one itself: no two lists of texts have the same.
pub fn key_of<'t>(texts: impl IntoIterator<Item = &'t str>) -> String {
    let parts: Vec<String> = texts.into_iter().map(part_of).collect();
    parts.join(KEY_SEPARATOR)
}

/// A text as it stands in a key of several.
pub fn part_of(text: &str) -> String {
    text.replace('\\', "\\\\").replace(',', "\\,")
}

/// Stands between the parts of a key.
pub const KEY_SEPARATOR: &str = ", ";

/// See [`Detector::held`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DetectorHeld {
    /// Keys with state.
    pub keys: usize,
    /// Keys, and parts of keys, given up because a limit was reached.
    pub evicted: u64,
}
