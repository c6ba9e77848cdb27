//! What leaves a pipeline: the outlets, what was told by rule, what is held back.
//!
//! Counting and writing only: must never decide what is told.

use std::collections::BTreeMap;

use model::{
    AlertRecord, AlertState, Arrival, CorrelatorHeld, Event, EventOutcome, IncidentRecord, Partition, Urgency,
};
use sinks::{Lost, Outlet, OutletError, Sealed, Silenced};
use slis::archive::ArchivedEvent;

use crate::keeper::Keeper;
use crate::pipeline::{IncidentStage, Joined, LineageHeld};

/// Where records leave.
#[derive(Default)]
pub struct Outlets {
    /// Sealed records.
    pub sealed: Vec<Box<dyn Outlet>>,
    /// Provisional records.
    pub provisional: Vec<Box<dyn Outlet>>,
    /// Incident records.
    pub incidents: Vec<Box<dyn Outlet>>,
    /// Dead letters, a line of JSON each.
    pub dead_letters: Option<Box<dyn std::io::Write>>,
    /// The archive of events.
    pub archive: Option<Keeper>,
}

impl Outlets {
    /// Puts an event that was accepted, or came late or early, into the archive.
    pub(crate) fn keep(
        &mut self,
        event: Option<Box<Event>>,
        outcome: EventOutcome,
        partition: &Partition,
        offset: i64,
    ) -> Result<(), OutletError> {
        let (Some(event), Some(archive)) = (event, &self.archive) else { return Ok(()) };
        let arrival = match outcome {
            EventOutcome::Accepted => Arrival::OnTime,
            EventOutcome::Late { early: false } => Arrival::Late,
            EventOutcome::Late { early: true } => Arrival::Early,
            EventOutcome::Duplicate | EventOutcome::Dropped => return Ok(()),
        };
        archive.put(ArchivedEvent { event: *event, arrival, partition: partition.name.clone(), offset })
    }
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
    /// What incidents hold, and what limits have cost.
    pub joined: Joined,
    /// What lineage holds, and what limits have cost.
    pub lineage: LineageHeld,
    /// Ids forgotten because `duplicates_max` was reached.
    pub forgotten: u64,
}

/// Counts a sealed record and writes it; the first failure is kept, nothing is written behind it.
pub(crate) fn tell(
    outlets: &mut Outlets,
    told: &mut BTreeMap<String, Told>,
    incidents: &mut Option<IncidentStage>,
    failure: &mut Option<OutletError>,
    sealed: Sealed,
) {
    let (order, record) = sealed;
    if let Some(incidents) = incidents {
        incidents.push(&order, &record);
    }
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

/// Writes an incident record; the first failure is kept.
pub(crate) fn tell_incident(outlets: &mut Outlets, failure: &mut Option<OutletError>, record: &IncidentRecord) {
    if failure.is_some() || outlets.incidents.is_empty() {
        return;
    }
    let written = line(record)
        .and_then(|line| outlets.incidents.iter_mut().try_for_each(|outlet| outlet.put_incident(record, &line)));
    *failure = written.err();
}

fn line(record: &impl serde::Serialize) -> Result<String, OutletError> {
    serde_json::to_string(record).map_err(|error| OutletError {
        outlet: "record".to_owned(),
        reason: error.to_string(),
        retryable: false,
    })
}

/// Writes a record to some outlets.
pub(crate) fn write(outlets: &mut [Box<dyn Outlet>], record: &AlertRecord) -> Result<(), OutletError> {
    if outlets.is_empty() {
        return Ok(());
    }
    let line = line(record)?;
    outlets.iter_mut().try_for_each(|outlet| outlet.put(record, &line))
}

/// Dead letters could not be written.
pub(crate) fn dead_letters_failed(error: &std::io::Error) -> OutletError {
    OutletError { outlet: "dead letters".to_owned(), reason: error.to_string(), retryable: false }
}
