//! A finding: what a rule has to say about one event, before anything is folded or sealed.
//!
//! Built once a rule holds, so it may allocate; must never hold what depends on arrival beside `position`, which no
//! sealed record prints.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{EventOrder, Fingerprint, Place, Position, RecordOrder, Severity, Sha256, Timestamp, Urgency};

/// What an alert repeats of the rule that made it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RuleInfo {
    /// Rule id: first part of the fingerprint.
    pub id: Arc<str>,
    /// `name`, where the rule has one.
    pub name: Option<String>,
    /// `title`.
    pub title: String,
    /// `level`.
    pub severity: Severity,
    /// SHA-256 of the rule document's text: its version.
    pub version: Sha256,
    /// `tags`.
    pub tags: Vec<String>,
    /// `x-alert.realert` in milliseconds.
    pub realert_ms: Option<i64>,
    /// `x-alert.owner`.
    pub owner: Option<String>,
    /// `x-alert.runbook`.
    pub runbook: Option<String>,
    /// `x-alert.group`: the fields by which its alerts are told together; empty: as the route has it.
    pub group: Vec<String>,
    /// `x-alert.suppress_when`: ids of the rules whose announcements keep its alerts from being told.
    pub suppress_when: Vec<Arc<str>>,
    /// `x-alert.shadow`: it is on trial, and tells nobody.
    pub shadow: bool,
    /// Top-level keys of the rule that nobody defines.
    #[serde(with = "crate::snapshot::json_text")]
    pub custom: serde_json::Map<String, serde_json::Value>,
}

impl RuleInfo {
    /// Re-alert period in milliseconds of an alert of this urgency.
    pub fn realert_ms(&self, urgency: Urgency) -> i64 {
        self.realert_ms.unwrap_or(urgency.default_realert_ms())
    }
}

/// One event that made a finding: its id and the hash of its own bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Evidence {
    /// Event id.
    pub id: Arc<str>,
    /// SHA-256 of the event's own bytes, raw.
    pub sha256: Sha256,
}

/// How an event stood to the watermark when it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Arrival {
    /// Not behind its partition's watermark, and not too far ahead.
    OnTime,
    /// Behind it.
    Late,
    /// Further ahead than `skew_max`.
    Early,
}

/// What decided that a rule holds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum Basis {
    /// One event.
    Event,
    /// The events of a window, at the last of them; what was measured of them, where something was.
    Window(Option<Measured>),
    /// A timer, after all events of its time.
    Timer(Timestamp),
}

/// What a correlation measured.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// The measure: a count, a sum, a percentile.
    pub value: f64,
    /// A limit was reached: the true value may be higher.
    pub at_least: bool,
}

/// A rule holds at an event.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Finding {
    /// The rule.
    pub rule: Arc<RuleInfo>,
    /// Where the event stands in total order.
    pub order: EventOrder,
    /// The event has no time of its own: `order.time` is only its place among others.
    pub timeless: bool,
    /// The alert's key, (field, value) in the rule's order.
    pub key: Vec<(String, String)>,
    /// Rule id and key.
    pub fingerprint: Fingerprint,
    /// Where it is told.
    pub urgency: Urgency,
    /// Late and early findings stand alone.
    pub arrival: Arrival,
    /// What an on-call engineer wants to see of the event, (field, value): what the rule looked at and who did what.
    pub facts: Vec<(String, String)>,
    /// The events that made it, in total order; empty where they are not at hand.
    pub evidence: Vec<Evidence>,
    /// What decided.
    pub basis: Basis,
    /// Where the record was read.
    pub position: Position,
}

impl Finding {
    /// Where the record stands that tells it.
    pub fn record_order(&self) -> RecordOrder {
        RecordOrder { place: self.place(), rule: self.rule.id.clone(), fingerprint: self.fingerprint }
    }

    /// Where it stands in total order.
    pub fn place(&self) -> Place {
        match self.basis {
            Basis::Timer(time) => Place::Timer { time, expires: false },
            Basis::Event | Basis::Window(_) => Place::Event(self.order.clone()),
        }
    }

    /// The event time at which the rule holds.
    pub fn time(&self) -> Timestamp {
        match self.basis {
            Basis::Timer(time) => time,
            Basis::Event | Basis::Window(_) => self.order.time,
        }
    }
}
