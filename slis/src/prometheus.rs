//! Objectives as rules of a Prometheus server: what a worker counts, as error ratios over each window, and an alert for each
//! condition.
//!
//! A server without the archive can burn-rate on its own with them. Must never average ratios: each window is made of counts.

use std::collections::BTreeSet;
use std::fmt::Write;

use crate::burn::{Condition, Limit, Urgency};
use crate::slo::{Budgeting, Slo};

/// Anchors that count; only goes up.
pub const TOTAL: &str = "pipewarden_sli_total";
/// Those of them that are good; only goes up.
pub const GOOD: &str = "pipewarden_sli_good_total";
/// What was taken back from [`TOTAL`]; only goes up.
pub const TOTAL_TAKEN_BACK: &str = "pipewarden_sli_corrections_total";
/// What was taken back from [`GOOD`]; only goes up.
pub const GOOD_TAKEN_BACK: &str = "pipewarden_sli_good_corrections_total";

/// How alerts are called.
pub const ALERT: &str = "PipewardenBudgetBurn";

const HEAD: &str = "\
# Made by `pipewarden slo rules`; changes belong into the objectives' own files.
groups:
";

/// The rules of objectives, one group each, as a file of rules.
pub fn rules(slos: &[Slo]) -> String {
    let mut text = HEAD.to_owned();
    slos.iter().for_each(|slo| group(&mut text, slo));
    text
}

fn group(text: &mut String, slo: &Slo) {
    // Writing to memory cannot fail.
    let _ =
        write!(text, "  - name: {}\n    interval: 1m\n    rules:\n", quoted(&format!("pipewarden-slo-{}", slo.name)));
    let slice = match slo.budgeting {
        Budgeting::Occurrences => None,
        Budgeting::Timeslices { slice_ms, target_ppm } => Some((duration(slice_ms), target_ppm)),
    };
    if let Some((slice, _)) = &slice {
        let (total, good) = (net(slo, TOTAL, TOTAL_TAKEN_BACK, slice), net(slo, GOOD, GOOD_TAKEN_BACK, slice));
        let ratio = format!("1 - (\n  {good}\n) / ((\n  {total}\n) > 0)");
        record(text, slo, "slo:pipewarden_slice_error:ratio", &ratio);
    }
    let windows: BTreeSet<i64> = slo.policy.conditions.iter().flat_map(|of| [of.long_ms, of.short_ms]).collect();
    for window in windows.into_iter().map(duration) {
        let (total, bad) = match &slice {
            None => by_events(slo, &window),
            Some((slice, target_ppm)) => by_slices(slo, &window, slice, *target_ppm),
        };
        record(text, slo, &total_of(&window), &total);
        record(text, slo, &bad_of(&window), &bad);
        let ratio = format!("{} / ({} > 0)", of(slo, &bad_of(&window)), of(slo, &total_of(&window)));
        record(text, slo, &ratio_of(&window), &ratio);
    }
    let pages: Vec<&Condition> = slo.policy.conditions.iter().filter(|of| of.urgency == Urgency::Page).collect();
    if !pages.is_empty() {
        let any: Vec<String> = pages.iter().map(|page| format!("(\n{}\n)", indented(&holds(slo, page)))).collect();
        record(text, slo, PAGE, &any.join(" or "));
    }
    slo.policy.conditions.iter().for_each(|condition| alert(text, slo, condition, !pages.is_empty()));
}

/// A page burns: what holds tickets back.
const PAGE: &str = "slo:pipewarden_page:burning";

fn total_of(window: &str) -> String {
    format!("slo:pipewarden_sli_total:increase{window}")
}

fn bad_of(window: &str) -> String {
    format!("slo:pipewarden_sli_bad:increase{window}")
}

fn ratio_of(window: &str) -> String {
    format!("slo:pipewarden_sli_error:ratio{window}")
}

/// A recorded series of an objective.
fn of(slo: &Slo, series: &str) -> String {
    format!("{series}{{slo={}}}", quoted(&slo.name))
}

/// What a counter grew by in a window, without what was taken back; a worker that took nothing back may not know that one.
fn net(slo: &Slo, counter: &str, taken_back: &str, window: &str) -> String {
    let grown = |name: &str| format!("sum(increase({name}{{indicator={}}}[{window}]))", quoted(&slo.indicator));
    format!("{} - ({} or vector(0))", grown(counter), grown(taken_back))
}

/// Total and bad of a window.
fn by_events(slo: &Slo, window: &str) -> (String, String) {
    let total = net(slo, TOTAL, TOTAL_TAKEN_BACK, window);
    let good = net(slo, GOOD, GOOD_TAKEN_BACK, window);
    let bad = format!("(\n  {total}\n) - (\n  {good}\n)");
    (total, bad)
}

/// The same of slices: those that there were, and those of which too much was bad.
fn by_slices(slo: &Slo, window: &str, slice: &str, target_ppm: u32) -> (String, String) {
    let error = of(slo, "slo:pipewarden_slice_error:ratio");
    let most = f64::from(1_000_000_u32.saturating_sub(target_ppm)) / 1e6;
    let total = format!("count_over_time({error}[{window}:{slice}])");
    let bad = format!("count_over_time(({error} > {most})[{window}:{slice}])\nor 0 * {total}");
    (total, bad)
}

/// A condition; a worker's own guard against luck knows a distribution, this one only that a single bad one says nothing.
fn holds(slo: &Slo, condition: &Condition) -> String {
    let total = of(slo, &total_of(&duration(condition.long_ms)));
    match condition.least {
        0 => exceeds(slo, condition),
        least => format!("{}\nand {total} > {}", exceeds(slo, condition), f64::from(least) - 0.5),
    }
}

fn exceeds(slo: &Slo, condition: &Condition) -> String {
    let [long, short] = [condition.long_ms, condition.short_ms].map(duration);
    let factor = match condition.limit {
        Limit::Rate(factor) => factor,
        Limit::Bad(most) => return format!("{} > {}", of(slo, &bad_of(&long)), f64::from(most) - 0.5),
    };
    let threshold = format!("({} * {})", factor.value(), slo.policy.objective.budget());
    let mut text =
        format!("{} > {threshold}\nand {} > {threshold}", of(slo, &ratio_of(&long)), of(slo, &ratio_of(&short)));
    if slo.policy.guard.is_some() {
        // Prometheus extrapolates what counters grew by, so two may look like a little less.
        let _ = write!(text, "\nand {} > 1.5", of(slo, &bad_of(&long)));
    }
    text
}

fn record(text: &mut String, slo: &Slo, name: &str, expression: &str) {
    let _ = write!(
        text,
        "      - record: {name}\n        expr: |-\n{}\n        labels: {{slo: {}, indicator: {}}}\n",
        block(expression),
        quoted(&slo.name),
        quoted(&slo.indicator)
    );
}

/// An alert has its objective and indicator from the series and says them again: promtool wants rules that differ.
fn alert(text: &mut String, slo: &Slo, condition: &Condition, is_held: bool) {
    let mut expression = holds(slo, condition);
    if condition.urgency == Urgency::Ticket && is_held {
        expression = format!("(\n{}\n) unless on (slo) {}", indented(&expression), of(slo, PAGE));
    }
    let (long, urgency) = (duration(condition.long_ms), condition.urgency.name());
    let _ = write!(
        text,
        "      - alert: {ALERT}\n        expr: |-\n{}\n        labels: {{slo: {}, indicator: {}, severity: {urgency}, \
         window: {long}}}\n        annotations:\n{}",
        block(&expression),
        quoted(&literal(&slo.name)),
        quoted(&slo.indicator),
        said(slo, condition),
    );
}

/// What an alert says.
fn said(slo: &Slo, condition: &Condition) -> String {
    let [long, short] = [condition.long_ms, condition.short_ms].map(duration);
    match condition.limit {
        Limit::Rate(factor) => format!(
            "          summary: 'The error budget of {{{{ $labels.slo }}}} burns more than {} times as fast as it may'\n          \
             description: '{{{{ $value | humanizePercentage }}}} of {{{{ $labels.indicator }}}} were bad in the last {long}, \
             and the last {short} were no better; {} % may be.'\n",
            factor.value(),
            // Billionths of a whole are whole numbers; a product of floats shows its last bits.
            (slo.policy.objective.budget() * 1e9).round() / 1e7,
        ),
        Limit::Bad(most) => format!(
            "          summary: '{{{{ $labels.slo }}}} has missed what it must not miss'\n          description: '{{{{ $value | \
             humanize }}}} of {{{{ $labels.indicator }}}} were bad in the last {long}; {most} is too many.'\n",
        ),
    }
}

/// Text that stands in a template for itself.
fn literal(text: &str) -> String {
    text.replace("{{", "{{`{{`}}")
}

/// Text as YAML and PromQL both read it: JSON's escapes mean the same in either.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
}

fn block(expression: &str) -> String {
    expression.lines().map(|line| format!("          {line}")).collect::<Vec<_>>().join("\n")
}

/// A span as Prometheus writes it, in its largest unit.
fn duration(ms: i64) -> String {
    const UNITS: [(i64, &str); 4] = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s")];
    let unit = UNITS.into_iter().find(|(unit_ms, _)| ms % unit_ms == 0);
    unit.map_or_else(|| format!("{ms}ms"), |(unit_ms, unit)| format!("{}{unit}", ms / unit_ms))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition::Definition;

    fn slo(name: &str, more: &str) -> Slo {
        let text = format!(
            "apiVersion: openslo/v1\nkind: SLO\nmetadata: {{name: {name}}}\nspec:\n  indicatorRef: A-M1\n  timeWindow: \
             [{{duration: 30d}}]\n{more}\n"
        );
        let definitions = Definition::shipped().expect("definitions");
        Slo::parse(&text, &definitions).unwrap_or_else(|problems| panic!("{problems:?}"))
    }

    #[test]
    fn each_window_is_made_of_counts_and_each_condition_alerts() {
        let text = rules(&[slo("builds", "  objectives: [{targetPercent: 99.9}]")]);
        let count = |part: &str| text.matches(part).count();
        assert_eq!((count("- record: slo:pipewarden_sli_error:ratio"), count("- alert: ")), (7, 4));
        for window in ["5m", "30m", "1h", "2h", "6h", "1d", "3d"] {
            assert_eq!(count(&format!("- record: slo:pipewarden_sli_bad:increase{window}\n")), 1, "{window}");
        }
        assert_eq!((count("severity: page"), count("severity: ticket"), count("unless on (slo)")), (2, 2, 2));
        assert!(text.contains("ratio1h{slo=\"builds\"} > (14.4 * 0.001)"), "{text}");
        assert!(text.contains("; 0.1 % may be."), "{text}");
        assert!(!text.contains("avg"));
        let bare =
            rules(&[slo("x", "  objectives: [{targetPercent: 99}]\n  x-alerting: {falsePagesPerPeriod: \"off\"}")]);
        assert!(!bare.contains("> 1.5") && text.matches("> 1.5").count() == 6, "{text}");
    }

    #[test]
    fn names_are_texts_and_nothing_else() {
        let text = rules(&[slo("'a\"b\\{{ $value }}'", "  objectives: [{targetPercent: 99}]")]);
        assert!(text.contains(r#"{slo="a\"b\\{{ $value }}"}"#), "{text}");
        let labels = r#"labels: {slo: "a\"b\\{{`{{`}} $value }}", indicator: "A-M1", severity: page, window: 1h}"#;
        assert!(text.contains(labels), "{text}");
        assert!(text.lines().filter(|line| line.contains("summary:")).all(|line| !line.contains("a\\")), "{text}");
        assert_eq!([90_000, 5_400_000, 86_400_000, 1_500].map(duration), ["90s", "90m", "1d", "1500ms"]);
    }
}
