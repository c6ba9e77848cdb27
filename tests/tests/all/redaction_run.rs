//! No known secret shape leaves a running worker: the topics of alerts, its folder with seal log, control log, dead letters
//! and logs, its metrics. All formats at once, with the lines of `redaction_formats.rs`.
//!
//! It must never pass without having told of every format.

use std::collections::BTreeSet;

use harness::broker;
use harness::fuzz::mould::files;
use harness::worker::Place;
use ingest::format::FORMATS;

use crate::redaction_formats::{bases, leaks, lines, own_rules, parts, raw_rule};
use crate::run_events::{config, produce};

/// Every so many lines are enough where `redaction_formats.rs` takes all. Odd: good and broken ones take turns.
const STRIDE: usize = 7;

#[test]
fn no_shape_leaves_a_worker() {
    let Some(broker) = broker::shared() else { return };
    let (bases, mut sources, mut records) = (bases(), Vec::new(), 0);
    for (at, format) in FORMATS.iter().enumerate() {
        let topic = format!("redaction-{}", format.name);
        broker.create_topic(&topic, 1, &[]).expect("created");
        let lines: Vec<String> =
            lines(&bases[format.name]).lines().skip(at % STRIDE).step_by(STRIDE).map(str::to_owned).collect();
        produce(broker, &topic, 0, &lines);
        records += lines.len() as u64;
        let what = match format.name {
            "json" => "format: json, time: time, logsource: {category: test}".to_owned(),
            "cloudevents" => "format: [cloudevents, github-audit]".to_owned(),
            name => format!("format: {name}"),
        };
        sources.push((format.name, topic, what + ", trust: control_plane"));
    }
    for topic in ["redaction-alerts", "redaction-early"] {
        broker.create_topic(topic, 1, &[]).expect("created");
    }
    let sources: Vec<(&str, &str, &str)> =
        sources.iter().map(|(name, topic, what)| (*name, topic.as_str(), what.as_str())).collect();
    let more = "alerts: {topic: redaction-alerts, provisional_topic: redaction-early, file: alerts.jsonl, dead_letters: dead.jsonl}\n\
                idle_after: 1s\n";
    let config = config(&broker.bootstrap(), "redaction", &sources, more).replace("rules: {", "rules: {pack: false, ");
    let rules = own_rules() + &(0..FORMATS.len()).map(raw_rule).collect::<String>();
    let place = Place::new(&config, &rules);
    let mut worker = place.start(&["--log", "debug"]);
    worker.until_read(records);
    // An envelope has no raw events, and our own form no raw rule.
    let names = |at: &usize| !["cloudevents", "normal"].contains(&FORMATS[*at].name);
    worker.until("a rule of each format has fired", |worker| {
        let metrics = worker.get("/metrics").1;
        (0..FORMATS.len())
            .filter(names)
            .all(|at| metrics.contains(&format!("6a0f0000-0000-4000-8000-000000001{at:03}")))
    });
    let metrics = worker.get("/metrics").1;
    let said = worker.said();
    assert_eq!(worker.stop(), 0, "{said:.2000}");

    let (parts, mut found) = (parts(), String::new());
    leaks("metrics", &metrics, &parts, &mut found);
    for topic in ["redaction-alerts", "redaction-early"] {
        let stored = broker.read_all(topic).expect("read");
        assert!(stored.len() > 100, "{topic}: {}", stored.len());
        for (key, value, ..) in stored {
            for text in [key, value].into_iter().flatten() {
                leaks(topic, &String::from_utf8_lossy(&text), &parts, &mut found);
            }
        }
    }
    let folder = place.path("");
    let left = files(&folder, &["jsonl", "json", "log", "yml", "yaml"]);
    for name in ["state/seal.jsonl", "state/control.jsonl", "alerts.jsonl", "dead.jsonl", "stderr.log"] {
        assert!(left.contains(&folder.join(name)), "{name}: {left:?}");
    }
    for path in left {
        let text = std::fs::read(&path).expect("read");
        leaks(&path.display().to_string(), &String::from_utf8_lossy(&text), &parts, &mut found);
    }
    assert!(found.is_empty(), "{}\n{found}", found.lines().count());
    let sealed = place.read("state/seal.jsonl");
    let told: BTreeSet<&str> = sealed.iter().filter_map(|record| record["evidence"][0]["source"].as_str()).collect();
    let silent: Vec<_> =
        (0..FORMATS.len()).filter(names).map(|at| FORMATS[at].name).filter(|name| !told.contains(name)).collect();
    assert!(silent.is_empty(), "no alert of {silent:?}");
}
