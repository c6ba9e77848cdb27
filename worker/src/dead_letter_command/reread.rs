//! Positions read again: of Kafka partitions and of files, each record once, in order.
//!
//! A member of no group: it must never commit. A record that is not there any more is an answer, not a failure.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use anyhow::bail;
use ingest::kafka::{Batch, Connection, KafkaError, Offsets, Retry, TopicPartition};
use ingest::source::file::FileInput;
use ingest::source::kafka::{KafkaSource, Polled, Reading};

use crate::run::tell_attempt;

/// What is found at a position.
#[derive(Debug)]
pub(super) enum Found<'r> {
    /// The record.
    Record(&'r [u8]),
    /// It is there no more, or never was.
    Gone(String),
    /// It is there, and only its start, or its torn end, can be read.
    Broken,
}

const POLL_RECORDS_MAX: usize = 1_000;
const POLL_WAIT: Duration = Duration::from_secs(10);
/// A wanted record that lies further ahead is asked for by its offset.
const READ_OVER_MAX: i64 = 5_000;
/// As the worker reads them.
const RECORD_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Reads records of a partition of Kafka.
///
/// # Errors
/// When the broker, the topic or the partition is not there, or does not answer in time.
pub(super) fn kafka(
    connection: &Connection,
    at: &TopicPartition,
    mut offsets: BTreeSet<i64>,
    sink: &mut dyn FnMut(i64, Found<'_>) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut batch = Batch::new();
    while let Some(&first) = offsets.first() {
        let reading = Reading::From(Offsets::from([(at.clone(), first)]));
        let mut source = match KafkaSource::open(connection, &reading, &Retry::default(), &mut tell_attempt) {
            Err(KafkaError::OffsetOutOfRange { low, high, .. }) => {
                out_of_range(&mut offsets, low, high, sink)?;
                continue;
            }
            opened => opened.map_err(|error| anyhow::anyhow!("{error} (hint: {})", error.hint()))?,
        };
        let mut next = first;
        while offsets.first().is_some_and(|wanted| *wanted - next < READ_OVER_MAX) {
            match source.poll(&mut batch, POLL_RECORDS_MAX, POLL_WAIT) {
                Polled::Records => {}
                Polled::Error(KafkaError::OffsetOutOfRange { low, high, .. }) => {
                    out_of_range(&mut offsets, low, high, sink)?;
                    break;
                }
                Polled::Error(error) if !error.is_retryable() => bail!("{error} (hint: {})", error.hint()),
                Polled::Idle => bail!("{at}: offset {next} did not come within {POLL_WAIT:?} (hint: again, later)"),
                Polled::End(_) => {
                    gone(&mut offsets, i64::MAX, "the partition ends before it", sink)?;
                    break;
                }
                _ => continue,
            }
            for record in batch.iter() {
                gone(&mut offsets, record.offset, "compaction or a transaction took it", sink)?;
                next = record.offset + 1;
                if offsets.remove(&record.offset) {
                    sink(record.offset, Found::Record(record.payload.unwrap_or_default()))?;
                }
            }
        }
    }
    Ok(())
}

fn out_of_range(
    offsets: &mut BTreeSet<i64>,
    low: i64,
    high: i64,
    sink: &mut dyn FnMut(i64, Found<'_>) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    gone(offsets, low, &format!("retention removed it: the partition begins at {low}"), sink)?;
    let beyond = offsets.split_off(&high);
    gone(&mut beyond.clone(), i64::MAX, &format!("the partition ends at {high}: was the topic made anew?"), sink)
}

/// What is wanted before an offset is not there.
fn gone(
    offsets: &mut BTreeSet<i64>,
    before: i64,
    why: &str,
    sink: &mut dyn FnMut(i64, Found<'_>) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    while let Some(offset) = offsets.first().copied().filter(|offset| *offset < before) {
        offsets.remove(&offset);
        sink(offset, Found::Gone(why.to_owned()))?;
    }
    Ok(())
}

/// Reads records of a file; offsets are numbers of records.
///
/// # Errors
/// Only those of `sink`: a file that is not there is an answer.
pub(super) fn file(
    path: &Path,
    mut offsets: BTreeSet<i64>,
    sink: &mut dyn FnMut(i64, Found<'_>) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut input = match FileInput::open(path, RECORD_BYTES_MAX) {
        Ok(input) => input,
        Err(error) => return gone(&mut offsets, i64::MAX, &format!("the file cannot be read: {error}"), sink),
    };
    while !offsets.is_empty()
        && let Some(chunk) = input.next_chunk()
    {
        for (at, bounds) in chunk.records.iter().enumerate() {
            let offset = chunk.first_offset + at as i64;
            if !offsets.remove(&offset) {
                continue;
            }
            let torn = chunk.torn && at + 1 == chunk.records.len();
            let record = chunk.bytes.get(bounds.clone()).unwrap_or_default();
            sink(offset, if torn || chunk.too_large == Some(at) { Found::Broken } else { Found::Record(record) })?;
        }
    }
    gone(&mut offsets, i64::MAX, "the file ends before it", sink)
}
