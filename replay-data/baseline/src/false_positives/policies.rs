//! Policies: logs that lag, exceptions that are granted, roll-outs in stages, teams that have a bad day.

use super::{FalsePositive, known};
use crate::org::{PROD_CLUSTERS, STAGING_CLUSTER};
use crate::time::{HOUR, MINUTE, SECOND};
use crate::world::World;
use crate::write::normal::Event;

pub(super) const TABLE: &[FalsePositive] = &[
    known("POL-01", "log-lag", log_lag),
    known("POL-02", "exception-granted", exception_granted),
    known("POL-03", "staged-rollout", staged_rollout),
    known("POL-04", "real-incident", real_incident),
    known("POL-05", "no-gated-namespace", no_gated_namespace),
    known("POL-06", "bad-release-train", bad_release_train),
    known("POL-07", "tuning", tuning),
    known("POL-09", "cold-start", cold_start),
];

/// A service's digest goes to production once more; the caller has said the decision.
fn again(w: &mut World, repo: usize, digest: &str, at: i64) {
    let cluster = PROD_CLUSTERS[0];
    w.verified(repo, "prod", cluster, digest, at, false);
    let event = w.delivery("deploy.started", repo, "prod", cluster, digest, at + 5 * SECOND);
    w.send(event.fp());
    let event = w.delivery("deploy.finished", repo, "prod", cluster, digest, at + 80 * SECOND);
    w.send(event.fp());
}

/// The decision was made in time; the engine's log brings it a minute and a half later.
fn log_lag(w: &mut World, at: i64) {
    let (repo, digest) = w.calm_service(at);
    let event = w.decision(repo, "prod", PROD_CLUSTERS[0], &digest, at);
    w.held_up = 75 * SECOND;
    w.send(event.text("result", "allow"));
    w.held_up = 0;
    again(w, repo, &digest, at + SECOND);
}

/// Refused at first, allowed with a granted exception, then deployed.
fn exception_granted(w: &mut World, at: i64) {
    let (repo, digest) = w.calm_service(at);
    let event = w.decision(repo, "prod", PROD_CLUSTERS[0], &digest, at);
    w.send(event.text("result", "deny").text("reason", "image is too old").outcome("denied"));
    let event = w.decision(repo, "prod", PROD_CLUSTERS[0], &digest, at + 25 * MINUTE);
    w.send(event.text("result", "allow").text("reason", "exception until the end of the month"));
    again(w, repo, &digest, at + 26 * MINUTE);
}

/// A new policy looks on in staging for an hour, then enforces.
fn staged_rollout(w: &mut World, at: i64) {
    let rule = format!("no-root-{}", at / HOUR % 1_000);
    for (action, mode, at) in [("created", "audit", at), ("updated", "enforce", at + HOUR)] {
        let event = Event::new("policy.change", action, at)
            .actor("policy-pipeline", "policy-pipeline", "service")
            .text("prov.env", "staging")
            .text("prov.cluster", STAGING_CLUSTER)
            .text("rule", &rule)
            .text("mode", mode)
            .text("failure_policy", "Fail");
        w.send(if mode == "audit" { event.fp() } else { event });
    }
}

/// A real incident: declared first, then a deployment past the door. This one is meant to be seen.
fn real_incident(w: &mut World, at: i64) {
    let (repo, digest) = w.calm_service(at);
    let name = w.org.repo(repo).name.clone();
    let event = Event::new("ops.response", "declare", at)
        .actor("u-4412", "responder", "human")
        .text("object_kind", "service")
        .text("object", &name)
        .text("scope", "service")
        .text("kind", "availability")
        .text("incident", &format!("inc-{}", at / HOUR));
    w.send(event);
    w.verified(repo, "prod", PROD_CLUSTERS[0], &digest, at + 4 * MINUTE, false);
    let event = w.decision(repo, "prod", PROD_CLUSTERS[0], &digest, at + 4 * MINUTE);
    w.send(event.text("result", "allow"));
    let event = w.delivery("deploy.started", repo, "prod", PROD_CLUSTERS[0], &digest, at + 5 * MINUTE);
    w.send(event.flag("break_glass", true).fp());
    let event = w.delivery("deploy.finished", repo, "prod", PROD_CLUSTERS[0], &digest, at + 7 * MINUTE);
    w.send(event);
}

/// A cluster that has no door has deployments and no decisions; it is listed.
fn no_gated_namespace(w: &mut World, at: i64) {
    let repo = w.some_service();
    let digest = w.rng.digest();
    for (class, at) in [("deploy.started", at), ("deploy.finished", at + MINUTE)] {
        let event = w.delivery(class, repo, "dev", "lab1", &digest, at);
        w.send(event.fp());
    }
}

/// After a change of policy one team, and only one, is refused.
fn bad_release_train(w: &mut World, at: i64) {
    let event = Event::new("policy.change", "updated", at)
        .actor("policy-pipeline", "policy-pipeline", "service")
        .text("prov.env", "staging")
        .text("rule", "release-door")
        .text("mode", "enforce");
    w.send(event);
    let (repo, _) = w.calm_service(at);
    for nth in 0..3 {
        let digest = w.rng.digest();
        let event = w.decision(repo, "staging", STAGING_CLUSTER, &digest, at + (5 + nth * 9) * MINUTE);
        w.send(event.text("result", "deny").text("reason", "no tests").outcome("denied").fp());
    }
}

/// A policy that is being tuned would have refused twice; it only looks on.
fn tuning(w: &mut World, at: i64) {
    for nth in 0..2 {
        let repo = w.some_service();
        let digest = w.rng.digest();
        let event = Event::new("policy.decision", "decided", at + nth * 11 * MINUTE)
            .place(&w.org.repo(repo).name, "staging", STAGING_CLUSTER)
            .text("prov.digest", &digest)
            .text("rule", "no-root")
            .text("result", "allow")
            .text("reason", "would be refused")
            .text("mode", "audit")
            .int("eval_ms", 30);
        w.send(event.fp());
    }
}

/// The engine has just started: three decisions take long.
fn cold_start(w: &mut World, at: i64) {
    for nth in 0..3 {
        let repo = w.some_service();
        let digest = w.rng.digest();
        let event = Event::new("policy.decision", "decided", at + nth * 4 * SECOND)
            .place(&w.org.repo(repo).name, "dev", "dev1")
            .text("prov.digest", &digest)
            .text("rule", "release-door")
            .text("result", "allow")
            .text("mode", "enforce")
            .int("eval_ms", 2_600 - nth * 200);
        w.send(event.fp());
    }
}
