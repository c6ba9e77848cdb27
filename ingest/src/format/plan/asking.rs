//! The paths that a plan asks of a record, of its container, and of the containers in it, while it is made.
//!
//! One scan serves them all. Must never be asked anything once the plan is made.

use model::{Cut, Projection, Slot};

use super::super::{Container, Id};
use super::fields;

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
    pub(super) outer: Projection,
    pub(super) told: Vec<Slot>,
}

impl Asking {
    /// Nothing more than what raw rules ask of a record.
    pub(super) fn of(record: Projection) -> Asking {
        Asking { record, ..Asking::default() }
    }

    /// `^.path` is asked of the container, `^index` is the record's number in it: neither can be forged by a key of the
    /// record that is called so.
    pub(super) fn ask(&mut self, path: &str) -> Slot {
        match path.strip_prefix('^') {
            None => self.record.ask(path),
            Some(outer) => outer.strip_prefix('.').map_or(fields::INDEX, |outer| self.ask_outer(outer)),
        }
    }

    /// A slot of what is told of containers.
    pub(super) fn ask_outer(&mut self, path: &str) -> Slot {
        let number = self.outer.ask(path) as usize;
        if number == self.told.len() {
            self.told.push(self.record.ask(path));
        }
        fields::told(number)
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
