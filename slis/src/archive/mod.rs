//! The archive: rows as Parquet files in a folder, and a manifest that says which of them belong to it.
//!
//! The manifest is truth: a file that it does not name is not read, and one takes its place only after the manifest names it,
//! so a crash leaves either nothing or a move that the next opening finishes. Must never overwrite a file.

mod compact;
mod manifest;
mod rows;
mod schema;
mod verify;
mod write;

use std::fs;
use std::path::{Path, PathBuf};

use ed25519_dalek::SigningKey;
use thiserror::Error;

pub use compact::Tidied;
pub use ed25519_dalek::{SigningKey as Key, VerifyingKey as PublicKey};
pub use manifest::{Change, Entry, Manifest, Operation, Positions, public_text, signing_key, verifying_key};
pub use rows::ArchivedEvent;
pub use schema::{column_of, contributions_schema, events_schema};
pub use verify::{Finding, verify};
pub use write::EventWriter;

pub(crate) use write::{contributions, write_contributions};

/// Table of events.
pub const EVENTS: &str = "events";
/// Table of contributions.
pub const CONTRIBUTIONS: &str = "contributions";
/// Folder of files that have not taken their place.
const COMING: &str = "coming";
/// In it: held by whoever writes.
const LOCK: &str = "lock";

/// What goes wrong with an archive.
#[derive(Debug, Error)]
#[allow(missing_docs)]
pub enum ArchiveError {
    #[error("{}: {error}", file.display())]
    Io { file: PathBuf, error: std::io::Error },
    #[error("{}: is being written by another process (hint: each worker has an archive of its own; stop it to tidy up)", folder.display())]
    Locked { folder: PathBuf },
    #[error("{}: holds no key (hint: 64 hexadecimal digits, like `openssl rand -hex 32` prints)", file.display())]
    Key { file: PathBuf },
    #[error("manifest.jsonl, line {line}: {why} (hint: `pipewarden archive verify` names what else is wrong)")]
    Chain { line: u64, why: String },
    #[error("{file}: {why}")]
    Parquet { file: String, why: String },
    #[error("{file}: is named by the manifest and is not there (hint: `pipewarden archive verify`)")]
    Missing { file: String },
}

/// Says at which file something went wrong.
fn at(file: &Path) -> impl FnOnce(std::io::Error) -> ArchiveError {
    let file = file.to_owned();
    move |error| ArchiveError::Io { file, error }
}

/// An archive that is written to, by nobody else at the time.
#[derive(Debug)]
pub struct Archive {
    _lock: fs::File,
    folder: PathBuf,
    manifest: Manifest,
    key: Option<SigningKey>,
}

impl Archive {
    /// Opens an archive to write, making its folder where there is none; finishes what a crash left open.
    ///
    /// # Errors
    /// When the folder cannot be written, the manifest's chain is broken, or a file is missing.
    pub fn open(folder: &Path, key: Option<SigningKey>) -> Result<Archive, ArchiveError> {
        let coming = folder.join(COMING);
        fs::create_dir_all(&coming).map_err(at(&coming))?;
        let lock = coming.join(LOCK);
        let lock = fs::File::create(&lock).map_err(at(&lock))?;
        lock.try_lock().map_err(|_| ArchiveError::Locked { folder: folder.to_owned() })?;
        let public = key.as_ref().map(SigningKey::verifying_key);
        let manifest = Manifest::read(folder, public.as_ref())?;
        let archive = Archive { _lock: lock, folder: folder.to_owned(), manifest, key };
        for entry in archive.manifest.files() {
            archive.settle(entry)?;
        }
        // What was removed may still be there; what came and was never named has no claim.
        for path in archive.manifest.removed_paths() {
            remove(&archive.folder.join(path))?;
        }
        for left in fs::read_dir(&coming).map_err(at(&coming))? {
            let left = left.map_err(at(&coming))?;
            if left.file_name() != LOCK {
                remove(&left.path())?;
            }
        }
        Ok(archive)
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The manifest.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Where a file is written before it belongs to the archive.
    fn coming(&self, name: &str) -> PathBuf {
        self.folder.join(COMING).join(name.replace('/', "+"))
    }

    /// Files that have been written where [`Archive::coming`] says take their place, those in whose place they stand go.
    fn commit(&mut self, change: Change) -> Result<(), ArchiveError> {
        if change.added.is_empty() && change.removed.is_empty() {
            return Ok(());
        }
        self.manifest.append(change.clone(), self.key.as_ref())?;
        for entry in &change.added {
            self.settle(entry)?;
        }
        for path in &change.removed {
            remove(&self.folder.join(path))?;
        }
        Ok(())
    }

    /// Moves a file that is named to its place, where it is not there yet.
    fn settle(&self, entry: &Entry) -> Result<(), ArchiveError> {
        let (place, coming) = (self.folder.join(&entry.path), self.coming(&entry.path));
        if place.exists() {
            return Ok(());
        }
        if !coming.exists() {
            return Err(ArchiveError::Missing { file: entry.path.clone() });
        }
        if let Some(parent) = place.parent() {
            fs::create_dir_all(parent).map_err(at(parent))?;
        }
        fs::rename(&coming, &place).map_err(at(&place))?;
        let synced = place.parent().map_or(Ok(()), |parent| fs::File::open(parent)?.sync_all());
        synced.map_err(at(&place))
    }

    /// The path of a new file of a table.
    fn path_of(&self, table: &str, day: &str, class: &str, part: usize) -> String {
        let number = self.manifest.lines();
        if class.is_empty() {
            format!("{table}/day={day}/{number:08}-{part:04}.parquet")
        } else {
            format!("{table}/day={day}/class={class}/{number:08}-{part:04}.parquet")
        }
    }
}

/// Removes a file, where it is there.
fn remove(path: &Path) -> Result<(), ArchiveError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(at(path)(error)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
