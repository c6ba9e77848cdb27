//! The life of what a detector finds, through the binary: explained periods, a level that is accepted, correlations that consume it,
//! the end of input, and what the loader says of a detector that it does not know.

use harness::cli;
use serde_json::{Value, json};

use crate::detectors::{COUNTS, History, MONDAY, desk, lines, rule, sealed, short, steady};
use crate::replay::Desk;

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

/// (state, day since Monday, last value of the key).
fn by_day(records: &[Value]) -> Vec<(String, i64, String)> {
    short(records).into_iter().map(|(state, hour, key)| (state, hour / 24, key)).collect()
}

#[test]
fn a_new_level_is_accepted_after_three_days_with_a_ticket() {
    let mut history = steady(28);
    history.extend((0..4 * 24).map(|hour| (28 * DAY + hour * HOUR, json!({"team": "a", "who": "bob", "n": 60}))));
    let page = rule(COUNTS, ", fingerprint: [team]").replace("route: ticket", "route: page");
    let told = sealed(&desk(&page, &history), "@in.jsonl");
    let of = |state: &str| by_day(&told).into_iter().find(|(of, ..)| of == state);
    assert_eq!(of("firing"), Some(("firing".to_owned(), 28, "a".to_owned())), "{told:#?}");
    assert_eq!(of("resolved").map(|(_, day, _)| day), Some(30), "three days after it began: {:?}", by_day(&told));
    let is_accepted = |of: &&Value| of["state"] == "firing" && of["facts"].to_string().contains("from here on");
    let accepted: Vec<&Value> = told.iter().filter(is_accepted).collect();
    assert_eq!(accepted.len(), 1, "{told:#?}");
    assert_eq!(accepted[0]["urgency"], "ticket", "{:#}", accepted[0]);
    assert!(by_day(&told).iter().all(|(state, day, _)| *day <= 30 || state == "expired"), "{:?}", by_day(&told));
}

const OWN: &str = "\
title: Announced campaign
id: 5e1f0000-0000-4000-8000-000000000001
name: campaign
logsource: {product: pipewarden, category: ops.change}
detection: {s: {event.action: announced}, condition: s}
---
title: Pushes
id: 5e1f0000-0000-4000-8000-000000000002
name: pushes
logsource: {product: pipewarden, category: registry.push}
detection: {s: {event.outcome: success}, condition: s}
level: medium
x-requires: [E6, E12]
x-detector: {algo: nb_seasonal, key: [prov.team, prov.env], min: 5}
x-alert: {route: ticket, suppress_when: [campaign]}
---
title: Pushes, whatever is announced
id: 5e1f0000-0000-4000-8000-000000000003
name: always
logsource: {product: pipewarden, category: registry.push}
detection: {s: {event.outcome: success}, condition: s}
level: medium
x-requires: [E6, E12]
x-detector: {algo: nb_seasonal, key: [prov.team, prov.env], min: 5}
x-alert: {route: ticket, never_suppress: true}
";

pub fn push(at: i64, number: usize, env: &str) -> String {
    let time = model::Timestamp::from_ms(MONDAY + at);
    json!({"event": {"id": format!("p{number}"), "class": "registry.push", "action": "push", "outcome": "success", "time": time.to_string()},
           "prov": {"team": "a", "env": env}})
    .to_string()
}

/// Rules (by title) that fire where a change is announced for these things while forty images are pushed to production.
fn fired_under(scope: Option<Value>) -> Vec<String> {
    let day = 21 * DAY;
    let mut lines: Vec<String> = (0..21 * 24 * 4).map(|at| push(at * HOUR / 4, at as usize, "prod")).collect();
    lines.extend((0..40).map(|at| push(day + HOUR + at * 30_000, 100_000 + at as usize, "prod")));
    if let Some(scope) = scope {
        let time = |at: i64| model::Timestamp::from_ms(MONDAY + at).to_string();
        let event =
            json!({"id": "c", "class": "ops.change", "action": "announced", "outcome": "success", "time": time(day)});
        lines.push(json!({"event": event, "prov": scope, "to": time(day + 4 * HOUR)}).to_string());
    }
    let desk = Desk::new();
    desk.put("rules.yml", OWN);
    desk.put("in.jsonl", lines.join("\n"));
    let words = "--format normal --rules @rules.yml --lateness 2h --alerts @alerts.jsonl @in.jsonl";
    desk.replay(words, b"").expect_code(0);
    let told = desk.lines("alerts.jsonl").into_iter().filter(|record| record["state"] == "firing");
    let mut titles: Vec<String> =
        told.map(|record| record["rule"]["title"].as_str().expect("a title").to_owned()).collect();
    titles.sort();
    titles
}

#[test]
fn an_announced_change_explains_what_it_is_about_and_not_what_must_always_be_told() {
    let always = "Pushes, whatever is announced".to_owned();
    let both = vec!["Pushes".to_owned(), always.clone()];
    assert_eq!(fired_under(None), both);
    assert_eq!(fired_under(Some(json!({"team": "a"}))), std::slice::from_ref(&always));
    assert_eq!(fired_under(Some(json!({"team": "a", "env": "prod"}))), [always]);
    assert_eq!(fired_under(Some(json!({"team": "a", "env": "dev"}))), both, "another environment");
    assert_eq!(fired_under(Some(json!({"team": "a", "repo": "r"}))), both, "nobody can tell whether it is about this");
}

#[test]
fn correlations_consume_what_a_detector_finds_at_its_own_time() {
    let silent = rule(COUNTS, "").replace("x-alert: {route: ticket, realert: 24h}\n", "").replace(", E12", "");
    let more = "---\ntitle: Other\nid: 6a0f0000-0000-4000-8000-0000000000d2\nname: other\nlogsource: {product: p, category: test}\n\
        detection: {s: {k: o}, condition: s}\n---\ntitle: Both\nid: 6a0f0000-0000-4000-8000-0000000000d3\nname: both\n\
        correlation: {type: temporal_ordered, rules: [other, D], group-by: [team], timespan: 2h}\nlevel: high\n";
    let mut history = steady(21);
    let spike: History = vec![
        (21 * DAY + HOUR, json!({"k": "o", "team": "a"})),
        (21 * DAY + 2 * HOUR, json!({"team": "a", "who": "bob", "n": 70})),
        (21 * DAY + 9 * HOUR, json!({"team": "a", "who": "bob", "n": 5})),
    ];
    history.extend(spike);
    let desk = desk(&(silent + more), &history);
    let told = sealed(&desk, "@in.jsonl");
    let first = told.first().unwrap_or_else(|| panic!("nothing is told"));
    assert_eq!((first["rule"]["title"].as_str(), first["state"].as_str()), (Some("Both"), Some("firing")), "{told:#?}");
    assert_eq!(short(&told)[0].1, 21 * 24 + 2, "at the event that is remarkable");
    assert!(told.iter().all(|record| record["rule"]["title"] == "Both"), "a rule that is referred to is silent");
}

#[test]
fn buckets_close_up_to_the_last_event_or_to_the_end_that_a_scenario_names() {
    let history: History = (0..10 * 240).map(|at| (at * HOUR / 10, json!({"source": "audit"}))).collect();
    let desk = desk(&rule("{algo: silence, key: [source]}", ""), &history);
    assert!(sealed(&desk, "@in.jsonl").is_empty(), "silence behind the last event is the end of input");
    let time = |at: i64| model::Timestamp::from_ms(MONDAY + at).to_string();
    for (end, fires) in [(10 * DAY + 3 * HOUR, true), (10 * DAY + HOUR / 2, false)] {
        desk.put(
            "scenario.yaml",
            format!("title: t\nformat: json\nlateness: 2h\ninputs: [in.jsonl]\nend: {}\n", time(end)),
        );
        let all = "--format json --time-field t --id-field id --rules @rule.yml --alerts @alerts.jsonl @";
        desk.replay(all, b"").expect_code(0);
        assert_eq!(!desk.lines("alerts.jsonl").is_empty(), fires, "until {}", time(end));
    }
}

#[test]
fn a_detector_that_is_not_known_is_refused_with_its_place_and_a_hint() {
    let desk = Desk::new();
    for (detector, says) in [
        ("{algo: nb_sesonal, key: [team]}", "unknown detector `nb_sesonal`"),
        (
            "{algo: nb_seasonal, key: [team], threshold: 3}",
            "unknown key `threshold` in x-detector with algo nb_seasonal",
        ),
        ("{algo: nb_seasonal, key: [team], bucket: 1 hour}", "bucket `1 hour` is no span"),
        ("{algo: silence, key: [team], zone: Europe/Berlin}", "is no time zone as POSIX writes it"),
    ] {
        desk.put("rule.yml", rule(detector, ""));
        let path = desk.path("rule.yml").display().to_string();
        let ran = cli::run(["rules", "check", path.as_str()], b"");
        let said = format!("{}{}", ran.stdout, ran.stderr);
        assert!(
            ran.code != 0 && said.contains(says) && said.contains("rule.yml:8") && said.contains("hint"),
            "{detector}: {said}"
        );
    }
}

#[test]
fn history_is_learned_and_nobody_is_told_of_it() {
    let mut history = steady(21);
    let spike = |day: i64, who: &str| (day * DAY + HOUR, json!({"team": "a", "who": who, "n": 46}));
    history.extend([spike(20, "ann"), spike(21, "bob")]);
    history.extend((2..5).map(|hour| (21 * DAY + hour * HOUR, json!({"team": "a", "who": "ann", "n": 5}))));
    history.sort_by_key(|(at, _)| *at);
    let desk = desk(&rule(COUNTS, ""), &history);
    let days =
        |told: &[Value]| -> Vec<i64> { by_day(told).iter().filter(|of| of.0 == "firing").map(|of| of.1).collect() };
    assert_eq!(days(&sealed(&desk, "@in.jsonl")), [20, 21]);
    let until = |day: i64| model::Timestamp::from_ms(MONDAY + day * DAY).to_string();
    let told = sealed(&desk, &format!("--backfill-until {} @in.jsonl", until(21)));
    assert_eq!(days(&told), [21], "{told:#?}");
    assert!(sealed(&desk, &format!("--backfill-until {} @in.jsonl", until(22))).is_empty());
    // What one piece has loaded the next one knows, and is told of.
    let lines = lines(&history);
    let cut = history.partition_point(|(at, _)| *at < 21 * DAY);
    desk.put("in.jsonl", lines[..cut].join("\n"));
    assert!(sealed(&desk, &format!("--backfill-until {} --state-out @s.state @in.jsonl", until(22))).is_empty());
    desk.put("in.jsonl", lines[cut..].join("\n"));
    assert_eq!(days(&sealed(&desk, "--state-in @s.state @in.jsonl")), [21]);
}
