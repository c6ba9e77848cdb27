//! The archive that a replay writes.
//!
//! Must never add the same history twice: an archive that holds events is gone on with only by a replay that goes on, too.

use std::path::PathBuf;

use anyhow::bail;

use crate::keeper::Keeper;

/// See the module.
#[derive(Debug, clap::Args)]
pub struct ArchiveArgs {
    /// Write the events and alerts into this folder as an archive, for `query` and `slo report`
    #[arg(long, value_name = "DIR", conflicts_with_all = ["control_log", "every_match"])]
    archive: Option<PathBuf>,
    /// Sign the archive's manifest with the key in this file: 64 hexadecimal digits
    #[arg(long, value_name = "FILE", requires = "archive")]
    archive_key: Option<PathBuf>,
}

impl ArchiveArgs {
    /// An archive is to be written.
    pub(super) fn is_asked(&self) -> bool {
        self.archive.is_some()
    }

    /// Opens it. `is_continued`: the replay goes on from another one.
    pub(super) fn open(&self, is_continued: bool) -> anyhow::Result<Option<Keeper>> {
        let Some(folder) = &self.archive else { return Ok(None) };
        let keeper = Keeper::open(folder, self.archive_key.as_deref())?;
        if keeper.has_events() && !is_continued {
            bail!(
                "--archive {}: holds events already (hint: name a new folder; only a replay with --state-in goes on)",
                folder.display()
            );
        }
        Ok(Some(keeper))
    }
}
