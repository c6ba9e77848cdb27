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
            ("in-toto", "signatures.sig, invocationId"),
            ("sigstore-bundle", "tlogEntries.logIndex, logId"),
            ("rekor", "logIndex, logID"),
            ("cyclonedx", "serialNumber, version"),
            ("spdx", "documentNamespace"),
            ("sarif", "automationDetails.guid"),
            ("secret-scan", "scanned_at, Fingerprint"),
            ("oidc-exchange", "id, insertId"),
        ],
    ),
    text("event.class", "The class, by its dotted name.", &[("every format", "the format's table")]),
    text(
        "event.action",
        "What was done, in the class's own words; the native action where the class has none.",
        &[("github-audit", "action"), ("cloudtrail", "eventName")],
    ),
    text(
        "event.outcome",
        "How it ended: success, failure, denied, error or unknown.",
        &[
            ("github-audit", "action, conclusion"),
            ("cloudtrail", "errorCode, responseElements.ConsoleLogin"),
            ("sarif", "invocations.executionSuccessful, results.level"),
            ("oidc-exchange", "outcome, error, status"),
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
            ("in-toto", "metadata.finishedOn, buildFinishedOn"),
            ("sigstore-bundle", "tlogEntries.integratedTime, certificate"),
            ("rekor", "integratedTime"),
            ("cyclonedx", "metadata.timestamp"),
            ("spdx", "creationInfo.created"),
            ("sarif", "invocations.endTimeUtc"),
            ("secret-scan", "scanned_at, Date"),
            ("oidc-exchange", "time, timestamp, createdDateTime"),
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
        &[("cdevents", "traceparent"), ("cloudevents", "traceparent")],
    ),
];
