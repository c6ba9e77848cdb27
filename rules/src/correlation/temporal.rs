//! `temporal`: which rules occur in the window, in any order; and conditions over their names.
//!
//! Only the last event of each rule counts, so cost and memory do not grow with the window. A condition that denies is
//! decided by a timer when the window after an event is complete. Must never decide a denial at an event.

use std::collections::VecDeque;
use std::sync::Arc;

use model::{EVIDENCE_MAX, Evidence};
use serde::{Deserialize, Serialize};

use super::decimal::Decimal;
use super::measure::Measure;
use super::state::{Seen, Verdict};
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
    last: Box<[Option<LastSeen>]>,
    /// Events whose window is decided later, by the time at which it ends.
    due: VecDeque<(i64, Arc<Seen>)>,
    /// Where those that must occur have an order too.
    chains: Option<Chains>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct LastSeen {
    at: i64,
    number: u64,
    evidence: Arc<Evidence>,
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
    pub(super) fn see(&mut self, references: &[usize], seen: &Seen) {
        for &reference in references {
            if let Some(last) = self.last.get_mut(reference) {
                *last = Some(LastSeen { at: seen.at, number: seen.number, evidence: seen.evidence.clone() });
            }
        }
    }

    /// The same event's steps, where there is an order.
    pub(super) fn see_in_order(&mut self, steps: &[usize], seen: &Seen, same: &[usize]) {
        if let Some(chains) = &mut self.chains {
            chains.see(steps, seen, same);
        }
    }

    /// The condition is true of the window that begins at `start`. `listed`: references that count.
    pub(super) fn holds(&self, wanted: &Wanted, listed: usize, start: i64) -> Option<Verdict> {
        let there =
            |reference: usize| self.last.get(reference).and_then(Option::as_ref).filter(|last| last.at >= start);
        let distinct = (0..listed).filter(|&reference| there(reference).is_some()).count();
        let holds = match wanted {
            Wanted::Distinct(measure) => measure.holds(Decimal::whole(distinct)),
            Wanted::Occur(occur) => truth(occur, &|reference| there(reference).is_some()),
        };
        if !holds {
            return None;
        }
        if let Some(chains) = &self.chains {
            return chains.holds(chains.steps(), start);
        }
        let mut events: Vec<&LastSeen> = (0..listed).filter_map(there).collect();
        events.sort_by_key(|last| last.number);
        events.dedup_by_key(|last| last.number);
        let spare = events.len().saturating_sub(EVIDENCE_MAX);
        let evidence = events.into_iter().skip(spare).map(|last| last.evidence.clone()).collect();
        let value = matches!(wanted, Wanted::Distinct(_)).then_some(distinct as f64);
        Some(Verdict { value, evidence, ..Verdict::default() })
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
