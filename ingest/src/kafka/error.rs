//! What can go wrong with Kafka, each error with what it concerns, whether waiting can help, and what to do about it.
//!
//! It must never carry a secret: texts that come from librdkafka pass through `Connection::redact` before they get here.

use rdkafka::error::RDKafkaErrorCode as Code;

use super::TopicPartition;

/// A failure of a Kafka connection, in the operator's words. `hint` says what to do; `is_retryable` whether waiting can help.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KafkaError {
    /// A property cannot be used as configured.
    #[error("Kafka property {property}: {reason}")]
    Setting {
        /// librdkafka's name of the property.
        property: String,
        /// Why it is refused.
        reason: String,
        /// What to write instead.
        hint: String,
    },
    /// No broker answered, after all attempts.
    #[error("Kafka at {bootstrap} did not answer in {attempts} attempts: {reason}")]
    Unreachable {
        /// The bootstrap servers as configured.
        bootstrap: String,
        /// Attempts made.
        attempts: u32,
        /// The last failure that librdkafka reported.
        reason: String,
    },
    /// The broker refused who we say we are, or we refused the broker's certificate.
    #[error("Kafka at {bootstrap} and this client do not accept each other: {reason}")]
    Authentication {
        /// The bootstrap servers as configured.
        bootstrap: String,
        /// librdkafka's words, without secrets.
        reason: String,
        /// Which properties to look at.
        hint: String,
    },
    /// The broker knows us but does not let us.
    #[error("Kafka denied access while {doing}: {reason}")]
    Denied {
        /// What was being done.
        doing: String,
        /// librdkafka's words.
        reason: String,
    },
    /// A topic that does not exist.
    #[error("Kafka has no topic {topic} that this client may see; it sees: {known}")]
    UnknownTopic {
        /// The topic asked for.
        topic: String,
        /// The topics there are, cut to a readable number.
        known: String,
    },
    /// A partition that its topic does not have.
    #[error("Kafka has no partition {at}: the topic has {partitions} partitions")]
    UnknownPartition {
        /// The partition asked for.
        at: TopicPartition,
        /// How many the topic has.
        partitions: i32,
    },
    /// The group never committed here and nobody said where to begin.
    #[error("group {group} has no committed offset for topic {} partition {}", at.topic, at.partition)]
    NoCommittedOffset {
        /// The consumer group.
        group: String,
        /// The partition.
        at: TopicPartition,
    },
    /// The offset to read next is no longer, or not yet, in the log.
    #[error("topic {} partition {}: offset {offset} is not in the log, which holds {low} up to {high}", at.topic, at.partition)]
    OffsetOutOfRange {
        /// The partition.
        at: TopicPartition,
        /// The offset to read next.
        offset: i64,
        /// The first offset still held.
        low: i64,
        /// One past the last offset.
        high: i64,
    },
    /// Something that needs a consumer group was asked of a source without one.
    #[error("{doing} needs a consumer group, and this source reads given offsets")]
    NoGroup {
        /// What was asked.
        doing: &'static str,
    },
    /// A record was not acknowledged; nothing sent after it counts as delivered either.
    #[error("a record for topic {topic} was not delivered: {reason}")]
    NotDelivered {
        /// The topic it was meant for.
        topic: String,
        /// librdkafka's words.
        reason: String,
        /// Whether sending it again with a new producer can succeed.
        retryable: bool,
    },
    /// A flush ran out of time.
    #[error("{waiting} records were not acknowledged within {timeout_ms} ms")]
    NotFlushed {
        /// Records still on their way.
        waiting: usize,
        /// The time allowed.
        timeout_ms: u128,
    },
    /// Any other failure.
    #[error("Kafka failed while {doing}: {reason}")]
    Broker {
        /// What was being done.
        doing: String,
        /// librdkafka's words.
        reason: String,
        /// Whether the client recovers alone or a later call can succeed.
        retryable: bool,
    },
}

impl KafkaError {
    /// True when waiting (or, for `NotDelivered`, a new producer) can help; false when a person has to change something.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::NotFlushed { .. } => true,
            Self::NotDelivered { retryable, .. } | Self::Broker { retryable, .. } => *retryable,
            Self::Setting { .. }
            | Self::Authentication { .. }
            | Self::Denied { .. }
            | Self::UnknownTopic { .. }
            | Self::UnknownPartition { .. }
            | Self::NoCommittedOffset { .. }
            | Self::OffsetOutOfRange { .. }
            | Self::NoGroup { .. } => false,
        }
    }

    /// It is about this librdkafka property.
    pub fn concerns(&self, name: &str) -> bool {
        matches!(self, Self::Setting { property, .. } if property == name)
    }

    /// What an operator can do, one sentence.
    pub fn hint(&self) -> String {
        match self {
            Self::Setting { hint, .. } | Self::Authentication { hint, .. } => hint.clone(),
            Self::Unreachable { .. } => {
                "check `kafka.bootstrap`, the network, and that `security.protocol` is what that listener speaks".into()
            }
            Self::Denied { .. } => "grant this principal Read and Describe (for output: Write) by ACL".into(),
            Self::UnknownTopic { .. } => "create the topic or correct its name; it is never created by reading".into(),
            Self::UnknownPartition { .. } => "read the partitions that exist, or recreate the topic as recorded".into(),
            Self::NoCommittedOffset { .. } => {
                "on the first start say where to begin: `kafka.start: earliest` or `latest`".into()
            }
            Self::OffsetOutOfRange { .. } => {
                "records may be gone by retention: commit an offset the log holds, or set `kafka.start` \
                 (auto.offset.reset) to `earliest` or `latest` to go on and accept the gap"
                    .into()
            }
            Self::NoGroup { .. } => "configure `kafka.group`".into(),
            Self::NotDelivered { .. } => "start the worker again: it reads on from the last commit".into(),
            Self::NotFlushed { .. } => "the broker is slow or away: flush again; nothing is lost yet".into(),
            Self::Broker { retryable: true, .. } => "the client goes on trying by itself".into(),
            Self::Broker { retryable: false, .. } => "see the broker's log".into(),
        }
    }

    /// Files librdkafka's `code` under the right variant. `reason` must be free of secrets.
    pub(crate) fn from_code(code: Code, doing: &str, bootstrap: &str, reason: String) -> Self {
        match code {
            Code::Authentication | Code::SaslAuthenticationFailed | Code::UnsupportedSASLMechanism => {
                Self::Authentication {
                    bootstrap: bootstrap.to_owned(),
                    reason,
                    hint: "check sasl.mechanism, sasl.username and the secret for sasl.password".into(),
                }
            }
            Code::SSL => {
                Self::Authentication { bootstrap: bootstrap.to_owned(), hint: tls_hint(&reason).into(), reason }
            }
            Code::TopicAuthorizationFailed | Code::GroupAuthorizationFailed | Code::ClusterAuthorizationFailed => {
                Self::Denied { doing: doing.to_owned(), reason }
            }
            _ => Self::Broker { doing: doing.to_owned(), reason, retryable: is_transient(code) },
        }
    }
}

/// What to look at, by OpenSSL's words.
fn tls_hint(reason: &str) -> &'static str {
    if reason.contains("certificate verify failed") {
        "ssl.ca.location has to name the authority that signed the broker's certificate, and `kafka.bootstrap` a name or \
         address that stands in it"
    } else if reason.contains("SSL alert number") {
        "the broker does not take this client's certificate, or wants one: check ssl.keystore.location (or \
         ssl.certificate.location and ssl.key.location)"
    } else {
        "check that security.protocol is what that listener speaks, ssl.ca.location and the client's certificate and key"
    }
}

/// Codes after which librdkafka reconnects, or a later call of the same kind can succeed.
pub(crate) fn is_transient(code: Code) -> bool {
    use Code::{
        AllBrokersDown, AssignmentLost, BrokerNotAvailable, BrokerTransportFailure, CoordinatorLoadInProgress,
        CoordinatorNotAvailable, IllegalGeneration, LeaderNotAvailable, MessageTimedOut, NetworkException, NoOffset,
        NotCoordinator, NotEnoughReplicas, NotEnoughReplicasAfterAppend, NotLeaderForPartition, OperationTimedOut,
        PollExceeded, RebalanceInProgress, ReplicaNotAvailable, RequestTimedOut, Resolve, TimedOutQueue,
        UnknownMemberId, UnknownPartition, UnstableOffsetCommit, WaitingForCoordinator,
    };
    matches!(
        code,
        AllBrokersDown
            | AssignmentLost
            | BrokerNotAvailable
            | BrokerTransportFailure
            | CoordinatorLoadInProgress
            | CoordinatorNotAvailable
            | IllegalGeneration
            | LeaderNotAvailable
            | MessageTimedOut
            | NetworkException
            | NoOffset
            | NotCoordinator
            | NotEnoughReplicas
            | NotEnoughReplicasAfterAppend
            | NotLeaderForPartition
            | OperationTimedOut
            | PollExceeded
            | RebalanceInProgress
            | ReplicaNotAvailable
            | RequestTimedOut
            | Resolve
            | TimedOutQueue
            | UnknownMemberId
            // librdkafka's own word: it has not heard of the partition yet, as while a broker starts. A partition that
            // is not there is found by the list of topics.
            | UnknownPartition
            | UnstableOffsetCommit
            | WaitingForCoordinator
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partition_that_librdkafka_has_not_heard_of_yet_is_asked_for_again() {
        let told = |code| KafkaError::from_code(code, "asking", "127.0.0.1:9092", "said".to_owned());
        assert!(told(Code::UnknownPartition).is_retryable());
        assert!(!told(Code::UnknownTopicOrPartition).is_retryable(), "the broker's own word");
    }
}
