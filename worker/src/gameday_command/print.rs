//! Reports as people read them in a terminal; coloured only where a person watches.
//!
//! Text that events wrote stands on one line and without control characters.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use comfy_table::Table;
use comfy_table::presets::NOTHING;
use model::cut;

use super::exercise::{Exercise, Variant};
use super::report::{Alert, Report, Standing, clock};
use super::variant_name;

/// Of one, everything; of many, a line each and what is wrong with those that fail.
pub(super) fn reports(out: &mut impl Write, reports: &[Report], colours: bool) -> io::Result<()> {
    let is_few = reports.len() <= 3;
    if is_few {
        for report in reports {
            whole(out, report, colours)?;
        }
    } else {
        lines(out, reports)?;
        for report in reports.iter().filter(|report| !report.passed) {
            writeln!(out)?;
            heading(out, report, colours)?;
            problems(out, report)?;
        }
    }
    let passed = reports.iter().filter(|report| report.passed).count();
    writeln!(out, "\n{passed} of {} passed", reports.len())
}

/// The exercises that are there.
pub(super) fn list(out: &mut impl Write, exercises: &[Exercise]) -> io::Result<()> {
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_header(["name", "id", "variant", "expects", "pending", "what happens"]);
    for of in exercises {
        let expects = match of.variant {
            Variant::Attack => of.expect.alerts.len().to_string(),
            Variant::Twin => "silence".to_owned(),
        };
        let pending = of.expect.pending.keys().map(String::as_str).collect::<Vec<_>>().join(" ");
        table.add_row([&of.name, &of.id, variant_name(of.variant), &expects, &pending, &printable(&of.title)]);
    }
    writeln!(out, "{table}")
}

fn lines(out: &mut impl Write, reports: &[Report]) -> io::Result<()> {
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_header(["exercise", "result", "met", "pending", "incidents", "tickets", "detected"]);
    for of in reports {
        let good = of.expectations.iter().filter(|one| one.outcome.is_good()).count();
        let waits = of.expectations.iter().filter(|one| one.outcome == super::report::Outcome::Pending).count();
        let of_max =
            |count: usize, max: Option<usize>| max.map_or(count.to_string(), |max| format!("{count} of {max}"));
        table.add_row([
            of.name.clone(),
            result(of).to_owned(),
            format!("{} of {}", good - waits, of.expectations.len()),
            waits.to_string(),
            of_max(of.incidents, of.pages_max),
            of_max(of.tickets, of.tickets_max),
            of.detection.as_ref().map_or_else(|| "-".to_owned(), |detection| detection.said()),
        ]);
    }
    writeln!(out, "{table}")
}

fn result(report: &Report) -> &'static str {
    if report.passed { "PASS" } else { "FAIL" }
}

fn heading(out: &mut impl Write, report: &Report, colours: bool) -> io::Result<()> {
    let colour = if report.passed { AnsiColor::Green } else { AnsiColor::Red };
    let style = if colours { Style::new().bold().fg_color(Some(colour.into())) } else { Style::new() };
    writeln!(out, "{style}{}{style:#}  {}  {}", result(report), report.name, printable(&report.title))
}

fn problems(out: &mut impl Write, report: &Report) -> io::Result<()> {
    report.failures.iter().try_for_each(|failure| writeln!(out, "  {}", printable(failure)))
}

fn whole(out: &mut impl Write, report: &Report, colours: bool) -> io::Result<()> {
    heading(out, report, colours)?;
    let beside = match report.ordinary_days {
        0 => "without a baseline".to_owned(),
        days => format!("beside {days} ordinary days"),
    };
    writeln!(out, "  t = 00:00 is {}, judged until {}, {beside}", report.start, clock(report.end, report.start))?;
    if let Some(detection) = &report.detection {
        writeln!(out, "  time to detect: {}", detection.said())?;
    }
    let max = |max: Option<usize>| max.map_or_else(String::new, |max| format!(" ({max} at most)"));
    let (pages, tickets) = (max(report.pages_max), max(report.tickets_max));
    writeln!(out, "  incidents that page: {}{pages}, tickets: {}{tickets}", report.incidents, report.tickets)?;
    if report.late_events > 0 {
        writeln!(out, "  events behind their source's watermark: {}", report.late_events)?;
    }
    expectations(out, report)?;
    let more: Vec<&Alert> = report.alerts.iter().filter(|alert| alert.standing != Standing::Expected).collect();
    alerts(out, report, &more)?;
    for (id, why) in &report.pending {
        writeln!(out, "  pending: {id}: {}", printable(why))?;
    }
    if !report.failures.is_empty() {
        writeln!(out, "\n  failures")?;
        problems(out, report)?;
    }
    writeln!(out)
}

fn expectations(out: &mut impl Write, report: &Report) -> io::Result<()> {
    if report.expectations.is_empty() {
        return writeln!(out, "  expected: silence");
    }
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_header(["  expected", "route", "from", "until", "told", "result", "key"]);
    let at = |time| clock(time, report.start);
    for of in &report.expectations {
        table.add_row([
            format!("  {}", of.id),
            of.route.name().to_owned(),
            at(of.not_before),
            at(of.not_after),
            of.told_at.map_or_else(|| "-".to_owned(), at),
            printable(&of.said(report.start)),
            printable(&of.key_text()),
        ]);
    }
    writeln!(out, "\n{table}")
}

fn alerts(out: &mut impl Write, report: &Report, alerts: &[&Alert]) -> io::Result<()> {
    if alerts.is_empty() {
        return Ok(());
    }
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_header(["  also told", "route", "state", "of", "told", "standing", "key"]);
    for alert in alerts {
        table.add_row([
            format!("  {}", printable(&alert.detection)),
            alert.urgency.name().to_owned(),
            alert.state.name().to_owned(),
            clock(alert.event_time, report.start),
            clock(alert.told_at, report.start),
            alert.standing.words().to_owned(),
            printable(&alert.key_text()),
        ]);
    }
    writeln!(out, "\n{table}")
}

/// Text that events wrote: one line, no control characters, not endless.
fn printable(text: &str) -> String {
    cut(text, 240).chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
