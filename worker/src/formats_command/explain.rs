//! `formats explain`: one format's table in words.
//!
//! Must never leave out a row: what is not said here is not filled.

use std::fmt::Write;
use std::process::ExitCode;

use clap::Args;
use ingest::format::{Format, MapRow};
use serde_json::{Value, json};

use super::{named, words};
use crate::rules_command::{print, table};

/// Arguments of `formats explain`.
#[derive(Debug, Args)]
pub(super) struct ExplainArgs {
    /// Name of the format (see `pipewarden formats list`)
    #[arg(value_name = "FORMAT")]
    format: String,
    /// Print a JSON object instead of words
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &ExplainArgs) -> anyhow::Result<ExitCode> {
    let format = named(&args.format)?;
    let text = if args.json { format!("{}\n", as_json(format)) } else { in_words(format) };
    print(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn in_words(format: &Format) -> String {
    let mut text = format!("{}  {}\n", format.name, format.title);
    let mut line = |name: &str, words: String| {
        // Writing to memory cannot fail.
        let _ = writeln!(text, "{name:<14}{words}");
    };
    let or = |words: Vec<String>, none: &str| if words.is_empty() { none.to_owned() } else { words.join(", else ") };
    line("Page", words::page(format));
    line("Trust", format.trust.name().to_owned());
    line("Log source", logsource(format));
    line("Recognised by", or(words::marks(format), "its name only"));
    for (at, container) in format.containers.iter().enumerate() {
        line(if at == 0 { "Taken apart" } else { "" }, words::container(*container));
    }
    let Some(mapping) = format.mapping else {
        line("Fields", "rules read the record's own, by path; id and time are where you say".to_owned());
        return text;
    };
    line("Id", or(words::ids(mapping.id), "none"));
    line("Time", or(words::times(mapping.time), "none"));
    line("Action", format!("{}, unless the class has a word of its own", mapping.action));
    line("Class by", mapping.classify_paths.join(", "));
    if mapping.rows.is_empty() {
        let why = if format.is_envelope() { "those of the records in it" } else { "the model's own, by name" };
        line("Fields", why.to_owned());
        return text;
    }
    let mut rows = table(&["field", "filled from", "on"], &[1, 2]);
    for row in mapping.rows {
        let classes = words::classes(row);
        let on = if classes.is_empty() { "all".to_owned() } else { classes.join(", ") };
        rows.add_row([row.field.to_owned(), row.paths.join(", "), on]);
    }
    format!("{text}\n{}\n", rows.trim_fmt())
}

fn logsource(format: &Format) -> String {
    let parts = [("product", format.product), ("service", format.service)];
    let parts: Vec<String> =
        parts.iter().filter(|(_, value)| !value.is_empty()).map(|(key, value)| format!("{key}: {value}")).collect();
    if parts.is_empty() {
        "as you say".to_owned()
    } else {
        format!("{{{}}}, for rules on raw records", parts.join(", "))
    }
}

fn as_json(format: &Format) -> Value {
    let row = |row: &MapRow| json!({ "field": row.field, "paths": row.paths, "classes": words::classes(row) });
    let mapping = format.mapping.map(|mapping| {
        json!({
            "id": words::ids(mapping.id), "time": words::times(mapping.time), "action": mapping.action,
            "class": mapping.classify_paths, "fields": mapping.rows.iter().map(row).collect::<Vec<_>>(),
        })
    });
    let mut whole = json!({
        "name": format.name, "title": format.title, "page": words::page(format), "trust": format.trust.name(),
        "product": format.product, "service": format.service, "marks": format.marks,
        "containers": format.containers.iter().map(|held| words::container(*held)).collect::<Vec<_>>(),
    });
    if let (Some(whole), Some(Value::Object(mapping))) = (whole.as_object_mut(), mapping) {
        whole.extend(mapping);
    }
    whole
}
