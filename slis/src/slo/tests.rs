//! What objectives take, and what they refuse with a reason.

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
    for target in ["{targetPercent: 101}", "{targetPercent: 100.01}", "{targetPercent: 0}", "{target: 1.1}", "{}"] {
        let spec = format!("  indicatorRef: A-M1\n  timeWindow: [{{duration: 28d}}]\n  objectives: [{target}]\n");
        assert!(parse(&spec).is_err(), "{target}");
    }
}

#[test]
fn where_all_must_be_good_bad_ones_are_counted() {
    let of = |target: &str, more: &str| {
        parse(&format!("  indicatorRef: B-M7\n  timeWindow: [{{duration: 30d}}]\n  objectives: [{target}]\n{more}"))
    };
    for target in ["{targetPercent: 100}", "{targetPercent: \"100.0 %\"}", "{target: 1}", "{target: 1.00}"] {
        let slo = of(target, "").unwrap_or_else(|error| panic!("{target}: {error}"));
        assert_eq!((slo.policy.objective, &slo.policy.conditions), (Objective::ALL, &without_budget()), "{target}");
        assert_eq!(slo.settles_ms, HOUR_MS, "a bill of materials has an hour");
    }
    let with =
        |conditions: &str| of("{targetPercent: 100}", &format!("  x-alerting: {{conditions: [{conditions}]}}\n"));
    let own = with("{bad: 2, long: 6h, urgency: page}").map(|slo| slo.policy.conditions);
    assert_eq!(own, Ok(vec![Condition::counting(2, 6 * HOUR_MS, Urgency::Page)]));
    for (wrong, part) in [
        ("{factor: 14.4, long: 1h, urgency: page}", "conditions[0].factor: an objective of 100 % has no budget"),
        ("{bad: 0, long: 1h, urgency: page}", "conditions[0].bad: \"0\" does not fit"),
        ("{bad: 1, long: 1h, short: 5m, urgency: page}", "conditions[0].bad: long and urgency are needed"),
        ("{bad: 1, long: 31d, urgency: page}", "conditions[0].bad: the long window is longer than the period"),
    ] {
        let error = with(wrong).expect_err(wrong);
        assert!(error.contains(part), "{wrong}: {error}");
    }
    // What is decided by what comes is known when it comes.
    let waits = |code: &str| {
        let definitions = Definition::shipped().expect("definitions");
        settles_ms(definitions.iter().find(|of| &*of.code == code).expect("an indicator"))
    };
    assert_eq!(["A-M1", "B-M2", "A-M3", "B-M1"].map(waits), [0, 0, 10 * MINUTE_MS, DAY_MS]);
}

#[test]
fn a_slice_fits_into_the_short_window() {
    let of = |window: &str, more: &str| {
        parse(&format!(
            "  indicatorRef: A-M1\n  budgetingMethod: Timeslices\n  timeWindow: [{{duration: 28d}}]\n  objectives: \
             [{{targetPercent: 99, timeSliceTarget: 0.95, timeSliceWindow: {window}}}]\n{more}"
        ))
    };
    let error = of("10m", "").expect_err("is longer");
    assert!(error.contains("spec.objectives[0].timeSliceWindow: 10m is longer than the short window 5m"), "{error}");
    assert!(error.contains("(hint: at most 5m, or"), "{error}");
    let own = "  x-alerting: {conditions: [{factor: 3, long: 1d, short: 2h, urgency: ticket}]}\n";
    assert!(of("10m", own).is_ok() && of("3h", own).is_err());
}

#[test]
fn slices_have_a_length_and_a_target() {
    let spec = "  indicatorRef: A-M1\n  budgetingMethod: Timeslices\n  timeWindow: [{duration: 28d}]\n  objectives: \
                [{targetPercent: 99, timeSliceTarget: 0.95, timeSliceWindow: 5m}]\n";
    let slices = Budgeting::Timeslices { slice_ms: 300_000, target_ppm: 950_000 };
    assert_eq!(parse(spec).map(|slo| slo.budgeting), Ok(slices));
    assert!(parse(&spec.replace("5m", "90s")).is_err());
}
