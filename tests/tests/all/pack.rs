//! The rule pack: every rule is complete, proven, and pages nobody by accident.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use model::Urgency;
use rules::Lists;
use rules::ast::Rule;
use rules::pack::{PackRule, read};
use rules::parse::{Settings, load_texts};
use rules::proof::{Failure, Outcome, mutants, prove};

#[path = "../../../worker/src/rules_command/trial.rs"]
mod trial;

/// The library on disk: `rules` tests that the binary carries the same.
fn library() -> Vec<PackRule> {
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../rules/library")).expect("the library")
}

fn settings() -> Settings {
    Settings { model_fields: Some(model::field_hint), ..Settings::default() }
}

fn rules_of(file: &PackRule) -> Vec<Rule> {
    let loaded = load_texts(&[(file.file.clone(), file.rule_text.as_str())], &settings());
    assert!(loaded.refused.is_empty(), "{}: {:?}", file.folder, loaded.refused);
    loaded.rules
}

fn proof(file: &PackRule, rules: &[Rule]) -> Outcome {
    let lists = file.lists().expect("lists");
    prove(rules, &file.fires, &file.silent, |rule, lines| trial::holds(rule, lines, &lists))
}

#[test]
fn every_rule_has_its_four_files() {
    let library = library();
    assert!(library.len() >= 50, "{} rules", library.len());
    for file in &library {
        assert!(!file.fires.is_empty(), "{}: no fires.jsonl", file.folder);
        assert!(!file.silent.is_empty(), "{}: no silent.jsonl", file.folder);
        let runbook = file.runbook.as_deref().unwrap_or_default();
        for section in ["Identify", "Contain", "Eradicate", "Verify", "Evidence"] {
            let body = runbook.split(&format!("## {section}\n")).nth(1).unwrap_or_default();
            assert!(body.trim_start().starts_with("- "), "{}: runbook section {section} says nothing", file.folder);
        }
    }
}

#[test]
fn the_pack_loads_as_one_set_without_a_warning() {
    let library = library();
    let texts: Vec<(PathBuf, &str)> = library.iter().map(|file| (file.file.clone(), file.rule_text.as_str())).collect();
    let loaded = load_texts(&texts, &settings());
    assert!(loaded.refused.is_empty() && loaded.skipped.is_empty(), "{:?} {:?}", loaded.refused, loaded.skipped);
    assert!(loaded.warnings.is_empty(), "{:?}", loaded.warnings);
    let ids: BTreeSet<&str> = loaded.rules.iter().map(|rule| rule.id.as_str()).collect();
    assert_eq!(ids.len(), loaded.rules.len(), "an id stands twice");
    for rule in &loaded.rules {
        let name = rule.name.as_deref().expect("a name");
        let folder = rule.origin.file.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy();
        let detection = name.split('-').take(2).collect::<Vec<_>>().join("-").to_lowercase();
        assert!(folder.starts_with(&format!("{detection}-")), "{name} in {folder}");
        for scheme in ["attack.t", "attack-v19.t", "cicd-sec."] {
            assert!(rule.tags.iter().any(|tag| tag.starts_with(scheme)), "{name}: no tag {scheme}…");
        }
        assert!(!rule.falsepositives.is_empty() && rule.description.is_some(), "{name}: says too little");
    }
}

#[test]
fn every_proof_passes_and_notices_every_mutant() {
    for file in library() {
        let outcome = proof(&file, &rules_of(&file));
        let failures: Vec<String> = outcome.failures.iter().map(Failure::to_string).collect();
        assert!(failures.is_empty(), "{}:\n  {}", file.folder, failures.join("\n  "));
        assert_eq!(outcome.mutants.0, outcome.mutants.1, "{}", file.folder);
        assert!(outcome.mutants.1 > 0, "{}: nothing to change", file.folder);
    }
}

#[test]
fn every_route_is_taken_by_a_record() {
    for file in library() {
        let lists = file.lists().expect("lists");
        let lines: Vec<&str> = file.fires.iter().map(|line| line.text.as_str()).collect();
        for rule in rules_of(&file) {
            let answers = trial::answers(&rule, &lines, &lists).expect("answers");
            let taken: BTreeSet<Urgency> = answers.into_iter().filter_map(|answer| answer.expect("a record")).collect();
            let alert = rule.alert.as_ref().expect("x-alert");
            let wanted: BTreeSet<Urgency> = alert.routes.iter().map(|route| route.urgency).collect();
            assert_eq!(taken, wanted, "{:?}", rule.name);
        }
    }
}

#[test]
fn a_rule_pages_only_with_owner_and_runbook_and_never_for_want_of_a_list() {
    for file in library() {
        let lines: Vec<&str> = file.fires.iter().map(|line| line.text.as_str()).collect();
        for rule in rules_of(&file) {
            let alert = rule.alert.as_ref().expect("x-alert");
            assert!(alert.owner.is_some() && alert.runbook.is_some(), "{:?}", rule.name);
            assert!(alert.fingerprint.is_some(), "{:?}: no key", rule.name);
            let pages = |lists: &Lists| {
                let answers = trial::answers(&rule, &lines, lists).expect("answers");
                answers.contains(&Ok(Some(Urgency::Page)))
            };
            assert_eq!(pages(&Lists::default()), rule.lists.is_empty() && pages(&file.lists().expect("lists")));
        }
    }
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
    ];
    for (folder, from, to) in broken {
        let mut file = library().into_iter().find(|file| file.folder == folder).expect("the rule");
        assert!(file.rule_text.contains(from), "{folder}: no `{from}`");
        file.rule_text = file.rule_text.replacen(from, to, 1);
        assert!(!proof(&file, &rules_of(&file)).passed(), "{folder}: nobody noticed");
    }
}

#[test]
fn a_mutant_in_the_place_of_its_rule_is_noticed() {
    let file = library().into_iter().find(|file| file.folder == "reg-03-registry-guard-weakened").expect("REG-03");
    let rule = rules_of(&file).remove(0);
    for mutant in mutants(&rule) {
        let outcome = proof(&file, std::slice::from_ref(&mutant.rule));
        assert!(!outcome.passed(), "{}", mutant.change);
    }
}

#[test]
fn the_examples_of_the_guide_load() {
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/writing-rules.md");
    let text = std::fs::read_to_string(&guide).expect("the guide");
    let examples: Vec<&str> =
        text.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap_or_default()).collect();
    assert!(examples.len() >= 4, "{} examples", examples.len());
    for example in examples {
        let loaded = load_texts(&[(guide.clone(), example)], &settings());
        assert!(!loaded.rules.is_empty(), "no rule in\n{example}");
        let messages = (&loaded.refused, &loaded.warnings);
        assert!(loaded.refused.is_empty() && loaded.warnings.is_empty(), "{messages:?} in\n{example}");
    }
}

#[test]
fn the_list_of_rules_names_each_and_its_lists() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/rules.md");
    let text = std::fs::read_to_string(page).expect("docs/rules.md");
    for rule in library().iter().flat_map(rules_of) {
        let name = rule.name.unwrap_or_default();
        // `TOK-13, -SECRET`: what begins with a hyphen goes on from the first name of its own row.
        let names = |line: &str| {
            let cell = line.strip_prefix("| ").and_then(|line| line.split(" |").next()).unwrap_or_default();
            let stem = cell.split(", ").next().unwrap_or_default();
            let names = cell
                .split(", ")
                .map(|part| if part.starts_with('-') { format!("{stem}{part}") } else { part.to_owned() });
            names.collect::<Vec<_>>().contains(&name)
        };
        let row = text.lines().find(|line| names(line));
        let row = row.unwrap_or_else(|| panic!("{name} is not in docs/rules.md"));
        for list in &rule.lists {
            assert!(row.contains(&format!("`{}`", list.name)), "{name}: docs/rules.md does not name {}", list.name);
        }
    }
}

/// A rule about one field, tried on one record.
fn holds(logsource: &str, field: &str, record: &str) -> Result<bool, String> {
    let text = format!("title: t\nlogsource: {logsource}\ndetection: {{a: {{{field}: quiet-otter}}, condition: a}}\n");
    let loaded = load_texts(&[("r.yml".into(), text.as_str())], &settings());
    trial::holds(&loaded.rules[0], &[record], &Lists::default()).expect("an answer").remove(0)
}

#[test]
fn plain_sigma_is_tried_on_native_records() {
    let github =
        r#"{"@timestamp":1789400000000,"_document_id":"x","action":"public_key.create","actor":"quiet-otter"}"#;
    for (logsource, wanted) in [
        ("{product: github, service: audit}", true),
        ("{product: github}", true),
        ("{product: aws, service: cloudtrail}", false),
        ("{product: github, category: process_creation}", false),
    ] {
        assert_eq!(holds(logsource, "actor", github), Ok(wanted), "{logsource}");
    }
    assert_eq!(holds("{product: okta}", "actor", r#"{"actor":"quiet-otter"}"#), Ok(true), "a system of the user's own");
    assert!(holds("{product: okta}", "actor", "{").is_err(), "not JSON");
    assert!(
        holds("{product: pipewarden, category: ci.job}", "prov.actor", r#"{"a":1}"#).is_err(),
        "of no known format"
    );
}

#[test]
fn a_record_that_carries_others_is_taken_apart() {
    let file = library().into_iter().find(|file| file.folder == "ops-03-audit-stream-altered").expect("OPS-03");
    let rule = rules_of(&file).remove(0);
    let (stop, start) = (&file.fires[1].text, &file.silent[2].text);
    assert!(stop.contains("StopLogging") && start.contains("StartLogging"));
    let log_file = format!(r#"{{"Records":[{start},{stop}]}}"#);
    let event = format!(r#"{{"version":"0","detail-type":"AWS API Call via CloudTrail","detail":{start}}}"#);
    let answers = trial::holds(&rule, &[&log_file, &event], &Lists::default()).expect("answers");
    assert_eq!(answers, [Ok(true), Ok(false)]);
}
