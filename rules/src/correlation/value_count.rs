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
use super::few_values::FewValues;
use super::handles::{Handle, Handles};
use super::measure::Measure;
use super::state::{Member, Verdict};

/// Values of one key.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum Distinct {
    Few(FewValues),
    Many(Box<Many>),
}

/// More values than are looked through.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Many {
    /// Each value once for each event it came with; the last one counts.
    seen: VecDeque<(Arc<str>, Member)>,
    /// Each value with its last event.
    last: HashMap<Arc<str>, Handle, FxBuildHasher>,
    cut_at: Option<i64>,
}

impl Default for Distinct {
    fn default() -> Distinct {
        Distinct::Few(FewValues::default())
    }
}

impl Distinct {
    pub(super) fn len(&self) -> usize {
        match self {
            Distinct::Few(values) => values.len(),
            Distinct::Many(many) => many.last.len(),
        }
    }

    /// See [`super::state::State::glance`].
    pub(super) fn glance(&self) -> usize {
        match self {
            Distinct::Few(values) => values.glance(),
            Distinct::Many(many) => many.last.len(),
        }
    }

    /// Drops what came before a time.
    pub(super) fn drop_before(&mut self, start: i64) {
        match self {
            Distinct::Few(values) => values.drop_before(start),
            Distinct::Many(many) => {
                while many.seen.front().is_some_and(|(_, member)| member.at < start) {
                    many.forget_first();
                }
            }
        }
    }

    /// Adds a value of an event, next in total order.
    pub(super) fn add(&mut self, value: &str, member: Member, members_max: usize) {
        match self {
            Distinct::Many(many) => many.add(value, member, members_max),
            Distinct::Few(values) => {
                if values.add(value, member, members_max) {
                    return;
                }
                let mut many = Many::default();
                values.iter().for_each(|(value, member)| many.add(value, member, members_max));
                many.add(value, member, members_max);
                *self = Distinct::Many(Box::new(many));
            }
        }
    }

    /// Whether the condition is true of the window that begins at `start`.
    pub(super) fn holds(&self, start: i64, measure: &Measure, handles: &Handles) -> Option<Verdict> {
        let count = self.len();
        if !measure.holds(Decimal::whole(count)) {
            return None;
        }
        let (at_least, evidence) = match self {
            Distinct::Few(values) => {
                let events: Vec<Handle> = values.iter().map(|(_, member)| member.of).collect();
                (false, newest(events.into_iter(), handles))
            }
            Distinct::Many(many) => (many.cut_at.is_some_and(|cut| cut >= start), newest(many.events(), handles)),
        };
        Some(Verdict { value: Some(count as f64), at_least, evidence, ..Verdict::default() })
    }

    pub(super) fn handles(&mut self, name: &mut dyn FnMut(&mut Handle)) {
        match self {
            Distinct::Few(values) => values.handles(name),
            Distinct::Many(many) => {
                many.seen.iter_mut().for_each(|(_, member)| name(&mut member.of));
                many.last.values_mut().for_each(name);
            }
        }
    }
}

impl Many {
    fn add(&mut self, value: &str, member: Member, members_max: usize) {
        let value: Arc<str> = match self.last.get_key_value(value) {
            Some((_, last)) if *last == member.of => return,
            Some((known, _)) => known.clone(),
            None => value.into(),
        };
        if self.seen.len() >= members_max {
            self.compact();
        }
        if self.seen.len() >= members_max {
            self.cut_at = self.seen.front().map(|(_, member)| member.at);
            self.forget_first();
        }
        self.last.insert(value.clone(), member.of);
        self.seen.push_back((value, member));
    }

    fn forget_first(&mut self) {
        if let Some((value, member)) = self.seen.pop_front()
            && self.last.get(&value).is_some_and(|last| *last == member.of)
        {
            self.last.remove(&value);
        }
    }

    /// Drops what was refreshed since: the limit is one of values, not of events.
    fn compact(&mut self) {
        let last = &self.last;
        self.seen.retain(|(value, member)| last.get(value).is_some_and(|newest| *newest == member.of));
    }

    /// The last event of each value, in order.
    fn events(&self) -> impl DoubleEndedIterator<Item = Handle> {
        let is_last = |(value, member): &&(Arc<str>, Member)| self.last.get(value) == Some(&member.of);
        self.seen.iter().filter(is_last).map(|(_, member)| member.of)
    }
}

/// Evidence of the newest of these events, in order, each once.
fn newest(events: impl DoubleEndedIterator<Item = Handle>, handles: &Handles) -> Vec<Evidence> {
    let mut newest: Vec<Handle> = Vec::new();
    for of in events.rev() {
        if !newest.contains(&of) {
            newest.push(of);
            if newest.len() == EVIDENCE_MAX {
                break;
            }
        }
    }
    newest.into_iter().rev().map(|of| handles.evidence(of)).collect()
}
