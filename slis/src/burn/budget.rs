//! What of a budget is left, and when it will be gone.
//!
//! Ratios may be negative: a budget that is overspent says by how much. Must never tell a time to exhaustion without saying
//! which of the three it is.

use super::rates::Objective;
use super::series::{Counts, Series};

/// The budget of a period, for display.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Budget {
    /// Bad ones that are allowed.
    pub allowed: f64,
    /// Bad ones there were.
    pub spent: i64,
    /// Share that is left: 1 untouched, below 0 overspent.
    pub left: f64,
    /// Bad ones that are still allowed; below 0: that were too many.
    pub left_events: f64,
}

impl Budget {
    /// Of the counts of a period. None: nothing was counted, or all must be good.
    pub fn of(objective: Objective, counts: Counts) -> Option<Budget> {
        if counts.total <= 0 || !objective.has_budget() {
            return None;
        }
        let allowed = objective.budget() * counts.total as f64;
        let spent = counts.bad();
        Some(Budget { allowed, spent, left: 1.0 - spent as f64 / allowed, left_events: allowed - spent as f64 })
    }

    /// The budget of a calendar period that is not over: what has been counted, grown to the whole period at the same pace.
    pub fn forecast(objective: Objective, counts: Counts, elapsed_ms: i64, period_ms: i64) -> Option<Budget> {
        if elapsed_ms <= 0 {
            return None;
        }
        let total = i128::from(counts.total) * i128::from(period_ms) / i128::from(elapsed_ms);
        let total = i64::try_from(total).unwrap_or(i64::MAX);
        Budget::of(objective, Counts { good: total - counts.bad(), total })
    }
}

/// How long a full budget lasts at a burn rate, in milliseconds: period ÷ rate. None: it does not burn.
pub fn whole_budget_ms(objective: Objective, period_ms: i64, now: Counts) -> Option<i64> {
    let rate = objective.burn_rate(now).filter(|rate| *rate > 0.0)?;
    Some((period_ms as f64 / rate) as i64)
}

/// How long what is left lasts at so many bad ones in so long, nothing leaving the window, in milliseconds. None: none is
/// bad; 0: it is gone.
pub fn static_exhaustion_ms(objective: Objective, period: Counts, now: Counts, now_ms: i64) -> Option<i64> {
    let left = Budget::of(objective, period)?.left_events;
    (now.bad() > 0).then(|| (left / now.bad() as f64 * now_ms as f64).max(0.0) as i64)
}

/// When a rolling budget will be gone at the rates of now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exhaustion {
    /// After so many milliseconds.
    After(i64),
    /// Not at this rate: what leaves the window makes room.
    Never,
    /// Nothing was counted, or there is no budget.
    NoData,
}

/// Steps forward from `at_ms`: what leaves the window is dropped, `now` (counted within `now_ms`) is added at its pace. The
/// first step at which more is bad than is allowed is the answer.
pub fn exhaustion(
    series: &Series,
    objective: Objective,
    (at_ms, period_ms): (i64, i64),
    (now, now_ms): (Counts, i64),
    step_ms: i64,
) -> Exhaustion {
    let mut held = series.window(at_ms, period_ms);
    if !objective.has_budget() || held.total <= 0 && now.total <= 0 || step_ms <= 0 || now_ms <= 0 {
        return Exhaustion::NoData;
    }
    let mut leaving = series.range(at_ms - period_ms, at_ms).peekable();
    // Everything counts in units of events times `now_ms`, so that rates stay whole.
    let grown = |count: i64, rate: i64, elapsed: i64| {
        i128::from(count) * i128::from(now_ms) + i128::from(rate) * i128::from(elapsed)
    };
    let mut elapsed = 0;
    loop {
        while let Some((_, counts)) = leaving.next_if(|(minute, _)| *minute < at_ms + elapsed - period_ms) {
            held += Counts { good: -counts.good, total: -counts.total };
        }
        let bad = grown(held.bad(), now.bad(), elapsed.min(period_ms));
        let total = grown(held.total, now.total, elapsed.min(period_ms));
        if objective.is_spent_of(bad, total) {
            return Exhaustion::After(elapsed);
        }
        if elapsed > period_ms {
            return Exhaustion::Never;
        }
        elapsed += step_ms;
    }
}
