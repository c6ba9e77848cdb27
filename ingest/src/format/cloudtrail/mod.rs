//! AWS CloudTrail: management and data events, alone, in a `Records` file or in an EventBridge envelope.
//!
//! Must never take a session's name for an identity: whoever assumes a role chooses it. The actor is the role or user
//! that issued the session.

mod classes;
mod fields;

use EventClass as C;
use model::{EventClass, Trust};

use self::fields::{
    account, actor_id, actor_kind, actor_name, digests, github_env, github_env_class, github_ref, github_repo,
    github_trigger, image_gone, immutable, is_public, mfa, object_kind, op_class, repo_kind, retention_cut, scan_off,
    session, source_service, store_kind, token_kind,
};
pub(super) use self::fields::{role_of, secret, secret_name};
use super::fill::{coalesce, duration_s, ip, tail, text_of, ua_family};
use super::{Container, Format, Id, MapRow, Mapping, all, on};

/// The format.
pub static FORMAT: Format = Format {
    name: "cloudtrail",
    title: "AWS CloudTrail (records, log files, EventBridge)",
    product: "aws",
    service: "cloudtrail",
    marks: &[
        &["eventSource", "eventName", "userIdentity"],
        &["eventSource", "eventName", "eventID"],
        &["Records"],
        &["detail-type", "detail.eventSource", "detail.eventName"],
    ],
    containers: &[Container::Array("Records"), Container::Envelope("detail")],
    mapping: Some(&MAPPING),
    trust: Trust::ControlPlane,
};

/// The mapping.
static MAPPING: Mapping = Mapping {
    id: Id::First(&["eventID"]),
    time: &["eventTime"],
    action: "eventName",
    classify_paths: classes::PATHS,
    classify: classes::classify,
    rows: ROWS,
};

const SECRET: &[EventClass] = &[C::SecretAccess, C::SecretList, C::SecretAdmin, C::SecretRotated];
const REGISTRY: &[EventClass] = &[C::RegistryPush, C::RegistryPull, C::RegistryDelete, C::RegistryAcl];
const ACL: &[EventClass] = &[C::RegistryAcl];
const EXCHANGE: &[EventClass] = &[C::IdentityExchange];
const USE: &[EventClass] = &[C::IdentityUse];
const ADMIN: &[EventClass] = &[C::ScmAdmin];
const DEPLOY: &[EventClass] = &[C::DeployStarted];
const KEYS: &[EventClass] = &[C::KmsSign, C::KmsAdmin, C::IdentityUse];

/// What a GitHub job's identity token says of itself: the subject stands in the call's answer and in the caller.
const SUBJECT: &[&str] =
    &["userIdentity.identityProvider", "responseElements.subjectFromWebIdentityToken", "userIdentity.userName"];

#[rustfmt::skip]
static ROWS: &[MapRow] = &[
    // Who, with what, from where.
    all("prov.org", &["recipientAccountId", "userIdentity.accountId"], text_of),
    all(
        "prov.actor_id",
        &[
            "userIdentity.type", "userIdentity.sessionContext.sessionIssuer.arn", "userIdentity.arn",
            "userIdentity.principalId", "userIdentity.userName", "userIdentity.invokedBy", "userIdentity.accountId",
        ],
        actor_id,
    ),
    all(
        "prov.actor",
        &[
            "userIdentity.sessionContext.sessionIssuer.userName", "userIdentity.userName", "userIdentity.invokedBy",
            "userIdentity.type",
        ],
        actor_name,
    ),
    all(
        "prov.actor_kind",
        &["userIdentity.type", "userIdentity.sessionContext.sessionIssuer.userName", "userIdentity.arn"], actor_kind,
    ),
    all("prov.token_id", &["userIdentity.accessKeyId"], coalesce),
    all(
        "prov.token_kind",
        &[
            "userIdentity.accessKeyId", "userIdentity.type",
            "userIdentity.sessionContext.webIdFederationData.federatedProvider",
        ],
        token_kind,
    ),
    all("prov.session", &["userIdentity.principalId"], session),
    all("prov.region", &["awsRegion"], coalesce),
    all("src.ip", &["sourceIPAddress"], ip),
    all("src.service", &["sourceIPAddress", "userIdentity.invokedBy"], source_service),
    all("ua", &["userAgent"], coalesce),
    all("ua_family", &["userAgent"], ua_family),
    // Credentials.
    on(EXCHANGE, "role", &["requestParameters.roleArn"], coalesce),
    on(EXCHANGE, "issued_key", &["responseElements.credentials.accessKeyId"], coalesce),
    on(EXCHANGE, "sub", &["responseElements.subjectFromWebIdentityToken", "responseElements.subject"], coalesce),
    on(EXCHANGE, "aud", &["responseElements.audience"], coalesce),
    on(
        EXCHANGE, "issuer",
        &["responseElements.provider", "responseElements.issuer", "userIdentity.identityProvider"],
        coalesce,
    ),
    on(EXCHANGE, "ttl_s", &["requestParameters.durationSeconds"], coalesce),
    on(EXCHANGE, "prov.repo", SUBJECT, github_repo),
    on(EXCHANGE, "prov.ref", SUBJECT, github_ref),
    on(EXCHANGE, "prov.trigger", SUBJECT, github_trigger),
    on(EXCHANGE, "env", SUBJECT, github_env),
    on(EXCHANGE, "prov.env", SUBJECT, github_env_class),
    on(&[C::IdentityUse, C::IdentityExchange, C::SecretAccess, C::SecretList], "op", &["eventName"], coalesce),
    on(USE, "role", &["userIdentity.sessionContext.sessionIssuer.arn"], coalesce),
    on(USE, "op_class", &["eventSource", "eventName", "readOnly"], op_class),
    on(
        &[C::IdentityUse, C::SecretAccess], "token_age_s",
        &["userIdentity.sessionContext.attributes.creationDate", "eventTime"], duration_s,
    ),
    on(
        &[C::IdentityAuth, C::IdentityUse, C::IdentityExchange], "mfa",
        &["additionalEventData.MFAUsed", "userIdentity.sessionContext.attributes.mfaAuthenticated"], mfa,
    ),
    on(
        &[C::IdentityExchange, C::IdentityAuth, C::IdentityUse, C::SecretAccess], "reason",
        &["errorCode"], coalesce,
    ),
    on(&[C::IdentityTokenRevoked], "fp", &["requestParameters.accessKeyId"], coalesce),
    // An interactive session: where it leads.
    on(
        USE, "object",
        &[
            "requestParameters.task", "requestParameters.target",
            "requestParameters.instanceIds", "requestParameters.instanceId",
        ],
        coalesce,
    ),
    on(&[C::IdentityUse, C::DeployStarted], "prov.cluster", &["requestParameters.cluster"], tail),
    // Secrets: paths and names, never values.
    on(SECRET, "store_kind", &["eventSource"], store_kind),
    on(
        SECRET, "secret",
        &[
            "requestParameters.secretId", "requestParameters.secretIdList", "requestParameters.names",
            "requestParameters.name", "requestParameters.path",
        ],
        secret,
    ),
    on(
        &[C::SecretAccess, C::SecretList], "auth_role",
        &["userIdentity.sessionContext.sessionIssuer.userName"],
        coalesce,
    ),
    on(&[C::SecretRotated], "fp", &["requestParameters.secretId", "requestParameters.name"], secret),
    on(
        &[C::SecretAdmin], "object",
        &["requestParameters.secretId", "requestParameters.name", "requestParameters.names"],
        secret,
    ),
    on(&[C::SecretAdmin], "object_kind", &["eventSource"], store_kind),
    // Keys: the ARN from the resources, since requests name keys by alias as well.
    on(KEYS, "key", &["resources.ARN", "requestParameters.keyId", "responseElements.keyMetadata.arn"], fields::key),
    on(&[C::KmsAdmin, C::KmsSign], "op", &["eventName"], coalesce),
    // The registry.
    on(REGISTRY, "repo", &["requestParameters.repositoryName"], coalesce),
    on(
        &[C::RegistryPush, C::RegistryPull, C::RegistryDelete], "tag",
        &[
            "requestParameters.imageTag", "requestParameters.imageIds.imageTag",
            "responseElements.image.imageId.imageTag",
        ],
        coalesce,
    ),
    on(
        &[C::RegistryPush, C::RegistryPull, C::RegistryDelete], "prov.digest",
        &[
            "responseElements.image.imageId.imageDigest", "requestParameters.imageDigest",
            "requestParameters.imageIds.imageDigest",
        ],
        coalesce,
    ),
    on(&[C::RegistryDelete], "kind", &["eventName"], repo_kind),
    on(ACL, "op", &["eventName"], coalesce),
    on(ACL, "immutable", &["requestParameters.imageTagMutability"], immutable),
    on(ACL, "public_grant", &["requestParameters.policyText"], is_public),
    on(ACL, "retention_cut", &["eventName"], retention_cut),
    on(ACL, "scan_off", &["requestParameters.imageScanningConfiguration.scanOnPush"], scan_off),
    // Deployments.
    on(DEPLOY, "op", &["eventName"], coalesce),
    on(
        DEPLOY, "prov.service",
        &[
            "requestParameters.service", "requestParameters.serviceName", "requestParameters.functionName",
            "requestParameters.family", "requestParameters.applicationName", "requestParameters.serviceArn",
        ],
        tail,
    ),
    on(
        DEPLOY, "prov.digest",
        &[
            "requestParameters.containerDefinitions.image", "requestParameters.imageUri",
            "requestParameters.code.imageUri",
        ],
        digests,
    ),
    // Administration of the account: trails, identities, trust.
    on(ADMIN, "object_kind", &["eventSource", "eventName"], object_kind),
    on(
        ADMIN, "object",
        &[
            "requestParameters.name", "requestParameters.trailName", "requestParameters.eventDataStore",
            "requestParameters.roleName", "requestParameters.userName", "requestParameters.groupName",
            "requestParameters.policyName", "requestParameters.policyArn", "requestParameters.openIDConnectProviderArn",
            "requestParameters.url", "recipientAccountId",
        ],
        text_of,
    ),
    on(
        ADMIN, "subject",
        &["requestParameters.userName", "requestParameters.roleName", "requestParameters.groupName"],
        text_of,
    ),
    on(ADMIN, "permission", &["requestParameters.policyArn", "requestParameters.policyName"], coalesce),
    on(ADMIN, "new", &["requestParameters.policyArn", "requestParameters.policyDocument"], coalesce),
    on(ADMIN, "issued_key", &["responseElements.accessKey.accessKeyId"], coalesce),
    on(ADMIN, "scope", &["eventSource"], account),
    on(&[C::RegistryPush], "immutable", &["errorCode"], image_gone),
];

#[cfg(test)]
mod tests {
    #[test]
    fn the_table_fills_model_fields_once() {
        crate::format::fill::tests::check(super::ROWS);
    }
}
