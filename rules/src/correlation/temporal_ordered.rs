//! `temporal_ordered`: rules that occur one after the other in the window.
//!
//! For each prefix of the sequence only the chain that began last is kept, so cost and memory follow the length of the
//! sequence and not the window. Equal times satisfy either order: events of one time are taken together. A rule that
//! stands in the sequence twice needs two events. Must never let a chain use an event twice for the same rule.

use serde::{Deserialize, Serialize};

use super::few::Few;
use super::handles::{Handle, Handles};
use super::state::{Member, Verdict};

/// Chains of one key.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Chains {
    /// Time of the last event.
    now: i64,
    /// For each step, where it is the first of its rule, the newest events of `now` that match it.
    at_now: Box<[Vec<Handle>]>,
    /// For each prefix (of one step or more) the chain that began last, of events before `now`.
    before: Box<[Option<Chain>]>,
    /// The same with the events of `now`.
    best: Box<[Option<Chain>]>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Chain {
    start: i64,
    links: Vec<Handle>,
}

/// Places of a sequence that has only been opened: its newest event, and the one before it.
const NEWEST: usize = 0;
const BEFORE: usize = 1;

/// Another event, of these steps, at a sequence (of two steps or more) that has only been opened. False: it is more than
/// that now.
pub(super) fn opens(few: &mut Few, steps: &[usize], member: Member) -> bool {
    let newest = few.get(NEWEST);
    if *steps != [0] || newest.is_some_and(|newest| newest.at == member.at) {
        return false;
    }
    newest.into_iter().for_each(|newest| few.set(BEFORE, newest));
    few.set(NEWEST, member);
    true
}

impl Chains {
    pub(super) fn new(steps: usize) -> Chains {
        Chains {
            now: i64::MIN,
            at_now: vec![Vec::new(); steps].into(),
            before: vec![None; steps].into(),
            best: vec![None; steps].into(),
        }
    }

    /// A sequence that has only been opened so far.
    pub(super) fn opened(few: &Few, steps: usize) -> Chains {
        let mut chains = Chains::new(steps);
        let first = |member: Member| Chain { start: member.at, links: vec![member.of] };
        if let (Some(newest), Some(best)) = (few.get(NEWEST), chains.best.first_mut()) {
            chains.now = newest.at;
            *best = Some(first(newest));
            chains.at_now.first_mut().into_iter().for_each(|links| links.push(newest.of));
            chains.before.first_mut().into_iter().for_each(|before| *before = few.get(BEFORE).map(first));
        }
        chains
    }

    /// Steps of the sequence.
    pub(super) fn steps(&self) -> usize {
        self.best.len()
    }

    /// Steps of the longest chain.
    pub(super) fn len(&self) -> usize {
        self.best.iter().rposition(Option::is_some).map_or(0, |at| at + 1)
    }

    /// An event that matches these steps, next in total order. `same` names for each step the first one of its rule.
    pub(super) fn see(&mut self, steps: &[usize], member: Member, same: &[usize]) {
        if member.at != self.now {
            self.now = member.at;
            self.at_now.iter_mut().for_each(Vec::clear);
            self.before.clone_from(&self.best);
        }
        for (&step, rule) in steps.iter().filter_map(|step| Some((step, same.get(*step)?))) {
            // A rule that stands in the sequence twice has its events at its first step.
            if let Some(links) = self.at_now.get_mut(*rule)
                && step == *rule
            {
                let spare = (links.len() + 1).saturating_sub(same.len());
                links.drain(..spare);
                links.push(member.of);
            }
        }
        for end in 0..self.best.len() {
            let mut found = self.before.get(end).cloned().flatten();
            for first in (0..=end).rev() {
                let Some(links) = self.run(first, end, same) else { break };
                let (start, mut chain) = match first.checked_sub(1) {
                    None => (self.now, Vec::new()),
                    Some(prefix) => match self.before.get(prefix).and_then(Option::as_ref) {
                        Some(chain) => (chain.start, chain.links.clone()),
                        None => continue,
                    },
                };
                if found.as_ref().is_none_or(|chain| start >= chain.start) {
                    chain.extend(links);
                    found = Some(Chain { start, links: chain });
                }
            }
            if let Some(best) = self.best.get_mut(end) {
                *best = found;
            }
        }
    }

    /// Events of `now` for the steps `first` to `end`, each event once for each rule; None: there are not enough.
    fn run(&self, first: usize, end: usize, same: &[usize]) -> Option<Vec<Handle>> {
        let mut links = Vec::with_capacity(end - first + 1);
        for step in first..=end {
            let rule = same.get(step)?;
            let events = self.at_now.get(*rule)?;
            // The newest events serve the last steps.
            let wanted = (step..=end).filter(|later| same.get(*later) == Some(rule)).count();
            let all = (first..=end).filter(|other| same.get(*other) == Some(rule)).count();
            let at = events.len().checked_sub(wanted).filter(|_| events.len() >= all)?;
            links.push(*events.get(at)?);
        }
        Some(links)
    }

    /// The first `steps` steps stand in the window that begins at `start`, one after the other.
    pub(super) fn holds(&self, steps: usize, start: i64, handles: &Handles) -> Option<Verdict> {
        let chain = self.best.get(steps.checked_sub(1)?)?.as_ref().filter(|chain| chain.start >= start)?;
        let mut links: Vec<(u64, Handle)> = chain.links.iter().map(|of| (handles.number(*of), *of)).collect();
        links.sort_unstable();
        links.dedup();
        let spare = links.len().saturating_sub(model::EVIDENCE_MAX);
        let evidence = links.into_iter().skip(spare).map(|(_, of)| handles.evidence(of)).collect();
        Some(Verdict { evidence, ..Verdict::default() })
    }

    pub(super) fn handles(&mut self, name: &mut dyn FnMut(&mut Handle)) {
        self.at_now.iter_mut().flatten().for_each(&mut *name);
        let chains = self.before.iter_mut().chain(&mut self.best).flatten();
        chains.flat_map(|chain| &mut chain.links).for_each(name);
    }

    /// How many steps stand in the window that begins at `start`, one after the other.
    pub(super) fn longest(&self, start: i64) -> usize {
        let within = |chain: &Option<Chain>| chain.as_ref().is_some_and(|chain| chain.start >= start);
        self.best.iter().rposition(within).map_or(0, |at| at + 1)
    }
}
