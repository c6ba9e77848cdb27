//! A6, ratio: more bad ones of all than this key used to have, with few of both.
//!
//! History of 14 days: `κ = min(n, 200)`, `a = κp̂ + ½`, `b = κ(1−p̂) + ½`; of n new trials P(X ≥ x) is the upper tail of the
//! beta-binomial. The null is the key's own history (its peers', where it has too little): a population's says nothing of a
//! key that differs from it. Must never count what an announced change explains as history.

use model::{Frame, RatioSpec, Timestamp};
use serde::{Deserialize, Serialize};

use crate::bucketed::{Bucket, Event, Learner, Learning, Score};
use crate::explanation::Explanation;
use crate::stats::{beta_binomial_tail, first_remarkable, shown, surprise};

/// Trials that history counts for at most.
const KAPPA_MAX: f64 = 200.0;

const DAY_MS: i64 = 24 * 3_600_000;

/// The parameters.
#[derive(Debug, Clone)]
pub(crate) struct Ratio {
    pub(crate) spec: RatioSpec,
}

/// Bad ones and trials by day: exact, however long.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct History {
    days: Vec<(i64, u64, u64)>,
    bad: u64,
    trials: u64,
    /// What the keys of a group taught in the bucket that closes.
    open: (u64, u64),
}

/// What is known of one key.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Key {
    history: History,
    held: History,
    open: Open,
}

/// The open bucket: all, and what teaches of it.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
struct Open {
    bad: u64,
    trials: u64,
    taught_bad: u64,
    taught: u64,
    first_bad_ms: Option<i64>,
}

impl History {
    fn learn(&mut self, day: i64, (bad, trials): (u64, u64), days: usize) {
        (self.bad, self.trials) = (self.bad + bad, self.trials + trials);
        match self.days.last_mut() {
            Some((last, b, n)) if *last == day => (*b, *n) = (*b + bad, *n + trials),
            _ => self.days.push((day, bad, trials)),
        }
        let oldest = day - i64::try_from(days).unwrap_or(14);
        while let Some((_, bad, trials)) = self.days.first().copied().filter(|(first, ..)| *first <= oldest) {
            (self.bad, self.trials) = (self.bad - bad, self.trials - trials);
            self.days.remove(0);
        }
    }

    fn prior(&self) -> (f64, f64) {
        beta_prior(self.bad, self.trials)
    }
}

/// (a, b) of Beta from a history of bad ones and trials.
pub fn beta_prior(bad: u64, trials: u64) -> (f64, f64) {
    let kappa = (trials as f64).min(KAPPA_MAX);
    let part = if trials == 0 { 0.5 } else { bad as f64 / trials as f64 };
    (kappa * part + 0.5, kappa * (1.0 - part) + 0.5)
}

impl Ratio {
    fn score(&self, key: &Key, groups: &[&History]) -> Option<Score> {
        let open = key.open;
        if open.bad < self.spec.bad_min {
            return None;
        }
        let is_enough = |of: &&History| of.trials >= self.spec.trials_min;
        let peers = groups.iter().copied().find(is_enough);
        let (history, whose) = match (Some(&key.history).filter(is_enough), peers) {
            (Some(own), _) => (own, "its own"),
            (None, peers) => (peers?, "its peers'"),
        };
        let (a, b) = history.prior();
        let p = beta_binomial_tail(open.bad, open.trials, a, b);
        if p >= self.spec.p {
            return None;
        }
        let part = |bad: u64, trials: u64| format!("{} %", shown(100.0 * bad as f64 / trials.max(1) as f64));
        let bound = first_remarkable(self.spec.p, |x| beta_binomial_tail(x, open.trials, a, b));
        let first = open.first_bad_ms.map_or(String::new(), |ms| format!(", the first at {}", Timestamp::from_ms(ms)));
        Some(Score {
            value: surprise(p),
            figures: crate::explanation::figures(open.bad as f64, open.trials as f64 * a / (a + b), Some(p)),
            explanation: Explanation {
                observed: format!("{} of {} bad ({}){first}", open.bad, open.trials, part(open.bad, open.trials)),
                expected: format!(
                    "{} of {} (fewer than {bound} but for p {})",
                    shown(open.trials as f64 * a / (a + b)),
                    open.trials,
                    shown(self.spec.p)
                ),
                size: format!("{whose} {} of {} in {} days", history.bad, history.trials, history.days.len()),
                peers: peers.map_or(String::new(), |of| format!("{} bad of {}", part(of.bad, of.trials), of.trials)),
                ordinary: format!("at most {} bad", bound.saturating_sub(1)),
            },
        })
    }
}

fn is_bad(event: &Event<'_>) -> bool {
    event.rest.first().and_then(|texts| texts.first()) == Some(&"true")
}

impl Learner for Ratio {
    type Key = Key;
    type Group = History;

    fn frame(&self) -> &Frame {
        &self.spec.frame
    }

    fn see(&self, key: &mut Key, groups: &[&History], event: &Event<'_>) -> Option<Score> {
        let bad = if is_bad(event) { event.amount } else { 0 };
        let open = &mut key.open;
        (open.bad, open.trials) = (open.bad.saturating_add(bad), open.trials.saturating_add(event.amount));
        if event.teaches {
            open.taught_bad = open.taught_bad.saturating_add(bad);
            open.taught = open.taught.saturating_add(event.amount);
        }
        if bad == 0 {
            return None;
        }
        open.first_bad_ms.get_or_insert(event.at);
        self.score(key, groups)
    }

    fn judge(&self, key: &mut Key, groups: &[&History], _: Bucket) -> Option<Score> {
        self.score(key, groups)
    }

    fn settle(&self, key: &mut Key, bucket: Bucket, how: Learning) {
        let (day, open) = (bucket.start.div_euclid(DAY_MS), std::mem::take(&mut key.open));
        let of = (open.taught_bad, open.taught);
        match how {
            Learning::Dropped => {}
            Learning::Learned => key.history.learn(day, of, self.spec.days),
            Learning::Held => key.held.learn(day, of, self.spec.days),
            Learning::Accepted => {
                key.held.learn(day, of, self.spec.days);
                key.history = std::mem::take(&mut key.held);
            }
        }
    }

    fn is_warm(&self, key: &Key, groups: &[&History], _: Bucket) -> bool {
        let mut all = groups.iter().copied().chain([&key.history]);
        all.any(|of| of.trials >= self.spec.trials_min)
    }

    fn blames(&self, event: &Event<'_>) -> bool {
        is_bad(event)
    }

    fn teach(&self, key: &Key, group: &mut History) {
        let (bad, trials) = &mut group.open;
        (*bad, *trials) = (*bad + key.open.taught_bad, *trials + key.open.taught);
    }

    fn settle_group(&self, group: &mut History, bucket: Bucket) {
        let of = std::mem::take(&mut group.open);
        group.learn(bucket.start.div_euclid(DAY_MS), of, self.spec.days);
    }
}
