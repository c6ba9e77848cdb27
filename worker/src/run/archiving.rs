//! The archive of a worker: written with the state, tidied once a day, its heads published.
//!
//! Order of commitment: rows with how far was read for them, then the state, then offsets. Must never let anybody but this
//! worker's own folder grow, nor stop the worker because a head could not be published: the next one says more.

use std::fs;
use std::time::Duration;

use ingest::kafka::{Connection, Producer, Retry};
use model::Timestamp;
use serde_json::json;

use super::build::{SEAL_LOG, tell_attempt};
use super::worker::Worker;
use crate::clock::Stopwatch;
use crate::config::ArchiveConfig;

/// Files with more rows are left as they are.
const COMPACT_ROWS_MAX: u64 = 1_000_000;

const PUBLISH_WAIT: Duration = Duration::from_secs(1);

const DAY_MS: i64 = 86_400_000;

/// What a worker remembers of its archive beside the archive itself.
#[derive(Default)]
pub(super) struct Archiving {
    heads: Option<(Producer, String)>,
    /// The head that was published last.
    published: String,
    /// Day on which old files were let go and small ones made one, in days since the epoch.
    tidied: Option<i64>,
}

impl Archiving {
    /// Opens the topic of heads, where one is asked for.
    ///
    /// # Errors
    /// When the broker or the topic is not there.
    pub(super) fn open(config: Option<&ArchiveConfig>, connection: &Connection) -> anyhow::Result<Archiving> {
        let Some(topic) = config.and_then(|of| of.heads_topic.clone()) else { return Ok(Archiving::default()) };
        let producer = Producer::open(connection, &[&topic], &Retry::default(), &mut tell_attempt);
        let producer = producer.map_err(|error| anyhow::anyhow!("{error} (hint: {})", error.hint()))?;
        Ok(Archiving { heads: Some((producer, topic)), ..Archiving::default() })
    }
}

impl Worker<'_> {
    /// So many rows wait that they should not wait for the next snapshot.
    pub(super) fn archive_is_full(&self) -> bool {
        self.pipeline.archive().is_some_and(|keeper| keeper.is_full())
    }

    /// The same as [`Worker::archive_now`]; what fails is tried again, no offset passes it, and it is not waited for in memory
    /// without end.
    pub(super) fn try_archive(&mut self) -> anyhow::Result<()> {
        let Err(error) = self.archive_now() else { return Ok(()) };
        if self.pipeline.archive().is_some_and(|keeper| keeper.is_overfull()) {
            return Err(error.context("archive (hint: room on its disk; what is not archived is read again)"));
        }
        tracing::warn!("archive: {error:#}; trying on");
        Ok(())
    }

    /// Puts everything read so far into the archive, and says there how far that is.
    pub(super) fn archive_now(&mut self) -> anyhow::Result<()> {
        let Some(keeper) = self.pipeline.archive().cloned() else { return Ok(()) };
        let sealed = fs::metadata(self.config.state.join(SEAL_LOG))?.len();
        keeper.commit(self.partitions.positions(), sealed)?;
        let day = self.fetched_at.ms().div_euclid(DAY_MS);
        if self.archiving.tidied != Some(day) {
            let keep_ms = self.config.archive.as_ref().and_then(|of| of.keep_ms);
            let first = keep_ms.map(|keep_ms| day_of(self.fetched_at.plus_ms(-keep_ms)));
            let since = Stopwatch::start();
            let files = keeper.with_archive(|archive| {
                let expired = first.as_deref().map(|first| archive.expire(first)).transpose()?.unwrap_or_default();
                let compacted = archive.compact(COMPACT_ROWS_MAX)?;
                Ok((expired.removed, compacted.removed, compacted.added))
            })?;
            let (expired, from, to) = files;
            tracing::info!("archive: {expired} files expired, {from} made {to}, in {:.1} s", since.seconds());
            self.archiving.tidied = Some(day);
        }
        let (head, text) = keeper.with_archive(|archive| {
            let manifest = archive.manifest();
            let folder = archive.folder().display().to_string();
            let (head, lines, signature) = (manifest.head(), manifest.lines(), manifest.signature());
            let text = json!({"archive": folder, "lines": lines, "head": head, "signature": signature}).to_string();
            Ok((head.to_owned(), text))
        })?;
        self.publish(head, &text);
        Ok(())
    }

    fn publish(&mut self, head: String, text: &str) {
        let Some((producer, topic)) = &self.archiving.heads else { return };
        if head == self.archiving.published {
            return;
        }
        let sent = producer.send(topic, None, text.as_bytes()).and_then(|()| producer.flush(PUBLISH_WAIT));
        match sent {
            Ok(()) => self.archiving.published = head,
            Err(error) => tracing::warn!("topic {topic}: head not published yet: {error} (hint: {})", error.hint()),
        }
    }
}

/// The UTC day of a time: `2026-09-01`.
fn day_of(time: Timestamp) -> String {
    time.to_string().chars().take(10).collect()
}
