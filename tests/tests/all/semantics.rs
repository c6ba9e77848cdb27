//! Scenarios: events in arrival order, and byte for byte what must come of them; `UPDATE_EXPECT=1` rewrites what is expected.
//!
//! A scenario is a folder: scenario.yaml (as for game days) and rules.yml, its inputs, `expected.jsonl` (what `--alerts`
//! writes), `matches.jsonl` (the same with `--every-match`) and `summary.json` (the counts of `--json`).

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use harness::cli;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios").join(name)
}

fn names() -> Vec<String> {
    let entries = fs::read_dir(folder("")).expect("the scenarios are there");
    let mut names: Vec<String> =
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// The sealed records and the counts of one run.
fn replay(name: &str, more: &[&str]) -> (String, String) {
    let folder = folder(name);
    let out = tempfile::NamedTempFile::new().expect("a file");
    let (rules, out_path) = (folder.join("rules.yml"), out.path().to_string_lossy().into_owned());
    let mut args =
        vec!["replay", "--no-pack", "--json", "--rules", rules.to_str().expect("UTF-8"), "--alerts", &out_path];
    args.extend(more);
    args.push(folder.to_str().expect("UTF-8"));
    let ran = cli::run(args, b"");
    let summary = ran.expect_code(0).json();
    let counts =
        serde_json::json!({"records": summary["records"], "invalid": summary["invalid"], "events": summary["events"]});
    (fs::read_to_string(out.path()).expect("records"), format!("{counts:#}\n"))
}

fn compare(file: &Path, found: &str, wrong: &mut Vec<String>) {
    if cli::updates_expected() {
        fs::write(file, found).expect("written");
        return;
    }
    let expected = fs::read_to_string(file).unwrap_or_default();
    if expected == found {
        return;
    }
    let (mut a, mut b) = (expected.lines(), found.lines());
    let at = (1..).find(|_| match (a.next(), b.next()) {
        (Some(a), Some(b)) => a != b,
        _ => true,
    });
    let line = |text: &str| text.lines().nth(at.unwrap_or(1) - 1).unwrap_or("(end)").to_owned();
    wrong.push(format!(
        "{}:{}\n  expected {}\n  found    {}",
        file.display(),
        at.unwrap_or(1),
        line(&expected),
        line(found)
    ));
}

#[test]
fn scenarios_come_out_byte_for_byte() {
    let mut wrong = Vec::new();
    for name in names() {
        let (alerts, counts) = replay(&name, &[]);
        compare(&folder(&name).join("expected.jsonl"), &alerts, &mut wrong);
        compare(&folder(&name).join("summary.json"), &counts, &mut wrong);
        let (matches, again) = replay(&name, &["--every-match", "--threads", "3"]);
        compare(&folder(&name).join("matches.jsonl"), &matches, &mut wrong);
        assert_eq!(counts, again, "{name}: --every-match and threads change no count");
    }
    assert!(wrong.is_empty(), "{} differ (UPDATE_EXPECT=1 rewrites):\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn arrival_order_changes_no_byte() {
    let ordered = fs::read(folder("fold-repeat-expire/expected.jsonl")).expect("expected");
    assert!(!ordered.is_empty());
    assert_eq!(ordered, fs::read(folder("arrival-order/expected.jsonl")).expect("expected"));
}

/// The promises' own cases, where their runner and what it needs stand beside the workspace.
#[test]
fn the_cases_of_the_promises_pass() {
    let runner = cli::workspace().join("../shared/semantics/run.py");
    let yaml = Command::new("python3").args(["-c", "import yaml"]).stderr(Stdio::null()).status();
    if !runner.is_file() || !yaml.is_ok_and(|status| status.success()) {
        let why = if runner.is_file() { "python3 with PyYAML is missing" } else { "their folder is not there" };
        // Past the test runner's capture: a skipped test has to be seen.
        let _ = writeln!(std::io::stderr(), "skipped: the cases of the promises: {why}");
        return;
    }
    let ran = Command::new("python3").arg(&runner).arg(cli::binary()).arg("1").output().expect("python3 starts");
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success(), "{said}{}", String::from_utf8_lossy(&ran.stderr));
    assert!(said.contains(" passed, 0 failed") && !said.starts_with("0 "), "{said}");
}
