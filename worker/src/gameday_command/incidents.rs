//! How many incidents the pages of an exercise are: those that share an event, a token, a run, a digest … are one.
//!
//! A stand-in until incidents are records of their own. Must never join by what everything has (an organisation, an
//! environment).

use std::collections::BTreeMap;

use super::records::Labelled;
use super::report::Alert;

/// What joins events.
pub(super) const EDGES: [&str; 7] = [
    "prov.token_id",
    "prov.run_id",
    "prov.job_id",
    "prov.runner_id",
    "prov.build_id",
    "prov.attestation_id",
    "prov.digest",
];

/// What joins alerts beside that.
const OWNERS: [&str; 7] =
    ["prov.repo", "prov.repo_id", "prov.commit", "prov.artifact", "prov.service", "prov.actor_id", "prov.session"];

/// The number of groups of alerts that share something, directly or through others.
pub(super) fn count(alerts: &[&Alert], events: &[Labelled]) -> usize {
    let lineage: BTreeMap<&str, &[(String, String)]> =
        events.iter().map(|event| (event.id.as_str(), event.lineage.as_slice())).collect();
    let mut parents: Vec<usize> = (0..alerts.len()).collect();
    let mut first_with: BTreeMap<(String, String), usize> = BTreeMap::new();
    for (at, alert) in alerts.iter().enumerate() {
        let of_events = alert.evidence.iter().filter_map(|id| lineage.get(id.as_str())).copied().flatten().cloned();
        for shared in shared(alert).into_iter().chain(of_events) {
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

/// Its key, its provenance and its evidence, as (field, value). Of an alias only the name is known: it joins aliases.
fn shared(alert: &Alert) -> Vec<(String, String)> {
    let joins = |field: &str| EDGES.contains(&field) || OWNERS.contains(&field);
    let key = alert.key.iter().filter(|(field, _)| joins(field) || !field.starts_with("prov."));
    let narrow = key.chain(alert.facts.iter().filter(|(field, _)| joins(field)));
    let pairs = narrow.filter_map(|(field, value)| Some((field.clone(), value.as_str()?.to_owned())));
    pairs.chain(alert.evidence.iter().map(|id| (String::new(), id.clone()))).collect()
}
