//! An event at which rules hold that something remembers: what judging hands to the stage that looks at more than one.
//!
//! Holds the texts that correlations of the event's rules ask for and nothing else of it. Must never hold what depends on
//! arrival beside `position` and `arrival`.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{Arrival, EventOrder, Finding, Position};

/// Number of a carried field in a rule set.
pub type CarriedField = u16;

/// The texts of some fields of one event, in one piece of memory that clones share: how many texts there are, for each its
/// field and where it ends, then the texts one behind the other. Numbers are little-endian.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Carried(Arc<[u8]>);

/// Bytes that say of one text whose it is and where it ends.
const MARK: usize = 6;

/// Gathers [`Carried`] texts; reused from event to event.
#[derive(Debug, Default)]
pub struct Carrying {
    text: String,
    marks: Vec<(CarriedField, u32)>,
    packed: Vec<u8>,
}

impl Carrying {
    /// Adds one text of a field.
    pub fn push(&mut self, field: CarriedField, text: &str) {
        self.text.push_str(text);
        self.marks.push((field, self.text.len() as u32));
    }

    /// The field has been added already.
    pub fn has(&self, field: CarriedField) -> bool {
        self.marks.iter().any(|(known, _)| *known == field)
    }

    /// Puts other texts in the place of those for which `other` has one.
    pub fn replace(&mut self, mut other: impl FnMut(CarriedField, &str) -> Option<String>) {
        let (mut start, mut at) = (0, 0);
        while let Some((field, end)) = self.marks.get(at).copied() {
            let replaced = self.text.get(start..end as usize).and_then(|text| other(field, text));
            let mut end = end as usize;
            if let Some(text) = replaced {
                self.text.replace_range(start..end, &text);
                let longer = text.len() as i64 - (end - start) as i64;
                for (_, later) in self.marks.iter_mut().skip(at) {
                    *later = (i64::from(*later) + longer) as u32;
                }
                end = start + text.len();
            }
            (start, at) = (end, at + 1);
        }
    }

    /// What was gathered; nothing is left.
    pub fn take(&mut self) -> Carried {
        if self.marks.is_empty() {
            return Carried::default();
        }
        self.packed.clear();
        self.packed.extend_from_slice(&(self.marks.len() as u32).to_le_bytes());
        for (field, end) in self.marks.drain(..) {
            self.packed.extend_from_slice(&field.to_le_bytes());
            self.packed.extend_from_slice(&end.to_le_bytes());
        }
        self.packed.extend_from_slice(self.text.as_bytes());
        self.text.clear();
        Carried(self.packed.as_slice().into())
    }
}

impl Carried {
    /// The texts of a field, in order of appearance; none where the event lacks it.
    pub fn texts(&self, field: CarriedField) -> impl Iterator<Item = &str> {
        let (count, rest) = self.0.split_first_chunk().unwrap_or((&[0; 4], &[]));
        let marks = (u32::from_le_bytes(*count) as usize).saturating_mul(MARK);
        let (marks, text) = rest.split_at_checked(marks).unwrap_or_default();
        let mut start = 0;
        marks.as_chunks::<MARK>().0.iter().filter_map(move |[a, b, end @ ..]| {
            let end = u32::from_le_bytes(*end) as usize;
            let bounds = std::mem::replace(&mut start, end)..end;
            let is_asked_for = u16::from_le_bytes([*a, *b]) == field;
            is_asked_for.then(|| std::str::from_utf8(text.get(bounds)?).ok()).flatten()
        })
    }

    /// Both are one piece of memory: the texts are the same.
    pub fn is(&self, other: &Carried) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// A number out of its memory: brings that near, to be asked for when it will be read soon.
    pub fn glance(&self) -> u8 {
        self.0.first().copied().unwrap_or_default()
    }

    /// The first text of a field.
    pub fn text(&self, field: CarriedField) -> Option<&str> {
        self.texts(field).next()
    }
}

/// A rule that holds at an event.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Held {
    /// Index of the rule in its rule set.
    pub rule: u32,
    /// What is told if what the rule remembers agrees; None: the rule is silent, or has been told without being asked.
    pub finding: Option<Box<Finding>>,
}

/// An event at which rules hold that something remembers.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Occurrence {
    /// Where it stands in total order.
    pub order: EventOrder,
    /// How it stood to the watermark.
    pub arrival: Arrival,
    /// Where the record was read.
    pub position: Position,
    /// The fields that those who remember ask for.
    pub fields: Carried,
    /// The rules, ascending.
    pub held: Vec<Held>,
    /// Which of those that its keyed state has remember it, by a number that the state knows; 0: all.
    pub gate: u16,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_back_by_field_in_order() {
        let mut carrying = Carrying::default();
        for (field, text) in [(3, "a"), (1, ""), (3, "bc"), (7, "é")] {
            carrying.push(field, text);
        }
        assert!(carrying.has(7) && !carrying.has(2));
        carrying.replace(|field, text| (field == 3 && text == "a").then(|| "aaa".to_owned()));
        let mut shorter = Carrying::default();
        [(3, "aaa"), (1, ""), (3, "bc"), (7, "é")].into_iter().for_each(|(field, text)| shorter.push(field, text));
        shorter.replace(|_, text| (text == "aaa").then(|| "a".to_owned()));
        carrying.replace(|_, text| (text == "aaa").then(|| "a".to_owned()));
        let carried = carrying.take();
        assert_eq!(carried, shorter.take());
        assert_eq!(carried.texts(3).collect::<Vec<_>>(), ["a", "bc"]);
        assert_eq!((carried.text(1), carried.text(7), carried.text(2)), (Some(""), Some("é"), None));
        assert_eq!(carrying.take(), Carried::default());
    }
}
