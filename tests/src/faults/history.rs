//! The events of game days as lines with their times, as the product reads them.
//!
//! Several days make one history. Must never bring an event twice: what two days tell alike is told once.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;

use super::Line;
use crate::cli;

/// Variants of game days as one history.
#[derive(Debug)]
pub struct History {
    /// What it is called in reports.
    pub name: &'static str,
    /// In order of time.
    pub lines: Vec<Arc<Line>>,
    /// Live lists of the days, by name; a day's entries stand beside another's.
    pub lists: Vec<(String, String)>,
}

impl History {
    /// The variants of all game days (`gd-…`) whose names are taken. They must decode, each line to one event.
    pub fn of_variants(name: &'static str, taken: impl Fn(&str) -> bool) -> History {
        let mut history = History { name, lines: Vec::new(), lists: Vec::new() };
        let folder = cli::workspace().join("replay-data");
        let days = sorted(&folder).into_iter().filter(|day| name_of(day).starts_with("gd-"));
        let variants = days.flat_map(|day| sorted(&day)).filter(|variant| taken(&name_of(variant)));
        let mut text = String::new();
        for variant in variants.filter(|variant| variant.join("scenario.yaml").is_file()) {
            let files = sorted(&variant.join("events")).into_iter().filter(|file| name_of(file).ends_with(".jsonl"));
            files.for_each(|file| text.push_str(&read(&file)));
            sorted(&variant.join("lists")).iter().for_each(|list| history.add_list(list));
        }
        let tried = cli::run(["formats", "try", "--json", "-"], text.as_bytes());
        let events: Vec<Value> = tried.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        assert_eq!(events.len(), text.lines().count(), "each line is one event");
        let mut seen = BTreeSet::new();
        let lines = text.lines().zip(&events).map(|(line, event)| Arc::new(read_line(line, event)));
        history.lines = lines.filter(|line| !line.has_id || seen.insert(line.text.clone())).collect();
        history.lines.sort_by_key(|line| line.at_ms);
        history
    }

    fn add_list(&mut self, list: &Path) {
        let name = name_of(list).trim_end_matches(".txt").to_owned();
        match self.lists.iter_mut().find(|(known, _)| *known == name) {
            Some((_, text)) => text.push_str(&read(list)),
            None => self.lists.push((name, read(list))),
        }
    }
}

fn read_line(line: &str, event: &Value) -> Line {
    let time = event["event"]["time"].as_str().and_then(model::Timestamp::parse);
    let has_id = event["fields"]["event.id"]["from"].as_array().is_some_and(|from| !from.is_empty());
    Line { at_ms: time.unwrap_or_else(|| panic!("no time: {line}")).ms(), text: line.to_owned(), has_id }
}

fn sorted(folder: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<PathBuf> =
        fs::read_dir(folder).into_iter().flatten().map(|entry| entry.expect("readable").path()).collect();
    entries.sort();
    entries
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn read(file: &Path) -> String {
    fs::read_to_string(file).expect("readable")
}
