//! `detection` to named searches and one resolved condition.
//!
//! Maps are `All`, lists `Any`, strings without a field keywords. Must never read an empty map or list as a truth value.

use super::condition;
use super::context::Context;
use super::problem::Problem;
use super::yaml::{Entry, Node, Value};
use super::{modifier, value};
use crate::ast::Search;

/// The searches in document order, and what the conditions make of them.
#[derive(Debug)]
pub(super) struct Detection {
    pub(super) searches: Vec<(String, Search)>,
    pub(super) condition: Search,
}

/// Reads a rule's `detection` or a filter's `filter` map. `not_searches` names its keys that are something else.
pub(super) fn parse(
    cx: &mut Context<'_>,
    entries: &[Entry],
    line: usize,
    not_searches: &[&str],
) -> Result<Detection, Problem> {
    let mut searches = Vec::new();
    let mut conditions = None;
    for entry in entries {
        match entry.key.as_str() {
            "condition" => conditions = Some(entry),
            key if not_searches.contains(&key) => {}
            "timeframe" => cx.warnings.push(
                Problem::new(entry.line, "`timeframe` has no meaning in a Sigma 2 rule")
                    .hint("write a correlation with a timespan"),
            ),
            _ => searches.push((entry.key.clone(), search(cx, &entry.node, entry.line)?)),
        }
    }
    let Some(conditions) = conditions else {
        return Err(Problem::new(line, "no `condition`").hint("add `condition:` beside the searches"));
    };
    if searches.is_empty() {
        return Err(Problem::new(line, "no search beside `condition`").hint("add `selection:` with fields and values"));
    }
    let condition = resolve(cx, conditions, &searches)?;
    Ok(Detection { searches, condition })
}

fn resolve(cx: &mut Context<'_>, entry: &Entry, searches: &[(String, Search)]) -> Result<Search, Problem> {
    let mut parts = Vec::new();
    let mut used = Vec::new();
    for node in entry.node.members() {
        let text = match &node.value {
            Value::Null => String::new(),
            _ => node.text().ok_or_else(|| {
                Problem::new(node.line, format!("a condition must be text, not {}", node.kind()))
                    .hint("write `condition: selection and not filter`")
            })?,
        };
        let found = condition::parse(&text, searches, node.line)?;
        parts.push(found.search);
        used.extend(found.used);
        cx.warnings.extend(found.warnings);
    }
    if parts.is_empty() {
        return Err(Problem::new(entry.line, "the condition is empty")
            .hint("name a search, for example `condition: selection`"));
    }
    for (name, _) in searches.iter().filter(|(name, _)| !used.contains(name)) {
        cx.warnings.push(
            Problem::new(entry.line, format!("search `{name}` is used by no condition"))
                .hint("add it to the condition, or drop it"),
        );
    }
    Ok(joined(parts, Search::Any))
}

/// One search: a map, a list of maps and keywords, or a single keyword.
pub(super) fn search(cx: &mut Context<'_>, node: &Node, line: usize) -> Result<Search, Problem> {
    match &node.value {
        Value::Map(entries) => map(cx, entries, line),
        Value::List(members) if members.is_empty() => Err(empty(line)),
        Value::List(members) => {
            let parts = members.iter().map(|member| match &member.value {
                Value::Map(entries) => map(cx, entries, member.line),
                Value::List(_) => {
                    Err(Problem::new(member.line, "a list inside a list").hint("a search lists maps and keywords"))
                }
                _ => keyword(cx, member),
            });
            let parts: Vec<Search> = parts.collect::<Result<_, _>>()?;
            Ok(joined(parts, Search::Any))
        }
        Value::Null => Err(empty(line)),
        Value::Bool(_) | Value::Number(..) | Value::Text(_) => keyword(cx, node),
    }
}

fn empty(line: usize) -> Problem {
    Problem::new(line, "the search is empty").hint("give it fields with values, or a list of keywords")
}

fn keyword(cx: &mut Context<'_>, node: &Node) -> Result<Search, Problem> {
    let (_, chain) = modifier::parse("", node.line)?;
    value::keywords(cx, &chain, node, node.line)
}

fn map(cx: &mut Context<'_>, entries: &[Entry], line: usize) -> Result<Search, Problem> {
    if entries.is_empty() {
        return Err(empty(line));
    }
    let mut parts = Vec::with_capacity(entries.len());
    for entry in entries {
        let (field, chain) = modifier::parse(&entry.key, entry.line)?;
        parts.push(match field {
            "" => value::keywords(cx, &chain, &entry.node, entry.line)?,
            _ => value::field(cx, field, &chain, &entry.node, entry.line)?,
        });
    }
    Ok(joined(parts, Search::All))
}

/// The parts joined; a single part stands for itself.
pub(super) fn joined<T>(mut parts: Vec<T>, join: fn(Vec<T>) -> T) -> T {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        Some(last) => {
            parts.push(last);
            join(parts)
        }
        None => join(parts),
    }
}

/// How many tests and joins a search is made of.
pub(super) fn size(search: &Search) -> usize {
    match search {
        Search::All(parts) | Search::Any(parts) => 1 + parts.iter().map(size).sum::<usize>(),
        Search::Not(part) => 1 + size(part),
        Search::Field(_) | Search::Keyword(_) => 1,
    }
}
