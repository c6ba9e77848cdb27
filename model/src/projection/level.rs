//! The keys of one level of a record, looked up for each key that a record has there.
//!
//! A key of at most 16 bytes is its first eight and its last eight: two numbers, read where the key stands in the record
//! and compared without a call. The keys are those that rules and formats ask for, never a record's, so nobody who writes
//! records can make them collide. Must never allocate when it is asked.

use super::Edge;

/// Keys and where they lead.
#[derive(Debug, Clone, Default)]
pub(super) struct Level {
    keys: Vec<Known>,
    /// Numbers of keys, from 1, at the places of their hashes or behind; 0 is none. A power of two, at least twice the keys.
    table: Vec<u32>,
}

#[derive(Debug, Clone)]
struct Known {
    key: Box<[u8]>,
    ends: Ends,
    edge: Edge,
}

/// A key's length, its first eight bytes and its last eight; zeros behind a shorter one, which has no last eight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Ends {
    len: usize,
    head: u64,
    tail: u64,
}

impl Ends {
    /// Those of the key in `record` from `start` to `end`.
    #[inline(always)]
    fn of(record: &[u8], start: usize, end: usize) -> Ends {
        let len = end - start;
        let head = word(record, start).unwrap_or_else(|| last_word(record, start));
        match len {
            0..8 => Ends { len, head: head & !(u64::MAX << (8 * len)), tail: 0 },
            _ => Ends { len, head, tail: word(record, end - 8).unwrap_or(0) },
        }
    }

    /// Multiplied by the golden ratio: the upper bits hang on all.
    #[inline]
    fn hash(self) -> u64 {
        (self.head ^ self.tail.rotate_left(23) ^ self.len as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
}

#[inline]
fn word(record: &[u8], at: usize) -> Option<u64> {
    record.get(at..).and_then(|rest| rest.first_chunk::<8>()).map(|bytes| u64::from_le_bytes(*bytes))
}

/// The same where fewer than eight bytes are left.
#[cold]
fn last_word(record: &[u8], at: usize) -> u64 {
    let left = record.get(at..).unwrap_or_default();
    left.iter().take(8).rev().fold(0, |word, &byte| word << 8 | u64::from(byte))
}

impl Level {
    /// Where the key in `record` from `start` to `end` leads.
    #[inline(always)]
    pub(super) fn edge(&self, record: &[u8], start: usize, end: usize) -> Option<&Edge> {
        self.find(record, start, end).map(|known| &known.edge)
    }

    #[inline(always)]
    fn find(&self, record: &[u8], start: usize, end: usize) -> Option<&Known> {
        let ends = Ends::of(record, start, end);
        let mut at = self.place(ends);
        loop {
            let number = *self.table.get(at)?;
            let known = self.keys.get((number as usize).wrapping_sub(1))?;
            if known.ends == ends && (ends.len <= 16 || record.get(start..end) == Some(&known.key)) {
                return Some(known);
            }
            at = (at + 1) & (self.table.len() - 1);
        }
    }

    #[inline]
    fn place(&self, ends: Ends) -> usize {
        (ends.hash() >> 32) as usize & self.table.len().wrapping_sub(1)
    }

    /// Where a key leads, nowhere yet where it is new.
    pub(super) fn edge_mut(&mut self, key: &str) -> &mut Edge {
        let key = key.as_bytes();
        let ends = Ends::of(key, 0, key.len());
        let at = match self.keys.iter().position(|known| *known.key == *key) {
            Some(at) => at,
            None => {
                self.keys.push(Known { key: key.into(), ends, edge: Edge::default() });
                self.fill_table();
                self.keys.len() - 1
            }
        };
        &mut self.keys[at].edge
    }

    fn fill_table(&mut self) {
        let room = (self.keys.len() * 4).next_power_of_two();
        self.table.clear();
        self.table.resize(room, 0);
        for (number, known) in (1..).zip(&self.keys) {
            let mut at = self.place(known.ends);
            while self.table[at] != 0 {
                at = (at + 1) & (room - 1);
            }
            self.table[at] = number;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_told_apart_wherever_they_stand() {
        let long = "k".repeat(40);
        let mut keys: Vec<String> = (0..=20).map(|len| long[..len].to_owned()).collect();
        keys.extend((0..300).map(|n| format!("{n}-{}", &long[..n % 19])));
        // The same ends around another middle.
        keys.extend(["abcdefgh1stuvwxyz", "abcdefgh2stuvwxyz", "a\0", "a"].map(str::to_owned));
        let mut level = Level::default();
        for (slot, key) in (0..).zip(&keys) {
            level.edge_mut(key).slot = Some(slot);
        }
        for (slot, key) in (0..).zip(&keys) {
            for (before, behind) in [("", ""), ("x", ""), ("", "yz"), ("abc", "defghijkl")] {
                let record = format!("{before}{key}{behind}");
                let found = level.edge(record.as_bytes(), before.len(), before.len() + key.len());
                assert_eq!(found.and_then(|edge| edge.slot), Some(slot), "{record}");
            }
        }
        for key in ["abcdefgh3stuvwxyz", "b", "a\0\0", "kkkkkkkkkkkkkkkkkkkkkkk", "300-"] {
            assert_eq!(level.edge(key.as_bytes(), 0, key.len()), None, "{key}");
        }
        assert_eq!(Level::default().edge(b"a", 0, 1), None);
    }
}
