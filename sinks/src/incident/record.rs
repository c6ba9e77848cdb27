//! Incident records out of incidents and alerts.
//!
//! Must never decide anything.

use model::{Fingerprint, INCIDENT_SCHEMA, IncidentRecord, IncidentState, IncidentType, Join, Member, ToldBecause};

use super::decide::explain;
use super::{Incident, Opening};

/// What every record of an incident says.
pub(super) fn about(id: Fingerprint, of: &Incident, state: IncidentState) -> IncidentRecord {
    IncidentRecord {
        record_type: IncidentType::Incident,
        schema: INCIDENT_SCHEMA,
        state,
        event_time: of.last,
        incident: id,
        opened: of.opened,
        alert: None,
        told: false,
        because: None,
        joins: Vec::new(),
        merged: Vec::new(),
        alerts: of.alerts,
        pages: of.pages,
        pages_told: of.pages_told,
        repos: of.repos.iter().cloned().collect(),
        repos_more: of.repos_more,
        evicted: false,
        explain: String::new(),
    }
}

/// The record of an alert that came to an incident.
pub(super) fn record(
    id: Fingerprint,
    of: &Incident,
    state: IncidentState,
    alert: &Opening,
    because: ToldBecause,
    (joins, merged): (Vec<Join>, Vec<Fingerprint>),
) -> IncidentRecord {
    IncidentRecord {
        event_time: alert.at,
        told: because.is_told(),
        because: Some(because),
        explain: explain(of, state, alert, because, &joins),
        alert: Some(member(alert)),
        joins,
        merged,
        ..about(id, of, state)
    }
}

fn member(alert: &Opening) -> Member {
    let text = |(field, text): &(String, String)| (field.clone(), serde_json::Value::String(text.clone()));
    Member {
        fingerprint: alert.fingerprint,
        state: alert.state,
        urgency: alert.urgency,
        severity: alert.severity,
        rule: alert.rule.clone(),
        group: alert.group.iter().map(text).collect(),
        owner: alert.owner.clone(),
    }
}
