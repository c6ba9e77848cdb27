//! The archive's tables: which columns they have and of what type.
//!
//! One column for each field of the event model: dots become underscores, the envelope's prefix goes. Lists and maps are JSON
//! text. Must never change the type of a column: old files are read by the same schema.

use std::sync::{Arc, LazyLock};

use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use model::{FIELDS, FieldKind};

use crate::matcher::EVIDENCE_FIELD;

/// Milliseconds since the epoch, in UTC.
pub(super) fn time_type() -> DataType {
    DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into()))
}

/// Fields of the envelope, which stand first and in every file.
const ENVELOPE: [&str; 10] = [
    "event.class",
    "event.action",
    "event.outcome",
    "event.time",
    "event.source",
    "event.trust",
    "event.id",
    "event.seq",
    "event.ingest_time",
    "event.type",
];

/// Columns that are no fields of the model.
const OWN: [&str; 4] = ["event_sha256", "arrival", "partition", EVIDENCE_FIELD];

/// The column of a field.
pub fn column_of(field: &str) -> String {
    match field {
        // The envelope has words of the same name.
        "source" | "type" | "time" | "class" => format!("own_{field}"),
        _ => field.strip_prefix("event.").unwrap_or(field).replace('.', "_"),
    }
}

/// Type of a field's column.
fn type_of(kind: FieldKind) -> DataType {
    match kind {
        FieldKind::Integer => DataType::Int64,
        FieldKind::Float => DataType::Float64,
        FieldKind::Bool => DataType::Boolean,
        FieldKind::Time => time_type(),
        FieldKind::Text
        | FieldKind::Ip
        | FieldKind::TextList
        | FieldKind::IntegerList
        | FieldKind::BoolList
        | FieldKind::Map => DataType::Utf8,
    }
}

/// One column for a field of the model.
pub(super) struct Column {
    pub(super) field: &'static str,
    pub(super) name: String,
    pub(super) kind: FieldKind,
}

/// Columns of the model's own fields, in its order; the envelope's and those of the archive stand apart.
pub(super) static COLUMNS: LazyLock<Vec<Column>> = LazyLock::new(|| {
    let of_model = FIELDS.iter().filter(|doc| !ENVELOPE.contains(&doc.name) || doc.name == "event.seq");
    of_model.map(|doc| Column { field: doc.name, name: column_of(doc.name), kind: doc.kind }).collect()
});

/// Columns that every file of events has, in order.
pub(super) fn envelope() -> Vec<Field> {
    let text = |name: &str, nullable| Field::new(name, DataType::Utf8, nullable);
    vec![
        Field::new("time", time_type(), true),
        text("class", true),
        text("action", true),
        text("outcome", true),
        text("source", true),
        text("trust", true),
        text("id", true),
        text(OWN[0], true),
        text(OWN[1], true),
        text(OWN[2], true),
        Field::new("offset", DataType::Int64, true),
        text(OWN[3], true),
    ]
}

/// A column of a field, as a field of Arrow.
pub(super) fn arrow_field(column: &Column) -> Field {
    Field::new(&column.name, type_of(column.kind), true)
}

/// The table of events.
pub fn events_schema() -> SchemaRef {
    let mut fields = envelope();
    fields.extend(COLUMNS.iter().map(arrow_field));
    Arc::new(Schema::new(fields))
}

/// The table of contributions: a row is one, or the sum of those of one key.
pub fn contributions_schema() -> SchemaRef {
    let text = |name: &str| Field::new(name, DataType::Utf8, false);
    let mut fields = vec![text("indicator"), Field::new("minute", time_type(), false)];
    fields.extend(["team", "environment", "repository", "label"].map(text));
    fields.push(Field::new("bucket", DataType::Int32, false));
    let sums = ["good", "total", "excluded", "measured", "sum_us", "seen"];
    fields.extend(sums.map(|name| Field::new(name, DataType::Int64, false)));
    Arc::new(Schema::new(fields))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_has_a_column_of_its_own() {
        let schema = events_schema();
        let mut names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        names.sort_unstable();
        let all = names.len();
        names.dedup();
        assert_eq!(names.len(), all);
        for name in
            ["time", "class", "prov_digest", "env_runner_tracking_id", "own_source", "seq", "event_sha256", "sha256"]
        {
            assert!(schema.field_with_name(name).is_ok(), "{name}");
        }
        assert_eq!(column_of("prov.team"), "prov_team");
    }
}
