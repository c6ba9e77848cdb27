//! Edges under both of their ends, spread over virtual shards; bounded.
//!
//! A half stands in the shard of its near key and is given up alone, so that shards can live on different workers. A full
//! shard gives up a sixteenth of its halves at once: those that were last seen longest ago, in the order of their keys where
//! that is equal. Must never give one up without counting it, nor keep anything that depends on the order of events.

use std::collections::BTreeMap;
use std::hash::BuildHasher;
use std::sync::Arc;

use model::{Timestamp, VIRTUAL_SHARDS};
use rustc_hash::FxBuildHasher;

use super::key::{Key, Kind};
use super::links::Seen;
use super::pairs::Stage;

/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;

/// An edge lives so long after it was last seen: credentials are short-lived, and who used which is nobody's business for
/// ever.
const TOKEN_TTL_MS: i64 = 30 * DAY_MS;

/// The same of all other edges, which lead to digests.
const DIGEST_TTL_MS: i64 = 400 * DAY_MS;

/// One half of an edge: the edge as one of its ends knows it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct HalfKey {
    pub(super) near: Key,
    pub(super) far: Key,
    /// The far end came of the near one.
    pub(super) is_down: bool,
    pub(super) stage: Stage,
}

/// When an edge was seen, and what is its evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Half {
    pub(super) first: Arc<Seen>,
    pub(super) last: Arc<Seen>,
}

impl HalfKey {
    fn ttl_ms(&self) -> i64 {
        let has_token = self.near.kind == Kind::Token || self.far.kind == Kind::Token;
        if has_token { TOKEN_TTL_MS } else { DIGEST_TTL_MS }
    }

    fn lives(&self, half: &Half, now: Timestamp) -> bool {
        half.last.time.plus_ms(self.ttl_ms()) >= now
    }

    /// The day's number on which its edge was first seen.
    pub(super) fn day(half: &Half) -> i64 {
        half.first.time.ms().div_euclid(DAY_MS)
    }
}

/// See the module.
#[derive(Debug)]
pub(super) struct Halves {
    shards: Vec<BTreeMap<HalfKey, Half>>,
    shard_max: usize,
    /// Edges that have not been seen for their time to live before it are gone.
    now: Timestamp,
    swept_day: i64,
    evicted: u64,
}

fn shard_of(key: &Key) -> usize {
    (FxBuildHasher.hash_one(key) >> 32) as usize % VIRTUAL_SHARDS
}

impl Halves {
    pub(super) fn new(halves_max: usize) -> Halves {
        Halves {
            shards: (0..VIRTUAL_SHARDS).map(|_| BTreeMap::new()).collect(),
            shard_max: halves_max.div_ceil(VIRTUAL_SHARDS).max(1),
            now: Timestamp::MIN,
            swept_day: i64::MIN,
            evicted: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.shards.iter().map(BTreeMap::len).sum()
    }

    pub(super) fn evicted(&self) -> u64 {
        self.evicted
    }

    /// Event time has come so far. What is dead is dropped once a day.
    pub(super) fn advance(&mut self, now: Timestamp) {
        self.now = self.now.max(now);
        let (now, day) = (self.now, self.now.ms().div_euclid(DAY_MS));
        if day > self.swept_day {
            self.swept_day = day;
            self.shards.iter_mut().for_each(|shard| shard.retain(|key, half| key.lives(half, now)));
        }
    }

    /// The edge was seen.
    pub(super) fn put(&mut self, key: HalfKey, seen: &Arc<Seen>) {
        let Halves { shards, shard_max, now, evicted, .. } = self;
        let Some(shard) = shards.get_mut(shard_of(&key.near)) else { return };
        if let Some(half) = shard.get_mut(&key) {
            if !key.lives(half, *now) {
                *half = Half { first: seen.clone(), last: seen.clone() };
            }
            if *seen < half.first {
                half.first = seen.clone();
            }
            if *seen > half.last {
                half.last = seen.clone();
            }
            return;
        }
        let half = Half { first: seen.clone(), last: seen.clone() };
        if !key.lives(&half, *now) {
            return;
        }
        if shard.len() >= *shard_max {
            *evicted += make_room(shard, *shard_max);
        }
        shard.insert(key, half);
    }

    /// The living halves of a key, in the order of their far ends.
    pub(super) fn of<'t>(&'t self, near: &'t Key) -> impl Iterator<Item = (&'t HalfKey, &'t Half)> {
        let least =
            HalfKey { near: near.clone(), far: Key::new(Kind::Token, ""), is_down: false, stage: Stage::Commit };
        let shard = self.shards.get(shard_of(near));
        let halves = shard.into_iter().flat_map(move |shard| shard.range(least.clone()..));
        halves.take_while(move |(key, _)| key.near == *near).filter(|(key, half)| key.lives(half, self.now))
    }

    /// Every key of a kind that has living edges, in order.
    pub(super) fn keys(&self, kind: Kind) -> Vec<&Key> {
        let least =
            HalfKey { near: Key::new(kind, ""), far: Key::new(Kind::Token, ""), is_down: false, stage: Stage::Commit };
        let mut keys: Vec<&Key> = Vec::new();
        for shard in &self.shards {
            let halves = shard.range(&least..).take_while(|(key, _)| key.near.kind == kind);
            for (key, _) in halves.filter(|(key, half)| key.lives(half, self.now)) {
                if keys.last() != Some(&&key.near) {
                    keys.push(&key.near);
                }
            }
        }
        keys.sort();
        keys
    }

    /// Everything that lives, in order.
    #[cfg(test)]
    pub(super) fn all(&self) -> Vec<(&HalfKey, &Half)> {
        let mut all: Vec<_> = self.shards.iter().flatten().filter(|(key, half)| key.lives(half, self.now)).collect();
        all.sort_by_key(|(key, _)| *key);
        all
    }
}

/// Gives up a sixteenth of a shard, one half at least; returns how many.
fn make_room(shard: &mut BTreeMap<HalfKey, Half>, shard_max: usize) -> u64 {
    let room = (shard_max / 16).max(1).min(shard.len());
    let mut ranked: Vec<(Timestamp, &HalfKey)> = shard.iter().map(|(key, half)| (half.last.time, key)).collect();
    if room < ranked.len() {
        ranked.select_nth_unstable(room);
    }
    let victims: Vec<HalfKey> = ranked.into_iter().take(room).map(|(_, key)| key.clone()).collect();
    victims.iter().filter(|key| shard.remove(key).is_some()).count() as u64
}
