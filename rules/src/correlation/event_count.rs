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
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(from = "Saved", into = "Saved")]
pub(super) struct Count {
    members: VecDeque<Member>,
    /// Time of the first of them: it stands far from the last one, and would have to be waited for.
    first_at: i64,
    /// Time of the newest event that was dropped because `members_max` was reached; [`NEVER`]: none was.
    cut_at: i64,
}

const NEVER: i64 = i64::MIN;

/// A count in snapshots.
#[derive(Serialize, Deserialize)]
struct Saved {
    members: VecDeque<Member>,
    cut_at: Option<i64>,
}

impl From<Saved> for Count {
    fn from(Saved { members, cut_at }: Saved) -> Count {
        let first_at = members.front().map_or(NEVER, |first| first.at);
        Count { members, first_at, cut_at: cut_at.unwrap_or(NEVER) }
    }
}

impl From<Count> for Saved {
    fn from(Count { members, cut_at, .. }: Count) -> Saved {
        Saved { members, cut_at: Some(cut_at).filter(|cut_at| *cut_at != NEVER) }
    }
}

/// Places for events where there are more than [`Few`]: as many again.
const MORE: usize = 2 * super::few::ROOM;

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
        *state = State::Count(Count::from(&*few));
    }
    let State::Count(count) = state else { return None };
    count.add(member, start, members_max);
    let at_least = count.cut_at != NEVER && count.cut_at >= start;
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
        let mut members = VecDeque::with_capacity(MORE);
        members.extend(few.iter());
        Count::from(Saved { members, cut_at: None })
    }
}

impl Count {
    pub(super) fn len(&self) -> usize {
        self.members.len()
    }

    fn add(&mut self, member: Member, start: i64, members_max: usize) {
        while self.first_at < start && self.forget_first().is_some() {}
        if self.members.len() == members_max {
            self.cut_at = self.forget_first().unwrap_or(NEVER);
        }
        if self.members.is_empty() {
            self.first_at = member.at;
        }
        self.members.push_back(member);
    }

    /// Drops the first event and gives its time.
    fn forget_first(&mut self) -> Option<i64> {
        let first = self.members.pop_front()?;
        self.first_at = self.members.front().map_or(NEVER, |next| next.at);
        Some(first.at)
    }

    /// See [`State::glance`].
    pub(super) fn glance(&self) -> usize {
        self.members.back().map_or(0, |last| last.of as usize)
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

#[cfg(test)]
mod tests {
    use model::Sha256;

    use super::*;
    use crate::ast::Operator;

    #[test]
    fn it_counts_what_stands_in_the_window_and_says_where_it_gave_some_up() {
        let (span_ms, members_max) = (1_000, 20);
        let (mut state, mut handles, mut random) = (State::default(), Handles::default(), 1u64);
        let measure = Measure::new(&[(Operator::Gte, 1.0)]);
        let (mut window, mut cut_at, mut at) = (VecDeque::new(), None, -5_000);
        for number in 0..20_000 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            // Often many at a time, and at times nothing for long.
            at += (random >> 40) as i64 % 120 * i64::from(number / 500 % 3 > 0) + (random >> 55) as i64 / 510 * 5_000;
            let member = Member { at, of: handles.add("e", Sha256::of(b"e"), number) };
            window.retain(|of: &Member| of.at >= at - span_ms);
            if window.len() == members_max {
                cut_at = window.pop_front().map(|of| of.at);
            }
            window.push_back(member);
            let verdict = add(&mut state, member, (span_ms, members_max), &measure, &handles).expect("one at least");
            let at_least = cut_at.is_some_and(|cut| cut >= at - span_ms);
            assert_eq!((verdict.value, verdict.at_least), (Some(window.len() as f64), at_least));
            let mut named = Vec::new();
            state.handles(&mut |of| named.push(*of));
            assert!(named.into_iter().eq(window.iter().map(|member| member.of)));
            if number % 7 == 0 {
                let bytes = model::to_snapshot(&state).expect("a snapshot");
                state = model::from_snapshot(&bytes).expect("the same");
            }
        }
        assert!(cut_at.is_some());
    }
}
