//! First seen (E4): a tuple of texts that is new to its key, where the key is known well enough to say so.
//!
//! The first field is the key that learns, what follows is the tuple, the last field is the term whose prevalence counts. A
//! tuple is new until its quarantine is over and again when it was not seen for the memory's length. It is told when the key
//! is warm, the term is rare among others, and newness is rare for the key: by Good and Turing's estimate the part of
//! observations that will be new is f1 / n, terms seen once over observations. Must never learn from an event that an
//! attacker wrote, nor let what was told count as known before its quarantine is over.

use std::any::Any;
use std::collections::BTreeMap;

use model::{
    Anomaly, Detector, DetectorHeld, Figures, FirstSeenSpec, Malformed, Observation, Standing, Timestamp,
    from_snapshot, to_snapshot,
};
use serde::{Deserialize, Serialize};

use crate::Limits;
use crate::keyed::Keyed;

/// Tuples of one key. Beyond it a sixteenth goes: those in quarantine, then those seen longest ago.
const TUPLES_MAX: usize = 4_096;

/// Values with which a term is known; beyond it the one seen longest ago goes.
const VALUES_MAX: usize = 64;

/// Tuples of one event, where its fields have several values.
const EVENT_TUPLES_MAX: usize = 64;

/// See the module.
#[derive(Debug)]
pub struct FirstSeen {
    spec: FirstSeenSpec,
    limits: Limits,
    keys: Keyed<Key>,
    /// By term: the values with which it was seen.
    prevalence: Keyed<BTreeMap<Box<str>, Sight>>,
    /// Tuples that a full key gave up.
    forgotten: u64,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Key {
    events: u64,
    first_ms: Option<i64>,
    tuples: BTreeMap<Box<str>, Sight>,
}

/// A tuple (or a value with a term) that was seen.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Sight {
    /// When its quarantine began.
    since_ms: i64,
    last_ms: i64,
    count: u64,
}

impl FirstSeen {
    /// Nothing is known yet.
    pub fn new(spec: FirstSeenSpec, limits: Limits) -> FirstSeen {
        let (keys, prevalence) =
            (Keyed::new(spec.memory_ms, limits.keys_max), Keyed::new(spec.memory_ms, limits.keys_max));
        FirstSeen { spec, limits, keys, prevalence, forgotten: 0 }
    }

    /// A tuple turned out to come from somebody who attacks: its quarantine begins anew.
    pub fn distrust(&mut self, tuple: &[&str], at: Timestamp) {
        let (key, rest) = key_of(tuple);
        if let Some(sight) = self.keys.get_mut(key, at).and_then(|known| known.tuples.get_mut(joined(rest).as_str())) {
            sight.since_ms = sight.since_ms.max(at.ms());
        }
    }

    fn is_alive(&self, sight: &Sight, now: Timestamp) -> bool {
        sight.last_ms >= now.ms().saturating_sub(self.spec.memory_ms)
    }

    fn is_known(&self, sight: &Sight, now: Timestamp) -> bool {
        self.is_alive(sight, now) && sight.since_ms.saturating_add(self.spec.quarantine_ms) <= now.ms()
    }

    /// What is remarkable about a tuple: all that is asked agrees.
    fn judge(&self, tuple: &[&str], has_over: bool, observation: &Observation<'_>) -> Option<Anomaly> {
        let (spec, now) = (&self.spec, observation.at);
        let (key, rest) = key_of(tuple);
        let nobody = Key::default();
        let known = self.keys.get(key, now).unwrap_or(&nobody);
        if known.tuples.get(joined(rest).as_str()).is_some_and(|sight| self.is_known(sight, now)) {
            return None;
        }
        let age_ms = known.first_ms.map_or(0, |first| now.ms().saturating_sub(first));
        if known.events < spec.warmup_events || age_ms < spec.warmup_ms {
            return None;
        }
        let term = tuple.last().copied().unwrap_or_default();
        let others = match &spec.prevalence {
            None => None,
            Some((_, below)) => {
                let sights = self.prevalence.get(term, now).into_iter().flat_map(BTreeMap::values);
                let values = sights.filter(|sight| self.is_known(sight, now)).count() as u64;
                if !has_over || values >= *below {
                    return None;
                }
                Some(values)
            }
        };
        let sights: Vec<&Sight> = known.tuples.values().filter(|sight| self.is_known(sight, now)).collect();
        let n: u64 = sights.iter().map(|sight| sight.count).sum();
        let once = sights.iter().filter(|sight| sight.count == 1).count();
        let novelty = if n == 0 { 1.0 } else { once as f64 / n as f64 };
        if spec.novelty_max.is_some_and(|most| novelty > most) {
            return None;
        }
        let newest = sights.iter().map(|sight| sight.since_ms).max();
        Some(Anomaly {
            value: novelty,
            observed: self.observed(tuple),
            baseline: self.baseline(known, (sights.len(), n, newest), others),
            figures: Figures::default(),
            evidence: vec![observation.evidence.clone()],
            standing: Standing::Active,
        })
    }

    fn observed(&self, tuple: &[&str]) -> String {
        let mut parts: Vec<String> =
            self.spec.fields.iter().zip(tuple).map(|(field, text)| format!("{field} {text}")).collect();
        let term = parts.pop().unwrap_or_default();
        let of = if parts.is_empty() { String::new() } else { format!(" of {}", parts.join(", ")) };
        format!("{term}{of}: not seen in {}", days(self.spec.memory_ms))
    }

    fn baseline(&self, key: &Key, (tuples, n, newest): (usize, u64, Option<i64>), others: Option<u64>) -> String {
        let whose = match self.spec.fields.as_slice() {
            [key, _, ..] => format!("this {key}"),
            _ => "all".to_owned(),
        };
        let mut words = match key.first_ms {
            None => format!("{whose}: no events before"),
            Some(first) => format!("{whose}: {} events since {}", key.events, Timestamp::from_ms(first)),
        };
        words.push_str(&match newest {
            None => ", nothing is known yet".to_owned(),
            Some(newest) => {
                format!(", {tuples} known from {n} of them, the newest since {}", Timestamp::from_ms(newest))
            }
        });
        if let (Some((over, _)), Some(others)) = (&self.spec.prevalence, others) {
            words.push_str(&format!("; {others} {over} know it"));
        }
        words
    }

    /// Takes in what an event shows: its keys once, its tuples, its terms with the values that prevalence counts.
    fn learn(&mut self, tuples: &[Vec<&str>], over: &[&str], now: Timestamp) {
        let mut counted: Vec<&str> = Vec::new();
        for tuple in tuples {
            let (key, rest) = key_of(tuple);
            let known = self.keys.touch(key, now);
            known.first_ms = Some(known.first_ms.map_or(now.ms(), |first| first.min(now.ms())));
            if !counted.contains(&key) {
                counted.push(key);
                known.events += 1;
            }
            let oldest = now.ms().saturating_sub(self.spec.memory_ms);
            let name = joined(rest);
            if known.tuples.len() >= TUPLES_MAX && !known.tuples.contains_key(name.as_str()) {
                self.forgotten += make_room(&mut known.tuples, TUPLES_MAX, oldest, now, self.spec.quarantine_ms);
            }
            see(&mut known.tuples, &name, oldest, now);
            if self.spec.prevalence.is_none() {
                continue;
            }
            let values = self.prevalence.touch(tuple.last().copied().unwrap_or_default(), now);
            for value in over {
                if values.len() >= VALUES_MAX && !values.contains_key(*value) {
                    self.forgotten += make_room(values, VALUES_MAX, oldest, now, self.spec.quarantine_ms);
                }
                see(values, value, oldest, now);
            }
        }
    }
}

impl Detector for FirstSeen {
    /// Its value is the part of the key's observations that is new, by Good and Turing.
    fn observe(&mut self, observation: &Observation<'_>) -> Option<Anomaly> {
        let (fields, over) = observation.texts.split_at_checked(self.spec.fields.len())?;
        let over = over.first().map(Vec::as_slice).unwrap_or_default();
        let mut tuples = Vec::new();
        tuples_of(fields, &mut Vec::new(), &mut tuples);
        let found = tuples.iter().find_map(|tuple| self.judge(tuple, !over.is_empty(), observation));
        if observation.teaches {
            self.learn(&tuples, over, observation.at);
        }
        found
    }

    fn peek(&self, ahead: &mut (dyn Detector + 'static), observation: &Observation<'_>) -> Option<Anomaly> {
        let ahead = (ahead as &mut dyn Any).downcast_mut::<FirstSeen>()?;
        let (fields, _) = observation.texts.split_at_checked(self.spec.fields.len())?;
        let mut tuples = Vec::new();
        tuples_of(fields, &mut Vec::new(), &mut tuples);
        for tuple in &tuples {
            ahead.keys.take_over(&self.keys, key_of(tuple).0);
            ahead.prevalence.take_over(&self.prevalence, tuple.last().copied().unwrap_or_default());
        }
        ahead.observe(observation)
    }

    fn ahead(&self) -> Box<dyn Detector> {
        Box::new(FirstSeen::new(self.spec.clone(), self.limits))
    }

    fn forget_before(&mut self, time: Timestamp) {
        self.keys.forget_before(time);
        self.prevalence.forget_before(time);
    }

    fn held(&self) -> DetectorHeld {
        let evicted = self.keys.evicted() + self.prevalence.evicted() + self.forgotten;
        DetectorHeld { keys: self.keys.len(), evicted }
    }

    fn snapshot(&self) -> Result<Vec<u8>, Malformed> {
        to_snapshot(&(self.keys.kept(), self.prevalence.kept(), self.forgotten))
    }

    fn restore(&mut self, snapshot: &[u8]) -> Result<(), Malformed> {
        let (keys, prevalence, forgotten) = from_snapshot(snapshot)?;
        self.keys.keep(keys);
        self.prevalence.keep(prevalence);
        self.forgotten = forgotten;
        Ok(())
    }
}

/// The key that learns and what is new to it: a single field belongs to one key for all.
fn key_of<'t, 'e>(tuple: &'t [&'e str]) -> (&'e str, &'t [&'e str]) {
    match tuple {
        [key, rest @ ..] if !rest.is_empty() => (key, rest),
        single => ("", single),
    }
}

/// Every choice of one text a field; none where a field has none.
fn tuples_of<'e>(fields: &[Vec<&'e str>], chosen: &mut Vec<&'e str>, tuples: &mut Vec<Vec<&'e str>>) {
    let Some((first, rest)) = fields.split_first() else {
        if tuples.len() < EVENT_TUPLES_MAX && !chosen.is_empty() {
            tuples.push(chosen.clone());
        }
        return;
    };
    for text in first {
        chosen.push(text);
        tuples_of(rest, chosen, tuples);
        chosen.pop();
    }
}

fn see(sights: &mut BTreeMap<Box<str>, Sight>, name: &str, oldest: i64, now: Timestamp) {
    let new = Sight { since_ms: now.ms(), last_ms: now.ms(), count: 0 };
    let sight = sights.entry(name.into()).or_insert(new);
    if sight.last_ms < oldest {
        *sight = new;
    }
    sight.last_ms = sight.last_ms.max(now.ms());
    sight.count += 1;
}

/// Drops what is forgotten; where that is not enough, a sixteenth: what is in quarantine, then what was seen longest ago.
/// Of what is in quarantine the newest goes: else nothing of what comes often would ever be known. Gives how many went that
/// were not forgotten.
fn make_room(
    sights: &mut BTreeMap<Box<str>, Sight>,
    most: usize,
    oldest: i64,
    now: Timestamp,
    quarantine_ms: i64,
) -> u64 {
    sights.retain(|_, sight| sight.last_ms >= oldest);
    if sights.len() < most {
        return 0;
    }
    let rank = |sight: &Sight| match sight.since_ms.saturating_add(quarantine_ms) <= now.ms() {
        true => (true, sight.last_ms),
        false => (false, sight.since_ms.saturating_neg()),
    };
    let mut ranked: Vec<((bool, i64), Box<str>)> =
        sights.iter().map(|(name, sight)| (rank(sight), name.clone())).collect();
    ranked.sort_unstable();
    ranked.truncate((most / 16).max(1));
    ranked.iter().for_each(|(.., name)| {
        sights.remove(name);
    });
    ranked.len() as u64
}

/// Texts as one name, each behind its length: no two tuples run into each other.
fn joined(texts: &[&str]) -> String {
    texts.iter().map(|text| format!("{}:{text}", text.len())).collect()
}

/// Milliseconds in days, or in hours where they are none.
fn days(ms: i64) -> String {
    match (ms % 86_400_000, ms % 3_600_000) {
        (0, _) => format!("{} days", ms / 86_400_000),
        (_, 0) => format!("{} hours", ms / 3_600_000),
        _ => format!("{} s", ms / 1_000),
    }
}
