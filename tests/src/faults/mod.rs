//! Faults on the way from who wrote a record to who reads it, seeded: one history, arriving in as many ways as the promises allow.
//!
//! A fault is one pure function over lines with their event times and their order of arrival; it draws from its own numbers, so
//! that leaving one fault out changes nothing of the others. None of them may make an event late, or lose one.

pub mod history;
mod kinds;
pub mod ordinary;
pub mod pieces;
pub mod process;

use std::sync::Arc;

use crate::generate::Random;

/// A record as it was written.
#[derive(Debug, PartialEq, Eq)]
pub struct Line {
    /// Event time in milliseconds since 1970-01-01 UTC.
    pub at_ms: i64,
    /// Its bytes, without a line's end.
    pub text: String,
    /// It has an id of its own, so that a copy of it is a duplicate.
    pub has_id: bool,
}

/// A record on its way.
#[derive(Debug, Clone)]
pub struct Arriving {
    /// When it arrives: records of a partition are read in this order.
    pub at_ms: i64,
    /// Decides between equal times of arrival.
    pub tie: u64,
    /// Number of its partition.
    pub partition: usize,
    /// What arrives.
    pub line: Arc<Line>,
}

/// The dress of a partition's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Dress {
    /// Lines as they are.
    #[default]
    Plain,
    /// A gzip stream.
    Gzip,
    /// A Zstandard stream.
    Zstd,
    /// Standard input; the first partition's only.
    Stdin,
}

/// One partition: a file, in every piece that names it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Partition {
    /// How its file looks.
    pub dress: Dress,
    /// Lines end with carriage return and line feed.
    pub crlf: bool,
    /// Blanks between some records move the bounds of chunks by so many bytes.
    pub padding: usize,
    /// It ends for good before the others: the pieces behind its last record do not name it.
    pub ends: bool,
}

/// How a history arrives.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// Allowed lateness.
    pub lateness_ms: i64,
    /// What arrives, in no order.
    pub arriving: Vec<Arriving>,
    /// By number.
    pub partitions: Vec<Partition>,
    /// Judging threads of each piece; the last number holds for the rest.
    pub threads: Vec<usize>,
    /// For each cut a number for each partition, of 1000: how much of its records stands before the cut.
    pub cuts: Vec<Vec<usize>>,
    /// Some pieces are killed after so many milliseconds, and begin again from the state they began from.
    pub killed_after_ms: Vec<Option<u64>>,
    /// What is dated behind this is early.
    pub until_ms: Option<i64>,
    /// The early event: its records are its own.
    pub early_id: Option<String>,
}

/// What can happen on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// Two or four partitions.
    Split,
    /// A partition that ends long before the others.
    EndsEarly,
    /// A partition without a record.
    Quiet,
    /// Any order of arrival in which no event becomes late.
    Shuffled,
    /// Exact copies, near and far.
    Duplicated,
    /// An event that is dated a year ahead.
    EarlyDated,
    /// Chunks end elsewhere.
    Chunks,
    /// Files compressed, each in its own way.
    Compressed,
    /// Standard input in place of a file.
    Stdin,
    /// Carriage returns at the ends of lines.
    CarriageReturns,
    /// One to three judging threads, other ones in each piece.
    Threads,
    /// Two to six processes, each going on where the one before it stopped.
    Restarted,
    /// Pieces killed under way.
    Killed,
}

impl Fault {
    /// All, in the order in which they come about.
    pub const ALL: [Fault; 13] = [
        Fault::Split,
        Fault::EndsEarly,
        Fault::Quiet,
        Fault::Shuffled,
        Fault::Duplicated,
        Fault::EarlyDated,
        Fault::Chunks,
        Fault::Compressed,
        Fault::Stdin,
        Fault::CarriageReturns,
        Fault::Threads,
        Fault::Restarted,
        Fault::Killed,
    ];

    /// Its name, as reports and `FAULTS` have it.
    pub fn name(self) -> String {
        format!("{self:?}")
    }

    fn strike(self, delivery: &mut Delivery, random: &mut Random) {
        match self {
            Fault::Split => kinds::split(delivery, random),
            Fault::EndsEarly => kinds::ends_early(delivery, random),
            Fault::Quiet => kinds::quiet(delivery),
            Fault::Shuffled => kinds::shuffled(delivery, random),
            Fault::Duplicated => kinds::duplicated(delivery, random),
            Fault::EarlyDated => kinds::early_dated(delivery, random),
            Fault::Chunks => kinds::chunks(delivery, random),
            Fault::Compressed => kinds::compressed(delivery, random),
            Fault::Stdin => kinds::stdin(delivery),
            Fault::CarriageReturns => kinds::carriage_returns(delivery, random),
            Fault::Threads => kinds::threads(delivery, random),
            Fault::Restarted => kinds::restarted(delivery, random),
            Fault::Killed => kinds::killed(delivery, random),
        }
    }
}

/// At least five faults; most seeds restart.
pub fn draw(seed: u64) -> Vec<Fault> {
    let random = &mut Random(seed.wrapping_mul(0x5851_F42D_4C95_7F2D));
    let mut left = Fault::ALL.to_vec();
    let mut drawn = Vec::new();
    if random.percent(75) {
        drawn.push(left.remove(left.len() - 2));
    }
    let count = 5 + random.below(4);
    while drawn.len() < count {
        drawn.push(left.remove(random.below(left.len())));
    }
    drawn.sort_unstable();
    drawn
}

impl Delivery {
    /// The plain way: one partition, in order of time, one thread, one process.
    pub fn plain(lines: &[Arc<Line>], lateness_ms: i64) -> Delivery {
        let on_its_way = |(number, line): (usize, &Arc<Line>)| Arriving {
            at_ms: line.at_ms,
            tie: number as u64,
            partition: 0,
            line: line.clone(),
        };
        Delivery {
            lateness_ms,
            arriving: lines.iter().enumerate().map(on_its_way).collect(),
            partitions: vec![Partition::default()],
            threads: vec![1],
            cuts: Vec::new(),
            killed_after_ms: Vec::new(),
            until_ms: None,
            early_id: None,
        }
    }

    /// The same history after some faults.
    pub fn after(mut self, seed: u64, faults: &[Fault]) -> Delivery {
        for fault in Fault::ALL.into_iter().filter(|fault| faults.contains(fault)) {
            fault.strike(&mut self, &mut Random(seed.wrapping_mul(1_000_003) ^ (fault as u64) << 32));
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_seed_draws_five_and_every_fault_is_drawn() {
        let drawn: Vec<Vec<Fault>> = (1..=50).map(draw).collect();
        for faults in &drawn {
            assert!(faults.len() >= 5 && faults.windows(2).all(|pair| pair[0] < pair[1]), "{faults:?}");
        }
        for fault in Fault::ALL {
            let times = drawn.iter().filter(|faults| faults.contains(&fault)).count();
            assert!(times >= 10, "{fault:?} in {times} of 50");
        }
    }

    #[test]
    fn no_fault_makes_an_event_late_or_loses_one() {
        let line = |at: i64| Line { at_ms: at * 7_000, text: format!("{{\"n\":{at}}}"), has_id: true };
        let lines: Vec<Arc<Line>> = (0..400).map(|at| Arc::new(line(at))).collect();
        for seed in 1..=200 {
            let delivery = Delivery::plain(&lines, 60_000).after(seed, &Fault::ALL);
            let mut first: Vec<Arriving> = delivery.arriving.clone();
            first.sort_by_key(|of| (of.at_ms, of.tie));
            let mut seen: Vec<&str> = Vec::new();
            let mut newest = vec![i64::MIN / 2; delivery.partitions.len()];
            for of in &first {
                let is_copy = seen.contains(&of.line.text.as_str());
                let newest = &mut newest[of.partition];
                assert!(is_copy || of.line.at_ms >= *newest - 60_000, "seed {seed}: {of:?}");
                *newest = (*newest).max(of.line.at_ms);
                seen.push(&of.line.text);
            }
            assert!(lines.iter().all(|line| seen.contains(&line.text.as_str())), "seed {seed}");
        }
    }
}
