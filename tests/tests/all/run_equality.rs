//! What a worker seals on Kafka is what a replay seals: of the same records in files, and of its own stretch with its
//! control log.

use std::collections::BTreeMap;

use harness::broker;
use harness::worker::Place;
use serde_json::Value;

use crate::run_events::{
    CLOUD, DEPLOYER, GITHUB, Kind, LATENESS_MS, RULES, START_MS, alerts, config, produce, sorted, told,
};

const LATENESS: [&str; 2] = ["--lateness", "60s"];

#[test]
fn three_topics_of_one_source_seal_byte_for_byte_what_three_files_seal() {
    let Some(broker) = broker::shared() else { return };
    for (topic, partitions) in [("eq-a", 1), ("eq-b", 2), ("eq-c", 1), ("eq-alerts", 1), ("eq-early", 1)] {
        broker.create_topic(topic, partitions, &[]).expect("created");
    }
    let mut arrivals = GITHUB.arrivals(1, 4_000, 90, 4);
    let poison = ["{\"@timestamp\":", "not JSON", "[7]", "{\"no\":\"format\"}"].map(str::to_owned);
    arrivals[0].splice(500..500, poison);
    for (lines, (topic, partition)) in arrivals.iter().zip([("eq-a", 0), ("eq-b", 0), ("eq-b", 1), ("eq-c", 0)]) {
        produce(broker, topic, partition, lines);
    }
    let more = "alerts: {topic: eq-alerts, provisional_topic: eq-early, dead_letters: dead.jsonl}\n";
    let sources = [(GITHUB.name, "eq-a, eq-b, eq-c", GITHUB.source)];
    let place = Place::new(&config(&broker.bootstrap(), "eq", &sources, more), RULES);
    place.run_to_the_end();

    let names = ["a.jsonl", "b0.jsonl", "b1.jsonl", "c.jsonl"];
    let files: Vec<_> = names.iter().zip(&arrivals).map(|(name, lines)| place.lines(name, lines)).collect();
    let args: Vec<&str> = GITHUB.replay.iter().chain(&LATENESS).copied().collect();
    let expected = place.replay_files(&args, &files);
    assert!(expected.len() > 200, "{} records", expected.len());
    assert_eq!(place.read_lines("state/seal.jsonl"), expected, "the seal log, in order");
    assert_eq!(alerts(broker, "eq-alerts"), expected, "the alert topic, in order");
    assert_eq!(place.replay_control_log(), expected, "its own stretch");

    // What was told ahead comes true.
    let ahead = alerts(broker, "eq-early");
    assert!(
        ahead.len() > 50 && ahead.iter().all(|line| line.contains("\"provisional\":true")),
        "{} told ahead",
        ahead.len()
    );
    assert!(told(&ahead).is_subset(&told(&expected)));
    assert!(!expected.iter().any(|line| line.contains("provisional")));

    // The poison stands at its place, and the next run has nothing left to do.
    let dead = place.read("dead.jsonl");
    let places: Vec<_> = dead.iter().map(|letter| (letter["name"].as_str(), letter["offset"].as_i64())).collect();
    let at = |offset| (Some("eq-a/0"), Some(offset));
    assert_eq!(places, [at(500), at(501), at(502), at(503)]);
    place.run_to_the_end();
    assert_eq!(place.read_lines("state/seal.jsonl"), expected);
}

/// The records of each rule, in the order in which they were told.
fn by_rule(lines: &[String]) -> BTreeMap<String, Vec<&String>> {
    let mut rules: BTreeMap<String, Vec<&String>> = BTreeMap::new();
    for line in lines {
        let record: Value = serde_json::from_str(line).expect("JSON");
        rules.entry(record["rule"]["id"].as_str().expect("an id").to_owned()).or_default().push(line);
    }
    rules
}

#[test]
fn three_sources_seal_what_their_control_log_and_each_sources_files_seal() {
    let Some(broker) = broker::shared() else { return };
    let kinds: [&Kind; 3] = [&GITHUB, &CLOUD, &DEPLOYER];
    let mut sources = Vec::new();
    let mut arrived = Vec::new();
    for (seed, kind) in (10..).zip(kinds) {
        let topic = ["three-github", "three-cloud", "three-deployer"][seed as usize - 10];
        broker.create_topic(topic, 2, &[]).expect("created");
        let arrivals = kind.arrivals(seed, 1_500, 60, 2);
        (0..).zip(&arrivals).for_each(|(partition, lines)| produce(broker, topic, partition, lines));
        sources.push((kind.name, topic, kind.source));
        arrived.push(arrivals);
    }
    let place = Place::new(&config(&broker.bootstrap(), "three", &sources, ""), RULES);
    place.run_to_the_end();
    let sealed = place.read_lines("state/seal.jsonl");
    assert_eq!(sorted(sealed.clone()), sorted(place.replay_control_log()));
    // Rule by rule also the order is the same.
    assert_eq!(by_rule(&sealed), by_rule(&place.read_lines("replayed.jsonl")));

    // Rules that read one source alone: the same as of that source's files.
    let sealed = by_rule(&sealed);
    for (kind, arrivals) in kinds.iter().zip(&arrived) {
        let files = [place.lines("0.jsonl", &arrivals[0]), place.lines("1.jsonl", &arrivals[1])];
        let args: Vec<&str> = kind.replay.iter().chain(&LATENESS).copied().collect();
        let expected = place.replay_files(&args, &files);
        let own = |rule: &str| match kind.name {
            "github" => rule.ends_with('1'),
            "cloud" => rule.ends_with('2'),
            _ => rule.ends_with('3') || rule.ends_with('4'),
        };
        let expected: BTreeMap<_, _> =
            by_rule(&expected).into_iter().filter(|(rule, _)| rule.starts_with("00000000-") && own(rule)).collect();
        assert!(!expected.is_empty() && expected.values().all(|records| records.len() > 10), "{}", kind.name);
        for (rule, records) in &expected {
            assert_eq!(sealed.get(rule), Some(records), "{}", kind.name);
        }
    }
}

#[test]
fn a_live_run_with_idle_partitions_is_replayed_from_its_control_log() {
    let Some(broker) = broker::shared() else { return };
    for (topic, partitions) in [("live-github", 2), ("live-cloud", 1), ("live-deployer", 1)] {
        broker.create_topic(topic, partitions, &[]).expect("created");
    }
    let sources = [
        ("github", "live-github", GITHUB.source),
        ("cloud", "live-cloud", CLOUD.source),
        ("deployer", "live-deployer", DEPLOYER.source),
    ];
    let place = Place::new(&config(&broker.bootstrap(), "live", &sources, "idle_after: 1s\n"), RULES);
    let mut worker = place.start(&[]);

    // All of GitHub's events come by one partition; the cloud says nothing at all.
    let github = GITHUB.arrivals(20, 1_200, 60, 1);
    let deployer = DEPLOYER.arrivals(21, 800, 60, 1);
    let halves = (github[0].split_at(600), deployer[0].split_at(400));
    produce(broker, "live-github", 0, halves.0.0);
    produce(broker, "live-deployer", 0, halves.1.0);
    let records = halves.0.0.len() + halves.1.0.len();
    worker.until_read(records as u64);
    // Rules of the pack read the silent source, too: what they found is sealed all the same.
    let pack = |worker: &harness::worker::Worker| worker.metric("pipewarden_alert_records_total", "6298b3eb");
    worker.until("the pack's alerts are sealed", |worker| pack(worker) > 0);

    // The idle partition counts as complete up to what the other one has reached: what it says now of before is late.
    let late: Vec<String> = (0..3).map(|n| GITHUB.matching(n, START_MS + n as i64)).collect();
    produce(broker, "live-github", 1, &late);
    produce(broker, "live-github", 0, halves.0.1);
    produce(broker, "live-deployer", 0, halves.1.1);
    worker.until_read((github[0].len() + deployer[0].len() + 3) as u64);
    worker.until("the late ones are told", |worker| worker.metric("pipewarden_events_total", "outcome=\"late\"") == 3);
    // Everything falls idle, and time goes on by ticks.
    let waiting = worker.metric("pipewarden_findings_waiting", "");
    assert!(waiting > 0, "the last minute waits");
    std::thread::sleep(std::time::Duration::from_millis(2_500));
    assert_eq!(worker.stop(), 0);

    let control = place.read("state/control.jsonl");
    let idle: Vec<&str> = control
        .iter()
        .filter(|record| record["kind"] == "idle")
        .filter_map(|record| record["partition"].as_str())
        .collect();
    assert!(
        ["live-github/0", "live-github/1", "live-cloud/0", "live-deployer/0"].iter().all(|name| idle.contains(name)),
        "{idle:?}"
    );
    let sealed = place.read_lines("state/seal.jsonl");
    assert_eq!(sealed.iter().filter(|line| line.contains("\"late\":true")).count(), 3);
    assert_eq!(sorted(sealed.clone()), sorted(place.replay_control_log()));
    // An unsealed rest is left for the next run, which starts where it was found.
    let last = control.iter().rev().find(|record| record["kind"] == "tick").expect("a tick");
    assert!(last["time_ms"].as_i64() > Some(START_MS + LATENESS_MS));
}
