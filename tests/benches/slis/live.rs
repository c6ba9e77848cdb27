//! What live indicators cost: contributions added up by minute, beside 109 rules evaluated on as many events.
//!
//! Both on one thread, round by round. Must never fold into buckets that are there already.

use super::*;

use harness::corpus;
use ingest::scan;
use model::Row;
use rules::parse::{Settings, load_texts};
use rules::{Evaluator, Lists, Program};

/// Events that are evaluated again and again: their text fits into memory beside everything else.
const EVENTS: usize = 200_000;

/// Prints both, for so many of each.
pub(super) fn run(count: usize, rounds: usize) {
    let definitions = Definition::shipped().expect("definitions");
    let bytes = memory(&definitions, count);
    let made: Vec<Contribution> = contributions(&definitions, count).collect();
    let text = corpus::events(EVENTS, 20_260_901);
    let lines: Vec<&str> = text.lines().filter(|line| !line.is_empty()).collect();
    let texts = corpus::delivery_rules().unwrap_or_else(|| corpus::made_up_rules(109));
    let texts: Vec<_> = texts.iter().map(|(path, text)| (path.clone(), text.as_str())).collect();
    let loaded = load_texts(&texts, &Settings { include_deprecated: true, ..Settings::default() });
    let rules: Vec<_> = loaded.rules.into_iter().map(Arc::new).collect();
    let program = Program::compile(&rules, |_| true).expect("compiles");
    let (mut fold_best, mut evaluate_best, mut rows) = (f64::INFINITY, f64::INFINITY, 0);
    for _ in 0..rounds {
        let given = made.clone();
        let start = Instant::now();
        let mut buckets = Buckets::new(4 * count);
        given.into_iter().for_each(|contribution| buckets.add(contribution));
        fold_best = fold_best.min(start.elapsed().as_secs_f64());
        rows = buckets.len();
        drop(buckets);
        evaluate_best = evaluate_best.min(evaluated(&program, &lines, count));
    }
    let ns = |seconds: f64| seconds / count as f64 * 1e9;
    println!(
        "{count} contributions folded into {rows} rows: {:.0} ns each, {} MB more resident; {} rules: {:.0} ns an event; {:.1} %",
        ns(fold_best),
        bytes / 1_000_000,
        rules.len(),
        ns(evaluate_best),
        fold_best / evaluate_best * 100.0
    );
    println!("resident at most {} MB", status("VmHWM:") / 1_000_000);
}

/// A day in order, a minute's jitter: as contributions come from a cursor.
fn contributions(definitions: &[Definition], count: usize) -> impl Iterator<Item = Contribution> {
    let mut made_up = MadeUp::new(definitions, 7);
    (0..count).map(move |number| {
        let at_ms = FROM_MS + (number as i64 * DAY_MS) / count as i64 + made_up.random.below(60_000) as i64;
        made_up.contribution(at_ms)
    })
}

/// What buckets with all of them take, texts included, in bytes.
fn memory(definitions: &[Definition], count: usize) -> u64 {
    let before = resident();
    let mut buckets = Buckets::new(4 * count);
    contributions(definitions, count).for_each(|contribution| buckets.add(contribution));
    resident().saturating_sub(before)
}

fn evaluated(program: &Program, lines: &[&str], count: usize) -> f64 {
    let (mut row, mut evaluator, lists) = (Row::default(), Evaluator::default(), Lists::default());
    let mut matches = 0;
    let start = Instant::now();
    for line in lines.iter().cycle().take(count) {
        let record = simdutf8::basic::from_utf8(line.as_bytes()).expect("UTF-8");
        scan(record, program.projection(), &mut row).expect("JSON");
        matches += evaluator.holding(program, row.view(record), &lists).len();
    }
    assert!(matches > 0);
    start.elapsed().as_secs_f64()
}
