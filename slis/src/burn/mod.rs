//! Error budgets and how fast they burn: pure arithmetic over whole numbers of good and total.
//!
//! Decisions compare whole numbers and divide nothing; only what is shown is a float. Must never read a clock or a store.

mod budget;
mod judge;
mod rates;
mod series;
mod tail;
mod wilson;
mod window;

pub use budget::{Budget, Exhaustion, exhaustion, static_exhaustion_ms, whole_budget_ms};
pub use judge::{Guard, Judgement, Policy, State, judge, judge_windows};
pub use rates::{
    Condition, Factor, Limit, Objective, Problem, Urgency, check, detects_after_s, resets_after_s, without_budget,
    workbook,
};
pub use series::{Counts, Cumulative, Series, Windowed, timeslices};
pub use tail::at_least;
pub use wilson::wilson_95;
pub use window::{Calendar, Window};

#[cfg(test)]
mod tests;
