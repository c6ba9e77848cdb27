//! Objectives as data: OpenSLO's shape where it fits, read and checked.
//!
//! All problems at once, with path and hint. Must never accept an alert that can never fire, or that fires on what ends inside
//! its budget.

use jiff::tz::TimeZone;
use model::parse_span_ms;

use crate::burn::{Calendar, Condition, Factor, Guard, Objective, Policy, Urgency, Window, check, workbook};
use crate::definition::Definition;
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
    let read = window.zip(objective).map(|(window, (objective, budgeting))| {
        let policy = policy(alerting, objective, window.length_ms());
        Slo { name, title, owner, runbook, tags, by, indicator, window, budgeting, policy }
    });
    spec.finish();
    read
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
    let hint = "above 0 and below 100 %, like 99.5: an objective of everything has no budget";
    section.get("displayName");
    let percent = section.parsed("targetPercent", Objective::percent, hint);
    let decimal = section.parsed("target", share, "a share above 0 and below 1, like 0.995");
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

/// A share as a decimal: `0.995`.
fn share(text: &str) -> Option<Objective> {
    let decimals = text.strip_prefix("0.")?;
    let padded = format!("{decimals:0<2}");
    let (whole, rest) = padded.split_at_checked(2)?;
    Objective::percent(&if rest.is_empty() { whole.to_owned() } else { format!("{whole}.{rest}") })
}

/// What alerts: the workbook's conditions for the window as far as they can work, unless the file names its own.
fn policy(section: Option<Section<'_>>, objective: Objective, period_ms: i64) -> Policy {
    let usual = || workbook(period_ms).into_iter().filter(|of| check(objective, period_ms, of).is_empty()).collect();
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
        let urgency = |text: &str| [Urgency::Page, Urgency::Ticket].into_iter().find(|of| of.name() == text);
        let factor = item.parsed("factor", Factor::decimal, "a decimal, like 14.4");
        let (long, short) =
            (item.parsed("long", parse_span_ms, "a span"), item.parsed("short", parse_span_ms, "a span"));
        let urgency = item.parsed("urgency", urgency, "page or ticket");
        let (Some(factor), Some(long_ms), Some(urgency)) = (factor, long, urgency) else {
            item.problem("factor", "long and urgency are needed (hint: {factor: 14.4, long: 1h, urgency: page})");
            continue;
        };
        let condition = Condition { factor, long_ms, short_ms: short.unwrap_or(long_ms / 12), urgency };
        for problem in check(objective, period_ms, &condition) {
            item.problem("factor", &problem.to_string());
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

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(spec: &str) -> Result<Slo, String> {
        let definitions = Definition::shipped().expect("definitions");
        let text = format!("apiVersion: openslo/v1\nkind: SLO\nmetadata: {{name: builds}}\nspec:\n{spec}");
        Slo::parse(&text, &definitions).map_err(|problems| problems.join("\n"))
    }

    #[test]
    fn an_objective_takes_the_workbooks_conditions_that_can_work() {
        let of = |target: &str, window: &str| {
            let spec = format!("  indicatorRef: A-M1\n  timeWindow: [{window}]\n  objectives: [{target}]\n");
            parse(&spec).unwrap_or_else(|error| panic!("{error}"))
        };
        let slo = of("{targetPercent: 99.9}", "{duration: 30d, isRolling: true}");
        assert_eq!((slo.policy.conditions.len(), slo.budgeting), (4, Budgeting::Occurrences));
        assert_eq!(slo.window, Window::Rolling(30 * DAY_MS));
        // 0.933 is below 1, and 14.4 cannot be reached at 90 %.
        assert_eq!(of("{target: 0.999}", "{duration: 4w}").policy.conditions.len(), 3);
        assert_eq!(of("{target: 0.9}", "{duration: 30d}").policy.conditions.len(), 3);
        let month = of("{targetPercent: 99.5}", "{calendar: {unit: month, timeZone: \"+02:00\"}}");
        assert_eq!(month.window.length_ms(), 30 * DAY_MS);
    }

    #[test]
    fn what_cannot_work_is_refused_with_a_reason() {
        let error = parse(
            "  indicatorRef: A-M11\n  timeWindow: [{duration: 28d}]\n  objectives: [{targetPercent: 90}]\n  x-alerting:\n    \
             conditions:\n      - {factor: 14.4, long: 1h, urgency: page}\n      - {factor: 0.93, long: 3d, urgency: ticket}\n",
        )
        .expect_err("is refused");
        for part in [
            "no indicator \"A-M11\"",
            "conditions[0].factor: factor 14.4 can never be exceeded",
            "conditions[1].factor: factor 0.93 is below 1",
        ] {
            assert!(error.contains(part), "{part}\n{error}");
        }
        for target in ["{targetPercent: 100}", "{targetPercent: 0}", "{target: 1}", "{}"] {
            let spec = format!("  indicatorRef: A-M1\n  timeWindow: [{{duration: 28d}}]\n  objectives: [{target}]\n");
            assert!(parse(&spec).is_err(), "{target}");
        }
    }

    #[test]
    fn slices_have_a_length_and_a_target() {
        let spec = "  indicatorRef: A-M1\n  budgetingMethod: Timeslices\n  timeWindow: [{duration: 28d}]\n  objectives: \
                    [{targetPercent: 99, timeSliceTarget: 0.95, timeSliceWindow: 5m}]\n";
        let slices = Budgeting::Timeslices { slice_ms: 300_000, target_ppm: 950_000 };
        assert_eq!(parse(spec).map(|slo| slo.budgeting), Ok(slices));
        assert!(parse(&spec.replace("5m", "90s")).is_err());
    }
}
