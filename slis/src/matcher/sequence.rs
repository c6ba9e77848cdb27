//! Events that a source numbers without gaps: how many there should have been, by what came.
//!
//! Each event counts as many as lie between it and the highest number below it; one that comes late takes its part of the
//! gap from the event above. Must never count a number twice.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::Event;
use serde::{Deserialize, Serialize};

use super::Told;
use super::scopes::Scopes;
use crate::contribution::{Contribution, Scope, Sums};
use crate::definition::{Definition, values};

/// Numbers of a source that are kept, so that late events find their gap.
const NUMBERS_MAX: usize = 100_000;

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Numbered {
    at_ms: i64,
    scope: Arc<Scope>,
}

/// See the module.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Sequences(BTreeMap<Arc<str>, BTreeMap<i64, Numbered>>);

impl Sequences {
    /// An event, where it has a number that has not been seen.
    pub(super) fn observe(
        &mut self,
        definition: &Definition,
        field: &str,
        (event, at_ms): (&Event, i64),
        scopes: &mut Scopes,
        told: Told<'_>,
    ) {
        let number = values(event, field).into_iter().next().and_then(|text| text.parse::<i64>().ok());
        let Some(number) = number.filter(|number| *number >= 0) else { return };
        let numbers = self.0.entry(event.source.clone()).or_default();
        if numbers.contains_key(&number) {
            return;
        }
        let new = Numbered { at_ms, scope: scopes.of(definition, event) };
        let counts = |of: &Numbered, good: i64, total: i64| {
            Contribution::new(
                &definition.code,
                of.at_ms,
                of.scope.clone(),
                Sums { good, total, ..Sums::default() },
                None,
            )
        };
        let below = numbers.range(..number).next_back().map(|(number, _)| *number);
        let above = numbers.range(number + 1..).next();
        // The first number that is known counts for itself alone.
        told(counts(&new, 1, below.map_or(1, |below| number - below)), None);
        if let Some((above, of)) = above {
            let before = below.map_or(1, |below| above - below);
            let after = above - number;
            if after != before {
                told(counts(of, 0, after - before), None);
            }
        }
        numbers.insert(number, new);
        // The lowest stays known as where counting began only as long as there is room.
        if numbers.len() > NUMBERS_MAX {
            numbers.pop_first();
        }
    }
}
