//! AWS CloudTrail.

use super::{Expected, check};

#[rustfmt::skip]
const CLOUDTRAIL: &[Expected] = &[
    Expected("invictus.AssumeRole.json", 0, "identity.exchange", "AssumeRole", "denied", &[
        "reason=AccessDenied", "issued_key=", "role=", "prov.token_kind=static_key", "src.ip=192.168.10.20",
        "prov.actor_id=arn:aws:iam::123837392027:user/bert-jan", "prov.actor_kind=human"]),
    Expected("invictus.ConsoleLogin.json", 0, "identity.auth", "ConsoleLogin", "success", &["mfa=false", "prov.token_id="]),
    Expected("invictus.Decrypt.json", 0, "identity.use", "Decrypt", "success", &[
        "op_class=kms.decrypt", "src.service=secretsmanager.amazonaws.com", "src.ip=", "prov.token_kind=session",
        "prov.actor_id=arn:aws:iam::123837392027:user/bert-jan", "token_age_s=1", "mfa=false",
        "key=arn:aws:kms:us-east-1:123837392027:key/dad21b23-9915-42bd-981b-2a9f3c8f20c8"]),
    Expected("invictus.GetParameter.json", 0, "secret.access", "GetParameter", "success", &[
        "secret=/credentials/stratus-red-team/credentials-30", "store_kind=aws_ssm", "ua_family=terraform"]),
    Expected("invictus.GetSecretValue.json", 0, "secret.access", "GetSecretValue", "success", &[
        "secret=stratus-red-team-retrieve-secret-15", "store_kind=aws_secrets_manager", "prov.token_kind=static_key"]),
    Expected("invictus.PutParameter.json", 0, "secret.admin", "created", "success", &[
        "secret=/credentials/stratus-red-team/credentials-5", "object=/credentials/stratus-red-team/credentials-5"]),
    Expected("stratus.AssumeRole.json", 0, "identity.exchange", "AssumeRole", "success", &[
        "issued_key=ASIA7RQR64ZW9EXAMPLE", "ttl_s=900", "prov.session=", "prov.region=apiso-northsouth-3r",
        "role=arn:aws:iam::457448411975:role/stratus-red-team-ec2-get-password-data-role"]),
    Expected("stratus.BatchGetSecretValue.json", 0, "secret.access", "BatchGetSecretValue", "success", &[
        "secret=", "prov.actor=christophe", "ua_family=stratus-red-team"]),
    Expected("stratus.CreateAccessKey.json", 0, "scm.admin", "CreateAccessKey", "success", &[
        "object_kind=access_key", "subject=stratus-red-team-backdoor-u-user", "issued_key=AKIAL80DWDVKKEXAMPLE", "scope=account"]),
    Expected("stratus.CreateTrustAnchor.json", 0, "scm.admin", "CreateTrustAnchor", "success", &[
        "object_kind=trust_anchor", "object=malicious-rolesanywhere-trust-anchor"]),
    Expected("stratus.DeleteTrail.json", 0, "scm.admin", "audit_log_streaming.destroy", "success", &[
        "object_kind=audit_stream", "object=stratus-red-team-cloudtraild-trail-kvrwohmiai"]),
    Expected("stratus.DescribeParameters.json", 0, "secret.list", "DescribeParameters", "success", &["store_kind=aws_ssm"]),
    Expected("stratus.GetCallerIdentity.json", 0, "identity.use", "GetCallerIdentity", "success", &[
        "op_class=sts.read", "prov.actor=stratus-red-team-ec2-steal-credentials-role", "token_age_s=183",
        "prov.actor_id=arn:aws:iam::017622104382:role/stratus-red-team-ec2-steal-credentials-role",
        "prov.session=AROALHCCSKSM395EGX3XN:i-786a3A8B5C0d92eF4", "prov.actor_kind=workload", "src.ip=18.236.253.47"]),
    Expected("stratus.GetFederationToken.json", 0, "identity.exchange", "GetFederationToken", "success", &["issued_key=ASIASTJKC5GCMEXAMPLE"]),
    Expected("stratus.GetParameters.json", 0, "secret.access", "GetParameters", "success", &["store_kind=aws_ssm", "canary="]),
    Expected("stratus.GetPasswordData.json", 0, "identity.use", "GetPasswordData", "denied", &[
        "op_class=ec2.read", "reason=Client.UnauthorizedOperation", "token_age_s=6",
        "prov.actor_id=arn:aws:iam::457448411975:role/stratus-red-team-ec2-get-password-data-role"]),
    Expected("stratus.GetSecretValue.json", 0, "secret.access", "GetSecretValue", "success", &["secret=stratus-red-team-retrieve-secret-18"]),
    Expected("stratus.ListSecrets.json", 0, "secret.list", "ListSecrets", "success", &["store_kind=aws_secrets_manager", "op=ListSecrets"]),
    Expected("stratus.StopLogging.json", 0, "scm.admin", "audit_log_streaming.stop", "success", &[
        "object_kind=audit_stream", "object=stratus-red-team-ct-stop-trail-buykxbqejv"]),
    Expected("stratus.UpdateAssumeRolePolicy.json", 0, "scm.admin", "UpdateAssumeRolePolicy", "success", &[
        "object_kind=iam_role_trust", "object=stratus-red-team-backdoor-r-role"]),
];

#[test]
fn cloudtrail() {
    check("cloudtrail", CLOUDTRAIL);
}
