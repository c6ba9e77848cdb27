//! Contributions of an archive: all its events in total order through the matcher, and what comes of it in the place of what
//! was there.
//!
//! A function of the events that the archive holds. Must never keep what events that are gone contributed, nor decide an
//! anchor whose deadline lies behind the last event.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::array::{
    Array, AsArray, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMillisecondArray,
};
use datafusion::arrow::datatypes::DataType;
use futures::StreamExt;
use model::{Event, EventClass, Sha256, Timestamp, Trust, Verdict};
use serde_json::Value;

use crate::archive::{Archive, CONTRIBUTIONS, EVENTS, Entry, Manifest, column_of, write_contributions};
use crate::buckets::Buckets;
use crate::definition::Definition;
use crate::matcher::{AtLimit, EVIDENCE_FIELD, Limits, Matcher};
use crate::query::{QueryError, QueryLimits, Store, said};

/// Fields that every contribution asks for.
const SCOPE: [&str; 6] = ["prov.team", "prov.env", "prov.repo", "from", "to", EVIDENCE_FIELD];

/// Columns of the envelope, in the order in which they are read.
const ENVELOPE: &str = "time, class, action, outcome, source, trust, id, event_sha256, arrival";

/// Its number of columns.
const ENVELOPE_COLUMNS: usize = 9;

/// What was derived.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Derived {
    /// Events that were looked at.
    pub events: u64,
    /// Rows of contributions.
    pub rows: usize,
    /// Anchors whose deadline is not over.
    pub waiting: usize,
    /// What did not fit.
    pub at_limit: AtLimit,
}

/// Contributions of everything in an archive, by minute.
///
/// # Errors
/// When events cannot be read.
pub async fn buckets(
    store: &Store,
    definitions: Arc<[Definition]>,
    rows_max: usize,
) -> Result<(Buckets, Derived), QueryError> {
    let fields = fields(&definitions);
    let columns: Vec<String> = fields.iter().map(|field| format!("\"{}\"", column_of(field))).collect();
    let sql = format!(
        "SELECT {ENVELOPE}, {} FROM events WHERE time IS NOT NULL ORDER BY time, source, id, \
         event_sha256",
        columns.join(", ")
    );
    let mut stream = store.stream(&sql).await?;
    let (mut matcher, mut buckets) = (Matcher::new(definitions, Limits::default()), Buckets::new(rows_max));
    let mut derived = Derived::default();
    while let Some(batch) = stream.next().await {
        for (event, is_early) in events(&batch.map_err(said)?, &fields) {
            derived.events += 1;
            // One from too far ahead says nothing of what is complete.
            if let Some(time) = event.time.filter(|_| !is_early) {
                matcher.advance(time.ms(), &mut |told, _| buckets.add(told));
            }
            matcher.observe(&event, &mut |told, _| buckets.add(told));
        }
    }
    (derived.waiting, derived.at_limit, derived.rows) = (matcher.waiting(), matcher.at_limit(), buckets.len());
    Ok((buckets, derived))
}

/// Where the contributions of all events of an archive are asked: in the archive, where they were derived after the last event
/// came; else in memory, derived now. A worker archives events and leaves the rest to whoever asks.
///
/// # Errors
/// When the archive cannot be read.
pub async fn up_to_date(
    limits: &QueryLimits,
    folder: &Path,
    definitions: Arc<[Definition]>,
    rows_max: usize,
) -> Result<Store, QueryError> {
    let (manifest, store) = (Manifest::read(folder, None)?, Store::with_archive(limits, folder)?);
    let last = |table: &str| manifest.files().filter(|file| file.table == table).map(Entry::line).max();
    if last(EVENTS) <= last(CONTRIBUTIONS) {
        return Ok(store);
    }
    let (buckets, _) = buckets(&store, definitions, rows_max).await?;
    Store::with_buckets(limits, &buckets)
}

/// Puts the contributions of an archive into it, in the place of those that were there.
///
/// # Errors
/// When events cannot be read or files not be written.
pub async fn derive(
    archive: &mut Archive,
    limits: &QueryLimits,
    definitions: Arc<[Definition]>,
    rows_max: usize,
) -> Result<Derived, QueryError> {
    let store = Store::with_archive(limits, archive.folder())?;
    let (buckets, derived) = buckets(&store, definitions, rows_max).await?;
    put(archive, &buckets)?;
    Ok(derived)
}

/// Puts contributions into an archive, in the place of those that were there.
///
/// # Errors
/// When files cannot be written.
pub fn put(archive: &mut Archive, buckets: &Buckets) -> Result<(), QueryError> {
    Ok(write_contributions(archive, &buckets.rows(), true)?)
}

/// Puts contributions into an archive beside those that are there.
///
/// # Errors
/// When files cannot be written.
pub fn add(archive: &mut Archive, buckets: &Buckets) -> Result<(), QueryError> {
    Ok(write_contributions(archive, &buckets.rows(), false)?)
}

/// The fields that definitions look at, without the envelope's.
pub(crate) fn fields(definitions: &[Definition]) -> Vec<String> {
    let named = definitions.iter().flat_map(Definition::fields).chain(SCOPE);
    let is_own = |field: &&str| !field.starts_with("event.") || *field == "event.seq";
    let fields: BTreeSet<String> = named.filter(is_own).map(str::to_owned).collect();
    fields.into_iter().collect()
}

/// The events of a batch, and whether each came from too far ahead.
fn events(batch: &RecordBatch, fields: &[String]) -> Vec<(Event, bool)> {
    let early = |row| batch.columns().get(8).and_then(|column| value(column.as_ref(), row)) == Some("early".into());
    (0..batch.num_rows()).map(|row| (event(batch, fields, row), early(row))).collect()
}

fn event(batch: &RecordBatch, fields: &[String], row: usize) -> Event {
    let value = |at: usize| batch.columns().get(at).and_then(|column| value(column.as_ref(), row));
    let text = |at: usize| match value(at) {
        Some(Value::String(text)) => Some(text),
        _ => None,
    };
    let named = fields.iter().enumerate();
    let own = named.filter_map(|(at, field)| Some((field.clone(), listed(field, value(ENVELOPE_COLUMNS + at)?))));
    Event {
        time: value(0).and_then(|ms| ms.as_i64()).map(Timestamp::from_ms),
        class: text(1).and_then(|name| EventClass::by_name(&name)),
        action: text(2),
        outcome: text(3).and_then(|name| Verdict::by_name(&name)).unwrap_or(Verdict::Unknown),
        source: text(4).unwrap_or_default().into(),
        trust: text(5).and_then(|name| Trust::ALL.into_iter().find(|of| of.name() == name)).unwrap_or(Trust::Tenant),
        id: text(6).map(Into::into),
        sha256: hash(text(7)),
        fields: own.collect(),
    }
}

/// The hash that an archive holds as text.
fn hash(text: Option<String>) -> Sha256 {
    let parsed = text.and_then(|text| serde_json::from_value(Value::String(text)).ok());
    parsed.unwrap_or_else(|| Sha256::of(b""))
}

/// Lists stand in the archive as JSON text.
fn listed(field: &str, value: Value) -> Value {
    let is_list = field == EVIDENCE_FIELD || model::field(field).is_some_and(|doc| doc.kind.name().starts_with("list"));
    match value {
        Value::String(text) if is_list => match serde_json::from_str(&text) {
            Ok(Value::Array(items)) => Value::Array(items),
            _ => Value::String(text),
        },
        value => value,
    }
}

/// One value of a column.
fn value(column: &dyn Array, row: usize) -> Option<Value> {
    if column.is_null(row) {
        return None;
    }
    let any = column.as_any();
    match column.data_type() {
        DataType::Utf8 => any.downcast_ref::<StringArray>().map(|column| column.value(row).into()),
        DataType::Utf8View => column.as_string_view_opt().map(|column| column.value(row).into()),
        DataType::Int64 => any.downcast_ref::<Int64Array>().map(|column| column.value(row).into()),
        DataType::Float64 => any.downcast_ref::<Float64Array>().map(|column| column.value(row).into()),
        DataType::Boolean => any.downcast_ref::<BooleanArray>().map(|column| column.value(row).into()),
        DataType::Timestamp(..) => {
            any.downcast_ref::<TimestampMillisecondArray>().map(|column| column.value(row).into())
        }
        _ => None,
    }
}
