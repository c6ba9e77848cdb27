//! Audit log of a Kubernetes API server (audit.k8s.io), as files and webhooks write it or a cloud hands it on.
//!
//! Each stage of a request is a part of one id, and only stages that tell something new are events. Must never map an
//! object's content beyond the named settings: secrets and tokens stand in bodies.

mod classes;
mod fields;

use EventClass as C;
use model::{EventClass, Trust};

use self::fields::{
    actor_kind, deny, exception, failure_policy, mode, namespaced, object, op_class, peer, refused_by, scope,
    service_account, store,
};
use super::fill::{bool_of, coalesce, env_class, text_of, ua_family};
use super::workload::pinned;
use super::{Container, Format, Id, MapRow, Mapping, all, on};

/// The format.
pub static FORMAT: Format = Format {
    name: "kubernetes-audit",
    title: "Kubernetes API server audit log (events, lists, CloudWatch)",
    product: "kubernetes",
    service: "audit",
    marks: &[&["auditID", "stage", "verb", "requestURI"], &["kind", "items.auditID", "items.stage"]],
    // A list of events; what CloudWatch hands on of a managed cluster.
    containers: &[Container::Array("items"), Container::Array("logEvents"), Container::Encoded("message")],
    mapping: Some(&MAPPING),
    trust: Trust::ControlPlane,
};

/// The mapping.
static MAPPING: Mapping = Mapping {
    id: Id::Joined(&["auditID", "stage"]),
    time: &["stageTimestamp", "requestReceivedTimestamp", "timestamp", "metadata.creationTimestamp"],
    action: "verb",
    classify_paths: classes::PATHS,
    classify: classes::classify,
    rows: ROWS,
};

const SECRET: &[EventClass] = &[C::SecretAccess, C::SecretRotated, C::SecretAdmin];
const ADMIN: &[EventClass] = &[C::ScmAdmin];
const POLICY: &[EventClass] = &[C::PolicyChange];
const EXCHANGE: &[EventClass] = &[C::IdentityExchange];
const NAMED: &[&str] = &["objectRef.namespace", "objectRef.name"];
const USER: &[&str] = &["user.username"];

#[rustfmt::skip]
static ROWS: &[MapRow] = &[
    // Who, with what, from where.
    all("prov.actor_id", USER, coalesce),
    all("prov.actor", USER, coalesce),
    all("prov.actor_kind", USER, actor_kind),
    all(
        "prov.token_id",
        &[r"user.extra.authentication\.kubernetes\.io/credential-id", "user.extra.accessKeyId"],
        text_of,
    ),
    all("prov.session", &["user.extra.sessionName"], coalesce),
    all("src.ip", &["sourceIPs"], peer),
    all("ua", &["userAgent"], coalesce),
    all("ua_family", &["userAgent"], ua_family),
    // What: the namespace's name gives the environment where it has one.
    all("prov.env", &["objectRef.namespace"], env_class),
    on(
        &[C::DeployStarted, C::RuntimeInventory, C::PolicyDecision], "prov.service",
        &[
            "objectRef.name", "responseObject.metadata.name", "requestObject.metadata.name",
            "requestObject.metadata.generateName",
        ],
        coalesce,
    ),
    on(
        &[C::DeployStarted, C::RuntimeInventory, C::PolicyDecision], "prov.digest",
        &[
            "requestObject.spec.template.spec.containers.image",
            "requestObject.spec.template.spec.initContainers.image", "requestObject.spec.containers.image",
            "requestObject.spec.initContainers.image",
            "requestObject.spec.jobTemplate.spec.template.spec.containers.image",
        ],
        pinned,
    ),
    on(
        &[
            C::DeployStarted, C::SecretAccess, C::SecretRotated, C::SecretAdmin, C::IdentityUse, C::IdentityExchange,
        ],
        "op", &["verb"], coalesce,
    ),
    on(
        &[C::DeployStarted, C::PolicyDecision], "break_glass",
        &[
            r"requestObject.spec.template.metadata.labels.image-policy\.k8s\.io/break-glass",
            r"requestObject.metadata.labels.image-policy\.k8s\.io/break-glass",
            r"requestObject.spec.template.metadata.annotations.alpha\.image-policy\.k8s\.io/break-glass",
            r"requestObject.metadata.annotations.alpha\.image-policy\.k8s\.io/break-glass",
        ],
        bool_of,
    ),
    on(&[C::RuntimeInventory], "node", &["requestObject.spec.nodeName"], coalesce),
    on(&[C::IdentityUse], "object", NAMED, object),
    on(
        &[C::IdentityUse, C::ScmAdmin, C::SecretAdmin, C::SecretRotated], "object_kind",
        &["objectRef.resource"], coalesce,
    ),
    on(&[C::IdentityUse, C::SecretAccess], "op_class", &["verb", "objectRef.subresource"], op_class),
    on(
        &[C::IdentityUse, C::SecretAccess, C::IdentityExchange], "reason",
        &["responseStatus.reason"], coalesce,
    ),
    // Secrets: names, never values.
    on(SECRET, "store_kind", &["verb"], store),
    on(SECRET, "secret", NAMED, namespaced),
    on(&[C::SecretRotated], "fp", NAMED, namespaced),
    on(&[C::SecretAdmin], "object", NAMED, namespaced),
    // Tokens of service accounts.
    on(EXCHANGE, "role", NAMED, service_account),
    on(EXCHANGE, "aud", &["requestObject.spec.audiences"], coalesce),
    on(EXCHANGE, "ttl_s", &["requestObject.spec.expirationSeconds"], coalesce),
    on(EXCHANGE, "issued_key", &[r"annotations.authentication\.kubernetes\.io/issued-credential-id"], coalesce),
    // Who may do what.
    on(ADMIN, "object", NAMED, object),
    on(ADMIN, "subject", &["requestObject.subjects.name"], coalesce),
    on(ADMIN, "permission", &["requestObject.roleRef.name"], coalesce),
    on(ADMIN, "new", &["requestObject.roleRef.name"], coalesce),
    on(ADMIN, "scope", &["objectRef.namespace"], scope),
    // What is let in.
    on(&[C::PolicyDecision], "result", &["verb"], deny),
    on(&[C::PolicyDecision], "rule", &["responseStatus.message"], refused_by),
    on(POLICY, "rule", &["objectRef.name", "requestObject.metadata.name"], coalesce),
    on(
        POLICY, "mode",
        &[
            "requestObject.spec.validationActions", "requestObject.spec.validationFailureAction",
            "requestObject.spec.rules.validate.failureAction", "requestObject.spec.rules.verifyImages.failureAction",
            "requestObject.spec.enforcementAction", "requestObject.spec.mode",
        ],
        mode,
    ),
    on(
        POLICY, "failure_policy",
        &["requestObject.webhooks.failurePolicy", "requestObject.spec.failurePolicy"],
        failure_policy,
    ),
    on(
        POLICY, "exception_scope",
        &[
            "requestObject.spec.match.any.resources.namespaces", "requestObject.spec.match.all.resources.namespaces",
            "requestObject.spec.match.any.resources.names", "requestObject.spec.match.all.resources.names",
        ],
        exception,
    ),
];

#[cfg(test)]
mod tests {
    #[test]
    fn the_table_fills_model_fields_once() {
        crate::format::fill::tests::check(super::ROWS);
    }
}
