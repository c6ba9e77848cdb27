//! What is known of an alert: its records, its rule as it is at hand, its events, its route, and what to do next.
//!
//! Gathers only: how it reads stands elsewhere. What is not at hand is said to be so.

use std::collections::BTreeSet;
use std::path::Path;

use model::{AlertRecord, Fingerprint, Sha256};
use rules::ast::{AlertSpec, LogSource, Origin};
use rules::lineage::Kind;
use rules::words;

use super::route::{self, RouteTaken};
use crate::alerts_file::Alert;
use crate::evidence::{self, Looked, Standing};
use crate::id_reuse;
use crate::replay::reading::Reader;
use crate::ruleset::RuleSet;

/// Keys that are worth a trace, at most.
const TRACES_MAX: usize = 3;

/// Everything that is told.
pub(super) struct Story {
    pub(super) fingerprint: Fingerprint,
    /// The record that told somebody last; else the last.
    pub(super) record: AlertRecord,
    /// All of them.
    pub(super) life: Vec<AlertRecord>,
    pub(super) rule: RuleAtHand,
    pub(super) route: RouteTaken,
    /// In the order of the record; None: nobody looked.
    pub(super) events: Vec<(model::Evidence, Option<Standing>)>,
    pub(super) problems: Vec<String>,
}

/// The rule of the alert among those that were loaded.
#[derive(Default)]
pub(super) struct RuleAtHand {
    /// File and line; None: it is not among them.
    pub(super) place: Option<String>,
    /// None: it is not among them.
    pub(super) version: Option<Sha256>,
    /// When it holds, a line each.
    pub(super) fires_when: Vec<String>,
    /// Its runbook, where that is a file.
    pub(super) runbook: Option<String>,
}

/// What rules and correlations have in common here.
struct Known<'r> {
    alert: Option<&'r AlertSpec>,
    logsource: LogSource,
    at_hand: RuleAtHand,
}

impl Story {
    /// The story of an alert; None: it has no record.
    pub(super) fn of(alert: &Alert, rules: Option<&RuleSet>, reader: Option<&Reader>) -> Option<Story> {
        let life: Vec<AlertRecord> = alert.lines.iter().map(|line| line.record.clone()).collect();
        let told = life.iter().rev().find(|record| record.state.is_told() && !record.provisional);
        let record = told.or(life.last())?.clone();
        let wanted: BTreeSet<_> = record.evidence.iter().cloned().collect();
        let looked = reader.map(|reader| evidence::look(&reader.engine, &reader.inputs.files, &wanted));
        let known = rules.and_then(|rules| known(rules, &record));
        let alert_of = known.as_ref().and_then(|known| known.alert);
        let deciding = record.evidence.last().zip(looked.as_ref()).map(|(last, looked)| looked.standing(last));
        let held = match (deciding, reader, &known) {
            (Some(Standing::Same(event)), Some(reader), Some(known)) => {
                let routes = alert_of.map(|alert| alert.routes.as_slice()).unwrap_or_default();
                route::held(reader, routes, &known.logsource, &event.text)
            }
            _ => None,
        };
        let route = match &known {
            Some(_) => route::taken(alert_of, record.urgency, held.as_deref()),
            None => RouteTaken { urgency: record.urgency, why: "the rule is not among the rules at hand".to_owned() },
        };
        let standing = |looked: &Looked, of: &model::Evidence| looked.standing(of).clone();
        let events = record.evidence.iter();
        let events = events.map(|of| (of.clone(), looked.as_ref().map(|looked| standing(looked, of)))).collect();
        Some(Story {
            fingerprint: alert.fingerprint,
            rule: known.map(|known| known.at_hand).unwrap_or_default(),
            route,
            events,
            problems: looked.map(|looked| looked.problems).unwrap_or_default(),
            life,
            record,
        })
    }

    /// Commands worth running next.
    pub(super) fn next(&self, alerts: &[String], inputs: &[String]) -> Vec<String> {
        let quoted = |texts: &[String]| texts.iter().map(|text| quote(text)).collect::<Vec<_>>().join(" ");
        let inputs = if inputs.is_empty() { "EVENTS…".to_owned() } else { quoted(inputs) };
        let texts = self.record.group.iter().chain(&self.record.facts);
        let texts = texts.filter_map(|(field, value)| Some((field.as_str(), value.as_str()?)));
        let mut traced: Vec<(&str, &str)> = Vec::new();
        for (field, text) in texts {
            let kind = Kind::ALL.iter().find(|kind| kind.field() == field && **kind != Kind::Repo);
            if let Some(kind) = kind
                && !text.ends_with('…')
                && !traced.contains(&(kind.name(), text))
            {
                traced.push((kind.name(), text));
            }
        }
        let trace = |(kind, text): &(&str, &str)| format!("pipewarden trace --kind {kind} {} {inputs}", quote(text));
        let mut next: Vec<String> = traced.iter().take(TRACES_MAX).map(trace).collect();
        let alerts = if alerts.iter().any(|path| path == "-") { "ALERTS".to_owned() } else { quoted(alerts) };
        next.push(format!("pipewarden verify {} --alerts {alerts} {inputs}", self.fingerprint));
        if self.rule.place.is_some() {
            let name = self.record.rule.name.as_deref().unwrap_or(&self.record.rule.id);
            next.push(format!("pipewarden rules explain {}", quote(name)));
        }
        next
    }
}

/// A word as a shell takes it.
fn quote(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@+=,%".contains(c);
    match !text.is_empty() && !text.starts_with('-') && text.chars().all(plain) {
        true => text.to_owned(),
        false => format!("'{}'", crate::alerts_file::printable(text).replace('\'', r"'\''")),
    }
}

fn known<'r>(rules: &'r RuleSet, record: &AlertRecord) -> Option<Known<'r>> {
    if *record.rule.id == *id_reuse::RULE_ID {
        let fires_when = vec!["an event of a source came with the id of another one, and other bytes".to_owned()];
        let at_hand = RuleAtHand {
            place: Some("built in".to_owned()),
            version: Some(record.rule.version),
            fires_when,
            runbook: None,
        };
        return Some(Known { alert: None, logsource: LogSource::default(), at_hand });
    }
    let place = |origin: &Origin| Some(format!("{}:{}", origin.file.display(), origin.line));
    if let Some(rule) = rules.rules.iter().find(|rule| *rule.id == *record.rule.id) {
        let mut fires_when = words::tree(&rule.condition);
        fires_when.extend(rule.wheres.iter().map(|expression| format!("- and {}", expression.source)));
        let learned = rule.memories.iter().map(words::memory).chain(rule.new_terms.iter().map(words::new_terms));
        let learned = learned.chain(rule.detector.iter().map(words::detector));
        fires_when.extend(learned.map(|part| format!("- and {part}")));
        let runbook = runbook(&rule.origin, rule.alert.as_ref());
        let at_hand = RuleAtHand { place: place(&rule.origin), version: Some(rule.version), fires_when, runbook };
        return Some(Known { alert: rule.alert.as_ref(), logsource: rule.logsource.clone(), at_hand });
    }
    let of = rules.correlations.iter().find(|of| *of.id == *record.rule.id)?;
    let fires_when = words::correlation(of).into_iter().map(|part| format!("- {part}")).collect();
    let runbook = runbook(&of.origin, of.alert.as_ref());
    let at_hand = RuleAtHand { place: place(&of.origin), version: Some(of.version), fires_when, runbook };
    let logsource = of.references.iter().find_map(|reference| match reference.target {
        rules::ast::Target::Rule(at) => rules.rules.get(at).map(|rule| rule.logsource.clone()),
        rules::ast::Target::Correlation(_) => None,
    });
    // Whatever class the deciding event has, the route is a selection on its fields.
    let logsource = LogSource { category: None, service: None, ..logsource.unwrap_or_default() };
    Some(Known { alert: of.alert.as_ref(), logsource, at_hand })
}

/// The runbook's text, where it is a file beside the rule.
fn runbook(origin: &Origin, alert: Option<&AlertSpec>) -> Option<String> {
    let name = alert?.runbook.as_deref()?;
    if origin.file.starts_with("pack") {
        let carried = rules::pack::pack().into_iter().find(|rule| rule.file == *origin.file);
        return carried.and_then(|rule| rule.runbook).filter(|_| name == "runbook.md");
    }
    let is_name = Path::new(name).file_name().is_some_and(|file| file == name);
    if is_name { std::fs::read_to_string(origin.file.parent()?.join(name)).ok() } else { None }
}
