//! Argo CD: what its notifications say of an application, or the application itself.
//!
//! A notification's body is what its template makes of it; the documented one is the application under `app` with the
//! trigger's name beside it. Must never take the state of an application that is told twice for two deployments.

use EventClass as C;
use model::{EventClass, Trust, Verdict};

use super::fill::{coalesce, env_class, repo};
use super::workload::{commit, pinned};
use super::{Class, Classified, Container, Format, Id, Inputs, MapRow, Mapping, Output, all, on};

/// The format.
pub static FORMAT: Format = Format {
    name: "argocd",
    title: "Argo CD notifications and applications",
    product: "argocd",
    service: "application",
    marks: &[
        &["app.metadata", "app.spec.destination"],
        &["object.kind", "object.spec.destination", "object.spec.project"],
        &["kind", "spec.destination", "spec.project", "status"],
    ],
    containers: &[Container::Envelope("app"), Container::Envelope("object")],
    mapping: Some(&MAPPING),
    trust: Trust::ControlPlane,
};

/// The mapping.
static MAPPING: Mapping = Mapping {
    id: Id::Joined(&[
        "metadata.uid",
        "^.trigger",
        "^.at",
        "status.operationState.startedAt",
        "status.operationState.phase",
        "metadata.resourceVersion",
    ]),
    // The template's own time first: for what is no operation only the template can tell when.
    time: &["^.at", "status.operationState.finishedAt", "status.operationState.startedAt", "status.reconciledAt"],
    action: "status.operationState.phase",
    classify_paths: &[
        "status.operationState.phase",
        "^.trigger",
        "status.health.status",
        "metadata.name",
        "status.operationState.operation.sync.autoHealAttemptsCount",
    ],
    classify,
    rows: ROWS,
};

/// The trigger decides where the notification names one, else the last operation.
fn classify(inputs: &Inputs<'_>) -> Classified {
    if inputs.text(3).is_none() {
        return Classified::Invalid("no `metadata.name`");
    }
    let trigger = inputs.text(1).unwrap_or("");
    let named = |parts: &[&str]| parts.iter().any(|part| trigger.contains(part));
    let healed = inputs.string(4).is_some_and(|count| count != "0");
    let event = |class, action, verdict| Classified::Event(Class { class, action, verdict });
    match inputs.text(0) {
        _ if named(&["out-of-sync", "drift"]) => event(C::RuntimeConfigDrift, "out_of_sync", Verdict::Success),
        _ if named(&["health-degraded"]) => event(C::DeployFinished, "degraded", Verdict::Failure),
        _ if named(&["created", "deleted", "sync-status-unknown"]) => Classified::Filtered,
        Some("Running") => event(C::DeployStarted, "sync", Verdict::Success),
        Some("Succeeded") if healed => event(C::RuntimeReconciled, "healed", Verdict::Success),
        Some("Succeeded") => event(C::DeployFinished, "sync", Verdict::Success),
        Some("Failed") => event(C::DeployFinished, "sync", Verdict::Failure),
        Some("Error") => event(C::DeployFinished, "sync", Verdict::Error),
        _ => Classified::Filtered,
    }
}

const DRIFT: &[EventClass] = &[C::RuntimeConfigDrift, C::RuntimeReconciled];
const BY: &[&str] =
    &["status.operationState.operation.initiatedBy.username", "status.operationState.operation.initiatedBy.automated"];

#[rustfmt::skip]
static ROWS: &[MapRow] = &[
    all("prov.actor_id", BY, actor_id),
    all("prov.actor", BY, actor),
    all("prov.actor_kind", BY, actor_kind),
    all(
        "prov.repo",
        &[
            "status.operationState.syncResult.source.repoURL", "spec.source.repoURL",
            "status.operationState.syncResult.sources.repoURL", "spec.sources.repoURL",
        ],
        repo,
    ),
    all(
        "prov.commit",
        &[
            "status.operationState.syncResult.revision", "status.operationState.operation.sync.revision",
            "status.sync.revision", "status.operationState.syncResult.revisions", "status.sync.revisions",
        ],
        commit,
    ),
    all("prov.service", &["metadata.name"], coalesce),
    all(
        "prov.env",
        &["metadata.labels.environment", "metadata.labels.env", "spec.destination.namespace", "spec.destination.name"],
        env_class,
    ),
    all("prov.cluster", &["spec.destination.name", "spec.destination.server"], coalesce),
    all("prov.digest", &["status.summary.images"], pinned),
    on(&[C::DeployStarted], "op", &["status.operationState.phase"], sync),
    on(DRIFT, "resource", &["metadata.namespace", "metadata.name"], resource),
    on(&[C::RuntimeConfigDrift], "kind", &["metadata.name"], drift),
];

/// Argo CD's own user names are not those of any other system.
fn actor_id(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    match inputs.text(0) {
        Some(user) => output.text(&format!("argocd:{user}")),
        None if inputs.bool(1) == Some(true) => output.text("argocd"),
        None => {}
    }
}

fn actor(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    match inputs.text(0) {
        Some(user) => output.text(user),
        None if inputs.bool(1) == Some(true) => output.text("argocd"),
        None => {}
    }
}

/// A user of Argo CD may be a person or a pipeline's account.
fn actor_kind(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if inputs.text(0).is_none() && inputs.bool(1) == Some(true) {
        output.text("service");
    }
}

fn sync(_: &Inputs<'_>, output: &mut Output<'_>) {
    output.text("sync");
}

fn drift(_: &Inputs<'_>, output: &mut Output<'_>) {
    output.text("out_of_sync");
}

fn resource(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if let Some(name) = inputs.text(1) {
        output.text(&format!("Application/{}/{name}", inputs.text(0).unwrap_or("")));
    }
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
    fn healing_is_no_deployment_and_a_user_no_service() {
        let ended = |heals: u64, by| {
            let operation = json!({"sync": {"autoHealAttemptsCount": heals}, "initiatedBy": by});
            let state = json!({"phase": "Succeeded", "startedAt": "2026-09-01T10:00:00Z", "operation": operation});
            let app = json!({"metadata": {"name": "pay", "uid": "u"}, "status": {"operationState": state}});
            let event = decode_one(&FORMAT, &Arc::from("test"), &app.to_string()).expect("decodes").remove(0);
            let kind = event.fields.get("prov.actor_kind").map(ToString::to_string).unwrap_or_default();
            (event.class, kind)
        };
        let automated = json!({"automated": true});
        assert_eq!(ended(1, automated.clone()), (Some(C::RuntimeReconciled), r#""service""#.to_owned()));
        assert_eq!(ended(0, automated), (Some(C::DeployFinished), r#""service""#.to_owned()));
        let user = json!({"username": "ada", "automated": true});
        assert_eq!(ended(0, user), (Some(C::DeployFinished), String::new()), "she may be a person or a pipeline");
    }
}
