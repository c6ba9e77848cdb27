//! The evaluation of the detectors at a small size: the bars stand, and the benchmark's files are read and written.
//!
//! Must never be satisfied by a table without bars.

use std::fs;

use harness::evaluate::nab::{milliseconds, results, run, scores, series};
use harness::evaluate::{Size, evaluate, table};

#[test]
fn the_bars_are_met_and_the_naive_ways_are_worse() {
    let rows = evaluate(Size::SMALL, 1);
    let told = table(&rows);
    assert!(rows.iter().all(|row| row.bar.as_ref().is_none_or(|(_, is_met)| *is_met)), "{told}");
    assert_eq!(rows.iter().filter(|row| row.bar.is_some()).count(), 3, "{told}");
    let of = |who: &str| rows.iter().find(|row| row.who.starts_with(who)).unwrap_or_else(|| panic!("{who}: {told}"));
    assert!(of("z > 3").false_alarms > 10.0 * of("A1").false_alarms, "{told}");
    assert!(of("first seen").false_alarms > 2.0 * of("A2").false_alarms, "{told}");
    assert!(of("robust z").precision < of("A3").precision, "{told}");
    assert_eq!(told, table(&evaluate(Size::SMALL, 1)), "the same seed, the same table");
}

#[test]
fn the_benchmarks_layout_is_read_and_its_results_written() {
    assert_eq!(milliseconds("1970-01-02 00:00:01"), Some(86_401_000));
    assert_eq!(milliseconds("2014-02-14 14:30:00.000000"), Some(1_392_388_200_000));
    assert!(series("timestamp,value\nyesterday,1\n").is_err());
    let mut text = "timestamp,value\n".to_owned();
    for row in 0..2_000 {
        let (day, hour, minute) = (1 + row / 288, row / 12 % 24, row * 5 % 60);
        let value = if row == 1_900 { 900.0 } else { 50.0 + f64::from(row * 7 % 11) };
        text.push_str(&format!("2014-04-{day:02} {hour:02}:{minute:02}:00,{value}\n"));
    }
    let folder = tempfile::tempdir().expect("a folder");
    let at = |path: &str| folder.path().join(path);
    fs::create_dir_all(at("data/made")).expect("a folder");
    fs::create_dir_all(at("labels")).expect("a folder");
    fs::write(at("data/made/up.csv"), &text).expect("written");
    let windows = r#"{"made/up.csv": [["2014-04-07 13:00:00.000000", "2014-04-07 16:00:00.000000"]]}"#;
    fs::write(at("labels/combined_windows.json"), windows).expect("written");
    assert_eq!(run(folder.path()).expect("results"), 3);
    let written = fs::read_to_string(at("results/pipewarden_a1/made/pipewarden_a1_up.csv")).expect("a result");
    assert_eq!(written.lines().count(), 2_001);
    let spike = written.lines().nth(1_901).expect("a row").to_owned();
    let fields: Vec<&str> = spike.split(',').collect();
    assert!(fields[2].parse::<f64>().expect("a score") > 0.5 && fields[3] == "1", "{spike}");
    // What comes later changes no score.
    let points = series(&text).expect("a series");
    let (all, part) = (scores("pipewarden_a1", &points), scores("pipewarden_a1", &points[..1_500]));
    assert_eq!(part, all[..1_500]);
    assert_eq!(
        results(&points[..1], &[0.25], &[]),
        "timestamp,value,anomaly_score,label\n2014-04-01 00:00:00,50,0.250000,0\n"
    );
}
