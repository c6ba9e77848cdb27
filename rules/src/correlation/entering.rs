//! An event on its way in: what it looks like from inside, what it will touch, and room for what windows keep of it.
//!
//! Must never change what a window holds.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::{Derived, Occurrence};

use super::engine::{Correlations, Walk, node_of};
use super::graph::Port;
use super::group::Groups;
use super::state::Seen;

/// So many keys are in a cache anyway.
const FEW_KEYS: usize = 4_096;

/// Slots that are looked through for handles at each event.
const LOOKED_AT_ONCE: usize = 32;

impl Correlations {
    /// An event at the rules that hold at it.
    pub(super) fn enter<'w>(&mut self, event: Occurrence, number: u64, tell: &'w mut dyn FnMut(Derived)) -> Walk<'w> {
        self.look_through();
        let order = event.order;
        let handle = self.handles.add(&order.id, order.sha256, number);
        let seen = Seen { at: order.time.ms(), number, order, position: event.position, fields: event.fields };
        let (mut agenda, mut findings) = (std::mem::take(&mut self.scratch.agenda), BTreeMap::new());
        agenda.clear();
        for held in event.held {
            let Some(at) = self.graph.node(held.rule) else { continue };
            if self.nodes.get(at).is_some_and(Option::is_some) {
                agenda.insert(at, Port::Own);
                findings.extend(held.finding.map(|finding| (at, finding)));
            }
        }
        let principal = self.graph.principal(&seen.fields);
        Walk { agenda, seen: self.shared(seen), handle, principal, timer: None, findings, tell }
    }

    /// What a timer derives of an event that has been in before.
    pub(super) fn later<'w>(&mut self, seen: Seen, now: i64, tell: &'w mut dyn FnMut(Derived)) -> Walk<'w> {
        let handle = self.handles.add(&seen.order.id, seen.order.sha256, seen.number);
        let principal = self.graph.principal(&seen.fields);
        let (agenda, findings) = Default::default();
        Walk { agenda, seen: Arc::new(seen), handle, principal, timer: Some(now), findings, tell }
    }

    /// The event, in the memory of the one before where nobody kept that.
    fn shared(&mut self, seen: Seen) -> Arc<Seen> {
        let Some(mut last) = self.scratch.seen.take() else { return Arc::new(seen) };
        match Arc::get_mut(&mut last) {
            Some(place) => {
                *place = seen;
                last
            }
            None => Arc::new(seen),
        }
    }

    /// Looks some windows through for the handles that they name, where there are many that nobody might name any more.
    fn look_through(&mut self) {
        let Correlations { handles, keys, ahead, looked, .. } = self;
        if !handles.is_looking() {
            if !handles.is_due() {
                return;
            }
            handles.begin();
            *looked = 0;
        }
        let next = keys.look_through(*looked, LOOKED_AT_ONCE, &mut |state| state.handles(&mut |of| handles.keep(*of)));
        match next {
            Some(next) => *looked = next,
            None => {
                ahead.handles(&mut |of| handles.keep(*of));
                handles.finish();
            }
        }
    }

    /// Reads what these events will work on.
    pub(super) fn come_near(&mut self, events: &mut dyn Iterator<Item = &Occurrence>) {
        if self.keys.len() < FEW_KEYS {
            return;
        }
        let mut coming = std::mem::take(&mut self.scratch.coming);
        let mut groups = std::mem::take(&mut self.scratch.groups);
        coming.clear();
        for event in events {
            groups.clear();
            for held in &event.held {
                self.hashes(held.rule, event, &mut groups, &mut coming);
            }
        }
        self.keys.come_near(&mut coming);
        (self.scratch.groups, self.scratch.coming) = (groups, coming);
    }

    /// The hashes of the keys that a rule's event goes to.
    fn hashes(&self, rule: u32, event: &Occurrence, groups: &mut Groups, hashes: &mut Vec<u64>) {
        let Some(node) = self.graph.node(rule).and_then(|at| self.graph.nodes.get(at)) else { return };
        for (fed, port) in &node.feeds {
            let Port::Reference(reference) = port else { continue };
            let Some(active) = self.nodes.get(*fed).and_then(Option::as_ref) else { continue };
            let Some((tuple, fields)) = active.spec.keyed.get(*reference) else { continue };
            for key in groups.of(*tuple, fields, &event.fields) {
                hashes.push(groups.key(key).hash_of(node_of(*fed, 0)));
            }
        }
    }
}
