//! What lies around some keys: joints within a few steps, up and down, with the way to each.
//!
//! What joins alerts. Breadth first and in the order of keys, so that nothing depends on how the table came to be. Must never
//! name a hub, nor a key that is reached through one.

use std::collections::BTreeSet;

use model::Timestamp;

use super::key::Key;
use super::walk::is_hub;
use super::{HOPS_MAX, Lineage};

/// A key that was reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The key.
    pub key: Key,
    /// The step before it, by its place among the steps; None: one of the keys that were asked about.
    pub from: Option<usize>,
}

/// See the module.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Around {
    /// The keys that were asked about, then those one step away, and so on; each once.
    pub steps: Vec<Step>,
    /// Hubs that were met: they join nothing.
    pub hubs: BTreeSet<Key>,
    /// There was more than a walk may reach.
    pub is_cut: bool,
}

pub(super) fn around(lineage: &Lineage, keys: &[Key], as_of: Timestamp) -> Around {
    let mut around = Around::default();
    let mut met: BTreeSet<Key> = BTreeSet::new();
    let starts: BTreeSet<&Key> = keys.iter().filter(|key| key.kind.is_joint()).collect();
    for key in starts {
        meet(lineage, (key, None), as_of, &mut met, &mut around);
    }
    let mut border = 0..around.steps.len();
    for _ in 0..HOPS_MAX {
        for at in border.clone() {
            let Some(near) = around.steps.get(at).map(|step| step.key.clone()) else { continue };
            for (half, _) in lineage.halves.by(&near, as_of).filter(|(half, _)| half.far.kind.is_joint()) {
                if around.steps.len() >= lineage.limits.reached_max {
                    around.is_cut = true;
                    return around;
                }
                meet(lineage, (&half.far, Some(at)), as_of, &mut met, &mut around);
            }
        }
        border = border.end..around.steps.len();
    }
    around
}

fn meet(
    lineage: &Lineage,
    (key, from): (&Key, Option<usize>),
    as_of: Timestamp,
    met: &mut BTreeSet<Key>,
    around: &mut Around,
) {
    if !met.insert(key.clone()) {
        return;
    }
    if is_hub(lineage, key, as_of) {
        around.hubs.insert(key.clone());
    } else {
        around.steps.push(Step { key: key.clone(), from });
    }
}
