//! What is learned over days and asked of single events: first sights (E4), speeds (E7), sums of risk (E11).
//!
//! Behind this trait so that rules know nothing of formulas and detectors nothing of conditions. Asked behind the cursor, in
//! total order, by one thread; must never read a clock, nor let the order of events of one time change what is learned.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

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
    /// The texts of each field, in the order that the detector's [`DetectorSpec`] states; none where the event lacks it.
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
    /// The events that made it, in total order, the observed one last.
    pub evidence: Vec<Arc<Evidence>>,
}

/// See [`Detector::held`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DetectorHeld {
    /// Keys with state.
    pub keys: usize,
    /// Keys, and parts of keys, given up because a limit was reached.
    pub evicted: u64,
}

/// Which detector, with its parameters.
#[derive(Debug, Clone, PartialEq)]
pub enum DetectorSpec {
    /// A tuple of texts that is new to its first member.
    FirstSeen(FirstSeenSpec),
    /// Kilometres an hour since the last event of a key.
    GeoVelocity(GeoVelocitySpec),
    /// The fading sum of what several rules say of one key.
    Risk(RiskSpec),
}

/// Observations hold the tuple's fields in order, then `prevalence_over`.
#[derive(Debug, Clone, PartialEq)]
pub struct FirstSeenSpec {
    /// Names of the tuple's fields, at least one. The first is the key that learns (a single field belongs to one key for
    /// all); the last is the term whose prevalence counts.
    pub fields: Vec<String>,
    /// A tuple is known for so many milliseconds after it was last seen.
    pub memory_ms: i64,
    /// The term is known with fewer values of this field than the number.
    pub prevalence: Option<(String, u64)>,
    /// Events of the key that must have come before.
    pub warmup_events: u64,
    /// Milliseconds that must have passed since the key's first event.
    pub warmup_ms: i64,
    /// No more than this part of what comes is new, 0 to 1.
    pub novelty_max: Option<f64>,
    /// A tuple is known so many milliseconds after it was first seen.
    pub quarantine_ms: i64,
}

/// Observations hold the key, latitude, longitude (degrees) and the kind of proxy (`none` or missing: none).
#[derive(Debug, Clone, PartialEq)]
pub struct GeoVelocitySpec {
    /// Name of the key's field.
    pub key: String,
}

/// Observations hold the key as one text, the name of what holds as [`RiskSpec::weights`] has it, and the event's class.
#[derive(Debug, Clone, PartialEq)]
pub struct RiskSpec {
    /// What is older than so many milliseconds adds nothing.
    pub span_ms: i64,
    /// After so many milliseconds a weight counts half. None: it does not fade.
    pub half_life_ms: Option<i64>,
    /// A rule counts once, with the greatest of what it adds.
    pub is_capped: bool,
    /// Fewer rules that add something are nothing.
    pub rules_min: u64,
    /// Fewer classes of events are nothing.
    pub classes_min: u64,
    /// What each rule adds, by its name; 0 or more.
    pub weights: Vec<(String, f64)>,
}
