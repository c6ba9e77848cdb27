//! Objectives through the command line: where game days leave them, byte for byte (`UPDATE_EXPECT=1` rewrites it, review reads
//! the difference), and what Prometheus' own tool says of the rules that are made of them.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use harness::{cli, prometheus};
use serde_json::Value;

use crate::slo::{archived, report};

fn fixtures() -> PathBuf {
    cli::workspace().join("tests/fixtures/slo")
}

fn files() -> Vec<String> {
    ["builds", "admissions", "admitted", "decisions"]
        .map(|name| fixtures().join(format!("objectives/{name}.yaml")).display().to_string())
        .to_vec()
}

fn objectives(archive: &Path, more: &[&str]) -> cli::Ran {
    let files = files();
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    report(archive, &[&["--objectives"], files.as_slice(), more].concat())
}

#[test]
fn a_game_days_objectives_stand_where_it_is_written_down() {
    let folder = tempfile::tempdir().expect("a folder");
    let archive = archived("gd-b4/attack", folder.path());
    let found = objectives(&archive, &["--judge", "--json"]).expect_code(0).json()["objectives"].clone();
    let text = format!("{}\n", serde_json::to_string_pretty(&found).expect("is written"));
    let file = fixtures().join("objectives/gd-b4-attack.json");
    if cli::updates_expected() {
        std::fs::write(&file, &text).expect("can be written");
    }
    let expected = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(expected == text, "is not what {} says (UPDATE_EXPECT=1 rewrites it):\n{text}", file.display());
    for of in found.as_array().expect("objectives") {
        holds_together(&archive, of);
    }
    let page = folder.path().join("slo.html");
    let table = objectives(&archive, &["--html", &page.display().to_string()]).expect_code(0).stdout.clone();
    assert!(
        ["builds", "what is left:", "a full budget:", "-139.3 %"].iter().all(|part| table.contains(part)),
        "{table}"
    );
    assert!(!table.contains("fired"), "nobody asked: {table}");
    let page = std::fs::read_to_string(page).expect("a page");
    assert!(page.matches("<polyline").count() == 4 && page.contains("no data") && !page.contains("<script"), "{page}");
}

/// What an objective says of itself, against the archive's own rows and against what it says at the times of its alerts.
fn holds_together(archive: &Path, of: &Value) {
    let (good, total) = (of["good"].as_i64().expect("good"), of["total"].as_i64().expect("total"));
    let left =
        1.0 - (total - good) as f64 / ((1.0 - of["objective_percent"].as_f64().expect("%") / 100.0) * total as f64);
    assert!(of["budget"]["left"].as_f64().is_some_and(|told| (told - left).abs() < 1e-9), "{of}");
    if of["budgeting"] == "occurrences" {
        let sql = format!(
            "SELECT sum(good) AS good, sum(total) AS total FROM contributions WHERE indicator = '{}' AND minute >= '{}'",
            of["indicator"].as_str().expect("a code"),
            of["from"].as_str().expect("a time")
        );
        let archive = archive.display().to_string();
        let counted = cli::run(["query", "--archive", &archive, "--json", &sql], b"").expect_code(0).json();
        assert_eq!((&counted["good"], &counted["total"]), (&of["good"], &of["total"]));
    }
    for alert in of["alerts"].as_array().expect("alerts") {
        let told_at = |time: &Value| {
            let found = objectives(archive, &["--json", "--to", time.as_str().expect("a time")]).expect_code(0).json();
            let all = found["objectives"].as_array().expect("objectives").clone();
            all.into_iter().find(|other| other["name"] == of["name"]).expect("is there")["verdict"].clone()
        };
        assert_eq!(told_at(&alert["fired"]), alert["urgency"], "{of}");
        if !alert["resolved"].is_null() {
            assert_ne!(told_at(&alert["resolved"]), alert["urgency"], "{of}");
        }
    }
}

/// Of alerts, of an indicator of events, and of one that names what rules hold at.
const LIVE: [&str; 4] = ["A-M7", "B-M4", "B-M5", "B-M9"];

/// Counted by indicator, team and environment; what was counted as nothing is left out.
fn counted<'v>(rows: impl Iterator<Item = &'v Value>) -> BTreeMap<String, (i64, i64)> {
    let text = |of: &Value, key: &str| of[key].as_str().unwrap_or_default().to_owned();
    let number = |of: &Value, key: &str| of[key].as_i64().expect("a number");
    let key = |of: &Value| ["indicator", "team", "environment"].map(|key| text(of, key)).join("/");
    rows.map(|of| (key(of), (number(of, "good"), number(of, "total")))).filter(|(_, of)| *of != (0, 0)).collect()
}

#[test]
fn what_counts_alerts_says_the_same_while_they_come_and_of_their_archive() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = |name: &str| folder.path().join(name).display().to_string();
    let files = LIVE.map(|code| {
        let file = place(&format!("{code}.yaml"));
        let text = format!(
            "apiVersion: openslo/v1\nkind: SLO\nmetadata: {{name: of-{code}}}\nspec:\n  indicatorRef: {code}\n  timeWindow: \
             [{{duration: 30d}}]\n  objectives: [{{targetPercent: 99}}]\n  x-alerting: {{owner: o, runbook: r}}\n"
        );
        std::fs::write(&file, text).expect("is written");
        file
    });
    let mut with_data = BTreeSet::new();
    for day in ["gd-b4/attack", "gd-b3/attack"] {
        let (input, archive) = (cli::workspace().join("replay-data").join(day), place(&day.replace('/', "-")));
        let mut args = vec!["replay".to_owned(), input.display().to_string(), "--json".to_owned()];
        args.extend(["--archive".to_owned(), archive.clone()]);
        args.extend(files.iter().flat_map(|file| ["--objectives".to_owned(), file.clone()]));
        let ran = cli::run(args, b"");
        assert!([0, 2].contains(&ran.code), "{ran:?}");
        let live = ran.json()["objectives"].clone();
        let live_counts = counted(live["counted"].as_array().expect("counted").iter());
        let codes = LIVE.map(|code| format!("'{code}'")).join(", ");
        let sql = format!(
            "SELECT indicator, team, environment, sum(good) AS good, sum(total) AS total FROM contributions WHERE \
             indicator IN ({codes}) GROUP BY indicator, team, environment"
        );
        let told = cli::run(["query", "--archive", &archive, "--json", &sql], b"").expect_code(0).stdout.clone();
        let rows: Vec<Value> = told.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        assert_eq!(live_counts, counted(rows.iter()), "{day}");
        with_data.extend(live_counts.keys().filter_map(|key| key.get(..4)).map(str::to_owned));
        // And every burn rate, to the last digit, as of the last close.
        let as_of = live["as_of"].as_str().expect("a close");
        let names = files.each_ref().map(String::as_str);
        let asked = [&["--objectives"], names.as_slice(), &["--json", "--to", as_of]];
        let found = report(Path::new(&archive), &asked.concat()).expect_code(0).json()["objectives"].clone();
        let burns = live["burns"].as_array().expect("burns");
        assert!(burns.len() >= 2, "{live}");
        for of in burns {
            let all = found.as_array().expect("objectives");
            let old = all.iter().find(|other| other["name"] == of["slo"]).expect("is there");
            assert_eq!(of["budget_left"], old["budget"]["left"], "{of} {old}");
            for condition in old["conditions"].as_array().expect("conditions") {
                let (long, rate) = (condition["long"]["seconds"].as_f64().expect("s"), &condition["long"]["burn_rate"]);
                let name = slis::live::span((long * 1e3) as i64);
                assert_eq!(of["burn_rates"].get(&name).unwrap_or(&Value::Null), rate, "{name}: {of} {old}");
            }
        }
    }
    assert_eq!(with_data, LIVE.map(str::to_owned).into(), "each has data on some day");
}

#[test]
fn objectives_that_are_wrong_are_all_named_and_nothing_is_printed() {
    let folder = tempfile::tempdir().expect("a folder");
    let (again, wrong) = (folder.path().join("again.yaml"), folder.path().join("wrong.yaml"));
    std::fs::copy(&files()[0], &again).expect("is copied");
    std::fs::write(&wrong, "apiVersion: openslo/v1\nkind: SLO\nmetadata: {name: x}\nspec: {}\n").expect("is written");
    let (again, wrong) = (again.display().to_string(), wrong.display().to_string());
    let ran = cli::run(["slo", "rules", &files()[0], &again, &wrong], b"");
    assert!(ran.code == 1 && ran.stdout.is_empty(), "{ran:?}");
    for part in ["there is an objective \"builds\" already", "timeWindow", "objectives"] {
        assert!(ran.stderr.contains(part), "{part}: {ran:?}");
    }
}

/// Counters of a server, a step each minute, and how many pages and tickets of an objective fire at some minutes.
struct Course {
    name: &'static str,
    slo: &'static str,
    indicator: &'static str,
    /// (counter, its values as promtool writes them)
    counters: &'static [(&'static str, &'static str)],
    /// (minute, pages, tickets)
    fires: &'static [(u32, u32, u32)],
}

const TOTAL: &str = "pipewarden_sli_total";
const GOOD: &str = "pipewarden_sli_good_total";

/// 14.4 % of an hour is 8.64 min, 6 % of six hours 21.6 min; the page ends when the half hour is clean enough, and the
/// tickets are not held any longer. Of slices, 56 % of 72 is 41: 205 min.
const COURSES: [Course; 4] = [
    Course {
        name: "an hour of complete outage",
        slo: "builds",
        indicator: "A-M1",
        counters: &[(TOTAL, "0+60x2000"), (GOOD, "0+60x1440 86400+0x59 86400+60x500")],
        fires: &[(1_440, 0, 0), (1_448, 0, 0), (1_450, 1, 0), (1_470, 2, 0), (1_500, 2, 0), (1_560, 0, 2)],
    },
    Course {
        name: "just inside its budget",
        slo: "builds",
        indicator: "A-M1",
        counters: &[(TOTAL, "0+1000x2000"), (GOOD, "0+991x2000")],
        fires: &[(1_440, 0, 0), (1_990, 0, 0)],
    },
    Course {
        name: "booked bad, taken back and booked good, as late events have it",
        slo: "builds",
        indicator: "A-M1",
        counters: &[(TOTAL, "0+120x2000"), ("pipewarden_sli_corrections_total", "0+60x2000"), (GOOD, "0+60x2000")],
        fires: &[(1_440, 0, 0), (1_990, 0, 0)],
    },
    Course {
        name: "slices",
        slo: "admitted",
        indicator: "B-M4",
        counters: &[(TOTAL, "0+60x2000"), (GOOD, "0+60x1440 86400+0x559")],
        fires: &[(1_440, 0, 0), (1_620, 0, 0), (1_700, 1, 0)],
    },
];

fn test_file(rules: &Path) -> String {
    let mut text = format!("rule_files: ['{}']\nevaluation_interval: 1m\ntests:\n", rules.display());
    for Course { name, slo, indicator, counters, fires } in COURSES {
        text += &format!("  - name: {name}\n    interval: 1m\n    input_series:\n");
        for (counter, values) in counters {
            let series = format!("{counter}{{indicator=\"{indicator}\", team=\"a\", environment=\"\"}}");
            text += &format!("      - {{series: '{series}', values: '{values}'}}\n");
        }
        text += "    promql_expr_test:\n";
        for (minute, pages, tickets) in fires {
            for (severity, count) in [("page", pages), ("ticket", tickets)] {
                let alerts = format!("ALERTS{{alertstate=\"firing\", slo=\"{slo}\", severity=\"{severity}\"}}");
                let samples = if *count == 0 { String::new() } else { format!("{{labels: '{{}}', value: {count}}}") };
                text +=
                    &format!("      - {{expr: 'count({alerts})', eval_time: {minute}m, exp_samples: [{samples}]}}\n");
            }
        }
    }
    text
}

#[test]
fn prometheus_takes_the_rules_and_alerts_as_they_say() {
    if prometheus::programs().is_none() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let written = |name: &str, text: &str| {
        let file = folder.path().join(name);
        std::fs::write(&file, text).expect("is written");
        file
    };
    let files = files();
    let made = cli::run(["slo", "rules"].into_iter().chain(files.iter().map(String::as_str)), b"")
        .expect_code(0)
        .stdout
        .clone();
    let rules = written("rules.yml", &made);
    let promtool = |what: &str, file: &Path| {
        let arguments = [OsStr::new(what), OsStr::new("rules"), file.as_os_str()];
        prometheus::promtool(&arguments).expect("is there")
    };
    let (is_good, said) = promtool("check", &rules);
    assert!(is_good && said.contains("rules found") && !said.contains("SUCCESS: 0 "), "{said}");
    let (is_good, said) = promtool("test", &written("tests.yml", &test_file(&rules)));
    assert!(is_good, "{said}");
    // A ticket that nothing holds back would have been noticed.
    let loose = written("loose.yml", &made.replace("unless on (slo)", "or on (slo)"));
    let (is_good, said) = promtool("test", &written("loose-tests.yml", &test_file(&loose)));
    assert!(!is_good && said.contains("ticket"), "{said}");
}
