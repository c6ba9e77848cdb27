//! Lineage as a stage of the pipeline: the keys of every event go into one table, in total order, behind the cursor.
//!
//! Events wait by the second until it is complete; so the table stands at whole seconds, or at the time of an event that
//! asks, wherever chunks end, and is a function of the set of events. It is asked as of an event's time. Late events go in at once. Must never hold an event back
//! from rules that do not ask, nor let one go at a limit uncounted.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::hash::BuildHasher;
use std::rc::Rc;
use std::sync::Arc;

use model::{EventClass, Sha256, Timestamp};
use rules::lineage::{Key, Limits, Lineage, LineageSnapshot, Shared};
use rustc_hash::FxBuildHasher;
use serde::{Deserialize, Serialize};

use super::packed::Linked;

const SECOND_MS: i64 = 1_000;

/// What the stage may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineageLimits {
    /// Of the table.
    pub table: Limits,
    /// Events that wait for their cursor. At the limit the last second's go in early.
    pub waiting_max: usize,
    /// Events whose keys are known because a rule held at them. At the limit the oldest is forgotten.
    pub evidence_max: usize,
}

impl LineageLimits {
    /// What a worker may hold where nobody says otherwise. Walks reach less far than those of people who ask.
    pub const DEFAULT: LineageLimits = LineageLimits {
        table: Limits {
            edges_max: 1_000_000,
            purl_edges_max: 1_000_000,
            degree_max: 256,
            reached_max: 2_000,
            edges_of_event_max: 10_000,
        },
        waiting_max: 1_000_000,
        evidence_max: 500_000,
    };
}

/// What the stage holds, and what limits have cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LineageHeld {
    /// Halves of edges.
    pub halves: usize,
    /// Halves given up because `lineage_edges_max` was reached, and of packages because `lineage_purl_edges_max` was.
    pub evicted: [u64; 2],
    /// Questions of rules that a limit cut short.
    pub asks_cut: u64,
    /// Edges left out because one event had too many.
    pub cut: u64,
    /// Events that wait for their cursor.
    pub waiting: usize,
    /// Events that went in before their time, because too many waited.
    pub early: u64,
    /// Events whose keys were forgotten because `evidence_max` was reached.
    pub forgotten: u64,
}

/// Time, source, id, evidence, what it says.
type LinkedPlace<'w> = (Timestamp, &'w str, &'w str, Option<Sha256>, (EventClass, bool, &'w [u8]));

/// An event that waits.
#[derive(Debug, Serialize, Deserialize)]
struct Waiting {
    source: Arc<str>,
    of: Linked,
}

impl Waiting {
    /// Its place in total order, as far as lineage can tell two events apart.
    fn place(&self) -> LinkedPlace<'_> {
        (self.of.time, &self.source, self.of.id(), self.of.evidence, self.of.said())
    }
}

/// What was said last, in which hour, by the hash of what it says: within the hour, saying it again says nothing.
type Said = Vec<Option<(i64, Linked)>>;

/// Places for what was said last.
const SAID: usize = 16_384;

const HOUR_MS: i64 = 3_600_000;

/// See the module.
#[derive(Debug)]
pub struct LineageStage {
    waiting: BTreeMap<i64, Vec<Waiting>>,
    len: usize,
    early: u64,
    table: Shared,
    said: Said,
    evidence: BTreeMap<Sha256, Box<[Key]>>,
    /// The same in the order in which they came.
    oldest: VecDeque<Sha256>,
    forgotten: u64,
    limits: LineageLimits,
}

/// The second in which a time lies.
pub fn second(time: Timestamp) -> i64 {
    time.ms().div_euclid(SECOND_MS)
}

/// The beginning of a second.
pub fn begin(second: i64) -> Timestamp {
    Timestamp::from_ms(second.saturating_mul(SECOND_MS))
}

impl LineageStage {
    /// An empty stage.
    pub fn new(limits: LineageLimits) -> LineageStage {
        LineageStage {
            waiting: BTreeMap::new(),
            len: 0,
            early: 0,
            table: Rc::new(RefCell::new(Lineage::new(limits.table))),
            said: std::iter::repeat_with(|| None).take(SAID).collect(),
            evidence: BTreeMap::new(),
            oldest: VecDeque::new(),
            forgotten: 0,
            limits,
        }
    }

    /// The table, for those that ask it: as of a time up to which it has been [filled](LineageStage::reach).
    pub fn table(&self) -> Shared {
        self.table.clone()
    }

    /// Takes an event that is on time.
    pub fn push(&mut self, source: &Arc<str>, of: Linked) {
        self.wait(Waiting { source: source.clone(), of });
    }

    fn wait(&mut self, event: Waiting) {
        self.waiting.entry(second(event.of.time)).or_default().push(event);
        self.len += 1;
        if self.len > self.limits.waiting_max
            && let Some((_, last)) = self.waiting.pop_last()
        {
            self.early += last.len() as u64;
            self.len -= last.len();
            last.into_iter().for_each(|event| self.take_in(event.of));
        }
    }

    /// Takes an event that is late, or from too far ahead: it joins what it joins, and moves no time.
    pub fn late(&mut self, of: Linked) {
        self.take_in(of);
    }

    /// The second of the first event that waits.
    pub fn next(&self) -> Option<i64> {
        self.waiting.keys().next().copied()
    }

    /// Fills the table with everything before a time.
    pub fn reach(&mut self, before: Timestamp) {
        while let Some(first) = self.waiting.first_entry()
            && begin(*first.key()) < before
        {
            let (second, mut events) = first.remove_entry();
            if begin(second + 1) > before {
                let later: Vec<Waiting>;
                (events, later) = events.into_iter().partition(|event| event.of.time < before);
                if !later.is_empty() {
                    self.waiting.insert(second, later);
                }
                if events.is_empty() {
                    return;
                }
            }
            self.len -= events.len();
            events.sort_by(|a, b| a.place().cmp(&b.place()));
            for Waiting { of, .. } in events {
                self.table.borrow_mut().advance(of.time);
                // What runs at a service is what was seen there last.
                if of.evidence.is_some() || of.places || self.is_news(&of) {
                    self.take_in(of);
                }
            }
        }
    }

    /// Nobody has said the same in the hour of an event. It has said it then.
    fn is_news(&mut self, of: &Linked) -> bool {
        let hour = of.time.ms().div_euclid(HOUR_MS);
        let Some(place) = self.said.get_mut(FxBuildHasher.hash_one(of.said()) as usize % SAID) else { return true };
        match place {
            Some((last, said)) if *last == hour && said.said() == of.said() => false,
            _ => {
                *place = Some((hour, of.clone()));
                true
            }
        }
    }

    fn take_in(&mut self, of: Linked) {
        let links = of.links();
        self.table.borrow_mut().observe(&links);
        let Some(sha256) = of.evidence else { return };
        let keys = links.keys.into_iter().map(|(_, key)| key).collect();
        if self.evidence.insert(sha256, keys).is_none() {
            self.oldest.push_back(sha256);
        }
        if self.oldest.len() > self.limits.evidence_max
            && let Some(oldest) = self.oldest.pop_front()
        {
            self.evidence.remove(&oldest);
            self.forgotten += 1;
        }
    }

    /// The keys of an event at which a rule held; empty where it has none, or is forgotten.
    pub fn keys_of(&self, evidence: &Sha256) -> &[Key] {
        self.evidence.get(evidence).map(AsRef::as_ref).unwrap_or_default()
    }

    /// What is held, and what limits have cost.
    pub fn held(&self) -> LineageHeld {
        let table = self.table.borrow();
        LineageHeld {
            halves: table.held(),
            evicted: table.evicted(),
            asks_cut: 0,
            cut: table.cut(),
            waiting: self.len,
            early: self.early,
            forgotten: self.forgotten,
        }
    }
}

/// Number of a key's kind, and its text.
type NumberedKey = (u8, Arc<str>);

/// The stage as a snapshot.
#[derive(Debug, Serialize, Deserialize)]
pub struct LineageState {
    table: LineageSnapshot,
    waiting: Vec<Waiting>,
    said: Vec<(u32, i64, Linked)>,
    evidence: Vec<(Sha256, Vec<NumberedKey>)>,
}

impl LineageStage {
    /// All that it holds.
    pub fn snapshot(&self) -> LineageState {
        let keys = |sha256: &Sha256| {
            self.keys_of(sha256).iter().map(|key| (key.kind.number(), key.text.clone())).collect::<Vec<_>>()
        };
        let waiting = |event: &Waiting| Waiting { source: event.source.clone(), of: event.of.clone() };
        let said = |(at, said): (usize, &Option<(i64, Linked)>)| {
            said.as_ref().map(|(hour, said)| (at as u32, *hour, said.clone()))
        };
        LineageState {
            table: self.table.borrow().snapshot(),
            waiting: self.waiting.values().flatten().map(waiting).collect(),
            said: self.said.iter().enumerate().filter_map(said).collect(),
            evidence: self.oldest.iter().map(|sha256| (*sha256, keys(sha256))).collect(),
        }
    }

    /// Puts a snapshot in the place of nothing.
    pub fn restore(&mut self, state: LineageState) {
        self.table.borrow_mut().restore(state.table);
        state.waiting.into_iter().for_each(|event| self.wait(event));
        for (at, hour, said) in state.said {
            if let Some(place) = self.said.get_mut(at as usize) {
                *place = Some((hour, said));
            }
        }
        for (sha256, keys) in state.evidence {
            let key = |(kind, text): NumberedKey| Key::numbered(kind, text);
            self.evidence.insert(sha256, keys.into_iter().filter_map(key).collect());
            self.oldest.push_back(sha256);
        }
    }
}
