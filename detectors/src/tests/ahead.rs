//! What detectors say of events that wait, held against what they say once the events before have been observed.

use std::collections::VecDeque;

use model::{DetectorSpec, FirstSeenSpec, GeoVelocitySpec, RiskSpec};

use super::*;
use crate::{Limits, detector};

/// An event: its time, the texts of each field, and whether it teaches.
type Event = (i64, Vec<Vec<&'static str>>, bool);

/// The same numbers everywhere: an LCG of Knuth's.
struct Numbers(u64);

impl Numbers {
    fn pick(&mut self, of: &[&'static str]) -> &'static str {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        of[(self.0 >> 33) as usize % of.len()]
    }
}

/// Runs events in order, each peeked at before it waits and observed when it lies so far behind; gives how many were
/// remarkable.
fn run(spec: &DetectorSpec, events: &[Event], behind: i64) -> usize {
    let mut of = detector(spec, Limits { keys_max: 1_000 });
    let (mut ahead, mut waiting, mut remarkable) = (of.ahead(), VecDeque::new(), 0);
    let evidence = |at: usize| {
        let id = format!("e{at}");
        Arc::new(Evidence { id: id.as_str().into(), sha256: Sha256::of(id.as_bytes()) })
    };
    for number in 0..=events.len() {
        let now = events.get(number).map_or(i64::MAX, |(at, ..)| *at);
        while let Some((first, peeked)) = waiting.front().cloned()
            && let Some((at, texts, teaches)) = events.get::<usize>(first)
            && *at < now.saturating_sub(behind)
        {
            waiting.pop_front();
            let (at, teaches, evidence) = (Timestamp::from_ms(*at), *teaches, evidence(first));
            let found = of.observe(&Observation { at, texts, teaches, evidence: &evidence });
            assert_eq!(found, peeked, "event {first} of {spec:?}");
            if first % 7 == 0 {
                ahead.forget_before(at);
            }
        }
        let Some((at, texts, teaches)) = events.get(number) else { continue };
        let (at, teaches, evidence) = (Timestamp::from_ms(*at), *teaches, evidence(number));
        let before = of.snapshot().expect("bytes");
        let peeked = of.peek(&mut *ahead, &Observation { at, texts, teaches, evidence: &evidence });
        assert_eq!(of.snapshot().expect("bytes"), before, "peeking teaches nothing");
        remarkable += usize::from(peeked.is_some());
        waiting.push_back((number, peeked));
    }
    assert!(waiting.is_empty());
    remarkable
}

#[test]
fn what_waits_is_told_as_it_will_be() {
    let first_seen = FirstSeenSpec {
        fields: vec!["repo".to_owned(), "domain".to_owned()],
        memory_ms: 50,
        prevalence: Some(("team".to_owned(), 3)),
        warmup_events: 2,
        warmup_ms: 5,
        novelty_max: None,
        quarantine_ms: 4,
    };
    let risk = RiskSpec {
        span_ms: 40,
        half_life_ms: Some(10),
        is_capped: false,
        rules_min: 2,
        classes_min: 2,
        weights: vec![("a".to_owned(), 40.0), ("b".to_owned(), 7.5)],
    };
    let mut numbers = Numbers(1);
    let mut draw = |fields: &[&[&'static str]], step: &[&'static str]| {
        let mut at = 0;
        let event = |_| {
            at += numbers.pick(step).parse::<i64>().expect("a number");
            let texts = fields.iter().map(|of| vec![numbers.pick(of)]).collect();
            (at, texts, numbers.pick(&["y", "y", "n"]) == "y")
        };
        (0..2_000).map(event).collect::<Vec<Event>>()
    };
    let steps = ["0", "1", "1", "3"];
    let places = [&["52.5", "48.1"][..], &["13.4", "-74.0", "2.3"]];
    let hours = ["0", "600000", "3600000"];
    for (spec, events, behind) in [
        (DetectorSpec::FirstSeen(first_seen), draw(&[&["p", "q"], &["x", "y", "z"], &["t", "u", "v"]], &steps), 12),
        (
            DetectorSpec::GeoVelocity(GeoVelocitySpec { key: "who".to_owned() }),
            draw(&[&["ann", "bob"], places[0], places[1], &["none", "vpn"]], &hours),
            7_200_000,
        ),
        (DetectorSpec::Risk(risk), draw(&[&["k", "l"], &["a", "b"], &["c", "d"]], &steps), 12),
    ] {
        for behind in [0, behind] {
            assert!(run(&spec, &events, behind) > 0, "{spec:?}");
        }
    }
}
