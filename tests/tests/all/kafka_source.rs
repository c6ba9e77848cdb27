//! The Kafka source against a real broker: nothing lost, nothing doubled, to the end and not further.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use harness::broker::{self, Broker};
use ingest::kafka::{Batch, Connection, KafkaError, KafkaSettings, Offsets, RecordTime, Retry, TopicPartition};
use ingest::source::kafka::{KafkaSource, Polled, Reading, Reset};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};

pub(crate) const WAIT: Duration = Duration::from_millis(100);
/// Polls of at most `WAIT` each before a test gives up: half a minute.
pub(crate) const PATIENCE: usize = 300;
pub(crate) const FEW: Retry =
    Retry { attempts: 3, first_wait: Duration::from_millis(150), longest_wait: Duration::from_millis(400) };

pub(crate) fn settings(bootstrap: &str) -> KafkaSettings {
    let quick = [("reconnect.backoff.max.ms", "200"), ("heartbeat.interval.ms", "300")];
    KafkaSettings {
        bootstrap: bootstrap.into(),
        client_id: "pipewarden-tests".into(),
        properties: quick.map(|(k, v)| (k.to_owned(), v.to_owned())).into(),
        secrets: BTreeMap::new(),
    }
}

pub(crate) fn connection(bootstrap: &str) -> Connection {
    settings(bootstrap).resolve(&|_| Err("no secrets here".into())).expect("good settings")
}

pub(crate) fn group(topics: &[&str], group: &str, reset: Reset) -> Reading {
    let topics = topics.iter().map(|topic| (*topic).to_owned()).collect();
    Reading::Group { topics, group: group.into(), instance: None, reset }
}

pub(crate) fn open(broker: &Broker, reading: &Reading) -> KafkaSource {
    KafkaSource::open(&connection(&broker.bootstrap()), reading, &Retry::default(), &mut |_| ()).expect("opens")
}

pub(crate) fn produce(broker: &Broker, topic: &str, partition: i32, texts: impl Iterator<Item = String>) {
    let texts: Vec<String> = texts.collect();
    let records: Vec<(Option<&[u8]>, &[u8])> = texts.iter().map(|text| (None, text.as_bytes())).collect();
    broker.produce(topic, partition, &records).expect("produced");
}

pub(crate) fn at(topic: &str, partition: i32) -> TopicPartition {
    TopicPartition::new(topic, partition)
}

/// (partition, offset, payload) of every record in the batch.
pub(crate) fn contents(batch: &Batch) -> Vec<(i32, i64, String)> {
    let text = |payload: Option<&[u8]>| String::from_utf8(payload.unwrap_or_default().to_vec()).expect("text");
    batch.iter().map(|record| (record.at.partition, record.offset, text(record.payload))).collect()
}

/// Reads until `count` records came, commits nothing, passes over retryable errors.
pub(crate) fn read(source: &mut KafkaSource, count: usize) -> Vec<(i32, i64, String)> {
    let (mut batch, mut got) = (Batch::new(), Vec::new());
    // By time and not by polls: while a broker comes back they return at once, each with an error.
    let deadline = Instant::now() + 2 * WAIT * PATIENCE as u32;
    while got.len() < count && Instant::now() < deadline {
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
    let (mut revoked, mut produced, mut failed_commits) = (0, 0, 0);
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
                }
                Polled::Revoked { partitions, lost } => {
                    assert!(!lost);
                    revoked += partitions.len();
                }
                Polled::Error(error) => assert!(error.is_retryable(), "{error}"),
                _ => {}
            }
            // While the group changes a commit can be refused; the next one covers what it would have.
            match member.commit(&member.positions().clone()) {
                Ok(foreign) => assert_eq!(foreign, []),
                Err(error) => {
                    assert!(error.is_retryable(), "{error}");
                    failed_commits += 1;
                }
            }
        }
        if round > 100 && seen.len() == 4 * 500 {
            break;
        }
    }
    assert_eq!(seen.len(), 4 * 500, "every record, whoever read it");
    assert_eq!(revoked, 2, "the newcomer took half of the partitions over");
    assert!(repeated == 0 || failed_commits > 0, "{repeated} records came twice though every commit was taken");
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
fn a_cloudevent_in_binary_mode_is_read_as_one_in_structured_mode() {
    let Some(broker) = broker::shared() else { return };
    broker.create_topic("cloudevents", 1, &[]).expect("created");
    let producer: BaseProducer =
        rdkafka::ClientConfig::new().set("bootstrap.servers", broker.bootstrap()).create().expect("a producer");
    let headers = |content_type: &str| {
        let mut headers = OwnedHeaders::new();
        let attributes = [("ce_specversion", "1.0"), ("ce_id", "e-1"), ("ce_source", "/ci/\"x\""), ("ce_type", "a.b")];
        for (key, value) in attributes.into_iter().chain([("content-type", content_type)]) {
            headers = headers.insert(Header { key, value: Some(value) });
        }
        headers.insert(Header { key: "other", value: Some("kept apart") })
    };
    let other = OwnedHeaders::new().insert(Header { key: "content-type", value: Some("application/json") });
    let structured = headers("application/cloudevents+json");
    let body = "{\"n\" : 1.50}";
    for (headers, payload) in [
        (headers("application/json"), Some(body)),
        (headers("text/plain"), Some("plain")),
        (headers("application/json"), None),
        (structured, Some(body)),
        (other, Some(body)),
    ] {
        let record = BaseRecord::<str, str>::to("cloudevents").partition(0).headers(headers);
        producer.send(payload.iter().fold(record, |record, payload| record.payload(payload))).expect("queued");
    }
    producer.flush(Duration::from_secs(20)).expect("delivered");

    let mut source = open(broker, &Reading::From(Offsets::from([(at("cloudevents", 0), 0)])));
    let payloads: Vec<String> = read(&mut source, 5).into_iter().map(|(.., payload)| payload).collect();
    let event = |media: &str, data: &str| {
        let attributes = r#""specversion":"1.0","id":"e-1","source":"/ci/\"x\"","type":"a.b""#;
        format!(r#"{{{attributes},"datacontenttype":"{media}"{data}}}"#)
    };
    let wanted = [
        event("application/json", ",\"data\":{\"n\" : 1.50}"),
        event("text/plain", ",\"data_base64\":\"cGxhaW4=\""),
        event("application/json", ""),
        body.to_owned(),
        body.to_owned(),
    ];
    assert_eq!(payloads, wanted);
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
fn only_committed_records_are_read_and_the_end_behind_aborted_ones_is_seen() {
    let Some(broker) = broker::shared() else { return };
    broker.create_topic("aborted", 1, &[]).expect("created");
    let producer: BaseProducer = rdkafka::ClientConfig::new()
        .set("bootstrap.servers", broker.bootstrap())
        .set("transactional.id", "aborted")
        .create()
        .expect("a producer");
    producer.init_transactions(Duration::from_secs(20)).expect("starts");
    for (text, commit) in [("kept", true), ("taken back", false)] {
        producer.begin_transaction().expect("begins");
        producer.send(BaseRecord::<str, str>::to("aborted").partition(0).payload(text)).expect("queued");
        producer.flush(Duration::from_secs(20)).expect("written");
        if commit {
            producer.commit_transaction(Duration::from_secs(20)).expect("commits");
        } else {
            producer.abort_transaction(Duration::from_secs(20)).expect("aborts");
        }
    }
    let mut source = open(broker, &Reading::From(Offsets::from([(at("aborted", 0), 0)])));
    assert_eq!(source.end_offsets().expect("asks"), Offsets::from([(at("aborted", 0), 4)]));
    let (mut batch, mut got, mut ended) = (Batch::new(), Vec::new(), false);
    for _ in 0..PATIENCE {
        match source.poll(&mut batch, 100, WAIT) {
            Polled::Records => got.extend(contents(&batch)),
            Polled::End(end) => {
                assert_eq!(end, at("aborted", 0));
                ended = true;
                break;
            }
            other => assert_eq!(other, Polled::Idle),
        }
    }
    assert!(ended);
    assert_eq!(got, [(0, 0, "kept".to_owned())]);
}
