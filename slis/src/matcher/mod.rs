//! Events to contributions: an anchor waits for its matches until its deadline in event time; what is then known decides.
//!
//! What an anchor contributes is a function of the anchor and of the matches of its key, so a late event corrects what was
//! booked: what was told is taken back and told anew. Must never let the order of arrival decide anything.

mod held;
mod maintenance;
mod scopes;
mod sequence;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::{Event, EventClass, Evidence, Malformed, Timestamp, from_snapshot, to_snapshot};
use serde::{Deserialize, Serialize};

use crate::contribution::{Contribution, Sums};
use crate::definition::{Anchor, Definition, Good, Kind, Measure, values};
use held::{Held, Waiting};
use maintenance::Maintenance;
use scopes::Scopes;
use sequence::Sequences;

/// How much a matcher may hold. At a limit the oldest goes, as it stands, and is counted.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Anchors of one indicator that wait or may still be corrected.
    pub anchors_max: usize,
    /// Times of matches that one key of an indicator keeps.
    pub matches_max: usize,
    /// Events that alerts may name as evidence.
    pub evidence_max: usize,
    /// How long after its deadline an anchor can be corrected, in milliseconds of event time.
    pub corrects_ms: i64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { anchors_max: 1_000_000, matches_max: 256, evidence_max: 4_000_000, corrects_ms: 2 * 86_400_000 }
    }
}

/// What a matcher could not hold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AtLimit {
    /// Anchors that were decided as they stood.
    pub anchors: u64,
    /// Matches that were forgotten.
    pub matches: u64,
    /// Events whose time is no longer known.
    pub evidence: u64,
}

/// What an event is to an indicator.
#[derive(Debug, Clone, Copy)]
enum Part {
    Anchor(usize),
    Match(usize),
    Heard,
}

/// Field of an archived alert: SHA-256 of the events that it names as evidence.
pub const EVIDENCE_FIELD: &str = "evidence_sha256";

/// Where contributions go, each with the event that it is of, where it is of one.
pub type Told<'t> = &'t mut dyn FnMut(Contribution, Option<&Arc<Evidence>>);

/// Decides contributions of all indicators.
#[derive(Debug)]
pub struct Matcher {
    definitions: Arc<[Definition]>,
    by_class: BTreeMap<EventClass, Vec<(usize, Part)>>,
    asks_for_evidence: bool,
    limits: Limits,
    scopes: Scopes,
    kept: Kept,
}

/// What a matcher knows: all that outlives a restart.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    held: Vec<Held>,
    sequences: Vec<Sequences>,
    maintenance: Maintenance,
    /// Times of events by hash, for alerts that name them, where an indicator asks; with the order in which they came.
    times: BTreeMap<Arc<str>, i64>,
    by_time: BTreeSet<(i64, Arc<str>)>,
    watermark_ms: i64,
    at_limit: AtLimit,
}

impl Matcher {
    /// A matcher that has seen nothing.
    pub fn new(definitions: Arc<[Definition]>, limits: Limits) -> Matcher {
        let mut by_class: BTreeMap<EventClass, Vec<(usize, Part)>> = BTreeMap::new();
        for (at, definition) in definitions.iter().enumerate() {
            let anchors = definition.anchors.iter().enumerate().map(|(i, of)| (&of.classes, Part::Anchor(i)));
            let matches = definition.matches.iter().enumerate().map(|(i, of)| (&of.classes, Part::Match(i)));
            let heard = std::iter::once((&definition.hears, Part::Heard));
            for (classes, part) in anchors.chain(matches).chain(heard) {
                classes.iter().for_each(|class| by_class.entry(*class).or_default().push((at, part)));
            }
        }
        let kept = Kept {
            held: definitions.iter().map(|_| Held::default()).collect(),
            sequences: definitions.iter().map(|_| Sequences::default()).collect(),
            maintenance: Maintenance::default(),
            times: BTreeMap::new(),
            by_time: BTreeSet::new(),
            watermark_ms: i64::MIN,
            at_limit: AtLimit::default(),
        };
        let asks_for_evidence = definitions.iter().any(|of| of.measure == Measure::Evidence);
        Matcher { definitions, by_class, asks_for_evidence, limits, scopes: Scopes::default(), kept }
    }

    /// All that it knows, as bytes.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn snapshot(&self) -> Result<Vec<u8>, Malformed> {
        to_snapshot(&self.kept)
    }

    /// Puts what a matcher of the same definitions knew in the place of what this one knows.
    ///
    /// # Errors
    /// When the bytes are no such snapshot; nothing has changed then.
    pub fn restore(&mut self, snapshot: &[u8]) -> Result<(), Malformed> {
        self.kept = from_snapshot(snapshot)?;
        Ok(())
    }

    /// Anchors that wait for their matches.
    pub fn waiting(&self) -> usize {
        self.kept.held.iter().map(Held::waiting).sum()
    }

    /// Some anchor's deadline is not over.
    pub fn waits(&self) -> bool {
        self.kept.held.iter().any(Held::waits)
    }

    /// What could not be held so far.
    pub fn at_limit(&self) -> AtLimit {
        self.kept.at_limit
    }

    /// Takes an event. Events without a time decide nothing; such without a class may be evidence.
    pub fn observe(&mut self, event: &Event, told: Told<'_>) {
        let Some(at_ms) = event.time.map(Timestamp::ms) else { return };
        if self.asks_for_evidence && event.class != Some(EventClass::Alert) {
            self.know(event.sha256.hex().into(), at_ms);
        }
        let Some(class) = event.class else { return };
        if class == EventClass::OpsMaintenance && self.kept.maintenance.add(event, at_ms) {
            self.reconsider(told);
        }
        let definitions = self.definitions.clone();
        for &(number, part) in self.by_class.get(&class).map(Vec::as_slice).unwrap_or_default() {
            let (Some(definition), Some(held)) = (definitions.get(number), self.kept.held.get_mut(number)) else {
                continue;
            };
            match part {
                Part::Heard => {
                    let sums = Sums { seen: 1, ..Sums::default() };
                    let scope = self.scopes.of(definition, event);
                    told(Contribution::new(&definition.code, at_ms, scope, sums, None), None);
                }
                Part::Anchor(i) => {
                    let Some(anchor) = definition.anchors.get(i).filter(|of| of.filter.holds(event)) else { continue };
                    if let (Some(field), Some(sequences)) = (&definition.sequence, self.kept.sequences.get_mut(number))
                    {
                        sequences.observe(definition, field, (event, at_ms), &mut self.scopes, told);
                        continue;
                    }
                    let known = (&self.kept.times, &mut self.scopes);
                    let Some(waiting) = waiting(definition, anchor, (event, at_ms), known) else { continue };
                    if definition.matches.is_empty() && !definition.excludes_maintenance {
                        told(waiting.contribution(definition, true, None, false), Some(&waiting.evidence));
                        continue;
                    }
                    let key = key_of(event, &anchor.key).unwrap_or_default();
                    let now = (self.kept.watermark_ms, &self.kept.maintenance);
                    self.kept.at_limit.anchors += held.add(definition, key, waiting, now, self.limits, told);
                }
                Part::Match(i) => {
                    let Some(of) = definition.matches.get(i).filter(|of| of.filter.holds(event)) else { continue };
                    let Some(key) = key_of(event, &of.key) else { continue };
                    let now = (self.kept.watermark_ms, &self.kept.maintenance);
                    self.kept.at_limit.matches += held.saw(definition, key, (i, at_ms), now, self.limits, told);
                }
            }
        }
    }

    /// Every event before this time has been observed, but for late ones: deadlines before it are over.
    pub fn advance(&mut self, watermark_ms: i64, told: Told<'_>) {
        if watermark_ms <= self.kept.watermark_ms {
            return;
        }
        self.kept.watermark_ms = watermark_ms;
        for (definition, held) in self.definitions.iter().zip(&mut self.kept.held) {
            held.advance(definition, (watermark_ms, &self.kept.maintenance), self.limits, told);
        }
    }

    /// Announced maintenance has changed: what was decided may stand differently.
    fn reconsider(&mut self, told: Told<'_>) {
        for (definition, held) in self.definitions.iter().zip(&mut self.kept.held) {
            if definition.excludes_maintenance {
                held.reconsider(definition, (self.kept.watermark_ms, &self.kept.maintenance), told);
            }
        }
    }

    fn know(&mut self, sha256: Arc<str>, at_ms: i64) {
        if self.kept.times.insert(sha256.clone(), at_ms).is_none() {
            self.kept.by_time.insert((at_ms, sha256));
        }
        while self.kept.times.len() > self.limits.evidence_max
            && let Some((_, oldest)) = self.kept.by_time.pop_first()
        {
            self.kept.times.remove(&oldest);
            self.kept.at_limit.evidence += 1;
        }
    }
}

/// The values of a key's fields. None: one of them has none.
fn key_of(event: &Event, fields: &[String]) -> Option<Arc<str>> {
    let mut key = String::new();
    for (at, field) in fields.iter().enumerate() {
        if at > 0 {
            key.push('\0');
        }
        key.push_str(values(event, field).first()?);
    }
    (!fields.is_empty()).then(|| key.into())
}

/// An anchor as it is held. None: it has no key to wait with, so nothing can be said of it.
fn waiting(
    definition: &Definition,
    anchor: &Anchor,
    (event, at_ms): (&Event, i64),
    (times, scopes): (&BTreeMap<Arc<str>, i64>, &mut Scopes),
) -> Option<Waiting> {
    if !definition.matches.is_empty() && key_of(event, &anchor.key).is_none() {
        return None;
    }
    let measured_us = match &definition.measure {
        Measure::Field(field, unit_us) => {
            let number: f64 = values(event, field).into_iter().next()?.parse().ok()?;
            let us = number * f64::from(*unit_us);
            Some(if us.is_finite() && us > 0.0 { us.round() as u64 } else { 0 })
        }
        Measure::Evidence => {
            let named = values(event, EVIDENCE_FIELD);
            let known = named.iter().filter_map(|hex| times.get(hex.as_ref()).copied());
            Some(known.min().map_or(0, |first_ms| span_us(first_ms, at_ms)))
        }
        Measure::Nothing | Measure::ToMatch => None,
    };
    let says_good = match &anchor.good {
        Good::When(filter) => filter.holds(event),
        Good::Matched | Good::Adds(_) => true,
    };
    let added = match anchor.good {
        Good::Adds(good) => Some(good),
        Good::Matched | Good::When(_) => (definition.kind == Kind::Count).then_some(0),
    };
    let scope = scopes.of(definition, event);
    let id = event.id.clone().unwrap_or_else(|| event.sha256.hex().into());
    let evidence = Arc::new(Evidence { id, sha256: event.sha256 });
    Some(Waiting { at_ms, scope, total: anchor.total, added, says_good, measured_us, evidence, booked: None })
}

/// From one time to a later one, in microseconds; 0 where it is not later.
fn span_us(from_ms: i64, to_ms: i64) -> u64 {
    u64::try_from(to_ms.saturating_sub(from_ms)).unwrap_or(0).saturating_mul(1_000)
}

impl Waiting {
    /// What the anchor contributes once it is decided.
    fn contribution(
        &self,
        definition: &Definition,
        holds: bool,
        matched_ms: Option<i64>,
        excluded: bool,
    ) -> Contribution {
        let measured = match definition.measure {
            Measure::ToMatch => matched_ms.map(|at_ms| span_us(self.at_ms, at_ms)),
            _ => self.measured_us,
        };
        let sums = if excluded {
            Sums { excluded: self.total, ..Sums::default() }
        } else {
            let in_time = definition.within_us.is_none_or(|within| measured.is_some_and(|us| us <= within));
            let is_good = holds && self.says_good && in_time;
            let good = self.added.unwrap_or(if is_good { self.total } else { 0 });
            Sums { good, total: self.total, ..Sums::default() }
        };
        let measured = measured.filter(|_| !excluded);
        Contribution::new(&definition.code, self.at_ms, self.scope.clone(), sums, measured)
    }
}

#[cfg(test)]
mod tests;
