//! Silences of a lane: which announcements count at an event time, and whether one covers a finding.
//!
//! A silence counts for everything at its own time and later. It is looked up behind the cursor, when every announcement up
//! to that time is here, so the order of arrival decides nothing. At `silences_max` the one that ends first goes: whoever
//! floods announcements makes alerts louder, never quieter.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::{
    AlertRecord, AlertState, Arrival, EventOrder, Finding, Fingerprint, Position, RedactionKey, SCOPE_FIELDS, Silence,
    SuppressedBy, Table, Timestamp,
};

use crate::life::Sealed;

/// What silences have done, and what limits have cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Silenced {
    /// Silences that are held, those that are over not yet swept among them.
    pub held: usize,
    /// Findings that were not told because one covered them.
    pub findings: u64,
    /// Silences given up because `silences_max` was reached.
    pub evicted: u64,
    /// Announcements that came too late, or from too far ahead: they silence nothing.
    pub late: u64,
}

impl std::ops::AddAssign for Silenced {
    fn add_assign(&mut self, other: Silenced) {
        self.held += other.held;
        self.findings += other.findings;
        self.evicted += other.evicted;
        self.late += other.late;
    }
}

/// A rule, a field and a text of it.
type Scope = (Arc<str>, &'static str, String);

/// The silences of a lane.
#[derive(Debug)]
pub(crate) struct Silences {
    /// Announced, and not yet reached.
    waiting: BTreeMap<(EventOrder, Arc<str>), Silence>,
    silences_max: usize,
    /// Reached; by rule and announcement.
    held: Table<Fingerprint, Arc<Silence>>,
    /// The same by rule and each text of one field of their scope, in total order.
    by_scope: BTreeMap<Scope, BTreeMap<EventOrder, Arc<Silence>>>,
    /// The same by their ends.
    ends: BTreeMap<(Timestamp, Fingerprint), Arc<Silence>>,
    done: Silenced,
}

impl Silences {
    pub(crate) fn new(silences_max: usize) -> Silences {
        let held = Table::new("silences", 1, silences_max);
        let (waiting, by_scope, ends, done) = Default::default();
        Silences { waiting, silences_max, held, by_scope, ends, done }
    }

    /// An announcement has come.
    pub(crate) fn push(&mut self, silence: Silence) {
        if silence.arrival != Arrival::OnTime {
            self.done.late += 1;
            return;
        }
        self.waiting.insert((silence.order.clone(), silence.rule.id.clone()), silence);
        if self.waiting.len() > self.silences_max && self.waiting.pop_last().is_some() {
            self.done.evicted += 1;
        }
    }

    /// Everything up to a time (inclusive) has been announced.
    pub(crate) fn reach(&mut self, time: Timestamp) {
        while let Some(first) = self.waiting.first_entry()
            && first.key().0.time <= time
        {
            let silence = Arc::new(first.remove());
            self.hold(silence);
        }
    }

    /// Everything before a time has been announced, and nothing of before it will be asked any more.
    pub(crate) fn settle(&mut self, before: Timestamp) {
        self.reach(Timestamp::from_ms(before.ms().saturating_sub(1)));
    }

    fn hold(&mut self, silence: Arc<Silence>) {
        self.sweep(silence.order.time);
        self.put(silence);
    }

    fn put(&mut self, silence: Arc<Silence>) {
        for scope in scopes(&silence) {
            self.by_scope.entry(scope).or_default().insert(silence.order.clone(), silence.clone());
        }
        self.ends.insert((silence.to, name(&silence)), silence.clone());
        let ends_first =
            |_: &Fingerprint, a: &Arc<Silence>, _: &Fingerprint, b: &Arc<Silence>| order_of(a).cmp(&order_of(b));
        if let Some((_, gone)) = self.held.insert(name(&silence), silence, ends_first) {
            self.forget(&gone);
            self.done.evicted += 1;
        }
    }

    /// Drops what is over.
    fn sweep(&mut self, now: Timestamp) {
        while let Some(((_, print), silence)) = self.ends.first_key_value()
            && silence.to < now
        {
            self.held.remove(print);
            let over = silence.clone();
            self.forget(&over);
        }
    }

    fn forget(&mut self, silence: &Silence) {
        self.ends.remove(&(silence.to, name(silence)));
        for scope in scopes(silence) {
            if let Some(of_scope) = self.by_scope.get_mut(&scope) {
                of_scope.remove(&silence.order);
                if of_scope.is_empty() {
                    self.by_scope.remove(&scope);
                }
            }
        }
    }

    /// The silence that covers a finding, of several the one that ends last. Counted.
    pub(crate) fn over(&mut self, finding: &Finding) -> Option<Arc<Silence>> {
        if finding.rule.suppress_when.is_empty() || finding.timeless {
            return None;
        }
        let at = finding.time();
        let pairs = finding.key.iter().chain(&finding.facts).map(|(field, text)| (field.as_str(), text.as_str()));
        let scopes = pairs.clone().filter_map(|(field, text)| {
            let field = SCOPE_FIELDS.iter().find(|known| **known == field)?;
            Some((*field, text.to_owned()))
        });
        let rules = finding.rule.suppress_when.iter();
        let scopes =
            scopes.flat_map(|(field, text)| rules.clone().map(move |rule| (rule.clone(), field, text.clone())));
        let named = scopes.filter_map(|scope| self.by_scope.get(&scope));
        let covering = named.flat_map(BTreeMap::values).filter(|silence| silence.covers(at, pairs.clone()));
        let found = covering.max_by(|a, b| order_of(a).cmp(&order_of(b))).cloned();
        self.done.findings += u64::from(found.is_some());
        found
    }

    /// What waits and what is held, for [`Silences::restore`].
    pub(crate) fn snapshot(&self) -> (Vec<&Silence>, Vec<&Silence>) {
        (self.waiting.values().collect(), self.ends.values().map(Arc::as_ref).collect())
    }

    /// Puts a snapshot in the place of nothing.
    pub(crate) fn restore(&mut self, (waiting, held): (Vec<Silence>, Vec<Silence>)) {
        waiting.into_iter().for_each(|silence| self.push(silence));
        held.into_iter().for_each(|silence| self.put(Arc::new(silence)));
    }

    /// Forgets what waits of the positions that `gone` names.
    pub(crate) fn forget_waiting(&mut self, gone: impl Fn(&Position) -> bool) {
        self.waiting.retain(|_, silence| !gone(&silence.position));
    }

    /// Where everything that waits was read.
    pub(crate) fn waiting_positions(&self) -> impl Iterator<Item = &Position> {
        self.waiting.values().map(|silence| &silence.position)
    }

    pub(crate) fn done(&self) -> Silenced {
        Silenced { held: self.held.len() + self.waiting.len(), ..self.done }
    }
}

/// Which of two silences ends first, then which stands first in total order.
fn order_of(silence: &Silence) -> (Timestamp, &EventOrder, &str) {
    (silence.to, &silence.order, &silence.rule.id)
}

/// Where a silence is looked up: the last field of its scope, which says the most.
fn scopes(silence: &Silence) -> impl Iterator<Item = Scope> {
    let last = silence.scope.last().into_iter();
    last.flat_map(|(field, texts)| texts.iter().map(|text| (silence.rule.id.clone(), *field, text.clone())))
}

fn name(silence: &Silence) -> Fingerprint {
    let EventOrder { time, source, id, sha256 } = &silence.order;
    let (time, hash) = (time.to_string(), sha256.hex());
    let pairs = [("time", time.as_str()), ("source", source), ("id", id), ("sha256", &hash)];
    Fingerprint::new(&silence.rule.id, pairs)
}

/// A record as it is kept while a silence covers it: nobody is told. None: it says nothing that was not said before.
pub(crate) fn suppressed((order, record): Sealed, by: Option<&Silence>, redaction: RedactionKey) -> Option<Sealed> {
    let ends = matches!(record.state, AlertState::Expired | AlertState::Resolved);
    if ends && (record.suppressed == 0 || record.shadow) {
        return None;
    }
    let by = by.map(|silence| SuppressedBy {
        rule: silence.rule.id.clone(),
        name: silence.rule.name.clone(),
        event: model::Evidence {
            id: redaction.name_field("event.id", &silence.order.id).into_owned().into(),
            sha256: silence.order.sha256,
        },
        from: silence.from,
        to: silence.to,
    });
    let title = &record.rule.title;
    let explain = match &by {
        Some(by) => {
            let who = by.name.as_deref().unwrap_or(&by.rule);
            format!("not told while {who} covers it, until {} (event {}); {}", by.to, by.event.id, record.explain)
        }
        None if record.shadow => format!("not told, on trial or explained; {}", record.explain),
        None => format!("{title}: held {} more times while it was not told", record.suppressed),
    };
    Some((order, AlertRecord { state: AlertState::Suppressed, suppressed_by: by, explain, ..record }))
}
