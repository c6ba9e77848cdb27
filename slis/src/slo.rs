//! Objectives as data: OpenSLO's shape where it fits, read and checked.
//!
//! All problems at once, with path and hint. Must never accept an alert that can never fire, or that fires on what ends inside
//! its budget.

use jiff::tz::TimeZone;
use model::parse_span_ms;

use crate::burn::{
    Calendar, Condition, Factor, Guard, Limit, Objective, Policy, Urgency, Window, check, without_budget, workbook,
};
use crate::contribution::MINUTE_MS;
use crate::definition::Definition;
use crate::live::span;
use crate::places::{Problems, Section, document, texts_of};

/// How a budget is spent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Budgeting {
    /// By events.
    Occurrences,
    /// By slices of time: one is bad when too few of its events are good.
    Timeslices {
        /// Length of a slice, in milliseconds.
        slice_ms: i64,
        /// Share that makes a slice good, in millionths.
        target_ppm: u32,
    },
}

/// By what an objective is judged apart: each has a budget, and alerts, of its own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum ScopedBy {
    #[default]
    Whole,
    Team,
    Environment,
    Repository,
}

impl ScopedBy {
    /// As files write it, and the field that tells apart.
    const ALL: [(&'static str, ScopedBy, Option<&'static str>); 4] = [
        ("whole", ScopedBy::Whole, None),
        ("team", ScopedBy::Team, Some("prov.team")),
        ("environment", ScopedBy::Environment, Some("prov.env")),
        ("repository", ScopedBy::Repository, Some("prov.repo")),
    ];

    fn by_name(name: &str) -> Option<ScopedBy> {
        ScopedBy::ALL.into_iter().find(|(known, ..)| *known == name).map(|(_, by, _)| by)
    }

    /// The field that tells apart. None: nothing does.
    pub fn field(self) -> Option<&'static str> {
        ScopedBy::ALL.into_iter().find(|(_, by, _)| *by == self).and_then(|(.., field)| field)
    }
}

/// An objective on an indicator.
#[derive(Debug, Clone, PartialEq)]
pub struct Slo {
    /// Its name.
    pub name: String,
    /// What its alerts are called.
    pub title: Option<String>,
    /// Who is told of them.
    pub owner: Option<String>,
    /// What to do then.
    pub runbook: Option<String>,
    /// What its alerts are about, in the words of catalogues: `cicd-sec.9`.
    pub tags: Vec<String>,
    /// By what it is judged apart.
    pub by: ScopedBy,
    /// Code of the indicator.
    pub indicator: String,
    /// How long after a minute its bad ones are known, in milliseconds of whole minutes: windows end so long before a close.
    pub settles_ms: i64,
    /// Period of the budget.
    pub window: Window,
    /// How the budget is spent.
    pub budgeting: Budgeting,
    /// The objective and what alerts on it.
    pub policy: Policy,
}

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

impl Slo {
    /// Reads one; `definitions` are the indicators that there are.
    ///
    /// # Errors
    /// Every problem at once, each with its path and a hint.
    pub fn parse(text: &str, definitions: &[Definition]) -> Result<Slo, Vec<String>> {
        let document = document(text).map_err(|error| vec![error])?;
        let problems = Problems::default();
        let slo = read(Section::new(String::new(), &document, &problems), definitions);
        match (problems.into_vec(), slo) {
            (problems, Some(slo)) if problems.is_empty() => Ok(slo),
            (problems, _) => Err(problems),
        }
    }
}

fn read(root: Section<'_>, definitions: &[Definition]) -> Option<Slo> {
    root.parsed("apiVersion", |text| (text == "openslo/v1").then_some(()), "openslo/v1");
    root.parsed("kind", |text| (text == "SLO").then_some(()), "SLO");
    let name = root.section("metadata").map(|metadata| {
        let name = metadata.required("name", "what the objective is called");
        let title = metadata.text("displayName");
        metadata.finish();
        (name, title)
    });
    if name.is_none() {
        root.problem("metadata", "is missing (hint: metadata: {name: build-success})");
    }
    let spec = root.section("spec");
    if spec.is_none() {
        root.problem("spec", "is missing (hint: spec: {indicatorRef: A-M1, objectives: …})");
    }
    let read = spec.and_then(|spec| of_spec(spec, name.unwrap_or_default(), definitions));
    root.finish();
    read
}

fn of_spec(spec: Section<'_>, (name, title): (String, Option<String>), definitions: &[Definition]) -> Option<Slo> {
    spec.get("description");
    spec.get("service");
    let indicator = spec.required("indicatorRef", "the code of an indicator, like A-M1");
    if !definitions.iter().any(|of| *of.code == *indicator) {
        let known: Vec<&str> = definitions.iter().map(|of| &*of.code).collect();
        spec.problem("indicatorRef", &format!("no indicator {indicator:?} (hint: {})", known.join(", ")));
    }
    let windows = spec.items("timeWindow");
    if windows.len() != 1 {
        spec.problem("timeWindow", "one is expected (hint: - {duration: 30d, isRolling: true})");
    }
    let window = windows.into_iter().next().and_then(window);
    let method = spec.text("budgetingMethod").unwrap_or_else(|| "Occurrences".to_owned());
    let objectives = spec.items("objectives");
    if objectives.len() != 1 {
        spec.problem("objectives", "one is expected (hint: - {targetPercent: 99.5})");
    }
    let objective = objectives.into_iter().next().and_then(|of| objective(of, &method));
    if !["Occurrences", "Timeslices"].contains(&method.as_str()) {
        spec.problem("budgetingMethod", "is not known (hint: Occurrences or Timeslices)");
    }
    let alerting = spec.section("x-alerting");
    let text = |key| alerting.as_ref().and_then(|alerting| alerting.text(key));
    let (owner, runbook) = (text("owner"), text("runbook"));
    let tags = alerting.as_ref().and_then(|of| texts_of(of.get("tags")?)).unwrap_or_default();
    let by = alerting
        .as_ref()
        .and_then(|of| of.parsed("by", ScopedBy::by_name, "whole, team, environment or repository"))
        .unwrap_or_default();
    let settles_ms = definitions.iter().find(|of| *of.code == *indicator).map_or(0, settles_ms);
    let read = window.zip(objective).map(|(window, (objective, budgeting))| {
        let policy = policy(alerting, objective, window.length_ms());
        if let Some(problem) = crossed(budgeting, &policy) {
            spec.problem("objectives[0].timeSliceWindow", &problem);
        }
        Slo { name, title, owner, runbook, tags, by, indicator, settles_ms, window, budgeting, policy }
    });
    spec.finish();
    read
}

/// What is bad for want of what did not come is known when its deadline is over: a window that ended at the close would see the
/// good ones only. Where something else makes it bad, it is known then.
fn settles_ms(definition: &Definition) -> i64 {
    let all_needed = definition.matches.iter().all(|of| of.is_needed);
    let minutes = definition.deadline_ms.div_euclid(MINUTE_MS) + i64::from(definition.deadline_ms % MINUTE_MS > 0);
    if all_needed && !definition.matches.is_empty() { minutes.saturating_mul(MINUTE_MS) } else { 0 }
}

/// A slice that is longer than a short window never ends in it: the alert could not be taken back before the next one is over.
fn crossed(budgeting: Budgeting, policy: &Policy) -> Option<String> {
    let Budgeting::Timeslices { slice_ms, .. } = budgeting else { return None };
    let short_ms = policy.conditions.iter().map(|of| of.short_ms).min().filter(|short_ms| slice_ms > *short_ms)?;
    let (slice, short) = (span(slice_ms), span(short_ms));
    Some(format!(
        "{slice} is longer than the short window {short} of what alerts (hint: at most {short}, or x-alerting.conditions \
         with short windows of {slice} and more)"
    ))
}

fn window(section: Section<'_>) -> Option<Window> {
    let span =
        |text: &str| parse_span_ms(text).or_else(|| Some(text.strip_suffix('w')?.parse::<i64>().ok()? * 7 * DAY_MS));
    let length =
        section.parsed("duration", |text| span(text).filter(|ms| *ms >= HOUR_MS), "at least 1h, like 28d or 4w");
    section.get("isRolling");
    let calendar = section.section("calendar").and_then(|calendar| {
        let unit = |text: &str| match text {
            "week" => Some(Calendar::Week),
            "month" => Some(Calendar::Month),
            "quarter" => Some(Calendar::Quarter),
            _ => None,
        };
        let unit = calendar.parsed("unit", unit, "week, month or quarter");
        let zone = calendar.parsed("timeZone", zone, "UTC, or an offset like +02:00");
        calendar.finish();
        Some(Window::Calendar(unit?, zone.unwrap_or(TimeZone::UTC)))
    });
    if length.is_some() == calendar.is_some() {
        section.problem("duration", "or a calendar is expected, and not both (hint: duration: 30d)");
    }
    section.finish();
    calendar.or(length.map(Window::Rolling))
}

/// A time zone by offset: names need a database that this crate does not carry.
fn zone(text: &str) -> Option<TimeZone> {
    if text == "UTC" {
        return Some(TimeZone::UTC);
    }
    let (sign, rest) = match text.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = rest.split_once(':')?;
    let seconds = hours.parse::<i32>().ok().filter(|hours| (0..=14).contains(hours))? * 3_600
        + minutes.parse::<i32>().ok().filter(|minutes| (0..60).contains(minutes))? * 60;
    Some(TimeZone::fixed(jiff::tz::Offset::from_seconds(sign * seconds).ok()?))
}

fn objective(section: Section<'_>, method: &str) -> Option<(Objective, Budgeting)> {
    let hint = "above 0 and at most 100 %, like 99.5";
    section.get("displayName");
    let percent = section.parsed("targetPercent", |text| all(text, "100").or_else(|| Objective::percent(text)), hint);
    let decimal = |text: &str| all(text, "1").or_else(|| share(text));
    let decimal = section.parsed("target", decimal, "a share above 0 and at most 1, like 0.995");
    if section.get("targetPercent").is_none() && section.get("target").is_none() {
        section.problem("targetPercent", &format!("is missing (hint: {hint})"));
    }
    let slices = method == "Timeslices";
    let target = section.parsed("timeSliceTarget", share, "a share, like 0.95");
    let length = section.parsed("timeSliceWindow", parse_span_ms, "a span of whole minutes, like 5m");
    let budgeting = match (slices, target, length) {
        (false, None, None) => Some(Budgeting::Occurrences),
        (true, Some(target), Some(slice_ms)) if slice_ms >= 60_000 && slice_ms % 60_000 == 0 => {
            let target_ppm = ((1.0 - target.budget()) * 1e6).round() as u32;
            Some(Budgeting::Timeslices { slice_ms, target_ppm })
        }
        (true, ..) => {
            section.problem("timeSliceTarget", "and timeSliceWindow are needed (hint: 0.95, and 5m)");
            None
        }
        (false, ..) => {
            section.problem("timeSliceTarget", "is for Timeslices (hint: budgetingMethod: Timeslices)");
            None
        }
    };
    section.finish();
    percent.or(decimal).zip(budgeting)
}

/// All of them: the whole, with as many zeros behind it as somebody likes.
fn all(text: &str, whole: &str) -> Option<Objective> {
    let zeros = text.trim().trim_end_matches('%').trim_end().strip_prefix(whole)?;
    let is_whole = zeros.is_empty() || zeros.strip_prefix('.').is_some_and(|rest| rest.bytes().all(|of| of == b'0'));
    is_whole.then_some(Objective::ALL)
}

/// A share as a decimal: `0.995`.
fn share(text: &str) -> Option<Objective> {
    let decimals = text.strip_prefix("0.")?;
    let padded = format!("{decimals:0<2}");
    let (whole, rest) = padded.split_at_checked(2)?;
    Objective::percent(&if rest.is_empty() { whole.to_owned() } else { format!("{whole}.{rest}") })
}

/// What alerts: the workbook's conditions for the window as far as they can work, unless the file names its own.
fn policy(section: Option<Section<'_>>, objective: Objective, period_ms: i64) -> Policy {
    let usual = || -> Vec<Condition> {
        let of = if objective.has_budget() { workbook(period_ms) } else { without_budget() };
        of.into_iter().filter(|of| check(objective, period_ms, of).is_empty()).collect()
    };
    let Some(section) = section else {
        return Policy { objective, period_ms, conditions: usual(), guard: Some(Guard::default()) };
    };
    let guard = match section.text("falsePagesPerPeriod").as_deref() {
        None => Some(Guard::default()),
        Some("off") => None,
        Some(text) => {
            let number = text.parse().ok().filter(|number: &f64| *number > 0.0 && number.is_finite());
            if number.is_none() {
                section.problem("falsePagesPerPeriod", "is no number above 0 (hint: 0.1, or off)");
            }
            number.map(|false_per_period| Guard { false_per_period })
        }
    };
    let mut conditions = Vec::new();
    for item in section.items("conditions") {
        let Some(condition) = condition(&item) else { continue };
        for problem in check(objective, period_ms, &condition) {
            item.problem(
                if matches!(condition.limit, Limit::Rate(_)) { "factor" } else { "bad" },
                &problem.to_string(),
            );
        }
        item.finish();
        conditions.push(condition);
    }
    if section.get("conditions").is_none() {
        conditions = usual();
    }
    section.finish();
    Policy { objective, period_ms, conditions, guard }
}

/// A burn rate in two windows, or a number of bad ones in one.
fn condition(item: &Section<'_>) -> Option<Condition> {
    let urgency = |text: &str| [Urgency::Page, Urgency::Ticket].into_iter().find(|of| of.name() == text);
    let factor = item.parsed("factor", Factor::decimal, "a decimal, like 14.4").map(Limit::Rate);
    let bad = |text: &str| text.parse().ok().filter(|number| *number > 0).map(Limit::Bad);
    let bad = item.parsed("bad", bad, "a number above 0, like 3");
    let (long, short) = (item.parsed("long", parse_span_ms, "a span"), item.parsed("short", parse_span_ms, "a span"));
    let urgency = item.parsed("urgency", urgency, "page or ticket");
    let least = item.parsed("least", |text| text.parse().ok(), "a number, like 20").unwrap_or(0);
    match (factor, bad, long, urgency) {
        (Some(limit), None, Some(long_ms), Some(urgency)) => {
            Some(Condition { limit, long_ms, short_ms: short.unwrap_or(long_ms / 12), least, urgency })
        }
        (None, Some(Limit::Bad(bad)), Some(long_ms), Some(urgency)) if short.is_none() => {
            Some(Condition { least, ..Condition::counting(bad, long_ms, urgency) })
        }
        (None, Some(_), ..) => {
            item.problem(
                "bad",
                "long and urgency are needed, and nothing else (hint: {bad: 3, long: 1h, urgency: page})",
            );
            None
        }
        _ => {
            item.problem(
                "factor",
                "or bad, long and urgency are needed (hint: {factor: 14.4, long: 1h, urgency: page})",
            );
            None
        }
    }
}

#[cfg(test)]
mod tests;
