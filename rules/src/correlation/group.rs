//! Keys of groups: the texts of an event's group-by fields, as one text.
//!
//! A missing field is no key; a field with several values puts the event into the group of each. Numbers and texts of the
//! same digits are one key. Must never let two keys run into each other.

use std::ops::Range;

use model::{Carried, CarriedField};

use super::keys::Key;

/// Groups that one event belongs to at most, where its fields have several values.
const GROUPS_MAX: usize = 64;

/// Calls `found` with each key of the event. False: a field is missing.
pub(super) fn keys(
    fields: &[Option<CarriedField>],
    carried: &Carried,
    scratch: &mut String,
    found: &mut impl FnMut(&str),
) -> bool {
    let mut groups = 0;
    scratch.clear();
    walk(fields, carried, scratch, &mut |key| {
        groups += 1;
        if groups <= GROUPS_MAX {
            found(key);
        }
    });
    groups > 0
}

fn walk(fields: &[Option<CarriedField>], carried: &Carried, key: &mut String, found: &mut impl FnMut(&str)) {
    let Some((first, rest)) = fields.split_first() else { return found(key) };
    let Some(field) = first else { return };
    let length = key.len();
    for text in carried.texts(*field) {
        push(key, text);
        walk(rest, carried, key, found);
        key.truncate(length);
    }
}

/// Bits of a length in one byte, and the bit that says that another byte follows. All bytes are ASCII.
const BITS: usize = 6;
const MORE: u8 = 1 << BITS;

/// Each text stands behind its length.
fn push(key: &mut String, text: &str) {
    let mut length = text.len();
    while length >= usize::from(MORE) {
        key.push(char::from(length as u8 & (MORE - 1) | MORE));
        length >>= BITS;
    }
    key.push(char::from(length as u8));
    key.push_str(text);
}

/// The texts of a key, in the order of its fields.
pub(super) fn texts(key: &str) -> Vec<&str> {
    let (mut texts, mut at) = (Vec::new(), 0);
    let (mut length, mut bits) = (0, 0);
    while let Some(byte) = key.as_bytes().get(at) {
        at += 1;
        length |= usize::from(byte & (MORE - 1)) << bits;
        bits += BITS;
        if byte & MORE == 0 {
            let Some(text) = key.get(at..at + length) else { break };
            texts.push(text);
            at += length;
            (length, bits) = (0, 0);
        }
    }
    texts
}

/// Number of a list of fields; all nodes that group by the same ones share it.
pub(super) type Tuple = u32;

/// The keys of one event, worked out once for all nodes that group by the same fields.
#[derive(Debug, Default)]
pub(super) struct Groups {
    text: String,
    /// Where each stands in `text`, and its hash.
    keys: Vec<(Range<usize>, u64)>,
    known: Vec<(Tuple, Range<usize>)>,
    building: String,
}

impl Groups {
    /// Another event follows.
    pub(super) fn clear(&mut self) {
        self.text.clear();
        self.keys.clear();
        self.known.clear();
    }

    /// The numbers of the event's keys; none: a field is missing.
    pub(super) fn of(&mut self, tuple: Tuple, fields: &[Option<CarriedField>], carried: &Carried) -> Range<usize> {
        if let Some((_, known)) = self.known.iter().find(|(known, _)| *known == tuple) {
            return known.clone();
        }
        let Groups { text, keys: all, known, building } = self;
        let first = all.len();
        keys(fields, carried, building, &mut |key| {
            let start = text.len();
            text.push_str(key);
            all.push((start..text.len(), Key::from(key).hash));
        });
        known.push((tuple, first..all.len()));
        first..all.len()
    }

    /// A key by its number.
    pub(super) fn key(&self, number: usize) -> Key<'_> {
        let (bounds, hash) = self.keys.get(number).cloned().unwrap_or_default();
        Key { text: self.text.get(bounds).unwrap_or_default(), hash }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::Carrying;

    #[test]
    fn keys_are_apart_and_come_back() {
        let mut carrying = Carrying::default();
        for (field, text) in [(0, "a"), (1, "1:b"), (1, ""), (2, "é")] {
            carrying.push(field, text);
        }
        let carried = carrying.take();
        let mut found = Vec::new();
        assert!(keys(&[Some(0), Some(1), Some(2)], &carried, &mut String::new(), &mut |key| found.push(key.to_owned())));
        assert_eq!(found.iter().map(|key| texts(key)).collect::<Vec<_>>(), [vec!["a", "1:b", "é"], vec!["a", "", "é"]]);
        assert!(!keys(&[Some(0), Some(9)], &carried, &mut String::new(), &mut |_| panic!("a key without a field")));
        assert!(!keys(&[None], &carried, &mut String::new(), &mut |_| panic!("a key without a field")));
        assert!(keys(&[], &carried, &mut String::new(), &mut |key| assert_eq!(key, "")));
        let long: Vec<String> = [0, 1, 63, 64, 65, 4_095, 4_096, 300_000].map(|length| "é".repeat(length)).into();
        let mut key = String::new();
        long.iter().for_each(|text| push(&mut key, text));
        assert_eq!(texts(&key), long);
    }
}
