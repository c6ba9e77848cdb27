//! A report as a table for people and as JSON for scripts.
//!
//! Must never round in JSON what the table rounds for people.

use serde_json::{Value as Json, json};
use slis::definition::{Definition, Kind};
use slis::report::{Quantiles, Value};

use super::Page;
use super::print_objectives::{self, tables};
use crate::rules_command;

/// What stands in the place of a value that there is not.
pub(super) const NO_DATA: &str = "no data";

/// A table, one row a value.
pub(super) fn table(page: &Page) -> String {
    let mut rows = rules_command::table(&["code", "indicator", "of", "value", "target", "counted", "how sure"], &[1]);
    for (definition, value) in values(page) {
        rows.add_row([
            definition.code.to_string(),
            definition.name.clone(),
            value.key.clone(),
            value_words(definition.kind, value),
            definition.target.clone(),
            counted(definition.kind, value),
            sure(value),
        ]);
    }
    let objectives = if page.objectives.is_empty() { String::new() } else { tables(&page.objectives) };
    format!("{} to {}\n{}\n{objectives}", page.from, page.to, rows.trim_fmt())
}

/// Each value with what it is of.
pub(super) fn values(page: &Page) -> impl Iterator<Item = (&Definition, &Value)> {
    page.reported.iter().flat_map(|reported| {
        let definition = page.definitions.get(reported.definition);
        reported.values.iter().filter_map(move |value| Some((definition?, value)))
    })
}

/// A value in words.
pub(super) fn value_words(kind: Kind, value: &Value) -> String {
    let Some(number) = value.value else { return NO_DATA.to_owned() };
    match kind {
        Kind::Ratio | Kind::Rate => format!("{:.2} %", number * 100.0),
        Kind::Count => format!("{number:.0}"),
        Kind::Duration => match value.quantiles {
            Some(Quantiles { p50_us, p95_us, p99_us }) => {
                let [p50, p95, p99] = [p50_us, p95_us, p99_us].map(|us| span(us as f64 / 1e6));
                format!("{} (p50 {p50}, p95 {p95}, p99 {p99})", span(number))
            }
            None => span(number),
        },
    }
}

/// What was counted, in words.
fn counted(kind: Kind, value: &Value) -> String {
    let excluded = if value.excluded > 0 { format!(", {} in maintenance", value.excluded) } else { String::new() };
    match kind {
        _ if value.value.is_none() && value.total == 0 => excluded.trim_start_matches(", ").to_owned(),
        Kind::Count => String::new(),
        _ => share(kind, value.good, value.total) + &excluded,
    }
}

/// The two counts that a value is made of: of a rate the bad ones, which may be more than there were occasions.
pub(super) fn share(kind: Kind, good: i64, total: i64) -> String {
    let counted = if kind == Kind::Rate { total.saturating_sub(good) } else { good };
    format!("{counted} of {total}")
}

fn sure(value: &Value) -> String {
    value.interval.map_or_else(String::new, |(low, high)| format!("few: {:.1} % to {:.1} %", low * 100.0, high * 100.0))
}

/// Seconds in the unit in which people say them.
pub(super) fn span(seconds: f64) -> String {
    match seconds {
        s if s < 1.0 => format!("{:.0} ms", s * 1e3),
        s if s < 120.0 => format!("{s:.1} s"),
        s if s < 7_200.0 => format!("{:.1} min", s / 60.0),
        s if s < 172_800.0 => format!("{:.1} h", s / 3_600.0),
        s => format!("{:.1} d", s / 86_400.0),
    }
}

/// One object, with nothing rounded.
pub(super) fn json(page: &Page) -> String {
    let value = |(definition, value): (&Definition, &Value)| -> Json {
        let quantiles = value.quantiles.map(|of| {
            let seconds = |us: u64| us as f64 / 1e6;
            json!({"p50_s": seconds(of.p50_us), "p95_s": seconds(of.p95_us), "p99_s": seconds(of.p99_us)})
        });
        json!({
            "code": &*definition.code, "name": definition.name, "kind": definition.kind.name(), "key": value.key,
            "value": value.value, "good": value.good, "total": value.total, "excluded": value.excluded,
            "target": definition.target, "quantiles": quantiles, "interval_95": value.interval.map(|(a, b)| [a, b]),
        })
    };
    let values: Vec<Json> = values(page).map(value).collect();
    let mut all = json!({"from": page.from.to_string(), "to": page.to.to_string(), "indicators": values});
    if let (Some(all), false) = (all.as_object_mut(), page.objectives.is_empty()) {
        all.insert("objectives".to_owned(), print_objectives::json(&page.objectives).into());
    }
    format!("{all}\n")
}
