//! What asks detectors: rules with new terms (E4) or a speed (E7) remember through them, sums of risk (E11) add up in them.
//!
//! Which detector, of which fields of an event, and what its answer decides. Must never know a detector's formula, nor
//! learn from an event that an attacker wrote.

use std::sync::Arc;

use model::{
    Anomaly, Basis, CarriedField, Detector, DetectorHeld, DetectorSpec, Finding, FirstSeenSpec, GeoVelocitySpec,
    Measured, Observation, Projection, RiskSpec, Row, Severity, Slot, Timestamp, Trust,
};

use super::decimal::Decimal;
use super::deriving::{FIRST_SEEN, GEO_VELOCITY};
use super::graph::Graph;
use super::measure::Measure;
use super::state::{Seen, Verdict};
use crate::ast::{Correlation, NewTerms, Rule, Target};
use crate::lists::Lists;
use crate::where_expr::{Expr, Function, Where};

/// Who wrote an event, and whether a stranger's code was at work: what decides whether it may be learned from.
pub(super) const TRUST: [&str; 2] = ["event.trust", "from_fork"];

/// What a risk reads of each event.
const CLASS: &str = "event.class";

/// Fields whose texts say where somebody was.
const PLACE: [&str; 3] = ["src.lat", "src.lon", "src.proxy"];

const DAY_MS: i64 = 86_400_000;

/// Makes the detectors that rules ask for.
pub type Factory<'f> = &'f dyn Fn(&DetectorSpec) -> Box<dyn Detector>;

/// What the detector of a number says of an event.
pub(super) type Answer<'a> = &'a mut dyn FnMut(usize, &Observation<'_>) -> Option<Anomaly>;

/// What a rule asks of detectors: its part in whether the rule holds.
#[derive(Debug, Clone)]
pub(super) struct Ask {
    sensors: Vec<Sensor>,
    /// What the detectors' values must fulfil, as fields named by [`Sensor::value`]. None: each detector must have something.
    wheres: Vec<Where>,
}

/// One detector, asked with some fields of the event.
#[derive(Debug, Clone)]
struct Sensor {
    spec: DetectorSpec,
    /// In the detector's order.
    fields: Vec<String>,
    value: String,
}

impl Ask {
    /// The fields that it reads of an event.
    pub(super) fn fields(&self) -> impl Iterator<Item = &str> {
        let sensed = self.sensors.iter().flat_map(|sensor| &sensor.fields).map(String::as_str);
        let is_value = |name: &str| self.sensors.iter().any(|sensor| sensor.value == name);
        let compared = self.wheres.iter().flat_map(|expression| expression.fields());
        sensed.chain(compared.filter(move |name| !is_value(name))).chain(TRUST)
    }
}

/// What a rule asks of detectors: each must agree.
pub(super) fn asks(rule: &Rule) -> Vec<Ask> {
    let mut asks: Vec<Ask> = rule.new_terms.iter().map(new_terms).collect();
    let mut keys = Vec::new();
    let open = rule.wheres.iter().filter(|expression| is_open(expression));
    let wheres: Vec<Where> = open
        .map(|expression| Where {
            source: expression.source.clone(),
            expr: with_speeds_as_fields(&expression.expr, &mut keys),
        })
        .collect();
    if !wheres.is_empty() {
        keys.sort_unstable();
        keys.dedup();
        asks.push(Ask { sensors: keys.into_iter().map(speed).collect(), wheres });
    }
    asks
}

/// The expression asks for something that one event does not say: judging leaves it open.
pub(crate) fn is_open(expression: &Where) -> bool {
    expression.calls(Function::GeoSpeedKmh)
}

fn new_terms(terms: &NewTerms) -> Ask {
    let spec = FirstSeenSpec {
        fields: terms.fields.clone(),
        memory_ms: terms.memory_ms,
        prevalence: terms.prevalence.as_ref().map(|of| (of.over.clone(), of.below)),
        warmup_events: terms.warmup_events,
        warmup_ms: i64::try_from(terms.warmup_days).map_or(i64::MAX, |days| days.saturating_mul(DAY_MS)),
        novelty_max: terms.novelty_max,
        quarantine_ms: terms.quarantine_ms,
    };
    let fields = terms.fields.iter().chain(terms.prevalence.as_ref().map(|of| &of.over)).cloned().collect();
    Ask {
        sensors: vec![Sensor { spec: DetectorSpec::FirstSeen(spec), fields, value: String::new() }],
        wheres: Vec::new(),
    }
}

fn speed(key: String) -> Sensor {
    let fields = [key.as_str()].into_iter().chain(PLACE).map(str::to_owned).collect();
    let value = value_of(&key);
    Sensor { spec: DetectorSpec::GeoVelocity(GeoVelocitySpec { key }), fields, value }
}

/// The name under which an expression finds the speed of a key.
fn value_of(key: &str) -> String {
    format!("{}({key})", Function::GeoSpeedKmh.name())
}

/// The expression with every speed as a field; `keys` gathers whose.
fn with_speeds_as_fields(expr: &Expr, keys: &mut Vec<String>) -> Expr {
    let mut parts = |parts: &[Expr]| parts.iter().map(|part| with_speeds_as_fields(part, keys)).collect();
    match expr {
        Expr::Or(of) => Expr::Or(parts(of)),
        Expr::And(of) => Expr::And(parts(of)),
        Expr::Array(of) => Expr::Array(parts(of)),
        Expr::Not(part) => Expr::Not(Box::new(with_speeds_as_fields(part, keys))),
        Expr::Compare { op, left, right } => Expr::Compare {
            op: *op,
            left: Box::new(with_speeds_as_fields(left, keys)),
            right: Box::new(with_speeds_as_fields(right, keys)),
        },
        Expr::Call { function: Function::GeoSpeedKmh, arguments } => match arguments.first() {
            Some(Expr::Field(key)) => {
                keys.push(key.clone());
                Expr::Field(value_of(key))
            }
            _ => Expr::Null,
        },
        Expr::Call { function, arguments } => Expr::Call { function: *function, arguments: parts(arguments) },
        Expr::Field(_) | Expr::Text(_) | Expr::Glob(_) | Expr::Number(_) | Expr::Bool(_) | Expr::Null => expr.clone(),
    }
}

/// The detectors of a lane, by number.
pub(super) struct Detectors<'f> {
    factory: Factory<'f>,
    made: Vec<Box<dyn Detector>>,
}

impl<'f> Detectors<'f> {
    pub(super) fn new(factory: Factory<'f>) -> Detectors<'f> {
        Detectors { factory, made: Vec::new() }
    }

    pub(super) fn add(&mut self, spec: &DetectorSpec) -> usize {
        self.made.push((self.factory)(spec));
        self.made.len() - 1
    }

    pub(super) fn into_made(self) -> Vec<Box<dyn Detector>> {
        self.made
    }
}

/// An [`Ask`] with its detectors' numbers and its fields'.
#[derive(Debug)]
pub(super) struct Asked {
    /// Name of its detectors.
    pub(super) algo: Arc<str>,
    /// Number, fields in the detector's order, place of its value.
    sensors: Vec<(usize, Vec<Option<CarriedField>>, Slot)>,
    wheres: Vec<Where>,
    compared: Projection,
    places: Vec<(Slot, CarriedField)>,
    trust: [Option<CarriedField>; 2],
}

impl Asked {
    pub(super) fn new(graph: &Graph, ask: &Ask, detectors: &mut Detectors<'_>) -> Asked {
        let mut compared = Projection::default();
        let mut places = Vec::new();
        for name in ask.wheres.iter().flat_map(|expression| expression.fields()) {
            let slot = compared.ask(name);
            places.extend(graph.field(name).map(|field| (slot, field)));
        }
        places.sort_unstable();
        places.dedup();
        let sensor = |sensor: &Sensor| {
            let fields = sensor.fields.iter().map(|name| graph.field(name)).collect();
            (detectors.add(&sensor.spec), fields, compared.ask(&sensor.value))
        };
        let sensors = ask.sensors.iter().map(sensor).collect();
        let algo = if ask.wheres.is_empty() { FIRST_SEEN } else { GEO_VELOCITY }.into();
        let trust = TRUST.map(|name| graph.field(name));
        Asked { algo, sensors, wheres: ask.wheres.clone(), compared, places, trust }
    }

    /// Every detector, by its number, is asked about the event. None: they do not agree; else what they found.
    pub(super) fn holds(&self, seen: &Seen, ask: Answer<'_>, lists: &Lists, row: &mut Row) -> Option<Vec<Anomaly>> {
        let (teaches, evidence) = (teaches(self.trust, seen), Arc::new(seen.evidence()));
        let mut found = Vec::new();
        row.reset(self.compared.len());
        for (slot, field) in &self.places {
            seen.fields.texts(*field).for_each(|text| row.push_text(*slot, text));
        }
        for (number, fields, slot) in &self.sensors {
            let texts: Vec<Vec<&str>> =
                fields.iter().map(|field| field.iter().flat_map(|field| seen.fields.texts(*field)).collect()).collect();
            let at = Timestamp::from_ms(seen.at);
            let observation = Observation { at, texts: &texts, teaches, evidence: &evidence };
            if let Some(anomaly) = ask(*number, &observation) {
                row.push_text(*slot, &anomaly.value.to_string());
                found.push(anomaly);
            }
        }
        let agrees = match self.wheres.as_slice() {
            [] => found.len() == self.sensors.len(),
            wheres => wheres.iter().all(|expression| expression.holds(&self.compared, row.view(""), lists)),
        };
        agrees.then_some(found)
    }
}

/// Nobody who attacks wrote the event, as far as one event says: the fields of [`TRUST`].
pub(super) fn teaches(trust: [Option<CarriedField>; 2], seen: &Seen) -> bool {
    let [trust, fork] = trust.map(|field| field.and_then(|field| seen.fields.text(field)));
    trust != Some(Trust::AttackerControlled.name()) && fork != Some("true")
}

/// The finding with what detectors have to say; where they name other events, those are its evidence, and it has a measure.
pub(super) fn explained(mut finding: Box<Finding>, found: &[Anomaly]) -> Box<Finding> {
    for anomaly in found {
        finding.facts.extend(facts(anomaly));
        if anomaly.evidence.len() > 1 {
            finding.evidence = anomaly.evidence.iter().map(|of| (**of).clone()).collect();
            finding.basis = Basis::Window(Some(Measured { value: anomaly.value, at_least: false }));
        }
    }
    finding
}

fn facts(anomaly: &Anomaly) -> Vec<(String, String)> {
    let pair = |name: &str, text: &str| (name.to_owned(), crate::eval::fact(name, text));
    vec![pair("observed", &anomaly.observed), pair("baseline", &anomaly.baseline)]
}

/// A sum of risk (E11).
#[derive(Debug)]
pub(super) struct Summing {
    measure: Measure,
    detector: usize,
    /// By reference.
    names: Vec<String>,
    class: Option<CarriedField>,
}

impl Summing {
    /// The sum that a correlation asks for; None: it is none of risk.
    pub(super) fn new(
        graph: &Graph,
        correlation: &Correlation,
        measure: Measure,
        weights: &[f64],
        detectors: &mut Detectors<'_>,
    ) -> Option<Summing> {
        let risk = correlation.risk.as_ref()?;
        let names: Vec<String> = correlation.references.iter().map(|reference| reference.name.clone()).collect();
        let spec = RiskSpec {
            span_ms: correlation.timespan_ms,
            half_life_ms: risk.half_life_ms,
            is_capped: risk.cap_per_detector,
            rules_min: risk.detectors_min,
            classes_min: risk.classes_min,
            weights: names.iter().cloned().zip(weights.iter().copied()).collect(),
        };
        let detector = detectors.add(&DetectorSpec::Risk(spec));
        Some(Summing { measure, detector, names, class: graph.field(CLASS) })
    }

    /// More events cannot make it false.
    pub(super) fn only_grows(&self) -> bool {
        self.measure.only_grows()
    }

    /// What the references that hold at an event add to the key's sum.
    pub(super) fn add(&self, key: &str, references: &[usize], seen: &Seen, ask: Answer<'_>) -> Option<Verdict> {
        let class = self.class.iter().flat_map(|field| seen.fields.texts(*field)).collect::<Vec<_>>();
        let (mut sum, evidence) = (None, Arc::new(seen.evidence()));
        for name in references.iter().filter_map(|reference| self.names.get(*reference)) {
            let texts = [vec![key], vec![name.as_str()], class.clone()];
            let at = Timestamp::from_ms(seen.at);
            // Whoever wrote the event: what rules say of it is ours.
            let observation = Observation { at, texts: &texts, teaches: true, evidence: &evidence };
            sum = ask(self.detector, &observation);
        }
        let sum = sum.filter(|sum| Decimal::from_float(sum.value).is_some_and(|value| self.measure.holds(value)))?;
        let evidence = sum.evidence.iter().map(|of| (**of).clone()).collect();
        Some(Verdict { value: Some(sum.value), at_least: false, facts: facts(&sum), evidence })
    }
}

/// The fields that a sum of risk reads of what it adds up.
pub(super) fn risk_fields(correlation: &Correlation) -> Option<&'static str> {
    correlation.risk.as_ref().map(|_| CLASS)
}

/// What each reference of a correlation weighs: `x-risk.weight`, or by level.
pub(super) fn weights(correlation: &Correlation, rules: &[&Rule], correlations: &[&Correlation]) -> Vec<f64> {
    let weight = |target: Target| match target {
        Target::Rule(at) => rules.get(at).map(|rule| rule.risk_weight.unwrap_or(by_level(rule.level))),
        Target::Correlation(at) => correlations.get(at).map(|of| by_level(of.level)),
    };
    correlation.references.iter().map(|reference| weight(reference.target).unwrap_or(0.0)).collect()
}

fn by_level(level: Severity) -> f64 {
    match level {
        Severity::Critical => 100.0,
        Severity::High => 60.0,
        Severity::Medium => 30.0,
        Severity::Low => 10.0,
        Severity::Informational => 0.0,
    }
}

/// What a lane's detectors hold.
pub(super) fn held(detectors: &[Box<dyn Detector>]) -> DetectorHeld {
    detectors.iter().map(|detector| detector.held()).fold(DetectorHeld::default(), |sum, of| DetectorHeld {
        keys: sum.keys + of.keys,
        evicted: sum.evicted + of.evicted,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speeds_stand_as_fields_wherever_an_expression_has_them() {
        let text = "not (geo_speed_kmh(who) > 900 and geo_speed_kmh(token) >= 1) or lower(who) == 'a' or len(list('l', who)) > 2";
        let mut keys = Vec::new();
        let expression = Where::parse(text).expect("an expression");
        assert!(is_open(&expression));
        let resolved = with_speeds_as_fields(&expression.expr, &mut keys);
        let resolved = Where { source: text.to_owned(), expr: resolved };
        assert!(!is_open(&resolved));
        assert_eq!(keys, ["who", "token"]);
        assert_eq!(resolved.fields(), ["geo_speed_kmh(who)", "geo_speed_kmh(token)", "who", "who"]);
        let closed = Where::parse("lower(who) == 'a'").expect("an expression");
        assert_eq!(with_speeds_as_fields(&closed.expr, &mut keys), closed.expr);
    }

    #[test]
    fn an_ask_reads_what_its_detectors_and_its_expressions_read() {
        let text = "title: r\nlogsource: {product: x}\ndetection: {s: [a], condition: s}\n\
                    x-where: [geo_speed_kmh(who) > 900 or place == 'hq', other == 1]\n\
                    x-new-terms: {fields: [repo, domain], memory: 1d, prevalence: {over: team, lt: 2}}\n";
        let loaded = crate::parse::load_texts(&[("r.yml".into(), text)], &crate::parse::Settings::default());
        let asks = asks(&loaded.rules[0]);
        let fields: Vec<Vec<&str>> = asks.iter().map(|ask| ask.fields().collect()).collect();
        assert_eq!(fields[0], ["repo", "domain", "team", "event.trust", "from_fork"]);
        assert_eq!(fields[1], ["who", "src.lat", "src.lon", "src.proxy", "place", "event.trust", "from_fork"]);
    }
}
