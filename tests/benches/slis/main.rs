//! Indicators, side by side in one run: their statements over an archive's contributions here and in DuckDB; and what adding
//! contributions up costs beside evaluating rules.
//!
//! `cargo bench -p pipewarden-tests --bench slis -- [--contributions N] [--live N] [--rounds N] [--only archive|live]`. Rounds
//! interleave and the best of each counts. Asserts that all values are equal, and nothing about time.

mod duckdb;
mod live;

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use harness::generate::Random;
use harness::memory::{resident, status};
use slis::archive::{Archive, CONTRIBUTIONS};
use slis::contribution::{Buckets, Contribution, MINUTE_MS, Scope, Sums};
use slis::definition::{Definition, Kind};
use slis::query::{QueryLimits, Store};
use slis::report::{Asked, By, Reported, report};

/// 2026-09-01, and thirty days.
const FROM_MS: i64 = 1_788_220_800_000;
const DAYS: i64 = 30;
const DAY_MS: i64 = 86_400_000;

const REPOSITORIES: usize = 300;

struct Arguments {
    contributions: usize,
    live: usize,
    rounds: usize,
    only: Option<String>,
}

fn main() {
    let arguments = arguments();
    let wanted = |name: &str| arguments.only.as_deref().is_none_or(|only| only == name);
    if wanted("archive") {
        archive(&arguments);
    }
    if wanted("live") {
        live::run(arguments.live, arguments.rounds);
    }
}

fn arguments() -> Arguments {
    let mut arguments = Arguments { contributions: 5_000_000, live: 1_000_000, rounds: 3, only: None };
    let mut given = std::env::args().skip(1);
    while let Some(option) = given.next() {
        let mut value = || given.next().unwrap_or_else(|| panic!("{option} needs a value"));
        match option.as_str() {
            "--contributions" => arguments.contributions = value().parse().expect("a number"),
            "--live" => arguments.live = value().parse().expect("a number"),
            "--rounds" => arguments.rounds = value().parse().expect("a number"),
            "--only" => arguments.only = Some(value()),
            "--bench" => {}
            other => {
                panic!("unknown option {other}; known: --contributions N, --live N, --rounds N, --only archive|live")
            }
        }
    }
    arguments
}

/// A contribution as one event makes it: of any indicator, one in thirty bad, of one of 300 repositories.
fn made_up(definitions: &[Definition], random: &mut Random, at_ms: i64) -> Contribution {
    let definition = &definitions[random.below(definitions.len())];
    let number = random.below(REPOSITORIES);
    let scope = Scope {
        team: format!("team-{}", number % 20).into(),
        environment: random.pick(&["production", "staging", ""]).into(),
        repository: format!("acme/service-{number}").into(),
        label: if definition.label.is_some() { random.pick(&["critical", "high", "low"]) } else { "" }.into(),
    };
    let sums = Sums { good: i64::from(random.below(30) > 0), total: 1, ..Sums::default() };
    // From a millisecond to some hours, as many in each doubling.
    let duration = || (1_000_u64 << random.below(24)) + random.bits() % 1_000;
    let duration_us = (definition.kind == Kind::Duration).then(duration);
    Contribution::new(&definition.code, at_ms, scope, sums, duration_us)
}

fn archive(arguments: &Arguments) {
    let definitions = Definition::shipped().expect("definitions");
    let folder = tempfile::tempdir_in(harness::python::target().expect("a target folder")).expect("a folder");
    written(folder.path(), &definitions, arguments.contributions);
    let mut duckdb = duckdb::Side::start(folder.path(), &definitions);
    if duckdb.is_none() {
        println!("skipped: DuckDB: it cannot be fetched");
    }
    for (name, by) in [("whole", By::Whole), ("by team", By::Team), ("by repository", By::Repository)] {
        let (mut ours_best, mut duckdb_best, mut values) = (f64::INFINITY, f64::INFINITY, 0);
        for _ in 0..arguments.rounds {
            let (seconds, reported) = ours(folder.path(), &definitions, by);
            ours_best = ours_best.min(seconds);
            values = reported.iter().map(|of| of.values.len()).sum();
            if let Some(side) = &mut duckdb {
                let (seconds, told) = side.run(by);
                duckdb_best = duckdb_best.min(seconds);
                duckdb::assert_equal(&definitions, &reported, &told);
            }
        }
        println!(
            "{name:<14} {values:>6} values  DataFusion {ours_best:.3} s  DuckDB {duckdb_best:.3} s  ours {:.2} x as fast",
            duckdb_best / ours_best
        );
    }
    let duckdb_memory = duckdb.map_or(0, |side| side.memory);
    println!("most memory: DataFusion 1,024 MiB allowed; DuckDB {} MB resident", duckdb_memory / 1_000_000);
}

/// An archive of so many contributions, a row each unless two fall together.
fn written(folder: &Path, definitions: &[Definition], contributions: usize) {
    let (mut random, mut buckets) = (Random(20_260_901), Buckets::new(usize::MAX / 4));
    for _ in 0..contributions {
        let at_ms = FROM_MS + random.below((DAYS * DAY_MS / MINUTE_MS) as usize) as i64 * MINUTE_MS;
        buckets.add(made_up(definitions, &mut random, at_ms));
    }
    let mut archive = Archive::open(folder, None).expect("an archive");
    slis::derive::put(&mut archive, &buckets).expect("is written");
    let files: Vec<_> = archive.manifest().files().filter(|file| file.table == CONTRIBUTIONS).collect();
    let (rows, bytes): (u64, u64) = (files.iter().map(|of| of.rows).sum(), files.iter().map(|of| of.bytes).sum());
    println!("{contributions} contributions: {rows} rows in {} files, {} MB", files.len(), bytes / 1_000_000);
}

fn asked(by: By) -> Asked {
    let to_ms = FROM_MS + DAYS * DAY_MS;
    Asked { from_ms: FROM_MS, to_ms, by, team: None, environment: None, repository: None }
}

/// As `pipewarden slo report` asks: the archive is opened, every indicator asked.
fn ours(folder: &Path, definitions: &[Definition], by: By) -> (f64, Vec<Reported>) {
    let limits = QueryLimits {
        memory_bytes: 1 << 30,
        spill_bytes: 64 << 30,
        rows_max: usize::MAX,
        threads: threads(),
        spill_folder: std::env::temp_dir(),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("threads");
    let start = Instant::now();
    let store = Store::with_archive(&limits, folder).expect("an archive");
    let reported = runtime.block_on(report(&store, definitions, &asked(by))).expect("values");
    (start.elapsed().as_secs_f64(), reported)
}

fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
