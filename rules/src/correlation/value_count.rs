//! `value_count`: how many distinct values a field has in the window.
//!
//! A value that comes again is refreshed. Exact up to the limit of members, then a lower bound that says so. Cost does
//! not grow with the window.

use std::collections::VecDeque;
use std::sync::Arc;

use hashbrown::HashMap;
use model::{EVIDENCE_MAX, Evidence};
use rustc_hash::FxBuildHasher;
use serde::{Deserialize, Serialize};

use super::decimal::Decimal;
use super::measure::Measure;
use super::state::{Member, Verdict};

/// Values of one key.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Distinct {
    /// Each value once for each event it came with; the last one counts.
    seen: VecDeque<(Arc<str>, i64, u64)>,
    /// Each value with the number of its last event.
    last: HashMap<Arc<str>, (u64, Arc<Evidence>), FxBuildHasher>,
    cut_at: Option<i64>,
}

impl Distinct {
    pub(super) fn len(&self) -> usize {
        self.last.len()
    }

    /// Adds the values of an event, next in total order (`number` grows with it), and says whether the condition is true.
    pub(super) fn add(
        &mut self,
        member: &Member,
        number: u64,
        values: impl Iterator<Item = String>,
        (span_ms, members_max): (i64, usize),
        measure: &Measure,
    ) -> Option<Verdict> {
        let start = member.at.saturating_sub(span_ms);
        while self.seen.front().is_some_and(|(_, at, _)| *at < start) {
            self.forget_first();
        }
        for value in values {
            let value: Arc<str> = match self.last.get_key_value(value.as_str()) {
                Some((known, _)) => known.clone(),
                None => value.into(),
            };
            if self.last.get(&value).is_some_and(|(last, _)| *last == number) {
                continue;
            }
            if self.seen.len() >= members_max {
                self.compact();
            }
            if self.seen.len() >= members_max {
                self.cut_at = self.seen.front().map(|(_, at, _)| *at);
                self.forget_first();
            }
            self.last.insert(value.clone(), (number, member.evidence.clone()));
            self.seen.push_back((value, member.at, number));
        }
        let count = self.last.len();
        if !measure.holds(Decimal::whole(count)) {
            return None;
        }
        let at_least = self.cut_at.is_some_and(|cut| cut >= start);
        Some(Verdict { value: Some(count as f64), at_least, evidence: self.evidence(), ..Verdict::default() })
    }

    fn forget_first(&mut self) {
        if let Some((value, _, number)) = self.seen.pop_front()
            && self.last.get(&value).is_some_and(|(last, _)| *last == number)
        {
            self.last.remove(&value);
        }
    }

    /// Drops what was refreshed since: the limit is one of values, not of events.
    fn compact(&mut self) {
        let last = &self.last;
        self.seen.retain(|(value, _, number)| last.get(value).is_some_and(|(newest, _)| newest == number));
    }

    /// The newest event of each value, the newest of them, in order.
    fn evidence(&self) -> Vec<Arc<Evidence>> {
        let mut evidence: Vec<Arc<Evidence>> = Vec::new();
        let mut numbers = Vec::new();
        for (value, _, number) in self.seen.iter().rev() {
            let Some((last, of)) = self.last.get(value) else { continue };
            if last == number && !numbers.contains(number) {
                numbers.push(*number);
                evidence.push(of.clone());
                if evidence.len() == EVIDENCE_MAX {
                    break;
                }
            }
        }
        evidence.reverse();
        evidence
    }
}
