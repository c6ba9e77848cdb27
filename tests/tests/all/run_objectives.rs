//! Objectives in a running worker: what burns is paged, throttles releases, and ends, whatever is killed when.

use harness::broker::Broker;
use harness::worker::{Place, Worker};
use harness::{broker, cli, prometheus};
use serde_json::{Value, json};

use crate::run_events::{START_MS, config, produce, sorted};

const SLO: &str = "apiVersion: openslo/v1\nkind: SLO\nmetadata: {name: admission}\nspec:\n  indicatorRef: B-M4\n  timeWindow: \
                   [{duration: 30d, isRolling: true}]\n  objectives: [{targetPercent: 99}]\n  x-alerting: {owner: o, runbook: r, \
                   by: team}\n";

/// A rule that nothing of this matches: a worker needs one.
const RULES: &str = "title: Never\nid: 00000000-0000-4000-8000-0000000000e1\nlogsource: {product: pipewarden, category: \
                     policy.decision}\ndetection: {s: {event.action: never}, condition: s}\nlevel: low\n";

/// A decision every five seconds; within `refused` (minutes) one of two refuses what the team pay ships.
fn decisions(minutes: i64, refused: std::ops::Range<i64>) -> Vec<String> {
    (0..minutes * 12)
        .map(|number| {
            let at_ms = START_MS + number * 5_000;
            let is_bad = refused.contains(&(number / 12)) && number % 2 == 0;
            let time = model::Timestamp::from_ms(at_ms).to_string();
            let (result, team) =
                (if is_bad { "deny" } else { "allow" }, if number % 2 == 0 { "pay" } else { "shop" });
            json!({"event": {"id": format!("d-{number:06}"), "class": "policy.decision", "action": "decided", "time": time,
                             "outcome": "success"},
                   "prov": {"service": "cart", "team": team}, "result": result})
            .to_string()
        })
        .collect()
}

/// A real Prometheus server has what the worker shows.
fn scraped(worker: &mut Worker, address: &str, label: &str) {
    let Some(server) = prometheus::Server::start(address) else { return };
    for name in ["pipewarden_sli_total", "pipewarden_sli_good_total"] {
        let query = format!("sum({name}{{{label}}})");
        worker.until(&query, |worker| server.value(&query) == Some(worker.metric(name, label) as f64));
    }
    assert_eq!(server.value("pipewarden_slo_objective{slo=\"admission\"}"), Some(0.99));
    let burns = server.value("max(pipewarden_slo_burn_rate{slo=\"admission\",key=\"pay\",window=\"1h\"})");
    assert!(burns.is_some_and(|rate| rate > 14.4), "{burns:?}");
}

/// The topic tells when releases are throttled, and when no longer.
fn published(broker: &Broker) {
    let published: Vec<Value> = broker
        .read_all("slo-throttle")
        .expect("read")
        .into_iter()
        .map(|(_, value, ..)| serde_json::from_slice(&value.expect("a decision")).expect("JSON"))
        .collect();
    let throttles: Vec<bool> = published.iter().map(|told| told["throttle"] == true).collect();
    assert!(throttles.first() == Some(&false) && throttles.contains(&true) && throttles.last() == Some(&false));
}

#[test]
fn what_burns_is_paged_and_throttles_until_it_is_over() {
    let Some(broker) = broker::shared() else { return };
    for topic in ["slo-in", "slo-alerts", "slo-throttle"] {
        broker.create_topic(topic, 1, &[]).expect("created");
    }
    let sources = [("opa", "slo-in", "format: normal")];
    let more = "alerts: {topic: slo-alerts}\nobjectives: [slo.yaml]\nthrottle_topic: slo-throttle\narchive: {folder: archive}\nsnapshot_every: 300ms\nidle_after: 1s\n";
    let config = config(&broker.bootstrap(), "slo", &sources, more).replace("kafka:\n", "kafka:\n  instance: one\n");
    let place = Place::new(&config, RULES);
    std::fs::write(place.path("slo.yaml"), SLO).expect("written");
    let events = decisions(600, 120..150);
    let (before, rest) = events.split_at(1_500);
    let (during, after) = rest.split_at(240);

    let mut worker = place.start(&[]);
    produce(broker, "slo-in", 0, before);
    worker.until("a first verdict", |worker| worker.get("/throttle").0 == 200);
    let decided = |worker: &Worker| -> Value { serde_json::from_str(&worker.get("/throttle").1).expect("JSON") };
    assert_eq!(decided(&worker)["throttle"], false, "{}", decided(&worker));
    worker.until_read(before.len() as u64);
    produce(broker, "slo-in", 0, during);
    worker.until("releases are throttled", |worker| decided(worker)["throttle"] == true);
    let told = decided(&worker);
    assert_eq!(told["objectives"][0]["slo"], "admission");
    assert_eq!(told["objectives"][0]["key"], "pay");
    let (rate, share) = (&told["objectives"][0]["burn_rate"], &told["let_through"]);
    assert!(
        rate.as_f64().is_some_and(|rate| rate > 14.4) && share.as_f64().is_some_and(|share| share < 0.07),
        "{told}"
    );
    // The counters are those of the events, to one.
    let label = "indicator=\"B-M4\",team=\"pay\"";
    let total = worker.metric("pipewarden_sli_total", label);
    assert!(total > 800 && worker.metric("pipewarden_sli_good_total", label) < total);
    assert!(worker.get("/metrics").1.contains("pipewarden_slo_objective{slo=\"admission\"} 0.99"));
    scraped(&mut worker, &place.http, label);
    worker.kill();

    let mut worker = place.start(&[]);
    produce(broker, "slo-in", 0, after);
    worker.until("it is over", |worker| worker.get("/throttle").0 == 200 && decided(worker)["throttle"] == false);
    assert_eq!(worker.stop(), 0);
    place.run_to_the_end();

    let sealed = place.read("state/seal.jsonl");
    let states: Vec<&str> = sealed.iter().map(|record| record["state"].as_str().expect("a state")).collect();
    assert!(states.contains(&"firing") && states.contains(&"resolved"), "{states:?}");
    // A slow burn is seen first; the ticket becomes the page.
    let paged = sealed.iter().find(|record| record["urgency"] == "page").expect("a page");
    assert_eq!((&paged["rule"]["id"], &paged["state"]), (&json!("slo:admission"), &json!("raised")));
    assert_eq!(paged["group"], json!({"prov.team": "pay"}));
    assert_eq!(paged["evidence"].as_array().map(Vec::len), Some(16));
    // A replay of the same events in one piece, by files, judges alike.
    let file = place.lines("all.jsonl", &events);
    let slo = place.path("slo.yaml").display().to_string();
    let args = ["--format", "normal", "--source", "opa", "--lateness", "60s", "--objectives", &slo, "--no-pack"];
    let replayed = place.replay_files(&args, &[file]);
    assert_eq!(sorted(replayed), sorted(place.read_lines("state/seal.jsonl")));
    // Its archive says the same, though nobody derived contributions there.
    let archive = place.path("archive").display().to_string();
    let report = cli::run(["slo", "report", "--json", "--archive", &archive], b"").expect_code(0).json();
    let of = report["indicators"].as_array().expect("indicators").iter().find(|of| of["code"] == "B-M4");
    assert_eq!(of.map(|of| (&of["total"], &of["good"])), Some((&json!(7_200), &json!(7_200 - 30 * 6))));
    published(broker);
}
