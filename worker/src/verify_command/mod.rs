//! `pipewarden verify`: an alert held against the events it names, and told again from them.
//!
//! Says `verified` only when every event is there byte for byte and every record comes out again; everything else has a
//! name. Must never write anything but its answer.

mod again;
mod findings;
mod told;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::bail;
use clap::Args;
use sinks::Mode;

use crate::alerts_file::{Alert, Asked};
use crate::engine::Keys;
use crate::evidence;
use crate::replay::reading::{Mistakes, ReadingArgs};
use crate::rules_command::print;
use again::Ear;
use findings::{Findings, Verdict};

/// Exit code where something differs.
const DIFFERS: u8 = 2;

/// Exit code where nothing differs, but something could not be checked.
const UNCHECKED: u8 = 3;

/// Arguments of `pipewarden verify`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pipewarden verify d0eb2213 --alerts alerts.jsonl replay-data/hijacked-runner
  pipewarden verify d0eb2213 --alerts state/seal.jsonl --control-log state/control.jsonl --config pipewarden.yaml

Exit codes: 0 verified; 1 bad usage, or the alert is not known or names several; 2 something differs; 3 nothing differs,
but something could not be checked.")]
pub struct VerifyArgs {
    #[command(flatten)]
    asked: Asked,
    /// Files or folders of the records that the alert was made of (as `replay` takes them), or a folder with a
    /// scenario.yaml
    #[arg(required_unless_present = "control_log", value_name = "INPUT")]
    inputs: Vec<PathBuf>,
    #[command(flatten)]
    reading: ReadingArgs,
    /// Read again from Kafka what a worker has read, as this control log of it says (needs --config)
    #[arg(long, value_name = "FILE", requires = "config", conflicts_with = "inputs")]
    control_log: Option<PathBuf>,
    /// The worker's configuration, for --control-log
    #[arg(long, value_name = "FILE", requires = "control_log")]
    config: Option<PathBuf>,
    /// Print one JSON object instead of words
    #[arg(long)]
    json: bool,
}

/// Runs the command.
///
/// # Errors
/// Bad usage, an alert that is not known, or inputs that cannot be replayed.
pub fn run(args: VerifyArgs) -> anyhow::Result<ExitCode> {
    let stdin = Path::new("-");
    if args.asked.alerts.iter().chain(&args.inputs).filter(|path| *path == stdin).count() > 1 {
        bail!("--alerts and the inputs both want standard input (hint: name a file for one of them)");
    }
    let alert = args.asked.find()?;
    let json = args.json;
    let findings = match (&args.control_log, &args.config) {
        (Some(control_log), Some(config)) => of_kafka(&alert, config, control_log)?,
        _ => of_files(&alert, args)?,
    };
    print(&if json { told::as_json(&alert, &findings) } else { told::in_words(&alert, &findings) })?;
    Ok(match findings.verdict() {
        Verdict::Verified => ExitCode::SUCCESS,
        Verdict::Differs => ExitCode::from(DIFFERS),
        Verdict::Unchecked => ExitCode::from(UNCHECKED),
    })
}

fn of_files(alert: &Alert, mut args: VerifyArgs) -> anyhow::Result<Findings> {
    let mut mistakes = Mistakes::default();
    let reader = args.reading.reader(&mut args.inputs, &mut mistakes, Keys::of_replay());
    mistakes.say()?;
    let Some(reader) = reader else { bail!("the arguments do not fit together") };
    let reader = reader?;
    let wanted: BTreeSet<_> = alert.lines.iter().flat_map(|line| line.record.evidence.iter().cloned()).collect();
    let rules = reader.engine.rules.clone();
    let mut findings = Findings::default();
    findings.events(&wanted, evidence::look(&reader.engine, &reader.inputs.files, &wanted));
    findings.rule(alert, &rules);
    let ear = Ear::of(alert.fingerprint);
    let done = crate::replay::through(reader, mode(alert), ear.outlets(), args.json)?;
    findings.unread(done.inputs.problems());
    findings.compare(alert, ear.heard());
    Ok(findings)
}

fn of_kafka(alert: &Alert, config: &Path, control_log: &Path) -> anyhow::Result<Findings> {
    let ear = Ear::of(alert.fingerprint);
    crate::run::rerun_into(config, control_log, ear.outlets())?;
    let mut findings = Findings::default();
    findings.compare(alert, ear.heard());
    Ok(findings)
}

/// Records of single matches come out of a replay that folds nothing.
fn mode(alert: &Alert) -> Mode {
    let is_match = alert.lines.iter().any(|line| line.record.state == model::AlertState::Match);
    if is_match { Mode::EveryMatch } else { Mode::Alerts }
}
