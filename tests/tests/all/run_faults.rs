//! A worker and a Kafka that is away, refuses it, or lacks something: plain words, the right exit code, nothing lost.

use std::fs;
use std::net::TcpListener;
use std::time::Duration;

use harness::broker::{self, Broker, Options};
use harness::worker::Place;
use rdkafka::ClientConfig;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use serde_json::Value;

use crate::run_events::{DEPLOYER, RULES, START_MS, alerts, config, produce, told};

#[test]
fn a_broker_that_does_not_answer_is_tried_again_until_somebody_stops_it() {
    let nobody = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a port").to_string();
    let sources = [("deployer", "any", DEPLOYER.source)];
    let place = Place::new(&config(&nobody, "away", &sources, ""), RULES);
    let mut worker = place.start(&[]);
    worker.until("two attempts failed", |worker| worker.said().contains("attempt 2 of 10"));
    let said = worker.said();
    assert!(said.lines().all(|line| !line.contains("attempt") || line.contains("Connection refused")), "{said}");
    assert!(
        said.contains(&nobody) && said.contains("hint: check `kafka.bootstrap`") && said.contains("next in"),
        "{said}"
    );
    assert_eq!((worker.get("/healthz").0, worker.get("/readyz").0), (200, 503), "alive, and not ready");
    assert_eq!(worker.stop(), 0);
}

#[test]
fn what_kafka_does_not_have_is_said_and_ends_the_run() {
    let Some(broker) = broker::shared() else { return };
    broker.create_topic("there", 1, &[]).expect("created");
    produce(broker, "there", 0, &DEPLOYER.arrivals(1, 10, 1, 1)[0]);
    let cases = [
        ("not-there", "", "", "Kafka has no topic not-there"),
        ("there", "alerts: {topic: no-alerts}\n", "", "Kafka has no topic no-alerts"),
        ("there", "", "error", "kafka.start: earliest"),
    ];
    for (topic, more, start, expected) in cases {
        let sources = [("deployer", topic, DEPLOYER.source)];
        let mut config = config(&broker.bootstrap(), "lacking", &sources, more);
        if !start.is_empty() {
            config = config.replace("start: earliest", &format!("start: {start}"));
        }
        let place = Place::new(&config, RULES);
        let mut worker = place.start(&[]);
        assert_eq!(worker.wait(), 1);
        let said = worker.said();
        assert!(said.contains(expected) && said.contains("hint: "), "{said}");
    }
}

#[test]
fn credentials_come_from_files_and_the_environment_and_a_broker_may_come_and_go() {
    let options = Options { sasl: Some(("ci".into(), "right-horse".into())), ..Options::default() };
    let Ok(broker) = Broker::start(&options) else { return };
    broker.create_topic("guarded", 1, &[]).expect("created");
    broker.create_topic("alerts", 1, &[]).expect("created");
    let arrivals = DEPLOYER.arrivals(60, 2_000, 60, 1);
    let (first, rest) = arrivals[0].split_at(1_000);
    produce(&broker, "guarded", 0, first);
    let sources = [("deployer", "guarded", DEPLOYER.source)];
    let sasl =
        "  properties:\n    security.protocol: SASL_PLAINTEXT\n    sasl.mechanism: PLAIN\n    sasl.username: ci\n";
    let bootstrap = broker.sasl_bootstrap().expect("asked for");
    let place_with = |secret: &str| {
        let config = config(&bootstrap, "guarded", &sources, "alerts: {topic: alerts}\n");
        let secrets = format!("  secrets: {{sasl.password: {{{secret}}}}}\n{sasl}");
        Place::new(&config.replace("  properties:\n", &secrets), RULES)
    };

    let wrong = place_with("env: KAFKA_PASSWORD");
    let mut worker = wrong.start_with(&[], &[("KAFKA_PASSWORD", "wrong-battery")]);
    assert_eq!(worker.wait(), 1);
    let said = worker.said();
    assert!(said.contains("sasl.password") && !said.contains("wrong-battery"), "{said}");
    let mut worker = wrong.start(&[]);
    assert_eq!(worker.wait(), 1);
    assert!(worker.said().contains("KAFKA_PASSWORD is not set"), "{}", worker.said());

    let place = place_with("file: password");
    fs::write(place.path("password"), "right-horse\n").expect("written");
    let mut worker = place.start(&[]);
    worker.until_read(first.len() as u64);
    worker.until("it is ready", |worker| worker.get("/readyz").0 == 200);
    broker.stop();
    worker.until("it is not ready", |worker| worker.get("/readyz").0 == 503);
    assert_eq!(worker.get("/healthz").0, 200);
    broker.run().expect("started again");
    produce(&broker, "guarded", 0, rest);
    worker.until_read(arrivals[0].len() as u64);
    worker.until("it is ready again", |worker| worker.get("/readyz").0 == 200);
    assert_eq!(worker.stop(), 0);
    place.run_to_the_end();
    let file = place.lines("all.jsonl", &arrivals[0]);
    let expected = place.replay_files(&[DEPLOYER.replay, &["--lateness", "60s"]].concat(), &[file]);
    assert_eq!(told(&alerts(&broker, "alerts")), told(&expected));
}

#[test]
fn topics_that_transactions_wrote_end_behind_their_markers_and_fall_idle() {
    let Some(broker) = broker::shared() else { return };
    let mut config_of = ClientConfig::new();
    let producer: BaseProducer = config_of
        .set("bootstrap.servers", broker.bootstrap())
        .set("transactional.id", "run-markers")
        .create()
        .expect("a producer");
    let wait = Duration::from_secs(20);
    producer.init_transactions(wait).expect("starts");
    for topic in ["marked-a", "marked-b"] {
        broker.create_topic(topic, 1, &[]).expect("created");
        for (line, commit) in [(DEPLOYER.matching(1, START_MS), true), ("taken back".to_owned(), false)] {
            producer.begin_transaction().expect("begins");
            producer.send(BaseRecord::<str, str>::to(topic).partition(0).payload(&line)).expect("queued");
            producer.flush(wait).expect("written");
            let ended = if commit { producer.commit_transaction(wait) } else { producer.abort_transaction(wait) };
            ended.expect("ends");
        }
    }
    let sources = [("deployer", "marked-a, marked-b", DEPLOYER.source)];
    let place = Place::new(&config(&broker.bootstrap(), "marked", &sources, "idle_after: 1s\n"), RULES);
    let mut worker = place.start(&[]);
    worker.until_read(2);
    let idle = |name: &str| {
        place.read_lines("state/control.jsonl").iter().any(|line| line.contains("idle") && line.contains(name))
    };
    worker.until("both are idle", |_| idle("marked-a/0") && idle("marked-b/0"));
    assert_eq!(worker.stop(), 0);

    let other = Place::new(&config(&broker.bootstrap(), "marked-to-the-end", &sources, ""), RULES);
    other.run_to_the_end();
    let states: Vec<Value> = other.read("state/seal.jsonl").iter().map(|record| record["state"].clone()).collect();
    assert_eq!(states, ["firing", "expired"]);
}
