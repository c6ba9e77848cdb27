//! Edges under both of their ends, spread over virtual shards; bounded.
//!
//! A half stands in the shard of its near key and is given up alone, so that shards can live on different workers. A full
//! shard gives up a sixteenth of its halves at once: those that were last seen longest ago, in the order of their keys where
//! that is equal. Must never give one up without counting it, nor keep anything that depends on the order of events.

use std::collections::BTreeMap;
use std::hash::BuildHasher;
use std::sync::Arc;

use hashbrown::HashMap;
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

/// One half of an edge, as its near end knows it. In the order of far ends.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct HalfKey {
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

impl Half {
    fn lives(&self, near: Kind, far: Kind, now: Timestamp) -> bool {
        let has_token = near == Kind::Token || far == Kind::Token;
        let ttl_ms = if has_token { TOKEN_TTL_MS } else { DIGEST_TTL_MS };
        self.last.time.plus_ms(ttl_ms) >= now
    }

    /// The day's number on which its edge was first seen.
    pub(super) fn day(&self) -> i64 {
        self.first.time.ms().div_euclid(DAY_MS)
    }
}

/// The halves of one virtual shard, by their near ends.
#[derive(Debug, Default)]
struct Shard {
    nodes: HashMap<Key, BTreeMap<HalfKey, Half>, FxBuildHasher>,
    halves: usize,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Halves {
    shards: Vec<Shard>,
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
            shards: (0..VIRTUAL_SHARDS).map(|_| Shard::default()).collect(),
            shard_max: halves_max.div_ceil(VIRTUAL_SHARDS).max(1),
            now: Timestamp::MIN,
            swept_day: i64::MIN,
            evicted: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.halves).sum()
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
            self.shards.iter_mut().for_each(|shard| shard.sweep(now));
        }
    }

    /// The edge was seen from its near end.
    pub(super) fn put(&mut self, near: &Key, key: HalfKey, seen: &Arc<Seen>) {
        let Halves { shards, shard_max, now, evicted, .. } = self;
        let Some(shard) = shards.get_mut(shard_of(near)) else { return };
        if let Some(half) = shard.nodes.get_mut(near).and_then(|node| node.get_mut(&key)) {
            if !half.lives(near.kind, key.far.kind, *now) {
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
        if !half.lives(near.kind, key.far.kind, *now) {
            return;
        }
        if shard.halves >= *shard_max {
            *evicted += shard.make_room(*shard_max);
        }
        shard.nodes.entry(near.clone()).or_default().insert(key, half);
        shard.halves += 1;
    }

    /// The living halves of a key, in the order of their far ends.
    pub(super) fn of<'t>(&'t self, near: &Key) -> impl Iterator<Item = (&'t HalfKey, &'t Half)> {
        let (kind, now) = (near.kind, self.now);
        let node = self.shards.get(shard_of(near)).and_then(|shard| shard.nodes.get(near));
        node.into_iter().flatten().filter(move |(key, half)| half.lives(kind, key.far.kind, now))
    }

    /// Those of them that were seen by a time (inclusive).
    pub(super) fn by<'t>(&'t self, near: &Key, as_of: Timestamp) -> impl Iterator<Item = (&'t HalfKey, &'t Half)> {
        self.of(near).filter(move |(_, half)| half.first.time <= as_of)
    }

    /// Every key of a kind that has living edges, in order.
    pub(super) fn keys(&self, kind: Kind) -> Vec<&Key> {
        let nodes = self.shards.iter().flat_map(|shard| &shard.nodes).filter(|(near, _)| near.kind == kind);
        let lives =
            |node: &BTreeMap<HalfKey, Half>| node.iter().any(|(key, half)| half.lives(kind, key.far.kind, self.now));
        let mut keys: Vec<&Key> = nodes.filter(|(_, node)| lives(node)).map(|(near, _)| near).collect();
        keys.sort_unstable();
        keys
    }

    /// Every half that is held, dead ones among them.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&Key, &HalfKey, &Half)> {
        let nodes = self.shards.iter().flat_map(|shard| &shard.nodes);
        nodes.flat_map(|(near, node)| node.iter().map(move |(key, half)| (near, key, half)))
    }

    /// Puts a half back where it was.
    pub(super) fn place(&mut self, near: Key, key: HalfKey, half: Half) {
        let Some(shard) = self.shards.get_mut(shard_of(&near)) else { return };
        shard.halves += usize::from(shard.nodes.entry(near).or_default().insert(key, half).is_none());
    }

    /// Time, the day on which dead ones were dropped last, and how many were given up.
    pub(super) fn times(&self) -> (Timestamp, i64, u64) {
        (self.now, self.swept_day, self.evicted)
    }

    pub(super) fn set_times(&mut self, (now, swept_day, evicted): (Timestamp, i64, u64)) {
        (self.now, self.swept_day, self.evicted) = (now, swept_day, evicted);
    }

    /// Everything that lives, in order.
    #[cfg(test)]
    pub(super) fn all(&self) -> Vec<(Key, HalfKey, Half)> {
        let nears = self.shards.iter().flat_map(|shard| shard.nodes.keys());
        let of = |near| self.of(near).map(move |(key, half)| (Key::clone(near), key.clone(), half.clone()));
        let mut all: Vec<_> = nears.flat_map(of).collect();
        all.sort_by(|a, b| (&a.0, &a.1).cmp(&(&b.0, &b.1)));
        all
    }
}

impl Shard {
    /// Drops what is dead.
    fn sweep(&mut self, now: Timestamp) {
        let mut halves = 0;
        self.nodes.retain(|near, node| {
            node.retain(|key, half| half.lives(near.kind, key.far.kind, now));
            halves += node.len();
            !node.is_empty()
        });
        self.halves = halves;
    }

    /// Gives up a sixteenth, one half at least; returns how many.
    fn make_room(&mut self, shard_max: usize) -> u64 {
        let all = self.nodes.iter().flat_map(|(near, node)| node.iter().map(move |(key, half)| (near, key, half)));
        let mut ranked: Vec<(Timestamp, &Key, &HalfKey)> =
            all.map(|(near, key, half)| (half.last.time, near, key)).collect();
        let room = (shard_max / 16).max(1).min(ranked.len());
        if room < ranked.len() {
            ranked.select_nth_unstable(room);
        }
        let victims: Vec<(Key, HalfKey)> =
            ranked.into_iter().take(room).map(|(_, near, key)| (near.clone(), key.clone())).collect();
        let mut gone = 0;
        for (near, key) in &victims {
            let Some(node) = self.nodes.get_mut(near) else { continue };
            gone += usize::from(node.remove(key).is_some());
            if node.is_empty() {
                self.nodes.remove(near);
            }
        }
        self.halves -= gone;
        gone as u64
    }
}
