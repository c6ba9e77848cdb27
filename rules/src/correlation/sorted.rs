//! Numbers in ascending order, in short pieces: one that comes or goes moves those of its piece and no others.
//!
//! Must never lose a number, nor hold one that was taken out: equal ones are as many as came.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::decimal::Decimal;

/// Numbers of a piece at most: 2 KiB, moved in a few lines of the processor's cache at a time.
const PIECE_MAX: usize = 128;

/// See the module. In snapshots the numbers one behind the other.
#[derive(Debug, Clone, Default)]
pub(super) struct Sorted {
    pieces: Vec<Piece>,
    len: usize,
}

#[derive(Debug, Clone)]
struct Piece {
    /// Not above any number of it, nor below any of the pieces before. Says nothing of the first piece.
    least: Decimal,
    numbers: Vec<Decimal>,
}

impl Sorted {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// The last piece that may hold a number.
    fn piece_of(&self, number: Decimal) -> usize {
        self.pieces.partition_point(|piece| piece.least <= number).saturating_sub(1)
    }

    pub(super) fn insert(&mut self, number: Decimal) {
        let place = self.piece_of(number);
        self.len += 1;
        let Some(piece) = self.pieces.get_mut(place) else {
            return self.pieces.push(Piece { least: number, numbers: vec![number] });
        };
        let at = piece.numbers.partition_point(|known| *known <= number);
        piece.numbers.insert(at, number);
        if piece.numbers.len() > PIECE_MAX {
            let numbers = piece.numbers.split_off(PIECE_MAX / 2);
            let least = numbers.first().copied().unwrap_or_default();
            self.pieces.insert(place + 1, Piece { least, numbers });
        }
    }

    /// Takes one number of this size out, if there is one.
    pub(super) fn remove(&mut self, number: Decimal) {
        let mut place = self.piece_of(number);
        // Equal ones may stand in several pieces, the last of which may have lost its own.
        while let Some(piece) = self.pieces.get_mut(place) {
            if let Ok(at) = piece.numbers.binary_search(&number) {
                piece.numbers.remove(at);
                self.len -= 1;
                return self.join(place);
            }
            let Some(before) = place.checked_sub(1).filter(|_| piece.least == number) else { return };
            place = before;
        }
    }

    /// A piece that has become short becomes one with a neighbour, where both have room.
    fn join(&mut self, place: usize) {
        let length = |at: usize| self.pieces.get(at).map(|piece| piece.numbers.len());
        let has_room = |before: &usize| {
            let both = length(*before).zip(length(before + 1));
            both.is_some_and(|(one, other)| one + other <= PIECE_MAX / 2)
        };
        if let Some(before) = place.checked_sub(1).into_iter().chain([place]).find(has_room) {
            let short = self.pieces.remove(before + 1);
            self.pieces.get_mut(before).into_iter().for_each(|piece| piece.numbers.extend(&short.numbers));
        }
    }

    /// The number of this rank, counted from 0.
    pub(super) fn get(&self, mut rank: usize) -> Option<Decimal> {
        for piece in &self.pieces {
            match piece.numbers.get(rank) {
                Some(number) => return Some(*number),
                None => rank -= piece.numbers.len(),
            }
        }
        None
    }

    fn iter(&self) -> impl Iterator<Item = &Decimal> {
        self.pieces.iter().flat_map(|piece| &piece.numbers)
    }
}

impl Serialize for Sorted {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(self.iter().collect::<Vec<_>>())
    }
}

impl<'de> Deserialize<'de> for Sorted {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Sorted, D::Error> {
        let mut sorted = Sorted::default();
        Vec::deserialize(from)?.into_iter().for_each(|number| sorted.insert(number));
        Ok(sorted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_holds_what_a_sorted_list_holds() {
        let (mut sorted, mut list, mut random) = (Sorted::default(), Vec::<Decimal>::new(), 1u64);
        for round in 0..60_000 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            // Few numbers, so that equal ones fill whole pieces, or many; phases in which more comes than goes.
            let number = Decimal::whole((random >> 33) as usize % [3, 40, 100_000][round / 3_000 % 3]);
            if (random >> 20) % 8 < 2 + round as u64 / 10_000 % 5 {
                list.insert(list.partition_point(|known| *known <= number), number);
                sorted.insert(number);
            } else {
                // One that is there, or one that may be.
                let number =
                    if random >> 60 == 0 { number } else { list.get(list.len() / 2).copied().unwrap_or(number) };
                if let Ok(at) = list.binary_search(&number) {
                    list.remove(at);
                }
                sorted.remove(number);
            }
            assert_eq!(sorted.len(), list.len());
            let rank = (random >> 40) as usize % (list.len() + 1);
            assert_eq!(sorted.get(rank), list.get(rank).copied());
            assert!(sorted.pieces.iter().all(|piece| piece.numbers.len() <= PIECE_MAX));
            if round % 500 == 0 {
                assert!(sorted.iter().eq(&list));
                assert!(sorted.pieces.len() <= 1 + list.len() * 4 / PIECE_MAX, "{} pieces", sorted.pieces.len());
                let bytes = model::to_snapshot(&sorted).expect("a snapshot");
                assert_eq!(bytes, model::to_snapshot(&list).expect("a snapshot"));
                sorted = model::from_snapshot(&bytes).expect("the same");
                assert!(sorted.iter().eq(&list));
            }
        }
        // Emptied from above, pieces become short one after the other.
        sorted = Sorted::default();
        (0..10_000).for_each(|number| sorted.insert(Decimal::whole(number * 7_919 % 10_000)));
        for number in (0..10_000).rev() {
            sorted.remove(Decimal::whole(number));
            assert!(sorted.pieces.len() <= 1 + sorted.len() * 4 / PIECE_MAX, "{} pieces", sorted.pieces.len());
        }
    }
}
