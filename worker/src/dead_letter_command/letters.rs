//! The letters of a file, and which of them are meant.
//!
//! A line that is no dead letter is said and left out: it must never hide the others.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use ingest::DeadLetter;
use model::Invalid;

use crate::config::Config;

/// Where the letters are.
#[derive(Debug, clap::Args)]
pub(super) struct From {
    /// The worker's configuration: its `alerts.dead_letters`
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// A file of dead letters, instead
    #[arg(long, value_name = "FILE")]
    pub(super) file: Option<PathBuf>,
}

/// Which letters are meant; all conditions hold.
#[derive(Debug, clap::Args)]
pub(super) struct Which {
    /// Only of this source
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    /// Only of this partition: TOPIC/NUMBER, or the path of a file
    #[arg(long, value_name = "NAME")]
    partition: Option<String>,
    /// Only for this reason; may be repeated
    #[arg(long, value_name = "REASON", value_parser = reason)]
    reason: Vec<Invalid>,
    /// Only from this offset on
    #[arg(long, value_name = "OFFSET")]
    from: Option<i64>,
    /// Only before this offset
    #[arg(long, value_name = "OFFSET")]
    before: Option<i64>,
}

/// A letter and the number of its line, from 1.
pub(super) type Numbered = (usize, DeadLetter);

impl From {
    /// The file, named or configured.
    pub(super) fn path(&self) -> anyhow::Result<PathBuf> {
        match (&self.file, &self.config) {
            (Some(file), _) => Ok(file.clone()),
            (None, Some(config)) => {
                let letters = Config::load(config)?.alerts.dead_letters;
                letters
                    .with_context(|| format!("{}: keeps no dead letters (hint: alerts.dead_letters)", config.display()))
            }
            (None, None) => bail!("whose dead letters? (hint: --config pipewarden.yaml, or --file dead.jsonl)"),
        }
    }

    /// All letters.
    pub(super) fn letters(&self) -> anyhow::Result<Vec<Numbered>> {
        read(&self.path()?)
    }
}

impl Which {
    /// The letters that are meant.
    pub(super) fn of(&self, letters: Vec<Numbered>) -> Vec<Numbered> {
        letters.into_iter().filter(|(_, letter)| self.takes(letter)).collect()
    }

    fn takes(&self, letter: &DeadLetter) -> bool {
        let at = &letter.position;
        self.source.as_deref().is_none_or(|source| *at.partition.source == *source)
            && self.partition.as_deref().is_none_or(|name| *at.partition.name == *name)
            && (self.reason.is_empty() || self.reason.contains(&letter.reason))
            && self.from.is_none_or(|from| at.offset >= from)
            && self.before.is_none_or(|before| at.offset < before)
    }
}

fn read(path: &Path) -> anyhow::Result<Vec<Numbered>> {
    let bytes = match std::fs::read(path) {
        // A worker makes the file with the first letter at the latest.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            bail!(
                "{}: is not there (hint: it is written by run with alerts.dead_letters, and by replay --dead-letters)",
                path.display()
            )
        }
        read => read.with_context(|| format!("{}: cannot be read", path.display()))?,
    };
    let mut letters = Vec::new();
    let lines = bytes.split(|&byte| byte == b'\n').enumerate();
    for (at, line) in lines.filter(|(_, line)| !line.trim_ascii().is_empty()) {
        match serde_json::from_slice(line) {
            Ok(letter) => letters.push((at + 1, letter)),
            Err(error) => tracing::warn!("{}:{}: no dead letter: {error}", path.display(), at + 1),
        }
    }
    Ok(letters)
}

fn reason(name: &str) -> Result<Invalid, String> {
    let known = || Invalid::ALL.map(Invalid::name).join(", ");
    Invalid::ALL.into_iter().find(|reason| reason.name() == name).ok_or_else(|| format!("one of {}", known()))
}

/// What a person can do about records that are invalid for this reason.
pub(super) fn hint(reason: Invalid) -> &'static str {
    match reason {
        Invalid::NotJson => "the source's format is wrong for this topic, or its producer is broken",
        Invalid::NotUtf8 => "the producer writes another encoding, or compressed or binary payloads",
        Invalid::TooDeep => "no real event is nested like this: ask who writes it",
        Invalid::TooLarge => "ask the producer to split it: a record ends at 64 MiB",
        Invalid::WrongShape => "another format than the source's? Name the right one, then `dead-letter replay`",
        Invalid::UnknownFormat => "name its format in the source's list (`format: [...]`), then `dead-letter replay`",
        Invalid::NoTime => "for format json name the right field under `time`; else the producer leaves it out",
        Invalid::ClassNotAllowed => {
            "add the class to the source's `classes` if it may speak it; else find out who wrote it"
        }
        Invalid::Damaged => "the file ends in the middle: fetch it again, then replay it",
    }
}
