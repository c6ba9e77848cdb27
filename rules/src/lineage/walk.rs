//! Walks: everything that lies above or below a key.
//!
//! Breadth first and in the order of keys, so that nothing depends on how the table came to be. Must never go on through a
//! key that is no joint, nor through a hub.

use std::collections::BTreeMap;

use super::key::Key;
use super::pairs::Stage;
use super::table::HalfKey;
use super::{HOPS_MAX, Lineage};

/// Which way, and over which edges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// To what it came of. Not over lists of components and names: what is inside an artifact is told by its bill of
    /// materials, in hundreds.
    Up,
    /// To what came of it.
    Down,
}

/// What a walk found.
#[derive(Debug, Default)]
pub(super) struct Walk {
    /// Keys with the number of steps to them; the start is 0.
    pub(super) keys: BTreeMap<Key, u8>,
    /// Hubs at which it ended, with their degree.
    pub(super) hubs: BTreeMap<Key, usize>,
    /// There was more than it may reach.
    pub(super) is_cut: bool,
}

impl Way {
    fn takes(self, near: &Key, half: &HalfKey) -> bool {
        match self {
            Way::Down => half.is_down && half.far != *near,
            Way::Up => !half.is_down && !matches!(half.stage, Stage::Sbom | Stage::Name),
        }
    }
}

pub(super) fn walk(lineage: &Lineage, start: &Key, way: Way) -> Walk {
    let mut walk = Walk::default();
    walk.keys.insert(start.clone(), 0);
    let mut border = vec![start.clone()];
    for hops in 1..=HOPS_MAX {
        let mut next = Vec::new();
        for near in &border {
            // Whoever asks for a key wants to see all that hangs on it.
            if hops > 1 && !goes_on(lineage, near, &mut walk) {
                continue;
            }
            for (half, _) in lineage.halves.of(near).filter(|(half, _)| way.takes(near, half)) {
                if walk.keys.contains_key(&half.far) {
                    continue;
                }
                if walk.keys.len() >= lineage.limits.reached_max {
                    walk.is_cut = true;
                    return walk;
                }
                walk.keys.insert(half.far.clone(), hops);
                next.push(half.far.clone());
            }
        }
        next.sort();
        border = next;
    }
    walk
}

fn goes_on(lineage: &Lineage, key: &Key, walk: &mut Walk) -> bool {
    if !key.kind.is_joint() {
        return false;
    }
    let degree = degree(lineage, key);
    if degree > lineage.limits.degree_max {
        walk.hubs.insert(key.clone(), degree);
        return false;
    }
    true
}

/// The most joints that came to a key on one day.
fn degree(lineage: &Lineage, key: &Key) -> usize {
    // Halves of one far end stand together; the earliest of them is the day on which it came.
    let mut came: Vec<(&Key, i64)> = Vec::new();
    for (half, seen) in lineage.halves.of(key).filter(|(half, _)| half.far.kind.is_joint() && half.far != *key) {
        let day = seen.day();
        match came.last_mut() {
            Some((far, first)) if *far == &half.far => *first = day.min(*first),
            _ => came.push((&half.far, day)),
        }
    }
    let mut days: BTreeMap<i64, usize> = BTreeMap::new();
    came.iter().for_each(|(_, day)| *days.entry(*day).or_default() += 1);
    days.into_values().max().unwrap_or(0)
}
