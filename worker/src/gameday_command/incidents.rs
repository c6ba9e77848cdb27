//! How many incidents the pages of an exercise are.
//!
//! The pipeline's own incident records say it. Must never join what they do not.

use std::collections::{BTreeMap, BTreeSet};

use model::{Fingerprint, IncidentRecord};

use super::report::Alert;

/// The incident of each alert in the end, after every merge.
pub(super) struct Membership {
    of: BTreeMap<Fingerprint, Vec<(model::Timestamp, Fingerprint)>>,
    merged: BTreeMap<Fingerprint, Fingerprint>,
}

impl Membership {
    pub(super) fn new(records: &[IncidentRecord]) -> Membership {
        let mut membership = Membership { of: BTreeMap::new(), merged: BTreeMap::new() };
        for record in records {
            membership.merged.extend(record.merged.iter().map(|gone| (*gone, record.incident)));
            if let Some(alert) = &record.alert {
                membership.of.entry(alert.fingerprint).or_default().push((record.event_time, record.incident));
            }
        }
        membership
    }

    /// The incident of an alert that was told of a time. None: it was told ahead, and not for good.
    pub(super) fn incident(&self, alert: &Alert) -> Option<Fingerprint> {
        let records = self.of.get(&alert.fingerprint)?;
        let told = records.iter().rev().find(|(at, _)| *at <= alert.event_time).or(records.first());
        let mut incident = told.map(|(_, incident)| *incident)?;
        while let Some(into) = self.merged.get(&incident) {
            incident = *into;
        }
        Some(incident)
    }
}

/// The number of incidents that some alerts are.
pub(super) fn count(alerts: &[&Alert], records: &[IncidentRecord]) -> usize {
    let membership = Membership::new(records);
    let of = |alert: &&Alert| membership.incident(alert).unwrap_or(alert.fingerprint);
    alerts.iter().map(of).collect::<BTreeSet<_>>().len()
}
