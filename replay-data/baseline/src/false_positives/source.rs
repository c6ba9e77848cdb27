//! Source code: bots with a bypass, roll-outs of templates, tags that float, texts about shells, planned joiners.

use super::{FalsePositive, known};
use crate::job::Plan;
use crate::org::known_sha256;
use crate::people::{RELEASES, TEMPLATES};
use crate::runners::Pool;
use crate::runs::cache;
use crate::time::{HOUR, MINUTE, SECOND};
use crate::world::World;
use crate::write::normal::Event;

pub(super) const TABLE: &[FalsePositive] = &[
    known("SRC-01", "bot-with-bypass", |w, at| template_push(w, at, 0)),
    known("SRC-02", "template-rollout", template_rollout),
    known("SRC-03", "label-gated", label_gated),
    known("SRC-04", "re-tag", |w, at| action_moved(w, at, "v2.3.1")),
    known("SRC-04", "floating-major", |w, at| action_moved(w, at, "v2")),
    known("SRC-05", "emergency-fix", emergency_fix),
    known("SRC-06", "floating-tag-job", floating_tag),
    known("SRC-07", "shell-docs", shell_docs),
    known("SRC-08", "licence-moved", licence_moved),
    known("SRC-09", "request-cache", request_cache),
    known("SRC-10", "joiner", joiner),
    known("SRC-12", "docs-only", docs_only),
    known("SRC-13", "break-glass", break_glass_merge),
];

/// The bot of templates, whose id is listed, changes a pipeline without a request.
fn template_push(w: &mut World, at: i64, nth: i64) {
    let repo = (at / SECOND + nth * 13) as usize % w.org.repos.len();
    let (old, new) = (w.life(repo).head.clone(), w.rng.commit());
    let event = w.main_push(repo, TEMPLATES, &old, &new, at + nth * 4 * MINUTE);
    w.send(event.texts("files", &[".github/workflows/ci.yml"]).text("message", "template update").fp());
    w.life(repo).head = new;
}

/// An announced roll-out to six repositories.
fn template_rollout(w: &mut World, at: i64) {
    w.announce("ci-templates", "platform", "template-rollout", at, HOUR);
    for nth in 0..6 {
        template_push(w, at + MINUTE, nth);
    }
}

fn label_gated(w: &mut World, at: i64) {
    let repo = w.some_library();
    let who = w.owner_of(repo);
    let by = w.actor(who).id;
    let commit = w.rng.commit();
    w.run(&Plan {
        workflow: "labelled.yml",
        trigger: "workflow_run",
        change: Some(91),
        from_fork: true,
        approved_by: Some(by),
        marked: true,
        ..Plan::new(repo, at, who, &commit)
    });
}

/// An action's reference means another commit, which its maintainers put there; the commit is reviewed and listed.
fn action_moved(w: &mut World, at: i64, reference: &str) {
    let repo = w.some_service();
    let job = w.build(repo, at, Pool::Hosted);
    let org = w.org.clone();
    let sha = known_sha256(&format!("setup-node-{reference}"));
    let event = Event::new("ci.job", "resolved", job.moment(10))
        .job(&org, &job)
        .texts("actions_used.uses", &["web/setup-action"])
        .texts("actions_used.ref", &[reference])
        .texts("actions_used.resolved_sha", &[sha.get(..40).unwrap_or("0")])
        .plain("actions_used.on_branch", &[true]);
    w.send(event.fp());
}

/// In an incident somebody with an approved emergency session lifts the protection, a fix is pushed, and the protection is
/// back.
fn emergency_fix(w: &mut World, at: i64) {
    let repo = w.org.find("pay/bookings");
    let incident = format!("inc-{}", at / HOUR);
    let event = Event::new("ops.response", "declare", at)
        .actor("u-4412", "responder", "human")
        .text("object_kind", "repository")
        .text("object", &w.org.repo(repo).full)
        .text("scope", "repo")
        .text("kind", "availability")
        .text("incident", &incident);
    w.send(event);
    let who = w.org.repo(repo).team * crate::people::TEAM_SIZE;
    for (action, at, marked) in [
        ("protected_branch.policy_override", at + 2 * MINUTE, true),
        ("protected_branch.create", at + 9 * MINUTE, false),
    ] {
        let record = w.setting(action, who, repo, at).text("branch", "main").text("incident", &incident);
        w.send_native("github-audit", "scm.admin", at, record, marked);
    }
    let (old, new) = (w.life(repo).head.clone(), w.rng.commit());
    let event = w.main_push(repo, who, &old, &new, at + 4 * MINUTE);
    let event = event.texts("files", &["src/lib.ts"]).text("pr", "4713").text("message", "fix of an incident");
    w.send(event.fp());
    w.life(repo).head = new;
}

/// The release bot moves a major tag, as listed.
fn floating_tag(w: &mut World, at: i64) {
    let repo = w.org.find("web/setup-action");
    let org = w.org.clone();
    let actor = w.actor(RELEASES);
    let (old, new) = (w.rng.commit(), w.rng.commit());
    let event = Event::new("scm.ref", "moved", at)
        .repo(&org, repo)
        .actor(&actor.id.to_string(), &actor.login, "bot")
        .text("prov.ref", "refs/tags/v2")
        .text("type", "tag")
        .text("name", "v2")
        .flag("forced", true)
        .text("old_sha", &old)
        .text("new_sha", &new);
    w.send(event.fp());
}

/// A guide about shells has shell in its titles; the repository is listed.
fn shell_docs(w: &mut World, at: i64) {
    let repo = w.org.find("infra/shell-guide");
    let who = w.owner_of(repo);
    let actor = w.actor(who);
    let org = w.org.clone();
    let event = Event::new("scm.change", "opened", at)
        .repo(&org, repo)
        .actor(&actor.id.to_string(), &actor.login, "human")
        .text("prov.change_id", &(at / MINUTE % 10_000).to_string())
        .text("title", "Why $(curl address) in a script is a bad habit")
        .text("branch", "docs/pipes")
        .text("author", &actor.login)
        .text("author_id", &actor.id.to_string());
    w.send(event.fp());
}

/// A licence goes to another repository; the old one is archived next.
fn licence_moved(w: &mut World, at: i64) {
    let repo = w.org.find("data/notebooks");
    let who = w.owner_of(repo);
    for (action, at, marked) in [
        ("repository_secret_scanning.disable", at, true),
        ("repo.archived", at + 30 * MINUTE, false),
        ("repo.unarchived", at + 6 * HOUR, false),
        ("repository_secret_scanning.enable", at + 6 * HOUR + MINUTE, false),
    ] {
        let record = w.setting(action, who, repo, at);
        w.send_native("github-audit", "scm.admin", at, record, marked);
    }
}

/// A request saves a cache and restores it; no other scope can.
fn request_cache(w: &mut World, at: i64) {
    let repo = w.some_library();
    let commit = w.rng.commit();
    let who = w.owner_of(repo);
    let org = w.org.clone();
    let entry = w.rng.hex(64);
    for (action, at) in [("saved", at), ("restored", at + 20 * MINUTE)] {
        let job = w.run(&Plan {
            trigger: "pull_request",
            git_ref: "refs/pull/93/merge".to_owned(),
            change: Some(93),
            from_fork: true,
            ..Plan::new(repo, at, who, &commit)
        });
        let event = cache(&job, &org, action, "deps-request-93", &entry, "untrusted", "untrusted", job.moment(900));
        w.send(event.fp());
    }
}

/// Somebody joins on the day that the personnel system announced.
fn joiner(w: &mut World, at: i64) {
    let repo = w.some_service();
    let team = w.team_of(repo);
    w.announce("joiner", team, "joiners", at, HOUR);
    let who = w.owner_of(repo);
    let actor = w.actor(who);
    let record = w
        .audit("org.add_member", &actor, w.org.repo(repo).owner, at)
        .text("user", &format!("joiner-{}", at / HOUR % 1_000))
        .text("permission", "read");
    w.send_native("github-audit", "scm.admin", at, record, true);
}

/// A reviewed change of documents only skips the checks.
fn docs_only(w: &mut World, at: i64) {
    let repo = w.some_service();
    let (old, new) = (w.life(repo).head.clone(), w.rng.commit());
    let who = w.owner_of(repo);
    let event = w.main_push(repo, who, &old, &new, at);
    let event = event.texts("files", &["README.md", "docs/guide.md"]).text("pr", "4714");
    w.send(event.text("message", "clearer guide [skip ci]").fp());
    w.life(repo).head = new;
}

/// Somebody with an approved emergency session merges alone.
fn break_glass_merge(w: &mut World, at: i64) {
    let repo = w.org.find("pay/bookings");
    let org = w.org.clone();
    let actor = w.actor(org.repo(repo).team * crate::people::TEAM_SIZE);
    let id = actor.id.to_string();
    let event = Event::new("scm.change", "merged", at)
        .repo(&org, repo)
        .actor(&id, &actor.login, "human")
        .text("prov.change_id", &(at / MINUTE % 10_000).to_string())
        .text("author", &actor.login)
        .text("author_id", &id)
        .texts("approvers", &[id.as_str()])
        .text("merged_by", &id)
        .int("prov.tier", 1);
    w.send(event.fp());
}
