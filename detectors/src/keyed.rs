//! State by key: expiring, bounded.
//!
//! A key that was not touched within its time to live is as if it had never been, whether it has been swept or not. At the
//! limit those with the fewest events go first, so that a flood of new keys costs its own, then those touched longest ago.

use std::collections::BTreeMap;

use model::Timestamp;
use serde::{Deserialize, Serialize};

#[derive(Debug)]
pub(crate) struct Keyed<V> {
    kept: Kept<V>,
    ttl_ms: i64,
    keys_max: usize,
}

/// What outlives the process.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Kept<V> {
    entries: BTreeMap<Box<str>, Entry<V>>,
    /// When expired keys are swept next.
    sweep_at: i64,
    evicted: u64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Entry<V> {
    value: V,
    touched: u64,
    last_ms: i64,
}

/// Sweeps in one time to live.
const SWEEPS: i64 = 8;

impl<V: Default> Keyed<V> {
    pub(crate) fn new(ttl_ms: i64, keys_max: usize) -> Keyed<V> {
        Keyed {
            kept: Kept { entries: BTreeMap::new(), sweep_at: i64::MIN, evicted: 0 },
            ttl_ms,
            keys_max: keys_max.max(1),
        }
    }

    pub(crate) fn kept(&self) -> &Kept<V> {
        &self.kept
    }

    pub(crate) fn keep(&mut self, kept: Kept<V>) {
        self.kept = kept;
    }

    pub(crate) fn len(&self) -> usize {
        self.kept.entries.len()
    }

    /// Keys given up because of the limit.
    pub(crate) fn evicted(&self) -> u64 {
        self.kept.evicted
    }

    /// What a key holds, if it has not expired.
    pub(crate) fn get(&self, key: &str, now: Timestamp) -> Option<&V> {
        let entry = self.kept.entries.get(key)?;
        (entry.last_ms >= now.ms().saturating_sub(self.ttl_ms)).then_some(&entry.value)
    }

    pub(crate) fn get_mut(&mut self, key: &str, now: Timestamp) -> Option<&mut V> {
        let oldest = now.ms().saturating_sub(self.ttl_ms);
        let entry = self.kept.entries.get_mut(key)?;
        (entry.last_ms >= oldest).then_some(&mut entry.value)
    }

    /// The keys that have not expired, in order.
    pub(crate) fn names(&self, now: Timestamp) -> Vec<Box<str>> {
        let oldest = now.ms().saturating_sub(self.ttl_ms);
        let alive = self.kept.entries.iter().filter(|(_, entry)| entry.last_ms >= oldest);
        alive.map(|(key, _)| key.clone()).collect()
    }

    /// What a key holds, from here on touched at this time; a new or expired one starts empty.
    pub(crate) fn touch(&mut self, key: &str, now: Timestamp) -> &mut V {
        self.sweep(now);
        let oldest = now.ms().saturating_sub(self.ttl_ms);
        if !self.kept.entries.contains_key(key) && self.kept.entries.len() >= self.keys_max {
            self.make_room(oldest);
        }
        let new = || Entry { value: V::default(), touched: 0, last_ms: now.ms() };
        let entry = self.kept.entries.entry(key.into()).or_insert_with(new);
        if entry.last_ms < oldest {
            *entry = new();
        }
        entry.touched += 1;
        entry.last_ms = entry.last_ms.max(now.ms());
        &mut entry.value
    }

    /// Takes over what another table holds of a key of which this one holds nothing.
    pub(crate) fn take_over(&mut self, from: &Keyed<V>, key: &str)
    where
        V: Clone,
    {
        if !self.kept.entries.contains_key(key)
            && let Some(entry) = from.kept.entries.get(key)
        {
            self.kept.entries.insert(key.into(), entry.clone());
        }
    }

    /// Drops every key that was not touched since a time.
    pub(crate) fn forget_before(&mut self, time: Timestamp) {
        self.kept.entries.retain(|_, entry| entry.last_ms >= time.ms());
    }

    /// Drops what has expired, where it is time to look.
    pub(crate) fn sweep(&mut self, now: Timestamp) {
        if now.ms() < self.kept.sweep_at {
            return;
        }
        let oldest = now.ms().saturating_sub(self.ttl_ms);
        self.kept.entries.retain(|_, entry| entry.last_ms >= oldest);
        self.kept.sweep_at = now.ms().saturating_add((self.ttl_ms / SWEEPS).max(1));
    }

    fn make_room(&mut self, oldest: i64) {
        self.kept.entries.retain(|_, entry| entry.last_ms >= oldest);
        if self.kept.entries.len() < self.keys_max {
            return;
        }
        let mut ranked: Vec<(u64, i64, Box<str>)> =
            self.kept.entries.iter().map(|(key, entry)| (entry.touched, entry.last_ms, key.clone())).collect();
        ranked.sort_unstable();
        for (.., key) in ranked.into_iter().take((self.keys_max / 16).max(1)) {
            self.kept.entries.remove(&key);
            self.kept.evicted += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_ms(ms)
    }

    #[test]
    fn a_key_expires_behind_its_time_to_live() {
        let mut keyed: Keyed<u32> = Keyed::new(10, 100);
        *keyed.touch("a", at(0)) = 7;
        assert_eq!((keyed.get("a", at(10)), keyed.get("a", at(11))), (Some(&7), None));
        assert_eq!(*keyed.touch("a", at(10)), 7);
        assert_eq!(*keyed.touch("a", at(21)), 0, "ten and one behind its last");
        keyed.touch("b", at(50));
        assert_eq!(keyed.len(), 1, "swept");
        assert_eq!(keyed.evicted(), 0);
    }

    #[test]
    fn a_flood_of_keys_costs_its_own() {
        let mut keyed: Keyed<u32> = Keyed::new(1_000_000, 16);
        (0..3).for_each(|time| *keyed.touch("steady", at(time)) += 1);
        for flood in 0..100 {
            keyed.touch(&format!("decoy-{flood:03}"), at(10 + flood));
        }
        assert_eq!(keyed.get("steady", at(200)), Some(&3));
        assert!(keyed.get("decoy-000", at(200)).is_none() && keyed.get("decoy-099", at(200)).is_some());
        assert_eq!((keyed.len(), keyed.evicted()), (16, 85));
    }
}
