//! Open incidents as a snapshot, and back.
//!
//! Must never keep what follows from the rest: where joints and alerts are looked up is built anew.

use model::Fingerprint;
use serde::{Deserialize, Serialize};

use super::{Incident, Incidents, IncidentsHeld, rank};

/// See the module.
#[derive(Debug, Serialize, Deserialize)]
pub struct IncidentsSnapshot {
    open: Vec<(Fingerprint, Incident)>,
    held: IncidentsHeld,
}

impl Incidents {
    /// The open incidents, by name.
    pub fn snapshot(&self) -> IncidentsSnapshot {
        IncidentsSnapshot { open: self.open.iter().map(|(id, of)| (*id, of.clone())).collect(), held: self.held }
    }

    /// Puts a snapshot in the place of nothing.
    pub fn restore(&mut self, snapshot: IncidentsSnapshot) {
        self.held = snapshot.held;
        for (id, incident) in snapshot.open {
            self.quiet.insert(rank(&id, &incident));
            for print in incident.members.keys() {
                self.by_member.insert(*print, id);
            }
            for joint in incident.anchors.keys() {
                self.by_anchor.entry(joint.clone()).or_default().insert(id);
            }
            self.open.insert(id, incident);
        }
    }
}
