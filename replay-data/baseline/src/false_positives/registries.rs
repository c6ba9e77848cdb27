//! The registry's housekeeping: tags set again, moves, clean-ups, clients that try again and again.

use super::artifacts::made;
use super::{FalsePositive, known};
use crate::org::TOOLING;
use crate::time::{DAY, HOUR, MINUTE, SECOND};
use crate::world::World;
use crate::write::normal::Event;

pub(super) const TABLE: &[FalsePositive] = &[
    known("REG-01", "re-tag", |w, at| tagged_again(w, at, false)),
    known("REG-01", "multi-arch", |w, at| tagged_again(w, at, true)),
    known("REG-02", "registry-migration", registry_migration),
    known("REG-03", "new-repository", new_registry_repository),
    known("REG-04", "one-noisy-client", noisy_client),
    known("REG-05", "retention", retention),
    known("REG-06", "break-glass", break_glass_push),
    known("REG-08", "token-refresh", token_refresh),
];

/// A tag is set to the digest it has; or the images of an index get tags of their own in one run.
fn tagged_again(w: &mut World, at: i64, arches: bool) {
    let (made, session) = made(w, at);
    let tags = if arches { vec![format!("{}-arm64", made.version)] } else { vec![made.version.clone()] };
    for tag in tags {
        let event =
            w.push_event("registry.push", &made.job, &made.digest, &made.version, &session, made.pushed + 30 * SECOND);
        w.send(event.text("tag", &tag).text("prev_digest", &made.digest).fp());
    }
}

/// The registry moves, as announced: tags of six repositories are set anew to the digests they have.
fn registry_migration(w: &mut World, at: i64) {
    w.announce("registry", "platform", "registry-migration", at, HOUR);
    let org = w.org.clone();
    let mut moved = 0;
    for repo in org.services.iter().skip((at / DAY) as usize % 40) {
        let Some((digest, version)) = w.life(*repo).prod.clone() else { continue };
        let event = Event::new("registry.push", "push", at + 5 * MINUTE + moved * 50 * SECOND)
            .actor(&format!("arn:aws:iam::{TOOLING}:role/registry-migration"), "registry-migration", "service")
            .text("repo", &org.repo(*repo).full)
            .text("tag", &version)
            .text("prov.digest", &digest)
            .text("prev_digest", &digest)
            .text("channel", "candidate");
        w.send(event.fp());
        moved += 1;
        if moved == 6 {
            break;
        }
    }
}

/// A repository is set up and its guards follow.
fn new_registry_repository(w: &mut World, at: i64) {
    let event = Event::new("registry.acl", "CreateRepository", at)
        .actor(&format!("arn:aws:iam::{TOOLING}:role/registry-admin"), "registry-admin", "service")
        .text("repo", &format!("shop/trial-{}", at / HOUR % 1_000))
        .text("op", "CreateRepository")
        .flag("immutable", false);
    w.send(event.fp());
}

/// One client asks for what is not there, again and again.
fn noisy_client(w: &mut World, at: i64) {
    for nth in 0..30 {
        let event = Event::new("registry.request", "request", at + nth * 3 * SECOND)
            .actor("client-noisy", "client", "service")
            .text("prov.region", crate::org::REGION)
            .text("repo", "shop/web")
            .int("status", 503)
            .int("latency", 9_000)
            .outcome("error");
        w.send(event.fp());
    }
}

/// The listed clean-up deletes many, signatures among them.
fn retention(w: &mut World, at: i64) {
    for nth in 0..14 {
        let repo = w.some_service();
        let event = w.clean_up(repo, at + nth * 30 * SECOND);
        w.send(if nth % 7 == 6 { event.text("tag", "sha256-0.sig").fp() } else { event.fp() });
    }
}

/// A release by an approved emergency identity that may publish.
fn break_glass_push(w: &mut World, at: i64) {
    let (made, _) = made(w, at);
    let facts = w.org.repo(made.job.repo).clone();
    let event = Event::new("registry.push", "push", made.job.finished + 5 * MINUTE)
        .actor(&format!("arn:aws:iam::{TOOLING}:role/break-glass-publisher"), "break-glass-publisher", "human")
        .text("repo", &facts.full)
        .text("tag", &format!("{}-hotfix", made.version))
        .text("prov.digest", &made.digest)
        .text("prov.artifact", &facts.artifact())
        .text("channel", "release")
        .text("src.ip", "192.0.2.22");
    w.send(event.fp());
}

/// A job's registry token ends while it pushes: refused six times, renewed, done; the same job all the time.
fn token_refresh(w: &mut World, at: i64) {
    let (made, session) = made(w, at);
    for nth in 0..7 {
        let when = made.pushed + (10 + nth * 6) * SECOND;
        let event = w.push_event("registry.push", &made.job, &made.digest, &made.version, &session, when);
        let event = event.text("tag", &format!("{}-layers", made.version));
        w.send(if nth < 6 { event.outcome("denied").fp() } else { event.fp() });
    }
}
