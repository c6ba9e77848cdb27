//! The baseline as a whole: the same bytes each time, enough of everything, in order of arrival, and nothing that reads
//! twice. One pass over thirty days serves the counts.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use std::collections::{BTreeMap, BTreeSet};

use baseline::time::{DAY, HOUR, midnight};
use baseline::{Baseline, Record, false_positives, sources};

const SEED: u64 = 1;
/// Of the bytes, sources and arrivals of the second day of seed 1. Changes with every change of what is said.
const SECOND_DAY: u64 = 0xdcd1_01ab_7964_a990;

fn start() -> i64 {
    midnight("2026-09-01").expect("a date")
}

fn fnv(hash: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(hash, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

fn hash_of(records: impl Iterator<Item = Record>) -> u64 {
    records.fold(0xcbf2_9ce4_8422_2325, |hash, record| {
        let hash = fnv(hash, record.source.as_bytes());
        fnv(fnv(hash, &record.arrival_ms.to_le_bytes()), &record.bytes)
    })
}

fn second_day(seed: u64) -> impl Iterator<Item = Record> {
    let from = start() + DAY;
    Baseline::new(seed, 2, start()).records().filter(move |record| (from..from + DAY).contains(&record.arrival_ms))
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_gives_others() {
    let hash = hash_of(second_day(SEED));
    assert_eq!(hash, SECOND_DAY, "the second day changed: {hash:#x}");
    assert_ne!(hash, hash_of(second_day(SEED + 1)));
}

/// Classes that the model has and that only the worker itself makes.
const DERIVED: [&str; 3] = ["alert", "anomaly", "signal"];

fn classes_of_the_model() -> BTreeSet<String> {
    let page = include_str!("../../../docs/event-model.md");
    let table = page.split("\n## Classes\n").nth(1).expect("the page lists the classes");
    let names = table.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    names.filter(|name| !DERIVED.contains(name)).map(str::to_owned).collect()
}

#[test]
fn thirty_days_have_enough_of_everything() {
    let mut classes: BTreeSet<&str> = BTreeSet::new();
    let mut runs: BTreeMap<i64, u32> = BTreeMap::new();
    let mut planted: BTreeMap<(&str, &str), BTreeSet<i64>> = BTreeMap::new();
    let mut repos: BTreeSet<String> = BTreeSet::new();
    let mut last = i64::MIN;
    for record in Baseline::new(SEED, 30, start()).records() {
        assert!(record.arrival_ms >= last, "a {} of {} arrives before what came", record.class, record.source);
        assert!(record.arrival_ms > record.event_ms, "a {} arrives before it happened", record.class);
        assert!(record.arrival_ms - record.event_ms <= 15 * 60_000, "a {} is under way too long", record.class);
        last = record.arrival_ms;
        classes.insert(record.class);
        let day = (record.event_ms - start()).div_euclid(DAY);
        if record.class == "ci.run" && record.bytes.starts_with(b"{\"action\":\"requested\"") {
            *runs.entry(day).or_default() += 1;
            let text = std::str::from_utf8(&record.bytes).expect("text");
            let name = text.split("\"full_name\":\"").nth(1).and_then(|rest| rest.split('"').next());
            repos.insert(name.expect("a run names its repository").to_owned());
        }
        if let (Some(label), Some(variant)) = (record.label, record.variant) {
            planted.entry((label, variant)).or_default().insert(day);
        }
    }
    let missing: Vec<_> = classes_of_the_model().into_iter().filter(|name| !classes.contains(name.as_str())).collect();
    assert!(missing.is_empty(), "classes that nothing is of: {missing:?}");
    assert_eq!(repos.len(), 300, "repositories that run something");
    for day in 0..30 {
        let count = runs.get(&day).copied().unwrap_or(0);
        assert!(count >= 2_000, "day {day} has {count} runs");
    }
    let (saturday, tuesday, wednesday) = (runs[&11], runs[&7], runs[&8]);
    assert!(saturday < wednesday && wednesday < tuesday, "no rhythm: {saturday}, {wednesday}, {tuesday}");
    for known in false_positives::all() {
        let days = planted.get(&(known.detection, known.variant)).map_or(0, BTreeSet::len);
        assert!(days >= 3, "{} {} is planted on {days} days", known.detection, known.variant);
    }
}

#[test]
fn every_false_positive_that_the_catalogue_knows_is_planted() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/reference/detections.json");
    let Ok(text) = std::fs::read_to_string(path) else {
        eprintln!("skipped: {path} is not here");
        return;
    };
    let catalogue: Vec<serde_json::Value> = serde_json::from_str(&text).expect("JSON");
    let mut planted: BTreeMap<&str, usize> = BTreeMap::new();
    for known in false_positives::all() {
        *planted.entry(known.detection).or_default() += 1;
    }
    let mut looked_at = 0;
    for entry in &catalogue {
        let known = entry["false_positives"].as_str().unwrap_or("-");
        if entry["tier"].as_i64().is_none_or(|tier| tier > 2) || known == "-" {
            continue;
        }
        looked_at += 1;
        let id = entry["id"].as_str().expect("an id");
        assert!(planted.contains_key(id), "{id} is not planted: {known}");
    }
    assert!(looked_at > 100);
}

#[test]
fn ids_are_unique_and_no_key_stands_twice() {
    let mut ids = BTreeSet::new();
    for record in Baseline::new(SEED, 2, start()).records() {
        let keys: Keys =
            serde_json::from_slice(&record.bytes).unwrap_or_else(|error| panic!("{}: {error}", record.class));
        if let Some(id) = keys.id {
            assert!(ids.insert((record.source, id)), "an id of {} twice", record.source);
        }
        let source = sources::by_name(record.source).expect("a source of the table");
        assert!(source.classes.contains(&record.class), "{} speaks of {}", source.name, record.class);
    }
}

/// The keys of an object, each once, at every depth.
struct Keys {
    id: Option<String>,
}

impl<'de> serde::de::Deserialize<'de> for Keys {
    fn deserialize<D: serde::de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Once)
    }
}

struct Once;

impl<'de> serde::de::Visitor<'de> for Once {
    type Value = Keys;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JSON whose objects have each key once")
    }

    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Keys, A::Error> {
        let (mut seen, mut id) = (BTreeSet::new(), None);
        while let Some(key) = map.next_key::<String>()? {
            let inner = map.next_value::<Keys>()?;
            if ["event.id", "_document_id", "eventID"].contains(&key.as_str()) {
                id = inner.id;
            }
            if !seen.insert(key.clone()) {
                return Err(serde::de::Error::custom(format!("{key} twice")));
            }
        }
        Ok(Keys { id })
    }

    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut seq: A) -> Result<Keys, A::Error> {
        while seq.next_element::<Keys>()?.is_some() {}
        Ok(Keys { id: None })
    }

    fn visit_str<E>(self, text: &str) -> Result<Keys, E> {
        Ok(Keys { id: Some(text.to_owned()) })
    }

    fn visit_bool<E>(self, _: bool) -> Result<Keys, E> {
        Ok(Keys { id: None })
    }

    fn visit_i64<E>(self, _: i64) -> Result<Keys, E> {
        Ok(Keys { id: None })
    }

    fn visit_u64<E>(self, _: u64) -> Result<Keys, E> {
        Ok(Keys { id: None })
    }

    fn visit_f64<E>(self, _: f64) -> Result<Keys, E> {
        Ok(Keys { id: None })
    }

    fn visit_unit<E>(self) -> Result<Keys, E> {
        Ok(Keys { id: None })
    }
}

#[test]
fn an_hour_late_is_never() {
    let latest = Baseline::new(SEED, 1, start()).records().map(|record| record.arrival_ms).max();
    assert!(latest.is_some_and(|latest| latest < start() + DAY + 2 * HOUR), "{latest:?}");
}
