//! `pipewarden run`: the worker. One loop polls Kafka, judges, takes, and on every tick seals, flushes and commits.
//!
//! Order of commitment: records told and flushed, control log on disk, then offsets. Offsets never pass a finding that
//! is not sealed: what a crash interrupts is read again.

mod build;
mod outlets;
mod partitions;
mod rerun;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::{Context, bail};
use ingest::kafka::{Batch, Offsets, Retry, TopicPartition};
use ingest::source::kafka::{KafkaSource, Polled, Reading};
use model::Timestamp;

pub use rerun::rerun;

use crate::clock;
use crate::config::Config;
use crate::control::{ControlLog, ControlRecord, Positions};
use crate::http::{self, Published};
use crate::judge::{Judge, Judgement};
use crate::pipeline::Pipeline;
use crate::ruleset::Unproven;
use crate::telemetry::Metrics;
use build::Built;
use partitions::{Partitions, name_of};

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

const POLL_RECORDS_MAX: usize = 20_000;
const POLL_WAIT: Duration = Duration::from_millis(100);
const TICK_MS: i64 = 1_000;

/// Runs the command.
///
/// # Errors
/// Bad configuration, or something that trying again does not mend.
pub fn run(args: &RunArgs) -> anyhow::Result<ExitCode> {
    let config = Config::load(&args.config)?;
    std::fs::create_dir_all(&config.state).with_context(|| format!("state: {}", config.state.display()))?;
    let built = Built::new(&config, Unproven::Refuse)?;
    let connection = build::connection(&config)?;
    let published = Arc::new(Published::default());
    http::start(config.http, published.clone())?;
    let outlets = build::outlets(&config, &connection)?;
    let topics = Built::topics(&config);
    let reading = Reading::Group {
        topics: topics.keys().cloned().collect(),
        group: config.group.clone(),
        instance: config.instance.clone(),
        reset: config.start,
    };
    let kafka = KafkaSource::open(&connection, &reading, &Retry::default(), &mut build::tell_attempt)
        .map_err(|error| anyhow::anyhow!("{error} (hint: {})", error.hint()))?;
    let control = config.state.join("control.jsonl");
    let metrics = Metrics::new(&published.registry)?;
    metrics.rules(built.rules.rules.len(), built.rules.refused.len());
    let mut worker = Worker {
        judges: built.judges(),
        pipeline: built.pipeline(&config, outlets, false),
        partitions: Partitions::default(),
        ends: if args.until_end { Some(ends(&kafka)?) } else { None },
        control: ControlLog::append_to(&control).with_context(|| control.display().to_string())?,
        told_positions: Positions::new(),
        fetched_at: clock::now(),
        kafka,
        topics,
        published,
        metrics,
        config: &config,
        judgements: Vec::new(),
        joined: false,
    };
    worker.start(&built)?;
    worker.until_stopped()?;
    Ok(ExitCode::from(if built.rules.refused.is_empty() { 0 } else { 2 }))
}

/// `pipewarden config check`: everything that can be known without a broker.
///
/// # Errors
/// Every problem of the file; a list that cannot be read.
pub fn check(file: &std::path::Path) -> anyhow::Result<ExitCode> {
    use std::io::Write;
    let config = Config::load(file)?;
    let built = Built::new(&config, Unproven::Refuse)?;
    build::connection(&config)?;
    let mut out = std::io::stdout().lock();
    let (rules, refused) = (built.rules.rules.len(), built.rules.refused.len());
    writeln!(out, "{}: {} sources, {rules} rules, {refused} refused", file.display(), config.sources.len())?;
    for (source, engine) in config.sources.iter().zip(&built.engines) {
        let (name, format, reads) = (&source.name, source.format.name, engine.reads().len());
        writeln!(out, "  {name}: {format} from {}, read by {reads} rules", source.topics.join(", "))?;
    }
    Ok(ExitCode::from(if refused == 0 { 0 } else { 2 }))
}

fn ends(kafka: &KafkaSource) -> anyhow::Result<Offsets> {
    kafka.end_offsets().map_err(|error| anyhow::anyhow!("{error} (hint: {})", error.hint()))
}

struct Worker<'c> {
    config: &'c Config,
    kafka: KafkaSource,
    judges: Vec<Judge>,
    pipeline: Pipeline,
    partitions: Partitions,
    topics: BTreeMap<String, usize>,
    /// Where `--until-end` stops.
    ends: Option<Offsets>,
    control: ControlLog,
    told_positions: Positions,
    /// Time of the last tick: what is fetched now was fetched then or later.
    fetched_at: Timestamp,
    published: Arc<Published>,
    metrics: Metrics,
    judgements: Vec<Judgement>,
    /// The group has given us our share, even if that is nothing.
    joined: bool,
}

impl Worker<'_> {
    fn start(&mut self, built: &Built) -> anyhow::Result<()> {
        self.control.write(&ControlRecord::Start {
            time_ms: self.fetched_at.ms(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            rules: built.rules.infos.iter().map(|rule| (rule.id.to_string(), rule.version)).collect(),
            lists: built.lists.versions().map(|(name, version)| (name.to_owned(), version)).collect(),
        })?;
        Ok(())
    }

    fn until_stopped(&mut self) -> anyhow::Result<()> {
        let mut batch = Batch::new();
        loop {
            match self.kafka.poll(&mut batch, POLL_RECORDS_MAX, POLL_WAIT) {
                Polled::Records => self.take(&batch)?,
                Polled::Assigned(offsets) => self.assigned(&offsets)?,
                Polled::Revoked { partitions, lost } => self.revoked(&partitions, lost)?,
                Polled::End(at) => self.end(&at),
                Polled::Idle => {}
                Polled::Error(error) if error.is_retryable() => {
                    self.published.ready.store(false, Ordering::Relaxed);
                    tracing::warn!("kafka: {error} (hint: {}); trying on", error.hint());
                }
                Polled::Error(error) => bail!("{error} (hint: {})", error.hint()),
            }
            let now = clock::now();
            if now.ms() - self.fetched_at.ms() >= TICK_MS || self.is_done() {
                self.tick(now)?;
            }
            if self.is_done() {
                return self.close();
            }
            if self.published.stop.load(Ordering::Relaxed) {
                tracing::info!("stopping");
                return self.tick(clock::now());
            }
        }
    }

    fn take(&mut self, batch: &Batch) -> anyhow::Result<()> {
        for record in batch.iter() {
            let Some(held) = self.partitions.held.get_mut(record.at) else { continue };
            if held.closed {
                continue;
            }
            held.next = record.offset + 1;
            held.at_end = false;
            let Some(source) = self.config.sources.get(held.source) else { continue };
            let known_ms = record.time.append_time_ms().unwrap_or(self.fetched_at.ms());
            let bound = Timestamp::from_ms(known_ms).plus_ms(source.skew_max_ms);
            let (source, partition) = (held.source, held.partition);
            let payload = record.payload.unwrap_or_default();
            judge(&mut self.judges, &self.pipeline, source, partition, record.offset, payload, &mut self.judgements);
            self.pipeline.take(source, partition, payload, &mut self.judgements, Some(bound))?;
        }
        self.published.ready.store(true, Ordering::Relaxed);
        self.close_finished();
        Ok(())
    }

    fn assigned(&mut self, offsets: &Offsets) -> anyhow::Result<()> {
        for (at, next) in offsets {
            let Some(&source) = self.topics.get(at.topic.as_ref()) else { continue };
            self.partitions.assign(&mut self.pipeline, at, source, *next);
        }
        let positions: Positions = offsets.iter().map(|(at, next)| (name_of(at), *next)).collect();
        self.joined = true;
        tracing::info!("reading from {positions:?}");
        self.control.write(&ControlRecord::Assigned { positions })?;
        self.published.ready.store(true, Ordering::Relaxed);
        self.close_finished();
        Ok(())
    }

    /// Commits what is settled while it still can, then lets go.
    fn revoked(&mut self, partitions: &[TopicPartition], lost: bool) -> anyhow::Result<()> {
        if !lost {
            self.settle()?;
        }
        let held = |at: &&TopicPartition| self.partitions.held.get(*at).is_some_and(|held| held.active);
        let next = |at: &TopicPartition| self.partitions.held.get(at).map_or(0, |held| held.next);
        let positions: Positions = partitions.iter().filter(held).map(|at| (name_of(at), next(at))).collect();
        self.control.write(&ControlRecord::Revoked { positions })?;
        partitions.iter().for_each(|at| self.partitions.revoke(&mut self.pipeline, at));
        Ok(())
    }

    fn end(&mut self, at: &TopicPartition) {
        if let Some(held) = self.partitions.held.get_mut(at) {
            held.at_end = true;
        }
        self.close_finished();
    }

    /// `--until-end`: partitions that have reached their end offset are closed like files.
    fn close_finished(&mut self) {
        let Some(ends) = &self.ends else { return };
        for (at, held) in self.partitions.held.iter_mut().filter(|(_, held)| held.active && !held.closed) {
            if held.at_end || ends.get(at).is_none_or(|end| held.next >= *end) {
                held.closed = true;
                self.pipeline.complete(held.source, held.partition, Timestamp::MAX);
            }
        }
    }

    /// Everything that `--until-end` asked for and the group gave us has been read.
    fn is_done(&self) -> bool {
        self.ends.is_some() && self.joined && self.partitions.active().all(|(_, held)| held.closed)
    }

    fn close(&mut self) -> anyhow::Result<()> {
        let positions = self.partitions.positions();
        self.control.write(&ControlRecord::End { positions })?;
        self.settle()
    }

    /// Once a second: positions, idleness, sealing, flushing, committing.
    fn tick(&mut self, now: Timestamp) -> anyhow::Result<()> {
        let positions = self.partitions.positions();
        let changed = |(name, next): &(&String, &i64)| self.told_positions.get(*name) != Some(*next);
        let changes = positions.iter().filter(changed).map(|(name, next)| (name.clone(), *next)).collect();
        self.control.write(&ControlRecord::Tick { time_ms: now.ms(), positions: changes })?;
        self.told_positions = positions;
        let tick_ms = (now.ms() - self.fetched_at.ms()).max(0);
        self.fetched_at = now;
        if self.ends.is_none() && self.caught_up() {
            for record in self.partitions.idle(&self.pipeline, tick_ms, self.config.idle_after_ms) {
                self.control.write(&record)?;
                self.apply(&record);
            }
        }
        self.settle()?;
        self.metrics_now();
        self.published.last_tick_ms.store(now.ms(), Ordering::Relaxed);
        Ok(())
    }

    /// Quiet partitions are only quiet when the broker answers and has nothing more of them.
    fn caught_up(&self) -> bool {
        let quiet: Vec<&TopicPartition> = self.partitions.active().filter(|(_, held)| held.at_end).map(|(at, _)| at).collect();
        if quiet.is_empty() {
            return false;
        }
        match self.kafka.end_offsets() {
            Ok(ends) => quiet.iter().all(|at| ends.get(*at) <= self.kafka.positions().get(*at)),
            Err(_) => false,
        }
    }

    fn apply(&mut self, record: &ControlRecord) {
        if let ControlRecord::Idle { partition, up_to_ms, .. } = record {
            let held = self.partitions.active().find(|(at, _)| name_of(at) == *partition).map(|(_, held)| held.clone());
            if let Some(held) = held {
                self.pipeline.complete(held.source, held.partition, Timestamp::from_ms(*up_to_ms));
            }
        }
    }

    /// Seals, flushes, and commits what nothing unsealed stands before.
    fn settle(&mut self) -> anyhow::Result<()> {
        self.pipeline.advance()?;
        self.pipeline.flush()?;
        self.control.sync()?;
        let unsealed = self.pipeline.unsealed();
        let lowest = |at: &TopicPartition| {
            let name = name_of(at);
            unsealed.iter().filter(|(partition, _)| *partition.name == *name).map(|(_, offset)| *offset).min()
        };
        let offsets: Offsets =
            self.partitions.active().map(|(at, held)| (at.clone(), lowest(at).map_or(held.next, |low| low.min(held.next)))).collect();
        if offsets.is_empty() {
            return Ok(());
        }
        match self.kafka.commit(&offsets) {
            Ok(_) => Ok(()),
            Err(error) if error.is_retryable() => {
                tracing::warn!("kafka: offsets not committed yet: {error}");
                Ok(())
            }
            Err(error) => bail!("{error} (hint: {})", error.hint()),
        }
    }

    fn metrics_now(&mut self) {
        let sources: Vec<String> = self.config.sources.iter().map(|source| source.name.clone()).collect();
        self.metrics.update(&self.pipeline, &sources);
        for (at, held) in self.partitions.active() {
            if let Some(source) = sources.get(held.source) {
                self.metrics.position(source, &name_of(at), held.next);
            }
        }
    }
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
