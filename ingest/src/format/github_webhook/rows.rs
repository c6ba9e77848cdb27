//! Which field of GitHub's webhooks becomes which of ours.
//!
//! Must never map a text that its writer chose into a field that names somebody.

use EventClass as C;
use model::EventClass;

use super::fields::{
    actor_kind, approver, change_commit, deleted_kind, dependency_scanner, digest, dismissed, finding_id, from_fork,
    from_other_repo, job_duration, new_setting, object_kind, package, package_commit, permission, ref_type, repo,
    run_duration, run_id, runner_id, runner_kind, scope, system_outcome, tag_forced, trigger, verified, version,
    workflow,
};
use crate::format::fill::{
    bool_of, branch_ref, coalesce, commit, env_class, full_ref, gather, is_default, lower, ref_name, tag_ref, text_of,
};
use crate::format::{MapRow, all, on};

const CI: &[EventClass] = &[C::CiRun, C::CiJob];
const RUN: &[EventClass] = &[C::CiRun];
const JOB: &[EventClass] = &[C::CiJob];
const DEPLOY: &[EventClass] = &[C::DeployStarted, C::DeployFinished];
const PUSH: &[EventClass] = &[C::ScmPush];
const REF: &[EventClass] = &[C::ScmRef];
const CHANGE: &[EventClass] = &[C::ScmChange];
const ADMIN: &[EventClass] = &[C::ScmAdmin];
const REGISTRY: &[EventClass] = &[C::RegistryPush, C::RegistryPublish, C::RegistryDelete];
const SECRET: &[EventClass] = &[C::SecretFinding];
const SCAN: &[EventClass] = &[C::ScanFinding];
const VULN: &[EventClass] = &[C::VulnFinding];

#[rustfmt::skip]
pub(super) static ROWS: &[MapRow] = &[
    // Who and where.
    all("prov.org", &["organization.id", "repository.owner.id", "installation.account.id"], text_of),
    all("prov.repo", &["repository.html_url", "repository.full_name"], repo),
    all("prov.repo_id", &["repository.id"], text_of),
    all("prov.actor_id", &["sender.id"], text_of),
    all("prov.actor", &["sender.login"], coalesce),
    all("prov.actor_kind", &["sender.type", "sender.login"], actor_kind),
    // Runs and jobs. `head_branch` names a branch or a tag and does not say which, so it stays without `refs/…/`.
    on(
        CI, "prov.commit",
        &["workflow_run.head_sha", "workflow_job.head_sha", "check_run.head_sha", "check_suite.head_sha"], commit,
    ),
    on(
        CI, "prov.ref",
        &[
            "workflow_run.head_branch", "workflow_job.head_branch", "check_run.check_suite.head_branch",
            "check_suite.head_branch", "ref", "branch",
        ],
        coalesce,
    ),
    on(
        CI, "prov.change_id",
        &["workflow_run.pull_requests.number", "check_run.pull_requests.number", "check_suite.pull_requests.number"],
        text_of,
    ),
    on(
        CI, "prov.run_id",
        &["workflow_run.id", "workflow_job.run_id", "check_run.check_suite.id", "check_suite.id"], run_id,
    ),
    on(
        &[C::CiRun, C::CiJob, C::DeployStarted, C::DeployFinished], "prov.attempt",
        &["workflow_run.run_attempt", "workflow_job.run_attempt"], coalesce,
    ),
    on(
        &[C::CiRun, C::CiJob, C::DeployStarted, C::DeployFinished], "prov.workflow",
        &["repository.full_name", "workflow_run.path", "workflow.path", "workflow", "workflow_run.workflow_id"],
        workflow,
    ),
    on(
        &[C::CiRun, C::CiJob, C::DeployStarted, C::DeployFinished], "prov.trigger",
        &["workflow_run.event", "client_payload", "workflow"], trigger,
    ),
    on(CI, "from_fork", &["workflow_run.head_repository.id", "repository.id"], from_other_repo),
    on(
        CI, "result",
        &["workflow_run.conclusion", "workflow_job.conclusion", "check_run.conclusion", "check_suite.conclusion"],
        coalesce,
    ),
    on(RUN, "system_outcome", &["workflow_run.conclusion"], system_outcome),
    on(
        RUN, "duration", &["workflow_run.conclusion", "workflow_run.run_started_at", "workflow_run.updated_at"],
        run_duration,
    ),
    on(&[C::CiRun], "pr_head_sha", &["workflow_run.pull_requests.head.sha"], commit),
    on(JOB, "prov.job_id", &["workflow_job.id", "workflow_job_run.id", "check_run.id"], text_of),
    on(JOB, "job_name", &["workflow_job.name", "workflow_job_run.name", "check_run.name"], coalesce),
    on(JOB, "prov.runner_id", &["workflow_job.runner_id"], runner_id),
    on(JOB, "prov.runner_name", &["workflow_job.runner_name"], coalesce),
    on(JOB, "prov.runner_pool", &["workflow_job.runner_group_name"], coalesce),
    on(JOB, "prov.runner_kind", &["workflow_job.runner_group_name", "workflow_job.labels"], runner_kind),
    on(JOB, "labels", &["workflow_job.labels"], coalesce),
    on(JOB, "step.name", &["workflow_job.steps.name"], coalesce),
    on(JOB, "step.state", &["workflow_job.steps.status"], coalesce),
    on(
        JOB, "duration",
        &["workflow_job.started_at", "workflow_job.completed_at", "check_run.started_at", "check_run.completed_at"],
        job_duration,
    ),
    on(JOB, "approved_by", &["approver.id"], text_of),
    on(JOB, "env", &["workflow_job_run.environment", "deployment.environment"], coalesce),
    on(JOB, "prov.env", &["workflow_job_run.environment", "deployment.environment"], env_class),
    // Deployments, with the run that made them where there is one.
    on(DEPLOY, "prov.env", &["deployment_status.environment", "deployment.environment"], env_class),
    on(DEPLOY, "prov.commit", &["deployment.sha"], commit),
    on(DEPLOY, "prov.ref", &["deployment.ref"], coalesce),
    on(DEPLOY, "prov.run_id", &["workflow_run.id"], text_of),
    on(&[C::DeployStarted], "op", &["deployment.task"], coalesce),
    // Pushes and refs. `after` of an annotated tag is the tag's own object, not a commit.
    on(PUSH, "prov.ref", &["ref", "ref_type"], full_ref),
    on(PUSH, "prov.commit", &["after"], commit),
    on(PUSH, "files", &["commits.added", "commits.modified", "commits.removed"], gather),
    on(PUSH, "forced", &["forced"], bool_of),
    on(PUSH, "ref_default", &["ref", "repository.default_branch"], is_default),
    on(PUSH, "pusher_id", &["sender.id"], text_of),
    on(PUSH, "author", &["commits.author.username"], coalesce),
    on(PUSH, "message", &["commits.message"], coalesce),
    on(&[C::ScmPush, C::ScmAdmin], "repo_private", &["repository.private"], bool_of),
    on(REF, "prov.ref", &["ref", "ref_type"], full_ref),
    on(REF, "prov.commit", &["head_commit.id"], commit),
    on(REF, "type", &["ref", "ref_type"], ref_type),
    on(REF, "name", &["ref"], ref_name),
    on(REF, "forced", &["forced", "ref", "created", "deleted"], tag_forced),
    on(&[C::ScmPush, C::ScmRef], "old_sha", &["before"], commit),
    on(&[C::ScmPush, C::ScmRef], "new_sha", &["after"], commit),
    // Pull requests, their reviews and comments.
    on(
        CHANGE, "prov.commit",
        &["pull_request.merged", "pull_request.merge_commit_sha", "pull_request.head.sha"], change_commit,
    ),
    on(CHANGE, "prov.ref", &["pull_request.base.ref"], branch_ref),
    on(CHANGE, "prov.change_id", &["pull_request.number", "issue.number"], text_of),
    on(
        CHANGE, "from_fork", &["pull_request.head.repo", "pull_request.head.repo.id", "pull_request.base.repo.id"],
        from_fork,
    ),
    on(CHANGE, "title", &["pull_request.title", "issue.title"], coalesce),
    on(CHANGE, "branch", &["pull_request.head.ref"], coalesce),
    on(CHANGE, "author", &["pull_request.user.login", "issue.user.login"], coalesce),
    on(CHANGE, "author_id", &["pull_request.user.id", "issue.user.id"], text_of),
    on(
        CHANGE, "author_assoc",
        &["comment.author_association", "review.author_association", "pull_request.author_association"], coalesce,
    ),
    on(CHANGE, "comment", &["comment.body", "review.body"], coalesce),
    on(CHANGE, "approvers", &["review.state", "review.user.id"], approver),
    on(CHANGE, "merged_by", &["pull_request.merged_by.id"], text_of),
    // What was changed, and for whom.
    on(
        ADMIN, "object_kind",
        &[
            "rule", "repository_ruleset", "membership", "invitation", "member", "team", "key", "hook",
            "personal_access_token_request", "changes.from.security_and_analysis", "repository", "organization",
            "installation",
        ],
        object_kind,
    ),
    on(
        ADMIN, "object",
        &[
            "rule.name", "repository_ruleset.name", "team.slug", "key.id", "hook.id", "installation.app_slug",
            "personal_access_token_request.id", "repository.full_name", "organization.login", "installation.id",
        ],
        text_of,
    ),
    on(
        ADMIN, "subject",
        &[
            "member.login", "membership.user.login", "invitation.login", "personal_access_token_request.owner.login",
            "team.slug", "installation.app_slug", "installation.app_id", "key.id",
        ],
        text_of,
    ),
    on(
        ADMIN, "permission",
        &[
            "membership.role", "invitation.role", "changes.permission.to", "changes.role_name.to", "team.permission",
            "key.read_only", "installation.permissions.administration", "installation.permissions.contents",
            "installation.permissions.actions", "installation.permissions.workflows",
            "installation.permissions.secrets", "installation.permissions.packages",
            "installation.permissions.organization_administration",
        ],
        permission,
    ),
    on(
        ADMIN, "old",
        &[
            "changes.permission.from", "changes.old_permission.from", "changes.role_name.from",
            "changes.enforcement.from", "changes.default_branch.from", "changes.repository.name.from",
            "changes.owner.from.organization.login", "changes.owner.from.user.login",
        ],
        text_of,
    ),
    on(
        ADMIN, "new",
        &[
            "action", "repository", "team", "changes", "changes.default_branch", "repository.default_branch",
            "changes.repository.name", "repository.name", "changes.permission.to", "changes.role_name.to",
            "repository_ruleset.enforcement",
        ],
        new_setting,
    ),
    on(ADMIN, "scope", &["repository", "organization", "enterprise"], scope),
    on(ADMIN, "key_id", &["key.id"], text_of),
    on(ADMIN, "bypass_actors", &["repository_ruleset.bypass_actors.actor_type"], coalesce),
    on(ADMIN, "prov.ref", &["rule.name"], branch_ref),
    // Findings. GitHub tells an alert's number and not the secret: the number is what the finding is known by.
    on(SECRET, "fp", &["repository.html_url", "repository.full_name", "alert.number"], finding_id),
    on(SECRET, "object", &["alert.number"], text_of),
    on(SECRET, "kind", &["alert.secret_type"], coalesce),
    on(SECRET, "verified", &["alert.validity"], verified),
    on(SECRET, "where", &["location.type"], coalesce),
    on(SECRET, "reason", &["alert.resolution"], coalesce),
    on(
        &[C::SecretFinding, C::ScanFinding], "prov.commit",
        &[
            "commit_oid", "alert.most_recent_instance.commit_sha", "alert.instances.commit_sha",
            "location.details.commit_sha",
        ],
        commit,
    ),
    on(SCAN, "prov.ref", &["ref", "alert.most_recent_instance.ref", "alert.instances.ref"], coalesce),
    on(SCAN, "tool", &["alert.tool.name"], coalesce),
    on(SCAN, "rule", &["alert.rule.id"], text_of),
    on(SCAN, "sev", &["alert.rule.security_severity_level"], lower),
    on(&[C::ScanFinding, C::VulnFinding], "dismissed", &["alert.state"], dismissed),
    on(
        VULN, "cve",
        &[
            "alert.security_advisory.cve_id", "alert.security_advisory.ghsa_id", "alert.external_identifier",
            "alert.ghsa_id",
        ],
        coalesce,
    ),
    on(
        VULN, "sev",
        &["alert.security_vulnerability.severity", "alert.security_advisory.severity", "alert.severity"], lower,
    ),
    on(VULN, "tool", &["alert"], dependency_scanner),
    on(VULN, "reason", &["alert.dismissed_reason", "alert.dismiss_reason"], coalesce),
    // Packages, images and releases.
    on(
        REGISTRY, "repo",
        &[
            "registry_package.owner.login", "registry_package.name", "package.owner.login", "package.name",
            "repository.full_name",
        ],
        package,
    ),
    on(
        &[C::RegistryPush, C::RegistryDelete], "tag",
        &[
            "registry_package.package_version.container_metadata.tag.name",
            "package.package_version.container_metadata.tag.name",
        ],
        coalesce,
    ),
    on(
        REGISTRY, "prov.digest",
        &[
            "registry_package.package_version.version", "package.package_version.version",
            "registry_package.package_version.container_metadata.manifest.digest",
            "package.package_version.container_metadata.manifest.digest",
            "registry_package.package_version.container_metadata.tag.digest",
            "package.package_version.container_metadata.tag.digest",
            "registry_package.package_version.package_files.sha256", "package.package_version.package_files.sha256",
        ],
        digest,
    ),
    on(
        REGISTRY, "prov.version",
        &["release.tag_name", "registry_package.package_version.version", "package.package_version.version"], version,
    ),
    on(
        REGISTRY, "prov.commit",
        &[
            "registry_package.package_version.version", "registry_package.package_version.target_oid",
            "package.package_version.version", "package.package_version.target_oid",
        ],
        package_commit,
    ),
    on(REGISTRY, "prov.ref", &["release.tag_name"], tag_ref),
    on(&[C::RegistryDelete], "kind", &["release"], deleted_kind),
];

#[cfg(test)]
mod tests {
    #[test]
    fn the_table_fills_model_fields_once() {
        crate::format::fill::tests::check(super::ROWS);
    }
}
