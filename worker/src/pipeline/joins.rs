//! Lineage and incidents in one order: second by second, first the edges that events of it tell of, then the alerts of it.
//!
//! Alerts come from lanes that are ahead of each other, and wait here until every source has passed them. Must never show an
//! alert an edge that was seen after it, nor let the end of a chunk decide what it sees.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use model::{AlertRecord, IncidentRecord, Joint, RecordOrder, Sha256, Timestamp};
use rules::ast::AlertSpec;
use rules::lineage::{Key, Kind};
use serde::{Deserialize, Serialize};
use sinks::{IncidentLimits, Incidents, IncidentsHeld, IncidentsSnapshot, Near, Opening, OpeningPlace};

use super::lineage::{LineageStage, begin, second};
use crate::ruleset::RuleSet;

/// Alerts that wait for their incident. At the limit the first of them is taken early.
const WAITING_MAX: usize = 1_000_000;

/// The kind of a joint that is an event.
const EVENT: &str = "event";

/// Alerts on their way into incidents.
#[derive(Debug)]
pub struct IncidentStage {
    waiting: BTreeMap<OpeningPlace, Opening>,
    incidents: Incidents,
    /// Rules marked composite, by id and version, each with its kind.
    composites: BTreeMap<(Arc<str>, Sha256), Arc<str>>,
    /// Places of alerts that a worker before this one sealed.
    owed: BTreeSet<OpeningPlace>,
    /// Walks that were cut short.
    cut: u64,
}

/// What incidents hold, and what limits have cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Joined {
    /// Open incidents and their costs.
    pub of: IncidentsHeld,
    /// Alerts that wait for every source to have passed them.
    pub waiting: usize,
    /// Walks that would have reached more than they may.
    pub cut: u64,
}

/// The stage as a snapshot.
#[derive(Debug, Serialize, Deserialize)]
pub struct IncidentState {
    waiting: Vec<(OpeningPlace, Opening)>,
    incidents: IncidentsSnapshot,
}

impl IncidentStage {
    /// No alert has come.
    pub fn new(limits: IncidentLimits) -> IncidentStage {
        let (waiting, composites, owed) = Default::default();
        IncidentStage { waiting, incidents: Incidents::new(limits), composites, owed, cut: 0 }
    }

    /// Rules run from here on. Composites of one file say one thing under several keys: they are of one kind, which is named
    /// by the first of them.
    pub fn know(&mut self, rules: &RuleSet) {
        let marked = |alert: Option<&AlertSpec>| alert.is_some_and(|alert| alert.composite);
        let of_rules = rules.rules.iter().map(|rule| (marked(rule.alert.as_ref()), &rule.origin.file));
        let of_correlations = rules.correlations.iter().map(|of| (marked(of.alert.as_ref()), &of.origin.file));
        let mut kinds: BTreeMap<&Path, Arc<str>> = BTreeMap::new();
        for ((is_marked, file), info) in of_rules.chain(of_correlations).zip(&rules.infos) {
            if is_marked {
                let kind = kinds.entry(file).or_insert_with(|| info.id.clone());
                self.composites.insert((info.id.clone(), info.version), kind.clone());
            }
        }
    }

    /// An alert's record was sealed.
    pub fn push(&mut self, order: &RecordOrder, record: &AlertRecord) {
        if let Some(opening) = self.opening(record) {
            if !self.owed.is_empty() {
                self.waiting.retain(|place, waits| !(self.owed.contains(place) && is_again(waits, &opening)));
            }
            self.waiting.insert(OpeningPlace::of(order), opening);
        }
    }

    /// An alert's record was sealed by a worker that is gone, which did not come to tell of it. Should its events be read again,
    /// it is told of once.
    pub fn owe(&mut self, record: &AlertRecord) {
        if let Some(opening) = self.opening(record) {
            let place = OpeningPlace::owed(&opening);
            self.owed.insert(place.clone());
            self.waiting.insert(place, opening);
        }
    }

    fn opening(&self, record: &AlertRecord) -> Option<Opening> {
        let rule = (record.rule.id.clone(), record.rule.version);
        Opening::of(record, self.composites.get(&rule).cloned())
    }

    fn next(&self) -> Option<i64> {
        self.waiting.first_key_value().map(|(place, _)| second(place.time()))
    }

    /// Takes the alerts before a time.
    fn take(&mut self, before: Timestamp, lineage: &LineageStage, tell: &mut impl FnMut(IncidentRecord)) {
        while let Some(first) = self.waiting.first_entry()
            && first.key().time() < before
        {
            let (place, alert) = first.remove_entry();
            self.owed.remove(&place);
            self.join(&alert, lineage, tell);
        }
    }

    fn join(&mut self, alert: &Opening, lineage: &LineageStage, tell: &mut impl FnMut(IncidentRecord)) {
        let mut own: Vec<Key> = alert.evidence.iter().flat_map(|event| lineage.keys_of(event)).cloned().collect();
        own.extend(alert.group.iter().filter_map(|(field, text)| key(field, text)));
        let table = lineage.table();
        let around = table.borrow().around(&own, alert.at);
        self.cut += u64::from(around.is_cut);
        let joint = |key: &Key| Joint { kind: key.kind.name().into(), key: key.text.clone() };
        let mut near: Vec<Near> =
            around.steps.iter().map(|step| Near { joint: joint(&step.key), from: step.from }).collect();
        let event =
            |sha256: &Sha256| Near { joint: Joint { kind: EVENT.into(), key: sha256.hex().into() }, from: None };
        near.extend(alert.evidence.iter().map(event));
        self.incidents.take(alert, &near, tell);
    }

    /// What is held, and what limits have cost.
    pub fn held(&self) -> Joined {
        Joined { of: self.incidents.held(), waiting: self.waiting.len(), cut: self.cut }
    }

    /// All that it holds.
    pub fn snapshot(&self) -> IncidentState {
        let waiting = self.waiting.iter().map(|(place, alert)| (place.clone(), alert.clone())).collect();
        IncidentState { waiting, incidents: self.incidents.snapshot() }
    }

    /// Puts a snapshot in the place of nothing.
    pub fn restore(&mut self, state: IncidentState) {
        self.waiting.extend(state.waiting);
        self.incidents.restore(state.incidents);
    }
}

/// Fills the table and joins alerts, in order, with everything before the second of a time: every source has passed it, and
/// every alert of before it is here. With [`Timestamp::MAX`] open incidents close.
pub fn advance(
    lineage: &mut LineageStage,
    mut incidents: Option<&mut IncidentStage>,
    cursor: Timestamp,
    tell: &mut impl FnMut(IncidentRecord),
) {
    let limit = second(cursor);
    let next = |lineage: &LineageStage, incidents: Option<&IncidentStage>| {
        lineage.next().into_iter().chain(incidents.and_then(IncidentStage::next)).min().filter(|next| *next < limit)
    };
    while let Some(next) = next(lineage, incidents.as_deref()) {
        lineage.reach(begin(next + 1));
        if let Some(incidents) = &mut incidents {
            incidents.take(begin(next + 1), lineage, tell);
        }
    }
    let Some(stage) = incidents else { return };
    while stage.waiting.len() > WAITING_MAX
        && let Some((_, alert)) = stage.waiting.pop_first()
    {
        stage.join(&alert, lineage, tell);
    }
    stage.incidents.expire(if cursor == Timestamp::MAX { cursor } else { begin(limit) }, tell);
}

/// One alert, come again.
fn is_again(known: &Opening, opening: &Opening) -> bool {
    let name = |of: &Opening| (of.at, of.fingerprint, of.state);
    name(known) == name(opening)
}

/// The joint that a field of an alert's key names.
fn key(field: &str, text: &str) -> Option<Key> {
    let kind = match field {
        "prov.runner_name" => Kind::Runner,
        _ => Kind::ALL.into_iter().find(|kind| kind.field() == field)?,
    };
    kind.is_joint().then(|| match kind {
        Kind::Digest => Key::new(kind, &text.to_ascii_lowercase()),
        _ => Key::new(kind, text),
    })
}
