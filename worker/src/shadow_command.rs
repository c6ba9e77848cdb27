//! `pipewarden shadow`: what rules on trial would have told, and detectors of keys on trial or in announced periods.
//!
//! Reads alert records; must never tell anybody.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use model::{AlertRecord, Fingerprint, Timestamp, Urgency};
use serde_json::json;

use crate::alerts_file::{self, printable};
use crate::rules_command::print;

/// Keys that a rule's row names.
const KEYS_SHOWN: usize = 3;

/// Arguments of `pipewarden shadow`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pipewarden shadow report --alerts state/seal.jsonl
  pipewarden replay --rules mine.yml events/ --alerts - | pipewarden shadow report --json

Exit codes: 0 done; 1 bad usage, or there is no record.")]
pub struct ShadowArgs {
    #[command(subcommand)]
    command: ShadowCommand,
}

#[derive(Debug, Subcommand)]
enum ShadowCommand {
    /// For each rule what would have been told: how often, of how many alerts, from when to when, of which keys
    Report {
        /// Where the records stand: a seal log, or a file that `--alerts` wrote (also .gz, .zst); may be repeated
        #[arg(long, value_name = "FILE", default_value = "-")]
        alerts: Vec<PathBuf>,
        /// Print one JSON object a rule instead of a table
        #[arg(long)]
        json: bool,
    },
}

/// What one rule would have told.
#[derive(Default)]
struct Tried {
    title: String,
    pages: u64,
    tickets: u64,
    alerts: BTreeMap<Fingerprint, String>,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
}

/// Runs the command.
///
/// # Errors
/// Records that cannot be read.
pub fn run(args: &ShadowArgs) -> anyhow::Result<ExitCode> {
    let ShadowCommand::Report { alerts, json } = &args.command;
    let records = alerts_file::read(alerts)?;
    let mut rules: BTreeMap<String, Tried> = BTreeMap::new();
    for record in records.values().flatten().map(|line| &line.record).filter(|record| record.shadow) {
        let name = record.rule.name.clone().unwrap_or_else(|| record.rule.id.to_string());
        rules.entry(name).or_default().add(record);
    }
    print(&if *json { as_json(&rules) } else { as_table(&rules) })?;
    Ok(ExitCode::SUCCESS)
}

impl Tried {
    fn add(&mut self, record: &AlertRecord) {
        self.title.clone_from(&record.rule.title);
        match record.urgency {
            Urgency::Page => self.pages += 1,
            Urgency::Ticket => self.tickets += 1,
        }
        let key: Vec<&str> = record.group.values().filter_map(serde_json::Value::as_str).collect();
        self.alerts.insert(record.fingerprint, printable(&key.join(", ")));
        self.first = self.first.into_iter().chain(record.event_time).min();
        self.last = self.last.max(record.event_time);
    }
}

fn as_json(rules: &BTreeMap<String, Tried>) -> String {
    let line = |(name, of): (&String, &Tried)| {
        let keys: Vec<&String> = of.alerts.values().collect();
        let time = |time: Option<Timestamp>| time.map(|time| time.to_string());
        let row = json!({
            "rule": name, "title": of.title, "pages": of.pages, "tickets": of.tickets, "alerts": of.alerts.len(),
            "first": time(of.first), "last": time(of.last), "keys": keys,
        });
        format!("{row}\n")
    };
    rules.iter().map(line).collect()
}

fn as_table(rules: &BTreeMap<String, Tried>) -> String {
    if rules.is_empty() {
        return "nothing on trial would have been told\n".to_owned();
    }
    let mut text = String::new();
    for (name, of) in rules {
        let time = |time: Option<Timestamp>| time.map_or_else(|| "-".to_owned(), |time| time.to_string());
        let _ = writeln!(
            text,
            "{name}  {} pages, {} tickets of {} alerts, {} to {}",
            of.pages,
            of.tickets,
            of.alerts.len(),
            time(of.first),
            time(of.last)
        );
        let _ = writeln!(text, "  {}", printable(&of.title));
        for key in of.alerts.values().take(KEYS_SHOWN) {
            let _ = writeln!(text, "  {key}");
        }
        if of.alerts.len() > KEYS_SHOWN {
            let _ = writeln!(text, "  and {} more", of.alerts.len() - KEYS_SHOWN);
        }
    }
    text
}
