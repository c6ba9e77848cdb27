//! Objectives as tables for people and as JSON for scripts.
//!
//! A budget is never clamped, and no time to exhaustion is told without what it is. Must never divide by nothing.

use model::Timestamp;
use serde_json::{Value as Json, json};
use slis::burn::{Budget, Condition, Counts, Exhaustion, Limit, State, Window};
use slis::slo::{Budgeting, Slo};
use slis::standing::{Alert, Burn, Standing, Times};

use super::objectives::Told;
use super::print::{NO_DATA, span};
use crate::rules_command;

/// Tables: the objectives, their conditions, and the alerts of the past where they are asked for.
pub(super) fn tables(told: &[Told]) -> String {
    let mut text = String::new();
    let heads = ["objective", "of", "is", "target", "over", "budget left", "spent", "verdict", "gone"];
    let mut rows = rules_command::table(&heads, &[8]);
    for Told { slo, standing, .. } in told {
        let counts = standing.counts;
        rows.add_row([
            slo.name.clone(),
            slo.indicator.clone(),
            share(counts).map_or_else(|| NO_DATA.to_owned(), |share| format!("{:.3} %", share * 100.0)),
            format!("{} %", slo.policy.objective.as_percent()),
            period_words(slo, standing),
            left_words(slo, standing.budget),
            spent_words(slo, standing),
            verdict_words(standing),
            times_words(slo, &standing.times),
        ]);
    }
    text.push_str(&format!("\n{}\n", rows.trim_fmt()));
    let mut rows =
        rules_command::table(&["objective", "tells", "above", "over", "burns", "and over", "burns", "says"], &[]);
    for Told { slo, standing, .. } in told {
        for (condition, burn) in slo.policy.conditions.iter().zip(&standing.burns) {
            rows.add_row(condition_cells(slo, condition, burn));
        }
    }
    text.push_str(&format!("\n{}\n", rows.trim_fmt()));
    if told.iter().any(|of| of.alerts.is_some()) {
        text.push_str(&alerts(told));
    }
    text
}

fn condition_cells(slo: &Slo, condition: &Condition, burn: &Burn) -> [String; 8] {
    let rate = |counts: Counts| {
        slo.policy.objective.burn_rate(counts).map_or_else(|| NO_DATA.to_owned(), |rate| format!("{rate:.2}"))
    };
    [
        slo.name.clone(),
        condition.urgency.name().to_owned(),
        above(condition),
        length(condition.long_ms),
        rate(burn.long),
        length(condition.short_ms),
        rate(burn.short),
        state_words(burn.state).to_owned(),
    ]
}

/// What a condition takes for too much.
pub(super) fn above(condition: &Condition) -> String {
    let limit = match condition.limit {
        Limit::Rate(factor) => factor.value().to_string(),
        Limit::Bad(most) => format!("{most} bad"),
    };
    if condition.least > 0 { format!("{limit}, of {} and more", condition.least) } else { limit }
}

fn alerts(told: &[Told]) -> String {
    let mut rows = rules_command::table(&["objective", "alert", "fired", "resolved", "after"], &[]);
    let mut any = false;
    for Told { slo, alerts, .. } in told {
        for alert in alerts.iter().flatten() {
            any = true;
            rows.add_row([
                slo.name.clone(),
                alert.urgency.name().to_owned(),
                time(alert.fired_ms),
                alert.resolved_ms.map_or_else(|| "fires still".to_owned(), time),
                alert.resolved_ms.map_or_else(String::new, |ms| length(ms - alert.fired_ms)),
            ]);
        }
    }
    if any { format!("\n{}\n", rows.trim_fmt()) } else { "\nno objective alerted\n".to_owned() }
}

/// Share of good ones.
fn share(counts: Counts) -> Option<f64> {
    (counts.total > 0).then(|| counts.good as f64 / counts.total as f64)
}

/// The period in words.
pub(super) fn period_words(slo: &Slo, standing: &Standing) -> String {
    let (from, to) = standing.period_ms;
    match slo.window {
        Window::Rolling(ms) => format!("the last {}", length(ms)),
        Window::Calendar(..) => format!("{} to {}", time(from), time(to)),
    }
}

/// What is left, in words; below nothing by how much.
pub(super) fn left_words(slo: &Slo, budget: Option<Budget>) -> String {
    let none = if slo.policy.objective.has_budget() { NO_DATA } else { "has none" };
    budget.map_or_else(|| none.to_owned(), |of| format!("{:.1} %", of.left * 100.0))
}

/// What was spent of what is allowed, and of what will be.
pub(super) fn spent_words(slo: &Slo, standing: &Standing) -> String {
    let Some(Budget { spent, allowed, .. }) = standing.budget else {
        let bad = standing.counts.bad();
        return if standing.counts.total > 0 { format!("{bad} of 0") } else { String::new() };
    };
    let unit = if slo.budgeting == Budgeting::Occurrences { "" } else { " slices" };
    let until = standing.forecast.map_or_else(String::new, |of| format!(", about {:.1} until the end", of.allowed));
    format!("{spent} of {allowed:.1}{unit}{until}")
}

/// The verdict in words.
pub(super) fn verdict_words(standing: &Standing) -> String {
    let held = if standing.ticket_held { " (ticket held)" } else { "" };
    format!("{}{held}", standing.verdict.name())
}

/// The three times in words.
pub(super) fn times_words(slo: &Slo, times: &Times) -> String {
    let long = |ms: i64| if ms == 0 { "gone already".to_owned() } else { length(ms) };
    let after = |ms: Option<i64>| ms.map_or_else(|| "never".to_owned(), long);
    let (name, never) = match slo.window {
        Window::Rolling(_) => ("rolling", "not at this rate"),
        Window::Calendar(..) => ("this period", "not before its end"),
    };
    let exact = match times.exact {
        Exhaustion::After(ms) => long(ms),
        Exhaustion::Never => never.to_owned(),
        Exhaustion::NoData if !slo.policy.objective.has_budget() => return "each bad one counts".to_owned(),
        Exhaustion::NoData => return NO_DATA.to_owned(),
    };
    let (full, left, pace) = (after(times.full_ms), after(times.left_ms), length(times.pace_ms));
    format!("{name}: {exact}; what is left: {left}; a full budget: {full} (pace of {pace})")
}

fn state_words(state: State) -> &'static str {
    match state {
        State::NoData => NO_DATA,
        State::Quiet => "quiet",
        State::Unsure => "unsure: luck shows as many",
        State::Firing => "fires",
    }
}

/// A span as people write it where it is whole, else in the unit in which they say it.
fn length(ms: i64) -> String {
    const UNITS: [(i64, &str); 3] = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "min")];
    let whole = UNITS.into_iter().find(|(unit_ms, _)| ms > 0 && ms % unit_ms == 0);
    whole
        .filter(|(unit_ms, _)| ms / unit_ms < 120)
        .map_or_else(|| span(ms as f64 / 1e3), |(unit_ms, unit)| format!("{} {unit}", ms / unit_ms))
}

/// A time, as the rest of the report writes it.
pub(super) fn time(ms: i64) -> String {
    Timestamp::from_ms(ms).to_string()
}

/// The objectives, with nothing rounded.
pub(super) fn json(told: &[Told]) -> Vec<Json> {
    told.iter().map(one).collect()
}

fn one(told: &Told) -> Json {
    let Told { slo, standing, alerts, .. } = told;
    let (from, to) = standing.period_ms;
    let budget = |of: Option<Budget>| {
        of.map(|Budget { allowed, spent, left, left_events }| {
            json!({"allowed": allowed, "spent": spent, "left": left, "left_events": left_events})
        })
    };
    let seconds = |ms: Option<i64>| ms.map(|ms| ms as f64 / 1e3);
    let conditions: Vec<Json> =
        slo.policy.conditions.iter().zip(&standing.burns).map(|(of, burn)| condition(slo, of, burn)).collect();
    let Times { pace_ms, full_ms, left_ms, exact } = standing.times;
    let (exact_s, word) = match exact {
        Exhaustion::After(ms) => (Some(ms as f64 / 1e3), "after"),
        Exhaustion::Never => (None, "never"),
        Exhaustion::NoData => (None, "no_data"),
    };
    let mut one = json!({
        "name": slo.name, "indicator": slo.indicator, "objective_percent": slo.policy.objective.as_percent(),
        "window": if matches!(slo.window, Window::Rolling(_)) { "rolling" } else { "calendar" },
        "budgeting": if slo.budgeting == Budgeting::Occurrences { "occurrences" } else { "timeslices" },
        "at": time(standing.at_ms), "from": time(from), "to": time(to),
        "good": standing.counts.good, "total": standing.counts.total, "value": share(standing.counts),
        "budget": budget(standing.budget), "forecast": budget(standing.forecast),
        "conditions": conditions, "verdict": standing.verdict.name(), "ticket_held": standing.ticket_held,
        "exhaustion": {
            "pace_s": seconds(Some(pace_ms)), "full_budget_s": seconds(full_ms), "what_is_left_s": seconds(left_ms),
            "exact": word, "exact_s": exact_s,
        },
    });
    if let (Some(one), Some(alerts)) = (one.as_object_mut(), alerts) {
        one.insert("alerts".to_owned(), alerts.iter().map(alert).collect());
    }
    one
}

fn condition(slo: &Slo, of: &Condition, burn: &Burn) -> Json {
    let window = |ms: i64, counts: Counts| {
        let (seconds, rate) = (ms as f64 / 1e3, slo.policy.objective.burn_rate(counts));
        json!({"seconds": seconds, "good": counts.good, "total": counts.total, "burn_rate": rate})
    };
    let state = match burn.state {
        State::NoData => "no_data",
        State::Quiet => "quiet",
        State::Unsure => "unsure",
        State::Firing => "firing",
    };
    let (name, limit) = match of.limit {
        Limit::Rate(factor) => ("factor", json!(factor.value())),
        Limit::Bad(most) => ("bad", json!(most)),
    };
    json!({
        "urgency": of.urgency.name(), name: limit, "long": window(of.long_ms, burn.long),
        "short": window(of.short_ms, burn.short), "state": state,
    })
}

fn alert(alert: &Alert) -> Json {
    json!({"urgency": alert.urgency.name(), "fired": time(alert.fired_ms), "resolved": alert.resolved_ms.map(time)})
}
