//! A stretch of partitions that has been read before, read again from Kafka by its scripts: the same decisions.
//!
//! Must never read behind the end of a script, nor decide anything by itself.

use std::time::Duration;

use ingest::kafka::{Batch, Connection, KafkaError, Offsets, Retry};
use ingest::source::kafka::{KafkaSource, Polled, Reading};
use model::Timestamp;

use super::build::{self, Built};
use super::heartbeats::Heartbeats;
use super::partitions::Partitions;
use super::script::Scripts;
use crate::config::Config;
use crate::control::ControlRecord;
use crate::health::{self, Spoken};
use crate::judge::{Judge, Judgement};
use crate::lanes::SetId;
use crate::pipeline::Pipeline;

const POLL_RECORDS_MAX: usize = 20_000;
/// Records that the broker still has come within this time, or the broker is not well.
const POLL_WAIT: Duration = Duration::from_secs(20);

/// The broker does not give what it may have still: whoever tries again may get it.
#[derive(Debug)]
pub struct NotYet(String);

impl std::fmt::Display for NotYet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NotYet {}

fn failed(error: &KafkaError) -> anyhow::Error {
    let said = format!("{error} (hint: {})", error.hint());
    if error.is_retryable() { NotYet(said).into() } else { anyhow::anyhow!(said) }
}

/// What judges the records of a stretch.
pub struct Stretch<'c> {
    config: &'c Config,
    /// Of each version of the rules, for each source: that of the start, then those that took effect.
    judges: Vec<Vec<Judge>>,
    /// The pipeline's number of each version but the first.
    set_ids: Vec<SetId>,
    /// How many of them have been heeded.
    heeded: usize,
    judgements: Vec<Judgement>,
    /// What was heard of sources by its end.
    pub heartbeats: Heartbeats,
}

impl<'c> Stretch<'c> {
    /// A stretch that begins with these rules.
    pub fn new(config: &'c Config, start: &Built, heartbeats: Heartbeats) -> Stretch<'c> {
        let judges = vec![start.judges()];
        Stretch { config, judges, set_ids: Vec::new(), heeded: 0, judgements: Vec::new(), heartbeats }
    }

    /// Rules that took effect in the course of it, next.
    ///
    /// # Errors
    /// When a correlation cannot be compiled.
    pub fn add(&mut self, built: &Built, pipeline: &mut Pipeline) -> anyhow::Result<()> {
        self.judges.push(built.judges());
        self.set_ids.push(pipeline.add_set(built.engines.clone())?);
        Ok(())
    }

    /// What the worker knew of sources then, and since when.
    pub fn heed(&mut self, record: &ControlRecord, pipeline: &mut Pipeline) {
        if let Some((said, known)) = health::of_record(record) {
            self.heartbeats.told(&said);
            pipeline.heed(&said, &known);
        }
        if let ControlRecord::Rules { known, .. } = record
            && let Some(set) = self.set_ids.get(self.heeded)
        {
            pipeline.count_from(*set, &health::known_of(known));
            self.heeded += 1;
        }
    }

    /// Reads every partition from where it stands to the end of its script, and tells the pipeline what the script says.
    ///
    /// # Errors
    /// When the broker does not have the records any more, or cannot be read; [`NotYet`] where trying again may help.
    pub fn read(
        &mut self,
        connection: &Connection,
        partitions: &mut Partitions,
        pipeline: &mut Pipeline,
        scripts: &mut Scripts,
    ) -> anyhow::Result<()> {
        let some = scripts.of.iter().filter(|(_, script)| script.from < script.to);
        let offsets: Offsets = some.map(|(at, script)| (at.clone(), script.from)).collect();
        let mut left: i64 = scripts.of.values().map(|script| script.to - script.from).sum();
        if left > 0 {
            let reading = Reading::From(offsets);
            let mut kafka = KafkaSource::open(connection, &reading, &Retry::default(), &mut build::tell_attempt)
                .map_err(|error| failed(&error))?;
            let mut batch = Batch::new();
            while left > 0 {
                match kafka.poll(&mut batch, POLL_RECORDS_MAX, POLL_WAIT) {
                    Polled::Records => {}
                    Polled::Error(error) if !error.is_retryable() => return Err(failed(&error)),
                    Polled::Idle => {
                        let late = format!("{left} records of the recorded stretch did not come within {POLL_WAIT:?}");
                        return Err(NotYet(late).into());
                    }
                    Polled::End(at) => {
                        // What is missing up to the end are markers of transactions, which are no records.
                        if let (Some(script), Some(held)) = (scripts.of.get(&at), partitions.held.get_mut(&at)) {
                            left -= (script.to - held.next).max(0);
                            held.next = held.next.max(script.to);
                        }
                        continue;
                    }
                    _ => continue,
                }
                left -= self.take(&batch, partitions, pipeline, scripts)?;
                pipeline.advance()?;
            }
        }
        for (at, script) in &mut scripts.of {
            if let Some(held) = partitions.held.get(at) {
                script.reach(script.to, |up_to| pipeline.complete(held.source, held.partition, up_to));
            }
        }
        Ok(())
    }

    /// Takes a batch as the worker took it then, and returns how many offsets of the stretch it covers.
    fn take(
        &mut self,
        batch: &Batch,
        partitions: &mut Partitions,
        pipeline: &mut Pipeline,
        scripts: &mut Scripts,
    ) -> anyhow::Result<i64> {
        let mut covered = 0;
        for record in batch.iter() {
            let (Some(script), Some(held)) = (scripts.of.get_mut(record.at), partitions.held.get_mut(record.at)) else {
                continue;
            };
            if record.offset >= script.to {
                continue;
            }
            covered += record.offset + 1 - held.next;
            held.next = record.offset + 1;
            let (source, partition) = (held.source, held.partition);
            script.reach(record.offset, |up_to| pipeline.complete(source, partition, up_to));
            let skew_max_ms = self.config.sources.get(source).map_or(0, |source| source.skew_max_ms);
            let known = record.time.append_time_ms().map(Timestamp::from_ms).or(script.fetched_at);
            let bound = known.map(|known| known.plus_ms(skew_max_ms));
            let payload = record.payload.unwrap_or_default();
            if script.reach_set(record.offset)
                && let Some(id) = script.set.checked_sub(1).and_then(|at| self.set_ids.get(at))
            {
                pipeline.switch(source, partition, *id);
            }
            let Some(judges) = self.judges.get_mut(script.set) else { continue };
            super::judge(judges, pipeline, source, partition, record.offset, payload, &mut self.judgements);
            pipeline.take(source, partition, payload, &mut self.judgements, bound)?;
        }
        // What the worker made of it then stands in the control log.
        for spoken in pipeline.take_said() {
            if let Spoken::Heartbeat { source, at } = spoken {
                self.heartbeats.heard(&source, at);
            }
        }
        Ok(covered)
    }
}
