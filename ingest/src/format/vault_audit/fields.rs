//! How single fields of Vault's audit log become ours.
//!
//! Must never map a token, hashed or not: accessors name tokens, and cannot be used in their place.

use super::classes::place;
use crate::format::fill::lower_case;
use crate::format::{Inputs, Output};

/// The entity; where a token has none `name:` and its display name, which can never be taken for an entity.
pub(super) fn actor_id(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if let Some(entity) = inputs.text(0) {
        output.text(entity);
    } else if let Some(name) = inputs.text(1) {
        output.text(&format!("name:{name}"));
    }
}

/// Methods for people leave a user's name in the token, those for programs a role or an account.
pub(super) fn actor_kind(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if inputs.first(0).is_some() {
        output.text("human");
    } else if (1..=3).any(|i| inputs.first(i).is_some()) {
        output.text("workload");
    }
}

/// A root token is a kind of its own whatever its type.
pub(super) fn token_kind(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    let root = inputs.all(0).any(|policy| policy.as_text().is_some_and(|name| name == "root"));
    match inputs.text(1) {
        _ if root => output.text("vault_root"),
        Some("service") => output.text("vault_service"),
        Some("batch") => output.text("vault_batch"),
        _ => {}
    }
}

/// GitHub's claim `repository`, as a token of a JWT role keeps it: `owner/name`.
pub(super) fn github_repo(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if let Some(name) = inputs.text(0).filter(|name| name.split('/').filter(|part| !part.is_empty()).count() == 2) {
        output.text(&format!("github.com/{}", lower_case(name)));
    }
}

pub(super) fn store(_: &Inputs<'_>, output: &mut Output<'_>) {
    output.text("vault");
}

/// `transit/sign/release/sha2-256` and `transit/keys/release/config` both name the key `transit/keys/release`.
pub(super) fn key(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    let Some(path) = inputs.text(0) else { return };
    let (kind, rest) = place(path, inputs.text(1), inputs.text(2));
    if kind != "transit" {
        return;
    }
    let mut parts = rest.split('/');
    let name = match parts.next() {
        Some("export" | "byok-export") => parts.nth(1),
        _ => parts.next(),
    };
    let mount = path.strip_suffix(rest).unwrap_or("");
    if let Some(name) = name.filter(|name| !name.is_empty()) {
        output.text(&format!("{mount}keys/{name}"));
    }
}

/// `kms.decrypt` and its kin for keys, else `vault.read` or `vault.write`.
pub(super) fn op_class(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    let Some(path) = inputs.text(0) else { return };
    let (kind, rest) = place(path, inputs.text(1), inputs.text(2));
    let verb = rest.split('/').next();
    let reads = matches!(inputs.text(3), Some("read" | "list" | "help"));
    output.text(match (kind, verb) {
        ("transit", Some("decrypt" | "rewrap")) => "kms.decrypt",
        ("transit", Some("encrypt" | "datakey")) => "kms.encrypt",
        ("transit", Some("sign" | "hmac")) => "kms.sign",
        ("transit", _) if reads => "kms.read",
        ("transit", _) => "kms.write",
        _ if reads => "vault.read",
        _ => "vault.write",
    });
}

/// What a change of a guard is about.
pub(super) fn object_kind(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    let Some(path) = inputs.text(0) else { return };
    let (kind, rest) = place(path, inputs.text(1), inputs.text(2));
    output.text(match (kind, rest.split('/').next()) {
        ("system", Some("audit")) => "audit_device",
        ("system", Some("policy" | "policies")) => "policy",
        ("system", Some("mounts" | "auth" | "remount")) => "mount",
        ("system", _) => "system",
        _ if path.starts_with("auth/") => "auth",
        (kind, _) => kind,
    });
}

/// Vault's error in a word: its text can hold what the caller sent.
pub(super) fn reason(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if let Some(error) = inputs.text(0) {
        let known =
            [("permission denied", "permission_denied"), ("invalid", "invalid"), ("internal error", "internal")];
        output.text(known.iter().find(|(part, _)| error.contains(part)).map_or("error", |(_, word)| word));
    }
}

/// The accessor that was named, or the caller's own.
pub(super) fn revoked(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    let own = inputs.text(0).is_some_and(|path| path.ends_with("/revoke-self"));
    if let Some(accessor) = if own { inputs.text(2) } else { inputs.text(1) } {
        output.text(accessor);
    }
}
