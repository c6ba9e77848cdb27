//! Which class a CloudTrail event is of, by the service and the call.
//!
//! What the table does not name is `identity.use`: somebody's credential did something. Must never read who called.

use EventClass as C;
use model::{EventClass, Verdict};

use crate::format::{Class, Classified, Inputs};

/// What [`classify`] reads, in its order.
pub(super) const PATHS: &[&str] = &[
    "eventName",
    "eventSource",
    "errorCode",
    "readOnly",
    "eventCategory",
    "responseElements.ConsoleLogin",
    "requestParameters.withDecryption",
    "requestParameters.type",
    "requestParameters.overwrite",
    "requestParameters.status",
    "requestParameters.resourcePolicy",
];

/// (service, call, class, our action; empty: the call's own name). Sorted.
#[rustfmt::skip]
const TABLE: &[(&str, &str, EventClass, &str)] = &[
    ("apprunner", "StartDeployment", C::DeployStarted, ""),
    ("cloudformation", "CreateChangeSet", C::IacPlan, ""),
    ("cloudformation", "CreateStack", C::IacApply, ""),
    ("cloudformation", "DeleteStack", C::IacApply, ""),
    ("cloudformation", "ExecuteChangeSet", C::IacApply, ""),
    ("cloudformation", "UpdateStack", C::IacApply, ""),
    // The account's audit trail is an audit stream like any other: one rule names them all by object_kind and the
    // action's ending, whatever system the stream belongs to.
    ("cloudtrail", "CreateTrail", C::ScmAdmin, "audit_log_streaming.create"),
    ("cloudtrail", "DeleteEventDataStore", C::ScmAdmin, "audit_log_streaming.destroy"),
    ("cloudtrail", "DeleteTrail", C::ScmAdmin, "audit_log_streaming.destroy"),
    ("cloudtrail", "PutEventSelectors", C::ScmAdmin, "audit_log_streaming.update"),
    ("cloudtrail", "PutInsightSelectors", C::ScmAdmin, "audit_log_streaming.update"),
    ("cloudtrail", "StartLogging", C::ScmAdmin, "audit_log_streaming.start"),
    ("cloudtrail", "StopEventDataStoreIngestion", C::ScmAdmin, "audit_log_streaming.stop"),
    ("cloudtrail", "StopLogging", C::ScmAdmin, "audit_log_streaming.stop"),
    ("cloudtrail", "UpdateEventDataStore", C::ScmAdmin, "audit_log_streaming.update"),
    ("cloudtrail", "UpdateTrail", C::ScmAdmin, "audit_log_streaming.update"),
    ("codedeploy", "CreateDeployment", C::DeployStarted, ""),
    ("ec2-instance-connect", "SendSSHPublicKey", C::IdentityUse, "exec"),
    ("ec2-instance-connect", "SendSerialConsoleSSHPublicKey", C::IdentityUse, "exec"),
    ("ecr", "BatchDeleteImage", C::RegistryDelete, ""),
    ("ecr", "BatchGetImage", C::RegistryPull, ""),
    ("ecr", "CreateRepository", C::RegistryAcl, ""),
    ("ecr", "DeleteLifecyclePolicy", C::RegistryAcl, ""),
    ("ecr", "DeleteRegistryPolicy", C::RegistryAcl, ""),
    ("ecr", "DeleteRepository", C::RegistryDelete, ""),
    ("ecr", "DeleteRepositoryPolicy", C::RegistryAcl, ""),
    ("ecr", "GetDownloadUrlForLayer", C::RegistryPull, ""),
    ("ecr", "PutImage", C::RegistryPush, ""),
    ("ecr", "PutImageScanningConfiguration", C::RegistryAcl, ""),
    ("ecr", "PutImageTagMutability", C::RegistryAcl, ""),
    ("ecr", "PutLifecyclePolicy", C::RegistryAcl, ""),
    ("ecr", "PutRegistryPolicy", C::RegistryAcl, ""),
    ("ecr", "PutRegistryScanningConfiguration", C::RegistryAcl, ""),
    ("ecr", "PutReplicationConfiguration", C::RegistryAcl, ""),
    ("ecr", "SetRepositoryPolicy", C::RegistryAcl, ""),
    ("ecs", "CreateService", C::DeployStarted, ""),
    ("ecs", "ExecuteCommand", C::IdentityUse, "exec"),
    ("ecs", "RegisterTaskDefinition", C::DeployStarted, ""),
    ("ecs", "RunTask", C::DeployStarted, ""),
    ("ecs", "UpdateService", C::DeployStarted, ""),
    ("iam", "DeleteAccessKey", C::IdentityTokenRevoked, ""),
    ("kms", "CancelKeyDeletion", C::KmsAdmin, "cancel_delete"),
    ("kms", "CreateAlias", C::KmsAdmin, "alias"),
    ("kms", "CreateGrant", C::KmsAdmin, "grant"),
    ("kms", "CreateKey", C::KmsAdmin, "create"),
    ("kms", "DeleteAlias", C::KmsAdmin, "alias"),
    ("kms", "DeleteImportedKeyMaterial", C::KmsAdmin, "delete_material"),
    ("kms", "DisableKey", C::KmsAdmin, "disable"),
    ("kms", "DisableKeyRotation", C::KmsAdmin, "rotation_off"),
    ("kms", "EnableKey", C::KmsAdmin, "enable"),
    ("kms", "EnableKeyRotation", C::KmsAdmin, "rotation_on"),
    ("kms", "ImportKeyMaterial", C::KmsAdmin, "import"),
    ("kms", "PutKeyPolicy", C::KmsAdmin, "policy"),
    ("kms", "ReplicateKey", C::KmsAdmin, "export"),
    ("kms", "RetireGrant", C::KmsAdmin, "grant"),
    ("kms", "RevokeGrant", C::KmsAdmin, "grant"),
    ("kms", "ScheduleKeyDeletion", C::KmsAdmin, "schedule_delete"),
    ("kms", "Sign", C::KmsSign, "sign"),
    ("kms", "UpdateAlias", C::KmsAdmin, "alias"),
    ("lambda", "CreateFunction", C::DeployStarted, ""),
    ("lambda", "UpdateAlias", C::DeployStarted, ""),
    ("lambda", "UpdateFunctionCode", C::DeployStarted, ""),
    ("secretsmanager", "BatchGetSecretValue", C::SecretAccess, ""),
    ("secretsmanager", "CancelRotateSecret", C::SecretAdmin, "rotation_off"),
    ("secretsmanager", "CreateSecret", C::SecretAdmin, "created"),
    ("secretsmanager", "DeleteResourcePolicy", C::SecretAdmin, "policy_changed"),
    ("secretsmanager", "DeleteSecret", C::SecretAdmin, "deleted"),
    ("secretsmanager", "DescribeSecret", C::SecretList, ""),
    ("secretsmanager", "GetResourcePolicy", C::SecretList, ""),
    ("secretsmanager", "GetSecretValue", C::SecretAccess, ""),
    ("secretsmanager", "ListSecretVersionIds", C::SecretList, ""),
    ("secretsmanager", "ListSecrets", C::SecretList, ""),
    ("secretsmanager", "PutResourcePolicy", C::SecretAdmin, "policy_changed"),
    ("secretsmanager", "PutSecretValue", C::SecretRotated, "rotated"),
    ("secretsmanager", "RemoveRegionsFromReplication", C::SecretAdmin, "updated"),
    ("secretsmanager", "ReplicateSecretToRegions", C::SecretAdmin, "updated"),
    ("secretsmanager", "RestoreSecret", C::SecretAdmin, "restored"),
    ("secretsmanager", "RotateSecret", C::SecretRotated, "rotated"),
    ("secretsmanager", "UpdateSecret", C::SecretAdmin, "updated"),
    ("secretsmanager", "UpdateSecretVersionStage", C::SecretAdmin, "updated"),
    ("signin", "CheckMfa", C::IdentityAuth, ""),
    ("signin", "ConsoleLogin", C::IdentityAuth, ""),
    ("signin", "SwitchRole", C::IdentityAuth, ""),
    ("ssm", "DeleteParameter", C::SecretAdmin, "deleted"),
    ("ssm", "DeleteParameters", C::SecretAdmin, "deleted"),
    ("ssm", "DescribeParameters", C::SecretList, ""),
    ("ssm", "SendCommand", C::IdentityUse, "exec"),
    ("ssm", "StartSession", C::IdentityUse, "exec"),
    ("sso", "Authenticate", C::IdentityAuth, ""),
    ("sso", "Federate", C::IdentityAuth, ""),
    ("sso", "GetRoleCredentials", C::IdentityExchange, ""),
    ("sts", "AssumeRole", C::IdentityExchange, ""),
    ("sts", "AssumeRoleWithSAML", C::IdentityExchange, ""),
    ("sts", "AssumeRoleWithWebIdentity", C::IdentityExchange, ""),
    ("sts", "AssumeRoot", C::IdentityExchange, ""),
    ("sts", "GetFederationToken", C::IdentityExchange, ""),
    ("sts", "GetSessionToken", C::IdentityExchange, ""),
];

/// Services whose every write changes who may do what. The model has one class for such changes, `scm.admin`.
const ADMIN_SERVICES: &[&str] = &["iam", "identitystore", "organizations", "rolesanywhere", "sso", "sso-directory"];

/// Insight events summarise other events and name nobody: they are filtered.
pub(super) fn classify(inputs: &Inputs<'_>) -> Classified {
    let (Some(call), Some(source)) = (inputs.text(0), inputs.text(1)) else {
        return Classified::Invalid("no `eventName` or `eventSource`");
    };
    if inputs.text(4) == Some("Insight") {
        return Classified::Filtered;
    }
    let (service, call) = (service_of(source), call_of(call));
    let (class, action) = special(service, call, inputs).unwrap_or_else(|| class_of(service, call, inputs.bool(3)));
    Classified::Event(Class { class, action, verdict: verdict(inputs.text(2), inputs.text(5)) })
}

/// `ecr-public.amazonaws.com` → `ecr`, `kms.amazonaws.com` → `kms`.
pub(super) fn service_of(source: &str) -> &str {
    match source.split('.').next().unwrap_or(source) {
        "ecr-public" => "ecr",
        service => service,
    }
}

/// Lambda puts its API version behind the call: `UpdateFunctionCode20150331v2`.
pub(super) fn call_of(call: &str) -> &str {
    call.split_once("20").map_or(call, |(name, _)| name)
}

fn class_of(service: &str, call: &str, read_only: Option<bool>) -> (EventClass, &'static str) {
    if let Ok(at) = TABLE.binary_search_by(|(s, c, ..)| (*s, *c).cmp(&(service, call))) {
        return TABLE.get(at).map_or((C::IdentityUse, ""), |&(.., class, action)| (class, action));
    }
    match read_only {
        Some(true) => (C::IdentityUse, ""),
        _ if ADMIN_SERVICES.contains(&service) => (C::ScmAdmin, ""),
        _ => (C::IdentityUse, ""),
    }
}

/// Calls whose class depends on how they were made.
fn special(service: &str, call: &str, inputs: &Inputs<'_>) -> Option<(EventClass, &'static str)> {
    let plain = matches!(inputs.text(7), Some("String" | "StringList"));
    match (service, call) {
        // Without decryption a parameter's secret value stays closed.
        ("ssm", "GetParameter" | "GetParameters" | "GetParametersByPath" | "GetParameterHistory") => {
            Some(if inputs.bool(6) == Some(true) { (C::SecretAccess, "") } else { (C::IdentityUse, "") })
        }
        ("ssm", "PutParameter") if plain => Some((C::IdentityUse, "")),
        ("ssm", "PutParameter") if inputs.bool(8) == Some(true) => Some((C::SecretRotated, "rotated")),
        ("ssm", "PutParameter") => Some((C::SecretAdmin, "created")),
        ("secretsmanager", "PutResourcePolicy") if inputs.text(10).is_some_and(grants_everybody) => {
            Some((C::SecretAdmin, "policy_widened"))
        }
        ("iam", "UpdateAccessKey") if inputs.text(9) == Some("Inactive") => Some((C::IdentityTokenRevoked, "")),
        _ => None,
    }
}

/// The policy document allows a principal `*`. A document with a condition beside it is taken at its worst.
pub(super) fn grants_everybody(policy: &str) -> bool {
    let bare: String = policy.chars().filter(|c| !c.is_whitespace()).collect();
    bare.contains(r#""Effect":"Allow""#)
        && [r#""Principal":"*""#, r#""Principal":["*"]"#, r#""AWS":"*""#, r#""AWS":["*"]"#]
            .iter()
            .any(|everybody| bare.contains(everybody))
}

const DENIED: &[&str] = &["AccessDenied", "Unauthorized", "NotAuthorized", "Forbidden", "AuthFailure"];
const FAULTS: &[&str] = &["InternalFailure", "InternalError", "InternalService", "ServiceUnavailable", "Throttl"];

/// No error is success; a console sign-in says it elsewhere.
fn verdict(error: Option<&str>, sign_in: Option<&str>) -> Verdict {
    let says = |words: &[&str], error: &str| words.iter().any(|word| error.contains(word));
    match (error, sign_in) {
        (Some(error), _) if says(DENIED, error) => Verdict::Denied,
        (Some(error), _) if says(FAULTS, error) => Verdict::Error,
        (Some(_), _) | (None, Some("Failure")) => Verdict::Failure,
        (None, _) => Verdict::Success,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_can_be_searched() {
        assert!(TABLE.windows(2).all(|pair| (pair[0].0, pair[0].1) < (pair[1].0, pair[1].1)), "sorted, each once");
    }

    #[test]
    fn calls_have_classes() {
        assert_eq!(class_of("lambda", call_of("UpdateFunctionCode20150331v2"), Some(false)), (C::DeployStarted, ""));
        assert_eq!(class_of("iam", "AttachRolePolicy", Some(false)), (C::ScmAdmin, ""));
        assert_eq!(class_of("iam", "ListUsers", Some(true)), (C::IdentityUse, ""));
        assert_eq!(class_of("kms", "Decrypt", Some(true)), (C::IdentityUse, ""));
        assert_eq!(class_of(service_of("ecr-public.amazonaws.com"), "PutImage", None), (C::RegistryPush, ""));
    }

    #[test]
    fn errors_have_verdicts() {
        assert_eq!(verdict(Some("Client.UnauthorizedOperation"), None), Verdict::Denied);
        assert_eq!(verdict(Some("ThrottlingException"), None), Verdict::Error);
        assert_eq!(verdict(Some("ResourceNotFoundException"), None), Verdict::Failure);
        assert_eq!(verdict(None, Some("Failure")), Verdict::Failure);
        assert_eq!(verdict(None, Some("Success")), Verdict::Success);
    }

    #[test]
    fn policies_for_everybody_are_seen() {
        assert!(grants_everybody(r#"{"Statement":[{"Effect": "Allow", "Principal": {"AWS": "*"}}]}"#));
        assert!(!grants_everybody(r#"{"Statement":[{"Effect": "Deny", "Principal": "*"}]}"#));
    }
}
