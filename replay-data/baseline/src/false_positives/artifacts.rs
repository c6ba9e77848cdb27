//! Artifacts: what a build makes, signs and publishes that a strict eye does not expect.

use super::{FalsePositive, known};
use crate::job::{Plan, Release};
use crate::org::{BUILDER, TOOLING, publisher, release_secrets, signer_uri, signing_key};
use crate::runners::Pool;
use crate::time::{DAY, HOUR, MINUTE, SECOND};
use crate::world::World;
use crate::write::cloudtrail::{Call, Session};
use crate::write::json::Object;
use crate::write::normal::Event;

pub(super) const TABLE: &[FalsePositive] = &[
    known("PRV-01", "multi-arch", multi_arch),
    known("PRV-02", "re-run", re_run),
    known("PRV-03", "hotfix-branch", hotfix),
    known("PRV-04", "emergency-publish", emergency_publish),
    known("PRV-05", "own-release-script", own_release_script),
    known("PRV-06", "slow-log", slow_log),
    known("PRV-07", "legacy-pipeline", legacy_pipeline),
    known("PRV-08", "unstable-list", unstable_list),
    known("PRV-09", "version-never-resolved", version_never_resolved),
    known("PRV-10", "key-rotation", key_rotation),
    known("PRV-11", "batch-signer", batch_signer),
    known("PRV-12", "unwatched-run", unwatched_run),
    known("PRV-14", "migration", migration),
    known("PRV-15", "not-deterministic", not_deterministic),
    known("PRV-16", "planned-rotation", planned_rotation),
];

/// The session with which a release pushes.
fn session(w: &mut World, made: &Release) -> Session {
    let role = publisher(w.team_of(made.job.repo));
    let mut session = Session::hourly(&role, made.job.started, &made.job.runner.ip);
    session.key = made.key.clone();
    session
}

/// A calm service's release that is not deployed.
pub(super) fn made(w: &mut World, at: i64) -> (Release, Session) {
    let (repo, _) = w.calm_service(at);
    let made = w.lone_release(repo, at);
    let session = session(w, &made);
    (made, session)
}

/// Two images of one index: a build names all three digests.
fn multi_arch(w: &mut World, at: i64) {
    let (made, session) = made(w, at);
    let org = w.org.clone();
    let children = [w.rng.digest(), w.rng.digest()];
    let outputs = [made.digest.clone(), children[0].clone(), children[1].clone()];
    let event = Event::new("build.finished", "finished", made.job.moment(510))
        .job(&org, &made.job)
        .text("prov.artifact", &org.repo(made.job.repo).artifact())
        .text("prov.digest", &made.digest)
        .texts("outputs", &outputs)
        .text("builder", BUILDER)
        .text("channel", "release")
        .text("result", "success");
    w.send(event);
    for (digest, arch) in children.iter().zip(["amd64", "arm64"]) {
        let event = w.push_event("registry.push", &made.job, digest, &made.version, &session, made.pushed - 5 * SECOND);
        w.send(event.text("tag", &format!("{}-{arch}", made.version)).fp());
        let event = Event::new("sbom.generated", "generated", made.job.moment(525))
            .job(&org, &made.job)
            .text("prov.artifact", &org.repo(made.job.repo).artifact())
            .text("prov.digest", digest)
            .text("format", "cyclonedx")
            .texts("components.purl", &w.life(made.job.repo).components.clone());
        w.send(event);
        let team = w.team_of(made.job.repo);
        w.signed(&made.job, digest, team, &session);
        w.scan(made.job.repo, &made.job.commit, Some(digest), "full", "depscan", made.pushed + MINUTE, Some(&made.job));
    }
}

/// A run fails, the second attempt makes the release: its statement names the attempt.
fn re_run(w: &mut World, at: i64) {
    let repo = w.some_library();
    let team = w.team_of(repo);
    w.life(repo).busy_until = at + HOUR;
    let plan = Plan {
        workflow: "release.yml",
        name: "release",
        env: Some("release"),
        conclusion: "failure",
        secrets: release_secrets(team).to_vec(),
        ..w.build_plan(repo, at, Pool::Release)
    };
    let first = w.run(&plan);
    let again = Plan { attempt: 2, conclusion: "success", at: first.finished + MINUTE, ..plan };
    let mut job = w.run(&again);
    job.attempt = 2;
    let session = w.exchange(&job, team);
    let digest = w.rng.digest();
    let org = w.org.clone();
    let event = Event::new("build.finished", "finished", job.moment(500))
        .job(&org, &job)
        .text("prov.artifact", &org.repo(repo).artifact())
        .text("prov.digest", &digest)
        .texts("outputs", &[digest.as_str()])
        .text("builder", BUILDER)
        .text("channel", "candidate");
    w.send(event.fp());
    w.signed(&job, &digest, team, &session);
}

fn hotfix(w: &mut World, at: i64) {
    let repo = w.some_library();
    w.life(repo).busy_until = at + HOUR;
    let who = w.owner_of(repo);
    let made = w.release(repo, who, at, Some("timeouts"));
    let org = w.org.clone();
    let event = Event::new("build.finished", "verified", made.job.moment(505))
        .job(&org, &made.job)
        .text("prov.artifact", &org.repo(repo).artifact())
        .text("prov.digest", &made.digest)
        .texts("outputs", &[made.digest.as_str()])
        .text("builder", BUILDER)
        .text("channel", "release");
    w.send(event.fp());
}

/// A person publishes in an emergency, announced and with an approved identity.
fn emergency_publish(w: &mut World, at: i64) {
    let repo = w.some_library();
    let team = w.team_of(repo);
    let facts = w.org.repo(repo).clone();
    w.announce(&facts.full, team, "emergency-publish", at, HOUR);
    let digest = w.rng.digest();
    let event = Event::new("registry.publish", "publish", at + 10 * MINUTE)
        .actor(&format!("arn:aws:iam::{TOOLING}:role/break-glass-publisher"), "break-glass-publisher", "human")
        .text("prov.artifact", &facts.artifact())
        .text("prov.version", "9.9.9-fix.1")
        .text("prov.digest", &digest)
        .text("repo", &facts.full)
        .text("channel", "candidate")
        .text("src.ip", "192.0.2.22")
        .flag("install_script", false);
    w.send(event.fp());
}

/// A script of the team's own publishes in a step called ship, as its step map says.
fn own_release_script(w: &mut World, at: i64) {
    let repo = w.org.find("mobile/deeplink-lib");
    w.life(repo).busy_until = at + HOUR;
    let made = w.lone_release(repo, at);
    let session = session(w, &made);
    let ship = w.step(&made.job, "ship", "in_progress", 600);
    w.send(ship);
    let event =
        w.push_event("registry.publish", &made.job, &made.digest, &made.version, &session, made.job.moment(650));
    w.send(event.text("repo_alias", "next").flag("install_script", false).fp());
    let ship = w.step(&made.job, "ship", "completed", 700);
    w.send(ship);
}

/// The log is slow: the statement comes eleven minutes after the build.
fn slow_log(w: &mut World, at: i64) {
    let repo = w.some_library();
    let job = w.build(repo, at, Pool::Burst);
    let org = w.org.clone();
    let digest = w.rng.digest();
    let facts = org.repo(repo);
    let base = |class: &'static str, action: &str, at: i64| {
        Event::new(class, action, at)
            .job(&org, &job)
            .text("prov.artifact", &facts.artifact())
            .text("prov.digest", &digest)
            .text("builder", BUILDER)
    };
    let built = job.moment(600);
    w.send(base("build.finished", "finished", built).texts("outputs", &[digest.as_str()]).text("channel", "candidate"));
    let uri = signer_uri(facts);
    let event = base("sign.attestation", "attested", built + 11 * MINUTE)
        .text("issuer", "https://token.actions.githubusercontent.com")
        .text("san", &uri)
        .text("signer_uri", &uri)
        .text("runner_env", "self-hosted")
        .text("source_repo", &format!("https://github.com/{}", facts.full))
        .text("predicate_type", "https://slsa.dev/provenance/v1");
    w.send(event.fp());
    w.send(base("sbom.generated", "generated", built + MINUTE).texts("components.purl", &[] as &[&str]));
}

/// An old pipeline makes no list of components; its artifact has an exception with a date.
fn legacy_pipeline(w: &mut World, at: i64) {
    let repo = w.org.find("data/lake-worker");
    let job = w.build(repo, at, Pool::Shared);
    let org = w.org.clone();
    let digest = w.rng.digest();
    let event = Event::new("build.finished", "finished", job.moment(900))
        .job(&org, &job)
        .text("prov.artifact", "pkg:oci/lake-legacy")
        .text("prov.digest", &digest)
        .texts("outputs", &[digest.as_str()])
        .text("builder", BUILDER)
        .text("channel", "candidate");
    w.send(event.fp());
}

/// The list of one digest is made a second time: the same components in another order, one named twice.
fn unstable_list(w: &mut World, at: i64) {
    let (made, _) = made(w, at);
    let org = w.org.clone();
    let mut components = w.life(made.job.repo).components.clone();
    components.reverse();
    if let Some(twice) = components.first().cloned() {
        components.push(twice);
    }
    let ages = vec![4_000; components.len()];
    let event = Event::new("sbom.generated", "generated", made.job.moment(530))
        .job(&org, &made.job)
        .text("prov.artifact", &org.repo(made.job.repo).artifact())
        .text("prov.digest", &made.digest)
        .text("format", "spdx")
        .texts("components.purl", &components)
        .plain("components.age_h", &ages);
    w.send(event.fp());
}

/// A version that nobody here resolved is named as bad.
fn version_never_resolved(w: &mut World, at: i64) {
    let event = Event::new("threat.intel", "malicious", at)
        .text("purl", "pkg:npm/lodash-es")
        .texts("versions", &["99.0.1"])
        .text("source", "open-malware-feed")
        .int("valid_from", at - DAY);
    w.send(event.fp());
}

/// After an announced rotation a release is signed with the key that was put on the list first.
fn key_rotation(w: &mut World, at: i64) {
    let repo = w.some_library();
    let team = w.team_of(repo);
    w.announce("signing-keys", team, "key-rotation", at, 4 * HOUR);
    let made = w.lone_release(repo, at);
    let org = w.org.clone();
    let facts = org.repo(repo);
    let uri = signer_uri(facts);
    let event = Event::new("sign.signature", "signed", made.job.moment(600))
        .job(&org, &made.job)
        .text("prov.artifact", &facts.artifact())
        .text("prov.digest", &made.digest)
        .text("issuer", "https://token.actions.githubusercontent.com")
        .text("san", &uri)
        .text("signer_uri", &uri)
        .text("runner_env", "self-hosted")
        .text("source_repo", &format!("https://github.com/{}", facts.full))
        .text("key", &signing_key(&format!("{team}-next")));
    w.send(event.fp());
}

/// The signing service works through a queue outside release jobs; its role is a signer of the key.
fn batch_signer(w: &mut World, at: i64) {
    let key = signing_key(w.org.teams[(at / DAY) as usize % w.org.teams.len()]);
    let signer = Session::hourly(&format!("arn:aws:iam::{TOOLING}:role/batch-signer"), at, "203.0.113.86");
    for nth in 0..5 {
        let request = Object::new().text("keyId", &key).text("signingAlgorithm", "ECDSA_SHA_256");
        let call = Call { resource: Some(key.clone()), ..Call::new("kms", "Sign", true, request) };
        w.trail("kms.sign", &signer, call, at + nth * SECOND, true);
    }
}

/// An entry of ours from an organisation whose runs nobody watches yet; it is on the list of such.
fn unwatched_run(w: &mut World, at: i64) {
    let digest = w.rng.digest();
    let uri = "https://github.com/harbourline-labs/probe/.github/workflows/release.yml@refs/heads/main";
    let event = Event::new("rekor.entry", "logged", at)
        .text("prov.digest", &digest)
        .text("issuer", "https://token.actions.githubusercontent.com")
        .text("san", uri)
        .text("signer_uri", uri)
        .text("source_repo", "https://github.com/harbourline-labs/probe")
        .text("run_uri", &format!("https://github.com/harbourline-labs/probe/actions/runs/{}", at / SECOND));
    w.send(event.fp());
}

/// An announced move to another workflow.
fn migration(w: &mut World, at: i64) {
    let repo = w.some_library();
    let team = w.team_of(repo);
    w.announce("release-v2", team, "release-v2", at, 4 * HOUR);
    let plan = Plan { workflow: "release-v2.yml", name: "release", ..w.build_plan(repo, at, Pool::Burst) };
    let job = w.run(&plan);
    let org = w.org.clone();
    let digest = w.rng.digest();
    let event = Event::new("build.finished", "finished", job.moment(700))
        .job(&org, &job)
        .text("prov.artifact", &org.repo(repo).artifact())
        .text("prov.digest", &digest)
        .texts("outputs", &[digest.as_str()])
        .text("builder", BUILDER)
        .text("channel", "candidate");
    w.send(event.fp());
}

/// A rebuild differs, of a build that does not claim to be deterministic.
fn not_deterministic(w: &mut World, at: i64) {
    let (made, _) = made(w, at);
    let org = w.org.clone();
    let other = w.rng.digest();
    let event = Event::new("verify.rebuild", "compared", made.job.finished + 40 * MINUTE)
        .job(&org, &made.job)
        .text("prov.digest", &made.digest)
        .text("rebuilt_digest", &other)
        .text("channel", "release")
        .flag("deterministic", false)
        .flag("ok", false);
    w.send(event.fp());
}

/// A key is made for an announced rotation.
fn planned_rotation(w: &mut World, at: i64) {
    w.announce("signing-keys", "platform", "key-rotation", at, 4 * HOUR);
    let owner = Session::hourly(&format!("arn:aws:iam::{TOOLING}:role/key-owner"), at, "192.0.2.21");
    let key = signing_key(&format!("new-{at}"));
    let request = Object::new().text("keySpec", "ECC_NIST_P256").text("keyUsage", "SIGN_VERIFY");
    let call = Call { resource: Some(key), ..Call::new("kms", "CreateKey", false, request) };
    w.trail("kms.admin", &owner, call, at, true);
}
