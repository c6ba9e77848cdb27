//! The life of alerts: open, fold, repeat, raise, expire; one state per fingerprint.
//!
//! Pure and in event time: called in total order, behind the cursor. The same findings in the same order give the same
//! records. Previews are told from the same state and change nothing in it.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::{
    AlertRecord, AlertState, Arrival, Basis, Derived, EVIDENCE_MAX, Evidence, Finding, Fingerprint, Place, RecordOrder,
    RedactionKey, Resolution, RuleInfo, Sha256, Table, Timestamp, Urgency,
};

use serde::{Deserialize, Serialize};

use crate::ahead::{Ahead, Previewed};
use crate::record::{About, Telling, clean_key, record};

/// A record and its place in total order.
pub type Sealed = (RecordOrder, AlertRecord);

/// An open alert.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Open {
    rule: Arc<RuleInfo>,
    key: Vec<(String, String)>,
    urgency: Urgency,
    count: u64,
    told_at: Timestamp,
    held_at: Timestamp,
    suppressed: u64,
    /// Since it was told last, the newest.
    evidence: Vec<Evidence>,
}

impl Open {
    fn due(&self) -> Timestamp {
        self.held_at.plus_ms(self.rule.realert_ms(self.urgency)).min(Timestamp::LAST)
    }
}

/// What outlives the process.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct LifeSnapshot {
    open: Vec<(Fingerprint, Open)>,
    previewed: Vec<(Fingerprint, Vec<Previewed>)>,
}

/// The open alerts of some rules, and their timers.
#[derive(Debug)]
pub struct Life {
    open: Table<Fingerprint, Open>,
    timers: BTreeSet<(Timestamp, Arc<str>, Fingerprint)>,
    ahead: Ahead,
    evicted: u64,
    redaction: RedactionKey,
}

impl Life {
    /// No open alerts; `open_alerts_max` is shared evenly by the virtual shards. A full shard closes the ticket that held
    /// longest ago first, pages only when there are no tickets.
    pub fn new(open_alerts_max: usize, redaction: RedactionKey) -> Life {
        Life {
            open: Table::new("open_alerts", 1, open_alerts_max),
            timers: BTreeSet::new(),
            ahead: Ahead::new(open_alerts_max),
            evicted: 0,
            redaction,
        }
    }

    /// The open alerts and what was told ahead, by fingerprint.
    pub(crate) fn snapshot(&self) -> LifeSnapshot {
        let (mut open, mut previewed) = (self.open.snapshot().entries, self.ahead.snapshot());
        open.iter_mut().for_each(|(_, open)| clean_key(&mut open.key, self.redaction));
        let told = previewed.iter_mut().flat_map(|(_, told)| told);
        told.for_each(|of| clean_key(&mut of.key, self.redaction));
        LifeSnapshot { open, previewed }
    }

    /// Puts a snapshot in the place of everything.
    pub(crate) fn restore(&mut self, LifeSnapshot { open, previewed }: LifeSnapshot) {
        let mut rules: BTreeMap<(Arc<str>, Sha256), Arc<RuleInfo>> = BTreeMap::new();
        // What one rule said shares what it is.
        let mut shared = |rule: Arc<RuleInfo>| rules.entry((rule.id.clone(), rule.version)).or_insert(rule).clone();
        for (print, open) in open {
            let open = Open { rule: shared(open.rule), ..open };
            self.timers.insert((open.due(), open.rule.id.clone(), print));
            self.open.insert(print, open, expendable);
        }
        for (print, mut told) in previewed {
            told.iter_mut().for_each(|of| of.rule = shared(of.rule.clone()));
            self.ahead.restore(print, told);
        }
    }

    /// When the next timer is due.
    pub fn next_timer(&self) -> Option<Timestamp> {
        self.timers.first().map(|(due, ..)| *due)
    }

    /// The timer that is next: when, and whose.
    pub(crate) fn first_timer(&self) -> Option<&(Timestamp, Arc<str>, Fingerprint)> {
        self.timers.first()
    }

    /// Number of open alerts.
    pub fn open_alerts(&self) -> usize {
        self.open.len()
    }

    /// Alerts that were closed because `open_alerts_max` was reached.
    pub fn evicted(&self) -> u64 {
        self.evicted
    }

    /// A rule holds at an event, next in total order.
    pub fn hold(&mut self, finding: Finding, tell: &mut impl FnMut(Sealed)) {
        let at = finding.time();
        let print = finding.fingerprint;
        let Some(open) = self.open.get_mut(&print) else {
            self.open(finding, tell);
            return;
        };
        let due_before = open.due();
        let realert_ms = finding.rule.realert_ms(open.urgency);
        let state = if finding.urgency > open.urgency {
            Some(AlertState::Raised)
        } else if at > open.told_at.plus_ms(realert_ms) {
            Some(AlertState::Repeat)
        } else {
            None
        };
        self.ahead.confirm(print, at);
        open.count += 1;
        // After a partition changed hands its events come again, behind the cursor: time does not go back.
        open.held_at = open.held_at.max(at);
        open.urgency = open.urgency.max(finding.urgency);
        open.see(&finding);
        match state {
            None => open.suppressed += 1,
            Some(state) => {
                open.told_at = at;
                let telling = open.telling(state, Some(at));
                tell((finding.record_order(), record(About::finding(&finding, self.redaction), telling)));
                self.ahead.cover(print, at.plus_ms(realert_ms));
            }
        }
        let due = open.due();
        if due != due_before {
            let rule = finding.rule.id.clone();
            self.timers.remove(&(due_before, rule.clone(), print));
            self.timers.insert((due, rule, print));
        }
    }

    fn open(&mut self, finding: Finding, tell: &mut impl FnMut(Sealed)) {
        let at = finding.time();
        let print = finding.fingerprint;
        let mut open = Open {
            rule: finding.rule.clone(),
            key: finding.key.clone(),
            urgency: finding.urgency,
            count: 1,
            told_at: at,
            held_at: at,
            suppressed: 0,
            evidence: Vec::new(),
        };
        open.see(&finding);
        let telling = open.telling(AlertState::Firing, Some(at));
        self.timers.insert((open.due(), finding.rule.id.clone(), print));
        if let Some((gone, victim)) = self.open.insert(print, open, expendable) {
            self.evicted += 1;
            self.timers.remove(&(victim.due(), victim.rule.id.clone(), gone));
            let end = (finding.place(), at);
            tell(close(gone, victim, end, true, self.redaction));
        }
        tell((finding.record_order(), record(About::finding(&finding, self.redaction), telling)));
        self.ahead.cover(print, at.plus_ms(finding.rule.realert_ms(finding.urgency)));
    }

    /// Runs the first timer: its alert expires.
    pub fn expire_first(&mut self, tell: &mut impl FnMut(Sealed)) {
        let Some((due, _, print)) = self.timers.pop_first() else { return };
        if let Some(open) = self.open.remove(&print) {
            let end = (Place::Timer { time: due, expires: true }, due);
            tell(close(print, open, end, false, self.redaction));
        }
        self.ahead.cover(print, due);
    }

    /// Closing evidence came: the alert, if one is open, is resolved.
    pub fn resolve(&mut self, resolution: &Resolution, tell: &mut impl FnMut(Sealed)) {
        let print = resolution.fingerprint;
        let Some(mut open) = self.open.remove(&print) else { return };
        self.timers.remove(&(open.due(), open.rule.id.clone(), print));
        self.ahead.cover(print, resolution.place.time());
        open.evidence.push(resolution.evidence.clone());
        let at = resolution.place.time();
        let telling = open.telling(AlertState::Resolved, Some(at));
        let about =
            About { rule: &open.rule, fingerprint: print, key: &open.key, finding: None, redaction: self.redaction };
        let place = resolution.place.clone();
        tell((RecordOrder { place, rule: open.rule.id.clone(), fingerprint: print }, record(about, telling)));
    }

    /// Everything before a time is sealed: what was told ahead of it and did not come true is withdrawn.
    pub fn settle_previews(&mut self, sealed_to: Timestamp, tell: &mut impl FnMut(AlertRecord)) {
        while let Some((print, told)) = self.ahead.pop_untrue(sealed_to) {
            let at = told.at;
            let (state, urgency) = (AlertState::Withdrawn, told.urgency);
            let telling = Telling { state, at: Some(at), urgency, count: 0, suppressed: 0, evidence: Vec::new() };
            let (rule, key, redaction) = (&told.rule, &told.key, self.redaction);
            let about = About { rule, fingerprint: print, key, finding: None, redaction };
            tell(AlertRecord { provisional: true, ..record(about, telling) });
        }
    }

    /// The same of what was derived: a resolution waits for its seal.
    pub fn preview_derived(&mut self, derived: &Derived) -> Option<AlertRecord> {
        match derived {
            Derived::Holds(finding) => self.preview(finding),
            Derived::Resolves(_) | Derived::Heard(..) => None,
        }
    }

    /// What would be told of a finding that has just arrived, where that is new: nobody has been told of this alert at
    /// this urgency, provisionally or for good. What an announcement may silence waits for sealing.
    pub fn preview(&mut self, finding: &Finding) -> Option<AlertRecord> {
        if finding.rule.shadow || !finding.rule.suppress_when.is_empty() {
            return None;
        }
        let at = finding.time();
        let print = finding.fingerprint;
        let (state, count) = match self.open.get(&print) {
            Some(open) if open.urgency >= finding.urgency && at <= open.due() => return None,
            Some(open) if open.urgency < finding.urgency => (AlertState::Raised, open.count + 1),
            _ => (AlertState::Firing, 1),
        };
        let realert_ms = finding.rule.realert_ms(finding.urgency);
        if self.ahead.covers(print, finding.urgency, at, realert_ms) {
            return None;
        }
        let told = Previewed { urgency: finding.urgency, at, rule: finding.rule.clone(), key: finding.key.clone() };
        self.ahead.tell(print, told);
        let evidence = finding.evidence.clone();
        let telling = Telling { state, at: Some(at), urgency: finding.urgency, count, suppressed: 0, evidence };
        Some(AlertRecord { provisional: true, ..record(About::finding(finding, self.redaction), telling) })
    }
}

/// The record of a finding that stands alone: late, early, without a time, or one of `--every-match`.
pub fn alone(finding: &Finding, state: AlertState, redaction: RedactionKey) -> Sealed {
    let at = (!finding.timeless).then_some(finding.time());
    let evidence = finding.evidence.clone();
    let telling = Telling { state, at, urgency: finding.urgency, count: 1, suppressed: 0, evidence };
    debug_assert!(state != AlertState::Firing || finding.timeless || finding.arrival != Arrival::OnTime);
    (finding.record_order(), record(About::finding(finding, redaction), telling))
}

impl Open {
    /// Takes a finding's evidence: a window's stands for itself, single events are gathered, the newest.
    fn see(&mut self, finding: &Finding) {
        if finding.basis != Basis::Event {
            self.evidence.clear();
        }
        self.evidence.extend(finding.evidence.iter().cloned());
        let spare = self.evidence.len().saturating_sub(EVIDENCE_MAX);
        self.evidence.drain(..spare);
    }

    /// What is said now; what was folded until now has been told with it.
    fn telling(&mut self, state: AlertState, at: Option<Timestamp>) -> Telling {
        let suppressed = std::mem::take(&mut self.suppressed);
        let evidence = std::mem::take(&mut self.evidence);
        Telling { state, at, urgency: self.urgency, count: self.count, suppressed, evidence }
    }
}

fn close(
    fingerprint: Fingerprint,
    mut open: Open,
    (place, at): (Place, Timestamp),
    evicted: bool,
    redaction: RedactionKey,
) -> Sealed {
    let telling = open.telling(AlertState::Expired, Some(at));
    let about = About { rule: &open.rule, fingerprint, key: &open.key, finding: None, redaction };
    let closed = AlertRecord { evicted, ..record(about, telling) };
    (RecordOrder { place, rule: open.rule.id.clone(), fingerprint }, closed)
}

/// Tickets before pages, then whichever held longest ago, then by fingerprint.
fn expendable(a: &Fingerprint, x: &Open, b: &Fingerprint, y: &Open) -> Ordering {
    x.urgency.cmp(&y.urgency).then(x.held_at.cmp(&y.held_at)).then(a.cmp(b))
}
