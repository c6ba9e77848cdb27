//! The one place that reads the clock: for rates that people read, and for the ticks of the control log.
//!
//! Nothing that decides may call it; what it says reaches decisions only as a recorded tick.

#![allow(clippy::disallowed_methods, reason = "this is the door to the clock")]

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use model::Timestamp;

/// Measures how long something took.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts now.
    pub fn start() -> Stopwatch {
        Stopwatch(Instant::now())
    }

    /// Seconds since the start.
    pub fn seconds(self) -> f64 {
        self.0.elapsed().as_secs_f64()
    }
}

/// The time of day.
pub fn now() -> Timestamp {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
    Timestamp::from_ms(i64::try_from(since_epoch).unwrap_or(i64::MAX))
}

/// Seeds a keyed hash: different in every process, from the randomness of the standard library's hash maps.
pub fn random_key() -> [u64; 4] {
    use std::hash::{BuildHasher, Hasher, RandomState};
    std::array::from_fn(|i| {
        let mut hasher = RandomState::new().build_hasher();
        hasher.write_usize(i);
        hasher.finish()
    })
}
