//! `pipewarden gameday`: exercises through the production pipeline on a simulated clock, and what came of them.
//!
//! Only finds, runs and prints; what is expected stands in the exercise, what is judged in `verdict`.

mod course;
mod exercise;
mod html;
mod incidents;
mod print;
mod records;
mod report;
mod surroundings;
mod verdict;

use std::collections::BTreeSet;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, bail};
use rules::parse::Settings as ParseSettings;
use serde_json::json;

use crate::ruleset::{RuleSet, Unproven};
use course::Span;
use exercise::{Exercise, Variant};
use records::Arriving;
use report::Report;

/// Run game days: what fired when, whether it was expected, and how long it took.
#[derive(Debug, clap::Args)]
pub struct GamedayArgs {
    #[command(subcommand)]
    command: GamedayCommand,
}

#[derive(Debug, clap::Subcommand)]
enum GamedayCommand {
    /// Run exercises, and hold what is told against what they expect
    Run(RunArgs),
    /// List the exercises that are there
    List(ListArgs),
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  pipewarden gameday run gd-b1                       an attack and its twin
  pipewarden gameday run gd-b1/attack --html b1.html a page with a time line
  pipewarden gameday run all --json                  everything, for a script

Exit codes: 0 all passed; 1 one did not, or bad usage.")]
struct RunArgs {
    /// Exercises: a folder (gd-b1: attack and twin), one variant of it (gd-b1/twin), an id (GD-B1), or `all`
    #[arg(required = true, value_name = "NAME")]
    names: Vec<String>,
    #[command(flatten)]
    place: Place,
    /// Ordinary days of a large organisation that run beside the exercise, up to its last day
    #[arg(long, value_name = "DAYS", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=90))]
    baseline: u32,
    /// Rule files and folders, beside the pack; may be repeated
    #[arg(long, value_name = "PATH")]
    rules: Vec<PathBuf>,
    /// Leave the built-in rule pack out
    #[arg(long, requires = "rules")]
    no_pack: bool,
    /// Write a page with time lines here, in one file
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct ListArgs {
    #[command(flatten)]
    place: Place,
    /// Print one JSON array
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct Place {
    /// Where the game days stand
    #[arg(long, value_name = "DIR", default_value = "replay-data")]
    dir: PathBuf,
}

/// Runs the command.
///
/// # Errors
/// Bad usage, exercises that cannot be read, a page that cannot be written.
pub fn run(args: GamedayArgs) -> anyhow::Result<ExitCode> {
    match args.command {
        GamedayCommand::Run(args) => run_exercises(&args),
        GamedayCommand::List(args) => list(&args),
    }
}

fn run_exercises(args: &RunArgs) -> anyhow::Result<ExitCode> {
    let exercises = chosen(&args.place.dir, &args.names)?;
    let mut page =
        args.html.as_deref().map(|file| std::fs::File::create(file).context(cannot_write(file))).transpose()?;
    let rules = Arc::new(rule_set(args)?);
    let names: BTreeSet<String> =
        rules.infos.iter().map(|info| info.name.clone().unwrap_or_else(|| info.id.to_string())).collect();
    let mut reports = Vec::new();
    for exercise in &exercises {
        let report = run_one(exercise, args.baseline, &rules, &names);
        reports.push(report.with_context(|| exercise.name.clone())?);
    }
    let passed = reports.iter().all(|report| report.passed);
    let mut out = std::io::stdout().lock();
    if args.json {
        writeln!(out, "{}", json!({"passed": passed, "exercises": reports}))?;
    } else {
        print::reports(&mut out, &reports, std::io::stdout().is_terminal())?;
    }
    if let (Some(page), Some(file)) = (&mut page, &args.html) {
        page.write_all(html::page(&reports).as_bytes()).context(cannot_write(file))?;
    }
    Ok(ExitCode::from(u8::from(!passed)))
}

fn cannot_write(file: &Path) -> String {
    format!("{}: cannot be written (hint: name a file in a folder that is there and yours)", file.display())
}

fn list(args: &ListArgs) -> anyhow::Result<ExitCode> {
    let exercises = found(&args.place.dir)?;
    let mut out = std::io::stdout().lock();
    if args.json {
        let row = |of: &Exercise| {
            let waits: Vec<&String> = of.expect.pending.keys().collect();
            json!({"name": of.name, "id": of.id, "variant": of.variant, "title": of.title, "start": of.start,
                   "end": of.end, "expectations": of.expect.alerts.len(), "pending": waits})
        };
        writeln!(out, "{}", json!(exercises.iter().map(row).collect::<Vec<_>>()))?;
    } else {
        print::list(&mut out, &exercises)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn rule_set(args: &RunArgs) -> anyhow::Result<RuleSet> {
    let settings = ParseSettings {
        model_fields: Some(model::field_hint as fn(&str) -> Option<String>),
        ..ParseSettings::default()
    };
    let rules = RuleSet::load(!args.no_pack, &args.rules, &settings, Unproven::Warn);
    rules.refused.iter().for_each(|message| tracing::error!("refused: {message}"));
    rules.skipped.iter().chain(&rules.warnings).for_each(|message| tracing::warn!("{message}"));
    if rules.rules.is_empty() {
        bail!("no rule could be loaded (hint: the messages before this one say why)");
    }
    Ok(rules)
}

/// Every exercise under a folder: `NAME/scenario.yaml` and `NAME/VARIANT/scenario.yaml` that expect something.
fn found(dir: &Path) -> anyhow::Result<Vec<Exercise>> {
    let hint = "hint: game days stand in replay-data of the source tree; name the folder with --dir";
    let mut files = Vec::new();
    for day in folders(dir).with_context(|| format!("{}: cannot be read ({hint})", dir.display()))? {
        files.push((day.clone(), dir.join(&day).join("scenario.yaml")));
        for variant in folders(&dir.join(&day))? {
            files.push((format!("{day}/{variant}"), dir.join(&day).join(&variant).join("scenario.yaml")));
        }
    }
    // Others promise their alerts byte for byte, and are for `replay`.
    let expects = |file: &Path| {
        std::fs::read_to_string(file).is_ok_and(|text| text.lines().any(|line| line.starts_with("expect:")))
    };
    files.retain(|(_, file)| expects(file));
    if files.is_empty() {
        bail!("{}: there are no game days ({hint})", dir.display());
    }
    let read = files.into_iter().map(|(name, file)| Exercise::read(name, &file));
    let (good, bad): (Vec<_>, Vec<_>) = read.partition(Result::is_ok);
    if !bad.is_empty() {
        bail!(
            bad.into_iter().filter_map(Result::err).map(|error| format!("{error:#}")).collect::<Vec<_>>().join("\n  ")
        );
    }
    Ok(good.into_iter().flatten().collect())
}

fn folders(of: &Path) -> std::io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(of)? {
        let entry = entry?;
        if entry.path().is_dir() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// Those that are named.
fn chosen(dir: &Path, names: &[String]) -> anyhow::Result<Vec<Exercise>> {
    let mut exercises = found(dir)?;
    let is = |of: &Exercise, name: &str| {
        let name = name.trim_end_matches('/');
        let folder = of.name.split('/').next().unwrap_or_default();
        name == "all" || [folder, &of.name, &of.id].iter().any(|known| known.eq_ignore_ascii_case(name))
    };
    let unknown: Vec<&str> =
        names.iter().filter(|name| !exercises.iter().any(|of| is(of, name))).map(String::as_str).collect();
    if !unknown.is_empty() {
        let known: Vec<&str> = exercises.iter().map(|of| of.name.as_str()).collect();
        bail!("{}: no such game day (hint: all, {})", unknown.join(", "), known.join(", "));
    }
    exercises.retain(|of| names.iter().any(|name| is(of, name)));
    Ok(exercises)
}

/// Runs one exercise, and the ordinary days beside it once more without it.
fn run_one(exercise: &Exercise, days: u32, rules: &Arc<RuleSet>, names: &BTreeSet<String>) -> anyhow::Result<Report> {
    let ordinary = surroundings::ordinary_days(exercise, days);
    let sources = surroundings::sources(exercise, ordinary.as_ref(), rules)?;
    let first = exercise.inputs.len();
    let (records, events) = records::read(exercise)?;
    let latest_ms = sources.iter().map(|source| source.lateness_ms).max().unwrap_or(0);
    let span = Span {
        from: events.first().map_or(exercise.start, |event| event.time),
        until: exercise.end.plus_ms(latest_ms + course::SETTLES_MS),
    };
    let beside = || ordinary.iter().flat_map(|days| surroundings::records_of_days(days, first));
    let together = merged(records.into_iter(), beside());
    let course = course::run(&sources, together, &exercise.health, span)?;
    let alone = match &ordinary {
        Some(_) => course::run(&sources, beside(), &exercise.health, span)?.told,
        None => Vec::new(),
    };
    Ok(Report { ordinary_days: days, ..verdict::judge(exercise, events, &course, &alone, names) })
}

/// Two streams in the order of arrival as one.
fn merged(a: impl Iterator<Item = Arriving>, b: impl Iterator<Item = Arriving>) -> impl Iterator<Item = Arriving> {
    let (mut a, mut b) = (a.peekable(), b.peekable());
    std::iter::from_fn(move || match (a.peek(), b.peek()) {
        (Some(of_a), Some(of_b)) if of_b.at < of_a.at => b.next(),
        (Some(_), _) => a.next(),
        _ => b.next(),
    })
}

/// How a variant is called.
fn variant_name(variant: Variant) -> &'static str {
    match variant {
        Variant::Attack => "attack",
        Variant::Twin => "twin",
    }
}
