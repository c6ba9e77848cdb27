//! A batch of records in one reused arena, so that reading a record costs one copy of its bytes and no allocation.
//!
//! A CloudEvent in binary mode is kept in structured form, so that nobody behind needs its headers. It must never
//! change any other payload, and never outlive the next `poll` with references: `clear` starts it anew.

use std::ops::Range;

use rdkafka::Timestamp;
use rdkafka::message::{BorrowedMessage, Headers as _, Message as _};

use super::{Offsets, TopicPartition, structured};

/// The time a record carries, milliseconds since 1970, and who set it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordTime {
    /// None.
    Absent,
    /// The producer's clock (`message.timestamp.type=CreateTime`): a claim, not evidence.
    Created(i64),
    /// The broker's clock (`message.timestamp.type=LogAppendTime`).
    Appended(i64),
}

impl RecordTime {
    /// The broker's append time in milliseconds, where the topic has it.
    pub fn append_time_ms(self) -> Option<i64> {
        match self {
            Self::Appended(ms) => Some(ms),
            Self::Absent | Self::Created(_) => None,
        }
    }
}

/// One record, borrowed from its batch.
#[derive(Debug, Clone, Copy)]
pub struct Record<'a> {
    /// Where it stands.
    pub at: &'a TopicPartition,
    /// Its offset in the partition.
    pub offset: i64,
    /// Its time and whose it is.
    pub time: RecordTime,
    /// The key; `None` differs from empty.
    pub key: Option<&'a [u8]>,
    /// The payload; `None` is a tombstone. Of a CloudEvent in binary mode: the event in structured form.
    pub payload: Option<&'a [u8]>,
    /// The headers in order; names may repeat.
    pub headers: Headers<'a>,
}

/// The headers of one record.
#[derive(Clone, Copy)]
pub struct Headers<'a> {
    bytes: &'a [u8],
    spans: &'a [HeaderSpan],
}

impl<'a> Headers<'a> {
    /// Names (valid UTF-8 as the client checks it) and values; `None` is a header without a value.
    pub fn iter(&self) -> impl Iterator<Item = (&'a [u8], Option<&'a [u8]>)> + use<'a> {
        let bytes = self.bytes;
        self.spans
            .iter()
            .map(move |(name, value)| (slice(bytes, name), value.as_ref().map(|value| slice(bytes, value))))
    }
}

impl std::fmt::Debug for Headers<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} headers", self.spans.len())
    }
}

type HeaderSpan = (Range<usize>, Option<Range<usize>>);

struct Entry {
    source: usize,
    offset: i64,
    time: RecordTime,
    key: Option<Range<usize>>,
    payload: Option<Range<usize>>,
    headers: Range<usize>,
}

/// Records in arrival order: within a partition by offset. Keep one and pass it to every `poll`.
#[derive(Default)]
pub struct Batch {
    bytes: Vec<u8>,
    entries: Vec<Entry>,
    headers: Vec<HeaderSpan>,
    sources: Vec<TopicPartition>,
    next: Vec<i64>,
}

impl Batch {
    /// An empty batch.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many records it holds.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Bytes of keys, headers and payloads together.
    pub fn size_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// The records in arrival order.
    pub fn iter(&self) -> impl Iterator<Item = Record<'_>> {
        self.entries.iter().filter_map(|entry| {
            Some(Record {
                at: self.sources.get(entry.source)?,
                offset: entry.offset,
                time: entry.time,
                key: entry.key.as_ref().map(|span| slice(&self.bytes, span)),
                payload: entry.payload.as_ref().map(|span| slice(&self.bytes, span)),
                headers: Headers {
                    bytes: &self.bytes,
                    spans: self.headers.get(entry.headers.clone()).unwrap_or_default(),
                },
            })
        })
    }

    /// For each partition in the batch, the offset behind its last record: what to commit once the batch is safe.
    pub fn next_offsets(&self) -> Offsets {
        self.next_by_partition().map(|(at, next)| (at.clone(), next)).collect()
    }

    pub(crate) fn next_by_partition(&self) -> impl Iterator<Item = (&TopicPartition, i64)> {
        self.sources.iter().zip(self.next.iter().copied())
    }

    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.entries.clear();
        self.headers.clear();
        self.sources.clear();
        self.next.clear();
    }

    pub(crate) fn push(&mut self, message: &BorrowedMessage<'_>) {
        let source = self.source(message.topic(), message.partition());
        if let Some(next) = self.next.get_mut(source) {
            *next = message.offset() + 1;
        }
        let time = match message.timestamp() {
            Timestamp::NotAvailable => RecordTime::Absent,
            Timestamp::CreateTime(ms) => RecordTime::Created(ms),
            Timestamp::LogAppendTime(ms) => RecordTime::Appended(ms),
        };
        let key = message.key().map(|key| self.keep(key));
        let headers = || {
            let all = message.headers().into_iter().flat_map(|headers| headers.iter());
            all.map(|header| (header.key, header.value))
        };
        let payload = match structured(headers, message.payload()) {
            Some(event) => Some(self.keep(&event)),
            None => message.payload().map(|payload| self.keep(payload)),
        };
        let first = self.headers.len();
        for header in message.headers().into_iter().flat_map(|headers| headers.iter()) {
            let span = (self.keep(header.key.as_bytes()), header.value.map(|value| self.keep(value)));
            self.headers.push(span);
        }
        let headers = first..self.headers.len();
        self.entries.push(Entry { source, offset: message.offset(), time, key, payload, headers });
    }

    fn keep(&mut self, bytes: &[u8]) -> Range<usize> {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        start..self.bytes.len()
    }

    /// Records come in runs of one partition, so the last one seen is nearly always the right one.
    fn source(&mut self, topic: &str, partition: i32) -> usize {
        let same = |at: &TopicPartition| at.partition == partition && *at.topic == *topic;
        if let Some(last) = self.entries.last().map(|entry| entry.source)
            && self.sources.get(last).is_some_and(same)
        {
            return last;
        }
        self.sources.iter().position(same).unwrap_or_else(|| {
            self.sources.push(TopicPartition::new(topic, partition));
            self.next.push(0);
            self.sources.len() - 1
        })
    }
}

fn slice<'a>(bytes: &'a [u8], span: &Range<usize>) -> &'a [u8] {
    bytes.get(span.clone()).unwrap_or_default()
}
