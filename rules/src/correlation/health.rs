//! Outages of sources, as a keyed state knows them: absences do not count the time in which what they wait for could not be
//! heard.
//!
//! A statement counts from the event time on at which the rules of its lane knew it; before that everything is as it was
//! judged. Must never look at when a statement came.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::{HealthState, Outages, SourceHealth, Timestamp};
use serde::{Deserialize, Serialize};

use super::absence::Clock;
use super::engine::Correlations;
use super::graph::{Kind, Port};
use super::spec::{Spec, Work};
use super::state::State;

/// An outage that lasts is taken to last so much longer, in milliseconds, and then looked at again: so that no key is kept
/// for the longest outage there could be.
const LOOK_AGAIN_MS: i64 = 3_600_000;

/// Outages that a fact names.
const NAMED_MAX: usize = 3;

/// Outages of some sources together: ascending, apart from each other, each from its first time to the first time behind it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Gaps(Vec<(i64, i64)>);

impl Gaps {
    fn new(mut all: Vec<(i64, i64)>) -> Gaps {
        all.sort_unstable();
        let mut gaps: Vec<(i64, i64)> = Vec::new();
        for (from, to) in all {
            match gaps.last_mut() {
                Some((_, end)) if from <= *end => *end = to.max(*end),
                _ => gaps.push((from, to)),
            }
        }
        Gaps(gaps)
    }

    /// The last time at which no more than a span has passed since a time, gaps not counted.
    pub(super) fn later(&self, at: i64, span_ms: i64) -> i64 {
        let mut due = at.saturating_add(span_ms);
        let first = self.0.partition_point(|(_, to)| *to <= at);
        for (from, to) in self.0.iter().skip(first) {
            if *from > due {
                break;
            }
            due = due.saturating_add(to - (*from).max(at));
        }
        due.min(Timestamp::LAST.ms())
    }

    /// The first time from which on no more than a span has passed until a time, gaps not counted.
    pub(super) fn earlier(&self, at: i64, span_ms: i64) -> i64 {
        let mut since = at.saturating_sub(span_ms);
        let behind = self.0.partition_point(|(from, _)| *from < at);
        for (from, to) in self.0.iter().take(behind).rev() {
            if *to < since {
                break;
            }
            since = since.saturating_sub((*to).min(at) - from);
        }
        since
    }
}

/// What outlives the process.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Known {
    /// By source.
    said: BTreeMap<Arc<str>, Outages>,
    /// What will count, by the time from which on it does.
    coming: BTreeSet<(i64, SourceHealth)>,
    /// Outages that last are taken to last until then.
    open_to: Option<i64>,
    /// The sources that have been heard; nothing where no rule asks for it.
    heard: Vec<Heard>,
}

/// When a source was heard last.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Heard {
    source: Arc<str>,
    at: i64,
    /// A rule has said since that it cannot be heard.
    is_out: bool,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Health {
    pub(super) known: Known,
    /// By node of an absence: the sources of what it waits for.
    awaited: BTreeMap<usize, BTreeSet<Arc<str>>>,
    gaps: BTreeMap<usize, Gaps>,
    /// A rule says what silence means.
    listens: bool,
}

/// Nothing is wrong.
static NONE: Gaps = Gaps(Vec::new());

impl Health {
    /// Nothing is known. `listens`: some rule says what silence means.
    pub(super) fn new(listens: bool) -> Health {
        Health { listens, ..Health::default() }
    }

    /// An event of a source, in total order: ends what a rule has said of it.
    pub(super) fn hear(&mut self, source: &Arc<str>, at: i64) -> Option<SourceHealth> {
        if !self.listens {
            return None;
        }
        let is_it = |of: &&mut Heard| Arc::ptr_eq(&of.source, source) || of.source == *source;
        let Some(heard) = self.known.heard.iter_mut().find(is_it) else {
            self.known.heard.push(Heard { source: source.clone(), at, is_out: false });
            return None;
        };
        heard.at = at;
        let state = HealthState::Healthy { at: Timestamp::from_ms(at) };
        std::mem::take(&mut heard.is_out).then(|| SourceHealth { source: source.clone(), state })
    }

    /// A rule has heard nothing of a source since a time, and that says that the source cannot be heard. None: it has been,
    /// by another rule, or has been said before.
    pub(super) fn miss(&mut self, source: &Arc<str>, since: i64) -> Option<SourceHealth> {
        let heard = self.known.heard.iter_mut().find(|of| of.source == *source)?;
        if heard.at > since || std::mem::replace(&mut heard.is_out, true) {
            return None;
        }
        let state = HealthState::Unhealthy { from: Timestamp::from_ms(since), to: None };
        Some(SourceHealth { source: source.clone(), state })
    }

    /// Outages of what a node waits for.
    pub(super) fn gaps(&self, node: usize) -> &Gaps {
        self.gaps.get(&node).unwrap_or(&NONE)
    }

    /// When something comes to count: behind everything of the time before.
    pub(super) fn next(&self) -> Option<i64> {
        let coming = self.known.coming.first().map(|(from, _)| *from);
        coming.into_iter().chain(self.known.open_to).min().map(|from| from.saturating_sub(1))
    }

    /// Everything of a time is over. What counts from then on does so; gives what had counted, where it is another now.
    fn reach(&mut self, now: i64) -> Option<BTreeMap<usize, Gaps>> {
        if self.next().is_none_or(|next| next > now) {
            return None;
        }
        while let Some((from, _)) = self.known.coming.first()
            && from.saturating_sub(1) <= now
        {
            if let Some((_, SourceHealth { source, state })) = self.known.coming.pop_first() {
                self.known.said.entry(source).or_default().add(state);
            }
        }
        self.counts_from(now.saturating_add(1))
    }

    fn counts_from(&mut self, now: i64) -> Option<BTreeMap<usize, Gaps>> {
        let at = Timestamp::from_ms(now);
        let open = self.known.said.values().filter(|said| said.is_open_at(at));
        let last = open.flat_map(|said| said.until(Timestamp::MAX)).map(|(from, _)| from.ms()).max();
        self.known.open_to = last.map(|last| last.max(now).saturating_add(LOOK_AGAIN_MS));
        let before = std::mem::take(&mut self.gaps);
        self.gaps = self.awaited.iter().map(|(node, sources)| (*node, self.of(sources))).collect();
        (before != self.gaps).then_some(before)
    }

    fn of(&self, sources: &BTreeSet<Arc<str>>) -> Gaps {
        let open_to = self.known.open_to.map_or(Timestamp::MAX, Timestamp::from_ms);
        let said = sources.iter().filter_map(|source| self.known.said.get(source));
        Gaps::new(said.flat_map(|said| said.until(open_to)).map(|(from, to)| (from.ms(), to.ms())).collect())
    }

    /// Takes over what was known, and what that means for the nodes of now.
    pub(super) fn restore(&mut self, known: Known) {
        self.known = known;
        self.gaps = self.awaited.iter().map(|(node, sources)| (*node, self.of(sources))).collect();
    }

    /// Why a deadline was moved, for the person who is woken. None: it was not.
    pub(super) fn moved(&self, node: usize, start: i64, wait_ms: i64, due: i64) -> Option<(String, String)> {
        let by_ms = due.saturating_sub(start).saturating_sub(wait_ms);
        let sources = self.awaited.get(&node).filter(|_| by_ms > 0)?;
        let open_to = Timestamp::from_ms(due);
        let said = sources.iter().filter_map(|source| Some((source, self.known.said.get(source)?)));
        let met = said.flat_map(|(source, said)| said.until(open_to).map(move |of| (source, of)));
        let met: Vec<String> = met
            .filter(|(_, (from, to))| from.ms() <= due && to.ms() > start)
            .map(|(source, (from, to))| format!("{source} was not heard from {from} to {to}"))
            .collect();
        let others = if met.len() > NAMED_MAX { format!(" and {} more", met.len() - NAMED_MAX) } else { String::new() };
        let named = met.into_iter().take(NAMED_MAX).collect::<Vec<_>>().join(", ");
        Some(("deadline_moved".to_owned(), format!("by {}: {named}{others}", in_words(by_ms))))
    }
}

/// `1h 20m 40s`; what is less than a second counts as one.
fn in_words(ms: i64) -> String {
    let seconds = ms.saturating_add(999) / 1_000;
    let parts = [(seconds / 3_600, "h"), (seconds / 60 % 60, "m"), (seconds % 60, "s")];
    parts.iter().filter(|(n, _)| *n > 0).map(|(n, unit)| format!("{n}{unit}")).collect::<Vec<_>>().join(" ")
}

impl Correlations {
    /// Which sources can feed a rule, by its index: absences count the time of those that feed what they wait for.
    #[must_use]
    pub fn heeding(mut self, sources: &dyn Fn(u32) -> Vec<Arc<str>>) -> Correlations {
        let (graph, feeders) = (self.graph.clone(), self.graph.feeders());
        for (at, node) in graph.nodes.iter().enumerate() {
            let Kind::Correlation(correlation) = &node.kind else { continue };
            let Some(absence) = &correlation.absence else { continue };
            let is_awaited = |(fed, port): &(usize, Port)| {
                *fed == at && matches!(port, Port::Reference(of) if absence.expect.contains(of))
            };
            let awaited = graph.nodes.iter().filter(|of| of.feeds.iter().any(is_awaited));
            let rules = awaited.filter_map(|of| feeders.get(&of.index)).flatten();
            self.health.awaited.insert(at, rules.flat_map(|rule| sources(*rule)).collect());
        }
        self
    }

    /// See [`model::Correlator::heed`].
    pub(super) fn heed_source(&mut self, said: &SourceHealth, known_from: i64) {
        if !self.health.awaited.values().any(|sources| sources.contains(&said.source)) {
            return;
        }
        self.health.known.coming.insert((known_from, said.clone()));
        if known_from <= self.now || known_from == i64::MIN {
            self.reach_health(self.now);
        }
    }

    /// Everything of a time is over: what counts from then on moves what waits.
    pub(super) fn reach_health(&mut self, now: i64) {
        let Some(before) = self.health.reach(now) else { return };
        let known_from = now.saturating_add(1);
        let Correlations { nodes, keys, timers, health, .. } = self;
        for slot in keys.slots_of(|node| health.gaps.contains_key(&((node >> 4) as usize))) {
            let Some(entry) = keys.entry_mut(slot) else { continue };
            let at = (entry.node >> 4) as usize;
            let spec = nodes.get(at).and_then(Option::as_ref).map(|active| &active.spec);
            let (Some(Spec { work: Work::Absence(waiting), .. }), State::Waits(waits)) = (spec, &mut entry.state)
            else {
                continue;
            };
            let was = Clock { spans: waiting.spans, gaps: before.get(&at).unwrap_or(&NONE) };
            let is = Clock { spans: waiting.spans, gaps: health.gaps(at) };
            waits.heed(was, is, known_from);
            timers.extend(waits.dues().map(|due| (due, slot)));
            if let Some(until) = waits.counts_until(is) {
                keys.keep_until(slot, until);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_not_counted_and_nothing_is_due_in_one() {
        let gaps = Gaps::new(vec![(10, 20), (15, 25), (30, 31), (25, 26), (60, 70)]);
        assert_eq!(gaps.0, [(10, 26), (30, 31), (60, 70)]);
        for (at, span, due) in [(0, 9, 9), (0, 10, 26), (0, 13, 29), (0, 14, 31), (5, 10, 32), (12, 0, 26), (26, 0, 26)]
        {
            assert_eq!(gaps.later(at, span), due, "{at} + {span}");
        }
        assert_eq!(gaps.later(0, 100), 127);
        for (at, span, since) in [(80, 9, 71), (80, 10, 60), (80, 11, 59), (65, 0, 60), (65, 29, 30), (65, 33, 10)] {
            assert_eq!(gaps.earlier(at, span), since, "{at} - {span}");
        }
        assert_eq!(gaps.earlier(5, 3), 2);
    }
}
