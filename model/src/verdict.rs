//! Two words of every event's envelope: how the thing ended, and who wrote the source that says so.
//!
//! Must never grow a value that a source would have to guess: what it does not say is `unknown`.

use serde::{Deserialize, Serialize};

/// How the thing ended: field `event.outcome`. A refusal for lack of permission is `denied`, any other way it did not
/// happen `failure`, a fault of the system `error`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Verdict {
    Success,
    Failure,
    Denied,
    Error,
    Unknown,
}

impl Verdict {
    /// The five verdicts.
    pub const ALL: [Verdict; 5] =
        [Verdict::Success, Verdict::Failure, Verdict::Denied, Verdict::Error, Verdict::Unknown];

    /// The value of `event.outcome`.
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Success => "success",
            Verdict::Failure => "failure",
            Verdict::Denied => "denied",
            Verdict::Error => "error",
            Verdict::Unknown => "unknown",
        }
    }

    /// The verdict of that name, if there is one.
    pub fn by_name(name: &str) -> Option<Verdict> {
        Verdict::ALL.into_iter().find(|verdict| verdict.name() == name)
    }
}

/// Who writes a source: field `event.trust`. Lower trust may raise risk and may never suppress.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Trust {
    ControlPlane,
    Agent,
    Tenant,
    AttackerControlled,
}

impl Trust {
    /// The four levels, most trusted first.
    pub const ALL: [Trust; 4] = [Trust::ControlPlane, Trust::Agent, Trust::Tenant, Trust::AttackerControlled];

    /// The value of `event.trust`.
    pub fn name(self) -> &'static str {
        match self {
            Trust::ControlPlane => "control_plane",
            Trust::Agent => "agent",
            Trust::Tenant => "tenant",
            Trust::AttackerControlled => "attacker_controlled",
        }
    }

    /// The level of that name, if there is one.
    pub fn by_name(name: &str) -> Option<Trust> {
        Trust::ALL.into_iter().find(|trust| trust.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_as_they_are_written() {
        for verdict in Verdict::ALL {
            assert_eq!(Verdict::by_name(verdict.name()), Some(verdict));
            assert_eq!(serde_json::to_value(verdict).unwrap(), verdict.name());
        }
        for trust in Trust::ALL {
            assert_eq!(Trust::by_name(trust.name()), Some(trust));
            assert_eq!(serde_json::to_value(trust).unwrap(), trust.name());
        }
    }
}
