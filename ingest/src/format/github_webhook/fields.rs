//! How single fields of GitHub's webhooks become ours.
//!
//! Must never decide by a name that its owner can choose: kinds come from GitHub's own marks.

use model::Scalar;

use crate::format::fill::{between, each_text, lower_case, present, repo_of};
use crate::format::{Inputs, Output};

/// From the repository's address, which has the host of an enterprise server; without one from its full name.
pub(super) fn repo(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if let Some(repo) = repo_name(inputs) {
        output.text(&repo);
    }
}

fn repo_name(inputs: &Inputs<'_>) -> Option<String> {
    let named = || inputs.text(1).filter(|name| name.contains('/')).map(lower_case);
    inputs.text(0).and_then(repo_of).or_else(|| named().map(|name| format!("github.com/{name}")))
}

/// By GitHub's type of the account; it keeps brackets for bots.
pub(super) fn actor_kind(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    match inputs.text(0) {
        Some("Bot") => output.text("bot"),
        _ if inputs.text(1).is_some_and(|login| login.ends_with("[bot]")) => output.text("bot"),
        Some("User") => output.text("human"),
        _ => {}
    }
}

/// Runs by their id; suites of other CI systems by theirs, marked, since it is another count.
pub(super) fn run_id(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if let Some(id) = inputs.string(0).or_else(|| inputs.string(1)) {
        output.text(&id);
    } else if let Some(suite) = inputs.string(2).or_else(|| inputs.string(3)) {
        output.text(&format!("suite:{suite}"));
    }
}

/// `owner/name/path` of the definition; its number where the body names no path.
pub(super) fn workflow(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    let path = (1..4).find_map(|i| inputs.text(i));
    if let (Some(repo), Some(path)) = (inputs.text(0), path) {
        output.text(&[repo, "/", path].concat());
    } else if let Some(id) = inputs.string(4) {
        output.text(&id);
    }
}

/// A run says what started it; a request for one is its own trigger.
pub(super) fn trigger(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if let Some(event) = inputs.text(0) {
        output.text(event);
    } else if inputs.has(1) {
        output.text("repository_dispatch");
    } else if inputs.text(2).is_some() {
        output.text("workflow_dispatch");
    }
}

/// Two repositories that are not the same one.
pub(super) fn from_other_repo(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if let (Some(head), Some(base)) = (inputs.string(0), inputs.string(1)) {
        output.scalar(Scalar::Bool(head != base));
    }
}

/// The same for a pull request; a fork that is gone is null.
pub(super) fn from_fork(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    let Some(base) = inputs.string(2) else { return };
    match inputs.string(1) {
        Some(head) => output.scalar(Scalar::Bool(head != base)),
        None if inputs.all(0).any(|head| head == Scalar::Null) => output.scalar(Scalar::Bool(true)),
        None => {}
    }
}

/// Where the run itself failed before a job could: the CI system's fault, not the code's.
pub(super) fn system_outcome(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if let Some(conclusion) = inputs.text(0) {
        output.text(if conclusion == "startup_failure" { "error" } else { "ok" });
    }
}

/// From the start of a run to its last change, once it has ended.
pub(super) fn run_duration(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if let Some(ms) = inputs.text(0).and_then(|_| between(inputs, 1, 2)) {
        output.scalar(Scalar::Int(ms));
    }
}

/// From the start of a job or check to its end.
pub(super) fn job_duration(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if let Some(ms) = between(inputs, 0, 1).or_else(|| between(inputs, 2, 3)) {
        output.scalar(Scalar::Int(ms));
    }
}

/// Runners are numbered from 1; 0 is none.
pub(super) fn runner_id(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    each_text(inputs, |id| {
        if id != "0" {
            output.text(id);
        }
    });
}

/// GitHub's own runners stand in a group of its name; only self-hosted ones take jobs that ask for such.
pub(super) fn runner_kind(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if inputs.text(0) == Some("GitHub Actions") {
        output.text("hosted");
    } else if present(inputs, 1).any(|label| label == Scalar::Text("self-hosted")) {
        output.text("self_hosted");
    }
}

/// branch or tag.
pub(super) fn ref_type(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    match (inputs.text(0), inputs.text(1)) {
        (_, Some(kind)) => output.text(kind),
        (Some(name), _) if name.starts_with("refs/tags/") => output.text("tag"),
        (Some(name), _) if name.starts_with("refs/heads/") => output.text("branch"),
        _ => {}
    }
}

/// Git moves an existing tag only when forced, whether or not history was lost.
pub(super) fn tag_forced(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    let Some(forced) = inputs.bool(0) else { return };
    let is_tag = inputs.text(1).is_some_and(|name| name.starts_with("refs/tags/"));
    let existed = inputs.bool(2) == Some(false) && inputs.bool(3) == Some(false);
    output.scalar(Scalar::Bool(forced || (is_tag && existed)));
}

/// A merged change is known by the commit it became, any other by its newest one.
pub(super) fn change_commit(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    let merged = (inputs.bool(0) == Some(true)).then(|| inputs.text(1)).flatten();
    if let Some(commit) = merged.or_else(|| inputs.text(2)) {
        output.text(&lower_case(commit));
    }
}

/// Who approved, where the review does.
pub(super) fn approver(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    let approved = inputs.text(0).is_some_and(|state| state.eq_ignore_ascii_case("approved"));
    if let Some(id) = inputs.string(1).filter(|_| approved) {
        output.text(&id);
    }
}

/// Kinds of things by the key that the body has for them, in the order of the row's paths.
const OBJECTS: &[&str] = &[
    "protected_branch",
    "ruleset",
    "member",
    "member",
    "member",
    "team",
    "public_key",
    "hook",
    "personal_access_token",
    "security_and_analysis",
    "repo",
    "org",
    "integration_installation",
];

/// What was changed: the first of the row's keys that the body has.
pub(super) fn object_kind(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if let Some((_, kind)) = OBJECTS.iter().enumerate().find(|(i, _)| inputs.has(*i)) {
        output.text(kind);
    }
}

/// The role or right; of a deploy key read or write; of an application each of its rights, `contents:write`.
pub(super) fn permission(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    const RIGHTS: [&str; 7] =
        ["administration", "contents", "actions", "workflows", "secrets", "packages", "organization_administration"];
    const FIRST: usize = 6;
    if let Some(role) = (0..FIRST - 1).find_map(|i| inputs.text(i)) {
        output.text(role);
    } else if let Some(read_only) = inputs.bool(FIRST - 1) {
        output.text(if read_only { "read" } else { "write" });
    }
    for (i, right) in RIGHTS.iter().enumerate() {
        if let Some(level) = inputs.text(FIRST + i) {
            output.text(&format!("{right}:{level}"));
        }
    }
}

/// The visibility that a repository now has; else the new right, enforcement, default branch or name.
pub(super) fn new_setting(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    let has_admin_object = inputs.has(2) || inputs.has(3);
    let new = match inputs.text(0) {
        Some("publicized") => Some("public"),
        Some("privatized") => Some("private"),
        _ if inputs.has(4) => inputs.text(5),
        _ if inputs.has(6) => inputs.text(7),
        _ => (8..11).find_map(|i| inputs.text(i)),
    };
    // The event `public` has no action and nothing but the repository.
    let new = new.or_else(|| (!inputs.has(0) && inputs.has(1) && !has_admin_object).then_some("public"));
    new.into_iter().for_each(|new| output.text(new));
}

/// Level of a change: the narrowest owner that the body names.
pub(super) fn scope(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    let levels = ["repo", "org", "enterprise"];
    output.text(levels.iter().enumerate().find(|(i, _)| inputs.has(*i)).map_or("user", |(_, level)| level));
}

/// `github.com/owner/name#12`: the alert's number within its repository, as the audit log's findings are known.
pub(super) fn finding_id(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if let (Some(repo), Some(number)) = (repo_name(inputs), inputs.string(2)) {
        output.text(&format!("{repo}#{number}"));
    }
}

/// GitHub asked the secret's issuer.
pub(in crate::format) fn verified(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if let Some(validity) = inputs.text(0) {
        output.scalar(Scalar::Bool(validity == "active"));
    }
}

/// The alert was closed without a fix.
pub(super) fn dismissed(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if let Some(state) = inputs.text(0) {
        output.scalar(Scalar::Bool(state.ends_with("dismissed")));
    }
}

/// These findings are the dependency scanner's.
pub(super) fn dependency_scanner(_: &Inputs<'_>, output: &mut Output<'_>) {
    output.text("dependabot");
}

/// `owner/name` of a package; of a release the repository.
pub(super) fn package(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    for (owner, name) in [(0, 1), (2, 3)] {
        if let (Some(owner), Some(name)) = (inputs.text(owner), inputs.text(name)) {
            return output.text(&lower_case(&format!("{owner}/{name}")));
        }
    }
    if let Some(repo) = inputs.text(4) {
        output.text(&lower_case(repo));
    }
}

/// The commit a package was made of. In its place an image has its own digest, which is its version too.
pub(super) fn package_commit(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    for (version, commit) in [(0, 1), (2, 3)] {
        let Some(commit) = inputs.text(commit) else { continue };
        let is_hex = commit.bytes().all(|b| b.is_ascii_hexdigit());
        if is_hex && !inputs.text(version).is_some_and(|version| version.ends_with(commit)) {
            return output.text(&lower_case(commit));
        }
    }
}

/// A version; images are known by their digest instead.
pub(super) fn version(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    each_text(inputs, |version| {
        if !version.starts_with("sha256:") {
            output.text(version);
        }
    });
}

/// The first path with digests; a file's own is written without the algorithm.
pub(super) fn digest(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    let digests = |i: usize| present(inputs, i).filter_map(Scalar::as_text).filter_map(|text| canonical_digest(&text));
    if let Some(i) = (0..inputs.len()).find(|&i| digests(i).next().is_some()) {
        digests(i).for_each(|digest| output.text(&digest));
    }
}

fn canonical_digest(text: &str) -> Option<String> {
    let hex = text.strip_prefix("sha256:").unwrap_or(text);
    let whole = hex.len() == 64 && hex.bytes().all(|b| b.is_ascii_hexdigit());
    whole.then(|| format!("sha256:{}", hex.to_ascii_lowercase()))
}

/// package or release.
pub(super) fn deleted_kind(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    output.text(if inputs.has(0) { "release" } else { "package" });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_whole() {
        let hex = "AB".repeat(32);
        let wanted = format!("sha256:{}", hex.to_lowercase());
        assert_eq!(canonical_digest(&hex).as_deref(), Some(wanted.as_str()));
        assert_eq!(canonical_digest(&wanted).as_deref(), Some(wanted.as_str()));
        assert_eq!(canonical_digest("sha256:6c62fb45fe66bfb1"), None);
        assert_eq!(canonical_digest("1.0.0"), None);
    }
}
