//! The chain of a key: from the commit to the running workload, stage by stage, with what is missing.
//!
//! Must never fill a gap by a guess: a stage for which there is no event is missing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::key::{Key, Kind};
use super::links::Seen;
use super::pairs::{OF_ARTIFACTS, Stage};
use super::table::{Half, HalfKey};
use super::walk::{Way, walk};
use super::{ALL, Lineage};

/// One thing on the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The stage at which it stands.
    pub stage: Stage,
    /// What it is.
    pub what: Key,
    /// What people call it: package URLs of a digest, the repository of a run.
    pub names: Vec<Arc<str>>,
    /// Steps from the key that was asked for.
    pub hops: u8,
    /// The first and the last event of each edge that says so: never empty, in order.
    pub seen: Vec<Arc<Seen>>,
}

/// A stage for which there is no event.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Missing {
    /// The stage.
    pub stage: Stage,
    /// The artifact that lacks it; None: the whole chain does.
    pub of: Option<Key>,
}

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    /// The key that was asked for.
    pub start: Key,
    /// What is on the way, by stage, steps and time.
    pub rows: Vec<Row>,
    /// What is not.
    pub missing: Vec<Missing>,
    /// Keys at which the walks ended because too much hangs on them, with the joints of their worst day.
    pub hubs: Vec<(Key, usize)>,
    /// There was more than a walk may reach.
    pub is_cut: bool,
}

pub(super) fn chain(lineage: &Lineage, start: &Key) -> Chain {
    let (up, down) = (walk(lineage, start, Way::Up, ALL), walk(lineage, start, Way::Down, ALL));
    let mut keys = up.keys;
    for (key, hops) in &down.keys {
        let known = keys.entry(key.clone()).or_insert(*hops);
        *known = (*hops).min(*known);
    }
    let rows = rows(lineage, &keys);
    let digests: Vec<&Key> = match start.kind {
        Kind::Digest => vec![start],
        // What went into it has a chain of its own.
        _ => down.keys.keys().filter(|key| key.kind == Kind::Digest).collect(),
    };
    let missing = missing(lineage, &rows, &digests);
    let hubs: BTreeMap<Key, usize> = up.hubs.into_iter().chain(down.hubs).collect();
    Chain { start: start.clone(), rows, missing, hubs: hubs.into_iter().collect(), is_cut: up.is_cut || down.is_cut }
}

/// Every edge between the keys tells of the thing that its stage shows.
fn rows(lineage: &Lineage, keys: &BTreeMap<Key, u8>) -> Vec<Row> {
    let mut told: BTreeMap<(Stage, &Key), BTreeSet<Arc<Seen>>> = BTreeMap::new();
    for near in keys.keys() {
        let edges = lineage.halves.of(near).filter(|(half, _)| half.is_down);
        for (half, Half { first, last, .. }) in edges {
            if let Some((far, _)) = keys.get_key_value(&half.far)
                && let Some(what) = shown(half, near, far)
            {
                told.entry((half.stage, what)).or_default().extend([first.clone(), last.clone()]);
            }
        }
    }
    let best = |stage: Stage| {
        let of = |kind: &&Kind| told.keys().any(|(told, what)| *told == stage && what.kind == **kind);
        stage.shows().iter().find(of).copied()
    };
    let is_told = |stage: Stage, what: &Key| stage == Stage::Input || best(stage) == Some(what.kind);
    let mut rows: Vec<Row> = told
        .iter()
        .filter(|((stage, what), _)| is_told(*stage, what))
        .map(|(&(stage, what), seen)| Row {
            stage,
            what: what.clone(),
            names: names(lineage, what),
            hops: keys.get(what).copied().unwrap_or(0),
            seen: seen.iter().cloned().collect(),
        })
        .collect();
    let first = |row: &Row| row.seen.first().map(|seen| seen.time);
    rows.sort_by(|a, b| (a.stage, a.hops, first(a), &a.what).cmp(&(b.stage, b.hops, first(b), &b.what)));
    rows
}

fn shown<'k>(half: &HalfKey, near: &'k Key, far: &'k Key) -> Option<&'k Key> {
    half.stage.shows().iter().find_map(|kind| [near, far].into_iter().find(|key| key.kind == *kind))
}

/// What people call a key.
pub(super) fn names(lineage: &Lineage, key: &Key) -> Vec<Arc<str>> {
    let wanted = if key.kind == Kind::Digest { Kind::Purl } else { Kind::Repo };
    let names = lineage.halves.of(key).filter(|(half, _)| half.stage == Stage::Name && !half.is_down);
    names.filter(|(half, _)| half.far.kind == wanted).map(|(half, _)| half.far.text.clone()).collect()
}

fn missing(lineage: &Lineage, rows: &[Row], digests: &[&Key]) -> Vec<Missing> {
    let mut missing = Vec::new();
    for stage in [Stage::Commit, Stage::Run] {
        if !rows.iter().any(|row| row.stage == stage) {
            missing.push(Missing { stage, of: None });
        }
    }
    for stage in OF_ARTIFACTS {
        if digests.is_empty() && !rows.iter().any(|row| row.stage == stage) {
            missing.push(Missing { stage, of: None });
        }
        for digest in digests {
            if !has(lineage, digest, stage) {
                missing.push(Missing { stage, of: Some((*digest).clone()) });
            }
        }
    }
    missing
}

/// Something says that an artifact has passed a stage.
pub(super) fn has(lineage: &Lineage, digest: &Key, stage: Stage) -> bool {
    lineage.halves.of(digest).any(|(half, _)| half.stage == stage)
}
