//! What was told, held against what an exercise expects. Pure: the same records give the same report.
//!
//! Only what happened from the first labelled event to the end is judged. What an alert was told about is event time; when
//! it was told is a tick.

use std::collections::{BTreeMap, BTreeSet};

use model::{Timestamp, Urgency};
use serde_json::{Map, Value};

use super::course::{Course, Told};
use super::exercise::{Exercise, Expected, Variant};
use super::incidents;
use super::records::{Label, Labelled};
use super::report::{Alert, Checked, Detection, Goal, Outcome, Report, Standing, clock};

/// Judges a course. `ordinary`: what the days beside it tell without it, which is nobody's doing. `known`: names of the
/// detections that are loaded.
pub(super) fn judge(
    exercise: &Exercise,
    events: Vec<Labelled>,
    course: &Course,
    ordinary: &[Told],
    known: &BTreeSet<String>,
) -> Report {
    let from = events.first().map_or(exercise.start, |event| event.time);
    let ordinary: BTreeSet<_> = ordinary.iter().map(identity).collect();
    let own = course.told.iter().filter(|told| told.record.state.is_told() && !ordinary.contains(&identity(told)));
    let (judged, before): (Vec<&Told>, Vec<&Told>) =
        own.filter(|told| time(told) <= exercise.end).partition(|told| time(told) >= from);
    let mut alerts = alerts(&judged);
    let malicious: BTreeSet<&str> =
        events.iter().filter(|event| event.label == Label::Malicious).map(|event| event.id.as_str()).collect();
    for alert in &mut alerts {
        alert.standing = standing(alert, exercise, &malicious);
    }
    let first = events.iter().find(|event| event.label == Label::Malicious).map(|event| event.time);
    let expectations: Vec<Checked> =
        exercise.expect.alerts.iter().map(|of| check(of, exercise, &alerts, known, &malicious)).collect();
    let paged: Vec<&Alert> = alerts.iter().filter(|alert| alert.urgency == Urgency::Page).collect();
    let mut report = Report {
        name: exercise.name.clone(),
        id: exercise.id.clone(),
        variant: exercise.variant,
        title: exercise.title.clone(),
        start: exercise.start,
        judged_from: from,
        end: exercise.end,
        ordinary_days: 0,
        passed: false,
        failures: Vec::new(),
        detection: first.map(|first| detection(exercise, first, &alerts)),
        incidents: incidents::count(&paged, &course.incidents),
        pages_max: exercise.expect.pages_max,
        tickets: alerts.iter().filter(|alert| alert.urgency == Urgency::Ticket).count(),
        tickets_max: exercise.expect.tickets_max,
        expectations,
        pending: exercise.expect.pending.clone(),
        stated: exercise.expect.sli.iter().cloned().collect(),
        alerts,
        before: alerts_before(&before),
        invalid_records: course.invalid,
        late_events: course.late,
        events,
    };
    report.failures = failures(&report);
    report.passed = report.failures.is_empty();
    report
}

/// Two records with this in common are one alert told twice, ahead of its seal and then for good: what opens it ahead may
/// raise it in the end.
fn identity(told: &Told) -> (model::Fingerprint, Urgency, Option<Timestamp>) {
    (told.record.fingerprint, told.record.urgency, told.record.event_time)
}

fn time(told: &Told) -> Timestamp {
    told.record.event_time.unwrap_or(told.at)
}

fn alerts_before(before: &[&Told]) -> usize {
    before.iter().map(|told| identity(told)).collect::<BTreeSet<_>>().len()
}

/// Each alert once, at the tick at which it was told first.
fn alerts(told: &[&Told]) -> Vec<Alert> {
    let mut found: Vec<Alert> = Vec::new();
    let mut places = BTreeMap::new();
    for told in told {
        let record = &told.record;
        let sealed_at = (!record.provisional).then_some(told.at);
        if let Some(alert) = places.get(&identity(told)).and_then(|&at: &usize| found.get_mut(at)) {
            alert.sealed_at = alert.sealed_at.or(sealed_at);
            continue;
        }
        places.insert(identity(told), found.len());
        found.push(Alert {
            detection: record.rule.name.clone().unwrap_or_else(|| record.rule.id.to_string()),
            title: record.rule.title.clone(),
            urgency: record.urgency,
            fingerprint: record.fingerprint,
            state: record.state,
            event_time: time(told),
            told_at: told.at,
            sealed_at,
            key: record.group.clone(),
            facts: record.facts.clone(),
            evidence: record.evidence.iter().map(|evidence| evidence.id.to_string()).collect(),
            standing: Standing::Stray,
        });
    }
    found
}

/// `DEP-01-REFUSED` is a DEP-01; `RUN-020` is no RUN-02.
pub(super) fn is_of(name: &str, detection: &str) -> bool {
    name.strip_prefix(detection).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

fn text(map: &Map<String, Value>, field: &str) -> Option<String> {
    match map.get(field)? {
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

/// Every field that is given is equal. A correlation may call it by an alias, its last part.
fn has_key(alert: &Alert, expected: &Expected) -> bool {
    expected.key.iter().all(|(field, value)| {
        let alias = field.rsplit('.').next().unwrap_or(field);
        text(&alert.key, field).or_else(|| text(&alert.key, alias)).as_ref() == Some(value)
    })
}

fn standing(alert: &Alert, exercise: &Exercise, malicious: &BTreeSet<&str>) -> Standing {
    let expect = &exercise.expect;
    let is = |id: &str| is_of(&alert.detection, id);
    if expect.forbid.iter().any(|id| is(id)) {
        return Standing::Forbidden;
    }
    if expect.alerts.iter().any(|expected| is(&expected.id) && has_key(alert, expected)) {
        return Standing::Expected;
    }
    if expect.pending.keys().any(|id| is(id)) {
        return Standing::Pending;
    }
    let holds = |(field, value): &(String, String)| {
        [&alert.key, &alert.facts].into_iter().any(|map| text(map, field).as_ref() == Some(value))
    };
    let has_evidence = alert.evidence.iter().any(|id| malicious.contains(id.as_str()));
    if has_evidence || expect.lineage.iter().any(holds) { Standing::Lineage } else { Standing::Stray }
}

/// The best that was told of an expectation, and what is wrong with it.
fn check(
    expected: &Expected,
    exercise: &Exercise,
    alerts: &[Alert],
    known: &BTreeSet<String>,
    malicious: &BTreeSet<&str>,
) -> Checked {
    let mut of_rule: Vec<&Alert> = alerts.iter().filter(|alert| is_of(&alert.detection, &expected.id)).collect();
    of_rule.sort_by_key(|alert| alert.told_at);
    let same_key = |alert: &&&Alert| has_key(alert, expected);
    let routed = |alert: &&&Alert| has_key(alert, expected) && alert.urgency >= expected.route;
    let in_time = |alert: &&&Alert| routed(alert) && alert.event_time >= expected.not_before;
    let (outcome, found) = if let Some(alert) = of_rule.iter().find(in_time) {
        (if alert.told_at <= expected.not_after { Outcome::Met } else { Outcome::Late }, Some(*alert))
    } else if let Some(alert) = of_rule.iter().find(routed) {
        (Outcome::Early, Some(*alert))
    } else if let Some(alert) = of_rule.iter().find(same_key) {
        (Outcome::OnlyTicket, Some(*alert))
    } else if let Some(alert) = of_rule.first() {
        (Outcome::OtherKey, Some(*alert))
    } else if known.iter().any(|name| is_of(name, &expected.id)) {
        (Outcome::NotTold, None)
    } else {
        (Outcome::NoRule, None)
    };
    let waits = outcome != Outcome::Met && exercise.expect.pending.contains_key(&expected.id);
    let evidence = |alert: &Alert| alert.evidence.iter().any(|id| malicious.contains(id.as_str()));
    Checked {
        id: expected.id.clone(),
        route: expected.route,
        key: expected.key.iter().cloned().collect(),
        not_before: expected.not_before,
        not_after: expected.not_after,
        outcome: if waits { Outcome::Pending } else { outcome },
        told_at: found.map(|alert| alert.told_at),
        event_time: found.map(|alert| alert.event_time),
        told_key: found.filter(|_| outcome == Outcome::OtherKey).map(|alert| alert.key.clone()),
        lacks_evidence: outcome == Outcome::Met && !found.is_some_and(evidence),
    }
}

/// With one of these among its `sli`, an exercise is about the time to detect.
const MEASURES: [&str; 2] = ["time_to_detect_s", "time_to_identify_s"];

/// What is measured against A-M7 and B-M5: from the first event of the attack to the first word about it.
fn detection(exercise: &Exercise, first: Timestamp, alerts: &[Alert]) -> Detection {
    let belongs = |alert: &&Alert| alert.standing.is_of_the_attack() && alert.event_time >= first;
    let told_at = alerts.iter().filter(belongs).map(|alert| alert.told_at).min();
    let goal = [("GD-A", "A-M7", 86_400), ("GD-B", "B-M5", 3_600)]
        .into_iter()
        .find(|(prefix, ..)| exercise.id.starts_with(prefix))
        .map(|(_, name, limit_s)| Goal { name: name.to_owned(), limit_s });
    let time_s = told_at.map(|at| (at.ms() - first.ms()) / 1000);
    let within = goal.as_ref().map(|goal| time_s.is_some_and(|time_s| time_s < goal.limit_s));
    // Exercises of operation have no moment at which something begins.
    let is_measured = exercise.expect.sli.iter().any(|(name, _)| MEASURES.contains(&name.as_str()));
    Detection { first_event: first, told_at, time_s, goal, within, is_measured }
}

/// Why it does not pass; empty where it does.
fn failures(report: &Report) -> Vec<String> {
    let mut failures = Vec::new();
    let at = |time: Timestamp| clock(time, report.start);
    for of in report.expectations.iter().filter(|of| !of.outcome.is_good()) {
        failures.push(format!("{} ({}): {}", of.id, of.route.name(), of.said(report.start)));
    }
    for alert in &report.alerts {
        let what =
            format!("{} ({}) at {}, {}", alert.detection, alert.urgency.name(), at(alert.told_at), alert.key_text());
        match alert.standing {
            Standing::Forbidden => failures.push(format!("forbidden: {what}")),
            Standing::Stray if report.variant == Variant::Attack => failures.push(format!("not of the attack: {what}")),
            _ if report.variant == Variant::Twin => failures.push(format!("must be silent: {what}")),
            _ => {}
        }
    }
    if let Some(max) = report.pages_max.filter(|max| report.incidents > *max) {
        failures.push(format!("pages: {} incidents, {max} at most", report.incidents));
    }
    if let Some(max) = report.tickets_max.filter(|max| report.tickets > *max) {
        failures.push(format!("tickets: {}, {max} at most", report.tickets));
    }
    if let Some(of) = &report.detection
        && let (Some(false), true, Some(goal)) = (of.within, of.is_measured, &of.goal)
    {
        failures.push(format!("{}: {}", goal.name, of.said()));
    }
    if report.invalid_records > 0 {
        failures.push(format!("records that could not be decoded: {}", report.invalid_records));
    }
    failures
}
