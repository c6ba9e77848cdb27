//! Input made to break its reader, each between two good records that must both still fire, within bounded memory.
//!
//! What is merely broken stands in `exit_codes.rs`; here stands what is large, packed, contradictory or of the wrong type,
//! in the formats of sources. Must never assert that nothing crashed: each case has its exact counts.

use std::io::Write;
use std::time::Duration;

use harness::watched::{self, Watched};
use serde_json::{Value, json};

use crate::replay::Desk;

/// A rule on GitHub's own fields, told once for each actor.
const RULE: &str = "title: Hooks\nid: 6a0f0000-0000-4000-8000-00000000000b\nlogsource: {product: github, service: audit}\n\
    detection:\n  s: {action: hook.create}\n  condition: s\nlevel: medium\nx-alert: {route: ticket, fingerprint: [actor]}\n";

fn good(actor: &str) -> String {
    json!({"action": "hook.create", "actor": actor, "org": "acme", "@timestamp": 1_790_000_000_000u64, "_document_id": actor}).to_string()
}

fn desk() -> Desk {
    let desk = Desk::new();
    desk.put("hooks.yml", RULE);
    desk
}

/// `read`, `filtered`, `invalid` records, `accepted` events (late ones too) and `duplicate` ones.
fn counts(summary: &Value) -> [u64; 5] {
    let of =
        |group: &str, name: &str| summary[group][name].as_u64().unwrap_or_else(|| panic!("{group}.{name}: {summary}"));
    [
        of("records", "read"),
        of("records", "filtered"),
        of("records", "invalid"),
        of("events", "accepted") + of("events", "late"),
        of("events", "duplicate"),
    ]
}

/// The actors at whom the rule fired, in order of their names.
fn fired(desk: &Desk) -> Vec<String> {
    let records = desk.lines("alerts.jsonl").into_iter().filter(|record| record["state"] == "firing");
    let mut actors: Vec<String> =
        records.map(|record| record["group"]["actor"].as_str().unwrap_or_default().to_owned()).collect();
    actors.sort();
    actors
}

/// Replays one file and gives its summary.
fn replayed(desk: &Desk, format: &str, input: &str) -> Value {
    let words = format!("--format {format} --rules @hooks.yml --lateness 9999d --alerts @alerts.jsonl --json @{input}");
    desk.replay(&words, b"").expect_code(0).json()
}

#[test]
fn the_wrong_type_in_any_field_of_a_github_record_is_an_event_or_counted() {
    let desk = desk();
    let mut paths = vec!["_document_id", "@timestamp", "action", "actor", "org", "created_at"];
    let mapping = ingest::format::by_name("github-audit").and_then(|format| format.mapping).expect("a mapping");
    paths.extend(mapping.classify_paths.iter().chain(mapping.rows.iter().flat_map(|row| row.paths)).copied());
    paths.retain(|path| !path.starts_with('^'));
    paths.sort_unstable();
    paths.dedup();
    assert!(paths.len() > 40, "{paths:?}");
    let odd = [
        "null",
        "true",
        "0",
        "-1",
        "1e300",
        "123456789012345678901234567890",
        "\"\"",
        "\"\\u0000\"",
        "[]",
        "{}",
        "[[{}]]",
        "[1,\"x\",null]",
        "{\"a\":{\"b\":[]}}",
    ];
    let mut lines = vec![good("first")];
    for path in &paths {
        for value in odd {
            let mut members = vec![format!("{}:{value}", Value::from(*path))];
            for (key, value) in
                [("action", "\"repo.create\""), ("actor", "\"a\""), ("@timestamp", "1790000000001"), ("org", "\"o\"")]
            {
                if key != *path {
                    members.push(format!("\"{key}\":{value}"));
                }
            }
            lines.push(format!("{{{}}}", members.join(",")));
        }
    }
    lines.push(good("last"));
    desk.put("types.jsonl", lines.join("\n"));
    let summary = replayed(&desk, "github-audit", "types.jsonl");
    let [read, filtered, invalid, accepted, duplicate] = counts(&summary);
    assert_eq!(read, lines.len() as u64, "{summary}");
    // Of no field but the time does the type decide whether there is an event; ids of odd types meet as duplicates of nothing.
    assert_eq!((read, 0), (filtered + invalid + accepted + duplicate, duplicate), "{summary}");
    // Of the time and of what is done, some types say nothing.
    assert_eq!(summary["invalid"], json!({"wrong_shape": 11, "no_time": 11}), "{summary}");
    assert_eq!(fired(&desk), ["first", "last"]);
}

#[test]
fn contradictions_are_counted_exactly() {
    let desk = desk();
    let between =
        |middle: &[u8]| [good("first").as_bytes(), b"\n", middle, b"\n", good("last").as_bytes(), b"\n"].concat();
    let with =
        |members: &str| format!("{{\"action\":\"repo.create\",\"actor\":\"x\",\"org\":\"o\",{members}}}").into_bytes();
    let dated = |time: &str| with(&format!("\"@timestamp\":{time}"));
    let other_bytes = good("first").replace("acme", "other").replace("hook.create", "repo.create").into_bytes();
    // read, filtered, invalid, accepted, duplicate
    for (name, middle, wanted, reason) in [
        (
            "twice-a-key.jsonl",
            with("\"@timestamp\":1790000000000,\"actor\":[1],\"actor\":null,\"action\":7"),
            [3, 0, 0, 3, 0],
            None,
        ),
        ("huge-id.jsonl", with("\"@timestamp\":1790000000000,\"_document_id\":1e308"), [3, 0, 0, 3, 0], None),
        (
            "huge-number.jsonl",
            with(&format!("\"@timestamp\":1790000000000,\"org_id\":{}", "9".repeat(400))),
            [3, 0, 0, 3, 0],
            None,
        ),
        ("huge-time.jsonl", dated(&"9".repeat(30)), [3, 0, 1, 2, 0], Some("no_time")),
        ("nul-escape.jsonl", with("\"@timestamp\":1790000000000,\"_document_id\":\"\\u0000\""), [3, 0, 0, 3, 0], None),
        ("year-1.jsonl", dated("\"0001-01-01T00:00:00Z\""), [3, 0, 0, 3, 0], None),
        ("same-id.jsonl", other_bytes, [3, 0, 0, 3, 0], None),
        ("same-bytes.jsonl", good("first").into_bytes(), [3, 0, 0, 2, 1], None),
        ("bom-inside.jsonl", "\u{feff}{}".as_bytes().to_vec(), [3, 0, 1, 2, 0], Some("not_json")),
        ("utf16.jsonl", b"\xff\xfe{\0}\0".to_vec(), [3, 0, 1, 2, 0], Some("not_utf8")),
        ("cut.jsonl", b"{\"action\":\"hook.create\",\"actor\":\"x".to_vec(), [3, 0, 1, 2, 0], Some("not_json")),
    ] {
        desk.put(name, between(&middle));
        let summary = replayed(&desk, "github-audit", name);
        assert_eq!(counts(&summary), wanted, "{name}: {summary}");
        let reasons = summary["invalid"].as_object().cloned().unwrap_or_default();
        assert_eq!(reasons.keys().map(String::as_str).collect::<Vec<_>>(), Vec::from_iter(reason), "{name}: {summary}");
        assert_eq!(fired(&desk), ["first", "last"], "{name}");
    }
}

#[test]
fn a_year_9999_makes_what_follows_late_and_hides_none_of_it() {
    let desk = desk();
    let far = good("middle").replace("1790000000000", "\"9999-12-30T00:00:00Z\"");
    desk.put("far.jsonl", [good("first"), far, good("last")].join("\n"));
    let words = "--format github-audit --rules @hooks.yml --alerts @alerts.jsonl --json @far.jsonl";
    let summary = desk.replay(words, b"").expect_code(0).json();
    assert_eq!((&summary["events"]["accepted"], &summary["events"]["late"]), (&2.into(), &1.into()), "{summary}");
    assert_eq!(fired(&desk), ["first", "last", "middle"]);
}

#[test]
fn line_ends_may_be_mixed_and_a_lone_carriage_return_is_none() {
    let desk = desk();
    let names = ["a", "b", "c", "d"].map(good);
    // A carriage return is white space: inside a line two records meet, which is no JSON.
    let text = format!("\u{feff}{}\r\n{}\n\r\n{}\r{}\n\n{}", names[0], names[1], names[2], names[3], good("last"));
    desk.put("ends.jsonl", &text);
    assert_eq!(counts(&replayed(&desk, "github-audit", "ends.jsonl")), [4, 0, 1, 3, 0]);
    assert_eq!(fired(&desk), ["a", "b", "last"]);
    // In a file of values each ends where it ends.
    desk.put("ends.json", text.replacen('{', "{\n", 1));
    assert_eq!(counts(&replayed(&desk, "github-audit", "ends.json")), [5, 0, 0, 5, 0]);
    assert_eq!(fired(&desk), ["a", "b", "c", "d", "last"]);
}

/// Runs with two threads; a word with `@` before it is a path on the desk.
fn measured(desk: &Desk, words: &str) -> Watched {
    let words = words.split_whitespace().map(|word| match word.split_once('@') {
        Some((before, name)) => format!("{before}{}", desk.path(name).display()),
        None => word.to_owned(),
    });
    let common = ["replay", "--no-pack", "--json", "--threads", "2"].map(str::to_owned);
    watched::run(common.into_iter().chain(words), drop)
}

const COMMON: &str = "--format github-audit --rules @hooks.yml --lateness 9999d --alerts @alerts.jsonl";

#[test]
fn a_record_of_50_mb_is_decoded_in_bounded_memory() {
    let desk = desk();
    let large = good("middle").replace("\"acme\"", &format!("\"{}\"", "x\\n".repeat(17_000_000)));
    desk.put("large.jsonl", [good("first"), large, good("last")].join("\n"));
    let Watched { code, summary, memory_bytes: memory, .. } = measured(&desk, &format!("{COMMON} @large.jsonl"));
    assert_eq!(code, 0, "{summary}");
    assert_eq!(counts(&summary), [3, 0, 0, 3, 0], "{summary}");
    assert_eq!(fired(&desk), ["first", "last", "middle"]);
    assert!(memory < 600_000_000, "{} MB for 50 MB", memory / 1_000_000);
}

/// What unpacks to more than a gigabyte: a good record and then this piece, again and again.
fn bomb(name: &str, piece: &[u8]) -> Vec<u8> {
    fn fill(mut to: impl Write, piece: &[u8]) {
        let block = piece.repeat(1_000_000 / piece.len());
        to.write_all(format!("{}\n", good("first")).as_bytes()).expect("memory");
        (0..1_100).for_each(|_| to.write_all(&block).expect("memory"));
    }
    let mut packed = Vec::new();
    if name.ends_with(".gz") {
        fill(flate2::write::GzEncoder::new(&mut packed, flate2::Compression::best()), piece);
    } else {
        fill(zstd::Encoder::new(&mut packed, 1).expect("memory").auto_finish(), piece);
    }
    packed
}

#[test]
fn bombs_end_within_seconds_in_bounded_memory_and_are_counted() {
    let desk = desk();
    desk.put("last.jsonl", good("last"));
    let record =
        format!("{}\n", json!({"action": "repo.create", "actor": "x", "org": "o".repeat(300), "@timestamp": 1}));
    for (name, piece, reasons) in [
        ("line.jsonl.gz", "a", vec!["damaged", "too_large"]),
        ("line.jsonl.zst", "a", vec!["damaged", "too_large"]),
        ("lines.jsonl.gz", "\n", vec!["damaged"]),
        ("value.json.zst", "[", vec!["damaged", "too_large"]),
        ("records.jsonl.zst", record.as_str(), vec!["damaged"]),
    ] {
        let packed = bomb(name, piece.as_bytes());
        assert!(packed.len() < 6_000_000, "{name}: {} bytes", packed.len());
        desk.put(name, packed);
        let ran = measured(&desk, &format!("{COMMON} @{name} @last.jsonl"));
        let Watched { code, summary, memory_bytes: memory, time } = ran;
        assert_eq!(code, 3, "{name}: {summary}");
        println!("{name}: {} MB, {time:?}, {summary}", memory / 1_000_000);
        assert_eq!(fired(&desk), ["first", "last"], "{name}");
        let [read, filtered, invalid, accepted, duplicate] = counts(&summary);
        assert_eq!(read, filtered + invalid + accepted + duplicate, "{name}: {summary}");
        let by_reason = summary["invalid"].as_object().cloned().unwrap_or_default();
        let mut found: Vec<&str> = by_reason.keys().map(String::as_str).collect();
        found.sort_unstable();
        assert_eq!((found, by_reason.values().all(|n| n == 1)), (reasons, true), "{name}: {summary}");
        assert!(summary["inputs_not_read"].to_string().contains("expansion_max"), "{name}: {summary}");
        assert!(memory < 500_000_000, "{name}: {} MB", memory / 1_000_000);
        assert!(time < Duration::from_secs(20), "{name}: {time:?}");
    }
}
