//! What a consumer is asked to read, and what a poll of it brings.
//!
//! Words only: it must never hold a client.

use super::{KafkaError, Offsets, TopicPartition};

/// Where a group begins when it has no committed offset, or one that the log no longer holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reset {
    /// Say so and stop: the default, because both others lose or repeat records.
    #[default]
    Error,
    /// With the oldest record held.
    Earliest,
    /// With the next record to come.
    Latest,
}

impl Reset {
    pub(crate) fn property(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Earliest => "earliest",
            Self::Latest => "latest",
        }
    }
}

/// What to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// As a member of a consumer group that shares the topics' partitions.
    Group {
        /// The topics.
        topics: Vec<String>,
        /// The group's id.
        group: String,
        /// A name that stays the same over restarts (static membership): a quick restart then moves no partition.
        instance: Option<String>,
        /// Where to begin without a usable committed offset.
        reset: Reset,
    },
    /// All that these topics hold and will hold, without a group and without commits.
    Whole {
        /// The topics.
        topics: Vec<String>,
    },
    /// These partitions from these offsets, without a group and without commits.
    From(Offsets),
}

impl Reading {
    /// The topics.
    pub(crate) fn topics(&self) -> Vec<&str> {
        match self {
            Self::Group { topics, .. } | Self::Whole { topics } => topics.iter().map(String::as_str).collect(),
            Self::From(offsets) => offsets.keys().map(|at| &*at.topic).collect(),
        }
    }
}

/// What a `poll` brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Polled {
    /// The batch holds records.
    Records,
    /// The group gave us these partitions; each is read from the offset named.
    Assigned(Offsets),
    /// The group takes these partitions back at the next `poll`. Until then their offsets can be committed, except when
    /// they are `lost`: then another member may already have them, and what was read of them is to be forgotten.
    Revoked {
        /// The partitions.
        partitions: Vec<TopicPartition>,
        /// Whether it is too late to commit.
        lost: bool,
    },
    /// Everything this partition held at this moment has been handed out.
    End(TopicPartition),
    /// Nothing within the time given.
    Idle,
    /// A failure. Retryable: report it and poll on. Permanent: a person has to change something.
    Error(KafkaError),
}
