//! `pipewarden run` and `pipewarden config check`: a configuration made into a worker. The loop stands in `worker.rs`.
//!
//! Nothing is read before everything is built: a mistake in the configuration must cost no record.

mod append;
mod archiving;
mod build;
mod fed;
mod health;
mod heartbeats;
mod keeping;
mod kept;
mod outlets;
mod owed;
mod partitions;
mod reload;
mod rerun;
mod resume;
mod script;
mod snapshots;
mod stretch;
mod throttle;
mod worker;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use anyhow::Context;
use ingest::IdentityKey;
use ingest::kafka::{Connection, Retry};
use ingest::source::kafka::{KafkaSource, Reading};

use model::RedactionKey;

pub use append::whole_lines;
pub use build::{Built, INCIDENTS, SEAL_LOG, connection, redaction_key, tell_attempt};
pub use rerun::{rerun, rerun_into};
pub use snapshots::Cost;

use crate::config::Config;
use crate::control::ControlLog;
use crate::engine::Keys;
use crate::http::{self, Published};
use crate::judge::{Judge, Judgement};
use crate::pipeline::Pipeline;
use crate::ruleset::Unproven;
use crate::telemetry::Metrics;
use archiving::Archiving;
use fed::Fed;
use heartbeats::Heartbeats;
use partitions::Partitions;
use resume::Ready;
use snapshots::{RunState, Snapshots};
use throttle::Throttle;
use worker::Worker;

/// Consume from Kafka, evaluate, and tell alerts.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  pipewarden config check pipewarden.yaml       check the configuration first
  pipewarden run --config pipewarden.yaml       until SIGTERM or ctrl-c
  pipewarden run --config pipewarden.yaml --until-end
                                                up to the end offsets at start, then closed like files

Exit codes: 0 stopped as asked; 1 bad configuration, or Kafka or an outlet failed for good; 2 stopped as asked, but some
rules had been refused.")]
pub struct RunArgs {
    /// The configuration file
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// Read up to the end offsets of this moment, let every one-shot timer run, and stop
    #[arg(long)]
    pub until_end: bool,
}

/// Runs the command.
///
/// # Errors
/// Bad configuration, or something that trying again does not mend.
pub fn run(args: &RunArgs) -> anyhow::Result<ExitCode> {
    let config = Config::load(&args.config)?;
    let _lock = build::state_folder(&config)?;
    let published = Arc::new(Published::default());
    http::start(config.http, published.clone())?;
    let snapshots = Snapshots::open(&config)?;
    let before = snapshots.newest();
    let identity = before.as_ref().map_or_else(build::new_key, |state| IdentityKey(state.key));
    let redaction = build::redaction_key_or_new(&config)?;
    let connection = build::connection(&config)?;
    // Before the first event is judged.
    let fed = Fed::open(&config, &connection)?;
    let built = Built::new(&config, fed.texts(), Unproven::Refuse, Keys { identity, redaction })?;
    let has_refused = !built.rules.refused.is_empty();
    let (mut ready, next) = ready(&config, built, before, &connection, redaction)?;
    let reading = Reading::Group {
        topics: Built::topics(&config).into_keys().collect(),
        group: config.group.clone(),
        instance: config.instance.clone(),
        reset: config.start,
    };
    let mut kafka = KafkaSource::open(&connection, &reading, &Retry::default(), &mut build::tell_attempt)
        .map_err(|error| anyhow::anyhow!("{error} (hint: {})", error.hint()))?;
    kafka.resume_at(std::mem::take(&mut ready.positions));
    let control = config.state.join(build::CONTROL_LOG);
    let metrics = Metrics::new(&published.registry)?;
    let control = ControlLog::append_to(&control).with_context(|| control.display().to_string())?;
    published.started.store(true, Ordering::Relaxed);
    let archiving = Archiving::open(config.archive.as_ref(), &connection)?;
    let throttle = Throttle::open(config.throttle_topic.as_deref(), &connection)?;
    let mut worker =
        Worker::new(&config, (ready, fed, archiving, throttle), kafka, (control, snapshots), metrics, published);
    if args.until_end {
        worker.stop_at_ends()?;
    }
    worker.start()?;
    if let Some(next) = next {
        worker.adopt(next)?;
    }
    worker.until_stopped()?;
    Ok(ExitCode::from(if has_refused { 2 } else { 0 }))
}

/// The worker that goes on from the state before it, and the rules of today where they are to take the place of those that ran
/// then; or one that begins anew.
fn ready(
    config: &Config,
    built: Built,
    before: Option<RunState>,
    connection: &Connection,
    redaction: RedactionKey,
) -> anyhow::Result<(Ready, Option<Built>)> {
    if let Some(state) = before {
        let outlets = outlets::open(config, connection, Some(state.lengths))?;
        match resume::resume(config, state, (outlets, redaction), connection) {
            Ok(ready) => {
                tracing::info!("goes on from the snapshot and the control log behind it");
                return Ok((ready, Some(built)));
            }
            // Windows are not given up because the broker is slow: nothing is recorded yet, the next start tries again.
            Err(error) if error.is::<stretch::NotYet>() => {
                return Err(
                    error.context("what was read behind the snapshot cannot be read again yet (hint: start again)")
                );
            }
            Err(error) => tracing::warn!(
                "the state of the worker before cannot be gone on from: {error:#}; windows begin anew from the committed offsets"
            ),
        }
    }
    let mut pipeline = built.pipeline(config, outlets::open(config, connection, None)?, false, None)?;
    let owed = owed::owed(&config.state)?;
    if !owed.is_empty() {
        tracing::info!("alerts that waited for their incident and were not told of: {}; they are now", owed.len());
    }
    owed.iter().for_each(|record| pipeline.owe(record));
    Ok((
        Ready {
            built,
            past: Vec::new(),
            pipeline,
            partitions: Partitions::default(),
            positions: BTreeMap::new(),
            heartbeats: Heartbeats::default(),
        },
        None,
    ))
}

/// `pipewarden config check`: everything that can be known without a broker.
///
/// # Errors
/// Every problem of the file; a list that cannot be read.
pub fn check(file: &std::path::Path) -> anyhow::Result<ExitCode> {
    use std::io::Write;
    let config = Config::load(file)?;
    let built = Built::new(&config, &fed::Texts::new(), Unproven::Refuse, Keys::of_replay())?;
    build::connection(&config)?;
    let mut out = std::io::stdout().lock();
    let (rules, refused) = (built.rules.rules.len(), built.rules.refused.len());
    writeln!(out, "{}: sources {}, rules {rules}, refused {refused}", file.display(), config.sources.len())?;
    for (source, engine) in config.sources.iter().zip(&built.engines) {
        let (name, reads) = (&source.name, engine.reads().len());
        let formats = source.formats.iter().map(|format| format.name).collect::<Vec<_>>().join(", ");
        writeln!(out, "  {name}: {formats} from {}, read by rules: {reads}", source.topics.join(", "))?;
    }
    Ok(ExitCode::from(if refused == 0 { 0 } else { 2 }))
}

/// Judges one record's payload.
fn judge(
    judges: &mut [Judge],
    pipeline: &Pipeline,
    source: usize,
    partition: usize,
    offset: i64,
    payload: &[u8],
    judgements: &mut Vec<Judgement>,
) {
    let (Some(judge), Some(name)) = (judges.get_mut(source), pipeline.partition(source, partition)) else { return };
    judge.record(payload, 0..payload.len(), name, offset, judgements);
}
