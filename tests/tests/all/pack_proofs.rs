//! The proofs of the rule pack, through the command that users have: every rule is proven, and pages nobody by accident.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use harness::cli;
use rules::ast::{Memory, OnMissing, Target};
use rules::pack::BUILDING_BLOCKS;
use rules::parse::Loaded;
use serde_json::Value;

use crate::pack::{awaits_an_extension, documents, loaded};

fn library() -> PathBuf {
    cli::workspace().join("rules/library")
}

/// What `rules test --json` says of the files under a path.
fn tested(path: &Path) -> Vec<Value> {
    let ran = cli::run(["rules", "test", "--json", &path.to_string_lossy()], b"");
    ran.json()["files"].as_array().expect("files").clone()
}

/// The same of the library, once.
fn library_tested() -> &'static [Value] {
    static TESTED: OnceLock<Vec<Value>> = OnceLock::new();
    TESTED.get_or_init(|| tested(&library()))
}

fn texts(value: &Value) -> Vec<&str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

/// Where the alerts of each rule went, by its name.
fn told(files: &[Value]) -> BTreeMap<String, BTreeSet<String>> {
    let rules = files.iter().filter_map(|file| file["told"].as_object()).flatten();
    rules.map(|(name, told)| (name.clone(), texts(told).into_iter().map(str::to_owned).collect())).collect()
}

/// A folder of the library (or, with an empty name, all of it) with every text changed.
fn copied(folder: &str, change: impl Fn(&Path, String) -> Option<String>) -> tempfile::TempDir {
    let copy = tempfile::tempdir().expect("a folder");
    let folders = fs::read_dir(library()).expect("the library").map(|entry| entry.expect("an entry").path());
    for from in folders.filter(|from| folder.is_empty() || from.ends_with(folder)) {
        let to = copy.path().join(from.file_name().expect("a name"));
        fs::create_dir(&to).expect("created");
        for file in fs::read_dir(&from).expect("a folder").map(|entry| entry.expect("an entry").path()) {
            if let Some(text) = change(&file, fs::read_to_string(&file).expect("a text")) {
                fs::write(to.join(file.file_name().expect("a name")), text).expect("written");
            }
        }
    }
    copy
}

#[test]
fn every_proof_passes_and_notices_every_mutant() {
    let mut proven = 0;
    for file in library_tested() {
        let folder = file["file"].as_str().expect("a file");
        let refused: Vec<&str> =
            file["refused"].as_array().into_iter().flatten().filter_map(|of| of["message"].as_str()).collect();
        if !refused.is_empty() {
            assert!(refused.iter().all(|message| awaits_an_extension(message)), "{folder}: {refused:?}");
            continue;
        }
        if folder.contains(BUILDING_BLOCKS) {
            assert!(file["proof"].is_null(), "{folder}: others prove it");
            continue;
        }
        let proof = &file["proof"];
        assert_eq!(texts(&proof["failures"]), [""; 0], "{folder}");
        assert_eq!(proof["mutants"]["passed"], proof["mutants"]["of"], "{folder}");
        assert!(proof["mutants"]["of"].as_u64() > Some(0), "{folder}: nothing to change");
        proven += 1;
    }
    assert!(proven >= 135, "{proven} proven");
}

#[test]
fn every_route_is_taken_by_a_case() {
    let (told, loaded) = (told(library_tested()), loaded());
    let tested: BTreeSet<&str> =
        library_tested().iter().filter(|of| !of["proof"].is_null()).flat_map(|of| texts(&of["rules"])).collect();
    for of in documents(&loaded).iter().filter(|of| tested.contains(of.name)) {
        let routes = of.alert.iter().flat_map(|alert| &alert.routes);
        let wanted: BTreeSet<String> = routes.map(|route| route.urgency.name().to_owned()).collect();
        assert_eq!(told.get(of.name), Some(&wanted), "{}", of.name);
    }
}

/// The document, or something that it refers to, reads a list.
fn reads_a_list(loaded: &Loaded, target: Target) -> bool {
    let (lists, references) = match target {
        Target::Rule(at) => {
            let rule = &loaded.rules[at];
            let intervals = rule.memories.iter().filter_map(|memory| match memory {
                Memory::Interval(interval) => Some([interval.open.target, interval.close.target]),
                Memory::Previous(_) => None,
            });
            (&rule.lists, intervals.flatten().collect::<Vec<_>>())
        }
        Target::Correlation(at) => {
            let correlation = &loaded.correlations[at];
            (&correlation.lists, correlation.references.iter().map(|of| of.target).collect())
        }
    };
    assert!(
        lists.iter().all(|list| list.on_missing == OnMissing::FailOpenTicket),
        "{target:?} is blind without a list"
    );
    !lists.is_empty() || references.into_iter().any(|target| reads_a_list(loaded, target))
}

#[test]
fn nobody_is_paged_for_want_of_a_list() {
    let loaded = loaded();
    let without = copied("", |file, text| (!file.ends_with("lists.json")).then_some(text));
    let (with, without) = (told(library_tested()), told(&tested(without.path())));
    let pages =
        |told: &BTreeMap<String, BTreeSet<String>>, name: &str| told.get(name).is_some_and(|of| of.contains("page"));
    let rules = loaded.rules.iter().enumerate().map(|(at, of)| (&of.name, Target::Rule(at)));
    let correlations = loaded.correlations.iter().enumerate().map(|(at, of)| (&of.name, Target::Correlation(at)));
    let mut paging = 0;
    for (name, target) in rules.chain(correlations) {
        let name = name.as_deref().unwrap_or_default();
        let wanted = pages(&with, name) && !reads_a_list(&loaded, target);
        assert_eq!(pages(&without, name), wanted, "{name} without lists");
        paging += usize::from(wanted);
    }
    assert!(paging >= 40, "{paging} page without lists");
}

#[test]
fn a_broken_rule_fails_its_proof() {
    let broken = [
        ("run-03-rogue-runner-registered", "not known_controller or", "known_controller or"),
        ("sec-01-secret-found", "opened, ", ""),
        ("ops-03-audit-stream-altered", "    object_kind: audit_stream\n", ""),
        ("tok-03-oidc-claims-do-not-fit", "not in(sub,", "in(sub,"),
        ("run-07-known-drop-destination", "not in(dst.domain,", "in(dst.domain,"),
        ("prv-10-unexpected-signer", "or not in(key,", "or in(key,"),
        ("dep-11-plan-not-the-approved-one", "fieldref|neq", "fieldref"),
        ("tok-02-job-token-after-its-job", "type: temporal_ordered", "type: temporal"),
        ("tok-02-job-token-after-its-job", "group-by: [prov.repo, prov.job_id]", "group-by: [prov.repo]"),
        ("sec-02-bulk-read", "gte: 20", "gte: 19"),
        ("rti-06-runtime-sensor-silent", "node_removed: object", "node_removed: node"),
        ("rti-06-runtime-sensor-silent", "deadline: 10m", "deadline: 9m"),
        ("sec-05-secret-without-a-job", "pad: [60s, 60s]", "pad: [60s, 0s]"),
        ("reg-01-tag-moved-from-memory", "  changed: true\n", "  gap: 1\n"),
    ];
    for (folder, from, to) in broken {
        let copy = copied(folder, |file, text| {
            assert!(!file.ends_with("rule.yml") || text.contains(from), "{folder}: no `{from}`");
            Some(if file.ends_with("rule.yml") { text.replacen(from, to, 1) } else { text })
        });
        let path = copy.path().to_string_lossy().into_owned();
        let ran = cli::run(["rules", "test", &path], b"");
        assert_eq!(ran.code, 1, "{folder}, {from}: nobody noticed\n{}{}", ran.stdout, ran.stderr);
    }
}

/// A file of one's own that counts what a rule of the pack finds, with what stands beside it.
fn own(comment: &str, fires: &str, silent: &str) -> (i32, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let rule = format!(
        "title: Tunnels from two jobs\nname: OWN-TUNNELS\n{comment}correlation:\n  type: value_count\n  rules: [RUN-07]\n  \
         group-by: [prov.repo, dst.etld1]\n  timespan: 10m\n  condition: {{field: prov.job_id, gte: 2}}\n"
    );
    for (name, text) in [("rule.yml", rule.as_str()), ("fires.jsonl", fires), ("silent.jsonl", silent)] {
        fs::write(folder.path().join(name), text).expect("written");
    }
    let ran = cli::run(["rules", "test", &folder.path().to_string_lossy()], b"");
    (ran.code, ran.stdout + &ran.stderr)
}

/// A case of connections: minute, repository, job and tunnel each.
fn connections(of: &[(u32, &str, u32, &str)]) -> String {
    let one = |(minute, repo, job, tunnel): &(u32, &str, u32, &str)| {
        format!(
            r#"{{"event":{{"id":"{minute}-{job}","class":"runner.net","action":"connect","outcome":"success","time":"2026-09-14T09:{minute:02}:00Z"}},"prov":{{"repo":"{repo}","job_id":"{job}"}},"dst.domain":"a.{tunnel}","dst.etld1":"{tunnel}","dst.port":443}}"#
        )
    };
    format!("[{}]\n", of.iter().map(one).collect::<Vec<_>>().join(","))
}

#[test]
fn a_correlation_of_ones_own_may_count_what_the_pack_finds() {
    let fires = connections(&[(0, "a", 1, "ngrok.io"), (10, "a", 2, "ngrok.io")]);
    let third = connections(&[(0, "a", 1, "ngrok.io"), (1, "a", 1, "ngrok.io")])
        + &connections(&[(0, "a", 1, "ngrok.io"), (11, "a", 2, "ngrok.io")])
        + &connections(&[(0, "a", 1, "ngrok.io"), (1, "b", 2, "ngrok.io")]);
    let whole = third.clone() + &connections(&[(0, "a", 1, "ngrok.io"), (1, "a", 2, "webhook.site")]);
    let (code, said) = own("", &fires, &whole);
    assert_eq!(code, 0, "{said}");
    let (code, said) = own("", &fires, &third);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("OWN-TUNNELS: the proof passes without group-by dst.etld1 "), "{said}");
    let excuse = "# equivalent: OWN-TUNNELS without group-by dst.etld1: there is one tunnel in the world\n";
    let (code, said) = own(excuse, &fires, &third);
    assert_eq!(code, 0, "{said}");
    let (code, said) = own(excuse, &fires, &whole);
    assert!(code == 1 && said.contains("no such mutant passes the proof"), "{said}");
    let (code, said) = own("", &third, &fires);
    assert!(code == 1 && said.contains("silent.jsonl:1: rule OWN-TUNNELS fires"), "{said}");
    let (code, said) = own("", "[{\"a\":1}]\n", &whole);
    assert!(code == 1 && said.contains("fires.jsonl:1: record 1 cannot be read"), "{said}");
    let (code, said) = own("", "[{]\n", &whole);
    assert!(code == 1 && said.contains("fires.jsonl:1: the case is no array of records"), "{said}");
}
