//! Sealing: findings wait until their rules' cursor has passed them, then change state in total order, once.
//!
//! Rules that read the same sources share a lane, whose cursor is the least of those sources' watermarks: a slow source
//! delays only the rules that read it. Must never seal past a cursor, and never look at when something arrived.

use std::rc::Rc;

use model::{
    AlertRecord, AlertState, Arrival, Correlator, CorrelatorHeld, Finding, Malformed, Occurrence, Position,
    RedactionKey, Silence, SourceHealth, Timestamp,
};

use crate::lane::{CorrelatorId, Decide, Lane, NextPlace};
use crate::life::{Sealed, alone};
use crate::queue::Lost;
use crate::reentry::Reentry;
use crate::saved::LaneSnapshot;
use crate::suppression::Silenced;

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
    /// Events that wait for their cursor because a rule remembers them.
    pub occurrences_waiting_max: usize,
    /// Announcements that keep alerts from being told.
    pub silences_max: usize,
}

/// Number of a lane.
pub type LaneId = usize;

/// Seals the findings of all lanes.
#[derive(Debug)]
pub struct Sealer {
    mode: Mode,
    pub(crate) lanes: Vec<Lane>,
    limits: Limits,
    /// Records of all lanes leave in one order, so all wait for the slowest.
    merge: bool,
    redaction: RedactionKey,
    decider: Option<Rc<dyn Decide>>,
    /// Provisional records that say that earlier ones did not come true.
    withdrawn: Vec<AlertRecord>,
    history_to: Timestamp,
    pub(crate) reentry: Option<Reentry>,
}

impl Sealer {
    /// A sealer without lanes. With `merge`, records of all lanes leave in one total order.
    pub fn new(mode: Mode, limits: Limits, merge: bool) -> Sealer {
        let redaction = RedactionKey::default();
        let (lanes, withdrawn, history_to) = (Vec::new(), Vec::new(), Timestamp::MIN);
        Sealer { mode, lanes, limits, merge, redaction, decider: None, withdrawn, history_to, reentry: None }
    }

    /// Names secrets in keys and ids under this key. For a sealer that has no lanes yet.
    pub fn with_redaction(self, redaction: RedactionKey) -> Sealer {
        Sealer { redaction, ..self }
    }

    /// Asks somebody about every finding whose turn comes. For a sealer that has no lanes yet.
    pub fn with_decider(self, decider: Rc<dyn Decide>) -> Sealer {
        Sealer { decider: Some(decider), ..self }
    }

    /// Tells nobody of what happened before a time, though rules remember it: history is loaded. For a sealer that has no
    /// lanes yet.
    pub fn with_history(self, history_to: Timestamp) -> Sealer {
        Sealer { history_to, ..self }
    }

    /// Adds a lane.
    pub fn add_lane(&mut self) -> LaneId {
        let mut lane = Lane::new(self.mode, self.limits, self.redaction, self.decider.clone());
        lane.history_to = self.history_to;
        self.lanes.push(lane);
        self.lanes.len() - 1
    }

    /// Gives a lane keyed state for a version of the rules.
    pub fn add_correlator(&mut self, lane: LaneId, correlator: Box<dyn Correlator>) -> CorrelatorId {
        let Some(lane) = self.lanes.get_mut(lane) else { return CorrelatorId::MAX };
        lane.correlators.push(correlator);
        lane.forget_history();
        lane.correlators.len() - 1
    }

    /// Whether a source can be heard, as a lane knows from an event time on.
    pub fn heed(&mut self, lane: LaneId, said: &SourceHealth, known_from: Timestamp) {
        let correlators = self.lanes.get_mut(lane).into_iter().flat_map(|lane| &mut lane.correlators);
        correlators.for_each(|correlator| correlator.heed(said, known_from));
    }

    /// What rules of each lane have found out of sources since the last call, and from when on that counts. The lane itself
    /// knows it.
    pub fn take_heard(&mut self) -> Vec<(LaneId, SourceHealth, Timestamp)> {
        let lanes = self.lanes.iter_mut().enumerate();
        lanes.flat_map(|(id, lane)| lane.heard.drain(..).map(move |(said, from)| (id, said, from))).collect()
    }

    /// How far a lane has been sealed, where records of its own are all it waits for.
    pub fn cursor(&self, lane: LaneId) -> Timestamp {
        self.lanes.get(lane).map_or(Timestamp::MIN, |lane| lane.cursor)
    }

    /// The time of the first finding that waits in a lane.
    pub fn next_finding(&self, lane: LaneId) -> Option<Timestamp> {
        self.lanes.get(lane)?.waiting.peek().map(|order| order.place.time())
    }

    /// The last event of a lane's sources so far, or a later end of its input: where input ends, buckets close up to it.
    pub fn reach(&mut self, lane: LaneId, last: Timestamp) {
        if let Some(lane) = self.lanes.get_mut(lane) {
            lane.last = lane.last.max(last);
        }
    }

    /// Takes an event that a rule of the lane remembers. Late and early ones enter no window.
    pub fn offer_event(
        &mut self,
        (lane, correlator): (LaneId, CorrelatorId),
        event: Box<Occurrence>,
        tell: &mut impl FnMut(Sealed),
    ) {
        let Sealer { lanes, reentry, .. } = self;
        let Some(lane) = lanes.get_mut(lane) else { return };
        match event.arrival {
            Arrival::OnTime => lane.events.push(correlator, event),
            Arrival::Late | Arrival::Early => {
                lane.late(correlator, *event, &mut |sealed| {
                    reentry.iter_mut().for_each(|reentry| reentry.take(&sealed.1));
                    tell(sealed);
                });
                self.reenter(tell);
            }
        }
    }

    /// Takes a finding. Late and early ones, and those without a time, are told at once and stand alone.
    pub fn offer(&mut self, lane: LaneId, finding: Finding, tell: &mut impl FnMut(Sealed)) {
        let is_alone = finding.timeless || finding.arrival != Arrival::OnTime;
        let Sealer { lanes, reentry, .. } = self;
        let Some(lane) = lanes.get_mut(lane) else {
            // Without lanes everything stands alone.
            let state = if self.mode == Mode::EveryMatch { AlertState::Match } else { AlertState::Firing };
            if is_alone {
                tell(alone(&finding, state, self.redaction));
            }
            return;
        };
        if is_alone {
            lane.alone(finding, &mut |sealed| {
                reentry.iter_mut().for_each(|reentry| reentry.take(&sealed.1));
                tell(sealed);
            });
            return self.reenter(tell);
        }
        lane.waiting.push(finding.record_order(), finding);
    }

    /// Takes an announcement that keeps alerts of the lane from being told.
    pub fn offer_silence(&mut self, lane: LaneId, silence: Silence) {
        if let Some(lane) = self.lanes.get_mut(lane) {
            lane.silences.push(silence);
        }
    }

    /// What silences have done.
    pub fn silenced(&self) -> Silenced {
        self.lanes.iter().fold(Silenced::default(), |mut sum, lane| {
            sum += lane.silences.done();
            sum
        })
    }

    /// What can be told of a finding ahead of its cursor.
    pub fn preview(&mut self, lane: LaneId, finding: &Finding) -> Option<AlertRecord> {
        if self.mode == Mode::EveryMatch || finding.timeless || finding.arrival != Arrival::OnTime {
            return None;
        }
        self.lanes.get_mut(lane)?.preview(finding)
    }

    /// What can be told of an event ahead of its cursor, because of what rules remember.
    pub fn preview_event(
        &mut self,
        (lane, correlator): (LaneId, CorrelatorId),
        event: &Occurrence,
    ) -> Vec<AlertRecord> {
        if self.mode == Mode::EveryMatch || event.arrival != Arrival::OnTime {
            return Vec::new();
        }
        let Some(Lane { correlators, life, history_to, .. }) = self.lanes.get_mut(lane) else { return Vec::new() };
        let mut records = Vec::new();
        if event.order.time < *history_to {
            return records;
        }
        if let Some(correlator) = correlators.get_mut(correlator) {
            correlator.preview(event, &mut |derived| records.extend(life.preview_derived(&derived)));
        }
        records
    }

    /// What timers before a time find, ahead of the lane's cursor: nothing earlier is expected there any more.
    pub fn preview_timers(&mut self, lane: LaneId, before: Timestamp) -> Vec<AlertRecord> {
        if self.mode == Mode::EveryMatch {
            return Vec::new();
        }
        let Some(Lane { correlators, life, history_to, .. }) = self.lanes.get_mut(lane) else { return Vec::new() };
        let mut records = Vec::new();
        if before <= *history_to {
            return records;
        }
        for correlator in correlators {
            correlator.preview_timers(before, &mut |derived| records.extend(life.preview_derived(&derived)));
        }
        records
    }

    /// Provisional records that say that earlier ones did not come true, since the last call.
    pub fn withdrawn(&mut self) -> Vec<AlertRecord> {
        std::mem::take(&mut self.withdrawn)
    }

    /// Moves a lane's cursor and seals what lies before it. With [`Timestamp::MAX`] everything is sealed, timers included.
    /// When records of all lanes leave in one order, nothing is sealed that lies behind another lane's cursor.
    pub fn advance(&mut self, lane: LaneId, cursor: Timestamp, tell: &mut impl FnMut(Sealed)) {
        let merge = self.merge;
        if let Some(of) = self.lanes.get_mut(lane) {
            of.cursor = of.cursor.max(cursor);
            if !merge {
                let cursor = of.cursor;
                of.begin(cursor);
                while self.step(lane, cursor, tell) {}
                return self.settle_lane(lane, cursor);
            }
        }
        let slowest = self.sealed_to();
        self.seal_merged(|_| slowest, tell);
    }

    /// Everything of a lane before a limit has been sealed.
    fn settle_lane(&mut self, lane: LaneId, limit: Timestamp) {
        let Sealer { lanes, withdrawn, .. } = self;
        if let Some(lane) = lanes.get_mut(lane) {
            lane.silences.settle(limit);
            lane.life.settle_previews(limit, &mut |record| withdrawn.push(record));
        }
    }

    /// Seals in one order whatever lies before each lane's own cursor: no lane will move any more.
    pub fn settle(&mut self, tell: &mut impl FnMut(Sealed)) {
        self.seal_merged(|lane| lane.cursor, tell);
    }

    fn seal_merged(&mut self, limit: impl Fn(&Lane) -> Timestamp, tell: &mut impl FnMut(Sealed)) {
        let limits: Vec<Timestamp> = self.lanes.iter().map(limit).collect();
        for (lane, limit) in self.lanes.iter_mut().zip(&limits) {
            lane.begin(*limit);
        }
        if let [limit] = *limits.as_slice() {
            while self.step(0, limit, tell) {}
            return self.settle_lane(0, limit);
        }
        let mut records: Vec<Sealed> = Vec::new();
        let next = |lanes: &[Lane], at: LaneId| lanes.get(at)?.place(*limits.get(at)?);
        while let Some(first) = (0..limits.len()).filter_map(|at| next(&self.lanes, at)).min_by(in_order) {
            for (at, limit) in limits.iter().enumerate() {
                while next(&self.lanes, at).as_ref() == Some(&first)
                    && self.step(at, *limit, &mut |sealed| records.push(sealed))
                {}
            }
            records.sort_by(|(a, _), (b, _)| a.cmp(b));
            records.drain(..).for_each(&mut *tell);
        }
        for (at, limit) in limits.iter().enumerate() {
            self.settle_lane(at, *limit);
        }
    }

    /// Before this time everything is sealed where records of all lanes leave in one order.
    pub fn sealed_to(&self) -> Timestamp {
        self.lanes.iter().map(|lane| lane.cursor).min().unwrap_or(Timestamp::MAX)
    }

    /// A keyed state has timers to run, or events of it wait. What it holds beside them is nothing to anybody once no event comes.
    pub fn remembers(&self, lane: LaneId, correlator: CorrelatorId) -> bool {
        let Some(lane) = self.lanes.get(lane) else { return false };
        let state = lane.correlators.get(correlator);
        state.is_some_and(|of| of.next_timer().is_some() || of.next_close().is_some())
            || lane.events.in_order().any(|(of, _)| of == correlator)
    }

    /// All that a lane holds.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn snapshot(&self, lane: LaneId) -> Result<LaneSnapshot, Malformed> {
        self.lanes.get(lane).map_or(Ok(LaneSnapshot::default()), Lane::snapshot)
    }

    /// Puts a snapshot into a lane that has held nothing yet. `correlators`: which of this lane's takes the place of each of
    /// the snapshot's. With `previews`, what waits is looked at ahead again.
    ///
    /// # Errors
    /// When the snapshot is malformed; the lane must not be used then.
    pub fn restore(
        &mut self,
        lane: LaneId,
        snapshot: &LaneSnapshot,
        correlators: &[Option<CorrelatorId>],
        previews: bool,
    ) -> Result<(), Malformed> {
        self.lanes.get_mut(lane).map_or(Ok(()), |lane| lane.restore(snapshot, correlators, previews))
    }

    /// Forgets what waits of the positions that `gone` names.
    pub fn forget(&mut self, gone: impl Fn(&Position) -> bool) {
        for lane in &mut self.lanes {
            lane.waiting.forget(|finding| gone(&finding.position));
            lane.events.forget(|event| gone(&event.position));
            lane.silences.forget_waiting(&gone);
        }
    }

    /// Findings that wait for their cursor.
    pub fn waiting(&self) -> usize {
        self.lanes.iter().map(|lane| lane.waiting.len()).sum()
    }

    /// Where everything that waits was read, in no particular order.
    pub fn waiting_positions(&self) -> impl Iterator<Item = &Position> {
        self.lanes.iter().flat_map(|lane| {
            let findings = lane.waiting.iter().map(|finding| &finding.position);
            let events = lane.events.iter().map(|event| &event.position);
            findings.chain(events).chain(lane.silences.waiting_positions())
        })
    }

    /// Events that wait for their cursor.
    pub fn waiting_events(&self) -> usize {
        self.lanes.iter().map(|lane| lane.events.len()).sum()
    }

    /// Events lost because `occurrences_waiting_max` was reached.
    pub fn lost_events(&self) -> u64 {
        self.lanes.iter().map(|lane| lane.events.lost()).sum()
    }

    /// What the lanes' rules remember.
    pub fn remembered(&self) -> CorrelatorHeld {
        self.lanes.iter().map(Lane::held).fold(CorrelatorHeld::default(), |mut sum, held| {
            sum += held;
            sum
        })
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
        self.lanes.iter().map(|lane| lane.life.evicted() + lane.silenced.evicted()).sum()
    }
}

fn in_order(a: &NextPlace, b: &NextPlace) -> std::cmp::Ordering {
    a.0.time().cmp(&b.0.time()).then_with(|| a.cmp(b))
}
