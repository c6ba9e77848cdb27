//! Values under a field (or keyword) and its modifiers, resolved to tests.
//!
//! `neq` asks for a field that is there: `a|neq: x` is false while `a` is missing, and with `fieldref` while the other
//! field is (the ecosystem's engines agree on the first). Must never drop a value.

use std::str::FromStr;

use super::context::Context;
use super::detection::joined;
use super::encode::{self, Stage};
use super::modifier::{Chain, Operator};
use super::pattern;
use super::placeholder::{self, Expanded};
use super::problem::Problem;
use super::yaml::{Node, Value};
use crate::ast::{Comparison, FieldTest, ListHow, Pattern, Search, Test, TextHow, TimePart};

/// From here on doubles skip whole numbers (2⁵³), so these are compared as text, digit by digit.
const EXACT_BELOW: f64 = 9_007_199_254_740_992.0;

/// `field|…: value` as a search.
pub(super) fn field(
    cx: &mut Context<'_>,
    field: &str,
    chain: &Chain,
    node: &Node,
    line: usize,
) -> Result<Search, Problem> {
    cx.check_field(field, line)?;
    let as_search = |test| Search::Field(FieldTest { field: field.to_owned(), test });
    if chain.operator == Operator::Exists {
        return Ok(as_search(Test::Exists(wanted(node)?)));
    }
    let mut present = vec![as_search(Test::Exists(true))];
    let mut parts = Vec::new();
    for member in values(cx, chain, node, line)? {
        let tests = tests(cx, chain, member)?;
        for test in &tests {
            if let Test::FieldRef { other, .. } = test {
                cx.check_field(other, member.line)?;
                present.push(Search::Field(FieldTest { field: other.clone(), test: Test::Exists(true) }));
            }
        }
        parts.push(joined(tests.into_iter().map(as_search).collect(), Search::Any));
    }
    let found = joined(parts, if chain.all { Search::All } else { Search::Any });
    if !chain.neq {
        return Ok(found);
    }
    present.push(Search::Not(Box::new(found)));
    Ok(Search::All(present))
}

/// Keywords: patterns that some value of the event contains.
pub(super) fn keywords(cx: &mut Context<'_>, chain: &Chain, node: &Node, line: usize) -> Result<Search, Problem> {
    if !matches!(chain.operator, Operator::Plain | Operator::Text(TextHow::Contains)) {
        return Err(Problem::new(
            line,
            "keywords are looked for inside every value: this modifier needs a field before it",
        )
        .hint("write `field|modifier: value`"));
    }
    let mut parts = Vec::new();
    for member in values(cx, chain, node, line)? {
        let Some(text) = member.text().filter(|text| !text.is_empty()) else {
            return Err(Problem::new(member.line, format!("a keyword must be text, not {}", kind_or_empty(member)))
                .hint("an empty keyword would be in every event"));
        };
        let Expanded::Texts(texts) = placeholder::expand(cx, chain.expand, &text, member.line)? else {
            return Err(Problem::new(member.line, "a live list needs a field to be compared with")
                .hint("write `field|expand: '%name%'`"));
        };
        let patterns = patterns(cx, chain, &texts, member.line)?;
        parts.push(joined(patterns.into_iter().map(Search::Keyword).collect(), Search::Any));
    }
    let found = joined(parts, if chain.all { Search::All } else { Search::Any });
    Ok(if chain.neq { Search::Not(Box::new(found)) } else { found })
}

fn values<'n>(cx: &mut Context<'_>, chain: &Chain, node: &'n Node, line: usize) -> Result<&'n [Node], Problem> {
    let members = node.members();
    if members.is_empty() {
        return Err(
            Problem::new(line, "an empty list of values matches nothing").hint("give a value, or drop the field")
        );
    }
    if chain.all && members.len() == 1 {
        cx.warnings.push(Problem::new(line, "`all` on a single value").hint("drop `all`, or list several values"));
    }
    Ok(members)
}

fn kind_or_empty(node: &Node) -> &'static str {
    if node.text().is_some() { "empty" } else { node.kind() }
}

fn wanted(node: &Node) -> Result<bool, Problem> {
    match node.text().map(|text| text.to_ascii_lowercase()).as_deref() {
        Some("true" | "yes") => Ok(true),
        Some("false" | "no") => Ok(false),
        _ => Err(Problem::new(node.line, format!("`exists` takes true or false, not {}", node.kind()))
            .hint("write `field|exists: true`")),
    }
}

/// The tests that one value makes, alternatives of each other.
fn tests(cx: &mut Context<'_>, chain: &Chain, node: &Node) -> Result<Vec<Test>, Problem> {
    let line = node.line;
    if chain.operator == Operator::Plain && chain.encodings.is_empty() {
        match &node.value {
            Value::Null => return Ok(vec![Test::Null]),
            Value::Bool(value) => return Ok(vec![Test::Text(pattern::literal(value.to_string(), false))]),
            Value::Number(number, spelling) => return Ok(vec![number_test(*number, spelling)]),
            Value::Text(_) | Value::List(_) | Value::Map(_) => {}
        }
    }
    let Some(text) = node.text() else {
        return Err(Problem::new(line, format!("expected a value, found {}", node.kind()))
            .hint("values are text, numbers, true, false, null, or one list of them"));
    };
    let texts = match placeholder::expand(cx, chain.expand, &text, line)? {
        Expanded::Texts(texts) => texts,
        Expanded::List(list) => return Ok(vec![in_list(chain, list, line)?]),
    };
    match &chain.operator {
        Operator::Plain | Operator::Text(_) | Operator::Exists => {
            let mut patterns = patterns(cx, chain, &texts, line)?;
            if let Operator::Text(how) = chain.operator {
                patterns.iter_mut().for_each(|pattern| pattern::open(pattern, how));
            }
            Ok(patterns.into_iter().map(Test::Text).collect())
        }
        Operator::Re(flags) => texts.iter().map(|text| regex_test(text, flags, line)).collect(),
        Operator::Cidr => texts.iter().map(|text| Ok(Test::Cidr(network(text, line)?))).collect(),
        Operator::Compare(how) => texts.iter().map(|text| Ok(Test::Compare(*how, number(text, line)?))).collect(),
        Operator::Time(part, how) => texts.iter().map(|text| time_test(*part, *how, text, line)).collect(),
        Operator::Fieldref(how) => texts.iter().map(|text| field_ref(text, *how, chain.cased, line)).collect(),
    }
}

fn number_test(number: f64, spelling: &str) -> Test {
    let is_long = number.abs() >= EXACT_BELOW && spelling.trim_start_matches('-').bytes().all(|b| b.is_ascii_digit());
    if is_long { Test::Text(pattern::literal(spelling.to_owned(), false)) } else { Test::Number(number) }
}

/// Texts through the encodings to patterns, their ends closed: keywords stay so, a field's text comparison opens them.
fn patterns(cx: &mut Context<'_>, chain: &Chain, texts: &[String], line: usize) -> Result<Vec<Pattern>, Problem> {
    let mut found = Vec::new();
    for text in texts {
        let mut stages = vec![Stage::Text(pattern::parse(text, chain.cased))];
        for encoding in &chain.encodings {
            let mut next = Vec::new();
            for stage in stages {
                next.extend(encode::apply(stage, *encoding, line)?);
            }
            stages = next;
        }
        cx.count(stages.len(), line)?;
        for stage in stages {
            found.push(encode::finish(stage, chain.cased, line)?);
        }
    }
    if found.is_empty() {
        return Err(Problem::new(line, "the value is too short for base64offset").hint("give at least two characters"));
    }
    Ok(found)
}

fn in_list(chain: &Chain, list: String, line: usize) -> Result<Test, Problem> {
    let how = match chain.operator {
        Operator::Plain | Operator::Text(TextHow::Equals) => ListHow::Equals,
        Operator::Text(TextHow::Contains) => ListHow::Contains,
        Operator::Text(TextHow::StartsWith) => ListHow::StartsWith,
        Operator::Text(TextHow::EndsWith) => ListHow::EndsWith,
        Operator::Cidr => ListHow::Cidr,
        _ => {
            return Err(Problem::new(line, format!("live list `{list}` cannot be compared this way"))
                .hint("use contains, startswith, endswith or cidr, or compare in x-where"));
        }
    };
    if !chain.encodings.is_empty() {
        return Err(Problem::new(line, format!("live list `{list}` cannot be encoded"))
            .hint("let the list hold encoded entries"));
    }
    Ok(Test::InList { list, how, cased: chain.cased })
}

fn regex_test(text: &str, flags: &str, line: usize) -> Result<Test, Problem> {
    let mut letters: Vec<char> = flags.chars().collect();
    letters.sort_unstable();
    letters.dedup();
    let flags: String = letters.into_iter().collect();
    let pattern = if flags.is_empty() { text.to_owned() } else { format!("(?{flags}){text}") };
    match regex::Regex::new(&pattern) {
        Ok(_) => Ok(Test::Regex(pattern)),
        Err(error) => {
            let reason = error.to_string();
            let reason = reason.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
            let hint = if reason.contains("look-around") {
                "look-around has no linear-time match: split it into two selections joined by `and not`"
            } else if reason.contains("backreferences") {
                "backreferences have no linear-time match"
            } else {
                "the syntax is that of the Rust regex crate"
            };
            Err(Problem::new(line, format!("bad regular expression `{text}`: {reason}")).hint(hint))
        }
    }
}

fn network(text: &str, line: usize) -> Result<ipnet::IpNet, Problem> {
    let text = text.trim();
    let parsed =
        ipnet::IpNet::from_str(text).ok().or_else(|| std::net::IpAddr::from_str(text).ok().map(ipnet::IpNet::from));
    match parsed {
        Some(net) if net.addr() == net.network() => Ok(net),
        Some(net) => Err(Problem::new(line, format!("bad network `{text}`: the address has bits behind the prefix"))
            .hint(format!("did you mean {}?", net.trunc()))),
        None => {
            Err(Problem::new(line, format!("bad network `{text}`")).hint("write it as 10.0.0.0/8 or 2001:db8::/32"))
        }
    }
}

fn number(text: &str, line: usize) -> Result<f64, Problem> {
    text.trim()
        .parse::<f64>()
        .ok()
        .filter(|number| number.is_finite())
        .ok_or_else(|| Problem::new(line, format!("`{text}` is no number")).hint("lt, lte, gt and gte compare numbers"))
}

fn time_test(part: TimePart, how: Comparison, text: &str, line: usize) -> Result<Test, Problem> {
    let (name, least, most) = match part {
        TimePart::Minute => ("minute", 0, 59),
        TimePart::Hour => ("hour", 0, 23),
        TimePart::Day => ("day", 1, 31),
        TimePart::Week => ("week", 1, 53),
        TimePart::Month => ("month", 1, 12),
        TimePart::Year => ("year", 1, 9999),
    };
    let number = text.trim().parse::<i64>().map_err(|_| {
        Problem::new(line, format!("`{text}` is no whole number"))
            .hint(format!("{name} lies between {least} and {most}"))
    })?;
    if how == Comparison::Eq && !(least..=most).contains(&number) {
        return Err(
            Problem::new(line, format!("{name} is never {number}")).hint(format!("it lies between {least} and {most}"))
        );
    }
    Ok(Test::TimePart(part, how, number))
}

fn field_ref(text: &str, how: TextHow, cased: bool, line: usize) -> Result<Test, Problem> {
    match pattern::plain(&pattern::parse(text, cased)) {
        Some(other) if !other.is_empty() => Ok(Test::FieldRef { other, how, cased }),
        _ => Err(Problem::new(line, format!("`{text}` is no field name"))
            .hint("fieldref takes a field path without wildcards")),
    }
}
