//! The rules of the house that a compiler does not know: which way crates depend, who reads the clock, how long files are.
//!
//! Works on the text of the workspace; a finding names file and line, and all findings are told at once.

use std::fs;
use std::path::Path;

use harness::cli;

const FILE_LINES_MAX: usize = 400;
const FUNCTION_LINES_MAX: usize = 70;

/// A source file of the workspace.
struct Source {
    /// From the workspace's root, with `/`.
    path: String,
    text: String,
}

impl Source {
    /// The lines that the product consists of: no tests at the end, no comments. Numbered from 1.
    fn product_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        let product = self.text.lines().take_while(|line| !line.starts_with("#[cfg(test)]"));
        product.enumerate().map(|(at, line)| (at + 1, line.split("//").next().unwrap_or_default()))
    }

    fn is_product(&self) -> bool {
        let (member, within) = self.path.split_once('/').unwrap_or_default();
        member != "tests" && within.starts_with("src/")
    }
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The workspace's members, as its manifest lists them.
fn members() -> Vec<String> {
    let manifest = read(&cli::workspace().join("Cargo.toml"));
    let list = manifest.split_once("\nmembers = [").and_then(|(_, rest)| rest.split_once(']')).expect("members").0;
    list.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

fn sources() -> Vec<Source> {
    let mut found = Vec::new();
    for member in members() {
        collect(&cli::workspace().join(&member), &member, &mut found);
    }
    assert!(found.len() > 50, "{} files", found.len());
    found
}

fn collect(folder: &Path, name: &str, found: &mut Vec<Source>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let inner = format!("{name}/{file}");
        if path.is_dir() && file != "target" {
            collect(&path, &inner, found);
        } else if file.ends_with(".rs") {
            found.push(Source { text: read(&path), path: inner });
        }
    }
}

fn none(rule: &str, findings: &[String]) {
    assert!(findings.is_empty(), "{rule}: {} findings\n{}", findings.len(), findings.join("\n"));
}

/// Names of the dependencies that a manifest declares, for whatever purpose.
fn dependencies(manifest: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut inside = false;
    for line in manifest.lines().map(str::trim) {
        if let Some(section) = line.strip_prefix('[') {
            let section = section.trim_end_matches(']');
            inside = section.ends_with("dependencies");
            names.extend(section.split_once("dependencies.").map(|(_, name)| name.to_owned()));
        } else if inside && !line.starts_with('#') {
            names.extend(line.split(['.', '=', ' ']).next().filter(|name| !name.is_empty()).map(str::to_owned));
        }
    }
    names
}

#[test]
fn stages_depend_on_the_model_only() {
    let members = members();
    let mut findings = Vec::new();
    for member in &members {
        let manifest = read(&cli::workspace().join(member).join("Cargo.toml"));
        for name in dependencies(&manifest) {
            let bare = name.strip_prefix("pipewarden-").unwrap_or(&name);
            let ours = members.iter().any(|member| member == bare) || bare == "pipewarden";
            let may = match member.as_str() {
                "worker" | "tests" => true,
                "model" => false,
                _ => bare == "model",
            };
            if ours && !may {
                findings.push(format!("{member}/Cargo.toml: depends on {name}"));
            }
            if ["datafusion", "parquet"].contains(&name.as_str()) && member != "slis" {
                findings.push(format!("{member}/Cargo.toml: queries and Parquet have one door, in slis"));
            }
            if name == "rdkafka" && !["ingest", "tests"].contains(&member.as_str()) {
                findings.push(format!("{member}/Cargo.toml: the broker's library has one door, in ingest"));
            }
        }
        if member != "tests" && manifest.contains("path = \"../") {
            findings.push(format!("{member}/Cargo.toml: names a crate by path; the workspace's manifest does that"));
        }
    }
    none("arrows of the star", &findings);
    assert_eq!(
        dependencies("[dependencies]\na.workspace = true\n[dev-dependencies.b]\nx = 1\n[lib]\nc = 1"),
        ["a", "b"]
    );
}

const CHANCE: [&str; 13] = [
    "SystemTime::now",
    "Instant::now",
    "Zoned::now",
    "Timestamp::now",
    "rand::",
    "thread_rng",
    "getrandom",
    "RandomState",
    "DefaultHasher",
    "env::var",
    "collections::HashMap",
    "collections::HashSet",
    "thread::sleep",
];

#[test]
fn no_clock_chance_or_environment_below_the_worker() {
    let mut findings = Vec::new();
    for source in sources().iter().filter(|source| source.is_product() && !source.path.starts_with("worker/")) {
        let waits = source.path.starts_with("ingest/src/source/") || source.path.starts_with("ingest/src/kafka/");
        let says_why = source.text.contains("allow(clippy::disallowed_methods, reason = \"");
        for (number, line) in source.product_lines() {
            // `{HashMap, …}` of one import, too.
            let grouped = line.contains("collections::{") && (line.contains("HashMap") || line.contains("HashSet"));
            for word in CHANCE.iter().filter(|word| line.contains(*word)).chain(grouped.then_some(&"HashMap")) {
                if !(waits && says_why) {
                    findings.push(format!("{}:{number}: {word}", source.path));
                }
            }
        }
    }
    none("what is not in the events decides nothing", &findings);
}

#[test]
fn files_and_functions_are_short_and_say_what_they_are_for() {
    let mut findings = Vec::new();
    for source in &sources() {
        let lines: Vec<&str> = source.text.lines().collect();
        if lines.len() > FILE_LINES_MAX {
            findings.push(format!("{}: {} lines", source.path, lines.len()));
        }
        if !source.text.starts_with("//!") {
            findings.push(format!("{}: does not open with what it is for (//!)", source.path));
        }
        for (name, at, length) in functions(&lines).into_iter().filter(|(.., length)| *length > FUNCTION_LINES_MAX) {
            findings.push(format!("{}:{at}: {name} has {length} lines", source.path));
        }
    }
    none("length", &findings);
}

/// Name, first line and length of each function: from its `fn` to the closing brace at the same depth of indentation.
fn functions<'t>(lines: &[&'t str]) -> Vec<(&'t str, usize, usize)> {
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let code = line.trim_start();
        let words = ["pub ", "pub(crate) ", "pub(super) ", "const ", "async ", "fn "];
        let Some((before, rest)) = code.split_once("fn ") else { continue };
        if !words.iter().any(|word| code.starts_with(word))
            || before.contains(['(', '"', '=']) && !before.starts_with("pub(")
        {
            continue;
        }
        let name = rest.split(['(', '<']).next().unwrap_or_default();
        let end = format!("{}}}", &line[..line.len() - code.len()]);
        if code.ends_with(['}', ';']) {
            continue;
        }
        if let Some(behind) = lines[at..].iter().position(|line| *line == end) {
            found.push((name, at + 1, behind + 1));
        }
    }
    found
}

#[test]
fn functions_are_measured() {
    let text = "fn a() {\n    1\n}\nimpl X {\n    pub(crate) fn b(&self) -> u8 { 1 }\n    pub fn c(\n        x: u8,\n    ) {\n        if x {\n        }\n    }\n}";
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(functions(&lines), [("a", 1, 3), ("c", 6, 6)]);
}

#[test]
fn nothing_is_left_to_do_and_the_broker_has_one_door() {
    let mut findings = Vec::new();
    for source in sources().iter().filter(|source| source.is_product()) {
        let door = source.path.starts_with("ingest/src/kafka/") || source.path.starts_with("ingest/src/source/kafka");
        for (number, line) in source.product_lines() {
            for word in ["todo!", "unimplemented!", "dbg!"].iter().filter(|word| line.contains(*word)) {
                findings.push(format!("{}:{number}: {word}", source.path));
            }
            if line.contains("rdkafka") && !door {
                findings.push(format!("{}:{number}: rdkafka outside its door", source.path));
            }
        }
    }
    none("finished, and one door", &findings);
}
