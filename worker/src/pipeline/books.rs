//! What a pipeline has read, told and holds, for those who report it.
//!
//! Must never change anything.

use std::collections::BTreeMap;

use ingest::enrich::Misses;
use model::{Checkpoint, Ledger, Partition, Position, Timestamp};

use super::{LineageHeld, Pipeline, Source};
use crate::keeper::Keeper;
use crate::told::{Held, Told};

impl Pipeline {
    /// The archive that is written.
    pub fn archive(&self) -> Option<&Keeper> {
        self.outlets.archive.as_ref()
    }

    /// A partition by its number.
    pub fn partition(&self, source: usize, partition: usize) -> Option<&Partition> {
        self.sources.get(source)?.partitions.get(partition).map(|booked| &booked.name)
    }

    /// Number of partitions of a source.
    pub fn partitions(&self, source: usize) -> usize {
        self.sources.get(source).map_or(0, |source| source.partitions.len())
    }

    /// The number of a partition by its name.
    pub fn partition_of(&self, source: usize, name: &str) -> Option<usize> {
        self.sources.get(source)?.partitions.iter().position(|booked| *booked.name.name == *name)
    }

    /// Watermark of one partition.
    pub fn partition_watermark(&self, source: usize, partition: usize) -> Timestamp {
        self.sources.get(source).map_or(Timestamp::MIN, |source| source.gate.watermark(partition))
    }

    /// Watermark of a source, as of the last `advance`; `MIN` where this worker reads nothing of it.
    pub fn watermark(&self, source: usize) -> Timestamp {
        self.sources.get(source).and_then(Source::cursor).unwrap_or(Timestamp::MIN)
    }

    /// The books of every partition.
    pub fn ledgers(&self) -> impl Iterator<Item = (&Partition, &Ledger)> {
        self.sources.iter().flat_map(|source| &source.partitions).map(|booked| (&booked.name, &booked.ledger))
    }

    /// The books of all partitions together.
    pub fn total(&self) -> Ledger {
        let mut total = Ledger::default();
        self.ledgers().for_each(|(_, ledger)| total.add(ledger));
        total
    }

    /// Records told, by rule id.
    pub fn told(&self) -> &BTreeMap<String, Told> {
        &self.told
    }

    /// Look-ups in vain.
    pub fn misses(&self) -> &Misses {
        &self.misses
    }

    /// How far partitions have been read with effect: never past a finding that waits to be sealed. `read` names them by
    /// source and number, with the next offset of each.
    pub fn checkpoint(&self, read: impl Iterator<Item = (usize, usize, i64)>) -> Checkpoint {
        let mut unsealed: BTreeMap<&Partition, i64> = BTreeMap::new();
        for Position { partition, offset } in self.sealer.waiting_positions() {
            unsealed.entry(partition).and_modify(|low| *low = (*low).min(*offset)).or_insert(*offset);
        }
        let mut checkpoint = Checkpoint::default();
        for (source, partition, next) in read {
            if let Some(partition) = self.partition(source, partition) {
                checkpoint.advance(partition, unsealed.get(partition).map_or(next, |low| next.min(*low)));
            }
        }
        checkpoint
    }

    /// What is held in memory: findings waiting, open alerts, alerts evicted, ids forgotten.
    pub fn held(&self) -> Held {
        Held {
            waiting: self.sealer.waiting(),
            open_alerts: self.sealer.open_alerts(),
            evicted: self.sealer.evicted(),
            lost: self.sealer.lost(),
            waiting_events: self.sealer.waiting_events(),
            lost_events: self.sealer.lost_events(),
            remembered: self.sealer.remembered(),
            silenced: self.sealer.silenced(),
            joined: self.incidents.as_ref().map(|incidents| incidents.held()).unwrap_or_default(),
            lineage: LineageHeld {
                asks_cut: self.decider.cut(),
                ..self.lineage.as_ref().map(|lineage| lineage.held()).unwrap_or_default()
            },
            forgotten: self.sources.iter().map(|source| source.gate.forgotten()).sum(),
        }
    }
}
