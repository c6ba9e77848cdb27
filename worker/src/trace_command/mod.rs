//! `pipewarden trace` and `pipewarden affected`: questions to the lineage of files.
//!
//! Records are read as a replay reads them, without rules. Must never print a text that was not redacted.

mod affected;
mod find;
mod read;
mod scenario;
mod told;
mod trace;

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use model::RedactionKey;
use rules::lineage::{Key, Kind};

use find::{Found, find};
use read::{Reader, Readings};
use told::Words;

/// Exit code where some input could not be read.
const NOT_ALL_READ: u8 = 3;

/// Candidates that are named to somebody whose key means several things.
const CANDIDATES_MAX: usize = 10;

/// Arguments of `pipewarden trace`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pipewarden trace 888100 replay-data/gd-b3/attack            the run of a game day
  pipewarden trace --json sha256:e9fa… events/                a digest, for scripts

Exit codes: 0 done; 1 bad usage, or the key is not known or names several things; 3 done, but some input could not be
read (the rest was).")]
pub struct TraceArgs {
    /// A digest (sha256:…), a commit, a package URL, or the id of a run, a job, a token … The first characters of a digest
    /// or a commit are enough where they are the only ones
    key: String,
    #[command(flatten)]
    asked: Asked,
}

/// Arguments of `pipewarden affected`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pipewarden affected pkg:npm/libfoo@4.2.7 replay-data/gd-a3/attack
  pipewarden affected --kind token ghs-9c0ad0e11c0ddd21 events/

Exit codes: 0 done; 1 bad usage, or the key is not known or names several things; 3 done, but some input could not be
read (the rest was).")]
pub struct AffectedArgs {
    /// A package URL with its version, a digest (sha256:…), a token, or any other key that `trace` takes
    key: String,
    #[command(flatten)]
    asked: Asked,
}

/// What both commands are told.
#[derive(Debug, Args)]
struct Asked {
    /// Files or folders of records (.json, .jsonl, .ndjson, each also .gz or .zst), `-` for standard input, or a folder
    /// with a scenario.yaml
    #[arg(required_unless_present = "scenario", value_name = "INPUT")]
    inputs: Vec<PathBuf>,
    /// A scenario.yaml that names inputs, their formats and the inventory
    #[arg(long, value_name = "FILE")]
    scenario: Option<PathBuf>,
    /// What the key is: token, run, job, runner, build, commit, workflow, digest, attestation, cache, service, purl, repo.
    /// Without it, its form tells, and what is known
    #[arg(long, value_name = "KIND", value_parser = kind)]
    kind: Option<Kind>,
    /// What the records are: auto (told by content), or a name of `pipewarden formats list`
    #[arg(long, default_value = "auto")]
    format: String,
    /// Inventory that tells what events do not (YAML or JSON)
    #[arg(long, value_name = "FILE")]
    inventory: Option<PathBuf>,
    /// Leave out what happened after this time
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Keys to which more than this came on one day are hubs, and not followed
    #[arg(long, value_name = "N", default_value_t = 256)]
    degree_max: usize,
    /// Edges that are held; at the limit those seen longest ago go first
    #[arg(long, value_name = "N", default_value_t = 4_000_000)]
    edges_max: usize,
    /// Print one JSON object instead of a table
    #[arg(long)]
    json: bool,
}

fn kind(name: &str) -> Result<Kind, String> {
    let known = || Kind::ALL.map(Kind::name).join(", ");
    Kind::by_name(name).ok_or_else(|| format!("unknown (hint: {})", known()))
}

/// Runs `pipewarden trace`.
///
/// # Errors
/// Bad usage, or nothing that could be read.
pub fn trace(args: &TraceArgs) -> anyhow::Result<ExitCode> {
    let asked = &args.asked;
    answer(&args.key, asked, &|words, readings, key| {
        let chain = readings.lineage.chain(key);
        if asked.json { trace::as_json(words, readings, &chain) } else { trace::in_words(words, &chain) }
    })
}

/// Runs `pipewarden affected`.
///
/// # Errors
/// Bad usage, or nothing that could be read.
pub fn affected(args: &AffectedArgs) -> anyhow::Result<ExitCode> {
    let asked = &args.asked;
    answer(&args.key, asked, &|words, readings, key| {
        let reached = readings.lineage.reached(key);
        if asked.json { affected::as_json(words, readings, &reached) } else { affected::in_words(words, &reached) }
    })
}

type Tell<'a> = &'a dyn Fn(&Words, &Readings, &Key) -> String;

fn answer(text: &str, asked: &Asked, tell: Tell<'_>) -> anyhow::Result<ExitCode> {
    let words = Words { redaction: RedactionKey::default() };
    let readings = Reader::new(asked)?.read()?;
    readings.complain();
    let known = |keys: &[&Key]| {
        let mut told: Vec<String> = keys.iter().take(CANDIDATES_MAX).map(|key| words.candidate(key)).collect();
        if keys.len() > CANDIDATES_MAX {
            told.push(format!("  and {} more", keys.len() - CANDIDATES_MAX));
        }
        told.join("\n")
    };
    match find(&readings.lineage, text, asked.kind, &words) {
        Found::One(key) => {
            let told = tell(&words, &readings, key);
            match io::stdout().lock().write_all(told.as_bytes()) {
                // The reader has seen enough (`| head`).
                Err(error) if error.kind() != io::ErrorKind::BrokenPipe => return Err(error.into()),
                _ => {}
            }
            let all_read = readings.problems.is_empty();
            Ok(if all_read { ExitCode::SUCCESS } else { ExitCode::from(NOT_ALL_READ) })
        }
        Found::Many(keys) => {
            let (text, known) = (words.asked(text), known(&keys));
            anyhow::bail!("{text}: names several things (hint: give --kind, or the whole key):\n{known}")
        }
        Found::None(near) if near.is_empty() => anyhow::bail!(
            "{}: is in none of the {} events (hint: other inputs, or --kind)",
            words.asked(text),
            readings.events
        ),
        Found::None(near) => anyhow::bail!(
            "{}: is in none of the {} events; the nearest are\n{}",
            words.asked(text),
            readings.events,
            known(&near)
        ),
    }
}
