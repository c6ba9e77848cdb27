//! Reports as one page that stands alone: style and drawing inside, no script, nothing fetched.
//!
//! Every text is escaped, whoever wrote it.

use std::fmt::Write;

use model::{Timestamp, Urgency};

use super::records::Label;
use super::report::{Outcome, Report, clock};

/// Width of a time line in its own units, the part that names rows, and the height of a row.
const WIDTH: f64 = 1000.0;
const NAMES: f64 = 150.0;
const ROW: f64 = 18.0;

const STYLE: &str = "\
body{font:14px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:72rem;padding:0 1rem;color:#1c2430;background:#fff}
h2{margin:2.5rem 0 .2rem}.pass{color:#17683a}.fail{color:#b3261e}p{margin:.2rem 0}
table{border-collapse:collapse;margin:.8rem 0;font-size:13px}td,th{text-align:left;padding:.15rem .8rem .15rem 0;vertical-align:top}
th{border-bottom:1px solid #aab}code{font-size:12px;overflow-wrap:anywhere}svg{width:100%;height:auto;margin:.6rem 0}
text{font:11px system-ui,sans-serif;fill:#1c2430}.m{fill:#b3261e}.b{fill:#2e7d4f}.n{fill:#9aa3b0}.window{fill:#dfe6f2}
.page{fill:#b3261e}.ticket{fill:#c77700}.axis{stroke:#aab;stroke-width:1}
@media(prefers-color-scheme:dark){body{color:#e2e6ee;background:#14181f}text{fill:#e2e6ee}.window{fill:#33415c}.pass{color:#6fd39a}.fail{color:#ff8a80}}
";

/// The page.
pub(super) fn page(reports: &[Report]) -> String {
    let passed = reports.iter().filter(|report| report.passed).count();
    let mut page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>Game days</title>\n\
         <style>{STYLE}</style>\n</head>\n<body>\n<h1>Game days</h1>\n<p>{passed} of {} passed</p>\n",
        reports.len()
    );
    reports.iter().for_each(|report| section(&mut page, report));
    page.push_str("</body>\n</html>\n");
    page
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c if c.is_control() => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

fn section(page: &mut String, report: &Report) {
    let (class, word) = if report.passed { ("pass", "PASS") } else { ("fail", "FAIL") };
    let (name, title) = (escaped(&report.name), escaped(&report.title));
    let _ = writeln!(page, "<h2><span class=\"{class}\">{word}</span> {name}</h2>\n<p>{title}</p>");
    let end = clock(report.end, report.start);
    let _ = writeln!(
        page,
        "<p>t = 00:00 is {}, judged until {end}; ordinary days beside it: {}</p>",
        report.start, report.ordinary_days
    );
    if let Some(detection) = &report.detection {
        let _ = writeln!(page, "<p>Time to detect: {}</p>", escaped(&detection.said()));
    }
    let max = |max: Option<usize>| max.map_or_else(String::new, |max| format!(" ({max} at most)"));
    let (pages, tickets) = (max(report.pages_max), max(report.tickets_max));
    let _ =
        writeln!(page, "<p>Incidents that page: {}{pages}; tickets: {}{tickets}</p>", report.incidents, report.tickets);
    if !report.failures.is_empty() {
        page.push_str("<ul class=\"fail\">\n");
        for failure in &report.failures {
            let _ = writeln!(page, "<li>{}</li>", escaped(failure));
        }
        page.push_str("</ul>\n");
    }
    time_line(page, report);
    expectations(page, report);
    alerts(page, report);
    for (id, why) in &report.pending {
        let _ = writeln!(page, "<p>Pending: {}: {}</p>", escaped(id), escaped(why));
    }
}

fn expectations(page: &mut String, report: &Report) {
    if report.expectations.is_empty() {
        page.push_str("<p>Expected: silence.</p>\n");
        return;
    }
    page.push_str("<table>\n<tr><th>expected<th>route<th>from<th>until<th>told<th>result<th>key</tr>\n");
    for of in &report.expectations {
        let at = |time| clock(time, report.start);
        let told = of.told_at.map_or_else(|| "-".to_owned(), at);
        let class = if of.outcome.is_good() { "pass" } else { "fail" };
        let (said, key) = (escaped(&of.said(report.start)), escaped(&of.key_text()));
        let (id, route, from, until) = (escaped(&of.id), of.route.name(), at(of.not_before), at(of.not_after));
        let _ = writeln!(
            page,
            "<tr><td>{id}<td>{route}<td>{from}<td>{until}<td>{told}<td class=\"{class}\">{said}<td><code>{key}</code></tr>"
        );
    }
    page.push_str("</table>\n");
}

fn alerts(page: &mut String, report: &Report) {
    if report.alerts.is_empty() {
        page.push_str("<p>Nothing was told.</p>\n");
        return;
    }
    page.push_str("<table>\n<tr><th>told<th>of<th>alert<th>route<th>state<th>standing<th>key<th>evidence</tr>\n");
    for alert in &report.alerts {
        let (told, of) = (clock(alert.told_at, report.start), clock(alert.event_time, report.start));
        let (name, title) = (escaped(&alert.detection), escaped(&alert.title));
        let (key, evidence) = (escaped(&alert.key_text()), escaped(&alert.evidence.join(" ")));
        let (route, state, standing) = (alert.urgency.name(), alert.state.name(), alert.standing.words());
        let _ = writeln!(
            page,
            "<tr><td>{told}<td>{of}<td>{name}: {title}<td>{route}<td>{state}<td>{standing}<td><code>{key}</code><td><code>{evidence}</code></tr>"
        );
    }
    page.push_str("</table>\n");
}

/// Where times stand on a line.
struct Scale {
    from: Timestamp,
    width_ms: f64,
}

impl Scale {
    fn new(report: &Report) -> Scale {
        let from = report.judged_from.min(report.start);
        Scale { from, width_ms: (report.end.ms().saturating_sub(from.ms()).max(1)) as f64 }
    }

    fn x(&self, time: Timestamp) -> f64 {
        let share = time.ms().saturating_sub(self.from.ms()) as f64 / self.width_ms;
        NAMES + share.clamp(0.0, 1.0) * (WIDTH - NAMES - 20.0)
    }
}

/// Rows: the labelled events, then each expectation with its window and what was told of it, then what else was told.
fn time_line(page: &mut String, report: &Report) {
    let scale = Scale::new(report);
    let others = report.alerts.iter().filter(|alert| alert.standing != super::report::Standing::Expected);
    let rows = [(Label::Malicious, "attack", "m"), (Label::Benign, "benign", "b"), (Label::Noise, "noise", "n")];
    let height = ROW * (report.expectations.len() + rows.len() + 3) as f64;
    let _ = writeln!(page, "<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"time line\">");
    let mut y = ROW;
    for (label, name, class) in rows {
        row_name(page, y, name);
        for event in report.events.iter().filter(|event| event.label == label) {
            let what = format!("{} {} {}: {}", clock(event.time, report.start), event.source, event.what, event.id);
            let x = scale.x(event.time);
            let _ = writeln!(
                page,
                "<circle class=\"{class}\" cx=\"{x:.1}\" cy=\"{y}\" r=\"4\"><title>{}</title></circle>",
                escaped(&what)
            );
        }
        y += ROW;
    }
    for of in &report.expectations {
        row_name(page, y, &of.id);
        let (from, until) = (scale.x(of.not_before), scale.x(of.not_after));
        let (top, width) = (y - 6.0, (until - from).max(6.0));
        let _ =
            writeln!(page, "<rect class=\"window\" x=\"{from:.1}\" y=\"{top}\" width=\"{width:.1}\" height=\"12\"/>");
        if let (Some(told), false) = (of.told_at, of.outcome == Outcome::OtherKey) {
            mark(
                page,
                &scale,
                (told, y),
                of.route,
                &format!("{} {}", clock(told, report.start), of.said(report.start)),
            );
        }
        y += ROW;
    }
    row_name(page, y, "also told");
    for alert in others {
        let what = format!("{} {} {}", clock(alert.told_at, report.start), alert.detection, alert.key_text());
        mark(page, &scale, (alert.told_at, y), alert.urgency, &what);
    }
    y += ROW;
    let _ = writeln!(page, "<line class=\"axis\" x1=\"{NAMES}\" y1=\"{y}\" x2=\"{}\" y2=\"{y}\"/>", WIDTH - 20.0);
    for part in 0..=4 {
        let time = scale.from.plus_ms((scale.width_ms * f64::from(part) / 4.0) as i64);
        let (x, below) = (scale.x(time), y + 13.0);
        let _ = writeln!(
            page,
            "<text x=\"{x:.1}\" y=\"{below}\" text-anchor=\"middle\">{}</text>",
            clock(time, report.start)
        );
    }
    page.push_str("</svg>\n");
}

fn row_name(page: &mut String, y: f64, name: &str) {
    let _ = writeln!(page, "<text x=\"0\" y=\"{}\">{}</text>", y + 4.0, escaped(name));
}

fn mark(page: &mut String, scale: &Scale, (at, y): (Timestamp, f64), urgency: Urgency, what: &str) {
    let (x, class) = (scale.x(at), urgency.name());
    let _ = writeln!(
        page,
        "<path class=\"{class}\" d=\"M{x:.1} {} l5 9 h-10 z\"><title>{}</title></path>",
        y - 5.0,
        escaped(what)
    );
}
