//! `event_count`: how many events of a group stand in the window.
//!
//! Must never count an event twice, nor one that left the window.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::decimal::Decimal;
use super::measure::Measure;
use super::state::{Member, Verdict};

/// Events of one key, in total order.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Count {
    members: VecDeque<Member>,
    /// Time of the newest event that was dropped because `members_max` was reached.
    cut_at: Option<i64>,
}

impl Count {
    pub(super) fn len(&self) -> usize {
        self.members.len()
    }

    /// Adds an event, next in total order, and says whether the condition is true at it.
    pub(super) fn add(
        &mut self,
        member: Member,
        span_ms: i64,
        members_max: usize,
        measure: &Measure,
    ) -> Option<Verdict> {
        let start = member.at.saturating_sub(span_ms);
        while self.members.front().is_some_and(|first| first.at < start) {
            self.members.pop_front();
        }
        if self.members.len() == members_max {
            self.cut_at = self.members.pop_front().map(|first| first.at);
        }
        self.members.push_back(member);
        let count = self.members.len();
        if !measure.holds(Decimal::whole(count)) {
            return None;
        }
        let at_least = self.cut_at.is_some_and(|cut| cut >= start);
        Some(Verdict {
            value: Some(count as f64),
            at_least,
            evidence: newest(self.members.iter()),
            ..Verdict::default()
        })
    }
}

/// Evidence of the newest members, in order; one that follows itself stands once.
pub(super) fn newest<'m>(members: impl DoubleEndedIterator<Item = &'m Member>) -> Vec<std::sync::Arc<model::Evidence>> {
    let mut evidence: Vec<std::sync::Arc<model::Evidence>> = Vec::new();
    for member in members.rev() {
        if evidence.last() == Some(&member.evidence) {
            continue;
        }
        if evidence.len() == model::EVIDENCE_MAX {
            break;
        }
        evidence.push(member.evidence.clone());
    }
    evidence.reverse();
    evidence
}
