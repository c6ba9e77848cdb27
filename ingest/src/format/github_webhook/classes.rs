//! Which class a GitHub webhook is of.
//!
//! Administrative changes have the words that GitHub's audit log has for them, so that one rule means both. Must never
//! read who acted.

use EventClass as C;
use model::{EventClass, Verdict};

use super::keys::*;
use crate::format::{Class, Classified, Inputs};
use Kind as K;

const SWITCHED_OFF: [&str; 4] = [
    "repository_secret_scanning_push_protection.disable",
    "repository_secret_scanning.disable",
    "repo.advanced_security_disabled",
    "repository_dependabot_updates.disable",
];

/// (kind, native action, the audit log's). An action that is not here keeps its native word.
#[rustfmt::skip]
const ADMIN: &[(Kind, &str, &str)] = &[
    (K::Protection, "created", "protected_branch.create"),
    (K::Protection, "edited", "protected_branch.update"),
    (K::Protection, "deleted", "protected_branch.destroy"),
    (K::Ruleset, "created", "repository_ruleset.create"),
    (K::Ruleset, "edited", "repository_ruleset.update"),
    (K::Ruleset, "deleted", "repository_ruleset.destroy"),
    (K::Pat, "created", "personal_access_token.request_created"),
    (K::Pat, "approved", "personal_access_token.access_granted"),
    (K::Pat, "denied", "personal_access_token.request_denied"),
    (K::Pat, "cancelled", "personal_access_token.request_cancelled"),
    (K::OrgMember, "member_added", "org.add_member"),
    (K::OrgMember, "member_removed", "org.remove_member"),
    (K::OrgMember, "member_invited", "org.invite_member"),
    (K::OrgMember, "renamed", "org.rename"),
    (K::OrgMember, "deleted", "org.delete"),
    (K::Member, "added", "repo.add_member"),
    (K::Member, "removed", "repo.remove_member"),
    (K::Member, "edited", "repo.update_member"),
    (K::Team, "added", "team.add_member"),
    (K::Team, "removed", "team.remove_member"),
    (K::Team, "created", "team.create"),
    (K::Team, "deleted", "team.destroy"),
    (K::Team, "edited", "team.update"),
    (K::Team, "added_to_repository", "team.add_repository"),
    (K::Team, "removed_from_repository", "team.remove_repository"),
    (K::Team, "", "team.add_repository"),
    (K::DeployKey, "created", "public_key.create"),
    (K::DeployKey, "deleted", "public_key.delete"),
    (K::Hook, "deleted", "hook.destroy"),
    (K::InstallationRepositories, "added", "integration_installation.repositories_added"),
    (K::InstallationRepositories, "removed", "integration_installation.repositories_removed"),
];

/// Of a repository alone: all actions that it has. The event `public` has none.
const OF_A_REPOSITORY: &[(&str, &str)] = &[
    ("created", "repo.create"),
    ("deleted", "repo.destroy"),
    ("archived", "repo.archived"),
    ("unarchived", "repo.unarchived"),
    ("publicized", "repo.access"),
    ("privatized", "repo.access"),
    ("renamed", "repo.rename"),
    ("transferred", "repo.transfer"),
    ("edited", "repo.update"),
    ("disabled", "protected_branch.disable"),
    ("enabled", "protected_branch.enable"),
    ("", "repo.access"),
];

/// Of an installed application alone.
const OF_AN_INSTALLATION: &[(&str, &str)] = &[
    ("created", "integration_installation.create"),
    ("deleted", "integration_installation.destroy"),
    ("suspend", "integration_installation.suspend"),
    ("unsuspend", "integration_installation.unsuspend"),
    ("new_permissions_accepted", "integration_installation.version_updated"),
];

/// A body that nobody sent is none of GitHub's.
pub(super) fn classify(inputs: &Inputs<'_>) -> Classified {
    let action = inputs.text(ACTION).unwrap_or("");
    let kind = kind_of(inputs);
    match kind {
        K::Run | K::Job | K::Suite | K::Check => ci(kind, action, inputs),
        K::Dispatch => event(C::CiRun, "dispatched"),
        K::Deployment | K::DeploymentStatus | K::DeploymentReview => deployment(kind, action, inputs),
        K::Push | K::Ref => pushed(kind, inputs),
        K::Change | K::Review | K::Comment => change(kind, action, inputs),
        K::Release | K::Package => published(kind, action, inputs),
        K::Secret | K::CodeScanning | K::Vulnerability => finding(kind, action, inputs),
        K::Security => switched_off(inputs),
        K::Plain => plain(action, inputs),
        K::Ignored => Classified::Filtered,
        _ => {
            let ours = ADMIN.iter().find(|(of, native, _)| *of == kind && *native == action);
            event(C::ScmAdmin, ours.map_or("", |(.., ours)| ours))
        }
    }
}

fn event(class: EventClass, action: &'static str) -> Classified {
    ended(class, action, Verdict::Success)
}

fn ended(class: EventClass, action: &'static str, verdict: Verdict) -> Classified {
    Classified::Event(Class { class, action, verdict })
}

/// Checks and suites of GitHub's own CI say again what its runs and jobs say.
fn ci(kind: Kind, action: &str, inputs: &Inputs<'_>) -> Classified {
    let told = matches!(kind, K::Suite | K::Check);
    if told && APPS.into_iter().any(|i| inputs.text(i) == Some("github-actions")) {
        return Classified::Filtered;
    }
    let class = if matches!(kind, K::Run | K::Suite) { C::CiRun } else { C::CiJob };
    match action {
        "completed" => {
            let conclusion = CONCLUSIONS.into_iter().find_map(|i| inputs.text(i));
            ended(class, "finished", concluded(conclusion))
        }
        "in_progress" => event(class, "started"),
        "created" if kind == K::Check => event(class, "started"),
        "requested_action" => Classified::Filtered,
        _ => event(class, ""),
    }
}

fn concluded(conclusion: Option<&str>) -> Verdict {
    match conclusion {
        Some("success" | "neutral" | "skipped") => Verdict::Success,
        Some("failure" | "timed_out") => Verdict::Failure,
        Some("startup_failure") => Verdict::Error,
        _ => Verdict::Unknown,
    }
}

/// States between the beginning and an end say nothing that the two do not.
fn deployment(kind: Kind, action: &str, inputs: &Inputs<'_>) -> Classified {
    match (kind, action, inputs.text(STATE)) {
        (K::Deployment, ..) => event(C::DeployStarted, ""),
        (K::DeploymentStatus, _, Some("success")) => event(C::DeployFinished, "finished"),
        (K::DeploymentStatus, _, Some("failure")) => ended(C::DeployFinished, "finished", Verdict::Failure),
        (K::DeploymentStatus, _, Some("error")) => ended(C::DeployFinished, "finished", Verdict::Error),
        (K::DeploymentReview, "approved", _) => event(C::CiJob, "approved"),
        (K::DeploymentReview, "rejected", _) => ended(C::CiJob, "rejected", Verdict::Denied),
        _ => Classified::Filtered,
    }
}

/// Commits that arrive on a branch are a push; tags, and whatever is deleted, are refs.
fn pushed(kind: Kind, inputs: &Inputs<'_>) -> Classified {
    if kind == K::Ref {
        return event(C::ScmRef, if inputs.has(MASTER_BRANCH) { "created" } else { "deleted" });
    }
    let is_tag = inputs.text(REF).is_some_and(|name| name.starts_with("refs/tags/"));
    if inputs.bool(DELETED) == Some(true) {
        event(C::ScmRef, "deleted")
    } else if !is_tag {
        event(C::ScmPush, "push")
    } else if inputs.bool(CREATED) == Some(true) {
        event(C::ScmRef, "created")
    } else {
        event(C::ScmRef, "moved")
    }
}

fn change(kind: Kind, action: &str, inputs: &Inputs<'_>) -> Classified {
    let action = match (kind, action) {
        (K::Change, "opened") => "opened",
        (K::Change, "reopened") => "reopened",
        (K::Change, "closed") if inputs.bool(MERGED) == Some(true) => "merged",
        (K::Change, "closed") => "closed",
        (K::Change, "synchronize" | "edited" | "labeled" | "ready_for_review" | "auto_merge_enabled" | "enqueued") => {
            ""
        }
        (K::Review, "submitted") if inputs.text(REVIEW).is_some() => "reviewed",
        (K::Review, "dismissed") => "review_dismissed",
        (K::Comment, "created" | "edited") => "commented",
        _ => return Classified::Filtered,
    };
    // A comment on an issue, a commit or a discussion is about no change.
    let is_change = kind != K::Comment || inputs.has(ISSUE_IS_CHANGE) || has_key(inputs, "pull_request");
    if is_change { event(C::ScmChange, action) } else { Classified::Filtered }
}

/// Images are pushed, packages and releases published.
fn published(kind: Kind, action: &str, inputs: &Inputs<'_>) -> Classified {
    let registry = REGISTRIES.into_iter().find_map(|i| inputs.text(i)).unwrap_or("");
    let is_image = ["container", "docker"].iter().any(|name| registry.eq_ignore_ascii_case(name));
    match (kind, action) {
        (K::Package, "published" | "updated") if is_image => event(C::RegistryPush, ""),
        (K::Package, "published" | "updated") => event(C::RegistryPublish, ""),
        // `created`, `released` and `prereleased` accompany `published`, or a draft that nobody sees.
        (_, "published" | "edited") => event(C::RegistryPublish, ""),
        (_, "deleted" | "unpublished") => event(C::RegistryDelete, ""),
        _ => Classified::Filtered,
    }
}

fn finding(kind: Kind, action: &str, inputs: &Inputs<'_>) -> Classified {
    match (kind, action) {
        (K::Secret, "created") if inputs.has(LOCATION) => event(C::SecretFinding, "located"),
        (K::Secret, "created") if inputs.bool(BYPASSED) == Some(true) => event(C::SecretFinding, "bypassed"),
        (K::Secret, "created" | "publicly_leaked") => event(C::SecretFinding, "opened"),
        (K::Secret, "reopened") => event(C::SecretFinding, "reopened"),
        (K::Secret, "resolved" | "revoked") => event(C::SecretFinding, "resolved"),
        (K::Secret, "validated") => event(C::SecretFinding, "validated"),
        (K::CodeScanning, "created" | "appeared_in_branch") => event(C::ScanFinding, "opened"),
        (K::CodeScanning, "reopened" | "reopened_by_user") => event(C::ScanFinding, "reopened"),
        (K::CodeScanning, "fixed") => event(C::ScanFinding, "closed"),
        (K::CodeScanning, "closed_by_user") => event(C::ScanFinding, "dismissed"),
        (K::Vulnerability, "created" | "create" | "reopened" | "reopen" | "reintroduced" | "auto_reopened") => {
            event(C::VulnFinding, "opened")
        }
        (K::Vulnerability, "fixed" | "resolve") => event(C::VulnFinding, "closed"),
        (K::Vulnerability, "dismissed" | "auto_dismissed" | "dismiss") => event(C::VulnFinding, "dismissed"),
        _ => Classified::Filtered,
    }
}

/// The first feature that was on and is off; what is switched on is of no interest.
fn switched_off(inputs: &Inputs<'_>) -> Classified {
    let status = |i: usize| inputs.text(FEATURES + i);
    let off = |pair: &usize| status(2 * pair) == Some("enabled") && status(2 * pair + 1) == Some("disabled");
    match (0..SWITCHED_OFF.len()).find(off).and_then(|pair| SWITCHED_OFF.get(pair)) {
        Some(action) => event(C::ScmAdmin, action),
        None => Classified::Filtered,
    }
}

fn plain(action: &str, inputs: &Inputs<'_>) -> Classified {
    if !inputs.has(SENDER) {
        return Classified::Invalid("no `sender`");
    }
    let known = |table: &[(&str, &'static str)]| table.iter().find(|(native, _)| *native == action).map(|row| row.1);
    let ours = if inputs.has(REPOSITORY) {
        known(OF_A_REPOSITORY)
    } else if inputs.has(ORGANIZATION) {
        known(&[("renamed", "org.rename"), ("deleted", "org.delete")])
    } else if inputs.has(INSTALLATION) {
        known(OF_AN_INSTALLATION)
    } else if action == "revoked" {
        return event(C::IdentityTokenRevoked, "revoked");
    } else {
        None
    };
    ours.map_or(Classified::Filtered, |ours| event(C::ScmAdmin, ours))
}
