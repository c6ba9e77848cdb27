//! The frame of every detector that learns by bucket of event time: keys and their peers, learning → shadow → active, frozen
//! learning while something is remarkable, announced periods, previews, snapshots.
//!
//! A bucket [start, end) closes before the events of its end: it is judged as a whole, then learned, in order of keys. What is
//! remarkable is not learned, for [`Frame::freeze_max_ms`] at most: then it is the norm, and that is told. Must never know a
//! formula, nor let what an attacker wrote teach.

use std::any::Any;
use std::fmt::Debug;

use model::{
    Anomaly, Change, Detector, DetectorHeld, Figures, Frame, Malformed, Observation, Period, Standing, Timestamp, Told,
    from_snapshot, to_snapshot,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::Limits;
use crate::cell::{Cell, Excursion, is_explained};
use crate::explanation::Explanation;
use crate::keyed::Keyed;

/// Of the shapes in a snapshot.
const VERSION: u8 = 2;

/// Groups of one key.
const GROUPS_MAX: usize = 4;

/// Announced periods; beyond it the one that ends first goes.
const PERIODS_MAX: usize = 1_024;

/// Remarkable buckets no further apart are one excursion.
const EXCURSION_GAP_MS: i64 = 24 * 3_600_000;

/// State that is plain data.
pub(crate) trait State: Debug + Clone + Default + Send + Serialize + DeserializeOwned + 'static {}
impl<T: Debug + Clone + Default + Send + Serialize + DeserializeOwned + 'static> State for T {}

/// The formula within the frame.
pub(crate) trait Learner: Debug + Clone + Send + 'static {
    /// What it knows of a key, the open bucket included.
    type Key: State;
    /// What it knows of a group of peers.
    type Group: State;

    /// The parameters of the frame.
    fn frame(&self) -> &Frame;

    /// Takes an event into the open bucket; what is remarkable before the bucket is over.
    fn see(&self, key: &mut Self::Key, groups: &[&Self::Group], event: &Event<'_>) -> Option<Score>;

    /// The open bucket is over: what is remarkable about it.
    fn judge(&self, key: &mut Self::Key, groups: &[&Self::Group], bucket: Bucket) -> Option<Score>;

    /// The judged bucket is learned, or not; the next one is open.
    fn settle(&self, key: &mut Self::Key, bucket: Bucket, how: Learning);

    /// Enough is known of the key to tell what it shows.
    fn is_warm(&self, key: &Self::Key, groups: &[&Self::Group], bucket: Bucket) -> bool;

    /// The event's contributor stands among those of an anomaly.
    fn blames(&self, event: &Event<'_>) -> bool {
        let _ = event;
        true
    }

    /// Adds to a group what a key shows in the bucket that is about to be learned.
    fn teach(&self, key: &Self::Key, group: &mut Self::Group);

    /// All keys of a group have taught.
    fn settle_group(&self, group: &mut Self::Group, bucket: Bucket);
}

/// What becomes of a judged bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Learning {
    /// It is learned.
    Learned,
    /// It was remarkable: kept aside until it is accepted or over.
    Held,
    /// It, and what was held, is the norm from here on.
    Accepted,
    /// Something announced explains it.
    Dropped,
}

/// [start, end) in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bucket {
    pub(crate) start: i64,
    pub(crate) end: i64,
}

/// An event as a formula sees it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Event<'e> {
    pub(crate) at: i64,
    pub(crate) bucket: Bucket,
    pub(crate) amount: u64,
    pub(crate) contributor: &'e str,
    pub(crate) teaches: bool,
    /// What the detector's observations hold behind the frame's four.
    pub(crate) rest: &'e [Vec<&'e str>],
}

/// Something remarkable.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Score {
    pub(crate) value: f64,
    pub(crate) figures: Figures,
    pub(crate) explanation: Explanation,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Bucketed<L: Learner> {
    learner: L,
    limits: Limits,
    keys: Keyed<Cell<L::Key>>,
    groups: Keyed<L::Group>,
    /// Every bucket that ends here or before is closed.
    closed: Option<i64>,
    periods: Vec<Period>,
    forgotten: u64,
    is_history: bool,
    /// It previews what waits: it knows some keys only, and teaches no group.
    is_ahead: bool,
}

impl<L: Learner> Bucketed<L> {
    pub(crate) fn new(learner: L, limits: Limits) -> Bucketed<L> {
        let memory = learner.frame().memory_ms;
        Bucketed {
            keys: Keyed::new(memory, limits.keys_max),
            groups: Keyed::new(memory, limits.keys_max),
            learner,
            limits,
            closed: None,
            periods: Vec::new(),
            forgotten: 0,
            is_history: false,
            is_ahead: false,
        }
    }

    fn step(&self) -> i64 {
        self.learner.frame().bucket_ms.max(1)
    }

    /// Closes the open bucket of one key, which ends here or before.
    fn close_cell(&mut self, key: &str, cell: &mut Cell<L::Key>, end: i64, taught: &mut Vec<Box<str>>) -> Option<Told> {
        let (learner, bucket) = (&self.learner, Bucket { start: end - self.step(), end });
        let frame = learner.frame();
        let now = Timestamp::from_ms(end);
        let groups: Vec<&L::Group> = cell.groups.iter().filter_map(|name| self.groups.get(name, now)).collect();
        if cell.warm_ms.is_none() && learner.is_warm(&cell.state, &groups, bucket) {
            cell.warm_ms = Some(bucket.start);
        }
        let found = learner.judge(&mut cell.state, &groups, bucket);
        let is_explained = is_explained(&self.periods, key, &cell.groups, bucket);
        let standing = cell.standing(frame, (self.is_history, is_explained), end);
        let was_open = cell.excursion.is_some_and(|of| of.is_open);
        let (learning, change) = match &found {
            _ if is_explained => (Learning::Dropped, None),
            None => (Learning::Learned, (was_open || cell.is_told).then_some(Change::Ended)),
            Some(_) if standing == Standing::Learning => (Learning::Learned, None),
            Some(_) => {
                let since = cell.excursion.filter(|of| of.last_ms.saturating_add(EXCURSION_GAP_MS) > end);
                let since = since.map_or(bucket.start, |of| of.since_ms);
                cell.excursion = Some(Excursion { since_ms: since, last_ms: end, is_open: true });
                match end - since >= frame.freeze_max_ms {
                    true => (Learning::Accepted, Some(Change::Accepted)),
                    false if cell.is_told || was_open => (Learning::Held, Some(Change::Lasts)),
                    false => (Learning::Held, Some(Change::Began)),
                }
            }
        };
        if learning == Learning::Accepted || cell.excursion.is_some_and(|of| of.last_ms + EXCURSION_GAP_MS <= end) {
            cell.excursion = None;
        }
        if let Some(excursion) = cell.excursion.as_mut().filter(|_| found.is_none()) {
            excursion.is_open = false;
        }
        if found.is_some() || cell.is_told {
            cell.last_similar_ms = Some(end);
        }
        let ordinary = || Score { value: 0.0, figures: Figures::default(), explanation: Explanation::ordinary_again() };
        let told = match (change, standing) {
            // What is explained, and what is remarkable of a key that learns, is for the report only.
            (None, Standing::Explained | Standing::Learning | Standing::Shadow) if found.is_some() && !cell.is_told => {
                Some(Change::Began)
            }
            (change, _) => change,
        }
        .map(|change| Told {
            at: now,
            key: key.to_owned(),
            change,
            anomaly: cell.anomaly(key, found.unwrap_or_else(ordinary), standing),
        });
        if learning == Learning::Learned && !self.is_ahead {
            for name in &cell.groups {
                learner.teach(&cell.state, self.groups.touch(name, now));
                taught.push(name.clone());
            }
        }
        learner.settle(&mut cell.state, bucket, learning);
        (cell.open_ms, cell.is_told) = (end, false);
        cell.contributors.clear();
        cell.evidence.clear();
        told
    }

    /// Closes a key's buckets up to a time, where nobody did: of a preview, or of a key that was away.
    fn catch_up(&mut self, key: &str, cell: &mut Cell<L::Key>, start: i64) {
        let mut taught = Vec::new();
        while cell.is_known && cell.open_ms < start {
            self.close_cell(key, cell, cell.open_ms + self.step(), &mut taught);
        }
    }

    fn close_all(&mut self, end: i64) -> Vec<Told> {
        let now = Timestamp::from_ms(end);
        let (mut told, mut taught) = (Vec::new(), Vec::new());
        for key in self.keys.names(now) {
            let Some(mut cell) = self.keys.get_mut(&key, now).map(std::mem::take) else { continue };
            if cell.open_ms < end {
                told.extend(self.close_cell(&key, &mut cell, end, &mut taught));
            }
            if let Some(place) = self.keys.get_mut(&key, now) {
                *place = cell;
            }
        }
        taught.sort_unstable();
        taught.dedup();
        let bucket = Bucket { start: end - self.step(), end };
        for name in taught {
            if let Some(group) = self.groups.get_mut(&name, now) {
                self.learner.settle_group(group, bucket);
            }
        }
        self.periods.retain(|period| period.to.ms() > end);
        // Where nothing is left, nothing is due any more.
        self.keys.sweep(now);
        self.groups.sweep(now);
        told
    }
}

impl<L: Learner> Detector for Bucketed<L> {
    fn observe(&mut self, observation: &Observation<'_>) -> Option<Anomaly> {
        let [keys, peers, contributors, amounts, rest @ ..] = observation.texts else { return None };
        let key = *keys.first()?;
        let amount = match amounts.first() {
            None => 1,
            Some(text) => text.trim().parse().ok()?,
        };
        let (at, step) = (observation.at.ms(), self.step());
        let start = at - at.rem_euclid(step);
        if !self.is_ahead {
            self.close(observation.at);
        }
        self.closed.get_or_insert(start);
        let mut cell = std::mem::take(self.keys.touch(key, observation.at));
        if !cell.is_known {
            (cell.is_known, cell.open_ms, cell.first_ms) = (true, start, at);
        }
        self.catch_up(key, &mut cell, start);
        if cell.groups.iter().map(|name| &**name).ne(peers.iter().take(GROUPS_MAX).copied()) && !peers.is_empty() {
            cell.groups = peers.iter().take(GROUPS_MAX).map(|name| (*name).into()).collect();
        }
        let contributor = contributors.first().copied().unwrap_or_default();
        let bucket = Bucket { start, end: start + step };
        let teaches = observation.teaches;
        let event = Event { at, bucket, amount, contributor, teaches, rest };
        let groups: Vec<&L::Group> =
            cell.groups.iter().filter_map(|name| self.groups.get(name, observation.at)).collect();
        let named = if self.learner.blames(&event) { contributor } else { "" };
        cell.note(named, amount, observation.evidence);
        if cell.warm_ms.is_none() && self.learner.is_warm(&cell.state, &groups, bucket) {
            cell.warm_ms = Some(at);
        }
        let found = self.learner.see(&mut cell.state, &groups, &event);
        let here = Bucket { start: at, end: at + 1 };
        let explained = is_explained(&self.periods, key, &cell.groups, here);
        let standing = cell.standing(self.learner.frame(), (self.is_history, explained), at);
        let found = found.map(|score| cell.anomaly(key, score, standing));
        cell.is_told |= found.is_some();
        if let Some(place) = self.keys.get_mut(key, observation.at) {
            *place = cell;
        }
        found
    }

    fn peek(&self, ahead: &mut (dyn Detector + 'static), observation: &Observation<'_>) -> Option<Anomaly> {
        let ahead = (ahead as &mut dyn Any).downcast_mut::<Bucketed<L>>()?;
        let key = observation.texts.first()?.first()?;
        ahead.keys.take_over(&self.keys, key);
        for name in observation.texts.get(1)? {
            ahead.groups.take_over(&self.groups, name);
        }
        ahead.periods.clone_from(&self.periods);
        ahead.is_history = self.is_history;
        ahead.observe(observation)
    }

    fn ahead(&self) -> Box<dyn Detector> {
        Box::new(Bucketed { is_ahead: true, ..Bucketed::new(self.learner.clone(), self.limits) })
    }

    fn forget_before(&mut self, time: Timestamp) {
        self.keys.forget_before(time);
        self.groups.forget_before(time);
    }

    fn due(&self) -> Option<Timestamp> {
        let closed = self.closed.filter(|_| self.keys.len() > 0)?;
        Some(Timestamp::from_ms(closed.saturating_add(self.step())))
    }

    fn close(&mut self, at: Timestamp) -> Vec<Told> {
        let mut told = Vec::new();
        let last = at.ms() - at.ms().rem_euclid(self.step());
        let Some(closed) = self.closed else { return told };
        // Of what lies further back than memory nothing is left.
        let mut end = closed.max(last.saturating_sub(self.learner.frame().memory_ms + self.step()));
        while end < last {
            end += self.step();
            told.extend(self.close_all(end));
        }
        self.closed = Some(closed.max(last));
        told
    }

    fn announce(&mut self, period: &Period) {
        if period.from >= period.to || self.periods.contains(period) {
            return;
        }
        self.periods.push(period.clone());
        self.periods.sort_by(|a, b| b.to.cmp(&a.to).then_with(|| a.cmp(b)));
        self.forgotten += self.periods.len().saturating_sub(PERIODS_MAX) as u64;
        self.periods.truncate(PERIODS_MAX);
    }

    fn backfill(&mut self, is_history: bool) {
        self.is_history = is_history;
    }

    fn held(&self) -> DetectorHeld {
        let evicted = self.keys.evicted() + self.groups.evicted() + self.forgotten;
        DetectorHeld { keys: self.keys.len() + self.groups.len(), evicted }
    }

    fn snapshot(&self) -> Result<Vec<u8>, Malformed> {
        let state = (self.closed, &self.periods, self.forgotten, self.is_history);
        to_snapshot(&(VERSION, state, self.keys.kept(), self.groups.kept()))
    }

    fn restore(&mut self, snapshot: &[u8]) -> Result<(), Malformed> {
        let (Version, state, keys, groups) = from_snapshot(snapshot)?;
        (self.closed, self.periods, self.forgotten, self.is_history) = state;
        self.keys.keep(keys);
        self.groups.keep(groups);
        Ok(())
    }
}

/// [`VERSION`], or no snapshot of ours.
struct Version;

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Version, D::Error> {
        match u8::deserialize(from)? {
            VERSION => Ok(Version),
            other => Err(serde::de::Error::custom(format_args!("version {other}, not {VERSION}"))),
        }
    }
}
