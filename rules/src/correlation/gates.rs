//! Which of its rules a keyed state lets an event through to: newer rules may have given up some, and share the others.
//!
//! An event has the number of a gate; behind it stand the rules and correlations that its own rules have. Gate 0 is open to all.
//! Must never let an event through to what its rules do not have: that begins, and ends, with the rules.

use std::collections::BTreeSet;

use super::agenda::Agenda;
use super::engine::Correlations;
use super::graph::{Graph, Port};
use super::listing::Listing;
use super::outlived::outlived;
use super::watching::earlier;

/// For each node whether events go to it.
pub(super) type Gate = Box<[bool]>;

/// What these (by index) need: themselves, and all that feeds them.
pub(super) fn needed(graph: &Graph, takes: &dyn Fn(u32) -> bool) -> Gate {
    let mut needed: Vec<bool> = graph.nodes.iter().map(|node| takes(node.index)).collect();
    for (at, node) in graph.nodes.iter().enumerate().rev() {
        let feeds_one = node.feeds.iter().any(|(fed, _)| needed.get(*fed) == Some(&true));
        if let Some(needed) = needed.get_mut(at) {
            *needed |= feeds_one;
        }
    }
    needed.into()
}

impl Correlations {
    /// Learns the gates up to a number.
    pub(super) fn reach_gate(&mut self, gate: u16) {
        while usize::from(gate) > self.gates.len() {
            let Some(open) = self.listing.gate(self.gates.len() + 1) else { break };
            self.gates.push(needed(&self.graph, &|index| open.contains(&index)));
        }
    }

    /// An event that came through a gate goes to a node.
    pub(super) fn is_open(&self, gate: u16, at: usize) -> bool {
        let is_taken = self.nodes.get(at).is_some_and(Option::is_some);
        is_taken && gate.checked_sub(1).is_none_or(|gate| self.is_behind(gate, at))
    }

    fn is_behind(&self, gate: u16, at: usize) -> bool {
        self.gates.get(usize::from(gate)).and_then(|gate| gate.get(at)).copied().unwrap_or(false)
    }

    /// What holds feeds what refers to it.
    pub(super) fn feed(&self, at: usize, agenda: &mut Agenda) {
        let feeds = self.graph.nodes.get(at).map(|node| node.feeds.as_slice()).unwrap_or_default();
        let gate = agenda.gate();
        // Through the port of anomalies goes not the event, but what was found at it.
        let events = feeds.iter().filter(|(_, port)| *port != Port::Anomaly);
        let taken = events.filter(|(fed, _)| self.is_open(gate, *fed));
        taken.for_each(|(fed, port)| agenda.insert(*fed, *port));
    }

    /// Only these (by index) are what rules still have: what learned for others closes no more buckets.
    pub(super) fn give_up(&mut self, live: &BTreeSet<u32>) {
        let needed = needed(&self.graph, &|index| live.contains(&index));
        let gone = self.nodes.iter().zip(&needed).filter(|(_, needed)| !**needed);
        let gone: Vec<_> = gone.filter_map(|(active, _)| Some(active.as_ref()?.detectors.clone())).collect();
        let is_gone = |number: usize| gone.iter().any(|own| own.contains(&number));
        let detectors = std::mem::take(&mut self.detectors).into_iter().enumerate();
        let outlive = |(number, of)| if is_gone(number) { outlived(of) } else { of };
        self.detectors = detectors.map(outlive).collect();
        self.closes = self.detectors.iter().fold(None, |closes, of| earlier(closes, Some(of)));
    }
}

impl Listing {
    /// The number of the gate that is open to these of its rules and correlations (by index).
    pub fn gate_of(&self, open: &BTreeSet<u32>) -> u16 {
        let Ok(mut gates) = self.0.gates.lock() else { return 0 };
        let known = gates.iter().position(|known| known == open);
        let at = known.unwrap_or_else(|| {
            gates.push(open.clone());
            gates.len() - 1
        });
        u16::try_from(at + 1).unwrap_or(u16::MAX)
    }

    /// All gates but the first, in order.
    pub fn gates(&self) -> Vec<BTreeSet<u32>> {
        self.0.gates.lock().map(|gates| gates.clone()).unwrap_or_default()
    }

    /// What a gate is open to.
    fn gate(&self, number: usize) -> Option<BTreeSet<u32>> {
        self.0.gates.lock().ok()?.get(number.checked_sub(1)?).cloned()
    }
}
