//! `x-prev` (E8) and `x-interval` (E10): what a rule remembers of earlier events.
//!
//! Must never resolve a name: the rules that open and close intervals are the load's business.

use super::alert::flag;
use super::context::Context;
use super::extension::{check_keys, entries};
use super::header::{self, scalar};
use super::problem::Problem;
use super::resolve::Link;
use super::span;
use super::yaml::{Node, Value};
use crate::ast::{Interval, Previous, PreviousTest, Reference, Target};

/// How long a value is remembered where nothing else is said: 400 days.
const PREVIOUS_TTL_MS: i64 = 400 * 86_400_000;
/// How long an interval that nothing closes is open where nothing else is said: a day.
const INTERVAL_TTL_MS: i64 = 86_400_000;

/// An interval whose rules have not been resolved.
#[derive(Debug)]
pub(super) struct IntervalDraft {
    /// Complete but for the targets of `open` and `close`.
    pub(super) interval: Interval,
    /// `open`, then `close`.
    pub(super) links: [Link; 2],
    /// Fields that the opening (0) or closing (1) rule must have.
    pub(super) fields: Vec<(usize, String, usize)>,
}

/// Reads `x-prev`.
pub(super) fn previous(cx: &mut Context<'_>, document: &Node) -> Result<Option<Previous>, Problem> {
    let Some(body) = document.get("x-prev") else { return Ok(None) };
    let keys = ["key", "field", "changed", "gap", "returns", "ignore_same", "ttl"];
    check_keys(entries(body, "x-prev")?, "x-prev", &keys)?;
    let hint = "for example `x-prev: {key: [prov.repo, tag], field: prov.digest, changed: true}`";
    let key = header::texts(body, "key")?;
    if key.is_empty() {
        return Err(Problem::new(body.line, "`x-prev` has no `key`").hint(hint));
    }
    let Some(field) = scalar(body, "field")? else {
        return Err(Problem::new(body.line, "`x-prev` has no `field`").hint(hint));
    };
    let ignore_same = header::texts(body, "ignore_same")?;
    for name in key.iter().chain([&field]).chain(&ignore_same) {
        cx.check_field(name, body.line)?;
    }
    let ttl_ms = body.get("ttl").map(|ttl| span::window(ttl, "ttl")).transpose()?.unwrap_or(PREVIOUS_TTL_MS);
    Ok(Some(Previous { key, field, test: previous_test(body)?, ignore_same, ttl_ms }))
}

fn previous_test(body: &Node) -> Result<PreviousTest, Problem> {
    let hint = "write one of `changed: true`, `gap: 1` and `returns: 30m`";
    let mut tests = Vec::new();
    if body.get("changed").is_some() {
        tests.push(match flag(body, "changed")? {
            true => PreviousTest::Changed,
            false => return Err(Problem::new(body.line, "`changed: false` asks for nothing").hint(hint)),
        });
    }
    if let Some(gap) = body.get("gap") {
        let whole = gap.text().and_then(|text| text.parse::<i64>().ok()).filter(|gap| *gap > 0);
        tests.push(PreviousTest::Gap(whole.ok_or_else(|| {
            Problem::new(gap.line, "`gap` needs a whole number above 0").hint("`gap: 1`: the next number is missing")
        })?));
    }
    if let Some(returns) = body.get("returns") {
        tests.push(PreviousTest::Returns(span::window(returns, "returns")?));
    }
    match tests.as_slice() {
        [only] => Ok(*only),
        [] => Err(Problem::new(body.line, "`x-prev` does not say how values are compared").hint(hint)),
        _ => Err(Problem::new(body.line, "`x-prev` compares in more than one way").hint(hint)),
    }
}

/// Reads `x-interval`.
pub(super) fn interval(cx: &mut Context<'_>, document: &Node) -> Result<Option<IntervalDraft>, Problem> {
    let Some(body) = document.get("x-interval") else { return Ok(None) };
    check_keys(entries(body, "x-interval")?, "x-interval", &["open", "close", "key", "pad", "expect", "ttl"])?;
    let [open, close] = [link(body, "open")?, link(body, "close")?];
    if open.name == close.name {
        return Err(Problem::new(close.line, "`open` and `close` name the same rule").hint("name two rules"));
    }
    let key = key(body)?;
    let line = body.get("key").map_or(body.line, |node| node.line);
    let mut fields = Vec::new();
    for [this, opening, closing] in &key {
        cx.check_field(this, line)?;
        fields.push((0, opening.clone(), line));
        fields.push((1, closing.clone(), line));
    }
    let [pad_before_ms, pad_after_ms] = pad(body)?;
    let unresolved = |link: &Link| Reference { name: link.name.clone(), target: Target::Rule(usize::MAX) };
    let interval = Interval {
        open: unresolved(&open),
        close: unresolved(&close),
        key,
        pad_before_ms,
        pad_after_ms,
        inside: inside(body)?,
        ttl_ms: body.get("ttl").map(|ttl| span::window(ttl, "ttl")).transpose()?.unwrap_or(INTERVAL_TTL_MS),
    };
    Ok(Some(IntervalDraft { interval, links: [open, close], fields }))
}

fn link(body: &Node, key: &str) -> Result<Link, Problem> {
    let named = scalar(body, key)?.zip(body.get(key));
    let (name, node) = named.ok_or_else(|| {
        Problem::new(body.line, format!("`x-interval` has no `{key}`"))
            .hint("name the rules whose events open and close it")
    })?;
    Ok(Link { name, line: node.line, only_rules: true })
}

fn inside(body: &Node) -> Result<bool, Problem> {
    let hint = "write `expect: outside` or `expect: inside`";
    let Some(node) = body.get("expect") else {
        return Err(Problem::new(body.line, "`x-interval` has no `expect`").hint(hint));
    };
    match node.text().as_deref() {
        Some("inside") => Ok(true),
        Some("outside") => Ok(false),
        _ => Err(Problem::new(node.line, "unknown `expect`").hint(hint)),
    }
}

/// `pad: [before, after]`, or one span for both.
fn pad(body: &Node) -> Result<[i64; 2], Problem> {
    let Some(node) = body.get("pad") else { return Ok([0, 0]) };
    match node.members() {
        [both] => span::or_zero(both, "pad").map(|ms| [ms, ms]),
        [before, after] => Ok([span::or_zero(before, "pad")?, span::or_zero(after, "pad")?]),
        _ => Err(Problem::new(node.line, "`pad` has two spans").hint("write `pad: [30s, 60s]`: before, after")),
    }
}

/// `key`: a field of all three events, or a map where their fields differ.
fn key(body: &Node) -> Result<Vec<[String; 3]>, Problem> {
    let hint = "write `key: [prov.repo, {this: dst.job, open: prov.job_id, close: prov.job_id}]`";
    let Some(node) = body.get("key") else {
        return Err(Problem::new(body.line, "`x-interval` has no `key`").hint(hint));
    };
    let mut key = Vec::new();
    for member in node.members() {
        if let Value::Map(fields) = &member.value {
            check_keys(fields, "x-interval.key", &["this", "open", "close"])?;
            let field = |place: &str| {
                scalar(member, place)?
                    .ok_or_else(|| Problem::new(member.line, format!("an entry of `key` has no `{place}`")).hint(hint))
            };
            key.push([field("this")?, field("open")?, field("close")?]);
        } else if let Some(name) = member.text() {
            key.push([name.clone(), name.clone(), name]);
        } else {
            return Err(Problem::new(member.line, format!("`key` lists fields, here is {}", member.kind())).hint(hint));
        }
    }
    match key.is_empty() {
        true => Err(Problem::new(node.line, "`x-interval` has no `key`").hint(hint)),
        false => Ok(key),
    }
}
