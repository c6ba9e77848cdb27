//! Ordinary days of a software organisation: 300 repositories, more than 2,000 runs a day, every class of the event model,
//! weekdays, release days, and what looks like an attack and is none. Game days stand in it. The same seed gives the same
//! bytes. Nothing here may hold more of the story than is under way, read a clock, or say anything that a detection of
//! the catalogue is right about.

pub mod lists;
pub mod org;
pub mod people;
pub mod rng;
pub mod sources;
pub mod time;
pub mod write;

mod access;
mod changes;
mod deliveries;
pub mod false_positives;
mod findings;
mod inventory;
mod job;
mod ops;
mod releases;
mod rhythm;
mod runners;
mod runs;
mod runtime;
mod secrets;
mod world;

pub use inventory::inventory;
pub use lists::lists;
pub use people::network_csv;

use time::DAY;
use world::World;

/// A record as it arrives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Name of its source, one of [`sources::SOURCES`].
    pub source: &'static str,
    /// Class of the event it holds.
    pub class: &'static str,
    /// When it arrives, in milliseconds since 1970-01-01 UTC.
    pub arrival_ms: i64,
    /// When it happened, in milliseconds since 1970-01-01 UTC.
    pub event_ms: i64,
    /// One JSON object, without a line's end.
    pub bytes: Vec<u8>,
    /// The detection that this event looks like, where it was planted as a false positive.
    pub label: Option<&'static str>,
    /// Which of the detection's known false positives it is.
    pub variant: Option<&'static str>,
}

/// A stretch of ordinary days.
#[derive(Clone, Copy, Debug)]
pub struct Baseline {
    seed: u64,
    days: u32,
    start_ms: i64,
}

impl Baseline {
    /// `days` days from `start_ms` (a midnight UTC, in milliseconds) on.
    pub fn new(seed: u64, days: u32, start_ms: i64) -> Self {
        Self { seed, days, start_ms }
    }

    /// All records in order of arrival. What begins in the last hour may end a little after the last day.
    pub fn records(&self) -> impl Iterator<Item = Record> + use<> {
        let mut world = World::new(self.seed, self.start_ms, self.start_ms + i64::from(self.days) * DAY);
        std::iter::from_fn(move || world.next_record())
    }

    /// The live lists that fit: file name and text.
    pub fn lists(&self) -> Vec<(String, String)> {
        lists()
    }

    /// The inventory that fits.
    pub fn inventory(&self) -> String {
        inventory()
    }
}
