//! A rule's proof: events it must fire on, events it must stay silent on, and mutants that show that every part counts.
//!
//! A proof that passes just as well without one of the rule's conjuncts proves nothing about that conjunct, so each is
//! left out and negated in turn and the proof must fail. Pure: decoding and evaluation come in as a closure. Must never
//! take a line that cannot be judged for one that passed.

mod mutants;
mod remembering;
mod subject;

use std::collections::{BTreeMap, BTreeSet};

use model::Urgency;

use crate::ast::Rule;
use crate::parse::Loaded;

pub use mutants::{Mutant, mutants};
pub use subject::Subject;

/// What a comment of a rule file begins with that excuses a mutant: `# equivalent: RULE CHANGE: why nothing can tell`.
const EQUIVALENT: &str = "# equivalent: ";

/// Where the rules (by id) that speak in a case send their alerts, or why the case cannot be read.
pub type Spoken = Result<BTreeMap<String, BTreeSet<Urgency>>, String>;

/// One line of a proof and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Line in its file, from 1.
    pub number: usize,
    /// The record; or a JSON array of records in the order in which they arrive.
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
    /// What a comment calls equivalent is no mutant that passes.
    #[error("`{EQUIVALENT}{0}`: no such mutant passes the proof (remove the comment)")]
    NotEquivalent(String),
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

    /// Leaves out the mutants that a comment of the rule file calls equivalent.
    pub fn excuse(&mut self, rule_text: &str) {
        for comment in rule_text.lines().filter_map(|line| line.trim_start().strip_prefix(EQUIVALENT)) {
            let is_meant = |failure: &Failure| match failure {
                Failure::Survives { rule, change } => comment.starts_with(&format!("{rule} {change}: ")),
                _ => false,
            };
            let before = self.failures.len();
            self.failures.retain(|failure| !is_meant(failure));
            let excused = before - self.failures.len();
            self.mutants.1 -= excused.min(self.mutants.1);
            if excused == 0 {
                self.failures.push(Failure::NotEquivalent(comment.to_owned()));
            }
        }
    }

    fn counted(&mut self, fired: &[bool], fires: &[Line], silent: &[Line]) {
        for (line, fired) in fires.iter().zip(fired) {
            if !fired {
                self.failures.push(Failure::Silent(line.number));
            }
        }
        let (at_fires, at_silent) = fired.split_at(fires.len().min(fired.len()));
        self.fires = (at_fires.iter().filter(|fired| **fired).count(), fires.len());
        self.silent = (at_silent.iter().filter(|fired| !**fired).count(), silent.len());
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
    outcome.counted(&fired, fires, silent);
    outcome
}

/// Proves the documents of one file that look at several events.
///
/// `spoken` judges documents in cases (first those of `fires`, then those of `silent`): the rules and all of their
/// mutants at once, side by side. Gives what the rules themselves said in each case, too.
pub fn prove_together(
    mut subject: Subject,
    fires: &[Line],
    silent: &[Line],
    spoken: impl FnOnce(Loaded, &[&str]) -> Result<Vec<Spoken>, String>,
) -> (Outcome, Vec<BTreeMap<String, BTreeSet<Urgency>>>) {
    let cases: Vec<&str> = fires.iter().chain(silent).map(|line| line.text.as_str()).collect();
    let speakers = subject.speakers();
    let variants = subject.add_variants();
    let mut outcome = Outcome::default();
    let said = spoken(std::mem::take(&mut subject.documents), &cases)
        .and_then(|said| readable(said, fires, silent, &mut outcome));
    let said = match said {
        Ok(said) => said,
        Err(why) => {
            if !why.is_empty() {
                let rule = speakers.first().map(|(_, name)| name.clone()).unwrap_or_default();
                outcome.failures.push(Failure::Broken { rule, why });
            }
            return (outcome, Vec::new());
        }
    };
    let fired = |id: &String| said.iter().map(|said| said.contains_key(id)).collect::<Vec<bool>>();
    let mut any = vec![false; cases.len()];
    for (id, name) in &speakers {
        let fired = fired(id);
        any.iter_mut().zip(&fired).for_each(|(any, fired)| *any |= *fired);
        for (line, fired) in silent.iter().zip(fired.iter().skip(fires.len())) {
            if *fired {
                outcome.failures.push(Failure::Fires { line: line.number, rule: name.clone() });
            }
        }
        if !fired.iter().take(fires.len()).any(|fired| *fired) {
            outcome.failures.push(Failure::NeverFires(name.clone()));
        }
    }
    for variant in variants {
        outcome.mutants.1 += 1;
        if variant.speakers.iter().any(|(without, with)| fired(without) != fired(with)) {
            outcome.mutants.0 += 1;
        } else {
            outcome.failures.push(Failure::Survives { rule: variant.rule, change: variant.change });
        }
    }
    outcome.counted(&any, fires, silent);
    (outcome, said)
}

/// The answers, or (having told which lines cannot be read) nothing.
fn readable<T>(
    answers: Vec<Result<T, String>>,
    fires: &[Line],
    silent: &[Line],
    outcome: &mut Outcome,
) -> Result<Vec<T>, String> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ast::{Search, Test};
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
        let mut excused = blind.clone();
        excused.excuse("title: t\n  # equivalent: t without `not z is 3`: z is never 3\n");
        assert!(excused.passed() && excused.mutants == (3, 3), "{excused:?}");
        excused.excuse("# equivalent: t without `x is 1`: x is always 1\n");
        assert_eq!(excused.failures, [Failure::NotEquivalent("t without `x is 1`: x is always 1".into())]);
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
