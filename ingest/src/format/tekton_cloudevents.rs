//! Tekton's own CloudEvents: the whole TaskRun, PipelineRun or CustomRun, at each change of its condition.
//!
//! What happened is told by the object's condition, so that an object without its envelope says the same. Its CDEvents
//! are of the format `cdevents`. Must never read parameters or results for anything but digests: both may hold secrets.

use EventClass as C;
use model::{EventClass, Scalar, Trust, Verdict};

use super::cloudevents::{ID, trace_id};
use super::fill::{coalesce, commit, duration_ms, text_of};
use super::{Class, Classified, Container, Format, Inputs, MapRow, Mapping, Output, all, on};

/// The format.
pub static FORMAT: Format = Format {
    name: "tekton-cloudevents",
    title: "Tekton CloudEvents (TaskRun, PipelineRun, CustomRun)",
    product: "tekton",
    service: "cloudevents",
    marks: &[
        &["specversion", "data.taskRun.metadata.uid"],
        &["specversion", "data.pipelineRun.metadata.uid"],
        &["specversion", "data.customRun.metadata.uid"],
        &["specversion", "data.run.metadata.uid"],
        &["taskRun.metadata.uid"],
        &["pipelineRun.metadata.uid"],
        &["customRun.metadata.uid"],
        &["run.metadata.uid", "run.metadata.creationTimestamp"],
    ],
    containers: &[Container::Envelope("data"), Container::Encoded("data_base64")],
    mapping: Some(&MAPPING),
    trust: Trust::ControlPlane,
};

/// The mapping. An object without condition has only just been made.
static MAPPING: Mapping = Mapping {
    id: ID,
    time: &[
        "taskRun.status.completionTime",
        "pipelineRun.status.completionTime",
        "customRun.status.completionTime",
        "run.status.completionTime",
        "taskRun.status.conditions.lastTransitionTime",
        "pipelineRun.status.conditions.lastTransitionTime",
        "customRun.status.conditions.lastTransitionTime",
        "run.status.conditions.lastTransitionTime",
        "^.time",
        "taskRun.metadata.creationTimestamp",
        "pipelineRun.metadata.creationTimestamp",
        "customRun.metadata.creationTimestamp",
        "run.metadata.creationTimestamp",
    ],
    action: "^.type",
    classify_paths: PATHS,
    classify,
    rows: ROWS,
};

/// What [`classify`] reads, in its order: of a pipeline first, then of the others.
const PATHS: &[&str] = &[
    "pipelineRun.metadata.uid",
    "pipelineRun.status.conditions.status",
    "pipelineRun.status.conditions.reason",
    "taskRun.status.conditions.status",
    "customRun.status.conditions.status",
    "run.status.conditions.status",
    "taskRun.status.conditions.reason",
    "customRun.status.conditions.reason",
    "run.status.conditions.reason",
    "taskRun.metadata.uid",
    "customRun.metadata.uid",
    "run.metadata.uid",
];

/// Class and state; a step between start and end is `running`, whatever its reason.
fn classify(inputs: &Inputs<'_>) -> Classified {
    let is_pipeline = inputs.has(0);
    if !is_pipeline && !(9..12).any(|i| inputs.has(i)) {
        return Classified::Invalid("no run");
    }
    let class = if is_pipeline { C::CiRun } else { C::CiJob };
    let (status, reason) = if is_pipeline {
        (inputs.text(1), inputs.text(2))
    } else {
        ((3..6).find_map(|i| inputs.text(i)), (6..9).find_map(|i| inputs.text(i)))
    };
    let (action, verdict) = match status {
        Some("True") => ("finished", Verdict::Success),
        Some("False") if reason.is_some_and(is_stopped) => ("finished", Verdict::Unknown),
        Some("False") => ("finished", Verdict::Failure),
        _ if matches!(reason, None | Some("Started")) => ("started", Verdict::Success),
        _ => ("running", Verdict::Unknown),
    };
    Classified::Event(Class { class, action, verdict })
}

/// Somebody stopped it: no failure of what ran.
fn is_stopped(reason: &str) -> bool {
    matches!(
        reason,
        "Cancelled"
            | "TaskRunCancelled"
            | "PipelineRunCancelled"
            | "CancelledRunningFinally"
            | "RunCancelled"
            | "CustomRunCancelled"
            | "StoppedRunningFinally"
            | "PipelineRunStopped"
    )
}

const RUN: &[EventClass] = &[C::CiRun];
const JOB: &[EventClass] = &[C::CiJob];
const REASONS: &[&str] = &[
    "pipelineRun.status.conditions.reason",
    "taskRun.status.conditions.reason",
    "customRun.status.conditions.reason",
    "run.status.conditions.reason",
];
const STATUSES: &[&str] = &[
    "pipelineRun.status.conditions.reason",
    "taskRun.status.conditions.reason",
    "customRun.status.conditions.reason",
    "run.status.conditions.reason",
    "pipelineRun.status.conditions.status",
    "taskRun.status.conditions.status",
    "customRun.status.conditions.status",
    "run.status.conditions.status",
];

#[rustfmt::skip]
static ROWS: &[MapRow] = &[
    // A task is owned by its pipeline run; one that runs alone has no run.
    on(RUN, "prov.run_id", &["pipelineRun.metadata.uid"], text_of),
    on(
        JOB, "prov.run_id",
        &[
            "taskRun.metadata.ownerReferences.kind", "taskRun.metadata.ownerReferences.uid",
            "customRun.metadata.ownerReferences.kind", "customRun.metadata.ownerReferences.uid",
            "run.metadata.ownerReferences.kind", "run.metadata.ownerReferences.uid",
        ],
        owner,
    ),
    on(JOB, "prov.job_id", &["taskRun.metadata.uid", "customRun.metadata.uid", "run.metadata.uid"], text_of),
    // The definition: where a resolver fetched it, else its name in the cluster.
    on(
        RUN, "prov.workflow",
        &[
            "pipelineRun.status.provenance.refSource.uri", "pipelineRun.status.provenance.refSource.entryPoint",
            "pipelineRun.spec.pipelineRef.name", "pipelineRun.metadata.namespace",
        ],
        definition,
    ),
    on(
        JOB, "prov.workflow",
        &[
            "taskRun.status.provenance.refSource.uri", "taskRun.status.provenance.refSource.entryPoint",
            "taskRun.spec.taskRef.name", "taskRun.metadata.namespace",
        ],
        definition,
    ),
    on(RUN, "prov.workflow_sha", &["pipelineRun.status.provenance.refSource.digest.sha1"], commit),
    on(JOB, "prov.workflow_sha", &["taskRun.status.provenance.refSource.digest.sha1"], commit),
    on(
        JOB, "job_name",
        &[
            "taskRun.spec.taskRef.name", "customRun.spec.customRef.name", "run.spec.ref.name", "taskRun.metadata.name",
            "customRun.metadata.name", "run.metadata.name",
        ],
        coalesce,
    ),
    on(&[C::CiRun, C::CiJob], "result", STATUSES, ended),
    on(&[C::CiRun, C::CiJob], "cause", STATUSES, cause),
    on(RUN, "system_outcome", STATUSES, system_outcome),
    on(RUN, "duration", &["pipelineRun.status.startTime", "pipelineRun.status.completionTime"], duration_ms),
    on(JOB, "duration", &["taskRun.status.startTime", "taskRun.status.completionTime"], duration_ms),
    // What it made, as Tekton Chains reads it: results named …IMAGE_DIGEST.
    on(
        RUN, "prov.digest",
        &[
            "pipelineRun.status.pipelineResults.name", "pipelineRun.status.pipelineResults.value",
            "pipelineRun.status.results.name", "pipelineRun.status.results.value",
        ],
        image_digests,
    ),
    on(
        JOB, "prov.digest",
        &[
            "taskRun.status.taskResults.name", "taskRun.status.taskResults.value", "taskRun.status.results.name",
            "taskRun.status.results.value",
        ],
        image_digests,
    ),
    all("trace_id", &["^.traceparent"], trace_id),
];

/// The owner that is a pipeline run: pairs of kinds and ids.
fn owner(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    for i in [0, 2, 4] {
        let mut owners = inputs.all(i).zip(inputs.all(i + 1));
        let of_run = |(kind, _): &(Scalar<'_>, _)| *kind == Scalar::Text("PipelineRun");
        if let Some(uid) = owners.find(of_run).and_then(|(_, uid)| uid.as_text()) {
            return output.text(&uid);
        }
    }
}

/// `uri#path` of a definition that was fetched, else `namespace/name` of one that stands in the cluster.
fn definition(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    match (inputs.text(0), inputs.text(1), inputs.text(2), inputs.text(3)) {
        (Some(uri), Some(path), ..) => output.text(&format!("{uri}#{path}")),
        (Some(uri), None, ..) => output.text(uri),
        (None, _, Some(name), Some(namespace)) => output.text(&format!("{namespace}/{name}")),
        (None, _, Some(name), None) => output.text(name),
        (None, _, None, _) => {}
    }
}

/// The reason of a condition that has been decided.
fn decided<'a>(inputs: &Inputs<'a>) -> Option<(&'a str, &'a str)> {
    let at = (0..REASONS.len()).find(|&i| inputs.text(i).is_some())?;
    let status = inputs.text(at + REASONS.len()).filter(|status| matches!(*status, "True" | "False"))?;
    Some((inputs.text(at)?, status))
}

/// Tekton's word for the end: Succeeded, Completed, Failed, TaskRunTimeout …
fn ended(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if let Some((reason, _)) = decided(inputs) {
        output.text(reason);
    }
}

/// Reasons under which nothing of the definition's own ran, by what was wrong.
const CAUSES: &[(&str, &str)] = &[
    ("CouldntGetPipeline", "config"),
    ("CouldntGetTask", "config"),
    ("CreateRunFailed", "system"),
    ("ExceededNodeResources", "system"),
    ("ExceededResourceQuota", "system"),
    ("InvalidParamValue", "config"),
    ("InvalidTaskResultReference", "config"),
    ("InvalidWorkspaceBindings", "config"),
    ("ParameterMissing", "config"),
    ("ParameterTypeMismatch", "config"),
    ("PipelineInvalidGraph", "config"),
    ("PipelineValidationFailed", "config"),
    ("PodCreationFailed", "system"),
    ("TaskRunImagePullFailed", "system"),
    ("TaskRunResolutionFailed", "system"),
    ("TaskRunValidationFailed", "config"),
];

fn cause_of(reason: &str, status: &str) -> Option<&'static str> {
    let known = CAUSES.iter().find(|(known, _)| *known == reason).map(|(_, cause)| *cause);
    known.or_else(|| (reason == "Failed").then_some("code")).filter(|_| status == "False")
}

/// Why it failed, where the reason tells.
fn cause(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if let Some(cause) = decided(inputs).and_then(|(reason, status)| cause_of(reason, status)) {
        output.text(cause);
    }
}

/// error: the cluster or a resolver failed, not what ran.
fn system_outcome(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if let Some((reason, status)) = decided(inputs) {
        output.text(if cause_of(reason, status) == Some("system") { "error" } else { "ok" });
    }
}

/// Values of results whose name ends in `IMAGE_DIGEST`: digests of what was built, those of base images left out. Where
/// names and values do not pair (a result that is a list), none: a digest under the wrong name would be worse.
fn image_digests(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    for i in [0, 2] {
        if inputs.all(i).count() != inputs.all(i + 1).count() {
            continue;
        }
        for (name, value) in inputs.all(i).zip(inputs.all(i + 1)) {
            let (Scalar::Text(name), Scalar::Text(value)) = (name, value) else { continue };
            // Steps write results with the line break of `echo`.
            let digest = value.trim_end();
            if name.ends_with("IMAGE_DIGEST") && !name.contains("BASE_IMAGE") && is_digest(digest) {
                output.text(digest);
            }
        }
    }
}

fn is_digest(text: &str) -> bool {
    let hex = text.strip_prefix("sha256:").unwrap_or("");
    hex.len() == 64 && hex.bytes().all(|b| b.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use model::Event;

    use super::*;
    use crate::decode_one;

    #[test]
    fn the_table_fills_model_fields_once() {
        crate::format::fill::tests::check(super::ROWS);
    }

    fn event(record: &str) -> Event {
        decode_one(&FORMAT, &Arc::from("test"), record).expect("decodes").remove(0)
    }

    fn field(event: &Event, name: &str) -> String {
        event.fields.get(name).map_or(String::new(), |value| value.as_str().map_or(value.to_string(), str::to_owned))
    }

    #[test]
    fn a_pipeline_run_ends() {
        let hex = "0b31b1c02ff458ad9b7b81cbdf8f028bd54699fa151f221d1e8de6817db93427";
        let event = event(&format!(
            r#"{{"specversion":"1.0","id":"e","source":"/apis/x","type":"dev.tekton.event.pipelinerun.failed.v1",
            "traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01","data":{{"pipelineRun":{{
            "metadata":{{"name":"release-x1","namespace":"ci","uid":"u-1"}},"spec":{{"pipelineRef":{{"name":"release"}}}},
            "status":{{"startTime":"2026-09-01T10:00:00Z","completionTime":"2026-09-01T10:02:00Z",
            "conditions":[{{"type":"Succeeded","status":"False","reason":"CreateRunFailed"}}],"pipelineResults":[
            {{"name":"APP_IMAGE_DIGEST","value":"sha256:{hex}\n"}},{{"name":"BASE_IMAGE_DIGEST","value":"sha256:{hex}"}},
            {{"name":"note","value":"s3cret"}}]}}}}}}}}"#
        ));
        assert_eq!((event.class, event.action.as_deref()), (Some(C::CiRun), Some("finished")));
        assert_eq!((event.id.as_deref(), event.outcome), (Some("/apis/x:e"), Verdict::Failure));
        assert_eq!(event.time.map(|time| time.ms()), Some(1_788_256_920_000));
        for (name, wanted) in [
            ("prov.run_id", "u-1"),
            ("prov.workflow", "ci/release"),
            ("prov.digest", &format!("sha256:{hex}")),
            ("result", "CreateRunFailed"),
            ("cause", "system"),
            ("system_outcome", "error"),
            ("duration", "120000"),
            ("trace_id", "0af7651916cd43dd8448eb211c80319c"),
        ] {
            assert_eq!(field(&event, name), wanted, "{name}");
        }
        assert!(event.fields.values().all(|value| !value.to_string().contains("s3cret")));
    }

    #[test]
    fn a_custom_run_belongs_to_its_pipeline_run() {
        let run = |rest: &str| {
            event(&format!(
                r#"{{"customRun":{{"metadata":{{"name":"wait","uid":"c-1","creationTimestamp":"2026-09-01T10:00:00Z",
                "ownerReferences":[{{"kind":"PipelineRun","uid":"u-1"}}]}}{rest}}}}}"#
            ))
        };
        let made = run("");
        assert_eq!((made.class, made.action.as_deref()), (Some(C::CiJob), Some("started")));
        assert_eq!((field(&made, "prov.run_id"), field(&made, "prov.job_id")), ("u-1".into(), "c-1".into()));
        assert_eq!(made.id, None, "only an envelope has an id");
        let stopped = run(r#","status":{"conditions":[{"status":"False","reason":"CustomRunCancelled"}]}"#);
        assert_eq!((stopped.action.as_deref(), stopped.outcome), (Some("finished"), Verdict::Unknown));
        let waits = run(r#","status":{"conditions":[{"status":"Unknown","reason":"Waiting"}]}"#);
        assert_eq!((waits.action.as_deref(), field(&waits, "result")), (Some("running"), String::new()));
    }
}
