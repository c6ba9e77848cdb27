//! The alert record: the one shape that the alert topic, the seal log and `--alerts` write.
//!
//! A sealed record is a function of the set of events, the rules and the control log: nothing here may depend on
//! arrival. Text that leaves here has been redacted and cut.

use std::sync::Arc;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

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
    #[serde(deserialize_with = "written")]
    pub from: Timestamp,
    /// Until when, inclusive.
    #[serde(deserialize_with = "written")]
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
    #[serde(deserialize_with = "written_or_null")]
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
    /// Nobody is told because the rule, or what its detector knows of the key, is on trial or explained; the state is `suppressed`.
    #[serde(default, skip_serializing_if = "is_false")]
    pub shadow: bool,
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

/// A time as records write it.
fn written<'de, D: Deserializer<'de>>(from: D) -> Result<Timestamp, D::Error> {
    let text = String::deserialize(from)?;
    Timestamp::parse(&text).ok_or_else(|| D::Error::custom("not a time"))
}

fn written_or_null<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Timestamp>, D::Error> {
    let text = Option::<String>::deserialize(from)?;
    text.map(|text| Timestamp::parse(&text).ok_or_else(|| D::Error::custom("not a time"))).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_back_as_it_was_written() {
        let (print, hash) = ("0ce4fd1177e13b28c885f659f64c1df2", crate::Sha256::of(b"x").hex());
        let rule = format!(r#"{{"id":"r","name":null,"title":"R","version":"{hash}"}}"#);
        let by = format!(
            r#"{{"rule":"c","name":"campaign","event":{{"id":"e","sha256":"{hash}"}},"from":"2026-10-05T08:00:00.000Z","to":"2026-10-05T09:00:00.000Z"}}"#
        );
        let text = |time: &str, more: &str| {
            format!(
                r#"{{"schema":1,"state":"suppressed","event_time":{time},"urgency":"page","severity":"high","rule":{rule},"fingerprint":"{print}","group":{{"k":"v"}},"count":2,"suppressed":1,"evidence":[{{"id":"e","sha256":"{hash}"}}],{more}"explain":"why","facts":{{}}}}"#
            )
        };
        for line in
            [text("\"2026-10-05T08:00:00.123Z\"", &format!("\"late\":true,\"suppressed_by\":{by},")), text("null", "")]
        {
            let record: AlertRecord = serde_json::from_str(&line).unwrap();
            assert_eq!(serde_json::to_string(&record).unwrap(), line);
        }
        assert!(serde_json::from_str::<AlertRecord>(&text("\"soon\"", "")).is_err());
    }
}
