//! Real payloads, decoded in full: class, action, outcome, id and the fields that detections stand on.
//!
//! One file for each format. Nothing of the payloads is kept here; where they are missing the test says so and skips. A
//! sample that must not decode stands in its format's table of refused ones, with the reason.
#![allow(clippy::expect_used, clippy::panic, clippy::print_stdout, reason = "a test")]

mod aws_codebuild_codepipeline;
mod bills;
mod cdevents;
mod cloudevents;
mod cloudtrail;
mod clusters;
mod delivery;
mod ecr_eventbridge;
mod github_audit;
mod github_webhook;
mod gitlab_audit;
mod gitlab_webhook;
mod harbor;
mod jenkins_cloudevents;
mod kubernetes_audit;
mod oci_distribution;
mod osv;
mod package_feed;
mod policy;
mod recognition;
mod sigstore;
mod tekton_cloudevents;
mod vault_audit;
mod written;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use ingest::decode_one;
use ingest::format::by_name;
use model::{Event, Invalid};
use serde_json::Value;

/// File, line in it, class, action, outcome, some fields as `name=value` (a list in JSON; `name=` is absent).
struct Expected(&'static str, usize, &'static str, &'static str, &'static str, &'static [&'static str]);

fn folder(samples: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/samples").join(samples)
}

/// The events of one file: one JSON value, or one a line.
fn events(format: &str, samples: &str, file: &str) -> Vec<Event> {
    let text = std::fs::read_to_string(folder(samples).join(file)).expect("the sample can be read");
    let wire = by_name(format).expect("the format is known");
    let source: Arc<str> = Arc::from("samples");
    let lines: Vec<&str> = if file.ends_with(".jsonl") { text.lines().collect() } else { vec![text.as_str()] };
    lines
        .into_iter()
        .filter(|line| !line.trim().is_empty())
        .flat_map(|line| decode_one(wire, &source, line).unwrap_or_else(|error| panic!("{file}: {error:?}")))
        .collect()
}

fn printed(fields: &BTreeMap<String, Value>, name: &str) -> String {
    match fields.get(name) {
        None => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
    }
}

/// Every sample of the folder is looked at.
fn check(format: &str, expected: &[Expected]) {
    check_all(format, format, expected, &[]);
}

/// A format whose samples stand in a folder of another name, or of which some must not decode: (file, why it must not,
/// in words, and the reason that is counted; None: it is filtered).
fn check_all(format: &str, samples: &str, expected: &[Expected], refused: &[(&str, &str, Option<Invalid>)]) {
    if !folder(samples).is_dir() {
        println!("skipped: no samples of {samples} beside this workspace");
        return;
    }
    let mut wrong = Vec::new();
    for Expected(file, at, class, action, outcome, fields) in expected {
        let all = events(format, samples, file);
        let event = all.get(*at).unwrap_or_else(|| panic!("{file}: {} events", all.len()));
        let mut same = |what: &str, is: &str, wanted: &str| {
            if is != wanted {
                wrong.push(format!("{file}[{at}] {what}: `{is}`, wanted `{wanted}`"));
            }
        };
        same("class", event.class.map_or("", |class| class.name()), class);
        same("action", event.action.as_deref().unwrap_or(""), action);
        same("outcome", event.outcome.name(), outcome);
        for field in *fields {
            let (name, value) = field.split_once('=').expect("name=value");
            assert!(model::field(name).is_some(), "{name} is a model field");
            same(name, &printed(&event.fields, name), value);
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
    for (file, why, reason) in refused {
        let text = std::fs::read_to_string(folder(samples).join(file)).expect("the sample can be read");
        let decoded = decode_one(by_name(format).expect("the format is known"), &Arc::from("samples"), &text);
        let is = decoded.map(|events| events.len());
        assert_eq!(is, reason.map_or(Ok(0), Err), "{file}: {why}");
    }
    let files = expected.iter().map(|expected| expected.0).chain(refused.iter().map(|refused| refused.0));
    let files: std::collections::BTreeSet<_> = files.map(str::to_owned).collect();
    let there = std::fs::read_dir(folder(samples)).expect("the folder can be read").flatten();
    let there: std::collections::BTreeSet<_> =
        there.map(|file| file.file_name().to_string_lossy().into_owned()).collect();
    assert_eq!(files, there, "every sample of {samples} is looked at");
}
