//! A1, seasonal counts: more in a bucket than buckets of this hour hold.
//!
//! x of a slot with mean m and variance v (see `seasonal`) is negative binomial: `v* = max(v, m) + m²/n`, `r = m²/(v*−m)`,
//! `q = r/(r+m)`, `p = P(X ≥ x)`; Poisson where `v* ≤ 1.02 m`. Keys of less than one event a day have a rate ~ Gamma(a₀+Σx, b₀+T) whose
//! prior comes of the peers' rates by moments. After Gamma-Poisson outbreak detection (Farrington, Noufaily) with an EWMA in
//! the place of regression. Must never learn a bucket that is remarkable before it has been accepted.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use model::{CountsSpec, Frame};
use serde::{Deserialize, Serialize};

use crate::bucketed::{Bucket, Event, Learner, Learning, Score};
use crate::explanation::{Explanation, below};
use crate::seasonal::{Expected, Seasonal, WARM, slot_of, zone};
use crate::stats::{count_tail, first_remarkable, gamma_poisson_tail, shown, surprise};

const HOUR_MS: f64 = 3_600_000.0;

const DAY_MS: f64 = 24.0 * HOUR_MS;

/// Prior of a sparse key without peers: shape, and hours.
const PRIOR: (f64, f64) = (0.5, 0.1);

/// A sparse key is known after so many milliseconds.
const SPARSE_WARM_MS: i64 = 7 * 24 * 3_600_000;

/// The parameters, with the zone read.
#[derive(Debug, Clone)]
pub(crate) struct Counts {
    spec: CountsSpec,
    zone: TimeZone,
}

/// What is known of one key.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Key {
    season: Seasonal,
    /// Events and buckets since long, halved together: exact.
    total: u64,
    buckets: u64,
    /// Of the open bucket: all, of it what teaches, and exposure.
    open: u64,
    taught: u64,
    exposure: u64,
    /// By slot, of remarkable buckets: how many, Σx, Σx², Σ exposure.
    held: BTreeMap<u8, (u64, u128, u128, u64)>,
}

/// What is known of peers.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Group {
    season: Seasonal,
    /// Of the bucket that closes: keys, Σx, Σx², the most.
    open: (u64, u128, u128, u64),
    /// Keys' rates an hour, summed anew at each close in order of keys: how many, Σ, Σ of squares, Σ of 1/hours.
    rates: (u64, f64, f64, f64),
    /// Of the last bucket: keys, the most.
    last: (u64, u64),
    prior: Option<(f64, f64)>,
}

/// What a count is compared with.
enum Norm {
    Slot(Expected, bool),
    Sparse { a: f64, b: f64, span: f64, hours: f64 },
}

impl Norm {
    fn tail(&self, x: u64) -> f64 {
        match self {
            Norm::Slot(of, _) => count_tail(x, of.mean, of.variance),
            Norm::Sparse { a, b, span, .. } => gamma_poisson_tail(x, *a, *b, *span),
        }
    }

    fn mean(&self) -> f64 {
        match self {
            Norm::Slot(of, _) => of.mean,
            Norm::Sparse { a, b, span, .. } => a / b * span,
        }
    }

    fn size(&self) -> String {
        match self {
            Norm::Slot(of, false) => format!("{} similar hours", of.n),
            Norm::Slot(of, true) => format!("{} similar hours of peers", of.n),
            Norm::Sparse { hours, .. } => format!("{} hours, few of them with events", shown(*hours)),
        }
    }
}

impl Counts {
    pub(crate) fn new(spec: CountsSpec) -> Counts {
        // A rule with a zone that cannot be read is refused where it is parsed.
        let zone = zone(&spec.zone).unwrap_or(TimeZone::UTC);
        Counts { spec, zone }
    }

    fn slot(&self, bucket: Bucket) -> usize {
        slot_of(&self.zone, bucket.start)
    }

    fn is_sparse(&self, key: &Key) -> bool {
        let days = key.buckets as f64 * self.spec.frame.bucket_ms as f64 / DAY_MS;
        !self.spec.has_exposure && days >= 1.0 && (key.total as f64) < days
    }

    fn expect(&self, season: &Seasonal, key: &Key, bucket: Bucket) -> Option<Expected> {
        match self.spec.has_exposure {
            true => season.expect_exposed(self.slot(bucket), bucket.start, key.exposure as f64),
            false => season.expect(self.slot(bucket), bucket.start),
        }
    }

    fn norm(&self, key: &Key, groups: &[&Group], bucket: Bucket) -> Option<Norm> {
        if self.is_sparse(key) {
            let span = self.spec.frame.bucket_ms as f64 / HOUR_MS;
            let hours = key.buckets as f64 * span;
            let (a, b) = groups.iter().find_map(|group| group.prior).unwrap_or(PRIOR);
            return Some(Norm::Sparse { a: a + key.total as f64, b: b + hours, span, hours });
        }
        let own = self.expect(&key.season, key, bucket).map(|of| Norm::Slot(of, false));
        own.or_else(|| {
            groups.iter().find_map(|group| self.expect(&group.season, key, bucket)).map(|of| Norm::Slot(of, true))
        })
    }

    fn score(&self, key: &Key, groups: &[&Group], bucket: Bucket) -> Option<Score> {
        let x = key.open;
        if x < self.spec.count_min {
            return None;
        }
        let norm = self.norm(key, groups, bucket)?;
        let p = norm.tail(x);
        if p >= self.spec.p {
            return None;
        }
        let bound = first_remarkable(self.spec.p, |x| norm.tail(x)).max(self.spec.count_min);
        let runs = if self.spec.has_exposure { format!(" in {} runs", key.exposure) } else { String::new() };
        let peers = groups.iter().find(|group| group.last.0 > 0);
        let peers = peers
            .map(|group| format!("at most {} in the bucket before (group of {} keys)", group.last.1, group.last.0));
        Some(Score {
            value: surprise(p),
            figures: crate::explanation::figures(x as f64, norm.mean(), Some(p)),
            explanation: Explanation {
                observed: format!("{x}{runs} since {}", model::Timestamp::from_ms(bucket.start)),
                expected: below(norm.mean(), bound, self.spec.p),
                size: norm.size(),
                peers: peers.unwrap_or_default(),
                ordinary: format!("at most {}", bound.saturating_sub(1)),
            },
        })
    }

    fn learn(&self, key: &mut Key, bucket: Bucket) {
        let (slot, x) = (self.slot(bucket), key.taught as f64);
        match self.spec.has_exposure {
            true => key.season.learn_exposed(slot, bucket.end, x, key.exposure as f64),
            false => key.season.learn(slot, bucket.end, x),
        }
        key.held.retain(|held, _| usize::from(*held) != slot);
        key.total = key.total.saturating_add(key.taught);
        key.buckets += 1;
        if key.buckets as f64 * self.spec.frame.bucket_ms as f64 > 2.0 * self.spec.frame.memory_ms as f64 {
            (key.total, key.buckets) = (key.total / 2, key.buckets / 2);
        }
    }

    fn accept(&self, key: &mut Key, bucket: Bucket) {
        let held = std::mem::take(&mut key.held);
        for (slot, (n, sum, squares, exposure)) in held {
            let (n_, sum, squares) = (n as f64, sum as f64, squares as f64);
            let mean = sum / n_;
            let variance = (squares / n_ - mean * mean).max(0.0);
            let per = if self.spec.has_exposure { n_ / (exposure as f64).max(1.0) } else { 1.0 };
            let of = (n.max(u64::from(WARM)), mean * per, if self.spec.has_exposure { 0.0 } else { variance });
            key.season.accept(usize::from(slot), bucket.end, of);
            key.total = key.total.saturating_add(sum as u64);
            key.buckets += n;
        }
    }
}

impl Learner for Counts {
    type Key = Key;
    type Group = Group;

    fn frame(&self) -> &Frame {
        &self.spec.frame
    }

    /// The count of a bucket that is still open is held against the whole bucket's norm: early, and careful.
    fn see(&self, key: &mut Key, groups: &[&Group], event: &Event<'_>) -> Option<Score> {
        let exposure = event.rest.first().and_then(|texts| texts.first()).and_then(|text| text.trim().parse().ok());
        key.exposure = key.exposure.saturating_add(exposure.unwrap_or(0));
        key.open = key.open.saturating_add(event.amount);
        if event.teaches {
            key.taught = key.taught.saturating_add(event.amount);
        }
        if event.amount == 0 { None } else { self.score(key, groups, event.bucket) }
    }

    fn judge(&self, key: &mut Key, groups: &[&Group], bucket: Bucket) -> Option<Score> {
        self.score(key, groups, bucket)
    }

    fn settle(&self, key: &mut Key, bucket: Bucket, how: Learning) {
        match how {
            Learning::Learned => self.learn(key, bucket),
            Learning::Dropped => {}
            Learning::Held | Learning::Accepted => {
                let slot = u8::try_from(self.slot(bucket)).unwrap_or(0);
                let (n, sum, squares, exposure) = key.held.entry(slot).or_default();
                *n += 1;
                *sum += u128::from(key.taught);
                *squares = squares.saturating_add(u128::from(key.taught).pow(2));
                *exposure = exposure.saturating_add(key.exposure);
                if how == Learning::Accepted {
                    self.accept(key, bucket);
                }
            }
        }
        (key.open, key.taught, key.exposure) = (0, 0, 0);
    }

    fn is_warm(&self, key: &Key, _: &[&Group], bucket: Bucket) -> bool {
        let known_ms = (key.buckets as i64).saturating_mul(self.spec.frame.bucket_ms);
        key.season.is_warm(bucket.start) && (!self.is_sparse(key) || known_ms >= SPARSE_WARM_MS)
    }

    fn teach(&self, key: &Key, group: &mut Group) {
        let x = u128::from(key.taught);
        let (n, sum, squares, most) = &mut group.open;
        (*n, *sum, *squares) = (*n + 1, *sum + x, squares.saturating_add(x * x));
        *most = key.taught.max(*most);
        let hours = key.buckets as f64 * self.spec.frame.bucket_ms as f64 / HOUR_MS;
        if hours > 0.0 {
            let rate = key.total as f64 / hours;
            let (n, sum, squares, over) = &mut group.rates;
            (*n, *sum, *squares, *over) = (*n + 1, *sum + rate, *squares + rate * rate, *over + 1.0 / hours);
        }
    }

    fn settle_group(&self, group: &mut Group, bucket: Bucket) {
        let (n, sum, squares, most) = std::mem::take(&mut group.open);
        if n > 0 && !self.spec.has_exposure {
            let (n, mean) = (n as f64, sum as f64 / n as f64);
            let variance = (squares as f64 / n - mean * mean).max(0.0);
            group.season.learn_moments(self.slot(bucket), bucket.end, mean, variance);
        }
        group.last = (n, most);
        let (n, sum, squares, over) = std::mem::take(&mut group.rates);
        group.prior = prior(n, sum, squares, over);
    }
}

/// Gamma(a, b) of keys' rates by moments: what their variance exceeds Poisson's own by. None: fewer than five keys.
fn prior(n: u64, sum: f64, squares: f64, over: f64) -> Option<(f64, f64)> {
    if n < 5 || sum <= 0.0 {
        return None;
    }
    let (n, mean) = (n as f64, sum / n as f64);
    let between = (squares / n - mean * mean) - mean * over / n;
    let a = if between > 0.0 { mean * mean / between } else { f64::INFINITY }.clamp(0.05, 50.0);
    Some((a, a / mean))
}
