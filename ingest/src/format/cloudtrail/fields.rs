//! How single fields of CloudTrail become ours.
//!
//! Must never let `responseElements` or `requestParameters` be needed: refused calls have neither.

use model::Scalar;

use super::classes::{call_of, grants_everybody, service_of};
use crate::format::fill::{class_of_env, each_text, is_address};
use crate::format::{Inputs, Output};

/// The role or user that issued the session. Paths: type, issuer's ARN, ARN, principal id, user name, service, account.
pub(super) fn actor_id(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    let (arn, principal, user) = (inputs.text(2), inputs.text(3), inputs.text(4));
    if let Some(issuer) = inputs.text(1) {
        return output.text(issuer);
    }
    match (inputs.text(0), arn) {
        (Some("AssumedRole"), Some(arn)) => output.text(&role_of(arn)),
        // The subject of the identity token, which its issuer signed.
        (Some("WebIdentityUser" | "SAMLUser"), _) if user.is_some() => output.text(user.unwrap_or("")),
        (Some("AWSService"), _) if inputs.text(5).is_some() => output.text(inputs.text(5).unwrap_or("")),
        (_, Some(arn)) => output.text(arn),
        _ => {
            // `AROA…:session` of another account: what stands before the colon is the role.
            let role = principal.map(|id| if id.starts_with("arn:") { id } else { id.split(':').next().unwrap_or(id) });
            if let Some(id) = role.or(inputs.text(5)).or(inputs.text(6)) {
                output.text(id);
            }
        }
    }
}

/// `arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION` → `arn:aws:iam::ACCOUNT:role/ROLE`.
pub(in crate::format) fn role_of(arn: &str) -> String {
    let mut parts = arn.splitn(6, ':');
    let mut part = || parts.next().unwrap_or("");
    let (_, partition, _, _, account, resource) = (part(), part(), part(), part(), part(), part());
    match resource.strip_prefix("assumed-role/").and_then(|rest| rest.split('/').next()) {
        Some(role) => format!("arn:{partition}:iam::{account}:role/{role}"),
        None => arn.to_owned(),
    }
}

/// Role, user or service; the root user has no name but his type.
pub(super) fn actor_name(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if let Some(name) = (0..4).find_map(|i| inputs.text(i)) {
        output.text(name);
    }
}

/// Roles that people get through single sign-on are people; every other role is a workload's.
pub(super) fn actor_kind(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    let sso = |text: Option<&str>| text.is_some_and(|text| text.contains("AWSReservedSSO_"));
    let kind = match inputs.text(0) {
        Some("AWSService") => "service",
        Some("AssumedRole") if sso(inputs.text(1)) || sso(inputs.text(2)) => "human",
        Some("AssumedRole" | "Role" | "WebIdentityUser" | "AWSAccount") => "workload",
        Some("IAMUser" | "Root" | "SAMLUser" | "FederatedUser" | "IdentityCenterUser") => "human",
        _ => return,
    };
    output.text(kind);
}

/// By the key's prefix; sessions that began with an identity token are told apart.
pub(super) fn token_kind(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    let kind = match (inputs.text(0).and_then(|key| key.get(..4)), inputs.text(1)) {
        (Some("AKIA"), _) => "static_key",
        (Some("ASIA"), _) if inputs.text(2).is_some() => "oidc_session",
        (Some("ASIA"), _) => "session",
        (_, Some("WebIdentityUser")) => "web_identity",
        (_, Some("SAMLUser")) => "saml",
        _ => return,
    };
    output.text(kind);
}

/// `AROA…:name`: the role's id and the name that the caller chose.
pub(super) fn session(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if let Some(principal) = inputs.text(0).filter(|id| id.starts_with("ARO") && id.contains(':')) {
        output.text(principal);
    }
}

/// The service that called, where CloudTrail writes it in place of an address.
pub(super) fn source_service(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if let Some(service) = inputs.text(0).filter(|source| !is_address(source)).or(inputs.text(1)) {
        output.text(service);
    }
}

/// The parts of a GitHub subject, `repo:owner/name:rest`; None when another issuer signed.
fn github_subject<'a>(inputs: &Inputs<'a>) -> Option<(&'a str, &'a str)> {
    let provider = inputs.text(0).unwrap_or("token.actions.githubusercontent.com");
    let subject = inputs.text(1).or(inputs.text(2))?;
    let (name, rest) = subject.strip_prefix("repo:")?.split_once(':')?;
    provider.ends_with("token.actions.githubusercontent.com").then_some((name, rest))
}

pub(super) fn github_repo(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if let Some((name, _)) = github_subject(inputs) {
        output.text(&format!("github.com/{}", name.to_lowercase()));
    }
}

pub(super) fn github_ref(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if let Some(name) = github_subject(inputs).and_then(|(_, rest)| rest.strip_prefix("ref:")) {
        output.text(name);
    }
}

/// A pull request's job says no ref: its subject ends in `pull_request`.
pub(super) fn github_trigger(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if github_subject(inputs).is_some_and(|(_, rest)| rest == "pull_request") {
        output.text("pull_request");
    }
}

pub(super) fn github_env(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if let Some(name) = github_subject(inputs).and_then(|(_, rest)| rest.strip_prefix("environment:")) {
        output.text(name);
    }
}

pub(super) fn github_env_class(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    let name = github_subject(inputs).and_then(|(_, rest)| rest.strip_prefix("environment:"));
    if let Some(class) = name.and_then(class_of_env) {
        output.text(class);
    }
}

/// `iam.write`, `kms.decrypt`: coarse, so that a principal has few of them.
pub(super) fn op_class(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    let (Some(source), Some(call)) = (inputs.text(0), inputs.text(1)) else { return };
    let kind = match call_of(call) {
        "ExecuteCommand" | "StartSession" | "SendCommand" => "exec",
        call if call.starts_with("SendS") && call.ends_with("SSHPublicKey") => "exec",
        "Decrypt" | "ReEncrypt" => "decrypt",
        _ if inputs.bool(2) == Some(true) => "read",
        _ => "write",
    };
    output.text(&format!("{}.{kind}", service_of(source)));
}

/// A second factor: `Yes` and `true` in different places.
pub(super) fn mfa(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    let used = inputs.text(0).map(|used| used == "Yes").or_else(|| inputs.bool(1));
    if let Some(used) = used {
        output.scalar(Scalar::Bool(used));
    }
}

pub(super) fn store_kind(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    match inputs.text(0).map(service_of) {
        Some("secretsmanager") => output.text("aws_secrets_manager"),
        Some("ssm") => output.text("aws_ssm"),
        _ => {}
    }
}

/// Names stay; of an ARN the name in it, so that both ways of asking for a secret count as one.
pub(in crate::format) fn secret(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    each_text(inputs, |id| output.text(secret_name(id)));
}

/// Length of the `-AbC123` that the store hangs on a secret's name in its ARN.
const SUFFIX: usize = 7;

pub(in crate::format) fn secret_name(id: &str) -> &str {
    let Some(rest) = id.strip_prefix("arn:") else { return id };
    if let Some((_, name)) = rest.split_once(":secret:") {
        let cut = name.len().saturating_sub(SUFFIX);
        return match (name.get(..cut), name.get(cut..)) {
            (Some(bare), Some(suffix)) if !bare.is_empty() && is_suffix(suffix) => bare,
            _ => name,
        };
    }
    rest.split_once(":parameter").map_or(id, |(_, name)| name)
}

fn is_suffix(text: &str) -> bool {
    text.strip_prefix('-').is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_alphanumeric()))
}

/// The key's ARN; other resources of the call are not keys.
pub(super) fn key(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    let named =
        (0..inputs.len()).filter_map(|i| inputs.text(i)).find(|id| id.contains(":kms:") || !id.starts_with("arn:"));
    if let Some(key) = named {
        output.text(key);
    }
}

pub(super) fn repo_kind(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    output.text(if inputs.text(0) == Some("DeleteRepository") { "repository" } else { "image" });
}

pub(super) fn immutable(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if let Some(mutability) = inputs.text(0) {
        output.scalar(Scalar::Bool(mutability.starts_with("IMMUTABLE")));
    }
}

/// The registry refused to overwrite: proof that the repository's tags are immutable.
pub(super) fn image_gone(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if inputs.text(0) == Some("ImageTagAlreadyExistsException") {
        output.scalar(Scalar::Bool(true));
    }
}

pub(super) fn is_public(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if let Some(policy) = inputs.text(0) {
        output.scalar(Scalar::Bool(grants_everybody(policy)));
    }
}

/// Every lifecycle policy makes images expire; taking one away keeps them longer.
pub(super) fn retention_cut(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    match inputs.text(0) {
        Some("PutLifecyclePolicy") => output.scalar(Scalar::Bool(true)),
        Some("DeleteLifecyclePolicy") => output.scalar(Scalar::Bool(false)),
        _ => {}
    }
}

pub(super) fn scan_off(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if let Some(on) = inputs.bool(0) {
        output.scalar(Scalar::Bool(!on));
    }
}

/// The digest in an image's name, where it is pinned by one.
pub(super) fn digests(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    each_text(inputs, |image| {
        if let Some((_, digest)) = image.split_once('@') {
            output.text(digest);
        }
    });
}

/// (part of the call's name, kind); the first that fits.
const IAM_KINDS: &[(&str, &str)] = &[
    ("AccessKey", "access_key"),
    ("LoginProfile", "login_profile"),
    ("MFA", "mfa_device"),
    ("OpenIDConnect", "identity_provider"),
    ("SAMLProvider", "identity_provider"),
    ("AssumeRolePolicy", "iam_role_trust"),
    ("TrustAnchor", "trust_anchor"),
    ("Policy", "iam_policy"),
    ("Role", "iam_role"),
    ("Group", "iam_group"),
    ("User", "iam_user"),
];

/// Kind of thing an administrative call changes; the service's name where the call tells no more.
pub(super) fn object_kind(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    let (Some(service), Some(call)) = (inputs.text(0).map(service_of), inputs.text(1)) else { return };
    if service == "cloudtrail" {
        return output.text("audit_stream");
    }
    output.text(IAM_KINDS.iter().find(|(part, _)| call.contains(part)).map_or(service, |(_, kind)| kind));
}

/// Such a change reaches the whole account.
pub(super) fn account(_: &Inputs<'_>, output: &mut Output<'_>) {
    output.text("account");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_name_is_nobody() {
        assert_eq!(
            role_of("arn:aws:sts::111122223333:assumed-role/deployer/looks-like-admin"),
            "arn:aws:iam::111122223333:role/deployer"
        );
        assert_eq!(role_of("arn:aws:iam::111122223333:user/amy"), "arn:aws:iam::111122223333:user/amy");
    }

    #[test]
    fn a_secret_has_one_name() {
        for (id, name) in [
            ("arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/db-AbC123", "prod/db"),
            ("prod/db", "prod/db"),
            ("arn:aws:ssm:eu-west-1:111122223333:parameter/prod/db", "/prod/db"),
            ("arn:aws:secretsmanager:eu-west-1:111122223333:secret:short", "short"),
        ] {
            assert_eq!(secret_name(id), name, "{id}");
        }
    }
}
