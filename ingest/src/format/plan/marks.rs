//! Which of several formats a scanned record is of, told by the keys that it has.
//!
//! Must never tell by anything else: what a key holds is for the format to judge.

use std::ops::Range;

use model::{Slot, View};

use super::super::Format;
use super::asking::Asking;

/// Sets of keys in the order of their formats, all in one piece of memory: each record is held against all of them.
#[derive(Debug, Default)]
pub(super) struct Marks {
    sets: Vec<(usize, Range<u32>)>,
    keys: Vec<Slot>,
}

impl Marks {
    /// Asks for the keys of all formats that a record might be of.
    pub(super) fn new(rivals: &[&'static Format], asking: &mut Asking) -> Marks {
        let mut marks = Marks::default();
        for (rival, format) in rivals.iter().enumerate() {
            for set in format.marks {
                let start = marks.keys.len() as u32;
                marks.keys.extend(asking.ask_all(set));
                marks.sets.push((rival, start..marks.keys.len() as u32));
            }
        }
        marks
    }

    /// The first format of which the record has all keys of some set.
    pub(super) fn recognised(&self, view: View<'_>) -> Option<usize> {
        let has_all = |keys: &Range<u32>| {
            let keys = self.keys.get(keys.start as usize..keys.end as usize).unwrap_or_default();
            keys.iter().all(|&slot| view.has(slot))
        };
        self.sets.iter().find(|(_, keys)| has_all(keys)).map(|(rival, _)| *rival)
    }
}
