//! Where a record came from: source, partition, offset; and how far a worker has got.
//!
//! Positions never reach a sealed record: they depend on arrival. They stand in dead letters, logs and checkpoints.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// One partition of one source: a Kafka topic partition, or one input file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Partition {
    /// The source's name in the configuration.
    pub source: Arc<str>,
    /// `TOPIC/NUMBER` of a Kafka partition, the path of a file, `-` for standard input.
    pub name: Arc<str>,
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.source, self.name)
    }
}

/// One record: a partition and its offset in it. A file's offset is the number of the record, counted from 0.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "Flat", into = "Flat")]
pub struct Position {
    /// Where.
    pub partition: Partition,
    /// How far in.
    pub offset: i64,
}

/// A position as it is written: three fields side by side, in formats that do not describe themselves too.
#[derive(Serialize, Deserialize)]
struct Flat {
    source: Arc<str>,
    name: Arc<str>,
    offset: i64,
}

impl From<Position> for Flat {
    fn from(position: Position) -> Flat {
        Flat { source: position.partition.source, name: position.partition.name, offset: position.offset }
    }
}

impl From<Flat> for Position {
    fn from(Flat { source, name, offset }: Flat) -> Position {
        Position { partition: Partition { source, name }, offset }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.partition, self.offset)
    }
}

/// Partition → the next offset to read. Published only together with the effect of everything before it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checkpoint {
    next: BTreeMap<Partition, i64>,
}

impl Checkpoint {
    /// Records that everything below `next` has taken effect. A checkpoint never moves back.
    pub fn advance(&mut self, partition: &Partition, next: i64) {
        match self.next.get_mut(partition) {
            Some(known) => *known = next.max(*known),
            None => {
                self.next.insert(partition.clone(), next);
            }
        }
    }

    /// The next offset to read of a partition that has been read before.
    pub fn next(&self, partition: &Partition) -> Option<i64> {
        self.next.get(partition).copied()
    }

    /// All partitions, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&Partition, i64)> {
        self.next.iter().map(|(partition, &next)| (partition, next))
    }

    /// Nothing has been read.
    pub fn is_empty(&self) -> bool {
        self.next.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_never_moves_back() {
        let partition = Partition { source: "audit".into(), name: "audit/0".into() };
        let mut checkpoint = Checkpoint::default();
        checkpoint.advance(&partition, 10);
        checkpoint.advance(&partition, 7);
        assert_eq!(checkpoint.next(&partition), Some(10));
    }
}
