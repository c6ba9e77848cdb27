//! First seen: memory, quarantine, warm-up, prevalence, novelty, trust, limits.

use model::{Anomaly, Detector, FirstSeenSpec, Timestamp};

use super::{DAY, HOUR, show, show_as};
use crate::{FirstSeen, Limits};

fn spec() -> FirstSeenSpec {
    FirstSeenSpec {
        fields: ["repo", "workflow", "domain"].map(str::to_owned).to_vec(),
        memory_ms: 30 * DAY,
        prevalence: None,
        warmup_events: 0,
        warmup_ms: 0,
        novelty_max: None,
        quarantine_ms: DAY,
    }
}

fn detector(spec: FirstSeenSpec) -> FirstSeen {
    FirstSeen::new(spec, Limits { keys_max: 1_000 })
}

/// Whether a connection of `shop`'s release workflow to a domain is told.
fn told(of: &mut FirstSeen, at: i64, domain: &str) -> bool {
    show(of, "e", at, &["shop", "release", domain]).is_some()
}

#[test]
fn a_tuple_is_new_until_its_quarantine_is_over_and_again_when_it_is_forgotten() {
    let mut of = detector(spec());
    assert!(told(&mut of, 0, "a"));
    assert!(told(&mut of, DAY - 1, "a"), "in quarantine");
    assert!(!told(&mut of, DAY, "a"), "a day after it was first seen");
    assert!(show(&mut of, "e", DAY, &["shop", "test", "a"]).is_some(), "another workflow's is another tuple");
    assert!(!told(&mut of, 31 * DAY, "a"), "30 days after it was last seen");
    assert!(told(&mut of, 45 * DAY, "b"), "the key is at work");
    assert!(told(&mut of, 61 * DAY + 1, "a"), "and a millisecond");
    assert!(!told(&mut of, 62 * DAY + 1, "a"));
}

#[test]
fn warm_up_takes_events_and_days_of_the_first_field() {
    let mut of = detector(FirstSeenSpec { warmup_events: 10, warmup_ms: 7 * DAY, ..spec() });
    (0..9).for_each(|day| assert!(!told(&mut of, day * DAY, "known"), "nine events in eight days"));
    assert!(!told(&mut of, 8 * DAY + 1, "new"), "nine events before");
    assert!(told(&mut of, 8 * DAY + 2, "newer"), "ten events before");
    let other = |of: &mut FirstSeen, at: i64, domain: &str| show(of, "e", at, &["docs", "w", domain]).is_some();
    (0..20).for_each(|hour| assert!(!other(&mut of, 9 * DAY + hour * HOUR, "known")));
    assert!(!other(&mut of, 16 * DAY - 1, "new"), "events enough, a millisecond short of seven days");
    assert!(other(&mut of, 16 * DAY, "newer"));
}

#[test]
fn a_term_that_enough_others_know_is_not_told() {
    let prevalence = Some(("repo".to_owned(), 3));
    let mut of = detector(FirstSeenSpec { prevalence, ..spec() });
    let mut connect = |at: i64, repo: &str, domain: &str| show(&mut of, "e", at, &[repo, "w", domain, repo]);
    for (at, repo) in [(0, "one"), (1, "two"), (2, "two")] {
        assert!(connect(at, repo, "cdn").is_some(), "nobody knows it yet, whatever is in quarantine");
    }
    let told = connect(2 * DAY, "shop", "cdn").expect("two know it");
    assert!(told.baseline.ends_with("; 2 repo know it"), "{}", told.baseline);
    assert!(connect(3 * DAY, "three", "cdn").is_none(), "one, two and shop know it");
    assert!(connect(3 * DAY, "three", "pypi").is_some(), "another term");
    assert!(connect(40 * DAY, "three", "cdn").is_some(), "all have forgotten it");
    assert!(show(&mut of, "e", 41 * DAY, &["nameless", "w", "x", ""]).is_none(), "nobody knows whose it is");
}

#[test]
fn novelty_is_the_part_of_observations_that_were_seen_once() {
    let mut of = detector(FirstSeenSpec { novelty_max: Some(0.05), ..spec() });
    // 38 times one term, once another: one in 39 is new, 0.0256; with a second one two in 40, 0.05; a third 3 in 41, 0.073.
    (0..38).for_each(|hour| assert!(!told(&mut of, hour * HOUR, "usual"), "all is new: f1 / n = 1"));
    told(&mut of, 38 * HOUR, "once");
    let third = show(&mut of, "e", 70 * HOUR, &["shop", "release", "twice"]).expect("1 in 39");
    assert_eq!(third.value, 1.0 / 39.0);
    assert_eq!(third.observed, "domain twice of repo shop, workflow release: not seen in 30 days");
    let since = Timestamp::from_ms(0);
    let newest = Timestamp::from_ms(38 * HOUR);
    let words = format!("this repo: 39 events since {since}, 2 known from 39 of them, the newest since {newest}");
    assert_eq!(third.baseline, words);
    assert!(told(&mut of, 100 * HOUR, "thrice"), "two in 40 are no more than 0.05");
    assert!(!told(&mut of, 130 * HOUR, "often"), "three in 41 are");
}

#[test]
fn what_an_attacker_wrote_teaches_nothing() {
    let mut of = detector(spec());
    let fork = |of: &mut FirstSeen, at: i64| show_as(of, "e", at, &["shop", "release", "a"], false).is_some();
    assert!(fork(&mut of, 0) && fork(&mut of, 5 * DAY), "told, and never learned");
    assert_eq!(of.held().keys, 0);
    assert!(told(&mut of, 6 * DAY, "a"));
    assert!(!fork(&mut of, 7 * DAY), "known by others");
    of.distrust(&["shop", "release", "a"], Timestamp::from_ms(8 * DAY));
    assert!(told(&mut of, 9 * DAY - 1, "a") && !told(&mut of, 9 * DAY, "a"), "its quarantine began anew");
}

#[test]
fn every_text_of_a_field_makes_a_tuple_and_a_missing_field_none() {
    let mut of = detector(spec());
    told(&mut of, 0, "a|b");
    assert!(!told(&mut of, 2 * DAY, "a|b"));
    let anomaly = show(&mut of, "e", 2 * DAY, &["shop", "release", "a|c"]).expect("c is new");
    assert!(anomaly.observed.starts_with("domain c of"), "{}", anomaly.observed);
    assert!(show(&mut of, "e", 2 * DAY, &["shop", "", "z"]).is_none());
    assert!(show(&mut of, "e", 2 * DAY, &["shop", "w", ""]).is_none());
    // Three events, whatever the number of their tuples.
    assert!(anomaly.baseline.starts_with("this repo: 2 events"), "{}", anomaly.baseline);
}

#[test]
fn a_single_field_belongs_to_one_key_for_all() {
    let fields = vec!["image".to_owned()];
    let mut of = detector(FirstSeenSpec { fields, warmup_events: 2, ..spec() });
    let mut image = |at: i64, name: &str| show(&mut of, "e", at, &[name]);
    assert!(image(0, "a").is_none() && image(1, "b").is_none());
    let told = image(2 * DAY, "c").expect("two came before");
    assert_eq!(told.observed, "image c: not seen in 30 days");
    assert!(image(2 * DAY, "a").is_none());
}

#[test]
fn the_order_of_events_of_one_time_teaches_the_same() {
    let events = [("shop", "a"), ("shop", "b"), ("docs", "a"), ("shop", "a"), ("docs", "c")];
    let learned = |order: &[usize]| -> (String, Vec<Option<Anomaly>>) {
        let prevalence = Some(("repo".to_owned(), 3));
        let mut of = detector(FirstSeenSpec { prevalence, warmup_events: 2, novelty_max: Some(0.9), ..spec() });
        for time in [0, DAY, 2 * DAY] {
            for at in order {
                let (repo, domain) = events[*at];
                show(&mut of, "e", time, &[repo, "w", domain, repo]);
            }
        }
        let state = format!("{of:?}");
        let later = ["a", "b", "c", "d"].map(|domain| show(&mut of, "e", 3 * DAY, &["shop", "w", domain, "shop"]));
        (state, later.to_vec())
    };
    let first = learned(&[0, 1, 2, 3, 4]);
    assert!(first.1[0].is_none() && first.1[3].is_some());
    for order in [[4, 3, 2, 1, 0], [2, 0, 4, 1, 3], [3, 4, 0, 1, 2]] {
        assert_eq!(learned(&order), first);
    }
}

#[test]
fn a_flood_of_terms_costs_those_in_quarantine() {
    let mut of = detector(spec());
    told(&mut of, 0, "usual");
    for flood in 0..5_000 {
        told(&mut of, 2 * DAY + flood, &format!("decoy-{flood}"));
    }
    assert!(!told(&mut of, 2 * DAY + 6_000, "usual"));
    let evicted = of.held().evicted;
    // 4,096 fit: the usual one and 4,095 decoys; each time the next comes 256 go, four times for the 905 others.
    assert_eq!(evicted, 4 * 256);
}

#[test]
fn what_everybody_talks_to_is_known_to_others_however_many_they_are() {
    let fields = vec!["repo".to_owned(), "domain".to_owned()];
    let prevalence = Some(("repo".to_owned(), 3));
    let mut of = detector(FirstSeenSpec { fields, prevalence, warmup_events: 2, ..spec() });
    // Three hundred repositories, each twice a day: more than are remembered with one domain.
    for half_day in 0..6 {
        for at in 0..300 {
            let repo = format!("repo-{at}");
            show(&mut of, "e", half_day * DAY / 2 + at, &[&repo, "registry.example", &repo]);
        }
    }
    for day in 0..3 {
        show(&mut of, "e", day * DAY, &["shop", "other.example", "shop"]);
    }
    assert!(show(&mut of, "e", 3 * DAY, &["shop", "registry.example", "shop"]).is_none());
    assert!(show(&mut of, "e", 3 * DAY, &["shop", "new.example", "shop"]).is_some());
}
