//! Every shape of secret through every format of one running worker, over Kafka: all that it leaves anywhere is searched.
//!
//! The same lines as `redaction_formats.rs` replays. The run ends when every line has been read, whatever was told of it; it
//! must have told enough, or nothing has been searched.

use std::fs;
use std::path::Path;

use harness::broker::{self, Broker};
use harness::worker::{Place, Worker};
use ingest::format::FORMATS;

use crate::redaction_formats::{bases, leaks, lines, own_rules, parts, raw_rule};
use crate::run_events::{config, produce};
use crate::secrets::secrets;

const ALERTS: &str = "redact-alerts";
const PROVISIONAL: &str = "redact-early";

/// At least so many records stand in each channel.
const RECORDS_MIN: usize = 1_000;

/// Every fourth line of each format, beginning with another one each: replays read all of them.
const STRIDE: usize = 4;

/// All files below a folder, with their names.
fn files(folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        if entry.path().is_dir() {
            files(&entry.path(), found);
        } else {
            let bytes = fs::read(entry.path()).expect("a file");
            found.push((entry.path().display().to_string(), String::from_utf8_lossy(&bytes).into_owned()));
        }
    }
}

/// Keys and values of a topic.
fn topic(broker: &Broker, name: &str) -> String {
    let texts = broker.read_all(name).expect("read").into_iter().flat_map(|(key, value, ..)| [key, value]);
    texts.flatten().map(|bytes| String::from_utf8_lossy(&bytes).into_owned() + "\n").collect()
}

/// How many records stand in a topic, each as a key and a value.
fn records(topic: &str) -> usize {
    topic.lines().count() / 2
}

/// Puts the lines of every format into a topic of its own: the sources, and how many lines there are.
fn fill(broker: &Broker) -> (Vec<[String; 3]>, u64) {
    let bases = bases();
    let (mut sources, mut count) = (Vec::new(), 0);
    for (number, format) in FORMATS.iter().enumerate() {
        let topic = format!("redact-{}", format.name);
        let what = match format.name {
            "json" => "format: json, time: time, logsource: {category: test}".to_owned(),
            // An envelope and what stands in it.
            "cloudevents" => "format: [cloudevents, github-audit]".to_owned(),
            name => format!("format: {name}"),
        };
        let known = bases.get(format.name).unwrap_or_else(|| panic!("{}: no record of it is known", format.name));
        let lines: Vec<String> =
            lines(known).lines().skip(number % STRIDE).step_by(STRIDE).map(str::to_owned).collect();
        broker.create_topic(&topic, 1, &[]).expect("created");
        produce(broker, &topic, 0, &lines);
        count += lines.len() as u64;
        sources.push([format.name.to_owned(), topic, what]);
    }
    (sources, count)
}

fn until_all_is_read(worker: &mut Worker, lines: u64) {
    worker.until("all lines are read", |worker| worker.metric("pipewarden_position", "redact-") == lines);
}

#[test]
fn no_shape_leaves_a_running_worker() {
    let Some(broker) = broker::shared() else { return };
    let (sources, lines) = fill(broker);
    for topic in [ALERTS, PROVISIONAL] {
        broker.create_topic(topic, 1, &[]).expect("created");
    }
    let sources: Vec<(&str, &str, &str)> =
        sources.iter().map(|[name, topic, what]| (name.as_str(), topic.as_str(), what.as_str())).collect();
    let more = format!(
        "alerts: {{topic: {ALERTS}, provisional_topic: {PROVISIONAL}, file: alerts.jsonl, dead_letters: dead.jsonl}}\n"
    );
    let rules = own_rules() + &(0..FORMATS.len()).map(raw_rule).collect::<String>();
    let place = Place::new(&config(&broker.bootstrap(), "redact", &sources, &more), &rules);
    let mut worker = place.start(&[]);
    until_all_is_read(&mut worker, lines);
    let mut outputs = vec![("metrics".to_owned(), worker.get("/metrics").1)];
    assert_eq!(worker.stop(), 0);
    // What was not sealed when it stopped is told at its end.
    place.run_to_the_end();
    for name in [ALERTS, PROVISIONAL] {
        let told = topic(broker, name);
        assert!(records(&told) >= RECORDS_MIN, "{name}: {} records", records(&told));
        outputs.push((name.to_owned(), told));
    }
    files(&place.path(""), &mut outputs);
    let file = |end: &str| outputs.iter().find(|(name, _)| name.ends_with(end)).map_or("", |(_, text)| text.as_str());
    assert!(file("seal.jsonl").lines().count() >= RECORDS_MIN, "the seal log is searched");
    assert!(
        file("dead.jsonl").lines().count() >= FORMATS.len() * secrets().len() / STRIDE,
        "dead letters are searched"
    );
    assert!(file("stderr.log").lines().count() > 0, "logs are searched");
    let (parts, mut found) = (parts(), String::new());
    outputs.iter().for_each(|(name, output)| leaks(name, output, &parts, &mut found));
    assert!(found.is_empty(), "{}\n{found}", found.lines().count());
}
