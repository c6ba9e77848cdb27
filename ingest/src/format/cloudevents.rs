//! The CloudEvents 1.0 envelope, structured: one object, or a batch of them in an array. Binary mode becomes this where
//! Kafka messages become records.
//!
//! The event is in `data` or `data_base64` and of another format, told by its content; the envelope gives it id and
//! time where it has none. Must never make an event of an envelope alone: its type is a name that anybody may choose.

use model::Trust;

use super::{Classified, Container, Format, Id, Inputs, Mapping};

/// The format.
pub static FORMAT: Format = Format {
    name: "cloudevents",
    title: "CloudEvents 1.0 envelopes around any other format",
    product: "cloudevents",
    service: "envelope",
    marks: &[&["specversion", "id", "source", "type"]],
    containers: &[Container::Foreign("data"), Container::ForeignEncoded("data_base64")],
    mapping: Some(&MAPPING),
    trust: Trust::Agent,
};

/// The mapping: what an envelope says of the event in it. An id is unique within its source only.
static MAPPING: Mapping = Mapping {
    id: Id::Joined(&["source", "id"]),
    time: &["time"],
    action: "type",
    classify_paths: &[],
    classify,
    rows: &[],
};

/// Only an envelope without data comes here.
fn classify(_: &Inputs<'_>) -> Classified {
    Classified::Unknown
}

/// Paths of an envelope's source and id, for records of a format that stands in it: the same id as [`FORMAT`] gives.
pub(super) const ID: Id = Id::Joined(&["^.source", "^.id"]);

/// The trace id of a W3C `traceparent` (`00-TRACE-PARENT-FLAGS`): 32 hexadecimal digits, not all zero.
pub(super) fn trace_id(inputs: &Inputs<'_>, output: &mut super::Output<'_>) {
    let Some(trace) = inputs.text(0).and_then(|parent| parent.split('-').nth(1)) else { return };
    if trace.len() == 32 && trace.bytes().all(|b| b.is_ascii_hexdigit()) && trace.bytes().any(|b| b != b'0') {
        output.text(trace);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use model::{Event, Invalid};

    use crate::decode_one;

    fn decode(record: &str) -> Result<Vec<Event>, Invalid> {
        decode_one(&super::FORMAT, &Arc::from("test"), record)
    }

    fn envelope(rest: &str) -> String {
        format!(r#"{{"specversion":"1.0","id":"e-1","source":"/ci","type":"x","time":"2026-09-01T10:00:00Z"{rest}}}"#)
    }

    /// A format without ids and a time that is missing: both come from the envelope, and no two records share an id.
    #[test]
    fn an_envelope_names_what_has_no_name() {
        let node = r#"{"nodeName":"a","numExecutors":2,"connectTime":0,"offlineCause":null}"#;
        for (data, ids) in [
            (format!(r#","data":{node}"#), vec!["/ci:e-1"]),
            (format!(r#","data":[{node}, {node}]"#), vec!["/ci:e-1:0", "/ci:e-1:1"]),
        ] {
            let events = decode(&envelope(&data)).expect("events");
            let found: Vec<_> = events.iter().map(|event| event.id.as_deref().unwrap_or_default()).collect();
            assert_eq!(found, ids);
            assert!(events.iter().all(|event| event.time.is_some_and(|time| time.ms() == 1_788_256_800_000)));
            assert!(events.iter().all(|event| event.sha256 == model::Sha256::of(node.as_bytes())), "its own bytes");
        }
    }

    #[test]
    fn what_the_event_says_itself_counts() {
        let cdevent = r#"{"context":{"id":"own","source":"/x","type":"dev.cdevents.taskrun.started.0.3.0",
            "timestamp":"2026-09-01T09:59:59Z"},"subject":{"id":"t-1","content":{}}}"#;
        let events = decode(&envelope(&format!(r#","data":{cdevent}"#))).expect("an event");
        assert_eq!(events[0].id.as_deref(), Some("/x:own"));
        assert_eq!(events[0].time.map(|time| time.ms()), Some(1_788_256_799_000));
    }

    #[test]
    fn what_nobody_knows_is_seen() {
        for rest in ["", r#","data":null"#, r#","data":"text""#, r#","data":1.5"#, r#","data":{"a":1}"#] {
            assert_eq!(decode(&envelope(rest)), Err(Invalid::UnknownFormat), "{rest}");
        }
        assert_eq!(decode(&envelope(r#","data_base64":"eyJhIjoxfQ==""#)), Err(Invalid::UnknownFormat));
        assert_eq!(decode(&envelope(r#","data_base64":"PGE+""#)), Err(Invalid::NotJson), "XML");
        assert_eq!(decode(&envelope(r#","data_base64":"%""#)), Err(Invalid::WrongShape), "no base64");
    }
}
