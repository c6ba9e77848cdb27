//! Jenkins, as its CloudEvents plugin tells of it: jobs, builds, the queue and nodes.
//!
//! The event is in the envelope's data; without an envelope (headers lost on the way) the body alone is read and has no
//! id. Must never read a job's configuration file: it may hold secrets.

use EventClass as C;
use model::{EventClass, Scalar, Trust, Verdict};

use super::cloudevents::{ID, trace_id};
use super::fill::{coalesce, commit, duration_given, repo, text_of};
use super::{Class, Classified, Container, Format, Inputs, MapRow, Mapping, Output, all, on};

/// The format.
pub static FORMAT: Format = Format {
    name: "jenkins-cloudevents",
    title: "Jenkins CloudEvents plugin (builds, jobs, queue, nodes)",
    product: "jenkins",
    service: "cloudevents",
    marks: &[
        &["specversion", "data.build.phase", "data.build.queueId"],
        &["specversion", "data.jenkinsQueueId", "data.ciUrl"],
        &["specversion", "data.nodeName", "data.numExecutors"],
        &["specversion", "data.configFile", "data.userName", "data.status"],
        &["build.phase", "build.queueId"],
        &["jenkinsQueueId", "ciUrl"],
        &["nodeName", "numExecutors", "offlineCause"],
        &["configFile", "userName", "displayName", "status"],
    ],
    containers: &[Container::Envelope("data"), Container::Encoded("data_base64")],
    mapping: Some(&MAPPING),
    trust: Trust::ControlPlane,
};

/// The mapping. A node says since when it is offline; that it is online, only the envelope can date, or its last
/// connection.
static MAPPING: Mapping = Mapping {
    id: ID,
    time: &[
        "build.timestamp",
        "updatedDate",
        "createdDate",
        "exitTime",
        "entryTime",
        "offlineCause.timestamp",
        "^.time",
        "connectTime",
    ],
    action: "build.phase",
    classify_paths: PATHS,
    classify,
    rows: ROWS,
};

/// What [`classify`] reads, in its order.
const PATHS: &[&str] = &["build.phase", "build.status", "jenkinsQueueId", "status", "nodeName", "offlineCause"];

fn classify(inputs: &Inputs<'_>) -> Classified {
    let event = |class, action, verdict| Classified::Event(Class { class, action, verdict });
    if let Some(phase) = inputs.text(0) {
        let verdict = verdict(inputs.text(1));
        return match phase {
            "STARTED" => event(C::CiRun, "started", Verdict::Success),
            "COMPLETED" => event(C::CiRun, "finished", verdict),
            // Milliseconds after COMPLETED, with the same result: an action of its own, so that no run ends twice.
            "FINALIZED" => event(C::CiRun, "finalized", verdict),
            _ => Classified::Unknown,
        };
    }
    match inputs.text(3) {
        Some("ENTERED_WAITING") if inputs.has(2) => event(C::CiRun, "requested", Verdict::Success),
        // The build that follows says that it started.
        Some("LEFT") if inputs.has(2) => Classified::Filtered,
        Some("CREATED") => event(C::ScmAdmin, "job.created", Verdict::Success),
        Some("UPDATED") => event(C::ScmAdmin, "job.updated", Verdict::Success),
        Some("online") if inputs.has(4) => event(C::CiRunner, "online", Verdict::Success),
        Some("offline") if inputs.has(4) => event(C::CiRunner, "offline", Verdict::Success),
        // Older releases of the plugin say it by the cause alone.
        None if inputs.has(4) => {
            let is_offline = inputs.all(5).any(|cause| cause != Scalar::Null);
            event(C::CiRunner, if is_offline { "offline" } else { "online" }, Verdict::Success)
        }
        _ => Classified::Unknown,
    }
}

fn verdict(status: Option<&str>) -> Verdict {
    match status {
        Some("SUCCESS") => Verdict::Success,
        Some("FAILURE" | "FAILED" | "UNSTABLE") => Verdict::Failure,
        _ => Verdict::Unknown,
    }
}

const RUN: &[EventClass] = &[C::CiRun];
const ADMIN: &[EventClass] = &[C::ScmAdmin];
const RUNNER: &[EventClass] = &[C::CiRunner];

#[rustfmt::skip]
static ROWS: &[MapRow] = &[
    on(RUN, "prov.run_id", &["build.fullUrl", "build.url"], text_of),
    on(RUN, "prov.workflow", &["url"], coalesce),
    on(RUN, "prov.repo", &["build.scmState.url"], repo),
    on(RUN, "prov.commit", &["build.scmState.commit"], commit),
    on(RUN, "prov.ref", &["build.scmState.branch"], branch_ref),
    on(RUN, "prov.change_id", &["build.scmState.branch"], change_id),
    on(RUN, "prov.trigger", &["startedBy"], trigger),
    on(RUN, "result", &["build.status"], result),
    on(RUN, "duration", &["build.duration"], duration_given),
    on(ADMIN, "object_kind", &["name"], job),
    on(ADMIN, "object", &["url", "name"], coalesce),
    on(RUNNER, "prov.runner_name", &["nodeName"], coalesce),
    on(RUNNER, "prov.runner_kind", &["nodeName"], self_hosted),
    // Builds are done by SYSTEM, whoever started them; a change to a job by its user.
    all("prov.actor_id", &["userId"], text_of),
    all("prov.actor", &["userId"], text_of),
    all("prov.actor_kind", &["userId"], actor_kind),
    all("trace_id", &["^.traceparent"], trace_id),
];

/// `GIT_BRANCH` of the Git plugin: `origin/main`, or `main` alone. The pull requests of a multibranch job are no refs.
fn branch_ref(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if let Some(branch) = inputs.text(0).filter(|branch| change_of(branch).is_none()) {
        let branch = branch.strip_prefix("origin/").unwrap_or(branch);
        let is_full = branch.starts_with("refs/");
        output.text(&if is_full { branch.to_owned() } else { format!("refs/heads/{branch}") });
    }
}

/// `PR-12` of a multibranch job.
fn change_id(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if let Some(number) = inputs.text(0).and_then(change_of) {
        output.text(number);
    }
}

fn change_of(branch: &str) -> Option<&str> {
    let number = branch.strip_prefix("PR-")?;
    (!number.is_empty() && number.bytes().all(|b| b.is_ascii_digit())).then_some(number)
}

/// Jenkins writes three words for causes, and in their place the name of the person who pressed the button.
fn trigger(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if let Some(by) = inputs.text(0) {
        output.text(match by {
            "SCM" => "push",
            "TIMER" => "schedule",
            "UPSTREAM" => "workflow_run",
            _ => "workflow_dispatch",
        });
    }
}

/// The result in lower case, as other sources write it.
fn result(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if let Some(status) = inputs.text(0) {
        output.text(&status.to_ascii_lowercase());
    }
}

fn job(_: &Inputs<'_>, output: &mut Output<'_>) {
    output.text("job");
}

/// Every node of a Jenkins is somebody's own.
fn self_hosted(_: &Inputs<'_>, output: &mut Output<'_>) {
    output.text("self_hosted");
}

fn actor_kind(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if let Some(user) = inputs.text(0) {
        output.text(if user == "SYSTEM" { "service" } else { "human" });
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::{Value, json};

    use super::*;
    use crate::decode_one;

    #[test]
    fn the_table_fills_model_fields_once() {
        crate::format::fill::tests::check(super::ROWS);
    }

    #[test]
    fn requests_are_no_branches() {
        assert_eq!(change_of("PR-12"), Some("12"));
        assert_eq!(change_of("PR-"), None);
        assert_eq!(change_of("PR-12-fix"), None);
        assert_eq!(change_of("origin/main"), None);
    }

    #[test]
    fn a_build_ends_once_and_a_queue_is_left_in_silence() {
        let build = |phase, status| json!({"build": {"phase": phase, "queueId": 1, "status": status}});
        let queued = |status| json!({"jenkinsQueueId": 1, "ciUrl": "https://ci.example", "status": status});
        let node = |cause| json!({"nodeName": "a", "numExecutors": 2, "offlineCause": cause});
        for (record, wanted) in [
            (build("STARTED", "-"), Some((C::CiRun, "started", Verdict::Success))),
            (build("COMPLETED", "UNSTABLE"), Some((C::CiRun, "finished", Verdict::Failure))),
            (build("FINALIZED", "SUCCESS"), Some((C::CiRun, "finalized", Verdict::Success))),
            (build("COMPLETED", "ABORTED"), Some((C::CiRun, "finished", Verdict::Unknown))),
            (queued("ENTERED_WAITING"), Some((C::CiRun, "requested", Verdict::Success))),
            (queued("LEFT"), None),
            (node(Value::Null), Some((C::CiRunner, "online", Verdict::Success))),
            (node(json!("gone")), Some((C::CiRunner, "offline", Verdict::Success))),
        ] {
            let events = decode_one(&FORMAT, &Arc::from("test"), &record.to_string()).expect("decodes");
            let found = events.first().map(|of| (of.class.unwrap(), of.action.as_deref().unwrap(), of.outcome));
            assert_eq!(found, wanted, "{record}");
        }
    }
}
