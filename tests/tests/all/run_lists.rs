//! Lists from a topic: known before the first event is judged, over a kill and in a replay of the control log; what is no list
//! changes nothing, and an empty one never makes a rule say more.
#![allow(clippy::disallowed_methods, reason = "a version of a list must not lie in the future")]

use std::time::SystemTime;

use harness::broker::{self, Broker};
use harness::worker::{Place, Worker};
use model::Timestamp;
use serde_json::{Value, json};

use crate::run_events::{produce, sorted};

const RULES: &str = "
title: A stranger publishes
id: 00000000-0000-4000-8000-000000000071
name: pushed
logsource: {product: pipewarden, category: registry.push}
detection: {s: {event.action: push}, known: {prov.actor_id|expand: '%publishers%'}, condition: s and not known}
x-lists: {publishers: {ttl: 1d, on_missing: fail_closed}}
x-alert: {route: ticket, fingerprint: [prov.digest]}
x-requires: [E3, E12]
---
title: Built
id: 00000000-0000-4000-8000-000000000072
name: built
logsource: {product: pipewarden, category: registry.push}
detection: {s: {event.action: build}, condition: s}
---
title: Promoted
id: 00000000-0000-4000-8000-000000000073
name: promoted
logsource: {product: pipewarden, category: registry.push}
detection: {s: {event.action: promote}, condition: s}
---
title: A stranger promotes
id: 00000000-0000-4000-8000-000000000074
name: stranger-promotes
correlation: {type: temporal_ordered, rules: [built, promoted], group-by: [prov.digest], timespan: 1h}
x-where: [\"not in(promoted.prov.actor_id, list('publishers'))\"]
x-lists: {publishers: {ttl: 1d, on_missing: fail_closed}}
x-alert: {route: ticket}
x-requires: [E2, E3, E12]
";

struct Scene {
    broker: &'static Broker,
    start: Timestamp,
}

impl Scene {
    fn at(&self, seconds: i64) -> Timestamp {
        self.start.plus_ms(seconds * 1_000)
    }

    fn list(&self, key: &str, value: Option<Value>) {
        let value = value.map(|value| value.to_string());
        let record = (Some(key.as_bytes()), value.as_ref().map(String::as_bytes));
        self.broker.append("lists-live", 0, &[record]).expect("produced");
    }

    fn version(&self, as_of: i64, entries: &[&str]) {
        self.list("publishers", Some(json!({"as_of": self.at(as_of), "entries": entries})));
    }

    /// Somebody pushes, and promotes what was built; then time goes on for ten seconds.
    fn publish(&self, worker: &mut Worker, second: i64, actor: &str) {
        let event = |action: &str, at: i64| {
            let digest = format!("sha256:{second:064x}");
            let event = json!({"id": format!("{action}-{at}"), "class": "registry.push", "action": action, "time": self.at(at)});
            json!({"event": event, "prov": {"actor_id": actor, "digest": digest}}).to_string()
        };
        let lines = [
            event("build", second),
            event("push", second + 1),
            event("promote", second + 2),
            event("noop", second + 10),
        ];
        produce(self.broker, "lists-in", 0, &lines);
        let watermark = self.at(second + 9).ms() as u64;
        worker.until("time goes on", |worker| worker.metric("pipewarden_watermark_milliseconds", "") >= watermark);
    }
}

fn until_read(worker: &mut Worker, result: &str, count: u64) {
    let label = format!("result=\"{result}\"");
    worker.until("the list is read", |worker| worker.metric("pipewarden_list_records_total", &label) >= count);
}

#[test]
fn a_list_from_a_topic_is_known_before_the_first_event_and_over_a_kill() {
    let Some(broker) = broker::shared() else { return };
    broker.create_topic("lists-in", 1, &[]).expect("created");
    broker.create_topic("lists-live", 1, &[("cleanup.policy", "compact")]).expect("created");
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970").as_millis() as i64;
    let scene = Scene { broker, start: Timestamp::from_ms(now - 3_600_000) };
    let config = format!(
        "kafka:\n  bootstrap: {}\n  group: lists\n  instance: one\n  start: earliest\n  properties:\n    \
         heartbeat.interval.ms: 300\n    session.timeout.ms: 6000\n\
         sources:\n  registry: {{topics: [lists-in], format: normal, trust: control_plane, lateness: 1s}}\n\
         lists: {{publishers: {{topic: lists-live}}}}\nlimits: {{list_entries_max: 3}}\n\
         rules: {{paths: [rules.yml], pack: false}}\nhttp: HTTP\nidle_after: 10m\nsnapshot_every: 1s\n",
        broker.bootstrap()
    );
    let place = Place::new(&config, RULES);
    let mut worker = place.start(&[]);
    scene.publish(&mut worker, 0, "u1");
    scene.version(10, &["u1"]);
    until_read(&mut worker, "version", 1);
    scene.publish(&mut worker, 20, "u1");
    scene.publish(&mut worker, 40, "u2");
    // None of these is a version that counts.
    scene.list("publishers", Some(json!({"entries": ["u9"]})));
    scene.list("publishers", Some(json!({"as_of": scene.at(50), "entries": ["u1", "u2", "u3", "u4"]})));
    scene.list("publishers", Some(json!("a text that is no list")));
    until_read(&mut worker, "bad", 3);
    scene.version(5, &["u9"]);
    until_read(&mut worker, "older", 1);
    scene.list("another", Some(json!({"as_of": scene.at(60), "entries": ["u9"]})));
    scene.publish(&mut worker, 60, "u9");
    worker.until("it is sealed", |worker| worker.metric("pipewarden_alert_records_total", "firing") >= 4);
    worker.kill();

    // What is said while nobody listens is known before the next event.
    scene.version(70, &["u1", "u2"]);
    let mut worker = place.start(&[]);
    worker.until("it goes on", |worker| worker.said().contains("goes on from the snapshot"));
    scene.publish(&mut worker, 80, "u2");
    scene.publish(&mut worker, 100, "u3");
    scene.list("publishers", None);
    until_read(&mut worker, "version", 1);
    scene.publish(&mut worker, 120, "u4");
    worker.kill();
    place.run_to_the_end();

    let firing: Vec<Value> =
        place.read("state/seal.jsonl").into_iter().filter(|record| record["state"] == "firing").collect();
    let mut told: Vec<(String, Value)> = firing
        .iter()
        .map(|record| {
            (record["group"]["prov.digest"].as_str().expect("a digest").to_owned(), record["event_time"].clone())
        })
        .collect();
    told.sort_by_key(|(digest, time)| (digest.clone(), time.to_string()));
    let wanted: Vec<(String, Value)> = [40, 60, 100]
        .iter()
        .flat_map(|second| [1, 2].map(|more| (format!("sha256:{second:064x}"), json!(scene.at(second + more)))))
        .collect();
    assert_eq!(told, wanted, "{firing:#?}");
    let read: Vec<Value> = place.read("state/control.jsonl").into_iter().filter(|of| of["kind"] == "list").collect();
    assert_eq!(read[0]["as_of_ms"], json!(scene.at(10).ms()), "{read:?}");
    assert_eq!((&read[0]["list"], &read[0]["position"]), (&json!("publishers"), &json!(0)));
    assert_eq!(sorted(place.replay_control_log()), sorted(place.read_lines("state/seal.jsonl")));
}
