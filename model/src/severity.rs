//! How bad a finding is (Sigma's level) and whether someone is woken for it.
//!
//! Must never grow a third urgency: what is neither page nor ticket is not told.

use serde::{Deserialize, Serialize};

/// Sigma's `level`, lowest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum Severity {
    Informational,
    Low,
    Medium,
    High,
    Critical,
}

impl Severity {
    /// The five levels, lowest first.
    pub const ALL: [Severity; 5] =
        [Severity::Informational, Severity::Low, Severity::Medium, Severity::High, Severity::Critical];

    /// The level's name as Sigma writes it.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Informational => "informational",
            Severity::Low => "low",
            Severity::Medium => "medium",
            Severity::High => "high",
            Severity::Critical => "critical",
        }
    }

    /// The level of that name, if there is one.
    pub fn by_name(name: &str) -> Option<Severity> {
        Severity::ALL.into_iter().find(|level| level.name() == name)
    }
}

/// Whether an alert wakes somebody (page) or waits for working hours (ticket). A page ranks higher.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum Urgency {
    Ticket,
    Page,
}

impl Urgency {
    /// `page` or `ticket`.
    pub fn name(self) -> &'static str {
        match self {
            Urgency::Ticket => "ticket",
            Urgency::Page => "page",
        }
    }

    /// The urgency of that name, if there is one.
    pub fn by_name(name: &str) -> Option<Urgency> {
        [Urgency::Page, Urgency::Ticket].into_iter().find(|urgency| urgency.name() == name)
    }

    /// Re-alert period in milliseconds where a rule names none: 1 h for a page, 24 h for a ticket.
    pub fn default_realert_ms(self) -> i64 {
        match self {
            Urgency::Page => 3_600_000,
            Urgency::Ticket => 86_400_000,
        }
    }
}
