//! Risk (E11): what several rules say of one key adds up, and fades.
//!
//! R(t) = Σ over rules of the greatest w · 2^(−(t − tᵢ) / half-life), after the way of risk-based alerting. Computed anew
//! from what is in the window at every event, in billionths and with integers, so that neither history nor a machine's
//! floating point shows in the sum. Must never let one rule alone, or one kind of event, pass for several.

use std::any::Any;
use std::sync::Arc;

use model::{
    Anomaly, Detector, DetectorHeld, Evidence, Figures, Malformed, Observation, RiskSpec, Standing, Timestamp,
    from_snapshot, to_snapshot,
};
use serde::{Deserialize, Serialize};

use crate::Limits;
use crate::keyed::Keyed;

/// What one key holds where rules count as often as they hold; beyond it the oldest goes.
const SHARES_MAX: usize = 1_000;

/// Billionths in one.
const ONE: i128 = 1_000_000_000;

/// One as a fraction of 64 bits.
const WHOLE: u64 = 1 << 63;

/// 2^(−1/2), 2^(−1/4), 2^(−1/8) …, in parts of [`WHOLE`]: each the root of the one before.
const ROOTS: [u64; 32] = {
    let mut roots = [0; 32];
    let mut last = WHOLE / 2;
    let mut at = 0;
    while at < roots.len() {
        last = (((last as u128) << 63).isqrt()) as u64;
        roots[at] = last;
        at += 1;
    }
    roots
};

/// See the module.
#[derive(Debug)]
pub struct Risk {
    spec: RiskSpec,
    limits: Limits,
    /// By rule of the specification, in billionths.
    weights: Vec<i128>,
    keys: Keyed<Vec<Share>>,
    forgotten: u64,
}

/// What one event adds.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Share {
    rule: usize,
    class: Box<str>,
    at: Timestamp,
    evidence: Arc<Evidence>,
}

/// 2^(−elapsed / half-life) in parts of [`WHOLE`]: exact to the 32nd binary digit of the exponent.
fn faded(elapsed_ms: i64, half_life_ms: i64) -> u64 {
    let (elapsed, half_life) = (elapsed_ms.max(0) as u128, half_life_ms.max(1) as u128);
    let halvings = elapsed / half_life;
    if halvings > 62 {
        return 0;
    }
    let digits = ((elapsed % half_life) << 32) / half_life;
    let mut part = u128::from(WHOLE);
    for (at, root) in ROOTS.iter().enumerate() {
        if digits >> (31 - at) & 1 == 1 {
            part = (part * u128::from(*root)) >> 63;
        }
    }
    (part >> halvings) as u64
}

impl Risk {
    /// Nothing has been said of anybody yet.
    pub fn new(spec: RiskSpec, limits: Limits) -> Risk {
        let weights = spec.weights.iter().map(|(_, weight)| (weight * ONE as f64).round() as i128).collect();
        let keys = Keyed::new(spec.span_ms, limits.keys_max);
        Risk { spec, limits, weights, keys, forgotten: 0 }
    }

    /// What a share adds at a time, in billionths.
    fn adds(&self, share: &Share, now: Timestamp) -> i128 {
        let weight = self.weights.get(share.rule).copied().unwrap_or(0);
        match self.spec.half_life_ms {
            None => weight,
            Some(half_life) => {
                let elapsed = now.ms().saturating_sub(share.at.ms());
                (weight * i128::from(faded(elapsed, half_life))) >> 63
            }
        }
    }

    fn name(&self, rule: usize) -> &str {
        self.spec.weights.get(rule).map_or("", |(name, _)| name)
    }

    /// The sum over a key's shares. None: too few rules, or too few kinds of events.
    fn sum(&self, shares: &[Share], now: Timestamp) -> Option<Anomaly> {
        let mut by_rule: Vec<(usize, i128, &Share)> = Vec::new();
        for share in shares {
            let adds = self.adds(share, now);
            match by_rule.iter_mut().find(|(rule, ..)| *rule == share.rule) {
                Some((_, sum, newest)) => {
                    *sum = if self.spec.is_capped { adds.max(*sum) } else { *sum + adds };
                    if newest.at <= share.at {
                        *newest = share;
                    }
                }
                None => by_rule.push((share.rule, adds, share)),
            }
        }
        by_rule.retain(|(_, adds, _)| *adds > 0);
        by_rule.sort_by_key(|(rule, ..)| *rule);
        let mut classes: Vec<&str> =
            shares.iter().map(|share| &*share.class).filter(|class| !class.is_empty()).collect();
        classes.sort_unstable();
        classes.dedup();
        if (by_rule.len() as u64) < self.spec.rules_min || (classes.len() as u64) < self.spec.classes_min {
            return None;
        }
        let sum: i128 = by_rule.iter().map(|(_, adds, _)| adds).sum();
        let float = |of: i128| (of / ONE) as f64 + (of % ONE) as f64 / ONE as f64;
        let parts: Vec<String> =
            by_rule.iter().map(|(rule, adds, _)| format!("{} {:.1}", self.name(*rule), float(*adds))).collect();
        let mut evidence: Vec<(Timestamp, Arc<Evidence>)> =
            by_rule.iter().map(|(.., share)| (share.at, share.evidence.clone())).collect();
        evidence.sort();
        evidence.dedup();
        let fades = self.spec.half_life_ms.map_or(String::new(), |ms| format!(", half of it after {} s", ms / 1_000));
        Some(Anomaly {
            value: float(sum),
            observed: format!("risk {:.1} of {} rules: {}", float(sum), by_rule.len(), parts.join(", ")),
            baseline: format!(
                "what counts is of the last {} s{fades}; kinds of events: {}",
                self.spec.span_ms / 1_000,
                classes.join(", ")
            ),
            figures: Figures::default(),
            evidence: evidence.into_iter().map(|(_, evidence)| evidence).collect(),
            standing: Standing::Active,
        })
    }
}

impl Detector for Risk {
    /// Its value is the sum.
    fn observe(&mut self, observation: &Observation<'_>) -> Option<Anomaly> {
        let [keys, rules, classes] = observation.texts else { return None };
        let (key, rule) = (keys.first()?, rules.first()?);
        let rule = self.spec.weights.iter().position(|(name, _)| name == rule)?;
        let class = classes.first().copied().unwrap_or_default();
        let now = observation.at;
        let oldest = now.ms().saturating_sub(self.spec.span_ms);
        let share = Share { rule, class: class.into(), at: now, evidence: observation.evidence.clone() };
        if self.weights.get(rule).is_some_and(|weight| *weight > 0) {
            let shares = self.keys.touch(key, now);
            shares.retain(|share| share.at.ms() >= oldest);
            if self.spec.is_capped {
                shares.retain(|known| known.rule != rule || *known.class != *class);
            } else if shares.len() >= SHARES_MAX {
                shares.remove(0);
                self.forgotten += 1;
            }
            shares.push(share);
        }
        let shares: Vec<Share> =
            self.keys.get(key, now)?.iter().filter(|share| share.at.ms() >= oldest).cloned().collect();
        self.sum(&shares, now)
    }

    fn peek(&self, ahead: &mut (dyn Detector + 'static), observation: &Observation<'_>) -> Option<Anomaly> {
        let ahead = (ahead as &mut dyn Any).downcast_mut::<Risk>()?;
        observation.texts.first()?.iter().for_each(|key| ahead.keys.take_over(&self.keys, key));
        ahead.observe(observation)
    }

    fn ahead(&self) -> Box<dyn Detector> {
        Box::new(Risk::new(self.spec.clone(), self.limits))
    }

    fn forget_before(&mut self, time: Timestamp) {
        self.keys.forget_before(time);
    }

    fn held(&self) -> DetectorHeld {
        DetectorHeld { keys: self.keys.len(), evicted: self.keys.evicted() + self.forgotten }
    }

    fn snapshot(&self) -> Result<Vec<u8>, Malformed> {
        to_snapshot(&(self.keys.kept(), self.forgotten))
    }

    fn restore(&mut self, snapshot: &[u8]) -> Result<(), Malformed> {
        let (keys, forgotten) = from_snapshot(snapshot)?;
        self.keys.keep(keys);
        self.forgotten = forgotten;
        Ok(())
    }
}
