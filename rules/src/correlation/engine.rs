//! Walks the graph: each event in total order through what it feeds, each timer when it is due.
//!
//! One thread, behind the cursor. What holds feeds what refers to it at the same place. Must never let the order in which
//! equal places are worked on change what is told.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::{
    Arrival, Basis, Correlator, CorrelatorHeld, Derived, Evidence, Finding, Occurrence, Place, Resolution, Row,
    RuleInfo, Timestamp, Urgency,
};

use super::graph::{Graph, Kind, Port};
use super::group;
use super::keys::{Keys, SlotId};
use super::routes::Routes;
use super::spec::{MEMBERS_MAX, Remembered, Spec, Waiting, Work};
use super::state::{Seen, State, Verdict};
use super::telling::Voice;
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
    graph: Arc<Graph>,
    /// By node of the graph; None: other lanes have it.
    nodes: Vec<Option<Active>>,
    lists: Arc<Lists>,
    keys: Keys,
    timers: BTreeSet<(i64, SlotId)>,
    /// Events and timers so far.
    applied: u64,
    /// Time of the last event or timer.
    now: i64,
    keyless: u64,
    scratch: Scratch,
}

#[derive(Debug)]
struct Active {
    spec: Spec,
    voice: Voice,
    speaks: bool,
    /// Its place among those whose timers are due at one time: those that feed others first, then by rule id.
    rank: u32,
    own_lists: Vec<ListUse>,
    /// Its own and those of all that feeds it.
    lists: Vec<ListUse>,
}

#[derive(Debug, Default)]
struct Scratch {
    key: String,
    row: Row,
    evaluator: Evaluator,
    groups: Vec<(String, Vec<usize>)>,
}

/// Where an event goes, and what comes of it.
struct Walk<'w> {
    agenda: BTreeSet<(usize, Port)>,
    seen: Arc<Seen>,
    /// The timer that is running.
    timer: Option<i64>,
    findings: BTreeMap<usize, Box<Finding>>,
    tell: &'w mut dyn FnMut(Derived),
}

impl Correlations {
    /// The correlations (and rules that remember) that `takes` accepts by index, with all that feeds them; only those tell.
    ///
    /// # Errors
    /// When a route's selection cannot be compiled.
    pub fn new(
        graph: Arc<Graph>,
        lists: Arc<Lists>,
        limits: Limits,
        info: impl Fn(u32) -> Option<Arc<RuleInfo>>,
        takes: impl Fn(u32) -> bool,
    ) -> Result<Correlations, CompileError> {
        let mut needed: Vec<bool> = graph.nodes.iter().map(|node| takes(node.index)).collect();
        for (at, node) in graph.nodes.iter().enumerate().rev() {
            let feeds_one = node.feeds.iter().any(|(fed, _)| needed.get(*fed) == Some(&true));
            if let Some(needed) = needed.get_mut(at) {
                *needed |= feeds_one;
            }
        }
        let ranks = ranks(&graph, &info);
        let mut nodes = Vec::new();
        for ((node, needed), rank) in graph.nodes.iter().zip(&needed).zip(ranks) {
            let Some(info) = info(node.index).filter(|_| *needed) else {
                nodes.push(None);
                continue;
            };
            let spec = Spec::new(&graph, node);
            let group = spec.group.iter().map(|(name, _)| name.clone()).collect();
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
                lists: node.lists.clone(),
            }));
        }
        Ok(Correlations {
            nodes,
            graph,
            lists,
            keys: Keys::new(limits.keys_max),
            timers: BTreeSet::new(),
            applied: 0,
            now: i64::MIN,
            keyless: 0,
            scratch: Scratch::default(),
        })
    }

    /// Nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.nodes.iter().all(Option::is_none)
    }

    fn walk(&mut self, mut walk: Walk<'_>) {
        let graph = self.graph.clone();
        while let Some((at, port)) = walk.agenda.pop_first() {
            let mut ports = vec![port];
            while let Some(next) = walk.agenda.first().filter(|(next, _)| *next == at) {
                ports.push(next.1);
                walk.agenda.pop_first();
            }
            let holds = match graph.nodes.get(at).map(|node| &node.kind) {
                Some(Kind::Rule(_)) => self.rule(at, &ports, &mut walk),
                Some(Kind::Correlation(_)) => self.correlation(at, &ports, &mut walk),
                None => false,
            };
            if holds {
                self.feed(at, &mut walk.agenda);
            }
        }
    }

    /// What holds feeds what refers to it.
    fn feed(&self, at: usize, agenda: &mut BTreeSet<(usize, Port)>) {
        let feeds = self.graph.nodes.get(at).map(|node| node.feeds.as_slice()).unwrap_or_default();
        agenda.extend(feeds.iter().filter(|(fed, _)| self.nodes.get(*fed).is_some_and(Option::is_some)));
    }

    /// A rule: what it remembers takes note, and agrees or not.
    fn rule(&mut self, at: usize, ports: &[Port], walk: &mut Walk<'_>) -> bool {
        let Some(Active { spec: Spec { work: Work::Rule(memories), .. }, .. }) =
            self.nodes.get(at).and_then(Option::as_ref)
        else {
            return false;
        };
        let own = ports.contains(&Port::Own);
        if memories.is_empty() {
            return own;
        }
        let (keys, timers, scratch) = (&mut self.keys, &mut self.timers, &mut self.scratch);
        let seen = &walk.seen;
        let mut holds = own;
        for (number, memory) in memories.iter().enumerate() {
            let node = node_of(at, number);
            match memory {
                Remembered::Interval { rule, key: [_, open, close] } => {
                    for (port, side) in [(Port::Open(number), open), (Port::Close(number), close)] {
                        if !ports.contains(&port) {
                            continue;
                        }
                        group::keys(side, &seen.fields, &mut scratch.key, &mut |key| {
                            let slot = keys.slot(node, key, || memory.state());
                            let kept = rule.ttl_ms.saturating_add(rule.pad_after_ms).saturating_add(rule.pad_before_ms);
                            keys.keep_until(slot, seen.at.saturating_add(kept));
                            if let Some(State::Intervals(intervals)) =
                                keys.entry_mut(slot).map(|entry| &mut entry.state)
                            {
                                match port {
                                    Port::Open(_) => intervals.open(seen.at, rule),
                                    _ => intervals.close(seen.at, rule),
                                }
                            }
                        });
                    }
                }
                Remembered::Previous { rule, key, field, same } if own => {
                    let Some(value) = field.and_then(|field| seen.fields.text(field)) else {
                        holds = false;
                        continue;
                    };
                    let same = || same.iter().map(|field| Some(seen.fields.text((*field)?)?.to_owned())).collect();
                    let mut changed = false;
                    let found = group::keys(key, &seen.fields, &mut scratch.key, &mut |key| {
                        let slot = keys.slot(node, key, || memory.state());
                        keys.keep_until(slot, seen.at.saturating_add(rule.ttl_ms));
                        if let Some(State::Last(last)) = keys.entry_mut(slot).map(|entry| &mut entry.state) {
                            changed |= last.see(rule, value, same(), seen.at);
                        }
                    });
                    self.keyless += u64::from(!found);
                    holds &= changed;
                }
                Remembered::Previous { .. } => {}
            }
        }
        if !holds {
            return false;
        }
        // Intervals have the last word, and may take their time.
        for (number, memory) in memories.iter().enumerate() {
            let Remembered::Interval { rule, key: [own, ..] } = memory else { continue };
            let mut waits = false;
            let mut covered = false;
            let finding = walk.findings.remove(&at);
            let found = group::keys(own, &seen.fields, &mut scratch.key, &mut |key| {
                let slot = keys.slot(node_of(at, number), key, || memory.state());
                let due = seen.at.saturating_add(rule.pad_before_ms);
                keys.keep_until(slot, due);
                let Some(State::Intervals(intervals)) = keys.entry_mut(slot).map(|entry| &mut entry.state) else {
                    return;
                };
                covered |= intervals.covers(seen.at, rule);
                if !(covered || waits) {
                    waits = true;
                    intervals.decide_later(due, seen.clone(), finding.clone());
                    timers.insert((due, slot));
                }
            });
            self.keyless += u64::from(!found);
            if waits || !covered || !rule.inside {
                return false;
            }
            walk.findings.extend(finding.map(|finding| (at, finding)));
        }
        if let Some(finding) = walk.findings.remove(&at)
            && self.nodes.get(at).and_then(Option::as_ref).is_some_and(|node| node.speaks)
        {
            (walk.tell)(Derived::Holds(*finding));
        }
        true
    }

    /// A correlation: the event enters the window of each of its groups.
    fn correlation(&mut self, at: usize, ports: &[Port], walk: &mut Walk<'_>) -> bool {
        let mut groups = std::mem::take(&mut self.scratch.groups);
        groups.clear();
        if let Some(active) = self.nodes.get(at).and_then(Option::as_ref) {
            for port in ports {
                let Port::Reference(reference) = port else { continue };
                let fields: Vec<_> =
                    active.spec.group.iter().map(|(_, fields)| fields.get(*reference).copied().flatten()).collect();
                let found = group::keys(&fields, &walk.seen.fields, &mut self.scratch.key, &mut |key| match groups
                    .iter_mut()
                    .find(|(known, _)| known == key)
                {
                    Some((_, references)) => references.push(*reference),
                    None => groups.push((key.to_owned(), vec![*reference])),
                });
                self.keyless += u64::from(!found);
            }
        }
        let mut holds = false;
        for (key, references) in &groups {
            holds |= self.group(at, key, references, walk);
        }
        self.scratch.groups = groups;
        holds
    }

    fn group(&mut self, at: usize, key: &str, references: &[usize], walk: &mut Walk<'_>) -> bool {
        let principal = self.graph.principal(&walk.seen.fields);
        let Correlations { nodes, keys, timers, lists, scratch, .. } = self;
        let Some(active) = nodes.get(at).and_then(Option::as_ref) else { return false };
        let (spec, seen) = (&active.spec, &walk.seen);
        let slot = keys.slot(node_of(at, 0), key, || spec.state());
        keys.keep_until(slot, seen.at.saturating_add(spec.kept_ms()));
        let Some(entry) = keys.entry_mut(slot) else { return false };
        entry.fed_at = seen.at;
        entry.principal = principal;
        let window = (spec.span_ms, MEMBERS_MAX);
        let start = seen.at.saturating_sub(spec.span_ms);
        let verdict = match (&spec.work, &mut entry.state) {
            (Work::Count(measure), State::Count(count)) => count.add(seen.member(), window.0, window.1, measure),
            (Work::Distinct(measure, fields), State::Distinct(distinct)) => {
                let mut values = Vec::new();
                group::keys(fields, &seen.fields, &mut scratch.key, &mut |value| values.push(value.to_owned()));
                distinct.add(&seen.member(), seen.number, values.into_iter(), window, measure)
            }
            (Work::Values(measure, statistic, field), State::Values(values)) => {
                let texts = field.iter().flat_map(|field| seen.fields.texts(*field));
                let numbers = texts.filter_map(super::decimal::Decimal::parse);
                values.add(&seen.member(), numbers, window, *statistic, measure)
            }
            (Work::Present(occurring), State::Present(present)) => {
                present.see(references, seen);
                if let Some(sequence) = &occurring.sequence {
                    present.see_in_order(&sequence.steps_of(references), seen, &sequence.same);
                }
                match &occurring.decided_after {
                    None => present.holds(&occurring.wanted, occurring.listed, start),
                    Some(after) => {
                        if references.iter().any(|reference| after.contains(reference)) {
                            let due = seen.at.saturating_add(spec.span_ms);
                            present.decide_later(due, seen.clone());
                            timers.insert((due, slot));
                        }
                        None
                    }
                }
            }
            (Work::Chains(sequence), State::Chains(chains)) => {
                chains.see(&sequence.steps_of(references), seen, &sequence.same);
                match &sequence.measure {
                    None => chains.holds(sequence.steps.len(), start),
                    Some(measure) => {
                        let longest = chains.longest(start);
                        let holds = measure.holds(super::decimal::Decimal::whole(longest));
                        holds.then(|| Verdict {
                            value: Some(longest as f64),
                            ..chains.holds(longest, start).unwrap_or_default()
                        })
                    }
                }
            }
            (Work::Join(choice, predicates), State::Join(join)) => {
                let row = &mut scratch.row;
                join.see(references, seen, *choice, &mut |chosen| predicates.hold(|at| chosen.get(at), lists, row))
            }
            (Work::Absence(_), State::Waits(_)) => {
                self.absence(at, slot, references, key, walk);
                None
            }
            _ => None,
        };
        verdict.is_some_and(|verdict| self.holds(at, key, &verdict, walk))
    }

    /// What starts a wait, what is waited for, what ends it: in the order that lets equal times satisfy either.
    fn absence(&mut self, at: usize, slot: SlotId, references: &[usize], key: &str, walk: &mut Walk<'_>) {
        let Correlations { nodes, keys, timers, lists, scratch, .. } = self;
        let Some(active) = nodes.get(at).and_then(Option::as_ref) else { return };
        let Work::Absence(waiting) = &active.spec.work else { return };
        let Some(State::Waits(waits)) = keys.entry_mut(slot).map(|entry| &mut entry.state) else { return };
        let row = &mut scratch.row;
        let mut fits = |start: &Arc<Seen>, expected: &Arc<Seen>| fits(waiting, start, expected, lists, row);
        let is = |of: &[usize]| of.iter().any(|reference| references.contains(reference));
        let seen = &walk.seen;
        if is(&waiting.expect) && waits.expect(seen, waiting.spans, !waiting.predicates.is_empty(), &mut fits) {
            let alert_key = active.voice.key(key, seen);
            let place = walk.timer.map_or_else(
                || Place::Event(seen.order.clone()),
                |time| Place::Timer { time: Timestamp::from_ms(time), expires: false },
            );
            if active.speaks {
                (walk.tell)(Derived::Resolves(Resolution {
                    rule: active.voice.info.clone(),
                    fingerprint: active.voice.fingerprint(&alert_key),
                    place,
                    evidence: Evidence::clone(&seen.evidence),
                }));
            }
        }
        if is(&waiting.until) {
            waits.give_up(seen.at);
        }
        if is(&[waiting.start]) && waits.start(seen.clone(), waiting.spans, &mut fits) {
            timers.insert((seen.at.saturating_add(waiting.spans.wait_ms), slot));
        }
    }

    /// A correlation holds: it is told, where it speaks. False: a list it needs is missing.
    fn holds(&mut self, at: usize, key: &str, verdict: &Verdict, walk: &mut Walk<'_>) -> bool {
        let Correlations { nodes, lists, scratch, .. } = self;
        let Some(active) = nodes.get(at).and_then(Option::as_ref) else { return false };
        let seen = &walk.seen;
        let time = Some(Timestamp::from_ms(seen.at));
        if lists.standing(&active.own_lists, time) == Standing::Silent {
            return false;
        }
        let standing = lists.standing(&active.lists, time);
        if active.speaks {
            let urgency = match standing {
                Standing::TicketOnly | Standing::Silent => Urgency::Ticket,
                _ => active.voice.routes.urgency(&seen.fields, lists, (&mut scratch.evaluator, &mut scratch.row)),
            };
            let told = (urgency, Arrival::OnTime);
            (walk.tell)(Derived::Holds(active.voice.finding(key, seen, verdict, walk.timer, told)));
        }
        true
    }

    /// Runs what one key has due.
    fn due(&mut self, slot: SlotId, now: i64, tell: &mut dyn FnMut(Derived)) {
        while let Some((at, key, seen, due)) = self.pop_due(slot, now) {
            self.applied += 1;
            let later = Seen {
                at: now,
                number: self.applied,
                order: seen.order.clone(),
                position: seen.position.clone(),
                fields: seen.fields.clone(),
                evidence: seen.evidence.clone(),
            };
            let (agenda, findings) = Default::default();
            let mut walk = Walk { agenda, seen: Arc::new(later), timer: Some(now), findings, tell: &mut *tell };
            let holds = match due {
                Due::Correlation(verdict) => self.holds(at, &key, &verdict, &mut walk),
                Due::Rule(finding) => {
                    if let Some(finding) = finding.filter(|_| self.speaks(at)) {
                        let basis = Basis::Timer(Timestamp::from_ms(now));
                        (walk.tell)(Derived::Holds(Finding { basis, ..*finding }));
                    }
                    true
                }
            };
            if holds {
                self.feed(at, &mut walk.agenda);
                self.walk(walk);
            }
        }
    }

    /// The next of a key's events whose time is over and at which its rule holds.
    fn pop_due(&mut self, slot: SlotId, now: i64) -> Option<(usize, Box<str>, Arc<Seen>, Due)> {
        loop {
            let entry = self.keys.entry_mut(slot)?;
            let (at, number) = ((entry.node >> 4) as usize, (entry.node & 15) as usize);
            let active = self.nodes.get(at)?.as_ref()?;
            let (seen, due) = match (&active.spec.work, &mut entry.state) {
                (Work::Absence(waiting), State::Waits(waits)) => {
                    let seen = waits.pop_due(now, !waiting.predicates.is_empty())?;
                    let evidence = vec![seen.evidence.clone()];
                    (seen, Some(Due::Correlation(Verdict { evidence, ..Verdict::default() })))
                }
                (Work::Present(occurring), State::Present(present)) => {
                    let seen = present.pop_due(now)?;
                    let verdict = present.holds(&occurring.wanted, occurring.listed, seen.at);
                    (seen, verdict.map(Due::Correlation))
                }
                (Work::Rule(memories), State::Intervals(intervals)) => {
                    let (seen, finding) = intervals.pop_due(now)?;
                    let Remembered::Interval { rule, .. } = memories.get(number)? else { return None };
                    let holds = intervals.covers(seen.at, rule) == rule.inside;
                    (seen, holds.then_some(Due::Rule(finding)))
                }
                _ => return None,
            };
            let Some(due) = due else { continue };
            let key = entry.key.clone();
            if matches!(active.spec.work, Work::Absence(_)) {
                // What is expected may still come and resolve the alert.
                let open_ms =
                    active.voice.info.realert_ms(Urgency::Ticket).max(active.voice.info.realert_ms(Urgency::Page));
                self.keys.keep_until(slot, now.saturating_add(open_ms));
            }
            return Some((at, key, seen, due));
        }
    }

    /// The order of timers of one time, which must not depend on that of the documents: rule, memory, key.
    fn rank(&self, slot: SlotId) -> (u32, u32, &str) {
        let (node, key) = self.keys.name(slot);
        let active = self.nodes.get((node >> 4) as usize).and_then(Option::as_ref);
        (active.map_or(0, |active| active.rank), node & 15, key)
    }

    fn speaks(&self, at: usize) -> bool {
        self.nodes.get(at).and_then(Option::as_ref).is_some_and(|node| node.speaks)
    }
}

/// What is due holds: a correlation, or a rule whose memory took its time.
enum Due {
    Correlation(Verdict),
    Rule(Option<Box<Finding>>),
}

/// For each node its place by longest way from an event, then by id.
fn ranks(graph: &Graph, info: &impl Fn(u32) -> Option<Arc<RuleInfo>>) -> Vec<u32> {
    let mut depths = vec![0usize; graph.nodes.len()];
    for (at, node) in graph.nodes.iter().enumerate() {
        let behind = depths.get(at).map_or(0, |depth| depth + 1);
        for (fed, _) in &node.feeds {
            if let Some(depth) = depths.get_mut(*fed) {
                *depth = behind.max(*depth);
            }
        }
    }
    let named = graph.nodes.iter().zip(depths).enumerate();
    let mut order: Vec<_> =
        named.map(|(at, (node, depth))| (depth, info(node.index).map(|info| info.id.clone()), at)).collect();
    order.sort();
    let mut ranks = vec![0; order.len()];
    for (rank, (.., at)) in (0..).zip(order) {
        if let Some(place) = ranks.get_mut(at) {
            *place = rank;
        }
    }
    ranks
}

/// States of a node are told apart by its number and the memory's.
fn node_of(at: usize, memory: usize) -> u32 {
    ((at as u32) << 4) | (memory as u32 & 15)
}

fn fits(waiting: &Waiting, start: &Arc<Seen>, expected: &Arc<Seen>, lists: &Lists, row: &mut Row) -> bool {
    let of = |reference| if reference == waiting.start { Some(start) } else { Some(expected) };
    waiting.predicates.is_empty() || waiting.predicates.hold(of, lists, row)
}

impl Correlator for Correlations {
    fn apply(&mut self, event: Occurrence, tell: &mut dyn FnMut(Derived)) {
        let at = event.order.time.ms();
        self.now = self.now.max(at);
        self.applied += 1;
        self.keys.expire(at);
        let walk = self.enter(event, tell);
        self.walk(walk);
    }

    fn apply_late(&mut self, event: Occurrence, tell: &mut dyn FnMut(Derived)) {
        self.applied += 1;
        let arrival = event.arrival;
        let walk = self.enter(event, tell);
        let Walk { agenda, seen, tell, .. } = walk;
        let graph = self.graph.clone();
        for (rule, port) in agenda {
            let Some(node) = graph.nodes.get(rule).filter(|_| port == Port::Own) else { continue };
            for (at, port) in &node.feeds {
                if let Port::Reference(reference) = port {
                    self.late(*at, *reference, &seen, arrival, tell);
                }
            }
        }
    }

    fn next_timer(&self) -> Option<Timestamp> {
        self.timers.first().map(|(due, _)| Timestamp::from_ms(*due))
    }

    fn run_timers(&mut self, tell: &mut dyn FnMut(Derived)) {
        let Some(&(now, _)) = self.timers.first() else { return };
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
    }

    fn held(&self) -> CorrelatorHeld {
        CorrelatorHeld { keys: self.keys.len(), evicted: self.keys.evicted(), keyless: self.keyless }
    }
}

impl Correlations {
    /// An event at the rules that hold at it.
    fn enter<'w>(&self, event: Occurrence, tell: &'w mut dyn FnMut(Derived)) -> Walk<'w> {
        let evidence = Arc::new(Evidence { id: event.order.id.clone(), sha256: event.order.sha256 });
        let seen = Seen {
            at: event.order.time.ms(),
            number: self.applied,
            order: event.order,
            position: event.position,
            fields: event.fields,
            evidence,
        };
        let (mut agenda, mut findings) = (BTreeSet::new(), BTreeMap::new());
        for held in event.held {
            let Some(at) = self.graph.node(held.rule) else { continue };
            if self.nodes.get(at).is_some_and(Option::is_some) {
                agenda.insert((at, Port::Own));
                findings.extend(held.finding.map(|finding| (at, finding)));
            }
        }
        Walk { agenda, seen: Arc::new(seen), timer: None, findings, tell }
    }

    /// A late event at an absence: it arms its timer or is judged at once; what was expected satisfies or resolves.
    fn late(&mut self, at: usize, reference: usize, seen: &Arc<Seen>, arrival: Arrival, tell: &mut dyn FnMut(Derived)) {
        let Some(active) = self.nodes.get(at).and_then(Option::as_ref) else { return };
        let Work::Absence(waiting) = &active.spec.work else { return };
        let spans = waiting.spans;
        let judged = reference == waiting.start && seen.at.saturating_add(spans.wait_ms) <= self.now;
        let fields: Vec<_> =
            active.spec.group.iter().map(|(_, fields)| fields.get(reference).copied().flatten()).collect();
        let mut groups = Vec::new();
        group::keys(&fields, &seen.fields, &mut self.scratch.key, &mut |key| groups.push(key.to_owned()));
        for key in groups {
            let (agenda, findings) = Default::default();
            let mut walk = Walk { agenda, seen: seen.clone(), timer: None, findings, tell: &mut *tell };
            if judged {
                self.judge_late(at, &key, arrival, &mut walk);
            } else {
                self.group(at, &key, &[reference], &mut walk);
            }
        }
    }

    /// A late start whose time is over: it holds now unless what it waits for is known.
    fn judge_late(&mut self, at: usize, key: &str, arrival: Arrival, walk: &mut Walk<'_>) {
        let Correlations { nodes, keys, lists, scratch, .. } = self;
        let Some(active) = nodes.get(at).and_then(Option::as_ref).filter(|active| active.speaks) else { return };
        let Work::Absence(waiting) = &active.spec.work else { return };
        let seen = &walk.seen;
        if let Some(State::Waits(waits)) = keys.get_mut(node_of(at, 0), key).map(|entry| &mut entry.state)
            && waits.knows(seen, waiting.spans, &mut |start, expected| {
                fits(waiting, start, expected, lists, &mut scratch.row)
            })
        {
            return;
        }
        let urgency = active.voice.routes.urgency(&seen.fields, lists, (&mut scratch.evaluator, &mut scratch.row));
        let verdict = Verdict { evidence: vec![seen.evidence.clone()], ..Verdict::default() };
        let due = seen.at.saturating_add(waiting.spans.wait_ms);
        (walk.tell)(Derived::Holds(active.voice.finding(key, seen, &verdict, Some(due), (urgency, arrival))));
    }
}
