//! The worker's loop: polls Kafka, judges, takes, and on every tick decides idleness, seals, flushes and commits.
//!
//! Order of commitment: control log on disk, records told and flushed, then offsets. Offsets never pass a finding that
//! is not sealed: what a crash interrupts is read again. What waiting can mend is waited for, and never exits.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::bail;
use ingest::kafka::{Batch, KafkaError, Offsets, TopicPartition};
use ingest::source::kafka::{KafkaSource, Polled};
use model::{Sha256, Timestamp};

use super::archiving::Archiving;
use super::build::Built;
use super::fed::Fed;
use super::health;
use super::heartbeats::Heartbeats;
use super::partitions::{Held, Partitions, name_of};
use super::resume::Ready;
use super::snapshots::Snapshots;
use super::throttle::Throttle;
use crate::clock;
use crate::config::Config;
use crate::control::{ControlLog, ControlRecord, Positions};
use crate::http::Published;
use crate::judge::{Judge, Judgement};
use crate::pipeline::Pipeline;
use crate::telemetry::Metrics;

const POLL_RECORDS_MAX: usize = 20_000;
const POLL_WAIT: Duration = Duration::from_millis(100);
const TICK_MS: i64 = 1_000;
/// The longest that one tick counts as silence: a worker that hung, or a clock that jumped, has heard nobody be silent.
const TICK_COUNTED_MAX_MS: i64 = 2 * TICK_MS;

/// A worker at work.
pub(super) struct Worker<'c> {
    pub(super) config: &'c Config,
    /// The rules and lists that run.
    pub(super) built: Built,
    pub(super) kafka: KafkaSource,
    pub(super) judges: Vec<Judge>,
    pub(super) pipeline: Pipeline,
    pub(super) partitions: Partitions,
    /// Topic → source.
    pub(super) topics: BTreeMap<String, usize>,
    /// Where `--until-end` stops.
    pub(super) ends: Option<Offsets>,
    pub(super) control: ControlLog,
    pub(super) told_positions: Positions,
    pub(super) committed: Offsets,
    /// Time of the last tick: what is fetched now was fetched then or later.
    pub(super) fetched_at: Timestamp,
    pub(super) published: Arc<Published>,
    pub(super) metrics: Metrics,
    pub(super) judgements: Vec<Judgement>,
    /// The group has given us our share, even if that is nothing.
    pub(super) joined: bool,
    pub(super) snapshots: Snapshots,
    /// Rules that ran before and by which keyed states number still, oldest first, each with the version of its graph.
    pub(super) past: Vec<(Sha256, Sha256)>,
    /// It goes on from the state of one before it, and has not been given its partitions again yet.
    pub(super) resumed: bool,
    pub(super) heartbeats: Heartbeats,
    pub(super) fed: Fed,
    pub(super) archiving: Archiving,
    pub(super) throttle: Throttle,
}

impl<'c> Worker<'c> {
    /// A worker that goes on from what it is given, or has read nothing yet.
    pub fn new(
        config: &'c Config,
        (ready, fed, archiving, throttle): (Ready, Fed, Archiving, Throttle),
        kafka: KafkaSource,
        (control, snapshots): (ControlLog, Snapshots),
        metrics: Metrics,
        published: Arc<Published>,
    ) -> Worker<'c> {
        let Ready { built, past, pipeline, partitions, heartbeats, .. } = ready;
        Worker {
            config,
            kafka,
            judges: built.judges(),
            built,
            pipeline,
            resumed: !partitions.held.is_empty(),
            partitions,
            topics: Built::topics(config),
            ends: None,
            control,
            told_positions: Positions::new(),
            committed: Offsets::new(),
            fetched_at: clock::now(),
            published,
            metrics,
            judgements: Vec::new(),
            joined: false,
            snapshots,
            past,
            heartbeats: Heartbeats::of(health::watched(config).map(|(source, _)| source), heartbeats),
            fed,
            archiving,
            throttle,
        }
    }

    /// Stops at the end offsets of this moment.
    pub fn stop_at_ends(&mut self) -> anyhow::Result<()> {
        self.ends = Some(self.kafka.end_offsets().map_err(|error| failed(&error))?);
        Ok(())
    }

    /// Works until somebody asks to stop, or `--until-end` is reached.
    pub fn until_stopped(&mut self) -> anyhow::Result<()> {
        let mut batch = Batch::new();
        loop {
            if self.published.reload.swap(false, Ordering::Relaxed) {
                self.reload()?;
            }
            self.poll(&mut batch)?;
            let now = clock::now();
            let stop = self.published.stop.load(Ordering::Relaxed);
            if stop {
                self.snapshots.hurry();
            }
            let done = self.is_done();
            // A clock that was set back must not stop the ticks.
            if (now.ms() - self.fetched_at.ms()).abs() >= TICK_MS || done || stop {
                self.tick(now)?;
            }
            if done {
                return self.close(&mut batch);
            }
            if stop {
                tracing::info!("stopped");
                return Ok(());
            }
        }
    }

    fn poll(&mut self, batch: &mut Batch) -> anyhow::Result<()> {
        match self.kafka.poll(batch, POLL_RECORDS_MAX, POLL_WAIT) {
            Polled::Records => self.take(batch),
            Polled::Assigned(offsets) => self.assigned(&offsets),
            Polled::Revoked { partitions, lost } => self.revoked(&partitions, lost),
            Polled::End(at) => {
                self.ended(&at);
                Ok(())
            }
            Polled::Idle => Ok(()),
            Polled::Error(error) if error.is_retryable() => {
                self.not_ready(&error.to_string());
                Ok(())
            }
            Polled::Error(error) => Err(failed(&error)),
        }
    }

    fn take(&mut self, batch: &Batch) -> anyhow::Result<()> {
        for record in batch.iter() {
            let Some(held) = self.partitions.held.get_mut(record.at) else { continue };
            let end = self.ends.as_ref().and_then(|ends| ends.get(record.at));
            if held.closed || end.is_some_and(|end| record.offset >= *end) {
                held.at_end = true;
                continue;
            }
            held.next = record.offset + 1;
            held.at_end = false;
            held.quiet_ms = 0;
            held.spoke = true;
            let Some(source) = self.config.sources.get(held.source) else { continue };
            let known_ms = record.time.append_time_ms().unwrap_or(self.fetched_at.ms());
            let bound = Timestamp::from_ms(known_ms).plus_ms(source.skew_max_ms);
            let (source, partition) = (held.source, held.partition);
            let payload = record.payload.unwrap_or_default();
            super::judge(
                &mut self.judges,
                &self.pipeline,
                source,
                partition,
                record.offset,
                payload,
                &mut self.judgements,
            );
            self.pipeline.take(source, partition, payload, &mut self.judgements, Some(bound))?;
        }
        self.heed_events()?;
        self.close_finished();
        Ok(())
    }

    fn assigned(&mut self, offsets: &Offsets) -> anyhow::Result<()> {
        self.joined = true;
        self.committed.clear();
        let positions: Positions = offsets.iter().map(|(at, next)| (name_of(at), *next)).collect();
        tracing::info!("reading from {positions:?}");
        if !positions.is_empty() {
            self.control.write(&ControlRecord::Assigned { positions })?;
        }
        for (at, next) in offsets {
            let Some(&source) = self.topics.get(at.topic.as_ref()) else { continue };
            self.partitions.assign(&mut self.pipeline, at, source, *next);
        }
        if std::mem::take(&mut self.resumed) {
            // What was ours and is not given to us again, another worker reads.
            let others: Vec<_> = self.partitions.active().map(|(at, _)| at.clone()).collect();
            let others: Vec<_> = others.into_iter().filter(|at| !offsets.contains_key(at)).collect();
            self.revoked(&others, true)?;
        }
        self.snapshots.hurry();
        self.close_finished();
        Ok(())
    }

    /// Commits what is settled while it still can, then lets go.
    fn revoked(&mut self, partitions: &[TopicPartition], lost: bool) -> anyhow::Result<()> {
        if !lost {
            self.try_archive()?;
            self.settle()?;
        }
        self.committed.clear();
        let held = self.partitions.active().filter(|(at, _)| partitions.contains(at));
        let positions: Positions = held.map(|(at, held)| (name_of(at), held.next)).collect();
        if !positions.is_empty() {
            self.control.write(&ControlRecord::Revoked { positions })?;
        }
        partitions.iter().for_each(|at| self.partitions.revoke(&mut self.pipeline, at));
        if !partitions.is_empty() {
            self.heartbeats.forget(self.fetched_at);
        }
        self.snapshots.hurry();
        Ok(())
    }

    fn ended(&mut self, at: &TopicPartition) {
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
    pub(super) fn is_done(&self) -> bool {
        self.ends.is_some() && self.joined && self.partitions.active().all(|(_, held)| held.closed)
    }

    /// Ends only once everything is told and committed: an exit code of 0 says so.
    fn close(&mut self, batch: &mut Batch) -> anyhow::Result<()> {
        let positions = self.partitions.positions();
        self.control.write(&ControlRecord::End { positions })?;
        while !self.settle()? {
            if self.published.stop.load(Ordering::Relaxed) {
                bail!("stopped before everything was told (hint: what is not committed is read again by the next run)");
            }
            self.poll(batch)?;
        }
        Ok(())
    }

    /// Once a second: positions, idleness, sealing, flushing, committing.
    fn tick(&mut self, now: Timestamp) -> anyhow::Result<()> {
        self.adopt_lists()?;
        let positions = self.partitions.positions();
        let changed = |(name, next): &(&String, &i64)| self.told_positions.get(*name) != Some(*next);
        let changes = positions.iter().filter(changed).map(|(name, next)| (name.clone(), *next)).collect();
        self.control.write(&ControlRecord::Tick { time_ms: now.ms(), positions: changes })?;
        self.told_positions = positions;
        let tick_ms = (now.ms() - self.fetched_at.ms()).clamp(0, TICK_COUNTED_MAX_MS);
        self.fetched_at = now;
        if self.ends.is_none() {
            self.idle(tick_ms)?;
            self.heed_heartbeats(now)?;
        }
        self.pipeline.tick(now)?;
        self.settle()?;
        self.metrics_now();
        self.published.last_tick_ms.store(now.ms(), Ordering::Relaxed);
        Ok(())
    }

    /// Quiet partitions are idle only when the broker answers and has nothing more of them.
    fn idle(&mut self, tick_ms: i64) -> anyhow::Result<()> {
        for at in self.partitions.quiet(tick_ms, self.config.idle_after_ms) {
            match self.kafka.has_more(&at) {
                Ok(false) => {}
                Ok(true) => self.partitions.wake(&at),
                Err(error) => {
                    self.partitions.wake_all();
                    self.not_ready(&error.to_string());
                    return Ok(());
                }
            }
        }
        for record in self.partitions.idle(&self.pipeline, self.config, tick_ms) {
            self.control.write(&record)?;
            self.apply(&record);
        }
        Ok(())
    }

    fn apply(&mut self, record: &ControlRecord) {
        let ControlRecord::Idle { partition, up_to_ms, .. } = record else { return };
        let held = self.partitions.active().find(|(at, _)| name_of(at) == *partition);
        if let Some((source, number)) = held.map(|(_, held)| (held.source, held.partition)) {
            self.pipeline.complete(source, number, Timestamp::from_ms(*up_to_ms));
        }
    }

    /// Seals, flushes, and commits what nothing unsealed stands before. False: something has to be waited for, and what
    /// was not committed stays so.
    fn settle(&mut self) -> anyhow::Result<bool> {
        self.control.sync()?;
        self.pipeline.advance()?;
        self.record_found()?;
        if let Err(error) = self.pipeline.flush() {
            if !error.retryable {
                return Err(error.into());
            }
            self.not_ready(&error.to_string());
            return Ok(false);
        }
        if self.archive_is_full() || self.is_done() {
            self.try_archive()?;
        }
        self.keep_state();
        let offsets = self.settled();
        // While something is wrong, a commit is also how we hear that it is over.
        if offsets == self.committed && self.published.ready.load(Ordering::Relaxed) {
            return Ok(true);
        }
        match if offsets.is_empty() { Ok(Vec::new()) } else { self.kafka.commit(&offsets) } {
            Ok(_) => {
                self.committed = offsets;
                self.published.ready.store(self.joined, Ordering::Relaxed);
                Ok(true)
            }
            Err(error) if error.is_retryable() => {
                self.not_ready(&format!("offsets not committed yet: {error}"));
                Ok(false)
            }
            Err(error) => Err(failed(&error)),
        }
    }

    /// For each partition held, the offset before which everything is sealed.
    fn settled(&self) -> Offsets {
        let read = self.partitions.active().map(|(_, held)| (held.source, held.partition, held.next));
        let checkpoint = self.pipeline.checkpoint(read);
        let next = |held: &Held| checkpoint.next(self.pipeline.partition(held.source, held.partition)?);
        // Nor do offsets pass what is not archived: whoever begins at them archives it.
        let archived = |at: &TopicPartition| match self.pipeline.archive() {
            Some(keeper) => keeper.archived(&name_of(at)),
            None => Some(i64::MAX),
        };
        let both = |at: &TopicPartition, held| Some(next(held)?.min(archived(at)?));
        self.partitions.active().filter_map(|(at, held)| Some((at.clone(), both(at, held)?))).collect()
    }

    fn not_ready(&mut self, reason: &str) {
        self.published.ready.store(false, Ordering::Relaxed);
        tracing::warn!("kafka: {reason}; trying on");
    }

    fn metrics_now(&mut self) {
        let sources: Vec<String> = self.config.sources.iter().map(|source| source.name.clone()).collect();
        self.metrics.update(&self.pipeline, &sources);
        self.objectives_now();
        for (at, source) in sources.iter().enumerate() {
            self.metrics.health(source, self.pipeline.is_unhealthy(at, self.fetched_at));
        }
        for (at, held) in self.partitions.active() {
            if let Some(source) = sources.get(held.source) {
                self.metrics.position(source, &name_of(at), held.next);
            }
        }
    }
}

fn failed(error: &KafkaError) -> anyhow::Error {
    anyhow::anyhow!("{error} (hint: {})", error.hint())
}
