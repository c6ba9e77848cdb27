//! `event_count`: how many events of a group stand in the window.
//!
//! Must never count an event twice, nor one that left the window.

use std::collections::VecDeque;

use model::Evidence;
use serde::{Deserialize, Serialize};

use super::decimal::Decimal;
use super::few::Few;
use super::handles::{Handle, Handles};
use super::measure::Measure;
use super::state::{Member, State, Verdict};

/// Events of one key, in total order, where there are more than [`Few`].
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Count {
    members: VecDeque<Member>,
    /// Time of the newest event that was dropped because `members_max` was reached.
    cut_at: Option<i64>,
}

/// Adds an event, next in total order, and says whether the condition is true at it.
pub(super) fn add(
    state: &mut State,
    member: Member,
    (span_ms, members_max): (i64, usize),
    measure: &Measure,
    handles: &Handles,
) -> Option<Verdict> {
    let start = member.at.saturating_sub(span_ms);
    if let State::Few(few) = state {
        few.drop_before(start);
        if few.push(member) {
            return measure.holds(Decimal::whole(few.len())).then(|| verdict(few.len(), false, few.iter(), handles));
        }
        *state = State::Count(Box::new(Count::from(&*few)));
    }
    let State::Count(count) = state else { return None };
    count.add(member, start, members_max);
    let at_least = count.cut_at.is_some_and(|cut| cut >= start);
    let holds = measure.holds(Decimal::whole(count.len()));
    holds.then(|| verdict(count.len(), at_least, count.members.iter().copied(), handles))
}

fn verdict(
    count: usize,
    at_least: bool,
    members: impl DoubleEndedIterator<Item = Member>,
    handles: &Handles,
) -> Verdict {
    Verdict { value: Some(count as f64), at_least, evidence: newest(members, handles), ..Verdict::default() }
}

impl From<&Few> for Count {
    fn from(few: &Few) -> Count {
        Count { members: few.iter().collect(), cut_at: None }
    }
}

impl Count {
    pub(super) fn len(&self) -> usize {
        self.members.len()
    }

    fn add(&mut self, member: Member, start: i64, members_max: usize) {
        while self.members.front().is_some_and(|first| first.at < start) {
            self.members.pop_front();
        }
        if self.members.len() == members_max {
            self.cut_at = self.members.pop_front().map(|first| first.at);
        }
        self.members.push_back(member);
    }

    pub(super) fn handles(&mut self, name: &mut dyn FnMut(&mut Handle)) {
        self.members.iter_mut().for_each(|member| name(&mut member.of));
    }
}

/// Evidence of the newest members, in order; one that follows itself stands once.
pub(super) fn newest(members: impl DoubleEndedIterator<Item = Member>, handles: &Handles) -> Vec<Evidence> {
    let mut newest: Vec<Handle> = Vec::new();
    for member in members.rev() {
        if newest.last().is_some_and(|last| handles.are_equal(*last, member.of)) {
            continue;
        }
        if newest.len() == model::EVIDENCE_MAX {
            break;
        }
        newest.push(member.of);
    }
    newest.into_iter().rev().map(|of| handles.evidence(of)).collect()
}
