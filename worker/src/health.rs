//! What events say of how sources are: an operator's word (`ops.health`), and heartbeats.
//!
//! Only what a control source says is heard: a source's configuration holds the classes that it may speak. Must never decide
//! anything about a source: it reads.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use ingest::Seen;
use ingest::format::{Format, Plan, Shape, Wanted};
use model::{EventClass, HealthState, KnownFrom, Projection, Row, Scalar, Slot, SourceHealth, Timestamp};

use crate::control::{ControlRecord, Known};
use crate::engine::Reading;

/// What one event says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Spoken {
    /// How a source is.
    Health {
        /// Which, and how.
        said: SourceHealth,
        /// When it was said, in event time.
        at: Timestamp,
    },
    /// A source is alive.
    Heartbeat {
        /// Which.
        source: Arc<str>,
        /// When, in event time.
        at: Timestamp,
    },
}

/// Fields that such an event is read by: which source, from when, until when.
const FIELDS: [&str; 3] = ["object", "from", "to"];

/// Reads such events of one format.
#[derive(Debug)]
pub struct Listening {
    plan: Plan,
    fields: [Slot; 3],
}

impl Listening {
    /// What is read of a source's format. None: it may say nothing of the kind.
    pub fn new(format: &'static Format, reading: &Reading) -> Option<Listening> {
        format.mapping?;
        let is_one = |class: &EventClass| *class == EventClass::OpsHealth || class.is_heartbeat();
        let may = |class: &EventClass| reading.classes.as_ref().is_none_or(|allowed| allowed.contains(class));
        let mut asked = Projection::default();
        let fields = FIELDS.map(|field| asked.ask(field));
        let classes: BTreeMap<EventClass, Projection> = EventClass::ALL
            .iter()
            .filter(|class| is_one(class) && may(class))
            .map(|class| (*class, asked.clone()))
            .collect();
        let wanted = || Wanted { classes: classes.clone(), ..Wanted::default() };
        (!classes.is_empty()).then(|| Listening { plan: Plan::new(format, wanted(), reading.trust, &[]), fields })
    }

    /// What an event says of a source; of its own, where it names none.
    pub fn hear(&self, seen: &Seen<'_>, source: &Arc<str>, raw: &mut Row, row: &mut Row) -> Option<Box<Spoken>> {
        let (class, at) = (seen.decoded.class?, seen.decoded.time?);
        if class != EventClass::OpsHealth && !class.is_heartbeat() {
            return None;
        }
        self.plan.scan(seen.text, raw).ok()?;
        let view = raw.view(seen.text);
        let Ok(Shape::Event(decoded)) = self.plan.shape(view, seen.outer.as_ref()) else { return None };
        self.plan.map(&decoded, view, source, row)?;
        let view = row.view(seen.text);
        let text = |slot: Slot| view.values(slot).find_map(Scalar::as_text).map(Cow::into_owned);
        let time = |text: String| text.parse().ok().map(Timestamp::from_ms).or_else(|| Timestamp::parse(&text));
        let [object, from, to] = self.fields;
        let of = text(object).map_or_else(|| source.clone(), Arc::from);
        let spoken = if class.is_heartbeat() {
            // What sensors say of runners and nodes says of their own source that it is heard.
            let of = if class == EventClass::OpsHeartbeat { of } else { source.clone() };
            Spoken::Heartbeat { source: of, at }
        } else {
            let from = text(from).and_then(time).unwrap_or(at);
            let to = text(to).and_then(time);
            let state = match decoded.action {
                "healthy" => HealthState::Healthy { at },
                "unhealthy" if to.is_none_or(|to| from < to) => HealthState::Unhealthy { from, to },
                _ => return None,
            };
            Spoken::Health { said: SourceHealth { source: of, state }, at }
        };
        Some(Box::new(spoken))
    }
}

/// A statement as a record of the control log.
pub fn record(time: Timestamp, said: &SourceHealth, known: &[KnownFrom]) -> ControlRecord {
    let (mut from_ms, mut to_ms, mut healthy_ms) = (None, None, None);
    match said.state {
        HealthState::Unhealthy { from, to } => (from_ms, to_ms) = (Some(from.ms()), to.map(Timestamp::ms)),
        HealthState::Healthy { at } => healthy_ms = Some(at.ms()),
    }
    let (source, known) = (said.source.to_string(), self::known(known));
    ControlRecord::Health { time_ms: time.ms(), source, from_ms, to_ms, healthy_ms, known }
}

/// Where lanes had come to, as the control log has it.
pub fn known(known: &[KnownFrom]) -> Vec<Known> {
    let one = |of: &KnownFrom| Known {
        sources: of.sources.iter().map(|source| source.to_string()).collect(),
        from_ms: of.from.ms(),
    };
    known.iter().map(one).collect()
}

/// The same, back.
pub fn known_of(known: &[Known]) -> Vec<KnownFrom> {
    let one = |of: &Known| KnownFrom {
        sources: of.sources.iter().map(|source| source.as_str().into()).collect(),
        from: Timestamp::from_ms(of.from_ms),
    };
    known.iter().map(one).collect()
}

/// What a record of the control log says of a source. None: it says nothing of one.
pub fn of_record(record: &ControlRecord) -> Option<(SourceHealth, Vec<KnownFrom>)> {
    let ControlRecord::Health { source, from_ms, to_ms, healthy_ms, known, .. } = record else { return None };
    let time = |ms: &Option<i64>| ms.map(Timestamp::from_ms);
    let state = match (time(from_ms), time(healthy_ms)) {
        (Some(from), _) => HealthState::Unhealthy { from, to: time(to_ms) },
        (None, Some(at)) => HealthState::Healthy { at },
        (None, None) => return None,
    };
    Some((SourceHealth { source: source.as_str().into(), state }, known_of(known)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_read_back_as_it_was_written() {
        let at = Timestamp::from_ms;
        let known = [KnownFrom { sources: vec!["a".into(), "b".into()], from: Timestamp::MIN }];
        for state in [
            HealthState::Unhealthy { from: at(-5), to: None },
            HealthState::Unhealthy { from: at(5), to: Some(at(6)) },
            HealthState::Healthy { at: at(7) },
        ] {
            let said = SourceHealth { source: "signing".into(), state };
            let line = serde_json::to_string(&record(at(9), &said, &known)).expect("a line");
            let back: ControlRecord = serde_json::from_str(&line).expect("a record");
            assert_eq!(of_record(&back), Some((said, known.to_vec())), "{line}");
        }
    }
}
