//! Why a record became what it became, for people who try a format: what it was taken out of, what it lacks.
//!
//! Reads a record once more by the same plans. Must never be part of a run.

use model::{Projection, Row};

use super::{CONTAINER_DEPTH_MAX, Decoder, Scratch, Within};
use crate::container::{Elements, array, elements, text as record_text};
use crate::format::{Classified, Fields, Format, Inputs, Memo, Plan, Shape};
use crate::scan::scan;

/// A container that was taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opened {
    /// The format that says so; None: a plain array.
    pub format: Option<&'static str>,
    /// Path of the records in it; empty: it is a map or an array of them.
    pub path: &'static str,
    /// How many records stood there, in all containers of this kind.
    pub records: usize,
}

/// A format that a record nearly is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Near {
    /// The format.
    pub format: &'static str,
    /// The keys that are there, and those that are missing, of its set with the fewest missing.
    pub present: Vec<&'static str>,
    /// See `present`.
    pub missing: Vec<&'static str>,
}

impl Decoder {
    /// The containers that a record was taken apart by, outermost first, each kind once.
    pub fn opened(&self, text: &str) -> Vec<Opened> {
        let mut found = Vec::new();
        let within = Within { plan: self.is_one.then_some(0), ..Within::default() };
        self.open(text, within, &mut found);
        found
    }

    fn open(&self, text: &str, within: Within<'_>, found: &mut Vec<Opened>) {
        let text = text.trim_ascii();
        if within.depth > CONTAINER_DEPTH_MAX {
            return;
        }
        if text.starts_with('[') {
            let records = array(text).unwrap_or_default();
            return self.open_all(None, "", &records, within, found);
        }
        let mut scratch = Scratch::default();
        let held = self.scan(&mut scratch, text, within).ok().and_then(|(at, plan)| {
            let raw = scratch.raw.view(text);
            let held = match plan.shape(raw, within.outer.as_ref()).ok()? {
                Shape::Container(held) => held,
                Shape::Event(_) | Shape::Filtered => plan.parts(raw)?,
            };
            Some((at, plan, held))
        });
        let Some((at, plan, held)) = held else {
            let members = self.members_of(&mut scratch, text, within).unwrap_or_default();
            let format = members.first().and_then(|member| self.format_of(member)).map(|format| format.name);
            return self.open_all(format, "", &members, within, found);
        };
        let (format, container) = (Some(plan.format().name), held.container);
        let within = Within { plan: (!container.is_foreign()).then_some(at), ..within };
        match elements(text, scratch.raw.view(text), held) {
            Ok(Elements::Standing(records)) => {
                self.open_all(format, container.path(), &records.collect::<Vec<_>>(), within, found)
            }
            Ok(Elements::Encoded(bytes)) => {
                let records: Vec<&str> = record_text(&bytes).into_iter().collect();
                self.open_all(format, container.path(), &records, within, found)
            }
            Err(_) => {}
        }
    }

    fn open_all(
        &self,
        format: Option<&'static str>,
        path: &'static str,
        records: &[&str],
        within: Within<'_>,
        found: &mut Vec<Opened>,
    ) {
        if records.is_empty() {
            return;
        }
        match found.iter_mut().find(|opened| opened.format == format && opened.path == path) {
            Some(opened) => opened.records += records.len(),
            None => found.push(Opened { format, path, records: records.len() }),
        }
        let within = Within { depth: within.depth + 1, outer: None, ..within };
        records.iter().for_each(|record| self.open(record, within, found));
    }

    /// The format that content tells a record to be of, or the one that all records are of.
    pub fn format_of(&self, text: &str) -> Option<&'static Format> {
        let within = Within { plan: self.is_one.then_some(0), ..Within::default() };
        self.scan(&mut Scratch::default(), text, within).ok().map(|(_, plan)| plan.format())
    }

    /// The formats that a record which none recognises has at least one key of, those with the fewest missing first.
    pub fn nearest(&self, text: &str) -> Vec<Near> {
        let mut near: Vec<Near> = self.plans.iter().filter_map(|plan| nearness(plan, text)).collect();
        near.sort_by_key(|near| (near.missing.len(), std::cmp::Reverse(near.present.len())));
        near
    }
}

fn nearness(plan: &Plan, text: &str) -> Option<Near> {
    let format = plan.format();
    let of = |set: &'static [&'static str]| {
        let mut keys = Projection::default();
        let slots: Vec<_> = set.iter().map(|key| (*key, keys.ask(key))).collect();
        let mut row = Row::default();
        scan(text, &keys, &mut row).ok()?;
        let (present, missing): (Vec<_>, Vec<_>) = slots.iter().partition(|(_, slot)| row.view(text).has(*slot));
        let names = |of: Vec<(&'static str, _)>| of.into_iter().map(|(key, _): (_, model::Slot)| key).collect();
        Some(Near { format: format.name, present: names(present), missing: names(missing) })
    };
    let sets = format.marks.iter().filter_map(|set| of(set)).filter(|near| !near.present.is_empty());
    sets.min_by_key(|near| (near.missing.len(), std::cmp::Reverse(near.present.len())))
}

impl Format {
    /// What this format says against a record that it takes for its own, and cannot classify.
    pub fn complaint(&self, text: &str) -> Option<&'static str> {
        let mapping = self.mapping?;
        let mut wanted = Projection::default();
        let slots: Vec<_> = mapping.classify_paths.iter().map(|path| wanted.ask(path)).collect();
        let mut row = Row::default();
        scan(text, &wanted, &mut row).ok()?;
        match (mapping.classify)(&Inputs::new(Fields::new(row.view(text), None), &slots, &Memo::default())) {
            Classified::Invalid(why) => Some(why),
            _ => None,
        }
    }
}
