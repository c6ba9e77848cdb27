//! A worker that goes on where one before it was killed: its newest snapshot, then the control log behind it.
//!
//! What was read between the snapshot and the end is read again with the decisions of then, so what it seals is what was or
//! would have been sealed. Where that cannot be (records that Kafka no longer has, a rebalance since, other sources), everything
//! begins anew from the committed offsets, and a warning says why. Must never lose a record over it.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Seek, SeekFrom};
use std::path::Path;

use anyhow::{Context, bail};
use ingest::IdentityKey;
use ingest::kafka::{Connection, Resume, TopicPartition};
use model::{RedactionKey, Sha256};

use super::build::{Built, CONTROL_LOG};
use super::health::watched;
use super::heartbeats::Heartbeats;
use super::partitions::Partitions;
use super::script::Scripts;
use super::snapshots::RunState;
use super::stretch::Stretch;
use crate::config::Config;
use crate::control::ControlRecord;
use crate::engine::Keys;
use crate::pipeline::{Outlets, Pipeline};

/// What a worker begins with.
pub struct Ready {
    /// The rules that run.
    pub built: Built,
    /// Those that ran before and by which keyed states number still, oldest first, each with the version of its graph.
    pub past: Vec<(Sha256, Sha256)>,
    /// The pipeline.
    pub pipeline: Pipeline,
    /// The partitions held.
    pub partitions: Partitions,
    /// Where to read on; the others from the committed offsets.
    pub positions: BTreeMap<TopicPartition, Resume>,
    /// What was heard of sources.
    pub heartbeats: Heartbeats,
}

/// Puts a state into a new pipeline, and reads again what was read behind it.
///
/// # Errors
/// When it is not possible: the caller begins anew.
pub fn resume(
    config: &Config,
    state: RunState,
    (outlets, redaction): (Outlets, RedactionKey),
    connection: &Connection,
) -> anyhow::Result<Ready> {
    let tail = records_behind(&config.state.join(CONTROL_LOG), state.lengths.control)?;
    if tail.iter().any(|record| matches!(record, ControlRecord::Start { resumed: false, .. })) {
        bail!("a worker began anew since");
    }
    let keys = Keys { identity: IdentityKey(state.key), redaction };
    let kept = |set: Sha256| Built::kept(config, &config.state, set, keys);
    let mut past = Vec::new();
    let mut sets = Vec::new();
    for set in state.past {
        let built = kept(set)?;
        past.push((set, built.rules.graph.version()));
        sets.push(built.engines);
    }
    let mut built = kept(state.set)?;
    sets.push(built.engines.clone());
    let mut pipeline = built.pipeline(config, outlets, false, Some((&state.pipeline, &sets)))?;
    let mut partitions = Partitions::default();
    partitions.restore(config, &state.held)?;
    pipeline.restore(state.pipeline)?;
    let heartbeats = Heartbeats::of(watched(config).map(|(source, _)| source), state.heartbeats);
    let mut stretch = Stretch::new(config, &built, heartbeats);
    let mut running = state.set;
    for record in &tail {
        if let ControlRecord::Rules { set, .. } = record {
            let next = kept(*set)?;
            stretch.add(&next, &mut pipeline)?;
            remember(&mut past, (running, built.rules.graph.version()));
            (built, running) = (next, *set);
        }
        stretch.heed(record, &mut pipeline);
    }
    let positions = partitions.active().map(|(at, held)| (at.clone(), held.next));
    let mut scripts = Scripts::behind(positions, state.fetched_at, &tail)?;
    if scripts.ended {
        bail!("the run closed its inputs");
    }
    stretch.read(connection, &mut partitions, &mut pipeline, &mut scripts)?;
    pipeline.keep_newest();
    pipeline.advance()?;
    let mut positions = BTreeMap::new();
    for held in state.held.iter().filter(|held| held.active) {
        let at = TopicPartition::new(&held.topic, held.partition);
        if let Some(now) = partitions.held.get_mut(&at) {
            now.next = scripts.of.get(&at).map_or(now.next, |script| script.to);
            positions.insert(at, Resume { committed: held.committed, next: now.next });
        }
    }
    Ok(Ready { built, past, pipeline, partitions, positions, heartbeats: stretch.heartbeats })
}

/// A version that ran is needed as long as a keyed state numbers by its graph: once for each graph.
pub fn remember(past: &mut Vec<(Sha256, Sha256)>, ran: (Sha256, Sha256)) {
    if past.iter().all(|(_, graph)| *graph != ran.1) {
        past.push(ran);
    }
}

/// The control records behind a length of the log. A torn last line (a crash) ends them.
fn records_behind(path: &Path, length: u64) -> anyhow::Result<Vec<ControlRecord>> {
    let name = || path.display().to_string();
    let mut file = fs::File::open(path).with_context(name)?;
    if file.metadata().with_context(name)?.len() < length {
        bail!("{}: is shorter than it was (hint: it belongs to the snapshots)", path.display());
    }
    file.seek(SeekFrom::Start(length)).with_context(name)?;
    let mut lines = BufReader::new(file).lines().peekable();
    let mut records = Vec::new();
    while let Some(line) = lines.next() {
        match serde_json::from_str(&line.with_context(name)?) {
            Ok(record) => records.push(record),
            Err(_) if lines.peek().is_none() => break,
            Err(error) => bail!("{}: {error}", path.display()),
        }
    }
    Ok(records)
}
