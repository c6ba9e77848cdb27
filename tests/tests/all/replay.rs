//! What `pipewarden replay` does with its flags: times, ids, order without time, sources, lists, bounds, outputs.
//!
//! Everything goes through the binary, as a user would run it.

use std::fs;
use std::path::PathBuf;

use harness::cli::{self, Ran};
use serde_json::Value;

/// A rule that holds where `k` is `a`, told once for each `u`.
pub const RULE: &str = "title: A\nid: 6a0f0000-0000-4000-8000-00000000000a\nlogsource: {product: p, category: test}\n\
    detection:\n  s: {k: a}\n  condition: s\nlevel: medium\nx-alert: {route: ticket, fingerprint: [u], realert: 1h}\n";

/// A folder with a rule, in which runs read and write.
pub struct Desk {
    folder: tempfile::TempDir,
}

impl Desk {
    pub fn new() -> Desk {
        let desk = Desk { folder: tempfile::tempdir().expect("a folder") };
        desk.put("rule.yml", RULE);
        desk
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn put(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.path(name), bytes).expect("written");
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// The JSON lines of a file.
    pub fn lines(&self, name: &str) -> Vec<Value> {
        self.read(name).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }

    /// Runs `replay --no-pack` with these words; a word with `@` before it is a path in the folder.
    pub fn replay(&self, words: &str, stdin: &[u8]) -> Ran {
        let words = words.split_whitespace().map(|word| match word.split_once('@') {
            Some((before, name)) => format!("{before}{}", self.path(name).display()),
            None => word.to_owned(),
        });
        cli::run(["replay".to_owned(), "--no-pack".to_owned()].into_iter().chain(words), stdin)
    }

    /// The same on raw JSON with the rule, alerts in `alerts.jsonl`, summary as JSON.
    pub fn json(&self, words: &str, stdin: &[u8]) -> Ran {
        self.replay(&format!("--format json --rules @rule.yml --alerts @alerts.jsonl --json {words}"), stdin)
    }
}

/// One field of each record.
fn all(records: &[Value], pointer: &str) -> Vec<Value> {
    records.iter().map(|record| record.pointer(pointer).cloned().unwrap_or(Value::Null)).collect()
}

#[test]
fn without_a_time_field_each_match_is_a_record_in_the_order_of_positions() {
    let desk = Desk::new();
    let lines: String =
        (0..20_000).map(|n| format!("{{\"k\":\"{}\",\"u\":\"x\",\"n\":{n}}}\n", ["a", "b"][n % 2])).collect();
    desk.put("in.jsonl", lines);
    let mut runs = ["1", "3"].map(|threads| {
        desk.json(&format!("--threads {threads} @in.jsonl"), b"").expect_code(0);
        desk.read("alerts.jsonl")
    });
    assert_eq!(runs[0], runs[1]);
    let records: Vec<Value> = runs[0].lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(records.len(), 10_000);
    assert!(
        records
            .iter()
            .all(|record| record["event_time"].is_null() && record["state"] == "firing" && record["count"] == 1)
    );
    let hash = |n: usize| model::Sha256::of(format!("{{\"k\":\"a\",\"u\":\"x\",\"n\":{n}}}").as_bytes()).hex();
    for at in [0, 1, 4_999, 9_999] {
        assert_eq!(
            records[at]["evidence"][0]["id"],
            hash(2 * at),
            "record {at}: the hash is the id, the position the order"
        );
    }
    desk.json("--every-match @in.jsonl", b"").expect_code(0);
    runs[1] = desk.read("alerts.jsonl").replace("\"state\":\"match\"", "\"state\":\"firing\"");
    assert_eq!(runs[0], runs[1]);
}

#[test]
fn the_first_time_field_that_is_there_counts() {
    let desk = Desk::new();
    let input = r#"{"k":"a","u":"1","b":"2026-10-05T08:00:03Z","a":"2026-10-05T10:00:00+02:00"}
{"k":"a","u":"2","b":1791187201}
{"k":"a","u":"3","b":1791187202000}
{"k":"a","u":"4","b":"1791187204.5","a":null}
{"k":"a","u":"5","c":"2026-10-05T08:00:00Z"}
"#;
    let ran = desk.json("--time-field a --time-field b --lateness 1h -", input.as_bytes());
    assert_eq!(ran.expect_code(0).json()["invalid"]["no_time"], 1);
    let records = desk.lines("alerts.jsonl");
    let told: Vec<String> = records
        .iter()
        .filter(|record| record["state"] == "firing")
        .map(|record| format!("{} {}", record["group"]["u"], record["event_time"]))
        .collect();
    let wanted = [("1", "00.000"), ("2", "01.000"), ("3", "02.000"), ("4", "04.500")];
    assert_eq!(told, wanted.map(|(u, seconds)| format!("\"{u}\" \"2026-10-05T08:00:{seconds}Z\"")));
}

#[test]
fn a_log_source_chooses_the_rules_and_none_takes_all() {
    let desk = Desk::new();
    desk.put("in.jsonl", r#"{"k":"a"}"#);
    for (given, alerts) in [
        ("", 1),
        ("--logsource category=test", 1),
        ("--logsource product=P,category=test,service=any", 1),
        ("--logsource category=other", 0),
        ("--logsource product=q,category=test", 0),
    ] {
        let ran = desk.json(&format!("{given} @in.jsonl"), b"");
        assert_eq!(ran.expect_code(0).json()["alerts"]["tickets"], alerts, "{given}");
    }
}

#[test]
fn yaml_among_the_inputs_is_rules() {
    let desk = Desk::new();
    desk.put("other.yaml", RULE.replace("00000a", "00000b").replace("{k: a}", "{k: b}"));
    desk.put("in.jsonl", "{\"k\":\"a\"}\n{\"k\":\"b\"}\n");
    let ran = desk.replay("--format json --json --rules @rule.yml @other.yaml @in.jsonl", b"");
    let summary = ran.expect_code(0).json();
    assert_eq!((&summary["rules"]["loaded"], &summary["alerts"]["tickets"]), (&2.into(), &2.into()), "{summary}");
}

#[test]
fn all_inputs_are_one_source_of_that_name() {
    let desk = Desk::new();
    let event = r#"{"k":"a","u":"x","t":"2026-10-05T08:00:00Z","id":"1"}"#;
    desk.put("one.jsonl", event);
    desk.put("two.jsonl", event);
    desk.put("broken.jsonl", "{");
    let ran = desk.json(
        "--source vault --time-field t --id-field id --dead-letters @dead.jsonl @one.jsonl @two.jsonl @broken.jsonl",
        b"",
    );
    assert_eq!(
        ran.expect_code(0).json()["events"]["duplicate"],
        1,
        "a copy in another file is a duplicate: one source"
    );
    assert!(desk.lines("alerts.jsonl")[0]["explain"].as_str().is_some_and(|text| text.contains("vault")));
    let dead = desk.lines("dead.jsonl");
    assert_eq!(
        (dead.len(), &dead[0]["source"], &dead[0]["offset"], &dead[0]["reason"]),
        (1, &"vault".into(), &0.into(), &"not_json".into())
    );
    assert_eq!(dead[0]["name"], desk.path("broken.jsonl").to_string_lossy().as_ref());
}

#[test]
fn a_list_is_filled_from_a_file() {
    let desk = Desk::new();
    let listed = RULE.replace("{k: a}", "{k|expand: '%letters%'}")
        + "x-lists:\n  letters: {source: a test, on_missing: fail_open_ticket}\nx-requires: [E3]\n";
    desk.put("rule.yml", listed);
    desk.put("letters.txt", "# letters\nb\nc\n");
    desk.put("in.jsonl", "{\"k\":\"a\",\"u\":\"1\"}\n{\"k\":\"b\",\"u\":\"2\"}\n{\"k\":\"C\",\"u\":\"3\"}\n");
    desk.json("--list letters=@letters.txt @in.jsonl", b"").expect_code(0);
    assert_eq!(all(&desk.lines("alerts.jsonl"), "/group/u"), ["2", "3"]);
}

#[test]
fn what_is_later_than_until_is_early_and_stands_alone() {
    let desk = Desk::new();
    let event = |u: &str, time: &str| format!("{{\"k\":\"a\",\"u\":\"{u}\",\"t\":\"2026-10-05T{time}Z\"}}\n");
    let input =
        [event("x", "08:00:00"), event("x", "12:00:00"), event("x", "08:00:01"), event("y", "09:00:00")].concat();
    let ran = desk.json("--time-field t --lateness 1m --until 2026-10-05T09:00:00Z -", input.as_bytes());
    let events = ran.expect_code(0).json()["events"].clone();
    assert_eq!((&events["accepted"], &events["late"], &events["early"]), (&3.into(), &1.into(), &1.into()), "{events}");
    let records = desk.lines("alerts.jsonl");
    let early: Vec<&Value> = records.iter().filter(|record| record["early"] == true).collect();
    assert_eq!(early.len(), 1);
    assert_eq!((&early[0]["event_time"], &early[0]["count"]), (&"2026-10-05T12:00:00.000Z".into(), &1.into()));
    let last =
        records.iter().rfind(|record| record["group"]["u"] == "x" && record["state"] == "expired").expect("expired");
    assert_eq!(
        (&last["count"], &last["event_time"]),
        (&2.into(), &"2026-10-05T09:00:01.000Z".into()),
        "it moved nothing"
    );
}

#[test]
fn provisional_records_come_once_and_are_confirmed() {
    let desk = Desk::new();
    let event =
        |second: i64, u: &str| format!("{{\"k\":\"a\",\"u\":\"{u}\",\"t\":\"2026-10-05T08:00:{second:02}Z\"}}\n");
    let input = [event(9, "x"), event(5, "x"), event(7, "y"), event(1, "x")].concat();
    desk.json("--time-field t --lateness 1m --provisional @early.jsonl -", input.as_bytes()).expect_code(0);
    let provisional = desk.lines("early.jsonl");
    assert_eq!(all(&provisional, "/group/u"), ["x", "y"]);
    assert_eq!(all(&provisional, "/provisional"), [true, true]);
    assert_eq!(all(&provisional, "/event_time")[0], "2026-10-05T08:00:09.000Z", "told on arrival");
    let sealed = desk.lines("alerts.jsonl");
    assert!(sealed.iter().all(|record| record.get("provisional").is_none()));
    let firing: Vec<&Value> = sealed.iter().filter(|record| record["state"] == "firing").collect();
    assert_eq!(firing.len(), 2);
    assert_eq!(firing[0]["event_time"], "2026-10-05T08:00:01.000Z", "sealed in total order");
    for record in provisional {
        assert!(firing.iter().any(|sealed| sealed["fingerprint"] == record["fingerprint"]));
    }
}

#[test]
fn standard_output_is_plain_when_nobody_watches() {
    let desk = Desk::new();
    desk.put("in.jsonl", "{\"k\":\"a\",\"u\":\"\\u001b[31mred\\u0007\",\"t\":\"2026-10-05T08:00:00Z\"}\n{\"k\":\n");
    let ran = desk.replay("--format json --rules @rule.yml @no-such.yml --time-field t --log debug @in.jsonl", b"");
    ran.expect_code(2);
    assert!(
        !ran.stdout.contains('\u{1b}') && !ran.stderr.contains('\u{1b}') && !ran.stdout.contains('\u{7}'),
        "{ran:?}"
    );
    assert!(
        ran.stdout.contains("2026-10-05T08:00:00.000Z  ticket firing") && ran.stdout.contains("not_json 1"),
        "{ran:?}"
    );
    let lines = desk.replay("--format json --rules @rule.yml --time-field t --alerts - @in.jsonl", b"");
    assert_eq!(lines.expect_code(0).stdout.lines().count(), 2, "records only: {lines:?}");
    lines
        .stdout
        .lines()
        .for_each(|line| assert!(serde_json::from_str::<Value>(line).is_ok_and(|record| record["schema"] == 1)));
}
