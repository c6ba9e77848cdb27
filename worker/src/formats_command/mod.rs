//! `pipewarden formats`: which formats are read, how each becomes ours, and what becomes of records of yours.
//!
//! Results go to standard output, complaints to standard error. Must never print a text of a record that was not redacted.

mod explain;
mod list;
mod trial;
mod words;

use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, Subcommand};
use ingest::format::{FORMATS, Format, by_name};

/// Arguments of `pipewarden formats`.
#[derive(Debug, Args)]
pub struct FormatsArgs {
    #[command(subcommand)]
    command: FormatsCommand,
}

#[derive(Debug, Subcommand)]
enum FormatsCommand {
    /// List the formats, in the order in which content is guessed
    #[command(after_help = "Examples:\n  pipewarden formats list\n  pipewarden formats list --json | jq -r '.[].name'")]
    List(list::ListArgs),
    /// Say how records of a format become events: containers, id, time, and each field with the native paths it is filled from
    ///
    /// A path that begins with `^.` is one of the container that a record stands in, `^index` its number there.
    #[command(
        after_help = "Examples:\n  pipewarden formats explain cloudtrail\n  pipewarden formats explain --json harbor | jq '.fields'"
    )]
    Explain(explain::ExplainArgs),
    /// Decode records of yours and say, field by field, what became of each
    ///
    /// Nothing is evaluated and nothing is told: this shows what rules would see. Values are redacted as alerts are.
    ///
    /// Exit code: 0 done, 1 bad usage or nothing to read, 3 done, but some record or the rest of the input could not be read.
    #[command(
        after_help = "Examples:\n  pipewarden formats try audit-log.json\n  pipewarden formats try --format harbor webhook.json\n  \
                      kcat -C -b broker:9092 -t ci -c 5 | pipewarden formats try --json - | jq -r '.event.class'"
    )]
    Try(trial::TryArgs),
}

/// Runs the command.
///
/// # Errors
/// When a format is unknown, an input cannot be read, or the result cannot be written.
pub fn run(args: FormatsArgs) -> anyhow::Result<ExitCode> {
    match args.command {
        FormatsCommand::List(args) => list::run(&args),
        FormatsCommand::Explain(args) => explain::run(&args),
        FormatsCommand::Try(args) => trial::run(&args),
    }
}

/// The format of that name.
fn named(name: &str) -> anyhow::Result<&'static Format> {
    let names = || FORMATS.iter().map(|format| format.name).collect::<Vec<_>>().join(", ");
    by_name(name).with_context(|| format!("no format is called `{name}` (hint: these are: {})", names()))
}
