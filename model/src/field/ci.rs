//! Own fields of CI: runs, jobs, runners and caches.
//!
//! Must never hold the value of a secret.

use super::{FieldDoc, booleans, integer, text, texts};
use crate::class::EventClass as C;

pub(super) const FIELDS: &[FieldDoc] = &[
    text(
        "result",
        "How it ended, in the source's word: success, failure, cancelled; allow, deny; promoted, \
        rolled_back.",
        &[
            ("github-audit", "conclusion"),
            ("github-webhook", "conclusion"),
            ("opa-decision-log", "result"),
            ("gitlab-webhook", "object_attributes.status, build_status once it has ended"),
            ("cdevents", "outcome, decision"),
            ("jenkins-cloudevents", "build.status"),
            ("tekton-cloudevents", "status.conditions.reason"),
            ("aws-codebuild-codepipeline", "detail.build-status, state"),
            ("policy-report", "results.result"),
            ("kubernetes-audit", "responseStatus.message"),
            ("rollouts", "phase, trigger"),
        ],
    )
    .on(&[C::CiRun, C::CiJob, C::BuildFinished, C::PolicyDecision, C::DeployCanary]),
    text(
        "system_outcome",
        "ok, or error when the CI system itself failed: for its availability.",
        &[
            ("github-audit", "conclusion = startup_failure"),
            ("github-webhook", "workflow_run.conclusion = startup_failure"),
            ("cdevents", "outcome = error"),
            ("tekton-cloudevents", "status.conditions.reason"),
        ],
    )
    .on(&[C::CiRun]),
    integer(
        "duration",
        "How long it took.",
        &[
            ("github-webhook", "completed_at − started_at"),
            ("github-audit", "completed_at − started_at"),
            ("gitlab-webhook", "object_attributes.duration, build_duration"),
            ("jenkins-cloudevents", "build.duration"),
            ("tekton-cloudevents", "completionTime − startTime"),
            ("in-toto", "metadata.finishedOn − startedOn"),
        ],
    )
    .unit("ms")
    .on(&[C::CiRun, C::CiJob, C::BuildFinished]),
    texts("permissions", "Rights of the run's token: `contents:write`.", &[("enrichment", "run log")]).on(&[C::CiRun]),
    text(
        "approved_by",
        "Id of who let the run or deployment start.",
        &[
            ("github-audit", "actor_id of workflows.approve_workflow_job"),
            ("github-webhook", "approver.id"),
            ("gitlab-audit", "author_id of deployment_approved"),
            ("cdevents", "responder of an approval"),
        ],
    )
    .on(&[C::CiRun, C::CiJob]),
    text(
        "job_name",
        "Name of the job in the definition.",
        &[
            ("github-audit", "job_name"),
            ("github-webhook", "workflow_job.name, check_run.name"),
            ("gitlab-webhook", "build_name"),
            ("cdevents", "taskName"),
            ("tekton-cloudevents", "taskRef.name"),
            ("aws-codebuild-codepipeline", "detail.stage, project-name"),
        ],
    )
    .attacker_controlled()
    .on(&[C::CiJob]),
    texts(
        "secrets_passed",
        "Names of the secrets that the job received.",
        &[("github-audit", "secrets_passed (without `actions/`)")],
    )
    .on(&[C::CiJob]),
    texts(
        "secrets_declared",
        "Names of the secrets that the definition asks for.",
        &[
            ("enrichment", "workflow definition"),
            ("aws-codebuild-codepipeline", "detail.additional-information.environment.environment-variables.value"),
        ],
    )
    .on(&[C::CiJob]),
    integer(
        "secrets_count",
        "Number of secrets that the job received, the job's own token not counted.",
        &[("github-audit", "secrets_passed")],
    )
    .on(&[C::CiJob, C::RunnerNet, C::RunnerProcess, C::RunnerAgent]),
    text("checkout_sha", "Commit that was checked out.", &[("enrichment", "run log")]).on(&[C::CiJob]),
    text(
        "pr_head_sha",
        "Head of the pull request that the run is about.",
        &[("github-webhook", "workflow_run.pull_requests.head.sha")],
    )
    .on(&[C::CiJob, C::CiRun]),
    texts("actions_used.uses", "Third-party steps: `owner/name`, one for each use.", &[("enrichment", "run log")])
        .on(&[C::CiJob]),
    texts("actions_used.ref", "For each use: the ref in the definition.", &[("enrichment", "run log")]).on(&[C::CiJob]),
    texts("actions_used.resolved_sha", "For each use: the commit that ran.", &[("enrichment", "run log")])
        .on(&[C::CiJob]),
    booleans(
        "actions_used.on_branch",
        "For each use: the commit stands on a branch of that repository.",
        &[("enrichment", "commit look-up")],
    )
    .on(&[C::CiJob]),
    text(
        "env",
        "Environment as the definition names it; its class is `prov.env`.",
        &[
            ("github-audit", "environment_name"),
            ("github-webhook", "workflow_job_run.environment, deployment.environment"),
            ("gitlab-webhook", "environment.name"),
            ("gitlab-audit", "target_details of an environment"),
            ("cdevents", "name of an environment"),
            ("oidc-exchange", "environment"),
        ],
    )
    .attacker_controlled()
    .on(&[C::CiJob, C::ScmAdmin, C::SecretAdmin, C::IdentityExchange]),
    texts("declared_outputs", "Repositories and registries the job may write to.", &[("enrichment", "inventory")])
        .on(&[C::CiJob]),
    text(
        "step.name",
        "Name of the step.",
        &[
            ("github-webhook", "workflow_job.steps.name"),
            ("aws-codebuild-codepipeline", "detail.action, completed-phase"),
        ],
    )
    .attacker_controlled()
    .on(&[C::CiJob, C::RunnerNet]),
    text(
        "step.state",
        "State of the step: queued, in_progress, completed.",
        &[("github-webhook", "workflow_job.steps.status")],
    )
    .on(&[C::CiJob]),
    text(
        "cause",
        "Why it failed: config, code, system.",
        &[
            ("gitlab-webhook", "build_failure_reason"),
            ("cdevents", "outcome = error"),
            ("tekton-cloudevents", "status.conditions.reason"),
            ("aws-codebuild-codepipeline", "detail.build-status"),
        ],
    )
    .on(&[C::CiJob, C::CiRun]),
    texts(
        "labels",
        "Labels of the runner: whoever registers it chooses them.",
        &[
            ("github-audit", "runner_labels"),
            ("github-webhook", "workflow_job.labels"),
            ("gitlab-webhook", "runner.tags"),
        ],
    )
    .attacker_controlled()
    .on(&[C::CiRunner, C::CiJob]),
    text("image_digest", "Digest of the image the runner started from.", &[("enrichment", "pool inventory")])
        .on(&[C::CiRunner]),
    text("version", "Version of the runner's software.", &[("github-audit", "source_version")]).on(&[C::CiRunner]),
    text("entry", "Content digest or id of the cache entry.", &[("enrichment", "cache server")]).on(&[C::CiCache]),
    text("scope_ref", "Ref whose cache scope the entry stands in.", &[("enrichment", "cache server")])
        .on(&[C::CiCache]),
    text(
        "writer_trust",
        "untrusted, trusted or release: the workflow that wrote.",
        &[("enrichment", "workflow classes")],
    )
    .on(&[C::CiCache]),
    text(
        "workflow_trust",
        "untrusted, trusted or release: the workflow that acts now.",
        &[("enrichment", "workflow classes")],
    )
    .on(&[C::CiCache, C::RunnerFile]),
];
