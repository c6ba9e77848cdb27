//! A stretch that a worker has read, read again from Kafka with its control log: the same sealed bytes.
//!
//! What the clock decided then (fetch times, idleness) is read, not decided again; the clock of today plays no part.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context;
use model::{Sha256, Timestamp};

use super::build::{self, Built};
use super::fed::Texts;
use super::heartbeats::Heartbeats;
use super::partitions::Partitions;
use super::script::Scripts;
use super::stretch::Stretch;
use crate::config::Config;
use crate::control::{ControlRecord, read_last_run};
use crate::engine::Keys;
use crate::pipeline::Outlets;
use crate::replay::outputs;
use crate::ruleset::Unproven;

/// Replays the last run of a control log; sealed records go to `alerts` in one total order, incidents to a file of their own.
///
/// # Errors
/// When the control log or the stretch cannot be read.
pub fn rerun(config_file: &Path, control_log: &Path, alerts: &Path, incidents: Option<&Path>) -> anyhow::Result<()> {
    let incidents = incidents.map(outputs::lines_to).transpose()?.into_iter().collect();
    let outlets = Outlets { sealed: vec![outputs::lines_to(alerts)?], incidents, ..Outlets::default() };
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
    let redaction = build::redaction_key(&config, state)?.unwrap_or_default();
    let keys = Keys { identity: build::new_key(), redaction };
    let (built, later) = sets(&config, &run, state, keys)?;
    let mut scripts = Scripts::of_run(&run)?;
    let mut pipeline = built.pipeline(&config, outlets, true, None)?;
    let mut stretch = Stretch::new(&config, &built, Heartbeats::default());
    for record in &run {
        if let ControlRecord::Rules { set, .. } = record
            && let Some(built) = later.get(set)
        {
            stretch.add(built, &mut pipeline)?;
        }
    }
    run.iter().for_each(|record| stretch.heed(record, &mut pipeline));
    let topics = Built::topics(&config);
    let mut partitions = Partitions::default();
    for (at, script) in &scripts.of {
        let source =
            topics.get(at.topic.as_ref()).with_context(|| format!("topic {} is not in the configuration", at.topic))?;
        partitions.assign(&mut pipeline, at, *source, script.from);
    }
    stretch.read(&build::connection(&config)?, &mut partitions, &mut pipeline, &mut scripts)?;
    if scripts.ended {
        for held in partitions.held.values() {
            pipeline.complete(held.source, held.partition, Timestamp::MAX);
        }
    }
    pipeline.advance()?;
    pipeline.settle()?;
    pipeline.flush()?;
    Ok(())
}

/// The rules of the run's start, and those that took effect in its course, by version.
fn sets(
    config: &Config,
    run: &[ControlRecord],
    state: &Path,
    keys: Keys,
) -> anyhow::Result<(Built, BTreeMap<Sha256, Built>)> {
    let start = match run.first() {
        Some(ControlRecord::Start { set, .. }) => *set,
        _ => None,
    };
    let built = match start.map(|version| Built::kept(config, state, version, keys)) {
        Some(Ok(kept)) => kept,
        missing => {
            if let Some(Err(error)) = missing {
                tracing::warn!("{error:#}: the rules of the configuration stand in for those that ran then");
            }
            let built = Built::new(config, &Texts::new(), Unproven::Refuse, keys)?;
            warn_of_changes(run, &built);
            built
        }
    };
    let mut later = BTreeMap::new();
    for record in run {
        if let ControlRecord::Rules { set, .. } = record
            && !later.contains_key(set)
        {
            let kept = Built::kept(config, state, *set, keys);
            let kept =
                kept.context("rules that took effect in this run (hint: rulesets/ belongs to the control log)")?;
            later.insert(*set, kept);
        }
    }
    Ok((built, later))
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
