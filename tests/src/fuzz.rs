//! Every decoder against inputs that a seed makes: records disturbed in their structure and in their bytes.
//!
//! The same seed and number give the same input everywhere. Must never let one input depend on another, so that a failure
//! is repeated by its number alone.

#![allow(clippy::disallowed_methods, reason = "a harness watches real time for inputs that do not end")]

pub mod check;
pub mod mould;
mod tree;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use self::check::{Memory, Tally, Target};
use self::mould::{MOULDS, Mould};
use crate::generate::Random;

/// Inputs are at most this long.
pub const INPUT_BYTES_MAX: usize = 4096;

/// A thread takes so many inputs at a time.
const BATCH: u64 = 500;

/// One input that takes longer than this does not end.
const INPUT_SECONDS_MAX: u64 = 30;

/// Tries at making a failing input smaller.
const MINIMISE_TRIES_MAX: usize = 20_000;

/// What to run.
#[derive(Debug, Clone)]
pub struct Run {
    /// Only the format of this name.
    pub format: Option<String>,
    /// Number of the first input.
    pub first: u64,
    /// Inputs for each format.
    pub inputs: u64,
    /// The seed.
    pub seed: u64,
    /// Threads.
    pub threads: usize,
}

/// An input for which a property does not hold.
#[derive(Debug, Clone)]
pub struct Failure {
    /// Format, seed and number of the input.
    pub place: String,
    /// Which property.
    pub why: String,
    /// The smallest input found that fails, too; the property may be another.
    pub smallest: String,
}

/// What a run came to.
#[derive(Debug, Default)]
pub struct Report {
    /// For each format, what was met.
    pub tallies: Vec<(&'static str, Tally)>,
    /// The first failures.
    pub failures: Vec<Failure>,
}

/// The input with this number.
pub fn input(mould: &Mould, seed: u64, number: u64) -> String {
    let mut random = Random(seed ^ number.wrapping_mul(0xD134_2543_DE82_EF95));
    let mut text = mould.record(&mut random);
    if random.percent(55) {
        let mut bytes = text.into_bytes();
        for _ in 0..1 + random.below(3) {
            harm(&mut bytes, mould, &mut random);
        }
        text = String::from_utf8_lossy(&bytes).into_owned();
    }
    let mut end = text.len().min(INPUT_BYTES_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
    text
}

/// Bytes that mean something to a parser.
const BYTES: &[u8] = b"{}[]\",:\\ \n\r\t\0\x01nutf0e-+.^\x7f\x80\xc3\xef\xff";

/// Cuts off, flips, overwrites, doubles, removes, or puts a piece of another record in.
fn harm(bytes: &mut Vec<u8>, mould: &Mould, random: &mut Random) {
    let at = random.below(bytes.len() + 1);
    let end = (at + random.below(24)).min(bytes.len());
    match random.below(12) {
        0 => bytes.truncate(at),
        1 | 2 => bytes.get_mut(at).into_iter().for_each(|byte| *byte ^= 1 << random.below(8)),
        3 | 4 => bytes.get_mut(at).into_iter().for_each(|byte| *byte = random.pick(BYTES)),
        5 | 6 => bytes.insert(at, random.pick(BYTES)),
        7 => {
            bytes.drain(at..end);
        }
        8 => {
            let piece = bytes[at..end].repeat(1 + random.below(4));
            bytes.splice(at..at, piece);
        }
        9 => {
            let other = mould.record(random).into_bytes();
            let from = random.below(other.len() + 1);
            bytes.truncate(at);
            bytes.extend(&other[from..]);
        }
        10 => {
            let again = bytes.clone();
            bytes.extend(again);
        }
        _ => {
            let word = &mould.words[random.below(mould.words.len())];
            bytes.splice(at..end, word.bytes());
        }
    }
}

thread_local! {
    static QUIET: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

/// Why the text fails; None: it does not.
fn failing(target: &Target, memory: &mut Memory, text: &str) -> Option<String> {
    tried(target, memory, text).err()
}

fn tried(target: &Target, memory: &mut Memory, text: &str) -> Result<Tally, String> {
    QUIET.set(true);
    let result = catch_unwind(AssertUnwindSafe(|| target.check(memory, text)));
    QUIET.set(false);
    result.unwrap_or_else(|panic| {
        *memory = Memory::default();
        let said = panic.downcast_ref::<String>().cloned();
        Err(format!("panic: {}", said.or(panic.downcast_ref::<&str>().map(|of| (*of).to_owned())).unwrap_or_default()))
    })
}

/// Leaves out ever smaller parts for as long as it fails.
fn minimise(text: &str, fails: &mut impl FnMut(&str) -> bool) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    let (mut part, mut tries) = (chars.len().div_ceil(2), 0);
    while part > 0 && tries < MINIMISE_TRIES_MAX {
        let mut at = 0;
        while at < chars.len() && tries < MINIMISE_TRIES_MAX {
            let mut without = chars.clone();
            without.drain(at..(at + part).min(chars.len()));
            tries += 1;
            if fails(&without.iter().collect::<String>()) { chars = without } else { at += part }
        }
        part /= 2;
    }
    chars.into_iter().collect()
}

/// Runs; `progress` is told now and then how many inputs are done, of how many. Ends the process where one does not end.
pub fn run(run: &Run, progress: &dyn Fn(u64, u64)) -> Report {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if !QUIET.get() {
            before(info);
        }
    }));
    let moulds: Vec<&Mould> =
        MOULDS.iter().filter(|mould| run.format.as_deref().is_none_or(|name| name == mould.format.name)).collect();
    let targets: Vec<Target> = moulds.iter().map(|mould| Target::new(mould.format)).collect();
    let batches = run.inputs.div_ceil(BATCH);
    let total = batches * moulds.len() as u64;
    let (next, stop) = (AtomicU64::new(0), AtomicBool::new(false));
    let at: Vec<AtomicU64> = (0..run.threads).map(|_| AtomicU64::new(0)).collect();
    let worker = |at: &AtomicU64| {
        let mut tallies = vec![Tally::default(); moulds.len()];
        let (mut failures, mut memory) = (Vec::new(), Memory::default());
        while !stop.load(Ordering::Relaxed) {
            let batch = next.fetch_add(1, Ordering::Relaxed);
            if batch >= total {
                break;
            }
            let (of, start) = ((batch / batches) as usize, batch % batches * BATCH);
            for number in start..(start + BATCH).min(run.inputs) {
                at.fetch_add(1, Ordering::Relaxed);
                let text = input(moulds[of], run.seed, run.first + number);
                match tried(&targets[of], &mut memory, &text) {
                    Ok(tally) => tallies[of].add(tally),
                    Err(why) => {
                        let mut fails = |text: &str| failing(&targets[of], &mut memory, text).is_some();
                        let smallest = minimise(&text, &mut fails);
                        let place = format!(
                            "--format {} --seed {} --first {} --inputs 1",
                            moulds[of].format.name,
                            run.seed,
                            run.first + number
                        );
                        failures.push(Failure { place, why, smallest });
                        stop.store(failures.len() > 3, Ordering::Relaxed);
                    }
                }
            }
        }
        at.store(u64::MAX, Ordering::Relaxed);
        (tallies, failures)
    };
    let mut report = Report {
        tallies: moulds.iter().map(|mould| (mould.format.name, Tally::default())).collect(),
        failures: vec![],
    };
    std::thread::scope(|scope| {
        let worker = &worker;
        let threads: Vec<_> = at.iter().map(|at| scope.spawn(move || worker(at))).collect();
        watch(&at, &next, total, &|batches| {
            progress((batches * BATCH).min(run.inputs * moulds.len() as u64), run.inputs * moulds.len() as u64)
        });
        for thread in threads {
            let (tallies, failures) = thread.join().expect("a worker catches panics");
            report.tallies.iter_mut().zip(tallies).for_each(|((_, sum), tally)| sum.add(tally));
            report.failures.extend(failures);
        }
    });
    let _ = std::panic::take_hook();
    report
}

/// Returns when all threads are done, and ends the process when one stands still.
fn watch(at: &[AtomicU64], next: &AtomicU64, total: u64, progress: &dyn Fn(u64)) {
    let mut seen: Vec<(u64, Instant)> = at.iter().map(|_| (0, Instant::now())).collect();
    loop {
        std::thread::sleep(Duration::from_millis(100));
        for (at, seen) in at.iter().zip(&mut seen) {
            let now = at.load(Ordering::Relaxed);
            if now != seen.0 {
                *seen = (now, Instant::now());
            } else if now != u64::MAX && seen.1.elapsed().as_secs() > INPUT_SECONDS_MAX {
                eprintln!("an input of the batch before number {} does not end", next.load(Ordering::Relaxed));
                std::process::exit(1);
            }
        }
        progress(next.load(Ordering::Relaxed).min(total));
        if seen.iter().all(|(now, _)| *now == u64::MAX) {
            return;
        }
    }
}
