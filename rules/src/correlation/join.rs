//! `x-where` over several events (E2): a choice of one event of each rule that makes every expression true.
//!
//! Members are tried only against the event that has just come, so each choice is looked at once; of the choices that fit
//! the one that began last is kept. Cost follows the members of the other rules, which are bounded. Must never choose two
//! events against their order where the order counts.

use std::collections::VecDeque;
use std::sync::Arc;

use model::Evidence;
use serde::{Deserialize, Serialize};

use super::state::{Seen, Verdict};

/// Members of one key, by reference.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Join {
    members: Box<[VecDeque<Arc<Seen>>]>,
    best: Option<Chosen>,
}

/// When a choice began, and its events with their numbers.
type Chosen = (i64, Vec<(u64, Evidence)>);

/// How events are chosen.
#[derive(Debug, Clone, Copy)]
pub(super) struct Choice {
    pub(super) span_ms: i64,
    pub(super) ordered: bool,
    /// Members kept of one reference.
    pub(super) members_max: usize,
}

impl Join {
    pub(super) fn new(references: usize) -> Join {
        Join { members: vec![VecDeque::new(); references].into(), best: None }
    }

    pub(super) fn len(&self) -> usize {
        self.members.iter().filter(|members| !members.is_empty()).count()
    }

    /// An event of these references, next in total order; says whether a choice stands in the window.
    pub(super) fn see(
        &mut self,
        references: &[usize],
        seen: &Arc<Seen>,
        choice: Choice,
        fits: &mut dyn FnMut(&[Arc<Seen>]) -> bool,
    ) -> Option<Verdict> {
        let start = seen.at.saturating_sub(choice.span_ms);
        for members in &mut self.members {
            while members.front().is_some_and(|first| first.at < start) {
                members.pop_front();
            }
        }
        for &reference in references {
            if let Some(members) = self.members.get_mut(reference) {
                if members.len() >= choice.members_max {
                    members.pop_front();
                }
                members.push_back(seen.clone());
            }
        }
        for &reference in references {
            let mut chosen = Vec::new();
            let mut found = self.best.take();
            self.choose(reference, seen, choice, &mut chosen, &mut found, fits);
            self.best = found;
        }
        let (began, links) = self.best.as_ref()?;
        if *began < start {
            return None;
        }
        let mut links = links.clone();
        links.sort_by_key(|(number, _)| *number);
        links.dedup_by_key(|(number, _)| *number);
        let evidence = links.into_iter().map(|(_, evidence)| evidence).collect();
        Some(Verdict { evidence, ..Verdict::default() })
    }

    fn choose(
        &self,
        fixed: usize,
        seen: &Arc<Seen>,
        choice: Choice,
        chosen: &mut Vec<Arc<Seen>>,
        best: &mut Option<Chosen>,
        fits: &mut dyn FnMut(&[Arc<Seen>]) -> bool,
    ) {
        let Some(members) = self.members.get(chosen.len()) else {
            let began = chosen.iter().map(|of| of.at).min().unwrap_or(seen.at);
            if best.as_ref().is_none_or(|(known, _)| began >= *known) && fits(chosen) {
                *best = Some((began, chosen.iter().map(|of| (of.number, of.evidence())).collect()));
            }
            return;
        };
        let in_order = |of: &Arc<Seen>| !choice.ordered || chosen.last().is_none_or(|last| last.at <= of.at);
        let candidates: Vec<Arc<Seen>> =
            if chosen.len() == fixed { vec![seen.clone()] } else { members.iter().rev().cloned().collect() };
        for of in candidates.into_iter().filter(in_order).collect::<Vec<_>>() {
            // What began before the best choice cannot become a better one.
            if best.as_ref().is_some_and(|(known, _)| of.at < *known) {
                continue;
            }
            chosen.push(of);
            self.choose(fixed, seen, choice, chosen, best, fits);
            chosen.pop();
        }
    }
}
