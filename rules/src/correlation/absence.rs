//! `x-absence` (E1): something starts a wait, and what is expected does not come.
//!
//! Each start has its own deadline; one expected event satisfies every start that waits. A timer runs after all events of
//! its time, so what comes exactly at the deadline is in time. Time in which what is expected could not be heard does not
//! count. Must never fire for a start that was satisfied.

use std::collections::VecDeque;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::health::Gaps;
use super::state::Seen;

/// Spans of an absence, in milliseconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spans {
    /// Deadline and grace.
    pub(super) wait_ms: i64,
    /// How long before the start an expected event counts too.
    pub(super) before_ms: i64,
}

/// The spans of an absence on the clock of what it waits for, which stands still while that cannot be heard.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock<'g> {
    pub(super) spans: Spans,
    pub(super) gaps: &'g Gaps,
}

impl Clock<'_> {
    /// When a start is due.
    pub(super) fn due(&self, at: i64) -> i64 {
        self.gaps.later(at, self.spans.wait_ms)
    }

    /// Until when an event counts, whether it starts or is expected.
    pub(super) fn counts_until(&self, at: i64) -> i64 {
        self.gaps.later(at, self.spans.before_ms.saturating_add(self.spans.wait_ms))
    }
}

/// Starts of one key that wait.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Waits {
    /// By due time.
    starts: VecDeque<(i64, Arc<Seen>)>,
    /// Expected events that may satisfy a later start: the last one, or several where a predicate chooses among them.
    expected: VecDeque<Arc<Seen>>,
    /// Starts that fired: an expected event of one of them resolves the alert. The last, or several where a predicate
    /// chooses.
    fired: VecDeque<Arc<Seen>>,
    /// When a wait was ended last: a start of the same time waits no more either.
    ended_at: Option<i64>,
}

/// Expected events that are remembered where a predicate chooses.
const EXPECTED_MAX: usize = 1_000;

impl Waits {
    pub(super) fn len(&self) -> usize {
        self.starts.len()
    }

    /// A start, next in total order (or late). False: what it waits for has come already.
    pub(super) fn start(
        &mut self,
        seen: Arc<Seen>,
        clock: Clock<'_>,
        fits: &mut dyn FnMut(&Arc<Seen>, &Arc<Seen>) -> bool,
    ) -> bool {
        if self.ended_at == Some(seen.at) || self.knows(&seen, clock, fits) {
            return false;
        }
        let due = clock.due(seen.at);
        let at = self.starts.partition_point(|(known, _)| *known <= due);
        self.starts.insert(at, (due, seen));
        true
    }

    /// An expected event for this start is known, however late it came.
    pub(super) fn knows(
        &self,
        seen: &Arc<Seen>,
        clock: Clock<'_>,
        fits: &mut dyn FnMut(&Arc<Seen>, &Arc<Seen>) -> bool,
    ) -> bool {
        let from = clock.gaps.earlier(seen.at, clock.spans.before_ms);
        self.expected.iter().any(|expected| expected.at >= from && fits(seen, expected))
    }

    /// An expected event. True: an alert that stands is resolved by it. `chooses`: a predicate chooses among events.
    pub(super) fn expect(
        &mut self,
        seen: &Arc<Seen>,
        clock: Clock<'_>,
        chooses: bool,
        fits: &mut dyn FnMut(&Arc<Seen>, &Arc<Seen>) -> bool,
    ) -> bool {
        self.starts.retain(|(_, start)| !fits(start, seen));
        let until = clock.gaps.earlier(seen.at, clock.spans.before_ms.saturating_add(clock.spans.wait_ms));
        while self.expected.front().is_some_and(|old| !chooses || old.at < until) || self.expected.len() >= EXPECTED_MAX
        {
            self.expected.pop_front();
        }
        self.expected.push_back(seen.clone());
        let fired = self.fired.len();
        self.fired.retain(|start| !fits(start, seen));
        self.fired.len() < fired
    }

    /// Nobody waits any more, who started until this time.
    pub(super) fn give_up(&mut self, at: i64) {
        self.ended_at = Some(at);
        self.starts.clear();
    }

    /// The next start whose time is over: it fires. `chooses`: a predicate chooses among events.
    pub(super) fn pop_due(&mut self, now: i64, chooses: bool) -> Option<Arc<Seen>> {
        if self.starts.front().is_none_or(|(due, _)| *due > now) {
            return None;
        }
        let (_, seen) = self.starts.pop_front()?;
        while !self.fired.is_empty() && (!chooses || self.fired.len() >= EXPECTED_MAX) {
            self.fired.pop_front();
        }
        self.fired.push_back(seen.clone());
        Some(seen)
    }

    /// From a time on other outages are known. Starts move, but not to before it; what had stopped to count by then stays
    /// forgotten.
    pub(super) fn heed(&mut self, was: Clock<'_>, is: Clock<'_>, known_from: i64) {
        self.expected.retain(|expected| was.gaps.later(expected.at, was.spans.before_ms) >= known_from);
        self.starts.iter_mut().for_each(|(due, start)| *due = is.due(start.at).max(known_from));
        self.starts.make_contiguous().sort_by_key(|(due, _)| *due);
    }

    /// When the starts are due.
    pub(super) fn dues(&self) -> impl Iterator<Item = i64> {
        self.starts.iter().map(|(due, _)| *due)
    }

    /// Until when the last of what waits or was expected counts.
    pub(super) fn counts_until(&self, clock: Clock<'_>) -> Option<i64> {
        let expected = self.expected.back().map(|last| clock.counts_until(last.at));
        let due = self.starts.iter().map(|(due, start)| clock.counts_until(start.at).max(*due)).max();
        due.max(expected)
    }
}
