//! `x-alert` (E12): where an alert goes, what makes it the same one, and what silences it.
//!
//! Must never accept a route or a key that nothing would follow.

use super::context::Context;
use super::detection;
use super::extension::{check_keys, entries};
use super::header::{list_of_texts, scalar};
use super::problem::Problem;
use super::span;
use super::yaml::{Node, Value};
use crate::ast::{AlertRoute, AlertSpec};
use model::Urgency;

const KEYS: [&str; 10] = [
    "route",
    "fingerprint",
    "realert",
    "owner",
    "runbook",
    "group",
    "suppress_when",
    "shadow",
    "never_suppress",
    "composite",
];

/// `x-alert` of a rule or a correlation.
pub(super) fn parse(cx: &mut Context<'_>, document: &Node) -> Result<Option<AlertSpec>, Problem> {
    let Some(node) = document.get("x-alert") else { return Ok(None) };
    let body = entries(node, "x-alert")?;
    check_keys(body, "x-alert", &KEYS)?;
    let suppress_when = names(node, "suppress_when")?;
    let never_suppress = flag(node, "never_suppress")?;
    if never_suppress && let Some(line) = suppress_when.as_ref().and(node.get("suppress_when")).map(|at| at.line) {
        return Err(Problem::new(line, "`suppress_when` beside `never_suppress: true`").hint("keep one of them"));
    }
    let fingerprint = node.get("fingerprint").map(|fields| fingerprint(cx, fields)).transpose()?;
    Ok(Some(AlertSpec {
        routes: node.get("route").map(|route| routes(cx, route)).transpose()?.unwrap_or_default(),
        fingerprint,
        realert_ms: node.get("realert").map(|realert| span::plain(realert, "realert")).transpose()?,
        owner: scalar(node, "owner")?,
        runbook: scalar(node, "runbook")?,
        group: names(node, "group")?,
        suppress_when: suppress_when.unwrap_or_default(),
        suppressors: Vec::new(),
        shadow: flag(node, "shadow")?,
        never_suppress,
        composite: flag(node, "composite")?,
    }))
}

fn fingerprint(cx: &mut Context<'_>, node: &Node) -> Result<Vec<String>, Problem> {
    let fields = list_of_texts(node, "fingerprint")?;
    if fields.is_empty() {
        return Err(Problem::new(node.line, "`fingerprint` names no field").hint("drop the key for the default one"));
    }
    fields.iter().try_for_each(|field| cx.check_field(field, node.line))?;
    Ok(fields)
}

/// The texts under a key that, when it is there, names at least one.
fn names(node: &Node, key: &str) -> Result<Option<Vec<String>>, Problem> {
    let Some(member) = node.get(key) else { return Ok(None) };
    let names = list_of_texts(member, key)?;
    match names.is_empty() {
        true => Err(Problem::new(member.line, format!("`{key}` is an empty list")).hint("drop the key")),
        false => Ok(Some(names)),
    }
}

/// A key that is true or false, and false where it is missing.
pub(super) fn flag(node: &Node, key: &str) -> Result<bool, Problem> {
    match node.get(key).map(|member| (&member.value, member)) {
        None => Ok(false),
        Some((Value::Bool(value), _)) => Ok(*value),
        Some((_, member)) => {
            Err(Problem::new(member.line, format!("`{key}` must be true or false, not {}", member.kind()))
                .hint(format!("write `{key}: true`, or drop the key")))
        }
    }
}

fn routes(cx: &mut Context<'_>, node: &Node) -> Result<Vec<AlertRoute>, Problem> {
    if node.text().is_some() {
        return Ok(vec![AlertRoute { when: None, urgency: urgency(node)? }]);
    }
    let hint = "write `route: page`, or a list of `{when: {field: value}, route: page}`";
    let mut routes = Vec::new();
    for member in node.members() {
        let body = member.map().ok_or_else(|| {
            Problem::new(member.line, format!("an entry of `route` must be a map, not {}", member.kind())).hint(hint)
        })?;
        check_keys(body, "x-alert.route", &["when", "route"])?;
        let Some(route) = member.get("route") else {
            return Err(Problem::new(member.line, "an entry of `route` has no `route`").hint(hint));
        };
        let when = body.iter().find(|entry| entry.key == "when");
        routes.push(AlertRoute {
            when: when.map(|when| detection::search(cx, &when.node, when.line)).transpose()?,
            urgency: urgency(route)?,
        });
    }
    if routes.is_empty() {
        return Err(Problem::new(node.line, "`route` is an empty list").hint(hint));
    }
    Ok(routes)
}

fn urgency(node: &Node) -> Result<Urgency, Problem> {
    let text = node.text().unwrap_or_default();
    Urgency::by_name(&text)
        .ok_or_else(|| Problem::new(node.line, format!("unknown route `{text}`")).hint("a route is page or ticket"))
}
