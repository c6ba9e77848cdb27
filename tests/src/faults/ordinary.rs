//! Ordinary days before a history, in order of event time.
//!
//! Must never hold more of them than is out of order.

use std::collections::BTreeMap;

use baseline::{Baseline, Record, sources};

const DAY_MS: i64 = 86_400_000;
const SEED: u64 = 7;

/// So many days up to the last midnight before a time, in order of event time: time and bytes of each record.
pub fn days_before(at_ms: i64, days: u32) -> impl Iterator<Item = (i64, Vec<u8>)> {
    let end_ms = at_ms.div_euclid(DAY_MS) * DAY_MS;
    let longest_ms = sources::SOURCES.iter().map(|source| source.longest_ms).max().unwrap_or(0);
    let mut arriving = Baseline::new(SEED, days, end_ms - i64::from(days) * DAY_MS).records();
    let mut waiting: BTreeMap<(i64, u64), Vec<u8>> = BTreeMap::new();
    let (mut number, mut arrived_ms) = (0, i64::MIN);
    std::iter::from_fn(move || {
        loop {
            if let Some(first) = waiting.first_entry()
                && first.key().0 < arrived_ms.saturating_sub(longest_ms)
            {
                return Some((first.key().0, first.remove()));
            }
            let Some(Record { event_ms, arrival_ms, bytes, .. }) = arriving.next() else {
                arrived_ms = i64::MAX;
                return waiting.pop_first().map(|((time, _), bytes)| (time, bytes));
            };
            (number, arrived_ms) = (number + 1, arrival_ms);
            if event_ms < end_ms {
                waiting.insert((event_ms, number), bytes);
            }
        }
    })
}
