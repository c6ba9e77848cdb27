//! Sealing: findings wait until their rules' cursor has passed them, then change state in total order, once.
//!
//! Rules that read the same sources share a lane, whose cursor is the least of those sources' watermarks: a slow source
//! delays only the rules that read it. Must never seal past a cursor, and never look at when something arrived.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use model::{AlertRecord, AlertState, Arrival, Finding, RecordOrder, Timestamp};

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
    /// Records of all lanes in one order, waiting for the slowest lane; None: records leave lane by lane.
    merged: Option<BTreeMap<RecordOrder, Vec<AlertRecord>>>,
}

impl Sealer {
    /// A sealer without lanes. With `merge`, records of all lanes leave in one total order.
    pub fn new(mode: Mode, open_alerts_max: usize, merge: bool) -> Sealer {
        Sealer { mode, lanes: Vec::new(), open_alerts_max, merged: merge.then(BTreeMap::new) }
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
            place: model::Place::Event(finding.order.clone()),
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
    pub fn advance(&mut self, lane: LaneId, cursor: Timestamp, tell: &mut impl FnMut(Sealed)) {
        let mode = self.mode;
        if let Some(lane) = self.lanes.get_mut(lane) {
            match &mut self.merged {
                None => lane.advance(mode, cursor, tell),
                Some(merged) => {
                    lane.advance(mode, cursor, &mut |(order, record)| merged.entry(order).or_default().push(record));
                }
            }
        }
        self.release(tell);
    }

    /// Lets all merged records go, in order: no lane will seal any more.
    pub fn release_all(&mut self, tell: &mut impl FnMut(Sealed)) {
        self.release_before(Timestamp::MAX, tell);
    }

    /// Lets merged records go that no lane can precede any more.
    fn release(&mut self, tell: &mut impl FnMut(Sealed)) {
        let cursor = self.lanes.iter().map(|lane| lane.cursor).min().unwrap_or(Timestamp::MAX);
        self.release_before(cursor, tell);
    }

    fn release_before(&mut self, cursor: Timestamp, tell: &mut impl FnMut(Sealed)) {
        let Some(merged) = &mut self.merged else { return };
        while let Some(entry) = merged.first_entry() {
            if entry.key().place.time() >= cursor && cursor != Timestamp::MAX {
                break;
            }
            let (order, records) = entry.remove_entry();
            records.into_iter().for_each(|record| tell((order.clone(), record)));
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

impl Lane {
    fn advance(&mut self, mode: Mode, cursor: Timestamp, tell: &mut impl FnMut(Sealed)) {
        self.cursor = self.cursor.max(cursor);
        let settled = |time: Timestamp| time < cursor || cursor == Timestamp::MAX;
        loop {
            let event = self.waiting.peek().map(|Reverse(waiting)| waiting.order.place.time());
            let timer = self.life.next_due();
            // A timer runs after all events of its time.
            let event_first = event.is_some_and(|event| timer.is_none_or(|timer| event <= timer));
            match (event, timer) {
                (Some(time), _) if event_first && settled(time) => {
                    let Some(Reverse(Waiting { finding, .. })) = self.waiting.pop() else { return };
                    match mode {
                        Mode::Alerts => self.life.hold(finding, tell),
                        Mode::EveryMatch => tell(alone(&finding, AlertState::Match)),
                    }
                }
                (_, Some(due)) if !event_first && settled(due) => self.life.expire_first(tell),
                _ => return,
            }
        }
    }
}
