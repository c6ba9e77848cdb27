//! The control log: everything that is not in the events and yet decided something, as an ordered input.
//!
//! One JSON line each. A tick a second carries the positions of all partitions; fetch times and idleness are told
//! relative to positions, so a replay repeats them exactly. Must never hold a secret or an event.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;

use model::Sha256;
use serde::{Deserialize, Serialize};

/// Partition as `TOPIC/NUMBER` → offset of the next record.
pub type Positions = BTreeMap<String, i64>;

/// One record of the control log. Times are milliseconds since the epoch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ControlRecord {
    /// A worker started.
    Start {
        /// When.
        time_ms: i64,
        /// Its version.
        version: String,
        /// Rule id → SHA-256 of its document.
        rules: BTreeMap<String, Sha256>,
        /// List name → SHA-256 of its file.
        lists: BTreeMap<String, Sha256>,
        /// SHA-256 of the set's texts, of which a copy is kept; None where not every file could be read.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        set: Option<Sha256>,
        /// It goes on from the state of the run before it, whose records are part of this one.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        resumed: bool,
    },
    /// Other rules and lists: each partition's records from these positions on are judged by them. Partitions that are
    /// not named are taken over later.
    Rules {
        /// When.
        time_ms: i64,
        /// SHA-256 of the set's texts, of which a copy is kept.
        set: Sha256,
        /// Rule id → SHA-256 of its document.
        rules: BTreeMap<String, Sha256>,
        /// List name → SHA-256 of its file.
        lists: BTreeMap<String, Sha256>,
        /// The positions.
        positions: Positions,
        /// Since when what rules remember is judged by the lists; by others from ever.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        known: Vec<Known>,
    },
    /// A version of a list was read from a topic; its text is kept with the set that it takes effect in.
    List {
        /// When.
        time_ms: i64,
        /// The list.
        list: String,
        /// SHA-256 of its text.
        sha256: Sha256,
        /// From when it holds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        as_of_ms: Option<i64>,
        /// `TOPIC/NUMBER`.
        partition: String,
        /// Where it stood there.
        position: i64,
    },
    /// Partitions were taken over, to be read from these positions.
    Assigned {
        /// The positions.
        positions: Positions,
    },
    /// Partitions were given back at these positions.
    Revoked {
        /// The positions.
        positions: Positions,
    },
    /// One a second. Records behind these positions were fetched at this time or later.
    Tick {
        /// When.
        time_ms: i64,
        /// The positions that changed since the last tick.
        positions: Positions,
    },
    /// A partition counts as complete up to a time: what comes later and is older is late.
    Idle {
        /// `TOPIC/NUMBER`.
        partition: String,
        /// From this position on.
        position: i64,
        /// Up to this event time.
        up_to_ms: i64,
    },
    /// A source cannot be heard, from `from_ms` to `to_ms` (where that is known); or it is heard, at `healthy_ms`.
    Health {
        /// When it was told.
        time_ms: i64,
        /// The source.
        source: String,
        /// The first event time that could not be heard.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from_ms: Option<i64>,
        /// The first event time that could be heard again.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        to_ms: Option<i64>,
        /// An outage before this event time is over.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        healthy_ms: Option<i64>,
        /// Since when the rules that read the same sources know it; others know it from ever.
        known: Vec<Known>,
    },
    /// All inputs were read to their end and closed like files (`--until-end`).
    End {
        /// The positions.
        positions: Positions,
    },
}

/// Where rules that read the same sources had come to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    /// The sources.
    pub sources: Vec<String>,
    /// What is due from this event time on had not been judged.
    pub from_ms: i64,
}

/// A control log being written.
#[derive(Debug)]
pub struct ControlLog {
    file: File,
}

impl ControlLog {
    /// Opens a control log to append to it; half a last line (a crash) is cut off.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub fn append_to(path: &Path) -> io::Result<ControlLog> {
        Ok(ControlLog { file: crate::run::whole_lines(path)? })
    }

    /// Appends a record; it is with the operating system when this returns.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&mut self, record: &ControlRecord) -> io::Result<()> {
        let mut line = serde_json::to_string(record).map_err(io::Error::other)?;
        line.push('\n');
        self.file.write_all(line.as_bytes())
    }

    /// Returns when everything is on disk.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn sync(&mut self) -> io::Result<()> {
        self.file.sync_data()
    }
}

/// Reads the last run of a control log: from its last `start` on that began anew. A torn last line (a crash) ends it.
///
/// # Errors
/// When the file cannot be read, or a line before the last is no control record.
pub fn read_last_run(path: &Path) -> anyhow::Result<Vec<ControlRecord>> {
    let mut run = Vec::new();
    let mut lines = BufReader::new(File::open(path)?).lines().enumerate().peekable();
    while let Some((number, line)) = lines.next() {
        match serde_json::from_str(&line?) {
            Ok(record) => {
                if matches!(record, ControlRecord::Start { resumed: false, .. }) {
                    run.clear();
                }
                run.push(record);
            }
            Err(_) if lines.peek().is_none() => break,
            Err(error) => anyhow::bail!("{}:{}: {error}", path.display(), number + 1),
        }
    }
    Ok(run)
}
