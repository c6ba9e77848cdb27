//! Incidents for people and for scripts.
//!
//! Everything that records wrote is one line without control characters.

use comfy_table::Table;
use comfy_table::presets::NOTHING;
use model::{Fingerprint, IncidentRecord, Join, Joint, Member};
use serde_json::{Value, json};

use crate::alerts_file::printable;
use crate::incidents_file::Course;

/// Digits of a name that people need.
const DIGITS: usize = 8;

/// Longest key that a table shows.
const KEY_CHARACTERS_MAX: usize = 28;

pub(super) fn list(courses: &[Course]) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_header(["INCIDENT", "OPENED", "LAST", "STATE", "ALERTS", "PAGES", "TOLD", "BEGAN WITH"]);
    for course in courses {
        let Some(last) = course.last() else { continue };
        let first = course.alerts().next();
        let alert = first.and_then(|record| record.alert.as_ref());
        table.add_row([
            short(course.incident),
            last.opened.to_string(),
            course.alerts().last().map_or_else(String::new, |record| record.event_time.to_string()),
            if course.is_closed() { "closed" } else { "open" }.to_owned(),
            last.alerts.to_string(),
            last.pages.to_string(),
            last.pages_told.to_string(),
            alert.map_or_else(String::new, |alert| printable(&alert.rule.title)),
        ]);
    }
    format!("{table}\n")
}

pub(super) fn one(course: &Course) -> String {
    let Some(last) = course.last() else { return String::new() };
    let state = if course.is_closed() { "closed" } else { "open" };
    let (alerts, pages, told) = (last.alerts, last.pages, last.pages_told);
    let mut text = format!(
        "INCIDENT {}  {state}, opened {}\n{alerts} alerts, {pages} of them pages, {told} pages told\n",
        course.incident, last.opened
    );
    if !last.repos.is_empty() {
        let repos = last.repos.iter().map(|repo| printable(repo)).collect::<Vec<_>>().join(", ");
        let more = if last.repos_more > 0 { " and others" } else { "" };
        text.push_str(&format!("repositories ({}): {repos}{more}\n", last.repos.len()));
    }
    for gone in &course.merged {
        text.push_str(&format!("took in {gone}\n"));
    }
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_header(["WHEN", "ALERT", "WHAT", "KEY", "TOLD", "HELD BY"]);
    for record in course.alerts() {
        let Some(alert) = &record.alert else { continue };
        table.add_row([
            record.event_time.to_string(),
            short(alert.fingerprint),
            printable(&format!("{} ({})", name(alert), alert.urgency.name())),
            key(alert),
            told_of(record),
            record.joins.iter().map(held_by).collect::<Vec<_>>().join("\n"),
        ]);
    }
    text.push_str(&format!("\n{table}\n"));
    if course.is_closed() {
        text.push_str(&format!("\n{}  {}\n", last.event_time, printable(&last.explain)));
    }
    text
}

fn short(print: Fingerprint) -> String {
    print.hex().chars().take(DIGITS).collect()
}

fn name(alert: &Member) -> &str {
    alert.rule.name.as_deref().unwrap_or(&alert.rule.title)
}

fn key(alert: &Member) -> String {
    let text = |(field, value): (&String, &Value)| {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        printable(&format!("{field}={}", cut(&text)))
    };
    alert.group.iter().map(text).collect::<Vec<_>>().join("\n")
}

fn told_of(record: &IncidentRecord) -> String {
    let because = record.because.map_or("", |because| because.name());
    if record.told { format!("yes: {because}") } else { format!("no: {because}") }
}

/// `run 888100 > cache c-1 > run 888001 (of 1a2b3c4d)`.
fn held_by(join: &Join) -> String {
    let step = |joint: &Joint| format!("{} {}", joint.kind, cut(&joint.key));
    match join.path.is_empty() {
        true => "the same alert".to_owned(),
        false => {
            let way = join.path.iter().map(step).collect::<Vec<_>>().join(" > ");
            printable(&format!("{way} (of {})", short(join.alert)))
        }
    }
}

fn cut(text: &str) -> String {
    model::cut(text, KEY_CHARACTERS_MAX).into_owned()
}

pub(super) fn as_json(course: &Course) -> Value {
    let last = course.last();
    json!({
        "incident": course.incident,
        "state": if course.is_closed() { "closed" } else { "open" },
        "opened": last.map(|last| last.opened),
        "alerts": last.map(|last| last.alerts),
        "pages": last.map(|last| last.pages),
        "pages_told": last.map(|last| last.pages_told),
        "repos": last.map(|last| &last.repos),
        "took_in": course.merged,
        "records": course.records,
    })
}
