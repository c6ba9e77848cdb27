//! Which class a GitLab audit event is of.
//!
//! The table names what has a class of its own; every other event is an administrative change (`scm.admin`) under its
//! native name, so that a type GitLab adds tomorrow is still an event. Must never read who acted.

use EventClass as C;
use model::{EventClass, Verdict};

use crate::format::{Class, Classified, Inputs};

/// What [`classify`] reads, in its order.
pub(super) const PATHS: &[&str] = &[
    "event_type",
    "details.event_name",
    "details.custom_message.action",
    "details.custom_message.verb",
    "details.change",
    "details.failed_login",
    "details.with",
    "details.add",
    "details.remove",
    "entity_type",
];

/// (native type, class, our action; empty: the native one).
#[rustfmt::skip]
const TABLE: &[(&str, EventClass, &str)] = &[
    ("add_ssh_key", C::ScmAdmin, "public_key.create"),
    ("api_request_access_with_scope", C::IdentityUse, ""),
    ("authenticated_with_group_saml", C::IdentityAuth, ""),
    ("authenticated_with_ldap", C::IdentityAuth, ""),
    ("authenticated_with_oauth", C::IdentityAuth, ""),
    ("authenticated_with_password", C::IdentityAuth, ""),
    ("authenticated_with_two_factor", C::IdentityAuth, ""),
    ("authenticated_with_webauthn", C::IdentityAuth, ""),
    ("ci_group_variable_created", C::SecretAdmin, "created"),
    ("ci_group_variable_deleted", C::SecretAdmin, "deleted"),
    ("ci_group_variable_updated", C::SecretAdmin, "updated"),
    ("ci_instance_variable_created", C::SecretAdmin, "created"),
    ("ci_instance_variable_deleted", C::SecretAdmin, "deleted"),
    ("ci_instance_variable_updated", C::SecretAdmin, "updated"),
    ("ci_runner_created", C::CiRunner, "registered"),
    ("ci_runner_registered", C::CiRunner, "registered"),
    ("ci_runner_unregistered", C::CiRunner, "removed"),
    ("ci_runners_bulk_deleted", C::CiRunner, "removed"),
    ("ci_variable_created", C::SecretAdmin, "created"),
    ("ci_variable_deleted", C::SecretAdmin, "deleted"),
    ("ci_variable_updated", C::SecretAdmin, "updated"),
    ("cluster_agent_token_revoked", C::IdentityTokenRevoked, ""),
    ("container_repository_created", C::RegistryPush, ""),
    ("container_repository_deleted", C::RegistryDelete, ""),
    ("container_repository_deletion_marked", C::RegistryDelete, ""),
    ("container_repository_tags_deleted", C::RegistryDelete, ""),
    ("deploy_key_added", C::ScmAdmin, "public_key.create"),
    ("deploy_key_removed", C::ScmAdmin, "public_key.delete"),
    ("deploy_token_destroyed", C::IdentityTokenRevoked, ""),
    ("deploy_token_revoked", C::IdentityTokenRevoked, ""),
    ("deployment_approved", C::CiJob, "approved"),
    ("deployment_rejected", C::CiJob, "rejected"),
    ("deployment_started", C::DeployStarted, "started"),
    ("destroy_pipeline", C::CiRun, "deleted"),
    ("environment_unprotected", C::SecretAdmin, "env_protection_removed"),
    ("group_access_token_deleted", C::IdentityTokenRevoked, ""),
    ("group_deploy_token_destroyed", C::IdentityTokenRevoked, ""),
    ("group_deploy_token_revoked", C::IdentityTokenRevoked, ""),
    ("group_destroyed", C::ScmAdmin, "org.delete"),
    ("login_failed_with_otp_authentication", C::IdentityAuth, ""),
    ("login_failed_with_standard_authentication", C::IdentityAuth, ""),
    ("login_failed_with_webauthn_authentication", C::IdentityAuth, ""),
    ("merge_request_approval_operation", C::ScmChange, "reviewed"),
    ("merge_request_closed_by_project_bot", C::ScmChange, "closed"),
    ("merge_request_create", C::ScmChange, "opened"),
    ("merge_request_created_by_project_bot", C::ScmChange, "opened"),
    ("merge_request_merged", C::ScmChange, "merged"),
    ("merge_request_merged_by_project_bot", C::ScmChange, "merged"),
    ("merge_request_merged_with_dismissed_security_policy", C::PolicyDecision, ""),
    ("merge_request_reopened_by_project_bot", C::ScmChange, "reopened"),
    ("omniauth_login_failed", C::IdentityAuth, ""),
    ("package_registry_package_deleted", C::RegistryDelete, ""),
    ("package_registry_package_published", C::RegistryPublish, "published"),
    ("personal_access_token_revoked", C::IdentityTokenRevoked, ""),
    ("policy_project_updated", C::PolicyChange, ""),
    ("project_access_token_deleted", C::IdentityTokenRevoked, ""),
    ("project_archived", C::ScmAdmin, "repo.archived"),
    ("project_created", C::ScmAdmin, "repo.create"),
    ("project_destroyed", C::ScmAdmin, "repo.destroy"),
    ("project_unarchived", C::ScmAdmin, "repo.unarchived"),
    ("project_visibility_level_updated", C::ScmAdmin, "repo.access"),
    ("protected_branch_created", C::ScmAdmin, "protected_branch.create"),
    ("protected_branch_removed", C::ScmAdmin, "protected_branch.destroy"),
    ("protected_environment_approval_rule_deleted", C::SecretAdmin, "env_protection_removed"),
    ("public_repository_download_operation", C::ScmAccess, "zip"),
    ("release_created", C::RegistryPublish, "published"),
    ("release_deleted_audit_event", C::RegistryDelete, "deleted"),
    ("release_updated", C::RegistryPublish, "edited"),
    ("remove_ssh_key", C::ScmAdmin, "public_key.delete"),
    ("repository_download_operation", C::ScmAccess, "zip"),
    ("secrets_manager_create_project_secret", C::SecretAdmin, "created"),
    ("secrets_manager_delete_project_secret", C::SecretAdmin, "deleted"),
    ("secrets_manager_read_project_secret", C::SecretAccess, "read"),
    ("secrets_manager_update_project_secret", C::SecretAdmin, "updated"),
    ("security_policy_access_token_push_bypass", C::PolicyDecision, ""),
    ("security_policy_create", C::PolicyChange, ""),
    ("security_policy_delete", C::PolicyChange, ""),
    ("security_policy_merge_request_bypass", C::PolicyDecision, ""),
    ("security_policy_merge_request_merged_with_policy_violations", C::PolicyDecision, ""),
    ("security_policy_service_account_push_bypass", C::PolicyDecision, ""),
    ("security_policy_update", C::PolicyChange, ""),
    ("security_policy_user_push_bypass", C::PolicyDecision, ""),
    ("skip_secret_push_protection", C::SecretFinding, "bypassed"),
    ("smartcard_authentication_created", C::IdentityAuth, ""),
    ("user_authenticated_using_job_token", C::IdentityUse, ""),
    ("variable_viewed_api", C::SecretAccess, "read"),
];

/// The event is about where audit events go: an audit stream has one name in every source.
pub(super) fn is_stream(native: &str) -> bool {
    ["event_streaming", "events_streaming", "amazon_s3_configuration", "google_cloud_logging_configuration"]
        .iter()
        .any(|part| native.contains(part))
        || ["event_type_filters_", "_namespace_filter"].iter().any(|part| native.contains(part))
}

/// A record without a type (from the API of older versions) is told by what its details say was done.
pub(super) fn classify(inputs: &Inputs<'_>) -> Classified {
    let Some(native) = inputs.text(0).or(inputs.text(1)) else {
        return untyped(inputs);
    };
    if native == "repository_git_operation" {
        return git(inputs);
    }
    if let Some(action) = membership(native, inputs.text(9)) {
        return event(C::ScmAdmin, action, Verdict::Success);
    }
    let (class, action) = class_of(native);
    // A variable's new value is a rotation, its new protection is not.
    if action == "updated" && inputs.text(4) == Some("value") {
        return event(C::SecretRotated, "rotated", Verdict::Success);
    }
    // The type stands in the details only: it is the action all the same.
    let action = if action.is_empty() && inputs.text(0).is_none() { "event" } else { action };
    event(class, action, verdict(native))
}

fn event(class: EventClass, action: &'static str, verdict: Verdict) -> Classified {
    Classified::Event(Class { class, action, verdict })
}

fn class_of(native: &str) -> (EventClass, &'static str) {
    if let Ok(at) = TABLE.binary_search_by(|(name, ..)| (*name).cmp(native)) {
        return TABLE.get(at).map_or((C::ScmAdmin, ""), |&(_, class, ours)| (class, ours));
    }
    if is_stream(native) {
        // Their headers and filters are parts of a stream: whatever happens to them alters it.
        let whole = native.contains("destination") || native.contains("configuration");
        let verb = match native {
            _ if whole && native.contains("creat") => "audit_log_streaming.create",
            _ if whole && (native.contains("destroy") || native.contains("delet")) => "audit_log_streaming.destroy",
            _ => "audit_log_streaming.update",
        };
        return (C::ScmAdmin, verb);
    }
    if native.starts_with("protected_branch_") {
        return (C::ScmAdmin, "protected_branch.update");
    }
    (C::ScmAdmin, "")
}

/// Membership of a group or of a project.
fn membership(native: &str, entity: Option<&str>) -> Option<&'static str> {
    match (native, entity) {
        ("member_created", Some("Group")) => Some("org.add_member"),
        ("member_updated", Some("Group")) => Some("org.update_member"),
        ("member_destroyed", Some("Group")) => Some("org.remove_member"),
        ("member_created", _) => Some("repo.add_member"),
        ("member_updated", _) => Some("repo.update_member"),
        ("member_destroyed", _) => Some("repo.remove_member"),
        _ => None,
    }
}

/// A push by what git asks the server for; a clone is a fetch that GitLab tells apart since it knows the verb.
fn git(inputs: &Inputs<'_>) -> Classified {
    match (inputs.text(2), inputs.text(3)) {
        (Some("git-receive-pack"), _) | (_, Some("push")) => event(C::ScmPush, "push", Verdict::Success),
        (_, Some("clone")) => event(C::ScmAccess, "clone", Verdict::Success),
        (Some(_), _) | (_, Some(_)) => event(C::ScmAccess, "fetch", Verdict::Success),
        _ => Classified::Filtered,
    }
}

fn untyped(inputs: &Inputs<'_>) -> Classified {
    if inputs.first(5).is_some() {
        event(C::IdentityAuth, "login_failed", Verdict::Failure)
    } else if inputs.first(6).is_some() {
        event(C::IdentityAuth, "authenticated", Verdict::Success)
    } else if inputs.first(7).is_some() {
        event(C::ScmAdmin, "added", Verdict::Success)
    } else if inputs.first(8).is_some() {
        event(C::ScmAdmin, "removed", Verdict::Success)
    } else if inputs.first(4).is_some() {
        event(C::ScmAdmin, "changed", Verdict::Success)
    } else {
        event(C::ScmAdmin, "event", Verdict::Success)
    }
}

/// Audit events record what was done, so success, but for the types that say that it was not.
fn verdict(native: &str) -> Verdict {
    if native == "deployment_rejected" {
        Verdict::Denied
    } else if native.contains("_failed") {
        Verdict::Failure
    } else {
        Verdict::Success
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_can_be_searched() {
        assert!(TABLE.windows(2).all(|pair| pair[0].0 < pair[1].0), "sorted, each type once");
    }

    #[test]
    fn types_have_classes() {
        for (native, wanted) in [
            ("ci_runner_registered", (C::CiRunner, "registered")),
            ("destroy_instance_event_streaming_destination", (C::ScmAdmin, "audit_log_streaming.destroy")),
            ("deleted_group_audit_event_streaming_destination", (C::ScmAdmin, "audit_log_streaming.destroy")),
            ("amazon_s3_configuration_created", (C::ScmAdmin, "audit_log_streaming.create")),
            ("audit_events_streaming_headers_destroy", (C::ScmAdmin, "audit_log_streaming.update")),
            ("event_type_filters_deleted", (C::ScmAdmin, "audit_log_streaming.update")),
            ("protected_branch_allow_force_push_updated", (C::ScmAdmin, "protected_branch.update")),
            ("protected_branch_removed", (C::ScmAdmin, "protected_branch.destroy")),
            ("tomorrow_invented", (C::ScmAdmin, "")),
        ] {
            assert_eq!(class_of(native), wanted, "{native}");
        }
        assert_eq!(verdict("login_failed_with_otp_authentication"), Verdict::Failure);
        assert_eq!(verdict("deployment_rejected"), Verdict::Denied);
    }
}
