//! `dead-letter replay`: positions read again, judged by today's configuration and rules, told as late records.
//!
//! Must never say that a record became an event unless it did, nor leave out a letter: each has one outcome.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Args;
use ingest::kafka::TopicPartition;
use model::{Arrival, Partition, Position, Sha256};
use serde::Serialize;
use sinks::{JsonLines, Limits, Mode, Outlet, OutletError, Sealer};

use super::letters::{From, Numbered, Which, hint};
use super::reread::{self, Found};
use crate::config::Config;
use crate::engine::Keys;
use crate::human::Human;
use crate::judge::{Fate, Judge};
use crate::rules_command::{print, table};
use crate::ruleset::Unproven;
use crate::run::{Built, connection, redaction_key};

/// Arguments of `dead-letter replay`.
#[derive(Debug, Args)]
pub(super) struct ReplayArgs {
    #[command(flatten)]
    from: From,
    #[command(flatten)]
    which: Which,
    /// Judge the records as this source of the configuration [default: the source that each letter names]
    #[arg(long = "as", value_name = "SOURCE")]
    as_source: Option<String>,
    /// Write the late records here, as JSON lines; `-` for standard output [default: a line for people each]
    #[arg(long, value_name = "FILE")]
    alerts: Option<PathBuf>,
    /// Print one JSON object for each position instead of a table
    #[arg(long)]
    json: bool,
}

/// What became of a position.
#[derive(Debug, Default, Serialize)]
struct Outcome {
    position: String,
    /// `event`, `filtered`, `invalid`, `gone`, `changed`, `no_source`.
    outcome: &'static str,
    /// Events that its record became.
    events: usize,
    /// Titles of the rules that hold, one for each late record.
    told: Vec<String>,
    /// Why it is what it is.
    #[serde(skip_serializing_if = "String::is_empty")]
    why: String,
}

/// Positions by partition, each with the hashes of its letters.
type Wanted = BTreeMap<Partition, BTreeMap<i64, BTreeSet<Sha256>>>;

const LIMITS: Limits =
    Limits { open_alerts_max: 1, findings_waiting_max: 1, occurrences_waiting_max: 1, silences_max: 1 };

pub(super) fn run(args: &ReplayArgs) -> anyhow::Result<ExitCode> {
    let Some(config_file) = &args.from.config else {
        bail!("which configuration? (hint: --config pipewarden.yaml; --file names letters of another place)");
    };
    if args.json && args.alerts.as_deref() == Some(Path::new("-")) {
        bail!("--alerts - and --json both want standard output (hint: name a file for one of them)");
    }
    let config = Config::load(config_file)?;
    let letters = args.which.of(args.from.letters()?);
    let built = Built::new(&config, &Default::default(), Unproven::Refuse, Keys::of_replay())?;
    let outlet = args.outlet()?;
    let redaction = redaction_key(&config, &config.state)?.unwrap_or_default();
    let sealer = Sealer::new(Mode::Alerts, LIMITS, false).with_redaction(redaction);
    let mut again = Again { judges: built.judges(), sealer, outlet, outcomes: Vec::new() };
    let topics = Built::topics(&config);
    let mut client = None;
    for (partition, positions) in wanted(letters) {
        let topic = topic_partition(&partition.name).filter(|at| topics.contains_key(&*at.topic));
        let named = args.as_source.as_deref().unwrap_or(&partition.source);
        let named = config.sources.iter().position(|source| source.name == *named);
        let of_topic = topic.as_ref().and_then(|at| topics.get(&*at.topic)).copied();
        let source = if args.as_source.is_some() { named } else { of_topic.or(named) };
        let Some(source) = source else {
            again.without_source(&partition, &positions);
            continue;
        };
        let offsets = positions.keys().copied().collect();
        let mut sink =
            |offset: i64, found: Found<'_>| again.take(source, &partition, offset, found, positions.get(&offset));
        match topic {
            Some(at) => {
                let client = match &client {
                    Some(client) => client,
                    None => client.insert(connection(&config)?),
                };
                reread::kafka(client, &at, offsets, &mut sink)?;
            }
            None => reread::file(Path::new(&*partition.name), offsets, &mut sink)?,
        }
    }
    again.outlet.as_mut().map_or(Ok(()), |outlet| outlet.flush())?;
    again.report(args.json, args.alerts.as_deref() == Some(Path::new("-")))
}

impl ReplayArgs {
    /// None: alerts are counted, and told by nobody.
    fn outlet(&self) -> anyhow::Result<Option<Box<dyn Outlet>>> {
        Ok(match &self.alerts {
            Some(path) if path == Path::new("-") => {
                Some(Box::new(JsonLines::new("standard output", std::io::stdout())))
            }
            Some(path) => {
                let file = File::create(path).with_context(|| format!("{}: cannot be written", path.display()))?;
                Some(Box::new(JsonLines::new(path.display().to_string(), file)))
            }
            None if self.json => None,
            None => Some(Box::new(Human::stdout())),
        })
    }
}

fn wanted(letters: Vec<Numbered>) -> Wanted {
    let mut wanted = Wanted::new();
    for (_, letter) in letters {
        let Position { partition, offset } = letter.position;
        wanted.entry(partition).or_default().entry(offset).or_default().insert(letter.sha256);
    }
    wanted
}

fn topic_partition(name: &str) -> Option<TopicPartition> {
    let (topic, number) = name.rsplit_once('/')?;
    Some(TopicPartition::new(topic, number.parse().ok()?))
}

/// What is at work, and what it has found.
struct Again {
    judges: Vec<Judge>,
    sealer: Sealer,
    outlet: Option<Box<dyn Outlet>>,
    outcomes: Vec<Outcome>,
}

impl Again {
    fn take(
        &mut self,
        source: usize,
        partition: &Partition,
        offset: i64,
        found: Found<'_>,
        hashes: Option<&BTreeSet<Sha256>>,
    ) -> anyhow::Result<()> {
        let position = Position { partition: partition.clone(), offset }.to_string();
        let mut outcome = Outcome { position, ..Outcome::default() };
        let record = match found {
            Found::Record(record) => record,
            Found::Gone(why) => return self.end(Outcome { outcome: "gone", why, ..outcome }),
            Found::Broken => {
                let why = "only a part of it can be read".to_owned();
                return self.end(Outcome { outcome: "invalid", why, ..outcome });
            }
        };
        let meant = |bytes: &[u8]| hashes.is_some_and(|hashes| hashes.contains(&Sha256::of(bytes)));
        let whole = meant(record);
        let mut judgements = Vec::new();
        if let Some(judge) = self.judges.get_mut(source) {
            judge.record(record, 0..record.len(), partition, offset, &mut judgements);
        }
        let mut any = false;
        for judgement in judgements {
            // The other records of an array or an envelope were judged when they came.
            if !whole && !meant(record.get(judgement.bounds).unwrap_or_default()) {
                continue;
            }
            any = true;
            match judgement.fate {
                Fate::Filtered if outcome.outcome.is_empty() => outcome.outcome = "filtered",
                Fate::Filtered => {}
                Fate::Invalid(reason) => {
                    outcome.outcome = "invalid";
                    outcome.why = format!("{}: {}", reason.name(), hint(reason));
                }
                Fate::Event { findings, .. } => {
                    outcome.events += 1;
                    if outcome.outcome != "invalid" {
                        outcome.outcome = "event";
                    }
                    for finding in findings {
                        self.tell(finding, &mut outcome.told)?;
                    }
                }
            }
        }
        if !any {
            outcome.outcome = "changed";
            outcome.why = "the bytes that stand there now are others".to_owned();
        }
        self.end(outcome)
    }

    /// A late finding is told at once and touches no alert.
    fn tell(&mut self, finding: model::Finding, told: &mut Vec<String>) -> Result<(), OutletError> {
        let Again { sealer, outlet, .. } = self;
        let mut failure = None;
        sealer.offer(0, model::Finding { arrival: Arrival::Late, ..finding }, &mut |(_, record)| {
            told.push(record.rule.title.clone());
            let Some(outlet) = outlet.as_mut() else { return };
            let line = serde_json::to_string(&record).unwrap_or_default();
            failure = failure.take().or(outlet.put(&record, &line).err());
        });
        failure.map_or(Ok(()), Err)
    }

    fn without_source(&mut self, partition: &Partition, positions: &BTreeMap<i64, BTreeSet<Sha256>>) {
        let why =
            format!("the configuration has neither this topic nor a source {:?} (hint: --as SOURCE)", partition.source);
        for &offset in positions.keys() {
            let position = Position { partition: partition.clone(), offset }.to_string();
            self.outcomes.push(Outcome { position, outcome: "no_source", why: why.clone(), ..Outcome::default() });
        }
    }

    fn end(&mut self, outcome: Outcome) -> anyhow::Result<()> {
        self.outcomes.push(outcome);
        Ok(())
    }

    /// Prints what became of each position; says by the exit code whether all is well.
    fn report(&self, json: bool, is_taken: bool) -> anyhow::Result<ExitCode> {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        self.outcomes.iter().for_each(|outcome| *counts.entry(outcome.outcome).or_default() += 1);
        if json {
            let lines = self.outcomes.iter().map(|outcome| Ok(serde_json::to_string(outcome)? + "\n"));
            print(&lines.collect::<serde_json::Result<String>>()?)?;
        } else {
            let mut rows = table(&["position", "outcome", "told", "why"], &[2, 3]);
            for outcome in &self.outcomes {
                let told = if outcome.told.is_empty() { "-".to_owned() } else { outcome.told.join("; ") };
                let Outcome { position, outcome, why, .. } = outcome;
                rows.add_row([position.as_str(), outcome, &told, why]);
            }
            let counts: Vec<String> = counts.iter().map(|(outcome, count)| format!("{outcome} {count}")).collect();
            let total = format!("{} positions read again: {}", self.outcomes.len(), counts.join(", "));
            let text = match self.outcomes.is_empty() {
                true => "no dead letter is meant: nothing was read\n".to_owned(),
                false => format!("{}\n\n{total}\n", rows.trim_fmt()),
            };
            if is_taken { eprint!("{text}") } else { print(&text)? }
        }
        let is_good = counts.keys().all(|outcome| ["event", "filtered"].contains(outcome));
        Ok(ExitCode::from(if is_good { 0 } else { 3 }))
    }
}
