//! This engine against `rsigma-eval`, another implementation of Sigma: generated rules and events, and the corpora.
//!
//! Where the two differ the difference stands in [`EXPLAINED`], with the side that follows the specification.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use harness::corpus::{self, RuleText};
use harness::firing;
use harness::generate::{self, Random};
use rsigma_eval::event::JsonEvent;
use rules::ast::{FieldTest, Pattern, Piece, Rule, Search, Test};
use serde_json::Value;

use super::corpus_rules::{load, sample};
use super::oracle::Engine;

struct Other {
    engine: rsigma_eval::Engine,
    /// By rule id: its index.
    numbers: BTreeMap<String, u32>,
}

impl Other {
    /// Rules that the other engine refuses come back by index.
    fn new(texts: &[RuleText], rules: &[std::sync::Arc<Rule>]) -> (Other, Vec<u32>) {
        let mut engine = rsigma_eval::Engine::new();
        let mut refused = Vec::new();
        let mut loaded = Vec::new();
        for (at, (_, text)) in (0..).zip(texts) {
            match rsigma_parser::parse_sigma_yaml(text) {
                Ok(collection) if collection.rules.len() == 1 => loaded.push((at, collection)),
                _ => refused.push(at),
            }
        }
        let all: Vec<_> = loaded.iter().flat_map(|(_, collection)| &collection.rules).collect();
        refused.extend(engine.add_rules(all).iter().map(|(at, _)| loaded[*at].0));
        let numbers = (0..).zip(rules).map(|(at, rule)| (rule.id.clone(), at)).collect();
        (Other { engine, numbers }, refused)
    }

    fn holding(&self, event: &Value) -> Vec<u32> {
        let found = self.engine.evaluate(&JsonEvent::borrow(event));
        let number = |id: &str| self.numbers[&id.to_ascii_lowercase()];
        let mut found: Vec<u32> =
            found.iter().map(|found| number(found.header.rule_id.as_deref().expect("an id"))).collect();
        found.sort_unstable();
        found
    }
}

/// A rule and an event of which the engines say different things.
struct Case<'a> {
    rule: &'a Rule,
    text: &'a str,
    event: &'a Value,
}

/// Name of a difference, why the engines differ and who follows the specification, and when it can explain one.
type Explained = (&'static str, &'static str, fn(&Case<'_>) -> bool);

/// Looked at in this order.
const EXPLAINED: &[Explained] = &[
    ("keywords joined by all", "ours: every keyword somewhere in the event; theirs wants all in one value", |case| {
        case.text.contains("'|all'") || case.text.contains("\"|all\"")
    }),
    ("keywords and numbers", "ours: numbers and truth values are searched as text, and may be keywords", |case| {
        has(case.rule, |search| matches!(search, Search::Keyword(_)))
            && (has(case.rule, |search| matches!(search, Search::Keyword(pattern) if is_number(pattern)))
                || any_value(case.event, &|value| value.is_number() || value.is_boolean()))
    }),
    (
        "windash",
        "ours: the five characters stand for each other (a hyphen anywhere, the others where they open a word, so that \
         a path is none), wildcards are wildcards, encodings come behind; theirs begins at `-` only, takes `*` for \
         itself and drops windash before an encoding",
        |case| {
            let differs =
                |key: &str, text: &str| text.contains(OTHER_DASHES) || is_wild(text) || key.contains("|windash|base64");
            values(case, "|windash").is_none_or(|all| all.iter().any(|(key, text)| differs(key, text)))
        },
    ),
    (
        "wildcards behind startswith and endswith",
        "ours: `endswith` holds the end, also with a wildcard in the value; theirs then holds the beginning instead, and \
         `startswith` the end",
        |case| {
            let is_wild = |all: Vec<(String, String)>| all.iter().any(|(_, text)| is_wild(text));
            let inside =
                || has(case.rule, |search| matches!(search, Search::Field(test) if is_wild_inside(&test.test)));
            ["|startswith", "|endswith"].iter().any(|how| values(case, how).map_or_else(inside, is_wild))
        },
    ),
    (
        "base64offset",
        "ours: the cut that pySigma makes; theirs keeps a character that the next byte decides, and so finds less",
        |case| {
            values(case, "|base64offset").is_none_or(|all| all.iter().any(|(key, text)| cut_decides(case, key, text)))
        },
    ),
    ("base64offset at an end", "ours: only there; theirs takes every base64offset for `contains`", |case| {
        case.text.contains("|base64offset|startswith")
    }),
    ("line feeds", "ours: `*` and `?` stand for any character; theirs stop at the end of a line", |case| {
        any_value(case.event, &|value| value.as_str().is_some_and(|text| text.contains('\n')))
    }),
    ("case outside ASCII", "ours: Unicode simple case folding; theirs lower case, in places of ASCII only", |case| {
        !case.event.to_string().is_ascii() || !case.text.is_ascii()
    }),
    ("null that exists", "ours: null and empty values are present", |case| {
        case.text.contains("|exists") && any_value(case.event, &Value::is_null)
    }),
    ("references to arrays", "ours: any member may be equal to any member of the other field", |case| {
        case.text.contains("|fieldref") && any_array(case.event)
    }),
    ("references to objects", "ours: an object is no value; theirs compares objects", |case| {
        has(case.rule, |search| match search {
            Search::Field(FieldTest { field, test: Test::FieldRef { other, .. } }) => {
                [field, other].iter().any(|field| case.event.get(field.as_str()).is_some_and(Value::is_object))
            }
            _ => false,
        })
    }),
    (
        "references to missing fields",
        "ours: `fieldref|neq` is false while the other field is missing; theirs is true",
        |case| case.text.contains("|fieldref|neq"),
    ),
    ("epoch as text", "open: a text of digits is read as an epoch time here, not there", |case| {
        has(case.rule, |search| matches!(search, Search::Field(FieldTest { test: Test::TimePart(..), .. })))
    }),
    ("null in a list", "ours: a missing field is null among other values too", |case| {
        has(case.rule, |search| match search {
            Search::Any(parts) => {
                parts.iter().any(|part| matches!(part, Search::Field(FieldTest { test: Test::Null, .. })))
            }
            _ => false,
        })
    }),
    ("numbers as text", "open: 4.0 is `4.0` here and `4` there", |case| any_value(case.event, &|value| value.is_f64())),
];

/// Those that `windash` takes for a hyphen.
const OTHER_DASHES: [char; 4] = ['/', '\u{2013}', '\u{2014}', '\u{2015}'];

/// Keys with a modifier and their texts, of a generated rule; None of a rule in YAML.
fn values(case: &Case<'_>, modifier: &str) -> Option<Vec<(String, String)>> {
    fn walk(value: &Value, key: &str, modifier: &str, found: &mut Vec<(String, String)>) {
        match value {
            Value::Array(members) => members.iter().for_each(|member| walk(member, key, modifier, found)),
            Value::Object(members) => members.iter().for_each(|(key, value)| walk(value, key, modifier, found)),
            Value::String(text) if key.contains(modifier) => found.push((key.to_owned(), text.clone())),
            _ => {}
        }
    }
    let rule: Value = match serde_json::from_str(case.text) {
        Ok(rule) => rule,
        Err(_) => return (!case.text.contains(modifier)).then(Vec::new),
    };
    let mut found = Vec::new();
    walk(&rule["detection"], "", modifier, &mut found);
    Some(found)
}

/// A wildcard that no backslash takes for itself.
fn is_wild(text: &str) -> bool {
    text.replace(r"\\", "").replace(r"\*", "").replace(r"\?", "").contains(['*', '?'])
}

fn is_wild_inside(test: &Test) -> bool {
    let Test::Text(Pattern { pieces, .. }) = test else { return false };
    pieces.iter().skip(1).rev().skip(1).any(|piece| !matches!(piece, Piece::Literal(_)))
}

/// The event holds a text in base64, and not the character behind it that the other engine made up.
fn cut_decides(case: &Case<'_>, key: &str, text: &str) -> bool {
    let wide = |order: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(order).collect::<Vec<u8>>();
    let bytes = match key {
        key if key.contains("|wide") => wide(u16::to_le_bytes),
        key if key.contains("|utf16be") => wide(u16::to_be_bytes),
        key if key.contains("|utf16|") => [vec![0xff, 0xfe], wide(u16::to_le_bytes)].concat(),
        _ => text.as_bytes().to_vec(),
    };
    (0..3).any(|offset| {
        let padded = [&[0; 2][..offset], &bytes].concat();
        let whole = STANDARD_NO_PAD.encode(&padded)[[0, 2, 3][offset]..].to_lowercase();
        let stable = &whole[..whole.len() - usize::from(padded.len() % 3 != 0)];
        any_value(case.event, &|value| {
            value.as_str().is_some_and(|text| {
                let text = text.to_lowercase();
                text.contains(stable) && !text.contains(&whole)
            })
        })
    })
}

fn is_number(pattern: &Pattern) -> bool {
    matches!(pattern.pieces.as_slice(), [Piece::Literal(text)] if text.parse::<f64>().is_ok())
}

fn has(rule: &Rule, wanted: impl Fn(&Search) -> bool) -> bool {
    fn any(search: &Search, wanted: &dyn Fn(&Search) -> bool) -> bool {
        wanted(search)
            || match search {
                Search::All(parts) | Search::Any(parts) => parts.iter().any(|part| any(part, wanted)),
                Search::Not(part) => any(part, wanted),
                Search::Field(_) | Search::Keyword(_) => false,
            }
    }
    any(&rule.condition, &wanted)
}

fn any_value(value: &Value, wanted: &dyn Fn(&Value) -> bool) -> bool {
    match value {
        Value::Array(members) => members.iter().any(|member| any_value(member, wanted)),
        Value::Object(members) => members.values().any(|member| any_value(member, wanted)),
        scalar => wanted(scalar),
    }
}

fn any_array(value: &Value) -> bool {
    match value {
        Value::Object(members) => members.values().any(any_array),
        other => other.is_array(),
    }
}

#[derive(Default)]
struct Tally {
    /// Pairs of rule and event that no explanation could excuse, and that agree.
    strict: usize,
    held: usize,
    explained: BTreeMap<&'static str, usize>,
    unexplained: Vec<String>,
}

impl Tally {
    fn compare(&mut self, texts: &[RuleText], engine: &mut Engine, other: &Other, refused: &[u32], event: &Value) {
        let (ours, theirs) = (engine.holding(&event.to_string()), other.holding(event));
        self.held += ours.len();
        for at in (0..texts.len() as u32).filter(|at| !refused.contains(at)) {
            let (we, they) = (ours.contains(&at), theirs.contains(&at));
            if !we && !they {
                continue;
            }
            let case = Case { rule: &engine.rules[at as usize], text: &texts[at as usize].1, event };
            match EXPLAINED.iter().find(|(_, _, can_explain)| can_explain(&case)) {
                Some((name, ..)) if we != they => *self.explained.entry(name).or_default() += 1,
                Some(_) => {}
                None if we == they => self.strict += 1,
                None => self.unexplained.push(format!("we say {we}, they say {they}\n{}\n{event}", case.text)),
            }
        }
    }

    fn report(&self) {
        println!("{} hold, {} of them beyond excuse; differences: {:?}", self.held, self.strict, self.explained);
        let some: Vec<&str> = self.unexplained.iter().take(12).map(String::as_str).collect();
        assert!(some.is_empty(), "{} differences that nothing explains:\n{}", self.unexplained.len(), some.join("\n"));
    }
}

#[test]
fn generated_rules_and_events() {
    let mut random = Random(21);
    let mut tally = Tally::default();
    for _ in 0..120 {
        let documents: Vec<Value> = (0..40).map(|id| generate::rule(&mut random, id, true)).collect();
        let texts: Vec<RuleText> =
            documents.iter().map(|rule| (rule["title"].to_string().into(), rule.to_string())).collect();
        let mut engine = Engine::new(generate::load(&documents));
        let (other, refused) = Other::new(&texts, &engine.rules);
        let mut events: Vec<Value> = (0..30).map(|_| generate::event(&mut random)).collect();
        events.extend(engine.rules.iter().filter_map(|rule| firing::event(&rule.condition, &mut random, &sample)));
        for event in events {
            tally.compare(&texts, &mut engine, &other, &refused, &event);
        }
    }
    tally.report();
    assert!(tally.strict > 1_500 && tally.held > 5_000);
}

#[test]
fn the_whole_corpus() {
    let Some(texts) = corpus::all_rules() else { return };
    let mut engine = Engine::new(load(&texts));
    let (other, refused) = Other::new(&texts, &engine.rules);
    assert!(refused.is_empty(), "{refused:?}");
    let mut random = Random(31);
    let mut events: Vec<Value> =
        corpus::events(2_000, 9).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    for rule in &engine.rules {
        events.extend(firing::event(&rule.condition, &mut random, &sample));
    }
    let mut tally = Tally::default();
    for event in events {
        tally.compare(&texts, &mut engine, &other, &refused, &event);
    }
    tally.report();
    assert!(tally.strict > 1_500 && tally.held > 3_000);
}
