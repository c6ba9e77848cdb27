//! Configurations as `pipewarden config check` judges them: each invalid one in `fixtures/configs/invalid` carries, behind
//! `# says:`, what must be said of it, all of it at once.

use std::fs;
use std::path::{Path, PathBuf};

use harness::cli::{Ran, run, workspace};

fn check(file: &Path) -> Ran {
    run([Path::new("config"), Path::new("check"), file], b"")
}

fn files(folder: &str) -> Vec<PathBuf> {
    let folder = workspace().join("tests/fixtures/configs").join(folder);
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let mut files: Vec<_> = entries.filter(|path| path.extension().is_some_and(|end| end == "yaml")).collect();
    files.sort();
    files
}

#[test]
fn every_mistake_is_named_with_its_place_and_all_at_once() {
    let files = files("invalid");
    assert!(files.len() >= 12, "{}", files.len());
    for file in files {
        let text = fs::read_to_string(&file).expect("read");
        let says: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("# says: ")).collect();
        assert!(!says.is_empty(), "{}", file.display());
        let ran = check(&file);
        assert_eq!(ran.code, 1, "{}: {ran:?}", file.display());
        for said in &says {
            assert!(ran.stderr.contains(said), "{}: {said:?} is missing in\n{}", file.display(), ran.stderr);
        }
        let problems = ran.stderr.lines().filter(|line| line.contains(".yaml:")).count();
        assert_eq!(problems, says.len(), "{}: as many lines as mistakes\n{}", file.display(), ran.stderr);
        assert!(!ran.stderr.contains("hunter2"), "{}", ran.stderr);
    }
}

#[test]
fn good_configurations_pass() {
    let files = files("valid");
    assert!(files.len() >= 3);
    for file in files {
        let ran = check(&file);
        assert_eq!(ran.code, 0, "{}: {ran:?}", file.display());
        assert!(ran.stdout.contains("sources"), "{}", ran.stdout);
    }
}

#[test]
fn the_example_is_good_and_names_every_key() {
    let file = workspace().join("docs/pipewarden.example.yaml");
    let ran = check(&file);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{ran:?}");
    let example = fs::read_to_string(&file).expect("read");
    let guide = fs::read_to_string(workspace().join("docs/operating.md")).expect("read");
    let keys = [
        "bootstrap",
        "client_id",
        "group",
        "instance",
        "start",
        "properties",
        "secrets",
        "topics",
        "format",
        "logsource",
        "time",
        "id",
        "classes",
        "trust",
        "lateness",
        "skew_max",
        "pack",
        "paths",
        "placeholders",
        "lists",
        "topic",
        "provisional_topic",
        "file",
        "stdout",
        "dead_letters",
        "state",
        "http",
        "idle_after",
        "snapshot_every",
        "open_alerts_max",
        "findings_waiting_max",
        "incidents_topic",
        "lineage_edges_max",
        "lineage_purl_edges_max",
        "degree_max",
        "lineage_waiting_max",
        "lineage_evidence_max",
        "incidents_max",
        "incident_members_max",
        "duplicates_max",
        "redaction",
    ];
    for key in keys {
        assert!(example.contains(&format!("{key}:")), "the example lacks {key}");
        assert!(guide.contains(key), "the guide lacks {key}");
    }
}

#[test]
fn a_configuration_that_is_not_there_is_said() {
    let ran = check(Path::new("/nowhere/pipewarden.yaml"));
    assert!(ran.code == 1 && ran.stderr.contains("/nowhere/pipewarden.yaml: cannot be read"), "{ran:?}");
}
