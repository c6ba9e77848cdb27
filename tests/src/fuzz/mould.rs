//! What records of a format are made from: the paths its mapping reads, the words it knows, and whole records of it.
//!
//! Words are the literals of the format's own source and the values of known records; records are those of the rule
//! proofs and game days, and of the sample folder where it stands beside the checkout. Must never need that folder.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ingest::format::{Container, FORMATS, Format, Id};
use ingest::{Decoder, Read, Scratch};
use regex::Regex;
use serde_json::Value;

use super::INPUT_BYTES_MAX;
use super::tree::{Tree, any, quoted, time};
use crate::cli;
use crate::generate::Random;

/// Records of formats of which no others are at hand.
const BY_HAND: [&str; 2] = [
    r#"{"trigger":"on-deployed","app":{"metadata":{"name":"till","namespace":"argocd"},"spec":{"project":"shop",
        "source":{"repoURL":"https://git.example.org/shop/deploy.git"},"destination":{"name":"eu","namespace":"live"}},
        "status":{"operationState":{"phase":"Succeeded","startedAt":"2026-09-01T10:00:00Z","finishedAt":"2026-09-01T10:00:09Z",
        "operation":{"initiatedBy":{"username":"jo"},"sync":{}}}}}}"#,
    r#"{"apiVersion":"argoproj.io/v1alpha1","kind":"Application","metadata":{"name":"till"},
        "spec":{"project":"shop"},"status":{"operationState":{"phase":"Running","startedAt":"2026-09-01T10:00:00Z",
        "operation":{"initiatedBy":{"automated":true},"sync":{}}}}}"#,
];

/// At most so many records of one format are kept.
const RECORDS_MAX: usize = 400;

/// What records of one format are made from.
#[derive(Debug)]
pub struct Mould {
    /// The format.
    pub format: &'static Format,
    /// Texts that mean something to it, as JSON writes them.
    pub words: Vec<String>,
    marks: Vec<Vec<Vec<String>>>,
    /// Paths of id, time, action and class, and those that stand in its container.
    named: Vec<(Vec<String>, Role)>,
    rows: Vec<Vec<String>>,
    outer: Vec<Vec<String>>,
    /// Values seen under a key.
    values: BTreeMap<String, Vec<String>>,
    records: Vec<Tree>,
    pieces: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Time,
    Other,
}

/// The moulds of all formats, in the order of [`FORMATS`].
pub static MOULDS: LazyLock<Vec<Mould>> = LazyLock::new(|| {
    let mut moulds: Vec<Mould> = FORMATS.iter().map(|format| Mould::new(format)).collect();
    let known = known_records();
    for (at, texts) in known {
        moulds[at].learn(&texts);
    }
    moulds
});

fn keys(path: &str) -> Vec<String> {
    let path = path.strip_prefix("^.").unwrap_or(path).replace("\\.", "\u{0}");
    path.split('.').map(|key| quoted(&key.replace('\u{0}', "."))).collect()
}

impl Mould {
    fn new(format: &'static Format) -> Mould {
        let mapping = format.mapping;
        let mut named: Vec<(&str, Role)> = vec![("id", Role::Other), ("time", Role::Time)];
        if let Some(mapping) = mapping {
            let ids: Vec<&str> = match mapping.id {
                Id::First(paths) | Id::Joined(paths) | Id::Composed(paths) => paths.to_vec(),
                Id::FirstJoined(lists) => lists.concat(),
            };
            named = ids.into_iter().map(|path| (path, Role::Other)).collect();
            named.extend(mapping.time.iter().map(|path| (*path, Role::Time)));
            named.push((mapping.action, Role::Other));
            named.extend(mapping.classify_paths.iter().map(|path| (*path, Role::Other)));
        }
        let mut rows: BTreeSet<&str> =
            mapping.iter().flat_map(|of| of.rows).flat_map(|row| row.paths).copied().collect();
        if rows.is_empty() {
            rows.extend(model::FIELDS.iter().map(|field| field.name));
        }
        let outer = rows.iter().filter(|path| path.starts_with("^.")).map(|path| keys(path)).collect();
        named.retain(|(path, _)| !path.starts_with('^'));
        let mut words = literals(format);
        words.extend(model::EventClass::ALL.iter().map(|class| class.name().to_owned()).take(8));
        Mould {
            format,
            words,
            marks: format.marks.iter().map(|set| set.iter().map(|path| keys(path)).collect()).collect(),
            named: named.into_iter().map(|(path, role)| (keys(path), role)).collect(),
            rows: rows.iter().filter(|path| !path.starts_with('^')).map(|path| keys(path)).collect(),
            outer,
            values: BTreeMap::new(),
            records: Vec::new(),
            pieces: Vec::new(),
        }
    }

    fn learn(&mut self, texts: &[String]) {
        let mut asked: BTreeSet<String> = self.rows.iter().chain(&self.outer).flatten().cloned().collect();
        asked.extend(self.named.iter().flat_map(|(path, _)| path).cloned());
        asked.extend(self.marks.iter().flatten().flatten().cloned());
        asked.extend(self.format.containers.iter().flat_map(|container| keys(container.path())));
        let has_members = self.format.containers.contains(&Container::Members);
        for text in texts.iter().take(RECORDS_MAX) {
            let mut end = text.len().min(INPUT_BYTES_MAX);
            while !text.is_char_boundary(end) {
                end -= 1;
            }
            self.pieces.push(text[..end].to_owned());
            let Ok(value) = serde_json::from_str::<Value>(text) else { continue };
            let mut tree = Tree::of(&value);
            tree.prune(&|key| has_members || asked.contains(key));
            tree.leaves("", &mut |key, leaf| {
                if leaf.len() < 200 {
                    let known = self.values.entry(key.to_owned()).or_default();
                    if known.len() < 40 && !known.iter().any(|known| known == leaf) {
                        known.push(leaf.to_owned());
                    }
                }
            });
            if tree.text().len() < INPUT_BYTES_MAX {
                self.records.push(tree);
            }
        }
    }

    fn value(&self, random: &mut Random, path: &[String], role: Role) -> Tree {
        let seen = path.last().and_then(|key| self.values.get(key));
        match seen {
            Some(seen) if random.percent(60) => Tree::Leaf(seen[random.below(seen.len())].clone()),
            _ if role == Role::Time && random.percent(80) => time(random),
            _ => any(random, &self.words),
        }
    }

    /// A record: a known one with places changed, a piece of one, or one made from the mapping's paths.
    pub fn record(&self, random: &mut Random) -> String {
        match random.below(100) {
            0..4 if !self.pieces.is_empty() => self.pieces[random.below(self.pieces.len())].clone(),
            4..45 if !self.records.is_empty() => {
                let mut tree = self.records[random.below(self.records.len())].clone();
                for _ in 0..random.below(4) {
                    tree.disturb(random, &self.words);
                }
                tree.text()
            }
            _ => self.made(random, 0).text(),
        }
    }

    fn made(&self, random: &mut Random, depth: usize) -> Tree {
        let mut tree = Tree::Object(Vec::new());
        if !self.marks.is_empty() && random.percent(95) {
            let set = &self.marks[random.below(self.marks.len())];
            for path in set {
                tree.put(path, self.value(random, path, Role::Other));
            }
        }
        for (path, role) in &self.named {
            if random.percent(if *role == Role::Time { 70 } else { 45 }) {
                tree.put(path, self.value(random, path, *role));
            }
        }
        for _ in 0..random.below(8).min(self.rows.len()) {
            let path = &self.rows[random.below(self.rows.len())];
            tree.put(path, self.value(random, path, Role::Other));
        }
        if random.percent(15) {
            tree.disturb(random, &self.words);
        }
        if depth < 3 && !self.format.containers.is_empty() && random.percent(25) {
            let container = self.format.containers[random.below(self.format.containers.len())];
            return self.contained(random, tree, container, depth);
        }
        tree
    }

    /// The record in a container of its format, or records of another in it.
    fn contained(&self, random: &mut Random, record: Tree, container: Container, depth: usize) -> Tree {
        let other = |random: &mut Random| {
            let at = random.below(MOULDS.len());
            MOULDS[at].made(random, depth + 1)
        };
        let written = |random: &mut Random, inner: &Tree| {
            let text = inner.text();
            Tree::Leaf(match random.below(3) {
                0 => Value::from(text).to_string(),
                1 => format!("\"{}\"", STANDARD.encode(text)),
                _ => format!("\"{}\"", URL_SAFE_NO_PAD.encode(text)),
            })
        };
        let mut whole =
            if container.is_beside() || container.is_foreign() { record.clone() } else { Tree::Object(Vec::new()) };
        for path in &self.outer {
            whole.put(path, self.value(random, path, Role::Other));
        }
        let path = keys(container.path());
        let inner = match container {
            Container::Array(_) | Container::Parts(_) => Tree::List(
                (0..random.below(4)).map(|at| if at == 0 { record.clone() } else { self.made(random, 3) }).collect(),
            ),
            Container::Envelope(_) => record,
            Container::Encoded(_) | Container::EncodedPart(_) => written(random, &record),
            Container::Foreign(_) => other(random),
            Container::ForeignEncoded(_) => {
                let inner = other(random);
                written(random, &inner)
            }
            Container::Newest { times, .. } => {
                let dates = ["modified", "1.0.0", "2.0.0"].map(|key| (key.to_owned(), time(random)));
                whole.put(&keys(times), Tree::Object(dates.into()));
                Tree::Object(vec![("1.0.0".to_owned(), record), ("2.0.0".to_owned(), self.made(random, 3))])
            }
            Container::Members => {
                let key = self.words.first().cloned().unwrap_or_default();
                return Tree::Object(vec![("a".to_owned(), record), (key, self.made(random, 3))]);
            }
        };
        whole.put(&path, inner);
        whole
    }
}

/// The literals of the source that describes a format.
fn literals(format: &Format) -> Vec<String> {
    static LITERAL: LazyLock<Regex> = LazyLock::new(|| Regex::new(r#""([^"\\\n]{1,60})""#).expect("a pattern"));
    let says = format!("name: \"{}\"", format.name);
    let mut found = BTreeSet::new();
    for file in files(&cli::workspace().join("ingest/src/format"), &["rs"]) {
        let is_it = |file: &Path| fs::read_to_string(file).is_ok_and(|text| text.contains(&says));
        let in_folder = file.with_file_name("mod.rs");
        let is_folder = !file.parent().is_some_and(|folder| folder.ends_with("format")) && is_it(&in_folder);
        if is_folder || is_it(&file) {
            let text = fs::read_to_string(&file).unwrap_or_default();
            found.extend(LITERAL.captures_iter(&text).map(|of| quoted(&of[1])).filter(|word| !word.contains('{')));
        }
    }
    found.into_iter().collect()
}

/// Files below a folder with one of these endings, in order of their names; none where there is no folder.
pub fn files(folder: &Path, endings: &[&str]) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    let mut found = Vec::new();
    for path in paths {
        if path.is_dir() {
            found.extend(files(&path, endings));
        } else if path.extension().is_some_and(|of| endings.iter().any(|ending| of == *ending)) {
            found.push(path);
        }
    }
    found
}

/// Records known to be good, by the number of their format among [`FORMATS`].
pub fn known_records() -> BTreeMap<usize, Vec<String>> {
    let formats: Vec<_> = FORMATS.iter().map(|format| (*format, Default::default())).collect();
    let decoder = Decoder::new(formats, None, false);
    let mut scratch = Scratch::default();
    let mut known: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    let root = cli::workspace();
    let samples = root.join("../shared/samples");
    if !samples.exists() {
        println!("skipped: no {}", samples.display());
    }
    let mut tell = |record: &str| {
        let mut of = None;
        decoder.read(&mut scratch, record, 0, &mut |_, read| {
            if let Read::Event(seen) = read {
                of = of.or(Some(seen.plan));
            }
        });
        known.entry(of.unwrap_or(FORMATS.len() - 1)).or_default().push(record.to_owned());
    };
    let ours = ["rules/library", "replay-data", "tests/scenarios", "tests/fixtures"].map(|folder| root.join(folder));
    for folder in ours.into_iter().chain([samples]) {
        for file in files(&folder, &["json", "jsonl"]) {
            let text = fs::read_to_string(&file).unwrap_or_default();
            let is_one = serde_json::from_str::<Value>(&text).is_ok();
            let records: Vec<&str> = if is_one { vec![text.trim()] } else { text.lines().take(200).collect() };
            records.into_iter().for_each(&mut tell);
        }
    }
    BY_HAND.into_iter().for_each(&mut tell);
    // Records that the decoders' own tests spell out.
    static WRITTEN: LazyLock<Regex> = LazyLock::new(|| Regex::new(r##"(?s)r#"(\s*\{.*?)"#"##).expect("a pattern"));
    for file in files(&root.join("ingest"), &["rs"]) {
        let text = fs::read_to_string(&file).unwrap_or_default();
        let written = WRITTEN.captures_iter(&text).filter_map(|of| serde_json::from_str::<Value>(&of[1]).ok());
        written.filter(Value::is_object).for_each(|record| tell(&record.to_string()));
    }
    known
}
