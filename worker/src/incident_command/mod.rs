//! `pipewarden incident`: which alerts belong together, what holds them together, and who was told of which.
//!
//! Reads incident records; must never decide anything itself.

mod told;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use crate::incidents_file::{find, read};
use crate::rules_command::print;

/// Arguments of `pipewarden incident`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pipewarden incident list --incidents state/incidents.jsonl
  pipewarden incident 8c1fe04a --incidents state/incidents.jsonl
  pipewarden replay replay-data/gd-b3/attack --alerts alerts.jsonl --incidents - | pipewarden incident list

Exit codes: 0 done; 1 bad usage, or the incident is not known or names several.")]
pub struct IncidentArgs {
    /// An incident, by its first digits or those of one of its alerts; or `list`
    #[arg(value_name = "INCIDENT")]
    which: String,
    /// Where the records stand: the log of incidents, or a file that `replay --incidents` wrote (also .gz, .zst); may be
    /// repeated
    #[arg(long, value_name = "FILE", default_value = "-")]
    incidents: Vec<PathBuf>,
    /// Print JSON instead of a table: an object, for `list` one a line
    #[arg(long)]
    json: bool,
}

/// Runs the command.
///
/// # Errors
/// Bad usage, or an incident that is not known.
pub fn run(args: &IncidentArgs) -> anyhow::Result<ExitCode> {
    let courses = read(&args.incidents)?;
    let text = match (args.which.as_str(), args.json) {
        ("list", false) => told::list(&courses),
        ("list", true) => courses.iter().map(|course| format!("{}\n", told::as_json(course))).collect(),
        (which, false) => told::one(find(&courses, which)?),
        (which, true) => format!("{}\n", told::as_json(find(&courses, which)?)),
    };
    print(&text)?;
    Ok(ExitCode::SUCCESS)
}
