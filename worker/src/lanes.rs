//! Which rules share a cursor: those that the same sources feed. Every version of the rule set has its own answer.
//!
//! A lane outlives the rules that opened it: alerts of a rule that is gone expire there by their period. Must never move a
//! rule to another lane while its version runs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::{Correlator, DetectorSpec, Occurrence, Outages, Sha256, Silence, SourceHealth, Timestamp};
use rules::correlation::{Correlations, Limits, Listing};
use rules::{CompileError, Lists};
use sinks::{CorrelatorId, LaneId, Sealer};

use crate::engine::Engine;
use crate::id_reuse;

/// Number of a version of the rule set.
pub type SetId = usize;

/// Rules that read the same sources.
#[derive(Debug)]
pub struct Lane {
    /// Its number.
    pub id: LaneId,
    /// The sources, by number.
    pub sources: Vec<usize>,
    /// Those of them that open and close intervals.
    pub bounding: BTreeSet<usize>,
    /// Some of its rules ask lineage.
    pub asks: bool,
}

/// A lane and one of its keyed states.
pub type Remembering = (LaneId, CorrelatorId);

/// One version of the rule set: an engine for each source, the lane of each rule by its id, and the lanes in which a rule's
/// events are remembered by its index.
struct Set {
    engines: Vec<Arc<Engine>>,
    lane_of: BTreeMap<Arc<str>, LaneId>,
    remembered_in: BTreeMap<u32, Vec<Remembering>>,
    /// Lanes in which a rule's announcements silence others.
    silences_in: BTreeMap<u32, BTreeSet<LaneId>>,
}

/// All lanes, and the versions that are in use.
#[derive(Default)]
pub struct Lanes {
    lanes: Vec<Lane>,
    by_sources: BTreeMap<Vec<usize>, LaneId>,
    /// Keyed states by lane and version of the graph: what did not change keeps its state.
    correlators: BTreeMap<(LaneId, Sha256), CorrelatorId>,
    /// Where those are told of other versions of lists.
    listings: BTreeMap<(LaneId, Sha256), Listing>,
    /// What has been said of sources, for keyed states to come.
    pub health: BTreeMap<Arc<str>, Outages>,
    sets: BTreeMap<SetId, Set>,
}

impl Lanes {
    /// Adds a version with an engine for each source. A rule that the same sources feed as in an earlier version stays in
    /// its lane, with its open alerts.
    ///
    /// # Errors
    /// When a correlation's route cannot be compiled.
    pub fn add(
        &mut self,
        engines: Vec<Arc<Engine>>,
        sealer: &mut Sealer,
        limits: Limits,
    ) -> Result<SetId, CompileError> {
        let readers = readers(&engines);
        let mut lane_of = BTreeMap::new();
        let mut remembered_in: BTreeMap<u32, Vec<Remembering>> = BTreeMap::new();
        let mut silences_in: BTreeMap<u32, BTreeSet<LaneId>> = BTreeMap::new();
        if let Some(first) = engines.first() {
            let (rules, graph) = (first.rules.clone(), first.rules.graph.clone());
            let (feeders, bounders) = (graph.feeders(), graph.bounders());
            let asked = asked_sources(&engines, &readers);
            let mut deciding: BTreeMap<LaneId, BTreeSet<u32>> = BTreeMap::new();
            for index in 0..rules.infos.len() as u32 {
                let Some(info) = rules.infos.get(index as usize) else { continue };
                let decides = graph.decides(index);
                let mut sources: BTreeSet<usize> = match feeders.get(&index).filter(|_| decides) {
                    Some(fed_by) => fed_by.iter().filter_map(|rule| readers.get(rule)).flatten().copied().collect(),
                    None => readers.get(&index).into_iter().flatten().copied().collect(),
                };
                if sources.is_empty() {
                    continue;
                }
                // What can silence it is waited for, too.
                let suppressors = graph.suppressors(index);
                sources.extend(suppressors.iter().filter_map(|rule| readers.get(rule)).flatten());
                let asks = rules.rules.get(index as usize).is_some_and(|rule| rule.lineage.is_some());
                if asks {
                    sources.extend(&asked);
                }
                let lane = self.lane(sources.into_iter().collect(), sealer);
                if let Some(of) = self.lanes.iter_mut().find(|of| of.id == lane) {
                    of.asks |= asks;
                }
                for rule in suppressors {
                    silences_in.entry(*rule).or_default().insert(lane);
                }
                lane_of.insert(info.id.clone(), lane);
                if decides {
                    let bounding = bounders.get(&index).into_iter().flatten().filter_map(|rule| readers.get(rule));
                    if let Some(lane) = self.lanes.iter_mut().find(|known| known.id == lane) {
                        lane.bounding.extend(bounding.flatten());
                    }
                    deciding.entry(lane).or_default().insert(index);
                }
            }
            for (lane, deciding) in deciding {
                let correlator = self.correlator_for(lane, &deciding, (&engines, &readers), sealer, limits)?;
                for rule in deciding.iter().filter_map(|index| feeders.get(index)).flatten() {
                    let known = remembered_in.entry(*rule).or_default();
                    if !known.contains(&(lane, correlator)) {
                        known.push((lane, correlator));
                    }
                }
            }
        }
        let reuse = self.lane((0..engines.len()).collect(), sealer);
        lane_of.insert(id_reuse::RULE_ID.into(), reuse);
        let id = self.newest().map_or(0, |newest| newest + 1);
        self.sets.insert(id, Set { engines, lane_of, remembered_in, silences_in });
        Ok(id)
    }

    /// The keyed state of a lane for the rules of an engine: what did not change keeps the one it has.
    fn correlator_for(
        &mut self,
        lane: LaneId,
        deciding: &BTreeSet<u32>,
        (engines, readers): (&[Arc<Engine>], &Readers),
        sealer: &mut Sealer,
        limits: Limits,
    ) -> Result<CorrelatorId, CompileError> {
        let Some(engine) = engines.first() else { return Ok(CorrelatorId::MAX) };
        let (rules, lists) = (&engine.rules, engine.lists.clone());
        let place = (lane, rules.graph.version());
        if let Some(known) = self.correlators.get(&place) {
            return Ok(*known);
        }
        let info = |index: u32| rules.infos.get(index as usize).cloned();
        let takes = |index: u32| deciding.contains(&index);
        let detector = |spec: &DetectorSpec| detectors::detector(spec, detectors::Limits { keys_max: limits.keys_max });
        let name = |source: &usize| engines.get(*source).map(|engine| engine.reading.source.clone());
        let made = Correlations::new(rules.graph.clone(), lists, limits, info, takes, &detector)?;
        let mut made = made.heeding(&|rule| readers.get(&rule).into_iter().flatten().filter_map(name).collect());
        for (source, outages) in &self.health {
            for state in outages.statements() {
                made.heed(&SourceHealth { source: source.clone(), state }, Timestamp::MIN);
            }
        }
        self.listings.insert(place, made.listing());
        let id = sealer.add_correlator(lane, Box::new(made));
        self.correlators.insert(place, id);
        Ok(id)
    }

    /// Keyed state that every source feeds, and no rule: it is the same for all versions of the rules.
    pub fn add_state(
        &mut self,
        version: Sha256,
        state: Box<dyn Correlator>,
        sources: usize,
        to: &mut Sealer,
    ) -> Remembering {
        let lane = self.lane((0..sources).collect(), to);
        let id = to.add_correlator(lane, state);
        self.correlators.insert((lane, version), id);
        (lane, id)
    }

    /// The lane of some sources (by number, ascending).
    pub fn lane(&mut self, sources: Vec<usize>, sealer: &mut Sealer) -> LaneId {
        *self.by_sources.entry(sources.clone()).or_insert_with(|| {
            let id = sealer.add_lane();
            self.lanes.push(Lane { id, sources, bounding: BTreeSet::new(), asks: false });
            id
        })
    }

    /// Keyed states of a graph use other lists, each from the event time on that its lane is given.
    pub fn relist(&self, graph: Sha256, lists: &Arc<Lists>, from: impl Fn(&Lane) -> Timestamp) {
        for lane in &self.lanes {
            if let Some(listing) = self.listings.get(&(lane.id, graph)) {
                listing.tell(from(lane), lists.clone());
            }
        }
    }

    /// The lanes that remember something.
    pub fn remember(&self) -> impl Iterator<Item = &Lane> {
        self.lanes.iter().filter(|lane| self.correlators.keys().any(|(of, _)| *of == lane.id))
    }

    /// The versions of the graphs whose state a lane keeps, by number of the state.
    pub fn correlators(&self, lane: LaneId) -> Vec<Sha256> {
        let mut known: Vec<(CorrelatorId, Sha256)> = self
            .correlators
            .iter()
            .filter(|((of, _), _)| *of == lane)
            .map(|((_, version), id)| (*id, *version))
            .collect();
        known.sort_unstable();
        known.into_iter().map(|(_, version)| version).collect()
    }

    /// The state that a lane keeps for a version of the graph.
    pub fn correlator(&self, lane: LaneId, version: Sha256) -> Option<CorrelatorId> {
        self.correlators.get(&(lane, version)).copied()
    }

    /// Where the events of a rule are remembered.
    pub fn remembering(&self, set: SetId, rule: u32) -> &[Remembering] {
        self.sets.get(&set).and_then(|set| set.remembered_in.get(&rule)).map(Vec::as_slice).unwrap_or_default()
    }

    /// What an event at which a rule holds announces, and to which lanes.
    pub fn silences(&self, set: SetId, rule: u32, event: &Occurrence) -> Vec<(LaneId, Silence)> {
        let Some(of) = self.sets.get(&set) else { return Vec::new() };
        let (Some(lanes), Some(first)) = (of.silences_in.get(&rule), of.engines.first()) else { return Vec::new() };
        let info = first.rules.infos.get(rule as usize).cloned();
        let silence = info.and_then(|info| first.rules.graph.silence(rule, info, event));
        silence.iter().flat_map(|silence| lanes.iter().map(|lane| (*lane, silence.clone()))).collect()
    }

    /// Only the newest version is in use from here on.
    pub fn drop_older(&mut self) {
        if let Some(newest) = self.newest() {
            self.sets.retain(|id, _| *id == newest);
        }
    }

    fn newest(&self) -> Option<SetId> {
        self.sets.keys().next_back().copied()
    }

    /// The lane of a rule in a version.
    pub fn of(&self, set: SetId, rule: &str) -> Option<LaneId> {
        self.sets.get(&set)?.lane_of.get(rule).copied()
    }

    /// A version's engine of a source.
    pub fn engine(&self, set: SetId, source: usize) -> Option<&Engine> {
        self.sets.get(&set)?.engines.get(source).map(Arc::as_ref)
    }

    /// Every lane.
    pub fn iter(&self) -> impl Iterator<Item = &Lane> {
        self.lanes.iter()
    }
}

/// What rules that ask lineage wait for, all of them together: the sources that tell of edges, and their own. They share one
/// lane, so that the table is asked in the order in which it is filled.
fn asked_sources(engines: &[Arc<Engine>], readers: &Readers) -> BTreeSet<usize> {
    let telling = engines.iter().enumerate().filter(|(_, engine)| engine.tells_of_edges()).map(|(at, _)| at);
    let Some(rules) = engines.first().map(|engine| &engine.rules) else { return BTreeSet::new() };
    let asking = (0..rules.rules.len() as u32)
        .filter(|index| rules.rules.get(*index as usize).is_some_and(|rule| rule.lineage.is_some()));
    let own = asking.flat_map(|index| std::iter::once(index).chain(rules.graph.suppressors(index).iter().copied()));
    let own = own.filter_map(|rule| readers.get(&rule)).flatten().copied();
    telling.chain(own).collect()
}

/// For each rule the sources that can reach it.
type Readers = BTreeMap<u32, Vec<usize>>;

fn readers(engines: &[Arc<Engine>]) -> Readers {
    let mut readers = Readers::new();
    for (at, engine) in engines.iter().enumerate() {
        for rule in engine.reads() {
            readers.entry(rule).or_default().push(at);
        }
    }
    readers
}
