//! What a restart owes: nothing is lost, and what is told again carries the same fingerprint and key.

use std::collections::BTreeSet;
use std::fs;

use harness::broker;
use harness::worker::Place;
use serde_json::{Value, json};

use crate::run_events::{DEPLOYER, GITHUB, LATENESS_MS, RULES, START_MS, alerts, config, produce, sorted, told};

#[test]
fn killed_again_and_again_a_worker_loses_no_alert() {
    let Some(broker) = broker::shared() else { return };
    for topic in ["kill-a", "kill-b", "kill-alerts", "kill-whole"] {
        broker.create_topic(topic, 1, &[]).expect("created");
    }
    let (github, deployer) = (GITHUB.arrivals(30, 3_000, 60, 1), DEPLOYER.arrivals(31, 3_000, 60, 1));
    let sources = [("github", "kill-a", GITHUB.source), ("deployer", "kill-b", DEPLOYER.source)];
    // Static membership: who comes back has its partitions at once.
    let kafka = |group: &str, topic: &str| {
        let config =
            config(&broker.bootstrap(), group, &sources, &format!("alerts: {{topic: {topic}}}\nidle_after: 1s\n"));
        config.replace("kafka:\n", "kafka:\n  instance: one\n")
    };
    let place = Place::new(&kafka("kill", "kill-alerts"), RULES);
    let chunks = 4;
    let part = |lines: &[String], n: usize| lines[lines.len() * n / chunks..lines.len() * (n + 1) / chunks].to_vec();
    for n in 0..chunks {
        let mut worker = place.start(&[]);
        // Some of it before the kill, some of it during, some found by the next.
        let (a, b) = (part(&github[0], n), part(&deployer[0], n));
        let (first, rest) = a.split_at(a.len() / 2);
        produce(broker, "kill-a", 0, first);
        produce(broker, "kill-b", 0, &b);
        worker.until_read(first.len() as u64);
        if n % 2 == 1 {
            worker.until("something is sealed", |worker| worker.metric("pipewarden_alert_records_total", "") > 0);
        }
        produce(broker, "kill-a", 0, rest);
        worker.kill();
    }
    // A crash in the middle of a write.
    for file in ["state/seal.jsonl", "state/control.jsonl"] {
        let mut text = fs::read_to_string(place.path(file)).expect("read");
        text.push_str("{\"kind\":\"ti");
        fs::write(place.path(file), text).expect("written");
    }
    place.run_to_the_end();

    let whole = Place::new(&kafka("whole", "kill-whole"), RULES);
    whole.run_to_the_end();
    let expected = told(&alerts(broker, "kill-whole"));
    let survived = alerts(broker, "kill-alerts");
    assert!(expected.len() > 100, "{} alerts", expected.len());
    assert_eq!(told(&survived), expected);
    assert_eq!(
        told(&place.read_lines("state/seal.jsonl")),
        expected,
        "also by the seal log, whose every line is whole"
    );
    assert!(place.read("state/control.jsonl").iter().filter(|record| record["kind"] == "start").count() == chunks + 1);
    // The last run, from its `start` on, can be replayed as any other.
    let lines = place.replay_control_log();
    let last_run: BTreeSet<String> = place.read_lines("state/seal.jsonl").into_iter().collect();
    assert!(!lines.is_empty() && lines.iter().all(|line| last_run.contains(line)));
}

#[test]
fn an_alert_that_waits_for_its_incident_is_told_of_by_a_worker_that_has_nothing_but_offsets() {
    let Some(broker) = broker::shared() else { return };
    for topic in ["owed-slow", "owed-fast"] {
        broker.create_topic(topic, 1, &[]).expect("created");
    }
    let sources = [("github", "owed-slow", GITHUB.source), ("deployer", "owed-fast", DEPLOYER.source)];
    let config = config(&broker.bootstrap(), "owed", &sources, "idle_after: 10m\nsnapshot_every: 1s\n");
    let place = Place::new(&config.replace("kafka:\n", "kafka:\n  instance: one\n"), RULES);
    let deploy = |uid: &str, second: i64, window: &str| {
        let ts = model::Timestamp::from_ms(START_MS + second * 1_000).to_string();
        json!({"ts": ts, "uid": uid, "kind": "deploy", "window": window, "service": "checkout", "user": "ann",
               "result": "ok"})
        .to_string()
    };
    // The other source says nothing: incidents wait for it.
    produce(broker, "owed-fast", 0, &[deploy("d1", 1, "closed"), deploy("d2", 600, "open")]);
    let mut worker = place.start(&[]);
    worker.until("the alert is sealed, and kept", |worker| {
        worker.metric("pipewarden_alert_records_total", "state=\"firing\"") == 1
            && worker.metric("pipewarden_snapshots_total", "result=\"ok\"") > 1
    });
    worker.kill();
    assert_eq!(place.read("state/incidents.jsonl").len(), 0);
    let again = |expected: usize| {
        fs::remove_dir_all(place.path("state/snapshots")).expect("removed");
        place.run_to_the_end();
        let mut assigned = place.read("state/control.jsonl").into_iter().filter(|record| record["kind"] == "assigned");
        let last = assigned.next_back().expect("partitions");
        assert!(last["positions"]["owed-fast/0"].as_i64() >= Some(1), "the alert's event is read again: {last}");
        let told = place.read("state/incidents.jsonl").into_iter().filter(|record| !record["alert"].is_null());
        let told: Vec<Value> = told.map(|record| record["alert"]["fingerprint"].clone()).collect();
        assert_eq!(told.len(), expected, "{told:?}");
        told
    };
    let sealed = place.read("state/seal.jsonl");
    assert_eq!(again(1), [sealed[0]["fingerprint"].clone()]);
    // What has been told is owed no more.
    again(1);
}

#[test]
fn stopped_in_the_middle_a_worker_goes_on_where_it_was() {
    let Some(broker) = broker::shared() else { return };
    for topic in ["stop-a", "stop-alerts"] {
        broker.create_topic(topic, 1, &[]).expect("created");
    }
    let arrivals = DEPLOYER.arrivals(40, 2_000, 60, 1);
    let sources = [("deployer", "stop-a", DEPLOYER.source)];
    let more = "alerts: {topic: stop-alerts, file: alerts.jsonl}\n";
    let place = Place::new(&config(&broker.bootstrap(), "stop", &sources, more), RULES);
    let (first, rest) = arrivals[0].split_at(1_000);
    produce(broker, "stop-a", 0, first);
    let mut worker = place.start(&[]);
    worker.until_read(first.len() as u64);
    worker.until("something is sealed", |worker| worker.metric("pipewarden_alert_records_total", "") > 0);
    // A second worker cannot write into the same state.
    let mut second = place.start(&["--until-end"]);
    assert_eq!(second.wait(), 1);
    assert!(second.said().contains("another worker uses"), "{}", second.said());
    assert_eq!(worker.stop(), 0);
    let before = place.read_lines("state/seal.jsonl").len();
    produce(broker, "stop-a", 0, rest);
    place.run_to_the_end();
    let file = place.lines("all.jsonl", &arrivals[0]);
    let expected = place.replay_files(&[DEPLOYER.replay, &["--lateness", "60s"]].concat(), &[file]);
    let sealed = place.read_lines("state/seal.jsonl");
    assert!(before > 0 && before < sealed.len());
    assert_eq!(told(&sealed), told(&expected));
    assert_eq!(sealed, place.read_lines("alerts.jsonl"));
    assert_eq!(sorted(sealed), sorted(alerts(broker, "stop-alerts")));
}

#[test]
fn two_workers_of_one_group_lose_nothing_between_them() {
    let Some(broker) = broker::shared() else { return };
    broker.create_topic("two-in", 4, &[]).expect("created");
    broker.create_topic("two-alerts", 2, &[]).expect("created");
    let arrivals = DEPLOYER.arrivals(50, 4_000, 60, 4);
    let sources = [("deployer", "two-in", DEPLOYER.source)];
    let config = config(&broker.bootstrap(), "two", &sources, "alerts: {topic: two-alerts}\nidle_after: 1s\n");
    let (first, second) = (Place::new(&config, RULES), Place::new(&config, RULES));
    let part = |n: usize, of: usize| {
        for (partition, lines) in (0..).zip(&arrivals) {
            produce(broker, "two-in", partition, &lines[lines.len() * n / of..lines.len() * (n + 1) / of]);
        }
    };
    let mut one = first.start(&[]);
    part(0, 4);
    one.until_read(100);
    let mut other = second.start(&[]);
    part(1, 4);
    other.until_read(50);
    other.until("it is ready", |worker| worker.get("/readyz").0 == 200);
    part(2, 4);
    let held = |worker: &harness::worker::Worker| worker.get("/metrics").1.matches("pipewarden_position{").count();
    assert!(held(&other) > 0);
    assert_eq!(one.stop(), 0);
    // Asked before they are there: a quick worker reads them while it is asked.
    let read = other.metric("pipewarden_records_total", "outcome=\"read\"");
    part(3, 4);
    other.until_read(read + 500);
    assert_eq!(other.stop(), 0);
    first.run_to_the_end();

    let files: Vec<_> = (0..4).map(|n| first.lines(&format!("{n}.jsonl"), &arrivals[n])).collect();
    let expected = first.replay_files(&[DEPLOYER.replay, &["--lateness", "60s"]].concat(), &files);
    assert_eq!(told(&alerts(broker, "two-alerts")), told(&expected));
    let control = second.read("state/control.jsonl");
    assert!(control.iter().any(|record| record["kind"] == "assigned"));
}

#[test]
fn a_partition_that_comes_back_is_read_anew_and_nothing_of_it_is_swallowed() {
    let Some(broker) = broker::shared() else { return };
    broker.create_topic("back-in", 2, &[]).expect("created");
    broker.create_topic("back-alerts", 1, &[]).expect("created");
    let sources = [("deployer", "back-in", DEPLOYER.source)];
    let config = config(&broker.bootstrap(), "back", &sources, "alerts: {topic: back-alerts}\n");
    let (first, second) = (Place::new(&config, RULES), Place::new(&config, RULES));
    // Within the allowed lateness: found, and not to be sealed yet.
    let lines: Vec<String> = (0..20).map(|n| DEPLOYER.matching(n, START_MS + n as i64)).collect();
    produce(broker, "back-in", 0, &lines[..10]);
    produce(broker, "back-in", 1, &lines[10..]);
    let mut one = first.start(&[]);
    one.until_read(20);
    one.until("all wait", |worker| worker.metric("pipewarden_findings_waiting", "") == 20);
    let mut other = second.start(&[]);
    other.until_read(10);
    one.until("half is given up", |worker| worker.metric("pipewarden_findings_waiting", "") == 10);
    // The other dies before it seals anything, and its partition comes back.
    other.kill();
    one.until("all wait again", |worker| worker.metric("pipewarden_findings_waiting", "") == 20);
    assert_eq!(alerts(broker, "back-alerts"), [""; 0], "no alert has expired for want of partitions");
    for partition in 0..2 {
        produce(broker, "back-in", partition, &[DEPLOYER.matching(99, START_MS + 2 * LATENESS_MS)]);
    }
    one.until("they are sealed", |worker| worker.metric("pipewarden_alert_records_total", "firing") == 20);
    assert_eq!(one.stop(), 0);
    assert_eq!(told(&alerts(broker, "back-alerts")).len(), 20);
}

/// The partitions that a worker holds now, by its control log.
fn held(place: &Place) -> BTreeSet<String> {
    let mut held = BTreeSet::new();
    for record in place.read("state/control.jsonl") {
        let names = record["positions"].as_object().into_iter().flatten().map(|(name, _)| name.clone());
        match record["kind"].as_str() {
            Some("start") => held.clear(),
            Some("assigned") => held.extend(names),
            Some("revoked") => names.for_each(|name| assert!(held.remove(&name), "{name} was not held")),
            _ => {}
        }
    }
    held
}

/// How often that has changed.
fn moves(place: &Place) -> usize {
    let moves = |record: &&Value| record["kind"] == "assigned" || record["kind"] == "revoked";
    place.read("state/control.jsonl").iter().filter(moves).count()
}

#[test]
fn static_members_come_back_to_their_partitions_and_move_nobody_elses() {
    let Some(broker) = broker::shared() else { return };
    broker.create_topic("static-in", 4, &[]).expect("created");
    broker.create_topic("static-alerts", 1, &[]).expect("created");
    let arrivals = DEPLOYER.arrivals(80, 4_000, 60, 4);
    let sources = [("deployer", "static-in", DEPLOYER.source)];
    let config = config(&broker.bootstrap(), "static", &sources, "alerts: {topic: static-alerts}\nidle_after: 1s\n");
    // A machine with much to do must not take so long for a restart that the session ends.
    let config = config.replace("session.timeout.ms: 6000", "session.timeout.ms: 45000");
    let places = ["one", "other"]
        .map(|name| Place::new(&config.replace("kafka:\n", &format!("kafka:\n  instance: {name}\n")), RULES));
    let settled = || broker.said_of_group("static").iter().filter(|line| line.contains("Stabilized")).count();
    let mut part = 0;
    let mut more = || {
        for (partition, lines) in (0..).zip(&arrivals) {
            produce(broker, "static-in", partition, &lines[lines.len() * part / 6..lines.len() * (part + 1) / 6]);
        }
        part += 1;
    };
    more();
    let mut workers = vec![places[0].start(&[])];
    workers[0].until_read(1);
    workers.push(places[1].start(&[]));
    for (place, worker) in places.iter().zip(&mut workers) {
        worker.until("it holds its half", |_| held(place).len() == 2);
    }
    let (generations, halves) = (settled(), places.each_ref().map(held));
    assert!(generations >= 2, "{:?}", broker.said_of_group("static"));

    // Each of them once as a rolling restart does it and once as a power cut does.
    for (at, killed) in [(1, false), (1, true), (0, true), (0, false)] {
        let (worker, stays) = (workers.remove(at), 1 - at);
        let before = moves(&places[stays]);
        if killed {
            worker.kill();
        } else {
            assert_eq!(worker.stop(), 0);
        }
        // Nobody else may read what comes meanwhile of its half.
        more();
        workers.insert(at, places[at].start(&[]));
        workers[at].until_read(100);
        workers[at].until("it is ready", |worker| worker.get("/readyz").0 == 200);
        assert_eq!(moves(&places[stays]), before, "nothing is taken from the one that stays, nothing given to it");
        assert_eq!(settled(), generations, "{:#?}", broker.said_of_group("static"));
        assert_eq!(places.each_ref().map(held), halves);
    }

    more();
    workers.drain(..).for_each(|worker| assert_eq!(worker.stop(), 0));
    // Each reads its own half to the end.
    let mut workers = places.each_ref().map(|place| place.start(&["--until-end"]));
    for worker in &mut workers {
        assert_eq!(worker.wait(), 0, "{}", worker.said());
    }
    assert_eq!(settled(), generations, "{:#?}", broker.said_of_group("static"));
    let files: Vec<_> = (0..4).map(|n| places[0].lines(&format!("{n}.jsonl"), &arrivals[n])).collect();
    let expected = places[0].replay_files(&[DEPLOYER.replay, &["--lateness", "60s"]].concat(), &files);
    assert_eq!(told(&alerts(broker, "static-alerts")), told(&expected));
}
