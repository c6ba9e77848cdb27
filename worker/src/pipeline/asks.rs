//! Rules that ask lineage: their findings wait in their lane for every source that tells of edges, and are decided by the table
//! as of their time.
//!
//! In that lane sealing goes finding by finding: first the edges up to its time, then what is decided by them. Must never decide
//! by a table that is not filled up to the finding, nor let the end of a chunk say how far it is filled.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use model::{Finding, Sha256, Timestamp};
use rules::lineage::{Ask, Enough, FROM, Shared};
use sinks::{Decide, LaneId, OutletError, Sealer};

use super::objectives::ObjectiveStage;
use super::{Pipeline, Source, joins};
use crate::lanes::Lane;
use crate::ruleset::RuleSet;
use crate::told::{tell, tell_incident};

/// What rules ask, by their versions, and whom.
#[derive(Debug, Default)]
pub(super) struct Asks {
    asks: BTreeMap<Sha256, Ask>,
    table: Option<Shared>,
    cut: u64,
}

/// The same as the sealer knows it.
#[derive(Debug, Clone, Default)]
pub(super) struct Decider(Rc<RefCell<Asks>>);

impl Decider {
    /// Rules run from here on.
    pub fn know(&self, rules: &RuleSet) {
        let asked = rules.asked().map(|(rule, ask)| (rule.version, ask.clone()));
        self.0.borrow_mut().asks.extend(asked);
    }

    /// Some rule asks.
    pub fn is_asked(&self) -> bool {
        !self.0.borrow().asks.is_empty()
    }

    /// Asks this table from here on.
    pub fn ask(&self, table: Shared) {
        self.0.borrow_mut().table = Some(table);
    }

    /// Questions that a limit cut short.
    pub fn cut(&self) -> u64 {
        self.0.borrow().cut
    }
}

impl Decide for Decider {
    fn decide(&self, finding: &mut Finding) -> bool {
        let Asks { asks, table, cut } = &mut *self.0.borrow_mut();
        let Some((ask, table)) = asks.get(&finding.rule.version).zip(table.as_ref()) else { return true };
        let from = finding.facts.iter().find(|(name, _)| name == FROM).map_or("", |(_, text)| text);
        let answer = table.borrow().answer(ask, from, finding.order.time);
        *cut += u64::from(answer.is_cut);
        let is_met = ask.is_met(&answer);
        finding.facts.extend(answer.facts);
        is_met
    }

    /// That nothing was reached is not known before every source has spoken.
    fn waits(&self, finding: &Finding) -> bool {
        self.0.borrow().asks.get(&finding.rule.version).is_some_and(|ask| ask.enough == Enough::None)
    }
}

/// When a lane is sealed, in this order: who asks goes behind the others, for what can be sealed before it has been; last goes who
/// looks at what all others tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Turn {
    is_behind: bool,
    asks: bool,
    lane: LaneId,
    cursor: Timestamp,
}

impl Pipeline {
    /// Moves every lane's cursor to the least watermark of its sources of which anything is read here, and seals.
    pub fn advance(&mut self) -> Result<(), OutletError> {
        for source in &mut self.sources {
            source.watermark = source.gate.advance();
        }
        self.reach();
        let Pipeline { sources, lanes, settings, objectives, .. } = self;
        let cursor = |of: &[usize]| of.iter().filter_map(|&at| sources.get(at)?.cursor()).min();
        // Where all leave in one order, nobody leads, and alerts are looked at as they are told.
        let behind = objectives.as_ref().and_then(ObjectiveStage::behind_all).filter(|_| !settings.merge);
        let turn = |lane: &Lane| Turn {
            is_behind: behind == Some(lane.id),
            asks: lane.asks,
            lane: lane.id,
            cursor: cursor(&lane.sources).unwrap_or(Timestamp::MIN),
        };
        let is_read = |lane: &&Lane| cursor(&lane.sources).is_some();
        let mut turns: Vec<Turn> = lanes.iter().filter(is_read).map(turn).collect();
        turns.sort_unstable();
        let slowest = turns.iter().map(|of| of.cursor).min().filter(|_| settings.merge);
        let (last, first): (Vec<_>, Vec<_>) = turns.into_iter().partition(|of| of.is_behind || of.asks);
        self.seal_each(&first, Timestamp::MAX);
        let limited = |of: Turn| Turn { cursor: slowest.unwrap_or(of.cursor), ..of };
        self.seal_asking(&last.into_iter().map(limited).collect::<Vec<_>>());
        self.join(if self.settings.merge { self.sealer.sealed_to() } else { Timestamp::MAX });
        self.withdraw()?;
        self.failed()
    }

    /// Seals in one order what lies before each lane's own cursor: nothing will come any more.
    pub fn settle(&mut self) -> Result<(), OutletError> {
        let Pipeline { sealer, incidents, outlets, told, failure, .. } = self;
        sealer.settle(&mut |sealed| tell(outlets, told, incidents, failure, sealed));
        self.join(Timestamp::MAX);
        self.withdraw()?;
        self.failed()
    }

    fn seal_each(&mut self, turns: &[Turn], limit: Timestamp) {
        turns.iter().for_each(|of| self.seal(of.lane, of.cursor.min(limit)));
    }

    fn seal(&mut self, lane: LaneId, cursor: Timestamp) {
        let Pipeline { sealer, incidents, outlets, told, failure, .. } = self;
        sealer.advance(lane, cursor, &mut |sealed| tell(outlets, told, incidents, failure, sealed));
    }

    /// Finding by finding: first the edges up to its time, then what is decided by them. Incidents before it come first, as
    /// far as all sources have passed them.
    fn seal_asking(&mut self, turns: &[Turn]) {
        let mut last = None;
        let next = |sealer: &Sealer, last: Option<Timestamp>| {
            let asking = turns.iter().filter(|of| of.asks);
            let found = asking.filter_map(|of| sealer.next_finding(of.lane).filter(|at| *at < of.cursor));
            found.filter(|at| Some(*at) > last).min()
        };
        while let Some(at) = next(&self.sealer, last) {
            self.seal_each(turns, at);
            self.join(at);
            if let Some(lineage) = &mut self.lineage {
                lineage.reach(at.plus_ms(1));
            }
            self.seal_each(turns, at.plus_ms(1));
            last = Some(at);
        }
        self.seal_each(turns, Timestamp::MAX);
    }

    /// Lineage and incidents follow the slowest source, since every one can tell of edges, as far as alerts are sealed.
    pub(super) fn join(&mut self, sealed_to: Timestamp) {
        let Pipeline { sources, lineage: Some(lineage), incidents, outlets, failure, .. } = self else { return };
        let Some(cursor) = sources.iter().filter_map(Source::cursor).min() else { return };
        let tell = &mut |record| tell_incident(outlets, failure, &record);
        joins::advance(lineage, incidents.as_mut(), cursor.min(sealed_to), tell);
    }
}
