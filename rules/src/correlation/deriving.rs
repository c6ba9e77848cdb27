//! Anomalies as events: what a rule's detector finds is an event of class `anomaly`, which rules look at as at any other.
//!
//! It stands right behind the event or the timer at which its rule holds, and has that event's fields beside its own. Must never
//! reach a detector, which would feed on itself: the loader refuses such a rule.

use std::sync::Arc;

use model::{
    Anomaly, Arrival, Basis, CarriedField, Carrying, Derived, EventClass, Finding, Fingerprint, Measured, Row,
    RuleInfo, Scalar, Slot, Timestamp,
};

use super::engine::{Correlations, Walk};
use super::graph::{Graph, Port};
use super::state::Seen;
use crate::ast::{FieldTest, Memory, Rule, Search, Test};
use crate::compile::{Glob, searched_fields};
use crate::eval::{AlertKey, Match, ToldOf};
use crate::where_expr::Function;
use crate::{CompileError, Program};

/// Names of detectors that no `x-detector` has: `x-new-terms`, `geo_speed_kmh`.
pub(super) const FIRST_SEEN: &str = "first_seen";
pub(super) const GEO_VELOCITY: &str = "geo_velocity";

/// The fields that an anomaly has of itself. All others are those of the event at which it was found.
const OWN: [&str; 12] = [
    "event.class",
    "event.action",
    "event.time",
    "detector",
    "rule_id",
    "rule_tags",
    "score",
    "observed",
    "baseline",
    "p",
    "explain",
    "evidence",
];

/// Of which an alert's key is made where neither the rule nor the detector has one; the first that the event has.
const DEFAULT_KEY: [&str; 3] = ["prov.repo_id", "prov.repo", "prov.actor_id"];

/// What the detector of a rule found remarkable, where the rule holds.
#[derive(Debug, Clone)]
pub(super) struct Found {
    /// Node of the rule.
    pub(super) at: usize,
    /// Name of the detector.
    pub(super) algo: Arc<str>,
    /// The detector's key, (field, text).
    pub(super) key: Vec<(String, String)>,
    pub(super) anomaly: Anomaly,
}

/// The rule looks at anomalies.
pub(crate) fn is_about_anomalies(rule: &Rule) -> bool {
    let of = &rule.logsource;
    of.product.as_deref() == Some("pipewarden") && of.category.as_deref() == Some(EventClass::Anomaly.name())
}

/// The rule asks a detector.
pub(crate) fn asks_a_detector(rule: &Rule) -> bool {
    algorithms(rule).next().is_some()
}

/// Names of the detectors that a rule asks.
fn algorithms(rule: &Rule) -> impl Iterator<Item = &str> {
    let speed = rule.wheres.iter().any(|expression| expression.calls(Function::GeoSpeedKmh)).then_some(GEO_VELOCITY);
    let terms = rule.new_terms.as_ref().map(|_| FIRST_SEEN);
    rule.detector.iter().map(|of| of.algo.as_str()).chain(terms).chain(speed)
}

/// What a rule's detectors find can make a rule on anomalies hold. An interval may take its time: whoever has one derives nothing.
pub(super) fn feeds(rule: &Rule, on_anomalies: &Rule) -> bool {
    let has_interval = rule.memories.iter().any(|memory| matches!(memory, Memory::Interval(_)));
    !has_interval && algorithms(rule).any(|algo| known(&on_anomalies.condition, rule, algo) != Some(false))
}

/// Whether an anomaly of a rule and a detector fulfils a search, as far as these two decide.
fn known(search: &Search, rule: &Rule, algo: &str) -> Option<bool> {
    let all = |parts: &[Search], until: bool| {
        let mut answer = Some(!until);
        for part in parts {
            match known(part, rule, algo) {
                Some(of) if of == until => return Some(until),
                None => answer = None,
                Some(_) => {}
            }
        }
        answer
    };
    match search {
        Search::All(parts) => all(parts, false),
        Search::Any(parts) => all(parts, true),
        Search::Not(part) => known(part, rule, algo).map(|holds| !holds),
        Search::Field(FieldTest { field, test: Test::Text(pattern) }) => {
            let glob = Glob::new(pattern);
            let is = |text: &str| match pattern.cased {
                true => glob.matches(text),
                false => glob.matches(&crate::fold::fold(text)),
            };
            match field.as_str() {
                "detector" => Some(is(algo)),
                "rule_id" => Some(is(&rule.id) || rule.name.as_deref().is_some_and(is)),
                "rule_tags" => Some(rule.tags.iter().any(|tag| is(tag))),
                _ => None,
            }
        }
        Search::Field(_) | Search::Keyword(_) => None,
    }
}

/// Fields that a rule on anomalies asks of the event at which one was found; `passed` are those that it hands on.
pub(super) fn asked_of_parent(rule: &Rule, passed: impl Iterator<Item = String>) -> Vec<String> {
    let mut fields = DEFAULT_KEY.to_vec();
    searched_fields(&rule.condition, &mut fields);
    fields.extend(rule.wheres.iter().flat_map(|expression| expression.fields()));
    if let Some(alert) = &rule.alert {
        fields.extend(alert.fingerprint.iter().chain(&alert.group).flatten().map(String::as_str));
        alert.routes.iter().filter_map(|route| route.when.as_ref()).for_each(|when| searched_fields(when, &mut fields));
    }
    let is_own = |name: &str| OWN.contains(&name);
    fields.into_iter().map(str::to_owned).chain(passed).filter(|name| !is_own(name)).collect()
}

/// The rules on anomalies of a lane, as a program.
#[derive(Debug)]
pub(super) struct Deriving {
    program: Program,
    own: Vec<(Slot, &'static str)>,
    taken_over: Vec<(Slot, CarriedField)>,
}

impl Deriving {
    /// Of the rules whose nodes `takes` accepts; None: there are none.
    pub(super) fn new(graph: &Graph, takes: impl Fn(usize) -> bool) -> Result<Option<Arc<Deriving>>, CompileError> {
        let nodes = graph.nodes.iter().enumerate().filter(|(at, _)| takes(*at));
        let rules = nodes.filter_map(|(_, node)| Some((node.index, node.on_anomalies.as_deref()?)));
        let program = Program::compile_numbered(rules, graph)?;
        if program.is_empty() {
            return Ok(None);
        }
        let (mut own, mut taken_over) = (Vec::new(), Vec::new());
        for slot in 0..program.projection().len() as Slot {
            let name = program.projection().name(slot);
            match OWN.iter().find(|known| **known == name) {
                Some(known) => own.push((slot, *known)),
                None => taken_over.extend(graph.field(name).map(|field| (slot, field))),
            }
        }
        Ok(Some(Arc::new(Deriving { program, own, taken_over })))
    }

    /// The anomaly as a row of the program.
    fn fill(&self, row: &mut Row, found: &Found, by: &RuleInfo, (seen, timer): (&Seen, Option<i64>)) {
        row.reset(self.program.projection().len());
        for (slot, field) in &self.taken_over {
            seen.fields.texts(*field).for_each(|text| row.push_text(*slot, text));
        }
        let anomaly = &found.anomaly;
        for (slot, name) in &self.own {
            let mut number =
                |value: Option<f64>| value.into_iter().for_each(|n| row.push_scalar(*slot, Scalar::Float(n)));
            match *name {
                "score" => number(Some(anomaly.value)),
                "observed" => number(anomaly.figures.observed),
                "baseline" => number(anomaly.figures.expected),
                "p" => number(anomaly.figures.p),
                "event.time" => row.push_scalar(*slot, Scalar::Int(seen.at)),
                "event.class" => row.push_text(*slot, EventClass::Anomaly.name()),
                "event.action" => row.push_text(*slot, if timer.is_some() { "bucket" } else { "event" }),
                "detector" => row.push_text(*slot, &found.algo),
                "rule_id" => {
                    [Some(&*by.id), by.name.as_deref()].into_iter().flatten().for_each(|id| row.push_text(*slot, id))
                }
                "rule_tags" => by.tags.iter().for_each(|tag| row.push_text(*slot, tag)),
                "explain" => row.push_text(*slot, &format!("{}; {}", anomaly.observed, anomaly.baseline)),
                _ => anomaly.evidence.iter().for_each(|of| row.push_text(*slot, &of.id)),
            }
        }
    }
}

impl Correlations {
    /// The next place in the order in which events are applied.
    pub(super) fn next_number(&mut self) -> u64 {
        self.applied += 1;
        self.applied
    }

    /// The way of an anomaly through the rules that hold at it; None: none does.
    pub(super) fn derived<'w>(
        &mut self,
        found: &Found,
        (seen, timer): (&Seen, Option<i64>),
        number: impl FnOnce(&mut Correlations) -> u64,
        tell: &'w mut dyn FnMut(Derived),
    ) -> Option<Walk<'w>> {
        let deriving = self.deriving.clone()?;
        let (graph, nodes) = (self.graph.clone(), self.nodes.clone());
        let active = |at: usize| nodes.get(at).and_then(Option::as_ref);
        let fed = graph.nodes.get(found.at)?.feeds.iter().filter(|(_, port)| *port == Port::Anomaly);
        let open: Vec<usize> = fed.map(|(at, _)| *at).filter(|at| self.is_open(seen.gate, *at)).collect();
        if open.is_empty() {
            return None;
        }
        let by = &active(found.at)?.voice.info;
        let (mut matches, mut carrying) = (Vec::new(), Carrying::default());
        let Correlations { scratch, lists, .. } = self;
        deriving.fill(&mut scratch.row, found, by, (seen, timer));
        let when = (&**lists, Some(Timestamp::from_ms(seen.at)));
        scratch.evaluator.matches(&deriving.program, scratch.row.view(""), when, &mut matches, &mut carrying);
        let held: Vec<(usize, Match)> = matches
            .into_iter()
            .filter_map(|of| Some((graph.node(of.rule).filter(|at| open.contains(at))?, of)))
            .collect();
        if held.is_empty() {
            return None;
        }
        let number = number(self);
        let derived = Seen { number, fields: carrying.take(), ..seen.clone() };
        let mut walk = self.later(derived, seen.at, tell);
        walk.timer = timer;
        for (at, Match { told, .. }) in held {
            walk.agenda.insert(at, Port::Own);
            if let (Some(told), Some(active)) = (told, active(at)) {
                let finding = finding(&active.voice.info, told, (found, by), (seen, timer), &active.voice.fields);
                walk.findings.insert(at, Box::new(finding));
            }
        }
        Some(walk)
    }
}

/// What a rule on anomalies has to say of one; without a key of its own, under the detector's.
fn finding(
    rule: &Arc<RuleInfo>,
    told: ToldOf,
    (found, by): (&Found, &RuleInfo),
    (seen, timer): (&Seen, Option<i64>),
    fields: &[(CarriedField, String)],
) -> Finding {
    let taken_over = |name: &str| {
        let field = fields.iter().find(|(_, known)| known == name).map(|(field, _)| *field)?;
        Some((name.to_owned(), seen.fields.text(field)?.to_owned()))
    };
    let event = || ("event.id".to_owned(), seen.order.id.to_string());
    let key = match told.key {
        AlertKey::Declared(key) => key,
        AlertKey::Event => vec![event()],
        AlertKey::Default => {
            let spoke = by.name.clone().unwrap_or_else(|| by.id.to_string());
            let whose = match found.key.is_empty() {
                true => vec![DEFAULT_KEY.into_iter().find_map(taken_over).unwrap_or_else(event)],
                false => found.key.clone(),
            };
            std::iter::once(("rule_id".to_owned(), spoke)).chain(whose).collect()
        }
    };
    let anomaly = &found.anomaly;
    let mut facts = told.facts;
    let said = [("observed", &anomaly.observed), ("baseline", &anomaly.baseline)];
    facts.retain(|(name, _)| said.iter().all(|(of, _)| of != name));
    let more = fields.iter().filter(|(_, name)| !facts.iter().any(|(known, _)| known == name));
    let more =
        more.filter_map(|(field, name)| Some((name.clone(), crate::eval::fact(name, seen.fields.text(*field)?))));
    let more: Vec<_> = more.filter(|(name, _)| !OWN.contains(&name.as_str())).collect();
    facts.extend(more);
    facts.extend(said.map(|(name, text)| (name.to_owned(), crate::eval::fact(name, text))));
    let is_window = anomaly.evidence.len() > 1;
    let measured = || Basis::Window(Some(Measured { value: anomaly.value, at_least: false }));
    let at_event = || if is_window { measured() } else { Basis::Event };
    Finding {
        fingerprint: Fingerprint::new(&rule.id, key.iter().map(|(field, text)| (field.as_str(), text.as_str()))),
        rule: rule.clone(),
        order: seen.order.clone(),
        timeless: false,
        key,
        urgency: told.urgency,
        arrival: Arrival::OnTime,
        facts,
        evidence: match is_window {
            true => anomaly.evidence.iter().map(|of| (**of).clone()).collect(),
            false => vec![seen.evidence()],
        },
        basis: timer.map_or_else(at_event, |time| Basis::Timer(Timestamp::from_ms(time))),
        position: seen.position.clone(),
    }
}
