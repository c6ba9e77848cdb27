//! Own fields of what happens on runners, of builds, signatures and registries.
//!
//! Must never hold the value of a secret.

use super::{FieldDoc, boolean, booleans, integer, integers, map, text, texts};
use crate::class::EventClass as C;

pub(super) const FIELDS: &[FieldDoc] = &[
    text("exe", "Path of the executable.", &[("falco", "proc.exepath, proc.exe")]).on(&[
        C::RunnerProcess,
        C::RunnerFile,
        C::RunnerNet,
        C::RuntimeIntegrity,
        C::RuntimeNet,
    ]),
    text("exe_sha256", "Digest of the executable, hexadecimal.", &[("enrichment", "image inventory")]).on(&[
        C::RunnerProcess,
        C::RunnerFile,
        C::RunnerNet,
    ]),
    text("cmdline", "Command line.", &[("falco", "proc.cmdline")]).attacker_controlled().on(&[C::RunnerProcess]),
    text("parent", "Name of the parent process.", &[("falco", "proc.pname")]).on(&[C::RunnerProcess]),
    texts("ancestors", "Names of the ancestors, nearest first.", &[("falco", "proc.pname, proc.aname[2] to [6]")])
        .on(&[C::RunnerProcess]),
    text(
        "target.name",
        "Process whose memory was read or that was traced.",
        &[("falco", "evt.arg.pid, evt.arg.target")],
    )
    .on(&[C::RunnerProcess]),
    text(
        "fd_redirect",
        "What a standard stream was redirected to: socket (of the network), pipe, file.",
        &[("falco", "evt.type, fd.type")],
    )
    .on(&[C::RunnerProcess]),
    text(
        "env.runner_tracking_id",
        "The runner's mark in the process's environment, by which it cleans up.",
        &[("falco", "proc.env, proc.env[RUNNER_TRACKING_ID]")],
    )
    .attacker_controlled()
    .on(&[C::RunnerProcess]),
    text(
        "path",
        "Path of the file; of a policy decision: of the rule.",
        &[
            ("falco", "fd.name"),
            ("opa-decision-log", "path"),
            ("policy-report", "results.rule, kind of the constraint"),
        ],
    )
    .on(&[C::RunnerFile, C::RuntimeIntegrity, C::PolicyDecision]),
    text("sha256", "Digest of the file, hexadecimal.", &[("enrichment", "image inventory")])
        .on(&[C::RunnerFile, C::RuntimeIntegrity]),
    text("expected_sha256", "Digest the file was delivered with.", &[("enrichment", "image inventory")])
        .on(&[C::RuntimeIntegrity]),
    text("stage", "Where in the job: checkout, build, test, publish, clean_up.", &[("enrichment", "step map")])
        .on(&[C::RunnerFile]),
    boolean("vcs_tracked", "The path is under version control.", &[("runner-sensor", "vcs_tracked")])
        .on(&[C::RunnerFile]),
    integer("bytes_out", "Bytes sent.", &[("enrichment", "egress proxy")])
        .unit("bytes")
        .on(&[C::RunnerNet, C::RuntimeNet]),
    texts(
        "outputs",
        "Digests of what was built.",
        &[
            ("cdevents", "artifactId, subject.id"),
            ("aws-codebuild-codepipeline", "detail.additional-information.artifact.sha256sum"),
            ("in-toto", "subject.digest"),
        ],
    )
    .on(&[C::BuildFinished]),
    texts(
        "materials",
        "What it was built from.",
        &[
            ("aws-codebuild-codepipeline", "detail.additional-information.source.location"),
            ("in-toto", "resolvedDependencies.uri"),
        ],
    )
    .on(&[C::BuildFinished]),
    text(
        "builder",
        "Identity of the builder.",
        &[("aws-codebuild-codepipeline", "detail.build-id (its project)"), ("in-toto", "runDetails.builder.id")],
    )
    .on(&[C::BuildFinished, C::SignAttestation, C::VerifySignature]),
    map("params", "Parameters of the build.", &[("in-toto", "buildDefinition.externalParameters")])
        .on(&[C::BuildFinished]),
    boolean("deterministic", "Building again must give the same bytes.", &[("enrichment", "build inventory")])
        .on(&[C::BuildFinished, C::VerifyRebuild]),
    text("channel", "release, candidate or development.", &[("enrichment", "repository inventory")]).on(&[
        C::BuildFinished,
        C::RegistryPush,
        C::RegistryPull,
        C::RegistryDelete,
        C::RegistryAcl,
        C::RegistryPublish,
        C::RegistryRequest,
        C::VerifyRebuild,
    ]),
    text(
        "format",
        "cyclonedx or spdx.",
        &[("cyclonedx", "bomFormat"), ("spdx", "spdxVersion"), ("in-toto", "predicateType")],
    )
    .on(&[C::SbomGenerated]),
    texts(
        "components.purl",
        "Components as package URLs.",
        &[
            ("cyclonedx", "components.purl"),
            ("spdx", "packages.externalRefs.referenceLocator"),
            ("in-toto", "predicate.components.purl"),
        ],
    )
    .on(&[C::SbomGenerated]),
    integers("components.age_h", "For each component: age of its release.", &[("enrichment", "package index")])
        .unit("hours")
        .on(&[C::SbomGenerated]),
    booleans(
        "components.install_script",
        "For each component: it runs code when it is installed.",
        &[("enrichment", "package index")],
    )
    .on(&[C::SbomGenerated]),
    text(
        "issuer",
        "Who issued the signer's certificate or token.",
        &[
            ("rekor", "certificate extension: issuer"),
            ("sigstore-bundle", "certificate extension 8"),
            ("oidc-exchange", "iss, resourceName"),
        ],
    )
    .on(&[C::SignSignature, C::SignAttestation, C::RekorEntry, C::KmsSign, C::KmsAdmin, C::IdentityExchange]),
    text(
        "san",
        "Subject of the signing certificate.",
        &[
            ("rekor", "certificate subject alternative name"),
            ("sigstore-bundle", "certificate subject alternative name"),
        ],
    )
    .on(&[C::SignSignature, C::SignAttestation, C::RekorEntry]),
    text(
        "signer_uri",
        "Workflow that signed.",
        &[("rekor", "certificate extension: build signer URI"), ("sigstore-bundle", "certificate extension 9")],
    )
    .on(&[C::SignSignature, C::SignAttestation, C::RekorEntry]),
    text(
        "runner_env",
        "Where the signer or the caller ran: github-hosted, self-hosted.",
        &[
            ("rekor", "certificate extension: runner environment"),
            ("sigstore-bundle", "certificate extension 11"),
            ("oidc-exchange", "runner_environment"),
        ],
    )
    .on(&[C::SignSignature, C::SignAttestation, C::RekorEntry, C::IdentityExchange]),
    text(
        "source_repo",
        "Repository the signing certificate names.",
        &[("rekor", "certificate extension: source repository"), ("sigstore-bundle", "certificate extension 12")],
    )
    .on(&[C::SignSignature, C::SignAttestation, C::RekorEntry]),
    text(
        "run_uri",
        "Run the signing certificate names.",
        &[("rekor", "certificate extension: run invocation"), ("sigstore-bundle", "certificate extension 21")],
    )
    .on(&[C::SignAttestation, C::RekorEntry]),
    text("predicate_type", "Type of the statement.", &[("in-toto", "predicateType")]).on(&[C::SignAttestation]),
    text(
        "key",
        "Key: of the key service, its id or ARN; of a cache, the cache key.",
        &[
            ("cloudtrail", "resources.ARN, requestParameters.keyId"),
            ("vault-audit", "request.path of a transit mount"),
            ("sigstore-bundle", "publicKey.hint"),
        ],
    )
    .on(&[C::CiCache, C::KmsSign, C::KmsAdmin, C::SignSignature, C::IdentityUse]),
    boolean("ok", "The check passed.", &[("policy-report", "results.result"), ("flux", "reason")])
        .on(&[C::VerifySignature, C::VerifyRebuild]),
    text(
        "reason",
        "Why it did not pass; of a refused call: the error code.",
        &[
            ("cloudtrail", "errorCode"),
            ("github-audit", "explanation, dismiss_reason"),
            ("github-webhook", "alert.resolution, alert.dismissed_reason"),
            ("policy-report", "results.message"),
            ("vault-audit", "error"),
            ("kubernetes-audit", "responseStatus.reason"),
            ("flux", "reason"),
            ("oidc-exchange", "error, status.message"),
            ("cyclonedx", "analysis.justification"),
        ],
    )
    .on(&[
        C::VerifySignature,
        C::VerifyRebuild,
        C::IdentityExchange,
        C::IdentityAuth,
        C::IdentityUse,
        C::SecretAccess,
        C::VulnFinding,
        C::IdentityTokenRevoked,
        C::SecretFinding,
    ]),
    boolean("cached", "The answer is an earlier one.", &[("enrichment", "admission controller's cache")])
        .on(&[C::VerifySignature]),
    text("rebuilt_digest", "Digest of the second build.", &[("in-toto", "rebuilder")]).on(&[C::VerifyRebuild]),
    text(
        "repo",
        "Repository in the registry. The source repository is `prov.repo`.",
        &[
            ("cloudtrail", "requestParameters.repositoryName"),
            ("ecr-eventbridge", "detail.repository-name"),
            ("harbor", "event_data.repository.repo_full_name"),
            ("github-webhook", "package.owner.login, package.name"),
            ("gitlab-webhook", "project.path_with_namespace"),
            ("gitlab-audit", "target_details"),
            ("cdevents", "repository_url of the package URL"),
            ("oci-distribution", "events.target.repository"),
            ("package-feed", "name, info.name"),
        ],
    )
    .on(&[
        C::RegistryPush,
        C::RegistryPull,
        C::RegistryDelete,
        C::RegistryAcl,
        C::RegistryPublish,
        C::RegistryRequest,
    ]),
    text(
        "tag",
        "Tag of the image.",
        &[
            ("cloudtrail", "requestParameters.imageTag, imageIds.imageTag"),
            ("ecr-eventbridge", "detail.image-tag"),
            ("harbor", "event_data.resources.tag"),
            ("github-webhook", "package_version.container_metadata.tag.name"),
            ("cdevents", "tag of the package URL"),
            ("oci-distribution", "events.target.tag"),
        ],
    )
    .on(&[
        C::RegistryPush,
        C::RegistryPull,
        C::RegistryDelete,
        C::RegistryAcl,
        C::RegistryPublish,
        C::RegistryRequest,
    ]),
    text("prev_digest", "Digest that the tag or the service had before.", &[("enrichment", "last value")]).on(&[
        C::RegistryPush,
        C::DeployStarted,
        C::DeployFinished,
        C::DeployRolledback,
    ]),
    boolean(
        "immutable",
        "Tags of the repository cannot be overwritten.",
        &[("cloudtrail", "requestParameters.imageTagMutability"), ("enrichment", "repository inventory")],
    )
    .on(&[C::RegistryPush, C::RegistryAcl]),
    boolean(
        "public_grant",
        "The change grants access to everybody.",
        &[("cloudtrail", "requestParameters.policyText")],
    )
    .on(&[C::RegistryAcl]),
    boolean(
        "retention_cut",
        "The change lets images expire that did not before.",
        &[("cloudtrail", "PutLifecyclePolicy")],
    )
    .on(&[C::RegistryAcl]),
    boolean(
        "scan_off",
        "The change turns scanning off.",
        &[
            ("cloudtrail", "requestParameters.imageScanningConfiguration.scanOnPush"),
            ("ecr-eventbridge", "detail.repositories.scan-frequency, previous-scan-frequency"),
        ],
    )
    .on(&[C::RegistryAcl]),
    boolean(
        "install_script",
        "The package runs code of its own when it is installed.",
        &[("package-feed", "doc.versions.scripts.preinstall, install, postinstall; urls.packagetype")],
    )
    .on(&[C::RegistryPublish]),
    integer("status", "HTTP status.", &[("oci-distribution", "http.response.status of the access log")])
        .on(&[C::RegistryRequest]),
    integer("latency", "Time to answer.", &[("oci-distribution", "http.response.duration of the access log")])
        .unit("ms")
        .on(&[C::RegistryRequest]),
];
