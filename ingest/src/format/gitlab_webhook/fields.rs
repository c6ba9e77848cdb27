//! How single fields of GitLab's webhooks become ours.
//!
//! Must never take a number that a job's author can choose for an id.

use model::Scalar;

use super::classes::system_action;
use crate::format::fill::{class_of_env, each_text, present, repo_of};
use crate::format::{Inputs, Output};

/// Native triggers that have a name in the model; the others keep theirs.
const TRIGGERS: &[(&str, &str)] = &[
    ("merge_request_event", "pull_request"),
    ("external_pull_request_event", "pull_request"),
    ("web", "workflow_dispatch"),
    ("trigger", "api"),
];

/// What started the pipeline.
pub(super) fn trigger(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if let Some(source) = inputs.text(0) {
        output.text(TRIGGERS.iter().find(|(native, _)| *native == source).map_or(source, |(_, ours)| ours));
    }
}

/// A ref as it stands, or qualified by whether it is a tag: paths in pairs of the name and that.
pub(super) fn full_ref(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    for (name, tag) in [(0, 1), (2, 3)] {
        match (inputs.text(name), inputs.bool(tag)) {
            (None, _) => continue,
            (Some(name), _) if name.starts_with("refs/") => output.text(name),
            (Some(name), Some(true)) => output.text(&format!("refs/tags/{name}")),
            (Some(name), Some(false)) => output.text(&format!("refs/heads/{name}")),
            (Some(name), None) => output.text(name),
        }
        return;
    }
}

/// branch or tag.
pub(super) fn ref_type(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if let Some(name) = inputs.text(0) {
        output.text(if name.starts_with("refs/tags/") { "tag" } else { "branch" });
    }
}

/// Git moves an existing tag only when forced. Of branches GitLab does not say.
pub(super) fn tag_forced(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    let is = |i: usize| inputs.text(i).is_some_and(|id| id.bytes().any(|b| b != b'0'));
    if inputs.text(0).is_some_and(|name| name.starts_with("refs/tags/")) {
        output.scalar(Scalar::Bool(is(1) && is(2)));
    }
}

/// Source and target are two projects. Paths in pairs.
pub(super) fn from_fork(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    for (source, target) in [(0, 1), (2, 3)] {
        if let (Some(source), Some(target)) = (inputs.string(source), inputs.string(target)) {
            return output.scalar(Scalar::Bool(source != target));
        }
    }
}

/// Levels are 0 private, 10 internal, 20 public; system hooks have the words.
pub(super) fn private(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if let Some(level) = inputs.string(0) {
        output.scalar(Scalar::Bool(level != "20"));
    } else if let Some(visibility) = inputs.text(1) {
        output.scalar(Scalar::Bool(visibility != "public"));
    }
}

/// Who approved: of an approval whoever acts, else the reviewers that have.
pub(super) fn approvers(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if matches!(inputs.text(0), Some("approved" | "approval")) {
        inputs.string(1).iter().for_each(|id| output.text(id));
        return;
    }
    if inputs.all(2).count() == inputs.all(3).count() {
        let approved = inputs.all(2).zip(inputs.all(3)).filter(|(_, state)| *state == Scalar::Text("approved"));
        approved.filter_map(|(id, _)| id.as_text()).for_each(|id| output.text(&id));
    }
}

/// Who merged: whoever acts, where the action is a merge.
pub(super) fn merged_by(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if let Some(id) = inputs.string(1).filter(|_| inputs.text(0) == Some("merge")) {
        output.text(&id);
    }
}

/// The status of what has ended.
pub(super) fn result(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    each_text(inputs, |status| {
        if matches!(status, "success" | "failed" | "canceled" | "skipped") {
            output.text(status);
        }
    });
}

/// Seconds, with a fraction or without, as milliseconds.
pub(super) fn seconds(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    let seconds = (0..2).find_map(|i| match inputs.first(i)? {
        Scalar::Int(n) => Some(n as f64),
        Scalar::Float(n) => Some(n),
        _ => None,
    });
    // A year is longer than any job may run.
    if let Some(seconds) = seconds.filter(|seconds| (0.0..31_536_000.0).contains(seconds)) {
        output.scalar(Scalar::Int((seconds * 1000.0) as i64));
    }
}

/// Why a failed job failed; the reason that stands in jobs that did not fail says nothing.
pub(super) fn cause(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if inputs.text(0) != Some("failed") {
        return;
    }
    let cause = match inputs.text(1) {
        Some("script_failure" | "job_execution_timeout") => "code",
        Some("runner_system_failure" | "stuck_or_timeout_failure" | "api_failure" | "scheduler_failure") => "system",
        Some("runner_unsupported" | "no_matching_runner" | "missing_dependency_failure" | "ci_quota_exceeded") => {
            "config"
        }
        _ => return,
    };
    output.text(cause);
}

/// Runners of a project or group are its owners'; those of the instance are the host's own only where it is a service.
pub(super) fn runner_kind(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    let on_service = || (1..3).find_map(|i| inputs.text(i)).and_then(repo_of);
    match inputs.text(0) {
        Some("project_type" | "group_type") => output.text("self_hosted"),
        Some("instance_type") => {
            if let Some(repo) = on_service() {
                output.text(if repo.starts_with("gitlab.com/") { "hosted" } else { "self_hosted" });
            }
        }
        _ => {}
    }
}

/// The first of tier and name that says a class.
pub(super) fn env(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if let Some(class) = (0..inputs.len()).filter_map(|i| inputs.text(i)).find_map(class_of_env) {
        output.text(class);
    }
}

/// The commit at the end of its address: the body has only its beginning.
pub(super) fn commit_of_url(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    let whole = |id: &&str| matches!(id.len(), 40 | 64) && id.bytes().all(|b| b.is_ascii_hexdigit());
    let id = inputs.text(0).and_then(|url| url.rsplit_once("/-/commit/")).map(|(_, id)| id);
    id.filter(whole).into_iter().for_each(|id| output.text(&id.to_ascii_lowercase()));
}

/// What was changed, by the name of the hook.
pub(super) fn object_kind(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    let Some(action) = inputs.text(0).and_then(system_action) else { return };
    let kind = action.split('.').next().unwrap_or(action);
    output.text(if action.ends_with("_member") { "member" } else { kind });
}

/// Level of a change: the project, else the group, else a person.
pub(super) fn scope(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    let levels = ["repo", "org"];
    output.text(levels.iter().enumerate().find(|(i, _)| inputs.has(*i)).map_or("user", |(_, level)| level));
}

/// The rights of whoever was removed are gone.
pub(super) fn permission(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if inputs.text(0).is_some_and(|name| name.contains("_remove_")) {
        output.text("none");
    } else if let Some(level) = inputs.text(1).or_else(|| inputs.text(2)) {
        output.text(&level.to_lowercase());
    }
}

/// CVE or advisory ids among the identifiers.
pub(super) fn advisory(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    let ids = present(inputs, 0).filter_map(Scalar::as_text);
    ids.filter(|id| id.starts_with("CVE-") || id.starts_with("GHSA-")).for_each(|id| output.text(&id));
}

/// The finding was closed without a fix.
pub(super) fn dismissed(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if let Some(state) = inputs.text(0) {
        output.scalar(Scalar::Bool(state == "dismissed"));
    }
}

/// The project's address without what follows `/-/`, where a body names no project.
pub(super) fn repo(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    let urls = (0..inputs.len()).filter_map(|i| inputs.text(i));
    let repo = urls.map(|url| url.split("/-/").next().unwrap_or(url)).find_map(repo_of);
    repo.iter().for_each(|repo| output.text(repo));
}
