//! A4, CUSUM: a rate that crept up, too slowly for any single bucket to tell.
//!
//! Poisson: `W ← max(0, W + x·ln R − (R−1)·λ₀)` at each bucket's close, λ₀ the seasonal mean (of the bucket's exposure), R the ratio
//! that is looked for. Bernoulli: per trial ln(p₁/p₀) where bad, ln((1−p₁)/(1−p₀)) else. Alarm at W > H = ln(run length): by
//! Lorden's bound false alarms are at least so many buckets (trials) apart. After an alarm W begins anew and λ₀ stands
//! for a day. After Page (1954), Lorden (1971). Must never learn from the buckets that an alarm is about.

use jiff::tz::TimeZone;
use model::{CusumSpec, Draw, Frame, Timestamp};
use serde::{Deserialize, Serialize};

use crate::bucketed::{Bucket, Event, Learner, Learning, Score};
use crate::explanation::Explanation;
use crate::seasonal::{Seasonal, slot_of, zone};
use crate::stats::{ln, shown};

/// λ₀ stands for so many milliseconds after an alarm.
const FREEZE_MS: i64 = 24 * 3_600_000;

/// Trials before the part of bad ones is known.
const TRIALS_MIN: u64 = 200;

/// Trials at which history is halved.
const TRIALS_MAX: u64 = 20_000;

/// The parameters, with the zone read.
#[derive(Debug, Clone)]
pub(crate) struct Cusum {
    spec: CusumSpec,
    zone: TimeZone,
}

/// What is known of one key.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Key {
    season: Seasonal,
    /// Bad ones and trials since long, halved together: exact.
    history: (u64, u64),
    /// Of the open bucket: all, of it what teaches, exposure. Of trials: bad, bad that teach, trials that teach.
    open: (u64, u64, u64),
    w: f64,
    /// Since W was last zero: when that was, events (bad ones), what was expected.
    rise: Option<(i64, u64, f64)>,
    /// Before it nothing is learned.
    frozen_ms: i64,
    /// Of buckets that were not learned: events, what was expected.
    held: (u64, f64),
    /// What the alarm of a trial in the open bucket said.
    is_alarmed: bool,
    buckets: u64,
}

/// The least H with an average of at least so many buckets (trials) between false alarms: ARL₀ ≥ e^H.
pub fn cusum_threshold(run_length: f64) -> f64 {
    ln(run_length.max(1.0))
}

/// What one bucket of x adds to W where λ₀ was expected.
pub fn poisson_step(x: u64, lambda: f64, ratio: f64) -> f64 {
    x as f64 * ln(ratio) - (ratio - 1.0) * lambda
}

/// What one trial adds to W where the part p₀ is bad and p₁ is looked for.
pub fn bernoulli_step(is_bad: bool, p0: f64, p1: f64) -> f64 {
    if is_bad { ln(p1 / p0) } else { ln((1.0 - p1) / (1.0 - p0)) }
}

impl Cusum {
    pub(crate) fn new(spec: CusumSpec) -> Cusum {
        let zone = zone(&spec.zone).unwrap_or(TimeZone::UTC);
        Cusum { spec, zone }
    }

    fn threshold(&self) -> f64 {
        cusum_threshold(self.spec.run_length)
    }

    fn lambda(&self, key: &Key, bucket: Bucket) -> Option<f64> {
        let slot = slot_of(&self.zone, bucket.start);
        let expected = match key.open.2 {
            0 => key.season.expect(slot, bucket.start),
            exposure => key.season.expect_exposed(slot, bucket.start, exposure as f64),
        };
        expected.map(|of| of.mean)
    }

    /// The part of bad ones, if it is known, and the one that is looked for.
    fn parts(&self, key: &Key) -> Option<(f64, f64)> {
        let (bad, trials) = key.history;
        let p0 = (bad as f64 + 0.5) / (trials as f64 + 1.0);
        (trials >= TRIALS_MIN).then(|| (p0, (p0 * self.spec.ratio).min((1.0 + p0) / 2.0)))
    }

    fn score(&self, key: &Key, w: f64, (since, events, expected): (i64, u64, f64)) -> Score {
        let what = if self.spec.draw == Draw::Poisson { "events" } else { "bad ones" };
        let ratio = events as f64 / expected.max(1e-9);
        let size = match self.spec.draw {
            Draw::Poisson => format!("{} buckets", key.buckets),
            Draw::Bernoulli => format!("{} of {} trials bad", key.history.0, key.history.1),
        };
        Score {
            value: (w * 1_000.0).round() / 1_000.0,
            figures: crate::explanation::figures(events as f64, expected, None),
            explanation: Explanation {
                observed: format!(
                    "{events} {what} since {}: {} times as many",
                    Timestamp::from_ms(since),
                    shown(ratio)
                ),
                expected: format!("{} (W {} below {})", shown(expected), shown(w), shown(self.threshold())),
                size,
                peers: String::new(),
                ordinary: format!("fewer than {} times {}", shown((1.0 + self.spec.ratio) / 2.0), shown(expected)),
            },
        }
    }

    /// W takes a step; `events` of what `expected` was expected.
    fn step(&self, key: &mut Key, by: f64, events: u64, expected: f64, at: i64) -> Option<Score> {
        key.w = (key.w + by).max(0.0);
        if key.w == 0.0 {
            key.rise = None;
            return None;
        }
        let (since, x, e) = key.rise.unwrap_or((at, 0, 0.0));
        let rise = (since, x.saturating_add(events), e + expected);
        key.rise = Some(rise);
        if key.w <= self.threshold() {
            return None;
        }
        let score = self.score(key, key.w, rise);
        (key.w, key.rise) = (0.0, None);
        key.frozen_ms = at + FREEZE_MS;
        Some(score)
    }

    fn see_trial(&self, key: &mut Key, event: &Event<'_>) -> Option<Score> {
        let is_bad = is_bad(event);
        key.open.0 += u64::from(is_bad);
        if event.teaches {
            key.open.1 += u64::from(is_bad);
            key.open.2 += 1;
        }
        let (p0, p1) = self.parts(key)?;
        let found = self.step(key, bernoulli_step(is_bad, p0, p1), u64::from(is_bad), p0, event.at);
        key.is_alarmed |= found.is_some();
        found
    }

    fn learn(&self, key: &mut Key, bucket: Bucket) {
        let (_, taught, third) = key.open;
        if self.spec.draw == Draw::Bernoulli {
            key.history = (key.history.0 + taught, key.history.1 + third);
            if key.history.1 > TRIALS_MAX {
                key.history = (key.history.0 / 2, key.history.1 / 2);
            }
            return;
        }
        let slot = slot_of(&self.zone, bucket.start);
        match third {
            0 => key.season.learn(slot, bucket.end, taught as f64),
            exposure => key.season.learn_exposed(slot, bucket.end, taught as f64, exposure as f64),
        }
        key.buckets += 1;
    }
}

fn is_bad(event: &Event<'_>) -> bool {
    event.rest.first().and_then(|texts| texts.first()) == Some(&"true")
}

impl Learner for Cusum {
    type Key = Key;
    type Group = ();

    fn frame(&self) -> &Frame {
        &self.spec.frame
    }

    /// The open bucket's count is held against the whole bucket's λ₀: early, and careful.
    fn see(&self, key: &mut Key, _: &[&()], event: &Event<'_>) -> Option<Score> {
        if self.spec.draw == Draw::Bernoulli {
            return self.see_trial(key, event);
        }
        let exposure = event.rest.first().and_then(|texts| texts.first()).and_then(|text| text.trim().parse().ok());
        key.open.0 = key.open.0.saturating_add(event.amount);
        key.open.2 = key.open.2.saturating_add(exposure.unwrap_or(0));
        if event.teaches {
            key.open.1 = key.open.1.saturating_add(event.amount);
        }
        let lambda = self.lambda(key, event.bucket)?;
        let w = key.w + poisson_step(key.open.0, lambda, self.spec.ratio);
        let (since, x, e) = key.rise.unwrap_or((event.bucket.start, 0, 0.0));
        (event.amount > 0 && w > self.threshold())
            .then(|| self.score(key, w, (since, x.saturating_add(key.open.0), e + lambda)))
    }

    fn judge(&self, key: &mut Key, _: &[&()], bucket: Bucket) -> Option<Score> {
        if self.spec.draw == Draw::Bernoulli {
            let (p0, _) = self.parts(key)?;
            let (bad, trials) = (key.open.0, key.open.2);
            return key.is_alarmed.then(|| self.score(key, self.threshold(), (bucket.start, bad, p0 * trials as f64)));
        }
        let lambda = self.lambda(key, bucket)?;
        self.step(key, poisson_step(key.open.0, lambda, self.spec.ratio), key.open.0, lambda, bucket.start)
    }

    fn settle(&self, key: &mut Key, bucket: Bucket, how: Learning) {
        let is_frozen = bucket.start < key.frozen_ms;
        match how {
            Learning::Dropped => {}
            Learning::Learned if !is_frozen => {
                self.learn(key, bucket);
                key.held = (0, 0.0);
            }
            Learning::Learned | Learning::Held | Learning::Accepted => {
                let lambda = self.lambda(key, bucket).unwrap_or(0.0);
                key.held = (key.held.0.saturating_add(key.open.1), key.held.1 + lambda);
            }
        }
        if how == Learning::Accepted {
            let (events, expected) = std::mem::take(&mut key.held);
            match self.spec.draw {
                Draw::Poisson if expected > 0.0 => key.season.scale(events as f64 / expected),
                Draw::Poisson => {}
                // The last bucket's trials are the history from here on.
                Draw::Bernoulli => key.history = (key.open.1, key.open.2),
            }
            key.frozen_ms = 0;
        }
        (key.open, key.is_alarmed) = ((0, 0, 0), false);
    }

    fn is_warm(&self, key: &Key, _: &[&()], bucket: Bucket) -> bool {
        match self.spec.draw {
            Draw::Poisson => key.season.is_warm(bucket.start),
            Draw::Bernoulli => key.history.1 >= TRIALS_MIN,
        }
    }

    fn blames(&self, event: &Event<'_>) -> bool {
        self.spec.draw == Draw::Poisson || is_bad(event)
    }

    fn teach(&self, _: &Key, (): &mut ()) {}

    fn settle_group(&self, (): &mut (), _: Bucket) {}
}
