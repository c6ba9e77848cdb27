//! Keyed state, timers and what detectors learned as a snapshot, and back.
//!
//! Slots are numbered anew; what is told ahead is not kept. Must never keep what depends on the process that ran.

use model::{Malformed, from_snapshot, to_snapshot};
use serde::{Deserialize, Serialize};

use super::engine::Correlations;
use super::health::Known;
use super::keys::{Entry, SlotId};

/// What outlives the process.
#[derive(Serialize, Deserialize)]
struct Saved<E> {
    /// By node and key.
    entries: Vec<E>,
    /// Due times with the place of their entry.
    timers: Vec<(i64, usize)>,
    applied: u64,
    now: i64,
    keyless: u64,
    health: Known,
    /// By number.
    detectors: Vec<Vec<u8>>,
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
        to_snapshot(&Saved {
            entries: slots.iter().filter_map(|slot| self.keys.entry(*slot)).collect(),
            timers,
            applied: self.applied,
            now: self.now,
            keyless: self.keyless,
            health: self.health.known.clone(),
            detectors: self.detectors.iter().map(|detector| detector.snapshot()).collect::<Result<_, _>>()?,
        })
    }

    pub(super) fn load(&mut self, snapshot: &[u8]) -> Result<(), Malformed> {
        let saved: Saved<Entry> = from_snapshot(snapshot)?;
        let slots: Vec<SlotId> = saved.entries.into_iter().map(|entry| self.keys.put_back(entry)).collect();
        let timer = |(due, place): (i64, usize)| Some((due, *slots.get(place)?));
        self.timers = saved.timers.into_iter().filter_map(timer).collect();
        (self.applied, self.now, self.keyless) = (saved.applied, saved.now, saved.keyless);
        self.health.restore(saved.health);
        self.detectors.iter_mut().zip(&saved.detectors).try_for_each(|(detector, of)| detector.restore(of))
    }
}
