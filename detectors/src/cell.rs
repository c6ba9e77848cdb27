//! One key within the frame of `bucketed.rs`: since when it is known, whether what it shows is told, what its open bucket holds.
//!
//! Must never grow with the events of a bucket.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::{Anomaly, Evidence, Frame, KEY_SEPARATOR, Period, Standing, part_of};
use serde::{Deserialize, Serialize};

use crate::bucketed::{Bucket, Score};
use crate::explanation::Circumstances;

/// Events of an open bucket that stand as evidence: the last ones.
const EVIDENCE_MAX: usize = 8;

/// Names of contributors of an open bucket; what comes beyond counts as `others`.
const CONTRIBUTORS_MAX: usize = 64;

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Cell<K> {
    pub(crate) state: K,
    /// Start of the open bucket.
    pub(crate) open_ms: i64,
    pub(crate) groups: Vec<Box<str>>,
    pub(crate) first_ms: i64,
    pub(crate) warm_ms: Option<i64>,
    pub(crate) excursion: Option<Excursion>,
    pub(crate) last_similar_ms: Option<i64>,
    /// An event of the open bucket was remarkable.
    pub(crate) is_told: bool,
    pub(crate) is_known: bool,
    pub(crate) contributors: BTreeMap<Box<str>, u64>,
    pub(crate) evidence: Vec<Arc<Evidence>>,
}

/// Remarkable buckets, no two a day apart.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Excursion {
    pub(crate) since_ms: i64,
    pub(crate) last_ms: i64,
    /// The last closed bucket was remarkable.
    pub(crate) is_open: bool,
}

impl<K> Cell<K> {
    pub(crate) fn standing(&self, frame: &Frame, (is_history, is_explained): (bool, bool), now: i64) -> Standing {
        match self.warm_ms {
            _ if is_history => Standing::History,
            None => Standing::Learning,
            _ if is_explained && !frame.never_suppress => Standing::Explained,
            Some(warm) if now < warm.saturating_add(frame.shadow_ms) => Standing::Shadow,
            Some(_) => Standing::Active,
        }
    }

    pub(crate) fn anomaly(&self, key: &str, score: Score, standing: Standing) -> Anomaly {
        let contributors: Vec<(String, u64)> =
            self.contributors.iter().map(|(name, amount)| (name.to_string(), *amount)).collect();
        let of = Circumstances {
            key,
            first_ms: self.first_ms,
            contributors: &contributors,
            last_similar_ms: self.last_similar_ms,
        };
        Anomaly {
            value: score.value,
            observed: score.explanation.observed(&of),
            baseline: score.explanation.baseline(&of),
            figures: score.figures,
            evidence: self.evidence.clone(),
            standing,
        }
    }

    pub(crate) fn note(&mut self, contributor: &str, amount: u64, evidence: &Arc<Evidence>) {
        if !contributor.is_empty() {
            let is_full = self.contributors.len() >= CONTRIBUTORS_MAX && !self.contributors.contains_key(contributor);
            let name = if is_full { "others" } else { contributor };
            let sum = self.contributors.entry(name.into()).or_default();
            *sum = sum.saturating_add(amount);
        }
        if self.evidence.len() >= EVIDENCE_MAX {
            self.evidence.remove(0);
        }
        self.evidence.push(evidence.clone());
    }
}

/// Something announced overlaps the bucket, for all or for the key or its groups.
pub(crate) fn is_explained(periods: &[Period], key: &str, groups: &[Box<str>], bucket: Bucket) -> bool {
    let is_named = |of: &String| {
        let part = part_of(of);
        **of == *key || groups.iter().any(|name| **name == **of) || key.split(KEY_SEPARATOR).any(|of| of == part)
    };
    let overlaps = |period: &Period| period.from.ms() < bucket.end && bucket.start < period.to.ms();
    periods.iter().any(|period| overlaps(period) && period.of.iter().all(is_named))
}
