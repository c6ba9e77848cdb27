//! Edges under both of their ends, spread over virtual shards; bounded.
//!
//! A half stands in the shard of its near key and is given up alone, so that shards can live on different workers. A full
//! shard gives up a sixteenth of its halves at once: those that were last seen longest ago, in the order of their keys where
//! that is equal. Edges of packages have a limit of their own: one bill of materials tells of thousands, and must not push out
//! where artifacts came from. Must never give one up without counting it, nor keep anything that depends on the order of events.

use std::collections::{BTreeMap, BTreeSet};
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

/// Dead edges are kept so long: whoever asks may be behind those who fill the table.
const GRACE_MS: i64 = DAY_MS;

/// When an edge was seen, and what is its evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Half {
    pub(super) first: Arc<Seen>,
    pub(super) last: Arc<Seen>,
    /// The edge as it was before it was gone, for those who ask about then.
    pub(super) before: Option<Box<Half>>,
}

impl Half {
    fn new(seen: &Arc<Seen>) -> Half {
        Half { first: seen.clone(), last: seen.clone(), before: None }
    }

    /// The edge as it was known by a time, where it had not expired then.
    fn by(&self, (near, far): (Kind, Kind), as_of: Timestamp, now: Timestamp) -> Option<&Half> {
        let then = if self.first.time <= as_of { self } else { self.before.as_deref()? };
        (then.first.time <= as_of && then.lives(near, far, as_of.min(now))).then_some(then)
    }

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
    /// Halves of each budget.
    halves: [usize; 2],
}

/// See the module.
#[derive(Debug)]
pub(super) struct Halves {
    shards: Vec<Shard>,
    /// Of each budget.
    shard_max: [usize; 2],
    /// Near keys of these kinds, in order: found without looking through the table.
    listed: BTreeSet<Key>,
    /// Edges that have not been seen for their time to live before it are gone.
    now: Timestamp,
    swept_day: i64,
    evicted: [u64; 2],
}

/// Kinds of which every key is asked for.
fn is_listed(kind: Kind) -> bool {
    matches!(kind, Kind::Purl | Kind::Service)
}

/// Number of an edge's budget: those of packages have the second.
fn budget(near: &Key, half: &HalfKey) -> usize {
    usize::from(near.kind == Kind::Purl || half.far.kind == Kind::Purl)
}

fn shard_of(key: &Key) -> usize {
    (FxBuildHasher.hash_one(key) >> 32) as usize % VIRTUAL_SHARDS
}

impl Halves {
    /// `halves_max`: of packages the second, of everything else the first.
    pub(super) fn new(halves_max: [usize; 2]) -> Halves {
        Halves {
            shards: (0..VIRTUAL_SHARDS).map(|_| Shard::default()).collect(),
            shard_max: halves_max.map(|max| max.div_ceil(VIRTUAL_SHARDS).max(1)),
            listed: BTreeSet::new(),
            now: Timestamp::MIN,
            swept_day: i64::MIN,
            evicted: [0; 2],
        }
    }

    pub(super) fn len(&self) -> usize {
        self.shards.iter().flat_map(|shard| shard.halves).sum()
    }

    /// Of each budget.
    pub(super) fn evicted(&self) -> [u64; 2] {
        self.evicted
    }

    /// Event time has come so far. What is dead is dropped once a day.
    pub(super) fn advance(&mut self, now: Timestamp) {
        self.now = self.now.max(now);
        let (now, day) = (self.now, self.now.ms().div_euclid(DAY_MS));
        if day > self.swept_day {
            self.swept_day = day;
            let Halves { shards, listed, .. } = self;
            shards.iter_mut().for_each(|shard| shard.sweep(now, listed));
        }
    }

    /// The edge was seen from its near end.
    pub(super) fn put(&mut self, near: &Key, key: HalfKey, seen: &Arc<Seen>) {
        let Halves { shards, shard_max, now, evicted, listed, .. } = self;
        let budget = budget(near, &key);
        let Some(shard) = shards.get_mut(shard_of(near)) else { return };
        if let Some(half) = shard.nodes.get_mut(near).and_then(|node| node.get_mut(&key)) {
            if !half.lives(near.kind, key.far.kind, *now) {
                let gone = Half { before: None, ..half.clone() };
                *half = Half { before: Some(Box::new(gone)), ..Half::new(seen) };
            }
            if *seen < half.first {
                half.first = seen.clone();
            }
            if *seen > half.last {
                half.last = seen.clone();
            }
            return;
        }
        let half = Half::new(seen);
        if !half.lives(near.kind, key.far.kind, *now) {
            return;
        }
        let of = (shard_max.get(budget), evicted.get_mut(budget), shard.halves.get(budget));
        if let (Some(&max), Some(evicted), Some(&held)) = of
            && held >= max
        {
            *evicted += shard.make_room(budget, max, listed);
        }
        self.place(near.clone(), key, half);
    }

    /// The living halves of a key, in the order of their far ends.
    pub(super) fn of<'t>(&'t self, near: &Key) -> impl Iterator<Item = (&'t HalfKey, &'t Half)> {
        let (kind, now) = (near.kind, self.now);
        let node = self.shards.get(shard_of(near)).and_then(|shard| shard.nodes.get(near));
        node.into_iter().flatten().filter(move |(key, half)| half.lives(kind, key.far.kind, now))
    }

    /// Those of them that were seen by a time (inclusive).
    pub(super) fn by<'t>(&'t self, near: &Key, as_of: Timestamp) -> impl Iterator<Item = (&'t HalfKey, &'t Half)> {
        let (kind, now) = (near.kind, self.now);
        let node = self.shards.get(shard_of(near)).and_then(|shard| shard.nodes.get(near));
        let halves = node.into_iter().flatten();
        halves.filter_map(move |(key, half)| Some((key, half.by((kind, key.far.kind), as_of, now)?)))
    }

    /// Keys of packages and services from a text on, in order; dead ones among them.
    pub(super) fn listed(&self, kind: Kind, from: &str) -> impl Iterator<Item = &Key> {
        self.listed.range(Key::new(kind, from)..).take_while(move |key| key.kind == kind)
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

    /// Every half that is held, dead ones among them; what an edge was before stands before it.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&Key, &HalfKey, &Half)> {
        let nodes = self.shards.iter().flat_map(|shard| &shard.nodes);
        let halves = nodes.flat_map(|(near, node)| node.iter().map(move |(key, half)| (near, key, half)));
        halves.flat_map(|(near, key, half)| {
            half.before.as_deref().into_iter().chain([half]).map(move |of| (near, key, of))
        })
    }

    /// Puts a half where it belongs; one of an edge that is there is what the edge was before.
    pub(super) fn place(&mut self, near: Key, key: HalfKey, mut half: Half) {
        let Some(shard) = self.shards.get_mut(shard_of(&near)) else { return };
        let budget = budget(&near, &key);
        if is_listed(near.kind) && !shard.nodes.contains_key(&near) {
            self.listed.insert(near.clone());
        }
        let node = shard.nodes.entry(near).or_default();
        match node.remove(&key) {
            Some(before) => half.before = Some(Box::new(before)),
            None => shard.halves.iter_mut().skip(budget).take(1).for_each(|held| *held += 1),
        }
        node.insert(key, half);
    }

    /// Time, the day on which dead ones were dropped last, and how many were given up.
    pub(super) fn times(&self) -> (Timestamp, i64, [u64; 2]) {
        (self.now, self.swept_day, self.evicted)
    }

    pub(super) fn set_times(&mut self, (now, swept_day, evicted): (Timestamp, i64, [u64; 2])) {
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
    fn sweep(&mut self, now: Timestamp, listed: &mut BTreeSet<Key>) {
        let (mut halves, then) = ([0; 2], now.plus_ms(-GRACE_MS));
        self.nodes.retain(|near, node| {
            node.retain(|key, half| {
                half.before.take_if(|before| !before.lives(near.kind, key.far.kind, then));
                let lives = half.lives(near.kind, key.far.kind, then);
                halves.iter_mut().skip(budget(near, key)).take(1).for_each(|held| *held += usize::from(lives));
                lives
            });
            if node.is_empty() && is_listed(near.kind) {
                listed.remove(near);
            }
            !node.is_empty()
        });
        self.halves = halves;
    }

    /// Gives up a sixteenth of a budget, one half at least; returns how many.
    fn make_room(&mut self, of: usize, shard_max: usize, listed: &mut BTreeSet<Key>) -> u64 {
        let all = self.nodes.iter().flat_map(|(near, node)| node.iter().map(move |(key, half)| (near, key, half)));
        let mut ranked: Vec<(Timestamp, &Key, &HalfKey)> = all
            .filter(|(near, key, _)| budget(near, key) == of)
            .map(|(near, key, half)| (half.last.time, near, key))
            .collect();
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
                listed.remove(near);
            }
        }
        self.halves.iter_mut().skip(of).take(1).for_each(|held| *held -= gone);
        gone as u64
    }
}
