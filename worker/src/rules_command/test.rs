//! `rules test`: runs the proofs that stand beside rules, mutants included.
//!
//! Must never pass a rule file that does not load, nor call a rule without a proof proven.

use std::fmt::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use model::Urgency;
use rules::ast::Rule;
use rules::pack::PackRule;
use rules::parse::{Diagnostic, load_texts};
use rules::proof::{Outcome, prove};
use serde_json::{Value, json};

use super::{REFUSED, complain, diagnostics_json, print, settings, sources, table, trial};

/// Arguments of `rules test`.
#[derive(Debug, Args)]
pub(super) struct TestArgs {
    /// Rule files, or folders of them [default: the rules that pipewarden brings]
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Print one JSON object instead of a table
    #[arg(long)]
    json: bool,
}

/// What the proof of one rule file gave.
struct Tested {
    folder: String,
    file: PathBuf,
    names: Vec<String>,
    /// None: there is no proof.
    outcome: Option<Outcome>,
    /// Lines of `fires.jsonl` that wake somebody.
    pages: usize,
    refused: Vec<Diagnostic>,
}

pub(super) fn run(args: &TestArgs) -> anyhow::Result<ExitCode> {
    let tested = sources(&args.paths)?.iter().map(test).collect::<anyhow::Result<Vec<_>>>()?;
    if args.json {
        let rows: Vec<Value> = tested.iter().map(as_json).collect();
        print(&format!("{}\n", json!({ "files": rows, "passed": tested.iter().all(Tested::passed) })))?;
    } else {
        print_words(&tested)?;
    }
    Ok(if tested.iter().any(|tested| !tested.refused.is_empty()) {
        ExitCode::from(REFUSED)
    } else if tested.iter().all(Tested::passed) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

impl Tested {
    fn passed(&self) -> bool {
        self.refused.is_empty() && self.outcome.as_ref().is_none_or(Outcome::passed)
    }
}

fn test(file: &PackRule) -> anyhow::Result<Tested> {
    let loaded = load_texts(&[(file.file.clone(), file.rule_text.as_str())], &settings());
    let mut tested = Tested {
        folder: file.folder.clone(),
        file: file.file.clone(),
        names: loaded.rules.iter().map(rules::proof::name_of).collect(),
        outcome: None,
        pages: 0,
        refused: loaded.refused,
    };
    if file.has_proof() && tested.refused.is_empty() {
        let lists = file.lists()?;
        tested.outcome =
            Some(prove(&loaded.rules, &file.fires, &file.silent, |rule, lines| trial::holds(rule, lines, &lists)));
        tested.pages = pages(file, &loaded.rules)?;
    }
    Ok(tested)
}

/// How many lines of `fires.jsonl` page somebody by one of the rules.
fn pages(file: &PackRule, rules: &[Rule]) -> anyhow::Result<usize> {
    let lists = file.lists()?;
    let lines: Vec<&str> = file.fires.iter().map(|line| line.text.as_str()).collect();
    let mut paged = vec![false; lines.len()];
    for rule in rules {
        // What cannot be evaluated is told by the proof.
        for (paged, answer) in paged.iter_mut().zip(trial::answers(rule, &lines, &lists).unwrap_or_default()) {
            *paged |= answer == Ok(Some(Urgency::Page));
        }
    }
    Ok(paged.into_iter().filter(|paged| *paged).count())
}

fn print_words(tested: &[Tested]) -> anyhow::Result<()> {
    let mut rows = table(&["", "rule", "fires", "silent", "mutants killed", "pages"], &[]);
    let of = |(passed, all): (usize, usize)| format!("{passed}/{all}");
    for tested in tested {
        let verdict = match (&tested.outcome, tested.passed()) {
            (None, true) => "no proof",
            (_, true) => "ok",
            (_, false) => "FAILED",
        };
        let mut row = vec![verdict.to_owned(), tested.folder.clone()];
        match &tested.outcome {
            Some(outcome) => row.extend([
                of(outcome.fires),
                of(outcome.silent),
                of(outcome.mutants),
                of((tested.pages, outcome.fires.1)),
            ]),
            None => row.extend(std::iter::repeat_n("-".to_owned(), 4)),
        }
        rows.add_row(row);
    }
    let mut text = rows.trim_fmt();
    let proven = tested.iter().filter(|tested| tested.outcome.is_some() && tested.passed()).count();
    let failed = tested.iter().filter(|tested| !tested.passed()).count();
    let rules: usize = tested.iter().map(|tested| tested.names.len()).sum();
    let unproven = tested.len() - proven - failed;
    let counted = |count: usize, word: &str| format!("{count} {word}{}", if count == 1 { "" } else { "s" });
    let (rules, files) = (counted(rules, "rule"), counted(tested.len(), "file"));
    write!(text, "\n\n{rules} in {files}: {proven} proven, {failed} failed, {unproven} without a proof\n")?;
    print(&text)?;
    for tested in tested {
        complain("error", &tested.refused);
        let failures = tested.outcome.as_ref().map_or(&[][..], |outcome| &outcome.failures);
        complain("failed", &failures.iter().map(|failure| diagnostic(tested, failure.to_string())).collect::<Vec<_>>());
    }
    Ok(())
}

/// A failure at its rule file; which line of which proof file stands in the message.
fn diagnostic(tested: &Tested, message: String) -> Diagnostic {
    Diagnostic { file: tested.file.clone(), line: 0, rule: None, message, hint: None }
}

fn as_json(tested: &Tested) -> Value {
    let of = |(passed, all): (usize, usize)| json!({ "passed": passed, "of": all });
    let outcome = tested.outcome.as_ref().map(|outcome| {
        json!({
            "fires": of(outcome.fires), "silent": of(outcome.silent), "mutants": of(outcome.mutants),
            "pages": tested.pages,
            "failures": outcome.failures.iter().map(ToString::to_string).collect::<Vec<_>>(),
        })
    });
    json!({
        "folder": tested.folder, "file": tested.file.display().to_string(), "rules": tested.names,
        "passed": tested.passed(), "proof": outcome, "refused": diagnostics_json(&tested.refused),
    })
}
