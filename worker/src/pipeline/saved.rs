//! Everything a pipeline holds as a snapshot, and back: gates, lanes, what waits, what rules remember.
//!
//! Sources, partitions and keyed states are named, not numbered: whoever restores may number them otherwise. Counters of what
//! became of records are not kept: they are of a process. Must never be restored into a pipeline that has read anything.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::{Context, bail};
use model::{Outages, Sha256, Timestamp};
use serde::{Deserialize, Serialize};
use sinks::LaneSnapshot;

use super::Pipeline;
use super::joins::IncidentState;
use super::lineage::LineageState;
use crate::lanes::SavedState;

/// See the module.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct PipelineSnapshot {
    sources: Vec<SourceSnapshot>,
    lanes: Vec<NamedLane>,
    health: BTreeMap<Arc<str>, Outages>,
    lineage: Option<LineageState>,
    incidents: Option<IncidentState>,
}

#[derive(Debug, Serialize, Deserialize)]
struct SourceSnapshot {
    name: Arc<str>,
    /// By number.
    partitions: Vec<Arc<str>>,
    released: BTreeSet<usize>,
    watermark: Timestamp,
    gate: Vec<u8>,
}

#[derive(Debug, Serialize, Deserialize)]
struct NamedLane {
    sources: Vec<Arc<str>>,
    /// Its keyed states by number.
    states: Vec<SavedState>,
    held: LaneSnapshot,
}

impl PipelineSnapshot {
    /// Incidents were kept, with their lineage.
    pub fn has_lineage(&self) -> bool {
        self.incidents.is_some()
    }

    /// The keyed states of each lane, which its sources name.
    pub(super) fn states(&self) -> impl Iterator<Item = (&[Arc<str>], &[SavedState])> {
        self.lanes.iter().map(|lane| (lane.sources.as_slice(), lane.states.as_slice()))
    }

    /// Names of the sources that were read.
    pub fn sources(&self) -> impl Iterator<Item = &str> {
        self.sources.iter().map(|of| of.name.as_ref())
    }
}

impl Pipeline {
    /// All that decides about what will be sealed. To be taken between two records.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn snapshot(&self) -> anyhow::Result<PipelineSnapshot> {
        let mut sources = Vec::new();
        for source in &self.sources {
            sources.push(SourceSnapshot {
                name: source.name.clone(),
                partitions: source.partitions.iter().map(|booked| booked.name.name.clone()).collect(),
                released: source.released.clone(),
                watermark: source.watermark,
                gate: source.gate.snapshot()?,
            });
        }
        let name = |at: &usize| self.sources.get(*at).map(|source| source.name.clone());
        let mut lanes = Vec::new();
        for lane in self.lanes.iter() {
            lanes.push(NamedLane {
                sources: lane.sources.iter().filter_map(name).collect(),
                states: self.lanes.saved(lane.id),
                held: self.sealer.snapshot(lane.id)?,
            });
        }
        let lineage = self.lineage.as_ref().map(|lineage| lineage.snapshot());
        let incidents = self.incidents.as_ref().map(|incidents| incidents.snapshot());
        let health = self.lanes.health.clone();
        Ok(PipelineSnapshot { sources, lanes, lineage, incidents, health })
    }

    /// A keyed state that numbers by this graph is in use still, or has something to run out.
    pub fn remembers(&self, graph: Sha256) -> bool {
        self.lanes.of_graph(graph).any(|((lane, state), in_use)| in_use || self.sealer.remembers(lane, state))
    }

    /// Puts a snapshot into a pipeline that has read nothing yet and has no partitions; its sources must be those of then. What
    /// no rule remembers any more is left out.
    ///
    /// # Errors
    /// When the sources are other ones, or a part is malformed; the pipeline must not be used then.
    pub fn restore(&mut self, snapshot: PipelineSnapshot) -> anyhow::Result<()> {
        let names = |sources: &[SourceSnapshot]| sources.iter().map(|of| of.name.clone()).collect::<BTreeSet<_>>();
        let now: BTreeSet<Arc<str>> = self.sources.iter().map(|source| source.name.clone()).collect();
        if names(&snapshot.sources) != now {
            bail!("the sources are not those that were read then");
        }
        for saved in snapshot.sources {
            let at = self.source(&saved.name)?;
            for name in &saved.partitions {
                self.add_partition(at, name);
            }
            let Some(source) = self.sources.get_mut(at) else { continue };
            source.gate.restore(&saved.gate)?;
            (source.released, source.watermark) = (saved.released, saved.watermark);
        }
        self.lanes.health = snapshot.health;
        let previews = !self.outlets.provisional.is_empty();
        for lane in snapshot.lanes {
            let mut sources = lane.sources.iter().map(|name| self.source(name)).collect::<Result<Vec<_>, _>>()?;
            sources.sort_unstable();
            let id = self.lanes.lane(sources, &mut self.sealer);
            let states = lane.states.iter().enumerate();
            let now: Vec<_> = states.map(|(at, saved)| self.lanes.going_on(id, at, saved)).collect();
            self.sealer.restore(id, &lane.held, &now, previews)?;
        }
        if let (Some(lineage), Some(state)) = (&mut self.lineage, snapshot.lineage) {
            lineage.restore(state);
        }
        if let (Some(incidents), Some(state)) = (&mut self.incidents, snapshot.incidents) {
            incidents.restore(state);
        }
        Ok(())
    }

    fn source(&self, name: &str) -> anyhow::Result<usize> {
        self.sources.iter().position(|source| *source.name == *name).with_context(|| format!("source {name}"))
    }
}
