//! Who is told of an alert of an incident, and the sentence that says so.
//!
//! A page is told unless its owner has been paged about the incident. Must never look at anything but the incident and the
//! alert.

use model::{AlertState, IncidentState, Join, ToldBecause, Urgency};

use super::{AGAIN_MS, Incident, Opening};

/// `before`: the alert is one of the incident's already, and whether its page was told.
pub(super) fn decide(of: &Incident, alert: &Opening, before: Option<bool>) -> ToldBecause {
    if alert.urgency == Urgency::Ticket {
        return ToldBecause::Ticket;
    }
    let Some(last) = of.paged.get(&alert.owner) else { return ToldBecause::First };
    if before == Some(true) && alert.state != AlertState::Raised {
        // The page that woke somebody goes on with its own life: it wakes them again when its re-alert period is over.
        return ToldBecause::Again;
    }
    if alert.composite.as_ref().is_some_and(|kind| !of.composites.contains(kind)) {
        return ToldBecause::Composite;
    }
    if alert.at > last.plus_ms(AGAIN_MS) { ToldBecause::Again } else { ToldBecause::Joined }
}

pub(super) fn explain(
    of: &Incident,
    state: IncidentState,
    alert: &Opening,
    because: ToldBecause,
    joins: &[Join],
) -> String {
    let title = &alert.rule.title;
    let place = match state {
        IncidentState::Opened => "opens an incident".to_owned(),
        IncidentState::Again => format!("holds again in an incident of {} alerts", of.alerts),
        IncidentState::Merged => format!("joins {} incidents, one of {} alerts from here on", joins.len(), of.alerts),
        IncidentState::Joined | IncidentState::Closed => format!("joins an incident of {} alerts now", of.alerts),
    };
    let over = match joins.first().and_then(|join| Some((join.path.first()?, join.path.last()?))) {
        None => String::new(),
        Some((own, other)) if own == other => format!(" over {} {}", own.kind, own.key),
        Some((own, other)) => format!(" over {} {} and {} {}", own.kind, own.key, other.kind, other.key),
    };
    let told = match because {
        ToldBecause::First => "told, the first page of it to its owner",
        ToldBecause::Composite => "told, a composite pages a joined incident once more",
        ToldBecause::Again => "told again",
        ToldBecause::Ticket => "a ticket as ever",
        ToldBecause::Joined => "not told, its owner has been paged about it",
    };
    format!("{title} {place}{over}; {told}")
}
