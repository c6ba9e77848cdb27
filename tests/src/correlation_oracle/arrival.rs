//! What must come of a case: which events are on time, which are copies, which stand alone.
//!
//! Lateness is decided for each input from its own lines. Must never share code with the gate.

use serde_json::Value;

use super::draw::Case;
use super::{Event, expected, life};

/// Events of a case: on time in total order, and late ones, each once.
#[derive(Debug, Default)]
pub struct Sorted {
    /// In total order.
    pub on_time: Vec<Event>,
    /// In no particular order.
    pub late: Vec<Event>,
}

/// Sorts the events of some inputs.
pub fn sorted(files: &[Vec<String>], lateness_s: i64) -> Sorted {
    let (mut on_time, mut late) = (Vec::<Event>::new(), Vec::<Event>::new());
    for file in files {
        let mut newest = i64::MIN;
        for line in file {
            let event = Event::read(line);
            let is_late = event.at_ms < newest.saturating_sub(lateness_s * 1000);
            let into = if is_late { &mut late } else { &mut on_time };
            newest = newest.max(event.at_ms);
            if !(event.has_id && into.iter().any(|known| known.line == event.line)) {
                into.push(event);
            }
        }
    }
    late.retain(|event| !event.has_id || on_time.iter().all(|known| known.line != event.line));
    on_time.sort_by(Event::order);
    Sorted { on_time, late }
}

/// What the engine must tell: records in order, then those of late events, sorted. None: a document is refused.
pub fn told(case: &Case) -> Option<(Vec<Value>, Vec<Value>)> {
    let documents = case.documents()?;
    let Sorted { on_time, late } = sorted(&case.files, case.lateness_s);
    let records = expected(&documents, &on_time, &case.health, case.every_match);
    Some((records, life::alone(&documents, &late, case.every_match)))
}

/// The same record with its keys in alphabetical order, as a sort needs it.
pub(super) fn in_one_order(record: Value) -> Value {
    let Value::Object(fields) = record else { return record };
    let sorted: std::collections::BTreeMap<String, Value> = fields.into_iter().collect();
    Value::Object(sorted.into_iter().map(|(name, value)| (name, in_one_order(value))).collect())
}

/// A measure at nine places: reading a number from text may cost its last digit.
pub fn measured(value: f64) -> Value {
    if value.fract() == 0.0 { Value::from(value as i64) } else { Value::from((value * 1e9).round() / 1e9) }
}

/// The part of a record that this model speaks of.
pub fn compared(record: &Value) -> Value {
    let names = ["state", "event_time", "urgency", "fingerprint", "group", "count", "suppressed", "evidence"];
    let mut part: serde_json::Map<String, Value> =
        names.iter().map(|name| ((*name).to_owned(), record[name].clone())).collect();
    part.insert("rule".to_owned(), record["rule"]["id"].clone());
    part.insert("value".to_owned(), record.get("value").and_then(Value::as_f64).map_or(Value::Null, measured));
    part.insert("late".to_owned(), record.get("late").cloned().unwrap_or(Value::Bool(false)));
    in_one_order(Value::Object(part))
}

/// Records in order, then the late ones, sorted.
pub fn split(records: impl Iterator<Item = Value>) -> (Vec<Value>, Vec<Value>) {
    let (mut late, told): (Vec<Value>, Vec<Value>) =
        records.map(|record| compared(&record)).partition(|record| record["late"] == true);
    late.sort_by_key(Value::to_string);
    (told, late)
}
