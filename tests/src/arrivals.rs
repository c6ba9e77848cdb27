//! The order in which the lines of events come, in some files.
//!
//! Must never lose a line or bring one that was not added.

use crate::generate::Random;

/// Lines with the times at which they come.
#[derive(Debug)]
pub struct Arrivals<'a> {
    arriving: Vec<(i64, u64, usize, &'a str)>,
    files: usize,
}

impl<'a> Arrivals<'a> {
    /// None yet, in so many files.
    pub fn new(files: usize) -> Arrivals<'a> {
        Arrivals { arriving: Vec::new(), files }
    }

    /// A line comes at a time (ms), in a file; lines of one time come in any order.
    pub fn add(&mut self, random: &mut Random, (at_ms, file): (i64, usize), line: &'a str) {
        self.arriving.push((at_ms, random.bits(), file, line));
    }

    /// A line comes once more: on time in any file, or behind the original within the ten minutes after lateness in which a
    /// duplicate is known.
    pub fn add_copy(&mut self, random: &mut Random, on_time_ms: i64, original: (i64, usize), line: &'a str) {
        let place = match random.percent(50) {
            true => (on_time_ms, random.below(self.files)),
            false => (original.0 + 1 + random.below(590_000) as i64, original.1),
        };
        self.add(random, place, line);
    }

    /// The lines of each file, as they come.
    pub fn lines(mut self) -> Vec<Vec<String>> {
        self.arriving.sort_by_key(|(at, tie, ..)| (*at, *tie));
        let mut lines = vec![Vec::new(); self.files];
        self.arriving.into_iter().for_each(|(_, _, file, line)| lines[file].push(line.to_owned()));
        lines
    }
}
