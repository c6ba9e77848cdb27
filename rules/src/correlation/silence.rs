//! Announcements that silence others: which rules name which, what has to be carried of an announcement, and what it says.
//!
//! Must never decide whether anything is silenced: that is sealing's business, behind the cursor.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::{Carried, Occurrence, RuleInfo, SCOPE_FIELDS, Silence, Timestamp};

use super::graph::Graph;
use crate::ast::{AlertSpec, Correlation, Rule};

/// Start and end of the announced time.
const WINDOW: [&str; 2] = ["from", "to"];

/// Fields of an announcement's scope, each with the texts that it may have.
pub(super) type Scope = Vec<(&'static str, Vec<String>)>;

/// Who silences whom, by index in the set.
#[derive(Debug, Default)]
pub(super) struct Silencing {
    suppressors: BTreeMap<u32, Vec<u32>>,
    announcing: BTreeSet<u32>,
}

impl Silencing {
    pub(super) fn new(rules: &[&Rule], correlations: &[&Correlation]) -> Silencing {
        let mut silencing = Silencing::default();
        let of_rules = rules.iter().map(|rule| rule.alert.as_ref());
        for (index, alert) in (0..).zip(of_rules.chain(correlations.iter().map(|of| of.alert.as_ref()))) {
            let named: Vec<u32> = alert.iter().flat_map(|alert| &alert.suppressors).map(|at| *at as u32).collect();
            silencing.announcing.extend(&named);
            if !named.is_empty() {
                silencing.suppressors.insert(index, named);
            }
        }
        silencing
    }

    /// The rules that announce.
    pub(super) fn announcing(&self) -> impl Iterator<Item = u32> {
        self.announcing.iter().copied()
    }

    /// Fields that an announcement is read by; none for other rules.
    pub(super) fn needs(&self, index: u32) -> impl Iterator<Item = String> {
        let is_one = self.announcing.contains(&index);
        announced_needs().into_iter().filter(move |_| is_one)
    }
}

/// Fields that an announcement is read by.
pub(super) fn announced_needs() -> Vec<String> {
    SCOPE_FIELDS.iter().chain(&WINDOW).map(|field| (*field).to_owned()).collect()
}

/// Fields that say what an alert is about that can be silenced.
pub(super) fn scope_needs(alert: &AlertSpec) -> impl Iterator<Item = String> {
    let fields = SCOPE_FIELDS.iter().filter(|_| !alert.suppressors.is_empty());
    fields.map(|field| (*field).to_owned())
}

impl Graph {
    /// The rules whose announcements silence a rule or correlation, all by index.
    pub fn suppressors(&self, index: u32) -> &[u32] {
        self.silencing.suppressors.get(&index).map(Vec::as_slice).unwrap_or_default()
    }

    /// What an event announces at which a rule holds. None: nobody waits for the rule's announcements, or the event says
    /// nothing that could be silenced.
    pub fn silence(&self, rule: u32, info: Arc<RuleInfo>, event: &Occurrence) -> Option<Silence> {
        if !self.silencing.announcing.contains(&rule) {
            return None;
        }
        let (scope, window) = self.announced(&event.fields);
        let at = (event.order.clone(), event.arrival, event.position.clone());
        Silence::new(info, at, scope, window)
    }

    /// What an announcement says that it is about, and from when until when.
    pub(super) fn announced(&self, fields: &Carried) -> (Scope, (Option<Timestamp>, Option<Timestamp>)) {
        let texts = |name: &str| {
            let field = self.field(name);
            field.map(|field| fields.texts(field).map(str::to_owned).collect::<Vec<_>>()).unwrap_or_default()
        };
        let [from, to] = WINDOW.map(|name| texts(name).first().and_then(|text| time(text)));
        let named = SCOPE_FIELDS.iter().map(|field| (*field, texts(field)));
        (named.filter(|(_, texts)| !texts.is_empty()).collect(), (from, to))
    }
}

/// A time as the model writes it (milliseconds since 1970), or as a record does.
fn time(text: &str) -> Option<Timestamp> {
    text.parse().ok().map(Timestamp::from_ms).or_else(|| Timestamp::parse(text))
}
