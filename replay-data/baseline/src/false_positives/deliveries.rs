//! Deliveries: answers from caches, clocks, rehearsed and planned rollbacks, images of others, accepted risks.

use super::{FalsePositive, known};
use crate::org::{BUILDER, PROD, PROD_CLUSTERS, STAGING_CLUSTER, known_sha256};
use crate::runners::Pool;
use crate::time::{HOUR, MINUTE, SECOND};
use crate::world::{Task, World};
use crate::write::normal::Event;

pub(super) const TABLE: &[FalsePositive] = &[
    known("DEP-01", "cached-verification", cached_verification),
    known("DEP-02", "trust-root-rollout", |w, at| refused_checks(w, at, "trust root is not known yet")),
    known("DEP-02", "clock", |w, at| refused_checks(w, at, "certificate is not valid yet")),
    known("DEP-03", "incident-hands-on", hands_on),
    known("DEP-04", "shared-base-image", shared_base_image),
    known("DEP-05", "few-samples", few_samples),
    known("DEP-06", "one-flaky-service", flaky_service),
    known("DEP-07", "emergency-rollback", emergency_rollback),
    known("DEP-08", "third-party-image", third_party_image),
    known("DEP-09", "accepted-risk", accepted_risk),
    known("DEP-10", "rollback-in-freeze", rollback_in_freeze),
    known("DEP-11", "planned-again", planned_again),
    known("DEP-12", "bootstrap-account", bootstrap_account),
];

/// Allowed by the policy, so that only the thing itself is unusual.
fn allowed(w: &mut World, repo: usize, digest: &str, at: i64) {
    for cluster in PROD_CLUSTERS {
        let event = w.decision(repo, "prod", cluster, digest, at);
        w.send(event.text("result", "allow"));
    }
}

/// A node's answer comes from its cache, and it says so.
fn cached_verification(w: &mut World, at: i64) {
    let (repo, digest) = w.calm_service(at);
    allowed(w, repo, &digest, at);
    w.verified(repo, "prod", PROD_CLUSTERS[0], &digest, at + SECOND, true);
    for (class, later) in [("deploy.started", 4), ("deploy.finished", 70)] {
        let event = w.delivery(class, repo, "prod", PROD_CLUSTERS[0], &digest, at + later * SECOND);
        w.send(event.fp());
    }
}

/// Two checks fail in rehearsal for one reason, of a known builder.
fn refused_checks(w: &mut World, at: i64, reason: &str) {
    let repo = w.some_service();
    let digest = w.rng.digest();
    for nth in 0..2 {
        let event = Event::new("verify.signature", "verified", at + nth * 50 * SECOND)
            .place(&w.org.repo(repo).name, "staging", STAGING_CLUSTER)
            .text("prov.digest", &digest)
            .text("builder", BUILDER)
            .text("reason", reason)
            .flag("ok", false)
            .outcome("failure");
        w.send(event.fp());
    }
}

/// Somebody on call, in a listed role, restarts a workload in an incident.
fn hands_on(w: &mut World, at: i64) {
    let (repo, digest) = w.calm_service(at);
    let name = w.org.repo(repo).name.clone();
    incident(w, &name, at);
    allowed(w, repo, &digest, at + 5 * MINUTE);
    w.verified(repo, "prod", PROD_CLUSTERS[0], &digest, at + 5 * MINUTE, false);
    let org = w.org.clone();
    for (class, action, later) in
        [("deploy.started", "restart", 6 * MINUTE), ("deploy.finished", "restart", 8 * MINUTE)]
    {
        let event = Event::new(class, action, at + later)
            .repo(&org, repo)
            .place(&name, "prod", PROD_CLUSTERS[0])
            .actor(&format!("arn:aws:iam::{PROD}:role/incident-operator"), "incident-operator", "human")
            .text("prov.digest", &digest);
        w.send(event.fp());
    }
}

fn incident(w: &mut World, service: &str, at: i64) {
    let event = Event::new("ops.response", "declare", at)
        .actor("u-4412", "responder", "human")
        .text("object_kind", "service")
        .text("object", service)
        .text("scope", "service")
        .text("kind", "availability")
        .text("incident", &format!("inc-{}", at / HOUR));
    w.send(event);
}

/// A service goes back to what it ran before, and that is what it runs from then on.
fn roll_back(w: &mut World, repo: usize, now: &str, at: i64, class: &'static str) {
    let Some(before) = w.life(repo).prod_before.clone() else { return };
    allowed(w, repo, &before, at - 10 * SECOND);
    w.verified(repo, "prod", PROD_CLUSTERS[0], &before, at - 9 * SECOND, false);
    for cluster in PROD_CLUSTERS {
        let event = w.delivery(class, repo, "prod", cluster, &before, at);
        w.send(event.text("prev_digest", now).fp());
        if class == "deploy.started" {
            let event = w.delivery("deploy.finished", repo, "prod", cluster, &before, at + MINUTE);
            w.send(event.text("prev_digest", now));
        }
    }
    w.plan(at + 2 * MINUTE, Task::Settled(repo, "prod", before, "0.0.0-back".to_owned()));
}

/// Three services go back together, announced: the base image they share is withdrawn.
fn shared_base_image(w: &mut World, at: i64) {
    w.announce_rollback("base-image", "base-image-withdrawn", at, 2 * HOUR);
    for nth in 0..3 {
        let (repo, digest) = w.calm_service(at);
        roll_back(w, repo, &digest, at + (2 + nth * 4) * MINUTE, "deploy.rolledback");
    }
}

/// One canary of a team that has few.
fn few_samples(w: &mut World, at: i64) {
    let (repo, digest) = w.calm_service(at);
    let team = w.team_of(repo);
    let event = Event::new("deploy.canary", "judged", at)
        .place(&w.org.repo(repo).name, "prod", PROD_CLUSTERS[0])
        .text("prov.team", team)
        .text("prov.digest", &digest)
        .text("result", "rolled_back")
        .outcome("failure");
    w.send(event.fp());
}

/// One service does not come up in rehearsal, twice.
fn flaky_service(w: &mut World, at: i64) {
    let (repo, digest) = w.calm_service(at);
    for nth in 0..2 {
        let at = at + nth * 10 * MINUTE;
        let event = w.decision(repo, "staging", STAGING_CLUSTER, &digest, at - 2 * SECOND);
        w.send(event.text("result", "allow"));
        let event = w.delivery("deploy.started", repo, "staging", STAGING_CLUSTER, &digest, at);
        w.send(event);
        let event = w.delivery("deploy.finished", repo, "staging", STAGING_CLUSTER, &digest, at + 3 * MINUTE);
        w.send(event.outcome("failure").fp());
    }
}

/// The controller goes back to an older digest while an incident is open.
fn emergency_rollback(w: &mut World, at: i64) {
    let (repo, digest) = w.calm_service(at);
    let name = w.org.repo(repo).name.clone();
    incident(w, &name, at);
    roll_back(w, repo, &digest, at + 6 * MINUTE, "deploy.started");
}

/// An image of others, through a channel of its own, checked and allowed.
fn third_party_image(w: &mut World, at: i64) {
    let digest = format!("sha256:{}", known_sha256("redis-7.4"));
    let base = |class: &'static str, action: &str, later: i64| {
        Event::new(class, action, at + later * SECOND)
            .place("shared-redis", "prod", PROD_CLUSTERS[0])
            .actor(crate::org::CD_CONTROLLER, "delivery-controller", "service")
            .text("prov.digest", &digest)
            .text("prov.artifact", "pkg:oci/redis")
            .text("channel", "third-party")
    };
    w.send(
        base("verify.signature", "verified", 0).text("builder", "https://hub.redis.example/builder").flag("ok", true),
    );
    w.send(
        base("policy.decision", "decided", 1).text("result", "allow").text("rule", "third-party").int("eval_ms", 20),
    );
    w.send(base("deploy.started", "started", 3).fp());
    w.send(base("deploy.finished", "finished", 60).fp());
}

/// A critical finding in something that runs, accepted until a date.
fn accepted_risk(w: &mut World, at: i64) {
    let repo = w.org.find("data/reports-api");
    let digest = format!("sha256:{}", known_sha256("accepted"));
    let event = w.vuln("opened", repo, &digest, "CVE-2026-70001", "critical", at);
    w.send(event.fp());
    let event = w.vuln("closed", repo, &digest, "CVE-2026-70001", "critical", at + 30 * MINUTE);
    w.send(event.text("reason", "risk accepted"));
}

/// A service is frozen and goes back to what it ran before: rollbacks are exempt.
fn rollback_in_freeze(w: &mut World, at: i64) {
    let (repo, digest) = w.calm_service(at);
    let name = w.org.repo(repo).name.clone();
    let event = Event::new("ops.freeze", "begun", at)
        .actor("u-4412", "responder", "human")
        .text("scope", "service")
        .text("object_kind", "service")
        .text("object", &name)
        .text("kind", "containment")
        .int("from", at)
        .int("to", at + 90 * MINUTE);
    w.send(event);
    roll_back(w, repo, &digest, at + 20 * MINUTE, "deploy.rolledback");
    w.thaw("service", &name, at + 90 * MINUTE);
}

/// The world moved: planned anew, approved anew, and that plan applied.
fn planned_again(w: &mut World, at: i64) {
    let repo = w.org.infra[(at / HOUR) as usize % w.org.infra.len()];
    let job = w.build(repo, at, Pool::Burst);
    let org = w.org.clone();
    let change = (at / MINUTE % 100_000).to_string();
    let (first, second) = (w.rng.hex(64), w.rng.hex(64));
    for (class, action, hash, thousandth) in [
        ("iac.plan", "approved", &first, 100),
        ("iac.plan", "planned", &second, 300),
        ("iac.plan", "approved", &second, 500),
        ("iac.apply", "applied", &second, 700),
    ] {
        let event = Event::new(class, action, job.moment(thousandth))
            .job(&org, &job)
            .text("prov.env", "prod")
            .text("prov.change_id", &change)
            .text("approved_hash", hash)
            .text("hash", hash);
        w.send(if class == "iac.apply" { event.fp() } else { event });
    }
}

/// An account is being set up, with wide grants until a date.
fn bootstrap_account(w: &mut World, at: i64) {
    let event = Event::new("scan.finding", "opened", at)
        .text("prov.org", "222233334444")
        .text("prov.env", "dev")
        .text("kind", "iac")
        .text("rule", "iam-wildcard-action")
        .text("tool", "planwise")
        .text("sev", "high")
        .text("resource", "iam_role/bootstrap/admin")
        .flag("applied", true);
    w.send(event.fp());
}
