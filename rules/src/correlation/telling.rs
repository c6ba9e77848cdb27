//! What a correlation says where it holds: the finding, its key, its evidence, where it is told.
//!
//! Must never say what is not a function of the events of the window.

use std::sync::Arc;

use model::{Arrival, Basis, CarriedField, Evidence, Finding, Fingerprint, Measured, RuleInfo, Timestamp, Urgency};

use super::group;
use super::routes::Routes;
use super::state::{Seen, Verdict};

/// What findings of a node have in common.
#[derive(Debug)]
pub(super) struct Voice {
    pub(super) info: Arc<RuleInfo>,
    pub(super) routes: Routes,
    /// Names of the group's fields.
    pub(super) group: Vec<String>,
    /// `x-alert.fingerprint`, where it names others than the group.
    pub(super) fingerprint: Option<Vec<(String, Option<CarriedField>)>>,
    /// Names of the fields that events carry.
    pub(super) fields: Vec<(CarriedField, String)>,
}

impl Voice {
    /// The alert's key at an event of a group.
    pub(super) fn key(&self, group: &str, seen: &Seen) -> Vec<(String, String)> {
        let texts = group::texts(group);
        let own = || self.group.iter().zip(&texts).map(|(name, text)| (name.clone(), (*text).to_owned())).collect();
        let Some(declared) = &self.fingerprint else { return own() };
        let pair = |(name, field): &(String, Option<CarriedField>)| {
            let of_group = self.group.iter().position(|known| known == name).and_then(|at| texts.get(at).copied());
            let text = of_group.or_else(|| field.and_then(|field| seen.fields.text(field)))?;
            Some((name.clone(), text.to_owned()))
        };
        let all: Option<Vec<_>> = declared.iter().map(pair).collect();
        all.unwrap_or_else(|| vec![("event.id".to_owned(), seen.order.id.to_string())])
    }

    pub(super) fn fingerprint(&self, key: &[(String, String)]) -> Fingerprint {
        Fingerprint::new(&self.info.id, key.iter().map(|(field, text)| (field.as_str(), text.as_str())))
    }

    /// The finding of a verdict at an event, or (with `timer`) at a timer that the event set.
    pub(super) fn finding(
        &self,
        group: &str,
        seen: &Seen,
        verdict: &Verdict,
        timer: Option<i64>,
        (urgency, arrival): (Urgency, Arrival),
    ) -> Finding {
        let key = self.key(group, seen);
        let fingerprint = self.fingerprint(&key);
        let measured = verdict.value.map(|value| Measured { value, at_least: verdict.at_least });
        let basis = match timer {
            Some(time) => Basis::Timer(Timestamp::from_ms(time)),
            None => Basis::Window(measured),
        };
        let mut evidence: Vec<Evidence> = verdict.evidence.clone();
        evidence.dedup();
        let fact = |(field, name): &(CarriedField, String)| {
            let text = seen.fields.text(*field)?;
            Some((name.clone(), crate::eval::fact(name, text)))
        };
        Finding {
            rule: self.info.clone(),
            order: seen.order.clone(),
            timeless: false,
            key,
            fingerprint,
            urgency,
            arrival,
            facts: verdict.facts.iter().cloned().chain(self.fields.iter().filter_map(fact)).collect(),
            evidence,
            basis,
            position: seen.position.clone(),
        }
    }
}
