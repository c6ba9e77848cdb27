//! The faults, one function each.
//!
//! What arrives early enough stays so: a record arrives within the lateness after its time, and a partition is read in order of
//! arrival. Must never depend on which other faults were drawn, but on what they left.

use std::sync::Arc;

use serde_json::Value;

use super::{Arriving, Delivery, Dress, Line, Partition};
use crate::generate::Random;

/// How long behind the lateness a copy is still known (ten minutes, and some seconds less to stand inside).
const HORIZON_MS: usize = 590_000;
/// The early event's distance.
const YEAR_MS: i64 = 365 * 86_400_000;
/// Id of the early event.
const EARLY_ID: &str = "dated-far-ahead";

pub(super) fn split(delivery: &mut Delivery, random: &mut Random) {
    let files = random.pick(&[2, 4]);
    delivery.partitions = vec![Partition::default(); files];
    delivery.arriving.iter_mut().for_each(|of| of.partition = random.below(files));
}

/// A partition of its own that has some of the records up to a time, and ends with them.
pub(super) fn ends_early(delivery: &mut Delivery, random: &mut Random) {
    let mut times: Vec<i64> = delivery.arriving.iter().map(|of| of.line.at_ms).collect();
    times.sort_unstable();
    let Some(until_ms) = times.get(random.below(times.len().max(1))).copied() else { return };
    let own = delivery.partitions.len();
    delivery.partitions.push(Partition { ends: true, ..Partition::default() });
    for of in delivery.arriving.iter_mut().filter(|of| of.line.at_ms <= until_ms) {
        of.partition = if random.percent(30) { own } else { of.partition };
    }
}

pub(super) fn quiet(delivery: &mut Delivery) {
    delivery.partitions.push(Partition { ends: true, ..Partition::default() });
}

pub(super) fn shuffled(delivery: &mut Delivery, random: &mut Random) {
    let lateness = delivery.lateness_ms as usize + 1;
    for of in &mut delivery.arriving {
        of.at_ms = of.line.at_ms + random.below(lateness) as i64;
        of.tie = random.bits();
    }
}

/// Copies on time stand in any partition that has not ended; late ones behind their original in its own, because in another
/// one they could be the first that is read.
pub(super) fn duplicated(delivery: &mut Delivery, random: &mut Random) {
    let open: Vec<usize> = (0..delivery.partitions.len()).filter(|at| !delivery.partitions[*at].ends).collect();
    let lateness = delivery.lateness_ms as usize + 1;
    let mut copies = Vec::new();
    for of in delivery.arriving.iter().filter(|of| of.line.has_id) {
        while random.percent(15) {
            let (at_ms, partition) = match random.percent(50) {
                true => (of.line.at_ms + random.below(lateness) as i64, random.pick(&open)),
                false => (of.at_ms + 1 + random.below(HORIZON_MS) as i64, of.partition),
            };
            copies.push(Arriving { at_ms, partition, tie: random.bits(), ..of.clone() });
        }
    }
    delivery.arriving.extend(copies);
}

/// One of the records once more under an id of its own, dated a year behind the last.
pub(super) fn early_dated(delivery: &mut Delivery, random: &mut Random) {
    let Some(last_ms) = delivery.arriving.iter().map(|of| of.line.at_ms).max() else { return };
    let normal: Vec<usize> = (0..delivery.arriving.len())
        .filter(|at| delivery.arriving[*at].line.text.starts_with("{\"event\":{\"id\":"))
        .collect();
    let (until_ms, early_ms) = (last_ms + 3_600_000, last_ms + YEAR_MS);
    delivery.until_ms = Some(until_ms);
    let Some(of) = normal.get(random.below(normal.len().max(1))).and_then(|at| delivery.arriving.get(*at)) else {
        return;
    };
    let Ok(mut record) = serde_json::from_str::<Value>(&of.line.text) else { return };
    record["event"]["id"] = EARLY_ID.into();
    record["event"]["time"] = model::Timestamp::from_ms(early_ms).to_string().into();
    let line = Arc::new(Line { at_ms: early_ms, text: record.to_string(), has_id: true });
    let early = Arriving { tie: random.bits(), line, ..of.clone() };
    delivery.early_id = Some(EARLY_ID.to_owned());
    delivery.arriving.push(early);
}

pub(super) fn chunks(delivery: &mut Delivery, random: &mut Random) {
    for partition in &mut delivery.partitions {
        partition.padding = random.pick(&[1, 300, 20_000]);
    }
}

pub(super) fn compressed(delivery: &mut Delivery, random: &mut Random) {
    for partition in &mut delivery.partitions {
        partition.dress = random.pick(&[Dress::Gzip, Dress::Zstd, Dress::Plain]);
    }
}

pub(super) fn stdin(delivery: &mut Delivery) {
    delivery.partitions.iter_mut().take(1).for_each(|first| first.dress = Dress::Stdin);
}

pub(super) fn carriage_returns(delivery: &mut Delivery, random: &mut Random) {
    delivery.partitions.iter_mut().for_each(|partition| partition.crlf = random.percent(60));
}

pub(super) fn threads(delivery: &mut Delivery, random: &mut Random) {
    delivery.threads = (0..6).map(|_| 1 + random.below(3)).collect();
}

/// Each partition is cut where it happens to stand; two or three pieces more often than six.
pub(super) fn restarted(delivery: &mut Delivery, random: &mut Random) {
    let cuts = 1 + random.below(5).min(random.below(5));
    let mut by_partition: Vec<Vec<usize>> = Vec::new();
    for _ in &delivery.partitions {
        let mut of: Vec<usize> = (0..cuts).map(|_| random.below(1001)).collect();
        of.sort_unstable();
        by_partition.push(of);
    }
    delivery.cuts = (0..cuts).map(|cut| by_partition.iter().map(|of| of[cut]).collect()).collect();
}

pub(super) fn killed(delivery: &mut Delivery, random: &mut Random) {
    let draw = |random: &mut Random| random.percent(40).then(|| 20 + random.below(300) as u64);
    delivery.killed_after_ms = (0..6).map(|_| draw(random)).collect();
}
