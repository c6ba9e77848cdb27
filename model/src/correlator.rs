//! What looks at more than one event: correlations, absences, whatever remembers. The stage between judging and sealing.
//!
//! Behind this trait so that sealing knows nothing of conditions. Called behind the cursor, in total order, by one thread;
//! must never read a clock, nor let anything depend on when an event arrived.

use std::fmt;
use std::sync::Arc;

use crate::{Evidence, Finding, Fingerprint, Malformed, Occurrence, Place, RuleInfo, SourceHealth, Timestamp};

/// What comes of an event or of a timer.
#[derive(Debug, Clone)]
pub enum Derived {
    /// A rule holds.
    Holds(Finding),
    /// Closing evidence came.
    Resolves(Resolution),
    /// A source can or cannot be heard, which counts from an event time on.
    Heard(SourceHealth, Timestamp),
}

/// Closing evidence for an alert.
#[derive(Debug, Clone)]
pub struct Resolution {
    /// The rule.
    pub rule: Arc<RuleInfo>,
    /// The alert.
    pub fingerprint: Fingerprint,
    /// Where it came.
    pub place: Place,
    /// The event.
    pub evidence: Evidence,
}

/// Events that are announced at once ([`Correlator::approach`]): enough that none waits for memory alone, and so few that
/// what was brought near is still there when its turn comes.
pub const EVENTS_AT_ONCE: usize = 32;

/// Keyed state of the rules of one cursor.
pub trait Correlator: fmt::Debug + Send {
    /// An event, next in total order.
    fn apply(&mut self, event: Occurrence, tell: &mut dyn FnMut(Derived));

    /// Events that will come next, in this order: changes nothing, and what they will work on is brought near.
    fn approach(&mut self, events: &mut dyn Iterator<Item = &Occurrence>);

    /// An event that has just come: tells what holds at it as far as is known, and changes nothing that will be sealed. On
    /// input in order it tells what will be sealed.
    fn preview(&mut self, event: &Occurrence, tell: &mut dyn FnMut(Derived));

    /// Nothing before a time is expected any more: tells what timers before it find, as far as is known, where an event
    /// that came is all that they decide. Changes nothing that will be sealed.
    fn preview_timers(&mut self, before: Timestamp, tell: &mut dyn FnMut(Derived));

    /// An event that came too late (or from too far ahead) for any window: what it tells stands alone.
    fn apply_late(&mut self, event: Occurrence, tell: &mut dyn FnMut(Derived));

    /// Whether a source can be heard, known from an event time on: timers that wait for it and are not due before move.
    fn heed(&mut self, said: &SourceHealth, known_from: Timestamp);

    /// When the next timer is due.
    fn next_timer(&self) -> Option<Timestamp>;

    /// Runs every timer that is due at the time of the next one, after all events of that time.
    fn run_timers(&mut self, tell: &mut dyn FnMut(Derived));

    /// When the next bucket closes: a periodic timer, which does not run behind the last event of its input.
    fn next_close(&self) -> Option<Timestamp> {
        None
    }

    /// Its buckets close behind those of all others of that time: it looks at what they tell.
    fn closes_last(&self) -> bool {
        false
    }

    /// Closes the buckets that are next, after all events and timers of that time.
    fn close_buckets(&mut self, tell: &mut dyn FnMut(Derived)) {
        let _ = tell;
    }

    /// What comes is history that is loaded: all of it is learned. What holds may be told; nobody hears it.
    fn backfill(&mut self, is_history: bool) {
        let _ = is_history;
    }

    /// What is held, and what limits have cost.
    fn held(&self) -> CorrelatorHeld;

    /// All keyed state and timers. What was told ahead is not among it: the events that wait are previewed again.
    ///
    /// # Errors
    /// When it cannot be written.
    fn snapshot(&self) -> Result<Vec<u8>, Malformed>;

    /// Puts what a correlator of the same rules held in the place of what this one holds.
    ///
    /// # Errors
    /// When the bytes are no such snapshot; the correlator must not be used then.
    fn restore(&mut self, snapshot: &[u8]) -> Result<(), Malformed>;
}

/// See [`Correlator::held`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CorrelatorHeld {
    /// Keys with state.
    pub keys: usize,
    /// Keys given up because a limit was reached.
    pub evicted: u64,
    /// Events that lacked a field of a key.
    pub keyless: u64,
}

impl std::ops::AddAssign for CorrelatorHeld {
    fn add_assign(&mut self, other: CorrelatorHeld) {
        self.keys += other.keys;
        self.evicted += other.evicted;
        self.keyless += other.keyless;
    }
}
