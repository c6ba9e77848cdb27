//! Objectives, burn rates and the conditions that alert on them; what of them can never fire or fires too soon.
//!
//! Thresholds are products of whole numbers. Must never round an objective: one that does not fit is refused.

use thiserror::Error;

pub use model::Urgency;

use super::series::Counts;

/// One whole, in the unit of [`Objective`].
const WHOLE: u64 = 1_000_000_000;
/// A burn rate of one, in the unit of [`Factor`].
const ONE: u64 = 1_000_000;

/// The share that must be good: more than none, and all at most. Kept as the budget: the share that may be bad, in billionths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Objective {
    budget: u64,
}

impl Objective {
    /// All must be good: there is no budget, and each bad one counts.
    pub const ALL: Objective = Objective { budget: 0 };

    /// There is a share that may be bad, and so a rate at which it burns.
    pub fn has_budget(self) -> bool {
        self.budget > 0
    }

    /// Reads a percentage, with or without its sign: `99.9%`. None: it is none, is 0 or 100 or beyond, or has more than
    /// seven decimals.
    pub fn percent(text: &str) -> Option<Objective> {
        let text = text.trim();
        let text = text.strip_suffix('%').unwrap_or(text).trim_end();
        let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || whole.len() > 2 || decimals.len() > 7 || !digits(whole) || !digits(decimals) {
            return None;
        }
        let share: u64 = format!("{whole}{decimals:0<7}").parse().ok()?;
        (share > 0).then(|| Objective { budget: WHOLE - share })
    }

    /// The share that may be bad, for display.
    pub fn budget(self) -> f64 {
        self.budget as f64 / WHOLE as f64
    }

    /// The objective in percent, for display.
    pub fn as_percent(self) -> f64 {
        (WHOLE - self.budget) as f64 / (WHOLE / 100) as f64
    }

    /// More was bad than the budget of these counts allows.
    pub fn is_spent(self, counts: Counts) -> bool {
        self.is_spent_of(counts.bad().into(), counts.total.into())
    }

    /// The same of counts in any unit.
    pub(super) fn is_spent_of(self, bad: i128, total: i128) -> bool {
        bad.saturating_mul(WHOLE.into()) > i128::from(self.budget).saturating_mul(total)
    }

    /// The budget of so many cannot cover a single bad one: the objective cannot be met with any failure at all.
    pub fn is_unmeasurable(self, total: i64) -> bool {
        i128::from(self.budget) * i128::from(total) < i128::from(WHOLE)
    }

    /// How fast the budget burns: 1 spends it exactly. For display. None: nothing was counted, or there is no budget.
    pub fn burn_rate(self, counts: Counts) -> Option<f64> {
        (counts.total > 0 && self.has_budget()).then(|| counts.bad() as f64 / counts.total as f64 / self.budget())
    }
}

/// A burn rate that a condition fires above, in millionths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Factor(u64);

impl Factor {
    /// The factor that has spent `share_percent` of the budget of a period after a window at that rate.
    pub fn of_share(share_percent: u32, period_ms: i64, window_ms: i64) -> Factor {
        let (period, window) = (period_ms.max(0) as u128, window_ms.max(1) as u128);
        let factor = u128::from(share_percent) * u128::from(ONE) * period / (100 * window);
        Factor(u64::try_from(factor).unwrap_or(u64::MAX))
    }

    /// Reads a decimal with at most six decimals.
    pub fn decimal(text: &str) -> Option<Factor> {
        let (whole, decimals) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || whole.len() > 6 || decimals.len() > 6 || !digits(whole) || !digits(decimals) {
            return None;
        }
        format!("{whole}{decimals:0<6}").parse().ok().map(Factor)
    }

    /// For display and for rules of other systems.
    pub fn value(self) -> f64 {
        self.0 as f64 / ONE as f64
    }

    /// The counts burn faster than this: strictly, and never where nothing was counted.
    pub fn is_exceeded(self, objective: Objective, counts: Counts) -> bool {
        let bad = i128::from(counts.bad()) * i128::from(WHOLE) * i128::from(ONE);
        counts.total > 0 && bad > i128::from(self.0) * i128::from(objective.budget) * i128::from(counts.total)
    }

    /// A complete outage burns faster than this.
    pub fn is_reachable(self, objective: Objective) -> bool {
        u128::from(self.0) * u128::from(objective.budget) < u128::from(WHOLE) * u128::from(ONE)
    }

    /// Below this many, one bad one alone burns faster than this.
    pub fn alone_below(self, objective: Objective) -> f64 {
        1.0 / (self.value() * objective.budget())
    }
}

/// What is too much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// A burn rate above this.
    Rate(Factor),
    /// So many bad ones: what needs no budget.
    Bad(u32),
}

/// What alerts: too much in a long window, and, of a burn rate, in a short one that says it still goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Condition {
    /// What is too much.
    pub limit: Limit,
    /// The long window, in milliseconds.
    pub long_ms: i64,
    /// The short window, in milliseconds: usually a twelfth; where bad ones are counted, the long one.
    pub short_ms: i64,
    /// Of fewer than so many in the long window nothing is said.
    pub least: u32,
    /// Who is told.
    pub urgency: Urgency,
}

impl Condition {
    /// So many bad ones in a window.
    pub fn counting(bad: u32, window_ms: i64, urgency: Urgency) -> Condition {
        Condition { limit: Limit::Bad(bad), long_ms: window_ms, short_ms: window_ms, least: 0, urgency }
    }
}

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// The four conditions of Google's SRE workbook for a period: (share of the budget in percent, long, short, who).
const SHARES: [(u32, i64, i64, Urgency); 4] = [
    (2, HOUR, 5 * MINUTE, Urgency::Page),
    (5, 6 * HOUR, 30 * MINUTE, Urgency::Page),
    (10, DAY, 2 * HOUR, Urgency::Ticket),
    (10, 3 * DAY, 6 * HOUR, Urgency::Ticket),
];

/// The conditions that spend 2 %, 5 %, 10 % and 10 % of the budget of a period before they fire. Over 30 days: 14.4, 6, 3, 1.
pub fn workbook(period_ms: i64) -> Vec<Condition> {
    let one = |&(share, long_ms, short_ms, urgency): &(u32, i64, i64, Urgency)| Condition {
        limit: Limit::Rate(Factor::of_share(share, period_ms, long_ms)),
        long_ms,
        short_ms,
        least: 0,
        urgency,
    };
    SHARES.iter().map(one).collect()
}

/// What alerts where there is no budget: each bad one is a ticket, three within an hour are a page.
pub fn without_budget() -> Vec<Condition> {
    vec![Condition::counting(3, HOUR, Urgency::Page), Condition::counting(1, HOUR, Urgency::Ticket)]
}

/// What is wrong with a condition, with a hint.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[allow(missing_docs)]
pub enum Problem {
    #[error(
        "factor {factor} is below 1: it alerts on what ends inside the budget (hint: leave the condition out, or give it \
         a longer share)"
    )]
    FactorBelowOne { factor: String },
    #[error(
        "factor {factor} can never be exceeded at {objective} %: a complete outage burns at {most} (hint: a factor below \
         {most}, or a higher objective)"
    )]
    Unreachable { factor: String, objective: String, most: String },
    #[error("the short window is not shorter than the long one (hint: a twelfth of it)")]
    WindowsCrossed,
    #[error("an objective of 100 % has no budget that could burn (hint: {{bad: 3, long: 1h, urgency: page}})")]
    NoBudget,
    #[error("the long window is longer than the period (hint: at most the SLO's own window)")]
    WindowTooLong,
}

/// What of a condition cannot work for an objective over a period.
pub fn check(objective: Objective, period_ms: i64, condition: &Condition) -> Vec<Problem> {
    let mut problems = Vec::new();
    if let Limit::Rate(factor) = condition.limit {
        let text = factor.value().to_string();
        if factor < Factor(ONE) {
            problems.push(Problem::FactorBelowOne { factor: text.clone() });
        }
        if !objective.has_budget() {
            problems.push(Problem::NoBudget);
        } else if !factor.is_reachable(objective) {
            let most = format!("{:.2}", 1.0 / objective.budget());
            let objective = objective.as_percent().to_string();
            problems.push(Problem::Unreachable { factor: text, objective, most });
        }
        if condition.short_ms >= condition.long_ms || condition.short_ms <= 0 {
            problems.push(Problem::WindowsCrossed);
        }
    }
    if condition.long_ms > period_ms {
        problems.push(Problem::WindowTooLong);
    }
    problems
}

/// How long a constant error ratio takes until the long window says so, in seconds, with steady traffic and none before.
/// `factor × budget ÷ ratio × long`. None: it never does, or what counts are bad ones, whatever the traffic.
pub fn detects_after_s(objective: Objective, condition: &Condition, error_ratio: f64) -> Option<f64> {
    let threshold = threshold(objective, condition).filter(|threshold| error_ratio > *threshold)?;
    Some(threshold / error_ratio * condition.long_ms as f64 / 1e3)
}

/// How long after its end an outage (at least as long as the short window) still fires: `short × (1 − factor × budget ÷
/// ratio)`, in seconds. None: see [`detects_after_s`].
pub fn resets_after_s(objective: Objective, condition: &Condition, error_ratio: f64) -> Option<f64> {
    let threshold = threshold(objective, condition).filter(|threshold| error_ratio > *threshold)?;
    Some(condition.short_ms as f64 / 1e3 * (1.0 - threshold / error_ratio))
}

/// The error ratio above which a condition on burn rates fires.
fn threshold(objective: Objective, condition: &Condition) -> Option<f64> {
    match condition.limit {
        Limit::Rate(factor) => Some(factor.value() * objective.budget()),
        Limit::Bad(_) => None,
    }
}
