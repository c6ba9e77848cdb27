//! What one key of one correlation or rule holds: the kinds of windows in one type.
//!
//! Must never look outside its key.

use model::{Carried, EventOrder, Evidence, Position, Timestamp};
use serde::{Deserialize, Serialize};

use super::absence::Waits;
use super::event_count::Count;
use super::few::Few;
use super::handles::Handle;
use super::interval::Intervals;
use super::join::Join;
use super::previous::Last;
use super::temporal::Present;
use super::temporal_ordered::{self, Chains};
use super::value_count::Distinct;
use super::values::Values;
use super::watching::LastSeen;

/// See the module. What a window needs while it holds little stands in it, everything else elsewhere.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum State {
    /// A window that holds up to four events: of a count in order, of `temporal` by reference.
    Few(Few),
    /// A sequence of which only the first step has come, each time alone: the newest event, and the one before it.
    Opened(Few),
    Count(Count),
    Distinct(Distinct),
    Values(Box<Values>),
    Present(Box<Present>),
    Chains(Box<Chains>),
    Join(Box<Join>),
    Waits(Box<Waits>),
    Last(Box<Last>),
    Intervals(Box<Intervals>),
    /// A sequence of two different rules: see [`temporal_ordered::see_pair`].
    Pair(Few),
    Watched(Box<LastSeen>),
}

const _: () = assert!(size_of::<State>() == 56);

impl Default for State {
    fn default() -> State {
        State::Few(Few::default())
    }
}

impl State {
    /// Steps matched: what is worth keeping when a limit is reached.
    pub(super) fn steps(&self) -> usize {
        match self {
            State::Few(few) => few.len(),
            State::Opened(few) => few.len().min(1),
            State::Pair(few) => temporal_ordered::pair_len(few),
            State::Count(count) => count.len(),
            State::Distinct(distinct) => distinct.len(),
            State::Values(values) => values.len(),
            State::Present(present) => present.len(),
            State::Chains(chains) => chains.len(),
            State::Join(join) => join.len(),
            State::Waits(waits) => 1 + waits.len(),
            State::Last(_) | State::Watched(_) => 1,
            State::Intervals(intervals) => 1 + intervals.len(),
        }
    }

    /// Every handle that it names, to be kept or put in the place of another.
    pub(super) fn handles(&mut self, name: &mut dyn FnMut(&mut Handle)) {
        match self {
            State::Few(few) | State::Opened(few) | State::Pair(few) => few.handles(name),
            State::Count(count) => count.handles(name),
            State::Distinct(distinct) => distinct.handles(name),
            State::Values(values) => values.handles(name),
            State::Present(present) => present.handles(name),
            State::Chains(chains) => chains.handles(name),
            State::Join(_) | State::Waits(_) | State::Last(_) | State::Intervals(_) | State::Watched(_) => {}
        }
    }

    /// Nothing is in it yet that stands elsewhere.
    pub(super) fn is_here(&self) -> bool {
        matches!(self, State::Few(_) | State::Opened(_) | State::Pair(_))
    }

    /// A number from the memory that it keeps elsewhere; to be asked for when that memory will be worked on soon.
    pub(super) fn glance(&self) -> usize {
        match self {
            State::Count(count) => count.glance(),
            State::Distinct(distinct) => distinct.glance(),
            _ => self.steps(),
        }
    }
}

/// One event in a window.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Member {
    pub(super) at: i64,
    pub(super) of: Handle,
}

/// An event as those see it who have to speak of it later.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Seen {
    /// Event time, or the time of the timer that derived it.
    pub(super) at: i64,
    /// Place in the order in which events were applied.
    pub(super) number: u64,
    /// Through which it came.
    pub(super) gate: u16,
    pub(super) order: EventOrder,
    pub(super) position: Position,
    pub(super) fields: Carried,
}

impl Seen {
    /// So many milliseconds later, at most the last time there is.
    pub(super) fn later(&self, ms: i64) -> i64 {
        self.at.saturating_add(ms).min(Timestamp::LAST.ms())
    }

    pub(super) fn evidence(&self) -> Evidence {
        Evidence { id: self.order.id.clone(), sha256: self.order.sha256 }
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
    pub(super) evidence: Vec<Evidence>,
    /// What else explains it, in words.
    pub(super) facts: Vec<(String, String)>,
}
