//! `temporal_ordered`: rules that occur one after the other in the window.
//!
//! For each prefix of the sequence only the chain that began last is kept, so cost and memory follow the length of the
//! sequence and not the window; of two different rules, the commonest sequence, four events say all. Equal times satisfy either order: events of one time are taken together. A rule that
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

/// Places of a sequence of two different rules, which needs no more: the newest event of each step, and the events of the
/// chain that began last.
const FIRST: usize = 0;
const SECOND: usize = 1;
const CHAIN: [usize; 2] = [2, 3];

/// Another event, of these steps, next in total order, at a sequence of two different rules.
pub(super) fn see_pair(few: &mut Few, steps: &[usize], member: Member) {
    steps.iter().filter(|step| **step <= SECOND).for_each(|step| few.set(*step, member));
    // Equal times satisfy either order, so at each event of its time the newest second step closes what the newest first
    // step opened, and no chain began later than that one.
    if let (Some(first), Some(second)) = (few.get(FIRST), few.get(SECOND))
        && second.at == member.at
    {
        CHAIN.into_iter().zip([first, second]).for_each(|(place, member)| few.set(place, member));
    }
}

/// Steps of the longest chain of a sequence of two different rules.
pub(super) fn pair_len(few: &Few) -> usize {
    let is_there = |place: usize| few.get(place).is_some();
    if is_there(CHAIN[0]) { CHAIN.len() } else { usize::from(is_there(FIRST)) }
}

/// A sequence of two different rules stands in the window that begins at `start`.
pub(super) fn pair_holds(few: &Few, start: i64, handles: &Handles) -> Option<Verdict> {
    few.get(CHAIN[0]).filter(|first| first.at >= start)?;
    Some(made_by(CHAIN.into_iter().filter_map(|place| few.get(place)).map(|member| member.of), handles))
}

/// What a chain of these events says.
fn made_by(links: impl Iterator<Item = Handle>, handles: &Handles) -> Verdict {
    let mut links: Vec<(u64, Handle)> = links.map(|of| (handles.number(of), of)).collect();
    links.sort_unstable();
    links.dedup();
    let spare = links.len().saturating_sub(model::EVIDENCE_MAX);
    let evidence = links.into_iter().skip(spare).map(|(_, of)| handles.evidence(of)).collect();
    Verdict { evidence, ..Verdict::default() }
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
        Some(made_by(chain.links.iter().copied(), handles))
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

#[cfg(test)]
mod tests {
    use model::Sha256;

    use super::*;

    #[test]
    fn four_events_of_a_pair_say_what_its_chains_say() {
        let mut random = 1u64;
        for _ in 0..500 {
            let mut handles = Handles::default();
            let (mut few, mut chains, mut at) = (Few::default(), Chains::new(2), 0);
            for number in 0..100 {
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                // Half of them share their time with others; some are of both rules, and a few equal the one before.
                at += (random >> 40) as i64 % 4 / 2 * 10;
                let steps: &[usize] = [&[0][..], &[1], &[0, 1]][(random >> 50) as usize % 5 / 2];
                let id = format!("e{}", number / (1 + (random >> 60)));
                let member = Member { at, of: handles.add(&id, Sha256::of(id.as_bytes()), number) };
                see_pair(&mut few, steps, member);
                chains.see(steps, member, &[0, 1]);
                let start = at - (random >> 33) as i64 % 60;
                let said = |verdict: Option<Verdict>| verdict.map(|verdict| verdict.evidence);
                assert_eq!(said(pair_holds(&few, start, &handles)), said(chains.holds(2, start, &handles)));
                assert_eq!(pair_len(&few), chains.len());
            }
        }
    }
}
