//! `x-alert.suppress_when` through the binary: what an announcement covers, that it is counted and visible, that the order of
//! arrival changes no byte, and what the loader says of names that may not silence.

use harness::generate::Random;
use serde_json::Value;

use crate::replay::Desk;

const RULES: &str = "\
title: Announced campaign
id: 5e1f0000-0000-4000-8000-000000000001
name: campaign
logsource: {product: pipewarden, category: ops.change}
detection: {s: {event.action: announced}, condition: s}
---
title: Job
id: 5e1f0000-0000-4000-8000-000000000002
name: job
logsource: {product: pipewarden, category: ci.job}
detection: {s: {event.action: started}, condition: s}
level: medium
x-alert: {route: ticket, fingerprint: [prov.repo], realert: 1m, suppress_when: [campaign], group: [prov.run_id]}
x-requires: [E12]
---
title: Many jobs
id: 5e1f0000-0000-4000-8000-000000000003
name: many
correlation: {type: event_count, rules: [job], group-by: [prov.run_id], timespan: 10m, condition: {gte: 2}}
level: high
x-alert: {route: ticket, realert: 1m, suppress_when: [campaign]}
x-requires: [E12]
";

fn job(id: &str, time: &str, repo: &str, run: &str) -> String {
    format!(
        "{{\"event\":{{\"id\":\"{id}\",\"class\":\"ci.job\",\"action\":\"started\",\"outcome\":\"success\",\"time\":\"2026-10-05T{time}Z\"}},\
         \"prov\":{{\"repo\":\"{repo}\",\"run_id\":\"{run}\",\"job_id\":\"{id}\"}}}}"
    )
}

fn change(id: &str, time: &str, scope: &str, to: &str) -> String {
    format!(
        "{{\"event\":{{\"id\":\"{id}\",\"class\":\"ops.change\",\"action\":\"announced\",\"outcome\":\"success\",\
         \"time\":\"2026-10-05T{time}Z\"}},\"prov\":{scope},\"to\":\"2026-10-05T{to}Z\",\"campaign\":\"c-1\"}}"
    )
}

fn morning() -> Vec<String> {
    vec![
        job("j1", "07:59:00", "shop", "1"),
        change("c1", "08:00:00", "{\"repo\":\"shop\"}", "09:00:00"),
        change("c2", "08:00:00", "{\"repo\":\"cart\",\"env\":\"prod\"}", "09:00:00"),
        change("c3", "08:00:00", "{\"actor_id\":\"u-1\"}", "09:00:00"),
        job("j2", "08:10:00", "shop", "2"),
        job("j3", "08:10:10", "shop", "2"),
        job("j4", "08:10:20", "cart", "3"),
        job("j5", "08:10:30", "cart", "3"),
        job("j6", "09:00:00", "shop", "4"),
        job("j7", "09:05:00", "shop", "5"),
    ]
}

fn replay(desk: &Desk, files: &[&[String]]) -> (String, Value) {
    let mut words = "--format normal --rules @rules.yml --lateness 6h --alerts @alerts.jsonl --json".to_owned();
    for (at, lines) in files.iter().enumerate() {
        desk.put(&format!("in-{at}.jsonl"), lines.join("\n") + "\n");
        words += &format!(" @in-{at}.jsonl");
    }
    let summary = desk.replay(&words, b"").expect_code(0).json();
    (desk.read("alerts.jsonl"), summary)
}

/// `state@time title key` of each record.
fn short(text: &str) -> Vec<String> {
    let records = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let line = |record: Value| {
        let word = |pointer: &str| record.pointer(pointer).and_then(Value::as_str).unwrap_or("-").to_owned();
        let key = record["group"].as_object().and_then(|key| key.values().next()?.as_str()).unwrap_or("-");
        format!("{}@{} {} {key}", word("/state"), &word("/event_time")[11..19], word("/rule/title"))
    };
    records.map(line).filter(|line| !line.starts_with("expired")).collect()
}

#[test]
fn what_is_announced_is_kept_and_not_told() {
    let desk = Desk::new();
    desk.put("rules.yml", RULES);
    let (text, summary) = replay(&desk, &[&morning()]);
    assert_eq!(
        short(&text),
        [
            "firing@07:59:00 Job shop",
            "suppressed@08:10:00 Job shop",
            "suppressed@08:10:10 Many jobs 2",
            "firing@08:10:20 Job cart",
            "firing@08:10:30 Many jobs 3",
            // What was folded while it was silenced.
            "suppressed@08:11:10 Job shop",
            "suppressed@09:00:00 Job shop",
            "firing@09:05:00 Job shop",
        ]
    );
    let record: Value =
        serde_json::from_str(text.lines().find(|line| line.contains("\"state\":\"suppressed\"")).expect("one"))
            .expect("JSON");
    assert_eq!(record["suppressed_by"]["name"], "campaign");
    assert_eq!(record["suppressed_by"]["event"]["id"], "c1");
    assert_eq!(record["suppressed_by"]["to"], "2026-10-05T09:00:00.000Z");
    assert_eq!(record["told_with"]["prov.run_id"], "2");
    assert_eq!((&summary["silences"]["findings"], &summary["alerts"]["pages"]), (&4.into(), &0.into()), "{summary}");
    let by_rule = summary["alerts"]["by_rule"].as_array().expect("rules");
    let job = by_rule.iter().find(|rule| rule["title"] == "Job").expect("it spoke");
    assert_eq!(job["records"]["suppressed"], 3, "{job}");
    assert!(
        !by_rule.iter().any(|rule| rule["title"] == "Announced campaign"),
        "an announcement is no alert: {summary}"
    );
}

#[test]
fn the_order_of_arrival_decides_nothing() {
    let desk = Desk::new();
    desk.put("rules.yml", RULES);
    let mut lines = morning();
    let (wanted, _) = replay(&desk, &[&lines]);
    let mut random = Random(7);
    for round in 0..12 {
        for at in (1..lines.len()).rev() {
            lines.swap(at, random.below(at + 1));
        }
        let (left, right) = lines.split_at(round % lines.len());
        let files: Vec<&[String]> = [left, right].into_iter().filter(|file| !file.is_empty()).collect();
        assert_eq!(replay(&desk, &files).0, wanted, "round {round}: {lines:#?}");
    }
}

#[test]
fn names_that_may_not_silence_cost_a_warning_and_no_alert() {
    let desk = Desk::new();
    desk.put("rules.yml", RULES.replace("suppress_when: [campaign]", "suppress_when: [campain, job]"));
    let words = "--format normal --rules @rules.yml --lateness 6h --alerts @alerts.jsonl @in.jsonl";
    desk.put("in.jsonl", morning().join("\n"));
    let ran = desk.replay(words, b"");
    for said in [
        "`suppress_when` names `campain`, which is no rule: it silences nothing",
        "did you mean `campaign`?",
        "`suppress_when` names `job`, which is not about announcements: it silences nothing",
    ] {
        assert!(ran.expect_code(0).stderr.contains(said), "{said} is not in {}", ran.stderr);
    }
    assert!(!desk.read("alerts.jsonl").contains("suppressed_by"));
    assert!(desk.read("alerts.jsonl").contains("\"title\":\"Job\""));
}
