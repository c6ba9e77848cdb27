//! The vectors of burn-rate mathematics: factors, detection and reset times, reachability, small counts, exhaustion.

use super::*;

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const P30: i64 = 30 * DAY;

fn objective(percent: &str) -> Objective {
    Objective::percent(percent).expect("an objective")
}

fn factor(condition: &Condition) -> Factor {
    let Limit::Rate(factor) = condition.limit else { panic!("{condition:?}") };
    factor
}

fn counts(bad: i64, total: i64) -> Counts {
    Counts { good: total - bad, total }
}

fn close(a: f64, b: f64, within: f64) -> bool {
    (a - b).abs() <= within
}

#[test]
fn objectives_lie_strictly_between_none_and_all() {
    for bad in ["100", "100%", "0", "0.0000000", "", "-1", "99.99999999", "x", "1e1", "999"] {
        assert_eq!(Objective::percent(bad), None, "{bad}");
    }
    for (text, budget) in [("99.9%", 0.001), ("95", 0.05), ("99.999 %", 0.00001), ("0.0000001", 0.999999999)] {
        assert!(close(objective(text).budget(), budget, 1e-12), "{text}");
    }
}

#[test]
fn factors_follow_the_period() {
    for (days, factors) in [
        (30, [14.4, 6.0, 3.0, 1.0]),
        (28, [13.44, 5.6, 2.8, 0.933]),
        (7, [3.36, 1.4, 0.7, 0.233]),
        (90, [43.2, 18.0, 9.0, 3.0]),
    ] {
        let of: Vec<f64> = workbook(days * DAY).iter().map(|condition| factor(condition).value()).collect();
        assert!(of.iter().zip(factors).all(|(a, b)| close(*a, b, 5e-4)), "{days} days: {of:?}");
        let below =
            workbook(days * DAY).iter().filter(|of| is_refused(&check(objective("99.9"), days * DAY, of))).count();
        assert_eq!(below, factors.iter().filter(|factor| **factor < 1.0).count(), "{days} days");
    }
    assert!(workbook(P30).iter().all(|of| of.short_ms * 12 == of.long_ms));
}

fn is_refused(problems: &[Problem]) -> bool {
    problems.iter().any(|problem| matches!(problem, Problem::FactorBelowOne { .. }))
}

#[test]
fn a_condition_that_can_never_fire_is_found() {
    // (factor's place, the objective above which it can be exceeded)
    for (at, just_below, just_above) in [(0, "93.05", "93.06"), (1, "83.33", "83.34"), (2, "66.66", "66.67")] {
        let condition = &workbook(P30)[at];
        let is_unreachable = |percent: &str| {
            check(objective(percent), P30, condition).iter().any(|of| matches!(of, Problem::Unreachable { .. }))
        };
        assert!(is_unreachable(just_below) && !is_unreachable(just_above), "condition {at}");
    }
    // At 90 % a complete outage spends 1.39 % of the budget in an hour.
    assert!(close(1.0 / objective("90").budget() * HOUR as f64 / P30 as f64 * 100.0, 1.39, 0.005));
    let crossed = Condition { short_ms: HOUR, ..workbook(P30)[0] };
    assert_eq!(check(objective("99.9"), P30, &crossed), [Problem::WindowsCrossed]);
    assert_eq!(check(objective("99.9"), 2 * DAY, &workbook(P30)[3]), [Problem::WindowTooLong]);
}

#[test]
fn detection_takes_as_long_as_the_table_says() {
    // Objective, condition, seconds at an error ratio of 100 %, 10 %, 1 %; 0: never.
    let rows: [(&str, usize, [f64; 3]); 7] = [
        ("99.9", 0, [51.84, 518.4, 0.0]),
        ("99.9", 1, [129.6, 1296.0, 12960.0]),
        ("99.9", 2, [259.2, 2592.0, 25920.0]),
        ("99.9", 3, [259.2, 2592.0, 25920.0]),
        ("99", 0, [518.4, 0.0, 0.0]),
        ("99", 1, [1296.0, 12960.0, 0.0]),
        ("95", 0, [2592.0, 0.0, 0.0]),
    ];
    let spent = [0.02, 0.05, 0.10, 0.10];
    for (percent, at, seconds) in rows {
        let condition = &workbook(P30)[at];
        for (ratio, expected) in [1.0, 0.1, 0.01].into_iter().zip(seconds) {
            let detects = detects_after_s(objective(percent), condition, ratio);
            assert!(close(detects.unwrap_or(0.0), expected, 0.01), "{percent} {at} {ratio}: {detects:?}");
            if let Some(seconds) = detects {
                let budget = objective(percent).budget() * P30 as f64 / 1e3;
                assert!(close(seconds * ratio / budget, spent[at], 1e-9), "{percent} {at} {ratio}");
            }
        }
    }
    let reset = resets_after_s(objective("99.9"), &workbook(P30)[1], 1.0).expect("fires");
    assert!(close(reset, 1800.0 * 0.994, 1e-6), "the slower half of the page: {reset}");
    assert_eq!(resets_after_s(objective("99.9"), &workbook(P30)[0], 0.01), None);
}

#[test]
fn a_burn_rate_says_how_long_a_budget_lasts() {
    let rows = [(1, 1_000, P30), (2, 1_000, P30 / 2), (10, 1_000, 3 * DAY), (1_000, 1_000, P30 / 1_000)];
    for (bad, total, expected) in rows {
        assert_eq!(whole_budget_ms(objective("99.9"), P30, counts(bad, total)), Some(expected), "burn {bad}");
    }
    assert!(close(P30 as f64 / 1_000.0 / MINUTE as f64, 43.2, 1e-9), "a burn of a thousand: 43 minutes");
    assert_eq!(whole_budget_ms(objective("99.999"), P30, counts(7, 7)), Some(25_920), "a complete outage: 25.92 s");
    assert_eq!(whole_budget_ms(objective("99.9"), P30, counts(0, 7)), None);
    assert_eq!(objective("99.9").burn_rate(counts(0, 0)), None, "no data is no rate");
}

#[test]
fn one_bad_event_alone_exceeds_where_there_are_few() {
    for (percent, at, below) in [("99.9", 0, 69.0), ("99.9", 1, 167.0), ("99", 0, 7.0), ("99", 1, 17.0)] {
        let (objective, factor) = (objective(percent), factor(&workbook(P30)[at]));
        let alone = factor.alone_below(objective);
        assert!(close(alone, below, 0.5), "{alone}");
        let n = alone.floor() as i64;
        assert!(factor.is_exceeded(objective, counts(1, n)) && !factor.is_exceeded(objective, counts(1, n + 1)));
    }
    assert!(objective("99.9").is_unmeasurable(999) && !objective("99.9").is_unmeasurable(1_000));
}

#[test]
fn thresholds_are_strict_and_whole() {
    let factor = Factor::decimal("14.4").expect("a factor");
    assert!(!factor.is_exceeded(objective("99.9"), counts(144, 10_000)), "exactly at it");
    assert!(factor.is_exceeded(objective("99.9"), counts(145, 10_000)));
    assert!(!factor.is_exceeded(objective("99.9"), counts(0, 0)), "no data");
    assert_eq!(Factor::decimal("14.4"), Some(Factor::of_share(2, P30, HOUR)));
    assert!([".", "-1", "1.2345678", ""].iter().all(|text| Factor::decimal(text).is_none()));
}

#[test]
fn budgets_may_be_overspent() {
    let budget = Budget::of(objective("99.9"), counts(500, 720_000)).expect("a budget");
    assert!(close(budget.allowed, 720.0, 1e-9) && close(budget.left_events, 220.0, 1e-9));
    assert!(close(budget.left, 220.0 / 720.0, 1e-12));
    let over = Budget::of(objective("99"), counts(3, 100)).expect("a budget");
    assert!(close(over.left, -2.0, 1e-9) && close(over.left_events, -2.0, 1e-9), "{over:?}");
    assert_eq!(Budget::of(objective("99"), counts(0, 0)), None);
    let half = Budget::forecast(objective("99"), counts(1, 100), 15 * DAY, P30).expect("a budget");
    assert!(close(half.allowed, 2.0, 1e-9) && half.spent == 1);
}

#[test]
fn time_to_exhaustion_has_three_answers() {
    // Days ago of 500 bad ones, bad ones in ten hours now, (a), (b) in hours, (c) in hours.
    let rows = [
        (25, 100, 72.0, 22.0, Exhaustion::After(23 * HOUR)),
        (25, 15, 480.0, 146.7, Exhaustion::After(481 * HOUR)),
        (25, 9, 800.0, 244.4, Exhaustion::Never),
        (1, 15, 480.0, 146.7, Exhaustion::After(147 * HOUR)),
    ];
    for (days, bad, whole, fixed, rolling) in rows {
        let mut series = Series::default();
        for hour in 0..720 {
            series.add(hour * HOUR, counts(if hour == (30 - days) * 24 { 500 } else { 0 }, 1_000));
        }
        let (now, objective, of) = (counts(bad, 10_000), objective("99.9"), |ms: i64| ms as f64 / HOUR as f64);
        assert!(close(whole_budget_ms(objective, P30, now).map_or(0.0, of), whole, 0.05));
        let period = series.window(P30, P30);
        assert_eq!(period, counts(500, 720_000));
        assert!(close(static_exhaustion_ms(objective, period, now, 10 * HOUR).map_or(0.0, of), fixed, 0.05));
        let stepped = exhaustion(&series, objective, (P30, P30), (now, 10 * HOUR), HOUR);
        assert_eq!(stepped, rolling, "{days} days ago, {bad} in ten hours");
    }
    let none = Series::default();
    assert_eq!(exhaustion(&none, objective("99"), (P30, P30), (counts(0, 0), HOUR), HOUR), Exhaustion::NoData);
}

fn policy(percent: &str, guard: Option<Guard>) -> Policy {
    Policy { objective: objective(percent), period_ms: P30, conditions: workbook(P30), guard }
}

/// So many a minute, all good; from `from` to `to` (minutes) all bad.
fn outage(per_minute: i64, from: i64, to: i64, until: i64) -> Series {
    let mut series = Series::default();
    for minute in 0..until {
        let bad = if (from..to).contains(&minute) { per_minute } else { 0 };
        series.add(minute * MINUTE, counts(bad, per_minute));
    }
    series
}

#[test]
fn an_outage_pages_as_soon_as_the_formula_says_and_holds_the_ticket() {
    let policy = policy("99.9", Some(Guard::default()));
    let start = 5 * 24 * 60;
    let series = outage(1_000, start, start + 40, start + 24 * 60);
    let at = |minute: i64| judge(&policy, &series, (start + minute) * MINUTE);
    assert_eq!(at(0).urgency, None);
    // 51.84 s of a complete outage: within its first minute.
    assert_eq!(at(1).urgency, Some(Urgency::Page));
    let held = at(20);
    assert_eq!((held.urgency, held.ticket_held), (Some(Urgency::Page), true));
    assert!(held.states.iter().all(|state| *state == State::Firing));
    // The page clears with its slower half, half an hour after the end; the ticket is then no longer held.
    assert_eq!((at(40 + 29).urgency, at(40 + 30).urgency), (Some(Urgency::Page), Some(Urgency::Ticket)));
    assert_eq!(at(24 * 60).urgency, None, "both short windows are clean");
}

#[test]
fn few_bad_ones_are_luck_to_the_guard() {
    let (with, without) = (policy("99.9", Some(Guard::default())), policy("99.9", None));
    // One event a minute: one bad one alone is above 14.4 times a budget of a thousandth.
    let one = outage(1, 100, 101, 102);
    let (sure, standard) = (judge(&with, &one, 102 * MINUTE), judge(&without, &one, 102 * MINUTE));
    assert_eq!((sure.states[0], standard.states[0]), (State::Unsure, State::Firing));
    assert_eq!((sure.urgency, standard.urgency), (None, Some(Urgency::Page)));
    // A complete outage at that rate pages after three minutes instead of one.
    let long = outage(1, 100, 200, 200);
    let first =
        |policy: &Policy| (101..200).find(|at| judge(policy, &long, at * MINUTE).urgency == Some(Urgency::Page));
    assert_eq!((first(&without), first(&with)), (Some(101), Some(103)));
    let nothing = judge(&with, &Series::default(), DAY);
    assert_eq!((nothing.states, nothing.urgency), (vec![State::NoData; 4], None));
}

#[test]
fn the_tail_is_the_binomial_one() {
    // Exact sums of fractions.
    assert!(close(at_least(2, 10, 0.5), 1_013.0 / 1_024.0, 1e-12));
    assert!(close(at_least(9, 10, 0.5), 11.0 / 1_024.0, 1e-13));
    assert!(close(at_least(1, 3, 0.1), 1.0 - 0.729, 1e-12));
    assert_eq!((at_least(0, 5, 0.1), at_least(6, 5, 0.1)), (1.0, 0.0));
    // The mean of a large one splits it in about half, and nothing overflows.
    assert!(close(at_least(1_000, 1_000_000, 0.001), 0.5, 0.02));
    let far = at_least(20_000, 1_000_000, 0.001);
    assert!((0.0..1e-300).contains(&far), "{far}");
}

#[test]
fn slices_are_good_or_bad_as_a_whole() {
    let mut series = Series::default();
    for (minute, bad) in [(0, 0), (1, 4), (5, 1), (6, 0), (20, 2)] {
        series.add(minute * MINUTE, counts(bad, 10));
    }
    let slices = timeslices(&series, 5 * MINUTE, 900_000);
    let told: Vec<(i64, Counts)> = slices.range(0, DAY).collect();
    // 16 of 20, 19 of 20, 8 of 10: one of three slices reaches 90 %, and slices without events do not count.
    assert_eq!(told, [(0, counts(1, 1)), (5 * MINUTE, counts(0, 1)), (20 * MINUTE, counts(1, 1))]);
}

#[test]
fn windows_end_where_they_should() {
    let ms = |text: &str| text.parse::<jiff::Timestamp>().expect("a time").as_millisecond();
    let zone = jiff::tz::TimeZone::UTC;
    let at = ms("2026-08-19T10:00:00Z");
    let period = |window: Window| window.period(at).expect("a period");
    assert_eq!(period(Window::Rolling(DAY)), (at - DAY, at));
    let calendar = |unit| period(Window::Calendar(unit, zone.clone()));
    assert_eq!(calendar(Calendar::Week), (ms("2026-08-17T00:00:00Z"), ms("2026-08-24T00:00:00Z")));
    assert_eq!(calendar(Calendar::Month), (ms("2026-08-01T00:00:00Z"), ms("2026-09-01T00:00:00Z")));
    assert_eq!(calendar(Calendar::Quarter), (ms("2026-07-01T00:00:00Z"), ms("2026-10-01T00:00:00Z")));
}

#[test]
fn few_samples_have_wide_intervals() {
    let (low, high) = wilson_95(9, 10).expect("an interval");
    assert!(close(low, 0.5958, 5e-4) && close(high, 0.9821, 5e-4), "{low} {high}");
    let (low, high) = wilson_95(10, 10).expect("an interval");
    assert!(close(low, 0.7225, 5e-4) && high == 1.0, "{low} {high}");
    assert_eq!((wilson_95(0, 0), wilson_95(3, 2), wilson_95(-1, 2)), (None, None, None));
}

#[test]
fn where_all_must_be_good_each_bad_one_counts_and_nothing_is_divided_by_nothing() {
    let all = Objective::ALL;
    assert_eq!((all.as_percent(), all.burn_rate(counts(1, 10)), Budget::of(all, counts(1, 10))), (100.0, None, None));
    let policy = Policy { objective: all, period_ms: P30, conditions: without_budget(), guard: Some(Guard::default()) };
    let mut series = Series::default();
    let told = |series: &Series, minute: i64| judge(&policy, series, minute * MINUTE).urgency;
    series.add(0, counts(0, 5));
    assert_eq!(told(&series, 1), None);
    for (minute, urgency) in [(10, Urgency::Ticket), (40, Urgency::Ticket), (69, Urgency::Page)] {
        series.add(minute * MINUTE, counts(1, 1));
        assert_eq!(told(&series, minute + 1), Some(urgency), "{minute}");
    }
    assert_eq!(
        (told(&series, 70), told(&series, 71), told(&series, 130)),
        (Some(Urgency::Page), Some(Urgency::Ticket), None)
    );
    let problems = |condition: Condition| check(all, P30, &condition);
    assert_eq!(problems(workbook(P30)[0]), [Problem::NoBudget]);
    assert_eq!(without_budget().into_iter().flat_map(problems).count(), 0);
    assert_eq!(problems(Condition::counting(1, 31 * DAY, Urgency::Ticket)), [Problem::WindowTooLong]);
    let nothing = exhaustion(&series, all, (80 * MINUTE, P30), (counts(1, 1), HOUR), MINUTE);
    assert_eq!((nothing, whole_budget_ms(all, P30, counts(1, 1))), (Exhaustion::NoData, None));
}
