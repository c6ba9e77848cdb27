//! Made-up histories: counts with office hours and weekends, destinations of repositories, jobs of two kinds.
//!
//! The same seed gives the same history everywhere. Must never look at what a detector would make of it.

pub use crate::generate::Random;

/// Milliseconds.
pub const HOUR: i64 = 3_600_000;

/// 1970-01-05, a Monday.
pub const MONDAY: i64 = 4 * 24 * HOUR;

impl Random {
    /// Between 0 and 1, never either.
    pub fn unit(&mut self) -> f64 {
        ((self.bits() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    /// Normal with mean 0 and deviation 1 (Box and Muller).
    pub fn normal(&mut self) -> f64 {
        let (a, b) = (self.unit(), self.unit());
        (-2.0 * a.ln()).sqrt() * (std::f64::consts::TAU * b).cos()
    }

    /// Poisson: by gaps below 60, by the normal above.
    pub fn poisson(&mut self, mean: f64) -> u64 {
        if mean > 60.0 {
            return (mean + mean.sqrt() * self.normal()).round().max(0.0) as u64;
        }
        let (mut left, mut count) = (mean, 0);
        loop {
            left += self.unit().ln();
            if left < 0.0 {
                return count;
            }
            count += 1;
        }
    }

    /// Gamma of a whole shape and mean 1: what makes a Poisson count bursty.
    pub fn gamma(&mut self, shape: u32) -> f64 {
        (0..shape).map(|_| -self.unit().ln()).sum::<f64>() / f64::from(shape)
    }
}

/// One key's counts by hour: Gamma-Poisson of shape 3, busy in the office hours of one of three zones, quiet at weekends.
#[derive(Debug, Clone)]
pub struct Series {
    /// By hour from [`MONDAY`] on.
    pub counts: Vec<u64>,
    /// Hours that were injected: the first hour, how many, whether busy ones.
    pub labels: Vec<(usize, usize, bool)>,
}

impl Series {
    /// A key's history without anomalies.
    pub fn plain(random: &mut Random, hours: usize) -> Series {
        let busy = 2.0 * 10.0_f64.powf(random.unit());
        let zone = [0, 8, 17][random.below(3)];
        let counts = (0..hours)
            .map(|hour| {
                let (of_day, of_week) = ((hour + zone) % 24, hour / 24 % 7);
                let is_office = (8..18).contains(&of_day) && of_week < 5;
                let rate = if is_office { busy } else { busy * 0.05 };
                let burst = random.gamma(3);
                random.poisson(rate * burst)
            })
            .collect();
        Series { counts, labels: Vec::new() }
    }

    /// Injects, in the last four weeks, seven times a busy hour's mean and 15 events into a quiet hour.
    pub fn inject(mut self, random: &mut Random) -> Series {
        let start = self.counts.len().saturating_sub(4 * 168);
        let mean = |of: &Series, hour: usize| {
            let same: Vec<u64> =
                (1..).map_while(|week| hour.checked_sub(week * 168)).map(|hour| of.counts[hour]).collect();
            same.iter().sum::<u64>() as f64 / same.len().max(1) as f64
        };
        for is_busy in [true, false] {
            let fits = |of: &Series, hour: usize| {
                (mean(of, hour) > 1.5) == is_busy && of.labels.iter().all(|(at, ..)| at.abs_diff(hour) > 48)
            };
            let Some(hour) = (0..200).map(|_| start + random.below(4 * 168 - 2)).find(|hour| fits(&self, *hour)) else {
                continue;
            };
            self.counts[hour] = match is_busy {
                true => (7.0 * mean(&self, hour)).round() as u64,
                false => self.counts[hour] + 15,
            };
            self.labels.push((hour, 1, is_busy));
        }
        self
    }
}
