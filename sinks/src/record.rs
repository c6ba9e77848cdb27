//! Alert records out of findings: the text that leaves is redacted, cut, and the same for the same events.

use model::{ALERT_SCHEMA, AlertRecord, AlertState, Arrival, Evidence, Finding, RuleInfo, RuleRef, Timestamp, Urgency, cut, redact};
use serde_json::{Map, Value};

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

/// The record of a telling about the alert that `finding` belongs to.
pub(crate) fn record(finding: &Finding, telling: Telling) -> AlertRecord {
    let rule = &finding.rule;
    let Telling { state, at, urgency, count, suppressed, evidence } = telling;
    AlertRecord {
        schema: ALERT_SCHEMA,
        state,
        event_time: at,
        urgency,
        severity: rule.severity,
        rule: RuleRef { id: rule.id.clone(), name: rule.name.clone(), title: rule.title.clone(), version: rule.version },
        fingerprint: finding.fingerprint,
        group: texts(&finding.key, GROUP_CHARACTERS_MAX),
        count,
        suppressed,
        evidence,
        late: finding.arrival == Arrival::Late,
        early: finding.arrival == Arrival::Early,
        provisional: false,
        evicted: false,
        explain: explain(rule, finding, state, count, suppressed),
        facts: texts(&finding.facts, GROUP_CHARACTERS_MAX),
        owner: rule.owner.clone(),
        runbook: rule.runbook.clone(),
        tags: rule.tags.clone(),
        custom: rule.custom.clone(),
    }
}

fn texts(pairs: &[(String, String)], characters_max: usize) -> Map<String, Value> {
    let value = |text: &str| Value::String(cut(&redact(text), characters_max).into_owned());
    pairs.iter().map(|(field, text)| (field.clone(), value(text))).collect()
}

/// One sentence: what, where in the data, how often.
fn explain(rule: &RuleInfo, finding: &Finding, state: AlertState, count: u64, suppressed: u64) -> String {
    let title = &rule.title;
    let key = finding.key.iter().map(|(field, text)| format!("{field}={}", cut(&redact(text), 80))).collect::<Vec<_>>();
    let key = key.join(", ");
    let event = redact(&finding.order.id).into_owned();
    let source = &finding.order.source;
    match state {
        AlertState::Firing | AlertState::Match => format!("{title}: event {event} of {source} ({key})"),
        AlertState::Repeat => format!("{title}: still going on, {suppressed} more times since it was told ({key})"),
        AlertState::Raised => format!("{title}: now a page, after {count} times, with event {event} of {source} ({key})"),
        AlertState::Resolved => format!("{title}: closing evidence came, after {count} times ({key})"),
        AlertState::Expired => format!("{title}: not seen for a re-alert period, after {count} times ({key}); nobody says it is fixed"),
    }
}
