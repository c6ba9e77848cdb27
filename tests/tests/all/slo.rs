//! The archive and the indicators through the command line: what game days come to, byte for byte (`UPDATE_EXPECT=1` rewrites
//! it, review reads the difference), what an archive refuses, and what its verification finds.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use harness::cli;
use serde_json::Value;

/// Game days whose events, together, give every indicator something to count.
const DAYS: [&str; 9] = [
    "gd-a1/attack",
    "gd-a2/attack",
    "gd-a3/attack",
    "gd-a4/attack",
    "gd-b1/attack",
    "gd-b1/attack-outage",
    "gd-b2/attack",
    "gd-b3/attack",
    "gd-b4/attack",
];

pub(crate) fn archived(day: &str, folder: &Path) -> PathBuf {
    let archive = folder.join("history");
    let input = cli::workspace().join("replay-data").join(day);
    let args = ["replay", &input.display().to_string(), "--json", "--archive", &archive.display().to_string()];
    let ran = cli::run(args, b"");
    assert!([0, 2].contains(&ran.code), "{ran:?}");
    archive
}

pub(crate) fn report(archive: &Path, more: &[&str]) -> cli::Ran {
    let archive = archive.display().to_string();
    let args = ["slo", "report", "--archive", archive.as_str()].into_iter().chain(more.iter().copied());
    cli::run(args, b"")
}

#[test]
fn game_days_come_to_the_values_that_are_written_down() {
    let mut with_data = BTreeSet::new();
    for day in DAYS {
        let folder = tempfile::tempdir().expect("a folder");
        let archive = archived(day, folder.path());
        let found = report(&archive, &["--json"]).expect_code(0).json();
        for value in found["indicators"].as_array().expect("indicators") {
            if !value["value"].is_null() {
                with_data.insert(value["code"].as_str().expect("a code").to_owned());
            }
        }
        let text = format!("{}\n", serde_json::to_string_pretty(&found).expect("is written"));
        let file = cli::workspace().join("tests/fixtures/slo").join(format!("{}.json", day.replace('/', "-")));
        if cli::updates_expected() {
            std::fs::write(&file, &text).expect("can be written");
        }
        let expected = std::fs::read_to_string(&file).unwrap_or_default();
        assert!(expected == text, "{day}: is not what {} says (UPDATE_EXPECT=1 rewrites it):\n{text}", file.display());
    }
    let all: BTreeSet<String> =
        ["A", "B"].iter().flat_map(|set| (1..=10).map(move |n| format!("{set}-M{n}"))).collect();
    assert_eq!(with_data, all, "every indicator has data on some game day");
}

#[test]
fn an_archive_is_asked_verified_and_not_written_twice() {
    let folder = tempfile::tempdir().expect("a folder");
    let archive = archived("gd-a1/attack", folder.path());
    let dir = archive.display().to_string();
    let query = |sql: &str, more: &[&str]| {
        cli::run(["query", "--archive", dir.as_str(), sql].into_iter().chain(more.iter().copied()), b"")
    };
    let counted =
        query("SELECT class, count(*) AS n FROM events WHERE class = 'deploy.finished' GROUP BY class", &["--json"]);
    let rows: Value = counted.expect_code(0).json();
    assert_eq!(rows["class"], "deploy.finished");
    assert!(rows["n"].as_i64().is_some_and(|n| n > 10), "{rows}");
    let alerts = query("SELECT count(*) AS n FROM events WHERE class = 'alert' AND route = 'page'", &["--json"]);
    assert!(alerts.expect_code(0).json()["n"].as_i64().is_some_and(|n| n > 5));
    for (sql, part) in [("DROP TABLE events", "only SELECT"), ("SELECT nothing FROM events", "nothing")] {
        let ran = query(sql, &[]);
        assert!(ran.code == 1 && ran.stderr.contains(part) && ran.stdout.is_empty(), "{ran:?}");
    }
    let endless = "SELECT max(a.id || b.id || c.id || d.id) FROM events a, events b, events c, events d";
    let ran = query(endless, &["--timeout", "300ms"]);
    assert!(ran.code == 1 && ran.stderr.contains("took longer than 0.3 s"), "{ran:?}");
    let verify = |code: i32| cli::run(["archive", "verify", dir.as_str()], b"").expect_code(code).stdout.clone();
    assert!(verify(0).contains(" files, "));
    let again = cli::run(
        ["replay", &cli::workspace().join("replay-data/gd-a1/attack").display().to_string(), "--archive", &dir],
        b"",
    );
    assert!(again.code == 1 && again.stderr.contains("holds events already"), "{again:?}");
    let class = archive.join("events/day=2026-09-21/class=registry.push");
    let file = std::fs::read_dir(class).expect("a folder").next().expect("a file").expect("a file").path();
    std::fs::write(&file, b"PAR1").expect("can be written");
    let name = file.file_name().expect("a name").to_string_lossy().into_owned();
    assert!(verify(2).contains(&format!("{name}: was changed")));
}

#[test]
fn a_page_of_indicators_loads_nothing_and_holds_no_markup_of_others() {
    let folder = tempfile::tempdir().expect("a folder");
    let archive = archived("gd-b2/attack", folder.path());
    let page = folder.path().join("slo.html");
    report(&archive, &["--by", "team", "--html", &page.display().to_string()]).expect_code(0);
    let text = std::fs::read_to_string(&page).expect("a page");
    assert!(text.contains("<svg") && text.contains("A-M1") && text.contains("no data"));
    assert!(!text.contains("<script") && !text.contains("http"), "{text}");
}
