//! Keyed state, timers and what detectors learned as a snapshot, and back.
//!
//! Slots are numbered anew; what is told ahead is not kept. Must never keep what depends on the process that ran.

use std::cell::RefCell;

use model::{Evidence, Malformed, from_snapshot, to_snapshot};
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize, Serializer};

use super::engine::Correlations;
use super::handles::Handle;
use super::health::Known;
use super::keys::{Entry, Keys, SlotId};
use super::watching::earlier;

/// What outlives the process.
#[derive(Serialize, Deserialize)]
struct Saved {
    /// By node and key; a handle is the place of its event.
    entries: Vec<u8>,
    /// Events of windows with their places in the order in which they were applied, as the entries name them.
    events: Vec<(Evidence, u64)>,
    /// Due times with the place of their entry.
    timers: Vec<(i64, usize)>,
    applied: u64,
    now: i64,
    keyless: u64,
    health: Known,
    /// By number.
    detectors: Vec<Vec<u8>>,
}

/// The entries of these slots, one after the other; events are numbered in the order in which entries name them.
struct Entries<'k> {
    keys: &'k Keys,
    slots: &'k [SlotId],
    events: RefCell<Numbered>,
}

#[derive(Default)]
struct Numbered {
    places: FxHashMap<Handle, Handle>,
    events: Vec<Handle>,
}

impl Numbered {
    fn number(&mut self, handle: &mut Handle) {
        let next = self.events.len() as Handle;
        let place = *self.places.entry(*handle).or_insert(next);
        if place == next {
            self.events.push(*handle);
        }
        *handle = place;
    }
}

impl Serialize for Entries<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(self.slots.iter().map(|slot| {
            let mut entry = self.keys.entry(*slot).cloned();
            let states = entry.iter_mut().map(|entry| &mut entry.state);
            states.for_each(|state| state.handles(&mut |handle| self.events.borrow_mut().number(handle)));
            entry
        }))
    }
}

impl Correlations {
    pub(super) fn save(&self) -> Result<Vec<u8>, Malformed> {
        let slots = self.keys.taken();
        let mut places = vec![None; slots.iter().max().map_or(0, |last| *last as usize + 1)];
        for (place, slot) in slots.iter().enumerate() {
            if let Some(known) = places.get_mut(*slot as usize) {
                *known = Some(place);
            }
        }
        // A timer whose key was given up finds nothing when it is due.
        let place = |slot: SlotId| places.get(slot as usize).copied().flatten();
        let timers = self.timers.iter().filter_map(|(due, slot)| Some((*due, place(*slot)?))).collect();
        let entries = Entries { keys: &self.keys, slots: &slots, events: RefCell::default() };
        let bytes = to_snapshot(&entries)?;
        let events = entries.events.into_inner().events;
        to_snapshot(&Saved {
            entries: bytes,
            events: events.into_iter().map(|of| (self.handles.evidence(of), self.handles.number(of))).collect(),
            timers,
            applied: self.applied,
            now: self.now,
            keyless: self.keyless,
            health: self.health.known.clone(),
            detectors: self.detectors.iter().map(|detector| detector.snapshot()).collect::<Result<_, _>>()?,
        })
    }

    pub(super) fn load(&mut self, snapshot: &[u8]) -> Result<(), Malformed> {
        let saved: Saved = from_snapshot(snapshot)?;
        let mut add = |(of, number): &(Evidence, u64)| self.handles.add(&of.id, of.sha256, *number);
        let handles: Vec<Handle> = saved.events.iter().map(&mut add).collect();
        let mut slots: Vec<Option<SlotId>> = Vec::new();
        for entry in from_snapshot::<Vec<Option<Entry>>>(&saved.entries)? {
            slots.push(entry.map(|mut entry| {
                entry.state.handles(&mut |handle| {
                    *handle = handles.get(*handle as usize).copied().unwrap_or(super::handles::NONE);
                });
                self.keys.put_back(entry)
            }));
        }
        let timer = |(due, place): (i64, usize)| Some((due, slots.get(place).copied().flatten()?));
        self.timers = saved.timers.into_iter().filter_map(timer).collect();
        (self.applied, self.now, self.keyless) = (saved.applied, saved.now, saved.keyless);
        self.health.restore(saved.health);
        self.keys.expire(saved.now);
        self.detectors.iter_mut().zip(&saved.detectors).try_for_each(|(detector, of)| detector.restore(of))?;
        self.closes = self.detectors.iter().fold(None, |closes, of| earlier(closes, Some(of)));
        Ok(())
    }
}
