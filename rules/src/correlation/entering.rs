//! An event on its way in: what it looks like from inside, what it will touch, and room for what windows keep of it.
//!
//! Must never change what a window holds.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::Arc;

use model::{Carried, Derived, EVENTS_AT_ONCE, Occurrence};
use smallvec::SmallVec;

use super::agenda::Agenda;
use super::engine::{Correlations, Walk, node_of};
use super::graph::Port;
use super::group::Groups;
use super::state::Seen;

/// So many keys are in a cache anyway.
const FEW_KEYS: usize = 4_096;

/// Slots that are looked through for handles at each event.
const LOOKED_AT_ONCE: usize = 32;

/// The keys of events that were announced: worked out once, kept until their event comes.
#[derive(Debug, Default)]
pub(super) struct Announced {
    events: Vec<(Carried, Groups)>,
    /// How many there are, and how many of them have come; what stands behind is memory to be used again.
    len: usize,
    come: usize,
}

impl Announced {
    fn clear(&mut self) {
        (self.len, self.come) = (0, 0);
    }

    /// Another event, with its keys.
    fn add(&mut self, fields: &Carried, keys: impl FnOnce(&mut Groups)) {
        if self.len == self.events.len() {
            self.events.push(Default::default());
        }
        if let Some((known, groups)) = self.events.get_mut(self.len) {
            known.clone_from(fields);
            groups.clear();
            keys(groups);
            self.len += 1;
        }
    }

    /// The keys of an event of these fields, as far as they are known; none where it is not the next one announced.
    fn take(&mut self, fields: &Carried, groups: &mut Groups) {
        let next = self.events.get_mut(self.come).filter(|(known, _)| self.come < self.len && known.is(fields));
        match next {
            Some((_, known)) => {
                std::mem::swap(known, groups);
                self.come += 1;
            }
            None => groups.clear(),
        }
    }
}

/// A number out of each piece of an event's memory: it may have waited for long, and no cache have it any more.
fn glance(event: &Occurrence) -> u32 {
    let (text, id) = (event.fields.glance(), event.order.id.as_bytes().first());
    event.held.first().map_or(0, |held| held.rule) ^ u32::from(text) ^ u32::from(id.copied().unwrap_or_default())
}

impl Correlations {
    /// An event at the rules that hold at it.
    pub(super) fn enter<'w>(&mut self, event: Occurrence, number: u64, tell: &'w mut dyn FnMut(Derived)) -> Walk<'w> {
        self.look_through();
        self.scratch.announced.take(&event.fields, &mut self.scratch.groups);
        self.reach_gate(event.gate);
        let (order, gate) = (event.order, event.gate);
        let handle = self.handles.add(&order.id, order.sha256, number);
        let seen = Seen { at: order.time.ms(), number, gate, order, position: event.position, fields: event.fields };
        let (mut agenda, mut findings) = (std::mem::take(&mut self.scratch.agenda), BTreeMap::new());
        agenda.begin(gate);
        for held in event.held {
            let Some(at) = self.graph.node(held.rule) else { continue };
            if self.is_open(gate, at) {
                agenda.insert(at, Port::Own);
                findings.extend(held.finding.map(|finding| (at, finding)));
            }
        }
        let principal = self.graph.principal(&seen.fields);
        let (seen, found) = (self.shared(seen), Vec::new());
        Walk { agenda, seen, handle, principal, timer: None, findings, found, tell }
    }

    /// What a timer derives of an event that has been in before.
    pub(super) fn later<'w>(&mut self, seen: Seen, now: i64, tell: &'w mut dyn FnMut(Derived)) -> Walk<'w> {
        let handle = self.handles.add(&seen.order.id, seen.order.sha256, seen.number);
        let principal = self.graph.principal(&seen.fields);
        self.scratch.groups.clear();
        let (mut agenda, findings, found) = <(Agenda, _, _)>::default();
        agenda.begin(seen.gate);
        Walk { agenda, seen: Arc::new(seen), handle, principal, timer: Some(now), findings, found, tell }
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

    /// Events that windows hold, and the bytes of their places.
    pub fn events_held(&self) -> (usize, usize) {
        self.handles.held()
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
        let events: SmallVec<[&Occurrence; EVENTS_AT_ONCE]> = events.collect();
        black_box(events.iter().map(|event| glance(event)).fold(0, |sum, glance| sum ^ glance));
        let mut coming = std::mem::take(&mut self.scratch.coming);
        let mut announced = std::mem::take(&mut self.scratch.announced);
        coming.clear();
        announced.clear();
        for event in events {
            announced.add(&event.fields, |groups| {
                event.held.iter().for_each(|held| self.hashes(held.rule, event, groups, &mut coming));
            });
        }
        self.keys.come_near(&mut coming);
        (self.scratch.announced, self.scratch.coming) = (announced, coming);
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

#[cfg(test)]
mod tests {
    use model::Carrying;

    use super::super::group;
    use super::*;

    #[test]
    fn the_keys_of_an_event_are_its_own_whatever_was_announced() {
        let carried = |text: String| {
            let mut carrying = Carrying::default();
            carrying.push(0, &text);
            carrying.take()
        };
        let (mut announced, mut groups, mut random) = (Announced::default(), Groups::default(), 1u64);
        let mut known_at_once = 0;
        for round in 0..2_000 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let events: Vec<Carried> = (0..random >> 59).map(|at| carried(format!("{round}-{at}"))).collect();
            announced.clear();
            for fields in &events {
                announced.add(fields, |groups| assert_eq!(groups.of(0, &[Some(0)], fields).len(), 1));
            }
            for (at, fields) in events.iter().enumerate() {
                // Some come that nobody announced, and some of those that were never come.
                let unannounced = (random >> at & 15 == 0).then(|| carried(format!("{round}-{at}-other")));
                let comes = random >> (at + 5) & 31 != 0;
                for fields in unannounced.iter().chain(Some(fields).filter(|_| comes)) {
                    announced.take(fields, &mut groups);
                    known_at_once += usize::from(groups.key(0).hash != 0);
                    let key = groups.of(0, &[Some(0)], fields).start;
                    assert_eq!(group::texts(groups.key(key).text), fields.texts(0).collect::<Vec<_>>());
                }
            }
        }
        assert!(known_at_once > 10_000, "{known_at_once}");
    }
}
