//! What is told ahead: the state of a key plus its events that wait for the cursor.
//!
//! A key with waiting events has a state of its own here, which takes each event as it comes: one step, as behind the
//! cursor. Only an event that comes before others of its key makes that key's state be built anew. Sealed state is never
//! changed. Deadlines, denials, intervals outside and what rules remember are not told ahead: they wait for the cursor.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use hashbrown::HashMap;
use model::{Arrival, Derived, EventOrder, Occurrence};
use rustc_hash::FxBuildHasher;

use super::engine::{Correlations, Walk, node_of};
use super::graph::{Kind, Port};
use super::spec::{Remembered, Work};
use super::state::{Seen, State, Verdict};
use super::step::step;

/// Keys with events that wait.
#[derive(Debug, Default)]
pub(super) struct Ahead {
    keys: HashMap<(u32, Box<str>), Waiting, FxBuildHasher>,
    /// Events so far.
    taken: u64,
    /// When it was looked through last for what nobody will seal.
    swept_at: i64,
}

/// Events ahead are numbered behind all that are sealed.
const NUMBERS_AHEAD: u64 = 1 << 62;

/// How often it is looked through, in milliseconds of event time.
const SWEEP_MS: i64 = 60_000;

/// One key: its state with all that waits, and what waits.
#[derive(Debug)]
struct Waiting {
    state: State,
    events: BTreeMap<EventOrder, (Arc<Seen>, Vec<usize>)>,
}

impl Ahead {
    /// An event has entered its window behind the cursor.
    pub(super) fn sealed(&mut self, node: u32, key: &str, order: &EventOrder) {
        if self.keys.is_empty() {
            return;
        }
        let name = (node, Box::from(key));
        if let Some(waiting) = self.keys.get_mut(&name) {
            waiting.events.remove(order);
            if waiting.events.is_empty() {
                self.keys.remove(&name);
            }
        }
    }

    /// Drops what was derived ahead and never came true.
    pub(super) fn sweep(&mut self, now: i64) {
        if now.saturating_sub(self.swept_at) < SWEEP_MS {
            return;
        }
        self.swept_at = now;
        self.keys.retain(|_, waiting| waiting.events.keys().next_back().is_some_and(|last| last.time.ms() >= now));
    }
}

impl Correlations {
    /// Tells what holds at an event that has just come, as far as is known.
    pub(super) fn look_ahead(&mut self, event: &Occurrence, tell: &mut dyn FnMut(Derived)) {
        let (graph, nodes) = (self.graph.clone(), self.nodes.clone());
        self.ahead.taken += 1;
        let mut walk = self.enter(event.clone(), NUMBERS_AHEAD + self.ahead.taken, tell);
        let mut fed: BTreeMap<usize, BTreeSet<Port>> = BTreeMap::new();
        walk.agenda.iter().for_each(|(at, port)| {
            fed.entry(*at).or_default().insert(*port);
        });
        while let Some((at, ports)) = fed.pop_first() {
            let Some(active) = nodes.get(at).and_then(Option::as_ref) else { continue };
            let holds = match (graph.nodes.get(at).map(|node| &node.kind), &active.spec.work) {
                (Some(Kind::Rule(_)), Work::Rule(memories)) => self.rule_ahead(at, &ports, memories, &mut walk),
                (Some(Kind::Correlation(_)), _) => self.correlation_ahead(at, &ports, &mut walk),
                _ => false,
            };
            if holds {
                let mut agenda = BTreeSet::new();
                self.feed(at, &mut agenda);
                agenda.into_iter().for_each(|(at, port)| {
                    fed.entry(at).or_default().insert(port);
                });
            }
        }
    }

    /// A rule that remembers nothing holds where its detection matches; one that remembers waits for the cursor, as what comes
    /// before its event may still wait.
    fn rule_ahead(&mut self, at: usize, ports: &BTreeSet<Port>, memories: &[Remembered], walk: &mut Walk<'_>) -> bool {
        if !ports.contains(&Port::Own) || !memories.is_empty() {
            return false;
        }
        if let Some(finding) = walk.findings.remove(&at) {
            self.tell_rule(at, *finding, walk.tell);
        }
        true
    }

    fn correlation_ahead(&mut self, at: usize, ports: &BTreeSet<Port>, walk: &mut Walk<'_>) -> bool {
        let nodes = self.nodes.clone();
        let Some(active) = nodes.get(at).and_then(Option::as_ref) else { return false };
        if matches!(active.spec.work, Work::Absence(_) | Work::Risk(_)) {
            return false;
        }
        let mut groups: Vec<(String, Vec<usize>)> = Vec::new();
        self.groups(at, ports.iter().copied(), &walk.seen, &mut groups);
        let mut holds = false;
        for (key, references) in groups {
            let Some((seen, verdict)) = self.step_ahead(at, &key, references, &walk.seen) else { continue };
            holds = true;
            let Some(urgency) = self.urgency(at, &seen).filter(|_| active.speaks) else { continue };
            let finding = active.voice.finding(&key, &seen, &verdict, None, (urgency, Arrival::OnTime));
            (walk.tell)(Derived::Holds(finding));
        }
        holds
    }

    /// The event enters its key's state ahead; gives the first event from it on at which the condition is true.
    fn step_ahead(
        &mut self,
        at: usize,
        key: &str,
        references: Vec<usize>,
        seen: &Arc<Seen>,
    ) -> Option<(Arc<Seen>, Verdict)> {
        let nodes = self.nodes.clone();
        let active = nodes.get(at).and_then(Option::as_ref)?;
        let (spec, node) = (&active.spec, node_of(at, 0));
        let Correlations { keys, ahead, lists, scratch, .. } = self;
        let mut sealed = || keys.get_mut(node, key).map_or_else(|| spec.state(), |entry| entry.state.clone());
        let waiting = ahead
            .keys
            .entry((node, key.into()))
            .or_insert_with(|| Waiting { state: sealed(), events: BTreeMap::new() });
        let is_next = waiting.events.last_key_value().is_none_or(|(last, _)| *last < seen.order);
        waiting.events.insert(seen.order.clone(), (seen.clone(), references));
        if !is_next {
            waiting.state = sealed();
        }
        let mut found = None;
        let from = if is_next { seen.order.clone() } else { waiting.events.first_key_value()?.0.clone() };
        for (order, (event, references)) in waiting.events.range(from..) {
            let room = (&**lists, &mut scratch.row, &mut scratch.key);
            let verdict = step(spec, &mut waiting.state, references, event, room);
            if found.is_none() && *order >= seen.order {
                found = verdict.map(|verdict| (event.clone(), verdict));
            }
        }
        found
    }
}
