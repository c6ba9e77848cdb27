//! Events of Flux, as its notification controller sends them to a generic webhook.
//!
//! Must never read the message, whose words change between versions: kind, reason and severity say what happened.

use EventClass as C;
use model::{EventClass, Scalar, Trust, Verdict};

use super::fill::{coalesce, env_class};
use super::workload::{commit, pinned};
use super::{Class, Classified, Format, Id, Inputs, MapRow, Mapping, Output, all, on};

/// The format.
pub static FORMAT: Format = Format {
    name: "flux",
    title: "Flux events (notification controller)",
    product: "flux",
    service: "event",
    marks: &[&["involvedObject", "reportingController", "severity", "reason"]],
    containers: &[],
    mapping: Some(&MAPPING),
    trust: Trust::ControlPlane,
};

/// Where each controller puts the revision; the notification controller cuts the group off.
const REVISION: &[&str] = &[
    "metadata.revision",
    r"metadata.kustomize\.toolkit\.fluxcd\.io/revision",
    r"metadata.helm\.toolkit\.fluxcd\.io/revision",
    r"metadata.source\.toolkit\.fluxcd\.io/revision",
    "metadata.originRevision",
    r"metadata.event\.toolkit\.fluxcd\.io/originRevision",
];

/// The mapping.
static MAPPING: Mapping = Mapping {
    id: Id::Joined(&[
        "timestamp",
        "involvedObject.kind",
        "involvedObject.namespace",
        "involvedObject.name",
        "reason",
        "metadata.revision",
        r"metadata.kustomize\.toolkit\.fluxcd\.io/revision",
        r"metadata.helm\.toolkit\.fluxcd\.io/revision",
    ]),
    time: &["timestamp"],
    action: "reason",
    classify_paths: &["involvedObject.kind", "reason", "severity"],
    classify,
    rows: ROWS,
};

fn classify(inputs: &Inputs<'_>) -> Classified {
    let (Some(kind), Some(reason)) = (inputs.text(0), inputs.text(1)) else {
        return Classified::Invalid("no `involvedObject.kind` or `reason`");
    };
    let failed = inputs.text(2) == Some("error");
    match class_of(kind, reason, failed) {
        Some((class, verdict)) => Classified::Event(Class { class, action: "", verdict }),
        None => Classified::Filtered,
    }
}

/// Artifacts that were fetched and tests that passed are steps of a deployment, whose end is told too.
fn class_of(kind: &str, reason: &str, failed: bool) -> Option<(EventClass, Verdict)> {
    let ended = if failed { Verdict::Failure } else { Verdict::Success };
    match (kind, reason) {
        (_, "DependencyNotReady" | "TestSucceeded") => None,
        (_, "VerificationError" | "InvalidSignature") => Some((C::VerifySignature, Verdict::Failure)),
        ("Kustomization" | "HelmRelease", "DriftDetected" | "DriftCorrectionFailed") => {
            Some((C::RuntimeConfigDrift, ended))
        }
        ("Kustomization" | "HelmRelease", "DriftCorrected") => Some((C::RuntimeReconciled, ended)),
        ("Kustomization" | "HelmRelease", "Progressing" | "ProgressingWithRetry") if !failed => {
            Some((C::DeployStarted, Verdict::Success))
        }
        ("HelmRelease", "RollbackSucceeded" | "RollbackFailed") => Some((C::DeployRolledback, ended)),
        (
            "Kustomization" | "HelmRelease",
            "ReconciliationSucceeded" | "InstallSucceeded" | "UpgradeSucceeded" | "UninstallSucceeded",
        ) => Some((C::DeployFinished, ended)),
        ("Kustomization" | "HelmRelease", _) if failed => Some((C::DeployFinished, Verdict::Failure)),
        _ => None,
    }
}

const DRIFT: &[EventClass] = &[C::RuntimeConfigDrift, C::RuntimeReconciled];
const OBJECT: &[&str] = &["involvedObject.kind", "involvedObject.namespace", "involvedObject.name"];

#[rustfmt::skip]
static ROWS: &[MapRow] = &[
    all("prov.actor_id", &["reportingController"], controller),
    all("prov.actor", &["reportingController"], coalesce),
    all("prov.actor_kind", &["reportingController"], service),
    all("prov.commit", REVISION, commit),
    all("prov.digest", REVISION, pinned),
    all("prov.ref", REVISION, qualified_ref),
    on(&[C::DeployStarted, C::DeployFinished, C::DeployRolledback], "prov.version", REVISION, version),
    all("prov.service", &["involvedObject.name"], coalesce),
    // The alert's own metadata first, which the cluster's owner writes.
    all(
        "prov.env",
        &["metadata.env", "metadata.environment", "involvedObject.namespace", "involvedObject.name"],
        env_class,
    ),
    all("prov.cluster", &["metadata.cluster"], coalesce),
    all("prov.region", &["metadata.region"], coalesce),
    on(&[C::DeployStarted], "op", &["reason"], coalesce),
    on(DRIFT, "resource", OBJECT, resource),
    on(&[C::RuntimeConfigDrift], "kind", &["involvedObject.kind"], coalesce),
    on(&[C::VerifySignature], "ok", &["reason"], not_ok),
    on(&[C::VerifySignature], "reason", &["reason"], coalesce),
];

fn controller(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if let Some(name) = inputs.text(0) {
        output.text(&format!("flux:{name}"));
    }
}

fn service(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if inputs.text(0).is_some() {
        output.text("service");
    }
}

/// The ref in `refs/heads/main@sha1:…`; a bare name could be a branch or a tag.
fn qualified_ref(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    let names = (0..REVISION.len()).filter_map(|i| inputs.text(i)).filter_map(|revision| revision.split('@').next());
    if let Some(name) = names.into_iter().find(|name| name.starts_with("refs/")) {
        output.text(name);
    }
}

/// The chart's version: a revision that begins with a digit and is no commit.
fn version(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    let names = (0..REVISION.len()).filter_map(|i| inputs.text(i)).filter_map(|revision| revision.split('@').next());
    let is_version = |name: &&str| name.contains('.') && name.starts_with(|c: char| c.is_ascii_digit());
    if let Some(version) = names.into_iter().find(is_version) {
        output.text(version);
    }
}

fn resource(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if let (Some(kind), Some(name)) = (inputs.text(0), inputs.text(2)) {
        output.text(&format!("{kind}/{}/{name}", inputs.text(1).unwrap_or("")));
    }
}

fn not_ok(_: &Inputs<'_>, output: &mut Output<'_>) {
    output.scalar(Scalar::Bool(false));
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;
    use crate::decode_one;

    #[test]
    fn the_table_fills_model_fields_once() {
        crate::format::fill::tests::check(super::ROWS);
    }

    #[test]
    fn reasons_have_classes() {
        for (kind, reason, failed, wanted) in [
            ("Kustomization", "ReconciliationSucceeded", false, Some((C::DeployFinished, Verdict::Success))),
            ("Kustomization", "HealthCheckFailed", true, Some((C::DeployFinished, Verdict::Failure))),
            ("Kustomization", "Progressing", false, Some((C::DeployStarted, Verdict::Success))),
            ("HelmRelease", "RollbackSucceeded", false, Some((C::DeployRolledback, Verdict::Success))),
            ("HelmRelease", "DriftDetected", false, Some((C::RuntimeConfigDrift, Verdict::Success))),
            ("GitRepository", "NewArtifact", false, None),
            ("OCIRepository", "VerificationError", true, Some((C::VerifySignature, Verdict::Failure))),
            ("HelmRelease", "DependencyNotReady", true, None),
        ] {
            assert_eq!(class_of(kind, reason, failed), wanted, "{kind} {reason}");
        }
    }

    #[test]
    fn commits_and_branches_are_no_versions() {
        let version = |revision: &str| {
            let object = json!({"kind": "HelmRelease", "namespace": "prod", "name": "pay"});
            let event = json!({"involvedObject": object, "reportingController": "helm-controller", "severity": "info",
                "reason": "UpgradeSucceeded", "timestamp": "2026-09-01T10:00:00Z", "metadata": {"revision": revision}});
            let events = decode_one(&FORMAT, &Arc::from("test"), &event.to_string()).expect("decodes");
            events[0].fields.get("prov.version").map(ToString::to_string)
        };
        assert_eq!(version("6.5.0@sha256:00").as_deref(), Some(r#""6.5.0""#));
        for none in ["731f7eaddfb6af01cb2173e18f0f75b0ba780ef1", "main@sha1:00", "v1.2"] {
            assert_eq!(version(none), None, "{none}");
        }
    }
}
