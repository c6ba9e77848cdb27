//! Walks the graph: each event in total order through what it feeds, each timer when it is due.
//!
//! One thread, behind the cursor. What holds feeds what refers to it at the same place. Must never let the order in which
//! equal places are worked on change what is told.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use model::{
    Arrival, Correlator, CorrelatorHeld, Derived, Detector, DetectorSpec, Finding, Malformed, Occurrence, Row,
    RuleInfo, SourceHealth, Timestamp, Urgency,
};

use super::agenda::Agenda;
use super::ahead::Ahead;
use super::deriving::{Deriving, Found};
use super::detecting::{self, Detectors, Factory};
use super::entering::Announced;
use super::gates::{Gate, needed};
use super::graph::{Graph, Kind, Port};
use super::group::Groups;
use super::handles::{Handle, Handles};
use super::health::Health;
use super::keys::{Keys, SlotId};
use super::listing::Listing;
use super::ranks::ranks;
use super::routes::Routes;
use super::spec::{References, Spec, Tuples};
use super::state::{Seen, Verdict};
use super::telling::Voice;
use super::watching::listens;
use crate::ast::ListUse;
use crate::lists::{Lists, Standing};
use crate::{CompileError, Evaluator};

/// Limits of a lane's correlations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Keys with state, over all correlations.
    pub keys_max: usize,
}

/// The correlations of one lane with their state.
#[derive(Debug)]
pub struct Correlations {
    pub(super) graph: Arc<Graph>,
    /// By node of the graph; None: other lanes have it.
    pub(super) nodes: Arc<[Option<Active>]>,
    pub(super) lists: Arc<Lists>,
    /// The rules on what detectors find; None: there are none.
    pub(super) deriving: Option<Arc<Deriving>>,
    pub(super) keys: Keys,
    /// The events that windows hold.
    pub(super) handles: Handles,
    /// How far windows have been looked through for handles.
    pub(super) looked: usize,
    /// By number; they hold keys of their own.
    pub(super) detectors: Vec<Box<dyn Detector>>,
    /// What waits for the cursor, for what is told ahead.
    pub(super) ahead: Ahead,
    pub(super) timers: BTreeSet<(i64, SlotId)>,
    /// The last millisecond of the bucket that closes next.
    pub(super) closes: Option<i64>,
    pub(super) health: Health,
    pub(super) listing: Listing,
    /// All but the first.
    pub(super) gates: Vec<Gate>,
    /// Events and timers so far.
    pub(super) applied: u64,
    /// Time of the last event or timer.
    pub(super) now: i64,
    pub(super) keyless: u64,
    pub(super) scratch: Scratch,
}

#[derive(Debug)]
pub(super) struct Active {
    pub(super) spec: Spec,
    pub(super) voice: Voice,
    pub(super) speaks: bool,
    /// Its place among those whose timers are due at one time: those that feed others first, then by rule id.
    pub(super) rank: u32,
    pub(super) own_lists: Vec<ListUse>,
    /// Numbers of its detectors.
    pub(super) detectors: Range<usize>,
    /// Its own and those of all that feeds it.
    pub(super) lists: Vec<ListUse>,
}

#[derive(Debug, Default)]
pub(super) struct Scratch {
    pub(super) key: String,
    pub(super) row: Row,
    pub(super) evaluator: Evaluator,
    /// The keys of the event that is being walked.
    pub(super) groups: Groups,
    pub(super) announced: Announced,
    pub(super) agenda: Agenda,
    ports: Vec<Port>,
    entering: Vec<(usize, References)>,
    /// The last event's, to be used again where nobody keeps it.
    pub(super) seen: Option<Arc<Seen>>,
    pub(super) coming: Vec<u64>,
}

/// Where an event goes, and what comes of it.
pub(super) struct Walk<'w> {
    pub(super) agenda: Agenda,
    pub(super) seen: Arc<Seen>,
    /// The event's in windows.
    pub(super) handle: Handle,
    /// Whose it is.
    pub(super) principal: u32,
    /// The timer that is running.
    pub(super) timer: Option<i64>,
    pub(super) findings: BTreeMap<usize, Box<Finding>>,
    /// What detectors found at it, of rules that hold.
    pub(super) found: Vec<Found>,
    pub(super) tell: &'w mut dyn FnMut(Derived),
}

impl Correlations {
    /// The correlations (and rules that remember) that `takes` accepts by index, with all that feeds them; only those tell.
    /// `factory` makes the detectors that they ask.
    ///
    /// # Errors
    /// When a route's selection cannot be compiled.
    pub fn new(
        graph: Arc<Graph>,
        lists: Arc<Lists>,
        limits: Limits,
        info: impl Fn(u32) -> Option<Arc<RuleInfo>>,
        takes: impl Fn(u32) -> bool,
        factory: Factory<'_>,
    ) -> Result<Correlations, CompileError> {
        let needed = needed(&graph, &takes);
        let ranks = ranks(&graph, &info);
        let (mut nodes, mut tuples) = (Vec::new(), Tuples::new());
        let made = Cell::new(0);
        let counting = |spec: &DetectorSpec| {
            made.set(made.get() + 1);
            factory(spec)
        };
        let mut detectors = Detectors::new(&counting);
        for ((node, needed), rank) in graph.nodes.iter().zip(&needed).zip(ranks) {
            let Some(info) = info(node.index).filter(|_| *needed) else {
                nodes.push(None);
                continue;
            };
            let first = made.get();
            let spec = Spec::new(&graph, node, &mut detectors, &mut tuples);
            let group = spec.group.clone();
            let mut voice =
                Voice { info, routes: Routes::default(), group, fingerprint: None, fields: graph.named_fields() };
            let mut own_lists = Vec::new();
            if let Kind::Correlation(correlation) = &node.kind {
                own_lists.clone_from(&correlation.lists);
                if let Some(alert) = &correlation.alert {
                    voice.routes = Routes::new(&graph, &alert.routes)?;
                    let named = |name: &String| (name.clone(), graph.field(name));
                    voice.fingerprint = alert.fingerprint.as_ref().map(|names| names.iter().map(named).collect());
                }
            }
            nodes.push(Some(Active {
                spec,
                voice,
                speaks: node.speaks && takes(node.index),
                rank,
                own_lists,
                detectors: first..made.get(),
                lists: node.lists.clone(),
            }));
        }
        let health = Health::new(listens(&nodes));
        let deriving = Deriving::new(&graph, |at| nodes.get(at).is_some_and(Option::is_some))?;
        Ok(Correlations {
            nodes: nodes.into(),
            graph,
            lists,
            deriving,
            keys: Keys::new(limits.keys_max),
            handles: Handles::default(),
            looked: 0,
            detectors: detectors.into_made(),
            ahead: Ahead::default(),
            timers: BTreeSet::new(),
            closes: None,
            health,
            listing: Listing::default(),
            gates: Vec::new(),
            applied: 0,
            now: i64::MIN,
            keyless: 0,
            scratch: Scratch::default(),
        })
    }

    pub(super) fn walk(&mut self, mut walk: Walk<'_>) {
        let mut ports = std::mem::take(&mut self.scratch.ports);
        while let Some(at) = walk.agenda.pop(&mut ports) {
            let is_rule = self.graph.nodes.get(at).map(|node| matches!(node.kind, Kind::Rule(_)));
            let holds = match is_rule {
                Some(true) => self.rule(at, &ports, &mut walk),
                Some(false) => self.correlation(at, &ports, &mut walk),
                None => false,
            };
            if holds {
                self.feed(at, &mut walk.agenda);
            }
        }
        let Walk { agenda, seen, found, timer, tell, .. } = walk;
        (self.scratch.agenda, self.scratch.ports) = (agenda, ports);
        for found in found {
            if let Some(walk) = self.derived(&found, (&seen, timer), Correlations::next_number, &mut *tell) {
                self.walk(walk);
            }
        }
        self.scratch.seen = Some(seen);
    }

    /// A correlation: the event enters the window of each of its groups.
    fn correlation(&mut self, at: usize, ports: &[Port], walk: &mut Walk<'_>) -> bool {
        let mut groups = std::mem::take(&mut self.scratch.groups);
        let mut entering = std::mem::take(&mut self.scratch.entering);
        self.keyless += self.groups(at, ports, &walk.seen, &mut groups, &mut entering);
        let mut holds = false;
        for (key, references) in entering.drain(..) {
            holds |= self.group(at, groups.key(key), &references, walk);
        }
        (self.scratch.groups, self.scratch.entering) = (groups, entering);
        holds
    }

    /// A correlation holds: it is told, where it speaks. False: a list it needs is missing.
    pub(super) fn holds(&mut self, at: usize, key: &str, verdict: &Verdict, walk: &mut Walk<'_>) -> bool {
        let Some(urgency) = self.urgency(at, &walk.seen) else { return false };
        if let Some(active) = self.nodes.get(at).and_then(Option::as_ref).filter(|active| active.speaks) {
            let told = (urgency, Arrival::OnTime);
            (walk.tell)(Derived::Holds(active.voice.finding(key, &walk.seen, verdict, walk.timer, told)));
        }
        true
    }

    /// Where a correlation is told that holds at an event. None: a list that it needs is missing.
    pub(super) fn urgency(&mut self, at: usize, seen: &Seen) -> Option<Urgency> {
        let Correlations { nodes, lists, scratch, .. } = self;
        let active = nodes.get(at)?.as_ref()?;
        let time = Some(Timestamp::from_ms(seen.at));
        if lists.standing(&active.own_lists, time) == Standing::Silent {
            return None;
        }
        Some(match lists.standing(&active.lists, time) {
            Standing::Full => {
                active.voice.routes.urgency(&seen.fields, lists, (&mut scratch.evaluator, &mut scratch.row))
            }
            Standing::TicketOnly | Standing::Silent => Urgency::Ticket,
        })
    }

    /// The groups (by number of their key) of an event that came through these ports, each with its references; gives how
    /// many ports lack a field.
    pub(super) fn groups(
        &self,
        at: usize,
        ports: &[Port],
        seen: &Seen,
        groups: &mut Groups,
        entering: &mut Vec<(usize, References)>,
    ) -> u64 {
        let Some(active) = self.nodes.get(at).and_then(Option::as_ref) else { return 0 };
        let mut keyless = 0;
        for port in ports {
            let Port::Reference(reference) = *port else { continue };
            let Some((tuple, fields)) = active.spec.keyed.get(reference) else { continue };
            let keys = groups.of(*tuple, fields, &seen.fields);
            keyless += u64::from(keys.is_empty());
            for key in keys {
                match entering.iter_mut().find(|(known, _)| groups.key(*known).text == groups.key(key).text) {
                    Some((_, references)) => references.push(reference),
                    None => entering.push((key, [reference].into_iter().collect())),
                }
            }
        }
        keyless
    }
}

/// States of a node are told apart by its number and the memory's.
pub(super) fn node_of(at: usize, memory: usize) -> u32 {
    ((at as u32) << 4) | (memory as u32 & 15)
}

impl Correlator for Correlations {
    fn apply(&mut self, event: Occurrence, tell: &mut dyn FnMut(Derived)) {
        let at = event.order.time.ms();
        self.reach_lists(at);
        self.now = self.now.max(at);
        self.applied += 1;
        self.keys.expire(at);
        self.ahead.sweep(at);
        if let Some(said) = self.health.hear(&event.order.source, at) {
            tell(Derived::Heard(said, Timestamp::from_ms(at.saturating_add(1))));
        }
        let walk = self.enter(event, self.applied, tell);
        self.walk(walk);
    }

    fn approach(&mut self, events: &mut dyn Iterator<Item = &Occurrence>) {
        self.come_near(events);
    }

    fn preview(&mut self, event: &Occurrence, tell: &mut dyn FnMut(Derived)) {
        self.look_ahead(event, tell);
    }

    fn preview_timers(&mut self, before: Timestamp, tell: &mut dyn FnMut(Derived)) {
        self.decide_ahead(before.ms(), tell);
    }

    fn apply_late(&mut self, event: Occurrence, tell: &mut dyn FnMut(Derived)) {
        self.applied += 1;
        let arrival = event.arrival;
        let walk = self.enter(event, self.applied, tell);
        let Walk { agenda, seen, handle, tell, .. } = walk;
        let graph = self.graph.clone();
        for (rule, port) in agenda.iter() {
            let Some(node) = graph.nodes.get(*rule).filter(|_| *port == Port::Own) else { continue };
            for (at, port) in &node.feeds {
                if let Port::Reference(reference) = port
                    && self.is_open(seen.gate, *at)
                {
                    self.late(*at, *reference, (&seen, handle), arrival, tell);
                }
            }
        }
    }

    fn next_timer(&self) -> Option<Timestamp> {
        let due = self.timers.first().map(|(due, _)| *due);
        due.into_iter().chain(self.health.next()).min().map(Timestamp::from_ms)
    }

    fn heed(&mut self, said: &SourceHealth, known_from: Timestamp) {
        self.heed_source(said, known_from.ms());
    }

    fn run_timers(&mut self, tell: &mut dyn FnMut(Derived)) {
        let Some(now) = self.next_timer().map(Timestamp::ms) else { return };
        self.reach_lists(now);
        self.now = self.now.max(now);
        self.keys.expire(now);
        // What a timer derives may set another one of the same time.
        while let Some(&(due, _)) = self.timers.first()
            && due <= now
        {
            let later = self.timers.split_off(&(now.saturating_add(1), 0));
            let mut slots: Vec<SlotId> =
                std::mem::replace(&mut self.timers, later).into_iter().map(|(_, slot)| slot).collect();
            slots.sort_by(|a, b| self.rank(*a).cmp(&self.rank(*b)));
            slots.dedup();
            slots.into_iter().for_each(|slot| self.due(slot, now, tell));
        }
        self.ahead.timers_ran(now);
        self.reach_health(now);
    }

    fn next_close(&self) -> Option<Timestamp> {
        self.closes.map(Timestamp::from_ms)
    }

    fn close_buckets(&mut self, tell: &mut dyn FnMut(Derived)) {
        self.close_due(tell);
    }

    fn backfill(&mut self, is_history: bool) {
        self.detectors.iter_mut().for_each(|detector| detector.backfill(is_history));
    }

    fn held(&self) -> CorrelatorHeld {
        let learned = detecting::held(&self.detectors);
        CorrelatorHeld {
            keys: self.keys.len() + learned.keys,
            evicted: self.keys.evicted() + learned.evicted,
            keyless: self.keyless,
        }
    }

    fn snapshot(&self) -> Result<Vec<u8>, Malformed> {
        self.save()
    }

    fn restore(&mut self, snapshot: &[u8]) -> Result<(), Malformed> {
        self.load(snapshot)
    }
}
