//! A detector whose rule is gone: events that were judged by the rule still ask it, and it closes no more buckets.
//!
//! It hears of nothing that comes, so what it would say of a bucket would be that all fell silent. Must never say that.

use std::any::Any;

use model::{Anomaly, Detector, DetectorHeld, Malformed, Observation, Period, Timestamp};

/// See the module.
#[derive(Debug)]
struct Outlived(Box<dyn Detector>);

/// From here on it closes no bucket.
pub(super) fn outlived(detector: Box<dyn Detector>) -> Box<dyn Detector> {
    let is_so_already = (detector.as_ref() as &dyn Any).is::<Outlived>();
    if is_so_already { detector } else { Box::new(Outlived(detector)) }
}

impl Detector for Outlived {
    fn observe(&mut self, observation: &Observation<'_>) -> Option<Anomaly> {
        self.0.observe(observation)
    }

    fn peek(&self, ahead: &mut (dyn Detector + 'static), observation: &Observation<'_>) -> Option<Anomaly> {
        self.0.peek(ahead, observation)
    }

    fn ahead(&self) -> Box<dyn Detector> {
        self.0.ahead()
    }

    fn forget_before(&mut self, time: Timestamp) {
        self.0.forget_before(time);
    }

    fn held(&self) -> DetectorHeld {
        self.0.held()
    }

    fn announce(&mut self, period: &Period) {
        self.0.announce(period);
    }

    fn backfill(&mut self, is_history: bool) {
        self.0.backfill(is_history);
    }

    fn snapshot(&self) -> Result<Vec<u8>, Malformed> {
        self.0.snapshot()
    }

    fn restore(&mut self, snapshot: &[u8]) -> Result<(), Malformed> {
        self.0.restore(snapshot)
    }
}
