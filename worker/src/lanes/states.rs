//! Keyed states, and which versions of the rules share them: what is made of the same keeps what it remembers.
//!
//! A state belongs to the rules and correlations of one version that were new with it. A later version that has them still sends
//! its events to it, in the state's own numbers, and through a gate that leaves out what the version has not. What a version gives
//! up is never taken up again: what comes back begins anew. Must never send an event to what its version does not have.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::{CarriedField, Carrying, Occurrence, Sha256};
use rules::correlation::{Graph, Listing};
use serde::{Deserialize, Serialize};
use sinks::{CorrelatorId, LaneId};

use super::SetId;

/// The keyed state of some rules and correlations of a lane.
#[derive(Debug)]
pub(super) struct State {
    pub(super) lane: LaneId,
    pub(super) id: CorrelatorId,
    pub(super) graph: Arc<Graph>,
    /// By index: what it belongs to.
    pub(super) takes: BTreeSet<u32>,
    /// Of those, what the newest version still has.
    pub(super) live: BTreeSet<u32>,
    /// The version that it came with.
    pub(super) since: SetId,
    pub(super) listing: Listing,
}

/// A keyed state as a snapshot names it. One that belongs to no rules has their version alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedState {
    /// Version of the graph by which it numbers rules and fields.
    pub graph: Sha256,
    /// By index there: what it belongs to.
    pub takes: BTreeSet<u32>,
    /// Of those, what the rules still had.
    pub live: BTreeSet<u32>,
    /// What the gates of events that wait are open to.
    pub gates: Vec<BTreeSet<u32>>,
}

impl State {
    pub(super) fn saved(&self) -> SavedState {
        let (takes, live) = (self.takes.clone(), self.live.clone());
        SavedState { graph: self.graph.version(), takes, live, gates: self.listing.gates() }
    }

    /// Which of a version's rules and correlations (by index) it still has the state of: its own index of each.
    pub(super) fn serves(&self, graph: &Graph, asked: &BTreeSet<u32>) -> BTreeMap<u32, u32> {
        let own: BTreeMap<Sha256, u32> =
            self.live.iter().filter_map(|index| Some((self.graph.name(*index)?, *index))).collect();
        asked.iter().filter_map(|index| Some((*index, *own.get(&graph.name(*index)?)?))).collect()
    }
}

/// How a version's events come to a keyed state.
#[derive(Debug)]
pub(super) struct Route {
    /// Of the state's own, what the version has.
    pub(super) open: BTreeSet<u32>,
    gate: u16,
    /// The version's index of a rule → the state's; None: they are the same.
    rules: Option<BTreeMap<u32, u32>>,
    /// The version's number of a field, and the state's; None: they are the same.
    fields: Option<Vec<(CarriedField, CarriedField)>>,
}

impl Route {
    pub(super) fn new(state: &State, graph: &Graph, open: BTreeSet<u32>) -> Route {
        let gate = if open == state.takes { 0 } else { state.listing.gate_of(&open) };
        if state.graph.version() == graph.version() {
            return Route { open, gate, rules: None, fields: None };
        }
        let own = state.graph.by_content();
        let rules = graph.by_content().into_iter().filter_map(|(content, index)| Some((index, *own.get(&content)?)));
        let known: BTreeMap<String, CarriedField> =
            graph.named_fields().into_iter().map(|(field, name)| (name, field)).collect();
        let named = state.graph.named_fields();
        let fields: Vec<_> = named.iter().filter_map(|(own, name)| Some((*known.get(name)?, *own))).collect();
        let is_same = fields.len() == known.len() && fields.iter().all(|(theirs, own)| theirs == own);
        Route { open, gate, rules: Some(rules.collect()), fields: (!is_same).then_some(fields) }
    }

    /// The event as the state numbers it. None: as it is.
    pub(super) fn lead(&self, event: &Occurrence) -> Option<Box<Occurrence>> {
        if self.gate == 0 && self.rules.is_none() {
            return None;
        }
        let mut event = Box::new(event.clone());
        event.gate = self.gate;
        if let Some(rules) = &self.rules {
            let own = |rule: u32| rules.get(&rule).copied();
            event.held.retain_mut(|held| own(held.rule).map(|rule| held.rule = rule).is_some());
            event.held.sort_by_key(|held| held.rule);
        }
        if let Some(fields) = &self.fields {
            let mut carrying = Carrying::default();
            for (theirs, own) in fields {
                event.fields.texts(*theirs).for_each(|text| carrying.push(*own, text));
            }
            event.fields = carrying.take();
        }
        Some(event)
    }
}
