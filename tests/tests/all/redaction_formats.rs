//! Every shape of secret through every format: in fields that the format maps and in others, whole and within text, as
//! escapes, as JSON in JSON, in base64, in broken records. Every output of the binary is searched.
//!
//! Records are known ones of each format; every format must tell alerts of them, or nothing of it has been searched.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use base64::Engine as _;
use harness::cli;
use harness::fuzz::mould::known_records;
use ingest::decode_one;
use ingest::format::FORMATS;
use model::EventClass;
use regex::{Regex, escape};
use serde_json::{Value, json};

use crate::replay::Desk;
use crate::secrets::{Secret, escaped, identifiers, in_unicode, secrets};

/// Stands where a secret will; survives JSON as it is.
const MARK: &str = "@@SECRET@@";

/// A key that no format reads.
const UNASKED: &str = "nobody asked for this";

/// At most this many records of a format, and none longer than this.
const RECORDS_MAX: usize = 8;
const RECORD_BYTES_MAX: usize = 8_192;

/// Good records of each format, one of a class: of the proofs, the game days and the decoders' own tests.
pub fn bases() -> BTreeMap<&'static str, Vec<Value>> {
    let source: Arc<str> = "known".into();
    let mut found: BTreeMap<&'static str, BTreeMap<EventClass, Value>> = BTreeMap::new();
    for (at, texts) in known_records() {
        let format = FORMATS[at];
        let of = found.entry(format.name).or_default();
        for text in texts.iter().filter(|text| text.len() <= RECORD_BYTES_MAX) {
            if of.len() == RECORDS_MAX {
                break;
            }
            let Ok(record @ Value::Object(_)) = serde_json::from_str::<Value>(text) else { continue };
            let events = decode_one(format, &source, text).unwrap_or_default();
            if let Some(class) = events.iter().find_map(|event| event.class.filter(|_| event.time.is_some())) {
                of.entry(class).or_insert(record);
            }
        }
    }
    let mut bases: BTreeMap<_, Vec<Value>> =
        found.into_iter().map(|(name, of)| (name, of.into_values().collect())).collect();
    // An envelope has what is in it, and raw JSON whatever one likes.
    let inside = bases.get("github-audit").cloned().unwrap_or_default();
    let envelope = |data| {
        json!({"specversion": "1.0", "id": "e-1", "source": "/ci", "type": "audit", "subject": "x",
            "time": "2026-10-05T08:00:00Z", "data": data})
    };
    bases.insert("cloudevents", inside.into_iter().map(envelope).collect());
    bases.insert("json", vec![json!({"time": "2026-10-05T08:00:00Z", "k": "text", "deep": {"k": ["a", "b"]}})]);
    bases
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

/// Lines of a format tell at least so many alerts.
const ALERTS_MIN: usize = 100;

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

/// An object of nothing but objects, more than one deep: entries by their name.
fn holds_records(object: &serde_json::Map<String, Value>) -> bool {
    object.len() == 1 && object.values().all(|value| value.get("body").is_some())
}

/// Lines of a format: each secret in several places and writings, each once broken; every place and writing is used.
pub fn lines(bases: &[Value]) -> String {
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
            // Beside what a format reads, and beside what an envelope holds; of records by name, in the first.
            for part in ["", "/data"] {
                if let Some(Value::Object(object)) = record.pointer_mut(part) {
                    match object.values_mut().next().filter(|_| base.as_object().is_some_and(holds_records)) {
                        Some(Value::Object(first)) => first.insert(UNASKED.to_owned(), json!(MARK)),
                        _ => object.insert(UNASKED.to_owned(), json!(MARK)),
                    };
                }
            }
            let line = record.to_string().replace(MARK, &writing);
            writeln!(lines, "{line}\n{}", &line[..line.len() - 1]).expect("memory");
        }
    }
    lines
}

fn rule(id: &str, log: &str, seen: &str, more: &str, key: &str) -> String {
    format!(
        "title: Any {id}\nid: 6a0f0000-0000-4000-8000-00000000{id}\nlogsource: {{{log}}}\ndetection:\n  s: {{{seen}: '*'}}\n{more}  \
         condition: s{}\nlevel: medium\nx-alert: {{route: ticket, fingerprint: [{key}]}}\n---\n",
        if more.is_empty() { "" } else { " or 1 of t_*" }
    )
}

/// Rules that hold at every event of ours, with keys and facts of the fields that attackers write.
pub fn own_rules() -> String {
    let fields = ["prov.actor", "prov.repo", "prov.ref", "object", "ua", "event.id", "prov.runner_name"];
    let facts: String = fields.iter().enumerate().map(|(n, field)| format!("  t_{n}: {{{field}: '*'}}\n")).collect();
    let keys = ["prov.actor", "object", "event.id"].into_iter().enumerate();
    keys.map(|(n, key)| rule(&format!("000{n}"), "product: pipewarden", "event.class", &facts, key)).collect()
}

/// A rule that holds at every raw record of a format; raw JSON has the log source that it is given, our own form no raw one.
pub fn raw_rule(at: usize) -> String {
    let log = match (FORMATS[at].product, FORMATS[at].service) {
        ("pipewarden", _) => return String::new(),
        ("", _) => "category: test".to_owned(),
        (product, service) => format!("product: {product}, service: {service}"),
    };
    let unasked = format!("'{UNASKED}'");
    rule(&format!("1{at:03}"), &log, &unasked, "", &unasked)
}

fn rules(at: usize) -> String {
    own_rules() + &raw_rule(at)
}

/// Parts of all secrets, and of their base64: a part that was cut off is a leak, too.
pub fn parts() -> Regex {
    let part = |secret: Secret| {
        let encoded = base64::engine::general_purpose::STANDARD.encode(format!("x: {}\n", secret.text));
        let middle = &encoded[encoded.len() / 2 - 8..encoded.len() / 2 + 8];
        format!("{}|{}", escape(&secret.core[..16]), escape(middle))
    };
    Regex::new(&secrets().into_iter().map(part).collect::<Vec<_>>().join("|")).expect("an expression")
}

/// Where parts of secrets stand in an output.
pub fn leaks(name: &str, output: &str, parts: &Regex, leaks: &mut String) {
    for part in parts.find_iter(output).take(3) {
        let before = output.get(part.start().saturating_sub(80)..part.start()).unwrap_or_default();
        writeln!(leaks, "{name}: {:.8}… behind {before:?}", part.as_str()).expect("memory");
    }
}

#[test]
fn no_shape_leaves_through_any_format() {
    let bases = bases();
    let (parts, mut found, mut silent) = (parts(), String::new(), Vec::new());
    for (at, format) in FORMATS.iter().enumerate() {
        let (desk, name) = (Desk::new(), format.name);
        let records = bases.get(name).filter(|records| !records.is_empty());
        desk.put("in.jsonl", lines(records.unwrap_or_else(|| panic!("{name}: no record of it is known"))));
        desk.put("rules.yml", rules(at));
        let times = if name == "json" { "--time-field time" } else { "" };
        let flags = format!("--format {name} {times} --rules @rules.yml --log debug");
        let files = "--alerts @alerts.jsonl --provisional @provisional.jsonl --dead-letters @dead.jsonl";
        let mut outputs = Vec::new();
        for mode in ["", "--every-match"] {
            let ran = desk.replay(&format!("{flags} {files} {mode} --json @in.jsonl"), b"");
            ran.expect_code(0);
            assert!(desk.lines("dead.jsonl").len() >= secrets().len(), "{name}: broken records are dead letters");
            if desk.lines("alerts.jsonl").len() < ALERTS_MIN {
                silent.push((name, mode, desk.lines("alerts.jsonl").len()));
            }
            outputs.extend(["alerts.jsonl", "provisional.jsonl", "dead.jsonl"].map(|file| desk.read(file)));
            outputs.extend([ran.stdout, ran.stderr]);
        }
        let human = desk.replay(&format!("{flags} @in.jsonl"), b"");
        let dead = desk.path("dead.jsonl").display().to_string();
        let listed = cli::run(["dead-letter", "list", "--file", &dead], b"");
        let shown = cli::run(["dead-letter", "show", "--file", &dead, "1"], b"");
        let tried = cli::run(["formats", "try", "--format", name, &desk.path("in.jsonl").display().to_string()], b"");
        for ran in [human, listed, shown, tried] {
            outputs.extend([ran.stdout, ran.stderr]);
        }
        outputs.iter().for_each(|output| leaks(name, output, &parts, &mut found));
    }
    assert!(found.is_empty(), "{}\n{found}", found.lines().count());
    assert!(silent.is_empty(), "fewer than {ALERTS_MIN} alerts: {silent:?}");
}

#[test]
fn identifiers_are_told_as_they_are() {
    let desk = Desk::new();
    desk.put("rules.yml", rules(0));
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
    desk.put("rules.yml", rules(0));
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
