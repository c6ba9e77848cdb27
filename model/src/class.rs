//! The classes of events: what kind of thing happened. A class is a rule's logsource category; what was done is the
//! event's action, a field.
//!
//! Must never tell classes apart by source: the same thing done in two systems has one class.

use serde::{Deserialize, Serialize, Serializer};

/// What kind of thing happened. The dotted name is the category of a rule's logsource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)]
pub enum EventClass {
    ScmPush,
    ScmChange,
    ScmRef,
    ScmAccess,
    ScmAdmin,
    CiRun,
    CiJob,
    CiRunner,
    CiCache,
    RunnerProcess,
    RunnerFile,
    RunnerNet,
    RunnerAgent,
    RunnerHeartbeat,
    BuildFinished,
    SbomGenerated,
    SignSignature,
    SignAttestation,
    RekorEntry,
    KmsSign,
    KmsAdmin,
    VerifySignature,
    VerifyRebuild,
    RegistryPush,
    RegistryPull,
    RegistryDelete,
    RegistryAcl,
    RegistryPublish,
    RegistryRequest,
    SecretAccess,
    SecretList,
    SecretLease,
    SecretRotated,
    SecretAdmin,
    SecretFinding,
    IdentityExchange,
    IdentityAuth,
    IdentityUse,
    IdentityTokenRevoked,
    PolicyDecision,
    PolicyChange,
    ScanResult,
    ScanFinding,
    VulnFinding,
    DeployStarted,
    DeployFinished,
    DeployRolledback,
    DeployCanary,
    IacPlan,
    IacApply,
    RuntimeIntegrity,
    RuntimeInventory,
    RuntimeNet,
    RuntimeConfigDrift,
    RuntimeReconciled,
    RuntimeHeartbeat,
    ThreatIntel,
    OpsChange,
    OpsMaintenance,
    OpsFreeze,
    OpsResponse,
    Alert,
    Anomaly,
    Signal,
}

/// What the model says about one class.
struct ClassDoc {
    class: EventClass,
    name: &'static str,
    cdevents: Option<&'static str>,
    ocsf_uid: Option<u32>,
    doc: &'static str,
}

const fn row(
    class: EventClass,
    name: &'static str,
    cdevents: Option<&'static str>,
    ocsf_uid: Option<u32>,
    doc: &'static str,
) -> ClassDoc {
    ClassDoc { class, name, cdevents, ocsf_uid, doc }
}

use EventClass as C;

/// One row for each class, in the order of the enum.
const TABLE: &[ClassDoc] = &[
    row(C::ScmPush, "scm.push", Some("change.updated"), Some(6003), "commits arrived on a branch or tag"),
    row(
        C::ScmChange,
        "scm.change",
        Some("change.created"),
        Some(6003),
        "a pull or merge request: `opened`, `reviewed`, `merged`, `closed`",
    ),
    row(C::ScmRef, "scm.ref", Some("branch.created"), Some(6003), "a branch or tag: `created`, `moved`, `deleted`"),
    row(C::ScmAccess, "scm.access", None, Some(6006), "source code was read: `clone`, `fetch`, `zip`"),
    row(
        C::ScmAdmin,
        "scm.admin",
        Some("repository.modified"),
        Some(3004),
        "a setting, grant or guard was changed in source control, in CI or in the cloud account under them; \
        the action is \"kind.verb\"",
    ),
    row(
        C::CiRun,
        "ci.run",
        Some("pipelineRun.finished"),
        Some(6003),
        "a pipeline run: `requested`, `started`, `finished`, `approved`, `cancelled`, `deleted`",
    ),
    row(C::CiJob, "ci.job", Some("taskRun.finished"), Some(6003), "a job of a run: `started`, `step`, `finished`"),
    row(
        C::CiRunner,
        "ci.runner",
        None,
        Some(3004),
        "a runner: `registered`, `removed`, `updated`, `online`, `offline`, `reimaged`",
    ),
    row(C::CiCache, "ci.cache", None, Some(6006), "a build cache entry: `saved`, `restored`"),
    row(
        C::RunnerProcess,
        "runner.process",
        None,
        Some(1007),
        "a process on a runner: `start`, `end`, or one that reads another's memory",
    ),
    row(C::RunnerFile, "runner.file", None, Some(1001), "a file written, renamed or deleted on a runner"),
    row(C::RunnerNet, "runner.net", None, Some(4001), "a connection or name look-up by a runner"),
    row(C::RunnerAgent, "runner.agent", None, Some(1007), "the sensor on a runner itself: `start`, `stop`, `tamper`"),
    row(C::RunnerHeartbeat, "runner.heartbeat", None, None, "the sensor on a runner is alive"),
    row(
        C::BuildFinished,
        "build.finished",
        Some("build.finished"),
        Some(6003),
        "a build ended, with what it made and of what",
    ),
    row(
        C::SbomGenerated,
        "sbom.generated",
        Some("artifact.packaged"),
        Some(5020),
        "a list of an artifact's components was made",
    ),
    row(C::SignSignature, "sign.signature", Some("artifact.signed"), Some(6003), "an artifact was signed"),
    row(
        C::SignAttestation,
        "sign.attestation",
        None,
        Some(6003),
        "a statement about an artifact (provenance, test result) was signed",
    ),
    row(C::RekorEntry, "rekor.entry", None, Some(6003), "an entry appeared in a transparency log"),
    row(C::KmsSign, "kms.sign", None, Some(6003), "a managed key made a signature"),
    row(
        C::KmsAdmin,
        "kms.admin",
        None,
        Some(3004),
        "a managed key was `create`d, `import`ed, `export`ed, `disable`d, `enable`d, its `policy` changed, \
        its deletion planned (`schedule_delete`) …",
    ),
    row(C::VerifySignature, "verify.signature", None, Some(2003), "a signature or attestation was checked"),
    row(C::VerifyRebuild, "verify.rebuild", None, Some(2003), "an artifact was built again and compared"),
    row(C::RegistryPush, "registry.push", Some("artifact.published"), Some(6005), "an image or package was uploaded"),
    row(
        C::RegistryPull,
        "registry.pull",
        Some("artifact.downloaded"),
        Some(6005),
        "an image or package was downloaded",
    ),
    row(
        C::RegistryDelete,
        "registry.delete",
        Some("artifact.deleted"),
        Some(6005),
        "an image, package or attestation was deleted",
    ),
    row(C::RegistryAcl, "registry.acl", None, Some(6005), "a registry's permissions or guards were changed"),
    row(
        C::RegistryPublish,
        "registry.publish",
        Some("artifact.published"),
        Some(6005),
        "a version of a package became public",
    ),
    row(C::RegistryRequest, "registry.request", None, Some(6005), "one request to a registry, for availability"),
    row(C::SecretAccess, "secret.access", None, Some(6005), "a secret's value was read"),
    row(C::SecretList, "secret.list", None, Some(6005), "secrets were listed or described, without values"),
    row(C::SecretLease, "secret.lease", None, Some(6005), "a short-lived secret was issued or renewed"),
    row(C::SecretRotated, "secret.rotated", None, Some(6005), "a secret got a new value"),
    row(
        C::SecretAdmin,
        "secret.admin",
        None,
        Some(3004),
        "a secret or its store's guards were changed: `created`, `deleted`, `restored`, `updated`, \
        `policy_widened`, `policy_changed`, `audit_device_disabled`, `env_protection_removed` …",
    ),
    row(
        C::SecretFinding,
        "secret.finding",
        None,
        Some(2007),
        "a secret was found where it must not be: `opened`, `resolved`, `reopened`, `bypassed`",
    ),
    row(
        C::IdentityExchange,
        "identity.exchange",
        None,
        Some(3002),
        "an identity was exchanged for a credential of another",
    ),
    row(C::IdentityAuth, "identity.auth", None, Some(3002), "somebody signed in, or tried"),
    row(
        C::IdentityUse,
        "identity.use",
        None,
        Some(6003),
        "a credential was used for an operation that has no class of its own",
    ),
    row(
        C::IdentityTokenRevoked,
        "identity.token.revoked",
        None,
        Some(3002),
        "a credential was revoked, expired or deleted",
    ),
    row(C::PolicyDecision, "policy.decision", None, Some(2003), "a policy engine allowed or refused"),
    row(
        C::PolicyChange,
        "policy.change",
        None,
        Some(5019),
        "a policy, its mode, its webhook or an exception was `created`, `updated` or `deleted`",
    ),
    row(C::ScanResult, "scan.result", Some("testSuiteRun.finished"), Some(6007), "a security scan ended"),
    row(
        C::ScanFinding,
        "scan.finding",
        None,
        Some(2002),
        "a security scan found something other than a known vulnerability: `opened`, `closed`, `dismissed`",
    ),
    row(C::VulnFinding, "vuln.finding", None, Some(2002), "a known vulnerability: `opened`, `closed`, `dismissed`"),
    row(
        C::DeployStarted,
        "deploy.started",
        Some("service.upgraded"),
        Some(6002),
        "a deployment began, or a workload was written",
    ),
    row(C::DeployFinished, "deploy.finished", Some("service.deployed"), Some(6002), "a deployment ended"),
    row(
        C::DeployRolledback,
        "deploy.rolledback",
        Some("service.rolledback"),
        Some(6002),
        "a deployment was taken back",
    ),
    row(C::DeployCanary, "deploy.canary", None, Some(6002), "a canary was judged"),
    row(C::IacPlan, "iac.plan", None, Some(6002), "an infrastructure plan was made or approved"),
    row(C::IacApply, "iac.apply", None, Some(6002), "an infrastructure plan was applied"),
    row(
        C::RuntimeIntegrity,
        "runtime.integrity",
        None,
        Some(2004),
        "a running workload's files or binaries differ from what was delivered",
    ),
    row(C::RuntimeInventory, "runtime.inventory", None, Some(2004), "what a workload runs now"),
    row(C::RuntimeNet, "runtime.net", None, Some(4001), "a connection by a running workload"),
    row(
        C::RuntimeConfigDrift,
        "runtime.config_drift",
        None,
        Some(2004),
        "a live resource differs from its declared state",
    ),
    row(
        C::RuntimeReconciled,
        "runtime.reconciled",
        None,
        Some(2004),
        "a live resource equals its declared state again",
    ),
    row(C::RuntimeHeartbeat, "runtime.heartbeat", None, None, "a runtime sensor is alive"),
    row(
        C::ThreatIntel,
        "threat.intel",
        None,
        Some(5021),
        "something is known to be bad: `malicious`, `vulnerable`; `withdrawn` takes it back",
    ),
    row(C::OpsChange, "ops.change", Some("environment.modified"), Some(7001), "a planned change, announced"),
    row(C::OpsMaintenance, "ops.maintenance", None, Some(7001), "a maintenance window"),
    row(C::OpsFreeze, "ops.freeze", None, Some(7001), "a change freeze or containment window"),
    row(
        C::OpsResponse,
        "ops.response",
        Some("incident.reported"),
        Some(7001),
        "a step of incident response: `isolate`, `revoke`, `freeze`, `quarantine` …",
    ),
    row(C::Alert, "alert", Some("incident.detected"), Some(2004), "an alert of ours, as an event"),
    row(C::Anomaly, "anomaly", None, Some(2004), "a detector of ours saw something unusual"),
    row(C::Signal, "signal", None, Some(2004), "a match of ours that only feeds other rules"),
];

const fn all() -> [EventClass; TABLE.len()] {
    let mut classes = [EventClass::ScmPush; TABLE.len()];
    let mut at = 0;
    while at < classes.len() {
        classes[at] = TABLE[at].class;
        at += 1;
    }
    classes
}

impl EventClass {
    /// Every class, in the order of the enum.
    pub const ALL: &'static [EventClass] = &all();

    fn row(self) -> &'static ClassDoc {
        &TABLE[self as usize]
    }

    /// The dotted name: `secret.access`.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// The class of that name, if there is one.
    pub fn by_name(name: &str) -> Option<EventClass> {
        TABLE.iter().find(|row| row.name == name).map(|row| row.class)
    }

    /// One sentence: what an event of this class says, and its usual actions.
    pub fn doc(self) -> &'static str {
        self.row().doc
    }

    /// The CDEvents type (subject and predicate) that stands nearest, where there is one.
    pub fn cdevents(self) -> Option<&'static str> {
        self.row().cdevents
    }

    /// The OCSF class uid under which an event is exported; None: not exported (heartbeats).
    pub fn ocsf_uid(self) -> Option<u32> {
        self.row().ocsf_uid
    }
}

impl Serialize for EventClass {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for EventClass {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<EventClass, D::Error> {
        let name = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        EventClass::by_name(&name).ok_or_else(|| serde::de::Error::custom(format!("no event class `{name}`")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_stands_at_its_own_row() {
        for (at, class) in EventClass::ALL.iter().enumerate() {
            assert_eq!(TABLE[at].class, *class, "row {at}");
            assert_eq!(*class as usize, at);
            assert_eq!(EventClass::by_name(class.name()), Some(*class), "names are unique");
            assert!(class.doc().len() > 10, "{} is explained", class.name());
            assert!(class.name().bytes().all(|b| b.is_ascii_lowercase() || b == b'.' || b == b'_'));
        }
        assert_eq!(EventClass::by_name("secret.acess"), None);
    }

    #[test]
    fn values_are_read_as_they_are_written() {
        assert_eq!(serde_json::to_string(&EventClass::IdentityTokenRevoked).unwrap(), "\"identity.token.revoked\"");
        assert_eq!(serde_json::from_str::<EventClass>("\"ci.run\"").unwrap(), EventClass::CiRun);
        assert!(serde_json::from_str::<EventClass>("\"ci.ran\"").is_err());
    }
}
