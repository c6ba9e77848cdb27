//! Events that rules remember, on their way to the keyed states; and keyed states that go on from a snapshot.
//!
//! Must never apply one: keyed state changes behind the cursor only.

use std::sync::Arc;

use model::{AlertRecord, Occurrence};
use rules::CompileError;
use sinks::{OutletError, Sealer};

use super::saved::PipelineSnapshot;
use super::{Pipeline, Settings};
use crate::engine::Engine;
use crate::lanes::{Lanes, SetId};
use crate::told::{tell, write};

/// What a pipeline goes on from: a snapshot, and the versions of the rules whose state is in it, each with an engine for each source.
pub type Before<'s> = (&'s PipelineSnapshot, &'s [Vec<Arc<Engine>>]);

impl Pipeline {
    /// An event that rules remember goes to every lane that does.
    pub(super) fn remember(&mut self, set: SetId, event: Box<Occurrence>) -> Result<(), OutletError> {
        let Pipeline { lanes, sealer, incidents, outlets, told, places, failure, .. } = self;
        for (lane, silence) in event.held.iter().flat_map(|held| lanes.silences(set, held.rule, &event)) {
            sealer.offer_silence(lane, silence);
        }
        places.clear();
        places.extend(event.held.iter().flat_map(|held| lanes.remembering(set, held.rule)).copied());
        places.sort_unstable();
        places.dedup();
        if !outlets.provisional.is_empty() {
            for place in &*places {
                let led = lanes.lead(set, *place, &event);
                for record in sealer.preview_event(*place, led.as_ref().unwrap_or(&event)) {
                    write(&mut outlets.provisional, &record)?;
                }
            }
        }
        let last = places.pop();
        let mut offer = |place, event| {
            sealer.offer_event(place, event, &mut |sealed| tell(outlets, told, incidents, failure, sealed));
        };
        for place in places.drain(..) {
            offer(place, lanes.lead(set, place, &event).unwrap_or_else(|| event.clone()));
        }
        if let Some(place) = last {
            offer(place, lanes.lead(set, place, &event).unwrap_or(event));
        }
        self.failed()
    }

    /// Of what the newest version has that remembers, how many go on with what they had, and which began with it.
    pub fn begun(&self) -> (usize, Vec<Arc<str>>) {
        self.lanes.begun(self.set)
    }

    /// An alert that was sealed before this worker began, and of which no incident record was written.
    pub fn owe(&mut self, record: &AlertRecord) {
        self.incidents.iter_mut().for_each(|incidents| incidents.owe(record));
    }

    /// The version that judges from here on.
    pub fn newest_set(&self) -> SetId {
        self.set
    }
}

/// The keyed states of a snapshot, empty still: to be made before any version is added.
pub(super) fn rebuild(
    (snapshot, sets): Before<'_>,
    (lanes, sealer): (&mut Lanes, &mut Sealer),
    settings: Settings,
) -> Result<(), CompileError> {
    let name = |at: usize| sets.first().and_then(|first| first.get(at)).map(|engine| &engine.reading.source);
    let sources = sets.first().map_or(0, Vec::len);
    for (named, saved) in snapshot.states() {
        let at = |wanted: &Arc<str>| (0..sources).find(|at| name(*at) == Some(wanted));
        // Other sources: the snapshot is refused as a whole when it is restored.
        let Some(mut of) = named.iter().map(at).collect::<Option<Vec<_>>>() else { continue };
        of.sort_unstable();
        lanes.rebuild(of, saved, sets, sealer, settings.correlations)?;
    }
    Ok(())
}
