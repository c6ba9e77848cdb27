//! Objectives while events come: keyed state behind the cursor that judges at each minute's close.
//!
//! A minute [start, end) closes behind everything of its last millisecond. What is told follows from the events in total
//! order and from nothing else; a late event changes what is judged after it. Alerts are events here, too: what is told up to the
//! last millisecond counts for a close, the close's own alerts for the next. Must never tell what a guard calls luck.

mod burning;
mod carried;
mod set;
mod values;

use std::collections::BTreeMap;
use std::sync::Arc;

use model::{
    Arrival, Basis, Correlator, CorrelatorHeld, Derived, EventOrder, Evidence, Finding, Fingerprint, Malformed,
    Occurrence, Partition, Place, Position, Resolution, Sha256, SourceHealth, Timestamp, from_snapshot, to_snapshot,
};

use crate::burn::{Counts, Judgement, Limit, State};
use crate::contribution::{Contribution, MINUTE_MS, Scope};
use crate::matcher::{Limits, Matcher};
use crate::slo::ScopedBy;
use burning::{Burning, Said};
use carried::percent;
pub use set::ObjectiveSet;
use set::Running;
pub use values::{Burns, LiveValues, Shared};

/// Keys of one objective; what more there is has none of its own.
const KEYS_MAX: usize = 10_000;

/// Events that an alert names.
const EVIDENCE_MAX: usize = 16;

/// Whose verdicts these are, in records.
const OWN: &str = "pipewarden";

/// State of one objective: by key.
type ByKey = BTreeMap<Arc<str>, Burning>;

/// See the module.
#[derive(Debug)]
pub struct Objectives {
    set: Arc<ObjectiveSet>,
    matcher: Matcher,
    /// In the order of the set's objectives.
    burning: Vec<ByKey>,
    /// The close that comes next, once there has been an event.
    next_close_ms: Option<i64>,
    refused: u64,
    shared: Shared,
}

impl Objectives {
    /// Objectives for which nothing was counted. `shared`: where their values are put at each close.
    pub fn new(set: Arc<ObjectiveSet>, shared: Shared) -> Objectives {
        let matcher = Matcher::new(set.definitions.clone(), Limits::default());
        let burning = set.running.iter().map(|_| ByKey::new()).collect();
        Objectives { set, matcher, burning, next_close_ms: None, refused: 0, shared }
    }

    fn observe(&mut self, event: &Occurrence) {
        let Objectives { set, matcher, burning, next_close_ms, refused, shared } = self;
        let whole = set.names.unpack(&event.order, &event.fields);
        let closed_ms = next_close_ms.map_or(0, |next| next.saturating_sub(MINUTE_MS));
        matcher.observe(&whole, &mut |told, evidence| {
            book(set, burning, refused, closed_ms, &told, evidence.map(AsRef::as_ref));
            shared.count(&told);
        });
    }

    /// Judges every objective at the close that comes next.
    fn close(&mut self, tell: &mut dyn FnMut(Derived)) {
        let Objectives { set, matcher, burning, next_close_ms: Some(at_ms), refused, shared } = self else { return };
        let at_ms = *at_ms;
        matcher.advance(at_ms, &mut |told, evidence| {
            book(set, burning, refused, at_ms.saturating_sub(MINUTE_MS), &told, evidence.map(AsRef::as_ref));
            shared.count(&told);
        });
        let mut burns = Vec::new();
        for (of, keys) in set.running.iter().zip(burning.iter_mut()) {
            for (key, state) in keys.iter_mut() {
                let (said, judgement) = state.close(&of.slo, at_ms);
                match said {
                    Said::Nothing => {}
                    Said::Burns(_) => tell(Derived::Holds(finding(of, key, state, &judgement, at_ms))),
                    Said::Ended => tell(Derived::Resolves(resolution(of, key, state, at_ms))),
                }
                burns.push(values::burns(&of.slo, key, state, &judgement));
            }
            keys.retain(|_, state| !state.is_idle());
        }
        shared.close(Timestamp::from_ms(at_ms), burns);
        self.next_close_ms = Some(at_ms.saturating_add(MINUTE_MS));
    }

    /// Nothing is held that the next close could judge otherwise than the last.
    fn is_idle(&self) -> bool {
        self.burning.iter().all(BTreeMap::is_empty) && !self.matcher.waits()
    }
}

/// Books a contribution with every objective of its indicator.
fn book(
    set: &ObjectiveSet,
    burning: &mut [ByKey],
    refused: &mut u64,
    closed_ms: i64,
    told: &Contribution,
    evidence: Option<&Evidence>,
) {
    let counts = Counts { good: told.sums.good, total: told.sums.total };
    if counts == Counts::default() {
        return;
    }
    for (of, keys) in set.running.iter().zip(burning) {
        if of.indicator != told.key.indicator {
            continue;
        }
        let key = key_of(of.slo.by, &told.key.scope);
        if keys.len() >= KEYS_MAX && !keys.contains_key(key) {
            *refused += 1;
            continue;
        }
        let state = keys.entry(key.clone()).or_insert_with(|| Burning::new(&of.slo, closed_ms));
        state.add(told.key.minute_ms, counts, evidence);
    }
}

fn key_of(by: ScopedBy, scope: &Scope) -> &Arc<str> {
    static NONE: std::sync::LazyLock<Arc<str>> = std::sync::LazyLock::new(|| "".into());
    match by {
        ScopedBy::Whole => &NONE,
        ScopedBy::Team => scope.team(),
        ScopedBy::Environment => scope.environment(),
        ScopedBy::Repository => scope.repository(),
    }
}

/// The alert's key: the field by which the objective is told apart.
fn key(of: &Running, key: &str) -> (Vec<(String, String)>, Fingerprint) {
    let named: Vec<(String, String)> =
        of.slo.by.field().map(|field| (field.to_owned(), key.to_owned())).into_iter().collect();
    let pairs = named.iter().map(|(field, text)| (field.as_str(), text.as_str()));
    let fingerprint = Fingerprint::new(&of.rule.id, pairs);
    (named, fingerprint)
}

/// The last millisecond of the minute that closes.
fn last_ms(close_ms: i64) -> Timestamp {
    Timestamp::from_ms(close_ms.saturating_sub(1))
}

/// A length in the largest unit that it is whole in: `5m`, `3d`.
pub fn span(ms: i64) -> String {
    let units = [(86_400_000, 'd'), (3_600_000, 'h'), (60_000, 'm')];
    let whole = units.into_iter().find(|(unit, _)| ms % unit == 0);
    whole.map_or_else(|| format!("{ms}ms"), |(unit, name)| format!("{}{name}", ms / unit))
}

fn finding(of: &Running, name: &str, state: &Burning, judgement: &Judgement, at_ms: i64) -> Finding {
    let (key, fingerprint) = key(of, name);
    let policy = &of.slo.policy;
    let firing = policy.conditions.iter().zip(&judgement.states).filter(|(_, of)| **of == State::Firing);
    let conditions: Vec<_> = firing.map(|(condition, _)| condition).collect();
    let rate = |length_ms: i64| {
        let rate = policy.objective.burn_rate(state.window(length_ms)).unwrap_or_default();
        format!("{rate:.1} over {}", span(length_ms))
    };
    let burn: Vec<String> = conditions
        .iter()
        .filter_map(|of| match of.limit {
            Limit::Rate(limit) => {
                Some(format!("{}, {} (above {})", rate(of.long_ms), rate(of.short_ms), limit.value()))
            }
            Limit::Bad(_) => None,
        })
        .collect();
    let long_ms = conditions.iter().map(|of| of.long_ms).max().unwrap_or(0);
    let counted = state.window(long_ms);
    let mut facts = vec![
        ("slo".to_owned(), of.slo.name.clone()),
        ("indicator".to_owned(), of.indicator.to_string()),
        ("objective".to_owned(), format!("{} %", policy.objective.as_percent())),
        ("bad".to_owned(), format!("{} of {} in {}", counted.bad(), counted.total, span(long_ms))),
    ];
    if !burn.is_empty() {
        facts.insert(3, ("burn_rate".to_owned(), burn.join("; ")));
    }
    facts.extend(state.budget(&of.slo).map(|budget| ("budget_left".to_owned(), percent(budget.left))));
    let time = last_ms(at_ms);
    let sha256 = Sha256::of(format!("{}\n{name}\n{at_ms}", of.rule.id).as_bytes());
    Finding {
        rule: of.rule.clone(),
        order: EventOrder { time, source: OWN.into(), id: of.rule.id.clone(), sha256 },
        timeless: false,
        key,
        fingerprint,
        urgency: judgement.urgency.unwrap_or(model::Urgency::Ticket),
        arrival: Arrival::OnTime,
        facts,
        evidence: state.spent(long_ms, EVIDENCE_MAX),
        basis: Basis::Timer(time),
        position: Position { partition: Partition { source: OWN.into(), name: OWN.into() }, offset: 0 },
    }
}

fn resolution(of: &Running, name: &str, state: &Burning, at_ms: i64) -> Resolution {
    let (_, fingerprint) = key(of, name);
    let last = state.spent(i64::MAX, 1).pop();
    let evidence = last.unwrap_or_else(|| Evidence { id: of.rule.id.clone(), sha256: Sha256::of(name.as_bytes()) });
    let place = Place::Timer { time: last_ms(at_ms), expires: false };
    Resolution { rule: of.rule.clone(), fingerprint, place, evidence }
}

impl Correlator for Objectives {
    fn apply(&mut self, event: Occurrence, _: &mut dyn FnMut(Derived)) {
        let at_ms = event.order.time.ms();
        let close_ms = (at_ms.div_euclid(MINUTE_MS) + 1).saturating_mul(MINUTE_MS);
        if self.is_idle() {
            // What an alert of a close says belongs to a minute that is over.
            self.next_close_ms = self.next_close_ms.max(Some(close_ms));
        }
        self.observe(&event);
    }

    fn approach(&mut self, _: &mut dyn Iterator<Item = &Occurrence>) {}

    fn preview(&mut self, _: &Occurrence, _: &mut dyn FnMut(Derived)) {}

    fn preview_timers(&mut self, _: Timestamp, _: &mut dyn FnMut(Derived)) {}

    fn apply_late(&mut self, event: Occurrence, _: &mut dyn FnMut(Derived)) {
        if event.arrival == Arrival::Late {
            self.observe(&event);
        }
    }

    fn heed(&mut self, _: &SourceHealth, _: Timestamp) {}

    fn next_timer(&self) -> Option<Timestamp> {
        None
    }

    fn run_timers(&mut self, _: &mut dyn FnMut(Derived)) {}

    fn next_close(&self) -> Option<Timestamp> {
        self.next_close_ms.filter(|_| !self.is_idle()).map(last_ms)
    }

    fn closes_last(&self) -> bool {
        true
    }

    fn close_buckets(&mut self, tell: &mut dyn FnMut(Derived)) {
        self.close(tell);
    }

    fn held(&self) -> CorrelatorHeld {
        let keys = self.burning.iter().map(BTreeMap::len).sum::<usize>() + self.matcher.waiting();
        let limit = self.matcher.at_limit();
        CorrelatorHeld { keys, evicted: limit.anchors + limit.matches + self.refused, keyless: 0 }
    }

    fn snapshot(&self) -> Result<Vec<u8>, Malformed> {
        to_snapshot(&(self.matcher.snapshot()?, &self.burning, self.next_close_ms, self.refused))
    }

    fn restore(&mut self, snapshot: &[u8]) -> Result<(), Malformed> {
        let (matcher, burning, next_close_ms, refused): (Vec<u8>, Vec<ByKey>, Option<i64>, u64) =
            from_snapshot(snapshot)?;
        self.matcher.restore(&matcher)?;
        (self.burning, self.next_close_ms, self.refused) = (burning, next_close_ms, refused);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
