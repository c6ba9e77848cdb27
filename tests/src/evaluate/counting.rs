//! A1 on busy and quiet hours, beside a z-score over all hours and Poisson without seasons.

use model::{CountsSpec, DetectorSpec};

use super::generator::{HOUR, MONDAY, Random, Series};
use super::{Driven, Row, Size, median};

/// Hours before which nothing is counted.
const WARM_WEEKS: usize = 4;

/// The naive ways.
const NAIVE: [&str; 3] = ["z > 3, one EWMA", "Poisson p < 1e-4, one EWMA", "Poisson p < 1e-5, one EWMA"];

/// What one way of detecting came to.
#[derive(Debug, Clone, Default)]
struct Tally {
    hits: usize,
    busy: (usize, usize),
    quiet: (usize, usize),
    false_alarms: usize,
    minutes: Vec<f64>,
}

impl Tally {
    /// The alarms of one key: hour, minute of it.
    fn take(&mut self, series: &Series, alarms: &[(usize, f64)]) {
        let of = |hour: usize| series.labels.iter().position(|(at, n, _)| (*at..at + n).contains(&hour));
        for (at, (start, _, is_busy)) in series.labels.iter().enumerate() {
            let first = alarms.iter().find(|(hour, _)| of(*hour) == Some(at));
            let (found, all) = if *is_busy { &mut self.busy } else { &mut self.quiet };
            *all += 1;
            if let Some((hour, minute)) = first {
                *found += 1;
                self.hits += 1;
                self.minutes.push((hour - start) as f64 * 60.0 + minute);
            }
        }
        self.false_alarms += alarms.iter().filter(|(hour, _)| of(*hour).is_none() && *hour >= WARM_WEEKS * 168).count();
    }

    fn row(self, who: &str, key_weeks: f64) -> Row {
        let (found, all) = (self.busy.0 + self.quiet.0, self.busy.1 + self.quiet.1);
        let part = |(found, all): (usize, usize)| found as f64 / all.max(1) as f64;
        Row {
            who: format!("{who} (recall busy {:.2}, quiet {:.2})", part(self.busy), part(self.quiet)),
            precision: self.hits as f64 / (self.hits + self.false_alarms).max(1) as f64,
            recall: found as f64 / all.max(1) as f64,
            false_alarms: self.false_alarms as f64 / key_weeks,
            minutes: median(self.minutes),
            bar: None,
        }
    }
}

/// A1, then the naive ways.
pub(super) fn rows(size: Size, seed: u64) -> Vec<Row> {
    let mut random = Random(seed);
    let hours = size.weeks * 168;
    let series: Vec<Series> = (0..size.keys)
        .map(|_| {
            let plain = Series::plain(&mut random, hours);
            plain.inject(&mut random)
        })
        .collect();
    let key_weeks = (size.keys * size.weeks.saturating_sub(WARM_WEEKS)) as f64;
    let mut tally = Tally::default();
    seasonal(&series, hours).iter().zip(&series).for_each(|(alarms, series)| tally.take(series, alarms));
    let mut own = tally.row("A1 seasonal counts, p < 1e-5", key_weeks);
    let is_met = own.false_alarms <= 0.1 && own.recall >= 0.7;
    own.bar = Some(("at most 0.1 false alarms per key-week at a recall of 0.7".to_owned(), is_met));
    let mut rows = vec![own];
    for (way, who) in NAIVE.iter().enumerate() {
        let mut tally = Tally::default();
        series.iter().for_each(|series| tally.take(series, &naive(way, &series.counts)));
        rows.push(tally.row(who, key_weeks));
    }
    rows
}

/// The alarms of every key; events of an hour come in up to 24 parts, evenly over it.
fn seasonal(series: &[Series], hours: usize) -> Vec<Vec<(usize, f64)>> {
    let mut of = Driven::new(&DetectorSpec::Counts(CountsSpec::default()));
    let mut alarms: Vec<Vec<(usize, f64)>> = vec![Vec::new(); series.len()];
    let names: Vec<String> = (0..series.len()).map(|key| format!("key-{key:04}")).collect();
    for hour in 0..hours {
        let start = MONDAY + hour as i64 * HOUR;
        for (key, series) in series.iter().enumerate() {
            let count = series.counts[hour];
            let parts = count.clamp(1, 24);
            for part in 0..parts {
                let minute = 60.0 * part as f64 / parts as f64;
                let amount = count / parts + u64::from(part < count % parts);
                // Within the hour order does not matter to a count: keys one after another.
                let found =
                    of.event(start + (minute * 60_000.0) as i64, &[&names[key], "team", "", &amount.to_string()]);
                if found.is_some() {
                    alarms[key].push((hour, minute));
                    break;
                }
            }
        }
    }
    alarms
}

/// One mean and variance for all hours, α = 0.02, learned from everything.
fn naive(way: usize, counts: &[u64]) -> Vec<(usize, f64)> {
    let (mut mean, mut variance, mut alarms) = (0.0_f64, 0.0_f64, Vec::new());
    for (hour, count) in counts.iter().enumerate() {
        let x = *count as f64;
        let is_odd = match way {
            0 => x > mean + 3.0 * variance.sqrt(),
            1 => detectors::stats::poisson_tail(*count, mean.max(0.05)) < 1e-4,
            _ => detectors::stats::poisson_tail(*count, mean.max(0.05)) < 1e-5,
        };
        if is_odd && *count >= 5 {
            alarms.push((hour, 60.0));
        }
        let alpha = (1.0 / (hour + 1) as f64).max(0.02);
        let d = x - mean;
        mean += alpha * d;
        variance = (1.0 - alpha) * (variance + alpha * d * d);
    }
    alarms
}
