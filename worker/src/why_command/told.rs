//! The story of an alert, for people and for scripts.
//!
//! Everything that records wrote is one line without control characters.

use std::fmt::Write;
use std::io::IsTerminal;

use anstyle::{AnsiColor, Style};
use model::{AlertRecord, AlertState, Fingerprint, IncidentRecord, Urgency};
use serde_json::{Map, Value, json};

use super::story::Story;
use crate::alerts_file::printable;
use crate::evidence::{Found, Standing};
use crate::incidents_file::Course;

/// Fields that a short description of an event is made of.
const SHORT: [&str; 5] = ["event.action", "prov.actor", "src.ip", "prov.repo", "object"];

/// Other alerts of its incident that people are shown.
const OTHERS_MAX: usize = 12;

/// Digits of a hash that people need.
const DIGITS: usize = 12;

pub(super) fn in_words(story: &Story, incident: Option<&Course>, next: &[String]) -> String {
    let colours = std::io::stdout().is_terminal();
    let record = &story.record;
    let (loud, head) = match (colours, record.urgency) {
        (false, _) => (Style::new(), Style::new()),
        (_, Urgency::Page) => (Style::new().bold().fg_color(Some(AnsiColor::Red.into())), Style::new().bold()),
        (_, Urgency::Ticket) => (Style::new().bold().fg_color(Some(AnsiColor::Yellow.into())), Style::new().bold()),
    };
    let mut text = String::new();
    let mut part = |name: &str, lines: Vec<String>| {
        for (at, line) in lines.iter().enumerate() {
            let name = if at == 0 { name } else { "" };
            let _ = writeln!(text, "{head}{name:<9}{head:#} {}", printable(line));
        }
    };
    let urgency = record.urgency.name().to_uppercase();
    part("What", vec![record.explain.clone()]);
    part("When", vec![when(record)]);
    part("Rule", rule(story));
    part("Fires if", story.rule.fires_when.clone());
    part("Observed", observed(record));
    part("Key", pairs(&record.group));
    part("Facts", pairs(&record.facts));
    part("Events", events(story));
    part("Told", told(story));
    part("Route", vec![format!("{}: {}", story.route.urgency.name(), story.route.why)]);
    part("Silenced", silenced(record));
    part("Incident", incident.map_or_else(Vec::new, |course| of_incident(course, story.fingerprint)));
    part("Owner", vec![record.owner.clone().unwrap_or_else(|| "nobody (the rule names none)".to_owned())]);
    part("Runbook", runbook(story));
    part("Next", next.to_vec());
    let title = printable(&record.rule.title);
    format!("{loud}{urgency}  {title}{loud:#}  [{}]  {}\n\n{text}", record.severity.name(), story.fingerprint)
}

fn when(record: &AlertRecord) -> String {
    let time = record.event_time.map_or_else(|| "no time of its own".to_owned(), |time| format!("{time} (event time)"));
    let marks = [
        (record.late, "it came late and stands alone"),
        (record.early, "it came from too far ahead and stands alone"),
        (record.provisional, "provisional: a sealed record follows"),
    ];
    let marks: Vec<&str> = marks.iter().filter(|(is, _)| *is).map(|(_, mark)| *mark).collect();
    if marks.is_empty() { time } else { format!("{time}; {}", marks.join("; ")) }
}

fn rule(story: &Story) -> Vec<String> {
    let rule = &story.record.rule;
    let short = |hash: String| hash.chars().take(DIGITS).collect::<String>();
    let version = short(rule.version.hex());
    let mut lines = vec![format!("{}  {}", rule.name.as_deref().unwrap_or(&rule.id), rule.title)];
    lines.push(match (&story.rule.place, story.rule.version) {
        (Some(place), Some(at_hand)) if at_hand == rule.version => format!("{place}, version {version}"),
        (Some(place), Some(at_hand)) => format!(
            "{place} is version {}, but version {version} fired: what is said of the rule here may not be what decided",
            short(at_hand.hex())
        ),
        _ => format!("version {version}; it is not among the rules at hand (hint: --rules PATH)"),
    });
    lines
}

fn observed(record: &AlertRecord) -> Vec<String> {
    let bound = if record.at_least { "at least " } else { "" };
    record.value.iter().map(|value| format!("{bound}{value} in the window that ends with the last event")).collect()
}

fn pairs(of: &Map<String, Value>) -> Vec<String> {
    of.iter().map(|(field, value)| format!("{field} = {}", text_of(value))).collect()
}

fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn events(story: &Story) -> Vec<String> {
    let mut lines = Vec::new();
    let count = story.events.len() as u64;
    for (number, (evidence, standing)) in (1..).zip(&story.events) {
        lines.push(format!("{number}. {}  sha256 {}", evidence.id, evidence.sha256.hex()));
        match standing {
            None => {}
            Some(Standing::Missing) => lines.push("   in none of the inputs".to_owned()),
            Some(Standing::Same(found)) => lines.extend(event(found)),
            Some(Standing::Changed(found)) => {
                lines.push(format!(
                    "   CHANGED: {} has other bytes now, sha256 {}",
                    found.position,
                    found.sha256.hex()
                ));
            }
        }
    }
    if count == 0 {
        lines.push("none are named in this record".to_owned());
    } else if story.events.iter().all(|(_, standing)| standing.is_none()) {
        lines.push("(--events FILES shows where they stand and what they say)".to_owned());
    }
    if count as usize >= model::EVIDENCE_MAX {
        lines.push(format!("(a record names the newest {} only)", model::EVIDENCE_MAX));
    }
    lines
}

fn event(found: &Found) -> Vec<String> {
    let time = found.time.map_or_else(|| "-".to_owned(), |time| time.to_string());
    let class = found.class.map_or("record", |class| class.name());
    let short: Vec<String> = SHORT.iter().filter_map(|field| found.fields.get(*field)).map(text_of).collect();
    let mut lines = vec![format!("   {}  {time}  {class} {}", found.position, short.join(", "))];
    lines.extend(pairs(&found.fields).into_iter().map(|pair| format!("     {pair}")));
    lines
}

fn told(story: &Story) -> Vec<String> {
    let line = |record: &AlertRecord| {
        let time = record.event_time.map_or_else(|| "-".to_owned(), |time| time.to_string());
        let folded = match record.suppressed {
            0 => String::new(),
            folded => format!(", {folded} more folded before it"),
        };
        let state = record.state.name();
        let marks = if record.provisional { " (provisional)" } else { "" };
        format!("{time}  {:<6} {state}{marks}, held {} times so far{folded}", record.urgency.name(), record.count)
    };
    let times = story.life.iter().filter(|record| record.state.is_told() && !record.provisional).count();
    let mut lines = vec![format!("{times} times in {} records", story.life.len())];
    lines.extend(story.life.iter().map(line));
    lines
}

/// The incident, what it said of this alert, and its other alerts.
fn of_incident(course: &Course, print: Fingerprint) -> Vec<String> {
    let Some(last) = course.last() else { return Vec::new() };
    let mut lines = vec![format!(
        "{}  {} alerts, {} of them pages, {} pages told",
        course.incident, last.alerts, last.pages, last.pages_told
    )];
    let is_this = |record: &&IncidentRecord| record.alert.as_ref().is_some_and(|alert| alert.fingerprint == print);
    lines.extend(course.alerts().filter(is_this).map(|record| record.explain.clone()));
    for record in course.alerts().filter(|record| !is_this(record)).take(OTHERS_MAX) {
        let Some(alert) = &record.alert else { continue };
        let (rule, told) = (&alert.rule, if record.told { "told" } else { "not told" });
        let name = rule.name.as_deref().unwrap_or(&rule.title);
        lines.push(format!(
            "{}  {:<6} {name}, {told}  [{}]",
            record.event_time,
            alert.urgency.name(),
            alert.fingerprint
        ));
    }
    if course.alerts().count() > OTHERS_MAX + 1 {
        lines.push(format!("(pipewarden incident {} shows all)", course.incident));
    }
    lines
}

fn silenced(record: &AlertRecord) -> Vec<String> {
    let Some(by) = &record.suppressed_by else { return Vec::new() };
    let name = by.name.as_deref().unwrap_or(&by.rule);
    vec![format!("nobody was told: {name} covers it from {} to {} (event {})", by.from, by.to, by.event.id)]
}

fn runbook(story: &Story) -> Vec<String> {
    let Some(name) = &story.record.runbook else { return vec!["none (the rule names none)".to_owned()] };
    let text = story.rule.runbook.iter().flat_map(|text| text.trim().lines()).map(|line| format!("  {line}"));
    std::iter::once(name.clone()).chain(text).collect()
}

pub(super) fn as_json(story: &Story, incident: Option<&Course>, next: &[String]) -> String {
    let event = |(evidence, standing): &(model::Evidence, Option<Standing>)| {
        let (name, found) = match standing {
            None => ("not_looked_for", None),
            Some(Standing::Missing) => ("missing", None),
            Some(Standing::Same(found)) => ("same", Some(found)),
            Some(Standing::Changed(found)) => ("changed", Some(found)),
        };
        json!({
            "id": evidence.id, "sha256": evidence.sha256, "standing": name,
            "position": found.map(|found| &found.position), "time": found.and_then(|found| found.time),
            "class": found.and_then(|found| found.class).map(|class| class.name()),
            "fields": found.map(|found| &found.fields),
        })
    };
    let life = |record: &AlertRecord| {
        json!({ "state": record.state, "event_time": record.event_time, "urgency": record.urgency,
                "count": record.count, "folded": record.suppressed, "provisional": record.provisional })
    };
    let told = story.life.iter().filter(|record| record.state.is_told() && !record.provisional).count();
    let suppressed = story.life.iter().filter(|record| record.state == AlertState::Suppressed).count();
    let object = json!({
        "fingerprint": story.fingerprint, "record": story.record,
        "rule": { "place": story.rule.place, "version": story.rule.version,
                  "same_version": story.rule.version == Some(story.record.rule.version),
                  "fires_if": story.rule.fires_when, "runbook": story.rule.runbook },
        "route": story.route, "events": story.events.iter().map(event).collect::<Vec<_>>(),
        "told": told, "suppressed": suppressed, "life": story.life.iter().map(life).collect::<Vec<_>>(),
        "incident": incident.map(|course| &course.incident),
        "incident_records": incident.map(|course| &course.records),
        "next": next, "inputs_not_read": story.problems,
    });
    format!("{object}\n")
}
