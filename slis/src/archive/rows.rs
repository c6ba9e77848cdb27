//! Events as columns.
//!
//! Only columns in which some row has a value are written. What does not fit the type of its column (a text where a number
//! belongs) is left out of it. Must never write a text that was not redacted: that is done where keys are at hand.

use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMillisecondArray,
};
use datafusion::arrow::datatypes::{Field, Schema};
use datafusion::arrow::error::ArrowError;
use model::{Arrival, Event, EventClass, FieldKind};
use serde_json::Value;

use super::schema::{COLUMNS, arrow_field, envelope};
use crate::matcher::EVIDENCE_FIELD;

/// An event on its way into the archive; its texts have been redacted.
#[derive(Debug, Clone)]
pub struct ArchivedEvent {
    /// The event.
    pub event: Event,
    /// Whether it came in time.
    pub arrival: Arrival,
    /// The partition that it came from.
    pub partition: Arc<str>,
    /// Its offset there.
    pub offset: i64,
}

impl ArchivedEvent {
    /// Its place in total order, as far as it does not hang on arrival.
    pub(super) fn order(&self) -> impl Ord + use<> {
        let Event { time, source, id, sha256, .. } = &self.event;
        (time.map(model::Timestamp::ms), source.clone(), id.clone(), *sha256)
    }
}

/// The word of an arrival.
fn word(arrival: Arrival) -> &'static str {
    match arrival {
        Arrival::OnTime => "on_time",
        Arrival::Late => "late",
        Arrival::Early => "early",
    }
}

/// Rows of one file.
///
/// # Errors
/// When columns do not fit together, which no input can bring about.
pub(super) fn batch(rows: &[ArchivedEvent]) -> Result<RecordBatch, ArrowError> {
    let texts = |of: &dyn Fn(&ArchivedEvent) -> Option<String>| -> ArrayRef {
        Arc::new(rows.iter().map(of).collect::<StringArray>())
    };
    let times = rows.iter().map(|row| row.event.time.map(model::Timestamp::ms));
    let mut arrays: Vec<ArrayRef> = vec![
        Arc::new(times.collect::<TimestampMillisecondArray>().with_timezone("UTC")),
        texts(&|row| row.event.class.map(|class| EventClass::name(class).to_owned())),
        texts(&|row| row.event.action.clone()),
        texts(&|row| Some(row.event.outcome.name().to_owned())),
        texts(&|row| Some(row.event.source.to_string())),
        texts(&|row| Some(row.event.trust.name().to_owned())),
        texts(&|row| row.event.id.as_ref().map(|id| id.to_string())),
        texts(&|row| Some(row.event.sha256.hex())),
        texts(&|row| Some(word(row.arrival).to_owned())),
        texts(&|row| Some(row.partition.to_string())),
        Arc::new(rows.iter().map(|row| Some(row.offset)).collect::<Int64Array>()),
        texts(&|row| row.event.fields.get(EVIDENCE_FIELD).map(Value::to_string)),
    ];
    let mut fields: Vec<Field> = envelope();
    for column in COLUMNS.iter() {
        let values: Vec<Option<Value>> = rows.iter().map(|row| value(&row.event, column.field, column.kind)).collect();
        if values.iter().all(Option::is_none) {
            continue;
        }
        fields.push(arrow_field(column));
        arrays.push(array(&values, column.kind));
    }
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)
}

/// The value of a field; of a map all its keys.
fn value(event: &Event, field: &str, kind: FieldKind) -> Option<Value> {
    if kind != FieldKind::Map {
        return event.fields.get(field).cloned();
    }
    let keys = event.fields.range(format!("{field}.")..format!("{field}/"));
    let map: serde_json::Map<String, Value> = keys
        .filter_map(|(name, value)| Some((name.strip_prefix(field)?.strip_prefix('.')?.to_owned(), value.clone())))
        .collect();
    (!map.is_empty()).then_some(Value::Object(map))
}

fn array(values: &[Option<Value>], kind: FieldKind) -> ArrayRef {
    match kind {
        FieldKind::Integer => {
            Arc::new(values.iter().map(|v| v.as_ref().and_then(Value::as_i64)).collect::<Int64Array>())
        }
        FieldKind::Float => {
            Arc::new(values.iter().map(|v| v.as_ref().and_then(Value::as_f64)).collect::<Float64Array>())
        }
        FieldKind::Bool => {
            Arc::new(values.iter().map(|v| v.as_ref().and_then(Value::as_bool)).collect::<BooleanArray>())
        }
        FieldKind::Time => {
            let ms = values.iter().map(|v| v.as_ref().and_then(time_ms));
            Arc::new(ms.collect::<TimestampMillisecondArray>().with_timezone("UTC"))
        }
        FieldKind::Text
        | FieldKind::Ip
        | FieldKind::TextList
        | FieldKind::IntegerList
        | FieldKind::BoolList
        | FieldKind::Map => Arc::new(values.iter().map(|v| v.as_ref().map(text)).collect::<StringArray>()),
    }
}

/// A time as fields hold it: milliseconds, or as it is written.
fn time_ms(value: &Value) -> Option<i64> {
    match value {
        Value::String(text) => model::Timestamp::parse(text).map(model::Timestamp::ms),
        value => value.as_i64(),
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        value => value.to_string(),
    }
}
