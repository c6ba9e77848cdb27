//! Every shape of secret through every format: in fields that the format maps and in others, whole and within text, as
//! escapes, as JSON in JSON, in base64, in broken records. Every output of the binary is searched.
//!
//! Records are those of the rule pack's proofs; a format without one gets a record made of its own paths.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use base64::Engine as _;
use harness::cli;
use ingest::format::{FORMATS, Format};
use serde_json::{Map, Value, json};

use crate::replay::Desk;
use crate::secrets::{Secret, escaped, identifiers, in_unicode, secrets};

/// Stands where a secret will; survives JSON as it is.
const MARK: &str = "@@SECRET@@";

/// Records of the proofs by the first format that decodes them.
fn proofs() -> BTreeMap<&'static str, Vec<Value>> {
    let mut found: BTreeMap<&'static str, Vec<Value>> = BTreeMap::new();
    let source: Arc<str> = "proofs".into();
    let rules = std::fs::read_dir(cli::workspace().join("rules/library")).expect("the pack");
    for rule in rules {
        let file = rule.expect("an entry").path().join("fires.jsonl");
        for line in std::fs::read_to_string(file).unwrap_or_default().lines() {
            let known = FORMATS.iter().find(|format| {
                !format.marks.is_empty()
                    && ingest::decode_one(format, &source, line).is_ok_and(|events| !events.is_empty())
            });
            if let (Some(format), Ok(record)) = (known, serde_json::from_str(line)) {
                found.entry(format.name).or_default().push(record);
            }
        }
    }
    samples(&mut found);
    found
}

/// At most this many real records of a format, and none longer than this.
const SAMPLES_MAX: usize = 3;
const SAMPLE_BYTES_MAX: usize = 8_192;

/// Real records, for formats that no proof is written in; where there are none, the test does without.
fn samples(found: &mut BTreeMap<&'static str, Vec<Value>>) {
    let source: Arc<str> = "samples".into();
    let folder = cli::workspace().join("../shared/samples");
    if !folder.is_dir() {
        println!("skipped: no samples beside this workspace");
    }
    let mut files: Vec<_> = files_of(&folder);
    files.sort();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        let Ok(record) = serde_json::from_str::<Value>(&text) else { continue };
        let line = record.to_string();
        let format = FORMATS.iter().filter(|format| !format.marks.is_empty()).find(|format| {
            ingest::decode_one(format, &source, &line)
                .is_ok_and(|events| events.iter().any(|event| event.time.is_some()))
        });
        let all = format.map(|format| found.entry(format.name).or_default());
        if let Some(all) =
            all.filter(|all| all.len() < SAMPLES_MAX && record.is_object() && line.len() <= SAMPLE_BYTES_MAX)
        {
            all.push(record);
        }
    }
}

fn files_of(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    entries.flat_map(|path| if path.is_dir() { files_of(&path) } else { vec![path] }).collect()
}

/// A record with every path that the format reads.
fn made_of_paths(format: &Format) -> Value {
    let mut record = Map::new();
    let marks = format.marks.first().copied().unwrap_or_default();
    let mapping = format.mapping.into_iter();
    let rows = mapping.flat_map(|mapping| mapping.rows.iter().flat_map(|row| row.paths).chain(mapping.classify_paths));
    for path in
        marks.iter().chain(rows).filter(|path| path.chars().all(|c| c.is_ascii_alphanumeric() || "._-@".contains(c)))
    {
        harness::generate::put(&mut record, path, json!("text"));
    }
    let times = format.mapping.map_or(&[][..], |mapping| mapping.time);
    for path in times {
        harness::generate::put(&mut record, path, json!("2026-10-05T08:00:00Z"));
    }
    Value::Object(record)
}

/// Pointers to all texts of a record.
fn leaves(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::String(_) => found.push(at.to_owned()),
        Value::Array(all) => all.iter().enumerate().for_each(|(n, value)| leaves(value, &format!("{at}/{n}"), found)),
        Value::Object(all) => all.iter().for_each(|(key, value)| {
            leaves(value, &format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")), found);
        }),
        _ => {}
    }
}

/// The ways in which a secret stands in a text of JSON.
fn writings(secret: &Secret) -> Vec<String> {
    let text = &secret.text;
    let nested = serde_json::to_string(&json!({ "deep": { "text": text } })).expect("JSON");
    vec![
        escaped(text, false),
        format!("note {} end", escaped(text, true)),
        in_unicode(text),
        escaped(&nested, false),
        escaped(&escaped(&nested, false), false),
        base64::engine::general_purpose::STANDARD.encode(format!("x: {text}\n")),
        format!("{} {}", "word ".repeat(49), escaped(text, false)),
    ]
}

/// Lines of a format: each secret in several places and writings, each once broken; every place and writing is used.
fn lines(bases: &[Value]) -> String {
    let mut lines = String::new();
    let mut turn = 0;
    for secret in secrets() {
        for writing in writings(&secret) {
            turn += 1;
            let base = &bases[turn % bases.len()];
            let mut places = Vec::new();
            leaves(base, "", &mut places);
            let mut record = base.clone();
            if let Some(place) = (!places.is_empty()).then(|| &places[turn / bases.len() % places.len()])
                && let Some(leaf) = record.pointer_mut(place)
            {
                *leaf = json!(MARK);
            }
            if let Some(object) = record.as_object_mut() {
                object.insert("nobody asked for this".to_owned(), json!(MARK));
            }
            let line = record.to_string().replace(MARK, &writing);
            writeln!(lines, "{line}\n{}", &line[..line.len() - 1]).expect("memory");
        }
    }
    lines
}

/// Rules that hold at everything, with keys and facts of the fields that attackers write.
fn rules(format: &Format) -> String {
    let fields = ["prov.actor", "prov.repo", "prov.ref", "object", "ua", "event.id", "prov.runner_name"];
    let facts: String = fields.iter().enumerate().map(|(n, field)| format!("  t_{n}: {{{field}: '*'}}\n")).collect();
    let mut rules = String::new();
    for (n, key) in ["prov.actor", "object", "event.id"].iter().enumerate() {
        // Raw JSON and envelopes have no log source of their own.
        let raw = match (format.product, format.service) {
            ("", _) | (_, "") => "category: test".to_owned(),
            (product, service) => format!("product: {product}, service: {service}"),
        };
        for (kind, log, seen, facts) in [
            ("0", "product: pipewarden".to_owned(), "event.class: '*'", facts.as_str()),
            ("1", raw.clone(), "'nobody asked for this': '*'", ""),
        ] {
            let key = if kind == "0" { key } else { "'nobody asked for this'" };
            let or = if facts.is_empty() { "" } else { " or 1 of t_*" };
            write!(
                rules,
                "title: Any {n}{kind}\nid: 6a0f0000-0000-4000-8000-00000000{kind}0{n:02}\nlogsource: {{{log}}}\ndetection:\n  \
                 s: {{{seen}}}\n{facts}  condition: s{or}\nlevel: medium\nx-alert: {{route: ticket, fingerprint: [{key}]}}\n---\n"
            )
            .expect("memory");
        }
    }
    rules
}

/// Parts of all secrets, and of their base64: a part that was cut off is a leak, too.
fn parts() -> regex::Regex {
    let part = |secret: Secret| {
        let encoded = base64::engine::general_purpose::STANDARD.encode(format!("x: {}\n", secret.text));
        let middle = &encoded[encoded.len() / 2 - 8..encoded.len() / 2 + 8];
        format!("{}|{}", regex::escape(&secret.core[..16]), regex::escape(middle))
    };
    regex::Regex::new(&secrets().into_iter().map(part).collect::<Vec<_>>().join("|")).expect("an expression")
}

/// Where parts of secrets stand in an output.
fn leaks(name: &str, output: &str, parts: &regex::Regex, leaks: &mut String) {
    for part in parts.find_iter(output).take(3) {
        let before = output.get(part.start().saturating_sub(80)..part.start()).unwrap_or_default();
        writeln!(leaks, "{name}: {:.8}… behind {before:?}", part.as_str()).expect("memory");
    }
}

#[test]
fn no_shape_leaves_through_any_format() {
    let proofs = proofs();
    let (parts, mut found, mut speaking) = (parts(), String::new(), Vec::new());
    for format in FORMATS {
        let desk = Desk::new();
        let made = vec![made_of_paths(format)];
        desk.put("in.jsonl", lines(proofs.get(format.name).unwrap_or(&made)));
        desk.put("rules.yml", rules(format));
        let name = format.name;
        let times = if name == "json" { "--time-field time --time-field event.time" } else { "" };
        let flags = format!("--format {name} {times} --rules @rules.yml --log debug");
        let files = "--alerts @alerts.jsonl --provisional @provisional.jsonl --dead-letters @dead.jsonl";
        let mut outputs = Vec::new();
        for mode in ["", "--every-match"] {
            let ran = desk.replay(&format!("{flags} {files} {mode} --json @in.jsonl"), b"");
            ran.expect_code(0);
            assert!(desk.lines("dead.jsonl").len() >= secrets().len(), "{name}: broken records are dead letters");
            if !desk.read("alerts.jsonl").is_empty() {
                speaking.push(name);
            }
            outputs.extend(["alerts.jsonl", "provisional.jsonl", "dead.jsonl"].map(|file| desk.read(file)));
            outputs.extend([ran.stdout, ran.stderr]);
        }
        let human = desk.replay(&format!("{flags} @in.jsonl"), b"");
        let dead = desk.path("dead.jsonl").display().to_string();
        let listed = cli::run(["dead-letter", "list", "--file", &dead], b"");
        let shown = cli::run(["dead-letter", "show", "--file", &dead, "1"], b"");
        outputs.extend([human.stdout, human.stderr, listed.stdout, listed.stderr, shown.stdout, shown.stderr]);
        outputs.iter().for_each(|output| leaks(name, output, &parts, &mut found));
    }
    speaking.dedup();
    println!("{} of {} formats told alerts: {speaking:?}", speaking.len(), FORMATS.len());
    assert!(found.is_empty(), "{}\n{found}", found.lines().count());
    assert!(speaking.len() >= 10, "{speaking:?}");
}

#[test]
fn identifiers_are_told_as_they_are() {
    let desk = Desk::new();
    desk.put("rules.yml", rules(ingest::format::by_name("github-audit").expect("known")));
    let mut lines = String::new();
    for (n, text) in identifiers().iter().enumerate() {
        let event = json!({"@timestamp": 1_791_187_200_000_i64 + n as i64, "_document_id": format!("e{n}"), "org": "acme",
            "action": "repo.register_self_hosted_runner", "actor": text, "user_agent": text, "nobody asked for this": text});
        writeln!(lines, "{event}").expect("memory");
    }
    desk.put("in.jsonl", lines);
    desk.replay("--format github-audit --rules @rules.yml --alerts @alerts.jsonl --json @in.jsonl", b"").expect_code(0);
    let alerts = desk.read("alerts.jsonl");
    assert!(!alerts.contains("redacted") && !alerts.contains("hmac-sha256"), "{alerts}");
    for text in identifiers() {
        assert!(alerts.contains(&escaped(&text, false)), "{text}");
    }
}

#[test]
fn a_secret_that_is_a_key_is_named_and_tells_alerts_apart() {
    let desk = Desk::new();
    desk.put("rules.yml", rules(ingest::format::by_name("github-audit").expect("known")));
    let token = |end: &str| format!("ghp_{}{end}", "a1B2".repeat(8));
    let line = |id: &str, actor: &str| {
        json!({"@timestamp": 1_791_187_200_000_i64, "_document_id": id, "org": "acme", "actor": actor,
            "action": "repo.register_self_hosted_runner", "nobody asked for this": "x"})
    };
    let events = [line("1", &token("aaaa")), line("2", &token("aaaa")), line(&token("cccc"), &token("bbbb"))];
    desk.put("in.jsonl", events.iter().map(|event| format!("{event}\n")).collect::<String>());
    desk.replay("--format github-audit --rules @rules.yml --alerts @alerts.jsonl --json @in.jsonl", b"").expect_code(0);
    let records = desk.lines("alerts.jsonl");
    let keys: std::collections::BTreeSet<&str> = records
        .iter()
        .filter_map(|record| record["group"]["prov.actor"].as_str())
        .filter(|key| key.starts_with("hmac-sha256:") && key.len() == 76)
        .collect();
    assert_eq!(keys.len(), 2, "equal secrets have equal names, others have others: {records:?}");
    assert!(
        records
            .iter()
            .any(|record| record["evidence"][0]["id"].as_str().is_some_and(|id| id.starts_with("hmac-sha256:")))
    );
}
