//! Measures of a window, each computed from its members anew: counts, distinct values, exact sums, percentiles.
//!
//! Numbers are whole multiples of 10⁻¹²: nothing is rounded before it is written. Must never use a float to compare.

use std::collections::{BTreeMap, BTreeSet};

use rules::ast::{Condition, Correlation, CorrelationType, Operator};

use super::world::{Input, Log, Verdict, World};

/// 10⁻¹² of one.
const PLACES: usize = 12;

/// Reads a decimal; None: no number.
fn number(text: &str) -> Option<i128> {
    let text = text.trim();
    text.parse::<f64>().ok().filter(|number| number.is_finite())?;
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let padded: String = fraction.chars().chain(std::iter::repeat('0')).take(PLACES).collect();
    format!("{whole}{padded}").parse::<i128>().ok().map(|number| sign * number)
}

/// The nearest float.
fn float(number: i128) -> f64 {
    let (sign, size) = (if number < 0 { "-" } else { "" }, number.unsigned_abs());
    let one = 10u128.pow(PLACES as u32);
    format!("{sign}{}.{:0width$}", size / one, size % one, width = PLACES).parse().expect("a number")
}

/// Every bound holds of `value / of`.
fn holds(tests: &[(Operator, f64)], value: i128, of: usize) -> bool {
    tests.iter().all(|(operator, bound)| {
        let bound = number(&bound.to_string()).expect("a bound") * of as i128;
        match operator {
            Operator::Gt => value > bound,
            Operator::Gte => value >= bound,
            Operator::Lt => value < bound,
            Operator::Lte => value <= bound,
            Operator::Eq => value == bound,
            Operator::Neq => value != bound,
        }
    })
}

/// The count satisfies every bound.
pub(super) fn count_holds(tests: &[(Operator, f64)], count: usize) -> bool {
    holds(tests, number(&count.to_string()).expect("a number"), 1)
}

/// Evidence of inputs: their events, the newest sixteen; one that follows itself stands once.
pub(super) fn evidence(inputs: impl Iterator<Item = (usize, usize)>) -> Vec<usize> {
    let by_number: BTreeMap<usize, usize> = inputs.collect();
    let mut events: Vec<usize> = by_number.into_values().collect();
    events.dedup();
    events[events.len().saturating_sub(model::EVIDENCE_MAX)..].to_vec()
}

impl World<'_> {
    /// The condition of a correlation at an event that has just come, where it is true.
    pub(super) fn window(&self, log: Log, correlation: &Correlation, key: &[String], at_ms: i64) -> Option<Verdict> {
        let window = self.since(log, key, at_ms - correlation.timespan_ms);
        let Condition::Measure { fields, tests, percentile } = &correlation.condition else {
            return self.occurring(correlation, &window);
        };
        match correlation.kind {
            CorrelationType::Temporal | CorrelationType::TemporalOrdered => self.occurring(correlation, &window),
            CorrelationType::EventCount => {
                let members = evidence(window.iter().map(|input| (input.number, input.event)));
                count_holds(tests, window.len()).then_some((Some(window.len() as f64), members))
            }
            CorrelationType::ValueCount => self.distinct(fields, tests, &window),
            CorrelationType::ValueSum => self.numbers(&fields[0], &window, |numbers| {
                let sum = numbers.iter().sum();
                (float(sum), holds(tests, sum, 1))
            }),
            CorrelationType::ValueAvg => self.numbers(&fields[0], &window, |numbers| {
                let sum: i128 = numbers.iter().sum();
                (float(sum) / numbers.len() as f64, holds(tests, sum, numbers.len()))
            }),
            CorrelationType::ValuePercentile | CorrelationType::ValueMedian => {
                self.numbers(&fields[0], &window, |numbers| {
                    let value = at_rank(numbers, *percentile as usize);
                    (float(value), holds(tests, value, 1))
                })
            }
        }
    }

    fn distinct(&self, fields: &[String], tests: &[(Operator, f64)], window: &[&Input]) -> Option<Verdict> {
        let mut newest: BTreeMap<Vec<String>, (usize, usize)> = BTreeMap::new();
        for input in window {
            for tuple in self.events[input.event].tuples(fields) {
                newest.insert(tuple, (input.number, input.event));
            }
        }
        let count = newest.len();
        count_holds(tests, count).then(|| (Some(count as f64), evidence(newest.into_values())))
    }

    /// A measure of the numbers in a window; without numbers there is none.
    fn numbers(&self, field: &str, window: &[&Input], of: impl Fn(&[i128]) -> (f64, bool)) -> Option<Verdict> {
        let (mut numbers, mut members) = (Vec::new(), BTreeSet::new());
        for input in window {
            for found in self.events[input.event].texts(field).iter().filter_map(|text| number(text)) {
                numbers.push(found);
                members.insert((input.number, input.event));
            }
        }
        numbers.sort_unstable();
        let (value, holds) = Some(&numbers).filter(|numbers| !numbers.is_empty()).map(|numbers| of(numbers))?;
        holds.then(|| (Some(value), evidence(members.into_iter())))
    }
}

/// Linear interpolation at rank `percentile / 100 · (n − 1)`.
fn at_rank(sorted: &[i128], percentile: usize) -> i128 {
    let rank = percentile * (sorted.len() - 1);
    let (below, above) = (sorted[rank / 100], sorted[rank.div_ceil(100)]);
    below + (above - below) * (rank % 100) as i128 / 100
}
