//! Provenance: the keys by which events are joined, from the token to the running workload.
//!
//! Must never hold a display name where the source has an id.

use super::{FieldDoc, boolean, integer, text};

pub(super) const FIELDS: &[FieldDoc] = &[
    text(
        "prov.org",
        "Immutable id of the owner: organisation id, cloud account.",
        &[
            ("github-audit", "org_id, else org, else business_id"),
            ("cloudtrail", "recipientAccountId, userIdentity.accountId"),
            ("ecr-eventbridge", "account"),
            ("github-webhook", "organization.id, repository.owner.id"),
            ("gitlab-webhook", "group_id"),
            ("gitlab-audit", "entity_id of a group"),
        ],
    ),
    text("prov.team", "Team that owns the repository, from the ownership map.", &[("enrichment", "ownership map")]),
    text(
        "prov.repo",
        "Source repository, `host/owner/name` in lower case.",
        &[
            ("github-audit", "repo, repository"),
            ("github-webhook", "repository.html_url"),
            ("gitlab-webhook", "project.web_url, repository.homepage"),
            ("cloudtrail", "userIdentity.userName of a GitHub web identity"),
        ],
    ),
    text(
        "prov.repo_id",
        "Immutable id of the source repository (a whole number as text).",
        &[
            ("github-audit", "repo_id, repository_id"),
            ("github-webhook", "repository.id"),
            ("gitlab-webhook", "project.id, project_id"),
            ("gitlab-audit", "entity_id of a project"),
        ],
    ),
    text(
        "prov.commit",
        "Full commit hash, hexadecimal.",
        &[
            ("github-audit", "head_sha, after"),
            ("github-webhook", "head_sha, after, deployment.sha, pull_request.merge_commit_sha"),
            ("gitlab-webhook", "sha, after, object_attributes.last_commit.id"),
            ("in-toto-slsa", "resolvedDependencies.digest.gitCommit"),
        ],
    ),
    text(
        "prov.ref",
        "Git ref: `refs/heads/…`, `refs/tags/…`; the part after it is the author's choice.",
        &[
            ("github-audit", "ref, branch, head_branch"),
            ("github-webhook", "ref, head_branch, pull_request.base.ref"),
            ("gitlab-webhook", "ref, object_attributes.ref, object_attributes.target_branch"),
            ("cloudtrail", "userIdentity.userName of a GitHub web identity"),
        ],
    )
    .attacker_controlled(),
    text(
        "prov.change_id",
        "Number of the pull or merge request.",
        &[
            ("github-webhook", "pull_request.number"),
            ("gitlab-webhook", "object_attributes.iid"),
            ("github-audit", "pull_request_id"),
        ],
    ),
    text(
        "prov.workflow",
        "Definition that runs: path at ref; its id where the source has no path. Never its \
        display name.",
        &[
            ("github-audit", "job_workflow_ref, workflow_id"),
            ("github-webhook", "repository.full_name, workflow_run.path"),
            ("rekor", "build config URI"),
        ],
    ),
    text(
        "prov.workflow_sha",
        "Digest of the workflow definition, hexadecimal.",
        &[("github-audit", "job_workflow_sha"), ("rekor", "build config digest")],
    ),
    text(
        "prov.trigger",
        "What started the run: push, pull_request, pull_request_target, workflow_run, \
        workflow_dispatch, schedule …",
        &[
            ("github-audit", "event"),
            ("github-webhook", "workflow_run.event"),
            ("gitlab-webhook", "object_attributes.source"),
            ("rekor", "build trigger"),
        ],
    ),
    text(
        "prov.run_id",
        "The provider's id of the run.",
        &[
            ("github-audit", "workflow_run_id"),
            ("github-webhook", "workflow_run.id, workflow_job.run_id"),
            ("gitlab-webhook", "object_attributes.id, pipeline_id"),
        ],
    ),
    integer(
        "prov.attempt",
        "Attempt of the run, from 1.",
        &[("github-audit", "run_attempt"), ("github-webhook", "workflow_run.run_attempt, workflow_job.run_attempt")],
    ),
    text(
        "prov.job_id",
        "The provider's id of the job.",
        &[
            ("github-webhook", "workflow_job.id, check_run.id"),
            ("github-audit", "check_run_id"),
            ("gitlab-webhook", "build_id, deployable_id"),
        ],
    ),
    text(
        "prov.build_id",
        "Invocation id of the build.",
        &[("in-toto-slsa", "runDetails.metadata.invocationId"), ("aws-codebuild-codepipeline", "detail.build-id")],
    ),
    text(
        "prov.runner_id",
        "Id of the runner (a whole number as text).",
        &[
            ("github-audit", "runner_id"),
            ("github-webhook", "workflow_job.runner_id"),
            ("gitlab-webhook", "runner.id"),
            ("gitlab-audit", "target_id of a runner"),
        ],
    ),
    text(
        "prov.runner_name",
        "Name of the runner: whoever registers it chooses it.",
        &[
            ("github-audit", "runner_name"),
            ("github-webhook", "workflow_job.runner_name"),
            ("gitlab-webhook", "runner.description"),
            ("gitlab-audit", "target_details of a runner"),
        ],
    )
    .attacker_controlled(),
    text(
        "prov.runner_kind",
        "hosted or self_hosted.",
        &[
            ("github-audit", "is_hosted_runner, the registration of a runner"),
            ("github-webhook", "workflow_job.runner_group_name, labels"),
            ("gitlab-webhook", "runner.runner_type and the instance"),
            ("rekor", "runner environment"),
        ],
    ),
    text(
        "prov.runner_pool",
        "Runner group or pool.",
        &[
            ("github-audit", "runner_group_name"),
            ("github-webhook", "workflow_job.runner_group_name"),
            ("gitlab-webhook", "runner.runner_type"),
        ],
    ),
    boolean(
        "prov.runner_ephemeral",
        "The runner serves one job and is discarded.",
        &[("github-audit", "ephemeral"), ("enrichment", "pool inventory")],
    ),
    text(
        "prov.actor_id",
        "Immutable id of who acted; the issuing role or user in a cloud, never a session name.",
        &[
            ("github-audit", "actor_id, else actor"),
            ("github-webhook", "sender.id"),
            ("gitlab-webhook", "user.id, user_id"),
            ("gitlab-audit", "author_id, else details.author_class and author_name"),
            ("cloudtrail", "userIdentity.sessionContext.sessionIssuer.arn, userIdentity.arn, principalId"),
            ("kubernetes-audit", "user.username"),
            ("vault-audit", "auth.entity_id"),
        ],
    ),
    text(
        "prov.actor",
        "Login or name of who acted, for display only.",
        &[
            ("github-audit", "actor"),
            ("github-webhook", "sender.login"),
            ("gitlab-webhook", "user.username, user_username"),
            ("gitlab-audit", "author_name"),
            ("cloudtrail", "sessionIssuer.userName, userIdentity.userName"),
        ],
    ),
    text(
        "prov.actor_kind",
        "human, bot, app, workload or service.",
        &[
            ("github-audit", "actor_is_bot, actor_is_agent, actor"),
            ("github-webhook", "sender.type"),
            ("gitlab-audit", "details.author_class"),
            ("cloudtrail", "userIdentity.type, invokedBy"),
        ],
    ),
    text(
        "prov.token_id",
        "The provider's hash or id of the credential, never the credential.",
        &[
            ("github-audit", "hashed_token, token_id"),
            ("cloudtrail", "userIdentity.accessKeyId"),
            ("vault-audit", "auth.accessor"),
        ],
    ),
    text(
        "prov.token_kind",
        "pat_classic, pat_fine_grained, app_s2s, app_u2s, oauth, job, deploy_key, ssh_key, \
        static_key, session, web_identity …",
        &[
            ("github-audit", "programmatic_access_type"),
            ("gitlab-audit", "details.author_class"),
            ("cloudtrail", "userIdentity.accessKeyId (its prefix), userIdentity.type"),
        ],
    ),
    text(
        "prov.session",
        "Session in which the credential was used.",
        &[("cloudtrail", "userIdentity.principalId of a role session"), ("github-audit", "session_id")],
    )
    .attacker_controlled(),
    text(
        "prov.digest",
        "Artifact digest, `sha256:…`; the index and each child manifest stand for themselves.",
        &[
            ("cloudtrail", "responseElements.image.imageId.imageDigest, requestParameters.imageDigest"),
            ("ecr-eventbridge", "detail.image-digest"),
            ("in-toto-slsa", "subject.digest"),
            ("harbor", "event_data.resources.digest"),
            ("github-webhook", "package_version.version, container_metadata.manifest.digest, package_files.sha256"),
        ],
    ),
    text(
        "prov.artifact",
        "Artifact as package URL, without version.",
        &[("cdevents", "subject.id"), ("in-toto-slsa", "subject.name"), ("cyclonedx", "metadata.component.purl")],
    ),
    text(
        "prov.version",
        "Version of the artifact.",
        &[
            ("cdevents", "subject.id"),
            ("cyclonedx", "metadata.component.version"),
            ("github-webhook", "package_version.version, release.tag_name"),
            ("gitlab-webhook", "tag of a release"),
        ],
    ),
    text(
        "prov.attestation_id",
        "Transparency log index or digest of the signed bundle.",
        &[("rekor", "logIndex"), ("in-toto-slsa", "bundle digest")],
    ),
    text(
        "prov.env",
        "Environment class: dev, staging or prod; the name as the source gives it is `env`.",
        &[
            ("github-audit", "environment_name"),
            ("github-webhook", "deployment.environment, workflow_job_run.environment"),
            ("gitlab-webhook", "environment_tier, environment.deployment_tier, environment"),
            ("gitlab-audit", "target_details of an environment"),
            ("cdevents", "environment.id"),
            ("cloudtrail", "userIdentity.userName of a GitHub web identity"),
        ],
    ),
    text(
        "prov.service",
        "Service or workload.",
        &[
            ("cloudtrail", "requestParameters.service, functionName, applicationName"),
            ("cdevents", "service.id"),
            ("kubernetes-audit", "objectRef.name"),
        ],
    ),
    text(
        "prov.cluster",
        "Cluster that runs the workload.",
        &[("cloudtrail", "requestParameters.cluster"), ("enrichment", "source configuration")],
    ),
    text("prov.region", "Cloud region of the event.", &[("cloudtrail", "awsRegion"), ("ecr-eventbridge", "region")]),
    integer(
        "prov.tier",
        "How critical the repository or service is: 1 is the most, from the inventory.",
        &[("enrichment", "inventory")],
    ),
];
