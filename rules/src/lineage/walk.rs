//! Walks: everything that lies above or below a key.
//!
//! Breadth first and in the order of keys, so that nothing depends on how the table came to be. Must never go on through a
//! key that is no joint, nor through a hub.

use std::collections::BTreeMap;

use model::Timestamp;

use super::key::{Key, Kinds};
use super::pairs::Stage;
use super::table::{Half, HalfKey};
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
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Walk {
    /// Keys with the number of steps to them; the start is 0.
    pub keys: BTreeMap<Key, u8>,
    /// Hubs at which it ended, with their degree.
    pub hubs: BTreeMap<Key, usize>,
    /// There was more than it may reach.
    pub is_cut: bool,
}

impl Way {
    fn takes(self, near: &Key, half: &HalfKey) -> bool {
        match self {
            Way::Down => half.is_down && half.far != *near,
            Way::Up => !half.is_down && !matches!(half.stage, Stage::Sbom | Stage::Name),
        }
    }
}

/// Over edges that were seen by `as_of` (inclusive), between keys of some kinds: for this walk there are no others.
pub(super) fn walk(lineage: &Lineage, start: &Key, way: Way, (as_of, within): (Timestamp, Kinds)) -> Walk {
    let mut walk = Walk::default();
    walk.keys.insert(start.clone(), 0);
    let mut border = vec![start.clone()];
    for hops in 1..=HOPS_MAX {
        let mut next = Vec::new();
        for near in &border {
            // Whoever asks for a key wants to see all that hangs on it.
            if hops > 1 && !goes_on(lineage, near, (as_of, within), &mut walk) {
                continue;
            }
            for (half, _) in lineage.halves.by(near, as_of).filter(|(half, _)| way.takes(near, half)) {
                if !within.has(half.far.kind) {
                    continue;
                }
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

fn goes_on(lineage: &Lineage, key: &Key, of: (Timestamp, Kinds), walk: &mut Walk) -> bool {
    if !key.kind.is_joint() {
        return false;
    }
    let Some(degree) = hub(lineage, key, of) else { return true };
    walk.hubs.insert(key.clone(), degree);
    false
}

/// The most joints that came to a key on one day, where they are more than may come to one that is no hub.
fn hub(lineage: &Lineage, key: &Key, of: (Timestamp, Kinds)) -> Option<usize> {
    let mut days: BTreeMap<i64, usize> = BTreeMap::new();
    came(lineage, key, of, &mut |day| {
        *days.entry(day).or_default() += 1;
        true
    });
    days.into_values().max().filter(|degree| *degree > lineage.limits.degree_max)
}

/// More joints came to a key on one day than `degree_max`. Looks no further than it has to.
pub(super) fn is_hub(lineage: &Lineage, key: &Key, as_of: Timestamp) -> bool {
    let (mut days, mut is_hub): (BTreeMap<i64, usize>, bool) = (BTreeMap::new(), false);
    came(lineage, key, (as_of, Kinds::ALL), &mut |day| {
        let count = days.entry(day).or_default();
        *count += 1;
        is_hub = *count > lineage.limits.degree_max;
        !is_hub
    });
    is_hub
}

/// The day on which each joint came to a key, until `told` has heard enough.
fn came(lineage: &Lineage, key: &Key, (as_of, within): (Timestamp, Kinds), told: &mut dyn FnMut(i64) -> bool) {
    // Halves of one far end stand together; the earliest of them is the day on which it came.
    let mut last: Option<(&Key, i64)> = None;
    let joints = lineage.halves.by(key, as_of).filter(|(half, _)| half.far.kind.is_joint() && half.far != *key);
    for (half, seen) in joints.filter(|(half, _)| within.has(half.far.kind)) {
        let day = Half::day(seen);
        match &mut last {
            Some((far, first)) if *far == &half.far => *first = day.min(*first),
            _ => {
                if last.is_some_and(|(_, day)| !told(day)) {
                    return;
                }
                last = Some((&half.far, day));
            }
        }
    }
    if let Some((_, day)) = last {
        told(day);
    }
}
