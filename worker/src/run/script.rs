//! A control log as what each partition has to be told, and at which of its positions.
//!
//! Must never decide anything: what the clock decided then is read here, and the clock of today plays no part.

use std::collections::{BTreeMap, VecDeque};

use anyhow::{Context, bail};
use ingest::kafka::TopicPartition;
use model::Timestamp;

use crate::control::{ControlRecord, Positions};

/// What one partition is told at its positions.
#[derive(Debug, Default, Clone)]
pub struct Script {
    /// The first record.
    pub from: i64,
    /// One past the last.
    pub to: i64,
    /// From a position on, records were fetched at this time or later.
    fetched: VecDeque<(i64, Timestamp)>,
    /// At a position, the partition counts as complete up to a time.
    idle: VecDeque<(i64, Timestamp)>,
    /// From a position on, records are judged by this version of the rules.
    sets: VecDeque<(i64, usize)>,
    /// The version that judges the next record, as a number: 0 is that of the start, and each that took effect is one more.
    pub set: usize,
    /// When the next record was fetched, at the earliest.
    pub fetched_at: Option<Timestamp>,
}

/// What the partitions of a run have to be told.
#[derive(Debug, Default)]
pub struct Scripts {
    /// By partition.
    pub of: BTreeMap<TopicPartition, Script>,
    /// The run closed its inputs.
    pub ended: bool,
    now: Option<Timestamp>,
    set: usize,
}

impl Scripts {
    /// What a run says that began with nothing.
    ///
    /// # Errors
    /// When the group moved partitions in it.
    pub fn of_run(run: &[ControlRecord]) -> anyhow::Result<Scripts> {
        let mut scripts = Scripts::default();
        run.iter().try_for_each(|record| scripts.add(record))?;
        Ok(scripts)
    }

    /// What is said behind a state in which the partitions stood at these positions. `now`: when records were fetched then, at
    /// the earliest.
    ///
    /// # Errors
    /// When the group moved partitions since.
    pub fn behind(
        positions: impl Iterator<Item = (TopicPartition, i64)>,
        now: Timestamp,
        records: &[ControlRecord],
    ) -> anyhow::Result<Scripts> {
        let script = |from| Script { from, to: from, fetched: VecDeque::from([(from, now)]), ..Script::default() };
        let of = positions.map(|(at, from)| (at, script(from))).collect();
        let mut scripts = Scripts { of, now: Some(now), ..Scripts::default() };
        records.iter().try_for_each(|record| scripts.add(record))?;
        Ok(scripts)
    }

    fn add(&mut self, record: &ControlRecord) -> anyhow::Result<()> {
        match record {
            ControlRecord::Start { time_ms, .. } => self.fetched(*time_ms),
            // Who goes on from a state is given the partitions that it had, where it had come to.
            ControlRecord::Assigned { positions } if !self.of.is_empty() && self.stands_at(positions)? => {}
            // Partitions that come or go later are read by two workers: neither log tells the whole of them.
            ControlRecord::Assigned { positions } | ControlRecord::Revoked { positions } if !self.of.is_empty() => {
                let names: Vec<&str> = positions.keys().map(String::as_str).collect();
                bail!(
                    "the group moved {} in this run: a stretch with a rebalance cannot be replayed",
                    names.join(", ")
                );
            }
            ControlRecord::Revoked { .. } | ControlRecord::Health { .. } | ControlRecord::List { .. } => {}
            ControlRecord::Assigned { positions } => {
                for (name, from) in positions {
                    let fetched = self.now.map(|now| (*from, now)).into_iter().collect();
                    let sets = VecDeque::from([(*from, self.set)]);
                    let script = Script { from: *from, to: *from, fetched, sets, ..Script::default() };
                    self.of.insert(partition(name)?, script);
                }
            }
            ControlRecord::Rules { positions, .. } => {
                self.set += 1;
                for (name, from) in positions {
                    if let Some(script) = self.of.get_mut(&partition(name)?) {
                        script.sets.push_back((*from, self.set));
                    }
                }
            }
            ControlRecord::Tick { time_ms, positions } => {
                self.reached(positions)?;
                self.fetched(*time_ms);
            }
            ControlRecord::Idle { partition: name, position, up_to_ms } => {
                if let Some(script) = self.of.get_mut(&partition(name)?) {
                    script.idle.push_back((*position, Timestamp::from_ms(*up_to_ms)));
                }
            }
            ControlRecord::End { positions } => {
                self.reached(positions)?;
                self.ended = true;
            }
        }
        Ok(())
    }

    fn reached(&mut self, positions: &Positions) -> anyhow::Result<()> {
        for (name, next) in positions {
            if let Some(script) = self.of.get_mut(&partition(name)?) {
                script.to = *next;
            }
        }
        Ok(())
    }

    fn fetched(&mut self, time_ms: i64) {
        let time = Timestamp::from_ms(time_ms);
        self.now = Some(time);
        self.of.values_mut().for_each(|script| script.fetched.push_back((script.to, time)));
    }

    fn stands_at(&self, positions: &Positions) -> anyhow::Result<bool> {
        for (name, next) in positions {
            if self.of.get(&partition(name)?).is_none_or(|script| script.to != *next) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

impl Script {
    /// The version that judges the record at a position takes its place. True: it is another one.
    pub fn reach_set(&mut self, position: i64) -> bool {
        let before = self.set;
        while let Some((_, set)) = self.sets.pop_front_if(|(at, _)| *at <= position) {
            self.set = set;
        }
        self.set != before
    }

    /// Applies what stands at or before a position.
    pub fn reach(&mut self, position: i64, mut complete: impl FnMut(Timestamp)) {
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

fn partition(name: &str) -> anyhow::Result<TopicPartition> {
    let parsed =
        name.rsplit_once('/').and_then(|(topic, number)| Some(TopicPartition::new(topic, number.parse().ok()?)));
    parsed.with_context(|| format!("{name:?} in the control log is no TOPIC/NUMBER"))
}
