//! A worker's archive: whatever is killed when, each event and each alert stands there once, and nothing is missing.

use std::collections::BTreeMap;

use harness::worker::Place;
use harness::{broker, cli};
use model::Sha256;
use serde_json::Value;

use crate::run_events::{DEPLOYER, GITHUB, RULES, config, produce};

fn rows(place: &Place, sql: &str) -> Vec<String> {
    let archive = place.path("archive").display().to_string();
    let asked = cli::run(["query", "--json", "--rows", "1000000", "--archive", &archive, sql], b"");
    asked.expect_code(0).stdout.lines().map(str::to_owned).collect()
}

#[test]
fn killed_again_and_again_a_worker_archives_every_row_once() {
    let Some(broker) = broker::shared() else { return };
    for topic in ["arch-a", "arch-b", "arch-heads"] {
        broker.create_topic(topic, 1, &[]).expect("created");
    }
    let (github, deployer) = (GITHUB.arrivals(60, 3_000, 60, 1), DEPLOYER.arrivals(61, 3_000, 60, 1));
    let sources = [("github", "arch-a", GITHUB.source), ("deployer", "arch-b", DEPLOYER.source)];
    let more =
        "archive: {folder: archive, key_file: key, heads_topic: arch-heads}\nsnapshot_every: 300ms\nidle_after: 1s\n";
    let of = |group: &str| {
        let config =
            config(&broker.bootstrap(), group, &sources, more).replace("kafka:\n", "kafka:\n  instance: one\n");
        let place = Place::new(&config, RULES);
        std::fs::write(place.path("key"), "5f".repeat(32)).expect("written");
        place
    };
    let place = of("arch");
    let chunks = 5;
    for n in 0..chunks {
        let mut worker = place.start(&[]);
        let part = |lines: &[String]| lines[lines.len() * n / chunks..lines.len() * (n + 1) / chunks].to_vec();
        let a = part(&github[0]);
        let (first, rest) = a.split_at(a.len() / 2);
        produce(broker, "arch-a", 0, first);
        produce(broker, "arch-b", 0, &part(&deployer[0]));
        worker.until_read(first.len() as u64);
        let of_state = |worker: &harness::worker::Worker| worker.metric("pipewarden_snapshots_total", "result=\"ok\"");
        let before = of_state(&worker);
        worker.until("a state is kept", |worker| of_state(worker) > before);
        // Some of it is archived and some is not when the power goes.
        produce(broker, "arch-a", 0, rest);
        worker.until_read((first.len() + rest.len() / 2) as u64);
        worker.kill();
    }
    place.run_to_the_end();
    let whole = of("arch-whole");
    whole.run_to_the_end();

    let events = "SELECT source, partition, \"offset\", id, event_sha256, arrival FROM events \
                  WHERE source <> 'pipewarden' ORDER BY 1, 2, 3, 4";
    let (survived, expected) = (rows(&place, events), rows(&whole, events));
    assert!(expected.len() > 5_900, "{} rows", expected.len());
    assert!(survived == expected, "{} rows instead of {}", survived.len(), expected.len());
    let mut told: BTreeMap<String, usize> = BTreeMap::new();
    for line in place.read_lines("state/seal.jsonl") {
        *told.entry(Sha256::of(line.as_bytes()).hex()).or_default() += 1;
    }
    let mut archived: BTreeMap<String, usize> = BTreeMap::new();
    for row in rows(&place, "SELECT event_sha256 FROM events WHERE source = 'pipewarden'") {
        let row: Value = serde_json::from_str(&row).expect("JSON");
        *archived.entry(row["event_sha256"].as_str().expect("a hash").to_owned()).or_default() += 1;
    }
    assert!(told.len() > 100 && archived == told, "{} alerts archived, {} told", archived.len(), told.len());

    let archive = place.path("archive").display().to_string();
    let key = place.path("key").display().to_string();
    let verified = cli::run(["archive", "verify", "--json", "--key", &key, &archive], b"").expect_code(0).json();
    let heads: Vec<Value> = broker
        .read_all("arch-heads")
        .expect("read")
        .into_iter()
        .map(|(_, value, ..)| serde_json::from_slice(&value.expect("a head")).expect("JSON"))
        .filter(|head: &Value| head["archive"] == archive.as_str())
        .collect();
    assert_eq!(heads.last().expect("a head")["head"], verified["head"]);
    let first = heads.first().expect("a head")["head"].as_str().expect("a hash").to_owned();
    cli::run(["archive", "verify", "--key", &key, "--head", &first, &archive], b"").expect_code(0);
}
