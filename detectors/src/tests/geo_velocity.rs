//! Geo velocity: distances of known places, and what counts as a place.

use model::{Anomaly, Detector, GeoVelocitySpec};

use super::{HOUR, ids, show, show_as};
use crate::{GeoVelocity, Limits, distance_m};

const STOCKHOLM: [&str; 2] = ["59.33", "18.07"];
const SYDNEY: [&str; 2] = ["-33.87", "151.21"];
const OSLO: [&str; 2] = ["59.91", "10.75"];

fn detector() -> GeoVelocity {
    GeoVelocity::new(GeoVelocitySpec { key: "user".to_owned() }, Limits { keys_max: 16 })
}

fn login(of: &mut GeoVelocity, id: &str, at: i64, [latitude, longitude]: [&str; 2], proxy: &str) -> Option<Anomaly> {
    show(of, id, at, &["kim", latitude, longitude, proxy])
}

#[test]
fn distances_are_those_of_the_sphere() {
    // A quarter and a half of a great circle of 6,371 km radius: π/2 and π times as long.
    assert_eq!(distance_m((0.0, 0.0), (0.0, 90.0)), 10_007_543);
    assert_eq!(distance_m((90.0, 0.0), (-90.0, 0.0)), 20_015_087);
    assert_eq!(distance_m((12.5, -7.0), (12.5, -7.0)), 0);
    let kilometres = |a, b| distance_m(a, b) / 1_000;
    assert_eq!(kilometres((51.5074, -0.1278), (48.8566, 2.3522)), 343, "London and Paris");
    assert_eq!(kilometres((40.7128, -74.0060), (51.5074, -0.1278)), 5_570, "New York and London");
    assert_eq!(kilometres((35.68, 139.69), (37.77, -122.42)), 8_271, "Tokyo and San Francisco, over the date line");
}

#[test]
fn speed_is_distance_over_time_since_the_last_event_of_the_key() {
    let mut of = detector();
    assert_eq!(login(&mut of, "a", 0, STOCKHOLM, "none"), None);
    assert_eq!(show(&mut of, "b", HOUR, &["robin", "-33.87", "151.21", ""]), None, "somebody else");
    let found = login(&mut of, "c", 2 * HOUR, SYDNEY, "").expect("far away");
    // 15,596.243 km (the spherical law of cosines says the same) in two hours.
    assert_eq!(found.value, 7_798.122);
    assert_eq!(ids(&found), ["a", "c"]);
    assert_eq!(found.observed, "user kim: 15596 km in 120 min, from 59.33, 18.07 to -33.87, 151.21: 7798 km/h");
    assert!(found.baseline.starts_with("event a at 1970-01-01T00:00:00.000Z"), "{}", found.baseline);
    assert!(login(&mut of, "d", 3 * HOUR, SYDNEY, "").is_none(), "stayed there");
}

#[test]
fn what_is_no_place_is_passed_over() {
    let mut of = detector();
    login(&mut of, "a", 0, STOCKHOLM, "none");
    for proxy in ["vpn", "hosting", "mobile", "Relay"] {
        assert_eq!(login(&mut of, "p", HOUR, SYDNEY, proxy), None, "{proxy}");
    }
    for place in [["", ""], ["59.3", ""], ["north", "18"], ["91", "0"], ["0", "180.5"], ["NaN", "0"]] {
        assert_eq!(login(&mut of, "n", HOUR, place, "none"), None, "{place:?}");
    }
    assert_eq!(show(&mut of, "n", HOUR, &["", "0", "0", ""]), None, "nobody's");
    assert_eq!(login(&mut of, "o", HOUR, OSLO, "none"), None, "416 km are nearer than tables are exact");
    let found = login(&mut of, "b", 2 * HOUR, SYDNEY, "none").expect("the last place is Oslo");
    assert_eq!(ids(&found), ["o", "b"]);
}

#[test]
fn an_event_of_a_day_ago_says_nothing_and_one_of_just_now_counts_as_a_minute_ago() {
    let mut of = detector();
    login(&mut of, "a", 0, STOCKHOLM, "none");
    assert_eq!(login(&mut of, "b", 24 * HOUR, SYDNEY, "none"), None);
    let found = login(&mut of, "c", 24 * HOUR + 1_000, STOCKHOLM, "none").expect("a second later");
    assert_eq!(found.value, 15_596_243.0 * 60.0 / 1_000.0, "15,596.243 km in a minute");
}

#[test]
fn a_stranger_moves_nobody() {
    let mut of = detector();
    login(&mut of, "a", 0, STOCKHOLM, "none");
    assert!(show_as(&mut of, "x", HOUR, &["kim", "-33.87", "151.21", "none"], false).is_some());
    assert!(login(&mut of, "b", HOUR, STOCKHOLM, "none").is_none());
}

#[test]
fn the_order_of_events_of_one_time_moves_the_same() {
    let moved = |order: [usize; 3]| {
        let mut of = detector();
        let places = [("a", STOCKHOLM), ("b", SYDNEY), ("c", OSLO)];
        for at in order {
            login(&mut of, places[at].0, 0, places[at].1, "none");
        }
        format!("{of:?}")
    };
    // How often a key was touched and where it is: the northernmost of three.
    assert!(moved([0, 1, 2]).contains("59.91"), "{}", moved([0, 1, 2]));
    for order in [[0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        assert_eq!(moved(order), moved([0, 1, 2]));
    }
}

#[test]
fn keys_are_bounded() {
    let mut of = detector();
    (0..40).for_each(|user| {
        show(&mut of, "e", user, &[&format!("user-{user}"), "0", "0", ""]);
    });
    let held = of.held();
    assert_eq!((held.keys, held.evicted), (16, 24));
}
