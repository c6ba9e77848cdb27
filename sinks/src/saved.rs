//! What a lane holds as a snapshot, and back: cursor, open alerts, what waits, the keyed state of its rules.
//!
//! Must never keep what depends on the process that ran: keyed states are named by their number, and whoever restores says
//! which one that is now.

use model::{Finding, Malformed, Occurrence, RedactionKey, Silence, Timestamp, Urgency, from_snapshot, to_snapshot};
use serde::{Deserialize, Serialize};

use crate::lane::{CorrelatorId, Lane};
use crate::life::LifeSnapshot;
use crate::record::clean_finding;

/// See the module.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct LaneSnapshot {
    /// All but the keyed states.
    state: Vec<u8>,
    /// The keyed states by number.
    correlators: Vec<Vec<u8>>,
}

/// All of a lane but the keyed states.
#[derive(Serialize, Deserialize)]
struct State<F, E, S> {
    cursor: Timestamp,
    life: LifeSnapshot,
    silenced: LifeSnapshot,
    /// Announcements that wait, and those that count.
    silences: (Vec<S>, Vec<S>),
    findings: (Vec<F>, Vec<(Urgency, usize)>),
    events: Vec<(CorrelatorId, E)>,
}

/// An event as it may be kept: what it carries has been named when it was judged.
fn clean(event: &Occurrence, redaction: RedactionKey) -> Occurrence {
    let mut clean = event.clone();
    for finding in clean.held.iter_mut().filter_map(|held| held.finding.as_mut()) {
        **finding = clean_finding(finding, redaction);
    }
    clean
}

impl Lane {
    pub(crate) fn snapshot(&self) -> Result<LaneSnapshot, Malformed> {
        let (life, silenced) = (self.life.snapshot(), self.silenced.snapshot());
        let silences = self.silences.snapshot();
        let findings = self.waiting.snapshot(self.redaction);
        let events = self.events.in_order().map(|(of, event)| (of, clean(event, self.redaction))).collect();
        let state = to_snapshot(&State { cursor: self.cursor, life, silenced, silences, findings, events })?;
        let correlators = self.correlators.iter().map(|correlator| correlator.snapshot());
        Ok(LaneSnapshot { state, correlators: correlators.collect::<Result<_, _>>()? })
    }

    pub(crate) fn restore(
        &mut self,
        snapshot: &LaneSnapshot,
        now: &[Option<CorrelatorId>],
        previews: bool,
    ) -> Result<(), Malformed> {
        let State { cursor, life, silenced, silences, findings, events } =
            from_snapshot::<State<Finding, Occurrence, Silence>>(&snapshot.state)?;
        self.cursor = cursor;
        self.life.restore(life);
        self.silenced.restore(silenced);
        self.silences.restore(silences);
        self.waiting.restore(findings);
        for (of, state) in now.iter().zip(&snapshot.correlators) {
            if let Some(correlator) = of.and_then(|of| self.correlators.get_mut(of)) {
                correlator.restore(state)?;
            }
        }
        for (of, event) in events {
            let Some(of) = now.get(of).copied().flatten() else { continue };
            if let Some(correlator) = self.correlators.get_mut(of).filter(|_| previews) {
                // What it tells has been told.
                correlator.preview(&event, &mut |_| ());
            }
            self.events.push(of, Box::new(event));
        }
        self.forget_history();
        Ok(())
    }
}
