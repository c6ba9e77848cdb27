//! What one key of one correlation or rule holds: the kinds of windows in one type.
//!
//! Must never look outside its key.

use std::sync::Arc;

use model::{Carried, EventOrder, Evidence, Position, Timestamp};
use serde::{Deserialize, Serialize};

use super::absence::Waits;
use super::event_count::Count;
use super::interval::Intervals;
use super::join::Join;
use super::previous::Last;
use super::temporal::Present;
use super::temporal_ordered::Chains;
use super::value_count::Distinct;
use super::values::Values;

/// See the module.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum State {
    Count(Count),
    Distinct(Box<Distinct>),
    Values(Box<Values>),
    Present(Box<Present>),
    Chains(Box<Chains>),
    Join(Box<Join>),
    Waits(Box<Waits>),
    Last(Box<Last>),
    Intervals(Box<Intervals>),
}

impl State {
    /// Steps matched: what is worth keeping when a limit is reached.
    pub(super) fn steps(&self) -> usize {
        match self {
            State::Count(count) => count.len(),
            State::Distinct(distinct) => distinct.len(),
            State::Values(values) => values.len(),
            State::Present(present) => present.len(),
            State::Chains(chains) => chains.len(),
            State::Join(join) => join.len(),
            State::Waits(waits) => 1 + waits.len(),
            State::Last(_) => 1,
            State::Intervals(intervals) => 1 + intervals.len(),
        }
    }
}

/// One event in a window.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Member {
    pub(super) at: i64,
    pub(super) evidence: Arc<Evidence>,
}

/// An event as those see it who have to speak of it later.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Seen {
    /// Event time, or the time of the timer that derived it.
    pub(super) at: i64,
    /// Place in the order in which events were applied.
    pub(super) number: u64,
    pub(super) order: EventOrder,
    pub(super) position: Position,
    pub(super) fields: Arc<Carried>,
    pub(super) evidence: Arc<Evidence>,
}

impl Seen {
    /// So many milliseconds later, at most the last time there is.
    pub(super) fn later(&self, ms: i64) -> i64 {
        self.at.saturating_add(ms).min(Timestamp::LAST.ms())
    }

    pub(super) fn member(&self) -> Member {
        Member { at: self.at, evidence: self.evidence.clone() }
    }
}

/// What a window says at an event: the condition is true.
#[derive(Debug, Clone, Default)]
pub(super) struct Verdict {
    /// What was measured.
    pub(super) value: Option<f64>,
    /// The measure reached a limit.
    pub(super) at_least: bool,
    /// The events that made it, in total order, the newest of them.
    pub(super) evidence: Vec<Arc<Evidence>>,
    /// What else explains it, in words.
    pub(super) facts: Vec<(String, String)>,
}
