//! A silence: the time and the scope for which an announced change keeps alerts from being told.
//!
//! Made of one event at which a rule holds that `x-alert.suppress_when` names. Must never be made of an event that anybody
//! but a control source may write.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{Arrival, EventOrder, Position, RuleInfo, Timestamp};

/// Fields by which an announcement says what it is about, and an alert what it is about.
pub const SCOPE_FIELDS: [&str; 6] = ["prov.org", "prov.team", "prov.repo_id", "prov.repo", "prov.env", "prov.service"];

/// An announcement without an end counts for this long, in milliseconds.
pub const SILENCE_DEFAULT_MS: i64 = 3_600_000;

/// No announcement counts for longer than this, in milliseconds.
pub const SILENCE_MAX_MS: i64 = 7 * 86_400_000;

/// See the module.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Silence {
    /// The rule that holds at the announcement.
    pub rule: Arc<RuleInfo>,
    /// Where the announcement stands in total order.
    pub order: EventOrder,
    /// How it stood to the watermark.
    pub arrival: Arrival,
    /// Where the record was read.
    pub position: Position,
    /// What it is about: each field with the texts that it may have. Never empty.
    #[serde(with = "scope")]
    pub scope: Vec<(&'static str, Vec<String>)>,
    /// From when it counts: never before the announcement.
    pub from: Timestamp,
    /// Until when, inclusive.
    pub to: Timestamp,
}

/// A scope with its fields as text.
mod scope {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::SCOPE_FIELDS;

    type Scope = Vec<(&'static str, Vec<String>)>;

    pub(super) fn serialize<S: Serializer>(scope: &Scope, to: S) -> Result<S::Ok, S::Error> {
        scope.serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Scope, D::Error> {
        let named = Vec::<(String, Vec<String>)>::deserialize(from)?;
        let known = |name: &str| SCOPE_FIELDS.into_iter().find(|known| *known == name);
        Ok(named.into_iter().filter_map(|(name, texts)| Some((known(&name)?, texts))).collect())
    }
}

impl Silence {
    /// An announcement that covers `from` to `to`, as far as it says so. None: it is about nothing, or over before it
    /// begins.
    pub fn new(
        rule: Arc<RuleInfo>,
        (order, arrival, position): (EventOrder, Arrival, Position),
        scope: Vec<(&'static str, Vec<String>)>,
        (from, to): (Option<Timestamp>, Option<Timestamp>),
    ) -> Option<Silence> {
        let (from, to) = Silence::window(order.time, (from, to))?;
        (!scope.is_empty()).then_some(Silence { rule, order, arrival, position, scope, from, to })
    }

    /// From when until when (inclusive) an announcement made at a time counts. None: it is over before it begins.
    pub fn window(at: Timestamp, (from, to): (Option<Timestamp>, Option<Timestamp>)) -> Option<(Timestamp, Timestamp)> {
        let from = from.unwrap_or(at).max(at);
        let to = to.unwrap_or(from.plus_ms(SILENCE_DEFAULT_MS)).min(from.plus_ms(SILENCE_MAX_MS));
        (from <= to).then_some((from, to))
    }

    /// It covers what is said, at a time, of something with these (field, text) pairs. What a pair is missing for is not
    /// covered.
    pub fn covers<'p>(&self, at: Timestamp, pairs: impl Iterator<Item = (&'p str, &'p str)> + Clone) -> bool {
        let named = |field: &str, texts: &[String]| {
            pairs.clone().any(|(name, text)| name == field && texts.iter().any(|known| known == text))
        };
        self.from <= at && at <= self.to && self.scope.iter().all(|(field, texts)| named(field, texts))
    }
}
