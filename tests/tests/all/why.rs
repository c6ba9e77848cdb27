//! `pipewarden why` and `pipewarden verify` as an on-call engineer runs them: what they say of an alert of a game day, and
//! what they say when an event, a rule or a record is not what it was.

use std::fs;
use std::path::{Path, PathBuf};

use harness::cli::{self, Ran};
use serde_json::Value;

/// Copies of a game day's inputs and of what a replay of them told.
struct Office {
    folder: tempfile::TempDir,
    day: PathBuf,
    records: Vec<Value>,
}

impl Office {
    fn new() -> Office {
        let folder = tempfile::tempdir().expect("a folder");
        let day = folder.path().join("day");
        copy(&cli::workspace().join("replay-data/hijacked-runner"), &day);
        let alerts = folder.path().join("alerts.jsonl");
        let [day_text, alerts_text] = [&day, &alerts].map(|path| path.display().to_string());
        cli::run(["replay", &day_text, "--alerts", &alerts_text], b"").expect_code(0);
        let text = fs::read_to_string(&alerts).expect("records");
        let records = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        Office { folder, day, records }
    }

    fn alerts(&self) -> String {
        self.folder.path().join("alerts.jsonl").display().to_string()
    }

    /// The first record of a rule.
    fn of(&self, rule: &str) -> &Value {
        let named = |record: &&Value| record["rule"]["name"] == rule;
        self.records.iter().find(named).unwrap_or_else(|| panic!("{rule} is silent"))
    }

    fn print(&self, rule: &str) -> String {
        self.of(rule)["fingerprint"].as_str().expect("a text").to_owned()
    }

    fn ask(&self, words: &[&str]) -> Ran {
        cli::run(words.iter().copied().chain(["--alerts", &self.alerts()]), b"")
    }

    fn verify(&self, print: &str, more: &[&str]) -> Ran {
        let day = self.day.display().to_string();
        self.ask(&[&["verify", print, day.as_str()], more].concat())
    }

    /// Rewrites the lines of the inputs; None drops one.
    fn rewrite(&self, change: impl Fn(&str) -> Option<String>) {
        for entry in fs::read_dir(self.day.join("events")).expect("events").map(|entry| entry.expect("a file").path()) {
            let text = fs::read_to_string(&entry).expect("a text");
            let lines: Vec<String> = text.lines().filter_map(&change).collect();
            fs::write(&entry, lines.join("\n") + "\n").expect("written");
        }
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder").map(|entry| entry.expect("an entry").path()) {
        let to = to.join(entry.file_name().expect("a name"));
        if entry.is_dir() {
            copy(&entry, &to);
        } else {
            fs::copy(&entry, &to).expect("copied");
        }
    }
}

#[test]
fn why_says_what_fired_on_which_events_where_it_went_and_what_to_do() {
    let office = Office::new();
    let (print, day) = (office.print("RUN-03"), office.day.display().to_string());
    let ran = office.ask(&["why", &print[..8], "--events", &day]);
    let told = &ran.expect_code(0).stdout;
    assert!(told.starts_with("PAGE  Runner registered by a stranger  [high]"), "{told}");
    assert!(!told.contains('\u{1b}'), "no colours where nobody watches: {told}");
    let evidence = &office.of("RUN-03")["evidence"][0];
    for part in [
        &print,
        evidence["id"].as_str().expect("an id"),
        evidence["sha256"].as_str().expect("a hash"),
        "2026-09-15T09:21:37.000Z (event time)",
        "pack/run-03-rogue-runner-registered/rule.yml:",
        "events/github-audit.jsonl:",
        "  ci.runner ",
        "event.action = ",
        "prov.runner_id = 931",
        "page: the rule's only route is page",
        "platform-security",
        "runbook.md",
        "pipewarden trace --kind runner 931 ",
        &format!("pipewarden verify {print} --alerts "),
    ] {
        assert!(told.contains(part), "{part} is not in\n{told}");
    }
    let blind = office.ask(&["why", &print, "--no-pack", "--rules", "/no/such/rules"]);
    assert!(blind.expect_code(1).stderr.contains("no rule could be loaded"), "{blind:?}");
    let object = office.ask(&["why", &print, "--events", &day, "--json"]).json();
    assert_eq!(object["events"][0]["standing"], "same");
    assert_eq!(object["events"][0]["fields"]["prov.runner_id"], "931");
    assert_eq!((&object["rule"]["same_version"], &object["told"]), (&Value::from(true), &Value::from(1)), "{object}");
    assert_eq!(object["record"]["fingerprint"], print.as_str());
    // Records come through a pipe, too, and without events nobody claims to have looked.
    let text = fs::read(office.alerts()).expect("records");
    let piped = cli::run(["why", print.as_str(), "--json"], &text).expect_code(0).json();
    assert_eq!(piped["events"][0]["standing"], "not_looked_for");
}

#[test]
fn why_names_the_nearest_alerts_and_never_chooses() {
    let office = Office::new();
    let print = office.print("RUN-03");
    let other = if print.ends_with('0') { '1' } else { '0' };
    let wrong = format!("{}{other}", &print[..31]);
    for command in ["why", "verify"] {
        let ran = if command == "why" { office.ask(&["why", &wrong]) } else { office.verify(&wrong, &[]) };
        assert!(ran.expect_code(1).stdout.is_empty(), "{ran:?}");
        let near = ran.stderr.lines().nth(1).unwrap_or_default();
        assert!(near.contains(&print) && near.contains("Runner registered by a stranger"), "{}", ran.stderr);
    }
    let mut firsts: Vec<String> =
        office.records.iter().map(|record| record["fingerprint"].as_str().unwrap()[..1].to_owned()).collect();
    firsts.sort();
    let twice = firsts.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0].clone());
    let mut prints: Vec<&str> = office.records.iter().filter_map(|record| record["fingerprint"].as_str()).collect();
    prints.sort_unstable();
    prints.dedup();
    if let Some(first) =
        twice.filter(|first| prints.iter().filter(|print| print.starts_with(first.as_str())).count() > 1)
    {
        let ran = office.ask(&["why", &first]);
        assert!(ran.expect_code(1).stderr.contains("(hint: more digits)"), "{ran:?}");
        let meant = prints.iter().filter(|print| print.starts_with(first.as_str()));
        meant.for_each(|print| assert!(ran.stderr.contains(print), "{print} is not in {}", ran.stderr));
    }
    let text = office.ask(&["why", "runner"]);
    assert!(text.expect_code(1).stderr.contains("hexadecimal digits"), "{text:?}");
    let nothing = cli::run(["why", print.as_str()], b"{\"schema\":1}\n");
    assert!(nothing.expect_code(1).stderr.contains("no alert record"), "{nothing:?}");
}

#[test]
fn every_alert_of_a_game_day_is_verified() {
    let office = Office::new();
    let mut prints: Vec<&str> = office.records.iter().filter_map(|record| record["fingerprint"].as_str()).collect();
    prints.sort_unstable();
    prints.dedup();
    assert!(prints.len() > 5);
    for print in prints {
        let object = office.verify(print, &["--json"]).expect_code(0).json();
        assert_eq!(object["verdict"], "verified", "{object}");
        assert!(object["events"].as_array().is_some_and(|events| !events.is_empty()), "{object}");
        assert_eq!(object["more"], 0, "{object}");
    }
}

#[test]
fn verify_names_what_changed() {
    let office = Office::new();
    let print = office.print("RUN-03");
    let id = office.of("RUN-03")["evidence"][0]["id"].as_str().expect("an id").to_owned();
    let good = office.verify(&print, &[]);
    assert!(good.expect_code(0).stdout.starts_with("verified  "), "{good:?}");

    // Another source: only its name differs, which has a hint of its own.
    let named = office.verify(&print, &["--source", "elsewhere"]);
    assert!(named.expect_code(2).stdout.contains("differs in explain (hint: it names the source"), "{named:?}");

    // A record that somebody has touched.
    let text = fs::read_to_string(office.alerts()).expect("records");
    fs::write(office.alerts(), text.replace("\"severity\":\"high\"", "\"severity\":\"low\"")).expect("written");
    let touched = office.verify(&print, &[]);
    assert!(touched.expect_code(2).stdout.contains("severity: \"low\" is now \"high\""), "{touched:?}");
    fs::write(office.alerts(), &text).expect("written");

    // A rule that is another: its level is not the one that fired.
    let rules = cli::workspace().join("rules/library");
    let own = office.folder.path().join("rules");
    copy(&rules, &own);
    let file = own.join("run-03-rogue-runner-registered/rule.yml");
    let rule = fs::read_to_string(&file).expect("a rule");
    fs::write(&file, rule.replace("level: high", "level: low")).expect("written");
    let own = own.display().to_string();
    let other = office.verify(&print, &["--no-pack", "--rules", &own]);
    assert!(other.expect_code(2).stdout.contains(" fired, version "), "{other:?}");

    // Without its rule nothing can be told again, which is no difference.
    let one = cli::workspace().join("rules/library/building-blocks").display().to_string();
    let without = office.verify(&print, &["--no-pack", "--rules", &one]);
    assert!(without.expect_code(3).stdout.starts_with("not checked  "), "{without:?}");

    // One byte of an event, of which its id is not a part.
    office.rewrite(|line| Some(if line.contains(&id) { line.replacen('{', "{ ", 1) } else { line.to_owned() }));
    let changed = office.verify(&print, &[]);
    let said = format!("event    {id} has changed: ");
    assert!(changed.expect_code(2).stdout.contains(&said), "{changed:?}");
    assert!(changed.stdout.contains("differs in evidence"), "{changed:?}");
    let object = office.verify(&print, &["--json"]).expect_code(2).json();
    assert_eq!((&object["verdict"], &object["events"][0]["standing"]), (&"differs".into(), &"changed".into()));

    // And no event at all.
    office.rewrite(|line| (!line.contains(&id)).then(|| line.to_owned()));
    let missing = office.verify(&print, &[]);
    assert!(missing.expect_code(2).stdout.contains(&format!("event    {id} is missing: ")), "{missing:?}");
    assert!(missing.stdout.contains("does not come out again"), "{missing:?}");
}
