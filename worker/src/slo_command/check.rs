//! `slo check`: objectives in files, read as they would be used, and what their alerts can do.
//!
//! Must never pass an objective that cannot be judged.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use slis::burn::{Limit, Urgency, detects_after_s};
use slis::definition::Definition;
use slis::slo::Slo;

use super::print_objectives::above;
use crate::rules_command::{print, table};

/// Arguments of `slo check`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit codes: 0 all can be used; 1 one cannot: every problem is named.")]
pub(super) struct CheckArgs {
    /// Files of objectives, in OpenSLO's shape
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// When a file cannot be read.
pub(super) fn run(args: &CheckArgs) -> anyhow::Result<ExitCode> {
    let definitions = Definition::shipped()?;
    let mut is_good = true;
    for file in &args.files {
        let text = std::fs::read_to_string(file).with_context(|| format!("{}: cannot be read", file.display()))?;
        match Slo::parse(&text, &definitions) {
            Ok(slo) => print(&format!("{}: {}\n", file.display(), words(&slo)))?,
            Err(problems) => {
                is_good = false;
                problems.iter().try_for_each(|problem| print(&format!("{}: {problem}\n", file.display())))?;
            }
        }
    }
    Ok(if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn words(slo: &Slo) -> String {
    let policy = &slo.policy;
    let days = policy.period_ms as f64 / 86_400_000.0;
    let mut rows =
        table(&["told", "burn rate above", "over", "and over", "outage found after", "one alone below"], &[]);
    for condition in &policy.conditions {
        let minutes = |ms: i64| format!("{} min", ms / 60_000);
        let found = detects_after_s(policy.objective, condition, 1.0);
        let (never, alone) = match condition.limit {
            Limit::Rate(factor) => ("never", format!("{:.0} events", factor.alone_below(policy.objective))),
            Limit::Bad(most) => ("by number", if most == 1 { "each one".to_owned() } else { "none".to_owned() }),
        };
        rows.add_row([
            if condition.urgency == Urgency::Page { "page" } else { "ticket" }.to_owned(),
            above(condition),
            minutes(condition.long_ms),
            minutes(condition.short_ms),
            found.map_or_else(|| never.to_owned(), |seconds| format!("{:.1} min", seconds / 60.0)),
            alone,
        ]);
    }
    let objective = policy.objective.as_percent();
    format!("{}: {} at {objective} % over {days} days\n{}\n", slo.name, slo.indicator, rows.trim_fmt())
}
