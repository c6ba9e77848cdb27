//! pipewarden's top-level keys that rules and correlations share: `x-lists` (E3), `x-where` (E2, E9) and `x-requires`.
//!
//! Must never accept a key it does not act upon: a rule that means more than we do would mean something else.

use super::context::Context;
use super::header::scalar;
use super::hint::nearest;
use super::problem::Problem;
use super::span;
use super::yaml::{Entry, Node};
use crate::ast::{ListUse, OnMissing};
use crate::where_expr::Where;

/// Every extension key that a rule may have.
pub(super) const OF_RULES: [&str; 10] = [
    "x-alert",
    "x-detector",
    "x-interval",
    "x-lineage",
    "x-lists",
    "x-new-terms",
    "x-prev",
    "x-requires",
    "x-risk",
    "x-where",
];

/// Every extension key that a correlation may have.
pub(super) const OF_CORRELATIONS: [&str; 6] = ["x-absence", "x-alert", "x-lists", "x-requires", "x-risk", "x-where"];

/// The extensions that this version evaluates.
const SUPPORTED: [&str; 12] = ["E1", "E2", "E3", "E4", "E6", "E7", "E8", "E9", "E10", "E11", "E12", "E13"];

/// Where an extension key may stand, when it is one.
pub(super) fn belongs_to(key: &str) -> Option<&'static str> {
    match (OF_RULES.contains(&key), OF_CORRELATIONS.contains(&key)) {
        (true, true) => Some("rules and correlations"),
        (true, false) => Some("rules"),
        (false, true) => Some("correlations"),
        (false, false) => None,
    }
}

/// Refuses a document that needs what this version does not have. Gives the codes that it names.
pub(super) fn requires(document: &Node) -> Result<Vec<String>, Problem> {
    let Some(node) = document.get("x-requires") else { return Ok(Vec::new()) };
    let mut codes = Vec::new();
    for member in node.members() {
        let code = member.text().unwrap_or_default();
        if !SUPPORTED.contains(&code.as_str()) {
            return Err(Problem::new(member.line, format!("needs {code}, which this version does not have"))
                .hint(format!("this version has {}", SUPPORTED.join(", "))));
        }
        codes.push(code);
    }
    Ok(codes)
}

/// Warns where a key changes what the document means to an engine without it, and `x-requires` does not say so.
pub(super) fn lint_requires(document: &Node, codes: &[String], keys: &[(&str, &str)], warnings: &mut Vec<Problem>) {
    for (key, code) in keys {
        if let Some(entry) = document.map().unwrap_or_default().iter().find(|entry| entry.key == *key)
            && !codes.iter().any(|named| named == code)
        {
            let message = format!("`{key}` changes what the document means, and `x-requires` does not name {code}");
            warnings.push(Problem::new(entry.line, message).hint(format!("add `x-requires: [{code}]`")));
        }
    }
}

/// `x-lists`: name → {source, ttl, on_missing}.
pub(super) fn lists(document: &Node) -> Result<Vec<ListUse>, Problem> {
    let Some(node) = document.get("x-lists") else { return Ok(Vec::new()) };
    let mut lists = Vec::new();
    for entry in entries(node, "x-lists")? {
        let body = match &entry.node.value {
            super::yaml::Value::Null => &[],
            _ => entries(&entry.node, &entry.key)?,
        };
        check_keys(body, "x-lists", &["source", "ttl", "on_missing"])?;
        scalar(&entry.node, "source")?;
        lists.push(ListUse {
            name: entry.key.clone(),
            ttl_ms: entry.node.get("ttl").map(|ttl| span::plain(ttl, "ttl")).transpose()?,
            on_missing: entry.node.get("on_missing").map(on_missing).transpose()?.unwrap_or(OnMissing::FailOpenTicket),
        });
    }
    Ok(lists)
}

fn on_missing(node: &Node) -> Result<OnMissing, Problem> {
    match node.text().unwrap_or_default().as_str() {
        "fail_open_ticket" => Ok(OnMissing::FailOpenTicket),
        "fail_closed" => Ok(OnMissing::FailClosed),
        other => Err(Problem::new(node.line, format!("unknown on_missing `{other}`"))
            .hint(nearest(other, ["fail_open_ticket", "fail_closed"].into_iter()))),
    }
}

/// `x-where` of a rule: one expression or a list of them.
pub(super) fn wheres(cx: &mut Context<'_>, document: &Node) -> Result<Vec<Where>, Problem> {
    let mut wheres = Vec::new();
    for (parsed, line) in expressions(cx, document)? {
        for field in parsed.fields() {
            cx.check_field(field, line)?;
        }
        wheres.push(parsed);
    }
    Ok(wheres)
}

/// The expressions of `x-where` with their lines, lists checked, fields not.
pub(super) fn expressions(cx: &mut Context<'_>, document: &Node) -> Result<Vec<(Where, usize)>, Problem> {
    let Some(node) = document.get("x-where") else { return Ok(Vec::new()) };
    let mut expressions = Vec::new();
    for member in node.members() {
        expressions.push(expression(cx, member, "x-where")?);
    }
    Ok(expressions)
}

/// One expression under a key with its line, lists checked, fields not.
pub(super) fn expression(cx: &mut Context<'_>, member: &Node, key: &str) -> Result<(Where, usize), Problem> {
    let Some(source) = member.text() else {
        return Err(Problem::new(member.line, format!("`{key}` lists expressions, here is {}", member.kind()))
            .hint("put each expression in quotes"));
    };
    let parsed = Where::parse(&source).map_err(|error| Problem {
        line: member.line,
        message: format!("{key}: {error} of `{source}`"),
        hint: error.hint.or_else(|| Some("for example `any(files, '*.yml') and len(labels) > 2`".to_owned())),
    })?;
    for list in parsed.lists() {
        if !cx.is_list(list) {
            return Err(Problem::new(member.line, format!("{key}: list `{list}` is not declared"))
                .hint(format!("add `x-lists: {{{list}: {{ttl: 7d}}}}`")));
        }
        cx.lists_used.insert(list.to_owned());
    }
    Ok((parsed, member.line))
}

/// Warns of lists that are declared and never read.
pub(super) fn lint_lists(cx: &mut Context<'_>, line: usize) {
    for list in cx.lists.iter().filter(|list| !cx.lists_used.contains(&list.name)) {
        let name = &list.name;
        let problem = Problem::new(line, format!("list `{name}` is declared under x-lists and never read"));
        cx.warnings.push(problem.hint(format!("read it with `field|expand: '%{name}%'` or list('{name}')")));
    }
}

/// The entries of a map.
pub(super) fn entries<'n>(node: &'n Node, key: &str) -> Result<&'n [Entry], Problem> {
    node.map().ok_or_else(|| {
        Problem::new(node.line, format!("`{key}` must be a map, not {}", node.kind()))
            .hint("write `key: value` lines below it")
    })
}

/// Refuses a key that is not known at this place.
pub(super) fn check_keys(entries: &[Entry], place: &str, known: &[&str]) -> Result<(), Problem> {
    match entries.iter().find(|entry| !known.contains(&entry.key.as_str())) {
        Some(entry) => Err(Problem::new(entry.line, format!("unknown key `{}` in {place}", entry.key))
            .hint(nearest(&entry.key, known.iter().copied()))),
        None => Ok(()),
    }
}
