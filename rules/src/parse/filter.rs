//! Filter documents: conditions appended to rules that others wrote.
//!
//! A filter's condition is appended as `and (…)` exactly as written: `condition: selection` keeps what it selects, and
//! `not selection` drops it. Must never touch a rule of a log source that contradicts its own.

use super::context::Context;
use super::header::{self, Header};
use super::problem::Problem;
use super::yaml::Node;
use super::{Settings, detection, rule};
use crate::ast::{LogSource, Origin, Search};

/// A filter, resolved.
#[derive(Debug)]
pub(super) struct Filter {
    pub(super) origin: Origin,
    pub(super) title: String,
    pub(super) logsource: LogSource,
    pub(super) targets: Targets,
    pub(super) condition: Search,
}

/// The rules that a filter speaks of.
#[derive(Debug)]
pub(super) enum Targets {
    /// `any`: every rule whose log source fits.
    Fitting,
    /// Ids and names, with their lines.
    Named(Vec<(String, usize)>),
}

/// Reads a filter whose header has been read; its lints are added to `warnings`.
pub(super) fn parse(
    header: Header,
    node: &Node,
    origin: Origin,
    settings: &Settings,
    warnings: &mut Vec<Problem>,
) -> Result<Filter, Problem> {
    let keys = node.map().unwrap_or_default();
    if let Some(extension) = keys.iter().find(|entry| entry.key.starts_with("x-")) {
        return Err(Problem::new(extension.line, format!("unknown extension `{}`", extension.key))
            .hint("a filter has no extensions: put it into the rule"));
    }
    let mut cx: Context<'_> = rule::context(settings, &header, Vec::new());
    let Some(body) = node.get("filter") else {
        return Err(Problem::new(node.line, "no `filter`").hint("it holds `rules`, searches and a `condition`"));
    };
    let Some(entries) = body.map() else {
        return Err(Problem::new(body.line, format!("`filter` must be a map, not {}", body.kind()))
            .hint("it holds `rules`, searches and a `condition`"));
    };
    let targets = targets(body)?;
    let detection = detection::parse(&mut cx, entries, body.line, &["rules"])?;
    warnings.append(&mut cx.warnings);
    Ok(Filter { origin, title: header.title, logsource: header.logsource, targets, condition: detection.condition })
}

fn targets(body: &Node) -> Result<Targets, Problem> {
    let hint = "list the ids or names of rules, or write `rules: any`";
    let Some(node) = body.get("rules") else {
        return Err(Problem::new(body.line, "the filter names no `rules`").hint(hint));
    };
    if node.text().is_some_and(|text| text.eq_ignore_ascii_case("any")) {
        return Ok(Targets::Fitting);
    }
    let names = header::list_of_texts(node, "rules").map_err(|problem| problem.hint(hint))?;
    if names.is_empty() {
        return Err(Problem::new(node.line, "the filter names no `rules`").hint(hint));
    }
    Ok(Targets::Named(names.into_iter().zip(node.members().iter().map(|member| member.line)).collect()))
}

/// Whether no key of the log sources contradicts the other: a key that one leaves out does not narrow.
pub(super) fn fits(filter: &LogSource, rule: &LogSource) -> bool {
    let agree = |a: &Option<String>, b: &Option<String>| match (a, b) {
        (Some(a), Some(b)) => a.eq_ignore_ascii_case(b),
        _ => true,
    };
    agree(&filter.category, &rule.category)
        && agree(&filter.product, &rule.product)
        && agree(&filter.service, &rule.service)
}
