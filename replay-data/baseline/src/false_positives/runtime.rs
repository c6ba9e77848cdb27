//! What runs: roll-outs that take minutes, mirrors, debug containers, agents that update themselves, nodes that go.

use super::{FalsePositive, known};
use crate::org::{AUTOSCALED, PROD, PROD_CLUSTERS, known_sha256};
use crate::time::{HOUR, MINUTE, SECOND};
use crate::world::World;
use crate::write::cloudtrail::{Call, Session};
use crate::write::json::Object;
use crate::write::normal::Event;

pub(super) const TABLE: &[FalsePositive] = &[
    known("RTI-01", "slow-rollout", slow_rollout),
    known("RTI-01", "mirror-digest", mirror_digest),
    known("RTI-02", "debug-container", debug_container),
    known("RTI-03", "agent-update", agent_update),
    known("RTI-04", "autoscaled-replicas", autoscaled_replicas),
    known("RTI-05", "declared-egress", declared_egress),
    known("RTI-06", "scale-in", scale_in),
    known("RTI-07", "new-release", new_release),
    known("RTI-08", "debugging", debugging),
];

/// Four minutes after a deployment the last instance still runs the digest before.
fn slow_rollout(w: &mut World, at: i64) {
    let (repo, digest) = w.calm_service(at);
    let Some(before) = w.life(repo).prod_before.clone() else { return };
    w.deploy_one(repo, "prod", PROD_CLUSTERS[0], &digest, "again", at);
    for (digest, later) in [(&before, 4 * MINUTE), (&digest, 6 * MINUTE)] {
        let event = w.seen(repo, "prod", PROD_CLUSTERS[0], digest, at + later);
        w.send(event.fp());
    }
}

/// A mirror packs an image anew; the map of mirrors says which digest it is.
fn mirror_digest(w: &mut World, at: i64) {
    let repo = w.org.find("infra/logs-api");
    let event = w.seen(repo, "prod", PROD_CLUSTERS[1], &format!("sha256:{}", known_sha256("mirror-of-logs-api")), at);
    w.send(event.fp());
}

/// A debug container brings its own tools: they are part of its own image.
fn debug_container(w: &mut World, at: i64) {
    let (repo, _) = w.calm_service(at);
    let name = w.org.repo(repo).name.clone();
    let event = Event::new("runtime.integrity", "exec", at)
        .place(&format!("{name}-debug"), "prod", PROD_CLUSTERS[0])
        .actor(&format!("arn:aws:iam::{PROD}:role/break-glass"), "break-glass", "human")
        .text("prov.digest", &format!("sha256:{}", known_sha256("debug-tools")))
        .text("exe", "/usr/bin/strace")
        .flag("exe_upper_layer", false);
    w.send(event.fp());
}

/// An agent has updated itself; the hash is one of its maker's releases.
fn agent_update(w: &mut World, at: i64) {
    let repo = w.some_service();
    let event = Event::new("runtime.integrity", "checked", at)
        .place(&w.org.repo(repo).name, "prod", PROD_CLUSTERS[0])
        .text("path", "/opt/apm/agent")
        .text("sha256", &known_sha256("apm-agent-2"))
        .text("expected_sha256", &known_sha256("apm-agent-1"))
        .flag("exe_upper_layer", false);
    w.send(event.fp());
}

/// The number of replicas is the autoscaler's affair and stays drifted.
fn autoscaled_replicas(w: &mut World, at: i64) {
    let name = AUTOSCALED[w.rng.index(AUTOSCALED.len())];
    for (class, action, at, marked) in
        [("runtime.config_drift", "drifted", at, true), ("runtime.reconciled", "reconciled", at + 3 * HOUR, false)]
    {
        let event = Event::new(class, action, at)
            .text("prov.env", "prod")
            .text("prov.cluster", PROD_CLUSTERS[0])
            .text("kind", "replicas")
            .text("resource", &format!("Deployment/{name}/{name}"));
        w.send(if marked { event.fp() } else { event });
    }
}

/// A new version calls a service that its manifest declares.
fn declared_egress(w: &mut World, at: i64) {
    let repo = w.org.find("pay/tax-api");
    let (digest, version) = match w.life(repo).prod.clone() {
        Some(prod) => prod,
        None => return,
    };
    let end = w.deploy_one(repo, "prod", PROD_CLUSTERS[0], &digest, &version, at);
    let event = w.egress(repo, "rates.taxoffice.example", "198.19.1.20", end + 5 * MINUTE);
    w.send(event.fp());
}

/// A node that helped for half an hour is taken away, and the cluster says so.
fn scale_in(w: &mut World, at: i64) {
    let node = format!("us1-s{}", at / HOUR % 1_000);
    for beat in 0..7 {
        let event = Event::new("runtime.heartbeat", "alive", at + beat * 5 * MINUTE)
            .text("prov.cluster", PROD_CLUSTERS[0])
            .text("node", &node);
        w.send(if beat == 6 { event.fp() } else { event });
    }
    let event = Event::new("identity.use", "delete", at + 33 * MINUTE)
        .actor("system:node-autoscaler", "node-autoscaler", "service")
        .text("prov.cluster", PROD_CLUSTERS[0])
        .text("object_kind", "nodes")
        .text("object", &node);
    w.send(event.fp());
}

/// A new version makes a call that its role never made, minutes after it came.
fn new_release(w: &mut World, at: i64) {
    let (repo, digest) = w.calm_service(at);
    let version = w.life(repo).prod.clone().map_or_else(String::new, |prod| prod.1);
    let end = w.deploy_one(repo, "prod", PROD_CLUSTERS[0], &digest, &version, at);
    let session = w.workload(repo, end + 4 * MINUTE);
    let request = Object::new().text("queueName", "outbox");
    w.trail("identity.use", &session, Call::new("sqs", "CreateQueue", false, request), end + 4 * MINUTE, true);
}

/// Somebody looks into a container with an approved session.
fn debugging(w: &mut World, at: i64) {
    let repo = w.some_service();
    let session = Session::hourly(&format!("arn:aws:iam::{PROD}:role/break-glass"), at, "192.0.2.23");
    let request = Object::new()
        .text("cluster", PROD_CLUSTERS[0])
        .text("task", &w.org.repo(repo).name)
        .text("command", "/bin/sh")
        .flag("interactive", true);
    w.trail("identity.use", &session, Call::new("ecs", "ExecuteCommand", false, request), at + SECOND, true);
}
