//! Records from Kafka: as a member of a consumer group with manual commits, or a recorded stretch from given offsets.
//!
//! It must never commit on its own, never skip a record without being told to (`Reset`), and never act for partitions
//! that it no longer holds. One thread drives it through `poll`; librdkafka fetches on threads of its own.

mod ends;

use std::collections::btree_map::{BTreeMap, Entry};
use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer as _};
use rdkafka::error::{KafkaError as Raw, RDKafkaErrorCode as Code};
use rdkafka::{Offset, TopicPartitionList};

use crate::kafka::{
    Attempt, Batch, Change, Connection, Group, KafkaError, Offsets, Resume, Retry, TopicPartition, connect,
    expect_topics, offsets_of, partitions_of,
};
pub use crate::kafka::{Polled, Reading, Reset};

/// A Kafka consumer that hands out batches and commits when told.
pub struct KafkaSource {
    consumer: BaseConsumer<Group>,
    group: Option<(String, Reset)>,
    /// How many partitions each topic has.
    topics: BTreeMap<String, i32>,
    /// The partitions held, each with the offset to be handed out next.
    next: Offsets,
    /// Told to be revoked; given back at the next poll.
    leaving: Option<TopicPartitionList>,
    /// What interrupted the last batch.
    interrupted: Option<Raw>,
    /// To be told before anything else is read.
    waiting: VecDeque<Polled>,
    /// Where partitions are read on that are given to us again.
    resume: BTreeMap<TopicPartition, Resume>,
    /// One of these has ended, and it could not be said which.
    unsure: BTreeSet<TopicPartition>,
}

const COORDINATOR_WAIT: Duration = Duration::from_secs(10);
const SERVE: Duration = Duration::from_millis(10);
const DEFAULTS: &[(&str, &str)] = &[("fetch.wait.max.ms", "100"), ("session.timeout.ms", "45000")];
const OWNED: &[(&str, &str)] = &[
    ("allow.auto.create.topics", "false"),
    ("enable.auto.commit", "false"),
    ("enable.auto.offset.store", "false"),
    ("enable.partition.eof", "true"),
    ("isolation.level", "read_committed"),
    ("partition.assignment.strategy", "cooperative-sticky"),
    ("statistics.interval.ms", "1000"),
];
/// How often statistics are looked at for the partition that has ended.
const LOOK_AGAIN: Duration = Duration::from_millis(250);
/// A batch ends behind the record that reaches this size.
const BATCH_BYTES_MAX: usize = 64 * 1024 * 1024;

impl KafkaSource {
    /// Connects (trying as `retry` says, `tell` hears of each failed attempt), checks that the topics, partitions and
    /// given offsets exist, and starts to read.
    pub fn open(
        connection: &Connection,
        reading: &Reading,
        retry: &Retry,
        tell: &mut dyn FnMut(&Attempt),
    ) -> Result<Self, KafkaError> {
        let mut config = connection.client_config(DEFAULTS, OWNED);
        let (names, group): (Vec<&str>, _) = match reading {
            Reading::Group { topics, group, instance, reset } => {
                config.set("group.id", group).set("auto.offset.reset", reset.property());
                if let Some(instance) = instance {
                    config.set("group.instance.id", instance);
                }
                (topics.iter().map(String::as_str).collect(), Some((group.clone(), *reset)))
            }
            Reading::From(_) | Reading::Whole { .. } => {
                // librdkafka assigns only to clients with a group id; this one never joins and never commits.
                config.set("group.id", format!("{}-replay", connection.client_id())).set("auto.offset.reset", "error");
                (reading.topics(), None)
            }
        };
        let context = Group::new(connection.clone());
        let consumer: BaseConsumer<Group> =
            config.create_with_context(context).map_err(|error| connection.refused(&error))?;
        let watch = &consumer.context().watch;
        let metadata = connect(consumer.client(), watch, retry, &|| drop(consumer.poll(SERVE)), tell)?;
        let topics = expect_topics(&metadata, &names)?;
        let mut source = Self {
            consumer,
            group,
            topics,
            next: Offsets::new(),
            leaving: None,
            interrupted: None,
            waiting: VecDeque::new(),
            resume: BTreeMap::new(),
            unsure: BTreeSet::new(),
        };
        match reading {
            Reading::Group { .. } => {
                source.consumer.subscribe(&names).map_err(|error| source.explain(&error, "subscribing"))?;
            }
            Reading::From(offsets) => source.read_from(offsets)?,
            Reading::Whole { .. } => {
                let first = source.partitions().map(|at| source.range(&at).map(|(low, _)| (at, low)));
                source.read_from(&first.collect::<Result<_, _>>()?)?;
            }
        }
        Ok(source)
    }

    /// A worker before this one had come so far. For a group, before the first poll.
    pub fn resume_at(&mut self, positions: BTreeMap<TopicPartition, Resume>) {
        self.resume = positions;
    }

    /// Fills `batch` with up to `max_records` records, or says what else happened. Waits up to `max_wait` for the first
    /// record and not at all for further ones. Has to be called at least every `max.poll.interval.ms` (5 minutes).
    pub fn poll(&mut self, batch: &mut Batch, max_records: usize, max_wait: Duration) -> Polled {
        batch.clear();
        if let Some(told) = self.tell_first() {
            return told;
        }
        let mut left = max_wait;
        loop {
            let wait = if self.unsure.is_empty() { left } else { left.min(LOOK_AGAIN) };
            self.fill(batch, max_records, wait);
            if !batch.is_empty() {
                return Polled::Records;
            }
            let was_interrupted = self.interrupted.is_some();
            if !was_interrupted {
                self.end_unsure();
            }
            if let Some(told) = self.tell_first() {
                return told;
            }
            // Some partition has ended, and it is not known yet which: that is no reason to stop waiting.
            if !was_interrupted {
                left = left.saturating_sub(wait);
                if left.is_zero() {
                    return Polled::Idle;
                }
            }
        }
    }

    fn fill(&mut self, batch: &mut Batch, max_records: usize, mut wait: Duration) {
        while batch.len() < max_records && batch.size_bytes() < BATCH_BYTES_MAX {
            match self.consumer.poll(wait) {
                Some(Ok(message)) => batch.push(&message),
                Some(Err(error)) => {
                    self.interrupted = Some(error);
                    break;
                }
                None => break,
            }
            wait = Duration::ZERO;
        }
        for (at, next) in batch.next_by_partition() {
            if let Some(position) = self.next.get_mut(at) {
                *position = next;
            }
            self.unsure.remove(at);
        }
    }

    /// Commits, and returns when the broker has it. Partitions that are no longer ours are left out and returned: their
    /// new owner commits for them, and ours would set it back. A retryable error means that the next owner (or we)
    /// reads those records again.
    pub fn commit(&mut self, offsets: &Offsets) -> Result<Vec<TopicPartition>, KafkaError> {
        if self.group.is_none() {
            return Err(KafkaError::NoGroup { doing: "committing" });
        }
        let lost = self.consumer.assignment_lost();
        let (held, foreign): (Vec<_>, Vec<_>) =
            offsets.iter().partition(|(at, _)| !lost && self.next.contains_key(*at));
        if !held.is_empty() {
            let list = self.list(held.into_iter().map(|(at, next)| (at, Offset::Offset(*next))))?;
            self.consumer.commit(&list, CommitMode::Sync).map_err(|error| self.explain(&error, "committing"))?;
        }
        Ok(foreign.into_iter().map(|(at, _)| at.clone()).collect())
    }

    /// The offsets the group has committed, for all partitions of the topics; those without a commit are absent.
    pub fn committed(&self) -> Result<Offsets, KafkaError> {
        if self.group.is_none() {
            return Err(KafkaError::NoGroup { doing: "asking for committed offsets" });
        }
        let all: Vec<_> = self.partitions().collect();
        let list = self.list(all.iter().map(|at| (at, Offset::Invalid)))?;
        let list = self
            .consumer
            .committed_offsets(list, COORDINATOR_WAIT)
            .map_err(|error| self.explain(&error, "asking for committed offsets"))?;
        Ok(offsets_of(&list))
    }

    /// For each partition of the topics (of a stretch: each partition given) the offset one past its last committed
    /// record at this moment: where `--until-end` stops. One request for each partition.
    pub fn end_offsets(&self) -> Result<Offsets, KafkaError> {
        let all: Vec<_> = match self.group {
            Some(_) => self.partitions().collect(),
            None => self.next.keys().cloned().collect(),
        };
        all.into_iter().map(|at| self.range(&at).map(|(_, high)| (at, high))).collect()
    }

    /// Whether the broker holds records of a partition that have not been handed out. One request; markers of
    /// transactions are no records, but count as some for about a second.
    pub fn has_more(&self, at: &TopicPartition) -> Result<bool, KafkaError> {
        let next = self.next.get(at).copied().unwrap_or(0).max(self.consumer.context().end_found(at).unwrap_or(0));
        Ok(self.range(at)?.1 > next)
    }

    /// The partitions held, each with the offset that will be handed out next.
    pub fn positions(&self) -> &Offsets {
        &self.next
    }

    /// Stops fetching these partitions (of those held) until `resume`; keep polling all the same.
    pub fn pause(&self, partitions: &[TopicPartition]) -> Result<(), KafkaError> {
        let list = self.list(partitions.iter().map(|at| (at, Offset::Invalid)))?;
        self.consumer.pause(&list).map_err(|error| self.explain(&error, "pausing"))
    }

    /// Fetches these partitions again, from where they were paused.
    pub fn resume(&self, partitions: &[TopicPartition]) -> Result<(), KafkaError> {
        let list = self.list(partitions.iter().map(|at| (at, Offset::Invalid)))?;
        self.consumer.resume(&list).map_err(|error| self.explain(&error, "resuming"))
    }

    /// Leaves the group (a static member stays until its session ends). Commit before: this does not. Dropping does the same.
    pub fn close(self) {
        drop(self);
    }

    /// What has to be told or done before anything is read.
    fn tell_first(&mut self) -> Option<Polled> {
        if let Some(list) = self.leaving.take() {
            if let Err(error) = self.consumer.incremental_unassign(&list) {
                return Some(Polled::Error(self.explain(&error, "giving partitions back")));
            }
            self.next.retain(|at, _| list.find_partition(&at.topic, at.partition).is_none());
        }
        if let Some(error) = self.interrupted.take() {
            let told = self.judge(&error);
            self.waiting.extend(told);
        }
        if let Some(told) = self.waiting.pop_front() {
            return Some(told);
        }
        match self.consumer.context().take_change()? {
            Change::Assign(list) => Some(match self.assign(&list) {
                Ok(offsets) => Polled::Assigned(offsets),
                Err(error) => {
                    self.consumer.context().put_back(Change::Assign(list));
                    Polled::Error(error)
                }
            }),
            Change::Revoke(list) => {
                let partitions = partitions_of(&list);
                let lost = self.consumer.assignment_lost();
                self.leaving = Some(list);
                Some(Polled::Revoked { partitions, lost })
            }
        }
    }

    /// Takes over partitions at offsets named explicitly, so that every position is known before the first record.
    fn assign(&mut self, list: &TopicPartitionList) -> Result<Offsets, KafkaError> {
        let doing = "taking over partitions";
        let found = self
            .consumer
            .committed_offsets(list.clone(), COORDINATOR_WAIT)
            .map_err(|error| self.explain(&error, doing))?;
        let mut offsets = offsets_of(&found);
        for at in partitions_of(list) {
            let committed = offsets.get(&at).copied();
            if let Some(resume) = self.resume.remove(&at).filter(|resume| resume.is_ours(committed)) {
                offsets.insert(at, resume.next);
                continue;
            }
            if let Entry::Vacant(unknown) = offsets.entry(at) {
                let first = self.first(unknown.key())?;
                unknown.insert(first);
            }
        }
        let explicit = self.list(offsets.iter().map(|(at, next)| (at, Offset::Offset(*next))))?;
        self.consumer.context().forget_ends(&offsets);
        self.consumer.incremental_assign(&explicit).map_err(|error| self.explain(&error, doing))?;
        self.next.extend(offsets.clone());
        Ok(offsets)
    }

    fn first(&self, at: &TopicPartition) -> Result<i64, KafkaError> {
        let (low, high) = self.range(at)?;
        match &self.group {
            Some((_, Reset::Earliest)) => Ok(low),
            Some((_, Reset::Latest)) => Ok(high),
            Some((group, Reset::Error)) => Err(KafkaError::NoCommittedOffset { group: group.clone(), at: at.clone() }),
            None => Err(KafkaError::NoGroup { doing: "joining" }),
        }
    }

    fn read_from(&mut self, offsets: &Offsets) -> Result<(), KafkaError> {
        for (at, offset) in offsets {
            let partitions = self.topics.get(&*at.topic).copied().unwrap_or(0);
            if !(0..partitions).contains(&at.partition) {
                return Err(KafkaError::UnknownPartition { at: at.clone(), partitions });
            }
            self.expect_in_log(at, *offset)?;
        }
        let list = self.list(offsets.iter().map(|(at, next)| (at, Offset::Offset(*next))))?;
        self.consumer.assign(&list).map_err(|error| self.explain(&error, "starting to read"))?;
        self.next = offsets.clone();
        Ok(())
    }

    /// What an error event of the consumer means.
    fn judge(&mut self, error: &Raw) -> Vec<Polled> {
        if let Raw::PartitionEOF(partition) = error {
            return self.ended(*partition);
        }
        let told = match error.rdkafka_error_code() {
            Some(Code::AutoOffsetReset | Code::OffsetOutOfRange) => {
                let found = self.next.iter().find_map(|(at, next)| self.expect_in_log(at, *next).err());
                found.unwrap_or_else(|| self.explain(error, "reading"))
            }
            Some(Code::UnknownTopicOrPartition | Code::UnknownTopic | Code::UnknownPartition) => {
                self.vanished().unwrap_or_else(|| self.explain(error, "reading"))
            }
            // A stretch is read without the group's rights: only looking for its coordinator can be refused.
            Some(Code::GroupAuthorizationFailed) if self.group.is_none() => return Vec::new(),
            _ => self.explain(error, "reading"),
        };
        vec![Polled::Error(told)]
    }

    /// The topic that has been deleted since we opened it.
    fn vanished(&self) -> Option<KafkaError> {
        let names: Vec<&str> = self.topics.keys().map(String::as_str).collect();
        let metadata = self.consumer.fetch_metadata(None, COORDINATOR_WAIT).ok()?;
        expect_topics(&metadata, &names).err()
    }

    fn expect_in_log(&self, at: &TopicPartition, offset: i64) -> Result<(), KafkaError> {
        let (low, high) = self.range(at)?;
        if (low..=high).contains(&offset) {
            return Ok(());
        }
        Err(KafkaError::OffsetOutOfRange { at: at.clone(), offset, low, high })
    }

    /// The first offset held and one past the last committed record.
    fn range(&self, at: &TopicPartition) -> Result<(i64, i64), KafkaError> {
        self.consumer
            .fetch_watermarks(&at.topic, at.partition, COORDINATOR_WAIT)
            .map_err(|error| self.explain(&error, &format!("asking for the offsets of {at}")))
    }

    fn partitions(&self) -> impl Iterator<Item = TopicPartition> {
        self.topics.iter().flat_map(|(topic, count)| (0..*count).map(|partition| TopicPartition::new(topic, partition)))
    }

    fn list<'a>(
        &self,
        partitions: impl Iterator<Item = (&'a TopicPartition, Offset)>,
    ) -> Result<TopicPartitionList, KafkaError> {
        let mut list = TopicPartitionList::new();
        for (at, offset) in partitions {
            list.add_partition_offset(&at.topic, at.partition, offset)
                .map_err(|error| self.explain(&error, &format!("naming an offset of {at}")))?;
        }
        Ok(list)
    }

    fn explain(&self, error: &Raw, doing: &str) -> KafkaError {
        self.consumer.context().watch.explain(error, doing)
    }
}

impl Drop for KafkaSource {
    fn drop(&mut self) {
        self.consumer.context().close(&self.consumer, self.leaving.take());
    }
}
