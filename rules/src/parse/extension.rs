//! pipewarden's top-level keys: `x-lists` (E3), `x-where` (E9), `x-alert` (E12) and `x-requires`.
//!
//! Must never accept a key it does not act upon: a rule that means more than we do would mean something else.

use super::context::Context;
use super::detection;
use super::header::{list_of_texts, scalar};
use super::hint::nearest;
use super::problem::Problem;
use super::yaml::{Entry, Node};
use crate::ast::{AlertRoute, AlertSpec, ListUse, OnMissing};
use crate::where_expr::Where;
use model::{Urgency, parse_span_ms};

/// Every extension key that a rule may have.
pub(super) const KEYS: [&str; 4] = ["x-alert", "x-lists", "x-requires", "x-where"];

/// The extensions that this version has.
const SUPPORTED: [&str; 3] = ["E3", "E9", "E12"];

/// Refuses a rule that needs what this version does not have.
pub(super) fn requires(document: &Node) -> Result<(), Problem> {
    let Some(node) = document.get("x-requires") else { return Ok(()) };
    for member in node.members() {
        let code = member.text().unwrap_or_default();
        if !SUPPORTED.contains(&code.as_str()) {
            return Err(Problem::new(member.line, format!("needs {code}, which this version does not have"))
                .hint(format!("this version has {}", SUPPORTED.join(", "))));
        }
    }
    Ok(())
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
            ttl_ms: entry.node.get("ttl").map(|span| span_ms(span, "ttl")).transpose()?,
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

/// `x-where`: one expression or a list of them.
pub(super) fn wheres(cx: &mut Context<'_>, document: &Node) -> Result<Vec<Where>, Problem> {
    let Some(node) = document.get("x-where") else { return Ok(Vec::new()) };
    let mut wheres = Vec::new();
    for member in node.members() {
        let Some(source) = member.text() else {
            return Err(Problem::new(member.line, format!("`x-where` lists expressions, here is {}", member.kind()))
                .hint("put each expression in quotes"));
        };
        let parsed = Where::parse(&source).map_err(|error| Problem {
            line: member.line,
            message: format!("x-where: {error} of `{source}`"),
            hint: error.hint.or_else(|| Some("for example `any(files, '*.yml') and len(labels) > 2`".to_owned())),
        })?;
        for field in parsed.fields() {
            cx.check_field(field, member.line)?;
        }
        for list in parsed.lists() {
            if !cx.is_list(list) {
                return Err(Problem::new(member.line, format!("x-where: list `{list}` is not declared"))
                    .hint(format!("add `x-lists: {{{list}: {{ttl: 7d}}}}`")));
            }
            cx.lists_used.insert(list.to_owned());
        }
        wheres.push(parsed);
    }
    Ok(wheres)
}

/// `x-alert`: route, fingerprint, realert, owner, runbook.
pub(super) fn alert(cx: &mut Context<'_>, document: &Node) -> Result<Option<AlertSpec>, Problem> {
    let Some(node) = document.get("x-alert") else { return Ok(None) };
    let body = entries(node, "x-alert")?;
    check_keys(body, "x-alert", &["route", "fingerprint", "realert", "owner", "runbook"])?;
    let fingerprint = node.get("fingerprint").map(|fields| fingerprint(cx, fields)).transpose()?;
    Ok(Some(AlertSpec {
        routes: node.get("route").map(|route| routes(cx, route)).transpose()?.unwrap_or_default(),
        fingerprint,
        realert_ms: node.get("realert").map(|span| span_ms(span, "realert")).transpose()?,
        owner: scalar(node, "owner")?,
        runbook: scalar(node, "runbook")?,
    }))
}

fn fingerprint(cx: &Context<'_>, node: &Node) -> Result<Vec<String>, Problem> {
    let fields = list_of_texts(node, "fingerprint")?;
    if fields.is_empty() {
        return Err(Problem::new(node.line, "`fingerprint` names no field").hint("drop the key for the default one"));
    }
    fields.iter().try_for_each(|field| cx.check_field(field, node.line))?;
    Ok(fields)
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

fn span_ms(node: &Node, key: &str) -> Result<i64, Problem> {
    let text = node.text().unwrap_or_default();
    parse_span_ms(&text).filter(|ms| *ms > 0).ok_or_else(|| {
        Problem::new(node.line, format!("{key} `{text}` is no span"))
            .hint("write a whole number above 0 and s, m, h or d: 24h")
    })
}

fn entries<'n>(node: &'n Node, key: &str) -> Result<&'n [Entry], Problem> {
    node.map().ok_or_else(|| {
        Problem::new(node.line, format!("`{key}` must be a map, not {}", node.kind()))
            .hint("write `key: value` lines below it")
    })
}

fn check_keys(entries: &[Entry], place: &str, known: &[&str]) -> Result<(), Problem> {
    match entries.iter().find(|entry| !known.contains(&entry.key.as_str())) {
        Some(entry) => Err(Problem::new(entry.line, format!("unknown key `{}` in {place}", entry.key))
            .hint(nearest(&entry.key, known.iter().copied()))),
        None => Ok(()),
    }
}
