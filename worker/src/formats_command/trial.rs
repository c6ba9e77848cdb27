//! `formats try`: records of an input decoded as a run would, each with what became of it and why.
//!
//! The decoder is the run's own. Must never print a text that was not redacted, nor judge differently than a run.

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, bail};
use clap::Args;
use ingest::format::{Format, Wanted};
use ingest::source::file::{Chunk, FileInput};
use ingest::{DEPTH_MAX, Decoder, Read, Scratch, Seen};
use model::{EventClass, Invalid, Projection};

use super::words;
use crate::engine::guessable;

mod told;

use told::{Fate, Filled, Told};

/// Records larger than this are invalid(too_large), as in a replay.
const RECORD_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Exit code where some record, or the rest of the input, could not be read.
const NOT_ALL_READ: u8 = 3;

/// Arguments of `formats try`.
#[derive(Debug, Args)]
pub(super) struct TryArgs {
    /// A file of records: one JSON object, an array, or JSON lines, also .gz or .zst; `-` for standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Read every record as this format; without it, content tells
    #[arg(long, value_name = "NAME")]
    format: Option<String>,
    /// Print a JSON object for each record, one a line
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &TryArgs) -> anyhow::Result<ExitCode> {
    let format = args.format.as_deref().map(super::named).transpose()?;
    if args.file.is_dir() {
        bail!("{}: is a folder (hint: name one file of it; `replay` reads folders)", args.file.display());
    }
    let open = FileInput::open(&args.file, RECORD_BYTES_MAX);
    let mut input = open.with_context(|| format!("{}: cannot be read", args.file.display()))?;
    let trial = Trial::new(format);
    let colours = !args.json && io::stdout().is_terminal();
    let (mut number, mut is_whole, mut out) = (0, true, io::stdout().lock());
    while let Some(chunk) = input.next_chunk() {
        for (at, told) in trial.chunk(&chunk).into_iter().enumerate() {
            number = chunk.first_offset + at as i64 + 1;
            is_whole &= !told.parts.iter().any(|part| matches!(part.fate, Fate::Invalid { .. }));
            let text = if args.json { told.as_lines(number) } else { told.in_words(number, colours) };
            match out.write_all(text.as_bytes()) {
                // The reader has seen enough (`| head`).
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(ExitCode::SUCCESS),
                written => written?,
            }
        }
        if let Some(reason) = chunk.damaged {
            is_whole = false;
            eprintln!("error: {}: {reason}; what came before was read", args.file.display());
        }
    }
    if number == 0 {
        bail!("{}: holds no record (hint: JSON objects, one a line or in an array)", args.file.display());
    }
    Ok(if is_whole { ExitCode::SUCCESS } else { ExitCode::from(NOT_ALL_READ) })
}

/// A decoder that wants every field.
struct Trial {
    decoder: Decoder,
    fields: Projection,
    source: Arc<str>,
}

impl Trial {
    /// Of one format (and what may stand in it), else of all that content tells.
    fn new(format: Option<&'static Format>) -> Trial {
        let mut fields = Projection::default();
        for doc in model::FIELDS.iter() {
            fields.ask(doc.name);
        }
        let others = guessable().into_iter().filter(|other| format.is_none_or(|format| other.name != format.name));
        let others = others.filter(|_| format.is_none_or(Format::carries_others));
        let classes = || EventClass::ALL.iter().map(|&class| (class, fields.clone())).collect();
        let wanted = || Wanted { classes: classes(), ..Wanted::default() };
        let formats: Vec<_> = format.into_iter().chain(others).map(|format| (format, wanted())).collect();
        let is_one = format.is_some_and(|format| !format.carries_others());
        Trial { decoder: Decoder::new(formats, None, is_one), fields, source: "try".into() }
    }

    fn chunk(&self, chunk: &Chunk) -> Vec<Told> {
        let mut scratch = Scratch::default();
        let mut told = Vec::new();
        for (at, bounds) in chunk.records.iter().enumerate() {
            let broken = if chunk.too_large == Some(at) {
                Some(Invalid::TooLarge)
            } else {
                (chunk.torn && at + 1 == chunk.records.len()).then_some(Invalid::Damaged)
            };
            let text = std::str::from_utf8(chunk.bytes.get(bounds.clone()).unwrap_or_default());
            told.push(match (broken, text) {
                (Some(reason), _) => Told::one(self.invalid(reason, "", None)),
                (None, Err(_)) => Told::one(self.invalid(Invalid::NotUtf8, "", None)),
                (None, Ok(text)) => self.record(&mut scratch, text),
            });
        }
        told
    }

    fn record(&self, scratch: &mut Scratch, text: &str) -> Told {
        let opened = self.decoder.opened(text);
        // What stands in a container has no marks of its own.
        let within = opened.iter().rev().find_map(|opened| opened.format).and_then(ingest::format::by_name);
        let mut parts = Vec::new();
        self.decoder.read(scratch, text, 0, &mut |bounds, read| {
            let own = text.get(bounds).unwrap_or(text);
            let format = || self.decoder.format_of(own).or(within);
            parts.push(match read {
                Read::Event(seen) => self.event(&seen),
                Read::Filtered => told::Part { format: format(), fate: Fate::Filtered },
                Read::Invalid(reason) => self.invalid(reason, own, format()),
            });
        });
        Told { opened, parts }
    }

    fn event(&self, seen: &Seen<'_>) -> told::Part {
        let plan = self.decoder.plans().get(seen.plan);
        let (Some(plan), Some(event)) = (plan, self.decoder.event(seen, &self.source, &self.fields)) else {
            return self.invalid(Invalid::UnknownFormat, seen.text, None);
        };
        let format = plan.format();
        if event.time.is_none() && format.mapping.is_some() {
            return self.invalid(Invalid::NoTime, seen.text, Some(format));
        }
        let mut origins = plan.origins(&seen.decoded, seen.raw, &self.fields);
        let filled = |(field, value): (&String, &serde_json::Value)| {
            let from = origins.remove(field.as_str()).unwrap_or_default();
            Filled { field: field.clone(), value: value.clone(), from: from.into_iter().map(str::to_owned).collect() }
        };
        let mut fields: Vec<Filled> = event.fields.iter().map(filled).collect();
        // Who delivers it is configuration; the envelope goes first.
        fields.retain(|filled| !["event.source", "event.trust"].contains(&filled.field.as_str()));
        fields.sort_by_key(|filled| !filled.field.starts_with("event."));
        told::Part { format: Some(format), fate: Fate::Event { event: Box::new(event), fields } }
    }

    fn invalid(&self, reason: Invalid, text: &str, format: Option<&'static Format>) -> told::Part {
        let nearest = match (reason, format) {
            (Invalid::UnknownFormat, None) => self.decoder.nearest(text),
            _ => Vec::new(),
        };
        let hint = match (reason, format) {
            (Invalid::NotJson, _) => serde_json::from_str::<serde::de::IgnoredAny>(text).err().map_or_else(
                || "it is not one JSON value".to_owned(),
                |error| format!("line {}, column {}: {}", error.line(), error.column(), kind(&error)),
            ),
            (Invalid::NotUtf8, _) => "it is not UTF-8 text".to_owned(),
            (Invalid::TooDeep, _) => {
                format!("it is nested deeper than {DEPTH_MAX} levels, or containers stand in it too deep")
            }
            (Invalid::TooLarge, _) => format!("it is larger than {RECORD_BYTES_MAX} bytes"),
            (Invalid::Damaged, _) => "the input ends in the middle of it".to_owned(),
            (Invalid::ClassNotAllowed, _) => "its source may not speak this class".to_owned(),
            (Invalid::NoTime, Some(Format { mapping: Some(mapping), .. })) => {
                format!("none of these is there and a time: {}", words::times(mapping.time).join(", "))
            }
            (Invalid::NoTime, _) => "no time stands in it".to_owned(),
            (Invalid::WrongShape, Some(format)) => match format.complaint(text) {
                Some(complaint) => complaint.to_owned(),
                None => format!("a part of it has another shape than records of {} have", format.name),
            },
            (Invalid::WrongShape, None) => "records are JSON objects, or arrays of them".to_owned(),
            (Invalid::UnknownFormat, Some(format)) => format!("{} knows no records that say this", format.name),
            (Invalid::UnknownFormat, None) => told::nearest_words(&nearest),
        };
        told::Part { format, fate: Fate::Invalid { reason, hint, nearest } }
    }
}

/// What is wrong with a JSON text, without a word of it.
fn kind(error: &serde_json::Error) -> &'static str {
    if error.is_eof() { "it ends in the middle" } else { "no JSON from here on" }
}
