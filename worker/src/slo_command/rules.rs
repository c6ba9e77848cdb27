//! `slo rules`: objectives as recording and alerting rules of a Prometheus server.
//!
//! Must never print rules of some objectives where others are wrong.

use std::path::PathBuf;
use std::process::ExitCode;

use super::objectives;
use crate::rules_command::print;

/// Arguments of `slo rules`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  pipewarden slo rules slos/*.yaml > pipewarden-slos.yml      for rule_files in prometheus.yml
  promtool check rules pipewarden-slos.yml

Exit codes: 0 printed; 1 an objective cannot be used: every problem is named, and nothing is printed.")]
pub(super) struct RulesArgs {
    /// Files of objectives, in OpenSLO's shape
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// When a file cannot be read, or an objective is wrong.
pub(super) fn run(args: &RulesArgs) -> anyhow::Result<ExitCode> {
    print(&slis::prometheus::rules(&objectives::load(&args.files)?))?;
    Ok(ExitCode::SUCCESS)
}
