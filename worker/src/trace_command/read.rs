//! Records of files into lineage: every format, every class, only the fields that lineage wants.
//!
//! An input that cannot be read is reported and harms no other. Events expire by the newest of all events, when all are
//! in: so the order of files decides nothing.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use indicatif::ProgressBar;
use ingest::enrich::Tables;
use ingest::format::{FORMATS, Format, Wanted, by_name};
use ingest::source::file::{self, Chunk, FileInput};
use ingest::{Decoder, Read, Scratch, Seen};
use model::{EventClass, Row, Sha256, Timestamp};
use rules::Lists;
use rules::lineage::{Kind, Limits, Lineage, LinkReader, Links};

use super::{Asked, scenario};
use crate::engine::guessable;
use crate::enrichment::TableTexts;

/// Records larger than this cannot be read, as in a replay.
const RECORD_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Files to read, and how.
pub(super) struct Reader {
    files: Vec<(PathBuf, Option<&'static Format>)>,
    tables: Option<Arc<Tables>>,
    until: Option<Timestamp>,
    progress: ProgressBar,
    links: LinkReader,
    readings: Readings,
}

/// What was read.
pub(super) struct Readings {
    pub(super) lineage: Lineage,
    /// Events that were taken in.
    pub(super) events: u64,
    /// Records that could not be decoded.
    pub(super) invalid: u64,
    /// Inputs that could not be read, or not to their end.
    pub(super) problems: Vec<String>,
}

impl Reader {
    /// Finds the files and checks the arguments.
    ///
    /// # Errors
    /// What is wrong with them.
    pub(super) fn new(asked: &Asked) -> anyhow::Result<Reader> {
        let mut problems = Vec::new();
        let (mut files, mut inventory) = (Vec::new(), asked.inventory.clone());
        let given = (asked.format != "auto").then(|| named(&asked.format)).transpose()?;
        let mut add = |path: &Path, format: Option<&'static Format>| match file::list(path) {
            Ok(found) if found.is_empty() => {
                problems.push(format!("{}: holds no .json, .jsonl or .ndjson file (also .gz, .zst)", path.display()))
            }
            Ok(found) => files.extend(found.into_iter().map(|file| (file, format))),
            Err(error) => problems.push(format!("{}: {error}", path.display())),
        };
        let folders = asked.inputs.iter().map(|input| (input, input.join("scenario.yaml")));
        let (of_days, plain): (Vec<_>, Vec<_>) = folders.partition(|(_, file)| file.is_file());
        let days = of_days.into_iter().map(|(_, file)| file);
        for day in asked.scenario.clone().into_iter().chain(days) {
            let day = scenario::read(&day)?;
            for (path, format) in &day.inputs {
                add(path, format.as_deref().map(named).transpose()?.or(given));
            }
            inventory = inventory.or(day.inventory);
        }
        plain.into_iter().for_each(|(input, _)| add(input, given));
        if files.is_empty() {
            let why = problems.join("; ");
            bail!(
                "there is nothing to read: {why} (hint: name files or folders of JSON records, or - for standard input)"
            );
        }
        let tables = TableTexts::read(inventory.as_deref(), &[]).and_then(|of| of.build(&mut Lists::default()));
        let until = asked.until.as_deref().map(|text| {
            Timestamp::parse(text).with_context(|| format!("--until {text}: not a time (hint: 2026-09-01T00:00:00Z)"))
        });
        let (edges_max, degree_max) = (asked.edges_max, asked.degree_max);
        let limits = Limits { edges_max, purl_edges_max: edges_max, degree_max, ..Limits::default() };
        Ok(Reader {
            progress: progress(&files, asked.json),
            files,
            tables: tables.map_err(|wrong| anyhow::anyhow!(wrong.join("\n  ")))?,
            until: until.transpose()?,
            links: LinkReader::default(),
            readings: Readings { lineage: Lineage::new(limits), events: 0, invalid: 0, problems },
        })
    }

    /// Reads everything.
    ///
    /// # Errors
    /// When no input holds an event.
    pub(super) fn read(mut self) -> anyhow::Result<Readings> {
        let mut decoders: BTreeMap<Option<&str>, Decoder> = BTreeMap::new();
        let mut newest = Timestamp::MIN;
        for (path, format) in std::mem::take(&mut self.files) {
            let decoder = decoders.entry(format.map(|format| format.name)).or_insert_with(|| self.decoder(format));
            match FileInput::open(&path, RECORD_BYTES_MAX) {
                Ok(input) => newest = newest.max(self.file(decoder, &path, input)),
                Err(error) => self.readings.problems.push(format!("{}: {error}", path.display())),
            }
        }
        self.progress.finish_and_clear();
        if self.readings.events == 0 {
            self.readings.complain();
            bail!("there is no event in the inputs (hint: `pipewarden formats try FILE` says what its records are)");
        }
        self.readings.lineage.advance(newest);
        Ok(self.readings)
    }

    fn decoder(&self, format: Option<&'static Format>) -> Decoder {
        let classes = || EventClass::ALL.iter().map(|&class| (class, self.links.fields().clone())).collect();
        let wanted = || Wanted { classes: classes(), tables: self.tables.clone(), ..Wanted::default() };
        let others = guessable().into_iter().filter(|other| format.is_none_or(|format| other.name != format.name));
        let others = others.filter(|_| format.is_none_or(Format::carries_others));
        let is_one = format.is_some_and(|format| !format.carries_others());
        Decoder::new(format.into_iter().chain(others).map(|format| (format, wanted())).collect(), None, is_one)
    }

    /// Reads one file; returns the time of its newest event.
    fn file(&mut self, decoder: &Decoder, path: &Path, mut input: FileInput) -> Timestamp {
        let mut newest = Timestamp::MIN;
        let (mut scratch, mut row) = (Scratch::default(), Row::default());
        while let Some(chunk) = input.next_chunk() {
            for (at, bounds) in chunk.records.iter().enumerate() {
                let text = simdutf8::basic::from_utf8(chunk.bytes.get(bounds.clone()).unwrap_or_default());
                let (Ok(text), false) = (text, is_broken(&chunk, at)) else {
                    self.readings.invalid += 1;
                    continue;
                };
                decoder.read(&mut scratch, text, 0, &mut |_, read| match read {
                    Read::Filtered => {}
                    Read::Invalid(_) => self.readings.invalid += 1,
                    Read::Event(seen) => newest = newest.max(self.event(decoder, &seen, &mut row)),
                });
            }
            self.progress.inc(chunk.bytes.len() as u64);
            if let Some(reason) = chunk.damaged {
                let path = path.display();
                self.readings.problems.push(format!("{path}: {reason}; what came before was read"));
            }
        }
        newest
    }

    /// Takes an event in; returns its time.
    fn event(&mut self, decoder: &Decoder, seen: &Seen<'_>, row: &mut Row) -> Timestamp {
        let (Some(time), Some(_)) = (seen.decoded.time, seen.decoded.class) else {
            self.readings.invalid += 1;
            return Timestamp::MIN;
        };
        if self.until.is_some_and(|until| time > until) {
            return Timestamp::MIN;
        }
        self.readings.events += 1;
        if let Some(links) = links(&self.links, decoder, seen, time, row) {
            self.readings.lineage.observe(&links);
        }
        time
    }
}

/// The provenance keys of a decoded event.
fn links(reader: &LinkReader, decoder: &Decoder, seen: &Seen<'_>, time: Timestamp, row: &mut Row) -> Option<Links> {
    let (plan, decoded) = (decoder.plans().get(seen.plan)?, &seen.decoded);
    plan.map(decoded, seen.raw, "", row)?;
    let what = (decoded.class?, decoded.action, decoded.verdict);
    // What it prints, it redacts.
    let as_is: &mut dyn FnMut(Kind, &str) -> Option<String> = &mut |_, _| None;
    match &decoded.id {
        Some(id) => reader.read(row.view(seen.text), (time, id), what, as_is),
        None => reader.read(row.view(seen.text), (time, &Sha256::of(seen.text.as_bytes()).hex()), what, as_is),
    }
}

impl Readings {
    /// What was read and what was not, for scripts.
    pub(super) fn as_json(&self) -> serde_json::Value {
        serde_json::json!({
            "events": self.events, "invalid": self.invalid, "inputs_not_read": self.problems,
            "edges_evicted": self.lineage.evicted().iter().sum::<u64>(), "edges_left_out": self.lineage.cut(),
        })
    }

    /// Says on standard error what could not be read.
    pub(super) fn complain(&self) {
        for problem in &self.problems {
            tracing::error!("not read: {problem}");
        }
        if self.invalid > 0 {
            tracing::warn!("{} records are no events (hint: `pipewarden formats try FILE` says why)", self.invalid);
        }
        let (evicted, cut) = (self.lineage.evicted().iter().sum::<u64>(), self.lineage.cut());
        if evicted + cut > 0 {
            tracing::warn!("at the limit: {evicted} halves of edges given up, {cut} left out (hint: --edges-max)");
        }
    }
}

fn is_broken(chunk: &Chunk, at: usize) -> bool {
    chunk.too_large == Some(at) || (chunk.torn && at + 1 == chunk.records.len())
}

fn named(name: &str) -> anyhow::Result<&'static Format> {
    let known = || FORMATS.iter().map(|format| format.name).collect::<Vec<_>>().join(", ");
    let format = by_name(name).with_context(|| format!("--format {name}: unknown (hint: auto, {})", known()))?;
    if format.mapping.is_none() && !format.carries_others() {
        bail!("--format {name}: its records have no provenance (hint: a format of `pipewarden formats list`)");
    }
    Ok(format)
}

/// A progress bar where a person watches.
fn progress(files: &[(PathBuf, Option<&'static Format>)], json: bool) -> ProgressBar {
    if json || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bytes = files.iter().filter_map(|(path, _)| path.metadata().ok()).map(|metadata| metadata.len()).sum();
    let bar = ProgressBar::new(bytes);
    match indicatif::ProgressStyle::with_template("{wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
