//! What an operator sees of a worker: its books as metrics, dead letters, trust, events from the future, health.

use std::time::{SystemTime, UNIX_EPOCH};

use harness::broker;
use harness::worker::{Place, Worker};
use model::Timestamp;
use serde_json::{Value, json};

use crate::run_events::{DEPLOYER, LATENESS_MS, RULES, START_MS, config, produce};

fn normal(id: usize, class: &str, at_ms: i64) -> String {
    json!({
        "event": {"id": format!("n-{id}"), "class": class, "action": "started", "outcome": "success",
                  "time": Timestamp::from_ms(at_ms).to_string()},
        "prov": {"repo": "github.com/tidewater/checkout", "run_id": id.to_string(), "job_id": id.to_string(),
                 "trigger": "pull_request_target"},
        "secrets_count": 3, "secrets_passed": ["NPM_TOKEN"],
    })
    .to_string()
}

fn books(worker: &Worker, name: &str, outcomes: &[&str]) -> Vec<u64> {
    outcomes.iter().map(|outcome| worker.metric(name, &format!("outcome=\"{outcome}\""))).collect()
}

#[test]
fn every_record_and_event_is_accounted_for() {
    let Some(broker) = broker::shared() else { return };
    broker.create_topic("watch-a", 1, &[]).expect("created");
    broker.create_topic("watch-b", 1, &[("message.timestamp.type", "LogAppendTime")]).expect("created");
    #[allow(clippy::disallowed_methods, reason = "what is early depends on the real clock")]
    let now_ms = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis() as i64;
    let minute = 60_000;
    let secret = format!("{{\"token\":\"ghp_{}\"", "a1B2".repeat(9));
    let lines = vec![
        normal(0, "ci.job", now_ms - 30 * minute),
        normal(1, "ci.job", now_ms - 20 * minute),
        normal(1, "ci.job", now_ms - 20 * minute),
        normal(2, "ci.job", now_ms - 30 * minute), // late
        normal(3, "ci.job", now_ms + 20 * minute), // early
        normal(4, "secret.access", now_ms),        // not its to say
        normal(5, "no.class", now_ms),
        secret.clone(),
        "[]".to_owned(),
        normal(6, "ci.job", now_ms - 19 * minute),
        normal(7, "ci.job", now_ms + 3 * minute), // ahead, within bounds
    ];
    produce(broker, "watch-a", 0, &lines);
    produce(broker, "watch-b", 0, &[normal(8, "ci.job", now_ms + 20 * minute), normal(9, "ci.job", now_ms)]);
    let agent = "format: normal, classes: [ci.job, ci.run]";
    let sources = [("agent", "watch-a", agent), ("other", "watch-b", agent)];
    let config = config(&broker.bootstrap(), "watched", &sources, "alerts: {dead_letters: dead.jsonl}\n");
    let place = Place::new(&config, RULES);
    let mut worker = place.start(&[]);
    worker.until_read(13);
    worker.until("it is ready", |worker| worker.get("/readyz").0 == 200);
    assert_eq!(worker.get("/healthz"), (200, "ok".to_owned()));
    assert_eq!(worker.get("/nowhere").0, 404);

    let records = books(&worker, "pipewarden_records_total", &["read", "decoded", "filtered", "invalid", "dropped"]);
    let events = books(&worker, "pipewarden_events_total", &["seen", "accepted", "late", "duplicate", "dropped"]);
    assert_eq!(records, [13, 9, 1, 3, 0]);
    assert_eq!(events, [9, 5, 3, 1, 0]);
    assert_eq!(records[0], records[1..].iter().sum::<u64>());
    assert_eq!(events[0], events[1..].iter().sum::<u64>());
    assert_eq!(worker.metric("pipewarden_invalid_records_total", ""), 3);
    assert_eq!(worker.metric("pipewarden_invalid_records_total", "reason=\"class_not_allowed\""), 1);
    assert_eq!(worker.metric("pipewarden_position", "watch-a/0"), lines.len() as u64);
    assert!(worker.metric("pipewarden_rules_loaded", "") > 10);
    // An event from the future moves no watermark; one that is a little ahead does.
    let watermark = worker.metric("pipewarden_watermark_milliseconds", "agent") as i64;
    assert_eq!(watermark, now_ms + 3 * minute - minute);
    assert_eq!(worker.stop(), 0);

    let letters = place.read("dead.jsonl");
    let told: Vec<_> = letters.iter().map(|letter| (letter["offset"].as_i64(), letter["reason"].as_str())).collect();
    assert_eq!(
        told,
        [(Some(5), Some("class_not_allowed")), (Some(6), Some("wrong_shape")), (Some(7), Some("not_json"))]
    );
    assert!(letters.iter().all(|letter| letter["source"] == "agent" && letter["name"] == "watch-a/0"));
    assert!(!letters[2].to_string().contains("a1B2a1B2"), "{}", letters[2]);

    let sealed = place.read("state/seal.jsonl");
    let alone = |mark: &str| sealed.iter().filter(|record| record[mark] == Value::Bool(true)).count();
    assert_eq!((alone("late"), alone("early")), (1, 2), "{sealed:?}");
    assert!(sealed.iter().all(|record| record["rule"]["name"] == "SEC-04" || record["rule"]["title"].is_string()));
}

#[test]
fn a_flood_of_findings_loses_its_own_and_is_seen() {
    let Some(broker) = broker::shared() else { return };
    broker.create_topic("watch-flood", 1, &[]).expect("created");
    let sources = [("deployer", "watch-flood", DEPLOYER.source)];
    let more = "limits: {findings_waiting_max: 640}\n";
    let config = config(&broker.bootstrap(), "flood", &sources, more).replace("rules: {", "rules: {pack: false, ");
    let place = Place::new(&config, RULES);
    let flood = |n: i64| {
        json!({"ts": Timestamp::from_ms(START_MS + n * 100).to_string(), "uid": format!("f{n}"), "kind": "deploy",
               "window": "closed", "service": "checkout", "user": "flood", "result": "ok"})
        .to_string()
    };
    // Within the allowed lateness: all of it waits.
    let mut lines: Vec<String> = (0..300).map(flood).collect();
    lines.extend((0..20).map(|n| DEPLOYER.matching(n, START_MS + n as i64)));
    produce(broker, "watch-flood", 0, &lines);
    let mut worker = place.start(&[]);
    worker.until_read(lines.len() as u64);
    worker.until("the loss is counted", |worker| worker.metric("pipewarden_findings_lost", "ticket") > 250);
    assert!(worker.metric("pipewarden_findings_waiting", "") <= 640);
    assert!(worker.said().contains("findings_waiting_max: "), "{}", worker.said());
    produce(broker, "watch-flood", 0, &[DEPLOYER.matching(99, START_MS + 3 * LATENESS_MS)]);
    // Every alert opens, the flood's with its first event.
    worker.until("all have fired", |worker| worker.metric("pipewarden_alert_records_total", "firing") == 21);
    assert_eq!(worker.metric("pipewarden_findings_lost", "page"), 0);
    assert_eq!(worker.stop(), 0);
    let sealed = place.read("state/seal.jsonl");
    let first = sealed.iter().find(|record| record["group"]["user"] == "flood").expect("the flood's alert");
    assert_eq!((&first["state"], &first["evidence"][0]["id"]), (&"firing".into(), &"f0".into()), "{first}");
}

/// What announces maintenance or vouches for a machine could silence others: a source says it only where the
/// configuration gives it control.
#[test]
fn only_control_sources_speak_for_operations() {
    let Some(broker) = broker::shared() else { return };
    #[allow(clippy::disallowed_methods, reason = "what is early depends on the real clock")]
    let now_ms = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis() as i64;
    for topic in ["speaks-a", "speaks-b"] {
        broker.create_topic(topic, 1, &[]).expect("created");
        let classes = ["ops.maintenance", "runner.heartbeat", "ci.job"];
        let lines: Vec<String> = (0..).zip(classes).map(|(n, class)| normal(n, class, now_ms)).collect();
        produce(broker, topic, 0, &lines);
    }
    let sources =
        [("tenant", "speaks-a", "format: normal"), ("control", "speaks-b", "format: normal, trust: control_plane")];
    let place = Place::new(&config(&broker.bootstrap(), "speaks", &sources, ""), RULES);
    let mut worker = place.start(&[]);
    worker.until_read(6);
    assert_eq!(worker.metric("pipewarden_invalid_records_total", "reason=\"class_not_allowed\""), 2);
    assert_eq!(books(&worker, "pipewarden_events_total", &["accepted", "late", "dropped"]), [4, 0, 0]);
    assert_eq!(worker.stop(), 0);
}
