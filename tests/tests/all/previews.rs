//! What is told ahead of the cursor: in order it comes true and nothing is missing, out of order it is taken back where it
//! must be, and in neither does it change what is sealed.
//!
//! `SEED=n` runs the case of one seed alone.

use std::collections::BTreeSet;

use harness::correlation_oracle::draw::{self, Case};
use harness::correlation_oracle::previews::{self, Said};
use harness::correlation_oracle::{arrival, engine};
use harness::generate::Random;
use serde_json::{Value, json};

const CASES: u64 = 2_000;

/// Rules that ask detectors, and a sum of what they say.
const DETECTORS: &str = r#"
{"title": "New", "id": "00000001-0000-4000-8000-000000000000", "name": "new", "level": "low", "logsource": {"category": "test"},
 "detection": {"s": {"k": ["a", "b"]}, "condition": "s"}, "x-requires": ["E4", "E11"], "x-risk": {"weight": 40},
 "x-new-terms": {"fields": ["u", "v"], "memory": "SPAN6", "prevalence": {"over": "w", "lt": 3},
  "warmup": {"events": 2, "days": 0}, "novelty_max": 0.7, "quarantine": "SPAN1"}, "x-alert": {"fingerprint": ["u", "v"]}}
---
{"title": "Fast", "id": "00000002-0000-4000-8000-000000000000", "name": "fast", "level": "low", "logsource": {"category": "test"},
 "detection": {"s": {"k": ["b", "c", "d"]}, "condition": "s"}, "x-requires": ["E7"],
 "x-where": ["geo_speed_kmh(u) > 900"], "x-alert": {"fingerprint": ["u"]}}
---
{"title": "Sum", "id": "00000003-0000-4000-8000-000000000000", "name": "sum", "level": "high", "x-requires": ["E11"],
 "correlation": {"type": "value_sum", "rules": ["new", "fast"], "group-by": ["u"], "timespan": "SPAN3",
  "condition": {"field": "alert.risk", "gte": 45}},
 "x-risk": {"half_life": "SPAN2", "cap_per_detector": true, "detectors_min": 1, "classes_min": 0},
 "x-alert": {"fingerprint": ["u"]}}
---
{"title": "Odd", "id": "00000004-0000-4000-8000-000000000000", "name": "odd", "level": "low",
 "logsource": {"product": "pipewarden", "category": "anomaly"},
 "detection": {"s": {"detector": ["first_seen", "geo_velocity"]}, "condition": "s"}, "x-alert": {"fingerprint": ["u", "detector"]}}
---
{"title": "Odd twice", "id": "00000005-0000-4000-8000-000000000000", "level": "high",
 "correlation": {"type": "event_count", "rules": ["odd"], "group-by": ["u"], "timespan": "SPAN3", "condition": {"gte": 2}}}
"#;

fn seeds() -> impl Iterator<Item = u64> {
    let one = std::env::var("SEED").ok().and_then(|seed| seed.parse::<u64>().ok());
    one.map_or(1..=CASES, |seed| seed..=seed)
}

/// The events of a drawn case before the rules that ask detectors, each somewhere on earth.
fn case_of_detectors(seed: u64) -> Case {
    let mut random = Random(seed);
    let grid_s = [1, 10, 60, 600][(seed % 4) as usize];
    let mut documents = DETECTORS.trim().to_owned();
    for steps in [1, 2, 3, 6] {
        documents = documents.replace(&format!("SPAN{steps}"), &format!("{}s", steps * grid_s));
    }
    let mut case = Case { documents, ..draw::case(seed) };
    for line in case.files.iter_mut().flatten() {
        let mut event: Value = serde_json::from_str(line).expect("an event");
        if random.percent(80) {
            event["src"] =
                json!({"lat": random.pick(&["52.5", "48.1", "40.7"]), "lon": random.pick(&["13.4", "11.6"])});
        }
        *line = event.to_string();
    }
    case
}

fn text(said: &[Said]) -> String {
    said.iter().map(|of| format!("  {of:?}\n")).collect()
}

/// Nothing is told ahead that does not come true, and what one event decides is told ahead as it will be sealed. Gives how
/// many were told ahead by events and by timers.
fn check_in_order(seed: u64, case: &Case) -> (usize, usize) {
    let timed = previews::timed(&case.documents);
    // The cursor stands far behind, so that much waits, or right behind the newest.
    let behind_ms = case.lateness_s * 1_000;
    let both = previews::in_order(case, behind_ms).expect("documents");
    let what = |of: &Said| (of.rule.clone(), of.at_ms, of.by_timer, of.of.clone());
    let sealed: BTreeSet<_> = both.sealed.iter().map(what).collect();
    let untrue: Vec<Said> = both.ahead.iter().filter(|of| !sealed.contains(&what(of))).cloned().collect();
    let story = || {
        let events = arrival::sorted(&case.files, i64::MAX / 10_000).on_time;
        let lines: Vec<String> = events.into_iter().map(|event| event.line).collect();
        format!("SEED={seed}, cursor {behind_ms} ms behind\n{}\n{}", case.documents, lines.join("\n"))
    };
    assert!(untrue.is_empty(), "told ahead and not sealed:\n{}{}", text(&untrue), story());
    let ahead: BTreeSet<&Said> = both.ahead.iter().collect();
    let decided = |of: &&Said| !of.by_timer && !timed.contains(&of.rule);
    let missed: Vec<Said> = both.sealed.iter().filter(decided).filter(|of| !ahead.contains(of)).cloned().collect();
    assert!(missed.is_empty(), "sealed and not told ahead:\n{}{}", text(&missed), story());
    let by_timer = both.ahead.iter().filter(|of| of.by_timer).count();
    (both.ahead.len() - by_timer, by_timer)
}

#[test]
fn in_order_what_is_told_ahead_is_what_is_sealed() {
    let told = seeds().map(|seed| check_in_order(seed, &draw::case(seed)));
    let (events, timers) = told.fold((0, 0), |sum, of| (sum.0 + of.0, sum.1 + of.1));
    println!("{events} by events, {timers} by timers");
    if std::env::var("SEED").is_err() {
        assert!(events > 5 * CASES as usize && timers > CASES as usize / 20, "too little: {events}, {timers}");
    }
}

#[test]
fn in_order_what_detectors_say_is_told_ahead_with_what_waits() {
    let told: usize = seeds().map(|seed| check_in_order(seed, &case_of_detectors(seed)).0).sum();
    println!("{told} by events");
    if std::env::var("SEED").is_err() {
        assert!(told > CASES as usize, "too little: {told}");
    }
}

fn is_of(record: &Value, states: &[&str]) -> bool {
    states.contains(&record["state"].as_str().unwrap_or_default())
}

/// Runs a case with and without previews; gives its sealed records and what was told ahead.
fn check_out_of_order(seed: u64, case: &Case) -> (Vec<Value>, Vec<Value>) {
    let plain = engine::told(case).expect("documents");
    let (sealed, ahead) = engine::told_ahead(case).expect("documents");
    assert_eq!(plain, sealed, "SEED={seed}: what is told ahead changes what is sealed");
    assert!(ahead.iter().all(|record| record["provisional"] == true), "SEED={seed}");
    for record in ahead.iter().filter(|record| !is_of(record, &["withdrawn"])) {
        let same = |of: &&Value| of["fingerprint"] == record["fingerprint"];
        let withdrawn = |of: &&Value| is_of(of, &["withdrawn"]) && of["event_time"] == record["event_time"];
        let is_settled = sealed.iter().filter(same).any(|of| is_of(of, &["firing", "raised", "repeat"]))
            || ahead.iter().filter(same).any(|of| withdrawn(&of));
        assert!(is_settled, "SEED={seed}: neither confirmed nor withdrawn: {record}\n{}", case.documents);
    }
    (sealed, ahead)
}

#[test]
fn out_of_order_what_is_told_ahead_is_confirmed_or_withdrawn_and_seals_stay() {
    let (mut told, mut withdrawn) = (0, 0);
    for seed in seeds() {
        for case in [draw::case(seed), case_of_detectors(seed)] {
            let case = Case { every_match: false, ..case };
            let (_, ahead) = check_out_of_order(seed, &case);
            withdrawn += ahead.iter().filter(|record| is_of(record, &["withdrawn"])).count();
            told += ahead.len();
            // The same events in order: nothing is ever taken back.
            let events = arrival::sorted(&case.files, i64::MAX / 10_000).on_time;
            let files = vec![events.into_iter().map(|event| event.line).collect()];
            let (_, ahead) = check_out_of_order(seed, &Case { files, ..case.clone() });
            let taken_back = ahead.iter().find(|record| is_of(record, &["withdrawn"]));
            assert_eq!(taken_back, None, "SEED={seed}: {}", case.documents);
        }
    }
    println!("{told} records ahead, {withdrawn} withdrawn");
    if std::env::var("SEED").is_err() {
        assert!(told > CASES as usize && withdrawn > CASES as usize / 10, "too little: {told}, {withdrawn}");
    }
}

const HIGH: &str = r#"
{"title": "A", "id": "00000001-0000-4000-8000-000000000000", "name": "a", "logsource": {"category": "test"},
 "detection": {"s": {"k": "a"}, "condition": "s"}}
---
{"title": "High", "id": "00000002-0000-4000-8000-000000000000", "name": "high", "level": "high",
 "correlation": {"type": "value_avg", "rules": ["a"], "group-by": ["u"], "timespan": "60s", "condition": {"field": "n", "gte": 5}},
 "x-requires": ["E12"], "x-alert": {"route": "page"}}
"#;

const OUTSIDE: &str = r#"
{"title": "A", "id": "00000001-0000-4000-8000-000000000000", "name": "a", "logsource": {"category": "test"},
 "detection": {"s": {"k": "a"}, "condition": "s"}}
---
{"title": "B", "id": "00000002-0000-4000-8000-000000000000", "name": "b", "logsource": {"category": "test"},
 "detection": {"s": {"k": "b"}, "condition": "s"}}
---
{"title": "Outside", "id": "00000003-0000-4000-8000-000000000000", "name": "outside", "level": "high",
 "logsource": {"category": "test"}, "detection": {"s": {"k": "c"}, "condition": "s"},
 "x-interval": {"open": "a", "close": "b", "key": ["u"], "pad": ["30s", "30s"], "expect": "outside", "ttl": "1h"},
 "x-requires": ["E10", "E12"], "x-alert": {"route": "page", "fingerprint": ["u"]}}
"#;

/// One input of events: seconds behind eight, kind, number.
fn by_hand(documents: &str, events: &[(i64, &str, i64)]) -> Case {
    let line = |(at_s, kind, number): &(i64, &str, i64)| {
        let time = model::Timestamp::from_ms(1_791_187_200_000 + at_s * 1_000).to_string();
        json!({"t": time, "id": format!("{kind}{at_s}"), "k": kind, "u": "x", "n": number}).to_string()
    };
    let files = vec![events.iter().map(line).collect()];
    let health = Vec::new();
    Case { documents: documents.trim().to_owned(), files, lateness_s: 120, chunk: 1, every_match: false, health }
}

fn brief(records: &[Value]) -> Vec<String> {
    let one = |record: &Value| {
        let time = record["event_time"].as_str().unwrap_or_default();
        format!("{} {}", &time[14..19], record["state"].as_str().unwrap_or_default())
    };
    records.iter().map(one).collect()
}

#[test]
fn what_an_earlier_event_makes_untrue_is_withdrawn() {
    for (documents, events, ahead, sealed) in [
        (HIGH, &[(60, "a", 7), (300, "z", 0)][..], &["01:00 firing"][..], &["01:00 firing"][..]),
        // A low value of ten seconds before comes behind the high one: the mean was four.
        (HIGH, &[(60, "a", 7), (50, "a", 1), (300, "z", 0)], &["01:00 firing", "01:00 withdrawn"], &[]),
        // In order nobody is woken in the first place.
        (HIGH, &[(50, "a", 1), (60, "a", 7), (300, "z", 0)], &[], &[]),
        // Outside is told when half a minute has passed in which nothing opened, and no sooner.
        (OUTSIDE, &[(60, "c", 0), (90, "z", 0)], &[], &["01:30 firing"]),
        (OUTSIDE, &[(60, "c", 0), (91, "z", 0)], &["01:30 firing"], &["01:30 firing"]),
        (OUTSIDE, &[(60, "c", 0), (80, "a", 0), (95, "z", 0)], &[], &[]),
        (OUTSIDE, &[(60, "c", 0), (95, "z", 0), (80, "a", 0)], &["01:30 firing", "01:30 withdrawn"], &[]),
        // What was closed more than half a minute ago says nothing.
        (OUTSIDE, &[(0, "a", 0), (20, "b", 0), (60, "c", 0), (95, "z", 0)], &["01:30 firing"], &["01:30 firing"]),
        (OUTSIDE, &[(0, "a", 0), (30, "b", 0), (60, "c", 0), (95, "z", 0)], &[], &[]),
    ] {
        let case = by_hand(documents, events);
        let (told, told_ahead) = check_out_of_order(0, &case);
        let told: Vec<Value> = told.into_iter().filter(|of| !is_of(of, &["expired"])).collect();

        assert_eq!(brief(&told_ahead), ahead, "ahead of {events:?}");
        assert_eq!(brief(&told), sealed, "sealed of {events:?}");
    }
}
