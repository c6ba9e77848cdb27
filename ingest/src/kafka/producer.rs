//! The producer: idempotent, acknowledged by all replicas, bounded, and honest about what did not arrive.
//!
//! It must never drop a record silently: the first failure sticks, and every later call reports it, because with it the
//! promise that everything before the last flush is in the log would be broken.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rdkafka::error::{KafkaError as Raw, RDKafkaErrorCode as Code};
use rdkafka::message::{DeliveryResult, Message as _};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _, ProducerContext};
use rdkafka::{ClientContext, config::RDKafkaLogLevel};

use super::error::is_transient;
use super::{Attempt, Connection, KafkaError, Retry, Watch, connect, expect_topics};

const DEFAULTS: &[(&str, &str)] = &[
    ("compression.type", "zstd"),
    ("linger.ms", "5"),
    ("queue.buffering.max.messages", "100000"),
    ("queue.buffering.max.kbytes", "65536"),
];
const OWNED: &[(&str, &str)] = &[("enable.idempotence", "true"), ("enable.gapless.guarantee", "true"), ("acks", "all")];
/// How long one look at the acknowledgements takes while the queue is full or being flushed.
const STEP: Duration = Duration::from_millis(2);

/// Sends records to Kafka in order per partition. One thread uses it at a time.
pub struct Producer {
    inner: BaseProducer<Acknowledgements>,
}

struct Acknowledgements {
    watch: Watch,
    failed: Mutex<Option<KafkaError>>,
}

impl ClientContext for Acknowledgements {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.watch.log(level, facility, message);
    }

    fn error(&self, error: Raw, reason: &str) {
        self.watch.error(error, reason);
    }
}

impl ProducerContext for Acknowledgements {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        let Err((error, message)) = result else { return };
        let code = error.rdkafka_error_code().unwrap_or(Code::Fail);
        self.fail(message.topic(), code, &error.to_string());
    }
}

impl Acknowledgements {
    fn fail(&self, topic: &str, code: Code, reason: &str) -> KafkaError {
        let failure = KafkaError::NotDelivered {
            topic: topic.to_owned(),
            reason: self.watch.connection.redact(reason),
            // What was purged behind a failure can be sent again as well as the failure itself.
            retryable: is_transient(code) || matches!(code, Code::PurgeQueue | Code::PurgeInflight),
        };
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        failed.get_or_insert(failure).clone()
    }

    fn first_failure(&self) -> Option<KafkaError> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Producer {
    /// Connects (trying as `retry` says, `tell` hears of each failed attempt) and checks that `topics` exist.
    pub fn open(
        connection: &Connection,
        topics: &[&str],
        retry: &Retry,
        tell: &mut dyn FnMut(&Attempt),
    ) -> Result<Self, KafkaError> {
        let context = Acknowledgements { watch: Watch::new(connection.clone()), failed: Mutex::new(None) };
        let inner: BaseProducer<Acknowledgements> = connection
            .client_config(DEFAULTS, OWNED)
            .create_with_context(context)
            .map_err(|error| connection.refused(&error))?;
        let watch = &inner.context().watch;
        let metadata = connect(inner.client(), watch, retry, &|| inner.poll(STEP), tell)?;
        expect_topics(&metadata, topics)?;
        Ok(Self { inner })
    }

    /// Queues one record; the partition follows from the key, a random one without. Returns when the record is queued,
    /// not when it is delivered; waits while the queue is full, so a slow broker slows its writers.
    pub fn send(&self, topic: &str, key: Option<&[u8]>, payload: &[u8]) -> Result<(), KafkaError> {
        let mut record = BaseRecord::<[u8], [u8]>::to(topic).payload(payload);
        record.key = key;
        self.inner.poll(Duration::ZERO);
        loop {
            if let Some(failure) = self.inner.context().first_failure() {
                return Err(failure);
            }
            match self.inner.send(record) {
                Ok(()) => return Ok(()),
                // Bounded: a record that the broker does not take fails after message.timeout.ms and makes room.
                Err((Raw::MessageProduction(Code::QueueFull), back)) => {
                    record = back;
                    self.inner.poll(STEP);
                }
                Err((error, _)) => {
                    let code = error.rdkafka_error_code().unwrap_or(Code::Fail);
                    return Err(self.inner.context().fail(topic, code, &error.to_string()));
                }
            }
        }
    }

    /// Returns when every record sent so far is acknowledged; names the first that was not, or how many still wait
    /// after `timeout` (then a later flush may succeed).
    pub fn flush(&self, timeout: Duration) -> Result<(), KafkaError> {
        let mut left = timeout;
        loop {
            // Without waiting itself it tells librdkafka not to linger; `poll` then collects what comes back.
            let done = self.inner.flush(Duration::ZERO).is_ok();
            if let Some(failure) = self.inner.context().first_failure() {
                return Err(failure);
            }
            if done {
                return Ok(());
            }
            if left.is_zero() {
                return Err(KafkaError::NotFlushed { waiting: self.in_flight(), timeout_ms: timeout.as_millis() });
            }
            self.inner.poll(STEP);
            left = left.saturating_sub(STEP);
        }
    }

    /// Records queued or sent and not acknowledged yet.
    pub fn in_flight(&self) -> usize {
        usize::try_from(self.inner.in_flight_count()).unwrap_or(0)
    }
}
