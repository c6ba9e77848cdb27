//! Keyed state: (dimension, key) → value, spread over a fixed number of virtual shards.
//!
//! One writer, fixed-seed hashing, limits per shard, versioned snapshots: so the same events give the same state however
//! many threads or workers hold it. Must never evict without saying so: the caller names the policy and counts.

use std::hash::{BuildHasher, Hash};

use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;
use serde::{Deserialize, Serialize};

/// Number of virtual shards of every table. Fixed: limits per shard are part of what decides.
pub const VIRTUAL_SHARDS: usize = 64;

/// A keyed table.
#[derive(Debug)]
pub struct Table<K, V> {
    dimension: &'static str,
    version: u32,
    shard_max: usize,
    shards: Vec<HashMap<K, V, FxBuildHasher>>,
}

/// Everything a table holds, in key order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TableSnapshot<K, V> {
    /// The table's dimension.
    pub dimension: String,
    /// Version of the value's shape.
    pub version: u32,
    /// The entries, by key.
    pub entries: Vec<(K, V)>,
}

/// A snapshot that cannot be restored into a table.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("snapshot of {found} version {found_version} does not fit table {expected} version {expected_version}")]
pub struct SnapshotMismatch {
    expected: &'static str,
    expected_version: u32,
    found: String,
    found_version: u32,
}

impl<K: Hash + Eq + Ord + Clone, V: Clone> Table<K, V> {
    /// An empty table of a dimension; `entries_max` is divided evenly over the virtual shards (at least one each).
    pub fn new(dimension: &'static str, version: u32, entries_max: usize) -> Self {
        let shard_max = entries_max.div_ceil(VIRTUAL_SHARDS).max(1);
        Table { dimension, version, shard_max, shards: vec![HashMap::with_hasher(FxBuildHasher); VIRTUAL_SHARDS] }
    }

    fn shard_of(key: &K) -> usize {
        (FxBuildHasher.hash_one(key) >> 32) as usize % VIRTUAL_SHARDS
    }

    /// The value of a key.
    pub fn get(&self, key: &K) -> Option<&V> {
        self.shards[Self::shard_of(key)].get(key)
    }

    /// The value of a key, to be changed.
    pub fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.shards[Self::shard_of(key)].get_mut(key)
    }

    /// Removes a key.
    pub fn remove(&mut self, key: &K) -> Option<V> {
        self.shards[Self::shard_of(key)].remove(key)
    }

    /// Puts a value. When the key's shard is full, `victim` names the entry that has to go (among the shard's others);
    /// it is returned, so that its end is told and counted.
    pub fn insert(
        &mut self,
        key: K,
        value: V,
        victim: impl Fn(&K, &V, &K, &V) -> std::cmp::Ordering,
    ) -> Option<(K, V)> {
        let shard = &mut self.shards[Self::shard_of(&key)];
        let mut evicted = None;
        if shard.len() >= self.shard_max && !shard.contains_key(&key) {
            let first = shard.iter().min_by(|a, b| victim(a.0, a.1, b.0, b.1)).map(|(k, _)| k.clone());
            evicted = first.and_then(|k| shard.remove_entry(&k));
        }
        shard.insert(key, value);
        evicted
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.shards.iter().map(HashMap::len).sum()
    }

    /// There are no entries.
    pub fn is_empty(&self) -> bool {
        self.shards.iter().all(HashMap::is_empty)
    }

    /// A copy of everything, in key order.
    pub fn snapshot(&self) -> TableSnapshot<K, V> {
        let mut entries: Vec<(K, V)> =
            self.shards.iter().flatten().map(|(key, value)| (key.clone(), value.clone())).collect();
        entries.sort_by(|a, b| a.0.cmp(&b.0));
        TableSnapshot { dimension: self.dimension.to_owned(), version: self.version, entries }
    }

    /// Replaces everything by a snapshot's entries.
    ///
    /// # Errors
    /// When the snapshot is of another dimension or version; the table is then unchanged.
    pub fn restore(&mut self, snapshot: TableSnapshot<K, V>) -> Result<(), SnapshotMismatch> {
        if snapshot.dimension != self.dimension || snapshot.version != self.version {
            return Err(SnapshotMismatch {
                expected: self.dimension,
                expected_version: self.version,
                found: snapshot.dimension,
                found_version: snapshot.version,
            });
        }
        self.shards.iter_mut().for_each(HashMap::clear);
        for (key, value) in snapshot.entries {
            self.shards[Self::shard_of(&key)].insert(key, value);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn oldest(_: &u64, a: &i64, _: &u64, b: &i64) -> std::cmp::Ordering {
        a.cmp(b)
    }

    #[test]
    fn a_full_shard_gives_up_the_named_victim() {
        let mut table = Table::new("test", 1, VIRTUAL_SHARDS * 2);
        let same_shard: Vec<u64> = (0..10_000).filter(|k| Table::<u64, i64>::shard_of(k) == 0).take(3).collect();
        assert_eq!(table.insert(same_shard[0], 30, oldest), None);
        assert_eq!(table.insert(same_shard[1], 10, oldest), None);
        assert_eq!(table.insert(same_shard[2], 20, oldest), Some((same_shard[1], 10)));
        assert_eq!(table.len(), 2);
    }

    #[test]
    fn a_snapshot_restores_and_names_what_does_not_fit() {
        let mut table = Table::new("test", 1, 100);
        for key in [3, 1, 2] {
            table.insert(key, key as i64, oldest);
        }
        let snapshot = table.snapshot();
        assert_eq!(snapshot.entries, [(1, 1), (2, 2), (3, 3)]);
        let mut other = Table::new("test", 1, 100);
        other.restore(snapshot.clone()).expect("same dimension and version");
        assert_eq!(other.snapshot(), snapshot);
        let mut newer: Table<u64, i64> = Table::new("test", 2, 100);
        assert!(newer.restore(snapshot).is_err());
        assert!(newer.is_empty());
    }
}
