//! Silence that a detector finds, through the binary: deadlines of what the source should say do not count it.

use harness::generate::Random;
use serde_json::{Value, json};

use crate::detectors::MONDAY;
use crate::replay::Desk;

const MINUTE: i64 = 60_000;
const DAY: i64 = 1_440 * MINUTE;

/// Friday: four days on which something was heard in this hour lie behind it.
const FRIDAY: i64 = MONDAY + 4 * DAY;

const RULES: &str = "\
title: Published
id: 5e1f0000-0000-4000-8000-000000000011
name: published
logsource: {product: pipewarden, category: registry.push}
detection: {s: {event.action: push}, condition: s}
---
title: Signed
id: 5e1f0000-0000-4000-8000-000000000012
name: signed
logsource: {product: pipewarden, category: sign.attestation}
detection: {s: {event.action: sign}, condition: s}
---
title: Never signed
id: 5e1f0000-0000-4000-8000-000000000013
name: never-signed
correlation:
  type: temporal
  rules: [published, signed]
  group-by: [prov.digest]
  timespan: 20m
  condition: published and not signed
x-absence: {start: published, expect: signed, deadline: 20m}
x-alert: {route: ticket}
x-requires: [E1, E12]
---
title: Silent
id: 5e1f0000-0000-4000-8000-000000000014
name: silent
logsource: {product: pipewarden, category: sign.attestation}
detection: {s: {event.action: sign}, condition: s}
level: high
x-detector: {algo: silence, key: [event.source], bucket: 1m, silence_min: 10m, health: true}
x-alert: {route: ticket, fingerprint: [event.source]}
x-requires: [E6, E12]
";

/// On Friday signed is each two seconds until 00:30 and from 01:00 on, published one thing at 00:29 (and these), and what nobody
/// asks for each minute; on the days before, signed is from 00:00 to 01:00.
fn events(more: &[i64]) -> Vec<(i64, String)> {
    let mut events = Vec::new();
    let mut event = |at: i64, class: &str, action: &str, digest: i64| {
        let time = model::Timestamp::from_ms(FRIDAY + at).to_string();
        let id = format!("{class}-{at}");
        let event = json!({"event": {"id": id, "class": class, "action": action, "outcome": "success", "time": time},
                           "prov": {"digest": format!("sha256:{:064x}", digest.unsigned_abs())}});
        events.push((at, event.to_string()));
    };
    let signed = (0..900).map(|n| n * 2_000).chain((0..900).map(|n| 60 * MINUTE + n * 2_000));
    let before = (1..=4).flat_map(|day| (0..1_800).map(move |n| n * 2_000 - day * DAY));
    signed.chain(before).for_each(|at| event(at, "sign.attestation", "sign", 1_000 + at));
    (0..90).for_each(|minute| event(minute * MINUTE + 1, "registry.push", "noop", minute));
    [29].iter().chain(more).for_each(|minute| event(minute * MINUTE, "registry.push", "push", *minute));
    events.sort();
    events
}

fn sealed(desk: &Desk, words: &str) -> Vec<Value> {
    let all = format!("--format normal --rules @rules.yml --lateness 90s --alerts @alerts.jsonl {words}");
    desk.replay(&all, b"").expect_code(0);
    desk.lines("alerts.jsonl")
}

fn missed(sealed: &[Value]) -> Vec<(&Value, &Value)> {
    let is_one = |of: &&Value| of["state"] == "firing" && of["rule"]["title"] == "Never signed";
    sealed.iter().filter(is_one).map(|of| (&of["event_time"], &of["facts"]["deadline_moved"])).collect()
}

fn desk(rules: &str, lines: &[String]) -> Desk {
    let desk = Desk::new();
    desk.put("rules.yml", rules);
    desk.put("in.jsonl", lines.join("\n"));
    desk
}

#[test]
fn deadlines_do_not_count_the_time_in_which_a_detector_finds_the_source_silent() {
    let lines = |more: &[i64]| -> Vec<String> { events(more).into_iter().map(|(_, line)| line).collect() };
    let time = |minute: i64| json!(model::Timestamp::from_ms(FRIDAY + minute * MINUTE));
    let told = sealed(&desk(RULES, &lines(&[])), "@in.jsonl");
    let missed_at = missed(&told);
    assert_eq!(missed_at.len(), 1, "{told:#?}");
    // Not heard from 29:58 to 60:00.
    assert_eq!(missed_at[0].0, &json!(model::Timestamp::from_ms(FRIDAY + 79 * MINUTE + 2_000)), "{told:#?}");
    assert!(missed_at[0].1.as_str().is_some_and(|why| why.starts_with("by 30m 2s: ")), "{missed_at:?}");
    let told = sealed(&desk(RULES, &lines(&[35])), "@in.jsonl");
    assert_eq!(
        missed(&told),
        [(&time(49), &Value::Null), (&time(55), &Value::Null)],
        "it speaks of other things: {told:#?}"
    );
    for (without, why) in [
        (RULES.replace(", health: true", ""), "nobody asked for it"),
        (
            RULES.replace("{route: ticket, fingerprint: [event.source]}", "{route: ticket, shadow: true}"),
            "it is on trial",
        ),
    ] {
        let told = sealed(&desk(&without, &lines(&[])), "@in.jsonl");
        assert_eq!(missed(&told), [(&time(49), &Value::Null)], "{why}: {told:#?}");
    }
}

#[test]
fn neither_arrival_nor_pieces_change_what_silence_moves() {
    let events = events(&[]);
    let lines: Vec<String> = events.iter().map(|(_, line)| line.clone()).collect();
    let desk = desk(RULES, &lines);
    sealed(&desk, "@in.jsonl");
    let expected = desk.read("alerts.jsonl");
    for seed in 0..3 {
        let mut random = Random(seed);
        let mut order: Vec<(i64, &String)> =
            events.iter().map(|(at, line)| (at + random.below(85_000) as i64, line)).collect();
        order.sort();
        let shuffled: Vec<&str> = order.into_iter().map(|(_, line)| line.as_str()).collect();
        desk.put("in.jsonl", shuffled.join("\n"));
        sealed(&desk, "--threads 2 @in.jsonl");
        assert_eq!(desk.read("alerts.jsonl"), expected, "arrival {seed}");
    }
    let minute = |minute: i64| events.partition_point(|(at, _)| *at < minute * MINUTE);
    let mut found = String::new();
    // Cut before it is found, while it lasts, and behind it.
    let bounds = [0, minute(37), minute(52), minute(70), lines.len()];
    for (piece, bounds) in bounds.windows(2).enumerate() {
        desk.put("in.jsonl", lines[bounds[0]..bounds[1]].join("\n"));
        let before = if piece > 0 { "--state-in @s.state" } else { "" };
        let after = if piece < 3 { "--state-out @s.state" } else { "" };
        sealed(&desk, &format!("{before} {after} @in.jsonl"));
        found.push_str(&desk.read("alerts.jsonl"));
    }
    assert_eq!(found, expected, "pieces");
}

#[test]
fn only_the_silence_of_a_source_says_how_a_source_is() {
    let desk = Desk::new();
    for (detector, says) in [
        ("{algo: silence, key: [prov.repo], health: true}", "a key that is not the source alone"),
        ("{algo: nb_seasonal, key: [event.source], health: true}", "unknown key `health`"),
    ] {
        let rule = RULES.split("---\n").last().expect("a rule");
        let from = rule.find("{algo").expect("a detector");
        let to = from + rule[from..].find('}').expect("its end") + 1;
        desk.put(
            "rule.yml",
            format!("{}{detector}{}", &rule[..from], &rule[to..]).replace(", fingerprint: [event.source]", ""),
        );
        let path = desk.path("rule.yml").display().to_string();
        let ran = harness::cli::run(["rules", "check", path.as_str()], b"");
        let said = format!("{}{}", ran.stdout, ran.stderr);
        assert!(ran.code != 0 && said.contains(says) && said.contains("hint"), "{detector}: {said}");
    }
}
