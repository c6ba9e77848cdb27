//! `gameday`: what is told is held against what an exercise expects, on a clock of arrivals; and the real game days
//! give what they promise.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use harness::cli::{self, Ran};
use serde_json::Value;

const RULE: &str = "\
title: A new runner
id: 11111111-1111-4111-8111-111111111111
name: TST-01
status: experimental
level: high
logsource: {product: pipewarden, category: ci.runner}
detection:
  new: {event.action: registered, prov.runner_pool: release}
  condition: new
x-requires: [E12]
x-alert: {route: page, fingerprint: [prov.runner_id], owner: platform, runbook: runbook.md}
";

/// A day of two variants: in the attack a runner comes to the pool of releases, in the twin to another.
struct Day {
    folder: tempfile::TempDir,
}

impl Day {
    fn new() -> Day {
        let day = Day { folder: tempfile::tempdir().expect("a folder") };
        day.put("rule.yml", RULE);
        let expect = "  alerts:
    - {id: TST, route: page, key: {prov.runner_id: r1}, not_before: \"00:10\", not_after: \"00:14\"}
  pages_max: 1
  forbid: []
  lineage: [\"prov.runner_id=r1\"]
  sli: {time_to_detect_s: 3}
";
        day.variant("attack", "A runner <script>alert(1)</script> & co", "release", expect);
        day.variant("twin", "The same elsewhere", "build", "  alerts: []\n  pages_max: 0\n  tickets_max: 0\n");
        day
    }

    fn put(&self, name: &str, text: &str) -> PathBuf {
        let file = self.folder.path().join(name);
        fs::create_dir_all(file.parent().expect("a folder")).expect("made");
        fs::write(&file, text).expect("written");
        file
    }

    fn variant(&self, variant: &str, title: &str, pool: &str, expect: &str) {
        let event = format!(
            "{{\"event\":{{\"id\":\"e1\",\"time\":\"2026-09-21T09:00:10Z\",\"class\":\"ci.runner\",\"action\":\"registered\"}},\
             \"prov\":{{\"runner_id\":\"r1\",\"runner_pool\":\"{pool}\",\"actor\":\"mallory\"}}}}\n"
        );
        let label = if variant == "attack" { "m" } else { "b" };
        let kind = if variant == "attack" { "attack" } else { "twin" };
        self.put(&format!("days/gd-a9/{variant}/events/runners.jsonl"), &event);
        self.put(&format!("days/gd-a9/{variant}/events/runners.arrivals"), "2026-09-21T09:00:12.5Z\n");
        self.put(
            &format!("days/gd-a9/{variant}/scenario.yaml"),
            &format!(
                "id: GD-A9\nvariant: {kind}\ntitle: \"{title}\"\nstart: 2026-09-21T09:00:00Z\nend: 2026-09-21T09:05:00Z\n\
                 inputs:\n  - {{source: runners, file: events/runners.jsonl, arrivals: events/runners.arrivals, format: normal, \
                 trust: control_plane, lateness: 60s, classes: [ci.runner]}}\nlabels:\n  {label}: [e1]\nexpect:\n{expect}"
            ),
        );
    }

    /// Changes a file.
    fn edit(&self, name: &str, from: &str, to: &str) {
        let file = self.folder.path().join("days/gd-a9").join(name);
        let text = fs::read_to_string(&file).expect("readable");
        assert!(text.contains(from), "{text}");
        fs::write(file, text.replace(from, to)).expect("written");
    }

    fn run(&self, more: &[&str]) -> Ran {
        let (dir, rule) = (self.folder.path().join("days"), self.folder.path().join("rule.yml"));
        let (dir, rule) = (dir.to_string_lossy(), rule.to_string_lossy());
        let fixed = ["gameday", "run", "--dir", &dir, "--no-pack", "--rules", &rule];
        cli::run(fixed.into_iter().chain(more.iter().copied()), b"")
    }
}

#[test]
fn an_attack_that_is_told_in_time_and_its_silent_twin_pass() {
    let day = Day::new();
    let ran = day.run(&["gd-a9"]);
    ran.expect_code(0);
    for says in
        ["PASS  gd-a9/attack", "PASS  gd-a9/twin", "00:13", "3 s after the first event (A-M7: within 24 h)", "2 of 2"]
    {
        assert!(ran.stdout.contains(says), "{says}: {}", ran.stdout);
    }
    assert!(!ran.stdout.contains('\u{1b}'), "no colours in a pipe: {}", ran.stdout);
    // The same by id, and one variant by its name; the clock of people changes nothing.
    assert_eq!(day.run(&["GD-A9"]).stdout, ran.stdout);
    assert!(day.run(&["gd-a9/twin"]).expect_code(0).stdout.contains("1 of 1 passed"));
}

#[test]
fn what_is_told_and_what_is_expected_fail_apart() {
    for (name, from, to, says) in [
        ("attack/scenario.yaml", "{id: TST,", "{id: TST-02,", "TST-02 (page): no such rule is loaded"),
        (
            "attack/scenario.yaml",
            "prov.runner_id: r1}",
            "prov.runner_id: r2}",
            "told at 00:13, but of prov.runner_id=r1",
        ),
        ("attack/scenario.yaml", "not_after: \"00:14\"", "not_after: \"00:12\"", "told at 00:13, 1 s too late"),
        (
            "attack/scenario.yaml",
            "not_before: \"00:10\"",
            "not_before: \"00:11\"",
            "told only of 00:10, before it is due",
        ),
        ("attack/scenario.yaml", "forbid: []", "forbid: [TST]", "forbidden: TST-01 (page) at 00:13, prov.runner_id=r1"),
        ("attack/scenario.yaml", "pages_max: 1", "pages_max: 0", "pages: 1 incidents, 0 at most"),
        ("attack/events/runners.jsonl", "\"release\"", "\"build\"", "TST (page): not told"),
        ("attack/events/runners.arrivals", "09:00:12.5", "09:00:20", "told at 00:20, 6 s too late"),
        ("attack/events/runners.jsonl", "{\"event\"", "{{\"event\"", "labels that are no event's id: e1"),
        ("twin/events/runners.jsonl", "\"build\"", "\"release\"", "must be silent: TST-01 (page) at 00:13"),
        ("twin/scenario.yaml", "pages_max: 0", "pages_max: 0\n  surprise: 1", "expect.surprise: unknown key"),
        ("twin/scenario.yaml", "b: [e1]", "b: [e2]", "labels that are no event's id: e2"),
    ] {
        let day = Day::new();
        day.edit(name, from, to);
        let ran = day.run(&["all"]);
        ran.expect_code(1);
        assert!(format!("{}{}", ran.stdout, ran.stderr).contains(says), "{says}: {ran:?}");
    }
    // What nobody expected, on nothing that belongs to the attack.
    let day = Day::new();
    day.edit(
        "attack/scenario.yaml",
        "{id: TST, route: page, key: {prov.runner_id: r1}",
        "{id: TST, route: page, key: {prov.runner_id: r7}",
    );
    day.edit("attack/scenario.yaml", "  m: [e1]", "  n: [e1]");
    day.edit("attack/scenario.yaml", "runner_id=r1\"", "runner_id=r7\"");
    let ran = day.run(&["all"]);
    assert!(ran.expect_code(1).stdout.contains("not of the attack: TST-01 (page)"), "{ran:?}");
}

#[test]
fn a_pending_expectation_may_wait() {
    let day = Day::new();
    day.edit("attack/scenario.yaml", "{id: TST,", "{id: TST-02,");
    day.edit("attack/scenario.yaml", "  sli:", "  pending: [{id: TST-02, why: \"a detector\"}]\n  sli:");
    let ran = day.run(&["gd-a9/attack"]);
    assert!(ran.expect_code(0).stdout.contains("pending: TST-02: a detector"), "{ran:?}");
}

#[test]
fn the_json_says_all_of_it() {
    let day = Day::new();
    let told = day.run(&["all", "--json"]).expect_code(0).json();
    assert_eq!(told["passed"], true);
    let of = &told["exercises"][0];
    for (pointer, is) in [
        ("/name", "gd-a9/attack".into()),
        ("/id", "GD-A9".into()),
        ("/variant", "attack".into()),
        ("/passed", true.into()),
        ("/failures", Value::Array(Vec::new())),
        ("/incidents", 1.into()),
        ("/pages_max", 1.into()),
        ("/detection/time_s", 3.into()),
        ("/detection/goal/name", "A-M7".into()),
        ("/detection/within", true.into()),
        ("/expectations/0/outcome", "met".into()),
        ("/expectations/0/told_at", "2026-09-21T09:00:13.000Z".into()),
        ("/expectations/0/lacks_evidence", false.into()),
        ("/alerts/0/detection", "TST-01".into()),
        ("/alerts/0/urgency", "page".into()),
        ("/alerts/0/event_time", "2026-09-21T09:00:10.000Z".into()),
        ("/alerts/0/evidence/0", "e1".into()),
        ("/alerts/0/standing", "expected".into()),
        ("/events/0/label", "malicious".into()),
        ("/events/0/what", "ci.runner registered".into()),
        ("/late_events", 0.into()),
    ] {
        assert_eq!(of.pointer(pointer), Some(&is), "{pointer}: {of:#}");
    }
    // Told ahead of its seal: sealed once its source counts as complete, a lateness behind.
    let sealed = of["alerts"][0]["sealed_at"].as_str().expect("sealed");
    assert_eq!(sealed, "2026-09-21T09:01:10.000Z");
    assert_eq!(told["exercises"][1]["detection"], Value::Null);
}

#[test]
fn the_page_stands_alone_and_escapes_what_others_wrote() {
    let day = Day::new();
    let file = day.folder.path().join("report.html");
    day.run(&["all", "--html", &file.to_string_lossy()]).expect_code(0);
    let page = fs::read_to_string(file).expect("a page");
    assert!(page.starts_with("<!DOCTYPE html>") && page.ends_with("</html>\n"), "{page}");
    for lacks in ["<script", "src=", "href=", "url(", "@import", "http:", "https:"] {
        assert!(!page.contains(lacks), "{lacks}: {page}");
    }
    for has in
        ["A runner &lt;script&gt;alert(1)&lt;/script&gt; &amp; co", "<svg", "class=\"m\"", "class=\"window\"", "TST-01"]
    {
        assert!(page.contains(has), "{has}: {page}");
    }
}

#[test]
fn what_is_not_there_is_said_with_a_hint() {
    let day = Day::new();
    for (arguments, says) in [
        (vec!["gameday", "list", "--dir", "/nowhere/at/all"], "name the folder with --dir"),
        (vec!["gameday", "run", "gd-z9", "--dir", "days"], "no such game day (hint: all, gd-a9/attack, gd-a9/twin)"),
        (vec!["gameday", "run", "--dir", "days"], "NAME"),
    ] {
        let dir = day.folder.path().join("days").to_string_lossy().into_owned();
        let arguments: Vec<&str> = arguments.iter().map(|of| if *of == "days" { dir.as_str() } else { of }).collect();
        let ran = cli::run(arguments, b"");
        assert!(ran.expect_code(1).stderr.contains(says), "{says}: {ran:?}");
    }
    let empty = tempfile::tempdir().expect("a folder");
    let ran = cli::run(["gameday", "list", "--dir", &empty.path().to_string_lossy()], b"");
    assert!(ran.expect_code(1).stderr.contains("there are no game days"), "{ran:?}");
}

#[test]
fn game_days_are_listed_and_replayed() {
    let dir = cli::workspace().join("replay-data");
    let listed = cli::run(["gameday", "list", "--json", "--dir", &dir.to_string_lossy()], b"").expect_code(0).json();
    let names: BTreeSet<&str> =
        listed.as_array().expect("an array").iter().filter_map(|of| of["name"].as_str()).collect();
    assert!(
        names.len() >= 19 && names.contains("gd-b1/attack-outage") && !names.contains("hijacked-runner"),
        "{names:?}"
    );
    // The same folder is good for `replay`, which makes one source of it.
    let folder = dir.join("gd-b1/attack");
    let replayed = cli::run(["replay", &folder.to_string_lossy(), "--json", "--log", "off"], b"");
    assert_eq!(replayed.json()["records"]["invalid"], 0, "{replayed:?}");
    assert_eq!(replayed.json()["alerts"]["by_rule"].as_array().map(Vec::is_empty), Some(false), "{replayed:?}");
}

/// What a report does not give: expectations that are not met, `told X` where silence is due, `pages`, `tickets`, `detection`
/// beyond their limits.
fn unmet(of: &Value) -> BTreeSet<String> {
    let each = |key: &str| of[key].as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut unmet: BTreeSet<String> = each("expectations")
        .iter()
        .filter(|one| !["met", "pending"].contains(&one["outcome"].as_str().unwrap_or_default()))
        .map(|one| text(&one["id"]))
        .collect();
    let may_speak = |alert: &Value| {
        of["variant"] == "attack" && !["stray", "forbidden"].contains(&alert["standing"].as_str().unwrap_or_default())
    };
    let told = each("alerts").into_iter().filter(|alert| !may_speak(alert));
    unmet.extend(told.map(|alert| format!("told {}", text(&alert["detection"]))));
    for (count, max, name) in [("incidents", "pages_max", "pages"), ("tickets", "tickets_max", "tickets")] {
        unmet.extend((of[max].is_u64() && of[count].as_u64() > of[max].as_u64()).then(|| name.to_owned()));
    }
    let is_slow = of["detection"]["is_measured"] == true && of["detection"]["within"] == false;
    unmet.extend(is_slow.then(|| "detection".to_owned()));
    unmet
}

#[test]
fn the_real_game_days_give_what_they_promise() {
    let dir = cli::workspace().join("replay-data");
    let ran = cli::run(["gameday", "run", "all", "--json", "--log", "off", "--dir", &dir.to_string_lossy()], b"");
    let told = ran.json();
    let exercises = told["exercises"].as_array().expect("an array");
    assert!(exercises.len() >= 19, "{}", exercises.len());
    assert_eq!(ran.code, i32::from(told["passed"] == false), "{ran:?}");
    for of in exercises {
        let name = of["name"].as_str().unwrap_or_default();
        let found = unmet(of);
        assert!(found.is_empty(), "{name}: {found:?}");
        assert_eq!(of["passed"] == true, found.is_empty(), "{name}: {:#}", of["failures"]);
        // What a source says of the time in which it could not be heard comes late.
        let late = u64::from(name == "gd-b1/attack-outage");
        assert_eq!(of["late_events"], late, "{name}: every record comes within its source's lateness");
    }
}
