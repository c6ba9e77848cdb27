//! `rules list`: one row for each rule.
//!
//! Must never show a rule that does not load as if it did: those go to standard error.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use rules::ast::Rule;
use serde_json::{Value, json};

use super::{complain, logsource_words, print, routes_of, settings, table};
use crate::ruleset::{RuleSet, Unproven};

/// Arguments of `rules list`.
#[derive(Debug, Args)]
pub(super) struct ListArgs {
    /// Rule files, or folders of them [default: the rules that pipewarden brings]
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Print a JSON array instead of a table
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &ListArgs) -> anyhow::Result<ExitCode> {
    let set = RuleSet::load(args.paths.is_empty(), &args.paths, &settings(), Unproven::Warn);
    complain("error", &set.refused);
    if args.json {
        let rows: Value = set.rules.iter().map(|rule| as_json(rule)).collect();
        print(&format!("{rows}\n"))?;
    } else {
        let mut rows =
            table(&["name", "title", "level", "route", "log source", "tags", "lists", "owner"], &[1, 4, 5, 6, 7]);
        for rule in &set.rules {
            rows.add_row(row(rule));
        }
        print(&format!("{}\n", rows.trim_fmt()))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn row(rule: &Rule) -> Vec<String> {
    let lists: Vec<&str> = rule.lists.iter().map(|list| list.name.as_str()).collect();
    vec![
        rule.name.clone().unwrap_or_else(|| rule.id.clone()),
        rule.title.clone(),
        rule.level.name().to_owned(),
        routes_of(rule).join(" or "),
        logsource_words(&rule.logsource),
        rule.tags.join(" "),
        if lists.is_empty() { "-".to_owned() } else { lists.join(" ") },
        rule.alert.as_ref().and_then(|alert| alert.owner.clone()).unwrap_or_else(|| "-".to_owned()),
    ]
}

fn as_json(rule: &Rule) -> Value {
    json!({
        "name": rule.name, "id": rule.id, "title": rule.title, "level": rule.level.name(),
        "routes": routes_of(rule),
        "logsource": {
            "product": rule.logsource.product, "category": rule.logsource.category, "service": rule.logsource.service,
        },
        "tags": rule.tags,
        "lists": rule.lists.iter().map(|list| list.name.as_str()).collect::<Vec<_>>(),
        "owner": rule.alert.as_ref().and_then(|alert| alert.owner.as_deref()),
        "file": rule.origin.file.display().to_string(), "line": rule.origin.line,
    })
}
