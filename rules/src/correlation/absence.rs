//! `x-absence` (E1): something starts a wait, and what is expected does not come.
//!
//! Each start has its own deadline; one expected event satisfies every start that waits. A timer runs after all events of
//! its time, so what comes exactly at the deadline is in time. Must never fire for a start that was satisfied.

use std::collections::VecDeque;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::state::Seen;

/// Spans of an absence, in milliseconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spans {
    /// Deadline and grace.
    pub(super) wait_ms: i64,
    /// How long before the start an expected event counts too.
    pub(super) before_ms: i64,
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
        spans: Spans,
        fits: &mut dyn FnMut(&Arc<Seen>, &Arc<Seen>) -> bool,
    ) -> bool {
        if self.ended_at == Some(seen.at) || self.knows(&seen, spans, fits) {
            return false;
        }
        let due = seen.later(spans.wait_ms);
        let at = self.starts.partition_point(|(known, _)| *known <= due);
        self.starts.insert(at, (due, seen));
        true
    }

    /// An expected event for this start is known, however late it came.
    pub(super) fn knows(
        &self,
        seen: &Arc<Seen>,
        spans: Spans,
        fits: &mut dyn FnMut(&Arc<Seen>, &Arc<Seen>) -> bool,
    ) -> bool {
        let from = seen.at.saturating_sub(spans.before_ms);
        self.expected.iter().any(|expected| expected.at >= from && fits(seen, expected))
    }

    /// An expected event. True: an alert that stands is resolved by it. `chooses`: a predicate chooses among events.
    pub(super) fn expect(
        &mut self,
        seen: &Arc<Seen>,
        spans: Spans,
        chooses: bool,
        fits: &mut dyn FnMut(&Arc<Seen>, &Arc<Seen>) -> bool,
    ) -> bool {
        self.starts.retain(|(_, start)| !fits(start, seen));
        let until = seen.at.saturating_sub(spans.before_ms.saturating_add(spans.wait_ms));
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
}
