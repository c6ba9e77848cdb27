//! The paths that a plan asks of a record, of its container, and of the containers in it, while it is made.
//!
//! One scan serves them all. Must never be asked anything once the plan is made.

use std::collections::BTreeMap;

use model::{Cut, Projection, Slot};

use super::super::{Container, Id};

/// A value that a record has from the container it stands in.
#[derive(Debug, Clone, Copy)]
pub(super) enum Inherited {
    /// Its number there.
    Index,
    /// A field of the container, by its number among those that are told of containers.
    Field(Slot),
}

/// A container that a scanned record holds, and the slots of the texts of what stands there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// What it is.
    pub container: Container,
    pub(crate) records: Slot,
    /// The times of [`Container::Newest`].
    pub(crate) times: Slot,
}

impl Held {
    /// Asks for what a container needs.
    pub(crate) fn ask(record: &mut Projection, container: Container) -> Held {
        let (path, mut times) = (container.path(), Slot::MAX);
        let records = match container {
            Container::Array(_) | Container::Parts(_) => record.cut(path, Cut::Each),
            Container::Newest { .. } => record.cut(path, Cut::Members),
            Container::Members => Slot::MAX,
            _ => record.cut(path, Cut::Whole),
        };
        if let Container::Newest { times: path, .. } = container {
            times = record.cut(path, Cut::Whole);
        }
        Held { container, records, times }
    }
}

/// Paths being asked of a record and of its container.
#[derive(Debug, Default)]
pub(super) struct Asking {
    pub(super) record: Projection,
    /// What the container is asked for, and where its own scan finds that: one scan serves both.
    outer: Projection,
    pub(super) told: Vec<Slot>,
    pub(super) inherited: BTreeMap<String, (Slot, Inherited)>,
}

impl Asking {
    /// Nothing more than what raw rules ask of a record.
    pub(super) fn of(record: Projection) -> Asking {
        Asking { record, ..Asking::default() }
    }

    /// `^.path` is asked of the container, `^index` is the record's number in it: neither can be forged by a key of the
    /// record that is called so.
    pub(super) fn ask(&mut self, path: &str) -> Slot {
        if !path.starts_with('^') {
            return self.record.ask(path);
        }
        if let Some((slot, _)) = self.inherited.get(path) {
            return *slot;
        }
        let what = match path.strip_prefix("^.") {
            Some(outer) => Inherited::Field(self.ask_outer(outer)),
            None => Inherited::Index,
        };
        let slot = self.record.reserve(path);
        self.inherited.insert(path.to_owned(), (slot, what));
        slot
    }

    pub(super) fn ask_outer(&mut self, path: &str) -> Slot {
        let slot = self.outer.ask(path);
        if slot as usize == self.told.len() {
            self.told.push(self.record.ask(path));
        }
        slot
    }

    pub(super) fn ask_all(&mut self, paths: &[&str]) -> Vec<Slot> {
        paths.iter().map(|path| self.ask(path)).collect()
    }

    pub(super) fn ask_id(&mut self, id: Id) -> Vec<Vec<Slot>> {
        match id {
            Id::First(paths) => paths.iter().map(|path| vec![self.ask(path)]).collect(),
            Id::Joined(paths) => vec![self.ask_all(paths)],
            Id::Composed(paths) => (0..paths.len()).map(|i| self.ask_all(paths.get(i..).unwrap_or_default())).collect(),
            Id::FirstJoined(lists) => lists.iter().map(|paths| self.ask_all(paths)).collect(),
        }
    }
}
