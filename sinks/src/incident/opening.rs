//! What incidents want of an alert's record, and its place in total order.
//!
//! Must never hold a text that the record does not: it has been redacted there.

use std::sync::Arc;

use model::{
    AlertRecord, AlertState, EventOrder, Fingerprint, Joint, Place, RecordOrder, RuleRef, Severity, Sha256, Timestamp,
    Urgency,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The field that names an alert's repository.
const REPO: &str = "prov.repo";

/// A joint around an alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Near {
    /// The joint.
    pub joint: Joint,
    /// The one before it on the way, by its place among them; None: it is the alert's own.
    pub from: Option<usize>,
}

/// Where an alert's record stands in total order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct OpeningPlace {
    time: Timestamp,
    /// None: at an event, which comes before the timers of its time.
    is_timer: bool,
    event: Option<EventOrder>,
    rule: Arc<str>,
    fingerprint: Fingerprint,
}

impl OpeningPlace {
    /// Of a record's place.
    pub fn of(order: &RecordOrder) -> OpeningPlace {
        let (time, rule, fingerprint) = (order.place.time(), order.rule.clone(), order.fingerprint);
        match &order.place {
            Place::Event(event) => {
                OpeningPlace { time, is_timer: false, event: Some(event.clone()), rule, fingerprint }
            }
            Place::Timer { .. } => OpeningPlace { time, is_timer: true, event: None, rule, fingerprint },
        }
    }

    /// Of an alert of which nothing but its record is known: behind the events of its time. One time may owe several of its
    /// records, so what they say stands where an event has its id.
    pub fn owed(opening: &Opening) -> OpeningPlace {
        let (time, rule, fingerprint) = (opening.at, opening.rule.id.clone(), opening.fingerprint);
        let (source, id) = ("".into(), format!("{:?}", opening.state).into());
        let event = Some(EventOrder { time, source, id, sha256: Sha256::of(b"") });
        OpeningPlace { time, is_timer: true, event, rule, fingerprint }
    }

    /// The event time at which it stands.
    pub fn time(&self) -> Timestamp {
        self.time
    }
}

/// An alert that was told.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Opening {
    /// Its event time.
    pub at: Timestamp,
    /// Names it.
    pub fingerprint: Fingerprint,
    /// What its record says: `firing`, `raised` or `repeat`.
    pub state: AlertState,
    /// Page or ticket.
    pub urgency: Urgency,
    /// The rule's level.
    pub severity: Severity,
    /// The rule.
    pub rule: RuleRef,
    /// Its rule speaks of joined incidents: what the rules of its kind have in common.
    pub composite: Option<Arc<str>>,
    /// Its key, (field, text).
    pub group: Vec<(String, String)>,
    /// Its repository.
    pub repo: Option<String>,
    /// The team that is told.
    pub owner: Option<String>,
    /// Hashes of the events that made it.
    pub evidence: Vec<Sha256>,
}

impl Opening {
    /// Of a record. None: nobody is told of it, or it has no time.
    pub fn of(record: &AlertRecord, composite: Option<Arc<str>>) -> Option<Opening> {
        let at = record.event_time.filter(|_| record.state.is_told() && !record.provisional)?;
        let text = |(field, value): (&String, &Value)| Some((field.clone(), value.as_str()?.to_owned()));
        let of = |map: &Map<String, Value>| map.get(REPO).and_then(Value::as_str).map(str::to_owned);
        Some(Opening {
            at,
            fingerprint: record.fingerprint,
            state: record.state,
            urgency: record.urgency,
            severity: record.severity,
            rule: record.rule.clone(),
            composite,
            group: record.group.iter().filter_map(text).collect(),
            repo: of(&record.group).or_else(|| of(&record.facts)),
            owner: record.owner.clone(),
            evidence: record.evidence.iter().map(|evidence| evidence.sha256).collect(),
        })
    }

    /// The name of an incident that it opens.
    pub(super) fn incident(&self) -> Fingerprint {
        let (alert, at) = (self.fingerprint.hex(), self.at.to_string());
        Fingerprint::new("incident", [("alert", alert.as_str()), ("opened", at.as_str())])
    }
}
