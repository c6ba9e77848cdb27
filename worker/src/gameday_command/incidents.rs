//! How many incidents the pages of an exercise are: those that share an event, a token, a run, a digest … are one.
//!
//! A stand-in until incidents are records of their own. Must never join by what everything has (an organisation, an
//! environment).

use std::collections::{BTreeMap, BTreeSet};

use super::records::{Label, Labelled};
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

/// (field, value); an event's own id has no field.
type Thing = (String, String);

/// Things, and which of them are one.
#[derive(Default)]
struct Groups {
    numbers: BTreeMap<Thing, usize>,
    parents: Vec<usize>,
}

impl Groups {
    fn number(&mut self, thing: Thing) -> usize {
        let next = self.parents.len();
        let number = *self.numbers.entry(thing).or_insert(next);
        if number == next {
            self.parents.push(next);
        }
        number
    }

    fn root(&self, mut at: usize) -> usize {
        while let Some(&parent) = self.parents.get(at)
            && parent != at
        {
            at = parent;
        }
        at
    }

    fn join(&mut self, things: impl IntoIterator<Item = Thing>) -> Option<usize> {
        let mut first = None;
        for thing in things {
            let number = self.number(thing);
            let (a, b) = (self.root(number), self.root(*first.get_or_insert(number)));
            if let Some(parent) = self.parents.get_mut(a.max(b)) {
                *parent = a.min(b);
            }
        }
        first
    }
}

/// The number of groups of alerts that share something, directly, through others, or through events of the story.
pub(super) fn count(alerts: &[&Alert], events: &[Labelled]) -> usize {
    let mut groups = Groups::default();
    for event in events.iter().filter(|event| event.label != Label::Noise) {
        let id = (String::new(), event.id.clone());
        groups.join(std::iter::once(id).chain(event.lineage.iter().cloned()));
    }
    let of_alerts: Vec<usize> = alerts.iter().filter_map(|alert| groups.join(shared(alert))).collect();
    of_alerts.into_iter().map(|number| groups.root(number)).collect::<BTreeSet<_>>().len()
}

/// Its key, its provenance and its evidence. Of an alias only the name is known: it joins aliases.
fn shared(alert: &Alert) -> Vec<Thing> {
    let joins = |field: &str| EDGES.contains(&field) || OWNERS.contains(&field);
    let key = alert.key.iter().filter(|(field, _)| joins(field) || !field.starts_with("prov."));
    let narrow = key.chain(alert.facts.iter().filter(|(field, _)| joins(field)));
    let pairs = narrow.filter_map(|(field, value)| Some((field.clone(), value.as_str()?.to_owned())));
    pairs.chain(alert.evidence.iter().map(|id| (String::new(), id.clone()))).collect()
}
