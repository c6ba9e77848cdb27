//! Lineage: which token ran which job of which run, from which commit, with which digest, and where that digest runs now.
//!
//! A bounded, expiring table of edges between provenance keys, fed with the [`Links`] of every event, and walks over it.
//! Walks go on through tokens, runs, jobs, runners, builds, digests and cache entries only, four steps at most, and never
//! through a hub. The same events give the same table in whatever order they come, as long as none expires in between and
//! nothing is given up at the limit; behind the cursor both happen in total order. Must never read a clock: time is what
//! [`Lineage::advance`] says.

mod around;
mod ask;
mod chain;
mod key;
mod links;
mod pairs;
mod reached;
mod saved;
mod table;
#[cfg(test)]
mod tests;
mod walk;

use std::cell::RefCell;
use std::rc::Rc;

use model::Timestamp;

pub use around::{Around, Step};
pub use ask::{ASKED_FOR, ASKED_FROM, Answer, Ask, Enough, FROM, StartReader};
pub use chain::{Chain, Missing, Row};
pub use key::{Key, Kind, Kinds, Part};
pub use links::{LinkReader, Links, Seen};
pub use pairs::Stage;
pub use reached::{Artifact, Placed, Reached, RunReached};
pub use saved::LineageSnapshot;
use table::{HalfKey, Halves};
pub use walk::Walk;
use walk::{Way, walk};

/// Everything that has been seen.
#[cfg(test)]
const NOW: Timestamp = Timestamp::MAX;

/// The same, of keys of every kind.
const ALL: (Timestamp, Kinds) = (Timestamp::MAX, Kinds::ALL);

/// A table that one fills in total order, and several ask.
pub type Shared = Rc<RefCell<Lineage>>;

/// What the table may hold, and how far walks go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Edges, each under both of its ends. Divided evenly over the virtual shards; at the limit what was last seen longest
    /// ago goes first.
    pub edges_max: usize,
    /// The same of edges with a package at one end, which have a budget of their own.
    pub purl_edges_max: usize,
    /// A key to which more joints than this came on one day is a hub: walks end there.
    pub degree_max: usize,
    /// Keys that one walk may reach.
    pub reached_max: usize,
    /// Edges that one event may make; the rest is counted and left out.
    pub edges_of_event_max: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            edges_max: 1_000_000,
            purl_edges_max: 1_000_000,
            degree_max: 256,
            reached_max: 10_000,
            edges_of_event_max: 20_000,
        }
    }
}

/// Walks take at most so many steps from where they start, up and down.
pub const HOPS_MAX: u8 = 4;

/// At most so many keys are named to somebody whose key is not known.
const NEAREST_MAX: usize = 5;

/// Jaro–Winkler similarity from which a key is worth mentioning.
const NEAR: f64 = 0.7;

/// The table.
#[derive(Debug)]
pub struct Lineage {
    halves: Halves,
    limits: Limits,
    cut: u64,
}

impl Lineage {
    /// An empty table.
    pub fn new(limits: Limits) -> Lineage {
        let halves_max = [limits.edges_max, limits.purl_edges_max].map(|max| max.saturating_mul(2));
        Lineage { halves: Halves::new(halves_max), limits, cut: 0 }
    }

    /// Takes an event in: in total order behind the cursor, or late.
    pub fn observe(&mut self, links: &Links) {
        let mut left = self.limits.edges_of_event_max;
        let tables = pairs::TABLE.iter().filter(|of| of.holds(links.seen.class, &links.action, links.succeeded));
        for &(from, to, stage) in tables.flat_map(|of| of.pairs) {
            for source in links.of(from) {
                // A part with itself tells of each key alone: two digests of one build do not come of one another.
                for target in links.of(to).filter(|target| from != to || *target == source) {
                    if left == 0 {
                        self.cut += 1;
                        continue;
                    }
                    left -= 1;
                    self.edge(source, target, stage, links);
                }
            }
        }
    }

    fn edge(&mut self, source: &Key, target: &Key, stage: Stage, links: &Links) {
        let down = HalfKey { far: target.clone(), is_down: true, stage };
        self.halves.put(source, down, &links.seen);
        if source != target {
            let up = HalfKey { far: source.clone(), is_down: false, stage };
            self.halves.put(target, up, &links.seen);
        }
    }

    /// Event time has come so far: edges expire 30 days (those of tokens) or 400 days after they were last seen.
    pub fn advance(&mut self, now: Timestamp) {
        self.halves.advance(now);
    }

    /// Edges under their ends: twice the number of edges, less those of which one half was given up.
    pub fn held(&self) -> usize {
        self.halves.len()
    }

    /// Halves of edges that were given up at `edges_max`, and of packages at `purl_edges_max`.
    pub fn evicted(&self) -> [u64; 2] {
        self.halves.evicted()
    }

    /// Edges that were left out because one event had too many.
    pub fn cut(&self) -> u64 {
        self.cut
    }

    /// Anything is known of the key.
    pub fn knows(&self, key: &Key) -> bool {
        self.halves.of(key).next().is_some()
    }

    /// Every known key of a kind, in order.
    pub fn keys(&self, kind: Kind) -> Vec<&Key> {
        self.halves.keys(kind)
    }

    /// The keys of some kinds that look most like a text, the likest first.
    pub fn nearest(&self, text: &str, kinds: &[Kind]) -> Vec<&Key> {
        let keys = kinds.iter().flat_map(|kind| self.halves.keys(*kind));
        let mut scored: Vec<(f64, &Key)> =
            keys.map(|key| (strsim::jaro_winkler(&key.text, text), key)).filter(|(score, _)| *score >= NEAR).collect();
        scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
        scored.into_iter().take(NEAREST_MAX).map(|(_, key)| key).collect()
    }

    /// What a key came of, over edges that were seen by a time: for a rule, the time of the event that asks. Whoever asks must
    /// have seen to it that everything up to that time has been observed.
    pub fn came_of(&self, key: &Key, as_of: Timestamp) -> Walk {
        walk(self, key, Way::Up, (as_of, Kinds::ALL))
    }

    /// What came of a key, by a time.
    pub fn led_to(&self, key: &Key, as_of: Timestamp) -> Walk {
        walk(self, key, Way::Down, (as_of, Kinds::ALL))
    }

    /// The joints that lie around some keys, whichever way, by a time.
    pub fn around(&self, keys: &[Key], as_of: Timestamp) -> Around {
        around::around(self, keys, as_of)
    }

    /// What a rule's question gives at an event: from its keys ([`StartReader::read`]), as of its time.
    pub fn answer(&self, ask: &Ask, from: &str, as_of: Timestamp) -> Answer {
        ask::answer(self, ask, from, as_of)
    }

    /// The way from the commit to the running workload on which a key stands.
    pub fn chain(&self, key: &Key) -> Chain {
        chain::chain(self, key)
    }

    /// What a component, an artifact or a credential has reached.
    pub fn reached(&self, key: &Key) -> Reached {
        reached::reached(self, key)
    }
}
