//! Events made from a condition: one that makes it true, one that breaks a part of it.
//!
//! What it proposes is tried on the slow evaluator, and only what that accepts is handed out.

use std::collections::BTreeMap;

use rules::ast::{Comparison, FieldTest, ListHow, Pattern, Piece, Search, Test, TextHow, TimePart};
use serde_json::{Map, Value, json};

use crate::generate::{self, Random};
use crate::oracle;

/// A text in which a regular expression is found, if one can be made.
pub type Sample<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Proposals tried for one condition.
const TRIES: usize = 60;

/// An event of which the condition is true; None: none was found.
pub fn event(condition: &Search, random: &mut Random, sample: Sample<'_>) -> Option<Value> {
    let lists = generate::lists();
    (0..TRIES).find_map(|attempt| {
        let mut draft = Draft { random, sample, fields: BTreeMap::new(), keywords: Vec::new() };
        draft.make(condition, true);
        let event = draft.event(attempt % 3 == 2);
        oracle::search(condition, &event, &lists).then_some(event)
    })
}

/// For each part of a conjunction an event of which all other parts are true and this one is false, where one was found.
pub fn broken(condition: &Search, random: &mut Random, sample: Sample<'_>) -> Vec<Option<Value>> {
    let mut parts = Vec::new();
    conjuncts(condition, &mut parts);
    let without = |at: usize| {
        let with = |(i, part): (usize, &&Search)| {
            if i == at { Search::Not(Box::new((*part).clone())) } else { (*part).clone() }
        };
        Search::All(parts.iter().enumerate().map(with).collect())
    };
    (0..parts.len()).map(|at| event(&without(at), random, sample)).collect()
}

fn conjuncts<'s>(search: &'s Search, parts: &mut Vec<&'s Search>) {
    match search {
        Search::All(inner) => inner.iter().for_each(|part| conjuncts(part, parts)),
        other => parts.push(other),
    }
}

struct Draft<'a> {
    random: &'a mut Random,
    sample: Sample<'a>,
    fields: BTreeMap<String, Vec<Value>>,
    keywords: Vec<Value>,
}

impl Draft<'_> {
    fn make(&mut self, search: &Search, wanted: bool) {
        match (search, wanted) {
            (Search::All(parts), true) | (Search::Any(parts), false) => {
                parts.iter().for_each(|part| self.make(part, wanted));
            }
            (Search::All(parts), false) | (Search::Any(parts), true) if !parts.is_empty() => {
                let part = &parts[self.random.below(parts.len())];
                self.make(part, wanted);
            }
            (Search::Not(part), _) => self.make(part, !wanted),
            (Search::Field(test), true) => self.satisfy(test),
            (Search::Field(FieldTest { field, test: Test::Null | Test::Exists(false) }), false) => {
                let other = format!("something in {field}");
                self.add(field, json!(other));
            }
            (Search::Keyword(pattern), true) => {
                let text = self.text(pattern);
                self.keywords.push(json!(format!("x {text} y")));
            }
            // What nobody puts there is not there.
            _ => {}
        }
    }

    fn add(&mut self, field: &str, value: Value) {
        let values = self.fields.entry(field.to_owned()).or_default();
        if !values.contains(&value) {
            values.push(value);
        }
    }

    fn satisfy(&mut self, FieldTest { field, test }: &FieldTest) {
        let value = match test {
            Test::Text(pattern) => json!(self.text(pattern)),
            Test::Number(number) | Test::Compare(Comparison::Eq | Comparison::Lte | Comparison::Gte, number) => {
                json!(number)
            }
            Test::Compare(Comparison::Lt, number) => json!(number - 1.0 - number.abs()),
            Test::Compare(Comparison::Gt, number) => json!(number + 1.0 + number.abs()),
            Test::Null if self.random.percent(50) => Value::Null,
            Test::Null | Test::Exists(false) => return,
            Test::Exists(true) => {
                if self.fields.get(field).is_none_or(Vec::is_empty) {
                    self.add(field, json!("there"));
                }
                return;
            }
            Test::Regex(source) => match (self.sample)(source) {
                Some(text) => json!(text),
                None => return,
            },
            Test::Cidr(network) => json!(network.addr().to_string()),
            Test::FieldRef { other, how, .. } => {
                let known =
                    self.fields.get(field).and_then(|values| values.first()).and_then(Value::as_str).map(str::to_owned);
                let value = known.unwrap_or_else(|| "same".to_owned());
                self.add(other, json!(value));
                json!(match how {
                    TextHow::Equals => value,
                    _ => value.clone(),
                })
            }
            Test::TimePart(part, how, number) => json!(time(*part, *how, *number)),
            Test::InList { how, .. } => json!(if *how == ListHow::Cidr { "10.1.1.1" } else { "ab" }),
        };
        self.add(field, value);
    }

    /// A text that the pattern matches, sometimes in the other case.
    fn text(&mut self, pattern: &Pattern) -> String {
        let flip = !pattern.cased && self.random.percent(30);
        let piece = |piece: &Piece| match piece {
            Piece::Literal(text) if flip => text
                .chars()
                .map(|c| if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() })
                .collect(),
            Piece::Literal(text) => text.clone(),
            Piece::One => "q".to_owned(),
            Piece::Many => ["", "z9", "\n"][self.random.below(3)].to_owned(),
        };
        pattern.pieces.iter().map(piece).collect()
    }

    fn event(self, single: bool) -> Value {
        let mut event = Map::new();
        for (path, mut values) in self.fields {
            let value = if values.len() == 1 || single { values.swap_remove(0) } else { Value::Array(values) };
            // A path whose way is taken by another field stands under its literal key.
            let is_taken = path.match_indices('.').any(|(at, _)| event.contains_key(&path[..at]));
            let is_way = event.keys().any(|key: &String| key.starts_with(&format!("{path}.")));
            if is_taken || is_way || self.random.percent(30) || path.starts_with('.') || path.ends_with('.') {
                event.insert(path, value);
            } else {
                generate::put(&mut event, &path, value);
            }
        }
        if !self.keywords.is_empty() {
            event.insert("message \"text\"".to_owned(), Value::Array(self.keywords));
        }
        Value::Object(event)
    }
}

/// A time whose part compares as wanted.
fn time(part: TimePart, how: Comparison, number: i64) -> String {
    let number = match how {
        Comparison::Lt => number - 1,
        Comparison::Gt => number + 1,
        _ => number,
    };
    match part {
        TimePart::Minute => format!("2026-05-06T07:{number:02}:00Z"),
        TimePart::Hour => format!("2026-05-06T{number:02}:00:00Z"),
        TimePart::Day => format!("2026-05-{number:02}T00:00:00Z"),
        TimePart::Month => format!("2026-{number:02}-05T00:00:00Z"),
        TimePart::Year => format!("{number:04}-05-06T00:00:00Z"),
        // 2020-01-02 was a Thursday of week 1.
        TimePart::Week => model::Timestamp::from_ms(1_577_923_200_000 + (number - 1) * 604_800_000).to_string(),
    }
}
