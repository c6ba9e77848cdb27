//! Where a worker's records leave: the alert topic, the seal log, files.
//!
//! `flush` returns only once the broker has acknowledged and the disk has it: offsets are committed behind it.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use ingest::kafka::Producer;
use model::AlertRecord;
use sinks::{Outlet, OutletError};

/// How long a flush waits for the broker before it says that it has to be tried again.
const FLUSH_WAIT: Duration = Duration::from_secs(30);

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

    fn failed(&self, error: &ingest::kafka::KafkaError) -> OutletError {
        OutletError { outlet: format!("topic {}", self.topic), reason: error.to_string(), retryable: error.is_retryable() }
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
    writer: io::BufWriter<File>,
    unsynced: bool,
}

impl SealLog {
    /// Opens a seal log to append to it.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn append_to(path: &Path) -> io::Result<SealLog> {
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        Ok(SealLog { name: path.display().to_string(), writer: io::BufWriter::new(file), unsynced: false })
    }

    fn failed(&self, error: &io::Error) -> OutletError {
        OutletError { outlet: format!("seal log {}", self.name), reason: error.to_string(), retryable: false }
    }
}

impl Outlet for SealLog {
    fn put(&mut self, _: &AlertRecord, line: &str) -> Result<(), OutletError> {
        self.unsynced = true;
        let written = self.writer.write_all(line.as_bytes()).and_then(|()| self.writer.write_all(b"\n"));
        written.map_err(|error| self.failed(&error))
    }

    fn flush(&mut self) -> Result<(), OutletError> {
        if std::mem::take(&mut self.unsynced) {
            let synced = self.writer.flush().and_then(|()| self.writer.get_ref().sync_data());
            return synced.map_err(|error| self.failed(&error));
        }
        Ok(())
    }
}
