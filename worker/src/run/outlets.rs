//! Where a worker's records leave: the alert topic, the seal log, files.
//!
//! `flush` returns only once the broker has acknowledged and the disk has it: offsets are committed behind it.

use std::io::{self, Write};
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use ingest::kafka::{KafkaError, Producer};
use model::AlertRecord;
use sinks::{Outlet, OutletError};

use super::append::Appended;

/// How long a flush waits for the broker before it says that it has to be tried again.
const FLUSH_WAIT: Duration = Duration::from_secs(5);

/// Records to a Kafka topic, keyed by fingerprint.
pub struct TopicOutlet {
    producer: Rc<Producer>,
    topic: String,
}

impl TopicOutlet {
    /// Writes to a topic.
    pub fn new(producer: Rc<Producer>, topic: String) -> TopicOutlet {
        TopicOutlet { producer, topic }
    }

    /// Waiting helps only while the producer still tries: a record that it has given up takes a new start.
    fn failed(&self, error: &KafkaError) -> OutletError {
        let retryable = matches!(error, KafkaError::NotFlushed { .. });
        OutletError {
            outlet: format!("topic {}", self.topic),
            reason: format!("{error} (hint: {})", error.hint()),
            retryable,
        }
    }
}

impl Outlet for TopicOutlet {
    fn put(&mut self, record: &AlertRecord, line: &str) -> Result<(), OutletError> {
        let key = record.fingerprint.hex();
        self.producer.send(&self.topic, Some(key.as_bytes()), line.as_bytes()).map_err(|error| self.failed(&error))
    }

    fn flush(&mut self) -> Result<(), OutletError> {
        self.producer.flush(FLUSH_WAIT).map_err(|error| self.failed(&error))
    }
}

/// The seal log: sealed records, appended, on disk after `flush`.
pub struct SealLog {
    name: String,
    lines: Appended,
}

impl SealLog {
    /// Opens a seal log to append to it.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn append_to(path: &Path) -> io::Result<SealLog> {
        Ok(SealLog { name: path.display().to_string(), lines: Appended::open(path)? })
    }

    fn failed(&self, error: &io::Error) -> OutletError {
        OutletError { outlet: format!("seal log {}", self.name), reason: error.to_string(), retryable: false }
    }
}

impl Outlet for SealLog {
    fn put(&mut self, _: &AlertRecord, line: &str) -> Result<(), OutletError> {
        let written = self.lines.write_all(line.as_bytes()).and_then(|()| self.lines.write_all(b"\n"));
        written.map_err(|error| self.failed(&error))
    }

    fn flush(&mut self) -> Result<(), OutletError> {
        self.lines.flush().map_err(|error| self.failed(&error))
    }
}
