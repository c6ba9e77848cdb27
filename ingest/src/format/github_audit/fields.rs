//! How single fields of GitHub's audit log become ours.
//!
//! Must never decide by a name that its owner can choose: kinds come from GitHub's own marks.

use model::Scalar;

use crate::format::fill::{each_text, first_present, lower_case, present, says};
use crate::format::{Inputs, Output};

/// `owner/name` → `github.com/owner/name`, lower case. A name without owner says too little.
pub(super) fn repo(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    each_text(inputs, |name| {
        if let Some(canonical) = canonical_repo(name) {
            output.text(&canonical);
        }
    });
}

fn canonical_repo(name: &str) -> Option<String> {
    let full = name.contains('/') && !name.starts_with('/') && !name.ends_with('/');
    full.then(|| format!("github.com/{}", lower_case(name)))
}

/// The numeric id; where there is none `login:` and the login, which can never be taken for somebody's id.
pub(super) fn actor_id(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if let Some(id) = inputs.string(0) {
        output.text(&id);
    } else if let Some(login) = inputs.text(1) {
        output.text(&format!("login:{}", lower_case(login)));
    }
}

/// The login, as GitHub writes it.
pub(super) fn actor_name(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if let Some(login) = inputs.text(0) {
        output.text(login);
    }
}

/// GitHub keeps brackets for bots: nobody can register a login that ends in `[bot]`.
pub(super) fn actor_kind(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    let actor = inputs.text(0);
    let bot = inputs.bool(1) == Some(true) || inputs.bool(2) == Some(true);
    if bot || actor.is_some_and(|actor| actor.ends_with("[bot]")) {
        output.text("bot");
    } else if inputs.text(3).is_some_and(|kind| token(kind) == Some("app_s2s")) {
        output.text("app");
    } else if actor.is_some() {
        output.text("human");
    }
}

/// What GitHub calls credentials, and what we do.
const TOKENS: &[(&str, &str)] = &[
    ("Personal access token (classic)", "pat_classic"),
    ("Personal access token", "pat_classic"),
    ("Fine-grained personal access token", "pat_fine_grained"),
    ("GitHub App server-to-server token", "app_s2s"),
    ("GitHub App user-to-server token", "app_u2s"),
    ("OAuth access token", "oauth"),
    ("GitHub Actions job token", "job"),
    ("Deploy key", "deploy_key"),
    ("SSH key", "ssh_key"),
];

fn token(native: &str) -> Option<&'static str> {
    TOKENS.iter().find(|(theirs, _)| says(native, theirs)).map(|(_, ours)| *ours)
}

/// The kind of credential; a transport by SSH without one means some SSH key.
pub(super) fn token_kind(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    match inputs.text(0) {
        Some(native) => output.text(token(native).unwrap_or(native)),
        None if inputs.text(1).or(inputs.text(2)) == Some("ssh") => output.text("ssh_key"),
        None => {}
    }
}

/// Where the run itself failed before a job could: the CI system's fault, not the code's.
pub(super) fn system_outcome(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if let Some(conclusion) = inputs.text(1) {
        output.text(if conclusion == "startup_failure" { "error" } else { "ok" });
    }
}

/// Names of secrets without their store's prefix.
pub(super) fn secret_names(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    each_text(inputs, |name| output.text(bare_secret(name)));
}

fn bare_secret(name: &str) -> &str {
    name.strip_prefix("actions/").unwrap_or(name)
}

/// How many secrets a job received; its own token, which every job has, does not count.
pub(super) fn secrets_count(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if inputs.has(0) {
        let count = present(inputs, 0)
            .filter_map(Scalar::as_text)
            .filter(|name| !bare_secret(name).eq_ignore_ascii_case("GITHUB_TOKEN"))
            .count();
        output.scalar(Scalar::Int(i64::try_from(count).unwrap_or(i64::MAX)));
    }
}

/// `is_hosted_runner` in our words.
pub(super) fn runner_kind(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if let Some(hosted) = inputs.bool(0) {
        output.text(if hosted { "hosted" } else { "self_hosted" });
    }
}

/// Only self-hosted runners are registered.
pub(super) fn self_hosted(_: &Inputs<'_>, output: &mut Output<'_>) {
    output.text("self_hosted");
}

/// Level of a change: by the action's own prefix, else by the narrowest owner the record names.
pub(super) fn scope(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    let level = match inputs.text(0).and_then(|action| action.split_once('.')).map(|(level, _)| level) {
        Some("repo") => "repo",
        Some("org") => "org",
        Some("enterprise" | "business") => "enterprise",
        _ if inputs.first(1).is_some() => "repo",
        _ if inputs.first(2).is_some() => "org",
        _ if inputs.first(3).is_some() => "enterprise",
        _ => "user",
    };
    output.text(level);
}

/// clone, fetch or zip.
pub(super) fn op(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if let Some((_, verb)) = inputs.text(0).and_then(|action| action.split_once('.')) {
        output.text(if verb == "download_zip" { "zip" } else { verb });
    }
}

/// Not public, by whichever of the three marks the record has.
pub(super) fn private(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    let public = inputs.bool(0).or_else(|| inputs.bool(1));
    let private = public.map(|public| !public).or_else(|| inputs.text(2).map(|visibility| visibility != "public"));
    if let Some(private) = private {
        output.scalar(Scalar::Bool(private));
    }
}

/// A protected branch or pushed ref, qualified: protection is of branches only.
pub(super) fn branch_ref(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    each_text(inputs, |name| match name.strip_prefix("refs/") {
        Some(_) => output.text(name),
        None => output.text(&format!("refs/heads/{name}")),
    });
}

/// Kinds that hide behind the wide prefixes `repo.`, `org.` and `enterprise.`.
const WIDE: &[(&str, &str)] = &[
    ("runner_group", "runner_group"),
    ("secret_scanning", "secret_scanning"),
    ("advanced_security", "advanced_security"),
    ("actions", "actions_settings"),
    ("workflow_permission", "actions_settings"),
    ("two_factor", "two_factor"),
    ("member", "member"),
    ("collaborator", "member"),
];

/// What was changed: the action's prefix, made finer under the wide ones. An audit stream has one name in every source.
pub(super) fn object_kind(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    let Some(action) = inputs.text(0) else { return };
    let (kind, verb) = action.rsplit_once('.').unwrap_or((action, ""));
    let kind = match kind {
        "audit_log_streaming" => "audit_stream",
        "repository_ruleset" => "ruleset",
        "repo" | "org" | "enterprise" | "business" => {
            WIDE.iter().find(|(part, _)| verb.contains(part)).map_or(kind, |(_, finer)| finer)
        }
        kind => kind,
    };
    output.text(kind);
}

/// Which thing: of a change to an organisation or enterprise itself that one, else the first name the record has.
pub(super) fn object(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    let level = inputs.text(0).and_then(|action| action.split_once('.')).map(|(level, _)| level);
    let own = match level {
        Some("org") => inputs.string(1),
        Some("business" | "enterprise") => inputs.string(2),
        _ => None,
    };
    if let Some(name) = own.or_else(|| (3..inputs.len()).find_map(|i| inputs.string(i))) {
        output.text(&name);
    }
}

/// The store is GitHub's own.
pub(super) fn store(_: &Inputs<'_>, output: &mut Output<'_>) {
    output.text("github");
}

/// `github.com/owner/name#12`: the alert's number within its repository.
pub(super) fn finding_id(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    let repo = inputs.text(0).or_else(|| inputs.text(1)).and_then(canonical_repo);
    if let (Some(repo), Some(number)) = (repo, inputs.string(2).or_else(|| inputs.string(3))) {
        output.text(&format!("{repo}#{number}"));
    }
}

/// Reading or writing, by the HTTP method.
pub(super) fn op_class(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if first_present(inputs).is_some() {
        let reads = inputs.text(0).is_some_and(|method| matches!(method, "GET" | "HEAD" | "OPTIONS"));
        output.text(if reads { "github.read" } else { "github.write" });
    }
}

/// The alert was closed without a fix.
pub(super) fn dismissed(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if let Some(action) = inputs.text(0) {
        output.scalar(Scalar::Bool(action.ends_with("dismiss")));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_have_our_names() {
        for (native, ours) in [
            ("Fine-grained personal access token", Some("pat_fine_grained")),
            ("FinegrainedPersonalaccesstoken", Some("pat_fine_grained")),
            ("GitHubAppserver-to-servertoken", Some("app_s2s")),
            ("Personal access token (classic)", Some("pat_classic")),
            ("Something new", None),
        ] {
            assert_eq!(token(native), ours, "{native}");
        }
    }

    #[test]
    fn repositories_are_canonical() {
        assert_eq!(canonical_repo("YourCompany/YourRepo").as_deref(), Some("github.com/yourcompany/yourrepo"));
        assert_eq!(canonical_repo("no-owner"), None);
    }
}
