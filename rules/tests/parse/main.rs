//! Conformance of the rule parser, block by block, and the corpora. Nothing here evaluates an event.

#![allow(clippy::panic, clippy::print_stdout)]

mod conditions;
mod corpus;
mod correlations;
mod documents;
mod filters;
mod fuzz;
mod invalid;
mod modifiers;
mod remembering;
mod values;
mod where_expr;

use std::path::PathBuf;

use rules::ast::{FieldTest, Pattern, Piece, Rule, Search, Test};
use rules::parse::{Loaded, Settings, load_texts};

/// Loads one text under the name `rule.yml`.
fn load(text: &str) -> Loaded {
    load_with(text, &Settings::default())
}

fn load_with(text: &str, settings: &Settings) -> Loaded {
    let loaded = load_texts(&[(PathBuf::from("rule.yml"), text)], settings);
    let kept = loaded.rules.len() + loaded.correlations.len() + loaded.filters;
    let accounted = kept + loaded.refused.len() + loaded.skipped.len();
    assert_eq!(loaded.documents, accounted, "documents vanish in {text}");
    loaded
}

/// A rule with this body of `detection` (indented by two).
fn rule_text(detection: &str) -> String {
    format!("title: T\nlogsource: {{category: test}}\ndetection:\n{detection}\n")
}

/// The one rule of a text.
fn rule(text: &str) -> Rule {
    rule_with(text, &Settings::default())
}

fn rule_with(text: &str, settings: &Settings) -> Rule {
    let mut loaded = load_with(text, settings);
    assert!(loaded.refused.is_empty(), "{text}\n{}", loaded.refused[0]);
    assert_eq!(loaded.rules.len(), 1, "{text}");
    loaded.rules.remove(0)
}

/// What a selection with this one line means.
fn selection(line: &str) -> Search {
    rule(&rule_text(&format!("  s:\n    {line}\n  condition: s"))).condition
}

/// The message that refuses a selection with this one line.
fn refusal(line: &str) -> String {
    refusal_of(&rule_text(&format!("  s:\n    {line}\n  condition: s")))
}

fn refusal_of(text: &str) -> String {
    let loaded = load(text);
    assert_eq!(loaded.refused.len(), 1, "loads, or more than one message: {text}");
    let message = loaded.refused[0].to_string();
    assert!(
        message.starts_with("rule.yml:") && loaded.refused[0].line > 0 && message.contains(" (hint: "),
        "{message}"
    );
    message
}

fn field(name: &str, test: Test) -> Search {
    Search::Field(FieldTest { field: name.to_owned(), test })
}

fn f(test: Test) -> Search {
    field("f", test)
}

/// `pattern("*a?")`: the pieces one by one, without escapes.
fn pattern(text: &str) -> Pattern {
    let mut pieces = Vec::new();
    for c in text.chars() {
        match (c, pieces.last_mut()) {
            ('*', _) => pieces.push(Piece::Many),
            ('?', _) => pieces.push(Piece::One),
            (c, Some(Piece::Literal(text))) => text.push(c),
            (c, _) => pieces.push(Piece::Literal(c.to_string())),
        }
    }
    Pattern { pieces, cased: false }
}

fn cased(text: &str) -> Pattern {
    Pattern { cased: true, ..pattern(text) }
}

fn text(text: &str) -> Search {
    f(Test::Text(pattern(text)))
}

fn keyword(text: &str) -> Search {
    Search::Keyword(pattern(text))
}

fn not(search: Search) -> Search {
    Search::Not(Box::new(search))
}
