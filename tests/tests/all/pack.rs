//! The rule pack as documents: every rule is complete, says what it should, and stands in the guide.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use rules::Lists;
use rules::ast::{AlertSpec, ListUse, Origin, Rule};
use rules::pack::{BUILDING_BLOCKS, PackRule, read};
use rules::parse::{Loaded, Settings, load_texts};
use rules::proof::mutants;

#[path = "../../../worker/src/rules_command/trial.rs"]
mod trial;

/// The library on disk: `rules` tests that the binary carries the same.
fn library() -> Vec<PackRule> {
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../rules/library")).expect("the library")
}

pub fn settings() -> Settings {
    Settings { model_fields: Some(model::field_hint), ..Settings::default() }
}

/// The whole library as one set.
pub fn loaded() -> Loaded {
    let library = library();
    let texts: Vec<(PathBuf, &str)> = library.iter().map(|file| (file.file.clone(), file.rule_text.as_str())).collect();
    load_texts(&texts, &settings())
}

/// The message says that the rule, or what it refers to, needs an extension that this version does not have.
pub fn awaits_an_extension(message: &str) -> bool {
    ["needs E4,", "needs E7,", "needs E11,"].iter().any(|needs| message.starts_with(needs))
        || (message.starts_with("refers to `") && message.contains("which did not load"))
}

/// A document that speaks, or that others refer to.
pub struct About<'l> {
    pub name: &'l str,
    id: &'l str,
    tags: &'l [String],
    says_enough: bool,
    pub lists: &'l [ListUse],
    pub alert: Option<&'l AlertSpec>,
    origin: &'l Origin,
}

impl About<'_> {
    pub fn folder(&self) -> String {
        self.origin.file.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy().into_owned()
    }
}

/// Every document of a set.
pub fn documents(loaded: &Loaded) -> Vec<About<'_>> {
    let rules = loaded.rules.iter().map(|of| About {
        name: of.name.as_deref().unwrap_or_default(),
        id: &of.id,
        tags: &of.tags,
        says_enough: of.description.is_some() && !of.falsepositives.is_empty(),
        lists: &of.lists,
        alert: of.alert.as_ref(),
        origin: &of.origin,
    });
    let correlations = loaded.correlations.iter().map(|of| About {
        name: of.name.as_deref().unwrap_or_default(),
        id: &of.id,
        tags: &of.tags,
        says_enough: of.description.is_some() && !of.falsepositives.is_empty(),
        lists: &of.lists,
        alert: of.alert.as_ref(),
        origin: &of.origin,
    });
    rules.chain(correlations).collect()
}

#[test]
fn every_rule_has_its_four_files() {
    let mut library = library();
    library.retain(|file| !file.file.parent().is_some_and(|folder| folder.ends_with(BUILDING_BLOCKS)));
    assert!(library.len() >= 135, "{} files", library.len());
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
    let loaded = loaded();
    let wrong: Vec<_> = loaded.refused.iter().filter(|refused| !awaits_an_extension(&refused.message)).collect();
    assert!(wrong.is_empty() && loaded.skipped.is_empty(), "{wrong:?} {:?}", loaded.skipped);
    assert!(loaded.warnings.is_empty(), "{:?}", loaded.warnings);
    let documents = documents(&loaded);
    assert!(documents.len() + loaded.refused.len() >= 321, "{} documents", documents.len());
    let ids: BTreeSet<&str> = documents.iter().map(|of| of.id).collect();
    assert_eq!(ids.len(), documents.len(), "an id stands twice");
    for of in documents {
        let (name, folder) = (of.name, of.folder());
        assert!(!name.is_empty(), "{folder}: a document without a name");
        if folder == BUILDING_BLOCKS {
            assert!(of.alert.is_none(), "{name}: a building block tells nobody");
            continue;
        }
        let detection = name.split('-').take(2).collect::<Vec<_>>().join("-").to_lowercase();
        assert!(folder.starts_with(&format!("{detection}-")), "{name} in {folder}");
        for scheme in ["attack.t", "attack-v19.t", "cicd-sec."] {
            // What watches the watchers, or adds up what others said, is no technique.
            let is_exempt =
                scheme != "cicd-sec." && ["CMP-", "OPS-", "POL-", "DEP-"].iter().any(|of| name.starts_with(of));
            assert!(is_exempt || of.tags.iter().any(|tag| tag.starts_with(scheme)), "{name}: no tag {scheme}…");
        }
        assert!(of.says_enough, "{name}: says too little");
        let alert = of.alert.unwrap_or_else(|| panic!("{name}: no x-alert"));
        assert!(alert.owner.is_some() && alert.runbook.is_some(), "{name}: no owner, or no runbook");
        assert!(alert.fingerprint.is_some(), "{name}: no key");
    }
}

#[test]
fn building_blocks_are_silent_and_somebody_refers_to_each() {
    let loaded = loaded();
    let rules =
        loaded.rules.iter().enumerate().map(|(at, of)| (&of.origin, &of.name, loaded.silent_rules.contains(&at)));
    let silent = |at: usize| loaded.silent_correlations.contains(&at);
    let correlations = loaded.correlations.iter().enumerate().map(|(at, of)| (&of.origin, &of.name, silent(at)));
    let text: String = library().iter().map(|file| file.rule_text.as_str()).collect();
    for (origin, name, is_silent) in rules.chain(correlations) {
        if !origin.file.parent().is_some_and(|folder| folder.ends_with(BUILDING_BLOCKS)) {
            continue;
        }
        let name = name.as_deref().unwrap_or_default();
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let uses = text.split(|c: char| !is_word(c)).filter(|word| *word == name).count();
        // The refused may be the only ones who do.
        assert!(uses > 1, "nobody refers to {name}");
        assert!(is_silent || !loaded.refused.is_empty(), "{name} speaks");
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

/// The names in the first cell of a row: in `TOK-13, -SECRET` what begins with a hyphen goes on from the row's first name.
fn names_of_row(line: &str) -> Vec<String> {
    let cell = line.strip_prefix("| ").and_then(|line| line.split(" |").next()).unwrap_or_default();
    let stem = cell.split(", ").next().unwrap_or_default();
    cell.split(", ").map(|part| if part.starts_with('-') { format!("{stem}{part}") } else { part.to_owned() }).collect()
}

#[test]
fn the_list_of_rules_names_each_and_its_lists() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/rules.md");
    let text = std::fs::read_to_string(page).expect("docs/rules.md");
    let rows =
        |name: &str| text.lines().filter(|line| names_of_row(line).iter().any(|of| of == name)).collect::<Vec<_>>();
    let loaded = loaded();
    for of in documents(&loaded).iter().filter(|of| of.folder() != BUILDING_BLOCKS) {
        let name = of.name;
        let rows = rows(name);
        assert_eq!(rows.len(), 1, "rows of {name} in docs/rules.md");
        for list in of.lists {
            let quoted = format!("`{}`", list.name);
            assert!(rows[0].contains(&quoted), "{name}: docs/rules.md does not name {quoted}");
            let described = text.lines().any(|line| names_of_row(line).contains(&quoted));
            assert!(described, "docs/rules.md does not say what {quoted} holds");
        }
    }
    // What does not load yet is named too.
    for name in library().iter().flat_map(|file| file.rule_text.lines()).filter_map(|line| line.strip_prefix("name: "))
    {
        let is_block = !name.contains('-');
        assert!(is_block || rows(name).len() == 1, "{name} is not in docs/rules.md");
    }
}

fn rules_of(file: &PackRule) -> Vec<Rule> {
    let loaded = load_texts(&[(file.file.clone(), file.rule_text.as_str())], &settings());
    assert!(loaded.refused.is_empty(), "{}: {:?}", file.folder, loaded.refused);
    loaded.rules
}

#[test]
fn a_mutant_in_the_place_of_its_rule_is_noticed() {
    let file = library().into_iter().find(|file| file.folder == "reg-03-registry-guard-weakened").expect("REG-03");
    let lists = file.lists().expect("lists");
    for mutant in mutants(&rules_of(&file).remove(0)) {
        let rules = std::slice::from_ref(&mutant.rule);
        let holds = |rule: &Rule, lines: &[&str]| trial::holds(rule, lines, &lists);
        assert!(!rules::proof::prove(rules, &file.fires, &file.silent, holds).passed(), "{}", mutant.change);
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
