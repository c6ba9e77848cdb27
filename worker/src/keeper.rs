//! An archive that is written: events by the pipeline, alerts as an outlet of it.
//!
//! A worker that was killed reads again what lies behind its snapshot, and some of that stands in the archive: how far each
//! partition and the seal log have been archived is said there in one stroke with their rows, and is left out the second
//! time. Must never let a row in twice, nor let an offset be committed whose rows are not in the archive.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::{Arc, Mutex};

use anyhow::{Context, anyhow};
use model::{AlertRecord, Arrival, Sha256};
use sinks::{Outlet, OutletError};
use slis::archive::{Archive, ArchiveError, ArchivedEvent, EventWriter, Positions};

use crate::archiving::{OWN, of_alert};

/// Events that wait in memory until they are written.
const ROWS_MAX: usize = 200_000;

/// As many while they cannot be written: then their worker ends, and reads them again once they can.
const ROWS_WAITING_MAX: usize = 5 * ROWS_MAX;

/// The seal log among the positions of an archive: bytes of it whose alerts are archived.
const SEAL_LOG: &str = "seal log";

/// See the module.
#[derive(Clone)]
pub(crate) struct Keeper(Arc<Mutex<Keeping>>);

struct Keeping {
    writer: EventWriter,
    /// A worker decides when rows are written, together with how far it has read.
    is_workers: bool,
    /// How far each partition has been archived, whether that gave rows or not.
    archived: Positions,
    /// Lines of the seal log whose alerts are archived and will be told again, with how often.
    again: BTreeMap<Sha256, usize>,
}

impl Keeper {
    /// Of an archive in a folder; signed, where there is a key.
    pub(crate) fn open(folder: &Path, key: Option<&Path>) -> Result<Keeper, ArchiveError> {
        let key = key.map(slis::archive::signing_key).transpose()?;
        let writer = EventWriter::new(Archive::open(folder, key)?, ROWS_MAX);
        let (archived, again) = Default::default();
        Ok(Keeper(Arc::new(Mutex::new(Keeping { writer, is_workers: false, archived, again }))))
    }

    /// The same for a worker. `sealed`: it goes on from a state at which the seal log had so many bytes, and tells again what
    /// stands behind them.
    pub(crate) fn of_worker(
        (folder, key): (&Path, Option<&Path>),
        seal_log: &Path,
        sealed: Option<u64>,
    ) -> anyhow::Result<Keeper> {
        let keeper = Keeper::open(folder, key)?;
        keeper.with(|keeping| {
            keeping.is_workers = true;
            let archived = keeping.writer.archive().manifest().position(SEAL_LOG).unwrap_or(0);
            let (from, to) = (sealed.unwrap_or(u64::MAX), u64::try_from(archived).unwrap_or(0));
            if from < to {
                keeping.again = lines(seal_log, from, to).with_context(|| seal_log.display().to_string())?;
            }
            Ok(())
        })?;
        Ok(keeper)
    }

    /// Takes an event, unless it is archived already.
    pub(crate) fn put(&self, event: ArchivedEvent) -> Result<(), OutletError> {
        let put = self.with(|Keeping { writer, is_workers, .. }| {
            let archived = writer.archive().manifest().position(&event.partition);
            if *is_workers && archived.is_some_and(|next| event.offset < next) {
                return Ok(());
            }
            writer.put(event);
            if writer.is_full() && !*is_workers {
                writer.flush()?;
            }
            Ok(())
        });
        put.map_err(|error| failed(&error))
    }

    /// So many rows wait that they should be written.
    pub(crate) fn is_full(&self) -> bool {
        self.0.lock().is_ok_and(|keeping| keeping.writer.is_full())
    }

    /// More wait than may.
    pub(crate) fn is_overfull(&self) -> bool {
        self.0.lock().is_ok_and(|keeping| keeping.writer.waiting() >= ROWS_WAITING_MAX)
    }

    /// Writes what waits, and how far was read for it: partitions by the next offset, the seal log by its length in bytes.
    pub(crate) fn commit(&self, partitions: Positions, sealed: u64) -> anyhow::Result<()> {
        self.with(|Keeping { writer, archived, .. }| {
            let mut positions = partitions.clone();
            positions.insert(SEAL_LOG.to_owned(), i64::try_from(sealed)?);
            writer.flush_at(positions)?;
            *archived = partitions;
            Ok(())
        })
    }

    /// How far a partition has been archived by this process. None: not since it is read here.
    pub(crate) fn archived(&self, partition: &str) -> Option<i64> {
        self.0.lock().ok()?.archived.get(partition).copied()
    }

    /// The archive has held events before.
    pub(crate) fn has_events(&self) -> bool {
        self.0.lock().is_ok_and(|keeping| keeping.writer.archive().manifest().files().next().is_some())
    }

    /// Does something with the archive, once everything taken so far belongs to it.
    pub(crate) fn flushed<T>(&self, of: impl FnOnce(&mut Archive) -> anyhow::Result<T>) -> anyhow::Result<T> {
        self.with(|Keeping { writer, .. }| {
            writer.flush()?;
            of(writer.archive_mut())
        })
    }

    /// Does something with the archive as it stands.
    pub(crate) fn with_archive<T>(&self, of: impl FnOnce(&mut Archive) -> anyhow::Result<T>) -> anyhow::Result<T> {
        self.with(|Keeping { writer, .. }| of(writer.archive_mut()))
    }

    fn with<T>(&self, of: impl FnOnce(&mut Keeping) -> anyhow::Result<T>) -> anyhow::Result<T> {
        let mut keeping = self.0.lock().map_err(|_| anyhow!("the archive was left by a thread that ended"))?;
        of(&mut keeping)
    }
}

fn failed(error: &anyhow::Error) -> OutletError {
    OutletError { outlet: "archive".to_owned(), reason: format!("{error:#}"), retryable: false }
}

/// The whole lines between two lengths of a file, by their hash.
fn lines(file: &Path, from: u64, to: u64) -> io::Result<BTreeMap<Sha256, usize>> {
    let mut open = File::open(file)?;
    open.seek(SeekFrom::Start(from))?;
    let mut found: BTreeMap<Sha256, usize> = BTreeMap::new();
    for line in BufReader::new(open.take(to.saturating_sub(from))).split(b'\n') {
        *found.entry(Sha256::of(&line?)).or_default() += 1;
    }
    Ok(found)
}

impl Outlet for Keeper {
    fn put(&mut self, record: &AlertRecord, line: &str) -> Result<(), OutletError> {
        let event = of_alert(record, line);
        let is_again = self.with(|Keeping { again, .. }| {
            let left = again.get_mut(&event.sha256).filter(|left| **left > 0);
            Ok(left.map(|left| *left -= 1).is_some())
        });
        if is_again.map_err(|error| failed(&error))? {
            return Ok(());
        }
        let arrival = match record {
            AlertRecord { early: true, .. } => Arrival::Early,
            AlertRecord { late: true, .. } => Arrival::Late,
            _ => Arrival::OnTime,
        };
        Keeper::put(self, ArchivedEvent { event, arrival, partition: OWN.into(), offset: 0 })
    }

    /// Rows are written when there are enough of them, or when their worker says how far it has read.
    fn flush(&mut self) -> Result<(), OutletError> {
        Ok(())
    }
}
