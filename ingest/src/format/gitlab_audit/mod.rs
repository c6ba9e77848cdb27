//! GitLab's audit events, streamed to a destination or fetched from its API: one JSON object for each event.
//!
//! Must never guess the host: an audit event names a project by its number and path only, so it has `prov.repo_id` and
//! no `prov.repo`.

mod classes;
mod fields;

use EventClass as C;
use model::{EventClass, Trust};

use self::fields::{
    actor_id, actor_kind, approver, bypassed, credential, env, env_class, group_id, member, object_kind, op,
    permission, private, project_id, protected_ref, scope, self_hosted, store, token_kind,
};
use super::fill::{coalesce, ip, text_of};
use super::{Format, Id, MapRow, Mapping, all, on};

/// The format.
pub static FORMAT: Format = Format {
    name: "gitlab-audit",
    title: "GitLab audit events (streamed or from the API)",
    product: "gitlab",
    service: "audit",
    marks: &[&["author_id", "entity_id", "entity_type", "details"], &["author_id", "entity_type", "event_type"]],
    containers: &[],
    mapping: Some(&MAPPING),
    trust: Trust::ControlPlane,
};

/// The mapping.
static MAPPING: Mapping = Mapping {
    id: Id::First(&["id"]),
    time: &["created_at"],
    action: "event_type",
    classify_paths: classes::PATHS,
    classify: classes::classify,
    rows: ROWS,
};

const ADMIN: &[EventClass] = &[C::ScmAdmin];
const SECRET: &[EventClass] = &[C::SecretAccess, C::SecretAdmin, C::SecretRotated];
const REGISTRY: &[EventClass] = &[C::RegistryPush, C::RegistryPublish, C::RegistryDelete];
const RUNNER: &[EventClass] = &[C::CiRunner];
const CHANGE: &[EventClass] = &[C::ScmChange];
const POLICY: &[EventClass] = &[C::PolicyDecision, C::PolicyChange];

/// The target's name stands beside the details, or in them where the event is from the API.
const TARGET: &[&str] = &["target_details", "details.target_details"];

#[rustfmt::skip]
static ROWS: &[MapRow] = &[
    // Who, with what, from where.
    all("prov.org", &["entity_type", "entity_id"], group_id),
    all("prov.repo_id", &["entity_type", "entity_id"], project_id),
    all("prov.actor_id", &["author_id", "details.author_class", "author_name", "details.author_name"], actor_id),
    all("prov.actor", &["author_name", "details.author_name"], coalesce),
    all("prov.actor_kind", &["details.author_class"], actor_kind),
    all("prov.token_kind", &["details.author_class", "event_type"], token_kind),
    all("src.ip", &["ip_address", "details.ip_address"], ip),
    // Source code.
    on(&[C::ScmAccess], "op", &["details.custom_message.verb", "details.custom_message.action", "event_type"], op),
    on(&[C::ScmAccess], "repo_private", &["event_type"], private),
    on(
        &[C::ScmPush], "pusher_id", &["author_id", "details.author_class", "author_name", "details.author_name"],
        actor_id,
    ),
    on(CHANGE, "title", TARGET, coalesce),
    on(CHANGE, "approvers", &["event_type", "author_id"], approver),
    // What was changed. The target is who got or lost a right; who gave it is the author.
    on(
        &[C::ScmAdmin, C::SecretAdmin, C::SecretRotated], "object_kind",
        &["event_type", "details.event_name", "target_type", "details.target_type"], object_kind,
    ),
    on(
        &[C::ScmAdmin, C::SecretAdmin, C::SecretFinding, C::IdentityUse], "object",
        &["target_details", "details.target_details", "entity_path", "details.entity_path"], text_of,
    ),
    on(ADMIN, "subject", &["event_type", "target_details", "details.target_details"], member),
    on(ADMIN, "permission", &["details.as", "details.to"], permission),
    on(&[C::ScmAdmin, C::PolicyChange], "old", &["details.from"], text_of),
    on(&[C::ScmAdmin, C::PolicyChange], "new", &["details.to", "details.as"], text_of),
    on(&[C::ScmAdmin, C::CiRunner, C::SecretFinding], "scope", &["entity_type"], scope),
    on(ADMIN, "prov.ref", &["event_type", "target_details", "details.target_details"], protected_ref),
    // Secrets: a variable's name, never its value.
    on(SECRET, "store_kind", &["entity_type"], store),
    on(SECRET, "secret", TARGET, coalesce),
    on(&[C::SecretAdmin, C::CiJob], "env", &["event_type", "target_details", "details.target_details"], env),
    on(
        &[C::SecretAdmin, C::CiJob, C::DeployStarted], "prov.env",
        &["event_type", "target_details", "details.target_details"], env_class,
    ),
    on(
        &[C::IdentityTokenRevoked, C::SecretRotated], "fp",
        &["target_type", "target_id", "details.target_type", "details.target_id"], credential,
    ),
    // Runners, approvals, packages, policies.
    on(RUNNER, "prov.runner_id", &["target_id", "details.target_id"], text_of),
    on(RUNNER, "prov.runner_name", TARGET, coalesce),
    on(RUNNER, "prov.runner_kind", &["entity_type"], self_hosted),
    on(&[C::CiJob], "approved_by", &["author_id"], text_of),
    on(REGISTRY, "repo", TARGET, coalesce),
    on(POLICY, "rule", TARGET, coalesce),
    on(&[C::PolicyDecision], "break_glass", &["event_type"], bypassed),
];

#[cfg(test)]
mod tests {
    #[test]
    fn the_table_fills_model_fields_once() {
        crate::format::fill::tests::check(super::ROWS);
    }
}
