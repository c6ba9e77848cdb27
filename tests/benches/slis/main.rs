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
use slis::buckets::Buckets;
use slis::contribution::{Contribution, MINUTE_MS, Scope, Sums};
use slis::definition::{Definition, Kind};
use slis::query::{QueryLimits, Store};
use slis::report::{Asked, By, Reported, report};

/// The product's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

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

/// Contributions as events make them: of any indicator, one in thirty bad, of one of 300 repositories in twenty teams.
struct MadeUp<'d> {
    definitions: &'d [Definition],
    /// By repository, environment and label; handed out again and again, as the matcher does.
    scopes: Vec<Arc<Scope>>,
    random: Random,
}

const ENVIRONMENTS: [&str; 3] = ["production", "staging", ""];
const LABELS: [&str; 4] = ["", "critical", "high", "low"];

impl MadeUp<'_> {
    fn new(definitions: &[Definition], seed: u64) -> MadeUp<'_> {
        let mut scopes = Vec::new();
        for number in 0..REPOSITORIES {
            for environment in ENVIRONMENTS {
                for label in LABELS {
                    let (team, repository) = (format!("team-{}", number % 20), format!("acme/service-{number}"));
                    let texts = [team.as_str(), environment, repository.as_str(), label];
                    scopes.push(Arc::new(Scope::new(texts.map(Arc::from))));
                }
            }
        }
        MadeUp { definitions, scopes, random: Random(seed) }
    }

    fn contribution(&mut self, at_ms: i64) -> Contribution {
        let MadeUp { definitions, scopes, random } = self;
        let definition = &definitions[random.below(definitions.len())];
        let label = if definition.label.is_some() { 1 + random.below(LABELS.len() - 1) } else { 0 };
        let scope = &scopes[random.below(REPOSITORIES * ENVIRONMENTS.len()) * LABELS.len() + label];
        let sums = Sums { good: i64::from(random.below(30) > 0), total: 1, ..Sums::default() };
        // From a millisecond to some hours, as many in each doubling.
        let duration = || (1_000_u64 << random.below(24)) + random.bits() % 1_000;
        let duration_us = (definition.kind == Kind::Duration).then(duration);
        Contribution::new(&definition.code, at_ms, scope.clone(), sums, duration_us)
    }
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
        let (mut ours_best, mut statements, mut folded) = (f64::INFINITY, f64::INFINITY, f64::INFINITY);
        let mut values = 0;
        for _ in 0..arguments.rounds {
            let (seconds, reported) = ours(folder.path(), &definitions, by);
            ours_best = ours_best.min(seconds);
            values = reported.iter().map(|of| of.values.len()).sum();
            let Some(side) = &mut duckdb else { continue };
            for (best, is_folded) in [(&mut statements, false), (&mut folded, true)] {
                let (seconds, told) = side.run(by, is_folded);
                *best = best.min(seconds);
                duckdb::assert_equal(&definitions, &reported, &told);
            }
        }
        println!(
            "{name:<14} {values:>6} values  ours {ours_best:.3} s  DuckDB, statement by statement {statements:.3} s ({:.2} x), \
             folded once {folded:.3} s ({:.2} x)",
            statements / ours_best,
            folded / ours_best
        );
    }
    let duckdb_memory = duckdb.map_or(0, |side| side.memory);
    println!(
        "most resident memory: this process {} MB; DuckDB {} MB",
        status("VmHWM:") / 1_000_000,
        duckdb_memory / 1_000_000
    );
}

/// An archive of so many contributions, a row each unless two fall together.
fn written(folder: &Path, definitions: &[Definition], contributions: usize) {
    let mut made_up = MadeUp::new(definitions, 20_260_901);
    let mut archive = Archive::open(folder, None).expect("an archive");
    for day in 0..DAYS {
        let mut buckets = Buckets::new(usize::MAX / 4);
        for _ in 0..contributions / DAYS as usize {
            let minute = made_up.random.below((DAY_MS / MINUTE_MS) as usize) as i64;
            buckets.add(made_up.contribution(FROM_MS + day * DAY_MS + minute * MINUTE_MS));
        }
        slis::derive::add(&mut archive, &buckets).expect("is written");
    }
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
