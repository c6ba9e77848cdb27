//! Lists from topics: whole versions, each under the list's name as its key, as a compacted topic keeps them.
//!
//! The newest `as_of` counts. What is no list leaves the version before it in its place; a tombstone leaves an empty list, and
//! then the rule's `on_missing` decides. Must never judge anything by a version that the control log does not name.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ingest::kafka::{Batch, Connection, KafkaError, Offsets, Record, Retry};
use ingest::source::kafka::{KafkaSource, Polled, Reading};
use model::{Sha256, Timestamp};
use rules::Lists;

use super::build;
use super::partitions::name_of;
use crate::clock;
use crate::config::{Config, ListFrom};
use crate::control::ControlRecord;
use crate::telemetry::Metrics;

/// The text of each list that comes from a topic, by name.
pub type Texts = BTreeMap<String, String>;

/// A list of which nothing has been said, or which was taken back.
pub const EMPTY: &str = r#"{"entries":[]}"#;

const POLL_RECORDS_MAX: usize = 1_000;
const POLL_WAIT: Duration = Duration::from_millis(200);
/// How long a look waits, and how many in vain end it.
const GLANCE: Duration = Duration::from_millis(1);
const IDLE_POLLS: usize = 5;
/// The longest that a start waits for lists of which nothing comes.
const START_POLLS_MAX: usize = 300;
/// How far ahead of our clock a version may say that it holds.
const SKEW_MAX_MS: i64 = 300_000;

/// See the module.
pub struct Fed {
    /// None: no list comes from a topic, or its topics cannot be read any more.
    kafka: Option<KafkaSource>,
    /// List → topic.
    topics: BTreeMap<String, String>,
    entries_max: usize,
    texts: Texts,
    /// Since when the version in `texts` holds.
    as_of: BTreeMap<String, Timestamp>,
    has_changed: bool,
}

/// What became of one record.
enum Became {
    /// The list's version from here on.
    Version(String, Option<Timestamp>),
    /// A version that holds since later is known.
    Older,
}

impl Fed {
    /// Reads everything that the topics hold at this moment.
    ///
    /// # Errors
    /// When a topic is not there or cannot be read.
    pub fn open(config: &Config, connection: &Connection) -> anyhow::Result<Fed> {
        let of_topic = config.lists.iter().filter_map(|(name, from)| match from {
            ListFrom::Topic(topic) => Some((name.clone(), topic.clone())),
            ListFrom::File(_) => None,
        });
        let topics: BTreeMap<String, String> = of_topic.collect();
        let texts = topics.keys().map(|name| (name.clone(), EMPTY.to_owned())).collect();
        let (kafka, as_of, entries_max) = (None, BTreeMap::new(), config.list_entries_max);
        let mut fed = Fed { kafka, topics, entries_max, texts, as_of, has_changed: false };
        let names: BTreeSet<String> = fed.topics.values().cloned().collect();
        if names.is_empty() {
            return Ok(fed);
        }
        let reading = Reading::Whole { topics: names.into_iter().collect() };
        let mut kafka = KafkaSource::open(connection, &reading, &Retry::default(), &mut build::tell_attempt)
            .map_err(|error| failed(&error))?;
        let ends = kafka.end_offsets().map_err(|error| failed(&error))?;
        let mut batch = Batch::new();
        let is_read = |positions: &Offsets, at_end: &BTreeSet<_>| {
            ends.iter().all(|(at, end)| at_end.contains(at) || positions.get(at).is_none_or(|next| next >= end))
        };
        let (mut at_end, mut idle) = (BTreeSet::new(), 0);
        while !is_read(kafka.positions(), &at_end) {
            match kafka.poll(&mut batch, POLL_RECORDS_MAX, POLL_WAIT) {
                Polled::Records => batch.iter().for_each(|record| drop(fed.take(&record))),
                Polled::End(at) => drop(at_end.insert(at)),
                Polled::Error(error) if error.is_retryable() => tracing::warn!("lists: {error}; trying on"),
                Polled::Error(error) => return Err(failed(&error)),
                _ if idle < START_POLLS_MAX => idle += 1,
                _ => anyhow::bail!("lists: what their topics hold did not come within a minute (hint: start again)"),
            }
        }
        (fed.kafka, fed.has_changed) = (Some(kafka), false);
        Ok(fed)
    }

    /// The text of each list that comes from a topic.
    pub fn texts(&self) -> &Texts {
        &self.texts
    }

    /// Another version has come since the last call.
    pub fn take_changed(&mut self) -> bool {
        std::mem::take(&mut self.has_changed)
    }

    /// Reads what has come, and gives what the control log has to say of it. Waits for milliseconds.
    pub fn poll(&mut self, metrics: &Metrics) -> Vec<ControlRecord> {
        let Some(mut kafka) = self.kafka.take() else { return Vec::new() };
        let (mut batch, mut records) = (Batch::new(), Vec::new());
        let mut idle = 0;
        // A poll may bring no more than the client's own news: one that is idle says nothing of the records behind it.
        while idle < IDLE_POLLS {
            match kafka.poll(&mut batch, POLL_RECORDS_MAX, GLANCE) {
                Polled::Records => {
                    for record in batch.iter() {
                        let Some((list, result)) = self.take(&record) else { continue };
                        let name = match &result {
                            Ok(Became::Version(..)) => "version",
                            Ok(Became::Older) => "older",
                            Err(_) => "bad",
                        };
                        metrics.list(&list, name);
                        if let Ok(Became::Version(text, as_of)) = result {
                            records.push(ControlRecord::List {
                                time_ms: clock::now().ms(),
                                list,
                                sha256: Sha256::of(text.as_bytes()),
                                as_of_ms: as_of.map(Timestamp::ms),
                                partition: name_of(record.at),
                                position: record.offset,
                            });
                        }
                    }
                }
                Polled::End(_) => {}
                Polled::Error(error) if !error.is_retryable() => {
                    tracing::error!(
                        "lists: {}: what is known of them goes on; start again once it is mended",
                        failed(&error)
                    );
                    return records;
                }
                _ => idle += 1,
            }
        }
        self.kafka = Some(kafka);
        records
    }

    /// Takes one record. None: it is of no list of ours.
    fn take(&mut self, record: &Record<'_>) -> Option<(String, Result<Became, String>)> {
        let list = std::str::from_utf8(record.key?).ok()?.to_owned();
        if self.topics.get(&list).map(String::as_str) != Some(&*record.at.topic) {
            return None;
        }
        let became = self.version(&list, record.payload);
        match &became {
            Ok(Became::Version(text, as_of)) => {
                self.has_changed |= self.texts.insert(list.clone(), text.clone()).as_ref() != Some(text);
                self.as_of.extend(as_of.map(|as_of| (list.clone(), as_of)));
            }
            Ok(Became::Older) => {}
            Err(why) => {
                let at = format!("{} at {}", name_of(record.at), record.offset);
                tracing::error!("list {list}: {at}: {}: the version before it goes on", model::redact(why));
            }
        }
        Some((list, became))
    }

    fn version(&self, list: &str, payload: Option<&[u8]>) -> Result<Became, String> {
        let Some(payload) = payload else { return Ok(Became::Version(EMPTY.to_owned(), None)) };
        let text = std::str::from_utf8(payload).map_err(|_| "not UTF-8".to_owned())?;
        let mut lists = Lists::default();
        lists.read(list, text)?;
        let read = lists.get(list).ok_or("no list")?;
        let as_of = read.as_of.ok_or("`as_of` is missing (hint: from when the version holds, RFC 3339)")?;
        if as_of > clock::now().plus_ms(SKEW_MAX_MS) {
            return Err(format!("`as_of` {as_of} is in the future"));
        }
        if read.all.texts.len() > self.entries_max {
            return Err(format!("{} entries, above list_entries_max {}", read.all.texts.len(), self.entries_max));
        }
        let is_older = self.as_of.get(list).is_some_and(|known| as_of < *known);
        Ok(if is_older { Became::Older } else { Became::Version(text.to_owned(), Some(as_of)) })
    }
}

fn failed(error: &KafkaError) -> anyhow::Error {
    anyhow::anyhow!("lists: {error} (hint: {})", error.hint())
}
