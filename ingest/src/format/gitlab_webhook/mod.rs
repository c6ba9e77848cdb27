//! GitLab's webhooks, of projects, groups and the whole instance (system hooks): one JSON body for each event.
//!
//! Must never need the header that names the event, and never take the time of a commit, which its author chooses, where
//! anything better is known.

mod classes;
mod fields;

use EventClass as C;
use model::{EventClass, Trust};

use self::fields::{
    advisory, approvers, cause, commit_of_url, dismissed, env, from_fork, full_ref, merged_by, object_kind, permission,
    private, ref_type, repo, result, runner_kind, scope, seconds, tag_forced, trigger,
};
use super::fill::{branch_ref, coalesce, commit, gather, is_default, lower, ref_name, tag_ref, text_of};
use super::{Format, Id, LATEST, MapRow, Mapping, all, on};

/// The format.
pub static FORMAT: Format = Format {
    name: "gitlab-webhook",
    title: "GitLab webhooks and system hooks",
    product: "gitlab",
    service: "webhook",
    marks: &[
        &["object_kind", "object_attributes"],
        &["object_kind", "project", "ref"],
        &["object_kind", "project_id", "build_id"],
        &["object_kind", "project", "deployable_id"],
        &["object_kind", "project", "released_at"],
        &["event_name", "created_at", "updated_at"],
        &["event_name", "project_id", "ref"],
    ],
    containers: &[],
    mapping: Some(&MAPPING),
    trust: Trust::ControlPlane,
};

/// The mapping.
static MAPPING: Mapping = Mapping {
    // The delivery's id stands in a header. What a body names is the same in a redelivery, and differs between events.
    id: Id::Composed(&[
        "object_kind",
        "event_name",
        "project.id",
        "project_id",
        "group_id",
        "user.id",
        "user_id",
        "object_attributes.id",
        "object_attributes.action",
        "object_attributes.status",
        "object_attributes.state",
        "object_attributes.url",
        "object_attributes.updated_at",
        "object_attributes.finished_at",
        "object_attributes.oldrev",
        "build_id",
        "build_status",
        "build_finished_at",
        "build_started_at",
        "deployment_id",
        "status",
        "status_changed_at",
        "id",
        "action",
        "ref",
        "before",
        "after",
        "updated_at",
        "created_at",
        "received_at",
    ]),
    time: &[
        "status_changed_at",
        "build_finished_at",
        "build_started_at",
        "build_created_at",
        "object_attributes.finished_at",
        "object_attributes.updated_at",
        // Pushes and most system hooks have no time of their own; the receiver's comes next, where it adds one.
        "received_at",
        LATEST,
        "object_attributes.created_at",
        "builds.created_at",
        "builds.started_at",
        "builds.finished_at",
        "created_at",
        "updated_at",
        "commits.timestamp",
    ],
    action: "event_name",
    classify_paths: classes::PATHS,
    classify: classes::classify,
    rows: ROWS,
};

const CI: &[EventClass] = &[C::CiRun, C::CiJob];
const RUN: &[EventClass] = &[C::CiRun];
const JOB: &[EventClass] = &[C::CiJob];
const DEPLOY: &[EventClass] = &[C::DeployStarted, C::DeployFinished];
const PUSH: &[EventClass] = &[C::ScmPush];
const REF: &[EventClass] = &[C::ScmRef];
const CHANGE: &[EventClass] = &[C::ScmChange];
const ADMIN: &[EventClass] = &[C::ScmAdmin];
const RELEASE: &[EventClass] = &[C::RegistryPublish, C::RegistryDelete];

#[rustfmt::skip]
static ROWS: &[MapRow] = &[
    // Who and where. In system hooks `user_id` is who got or lost a right: nobody says who gave it.
    all("prov.org", &["group_id", "group.group_id"], text_of),
    all("prov.repo", &["project.web_url", "repository.homepage", "object_attributes.url"], repo),
    all("prov.repo_id", &["project.id", "project_id", "object_attributes.project_id"], text_of),
    on(
        &[
            C::CiRun, C::CiJob, C::DeployStarted, C::DeployFinished, C::ScmPush, C::ScmRef, C::ScmChange,
            C::IdentityAuth,
        ],
        "prov.actor_id", &["user.id", "user_id"], text_of,
    ),
    on(
        &[
            C::CiRun, C::CiJob, C::DeployStarted, C::DeployFinished, C::ScmPush, C::ScmRef, C::ScmChange,
            C::IdentityAuth,
        ],
        "prov.actor", &["user.username", "user_username", "username"], coalesce,
    ),
    // Pipelines and jobs.
    on(CI, "prov.commit", &["object_attributes.sha", "sha"], commit),
    on(CI, "prov.ref", &["object_attributes.ref", "object_attributes.tag", "ref", "tag"], full_ref),
    on(CI, "prov.change_id", &["merge_request.iid"], text_of),
    on(RUN, "prov.run_id", &["object_attributes.id"], text_of),
    on(JOB, "prov.run_id", &["pipeline_id"], text_of),
    on(RUN, "prov.trigger", &["object_attributes.source"], trigger),
    on(RUN, "from_fork", &["merge_request.source_project_id", "merge_request.target_project_id"], from_fork),
    on(CI, "result", &["object_attributes.status", "build_status"], result),
    on(CI, "duration", &["object_attributes.duration", "build_duration"], seconds),
    on(JOB, "prov.job_id", &["build_id"], text_of),
    on(JOB, "job_name", &["build_name"], coalesce),
    on(JOB, "prov.runner_id", &["runner.id"], text_of),
    on(JOB, "prov.runner_name", &["runner.description"], coalesce),
    on(JOB, "prov.runner_pool", &["runner.runner_type"], coalesce),
    on(JOB, "prov.runner_kind", &["runner.runner_type", "project.web_url", "repository.homepage"], runner_kind),
    on(JOB, "labels", &["runner.tags"], coalesce),
    on(JOB, "cause", &["build_status", "build_failure_reason"], cause),
    on(JOB, "env", &["environment.name"], coalesce),
    on(JOB, "prov.env", &["environment.deployment_tier", "environment.name"], env),
    // Deployments.
    on(DEPLOY, "prov.env", &["environment_tier", "environment", "environment_slug"], env),
    on(DEPLOY, "prov.commit", &["commit_url"], commit_of_url),
    on(DEPLOY, "prov.ref", &["ref"], coalesce),
    on(DEPLOY, "prov.job_id", &["deployable_id"], text_of),
    // Pushes and refs. `after` of an annotated tag is the tag's own object, `checkout_sha` its commit.
    on(PUSH, "prov.ref", &["ref"], full_ref),
    on(PUSH, "prov.commit", &["after"], commit),
    on(PUSH, "files", &["commits.added", "commits.modified", "commits.removed"], gather),
    on(PUSH, "ref_default", &["ref", "project.default_branch"], is_default),
    on(PUSH, "pusher_id", &["user_id"], text_of),
    on(PUSH, "author", &["commits.author.name"], coalesce),
    on(PUSH, "message", &["commits.message"], coalesce),
    on(&[C::ScmPush, C::ScmAdmin], "repo_private", &["project.visibility_level", "project_visibility"], private),
    on(REF, "prov.ref", &["ref"], full_ref),
    on(REF, "prov.commit", &["checkout_sha"], commit),
    on(REF, "type", &["ref"], ref_type),
    on(REF, "name", &["ref"], ref_name),
    on(REF, "forced", &["ref", "before", "after"], tag_forced),
    on(&[C::ScmPush, C::ScmRef], "old_sha", &["before"], commit),
    on(&[C::ScmPush, C::ScmRef], "new_sha", &["after"], commit),
    // Merge requests and comments on them.
    on(CHANGE, "prov.change_id", &["merge_request.iid", "object_attributes.iid"], text_of),
    on(
        CHANGE, "prov.commit",
        &[
            "object_attributes.merge_commit_sha", "object_attributes.last_commit.id", "merge_request.last_commit.id",
        ],
        commit,
    ),
    on(CHANGE, "prov.ref", &["object_attributes.target_branch", "merge_request.target_branch"], branch_ref),
    on(
        CHANGE, "from_fork",
        &[
            "object_attributes.source_project_id", "object_attributes.target_project_id",
            "merge_request.source_project_id", "merge_request.target_project_id",
        ],
        from_fork,
    ),
    on(CHANGE, "title", &["object_attributes.title", "merge_request.title"], coalesce),
    on(CHANGE, "branch", &["object_attributes.source_branch", "merge_request.source_branch"], coalesce),
    on(CHANGE, "author_id", &["merge_request.author_id", "object_attributes.author_id"], text_of),
    on(CHANGE, "comment", &["object_attributes.note"], coalesce),
    on(
        CHANGE, "approvers", &["object_attributes.action", "user.id", "reviewers.id", "reviewers.state"], approvers,
    ),
    on(CHANGE, "merged_by", &["object_attributes.action", "user.id"], merged_by),
    // System hooks: who got what. The key itself is left out, its number is enough.
    on(ADMIN, "object_kind", &["event_name"], object_kind),
    on(
        ADMIN, "object",
        &[
            "project_path_with_namespace", "path_with_namespace", "group_path", "full_path", "path", "id",
            "username",
        ],
        text_of,
    ),
    on(ADMIN, "subject", &["user_username", "username"], coalesce),
    on(ADMIN, "permission", &["event_name", "access_level", "group_access"], permission),
    on(ADMIN, "old", &["old_path_with_namespace", "old_full_path", "old_username"], coalesce),
    on(ADMIN, "new", &["project_visibility", "full_path", "username"], coalesce),
    on(ADMIN, "scope", &["project_id", "group_id"], scope),
    on(ADMIN, "key_id", &["id"], text_of),
    // Releases and findings.
    on(RELEASE, "repo", &["project.path_with_namespace"], lower),
    on(RELEASE, "prov.version", &["tag"], text_of),
    on(RELEASE, "prov.ref", &["tag"], tag_ref),
    on(RELEASE, "prov.commit", &["commit.id"], commit),
    on(&[C::RegistryDelete], "kind", &["object_kind"], coalesce),
    on(&[C::SecretFinding], "fp", &["object_attributes.url"], coalesce),
    on(&[C::SecretFinding, C::ScanFinding], "kind", &["object_attributes.report_type"], coalesce),
    on(&[C::ScanFinding, C::VulnFinding], "tool", &["object_attributes.report_type"], coalesce),
    on(&[C::ScanFinding, C::VulnFinding], "sev", &["object_attributes.severity"], lower),
    on(&[C::ScanFinding, C::VulnFinding], "dismissed", &["object_attributes.state"], dismissed),
    on(&[C::VulnFinding], "cve", &["object_attributes.identifiers.external_id"], advisory),
];

#[cfg(test)]
mod tests {
    #[test]
    fn the_table_fills_model_fields_once() {
        crate::format::fill::tests::check(super::ROWS);
    }
}
