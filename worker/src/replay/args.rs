//! Arguments of `replay`: as typed, then as meant.
//!
//! Everything wrong is said at once, with a hint; nothing is read or written before the plan is whole.

use std::path::{Path, PathBuf};

use anyhow::bail;
use sinks::Mode;

use super::archive::ArchiveArgs;
use super::outputs::{create, lines_to, writable};
use super::reading::{Mistakes, Reader, ReadingArgs};
use super::state::{ReplayState, StateArgs};
use crate::engine::Keys;
use crate::human::Human;
use crate::keeper::Keeper;
use crate::pipeline::Outlets;

/// Replay records from files or standard input through rules, and print the alerts.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  pipewarden replay replay-data/hijacked-runner                     a game day
  pipewarden replay audit-log.json                                  your GitHub audit log, with the rule pack
  pipewarden replay --rules my.yml --format json --time-field ts events.jsonl
                                                                    any Sigma rules on any JSON lines
  zcat big.jsonl.gz | pipewarden replay --rules my.yml --format json -

Exit codes: 0 done; 1 bad usage or configuration; 2 done, but some rules were refused; 3 done, but some input could not
be read (the rest was, in both cases).")]
pub struct ReplayArgs {
    /// Files or folders of records (.json, .jsonl, .ndjson, each also .gz or .zst), `-` for standard input, or a folder
    /// with a scenario.yaml
    #[arg(required_unless_present = "control_log")]
    pub inputs: Vec<PathBuf>,
    /// Read again from Kafka what a worker has read, as this control log of it says (needs --config and --alerts)
    #[arg(long, value_name = "FILE", requires_all = ["config", "alerts"], conflicts_with = "inputs")]
    pub control_log: Option<PathBuf>,
    /// The worker's configuration, for --control-log
    #[arg(long, value_name = "FILE", requires = "control_log")]
    pub config: Option<PathBuf>,
    #[command(flatten)]
    pub reading: ReadingArgs,
    /// Write the sealed records here, as JSON lines in total order; `-` for standard output
    #[arg(long, value_name = "FILE")]
    pub alerts: Option<PathBuf>,
    /// Write what would be told before it is sealed here
    #[arg(long, value_name = "FILE")]
    pub provisional: Option<PathBuf>,
    /// Write the incidents here: which alerts belong together, and of which of them somebody is told
    #[arg(long, value_name = "FILE", conflicts_with = "every_match")]
    pub incidents: Option<PathBuf>,
    /// Write records that could not be decoded here
    #[arg(long, value_name = "FILE")]
    pub dead_letters: Option<PathBuf>,
    #[command(flatten)]
    pub(super) archive: ArchiveArgs,
    #[command(flatten)]
    pub(super) state: StateArgs,
    /// One record for each match, nothing folded
    #[arg(long)]
    pub every_match: bool,
    /// Print the summary as one JSON object instead of a table
    #[arg(long)]
    pub json: bool,
}

/// Arguments as meant.
pub(super) struct Plan {
    pub(super) reading: Reader,
    pub(super) mode: Mode,
    pub(super) outlets: Outlets,
    pub(super) archive: Option<Keeper>,
    pub(super) state_in: Option<ReplayState>,
    pub(super) state_out: Option<PathBuf>,
    pub(super) json: bool,
    pub(super) quiet_table: bool,
}

impl ReplayArgs {
    /// Checks the arguments and makes everything ready. Nothing is written before all of it is found good.
    ///
    /// # Errors
    /// Every mistake at once, with a hint.
    pub(super) fn plan(mut self) -> anyhow::Result<Plan> {
        let mut mistakes = Mistakes::default();
        let state_in = mistakes.keep(self.state.read()).flatten();
        let mut keys = Keys::of_replay();
        keys.identity = state_in.as_ref().map_or(keys.identity, ReplayState::key);
        self.reading.lineage = self.incidents.is_some();
        self.reading.archive = self.archive.is_asked();
        let reader = self.reading.reader(&mut self.inputs, &mut mistakes, keys);
        if let (Some(state), Some(Ok(reader))) = (&state_in, &reader) {
            mistakes.keep(self.state.check(state, reader));
        }
        let to_stdout = self.alerts.as_deref() == Some(Path::new("-"));
        if to_stdout && self.json {
            let why = "--alerts - and --json both want standard output (hint: name a file for one of them)";
            mistakes.0.push(why.to_owned());
        }
        self.check_outputs(&mut mistakes);
        let archive = mistakes.keep(self.archive.open(self.state.state_in.is_some())).flatten();
        mistakes.say()?;
        let Some(reader) = reader else { bail!("the arguments do not fit together") };
        Ok(Plan {
            reading: reader?,
            mode: if self.every_match { Mode::EveryMatch } else { Mode::Alerts },
            outlets: self.outlets(archive.as_ref())?,
            archive,
            state_in,
            state_out: self.state.state_out,
            json: self.json,
            quiet_table: to_stdout,
        })
    }

    /// An output that is an input would be emptied before it is read; one that cannot be written must not come to light
    /// after another one has been emptied.
    fn check_outputs(&self, mistakes: &mut Mistakes) {
        let same =
            |a: &Path, b: &Path| a == b || a.canonicalize().is_ok_and(|a| b.canonicalize().is_ok_and(|b| a == b));
        let outputs = [&self.alerts, &self.provisional, &self.incidents, &self.dead_letters, &self.state.state_out];
        for output in outputs.into_iter().flatten().filter(|output| *output != Path::new("-")) {
            if self.inputs.iter().chain(&self.reading.rules).any(|input| same(output, input)) {
                let output = output.display();
                mistakes
                    .0
                    .push(format!("{output}: would be overwritten, but it is an input (hint: name another file)"));
            } else {
                mistakes.keep(writable(output));
            }
        }
    }

    fn outlets(&self, archive: Option<&Keeper>) -> anyhow::Result<Outlets> {
        let mut outlets = Outlets { archive: archive.cloned(), ..Outlets::default() };
        if let Some(archive) = archive {
            outlets.sealed.push(Box::new(archive.clone()));
        }
        match &self.alerts {
            Some(path) => outlets.sealed.push(lines_to(path)?),
            None if !self.json => outlets.sealed.push(Box::new(Human::stdout())),
            None => {}
        }
        if let Some(path) = &self.provisional {
            outlets.provisional.push(lines_to(path)?);
        }
        if let Some(path) = &self.incidents {
            outlets.incidents.push(lines_to(path)?);
        }
        if let Some(path) = &self.dead_letters {
            outlets.dead_letters = Some(Box::new(std::io::BufWriter::new(create(path)?)));
        }
        Ok(outlets)
    }
}
