//! The events that an alert names, looked for in the files they came from: by the hash of their bytes, else by their id.
//!
//! Records are decoded as a replay decodes them. Must never take an event for another whose bytes are not the same.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use ingest::source::file::{Chunk, FileInput};
use ingest::{Read, Scratch, Seen, decode_one};
use model::{EventClass, Evidence, RedactionKey, Sha256, Timestamp, cut, redact_field};
use serde_json::{Map, Value};

use crate::engine::Engine;
use crate::replay::inputs::RECORD_BYTES_MAX;

/// Longest text of a field that is told, in characters.
const TEXT_CHARACTERS_MAX: usize = 256;

/// An event where it stands.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    /// File and number of the record in it, counted from 1.
    pub(crate) position: String,
    /// SHA-256 of its bytes, as they are now.
    pub(crate) sha256: Sha256,
    pub(crate) time: Option<Timestamp>,
    pub(crate) class: Option<EventClass>,
    /// Its fields, redacted and cut.
    pub(crate) fields: Map<String, Value>,
    /// Its own bytes. Must not leave as they are.
    pub(crate) text: String,
}

/// What became of an event that an alert names.
#[derive(Debug, Clone)]
pub(crate) enum Standing {
    /// It is there, byte for byte.
    Same(Found),
    /// An event of its id is there, with other bytes.
    Changed(Found),
    /// It is in none of the files.
    Missing,
}

/// What looking has found.
#[derive(Debug, Default)]
pub(crate) struct Looked {
    pub(crate) of: BTreeMap<Evidence, Standing>,
    /// Events that were looked at.
    pub(crate) events: u64,
    /// Files that could not be read, or not to their end.
    pub(crate) problems: Vec<String>,
}

impl Looked {
    pub(crate) fn standing(&self, evidence: &Evidence) -> &Standing {
        self.of.get(evidence).unwrap_or(&Standing::Missing)
    }
}

/// Looks for events in files.
pub(crate) fn look(engine: &Engine, files: &[PathBuf], wanted: &BTreeSet<Evidence>) -> Looked {
    let redaction = RedactionKey::default();
    let by_hash = wanted.iter().map(|evidence| (evidence.sha256, evidence)).collect();
    let by_id = wanted.iter().map(|evidence| (&*evidence.id, evidence)).collect();
    let mut search = Search { engine, by_hash, by_id, redaction, looked: Looked::default() };
    for file in files {
        match FileInput::open(file, RECORD_BYTES_MAX) {
            Ok(input) => search.file(file, input),
            Err(error) => search.looked.problems.push(format!("{}: {error}", file.display())),
        }
    }
    search.looked
}

struct Search<'w> {
    engine: &'w Engine,
    by_hash: BTreeMap<Sha256, &'w Evidence>,
    by_id: BTreeMap<&'w str, &'w Evidence>,
    redaction: RedactionKey,
    looked: Looked,
}

impl Search<'_> {
    fn file(&mut self, path: &Path, mut input: FileInput) {
        let mut scratch = Scratch::default();
        let engine = self.engine;
        while let Some(chunk) = input.next_chunk() {
            for (at, bounds) in chunk.records.iter().enumerate() {
                let text = simdutf8::basic::from_utf8(chunk.bytes.get(bounds.clone()).unwrap_or_default());
                let (Ok(text), false) = (text, is_broken(&chunk, at)) else { continue };
                let position = || format!("{}:{}", path.display(), chunk.first_offset + at as i64 + 1);
                engine.decoder.read(&mut scratch, text, 0, &mut |_, read| {
                    if let Read::Event(seen) = read {
                        self.event(&seen, &position);
                    }
                });
            }
            if let Some(reason) = chunk.damaged {
                self.looked.problems.push(format!("{}: {reason}; what came before was read", path.display()));
            }
        }
    }

    fn event(&mut self, seen: &Seen<'_>, position: &dyn Fn() -> String) {
        self.looked.events += 1;
        let sha256 = Sha256::of(seen.text.as_bytes());
        if let Some(evidence) = self.by_hash.get(&sha256) {
            let found = || Standing::Same(self.found(seen, sha256, position()));
            let known = self.looked.of.get(*evidence);
            if !matches!(known, Some(Standing::Same(_))) {
                let found = found();
                self.looked.of.insert((*evidence).clone(), found);
            }
            return;
        }
        let Some(id) = &seen.decoded.id else { return };
        let named = self.redaction.name_field("event.id", id);
        if let Some(evidence) = self.by_id.get(&*named)
            && !self.looked.of.contains_key(*evidence)
        {
            let found = self.found(seen, sha256, position());
            self.looked.of.insert((*evidence).clone(), Standing::Changed(found));
        }
    }

    fn found(&self, seen: &Seen<'_>, sha256: Sha256, position: String) -> Found {
        let format = self.engine.decoder.plans().get(seen.plan).map(|plan| plan.format());
        let source = &self.engine.reading.source;
        let decoded = format.and_then(|format| decode_one(format, source, seen.text).ok()?.into_iter().next());
        let mut fields = Map::new();
        match decoded.filter(|event| !event.fields.is_empty()) {
            Some(event) => {
                event.fields.iter().for_each(|(name, value)| self.flat(name, value, &mut fields));
            }
            None => {
                let raw: Value = serde_json::from_str(seen.text).unwrap_or_default();
                self.flat("", &raw, &mut fields);
            }
        }
        let (time, class) = (seen.decoded.time, seen.decoded.class);
        Found { position, sha256, time, class, fields, text: seen.text.to_owned() }
    }

    /// Fields by path, each as it may leave.
    fn flat(&self, path: &str, value: &Value, fields: &mut Map<String, Value>) {
        let clean = |text: &str| {
            let named = self.redaction.name_field(path, text);
            cut(&redact_field(path, &named), TEXT_CHARACTERS_MAX).into_owned()
        };
        match value {
            Value::Object(members) => {
                for (name, member) in members {
                    let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                    self.flat(&path, member, fields);
                }
            }
            Value::Array(values) => {
                let texts = values.iter().map(|value| match value {
                    Value::String(text) => clean(text),
                    other => clean(&other.to_string()),
                });
                fields.insert(path.to_owned(), Value::String(texts.collect::<Vec<_>>().join(", ")));
            }
            Value::String(text) => {
                fields.insert(path.to_owned(), Value::String(clean(text)));
            }
            Value::Null => {}
            other => {
                fields.insert(path.to_owned(), other.clone());
            }
        }
    }
}

fn is_broken(chunk: &Chunk, at: usize) -> bool {
    chunk.too_large == Some(at) || (chunk.torn && at + 1 == chunk.records.len())
}
