//! The budget of a pack: what it may say while nothing is wrong. Thirty ordinary days of 300 repositories, every known false
//! positive among them, and all benign twins at once.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;

use harness::cli;
use harness::ordinary::OrdinaryDays;
use serde_json::Value;

const FIRST: &str = "2026-09-01";
const DAYS: u32 = 30;
/// On every day, not only on the average.
const PAGES_MAX: usize = 2;
const TICKETS_MAX: usize = 5;

/// Known false positives that no record explains beforehand, and that somebody is to hear of; why.
const TOLD: [(&str, &str, &str); 5] = [
    ("POL-04", "real-incident", "whoever takes the emergency entrance is asked, in an incident too"),
    ("PRV-04", "emergency-publish", "a package that no pipeline made has left, whatever the reason"),
    ("SEC-01", "revoked-key", "only its owner can say that it is dead"),
    ("SEC-01", "test-fixture", "only its owner can say that it never lived"),
    ("SEC-11", "code-refactoring", "a guard was away for minutes: a ticket asks who passed"),
];

/// What was told of something that happened in these days: a rule's name, or its title; when, how loud, of what.
struct Told {
    rule: String,
    time: String,
    page: bool,
    group: String,
    /// Hashes of the records that made it.
    evidence: Vec<String>,
}

/// All that people would have heard, first words and repetitions.
fn told(days: &OrdinaryDays) -> Vec<Told> {
    let out = tempfile::tempdir().expect("a folder");
    let alerts = out.path().join("alerts.jsonl");
    let (folder, path) = (days.folder().to_string_lossy(), alerts.to_string_lossy());
    let ran = cli::run(["replay", &folder, "--alerts", &path, "--json"], b"");
    let summary = ran.expect_code(0).json();
    for fate in ["invalid", "dropped", "filtered"] {
        assert_eq!(summary["records"][fate], 0, "{summary}");
    }
    assert_eq!((&summary["events"]["late"], &summary["events"]["dropped"]), (&0.into(), &0.into()), "{summary}");
    let text = fs::read_to_string(alerts).expect("alerts");
    let records = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    records.filter_map(|record| heard(&record)).collect()
}

/// None: nobody hears of it, or it is nobody's business.
fn heard(record: &Value) -> Option<Told> {
    let text = |pointer: &str| record.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    let rule = [text("/rule/name"), text("/rule/title")].into_iter().find(|name| !name.is_empty())?;
    // Sources that number their records alike are one source here.
    let is_of_one_source = rule == "id-reuse";
    // What is due after the last day waits for days that are not there.
    let is_over = text("/event_time").get(..7) != FIRST.get(..7);
    if !["firing", "repeat", "raised"].contains(&text("/state").as_str()) || is_of_one_source || is_over {
        return None;
    }
    let evidence = record["evidence"].as_array().into_iter().flatten();
    Some(Told {
        rule,
        time: text("/event_time"),
        page: text("/urgency") == "page",
        group: record["group"].to_string(),
        evidence: evidence.filter_map(|of| of["sha256"].as_str().map(str::to_owned)).collect(),
    })
}

#[test]
fn thirty_ordinary_days_and_all_twins_stay_within_two_pages_and_five_tickets_a_day() {
    let days = OrdinaryDays::new(42, DAYS, FIRST);
    assert_eq!(days.twins.len(), 8, "{:?}", days.twins);
    assert!(days.planted.len() > 1_000, "{} records were planted", days.planted.len());
    let told = told(&days);
    let mut problems = over_budget(&told);
    problems.extend(false_positives(&told, &days));
    let (pages, all) = (told.iter().filter(|of| of.page).count(), told.len());
    println!("{pages} pages and {} tickets in {DAYS} days", all - pages);
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// Days on which there was too much, each with who made it.
fn over_budget(told: &[Told]) -> Vec<String> {
    let mut by_day: BTreeMap<&str, Vec<&Told>> = BTreeMap::new();
    for of in told {
        by_day.entry(of.time.get(..10).unwrap_or_default()).or_default().push(of);
    }
    let mut problems = Vec::new();
    for (day, told) in by_day {
        for (urgency, most, is_page) in [("pages", PAGES_MAX, true), ("tickets", TICKETS_MAX, false)] {
            let these: Vec<&&Told> = told.iter().filter(|of| of.page == is_page).collect();
            if these.len() > most {
                let mut text = format!("{day}: {} {urgency}, {most} at most", these.len());
                for of in these.iter().take(12) {
                    let _ = write!(text, "\n    {} {} {}", of.time, of.rule, of.group);
                }
                problems.push(text);
            }
        }
    }
    problems
}

/// What was planted as a false positive of a detection must not be told by it, but for what is listed.
fn false_positives(told: &[Told], days: &OrdinaryDays) -> Vec<String> {
    let mut found: BTreeSet<(&str, &str)> = BTreeSet::new();
    for of in told {
        let planted = of.evidence.iter().filter_map(|hash| days.planted.get(hash));
        found.extend(planted.filter(|(detection, _)| is_of(&of.rule, detection)).copied());
    }
    let listed: BTreeSet<(&str, &str)> = TOLD.iter().map(|(detection, variant, _)| (*detection, *variant)).collect();
    let gone =
        listed.difference(&found).map(|(of, variant)| format!("{of} {variant}: silent now, take it off the list"));
    let grown = found.difference(&listed).map(|(of, variant)| format!("{of} tells its known false positive {variant}"));
    grown.chain(gone).collect()
}

/// Rules of a detection have names that begin with it.
fn is_of(rule: &str, detection: &str) -> bool {
    rule.strip_prefix(detection).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}
