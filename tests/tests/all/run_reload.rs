//! Rules and lists that change while a worker runs: all of the new set from one record to the next, or none of it; and the
//! control log says which.

use std::collections::BTreeSet;
use std::fs;

use harness::broker;
use harness::worker::{Place, Worker};
use serde_json::{Value, json};

use crate::run_events::{DEPLOYER, GITHUB, RULES, START_MS, config, produce, sorted};

/// A rule over the deployer's records with a key of its own for each.
fn rule(number: usize, selection: &str) -> String {
    format!(
        "---\ntitle: Rule {number}\nid: 00000000-0000-4000-8000-{number:012}\n\
         logsource: {{product: deployer, service: api}}\ndetection:\n  s: {selection}\n  condition: s\nlevel: low\n\
         x-alert: {{route: ticket, fingerprint: [uid], realert: 2m}}\nx-requires: [E12]\n"
    )
}

/// A deployer's record at a second.
fn deploy(uid: &str, second: i64, user: &str) -> String {
    json!({"ts": model::Timestamp::from_ms(START_MS + second * 1000).to_string(), "uid": uid, "kind": "deploy",
           "window": "closed", "service": "checkout", "user": user, "result": "ok"})
    .to_string()
}

/// A configuration without the pack, which seals a second after it has heard of nothing more.
fn soon(config: &str) -> String {
    config.replace("rules: {", "rules: {pack: false, ").replace("lateness: 60s", "lateness: 1s")
}

/// Event ids that a rule fired at, in order.
fn fired(place: &Place, number: usize) -> Vec<String> {
    let id = format!("00000000-0000-4000-8000-{number:012}");
    let records = place.read("state/seal.jsonl");
    let firing = records.iter().filter(|record| record["rule"]["id"] == id.as_str() && record["state"] == "firing");
    firing.map(|record| record["evidence"][0]["id"].as_str().expect("an id").to_owned()).collect()
}

fn sealed(worker: &mut Worker, records: u64) {
    worker.until(&format!("{records} alerts told"), |worker| {
        worker.metric("pipewarden_alert_records_total", "state=\"firing\"") == records
    });
}

fn rules_records(place: &Place) -> Vec<Value> {
    place.read("state/control.jsonl").into_iter().filter(|record| record["kind"] == "rules").collect()
}

#[test]
fn a_rule_that_is_added_fires_at_the_next_event_and_a_broken_set_changes_nothing() {
    let Some(broker) = broker::shared() else { return };
    broker.create_topic("reload-a", 1, &[]).expect("created");
    let sources = [("deployer", "reload-a", DEPLOYER.source)];
    let own = soon(&config(&broker.bootstrap(), "reload-a", &sources, "idle_after: 1s\n"));
    let place = Place::new(&own, &rule(1, "{kind: deploy}"));
    let mut worker = place.start(&[]);
    produce(broker, "reload-a", 0, &[deploy("d1", 1, "ann")]);
    sealed(&mut worker, 1);

    // Added: the next event fires it, and what was read before does not.
    fs::write(place.path("rules.yml"), rule(1, "{kind: deploy}") + &rule(2, "{window: closed}")).expect("written");
    worker.reload("ok");
    assert_eq!(worker.metric("pipewarden_rules_loaded", ""), 2);
    produce(broker, "reload-a", 0, &[deploy("d2", 300, "ann")]);
    sealed(&mut worker, 3);

    // Nothing has changed: no new version.
    worker.reload("ok");
    assert_eq!(rules_records(&place).len(), 1);

    // Two mistakes, and one good change between them: none of it takes effect, and both are named.
    let broken = [
        rule(1, "{kind: nothing}"),
        rule(2, "{window|nosuch: closed}"),
        rule(3, "{user: ann}").replace("condition: s", "condition: other"),
    ];
    fs::write(place.path("rules.yml"), broken.concat()).expect("written");
    worker.reload("refused");
    produce(broker, "reload-a", 0, &[deploy("d3", 600, "ann")]);
    sealed(&mut worker, 5);
    let said = worker.said();
    let mistakes: Vec<&str> = said.lines().filter(|line| line.contains("rules.yml:")).collect();
    assert!(mistakes.len() == 2 && mistakes.iter().all(|line| line.contains("(hint: ")), "{said}");
    assert!(said.contains("nosuch") && said.contains("the rules and lists that ran go on"), "{said}");

    // A file that is gone is a mistake, too, and no empty set.
    fs::remove_file(place.path("rules.yml")).expect("removed");
    worker.reload("refused");
    produce(broker, "reload-a", 0, &[deploy("d4", 900, "ann")]);
    sealed(&mut worker, 7);
    assert_eq!(worker.metric("pipewarden_reloads_total", "result=\"ok\""), 2);
    assert_eq!(worker.stop(), 0);
    assert_eq!(fired(&place, 1), ["d1", "d2", "d3", "d4"]);
    assert_eq!(fired(&place, 2), ["d2", "d3", "d4"]);
    assert_eq!(rules_records(&place).len(), 1);
    // Today's rules play no part in what ran then: their file is still gone.
    assert_eq!(sorted(place.replay_control_log()), sorted(place.read_lines("state/seal.jsonl")));
}

/// A record of something that failed, in a service of everybody.
fn failure(uid: &str, second: i64, user: &str) -> String {
    json!({"ts": model::Timestamp::from_ms(START_MS + second * 1000).to_string(), "uid": uid, "kind": "plan",
           "window": "open", "service": "checkout", "user": user, "result": "failed"})
    .to_string()
}

/// A rule that others refer to, and one that remembers who was there before.
const FAILED: &str = "---
title: Failed
id: 00000000-0000-4000-8000-000000000040
name: failed
logsource: {product: deployer, service: api}
detection: {s: {result: failed}, condition: s}
---
title: Somebody else fails
id: 00000000-0000-4000-8000-000000000044
logsource: {product: deployer, service: api}
detection: {s: {result: failed}, condition: s}
x-prev: {key: [service], field: user, changed: true, ttl: 1d}
x-requires: [E8]
";

/// Three failures of one service.
fn three(number: usize, timespan: &str) -> String {
    format!(
        "---\ntitle: Three {number}\nid: 00000000-0000-4000-8000-{number:012}\n\
         correlation: {{type: event_count, rules: [failed], group-by: [service], timespan: {timespan}, condition: {{gte: 3}}}}\n"
    )
}

#[test]
fn what_a_rule_remembers_outlives_other_rules_and_begins_with_its_own() {
    let Some(broker) = broker::shared() else { return };
    broker.create_topic("reload-kept", 1, &[]).expect("created");
    let sources = [("deployer", "reload-kept", DEPLOYER.source)];
    let own = soon(&config(&broker.bootstrap(), "reload-kept", &sources, "idle_after: 1s\nsnapshot_every: 1s\n"));
    let first = FAILED.to_owned() + &three(41, "1h") + &three(42, "1h") + &three(43, "1h");
    let place = Place::new(&own.replace("kafka:\n", "kafka:\n  instance: one\n"), &first);
    let mut worker = place.start(&[]);
    produce(broker, "reload-kept", 0, &[failure("f1", 1, "ann"), failure("f2", 2, "ann")]);
    worker.until_read(2);

    // One stands before the others and asks for a field that they do not, one has another window, one is gone.
    let second = rule(9, "{kind: deploy}") + FAILED + &three(41, "1h") + &three(42, "2h");
    fs::write(place.path("rules.yml"), &second).expect("written");
    worker.reload("ok");
    let states =
        |worker: &Worker, result: &str| worker.metric("pipewarden_rule_states_total", &format!("result=\"{result}\""));
    assert_eq!((states(&worker, "kept"), states(&worker, "begun")), (2, 1));
    let said = worker.said();
    assert!(said.contains("2 go on, 1 begin here: 00000000-0000-4000-8000-000000000042"), "{said}");
    produce(broker, "reload-kept", 0, &[failure("f3", 3, "bob")]);
    sealed(&mut worker, 2);

    // Others again while it is down: one comes back.
    worker.kill();
    fs::write(place.path("rules.yml"), rule(8, "{user: eve}") + &second + &three(43, "1h")).expect("written");
    let mut worker = place.start(&[]);
    worker.until("it goes on", |worker| worker.said().contains("goes on from the snapshot"));
    worker.until("the rules of today", |worker| worker.said().contains("3 go on, 1 begin here"));
    produce(broker, "reload-kept", 0, &[failure("f4", 4, "bob"), failure("f5", 5, "bob")]);
    let fires = |number: usize| {
        move |worker: &Worker| {
            worker.metric("pipewarden_alert_records_total", &format!("{number:012}\",state=\"firing\"")) > 0
        }
    };
    worker.until("the changed one fires", fires(42));
    // And killed once more: what numbers by older rules is restored by them.
    worker.kill();
    let mut worker = place.start(&[]);
    worker.until("it goes on", |worker| worker.said().contains("goes on from the snapshot"));
    produce(broker, "reload-kept", 0, &[failure("f6", 6, "ann")]);
    worker.until("the one that came back fires", fires(43));
    assert_eq!(worker.stop(), 0);
    let fired = [41, 42, 43, 44].map(|number| fired(&place, number));
    assert_eq!(fired, [vec!["f1"], vec!["f3"], vec!["f4"], vec!["f3", "f6"]]);
    assert_eq!(sorted(place.replay_control_log()), sorted(place.read_lines("state/seal.jsonl")));
}

#[test]
fn a_list_that_changes_counts_from_the_next_record_on() {
    let Some(broker) = broker::shared() else { return };
    broker.create_topic("reload-list", 1, &[]).expect("created");
    let sources = [("deployer", "reload-list", DEPLOYER.source)];
    let more = "idle_after: 1s\nlists: {staff: staff.txt, gone: gone.yaml}\n";
    let own = soon(&config(&broker.bootstrap(), "reload-list", &sources, more));
    let listed = rule(1, "{kind: deploy}\n  staff: {user|expand: '%staff%'}")
        .replace("condition: s", "condition: s and not staff")
        .replace(
            "x-requires: [E12]",
            "x-lists: {staff: {source: file, on_missing: fail_open_ticket}}\nx-requires: [E3, E12]",
        );
    let place = Place::new(&own, &listed);
    fs::write(place.path("staff.txt"), "ann\n").expect("written");
    fs::write(place.path("gone.yaml"), "[x]\n").expect("written");
    let mut worker = place.start(&[]);
    produce(broker, "reload-list", 0, &[deploy("d1", 1, "ann"), deploy("d2", 2, "bob")]);
    sealed(&mut worker, 1);
    fs::write(place.path("staff.txt"), "bob\n").expect("written");
    worker.reload("ok");
    produce(broker, "reload-list", 0, &[deploy("d3", 300, "ann"), deploy("d4", 301, "bob")]);
    sealed(&mut worker, 2);
    // One good list and one that is none: neither counts.
    fs::write(place.path("staff.txt"), "ann\n").expect("written");
    fs::write(place.path("gone.yaml"), "title: no list\n").expect("written");
    worker.reload("refused");
    assert!(worker.said().contains("gone.yaml"), "{}", worker.said());
    produce(broker, "reload-list", 0, &[deploy("d5", 600, "ann"), deploy("d6", 601, "bob")]);
    sealed(&mut worker, 3);
    assert_eq!(worker.stop(), 0);
    assert_eq!(fired(&place, 1), ["d2", "d3", "d5"]);
    assert_eq!(sorted(place.replay_control_log()), sorted(place.read_lines("state/seal.jsonl")));
    let versions: BTreeSet<String> =
        rules_records(&place).iter().map(|record| record["lists"]["staff"].to_string()).collect();
    assert_eq!(versions.len(), 1, "one version of the list took effect");
}

#[test]
fn a_run_with_reloads_is_replayed_from_its_control_log() {
    let Some(broker) = broker::shared() else { return };
    broker.create_topic("reload-gh", 1, &[]).expect("created");
    broker.create_topic("reload-dep", 2, &[]).expect("created");
    let sources = [("github", "reload-gh", GITHUB.source), ("deployer", "reload-dep", DEPLOYER.source)];
    let place = Place::new(&config(&broker.bootstrap(), "reload-rep", &sources, "idle_after: 1s\n"), RULES);
    let mut worker = place.start(&[]);
    let (github, deployer) = (GITHUB.arrivals(60, 1_200, 60, 1), DEPLOYER.arrivals(61, 2_400, 60, 2));
    let (mut read, thirds) = (0, 3);
    let part = |lines: &[String], n: usize| lines[lines.len() * n / thirds..lines.len() * (n + 1) / thirds].to_vec();
    // In the second third one rule more, one less, one that reads another source; in the last the first set again.
    let without_failed = RULES.split("---\n").take(3).collect::<Vec<_>>().join("---\n");
    let second =
        without_failed.replace("{product: github, service: audit}", "{service: audit}") + &rule(5, "{kind: plan}");
    for n in 0..thirds {
        if n > 0 {
            fs::write(place.path("rules.yml"), [&second, RULES][n - 1]).expect("written");
            worker.reload("ok");
        }
        for (topic, partition, lines) in
            [("reload-gh", 0, &github[0]), ("reload-dep", 0, &deployer[0]), ("reload-dep", 1, &deployer[1])]
        {
            let lines = part(lines, n);
            produce(broker, topic, partition, &lines);
            read += lines.len();
        }
        worker.until_read(read as u64);
    }
    worker.until("something of the last third is sealed", |worker| {
        worker.metric("pipewarden_alert_records_total", "000000000005\",state=\"expired") > 0
    });
    assert_eq!(worker.stop(), 0);

    let control = rules_records(&place);
    assert_eq!(control.len(), 2);
    let from = |n: usize, name: &str| control[n]["positions"][name].as_u64().expect("a position") as usize;
    assert_eq!(from(0, "reload-gh/0"), part(&github[0], 0).len());
    assert_eq!(from(1, "reload-dep/1"), deployer[1].len() * 2 / thirds);
    assert_ne!(control[0]["set"], control[1]["set"]);

    // The new rule fired at events of the second third alone.
    let middle: String = deployer.iter().map(|lines| part(lines, 1).concat()).collect();
    let found = fired(&place, 5);
    assert!(found.len() > 100 && found.iter().all(|id| middle.contains(&format!("\"{id}\""))), "{}", found.len());
    let sealed = sorted(place.read_lines("state/seal.jsonl"));
    // An alert of a rule that is gone ends by its period.
    assert!(sealed.iter().any(|line| line.contains("000000000005") && line.contains("\"expired\"")));
    let replayed = sorted(place.replay_control_log());
    let only = |these: &[String], those: &[String]| {
        these.iter().filter(|line| those.binary_search(line).is_err()).take(4).cloned().collect::<Vec<_>>()
    };
    let (live, again) = (only(&sealed, &replayed), only(&replayed, &sealed));
    assert!(live.is_empty() && again.is_empty(), "sealed only: {live:#?}\nreplayed only: {again:#?}");
    assert!(sealed == replayed, "the same number of each");
    // Without the copies the replay says so instead of guessing.
    fs::rename(place.path("state/rulesets"), place.path("elsewhere")).expect("moved");
    let ran = harness::cli::run(
        ["replay", "--control-log", "state/control.jsonl", "--config", "pipewarden.yaml", "--alerts", "x.jsonl"]
            .map(|word| if word.contains('.') { place.path(word).display().to_string() } else { word.to_owned() }),
        b"",
    );
    ran.expect_code(1);
    assert!(ran.stderr.contains("rulesets") && ran.stderr.contains("hint"), "{ran:?}");
}
