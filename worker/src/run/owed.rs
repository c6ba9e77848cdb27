//! Alerts that a worker before this one sealed, and of which no incident record was written: they waited for the slowest source.
//!
//! A snapshot holds what waits. Where one begins without it, the seal log says what was decided and the log of incidents what was
//! told of it; offsets may have passed the events. An alert may be told of twice over it, never not at all.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind};
use std::path::Path;

use anyhow::Context;
use model::{AlertRecord, AlertState, Fingerprint, IncidentRecord, Timestamp};
use serde::de::DeserializeOwned;

use super::build::{INCIDENTS, SEAL_LOG};

/// The alerts of a state folder's seal log that are owed, in its order. Read line by line: logs are longer than memory.
///
/// # Errors
/// When a log is there and cannot be read.
pub fn owed(state: &Path) -> anyhow::Result<Vec<AlertRecord>> {
    let mut told: BTreeSet<(Fingerprint, Timestamp, AlertState)> = BTreeSet::new();
    each_line(&state.join(INCIDENTS), |record: IncidentRecord| {
        told.extend(record.alert.map(|alert| (alert.fingerprint, record.event_time, alert.state)));
    })?;
    let mut owed = Vec::new();
    each_line(&state.join(SEAL_LOG), |record: AlertRecord| {
        let Some(at) = record.event_time.filter(|_| record.state.is_told()) else { return };
        if told.insert((record.fingerprint, at, record.state)) {
            owed.push(record);
        }
    })?;
    Ok(owed)
}

/// Every whole line that is such a record. A torn last line (a crash) was never committed.
fn each_line<T: DeserializeOwned>(path: &Path, mut take: impl FnMut(T)) -> anyhow::Result<()> {
    let name = || path.display().to_string();
    let file = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        opened => opened.with_context(name)?,
    };
    for line in BufReader::new(file).split(b'\n') {
        if let Ok(record) = serde_json::from_slice(&line.with_context(name)?) {
            take(record);
        }
    }
    Ok(())
}
