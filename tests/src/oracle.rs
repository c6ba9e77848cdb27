//! The slow evaluator: one rule, one event, every test asked where it stands in the rule.
//!
//! What the engine finds must be what this finds. It shares the rule tree and the reading of times with the engine and
//! nothing else: no index, no compiled pattern, no row. Must never become clever.

pub(crate) mod where_expr;

use std::collections::BTreeMap;
use std::net::IpAddr;

use model::Timestamp;
use rules::ast::{Comparison, ListHow, Pattern, Piece, Rule, Search, Test, TextHow, TimePart};
use serde_json::Value;

/// Live lists by name.
pub type ListTexts = BTreeMap<String, Vec<String>>;

/// The rule holds at the event.
pub fn holds(rule: &Rule, event: &Value, lists: &ListTexts) -> bool {
    search(&rule.condition, event, lists)
        && rule.wheres.iter().all(|expression| where_expr::truth(&expression.expr, event, lists) == Some(true))
}

/// The condition is true of the event.
pub fn search(condition: &Search, event: &Value, lists: &ListTexts) -> bool {
    match condition {
        Search::All(parts) => parts.iter().all(|part| search(part, event, lists)),
        Search::Any(parts) => parts.iter().any(|part| search(part, event, lists)),
        Search::Not(part) => !search(part, event, lists),
        Search::Field(test) => field(&test.field, &test.test, event, lists),
        Search::Keyword(pattern) => {
            let mut open = pattern.pieces.clone();
            open.insert(0, Piece::Many);
            open.push(Piece::Many);
            let open = Pattern { pieces: open, cased: pattern.cased };
            texts(event).iter().any(|text| matches(&open, text))
        }
    }
}

/// All values of the event as text, numbers as they are written; keys are none.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Number(number) => vec![number.to_string()],
        Value::Array(members) => members.iter().flat_map(texts).collect(),
        Value::Object(members) => members.values().flat_map(texts).collect(),
        other => text(other).into_iter().collect(),
    }
}

/// The members of a field: arrays are opened however deep they nest, objects and empty arrays are members without a value.
/// A key of the event that is the whole path wins over the way through nested objects.
pub(crate) fn members<'e>(event: &'e Value, path: &str) -> Vec<&'e Value> {
    let mut found = Vec::new();
    match event.get(path) {
        Some(literal) => open(literal, &mut found),
        None => walk(event, path, &mut found),
    }
    found
}

fn walk<'e>(value: &'e Value, path: &str, found: &mut Vec<&'e Value>) {
    match (value, path.split_once('.')) {
        (Value::Array(members), _) => members.iter().for_each(|member| walk(member, path, found)),
        (Value::Object(object), None) => object.get(path).into_iter().for_each(|value| open(value, found)),
        (Value::Object(object), Some((key, rest))) => {
            object.get(key).into_iter().for_each(|value| walk(value, rest, found));
        }
        _ => {}
    }
}

fn open<'e>(value: &'e Value, found: &mut Vec<&'e Value>) {
    match value {
        Value::Array(members) if !members.is_empty() => members.iter().for_each(|member| open(member, found)),
        other => found.push(other),
    }
}

/// Text, number or truth value as text.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) if number.is_f64() => number.as_f64().map(|n| format!("{n:?}")),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok().filter(|number: &f64| number.is_finite()),
        _ => None,
    }
}

fn field(path: &str, test: &Test, event: &Value, lists: &ListTexts) -> bool {
    let members = members(event, path);
    match test {
        Test::Null => members.is_empty() || members.contains(&&Value::Null),
        Test::Exists(wanted) => members.is_empty() != *wanted,
        Test::FieldRef { other, how, cased } => {
            let others = self::members(event, other);
            members.iter().any(|member| {
                others.iter().any(|other| match (text(member), text(other)) {
                    (Some(a), Some(b)) => compare_texts(*how, *cased, &a, &b),
                    _ => false,
                })
            })
        }
        test => members.iter().any(|member| value(test, member, lists)),
    }
}

fn value(test: &Test, value: &Value, lists: &ListTexts) -> bool {
    match test {
        Test::Text(pattern) => text(value).is_some_and(|text| matches(pattern, &text)),
        Test::Number(wanted) => number(value) == Some(*wanted),
        Test::Compare(how, limit) => number(value).is_some_and(|number| compare(*how, number, *limit)),
        Test::Regex(source) => {
            let regex = regex::Regex::new(source).expect("the parser has checked it");
            text(value).is_some_and(|text| regex.is_match(&text))
        }
        Test::Cidr(network) => value
            .as_str()
            .and_then(|text| text.trim().parse::<IpAddr>().ok())
            .is_some_and(|address| inside(address, network.addr(), network.prefix_len())),
        Test::TimePart(part, how, limit) => {
            let time = match value {
                Value::String(text) => Timestamp::parse(text),
                other => number(other).and_then(Timestamp::from_epoch),
            };
            time.is_some_and(|time| compare(*how, time_part(*part, time) as f64, *limit as f64))
        }
        Test::InList { list, how, cased } => {
            let entries = lists.get(list).map_or(&[][..], Vec::as_slice);
            text(value).is_some_and(|text| entries.iter().any(|entry| is_entry(*how, *cased, &text, entry)))
        }
        Test::Null | Test::Exists(_) | Test::FieldRef { .. } => unreachable!("asked of the field as a whole"),
    }
}

fn compare(how: Comparison, a: f64, b: f64) -> bool {
    match how {
        Comparison::Eq => a == b,
        Comparison::Lt => a < b,
        Comparison::Lte => a <= b,
        Comparison::Gt => a > b,
        Comparison::Gte => a >= b,
    }
}

/// The pattern matches the whole text: plain backtracking, character by character.
pub(crate) fn matches(pattern: &Pattern, text: &str) -> bool {
    let mut wanted = Vec::new();
    for piece in &pattern.pieces {
        match piece {
            Piece::Literal(literal) => wanted.extend(literal.chars().map(Wanted::Char)),
            Piece::One => wanted.push(Wanted::One),
            Piece::Many => wanted.push(Wanted::Many),
        }
    }
    let text: Vec<char> = text.chars().collect();
    backtrack(&wanted, &text, pattern.cased)
}

#[derive(Clone, Copy, PartialEq)]
enum Wanted {
    Char(char),
    One,
    Many,
}

fn backtrack(wanted: &[Wanted], text: &[char], cased: bool) -> bool {
    match (wanted.split_first(), text.split_first()) {
        (None, None) => true,
        (Some((Wanted::Many, rest)), _) => (0..=text.len()).any(|skipped| backtrack(rest, &text[skipped..], cased)),
        (Some((Wanted::One, rest)), Some((_, behind))) => backtrack(rest, behind, cased),
        (Some((Wanted::Char(a), rest)), Some((b, behind))) => same(*a, *b, cased) && backtrack(rest, behind, cased),
        _ => false,
    }
}

fn same(a: char, b: char, cased: bool) -> bool {
    a == b || !cased && fold(a) == fold(b)
}

/// Simple case folding by way of the standard library: through upper to lower case wherever both are single characters.
/// Dotless i is the one whose upper case folds to another letter.
pub(crate) fn fold(c: char) -> char {
    if c == 'ı' {
        return c;
    }
    let one =
        |mut chars: Box<dyn Iterator<Item = char>>, c| chars.next().filter(|_| chars.next().is_none()).unwrap_or(c);
    let upper = one(Box::new(c.to_uppercase()), c);
    one(Box::new(upper.to_lowercase()), upper)
}

pub(crate) fn folded(text: &str) -> String {
    text.chars().map(fold).collect()
}

fn compare_texts(how: TextHow, cased: bool, a: &str, b: &str) -> bool {
    let (a, b) = if cased { (a.to_owned(), b.to_owned()) } else { (folded(a), folded(b)) };
    match how {
        TextHow::Equals => a == b,
        TextHow::Contains => a.contains(&b),
        TextHow::StartsWith => a.starts_with(&b),
        TextHow::EndsWith => a.ends_with(&b),
    }
}

/// Entries with wildcards are patterns where whole texts are compared without case.
pub(crate) fn is_entry(how: ListHow, cased: bool, text: &str, entry: &str) -> bool {
    let how = match how {
        ListHow::Equals if cased => return text == entry,
        ListHow::Equals => {
            let pieces = entry.chars().map(|c| match c {
                '*' => Piece::Many,
                '?' => Piece::One,
                c => Piece::Literal(c.to_string()),
            });
            let pattern = Pattern { pieces: pieces.collect(), cased: false };
            return matches(&pattern, text) || in_network(text, entry);
        }
        ListHow::Contains => TextHow::Contains,
        ListHow::StartsWith => TextHow::StartsWith,
        ListHow::EndsWith => TextHow::EndsWith,
        ListHow::Cidr => return in_network(text, entry),
    };
    compare_texts(how, cased, text, entry)
}

/// The text is an address inside the network (or equal to the address) that the entry names.
pub(crate) fn in_network(text: &str, entry: &str) -> bool {
    let (network, length) = entry.split_once('/').map_or((entry, None), |(network, length)| (network, Some(length)));
    let (Ok(address), Ok(network)) = (text.trim().parse::<IpAddr>(), network.parse::<IpAddr>()) else { return false };
    let length = length.map_or(Some(if network.is_ipv4() { 32 } else { 128 }), |length| length.parse().ok());
    length.is_some_and(|length| inside(address, network, length))
}

fn inside(address: IpAddr, network: IpAddr, length: u8) -> bool {
    let bits =
        |bytes: &[u8]| bytes.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1)).collect::<Vec<_>>();
    let (a, b) = match (address, network) {
        (IpAddr::V4(a), IpAddr::V4(b)) => (bits(&a.octets()), bits(&b.octets())),
        (IpAddr::V6(a), IpAddr::V6(b)) => (bits(&a.octets()), bits(&b.octets())),
        _ => return false,
    };
    a.iter().zip(&b).take(length.into()).all(|(a, b)| a == b)
}

/// Calendar parts by counting days from the epoch.
fn time_part(part: TimePart, time: Timestamp) -> i64 {
    let minutes = time.ms().div_euclid(60_000);
    let days = minutes.div_euclid(1_440);
    let (year, month, day) = civil(days);
    match part {
        TimePart::Minute => minutes.rem_euclid(60),
        TimePart::Hour => minutes.div_euclid(60).rem_euclid(24),
        TimePart::Day => day,
        TimePart::Month => month,
        TimePart::Year => year,
        TimePart::Week => {
            // The week belongs to the year of its Thursday; 1970-01-01 was one.
            let thursday = (days + 3).div_euclid(7) * 7;
            let (year, _, _) = civil(thursday);
            let first = (0..).map(|back| thursday - back).take_while(|day| civil(*day).0 == year).count() as i64 - 1;
            first / 7 + 1
        }
    }
}

/// Year, month and day of a day counted from 1970-01-01.
fn civil(days: i64) -> (i64, i64, i64) {
    let leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    // 400 years are 146,097 days.
    let (mut year, mut rest) = (1970 + days.div_euclid(146_097) * 400, days.rem_euclid(146_097));
    while rest >= if leap(year) { 366 } else { 365 } {
        rest -= if leap(year) { 366 } else { 365 };
        year += 1;
    }
    let february = if leap(year) { 29 } else { 28 };
    for (month, length) in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31].into_iter().enumerate() {
        if rest < length {
            return (year, month as i64 + 1, rest + 1);
        }
        rest -= length;
    }
    unreachable!("a year has twelve months")
}
