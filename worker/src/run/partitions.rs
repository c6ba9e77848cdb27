//! The partitions a worker holds: their place in the pipeline, how far they have been read, and when they are idle.
//!
//! Idleness is decided on ticks only, and only for partitions that have been read to their end; what it decides is
//! returned as control records, and applied through them alone, live and in replay.

use std::collections::BTreeMap;

use ingest::kafka::TopicPartition;
use model::Timestamp;

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
    /// It has been closed for good (`--until-end`).
    pub closed: bool,
}

/// Name of a partition in control records and books.
pub fn name_of(at: &TopicPartition) -> String {
    format!("{}/{}", at.topic, at.partition)
}

/// All partitions by name.
#[derive(Debug, Default)]
pub struct Partitions {
    pub(crate) held: BTreeMap<TopicPartition, Held>,
    /// Ticks since all partitions of a source fell idle, milliseconds, and the watermark at that moment.
    asleep: BTreeMap<usize, (Timestamp, i64)>,
}

impl Partitions {
    /// Takes a partition over at an offset.
    pub fn assign(&mut self, pipeline: &mut Pipeline, at: &TopicPartition, source: usize, next: i64) {
        match self.held.get_mut(at) {
            Some(held) => {
                if !held.active {
                    pipeline.take_back(held.source, held.partition);
                }
                *held = Held { next, active: true, at_end: false, quiet_ms: 0, ..held.clone() };
            }
            None => {
                let partition = pipeline.add_partition(source, &name_of(at));
                let held = Held { source, partition, next, active: true, at_end: false, quiet_ms: 0, closed: false };
                self.held.insert(at.clone(), held);
            }
        }
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

    /// What a tick decides: partitions that have been quiet at their end count as complete up to the watermark of the
    /// others of their source; where all are quiet, source time advances by the ticks.
    pub fn idle(&mut self, pipeline: &Pipeline, tick_ms: i64, idle_after_ms: i64) -> Vec<ControlRecord> {
        for held in self.held.values_mut() {
            held.quiet_ms = if held.at_end { held.quiet_ms.saturating_add(tick_ms) } else { 0 };
        }
        let mut sources: Vec<usize> = self.active().map(|(_, held)| held.source).collect();
        sources.sort_unstable();
        sources.dedup();
        let mut records = Vec::new();
        for source in sources {
            if let Some(up_to) = self.complete_up_to(pipeline, source, tick_ms, idle_after_ms) {
                let idle = self.active().filter(|(_, held)| held.source == source && held.quiet_ms >= idle_after_ms);
                for (at, held) in idle {
                    if pipeline.partition_watermark(source, held.partition) < up_to {
                        let partition = name_of(at);
                        records.push(ControlRecord::Idle { partition, position: held.next, up_to_ms: up_to.ms() });
                    }
                }
            }
        }
        records
    }

    fn complete_up_to(&mut self, pipeline: &Pipeline, source: usize, tick_ms: i64, idle_after_ms: i64) -> Option<Timestamp> {
        let of_source = || self.active().filter(|(_, held)| held.source == source);
        let watermark = |held: &Held| pipeline.partition_watermark(source, held.partition);
        let awake: Option<Timestamp> =
            of_source().filter(|(_, held)| held.quiet_ms < idle_after_ms).map(|(_, held)| watermark(held)).min();
        if let Some(awake) = awake {
            self.asleep.remove(&source);
            return (awake != Timestamp::MIN && awake != Timestamp::MAX).then_some(awake);
        }
        let newest = of_source().map(|(_, held)| watermark(held)).filter(|w| *w != Timestamp::MAX).max()?;
        if newest == Timestamp::MIN {
            return None;
        }
        let (from, elapsed_ms) = self.asleep.entry(source).or_insert((newest, 0));
        *elapsed_ms = elapsed_ms.saturating_add(tick_ms);
        Some(from.plus_ms(*elapsed_ms))
    }
}
