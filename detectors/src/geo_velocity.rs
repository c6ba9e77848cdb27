//! Geo velocity (E7): how fast somebody would have had to travel from the last place to this one.
//!
//! Distance on a sphere of the earth's mean radius by the haversine formula. Places nearer than 500 km are one place: that
//! is how exact tables of addresses are. Must never take an address behind a proxy for a place.

use std::any::Any;
use std::sync::Arc;

use model::{
    Anomaly, Detector, DetectorHeld, Evidence, Figures, GeoVelocitySpec, Malformed, Observation, Standing, Timestamp,
    from_snapshot, to_snapshot,
};
use serde::{Deserialize, Serialize};

use crate::Limits;
use crate::keyed::Keyed;

/// Mean radius of the earth in metres.
const RADIUS_M: f64 = 6_371_000.0;

/// Distances below it are the table's error.
const FLOOR_M: i64 = 500_000;

/// Places that are known less exactly are none.
const ACCURACY_MAX_KM: f64 = 100.0;

/// Behind it the last place says nothing.
const TTL_MS: i64 = 24 * 3_600_000;

/// A shorter time between two events is taken for this: clocks differ.
const STEP_MIN_MS: i64 = 60_000;

/// See the module.
#[derive(Debug)]
pub struct GeoVelocity {
    spec: GeoVelocitySpec,
    limits: Limits,
    keys: Keyed<Option<Last>>,
}

/// Where a key was last.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Last {
    at: Timestamp,
    place: Place,
    evidence: Arc<Evidence>,
}

/// Latitude and longitude in degrees.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Place(f64, f64);

impl Place {
    fn read(latitude: &str, longitude: &str) -> Option<Place> {
        let degrees = |text: &str, most: f64| text.trim().parse::<f64>().ok().filter(|of| of.abs() <= most);
        Some(Place(degrees(latitude, 90.0)?, degrees(longitude, 180.0)?))
    }

    fn order(&self, other: &Place) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0).then(self.1.total_cmp(&other.1))
    }
}

/// Metres between two places (latitude, longitude in degrees), to the metre: the great circle by the haversine formula.
pub fn distance_m((latitude, longitude): (f64, f64), (other_latitude, other_longitude): (f64, f64)) -> i64 {
    let (phi, other_phi) = (latitude.to_radians(), other_latitude.to_radians());
    let (d_phi, d_lambda) = (other_phi - phi, (other_longitude - longitude).to_radians());
    let half = |angle: f64| (angle / 2.0).sin().powi(2);
    let haversine = half(d_phi) + phi.cos() * other_phi.cos() * half(d_lambda);
    // To the metre: what trigonometry gives in its last digits differs from machine to machine.
    (2.0 * RADIUS_M * haversine.clamp(0.0, 1.0).sqrt().asin()).round() as i64
}

impl GeoVelocity {
    /// Nobody was anywhere yet.
    pub fn new(spec: GeoVelocitySpec, limits: Limits) -> GeoVelocity {
        GeoVelocity { spec, limits, keys: Keyed::new(TTL_MS, limits.keys_max) }
    }

    fn speed(&self, key: &str, last: &Last, place: Place, observation: &Observation<'_>) -> Option<Anomaly> {
        let metres = distance_m((last.place.0, last.place.1), (place.0, place.1));
        let elapsed_ms = observation.at.ms().saturating_sub(last.at.ms());
        if metres < FLOOR_M || elapsed_ms >= TTL_MS {
            return None;
        }
        // Metres in a millisecond are 3,600 km in an hour; to the metre in an hour.
        let speed = (metres as f64 * 3_600_000.0 / elapsed_ms.max(STEP_MIN_MS) as f64).round() / 1_000.0;
        let minutes = elapsed_ms / 60_000;
        Some(Anomaly {
            value: speed,
            observed: format!(
                "{} {key}: {} km in {minutes} min, from {}, {} to {}, {}: {} km/h",
                self.spec.key,
                metres / 1_000,
                last.place.0,
                last.place.1,
                place.0,
                place.1,
                speed as i64
            ),
            baseline: format!("event {} at {}; an aeroplane flies 900 km/h", last.evidence.id, last.at),
            figures: Figures { observed: Some(speed), ..Figures::default() },
            evidence: vec![last.evidence.clone(), observation.evidence.clone()],
            standing: Standing::Active,
        })
    }
}

impl Detector for GeoVelocity {
    /// Its value is the speed in kilometres an hour; there is none below 500 km, nor from an event of a day ago or more.
    fn observe(&mut self, observation: &Observation<'_>) -> Option<Anomaly> {
        let [keys, latitudes, longitudes, proxies, accuracies @ ..] = observation.texts else { return None };
        let place = Place::read(latitudes.first()?, longitudes.first()?)?;
        if proxies.iter().any(|kind| !kind.is_empty() && !kind.eq_ignore_ascii_case("none")) {
            return None;
        }
        let radius_km = accuracies.first().and_then(|texts| texts.first()).and_then(|text| text.trim().parse().ok());
        if radius_km.is_some_and(|km: f64| km > ACCURACY_MAX_KM) {
            return None;
        }
        let mut found = None;
        for key in keys {
            let last = self.keys.get(key, observation.at).and_then(Option::as_ref);
            if let Some(last) = last {
                found = found.or_else(|| self.speed(key, last, place, observation));
            }
            if !observation.teaches {
                continue;
            }
            let seen = Last { at: observation.at, place, evidence: observation.evidence.clone() };
            let known = self.keys.touch(key, observation.at);
            // Of two places at one time one stays, whichever came first.
            let is_later = |of: &Last| {
                let order = (of.at, &of.evidence.id).cmp(&(seen.at, &seen.evidence.id));
                of.at < seen.at || of.at == seen.at && of.place.order(&place).then(order).is_lt()
            };
            if known.as_ref().is_none_or(is_later) {
                *known = Some(seen);
            }
        }
        found
    }

    fn peek(&self, ahead: &mut (dyn Detector + 'static), observation: &Observation<'_>) -> Option<Anomaly> {
        let ahead = (ahead as &mut dyn Any).downcast_mut::<GeoVelocity>()?;
        observation.texts.first()?.iter().for_each(|key| ahead.keys.take_over(&self.keys, key));
        ahead.observe(observation)
    }

    fn ahead(&self) -> Box<dyn Detector> {
        Box::new(GeoVelocity::new(self.spec.clone(), self.limits))
    }

    fn forget_before(&mut self, time: Timestamp) {
        self.keys.forget_before(time);
    }

    fn held(&self) -> DetectorHeld {
        DetectorHeld { keys: self.keys.len(), evicted: self.keys.evicted() }
    }

    fn snapshot(&self) -> Result<Vec<u8>, Malformed> {
        to_snapshot(self.keys.kept())
    }

    fn restore(&mut self, snapshot: &[u8]) -> Result<(), Malformed> {
        self.keys.keep(from_snapshot(snapshot)?);
        Ok(())
    }
}
