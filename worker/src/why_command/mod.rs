//! `pipewarden why`: one alert explained to the engineer whom it woke.
//!
//! Says what the records and the rules at hand say, and what it could not look at. Must never print a text that was not
//! redacted.

mod route;
mod story;
mod told;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::bail;
use clap::Args;
use model::Fingerprint;

use crate::alerts_file::Asked;
use crate::engine::Keys;
use crate::incidents_file::{self, Course};
use crate::replay::reading::{Mistakes, ReadingArgs};
use crate::rules_command::print;
use crate::run::{INCIDENTS, SEAL_LOG};
use story::Story;

/// Exit code where some input could not be read.
const NOT_ALL_READ: u8 = 3;

/// Arguments of `pipewarden why`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pipewarden why d0eb2213 --alerts state/seal.jsonl
  pipewarden why d0eb2213 --alerts alerts.jsonl --events replay-data/hijacked-runner
  pipewarden replay audit.json --alerts - | pipewarden why d0eb2213

Exit codes: 0 done; 1 bad usage, or the alert is not known or names several; 3 done, but some input could not be
read.")]
pub struct WhyArgs {
    #[command(flatten)]
    asked: Asked,
    /// Files or folders of the records that made it: their fields are told, and the route is evaluated again
    #[arg(long, value_name = "INPUT", num_args = 1..)]
    events: Vec<PathBuf>,
    /// Where incident records stand; without it, `incidents.jsonl` beside a seal log
    #[arg(long, value_name = "FILE")]
    incidents: Vec<PathBuf>,
    #[command(flatten)]
    reading: ReadingArgs,
    /// Print one JSON object instead of words
    #[arg(long)]
    json: bool,
}

/// Runs the command.
///
/// # Errors
/// Bad usage, or an alert that is not known.
pub fn run(mut args: WhyArgs) -> anyhow::Result<ExitCode> {
    let stdin = Path::new("-");
    if args.events.iter().any(|path| path == stdin) && args.asked.alerts.iter().any(|path| path == stdin) {
        bail!("--alerts and --events both want standard input (hint: name a file for one of them)");
    }
    let alert = args.asked.find()?;
    let mut mistakes = Mistakes::default();
    let story = if args.events.is_empty() {
        let rules = args.reading.rule_set(true, &mut mistakes);
        mistakes.say()?;
        Story::of(&alert, rules.as_ref(), None)
    } else {
        let reader = args.reading.reader(&mut args.events, &mut mistakes, Keys::of_replay());
        mistakes.say()?;
        let Some(reader) = reader else { bail!("the arguments do not fit together") };
        let reader = reader?;
        let rules = reader.engine.rules.clone();
        Story::of(&alert, Some(&rules), Some(&reader))
    };
    let Some(story) = story else { bail!("{}: has no record", alert.fingerprint) };
    let named = args.asked.alerts.iter().map(|path| path.display().to_string()).collect::<Vec<_>>();
    let inputs = args.events.iter().map(|path| path.display().to_string()).collect::<Vec<_>>();
    let next = story.next(&named, &inputs);
    let incident = incident(&args, alert.fingerprint)?;
    let incident = incident.as_ref();
    print(&if args.json { told::as_json(&story, incident, &next) } else { told::in_words(&story, incident, &next) })?;
    story.problems.iter().for_each(|problem| tracing::error!("not read: {problem}"));
    Ok(if story.problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(NOT_ALL_READ) })
}

/// The incident of an alert, where records of incidents are at hand and one of them names it: the last of several.
fn incident(args: &WhyArgs, alert: Fingerprint) -> anyhow::Result<Option<Course>> {
    let beside = |log: &PathBuf| {
        let is_log = log.file_name().is_some_and(|name| name == SEAL_LOG);
        is_log.then(|| log.with_file_name(INCIDENTS)).filter(|path| path.metadata().is_ok_and(|of| of.len() > 0))
    };
    let paths: Vec<PathBuf> = match args.incidents.as_slice() {
        [] => args.asked.alerts.iter().filter_map(beside).collect(),
        named => named.to_vec(),
    };
    if paths.is_empty() {
        return Ok(None);
    }
    Ok(incidents_file::read(&paths)?.into_iter().rev().find(|course| course.holds(alert)))
}
