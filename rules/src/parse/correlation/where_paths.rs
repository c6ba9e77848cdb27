//! `x-where` of a correlation (E2): expressions over the events of several rules, `RULE.field`.
//!
//! Must never let a path pass whose first word is no rule: it would be a field that no event has.

use super::super::context::Context;
use super::super::extension;
use super::super::hint::nearest;
use super::super::problem::Problem;
use super::super::yaml::Node;
use super::{FieldUse, References};
use crate::ast::CorrelationType;
use crate::where_expr::{Function, Where};

const HINT: &str = "write `first.prov.commit != second.prov.commit`, with the names of `rules`";

/// Reads the expressions; the fields that they ask rules for are added to `uses`.
pub(super) fn parse(
    cx: &mut Context<'_>,
    node: &Node,
    kind: CorrelationType,
    references: &References,
    uses: &mut Vec<FieldUse>,
) -> Result<Vec<Where>, Problem> {
    let Some(place) = node.get("x-where") else { return Ok(Vec::new()) };
    if !matches!(kind, CorrelationType::Temporal | CorrelationType::TemporalOrdered) {
        return Err(Problem::new(place.line, "`x-where` of a correlation is for temporal and temporal_ordered only")
            .hint("put it on the rule that is counted"));
    }
    let mut wheres = Vec::new();
    for (parsed, line) in extension::expressions(cx, node)? {
        if parsed.calls(Function::GeoSpeedKmh) {
            return Err(Problem::new(line, "`geo_speed_kmh` (E7) is for `x-where` of rules: one event has a speed")
                .hint("put it on the rule, and correlate that"));
        }
        for path in parsed.fields() {
            uses.push(field_use(path, line, references)?);
        }
        wheres.push(parsed);
    }
    Ok(wheres)
}

fn field_use(path: &str, line: usize, references: &References) -> Result<FieldUse, Problem> {
    let Some((name, field)) = path.split_once('.').filter(|(_, field)| !field.is_empty()) else {
        return Err(Problem::new(line, format!("x-where: `{path}` names no rule and field")).hint(HINT));
    };
    if !name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_') {
        return Err(Problem::new(line, format!("x-where: `{name}` of `{path}` is no name of [a-z0-9_]")).hint(HINT));
    }
    let Some(at) = references.links.iter().take(references.listed).position(|link| link.name == name) else {
        let known = references.links.iter().take(references.listed).map(|link| link.name.as_str());
        return Err(Problem::new(
            line,
            format!("x-where: `{name}` of `{path}` is not among the correlation's `rules`"),
        )
        .hint(nearest(name, known)));
    };
    Ok(FieldUse { of: Some(at), field: field.to_owned(), line })
}
