//! GitHub's audit log.

use super::{Expected, check, events, folder};

#[rustfmt::skip]
const GITHUB: &[Expected] = &[
    Expected("panther.git.clone.json", 0, "scm.access", "clone", "success", &[
        "op=clone", "repo_private=true", "prov.repo=github.com/acme-inc/a-repo", "prov.org=12345678",
        "prov.actor_id=123456789", "prov.actor=acme-inc-user", "prov.actor_kind=human", "prov.token_kind=oauth",
        "prov.token_id=0771cae4d170dc02a6ff393d9946cd684d6145c1=", "src.ip=5.6.7.8", "src.country=US", "ua_family=git"]),
    Expected("panther.git.push.json", 0, "scm.push", "push", "success", &[
        "prov.repo=github.com/my-org/my-repo", "prov.actor_id=login:cat", "prov.token_kind=ssh_key",
        "repo_private=true", "prov.token_id="]),
    Expected("panther.hook.create.json", 0, "scm.admin", "hook.create", "success", &[
        "object_kind=hook", "object=111222333444555", "new=https://fake.url/", "scope=org", "prov.org=9999999"]),
    Expected("panther.integration_installation.create.json", 0, "scm.admin", "integration_installation.create", "success", &[
        "object_kind=integration_installation", "object=Microsoft Teams for GitHub", "prov.org=your-organization"]),
    Expected("panther.org.disable_two_factor_requirement.json", 0, "scm.admin", "org.disable_two_factor_requirement", "success", &[
        "object_kind=two_factor", "object=my-org", "scope=org"]),
    Expected("panther.org.set_default_workflow_permissions.json", 0, "scm.admin", "org.set_default_workflow_permissions", "success", &[
        "object_kind=actions_settings", "object=YourCompany", "prov.actor_id=12345678", "scope=org"]),
    Expected("panther.org.update_member.json", 0, "scm.admin", "org.update_member", "success", &[
        "object_kind=member", "subject=bob", "scope=org"]),
    Expected("panther.protected_branch.destroy.json", 0, "scm.admin", "protected_branch.destroy", "success", &[
        "object_kind=protected_branch", "object=my-org/my-repo", "scope=repo", "prov.repo=github.com/my-org/my-repo"]),
    Expected("panther.protected_branch.policy_override.json", 0, "scm.admin", "protected_branch.policy_override", "success", &[
        "object=refs/heads/main", "prov.ref=refs/heads/main"]),
    Expected("panther.public_key.create.json", 0, "scm.admin", "public_key.create", "success", &["object_kind=public_key"]),
    Expected("panther.repo.access.json", 0, "scm.admin", "repo.access", "success", &["object_kind=repo", "scope=repo"]),
    Expected("panther.repo.add_member.json", 0, "scm.admin", "repo.add_member", "success", &[
        "object_kind=member", "subject=cat", "prov.actor=bob"]),
    Expected("panther.repo.transfer.json", 0, "scm.admin", "repo.transfer", "success", &[
        "object=your-organization/project_repo", "new=private", "repo_private=true"]),
    Expected("panther.repository_ruleset.destroy.json", 0, "scm.admin", "repository_ruleset.destroy", "success", &[
        "object_kind=ruleset", "object=a-ruleset-name", "new=enabled", "ua_family=browser",
        r#"bypass_actors=["Integration","Team"]"#, "prov.repo_id=123456789", "repo_private=true"]),
    Expected("panther.repository_vulnerability_alert.dismiss.json", 0, "vuln.finding", "dismissed", "success", &[
        "cve=GHSA-1234-5678-9090", "dismissed=true", "prov.repo=github.com/acme/repo"]),
    Expected("panther.secret_scanning_alert.create.json", 0, "secret.finding", "opened", "success", &[
        "fp=github.com/acme-inc/crown-jewels#12", "object=12", "prov.actor=github"]),
    Expected("panther.workflows.completed_workflow_run.json", 0, "ci.run", "finished", "failure", &[
        "result=failure", "system_outcome=ok", "duration=23000", "prov.trigger=schedule", "prov.run_id=5555555555",
        "prov.attempt=3", "prov.workflow=44444444", "prov.ref=master"]),
    Expected("panther.workflows.created_workflow_run.json", 0, "ci.run", "requested", "success", &[
        "prov.trigger=workflow_dispatch", "prov.actor_kind=bot", "prov.token_kind=app_s2s", "prov.run_id=123456789",
        "prov.repo=github.com/yourcompany/yourrepo", "ua_family=launch", "result="]),
    Expected("pat-lifecycle.jsonl", 0, "scm.admin", "personal_access_token.create", "success", &[
        "object=azlabtoken", "subject=octo-dev", "prov.token_kind=pat_fine_grained", "scope=org"]),
    Expected("pat-lifecycle.jsonl", 1, "identity.token.revoked", "personal_access_token.access_revoked", "success", &["prov.actor_id=5550101"]),
    Expected("pat-lifecycle.jsonl", 2, "identity.token.revoked", "personal_access_token.destroy", "success", &["reason=web_user"]),
    Expected("pat-lifecycle.jsonl", 3, "scm.admin", "personal_access_token.access_granted", "success", &["scope=user"]),
    Expected("pat-lifecycle.jsonl", 4, "scm.admin", "personal_access_token.request_created", "success", &["object=azlabtoken"]),
    Expected("pat-lifecycle.jsonl", 5, "identity.auth", "user.sign_in_from_unrecognized_device", "success", &["ua_family=browser"]),
    Expected("pat-lifecycle.jsonl", 6, "identity.auth", "user.failed_login", "failure", &["prov.org=163237012"]),
    Expected("pat-lifecycle.jsonl", 7, "scm.admin", "integration_installation.repositories_added", "success", &[
        "new=octo-dev/Azure-Sentinel", "object=GitGuardian"]),
    Expected("prepared_workflow_job.handwritten.json", 0, "ci.job", "started", "success", &[
        r#"secrets_passed=["DEPLOY_KEY","REGISTRY_TOKEN","GITHUB_TOKEN"]"#, "secrets_count=2", "env=production",
        "prov.env=prod", "prov.runner_id=881", "prov.runner_name=runner-7f3a", "prov.runner_kind=self_hosted",
        "prov.runner_pool=Default", r#"labels=["self-hosted","linux","x64"]"#, "job_name=release", "prov.attempt=1",
        "prov.workflow=example-org/payments/.github/workflows/release.yml@refs/heads/main",
        "prov.workflow_sha=65bf499d0e5f60718293a4b5c6d7e8f901122334", "prov.run_id=25613093674"]),
    Expected("register_self_hosted_runner.handwritten.json", 0, "ci.runner", "registered", "success", &[
        "scope=repo", "prov.runner_id=881", "prov.runner_kind=self_hosted", "version=2.317.0", "src.ip=203.0.113.7",
        "src.country=DE", "prov.repo=github.com/example-org/payments", "prov.actor_id=5550101"]),
];

#[test]
fn github_audit() {
    check("github-audit", GITHUB);
}

/// An unparseable or missing time is no time; of two, `created_at` gives way, since alerts write their own there.
#[test]
fn times_are_the_events_own() {
    if !folder("github-audit").is_dir() {
        return println!("skipped: no samples beside this workspace");
    }
    let ms = |file: &str| {
        events("github-audit", "github-audit", file).first().and_then(|event| event.time).map(|time| time.ms())
    };
    assert_eq!(ms("panther.git.push.json"), Some(1_623_971_719_091));
    assert_eq!(ms("panther.hook.create.json"), None);
    assert_eq!(ms("panther.repository_ruleset.destroy.json"), None);
    assert_eq!(ms("panther.repository_vulnerability_alert.dismiss.json"), Some(1_712_643_475_186));
}
