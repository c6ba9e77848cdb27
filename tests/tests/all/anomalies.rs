//! What detectors find, as events of class `anomaly` that rules and correlations look at, through the binary.

use serde_json::Value;

use crate::detectors::MONDAY;
use crate::detectors_life::push;
use crate::replay::Desk;

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

/// A detector, rules on what it finds, and a correlation of one of these.
const RULES: &str = "\
title: Pushes
id: 0a0f0000-0000-4000-8000-000000000001
name: pushes
logsource: {product: pipewarden, category: registry.push}
detection: {s: {event.outcome: success}, condition: s}
level: medium
tags: [cicd-sec.9]
x-requires: [E6]
x-detector: {algo: nb_seasonal, key: [prov.team, prov.env], min: 5}
---
title: Many more pushes to production
id: 0a0f0000-0000-4000-8000-000000000002
name: many
logsource: {product: pipewarden, category: anomaly}
detection:
  s: {detector: nb_seasonal, rule_id: pushes, prov.env: prod, event.action: event, observed|gte: 20, p|lt: 0.000001, score|gt: 6}
  condition: s
level: high
x-requires: [E12]
x-alert: {route: ticket, fingerprint: [prov.team]}
---
title: Whatever is found
id: 0a0f0000-0000-4000-8000-000000000003
name: whatever
logsource: {product: pipewarden, category: anomaly}
detection: {s: {event.class: anomaly, rule_tags: cicd-sec.9}, condition: s}
level: low
---
title: Not of this detector
id: 0a0f0000-0000-4000-8000-000000000004
logsource: {product: pipewarden, category: anomaly}
detection: {s: {detector: cusum}, condition: s}
level: low
---
title: Found again and again
id: 0a0f0000-0000-4000-8000-000000000005
level: high
correlation: {type: event_count, rules: [many], group-by: [prov.env, detector], timespan: 1h, condition: {gte: 5}}
";

/// Forty pushes within half an hour, behind three weeks of four an hour.
fn told(rules: &str) -> Vec<Value> {
    let day = 21 * DAY;
    let mut lines: Vec<String> = (0..21 * 24 * 4).map(|at| push(at * HOUR / 4, at as usize, "prod")).collect();
    lines.extend((0..40).map(|at| push(day + HOUR + at * 30_000, 100_000 + at as usize, "prod")));
    lines.push(push(day + 3 * HOUR, 200_000, "prod"));
    let desk = Desk::new();
    desk.put("rules.yml", rules);
    desk.put("in.jsonl", lines.join("\n"));
    let words = "--format normal --rules @rules.yml --lateness 2h --every-match --alerts @alerts.jsonl @in.jsonl";
    desk.replay(words, b"").expect_code(0);
    desk.lines("alerts.jsonl")
}

/// Ids of the events at which a rule holds.
fn at(told: &[Value], title: &str) -> Vec<String> {
    let of = told.iter().filter(|record| record["rule"]["title"] == title && record["state"] == "match");
    let newest =
        |record: &Value| record["evidence"].as_array().and_then(|of| of.last()?["id"].as_str().map(str::to_owned));
    of.map(|record| newest(record).expect("an id")).collect()
}

#[test]
fn rules_and_correlations_look_at_what_a_detector_found() {
    let told = told(RULES);
    let titles = ["Pushes", "Many more pushes to production", "Found again and again", "Whatever is found"];
    let firsts: Vec<Option<String>> = titles.iter().map(|title| at(&told, title).first().cloned()).collect();
    let first = |at: usize| firsts[at].as_deref().unwrap_or_else(|| panic!("{} is not told: {told:#?}", titles[at]));
    assert_eq!(first(3), first(0), "at the event at which the detector's rule holds");
    assert_eq!(first(1), "p100020", "the first of the hour that is rarer than one in a million");
    let fifth = told.iter().find(|record| record["rule"]["title"] == titles[2]).expect("told");
    assert_eq!(fifth["evidence"].as_array().map(Vec::len), Some(5), "{fifth:#}");
    assert_eq!(fifth["evidence"][4]["id"], "p100024");
    assert_eq!(fifth["group"], serde_json::json!({"detector": "nb_seasonal", "prov.env": "prod"}));
    assert!(at(&told, "Not of this detector").is_empty());
    let many = told.iter().find(|record| record["rule"]["title"] == titles[1]).expect("told");
    assert_eq!(many["group"], serde_json::json!({"prov.team": "a"}));
    assert!(many["facts"]["observed"].as_str().is_some_and(|text| text.contains("21 since")), "{many:#}");
    let whatever = told.iter().find(|record| record["rule"]["title"] == titles[3]).expect("told");
    let key = serde_json::json!({"rule_id": "pushes", "prov.team": "a", "prov.env": "prod"});
    assert_eq!(whatever["group"], key, "under the detector's key");
    let held = |title: &str| at(&told, title).len();
    assert!(held(titles[3]) > held(titles[1]), "it holds at the smaller ones, and at the close of the bucket");
    let last =
        told.iter().filter(|record| record["rule"]["title"] == titles[3]).filter_map(|of| of["event_time"].as_str());
    let close = model::Timestamp::from_ms(MONDAY + 21 * DAY + 2 * HOUR - 1).to_string();
    assert!(last.into_iter().any(|time| time == close), "at the close of the bucket: {told:#?}");
}

#[test]
fn a_rule_on_anomalies_cannot_feed_a_detector() {
    let desk = Desk::new();
    for more in [
        "x-detector: {algo: nb_seasonal, key: [detector]}\nx-requires: [E6]\n",
        "x-new-terms: {fields: [prov.team, detector], memory: 30d}\nx-requires: [E4]\n",
    ] {
        let rule = format!(
            "title: Loop\nid: 0a0f0000-0000-4000-8000-000000000009\nname: loop\nlevel: low\n\
             logsource: {{product: pipewarden, category: anomaly}}\ndetection: {{s: {{score|gt: 1}}, condition: s}}\n{more}"
        );
        desk.put("loop.yml", rule);
        let ran = harness::cli::run(["rules", "check", &desk.path("loop.yml").display().to_string()], b"");
        let said = format!("{}{}", ran.stdout, ran.stderr);
        assert!(said.contains("refers to itself: loop → anomaly → loop"), "{said}");
        assert!(said.contains("a detector looks at what happened"), "{said}");
    }
}
