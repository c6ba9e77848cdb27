//! Id and time of a scanned record, by the paths its format names.
//!
//! Must never make an id of what is not in the record, nor a time of what only looks like one.

use std::borrow::Cow;

use model::{Scalar, Slot, Timestamp};

use super::{Fields, Plan};

/// Room for an id of several parts: nearly all are shorter.
const ID_BYTES: usize = 160;

impl Plan {
    /// Id and time of a scanned record; an envelope's go to the records in it that have none of their own.
    pub fn named<'a>(&'a self, fields: Fields<'a>) -> (Option<Cow<'a, str>>, Option<Timestamp>) {
        (self.id(fields), self.time(fields))
    }

    fn id<'a>(&'a self, fields: Fields<'a>) -> Option<Cow<'a, str>> {
        self.id.iter().find_map(|slots| {
            let (first, rest) = slots.split_first()?;
            let first = said(fields, *first)?;
            if rest.is_empty() {
                return first.as_text();
            }
            let mut id = String::with_capacity(ID_BYTES);
            write(&mut id, first);
            for part in rest.iter().filter_map(|&slot| said(fields, slot)) {
                id.push(':');
                write(&mut id, part);
            }
            Some(Cow::Owned(id))
        })
    }

    fn time(&self, fields: Fields<'_>) -> Option<Timestamp> {
        let named = self.time.iter().find_map(|&slot| fields.values(slot).find_map(read_time));
        named.or_else(|| self.latest.iter().flat_map(|&slot| fields.values(slot)).filter_map(read_time).max())
    }
}

/// The first value that is neither null nor empty.
fn said(fields: Fields<'_>, slot: Slot) -> Option<Scalar<'_>> {
    fields.values(slot).find(|value| !matches!(value, Scalar::Null | Scalar::Empty | Scalar::Text("")))
}

/// Adds a value as [`Scalar::as_text`] has it.
fn write(id: &mut String, value: Scalar<'_>) {
    match value {
        Scalar::Text(text) => id.push_str(text),
        Scalar::Int(n) => id.push_str(itoa::Buffer::new().format(n)),
        other => other.as_text().iter().for_each(|text| id.push_str(text)),
    }
}

/// A time as a record writes it.
pub(super) fn read_time(value: Scalar<'_>) -> Option<Timestamp> {
    match value {
        Scalar::Text(text) => Timestamp::parse(text),
        // How programs write "never": an event of 1970 would be late for ever.
        Scalar::Int(0) | Scalar::Bool(_) | Scalar::Null | Scalar::Empty => None,
        Scalar::Int(n) => Timestamp::from_epoch(n as f64),
        Scalar::UInt(n) => Timestamp::from_epoch(n as f64),
        Scalar::Float(n) => Timestamp::from_epoch(n),
    }
}
