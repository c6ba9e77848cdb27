//! `x-interval` (E10): an event inside or outside what other events open and close.
//!
//! Outside is decided when nothing that could still open an interval over the event can come: at its time plus the pad
//! before, after all events of that time. Must never take an interval that nobody closed for one that is closed.

use std::collections::VecDeque;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::state::Seen;
use crate::ast::Interval;

/// Intervals of one key.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Intervals {
    /// Since when one is open.
    open: Option<i64>,
    /// When each began, and its end with what is added to it.
    closed: VecDeque<(i64, i64)>,
    /// Events that are decided later, by due time.
    due: VecDeque<(i64, Arc<Seen>, Option<Box<model::Finding>>)>,
}

/// Closed intervals that are remembered of one key.
const CLOSED_MAX: usize = 1_000;

impl Intervals {
    pub(super) fn len(&self) -> usize {
        self.due.len() + usize::from(self.open.is_some())
    }

    pub(super) fn open(&mut self, at: i64, rule: &Interval) {
        if self.open.is_some_and(|open| open.saturating_add(rule.ttl_ms) < at) {
            self.close(at, rule);
        }
        self.open.get_or_insert(at);
    }

    pub(super) fn close(&mut self, at: i64, rule: &Interval) {
        let Some(open) = self.open.take() else { return };
        // What nobody closed in its time to live ended with it.
        let lives_until = open.saturating_add(rule.ttl_ms);
        let end = if at <= lives_until { at.saturating_add(rule.pad_after_ms) } else { lives_until };
        let from = at.saturating_sub(rule.pad_before_ms);
        while self.closed.len() >= CLOSED_MAX || self.closed.front().is_some_and(|(_, end)| *end < from) {
            self.closed.pop_front();
        }
        self.closed.push_back((open, end));
    }

    /// An interval covers the time.
    pub(super) fn covers(&self, at: i64, rule: &Interval) -> bool {
        let inside = |open: i64, end: i64| open.saturating_sub(rule.pad_before_ms) <= at && at <= end;
        self.open.is_some_and(|open| inside(open, open.saturating_add(rule.ttl_ms)))
            || self.closed.iter().any(|(open, end)| inside(*open, *end))
    }

    pub(super) fn decide_later(&mut self, due: i64, seen: Arc<Seen>, finding: Option<Box<model::Finding>>) {
        self.due.push_back((due, seen, finding));
    }

    pub(super) fn pop_due(&mut self, now: i64) -> Option<(Arc<Seen>, Option<Box<model::Finding>>)> {
        let due = self.due.front().is_some_and(|(due, ..)| *due <= now).then(|| self.due.pop_front())?;
        due.map(|(_, seen, finding)| (seen, finding))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ast::{Reference, Target};

    #[test]
    fn what_outlives_its_time_to_live_ends_there_whether_somebody_closes_it_or_not() {
        let named = |name: &str| Reference { name: name.to_owned(), target: Target::Rule(0) };
        let (open, close) = (named("open"), named("close"));
        let (pad_before_ms, pad_after_ms, ttl_ms) = (0, 50, 100);
        let rule = Interval { open, close, key: Vec::new(), pad_before_ms, pad_after_ms, inside: true, ttl_ms };
        let mut intervals = Intervals::default();
        intervals.open(0, &rule);
        assert!(intervals.covers(100, &rule) && !intervals.covers(101, &rule));
        intervals.close(101, &rule);
        assert!(intervals.covers(100, &rule) && !intervals.covers(101, &rule));
        intervals.open(200, &rule);
        intervals.close(300, &rule);
        assert!(intervals.covers(350, &rule) && !intervals.covers(351, &rule));
    }
}
