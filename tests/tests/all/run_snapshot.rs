//! A killed worker that goes on: what it seals is what one seals that was never killed.

use std::fs;

use harness::broker;
use harness::worker::Place;

use crate::run_events::{DEPLOYER, config, produce, sorted};

/// Everything that has to outlive a restart: windows, an order, an absence, a value before, an interval, a new term.
const RULES: &str = "\
title: Failed
id: 00000000-0000-4000-8000-000000000011
name: failed
logsource: {product: deployer, service: api}
detection: {s: {result: failed}, condition: s}
---
title: Closed
id: 00000000-0000-4000-8000-000000000012
name: closed
logsource: {product: deployer, service: api}
detection: {s: {kind: deploy, window: closed}, condition: s}
---
title: Fine
id: 00000000-0000-4000-8000-000000000013
name: fine
logsource: {product: deployer, service: api}
detection: {s: {result: ok}, condition: s}
---
title: Many failures of one service
id: 00000000-0000-4000-8000-000000000021
correlation: {type: event_count, rules: [failed], group-by: [service], timespan: 4m, condition: {gte: 3}}
---
title: Many users of one service
id: 00000000-0000-4000-8000-000000000022
correlation: {type: value_count, rules: [failed, fine], group-by: [service], timespan: 5m, condition: {field: user, gte: 5}}
---
title: Closed, then failed
id: 00000000-0000-4000-8000-000000000023
correlation: {type: temporal_ordered, rules: [closed, failed], group-by: [service, user], timespan: 5m}
---
title: A failure that nothing closed follows
id: 00000000-0000-4000-8000-000000000024
correlation: {type: temporal, rules: [failed, closed], group-by: [service, user], timespan: 1m, condition: failed and not closed}
x-absence: {start: failed, expect: closed, deadline: 1m}
x-requires: [E1]
---
title: A service changes hands
id: 00000000-0000-4000-8000-000000000025
logsource: {product: deployer, service: api}
detection: {s: {kind: deploy}, condition: s}
x-prev: {key: [service], field: user, changed: true, ttl: 1d}
x-requires: [E8]
---
title: Deploy by somebody new to the service
id: 00000000-0000-4000-8000-000000000026
logsource: {product: deployer, service: api}
detection: {s: {kind: deploy}, condition: s}
x-new-terms: {fields: [service, user], memory: 30d, warmup: {events: 3}}
x-requires: [E4]
---
title: Many deploys of one user
id: 00000000-0000-4000-8000-000000000027
logsource: {product: deployer, service: api}
detection: {s: {kind: deploy}, condition: s}
x-alert: {route: ticket, fingerprint: [user], realert: 2m}
x-requires: [E12]
";

const MORE: &str = "alerts: {topic: TOPIC, file: alerts.jsonl}\nidle_after: 10m\nsnapshot_every: 1s\n";

#[test]
fn killed_and_restarted_a_worker_seals_the_same_bytes() {
    let Some(broker) = broker::shared() else { return };
    broker.create_topic("again-in", 2, &[]).expect("created");
    broker.create_topic("again-alerts", 1, &[]).expect("created");
    let arrivals = DEPLOYER.arrivals(70, 4_000, 60, 2);
    let sources = [("deployer", "again-in", DEPLOYER.source)];
    let config = config(&broker.bootstrap(), "again", &sources, &MORE.replace("TOPIC", "again-alerts"));
    let place = Place::new(&config.replace("kafka:\n", "kafka:\n  instance: one\n"), RULES);
    let files: Vec<_> = (0..2).map(|n| place.lines(&format!("{n}.jsonl"), &arrivals[n])).collect();
    let chunks = 5;
    let mut read = 0;
    for n in 0..chunks {
        let mut worker = place.start(&[]);
        if n > 0 {
            worker.until("it goes on", |worker| worker.said().contains("goes on from the snapshot"));
        }
        let mut more = 0;
        for (partition, lines) in (0..).zip(&arrivals) {
            let part = &lines[lines.len() * n / chunks..lines.len() * (n + 1) / chunks];
            produce(broker, "again-in", partition, part);
            more += part.len() as u64;
        }
        worker.until_read(more);
        read += more;
        match n {
            // Before and behind a snapshot, and once as asked.
            0 | 3 => worker.kill(),
            1 => {
                let kept =
                    |worker: &harness::worker::Worker| worker.metric("pipewarden_snapshots_total", "result=\"ok\"");
                let before = kept(&worker);
                worker.until("a snapshot", |worker| kept(worker) > before + 1);
                worker.kill();
            }
            2 => assert_eq!(worker.stop(), 0),
            _ => worker.kill(),
        }
    }
    assert_eq!(read, arrivals.iter().map(|lines| lines.len() as u64).sum::<u64>());
    // A crash in the middle of a write.
    for file in ["state/seal.jsonl", "state/control.jsonl"] {
        let mut text = fs::read_to_string(place.path(file)).expect("read");
        text.push_str("{\"kind\":\"ti");
        fs::write(place.path(file), text).expect("written");
    }
    place.run_to_the_end();

    let expected = place.replay_files(&[DEPLOYER.replay, &["--lateness", "60s"]].concat(), &files);
    let ids = (21..28).map(|n| format!("00000000-0000-4000-8000-0000000000{n}"));
    for id in ids {
        assert!(expected.iter().any(|line| line.contains(&id)), "rule {id} tells nothing here");
    }
    assert_eq!(sorted(place.read_lines("state/seal.jsonl")), sorted(expected.clone()));
    assert_eq!(sorted(place.read_lines("alerts.jsonl")), sorted(expected.clone()));
    // All six runs are one for those who replay them.
    assert_eq!(place.replay_control_log(), expected);
}

#[test]
fn a_snapshot_that_cannot_be_used_is_said_and_nothing_is_lost() {
    let Some(broker) = broker::shared() else { return };
    broker.create_topic("damaged-in", 1, &[]).expect("created");
    let arrivals = DEPLOYER.arrivals(71, 1_000, 60, 1);
    let sources = [("deployer", "damaged-in", DEPLOYER.source)];
    let config = config(&broker.bootstrap(), "damaged", &sources, "idle_after: 1s\nsnapshot_every: 1s\n");
    let place = Place::new(&config, crate::run_events::RULES);
    let (first, rest) = arrivals[0].split_at(500);
    produce(broker, "damaged-in", 0, first);
    let mut worker = place.start(&[]);
    worker.until_read(first.len() as u64);
    assert_eq!(worker.stop(), 0);
    let snapshots = || fs::read_dir(place.path("state/snapshots")).expect("is there").filter_map(Result::ok);
    assert!(snapshots().count() > 0);
    for snapshot in snapshots() {
        let mut bytes = fs::read(snapshot.path()).expect("read");
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(snapshot.path(), bytes).expect("written");
    }
    produce(broker, "damaged-in", 0, rest);
    let mut worker = place.start(&["--until-end"]);
    assert_eq!(worker.wait(), 0, "{}", worker.said());
    assert!(worker.said().contains("cut or altered"), "{}", worker.said());
    let files = [place.lines("0.jsonl", &arrivals[0])];
    let expected = place.replay_files(&[DEPLOYER.replay, &["--lateness", "60s"]].concat(), &files);
    let told = crate::run_events::told;
    assert_eq!(told(&place.read_lines("state/seal.jsonl")), told(&expected));
}

#[test]
fn rules_that_changed_meanwhile_count_from_where_the_worker_goes_on() {
    let Some(broker) = broker::shared() else { return };
    broker.create_topic("changed-in", 1, &[]).expect("created");
    let arrivals = DEPLOYER.arrivals(72, 2_000, 60, 1);
    let sources = [("deployer", "changed-in", DEPLOYER.source)];
    let more = "idle_after: 10m\nsnapshot_every: 1s\n";
    let config = config(&broker.bootstrap(), "changed", &sources, more);
    let place = Place::new(&config.replace("kafka:\n", "kafka:\n  instance: one\n"), RULES);
    let (first, rest) = arrivals[0].split_at(1_000);
    produce(broker, "changed-in", 0, first);
    let mut worker = place.start(&[]);
    worker.until_read(first.len() as u64);
    worker.kill();
    let added = "---\ntitle: Added\nid: 00000000-0000-4000-8000-000000000031\n\
                 logsource: {product: deployer, service: api}\ndetection: {s: {kind: plan}, condition: s}\n\
                 x-alert: {route: ticket, fingerprint: [uid]}\nx-requires: [E12]\n";
    fs::write(place.path("rules.yml"), RULES.to_owned() + added).expect("written");
    let mut worker = place.start(&[]);
    worker.until("it goes on", |worker| worker.said().contains("goes on from the snapshot"));
    produce(broker, "changed-in", 0, rest);
    worker.until_read(rest.len() as u64);
    // Killed once more behind the change: what was read since is judged by the rules of then.
    worker.kill();
    place.run_to_the_end();
    let kinds: Vec<(String, bool)> = place
        .read("state/control.jsonl")
        .iter()
        .filter(|record| record["kind"] == "start" || record["kind"] == "rules")
        .map(|record| (record["kind"].as_str().unwrap_or_default().to_owned(), record["resumed"] == true))
        .collect();
    let kind = |name: &str, resumed| (name.to_owned(), resumed);
    assert_eq!(kinds, [kind("start", false), kind("start", true), kind("rules", false), kind("start", true)]);
    let sealed = place.read_lines("state/seal.jsonl");
    let told = |lines: &[String]| lines.iter().filter(|line| line.contains("\"title\":\"Added\"")).count();
    let plans = |lines: &[String]| lines.iter().filter(|line| line.contains("\"kind\":\"plan\"")).count();
    assert!(told(&sealed) > 0 && told(&sealed) <= 2 * plans(rest), "{} of {}", told(&sealed), plans(rest));
    assert_eq!(sorted(sealed), sorted(place.replay_control_log()));
}
