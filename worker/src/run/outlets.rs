//! Where a worker's records leave: the alert topic, the seal log, files.
//!
//! `flush` returns only once the broker has acknowledged and the disk has it: offsets are committed behind it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use anyhow::Context;
use ingest::kafka::{Connection, KafkaError, Producer, Retry};
use model::{AlertRecord, Fingerprint, IncidentRecord, Sha256};
use sinks::{Outlet, OutletError};

use super::append::Appended;
use super::build::{INCIDENTS, SEAL_LOG, tell_attempt};
use super::snapshots::Lengths;
use crate::config::Config;
use crate::human::Human;
use crate::keeper::Keeper;
use crate::pipeline::Outlets;

/// How long a flush waits for the broker before it says that it has to be tried again.
const FLUSH_WAIT: Duration = Duration::from_secs(5);

/// The outlets of `run`. `lengths`: it goes on from a state at which the files were so long.
///
/// # Errors
/// When a file cannot be opened, or the broker or a topic is not there.
pub fn open(config: &Config, connection: &Connection, lengths: Option<Lengths>) -> anyhow::Result<Outlets> {
    let alerts = &config.alerts;
    let log = |path: &Path, length: Option<u64>| {
        let log = length.map_or_else(|| SealLog::append_to(path), |length| SealLog::resume(path, length));
        log.with_context(|| path.display().to_string())
    };
    let seal_log = log(&config.state.join(SEAL_LOG), lengths.map(|of| of.sealed))?;
    let mut sealed: Vec<Box<dyn Outlet>> = vec![Box::new(seal_log)];
    let mut provisional: Vec<Box<dyn Outlet>> = Vec::new();
    let of_incidents = log(&config.state.join(INCIDENTS), lengths.map(|of| of.incidents))?;
    let mut incidents: Vec<Box<dyn Outlet>> = vec![Box::new(of_incidents)];
    let topics = [&alerts.topic, &alerts.provisional_topic, &alerts.incidents_topic];
    let topics: Vec<&str> = topics.into_iter().flatten().map(String::as_str).collect();
    if !topics.is_empty() {
        let producer = Producer::open(connection, &topics, &Retry::default(), &mut tell_attempt);
        let producer = Rc::new(producer.map_err(|error| anyhow::anyhow!("{error} (hint: {})", error.hint()))?);
        if let Some(topic) = &alerts.topic {
            sealed.push(Box::new(TopicOutlet::new(producer.clone(), topic.clone())));
        }
        if let Some(topic) = &alerts.incidents_topic {
            incidents.push(Box::new(TopicOutlet::new(producer.clone(), topic.clone())));
        }
        if let Some(topic) = &alerts.provisional_topic {
            provisional.push(Box::new(TopicOutlet::new(producer, topic.clone())));
        }
    }
    if let Some(path) = &alerts.file {
        sealed.push(Box::new(log(path, lengths.map(|of| of.alerts))?));
    }
    if alerts.stdout {
        sealed.push(Box::new(Human::stdout()));
    }
    let archive = config.archive.as_ref().map(|of| {
        let place = (of.folder.as_path(), of.key_file.as_deref());
        let keeper = Keeper::of_worker(place, &config.state.join(SEAL_LOG), lengths.map(|of| of.sealed));
        keeper.context("archive")
    });
    let archive = archive.transpose()?;
    sealed.extend(archive.iter().map(|archive| -> Box<dyn Outlet> { Box::new(archive.clone()) }));
    let dead_letters = alerts.dead_letters.as_ref().map(|path| -> anyhow::Result<Box<dyn std::io::Write>> {
        Ok(Box::new(Appended::open(path).with_context(|| path.display().to_string())?))
    });
    Ok(Outlets { sealed, provisional, incidents, dead_letters: dead_letters.transpose()?, archive })
}

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
