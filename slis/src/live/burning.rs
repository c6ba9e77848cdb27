//! One objective for one key while events come: what its windows sum up to, what spent the budget, whether it is told.
//!
//! A minute costs one addition and one subtraction a window, however long that is. Must never judge before a minute's close.

use std::collections::{BTreeMap, BTreeSet};

use model::{Evidence, Urgency};
use serde::{Deserialize, Serialize};

use crate::burn::{Budget, Counts, Judgement, Series, judge_windows, timeslices};
use crate::contribution::MINUTE_MS;
use crate::slo::{Budgeting, Slo};

/// Events of which it is known that they spent the budget; the oldest go first.
const SPENT_MAX: usize = 256;

const HOUR_MS: i64 = 60 * MINUTE_MS;

/// See the module.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Burning {
    series: Series,
    /// The close up to which the sums reach.
    closed_ms: i64,
    /// Sums over the windows that end there, by their length in milliseconds.
    sums: BTreeMap<i64, Counts>,
    /// Bad anchors by the start of their minute.
    spent: BTreeSet<(i64, Evidence)>,
    told: Option<Urgency>,
}

/// What a close says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Said {
    Nothing,
    Burns(Urgency),
    Ended,
}

impl Burning {
    /// Of an objective, from a close on.
    pub(super) fn new(slo: &Slo, closed_ms: i64) -> Burning {
        let closed_ms = closed_ms.saturating_sub(slo.settles_ms);
        let lengths = slo.policy.conditions.iter().flat_map(|of| [of.long_ms, of.short_ms]);
        let lengths = lengths.chain([slo.policy.period_ms]);
        Burning { closed_ms, sums: lengths.map(|ms| (ms, Counts::default())).collect(), ..Burning::default() }
    }

    /// Something was counted in a minute, or is taken back there.
    pub(super) fn add(&mut self, minute_ms: i64, counts: Counts, of: Option<&Evidence>) {
        self.series.add(minute_ms, counts);
        for (length_ms, sum) in &mut self.sums {
            if (self.closed_ms.saturating_sub(*length_ms)..self.closed_ms).contains(&minute_ms) {
                *sum += counts;
            }
        }
        let Some(evidence) = of else { return };
        let bad = (minute_ms, evidence.clone());
        if counts.bad() > 0 {
            self.spent.insert(bad);
        } else if counts.bad() < 0 {
            self.spent.remove(&bad);
        }
        if self.spent.len() > SPENT_MAX {
            self.spent.pop_first();
        }
    }

    /// Nothing that it holds can change a verdict before something else is counted.
    pub(super) fn is_idle(&self) -> bool {
        let comes = self.series.range(self.closed_ms, i64::MAX).next().is_some();
        self.told.is_none() && !comes && self.sums.values().all(|sum| *sum == Counts::default())
    }

    /// Moves to the close of a minute and judges there what is known by then.
    pub(super) fn close(&mut self, slo: &Slo, at_ms: i64) -> (Said, Judgement) {
        let at_ms = at_ms.saturating_sub(slo.settles_ms);
        self.reach(at_ms);
        if at_ms % HOUR_MS == 0 {
            self.series.forget_before(at_ms.saturating_sub(self.sums.keys().copied().max().unwrap_or(0)));
        }
        let judgement = match slo.budgeting {
            Budgeting::Occurrences => judge_windows(&slo.policy, &|length_ms| self.window(length_ms)),
            Budgeting::Timeslices { slice_ms, target_ppm } => {
                let slices = timeslices(&self.series, slice_ms, target_ppm);
                let end_ms = at_ms.div_euclid(slice_ms) * slice_ms;
                judge_windows(&slo.policy, &|length_ms| slices.window(end_ms, length_ms))
            }
        };
        let said = match (self.told, judgement.urgency) {
            (_, Some(urgency)) => Said::Burns(urgency),
            (Some(_), None) => Said::Ended,
            (None, None) => Said::Nothing,
        };
        self.told = judgement.urgency;
        (said, judgement)
    }

    fn reach(&mut self, at_ms: i64) {
        if at_ms.saturating_sub(self.closed_ms) > self.sums.keys().copied().min().unwrap_or(0) {
            // Nothing was asked for long: the sums are made anew.
            for (length_ms, sum) in &mut self.sums {
                *sum = self.series.window(at_ms, *length_ms);
            }
            self.closed_ms = at_ms;
        }
        while self.closed_ms < at_ms {
            for (length_ms, sum) in &mut self.sums {
                *sum += self.series.minute(self.closed_ms);
                *sum += -self.series.minute(self.closed_ms.saturating_sub(*length_ms));
            }
            self.closed_ms += MINUTE_MS;
        }
    }

    /// What was counted in the window of that length that ends at the last close.
    pub(super) fn window(&self, length_ms: i64) -> Counts {
        self.sums.get(&length_ms).copied().unwrap_or_default()
    }

    /// The budget of the objective's period.
    pub(super) fn budget(&self, slo: &Slo) -> Option<Budget> {
        Budget::of(slo.policy.objective, self.window(slo.policy.period_ms))
    }

    /// The last events that spent the budget within a window, in order of time.
    pub(super) fn spent(&self, length_ms: i64, at_most: usize) -> Vec<Evidence> {
        let from = self.closed_ms.saturating_sub(length_ms);
        let within = self.spent.iter().filter(|(minute, _)| (from..self.closed_ms).contains(minute));
        let mut last: Vec<Evidence> = within.rev().take(at_most).map(|(_, evidence)| evidence.clone()).collect();
        last.reverse();
        last
    }
}
