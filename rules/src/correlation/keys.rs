//! Keyed state of all correlations of a lane: (node, key) → what its window holds; bounded, expiring.
//!
//! Limits are per virtual shard. A full shard gives up a sixteenth of its keys at once: those with the fewest steps matched,
//! among them those of the principal that holds the most, then those that were fed longest ago. So a flood of first steps
//! costs its own author's keys. Must never give a key up without counting it.

use std::collections::BTreeMap;
use std::hash::BuildHasher;

use hashbrown::HashTable;
use model::VIRTUAL_SHARDS;
use rustc_hash::{FxBuildHasher, FxHashMap};
use serde::{Deserialize, Serialize};

use super::state::State;

/// Number of a slot. Never leaves the process: a restored table numbers its slots anew.
pub(super) type SlotId = u32;

/// One key with its state.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Entry {
    pub(super) node: u32,
    pub(super) key: Box<str>,
    pub(super) state: State,
    /// Hash of who fed it last.
    pub(super) principal: u32,
    /// When it was fed last, in event time.
    pub(super) fed_at: i64,
    /// Nothing in it counts any more from here on.
    expires: i64,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Keys {
    slots: Vec<Option<Entry>>,
    /// How often each slot was given away: tells an entry from the one that had its slot before.
    given: Vec<u32>,
    free: Vec<SlotId>,
    shards: Vec<HashTable<SlotId>>,
    /// Slots by the time at which they are looked at again. An entry that is gone leaves its line behind.
    agenda: BTreeMap<i64, Vec<(SlotId, u32)>>,
    stale: usize,
    shard_max: usize,
    evicted: u64,
}

/// Expiry is looked at in steps of so many milliseconds.
const STEP_MS: i64 = 1_024;

fn hash_of(node: u32, key: &str) -> u64 {
    FxBuildHasher.hash_one((node, key))
}

fn shard_of(hash: u64) -> usize {
    (hash >> 40) as usize % VIRTUAL_SHARDS
}

impl Keys {
    pub(super) fn new(keys_max: usize) -> Keys {
        Keys {
            slots: Vec::new(),
            given: Vec::new(),
            free: Vec::new(),
            shards: (0..VIRTUAL_SHARDS).map(|_| HashTable::new()).collect(),
            agenda: BTreeMap::new(),
            stale: 0,
            shard_max: keys_max.div_ceil(VIRTUAL_SHARDS).max(1),
            evicted: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// Keys given up because a shard was full.
    pub(super) fn evicted(&self) -> u64 {
        self.evicted
    }

    fn find(&self, node: u32, key: &str) -> Option<SlotId> {
        let hash = hash_of(node, key);
        let shard = self.shards.get(shard_of(hash))?;
        shard.find(hash, |&slot| self.is(slot, node, key)).copied()
    }

    fn is(&self, slot: SlotId, node: u32, key: &str) -> bool {
        self.entry(slot).is_some_and(|entry| entry.node == node && *entry.key == *key)
    }

    pub(super) fn entry(&self, slot: SlotId) -> Option<&Entry> {
        self.slots.get(slot as usize)?.as_ref()
    }

    pub(super) fn entry_mut(&mut self, slot: SlotId) -> Option<&mut Entry> {
        self.slots.get_mut(slot as usize)?.as_mut()
    }

    /// A key, where it has state.
    pub(super) fn get(&self, node: u32, key: &str) -> Option<&Entry> {
        self.entry(self.find(node, key)?)
    }

    /// The state of a key, where it has one.
    pub(super) fn get_mut(&mut self, node: u32, key: &str) -> Option<&mut Entry> {
        let slot = self.find(node, key)?;
        self.entry_mut(slot)
    }

    /// The slot of a key; a new one starts with `make`.
    pub(super) fn slot(&mut self, node: u32, key: &str, make: impl FnOnce() -> State) -> SlotId {
        if let Some(slot) = self.find(node, key) {
            return slot;
        }
        let hash = hash_of(node, key);
        let at = shard_of(hash);
        if self.shards.get(at).is_some_and(|shard| shard.len() >= self.shard_max) {
            self.make_room(at);
        }
        let entry = Entry { node, key: key.into(), state: make(), principal: 0, fed_at: i64::MIN, expires: i64::MIN };
        let slot = match self.free.pop() {
            Some(slot) => slot,
            None => {
                self.slots.push(None);
                self.given.push(0);
                (self.slots.len() - 1) as SlotId
            }
        };
        if let Some(place) = self.slots.get_mut(slot as usize) {
            *place = Some(entry);
        }
        let Keys { slots, shards, .. } = self;
        if let Some(shard) = shards.get_mut(at) {
            shard.insert_unique(hash, slot, |&slot| rehash(slots, slot));
        }
        slot
    }

    /// The key counts until a time at least.
    pub(super) fn keep_until(&mut self, slot: SlotId, time: i64) {
        let Some(entry) = self.entry_mut(slot) else { return };
        let is_new = entry.expires == i64::MIN;
        entry.expires = entry.expires.max(time);
        if is_new {
            self.look_again(slot, time);
        }
    }

    fn look_again(&mut self, slot: SlotId, time: i64) {
        let given = self.given.get(slot as usize).copied().unwrap_or(0);
        self.agenda.entry(time.div_euclid(STEP_MS).saturating_add(1)).or_default().push((slot, given));
    }

    fn is_current(&self, slot: SlotId, given: u32) -> bool {
        self.given.get(slot as usize) == Some(&given) && self.entry(slot).is_some()
    }

    /// Drops the keys that expired before a time.
    pub(super) fn expire(&mut self, now: i64) {
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
                            self.look_again(slot, expires);
                        }
                    }
                    _ => self.stale = self.stale.saturating_sub(1),
                }
            }
        }
    }

    fn remove(&mut self, slot: SlotId) {
        let Some(entry) = self.slots.get_mut(slot as usize).and_then(Option::take) else { return };
        let hash = hash_of(entry.node, &entry.key);
        if let Some(shard) = self.shards.get_mut(shard_of(hash))
            && let Ok(found) = shard.find_entry(hash, |&known| known == slot)
        {
            found.remove();
        }
        if let Some(given) = self.given.get_mut(slot as usize) {
            *given = given.wrapping_add(1);
        }
        self.free.push(slot);
    }

    fn make_room(&mut self, at: usize) {
        let Some(shard) = self.shards.get(at) else { return };
        let mut of_principal: FxHashMap<u32, usize> = FxHashMap::default();
        let entries: Vec<(SlotId, &Entry)> = shard.iter().filter_map(|&slot| Some((slot, self.entry(slot)?))).collect();
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

    /// The slots that are taken, by node and key: the same state gives the same order, however it came about.
    pub(super) fn taken(&self) -> Vec<SlotId> {
        let mut slots: Vec<SlotId> = self.shards.iter().flatten().copied().collect();
        slots.sort_by(|a, b| self.name(*a).cmp(&self.name(*b)));
        slots
    }

    /// The slots of some nodes, in no particular order.
    pub(super) fn slots_of(&self, is_one: impl Fn(u32) -> bool) -> Vec<SlotId> {
        let slots = self.shards.iter().flatten().copied();
        slots.filter(|slot| self.entry(*slot).is_some_and(|entry| is_one(entry.node))).collect()
    }

    /// Puts back an entry of a snapshot, and says in which slot it stands now.
    pub(super) fn put_back(&mut self, entry: Entry) -> SlotId {
        let (expires, principal, fed_at) = (entry.expires, entry.principal, entry.fed_at);
        let slot = self.slot(entry.node, &entry.key, || entry.state);
        self.keep_until(slot, expires);
        if let Some(known) = self.entry_mut(slot) {
            (known.principal, known.fed_at) = (principal, fed_at);
        }
        slot
    }

    /// Node and key of a slot: the order of what is worked on at one time.
    pub(super) fn name(&self, slot: SlotId) -> (u32, &str) {
        self.entry(slot).map_or((0, ""), |entry| (entry.node, &entry.key))
    }
}

fn rehash(slots: &[Option<Entry>], slot: SlotId) -> u64 {
    slots.get(slot as usize).and_then(Option::as_ref).map_or(0, |entry| hash_of(entry.node, &entry.key))
}
