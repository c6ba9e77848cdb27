//! `scenario.yaml` as `replay` reads it: which inputs, lists and lateness it stands on. What a game day expects, and when its
//! records arrived, is the business of `gameday`; here all inputs are one source.
//!
//! Paths in it are relative to its folder. Unknown keys are errors, and all of them are named at once.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use model::Timestamp;
use saphyr::{LoadableYamlNode, Yaml};

/// A scenario as read.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Scenario {
    /// The inputs.
    pub inputs: Vec<PathBuf>,
    /// Format of the inputs.
    pub format: String,
    /// Name of their source.
    pub source: Option<String>,
    /// Their allowed lateness.
    pub lateness: Option<String>,
    /// Live lists by name.
    pub lists: Vec<(String, PathBuf)>,
    /// Inventory for enrichment.
    pub inventory: Option<PathBuf>,
    /// Network tables for enrichment.
    pub network: Vec<PathBuf>,
    /// Until when buckets close where input is over before.
    pub end: Option<Timestamp>,
}

const KNOWN: &str = "title, story, format, source, lateness, lists, inventory, network, inputs, expected, end";

/// Keys that only `gameday` reads.
const OF_GAME_DAYS: [&str; 7] = ["id", "variant", "seed", "start", "health", "labels", "expect"];

impl Scenario {
    /// Reads a scenario.
    ///
    /// # Errors
    /// When the file cannot be read, or says something unknown; every such key is named.
    pub fn read(file: &Path) -> anyhow::Result<Scenario> {
        let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
        let documents = Yaml::load_from_str(&text).map_err(|error| anyhow::anyhow!("{}: {error}", file.display()))?;
        let folder = file.parent().unwrap_or(Path::new("."));
        let mut scenario = Scenario { format: "auto".to_owned(), ..Scenario::default() };
        let mut problems = Vec::new();
        for (key, value) in documents.first().and_then(Yaml::as_mapping).into_iter().flatten() {
            let key = key.as_str().unwrap_or_default();
            let text = || value.as_str().map(str::to_owned);
            match key {
                "title" | "story" | "expected" => {}
                "end" => match value.as_str().and_then(Timestamp::parse) {
                    Some(end) => scenario.end = Some(end),
                    None => problems.push("end: not a time (hint: 2026-09-01T00:00:00Z)".to_owned()),
                },
                key if OF_GAME_DAYS.contains(&key) => {}
                "format" => scenario.format = text().unwrap_or_default(),
                "source" => scenario.source = text(),
                "lateness" => scenario.lateness = text(),
                "inputs" => {
                    let file = |input| Yaml::as_str(input).or_else(|| input.as_mapping_get("file")?.as_str());
                    let inputs = value.as_sequence().into_iter().flatten().filter_map(file);
                    scenario.inputs.extend(inputs.map(|input| folder.join(input)));
                }
                "inventory" => scenario.inventory = text().map(|file| folder.join(file)),
                "network" => {
                    let files = value.as_sequence().into_iter().flatten().chain(value.as_str().map(|_| value));
                    scenario.network.extend(files.filter_map(Yaml::as_str).map(|file| folder.join(file)));
                }
                "lists" => {
                    for (name, list) in value.as_mapping().into_iter().flatten() {
                        match (name.as_str(), list.as_str()) {
                            (Some(name), Some(list)) => scenario.lists.push((name.to_owned(), folder.join(list))),
                            _ => problems.push("lists: a name without a file (hint: lists: {NAME: FILE})".to_owned()),
                        }
                    }
                }
                other => problems.push(format!("{other}: unknown key (hint: {KNOWN})")),
            }
        }
        if scenario.inputs.is_empty() {
            problems.push("inputs: is missing (hint: inputs: [FILE])".to_owned());
        }
        if !problems.is_empty() {
            let lines: Vec<String> = problems.iter().map(|problem| format!("{}: {problem}", file.display())).collect();
            bail!(lines.join("\n  "));
        }
        Ok(scenario)
    }
}
