//! A10, mix: another mix of operations than this key's.
//!
//! Of a bucket with n operations over K classes `E = n·b`, b the baseline's parts with half an operation added to each;
//! `G = 2 Σ O ln(O/E)`, `p = P(χ²(K−1) ≥ G)`; remarkable where p is small, Jensen and Shannon's divergence of O/n and b is above 0.3
//! bits, and n ≥ 50. The baseline fades by 2 % an hour. Must never hold more than 24 classes: the rest is one of them.

use std::collections::BTreeMap;

use model::{Frame, MixSpec};
use serde::{Deserialize, Serialize};

use crate::bucketed::{Bucket, Event, Learner, Learning, Score};
use crate::explanation::Explanation;
use crate::stats::{chi_squared_tail, ln, shown, surprise};

/// Classes; what comes beyond is `other`.
const CLASSES_MAX: usize = 24;

/// Share of a new hour in the baseline.
const ALPHA: f64 = 0.02;

const HOUR_MS: f64 = 3_600_000.0;

const WEEK_MS: i64 = 7 * 24 * 3_600_000;

/// The parameters.
#[derive(Debug, Clone)]
pub(crate) struct Mix {
    pub(crate) spec: MixSpec,
}

/// What is known of one key.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Key {
    /// Parts, which add up to one.
    base: BTreeMap<Box<str>, f64>,
    /// Operations that the baseline was learned from, and since when.
    learned: u64,
    since_ms: Option<i64>,
    open: BTreeMap<Box<str>, u64>,
    taught: BTreeMap<Box<str>, u64>,
    held: BTreeMap<Box<str>, u64>,
}

/// `G = 2 Σ O ln(O/E)` over (observed, expected).
pub fn g_statistic(of: &[(f64, f64)]) -> f64 {
    2.0 * of.iter().filter(|(o, _)| *o > 0.0).map(|(o, e)| o * ln(o / e)).sum::<f64>()
}

/// Jensen and Shannon's divergence in bits, 0 to 1, of two distributions as pairs of parts.
pub fn divergence(of: &[(f64, f64)]) -> f64 {
    let term = |x: f64, m: f64| if x > 0.0 { x * ln(x / m) } else { 0.0 };
    let halves = of.iter().map(|(p, q)| (term(*p, (p + q) / 2.0) + term(*q, (p + q) / 2.0)) / 2.0);
    (halves.sum::<f64>() / std::f64::consts::LN_2).clamp(0.0, 1.0)
}

fn count(into: &mut BTreeMap<Box<str>, u64>, class: &str, amount: u64) {
    let is_full = into.len() >= CLASSES_MAX - 1 && !into.contains_key(class);
    let sum = into.entry(if is_full { "other" } else { class }.into()).or_default();
    *sum = sum.saturating_add(amount);
}

fn sum(of: &BTreeMap<Box<str>, u64>) -> u64 {
    of.values().sum()
}

impl Mix {
    fn learn(&self, key: &mut Key, of: &BTreeMap<Box<str>, u64>) {
        let n = sum(of);
        if n == 0 {
            return;
        }
        key.learned = key.learned.saturating_add(n);
        let hours = self.spec.frame.bucket_ms as f64 / HOUR_MS;
        let alpha = (ALPHA * hours).max(n as f64 / key.learned as f64).min(1.0);
        key.base.values_mut().for_each(|part| *part *= 1.0 - alpha);
        for (class, times) in of {
            let is_full = key.base.len() >= CLASSES_MAX && !key.base.contains_key(class);
            let class = if is_full { "other" } else { class };
            *key.base.entry(class.into()).or_insert(0.0) += alpha * *times as f64 / n as f64;
        }
        // What has faded away makes room.
        key.base.retain(|_, part| *part > 1e-6);
    }
}

impl Learner for Mix {
    type Key = Key;
    type Group = ();

    fn frame(&self) -> &Frame {
        &self.spec.frame
    }

    fn see(&self, key: &mut Key, _: &[&()], event: &Event<'_>) -> Option<Score> {
        let class = event.rest.first().and_then(|texts| texts.first())?;
        key.since_ms.get_or_insert(event.at);
        count(&mut key.open, class, event.amount);
        if event.teaches {
            count(&mut key.taught, class, event.amount);
        }
        None
    }

    /// Its value is −log₁₀ p.
    fn judge(&self, key: &mut Key, _: &[&()], _: Bucket) -> Option<Score> {
        let n = sum(&key.open);
        if n < self.spec.count_min || key.learned < self.spec.baseline_min {
            return None;
        }
        let classes: std::collections::BTreeSet<&str> =
            key.base.keys().chain(key.open.keys()).map(|of| &**of).collect();
        let (k, total) = (classes.len() as f64, key.learned.min(100_000) as f64);
        let rows: Vec<(&str, f64, f64)> = classes
            .iter()
            .map(|class| {
                let base = key.base.get(*class).copied().unwrap_or(0.0);
                let observed = key.open.get(*class).copied().unwrap_or(0) as f64;
                (*class, observed, (base * total + 0.5) / (total + 0.5 * k))
            })
            .collect();
        let counts: Vec<(f64, f64)> = rows.iter().map(|(_, o, part)| (*o, n as f64 * part)).collect();
        let parts: Vec<(f64, f64)> = rows.iter().map(|(_, o, part)| (o / n as f64, *part)).collect();
        let (p, js) = (chi_squared_tail(g_statistic(&counts), classes.len().saturating_sub(1)), divergence(&parts));
        if p >= self.spec.p || js <= self.spec.divergence {
            return None;
        }
        let mut ranked: Vec<(f64, String)> = rows
            .iter()
            .filter(|(_, o, _)| *o > 0.0)
            .map(|(class, o, part)| {
                let e = n as f64 * part;
                (o * ln(o / e), format!("{class} {} instead of {}", shown(*o), shown(e)))
            })
            .collect();
        ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        let top: Vec<&str> = ranked.iter().take(3).map(|(_, words)| words.as_str()).collect();
        Some(Score {
            value: surprise(p),
            figures: crate::explanation::figures(js, self.spec.divergence, Some(p)),
            explanation: Explanation {
                observed: format!("{n} operations: {}", top.join(", ")),
                expected: format!("a divergence below {} bits, here {}", shown(self.spec.divergence), shown(js)),
                size: format!("{} operations of {} classes", key.learned, key.base.len()),
                peers: String::new(),
                ordinary: "the mix of the baseline".to_owned(),
            },
        })
    }

    fn settle(&self, key: &mut Key, _: Bucket, how: Learning) {
        let taught = std::mem::take(&mut key.taught);
        key.open.clear();
        match how {
            Learning::Dropped => {}
            Learning::Learned => self.learn(key, &taught),
            Learning::Held => taught.iter().for_each(|(class, times)| count(&mut key.held, class, *times)),
            Learning::Accepted => {
                taught.iter().for_each(|(class, times)| count(&mut key.held, class, *times));
                let held = std::mem::take(&mut key.held);
                (key.base, key.learned) = (BTreeMap::new(), 0);
                self.learn(key, &held);
            }
        }
    }

    fn is_warm(&self, key: &Key, _: &[&()], bucket: Bucket) -> bool {
        let is_old = key.since_ms.is_some_and(|since| bucket.start - since >= WEEK_MS);
        is_old && key.learned >= self.spec.baseline_min
    }

    fn teach(&self, _: &Key, (): &mut ()) {}

    fn settle_group(&self, (): &mut (), _: Bucket) {}
}
