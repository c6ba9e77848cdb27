//! GitHub's webhooks.

use std::sync::Arc;

use ingest::format::{FORMATS, Wanted, by_name};
use ingest::{Decoder, Read, Scratch, decode_one};
use model::Event;
use serde_json::{Value, json};

use super::{Expected, check_all, folder};

#[rustfmt::skip]
const EXPECTED: &[Expected] = &[
    Expected("branch_protection_rule.deleted.json", 0, "scm.admin", "protected_branch.destroy", "success", &[
        "object_kind=protected_branch", "object=production", "prov.ref=refs/heads/production", "scope=repo",
        "prov.repo=github.com/octo-org/octo-repo", "prov.repo_id=17273051", "prov.org=6811672",
        "prov.actor_id=21031067", "prov.actor=Codertocat", "prov.actor_kind=human", "repo_private=true"]),
    Expected("branch_protection_rule.edited.json", 0, "scm.admin", "protected_branch.update", "success", &[
        "object=production", "prov.ref=refs/heads/production"]),
    Expected("check_run.completed.json", 0, "ci.job", "finished", "success", &[
        "prov.job_id=128620228", "prov.run_id=suite:118578147", "job_name=Octocoders-linter", "result=success",
        "prov.commit=ec26c3e57ca3a959ca5aad62de7213c562f8c821", "prov.ref=changes", "prov.change_id=2", "duration=0",
        "prov.repo=github.com/codertocat/hello-world", "prov.repo_id=186853002", "prov.org=21031067"]),
    Expected("code_scanning_alert.closed-by-user.json", 0, "scan.finding", "dismissed", "success", &[
        "tool=Anchore Container Vulnerability Report (T0)", "dismissed=true", "sev=", "prov.ref=refs/heads/master",
        "rule=ANCHOREVULN_CVE-2020-27218_java-archive_http2-hpack_9.4.27.v20200227",
        "prov.commit=b30b5f3b935825766a22ab1bce14788bf9627f6c", "prov.org=38940897", "prov.repo_id=337911632"]),
    Expected("create.json", 0, "scm.ref", "created", "success", &[
        "type=tag", "name=simple-tag", "prov.ref=refs/tags/simple-tag", "prov.repo_id=186853002", "forced=",
        "prov.actor_id=21031067"]),
    Expected("delete.json", 0, "scm.ref", "deleted", "success", &[
        "type=tag", "name=simple-tag", "prov.ref=refs/tags/simple-tag", "prov.repo=github.com/codertocat/hello-world"]),
    Expected("deploy_key.created.json", 0, "scm.admin", "public_key.create", "success", &[
        "object_kind=public_key", "object=100", "subject=100", "key_id=100", "permission=read", "scope=repo",
        "prov.repo_id=135493233", "prov.org=21031067"]),
    Expected("deployment.json", 0, "deploy.started", "created", "success", &[
        "prov.env=prod", "prov.commit=f95f852bd8fca8fcc58a9a2d6c842781e32a215e", "prov.ref=master", "op=deploy",
        "prov.run_id=", "prov.workflow=", "prov.trigger=", "prov.repo_id=186853002", "prov.actor_id=21031067"]),
    Expected("deployment_status.json", 0, "deploy.finished", "finished", "success", &[
        "prov.env=prod", "prov.commit=f95f852bd8fca8fcc58a9a2d6c842781e32a215e", "prov.ref=master",
        "prov.repo=github.com/codertocat/hello-world"]),
    Expected("installation.created.json", 0, "scm.admin", "integration_installation.create", "success", &[
        "object_kind=integration_installation", "prov.org=21031067", "subject=29310", "scope=user", "prov.repo="]),
    Expected("member.added.json", 0, "scm.admin", "repo.add_member", "success", &[
        "object_kind=member", "subject=hacktocat", "object=Codertocat/Hello-World", "scope=repo",
        "prov.actor_id=39652351", "prov.repo_id=186853002"]),
    Expected("meta.deleted.json", 0, "scm.admin", "hook.destroy", "success", &[
        "object_kind=hook", "object=101047067", "prov.repo_id=135493233"]),
    Expected("package.published.npm.json", 0, "registry.publish", "published", "success", &[
        "repo=codertocat/hello-world-npm", "prov.version=1.0.0", "prov.repo_id=185882436",
        "prov.digest=sha256:ba703915435b6ca2ca666b5d8332db34bf9dc37a198ed70d3a5fa5d08b8415c8",
        "prov.commit=6c62fb45fe66bfb1ea9a66abc38f6a0cc974292b", "prov.actor_id=21031067"]),
    Expected("pull_request.opened.json", 0, "scm.change", "opened", "success", &[
        "prov.change_id=2", "from_fork=false", "branch=changes", "prov.ref=refs/heads/master", "author=Codertocat",
        "author_id=21031067", "author_assoc=OWNER", "merged_by=", "title=Update the README with new information.",
        "prov.commit=ec26c3e57ca3a959ca5aad62de7213c562f8c821", "prov.repo_id=186853002"]),
    Expected("push.json", 0, "scm.ref", "deleted", "success", &[
        "type=tag", "name=simple-tag", "prov.ref=refs/tags/simple-tag", "forced=false", "new_sha=", "prov.commit=",
        "old_sha=6113728f27ae82c7b1a177c8d03f9e96e0adf246", "prov.repo_id=186853002", "prov.actor_id=21031067"]),
    Expected("push.with-installation.json", 0, "scm.ref", "deleted", "success", &["name=simple-tag"]),
    Expected("registry_package.published.docker.json", 0, "registry.push", "published", "success", &[
        "repo=codertocat/hello-world-npm", "tag=", "prov.version=", "prov.actor_kind=bot", "prov.actor_id=41898282",
        "prov.digest=sha256:3da1996a8115d7616457760d9920b815241d0a03b34cf5f04e9a0e9d8de37498", "prov.org=38302899",
        "prov.commit=", "prov.repo_id=185882436"]),
    Expected("release.published.json", 0, "registry.publish", "published", "success", &[
        "repo=codertocat/hello-world", "prov.version=0.0.1", "prov.ref=refs/tags/0.0.1", "prov.repo_id=186853002"]),
    Expected("repository.publicized.json", 0, "scm.admin", "repo.access", "success", &[
        "object_kind=repo", "new=public", "object=Codertocat/Hello-World", "repo_private=false", "scope=repo"]),
    Expected("repository_dispatch.json", 0, "ci.run", "dispatched", "success", &[
        "prov.trigger=repository_dispatch", "prov.ref=master", "prov.run_id=", "prov.org=6811672"]),
    Expected("secret_scanning_alert.reopened.json", 0, "secret.finding", "reopened", "success", &[
        "fp=github.com/codertocat/hello-world#191", "kind=adafruit_io_key", "object=191", "verified=", "reason=",
        "prov.repo_id=257423561", "prov.org=30846345", "prov.actor_id=10136561"]),
    Expected("workflow_dispatch.json", 0, "ci.run", "dispatched", "success", &[
        "prov.trigger=workflow_dispatch", "prov.ref=refs/heads/master", "prov.repo_id=17273051",
        "prov.workflow=octo-org/octo-repo/.github/workflows/hello-world-workflow.yml"]),
    Expected("workflow_job.completed.failure.with-organization.json", 0, "ci.job", "finished", "failure", &[
        "prov.job_id=289782451", "prov.run_id=2202229078", "prov.attempt=1", "prov.runner_id=5", "result=failure",
        "prov.runner_name=GitHub Actions 5", "prov.runner_pool=GitHub Actions", "prov.runner_kind=hosted",
        "labels=ubuntu-latest", "job_name=linters", "duration=198000", "prov.ref=main", "prov.org=38302899",
        "prov.commit=3484a3fb816e0859fd6e1cea078d76385ff50625", "prov.repo_id=186853002", "prov.workflow="]),
    Expected("workflow_job.in_progress.json", 0, "ci.job", "started", "success", &[
        "prov.job_id=289782451", "step.name=Set up job", "step.state=in_progress", "duration=", "result="]),
    Expected("workflow_job.queued.json", 0, "ci.job", "queued", "success", &["prov.run_id=2202229078", "job_name=update"]),
    Expected("workflow_job.waiting.json", 0, "ci.job", "waiting", "success", &[
        "prov.runner_id=", "prov.runner_kind=self_hosted", r#"labels=["self-hosted","k8s"]"#,
        "prov.run_id=4747967848", "prov.repo=github.com/lineville/elastic-machines-testing"]),
    Expected("workflow_run.completed.json", 0, "ci.run", "finished", "success", &[
        "prov.run_id=289782451", "prov.attempt=1", "prov.trigger=repository_dispatch", "from_fork=false", "result=success",
        "prov.workflow=octo-org/octo-repo/.github/workflows/test.yml", "prov.ref=master", "duration=0",
        "prov.commit=3484a3fb816e0859fd6e1cea078d76385ff50625", "system_outcome=ok", "prov.repo_id=300029405",
        "prov.org=41548062", "prov.actor_id=15669918"]),
    Expected("workflow_run.requested.json", 0, "ci.run", "requested", "success", &[
        "prov.run_id=289782451", "result=", "duration=", "system_outcome=", "prov.trigger=repository_dispatch"]),
];

#[test]
fn github_webhook() {
    check_all(
        "github-webhook",
        "github-webhook",
        EXPECTED,
        &[("check_suite.completed.1.json", "GitHub's own CI says it by `workflow_run`", None)],
    );
}

/// The event of a body that is sent by Ada about the repository `Shop/Cart`; None: filtered.
fn event(changes: &Value) -> Option<Event> {
    let mut body = json!({
        "repository": {"id": 5, "full_name": "Shop/Cart", "html_url": "https://git.shop.example/Shop/Cart",
            "default_branch": "main", "private": true, "pushed_at": 1_772_359_200, "updated_at": "2026-02-01T00:00:00Z"},
        "sender": {"id": 7, "login": "ada", "type": "User"},
    });
    for (key, value) in changes.as_object().expect("an object") {
        body[key] = value.clone();
    }
    let format = by_name("github-webhook").expect("the format is known");
    decode_one(format, &Arc::from("hooks"), &body.to_string()).expect("it can be decoded").into_iter().next()
}

fn is(changes: &Value, class: &str, action: &str, outcome: &str, fields: &[(&str, Value)]) {
    let event = event(changes).expect("an event");
    let what = (event.class.map_or("", |class| class.name()), event.action.as_deref().unwrap_or(""));
    assert_eq!((what, event.outcome.name()), ((class, action), outcome));
    for (name, value) in fields {
        assert_eq!(event.fields.get(*name).unwrap_or(&Value::Null), value, "{action}: {name}");
    }
}

const NONE: &str = "0000000000000000000000000000000000000000";
const OLD: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const NEW: &str = "BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB";

fn push(name: &str, before: &str, after: &str) -> Value {
    json!({"ref": name, "before": before, "after": after, "pusher": {"name": "ada"}, "forced": false,
        "created": before == NONE, "deleted": after == NONE, "head_commit": {"id": after},
        "commits": [{"added": [".github/workflows/a.yml"], "modified": [], "removed": ["x"], "message": "m",
            "author": {"username": "eve"}}]})
}

#[test]
fn pushes_and_refs() {
    is(
        &push("refs/heads/main", OLD, NEW),
        "scm.push",
        "push",
        "success",
        &[
            ("prov.commit", json!(NEW.to_lowercase())),
            ("old_sha", json!(OLD)),
            ("ref_default", json!(true)),
            ("files", json!([".github/workflows/a.yml", "x"])),
            ("author", json!("eve")),
            ("pusher_id", json!("7")),
            ("prov.repo", json!("git.shop.example/shop/cart")),
            ("forced", json!(false)),
        ],
    );
    is(
        &push("refs/heads/new", NONE, NEW),
        "scm.push",
        "push",
        "success",
        &[("old_sha", Value::Null), ("ref_default", json!(false))],
    );
    is(&push("refs/heads/gone", OLD, NONE), "scm.ref", "deleted", "success", &[("type", json!("branch"))]);
    is(
        &push("refs/tags/v1", OLD, NEW),
        "scm.ref",
        "moved",
        "success",
        &[("forced", json!(true)), ("name", json!("v1")), ("type", json!("tag"))],
    );
    is(&push("refs/tags/v2", NONE, NEW), "scm.ref", "created", "success", &[("forced", json!(false))]);
}

#[test]
fn changes_and_reviews() {
    let change = json!({"number": 3, "id": 33, "merged": true, "merge_commit_sha": NEW, "title": "t",
        "user": {"id": 8, "login": "eve"}, "merged_by": {"id": 7}, "head": {"ref": "f", "sha": OLD, "repo": {"id": 6}},
        "base": {"ref": "main", "repo": {"id": 5}}});
    is(
        &json!({"action": "closed", "pull_request": change}),
        "scm.change",
        "merged",
        "success",
        &[
            ("from_fork", json!(true)),
            ("merged_by", json!("7")),
            ("author_id", json!("8")),
            ("prov.commit", json!(NEW.to_lowercase())),
            ("prov.ref", json!("refs/heads/main")),
        ],
    );
    let mut gone = change.clone();
    gone["head"]["repo"] = Value::Null;
    gone["merged"] = json!(false);
    is(
        &json!({"action": "closed", "pull_request": gone}),
        "scm.change",
        "closed",
        "success",
        &[("from_fork", json!(true)), ("prov.commit", json!(OLD))],
    );
    let review = |state: &str| {
        json!({"action": "submitted", "pull_request": change,
        "review": {"id": 1, "state": state, "user": {"id": 9}}})
    };
    is(&review("approved"), "scm.change", "reviewed", "success", &[("approvers", json!("9"))]);
    is(&review("commented"), "scm.change", "reviewed", "success", &[("approvers", Value::Null)]);
    let comment = |issue: Value| json!({"action": "created", "issue": issue, "comment": {"id": 1, "body": "$(id)"}});
    is(
        &comment(json!({"number": 3, "pull_request": {}})),
        "scm.change",
        "commented",
        "success",
        &[("comment", json!("$(id)")), ("prov.change_id", json!("3"))],
    );
    assert!(event(&comment(json!({"number": 4}))).is_none(), "an issue is no change");
}

#[test]
fn runs_of_forks_reviews_and_switches() {
    let run = json!({"id": 1, "conclusion": "startup_failure", "event": "pull_request_target", "path": "w.yml",
        "head_sha": OLD, "head_repository": {"id": 6}, "run_started_at": "2026-03-01T10:00:00Z",
        "updated_at": "2026-03-01T10:01:30Z", "pull_requests": [{"number": 3, "head": {"sha": OLD}}]});
    is(
        &json!({"action": "completed", "workflow_run": run, "workflow": {"id": 2}}),
        "ci.run",
        "finished",
        "error",
        &[
            ("from_fork", json!(true)),
            ("system_outcome", json!("error")),
            ("duration", json!(90_000)),
            ("prov.trigger", json!("pull_request_target")),
            ("pr_head_sha", json!(OLD)),
            ("prov.workflow", json!("Shop/Cart/w.yml")),
        ],
    );
    let review = json!({"action": "approved", "approver": {"id": 9}, "since": "2026-03-01T10:00:00Z",
        "workflow_run": run, "workflow_job_run": {"id": 4, "environment": "production"}, "comment": "ok"});
    is(
        &review,
        "ci.job",
        "approved",
        "success",
        &[
            ("approved_by", json!("9")),
            ("prov.job_id", json!("4")),
            ("prov.env", json!("prod")),
            ("prov.run_id", json!("1")),
        ],
    );
    let switched = |was: &str, is: &str| {
        json!({
        "changes": {"from": {"security_and_analysis": {"secret_scanning": {"status": was}}}},
        "repository": {"id": 5, "full_name": "s/c", "security_and_analysis": {"secret_scanning": {"status": is}}}})
    };
    is(&switched("enabled", "disabled"), "scm.admin", "repository_secret_scanning.disable", "success", &[]);
    assert!(event(&switched("disabled", "enabled")).is_none(), "switching on is of no interest");
    is(&json!({}), "scm.admin", "repo.access", "success", &[("new", json!("public")), ("object_kind", json!("repo"))]);
}

/// These have a repository and an action that would mean something of a repository alone.
#[test]
fn what_nobody_detects_by_is_filtered() {
    for body in [
        json!({"action": "deleted", "starred_at": null}),
        json!({"action": "created", "label": {"id": 1}}),
        json!({"action": "deleted", "discussion": {"id": 1}}),
        json!({"action": "completed", "check_run": {"id": 1, "app": {"slug": "github-actions"}}}),
        json!({"action": "created", "deployment": {"id": 1}, "deployment_status": {"state": "in_progress"}}),
        json!({"zen": "Keep it logically awesome.", "hook_id": 1, "hook": {"id": 1}}),
    ] {
        assert!(event(&body).is_none(), "{body}");
    }
}

#[test]
fn ids_and_times() {
    let ms = |body: &Value| event(body).and_then(|event| event.time).map(|time| time.ms());
    let id = |body: &Value| event(body).and_then(|event| event.id).expect("an id");
    // Of a push the repository's: it is the latest that the body says.
    let pushed = push("refs/heads/main", OLD, NEW);
    assert_eq!(ms(&pushed), Some(1_772_359_200_000));
    assert_eq!(ms(&json!({"action": "archived", "received_at": "2026-03-01T12:00:00Z"})), Some(1_772_366_400_000));
    let job =
        json!({"id": 3, "run_id": 1, "started_at": "2026-03-01T10:00:00Z", "completed_at": "2026-03-01T10:00:01Z"});
    let job = json!({"action": "completed", "workflow_job": job});
    assert_eq!(ms(&job), Some(1_772_359_201_000));
    // A job is a check of the same number, and both end at once.
    let check = json!({"id": 3, "check_suite": {"id": 2}, "completed_at": "2026-03-01T10:00:01Z"});
    let check = json!({"action": "completed", "check_run": check});
    assert_ne!(id(&job), id(&check));
    assert_eq!(id(&pushed), id(&pushed));
    assert_ne!(id(&pushed), id(&push("refs/heads/main", NEW, OLD)));
}

/// Content alone tells these apart from each other and from every other format.
#[test]
fn webhooks_are_recognised() {
    let formats = || FORMATS.iter().copied().filter(|format| !format.marks.is_empty());
    let decoder = Decoder::new(formats().map(|format| (format, Wanted::default())).collect(), None, false);
    let names: Vec<&str> = formats().map(|format| format.name).collect();
    for samples in ["github-webhook", "gitlab-webhook"] {
        if !folder(samples).is_dir() {
            return println!("skipped: no samples of {samples} beside this workspace");
        }
        for file in std::fs::read_dir(folder(samples)).expect("the folder can be read").flatten() {
            let text = std::fs::read_to_string(file.path()).expect("the sample can be read");
            decoder.read(&mut Scratch::default(), text.trim(), 0, &mut |_, read| match read {
                Read::Event(seen) => assert_eq!(names.get(seen.plan), Some(&samples), "{}", file.path().display()),
                Read::Invalid(reason) => panic!("{}: {reason:?}", file.path().display()),
                Read::Filtered => {}
            });
        }
    }
}
