//! Where an objective stands as of a time: its budget, how fast it burns, the verdict, and when it will be gone; and the
//! alerts that judgements of the past come to.
//!
//! Made of contributions, wherever they are kept. Must never tell a verdict of a minute or slice that is not over.

use crate::burn::{
    Budget, Counts, Cumulative, Exhaustion, Judgement, Series, State, Urgency, Window, Windowed, exhaustion, judge,
    static_exhaustion_ms, timeslices, whole_budget_ms,
};
use crate::contribution::MINUTE_MS;
use crate::query::{Cell, QueryError, Store};
use crate::report::{Asked, of_indicator};
use crate::slo::{Budgeting, Slo};

/// Pace of an objective without conditions, in milliseconds.
const HOUR_MS: i64 = 3_600_000;

/// What is told of an objective.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Its budget burns so fast that somebody is called.
    Page,
    /// It burns so fast that it will not last.
    Ticket,
    /// It does not burn too fast.
    Quiet,
    /// It does, but luck could do as much.
    Unsure,
    /// In no condition's windows anything was counted.
    NoData,
}

impl Verdict {
    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Page => "page",
            Verdict::Ticket => "ticket",
            Verdict::Quiet => "quiet",
            Verdict::Unsure => "unsure",
            Verdict::NoData => "no data",
        }
    }

    fn of(judgement: &Judgement) -> Verdict {
        let any = |of: State| judgement.states.contains(&of);
        match judgement.urgency {
            Some(Urgency::Page) => Verdict::Page,
            Some(Urgency::Ticket) => Verdict::Ticket,
            None if any(State::Unsure) => Verdict::Unsure,
            None if any(State::Quiet) => Verdict::Quiet,
            None => Verdict::NoData,
        }
    }
}

/// One condition's windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Burn {
    /// Counted in the long one.
    pub long: Counts,
    /// Counted in the short one.
    pub short: Counts,
    /// What the condition says.
    pub state: State,
}

/// When the budget will be gone: three answers to three questions, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    /// The pace of all three is that of the last so long.
    pub pace_ms: i64,
    /// How long a full budget lasts. None: it does not burn.
    pub full_ms: Option<i64>,
    /// How long what is left lasts, if nothing left the window. None: it does not burn.
    pub left_ms: Option<i64>,
    /// With what leaves a rolling window; of a calendar's, `Never` says: not before it is over.
    pub exact: Exhaustion,
}

/// Where an objective stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    /// As of when: the close of the last minute, or slice.
    pub at_ms: i64,
    /// Its period, [from, to); a calendar's ends behind `at_ms`.
    pub period_ms: (i64, i64),
    /// Counted in the period: events, or slices.
    pub counts: Counts,
    /// The budget of these. None: no data.
    pub budget: Option<Budget>,
    /// Of a calendar period: its budget at its end, at the traffic until now.
    pub forecast: Option<Budget>,
    /// In the policy's order.
    pub burns: Vec<Burn>,
    /// What is told.
    pub verdict: Verdict,
    /// A ticket is held back: a page fires.
    pub ticket_held: bool,
    /// When the budget will be gone.
    pub times: Times,
}

/// An alert of the past.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Alert {
    /// Who was told.
    pub urgency: Urgency,
    /// The close at which it was true first.
    pub fired_ms: i64,
    /// The close at which it was false again. None: it is true at the last one.
    pub resolved_ms: Option<i64>,
}

/// The end of the last minute or slice of which everything is known at a time.
pub fn closed_ms(slo: &Slo, at_ms: i64) -> i64 {
    at_ms.saturating_sub(slo.settles_ms).div_euclid(step_ms(slo)) * step_ms(slo)
}

fn step_ms(slo: &Slo) -> i64 {
    match slo.budgeting {
        Budgeting::Occurrences => MINUTE_MS,
        Budgeting::Timeslices { slice_ms, .. } => slice_ms.max(MINUTE_MS),
    }
}

/// What an objective looks at: contributions of its indicator until `asked.to_ms`, of whom is asked for, as far back as
/// judgements from `from_ms` on and its period at the end reach; events, or slices that are over.
///
/// # Errors
/// When contributions cannot be read.
pub async fn counted(store: &Store, slo: &Slo, asked: &Asked, from_ms: i64) -> Result<Series, QueryError> {
    let at_ms = closed_ms(slo, asked.to_ms);
    let longest = slo.policy.conditions.iter().map(|of| of.long_ms).max().unwrap_or(0);
    let period = slo.window.period(at_ms).map_or(at_ms, |(from, _)| from);
    let from_ms = period.min(from_ms.saturating_sub(slo.settles_ms).min(at_ms).saturating_sub(longest));
    // A slice that is begun in is read from its beginning.
    let from_ms = from_ms.div_euclid(step_ms(slo)) * step_ms(slo);
    let rows = of_indicator(&slo.indicator, &Asked { to_ms: at_ms, ..asked.clone() }, from_ms);
    let sql =
        format!("SELECT CAST(minute AS BIGINT), sum(good), sum(total) FROM contributions WHERE {rows} GROUP BY 1");
    let mut series = Series::default();
    for row in store.select(&sql).await?.rows {
        if let [Cell::Int(minute), Cell::Int(good), Cell::Int(total)] = row.as_slice() {
            series.add(*minute, Counts { good: *good, total: *total });
        }
    }
    Ok(match slo.budgeting {
        Budgeting::Occurrences => series,
        Budgeting::Timeslices { slice_ms, target_ppm } => timeslices(&series, slice_ms, target_ppm),
    })
}

/// Where an objective stands at the last close of a time; `series` is what [`counted`] gave.
pub fn standing(slo: &Slo, series: &Series, at_ms: i64) -> Standing {
    let at_ms = closed_ms(slo, at_ms);
    let period_ms @ (from_ms, to_ms) = slo.window.period(at_ms).unwrap_or((at_ms, at_ms));
    let (policy, counts) = (&slo.policy, series.sum(from_ms, at_ms));
    let judgement = judge(policy, series, at_ms);
    let burns = policy.conditions.iter().zip(&judgement.states).map(|(condition, state)| Burn {
        long: series.window(at_ms, condition.long_ms),
        short: series.window(at_ms, condition.short_ms),
        state: *state,
    });
    let is_calendar = matches!(slo.window, Window::Calendar(..));
    let forecast = || Budget::forecast(policy.objective, counts, at_ms - from_ms, to_ms - from_ms);
    Standing {
        at_ms,
        period_ms,
        counts,
        budget: Budget::of(policy.objective, counts),
        forecast: if is_calendar { forecast() } else { None },
        burns: burns.collect(),
        verdict: Verdict::of(&judgement),
        ticket_held: judgement.ticket_held,
        times: times(slo, series, at_ms, period_ms),
    }
}

/// At the pace of the first condition's long window: the one that says first that something is wrong.
fn times(slo: &Slo, series: &Series, at_ms: i64, (from_ms, to_ms): (i64, i64)) -> Times {
    let objective = slo.policy.objective;
    let pace_ms = slo.policy.conditions.first().map_or(HOUR_MS, |condition| condition.long_ms);
    let (now, held) = (series.window(at_ms, pace_ms), series.sum(from_ms, at_ms));
    let step = step_ms(slo);
    let exact = match slo.window {
        Window::Rolling(length_ms) => exhaustion(series, objective, (at_ms, length_ms), (now, pace_ms), step),
        Window::Calendar(..) => {
            // Nothing leaves a calendar's period before it is over, and what was before it does not count.
            let mut own = Series::default();
            series.range(from_ms, at_ms).for_each(|(minute, counts)| own.add(minute, counts));
            match exhaustion(&own, objective, (at_ms, to_ms - from_ms), (now, pace_ms), step) {
                Exhaustion::After(ms) if ms > to_ms - at_ms => Exhaustion::Never,
                told => told,
            }
        }
    };
    let full_ms = whole_budget_ms(objective, slo.window.length_ms(), now);
    Times { pace_ms, full_ms, left_ms: static_exhaustion_ms(objective, held, now, pace_ms), exact }
}

/// The alerts of the judgements at each close from `from_ms` (exclusive) to `to_ms` (inclusive), with what is counted by
/// now: late events included.
pub fn alerts(slo: &Slo, series: &Series, from_ms: i64, to_ms: i64) -> Vec<Alert> {
    let (sums, step) = (Cumulative::from(series), step_ms(slo));
    let mut alerts: Vec<Alert> = Vec::new();
    let mut open: Option<Alert> = None;
    // Before the first count nothing can fire, and from so long after the last one on nothing does.
    let mut counted = series.range(i64::MIN, i64::MAX).map(|(minute, _)| minute);
    let Some(first) = counted.next() else { return alerts };
    let longest = slo.policy.conditions.iter().map(|of| of.long_ms).max().unwrap_or(0);
    let last = counted.next_back().unwrap_or(first).saturating_add(longest).saturating_add(2 * step);
    let mut at_ms = closed_ms(slo, from_ms.max(first.saturating_add(slo.settles_ms))) + step;
    while at_ms <= to_ms.saturating_sub(slo.settles_ms).min(last) {
        let (told, now_ms) = (judge(&slo.policy, &sums, at_ms).urgency, at_ms + slo.settles_ms);
        if told != open.map(|alert| alert.urgency) {
            alerts.extend(open.take().map(|alert| Alert { resolved_ms: Some(now_ms), ..alert }));
            open = told.map(|urgency| Alert { urgency, fired_ms: now_ms, resolved_ms: None });
        }
        at_ms += step;
    }
    alerts.extend(open);
    alerts
}

/// What was left of the budget of the period's counts until now, as a share, at so many times of the period; for charts.
pub fn left_over_time(series: &Series, standing: &Standing, points: i64) -> Vec<(i64, f64)> {
    let (from_ms, at_ms) = (standing.period_ms.0, standing.at_ms);
    let Some(Budget { allowed, .. }) = standing.budget else { return Vec::new() };
    let (sums, points) = (Cumulative::from(series), points.max(1));
    let left = |part: i64| {
        let until = if part == points { at_ms } else { from_ms + (at_ms - from_ms) / points * part };
        (until, 1.0 - sums.window(until, until - from_ms).bad() as f64 / allowed)
    };
    (0..=points).map(left).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition::Definition;

    const DAY_MS: i64 = 24 * HOUR_MS;

    fn slo(spec: &str) -> Slo {
        let definitions = Definition::shipped().expect("definitions");
        let text = format!(
            "apiVersion: openslo/v1\nkind: SLO\nmetadata: {{name: builds}}\nspec:\n  indicatorRef: A-M1\n{spec}\n"
        );
        Slo::parse(&text, &definitions).unwrap_or_else(|problems| panic!("{problems:?}"))
    }

    fn rolling() -> Slo {
        slo("  timeWindow: [{duration: 30d}]\n  objectives: [{targetPercent: 99}]")
    }

    /// A hundred a minute for two days; all bad from `bad.0` to `bad.1` (minutes).
    fn series(bad: (i64, i64)) -> Series {
        let mut series = Series::default();
        for minute in 0..2 * 24 * 60 {
            let good = if (bad.0..bad.1).contains(&minute) { 0 } else { 100 };
            series.add(minute * MINUTE_MS, Counts { good, total: 100 });
        }
        series
    }

    #[test]
    fn an_outage_pages_becomes_a_ticket_and_ends() {
        let (slo, series) = (rolling(), series((1_440, 1_500)));
        let told: Vec<(Urgency, i64, Option<i64>)> = alerts(&slo, &series, 0, 2 * DAY_MS)
            .iter()
            .map(|of| (of.urgency, of.fired_ms / MINUTE_MS, of.resolved_ms.map(|ms| ms / MINUTE_MS)))
            .collect();
        // 14.4 % of an hour is 8.64 min; the page ends when less than 6 % of half an hour is bad, 28.2 min after the end; the
        // ticket when less than 1 % of six hours is.
        let expected = [(Urgency::Page, 1_449, Some(1_529)), (Urgency::Ticket, 1_529, Some(1_857))];
        assert_eq!(told, expected);
        // Live and afterwards it is the same function.
        for minute in [1_448, 1_449, 1_528, 1_529, 1_856, 1_857] {
            let at = minute * MINUTE_MS;
            assert_eq!(judge(&slo.policy, &series, at), judge(&slo.policy, &Cumulative::from(&series), at), "{minute}");
        }
        let held = standing(&slo, &series, 1_500 * MINUTE_MS);
        assert_eq!((held.verdict, held.ticket_held), (Verdict::Page, true));
        assert_eq!(held.counts, Counts { good: 144_000, total: 150_000 });
        let budget = held.budget.expect("a budget");
        assert!((budget.left - (1.0 - 6_000.0 / 1_500.0)).abs() < 1e-9 && budget.spent == 6_000, "{budget:?}");
        assert_eq!((held.times.left_ms, held.times.exact), (Some(0), Exhaustion::After(0)));
        assert_eq!(held.times.full_ms, Some(30 * DAY_MS / 100), "a complete outage");
        let line = left_over_time(&series, &held, 100);
        assert_eq!((line.len(), line.first().map(|of| of.1), line.last().map(|of| of.1)), (101, Some(1.0), Some(-3.0)));
    }

    #[test]
    fn a_calendars_budget_begins_anew_and_is_foreseen() {
        let day = slo("  timeWindow: [{calendar: {unit: week}}]\n  objectives: [{targetPercent: 99}]");
        // 1970-01-05 is a Monday: the first four days are another week.
        let (monday, mut series) = (4 * DAY_MS, Series::default());
        series.add(monday - MINUTE_MS, Counts { good: 0, total: 1_000 });
        for hour in 0..84 {
            series.add(monday + hour * HOUR_MS, Counts { good: 999, total: 1_000 });
        }
        let at = monday + 84 * HOUR_MS;
        let told = standing(&day, &series, at);
        assert_eq!((told.period_ms, told.counts.total, told.counts.bad()), ((monday, monday + 7 * DAY_MS), 84_000, 84));
        let forecast = told.forecast.expect("a forecast");
        assert!((forecast.allowed - 1_680.0).abs() < 1e-6, "twice what there was: {forecast:?}");
        assert_eq!(told.times.exact, Exhaustion::Never, "the week ends before");
        let fast = Counts { good: 0, total: 1_000 };
        (0..60).for_each(|minute| series.add(at + minute * MINUTE_MS, fast));
        let told = standing(&day, &series, at + HOUR_MS);
        assert_eq!((told.times.exact, told.verdict), (Exhaustion::After(0), Verdict::Page));
        assert_eq!(standing(&rolling(), &Series::default(), at).verdict, Verdict::NoData);
    }

    #[test]
    fn slices_are_judged_when_they_are_over() {
        let slices =
            slo("  budgetingMethod: Timeslices\n  timeWindow: [{duration: 30d}]\n  objectives: [{targetPercent: 99, \
             timeSliceTarget: 0.9, timeSliceWindow: 5m}]");
        let series = timeslices(&series((1_440, 1_460)), 5 * MINUTE_MS, 900_000);
        assert_eq!(closed_ms(&slices, 1_444 * MINUTE_MS), 1_440 * MINUTE_MS);
        let told = standing(&slices, &series, 1_464 * MINUTE_MS);
        assert_eq!((told.at_ms, told.counts), (1_460 * MINUTE_MS, Counts { good: 288, total: 292 }));
        let first = alerts(&slices, &series, 0, 2 * DAY_MS).first().copied();
        // Two of an hour's twelve slices are more than 14.4 %, but luck shows as many; four it does not.
        assert_eq!(first.map(|of| (of.urgency, of.fired_ms / MINUTE_MS)), Some((Urgency::Page, 1_460)));
        let unsure = standing(&slices, &series, 1_454 * MINUTE_MS);
        assert_eq!((unsure.at_ms, unsure.verdict), (1_450 * MINUTE_MS, Verdict::Unsure));
    }
}
