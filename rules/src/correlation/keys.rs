//! Keyed state of all correlations of a lane: (node, key) → what its window holds; bounded, expiring.
//!
//! Limits are per virtual shard. A full shard gives up a sixteenth of its keys at once: those with the fewest steps matched,
//! among them those of the principal that holds the most, then those that were fed longest ago. So a flood of first steps
//! costs its own author's keys. Must never give a key up without counting it.

use std::collections::BTreeMap;
use std::hash::BuildHasher;
use std::hint::black_box;

use model::VIRTUAL_SHARDS;
use rustc_hash::{FxBuildHasher, FxHashMap};
use serde::{Deserialize, Serialize};

use super::index::Index;
use super::short::Short;
use super::state::State;

/// Number of a slot. Never leaves the process: a restored table numbers its slots anew.
pub(super) type SlotId = u32;

/// One key with its state: two lines of the processor's cache that lie side by side.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[repr(C, align(128))]
pub(super) struct Entry {
    pub(super) node: u32,
    /// Hash of who fed it last.
    pub(super) principal: u32,
    /// How often the slot was given away: tells an entry from the one that had its slot before.
    #[serde(skip)]
    given: u32,
    /// When it was fed last, in event time.
    pub(super) fed_at: i64,
    /// Nothing in it counts any more from here on.
    expires: i64,
    pub(super) key: Short,
    pub(super) state: State,
}

const _: () = assert!(size_of::<Entry>() == 128);

/// The node of a slot that is free.
const VACANT: u32 = u32::MAX;

impl Entry {
    fn new(node: u32, key: &str, state: State, given: u32) -> Entry {
        Entry { node, principal: 0, given, fed_at: i64::MIN, expires: i64::MIN, key: key.into(), state }
    }

    /// Nobody has the slot any more. What stands in it is left there, what stands elsewhere is given back.
    fn vacate(&mut self) {
        (self.node, self.given) = (VACANT, self.given.wrapping_add(1));
        if let Short::Elsewhere(_) = self.key {
            self.key = Short::default();
        }
        if !self.state.is_here() {
            self.state = State::default();
        }
    }
}

/// A key with the hash of its text, which all nodes that group by the same fields share.
#[derive(Debug, Clone, Copy)]
pub(super) struct Key<'k> {
    pub(super) text: &'k str,
    pub(super) hash: u64,
}

impl<'k> From<&'k str> for Key<'k> {
    fn from(text: &'k str) -> Key<'k> {
        Key { text, hash: FxBuildHasher.hash_one(text) }
    }
}

impl Key<'_> {
    /// Of the key under a node: every bit counts.
    pub(super) fn hash_of(&self, node: u32) -> u64 {
        let mixed = u128::from(self.hash ^ u64::from(node).wrapping_mul(0x9e37_79b9_7f4a_7c15)) * 0xd6e8_feb8_6659_fd93;
        (mixed >> 64) as u64 ^ mixed as u64
    }
}

fn shard_of(hash: u64) -> usize {
    hash as usize % VIRTUAL_SHARDS
}

/// See the module.
#[derive(Debug)]
pub(super) struct Keys {
    chunks: Vec<Box<[Entry]>>,
    /// Slots that were ever taken.
    used: usize,
    free: Vec<SlotId>,
    shards: Vec<Index>,
    /// Slots by the time at which they are looked at again. An entry that is gone leaves its line behind.
    agenda: BTreeMap<i64, Vec<(SlotId, u32)>>,
    stale: usize,
    shard_max: usize,
    evicted: u64,
    /// What expired before it is gone, whether it has been looked at again or not.
    now: i64,
}

/// Expiry is looked at in steps of a 64th of the time for which a key counts, and of no less than this: a power of two.
const STEP_MS: i64 = 1_024;

/// Slots are made so many at a time; a power of two.
const CHUNK: usize = 1_024;

impl Keys {
    pub(super) fn new(keys_max: usize) -> Keys {
        Keys {
            chunks: Vec::new(),
            used: 0,
            free: Vec::new(),
            shards: (0..VIRTUAL_SHARDS).map(|_| Index::default()).collect(),
            agenda: BTreeMap::new(),
            stale: 0,
            shard_max: keys_max.div_ceil(VIRTUAL_SHARDS).max(1),
            evicted: 0,
            now: i64::MIN,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.used - self.free.len()
    }

    /// Keys given up because a shard was full.
    pub(super) fn evicted(&self) -> u64 {
        self.evicted
    }

    fn find(&self, hash: u64, node: u32, key: &str) -> Option<SlotId> {
        let is = |slot| self.place(slot).is_some_and(|entry| entry.node == node && entry.key == *key);
        self.shards.get(shard_of(hash))?.find(hash, is)
    }

    fn place(&self, slot: SlotId) -> Option<&Entry> {
        self.chunks.get(slot as usize / CHUNK)?.get(slot as usize % CHUNK)
    }

    fn place_mut(&mut self, slot: SlotId) -> Option<&mut Entry> {
        self.chunks.get_mut(slot as usize / CHUNK)?.get_mut(slot as usize % CHUNK)
    }

    pub(super) fn entry(&self, slot: SlotId) -> Option<&Entry> {
        self.place(slot).filter(|entry| entry.node != VACANT)
    }

    pub(super) fn entry_mut(&mut self, slot: SlotId) -> Option<&mut Entry> {
        self.place_mut(slot).filter(|entry| entry.node != VACANT)
    }

    /// Brings the slots of some keys near that will be worked on soon: first the words of the index, which say where they
    /// are, then the slots, then what their states keep elsewhere. Each is a place of memory that no cache may have, so each
    /// time all of them are on their way at once, and no branch hangs on one: had it been guessed wrong, the others would
    /// wait. `keys`: by [`Key::hash_of`]; used up.
    pub(super) fn come_near(&self, keys: &mut Vec<u64>) {
        let shard = |hash: u64| self.shards.get(shard_of(hash));
        black_box(keys.iter().fold(0, |sum, hash| sum ^ shard(*hash).map_or(0, |shard| shard.glance(*hash))));
        keys.retain_mut(|hash| {
            let slot = shard(*hash).and_then(|shard| shard.find(*hash, |_| true));
            *hash = u64::from(slot.unwrap_or_default());
            slot.is_some()
        });
        black_box(keys.iter().fold(0, |sum, slot| sum ^ self.glance(*slot as SlotId)));
        let state = |slot: &u64| self.place(*slot as SlotId).map(|entry| &entry.state);
        keys.retain(|slot| state(slot).is_some_and(|state| !state.is_here()));
        black_box(keys.iter().filter_map(state).fold(0, |sum, state| sum ^ state.glance()));
    }

    /// A number out of each line of a slot's entry: brings both near.
    fn glance(&self, slot: SlotId) -> u32 {
        self.place(slot).map_or(0, |entry| entry.principal ^ u32::from(entry.state.is_here()))
    }

    /// A key, where it has state.
    pub(super) fn get(&self, node: u32, key: Key<'_>) -> Option<&Entry> {
        let entry = self.entry(self.find(key.hash_of(node), node, key.text)?)?;
        (entry.expires >= self.now).then_some(entry)
    }

    /// The state of a key, where it has one.
    pub(super) fn get_mut(&mut self, node: u32, key: Key<'_>) -> Option<&mut Entry> {
        let slot = self.find(key.hash_of(node), node, key.text)?;
        let now = self.now;
        self.entry_mut(slot).filter(|entry| entry.expires >= now)
    }

    /// The slot of a key, which counts until a time at least (so long after what feeds it); a new one, or one that is
    /// over, starts with `make`.
    pub(super) fn slot(
        &mut self,
        node: u32,
        key: Key<'_>,
        (until, kept_ms): (i64, i64),
        make: impl FnOnce() -> State,
    ) -> SlotId {
        let hash = key.hash_of(node);
        let Some(slot) = self.find(hash, node, key.text) else {
            return self.taken_for(hash, (node, key.text), (until, kept_ms), make());
        };
        let now = self.now;
        if let Some(entry) = self.entry_mut(slot) {
            if entry.expires < now {
                entry.state = make();
            }
            entry.expires = entry.expires.max(until);
        }
        slot
    }

    /// A slot for a key that has none.
    fn taken_for(&mut self, hash: u64, (node, key): (u32, &str), (until, kept_ms): (i64, i64), state: State) -> SlotId {
        if self.shards.get(shard_of(hash)).is_some_and(|shard| shard.len() >= self.shard_max) {
            self.make_room(shard_of(hash));
        }
        let slot = self.free.pop().unwrap_or_else(|| self.vacant());
        if let Some(place) = self.place_mut(slot) {
            *place = Entry { expires: until, ..Entry::new(node, key, state, place.given) };
        }
        if let Some(shard) = self.shards.get_mut(shard_of(hash)) {
            shard.insert(hash, slot);
        }
        self.look_again(slot, until, kept_ms);
        slot
    }

    /// A slot that nobody had yet.
    fn vacant(&mut self) -> SlotId {
        if self.used == self.chunks.len() * CHUNK {
            self.chunks.push(vec![Entry::new(VACANT, "", State::default(), 0); CHUNK].into());
        }
        self.used += 1;
        (self.used - 1) as SlotId
    }

    /// The key counts until a time at least.
    pub(super) fn keep_until(&mut self, slot: SlotId, time: i64) {
        if let Some(entry) = self.entry_mut(slot) {
            entry.expires = entry.expires.max(time);
        }
    }

    fn look_again(&mut self, slot: SlotId, time: i64, kept_ms: i64) {
        let given = self.place(slot).map_or(0, |entry| entry.given);
        let step = ((kept_ms / 64).clamp(STEP_MS, 1 << 40) as u64).next_power_of_two() as i64;
        let step = time.div_euclid(step).saturating_add(1).saturating_mul(step / STEP_MS);
        self.agenda.entry(step).or_default().push((slot, given));
    }

    fn is_current(&self, slot: SlotId, given: u32) -> bool {
        self.entry(slot).is_some_and(|entry| entry.given == given)
    }

    /// Drops the keys that expired before a time.
    pub(super) fn expire(&mut self, now: i64) {
        self.now = self.now.max(now);
        let step = now.div_euclid(STEP_MS);
        while let Some(first) = self.agenda.first_entry()
            && *first.key() < step
        {
            for (slot, given) in first.remove() {
                match self.entry(slot).map(|entry| entry.expires) {
                    Some(expires) if self.is_current(slot, given) => {
                        if expires < now {
                            self.remove(slot);
                        } else {
                            self.look_again(slot, expires, expires.saturating_sub(now));
                        }
                    }
                    _ => self.stale = self.stale.saturating_sub(1),
                }
            }
        }
    }

    fn remove(&mut self, slot: SlotId) {
        let Some(entry) = self.entry_mut(slot) else { return };
        let hash = Key::from(entry.key.as_str()).hash_of(entry.node);
        entry.vacate();
        if let Some(shard) = self.shards.get_mut(shard_of(hash)) {
            shard.remove(hash, slot);
        }
        self.free.push(slot);
    }

    fn make_room(&mut self, at: usize) {
        let Some(shard) = self.shards.get(at) else { return };
        let mut of_principal: FxHashMap<u32, usize> = FxHashMap::default();
        let entries: Vec<(SlotId, &Entry)> = shard.slots().filter_map(|slot| Some((slot, self.entry(slot)?))).collect();
        let over: Vec<SlotId> =
            entries.iter().filter(|(_, entry)| entry.expires < self.now).map(|(slot, _)| *slot).collect();
        if !over.is_empty() {
            self.stale += over.len();
            return over.into_iter().for_each(|slot| self.remove(slot));
        }
        entries.iter().for_each(|(_, entry)| *of_principal.entry(entry.principal).or_default() += 1);
        let rank = |entry: &Entry| {
            let held = of_principal.get(&entry.principal).copied().unwrap_or(0);
            (entry.state.steps(), std::cmp::Reverse(held), entry.fed_at)
        };
        let mut ranked: Vec<_> = entries.into_iter().map(|(slot, entry)| (rank(entry), slot)).collect();
        let room = (self.shard_max / 16).max(1).min(ranked.len());
        let in_order =
            |(a, x): &(_, SlotId), (b, y): &(_, SlotId)| Ord::cmp(a, b).then_with(|| self.name(*x).cmp(&self.name(*y)));
        if room < ranked.len() {
            ranked.select_nth_unstable_by(room, in_order);
        }
        let victims: Vec<SlotId> = ranked.into_iter().take(room).map(|(_, slot)| slot).collect();
        self.evicted += victims.len() as u64;
        self.stale += victims.len();
        victims.into_iter().for_each(|slot| self.remove(slot));
        if self.stale > self.len() + 1_024 {
            let mut agenda = std::mem::take(&mut self.agenda);
            agenda.values_mut().for_each(|slots| slots.retain(|(slot, given)| self.is_current(*slot, *given)));
            agenda.retain(|_, slots| !slots.is_empty());
            self.agenda = agenda;
            self.stale = 0;
        }
    }

    /// Some entries from a slot on, to be looked through; gives the slot behind them, or None behind the last.
    pub(super) fn look_through(
        &mut self,
        from: usize,
        count: usize,
        look: &mut dyn FnMut(&mut State),
    ) -> Option<usize> {
        let until = (from + count).min(self.used);
        // What they keep elsewhere comes from memory all at once.
        let states = (from..until).filter_map(|slot| self.entry(slot as SlotId)).map(|entry| &entry.state);
        black_box(states.fold(0, |sum, state| sum ^ state.glance()));
        for slot in from..until {
            self.entry_mut(slot as SlotId).into_iter().for_each(|entry| look(&mut entry.state));
        }
        (until < self.used).then_some(until)
    }

    /// The slots that are taken, by node and key: the same state gives the same order, however it came about.
    pub(super) fn taken(&self) -> Vec<SlotId> {
        let counts = |slot: &SlotId| self.entry(*slot).is_some_and(|entry| entry.expires >= self.now);
        let mut slots: Vec<SlotId> = self.shards.iter().flat_map(Index::slots).filter(counts).collect();
        slots.sort_by(|a, b| self.name(*a).cmp(&self.name(*b)));
        slots
    }

    /// The slots of some nodes, in no particular order.
    pub(super) fn slots_of(&self, is_one: impl Fn(u32) -> bool) -> Vec<SlotId> {
        let counts = |entry: &Entry| is_one(entry.node) && entry.expires >= self.now;
        let slots = self.shards.iter().flat_map(Index::slots);
        slots.filter(|slot| self.entry(*slot).is_some_and(counts)).collect()
    }

    /// Puts back an entry of a snapshot, and says in which slot it stands now.
    pub(super) fn put_back(&mut self, entry: Entry) -> SlotId {
        let Entry { node, principal, fed_at, expires, key, state, .. } = entry;
        let kept_ms = if fed_at == i64::MIN { 0 } else { expires.saturating_sub(fed_at) };
        let slot = self.slot(node, key.as_str().into(), (expires, kept_ms), || state);
        if let Some(known) = self.entry_mut(slot) {
            (known.principal, known.fed_at) = (principal, fed_at);
        }
        slot
    }

    /// Node and key of a slot: the order of what is worked on at one time.
    pub(super) fn name(&self, slot: SlotId) -> (u32, &str) {
        self.entry(slot).map_or((0, ""), |entry| (entry.node, entry.key.as_str()))
    }
}
