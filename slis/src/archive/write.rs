//! Rows to Parquet files: gathered by day and class, ordered by event time, zstd, statistics on what queries narrow by.
//!
//! A file is whole on disk before the manifest names it. Must never hold more rows in memory than it is told.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Int32Array, Int64Array, RecordBatch, StringArray, TimestampMillisecondArray};
use model::{EventClass, Timestamp};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties};

use super::rows::{ArchivedEvent, batch};
use super::{
    Archive, ArchiveError, CONTRIBUTIONS, Change, EVENTS, Entry, Operation, Positions, at, contributions_schema,
};
use crate::contribution::{Key, Sums};

/// Rows of one row group: what statistics leave out at once.
const GROUP_ROWS: usize = 128 * 1024;

/// Day of rows without a time.
const TIMELESS: &str = "none";

/// Gathers events and writes them as files of an archive.
#[derive(Debug)]
pub struct EventWriter {
    archive: Archive,
    waiting: BTreeMap<(String, String), Vec<ArchivedEvent>>,
    rows: usize,
    rows_max: usize,
    written: u64,
}

impl EventWriter {
    /// Writes into an archive; `rows_max`: see [`EventWriter::is_full`].
    pub fn new(archive: Archive, rows_max: usize) -> EventWriter {
        EventWriter { archive, waiting: BTreeMap::new(), rows: 0, rows_max: rows_max.max(1), written: 0 }
    }

    /// Takes an event.
    pub fn put(&mut self, event: ArchivedEvent) {
        let class = event.event.class.map_or("raw", EventClass::name).to_owned();
        self.waiting.entry((day_of(event.event.time), class)).or_default().push(event);
        self.rows += 1;
    }

    /// So many rows wait that they should be written.
    pub fn is_full(&self) -> bool {
        self.rows >= self.rows_max
    }

    /// Rows that wait.
    pub fn waiting(&self) -> usize {
        self.rows
    }

    /// Writes what waits; all of it belongs to the archive when this returns, or none of it.
    ///
    /// # Errors
    /// When files cannot be written.
    pub fn flush(&mut self) -> Result<(), ArchiveError> {
        self.flush_at(Positions::new())
    }

    /// The same, and in one stroke how far the inputs have been read: what lies before that need not be archived again.
    ///
    /// # Errors
    /// When files cannot be written.
    pub fn flush_at(&mut self, positions: Positions) -> Result<(), ArchiveError> {
        let mut added = Vec::new();
        for (part, ((day, class), rows)) in self.waiting.iter_mut().enumerate() {
            rows.sort_by_cached_key(ArchivedEvent::order);
            let path = self.archive.path_of(EVENTS, day, class, part);
            let batch = batch(rows).map_err(|error| broken(&path, &error))?;
            added.push(write(&self.archive, EVENTS, (&path, day, class), &batch)?);
        }
        self.archive.commit(Change { operation: Operation::Add, added, removed: Vec::new(), positions })?;
        // Only now: what could not be written waits on.
        self.written += self.rows as u64;
        (self.waiting, self.rows) = (BTreeMap::new(), 0);
        Ok(())
    }

    /// The archive; what waits does not belong to it yet.
    pub fn archive(&self) -> &Archive {
        &self.archive
    }

    /// The same, to change it.
    pub fn archive_mut(&mut self) -> &mut Archive {
        &mut self.archive
    }

    /// Events that belong to the archive by now.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Writes what waits and gives the archive back.
    ///
    /// # Errors
    /// When files cannot be written.
    pub fn finish(mut self) -> Result<Archive, ArchiveError> {
        self.flush()?;
        Ok(self.archive)
    }
}

/// The UTC day of a time: `2026-09-01`.
pub(super) fn day_of(time: Option<Timestamp>) -> String {
    time.and_then(|time| time.to_string().get(..10).map(str::to_owned)).unwrap_or_else(|| TIMELESS.to_owned())
}

fn broken(path: &str, error: &dyn std::fmt::Display) -> ArchiveError {
    ArchiveError::Parquet { file: path.to_owned(), why: error.to_string() }
}

/// Writes one file where it waits for its place.
pub(super) fn write(
    archive: &Archive,
    table: &str,
    (path, day, class): (&str, &str, &str),
    batch: &RecordBatch,
) -> Result<Entry, ArchiveError> {
    let coming = archive.coming(path);
    write_file(&coming, path, batch)?;
    let (sha256, bytes) = super::manifest::digest(&coming).map_err(at(&coming))?;
    Ok(Entry {
        path: path.to_owned(),
        sha256,
        bytes,
        rows: batch.num_rows() as u64,
        table: table.to_owned(),
        day: day.to_owned(),
        class: class.to_owned(),
    })
}

fn write_file(file: &Path, path: &str, batch: &RecordBatch) -> Result<(), ArchiveError> {
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_max_row_group_row_count(Some(GROUP_ROWS))
        .set_created_by("pipewarden".to_owned())
        .build();
    let target = File::create(file).map_err(at(file))?;
    let mut writer =
        ArrowWriter::try_new(target, batch.schema(), Some(properties)).map_err(|error| broken(path, &error))?;
    writer.write(batch).map_err(|error| broken(path, &error))?;
    let target = writer.into_inner().map_err(|error| broken(path, &error))?;
    target.sync_all().map_err(at(file))
}

/// Writes contributions: in the place of all that the archive held, or beside them.
///
/// # Errors
/// When files cannot be written.
pub(crate) fn write_contributions(
    archive: &mut Archive,
    rows: &[(&Key, &Sums)],
    replaces: bool,
) -> Result<(), ArchiveError> {
    let held = archive.manifest().files().filter(|file| replaces && file.table == CONTRIBUTIONS);
    let removed: Vec<String> = held.map(|file| file.path.clone()).collect();
    let mut days: BTreeMap<String, Vec<(&Key, &Sums)>> = BTreeMap::new();
    for row in rows {
        days.entry(day_of(Some(Timestamp::from_ms(row.0.minute_ms)))).or_default().push(*row);
    }
    let mut added = Vec::new();
    for (part, (day, rows)) in days.into_iter().enumerate() {
        let path = archive.path_of(CONTRIBUTIONS, &day, "", part);
        let batch = contributions(&rows).map_err(|error| broken(&path, &error))?;
        added.push(write(archive, CONTRIBUTIONS, (&path, &day, ""), &batch)?);
    }
    let operation = if removed.is_empty() { Operation::Add } else { Operation::Compact };
    archive.commit(Change { operation, added, removed, positions: Positions::new() })
}

/// Contributions as columns.
pub(crate) fn contributions(rows: &[(&Key, &Sums)]) -> Result<RecordBatch, datafusion::arrow::error::ArrowError> {
    let texts = |of: &dyn Fn(&Key) -> &str| -> ArrayRef {
        Arc::new(rows.iter().map(|row| Some(of(row.0))).collect::<StringArray>())
    };
    let numbers = |of: &dyn Fn(&Sums) -> i64| -> ArrayRef {
        Arc::new(rows.iter().map(|row| Some(of(row.1))).collect::<Int64Array>())
    };
    let minutes = rows.iter().map(|row| Some(row.0.minute_ms)).collect::<TimestampMillisecondArray>();
    let columns: Vec<ArrayRef> = vec![
        texts(&|key| &key.indicator),
        Arc::new(minutes.with_timezone("UTC")),
        texts(&|key| key.scope.team()),
        texts(&|key| key.scope.environment()),
        texts(&|key| key.scope.repository()),
        texts(&|key| key.scope.label()),
        Arc::new(rows.iter().map(|row| Some(row.0.bucket)).collect::<Int32Array>()),
        numbers(&|sums| sums.good),
        numbers(&|sums| sums.total),
        numbers(&|sums| sums.excluded),
        numbers(&|sums| sums.measured),
        numbers(&|sums| sums.sum_us),
        numbers(&|sums| sums.seen),
    ];
    RecordBatch::try_new(contributions_schema(), columns)
}
