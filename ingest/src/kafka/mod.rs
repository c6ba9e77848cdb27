//! The one door to Kafka: connection settings, errors in the operator's words, the producer and what consumers share.
//!
//! Everything that names `rdkafka` in the product is below this module or in `source::kafka`. It must never decide what
//! a record means, never commit on its own, and never let a secret into a message, a log line or a `Debug` text.

mod batch;
mod cloudevent;
mod connect;
mod error;
mod group;
mod producer;
mod reading;
mod resume;
mod settings;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use batch::{Batch, Headers, Record, RecordTime};
pub use cloudevent::structured;
pub use connect::{Attempt, Retry};
pub(crate) use connect::{Watch, connect, expect_topics};
pub use error::KafkaError;
pub(crate) use group::{Change, Group, offsets_of, partitions_of};
pub use producer::Producer;
pub use reading::{Polled, Reading, Reset};
pub use resume::Resume;
pub use settings::{Connection, KafkaSettings, SecretFrom};

/// One partition of one topic.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicPartition {
    /// The topic's name.
    pub topic: Arc<str>,
    /// The partition's number, from 0.
    pub partition: i32,
}

impl TopicPartition {
    /// Names `partition` of `topic`.
    pub fn new(topic: &str, partition: i32) -> Self {
        Self { topic: Arc::from(topic), partition }
    }
}

impl std::fmt::Display for TopicPartition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.topic, self.partition)
    }
}

/// For each partition the offset of the record to be read next (one past the last that counts), as Kafka stores it.
pub type Offsets = BTreeMap<TopicPartition, i64>;
