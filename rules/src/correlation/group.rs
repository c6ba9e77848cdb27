//! Keys of groups: the texts of an event's group-by fields, as one text.
//!
//! A missing field is no key; a field with several values puts the event into the group of each. Numbers and texts of the
//! same digits are one key. Must never let two keys run into each other.

use std::fmt::Write;

use model::{Carried, CarriedField};

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

/// Each text stands behind its length.
fn push(key: &mut String, text: &str) {
    let _ = write!(key, "{}:", text.len());
    key.push_str(text);
}

/// The texts of a key, in the order of its fields.
pub(super) fn texts(mut key: &str) -> Vec<&str> {
    let mut texts = Vec::new();
    while let Some((length, rest)) = key.split_once(':') {
        let length = length.parse().unwrap_or(0);
        let Some((text, behind)) = rest.split_at_checked(length) else { break };
        texts.push(text);
        key = behind;
    }
    texts
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
    }
}
