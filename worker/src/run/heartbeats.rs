//! Sources whose heartbeats stop: decided on ticks, and told as statements for the control log.
//!
//! An outage begins at the last heartbeat and ends at the first one behind it. Must never call a source unhealthy whose records
//! are only unread: who decides has read everything that there is.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::{HealthState, SourceHealth, Timestamp};
use serde::{Deserialize, Serialize};

/// The sources that are watched, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heartbeats(BTreeMap<Arc<str>, Pulse>);

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Pulse {
    /// The newest heartbeat; None: none was heard since this worker reads where they come.
    last: Option<Timestamp>,
    /// Since when nothing was heard.
    missing_since: Option<Timestamp>,
    /// The first heartbeat since.
    again: Option<Timestamp>,
}

impl Heartbeats {
    /// Watches some sources, of which `before` knows what was heard until now.
    pub fn of(sources: impl Iterator<Item = Arc<str>>, mut before: Heartbeats) -> Heartbeats {
        let pulse = |source: Arc<str>| (source.clone(), before.0.remove(&source).unwrap_or_default());
        Heartbeats(sources.map(pulse).collect())
    }

    /// A heartbeat of a source.
    pub fn heard(&mut self, source: &Arc<str>, at: Timestamp) {
        let Some(pulse) = self.0.get_mut(source) else { return };
        pulse.last = pulse.last.max(Some(at));
        if pulse.missing_since.is_some_and(|since| since < at) {
            pulse.again = Some(pulse.again.map_or(at, |again| again.min(at)));
        }
    }

    /// What has been told of a source: who goes on from a control log tells it no second time.
    pub fn told(&mut self, said: &SourceHealth) {
        let Some(pulse) = self.0.get_mut(&said.source) else { return };
        match said.state {
            HealthState::Unhealthy { from, .. } if pulse.last == Some(from) => pulse.missing_since = Some(from),
            HealthState::Healthy { at } if pulse.missing_since.is_some_and(|since| since < at) => {
                (pulse.missing_since, pulse.again) = (None, None);
            }
            _ => {}
        }
    }

    /// Another worker may hear them from here on: who does not know calls nothing an outage.
    pub fn forget(&mut self, now: Timestamp) {
        for pulse in self.0.values_mut() {
            pulse.last = None;
            pulse.again = pulse.missing_since.map(|since| now.max(since.plus_ms(1)));
        }
    }

    /// No heartbeat has come for so many milliseconds.
    pub fn is_missed(&self, source: &Arc<str>, missing_after_ms: i64, now: Timestamp) -> bool {
        let last = self.0.get(source).filter(|pulse| pulse.missing_since.is_none()).and_then(|pulse| pulse.last);
        last.is_some_and(|last| now.ms().saturating_sub(last.ms()) >= missing_after_ms)
    }

    /// A tick: what is to be told of a source whose heartbeats are missed after so many milliseconds. `all_read`: everything
    /// that it has said by now is known.
    pub fn tick(
        &mut self,
        source: &Arc<str>,
        missing_after_ms: i64,
        now: Timestamp,
        all_read: bool,
    ) -> Option<SourceHealth> {
        let is_missed = all_read && self.is_missed(source, missing_after_ms, now);
        let pulse = self.0.get_mut(source)?;
        let state = match (pulse.missing_since, pulse.again) {
            (Some(_), Some(at)) => Some(HealthState::Healthy { at }),
            (Some(_), None) => None,
            (None, _) => pulse.last.filter(|_| is_missed).map(|from| HealthState::Unhealthy { from, to: None }),
        };
        let said = SourceHealth { source: source.clone(), state: state? };
        self.told(&said);
        Some(said)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_is_an_outage_from_the_last_heartbeat_to_the_next() {
        let (at, source) = (Timestamp::from_ms, Arc::<str>::from("signing"));
        let mut beats = Heartbeats::of([source.clone()].into_iter(), Heartbeats::default());
        let state = |of: Option<SourceHealth>| of.map(|of| of.state);
        assert_eq!(beats.tick(&source, 100, at(1_000), true), None, "nobody was heard yet");
        beats.heard(&source, at(1_020));
        assert_eq!(beats.tick(&source, 100, at(1_119), true), None);
        assert_eq!(beats.tick(&source, 100, at(1_500), false), None, "there is more to read");
        let open = HealthState::Unhealthy { from: at(1_020), to: None };
        let mut before = beats.clone();
        assert_eq!(state(beats.tick(&source, 100, at(1_120), true)), Some(open));
        assert_eq!(beats.tick(&source, 100, at(1_300), true), None, "it is told once");
        before.told(&SourceHealth { source: source.clone(), state: open });
        assert_eq!(before, beats, "as whoever reads the control log");
        beats.heard(&source, at(1_010));
        assert_eq!(beats.tick(&source, 100, at(1_300), true), None, "an old one");
        [1_400, 1_350].iter().for_each(|ms| beats.heard(&source, at(*ms)));
        assert_eq!(state(beats.tick(&source, 100, at(1_401), true)), Some(HealthState::Healthy { at: at(1_350) }));
        assert_eq!(beats.tick(&source, 100, at(1_420), true), None);
        let again = HealthState::Unhealthy { from: at(1_400), to: None };
        assert_eq!(state(beats.tick(&source, 100, at(1_500), true)), Some(again));
        beats.forget(at(1_600));
        let over = HealthState::Healthy { at: at(1_600) };
        assert_eq!(state(beats.tick(&source, 100, at(1_601), true)), Some(over), "another worker hears them");
        assert_eq!(beats.tick(&source, 100, at(9_000), true), None);
    }
}
