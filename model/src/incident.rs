//! The incident record: which alerts belong together, and whether somebody is told of one more of them.
//!
//! One shape, wherever incidents leave. Like an alert record a function of the set of events; text in it has been redacted.
//! Must never stand in the place of an alert record: it says of alerts who hears of them, and they stay what they are.

use std::sync::Arc;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

use crate::{AlertState, Fingerprint, RuleRef, Severity, Timestamp, Urgency};

/// Version of the record's shape, written into every record.
pub const INCIDENT_SCHEMA: u32 = 1;

/// Tells an incident record from others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IncidentType {
    /// It is one.
    Incident,
}

/// What became of an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IncidentState {
    /// An alert that belongs to no open one opened it.
    Opened,
    /// An alert joined it.
    Joined,
    /// An alert joined it and others: they are one from here on.
    Merged,
    /// An alert of it was told again.
    Again,
    /// Nothing was told of it for so long that it is over.
    Closed,
}

impl IncidentState {
    /// The state as it is written.
    pub const fn name(self) -> &'static str {
        match self {
            IncidentState::Opened => "opened",
            IncidentState::Joined => "joined",
            IncidentState::Merged => "merged",
            IncidentState::Again => "again",
            IncidentState::Closed => "closed",
        }
    }
}

/// Why somebody is told of an alert of an incident, or nobody is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ToldBecause {
    /// The first page of the incident to this owner.
    First,
    /// Its rule is a composite, which pages a joined incident once more.
    Composite,
    /// It is the page that was told, again; or nobody was paged about the incident for a day.
    Again,
    /// It is a ticket: incidents hold back pages only.
    Ticket,
    /// Not told: its owner has been paged about the incident.
    Joined,
}

impl ToldBecause {
    /// As it is written.
    pub const fn name(self) -> &'static str {
        match self {
            ToldBecause::First => "first",
            ToldBecause::Composite => "composite",
            ToldBecause::Again => "again",
            ToldBecause::Ticket => "ticket",
            ToldBecause::Joined => "joined",
        }
    }

    /// Somebody is told.
    pub const fn is_told(self) -> bool {
        !matches!(self, ToldBecause::Joined)
    }
}

/// What holds alerts together: a key of lineage, or an event that both name as evidence.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Joint {
    /// `token`, `run`, `job`, `runner`, `build`, `digest`, `cache` or `event`.
    pub kind: Arc<str>,
    /// The key; the SHA-256 of an event.
    pub key: Arc<str>,
}

/// How an alert came to an incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Join {
    /// The incident, as it was before.
    pub incident: Fingerprint,
    /// The alert of it that was reached.
    pub alert: Fingerprint,
    /// The way from a joint of the new alert to one of that alert; empty: it is the same alert.
    pub path: Vec<Joint>,
}

/// The alert that an incident record is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Names the alert.
    pub fingerprint: Fingerprint,
    /// What its record says.
    pub state: AlertState,
    /// Page or ticket.
    pub urgency: Urgency,
    /// The rule's level.
    pub severity: Severity,
    /// The rule.
    pub rule: RuleRef,
    /// Its key, field → text.
    pub group: serde_json::Map<String, serde_json::Value>,
    /// The team that is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
}

/// One record of an incident's life. Field order is the order in which it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncidentRecord {
    /// Always `incident`.
    #[serde(rename = "type")]
    pub record_type: IncidentType,
    /// [`INCIDENT_SCHEMA`].
    pub schema: u32,
    /// What became of it.
    pub state: IncidentState,
    /// Event time of the alert, or of the end.
    #[serde(deserialize_with = "written")]
    pub event_time: Timestamp,
    /// Names the incident: of its first alert and the time at which that opened.
    pub incident: Fingerprint,
    /// When its first alert opened.
    #[serde(deserialize_with = "written")]
    pub opened: Timestamp,
    /// The alert; None: the incident is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alert: Option<Member>,
    /// Somebody is told of the alert.
    pub told: bool,
    /// Why, or why not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<ToldBecause>,
    /// What holds the alert and the incident together, one for each incident that it joined.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub joins: Vec<Join>,
    /// Incidents that are this one from here on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub merged: Vec<Fingerprint>,
    /// Alerts so far, this one counted.
    pub alerts: u64,
    /// Those of them that are pages.
    pub pages: u64,
    /// Pages that somebody was told of.
    pub pages_told: u64,
    /// Repositories that its alerts name, the first of them by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub repos: Vec<String>,
    /// So many more alerts name yet others.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub repos_more: u64,
    /// It was closed because `incidents_max` was reached, not because its time was over.
    #[serde(default, skip_serializing_if = "is_false")]
    pub evicted: bool,
    /// One sentence for the person who is woken.
    pub explain: String,
}

fn is_false(flag: &bool) -> bool {
    !flag
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// A time as records write it.
fn written<'de, D: Deserializer<'de>>(from: D) -> Result<Timestamp, D::Error> {
    let text = String::deserialize(from)?;
    Timestamp::parse(&text).ok_or_else(|| D::Error::custom("not a time"))
}
