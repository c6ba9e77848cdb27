//! How a GitHub webhook's kind is told without its header: by the keys of its body.
//!
//! The more particular key stands first, since many bodies carry the objects of other kinds too. Must never look at a
//! text that somebody outside can write.

use Kind as K;

use crate::format::Inputs;

/// What the body is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Run,
    Job,
    Suite,
    Check,
    Dispatch,
    Review,
    Deployment,
    DeploymentStatus,
    DeploymentReview,
    Push,
    Ref,
    Change,
    Comment,
    Release,
    Package,
    Secret,
    CodeScanning,
    Vulnerability,
    Protection,
    Ruleset,
    Pat,
    OrgMember,
    Member,
    Team,
    DeployKey,
    Hook,
    InstallationRepositories,
    Security,
    /// Told by what is left: a repository, an organisation, an installation or a person only.
    Plain,
    Ignored,
}

/// (key, kind): the first key that the body has decides, whatever its value.
#[rustfmt::skip]
pub(super) const KEYS: [(&str, Kind); 55] = [
    ("zen", K::Ignored),
    ("hook", K::Hook),
    ("workflow_job", K::Job),
    ("deployment_status", K::DeploymentStatus),
    ("deployment_callback_url", K::Ignored),
    ("workflow_job_run", K::DeploymentReview),
    ("since", K::DeploymentReview),
    ("deployment", K::Deployment),
    ("check_run", K::Check),
    ("check_suite", K::Suite),
    ("workflow_run", K::Run),
    ("review", K::Review),
    ("thread", K::Ignored),
    ("comment", K::Comment),
    ("merge_group", K::Ignored),
    ("pull_request", K::Change),
    ("pusher", K::Push),
    ("ref_type", K::Ref),
    ("client_payload", K::Dispatch),
    ("workflow", K::Dispatch),
    ("release", K::Release),
    ("registry_package", K::Package),
    ("package", K::Package),
    ("alert.secret_type", K::Secret),
    ("alert.tool", K::CodeScanning),
    ("alert.security_advisory", K::Vulnerability),
    ("alert.affected_package_name", K::Vulnerability),
    ("alert", K::Ignored),
    ("rule", K::Protection),
    ("repository_ruleset", K::Ruleset),
    ("personal_access_token_request", K::Pat),
    ("membership", K::OrgMember),
    ("invitation", K::OrgMember),
    ("team", K::Team),
    ("member", K::Member),
    ("key", K::DeployKey),
    ("repositories_added", K::InstallationRepositories),
    ("changes.from.security_and_analysis", K::Security),
    // What nobody detects by. Named, because some of these have a repository and the action `created` or `deleted`.
    ("issue", K::Ignored),
    ("discussion", K::Ignored),
    ("label", K::Ignored),
    ("milestone", K::Ignored),
    ("starred_at", K::Ignored),
    ("forkee", K::Ignored),
    ("pages", K::Ignored),
    ("build", K::Ignored),
    ("context", K::Ignored),
    ("project", K::Ignored),
    ("project_card", K::Ignored),
    ("project_column", K::Ignored),
    ("sponsorship", K::Ignored),
    ("repository_advisory", K::Ignored),
    ("security_advisory", K::Ignored),
    ("exemption_request", K::Ignored),
    ("blocked_user", K::Ignored),
];

/// Where each field stands in [`PATHS`].
pub(super) const ACTION: usize = 0;
pub(super) const REF: usize = 1;
pub(super) const CREATED: usize = 2;
pub(super) const DELETED: usize = 3;
pub(super) const CONCLUSIONS: std::ops::Range<usize> = 4..8;
pub(super) const APPS: std::ops::Range<usize> = 8..10;
pub(super) const STATE: usize = 10;
pub(super) const MERGED: usize = 11;
pub(super) const ISSUE_IS_CHANGE: usize = 12;
pub(super) const REVIEW: usize = 13;
pub(super) const REGISTRIES: std::ops::Range<usize> = 14..16;
pub(super) const BYPASSED: usize = 16;
pub(super) const LOCATION: usize = 17;
pub(super) const MASTER_BRANCH: usize = 18;
pub(super) const REPOSITORY: usize = 19;
pub(super) const ORGANIZATION: usize = 20;
pub(super) const INSTALLATION: usize = 21;
pub(super) const SENDER: usize = 22;
pub(super) const FEATURES: usize = 23;
pub(super) const FIRST_KEY: usize = 31;

const FIELDS: [&str; FIRST_KEY] = [
    "action",
    "ref",
    "created",
    "deleted",
    "workflow_run.conclusion",
    "workflow_job.conclusion",
    "check_run.conclusion",
    "check_suite.conclusion",
    "check_run.app.slug",
    "check_suite.app.slug",
    "deployment_status.state",
    "pull_request.merged",
    "issue.pull_request",
    "review.state",
    "registry_package.registry.type",
    "package.registry.type",
    "alert.push_protection_bypassed",
    "location",
    "master_branch",
    "repository",
    "organization",
    "installation",
    "sender",
    // In pairs: what a feature was and what it is; in the order of `SWITCHED_OFF`.
    "changes.from.security_and_analysis.secret_scanning_push_protection.status",
    "repository.security_and_analysis.secret_scanning_push_protection.status",
    "changes.from.security_and_analysis.secret_scanning.status",
    "repository.security_and_analysis.secret_scanning.status",
    "changes.from.security_and_analysis.advanced_security.status",
    "repository.security_and_analysis.advanced_security.status",
    "changes.from.security_and_analysis.dependabot_security_updates.status",
    "repository.security_and_analysis.dependabot_security_updates.status",
];

/// What classification reads, in its order: fields, then keys.
pub(super) const PATHS: &[&str] = &paths();

const fn paths() -> [&'static str; FIRST_KEY + KEYS.len()] {
    let mut all = [""; FIRST_KEY + KEYS.len()];
    let mut at = 0;
    while at < FIRST_KEY {
        all[at] = FIELDS[at];
        at += 1;
    }
    while at < all.len() {
        all[at] = KEYS[at - FIRST_KEY].0;
        at += 1;
    }
    all
}

/// The kind of a body.
pub(super) fn kind_of(inputs: &Inputs<'_>) -> Kind {
    let known = KEYS.iter().enumerate().find(|(i, _)| inputs.has(FIRST_KEY + i));
    known.map_or(K::Plain, |(_, (_, kind))| *kind)
}

/// The body has that one of [`KEYS`].
pub(super) fn has_key(inputs: &Inputs<'_>, key: &str) -> bool {
    KEYS.iter().position(|(name, _)| *name == key).is_some_and(|i| inputs.has(FIRST_KEY + i))
}
