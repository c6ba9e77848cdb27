//! Risk: sums that fade, one share a rule, kinds of events.

use model::{Anomaly, Detector, RiskSpec};

use super::{ids, show};
use crate::{Limits, Risk};

const MINUTE: i64 = 60_000;

fn spec() -> RiskSpec {
    RiskSpec {
        span_ms: 60 * MINUTE,
        half_life_ms: Some(30 * MINUTE),
        is_capped: true,
        rules_min: 2,
        classes_min: 2,
        weights: [("low", 10.0), ("medium", 30.0), ("high", 60.0), ("sure", 100.0), ("note", 0.0)]
            .map(|(name, weight)| (name.to_owned(), weight))
            .to_vec(),
    }
}

fn risk(spec: RiskSpec) -> Risk {
    Risk::new(spec, Limits { keys_max: 16 })
}

fn says(of: &mut Risk, minute: i64, rule: &str, class: &str) -> Option<Anomaly> {
    show(of, &format!("{rule}-{minute}"), minute * MINUTE, &["run", rule, class])
}

#[test]
fn weights_halve_with_their_half_life() {
    let mut of = risk(spec());
    assert_eq!(says(&mut of, 0, "high", "process"), None, "one rule");
    let sum = says(&mut of, 30, "sure", "net").expect("two");
    assert_eq!(sum.value, 130.0, "60 / 2 + 100");
    assert_eq!(sum.observed, "risk 130.0 of 2 rules: high 30.0, sure 100.0");
    assert_eq!(
        sum.baseline,
        "what counts is of the last 3600 s, half of it after 1800 s; kinds of events: net, process"
    );
    assert_eq!(ids(&sum), ["high-0", "sure-30"]);
    // 15 and 45 minutes: 100 · 2^(−1/2) + 60 · 2^(−3/2) = 70.710678118 + 21.213203435, and 30.
    let sum = says(&mut of, 45, "medium", "job").expect("three");
    assert!((sum.value - 121.923_881_554).abs() < 3e-9, "{}", sum.value);
    let sum = says(&mut of, 60, "note", "job").expect("what weighs nothing adds nothing");
    assert_eq!(sum.value, 15.0 + 50.0 + (30.0 * 0.5f64.sqrt() * 1e9).floor() / 1e9);
    assert_eq!(says(&mut of, 61, "note", "job").map(|sum| ids(&sum).len()), Some(2), "an hour is over for the first");
}

#[test]
fn fading_is_that_of_the_formula_at_any_time() {
    let mut of = risk(RiskSpec { rules_min: 1, classes_min: 1, span_ms: i64::MAX, ..spec() });
    says(&mut of, 0, "sure", "net");
    for elapsed in [1, 7, 999, 60_000, 1_234_567, 1_799_999, 1_800_000, 5_400_001, 40_000_000] {
        let sum = show(&mut of, "e", elapsed, &["run", "note", "net"]).expect("it holds");
        let formula = 100.0 * (-(elapsed as f64) / 1_800_000.0).exp2();
        assert!((sum.value - formula).abs() < 3e-8, "{elapsed}: {} and {formula}", sum.value);
    }
    assert_eq!(show(&mut of, "e", 200 * 30 * MINUTE, &["run", "note", "net"]), None, "nothing is left of it");
}

#[test]
fn a_rule_counts_once_unless_it_may_count_as_often_as_it_holds() {
    let each = |is_capped: bool| {
        let mut of = risk(RiskSpec { is_capped, half_life_ms: None, ..spec() });
        (0..10).for_each(|minute| {
            says(&mut of, minute, "low", "net");
        });
        says(&mut of, 10, "low", "another kind");
        says(&mut of, 10, "medium", "job").map(|sum| sum.value)
    };
    assert_eq!((each(true), each(false)), (Some(40.0), Some(140.0)));
}

#[test]
fn one_kind_of_event_is_not_two() {
    let mut of = risk(spec());
    says(&mut of, 0, "high", "net");
    assert_eq!(says(&mut of, 1, "sure", "net"), None);
    assert_eq!(says(&mut of, 1, "sure", ""), None, "an event without a class adds no kind");
    assert!(says(&mut of, 2, "sure", "job").is_some());
    assert_eq!(show(&mut of, "e", 2 * MINUTE, &["another run", "sure", "job"]), None);
    assert_eq!(show(&mut of, "e", 2 * MINUTE, &["run", "no rule of its", "job"]), None);
}

#[test]
fn what_came_first_does_not_show() {
    let events = [(0, "low", "net"), (0, "high", "job"), (0, "medium", "net"), (0, "low", "process")];
    let sum = |order: [usize; 4]| {
        let mut of = risk(spec());
        for at in order {
            let (minute, rule, class) = events[at];
            says(&mut of, minute, rule, class);
        }
        says(&mut of, 17, "sure", "net").expect("it holds")
    };
    let first = sum([0, 1, 2, 3]);
    for order in [[3, 2, 1, 0], [1, 3, 0, 2], [2, 0, 3, 1]] {
        assert_eq!(sum(order), first);
    }
}

#[test]
fn shares_and_keys_are_bounded() {
    let mut of = risk(RiskSpec { is_capped: false, half_life_ms: None, span_ms: i64::MAX, ..spec() });
    for minute in 0..1_100 {
        says(&mut of, minute, "low", "net");
    }
    let sum = says(&mut of, 1_100, "medium", "job").expect("it holds");
    assert_eq!(sum.value, 999.0 * 10.0 + 30.0);
    assert_eq!(of.held().evicted, 101);
    (0..40).for_each(|run| {
        show(&mut of, "e", 2_000 * MINUTE + run, &[&format!("run-{run}"), "low", "net"]);
    });
    assert_eq!(of.held().keys, 16);
}
