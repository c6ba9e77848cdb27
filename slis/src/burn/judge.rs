//! The verdict over one objective at the close of a minute: page, ticket, neither, or no data.
//!
//! A function of the counts by minute and the time; late events change later judgements and no earlier one. Must never
//! remember anything between two of them.

use super::rates::{Condition, Limit, Objective, Urgency};
use super::series::{Counts, Windowed};
use super::tail::at_least;

/// Keeps what could be luck from alerting: at least two bad ones, and a service exactly on budget would show as many as
/// these less often than `false_per_period` times in a period, for each condition.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Guard {
    /// Expected false firings of a condition in a period.
    pub false_per_period: f64,
}

impl Default for Guard {
    fn default() -> Guard {
        Guard { false_per_period: 0.1 }
    }
}

impl Guard {
    fn lets_through(self, objective: Objective, period_ms: i64, condition: &Condition, long: Counts) -> bool {
        let windows = period_ms as f64 / condition.long_ms.max(1) as f64;
        long.bad() >= 2 && at_least(long.bad(), long.total, objective.budget()) * windows <= self.false_per_period
    }
}

/// An objective and what alerts on it.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// The objective.
    pub objective: Objective,
    /// Length of its period, in milliseconds.
    pub period_ms: i64,
    /// What alerts, in order.
    pub conditions: Vec<Condition>,
    /// None: a single bad event may alert.
    pub guard: Option<Guard>,
}

/// What one condition says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Nothing was counted in one of its windows.
    NoData,
    /// The budget does not burn that fast.
    Quiet,
    /// It does, but luck could do as much.
    Unsure,
    /// It fires.
    Firing,
}

/// The verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// Of each condition, in the policy's order.
    pub states: Vec<State>,
    /// What is told. A ticket is held back while a page fires.
    pub urgency: Option<Urgency>,
    /// A ticket fires, too, and is held back.
    pub ticket_held: bool,
}

/// Judges at the close of a minute: `at_ms` is its end.
pub fn judge(policy: &Policy, series: &impl Windowed, at_ms: i64) -> Judgement {
    judge_windows(policy, &|window_ms| series.window(at_ms, window_ms))
}

/// The same by what was counted in the windows, by their length in milliseconds, that end at the close.
pub fn judge_windows(policy: &Policy, counts: &dyn Fn(i64) -> Counts) -> Judgement {
    let states: Vec<State> = policy.conditions.iter().map(|condition| state(policy, condition, counts)).collect();
    let fires = |urgency: Urgency| {
        let mut both = policy.conditions.iter().zip(&states);
        both.any(|(condition, state)| condition.urgency == urgency && *state == State::Firing)
    };
    let (page, ticket) = (fires(Urgency::Page), fires(Urgency::Ticket));
    let urgency = if page { Some(Urgency::Page) } else { ticket.then_some(Urgency::Ticket) };
    Judgement { states, urgency, ticket_held: page && ticket }
}

fn state(policy: &Policy, condition: &Condition, counts: &dyn Fn(i64) -> Counts) -> State {
    let Policy { objective, period_ms, guard, .. } = policy;
    let (long, short) = (counts(condition.long_ms), counts(condition.short_ms));
    if long.total <= 0 || short.total <= 0 {
        return State::NoData;
    }
    let (exceeds, guard) = match condition.limit {
        Limit::Rate(factor) => {
            let exceeds = |counts| factor.is_exceeded(*objective, counts);
            (exceeds(long) && exceeds(short), *guard)
        }
        Limit::Bad(most) => (long.bad() >= most.into(), None),
    };
    if !exceeds {
        return State::Quiet;
    }
    if long.total < condition.least.into() {
        return State::Unsure;
    }
    let is_sure = guard.is_none_or(|guard| guard.lets_through(*objective, *period_ms, condition, long));
    if is_sure { State::Firing } else { State::Unsure }
}
