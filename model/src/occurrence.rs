//! An event at which rules hold that something remembers: what judging hands to the stage that looks at more than one.
//!
//! Holds the texts that correlations of the event's rules ask for and nothing else of it. Must never hold what depends on
//! arrival beside `position` and `arrival`.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{Arrival, EventOrder, Finding, Position};

/// Number of a carried field in a rule set.
pub type CarriedField = u16;

/// The texts of some fields of one event, in two pieces of memory.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Carried {
    text: Box<str>,
    marks: Box<[(CarriedField, u32)]>,
}

/// Gathers [`Carried`] texts; reused from event to event.
#[derive(Debug, Default)]
pub struct Carrying {
    text: String,
    marks: Vec<(CarriedField, u32)>,
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
        let carried = Carried { text: self.text.as_str().into(), marks: self.marks.as_slice().into() };
        self.text.clear();
        self.marks.clear();
        carried
    }
}

impl Carried {
    /// The texts of a field, in order of appearance; none where the event lacks it.
    pub fn texts(&self, field: CarriedField) -> impl Iterator<Item = &str> {
        let starts = std::iter::once(0).chain(self.marks.iter().map(|(_, end)| *end));
        let marks = starts.zip(self.marks.iter());
        marks
            .filter(move |(_, (known, _))| *known == field)
            .filter_map(|(start, (_, end))| self.text.get(start as usize..*end as usize))
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
    pub fields: Arc<Carried>,
    /// The rules, ascending.
    pub held: Vec<Held>,
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
