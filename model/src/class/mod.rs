//! The classes of events: what kind of thing happened. A class is a rule's logsource category; what was done is the
//! event's action, a field.
//!
//! Must never tell classes apart by source: the same thing done in two systems has one class.

mod table;

use serde::{Deserialize, Serialize, Serializer};

use self::EventClass as C;
use self::table::{ClassDoc, TABLE};

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
    OpsHealth,
    OpsHeartbeat,
    Alert,
    Anomaly,
    Signal,
}

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

    /// Only who controls the pipeline may say this: it announces, freezes or vouches, and so can silence others.
    pub fn is_for_control(self) -> bool {
        matches!(self, C::OpsChange | C::OpsMaintenance | C::OpsFreeze | C::OpsResponse | C::OpsHealth)
            || self.is_heartbeat()
    }

    /// Somebody is alive.
    pub fn is_heartbeat(self) -> bool {
        matches!(self, C::OpsHeartbeat | C::RunnerHeartbeat | C::RuntimeHeartbeat)
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
