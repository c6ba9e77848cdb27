//! Histories: the records of a proof's case or of an exercise, and those that a line stands for that repeats.
//!
//! `{"repeat": {"every": "12m", "count": 840}, "record": {…}}` is a record in the model's normal form, and as many more as it says, each so
//! much later and with a number behind its event id: what a detector has to have seen before it speaks. Must never draw
//! anything: the same line is the same records.

use std::borrow::Cow;

use model::{Timestamp, parse_span_ms};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

/// What one line may stand for.
const COUNT_MAX: u64 = 100_000;

const SHAPE: &str = "a line that repeats is {\"repeat\": {\"every\": SPAN, \"count\": N}, \"record\": {\"event\": {\"id\": …, \"time\": …}, …}}";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Repeating {
    repeat: Repeat,
    record: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Repeat {
    every: String,
    count: u64,
}

/// The records of a case: the members of an array, or the one record that the case is.
///
/// # Errors
/// In words, where the case is none.
pub(crate) fn records(case: &str) -> Result<Vec<Cow<'_, str>>, String> {
    if !case.trim_start().starts_with('[') {
        return Ok(vec![Cow::Borrowed(case)]);
    }
    let members: Vec<&RawValue> =
        serde_json::from_str(case).map_err(|error| format!("the case is no array of records: {error}"))?;
    let mut records = Vec::new();
    for member in members {
        let text = member.get();
        if text.starts_with("{\"repeat\"") {
            records.extend(repeated(text)?.into_iter().map(|(_, record)| Cow::Owned(record)));
        } else {
            records.push(Cow::Borrowed(text));
        }
    }
    Ok(records)
}

/// The records that a line stands for, with the time of each.
///
/// # Errors
/// In words, where the line is none that repeats.
pub(crate) fn repeated(text: &str) -> Result<Vec<(Timestamp, String)>, String> {
    let wrong = |what: &str| format!("{what} (hint: {SHAPE})");
    let Repeating { repeat, mut record } = serde_json::from_str(text).map_err(|error| wrong(&error.to_string()))?;
    let every_ms = parse_span_ms(&repeat.every).filter(|ms| *ms > 0).ok_or_else(|| wrong("`every` is no span"))?;
    if !(1..=COUNT_MAX).contains(&repeat.count) {
        return Err(wrong(&format!("`count` is not 1 to {COUNT_MAX}")));
    }
    let event =
        record.get_mut("event").and_then(Value::as_object_mut).ok_or_else(|| wrong("the record has no `event`"))?;
    let named = |name: &str| event.get(name).and_then(Value::as_str).map(str::to_owned);
    let (Some(id), Some(first)) = (named("id"), named("time").and_then(|time| Timestamp::parse(&time))) else {
        return Err(wrong("the record's event has no `id` or `time`"));
    };
    let mut records = Vec::new();
    for number in 0..repeat.count {
        let time = first.plus_ms(every_ms.saturating_mul(i64::try_from(number).unwrap_or(i64::MAX)));
        if let Some(event) = record.get_mut("event").and_then(Value::as_object_mut) {
            event.insert("id".to_owned(), format!("{id}-{number}").into());
            event.insert("time".to_owned(), time.to_string().into());
        }
        records.push((time, record.to_string()));
    }
    Ok(records)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_stands_for_as_many_records_as_it_says() {
        let record = "{\"event\":{\"id\":\"a\",\"time\":\"2026-09-01T00:00:00Z\"},\"n\":1}";
        let case = format!("[{{\"repeat\":{{\"every\":\"12m\",\"count\":3}},\"record\":{record}}},{record}]");
        let found = records(&case).expect("records");
        assert_eq!(found.len(), 4);
        assert!(found[2].contains("\"a-2\"") && found[2].contains("2026-09-01T00:24:00"), "{}", found[2]);
        assert_eq!(found[3], record);
        for (repeat, why) in [
            ("{\"every\":\"12\",\"count\":3}", "`every` is no span"),
            ("{\"every\":\"12m\",\"count\":0}", "`count` is not 1 to"),
            ("{\"every\":\"12m\",\"times\":3}", "unknown field `times`"),
        ] {
            let wrong = records(&format!("[{{\"repeat\":{repeat},\"record\":{record}}}]")).expect_err("is refused");
            assert!(wrong.contains(why) && wrong.contains("hint: "), "{wrong}");
        }
    }
}
