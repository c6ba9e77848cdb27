//! `dead-letter show`: one letter with everything that is kept of it, and what to do.

use std::process::ExitCode;

use anyhow::bail;
use clap::Args;

use super::letters::{From, Numbered, hint};
use crate::rules_command::print;

/// Arguments of `dead-letter show`.
#[derive(Debug, Args)]
pub(super) struct ShowArgs {
    #[command(flatten)]
    from: From,
    /// The letter: its number in `list`, or its position (SOURCE:PARTITION@OFFSET)
    #[arg(value_name = "N|POSITION")]
    letter: String,
    /// Print the letter as it is kept, as JSON, with its hint
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &ShowArgs) -> anyhow::Result<ExitCode> {
    let letters = args.from.letters()?;
    let number = args.letter.parse::<usize>().ok();
    let meant = |(line, letter): &&Numbered| match number {
        Some(number) => *line == number,
        None => letter.position.to_string() == args.letter,
    };
    // An array or an envelope gives several letters at one position.
    let found: Vec<&Numbered> = letters.iter().filter(meant).collect();
    if found.is_empty() {
        bail!(
            "there is no dead letter {} (hint: `pipewarden dead-letter list` has their numbers and positions)",
            args.letter
        );
    }
    for (line, letter) in found {
        let hint = hint(letter.reason);
        if args.json {
            let mut row = serde_json::to_value(letter)?;
            row["n"] = (*line).into();
            row["hint"] = hint.into();
            print(&format!("{row}\n"))?;
            continue;
        }
        let redacted = match letter.redacted_sha256 {
            Some(hash) => format!("redacted  sha256 {} of the text below, before it was cut\n", hash.hex()),
            None => String::new(),
        };
        print(&format!(
            "letter    {line}\nposition  {}\nreason    {}\nhint      {hint}\nrecord    {} bytes, sha256 {}\n{redacted}\n{}\n",
            printable(&letter.position.to_string()),
            letter.reason.name(),
            letter.bytes,
            letter.sha256.hex(),
            printable(&letter.text),
        ))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Text that events wrote: line feeds and tabs stay, other control characters would move a terminal's cursor.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && !matches!(c, '\n' | '\t') { '\u{fffd}' } else { c }).collect()
}
