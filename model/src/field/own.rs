//! Own fields of secrets, identities, policies, scans, deployments, runtime and operations.
//!
//! Must never hold the value of a secret.

use super::{FieldDoc, boolean, float, integer, map, text, texts, time};
use crate::class::EventClass as C;

pub(super) const FIELDS: &[FieldDoc] =
    &[
        text(
            "store_kind",
            "aws_secrets_manager, aws_ssm, vault, kubernetes, github …",
            &[
                ("cloudtrail", "eventSource"),
                ("vault-audit", "the format"),
                ("github-audit", "the format"),
                ("gitlab-audit", "the format"),
                ("kubernetes-audit", "the format"),
            ],
        )
        .on(&[C::SecretAccess, C::SecretList, C::SecretLease, C::SecretRotated, C::SecretAdmin]),
        texts(
            "secret",
            "Path or name of the secret, never its value; several when one call reads several.",
            &[
                ("cloudtrail", "requestParameters.secretId, name, names, secretIdList"),
                ("vault-audit", "request.path"),
                ("kubernetes-audit", "objectRef.namespace, name"),
                ("gitlab-audit", "target_details of a variable or secret"),
            ],
        )
        .on(&[C::SecretAccess, C::SecretList, C::SecretLease, C::SecretRotated, C::SecretAdmin]),
        text("tier", "Tier of the secret: prod, staging, dev, from the inventory.", &[("enrichment", "inventory")])
            .on(&[C::SecretAccess, C::SecretList, C::SecretLease, C::SecretRotated, C::SecretAdmin]),
        text(
            "auth_role",
            "Role under which the store let the caller in.",
            &[("vault-audit", "auth.metadata.role, role_name"), ("cloudtrail", "sessionIssuer.userName")],
        )
        .on(&[C::SecretAccess, C::SecretList, C::SecretLease, C::SecretRotated, C::SecretAdmin]),
        integer(
            "ttl_s",
            "Life of the credential or lease that was issued or used.",
            &[
                ("vault-audit", "auth.token_ttl, response.auth.token_ttl"),
                ("cloudtrail", "requestParameters.durationSeconds"),
                ("kubernetes-audit", "requestObject.spec.expirationSeconds"),
                ("oidc-exchange", "expires_in"),
            ],
        )
        .unit("s")
        .on(&[C::SecretAccess, C::SecretLease, C::IdentityExchange, C::IdentityUse]),
        integer(
            "token_age_s",
            "Age of the credential that was used.",
            &[
                ("vault-audit", "auth.token_issue_time"),
                ("cloudtrail", "eventTime − sessionContext.attributes.creationDate"),
            ],
        )
        .unit("s")
        .on(&[C::SecretAccess, C::IdentityUse]),
        boolean(
            "canary",
            "The secret or credential is a decoy: nobody has a reason to touch it.",
            &[("enrichment", "list of decoys")],
        )
        .on(&[C::SecretAccess, C::SecretList, C::IdentityUse]),
        boolean("is_ci", "The credential belongs to a pipeline.", &[("enrichment", "list of CI identities")]).on(&[
            C::IdentityUse,
            C::SecretAccess,
            C::IdentityExchange,
        ]),
        text(
            "fp",
            "Fingerprint of the leaked, revoked or rotated credential, or the id of the finding.",
            &[
                ("github-audit", "repo and alert number, hashed_token"),
                ("cloudtrail", "requestParameters.accessKeyId, secretId"),
                ("github-webhook", "repository.html_url, alert.number"),
                ("gitlab-webhook", "object_attributes.url"),
                ("gitlab-audit", "target_type and target_id of a token"),
                ("vault-audit", "request.data.accessor, request.path"),
                ("kubernetes-audit", "objectRef.namespace, name"),
                ("secret-scan", "SHA-256 of Secret or Raw, else Fingerprint"),
            ],
        )
        .on(&[C::SecretFinding, C::SecretRotated, C::IdentityTokenRevoked, C::IdentityUse]),
        text(
            "where",
            "Where the secret was found: commit, log, artifact, issue.",
            &[("github-webhook", "location.type"), ("secret-scan", "Commit, SourceMetadata.Data")],
        )
        .on(&[C::SecretFinding]),
        text(
            "kind",
            "Kind of secret, scan, drift or deleted thing, in the source's word.",
            &[
                ("github-audit", "secret_type"),
                ("harbor", "event_data.retention.deleted_artifact.type"),
                ("github-webhook", "alert.secret_type"),
                ("gitlab-webhook", "object_attributes.report_type"),
                ("cdevents", "testCase.type"),
                ("ecr-eventbridge", "detail.artifact-media-type"),
                ("policy-report", "results.category"),
                ("argocd", "trigger"),
                ("flux", "involvedObject.kind"),
                ("secret-scan", "RuleID, DetectorName"),
                ("sarif", "automationDetails.id"),
            ],
        )
        .on(&[
            C::SecretFinding,
            C::ScanResult,
            C::ScanFinding,
            C::RuntimeConfigDrift,
            C::RegistryDelete,
            C::OpsChange,
            C::OpsMaintenance,
            C::OpsFreeze,
            C::OpsResponse,
        ]),
        boolean(
            "verified",
            "The secret was tried, or its issuer says that it is live.",
            &[("github-audit", "validity"), ("github-webhook", "alert.validity"), ("secret-scan", "Verified")],
        )
        .on(&[C::SecretFinding]),
        text(
            "role",
            "Role that was taken.",
            &[
                ("cloudtrail", "requestParameters.roleArn"),
                ("vault-audit", "auth.metadata.role"),
                ("kubernetes-audit", "objectRef.namespace, name"),
                ("oidc-exchange", "role, mapped_principal, servicePrincipalId"),
            ],
        )
        .on(&[C::IdentityExchange, C::IdentityUse]),
        text("role_class", "deployer, builder, signer, service, from the inventory.", &[("enrichment", "inventory")])
            .on(&[C::IdentityExchange, C::IdentityUse]),
        text(
            "sub",
            "Subject of the identity token that was shown.",
            &[
                ("cloudtrail", "responseElements.subjectFromWebIdentityToken, userIdentity.userName"),
                ("oidc-exchange", "sub, principalSubject"),
            ],
        )
        .on(&[C::IdentityExchange]),
        text(
            "aud",
            "Audience of the identity token.",
            &[
                ("cloudtrail", "responseElements.audience"),
                ("kubernetes-audit", "requestObject.spec.audiences"),
                ("oidc-exchange", "aud, audience, resourceId"),
            ],
        )
        .on(&[C::IdentityExchange]),
        map(
            "claims",
            "Claims of the identity token, by name.",
            &[("cloudtrail", "requestParameters.principalTags"), ("oidc-exchange", "subject_claims")],
        )
        .on(&[C::IdentityExchange]),
        text(
            "issued_key",
            "Id of the credential that was issued: the `prov.token_id` of what it does later.",
            &[
                ("cloudtrail", "responseElements.credentials.accessKeyId, accessKey.accessKeyId"),
                ("vault-audit", "response.auth.accessor"),
                ("kubernetes-audit", "annotations: issued-credential-id"),
                ("oidc-exchange", "issued_token_id, uniqueTokenIdentifier"),
            ],
        )
        .on(&[C::IdentityExchange, C::ScmAdmin]),
        text(
            "op_class",
            "Coarse class of the operation: service and read, write, decrypt, sign or exec \
        (`iam.write`, `kms.decrypt`, `ecs.exec`).",
            &[
                ("cloudtrail", "eventSource, eventName, readOnly"),
                ("github-audit", "action"),
                ("vault-audit", "request.path, request.operation"),
                ("kubernetes-audit", "verb, objectRef.subresource"),
            ],
        )
        .on(&[C::IdentityUse, C::SecretAccess, C::SecretList]),
        text("team_target", "Team that owns what was acted on.", &[("enrichment", "ownership map")])
            .on(&[C::IdentityUse]),
        boolean(
            "mfa",
            "A second factor was used.",
            &[
                ("cloudtrail", "additionalEventData.MFAUsed, sessionContext.attributes.mfaAuthenticated"),
                ("oidc-exchange", "mfa"),
            ],
        )
        .on(&[C::IdentityAuth, C::IdentityUse, C::IdentityExchange]),
        text("device", "Device as the identity provider names it.", &[("identity provider", "device id")])
            .attacker_controlled()
            .on(&[C::IdentityAuth, C::IdentityUse]),
        text(
            "rule",
            "Name of the policy or scan rule.",
            &[
                ("opa-decision-log", "path"),
                ("github-webhook", "alert.rule.id"),
                ("gitlab-audit", "target_details of a security policy"),
                ("policy-report", "results.policy, metadata.name"),
                ("kubernetes-audit", "objectRef.name, responseStatus.message"),
                ("falco", "rule"),
                ("sarif", "ruleId"),
            ],
        )
        .on(&[C::PolicyDecision, C::PolicyChange, C::ScanFinding]),
        text(
            "bundle_rev",
            "Revision of the policies that decided.",
            &[("opa-decision-log", "revision, bundles.NAME.revision")],
        )
        .on(&[C::PolicyDecision, C::PolicyChange]),
        float("eval_ms", "Time the decision took.", &[("opa-decision-log", "metrics.timer_rego_query_eval_ns")])
            .unit("ms")
            .on(&[C::PolicyDecision]),
        text("input_digest", "Digest of what was judged.", &[("opa-decision-log", "input")]).on(&[C::PolicyDecision]),
        boolean(
            "break_glass",
            "The refusal was overridden in an emergency.",
            &[
                ("kubernetes-audit", "requestObject: label or annotation break-glass"),
                ("gitlab-audit", "event_type of a bypass"),
                ("opa-decision-log", "result.break_glass"),
            ],
        )
        .on(&[C::PolicyDecision, C::DeployStarted]),
        text(
            "mode",
            "enforce, audit or off.",
            &[
                ("kubernetes-audit", "requestObject.spec: failureAction, enforcementAction, validationActions"),
                ("policy-report", "results.result, violations.enforcementAction"),
            ],
        )
        .on(&[C::PolicyDecision, C::PolicyChange]),
        text(
            "failure_policy",
            "Fail or Ignore: what happens when the engine does not answer.",
            &[("kubernetes-audit", "requestObject.webhooks.failurePolicy, requestObject.spec.failurePolicy")],
        )
        .on(&[C::PolicyChange]),
        text(
            "exception_scope",
            "What an exception covers.",
            &[("kubernetes-audit", "requestObject.spec.match: namespaces, names")],
        )
        .on(&[C::PolicyChange]),
        text(
            "tool",
            "Scanner that spoke.",
            &[
                ("cdevents", "testSuite"),
                ("github-webhook", "alert.tool.name"),
                ("gitlab-webhook", "object_attributes.report_type"),
                ("ecr-eventbridge", "source"),
                ("policy-report", "results.source"),
                ("falco", "source"),
                ("sarif", "tool.driver.name"),
                ("cyclonedx", "tools.name"),
                ("in-toto", "predicate.scanner.uri"),
            ],
        )
        .on(&[C::ScanResult, C::ScanFinding, C::VulnFinding]),
        text(
            "sev",
            "critical, high, medium, low, none.",
            &[
                ("ecr-eventbridge", "detail.finding-severity-counts, severity"),
                ("cyclonedx", "vulnerabilities.ratings.severity"),
                ("github-audit", "severity"),
                ("github-webhook", "alert.security_advisory.severity, alert.rule.security_severity_level"),
                ("gitlab-webhook", "object_attributes.severity"),
                ("cdevents", "severity"),
                ("policy-report", "results.severity"),
                ("falco", "priority"),
                ("sarif", "security-severity, level"),
            ],
        )
        .on(&[C::ScanFinding, C::VulnFinding, C::ScanResult]),
        text(
            "cve",
            "CVE or advisory id.",
            &[
                ("github-audit", "cve_id, ghsa_id"),
                ("cyclonedx", "vulnerabilities.id"),
                ("github-webhook", "alert.security_advisory.cve_id, ghsa_id"),
                ("gitlab-webhook", "object_attributes.identifiers.external_id"),
                ("ecr-eventbridge", "detail.packageVulnerabilityDetails.vulnerabilityId"),
                ("osv", "id"),
                ("sarif", "ruleId"),
            ],
        )
        .on(&[C::VulnFinding, C::ThreatIntel]),
        boolean("kev", "Known to be exploited.", &[("enrichment", "catalogue of exploited vulnerabilities")])
            .on(&[C::VulnFinding]),
        boolean(
            "dismissed",
            "Somebody closed the finding without a fix.",
            &[
                ("github-audit", "repository_vulnerability_alert.dismiss"),
                ("github-webhook", "alert.state"),
                ("gitlab-webhook", "object_attributes.state"),
                ("sarif", "suppressions"),
                ("cyclonedx", "analysis.state"),
            ],
        )
        .on(&[C::VulnFinding, C::ScanFinding]),
        boolean("critical", "The scan guards a release.", &[("enrichment", "scan inventory")]).on(&[C::ScanResult]),
        boolean("applied", "What the finding is about is live already.", &[("enrichment", "drift")])
            .on(&[C::ScanFinding]),
        text(
            "db_version",
            "Version of the scanner's data.",
            &[
                ("enrichment", "scan inventory"),
                ("sarif", "tool.extensions.version"),
                ("in-toto", "predicate.scanner.db.version"),
            ],
        )
        .on(&[C::ScanResult]),
        text("exposure", "internet or internal, from the inventory.", &[("enrichment", "inventory")])
            .on(&[C::DeployStarted, C::DeployFinished]),
        text("approved_hash", "Hash of the plan that was approved.", &[("iac", "plan")]).on(&[C::IacPlan, C::IacApply]),
        text("hash", "Hash of the plan that was made or applied.", &[("iac", "plan, apply")])
            .on(&[C::IacPlan, C::IacApply]),
        boolean("exe_upper_layer", "The executable is not part of the image.", &[("falco", "proc.is_exe_upper_layer")])
            .on(&[C::RuntimeIntegrity]),
        text(
            "node",
            "Machine on which the sensor runs.",
            &[("falco", "hostname"), ("kubernetes-audit", "requestObject.spec.nodeName")],
        )
        .on(&[C::RuntimeInventory, C::RuntimeHeartbeat, C::RunnerHeartbeat, C::RunnerAgent]),
        text(
            "resource",
            "`kind/namespace/name` of the resource.",
            &[("argocd", "metadata.namespace, name"), ("flux", "involvedObject")],
        )
        .on(&[C::RuntimeConfigDrift, C::RuntimeReconciled, C::ScanFinding]),
        text("purl", "Bad package, without version.", &[("osv", "affected.package")]).on(&[C::ThreatIntel]),
        texts("versions", "Its bad versions; `*`: all.", &[("osv", "affected.versions, ranges")]).on(&[C::ThreatIntel]),
        text("sha", "Bad commit or digest.", &[("threat feed", "sha")]).on(&[C::ThreatIntel]),
        text("domain", "Bad domain.", &[("threat feed", "domain")]).on(&[C::ThreatIntel]),
        text(
            "source",
            "Who says so. The source of the event is `event.source`.",
            &[("osv", "database_specific.malicious-packages-origins.source, id")],
        )
        .on(&[C::ThreatIntel]),
        time("valid_from", "From when it is bad.", &[("osv", "published")])
            .unit("ms since 1970-01-01 UTC")
            .on(&[C::ThreatIntel]),
        time("from", "Start of the window.", &[("ops", "from")]).unit("ms since 1970-01-01 UTC").on(&[
            C::OpsChange,
            C::OpsMaintenance,
            C::OpsFreeze,
            C::OpsHealth,
        ]),
        time("to", "End of the window.", &[("ops", "to")]).unit("ms since 1970-01-01 UTC").on(&[
            C::OpsChange,
            C::OpsMaintenance,
            C::OpsFreeze,
            C::OpsHealth,
        ]),
        text("campaign", "Id of the announced campaign.", &[("ops", "campaign")]).on(&[C::OpsChange]),
        texts("rule_id", "Id and name of the rule.", &[("pipewarden", "alert")]).on(&[C::Alert, C::Anomaly, C::Signal]),
        texts("rule_tags", "Tags of the rule.", &[("pipewarden", "alert")]).on(&[C::Alert, C::Anomaly, C::Signal]),
        text("detector", "The rule's `algo`.", &[("pipewarden", "anomaly")]).on(&[C::Anomaly, C::Alert]),
        float("score", "How remarkable; each detector says of what.", &[("pipewarden", "anomaly")]).on(&[C::Anomaly]),
        text("route", "page or ticket.", &[("pipewarden", "alert")]).on(&[C::Alert]),
        integer("risk", "Risk points.", &[("pipewarden", "alert")]).on(&[C::Alert, C::Signal]),
        text("fingerprint", "Fingerprint of the alert.", &[("pipewarden", "alert")]).on(&[C::Alert, C::Signal]),
        text("incident", "Incident the alert belongs to.", &[("pipewarden", "alert")]).on(&[C::Alert, C::OpsResponse]),
        texts("evidence", "Ids of the events that made it.", &[("pipewarden", "alert")]).on(&[C::Alert, C::Anomaly]),
        text("explain", "Why, in words for the reader of the alert.", &[("pipewarden", "alert")])
            .on(&[C::Alert, C::Anomaly]),
        float("baseline", "What was expected.", &[("pipewarden", "anomaly")]).on(&[C::Anomaly]),
        float("observed", "What was seen, as a number.", &[("pipewarden", "anomaly")]).on(&[C::Anomaly]),
        float("p", "Probability of as much or more.", &[("pipewarden", "anomaly")]).on(&[C::Anomaly]),
    ];
