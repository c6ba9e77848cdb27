//! What became of one record, as people and scripts read it.
//!
//! Every value goes through redaction here; must never print one that did not.

use std::fmt::Write;

use anstyle::{AnsiColor, Style};
use ingest::format::Format;
use ingest::{Near, Opened};
use model::{Event, Invalid, cut, redact};
use serde_json::{Value, json};

use crate::rules_command::table;

/// What became of one record: of each record in it, where it is a container.
pub(super) struct Told {
    pub(super) opened: Vec<Opened>,
    pub(super) parts: Vec<Part>,
}

/// What became of one record that holds no other.
pub(super) struct Part {
    pub(super) format: Option<&'static Format>,
    pub(super) fate: Fate,
}

/// See [`Part::fate`].
pub(super) enum Fate {
    Event { event: Box<Event>, fields: Vec<Filled> },
    Filtered,
    Invalid { reason: Invalid, hint: String, nearest: Vec<Near> },
}

/// One field that has a value.
pub(super) struct Filled {
    pub(super) field: String,
    pub(super) value: Value,
    /// Native paths; none: see [`Filled::origin`].
    pub(super) from: Vec<String>,
}

/// A value is cut after this many characters, as in an alert.
const CHARACTERS_MAX: usize = 512;

/// Formats that are named to somebody whose record none recognises.
const NEAREST_MAX: usize = 3;

impl Told {
    pub(super) fn one(part: Part) -> Told {
        Told { opened: Vec::new(), parts: vec![part] }
    }

    /// The number of a part, as people count.
    fn number(&self, record: i64, at: usize) -> String {
        if self.opened.is_empty() { record.to_string() } else { format!("{record}.{}", at + 1) }
    }

    pub(super) fn in_words(&self, record: i64, colours: bool) -> String {
        let mut text = String::new();
        // Writing to memory cannot fail.
        if !self.opened.is_empty() {
            let opened: Vec<String> = self.opened.iter().map(opened_words).collect();
            let _ = writeln!(text, "{record}  taken apart: {}\n", opened.join("; "));
        }
        for (at, part) in self.parts.iter().enumerate() {
            let _ = writeln!(text, "{}  {}", self.number(record, at), part.in_words(colours));
        }
        text
    }

    pub(super) fn as_lines(&self, record: i64) -> String {
        let opened: Vec<Value> = self.opened.iter().map(opened_json).collect();
        let line = |(at, part): (usize, &Part)| {
            let mut line = json!({
                "record": record, "part": at + 1, "taken_apart": opened,
                "format": part.format.map(|format| format.name),
            });
            if let (Some(line), Value::Object(fate)) = (line.as_object_mut(), part.fate.as_json()) {
                line.extend(fate);
            }
            format!("{line}\n")
        };
        self.parts.iter().enumerate().map(line).collect()
    }
}

impl Part {
    fn in_words(&self, colours: bool) -> String {
        let style = match &self.fate {
            _ if !colours => Style::new(),
            Fate::Event { .. } => Style::new().fg_color(Some(AnsiColor::Green.into())),
            Fate::Filtered => Style::new().dimmed(),
            Fate::Invalid { .. } => Style::new().bold().fg_color(Some(AnsiColor::Red.into())),
        };
        let format = self.format.map_or("no format", |format| format.name);
        match &self.fate {
            Fate::Filtered => {
                format!("{style}filtered{style:#}  {format}: nothing that any rule could look at\n")
            }
            Fate::Invalid { reason, hint, .. } => {
                format!("{style}invalid({}){style:#}  {format}\n  hint: {hint}\n", reason.name())
            }
            Fate::Event { event, fields } => {
                let what = match (event.class, &event.action) {
                    (Some(class), action) => {
                        let action = printable(&clean("event.action", action.as_deref().unwrap_or("-")));
                        format!("{} {action} {}", class.name(), event.outcome.name())
                    }
                    (None, _) => "no class: rules read the record's own fields".to_owned(),
                };
                let trust = event.trust.name();
                let head = format!("{style}event{style:#}  {format}: {what}, written by {trust}\n");
                if fields.is_empty() { head } else { format!("{head}{}", indented(fields)) }
            }
        }
    }
}

fn indented(fields: &[Filled]) -> String {
    let mut rows = table(&["  field", "value", "from"], &[1, 2]);
    for filled in fields {
        rows.add_row([format!("  {}", filled.field), printable(&filled.text()), filled.origin()]);
    }
    format!("{}\n", rows.trim_fmt())
}

impl Fate {
    fn as_json(&self) -> Value {
        match self {
            Fate::Filtered => json!({ "outcome": "filtered" }),
            Fate::Invalid { reason, hint, nearest } => {
                let near =
                    |near: &Near| json!({ "format": near.format, "present": near.present, "missing": near.missing });
                let nearest: Vec<Value> = nearest.iter().map(near).collect();
                json!({ "outcome": "invalid", "reason": reason.name(), "hint": hint, "nearest": nearest })
            }
            Fate::Event { event, fields } => {
                let text = |name: &str, text: Option<&str>| text.map(|text| clean(name, text));
                let field = |filled: &Filled| {
                    (filled.field.clone(), json!({ "value": filled.redacted(), "from": filled.from }))
                };
                json!({
                    "outcome": "event",
                    "event": {
                        "id": text("event.id", event.id.as_deref()), "class": event.class.map(|class| class.name()),
                        "action": text("event.action", event.action.as_deref()), "outcome": event.outcome.name(),
                        "time": event.time.map(|time| time.to_string()), "trust": event.trust.name(),
                        "sha256": event.sha256.hex(),
                    },
                    "fields": fields.iter().map(field).collect::<serde_json::Map<_, _>>(),
                })
            }
        }
    }
}

impl Filled {
    fn redacted(&self) -> Value {
        let one = |value: &Value| match value {
            Value::String(text) => Value::String(clean(&self.field, text)),
            other => other.clone(),
        };
        match &self.value {
            Value::Array(values) => values.iter().map(one).collect(),
            value => one(value),
        }
    }

    fn text(&self) -> String {
        let one = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        match self.redacted() {
            Value::Array(values) => values.iter().map(one).collect::<Vec<_>>().join(", "),
            value => one(&value),
        }
    }

    /// Ids and times may come from the container; what needs no path is the same for all records of its kind.
    fn origin(&self) -> String {
        match self.field.as_str() {
            _ if !self.from.is_empty() => self.from.join(", "),
            "event.id" => "its container".to_owned(),
            "event.time" => "its container, or inside a certificate".to_owned(),
            _ => "the format".to_owned(),
        }
    }
}

/// Text as it may leave: some secrets are known only by the name before them.
fn clean(field: &str, text: &str) -> String {
    let named = format!("{field}={text}");
    let clean = redact(&named);
    let clean = clean.strip_prefix(field).and_then(|clean| clean.strip_prefix('=')).unwrap_or(&clean);
    cut(clean, CHARACTERS_MAX).into_owned()
}

/// Text that records wrote: one line, no control characters.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

fn opened_words(opened: &Opened) -> String {
    let place = match (opened.format, opened.path) {
        (None, _) => "an array".to_owned(),
        (Some(format), "") => format!("{format}, a map"),
        (Some(format), path) => format!("{format} `{path}`"),
    };
    format!("{place} ({} record{})", opened.records, if opened.records == 1 { "" } else { "s" })
}

fn opened_json(opened: &Opened) -> Value {
    json!({ "format": opened.format, "path": opened.path, "records": opened.records })
}

/// Which formats a record is nearly of.
pub(super) fn nearest_words(nearest: &[Near]) -> String {
    if nearest.is_empty() {
        return "it has no key by which any format is known; name one with --format, or read it as `json`".to_owned();
    }
    let one = |near: &Near| format!("{} lacks {}", near.format, near.missing.join(", "));
    let named: Vec<String> = nearest.iter().take(NEAREST_MAX).map(one).collect();
    format!("{} (all of a format's keys must be there: `pipewarden formats list`)", named.join("; "))
}
