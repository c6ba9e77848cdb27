//! A rule's proof: events it must fire on, events it must stay silent on, and mutants that show that every part counts.
//!
//! A proof that passes just as well without one of the rule's conjuncts proves nothing about that conjunct, so each is
//! left out and negated in turn and the proof must fail. Pure: decoding and evaluation come in as a closure. Must never
//! take a line that cannot be judged for one that passed.

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

/// One line of a proof and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Line in its file, from 1.
    pub number: usize,
    /// The record.
    pub text: String,
}

/// What is wrong with a rule or its proof.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// A record that must fire does not.
    #[error("fires.jsonl:{0}: no rule of the file fires")]
    Silent(usize),
    /// A record that must stay silent fires.
    #[error("silent.jsonl:{line}: rule {rule} fires")]
    Fires {
        /// Line of `silent.jsonl`.
        line: usize,
        /// Name of the rule.
        rule: String,
    },
    /// No record makes the rule fire, so nothing is known about it.
    #[error("rule {0} fires on no line of fires.jsonl")]
    NeverFires(String),
    /// The proof passes without the conjunct.
    #[error("rule {rule}: the proof passes {change} (add a line to fires.jsonl or silent.jsonl that tells them apart)")]
    Survives {
        /// Name of the rule.
        rule: String,
        /// What was changed.
        change: String,
    },
    /// A record cannot be read.
    #[error("{file}:{line}: {why}")]
    Unreadable {
        /// `fires.jsonl` or `silent.jsonl`.
        file: &'static str,
        /// Its line.
        line: usize,
        /// Why not.
        why: String,
    },
    /// A rule or mutant cannot be evaluated.
    #[error("rule {rule}: {why}")]
    Broken {
        /// Name of the rule.
        rule: String,
        /// Why not.
        why: String,
    },
}

/// What a proof gave.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Lines of `fires.jsonl` on which a rule fires, of how many.
    pub fires: (usize, usize),
    /// Lines of `silent.jsonl` on which none fires, of how many.
    pub silent: (usize, usize),
    /// Mutants that the proof noticed, of how many.
    pub mutants: (usize, usize),
    /// Everything that is wrong.
    pub failures: Vec<Failure>,
}

impl Outcome {
    /// Nothing is wrong.
    pub fn passed(&self) -> bool {
        self.failures.is_empty()
    }
}

/// Proves the rules of one file against its lines.
///
/// `holds` answers for all lines at once (first those of `fires`, then those of `silent`), so that a rule is compiled
/// once: for each line whether the rule fires, or why the line cannot be read.
///
/// A file may hold several rules, so a fires line belongs to those that fire on it, and a mutant is noticed when its
/// answer to any line differs from its rule's.
pub fn prove(
    rules: &[Rule],
    fires: &[Line],
    silent: &[Line],
    mut holds: impl FnMut(&Rule, &[&str]) -> Result<Vec<Result<bool, String>>, String>,
) -> Outcome {
    let texts: Vec<&str> = fires.iter().chain(silent).map(|line| line.text.as_str()).collect();
    let mut outcome = Outcome::default();
    let mut fired = vec![false; texts.len()];
    for rule in rules {
        let answers = match holds(rule, &texts).and_then(|answers| readable(answers, fires, silent, &mut outcome)) {
            Ok(answers) => answers,
            Err(why) => {
                if !why.is_empty() {
                    outcome.failures.push(Failure::Broken { rule: name_of(rule), why });
                }
                return outcome;
            }
        };
        fired.iter_mut().zip(&answers).for_each(|(fired, answer)| *fired |= *answer);
        for (line, answer) in silent.iter().zip(answers.iter().skip(fires.len())) {
            if *answer {
                outcome.failures.push(Failure::Fires { line: line.number, rule: name_of(rule) });
            }
        }
        if !answers.iter().take(fires.len()).any(|answer| *answer) {
            outcome.failures.push(Failure::NeverFires(name_of(rule)));
        }
        for mutant in mutants(rule) {
            outcome.mutants.1 += 1;
            match holds(&mutant.rule, &texts) {
                Ok(found) if found.iter().zip(&answers).all(|(found, answer)| found.as_ref() == Ok(answer)) => {
                    outcome.failures.push(Failure::Survives { rule: name_of(rule), change: mutant.change });
                }
                Ok(_) => outcome.mutants.0 += 1,
                Err(why) => outcome.failures.push(Failure::Broken { rule: name_of(rule), why }),
            }
        }
    }
    for (line, fired) in fires.iter().zip(&fired) {
        if !fired {
            outcome.failures.push(Failure::Silent(line.number));
        }
    }
    let (at_fires, at_silent) = fired.split_at(fires.len().min(fired.len()));
    outcome.fires = (at_fires.iter().filter(|fired| **fired).count(), fires.len());
    outcome.silent = (at_silent.iter().filter(|fired| !**fired).count(), silent.len());
    outcome
}

/// The answers, or (having told which lines cannot be read) nothing.
fn readable(
    answers: Vec<Result<bool, String>>,
    fires: &[Line],
    silent: &[Line],
    outcome: &mut Outcome,
) -> Result<Vec<bool>, String> {
    let place = |at: usize| match at.checked_sub(fires.len()) {
        None => ("fires.jsonl", fires.get(at)),
        Some(at) => ("silent.jsonl", silent.get(at)),
    };
    let wanted = fires.len() + silent.len();
    if answers.len() != wanted {
        return Err(format!("{} answers for {wanted} lines", answers.len()));
    }
    let mut read = Vec::with_capacity(answers.len());
    for (at, answer) in answers.into_iter().enumerate() {
        match answer {
            Ok(answer) => read.push(answer),
            Err(why) => {
                let (file, line) = place(at);
                outcome.failures.push(Failure::Unreadable { file, line: line.map_or(0, |line| line.number), why });
            }
        }
    }
    if read.len() == wanted { Ok(read) } else { Err(String::new()) }
}

/// The rule's `name`, else its title.
pub fn name_of(rule: &Rule) -> String {
    rule.name.clone().unwrap_or_else(|| rule.title.clone())
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::{Settings, load_texts};

    fn rule(detection: &str) -> Rule {
        let text = format!("title: t\nlogsource: {{product: x}}\ndetection:\n{detection}");
        let mut loaded = load_texts(&[("r.yml".into(), text.as_str())], &Settings::default());
        assert!(loaded.refused.is_empty(), "{:?}", loaded.refused);
        loaded.rules.remove(0)
    }

    #[test]
    fn every_conjunct_has_two_mutants_and_a_list_of_values_none() {
        let rule = rule("  a: {x: 1, y: [u, v]}\n  b: {z: 3}\n  condition: a and not b\nx-where: \"len(q) > 0\"\n");
        let changes: Vec<String> = mutants(&rule).into_iter().map(|mutant| mutant.change).collect();
        // a, not b, x, y and the x-where: two each.
        assert_eq!(changes.len(), 10, "{changes:#?}");
        assert!(changes.iter().any(|change| change == "without `not z is 3`"), "{changes:#?}");
    }

    #[test]
    fn alternatives_of_logic_count() {
        let rule = rule("  a: {x: 1}\n  b: {z: 3}\n  condition: a or b\n");
        let changes: Vec<String> = mutants(&rule).into_iter().map(|mutant| mutant.change).collect();
        assert_eq!(changes.len(), 4, "{changes:#?}");
        assert!(changes.iter().any(|change| change == "without the alternative `x is 1`"), "{changes:#?}");
    }

    /// Judges lines like `x=1 z=3` by the words of the condition: enough to show what a proof notices.
    fn judge(rule: &Rule, lines: &[&str]) -> Result<Vec<Result<bool, String>>, String> {
        fn truth(search: &Search, line: &str) -> bool {
            match search {
                Search::All(parts) => parts.iter().all(|part| truth(part, line)),
                Search::Any(parts) => parts.iter().any(|part| truth(part, line)),
                Search::Not(part) => !truth(part, line),
                Search::Field(test) => {
                    let Test::Number(number) = test.test else { return false };
                    line.split(' ').any(|word| word == format!("{}={number}", test.field))
                }
                Search::Keyword(_) => false,
            }
        }
        let answer =
            |line: &&str| if *line == "?" { Err("no record".to_owned()) } else { Ok(truth(&rule.condition, line)) };
        Ok(lines.iter().map(answer).collect())
    }

    fn lines(texts: &[&str]) -> Vec<Line> {
        texts.iter().enumerate().map(|(at, text)| Line { number: at + 1, text: (*text).to_owned() }).collect()
    }

    #[test]
    fn a_proof_needs_a_line_for_every_conjunct() {
        let rules = [rule("  a: {x: 1}\n  b: {z: 3}\n  condition: a and not b\n")];
        let whole = prove(&rules, &lines(&["x=1"]), &lines(&["x=1 z=3", "y=2"]), judge);
        assert!(whole.passed(), "{:?}", whole.failures);
        assert_eq!((whole.fires, whole.silent, whole.mutants), ((1, 1), (2, 2), (4, 4)));
        let blind = prove(&rules, &lines(&["x=1"]), &lines(&["y=2"]), judge);
        let survives = |change: &str| Failure::Survives { rule: "t".into(), change: change.into() };
        assert_eq!(blind.failures, [survives("without `not z is 3`")]);
        assert_eq!(blind.mutants, (3, 4));
    }

    #[test]
    fn what_fails_is_named_with_its_line() {
        let rules = [rule("  a: {x: 1}\n  b: {z: 3}\n  condition: a and not b\n")];
        let wrong = prove(&rules, &lines(&["x=1", "y=2"]), &lines(&["x=1 y=1", "x=1 z=3", "y=2"]), judge);
        assert_eq!(wrong.failures, [Failure::Fires { line: 1, rule: "t".into() }, Failure::Silent(2)]);
        assert_eq!((wrong.fires, wrong.silent), ((1, 2), (2, 3)));
        let unread = prove(&rules, &lines(&["x=1"]), &lines(&["?"]), judge);
        let why = Failure::Unreadable { file: "silent.jsonl", line: 1, why: "no record".into() };
        assert_eq!(unread.failures, [why]);
        let never = prove(&rules, &lines(&[]), &lines(&["y=2"]), judge);
        assert!(never.failures.contains(&Failure::NeverFires("t".into())), "{:?}", never.failures);
    }
}
