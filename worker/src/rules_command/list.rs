//! `rules list`: one row for each rule.
//!
//! Must never show a rule that does not load as if it did: those go to standard error.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use rules::ast::{Correlation, CorrelationType, Rule};
use serde_json::{Value, json};

use super::{complain, documents, logsource_words, print, routes_of, settings, table};
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
    let correlations = documents(&set).correlations;
    if args.json {
        let rules = set.rules.iter().map(|rule| as_json(rule));
        let rows: Value = rules.chain(correlations.iter().map(correlation_json)).collect();
        print(&format!("{rows}\n"))?;
    } else {
        let mut rows =
            table(&["name", "title", "level", "route", "log source", "tags", "lists", "owner"], &[1, 4, 5, 6, 7]);
        for rule in &set.rules {
            rows.add_row(row(rule));
        }
        for correlation in &correlations {
            rows.add_row(correlation_row(correlation));
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
        routes_of(rule.alert.as_ref()).join(" or "),
        logsource_words(&rule.logsource),
        rule.tags.join(" "),
        if lists.is_empty() { "-".to_owned() } else { lists.join(" ") },
        rule.alert.as_ref().and_then(|alert| alert.owner.clone()).unwrap_or_else(|| "-".to_owned()),
    ]
}

fn as_json(rule: &Rule) -> Value {
    json!({
        "name": rule.name, "id": rule.id, "title": rule.title, "level": rule.level.name(),
        "routes": routes_of(rule.alert.as_ref()),
        "logsource": {
            "product": rule.logsource.product, "category": rule.logsource.category, "service": rule.logsource.service,
        },
        "tags": rule.tags,
        "lists": rule.lists.iter().map(|list| list.name.as_str()).collect::<Vec<_>>(),
        "owner": rule.alert.as_ref().and_then(|alert| alert.owner.as_deref()),
        "file": rule.origin.file.display().to_string(), "line": rule.origin.line,
    })
}

/// A correlation has no log source of its own: its row names its type and its rules.
fn correlation_row(of: &Correlation) -> Vec<String> {
    let lists: Vec<&str> = of.lists.iter().map(|list| list.name.as_str()).collect();
    vec![
        of.name.clone().unwrap_or_else(|| of.id.clone()),
        of.title.clone(),
        of.level.name().to_owned(),
        routes_of(of.alert.as_ref()).join(" or "),
        format!("{} of {}", type_word(of.kind), references(of).join(", ")),
        of.tags.join(" "),
        if lists.is_empty() { "-".to_owned() } else { lists.join(" ") },
        of.alert.as_ref().and_then(|alert| alert.owner.clone()).unwrap_or_else(|| "-".to_owned()),
    ]
}

fn correlation_json(of: &Correlation) -> Value {
    json!({
        "name": of.name, "id": of.id, "title": of.title, "level": of.level.name(),
        "type": type_word(of.kind), "rules": references(of), "routes": routes_of(of.alert.as_ref()), "tags": of.tags,
        "lists": of.lists.iter().map(|list| list.name.as_str()).collect::<Vec<_>>(),
        "owner": of.alert.as_ref().and_then(|alert| alert.owner.as_deref()),
        "file": of.origin.file.display().to_string(), "line": of.origin.line,
    })
}

fn references(of: &Correlation) -> Vec<&str> {
    of.references.iter().take(of.listed).map(|reference| reference.name.as_str()).collect()
}

/// The type as the document names it.
pub(super) fn type_word(kind: CorrelationType) -> &'static str {
    match kind {
        CorrelationType::EventCount => "event_count",
        CorrelationType::ValueCount => "value_count",
        CorrelationType::Temporal => "temporal",
        CorrelationType::TemporalOrdered => "temporal_ordered",
        CorrelationType::ValueSum => "value_sum",
        CorrelationType::ValueAvg => "value_avg",
        CorrelationType::ValuePercentile => "value_percentile",
        CorrelationType::ValueMedian => "value_median",
    }
}
