//! `group-by` and `aliases`: the key of a correlation, for each reference the field that holds it.
//!
//! Must never drop an alias that somebody wrote: one that nothing uses is told.

use super::super::context::Context;
use super::super::extension::entries;
use super::super::header;
use super::super::hint::nearest;
use super::super::problem::Problem;
use super::super::yaml::{Entry, Node};
use super::{FieldUse, References, same_reference};
use crate::ast::GroupField;

/// The fields of the key in order.
pub(super) fn parse(
    cx: &mut Context<'_>,
    body: &Node,
    references: &References,
    uses: &mut Vec<FieldUse>,
) -> Result<Vec<GroupField>, Problem> {
    let aliases = match body.get("aliases") {
        Some(node) => entries(node, "aliases")?,
        None => &[],
    };
    aliases.iter().try_for_each(|alias| check(alias, references))?;
    let names = header::texts(body, "group-by")?;
    let line = body.get("group-by").map_or(body.line, |node| node.line);
    let mut key: Vec<GroupField> = Vec::new();
    for name in names {
        if name.trim().is_empty() || key.iter().any(|field| field.name == name) {
            return Err(Problem::new(line, format!("`group-by` names `{name}` twice, or a field without a name"))
                .hint("name each field of the key once"));
        }
        let alias = aliases.iter().find(|alias| alias.key == name);
        let fields: Vec<String> =
            references.links.iter().map(|link| field_of(alias, &link.name).unwrap_or_else(|| name.clone())).collect();
        for (at, field) in fields.iter().enumerate() {
            uses.push(FieldUse { of: Some(at), field: field.clone(), line });
        }
        if let Some(alias) = alias {
            lint(cx, alias, references);
        }
        key.push(GroupField { name, fields });
    }
    for alias in aliases.iter().filter(|alias| !key.iter().any(|field| field.name == alias.key)) {
        cx.warnings.push(
            Problem::new(alias.line, format!("alias `{}` is not in `group-by`", alias.key))
                .hint("add it to `group-by`, or drop it"),
        );
    }
    Ok(key)
}

fn field_of(alias: Option<&Entry>, reference: &str) -> Option<String> {
    let entry = alias?.node.map()?.iter().find(|entry| same_reference(&entry.key, reference))?;
    entry.node.text()
}

/// An alias is a map of known rules to fields.
fn check(alias: &Entry, references: &References) -> Result<(), Problem> {
    for entry in entries(&alias.node, &alias.key)? {
        if !references.links.iter().any(|link| same_reference(&link.name, &entry.key)) {
            let known = references.links.iter().map(|link| link.name.as_str());
            let message = format!("alias `{}` names rule `{}`, which `rules` does not list", alias.key, entry.key);
            return Err(Problem::new(entry.line, message).hint(nearest(&entry.key, known)));
        }
        if entry.node.text().is_none_or(|field| field.trim().is_empty()) {
            let message = format!("alias `{}` names no field for rule `{}`", alias.key, entry.key);
            return Err(Problem::new(entry.line, message).hint("write `rule: field`"));
        }
    }
    Ok(())
}

fn lint(cx: &mut Context<'_>, alias: &Entry, references: &References) {
    for link in &references.links {
        if field_of(Some(alias), &link.name).is_none() {
            let message = format!("alias `{}` says nothing of rule `{}`", alias.key, link.name);
            cx.warnings.push(
                Problem::new(alias.line, message)
                    .hint(format!("add its field; until then the field `{}` itself is the key", alias.key)),
            );
        }
    }
}
