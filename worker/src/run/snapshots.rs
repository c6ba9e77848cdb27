//! Snapshots in the state folder: everything that a worker knows at a moment between two records.
//!
//! `snapshots/<NUMBER>.state`, the last two. Order of commitment: records told and flushed, then the snapshot, then offsets.
//! Taking one stops the worker, so it takes them seldom enough that they cost a twentieth of its time at most. Must never be
//! the only copy of anything that Kafka and the control log do not have.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use model::{Sha256, Timestamp};
use serde::{Deserialize, Serialize};

use super::heartbeats::Heartbeats;
use crate::clock::Stopwatch;
use crate::config::Config;
use crate::pipeline::PipelineSnapshot;
use crate::state_file;

/// How many times longer than a snapshot takes the worker works on before the next one.
const WORK_FOR_EACH: f64 = 20.0;

/// Snapshots that are kept: should the newest be damaged, there is one before it.
const KEPT: usize = 2;

/// Everything that a worker knows at a moment.
#[derive(Debug, Serialize, Deserialize)]
pub struct RunState {
    /// The rules that run, by the hash of their texts.
    pub set: Sha256,
    /// Those that ran before and by which keyed states number still, oldest first.
    pub past: Vec<Sha256>,
    /// With which duplicates are found.
    pub key: [u64; 4],
    /// What was fetched then was fetched at this time or later.
    pub fetched_at: Timestamp,
    /// The partitions held now or before, by number of their source.
    pub held: Vec<HeldState>,
    /// How long the files were.
    pub lengths: Lengths,
    /// What was heard of sources.
    pub heartbeats: Heartbeats,
    /// The pipeline.
    pub pipeline: PipelineSnapshot,
}

/// A partition.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct HeldState {
    /// Its topic.
    pub topic: String,
    /// Its number in the topic.
    pub partition: i32,
    /// Its source in the configuration.
    pub source: String,
    /// Its number there.
    pub number: usize,
    /// The next offset.
    pub next: i64,
    /// It was being read.
    pub active: bool,
    /// A record had come since it was read.
    pub spoke: bool,
    /// The offset that was committed last.
    pub committed: Option<i64>,
}

/// Bytes of the files that are only appended to.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct Lengths {
    /// The control log.
    pub control: u64,
    /// The seal log.
    pub sealed: u64,
    /// The log of incidents.
    pub incidents: u64,
    /// `alerts.file`.
    pub alerts: u64,
}

/// The snapshots of a state folder.
#[derive(Debug)]
pub struct Snapshots {
    folder: PathBuf,
    next: u64,
    since: Stopwatch,
    every_seconds: f64,
    wait_seconds: f64,
}

/// What a snapshot cost.
#[derive(Debug, Clone, Copy)]
pub struct Cost {
    /// Its length.
    pub bytes: usize,
    /// How long the worker stood still.
    pub seconds: f64,
}

impl Snapshots {
    /// The snapshots of a state folder; the folder is made where it is missing.
    ///
    /// # Errors
    /// When it cannot be made or read.
    pub fn open(config: &Config) -> anyhow::Result<Snapshots> {
        let folder = config.state.join("snapshots");
        fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
        let next = numbers(&folder)?.last().map_or(1, |last| last + 1);
        let every_seconds = config.snapshot_every_ms as f64 / 1e3;
        Ok(Snapshots { folder, next, since: Stopwatch::start(), every_seconds, wait_seconds: every_seconds })
    }

    /// The newest state that can be read. None: there is none, and everything begins anew.
    pub fn newest(&self) -> Option<RunState> {
        let numbers = numbers(&self.folder).unwrap_or_default();
        numbers.iter().rev().find_map(|number| match state_file::read(&self.path(*number)) {
            Ok(state) => Some(state),
            Err(error) => {
                tracing::warn!("{error:#}");
                None
            }
        })
    }

    fn path(&self, number: u64) -> PathBuf {
        self.folder.join(format!("{number}.state"))
    }

    /// It is time for the next one.
    pub fn is_due(&self) -> bool {
        self.since.seconds() >= self.wait_seconds
    }

    /// The next one is due at once: what it would be restored with has changed.
    pub fn hurry(&mut self) {
        self.wait_seconds = 0.0;
    }

    /// Keeps a state; it is on disk then. `taking`: since when the worker stands still.
    ///
    /// # Errors
    /// When it cannot be written; the ones before stay.
    pub fn keep(&mut self, state: &RunState, taking: Stopwatch) -> anyhow::Result<Cost> {
        let written = state_file::write(&self.path(self.next), state);
        let seconds = taking.seconds();
        (self.since, self.wait_seconds) = (Stopwatch::start(), self.every_seconds.max(seconds * WORK_FOR_EACH));
        let bytes = written?;
        self.next += 1;
        let numbers = numbers(&self.folder)?;
        for number in numbers.iter().take(numbers.len().saturating_sub(KEPT)) {
            let path = self.path(*number);
            fs::remove_file(&path).with_context(|| path.display().to_string())?;
        }
        Ok(Cost { bytes, seconds })
    }
}

/// The numbers of a folder's snapshots, ascending.
fn numbers(folder: &Path) -> anyhow::Result<Vec<u64>> {
    let number = |path: PathBuf| {
        let is_state = path.extension().is_some_and(|ending| ending == "state");
        path.file_stem().and_then(|stem| stem.to_str()?.parse::<u64>().ok()).filter(|_| is_state)
    };
    let mut numbers = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        numbers.extend(number(entry.with_context(|| folder.display().to_string())?.path()));
    }
    numbers.sort_unstable();
    Ok(numbers)
}
