//! Anchors and matches of one indicator by key, as long as either can still decide about the other.
//!
//! Bounded by number and by event time. Must never book an anchor twice: what it booked last stands beside it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::Evidence;
use serde::{Deserialize, Serialize};

use super::maintenance::Maintenance;
use super::{Limits, Told};
use crate::contribution::{Contribution, Scope};
use crate::definition::Definition;

/// An anchor.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Waiting {
    pub(super) at_ms: i64,
    pub(super) scope: Arc<Scope>,
    pub(super) total: i64,
    /// What it adds to the good ones in any case.
    pub(super) added: Option<i64>,
    pub(super) says_good: bool,
    pub(super) measured_us: Option<u64>,
    /// The event.
    pub(super) evidence: Arc<Evidence>,
    /// What it contributed last.
    pub(super) booked: Option<Contribution>,
}

/// What one key holds.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Entry {
    anchors: Vec<Waiting>,
    /// Times of matches, by the match's number, ascending.
    seen: BTreeMap<usize, Vec<i64>>,
}

/// See the module.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Held {
    entries: BTreeMap<Arc<str>, Entry>,
    /// When an anchor's deadline is, and whose.
    due: BTreeSet<(i64, Arc<str>)>,
    /// When a key may be looked through for what nothing can decide about any more.
    expiry: BTreeSet<(i64, Arc<str>)>,
    anchors: usize,
}

/// The watermark and announced maintenance.
type Now<'m> = (i64, &'m Maintenance);

impl Held {
    /// Anchors that are not decided.
    pub(super) fn waiting(&self) -> usize {
        self.entries.values().flat_map(|entry| &entry.anchors).filter(|anchor| anchor.booked.is_none()).count()
    }

    /// Some anchor's deadline is not over.
    pub(super) fn waits(&self) -> bool {
        !self.due.is_empty()
    }

    /// Nothing is held any more.
    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.due.is_empty() && self.expiry.is_empty() && self.anchors == 0
    }

    /// An anchor; returns how many others had to go for it.
    pub(super) fn add(
        &mut self,
        definition: &Definition,
        key: Arc<str>,
        anchor: Waiting,
        now: Now<'_>,
        limits: Limits,
        told: Told<'_>,
    ) -> u64 {
        let deadline = anchor.at_ms.saturating_add(definition.deadline_ms);
        self.due.insert((deadline, key.clone()));
        self.expiry.insert((deadline.saturating_add(limits.corrects_ms), key.clone()));
        let entry = self.entries.entry(key.clone()).or_default();
        entry.anchors.push(anchor);
        self.anchors += 1;
        entry.settle(definition, now, told);
        let mut evicted = 0;
        while self.anchors > limits.anchors_max
            && let Some((_, oldest)) = self.expiry.pop_first()
        {
            evicted += self.give_up(definition, &oldest, now, told);
        }
        evicted
    }

    /// A match; returns how many others of its key had to go for it.
    pub(super) fn saw(
        &mut self,
        definition: &Definition,
        key: Arc<str>,
        (number, at_ms): (usize, i64),
        now: Now<'_>,
        limits: Limits,
        told: Told<'_>,
    ) -> u64 {
        let before_ms = definition.matches.get(number).map_or(0, |of| of.before_ms);
        // As long as any anchor that it decides about may be looked at again.
        let until =
            at_ms.saturating_add(before_ms).saturating_add(definition.deadline_ms).saturating_add(limits.corrects_ms);
        let entry = self.entries.entry(key.clone()).or_default();
        let seen = entry.seen.entry(number).or_default();
        let place = seen.partition_point(|other| *other < at_ms);
        if seen.get(place) == Some(&at_ms) {
            return 0;
        }
        seen.insert(place, at_ms);
        let is_full = seen.len() > limits.matches_max;
        if is_full {
            seen.remove(0);
        }
        self.expiry.insert((until, key));
        entry.settle(definition, now, told);
        u64::from(is_full)
    }

    /// Decides what is due, and forgets what nothing can decide about any more.
    pub(super) fn advance(&mut self, definition: &Definition, now: Now<'_>, limits: Limits, told: Told<'_>) {
        let (watermark_ms, _) = now;
        while let Some((at_ms, key)) = self.due.pop_first() {
            if at_ms >= watermark_ms {
                self.due.insert((at_ms, key));
                break;
            }
            if let Some(entry) = self.entries.get_mut(&key) {
                entry.settle(definition, now, told);
            }
        }
        while let Some((at_ms, key)) = self.expiry.pop_first() {
            if at_ms >= watermark_ms {
                self.expiry.insert((at_ms, key));
                break;
            }
            let Some(entry) = self.entries.get_mut(&key) else { continue };
            let oldest = watermark_ms.saturating_sub(limits.corrects_ms);
            let before = entry.anchors.len();
            entry.anchors.retain(|anchor| anchor.at_ms.saturating_add(definition.deadline_ms) >= oldest);
            self.anchors -= before - entry.anchors.len();
            for (number, seen) in &mut entry.seen {
                let before_ms = definition.matches.get(*number).map_or(0, |of| of.before_ms);
                seen.retain(|at_ms| at_ms.saturating_add(before_ms).saturating_add(definition.deadline_ms) >= oldest);
            }
            entry.seen.retain(|_, seen| !seen.is_empty());
            if entry.anchors.is_empty() && entry.seen.is_empty() {
                self.entries.remove(&key);
            }
        }
    }

    /// Decides everything again that was decided or waits.
    pub(super) fn reconsider(&mut self, definition: &Definition, now: Now<'_>, told: Told<'_>) {
        self.entries.values_mut().for_each(|entry| entry.settle(definition, now, told));
    }

    /// The anchors of a key are decided as they stand, and forgotten.
    fn give_up(&mut self, definition: &Definition, key: &Arc<str>, (_, maintenance): Now<'_>, told: Told<'_>) -> u64 {
        let Some(mut entry) = self.entries.remove(key) else { return 0 };
        entry.settle(definition, (i64::MAX, maintenance), told);
        self.anchors -= entry.anchors.len();
        entry.anchors.len() as u64
    }
}

impl Entry {
    /// Tells what has changed about the anchors.
    fn settle(&mut self, definition: &Definition, now: Now<'_>, told: Told<'_>) {
        let Entry { anchors, seen } = self;
        for anchor in anchors {
            let Some(decided) = decided(definition, anchor, seen, now) else { continue };
            if anchor.booked.as_ref() == Some(&decided) {
                continue;
            }
            if let Some(booked) = anchor.booked.take() {
                told(booked.taken_back(), Some(&anchor.evidence));
            }
            anchor.booked = Some(decided.clone());
            told(decided, Some(&anchor.evidence));
        }
    }
}

/// What an anchor contributes by what is known. None: it waits.
fn decided(
    definition: &Definition,
    anchor: &Waiting,
    seen: &BTreeMap<usize, Vec<i64>>,
    (watermark_ms, maintenance): Now<'_>,
) -> Option<Contribution> {
    let deadline = anchor.at_ms.saturating_add(definition.deadline_ms);
    // The first match at or behind the anchor; else the last one before it.
    let found = |number: usize, before_ms: i64| {
        let times = seen.get(&number)?;
        let from = times.partition_point(|at| *at < anchor.at_ms);
        let behind = times.get(from).filter(|at| **at <= deadline);
        let before = || times.get(from.checked_sub(1)?).filter(|at| **at >= anchor.at_ms.saturating_sub(before_ms));
        behind.or_else(before).copied()
    };
    let (mut needed, mut has_all, mut is_spoilt, mut last) = (false, true, false, None);
    for (number, of) in definition.matches.iter().enumerate() {
        let at = found(number, of.before_ms);
        if of.is_needed {
            needed = true;
            has_all &= at.is_some();
            last = last.max(at);
        } else {
            is_spoilt |= at.is_some();
        }
    }
    let is_over = deadline < watermark_ms;
    let waits = !is_over && !is_spoilt && !(has_all && (needed || definition.matches.is_empty()));
    let excluded = definition.excludes_maintenance && maintenance.covers(anchor);
    (!waits).then(|| anchor.contribution(definition, has_all && !is_spoilt, last.filter(|_| has_all), excluded))
}
