//! `rules check`: loads rules and says what is wrong with them.
//!
//! Must never evaluate a rule, and never leave a message out.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use super::{REFUSED, complain, diagnostics_json, documents, print, settings};
use crate::ruleset::{RuleSet, Unproven};

/// Arguments of `rules check`.
#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    /// Rule files, or folders of them
    #[arg(required_unless_present = "pack", value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// The rules that pipewarden brings, too
    #[arg(long)]
    pack: bool,
    /// Print one JSON object instead of words
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &CheckArgs) -> anyhow::Result<ExitCode> {
    let set = RuleSet::load(args.pack, &args.paths, &settings(), Unproven::Warn);
    let correlations = documents(&set).correlations.len();
    if args.json {
        let told = json!({
            "rules": set.rules.len(), "correlations": correlations, "refused": diagnostics_json(&set.refused),
            "skipped": diagnostics_json(&set.skipped), "warnings": diagnostics_json(&set.warnings),
        });
        print(&format!("{told}\n"))?;
    } else {
        complain("warning", &set.warnings);
        complain("skipped", &set.skipped);
        complain("error", &set.refused);
        let also = if correlations > 0 { format!(", {correlations} correlations") } else { String::new() };
        print(&format!(
            "{} rules{also} load, {} refused, {} skipped, {} warnings\n",
            set.rules.len(),
            set.refused.len(),
            set.skipped.len(),
            set.warnings.len()
        ))?;
    }
    Ok(if set.refused.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(REFUSED) })
}
