//! A8, beaconing: connections of a runner to one destination like clockwork.
//!
//! Over 24 hours, of the intervals: timing = ½[(1 − |Bowley|) + max(0, (median − MAD)/median)], Bowley = (Q1+Q3−2Q2)/(Q3−Q1), 0 where Q3−Q1 is
//! below 10 s; size = the same of bytes; histogram = max(1 − CV of hourly counts, share of its two commonest levels);
//! duration = max(part of the day, longest run of hours / 12). Score = their mean, + 0.15 where at most 2 % of runners know the
//! destination, − 0.15 where half do. Timing alone says nothing in CI, so gates: eight connections, two jobs or an hour, low prevalence.
//! After the published components of beacon scoring. Must never hold more than 64 connections of a pair.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use model::{BeaconSpec, Frame, Timestamp};
use serde::{Deserialize, Serialize};

use crate::bucketed::{Bucket, Event, Learner, Learning, Score};
use crate::explanation::Explanation;
use crate::stats::{median_mad, quantile, shown};

const CONNECTIONS_MAX: usize = 64;
const JOBS_MAX: usize = 16;
/// Runners of a group; beyond it the one seen longest ago goes.
const RUNNERS_MAX: usize = 1_024;
const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// The parameters.
#[derive(Debug, Clone)]
pub(crate) struct Beacon {
    pub(crate) spec: BeaconSpec,
}

/// What is known of a pair.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Pair {
    /// Time and bytes.
    connections: VecDeque<(i64, u64)>,
    /// By hour since 1970, of the last day.
    hours: BTreeMap<i64, u64>,
    jobs: BTreeSet<Box<str>>,
    runner: Box<str>,
    first_ms: Option<i64>,
    /// Something came since the last close.
    is_new: bool,
    is_beacon: bool,
}

/// Runners that know a destination, or all of them.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Runners {
    seen: BTreeMap<Box<str>, i64>,
    since_ms: Option<i64>,
}

/// How regular numbers are, 0 to 1: ½[(1 − |Bowley|) + max(0, (median − MAD)/median)]. `spread_min`: quartiles nearer than it are equal.
pub fn regularity(values: &[f64], spread_min: f64) -> f64 {
    if values.is_empty() {
        return 0.0;
    }
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let (q1, q2, q3) = (quantile(&sorted, 0.25), quantile(&sorted, 0.5), quantile(&sorted, 0.75));
    let bowley = if q3 - q1 < spread_min { 0.0 } else { (q1 + q3 - 2.0 * q2) / (q3 - q1) };
    let (median, mad) = median_mad(values);
    let tight = if median > 0.0 { ((median - mad) / median).max(0.0) } else { 0.0 };
    ((1.0 - bowley.abs()) + tight) / 2.0
}

/// How even the counts of 24 hours are, 0 to 1: 1 − CV, or the part of the busy hours on the two commonest levels, where eleven are busy.
pub fn evenness(hours: &[u64]) -> f64 {
    let n = hours.len().max(1) as f64;
    let mean = hours.iter().sum::<u64>() as f64 / n;
    if mean <= 0.0 {
        return 0.0;
    }
    let variance = hours.iter().map(|count| (*count as f64 - mean) * (*count as f64 - mean)).sum::<f64>() / n;
    let even = (1.0 - variance.sqrt() / mean).max(0.0);
    let busy: Vec<u64> = hours.iter().copied().filter(|count| *count > 0).collect();
    if busy.len() < 11 {
        return even;
    }
    // Levels a tenth of the busiest hour wide.
    let width = (busy.iter().max().copied().unwrap_or(1) as f64 / 10.0).max(1.0);
    let mut levels: BTreeMap<u64, u64> = BTreeMap::new();
    busy.iter().for_each(|count| *levels.entry((*count as f64 / width) as u64).or_default() += 1);
    let mut sizes: Vec<u64> = levels.into_values().collect();
    sizes.sort_unstable_by(|a, b| b.cmp(a));
    even.max(sizes.iter().take(2).sum::<u64>() as f64 / busy.len() as f64)
}

impl Beacon {
    fn score(&self, pair: &Pair, groups: &[&Runners], end: i64) -> Option<Score> {
        let alive: Vec<&(i64, u64)> = pair.connections.iter().filter(|(at, _)| *at >= end - DAY_MS).collect();
        let (first, last) = (alive.first()?.0, alive.last()?.0);
        let spans = pair.jobs.len() >= 2 || last - first >= HOUR_MS;
        let [of, all] = groups else { return None };
        let part = of.seen.len() as f64 / all.seen.len().max(1) as f64;
        // A destination that one runner of few knows is rare, whatever its part.
        let is_rare = part <= self.spec.prevalence_max || of.seen.len() <= 1;
        if alive.len() < self.spec.connections_min || !spans || !is_rare {
            return None;
        }
        let gaps = |pair: &[&(i64, u64)]| match pair {
            [(one, _), (next, _)] if next > one => Some((next - one) as f64 / 1_000.0),
            _ => None,
        };
        let intervals: Vec<f64> = alive.windows(2).filter_map(gaps).collect();
        let sizes: Vec<f64> = alive.iter().map(|(_, bytes)| *bytes as f64).collect();
        let (timing, size) = (regularity(&intervals, 10.0), regularity(&sizes, 32.0));
        let newest = (end - 1).div_euclid(HOUR_MS);
        let hours: Vec<u64> = (newest - 23..=newest).map(|hour| pair.hours.get(&hour).copied().unwrap_or(0)).collect();
        let longest = hours.split(|count| *count == 0).map(<[u64]>::len).max().unwrap_or(0);
        let busy: Vec<usize> = (0..hours.len()).filter(|hour| hours.get(*hour) > Some(&0)).collect();
        let covered = busy.last().unwrap_or(&0) + 1 - busy.first().unwrap_or(&0);
        let lasting = (covered as f64 / 24.0).max(longest as f64 / 12.0).min(1.0);
        let even = evenness(&hours);
        let share = if part <= 0.02 || of.seen.len() <= 1 {
            0.15
        } else if part >= 0.5 {
            -0.15
        } else {
            0.0
        };
        let score = (timing + size + even + lasting) / 4.0 + share;
        let (median, mad) = median_mad(&intervals);
        (score >= self.spec.score_min).then(|| Score {
            value: (score * 1_000.0).round() / 1_000.0,
            figures: crate::explanation::figures(score, self.spec.score_min, None),
            explanation: Explanation {
                observed: format!(
                    "{} connections of {} bytes (median) every {} s ± {}, across {} jobs since {}",
                    alive.len(),
                    shown(median_mad(&sizes).0),
                    shown(median),
                    shown(mad),
                    pair.jobs.len(),
                    Timestamp::from_ms(pair.first_ms.unwrap_or(first))
                ),
                expected: format!(
                    "a score below {} (timing {}, size {}, evenness {}, duration {})",
                    shown(self.spec.score_min),
                    shown(timing),
                    shown(size),
                    shown(even),
                    shown(lasting)
                ),
                size: format!("{} hours with connections", busy.len()),
                peers: format!("{} of {} runners know the destination", of.seen.len(), all.seen.len()),
                ordinary: "bursts within one job, or a destination that many runners know".to_owned(),
            },
        })
    }
}

impl Learner for Beacon {
    type Key = Pair;
    type Group = Runners;

    fn frame(&self) -> &Frame {
        &self.spec.frame
    }

    fn see(&self, pair: &mut Pair, _: &[&Runners], event: &Event<'_>) -> Option<Score> {
        if pair.connections.len() >= CONNECTIONS_MAX {
            pair.connections.pop_front();
        }
        pair.connections.push_back((event.at, event.amount));
        *pair.hours.entry(event.at.div_euclid(HOUR_MS)).or_default() += 1;
        pair.first_ms.get_or_insert(event.at);
        pair.is_new = true;
        if pair.jobs.len() < JOBS_MAX && !event.contributor.is_empty() {
            pair.jobs.insert(event.contributor.into());
        }
        if let Some(runner) = event.rest.first().and_then(|texts| texts.first()).filter(|_| pair.runner.is_empty()) {
            pair.runner = (*runner).into();
        }
        None
    }

    /// Its value is the score.
    fn judge(&self, pair: &mut Pair, groups: &[&Runners], bucket: Bucket) -> Option<Score> {
        pair.hours.retain(|hour, _| *hour >= (bucket.end - DAY_MS).div_euclid(HOUR_MS));
        // Between two beats of a slow one nothing has changed.
        let found = self.score(pair, groups, bucket.end).filter(|_| pair.is_new || pair.is_beacon);
        pair.is_beacon = found.is_some();
        found
    }

    fn settle(&self, pair: &mut Pair, _: Bucket, how: Learning) {
        pair.is_new = false;
        // Accepted: this pair's beats are known; it begins anew.
        if how == Learning::Accepted {
            pair.connections.clear();
        }
    }

    fn is_warm(&self, pair: &Pair, groups: &[&Runners], bucket: Bucket) -> bool {
        let since = groups.last().and_then(|all| all.since_ms).or(pair.first_ms);
        since.is_some_and(|since| bucket.end - since >= DAY_MS)
    }

    /// Who knows the destination counts whether its beats are remarkable or not.
    fn teach(&self, pair: &Pair, group: &mut Runners) {
        let Some((last, _)) = pair.connections.back().filter(|_| pair.is_new) else { return };
        let seen = group.seen.entry(pair.runner.clone()).or_insert(*last);
        *seen = (*seen).max(*last);
        group.since_ms = Some(group.since_ms.unwrap_or(*last).min(*last));
    }

    fn settle_group(&self, group: &mut Runners, bucket: Bucket) {
        let oldest = bucket.end - self.spec.frame.memory_ms;
        group.seen.retain(|_, last| *last >= oldest);
        let Some(excess) = group.seen.len().checked_sub(RUNNERS_MAX).filter(|excess| *excess > 0) else { return };
        // All that are too many in one pass: names of runners that live for one job come by thousands.
        let mut by_time: Vec<(i64, &str)> = group.seen.iter().map(|(name, last)| (*last, &**name)).collect();
        let (oldest, ..) = by_time.select_nth_unstable(excess);
        let gone: BTreeSet<Box<str>> = oldest.iter().map(|(_, name)| Box::from(*name)).collect();
        group.seen.retain(|name, _| !gone.contains(name));
    }
}
