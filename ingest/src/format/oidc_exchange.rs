//! Identities exchanged for credentials: a broker's record of an RFC 8693 token exchange, Google Cloud's audit entry of
//! one, Microsoft Entra's sign-in of a federated workload. (AWS tells its own in CloudTrail.)
//!
//! Must never map a token: records name tokens by an id or a hash, and claims are what the verified token said.

use EventClass as C;
use model::{EventClass, Trust, Verdict};

use super::fill::{bool_of, coalesce, env_class, full_ref, gather, ip, lower, lower_case, text_of, ua_family};
use super::fulcio;
use super::{Class, Classified, Container, Format, Id, Inputs, MapRow, Mapping, Output, on};

/// The format.
pub static FORMAT: Format = Format {
    name: "oidc-exchange",
    title: "Token exchanges (RFC 8693 broker records, Google STS audit entries, Entra federated sign-ins)",
    product: "oidc",
    service: "exchange",
    marks: &[
        &["grant_type", "subject_claims"],
        &["protoPayload.request.subjectTokenType", "protoPayload.methodName"],
        &["federatedCredentialId", "servicePrincipalId", "createdDateTime"],
        &["value.federatedCredentialId", "value.servicePrincipalId"],
    ],
    containers: &[Container::Array("value")],
    mapping: Some(&MAPPING),
    trust: Trust::ControlPlane,
};

/// The mapping.
static MAPPING: Mapping = Mapping {
    id: Id::FirstJoined(&[&["insertId", "timestamp"], &["id"]]),
    time: &["time", "timestamp", "createdDateTime"],
    action: "grant_type",
    classify_paths: &[
        "grant_type",
        "outcome",
        "error",
        "protoPayload.methodName",
        "protoPayload.status.code",
        "createdDateTime",
        "federatedCredentialId",
        "status.errorCode",
    ],
    classify,
    rows: ROWS,
};

const EXCHANGE: &[EventClass] = &[C::IdentityExchange];

#[rustfmt::skip]
static ROWS: &[MapRow] = &[
    // What was asked for, and what came of it.
    on(EXCHANGE, "op", &["grant_type", "protoPayload.methodName", "clientCredentialType"], coalesce),
    on(
        EXCHANGE, "role",
        &[
            "role", "resource", "protoPayload.metadata.mapped_principal", "protoPayload.metadata.mappedPrincipal",
            "servicePrincipalId",
        ],
        coalesce,
    ),
    on(EXCHANGE, "sub", &["subject_claims.sub", "protoPayload.authenticationInfo.principalSubject"], coalesce),
    on(EXCHANGE, "aud", &["subject_claims.aud", "audience", "protoPayload.request.audience", "resourceId"], coalesce),
    on(EXCHANGE, "issuer", &["subject_claims.iss", "protoPayload.resourceName", "federatedCredentialId"], coalesce),
    on(EXCHANGE, "issued_key", &["issued_token_id", "uniqueTokenIdentifier"], coalesce),
    on(EXCHANGE, "ttl_s", &["expires_in"], coalesce),
    on(EXCHANGE, "reason", &["error", "protoPayload.status.message", "status.failureReason"], coalesce),
    on(EXCHANGE, "mfa", &["mfa"], bool_of),
    on(EXCHANGE, "src.ip", &["client_ip", "protoPayload.requestMetadata.callerIp", "ipAddress"], ip),
    on(
        EXCHANGE, "ua",
        &["user_agent", "protoPayload.requestMetadata.callerSuppliedUserAgent", "userAgent"], coalesce,
    ),
    on(
        EXCHANGE, "ua_family",
        &["user_agent"], ua_family,
    ),
    // Who showed the token: the job that it was made for.
    on(
        EXCHANGE, "prov.actor_id",
        &[
            "subject_claims.sub", "protoPayload.authenticationInfo.principalSubject", "servicePrincipalId",
        ],
        coalesce,
    ),
    on(EXCHANGE, "prov.actor_kind", &["grant_type", "protoPayload.methodName", "createdDateTime"], |_, output| {
        output.text("workload");
    }),
    on(EXCHANGE, "prov.token_id", &["subject_claims.jti"], text_of),
    on(EXCHANGE, "prov.token_kind", &["subject_claims.iss"], |inputs, output| {
        if inputs.has(0) {
            output.text("web_identity");
        }
    }),
    on(
        EXCHANGE, "prov.org",
        &["subject_claims.repository_owner_id", "subject_claims.namespace_id"], text_of,
    ),
    on(
        EXCHANGE, "prov.repo",
        &["subject_claims.iss", "subject_claims.repository", "subject_claims.project_path"], repo,
    ),
    on(EXCHANGE, "prov.repo_id", &["subject_claims.repository_id", "subject_claims.project_id"], text_of),
    on(EXCHANGE, "prov.commit", &["subject_claims.sha"], lower),
    // GitHub's claim is a ref; GitLab's is a name with its kind beside it.
    on(EXCHANGE, "prov.ref", &["subject_claims.ref", "subject_claims.ref_type"], full_ref),
    on(
        EXCHANGE, "prov.workflow",
        &["subject_claims.job_workflow_ref", "subject_claims.workflow_ref", "subject_claims.ci_config_ref_uri"],
        coalesce,
    ),
    on(EXCHANGE, "prov.workflow_sha", &["subject_claims.job_workflow_sha", "subject_claims.ci_config_sha"], lower),
    on(EXCHANGE, "prov.trigger", &["subject_claims.event_name", "subject_claims.pipeline_source"], coalesce),
    on(EXCHANGE, "prov.run_id", &["subject_claims.run_id", "subject_claims.pipeline_id"], text_of),
    on(EXCHANGE, "prov.attempt", &["subject_claims.run_attempt"], number),
    on(EXCHANGE, "prov.job_id", &["subject_claims.check_run_id", "subject_claims.job_id"], text_of),
    on(EXCHANGE, "prov.runner_kind", &["subject_claims.runner_environment"], |inputs, output| {
        if let Some(kind) = inputs.text(0).and_then(fulcio::runner_kind) {
            output.text(kind);
        }
    }),
    on(EXCHANGE, "runner_env", &["subject_claims.runner_environment"], coalesce),
    on(EXCHANGE, "env", &["subject_claims.environment"], coalesce),
    on(EXCHANGE, "prov.env", &["subject_claims.environment"], env_class),
    // Claims by name, for lists of what each role expects.
    on(EXCHANGE, "claims.repository", &["subject_claims.repository", "subject_claims.project_path"], coalesce),
    on(EXCHANGE, "claims.repository_visibility", &["subject_claims.repository_visibility", "subject_claims.project_visibility"], coalesce),
    on(EXCHANGE, "claims.ref", &["subject_claims.ref"], coalesce),
    on(EXCHANGE, "claims.ref_type", &["subject_claims.ref_type"], coalesce),
    on(EXCHANGE, "claims.ref_protected", &["subject_claims.ref_protected"], text_of),
    on(EXCHANGE, "claims.event_name", &["subject_claims.event_name"], coalesce),
    on(EXCHANGE, "claims.environment", &["subject_claims.environment"], coalesce),
    on(EXCHANGE, "claims.job_workflow_ref", &["subject_claims.job_workflow_ref"], coalesce),
    on(EXCHANGE, "claims.groups", &["subject_claims.groups"], gather),
];

fn classify(inputs: &Inputs<'_>) -> Classified {
    let verdict = if inputs.has(3) {
        google(inputs)
    } else if inputs.has(5) {
        // Other sign-ins of the same log show a secret or a certificate: no identity is exchanged.
        if inputs.text(6).is_none_or(|id| id.starts_with("00000000-0000")) {
            return Classified::Filtered;
        }
        match inputs.string(7).as_deref() {
            Some("0") => Verdict::Success,
            Some(_) => Verdict::Denied,
            None => Verdict::Unknown,
        }
    } else if inputs.text(0).is_some_and(|grant| grant.ends_with(":token-exchange") || grant.ends_with(":jwt-bearer")) {
        broker(inputs)
    } else {
        return Classified::Invalid("no exchange of a token");
    };
    Classified::Event(Class { class: C::IdentityExchange, action: "exchange", verdict })
}

/// gRPC's codes: 7 and 16 are refusals, 13 and 14 faults of the service, none is success.
fn google(inputs: &Inputs<'_>) -> Verdict {
    match inputs.string(4).as_deref() {
        None | Some("0") => Verdict::Success,
        Some("7" | "16") => Verdict::Denied,
        Some("13" | "14") => Verdict::Error,
        Some(_) => Verdict::Failure,
    }
}

/// The broker's own word, else what OAuth's error codes mean.
fn broker(inputs: &Inputs<'_>) -> Verdict {
    match (inputs.text(1), inputs.text(2)) {
        (Some(told), _) => Verdict::by_name(told).unwrap_or(Verdict::Unknown),
        (None, None) => Verdict::Unknown,
        (None, Some("server_error" | "temporarily_unavailable")) => Verdict::Error,
        (None, Some("invalid_request" | "invalid_scope" | "unsupported_grant_type")) => Verdict::Failure,
        (None, Some(_)) => Verdict::Denied,
    }
}

/// `host/owner/name`, the host by the token's issuer. Paths: issuer, GitHub's claim, GitLab's claim.
fn repo(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    let Some(host) = inputs.text(0).and_then(host_of) else { return };
    if let Some(name) = inputs.text(1).or(inputs.text(2)).filter(|name| name.contains('/')) {
        output.text(&format!("{host}/{}", lower_case(name)));
    }
}

/// The forge that an issuer belongs to: GitHub's own issuer has a host of its own.
fn host_of(issuer: &str) -> Option<&str> {
    let host = issuer.strip_prefix("https://")?.split(['/', ':']).next()?;
    Some(if host == "token.actions.githubusercontent.com" { "github.com" } else { host })
}

fn number(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if let Some(number) = inputs.string(0).and_then(|text| text.parse().ok()) {
        output.scalar(model::Scalar::Int(number));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use model::{Event, Projection};

    use super::*;
    use crate::format::Wanted;
    use crate::{Decoder, Read, Scratch, decode_one};

    fn one(text: &str) -> Event {
        decode_one(&FORMAT, &Arc::from("broker"), text).unwrap().remove(0)
    }

    fn check(event: &Event, expected: &[(&str, &str)]) {
        for (field, value) in expected {
            let is = event.fields.get(*field).map(|is| is.as_str().map_or_else(|| is.to_string(), str::to_owned));
            assert_eq!(is.as_deref(), Some(*value), "{field}");
        }
    }

    #[test]
    fn the_table_fills_model_fields_once() {
        crate::format::fill::tests::check(ROWS);
    }

    #[test]
    fn a_broker_tells_of_a_github_job() {
        let event = one(
            r#"{"grant_type":"urn:ietf:params:oauth:grant-type:token-exchange","id":"x-1","time":"2026-09-01T10:00:00Z","outcome":"success",
            "audience":"vault","role":"deploy-prod","issued_token_id":"sha256:0a","expires_in":900,"client_ip":"203.0.113.7",
            "subject_claims":{"iss":"https://token.actions.githubusercontent.com","sub":"repo:Acme/App:environment:production","aud":"sts",
              "jti":"j-1","repository":"Acme/App","repository_id":"486","repository_owner_id":"80","sha":"0A1B","ref":"refs/heads/main",
              "event_name":"push","run_id":"77","run_attempt":"2","environment":"production","runner_environment":"github-hosted",
              "job_workflow_ref":"Acme/App/.github/workflows/deploy.yml@refs/heads/main"}}"#,
        );
        assert_eq!((event.class, event.outcome), (Some(C::IdentityExchange), Verdict::Success));
        assert_eq!((event.id.as_deref(), event.action.as_deref()), (Some("x-1"), Some("exchange")));
        check(
            &event,
            &[
                ("prov.repo", "github.com/acme/app"),
                ("prov.repo_id", "486"),
                ("prov.org", "80"),
                ("prov.commit", "0a1b"),
                ("prov.ref", "refs/heads/main"),
                ("prov.run_id", "77"),
                ("prov.attempt", "2"),
                ("prov.trigger", "push"),
                ("prov.env", "prod"),
                ("prov.runner_kind", "hosted"),
                ("prov.token_id", "j-1"),
                ("issued_key", "sha256:0a"),
                ("role", "deploy-prod"),
                ("ttl_s", "900"),
                ("aud", "sts"),
                ("src.ip", "203.0.113.7"),
            ],
        );
    }

    #[test]
    fn claims_are_fields_by_name() {
        let mut asked = Projection::default();
        asked.ask("claims.repository");
        let classes = [(C::IdentityExchange, asked.clone())].into();
        let decoder = Decoder::new(vec![(&FORMAT, Wanted { classes, ..Wanted::default() })], None, true);
        let record =
            r#"{"grant_type":"urn:ietf:params:oauth:grant-type:token-exchange","subject_claims":{"repository":"a/b"}}"#;
        let mut claims = Vec::new();
        decoder.read(&mut Scratch::default(), record, 0, &mut |_, read| {
            if let Read::Event(seen) = read {
                let event = decoder.event(&seen, &Arc::from("broker"), &asked).unwrap();
                claims.extend(event.fields.get("claims.repository").cloned());
            }
        });
        assert_eq!(claims, ["a/b"]);
    }

    #[test]
    fn a_broker_refuses_a_gitlab_job() {
        let event = one(
            r#"{"grant_type":"urn:ietf:params:oauth:grant-type:token-exchange","id":"x-2","time":1788256800,"error":"invalid_target",
            "subject_claims":{"iss":"https://gitlab.example:8443","sub":"s","project_path":"Group/Sub/App","ref":"v1","ref_type":"tag",
              "pipeline_source":"merge_request_event","pipeline_id":5,"job_id":6,"runner_environment":"self-hosted"}}"#,
        );
        assert_eq!(event.outcome, Verdict::Denied);
        check(
            &event,
            &[
                ("prov.repo", "gitlab.example/group/sub/app"),
                ("prov.ref", "refs/tags/v1"),
                ("prov.run_id", "5"),
                ("prov.job_id", "6"),
                ("prov.runner_kind", "self_hosted"),
                ("reason", "invalid_target"),
            ],
        );
        assert_eq!(event.fields.get("issued_key"), None);
    }

    #[test]
    fn clouds_tell_it_their_own_way() {
        let google = one(
            r#"{"insertId":"i1","timestamp":"2026-09-01T10:00:00.5Z","protoPayload":{"serviceName":"sts.googleapis.com",
            "methodName":"google.identity.sts.v1.SecurityTokenService.ExchangeToken","status":{"code":16,"message":"expired"},
            "authenticationInfo":{"principalSubject":"repo:acme/app:ref:refs/heads/main"},"requestMetadata":{"callerIp":"203.0.113.9"},
            "metadata":{"mapped_principal":"principal://iam.googleapis.com/x"},"resourceName":"projects/1/providers/p",
            "request":{"audience":"//iam.googleapis.com/p","subjectTokenType":"urn:ietf:params:oauth:token-type:jwt"}}}"#,
        );
        assert_eq!(google.outcome, Verdict::Denied);
        check(
            &google,
            &[
                ("sub", "repo:acme/app:ref:refs/heads/main"),
                ("role", "principal://iam.googleapis.com/x"),
                ("issuer", "projects/1/providers/p"),
                ("src.ip", "203.0.113.9"),
            ],
        );
        let entra = r#"{"id":"s1","createdDateTime":"2026-09-01T10:00:00Z","servicePrincipalId":"sp","resourceId":"r","ipAddress":"203.0.113.8",
            "uniqueTokenIdentifier":"u","status":{"errorCode":0},"federatedCredentialId":"FC"}"#;
        let event = one(&entra.replace("FC", "f1"));
        assert_eq!(event.outcome, Verdict::Success);
        check(&event, &[("role", "sp"), ("issued_key", "u"), ("issuer", "f1"), ("aud", "r")]);
        let source = Arc::from("entra");
        assert_eq!(decode_one(&FORMAT, &source, &entra.replace("FC", "")).unwrap(), [], "signed in with a secret");
    }
}
