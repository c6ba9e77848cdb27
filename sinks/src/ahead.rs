//! What has been told ahead of sealing, until it is known what came of each: confirmed, covered by an alert, or to be withdrawn.
//!
//! Pure and in event time. Must never forget one that was told before its time is sealed, unless its table is full.

use std::collections::BTreeSet;
use std::sync::Arc;

use model::{Fingerprint, RuleInfo, Table, Timestamp, Urgency};
use serde::{Deserialize, Serialize};

/// A provisional telling.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Previewed {
    pub(crate) urgency: Urgency,
    pub(crate) at: Timestamp,
    pub(crate) rule: Arc<RuleInfo>,
    pub(crate) key: Vec<(String, String)>,
}

/// Tellings of one alert that are not settled; further ones are not told.
const OF_ONE_MAX: usize = 16;

/// See the module.
#[derive(Debug)]
pub(crate) struct Ahead {
    told: Table<Fingerprint, Vec<Previewed>>,
    /// By the time at which it will be known what came of it.
    unsettled: BTreeSet<(Timestamp, Fingerprint)>,
}

impl Ahead {
    pub(crate) fn new(alerts_max: usize) -> Ahead {
        Ahead { told: Table::new("previewed", 1, alerts_max), unsettled: BTreeSet::new() }
    }

    /// Somebody has been told of this alert, so urgently, within a re-alert period of this time; or too often.
    pub(crate) fn covers(&self, print: Fingerprint, urgency: Urgency, at: Timestamp, realert_ms: i64) -> bool {
        self.told.get(&print).is_some_and(|told| {
            let covers = |of: &Previewed| of.urgency >= urgency && (of.at.ms() - at.ms()).abs() <= realert_ms;
            told.len() >= OF_ONE_MAX || told.iter().any(covers)
        })
    }

    pub(crate) fn tell(&mut self, print: Fingerprint, of: Previewed) {
        self.unsettled.insert((of.at, print));
        match self.told.get_mut(&print) {
            Some(told) => told.push(of),
            None => drop(self.told.insert(print, vec![of], |a, x, b, y| rank(x).cmp(&rank(y)).then(a.cmp(b)))),
        }
    }

    /// What was told of this alert at this very time is so.
    pub(crate) fn confirm(&mut self, print: Fingerprint, at: Timestamp) {
        self.keep(print, |of| of.at != at);
    }

    /// The alert was told, or ended: what was told of it up to this time needs no word of its own.
    pub(crate) fn cover(&mut self, print: Fingerprint, up_to: Timestamp) {
        self.keep(print, |of| of.at > up_to);
    }

    fn keep(&mut self, print: Fingerprint, keep: impl Fn(&Previewed) -> bool) {
        if let Some(told) = self.told.get_mut(&print) {
            told.retain(keep);
            if told.is_empty() {
                self.told.remove(&print);
            }
        }
    }

    /// The next that did not come true, of those told of a time before this one.
    pub(crate) fn pop_untrue(&mut self, sealed_to: Timestamp) -> Option<(Fingerprint, Previewed)> {
        while let Some(&(at, print)) = self.unsettled.first()
            && (at < sealed_to || sealed_to == Timestamp::MAX)
        {
            // Told twice of one time, more urgently the second time: each has its turn.
            let told = self.told.get_mut(&print).filter(|told| told.iter().any(|of| of.at == at));
            let Some(told) = told else {
                self.unsettled.pop_first();
                continue;
            };
            let untrue = told.iter().position(|of| of.at == at).map(|place| told.remove(place));
            if told.is_empty() {
                self.told.remove(&print);
            }
            return untrue.map(|untrue| (print, untrue));
        }
        None
    }

    pub(crate) fn snapshot(&self) -> Vec<(Fingerprint, Vec<Previewed>)> {
        self.told.snapshot().entries
    }

    pub(crate) fn restore(&mut self, print: Fingerprint, told: Vec<Previewed>) {
        self.unsettled.extend(told.iter().map(|of| (of.at, print)));
        self.told.insert(print, told, |a, x, b, y| rank(x).cmp(&rank(y)).then(a.cmp(b)));
    }
}

/// What goes first from a full table: tickets before pages, then what was told of the earliest time.
fn rank(told: &[Previewed]) -> (Option<Urgency>, Option<Timestamp>) {
    (told.iter().map(|of| of.urgency).max(), told.iter().map(|of| of.at).max())
}
