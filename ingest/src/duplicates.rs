//! Duplicates: which (event id, bytes) pairs of a source have been seen, for as long as they can come again.
//!
//! An entry is forgotten once the source's watermark has passed it by the horizon, or, counted, when the table is full.
//! The same id with other bytes is no duplicate: it is evaluated too, and reported as a reused id. What is known stands in pages,
//! one a minute, written one behind the other; what is searched at random is small. Forgetting drops a page and looks at none of
//! its ids: a place in a page that is gone must never be taken for one in a later page.

use std::collections::BTreeMap;

use hashbrown::HashTable;
use highway::{HighwayHash, HighwayHasher, Key};
use model::{Timestamp, VIRTUAL_SHARDS};
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

/// The first version under an id, in 48 bytes: hashes as halves, because `u128` stands at multiples of 16 only.
#[derive(Debug, Clone, Copy)]
struct Known {
    id: [u64; 2],
    bytes: [u64; 2],
    time: Timestamp,
    late: bool,
}

/// The ids whose first version stands in one minute.
#[derive(Debug, Default)]
struct Page {
    known: Vec<Known>,
    /// Those of them that have more versions.
    reused: Vec<u128>,
}

/// Where an id stands.
#[derive(Debug, Clone, Copy)]
struct Place {
    /// Number of the page; none has the number of one that is gone.
    page: u32,
    at: u32,
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
    /// By id, in shards, so that none takes long to grow. Places in pages that are gone stay until their shard is full.
    shards: Vec<HashTable<Place>>,
    pages: BTreeMap<u32, Page>,
    /// The page of each minute.
    minutes: BTreeMap<i64, u32>,
    /// Pages begun so far.
    begun: u32,
    /// Memory of a page that is gone, for the next one.
    spare: Vec<Known>,
    /// Versions beside the first of those ids that have some.
    more: BTreeMap<u128, Vec<Variant>>,
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
        Duplicates {
            shards: vec![HashTable::new(); VIRTUAL_SHARDS],
            pages: BTreeMap::new(),
            minutes: BTreeMap::new(),
            begun: 0,
            spare: Vec::new(),
            more: BTreeMap::new(),
            len: 0,
            entries_max: duplicates_max.max(1),
            horizon_ms: lateness_ms.saturating_add(HORIZON_BEYOND_LATENESS_MS),
            forgotten: 0,
        }
    }

    /// What is remembered, by id: for [`Duplicates::restore`].
    pub(crate) fn snapshot(&self) -> Vec<(u128, Seen)> {
        let seen = |known: &Known| {
            let id = whole(known.id);
            (id, Seen { first: known.first(), more: self.more.get(&id).cloned().unwrap_or_default() })
        };
        let mut entries: Vec<(u128, Seen)> = self.pages.values().flat_map(|page| &page.known).map(seen).collect();
        entries.sort_unstable_by_key(|(id, _)| *id);
        entries
    }

    /// Puts what was remembered in the place of what is.
    pub(crate) fn restore(&mut self, entries: Vec<(u128, Seen)>) {
        *self = Duplicates { horizon_ms: self.horizon_ms, ..Duplicates::new(0, self.entries_max) };
        for (id, Seen { first, more }) in entries {
            self.remember(id, first);
            if !more.is_empty() {
                self.is_reused(first.time, id);
                self.more.insert(id, more);
            }
        }
    }

    /// Looks for an event and remembers it. A late event is a duplicate of any; one on time only of one that was on time.
    pub fn see(&mut self, identity: Identity, time: Timestamp, late: bool) -> Sight {
        let variant = Variant { time, bytes: identity.bytes, late };
        let place = self.find(identity.id);
        let Duplicates { pages, more, .. } = self;
        let page = place.and_then(|place| Some((pages.get_mut(&place.page)?, place.at as usize)));
        let Some(known) = page.and_then(|(page, at)| page.known.get_mut(at)) else {
            self.remember(identity.id, variant);
            return Sight::New;
        };
        let first = (known.bytes == halves(variant.bytes)).then_some(&mut known.late);
        let others = more.get_mut(&identity.id);
        let same = first.or_else(|| {
            let same = others.into_iter().flatten().find(|other| other.bytes == variant.bytes);
            same.map(|other| &mut other.late)
        });
        match same {
            Some(was_late) if *was_late && !late => {
                *was_late = false;
                Sight::New
            }
            Some(_) => Sight::Duplicate,
            None => {
                let first = known.first();
                self.reuse(identity.id, first, variant)
            }
        }
    }

    /// Another version of an id.
    fn reuse(&mut self, id: u128, first: Variant, variant: Variant) -> Sight {
        let horizon_ms = self.horizon_ms;
        let more = self.more.entry(id).or_default();
        if more.len() >= VARIANTS_MAX {
            self.forgotten += 1;
            return Sight::Reused(vec![variant.time]);
        }
        let before = reuses(&first, more, horizon_ms);
        more.push(variant);
        let after = reuses(&first, more, horizon_ms);
        if more.len() == 1 {
            self.is_reused(first.time, id);
        }
        Sight::Reused(after.into_iter().filter(|held| !before.contains(held)).map(|(time, _)| time).collect())
    }

    fn find(&self, id: u128) -> Option<Place> {
        let (shard, id) = (self.shards.get(shard_of(id))?, halves(id));
        shard.find(id[0], |place| known(&self.pages, *place).is_some_and(|known| known.id == id)).copied()
    }

    /// The page of a time, begun where there is none.
    fn page(&mut self, time: Timestamp) -> (u32, &mut Page) {
        let number = *self.minutes.entry(minute_of(time)).or_insert_with(|| {
            self.begun = self.begun.wrapping_add(1);
            self.begun
        });
        let page = self.pages.entry(number);
        (number, page.or_insert_with(|| Page { known: std::mem::take(&mut self.spare), reused: Vec::new() }))
    }

    /// An id whose first version is of this time has more.
    fn is_reused(&mut self, first: Timestamp, id: u128) {
        self.page(first).1.reused.push(id);
    }

    /// Remembers an id that is not known, and has no other version.
    fn remember(&mut self, id: u128, first: Variant) {
        if self.len >= self.entries_max
            && let Some((_, oldest)) = self.minutes.pop_first()
        {
            let (ids, reused) = self.forget(oldest);
            self.forgotten += ids as u64;
            reused.iter().for_each(|id| drop(self.more.remove(id)));
        }
        let (number, page) = self.page(first.time);
        let place = Place { page: number, at: page.known.len() as u32 };
        page.known.push(Known::new(id, first));
        self.len += 1;
        let Duplicates { shards, pages, .. } = self;
        let Some(shard) = shards.get_mut(shard_of(id)) else { return };
        // The ids are keyed hashes already.
        let hash = |place: &Place| known(pages, *place).map_or(0, |known| known.id[0]);
        if shard.len() == shard.capacity() {
            // Before it grows, what is forgotten leaves. It grows where that makes little room, so that this stays rare.
            let room = shard.capacity();
            shard.retain(|place| pages.contains_key(&place.page));
            if shard.len() > room / 4 * 3 {
                shard.reserve(room, hash);
            }
        }
        shard.insert_unique(halves(id)[0], place, hash);
    }

    /// Forgets a page: gives the number of its ids, and those with more versions.
    fn forget(&mut self, page: u32) -> (usize, Vec<u128>) {
        let Page { mut known, reused } = self.pages.remove(&page).unwrap_or_default();
        let ids = known.len();
        self.len -= ids;
        known.clear();
        self.spare = known;
        (ids, reused)
    }

    /// Forgets what cannot come again once the source's watermark stands here.
    pub fn advance(&mut self, watermark: Timestamp) {
        let gone_before = watermark.ms().saturating_sub(self.horizon_ms).div_euclid(MINUTE_MS).saturating_sub(1);
        while let Some(entry) = self.minutes.first_entry() {
            if *entry.key() >= gone_before {
                break;
            }
            let page = entry.remove();
            let (_, reused) = self.forget(page);
            reused.into_iter().for_each(|id| self.keep_versions(id, gone_before));
        }
    }

    /// Of an id that has just been forgotten, the versions that can come again stay, however old the first one was: a
    /// partition that is far ahead may have brought them.
    fn keep_versions(&mut self, id: u128, minute: i64) {
        let mut more = self.more.remove(&id).unwrap_or_default();
        more.retain(|variant| minute_of(variant.time) >= minute);
        let oldest = (0..more.len()).min_by_key(|at| more.get(*at).map(|variant| variant.time));
        if let Some(oldest) = oldest {
            let first = more.swap_remove(oldest);
            self.remember(id, first);
            if !more.is_empty() {
                self.is_reused(first.time, id);
                self.more.insert(id, more);
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

impl Known {
    fn new(id: u128, first: Variant) -> Known {
        Known { id: halves(id), bytes: halves(first.bytes), time: first.time, late: first.late }
    }

    fn first(&self) -> Variant {
        Variant { time: self.time, bytes: whole(self.bytes), late: self.late }
    }
}

/// What stands at a place; None: its page is gone.
fn known(pages: &BTreeMap<u32, Page>, place: Place) -> Option<&Known> {
    pages.get(&place.page)?.known.get(place.at as usize)
}

fn shard_of(id: u128) -> usize {
    halves(id)[1] as usize % VIRTUAL_SHARDS
}

fn minute_of(time: Timestamp) -> i64 {
    time.ms().div_euclid(MINUTE_MS)
}

fn halves(hash: u128) -> [u64; 2] {
    [hash as u64, (hash >> 64) as u64]
}

fn whole([low, high]: [u64; 2]) -> u128 {
    u128::from(low) | u128::from(high) << 64
}

/// The variants (on time) before which, within the horizon, another one stands: a function of the set alone.
fn reuses(first: &Variant, more: &[Variant], horizon_ms: i64) -> Vec<(Timestamp, u128)> {
    let mut times: Vec<(Timestamp, u128)> =
        std::iter::once(first).chain(more).filter(|v| !v.late).map(|v| (v.time, v.bytes)).collect();
    times.sort_unstable();
    let near = |pair: &&[(Timestamp, u128)]| pair[1].0.ms().saturating_sub(pair[0].0.ms()) <= horizon_ms;
    times.windows(2).filter(near).map(|pair| pair[1]).collect()
}

#[cfg(test)]
mod tests;
