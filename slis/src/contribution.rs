//! What an event adds to an indicator: whole numbers, booked in the minute of the event that the indicator counts.
//!
//! Sums of whole numbers do not depend on the order in which they were added. Must never hold a ratio: that is made of sums
//! when somebody asks.

use std::collections::BTreeMap;
use std::ops::{AddAssign, Neg};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::histogram;

/// Length of the buckets in which contributions are kept, in milliseconds of event time.
pub const MINUTE_MS: i64 = 60_000;

/// Bucket of a contribution that measured nothing.
pub const UNMEASURED: i32 = -1;

/// Whose it is. Empty: the event does not say.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Scope {
    /// `prov.team`.
    pub team: Arc<str>,
    /// `prov.env`.
    pub environment: Arc<str>,
    /// `prov.repo`.
    pub repository: Arc<str>,
    /// What else the indicator tells apart: a severity.
    pub label: Arc<str>,
}

/// Where a contribution is booked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Key {
    /// Code of the indicator.
    pub indicator: Arc<str>,
    /// Start of the anchor's minute, in milliseconds since the epoch.
    pub minute_ms: i64,
    /// Whose.
    pub scope: Scope,
    /// Number of the duration's bucket ([`histogram::bucket`]); [`UNMEASURED`]: it has none.
    pub bucket: i32,
}

/// What is added up. All may be negative: a correction takes back what was booked before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sums {
    /// Anchors that are as they should be.
    pub good: i64,
    /// Anchors that count.
    pub total: i64,
    /// Anchors within announced maintenance, which do not count.
    pub excluded: i64,
    /// Durations.
    pub measured: i64,
    /// Their sum, in microseconds.
    pub sum_us: i64,
    /// Events that show that somebody looks, where an indicator counts what should not happen.
    pub seen: i64,
}

impl Sums {
    /// Nothing.
    pub fn is_zero(&self) -> bool {
        *self == Sums::default()
    }
}

impl AddAssign for Sums {
    fn add_assign(&mut self, other: Sums) {
        self.good = self.good.saturating_add(other.good);
        self.total = self.total.saturating_add(other.total);
        self.excluded = self.excluded.saturating_add(other.excluded);
        self.measured = self.measured.saturating_add(other.measured);
        self.sum_us = self.sum_us.saturating_add(other.sum_us);
        self.seen = self.seen.saturating_add(other.seen);
    }
}

impl Neg for Sums {
    type Output = Sums;

    fn neg(self) -> Sums {
        let Sums { good, total, excluded, measured, sum_us, seen } = self;
        Sums { good: -good, total: -total, excluded: -excluded, measured: -measured, sum_us: -sum_us, seen: -seen }
    }
}

/// One addition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contribution {
    /// Where.
    pub key: Key,
    /// What.
    pub sums: Sums,
}

impl Contribution {
    /// Of an anchor. `duration_us`: what was measured between it and its match.
    pub fn new(indicator: &Arc<str>, at_ms: i64, scope: Scope, mut sums: Sums, duration_us: Option<u64>) -> Self {
        if let Some(us) = duration_us {
            (sums.measured, sums.sum_us) = (1, i64::try_from(us).unwrap_or(i64::MAX));
        }
        let bucket = duration_us.map_or(UNMEASURED, histogram::bucket);
        let minute_ms = at_ms.div_euclid(MINUTE_MS) * MINUTE_MS;
        Contribution { key: Key { indicator: indicator.clone(), minute_ms, scope, bucket }, sums }
    }

    /// What takes it back.
    #[must_use]
    pub fn taken_back(&self) -> Contribution {
        Contribution { key: self.key.clone(), sums: -self.sums }
    }
}

/// Contributions added up by minute: what is live. Bounded: at `rows_max` a new row is booked without its repository, and
/// when that has no place either, it is refused; both are counted.
#[derive(Debug, Clone, Default)]
pub struct Buckets {
    rows: BTreeMap<Key, Sums>,
    rows_max: usize,
    folded: u64,
    refused: u64,
}

impl Buckets {
    /// Empty ones.
    pub fn new(rows_max: usize) -> Buckets {
        Buckets { rows_max, ..Buckets::default() }
    }

    /// Adds one. A row that is back at nothing is gone.
    pub fn add(&mut self, contribution: Contribution) {
        let Contribution { mut key, sums } = contribution;
        if self.rows.len() >= self.rows_max && !self.rows.contains_key(&key) {
            key.scope.repository = "".into();
            if !self.rows.contains_key(&key) && self.rows.len() >= self.rows_max.saturating_mul(2) {
                self.refused += 1;
                return;
            }
            self.folded += 1;
        }
        let row = self.rows.entry(key.clone()).or_default();
        *row += sums;
        if row.is_zero() {
            self.rows.remove(&key);
        }
    }

    /// The rows, in order.
    pub fn rows(&self) -> impl Iterator<Item = (&Key, &Sums)> {
        self.rows.iter()
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// There is none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Contributions that were booked without their repository, and such that were not booked at all.
    pub fn at_limit(&self) -> (u64, u64) {
        (self.folded, self.refused)
    }

    /// Forgets all minutes before a time.
    pub fn forget_before(&mut self, ms: i64) {
        self.rows.retain(|key, _| key.minute_ms >= ms);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(repository: &str, at_ms: i64, duration_us: Option<u64>) -> Contribution {
        let scope = Scope { repository: repository.into(), ..Scope::default() };
        Contribution::new(&"A-M1".into(), at_ms, scope, Sums { good: 1, total: 1, ..Sums::default() }, duration_us)
    }

    #[test]
    fn what_is_taken_back_leaves_nothing() {
        let mut buckets = Buckets::new(10);
        let (a, b) = (one("a", 59_999, Some(1_500)), one("a", 60_000, None));
        buckets.add(a.clone());
        buckets.add(b.clone());
        assert_eq!(buckets.rows().map(|(key, _)| key.minute_ms).collect::<Vec<_>>(), [0, 60_000]);
        buckets.add(b.taken_back());
        buckets.add(a.taken_back());
        assert!(buckets.is_empty());
        assert_eq!(one("a", -1, None).key.minute_ms, -60_000);
    }

    #[test]
    fn at_the_limit_nothing_is_lost_of_the_whole() {
        let mut buckets = Buckets::new(2);
        for repository in ["a", "b", "c", "d", "c", "a"] {
            buckets.add(one(repository, 0, None));
        }
        let total: i64 = buckets.rows().map(|(_, sums)| sums.total).sum();
        assert_eq!((buckets.len(), total, buckets.at_limit()), (3, 6, (3, 0)));
    }
}
