//! `temporal`: which rules occur in the window, in any order; and conditions over their names.
//!
//! Only the last event of each rule counts, so cost and memory do not grow with the window. A condition that denies is
//! decided by a timer when the window after an event is complete. Must never decide a denial at an event.

use std::collections::VecDeque;
use std::sync::Arc;

use model::EVIDENCE_MAX;
use serde::{Deserialize, Serialize};

use super::decimal::Decimal;
use super::few::Few;
use super::handles::{Handle, Handles};
use super::measure::Measure;
use super::state::{Member, Seen, Verdict};
use super::temporal_ordered::Chains;
use crate::ast::Occur;

/// What has to be true of the rules in the window.
#[derive(Debug, Clone)]
pub(super) enum Wanted {
    /// Of the number of distinct rules.
    Distinct(Measure),
    /// Of which ones.
    Occur(Occur),
}

/// The last event of each reference, by its number.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Present {
    last: Box<[Option<Member>]>,
    /// Events whose window is decided later, by the time at which it ends.
    due: VecDeque<(i64, Arc<Seen>)>,
    /// Where those that must occur have an order too.
    chains: Option<Chains>,
}

/// The same where there are [`super::few::ROOM`] references at most, no order, and nothing is decided later.
pub(super) fn see_few(few: &mut Few, references: &[usize], member: Member) {
    references.iter().for_each(|reference| few.set(*reference, member));
}

/// The condition is true of the window that begins at `start`, of these last events. `listed`: references that count.
pub(super) fn holds(
    last: impl Fn(usize) -> Option<Member>,
    (wanted, listed): (&Wanted, usize),
    start: i64,
    handles: &Handles,
) -> Option<Verdict> {
    let there = |reference: usize| last(reference).filter(|last| last.at >= start);
    let distinct = (0..listed).filter(|&reference| there(reference).is_some()).count();
    let holds = match wanted {
        Wanted::Distinct(measure) => measure.holds(Decimal::whole(distinct)),
        Wanted::Occur(occur) => truth(occur, &|reference| there(reference).is_some()),
    };
    holds.then(|| {
        let mut events: Vec<(u64, Handle)> =
            (0..listed).filter_map(there).map(|last| (handles.number(last.of), last.of)).collect();
        events.sort_unstable();
        events.dedup();
        let spare = events.len().saturating_sub(EVIDENCE_MAX);
        let evidence = events.into_iter().skip(spare).map(|(_, of)| handles.evidence(of)).collect();
        let value = matches!(wanted, Wanted::Distinct(_)).then_some(distinct as f64);
        Verdict { value, evidence, ..Verdict::default() }
    })
}

impl Present {
    /// `steps`: how many of them must occur one after the other; None: in any order.
    pub(super) fn new(references: usize, steps: Option<usize>) -> Present {
        Present { last: vec![None; references].into(), due: VecDeque::new(), chains: steps.map(Chains::new) }
    }

    pub(super) fn len(&self) -> usize {
        self.last.iter().flatten().count()
    }

    /// An event of these references, next in total order.
    pub(super) fn see(&mut self, references: &[usize], member: Member) {
        for &reference in references {
            if let Some(last) = self.last.get_mut(reference) {
                *last = Some(member);
            }
        }
    }

    /// The same event's steps, where there is an order.
    pub(super) fn see_in_order(&mut self, steps: &[usize], member: Member, same: &[usize]) {
        if let Some(chains) = &mut self.chains {
            chains.see(steps, member, same);
        }
    }

    /// The condition is true of the window that begins at `start`. `listed`: references that count.
    pub(super) fn holds(&self, wanted: (&Wanted, usize), start: i64, handles: &Handles) -> Option<Verdict> {
        let verdict = holds(|reference| self.last.get(reference).copied().flatten(), wanted, start, handles)?;
        match &self.chains {
            Some(chains) => chains.holds(chains.steps(), start, handles),
            None => Some(verdict),
        }
    }

    pub(super) fn handles(&mut self, name: &mut dyn FnMut(&mut Handle)) {
        self.last.iter_mut().flatten().for_each(|member| name(&mut member.of));
        self.chains.iter_mut().for_each(|chains| chains.handles(name));
    }

    /// The window after this event is decided when it is complete.
    pub(super) fn decide_later(&mut self, due: i64, seen: Arc<Seen>) {
        self.due.push_back((due, seen));
    }

    /// The next event whose window is complete at this time.
    pub(super) fn pop_due(&mut self, now: i64) -> Option<Arc<Seen>> {
        self.due.front().is_some_and(|(due, _)| *due <= now).then(|| self.due.pop_front())?.map(|(_, seen)| seen)
    }
}

/// The expression is true where `there` says which references occur.
pub(super) fn truth(occur: &Occur, there: &impl Fn(usize) -> bool) -> bool {
    match occur {
        Occur::Reference(reference) => there(*reference),
        Occur::All(parts) => parts.iter().all(|part| truth(part, there)),
        Occur::Any(parts) => parts.iter().any(|part| truth(part, there)),
        Occur::Not(part) => !truth(part, there),
    }
}

/// The expression denies something.
pub(super) fn denies(occur: &Occur) -> bool {
    match occur {
        Occur::Reference(_) => false,
        Occur::All(parts) | Occur::Any(parts) => parts.iter().any(denies),
        Occur::Not(_) => true,
    }
}

/// References that stand under no denial.
pub(super) fn affirmed(occur: &Occur, found: &mut Vec<usize>) {
    match occur {
        Occur::Reference(reference) => found.push(*reference),
        Occur::All(parts) | Occur::Any(parts) => parts.iter().for_each(|part| affirmed(part, found)),
        Occur::Not(_) => {}
    }
}
