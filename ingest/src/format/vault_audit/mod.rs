//! Audit log of HashiCorp Vault and OpenBao: one JSON object for each request and one for each response.
//!
//! Both parts are events, of one request id; only responses succeed, so that a rule on successes counts each call once.
//! Must never map the value of a secret, nor what Vault hashed of one; accessors stay as the log has them.

mod classes;
mod fields;

use EventClass as C;
use model::{EventClass, Trust};

use self::fields::{actor_id, actor_kind, github_repo, key, object_kind, op_class, reason, revoked, store, token_kind};
use super::fill::{coalesce, duration_s, env_class, ip, lower, text_of, ua_family};
use super::{Format, Id, MapRow, Mapping, all, on};

/// The format.
pub static FORMAT: Format = Format {
    name: "vault-audit",
    title: "HashiCorp Vault and OpenBao audit log",
    product: "vault",
    service: "audit",
    marks: &[&["type", "request.id", "request.path", "request.operation"]],
    containers: &[],
    mapping: Some(&MAPPING),
    trust: Trust::ControlPlane,
};

/// The mapping.
static MAPPING: Mapping = Mapping {
    id: Id::Joined(&["request.id", "type"]),
    time: &["time"],
    action: "request.operation",
    classify_paths: classes::PATHS,
    classify: classes::classify,
    rows: ROWS,
};

const SECRET: &[EventClass] = &[C::SecretAccess, C::SecretList, C::SecretLease, C::SecretRotated, C::SecretAdmin];
const KEYS: &[EventClass] = &[C::KmsSign, C::KmsAdmin, C::IdentityUse];
/// Where a path stands, and of what kind its mount is.
const PLACE: &[&str] = &["request.path", "request.mount_point", "request.mount_type", "request.operation"];

#[rustfmt::skip]
static ROWS: &[MapRow] = &[
    // Who, with what, from where.
    all("prov.org", &["request.namespace.id"], text_of),
    all("prov.actor_id", &["auth.entity_id", "auth.display_name"], actor_id),
    all("prov.actor", &["auth.display_name"], coalesce),
    all(
        "prov.actor_kind",
        &[
            "auth.metadata.username", "auth.metadata.role", "auth.metadata.role_name",
            "auth.metadata.service_account_name",
        ],
        actor_kind,
    ),
    all("prov.token_id", &["auth.accessor", "request.client_token_accessor"], coalesce),
    all("prov.token_kind", &["auth.policies", "auth.token_type"], token_kind),
    all("src.ip", &["request.remote_address"], ip),
    all("ua", &["request.headers.user-agent"], coalesce),
    all("ua_family", &["request.headers.user-agent"], ua_family),
    // The job behind the token, where the role keeps the claims of its identity token.
    all("prov.repo", &["auth.metadata.repository"], github_repo),
    all("prov.repo_id", &["auth.metadata.repository_id", "auth.metadata.project_id"], text_of),
    all("prov.run_id", &["auth.metadata.run_id", "auth.metadata.pipeline_id"], text_of),
    all("prov.job_id", &["auth.metadata.job_id"], text_of),
    all("prov.ref", &["auth.metadata.ref"], coalesce),
    all("prov.commit", &["auth.metadata.sha"], lower),
    all("prov.workflow", &["auth.metadata.job_workflow_ref", "auth.metadata.workflow_ref"], coalesce),
    all("prov.trigger", &["auth.metadata.event_name"], coalesce),
    all("prov.env", &["auth.metadata.environment"], env_class),
    // Secrets: paths and names, never values.
    on(SECRET, "store_kind", &["type"], store),
    on(SECRET, "secret", &["request.path"], coalesce),
    on(SECRET, "auth_role", &["auth.metadata.role", "auth.metadata.role_name"], coalesce),
    on(
        &[
            C::SecretAccess, C::SecretList, C::SecretLease, C::SecretRotated, C::SecretAdmin, C::IdentityUse,
            C::IdentityExchange, C::KmsAdmin, C::KmsSign,
        ],
        "op", &["request.operation"], coalesce,
    ),
    on(&[C::SecretAccess, C::IdentityUse], "ttl_s", &["auth.token_ttl"], coalesce),
    on(&[C::SecretAccess, C::IdentityUse], "token_age_s", &["auth.token_issue_time", "time"], duration_s),
    on(&[C::SecretRotated], "fp", &["request.path"], coalesce),
    on(&[C::SecretAdmin, C::IdentityUse], "object", &["request.path"], coalesce),
    on(&[C::SecretAdmin, C::SecretRotated, C::IdentityUse], "object_kind", PLACE, object_kind),
    // Tokens.
    on(&[C::IdentityExchange], "role", &["response.auth.metadata.role", "auth.metadata.role"], coalesce),
    on(&[C::IdentityExchange], "issued_key", &["response.auth.accessor"], coalesce),
    on(&[C::IdentityExchange], "ttl_s", &["response.auth.token_ttl", "auth.token_ttl"], coalesce),
    on(&[C::IdentityTokenRevoked], "fp", &["request.path", "request.data.accessor", "auth.accessor"], revoked),
    on(
        &[C::IdentityAuth, C::IdentityExchange, C::IdentityUse, C::SecretAccess, C::IdentityTokenRevoked], "reason",
        &["error"], reason,
    ),
    on(&[C::IdentityUse, C::SecretAccess, C::SecretList], "op_class", PLACE, op_class),
    // Keys that sign.
    on(KEYS, "key", PLACE, key),
];

#[cfg(test)]
mod tests {
    #[test]
    fn the_table_fills_model_fields_once() {
        crate::format::fill::tests::check(super::ROWS);
    }
}
