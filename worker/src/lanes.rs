//! Which rules share a cursor: those that the same sources feed. Every version of the rule set has its own answer.
//!
//! A lane outlives the rules that opened it: alerts of a rule that is gone expire there by their period. Must never move a
//! rule to another lane while its version runs.

use std::collections::BTreeMap;
use std::sync::Arc;

use sinks::{LaneId, Sealer};

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
}

/// One version of the rule set: an engine for each source, and the lane of each rule by its id.
struct Set {
    engines: Vec<Arc<Engine>>,
    lane_of: BTreeMap<Arc<str>, LaneId>,
}

/// All lanes, and the versions that are in use.
#[derive(Default)]
pub struct Lanes {
    lanes: Vec<Lane>,
    by_sources: BTreeMap<Vec<usize>, LaneId>,
    sets: BTreeMap<SetId, Set>,
}

impl Lanes {
    /// Adds a version with an engine for each source. A rule that the same sources feed as in an earlier version stays in
    /// its lane, with its open alerts.
    pub fn add(&mut self, engines: Vec<Arc<Engine>>, sealer: &mut Sealer) -> SetId {
        let mut readers: BTreeMap<Arc<str>, Vec<usize>> = BTreeMap::new();
        for (at, engine) in engines.iter().enumerate() {
            for rule in engine.reads() {
                if let Some(info) = engine.rules.infos.get(rule as usize) {
                    readers.entry(info.id.clone()).or_default().push(at);
                }
            }
            readers.entry(id_reuse::RULE_ID.into()).or_default().push(at);
        }
        let mut lane_of = BTreeMap::new();
        for (rule, sources) in readers {
            let lane = *self.by_sources.entry(sources.clone()).or_insert_with(|| {
                let id = sealer.add_lane();
                self.lanes.push(Lane { id, sources });
                id
            });
            lane_of.insert(rule, lane);
        }
        let id = self.newest().map_or(0, |newest| newest + 1);
        self.sets.insert(id, Set { engines, lane_of });
        id
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
