//! Alerts as lines that a person reads, coloured only where a person watches.

use std::io::{IsTerminal, Stdout, Write};

use anstyle::{AnsiColor, Style};
use model::{AlertRecord, AlertState, Urgency, cut};
use sinks::{Outlet, OutletError};

/// Prints a line for each record.
pub struct Human {
    out: Stdout,
    colours: bool,
}

impl Human {
    /// To standard output.
    pub fn stdout() -> Human {
        let out = std::io::stdout();
        let colours = out.is_terminal();
        Human { out, colours }
    }

    fn style(&self, record: &AlertRecord) -> Style {
        match (record.state, record.urgency) {
            _ if !self.colours => Style::new(),
            (AlertState::Expired | AlertState::Resolved | AlertState::Suppressed, _) => Style::new().dimmed(),
            (_, Urgency::Page) => Style::new().bold().fg_color(Some(AnsiColor::Red.into())),
            (_, Urgency::Ticket) => Style::new().fg_color(Some(AnsiColor::Yellow.into())),
        }
    }

    fn line(&self, record: &AlertRecord) -> String {
        let time = record.event_time.map_or_else(|| "-".to_owned(), |time| time.to_string());
        let style = self.style(record);
        let key: Vec<String> = record
            .group
            .iter()
            .map(|(field, value)| format!("{field}={}", printable(value.as_str().unwrap_or_default())))
            .collect();
        let who =
            ["prov.actor", "src.ip"].iter().filter_map(|field| record.facts.get(*field)?.as_str()).collect::<Vec<_>>();
        let who = if who.is_empty() { String::new() } else { format!(" by {}", printable(&who.join(" from "))) };
        let marks = [(record.late, " late"), (record.early, " early"), (record.provisional, " provisional")];
        let marks: String = marks.iter().filter(|(is, _)| *is).map(|(_, mark)| *mark).collect();
        format!(
            "{time}  {style}{:<6} {:<8}{style:#} {:<13} {}{who}  [{}]  count {}{marks}",
            record.urgency.name(),
            record.state.name(),
            record.severity.name(),
            printable(&record.rule.title),
            key.join(" "),
            record.count,
        )
    }
}

/// Text that events wrote: one line, no control characters, not endless.
fn printable(text: &str) -> String {
    cut(text, 120).chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

impl Outlet for Human {
    fn put(&mut self, record: &AlertRecord, _: &str) -> Result<(), OutletError> {
        let line = self.line(record);
        writeln!(self.out, "{line}").map_err(|error| failed(&error))
    }

    fn flush(&mut self) -> Result<(), OutletError> {
        self.out.flush().map_err(|error| failed(&error))
    }
}

fn failed(error: &std::io::Error) -> OutletError {
    OutletError { outlet: "standard output".to_owned(), reason: error.to_string(), retryable: false }
}
