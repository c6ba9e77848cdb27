//! Objectives on the report's page: a table, and a chart of what was left of each budget over its period.
//!
//! Every text is escaped. Must never cut off a budget that is overspent.

use std::fmt::Write;

use slis::burn::Urgency;

use super::html::escaped;
use super::objectives::Told;
use super::print_objectives::{left_words, period_words, spent_words, time, times_words, verdict_words};

/// Width and height of a chart, in pixels.
const CHART: (f64, f64) = (300.0, 80.0);

/// The part of the page; nothing where there are no objectives.
pub(super) fn part(told: &[Told]) -> String {
    if told.is_empty() {
        return String::new();
    }
    let mut text = String::from(
        "<h1>Objectives</h1><table><thead><tr><th>Objective<th>Target<th>Budget left<th>Verdict<th>Gone<th>Budget over its \
         period</tr></thead><tbody>",
    );
    for of in told {
        let Told { slo, standing, .. } = of;
        // Writing to memory cannot fail.
        let _ = write!(
            text,
            "<tr><td>{}<br><small>{}</small><td>{} %<br><small>{}</small><td>{}<br><small>{}</small><td>{}<td>{}<td>{}</tr>",
            escaped(&slo.name),
            escaped(&slo.indicator),
            slo.policy.objective.as_percent(),
            escaped(&period_words(slo, standing)),
            escaped(&left_words(slo, standing.budget)),
            escaped(&spent_words(slo, standing)),
            escaped(&verdict_words(standing)),
            escaped(&times_words(slo, &standing.times)),
            chart(of)
        );
    }
    text.push_str("</tbody></table>");
    text
}

/// What was left as a line, none as another, and the times at which an alert fired.
fn chart(told: &Told) -> String {
    let lowest = told.left.iter().map(|(_, left)| *left).fold(0.0, f64::min);
    let (Some((from, _)), Some((to, last))) = (told.left.first(), told.left.last()) else { return String::new() };
    let ((width, height), span) = (CHART, (to - from).max(1) as f64);
    let x = |ms: i64| (ms - from) as f64 / span * width;
    let y = |left: f64| (1.0 - left) / (1.0 - lowest) * (height - 2.0) + 1.0;
    let words = escaped(&format!("{} to {}: {:.1} % left", time(*from), time(*to), last * 100.0));
    let mut text = format!(
        "<svg width=\"{width}\" height=\"{height}\" role=\"img\" aria-label=\"{words}\"><title>{words}</title>"
    );
    for alert in told.alerts.iter().flatten() {
        let (fired, resolved) = (alert.fired_ms.max(*from), alert.resolved_ms.unwrap_or(*to).min(*to));
        if fired < resolved {
            let class = if alert.urgency == Urgency::Page { "b" } else { "t" };
            let (x, wide) = (x(fired), (x(resolved) - x(fired)).max(1.0));
            let _ = write!(
                text,
                "<rect class=\"{class}\" opacity=\".35\" x=\"{x:.1}\" y=\"0\" width=\"{wide:.1}\" height=\"{height}\"/>"
            );
        }
    }
    let points: Vec<String> = told.left.iter().map(|(ms, left)| format!("{:.1},{:.1}", x(*ms), y(*left))).collect();
    let none = y(0.0);
    let _ = write!(
        text,
        "<line class=\"z\" x1=\"0\" y1=\"{none:.1}\" x2=\"{width}\" y2=\"{none:.1}\"/><polyline class=\"l\" points=\"{}\"/></svg>",
        points.join(" ")
    );
    text
}
