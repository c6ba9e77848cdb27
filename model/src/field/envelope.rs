//! Envelope: what every event says about itself.
//!
//! Must never name a field that only some classes have.

use super::{FieldDoc, integer, text, time};

pub(super) const FIELDS: &[FieldDoc] = &[
    text(
        "event.id",
        "The provider's id of the event, plus its part where one record is several events; \
        duplicates are found by it.",
        &[
            ("github-audit", "_document_id"),
            ("cloudtrail", "eventID"),
            ("cdevents", "context.id"),
            ("vault-audit", "request.id"),
            ("ecr-eventbridge", "id"),
            ("kubernetes-audit", "auditID, stage"),
            ("opa-decision-log", "decision_id"),
            ("policy-report", "policy, rule, resource, result, timestamp"),
            ("falco", "time, hostname, rule"),
            ("argocd", "metadata.uid, operationState"),
            ("flux", "timestamp, involvedObject, reason"),
            ("rollouts", "metadata.timestamp, name, phase"),
        ],
    ),
    text("event.class", "The class, by its dotted name.", &[("every format", "the format's table")]),
    text(
        "event.action",
        "What was done, in the class's own words; the native action where the class has none.",
        &[
            ("github-audit", "action"),
            ("cloudtrail", "eventName"),
            ("vault-audit", "request.operation, request.path"),
            ("kubernetes-audit", "verb, objectRef"),
            ("flux", "reason"),
            ("falco", "rule"),
        ],
    ),
    text(
        "event.outcome",
        "How it ended: success, failure, denied, error or unknown.",
        &[
            ("github-audit", "action, conclusion"),
            ("cloudtrail", "errorCode, responseElements.ConsoleLogin"),
            ("vault-audit", "type, error, auth.policy_results"),
            ("kubernetes-audit", "responseStatus.code"),
            ("policy-report", "results.result"),
            ("argocd", "status.operationState.phase"),
            ("flux", "severity, reason"),
            ("rollouts", "phase, trigger"),
        ],
    ),
    time(
        "event.time",
        "When it happened, as the provider says; never when it arrived.",
        &[
            ("github-audit", "@timestamp, at_sign_timestamp, created_at"),
            ("cloudtrail", "eventTime"),
            ("cdevents", "context.timestamp"),
            ("ecr-eventbridge", "time"),
            ("vault-audit", "time"),
            ("kubernetes-audit", "stageTimestamp"),
            ("policy-report", "results.timestamp, status.auditTimestamp"),
            ("opa-decision-log", "timestamp"),
            ("falco", "time"),
            ("argocd", "status.operationState.finishedAt, startedAt"),
            ("flux", "timestamp"),
            ("rollouts", "metadata.timestamp"),
        ],
    )
    .unit("ms since 1970-01-01 UTC"),
    time(
        "event.ingest_time",
        "When it was fetched, or the broker's append time. For latency only: no rule decides by \
        it.",
        &[("every format", "the source")],
    )
    .unit("ms since 1970-01-01 UTC"),
    text("event.source", "Name of the configured source that delivered it.", &[("every format", "configuration")]),
    integer(
        "event.seq",
        "The source's own sequence number; a gap means lost events.",
        &[("every format", "the source, where it counts")],
    ),
    text(
        "event.trust",
        "Who writes the source: control_plane, agent, tenant or attacker_controlled.",
        &[("every format", "configuration")],
    ),
    text(
        "trace_id",
        "W3C trace id that joins a run with what it caused.",
        &[("cdevents", "traceparent"), ("cloudevents", "traceparent"), ("opa-decision-log", "trace_id")],
    ),
];
