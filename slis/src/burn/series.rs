//! Counts by minute of event time, and what they sum up to over windows.
//!
//! Late events add to their own minute. Must never be an average of ratios: uneven traffic would make it wrong.

use std::collections::BTreeMap;
use std::ops::{AddAssign, Neg};

use serde::{Deserialize, Serialize};

use crate::contribution::MINUTE_MS;

/// Good and total.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Those that are good.
    pub good: i64,
    /// All that count.
    pub total: i64,
}

impl Counts {
    /// Those that are not good.
    pub fn bad(self) -> i64 {
        self.total.saturating_sub(self.good)
    }
}

impl Neg for Counts {
    type Output = Counts;

    fn neg(self) -> Counts {
        Counts { good: -self.good, total: -self.total }
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Counts) {
        self.good = self.good.saturating_add(other.good);
        self.total = self.total.saturating_add(other.total);
    }
}

/// Counts by minute.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Series {
    minutes: BTreeMap<i64, Counts>,
}

impl Series {
    /// Adds to the minute in which a time lies.
    pub fn add(&mut self, at_ms: i64, counts: Counts) {
        *self.minutes.entry(at_ms.div_euclid(MINUTE_MS) * MINUTE_MS).or_default() += counts;
    }

    /// The sum over [from, to).
    pub fn sum(&self, from_ms: i64, to_ms: i64) -> Counts {
        let mut sum = Counts::default();
        if from_ms < to_ms {
            self.minutes.range(from_ms..to_ms).for_each(|(_, counts)| sum += *counts);
        }
        sum
    }

    /// What was counted in the minute that starts at a time.
    pub fn minute(&self, start_ms: i64) -> Counts {
        self.minutes.get(&start_ms).copied().unwrap_or_default()
    }

    /// Forgets all minutes before a time.
    pub fn forget_before(&mut self, ms: i64) {
        self.minutes = self.minutes.split_off(&ms);
    }

    /// The sum over the window that ends at a time.
    pub fn window(&self, at_ms: i64, window_ms: i64) -> Counts {
        self.sum(at_ms.saturating_sub(window_ms), at_ms)
    }

    /// Minutes of [from, to) with what was counted in them, ascending.
    pub fn range(&self, from_ms: i64, to_ms: i64) -> impl DoubleEndedIterator<Item = (i64, Counts)> {
        let to_ms = to_ms.max(from_ms);
        self.minutes.range(from_ms..to_ms).map(|(minute, counts)| (*minute, *counts))
    }
}

/// Counts that can be summed up over the window that ends at a time.
pub trait Windowed {
    /// The sum over [at - window, at).
    fn window(&self, at_ms: i64, window_ms: i64) -> Counts;
}

impl Windowed for Series {
    fn window(&self, at_ms: i64, window_ms: i64) -> Counts {
        Series::window(self, at_ms, window_ms)
    }
}

/// A series that is over, with the sum up to each minute: a window costs two look-ups, however long it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cumulative {
    /// A minute, and the sum up to its end; ascending.
    sums: Vec<(i64, Counts)>,
}

impl From<&Series> for Cumulative {
    fn from(series: &Series) -> Cumulative {
        let mut sum = Counts::default();
        let one = |(minute, counts): (&i64, &Counts)| {
            sum += *counts;
            (*minute, sum)
        };
        Cumulative { sums: series.minutes.iter().map(one).collect() }
    }
}

impl Cumulative {
    fn before(&self, at_ms: i64) -> Counts {
        let place = self.sums.partition_point(|(minute, _)| *minute < at_ms);
        place.checked_sub(1).and_then(|last| self.sums.get(last)).map_or_else(Counts::default, |(_, sum)| *sum)
    }
}

impl Windowed for Cumulative {
    fn window(&self, at_ms: i64, window_ms: i64) -> Counts {
        let (until, from) = (self.before(at_ms), self.before(at_ms.saturating_sub(window_ms)));
        Counts { good: until.good.saturating_sub(from.good), total: until.total.saturating_sub(from.total) }
    }
}

/// The same counted in slices of time: a slice is good when its share of good ones is at least `target_ppm` millionths. A
/// slice in which nothing was counted does not count. A slice stands at its start; slices begin at multiples of their length.
pub fn timeslices(series: &Series, slice_ms: i64, target_ppm: u32) -> Series {
    let slice_ms = slice_ms.max(MINUTE_MS);
    let mut slices: BTreeMap<i64, Counts> = BTreeMap::new();
    for (minute, counts) in &series.minutes {
        *slices.entry(minute.div_euclid(slice_ms) * slice_ms).or_default() += *counts;
    }
    let mut judged = Series::default();
    for (start, counts) in slices.into_iter().filter(|(_, counts)| counts.total > 0) {
        let is_good = i128::from(counts.good) * 1_000_000 >= i128::from(target_ppm) * i128::from(counts.total);
        judged.add(start, Counts { good: i64::from(is_good), total: 1 });
    }
    judged
}
