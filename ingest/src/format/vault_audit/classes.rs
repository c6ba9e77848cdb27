//! Which class a Vault request is of, by the kind of mount, the path under it and the operation.
//!
//! A request that the tables do not name is `identity.use`: a token did something. Must never read a name that the
//! mount's owner chose as if it were the mount's kind.

use EventClass as C;
use model::{EventClass, Verdict};

use crate::format::{Class, Classified, Inputs};

/// What [`classify`] reads, in its order.
pub(super) const PATHS: &[&str] = &[
    "request.path",
    "request.mount_point",
    "request.mount_type",
    "request.operation",
    "type",
    "error",
    "auth.policy_results.allowed",
    "response.data.error",
];

/// Auth methods of programs; whoever comes in by another one signs in.
const WORKLOAD_AUTH: &[&str] =
    &["alicloud", "approle", "aws", "azure", "cert", "cf", "gcp", "jwt", "kubernetes", "oci"];

/// Kinds of mounts that keep what was written to them.
const STORES: &[&str] = &["generic", "kv"];

/// An entry without path or type is none of Vault's.
pub(super) fn classify(inputs: &Inputs<'_>) -> Classified {
    let (Some(path), Some(part)) = (inputs.text(0), inputs.text(4)) else {
        return Classified::Invalid("no `request.path` or `type`");
    };
    let op = inputs.text(3).unwrap_or("");
    let (class, action) = class_of(path, inputs.text(1), inputs.text(2), op);
    let allowed = inputs.bool(6);
    let failed = inputs.has(7);
    Classified::Event(Class { class, action, verdict: verdict(part == "response", inputs.text(5), allowed, failed) })
}

/// Kind of the mount and the path inside it. Before Vault 1.12 entries have no kind: then only the fixed prefixes tell.
pub(super) fn place<'a>(path: &'a str, mount: Option<&'a str>, kind: Option<&'a str>) -> (&'a str, &'a str) {
    let known = ["sys", "auth", "identity", "cubbyhole"];
    let first = path.split('/').next().unwrap_or(path);
    let under = |prefix: &str| path.strip_prefix(prefix).map(|rest| rest.trim_start_matches('/'));
    let rest = mount.and_then(under).or_else(|| under(first)).unwrap_or(path);
    match kind {
        _ if first == "sys" => ("system", under(first).unwrap_or(rest)),
        Some(kind) => (kind, rest),
        None => (known.into_iter().find(|known| *known == first).unwrap_or("kv"), rest),
    }
}

fn class_of(path: &str, mount: Option<&str>, kind: Option<&str>, op: &str) -> (EventClass, &'static str) {
    let (kind, rest) = place(path, mount, kind);
    let head = rest.split('/').next().unwrap_or(rest);
    match kind {
        "system" => system(rest, head, op),
        "token" => token(rest),
        "transit" => transit(rest, head, op),
        "identity" if head == "oidc" && op == "read" && rest.starts_with("oidc/token/") => (C::IdentityExchange, ""),
        "identity" if writes(op) => (C::SecretAdmin, "identity_changed"),
        "identity" | "cubbyhole" => (C::IdentityUse, ""),
        _ if path.starts_with("auth/") => auth(path, kind, head, op),
        _ if STORES.contains(&kind) => store(head, op),
        _ => engine(head, op),
    }
}

fn writes(op: &str) -> bool {
    matches!(op, "create" | "update" | "patch" | "delete")
}

fn system(rest: &str, head: &str, op: &str) -> (EventClass, &'static str) {
    let deletes = op == "delete";
    match head {
        "audit" if writes(op) => {
            (C::SecretAdmin, if deletes { "audit_device_disabled" } else { "audit_device_enabled" })
        }
        "policy" | "policies" if writes(op) => (C::SecretAdmin, "policy_changed"),
        "mounts" | "auth" if writes(op) && rest.ends_with("/tune") => (C::SecretAdmin, "mount_tuned"),
        "mounts" | "auth" if writes(op) => (C::SecretAdmin, if deletes { "mount_disabled" } else { "mount_enabled" }),
        "remount" => (C::SecretAdmin, "mount_moved"),
        "seal" => (C::SecretAdmin, "sealed"),
        "generate-root" if writes(op) => (C::SecretAdmin, "root_token_requested"),
        "rekey" | "rekey-recovery-key" | "rotate" if writes(op) => (C::SecretAdmin, "rekeyed"),
        "leases" if rest.starts_with("leases/renew") => (C::SecretLease, "renewed"),
        "renew" => (C::SecretLease, "renewed"),
        "leases" if rest.starts_with("leases/revoke") => (C::IdentityTokenRevoked, ""),
        "revoke" | "revoke-prefix" | "revoke-force" => (C::IdentityTokenRevoked, ""),
        _ => (C::IdentityUse, ""),
    }
}

fn token(rest: &str) -> (EventClass, &'static str) {
    let verb = rest.strip_prefix("token/").unwrap_or(rest).split('/').next().unwrap_or("");
    match verb {
        "create" | "create-orphan" => (C::IdentityExchange, ""),
        "revoke" | "revoke-self" | "revoke-accessor" | "revoke-orphan" => (C::IdentityTokenRevoked, ""),
        _ => (C::IdentityUse, ""),
    }
}

fn auth(path: &str, kind: &str, head: &str, op: &str) -> (EventClass, &'static str) {
    let signs_in = path.split('/').any(|part| part == "login") || path.ends_with("/oidc/callback");
    // The kind is missing in old entries, and then `auth`: somebody signs in.
    match head {
        _ if signs_in && WORKLOAD_AUTH.contains(&kind) && !path.ends_with("/oidc/callback") => {
            (C::IdentityExchange, "")
        }
        _ if signs_in => (C::IdentityAuth, ""),
        _ if kind == "auth" && path.starts_with("auth/token/") => token(path.strip_prefix("auth/").unwrap_or(path)),
        _ if writes(op) => (C::SecretAdmin, "auth_changed"),
        _ => (C::IdentityUse, ""),
    }
}

fn store(head: &str, op: &str) -> (EventClass, &'static str) {
    match (head, op) {
        ("config", _) if writes(op) => (C::SecretAdmin, "updated"),
        ("destroy" | "delete", _) | (_, "delete") => (C::SecretAdmin, "deleted"),
        ("undelete", _) => (C::SecretAdmin, "restored"),
        ("metadata", _) if writes(op) => (C::SecretAdmin, "updated"),
        ("metadata" | "subkeys" | "config", "read") | (_, "list") => (C::SecretList, ""),
        (_, "read") => (C::SecretAccess, ""),
        (_, "create") => (C::SecretAdmin, "created"),
        (_, "update" | "patch") => (C::SecretRotated, "rotated"),
        _ => (C::IdentityUse, ""),
    }
}

/// Databases, clouds, certificates: what is asked for is made for the caller, and ends by itself.
fn engine(head: &str, op: &str) -> (EventClass, &'static str) {
    match (head, op) {
        ("creds" | "static-creds" | "sts" | "issue" | "sign" | "sign-verbatim" | "token" | "key" | "code", _)
            if op != "list" && op != "delete" =>
        {
            (C::SecretLease, "issued")
        }
        ("rotate-root" | "rotate-role", _) => (C::SecretRotated, "rotated"),
        (_, "delete") => (C::SecretAdmin, "deleted"),
        (_, "create") => (C::SecretAdmin, "created"),
        (_, "update" | "patch") => (C::SecretAdmin, "updated"),
        (_, "read" | "list") => (C::SecretList, ""),
        _ => (C::IdentityUse, ""),
    }
}

/// Keys that sign and encrypt without leaving Vault; the verbs are those of any key service.
fn transit(rest: &str, head: &str, op: &str) -> (EventClass, &'static str) {
    let verb = rest.split('/').nth(2);
    match (head, verb) {
        ("sign", _) => (C::KmsSign, "sign"),
        ("export" | "byok-export" | "backup", _) => (C::KmsAdmin, "export"),
        ("restore", _) => (C::KmsAdmin, "import"),
        ("keys", Some("import" | "import_version")) => (C::KmsAdmin, "import"),
        ("keys", Some("config")) if writes(op) => (C::KmsAdmin, "policy"),
        ("keys", Some("rotate")) => (C::KmsAdmin, "rotate"),
        ("keys", Some("trim")) => (C::KmsAdmin, "delete_material"),
        ("keys", None) if op == "delete" => (C::KmsAdmin, "delete_material"),
        ("keys", None) if writes(op) => (C::KmsAdmin, "create"),
        _ => (C::IdentityUse, ""),
    }
}

/// A request has not ended yet unless it failed; its response says how it did.
fn verdict(is_response: bool, error: Option<&str>, allowed: Option<bool>, failed: bool) -> Verdict {
    match error {
        Some(error) if error.contains("permission denied") => Verdict::Denied,
        Some(error) if error.contains("internal error") || error.contains("sealed") => Verdict::Error,
        Some(_) => Verdict::Failure,
        None if allowed == Some(false) => Verdict::Denied,
        None if failed => Verdict::Failure,
        None if is_response => Verdict::Success,
        None => Verdict::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_have_classes() {
        for (path, mount, kind, op, wanted) in [
            ("secret/data/pay/db", "secret/", "kv", "read", (C::SecretAccess, "")),
            ("secret/metadata/", "secret/", "kv", "list", (C::SecretList, "")),
            ("secret/metadata/pay", "secret/", "kv", "delete", (C::SecretAdmin, "deleted")),
            ("secret/data/pay", "secret/", "kv", "update", (C::SecretRotated, "rotated")),
            ("secret/undelete/pay", "secret/", "kv", "update", (C::SecretAdmin, "restored")),
            ("database/creds/pay", "database/", "database", "read", (C::SecretLease, "issued")),
            ("pki/issue/web", "pki/", "pki", "update", (C::SecretLease, "issued")),
            ("database/config/pg", "database/", "database", "update", (C::SecretAdmin, "updated")),
            ("sys/audit/file", "sys/", "system", "delete", (C::SecretAdmin, "audit_device_disabled")),
            ("sys/policies/acl/ci", "sys/", "system", "update", (C::SecretAdmin, "policy_changed")),
            ("sys/leases/renew", "sys/", "system", "update", (C::SecretLease, "renewed")),
            ("auth/jwt/login", "auth/jwt/", "jwt", "update", (C::IdentityExchange, "")),
            ("auth/userpass/login/amy", "auth/userpass/", "userpass", "update", (C::IdentityAuth, "")),
            ("auth/jwt/role/ci", "auth/jwt/", "jwt", "update", (C::SecretAdmin, "auth_changed")),
            ("auth/token/create", "auth/token/", "token", "update", (C::IdentityExchange, "")),
            ("auth/token/revoke-accessor", "auth/token/", "token", "update", (C::IdentityTokenRevoked, "")),
            ("auth/token/lookup-self", "auth/token/", "token", "read", (C::IdentityUse, "")),
            ("transit/sign/release/sha2-256", "transit/", "transit", "update", (C::KmsSign, "sign")),
            ("transit/keys/release/config", "transit/", "transit", "update", (C::KmsAdmin, "policy")),
            ("transit/keys/release", "transit/", "transit", "delete", (C::KmsAdmin, "delete_material")),
            ("transit/decrypt/db", "transit/", "transit", "update", (C::IdentityUse, "")),
        ] {
            assert_eq!(class_of(path, Some(mount), Some(kind), op), wanted, "{path}");
        }
    }

    #[test]
    fn old_entries_go_by_fixed_prefixes() {
        assert_eq!(class_of("sys/audit/file", None, None, "delete"), (C::SecretAdmin, "audit_device_disabled"));
        assert_eq!(class_of("auth/token/revoke-self", None, None, "update"), (C::IdentityTokenRevoked, ""));
        assert_eq!(class_of("auth/github/login", None, None, "update"), (C::IdentityAuth, ""));
        assert_eq!(class_of("secret/pay", None, None, "read"), (C::SecretAccess, ""));
        // A mount that calls itself something else is what Vault says that it is.
        assert_eq!(class_of("transit/pay", Some("transit/"), Some("kv"), "read"), (C::SecretAccess, ""));
    }

    #[test]
    fn only_responses_succeed() {
        assert_eq!(verdict(false, None, Some(true), false), Verdict::Unknown);
        assert_eq!(verdict(true, None, None, false), Verdict::Success);
        assert_eq!(verdict(true, None, None, true), Verdict::Failure);
        assert_eq!(verdict(false, Some("permission denied"), None, false), Verdict::Denied);
        assert_eq!(verdict(false, None, Some(false), false), Verdict::Denied);
        assert_eq!(verdict(true, Some("1 error occurred: internal error"), None, false), Verdict::Error);
    }
}
