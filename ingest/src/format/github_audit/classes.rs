//! Which class a GitHub audit action is of.
//!
//! The table names what has a class of its own; every other action is an administrative change (`scm.admin`) under its
//! native name, so that an action GitHub adds tomorrow is still an event. Must never read who acted.

use EventClass as C;
use model::{EventClass, Verdict};

use crate::format::{Class, Classified, Inputs};

/// What [`classify`] reads, in its order.
pub(super) const PATHS: &[&str] = &["action", "conclusion"];

/// (native action, class, our action; empty: the native one).
#[rustfmt::skip]
const TABLE: &[(&str, EventClass, &str)] = &[
    ("api.request", C::IdentityUse, ""),
    ("business.sso_response", C::IdentityAuth, ""),
    ("environment.remove_protection_rule", C::SecretAdmin, "env_protection_removed"),
    ("git.clone", C::ScmAccess, "clone"),
    ("git.fetch", C::ScmAccess, "fetch"),
    ("git.push", C::ScmPush, "push"),
    ("oauth_access.destroy", C::IdentityTokenRevoked, ""),
    ("oauth_access.revoke", C::IdentityTokenRevoked, ""),
    ("oauth_authorization.destroy", C::IdentityTokenRevoked, ""),
    ("org.sso_response", C::IdentityAuth, ""),
    ("org_credential_authorization.deauthorize", C::IdentityTokenRevoked, ""),
    ("org_credential_authorization.revoke", C::IdentityTokenRevoked, ""),
    ("packages.package_deleted", C::RegistryDelete, ""),
    ("packages.package_published", C::RegistryPublish, ""),
    ("packages.package_version_deleted", C::RegistryDelete, ""),
    ("packages.package_version_published", C::RegistryPublish, ""),
    ("personal_access_token.access_revoked", C::IdentityTokenRevoked, ""),
    ("personal_access_token.credential_revoked", C::IdentityTokenRevoked, ""),
    ("personal_access_token.destroy", C::IdentityTokenRevoked, ""),
    ("protected_branch.rejected_ref_update", C::ScmPush, "push"),
    ("pull_request.close", C::ScmChange, "closed"),
    ("pull_request.create", C::ScmChange, "opened"),
    ("pull_request.merge", C::ScmChange, "merged"),
    ("pull_request.reopen", C::ScmChange, "reopened"),
    ("pull_request_review.submit", C::ScmChange, "reviewed"),
    ("repo.download_zip", C::ScmAccess, "zip"),
    ("repository_vulnerability_alert.auto_dismiss", C::VulnFinding, "dismissed"),
    ("repository_vulnerability_alert.create", C::VulnFinding, "opened"),
    ("repository_vulnerability_alert.dismiss", C::VulnFinding, "dismissed"),
    ("repository_vulnerability_alert.reintroduce", C::VulnFinding, "opened"),
    ("repository_vulnerability_alert.reopen", C::VulnFinding, "opened"),
    ("repository_vulnerability_alert.resolve", C::VulnFinding, "closed"),
    ("secret_scanning_alert.create", C::SecretFinding, "opened"),
    ("secret_scanning_alert.public_leak", C::SecretFinding, "opened"),
    ("secret_scanning_alert.reopen", C::SecretFinding, "reopened"),
    ("secret_scanning_alert.resolve", C::SecretFinding, "resolved"),
    ("secret_scanning_push_protection.bypass", C::SecretFinding, "bypassed"),
    ("user.failed_login", C::IdentityAuth, ""),
    ("user.login", C::IdentityAuth, ""),
    ("user.logout", C::IdentityAuth, ""),
    ("user.sign_in_from_unrecognized_device", C::IdentityAuth, ""),
    ("user.sign_in_from_unrecognized_device_and_location", C::IdentityAuth, ""),
    ("user.two_factor_challenge_failure", C::IdentityAuth, ""),
    ("user.two_factor_challenge_success", C::IdentityAuth, ""),
    ("workflows.approve_workflow_job", C::CiJob, "approved"),
    ("workflows.cancel_workflow_run", C::CiRun, "cancelled"),
    ("workflows.completed_workflow_run", C::CiRun, "finished"),
    ("workflows.created_workflow_run", C::CiRun, "requested"),
    ("workflows.delete_workflow_run", C::CiRun, "deleted"),
    // The job has a runner and its secrets: from here on it can act.
    ("workflows.prepared_workflow_job", C::CiJob, "started"),
    ("workflows.reject_workflow_job", C::CiJob, "rejected"),
    ("workflows.rerun_workflow_run", C::CiRun, "requested"),
];

/// (what follows the first dot, class, our action): the same for `repo.`, `org.` and `enterprise.`.
#[rustfmt::skip]
const ANY_LEVEL: &[(&str, EventClass, &str)] = &[
    ("register_self_hosted_runner", C::CiRunner, "registered"),
    ("remove_self_hosted_runner", C::CiRunner, "removed"),
    ("self_hosted_runner_offline", C::CiRunner, "offline"),
    ("self_hosted_runner_online", C::CiRunner, "online"),
    ("self_hosted_runner_updated", C::CiRunner, "updated"),
];

/// A record without an action is none of GitHub's.
pub(super) fn classify(inputs: &Inputs<'_>) -> Classified {
    let Some(action) = inputs.text(0) else {
        return Classified::Invalid("no `action`");
    };
    let (class, ours) = class_of(action);
    Classified::Event(Class { class, action: ours, verdict: verdict(action, inputs.text(1)) })
}

fn class_of(action: &str) -> (EventClass, &'static str) {
    if let Ok(at) = TABLE.binary_search_by(|(native, ..)| (*native).cmp(action)) {
        return TABLE.get(at).map_or((C::ScmAdmin, ""), |&(_, class, ours)| (class, ours));
    }
    let verb = action.split_once('.').map_or(action, |(_, verb)| verb);
    if let Some(&(_, class, ours)) = ANY_LEVEL.iter().find(|(native, ..)| *native == verb) {
        return (class, ours);
    }
    secret_setting(verb).unwrap_or((C::ScmAdmin, ""))
}

/// `create_actions_secret` and its kin: the stores of Actions, Dependabot and Codespaces. An update sets a new value.
fn secret_setting(verb: &str) -> Option<(EventClass, &'static str)> {
    if !verb.ends_with("_secret") {
        return None;
    }
    match verb.split_once('_')?.0 {
        "create" => Some((C::SecretAdmin, "created")),
        "update" => Some((C::SecretRotated, "rotated")),
        "remove" | "delete" => Some((C::SecretAdmin, "deleted")),
        _ => None,
    }
}

/// The audit log records what was done, so success, but for the few actions that say that it was not.
fn verdict(action: &str, conclusion: Option<&str>) -> Verdict {
    match action {
        "user.failed_login" | "user.two_factor_challenge_failure" => Verdict::Failure,
        "protected_branch.rejected_ref_update" | "workflows.reject_workflow_job" => Verdict::Denied,
        "org.sso_response" | "business.sso_response" => Verdict::Unknown,
        "workflows.completed_workflow_run" => match conclusion {
            Some("success" | "neutral" | "skipped") => Verdict::Success,
            Some("failure" | "timed_out") => Verdict::Failure,
            Some("startup_failure") => Verdict::Error,
            _ => Verdict::Unknown,
        },
        _ => Verdict::Success,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_can_be_searched() {
        assert!(TABLE.windows(2).all(|pair| pair[0].0 < pair[1].0), "sorted, each action once");
    }

    #[test]
    fn actions_have_classes() {
        for (action, wanted) in [
            ("git.clone", (C::ScmAccess, "clone")),
            ("workflows.rerun_workflow_run", (C::CiRun, "requested")),
            ("enterprise.register_self_hosted_runner", (C::CiRunner, "registered")),
            ("org.runner_group_updated", (C::ScmAdmin, "")),
            ("repo.create_actions_secret", (C::SecretAdmin, "created")),
            ("org.update_dependabot_secret", (C::SecretRotated, "rotated")),
            ("audit_log_streaming.destroy", (C::ScmAdmin, "")),
            ("tomorrow.invented", (C::ScmAdmin, "")),
            ("nodot", (C::ScmAdmin, "")),
        ] {
            assert_eq!(class_of(action), wanted, "{action}");
        }
        assert_eq!(verdict("workflows.completed_workflow_run", Some("timed_out")), Verdict::Failure);
        assert_eq!(verdict("user.failed_login", None), Verdict::Failure);
    }
}
