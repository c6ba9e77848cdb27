//! The inputs of a replay: each file a partition of one source, the one with the lowest watermark read first.
//!
//! An input that cannot be opened or read to its end is reported and harms no other.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::bail;
use ingest::source::file::{self, FileInput};
use model::Partition;

use super::Job;
use crate::pipeline::Pipeline;

/// Records larger than this are invalid(too_large).
pub const RECORD_BYTES_MAX: usize = 64 * 1024 * 1024;

/// All inputs of a replay.
pub struct Inputs {
    inputs: Vec<Input>,
    problems: Vec<String>,
    bytes: u64,
}

struct Input {
    path: PathBuf,
    /// None: not opened yet, or ended.
    open: Option<FileInput>,
    ended: bool,
    partition: Partition,
}

impl Inputs {
    /// Finds the files under the paths and gives each a partition.
    ///
    /// # Errors
    /// When nothing is found at all.
    pub fn open(paths: Vec<PathBuf>, pipeline: &mut Pipeline, source: Arc<str>) -> anyhow::Result<Inputs> {
        let mut inputs = Inputs { inputs: Vec::new(), problems: Vec::new(), bytes: 0 };
        for path in &paths {
            match file::list(path) {
                Ok(files) if files.is_empty() => {
                    inputs
                        .problems
                        .push(format!("{}: holds no .json, .jsonl or .ndjson file (also .gz, .zst)", path.display()));
                }
                Ok(files) => files.into_iter().for_each(|file| inputs.add(file, pipeline, &source)),
                Err(error) => inputs.problems.push(format!("{}: {error}", path.display())),
            }
        }
        if inputs.inputs.is_empty() {
            bail!(
                "there is nothing to read: {}\nhint: name files or folders of JSON records, or - for standard input",
                inputs.problems.join("; ")
            );
        }
        Ok(inputs)
    }

    fn add(&mut self, path: PathBuf, pipeline: &mut Pipeline, source: &Arc<str>) {
        self.bytes += path.metadata().map_or(0, |metadata| metadata.len());
        let name = path.to_string_lossy().into_owned();
        pipeline.add_partition(0, &name);
        let partition = Partition { source: source.clone(), name: name.into() };
        self.inputs.push(Input { path, open: None, ended: false, partition });
    }

    /// The next chunk of the input whose watermark is lowest, or the end of it. None: all have ended.
    pub(super) fn next(&mut self, pipeline: &Pipeline) -> Option<Job> {
        let lowest = (0..self.inputs.len())
            .filter(|&at| self.inputs.get(at).is_some_and(|input| !input.ended))
            .min_by_key(|&at| (pipeline.partition_watermark(0, at), at))?;
        let input = self.inputs.get_mut(lowest)?;
        if input.open.is_none() {
            match FileInput::open(&input.path, RECORD_BYTES_MAX) {
                Ok(open) => input.open = Some(open),
                Err(error) => self.problems.push(format!("{}: {error}", input.path.display())),
            }
        }
        let chunk = input.open.as_mut().and_then(FileInput::next_chunk);
        if chunk.is_none() {
            input.ended = true;
            input.open = None;
        }
        Some(Job { input: lowest, partition: input.partition.clone(), chunk })
    }

    /// An input could not be read to its end.
    pub fn unreadable(&mut self, path: &Path, reason: &str) {
        self.problems.push(format!("{}: {reason}; what came before was read", path.display()));
    }

    /// Inputs that could not be read, or not to their end.
    pub fn problems(&self) -> &[String] {
        &self.problems
    }

    /// A progress bar where a person watches.
    pub fn progress(&self, json: bool) -> indicatif::ProgressBar {
        if json || !std::io::stderr().is_terminal() {
            return indicatif::ProgressBar::hidden();
        }
        let style = indicatif::ProgressStyle::with_template("{wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}");
        let bar = indicatif::ProgressBar::new(self.bytes);
        match style {
            Ok(style) => bar.with_style(style),
            Err(_) => bar,
        }
    }
}
