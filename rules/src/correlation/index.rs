//! Where keys stand, by hash: open addressing, eight bytes a key, one place of memory looked at for a key that is known.
//!
//! A word holds 32 bits of the hash and a slot. Growing and removing need nothing but the words. Must never take equal bits
//! for equal keys: who asks compares.

use super::keys::SlotId;

/// See the module. Empty words are 0.
#[derive(Debug, Default)]
pub(super) struct Index {
    words: Box<[u64]>,
    len: usize,
}

fn tag_of(word: u64) -> u64 {
    word >> 32
}

fn slot_of(word: u64) -> SlotId {
    (word as u32).wrapping_sub(1)
}

fn word(hash: u64, slot: SlotId) -> u64 {
    hash >> 32 << 32 | u64::from(slot.wrapping_add(1))
}

impl Index {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    fn mask(&self) -> usize {
        self.words.len().wrapping_sub(1)
    }

    fn home(&self, word: u64) -> usize {
        tag_of(word) as usize & self.mask()
    }

    /// The word at which [`Index::find`] looks first: brings it near.
    pub(super) fn glance(&self, hash: u64) -> u64 {
        self.words.get((hash >> 32) as usize & self.mask()).copied().unwrap_or(0)
    }

    /// The slot of a hash that `is` says yes to.
    pub(super) fn find(&self, hash: u64, is: impl Fn(SlotId) -> bool) -> Option<SlotId> {
        let mut at = (hash >> 32) as usize & self.mask();
        loop {
            let word = *self.words.get(at)?;
            if word == 0 {
                return None;
            }
            if tag_of(word) == hash >> 32 && is(slot_of(word)) {
                return Some(slot_of(word));
            }
            at = (at + 1) & self.mask();
        }
    }

    /// Adds a slot that is not in it.
    pub(super) fn insert(&mut self, hash: u64, slot: SlotId) {
        if (self.len + 1) * 4 > self.words.len() * 3 {
            let room = (self.words.len() * 2).max(8);
            let words = std::mem::replace(&mut self.words, vec![0; room].into());
            words.into_iter().filter(|word| *word != 0).for_each(|word| self.put(word));
        }
        self.put(word(hash, slot));
        self.len += 1;
    }

    fn put(&mut self, word: u64) {
        let mut at = self.home(word);
        while let Some(place) = self.words.get_mut(at) {
            if *place == 0 {
                *place = word;
                return;
            }
            at = (at + 1) & self.mask();
        }
    }

    /// Removes a slot. What stands behind it moves up, so that no search ends too early.
    pub(super) fn remove(&mut self, hash: u64, slot: SlotId) {
        let wanted = word(hash, slot);
        let mut hole = self.home(wanted);
        while let Some(word) = self.words.get(hole) {
            match *word {
                0 => return,
                word if word == wanted => break,
                _ => hole = (hole + 1) & self.mask(),
            }
        }
        let mut at = hole;
        loop {
            at = (at + 1) & self.mask();
            let Some(&word) = self.words.get(at) else { return };
            if word == 0 {
                break;
            }
            // It may move to the hole unless its home lies behind it.
            if at.wrapping_sub(self.home(word)) & self.mask() >= at.wrapping_sub(hole) & self.mask() {
                if let Some(place) = self.words.get_mut(hole) {
                    *place = word;
                }
                hole = at;
            }
        }
        if let Some(place) = self.words.get_mut(hole) {
            *place = 0;
            self.len -= 1;
        }
    }

    pub(super) fn slots(&self) -> impl Iterator<Item = SlotId> {
        self.words.iter().filter(|word| **word != 0).map(|word| slot_of(*word))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn it_knows_what_a_map_knows() {
        let (mut index, mut map, mut random) = (Index::default(), BTreeMap::new(), 1u64);
        for round in 0..200_000 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            // Few hashes, many of them equal in the bits that count, and phases in which more comes than goes.
            let (slot, adds) = ((random >> 33) as u32 % 700, (random >> 20) % 8 < 3 + round / 20_000 % 3);
            let hash = u64::from(slot / 3) << 32;
            assert_eq!(index.find(hash, |of| of == slot).is_some(), map.contains_key(&slot));
            if adds && map.insert(slot, hash).is_none() {
                index.insert(hash, slot);
            } else if !adds && map.remove(&slot).is_some() {
                index.remove(hash, slot);
            }
            assert_eq!(index.len(), map.len());
        }
        let mut slots: Vec<SlotId> = index.slots().collect();
        slots.sort_unstable();
        assert_eq!(slots, map.keys().copied().collect::<Vec<_>>());
    }
}
