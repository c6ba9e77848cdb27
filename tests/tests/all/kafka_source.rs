//! The Kafka source and producer against a real broker: nothing lost, nothing doubled, and each failure in plain words.

use std::collections::BTreeMap;
use std::time::Duration;

use harness::broker::{self, Broker, Options};
use ingest::kafka::{
    Attempt, Batch, Connection, KafkaError, KafkaSettings, Offsets, Producer, RecordTime, Retry, SecretFrom,
    TopicPartition,
};
use ingest::source::kafka::{KafkaSource, Polled, Reading, Reset};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};

const WAIT: Duration = Duration::from_millis(100);
/// Polls of at most `WAIT` each before a test gives up: half a minute.
const PATIENCE: usize = 300;
const FEW: Retry =
    Retry { attempts: 3, first_wait: Duration::from_millis(150), longest_wait: Duration::from_millis(400) };

fn settings(bootstrap: &str) -> KafkaSettings {
    let quick = [("reconnect.backoff.max.ms", "200"), ("topic.metadata.refresh.interval.ms", "1000")];
    KafkaSettings {
        bootstrap: bootstrap.into(),
        client_id: "pipewarden-tests".into(),
        properties: quick.map(|(k, v)| (k.to_owned(), v.to_owned())).into(),
        secrets: BTreeMap::new(),
    }
}

fn connection(bootstrap: &str) -> Connection {
    settings(bootstrap).resolve(&|_| Err("no secrets here".into())).expect("good settings")
}

fn group(topics: &[&str], group: &str, reset: Reset) -> Reading {
    let topics = topics.iter().map(|topic| (*topic).to_owned()).collect();
    Reading::Group { topics, group: group.into(), instance: None, reset }
}

fn open(broker: &Broker, reading: &Reading) -> KafkaSource {
    KafkaSource::open(&connection(&broker.bootstrap()), reading, &Retry::default(), &mut |_| ()).expect("opens")
}

fn produce(broker: &Broker, topic: &str, partition: i32, texts: impl Iterator<Item = String>) {
    let texts: Vec<String> = texts.collect();
    let records: Vec<(Option<&[u8]>, &[u8])> = texts.iter().map(|text| (None, text.as_bytes())).collect();
    broker.produce(topic, partition, &records).expect("produced");
}

fn at(topic: &str, partition: i32) -> TopicPartition {
    TopicPartition::new(topic, partition)
}

/// (partition, offset, payload) of every record in the batch.
fn contents(batch: &Batch) -> Vec<(i32, i64, String)> {
    let text = |payload: Option<&[u8]>| String::from_utf8(payload.unwrap_or_default().to_vec()).expect("text");
    batch.iter().map(|record| (record.at.partition, record.offset, text(record.payload))).collect()
}

/// Reads until `count` records came, commits nothing, passes over retryable errors.
fn read(source: &mut KafkaSource, count: usize) -> Vec<(i32, i64, String)> {
    let (mut batch, mut got) = (Batch::new(), Vec::new());
    for _ in 0..PATIENCE {
        if got.len() >= count {
            break;
        }
        match source.poll(&mut batch, count - got.len(), WAIT) {
            Polled::Records => got.extend(contents(&batch)),
            Polled::Error(error) => assert!(error.is_retryable(), "{error}"),
            _ => {}
        }
    }
    got
}

/// Polls until a permanent error comes.
fn permanent(source: &mut KafkaSource) -> KafkaError {
    let mut batch = Batch::new();
    for _ in 0..PATIENCE {
        match source.poll(&mut batch, 100, WAIT) {
            Polled::Error(error) if !error.is_retryable() => return error,
            Polled::Records => panic!("records instead of an error: {:?}", contents(&batch)),
            _ => {}
        }
    }
    panic!("no permanent error");
}

#[test]
fn a_group_commits_and_resumes_where_it_was() {
    let Some(broker) = broker::shared() else { return };
    broker.create_topic("resume", 2, &[]).expect("created");
    for partition in 0..2 {
        produce(broker, "resume", partition, (0..300).map(|n| format!("{partition}-{n}")));
    }

    let mut fresh = open(broker, &group(&["resume"], "resume", Reset::Error));
    let error = permanent(&mut fresh);
    assert!(matches!(&error, KafkaError::NoCommittedOffset { group, .. } if group == "resume"), "{error}");
    fresh.close();

    let mut first = open(broker, &group(&["resume"], "resume", Reset::Earliest));
    let before = read(&mut first, 250);
    let positions = first.positions().clone();
    assert_eq!(positions.values().sum::<i64>(), 250);
    assert!(first.commit(&positions).expect("commits").is_empty());
    let foreign = Offsets::from([(at("resume", 7), 1)]);
    assert_eq!(first.commit(&foreign).expect("leaves it out"), [at("resume", 7)]);
    read(&mut first, 50);
    first.close();

    // The commit names where to go on, so this needs no reset; what was read behind it comes again.
    let mut second = open(broker, &group(&["resume"], "resume", Reset::Error));
    assert_eq!(second.committed().expect("asks"), positions);
    let after = read(&mut second, 350);
    let mut all: Vec<_> = before.into_iter().chain(after).collect();
    all.sort();
    let expected = (0..2).flat_map(|p| (0..300).map(move |n| (p, n, format!("{p}-{n}"))));
    let mut expected: Vec<_> = expected.collect();
    expected.sort();
    assert_eq!(all, expected);
}

#[test]
fn two_members_share_a_topic_and_lose_nothing() {
    let Some(broker) = broker::shared() else { return };
    broker.create_topic("shared", 4, &[]).expect("created");
    let reading = group(&["shared"], "shared", Reset::Earliest);
    let mut members = vec![open(broker, &reading)];
    let (mut batch, mut seen, mut repeated) = (Batch::new(), BTreeMap::new(), 0);
    let (mut revoked, mut produced) = (0, 0);
    for round in 0..PATIENCE {
        if round % 10 == 0 && round < 100 {
            for partition in 0..4 {
                produce(broker, "shared", partition, (0..50).map(|n| format!("{}", produced + n)));
            }
            produced += 50;
        }
        if round == 30 {
            members.push(open(broker, &reading));
        }
        if round == 70 {
            members.remove(0).close();
        }
        for member in &mut members {
            match member.poll(&mut batch, 20, Duration::from_millis(20)) {
                Polled::Records => {
                    for (partition, offset, text) in contents(&batch) {
                        assert_eq!(offset.to_string(), text);
                        repeated += usize::from(seen.insert((partition, offset), ()).is_some());
                    }
                    // Both commit before anything can be revoked, so that nothing has to be read twice.
                    let foreign = member.commit(&batch.next_offsets()).expect("commits");
                    assert_eq!(foreign, []);
                }
                Polled::Revoked { partitions, lost } => {
                    assert!(!lost);
                    revoked += partitions.len();
                }
                Polled::Error(error) => assert!(error.is_retryable(), "{error}"),
                _ => {}
            }
        }
        if round > 100 && seen.len() == 4 * 500 {
            break;
        }
    }
    assert_eq!(seen.len(), 4 * 500, "every record, whoever read it");
    assert_eq!((repeated, revoked), (0, 2), "the newcomer took two partitions over, exactly where they were left");
}

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
    let error = KafkaSource::open(&wrong, &reading, &FEW, &mut |attempt| attempts.push(attempt.clone()));
    let error = error.err().expect("refused");
    assert!(matches!(error, KafkaError::Authentication { .. }) && !error.is_retryable(), "{error}");
    assert!(error.hint().contains("sasl.password"), "{}", error.hint());
    assert_eq!(attempts, [], "trying again does not help");
    let said = format!("{error} {error:?} {} {wrong:?} {settings:?}", error.hint());
    assert!(!said.contains("wrong-battery"), "{said}");
    let error = Producer::open(&wrong, &["guarded"], &FEW, &mut |_| ()).err().expect("refused");
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
        let reading = Reading::From(Offsets::from([(at("events", 0), 690)]));
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
fn a_recorded_stretch_is_read_to_its_end_with_all_that_a_record_carries() {
    let Some(broker) = broker::shared() else { return };
    broker.create_topic("claimed", 1, &[]).expect("created");
    broker.create_topic("appended", 1, &[("message.timestamp.type", "LogAppendTime")]).expect("created");
    let producer: BaseProducer =
        rdkafka::ClientConfig::new().set("bootstrap.servers", broker.bootstrap()).create().expect("a producer");
    let headers = OwnedHeaders::new()
        .insert(Header { key: "source", value: Some("github") })
        .insert(Header { key: "empty", value: None::<&str> });
    let full = BaseRecord::to("claimed").partition(0).key("").payload("body").timestamp(1_234).headers(headers);
    producer.send(full).expect("queued");
    producer.send(BaseRecord::<[u8], [u8]>::to("claimed").partition(0).timestamp(5)).expect("queued");
    producer.send(BaseRecord::to("appended").partition(0).key("k").payload("x").timestamp(1_234)).expect("queued");
    producer.flush(Duration::from_secs(20)).expect("delivered");

    let stretch = Offsets::from([(at("claimed", 0), 0), (at("appended", 0), 0)]);
    let mut source = open(broker, &Reading::From(stretch));
    let ends = Offsets::from([(at("claimed", 0), 2), (at("appended", 0), 1)]);
    assert_eq!(source.end_offsets().expect("asks"), ends);
    let refused = source.commit(&ends).expect_err("no group");
    assert!(matches!(refused, KafkaError::NoGroup { .. }), "{refused}");

    let (mut batch, mut ended, mut seen) = (Batch::new(), std::collections::BTreeSet::new(), 0);
    for _ in 0..PATIENCE {
        if ended.len() == 2 {
            break;
        }
        match source.poll(&mut batch, 100, WAIT) {
            Polled::End(at) => drop(ended.insert(at)),
            Polled::Records => seen += batch.len(),
            other => assert_eq!(other, Polled::Idle),
        }
        for record in batch.iter() {
            let headers: Vec<_> = record.headers.iter().collect();
            match (&*record.at.topic, record.offset) {
                ("claimed", 0) => {
                    assert_eq!((record.key, record.payload), (Some(&b""[..]), Some(&b"body"[..])));
                    assert_eq!(record.time, RecordTime::Created(1_234));
                    assert_eq!(headers, [(&b"source"[..], Some(&b"github"[..])), (&b"empty"[..], None)]);
                }
                ("claimed", 1) => assert_eq!((record.key, record.payload), (None, None)),
                (_, offset) => {
                    assert_eq!((record.key, offset, headers.len()), (Some(&b"k"[..]), 0, 0));
                    assert!(record.time.append_time_ms().is_some_and(|ms| ms > 1_000_000), "{:?}", record.time);
                }
            }
        }
    }
    assert_eq!((seen, source.positions()), (3, &ends));
    assert_eq!(ended.into_iter().collect::<Vec<_>>(), ends.into_keys().collect::<Vec<_>>());
}

#[test]
fn an_offset_that_retention_took_is_an_error_unless_the_gap_is_accepted() {
    let Some(broker) = broker::shared() else { return };
    broker.create_topic("trimmed", 1, &[]).expect("created");
    produce(broker, "trimmed", 0, (0..10).map(|n| n.to_string()));
    let mut source = open(broker, &group(&["trimmed"], "trimmed", Reset::Earliest));
    read(&mut source, 2);
    source.commit(&Offsets::from([(at("trimmed", 0), 2)])).expect("commits");
    source.close();
    broker.delete_records("trimmed", 0, 5).expect("deleted");

    let expected = KafkaError::OffsetOutOfRange { at: at("trimmed", 0), offset: 2, low: 5, high: 10 };
    let mut strict = open(broker, &group(&["trimmed"], "trimmed", Reset::Error));
    let error = permanent(&mut strict);
    assert_eq!(error, expected);
    assert!(error.hint().contains("auto.offset.reset"), "{}", error.hint());
    strict.close();
    let stretch = Reading::From(Offsets::from([(at("trimmed", 0), 2)]));
    let refused = KafkaSource::open(&connection(&broker.bootstrap()), &stretch, &FEW, &mut |_| ()).err();
    assert_eq!(refused, Some(expected));

    let mut lenient = open(broker, &group(&["trimmed"], "trimmed", Reset::Earliest));
    assert_eq!(read(&mut lenient, 5).first(), Some(&(0, 5, "5".to_owned())));
}

#[test]
fn a_paused_partition_waits_and_the_others_do_not() {
    let Some(broker) = broker::shared() else { return };
    broker.create_topic("paused", 2, &[]).expect("created");
    let mut source = open(broker, &Reading::From(Offsets::from([(at("paused", 0), 0), (at("paused", 1), 0)])));
    source.pause(&[at("paused", 0)]).expect("pauses");
    for partition in 0..2 {
        produce(broker, "paused", partition, (0..20).map(|n| n.to_string()));
    }
    assert!(read(&mut source, 20).iter().all(|(partition, ..)| *partition == 1));
    assert_eq!(source.positions(), &Offsets::from([(at("paused", 0), 0), (at("paused", 1), 20)]));
    source.resume(&[at("paused", 0)]).expect("resumes");
    assert!(read(&mut source, 20).iter().all(|(partition, ..)| *partition == 0));
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
