//! What is ordinary at an hour of the week: a mean and a variance for each of 48 slots (weekday or weekend, hour), with a
//! memory of about ten of the same.
//!
//! `α_n = max(α, 1/n)`; `d = x − m`; `m += α_n d`; `v = (1−α_n)(v + α_n d²)`, updated at a bucket's close. With exposure E:
//! the mean is of x/E, and φ of `v_E = m_E + φ m_E²` by moments. Must never be updated twice for one bucket.

use jiff::Timestamp;
use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

/// Share of a new bucket in what is known.
const ALPHA: f64 = 0.1;

/// Means below it are taken for it.
const MEAN_MIN: f64 = 0.05;

/// Buckets of a slot before it says anything.
pub(crate) const WARM: u16 = 4;

/// Days before this one on which a slot was seen until it says anything of silence: an hour's many short buckets are of one day.
const WARM_DAYS: u16 = 4;

/// A slot that was not updated for so many days knows nothing.
const FORGOTTEN_DAYS: i64 = 60;

const DAY_MS: i64 = 24 * 3_600_000;

/// A time zone that POSIX's notation does not have.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no time zone as POSIX writes it; for example `UTC0` or `CET-1CEST,M3.5.0,M10.5.0/3`")]
pub struct UnknownZone(String);

/// The time zone of a text as POSIX writes it; such rules need no table of zones.
///
/// # Errors
/// When the text is none.
pub fn zone(text: &str) -> Result<TimeZone, UnknownZone> {
    TimeZone::posix(text).map_err(|_| UnknownZone(text.to_owned()))
}

/// The slot of a bucket's start: 0 to 23 on weekdays, 24 to 47 at weekends.
pub(crate) fn slot_of(zone: &TimeZone, start_ms: i64) -> usize {
    let Ok(time) = Timestamp::from_millisecond(start_ms) else { return 0 };
    let time = zone.to_datetime(time);
    let is_weekend = matches!(time.weekday(), Weekday::Saturday | Weekday::Sunday);
    usize::try_from(time.hour()).unwrap_or(0) + 24 * usize::from(is_weekend)
}

/// See the module.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Seasonal {
    /// None until the first bucket, then 48.
    slots: Vec<Slot>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
struct Slot {
    /// Mean, of a bucket or of one unit of exposure.
    m: f32,
    /// Variance; with exposure the mean of `(x − m_E)² − m_E`.
    v: f32,
    /// With exposure the mean of `m_E²`.
    w: f32,
    n: u16,
    /// Days that these buckets are of.
    days: u16,
    /// Day since 1970 of the last bucket.
    day: u32,
}

/// What is expected of a bucket.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Expected {
    pub(crate) mean: f64,
    pub(crate) variance: f64,
    /// Buckets that it was learned from.
    pub(crate) n: u16,
}

impl Seasonal {
    fn slot_mut(&mut self, slot: usize) -> Option<&mut Slot> {
        if self.slots.is_empty() {
            self.slots.resize(48, Slot::default());
        }
        self.slots.get_mut(slot)
    }

    /// A bucket was seen: x events.
    pub(crate) fn learn(&mut self, slot: usize, end_ms: i64, x: f64) {
        self.learn_moments(slot, end_ms, x, 0.0);
    }

    /// Several keys' buckets were seen: their mean and variance.
    pub(crate) fn learn_moments(&mut self, slot: usize, end_ms: i64, mean: f64, variance: f64) {
        let Some(slot) = self.slot_mut(slot) else { return };
        let alpha = slot.next(end_ms);
        let (m, v) = (f64::from(slot.m), f64::from(slot.v));
        let d = mean - m;
        slot.m = (m + alpha * d) as f32;
        slot.v = ((1.0 - alpha) * (v + alpha * d * d) + alpha * variance) as f32;
    }

    /// A bucket was seen: x events of an exposure e.
    pub(crate) fn learn_exposed(&mut self, slot: usize, end_ms: i64, x: f64, e: f64) {
        let Some(slot) = self.slot_mut(slot).filter(|_| e > 0.0) else { return };
        let is_first = slot.is_unknown(end_ms);
        let alpha = slot.next(end_ms);
        let (m, v, w) = (f64::from(slot.m), f64::from(slot.v), f64::from(slot.w));
        let mean = if is_first { x } else { m * e };
        let d = x - mean;
        slot.m = (m + alpha * (x / e - m)) as f32;
        slot.v = (v + alpha * (d * d - mean - v)) as f32;
        slot.w = (w + alpha * (mean * mean - w)) as f32;
    }

    /// `v* = max(v, m) + m²/n`, m at least 0.05. None: the slot knows too little.
    pub(crate) fn expect(&self, slot: usize, now_ms: i64) -> Option<Expected> {
        let slot = self.slots.get(slot).filter(|slot| slot.is_warm(now_ms))?;
        Some(slot.expected(f64::from(slot.m).max(MEAN_MIN)))
    }

    /// The same for whoever waits for events: of a slot seen on four days, and one that nothing ever came in expects none.
    pub(crate) fn expect_awaited(&self, slot: usize, now_ms: i64) -> Option<Expected> {
        let slot = self.slots.get(slot).filter(|slot| slot.is_awaited(now_ms))?;
        Some(slot.expected(f64::from(slot.m)))
    }

    /// Of an exposure e: `m_E = ρE`, `v_E = m_E + φ m_E² + m_E²/n`.
    pub(crate) fn expect_exposed(&self, slot: usize, now_ms: i64, e: f64) -> Option<Expected> {
        let slot = self.slots.get(slot).filter(|slot| slot.is_warm(now_ms))?;
        let mean = (f64::from(slot.m) * e).max(MEAN_MIN);
        let phi = if slot.w > 0.0 { (f64::from(slot.v) / f64::from(slot.w)).max(0.0) } else { 0.0 };
        let variance = mean + (phi + 1.0 / f64::from(slot.n)) * mean * mean;
        Some(Expected { mean, variance, n: slot.n })
    }

    /// The slot's new level: so many buckets of this mean and variance (of x, or of x/E).
    pub(crate) fn accept(&mut self, slot: usize, end_ms: i64, (n, mean, variance): (u64, f64, f64)) {
        let Some(slot) = self.slot_mut(slot) else { return };
        let n = u16::try_from(n).unwrap_or(u16::MAX).max(WARM);
        *slot = Slot { m: mean as f32, v: variance as f32, w: 0.0, n, days: WARM_DAYS, day: day(end_ms) };
    }

    /// Every slot so many times as high.
    pub(crate) fn scale(&mut self, by: f64) {
        for slot in &mut self.slots {
            slot.m = (f64::from(slot.m) * by) as f32;
            slot.v = (f64::from(slot.v) * by * by) as f32;
            slot.w = (f64::from(slot.w) * by * by) as f32;
        }
    }

    /// A slot of it says something of silence.
    pub(crate) fn is_awaited(&self, now_ms: i64) -> bool {
        self.slots.iter().any(|slot| slot.is_awaited(now_ms))
    }

    /// A slot of it says something.
    pub(crate) fn is_warm(&self, now_ms: i64) -> bool {
        self.slots.iter().any(|slot| slot.is_warm(now_ms))
    }
}

impl Slot {
    fn is_unknown(&self, now_ms: i64) -> bool {
        self.n == 0 || i64::from(day(now_ms)) - i64::from(self.day) > FORGOTTEN_DAYS
    }

    fn is_warm(&self, now_ms: i64) -> bool {
        self.n >= WARM && !self.is_unknown(now_ms)
    }

    /// The day that is not over does not count: its own silence would.
    fn is_awaited(&self, now_ms: i64) -> bool {
        let before = self.days.saturating_sub(u16::from(self.day == day(now_ms)));
        before >= WARM_DAYS && !self.is_unknown(now_ms)
    }

    fn expected(&self, mean: f64) -> Expected {
        let variance = f64::from(self.v).max(mean) + mean * mean / f64::from(self.n);
        Expected { mean, variance, n: self.n }
    }

    /// One more bucket; gives its share.
    fn next(&mut self, end_ms: i64) -> f64 {
        if self.is_unknown(end_ms) {
            *self = Slot::default();
        }
        let today = day(end_ms.saturating_sub(1));
        self.days = self.days.saturating_add(u16::from(self.n == 0 || self.day != today));
        self.n = self.n.saturating_add(1);
        self.day = today;
        ALPHA.max(1.0 / f64::from(self.n))
    }
}

fn day(ms: i64) -> u32 {
    u32::try_from(ms.div_euclid(DAY_MS)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_MS: i64 = 3_600_000;

    #[test]
    fn a_slot_is_an_hour_of_weekdays_or_weekends_where_the_team_is() {
        let utc = zone("UTC0").expect("a zone");
        let berlin = zone("CET-1CEST,M3.5.0,M10.5.0/3").expect("a zone");
        // 1970-01-01 was a Thursday.
        assert_eq!((slot_of(&utc, 0), slot_of(&berlin, 0)), (0, 1));
        assert_eq!(slot_of(&utc, 2 * DAY_MS), 24, "Saturday");
        assert_eq!(slot_of(&berlin, 2 * DAY_MS - 3_600_000), 24, "midnight is earlier there");
        let july = 200 * DAY_MS;
        assert_eq!(slot_of(&berlin, july) % 24, 2, "two hours ahead in summer");
        assert!(zone("somewhere").is_err());
    }

    #[test]
    fn silence_is_known_after_four_days_however_short_buckets_are() {
        let mut of = Seasonal::default();
        for at in 0..4 {
            (1..=6).for_each(|bucket| of.learn(23, at * DAY_MS + 23 * HOUR_MS + bucket * 600_000, 2.0));
            assert_eq!((of.is_warm(at * DAY_MS), of.is_awaited(at * DAY_MS)), (true, false), "on day {at}");
        }
        assert!(of.is_awaited(4 * DAY_MS), "four days are over");
        let mut silent = Seasonal::default();
        (0..4).for_each(|at| silent.learn(0, at * DAY_MS + HOUR_MS, 0.0));
        let means = [silent.expect_awaited(0, 4 * DAY_MS), silent.expect(0, 4 * DAY_MS)].map(|of| of.map(|of| of.mean));
        assert_eq!(means, [Some(0.0), Some(MEAN_MIN)]);
    }

    #[test]
    fn the_first_ten_buckets_are_a_plain_mean_then_the_last_count_most() {
        let mut of = Seasonal::default();
        for (at, x) in (0..).zip([3.0, 5.0, 7.0, 9.0]) {
            assert_eq!(of.expect(0, at * DAY_MS), None, "after {at}");
            of.learn(0, at * DAY_MS + HOUR_MS, x);
        }
        let expected = of.expect(0, 3 * DAY_MS).expect("warm");
        assert!((expected.mean - 6.0).abs() < 1e-6);
        // Population variance of 3, 5, 7, 9 is 5, below the mean; 6 + 36/4.
        assert!((expected.variance - 15.0).abs() < 1e-5, "{expected:?}");
        (0..200).for_each(|_| of.learn(0, 3 * DAY_MS + HOUR_MS, 100.0));
        assert!((of.expect(0, 3 * DAY_MS).expect("warm").mean - 100.0).abs() < 0.01);
        assert_eq!(of.expect(0, 64 * DAY_MS), None, "untouched for 61 days");
        assert_eq!(of.expect(1, 3 * DAY_MS), None, "another hour");
    }

    #[test]
    fn with_exposure_the_rate_is_learned_and_more_runs_are_ordinary() {
        let mut of = Seasonal::default();
        for (day, (x, e)) in (0..).zip([(20.0, 10.0), (40.0, 20.0), (60.0, 30.0), (20.0, 10.0), (80.0, 40.0)]) {
            of.learn_exposed(0, day * DAY_MS + HOUR_MS, x, e);
        }
        of.learn_exposed(0, 4 * DAY_MS, 5.0, 0.0);
        let expected = of.expect_exposed(0, 4 * DAY_MS, 100.0).expect("warm");
        assert!((expected.mean - 200.0).abs() < 1e-3);
        assert!((expected.variance - (200.0 + 40_000.0 / 5.0)).abs() < 1.0, "{expected:?}");
    }
}
