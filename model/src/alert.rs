//! The alert record: the one shape that the alert topic, the seal log and `--alerts` write.
//!
//! A sealed record is a function of the set of events, the rules and the control log: nothing here may depend on
//! arrival. Text that leaves here has been redacted and cut.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{Evidence, Fingerprint, Severity, Timestamp, Urgency};

/// Version of the record's shape, written into every record.
pub const ALERT_SCHEMA: u32 = 1;

/// At most this many events are listed as evidence of one record.
pub const EVIDENCE_MAX: usize = 16;

/// What a record says about its alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AlertState {
    /// It opened (or, for a late or early event, stands alone).
    Firing,
    /// It still holds, a re-alert period after it was told last.
    Repeat,
    /// Its urgency rose.
    Raised,
    /// Closing evidence came.
    Resolved,
    /// A re-alert period passed since it last held. Nobody claims that anything was fixed.
    Expired,
    /// What was told provisionally did not come true. Provisional records only.
    Withdrawn,
    /// One match, unfolded (`--every-match`).
    Match,
    /// It holds, and nobody is told: an announced change covers it (`x-alert.suppress_when`).
    Suppressed,
}

impl AlertState {
    /// The state as it is written.
    pub fn name(self) -> &'static str {
        match self {
            AlertState::Firing => "firing",
            AlertState::Repeat => "repeat",
            AlertState::Raised => "raised",
            AlertState::Resolved => "resolved",
            AlertState::Expired => "expired",
            AlertState::Withdrawn => "withdrawn",
            AlertState::Match => "match",
            AlertState::Suppressed => "suppressed",
        }
    }

    /// Somebody is told (and the re-alert period starts anew).
    pub fn is_told(self) -> bool {
        matches!(self, AlertState::Firing | AlertState::Repeat | AlertState::Raised)
    }
}

/// The rule as a record names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleRef {
    /// Rule id.
    pub id: Arc<str>,
    /// `name`, or null.
    pub name: Option<String>,
    /// `title`.
    pub title: String,
    /// SHA-256 of the rule document: its version.
    pub version: crate::Sha256,
}

/// The announcement that keeps an alert from being told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SuppressedBy {
    /// Id of the rule that holds at the announcement.
    pub rule: Arc<str>,
    /// Its `name`, or null.
    pub name: Option<String>,
    /// The announcement.
    pub event: Evidence,
    /// From when it counts.
    pub from: Timestamp,
    /// Until when, inclusive.
    pub to: Timestamp,
}

/// One record of an alert's life. Field order is the order in which it is written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AlertRecord {
    /// [`ALERT_SCHEMA`].
    pub schema: u32,
    /// What it says.
    pub state: AlertState,
    /// Event time of the deciding event, or the timer's own time. Null: the events have no time.
    pub event_time: Option<Timestamp>,
    /// Page or ticket.
    pub urgency: Urgency,
    /// The rule's level.
    pub severity: Severity,
    /// The rule.
    pub rule: RuleRef,
    /// Names the alert.
    pub fingerprint: Fingerprint,
    /// The key that made the fingerprint, field → text.
    pub group: serde_json::Map<String, serde_json::Value>,
    /// What `x-alert.group` names, of the deciding event, field → text: alerts that agree in it are told together.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub told_with: serde_json::Map<String, serde_json::Value>,
    /// Times it held since it opened.
    pub count: u64,
    /// Times it held since somebody was told last, this one not counted.
    pub suppressed: u64,
    /// What a correlation measured: a count, a sum, a percentile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<serde_json::Number>,
    /// The measure reached a limit: the true value may be higher.
    #[serde(default, skip_serializing_if = "is_false")]
    pub at_least: bool,
    /// The events since somebody was told last, in total order; the last [`EVIDENCE_MAX`] of them.
    pub evidence: Vec<Evidence>,
    /// The event came behind the watermark and stands alone.
    #[serde(default, skip_serializing_if = "is_false")]
    pub late: bool,
    /// The event came from too far ahead and stands alone.
    #[serde(default, skip_serializing_if = "is_false")]
    pub early: bool,
    /// Told before its order was final; a sealed record follows.
    #[serde(default, skip_serializing_if = "is_false")]
    pub provisional: bool,
    /// The alert was closed because `open_alerts_max` was reached, not because its time was over.
    #[serde(default, skip_serializing_if = "is_false")]
    pub evicted: bool,
    /// What keeps it from being told; only where the state is `suppressed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suppressed_by: Option<SuppressedBy>,
    /// One sentence for the person who is woken.
    pub explain: String,
    /// What the deciding event says, field → text.
    pub facts: serde_json::Map<String, serde_json::Value>,
    /// The team that is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// What to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runbook: Option<String>,
    /// The rule's tags.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// The rule's own top-level keys.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub custom: serde_json::Map<String, serde_json::Value>,
}

fn is_false(flag: &bool) -> bool {
    !flag
}
