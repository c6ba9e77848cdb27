//! What the consumer group decides, queued until the poll loop is ready to act on it.
//!
//! It must never assign or unassign while records are being handed out: librdkafka waits for the answer, and only the
//! thread that polls gives it. The one exception is closing, when nobody polls any more.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerContext};
use rdkafka::error::{KafkaError as Raw, KafkaResult};
use rdkafka::statistics::Statistics;
use rdkafka::types::RDKafkaRespErr;
use rdkafka::{Offset, TopicPartitionList};

use super::{Connection, Offsets, TopicPartition, Watch};

/// Partitions that the group hands to us or takes from us.
pub(crate) enum Change {
    Assign(TopicPartitionList),
    Revoke(TopicPartitionList),
}

impl Change {
    /// Answers the group.
    fn obey(&self, consumer: &BaseConsumer<Group>) -> KafkaResult<()> {
        match self {
            Self::Assign(list) => consumer.incremental_assign(list),
            Self::Revoke(list) => consumer.incremental_unassign(list),
        }
    }
}

/// The consumer's callbacks.
pub(crate) struct Group {
    pub(crate) watch: Watch,
    changes: Mutex<VecDeque<Change>>,
    closing: AtomicBool,
    /// The offsets at which librdkafka last found an end: behind the last record, and behind markers that are no records.
    ends: Mutex<Offsets>,
}

impl Group {
    pub(crate) fn new(connection: Connection) -> Self {
        Self {
            watch: Watch::new(connection),
            changes: Mutex::new(VecDeque::new()),
            closing: AtomicBool::new(false),
            ends: Mutex::new(BTreeMap::new()),
        }
    }

    /// Where the end of a partition was found last; up to a second old. Records before it may still be on their way to
    /// whoever polls.
    pub(crate) fn end_found(&self, at: &TopicPartition) -> Option<i64> {
        self.ends.lock().unwrap_or_else(PoisonError::into_inner).get(at).copied()
    }

    /// These partitions are read from new offsets: an end found before says nothing.
    pub(crate) fn forget_ends(&self, of: &Offsets) {
        self.ends.lock().unwrap_or_else(PoisonError::into_inner).retain(|at, _| !of.contains_key(at));
    }

    /// The oldest change that nobody has acted on.
    pub(crate) fn take_change(&self) -> Option<Change> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }

    /// For a change that could not be acted on yet.
    pub(crate) fn put_back(&self, change: Change) {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner).push_front(change);
    }

    /// From here on changes are obeyed where they arrive, also those that wait: librdkafka does not close before.
    pub(crate) fn close(&self, consumer: &BaseConsumer<Self>, leaving: Option<TopicPartitionList>) {
        self.closing.store(true, Ordering::Relaxed);
        let mut unanswered: Vec<Change> = leaving.into_iter().map(Change::Revoke).collect();
        unanswered.extend(std::iter::from_fn(|| self.take_change()));
        for change in unanswered {
            report(change.obey(consumer));
        }
    }
}

fn report(answer: KafkaResult<()>) {
    if let Err(error) = answer {
        tracing::warn!(target: "kafka", "the group's change was not taken over while closing: {error}");
    }
}

impl ClientContext for Group {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.watch.log(level, facility, message);
    }

    fn error(&self, error: Raw, reason: &str) {
        self.watch.error(error, reason);
    }

    fn stats(&self, statistics: Statistics) {
        let mut ends = self.ends.lock().unwrap_or_else(PoisonError::into_inner);
        for topic in statistics.topics.values() {
            for partition in topic.partitions.values() {
                let at = TopicPartition::new(&topic.topic, partition.partition);
                match partition.eof_offset {
                    found @ 0.. => drop(ends.insert(at, found)),
                    _ => drop(ends.remove(&at)),
                }
            }
        }
    }
}

impl ConsumerContext for Group {
    fn rebalance(&self, consumer: &BaseConsumer<Self>, event: RDKafkaRespErr, list: &mut TopicPartitionList) {
        let change = match event {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => Change::Assign(list.clone()),
            _ => Change::Revoke(list.clone()),
        };
        if self.closing.load(Ordering::Relaxed) {
            report(change.obey(consumer));
        } else {
            self.changes.lock().unwrap_or_else(PoisonError::into_inner).push_back(change);
        }
    }
}

/// The partitions named in `list`.
pub(crate) fn partitions_of(list: &TopicPartitionList) -> Vec<TopicPartition> {
    list.elements().iter().map(|element| TopicPartition::new(element.topic(), element.partition())).collect()
}

/// The partitions of `list` that carry an offset.
pub(crate) fn offsets_of(list: &TopicPartitionList) -> Offsets {
    let elements = list.elements();
    let known = elements.iter().filter_map(|element| match element.offset() {
        Offset::Offset(offset) => Some((TopicPartition::new(element.topic(), element.partition()), offset)),
        _ => None,
    });
    known.collect()
}
