//! The report of an exercise: what `--json` prints as it stands, and what the other forms are made from.

use std::collections::BTreeMap;

use model::{AlertState, Fingerprint, Timestamp, Urgency};
use serde::Serialize;
use serde_json::{Map, Value};

use super::exercise::Variant;
use super::records::Labelled;

/// What came of an exercise. Times are RFC 3339, spans seconds.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    pub name: String,
    pub id: String,
    pub variant: Variant,
    pub title: String,
    pub start: Timestamp,
    /// The first labelled event.
    pub judged_from: Timestamp,
    pub end: Timestamp,
    /// Days of the baseline that ran beside it.
    pub ordinary_days: u32,
    pub passed: bool,
    pub failures: Vec<String>,
    /// None: a twin.
    pub detection: Option<Detection>,
    /// Groups of pages.
    pub incidents: usize,
    pub pages_max: Option<usize>,
    pub tickets: usize,
    pub tickets_max: Option<usize>,
    pub expectations: Vec<Checked>,
    /// What cannot be judged yet, and why.
    pub pending: BTreeMap<String, String>,
    /// What the story says it measures.
    pub stated: BTreeMap<String, String>,
    pub alerts: Vec<Alert>,
    /// Alerts of the history, which nobody judges.
    pub before: usize,
    pub invalid_records: u64,
    pub late_events: u64,
    pub events: Vec<Labelled>,
}

/// From the first event of the attack to the first word about it.
#[derive(Debug, Serialize)]
pub(super) struct Detection {
    pub first_event: Timestamp,
    pub told_at: Option<Timestamp>,
    pub time_s: Option<i64>,
    pub goal: Option<Goal>,
    pub within: Option<bool>,
    /// The exercise is about this: to miss it is to fail.
    pub is_measured: bool,
}

/// A measure of time to detect.
#[derive(Debug, Serialize)]
pub(super) struct Goal {
    pub name: String,
    pub limit_s: i64,
}

/// An expectation, and what was told of it.
#[derive(Debug, Serialize)]
pub(super) struct Checked {
    pub id: String,
    pub route: Urgency,
    pub key: BTreeMap<String, String>,
    pub not_before: Timestamp,
    pub not_after: Timestamp,
    pub outcome: Outcome,
    pub told_at: Option<Timestamp>,
    pub event_time: Option<Timestamp>,
    /// The key of the nearest alert, where it is another.
    pub told_key: Option<Map<String, Value>>,
    /// Met, but no event of the attack is named by it.
    pub lacks_evidence: bool,
}

/// What became of an expectation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Outcome {
    Met,
    /// Told after `not_after`.
    Late,
    /// Only of something before `not_before`.
    Early,
    /// Told as a ticket where a page is due.
    OnlyTicket,
    /// The detection spoke, of something else.
    OtherKey,
    NotTold,
    /// No such rule is loaded.
    NoRule,
    /// Not met, and known to wait for something.
    Pending,
}

impl Outcome {
    pub(super) fn is_good(self) -> bool {
        matches!(self, Outcome::Met | Outcome::Pending)
    }
}

/// An alert that was told, once.
#[derive(Debug, Serialize)]
pub(super) struct Alert {
    /// Name of the rule, else its id.
    pub detection: String,
    #[serde(skip)]
    pub fingerprint: Fingerprint,
    pub title: String,
    pub urgency: Urgency,
    pub state: AlertState,
    pub event_time: Timestamp,
    /// Tick at which it was told first, provisionally or for good.
    pub told_at: Timestamp,
    /// Tick at which it was sealed; None: it was not.
    pub sealed_at: Option<Timestamp>,
    pub key: Map<String, Value>,
    #[serde(skip)]
    pub facts: Map<String, Value>,
    /// Ids of events.
    pub evidence: Vec<String>,
    pub standing: Standing,
}

/// What an alert is to an exercise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Standing {
    /// The key of an expectation.
    Expected,
    /// Not expected, and on the attack's lineage: welcome.
    Lineage,
    /// It may come or stay away.
    Pending,
    /// Of nothing that belongs to the attack.
    Stray,
    /// Must not be said.
    Forbidden,
}

impl Standing {
    pub(super) fn is_of_the_attack(self) -> bool {
        matches!(self, Standing::Expected | Standing::Lineage)
    }

    pub(super) fn words(self) -> &'static str {
        match self {
            Standing::Expected => "expected",
            Standing::Lineage => "on the attack's lineage",
            Standing::Pending => "pending",
            Standing::Stray => "stray",
            Standing::Forbidden => "forbidden",
        }
    }
}

impl Alert {
    /// `field=value field=value`.
    pub(super) fn key_text(&self) -> String {
        pairs(&self.key)
    }
}

impl Checked {
    /// What became of it, in words.
    pub(super) fn said(&self, start: Timestamp) -> String {
        let at = |time: Option<Timestamp>| time.map_or_else(String::new, |time| clock(time, start));
        match self.outcome {
            Outcome::Met if self.lacks_evidence => "met, but its evidence names no event of the attack".to_owned(),
            Outcome::Met => "met".to_owned(),
            Outcome::Late => {
                let late_ms = self.told_at.map_or(0, |told| told.ms() - self.not_after.ms());
                format!("told at {}, {} too late", at(self.told_at), span(late_ms / 1000))
            }
            Outcome::Early => format!("told only of {}, before it is due", at(self.event_time)),
            Outcome::OnlyTicket => format!("told at {}, but as a ticket", at(self.told_at)),
            Outcome::OtherKey => {
                let key = self.told_key.as_ref().map(pairs).unwrap_or_default();
                format!("told at {}, but of {key}", at(self.told_at))
            }
            Outcome::NotTold => "not told".to_owned(),
            Outcome::NoRule => "no such rule is loaded".to_owned(),
            Outcome::Pending => "pending".to_owned(),
        }
    }

    /// `field=value field=value`.
    pub(super) fn key_text(&self) -> String {
        self.key.iter().map(|(field, value)| format!("{field}={value}")).collect::<Vec<_>>().join(" ")
    }
}

impl Detection {
    /// `31 s after the first event (B-M5: within 1 h)`.
    pub(super) fn said(&self) -> String {
        let time = match self.time_s {
            Some(time_s) => format!("{} after the first event", span(time_s)),
            None => "never".to_owned(),
        };
        match &self.goal {
            Some(goal) if self.is_measured => format!("{time} ({}: within {})", goal.name, span(goal.limit_s)),
            _ => time,
        }
    }
}

fn pairs(map: &Map<String, Value>) -> String {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    map.iter().map(|(field, value)| format!("{field}={}", text(value))).collect::<Vec<_>>().join(" ")
}

/// A time from the start on, as a scenario writes it: `01:30`, `2:00:00`, `-26:00:00`.
pub(super) fn clock(time: Timestamp, start: Timestamp) -> String {
    let seconds = (time.ms() - start.ms()).div_euclid(1000);
    let (sign, seconds) = if seconds < 0 { ("-", -seconds) } else { ("", seconds) };
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match hours {
        0 => format!("{sign}{minutes:02}:{seconds:02}"),
        _ => format!("{sign}{hours}:{minutes:02}:{seconds:02}"),
    }
}

/// Seconds in words: `31 s`, `4 min 05 s`, `26 h 03 min`.
pub(super) fn span(seconds: i64) -> String {
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, s) => format!("{s} s"),
        (0, m, 0) => format!("{m} min"),
        (0, m, s) => format!("{m} min {s:02} s"),
        (h, 0, _) => format!("{h} h"),
        (h, m, _) => format!("{h} h {m:02} min"),
    }
}
