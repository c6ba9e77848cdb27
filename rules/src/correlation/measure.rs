//! A measure compared with its bounds: one operator, or two that make a range.
//!
//! Compares exactly; a float takes part only as the decimal it was written as.

use super::decimal::Decimal;
use crate::ast::Operator;

/// Operators with their bounds; every one must hold.
#[derive(Debug, Clone, Default)]
pub(super) struct Measure(Vec<(Operator, Decimal)>);

impl Measure {
    pub(super) fn new(tests: &[(Operator, f64)]) -> Measure {
        let exact = |(operator, bound): &(Operator, f64)| Some((*operator, Decimal::from_float(*bound)?));
        Measure(tests.iter().filter_map(exact).collect())
    }

    pub(super) fn holds(&self, value: Decimal) -> bool {
        self.0.iter().all(|(operator, bound)| compare(*operator, value, *bound))
    }

    /// Where it holds of a value, it holds of every greater one.
    pub(super) fn only_grows(&self) -> bool {
        self.0.iter().all(|(operator, _)| matches!(operator, Operator::Gt | Operator::Gte))
    }

    /// The mean of `count` values holds, decided without dividing.
    pub(super) fn mean_holds(&self, sum: Decimal, count: usize) -> bool {
        self.0.iter().all(|(operator, bound)| compare(*operator, sum, bound.times(count)))
    }
}

fn compare(operator: Operator, value: Decimal, bound: Decimal) -> bool {
    match operator {
        Operator::Gt => value > bound,
        Operator::Gte => value >= bound,
        Operator::Lt => value < bound,
        Operator::Lte => value <= bound,
        Operator::Eq => value == bound,
        Operator::Neq => value != bound,
    }
}
