//! Contributions added up by minute, wherever they come from: what is asked of events that were just read, and what goes into
//! an archive.
//!
//! Must never lose what was added: at a limit it is booked with less said of whose it is, or refused and counted.

use hashbrown::HashMap;
use indexmap::IndexMap;
use indexmap::map::Entry;
use rustc_hash::FxBuildHasher;

use crate::contribution::{Contribution, Key, MINUTE_MS, Sums};

/// Rows one behind the other, as they came: memory that was never touched costs more than anything else about a new row.
type Minute = IndexMap<Key, Sums, FxBuildHasher>;

/// See the module. Bounded: at `rows_max` a new row is booked without its repository, and when that has no place either, it is
/// refused; both are counted.
#[derive(Debug, Clone, Default)]
pub struct Buckets {
    /// By minute, so that what comes in the order of time finds its minute in the processor's cache.
    minutes: HashMap<i64, Minute, FxBuildHasher>,
    len: usize,
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
        if self.len >= self.rows_max && !self.holds(&key) {
            key.scope = key.scope.without_repository().into();
            if self.len >= self.rows_max.saturating_mul(2) && !self.holds(&key) {
                self.refused += 1;
                return;
            }
            self.folded += 1;
        }
        match self.minute(key.minute_ms).entry(key) {
            Entry::Vacant(place) => {
                place.insert(sums);
                self.len += 1;
            }
            Entry::Occupied(mut row) => {
                *row.get_mut() += sums;
                if row.get().is_zero() {
                    row.swap_remove();
                    self.len -= 1;
                }
            }
        }
    }

    fn minute(&mut self, minute_ms: i64) -> &mut Minute {
        let minutes = &self.minutes;
        let rows = |back: i64| minutes.get(&minute_ms.saturating_sub(back * MINUTE_MS)).map_or(0, Minute::len);
        // Room for some more rows than in the minutes before, of which the last still fills.
        let room = if minutes.contains_key(&minute_ms) { 0 } else { rows(1).max(rows(2)) * 9 / 8 };
        let with_room = || Minute::with_capacity_and_hasher(room, FxBuildHasher);
        self.minutes.entry(minute_ms).or_insert_with(with_room)
    }

    fn holds(&self, key: &Key) -> bool {
        self.minutes.get(&key.minute_ms).is_some_and(|minute| minute.contains_key(key))
    }

    /// The rows, in order.
    pub fn rows(&self) -> Vec<(&Key, &Sums)> {
        let mut rows: Vec<_> = self.minutes.values().flatten().collect();
        rows.sort_unstable_by_key(|(key, _)| *key);
        rows
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.len
    }

    /// There is none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Contributions that were booked without their repository, and such that were not booked at all.
    pub fn at_limit(&self) -> (u64, u64) {
        (self.folded, self.refused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    use crate::contribution::Scope;

    fn one(repository: &str, at_ms: i64, duration_us: Option<u64>) -> Contribution {
        let scope = Scope::new(["", "", repository, ""].map(Arc::from)).into();
        Contribution::new(&"A-M1".into(), at_ms, scope, Sums { good: 1, total: 1, ..Sums::default() }, duration_us)
    }

    #[test]
    fn what_is_taken_back_leaves_nothing() {
        let mut buckets = Buckets::new(10);
        let (a, b) = (one("a", 59_999, Some(1_500)), one("a", 60_000, None));
        buckets.add(a.clone());
        buckets.add(b.clone());
        assert_eq!(buckets.rows().into_iter().map(|(key, _)| key.minute_ms).collect::<Vec<_>>(), [0, 60_000]);
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
        let total: i64 = buckets.rows().into_iter().map(|(_, sums)| sums.total).sum();
        assert_eq!((buckets.len(), total, buckets.at_limit()), (3, 6, (3, 0)));
    }
}
