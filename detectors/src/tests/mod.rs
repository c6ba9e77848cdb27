//! The detectors over small histories whose figures can be worked by hand.

mod ahead;
mod beats;
mod bucketed;
mod first_seen;
mod formulas;
mod geo_velocity;
mod risk;

use std::sync::Arc;

use model::{Anomaly, Detector, Evidence, Observation, Sha256, Timestamp};

/// Milliseconds.
const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

/// Shows an event: its id, its time, the texts of each field divided by `|`.
fn show(detector: &mut impl Detector, id: &str, at: i64, fields: &[&str]) -> Option<Anomaly> {
    show_as(detector, id, at, fields, true)
}

fn show_as(detector: &mut impl Detector, id: &str, at: i64, fields: &[&str], teaches: bool) -> Option<Anomaly> {
    let texts: Vec<Vec<&str>> =
        fields.iter().map(|texts| texts.split('|').filter(|text| !text.is_empty()).collect()).collect();
    let evidence = Arc::new(Evidence { id: id.into(), sha256: Sha256::of(id.as_bytes()) });
    detector.observe(&Observation { at: Timestamp::from_ms(at), texts: &texts, teaches, evidence: &evidence })
}

fn ids(anomaly: &Anomaly) -> Vec<&str> {
    anomaly.evidence.iter().map(|evidence| &*evidence.id).collect()
}
