//! What windows keep of the events in them: id, hash and place in order of each, once for all windows that hold it, 64 bytes.
//!
//! Windows name an event by its [`Handle`]. Nobody counts who holds one: when there are half as many again as were held at
//! the last look, the windows are looked through, some at each event, and the handles that none of them names are free.
//! A window takes handles of new events only, so one that was looked through cannot come by a handle that was not seen.
//! Must never free a handle that somebody names.

use std::sync::Arc;

use model::{Evidence, Sha256};
use rustc_hash::FxHashMap;

/// Number of an event's place. Never leaves the process.
pub(super) type Handle = u32;

/// No event.
pub(super) const NONE: Handle = Handle::MAX;

/// Bytes of an id that stand beside the hash; a UUID takes 16 of them.
const ROOM: usize = 23;

/// Lengths of an id above the room: a UUID, with some bytes behind it; or the id is not here.
const UUID: u8 = 32;
const ELSEWHERE: u8 = u8::MAX;

/// Places are made so many at a time; a power of two.
const CHUNK: usize = 2_048;

/// Bits of a word of marks.
const BITS: usize = u64::BITS as usize;

/// Fewer than so many are never looked through: they take one piece of memory at least.
const HELD_MIN: usize = CHUNK;

#[derive(Debug, Clone, Copy)]
struct Place {
    sha256: Sha256,
    number: u64,
    id: [u8; ROOM],
    length: u8,
}

const _: () = assert!(size_of::<Place>() == 64);

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Handles {
    chunks: Vec<Box<[Place]>>,
    /// Ids that are longer than the room.
    long: FxHashMap<Handle, Arc<str>>,
    /// One bit for each place: it is taken.
    taken: Vec<u64>,
    /// Words of `taken` before this one have no free place.
    next: usize,
    held: usize,
    /// Handles that were left at the last look.
    left: usize,
    /// While windows are looked through: one bit for each place that one of them names, or that is new.
    named: Option<Vec<u64>>,
}

impl Handles {
    /// A handle of an event. `number`: its place in the order in which events are applied.
    pub(super) fn add(&mut self, id: &str, sha256: Sha256, number: u64) -> Handle {
        let handle = self.free();
        let (id, length) = packed(id).unwrap_or_else(|| {
            self.long.insert(handle, id.into());
            ([0; ROOM], ELSEWHERE)
        });
        let at = handle as usize;
        if let Some(place) = self.chunks.get_mut(at / CHUNK).and_then(|chunk| chunk.get_mut(at % CHUNK)) {
            *place = Place { sha256, number, id, length };
        }
        self.held += 1;
        handle
    }

    /// Takes the first free place.
    fn free(&mut self) -> Handle {
        while self.taken.get(self.next) == Some(&u64::MAX) {
            self.next += 1;
        }
        if self.next >= self.taken.len() {
            let blank = Place { sha256: Sha256::of(b""), number: 0, id: [0; ROOM], length: 0 };
            self.chunks.push(vec![blank; CHUNK].into());
            self.taken.extend([0; CHUNK / BITS]);
            self.named.iter_mut().for_each(|named| named.extend([0; CHUNK / BITS]));
        }
        let word = self.taken.get(self.next).copied().unwrap_or(0);
        let handle = (self.next * BITS) as Handle + word.trailing_ones();
        set(&mut self.taken, handle);
        self.named.iter_mut().for_each(|named| set(named, handle));
        handle
    }

    fn place(&self, handle: Handle) -> Option<&Place> {
        self.chunks.get(handle as usize / CHUNK)?.get(handle as usize % CHUNK)
    }

    /// The event's place in the order in which events were applied.
    pub(super) fn number(&self, handle: Handle) -> u64 {
        self.place(handle).map_or(0, |place| place.number)
    }

    /// The event's id and hash.
    pub(super) fn evidence(&self, handle: Handle) -> Evidence {
        let Some(place) = self.place(handle) else { return Evidence { id: "".into(), sha256: Sha256::of(b"") } };
        let id = match place.length {
            ELSEWHERE => self.long.get(&handle).cloned().unwrap_or_default(),
            _ => unpacked(&place.id, place.length).into(),
        };
        Evidence { id, sha256: place.sha256 }
    }

    /// Two handles are of events of equal id and hash.
    pub(super) fn are_equal(&self, one: Handle, other: Handle) -> bool {
        let key = |handle| {
            let place = self.place(handle)?;
            Some((place.sha256, place.length, place.id, self.long.get(&handle).filter(|_| place.length == ELSEWHERE)))
        };
        one == other || key(one) == key(other)
    }

    /// Windows are being looked through.
    pub(super) fn is_looking(&self) -> bool {
        self.named.is_some()
    }

    /// There are many more than were held at the last look.
    pub(super) fn is_due(&self) -> bool {
        self.held > HELD_MIN.max(self.left + self.left / 2)
    }

    /// From here on whatever is named, or new, stays.
    pub(super) fn begin(&mut self) {
        self.named = Some(vec![0; self.taken.len()]);
    }

    /// Somebody names it.
    pub(super) fn keep(&mut self, handle: Handle) {
        if handle != NONE {
            self.named.iter_mut().for_each(|named| set(named, handle));
        }
    }

    /// Everybody has been asked: what nobody named is free.
    pub(super) fn finish(&mut self) {
        let Some(named) = self.named.take() else { return };
        (self.taken, self.next) = (named, 0);
        self.held = self.taken.iter().map(|word| word.count_ones() as usize).sum();
        self.left = self.held;
        let taken = &self.taken;
        self.long.retain(|&handle, _| is_set(taken, handle));
    }

    /// Handles, and the bytes of their places.
    pub(super) fn held(&self) -> (usize, usize) {
        (self.held, self.chunks.len() * CHUNK * size_of::<Place>())
    }
}

fn set(words: &mut [u64], handle: Handle) {
    if let Some(word) = words.get_mut(handle as usize / BITS) {
        *word |= 1 << (handle as usize % BITS);
    }
}

fn is_set(words: &[u64], handle: Handle) -> bool {
    words.get(handle as usize / BITS).is_some_and(|word| word >> (handle as usize % BITS) & 1 == 1)
}

/// Where the hyphens of a UUID stand.
const HYPHENS: [usize; 4] = [8, 13, 18, 23];
const UUID_LEN: usize = 36;

/// An id in its room. None: it is too long.
fn packed(id: &str) -> Option<([u8; ROOM], u8)> {
    let mut room = [0; ROOM];
    if let Some(place) = room.get_mut(..id.len()) {
        place.copy_from_slice(id.as_bytes());
        return Some((room, id.len() as u8));
    }
    let (uuid, behind) = id.as_bytes().split_at_checked(UUID_LEN)?;
    let (bits, rest) = room.split_first_chunk_mut::<16>()?;
    rest.get_mut(..behind.len())?.copy_from_slice(behind);
    let mut digits = 0;
    for (at, byte) in uuid.iter().enumerate() {
        let value = match byte {
            b'-' if HYPHENS.contains(&at) => continue,
            b'0'..=b'9' if !HYPHENS.contains(&at) => byte - b'0',
            b'a'..=b'f' if !HYPHENS.contains(&at) => byte - b'a' + 10,
            _ => return None,
        };
        if let Some(both) = bits.get_mut(digits / 2) {
            *both = *both << 4 | value;
        }
        digits += 1;
    }
    Some((room, UUID + behind.len() as u8))
}

fn unpacked(room: &[u8; ROOM], length: u8) -> String {
    let text = |bytes: Option<&[u8]>| std::str::from_utf8(bytes.unwrap_or_default()).unwrap_or_default().to_owned();
    let Some(behind) = length.checked_sub(UUID) else { return text(room.get(..usize::from(length))) };
    let mut id = String::with_capacity(UUID_LEN + usize::from(behind));
    let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or('0');
    for (at, byte) in room.iter().take(16).enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            id.push('-');
        }
        id.extend([digit(byte >> 4), digit(byte & 15)]);
    }
    id + &text(room.get(16..16 + usize::from(behind)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_every_shape_come_back() {
        let mut handles = Handles::default();
        let uuid = "0123abcd-4567-89ef-0000-fedcba987654";
        let same_but = |at: usize, other: &str| uuid[..at].to_owned() + other + &uuid[at + 1..];
        let mut ids: Vec<String> = (0..60).map(|length| "é1a-"[..].chars().cycle().take(length).collect()).collect();
        ids.extend(["", "/0", "/12", "#3:4567", "#3:45678"].map(|behind| format!("{uuid}{behind}")));
        ids.extend([same_but(3, "B"), same_but(8, "0"), same_but(9, "-"), "é".to_owned() + &uuid[2..] + "é"]);
        let added: Vec<Handle> =
            (0..).zip(&ids).map(|(number, id)| handles.add(id, Sha256::of(id.as_bytes()), number)).collect();
        for (number, (&handle, id)) in added.iter().zip(&ids).enumerate() {
            let evidence = handles.evidence(handle);
            assert_eq!((&*evidence.id, evidence.sha256), (id.as_str(), Sha256::of(id.as_bytes())));
            assert_eq!(handles.number(handle), number as u64);
            let again = handles.add(id, evidence.sha256, 99);
            let equal: Vec<Handle> = added.iter().copied().filter(|&of| handles.are_equal(of, again)).collect();
            assert_eq!(equal, [handle]);
        }
    }

    #[test]
    fn what_nobody_names_is_free_again_and_nothing_else_is() {
        let mut handles = Handles::default();
        let add = |handles: &mut Handles, number: u64| {
            let id = format!("{number}{}", "x".repeat(number as usize % 40));
            handles.add(&id, Sha256::of(id.as_bytes()), number)
        };
        let mut kept: Vec<(Handle, u64)> = Vec::new();
        for number in 0..100_000 {
            let handle = add(&mut handles, number);
            if number % 31 == 0 {
                kept.push((handle, number));
            }
            if handles.is_due() && !handles.is_looking() {
                handles.begin();
                kept.iter().for_each(|(handle, _)| handles.keep(*handle));
            } else if handles.is_looking() && number % 13 == 0 {
                handles.finish();
            }
        }
        assert!(handles.held().0 < 2 * kept.len(), "{:?}", handles.held());
        for (handle, number) in kept {
            assert_eq!(handles.number(handle), number);
            assert_eq!(*handles.evidence(handle).id, *format!("{number}{}", "x".repeat(number as usize % 40)));
        }
    }
}
