//! Which rules share a cursor: those that the same sources feed. Every version of the rule set has its own answer.
//!
//! A lane outlives the rules that opened it: alerts of a rule that is gone expire there by their period. Must never move a
//! rule to another lane while its version runs.

mod states;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::{Correlator, DetectorSpec, Occurrence, Outages, Sha256, Silence, SourceHealth, Timestamp};
use rules::CompileError;
use rules::correlation::{Correlations, Graph, Limits, Version};
use sinks::{CorrelatorId, LaneId, Sealer};

use crate::engine::Engine;
use crate::id_reuse;
pub use states::SavedState;
use states::{Route, State};

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

/// By rule the keyed states that its events come to.
type RememberedIn = BTreeMap<u32, Vec<Remembering>>;

/// By keyed state how a version's events come to it.
type Routes = BTreeMap<Remembering, Route>;

/// One version of the rule set: an engine for each source, the lane of each rule by its id, and the lanes in which a rule's
/// events are remembered by its index.
struct Set {
    engines: Vec<Arc<Engine>>,
    lane_of: BTreeMap<Arc<str>, LaneId>,
    remembered_in: RememberedIn,
    routes: Routes,
    /// What it has that remembers, by index: true where it began with this version.
    begun: BTreeMap<u32, bool>,
    /// Lanes in which a rule's announcements silence others.
    silences_in: BTreeMap<u32, BTreeSet<LaneId>>,
}

/// All lanes, and the versions that are in use.
#[derive(Default)]
pub struct Lanes {
    lanes: Vec<Lane>,
    by_sources: BTreeMap<Vec<usize>, LaneId>,
    /// Keyed states of rules.
    states: Vec<State>,
    /// Keyed states of no rules, by lane and version.
    others: BTreeMap<(LaneId, Sha256), CorrelatorId>,
    /// By lane and number in a snapshot, what goes on from there.
    rebuilt: BTreeMap<(LaneId, usize), CorrelatorId>,
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
        let mut remembered_in = BTreeMap::new();
        let mut silences_in: BTreeMap<u32, BTreeSet<LaneId>> = BTreeMap::new();
        let (mut routes, mut begun) = Default::default();
        let id = self.newest().map_or(0, |newest| newest + 1);
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
            begun = self.begin_new(&deciding, (&engines, &readers, id), sealer, limits)?;
            (routes, remembered_in) = self.lead_to(&graph, &deciding);
        }
        let reuse = self.lane((0..engines.len()).collect(), sealer);
        lane_of.insert(id_reuse::RULE_ID.into(), reuse);
        self.sets.insert(id, Set { engines, lane_of, remembered_in, routes, begun, silences_in });
        Ok(id)
    }

    /// Of what decides in each lane (by index), what no keyed state has begins in one of its own; says of each whether it did.
    fn begin_new(
        &mut self,
        deciding: &BTreeMap<LaneId, BTreeSet<u32>>,
        of: (&[Arc<Engine>], &Readers, SetId),
        sealer: &mut Sealer,
        limits: Limits,
    ) -> Result<BTreeMap<u32, bool>, CompileError> {
        let mut begun = BTreeMap::new();
        let Some(graph) = of.0.first().map(|first| first.rules.graph.clone()) else { return Ok(begun) };
        for (lane, deciding) in deciding {
            let known = self.states.iter().filter(|state| state.lane == *lane);
            let known: BTreeSet<u32> = known.flat_map(|state| state.serves(&graph, deciding).into_keys()).collect();
            let new: BTreeSet<u32> = deciding.difference(&known).copied().collect();
            begun.extend(deciding.iter().map(|index| (*index, new.contains(index))));
            if !new.is_empty() {
                self.begin(*lane, new, of, sealer, limits)?;
            }
        }
        Ok(begun)
    }

    /// How a version's events come to the keyed states that have something of it, and to which those of each rule; what it
    /// has not, they have no more.
    fn lead_to(&mut self, graph: &Graph, deciding: &BTreeMap<LaneId, BTreeSet<u32>>) -> (Routes, RememberedIn) {
        let (mut routes, mut remembered_in) = (Routes::new(), RememberedIn::new());
        let feeders = graph.feeders();
        for state in &mut self.states {
            let asked = deciding.get(&state.lane).cloned().unwrap_or_default();
            let served = state.serves(graph, &asked);
            state.live = served.values().copied().collect();
            if served.is_empty() {
                continue;
            }
            let place = (state.lane, state.id);
            routes.insert(place, Route::new(state, graph, state.live.clone()));
            for rule in served.keys().filter_map(|index| feeders.get(index)).flatten() {
                let known = remembered_in.entry(*rule).or_default();
                if !known.contains(&place) {
                    known.push(place);
                }
            }
        }
        (routes, remembered_in)
    }

    /// Makes a keyed state of a lane for some rules and correlations (by index) of a version; nothing is in it.
    fn begin(
        &mut self,
        lane: LaneId,
        takes: BTreeSet<u32>,
        (engines, readers, since): (&[Arc<Engine>], &Readers, SetId),
        sealer: &mut Sealer,
        limits: Limits,
    ) -> Result<(), CompileError> {
        let Some(engine) = engines.first() else { return Ok(()) };
        let (rules, lists) = (&engine.rules, engine.lists.clone());
        let info = |index: u32| rules.infos.get(index as usize).cloned();
        let detector = |spec: &DetectorSpec| detectors::detector(spec, detectors::Limits { keys_max: limits.keys_max });
        let name = |source: &usize| engines.get(*source).map(|engine| engine.reading.source.clone());
        let made =
            Correlations::new(rules.graph.clone(), lists, limits, info, |index| takes.contains(&index), &detector)?;
        let mut made = made.heeding(&|rule| readers.get(&rule).into_iter().flatten().filter_map(name).collect());
        for (source, outages) in &self.health {
            for state in outages.statements() {
                made.heed(&SourceHealth { source: source.clone(), state }, Timestamp::MIN);
            }
        }
        let (listing, graph, live) = (made.listing(), rules.graph.clone(), takes.clone());
        let id = sealer.add_correlator(lane, Box::new(made));
        self.states.push(State { lane, id, graph, takes, live, since, listing });
        Ok(())
    }

    /// Makes the keyed states of a lane (its sources by number) that a snapshot names, of the versions that it goes on with:
    /// before any version is added. What none of them has is left out.
    ///
    /// # Errors
    /// When a correlation's route cannot be compiled.
    pub fn rebuild(
        &mut self,
        sources: Vec<usize>,
        saved: &[SavedState],
        sets: &[Vec<Arc<Engine>>],
        sealer: &mut Sealer,
        limits: Limits,
    ) -> Result<(), CompileError> {
        let lane = self.lane(sources, sealer);
        for (at, of) in saved.iter().enumerate() {
            let has_it =
                |set: &&Vec<Arc<Engine>>| set.first().is_some_and(|first| first.rules.graph.version() == of.graph);
            let Some(engines) = sets.iter().find(has_it) else { continue };
            self.begin(lane, of.takes.clone(), (engines, &readers(engines), 0), sealer, limits)?;
            if let Some(state) = self.states.last_mut() {
                state.live.clone_from(&of.live);
                for gate in &of.gates {
                    state.listing.gate_of(gate);
                }
                self.rebuilt.insert((lane, at), state.id);
            }
        }
        Ok(())
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
        self.others.insert((lane, version), id);
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

    /// A version counts, for each keyed state from the event time on that its lane is given: its lists for what it has, and what
    /// it has not learns no more.
    pub fn count_from(&self, set: SetId, from: impl Fn(&Lane) -> Timestamp) {
        let Some(of) = self.sets.get(&set) else { return };
        for state in self.states.iter().filter(|state| state.since <= set) {
            let Some(lane) = self.lanes.iter().find(|lane| lane.id == state.lane) else { continue };
            let live = of.routes.get(&(state.lane, state.id)).map(|route| route.open.clone()).unwrap_or_default();
            let lists = of.engines.first().filter(|_| !live.is_empty()).map(|first| first.lists.clone());
            state.listing.tell(from(lane), Version { lists, live });
        }
    }

    /// Of what a version has that remembers, how many go on with what they had, and which (by rule id) began with it.
    pub fn begun(&self, set: SetId) -> (usize, Vec<Arc<str>>) {
        let Some(of) = self.sets.get(&set) else { return (0, Vec::new()) };
        let id = |index: &u32| Some(of.engines.first()?.rules.infos.get(*index as usize)?.id.clone());
        let new: Vec<Arc<str>> =
            of.begun.iter().filter(|(_, is_new)| **is_new).filter_map(|(index, _)| id(index)).collect();
        (of.begun.len() - new.len(), new)
    }

    /// The lanes that remember something.
    pub fn remember(&self) -> impl Iterator<Item = &Lane> {
        let of_others = |lane: &Lane| self.others.keys().any(|(of, _)| *of == lane.id);
        self.lanes.iter().filter(move |lane| self.states.iter().any(|state| state.lane == lane.id) || of_others(lane))
    }

    /// The keyed states of a lane, by number.
    pub fn saved(&self, lane: LaneId) -> Vec<SavedState> {
        let of_rules = self.states.iter().filter(|state| state.lane == lane).map(|state| (state.id, state.saved()));
        let of_none = self.others.iter().filter(|((of, _), _)| *of == lane).map(|((_, version), id)| {
            let (takes, live, gates) = Default::default();
            (*id, SavedState { graph: *version, takes, live, gates })
        });
        let known: BTreeMap<CorrelatorId, SavedState> = of_rules.chain(of_none).collect();
        known.into_values().collect()
    }

    /// The keyed state of a lane that goes on from one of a snapshot, by its number there.
    pub fn going_on(&self, lane: LaneId, at: usize, saved: &SavedState) -> Option<CorrelatorId> {
        if let Some(rebuilt) = self.rebuilt.get(&(lane, at)) {
            return Some(*rebuilt);
        }
        let is_same =
            |state: &&State| state.lane == lane && state.graph.version() == saved.graph && state.takes == saved.takes;
        let of_rules = self.states.iter().find(is_same).map(|state| state.id);
        of_rules.or_else(|| self.others.get(&(lane, saved.graph)).copied())
    }

    /// The keyed states that number by a graph, each with whether rules still have some of it.
    pub fn of_graph(&self, graph: Sha256) -> impl Iterator<Item = (Remembering, bool)> {
        let of = self.states.iter().filter(move |state| state.graph.version() == graph);
        of.map(|state| ((state.lane, state.id), !state.live.is_empty()))
    }

    /// Where the events of a rule are remembered.
    pub fn remembering(&self, set: SetId, rule: u32) -> &[Remembering] {
        self.sets.get(&set).and_then(|set| set.remembered_in.get(&rule)).map(Vec::as_slice).unwrap_or_default()
    }

    /// An event of a version as a keyed state takes it. None: as it is.
    pub fn lead(&self, set: SetId, place: Remembering, event: &Occurrence) -> Option<Box<Occurrence>> {
        self.sets.get(&set)?.routes.get(&place)?.lead(event)
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

    /// The version that was added last.
    pub fn newest(&self) -> Option<SetId> {
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
