//! Bad usage is 1 with a word of help; refused rules are 2, unreadable inputs 3, and everything else runs. No input, however
//! broken, ends in anything but a counted outcome.

use std::fmt::Write as _;

use harness::{cli, stored};
use serde_json::Value;

use crate::replay::Desk;

const EVENT: &str = "{\"k\":\"a\",\"u\":\"x\",\"t\":\"2026-10-05T08:00:00Z\",\"id\":\"1\"}\n";

#[test]
fn bad_usage_and_configuration_end_with_1_and_a_hint() {
    let desk = Desk::new();
    desk.put("in.jsonl", EVENT);
    desk.put("bad.yml", "title: Bad\nlogsource: {category: test}\ndetection:\n  s: {k|nosuch: a}\n  condition: s\n");
    desk.put("list.yaml", "title: no list\n");
    std::fs::create_dir(desk.path("empty")).expect("a folder");
    for (words, says) in [
        ("--lateness 5x", "--lateness 5x: not a span (hint: "),
        ("--lateness 60", "--lateness 60: not a span (hint: "),
        ("--lateness 99999999999999999d", "not a span (hint: "),
        ("--logsource colour=red", "(hint: product=P"),
        ("--logsource category", "(hint: product=P"),
        ("--logsource category=", "(hint: product=P"),
        ("--list letters", "hint: NAME=FILE"),
        ("--list letters=@nowhere.txt", "nowhere.txt"),
        ("--list letters=@list.yaml", "(hint: one entry a line"),
        ("--placeholder x", "hint: NAME=VALUE"),
        ("--until soon", "--until soon: not a time (hint: "),
        ("--threads 0", "--threads"),
        ("--threads two", "--threads"),
        ("--time-field=", "--time-field"),
        ("--id-field=", "--id-field"),
        ("--source=", "--source"),
        ("--log ===", "error: --log ==="),
        ("--alert @x", "a similar argument exists: '--alerts'"),
        ("--alerts @no/such/folder", "cannot be written"),
        ("--alerts @in.jsonl", "is an input (hint: "),
        ("--dead-letters @rule.yml", "is an input (hint: "),
        ("--json --alerts -", "(hint: name a file"),
    ] {
        let ran = desk.replay(&format!("--format json --rules @rule.yml {words} @in.jsonl"), b"");
        ran.expect_code(1);
        assert!(ran.stderr.contains(says) && ran.stdout.is_empty(), "{words}: {ran:?}");
    }
    for (words, says) in [
        ("--format json @in.jsonl", "there are no rules (hint: "),
        ("--format json --rules @bad.yml @in.jsonl", "bad.yml:4"),
        ("--format json --rules @nowhere.yml @in.jsonl", "nowhere.yml"),
        ("--format json --rules @rule.yml", "<INPUTS>"),
        ("--format xml --rules @rule.yml @in.jsonl", "--format xml: unknown (hint: auto, "),
        ("--format json --rules @rule.yml @nowhere.jsonl", "nowhere.jsonl"),
        ("--format json --rules @rule.yml @empty", "hint: name files or folders"),
        ("--rules @rule.yml --time-field t @in.jsonl", "--time-field and --id-field are for --format json"),
    ] {
        let ran = desk.replay(words, b"");
        ran.expect_code(1);
        assert!(ran.stderr.contains(says) && ran.stdout.is_empty(), "{words}: {ran:?}");
    }
    assert_eq!(desk.read("in.jsonl"), EVENT, "no input was touched");
    assert!(!cli::run(["replay", "--help"], b"").expect_code(0).stdout.is_empty());
}

#[test]
fn all_mistakes_are_said_at_once_each_with_its_place_and_a_hint() {
    let desk = Desk::new();
    desk.put("in.jsonl", EVENT);
    desk.put("list.yaml", "title: no list\n");
    desk.put("alerts.jsonl", "of yesterday");
    let wrong = [
        ("--format xml", "--format xml: unknown"),
        ("--lateness 5x", "--lateness 5x: not a span"),
        ("--until soon", "--until soon: not a time"),
        ("--logsource colour=red", "--logsource colour=red"),
        ("--list letters", "--list letters"),
        ("--list a=@nowhere.txt", "nowhere.txt"),
        ("--list b=@list.yaml", "list.yaml"),
        ("--placeholder x", "--placeholder x"),
        ("--placeholder y", "--placeholder y"),
        ("--dead-letters @in.jsonl", "in.jsonl: would be overwritten"),
        ("--provisional @no/such/folder", "cannot be written"),
        ("--json --alerts -", "--json"),
    ];
    let words: Vec<&str> = wrong.iter().map(|(words, _)| *words).collect();
    let ran = desk.replay(&format!("--rules @rule.yml @in.jsonl {}", words.join(" ")), b"");
    ran.expect_code(1);
    let lines: Vec<&str> = ran.stderr.lines().filter(|line| line.contains("(hint: ")).collect();
    assert!(lines.len() == wrong.len() && ran.stdout.is_empty(), "{ran:?}");
    for (words, says) in wrong {
        assert!(lines.iter().any(|line| line.contains(says)), "{words}: {ran:?}");
    }
    // Inputs, rules and outputs, too; and an output that could be written is not touched.
    let ran = desk.replay("--format json --rules @gone.yml --until soon --alerts @alerts.jsonl @nowhere.jsonl", b"");
    ran.expect_code(1);
    for says in ["gone.yml", "no rule could be loaded", "nowhere.jsonl", "--until soon"] {
        assert!(ran.stderr.lines().any(|line| line.contains(says) && line.contains("hint: ")), "{says}: {ran:?}");
    }
    assert_eq!(desk.read("alerts.jsonl"), "of yesterday");
    // So are those of a scenario.
    std::fs::create_dir(desk.path("day")).expect("a folder");
    desk.put("day/scenario.yaml", "colour: red\nshape: round\n");
    let ran = desk.replay("--until soon @day", b"");
    ran.expect_code(1);
    for says in ["scenario.yaml: colour", "scenario.yaml: shape", "scenario.yaml: inputs", "--until soon"] {
        assert!(ran.stderr.lines().any(|line| line.contains(says) && line.contains("(hint: ")), "{says}: {ran:?}");
    }
}

#[test]
fn nothing_is_written_before_the_plan_is_whole() {
    let desk = Desk::new();
    desk.put("in.jsonl", EVENT);
    for wrong in ["--until soon", "--lateness 5x", "--list x=@nowhere"] {
        desk.put("alerts.jsonl", "of yesterday");
        desk.json(&format!("{wrong} @in.jsonl"), b"").expect_code(1);
        assert_eq!(desk.read("alerts.jsonl"), "of yesterday", "{wrong}");
    }
}

#[test]
fn refused_rules_are_2_and_the_others_run() {
    let desk = Desk::new();
    desk.put("in.jsonl", EVENT);
    desk.put("bad.yml", "title: Bad\nlogsource: {category: test}\ndetection:\n  s: {k|nosuch: a}\n  condition: s\n");
    let ran = desk.json("--rules @bad.yml @in.jsonl", b"");
    let summary = ran.expect_code(2).json();
    assert_eq!((&summary["rules"]["loaded"], &summary["alerts"]["tickets"]), (&1.into(), &1.into()));
    assert!(
        ran.stderr.contains("refused") && ran.stderr.contains("bad.yml:4") && ran.stderr.contains("hint"),
        "{ran:?}"
    );
    let both = desk.json("--rules @bad.yml @in.jsonl @nowhere.jsonl", b"");
    assert_eq!(
        both.expect_code(3).json()["rules"]["refused"].as_array().map(Vec::len),
        Some(1),
        "unreadable input weighs more"
    );
}

/// Events enough for several blocks, and their count.
fn many() -> (String, u64) {
    let mut lines = String::new();
    (0..3_000).for_each(|n| {
        writeln!(lines, "{{\"k\":\"a\",\"u\":\"x\",\"n\":{n},\"t\":\"2026-10-05T08:00:00Z\"}}").expect("memory")
    });
    (lines, 3_000)
}

fn count(summary: &Value, group: &str, name: &str) -> u64 {
    summary[group][name].as_u64().unwrap_or_else(|| panic!("{group}.{name}: {summary}"))
}

/// The summary of a run over these inputs; both identities of the books hold.
fn books(desk: &Desk, inputs: &str, code: i32) -> Value {
    let ran = desk.json(&format!("--time-field t --id-field id --dead-letters @dead.jsonl {inputs}"), b"");
    let summary = ran.expect_code(code).json();
    let sum = |group: &str, names: &[&str]| names.iter().map(|name| count(&summary, group, name)).sum::<u64>();
    assert_eq!(
        count(&summary, "records", "read"),
        sum("records", &["decoded", "filtered", "invalid", "dropped"]),
        "{inputs}: {summary}"
    );
    assert_eq!(
        count(&summary, "records", "decoded"),
        sum("events", &["accepted", "late", "duplicate", "dropped"]),
        "{inputs}: {summary}"
    );
    assert_eq!(
        desk.lines("dead.jsonl").len() as u64,
        count(&summary, "records", "invalid"),
        "{inputs}: each has its dead letter"
    );
    summary
}

#[test]
fn unreadable_inputs_are_3_and_the_rest_is_read() {
    let desk = Desk::new();
    let (lines, n) = many();
    desk.put("good.jsonl", EVENT);
    let (gz, zst) = (stored::gzip(lines.as_bytes()), stored::zstd(lines.as_bytes()));
    desk.put("whole.jsonl.gz", &gz);
    desk.put("whole.jsonl.zst", &zst);
    desk.put("twice.jsonl.gz", [&gz[..], &gz[..]].concat());
    let mut flipped = gz.clone();
    let end = flipped.len() - 6;
    flipped[end] ^= 1;
    desk.put("flipped.jsonl.gz", flipped);
    desk.put("cut.jsonl.gz", &gz[..gz.len() * 2 / 3]);
    desk.put("cut.jsonl.zst", &zst[..zst.len() * 2 / 3]);
    desk.put("text.jsonl.gz", "no gzip");
    desk.put("text.jsonl.zst", "no zstandard");
    desk.put("empty.jsonl.gz", "");
    std::fs::create_dir(desk.path("folder.jsonl")).expect("a folder");
    for (input, code, at_least) in [
        ("whole.jsonl.gz", 0, n),
        ("whole.jsonl.zst", 0, n),
        ("twice.jsonl.gz", 0, 2 * n),
        ("flipped.jsonl.gz", 3, n),
        ("cut.jsonl.gz", 3, n / 2),
        ("cut.jsonl.zst", 3, n / 3),
        ("text.jsonl.gz", 3, 0),
        ("text.jsonl.zst", 3, 0),
        ("empty.jsonl.gz", 3, 0),
        ("folder.jsonl", 3, 0),
        ("nowhere.jsonl", 3, 0),
    ] {
        let summary = books(&desk, &format!("@{input} @good.jsonl"), code);
        let accepted = count(&summary, "events", "accepted");
        assert!(accepted > at_least && accepted <= 2 * n + 1, "{input}: {summary}");
        let unread = summary["inputs_not_read"].to_string();
        assert_eq!(unread.contains(input), code == 3, "{input}: {unread}");
        // What is missing of it counts once, and for what it is.
        let damaged = u64::from(code == 3 && !["folder.jsonl", "nowhere.jsonl"].contains(&input));
        assert_eq!(count(&summary, "records", "invalid"), damaged, "{input}: {summary}");
        assert_eq!(summary["invalid"]["damaged"].as_u64().unwrap_or(0), damaged, "{input}: {summary}");
    }
}

#[test]
fn broken_records_are_counted_with_their_reason() {
    let desk = Desk::new();
    let other = EVENT.replace("\"1\"", "\"2\"");
    let between = |broken: &[u8]| [EVENT.as_bytes(), broken, b"\n", other.as_bytes()].concat();
    let deep = format!("{{\"k\":{}1{}}}", "[".repeat(10_000), "]".repeat(10_000));
    let deep_objects = format!("{}1{}", "{\"k\":".repeat(10_000), "}".repeat(10_000));
    let time = |time: &str| format!("{{\"k\":\"a\",\"u\":\"x\",\"t\":{time}}}").into_bytes();
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("deep.jsonl", deep.clone().into_bytes(), "too_deep"),
        ("deep.json", deep.into_bytes(), "too_deep"),
        ("objects.jsonl", deep_objects.into_bytes(), "too_deep"),
        ("open.jsonl", "[".repeat(10_000).into_bytes(), "not_json too_deep wrong_shape"),
        ("latin.jsonl", b"{\"k\":\"a\xe9\",\"t\":\"2026-10-05T08:00:00Z\"}".to_vec(), "not_utf8"),
        ("latin.json", b"{\"k\":\"a\xe9\",\"t\":\"2026-10-05T08:00:00Z\"}".to_vec(), "not_utf8"),
        ("nul.jsonl", b"\0\0\0".to_vec(), "not_json"),
        ("nul-inside.jsonl", b"{\"k\":\"a\0\",\"t\":\"2026-10-05T08:00:00Z\"}".to_vec(), "not_json"),
        ("surrogate.jsonl", b"{\"k\":\"\\ud800\",\"t\":\"2026-10-05T08:00:00Z\"".to_vec(), "not_json"),
        ("two.jsonl", [EVENT.trim().as_bytes(), EVENT.trim().as_bytes()].concat(), "not_json"),
        ("number.jsonl", b"17".to_vec(), "wrong_shape"),
        ("text.jsonl", b"\"a\"".to_vec(), "wrong_shape"),
        ("time-bool.jsonl", time("true"), "no_time"),
        ("time-null.jsonl", time("null"), "no_time"),
        ("time-object.jsonl", time("{}"), "no_time"),
        ("time-word.jsonl", time("\"soon\""), "no_time"),
        ("time-huge.jsonl", time("1e300"), "no_time"),
        ("time-infinite.jsonl", time("1e999"), "no_time not_json"),
        ("time-10000.jsonl", time("\"10000-01-01T00:00:00Z\""), "no_time"),
        ("time-before-0.jsonl", time("\"-000044-03-15T00:00:00Z\""), "no_time"),
        ("time-no-day.jsonl", time("\"2026-02-30T00:00:00Z\""), "no_time"),
    ];
    for (name, broken, reasons) in cases {
        desk.put(name, between(&broken));
        let summary = books(&desk, &format!("@{name}"), 0);
        assert_eq!(
            (count(&summary, "records", "invalid"), count(&summary, "events", "accepted")),
            (1, 2),
            "{name}: {summary}"
        );
        let reason = summary["invalid"].as_object().and_then(|by| by.keys().next()).cloned().unwrap_or_default();
        assert!(reasons.split(' ').any(|expected| expected == reason), "{name}: {reason}");
    }
}

#[test]
fn nothing_but_brackets_and_what_breaks_off_is_counted_too() {
    let desk = Desk::new();
    let (one, other) = (EVENT.trim(), EVENT.trim().replace("\"1\"", "\"2\""));
    // read, filtered, accepted, and the reason of what is invalid
    for (name, text, counts, reason) in [
        ("empty.json", "[]".to_owned(), [1, 1, 0], None),
        ("spaced.json", " [ \n ]\n".to_owned(), [1, 1, 0], None),
        ("nested.json", "[[]]".to_owned(), [1, 1, 0], None),
        ("several.json", "[[], []]\n[]".to_owned(), [3, 3, 0], None),
        ("object.json", "{}".to_owned(), [1, 0, 0], Some("no_time")),
        ("objects.json", "[{}]".to_owned(), [1, 0, 0], Some("no_time")),
        ("number.json", "[17]".to_owned(), [1, 0, 0], Some("wrong_shape")),
        ("close.json", "]".to_owned(), [1, 0, 0], Some("not_json")),
        ("open.json", "[".to_owned(), [1, 0, 0], Some("damaged")),
        ("open-twice.json", "[[\n".to_owned(), [1, 0, 0], Some("damaged")),
        ("whole.json", format!("[{one},\n{other}]"), [2, 0, 2], None),
        ("cut-between.json", format!("[{one},\n{other},"), [3, 0, 2], Some("damaged")),
        ("cut-before-end.json", format!("[{one},\n{other}"), [3, 0, 2], Some("damaged")),
        ("cut-inside.json", format!("[{one},\n{other},{{\"k\":"), [3, 0, 2], Some("damaged")),
        ("cut-object.json", format!("{{\n\"a\":1}}{one}{{\"k\":\"a"), [3, 0, 1], Some("damaged no_time")),
        ("cut-array.json.gz", format!("[{one},\n{other},{{\"k\":"), [3, 0, 2], Some("damaged")),
    ] {
        let is_gzip = name.ends_with(".gz");
        desk.put(name, if is_gzip { stored::gzip(text.as_bytes()) } else { text.into_bytes() });
        let summary = books(&desk, &format!("@{name}"), 0);
        let found = [("records", "read"), ("records", "filtered"), ("events", "accepted")]
            .map(|(group, of)| count(&summary, group, of));
        assert_eq!(found, counts, "{name}: {summary}");
        let reasons: Vec<&str> =
            summary["invalid"].as_object().into_iter().flatten().map(|(reason, _)| reason.as_str()).collect();
        let mut expected: Vec<&str> = reason.unwrap_or_default().split_whitespace().collect();
        expected.sort_by_key(|reason| reasons.iter().position(|of| of == reason));
        assert_eq!(reasons, expected, "{name}: {summary}");
    }
    let ran = desk.replay("--rules @rule.yml --json @object.json", b"");
    assert_eq!(ran.expect_code(0).json()["invalid"]["unknown_format"], 1, "{ran:?}");
}

#[test]
fn odd_but_whole_inputs_are_read() {
    let desk = Desk::new();
    let other = EVENT.trim().replace("\"1\"", "\"2\"");
    let one = EVENT.trim();
    let bom = "\u{feff}";
    let id = |id: &str| format!("{{\"k\":\"a\",\"u\":\"x\",\"t\":\"2026-10-05T08:00:00Z\",\"id\":{id}}}");
    for (name, bytes, accepted) in [
        ("empty.jsonl", String::new(), 0),
        ("empty.json", String::new(), 0),
        ("blank.jsonl", "\n \r\n\t\n".to_owned(), 0),
        ("no-end.jsonl", format!("{EVENT}{other}"), 2),
        ("bom.jsonl", format!("{bom}{one}\r\n{other}\r\n"), 2),
        ("bom.json", format!("{bom}[\r\n{one},\r\n{other}\r\n]\r\n"), 2),
        ("array.jsonl", format!("[{one},{other}]\n"), 2),
        ("lines.json", format!("{EVENT}{other}"), 2),
        ("pretty.json", format!("{}\n{other}", one.replace(',', ",\n  ")), 2),
        ("ids.jsonl", ["17", "true", "null", "{}", "[]", "[1,2]", "1.5", "\"\""].map(id).join("\n"), 8),
        ("twice-a-key.jsonl", one.replace("\"k\":\"a\"", "\"k\":\"b\",\"k\":\"a\""), 1),
        ("year-1.jsonl", one.replace("2026-10-05", "0001-01-01"), 1),
        ("year-9999.jsonl", one.replace("2026-10-05", "9999-12-30"), 1),
        ("time-list.jsonl", one.replace("\"2026-10-05T08:00:00Z\"", "[\"2026-10-05T08:00:00Z\"]"), 1),
    ] {
        desk.put(name, bytes);
        let summary = books(&desk, &format!("@{name}"), 0);
        assert_eq!(count(&summary, "events", "accepted"), accepted, "{name}: {summary}");
        assert_eq!(count(&summary, "records", "invalid"), 0, "{name}: {summary}");
        for record in desk.lines("alerts.jsonl") {
            let time = record["event_time"].as_str().unwrap_or_default();
            assert!(time.len() == 24 && model::Timestamp::parse(time).is_some(), "{name}: {record}");
        }
    }
}

#[test]
fn an_endless_line_is_too_large_and_harms_no_neighbour() {
    let desk = Desk::new();
    let other = EVENT.replace("\"1\"", "\"2\"");
    let long = format!("{{\"k\":\"{}\"}}\n", "x".repeat(70_000_000));
    desk.put("long.jsonl", [EVENT, &long, &other].concat());
    let summary = books(&desk, "@long.jsonl", 0);
    assert_eq!((&summary["invalid"]["too_large"], &summary["events"]["accepted"]), (&1.into(), &2.into()), "{summary}");
    let seconds = summary["seconds"].as_f64().unwrap_or(f64::MAX);
    assert!(seconds < 8.0, "time that grows with the square of the line: {seconds} s");
}
