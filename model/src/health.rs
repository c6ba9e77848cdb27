//! Whether a source can be heard: what its silence means. Said by an operator, by heartbeats, or by a scenario.
//!
//! Pure and in event time. Statements are a set: neither their order nor how often one is made changes what they say
//! together. Must never last for ever: a source that nobody calls healthy again counts as such after a while.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// An outage that nobody ends counts for this long, in milliseconds.
pub const OUTAGE_MAX_MS: i64 = 7 * 86_400_000;

/// Statements about one source that are remembered; the oldest go first.
pub const HEALTH_STATEMENTS_MAX: usize = 1_000;

/// One statement about a source.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SourceHealth {
    /// The source's name.
    pub source: Arc<str>,
    /// What is said of it.
    pub state: HealthState,
}

/// See [`SourceHealth`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum HealthState {
    /// What happened there from a time on could not be heard.
    Unhealthy {
        /// The first time.
        from: Timestamp,
        /// The first time at which it could be heard again; None: not known yet.
        to: Option<Timestamp>,
    },
    /// It is heard: an outage that began before this time is over.
    Healthy {
        /// The time.
        at: Timestamp,
    },
}

/// Since when rules that read the same sources know a statement: it changes nothing that lies before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownFrom {
    /// The sources.
    pub sources: Vec<Arc<str>>,
    /// From this event time on.
    pub from: Timestamp,
}

/// What has been said of one source.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outages {
    unhealthy: BTreeSet<(Timestamp, Option<Timestamp>)>,
    healthy: BTreeSet<Timestamp>,
}

impl Outages {
    /// Adds a statement; says whether it was new.
    pub fn add(&mut self, state: HealthState) -> bool {
        let is_new = match state {
            HealthState::Unhealthy { from, to } => self.unhealthy.insert((from, to)),
            HealthState::Healthy { at } => self.healthy.insert(at),
        };
        if self.unhealthy.len() > HEALTH_STATEMENTS_MAX {
            self.unhealthy.pop_first();
        }
        if self.healthy.len() > HEALTH_STATEMENTS_MAX {
            self.healthy.pop_first();
        }
        is_new
    }

    /// Every statement.
    pub fn statements(&self) -> impl Iterator<Item = HealthState> {
        let unhealthy = self.unhealthy.iter().map(|&(from, to)| HealthState::Unhealthy { from, to });
        unhealthy.chain(self.healthy.iter().map(|&at| HealthState::Healthy { at }))
    }

    /// Each outage with its end: the first time at which the source could be heard again. None: it still lasts.
    fn each(&self) -> impl Iterator<Item = (Timestamp, Option<Timestamp>)> {
        self.unhealthy.iter().map(|(from, to)| {
            let behind = (std::ops::Bound::Excluded(*from), std::ops::Bound::Unbounded);
            let heard = self.healthy.range(behind).next().copied();
            (*from, to.iter().copied().chain(heard).min())
        })
    }

    /// The outages; one that lasts counts up to `open_to`, and none for longer than [`OUTAGE_MAX_MS`].
    pub fn until(&self, open_to: Timestamp) -> impl Iterator<Item = (Timestamp, Timestamp)> {
        let end = move |(from, to): (Timestamp, Option<Timestamp>)| {
            (from, to.unwrap_or(open_to).min(from.plus_ms(OUTAGE_MAX_MS)))
        };
        self.each().map(end).filter(|(from, to)| from < to)
    }

    /// An outage lasts at a time.
    pub fn lasts_at(&self, at: Timestamp) -> bool {
        self.until(Timestamp::MAX).any(|(from, to)| from <= at && at < to)
    }

    /// An outage that nobody has ended goes on behind a time.
    pub fn is_open_at(&self, at: Timestamp) -> bool {
        self.each().any(|(from, to)| to.is_none() && at < from.plus_ms(OUTAGE_MAX_MS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_say_the_same_in_any_order() {
        let at = Timestamp::from_ms;
        let said = [
            HealthState::Unhealthy { from: at(10), to: None },
            HealthState::Healthy { at: at(10) },
            HealthState::Healthy { at: at(40) },
            HealthState::Unhealthy { from: at(60), to: Some(at(90)) },
            HealthState::Healthy { at: at(70) },
            HealthState::Unhealthy { from: at(100), to: None },
        ];
        let mut backwards = Outages::default();
        for state in said.iter().rev().chain(&said) {
            backwards.add(*state);
        }
        let found: Vec<_> = backwards.until(at(120)).collect();
        assert_eq!(found, [(at(10), at(40)), (at(60), at(70)), (at(100), at(120))]);
        assert!(backwards.lasts_at(at(39)) && !backwards.lasts_at(at(40)));
        let forever = Timestamp::MAX;
        assert_eq!(backwards.until(forever).last(), Some((at(100), at(100 + OUTAGE_MAX_MS))));
        assert!(backwards.is_open_at(at(100)) && !backwards.is_open_at(at(100 + OUTAGE_MAX_MS)));
    }
}
