//! Which native paths the values of a decoded record came from, for people who try a format.
//!
//! Reads the same rows with the same fills as a run. Must never decide what a value is, only say where it stood.

use std::collections::BTreeMap;

use model::{Projection, Row, Scalar, Slot, View};

use super::super::{Inputs, Output};
use super::named::read_time;
use super::{Decoded, Fields, Plan, fields};

impl Plan {
    /// For each model field of a decoded record that has a value, the native paths it came from: those that hold the
    /// value as it stands, else all that the field's row found something under. None: the row needs no path, or the
    /// value is the envelope's. `fields` are those that were wanted of the record's class.
    pub fn origins<'p>(
        &'p self,
        decoded: &Decoded<'_>,
        raw: View<'_>,
        fields: &'p Projection,
    ) -> BTreeMap<&'p str, Vec<&'p str>> {
        let own = Fields::new(raw, decoded.outer);
        let mut origins = self.envelope_origins(decoded, own);
        let Some(class) = decoded.class.and_then(|class| self.classes.get(&class)) else { return origins };
        for planned in class.rows.iter() {
            let mut row = Row::default();
            row.reset(class.slots);
            let inputs = Inputs::new(own, planned.inputs, &decoded.memo);
            (planned.fill)(&inputs, &mut Output::new(&mut row, planned.slot, raw.record()));
            let values = texts(Fields::new(row.view(raw.record()), None), planned.slot);
            if !values.is_empty() {
                let paths = origins.entry(fields.name(planned.slot)).or_default();
                paths.extend(self.paths_of(own, planned.inputs, &values));
            }
        }
        origins
    }

    fn envelope_origins(&self, decoded: &Decoded<'_>, raw: Fields<'_>) -> BTreeMap<&str, Vec<&str>> {
        let id = self.id.iter().find(|slots| slots.first().is_some_and(|&slot| is_there(raw, slot)));
        let id = id.into_iter().flatten().copied().filter(|&slot| is_there(raw, slot));
        let time = self.time.iter().chain(&self.latest).copied();
        let time = time.filter(|&slot| raw.values(slot).filter_map(read_time).any(|time| Some(time) == decoded.time));
        let class = || self.present(raw, &self.classify);
        let action = match raw.text(self.action) == Some(decoded.action) {
            true => vec![self.path(self.action)],
            false => class(),
        };
        let time: Vec<&str> = match time.map(|slot| self.path(slot)).next() {
            Some(path) => vec![path],
            // In a field that only the classification opens (a certificate), or in the envelope.
            None => Vec::new(),
        };
        BTreeMap::from([
            ("event.id", id.map(|slot| self.path(slot)).collect()),
            ("event.time", time),
            ("event.class", class()),
            ("event.action", action),
            ("event.outcome", class()),
        ])
    }

    fn paths_of(&self, raw: Fields<'_>, inputs: &[Slot], values: &[String]) -> Vec<&str> {
        let holds = |slot: Slot, value: &String| texts(raw, slot).contains(value);
        let mut paths: Vec<&str> = Vec::new();
        for value in values {
            match inputs.iter().find(|&&slot| holds(slot, value)) {
                Some(&slot) if paths.contains(&self.path(slot)) => {}
                Some(&slot) => paths.push(self.path(slot)),
                None => return self.present(raw, inputs),
            }
        }
        paths
    }

    /// The path of a slot.
    fn path(&self, slot: Slot) -> &str {
        match fields::told_number(slot) {
            None => self.projection.name(slot),
            Some(_) if slot == fields::INDEX => "^index",
            Some(number) => self.told_paths.get(number).map_or("", |path| path),
        }
    }

    fn present(&self, raw: Fields<'_>, slots: &[Slot]) -> Vec<&str> {
        slots.iter().filter(|&&slot| is_there(raw, slot)).map(|&slot| self.path(slot)).collect()
    }
}

fn is_there(raw: Fields<'_>, slot: Slot) -> bool {
    raw.values(slot).any(|value| !matches!(value, Scalar::Null | Scalar::Empty | Scalar::Text("")))
}

fn texts(fields: Fields<'_>, slot: Slot) -> Vec<String> {
    fields.values(slot).filter_map(|value| value.as_text().map(|text| text.into_owned())).collect()
}
