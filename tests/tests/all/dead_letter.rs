//! `pipewarden dead-letter`: what could not be decoded is listed, shown, and read again once the configuration is mended.

use std::fs;
use std::path::Path;

use harness::broker;
use harness::cli::{self, Ran};
use harness::worker::Place;
use serde_json::Value;

use crate::run_events::{DEPLOYER, RULES, START_MS, config, produce};

/// Runs `dead-letter` in a place; a word with `@` before it is a path there.
fn dead_letter(place: &Place, words: &str) -> Ran {
    let words = words.split_whitespace().map(|word| match word.strip_prefix('@') {
        Some(name) => place.path(name).display().to_string(),
        None => word.to_owned(),
    });
    cli::run(std::iter::once("dead-letter".to_owned()).chain(words), b"")
}

fn lines(ran: &Ran) -> Vec<Value> {
    ran.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn state(place: &Place) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = fs::read_dir(place.path("state"))
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.is_file())
        .map(|path| (path.display().to_string(), fs::read(&path).expect("readable")))
        .collect();
    files.sort();
    files
}

#[test]
fn a_poisoned_stretch_fires_once_the_format_is_mended() {
    let Some(broker) = broker::shared() else { return };
    let topic = "poisoned";
    broker.create_topic(topic, 1, &[]).expect("created");
    let token = format!("ghp_{}", "a1B2".repeat(9));
    let broken = format!("{{\"token\":\"{token}\"");
    let records = [DEPLOYER.matching(1, START_MS), broken, DEPLOYER.matching(2, START_MS + 1)];
    produce(broker, topic, 0, &records);
    let more = "alerts: {dead_letters: dead.jsonl}\n";
    let config_as = |format: &str| config(&broker.bootstrap(), "poisoned", &[("deployer", topic, format)], more);
    let place = Place::new(&config_as("format: github-audit"), RULES);
    place.run_to_the_end();
    assert_eq!(place.read("state/seal.jsonl").len(), 0, "nothing is understood, nothing fires");
    assert_eq!(place.read_lines("dead.jsonl").len(), 3);
    let key = fs::read_to_string(place.path("state/redaction.key")).expect("a key was made");
    assert!(key.len() == 64 && key.bytes().all(|digit| digit.is_ascii_hexdigit()), "{}", key.len());

    let listed = dead_letter(&place, "list --config @pipewarden.yaml");
    listed.expect_code(0);
    assert!(
        listed.stdout.contains("deployer:poisoned/0@1") && listed.stdout.contains("3 dead letters: "),
        "{listed:?}"
    );
    let broken = dead_letter(&place, "list --config @pipewarden.yaml --reason not_json --json");
    assert_eq!(lines(&broken).iter().map(|row| row["n"].as_i64()).collect::<Vec<_>>(), [Some(2)]);
    let stretch = dead_letter(&place, "list --file @dead.jsonl --source deployer --from 1 --before 2 --json");
    assert_eq!(lines(&stretch).len(), 1);
    for letter in ["2", "deployer:poisoned/0@1"] {
        let shown = dead_letter(&place, &format!("show --file @dead.jsonl {letter}"));
        let text = &shown.expect_code(0).stdout;
        assert!(
            text.contains("not_json") && text.contains("hint ") && text.contains("[redacted:github_token]"),
            "{text}"
        );
        assert!(!text.contains(&token) && text.contains("redacted  sha256"), "{text}");
    }
    assert!(dead_letter(&place, "show --file @dead.jsonl 9").expect_code(1).stderr.contains("hint: "));

    fs::write(place.path("pipewarden.yaml"), config_as(DEPLOYER.source).replace("HTTP", &place.http)).expect("written");
    let before = state(&place);
    let replay = "replay --config @pipewarden.yaml --alerts @late.jsonl --json";
    let ran = dead_letter(&place, replay);
    let outcomes: Vec<String> = lines(ran.expect_code(3)).iter().map(|row| row["outcome"].to_string()).collect();
    assert_eq!(outcomes, [r#""event""#, r#""invalid""#, r#""event""#], "{ran:?}");
    assert_eq!(lines(&ran)[0]["told"][0], "Deploy outside of the window");
    let told = place.read("late.jsonl");
    assert_eq!(told.len(), 2);
    assert!(told.iter().all(|record| record["late"] == true && record["state"] == "firing" && record["count"] == 1));
    assert!(state(&place) == before, "a worker's state is not touched");
    let human = dead_letter(&place, "replay --config @pipewarden.yaml --from 2");
    assert!(human.expect_code(0).stdout.contains("1 positions read again: event 1"), "{human:?}");
    assert!(human.stdout.contains("late"), "the alert stands on standard output: {human:?}");

    // What the group has committed still stands behind all three: nothing is read twice.
    place.run_to_the_end();
    assert_eq!(place.read("state/seal.jsonl").len(), 0, "offsets were not set back");

    broker.delete_records(topic, 0, 2).expect("removed");
    let ran = dead_letter(&place, replay);
    let rows = lines(ran.expect_code(3));
    let outcomes: Vec<&str> = rows.iter().filter_map(|row| row["outcome"].as_str()).collect();
    assert_eq!(outcomes, ["gone", "gone", "event"], "{ran:?}");
    assert!(rows[0]["why"].as_str().is_some_and(|why| why.contains("retention removed it: the partition begins at 2")));
}

#[test]
fn letters_of_a_replay_are_read_again_from_their_files() {
    let sources = [("deployer", "unused", DEPLOYER.source)];
    let place = Place::new(&config("127.0.0.1:9", "files", &sources, ""), RULES);
    let file =
        place.lines("in.jsonl", &[DEPLOYER.matching(1, START_MS), "{".to_owned(), DEPLOYER.matching(2, START_MS)]);
    let dead = place.path("dead.jsonl");
    let (words, rules) = (["replay", "--no-pack", "--format", "github-audit", "--json"], place.path("rules.yml"));
    let paths = [Path::new("--rules"), &rules, Path::new("--dead-letters"), &dead, &file];
    cli::run(words.iter().map(Path::new).chain(paths), b"").expect_code(0);
    assert_eq!(place.read_lines("dead.jsonl").len(), 3);

    let ran = dead_letter(&place, "replay --config @pipewarden.yaml --file @dead.jsonl --json");
    let rows = lines(ran.expect_code(3));
    assert!(rows.iter().all(|row| row["outcome"] == "no_source"), "{ran:?}");
    assert!(rows[0]["why"].as_str().is_some_and(|why| why.contains("hint: --as SOURCE")), "{ran:?}");
    let again = "replay --config @pipewarden.yaml --file @dead.jsonl --as deployer --alerts @late.jsonl --json";
    let ran = dead_letter(&place, again);
    let outcomes: Vec<Value> = lines(ran.expect_code(3)).iter().map(|row| row["outcome"].clone()).collect();
    assert_eq!(outcomes, ["event", "invalid", "event"], "{ran:?}");
    assert_eq!(place.read("late.jsonl").len(), 2);

    let changed = fs::read_to_string(&file).expect("read").replacen("deploy", "DEPLOY", 1);
    fs::write(&file, changed.lines().take(1).collect::<String>()).expect("written");
    let outcomes: Vec<Value> = lines(&dead_letter(&place, again)).iter().map(|row| row["outcome"].clone()).collect();
    assert_eq!(outcomes, ["changed", "gone", "gone"]);
    fs::remove_file(&file).expect("removed");
    let rows = lines(&dead_letter(&place, again));
    assert!(rows.iter().all(|row| row["why"].as_str().is_some_and(|why| why.contains("the file cannot be read"))));
}
