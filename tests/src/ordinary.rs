//! Thirty ordinary days of one organisation and every benign twin of the game days, as one folder that `replay` reads: what a
//! pack may say when nothing is wrong.
//!
//! Both organisations keep their own inventory and lists, side by side; `replay` makes one source of all inputs. Must never
//! leave out a record, nor explain anything that the two organisations do not explain themselves.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use baseline::Baseline;
use baseline::sources::SOURCES;
use model::Sha256;
use saphyr::{LoadableYamlNode, Yaml};
use serde_json::{Map, Value, json};
use tempfile::TempDir;

use crate::cli;

/// How late a record of these days may be: as late as the slowest of their sources, and a little.
const LATENESS: &str = "20m";

/// What the days are, written down.
pub struct OrdinaryDays {
    folder: TempDir,
    /// SHA-256 (hexadecimal) of each record that only looks like an attack: of which detection, and which of its variants.
    pub planted: BTreeMap<String, (&'static str, &'static str)>,
    /// Variants of game days that run beside them.
    pub twins: Vec<String>,
}

impl OrdinaryDays {
    /// Writes `days` days from `first` (`2026-09-01`) on, drawn from `seed`, with all twins. Panics where files cannot be
    /// read or written.
    pub fn new(seed: u64, days: u32, first: &str) -> OrdinaryDays {
        let folder = tempfile::tempdir().expect("a folder");
        let start = baseline::time::midnight(first).expect("a date");
        let days = Baseline::new(seed, days, start);
        let (mut inputs, planted) = records(&days, folder.path());
        let game_days = cli::workspace().join("replay-data");
        let mut twins = Vec::new();
        for entry in fs::read_dir(&game_days).expect("game days") {
            let twin = entry.expect("an entry").path().join("twin");
            let Ok(events) = fs::read_dir(twin.join("events")) else { continue };
            let files = events.map(|event| event.expect("an entry").path());
            inputs.extend(files.filter(|file| file.extension().is_some_and(|ending| ending == "jsonl")));
            twins.push(twin.strip_prefix(&game_days).expect("inside").to_string_lossy().into_owned());
        }
        inputs.sort();
        twins.sort();
        let common = game_days.join("gd-common");
        let lists = both(folder.path(), &days, &common.join("inventory.yaml"));
        fs::write(folder.path().join("network.csv"), baseline::network_csv()).expect("written");
        let scenario = json!({
            "title": "Ordinary days and all twins", "format": "auto", "lateness": LATENESS, "inventory": "inventory.yaml",
            "network": ["network.csv", common.join("network.csv")], "lists": lists, "inputs": inputs,
        });
        fs::write(folder.path().join("scenario.yaml"), scenario.to_string()).expect("written");
        OrdinaryDays { folder, planted, twins }
    }

    /// The folder to replay.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// A file for each source; and what was planted, by the hash of its bytes.
fn records(days: &Baseline, folder: &Path) -> (Vec<PathBuf>, BTreeMap<String, (&'static str, &'static str)>) {
    let mut planted = BTreeMap::new();
    let mut files: BTreeMap<&str, BufWriter<fs::File>> = BTreeMap::new();
    let path = |source: &str| folder.join(format!("{source}.jsonl"));
    for source in SOURCES {
        files.insert(source.name, BufWriter::new(fs::File::create(path(source.name)).expect("a file")));
    }
    for record in days.records() {
        let file = files.get_mut(record.source).expect("a known source");
        file.write_all(&record.bytes).and_then(|()| file.write_all(b"\n")).expect("written");
        if let (Some(detection), Some(variant)) = (record.label, record.variant) {
            planted.insert(Sha256::of(&record.bytes).hex(), (detection, variant));
        }
    }
    files.values_mut().for_each(|file| file.flush().expect("written"));
    (SOURCES.iter().map(|source| path(source.name)).collect(), planted)
}

/// Inventory and lists of both organisations, written to the folder; gives the lists' files by name.
fn both(folder: &Path, days: &Baseline, common: &Path) -> BTreeMap<String, PathBuf> {
    let mut theirs = yaml(&fs::read_to_string(common).expect("the inventory of game days"));
    let mut lists: BTreeMap<String, BTreeMap<String, BTreeSet<String>>> = BTreeMap::new();
    let given = theirs.as_object_mut().and_then(|sections| sections.remove("lists")).unwrap_or_default();
    for (name, list) in given.as_object().into_iter().flatten() {
        add(lists.entry(name.clone()).or_default(), list);
    }
    for (file, text) in days.lists() {
        let (name, ending) = file.split_once('.').unwrap_or((&file, "txt"));
        let lines = || text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect::<Vec<_>>();
        let list = if ending == "txt" { json!(lines()) } else { yaml(&text)["map"].take() };
        add(lists.entry(name.to_owned()).or_default(), &list);
    }
    let mut inventory = yaml(&days.inventory());
    for (section, entries) in theirs.as_object().into_iter().flatten() {
        let mine = inventory.as_object_mut().expect("sections").entry(section).or_insert_with(|| json!({}));
        mine.as_object_mut().expect("entries").extend(entries.as_object().cloned().unwrap_or_default());
    }
    fs::write(folder.join("inventory.yaml"), inventory.to_string()).expect("written");
    let write = |(name, list): (String, BTreeMap<String, BTreeSet<String>>)| {
        let file = match list.get("") {
            Some(flat) if list.len() == 1 => {
                let file = folder.join(format!("{name}.txt"));
                fs::write(&file, flat.iter().map(|entry| format!("{entry}\n")).collect::<String>()).expect("written");
                file
            }
            _ => {
                let file = folder.join(format!("{name}.yaml"));
                fs::write(&file, json!({ "map": list }).to_string()).expect("written");
                file
            }
        };
        (name, file)
    };
    lists.into_iter().map(write).collect()
}

/// Entries of a list; those without a key stand under the empty one.
fn add(to: &mut BTreeMap<String, BTreeSet<String>>, list: &Value) {
    let texts = |list: &Value| -> BTreeSet<String> {
        list.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    match list.as_object() {
        Some(map) => map.iter().for_each(|(key, list)| to.entry(key.clone()).or_default().extend(texts(list))),
        None => to.entry(String::new()).or_default().extend(texts(list)),
    }
}

fn yaml(text: &str) -> Value {
    fn value(of: &Yaml<'_>) -> Value {
        if let Some(map) = of.as_mapping() {
            let key = |key: &Yaml<'_>| key.as_str().map_or_else(|| value(key).to_string(), str::to_owned);
            return Value::Object(map.iter().map(|(name, of)| (key(name), value(of))).collect::<Map<_, _>>());
        }
        if let Some(list) = of.as_sequence() {
            return Value::Array(list.iter().map(value).collect());
        }
        let plain = of.as_bool().map(Value::from).or_else(|| of.as_integer().map(Value::from));
        plain.or_else(|| of.as_str().map(Value::from)).unwrap_or_default()
    }
    value(Yaml::load_from_str(text).expect("YAML").first().expect("a document"))
}
