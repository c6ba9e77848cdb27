//! Objectives in the pipeline: what they look at goes to their keyed state, in the lane that every source feeds.
//!
//! Must never look at a verdict: what burns is an alert like any other, and takes its way.

use std::sync::Arc;

use model::{Arrival, Event, EventOutcome, Occurrence, Partition, Position};
use sinks::{OutletError, Sealer};
use slis::live::{LiveValues, ObjectiveSet, Objectives, Shared};

use super::Pipeline;
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
        ObjectiveStage { set, place, shared }
    }

    /// An event as they take it. None: they do not look at it.
    pub(super) fn pack(
        &self,
        event: &Event,
        outcome: EventOutcome,
        partition: &Partition,
        offset: i64,
    ) -> Option<Box<Occurrence>> {
        let arrival = match outcome {
            EventOutcome::Accepted => Arrival::OnTime,
            EventOutcome::Late { early: false } => Arrival::Late,
            EventOutcome::Late { early: true } | EventOutcome::Duplicate | EventOutcome::Dropped => return None,
        };
        self.set.pack(event, arrival, Position { partition: partition.clone(), offset })
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
