//! One rule with one part of its detection changed: what the proof of a rule must notice.
//!
//! Pure. Must never change more than one part at a time.

use crate::ast::{FieldTest, Rule, Search, Test};
use crate::where_expr::{Expr, Where};
use crate::words;

/// A rule with one conjunct changed.
#[derive(Debug, Clone, PartialEq)]
pub struct Mutant {
    /// What was changed, in words: ``without `event.action is 'registered'` ``.
    pub change: String,
    /// The changed rule.
    pub rule: Rule,
}

/// The rule without each of its conjuncts, with each of them negated, and without each alternative that is more than one
/// more value of the same field.
pub fn mutants(rule: &Rule) -> Vec<Mutant> {
    let mut mutants = Vec::new();
    let changed = |change: String, condition: Search| Mutant { change, rule: Rule { condition, ..rule.clone() } };
    if !matches!(rule.condition, Search::All(_)) {
        let words = words::one_line(&rule.condition);
        mutants.push(changed(format!("without `{words}`"), Search::All(Vec::new())));
        mutants.push(changed(format!("with `{words}` negated"), Search::Not(Box::new(rule.condition.clone()))));
    }
    for (change, condition) in changes(&rule.condition) {
        mutants.push(changed(change, condition));
    }
    for (at, expression) in rule.wheres.iter().enumerate() {
        let source = &expression.source;
        let mut without = rule.clone();
        without.wheres.remove(at);
        mutants.push(Mutant { change: format!("without x-where `{source}`"), rule: without });
        let mut negated = rule.clone();
        if let Some(place) = negated.wheres.get_mut(at) {
            *place = Where { source: format!("not ({source})"), expr: Expr::Not(Box::new(expression.expr.clone())) };
        }
        mutants.push(Mutant { change: format!("with x-where `{source}` negated"), rule: negated });
    }
    mutants
}

/// Every way of changing one part of the search, and the whole search that results.
fn changes(search: &Search) -> Vec<(String, Search)> {
    let mut found = Vec::new();
    match search {
        Search::All(parts) => {
            for (at, part) in parts.iter().enumerate() {
                let words = words::one_line(part);
                found.push((format!("without `{words}`"), Search::All(left_out(parts, at))));
                let negated = replaced(parts, at, Search::Not(Box::new(part.clone())));
                found.push((format!("with `{words}` negated"), Search::All(negated)));
                let inner = changes(part).into_iter();
                found.extend(inner.map(|(change, part)| (change, Search::All(replaced(parts, at, part)))));
            }
        }
        Search::Any(parts) => {
            let values_only = is_list_of_values(parts);
            for (at, part) in parts.iter().enumerate() {
                if !values_only {
                    let words = words::one_line(part);
                    found.push((format!("without the alternative `{words}`"), Search::Any(left_out(parts, at))));
                }
                let inner = changes(part).into_iter();
                found.extend(inner.map(|(change, part)| (change, Search::Any(replaced(parts, at, part)))));
            }
        }
        Search::Not(part) => {
            found.extend(changes(part).into_iter().map(|(change, part)| (change, Search::Not(Box::new(part)))));
        }
        Search::Field(_) | Search::Keyword(_) => {}
    }
    found
}

fn left_out(parts: &[Search], at: usize) -> Vec<Search> {
    parts.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, part)| part.clone()).collect()
}

fn replaced(parts: &[Search], at: usize, with: Search) -> Vec<Search> {
    parts.iter().enumerate().map(|(other, part)| if other == at { with.clone() } else { part.clone() }).collect()
}

/// All parts are texts or numbers of one field, or keywords: one value more or less is data, not logic.
fn is_list_of_values(parts: &[Search]) -> bool {
    let mut field: Option<&str> = None;
    parts.iter().all(|part| match part {
        Search::Keyword(_) => true,
        Search::Field(FieldTest { field: name, test: Test::Text(_) | Test::Number(_) }) => {
            *field.get_or_insert(name) == name
        }
        _ => false,
    })
}
