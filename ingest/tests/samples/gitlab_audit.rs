//! GitLab's audit events. There are no samples: these are written from the documented fields.

use std::sync::Arc;

use ingest::decode_one;
use ingest::format::by_name;
use model::Event;
use serde_json::{Value, json};

/// A project's event as it is streamed, with some fields changed.
fn event(native: &str, changes: Value) -> Event {
    let mut record = json!({
        "id": "7d4f", "author_id": 7, "entity_id": 29, "entity_type": "Project", "entity_path": "shop/cart",
        "author_name": "Ada", "target_id": 11, "target_type": "Project", "target_details": "cart",
        "details": {"author_name": "Ada", "author_class": "User"}, "ip_address": "192.0.2.4",
        "created_at": "2026-03-01T10:00:00.500Z", "event_type": native,
    });
    for (key, value) in changes.as_object().expect("an object") {
        record[key] = value.clone();
    }
    let format = by_name("gitlab-audit").expect("the format is known");
    let events = decode_one(format, &Arc::from("audit"), &record.to_string()).expect("it can be decoded");
    events.into_iter().next().expect("one event")
}

fn is(event: &Event, class: &str, action: &str, outcome: &str, fields: &[(&str, Value)]) {
    let what = (event.class.map_or("", |class| class.name()), event.action.as_deref().unwrap_or(""));
    assert_eq!((what, event.outcome.name()), ((class, action), outcome));
    for (name, value) in fields {
        assert_eq!(event.fields.get(*name).unwrap_or(&Value::Null), value, "{action}: {name}");
    }
}

#[test]
fn git_operations() {
    let details = |verb: Value| {
        json!({"details": {"custom_message": verb, "author_class": "DeployKey"},
        "author_id": -3, "author_name": "Release-Key"})
    };
    let fetch = event("repository_git_operation", details(json!({"protocol": "ssh", "action": "git-upload-pack"})));
    is(
        &fetch,
        "scm.access",
        "fetch",
        "success",
        &[
            ("op", json!("fetch")),
            ("prov.repo_id", json!("29")),
            ("prov.actor_id", json!("deploykey:release-key")),
            ("prov.actor_kind", json!("workload")),
            ("prov.token_kind", json!("deploy_key")),
            ("prov.repo", Value::Null),
            ("src.ip", json!("192.0.2.4")),
            ("repo_private", Value::Null),
        ],
    );
    assert_eq!(fetch.id.as_deref(), Some("7d4f"));
    assert_eq!(fetch.time.map(|time| time.ms()), Some(1_772_359_200_500));
    let push = event("repository_git_operation", details(json!({"protocol": "ssh", "action": "git-receive-pack"})));
    is(&push, "scm.push", "push", "success", &[("pusher_id", json!("deploykey:release-key"))]);
    let zip = event("repository_download_operation", json!({}));
    is(&zip, "scm.access", "zip", "success", &[("op", json!("zip")), ("repo_private", json!(true))]);
}

#[test]
fn guards_and_rights() {
    let stream = event("destroy_event_streaming_destination", json!({"entity_type": "Group", "entity_id": 60}));
    is(
        &stream,
        "scm.admin",
        "audit_log_streaming.destroy",
        "success",
        &[
            ("object_kind", json!("audit_stream")),
            ("scope", json!("org")),
            ("prov.org", json!("60")),
            ("prov.repo_id", Value::Null),
            ("prov.actor_id", json!("7")),
        ],
    );
    let branch = event("protected_branch_removed", json!({"target_details": "main", "target_type": "ProtectedBranch"}));
    is(
        &branch,
        "scm.admin",
        "protected_branch.destroy",
        "success",
        &[
            ("prov.ref", json!("refs/heads/main")),
            ("object", json!("main")),
            ("object_kind", json!("protected_branch")),
        ],
    );
    let member = event(
        "member_created",
        json!({"target_details": "Eve", "target_type": "User",
        "details": {"add": "user_access", "as": "Owner"}}),
    );
    is(
        &member,
        "scm.admin",
        "repo.add_member",
        "success",
        &[("object_kind", json!("member")), ("subject", json!("Eve")), ("permission", json!("owner"))],
    );
    let env = event("environment_unprotected", json!({"target_details": "production"}));
    is(
        &env,
        "secret.admin",
        "env_protection_removed",
        "success",
        &[("env", json!("production")), ("prov.env", json!("prod"))],
    );
}

#[test]
fn secrets_credentials_and_runners() {
    let variable = event(
        "ci_variable_updated",
        json!({"target_details": "DEPLOY_KEY",
        "details": {"change": "value"}}),
    );
    is(
        &variable,
        "secret.rotated",
        "rotated",
        "success",
        &[("secret", json!("DEPLOY_KEY")), ("store_kind", json!("gitlab"))],
    );
    let protection = event("ci_variable_updated", json!({"details": {"change": "protected", "from": "true"}}));
    is(&protection, "secret.admin", "updated", "success", &[]);
    let token = event("personal_access_token_revoked", json!({"target_type": "PersonalAccessToken"}));
    is(
        &token,
        "identity.token.revoked",
        "personal_access_token_revoked",
        "success",
        &[("fp", json!("PersonalAccessToken:11"))],
    );
    let login = event("login_failed_with_otp_authentication", json!({}));
    is(&login, "identity.auth", "login_failed_with_otp_authentication", "failure", &[]);
    let runner = event("ci_runner_registered", json!({"target_details": "builder-1", "target_type": "Ci::Runner"}));
    is(
        &runner,
        "ci.runner",
        "registered",
        "success",
        &[
            ("prov.runner_id", json!("11")),
            ("prov.runner_name", json!("builder-1")),
            ("scope", json!("repo")),
            ("prov.runner_kind", json!("self_hosted")),
        ],
    );
    let bypass = event("security_policy_user_push_bypass", json!({}));
    is(&bypass, "policy.decision", "security_policy_user_push_bypass", "success", &[("break_glass", json!(true))]);
}

/// Older versions of the API say neither the type nor the target beside the details.
#[test]
fn events_of_the_api() {
    let plain = json!({"event_type": null, "target_details": null, "author_name": null, "ip_address": null,
        "details": {"change": "visibility", "from": "Private", "to": "Public", "author_name": "Ada",
            "target_details": "shop/cart", "target_type": "Project", "ip_address": "192.0.2.9"}});
    is(
        &event("", plain),
        "scm.admin",
        "changed",
        "success",
        &[
            ("old", json!("Private")),
            ("new", json!("Public")),
            ("object", json!("shop/cart")),
            ("src.ip", json!("192.0.2.9")),
            ("prov.actor", json!("Ada")),
            ("prov.repo_id", json!("29")),
        ],
    );
    let failed = json!({"event_type": null, "details": {"failed_login": "STANDARD"}});
    is(&event("", failed), "identity.auth", "login_failed", "failure", &[]);
}
