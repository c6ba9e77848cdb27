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
            ("gitlab-webhook", "project.namespace"),
            ("sigstore-bundle", "certificate extension 17"),
            ("in-toto", "repository_owner_id"),
            ("oidc-exchange", "repository_owner_id, namespace_id"),
        ],
    ),
    text("prov.team", "Team that owns the repository, from the ownership map.", &[("enrichment", "ownership map")]),
    text(
        "prov.repo",
        "Source repository, `host/owner/name` in lower case.",
        &[
            ("github-audit", "repo, repository"),
            ("github-webhook", "repository.full_name"),
            ("gitlab-webhook", "project.path_with_namespace"),
            ("cloudtrail", "userIdentity.userName of a GitHub web identity"),
            ("in-toto", "externalParameters.workflow.repository, configSource.uri"),
            ("sigstore-bundle", "certificate extension 12"),
            ("sarif", "versionControlProvenance.repositoryUri"),
            ("secret-scan", "repository"),
            ("oidc-exchange", "claims iss and repository, project_path"),
        ],
    ),
    text(
        "prov.repo_id",
        "Immutable id of the source repository (a whole number as text).",
        &[
            ("github-audit", "repo_id, repository_id"),
            ("github-webhook", "repository.id"),
            ("gitlab-webhook", "project_id"),
            ("in-toto", "repository_id"),
            ("sigstore-bundle", "certificate extension 15"),
            ("oidc-exchange", "repository_id, project_id"),
        ],
    ),
    text(
        "prov.commit",
        "Full commit hash, hexadecimal.",
        &[
            ("github-audit", "head_sha, after"),
            ("github-webhook", "head_sha"),
            ("in-toto", "resolvedDependencies.digest.gitCommit"),
            ("sigstore-bundle", "certificate extension 13"),
            ("sarif", "versionControlProvenance.revisionId"),
            ("secret-scan", "Commit, SourceMetadata.Data.Git.commit"),
            ("oidc-exchange", "sha"),
        ],
    ),
    text(
        "prov.ref",
        "Git ref: `refs/heads/…`, `refs/tags/…`; the part after it is the author's choice.",
        &[
            ("github-audit", "ref, branch, head_branch"),
            ("github-webhook", "ref"),
            ("cloudtrail", "userIdentity.userName of a GitHub web identity"),
            ("in-toto", "externalParameters.workflow.ref, configSource.uri"),
            ("sigstore-bundle", "certificate extension 14"),
            ("sarif", "versionControlProvenance.branch"),
            ("oidc-exchange", "ref"),
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
            ("rekor", "build config URI"),
            ("in-toto", "GITHUB_WORKFLOW_REF, configSource.entryPoint"),
            ("sigstore-bundle", "certificate extension 18"),
            ("oidc-exchange", "job_workflow_ref, ci_config_ref_uri"),
        ],
    ),
    text(
        "prov.workflow_sha",
        "Digest of the workflow definition, hexadecimal.",
        &[
            ("github-audit", "job_workflow_sha"),
            ("rekor", "build config digest"),
            ("in-toto", "GITHUB_WORKFLOW_SHA"),
            ("sigstore-bundle", "certificate extension 19"),
            ("oidc-exchange", "job_workflow_sha, ci_config_sha"),
        ],
    ),
    text(
        "prov.trigger",
        "What started the run: push, pull_request, pull_request_target, workflow_run, \
        workflow_dispatch, schedule …",
        &[
            ("github-audit", "event"),
            ("github-webhook", "workflow_run.event"),
            ("rekor", "build trigger"),
            ("in-toto", "event_name"),
            ("sigstore-bundle", "certificate extension 20"),
            ("oidc-exchange", "event_name, pipeline_source"),
        ],
    ),
    text(
        "prov.run_id",
        "The provider's id of the run.",
        &[
            ("github-audit", "workflow_run_id"),
            ("github-webhook", "workflow_run.id"),
            ("gitlab-webhook", "object_attributes.id"),
            ("in-toto", "invocationId, GITHUB_RUN_ID"),
            ("sigstore-bundle", "certificate extension 21"),
            ("sarif", "properties.runId"),
            ("secret-scan", "run_id"),
            ("oidc-exchange", "run_id, pipeline_id"),
        ],
    ),
    integer(
        "prov.attempt",
        "Attempt of the run, from 1.",
        &[
            ("github-audit", "run_attempt"),
            ("github-webhook", "workflow_run.run_attempt"),
            ("in-toto", "invocationId, GITHUB_RUN_ATTEMPT"),
            ("sigstore-bundle", "certificate extension 21"),
            ("oidc-exchange", "run_attempt"),
        ],
    ),
    text(
        "prov.job_id",
        "The provider's id of the job.",
        &[
            ("github-webhook", "workflow_job.id"),
            ("github-audit", "check_run_id"),
            ("gitlab-webhook", "build_id"),
            ("sigstore-bundle", "certificate extension 21 of GitLab"),
            ("secret-scan", "job_id"),
            ("oidc-exchange", "check_run_id, job_id"),
        ],
    ),
    text(
        "prov.build_id",
        "Invocation id of the build.",
        &[("in-toto", "runDetails.metadata.invocationId"), ("aws-codebuild-codepipeline", "detail.build-id")],
    ),
    text(
        "prov.runner_id",
        "Id of the runner (a whole number as text).",
        &[("github-audit", "runner_id"), ("github-webhook", "workflow_job.runner_id")],
    ),
    text(
        "prov.runner_name",
        "Name of the runner: whoever registers it chooses it.",
        &[("github-audit", "runner_name"), ("github-webhook", "workflow_job.runner_name")],
    )
    .attacker_controlled(),
    text(
        "prov.runner_kind",
        "hosted or self_hosted.",
        &[
            ("github-audit", "is_hosted_runner, the registration of a runner"),
            ("rekor", "runner environment"),
            ("sigstore-bundle", "certificate extension 11"),
            ("in-toto", "internalParameters.github.runner_environment"),
            ("oidc-exchange", "runner_environment"),
        ],
    ),
    text(
        "prov.runner_pool",
        "Runner group or pool.",
        &[("github-audit", "runner_group_name"), ("github-webhook", "workflow_job.runner_group_name")],
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
            ("cloudtrail", "userIdentity.sessionContext.sessionIssuer.arn, userIdentity.arn, principalId"),
            ("kubernetes-audit", "user.username"),
            ("vault-audit", "auth.entity_id"),
            ("in-toto", "GITHUB_ACTOR_ID"),
            ("oidc-exchange", "sub, principalSubject, servicePrincipalId"),
        ],
    ),
    text(
        "prov.actor",
        "Login or name of who acted, for display only.",
        &[("github-audit", "actor"), ("cloudtrail", "sessionIssuer.userName, userIdentity.userName")],
    ),
    text(
        "prov.actor_kind",
        "human, bot, app, workload or service.",
        &[
            ("github-audit", "actor_is_bot, actor_is_agent, actor"),
            ("cloudtrail", "userIdentity.type, invokedBy"),
            ("oidc-exchange", "the format"),
        ],
    ),
    text(
        "prov.token_id",
        "The provider's hash or id of the credential, never the credential.",
        &[
            ("github-audit", "hashed_token, token_id"),
            ("cloudtrail", "userIdentity.accessKeyId"),
            ("vault-audit", "auth.accessor"),
            ("oidc-exchange", "jti"),
        ],
    ),
    text(
        "prov.token_kind",
        "pat_classic, pat_fine_grained, app_s2s, app_u2s, oauth, job, deploy_key, ssh_key, \
        static_key, session, web_identity …",
        &[
            ("github-audit", "programmatic_access_type"),
            ("cloudtrail", "userIdentity.accessKeyId (its prefix), userIdentity.type"),
            ("oidc-exchange", "iss"),
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
            ("in-toto", "subject.digest"),
            ("harbor", "event_data.resources.digest"),
            ("sigstore-bundle", "messageSignature.messageDigest, subject.digest"),
            ("rekor", "spec.data.hash"),
            ("cyclonedx", "metadata.component.hashes, purl"),
            ("spdx", "the one pkg:oci package"),
            ("sarif", "properties.digest"),
        ],
    ),
    text(
        "prov.artifact",
        "Artifact as package URL, without version.",
        &[
            ("cdevents", "subject.id"),
            ("in-toto", "subject.name"),
            ("cyclonedx", "metadata.component.purl"),
            ("spdx", "the one pkg:oci package"),
        ],
    ),
    text(
        "prov.version",
        "Version of the artifact.",
        &[("cdevents", "subject.id"), ("cyclonedx", "metadata.component.version"), ("in-toto", "subject.name")],
    ),
    text(
        "prov.attestation_id",
        "Transparency log index or digest of the signed bundle.",
        &[("rekor", "logIndex"), ("in-toto", "bundle digest"), ("sigstore-bundle", "tlogEntries.logIndex")],
    ),
    text(
        "prov.env",
        "Environment class: dev, staging or prod; the name as the source gives it is `env`.",
        &[
            ("github-audit", "environment_name"),
            ("cdevents", "environment.id"),
            ("cloudtrail", "userIdentity.userName of a GitHub web identity"),
            ("sigstore-bundle", "certificate extension 23"),
            ("oidc-exchange", "environment"),
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
