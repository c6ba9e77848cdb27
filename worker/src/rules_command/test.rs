//! `rules test`: runs the proofs that stand beside rules, mutants included.
//!
//! Must never pass a rule file that does not load, nor call a rule without a proof proven.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use clap::Args;
use model::Urgency;
use rules::Lists;
use rules::pack::{PackRule, pack};
use rules::parse::{Diagnostic, Loaded, load_texts};
use rules::proof::{Outcome, Subject, prove, prove_together};
use serde_json::{Value, json};

use super::{REFUSED, complain, diagnostics_json, print, settings, sources, table, timeline, trial};

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
    /// Names of the rules that speak in `fires.jsonl`, and where their alerts go.
    told: BTreeMap<String, BTreeSet<Urgency>>,
    /// Lines of `fires.jsonl` that wake somebody.
    pages: usize,
    refused: Vec<Diagnostic>,
}

pub(super) fn run(args: &TestArgs) -> anyhow::Result<ExitCode> {
    let files = sources(&args.paths)?;
    let library = Library::load(&files, !args.paths.is_empty());
    let tested = library.test_all(&files)?;
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

/// Everything that the tested files may refer to.
struct Library {
    files: Vec<PackRule>,
    loaded: Loaded,
}

impl Library {
    /// The files, and behind them the pack, of which a file that is given itself (by folder and name) is left out.
    fn load(files: &[PackRule], with_pack: bool) -> Library {
        let mut carried = if with_pack { pack() } else { Vec::new() };
        carried.retain(|of| {
            let inside = of.file.strip_prefix("pack").unwrap_or(&of.file);
            !files.iter().any(|file| file.file.ends_with(inside))
        });
        let files: Vec<PackRule> = files.iter().cloned().chain(carried).collect();
        let texts: Vec<(PathBuf, &str)> = files.iter().map(|of| (of.file.clone(), of.rule_text.as_str())).collect();
        let loaded = load_texts(&texts, &settings());
        Library { files, loaded }
    }

    /// Tests every file, as many at a time as there are processors.
    fn test_all(&self, files: &[PackRule]) -> anyhow::Result<Vec<Tested>> {
        let (next, done) = (AtomicUsize::new(0), Mutex::new(BTreeMap::new()));
        let work = || {
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                let Some(file) = files.get(at) else { return };
                let tested = self.test(file);
                if let Ok(mut done) = done.lock() {
                    done.insert(at, tested);
                }
            }
        };
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        std::thread::scope(|scope| (0..threads.min(files.len())).for_each(|_| drop(scope.spawn(work))));
        done.into_inner().unwrap_or_default().into_values().collect()
    }

    fn test(&self, file: &PackRule) -> anyhow::Result<Tested> {
        let refused: Vec<Diagnostic> =
            self.loaded.refused.iter().filter(|message| message.file == file.file).cloned().collect();
        let subject = Subject::of(&self.loaded, &file.file);
        let mut tested = Tested {
            folder: file.folder.clone(),
            file: file.file.clone(),
            names: subject.names(),
            outcome: None,
            told: BTreeMap::new(),
            pages: 0,
            refused,
        };
        if !file.has_proof() || !tested.refused.is_empty() {
            return Ok(tested);
        }
        let is_timeline = |line: &rules::proof::Line| line.text.trim_start().starts_with('[');
        let mut outcome = if subject.remembers() || file.fires.iter().chain(&file.silent).any(is_timeline) {
            self.together(file, subject, &mut tested)?
        } else {
            alone(file, &subject, &mut tested)?
        };
        outcome.excuse(&file.rule_text);
        tested.outcome = Some(outcome);
        Ok(tested)
    }

    /// A proof of timelines.
    fn together(&self, file: &PackRule, subject: Subject, tested: &mut Tested) -> anyhow::Result<Outcome> {
        let lists = self.lists(file, &subject)?;
        let names: BTreeMap<String, String> = subject.speakers().into_iter().collect();
        let judge = |documents: Loaded, cases: &[&str]| timeline::spoken(documents, cases, lists);
        let (outcome, said) = prove_together(subject, &file.fires, &file.silent, judge);
        for said in said.iter().take(file.fires.len()) {
            let own = said.iter().filter_map(|(id, urgencies)| Some((names.get(id)?, urgencies)));
            let mut is_paged = false;
            for (name, urgencies) in own {
                is_paged |= urgencies.contains(&Urgency::Page);
                tested.told.entry(name.clone()).or_default().extend(urgencies);
            }
            tested.pages += usize::from(is_paged);
        }
        Ok(outcome)
    }

    /// The lists of the files that the subject's documents stand in; the file's own count first.
    fn lists(&self, file: &PackRule, subject: &Subject) -> anyhow::Result<Lists> {
        let mut lists = Lists::default();
        let named: BTreeSet<PathBuf> = subject.files().collect();
        let referred = self.files.iter().filter(|of| of.file != file.file && named.contains(&of.file));
        for of in referred.chain([file]) {
            of.lists_into(&mut lists)?;
        }
        Ok(lists)
    }
}

/// A proof of single records.
fn alone(file: &PackRule, subject: &Subject, tested: &mut Tested) -> anyhow::Result<Outcome> {
    let (lists, rules) = (file.lists()?, subject.own_rules());
    let outcome = prove(&rules, &file.fires, &file.silent, |rule, lines| trial::holds(rule, lines, &lists));
    let lines: Vec<&str> = file.fires.iter().map(|line| line.text.as_str()).collect();
    let mut paged = vec![false; lines.len()];
    for rule in &rules {
        // What cannot be evaluated is told by the proof.
        let told = tested.told.entry(rules::proof::name_of(rule)).or_default();
        for (paged, answer) in paged.iter_mut().zip(trial::answers(rule, &lines, &lists).unwrap_or_default()) {
            *paged |= answer == Ok(Some(Urgency::Page));
            told.extend(answer.ok().flatten());
        }
    }
    tested.pages = paged.into_iter().filter(|paged| *paged).count();
    Ok(outcome)
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
    let told: BTreeMap<&String, Vec<&str>> = tested
        .told
        .iter()
        .map(|(name, urgencies)| (name, urgencies.iter().map(|urgency| urgency.name()).collect()))
        .collect();
    json!({
        "folder": tested.folder, "file": tested.file.display().to_string(), "rules": tested.names,
        "passed": tested.passed(), "told": told, "proof": outcome, "refused": diagnostics_json(&tested.refused),
    })
}
