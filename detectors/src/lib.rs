//! Anomaly detectors: one file each, behind the trait of `model`.
//!
//! Synchronous, pure, a function of the observations in total order. Must never know a rule or a condition, read a clock, or
//! hold more than its limits.

mod first_seen;
mod geo_velocity;
mod keyed;
mod risk;

use model::{Detector, DetectorSpec};

pub use first_seen::FirstSeen;
pub use geo_velocity::{GeoVelocity, distance_m};
pub use risk::Risk;

/// Limits of one detector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Keys with state. Beyond it a sixteenth of them goes: those with the fewest events, then those seen longest ago.
    pub keys_max: usize,
}

/// The detector that a rule asks for.
pub fn detector(spec: &DetectorSpec, limits: Limits) -> Box<dyn Detector> {
    match spec {
        DetectorSpec::FirstSeen(spec) => Box::new(FirstSeen::new(spec.clone(), limits)),
        DetectorSpec::GeoVelocity(spec) => Box::new(GeoVelocity::new(spec.clone(), limits)),
        DetectorSpec::Risk(spec) => Box::new(Risk::new(spec.clone(), limits)),
    }
}

#[cfg(test)]
mod tests;
