//! Every folder of `replay-data` gives exactly the alerts it promises, however its events arrive.
//!
//! `UPDATE_EXPECT=1` rewrites `expected.jsonl`, review reads the difference.

use std::path::{Path, PathBuf};

use harness::cli;

fn game_days() -> Vec<PathBuf> {
    let folder = cli::workspace().join("replay-data");
    let mut days: Vec<PathBuf> =
        std::fs::read_dir(folder).expect("replay-data").map(|entry| entry.expect("readable").path()).collect();
    days.retain(|day| day.join("scenario.yaml").is_file());
    days.sort();
    days
}

fn sealed(day: &Path, more: &[&str]) -> String {
    let out = tempfile::tempdir().expect("a folder");
    let alerts = out.path().join("alerts.jsonl");
    let (day, path) = (day.to_string_lossy(), alerts.to_string_lossy());
    let arguments: Vec<&str> =
        ["replay", &day, "--alerts", &path, "--json"].into_iter().chain(more.iter().copied()).collect();
    cli::run(arguments, b"").expect_code(0);
    std::fs::read_to_string(alerts).expect("alerts")
}

#[test]
fn every_game_day_gives_what_it_promises() {
    let days = game_days();
    assert!(days.len() >= 2, "attack and benign twin are there");
    for day in days {
        let found = sealed(&day, &["--threads", "1"]);
        let expected = day.join("expected.jsonl");
        if cli::updates_expected() {
            std::fs::write(&expected, &found).expect("written");
        }
        let promised = std::fs::read_to_string(&expected).unwrap_or_default();
        assert!(found == promised, "{}: found\n{found}\npromised\n{promised}", day.display());
        assert_eq!(found, sealed(&day, &["--threads", "2"]), "{}: two threads", day.display());
    }
}

#[test]
fn benign_twins_are_silent_and_attacks_page() {
    for day in game_days() {
        let found = sealed(&day, &[]);
        let benign = day.to_string_lossy().ends_with("-benign");
        assert_eq!(found.is_empty(), benign, "{}", day.display());
        assert_eq!(found.contains("\"urgency\":\"page\""), !benign, "{}", day.display());
    }
}
