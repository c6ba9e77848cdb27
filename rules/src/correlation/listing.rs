//! Other versions of the rules, for a keyed state that outlives them: their lists, and what of its own they still have.
//!
//! A version counts from an event time on, so that what is judged by it is a function of the events and of that time. Must
//! never cost anything while no version waits.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use model::Timestamp;

use super::engine::Correlations;
use crate::lists::Lists;

/// Where a keyed state is told of other versions.
#[derive(Debug, Clone, Default)]
pub struct Listing(pub(super) Arc<Waiting>);

#[derive(Debug, Default)]
pub(super) struct Waiting {
    is_any: AtomicBool,
    versions: Mutex<BTreeMap<i64, Version>>,
    /// All gates but the first.
    pub(super) gates: Mutex<Vec<BTreeSet<u32>>>,
}

/// A version of the rules.
#[derive(Debug, Clone)]
pub struct Version {
    /// Its lists; None: it has nothing that reads them here.
    pub lists: Option<Arc<Lists>>,
    /// Of the state's own rules and correlations (by index) those that it has.
    pub live: BTreeSet<u32>,
}

impl Listing {
    /// This version counts from an event time on.
    pub fn tell(&self, from: Timestamp, version: Version) {
        if let Ok(mut versions) = self.0.versions.lock() {
            versions.insert(from.ms(), version);
            self.0.is_any.store(true, Ordering::Release);
        }
    }

    /// The version that has come to count by a time, where it is another one.
    fn reach(&self, at: i64) -> Option<Version> {
        if !self.0.is_any.load(Ordering::Acquire) {
            return None;
        }
        let mut versions = self.0.versions.lock().ok()?;
        let later = versions.split_off(&at.saturating_add(1));
        let counting = std::mem::replace(&mut *versions, later).pop_last().map(|(_, version)| version);
        self.0.is_any.store(!versions.is_empty(), Ordering::Release);
        counting
    }
}

impl Correlations {
    /// Where it is told of other versions.
    pub fn listing(&self) -> Listing {
        self.listing.clone()
    }

    /// Uses the lists of a time from here on, and lets what is gone by then learn no more.
    pub(super) fn reach_lists(&mut self, at: i64) {
        if let Some(Version { lists, live }) = self.listing.reach(at) {
            lists.into_iter().for_each(|lists| self.lists = lists);
            self.give_up(&live);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_counts_from_its_time_on() {
        let listing = Listing::default();
        let lists = |entry: &str| {
            let mut lists = Lists::default();
            lists.insert("l", &[entry]);
            Version { lists: Some(Arc::new(lists)), live: BTreeSet::new() }
        };
        let entry = |of: Option<Version>| of?.lists?.get("l").map(|list| list.all.texts.clone());
        [(10, "a"), (20, "b"), (30, "c")]
            .iter()
            .for_each(|(at, text)| listing.tell(Timestamp::from_ms(*at), lists(text)));
        assert_eq!(entry(listing.reach(9)), None);
        assert_eq!(entry(listing.reach(20)), Some(vec!["b".to_owned()]));
        assert_eq!(entry(listing.reach(29)), None);
        assert_eq!(entry(listing.reach(99)), Some(vec!["c".to_owned()]));
        assert_eq!(entry(listing.reach(99)), None);
    }
}
