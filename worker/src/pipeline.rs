//! The line that data runs in: judgements → gate → findings → sealing → outlets. One function shows it: [`Pipeline::take_each`].
//!
//! Single-threaded and synchronous; called with chunks in a fixed order by `replay` and by `run`. Reads no clock: bounds
//! for early events and idleness are arguments that the caller records.

mod asks;
mod books;
mod health;
mod joins;
mod lineage;
mod objectives;
mod packed;
mod remembering;
mod saved;
mod settings;

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

use ingest::enrich::Misses;
use ingest::{DeadLetter, Gate, TimePolicy};
use model::{Arrival, EventOutcome, Ledger, Partition, Position, RecordOutcome, Timestamp};
use rules::CompileError;
use sinks::{OutletError, Sealer};

use crate::engine::Engine;
use crate::health::Spoken;
use crate::id_reuse;
use crate::judge::{Fate, Judgement};
use crate::lag::Lag;
use crate::lanes::{Lanes, Remembering, SetId};
pub use joins::{IncidentStage, Joined};
pub use lineage::{LineageHeld, LineageLimits, LineageStage};
pub use packed::Linked;
pub use remembering::Before;
pub use saved::PipelineSnapshot;
pub use settings::Settings;

pub use crate::told::{Held, Outlets, Told};
use crate::told::{dead_letters_failed, tell, write};
use asks::Decider;
use objectives::ObjectiveStage;

/// One source in the pipeline.
struct Source {
    name: Arc<str>,
    gate: Gate,
    partitions: Vec<Booked>,
    /// Numbers of the partitions that another worker reads.
    released: BTreeSet<usize>,
    watermark: Timestamp,
    lag: Lag,
}

/// One partition with its books.
struct Booked {
    name: Partition,
    ledger: Ledger,
    /// The version of the rules that judges its records.
    set: SetId,
}

impl Source {
    /// None where this worker reads nothing of the source: then nobody here waits for it, and it moves nothing.
    fn cursor(&self) -> Option<Timestamp> {
        (self.released.len() < self.partitions.len()).then_some(self.watermark)
    }
}

/// The pipeline.
pub struct Pipeline {
    settings: Settings,
    sources: Vec<Source>,
    lanes: Lanes,
    /// The version of the rules that judges partitions added from here on.
    set: SetId,
    sealer: Sealer,
    lineage: Option<LineageStage>,
    decider: Decider,
    incidents: Option<IncidentStage>,
    objectives: Option<ObjectiveStage>,
    outlets: Outlets,
    told: BTreeMap<String, Told>,
    misses: Misses,
    /// Where the event at hand is remembered; reused.
    places: Vec<Remembering>,
    /// What events have said of sources, for whoever decides since when that is known.
    said: Vec<Spoken>,
    failure: Option<OutletError>,
}

impl Pipeline {
    /// A pipeline of sources; with what it is to go on from, if it is restored from that next.
    ///
    /// # Errors
    /// When a correlation cannot be compiled.
    pub fn new(
        settings: Settings,
        sources: Vec<(Arc<Engine>, TimePolicy)>,
        outlets: Outlets,
        before: Option<Before<'_>>,
    ) -> Result<Pipeline, CompileError> {
        let decider = Decider::default();
        sources.iter().take(1).for_each(|(engine, _)| decider.know(&engine.rules));
        let mut sealer = Sealer::new(settings.mode, settings.limits, settings.merge)
            .with_redaction(settings.redaction)
            .with_history(settings.since)
            .with_decider(Rc::new(decider.clone()));
        let mut lanes = Lanes::default();
        let sets = before.map_or(&[][..], |(_, sets)| sets);
        sets.iter().filter_map(|engines| engines.first()).for_each(|engine| decider.know(&engine.rules));
        before.map_or(Ok(()), |before| remembering::rebuild(before, (&mut lanes, &mut sealer), settings))?;
        let engines = sources.iter().map(|(engine, _)| engine.clone()).collect();
        let set = lanes.add(engines, &mut sealer, settings.correlations)?;
        let objectives = sources.first().and_then(|(engine, _)| engine.objectives.clone());
        let objectives = objectives.map(|set| ObjectiveStage::new(set, &mut lanes, sources.len(), &mut sealer));
        let source = |(engine, time): (Arc<Engine>, TimePolicy)| Source {
            name: engine.reading.source.clone(),
            gate: Gate::new(time),
            partitions: Vec::new(),
            released: BTreeSet::new(),
            watermark: Timestamp::MIN,
            lag: Lag::default(),
        };
        let sources = sources.into_iter().map(source).collect();
        let (told, misses, places, said) = Default::default();
        let mut incidents = settings.lineage.map(|_| IncidentStage::new(settings.incidents));
        let limits = settings.lineage.or(decider.is_asked().then_some(LineageLimits::DEFAULT));
        let lineage = limits.map(LineageStage::new);
        lineage.iter().for_each(|lineage| decider.ask(lineage.table()));
        let known = sets.iter().filter_map(|engines| engines.first().map(Arc::as_ref)).chain(lanes.engine(set, 0));
        known.for_each(|engine| incidents.iter_mut().for_each(|incidents| incidents.know(&engine.rules)));
        Ok(Pipeline {
            settings,
            sources,
            lanes,
            set,
            sealer,
            lineage,
            decider,
            incidents,
            objectives,
            outlets,
            told,
            misses,
            places,
            said,
            failure: None,
        })
    }

    /// Adds a version of the rules, an engine for each source; nothing is judged by it yet.
    ///
    /// # Errors
    /// When a correlation cannot be compiled.
    pub fn add_set(&mut self, engines: Vec<Arc<Engine>>) -> Result<SetId, CompileError> {
        engines.iter().take(1).for_each(|engine| self.decider.know(&engine.rules));
        if let (Some(incidents), Some(engine)) = (&mut self.incidents, engines.first()) {
            incidents.know(&engine.rules);
        }
        self.lanes.add(engines, &mut self.sealer, self.settings.correlations)
    }

    /// From its next record on, a partition is judged by this version of the rules.
    pub fn switch(&mut self, source: usize, partition: usize, set: SetId) {
        let booked = self.sources.get_mut(source).and_then(|source| source.partitions.get_mut(partition));
        if let Some(booked) = booked {
            booked.set = set;
        }
    }

    /// From the next record on, every partition is judged by these engines, and by no others.
    ///
    /// # Errors
    /// When a correlation cannot be compiled; nothing has changed then.
    pub fn replace(&mut self, engines: Vec<Arc<Engine>>) -> Result<(), CompileError> {
        self.add_set(engines)?;
        self.keep_newest();
        Ok(())
    }

    /// The same for the version that was added last.
    pub fn keep_newest(&mut self) {
        self.set = self.lanes.newest().unwrap_or(self.set);
        self.sources.iter_mut().flat_map(|source| &mut source.partitions).for_each(|booked| booked.set = self.set);
        self.lanes.drop_older();
    }

    /// Adds a partition to a source and returns its number there.
    pub fn add_partition(&mut self, source: usize, name: &str) -> usize {
        let Some(source) = self.sources.get_mut(source) else { return 0 };
        let name = Partition { source: source.name.clone(), name: name.into() };
        source.partitions.push(Booked { name, ledger: Ledger::default(), set: self.set });
        source.gate.add_partition()
    }

    /// Takes the judgements of one chunk of a partition, in order. `bound`: later times are early.
    pub fn take(
        &mut self,
        source_at: usize,
        partition: usize,
        chunk: &[u8],
        judgements: &mut Vec<Judgement>,
        bound: Option<Timestamp>,
    ) -> Result<(), OutletError> {
        let taken = self.take_each(source_at, partition, chunk, judgements, bound);
        judgements.clear();
        taken
    }

    /// Each where it stands: to carry it elsewhere first would cost more than to look at it.
    fn take_each(
        &mut self,
        source_at: usize,
        partition: usize,
        chunk: &[u8],
        judgements: &mut [Judgement],
        bound: Option<Timestamp>,
    ) -> Result<(), OutletError> {
        for judgement in judgements {
            let Some(source) = self.sources.get_mut(source_at) else { break };
            let Some(Booked { name, ledger, set }) = source.partitions.get_mut(partition) else { break };
            let set = *set;
            let Judgement { offset, bounds, fate } = judgement;
            let (offset, bounds) = (*offset, bounds.clone());
            match fate {
                Fate::Filtered => ledger.record(RecordOutcome::Filtered),
                Fate::Invalid(reason) => {
                    ledger.record(RecordOutcome::Invalid(*reason));
                    let position = Position { partition: name.clone(), offset };
                    let record = chunk.get(bounds).unwrap_or_default();
                    let letter = DeadLetter::new(position, *reason, record);
                    self.bury(&letter)?;
                }
                Fate::Event { time, identity, findings, occurrence, links, missed, said, archived } => {
                    ledger.record(RecordOutcome::Decoded);
                    let admission = source.gate.admit(partition, *identity, *time, bound);
                    ledger.event(admission.outcome);
                    let held_at = objectives::held_at(findings, occurrence.as_deref(), *time);
                    let looked_at = (archived.as_deref(), held_at);
                    let packed = |of: &ObjectiveStage| of.pack(looked_at, admission.outcome, name, offset);
                    let counted = self.objectives.as_ref().and_then(packed);
                    self.outlets.keep(archived.take(), admission.outcome, name, offset)?;
                    if !admission.reused.is_empty() && self.settings.id_reuse {
                        let position = Position { partition: name.clone(), offset };
                        let record = chunk.get(bounds).unwrap_or_default();
                        self.report_reuse(set, source_at, record, &admission.reused, position)?;
                    }
                    let arrival = match admission.outcome {
                        EventOutcome::Accepted => Arrival::OnTime,
                        EventOutcome::Late { early: false } => Arrival::Late,
                        EventOutcome::Late { early: true } => Arrival::Early,
                        EventOutcome::Duplicate | EventOutcome::Dropped => continue,
                    };
                    self.misses.add(*missed);
                    self.said.extend(said.take().filter(|_| arrival != Arrival::Early).map(|said| *said));
                    if let Some(links) = links.take() {
                        self.link(source_at, *links, arrival);
                    }
                    for finding in std::mem::take(findings) {
                        self.offer(set, model::Finding { arrival, ..finding })?;
                    }
                    if let Some(counted) = counted {
                        self.count(counted)?;
                    }
                    if let Some(mut occurrence) = occurrence.take() {
                        occurrence.arrival = arrival;
                        self.remember(set, occurrence)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// The lineage keys of an event that was accepted, or came late.
    fn link(&mut self, source: usize, links: Linked, arrival: Arrival) {
        let Pipeline { sources, lineage: Some(lineage), .. } = self else { return };
        match (arrival, sources.get(source)) {
            // An early one waits for its time: nobody who asks before it may find that an edge was seen so late.
            (Arrival::OnTime | Arrival::Early, Some(Source { name, .. })) => lineage.push(name, links),
            _ => lineage.late(links),
        }
    }

    /// A finding: told ahead where that is new, sealed when its lane's cursor has passed it.
    fn offer(&mut self, set: SetId, finding: model::Finding) -> Result<(), OutletError> {
        let Some(lane) = self.lanes.of(set, &finding.rule.id) else { return Ok(()) };
        if !self.outlets.provisional.is_empty()
            && let Some(record) = self.sealer.preview(lane, &finding)
        {
            write(&mut self.outlets.provisional, &record)?;
        }
        let Pipeline { sealer, incidents, outlets, told, failure, .. } = self;
        sealer.offer(lane, finding, &mut |sealed| tell(outlets, told, incidents, failure, sealed));
        self.failed()
    }

    fn report_reuse(
        &mut self,
        set: SetId,
        source: usize,
        record: &[u8],
        at: &[Timestamp],
        position: Position,
    ) -> Result<(), OutletError> {
        let Some(engine) = self.lanes.engine(set, source) else { return Ok(()) };
        let (name, id) = (engine.reading.source.clone(), engine.id_of(record));
        for &at in at {
            self.offer(set, id_reuse::finding(&name, &id, at, position.clone()))?;
        }
        Ok(())
    }

    /// A partition counts as complete up to a time; for good with [`Timestamp::MAX`].
    pub fn complete(&mut self, source: usize, partition: usize, up_to: Timestamp) {
        if let Some(source) = self.sources.get_mut(source) {
            source.gate.complete(partition, up_to);
        }
    }

    /// Another worker reads a partition from here on: findings that wait are its business now, and nobody waits for it.
    pub fn release(&mut self, source: usize, partition: usize) {
        let Some(source) = self.sources.get_mut(source) else { return };
        source.gate.complete(partition, Timestamp::MAX);
        source.released.insert(partition);
        if let Some(booked) = source.partitions.get(partition) {
            self.sealer.forget(|position| position.partition == booked.name);
        }
    }

    /// A partition that was released is read again.
    pub fn take_back(&mut self, source: usize, partition: usize) {
        if let Some(source) = self.sources.get_mut(source) {
            source.released.remove(&partition);
            source.gate.restart(partition);
        }
    }

    /// A tick: what timers find is told ahead, as far as those who open intervals have come, by their lag.
    pub fn tick(&mut self, now: Timestamp) -> Result<(), OutletError> {
        self.sources.iter_mut().for_each(|source| source.lag.tick(source.gate.newest(), now));
        for lane in self.lanes.iter() {
            let lags = lane.bounding.iter().filter_map(|&at| self.sources.get(at)?.lag.ms());
            let Some(lag_ms) = lags.max() else { continue };
            for record in self.sealer.preview_timers(lane.id, now.plus_ms(-lag_ms)) {
                write(&mut self.outlets.provisional, &record)?;
            }
        }
        Ok(())
    }

    /// What was told provisionally and did not come true is taken back on the same channel.
    fn withdraw(&mut self) -> Result<(), OutletError> {
        let withdrawn = self.sealer.withdrawn();
        if self.outlets.provisional.is_empty() {
            return Ok(());
        }
        withdrawn.iter().try_for_each(|record| write(&mut self.outlets.provisional, record))
    }

    /// Returns once everything told so far is where it belongs.
    pub fn flush(&mut self) -> Result<(), OutletError> {
        let Outlets { sealed, provisional, incidents, dead_letters, .. } = &mut self.outlets;
        sealed.iter_mut().chain(provisional).chain(incidents).try_for_each(|outlet| outlet.flush())?;
        dead_letters.iter_mut().try_for_each(|letters| letters.flush()).map_err(|error| dead_letters_failed(&error))
    }

    fn bury(&mut self, letter: &DeadLetter) -> Result<(), OutletError> {
        let Some(letters) = &mut self.outlets.dead_letters else { return Ok(()) };
        let line = serde_json::to_string(letter).unwrap_or_default();
        writeln!(letters, "{line}").map_err(|error| dead_letters_failed(&error))
    }

    fn failed(&mut self) -> Result<(), OutletError> {
        self.failure.take().map_or(Ok(()), Err)
    }
}
