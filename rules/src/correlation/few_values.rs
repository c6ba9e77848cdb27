//! Up to eight values with the last event of each, by that event: one behind the other in one short piece of memory.
//!
//! Most keys hold few values, and looking through them then reads a line or two of memory. Must never hold a value twice,
//! nor grow beyond its room: who adds a ninth keeps them in another way.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::handles::Handle;
use super::short::Short;
use super::state::Member;

/// Values that it holds.
const ROOM: usize = 8;

/// Memory is taken in such pieces: a line of the processor's cache.
const LINE: usize = 64;

/// Bytes before a value: its event's time, its event's handle, its length.
const HEAD: usize = 16;

/// See the module.
#[derive(Debug, Clone, Default)]
pub(super) struct FewValues(Vec<u8>);

/// The event of the first value in some bytes, and how long the value is.
fn first(bytes: &[u8]) -> Option<(Member, usize)> {
    let (at, bytes) = bytes.split_first_chunk()?;
    let (of, bytes) = bytes.split_first_chunk()?;
    let length = u32::from_le_bytes(*bytes.first_chunk()?) as usize;
    Some((Member { at: i64::from_le_bytes(*at), of: Handle::from_le_bytes(*of) }, length))
}

impl FewValues {
    pub(super) fn len(&self) -> usize {
        self.iter().count()
    }

    /// Each value with its last event, in their order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, Member)> {
        let mut rest = self.0.as_slice();
        std::iter::from_fn(move || {
            let (member, length) = first(rest)?;
            let (value, behind) = rest.get(HEAD..)?.split_at_checked(length)?;
            rest = behind;
            Some((std::str::from_utf8(value).unwrap_or_default(), member))
        })
    }

    /// Drops the values whose last event came before a time.
    pub(super) fn drop_before(&mut self, start: i64) {
        let mut end = 0;
        while let Some((member, length)) = self.0.get(end..).and_then(first)
            && member.at < start
        {
            end += HEAD + length;
        }
        self.0.drain(..end.min(self.0.len()));
    }

    /// A value of an event behind all others. False: there is no room.
    pub(super) fn add(&mut self, value: &str, member: Member, values_max: usize) -> bool {
        let (mut at, mut count, mut known) = (0, 0, None);
        while let Some((_, length)) = self.0.get(at..).and_then(first) {
            let end = at + HEAD + length;
            if self.0.get(at + HEAD..end) == Some(value.as_bytes()) {
                known = Some(at..end);
            }
            (at, count) = (end, count + 1);
        }
        let Ok(length) = u32::try_from(value.len()) else { return false };
        match known {
            Some(place) => drop(self.0.drain(place)),
            None if count >= ROOM.min(values_max) => return false,
            None => {}
        }
        let wanted = self.0.len() + HEAD + value.len();
        if wanted > self.0.capacity() {
            self.0.reserve_exact(wanted.next_multiple_of(LINE) - self.0.len());
        }
        self.0.extend_from_slice(&member.at.to_le_bytes());
        self.0.extend_from_slice(&member.of.to_le_bytes());
        self.0.extend_from_slice(&length.to_le_bytes());
        self.0.extend_from_slice(value.as_bytes());
        true
    }

    pub(super) fn handles(&mut self, name: &mut dyn FnMut(&mut Handle)) {
        let mut at = 0;
        while let Some((Member { of: was, .. }, length)) = self.0.get(at..).and_then(first) {
            let mut of = was;
            name(&mut of);
            let place = self.0.get_mut(at + size_of::<i64>()..).and_then(|bytes| bytes.first_chunk_mut());
            if let Some(place) = place.filter(|_| of != was) {
                *place = of.to_le_bytes();
            }
            at += HEAD + length;
        }
    }

    /// A number out of its first and its last line.
    pub(super) fn glance(&self) -> usize {
        self.0.first().zip(self.0.last()).map_or(0, |(first, last)| usize::from(first ^ last))
    }
}

impl Serialize for FewValues {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(self.iter().collect::<Vec<_>>())
    }
}

impl<'de> Deserialize<'de> for FewValues {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<FewValues, D::Error> {
        let mut values = FewValues::default();
        for (value, member) in Vec::<(Short, Member)>::deserialize(from)? {
            values.add(value.as_str(), member, ROOM);
        }
        Ok(values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_holds_what_a_list_holds() {
        let (mut values, mut list, mut random) = (FewValues::default(), Vec::<(String, Member)>::new(), 1u64);
        for at in 0..100_000 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let value = "é".repeat((random >> 33) as usize % 12 * 7);
            let member = Member { at, of: at as Handle * 3 };
            let start = at - (random >> 50) as i64 % 40;
            values.drop_before(start);
            list.retain(|(_, member)| member.at >= start);
            let known = list.iter().position(|(known, _)| *known == value);
            assert_eq!(values.add(&value, member, ROOM), known.is_some() || list.len() < ROOM);
            known.into_iter().for_each(|known| drop(list.remove(known)));
            if list.len() < ROOM {
                list.push((value, member));
            }
            values.handles(&mut |of| *of += 1);
            list.iter_mut().for_each(|(_, member)| member.of += 1);
            let held = values.iter().map(|(value, member)| (value, member.at, member.of));
            assert!(held.eq(list.iter().map(|(value, member)| (value.as_str(), member.at, member.of))));
            assert_eq!(values.len(), list.len());
            if at % 1_000 == 0 {
                let bytes = model::to_snapshot(&values).expect("a snapshot");
                assert_eq!(bytes, model::to_snapshot(&list).expect("a snapshot"));
                let back: FewValues = model::from_snapshot(&bytes).expect("the same");
                assert!(back.0 == values.0);
            }
        }
        assert!(!values.add(&"x".repeat(3), Member { at: 0, of: 0 }, 0));
    }
}
