//! How far a source's events lie behind the tick at which they are here.
//!
//! Says when something that has not come is no longer expected, for what is told ahead. Must never decide anything that is
//! sealed: only lateness does.

use model::Timestamp;

/// The lag of one source, as it was when the source was heard last.
#[derive(Debug)]
pub struct Lag {
    newest: Timestamp,
    ms: Option<i64>,
}

impl Default for Lag {
    fn default() -> Lag {
        Lag { newest: Timestamp::MIN, ms: None }
    }
}

impl Lag {
    /// A tick: the newest event of the source so far.
    pub fn tick(&mut self, newest: Timestamp, now: Timestamp) {
        if newest > self.newest {
            self.newest = newest;
            self.ms = Some(now.ms().saturating_sub(newest.ms()).max(0));
        }
    }

    /// In milliseconds; None before the first event.
    pub fn ms(&self) -> Option<i64> {
        self.ms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_event_counts_from_the_tick_at_which_it_is_new() {
        let at = |seconds: i64| Timestamp::from_ms(seconds * 1_000);
        let mut lag = Lag::default();
        assert_eq!(lag.ms(), None);
        lag.tick(at(10), at(12));
        assert_eq!(lag.ms(), Some(2_000));
        // Silence is no lag, nor is what comes behind the newest.
        lag.tick(at(10), at(90));
        assert_eq!(lag.ms(), Some(2_000));
        lag.tick(at(95), at(91));
        assert_eq!(lag.ms(), Some(0), "a clock that is ahead");
    }
}
