//! GitHub's webhooks, as repositories, organisations and applications send them: one JSON body for each event.
//!
//! Must never need the header that names the event, and never take a name for an identity: repositories, people and
//! runs are keyed by GitHub's numbers.

mod classes;
mod fields;
mod keys;
mod rows;

use model::Trust;

pub(super) use self::fields::verified;
use super::{Format, Id, LATEST, Mapping};

/// The format.
pub static FORMAT: Format = Format {
    name: "github-webhook",
    title: "GitHub webhooks",
    product: "github",
    service: "webhook",
    marks: &[
        &["sender.login", "repository.full_name"],
        &["sender.login", "organization.login"],
        &["sender.login", "installation.app_id"],
        &["sender.login", "installation.account"],
        &["zen", "hook_id"],
    ],
    containers: &[],
    mapping: Some(&MAPPING),
    trust: Trust::ControlPlane,
};

/// The mapping.
static MAPPING: Mapping = Mapping {
    // The delivery's id stands in a header. What a body names (who, what, which attempt, when) is the same in a
    // redelivery, and differs between any two events.
    id: Id::Composed(&[
        "repository.id",
        "organization.id",
        "installation.target_id",
        "sender.id",
        "action",
        "workflow_run.id",
        "workflow_run.run_attempt",
        "workflow_run.updated_at",
        "workflow_job.id",
        "workflow_job.run_attempt",
        "workflow_job.status",
        "workflow_job_run.id",
        "check_run.id",
        "check_run.check_suite.id",
        "check_run.completed_at",
        "check_suite.id",
        "check_suite.updated_at",
        "deployment_status.id",
        "deployment.id",
        "pull_request.id",
        "pull_request.updated_at",
        "review.id",
        "comment.id",
        "comment.updated_at",
        "label.id",
        "release.id",
        "release.updated_at",
        "package.package_version.id",
        "package.updated_at",
        "registry_package.package_version.id",
        "registry_package.updated_at",
        "alert.number",
        "alert.updated_at",
        "alert.html_url",
        "location.details.commit_sha",
        "location.details.path",
        "rule.id",
        "rule.updated_at",
        "repository_ruleset.id",
        "repository_ruleset.updated_at",
        "personal_access_token_request.id",
        "member.id",
        "membership.user.id",
        "team.id",
        "key.id",
        "hook_id",
        "installation.updated_at",
        "ref",
        "before",
        "after",
        "workflow",
        "repository.pushed_at",
        "repository.updated_at",
        "received_at",
    ]),
    time: &[
        "workflow_job.completed_at",
        "workflow_job.started_at",
        "workflow_job.created_at",
        "deployment_status.updated_at",
        "deployment_status.created_at",
        "check_run.completed_at",
        "check_run.started_at",
        "check_suite.updated_at",
        "since",
        "deployment.updated_at",
        "deployment.created_at",
        "workflow_run.updated_at",
        "comment.updated_at",
        "comment.created_at",
        "review.updated_at",
        "review.submitted_at",
        "pull_request.updated_at",
        "release.updated_at",
        "release.published_at",
        "package.updated_at",
        "registry_package.updated_at",
        "alert.updated_at",
        "alert.fixed_at",
        "alert.dismissed_at",
        "alert.resolved_at",
        "alert.created_at",
        // The rest have no time of their own; the receiver's comes next, where it adds one.
        "received_at",
        LATEST,
        "rule.updated_at",
        "repository_ruleset.updated_at",
        "personal_access_token_request.created_at",
        "key.created_at",
        "hook.updated_at",
        "installation.updated_at",
        "repository.pushed_at",
        "repository.updated_at",
        "repository.created_at",
    ],
    action: "action",
    classify_paths: keys::PATHS,
    classify: classes::classify,
    rows: rows::ROWS,
};
