//! Which class a GitLab webhook is of: by `object_kind`, of system hooks by `event_name`.
//!
//! Changes to rights and projects have the words that other code hosts have for them, so that one rule means all. Must
//! never read who acted.

use EventClass as C;
use model::{EventClass, Verdict};

use crate::format::{Class, Classified, Inputs};

/// What [`classify`] reads, in its order.
pub(super) const PATHS: &[&str] = &[
    "object_kind",
    "event_name",
    "object_attributes.status",
    "build_status",
    "status",
    "object_attributes.action",
    "action",
    "object_attributes.oldrev",
    "changes.title",
    "changes.description",
    "object_attributes.noteable_type",
    "object_attributes.state",
    "object_attributes.report_type",
    "ref",
    "before",
    "after",
];

/// (system hook, our action). Requests for access are left out: nothing was granted yet.
#[rustfmt::skip]
const SYSTEM: &[(&str, &str)] = &[
    ("user_add_to_group", "org.add_member"),
    ("user_update_for_group", "org.update_member"),
    ("user_remove_from_group", "org.remove_member"),
    ("user_add_to_team", "repo.add_member"),
    ("user_update_for_team", "repo.update_member"),
    ("user_remove_from_team", "repo.remove_member"),
    ("project_create", "repo.create"),
    ("project_destroy", "repo.destroy"),
    ("project_rename", "repo.rename"),
    ("project_transfer", "repo.transfer"),
    ("project_update", "repo.update"),
    ("group_create", "org.create"),
    ("group_destroy", "org.delete"),
    ("group_rename", "org.rename"),
    ("subgroup_create", "org.create"),
    ("subgroup_destroy", "org.delete"),
    ("key_create", "public_key.create"),
    ("key_destroy", "public_key.delete"),
    ("user_create", "user.create"),
    ("user_destroy", "user.destroy"),
    ("user_rename", "user.rename"),
];

/// The action that a system hook's name stands for.
pub(super) fn system_action(name: &str) -> Option<&'static str> {
    SYSTEM.iter().find(|(native, _)| *native == name).map(|(_, ours)| *ours)
}

/// A body with neither name is none of GitLab's.
pub(super) fn classify(inputs: &Inputs<'_>) -> Classified {
    let (kind, name) = (inputs.text(0), inputs.text(1));
    match kind.or(name) {
        Some("push" | "tag_push") => pushed(inputs),
        Some("pipeline") => run(inputs.text(2).unwrap_or("")),
        Some("build") => job(inputs.text(3).unwrap_or("")),
        Some("deployment") => deployment(inputs.text(4).unwrap_or("")),
        Some("merge_request") => change(inputs.text(5).unwrap_or(""), inputs),
        Some("note") if inputs.text(10) == Some("MergeRequest") => event(C::ScmChange, "commented"),
        Some("release") => match inputs.text(6) {
            Some("create") => event(C::RegistryPublish, "published"),
            Some("update") => event(C::RegistryPublish, "edited"),
            Some("delete") => event(C::RegistryDelete, "deleted"),
            _ => Classified::Filtered,
        },
        Some("vulnerability") => finding(inputs.text(11).unwrap_or(""), inputs.text(12)),
        Some("user_failed_login") => ended(C::IdentityAuth, "user_failed_login", Verdict::Denied),
        Some(name) => system_action(name).map_or(Classified::Filtered, |action| event(C::ScmAdmin, action)),
        None => Classified::Invalid("neither `object_kind` nor `event_name`"),
    }
}

fn event(class: EventClass, action: &'static str) -> Classified {
    ended(class, action, Verdict::Success)
}

fn ended(class: EventClass, action: &'static str, verdict: Verdict) -> Classified {
    Classified::Event(Class { class, action, verdict })
}

/// The id by which Git says that there is no commit.
fn is_none(id: Option<&str>) -> bool {
    id.is_some_and(|id| !id.is_empty() && id.bytes().all(|b| b == b'0'))
}

/// Commits that arrive on a branch are a push; tags, and whatever is deleted, are refs.
fn pushed(inputs: &Inputs<'_>) -> Classified {
    let is_tag = inputs.text(13).is_some_and(|name| name.starts_with("refs/tags/"));
    if is_none(inputs.text(15)) {
        event(C::ScmRef, "deleted")
    } else if !is_tag {
        event(C::ScmPush, "push")
    } else if is_none(inputs.text(14)) {
        event(C::ScmRef, "created")
    } else {
        event(C::ScmRef, "moved")
    }
}

/// Verdict of a pipeline or job that has ended; None: it has not.
fn ending(status: &str) -> Option<Verdict> {
    match status {
        "success" | "skipped" => Some(Verdict::Success),
        "failed" => Some(Verdict::Failure),
        "canceled" => Some(Verdict::Unknown),
        _ => None,
    }
}

fn run(status: &str) -> Classified {
    match (status, ending(status)) {
        (_, Some(verdict)) => ended(C::CiRun, "finished", verdict),
        ("created", _) => event(C::CiRun, "requested"),
        ("running", _) => event(C::CiRun, "started"),
        ("pending", _) => event(C::CiRun, "queued"),
        ("manual" | "blocked", _) => event(C::CiRun, "waiting"),
        _ => Classified::Filtered,
    }
}

fn job(status: &str) -> Classified {
    match (status, ending(status)) {
        (_, Some(verdict)) => ended(C::CiJob, "finished", verdict),
        ("created", _) => event(C::CiJob, "created"),
        ("running", _) => event(C::CiJob, "started"),
        ("pending", _) => event(C::CiJob, "queued"),
        ("manual", _) => event(C::CiJob, "waiting"),
        _ => Classified::Filtered,
    }
}

fn deployment(status: &str) -> Classified {
    match (status, ending(status)) {
        ("skipped", _) => Classified::Filtered,
        (_, Some(verdict)) => ended(C::DeployFinished, "finished", verdict),
        ("running", _) => event(C::DeployStarted, "started"),
        _ => Classified::Filtered,
    }
}

/// Updates are told apart by what they changed: new commits, a new text, or nothing that anybody detects by.
fn change(action: &str, inputs: &Inputs<'_>) -> Classified {
    let action = match action {
        "open" => "opened",
        "reopen" => "reopened",
        "close" => "closed",
        "merge" => "merged",
        "approved" | "approval" => "reviewed",
        "unapproved" | "unapproval" => "review_dismissed",
        "update" if inputs.text(7).is_some() => "synchronize",
        "update" if inputs.has(8) || inputs.has(9) => "edited",
        _ => return Classified::Filtered,
    };
    event(C::ScmChange, action)
}

/// What a scan of secrets or dependencies found has classes of its own.
fn finding(state: &str, report: Option<&str>) -> Classified {
    let class = match report {
        Some("secret_detection") => C::SecretFinding,
        Some("dependency_scanning" | "container_scanning" | "cluster_image_scanning") => C::VulnFinding,
        _ => C::ScanFinding,
    };
    match (class, state) {
        (_, "detected") => event(class, "opened"),
        (_, "confirmed") => event(class, "confirmed"),
        (C::SecretFinding, "resolved" | "dismissed") => event(class, "resolved"),
        (_, "resolved") => event(class, "closed"),
        (_, "dismissed") => event(class, "dismissed"),
        _ => Classified::Filtered,
    }
}
