//! Anomaly detectors: one file each, behind the trait of `model`.
//!
//! Synchronous, pure, a function of the observations in total order. Must never know a rule or a condition, read a clock, or
//! hold more than its limits.

mod beacon;
mod bucketed;
mod cell;
mod counts;
mod cusum;
mod duration;
mod entropy;
mod explanation;
mod first_seen;
mod geo_velocity;
mod keyed;
mod mix;
mod peer_z;
mod ratio;
mod risk;
mod seasonal;
mod silence;
pub mod stats;

use bucketed::Bucketed;
use model::{Detector, DetectorSpec};

pub use beacon::{evenness, regularity};
pub use cusum::{bernoulli_step, cusum_threshold, poisson_step};
pub use duration::siegmund_run_length;
pub use entropy::{Entropy, entropy_bits};
pub use first_seen::FirstSeen;
pub use geo_velocity::{GeoVelocity, distance_m};
pub use mix::{divergence, g_statistic};
pub use ratio::beta_prior;
pub use risk::Risk;
pub use seasonal::{UnknownZone, zone};
pub use silence::silence_after_ms;

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
        DetectorSpec::Counts(spec) => Box::new(Bucketed::new(counts::Counts::new(spec.clone()), limits)),
        DetectorSpec::PeerZ(spec) => Box::new(Bucketed::new(peer_z::PeerZ { spec: spec.clone() }, limits)),
        DetectorSpec::Cusum(spec) => Box::new(Bucketed::new(cusum::Cusum::new(spec.clone()), limits)),
        DetectorSpec::Duration(spec) => Box::new(Bucketed::new(duration::Duration { spec: spec.clone() }, limits)),
        DetectorSpec::Ratio(spec) => Box::new(Bucketed::new(ratio::Ratio { spec: spec.clone() }, limits)),
        DetectorSpec::Beacon(spec) => Box::new(Bucketed::new(beacon::Beacon { spec: spec.clone() }, limits)),
        DetectorSpec::Entropy(spec) => Box::new(Entropy::new(spec.clone())),
        DetectorSpec::Mix(spec) => Box::new(Bucketed::new(mix::Mix { spec: spec.clone() }, limits)),
        DetectorSpec::Silence(spec) => Box::new(Bucketed::new(silence::Silence::new(spec.clone()), limits)),
    }
}

#[cfg(test)]
mod tests;
