//! A stretch that a worker has read, read again from Kafka with its control log: the same sealed bytes.
//!
//! What the clock decided then (fetch times, idleness) is read, not decided again; the clock of today plays no part.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use ingest::kafka::{Batch, Offsets, Retry, TopicPartition};
use ingest::source::kafka::{KafkaSource, Polled, Reading};
use model::{Sha256, Timestamp};

use super::build::{self, Built};
use super::partitions::Partitions;
use crate::config::Config;
use crate::control::{ControlRecord, read_last_run};
use crate::judge::{Judge, Judgement};
use crate::lanes::SetId;
use crate::pipeline::{Outlets, Pipeline};
use crate::ruleset::Unproven;

const POLL_RECORDS_MAX: usize = 20_000;
/// A stretch that the broker still has comes within this time, or not at all.
const POLL_WAIT: Duration = Duration::from_secs(20);

/// What one partition is told at its positions.
#[derive(Debug, Default)]
struct Script {
    from: i64,
    to: i64,
    /// From a position on, records were fetched at this time or later.
    fetched: VecDeque<(i64, Timestamp)>,
    /// At a position, the partition counts as complete up to a time.
    idle: VecDeque<(i64, Timestamp)>,
    /// From a position on, records are judged by this version of the rules.
    sets: VecDeque<(i64, Sha256)>,
    /// The version that judges the next record; None: the one of the start.
    set: Option<Sha256>,
    /// When the next record was fetched, at the earliest.
    fetched_at: Option<Timestamp>,
}

/// Replays the last run of a control log; sealed records go to `alerts` in one total order.
///
/// # Errors
/// When the control log or the stretch cannot be read.
pub fn rerun(config_file: &Path, control_log: &Path, alerts: &Path) -> anyhow::Result<()> {
    let outlets = Outlets { sealed: vec![build::lines_to(alerts)?], ..Outlets::default() };
    rerun_into(config_file, control_log, outlets)
}

/// The same, for any outlets.
///
/// # Errors
/// As [`rerun`].
pub fn rerun_into(config_file: &Path, control_log: &Path, outlets: Outlets) -> anyhow::Result<()> {
    let config = Config::load(config_file)?;
    let run = read_last_run(control_log).with_context(|| control_log.display().to_string())?;
    let state = control_log.parent().unwrap_or(Path::new("."));
    let (built, later) = sets(&config, &run, state)?;
    let (mut scripts, ended) = scripts(&run)?;
    let redaction = build::redaction_key(&config, state)?.unwrap_or_default();
    let mut pipeline = built.pipeline(&config, outlets, true, redaction)?;
    let mut judges = BTreeMap::from([(None, built.judges())]);
    let mut set_ids = BTreeMap::new();
    for (version, set) in &later {
        judges.insert(Some(*version), set.judges());
        set_ids.insert(*version, pipeline.add_set(set.engines.clone())?);
    }
    let mut stretch = Stretch { config: &config, judges, set_ids, judgements: Vec::new() };
    let topics = Built::topics(&config);
    let mut partitions = Partitions::default();
    for (at, script) in &scripts {
        let source =
            topics.get(at.topic.as_ref()).with_context(|| format!("topic {} is not in the configuration", at.topic))?;
        partitions.assign(&mut pipeline, at, *source, script.from);
    }
    let offsets: Offsets = scripts
        .iter()
        .filter(|(_, script)| script.from < script.to)
        .map(|(at, script)| (at.clone(), script.from))
        .collect();
    let connection = build::connection(&config)?;
    let mut left: i64 = scripts.values().map(|script| script.to - script.from).sum();
    if left > 0 {
        let mut kafka =
            KafkaSource::open(&connection, &Reading::From(offsets), &Retry::default(), &mut build::tell_attempt)
                .map_err(|error| anyhow::anyhow!("{error} (hint: {})", error.hint()))?;
        let mut batch = Batch::new();
        while left > 0 {
            match kafka.poll(&mut batch, POLL_RECORDS_MAX, POLL_WAIT) {
                Polled::Records => {}
                Polled::Error(error) if !error.is_retryable() => bail!("{error} (hint: {})", error.hint()),
                Polled::Idle => bail!("{left} records of the recorded stretch did not come within {POLL_WAIT:?}"),
                Polled::End(at) => {
                    // What is missing up to the end are markers of transactions, which are no records.
                    if let (Some(script), Some(held)) = (scripts.get(&at), partitions.held.get_mut(&at)) {
                        left -= (script.to - held.next).max(0);
                        held.next = held.next.max(script.to);
                    }
                    continue;
                }
                _ => continue,
            }
            left -= stretch.take(&batch, &mut partitions, &mut pipeline, &mut scripts)?;
            pipeline.advance()?;
        }
    }
    for (at, mut script) in scripts {
        if let Some(held) = partitions.held.get(&at) {
            script.reach(script.to, |up_to| pipeline.complete(held.source, held.partition, up_to));
            if ended {
                pipeline.complete(held.source, held.partition, Timestamp::MAX);
            }
        }
    }
    pipeline.advance()?;
    pipeline.settle()?;
    pipeline.flush()?;
    Ok(())
}

/// What judges the records of a stretch.
struct Stretch<'c> {
    config: &'c Config,
    /// Of each version of the rules, for each source.
    judges: BTreeMap<Option<Sha256>, Vec<Judge>>,
    /// The pipeline's number of each version.
    set_ids: BTreeMap<Sha256, SetId>,
    judgements: Vec<Judgement>,
}

impl Stretch<'_> {
    /// Takes a batch as the worker took it then, and returns how many offsets of the stretch it covers.
    fn take(
        &mut self,
        batch: &Batch,
        partitions: &mut Partitions,
        pipeline: &mut Pipeline,
        scripts: &mut BTreeMap<TopicPartition, Script>,
    ) -> anyhow::Result<i64> {
        let mut covered = 0;
        for record in batch.iter() {
            let (Some(script), Some(held)) = (scripts.get_mut(record.at), partitions.held.get_mut(record.at)) else {
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
                && let Some(id) = script.set.and_then(|set| self.set_ids.get(&set))
            {
                pipeline.switch(source, partition, *id);
            }
            let Some(judges) = self.judges.get_mut(&script.set) else { continue };
            super::judge(judges, pipeline, source, partition, record.offset, payload, &mut self.judgements);
            pipeline.take(source, partition, payload, &mut self.judgements, bound)?;
        }
        Ok(covered)
    }
}

impl Script {
    /// The version that judges the record at a position takes its place. True: it is another one.
    fn reach_set(&mut self, position: i64) -> bool {
        let before = self.set;
        while self.sets.front().is_some_and(|(at, _)| *at <= position) {
            self.set = self.sets.pop_front().map(|(_, set)| set);
        }
        self.set != before
    }

    /// Applies what stands at or before a position.
    fn reach(&mut self, position: i64, mut complete: impl FnMut(Timestamp)) {
        while self.idle.front().is_some_and(|(at, _)| *at <= position) {
            if let Some((_, up_to)) = self.idle.pop_front() {
                complete(up_to);
            }
        }
        while self.fetched.front().is_some_and(|(at, _)| *at <= position) {
            self.fetched_at = self.fetched.pop_front().map(|(_, time)| time);
        }
    }
}

/// The rules of the run's start, and those that took effect in its course, by version.
fn sets(config: &Config, run: &[ControlRecord], state: &Path) -> anyhow::Result<(Built, BTreeMap<Sha256, Built>)> {
    let start = match run.first() {
        Some(ControlRecord::Start { set, .. }) => *set,
        _ => None,
    };
    let built = match start.map(|version| Built::kept(config, state, version, build::new_key())) {
        Some(Ok(kept)) => kept,
        missing => {
            if let Some(Err(error)) = missing {
                tracing::warn!("{error:#}: the rules of the configuration stand in for those that ran then");
            }
            let built = Built::new(config, Unproven::Refuse)?;
            warn_of_changes(run, &built);
            built
        }
    };
    let mut later = BTreeMap::new();
    for record in run {
        if let ControlRecord::Rules { set, .. } = record
            && !later.contains_key(set)
        {
            let kept = Built::kept(config, state, *set, built.key);
            let kept =
                kept.context("rules that took effect in this run (hint: rulesets/ belongs to the control log)")?;
            later.insert(*set, kept);
        }
    }
    Ok((built, later))
}

/// What each partition has to be told, and whether the run closed its inputs.
fn scripts(run: &[ControlRecord]) -> anyhow::Result<(BTreeMap<TopicPartition, Script>, bool)> {
    let mut scripts: BTreeMap<TopicPartition, Script> = BTreeMap::new();
    let mut now = None;
    let mut current = None;
    let mut ended = false;
    for record in run {
        match record {
            ControlRecord::Start { time_ms, .. } => now = Some(Timestamp::from_ms(*time_ms)),
            // Partitions that come or go later are read by two workers: neither log tells the whole of them.
            ControlRecord::Assigned { positions } | ControlRecord::Revoked { positions } if !scripts.is_empty() => {
                let names: Vec<&str> = positions.keys().map(String::as_str).collect();
                bail!(
                    "the group moved {} in this run: a stretch with a rebalance cannot be replayed",
                    names.join(", ")
                );
            }
            ControlRecord::Revoked { .. } => {}
            ControlRecord::Assigned { positions } => {
                for (name, from) in positions {
                    let fetched = now.map(|now| (*from, now)).into_iter().collect();
                    let sets = current.map(|set| (*from, set)).into_iter().collect();
                    let script = Script { from: *from, to: *from, fetched, sets, ..Script::default() };
                    scripts.insert(partition(name)?, script);
                }
            }
            ControlRecord::Rules { set, positions, .. } => {
                current = Some(*set);
                for (name, from) in positions {
                    if let Some(script) = scripts.get_mut(&partition(name)?) {
                        script.sets.push_back((*from, *set));
                    }
                }
            }
            ControlRecord::Tick { time_ms, positions } => {
                now = Some(Timestamp::from_ms(*time_ms));
                for (name, next) in positions {
                    if let Some(script) = scripts.get_mut(&partition(name)?) {
                        script.to = *next;
                    }
                }
                for script in scripts.values_mut() {
                    script.fetched.push_back((script.to, Timestamp::from_ms(*time_ms)));
                }
            }
            ControlRecord::Idle { partition: name, position, up_to_ms } => {
                if let Some(script) = scripts.get_mut(&partition(name)?) {
                    script.idle.push_back((*position, Timestamp::from_ms(*up_to_ms)));
                }
            }
            ControlRecord::End { positions } => {
                for (name, next) in positions {
                    if let Some(script) = scripts.get_mut(&partition(name)?) {
                        script.to = *next;
                    }
                }
                ended = true;
            }
        }
    }
    Ok((scripts, ended))
}

fn partition(name: &str) -> anyhow::Result<TopicPartition> {
    let parsed =
        name.rsplit_once('/').and_then(|(topic, number)| Some(TopicPartition::new(topic, number.parse().ok()?)));
    parsed.with_context(|| format!("{name:?} in the control log is no TOPIC/NUMBER"))
}

/// Other rules or lists than then: the sealed bytes can differ, and the reader should know why.
fn warn_of_changes(run: &[ControlRecord], built: &Built) {
    let Some(ControlRecord::Start { rules, lists, .. }) = run.first() else { return };
    for rule in &built.rules.infos {
        if rules.get(rule.id.as_ref()) != Some(&rule.version) {
            tracing::warn!("rule {} is not the version that ran then", rule.title);
        }
    }
    for (name, version) in built.lists.versions() {
        if lists.get(name) != Some(&version) {
            tracing::warn!("list {name} is not the version that was used then");
        }
    }
}
