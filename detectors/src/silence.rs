//! A13, silence: nothing where much should be.
//!
//! `ln P₀ = Σ r·ln(r/(r+m))` over the empty buckets, mean and variance by slot (see `seasonal`), `−Σ m` where they are Poisson; told
//! when it falls below ln p and the silence is long enough. Buckets are the resolution. A slot counts once it has been seen on
//! four days, so a key warms up in days; an hour in which nothing ever came is as likely silent as not, and adds nothing. Must never speak behind the last
//! event of its input: its timer is the close of a bucket, and these stop there.

use jiff::tz::TimeZone;
use model::{Frame, SilenceSpec, Timestamp};
use serde::{Deserialize, Serialize};

use crate::bucketed::{Bucket, Event, Learner, Learning, Score};
use crate::explanation::Explanation;
use crate::seasonal::{Seasonal, slot_of, zone};
use crate::stats::{exp, ln, ln_none, shown};

/// The parameters, with the zone read.
#[derive(Debug, Clone)]
pub(crate) struct Silence {
    spec: SilenceSpec,
    zone: TimeZone,
}

/// What is known of one key.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Key {
    season: Seasonal,
    open: u64,
    taught: u64,
    /// Since when it is silent, ln P₀ and how many events were expected since.
    silence: Option<(i64, f64, f64)>,
    buckets: u64,
}

/// Milliseconds until a Poisson source of so many events an hour is silent enough: `−ln p` expected events, at least `floor_ms`.
pub fn silence_after_ms(events_an_hour: f64, p: f64, floor_ms: i64) -> i64 {
    let ms = -ln(p) / events_an_hour * 3_600_000.0;
    (ms.ceil() as i64).max(floor_ms)
}

impl Silence {
    pub(crate) fn new(spec: SilenceSpec) -> Silence {
        let zone = zone(&spec.zone).unwrap_or(TimeZone::UTC);
        Silence { spec, zone }
    }
}

impl Learner for Silence {
    type Key = Key;
    type Group = ();

    fn frame(&self) -> &Frame {
        &self.spec.frame
    }

    fn see(&self, key: &mut Key, _: &[&()], event: &Event<'_>) -> Option<Score> {
        key.open = key.open.saturating_add(event.amount);
        if event.teaches {
            key.taught = key.taught.saturating_add(event.amount);
        }
        None
    }

    /// Its value is −ln P₀.
    fn judge(&self, key: &mut Key, _: &[&()], bucket: Bucket) -> Option<Score> {
        if key.open > 0 {
            key.silence = None;
            return None;
        }
        let (since, mut ln_p, mut expected) = key.silence.unwrap_or((bucket.start, 0.0, 0.0));
        let slot = slot_of(&self.zone, bucket.start);
        if let Some(of) = key.season.expect_awaited(slot, bucket.start).filter(|of| of.mean > 0.0) {
            ln_p += ln_none(of.mean, of.variance);
            expected += of.mean;
        }
        key.silence = Some((since, ln_p, expected));
        let silent_ms = bucket.end - since;
        if ln_p >= ln(self.spec.p) || silent_ms < self.spec.silence_min_ms {
            return None;
        }
        Some(Score {
            value: (-ln_p * 1_000.0).round() / 1_000.0,
            figures: crate::explanation::figures(0.0, expected, Some(exp(ln_p))),
            explanation: Explanation {
                observed: format!("nothing for {} min, since {}", silent_ms / 60_000, Timestamp::from_ms(since)),
                expected: format!("{} events (P of none e^{})", shown(expected), shown(ln_p)),
                size: format!("{} buckets", key.buckets),
                peers: String::new(),
                ordinary: "one event, or an announced maintenance".to_owned(),
            },
        })
    }

    fn settle(&self, key: &mut Key, bucket: Bucket, how: Learning) {
        match how {
            Learning::Learned => {
                key.season.learn(slot_of(&self.zone, bucket.start), bucket.end, key.taught as f64);
                key.buckets += 1;
            }
            Learning::Held => {}
            Learning::Dropped => key.silence = None,
            // A source that is gone for good: what was known of it is void.
            Learning::Accepted => *key = Key::default(),
        }
        (key.open, key.taught) = (0, 0);
    }

    fn is_warm(&self, key: &Key, _: &[&()], bucket: Bucket) -> bool {
        key.season.is_awaited(bucket.start)
    }

    fn teach(&self, _: &Key, (): &mut ()) {}

    fn settle_group(&self, (): &mut (), _: Bucket) {}
}
