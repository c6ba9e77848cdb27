//! What a plan reads of a record: its own values and those of the container that it stands in.
//!
//! Each is read where it stands: a container is told to many records, and most of them ask for little of it. Must never
//! find a key of the record where the container's is asked for.

use model::{Scalar, Slot, Values, View};

use super::Outer;

/// Slots from here on are no record's own: behind it come the numbers of what is told of containers.
const TOLD: Slot = 1 << 31;
/// The record's number in its container.
pub(super) const INDEX: Slot = Slot::MAX - 1;

/// The slot by which a record asks for the value of its container that has this number among those that are told.
pub(super) fn told(number: usize) -> Slot {
    TOLD | number as Slot
}

/// The number of such a slot.
pub(super) fn told_number(slot: Slot) -> Option<usize> {
    slot.checked_sub(TOLD).map(|number| number as usize)
}

/// The values of one record and of its container.
#[derive(Debug, Clone, Copy)]
pub struct Fields<'a> {
    own: View<'a>,
    outer: Option<&'a Outer<'a>>,
}

impl<'a> Fields<'a> {
    /// Of a record that stands in this container, if in any.
    pub fn new(own: View<'a>, outer: Option<&'a Outer<'a>>) -> Fields<'a> {
        Fields { own, outer }
    }

    /// The record's own.
    pub(super) fn own(self) -> View<'a> {
        self.own
    }

    /// The values of a slot in order of appearance.
    #[inline(always)]
    pub(in crate::format) fn values(self, slot: Slot) -> Told<'a> {
        if slot < TOLD { Told::Standing(self.own.values(slot)) } else { self.told(slot) }
    }

    fn told(self, slot: Slot) -> Told<'a> {
        match self.outer {
            Some(outer) if slot == INDEX => Told::Index(Some(outer.index)),
            Some(outer) => {
                let theirs = told_number(slot).and_then(|number| outer.told.get(number));
                Told::Standing(outer.view.values(theirs.copied().unwrap_or(Slot::MAX)))
            }
            None => Told::Index(None),
        }
    }

    /// The slot has a value (null and empty ones count).
    #[inline(always)]
    pub(super) fn has(self, slot: Slot) -> bool {
        if slot < TOLD { self.own.has(slot) } else { self.told(slot).next().is_some() }
    }

    /// The first text of a slot.
    pub(super) fn text(self, slot: Slot) -> Option<&'a str> {
        self.values(slot).find_map(|value| match value {
            Scalar::Text(text) => Some(text),
            _ => None,
        })
    }
}

/// Iterator over the values of one slot.
#[derive(Debug, Clone, Copy)]
pub(in crate::format) enum Told<'a> {
    /// They stand in the record, or in its container.
    Standing(Values<'a>),
    /// The record's number, unless it has been told.
    Index(Option<usize>),
}

impl<'a> Iterator for Told<'a> {
    type Item = Scalar<'a>;

    #[inline(always)]
    fn next(&mut self) -> Option<Scalar<'a>> {
        match self {
            Told::Standing(values) => values.next(),
            Told::Index(index) => index.take().map(|index| Scalar::Int(index as i64)),
        }
    }
}

#[cfg(test)]
mod tests {
    use model::Row;

    use super::*;

    #[test]
    fn what_a_container_has_is_never_the_records_own() {
        let (mut own, mut container) = (Row::default(), Row::default());
        own.reset(2);
        own.push_text(1, "own");
        container.reset(3);
        container.push_text(2, "theirs");
        container.push_scalar(2, Scalar::Null);
        let outer = Outer { view: container.view(""), told: &[0, 2], index: 7 };
        let within = Fields::new(own.view(""), Some(&outer));
        let alone = Fields::new(own.view(""), None);
        let of = |fields: Fields<'_>, slot| fields.values(slot).map(|value| format!("{value:?}")).collect::<Vec<_>>();
        assert_eq!(of(within, 1), [r#"Text("own")"#]);
        assert_eq!(of(within, told(1)), [r#"Text("theirs")"#, "Null"]);
        assert_eq!(of(within, INDEX), ["Int(7)"]);
        assert_eq!((within.text(told(1)), within.has(told(1)), within.has(INDEX)), (Some("theirs"), true, true));
        for slot in [0, told(0), told(2), Slot::MAX] {
            assert!(of(within, slot).is_empty() && !within.has(slot), "{slot}");
        }
        for slot in [told(1), INDEX, Slot::MAX] {
            assert!(of(alone, slot).is_empty() && !alone.has(slot), "{slot}");
        }
    }
}
