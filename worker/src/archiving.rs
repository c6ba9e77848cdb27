//! Events and alerts on their way into an archive: every field of the model, with secrets replaced.
//!
//! An event is read a second time, for all fields, and only where an archive is written. What the archive looks like stands in
//! `slis`. Must never let a text in that was not redacted.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use ingest::Seen;
use ingest::enrich::Tables;
use ingest::format::{Format, Plan, Shape, Wanted};
use model::{
    AlertRecord, Event, EventClass, Projection, RedactionKey, Row, Scalar, Sha256, Slot, Trust, Urgency, Verdict,
    redact_field,
};
use serde_json::{Value, json};
use slis::matcher::EVIDENCE_FIELD;

/// Source and partition of what this worker says itself.
pub(crate) const OWN: &str = "pipewarden";

/// Reads events of one format in full.
#[derive(Debug)]
pub(crate) struct Archiving {
    plan: Plan,
    fields: Projection,
    trust: Trust,
}

impl Archiving {
    /// For a source's format.
    pub(crate) fn new(format: &'static Format, trust: Option<Trust>, tables: Option<Arc<Tables>>) -> Archiving {
        let mut fields = Projection::default();
        for doc in model::FIELDS.iter() {
            fields.ask(doc.name);
        }
        let classes = EventClass::ALL.iter().map(|class| (*class, fields.clone())).collect();
        let plan = Plan::new(format, Wanted { classes, tables, ..Wanted::default() }, trust, &[]);
        Archiving { plan, fields, trust: trust.unwrap_or(format.trust) }
    }

    /// The event as it is archived.
    pub(crate) fn event(
        &self,
        seen: &Seen<'_>,
        source: &Arc<str>,
        key: RedactionKey,
        (raw, row): (&mut Row, &mut Row),
    ) -> Box<Event> {
        let decoded = &seen.decoded;
        let mut fields = BTreeMap::new();
        if decoded.class.is_some() && self.plan.scan(seen.text, raw).is_ok() {
            let view = raw.view(seen.text);
            if let Ok(Shape::Event(decoded)) = self.plan.shape(view, seen.outer.as_ref()) {
                self.plan.map(&decoded, view, source, row);
                fields = self.values(row.view(seen.text), key);
            }
        }
        let action = key.name_field("event.action", decoded.action);
        Box::new(Event {
            id: decoded.id.as_deref().map(|id| key.name_field("event.id", id).into()),
            class: decoded.class,
            action: (!action.is_empty()).then(|| action.into_owned()),
            outcome: decoded.verdict,
            time: decoded.time,
            source: source.clone(),
            trust: self.trust,
            sha256: Sha256::of(seen.text.as_bytes()),
            fields,
        })
    }

    fn values(&self, view: model::View<'_>, key: RedactionKey) -> BTreeMap<String, Value> {
        let mut fields = BTreeMap::new();
        for slot in 0..self.fields.len() as Slot {
            let name = self.fields.name(slot);
            let mut values: Vec<Value> = view.values(slot).filter_map(|value| clean(name, value, key)).collect();
            let value = if values.len() > 1 { Some(values.into()) } else { values.pop() };
            fields.extend(value.map(|value| (name.to_owned(), value)));
        }
        fields
    }
}

/// A value without its secrets: what joins events keeps names for them, all else loses them.
fn clean(field: &str, value: Scalar<'_>, key: RedactionKey) -> Option<Value> {
    Some(match value {
        Scalar::Text(text) if field.starts_with("prov.") || field == "fp" => key.name_field(field, text).into(),
        Scalar::Text(text) => redact_field(field, text).into(),
        Scalar::Int(number) => number.into(),
        Scalar::UInt(number) => number.into(),
        Scalar::Float(number) => number.into(),
        Scalar::Bool(value) => value.into(),
        Scalar::Null | Scalar::Empty => return None,
    })
}

/// An alert record as an event of class `alert`. Its texts have been redacted when the record was made.
pub(crate) fn of_alert(record: &AlertRecord, line: &str) -> Event {
    let mut fields: BTreeMap<String, Value> = BTreeMap::new();
    let known = record.facts.iter().chain(&record.told_with).chain(&record.group);
    fields.extend(known.filter(|(name, _)| name.starts_with("prov.")).map(|(name, text)| (name.clone(), text.clone())));
    let list = |of: Vec<String>| Value::from(of);
    let name = record.rule.name.as_deref().unwrap_or(&record.rule.id);
    let route = match record.urgency {
        Urgency::Page => "page",
        Urgency::Ticket => "ticket",
    };
    let own = [
        ("rule_id", json!(name)),
        ("rule_tags", json!(record.tags)),
        ("route", json!(route)),
        ("fingerprint", json!(record.fingerprint)),
        ("evidence", list(record.evidence.iter().map(|of| of.id.to_string()).collect())),
        (EVIDENCE_FIELD, list(record.evidence.iter().map(|of| of.sha256.hex()).collect())),
        ("explain", json!(record.explain)),
    ];
    fields.extend(own.map(|(name, value)| (name.to_owned(), value)));
    if let Some(owner) = &record.owner {
        fields.entry("prov.team".to_owned()).or_insert_with(|| json!(owner));
    }
    Event {
        id: Some(Cow::from(format!("{}:{}:{name}", record.fingerprint.hex(), record.state.name())).into()),
        class: Some(EventClass::Alert),
        action: Some(record.state.name().to_owned()),
        outcome: Verdict::Success,
        time: record.event_time,
        source: OWN.into(),
        trust: Trust::ControlPlane,
        sha256: Sha256::of(line.as_bytes()),
        fields,
    }
}
