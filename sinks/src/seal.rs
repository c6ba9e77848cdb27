//! Sealing: findings wait until their rules' cursor has passed them, then change state in total order, once.
//!
//! Rules that read the same sources share a lane, whose cursor is the least of those sources' watermarks: a slow source
//! delays only the rules that read it. Must never seal past a cursor, and never look at when something arrived.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use model::{AlertRecord, AlertState, Arrival, Finding, Fingerprint, Place, RecordOrder, Timestamp};

use crate::life::{Life, Sealed, alone};

/// How findings become records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Folded into alerts.
    Alerts,
    /// One record for each match (`--every-match`).
    EveryMatch,
}

/// Number of a lane.
pub type LaneId = usize;

/// Findings of the rules that share a cursor.
#[derive(Debug)]
struct Lane {
    life: Life,
    waiting: BinaryHeap<Reverse<Waiting>>,
    cursor: Timestamp,
}

/// A finding by its place in total order.
#[derive(Debug)]
struct Waiting {
    order: RecordOrder,
    finding: Finding,
}

impl PartialEq for Waiting {
    fn eq(&self, other: &Self) -> bool {
        self.order == other.order
    }
}

impl Eq for Waiting {}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Waiting {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.order.cmp(&other.order)
    }
}

/// Seals the findings of all lanes.
#[derive(Debug)]
pub struct Sealer {
    mode: Mode,
    lanes: Vec<Lane>,
    open_alerts_max: usize,
    /// Records of all lanes leave in one order, so all wait for the slowest.
    merge: bool,
}

impl Sealer {
    /// A sealer without lanes. With `merge`, records of all lanes leave in one total order.
    pub fn new(mode: Mode, open_alerts_max: usize, merge: bool) -> Sealer {
        Sealer { mode, lanes: Vec::new(), open_alerts_max, merge }
    }

    /// Adds a lane.
    pub fn add_lane(&mut self) -> LaneId {
        self.lanes.push(Lane {
            life: Life::new(self.open_alerts_max),
            waiting: BinaryHeap::new(),
            cursor: Timestamp::MIN,
        });
        self.lanes.len() - 1
    }

    /// Takes a finding. Late and early ones, and those without a time, are told at once and stand alone.
    pub fn offer(&mut self, lane: LaneId, finding: Finding, tell: &mut impl FnMut(Sealed)) {
        let alone_state = match self.mode {
            Mode::EveryMatch => AlertState::Match,
            Mode::Alerts => AlertState::Firing,
        };
        if finding.timeless || finding.arrival != Arrival::OnTime {
            tell(alone(&finding, alone_state));
            return;
        }
        let Some(lane) = self.lanes.get_mut(lane) else { return };
        let order = RecordOrder {
            place: Place::Event(finding.order.clone()),
            rule: finding.rule.id.clone(),
            fingerprint: finding.fingerprint,
        };
        lane.waiting.push(Reverse(Waiting { order, finding }));
    }

    /// What can be told of a finding ahead of its cursor.
    pub fn preview(&mut self, lane: LaneId, finding: &Finding) -> Option<AlertRecord> {
        if self.mode == Mode::EveryMatch || finding.timeless || finding.arrival != Arrival::OnTime {
            return None;
        }
        self.lanes.get_mut(lane)?.life.preview(finding)
    }

    /// Moves a lane's cursor and seals what lies before it. With [`Timestamp::MAX`] everything is sealed, timers included.
    /// When records of all lanes leave in one order, nothing is sealed that lies behind another lane's cursor.
    pub fn advance(&mut self, lane: LaneId, cursor: Timestamp, tell: &mut impl FnMut(Sealed)) {
        let mode = self.mode;
        if let Some(lane) = self.lanes.get_mut(lane) {
            lane.cursor = lane.cursor.max(cursor);
            if !self.merge {
                let cursor = lane.cursor;
                return while lane.step(mode, cursor, tell) {};
            }
        }
        let slowest = self.lanes.iter().map(|lane| lane.cursor).min().unwrap_or(Timestamp::MAX);
        self.seal_merged(|_| slowest, tell);
    }

    /// Seals in one order whatever lies before each lane's own cursor: no lane will move any more.
    pub fn settle(&mut self, tell: &mut impl FnMut(Sealed)) {
        self.seal_merged(|lane| lane.cursor, tell);
    }

    fn seal_merged(&mut self, limit: impl Fn(&Lane) -> Timestamp, tell: &mut impl FnMut(Sealed)) {
        let mode = self.mode;
        if let [lane] = self.lanes.as_mut_slice() {
            let limit = limit(lane);
            return while lane.step(mode, limit, tell) {};
        }
        loop {
            let next = |(at, lane): (usize, &Lane)| Some((lane.next(limit(lane))?.order(), at));
            let first = self.lanes.iter().enumerate().filter_map(next).min();
            let Some(lane) = first.and_then(|(_, at)| self.lanes.get_mut(at)) else { return };
            let limit = limit(lane);
            lane.step(mode, limit, tell);
        }
    }

    /// Forgets the waiting findings that `gone` names.
    pub fn forget(&mut self, gone: impl Fn(&Finding) -> bool) {
        for lane in &mut self.lanes {
            lane.waiting.retain(|Reverse(waiting)| !gone(&waiting.finding));
        }
    }

    /// Findings that wait for their cursor.
    pub fn waiting(&self) -> usize {
        self.lanes.iter().map(|lane| lane.waiting.len()).sum()
    }

    /// The findings that wait, in no particular order.
    pub fn waiting_findings(&self) -> impl Iterator<Item = &Finding> {
        self.lanes.iter().flat_map(|lane| lane.waiting.iter().map(|Reverse(waiting)| &waiting.finding))
    }

    /// Open alerts.
    pub fn open_alerts(&self) -> usize {
        self.lanes.iter().map(|lane| lane.life.open_alerts()).sum()
    }

    /// Alerts closed because `open_alerts_max` was reached.
    pub fn evicted(&self) -> u64 {
        self.lanes.iter().map(|lane| lane.life.evicted()).sum()
    }
}

/// What a lane does next.
enum Next<'l> {
    /// A finding takes effect.
    Finding(&'l RecordOrder),
    /// An alert expires: when, of which rule, which.
    Timer(&'l (Timestamp, Arc<str>, Fingerprint)),
}

impl Next<'_> {
    fn order(&self) -> RecordOrder {
        match self {
            Next::Finding(order) => (*order).clone(),
            Next::Timer((time, rule, fingerprint)) => RecordOrder {
                place: Place::Timer { time: *time, expires: true },
                rule: rule.clone(),
                fingerprint: *fingerprint,
            },
        }
    }
}

impl Lane {
    /// What comes next, if it lies before the limit. A timer runs after all events of its time.
    fn next(&self, limit: Timestamp) -> Option<Next<'_>> {
        let settled = |time: Timestamp| time < limit || limit == Timestamp::MAX;
        let finding = self.waiting.peek().map(|Reverse(waiting)| &waiting.order);
        let timer = self.life.next_timer();
        match (finding, timer) {
            (Some(finding), timer) if timer.is_none_or(|(due, ..)| finding.place.time() <= *due) => {
                settled(finding.place.time()).then_some(Next::Finding(finding))
            }
            (_, Some(timer)) => settled(timer.0).then_some(Next::Timer(timer)),
            _ => None,
        }
    }

    /// Does what comes next, if it lies before the limit. False: nothing does.
    fn step(&mut self, mode: Mode, limit: Timestamp, tell: &mut impl FnMut(Sealed)) -> bool {
        match self.next(limit) {
            None => return false,
            Some(Next::Timer(_)) => self.life.expire_first(tell),
            Some(Next::Finding(_)) => {
                let Some(Reverse(Waiting { finding, .. })) = self.waiting.pop() else { return false };
                match mode {
                    Mode::Alerts => self.life.hold(finding, tell),
                    Mode::EveryMatch => tell(alone(&finding, AlertState::Match)),
                }
            }
        }
        true
    }
}
