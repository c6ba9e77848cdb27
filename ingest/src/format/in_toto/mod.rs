//! in-toto statements (v0.1, v1) with any predicate, alone, in DSSE envelopes and in Sigstore bundles.
//!
//! An envelope or bundle is `sign.attestation` (or `sign.signature`), the provenance in it `build.finished`. Must never
//! say that a signature is good: decoding is not verifying.

mod classes;
mod fields;

use EventClass as C;
use model::{EventClass, Trust};

pub(super) use self::fields::{Statement, payload_digests, sigstore_digest};
use self::fields::{
    attempt, bundle_digest, commit, components, from_payload, git_ref, outputs, repo_id, run_id, sbom_format, workflow,
};
use super::fill::{coalesce, duration_ms, gather, lower, purl_name, purl_version, repo, text_of};
use super::fulcio::with_certificate;
use super::{Container, Format, Id, MapRow, Mapping, fulcio, on};

/// Statements and DSSE envelopes.
pub static FORMAT: Format = Format {
    name: "in-toto",
    title: "in-toto statements and DSSE envelopes (SLSA provenance, SBOM and scan attestations)",
    product: "in-toto",
    service: "attestation",
    marks: &[&["_type", "predicateType", "subject"], &["payloadType", "payload", "signatures"]],
    containers: &[Container::EncodedPart("payload")],
    mapping: Some(&MAPPING),
    trust: Trust::Tenant,
};

/// Sigstore bundles; one mapping serves both, since a bundle's payload is a statement.
pub static BUNDLE: Format = Format {
    name: "sigstore-bundle",
    title: "Sigstore bundles (v0.1 to v0.3), npm's and GitHub's lists of them",
    product: "sigstore",
    service: "bundle",
    marks: &[
        &["mediaType", "verificationMaterial"],
        &["attestations.bundle.verificationMaterial"],
        &["bundle.verificationMaterial"],
    ],
    containers: &[
        Container::Array("attestations"),
        Container::Envelope("bundle"),
        Container::EncodedPart("dsseEnvelope.payload"),
    ],
    mapping: Some(&MAPPING),
    trust: Trust::Tenant,
};

/// The mapping.
static MAPPING: Mapping = Mapping {
    id: Id::FirstJoined(&[
        &["^.verificationMaterial.tlogEntries.logIndex", "^.verificationMaterial.tlogEntries.logId.keyId", "^index"],
        &["^.dsseEnvelope.signatures.sig", "^index"],
        &["^.signatures.sig", "^index"],
        &["verificationMaterial.tlogEntries.logIndex", "verificationMaterial.tlogEntries.logId.keyId"],
        &["dsseEnvelope.signatures.sig"],
        &["messageSignature.signature"],
        &["signatures.sig"],
        &["predicate.runDetails.metadata.invocationId", "predicateType", "subject.digest.sha256"],
        &["predicate.metadata.buildInvocationId", "predicateType", "subject.digest.sha256"],
        &["predicate.metadata.buildInvocationID", "predicateType", "subject.digest.sha256"],
        &["subject.digest.sha256", "predicateType", "predicate.timeVerified", "predicate.metadata.scanFinishedOn"],
    ]),
    time: &[
        "predicate.runDetails.metadata.finishedOn",
        "predicate.metadata.buildFinishedOn",
        "predicate.timeVerified",
        "predicate.metadata.scanFinishedOn",
        "predicate.metadata.timestamp",
        "predicate.creationInfo.created",
        "predicate.runDetails.metadata.startedOn",
        "predicate.metadata.buildStartedOn",
        "verificationMaterial.tlogEntries.integratedTime",
        "^.verificationMaterial.tlogEntries.integratedTime",
    ],
    action: "predicateType",
    classify_paths: classes::PATHS,
    classify: classes::classify,
    rows: &ROWS,
};

const BUILD: &[EventClass] = &[C::BuildFinished];
const STATED: &[EventClass] = &[C::BuildFinished, C::SbomGenerated, C::ScanResult];
const SIGNED: &[EventClass] = &[C::SignAttestation, C::SignSignature];
const ATTESTED: &[EventClass] = &[C::SignAttestation];
const SBOM: &[EventClass] = &[C::SbomGenerated];

const DIGESTS: &[&str] = &["subject.digest.sha256", "subject.digest.sha384", "subject.digest.sha512"];

/// Who built: SLSA v1 and v0.2, and what GitHub's builders add.
const SOURCE: &[&str] = &[
    "predicate.buildDefinition.externalParameters.workflow.repository",
    "predicate.buildDefinition.externalParameters.source.uri",
    "predicate.invocation.configSource.uri",
    "predicate.buildDefinition.resolvedDependencies.uri",
    "predicate.materials.uri",
];

static ROWS: [MapRow; OWN.len() + fulcio::ROWS.len()] = with_certificate(OWN);

#[rustfmt::skip]
const OWN: &[MapRow] = &[
    // What was made, and of what.
    on(STATED, "prov.digest", DIGESTS, outputs),
    on(STATED, "prov.artifact", &["subject.name"], purl_name),
    on(STATED, "prov.version", &["subject.name"], purl_version),
    on(BUILD, "outputs", DIGESTS, outputs),
    on(
        BUILD, "materials",
        &["predicate.buildDefinition.resolvedDependencies.uri", "predicate.materials.uri"], gather,
    ),
    on(BUILD, "builder", &["predicate.runDetails.builder.id", "predicate.builder.id"], coalesce),
    on(
        BUILD, "duration",
        &["predicate.runDetails.metadata.startedOn", "predicate.runDetails.metadata.finishedOn"], duration_ms,
    ),
    on(BUILD, "params.workflow.ref", &["predicate.buildDefinition.externalParameters.workflow.ref"], coalesce),
    on(BUILD, "params.workflow.path", &["predicate.buildDefinition.externalParameters.workflow.path"], coalesce),
    on(BUILD, "params.configPath", &["predicate.buildDefinition.externalParameters.configPath"], coalesce),
    on(BUILD, "params.builderImage", &["predicate.buildDefinition.externalParameters.builderImage.uri"], coalesce),
    // The run, as the builder says it.
    on(BUILD, "prov.repo", SOURCE, repo),
    on(
        BUILD, "prov.repo_id",
        &[
            "predicate.buildDefinition.internalParameters.github.repository_id",
            "predicate.buildDefinition.internalParameters.GITHUB_REPOSITORY_ID",
            "predicate.invocation.environment.GITHUB_REPOSITORY_ID",
            "predicate.invocation.environment.github_repository_id",
        ],
        repo_id,
    ),
    on(
        BUILD, "prov.org",
        &[
            "predicate.buildDefinition.internalParameters.github.repository_owner_id",
            "predicate.buildDefinition.internalParameters.GITHUB_REPOSITORY_OWNER_ID",
            "predicate.invocation.environment.GITHUB_REPOSITORY_OWNER_ID",
            "predicate.invocation.environment.github_repository_owner_id",
        ],
        text_of,
    ),
    on(
        BUILD, "prov.commit",
        &[
            "predicate.buildDefinition.externalParameters.source.digest.sha1",
            "predicate.buildDefinition.resolvedDependencies.digest.gitCommit",
            "predicate.buildDefinition.resolvedDependencies.digest.sha1",
            "predicate.invocation.configSource.digest.sha1",
            "predicate.materials.digest.sha1",
            "predicate.buildDefinition.internalParameters.GITHUB_SHA",
        ],
        commit,
    ),
    on(
        BUILD, "prov.ref",
        &[
            "predicate.buildDefinition.externalParameters.workflow.ref",
            "predicate.buildDefinition.internalParameters.GITHUB_REF",
            "predicate.invocation.environment.GITHUB_REF", "predicate.invocation.environment.github_ref",
            "predicate.buildDefinition.externalParameters.source.uri", "predicate.invocation.configSource.uri",
        ],
        git_ref,
    ),
    on(
        BUILD, "prov.workflow",
        &[
            "predicate.buildDefinition.internalParameters.GITHUB_WORKFLOW_REF",
            "predicate.invocation.environment.GITHUB_WORKFLOW_REF",
            "predicate.buildDefinition.externalParameters.workflow.repository",
            "predicate.buildDefinition.externalParameters.workflow.path",
            "predicate.buildDefinition.externalParameters.workflow.ref",
            "predicate.invocation.configSource.uri", "predicate.invocation.configSource.entryPoint",
        ],
        workflow,
    ),
    on(
        BUILD, "prov.workflow_sha",
        &[
            "predicate.buildDefinition.internalParameters.GITHUB_WORKFLOW_SHA",
            "predicate.invocation.environment.GITHUB_WORKFLOW_SHA",
        ],
        lower,
    ),
    on(
        BUILD, "prov.trigger",
        &[
            "predicate.buildDefinition.internalParameters.github.event_name",
            "predicate.buildDefinition.internalParameters.GITHUB_EVENT_NAME",
            "predicate.invocation.environment.GITHUB_EVENT_NAME",
            "predicate.invocation.environment.github_event_name",
        ],
        coalesce,
    ),
    on(
        BUILD, "prov.run_id",
        &[
            "predicate.runDetails.metadata.invocationId",
            "predicate.buildDefinition.internalParameters.GITHUB_RUN_ID",
            "predicate.invocation.environment.GITHUB_RUN_ID", "predicate.invocation.environment.github_run_id",
        ],
        run_id,
    ),
    on(
        BUILD, "prov.attempt",
        &[
            "predicate.runDetails.metadata.invocationId",
            "predicate.buildDefinition.internalParameters.GITHUB_RUN_ATTEMPT",
            "predicate.invocation.environment.GITHUB_RUN_ATTEMPT",
            "predicate.invocation.environment.github_run_attempt",
        ],
        attempt,
    ),
    on(
        BUILD, "prov.build_id",
        &[
            "predicate.runDetails.metadata.invocationId", "predicate.metadata.buildInvocationId",
            "predicate.metadata.buildInvocationID",
        ],
        text_of,
    ),
    on(
        BUILD, "prov.actor_id",
        &[
            "predicate.buildDefinition.internalParameters.GITHUB_ACTOR_ID",
            "predicate.invocation.environment.GITHUB_ACTOR_ID", "predicate.invocation.environment.github_actor_id",
        ],
        text_of,
    ),
    on(
        BUILD, "prov.runner_kind",
        &["predicate.buildDefinition.internalParameters.github.runner_environment"], fields::runner_kind,
    ),
    on(BUILD, "prov.attestation_id", &["^.verificationMaterial.tlogEntries.logIndex"], text_of),
    // The signature: what was signed stands in the payload.
    on(
        SIGNED, "prov.digest",
        &[
            "payload", "dsseEnvelope.payload", "messageSignature.messageDigest.algorithm",
            "messageSignature.messageDigest.digest", "subject.digest.sha256", "subject.digest.sha384",
            "subject.digest.sha512",
        ],
        bundle_digest,
    ),
    on(SIGNED, "prov.attestation_id", &["verificationMaterial.tlogEntries.logIndex"], text_of),
    on(
        ATTESTED, "predicate_type", &["predicateType", "payload", "dsseEnvelope.payload"],
        |i, o| from_payload(i, o, Statement::predicate_type),
    ),
    on(
        ATTESTED, "builder", &["predicate.runDetails.builder.id", "payload", "dsseEnvelope.payload"],
        |i, o| from_payload(i, o, |statement| statement.predicate.builder_id()),
    ),
    on(&[C::SignSignature], "key", &["verificationMaterial.publicKey.hint"], coalesce),
    // Predicates that are lists of components, or results of scans.
    on(SBOM, "format", &["predicateType"], sbom_format),
    on(
        SBOM, "components.purl",
        &[
            "predicate.components.purl", "predicate.components.components.purl",
            "predicate.packages.externalRefs.referenceLocator",
        ],
        components,
    ),
    on(&[C::ScanResult], "tool", &["predicate.scanner.uri"], coalesce),
    on(&[C::ScanResult], "db_version", &["predicate.scanner.db.version"], text_of),
];

#[cfg(test)]
mod tests {
    #[test]
    fn the_table_fills_model_fields_once() {
        crate::format::fill::tests::check(&super::ROWS);
    }
}
