//! CDEvents, drafts 0.1 to 0.6, bare or in a CloudEvents envelope.
//!
//! Subjects of every stage: changes, runs, builds, artifacts, deployments, incidents, approvals. Must never read
//! `customData`: what stands there is the sender's own, secrets included.

mod classes;
mod fields;

use EventClass as C;
use model::{EventClass, Trust};

use self::fields::{
    approved_by, artifact, branch_ref, cause, change_commit, change_id, digest, kind_of_ref, object_kind,
    registry_repo, repo, run_id, system_outcome, tag, test_kind, version,
};
use super::cloudevents::trace_id;
use super::fill::{coalesce, env_class, text_of};
use super::{Container, Format, Id, MapRow, Mapping, all, on};

/// The format.
pub static FORMAT: Format = Format {
    name: "cdevents",
    title: "CDEvents (pipelines, artifacts, deployments, incidents)",
    product: "cdevents",
    service: "events",
    marks: &[
        &["specversion", "data.context.type", "data.context.source", "data.subject"],
        &["context.type", "context.source", "context.timestamp", "subject"],
    ],
    containers: &[Container::Envelope("data"), Container::Encoded("data_base64")],
    mapping: Some(&MAPPING),
    trust: Trust::ControlPlane,
};

/// The mapping. A context's id is unique within its source only.
static MAPPING: Mapping = Mapping {
    id: Id::Joined(&["context.source", "context.id"]),
    time: &["context.timestamp"],
    action: "context.type",
    classify_paths: classes::PATHS,
    classify: classes::classify,
    rows: ROWS,
};

const RUN: &[EventClass] = &[C::CiRun];
const JOB: &[EventClass] = &[C::CiJob];
const BUILD: &[EventClass] = &[C::BuildFinished];
const CHANGE: &[EventClass] = &[C::ScmChange];
const REF: &[EventClass] = &[C::ScmRef];
const ADMIN: &[EventClass] = &[C::ScmAdmin];
const ARTIFACT: &[EventClass] = &[
    C::BuildFinished,
    C::SignSignature,
    C::RegistryPush,
    C::RegistryPublish,
    C::RegistryPull,
    C::RegistryDelete,
    C::DeployFinished,
    C::DeployRolledback,
    C::OpsResponse,
];
const REGISTRY: &[EventClass] = &[C::RegistryPush, C::RegistryPublish, C::RegistryPull, C::RegistryDelete];
const DEPLOY: &[EventClass] = &[C::DeployFinished, C::DeployRolledback];

/// An artifact is the subject of its own events, and named by the events of builds, services and incidents.
const PURL: &[&str] = &["subject.content.artifactId", "subject.id"];
/// Two shapes: the parts, and (of repositories themselves) the address.
const REPO: &[&str] = &["subject.content.repository.source", "subject.content.repository.id"];

#[rustfmt::skip]
static ROWS: &[MapRow] = &[
    // Runs and their tasks.
    on(&[C::CiRun, C::CiJob], "prov.run_id", &["context.type", "subject.id", "subject.content.pipelineRun.id"], run_id),
    on(JOB, "prov.job_id", &["subject.id"], text_of),
    on(RUN, "prov.workflow", &["subject.content.pipelineName"], coalesce),
    on(JOB, "job_name", &["subject.content.taskName"], coalesce),
    on(&[C::CiRun, C::CiJob], "result", &["subject.content.outcome", "subject.content.decision"], coalesce),
    on(RUN, "system_outcome", &["subject.content.outcome"], system_outcome),
    on(&[C::CiRun, C::CiJob], "cause", &["subject.content.outcome"], cause),
    on(RUN, "approved_by", &["subject.content.decision", "subject.content.responder"], approved_by),
    // Artifacts: what a build made, what a registry holds, what runs.
    on(BUILD, "prov.build_id", &["context.type", "subject.id"], fields::build_id),
    on(ARTIFACT, "prov.digest", PURL, digest),
    on(ARTIFACT, "prov.artifact", PURL, artifact),
    on(ARTIFACT, "prov.version", PURL, version),
    on(BUILD, "outputs", PURL, digest),
    on(BUILD, "prov.repo", &["subject.content.change.source"], super::fill::repo),
    on(BUILD, "prov.change_id", &["subject.content.change.id"], change_id),
    on(BUILD, "prov.commit", &["subject.content.change.id"], change_commit),
    on(REGISTRY, "repo", PURL, registry_repo),
    on(REGISTRY, "tag", PURL, tag),
    // Source control.
    on(&[C::ScmChange, C::ScmRef], "prov.repo", REPO, repo),
    on(CHANGE, "prov.change_id", &["subject.id"], text_of),
    on(REF, "prov.ref", &["subject.id"], branch_ref),
    on(REF, "name", &["subject.id"], fields::branch_name),
    on(REF, "type", &["subject.id"], kind_of_ref),
    // Repositories and environments: what was changed.
    on(ADMIN, "prov.repo", &["subject.content.uri", "context.type"], fields::own_repo),
    on(ADMIN, "object_kind", &["context.type"], object_kind),
    on(ADMIN, "object", &["subject.id"], text_of),
    on(ADMIN, "env", &["context.type", "subject.content.name", "subject.id"], fields::own_env),
    on(ADMIN, "prov.env", &["context.type", "subject.content.name", "subject.id"], fields::own_env_class),
    // Deployments and incidents.
    on(DEPLOY, "prov.service", &["subject.id"], text_of),
    on(DEPLOY, "prov.env", &["subject.content.environment.id"], env_class),
    on(&[C::OpsResponse], "prov.service", &["subject.content.service.id"], text_of),
    on(&[C::OpsResponse], "prov.env", &["subject.content.environment.id"], env_class),
    on(&[C::OpsResponse], "object_kind", &["context.type"], object_kind),
    on(&[C::OpsResponse], "object", &["subject.id"], text_of),
    // Tests.
    on(&[C::ScanResult], "tool", &["subject.content.testSuite.name", "subject.content.testCase.name"], coalesce),
    on(&[C::ScanResult], "kind", &["context.type", "subject.content.testCase.type"], test_kind),
    on(&[C::ScanResult], "sev", &["subject.content.severity"], super::fill::lower),
    on(&[C::ScanResult], "prov.env", &["subject.content.environment.id"], env_class),
    // Who.
    all("prov.actor_id", &["subject.content.user"], text_of),
    all("prov.actor", &["subject.content.user"], text_of),
    all("trace_id", &["^.traceparent"], trace_id),
];

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use model::Event;
    use serde_json::{Value, json};

    use super::*;
    use crate::decode_one;

    #[test]
    fn the_table_fills_model_fields_once() {
        crate::format::fill::tests::check(super::ROWS);
    }

    fn events(of: &str, content: Value) -> Vec<Event> {
        let context = json!({"id": "1", "source": "/x", "type": format!("dev.cdevents.{of}.0.3.0"),
            "timestamp": "2026-09-01T10:00:00Z"});
        let record = json!({"context": context, "subject": {"id": "s", "content": content}});
        decode_one(&FORMAT, &Arc::from("test"), &record.to_string()).expect("decodes")
    }

    #[test]
    fn only_who_says_yes_approves() {
        let closed =
            |decision: &str| events("approval.closed", json!({"decision": decision, "responder": "ada"})).remove(0);
        assert_eq!(closed("approved").fields.get("approved_by"), Some(&json!("ada")));
        assert_eq!(closed("rejected").fields.get("approved_by"), None);
    }

    #[test]
    fn only_tests_of_security_are_scans() {
        let finished =
            |kind: &str| events("testcaserun.finished", json!({"outcome": "fail", "testCase": {"type": kind}}));
        assert_eq!(finished("security")[0].class, Some(C::ScanResult));
        assert_eq!(finished("functional"), []);
    }
}
