//! The shipped rules of a Prometheus server on the worker's own metrics (OPS-05, OPS-14): promtool accepts them, they fire where
//! they should, and ask for nothing that the worker does not count.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;

use harness::{cli, prometheus};
use regex::Regex;

const FILES: [&str; 2] = ["ops-05-source-late.yml", "ops-14-self-health.yml"];

fn shipped(file: &str) -> String {
    fs::read_to_string(cli::workspace().join("docs/prometheus").join(file)).expect("a file of rules")
}

/// Runs the made series of the test file on these rules; None: promtool cannot be had.
fn judged(folder: &Path, rules: &[(&str, String)]) -> Option<(bool, String)> {
    let tests = cli::workspace().join("tests/prometheus/worker.test.yml");
    let tests = fs::read_to_string(tests).expect("the tests").replace("../../docs/prometheus/", "");
    fs::write(folder.join("worker.test.yml"), tests).expect("written");
    rules.iter().for_each(|(file, text)| fs::write(folder.join(file), text).expect("written"));
    let file = folder.join("worker.test.yml");
    prometheus::promtool(&[OsStr::new("test"), OsStr::new("rules"), file.as_os_str()])
}

#[test]
fn the_shipped_rules_fire_where_they_should_and_every_bound_counts() {
    let folder = tempfile::tempdir().expect("a folder");
    let rules = FILES.map(|file| (file, shipped(file)));
    let Some((is_good, said)) = judged(folder.path(), &rules) else { return };
    assert!(is_good, "{said}");
    for (bound, other) in [
        ("> 0.01", "> 0.001"),
        ("> 0.01", "> 0.03"),
        ("> 60\n", "> -1\n"),
        ("> 60\n", "> 6000\n"),
        ("[5m]) == 0", "[5m]) == 7"),
        ("> 0.001\n", "> 0.0005\n"),
        ("> 0.001\n", "> 0.01\n"),
        ("rules_refused > 0", "rules_refused > 1"),
        ("findings_lost[15m]) > 0", "findings_lost[15m]) > 9"),
    ] {
        let changed = rules.each_ref().map(|(file, text)| (*file, text.replace(bound, other)));
        assert_ne!(changed, rules, "{bound} stands nowhere");
        let (is_good, _) = judged(folder.path(), &changed).expect("promtool is there");
        assert!(!is_good, "nobody notices {other} in the place of {bound}");
    }
}

#[test]
fn the_shipped_rules_ask_for_metrics_that_there_are() {
    let known = fs::read_to_string(cli::workspace().join("docs/operating.md")).expect("the page of metrics");
    let name = Regex::new(r"pipewarden_[a-z_]+").expect("an expression");
    for file in FILES {
        let text = shipped(file);
        let asked: Vec<&str> = name.find_iter(&text).map(|found| found.as_str()).collect();
        assert!(!asked.is_empty(), "{file}");
        let unknown: Vec<&&str> = asked.iter().filter(|metric| !known.contains(&format!("`{metric}`"))).collect();
        assert!(unknown.is_empty(), "{file}: {unknown:?}");
    }
}
