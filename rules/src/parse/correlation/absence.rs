//! `x-absence` (E1): something is expected to follow, or to precede, and does not come.
//!
//! Must never accept a condition that says something else than the absence does: other tools read the condition only.

use super::super::extension::{check_keys, entries};
use super::super::header;
use super::super::problem::Problem;
use super::super::span;
use super::super::yaml::Node;
use super::References;
use super::condition::Read;
use crate::ast::{Absence, Condition, CorrelationType, Occur};

const HINT: &str = "write `condition: a and not b` and `x-absence: {start: a, expect: b, deadline: 10m}`";

/// Reads `x-absence`; rules that end a wait are added to the references.
pub(super) fn parse(
    node: &Node,
    kind: CorrelationType,
    condition: &Read,
    references: &mut References,
) -> Result<Option<Absence>, Problem> {
    let Some(body) = node.get("x-absence") else { return Ok(None) };
    let keys = entries(body, "x-absence")?;
    check_keys(keys, "x-absence", &["start", "expect", "deadline", "before", "until", "grace"])?;
    if !matches!(kind, CorrelationType::Temporal | CorrelationType::TemporalOrdered) {
        return Err(Problem::new(body.line, "`x-absence` is for temporal and temporal_ordered only").hint(HINT));
    }
    let starts = listed(body, "start", references)?;
    let &[start] = starts.as_slice() else {
        return Err(Problem::new(body.line, "`x-absence` has one `start`").hint(HINT));
    };
    let expect = listed(body, "expect", references)?;
    agree(start, &expect, condition)?;
    let until = until(body, start, &expect, references)?;
    let span_of = |key| body.get(key).map(|node| span::or_zero(node, key)).transpose().map(Option::unwrap_or_default);
    let (deadline_ms, before_ms) = (span_of("deadline")?, span_of("before")?);
    if deadline_ms == 0 && before_ms == 0 {
        return Err(Problem::new(body.line, "`x-absence` has neither `deadline` nor `before`")
            .hint("`deadline: 10m`: it must follow; `before: 24h`: it must precede"));
    }
    Ok(Some(Absence { start, expect, until, deadline_ms, before_ms, grace_ms: span_of("grace")? }))
}

/// The names under a key, which `rules` must list.
fn listed(body: &Node, key: &str, references: &References) -> Result<Vec<usize>, Problem> {
    let Some(node) = body.get(key) else {
        return Err(Problem::new(body.line, format!("`x-absence` has no `{key}`")).hint(HINT));
    };
    let names = header::list_of_texts(node, key)?;
    if names.is_empty() {
        return Err(Problem::new(node.line, format!("`{key}` names no rule")).hint(HINT));
    }
    let position = |name: &String| {
        references.listed(name).ok_or_else(|| {
            let known = references.links.iter().map(|link| link.name.as_str());
            Problem::new(node.line, format!("`{key}` names `{name}`, which `rules` does not list"))
                .hint(super::super::hint::nearest(name, known))
        })
    };
    names.iter().map(position).collect()
}

fn until(body: &Node, start: usize, expect: &[usize], references: &mut References) -> Result<Vec<usize>, Problem> {
    let Some(node) = body.get("until") else { return Ok(Vec::new()) };
    let names = header::list_of_texts(node, "until")?;
    let until: Vec<usize> = names.iter().map(|name| references.position_or_add(name, node.line)).collect();
    match until.iter().find(|at| **at == start || expect.contains(at)) {
        Some(_) => Err(Problem::new(node.line, "`until` names what `start` or `expect` names")
            .hint("name another event that makes the wait pointless, or drop the key")),
        None => Ok(until),
    }
}

/// The condition is `start and not expect`, each expected rule negated.
fn agree(start: usize, expect: &[usize], condition: &Read) -> Result<(), Problem> {
    let Condition::Occur(tree) = &condition.condition else { return Err(disagree(condition)) };
    let parts = match tree {
        Occur::All(parts) if condition.is_text => parts.as_slice(),
        _ => return Err(disagree(condition)),
    };
    let (mut starts, mut expected) = (Vec::new(), Vec::new());
    for part in parts {
        match part {
            Occur::Reference(at) => starts.push(*at),
            Occur::Not(part) => match part.as_ref() {
                Occur::Reference(at) => expected.push(*at),
                Occur::Any(parts) => {
                    for part in parts {
                        let Occur::Reference(at) = part else { return Err(disagree(condition)) };
                        expected.push(*at);
                    }
                }
                _ => return Err(disagree(condition)),
            },
            _ => return Err(disagree(condition)),
        }
    }
    let mut wanted = expect.to_vec();
    wanted.sort_unstable();
    expected.sort_unstable();
    match starts == [start] && expected == wanted {
        true => Ok(()),
        false => Err(disagree(condition)),
    }
}

fn disagree(condition: &Read) -> Problem {
    Problem::new(condition.line, "the condition does not say what `x-absence` says: the start and not what is expected")
        .hint(HINT)
}
