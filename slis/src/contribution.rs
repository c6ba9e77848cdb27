//! What an event adds to an indicator: whole numbers, booked in the minute of the event that the indicator counts.
//!
//! Sums of whole numbers do not depend on the order in which they were added. Must never hold a ratio: that is made of sums
//! when somebody asks.

use std::cmp::Ordering;
use std::hash::{BuildHasher, Hash, Hasher};
use std::ops::{AddAssign, Neg};
use std::sync::Arc;

use rustc_hash::FxBuildHasher;
use serde::{Deserialize, Serialize};

use crate::histogram;

/// Length of the buckets in which contributions are kept, in milliseconds of event time.
pub const MINUTE_MS: i64 = 60_000;

/// Bucket of a contribution that measured nothing.
pub const UNMEASURED: i32 = -1;

/// Whose it is: team, environment (`prov.env`), repository, and what else the indicator tells apart, a severity. Empty: the event
/// does not say.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(from = "[Arc<str>; 4]", into = "[Arc<str>; 4]")]
pub struct Scope {
    texts: [Arc<str>; 4],
    /// Of the texts: each is asked for with every contribution, and most were asked for before.
    hash: u64,
}

impl Scope {
    /// Of a team, an environment, a repository and a label.
    pub fn new(texts: [Arc<str>; 4]) -> Scope {
        let hash = Scope::hash_of(texts.each_ref().map(AsRef::as_ref));
        Scope { texts, hash }
    }

    /// The hash of a scope of these texts.
    pub(crate) fn hash_of(texts: [&str; 4]) -> u64 {
        FxBuildHasher.hash_one(texts)
    }

    /// The texts.
    pub(crate) fn texts(&self) -> [&str; 4] {
        self.texts.each_ref().map(AsRef::as_ref)
    }

    /// `prov.team`.
    pub fn team(&self) -> &Arc<str> {
        &self.texts[0]
    }

    /// `prov.env`.
    pub fn environment(&self) -> &Arc<str> {
        &self.texts[1]
    }

    /// `prov.repo`.
    pub fn repository(&self) -> &Arc<str> {
        &self.texts[2]
    }

    /// What else the indicator tells apart.
    pub fn label(&self) -> &Arc<str> {
        &self.texts[3]
    }

    /// The same of all repositories.
    #[must_use]
    pub(crate) fn without_repository(&self) -> Scope {
        let [team, environment, _, label] = self.texts.clone();
        Scope::new([team, environment, "".into(), label])
    }
}

impl From<[Arc<str>; 4]> for Scope {
    fn from(texts: [Arc<str>; 4]) -> Scope {
        Scope::new(texts)
    }
}

impl From<Scope> for [Arc<str>; 4] {
    fn from(scope: Scope) -> [Arc<str>; 4] {
        scope.texts
    }
}

impl PartialEq for Scope {
    fn eq(&self, other: &Scope) -> bool {
        self.hash == other.hash && self.texts == other.texts
    }
}

impl Eq for Scope {}

impl PartialOrd for Scope {
    fn partial_cmp(&self, other: &Scope) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Scope {
    fn cmp(&self, other: &Scope) -> Ordering {
        self.texts.cmp(&other.texts)
    }
}

impl Hash for Scope {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

/// Where a contribution is booked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Key {
    /// Code of the indicator.
    pub indicator: Arc<str>,
    /// Start of the anchor's minute, in milliseconds since the epoch.
    pub minute_ms: i64,
    /// Whose.
    pub scope: Arc<Scope>,
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
    pub fn new(indicator: &Arc<str>, at_ms: i64, scope: Arc<Scope>, mut sums: Sums, duration_us: Option<u64>) -> Self {
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
