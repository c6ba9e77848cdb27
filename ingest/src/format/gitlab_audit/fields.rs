//! How single fields of GitLab's audit events become ours.
//!
//! Must never take the numbers that stand for "some deploy key" or "nobody" for somebody's id.

use model::Scalar;

use super::classes::is_stream;
use crate::format::fill::{each_text, lower_case};
use crate::format::{Inputs, Output};

/// The id of a user, which is above 0; others are known by their kind and name: `deploykey:release`.
pub(super) fn actor_id(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    let id = inputs.string(0).filter(|id| !id.starts_with('-') && id != "0");
    if let Some(id) = id {
        return output.text(&id);
    }
    let class = inputs.text(1).and_then(|class| class.rsplit("::").next()).unwrap_or("author");
    if let Some(name) = inputs.text(2).or_else(|| inputs.text(3)) {
        output.text(&lower_case(&format!("{class}:{name}")));
    }
}

/// Keys, tokens and runners are no people; of users GitLab does not say whether they are bots.
pub(super) fn actor_kind(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if matches!(kind_of_author(inputs), Some("DeployKey" | "DeployToken" | "CiRunnerTokenAuthor")) {
        output.text("workload");
    }
}

/// The credential, where the author is one; a job's token by the type of the event.
pub(super) fn token_kind(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    match (kind_of_author(inputs), inputs.text(1)) {
        (Some("DeployKey"), _) => output.text("deploy_key"),
        (Some("DeployToken"), _) => output.text("deploy_token"),
        (_, Some("user_authenticated_using_job_token")) => output.text("job"),
        _ => {}
    }
}

fn kind_of_author<'a>(inputs: &Inputs<'a>) -> Option<&'a str> {
    inputs.text(0).and_then(|class| class.rsplit("::").next())
}

/// The entity's id, where the entity is a project.
pub(super) fn project_id(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if let Some(id) = inputs.string(1).filter(|_| inputs.text(0) == Some("Project")) {
        output.text(&id);
    }
}

/// The entity's id, where the entity is a group.
pub(super) fn group_id(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if let Some(id) = inputs.string(1).filter(|_| inputs.text(0) == Some("Group")) {
        output.text(&id);
    }
}

/// Level of a change.
pub(super) fn scope(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    let level = match inputs.text(0) {
        Some("Project") => "repo",
        Some("Group") => "org",
        Some("User" | "Key") => "user",
        Some(_) => "enterprise",
        None => return,
    };
    output.text(level);
}

/// Kinds by the beginning of the event's type.
const KINDS: &[(&str, &str)] = &[
    ("protected_branch_", "protected_branch"),
    ("member_role_", "role"),
    ("member_", "member"),
    ("add_ssh_key", "public_key"),
    ("remove_ssh_key", "public_key"),
    ("deploy_key_", "public_key"),
    ("project_", "repo"),
    ("group_", "org"),
];

/// What was changed: by the event's type, else the target's own type (`ExternalStatusCheck` → external_status_check).
pub(super) fn object_kind(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    let native = inputs.text(0).or_else(|| inputs.text(1));
    if native.is_some_and(is_stream) {
        return output.text("audit_stream");
    }
    if let Some((_, kind)) = native.and_then(|native| KINDS.iter().find(|(start, _)| native.starts_with(start))) {
        return output.text(kind);
    }
    if let Some(target) = inputs.text(2).or_else(|| inputs.text(3)) {
        output.text(&snake(target.rsplit("::").next().unwrap_or(target)));
    }
}

fn snake(name: &str) -> String {
    let mut words = String::with_capacity(name.len() + 4);
    for (i, c) in name.chars().enumerate() {
        if c.is_uppercase() && i > 0 {
            words.push('_');
        }
        words.extend(c.to_lowercase());
    }
    words
}

/// A protected branch, qualified.
pub(super) fn protected_ref(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    let is_branch = inputs.text(0).is_some_and(|native| native.starts_with("protected_branch_"));
    if let Some(name) = inputs.text(1).or_else(|| inputs.text(2)).filter(|_| is_branch) {
        output.text(&format!("refs/heads/{name}"));
    }
}

/// Who approved, where the event is an approval.
pub(super) fn approver(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if let Some(id) = inputs.string(1).filter(|_| inputs.text(0) == Some("merge_request_approval_operation")) {
        output.text(&id);
    }
}

/// Who got a right or lost it: the target, where it is about membership.
pub(super) fn member(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    let about_rights = |native: &str| {
        native.starts_with("member_") || native.contains("_group_link_") || native.starts_with("user_admin_status")
    };
    if let Some(name) = inputs.text(1).or_else(|| inputs.text(2)).filter(|_| inputs.text(0).is_some_and(about_rights)) {
        output.text(name);
    }
}

/// The name of an environment, where the target is one.
fn environment<'a>(inputs: &Inputs<'a>) -> Option<&'a str> {
    let native = inputs.text(0)?;
    let about = native.contains("environment_") || native.starts_with("deployment_");
    inputs.text(1).or_else(|| inputs.text(2)).filter(|_| about)
}

/// It as GitLab names it.
pub(super) fn env(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    environment(inputs).into_iter().for_each(|name| output.text(name));
}

/// Its class.
pub(super) fn env_class(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    let class = environment(inputs).and_then(crate::format::fill::class_of_env);
    class.into_iter().for_each(|class| output.text(class));
}

/// Downloads have types for public projects and for others; of other operations it is not known.
pub(super) fn private(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    match inputs.text(0) {
        Some("public_repository_download_operation") => output.scalar(Scalar::Bool(false)),
        Some("repository_download_operation") => output.scalar(Scalar::Bool(true)),
        _ => {}
    }
}

/// clone, fetch, push or zip.
pub(super) fn op(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    match (inputs.text(0), inputs.text(1)) {
        (Some(verb), _) => output.text(verb),
        (_, Some("git-upload-pack")) => output.text("fetch"),
        (_, Some("git-receive-pack")) => output.text("push"),
        _ if inputs.text(2).is_some_and(|native| native.ends_with("download_operation")) => output.text("zip"),
        _ => {}
    }
}

/// `PersonalAccessToken:9001`: kind and number of a credential.
pub(super) fn credential(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    let (kind, id) = (inputs.text(0).or_else(|| inputs.text(2)), inputs.string(1).or_else(|| inputs.string(3)));
    if let (Some(kind), Some(id)) = (kind, id) {
        output.text(&format!("{kind}:{id}"));
    }
}

/// Runners that are registered are not the host's own.
pub(super) fn self_hosted(_: &Inputs<'_>, output: &mut Output<'_>) {
    output.text("self_hosted");
}

/// The store is GitLab's own.
pub(super) fn store(_: &Inputs<'_>, output: &mut Output<'_>) {
    output.text("gitlab");
}

/// These decisions are refusals that somebody passed.
pub(super) fn bypassed(_: &Inputs<'_>, output: &mut Output<'_>) {
    output.scalar(Scalar::Bool(true));
}

/// Rights in lower case: `owner`, `maintainer`.
pub(super) fn permission(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    each_text(inputs, |level| output.text(&lower_case(level)));
}

#[cfg(test)]
mod tests {
    use super::snake;

    #[test]
    fn types_of_targets_are_words() {
        assert_eq!(snake("ExternalStatusCheck"), "external_status_check");
        assert_eq!(snake("Project"), "project");
        assert_eq!(snake(""), "");
    }
}
