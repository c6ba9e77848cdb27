//! Objectives in the pipeline: what they look at goes to their keyed state, in the lane that every source feeds. Where they look at
//! alerts, those re-enter as the events that an archive holds.
//!
//! Must never look at a verdict: what burns is an alert like any other, and takes its way.

use std::rc::Rc;
use std::sync::Arc;

use model::{
    AlertRecord, Arrival, Event, EventClass, EventOrder, EventOutcome, Finding, Occurrence, Partition, Position,
    Timestamp,
};
use sinks::{LaneId, OutletError, Reenter, Sealer};
use slis::live::{LiveValues, ObjectiveSet, Objectives, Shared};

use super::Pipeline;
use crate::archiving::{OWN, of_alert};
use crate::lanes::{Lanes, Remembering};
use crate::told::tell;

/// See the module.
pub(super) struct ObjectiveStage {
    set: Arc<ObjectiveSet>,
    place: Remembering,
    shared: Shared,
}

impl ObjectiveStage {
    /// Objectives over so many sources.
    pub(super) fn new(
        set: Arc<ObjectiveSet>,
        lanes: &mut Lanes,
        sources: usize,
        sealer: &mut Sealer,
    ) -> ObjectiveStage {
        let shared = Shared::default();
        let state = Box::new(Objectives::new(set.clone(), shared.clone()));
        let place = lanes.add_state(set.version(), state, sources, sealer);
        if set.hears(EventClass::Alert) {
            sealer.reenter_at(place, Rc::new(Alerts(set.clone())));
        }
        ObjectiveStage { set, place, shared }
    }

    /// The lane that alerts of all others go to.
    pub(super) fn behind_all(&self) -> Option<LaneId> {
        self.set.hears(EventClass::Alert).then_some(self.place.0)
    }

    /// An event as they take it: all of it, or where it stands, if a rule holds at it. None: they do not look at it.
    pub(super) fn pack(
        &self,
        (event, held_at): (Option<&Event>, Option<&EventOrder>),
        outcome: EventOutcome,
        partition: &Partition,
        offset: i64,
    ) -> Option<Box<Occurrence>> {
        let arrival = match outcome {
            EventOutcome::Accepted => Arrival::OnTime,
            EventOutcome::Late { early: false } => Arrival::Late,
            EventOutcome::Late { early: true } | EventOutcome::Duplicate | EventOutcome::Dropped => return None,
        };
        let position = || Position { partition: partition.clone(), offset };
        let whole = event.and_then(|event| self.set.pack(event, arrival, position()));
        whole.or_else(|| self.set.pack_evidence(held_at?, arrival, position()))
    }
}

/// Where an event stands at which a rule holds: alerts may name it. None: none does, or it has no time.
pub(super) fn held_at<'e>(
    findings: &'e [Finding],
    occurrence: Option<&'e Occurrence>,
    time: Option<Timestamp>,
) -> Option<&'e EventOrder> {
    let held_at = findings.first().map(|of| &of.order).or(occurrence.map(|of| &of.order));
    held_at.filter(|_| time.is_some())
}

/// Alerts as objectives take them.
#[derive(Debug)]
struct Alerts(Arc<ObjectiveSet>);

impl Reenter for Alerts {
    fn event(&self, record: &AlertRecord) -> Option<Box<Occurrence>> {
        let arrival = if record.late { Arrival::Late } else { Arrival::OnTime };
        let line = serde_json::to_string(record).ok().filter(|_| !record.early)?;
        let position = Position { partition: Partition { source: OWN.into(), name: OWN.into() }, offset: 0 };
        self.0.pack(&of_alert(record, &line), arrival, position)
    }
}

impl Pipeline {
    /// An event that objectives look at.
    pub(super) fn count(&mut self, event: Box<Occurrence>) -> Result<(), OutletError> {
        let Pipeline { sealer, objectives: Some(stage), incidents, outlets, told, failure, .. } = self else {
            return Ok(());
        };
        sealer.offer_event(stage.place, event, &mut |sealed| tell(outlets, told, incidents, failure, sealed));
        self.failed()
    }

    /// The objectives, with what they show.
    pub fn objectives(&self) -> Option<(&ObjectiveSet, LiveValues)> {
        self.objectives.as_ref().map(|stage| (stage.set.as_ref(), stage.shared.get()))
    }
}
