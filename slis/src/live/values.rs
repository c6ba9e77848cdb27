//! What objectives show while they run: counters of indicators, burn rates and verdicts as of the last close.
//!
//! Written behind the cursor, read by whoever serves metrics. Must never decide anything.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use model::{Timestamp, Urgency};

use super::burning::Burning;
use crate::burn::Judgement;
use crate::contribution::Contribution;
use crate::slo::Slo;

/// Series of counters; what more there is counts without its team and environment.
const SERIES_MAX: usize = 10_000;

/// One objective for one key at a close.
#[derive(Debug, Clone, PartialEq)]
pub struct Burns {
    /// Name of the objective.
    pub slo: String,
    /// Whose; empty: of all.
    pub key: Arc<str>,
    /// Burn rates by the windows' length in milliseconds; none where nothing was counted.
    pub rates: BTreeMap<i64, f64>,
    /// Share of the period's budget that is left; below 0 it is overspent. None: nothing was counted.
    pub budget_left: Option<f64>,
    /// What is told.
    pub urgency: Option<Urgency>,
}

/// An indicator, a team and an environment.
pub type Labels = (Arc<str>, Arc<str>, Arc<str>);

/// Counters of one indicator, team and environment. A correction takes nothing back: it is counted beside.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Counters {
    pub good: u64,
    pub total: u64,
    /// How many of the good ones were taken back.
    pub good_corrected: u64,
    /// How many of all were taken back.
    pub total_corrected: u64,
}

/// See the module.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LiveValues {
    /// By indicator, team and environment.
    pub counters: BTreeMap<Labels, Counters>,
    /// As of the last close.
    pub burns: Vec<Burns>,
    /// The last close.
    pub as_of: Option<Timestamp>,
}

/// The values, shared with who reads them.
#[derive(Debug, Clone, Default)]
pub struct Shared(Arc<Mutex<LiveValues>>);

impl Shared {
    /// The values as they are.
    pub fn get(&self) -> LiveValues {
        self.0.lock().map(|values| values.clone()).unwrap_or_default()
    }

    pub(super) fn count(&self, told: &Contribution) {
        let Ok(mut values) = self.0.lock() else { return };
        let (sums, key) = (told.sums, &told.key);
        let full = (key.indicator.clone(), key.scope.team().clone(), key.scope.environment().clone());
        let has_room = values.counters.len() < SERIES_MAX || values.counters.contains_key(&full);
        let place = if has_room { full } else { (full.0, "".into(), "".into()) };
        let counters = values.counters.entry(place).or_default();
        let part = |number: i64| u64::try_from(number).unwrap_or(0);
        counters.good += part(sums.good);
        counters.total += part(sums.total);
        counters.good_corrected += part(sums.good.saturating_neg());
        counters.total_corrected += part(sums.total.saturating_neg());
    }

    pub(super) fn close(&self, at: Timestamp, burns: Vec<Burns>) {
        if let Ok(mut values) = self.0.lock() {
            (values.as_of, values.burns) = (Some(at), burns);
        }
    }
}

/// What an objective's state shows.
pub(super) fn burns(slo: &Slo, key: &Arc<str>, state: &Burning, judgement: &Judgement) -> Burns {
    let lengths = slo.policy.conditions.iter().flat_map(|of| [of.long_ms, of.short_ms]);
    let rate = |length_ms| Some((length_ms, slo.policy.objective.burn_rate(state.window(length_ms))?));
    Burns {
        slo: slo.name.clone(),
        key: key.clone(),
        rates: lengths.filter_map(rate).collect(),
        budget_left: state.budget(slo).map(|budget| budget.left),
        urgency: judgement.urgency,
    }
}
