//! The engine that looks at more than one event, held to a brute-force evaluator on thousands of random rule sets and
//! timelines: in process, and through the binary.
//!
//! `SEED=n` runs the case of one seed alone and prints it; `CASES=n` runs so many.

use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};

use harness::cli;
use harness::correlation_oracle::draw::{self, Case};
use harness::correlation_oracle::{Documents, Event, arrival, engine, expected};
use serde_json::{Value, json};

const CASES: u64 = 3_000;
const CASES_OF_THE_BINARY: u64 = 100;

type Told = (Vec<Value>, Vec<Value>);

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// What the model and the engine say, where they differ.
fn differs(case: &Case, run: &dyn Fn(&Case) -> Option<Told>) -> Option<(Told, Told)> {
    let (wanted, found) = (arrival::told(case)?, run(case)?);
    (wanted != found).then_some((wanted, found))
}

fn in_process(case: &Case) -> Option<Told> {
    Some(arrival::split(engine::told(case)?.into_iter()))
}

/// Leaves out documents and events as long as the two still differ.
fn shrink(mut case: Case, run: &dyn Fn(&Case) -> Option<Told>) -> Case {
    loop {
        let documents: Vec<&str> = case.documents.split("\n---\n").collect();
        let without = |gone: usize| {
            let kept = documents.iter().enumerate().filter(|(at, _)| *at != gone).map(|(_, text)| *text);
            Case { documents: kept.collect::<Vec<_>>().join("\n---\n"), ..case.clone() }
        };
        let mut smaller: Vec<Case> = (0..documents.len()).rev().map(without).collect();
        for (file, lines) in case.files.iter().enumerate() {
            for at in 0..lines.len() {
                let mut less = case.clone();
                less.files[file].remove(at);
                smaller.push(less);
            }
        }
        match smaller.into_iter().find(|less| differs(less, run).is_some()) {
            Some(less) => case = less,
            None => return case,
        }
    }
}

fn report(seed: u64, case: Case, run: &dyn Fn(&Case) -> Option<Told>) -> String {
    let case = shrink(case, run);
    let Some((wanted, found)) = differs(&case, run) else { return format!("seed {seed}: differs no more") };
    let mut text =
        format!("seed {seed}, lateness {} s, chunks of {}\n{}\n", case.lateness_s, case.chunk, case.documents);
    for (at, lines) in case.files.iter().enumerate() {
        text += &format!("input {at}:\n");
        lines.iter().for_each(|line| text += &format!("  {line}\n"));
    }
    for (name, (told, late)) in [("the model says", wanted), ("the engine says", found)] {
        text += &format!("{name}:\n");
        told.iter().chain(&late).for_each(|record| text += &format!("  {}\n", brief(record)));
    }
    text
}

/// A record in one line, hashes left out.
fn brief(record: &Value) -> String {
    let ids: Vec<&str> =
        record["evidence"].as_array().into_iter().flatten().filter_map(|of| of["id"].as_str()).collect();
    let ids: Vec<&str> = ids.into_iter().map(|id| &id[..id.len().min(6)]).collect();
    let rule = record["rule"].as_str().unwrap_or_default();
    format!(
        "{} {} {} {} count {} ({}) value {} {} {ids:?}{}",
        record["event_time"].as_str().unwrap_or_default(),
        record["state"].as_str().unwrap_or_default(),
        record["urgency"].as_str().unwrap_or_default(),
        &rule[..rule.len().min(8)],
        record["count"],
        record["suppressed"],
        record["value"],
        record["group"],
        if record["late"] == true { " late" } else { "" },
    )
}

fn check(seeds: impl Iterator<Item = u64>, run: &dyn Fn(&Case) -> Option<Told>) -> (usize, usize) {
    let (mut told, mut wrong) = (0, Vec::new());
    let mut cases = 0;
    for seed in seeds {
        let case = draw::case(seed);
        assert!(case.documents().is_some(), "seed {seed}: {:?}", Documents::try_read(&case.documents).err());
        cases += 1;
        match differs(&case, run) {
            None => told += arrival::told(&case).map_or(0, |(records, late)| records.len() + late.len()),
            Some(_) => wrong.push((seed, case)),
        }
    }
    let seeds: Vec<u64> = wrong.iter().map(|(seed, _)| *seed).collect();
    if let Some((seed, case)) = wrong.into_iter().next() {
        panic!("{} of {cases} cases differ: {seeds:?}\n{}", seeds.len(), report(seed, case, run));
    }
    (cases, told)
}

#[test]
fn the_engine_says_what_brute_force_says() {
    if let Some(seed) = variable("SEED") {
        let case = draw::case(seed);
        match differs(&case, &in_process) {
            Some(_) => panic!("{}", report(seed, case, &in_process)),
            None => return println!("{}\n{:#?}\n{:#?}", case.documents, case.files, arrival::told(&case)),
        }
    }
    let cases = variable("CASES").unwrap_or(CASES);
    let (cases, told) = check(1..=cases, &in_process);
    assert!(told > 5 * cases, "too little is told: {told} records of {cases} cases");
}
