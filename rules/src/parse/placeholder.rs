//! `expand`: `%name%` inside a value, replaced by configured texts or bound to a live list.
//!
//! A name under the rule's `x-lists` is a live list and wins over configured values. Must never leave a placeholder
//! unresolved: a rule that would look for the literal text `%name%` looks for nothing.

use super::context::Context;
use super::hint::nearest;
use super::problem::Problem;

/// What a value with placeholders becomes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Expanded {
    /// These texts, alternatives of each other; still with Sigma's wildcards and escapes.
    Texts(Vec<String>),
    /// The members of this live list.
    List(String),
}

/// Resolves the placeholders of one value, where `expand` is among its modifiers.
pub(super) fn expand(cx: &mut Context<'_>, wanted: bool, text: &str, line: usize) -> Result<Expanded, Problem> {
    if !wanted {
        return Ok(Expanded::Texts(vec![text.to_owned()]));
    }
    if let Some(name) = text.strip_prefix('%').and_then(|rest| rest.strip_suffix('%')).filter(|name| is_name(name))
        && cx.is_list(name)
    {
        cx.lists_used.insert(name.to_owned());
        return Ok(Expanded::List(name.to_owned()));
    }
    let mut texts = vec![String::new()];
    for part in split(text) {
        match part {
            Part::Text(literal) => texts.iter_mut().for_each(|text| text.push_str(&literal)),
            Part::Name(name) => {
                let values = values(cx, &name, line)?;
                cx.count(texts.len().saturating_mul(values.len()), line)?;
                texts =
                    texts.iter().flat_map(|text| values.iter().map(move |value| format!("{text}{value}"))).collect();
            }
        }
    }
    Ok(Expanded::Texts(texts))
}

fn values<'a>(cx: &Context<'a>, name: &str, line: usize) -> Result<&'a [String], Problem> {
    if cx.is_list(name) {
        return Err(Problem::new(line, format!("live list `{name}` inside a longer text"))
            .hint(format!("the value must be exactly `%{name}%`; contains, startswith and endswith open its ends")));
    }
    match cx.settings.placeholders.get(name) {
        Some(values) if !values.is_empty() => Ok(values),
        Some(_) => {
            Err(Problem::new(line, format!("placeholder `%{name}%` has no values"))
                .hint("configure at least one value"))
        }
        None => {
            let hint = match cx.settings.placeholders.is_empty() {
                true => format!("give `{name}` values in the configuration, or declare it under x-lists"),
                false => nearest(name, cx.settings.placeholders.keys().map(String::as_str)),
            };
            Err(Problem::new(line, format!("unresolved placeholder `%{name}%`")).hint(hint))
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Name(String),
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'))
}

/// `a%b%c` → a, name b, c; `\%` is a percent sign.
fn split(text: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut literal = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if let Some(behind) = rest.strip_prefix("\\%") {
            literal.push('%');
            rest = behind;
            continue;
        }
        if let Some((name, behind)) = rest.strip_prefix('%').and_then(|inner| inner.split_once('%'))
            && is_name(name)
        {
            if !literal.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut literal)));
            }
            parts.push(Part::Name(name.to_owned()));
            rest = behind;
            continue;
        }
        literal.push(c);
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
    }
    if !literal.is_empty() || parts.is_empty() {
        parts.push(Part::Text(literal));
    }
    parts
}
