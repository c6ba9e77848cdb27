//! The partitions a worker holds: their place in the pipeline, how far they have been read, and when they are idle.
//!
//! Idleness is decided on ticks only, and only for partitions that have been read to their end; what it decides is
//! returned as control records, and applied through them alone, live and in replay.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context;
use ingest::kafka::{Offsets, TopicPartition};
use model::Timestamp;

use super::snapshots::HeldState;
use crate::config::{Config, SourceConfig};
use crate::control::{ControlRecord, Positions};
use crate::pipeline::Pipeline;

/// One partition that a worker holds or has held.
#[derive(Debug, Clone)]
pub struct Held {
    /// Its source in the pipeline.
    pub source: usize,
    /// Its number there.
    pub partition: usize,
    /// The next offset.
    pub next: i64,
    /// It is being read.
    pub active: bool,
    /// Read to its end, and nothing since.
    pub at_end: bool,
    /// Milliseconds of ticks since its last record.
    pub quiet_ms: i64,
    /// A record has come since this worker reads it.
    pub spoke: bool,
    /// It has been closed for good (`--until-end`).
    pub closed: bool,
}

impl Held {
    fn new(source: usize, partition: usize, next: i64) -> Held {
        Held { source, partition, next, active: true, at_end: false, quiet_ms: 0, spoke: false, closed: false }
    }
}

/// Name of a partition in control records and books.
pub fn name_of(at: &TopicPartition) -> String {
    format!("{}/{}", at.topic, at.partition)
}

/// All partitions by name.
#[derive(Debug, Default)]
pub struct Partitions {
    pub(crate) held: BTreeMap<TopicPartition, Held>,
    /// The watermark of a source when all its partitions fell idle, and milliseconds of ticks since.
    asleep: BTreeMap<usize, (Timestamp, i64)>,
}

impl Partitions {
    /// Takes a partition over at an offset.
    pub fn assign(&mut self, pipeline: &mut Pipeline, at: &TopicPartition, source: usize, next: i64) {
        match self.held.get_mut(at) {
            // Given to us again, where we had come to.
            Some(held) if held.active && held.next == next => {}
            Some(held) => {
                if held.active {
                    pipeline.release(held.source, held.partition);
                    pipeline.take_back(held.source, held.partition);
                } else {
                    pipeline.take_back(held.source, held.partition);
                }
                *held = Held::new(held.source, held.partition, next);
            }
            None => {
                let partition = pipeline.add_partition(source, &name_of(at));
                self.held.insert(at.clone(), Held::new(source, partition, next));
            }
        }
    }

    /// All of them, for a snapshot. `committed`: the offsets that were committed last.
    pub fn snapshot(&self, config: &Config, committed: &Offsets) -> Vec<HeldState> {
        let state = |(at, held): (&TopicPartition, &Held)| {
            let source = config.sources.get(held.source).map(|source| source.name.clone()).unwrap_or_default();
            HeldState {
                topic: at.topic.to_string(),
                partition: at.partition,
                source,
                number: held.partition,
                next: held.next,
                active: held.active,
                spoke: held.spoke,
                committed: committed.get(at).copied(),
            }
        };
        self.held.iter().map(state).collect()
    }

    /// Puts back what a snapshot held.
    ///
    /// # Errors
    /// When a source or topic is gone.
    pub fn restore(&mut self, config: &Config, held: &[HeldState]) -> anyhow::Result<()> {
        for of in held {
            let reads = |source: &SourceConfig| source.name == of.source && source.topics.contains(&of.topic);
            let source = config.sources.iter().position(reads);
            let source = source.with_context(|| format!("source {} does not read {} any more", of.source, of.topic))?;
            let state = Held { active: of.active, spoke: of.spoke, ..Held::new(source, of.number, of.next) };
            self.held.insert(TopicPartition::new(&of.topic, of.partition), state);
        }
        Ok(())
    }

    /// Gives a partition back.
    pub fn revoke(&mut self, pipeline: &mut Pipeline, at: &TopicPartition) {
        if let Some(held) = self.held.get_mut(at) {
            held.active = false;
            pipeline.release(held.source, held.partition);
        }
    }

    /// The partitions being read, with their next offsets.
    pub fn positions(&self) -> Positions {
        self.active().map(|(at, held)| (name_of(at), held.next)).collect()
    }

    /// The partitions being read.
    pub fn active(&self) -> impl Iterator<Item = (&TopicPartition, &Held)> {
        self.held.iter().filter(|(_, held)| held.active)
    }

    /// A tick passed: the partitions that have now been quiet at their end for long enough, if the broker agrees.
    pub fn quiet(&mut self, tick_ms: i64, idle_after_ms: i64) -> Vec<TopicPartition> {
        for held in self.held.values_mut() {
            held.quiet_ms = if held.at_end { held.quiet_ms.saturating_add(tick_ms) } else { 0 };
        }
        self.active().filter(|(_, held)| held.quiet_ms >= idle_after_ms).map(|(at, _)| at.clone()).collect()
    }

    /// A partition is not quiet: its records are on their way.
    pub fn wake(&mut self, at: &TopicPartition) {
        if let Some(held) = self.held.get_mut(at) {
            held.quiet_ms = 0;
        }
    }

    /// Whoever writes to the broker could not either: nobody is quiet.
    pub fn wake_all(&mut self) {
        self.held.values_mut().for_each(|held| held.quiet_ms = 0);
    }

    /// What a tick decides: partitions that have been quiet at their end count as complete up to the watermark of the
    /// others of their source; where all are quiet, source time advances by the ticks; where none has said anything yet,
    /// it follows the other sources, its own lateness behind the slowest.
    pub fn idle(&mut self, pipeline: &Pipeline, config: &Config, tick_ms: i64) -> Vec<ControlRecord> {
        let sources: BTreeSet<usize> = self.active().map(|(_, held)| held.source).collect();
        let mut records = Vec::new();
        for source in sources {
            let Some(up_to) = self.complete_up_to(pipeline, config, source, tick_ms) else { continue };
            let is_idle = |held: &Held| held.source == source && held.quiet_ms >= config.idle_after_ms;
            for (at, held) in self.active().filter(|(_, held)| is_idle(held)) {
                if pipeline.partition_watermark(source, held.partition) < up_to {
                    let partition = name_of(at);
                    records.push(ControlRecord::Idle { partition, position: held.next, up_to_ms: up_to.ms() });
                }
            }
        }
        records
    }

    fn of(&self, source: usize) -> impl Iterator<Item = &Held> {
        self.active().map(|(_, held)| held).filter(move |held| held.source == source)
    }

    fn complete_up_to(
        &mut self,
        pipeline: &Pipeline,
        config: &Config,
        source: usize,
        tick_ms: i64,
    ) -> Option<Timestamp> {
        let watermark = |held: &Held| pipeline.partition_watermark(source, held.partition);
        let awake = self.of(source).filter(|held| held.quiet_ms < config.idle_after_ms).map(watermark).min();
        if awake.is_some() {
            self.asleep.remove(&source);
            return awake.filter(|awake| *awake != Timestamp::MIN);
        }
        let spoke = self.of(source).any(|held| held.spoke);
        let newest = self.of(source).map(watermark).max().filter(|newest| spoke && *newest != Timestamp::MIN);
        let Some(newest) = newest else { return self.followed(pipeline, config, source) };
        let (from, elapsed_ms) = self.asleep.entry(source).or_insert((newest, 0));
        if newest > from.plus_ms(*elapsed_ms) {
            // Something was said between two ticks: time goes on from there.
            (*from, *elapsed_ms) = (newest, 0);
        }
        *elapsed_ms = elapsed_ms.saturating_add(tick_ms);
        Some(from.plus_ms(*elapsed_ms))
    }

    /// How far the slowest of the other sources that have a time has come, less this source's lateness.
    fn followed(&self, pipeline: &Pipeline, config: &Config, source: usize) -> Option<Timestamp> {
        let lateness_ms = |source: usize| config.sources.get(source).map_or(0, |source| source.lateness_ms);
        let reached = |other: usize| {
            let watermark = self.of(other).map(|held| pipeline.partition_watermark(other, held.partition)).min()?;
            (watermark != Timestamp::MIN).then(|| watermark.plus_ms(lateness_ms(other)))
        };
        let others = self.active().map(|(_, held)| held.source).filter(|&other| other != source);
        let spoke = others.filter(|&other| self.of(other).any(|held| held.spoke));
        spoke.filter_map(reached).min().map(|reached| reached.plus_ms(-lateness_ms(source)))
    }
}
