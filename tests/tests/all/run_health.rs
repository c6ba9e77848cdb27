//! Outages in a worker: deadlines wait for a source that is not heard, over a kill, and a replay of the control log judges the
//! same.
#![allow(clippy::disallowed_methods, reason = "what an operator says of now counts for days only")]

use std::fs;
use std::time::SystemTime;

use harness::broker::{self, Broker};
use harness::worker::{Place, Worker};
use model::Timestamp;
use serde_json::{Value, json};

use crate::run_events::{produce, sorted};

const RULES: &str = "
title: Published
id: 00000000-0000-4000-8000-000000000061
name: published
logsource: {product: pipewarden, category: registry.push}
detection: {s: {event.action: push}, condition: s}
---
title: Signed
id: 00000000-0000-4000-8000-000000000062
name: signed
logsource: {product: pipewarden, category: sign.attestation}
detection: {s: {event.action: sign}, condition: s}
---
title: Never signed
id: 00000000-0000-4000-8000-000000000063
name: never-signed
correlation:
  type: temporal
  rules: [published, signed]
  group-by: [prov.digest]
  timespan: 60s
  condition: published and not signed
x-absence: {start: published, expect: signed, deadline: 60s}
x-alert: {route: ticket}
x-requires: [E1, E12]
";

struct Scene {
    broker: &'static Broker,
    name: &'static str,
    start: Timestamp,
}

impl Scene {
    fn new(name: &'static str) -> Option<Scene> {
        let broker = broker::shared()?;
        for topic in ["registry", "signing", "ops"] {
            broker.create_topic(&format!("{name}-{topic}"), 1, &[]).expect("created");
        }
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970").as_millis() as i64;
        Some(Scene { broker, name, start: Timestamp::from_ms(now - 3_600_000) })
    }

    fn place(&self, heartbeat: &str) -> Place {
        self.place_of(heartbeat, RULES)
    }

    fn place_of(&self, heartbeat: &str, rules: &str) -> Place {
        let (name, bootstrap) = (self.name, self.broker.bootstrap());
        let config = format!(
            "kafka:\n  bootstrap: {bootstrap}\n  group: {name}\n  instance: one\n  start: earliest\n  properties:\n    \
             heartbeat.interval.ms: 300\n    session.timeout.ms: 6000\n\
             sources:\n  registry: {{topics: [{name}-registry], format: normal, trust: control_plane, lateness: 1s, classes: [registry.push]}}\n  \
             signing: {{topics: [{name}-signing], format: normal, trust: control_plane, lateness: 1s, classes: [sign.attestation, ops.heartbeat]{heartbeat}}}\n  \
             ops: {{topics: [{name}-ops], format: normal, trust: control_plane, lateness: 1s, classes: [ops.health]}}\n\
             rules: {{paths: [rules.yml], pack: false}}\nhttp: HTTP\nidle_after: 10m\nsnapshot_every: 1s\n"
        );
        Place::new(&config, rules)
    }

    fn at(&self, seconds: i64) -> Timestamp {
        self.start.plus_ms(seconds * 1_000)
    }

    fn say(&self, topic: &str, class: &str, action: &str, time: Timestamp, more: Value) {
        produce(self.broker, &format!("{}-{topic}", self.name), 0, &[self.event(class, action, time, &more)]);
    }

    fn event(&self, class: &str, action: &str, time: Timestamp, more: &Value) -> String {
        let mut event = json!({"event": {"id": format!("{class}-{action}-{time}"), "class": class, "action": action, "time": time}});
        let object = event.as_object_mut().expect("an object");
        object.extend(more.as_object().expect("an object").clone());
        event.to_string()
    }

    /// Both sources speak of something else, so that time goes on.
    fn time_goes_on_to(&self, seconds: i64) {
        self.say("registry", "registry.push", "noop", self.at(seconds), json!({}));
        self.say("signing", "sign.attestation", "noop", self.at(seconds), json!({}));
    }

    fn reaches(&self, worker: &mut Worker, seconds: i64) {
        let watermark = self.at(seconds - 1).ms() as u64;
        worker.until("time goes on", |worker| {
            let of = |source: &str| worker.metric("pipewarden_watermark_milliseconds", &format!("source=\"{source}\""));
            of("registry") >= watermark && of("signing") >= watermark
        });
    }
}

fn unhealthy(worker: &Worker) -> u64 {
    worker.metric("pipewarden_source_unhealthy", "source=\"signing\"")
}

#[test]
fn deadlines_wait_for_a_source_that_is_not_heard_over_a_kill_and_in_a_replay() {
    let Some(scene) = Scene::new("unheard") else { return };
    let place = scene.place("");
    let digest = |n: i64| json!({"prov": {"digest": format!("sha256:{n:064x}")}});
    let mut worker = place.start(&[]);
    for n in 0..3 {
        scene.say("registry", "registry.push", "push", scene.at(10 * n), digest(n));
    }
    scene.time_goes_on_to(30);
    scene.reaches(&mut worker, 30);
    // Told behind its begin: it holds for the past, too.
    let outage = json!({"object": "signing", "from": scene.at(25).ms()});
    scene.say("ops", "ops.health", "unhealthy", scene.at(28), outage);
    worker.until("an outage", |worker| unhealthy(worker) == 1);
    let kept = |worker: &Worker| worker.metric("pipewarden_snapshots_total", "result=\"ok\"");
    let before = kept(&worker);
    worker.until("a snapshot", |worker| kept(worker) > before + 1);
    scene.time_goes_on_to(120);
    scene.reaches(&mut worker, 120);
    worker.kill();
    assert!(place.read("state/seal.jsonl").is_empty(), "nothing is told while the source is not heard");

    let mut worker = place.start(&[]);
    worker.until("it goes on", |worker| worker.said().contains("goes on from the snapshot"));
    worker.until("the outage lasts", |worker| unhealthy(worker) == 1);
    scene.say("ops", "ops.health", "healthy", scene.at(125), json!({"object": "signing"}));
    worker.until("the end of the outage", |worker| unhealthy(worker) == 0);
    // 0 is due at 160, 1 at 170 and signed just then, 2 at 180.
    scene.say("signing", "sign.attestation", "sign", scene.at(170), digest(1));
    scene.time_goes_on_to(200);
    scene.reaches(&mut worker, 200);
    worker.until("an alert", |worker| worker.metric("pipewarden_alert_records_total", "firing") >= 2);
    worker.kill();
    place.run_to_the_end();

    let firing: Vec<Value> =
        place.read("state/seal.jsonl").into_iter().filter(|record| record["state"] == "firing").collect();
    let times: Vec<&Value> = firing.iter().map(|record| &record["event_time"]).collect();
    assert_eq!(times, [&json!(scene.at(160)), &json!(scene.at(180))], "{firing:#?}");
    let moved = format!("by 1m 40s: signing was not heard from {} to {}", scene.at(25), scene.at(125));
    assert_eq!(firing[0]["facts"]["deadline_moved"], json!(moved));
    let said: Vec<Value> = place.read("state/control.jsonl").into_iter().filter(|of| of["kind"] == "health").collect();
    assert!(said.len() >= 2 && said[0]["known"][0]["from_ms"].is_i64(), "{said:?}");
    let sealed = place.read_lines("state/seal.jsonl");
    assert_eq!(sorted(place.replay_control_log()), sorted(sealed.clone()));

    // Without its statements the control log tells of other deadlines.
    let lines = place.read_lines("state/control.jsonl");
    let without: String =
        lines.iter().filter(|line| !line.contains("\"kind\":\"health\"")).map(|line| format!("{line}\n")).collect();
    fs::write(place.path("state/control.jsonl"), without).expect("written");
    assert_ne!(sorted(place.replay_control_log()), sorted(sealed));
}

#[test]
fn heartbeats_that_stop_are_an_outage_until_the_next_one() {
    let Some(scene) = Scene::new("beats") else { return };
    let place = scene.place(", heartbeat: {missing_after: 2s}");
    let now = || {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
        Timestamp::from_ms(now.as_millis() as i64)
    };
    let mut worker = place.start(&[]);
    worker.until("it reads", |worker| worker.get("/readyz").0 == 200);
    let first = now();
    scene.say("signing", "ops.heartbeat", "alive", first, json!({}));
    worker.until_read(1);
    assert_eq!(unhealthy(&worker), 0);
    worker.until("heartbeats are missed", |worker| unhealthy(worker) == 1);
    let again = now();
    scene.say("signing", "ops.heartbeat", "alive", again, json!({"object": "signing"}));
    worker.until("it is heard again", |worker| unhealthy(worker) == 0);
    worker.kill();
    let said: Vec<Value> = place.read("state/control.jsonl").into_iter().filter(|of| of["kind"] == "health").collect();
    assert_eq!(said[0]["from_ms"], json!(first.ms()));
    assert_eq!((said[0].get("to_ms"), said[1]["healthy_ms"].as_i64()), (None, Some(again.ms())));
}

/// The source is silent by the minute of its own rate.
const SILENT: &str = "---
title: Silent
id: 00000000-0000-4000-8000-000000000064
name: silent
logsource: {product: pipewarden, category: sign.attestation}
detection: {s: {event.action: sign}, condition: s}
level: high
x-detector: {algo: silence, key: [event.source], bucket: 1m, silence_min: 2m, health: true}
x-alert: {route: ticket, fingerprint: [event.source]}
x-requires: [E6, E12]
";

#[test]
fn a_source_that_a_detector_finds_silent_moves_deadlines_over_a_kill_and_in_a_replay() {
    let Some(mut scene) = Scene::new("silent") else { return };
    // All within one hour of the day: what is ordinary is known by such hours, of weekdays or of weekends; of either there are four
    // within two weeks.
    const DAY: i64 = 86_400;
    scene.start = Timestamp::from_ms(scene.start.ms().div_euclid(3_600_000) * 3_600_000);
    let place = scene.place_of("", &format!("{RULES}{SILENT}"));
    let digest = |n: i64| json!({"prov": {"digest": format!("sha256:{n:064x}")}});
    let before = (1..=14).rev().flat_map(|day| (0..1_800).map(move |n| (2 * n - day * DAY, n)));
    let signed = before.chain((0..750).map(|n| (2 * n, n)));
    let signed = signed.map(|(at, n)| scene.event("sign.attestation", "sign", scene.at(at), &digest(100 + n)));
    let signed: Vec<String> = signed.collect();
    produce(scene.broker, &format!("{}-signing", scene.name), 0, &signed);
    let mut worker = place.start(&[]);
    scene.say("registry", "registry.push", "push", scene.at(1_580), digest(0));
    scene.time_goes_on_to(1_630);
    scene.reaches(&mut worker, 1_630);
    worker.until("it is found silent", |worker| unhealthy(worker) == 1);
    let kept = |worker: &Worker| worker.metric("pipewarden_snapshots_total", "result=\"ok\"");
    let before = kept(&worker);
    worker.until("a snapshot", |worker| kept(worker) > before + 1);
    scene.time_goes_on_to(1_800);
    scene.reaches(&mut worker, 1_800);
    worker.kill();

    let mut worker = place.start(&[]);
    worker.until("it goes on", |worker| worker.said().contains("goes on from the snapshot"));
    scene.say("signing", "sign.attestation", "sign", scene.at(1_900), digest(99));
    scene.time_goes_on_to(1_950);
    scene.reaches(&mut worker, 1_950);
    worker.until("it is heard again", |worker| unhealthy(worker) == 0);
    // Not so far that it is silent once more.
    scene.time_goes_on_to(1_990);
    scene.reaches(&mut worker, 1_990);
    worker.kill();
    place.run_to_the_end();

    let sealed = place.read("state/seal.jsonl");
    let firing = |title: &str| -> Vec<Value> {
        let is_one = |of: &&Value| of["state"] == "firing" && of["rule"]["title"] == title;
        sealed.iter().filter(is_one).cloned().collect()
    };
    assert_eq!(firing("Silent").len(), 1, "{sealed:#?}");
    let missed = firing("Never signed");
    // Sixty seconds behind 1580, and what the outage of 1498 to 1900 takes of them.
    assert_eq!(missed.len(), 1, "{missed:#?}");
    assert_eq!(missed[0]["event_time"], json!(scene.at(1_960)), "{missed:#?}");
    let said: Vec<Value> = place.read("state/control.jsonl").into_iter().filter(|of| of["kind"] == "health").collect();
    assert_eq!(said.len(), 2, "once, however often it is worked out: {said:?}");
    assert_eq!(said[0]["from_ms"], json!(scene.at(1_498).ms()));
    assert_eq!(said[1]["healthy_ms"], json!(scene.at(1_900).ms()));
    assert_eq!(sorted(place.replay_control_log()), sorted(place.read_lines("state/seal.jsonl")));
}
