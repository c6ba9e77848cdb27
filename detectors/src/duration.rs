//! A5, duration: runs that take longer than they did.
//!
//! `y = ln(duration)`; `z = clip((y − median)/max(1.4826·MAD, 0.05), −4, 4)` against the 256 runs before the last 20; `S ← max(0, S + z −
//! k)`, alarm at S > h, once Mann and Whitney's test of the last 20 against the 200 before agrees. By Siegmund
//! `ARL₀ ≈ (e^{2kb} − 2kb − 1)/(2k²)`, b = h + 1.166: 19,100 runs for k = 0.5, h = 8. Must never learn from the runs of an alarm
//! before it is over or accepted.

use std::collections::VecDeque;

use model::{DurationSpec, Frame};
use serde::{Deserialize, Serialize};

use crate::bucketed::{Bucket, Event, Learner, Learning, Score};
use crate::explanation::Explanation;
use crate::stats::{exp, ln, mann_whitney, median_mad, quantile, robust_z, shown};

/// Runs that are being judged.
const RECENT: usize = 20;

/// Runs that they are judged by.
const REFERENCE: usize = 256;

/// Of these the rank test takes the last.
const COMPARED: usize = 200;

/// The parameters.
#[derive(Debug, Clone)]
pub(crate) struct Duration {
    pub(crate) spec: DurationSpec,
}

/// What is known of one key.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Key {
    /// ln of milliseconds, in total order; the last [`RECENT`] are judged by those before.
    ring: VecDeque<f32>,
    /// Runs since an alarm.
    held: VecDeque<f32>,
    s: f64,
    /// Runs since S was zero.
    rise: u64,
    is_alarmed: bool,
}

/// Siegmund's average number of runs between false alarms.
pub fn siegmund_run_length(slack: f64, threshold: f64) -> f64 {
    let b = threshold + 1.166;
    (exp(2.0 * slack * b) - 2.0 * slack * b - 1.0) / (2.0 * slack * slack)
}

impl Key {
    fn reference(&self) -> Vec<f64> {
        let end = self.ring.len().saturating_sub(RECENT);
        self.ring.iter().take(end).map(|y| f64::from(*y)).collect()
    }

    fn recent(&self) -> Vec<f64> {
        let mut last: Vec<f64> =
            self.held.iter().rev().chain(self.ring.iter().rev()).take(RECENT).map(|y| f64::from(*y)).collect();
        last.reverse();
        last
    }

    fn push(&mut self, y: f32) {
        if self.is_alarmed {
            bounded(&mut self.held, y, REFERENCE);
        } else {
            bounded(&mut self.ring, y, REFERENCE + RECENT);
        }
    }
}

fn bounded(ring: &mut VecDeque<f32>, y: f32, most: usize) {
    if ring.len() >= most {
        ring.pop_front();
    }
    ring.push_back(y);
}

impl Duration {
    fn score(&self, key: &Key, p: f64) -> Score {
        let (reference, mut recent) = (key.reference(), key.recent());
        let (median, mad) = median_mad(&reference);
        recent.sort_by(f64::total_cmp);
        let now = quantile(&recent, 0.5);
        let seconds = |y: f64| shown(exp(y) / 1_000.0);
        let deviation = (1.4826 * mad).max(0.05);
        Score {
            value: (key.s * 1_000.0).round() / 1_000.0,
            figures: crate::explanation::figures(exp(now), exp(median), Some(p)),
            explanation: Explanation {
                observed: format!(
                    "the last {} runs took {} s (median), {} times as long, rising for {} runs",
                    recent.len(),
                    seconds(now),
                    shown(exp(now - median)),
                    key.rise
                ),
                expected: format!(
                    "{} s, {} to {} s (S {} below {}, rank test p {})",
                    seconds(median),
                    seconds(median - 2.0 * deviation),
                    seconds(median + 2.0 * deviation),
                    shown(key.s),
                    shown(self.spec.threshold),
                    shown(p)
                ),
                size: format!("{} runs", reference.len()),
                peers: String::new(),
                ordinary: format!("a median below {} s", seconds(median + self.spec.slack * deviation)),
            },
        }
    }

    fn rank_test(&self, key: &Key) -> f64 {
        let reference = key.reference();
        let skip = reference.len().saturating_sub(COMPARED);
        mann_whitney(reference.get(skip..).unwrap_or_default(), &key.recent())
    }
}

impl Learner for Duration {
    type Key = Key;
    type Group = ();

    fn frame(&self) -> &Frame {
        &self.spec.frame
    }

    /// Its value is S. Runs that do not teach are not judged: one run says nothing of a shift.
    fn see(&self, key: &mut Key, _: &[&()], event: &Event<'_>) -> Option<Score> {
        let text = event.rest.first().and_then(|texts| texts.first())?;
        let ms = text.trim().parse::<f64>().ok().filter(|ms| *ms > 0.0 && ms.is_finite() && event.teaches)?;
        let y = ln(ms);
        let is_judged = key.ring.len() >= self.spec.runs_min;
        let (median, mad) = median_mad(&key.reference());
        key.push(y as f32);
        if !is_judged {
            return None;
        }
        let z = robust_z(y, median, mad, 0.05).clamp(-4.0, 4.0);
        // Not far above the threshold: what is over is seen to be over.
        key.s = (key.s + z - self.spec.slack).clamp(0.0, 2.0 * self.spec.threshold);
        key.rise = if key.s > 0.0 { key.rise + 1 } else { 0 };
        if key.s <= self.spec.threshold {
            return None;
        }
        let p = self.rank_test(key);
        (p < self.spec.p).then(|| {
            key.is_alarmed = true;
            self.score(key, p)
        })
    }

    fn judge(&self, key: &mut Key, _: &[&()], _: Bucket) -> Option<Score> {
        if key.is_alarmed && key.s <= 0.0 {
            key.is_alarmed = false;
            for y in std::mem::take(&mut key.held) {
                key.push(y);
            }
        }
        key.is_alarmed.then(|| self.score(key, self.rank_test(key)))
    }

    fn settle(&self, key: &mut Key, _: Bucket, how: Learning) {
        if matches!(how, Learning::Accepted | Learning::Dropped) && key.is_alarmed {
            let recent = key.recent();
            key.is_alarmed = false;
            // With few runs of the new level the last ones before it belong to it too.
            let held = std::mem::take(&mut key.held);
            key.ring = if held.len() < RECENT { recent.iter().map(|y| *y as f32).collect() } else { held };
            (key.s, key.rise) = (0.0, 0);
        }
    }

    fn is_warm(&self, key: &Key, _: &[&()], _: Bucket) -> bool {
        key.ring.len() >= self.spec.runs_min
    }

    fn teach(&self, _: &Key, (): &mut ()) {}

    fn settle_group(&self, (): &mut (), _: Bucket) {}
}
