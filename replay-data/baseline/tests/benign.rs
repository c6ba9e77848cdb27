//! An ordinary day is ordinary: what the catalogue's joins, intervals and absences look for is not there, save where it was
//! planted and labelled.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use std::collections::BTreeMap;
use std::sync::LazyLock;

use baseline::Baseline;
use baseline::time::{DAY, HOUR, MINUTE, SECOND, midnight};
use serde_json::Value;

struct Told {
    class: &'static str,
    at: i64,
    label: Option<&'static str>,
    json: Value,
}

impl Told {
    fn text(&self, key: &str) -> &str {
        self.json[key].as_str().unwrap_or("")
    }

    fn is(&self, class: &str) -> bool {
        self.class == class
    }
}

/// Three days: the first, on which everything is released, a weekday and a release day with what is planted on them.
static DAYS: LazyLock<Vec<Told>> = LazyLock::new(days);

/// What is told of them, without the classes that are many and that nothing here asks for.
fn days() -> Vec<Told> {
    const MANY: [&str; 4] = ["runtime.heartbeat", "registry.request", "secret.access", "ci.run"];
    let start = midnight("2026-09-01").expect("a date");
    let told = |record: baseline::Record| Told {
        class: record.class,
        at: record.event_ms,
        label: record.label,
        json: serde_json::from_slice(&record.bytes).expect("JSON"),
    };
    Baseline::new(7, 3, start).records().filter(|record| !MANY.contains(&record.class)).map(told).collect()
}

/// Start and end of each job, by its id, and its runner.
fn jobs(days: &[Told]) -> BTreeMap<String, (i64, i64, String)> {
    let mut jobs: BTreeMap<String, (i64, i64, String)> = BTreeMap::new();
    for told in days.iter().filter(|told| told.is("ci.job")) {
        if told.json["action"] == "workflows.prepared_workflow_job" {
            let runner = told.json["runner_id"].to_string();
            jobs.entry(told.json["check_run_id"].to_string()).or_default().0 = told.at;
            jobs.entry(told.json["check_run_id"].to_string()).or_default().2 = runner;
        } else if told.text("event.action") == "started" {
            let job = jobs.entry(told.text("prov.job_id").to_owned()).or_default();
            (job.0, job.2) = (told.at, told.text("prov.runner_id").to_owned());
        } else if told.json["action"] == "completed" {
            jobs.entry(told.json["workflow_job"]["id"].to_string()).or_default().1 = told.at;
        }
    }
    jobs
}

#[test]
fn jobs_start_end_and_never_share_a_runner() {
    let days = &*DAYS;
    let mut by_runner: BTreeMap<&str, Vec<(i64, i64)>> = BTreeMap::new();
    let jobs = jobs(days);
    assert!(jobs.len() > 6_000);
    for (id, (from, to, runner)) in &jobs {
        assert!(*from > 0 && to > from, "job {id} runs from {from} to {to}");
        by_runner.entry(runner).or_default().push((*from, *to));
    }
    for (runner, mut spans) in by_runner {
        spans.sort_unstable();
        assert!(spans.windows(2).all(|pair| pair[0].1 <= pair[1].0), "runner {runner} has two jobs at once");
    }
}

#[test]
fn sensors_speak_of_open_jobs_only() {
    let days = &*DAYS;
    let jobs = jobs(days);
    let mut seen = 0;
    for told in days.iter().filter(|told| ["runner.process", "runner.net", "runner.file"].contains(&told.class)) {
        if told.label.is_some() {
            continue;
        }
        let Some((from, to, runner)) = jobs.get(told.text("prov.job_id")) else { panic!("{:?} has no job", told.json) };
        assert!((*from..=*to).contains(&told.at), "outside its job: {:?}", told.json);
        assert_eq!(runner, told.text("prov.runner_id"));
        seen += 1;
    }
    assert!(seen > 10_000);
}

#[test]
fn releases_are_built_listed_signed_scanned_and_pushed_from_their_open_job() {
    let days = &*DAYS;
    let jobs = jobs(days);
    let mut made: BTreeMap<&str, BTreeMap<&str, i64>> = BTreeMap::new();
    for told in days {
        for class in ["sbom.generated", "sign.signature", "sign.attestation", "rekor.entry", "scan.result"] {
            if told.is(class) {
                made.entry(told.text("prov.digest")).or_default().insert(class, told.at);
            }
        }
        if told.is("build.finished") {
            for output in told.json["outputs"].as_array().into_iter().flatten() {
                made.entry(output.as_str().unwrap_or("")).or_default().insert("build.finished", told.at);
            }
        }
    }
    let mut pushes = 0;
    for told in days.iter().filter(|told| told.is("registry.push") || told.is("registry.publish")) {
        if told.label.is_some() {
            continue;
        }
        pushes += 1;
        let (from, to, _) = &jobs[told.text("prov.job_id")];
        assert!((*from..=*to).contains(&told.at), "pushed outside its job: {:?}", told.json);
        let proof = &made[told.text("prov.digest")];
        let built = proof["build.finished"];
        assert!(built < told.at);
        assert!(proof["sign.attestation"] - built < 5 * MINUTE && proof["sbom.generated"] - built < 30 * MINUTE);
        assert!(proof.contains_key("sign.signature") && proof.contains_key("rekor.entry"));
        assert!((0..24 * HOUR).contains(&(proof["scan.result"] - told.at)), "not scanned: {:?}", told.json);
    }
    assert!(pushes > 400, "{pushes} pushes");
}

#[test]
fn production_gets_only_what_is_verified_and_allowed_and_shows_it() {
    let days = &*DAYS;
    let mut allowed: BTreeMap<(&str, &str), i64> = BTreeMap::new();
    let mut verified: BTreeMap<&str, i64> = BTreeMap::new();
    for told in days {
        if told.is("policy.decision") && told.text("result") == "allow" {
            let first = allowed.entry((told.text("prov.digest"), told.text("prov.env"))).or_insert(told.at);
            *first = told.at.min(*first);
        }
        if told.is("verify.signature") && told.json["ok"] == true {
            let first = verified.entry(told.text("prov.digest")).or_insert(told.at);
            *first = told.at.min(*first);
        }
    }
    let mut active: BTreeMap<(&str, &str), Vec<(i64, &str)>> = BTreeMap::new();
    let mut deployments = 0;
    for told in days.iter().filter(|told| told.text("prov.env") == "prod") {
        let digest = told.text("prov.digest");
        if told.is("deploy.started") {
            assert!(allowed.get(&(digest, "prod")).is_some_and(|at| *at <= told.at), "not allowed: {:?}", told.json);
        }
        if told.is("deploy.finished") || told.is("deploy.rolledback") {
            assert!(verified.get(digest).is_some_and(|at| *at <= told.at), "not verified: {:?}", told.json);
            active.entry((told.text("prov.service"), told.text("prov.cluster"))).or_default().push((told.at, digest));
            deployments += 1;
        }
    }
    assert!(deployments > 300, "{deployments} deployments");
    active.values_mut().for_each(|list| list.sort_unstable());
    for told in days.iter().filter(|told| told.is("runtime.inventory") && told.label.is_none()) {
        if told.text("prov.env") != "prod" {
            continue;
        }
        let list = &active[&(told.text("prov.service"), told.text("prov.cluster"))];
        let digest = told.text("prov.digest");
        let current = list.iter().rev().find(|(at, _)| *at <= told.at).expect("deployed before it is seen");
        let fits = current.1 == digest
            || (told.at - current.0 < 5 * MINUTE && list.iter().any(|(at, known)| *at < told.at && *known == digest));
        assert!(fits, "not what was deployed {} s ago: {:?}", (told.at - current.0) / SECOND, told.json);
    }
}

#[test]
fn nobody_looks_like_a_thief() {
    let days = &*DAYS;
    let mut reads: BTreeMap<&str, Vec<(i64, &str)>> = BTreeMap::new();
    for told in days.iter().filter(|told| told.is("scm.access") && told.label.is_none()) {
        reads.entry(told.text("hashed_token")).or_default().push((told.at, told.text("repo")));
    }
    for (token, mut list) in reads {
        list.sort_unstable();
        for (nth, (at, _)) in list.iter().enumerate() {
            let within = list[..=nth].iter().filter(|(earlier, _)| at - earlier <= HOUR).count();
            assert!(within < 10, "{token} reads {within} repositories within an hour");
        }
    }
    for told in days.iter().filter(|told| told.is("scm.change") && told.text("event.action") == "merged") {
        if told.label.is_none() {
            let approvers = told.json["approvers"].as_array().expect("somebody approved");
            assert!(!approvers.contains(&told.json["author_id"]), "approved by its author: {:?}", told.json);
        }
    }
    for told in days.iter().filter(|told| told.is("scm.push") && told.json["ref_default"] == true) {
        assert!(told.label.is_some() || told.json["pr"].is_string(), "pushed past review: {:?}", told.json);
    }
}

#[test]
fn sensors_of_runners_are_heard_within_two_minutes_of_a_job() {
    let days = &*DAYS;
    let mut beats: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
    for told in days.iter().filter(|told| told.is("runner.heartbeat")) {
        beats.entry(told.text("prov.runner_id")).or_default().push(told.at);
    }
    let end = days.iter().map(|told| told.at).max().unwrap_or(0) - DAY / 24;
    for told in days.iter().filter(|told| told.is("ci.job") && told.text("event.action") == "started" && told.at < end)
    {
        if told.text("prov.runner_kind") == "hosted" {
            continue;
        }
        let heard = beats
            .get(told.text("prov.runner_id"))
            .is_some_and(|beats| beats.iter().any(|beat| (-2 * MINUTE..=2 * MINUTE).contains(&(beat - told.at))));
        assert!(heard, "no heartbeat near {:?}", told.json);
    }
}
