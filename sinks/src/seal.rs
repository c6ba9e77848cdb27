//! Sealing: findings wait until their rules' cursor has passed them, then change state in total order, once.
//!
//! Rules that read the same sources share a lane, whose cursor is the least of those sources' watermarks: a slow source
//! delays only the rules that read it. Must never seal past a cursor, and never look at when something arrived.

use std::sync::Arc;

use model::{AlertRecord, AlertState, Arrival, Finding, Fingerprint, Place, RecordOrder, RedactionKey, Timestamp};

use crate::life::{Life, Sealed, alone};
use crate::queue::{Lost, Queue};

/// How findings become records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Folded into alerts.
    Alerts,
    /// One record for each match (`--every-match`).
    EveryMatch,
}

/// Limits of each lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Open alerts.
    pub open_alerts_max: usize,
    /// Findings that wait for their cursor.
    pub findings_waiting_max: usize,
}

/// Number of a lane.
pub type LaneId = usize;

/// Findings of the rules that share a cursor.
#[derive(Debug)]
struct Lane {
    life: Life,
    waiting: Queue,
    cursor: Timestamp,
    redaction: RedactionKey,
}

/// Seals the findings of all lanes.
#[derive(Debug)]
pub struct Sealer {
    mode: Mode,
    lanes: Vec<Lane>,
    limits: Limits,
    /// Records of all lanes leave in one order, so all wait for the slowest.
    merge: bool,
    redaction: RedactionKey,
}

impl Sealer {
    /// A sealer without lanes. With `merge`, records of all lanes leave in one total order.
    pub fn new(mode: Mode, limits: Limits, merge: bool) -> Sealer {
        Sealer { mode, lanes: Vec::new(), limits, merge, redaction: RedactionKey::default() }
    }

    /// Names secrets in keys and ids under this key. For a sealer that has no lanes yet.
    pub fn with_redaction(self, redaction: RedactionKey) -> Sealer {
        Sealer { redaction, ..self }
    }

    /// Adds a lane.
    pub fn add_lane(&mut self) -> LaneId {
        self.lanes.push(Lane {
            life: Life::new(self.limits.open_alerts_max, self.redaction),
            waiting: Queue::new(self.limits.findings_waiting_max),
            cursor: Timestamp::MIN,
            redaction: self.redaction,
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
            tell(alone(&finding, alone_state, self.redaction));
            return;
        }
        let Some(lane) = self.lanes.get_mut(lane) else { return };
        let order = RecordOrder {
            place: Place::Event(finding.order.clone()),
            rule: finding.rule.id.clone(),
            fingerprint: finding.fingerprint,
        };
        lane.waiting.push(order, finding);
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
                lane.begin(cursor);
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
        for lane in &mut self.lanes {
            let limit = limit(lane);
            lane.begin(limit);
        }
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
            lane.waiting.forget(&gone);
        }
    }

    /// Findings that wait for their cursor.
    pub fn waiting(&self) -> usize {
        self.lanes.iter().map(|lane| lane.waiting.len()).sum()
    }

    /// The findings that wait, in no particular order.
    pub fn waiting_findings(&self) -> impl Iterator<Item = &Finding> {
        self.lanes.iter().flat_map(|lane| lane.waiting.iter())
    }

    /// Open alerts.
    pub fn open_alerts(&self) -> usize {
        self.lanes.iter().map(|lane| lane.life.open_alerts()).sum()
    }

    /// Findings lost because `findings_waiting_max` was reached.
    pub fn lost(&self) -> Lost {
        self.lanes.iter().map(|lane| lane.waiting.lost()).fold(Lost::default(), |sum, lost| Lost {
            pages: sum.pages + lost.pages,
            tickets: sum.tickets + lost.tickets,
        })
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
    /// Sealing up to a limit begins: what the queue has lost is settled before anything of it changes state.
    fn begin(&mut self, limit: Timestamp) {
        if self.next(limit).is_some() {
            self.waiting.settle();
        }
    }

    /// What comes next, if it lies before the limit. A timer runs after all events of its time.
    fn next(&self, limit: Timestamp) -> Option<Next<'_>> {
        let settled = |time: Timestamp| time < limit || limit == Timestamp::MAX;
        let finding = self.waiting.peek();
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
                let Some(finding) = self.waiting.pop() else { return false };
                match mode {
                    Mode::Alerts => self.life.hold(finding, tell),
                    Mode::EveryMatch => tell(alone(&finding, AlertState::Match, self.redaction)),
                }
            }
        }
        true
    }
}
