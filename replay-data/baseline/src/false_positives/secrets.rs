//! Secrets: fixtures, operators that read many by design, brokers that are early, manifests that follow.

use super::{FalsePositive, known};
use crate::job::Plan;
use crate::org::{PROD, known_sha256, publisher, release_secrets, workload_secrets};
use crate::runners::Pool;
use crate::time::{HOUR, MINUTE, SECOND};
use crate::world::World;
use crate::write::cloudtrail::{Call, Session};
use crate::write::json::Object;
use crate::write::normal::Event;

pub(super) const TABLE: &[FalsePositive] = &[
    known("SEC-01", "test-fixture", |w, at| finding(w, at, "used_in_tests")),
    known("SEC-01", "revoked-key", |w, at| finding(w, at, "revoked")),
    known("SEC-02", "config-sync", |w, at| many_reads(w, at, "config-sync")),
    known("SEC-02", "recovery-drill", recovery_drill),
    known("SEC-03", "reviewed-step", reviewed_step),
    known("SEC-04", "label-gated", label_gated),
    known("SEC-05", "early-broker", early_broker),
    known("SEC-06", "multi-cloud", multi_cloud),
    known("SEC-07", "broken-policy", broken_policy),
    known("SEC-09", "own-scanner", own_scanner),
    known("SEC-10", "open-sourcing", open_sourcing),
    known("SEC-11", "code-refactoring", code_refactoring),
    known("SEC-12", "manifest-follows", manifest_follows),
];

/// A finding that is tried at once, is not live, and is closed.
fn finding(w: &mut World, at: i64, reason: &str) {
    let repo = w.some_service();
    let org = w.org.clone();
    for (action, at) in [("opened", at), ("resolved", at + 8 * MINUTE)] {
        let event = Event::new("secret.finding", action, at)
            .repo(&org, repo)
            .text("fp", &known_sha256(&format!("{reason}-{at}")))
            .text("where", "commit")
            .text("kind", "api_key")
            .text("scope", "test")
            .text("reason", reason)
            .flag("verified", false);
        w.send(event.fp());
    }
}

/// An operator that keeps configuration in step reads what it always reads, all within minutes; it is listed.
fn many_reads(w: &mut World, at: i64, role: &str) {
    let session = Session::hourly(&format!("arn:aws:iam::{PROD}:role/{role}"), at, "203.0.113.85");
    let org = w.org.clone();
    for (nth, repo) in org.services.iter().take(26).enumerate() {
        let secret = workload_secrets(&org.repo(*repo).name)[0].clone();
        w.read_secret(&session, &secret, at + nth as i64 * 11 * SECOND, true);
    }
}

fn recovery_drill(w: &mut World, at: i64) {
    w.announce("secret-store", "platform", "recovery-drill", at, HOUR);
    many_reads(w, at + MINUTE, "recovery-drill");
}

/// A reviewed change lets a workflow read a secret that it never read.
fn reviewed_step(w: &mut World, at: i64) {
    let repo = w.some_library();
    let team = w.team_of(repo);
    let (old, new) = (w.life(repo).head.clone(), w.rng.commit());
    let reviewer = w.owner_of(repo);
    let event = w.main_push(repo, reviewer, &old, &new, at);
    let event = event.texts("files", &[".github/workflows/release.yml"]).flag("adds_secret_ref", true);
    w.send(event.text("pr", "4712").text("message", "send release notes"));
    w.life(repo).head = new;
    let made = w.lone_release(repo, at + 15 * MINUTE);
    let session = Session::hourly(&publisher(team), at, &made.job.runner.ip);
    let event = w.job_secret("secret.access", "read", &made.job, &format!("ci/{team}/notes"), &session, 750);
    w.send(event.fp());
}

/// A maintainer looked at a fork's request and let its job have a secret.
fn label_gated(w: &mut World, at: i64) {
    let repo = w.some_library();
    let who = w.owner_of(repo);
    let by = w.actor(who).id;
    let commit = w.rng.commit();
    w.run(&Plan {
        workflow: "labelled.yml",
        name: "integration",
        trigger: "pull_request_target",
        git_ref: "refs/heads/main".to_owned(),
        change: Some(88),
        from_fork: true,
        approved_by: Some(by),
        secrets: vec!["SANDBOX_TOKEN".to_owned()],
        marked: true,
        ..Plan::new(repo, at, who, &commit)
    });
}

/// The broker fetches a release's secret half a minute before the job is there.
fn early_broker(w: &mut World, at: i64) {
    let repo = w.some_library();
    let team = w.team_of(repo);
    let made = w.lone_release(repo, at);
    let session = Session::hourly(&publisher(team), at, &made.job.runner.ip);
    let early = crate::job::Job {
        started: made.job.started - 30 * SECOND,
        finished: made.job.started - 30 * SECOND,
        ..made.job.clone()
    };
    let event = w.job_secret("secret.access", "read", &early, &release_secrets(team)[0], &session, 0);
    w.send(event.fp());
}

/// A job that delivers to two clouds reads from both stores; its workflow is listed.
fn multi_cloud(w: &mut World, at: i64) {
    let repo = w.org.find("data/exports-infra");
    let plan = Plan { secrets: crate::org::declared_secrets(w.team_of(repo)), ..w.build_plan(repo, at, Pool::Burst) };
    let job = w.run(&plan);
    let org = w.org.clone();
    let team = w.team_of(repo);
    for (store, thousandth) in [("aws_ssm", 300), ("gcp_secret_manager", 420)] {
        let event = Event::new("secret.access", "read", job.moment(thousandth))
            .job(&org, &job)
            .actor(&publisher(team), "ci", "workload")
            .text("src.ip", &job.runner.ip)
            .text("store_kind", store)
            .texts("secret", &[release_secrets(team)[1].as_str()])
            .text("auth_role", &format!("ci-{team}"))
            .text("prov.token_kind", "job")
            .int("token_age_s", 100);
        w.send(event.fp());
    }
}

/// A new policy of the store refuses a reader for four minutes and is put right.
fn broken_policy(w: &mut World, at: i64) {
    let repo = w.some_service();
    let name = w.org.repo(repo).name.clone();
    let policy = |action: &str, at: i64| {
        Event::new("policy.change", action, at)
            .actor("policy-pipeline", "policy-pipeline", "service")
            .text("rule", "secret-readers")
            .text("mode", "enforce")
            .text("prov.env", "staging")
    };
    w.send(policy("updated", at));
    for nth in 0..18 {
        let event = Event::new("secret.access", "read", at + 30 * SECOND + nth * 11 * SECOND)
            .actor(&format!("{name}-staging"), &name, "workload")
            .text("store_kind", "vault")
            .texts("secret", &[format!("staging/{name}/db")])
            .text("tier", "staging");
        w.send(event.outcome("denied").fp());
    }
    w.send(policy("updated", at + 5 * MINUTE));
}

/// The own scanner looks at the decoy's description, from its own address.
fn own_scanner(w: &mut World, at: i64) {
    let session = Session::hourly(&format!("arn:aws:iam::{PROD}:role/posture-scanner"), at, "192.0.2.196");
    let call =
        Call::new("secretsmanager", "DescribeSecret", true, Object::new().text("secretId", "prod/backup/master"));
    w.trail("secret.list", &session, call, at, true);
}

/// A repository is opened to the world as announced; the team has read a secret of its own before.
fn open_sourcing(w: &mut World, at: i64) {
    let repo = w.org.find("web/setup-action");
    let team = w.team_of(repo);
    w.announce("web/setup-action", team, "open-sourcing", at, HOUR);
    let plan = Plan { secrets: crate::org::declared_secrets(team), ..w.build_plan(repo, at, Pool::Shared) };
    let job = w.run(&plan);
    let session = Session::hourly(&publisher(team), at, &job.runner.ip);
    let event = w.job_secret("secret.access", "read", &job, &release_secrets(team)[1], &session, 500);
    w.send(event);
    let who = w.owner_of(repo);
    let when = job.finished;
    let record =
        w.setting("repo.access", who, repo, when).text("visibility", "public").text("previous_visibility", "private");
    w.send_native("github-audit", "scm.admin", when, record, true);
}

/// Code that sets environments up takes a guard away and puts it back within minutes, as announced.
fn code_refactoring(w: &mut World, at: i64) {
    let repo = w.some_service();
    let team = w.team_of(repo);
    w.announce("environments", team, "environments-as-code", at, HOUR);
    let who = w.owner_of(repo);
    for (action, class, at, marked) in [
        ("environment.remove_protection_rule", "secret.admin", at, true),
        ("environment.add_protection_rule", "scm.admin", at + 4 * MINUTE, false),
    ] {
        let record = w.setting(action, who, repo, at).text("environment_name", "staging");
        w.send_native("github-audit", class, at, record, marked);
    }
}

/// A new version needs another secret and reads it two minutes after it came; its manifest has it.
fn manifest_follows(w: &mut World, at: i64) {
    let repo = w.org.find("shop/pricing-worker");
    let session = w.workload(repo, at + 2 * MINUTE);
    w.read_secret(&session, "prod/pricing-worker/rates", at + 2 * MINUTE, true);
}
