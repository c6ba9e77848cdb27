//! What leaves a pipeline: the outlets, what was told by rule, what is held back.
//!
//! Counting and writing only: must never decide what is told.

use std::collections::BTreeMap;

use model::{AlertRecord, AlertState, CorrelatorHeld, Urgency};
use sinks::{Lost, Outlet, OutletError, Sealed, Silenced};

/// Where records leave.
#[derive(Default)]
pub struct Outlets {
    /// Sealed records.
    pub sealed: Vec<Box<dyn Outlet>>,
    /// Provisional records.
    pub provisional: Vec<Box<dyn Outlet>>,
    /// Dead letters, a line of JSON each.
    pub dead_letters: Option<Box<dyn std::io::Write>>,
}

/// Alerts told, by rule.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Told {
    /// Title of the rule.
    pub title: String,
    /// Records by state.
    pub states: BTreeMap<AlertState, u64>,
    /// Alerts that opened (or stood alone) as a page.
    pub pages: u64,
    /// Alerts that opened (or stood alone) as a ticket.
    pub tickets: u64,
}

/// See [`Pipeline::held`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Held {
    /// Findings that wait for their cursor.
    pub waiting: usize,
    /// Open alerts.
    pub open_alerts: usize,
    /// Alerts closed because `open_alerts_max` was reached.
    pub evicted: u64,
    /// Findings lost because `findings_waiting_max` was reached.
    pub lost: Lost,
    /// Events that wait for their cursor because a rule remembers them.
    pub waiting_events: usize,
    /// Such events lost because `occurrences_waiting_max` was reached.
    pub lost_events: u64,
    /// What rules remember, and what limits have cost.
    pub remembered: CorrelatorHeld,
    /// What announcements have kept from being told.
    pub silenced: Silenced,
    /// Ids forgotten because `duplicates_max` was reached.
    pub forgotten: u64,
}

/// Counts a sealed record and writes it; the first failure is kept, nothing is written behind it.
pub(crate) fn tell(
    outlets: &mut Outlets,
    told: &mut BTreeMap<String, Told>,
    failure: &mut Option<OutletError>,
    sealed: Sealed,
) {
    let (_, record) = sealed;
    let by_rule = match told.get_mut(record.rule.id.as_ref()) {
        Some(by_rule) => by_rule,
        None => told.entry(record.rule.id.to_string()).or_default(),
    };
    if by_rule.title.is_empty() {
        by_rule.title.clone_from(&record.rule.title);
    }
    *by_rule.states.entry(record.state).or_default() += 1;
    if matches!(record.state, AlertState::Firing | AlertState::Raised | AlertState::Match) {
        match record.urgency {
            Urgency::Page => by_rule.pages += 1,
            Urgency::Ticket => by_rule.tickets += 1,
        }
    }
    if failure.is_none() {
        *failure = write(&mut outlets.sealed, &record).err();
    }
}

/// Writes a record to some outlets.
pub(crate) fn write(outlets: &mut [Box<dyn Outlet>], record: &AlertRecord) -> Result<(), OutletError> {
    if outlets.is_empty() {
        return Ok(());
    }
    let line = serde_json::to_string(record).map_err(|error| OutletError {
        outlet: "alert record".to_owned(),
        reason: error.to_string(),
        retryable: false,
    })?;
    outlets.iter_mut().try_for_each(|outlet| outlet.put(record, &line))
}

/// Dead letters could not be written.
pub(crate) fn dead_letters_failed(error: &std::io::Error) -> OutletError {
    OutletError { outlet: "dead letters".to_owned(), reason: error.to_string(), retryable: false }
}
