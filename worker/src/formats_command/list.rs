//! `formats list`: one row for each format.
//!
//! Must never leave one out, nor change their order: content is guessed in it.

use std::process::ExitCode;

use clap::Args;
use ingest::format::{FORMATS, Format};
use serde_json::{Value, json};

use super::words;
use crate::rules_command::{print, table};

/// Arguments of `formats list`.
#[derive(Debug, Args)]
pub(super) struct ListArgs {
    /// Print a JSON array instead of a table
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &ListArgs) -> anyhow::Result<ExitCode> {
    if args.json {
        let rows: Value = FORMATS.iter().map(|format| as_json(format)).collect();
        print(&format!("{rows}\n"))?;
    } else {
        let mut rows = table(&["name", "title", "product/service", "trust", "recognised by"], &[1, 4]);
        for format in FORMATS {
            rows.add_row(row(format));
        }
        print(&format!("{}\n", rows.trim_fmt()))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn row(format: &Format) -> Vec<String> {
    let marks = words::marks(format);
    let native: Vec<&str> = [format.product, format.service].into_iter().filter(|part| !part.is_empty()).collect();
    vec![
        format.name.to_owned(),
        format.title.to_owned(),
        if native.is_empty() { "-".to_owned() } else { native.join("/") },
        format.trust.name().to_owned(),
        if marks.is_empty() { "its name only".to_owned() } else { marks.join(" or ") },
    ]
}

fn as_json(format: &Format) -> Value {
    json!({
        "name": format.name, "title": format.title, "product": format.product, "service": format.service,
        "trust": format.trust.name(), "marks": format.marks, "page": words::page(format),
    })
}
