//! Duplicates: which (event id, bytes) pairs of a source have been seen, for as long as they can come again.
//!
//! An entry is forgotten once the source's watermark has passed it by the horizon, or, counted, when the table is full.
//! The same id with other bytes is no duplicate: it is evaluated too, and reported as a reused id.

use std::collections::BTreeMap;

use highway::{HighwayHash, HighwayHasher, Key};
use model::{Table, Timestamp};
use serde::{Deserialize, Serialize};

/// How long after lateness an event may come again: 10 minutes.
pub const HORIZON_BEYOND_LATENESS_MS: i64 = 600_000;

/// Two keyed 128-bit hashes: of an event's id and of its own bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    /// Of the id.
    pub id: u128,
    /// Of the bytes.
    pub bytes: u128,
}

/// Key of the hashes. Drawn at random by the process: nobody who writes events can aim for a collision.
#[derive(Debug, Clone, Copy)]
pub struct IdentityKey(pub [u64; 4]);

impl IdentityKey {
    /// Identity of an event.
    pub fn identity(&self, id: &[u8], bytes: &[u8]) -> Identity {
        Identity { id: self.hash(id), bytes: self.hash(bytes) }
    }

    fn hash(&self, bytes: &[u8]) -> u128 {
        let [low, high] = HighwayHasher::new(Key(self.0)).hash128(bytes);
        u128::from(low) | u128::from(high) << 64
    }
}

/// One version of an event under its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Variant {
    time: Timestamp,
    bytes: u128,
    late: bool,
}

/// What is known of one id. Nearly every id has one variant.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Seen {
    first: Variant,
    more: Vec<Variant>,
}

/// What a table says about an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sight {
    /// Not seen before.
    New,
    /// The same id with the same bytes was seen.
    Duplicate,
    /// The id was seen with other bytes: times at which the reuse now holds and did not before.
    Reused(Vec<Timestamp>),
}

/// The events of one source that can still come again.
#[derive(Debug)]
pub struct Duplicates {
    table: Table<u128, Seen>,
    by_minute: BTreeMap<i64, Vec<u128>>,
    len: usize,
    entries_max: usize,
    horizon_ms: i64,
    forgotten: u64,
}

const MINUTE_MS: i64 = 60_000;

/// Versions remembered under one id beside the first. Further ones are evaluated, reported and counted as forgotten: whoever
/// floods one id can neither grow it without end nor make each event dearer than the last.
const VARIANTS_MAX: usize = 16;

impl Duplicates {
    /// An empty table; `duplicates_max` entries at most, beyond which the oldest minute is forgotten and counted.
    pub fn new(lateness_ms: i64, duplicates_max: usize) -> Duplicates {
        let entries_max = duplicates_max.max(1);
        Duplicates {
            table: Table::new("duplicates", 1, entries_max.saturating_mul(4)),
            by_minute: BTreeMap::new(),
            len: 0,
            entries_max,
            horizon_ms: lateness_ms.saturating_add(HORIZON_BEYOND_LATENESS_MS),
            forgotten: 0,
        }
    }

    /// What is remembered, by id: for [`Duplicates::restore`].
    pub(crate) fn snapshot(&self) -> Vec<(u128, Seen)> {
        self.table.snapshot().entries
    }

    /// Puts what was remembered in the place of what is.
    pub(crate) fn restore(&mut self, entries: Vec<(u128, Seen)>) {
        *self = Duplicates { horizon_ms: self.horizon_ms, ..Duplicates::new(0, self.entries_max) };
        for (id, seen) in entries {
            self.by_minute.entry(seen.first.time.ms().div_euclid(MINUTE_MS)).or_default().push(id);
            self.len +=
                usize::from(self.table.insert(id, seen, |_, a, _, b| a.first.time.cmp(&b.first.time)).is_none());
        }
    }

    /// Looks for an event and remembers it. A late event is a duplicate of any; one on time only of one that was on time.
    pub fn see(&mut self, identity: Identity, time: Timestamp, late: bool) -> Sight {
        let variant = Variant { time, bytes: identity.bytes, late };
        let horizon_ms = self.horizon_ms;
        let Some(seen) = self.table.get_mut(&identity.id) else {
            self.remember(identity.id, variant);
            return Sight::New;
        };
        let mut same = std::iter::once(&mut seen.first).chain(&mut seen.more).filter(|v| v.bytes == variant.bytes);
        if let Some(known) = same.next() {
            if known.late && !late {
                known.late = false;
                return Sight::New;
            }
            return Sight::Duplicate;
        }
        if seen.more.len() >= VARIANTS_MAX {
            self.forgotten += 1;
            return Sight::Reused(vec![time]);
        }
        let before = reuses(seen, horizon_ms);
        seen.more.push(variant);
        let after = reuses(seen, horizon_ms);
        Sight::Reused(after.into_iter().filter(|held| !before.contains(held)).map(|(time, _)| time).collect())
    }

    fn remember(&mut self, id: u128, variant: Variant) {
        if self.len >= self.entries_max
            && let Some((_, ids)) = self.by_minute.pop_first()
        {
            self.forgotten += ids.len() as u64;
            self.forget(ids);
        }
        self.by_minute.entry(variant.time.ms().div_euclid(MINUTE_MS)).or_default().push(id);
        let seen = Seen { first: variant, more: Vec::new() };
        let evicted = self.table.insert(id, seen, |_, a, _, b| a.first.time.cmp(&b.first.time));
        match evicted {
            None => self.len += 1,
            Some(_) => self.forgotten += 1,
        }
    }

    /// Forgets what cannot come again once the source's watermark stands here.
    pub fn advance(&mut self, watermark: Timestamp) {
        let gone_before = watermark.ms().saturating_sub(self.horizon_ms).div_euclid(MINUTE_MS).saturating_sub(1);
        while let Some(entry) = self.by_minute.first_entry() {
            if *entry.key() >= gone_before {
                break;
            }
            let ids = entry.remove();
            ids.into_iter().for_each(|id| self.forget_before(id, gone_before));
        }
    }

    /// Forgets the versions of an id that cannot come again; those that can stay, however old the first one was: a partition
    /// that is far ahead may have brought them.
    fn forget_before(&mut self, id: u128, minute: i64) {
        let Some(seen) = self.table.get_mut(&id) else { return };
        let minute_of = |variant: &Variant| variant.time.ms().div_euclid(MINUTE_MS);
        seen.more.retain(|variant| minute_of(variant) >= minute);
        let oldest = (0..seen.more.len()).min_by_key(|at| seen.more.get(*at).map(|variant| variant.time));
        match oldest {
            Some(oldest) => {
                seen.first = seen.more.swap_remove(oldest);
                let minute = minute_of(&seen.first);
                self.by_minute.entry(minute).or_default().push(id);
            }
            None => self.forget(vec![id]),
        }
    }

    fn forget(&mut self, ids: Vec<u128>) {
        for id in ids {
            if self.table.remove(&id).is_some() {
                self.len -= 1;
            }
        }
    }

    /// How far behind the watermark an id is still known, in milliseconds.
    pub fn horizon_ms(&self) -> i64 {
        self.horizon_ms
    }

    /// Entries that were forgotten because the table was full.
    pub fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// Entries now.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Nothing is remembered.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}

/// The variants (on time) before which, within the horizon, another one stands: a function of the set alone.
fn reuses(seen: &Seen, horizon_ms: i64) -> Vec<(Timestamp, u128)> {
    let mut times: Vec<(Timestamp, u128)> =
        std::iter::once(&seen.first).chain(&seen.more).filter(|v| !v.late).map(|v| (v.time, v.bytes)).collect();
    times.sort_unstable();
    let near = |pair: &&[(Timestamp, u128)]| pair[1].0.ms().saturating_sub(pair[0].0.ms()) <= horizon_ms;
    times.windows(2).filter(near).map(|pair| pair[1]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(id: u128, bytes: u128) -> Identity {
        Identity { id, bytes }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_ms(seconds * 1000)
    }

    #[test]
    fn the_same_bytes_are_a_duplicate_until_the_horizon() {
        let mut seen = Duplicates::new(60_000, 100);
        assert_eq!(seen.see(identity(1, 1), at(0), false), Sight::New);
        assert_eq!(seen.see(identity(1, 1), at(0), false), Sight::Duplicate);
        seen.advance(at(660));
        assert_eq!(seen.see(identity(1, 1), at(0), true), Sight::Duplicate);
        seen.advance(at(900));
        assert_eq!(seen.see(identity(1, 1), at(0), true), Sight::New);
    }

    #[test]
    fn a_late_copy_does_not_swallow_one_that_is_on_time() {
        let mut seen = Duplicates::new(60_000, 100);
        assert_eq!(seen.see(identity(1, 1), at(0), true), Sight::New);
        assert_eq!(seen.see(identity(1, 1), at(0), false), Sight::New);
        assert_eq!(seen.see(identity(1, 1), at(0), false), Sight::Duplicate);
    }

    #[test]
    fn reuse_holds_at_the_same_times_in_any_order() {
        let variants = [(1, 0), (2, 100), (3, 700), (4, 5000)];
        for order in [[0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2], [2, 0, 3, 1]] {
            let mut seen = Duplicates::new(0, 100);
            let mut held = Vec::new();
            for i in order {
                if let Sight::Reused(times) = seen.see(identity(9, variants[i].0), at(variants[i].1), false) {
                    held.extend(times);
                }
            }
            held.sort();
            assert_eq!(held, [at(100), at(700)], "{order:?}");
        }
    }

    #[test]
    fn a_version_is_known_until_its_own_horizon_whatever_came_first_under_its_id() {
        for order in [[0, 5000], [5000, 0]] {
            let mut seen = Duplicates::new(60_000, 100);
            for second in order {
                assert_ne!(seen.see(identity(1, second as u128), at(second), false), Sight::Duplicate);
            }
            seen.advance(at(4900));
            assert_eq!(seen.see(identity(1, 5000), at(5000), false), Sight::Duplicate, "{order:?}");
            assert_eq!(seen.see(identity(1, 5001), at(5010), false), Sight::Reused(vec![at(5010)]), "{order:?}");
            seen.advance(at(6000));
            assert_eq!((seen.len(), seen.see(identity(1, 5000), at(5000), false)), (0, Sight::New), "{order:?}");
        }
    }

    #[test]
    fn a_flood_under_one_id_stays_bounded_and_is_reported() {
        let mut seen = Duplicates::new(0, 100);
        let sights: Vec<Sight> = (0..1000).map(|bytes| seen.see(identity(1, bytes), at(bytes as i64), false)).collect();
        assert_eq!(sights.iter().filter(|sight| **sight == Sight::New).count(), 1);
        assert_eq!(sights[999], Sight::Reused(vec![at(999)]));
        assert_eq!(seen.forgotten(), 999 - VARIANTS_MAX as u64);
    }

    #[test]
    fn a_full_table_forgets_the_oldest_minute_and_counts() {
        let mut seen = Duplicates::new(0, 10);
        for i in 0..20 {
            assert_eq!(seen.see(identity(i, 1), at(i as i64 * 30), false), Sight::New);
        }
        assert!(seen.len() <= 10 && seen.forgotten() >= 10);
        assert_eq!(seen.see(identity(19, 1), at(570), false), Sight::Duplicate);
        assert_eq!(seen.see(identity(0, 1), at(0), false), Sight::New);
    }

    #[test]
    fn keyed_hashes_tell_events_apart() {
        let key = IdentityKey([1, 2, 3, 4]);
        assert_eq!(key.identity(b"id", b"x"), key.identity(b"id", b"x"));
        assert_ne!(key.identity(b"id", b"x").bytes, key.identity(b"id", b"y").bytes);
        assert_ne!(key.identity(b"id", b"x").id, IdentityKey([1, 2, 3, 5]).identity(b"id", b"x").id);
    }
}
