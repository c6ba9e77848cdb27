//! How many incidents the pages of an exercise are: those that share an event, a token, a run, a digest … are one.
//!
//! A stand-in until incidents are records of their own. Must never join by what everything has (an organisation, an
//! environment).

use std::collections::BTreeMap;

use super::report::Alert;

/// Fields that say nothing of what belongs together.
const BROAD: [&str; 6] =
    ["prov.org", "prov.team", "prov.env", "prov.actor_kind", "prov.token_kind", "prov.actor_is_bot"];

/// The number of groups of alerts that share something, directly or through others.
pub(super) fn count(alerts: &[&Alert]) -> usize {
    let mut parents: Vec<usize> = (0..alerts.len()).collect();
    let mut first_with: BTreeMap<(String, String), usize> = BTreeMap::new();
    for (at, alert) in alerts.iter().enumerate() {
        for shared in shared(alert) {
            let other = *first_with.entry(shared).or_insert(at);
            let (a, b) = (root(&parents, at), root(&parents, other));
            if let Some(parent) = parents.get_mut(a.max(b)) {
                *parent = a.min(b);
            }
        }
    }
    parents.iter().enumerate().filter(|(at, parent)| at == *parent).count()
}

fn root(parents: &[usize], mut at: usize) -> usize {
    while let Some(&parent) = parents.get(at)
        && parent != at
    {
        at = parent;
    }
    at
}

/// Its key, its provenance and its evidence, as (field, value).
fn shared(alert: &Alert) -> Vec<(String, String)> {
    let key = alert.key.iter();
    let provenance = alert.facts.iter().filter(|(field, _)| field.starts_with("prov."));
    let narrow = key.chain(provenance).filter(|(field, _)| !BROAD.contains(&field.as_str()));
    let pairs = narrow.filter_map(|(field, value)| Some((field.clone(), value.as_str()?.to_owned())));
    pairs.chain(alert.evidence.iter().map(|id| (String::new(), id.clone()))).collect()
}
