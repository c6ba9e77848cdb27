//! Real payloads of GitHub's audit log and of CloudTrail, decoded in full: class, action, outcome, id and the fields that
//! detections stand on. Nothing of the payloads is kept here; where they are missing the test says so and skips.
#![allow(clippy::expect_used, clippy::panic, clippy::print_stdout, reason = "a test")]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use ingest::format::{by_name, decode_one};
use model::Event;
use serde_json::Value;

/// File, line in it, class, action, outcome, some fields as `name=value` (a list in JSON; `name=` is absent).
struct Expected(&'static str, usize, &'static str, &'static str, &'static str, &'static [&'static str]);

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

#[rustfmt::skip]
const CLOUDTRAIL: &[Expected] = &[
    Expected("invictus.AssumeRole.json", 0, "identity.exchange", "AssumeRole", "denied", &[
        "reason=AccessDenied", "issued_key=", "role=", "prov.token_kind=static_key", "src.ip=192.168.10.20",
        "prov.actor_id=arn:aws:iam::123837392027:user/bert-jan", "prov.actor_kind=human"]),
    Expected("invictus.ConsoleLogin.json", 0, "identity.auth", "ConsoleLogin", "success", &["mfa=false", "prov.token_id="]),
    Expected("invictus.Decrypt.json", 0, "identity.use", "Decrypt", "success", &[
        "op_class=kms.decrypt", "src.service=secretsmanager.amazonaws.com", "src.ip=", "prov.token_kind=session",
        "prov.actor_id=arn:aws:iam::123837392027:user/bert-jan", "token_age_s=1", "mfa=false",
        "key=arn:aws:kms:us-east-1:123837392027:key/dad21b23-9915-42bd-981b-2a9f3c8f20c8"]),
    Expected("invictus.GetParameter.json", 0, "secret.access", "GetParameter", "success", &[
        "secret=/credentials/stratus-red-team/credentials-30", "store_kind=aws_ssm", "ua_family=terraform"]),
    Expected("invictus.GetSecretValue.json", 0, "secret.access", "GetSecretValue", "success", &[
        "secret=stratus-red-team-retrieve-secret-15", "store_kind=aws_secrets_manager", "prov.token_kind=static_key"]),
    Expected("invictus.PutParameter.json", 0, "secret.admin", "created", "success", &[
        "secret=/credentials/stratus-red-team/credentials-5", "object=/credentials/stratus-red-team/credentials-5"]),
    Expected("stratus.AssumeRole.json", 0, "identity.exchange", "AssumeRole", "success", &[
        "issued_key=ASIA7RQR64ZW9EXAMPLE", "ttl_s=900", "prov.session=", "prov.region=apiso-northsouth-3r",
        "role=arn:aws:iam::457448411975:role/stratus-red-team-ec2-get-password-data-role"]),
    Expected("stratus.BatchGetSecretValue.json", 0, "secret.access", "BatchGetSecretValue", "success", &[
        "secret=", "prov.actor=christophe", "ua_family=stratus-red-team"]),
    Expected("stratus.CreateAccessKey.json", 0, "scm.admin", "CreateAccessKey", "success", &[
        "object_kind=access_key", "subject=stratus-red-team-backdoor-u-user", "issued_key=AKIAL80DWDVKKEXAMPLE", "scope=account"]),
    Expected("stratus.CreateTrustAnchor.json", 0, "scm.admin", "CreateTrustAnchor", "success", &[
        "object_kind=trust_anchor", "object=malicious-rolesanywhere-trust-anchor"]),
    Expected("stratus.DeleteTrail.json", 0, "scm.admin", "audit_log_streaming.destroy", "success", &[
        "object_kind=audit_stream", "object=stratus-red-team-cloudtraild-trail-kvrwohmiai"]),
    Expected("stratus.DescribeParameters.json", 0, "secret.list", "DescribeParameters", "success", &["store_kind=aws_ssm"]),
    Expected("stratus.GetCallerIdentity.json", 0, "identity.use", "GetCallerIdentity", "success", &[
        "op_class=sts.read", "prov.actor=stratus-red-team-ec2-steal-credentials-role", "token_age_s=183",
        "prov.actor_id=arn:aws:iam::017622104382:role/stratus-red-team-ec2-steal-credentials-role",
        "prov.session=AROALHCCSKSM395EGX3XN:i-786a3A8B5C0d92eF4", "prov.actor_kind=workload", "src.ip=18.236.253.47"]),
    Expected("stratus.GetFederationToken.json", 0, "identity.exchange", "GetFederationToken", "success", &["issued_key=ASIASTJKC5GCMEXAMPLE"]),
    Expected("stratus.GetParameters.json", 0, "secret.access", "GetParameters", "success", &["store_kind=aws_ssm", "canary="]),
    Expected("stratus.GetPasswordData.json", 0, "identity.use", "GetPasswordData", "denied", &[
        "op_class=ec2.read", "reason=Client.UnauthorizedOperation", "token_age_s=6",
        "prov.actor_id=arn:aws:iam::457448411975:role/stratus-red-team-ec2-get-password-data-role"]),
    Expected("stratus.GetSecretValue.json", 0, "secret.access", "GetSecretValue", "success", &["secret=stratus-red-team-retrieve-secret-18"]),
    Expected("stratus.ListSecrets.json", 0, "secret.list", "ListSecrets", "success", &["store_kind=aws_secrets_manager"]),
    Expected("stratus.StopLogging.json", 0, "scm.admin", "audit_log_streaming.stop", "success", &[
        "object_kind=audit_stream", "object=stratus-red-team-ct-stop-trail-buykxbqejv"]),
    Expected("stratus.UpdateAssumeRolePolicy.json", 0, "scm.admin", "UpdateAssumeRolePolicy", "success", &[
        "object_kind=iam_role_trust", "object=stratus-red-team-backdoor-r-role"]),
];

fn folder(format: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/samples").join(format)
}

/// The events of one file: one JSON value, or one a line.
fn events(format: &str, file: &str) -> Vec<Event> {
    let text = std::fs::read_to_string(folder(format).join(file)).expect("the sample can be read");
    let wire = by_name(format).expect("the format is known");
    let source: Arc<str> = Arc::from("samples");
    let lines: Vec<&str> = if file.ends_with(".jsonl") { text.lines().collect() } else { vec![text.as_str()] };
    lines
        .into_iter()
        .filter(|line| !line.trim().is_empty())
        .flat_map(|line| decode_one(wire, &source, line).unwrap_or_else(|error| panic!("{file}: {error:?}")))
        .collect()
}

fn printed(fields: &BTreeMap<String, Value>, name: &str) -> String {
    match fields.get(name) {
        None => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
    }
}

fn check(format: &str, expected: &[Expected]) {
    if !folder(format).is_dir() {
        println!("skipped: no samples of {format} beside this workspace");
        return;
    }
    let mut wrong = Vec::new();
    for Expected(file, at, class, action, outcome, fields) in expected {
        let all = events(format, file);
        let event = all.get(*at).unwrap_or_else(|| panic!("{file}: {} events", all.len()));
        let mut same = |what: &str, is: &str, wanted: &str| {
            if is != wanted {
                wrong.push(format!("{file}[{at}] {what}: `{is}`, wanted `{wanted}`"));
            }
        };
        same("class", event.class.map_or("", |class| class.name()), class);
        same("action", event.action.as_deref().unwrap_or(""), action);
        same("outcome", event.outcome.name(), outcome);
        for field in *fields {
            let (name, value) = field.split_once('=').expect("name=value");
            assert!(model::field(name).is_some(), "{name} is a model field");
            same(name, &printed(&event.fields, name), value);
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
    let files: std::collections::BTreeSet<_> = expected.iter().map(|expected| expected.0).collect();
    let there = std::fs::read_dir(folder(format)).expect("the folder can be read").count();
    assert_eq!(files.len(), there, "every sample of {format} is looked at");
}

#[test]
fn github_audit() {
    check("github-audit", GITHUB);
}

#[test]
fn cloudtrail() {
    check("cloudtrail", CLOUDTRAIL);
}

/// An unparseable or missing time is no time; of two, `created_at` gives way, since alerts write their own there.
#[test]
fn times_are_the_events_own() {
    if !folder("github-audit").is_dir() {
        return println!("skipped: no samples beside this workspace");
    }
    let ms = |file: &str| events("github-audit", file).first().and_then(|event| event.time).map(|time| time.ms());
    assert_eq!(ms("panther.git.push.json"), Some(1_623_971_719_091));
    assert_eq!(ms("panther.hook.create.json"), None);
    assert_eq!(ms("panther.repository_ruleset.destroy.json"), None);
    assert_eq!(ms("panther.repository_vulnerability_alert.dismiss.json"), Some(1_712_643_475_186));
}
