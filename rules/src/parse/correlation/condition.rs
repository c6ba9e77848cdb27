//! `condition` of a correlation: a measure compared, or which rules occur.
//!
//! Must never take a bound or a field that its type does not measure.

use super::super::condition as text;
use super::super::context::Context;
use super::super::detection::joined;
use super::super::extension::check_keys;
use super::super::header;
use super::super::problem::Problem;
use super::super::yaml::{Node, Value};
use super::{FieldUse, References};
use crate::ast::{Condition, CorrelationType, Occur, Operator};

const KEYS: [&str; 8] = ["gt", "gte", "lt", "lte", "eq", "neq", "field", "percentile"];

const OPERATORS: [(&str, Operator); 6] = [
    ("gt", Operator::Gt),
    ("gte", Operator::Gte),
    ("lt", Operator::Lt),
    ("lte", Operator::Lte),
    ("eq", Operator::Eq),
    ("neq", Operator::Neq),
];

/// The percentile that is meant where none is given.
const MEDIAN: f64 = 50.0;

/// A condition as read.
pub(super) struct Read {
    pub(super) condition: Condition,
    /// Fields that the events of its rules are asked for.
    pub(super) fields: Vec<FieldUse>,
    /// Where it stands.
    pub(super) line: usize,
    /// It is a text that names rules.
    pub(super) is_text: bool,
}

fn is_temporal(kind: CorrelationType) -> bool {
    matches!(kind, CorrelationType::Temporal | CorrelationType::TemporalOrdered)
}

/// Reads the condition of a correlation of this type over these references.
pub(super) fn parse(
    cx: &mut Context<'_>,
    body: &Node,
    kind: CorrelationType,
    references: &References,
) -> Result<Read, Problem> {
    match body.get("condition") {
        None if is_temporal(kind) => {
            let all = (0..references.listed).map(Occur::Reference).collect();
            let condition = Condition::Occur(joined(all, Occur::All));
            Ok(Read { condition, fields: Vec::new(), line: body.line, is_text: false })
        }
        None => Err(Problem::new(body.line, "no `condition` in the correlation").hint("add `condition: {gte: 3}`")),
        Some(node) => match (node.map().is_some(), node.text()) {
            (true, _) => measure(body, node, kind, references),
            (_, Some(words)) if is_temporal(kind) => {
                let condition = Condition::Occur(occur(cx, &words, node.line, kind, references)?);
                Ok(Read { condition, fields: Vec::new(), line: node.line, is_text: true })
            }
            (_, Some(_)) => Err(Problem::new(node.line, "a text condition is for temporal correlations only")
                .hint("write `condition: {gte: 3}`, or `type: temporal`")),
            _ => Err(Problem::new(node.line, format!("a condition must be a map or text, not {}", node.kind()))
                .hint("write `condition: {gte: 3}`, or for temporal ones `condition: a and b`")),
        },
    }
}

fn measure(body: &Node, node: &Node, kind: CorrelationType, references: &References) -> Result<Read, Problem> {
    check_keys(node.map().unwrap_or_default(), "condition", &KEYS)?;
    let names = value_fields(body, node, kind)?;
    let line = node.get("field").map_or(node.line, |field| field.line);
    let mut fields = Vec::new();
    for field in &names {
        // What alerts say of themselves is no field of the model.
        if !field.starts_with("alert.") {
            let of = |at| FieldUse { of: Some(at), field: field.clone(), line };
            fields.extend((0..references.listed).map(of));
        }
    }
    let condition = Condition::Measure { fields: names, tests: tests(node)?, percentile: percentile(node, kind)? };
    Ok(Read { condition, fields, line: node.line, is_text: false })
}

fn tests(node: &Node) -> Result<Vec<(Operator, f64)>, Problem> {
    let hint = "write `gte: 3`, or a range as `gte: 3` and `lt: 10`";
    let mut tests = Vec::new();
    for (name, operator) in OPERATORS {
        if let Some(bound) = node.get(name) {
            tests.push((operator, number(bound, name)?));
        }
    }
    match tests.len() {
        0 => return Err(Problem::new(node.line, "the condition compares with nothing").hint(hint)),
        1 | 2 => {}
        _ => return Err(Problem::new(node.line, "the condition has more than two bounds").hint(hint)),
    }
    // Bounds that meet in no number would make a rule that is silent for ever.
    let candidates = tests.iter().flat_map(|(_, bound)| [*bound, bound.next_up(), bound.next_down()]);
    let between = tests.iter().map(|(_, bound)| bound).sum::<f64>() / 2.0;
    if !candidates.chain([between]).any(|number| tests.iter().all(|(how, bound)| holds(*how, number, *bound))) {
        return Err(Problem::new(node.line, "no number satisfies both bounds of the condition").hint(hint));
    }
    Ok(tests)
}

fn holds(operator: Operator, number: f64, bound: f64) -> bool {
    match operator {
        Operator::Gt => number > bound,
        Operator::Gte => number >= bound,
        Operator::Lt => number < bound,
        Operator::Lte => number <= bound,
        Operator::Eq => number == bound,
        Operator::Neq => number != bound,
    }
}

/// A number, quoted or not.
fn number(node: &Node, key: &str) -> Result<f64, Problem> {
    let found = match &node.value {
        Value::Number(number, _) => Some(*number),
        Value::Text(text) => text.trim().parse::<f64>().ok().filter(|number| number.is_finite()),
        _ => None,
    };
    found.ok_or_else(|| {
        Problem::new(node.line, format!("`{key}` needs a number, not {}", node.kind()))
            .hint(format!("write `{key}: 3`"))
    })
}

fn value_fields(body: &Node, node: &Node, kind: CorrelationType) -> Result<Vec<String>, Problem> {
    let takes_fields = !is_temporal(kind) && kind != CorrelationType::EventCount;
    let Some(field) = node.get("field") else {
        return match takes_fields {
            false => Ok(Vec::new()),
            true => Err(Problem::new(node.line, "the condition names no `field`")
                .hint("add `field:` with the value that is counted or added up")),
        };
    };
    if !takes_fields {
        return Err(Problem::new(field.line, "`field` has no meaning in a correlation of this type")
            .hint("drop it, or count values with `type: value_count`"));
    }
    let names = header::list_of_texts(field, "field")?;
    let hint = "name one field; value_count takes a list, whose fields make a tuple";
    if names.is_empty() || names.iter().any(|name| name.trim().is_empty()) {
        return Err(Problem::new(field.line, "`field` names no field").hint(hint));
    }
    if names.len() > 1 && kind != CorrelationType::ValueCount {
        return Err(Problem::new(field.line, "several fields are for value_count only").hint(hint));
    }
    if let Some(alias) = names.iter().find(|name| body.get("aliases").is_some_and(|of| of.get(name).is_some())) {
        return Err(Problem::new(field.line, format!("`{alias}` is an alias, which `group-by` understands only"))
            .hint("name the field itself"));
    }
    Ok(names)
}

fn percentile(node: &Node, kind: CorrelationType) -> Result<f64, Problem> {
    let Some(member) = node.get("percentile") else { return Ok(MEDIAN) };
    if kind != CorrelationType::ValuePercentile {
        return Err(Problem::new(member.line, "`percentile` is for value_percentile only").hint("drop it"));
    }
    let found = number(member, "percentile")?;
    match (0.0..=100.0).contains(&found) {
        true => Ok(found),
        false => Err(Problem::new(member.line, format!("percentile {found} is not between 0 and 100"))
            .hint("write `percentile: 95`")),
    }
}

fn occur(
    cx: &mut Context<'_>,
    words: &str,
    line: usize,
    kind: CorrelationType,
    references: &References,
) -> Result<Occur, Problem> {
    let names = references.names();
    let found = text::occur(words, &names, line)?;
    cx.warnings.extend(found.warnings);
    if is_true_of_nothing(&found.tree) {
        return Err(Problem::new(line, "the condition is true when nothing happens")
            .hint("name a rule that must occur: `a and not b`"));
    }
    if kind == CorrelationType::TemporalOrdered {
        in_order(&found.tree, line)?;
    }
    for (at, name) in names.iter().enumerate().filter(|(at, _)| !found.used.contains(at)) {
        let line = references.links.get(at).map_or(line, |link| link.line);
        cx.warnings.push(
            Problem::new(line, format!("`{name}` is listed and the condition does not name it"))
                .hint("add it to the condition, or drop it"),
        );
    }
    Ok(found.tree)
}

/// Whether the expression holds for a window without an event.
fn is_true_of_nothing(tree: &Occur) -> bool {
    match tree {
        Occur::Reference(_) => false,
        Occur::All(parts) => parts.iter().all(is_true_of_nothing),
        Occur::Any(parts) => parts.iter().any(is_true_of_nothing),
        Occur::Not(part) => !is_true_of_nothing(part),
    }
}

/// An order can be asked of rules that all must occur: `a and b and not c`, a before b as in `rules`.
fn in_order(tree: &Occur, line: usize) -> Result<(), Problem> {
    let parts = match tree {
        Occur::All(parts) => parts.as_slice(),
        part => std::slice::from_ref(part),
    };
    let mut last = None;
    for part in parts {
        match part {
            Occur::Reference(at) if last.is_none_or(|last| last < *at) => last = Some(*at),
            Occur::Reference(_) => {
                return Err(Problem::new(line, "the condition names its rules in another order than `rules`")
                    .hint("bring both into the order of time, each rule once"));
            }
            Occur::Not(part) if matches!(**part, Occur::Reference(_)) => {}
            _ => {
                return Err(Problem::new(line, "an ordered condition joins rules by `and` and `and not` only")
                    .hint("write `a and b and not c`, or `type: temporal`"));
            }
        }
    }
    Ok(())
}
