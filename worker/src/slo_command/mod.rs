//! `pipewarden slo`: the values of indicators over a span of an archive, and objectives held against what they can do.
//!
//! Finds, asks and prints; values are made in `slis`. Must never print a number where there is no data.

mod check;
mod html;
mod html_objectives;
mod objectives;
mod print;
mod print_objectives;
mod rules;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use model::Timestamp;
use slis::definition::Definition;
use slis::derive::up_to_date;
use slis::query::{Cell, Store};
use slis::report::{Asked, By, Reported, report};

use crate::archive_command::{CONTRIBUTION_ROWS_MAX, is_archive};
use crate::query_command::{Resources, wait};
use crate::rules_command::print as write;

/// Report service level indicators and their objectives.
#[derive(Debug, clap::Args)]
pub struct SloArgs {
    #[command(subcommand)]
    command: SloCommand,
}

#[derive(Debug, clap::Subcommand)]
enum SloCommand {
    /// Print the value of each indicator over a span of an archive
    Report(Box<ReportArgs>),
    /// Check objectives: every problem at once, each with its path and a hint
    Check(check::CheckArgs),
    /// Print objectives as recording and alerting rules of a Prometheus server
    Rules(rules::RulesArgs),
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  pipewarden slo report --archive DIR                           all of the archive, all in one
  pipewarden slo report --archive DIR --by team --last 28d      by team, the last 28 days of it
  pipewarden slo report --archive DIR --html slo.html           a page with charts, in one file
  pipewarden slo report --archive DIR --objectives slos/*.yaml  budgets, burn rates and verdicts at the end
  pipewarden slo report --archive DIR --objectives slos/*.yaml --judge --last 28d
                                                                and when each objective's alert fired")]
struct ReportArgs {
    /// The archive
    #[arg(long, value_name = "DIR")]
    archive: PathBuf,
    /// From when on, like 2026-09-01T00:00:00Z (default: the first minute of the archive)
    #[arg(long, value_name = "TIME", conflicts_with = "last")]
    from: Option<String>,
    /// Until when (default: behind the last minute of the archive)
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
    /// So much of the time before the end, like 28d
    #[arg(long, value_name = "SPAN")]
    last: Option<String>,
    /// Tell values apart
    #[arg(long, value_enum, default_value = "whole")]
    by: ByArg,
    /// Only of this team
    #[arg(long, value_name = "NAME")]
    team: Option<String>,
    /// Only of this environment
    #[arg(long, value_name = "NAME")]
    environment: Option<String>,
    /// Only of this repository
    #[arg(long, value_name = "NAME")]
    repository: Option<String>,
    /// Objectives to hold against the archive, in OpenSLO's shape
    #[arg(long, value_name = "FILE", num_args = 1..)]
    objectives: Vec<PathBuf>,
    /// Judge the objectives at each minute's close of the span and list when their alerts fired and were resolved
    #[arg(long, requires = "objectives")]
    judge: bool,
    /// Write a page with charts here, in one file
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    resources: Resources,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum ByArg {
    Whole,
    Team,
    Environment,
    Repository,
    Label,
}

/// What is printed.
struct Page {
    definitions: Vec<Definition>,
    reported: Vec<Reported>,
    from: Timestamp,
    to: Timestamp,
    days: Vec<Day>,
    objectives: Vec<objectives::Told>,
}

/// Good and total of an indicator on one day, for charts.
struct Day {
    indicator: String,
    day: String,
    good: i64,
    total: i64,
}

/// Runs the command.
///
/// # Errors
/// Bad usage, or an archive that cannot be read.
pub fn run(args: &SloArgs) -> anyhow::Result<ExitCode> {
    match &args.command {
        SloCommand::Report(args) => run_report(args),
        SloCommand::Check(args) => check::run(args),
        SloCommand::Rules(args) => rules::run(args),
    }
}

fn run_report(args: &ReportArgs) -> anyhow::Result<ExitCode> {
    is_archive(&args.archive)?;
    let slos = objectives::load(&args.objectives)?;
    let definitions = Definition::shipped()?;
    let limits = args.resources.limits();
    let store = wait(up_to_date(&limits, &args.archive, definitions.clone().into(), CONTRIBUTION_ROWS_MAX))?;
    let asking = async {
        let (from_ms, to_ms) = span(&store).await?;
        Ok::<_, slis::query::QueryError>((from_ms, to_ms))
    };
    let (first_ms, end_ms) = wait(asking)?;
    let asked = asked(args, first_ms, end_ms)?;
    let days = days_sql(&asked);
    let asking = async {
        let reported = report(&store, &definitions, &asked).await?;
        let objectives = objectives::ask(&store, slos, &asked, args.judge).await?;
        Ok::<_, slis::query::QueryError>((reported, store.select(&days).await?, objectives))
    };
    let (reported, days, objectives) = wait(asking)?;
    let (from, to) = (Timestamp::from_ms(asked.from_ms), Timestamp::from_ms(asked.to_ms));
    let days = days.rows.iter().filter_map(|row| day(row)).collect();
    let page = Page { definitions, reported, from, to, days, objectives };
    if let Some(file) = &args.html {
        let why = || format!("{}: cannot be written (hint: name a file in a folder that is yours)", file.display());
        std::fs::write(file, html::page(&page)).with_context(why)?;
    }
    write(&if args.json { print::json(&page) } else { print::table(&page) })?;
    Ok(ExitCode::SUCCESS)
}

/// First minute of what was counted and the end of its last one.
async fn span(store: &Store) -> Result<(i64, i64), slis::query::QueryError> {
    let sql = "SELECT CAST(min(minute) AS BIGINT), CAST(max(minute) AS BIGINT) FROM contributions";
    let found = store.select(sql).await?;
    Ok(match found.rows.first().map(Vec::as_slice) {
        Some([Cell::Int(from), Cell::Int(to)]) => (*from, to.saturating_add(slis::contribution::MINUTE_MS)),
        _ => (0, 0),
    })
}

fn asked(args: &ReportArgs, first_ms: i64, end_ms: i64) -> anyhow::Result<Asked> {
    let time = |name: &str, text: &Option<String>| {
        let why =
            || format!("--{name} {}: not a time (hint: 2026-09-01T00:00:00Z)", text.as_deref().unwrap_or_default());
        text.as_deref().map(|text| Timestamp::parse(text).with_context(why)).transpose()
    };
    let to_ms = time("to", &args.to)?.map_or(end_ms, Timestamp::ms);
    let last = args
        .last
        .as_deref()
        .map(|text| model::parse_span_ms(text).with_context(|| format!("--last {text}: not a span (hint: 28d)")));
    let from = time("from", &args.from)?.map(Timestamp::ms).or(last.transpose()?.map(|ms| to_ms.saturating_sub(ms)));
    let from_ms = from.unwrap_or(first_ms);
    if from_ms > to_ms {
        bail!("--from lies behind --to (hint: the other way round)");
    }
    let by = match args.by {
        ByArg::Whole => By::Whole,
        ByArg::Team => By::Team,
        ByArg::Environment => By::Environment,
        ByArg::Repository => By::Repository,
        ByArg::Label => By::Label,
    };
    let (team, environment, repository) = (args.team.clone(), args.environment.clone(), args.repository.clone());
    Ok(Asked { from_ms, to_ms, by, team, environment, repository })
}

/// What charts show: each day of each indicator.
fn days_sql(asked: &Asked) -> String {
    let minute = |ms: i64| format!("arrow_cast({ms}, 'Timestamp(Millisecond, Some(\"UTC\"))')");
    format!(
        "SELECT indicator, CAST(CAST(minute AS DATE) AS VARCHAR), sum(good), sum(total) FROM contributions \
         WHERE minute >= {} AND minute < {} GROUP BY 1, 2 ORDER BY 1, 2",
        minute(asked.from_ms),
        minute(asked.to_ms)
    )
}

fn day(row: &[Cell]) -> Option<Day> {
    let [Cell::Text(indicator), Cell::Text(day), Cell::Int(good), Cell::Int(total)] = row else { return None };
    Some(Day { indicator: indicator.clone(), day: day.clone(), good: *good, total: *total })
}
