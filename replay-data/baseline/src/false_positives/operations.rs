//! Visibility and response: cancelled runs, windows, batches, days on which everybody is busy, exercises that end.

use super::{FalsePositive, known};
use crate::job::Plan;
use crate::org::{NONPROD, known_sha256};
use crate::runners::Pool;
use crate::runs::net;
use crate::time::{HOUR, MINUTE, SECOND};
use crate::world::World;
use crate::write::cloudtrail::{Call, Session};
use crate::write::json::Object;
use crate::write::normal::Event;

pub(super) const TABLE: &[FalsePositive] = &[
    known("OPS-01", "cancelled-run", |w, at| ends_as(w, at, "cancelled")),
    known("OPS-02", "provider-outage", |w, at| announced_window(w, at, "provider-outage")),
    known("OPS-03", "sink-rotation", sink_rotation),
    known("OPS-05", "provider-batch", provider_batch),
    known("OPS-06", "tool-upgrade", tool_upgrade),
    known("OPS-07", "disclosure-day", disclosure_day),
    known("OPS-08", "matrix-growth", matrix_growth),
    known("OPS-09", "maintenance", maintenance),
    known("OPS-10", "flaky-tests", flaky_tests),
    known("OPS-11", "risk-accepted", risk_accepted),
    known("OPS-12", "sampling", sampling),
    known("OPS-13", "local-build", local_build),
    known("OPS-14", "rebalance", |w, at| announced_window(w, at, "worker-rebalance")),
    known("CMP-01", "one-change-many-tickets", one_change),
    known("CMP-03", "new-company-tool", company_tool),
    known("CMP-04", "closed-as-false", closed_as_false),
    known("CMP-05", "propagation", containment_spreads),
];

fn ends_as(w: &mut World, at: i64, conclusion: &'static str) {
    let repo = w.some_service();
    let job = {
        let plan = Plan { conclusion, ..w.build_plan(repo, at, Pool::Hosted) };
        w.run(&plan)
    };
    let step = w.step(&job, "test", "completed", 990);
    w.send(step.outcome("failure").fp());
}

fn announced_window(w: &mut World, at: i64, kind: &str) {
    let event = w.window("ops.maintenance", "announced", kind, at, 20 * MINUTE);
    w.send(event.text("scope", "org").fp());
}

/// A second stream is set up beside the first, as announced; the first stays.
fn sink_rotation(w: &mut World, at: i64) {
    w.announce("audit-sink", "observability", "audit-sink", at, HOUR);
    let actor = w.actor(17 * crate::people::TEAM_SIZE);
    let record = w.audit("audit_log_streaming.create", &actor, 5, at).text("actor_ip", &actor.office_ip);
    w.send_native("github-audit", "scm.admin", at, record, true);
}

/// The provider gives a quarter of an hour in one piece.
fn provider_batch(w: &mut World, at: i64) {
    w.held_up = 8 * MINUTE;
    let session = Session::hourly(&format!("arn:aws:iam::{NONPROD}:role/inventory"), at, "203.0.113.80");
    for nth in 0..12 {
        let call = Call::new("ecs", "DescribeServices", true, Object::new().text("cluster", "stg1"));
        w.trail("identity.use", &session, call, at + nth * 20 * SECOND, true);
    }
}

/// A new version of a scanner fails four times on the first day.
fn tool_upgrade(w: &mut World, at: i64) {
    let org = w.org.clone();
    for nth in 0..4 {
        let repo = w.some_service();
        let commit = w.life(repo).head.clone();
        let event = Event::new("scan.result", "ended", at + nth * 13 * MINUTE)
            .repo(&org, repo)
            .text("prov.commit", &commit)
            .text("kind", "light")
            .text("tool", "lintwise")
            .text("version", "9.0.0")
            .text("db_version", "db-next")
            .outcome("failure");
        w.send(event.fp());
    }
}

/// A weakness becomes public and many find it at once.
fn disclosure_day(w: &mut World, at: i64) {
    let event = Event::new("threat.intel", "vulnerable", at)
        .text("cve", "CVE-2026-71234")
        .text("purl", "pkg:npm/undici")
        .texts("versions", &["0.0.1"])
        .text("source", "advisories")
        .int("valid_from", at);
    w.send(event);
    let org = w.org.clone();
    for nth in 0..15 {
        let repo = w.some_service();
        let event = Event::new("scan.finding", "opened", at + (5 + nth) * MINUTE)
            .repo(&org, repo)
            .text("kind", "sca")
            .text("rule", "CVE-2026-71234")
            .text("tool", "depscan")
            .text("sev", "medium")
            .flag("dismissed", false);
        w.send(event.fp());
    }
}

/// An announced wider matrix makes one workflow a little slower.
fn matrix_growth(w: &mut World, at: i64) {
    let repo = w.some_service();
    let team = w.team_of(repo);
    w.announce("ci-matrix", team, "ci-matrix", at, 8 * HOUR);
    let usual = w.steady(repo, 6 * MINUTE);
    for nth in 0..3 {
        let plan = Plan { span: usual * 108 / 100, ..w.build_plan(repo, at + nth * 20 * MINUTE, Pool::Hosted) };
        let job = w.run(&plan);
        let step = w.step(&job, "matrix", "completed", 995);
        w.send(step.fp());
    }
}

/// Three runs do not start while the CI system is under announced maintenance.
fn maintenance(w: &mut World, at: i64) {
    let event = w.window("ops.maintenance", "announced", "ci", at, 30 * MINUTE);
    w.send(event.text("scope", "org"));
    let org = w.org.clone();
    for nth in 0..3 {
        let repo = w.some_service();
        let run = w.number().to_string();
        for (action, later) in [("started", 0), ("finished", 5)] {
            let event = Event::new("ci.run", action, at + (4 + nth * 6) * MINUTE + later * SECOND)
                .repo(&org, repo)
                .text("prov.run_id", &run)
                .int("prov.attempt", 1)
                .text("prov.trigger", "push");
            let failed = action == "finished";
            let event =
                if failed { event.text("system_outcome", "error").text("result", "startup_failure") } else { event };
            w.send(if failed { event.outcome("error").fp() } else { event });
        }
    }
}

/// A test fails and passes on the second attempt, on one commit.
fn flaky_tests(w: &mut World, at: i64) {
    let repo = w.some_service();
    let plan = Plan { conclusion: "failure", ..w.build_plan(repo, at, Pool::Hosted) };
    let first = w.run(&plan);
    let step = w.step(&first, "test", "completed", 990);
    w.send(step.outcome("failure").fp());
    w.run(&Plan { attempt: 2, conclusion: "success", at: first.finished + 2 * MINUTE, ..plan });
}

/// A finding is closed because its risk is accepted.
fn risk_accepted(w: &mut World, at: i64) {
    let (repo, digest) = w.calm_service(at);
    let cve = format!("CVE-2026-{}", 72_000 + at / HOUR % 900);
    let event = w.vuln("opened", repo, &digest, &cve, "high", at);
    w.send(event);
    let event = w.vuln("closed", repo, &digest, &cve, "high", at + HOUR);
    w.send(event.text("reason", "risk accepted").flag("dismissed", true).fp());
}

/// An image that is no release gets no full scan: policy says one in ten.
fn sampling(w: &mut World, at: i64) {
    let repo = w.some_service();
    let job = w.build(repo, at, Pool::Shared);
    let org = w.org.clone();
    let digest = w.rng.digest();
    let event = Event::new("registry.push", "push", job.moment(900))
        .job(&org, &job)
        .actor("branch-publisher", "branch-publisher", "workload")
        .text("prov.token_kind", "job")
        .text("prov.token_id", &job.token)
        .text("prov.digest", &digest)
        .text("repo", &format!("branches/{}", org.repo(repo).name))
        .text("tag", job.commit.get(..12).unwrap_or("0"))
        .text("channel", "development");
    w.send(event.fp());
}

/// Somebody builds on a laptop: no signature, no list, and no release.
fn local_build(w: &mut World, at: i64) {
    let repo = w.some_service();
    let org = w.org.clone();
    let digest = w.rng.digest();
    let event = Event::new("build.finished", "finished", at)
        .repo(&org, repo)
        .text("prov.digest", &digest)
        .texts("outputs", &[digest.as_str()])
        .text("builder", "local")
        .text("channel", "development")
        .text("result", "success");
    w.send(event.fp());
}

/// One commit has three small findings.
fn one_change(w: &mut World, at: i64) {
    let repo = w.some_service();
    let job = w.build(repo, at, Pool::Hosted);
    let org = w.org.clone();
    for (nth, rule) in ["weak-hash", "unchecked-input", "open-redirect"].into_iter().enumerate() {
        let event = Event::new("scan.finding", "opened", job.moment(700 + 20 * nth as i64))
            .job(&org, &job)
            .text("kind", "sast")
            .text("rule", rule)
            .text("tool", "lintwise")
            .text("sev", "low");
        w.send(event.fp());
    }
}

/// Four repositories call the company's new tool, under the company's own domain.
fn company_tool(w: &mut World, at: i64) {
    w.announce("flags-service", "platform", "flags-service", at, HOUR);
    for nth in 0..4 {
        let repo = w.some_service();
        let job = w.build(repo, at + nth * 5 * MINUTE, Pool::Shared);
        let org = w.org.clone();
        let event = net(&org, &job, "flags.harbourline.example", "203.0.113.144", 443, job.moment(300));
        w.send(event.int("secrets_count", 0).fp());
    }
}

/// An alert was looked at and closed as false.
fn closed_as_false(w: &mut World, at: i64) {
    let event = Event::new("ops.response", "close", at)
        .actor("u-4412", "responder", "human")
        .text("object_kind", "alert")
        .text("object", &known_sha256(&format!("alert-{at}")))
        .text("scope", "alert")
        .text("kind", "false_positive")
        .text("incident", &format!("inc-{}", at / HOUR));
    w.send(event.fp());
}

/// A token is revoked by a responder and still works for two minutes.
fn containment_spreads(w: &mut World, at: i64) {
    let repo = w.some_service();
    let who = w.owner_of(repo);
    let actor = w.actor(who);
    let token = known_sha256(&format!("contained-{at}"));
    let event = Event::new("ops.response", "revoke", at)
        .actor("u-4412", "responder", "human")
        .text("prov.token_id", &token)
        .text("object_kind", "token")
        .text("object", &token)
        .text("scope", "exercise")
        .text("kind", "credential")
        .text("incident", &format!("exercise-{}", at / HOUR));
    w.send(event);
    let event = Event::new("identity.use", "pulls.read", at + 2 * MINUTE)
        .actor(&actor.id.to_string(), &actor.login, "human")
        .text("prov.token_id", &token)
        .text("fp", &token)
        .text("object", &token)
        .text("src.ip", &actor.office_ip);
    w.send(event.fp());
}
