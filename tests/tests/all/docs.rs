//! Pages that are made from the code (the event model; `UPDATE_EXPECT=1` rewrites them, review reads the difference), and
//! what pages by hand promise: fields that there are, links that lead somewhere, examples that decode.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use harness::cli;
use ingest::decode_one;
use ingest::format::{FORMATS, by_name};
use model::{EventClass, FIELDS, FieldDoc};
use regex::Regex;
use serde_json::Value;

/// Holds a page against its file, or rewrites it.
fn check(page: &str, text: &str) {
    let path = cli::workspace().join("docs").join(page);
    if cli::updates_expected() {
        std::fs::write(&path, text).expect("docs/ can be written");
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(found == text, "docs/{page} is not what the code says (UPDATE_EXPECT=1 cargo test rewrites it)");
}

fn row(field: &FieldDoc) -> String {
    let kind = format!("{:?}", field.kind).to_lowercase();
    let unit = field.unit.map_or_else(String::new, |unit| format!(", {unit}"));
    let sources: Vec<String> = field.sources.iter().map(|(format, native)| format!("{format}: `{native}`")).collect();
    let untrusted = if field.attacker_controlled { " *Written by whoever attacks.*" } else { "" };
    let cell = |text: &str| text.replace('|', "\\|");
    format!("| `{}` | {kind}{unit} | {}{untrusted} | {} |\n", field.name, cell(field.doc), cell(&sources.join("; ")))
}

#[test]
fn the_event_model_is_documented_field_by_field() {
    let mut text = String::from(
        "# The event model\n\nEvery field that rules on our own events can name: its type and unit, what it means, and which native field fills\n\
         it. This page is made from the code; a test keeps it so.\n\n## Fields of every class\n\n\
         | field | type | meaning | filled from |\n|---|---|---|---|\n",
    );
    for field in FIELDS.iter().filter(|field| field.classes.is_empty()) {
        text += &row(field);
    }
    text += "\n## Fields of some classes\n\n| field | type | meaning | filled from |\n|---|---|---|---|\n";
    for field in FIELDS.iter().filter(|field| !field.classes.is_empty()) {
        text += &row(field);
    }
    text += "\n## Classes\n\nThe class is the log source's category: `logsource: {product: pipewarden, category: ci.runner}`.\n\n\
             | class | what it is | own fields | CDEvents | OCSF class |\n|---|---|---|---|---|\n";
    for class in EventClass::ALL {
        let own: Vec<String> = FIELDS
            .iter()
            .filter(|field| field.classes.contains(class))
            .map(|field| format!("`{}`", field.name))
            .collect();
        let ocsf = class.ocsf_uid().map_or_else(String::new, |uid| uid.to_string());
        let cdevents = class.cdevents().unwrap_or("");
        let _ = writeln!(text, "| `{}` | {} | {} | {cdevents} | {ocsf} |", class.name(), class.doc(), own.join(" "));
    }
    assert!(FIELDS.len() > 200 && EventClass::ALL.len() > 50, "the tables are there");
    check("event-model.md", &text);
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn docs(name: &str) -> PathBuf {
    cli::workspace().join("docs").join(name)
}

/// Every page of docs/, the README and the ARCHITECTURE.
fn pages() -> Vec<PathBuf> {
    let under =
        |folder: PathBuf| std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let mut pages: Vec<PathBuf> = under(docs("")).chain(under(docs("sources"))).collect();
    pages.extend(["README.md", "ARCHITECTURE.md"].map(|name| cli::workspace().join(name)));
    pages.retain(|path| path.extension().is_some_and(|end| end == "md"));
    pages.sort();
    assert!(pages.len() > 40, "{} pages", pages.len());
    pages
}

fn none(what: &str, findings: &[String]) {
    assert!(findings.is_empty(), "{what}:\n{}", findings.join("\n"));
}

fn found(expression: &str, text: &str) -> Vec<String> {
    let expression = Regex::new(expression).expect("an expression");
    expression.captures_iter(text).map(|found| found[1].to_owned()).collect()
}

/// The cells of a table's row.
fn cells(line: &str) -> Vec<&str> {
    if !line.starts_with('|') || line.starts_with("|---") {
        return Vec::new();
    }
    line.trim_matches('|').split(" | ").map(str::trim).collect()
}

/// The part of a page under a heading that begins so.
fn section<'a>(page: &'a str, heading: &str) -> &'a str {
    let from = page.split_once(&format!("\n## {heading}")).map_or("", |(_, rest)| rest);
    from.split("\n## ").next().unwrap_or_default()
}

#[test]
fn every_format_has_a_page_and_pages_name_fields_that_there_are() {
    let mut findings = Vec::new();
    let own = Regex::new(r"^[a-z0-9_]+(\.[a-z0-9_]+)*$").expect("an expression");
    let aside = Regex::new(r"\([^)]*\)|:\s.*").expect("an expression");
    for format in FORMATS {
        let path = docs(&format!("sources/{}.md", format.name));
        let Ok(page) = std::fs::read_to_string(&path) else {
            findings.push(format!("docs/sources/{}.md: there is no such page", format.name));
            continue;
        };
        for part in
            [&format!("Format name: `{}`", format.name), "\n## Getting the events into Kafka\n", "\n## Identity"]
        {
            if !page.contains(part) && format.name != "json" {
                findings.push(format!("{}: does not say {part:?}", format.name));
            }
        }
        // In a table of fields, what stands in the column `ours` outside parentheses.
        let mut ours = None;
        for row in section(&page, "Fields").lines().map(cells).filter(|row| !row.is_empty()) {
            ours = row.iter().position(|cell| *cell == "ours").or(ours);
            let cell = ours.and_then(|at| row.get(at)).map_or("", |cell| cell);
            for name in found("`([^`]+)`", &aside.replace_all(cell, "")) {
                if own.is_match(&name) && model::field(&name).is_none() {
                    findings.push(format!("{}: `{name}` is no field of the model", format.name));
                }
            }
        }
        if ours.is_none() && page.contains("\n## Fields") {
            findings.push(format!("{}: its table of fields has no column `ours`", format.name));
        }
        for name in found(r"`((?:event|prov|src|dst)\.[a-z0-9_.]+)`", &page) {
            if model::field(&name).is_none() {
                findings.push(format!("{}: `{name}` is no field of the model", format.name));
            }
        }
    }
    none("pages of formats", &findings);
}

/// What a link to a heading is called.
fn anchors(page: &str) -> BTreeSet<String> {
    let headings = found(r"(?m)^#+ (.*)$", page);
    let slug = |heading: &String| {
        let kept = heading.to_lowercase();
        let kept = kept.chars().filter(|c| c.is_alphanumeric() || [' ', '-', '_'].contains(c));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    headings.iter().map(slug).collect()
}

#[test]
fn links_lead_somewhere() {
    let (mut findings, mut seen) = (Vec::new(), 0);
    for path in pages() {
        let page = read(&path);
        for link in found(r"\]\(([^)\s]+)\)", &page).iter().filter(|link| !link.starts_with("http")) {
            seen += 1;
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { path.clone() } else { path.with_file_name("").join(file) };
            if !target.exists() {
                findings.push(format!("{}: {link}: there is nothing", path.display()));
            } else if !anchor.is_empty() && !anchors(&read(&target)).contains(anchor) {
                findings.push(format!("{}: {link}: there is no such heading", path.display()));
            }
        }
    }
    none("links", &findings);
    assert!(seen > 100, "{seen} links");
}

static DETECTION: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\b[A-Z]{3}-\d\d\b").expect("an expression"));

fn detections(text: &str) -> BTreeSet<&str> {
    DETECTION.find_iter(text).map(|id| id.as_str()).collect()
}

#[test]
fn every_source_has_a_format_a_test_and_detections() {
    let page = read(&docs("sources.md"));
    let (mut findings, mut named) = (Vec::new(), BTreeSet::new());
    let link = |cell: &str| found(r"^\[[^\]]+\]\(([^)]+)\)$", cell).into_iter().next().unwrap_or_default();
    for row in page.lines().map(cells).filter(|row| row.len() == 4 && row[0] != "source" && !row[0].starts_with("**")) {
        let (format, test, ids) = (link(row[1]), link(row[2]), detections(row[3]));
        let file = format.split('#').next().unwrap_or_default();
        let name = file.trim_start_matches("sources/").trim_end_matches(".md");
        let Some(known) = by_name(name) else {
            findings.push(format!("{}: `{name}` is no format", row[0]));
            continue;
        };
        named.insert(known.name);
        let told = read(&docs(file));
        let missing: Vec<_> = ids.difference(&detections(section(&told, "Detections it feeds"))).copied().collect();
        if ids.is_empty() || !missing.is_empty() {
            findings.push(format!("{}: detections {ids:?}, of which its page does not name {missing:?}", row[0]));
        }
        let test = std::fs::read_to_string(docs(&test)).unwrap_or_default();
        if !test.contains("#[test]") || !test.contains(&format!("\"{name}\"")) {
            findings.push(format!("{}: no test of {name} at {}", row[0], row[2]));
        }
    }
    let missing = FORMATS.iter().filter(|format| format.name != "json" && !named.contains(format.name));
    findings.extend(missing.map(|format| format!("{}: is in no row", format.name)));
    none("docs/sources.md", &findings);
}

/// Leaves of a record by their dotted names.
fn leaves(name: &str, value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => members.iter().for_each(|(key, value)| {
            leaves(&if name.is_empty() { key.clone() } else { format!("{name}.{key}") }, value, found);
        }),
        _ => found.push(name.to_owned()),
    }
}

#[test]
fn records_that_the_page_on_the_normal_form_shows_decode_in_full() {
    let page = read(&docs("sources/normal.md"));
    let blocks = found(r"(?s)```json\n(.*?)```", &page);
    let (mut findings, mut classes, mut ids) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
    for line in blocks.iter().flat_map(|block| block.lines()) {
        let format = by_name("normal").expect("the format");
        let events = decode_one(format, &Arc::from("docs"), line);
        let Ok([event]) = events.as_deref() else {
            findings.push(format!("{events:?}: {line}"));
            continue;
        };
        let class = event.class.expect("a class");
        classes.insert(class.name());
        ids.insert(event.id.clone());
        let mut names = Vec::new();
        leaves("", &serde_json::from_str(line).expect("JSON"), &mut names);
        for name in names {
            let doc = model::field(&name).filter(|doc| doc.classes.is_empty() || doc.classes.contains(&class));
            let windows = ["from", "to", "valid_from"].contains(&name.as_str());
            if doc.is_none() || !event.fields.contains_key(&name) || windows && !event.fields[&name].is_number() {
                findings.push(format!("{}: `{name}` is no field of it", event.id.as_deref().unwrap_or("")));
            }
        }
        if event.time.is_none() || event.id.is_none() {
            findings.push(format!("no time or id: {line}"));
        }
    }
    none("docs/sources/normal.md", &findings);
    let wanted = [
        "deploy.canary",
        "deploy.rolledback",
        "ops.change",
        "ops.freeze",
        "ops.maintenance",
        "ops.response",
        "registry.publish",
        "runner.file",
        "runner.net",
        "runner.process",
        "runtime.integrity",
        "runtime.inventory",
    ];
    let missing: Vec<_> = wanted.iter().filter(|class| !classes.contains(*class)).collect();
    assert!(missing.is_empty() && ids.len() > 15, "{missing:?}, {} records", ids.len());
}

/// Commands of ours that a page shows, in blocks and in its text, without `pipewarden` before them and comments behind.
fn commands(page: &str) -> Vec<String> {
    let blocks = found(r"(?s)```[a-z]*\n(.*?)```", page).join("\n");
    let shown =
        found(r"(?m)^(?:\$ )?pipewarden ([^\n]*)$", &blocks).into_iter().chain(found(r"`pipewarden ([^`]*)`", page));
    shown.map(|command| command.split(" #").next().unwrap_or_default().to_owned()).collect()
}

/// The words of a command with files that there are; none where it names others, or needs a shell or a broker.
fn words(command: &str, rule: &Path) -> Option<Vec<String>> {
    let root = cli::workspace();
    let records = root.join("tests/fixtures/records.jsonl");
    let told = |path: &Path| Some(path.display().to_string());
    // Game days are run by their own tests.
    if command.starts_with("run ")
        || command.starts_with("gameday ")
        || !command.contains(' ')
        || command.contains(" my-")
    {
        return None;
    }
    let is_trial = command.starts_with("replay --format ") || command.starts_with("formats try ");
    let word = |word: &str| match word {
        "rule.yml" if is_trial => told(rule),
        "FILE" if is_trial => told(&records),
        "pipewarden.yaml" if command.starts_with("config check ") => told(&root.join("docs/pipewarden.example.yaml")),
        _ if word.starts_with('-') => Some(word.to_owned()),
        _ if word.contains('/') && root.join(word).exists() => told(&root.join(word)),
        _ if is_trial && [".json", ".jsonl", ".sarif"].iter().any(|end| word.ends_with(end)) => told(&records),
        _ => word.chars().all(|c| c.is_ascii_lowercase() || c == '-').then(|| word.to_owned()),
    };
    command.split_whitespace().map(word).collect()
}

/// A command that is shown works as it is shown; names that stand for the reader's own files stand for ours.
#[test]
fn commands_that_pages_show_work() {
    let rule = tempfile::NamedTempFile::with_suffix(".yml").expect("a file");
    let text = crate::replay::RULE
        .replace("product: p, category: test", "product: pipewarden")
        .replace("k: a", "event.class: ci.job");
    std::fs::write(rule.path(), text.replace("[u]", "[prov.repo]")).expect("written");
    // What one command of a page writes, the next reads.
    let folder = tempfile::tempdir().expect("a folder");
    let (mut findings, mut ran) = (Vec::new(), BTreeSet::new());
    for path in pages() {
        for command in commands(&read(&path)) {
            let Some(words) = words(&command, rule.path()) else { continue };
            if ran.insert(words.clone()) {
                let it = cli::run_in(folder.path(), words, b"");
                // Records that are of another format than the command says are invalid, which `try` tells by its code.
                if !(it.code == 0 || it.code == 3 && command.starts_with("formats try")) {
                    findings.push(format!("{}: {command}: {}: {}", path.display(), it.code, it.stderr));
                }
            }
        }
    }
    none("commands", &findings);
    println!("{} commands", ran.len());
    assert!(ran.len() > 35, "{ran:?}");
}
