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
    /// Versions of the graphs by number of their keyed state.
    correlators: Vec<Sha256>,
    held: LaneSnapshot,
}

impl PipelineSnapshot {
    /// Incidents were kept, with their lineage.
    pub fn has_lineage(&self) -> bool {
        self.incidents.is_some()
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
                correlators: self.lanes.correlators(lane.id),
                held: self.sealer.snapshot(lane.id)?,
            });
        }
        let lineage = self.lineage.as_ref().map(|lineage| lineage.snapshot());
        let incidents = self.incidents.as_ref().map(|incidents| incidents.snapshot());
        let health = self.lanes.health.clone();
        Ok(PipelineSnapshot { sources, lanes, lineage, incidents, health })
    }

    /// Rules of this graph still hold state, or have timers to run.
    pub fn remembers(&self, graph: Sha256) -> bool {
        let mut held = self.lanes.iter().filter_map(|lane| Some((lane.id, self.lanes.correlator(lane.id, graph)?)));
        held.any(|(lane, correlator)| self.sealer.remembers(lane, correlator))
    }

    /// Puts a snapshot into a pipeline that has read nothing yet and has no partitions. Its rules must be those that ran then,
    /// and its sources: what no rule remembers any more is left out.
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
            let now: Vec<_> = lane.correlators.iter().map(|version| self.lanes.correlator(id, *version)).collect();
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
