//! `value_sum`, `value_avg`, `value_percentile`, `value_median`: a number of each event in the window.
//!
//! Sums are exact decimals. Percentiles interpolate linearly between the two nearest ranks: rank p/100 · (n − 1), as
//! numpy's default and R's type 7 have it. What is no number adds nothing; without numbers there is no value.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::decimal::Decimal;
use super::event_count::newest;
use super::handles::{Handle, Handles};
use super::measure::Measure;
use super::sorted::Sorted;
use super::state::{Member, Verdict};

/// Which measure is asked of the values.
#[derive(Debug, Clone, Copy)]
pub(super) enum Statistic {
    Sum,
    Mean,
    /// 0 to 100.
    Percentile(f64),
}

/// Numbers of one key, in total order.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Values {
    members: VecDeque<(Member, Decimal)>,
    sum: Decimal,
    /// Kept for percentiles only.
    sorted: Sorted,
    cut_at: Option<i64>,
}

impl Values {
    pub(super) fn len(&self) -> usize {
        self.members.len()
    }

    /// Adds the numbers of an event, next in total order, and says whether the condition is true at it.
    pub(super) fn add(
        &mut self,
        member: Member,
        numbers: impl Iterator<Item = Decimal>,
        (span_ms, members_max): (i64, usize),
        statistic: Statistic,
        (measure, handles): (&Measure, &Handles),
    ) -> Option<Verdict> {
        let start = member.at.saturating_sub(span_ms);
        let keeps_order = matches!(statistic, Statistic::Percentile(_));
        while self.members.front().is_some_and(|(first, _)| first.at < start) {
            self.forget_first(keeps_order);
        }
        for number in numbers {
            if self.members.len() == members_max {
                self.cut_at = self.members.front().map(|(first, _)| first.at);
                self.forget_first(keeps_order);
            }
            self.sum += number;
            if keeps_order {
                self.sorted.insert(number);
            }
            self.members.push_back((member, number));
        }
        let count = self.members.len();
        if count == 0 {
            return None;
        }
        let (value, holds) = match statistic {
            Statistic::Sum => (self.sum.to_float(), measure.holds(self.sum)),
            Statistic::Mean => (self.sum.to_float() / count as f64, measure.mean_holds(self.sum, count)),
            Statistic::Percentile(percentile) => {
                let value = self.percentile(percentile);
                (value.to_float(), measure.holds(value))
            }
        };
        let at_least = self.cut_at.is_some_and(|cut| cut >= start);
        let evidence = || newest(self.members.iter().map(|(member, _)| *member), handles);
        holds.then(|| Verdict { value: Some(value), at_least, evidence: evidence(), ..Verdict::default() })
    }

    fn forget_first(&mut self, keeps_order: bool) {
        let Some((_, number)) = self.members.pop_front() else { return };
        self.sum -= number;
        if keeps_order {
            self.sorted.remove(number);
        }
    }

    /// Exact, so that a value that meets a bound is not a float beside it.
    fn percentile(&self, percentile: f64) -> Decimal {
        let hundred = Decimal::whole(100).billionths();
        let percentile = Decimal::from_float(percentile.clamp(0.0, 100.0)).unwrap_or_default().billionths();
        let rank = percentile * self.sorted.len().saturating_sub(1) as i128;
        let (at, rest) = ((rank / hundred) as usize, rank % hundred);
        let mut value = self.sorted.get(at).unwrap_or_default();
        if let Some(above) = self.sorted.get(at + 1).filter(|_| rest > 0) {
            let mut distance = above;
            distance -= value;
            value += distance.part(rest, hundred).unwrap_or_default();
        }
        value
    }

    pub(super) fn handles(&mut self, name: &mut dyn FnMut(&mut Handle)) {
        self.members.iter_mut().for_each(|(member, _)| name(&mut member.of));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ast::Operator;
    use model::Sha256;

    #[test]
    fn a_percentile_that_meets_its_bound_is_no_float_beside_it() {
        let mut values = Values::default();
        let mut handles = Handles::default();
        let member = Member { at: 0, of: handles.add("e", Sha256::of(b"e"), 1) };
        let measure = Measure::new(&[(Operator::Eq, 4.0)]);
        let numbers = ["1", "2", "7"].into_iter().filter_map(Decimal::parse);
        let found = values.add(member, numbers, (1, 10), Statistic::Percentile(70.0), (&measure, &handles));
        assert_eq!(found.and_then(|verdict| verdict.value), Some(4.0));
    }
}
