//! What correlations tell ahead of their cursor and what comes of it, side by side, where events come in order.
//!
//! Asks the engine below the life of alerts, where nothing is folded. Must never let an event come out of order.

use std::collections::{BTreeSet, VecDeque};

use model::{Arrival, Basis, Correlator, Derived, Occurrence, Timestamp};
use serde_json::Value;

use super::arrival;
use super::draw::Case;
use super::engine::Wired;

/// A rule that holds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Said {
    /// Rule id.
    pub rule: String,
    /// Event time in milliseconds.
    pub at_ms: i64,
    /// A timer decided.
    pub by_timer: bool,
    /// Of which alert, how urgent.
    pub of: String,
    /// Of what events, with what measure.
    pub why: String,
}

/// What was told ahead, and what was told for good.
#[derive(Debug, Default)]
pub struct Both {
    /// On arrival.
    pub ahead: Vec<Said>,
    /// Behind the cursor.
    pub sealed: Vec<Said>,
}

fn said(derived: Derived) -> Option<Said> {
    let Derived::Holds(finding) = derived else { return None };
    let (mut by_timer, mut measured) = (false, None);
    match finding.basis {
        Basis::Timer(_) => by_timer = true,
        Basis::Window(of) => measured = of,
        Basis::Event => {}
    }
    let evidence: Vec<&str> = finding.evidence.iter().map(|evidence| &*evidence.id).collect();
    Some(Said {
        rule: finding.rule.id.to_string(),
        at_ms: finding.time().ms(),
        by_timer,
        of: format!("{} {:?} {}", finding.fingerprint, finding.urgency, finding.order.id),
        why: format!("{evidence:?} {measured:?}"),
    })
}

/// Seals what lies before a time: events before timers.
fn seal(
    correlator: &mut dyn Correlator,
    waiting: &mut VecDeque<Occurrence>,
    before: Timestamp,
    sealed: &mut Vec<Said>,
) {
    loop {
        let event = waiting.front().map(|event| event.order.time).filter(|time| *time < before);
        let timer = correlator.next_timer().filter(|time| *time < before);
        match (event, timer) {
            (None, None) => return,
            (Some(event), timer) if timer.is_none_or(|timer| event <= timer) => {
                if let Some(event) = waiting.pop_front() {
                    correlator.apply(event, &mut |derived| sealed.extend(said(derived)));
                }
            }
            _ => correlator.run_timers(&mut |derived| sealed.extend(said(derived))),
        }
    }
}

/// Runs the events of a case in total order, with the cursor so far behind the newest. None: a document is refused.
pub fn in_order(case: &Case, behind_ms: i64) -> Option<Both> {
    let mut wired = Wired::new(case)?;
    let mut correlator = wired.correlator();
    let (mut both, mut waiting) = (Both::default(), VecDeque::new());
    for (offset, event) in arrival::sorted(&case.files, i64::MAX / 10_000).on_time.iter().enumerate() {
        let (_, occurrence) = wired.judged(event, (0, offset as i64), Arrival::OnTime);
        let now = Timestamp::from_ms(event.at_ms);
        correlator.preview_timers(now, &mut |derived| both.ahead.extend(said(derived)));
        if let Some(occurrence) = occurrence {
            correlator.preview(&occurrence, &mut |derived| both.ahead.extend(said(derived)));
            waiting.push_back(occurrence);
        }
        seal(&mut correlator, &mut waiting, now.plus_ms(-behind_ms), &mut both.sealed);
    }
    seal(&mut correlator, &mut waiting, Timestamp::LAST, &mut both.sealed);
    Some(both)
}

/// Ids of the documents in which a timer takes part: that it decides, or that something feeds which it decides.
pub fn timed(documents: &str) -> BTreeSet<String> {
    let documents: Vec<Value> =
        documents.split("\n---\n").map(|text| serde_json::from_str(text).expect("a document in JSON")).collect();
    let mut timed: BTreeSet<&str> = BTreeSet::new();
    // A document may stand before what it refers to.
    for _ in &documents {
        for document in &documents {
            let condition = document["correlation"]["condition"].as_str().unwrap_or_default();
            let decides = document.get("x-absence").is_some()
                || document.get("x-interval").is_some()
                || condition.split([' ', '(']).any(|word| word == "not");
            let fed_by = document["correlation"]["rules"].as_array().into_iter().flatten();
            let is_fed = fed_by.filter_map(Value::as_str).any(|name| timed.contains(name));
            if decides || is_fed {
                timed.insert(document["name"].as_str().expect("a name"));
            }
        }
    }
    let ids = documents.iter().filter(|of| of["name"].as_str().is_some_and(|name| timed.contains(name)));
    ids.map(|of| of["id"].as_str().expect("an id").to_owned()).collect()
}
