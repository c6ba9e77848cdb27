//! What the pack is for: `docs/coverage.yaml` says which detection serves which need, docs/coverage.md shows it
//! (`UPDATE_EXPECT=1` rewrites the page), and the catalogue of references says what must be there.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::PathBuf;

use harness::cli;
use regex::Regex;
use saphyr::{LoadableYamlNode, Yaml};
use serde_json::Value;

/// Sections of the table, in the page's order: key, title, what their first column is called.
const SECTIONS: [(&str, &str, &str); 5] = [
    ("failures", "Failures", "what goes wrong"),
    ("pages", "What wakes somebody", "what has happened"),
    ("tickets", "What can wait until the morning", "what has happened"),
    ("scenarios", "Scenarios", "what happens"),
    ("answers", "Answers to an incident", "what is looked after"),
];

/// Techniques that ATT&CK 19 numbers otherwise than 18.
const RENUMBERED: [(&str, &str); 4] =
    [("t1562.001", "t1685"), ("t1562.007", "t1686.001"), ("t1562.008", "t1685.002"), ("t1070.002", "t1685.006")];

/// One need.
struct Row {
    section: String,
    code: String,
    about: String,
    /// Folder of its game day.
    day: Option<String>,
    by: Vec<String>,
    waits: Vec<String>,
}

fn table() -> (Vec<Row>, BTreeMap<String, String>) {
    let text = fs::read_to_string(cli::workspace().join("docs/coverage.yaml")).expect("docs/coverage.yaml");
    let documents = Yaml::load_from_str(&text).expect("YAML");
    let root = documents.first().and_then(Yaml::as_mapping).expect("a table");
    let text = |of: &Yaml<'_>| of.as_str().expect("a text").to_owned();
    let (mut rows, mut waiting) = (Vec::new(), BTreeMap::new());
    for (section, entries) in root {
        for (code, entry) in entries.as_mapping().expect("rows") {
            if text(section) == "waiting" {
                waiting.insert(text(code), text(entry));
                continue;
            }
            let get = |key: &str| entry.as_mapping_get(key);
            let list = |key: &str| get(key).and_then(Yaml::as_sequence).into_iter().flatten().map(text).collect();
            let (about, day) = (get("about").map(text).unwrap_or_default(), get("day").map(text));
            rows.push(Row {
                section: text(section),
                code: text(code),
                about,
                day,
                by: list("by"),
                waits: list("waits"),
            });
        }
    }
    (rows, waiting)
}

/// Files of the pack by detection, rules, objectives and rules of a Prometheus server: `RUN-14` has two.
fn pack() -> BTreeMap<String, Vec<String>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (folder, file) in [("rules/library", "/rule.yml"), ("slis/objectives", ""), ("docs/prometheus", "")] {
        for entry in fs::read_dir(cli::workspace().join(folder)).expect("the library") {
            let name = entry.expect("an entry").file_name().to_string_lossy().into_owned();
            let mut parts = name.split(['-', '.']);
            if let (Some(kind), Some(number), Some(_)) = (parts.next(), parts.next(), parts.next())
                && number.parse::<u32>().is_ok()
            {
                let detection = format!("{}-{number}", kind.to_uppercase());
                found.entry(detection).or_default().push(format!("{folder}/{name}{file}"));
            }
        }
    }
    found.values_mut().for_each(|files| files.sort());
    found
}

/// A detection with a link to each of its files.
fn linked(detection: &str, files: &BTreeMap<String, Vec<String>>) -> String {
    let of = files.get(detection).map(Vec::as_slice).unwrap_or_default();
    let link = |(at, file): (usize, &String)| {
        let words = if at == 0 { detection.to_owned() } else { (at + 1).to_string() };
        format!("[{words}](../{file})")
    };
    of.iter().enumerate().map(link).collect::<Vec<_>>().join(" ")
}

fn page(rows: &[Row], waiting: &BTreeMap<String, String>, files: &BTreeMap<String, Vec<String>>) -> String {
    let mut text = String::from(
        "# What the pack notices\n\nEvery failure, page, ticket and scenario that pipewarden is for, and the detections of \
         [the rule pack](rules.md) that serve it. A number\nbehind a detection is another rule of it. What *waits* is not in the pack \
         yet: it needs objectives with their error budgets.\nWhat no event tells (when records came, how the worker does) is a \
         rule of a [Prometheus server](operating.md#metrics) on its metrics.\nThis page is made from \
         [coverage.yaml](coverage.yaml); a test keeps it so:\n\n\
         \x20   UPDATE_EXPECT=1 cargo test --release -p pipewarden-tests --test all -- coverage::\n",
    );
    for (section, title, column) in SECTIONS {
        let _ = write!(text, "\n## {title}\n\n| code | {column} | noticed by | waits |\n|---|---|---|---|\n");
        for row in rows.iter().filter(|row| row.section == section) {
            let day = row.day.as_ref().map(|day| format!(" ([game day](../replay-data/{day}/STORY.md))"));
            let by: Vec<String> = row.by.iter().map(|detection| linked(detection, files)).collect();
            let why = |id: &String| format!("{id} ({})", waiting.get(id).map(String::as_str).unwrap_or_default());
            let waits: Vec<String> = row.waits.iter().map(why).collect();
            let (code, about, day) = (&row.code, &row.about, day.unwrap_or_default());
            let _ = writeln!(text, "| {code} | {about}{day} | {} | {} |", by.join(", "), waits.join(", "));
        }
    }
    text
}

#[test]
fn every_need_has_a_detection_of_the_pack_and_the_page_says_so() {
    let ((rows, waiting), files) = (table(), pack());
    let mut problems = Vec::new();
    for row in &rows {
        if row.about.is_empty() || (row.by.is_empty() && row.waits.is_empty()) {
            problems.push(format!("{}: nothing serves it", row.code));
        }
        if !SECTIONS.iter().any(|(section, ..)| *section == row.section) {
            problems.push(format!("{}: {} is no section", row.code, row.section));
        }
        let missing = row.by.iter().filter(|id| !files.contains_key(*id));
        problems.extend(missing.map(|id| format!("{}: {id} is not in the pack", row.code)));
        let unsaid = row.waits.iter().filter(|id| !waiting.contains_key(*id));
        problems.extend(unsaid.map(|id| format!("{}: what does {id} wait for?", row.code)));
    }
    let there = waiting.keys().filter(|id| files.contains_key(*id));
    problems.extend(there.map(|id| format!("{id} is in the pack and waits for nothing: name it under `by`")));
    assert!(problems.is_empty(), "docs/coverage.yaml:\n{}", problems.join("\n"));
    let text = page(&rows, &waiting, &files);
    let path = cli::workspace().join("docs/coverage.md");
    if cli::updates_expected() {
        fs::write(&path, &text).expect("docs/ can be written");
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(found == text, "docs/coverage.md is not what coverage.yaml and the pack say (UPDATE_EXPECT=1 rewrites it)");
}

/// A page of references that stands beside the workspace; says so where it does not.
fn reference(page: &str) -> Option<String> {
    let path: PathBuf = cli::workspace().join("../shared").join(page);
    let text = fs::read_to_string(&path).ok();
    if text.is_none() {
        println!("skipped: {} is not there", path.display());
    }
    text
}

#[test]
fn no_need_is_forgotten() {
    let Some(text) = reference("requirements.md") else { return };
    let code = Regex::new(r"\b([AB])-([FPTS])(\d+)\b").expect("an expression");
    let wanted: BTreeSet<String> = code.find_iter(&text).map(|found| found.as_str().to_owned()).collect();
    assert!(wanted.len() > 30, "{wanted:?}");
    let rows: BTreeSet<String> = table().0.into_iter().map(|row| row.code).collect();
    let forgotten: Vec<_> = wanted.difference(&rows).collect();
    assert!(forgotten.is_empty(), "docs/coverage.yaml lacks {forgotten:?}");
}

/// The catalogue as far as a pack without objectives goes: what is of the first two tiers is there, with
/// the techniques that the catalogue names.
#[test]
fn what_the_catalogue_puts_first_is_in_the_pack() {
    let Some(text) = reference("reference/detections.json") else { return };
    let catalogue: Value = serde_json::from_str(&text).expect("JSON");
    let files = pack();
    let waiting = table().1;
    let (mut problems, mut there) = (Vec::new(), 0);
    for detection in catalogue.as_array().expect("detections") {
        let id = detection["id"].as_str().expect("an id");
        let sigma = detection["sigma"].as_str().unwrap_or_default();
        let waits = ["E5", "E6"].iter().any(|extension| sigma.contains(extension));
        let Some(of) = files.get(id) else {
            if detection["tier"].as_u64() < Some(3) && !(waits && waiting.contains_key(id)) {
                problems.push(format!("{id} is not in the pack"));
            }
            continue;
        };
        there += 1;
        let rules: String = of
            .iter()
            .map(|file| fs::read_to_string(cli::workspace().join(file)))
            .collect::<Result<String, _>>()
            .expect("a rule");
        let texts = |key: &str| detection[key].as_array().into_iter().flatten().filter_map(Value::as_str);
        let techniques = texts("attack_v18").map(str::to_lowercase).flat_map(|id| {
            let now = RENUMBERED.iter().find(|(old, _)| *old == id).map_or(id.clone(), |(_, new)| (*new).to_owned());
            [format!("attack.{id}"), format!("attack-v19.{now}")]
        });
        let risks = texts("cicd_sec").map(str::to_lowercase).map(|id| id.replace("cicd-sec-", "cicd-sec."));
        for tag in techniques.chain(risks).filter(|tag| !rules.contains(&format!("- {tag}\n"))) {
            problems.push(format!("{id}: no rule of it has the tag {tag}"));
        }
    }
    assert!(there > 100, "{there} detections");
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}
