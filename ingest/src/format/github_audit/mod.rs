//! GitHub's audit log, as streamed or fetched from its API: one JSON object for each event.
//!
//! Must never take a display name for an identity: repositories, actors and tokens are keyed by what GitHub calls them
//! in numbers, and names are for people. Values whose spaces an exporter lost mean the same.

mod classes;
mod fields;

use EventClass as C;
use model::{EventClass, Trust};

use self::fields::{
    actor_id, actor_kind, actor_name, branch_ref, dismissed, finding_id, object, object_kind, op, op_class, private,
    repo, runner_kind, scope, secret_names, secrets_count, self_hosted, store, system_outcome, token_kind,
};
use super::fill::{bool_of, coalesce, duration_ms, env_class, ip, lower, text_of, ua_family, upper};
use super::github_webhook::verified;
use super::{Format, Id, MapRow, Mapping, all, on};

/// The format.
pub static FORMAT: Format = Format {
    name: "github-audit",
    title: "GitHub audit log (streamed or from the API)",
    product: "github",
    service: "audit",
    marks: &[
        &["action", "actor", "@timestamp"],
        &["action", "actor", "_document_id"],
        &["action", "actor", "operation_type"],
        &["action", "actor", "org"],
        &["action", "actor", "created_at"],
    ],
    containers: &[],
    mapping: Some(&MAPPING),
    trust: Trust::ControlPlane,
};

/// The mapping.
static MAPPING: Mapping = Mapping {
    id: Id::First(&["_document_id"]),
    // `created_at` last: for alerts it is when the alert was created, not when somebody acted on it.
    time: &["@timestamp", "at_sign_timestamp", "created_at"],
    action: "action",
    classify_paths: classes::PATHS,
    classify: classes::classify,
    rows: ROWS,
};

const CI: &[EventClass] = &[C::CiRun, C::CiJob];
const JOB: &[EventClass] = &[C::CiJob];
const RUNNER: &[EventClass] = &[C::CiRunner];
const ADMIN: &[EventClass] = &[C::ScmAdmin];
const SECRET: &[EventClass] = &[C::SecretAdmin, C::SecretRotated];

#[rustfmt::skip]
static ROWS: &[MapRow] = &[
    // Who, with what, from where.
    all("prov.org", &["org_id", "org", "business_id", "business"], text_of),
    all("prov.repo", &["repo", "repository"], repo),
    all("prov.repo_id", &["repo_id", "repository_id"], text_of),
    all("prov.actor_id", &["actor_id", "actor"], actor_id),
    all("prov.actor", &["actor"], actor_name),
    all("prov.actor_kind", &["actor", "actor_is_bot", "actor_is_agent", "programmatic_access_type"], actor_kind),
    all("prov.token_id", &["hashed_token", "token_id"], text_of),
    all("prov.token_kind", &["programmatic_access_type", "transport_protocol_name", "protocol_name"], token_kind),
    all("prov.session", &["session_id", "actor_session"], text_of),
    all("src.ip", &["actor_ip"], ip),
    all("src.country", &["actor_location.country_code"], upper),
    all("ua", &["user_agent"], coalesce),
    all("ua_family", &["user_agent"], ua_family),
    // The run. `head_branch` names a branch or a tag and does not say which, so it stays without `refs/…/`.
    on(CI, "prov.workflow", &["job_workflow_ref", "workflow_id"], text_of),
    on(CI, "prov.workflow_sha", &["job_workflow_sha"], lower),
    on(CI, "prov.run_id", &["workflow_run_id"], text_of),
    on(CI, "prov.attempt", &["run_attempt"], coalesce),
    on(CI, "prov.trigger", &["event"], coalesce),
    on(CI, "prov.commit", &["head_sha"], lower),
    on(CI, "prov.ref", &["head_branch"], coalesce),
    on(CI, "result", &["conclusion"], coalesce),
    on(CI, "duration", &["started_at", "completed_at"], duration_ms),
    on(&[C::CiRun], "system_outcome", &["action", "conclusion"], system_outcome),
    on(JOB, "prov.job_id", &["check_run_id"], text_of),
    on(JOB, "job_name", &["job_name"], coalesce),
    on(JOB, "secrets_passed", &["secrets_passed"], secret_names),
    on(JOB, "secrets_count", &["secrets_passed"], secrets_count),
    // The runner: of a job the one that took it, of a registration the new one.
    on(&[C::CiJob, C::CiRunner], "prov.runner_id", &["runner_id"], text_of),
    on(&[C::CiJob, C::CiRunner], "prov.runner_name", &["runner_name"], coalesce),
    on(&[C::CiJob, C::CiRunner], "prov.runner_pool", &["runner_group_name", "runner_group"], text_of),
    on(&[C::CiJob, C::CiRunner], "labels", &["runner_labels"], coalesce),
    on(JOB, "prov.runner_kind", &["is_hosted_runner"], runner_kind),
    on(RUNNER, "prov.runner_kind", &["action"], self_hosted),
    on(RUNNER, "prov.runner_ephemeral", &["ephemeral"], bool_of),
    on(RUNNER, "version", &["source_version"], text_of),
    on(&[C::CiRunner, C::ScmAdmin], "scope", &["action", "repo", "org", "business"], scope),
    // The environment that a job asks for, or whose guard or secret was changed.
    on(&[C::CiJob, C::ScmAdmin, C::SecretAdmin], "env", &["environment_name", "environment"], coalesce),
    on(&[C::CiJob, C::ScmAdmin, C::SecretAdmin], "prov.env", &["environment_name", "environment"], env_class),
    // Source code.
    on(&[C::ScmAccess], "op", &["action"], op),
    on(
        &[C::ScmAccess, C::ScmPush, C::ScmAdmin], "repo_private",
        &["repository_public", "public_repo", "visibility"], private,
    ),
    on(&[C::ScmAccess, C::ScmPush, C::ScmAdmin], "key_id", &["deploy_key_id", "public_key_id", "fingerprint"], text_of),
    on(&[C::ScmPush], "pusher_id", &["actor_id", "actor"], actor_id),
    on(&[C::ScmPush, C::ScmAdmin], "prov.ref", &["ref", "branch"], branch_ref),
    on(&[C::ScmPush], "prov.commit", &["after"], lower),
    on(&[C::ScmPush], "old_sha", &["before"], lower),
    on(&[C::ScmPush], "new_sha", &["after"], lower),
    on(&[C::ScmPush], "forced", &["forced"], bool_of),
    on(&[C::ScmChange], "prov.change_id", &["pull_request_number", "pull_request_id"], text_of),
    on(&[C::ScmChange], "title", &["pull_request_title"], coalesce),
    // What was changed. `user` is who got or lost a right; who gave it is the actor.
    on(ADMIN, "object_kind", &["action"], object_kind),
    on(SECRET, "object_kind", &["action"], object_kind),
    on(
        &[C::ScmAdmin, C::SecretAdmin], "object",
        &[
            "action", "org", "business", "ruleset_name", "branch", "environment_name", "hook_id", "runner_group_name",
            "oauth_application_name", "user_programmatic_access_name", "fingerprint", "integration", "title", "name",
            "repo", "repository", "org", "business",
        ],
        object,
    ),
    on(ADMIN, "subject", &["user", "team", "invitee", "integration", "name"], text_of),
    on(ADMIN, "permission", &["permission", "default_workflow_permissions"], text_of),
    on(ADMIN, "old", &["old_permission", "previous_visibility", "ruleset_old_enforcement", "config_was.url"], text_of),
    on(
        ADMIN, "new",
        &["permission", "visibility", "ruleset_enforcement", "config.url", "repositories_added_names"], text_of,
    ),
    on(ADMIN, "overridden_codes", &["overridden_codes"], coalesce),
    on(ADMIN, "reasons", &["reasons.code", "reasons"], coalesce),
    on(ADMIN, "bypass_actors", &["ruleset_bypass_actors.actor_type"], coalesce),
    // Secrets: in settings `key` is the secret's name.
    on(SECRET, "store_kind", &["action"], store),
    on(SECRET, "secret", &["key", "secret_name"], text_of),
    on(&[C::SecretRotated], "fp", &["key", "secret_name"], text_of),
    // GitHub tells an alert's number and not the secret: the number is what the finding is known by.
    on(&[C::SecretFinding], "fp", &["repo", "repository", "number", "alert_number"], finding_id),
    on(&[C::SecretFinding], "object", &["number", "alert_number"], text_of),
    on(&[C::SecretFinding], "kind", &["secret_type", "secret_type_display_name"], coalesce),
    on(&[C::SecretFinding], "verified", &["validity"], verified),
    on(&[C::IdentityTokenRevoked], "fp", &["hashed_token", "token_id"], text_of),
    on(&[C::IdentityTokenRevoked, C::VulnFinding], "reason", &["explanation", "dismiss_reason"], coalesce),
    // A request through the API, where the enterprise streams them.
    on(&[C::IdentityUse], "op", &["request_method"], coalesce),
    on(&[C::IdentityUse], "op_class", &["request_method"], op_class),
    on(&[C::IdentityUse], "object", &["url_path", "route"], coalesce),
    // Findings and packages.
    on(&[C::VulnFinding], "cve", &["cve_id", "ghsa_id"], coalesce),
    on(&[C::VulnFinding], "sev", &["severity"], lower),
    on(&[C::VulnFinding], "dismissed", &["action"], dismissed),
    on(&[C::RegistryPublish, C::RegistryDelete], "repo", &["package"], coalesce),
    on(&[C::RegistryPublish, C::RegistryDelete], "prov.version", &["version"], text_of),
];

#[cfg(test)]
mod tests {
    #[test]
    fn the_table_fills_model_fields_once() {
        crate::format::fill::tests::check(super::ROWS);
    }
}
