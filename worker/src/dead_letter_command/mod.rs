//! `pipewarden dead-letter`: list, show and replay what could not be decoded.
//!
//! A letter is never read as an event: `replay` reads its source position again. Must never commit an offset, nor touch
//! the state of a worker.

mod letters;
mod list;
mod replay;
mod reread;
mod show;

use std::process::ExitCode;

use clap::{Args, Subcommand};

/// Arguments of `pipewarden dead-letter`.
#[derive(Debug, Args)]
pub struct DeadLetterArgs {
    #[command(subcommand)]
    command: DeadLetterCommand,
}

#[derive(Debug, Subcommand)]
enum DeadLetterCommand {
    /// List dead letters and count them by reason
    #[command(after_help = "\
Examples:
  pipewarden dead-letter list --config pipewarden.yaml
  pipewarden dead-letter list --file dead.jsonl --reason not_json --json | jq -r .position")]
    List(list::ListArgs),
    /// Show one dead letter: position, reason, what to do about it, and its redacted text
    ///
    /// Exit code: 0 shown, 1 there is no such letter.
    #[command(after_help = "\
Examples:
  pipewarden dead-letter show --config pipewarden.yaml 3
  pipewarden dead-letter show --file dead.jsonl audit:github-audit/0@1172")]
    Show(show::ShowArgs),
    /// Read the positions of dead letters again, through the configuration and the rules of today
    ///
    /// Records that are events now run the rules that one event decides. What holds is told as a late record (`late: true`)
    /// that touches no alert: on standard output, or in a file. No offset is committed and no worker's state is touched, so
    /// it can be done at any time and again.
    ///
    /// Exit code: 0 every record was decoded or filtered, 1 bad usage or configuration, 3 some are still invalid, gone or
    /// could not be read.
    #[command(after_help = "\
Examples:
  pipewarden dead-letter replay --config pipewarden.yaml --reason unknown_format
  pipewarden dead-letter replay --config pipewarden.yaml --alerts late.jsonl --json")]
    Replay(replay::ReplayArgs),
}

/// Runs the command.
///
/// # Errors
/// When the letters or what they name cannot be read, or the result cannot be written.
pub fn run(args: &DeadLetterArgs) -> anyhow::Result<ExitCode> {
    match &args.command {
        DeadLetterCommand::List(args) => list::run(args),
        DeadLetterCommand::Show(args) => show::run(args),
        DeadLetterCommand::Replay(args) => replay::run(args),
    }
}
