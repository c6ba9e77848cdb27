//! Rules with a detector of their own (`x-detector`, E6): what it observes of an event, what it says of it, and what the close of
//! a bucket says of a key.
//!
//! A rule holds at an event that its detector finds remarkable, and at the close of a bucket that is. A bucket [start, end) closes
//! behind everything of its last millisecond. Must never tell what a detector says is not to be told, nor know a formula.

use std::sync::Arc;

use model::{
    Anomaly, Basis, CarriedField, Change, Derived, Detector, Finding, Fingerprint, Observation, Period, Place,
    Projection, Resolution, Row, RuleInfo, Silence, Slot, Standing, Timestamp, Told, Urgency, key_of,
};
use serde::{Deserialize, Serialize};

use super::deriving::Found;
use super::detecting::{Answer, Detectors, TRUST, explained, teaches};
use super::engine::{Active, Correlations, Walk, node_of};
use super::graph::Graph;
use super::spec::{Remembered, Work};
use super::state::{Seen, State};
use crate::ast::{DetectorUse, Observed, Rule};
use crate::lists::Lists;
use crate::where_expr::Where;

/// Periods that one announcement makes at most, where it is about several things.
const PERIODS_MAX: usize = 64;

/// What a rule asks its detector.
#[derive(Debug, Clone)]
pub(super) struct Watch {
    of: DetectorUse,
    /// The rule says itself what makes its alerts the same.
    has_fingerprint: bool,
    /// What it finds of a source is heeded.
    is_health: bool,
}

/// The rules (by place) whose announcements explain what a rule's detector finds.
pub(super) fn announcers(rule: &Rule) -> impl Iterator<Item = usize> + '_ {
    let alert = rule.alert.as_ref().filter(|_| rule.detector.is_some());
    alert.into_iter().flat_map(|alert| alert.suppressors.iter().copied())
}

impl Watch {
    pub(super) fn of(rule: &Rule) -> Option<Watch> {
        let of = rule.detector.clone()?;
        let has_fingerprint = rule.alert.as_ref().is_some_and(|alert| alert.fingerprint.is_some());
        let is_tried = rule.alert.as_ref().is_some_and(|alert| alert.shadow);
        Some(Watch { is_health: of.is_health && !is_tried, of, has_fingerprint })
    }

    /// The fields that it reads of an event.
    pub(super) fn fields(&self) -> impl Iterator<Item = &str> {
        self.of.fields().into_iter().chain(TRUST)
    }
}

/// A [`Watch`] with its detector's number and its fields'.
#[derive(Debug)]
pub(super) struct Watching {
    detector: usize,
    algo: Arc<str>,
    key: Vec<(String, Option<CarriedField>)>,
    parts: Vec<Part>,
    compared: Projection,
    places: Vec<(Slot, CarriedField)>,
    trust: [Option<CarriedField>; 2],
    memory_ms: i64,
    has_fingerprint: bool,
    is_health: bool,
    /// Names of the fields by which an announcement can be about a key.
    scope: Vec<String>,
}

/// An [`Observed`] with its fields' numbers.
#[derive(Debug)]
enum Part {
    Key,
    Fields(Vec<CarriedField>),
    Test(Where),
    AmountUnless(Option<CarriedField>, Where),
    OneWhere(Where),
}

/// The last event of a key, for what the close of a bucket has to say.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct LastSeen {
    seen: Arc<Seen>,
    /// What would have been told of it; None: the rule is silent.
    finding: Option<Box<Finding>>,
}

impl Watching {
    pub(super) fn new(graph: &Graph, watch: &Watch, detectors: &mut Detectors<'_>) -> Watching {
        let of = &watch.of;
        let (mut compared, mut places) = (Projection::default(), Vec::new());
        let mut ask = |expression: &Where| {
            for name in expression.fields() {
                let slot = compared.ask(name);
                places.extend(graph.field(name).map(|field| (slot, field)));
            }
            expression.clone()
        };
        let mut scope = of.key.clone();
        let part = |part: &Observed| match part {
            Observed::Key => Part::Key,
            Observed::Fields(names) => Part::Fields(names.iter().filter_map(|name| graph.field(name)).collect()),
            Observed::Test(expression) => Part::Test(ask(expression)),
            Observed::OneWhere(expression) => Part::OneWhere(ask(expression)),
            Observed::AmountUnless(field, expression) => {
                Part::AmountUnless(field.as_ref().and_then(|name| graph.field(name)), ask(expression))
            }
        };
        let parts: Vec<Part> = of.observed.iter().map(part).collect();
        places.sort_unstable();
        places.dedup();
        // The second part of what is observed are the groups of its peers.
        if let Some(Observed::Fields(peers)) = of.observed.get(1) {
            scope.extend(peers.iter().cloned());
        }
        Watching {
            detector: detectors.add(&of.spec),
            algo: of.algo.as_str().into(),
            key: of.key.iter().map(|name| (name.clone(), graph.field(name))).collect(),
            parts,
            compared,
            places,
            trust: TRUST.map(|name| graph.field(name)),
            memory_ms: of.spec.frame().map_or(0, |frame| frame.memory_ms),
            has_fingerprint: watch.has_fingerprint,
            is_health: watch.is_health,
            scope,
        }
    }

    /// The texts of the key's fields; None: the event lacks one.
    fn texts<'s>(&self, seen: &'s Seen) -> Option<Vec<&'s str>> {
        self.key.iter().map(|(_, field)| seen.fields.text((*field)?)).collect()
    }

    /// What the detector says of the event: of which key, and what is remarkable. None: the event has no key.
    pub(super) fn ask(
        &self,
        seen: &Seen,
        ask: Answer<'_>,
        lists: &Lists,
        row: &mut Row,
    ) -> Option<(String, Option<Anomaly>)> {
        let key = key_of(self.texts(seen)?);
        row.reset(self.compared.len());
        for (slot, field) in &self.places {
            seen.fields.texts(*field).for_each(|text| row.push_text(*slot, text));
        }
        let holds = |expression: &Where| expression.holds(&self.compared, row.view(""), lists);
        let text = |field: &CarriedField| seen.fields.text(*field);
        let texts: Vec<Vec<&str>> = self
            .parts
            .iter()
            .map(|part| match part {
                Part::Key => vec![key.as_str()],
                Part::Fields(fields) => fields.iter().filter_map(text).collect(),
                Part::Test(expression) => vec![if holds(expression) { "true" } else { "false" }],
                Part::OneWhere(expression) => vec![if holds(expression) { "1" } else { "0" }],
                Part::AmountUnless(_, expression) if holds(expression) => vec!["0"],
                Part::AmountUnless(field, _) => field.iter().filter_map(text).collect(),
            })
            .collect();
        let evidence = Arc::new(seen.evidence());
        let teaches = teaches(self.trust, seen);
        let at = Timestamp::from_ms(seen.at);
        let found = ask(self.detector, &Observation { at, texts: &texts, teaches, evidence: &evidence });
        Some((key, found))
    }

    /// The finding under the detector's key, where the rule does not say under which.
    fn keyed(&self, mut finding: Box<Finding>, seen: &Seen) -> Box<Finding> {
        if !self.has_fingerprint && !self.key.is_empty() {
            finding.key = self.pairs(seen);
            finding.fingerprint = fingerprint(&finding);
        }
        finding
    }

    /// The key, (field, text).
    fn pairs(&self, seen: &Seen) -> Vec<(String, String)> {
        let names = self.key.iter().map(|(name, _)| name.clone());
        names.zip(self.texts(seen).into_iter().flatten().map(str::to_owned)).collect()
    }

    /// What it found of an event's key, at the node of its rule.
    fn found(&self, at: usize, seen: &Seen, anomaly: Anomaly) -> Found {
        Found { at, algo: self.algo.clone(), key: self.pairs(seen), anomaly }
    }

    /// What an announcement at an event explains, as far as the detector can tell what it is about.
    fn periods(&self, graph: &Graph, seen: &Seen) -> Vec<Period> {
        let (scope, window) = graph.announced(&seen.fields);
        if scope.is_empty() || scope.iter().any(|(field, _)| !self.scope.iter().any(|known| known == field)) {
            return Vec::new();
        }
        let Some((from, to)) = Silence::window(seen.order.time, window) else { return Vec::new() };
        let mut all: Vec<Vec<String>> = vec![Vec::new()];
        for (_, texts) in scope {
            let with =
                |of: Vec<String>| texts.iter().map(move |text| [of.as_slice(), std::slice::from_ref(text)].concat());
            all = all.into_iter().flat_map(with).take(PERIODS_MAX).collect();
        }
        all.into_iter().map(|of| Period { of, from, to: to.plus_ms(1) }).collect()
    }
}

fn fingerprint(finding: &Finding) -> Fingerprint {
    let pairs = finding.key.iter().map(|(field, text)| (field.as_str(), text.as_str()));
    Fingerprint::new(&finding.rule.id, pairs)
}

impl Correlations {
    /// What a rule's detector says of the event at hand; says whether the rule holds.
    pub(super) fn watch(&mut self, (at, number): (usize, usize), of: &Watching, walk: &mut Walk<'_>) -> bool {
        let Correlations { detectors, lists, scratch, .. } = self;
        let mut ask = |number: usize, event: &Observation<'_>| detectors.get_mut(number)?.observe(event);
        let Some((key, found)) = of.ask(&walk.seen, &mut ask, lists, &mut scratch.row) else {
            self.keyless += 1;
            return false;
        };
        let finding = walk.findings.remove(&at).map(|finding| of.keyed(finding, &walk.seen));
        if !of.key.is_empty() {
            let until = (walk.seen.at.saturating_add(of.memory_ms), of.memory_ms);
            let slot = self.keys.slot(node_of(at, number), key.as_str().into(), until, State::default);
            if let Some(entry) = self.keys.entry_mut(slot) {
                let last = LastSeen { seen: walk.seen.clone(), finding: finding.clone() };
                entry.state = State::Watched(Box::new(last));
            }
            self.closes = earlier(self.closes, self.detectors.get(of.detector));
        }
        let Some(found) = found else { return false };
        let told = finding.map(|finding| explained(finding, std::slice::from_ref(&found)));
        match (found.standing, told) {
            (Standing::Active, told) => {
                walk.findings.extend(told.map(|finding| (at, finding)));
                walk.found.push(of.found(at, &walk.seen, found));
                return true;
            }
            (Standing::Shadow | Standing::Explained, Some(finding)) => self.tell_rule(at, *tried(finding), walk.tell),
            _ => {}
        }
        false
    }

    /// The same ahead of the cursor: nothing is learned.
    pub(super) fn watch_ahead(&mut self, at: usize, of: &Watching, walk: &mut Walk<'_>) -> bool {
        let Correlations { detectors, ahead, lists, scratch, .. } = self;
        let mut ask = |number: usize, event: &Observation<'_>| {
            detectors.get(number)?.peek(ahead.detectors.get_mut(number)?.as_mut(), event)
        };
        let asked = of.ask(&walk.seen, &mut ask, lists, &mut scratch.row);
        let found = asked.and_then(|(_, found)| found).filter(|found| found.standing == Standing::Active);
        let finding = walk.findings.remove(&at).map(|finding| of.keyed(finding, &walk.seen));
        let told = finding.zip(found.as_ref()).map(|(finding, found)| explained(finding, std::slice::from_ref(found)));
        walk.findings.extend(told.map(|finding| (at, finding)));
        let holds = found.is_some();
        walk.found.extend(found.map(|found| of.found(at, &walk.seen, found)));
        holds
    }

    /// An announcement explains what a detector finds.
    pub(super) fn announced(&mut self, of: &Watching, walk: &Walk<'_>) {
        let periods = of.periods(&self.graph, &walk.seen);
        if let Some(detector) = self.detectors.get_mut(of.detector) {
            periods.iter().for_each(|period| detector.announce(period));
        }
    }

    /// Closes every bucket whose last millisecond is over.
    pub(super) fn close_due(&mut self, tell: &mut dyn FnMut(Derived)) {
        let Some(now) = self.closes else { return };
        self.reach_lists(now);
        self.now = self.now.max(now);
        self.keys.expire(now);
        let nodes = self.nodes.clone();
        let mut watched = Vec::new();
        for (at, active) in nodes.iter().enumerate() {
            let Some((Work::Rule(memories), rank)) = active.as_ref().map(|active| (&active.spec.work, active.rank))
            else {
                continue;
            };
            let own = memories.iter().enumerate();
            watched.extend(own.filter_map(|(number, memory)| match memory {
                Remembered::Watched(of) => Some((rank, at, number, of)),
                _ => None,
            }));
        }
        watched.sort_by_key(|(rank, ..)| *rank);
        self.closes = None;
        for (_, at, number, of) in watched {
            let Some(detector) = self.detectors.get_mut(of.detector) else { continue };
            let told = detector.close(Timestamp::from_ms(now.saturating_add(1)));
            self.closes = earlier(self.closes, self.detectors.get(of.detector));
            for told in told {
                self.unheard((at, number), of, &told, now, tell);
                self.closed((at, number), of, told, now, tell);
            }
        }
    }

    /// A source that says nothing, where that is remarkable: it cannot be heard since its last event.
    fn unheard(
        &mut self,
        (at, number): (usize, usize),
        of: &Watching,
        told: &Told,
        now: i64,
        tell: &mut dyn FnMut(Derived),
    ) {
        let is_silent = matches!(told.change, Change::Began | Change::Lasts);
        let counts = matches!(told.anomaly.standing, Standing::Active | Standing::Explained);
        if !(of.is_health && is_silent && counts) {
            return;
        }
        let entry = self.keys.get_mut(node_of(at, number), told.key.as_str().into());
        let Some(State::Watched(last)) = entry.map(|entry| &entry.state) else { return };
        let said = self.health.miss(&last.seen.order.source, last.seen.at);
        said.into_iter().for_each(|said| tell(Derived::Heard(said, Timestamp::from_ms(now.saturating_add(1)))));
    }

    /// What the close of a bucket said of a key.
    fn closed(&mut self, node: (usize, usize), of: &Watching, told: Told, now: i64, tell: &mut dyn FnMut(Derived)) {
        let (at, number) = node;
        let is_active = told.anomaly.standing == Standing::Active;
        if !is_active && !matches!(told.anomaly.standing, Standing::Shadow | Standing::Explained) {
            return;
        }
        let entry = self.keys.get_mut(node_of(at, number), told.key.as_str().into());
        let Some(State::Watched(last)) = entry.map(|entry| &entry.state) else { return };
        let LastSeen { seen, finding } = (**last).clone();
        if matches!(told.change, Change::Ended | Change::Accepted)
            && let Some(finding) = &finding
        {
            let place = Place::Timer { time: Timestamp::from_ms(now), expires: false };
            let (rule, evidence) = (finding.rule.clone(), seen.evidence());
            tell(Derived::Resolves(Resolution { rule, fingerprint: finding.fingerprint, place, evidence }));
        }
        if told.change == Change::Ended {
            return;
        }
        let basis = Basis::Timer(Timestamp::from_ms(now));
        let mut finding = finding.map(|finding| explained(finding, std::slice::from_ref(&told.anomaly)));
        if told.change == Change::Accepted {
            finding = finding.map(accepted);
        }
        if !is_active {
            finding = finding.map(tried);
        }
        if let Some(finding) = finding {
            self.tell_rule(at, Finding { basis, ..*finding }, tell);
        }
        if !is_active || told.change == Change::Accepted {
            return;
        }
        let later = Seen { at: now, number: self.next_number(), ..(*seen).clone() };
        let mut walk = self.later(later, now, tell);
        walk.found.push(of.found(at, &seen, told.anomaly));
        self.feed(at, &mut walk.agenda);
        self.walk(walk);
    }
}

/// What some rule finds of a source is heeded.
pub(super) fn listens(nodes: &[Option<Active>]) -> bool {
    nodes.iter().flatten().any(|active| match &active.spec.work {
        Work::Rule(memories) => memories.iter().any(|of| matches!(of, Remembered::Watched(of) if of.is_health)),
        _ => false,
    })
}

/// For the report of what would have been told.
fn tried(mut finding: Box<Finding>) -> Box<Finding> {
    finding.rule = Arc::new(RuleInfo { shadow: true, ..RuleInfo::clone(&finding.rule) });
    finding
}

/// The new level is the norm: a ticket of its own, whatever the rule's route.
fn accepted(mut finding: Box<Finding>) -> Box<Finding> {
    finding.key.push(("level".to_owned(), "accepted".to_owned()));
    finding.fingerprint = fingerprint(&finding);
    finding.urgency = Urgency::Ticket;
    let words = "it has been so for as long as learning may wait: from here on this is the norm";
    finding.facts.push(("accepted".to_owned(), words.to_owned()));
    finding
}

/// The earlier of a time and of the last millisecond of the bucket that a detector closes next.
#[allow(clippy::borrowed_box, reason = "whoever asks looks it up among boxes")]
pub(super) fn earlier(known: Option<i64>, detector: Option<&Box<dyn Detector>>) -> Option<i64> {
    let due = detector.and_then(|detector| detector.due()).map(|due| due.ms().saturating_sub(1));
    known.into_iter().chain(due).min()
}
