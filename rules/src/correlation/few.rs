//! Up to four events of a window, side by side: what most keys hold.
//!
//! Must never grow: who adds a fifth keeps them in another way.

use serde::{Deserialize, Serialize};

use super::handles::{Handle, NONE};
use super::state::Member;

/// Events that it holds.
pub(super) const ROOM: usize = 4;

/// See the module. Places without an event name [`NONE`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Few {
    at: [i64; ROOM],
    of: [Handle; ROOM],
}

impl Default for Few {
    fn default() -> Few {
        Few { at: [0; ROOM], of: [NONE; ROOM] }
    }
}

impl Few {
    /// How many there are, wherever they stand.
    pub(super) fn len(&self) -> usize {
        self.of.iter().filter(|of| **of != NONE).count()
    }

    /// The event of a place.
    pub(super) fn get(&self, place: usize) -> Option<Member> {
        let (at, of) = (*self.at.get(place)?, *self.of.get(place)?);
        (of != NONE).then_some(Member { at, of })
    }

    pub(super) fn set(&mut self, place: usize, member: Member) {
        if let (Some(at), Some(of)) = (self.at.get_mut(place), self.of.get_mut(place)) {
            (*at, *of) = (member.at, member.of);
        }
    }

    /// Adds one behind the others. False: there is no room.
    pub(super) fn push(&mut self, member: Member) -> bool {
        let place = self.len();
        self.set(place, member);
        place < ROOM
    }

    /// Drops those before a time, of events that stand in order.
    pub(super) fn drop_before(&mut self, start: i64) {
        let gone = self.iter().take_while(|member| member.at < start).count();
        if gone > 0 {
            self.at.rotate_left(gone);
            self.of.rotate_left(gone);
            (ROOM - gone..ROOM).for_each(|place| self.set(place, Member { at: 0, of: NONE }));
        }
    }

    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = Member> {
        (0..ROOM).filter_map(|place| self.get(place))
    }

    pub(super) fn handles(&mut self, name: &mut dyn FnMut(&mut Handle)) {
        self.of.iter_mut().filter(|of| **of != NONE).for_each(name);
    }
}
