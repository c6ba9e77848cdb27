//! The inputs of a replay: each file a partition of one source, the one with the lowest watermark read first.
//!
//! An input that cannot be opened or read to its end is reported and harms no other.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ingest::source::file::{self, Chunk, FileInput};
use model::{Partition, Timestamp};

use super::{AHEAD, Job};
use crate::pipeline::Pipeline;

/// Records larger than this are invalid(too_large).
pub const RECORD_BYTES_MAX: usize = 64 * 1024 * 1024;

/// All inputs of a replay.
pub struct Inputs {
    inputs: Vec<Input>,
    problems: Vec<String>,
    bytes: u64,
    /// What ends here goes on in the next piece.
    pub go_on: bool,
    /// Chunks that nobody needs any more, for the memory that they have.
    used: Vec<Chunk>,
}

struct Input {
    path: PathBuf,
    /// None: not opened yet, or ended.
    open: Option<FileInput>,
    ended: bool,
    number: usize,
    partition: Partition,
}

/// Memory above this is not kept for the next chunk: a long record had it.
const USED_BYTES_MAX: usize = 1024 * 1024;

/// What stands under the paths that were named.
pub struct Found {
    /// The files to read.
    pub files: Vec<PathBuf>,
    problems: Vec<String>,
}

/// Finds the files under the paths.
pub fn find(paths: &[PathBuf]) -> Found {
    let mut found = Found { files: Vec::new(), problems: Vec::new() };
    for path in paths {
        let path_name = path.display();
        match file::list(path) {
            Ok(files) if files.is_empty() => {
                found.problems.push(format!("{path_name}: holds no .json, .jsonl or .ndjson file (also .gz, .zst)"));
            }
            Ok(files) => found.files.extend(files),
            Err(error) => found.problems.push(format!("{path_name}: {error}")),
        }
    }
    found
}

impl Found {
    /// Says that no file was found, and why.
    pub fn nothing(&self) -> String {
        let why = self.problems.join("; ");
        format!(
            "there is nothing to read: {why} (hint: name files or folders of JSON records, or - for standard input)"
        )
    }
}

impl Inputs {
    /// Gives each file a partition.
    pub fn open(found: Found, pipeline: &mut Pipeline, source: &Arc<str>) -> Inputs {
        let mut inputs =
            Inputs { inputs: Vec::new(), problems: found.problems, bytes: 0, go_on: false, used: Vec::new() };
        let before = pipeline.partitions(0);
        found.files.into_iter().for_each(|file| inputs.add(file, pipeline, source));
        for number in (0..before).filter(|number| inputs.inputs.iter().all(|input| input.number != *number)) {
            pipeline.complete(0, number, Timestamp::MAX);
        }
        inputs
    }

    fn add(&mut self, path: PathBuf, pipeline: &mut Pipeline, source: &Arc<str>) {
        self.bytes += path.metadata().map_or(0, |metadata| metadata.len());
        let name = path.to_string_lossy().into_owned();
        let number = pipeline.partition_of(0, &name).unwrap_or_else(|| pipeline.add_partition(0, &name));
        let partition = Partition { source: source.clone(), name: name.into() };
        self.inputs.push(Input { path, open: None, ended: false, number, partition });
    }

    fn watermark(&self, pipeline: &Pipeline, at: usize) -> Timestamp {
        self.inputs.get(at).map_or(Timestamp::MAX, |input| pipeline.partition_watermark(0, input.number))
    }

    /// The next chunk of the input whose watermark is lowest, or the end of it. None: all have ended.
    pub(super) fn next(&mut self, pipeline: &Pipeline) -> Option<Job> {
        let lowest = (0..self.inputs.len())
            .filter(|&at| self.inputs.get(at).is_some_and(|input| !input.ended))
            .min_by_key(|&at| (self.watermark(pipeline, at), at))?;
        let input = self.inputs.get_mut(lowest)?;
        if input.open.is_none() {
            match FileInput::open(&input.path, RECORD_BYTES_MAX) {
                Ok(open) => input.open = Some(open),
                Err(error) => self.problems.push(format!("{}: {error}", input.path.display())),
            }
        }
        let used = self.used.pop().unwrap_or_default();
        let chunk = input.open.as_mut().and_then(|open| open.next_chunk_in(used));
        if chunk.is_none() {
            input.ended = true;
            input.open = None;
        }
        Some(Job { input: input.number, partition: input.partition.clone(), chunk })
    }

    /// Nobody needs this chunk any more.
    pub(super) fn used(&mut self, chunk: Chunk) {
        if self.used.len() < AHEAD && chunk.bytes.capacity() <= USED_BYTES_MAX {
            self.used.push(chunk);
        }
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
