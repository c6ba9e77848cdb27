//! How sources are: what events have said of it, and what every lane is told; and which lists it judges by since when.
//!
//! Must never decide since when something is known: a worker records that, a replay of files takes the event's own time.

use std::sync::Arc;

use model::{KnownFrom, SourceHealth, Timestamp};

use super::{Pipeline, Source};
use crate::health::Spoken;
use crate::lanes::{Lane, SetId};

impl Pipeline {
    /// What events have said since the last call, in the order of reading.
    pub fn take_said(&mut self) -> Vec<Spoken> {
        std::mem::take(&mut self.said)
    }

    /// Since when each lane that remembers something knows what is said now: since where it has come to, or since `at` where
    /// that is later.
    pub fn known_from(&self, at: Timestamp) -> Vec<KnownFrom> {
        let lanes = self.lanes.remember();
        lanes
            .map(|lane| KnownFrom { sources: names(&self.sources, lane), from: self.sealer.cursor(lane.id).max(at) })
            .collect()
    }

    /// A source can or cannot be heard. Lanes that are not named know it from ever. False: nobody reads such a source.
    pub fn heed(&mut self, said: &SourceHealth, known: &[KnownFrom]) -> bool {
        if !self.sources.iter().any(|source| source.name == said.source) {
            return false;
        }
        self.lanes.health.entry(said.source.clone()).or_default().add(said.state);
        for lane in self.lanes.iter() {
            let from = from(&self.sources, lane, known);
            self.sealer.heed(lane.id, said, from);
        }
        true
    }

    /// What rules have found out of sources since the last call, with since when each lane is to know it: heeded here by every
    /// lane but the one that found it, which knows it. What was known before is left out.
    pub fn heed_found(&mut self) -> Vec<(SourceHealth, Vec<KnownFrom>)> {
        let mut new = Vec::new();
        for (finder, said, at) in self.sealer.take_heard() {
            let is_read = self.sources.iter().any(|source| source.name == said.source);
            if !is_read || !self.lanes.health.entry(said.source.clone()).or_default().add(said.state) {
                continue;
            }
            let own = self.lanes.iter().find(|lane| lane.id == finder);
            let own = own.map(|lane| names(&self.sources, lane)).unwrap_or_default();
            let mut known = self.known_from(at);
            known.iter_mut().filter(|of| of.sources == own).for_each(|of| of.from = at);
            for lane in self.lanes.iter().filter(|lane| lane.id != finder) {
                self.sealer.heed(lane.id, &said, from(&self.sources, lane, &known));
            }
            new.push((said, known));
        }
        new
    }

    /// What rules remember is judged by the lists of a version, since when each lane knows it.
    pub fn count_from(&self, set: SetId, known: &[KnownFrom]) {
        self.lanes.count_from(set, |lane| from(&self.sources, lane, known));
    }

    /// Tells every lane how far its sources have come: buckets close no later where input ends.
    pub(super) fn reach(&mut self) {
        let Pipeline { sources, lanes, sealer, settings, .. } = self;
        for lane in lanes.iter() {
            let newest = lane.sources.iter().filter_map(|at| sources.get(*at)).map(|source| source.gate.newest()).max();
            sealer.reach(lane.id, newest.unwrap_or(Timestamp::MIN).max(settings.end));
        }
    }

    /// Heeds what events have said, each from its own time on: for inputs that no control log belongs to.
    pub fn heed_events(&mut self) {
        for spoken in self.take_said() {
            if let Spoken::Health { said, at } = spoken {
                let known = self.known_from(at);
                self.heed(&said, &known);
            }
        }
    }

    /// A source that is read cannot be heard at a time, as far as is known now.
    pub fn is_unhealthy(&self, source: usize, at: Timestamp) -> bool {
        let name = self.sources.get(source).map(|source| &source.name);
        name.and_then(|name| self.lanes.health.get(name)).is_some_and(|outages| outages.lasts_at(at))
    }
}

/// Since when a lane knows something.
fn from(sources: &[Source], lane: &Lane, known: &[KnownFrom]) -> Timestamp {
    let named = names(sources, lane);
    known.iter().find(|of| of.sources == named).map_or(Timestamp::MIN, |of| of.from)
}

/// The names of a lane's sources.
fn names(sources: &[Source], lane: &Lane) -> Vec<Arc<str>> {
    lane.sources.iter().filter_map(|source| sources.get(*source)).map(|source| source.name.clone()).collect()
}
