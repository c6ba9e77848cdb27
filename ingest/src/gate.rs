//! The gate of one source: watermarks, lateness, duplicates, skew; every event's fate is decided here.
//!
//! Lateness is decided per partition from that partition's own prefix, so it depends on neither batch sizes nor on how
//! partitions are interleaved. Never reads a clock: idleness and the bound for early events come from the caller, who
//! records them.

use model::{EventOutcome, Malformed, Timestamp, from_snapshot, to_snapshot};
use serde::{Deserialize, Serialize};

use crate::duplicates::{Duplicates, Identity, Sight};

/// Limits of a source's time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimePolicy {
    /// How much later than the newest event of its partition an event may be, in milliseconds.
    pub lateness_ms: i64,
    /// Entries of the table of duplicates.
    pub duplicates_max: usize,
}

/// The fate of an event, and what its id gave away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admission {
    /// Its fate.
    pub outcome: EventOutcome,
    /// Event times at which the reuse of an id holds (the built-in rule `id-reuse`).
    pub reused: Vec<Timestamp>,
}

/// How far one partition has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Clock {
    newest: Timestamp,
    complete_up_to: Timestamp,
}

/// Gate of one source.
#[derive(Debug)]
pub struct Gate {
    policy: TimePolicy,
    clocks: Vec<Clock>,
    duplicates: Duplicates,
}

impl Gate {
    /// A gate without partitions.
    pub fn new(policy: TimePolicy) -> Gate {
        Gate { policy, clocks: Vec::new(), duplicates: Duplicates::new(policy.lateness_ms, policy.duplicates_max) }
    }

    /// Adds a partition and returns its number.
    pub fn add_partition(&mut self) -> usize {
        self.clocks.push(Clock { newest: Timestamp::MIN, complete_up_to: Timestamp::MIN });
        self.clocks.len() - 1
    }

    /// Decides an event. `bound`: times behind it are too far ahead (`early`). Events without a time are accepted.
    pub fn admit(
        &mut self,
        partition: usize,
        identity: Option<Identity>,
        time: Option<Timestamp>,
        bound: Option<Timestamp>,
    ) -> Admission {
        let early = time.zip(bound).is_some_and(|(time, bound)| time > bound);
        let watermark = self.watermark(partition);
        let late = early || time.is_some_and(|time| time < watermark);
        // So far behind its own partition, an event is no duplicate, whether its id is still known or not: how soon ids
        // are forgotten depends on the other partitions.
        let beyond = time.is_some_and(|time| time < watermark.plus_ms(-self.duplicates.horizon_ms()));
        let mut reused = Vec::new();
        if let Some(identity) = identity.filter(|_| !beyond) {
            match self.duplicates.see(identity, time.unwrap_or(Timestamp::from_ms(0)), late) {
                Sight::New => {}
                Sight::Duplicate => {
                    // Time moves by a copy as by its event: which of the two came first is up to other partitions.
                    if !late {
                        self.move_to(partition, time);
                    }
                    return Admission { outcome: EventOutcome::Duplicate, reused };
                }
                Sight::Reused(times) => reused = times,
            }
        }
        if late {
            return Admission { outcome: EventOutcome::Late { early }, reused };
        }
        self.move_to(partition, time);
        Admission { outcome: EventOutcome::Accepted, reused }
    }

    fn move_to(&mut self, partition: usize, time: Option<Timestamp>) {
        if let (Some(time), Some(clock)) = (time, self.clocks.get_mut(partition)) {
            clock.newest = clock.newest.max(time);
        }
    }

    /// A partition counts as complete up to a time (idleness), or for good with [`Timestamp::MAX`] (end of input).
    pub fn complete(&mut self, partition: usize, up_to: Timestamp) {
        if let Some(clock) = self.clocks.get_mut(partition) {
            clock.complete_up_to = clock.complete_up_to.max(up_to);
        }
    }

    /// A partition is read anew: what was known of its time is forgotten, and so are the ids seen, because its records
    /// may come again without what was found in them. A repeated alert is better than a lost one.
    pub fn restart(&mut self, partition: usize) {
        if let Some(clock) = self.clocks.get_mut(partition) {
            *clock = Clock { newest: Timestamp::MIN, complete_up_to: Timestamp::MIN };
            self.duplicates = Duplicates::new(self.policy.lateness_ms, self.policy.duplicates_max);
        }
    }

    /// Watermark of a partition: no event before it is on time any more. On it is not late.
    pub fn watermark(&self, partition: usize) -> Timestamp {
        self.clocks.get(partition).map_or(Timestamp::MIN, |clock| {
            let behind = match clock.newest {
                Timestamp::MIN => Timestamp::MIN,
                newest => newest.plus_ms(-self.policy.lateness_ms),
            };
            behind.max(clock.complete_up_to)
        })
    }

    /// The newest time of an event that was on time, of all partitions; `MIN` before the first.
    pub fn newest(&self) -> Timestamp {
        self.clocks.iter().map(|clock| clock.newest).max().unwrap_or(Timestamp::MIN)
    }

    /// Watermark of the source: the least of its partitions'. Forgets ids that cannot come again.
    pub fn advance(&mut self) -> Timestamp {
        let watermark = (0..self.clocks.len()).map(|p| self.watermark(p)).min().unwrap_or(Timestamp::MIN);
        if watermark != Timestamp::MAX {
            self.duplicates.advance(watermark);
        }
        watermark
    }

    /// How far each partition has come, by number, and the ids that can come again.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn snapshot(&self) -> Result<Vec<u8>, Malformed> {
        to_snapshot(&(&self.clocks, self.duplicates.snapshot()))
    }

    /// Puts a snapshot in the place of everything: it has as many partitions as the gate had.
    ///
    /// # Errors
    /// When the bytes are no snapshot of a gate; nothing has changed then.
    pub fn restore(&mut self, snapshot: &[u8]) -> Result<(), Malformed> {
        let (clocks, seen) = from_snapshot(snapshot)?;
        self.clocks = clocks;
        self.duplicates.restore(seen);
        Ok(())
    }

    /// Ids forgotten because `duplicates_max` was reached.
    pub fn forgotten(&self) -> u64 {
        self.duplicates.forgotten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Option<Timestamp> {
        Some(Timestamp::from_ms(seconds * 1000))
    }

    fn gate(partitions: usize) -> Gate {
        let mut gate = Gate::new(TimePolicy { lateness_ms: 60_000, duplicates_max: 100 });
        (0..partitions).for_each(|_| {
            gate.add_partition();
        });
        gate
    }

    fn outcome(gate: &mut Gate, partition: usize, time: Option<Timestamp>) -> EventOutcome {
        gate.admit(partition, None, time, None).outcome
    }

    #[test]
    fn late_is_before_the_partitions_own_watermark() {
        let mut gate = gate(2);
        assert_eq!(outcome(&mut gate, 0, at(600)), EventOutcome::Accepted);
        assert_eq!(outcome(&mut gate, 0, at(540)), EventOutcome::Accepted);
        assert_eq!(outcome(&mut gate, 0, at(539)), EventOutcome::Late { early: false });
        assert_eq!(outcome(&mut gate, 1, at(0)), EventOutcome::Accepted);
        assert_eq!(gate.advance(), Timestamp::from_ms(-60_000));
        gate.complete(1, Timestamp::MAX);
        assert_eq!(gate.advance(), Timestamp::from_ms(540_000));
    }

    #[test]
    fn an_idle_partition_counts_as_complete_up_to_a_time() {
        let mut gate = gate(1);
        gate.complete(0, Timestamp::from_ms(100_000));
        assert_eq!(outcome(&mut gate, 0, at(99)), EventOutcome::Late { early: false });
        assert_eq!(outcome(&mut gate, 0, at(100)), EventOutcome::Accepted);
    }

    #[test]
    fn an_early_event_moves_no_watermark() {
        let mut gate = gate(1);
        assert_eq!(outcome(&mut gate, 0, at(0)), EventOutcome::Accepted);
        let admission = gate.admit(0, None, at(10_000), at(300));
        assert_eq!(admission.outcome, EventOutcome::Late { early: true });
        assert_eq!(gate.advance(), Timestamp::from_ms(-60_000));
    }

    #[test]
    fn a_partition_read_anew_swallows_nothing_as_a_duplicate() {
        let mut gate = gate(1);
        let identity = Some(Identity { id: 1, bytes: 1 });
        assert_eq!(gate.admit(0, identity, at(0), None).outcome, EventOutcome::Accepted);
        gate.restart(0);
        assert_eq!(gate.admit(0, identity, at(0), None).outcome, EventOutcome::Accepted);
    }

    #[test]
    fn far_behind_its_partition_an_event_is_no_duplicate_whatever_the_others_do() {
        for others in [0, 100_000] {
            let mut gate = gate(2);
            let identity = Some(Identity { id: 1, bytes: 1 });
            assert_eq!(gate.admit(0, identity, at(0), None).outcome, EventOutcome::Accepted);
            gate.complete(1, Timestamp::from_ms(others * 1000));
            gate.complete(0, Timestamp::from_ms(660_001));
            gate.advance();
            assert_eq!(gate.admit(0, identity, at(0), None).outcome, EventOutcome::Late { early: false }, "{others}");
            assert_eq!(gate.admit(0, identity, at(1), None).outcome, EventOutcome::Duplicate, "{others}");
        }
    }

    #[test]
    fn duplicates_are_looked_for_first() {
        let mut gate = gate(1);
        let identity = Some(Identity { id: 1, bytes: 1 });
        assert_eq!(gate.admit(0, identity, at(0), None).outcome, EventOutcome::Accepted);
        assert_eq!(outcome(&mut gate, 0, at(300)), EventOutcome::Accepted);
        assert_eq!(gate.admit(0, identity, at(0), None).outcome, EventOutcome::Duplicate);
    }
}
