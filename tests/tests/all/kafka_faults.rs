//! Kafka when it is away, refuses us or loses something: each failure in plain words, and what can be waited out is.

use std::time::Duration;

use harness::broker::{self, Broker, Options};
use ingest::kafka::{Attempt, Batch, KafkaError, Offsets, Producer, Retry, SecretFrom};
use ingest::source::kafka::{KafkaSource, Polled, Reading, Reset};

use crate::kafka_source::{FEW, PATIENCE, WAIT, at, connection, contents, group, open, produce, read, settings};

#[test]
fn a_topic_that_does_not_exist_is_named_with_those_that_do() {
    let Some(broker) = broker::shared() else { return };
    broker.create_topic("known-topic", 1, &[]).expect("created");
    let asked = group(&["known-topic", "knwon-topic"], "g", Reset::Earliest);
    let connection = connection(&broker.bootstrap());
    let error = KafkaSource::open(&connection, &asked, &FEW, &mut |_| ()).err().expect("refused");
    assert!(matches!(&error, KafkaError::UnknownTopic { topic, .. } if topic == "knwon-topic"), "{error}");
    assert!(!error.is_retryable() && error.to_string().contains("known-topic"), "{error}");
    let error = Producer::open(&connection, &["nowhere"], &FEW, &mut |_| ()).err().expect("refused");
    assert!(matches!(error, KafkaError::UnknownTopic { .. }), "{error}");

    let stretch = Reading::From(Offsets::from([(at("known-topic", 3), 0)]));
    let error = KafkaSource::open(&connection, &stretch, &FEW, &mut |_| ()).err().expect("refused");
    assert_eq!(error, KafkaError::UnknownPartition { at: at("known-topic", 3), partitions: 1 });
}

#[test]
fn wrong_credentials_are_permanent_and_never_printed() {
    let options = Options { sasl: Some(("ci".into(), "right-horse".into())), ..Options::default() };
    let Ok(broker) = Broker::start(&options) else { return };
    broker.create_topic("guarded", 1, &[]).expect("created");
    let mut settings = settings(&broker.sasl_bootstrap().expect("asked for"));
    for (property, value) in
        [("security.protocol", "SASL_PLAINTEXT"), ("sasl.mechanism", "PLAIN"), ("sasl.username", "ci")]
    {
        settings.properties.insert(property.into(), value.into());
    }
    settings.secrets.insert("sasl.password".into(), SecretFrom::Env("KAFKA_PASSWORD".into()));
    let reading = group(&["guarded"], "guarded", Reset::Earliest);

    let wrong = settings.resolve(&|_| Ok("wrong-battery".into())).expect("good settings");
    let mut attempts = Vec::new();
    // A broker answers wrong credentials after a delay of its own, a tenth of a second and more.
    let calm = Retry { first_wait: Duration::from_secs(5), longest_wait: Duration::from_secs(5), ..FEW };
    let error = KafkaSource::open(&wrong, &reading, &calm, &mut |attempt| attempts.push(attempt.clone()));
    let error = error.err().expect("refused");
    assert!(matches!(error, KafkaError::Authentication { .. }) && !error.is_retryable(), "{error}");
    assert!(error.hint().contains("sasl.password"), "{}", error.hint());
    assert_eq!(attempts, [], "trying again does not help");
    let said = format!("{error} {error:?} {} {wrong:?} {settings:?}", error.hint());
    assert!(!said.contains("wrong-battery"), "{said}");
    let error = Producer::open(&wrong, &["guarded"], &calm, &mut |_| ()).err().expect("refused");
    assert!(matches!(error, KafkaError::Authentication { .. }), "{error}");

    let right = settings.resolve(&|_| Ok("right-horse\n".into())).expect("good settings");
    produce(&broker, "guarded", 0, ["hello".to_owned()].into_iter());
    let mut source = KafkaSource::open(&right, &reading, &Retry::default(), &mut |_| ()).expect("opens");
    assert_eq!(read(&mut source, 1), [(0, 0, "hello".to_owned())]);
}

#[test]
fn an_unreachable_broker_is_tried_with_growing_patience() {
    if broker::shared().is_none() {
        return;
    }
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a port").to_string();
    let mut attempts: Vec<Attempt> = Vec::new();
    let reading = group(&["any"], "any", Reset::Error);
    let opened = KafkaSource::open(&connection(&nobody), &reading, &FEW, &mut |attempt| attempts.push(attempt.clone()));
    let error = opened.err().expect("nobody answers");
    assert!(matches!(&error, KafkaError::Unreachable { attempts: 3, .. }) && error.is_retryable(), "{error}");
    assert!(error.to_string().contains(&nobody) && error.to_string().contains("refused"), "{error}");
    let waits: Vec<_> = attempts.iter().map(|attempt| attempt.next_wait.map(|wait| wait.as_millis())).collect();
    assert_eq!(waits, [Some(300), Some(400), None]);
    assert!(attempts.iter().all(|attempt| attempt.error.hint().contains("bootstrap")));
}

#[test]
fn a_broker_that_goes_away_and_comes_back_costs_nothing() {
    let Ok(broker) = Broker::start(&Options::default()) else { return };
    broker.create_topic("events", 1, &[]).expect("created");
    produce(&broker, "events", 0, (0..500).map(|n| n.to_string()));
    let reading = group(&["events"], "events", Reset::Earliest);
    let mut source = open(&broker, &reading);
    let mut got = read(&mut source, 200);
    source.commit(&source.positions().clone()).expect("commits");

    let producer = Producer::open(&connection(&broker.bootstrap()), &["events"], &FEW, &mut |_| ()).expect("opens");
    producer.send("events", None, b"500").expect("queued");
    producer.flush(Duration::from_secs(20)).expect("acknowledged");
    assert_eq!(producer.in_flight(), 0);

    broker.stop();
    for n in 501..700 {
        producer.send("events", None, n.to_string().as_bytes()).expect("queued");
    }
    let error = producer.flush(Duration::from_millis(300)).expect_err("nobody acknowledges");
    assert_eq!(error, KafkaError::NotFlushed { waiting: 199, timeout_ms: 300 });
    assert!(error.is_retryable());
    let mut batch = Batch::new();
    for _ in 0..5 {
        match source.poll(&mut batch, 1000, WAIT) {
            Polled::Records => got.extend(contents(&batch)),
            Polled::Error(error) => assert!(error.is_retryable(), "{error}"),
            _ => {}
        }
    }
    // A worker that starts now waits for the broker instead of giving up.
    let bootstrap = broker.bootstrap();
    let waiting = std::thread::spawn(move || {
        let reading = Reading::From(Offsets::from([(at("events", 0), 490)]));
        let mut attempts = 0;
        let patient = Retry { attempts: 8, ..Retry::default() };
        let source = KafkaSource::open(&connection(&bootstrap), &reading, &patient, &mut |_| attempts += 1);
        source.map(|mut source| (read(&mut source, 10).len(), attempts))
    });
    std::thread::sleep(Duration::from_secs(1));
    broker.run().expect("started again");

    producer.flush(Duration::from_secs(30)).expect("acknowledged after all");
    let (late, attempts) = waiting.join().expect("no panic").expect("opens once the broker is there");
    assert!(late == 10 && attempts > 0, "{late} records after {attempts} attempts");
    let missing = 700 - got.len();
    got.extend(read(&mut source, missing));
    let expected: Vec<_> = (0..700).map(|n| (0, n, n.to_string())).collect();
    assert_eq!(got, expected);
    let mut committed = source.commit(&source.positions().clone());
    for _ in 0..PATIENCE {
        // The session may have ended meanwhile; then the member joins again while it polls.
        if committed.as_ref().is_ok_and(Vec::is_empty) {
            break;
        }
        source.poll(&mut batch, 1, WAIT);
        committed = source.commit(&source.positions().clone());
    }
    assert_eq!(source.committed().expect("asks"), Offsets::from([(at("events", 0), 700)]));
}

#[test]
fn a_producer_says_which_record_was_not_taken_and_stays_failed() {
    let Some(broker) = broker::shared() else { return };
    broker.create_topic("narrow", 1, &[("max.message.bytes", "1000")]).expect("created");
    let producer = Producer::open(&connection(&broker.bootstrap()), &["narrow"], &FEW, &mut |_| ()).expect("opens");
    for n in 0..50u32 {
        producer.send("narrow", Some(b"key"), &n.to_be_bytes()).expect("queued");
    }
    producer.flush(Duration::from_secs(20)).expect("acknowledged");
    assert_eq!(broker.read_all("narrow").expect("read").len(), 50);

    let noise: Vec<u8> = (0..60_000u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()).collect();
    producer.send("narrow", None, &noise).expect("queued");
    let error = producer.flush(Duration::from_secs(20)).expect_err("too large");
    let named = matches!(&error, KafkaError::NotDelivered { topic, retryable: false, .. } if topic == "narrow");
    assert!(named, "{error}");
    assert_eq!(producer.send("narrow", None, b"after").expect_err("stays failed"), error);
}
