//! Jenkins: bodies alone, and in the envelope that their headers make.

use std::collections::BTreeSet;
use std::sync::Arc;

use ingest::decode_one;
use ingest::format::by_name;
use ingest::kafka::structured;

use super::{Expected, check_all, folder};

#[rustfmt::skip]
const JENKINS: &[Expected] = &[
    Expected("org.jenkinsci.job.completed.json", 0, "ci.run", "finished", "success", &[
        "prov.run_id=http://3.101.116.80/job/test2/13/", "prov.workflow=job/test2/", "result=success", "duration=5583",
        "prov.repo=github.com/shrutic-git/scmconfig", "prov.commit=218c63f230732c6d561fefd00fd0d2ac4ded1a0c",
        "prov.ref=refs/heads/main", "prov.actor_id=SYSTEM", "prov.actor_kind=service", "prov.change_id="]),
    Expected("org.jenkinsci.job.finalzed.json", 0, "ci.run", "finalized", "success", &["result=success"]),
    Expected("org.jenkinsci.job.failed.json", 0, "ci.run", "finalized", "failure", &[
        "result=failed", "prov.run_id=http://3.101.116.80/job/fail/4/", "prov.repo=", "prov.commit=", "prov.ref="]),
    Expected("org.jenkinsci.job.started.json", 0, "ci.run", "started", "success", &[
        "prov.run_id=http://3.101.116.80/job/test2/13/", "result=", "duration="]),
    Expected("org.jenkinsci.job.created.json", 0, "scm.admin", "job.created", "success", &[
        "object_kind=job", "object=job/Item/", "prov.actor_id=shruti", "prov.actor_kind=human"]),
    Expected("org.jenkinsci.job.updated.json", 0, "scm.admin", "job.updated", "success", &["object=job/Item/"]),
    Expected("org.jenkinsci.node.offline.json", 0, "ci.runner", "offline", "success", &[
        "prov.runner_name=test_node", "prov.runner_kind=self_hosted"]),
    Expected("org.jenkinsci.node.online.json", 0, "ci.runner", "online", "success", &["prov.runner_name=test_node"]),
    Expected("org.jenkinsci.queue.entered_waiting.json", 0, "ci.run", "requested", "success", &[
        "prov.trigger=workflow_dispatch", "prov.run_id="]),
];

fn headers(name: &str) -> String {
    name.replace(".json", ".headers.txt")
}

#[test]
fn jenkins_cloudevents() {
    let why = "headers are no record";
    let names: Vec<String> = JENKINS.iter().map(|expected| headers(expected.0)).collect();
    let mut refused: Vec<_> = names.iter().map(|name| (name.as_str(), why, Some(model::Invalid::NotJson))).collect();
    refused.push(("org.jenkinsci.queue.left.json", "the build that follows says that it started", None));
    refused.push(("org.jenkinsci.queue.left.headers.txt", why, Some(model::Invalid::NotJson)));
    check_all("jenkins-cloudevents", "jenkins-cloudevents", JENKINS, &refused);
}

/// With its headers each body has id and time, whichever of the two formats is named; told by content it is Jenkins's.
#[test]
fn headers_make_the_envelope() {
    let folder = folder("jenkins-cloudevents");
    if !folder.is_dir() {
        return println!("skipped: no samples of jenkins-cloudevents beside this workspace");
    }
    let mut ids = BTreeSet::new();
    for Expected(file, ..) in JENKINS {
        let text = |name: &str| std::fs::read_to_string(folder.join(name)).expect("the sample can be read");
        let (lines, body) = (text(&headers(file)), text(file));
        let pairs = lines.lines().filter_map(|line| line.split_once(": "));
        let mut pairs: Vec<_> = pairs.map(|(name, value)| (name.replace("ce-", "ce_"), value.trim())).collect();
        pairs.push(("ce_time".to_owned(), "2026-09-01T10:00:00Z"));
        let of = |name: &str| pairs.iter().find(|(known, _)| known == name).map_or("", |(_, value)| *value);
        let id = format!("{}:{}", of("ce_source"), of("ce_id"));
        let sent = || pairs.iter().map(|(name, value)| (name.as_str(), Some(value.as_bytes())));
        let record = String::from_utf8(structured(sent, Some(body.as_bytes())).expect("binary mode")).expect("text");
        let decoded = |format: &str| {
            let wire = by_name(format).expect("the format is known");
            decode_one(wire, &Arc::from("samples"), &record).expect("decodes").remove(0)
        };
        let (own, carried) = (decoded("jenkins-cloudevents"), decoded("cloudevents"));
        assert_eq!((own.id.as_deref(), &own.action, own.time), (Some(&*id), &carried.action, carried.time), "{file}");
        assert_eq!((&own.id, &own.fields, own.sha256), (&carried.id, &carried.fields, carried.sha256), "{file}");
        assert!(own.time.is_some_and(|time| time.ms() > 1_626_000_000_000), "{file}: {:?}", own.time);
        ids.insert(id);
    }
    assert!(ids.len() >= JENKINS.len() - 1, "ids tell events apart: {ids:?}");
}
