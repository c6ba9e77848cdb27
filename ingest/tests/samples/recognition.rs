//! Every sample is told by its content alone to be of its own format: what holds the order of `FORMATS`.

use std::collections::BTreeSet;

use ingest::format::{FORMATS, Format, Wanted};
use ingest::{Decoder, Read, Scratch};

use super::*;

/// Folder of samples, start of the file names, the formats that their records may be of.
type Row = (&'static str, &'static str, &'static [&'static str]);

/// The first row that fits a file counts.
const FOLDERS: &[Row] = &[
    ("aws-codebuild-codepipeline", "", &["aws-codebuild-codepipeline"]),
    ("cdevents", "", &["cdevents"]),
    ("cloudevents", "", &["cloudevents"]),
    ("cloudtrail", "", &["cloudtrail"]),
    ("cyclonedx", "", &["cyclonedx"]),
    ("docker-distribution", "", &["oci-distribution"]),
    ("ecr-eventbridge", "", &["ecr-eventbridge"]),
    ("falco", "", &["falco"]),
    ("github-audit", "", &["github-audit"]),
    ("github-webhook", "", &["github-webhook"]),
    ("gitlab-webhook", "", &["gitlab-webhook"]),
    ("harbor", "", &["harbor"]),
    ("in-toto-slsa", "sigstore-bundle", &["sigstore-bundle"]),
    ("in-toto-slsa", "npm-attestations", &["in-toto", "sigstore-bundle"]),
    ("in-toto-slsa", "", &["in-toto"]),
    ("jenkins-cloudevents", "", &["jenkins-cloudevents"]),
    ("kubernetes-audit", "", &["kubernetes-audit"]),
    ("kyverno-policyreport", "", &["policy-report"]),
    ("opa-decision-log", "", &["opa-decision-log"]),
    ("rekor", "sigstore-bundle", &["sigstore-bundle"]),
    ("rekor", "", &["rekor"]),
    ("spdx", "", &["spdx"]),
    ("tekton-cloudevents", "", &["tekton-cloudevents"]),
    ("vault-audit", "", &["vault-audit"]),
];

fn guessing(formats: &[&'static Format]) -> Decoder {
    let guessable = formats.iter().copied().filter(|format| !format.marks.is_empty());
    Decoder::new(guessable.map(|format| (format, Wanted::default())).collect(), None, false)
}

/// The formats that a record and the records in it are taken for.
fn taken_for(decoder: &Decoder, record: &str) -> BTreeSet<&'static str> {
    let mut names = BTreeSet::new();
    decoder.read(&mut Scratch::default(), record, 0, &mut |bounds, read| {
        names.extend(match read {
            Read::Event(seen) => Some(decoder.plans()[seen.plan].format().name),
            // Filtered: what it stands in or what itself is known; what a sample is not, nobody filters.
            Read::Filtered => decoder.format_of(&record[bounds]).map(|format| format.name),
            Read::Invalid(_) => None,
        });
    });
    names.extend(decoder.format_of(record.trim()).map(|format| format.name));
    names
}

/// A file's records: lines where all of them stand alone, else the whole.
fn records(text: &str) -> Vec<&str> {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    if lines.iter().all(|line| ingest::is_json(line)) { lines } else { vec![text] }
}

/// What is wrong with the guesses of a decoder over all samples, and how many records it looked at.
fn wrong(decoder: &Decoder) -> (Vec<String>, usize) {
    let (mut wrong, mut seen) = (Vec::new(), 0);
    let names = |path: PathBuf| -> Vec<String> {
        let entries = std::fs::read_dir(path).expect("a folder").flatten();
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
    };
    for samples in names(folder("")).iter().filter(|name| folder(name).is_dir()) {
        for file in names(folder(samples)) {
            let row = FOLDERS.iter().find(|(folder, start, _)| folder == samples && file.starts_with(start));
            let Some((_, _, formats)) = row else {
                wrong.push(format!("{samples}/{file}: no row of the table says what it is"));
                continue;
            };
            let text = std::fs::read_to_string(folder(samples).join(&file)).expect("the sample can be read");
            let decodes = |record: &str| {
                let by = |name: &&str| decode_one(by_name(name).expect("a format"), &Arc::from("samples"), record);
                formats.iter().any(|name| by(name).is_ok())
            };
            for record in records(&text).into_iter().filter(|record| decodes(record)) {
                seen += 1;
                let taken = taken_for(decoder, record);
                if taken.is_empty() || !taken.iter().all(|name| formats.contains(name)) {
                    wrong.push(format!("{samples}/{file}: taken for {taken:?}, it is {formats:?}"));
                }
            }
        }
    }
    (wrong, seen)
}

#[test]
fn every_sample_is_recognised_as_what_it_is() {
    if !folder("").is_dir() {
        println!("skipped: no samples beside this workspace");
        return;
    }
    let (found, seen) = wrong(&guessing(FORMATS));
    assert!(found.is_empty(), "{} of {seen} are not:\n{}", found.len(), found.join("\n"));
    assert!(seen > 150, "{seen} records");
    // The order decides: the other way round, envelopes and general formats take what is not theirs.
    let backwards: Vec<&'static Format> = FORMATS.iter().rev().copied().collect();
    assert!(!wrong(&guessing(&backwards)).0.is_empty(), "no sample depends on the order");
}

#[test]
fn every_guessable_format_has_marks_of_its_own() {
    for format in FORMATS.iter().filter(|format| !format.marks.is_empty()) {
        for set in format.marks {
            assert!(!set.is_empty(), "{}: an empty set is in every record", format.name);
            let before = FORMATS.iter().take_while(|other| other.name != format.name);
            let hides = |other: &Format| other.marks.iter().any(|marks| marks.iter().all(|mark| set.contains(mark)));
            let hidden: Vec<&str> = before.filter(|other| hides(other)).map(|other| other.name).collect();
            assert!(hidden.is_empty(), "{} {set:?}: never reached behind {hidden:?}", format.name);
        }
    }
}
