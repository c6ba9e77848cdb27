//! `dead-letter list`: one row for each letter, and how many there are for each reason.

use std::collections::BTreeMap;
use std::process::ExitCode;

use clap::Args;
use model::cut;
use serde_json::json;

use super::letters::{From, Numbered, Which};
use crate::rules_command::{print, table};

/// Arguments of `dead-letter list`.
#[derive(Debug, Args)]
pub(super) struct ListArgs {
    #[command(flatten)]
    from: From,
    #[command(flatten)]
    which: Which,
    /// Print a JSON object a line instead of a table
    #[arg(long)]
    json: bool,
}

/// Of the record's text, in a row.
const TEXT_CHARACTERS_MAX: usize = 60;

pub(super) fn run(args: &ListArgs) -> anyhow::Result<ExitCode> {
    let letters = args.which.of(args.from.letters()?);
    if args.json {
        let lines: String = letters.iter().map(as_json).collect();
        print(&lines)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
    let mut rows = table(&["n", "position", "reason", "bytes", "text"], &[4]);
    for (number, letter) in &letters {
        *reasons.entry(letter.reason.name()).or_default() += 1;
        let (position, reason) = (letter.position.to_string(), letter.reason.name());
        let text = one_line(&letter.text);
        rows.add_row([number.to_string(), one_line(&position), reason.to_owned(), letter.bytes.to_string(), text]);
    }
    let counts: Vec<String> = reasons.iter().map(|(reason, count)| format!("{reason} {count}")).collect();
    let total = format!("{} dead letters", letters.len());
    let counts = if counts.is_empty() { String::new() } else { format!(": {}", counts.join(", ")) };
    let rows = if letters.is_empty() { String::new() } else { format!("{}\n\n", rows.trim_fmt()) };
    print(&format!("{rows}{total}{counts}\n"))?;
    Ok(ExitCode::SUCCESS)
}

fn as_json((number, letter): &Numbered) -> String {
    let row = json!({
        "n": number, "position": letter.position.to_string(), "source": letter.position.partition.source,
        "partition": letter.position.partition.name, "offset": letter.position.offset,
        "reason": letter.reason.name(), "bytes": letter.bytes, "sha256": letter.sha256,
    });
    format!("{row}\n")
}

/// Text that events wrote: one line, no control characters.
fn one_line(text: &str) -> String {
    cut(text, TEXT_CHARACTERS_MAX).chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
