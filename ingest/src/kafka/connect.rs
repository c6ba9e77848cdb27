//! Reaching the broker for the first time: attempts that grow longer, and a plain word for each way to fail.
//!
//! It must never sleep or read a clock (an attempt is one metadata request, librdkafka does the waiting), and never
//! report a text from the wire that has not been redacted.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rdkafka::ClientContext;
use rdkafka::client::Client;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError as Raw, RDKafkaErrorCode as Code};
use rdkafka::metadata::Metadata;

use super::{Connection, KafkaError};

/// How long to try before giving up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// Attempts in all, at least one.
    pub attempts: u32,
    /// How long the first attempt waits for an answer; each further one waits twice as long.
    pub first_wait: Duration,
    /// The longest wait of one attempt.
    pub longest_wait: Duration,
}

impl Default for Retry {
    /// Ten attempts, from half a second to half a minute: two and a half minutes in all.
    fn default() -> Self {
        Self { attempts: 10, first_wait: Duration::from_millis(500), longest_wait: Duration::from_secs(30) }
    }
}

impl Retry {
    fn wait(&self, attempt: u32) -> Duration {
        let doubled = 2u32.saturating_pow(attempt.saturating_sub(1));
        self.first_wait.saturating_mul(doubled).min(self.longest_wait)
    }
}

/// One failed attempt, for a log line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Which one it was, from 1.
    pub number: u32,
    /// How many there will be at most.
    pub of: u32,
    /// How long the next one will wait for an answer; `None` after the last.
    pub next_wait: Option<Duration>,
    /// What failed; its `hint` says what to look at.
    pub error: KafkaError,
}

/// Keeps the last thing librdkafka complained about, redacted, and passes its log on to `tracing`.
pub(crate) struct Watch {
    pub(crate) connection: Connection,
    last: Mutex<Option<(Code, String)>>,
}

impl Watch {
    pub(crate) fn new(connection: Connection) -> Self {
        Self { connection, last: Mutex::new(None) }
    }

    /// The last complaint, once.
    pub(crate) fn take(&self) -> Option<(Code, String)> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// An rdkafka error as ours, with librdkafka's own explanation where it gave one.
    pub(crate) fn explain(&self, error: &Raw, doing: &str) -> KafkaError {
        let code = error.rdkafka_error_code().unwrap_or(Code::Fail);
        let reason = match self.take() {
            Some((said, reason)) if said == code => reason,
            _ => self.connection.redact(&error.to_string()),
        };
        KafkaError::from_code(code, doing, self.connection.bootstrap(), reason)
    }
}

impl ClientContext for Watch {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        let message = self.connection.redact(message);
        // Connections that break are reported as errors too, and those reach the operator: here they would be noise.
        match level {
            RDKafkaLogLevel::Emerg | RDKafkaLogLevel::Alert | RDKafkaLogLevel::Critical => {
                tracing::warn!(target: "kafka", facility, "{message}");
            }
            _ => tracing::debug!(target: "kafka", facility, "{message}"),
        }
    }

    fn error(&self, error: Raw, reason: &str) {
        let Some(mut code) = error.rdkafka_error_code() else { return };
        if refuses_certificate(reason) {
            code = Code::SSL;
        }
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        // "All brokers are down" follows each reason and explains nothing; a refusal outweighs the disconnect behind it.
        let kept = last
            .as_ref()
            .is_some_and(|(kept, _)| code == Code::AllBrokersDown || (is_refusal(*kept) && !is_refusal(code)));
        if !kept {
            *last = Some((code, self.connection.redact(reason)));
        }
    }
}

fn is_refusal(code: Code) -> bool {
    matches!(code, Code::Authentication | Code::SaslAuthenticationFailed | Code::SSL)
}

/// The broker says by a TLS alert that it does not take our certificate, or wants one. With TLS 1.3 that comes when we
/// hold the handshake to be over, and librdkafka calls it a connection that broke.
fn refuses_certificate(reason: &str) -> bool {
    // bad_certificate to certificate_unknown, unknown_ca, access_denied, certificate_required (RFC 8446, section 6).
    const ALERTS: [u8; 8] = [42, 43, 44, 45, 46, 48, 49, 116];
    let number = reason.split_once("SSL alert number ").map_or("", |(_, behind)| behind);
    let digits = number.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default();
    digits.parse().is_ok_and(|number| ALERTS.contains(&number))
}

/// Waits until a broker answers, and returns what it says of its topics. `serve` lets the client deliver its events; `tell` hears of each failed attempt.
/// Refused credentials end it at once: they do not get better by waiting.
pub(crate) fn connect<C: ClientContext>(
    client: &Client<C>,
    watch: &Watch,
    retry: &Retry,
    serve: &dyn Fn(),
    tell: &mut dyn FnMut(&Attempt),
) -> Result<Metadata, KafkaError> {
    let of = retry.attempts.max(1);
    let mut number = 1;
    let mut last = String::new();
    loop {
        let reason = match attempt(client, watch, retry.wait(number), serve, last)? {
            Answer::Brokers(metadata) => return Ok(metadata),
            Answer::None(reason) => reason,
        };
        last = reason.clone();
        let bootstrap = watch.connection.bootstrap().to_owned();
        let error = KafkaError::Unreachable { bootstrap, attempts: number, reason };
        let next_wait = (number < of).then(|| retry.wait(number + 1));
        tell(&Attempt { number, of, next_wait, error: error.clone() });
        if next_wait.is_none() {
            return Err(error);
        }
        number += 1;
    }
}

enum Answer {
    Brokers(Metadata),
    None(String),
}

/// One attempt, in slices: a metadata request waits to its end even when the broker has refused us long before. `reason`:
/// why the attempt before failed.
fn attempt<C: ClientContext>(
    client: &Client<C>,
    watch: &Watch,
    wait: Duration,
    serve: &dyn Fn(),
    mut reason: String,
) -> Result<Answer, KafkaError> {
    let mut left = wait;
    while !left.is_zero() {
        // The list of all topics, because asking for one by name would create it on a cluster that creates topics.
        let failed = match client.fetch_metadata(None, left.min(SLICE)) {
            Ok(metadata) => return Ok(Answer::Brokers(metadata)),
            Err(failed) => failed,
        };
        left = left.saturating_sub(SLICE);
        serve();
        match watch.take() {
            Some((code, said)) if is_refusal(code) => {
                return Err(KafkaError::from_code(code, "connecting", watch.connection.bootstrap(), said));
            }
            // It says only that the last reason still holds.
            Some((Code::AllBrokersDown, _)) if !reason.is_empty() => {}
            Some((_, said)) => reason = said,
            None if reason.is_empty() => reason = watch.connection.redact(&failed.to_string()),
            None => {}
        }
    }
    Ok(Answer::None(reason))
}

const SLICE: Duration = Duration::from_millis(500);
const KNOWN_SHOWN: usize = 20;

/// The number of partitions of each of `topics`, or which topic there is not.
pub(crate) fn expect_topics(metadata: &Metadata, topics: &[&str]) -> Result<BTreeMap<String, i32>, KafkaError> {
    let mut partitions = BTreeMap::new();
    for topic in topics {
        let found = metadata.topics().iter().find(|found| found.name() == *topic);
        let count = found.map_or(0, |found| found.partitions().len());
        match i32::try_from(count) {
            Ok(count) if count > 0 => partitions.insert((*topic).to_owned(), count),
            _ => return Err(KafkaError::UnknownTopic { topic: (*topic).to_owned(), known: known(metadata) }),
        };
    }
    Ok(partitions)
}

fn known(metadata: &Metadata) -> String {
    let mut names: Vec<&str> = metadata.topics().iter().map(|topic| topic.name()).collect();
    names.retain(|name| !name.starts_with("__"));
    names.sort_unstable();
    let more = names.len().saturating_sub(KNOWN_SHOWN);
    names.truncate(KNOWN_SHOWN);
    match (names.is_empty(), more) {
        (true, _) => "none".to_owned(),
        (false, 0) => names.join(", "),
        (false, more) => format!("{} and {more} more", names.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alert_about_certificates_is_a_refusal_and_a_broken_connection_is_none() {
        let refused = "Receive failed: error:0A00045C:SSL routines::tlsv13 alert certificate required: \
                       SSL alert number 116 (after 0ms in state APIVERSION_QUERY)";
        let watch = |reason: &str| {
            let settings = super::super::KafkaSettings {
                bootstrap: "127.0.0.1:9093".into(),
                client_id: "test".into(),
                properties: BTreeMap::new(),
                secrets: BTreeMap::new(),
            };
            let watch = Watch::new(settings.resolve(&|_| Ok(String::new())).expect("good settings"));
            watch.error(Raw::Global(Code::BrokerTransportFailure), reason);
            watch.error(Raw::Global(Code::BrokerTransportFailure), "Connection refused");
            watch.take()
        };
        assert_eq!(watch(refused), Some((Code::SSL, refused.to_owned())));
        for other in ["Disconnected", "SSL alert number 80", "SSL alert number 1160", "SSL alert number "] {
            let (code, reason) = watch(other).expect("a complaint");
            assert_eq!((code, reason.as_str()), (Code::BrokerTransportFailure, "Connection refused"), "{other}");
        }
    }

    #[test]
    fn waits_double_up_to_the_longest() {
        let retry = Retry { attempts: 9, ..Retry::default() };
        let waits: Vec<u128> = (1..=8).map(|attempt| retry.wait(attempt).as_millis()).collect();
        assert_eq!(waits, [500, 1000, 2000, 4000, 8000, 16000, 30000, 30000]);
        assert_eq!(retry.wait(u32::MAX), retry.longest_wait);
    }
}
