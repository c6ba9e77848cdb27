//! Where a worker's records leave: the alert topic, the seal log, files.
//!
//! `flush` returns only once the broker has acknowledged and the disk has it: offsets are committed behind it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use ingest::kafka::{KafkaError, Producer};
use model::{AlertRecord, Fingerprint, IncidentRecord, Sha256};
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

    fn send(&mut self, key: Fingerprint, line: &str) -> Result<(), OutletError> {
        let sent = self.producer.send(&self.topic, Some(key.hex().as_bytes()), line.as_bytes());
        sent.map_err(|error| self.failed(&error))
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
        self.send(record.fingerprint, line)
    }

    fn put_incident(&mut self, record: &IncidentRecord, line: &str) -> Result<(), OutletError> {
        self.send(record.incident, line)
    }

    fn flush(&mut self) -> Result<(), OutletError> {
        self.producer.flush(FLUSH_WAIT).map_err(|error| self.failed(&error))
    }
}

/// The seal log: sealed records, appended, on disk after `flush`.
pub struct SealLog {
    name: String,
    lines: Appended,
    /// Lines that a worker before this one wrote behind the state that this one goes on from, with how often: they come again
    /// and stand there already.
    written: BTreeMap<Sha256, usize>,
}

impl SealLog {
    /// Opens a seal log to append to it.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn append_to(path: &Path) -> io::Result<SealLog> {
        Ok(SealLog { name: path.display().to_string(), lines: Appended::open(path)?, written: BTreeMap::new() })
    }

    /// The same for a worker that goes on from a state at which the log had so many bytes.
    ///
    /// # Errors
    /// When it cannot be opened or read.
    pub fn resume(path: &Path, length: u64) -> io::Result<SealLog> {
        let mut log = SealLog::append_to(path)?;
        let mut file = File::open(path)?;
        file.seek(SeekFrom::Start(length))?;
        for line in BufReader::new(file).split(b'\n') {
            *log.written.entry(Sha256::of(&line?)).or_default() += 1;
        }
        Ok(log)
    }

    fn append(&mut self, line: &str) -> Result<(), OutletError> {
        if self.stands_there(line) {
            return Ok(());
        }
        let written = self.lines.write_all(line.as_bytes()).and_then(|()| self.lines.write_all(b"\n"));
        written.map_err(|error| self.failed(&error))
    }

    fn stands_there(&mut self, line: &str) -> bool {
        let left = if self.written.is_empty() { None } else { self.written.get_mut(&Sha256::of(line.as_bytes())) };
        left.filter(|left| **left > 0).map(|left| *left -= 1).is_some()
    }

    fn failed(&self, error: &io::Error) -> OutletError {
        OutletError { outlet: format!("seal log {}", self.name), reason: error.to_string(), retryable: false }
    }
}

impl Outlet for SealLog {
    fn put(&mut self, _: &AlertRecord, line: &str) -> Result<(), OutletError> {
        self.append(line)
    }

    fn put_incident(&mut self, _: &IncidentRecord, line: &str) -> Result<(), OutletError> {
        self.append(line)
    }

    fn flush(&mut self) -> Result<(), OutletError> {
        self.lines.flush().map_err(|error| self.failed(&error))
    }
}
