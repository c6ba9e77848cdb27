//! Alert records out of findings: the text that leaves is redacted, cut, and the same for the same events.

use std::borrow::Cow;

use model::{
    ALERT_SCHEMA, AlertRecord, AlertState, Arrival, Basis, Evidence, Finding, Fingerprint, Measured, RedactionKey,
    RuleInfo, RuleRef, Timestamp, Urgency, cut, redact_field,
};
use serde_json::{Map, Number, Value};

/// Longest text of a key's field in a record, in characters. The fingerprint covers it whole.
const GROUP_CHARACTERS_MAX: usize = 512;

/// What a record says beside its finding.
#[derive(Debug, Clone)]
pub(crate) struct Telling {
    pub(crate) state: AlertState,
    /// None: the events have no time.
    pub(crate) at: Option<Timestamp>,
    pub(crate) urgency: Urgency,
    pub(crate) count: u64,
    pub(crate) suppressed: u64,
    pub(crate) evidence: Vec<Evidence>,
}

/// What a record is about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct About<'a> {
    pub(crate) rule: &'a RuleInfo,
    pub(crate) fingerprint: Fingerprint,
    pub(crate) key: &'a [(String, String)],
    /// The event that decided; None for a timer.
    pub(crate) finding: Option<&'a Finding>,
    /// Names secrets in keys and ids.
    pub(crate) redaction: RedactionKey,
}

impl<'a> About<'a> {
    /// About a finding.
    pub(crate) fn finding(finding: &'a Finding, redaction: RedactionKey) -> About<'a> {
        let Finding { rule, fingerprint, key, .. } = finding;
        About { rule, fingerprint: *fingerprint, key, finding: Some(finding), redaction }
    }
}

/// The record of a telling.
pub(crate) fn record(about: About<'_>, telling: Telling) -> AlertRecord {
    let About { rule, fingerprint, key, finding, redaction } = about;
    let name = |field: &str, text: &str| cut(&redaction.name_field(field, text), GROUP_CHARACTERS_MAX).into_owned();
    let fact = |field: &str, text: &str| cut(&redact_field(field, text), GROUP_CHARACTERS_MAX).into_owned();
    let explain = explain(about, &telling);
    let Telling { state, at, urgency, count, suppressed, evidence } = telling;
    let arrival = finding.map(|finding| finding.arrival);
    let measured = finding.and_then(|finding| match finding.basis {
        Basis::Window(measured) => measured,
        Basis::Event | Basis::Timer(_) => None,
    });
    AlertRecord {
        schema: ALERT_SCHEMA,
        state,
        event_time: at,
        urgency,
        severity: rule.severity,
        rule: RuleRef {
            id: rule.id.clone(),
            name: rule.name.clone(),
            title: rule.title.clone(),
            version: rule.version,
        },
        fingerprint,
        group: texts(key, name),
        told_with: finding.map_or_else(Map::new, |finding| texts(&told_with(finding), name)),
        count,
        suppressed,
        value: measured.and_then(|measured| number(measured.value)),
        at_least: measured.is_some_and(|measured| measured.at_least),
        evidence: evidence.into_iter().map(|evidence| named(evidence, redaction)).collect(),
        late: arrival == Some(Arrival::Late),
        early: arrival == Some(Arrival::Early),
        provisional: false,
        evicted: false,
        suppressed_by: None,
        shadow: rule.shadow,
        explain,
        facts: finding.map_or_else(Map::new, |finding| texts(&finding.facts, fact)),
        owner: rule.owner.clone(),
        runbook: rule.runbook.clone(),
        tags: rule.tags.clone(),
        custom: rule.custom.clone(),
    }
}

/// A finding as it may be kept: its record says the same as that of the one it was made of.
pub(crate) fn clean_finding(finding: &Finding, redaction: RedactionKey) -> Finding {
    let mut clean = finding.clone();
    clean_key(&mut clean.key, redaction);
    for (field, text) in &mut clean.facts {
        if let Cow::Owned(redacted) = redact_field(field, text) {
            *text = redacted;
        }
    }
    clean
}

/// A key as it may be kept.
pub(crate) fn clean_key(key: &mut [(String, String)], redaction: RedactionKey) {
    for (field, text) in key {
        if let Cow::Owned(named) = redaction.name_field(field, text) {
            *text = named;
        }
    }
}

/// What `x-alert.group` names, as the event has it; what it lacks is left out.
fn told_with(finding: &Finding) -> Vec<(String, String)> {
    let known = || finding.key.iter().chain(&finding.facts);
    let named = finding.rule.group.iter().filter_map(|name| known().find(|(field, _)| field == name));
    named.cloned().collect()
}

/// A measure as JSON writes it: whole where it is whole.
fn number(value: f64) -> Option<Number> {
    let whole = value as i64;
    if whole as f64 == value { Some(Number::from(whole)) } else { Number::from_f64(value) }
}

/// Texts by field, each as `clean` lets it leave.
fn texts(pairs: &[(String, String)], clean: impl Fn(&str, &str) -> String) -> Map<String, Value> {
    pairs.iter().map(|(field, text)| (field.clone(), Value::String(clean(field, text)))).collect()
}

/// Evidence as it may leave: whoever writes events chooses their ids.
fn named(evidence: Evidence, redaction: RedactionKey) -> Evidence {
    match redaction.name_field("event.id", &evidence.id) {
        Cow::Borrowed(_) => evidence,
        Cow::Owned(id) => Evidence { id: id.into(), ..evidence },
    }
}

/// One sentence: what, where in the data, how often.
fn explain(about: About<'_>, telling: &Telling) -> String {
    let title = &about.rule.title;
    let name = |field: &str, text: &str| cut(&about.redaction.name_field(field, text), 80).into_owned();
    let pair = |(field, text): &(String, String)| format!("{field}={}", name(field, text));
    let key = about.key.iter().map(pair).collect::<Vec<_>>().join(", ");
    let event = about.finding.map_or_else(String::new, |finding| {
        let id = about.redaction.name_field("event.id", &finding.order.id);
        format!("event {id} of {}", finding.order.source)
    });
    let (count, suppressed) = (telling.count, telling.suppressed);
    match telling.state {
        AlertState::Firing | AlertState::Match => match about.finding.map(|finding| finding.basis) {
            Some(Basis::Window(Some(Measured { value, at_least }))) => {
                let bound = if at_least { "at least " } else { "" };
                format!("{title}: {bound}{value} in the window that ends with {event} ({key})")
            }
            Some(Basis::Window(None)) => format!("{title}: complete with {event} ({key})"),
            Some(Basis::Timer(due)) => format!("{title}: {event}, and nothing that was due by {due} ({key})"),
            _ => format!("{title}: {event} ({key})"),
        },
        AlertState::Suppressed => format!("{title}: not told ({key})"),
        AlertState::Withdrawn => format!("{title}: told too early, it did not come true ({key})"),
        AlertState::Repeat => format!("{title}: still going on, {suppressed} more times since it was told ({key})"),
        AlertState::Raised => format!("{title}: now a page, after {count} times, with {event} ({key})"),
        AlertState::Resolved => format!("{title}: closing evidence came, after {count} times ({key})"),
        AlertState::Expired => {
            format!("{title}: not seen for a re-alert period, after {count} times ({key}); nobody says it is fixed")
        }
    }
}
