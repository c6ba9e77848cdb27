//! `archive`: where events and alerts are kept for queries and indicators.
//!
//! Must never hold a key: it names the file of one.

use std::path::{Path, PathBuf};

use model::parse_span_ms;

use super::yaml::Section;

/// The archive that a worker writes.
#[derive(Debug)]
pub struct ArchiveConfig {
    /// Its folder; one for each worker.
    pub folder: PathBuf,
    /// File of the key that signs its manifest.
    pub key_file: Option<PathBuf>,
    /// Topic to which every new head of the manifest is published.
    pub heads_topic: Option<String>,
    /// Days that ended so long ago go, milliseconds; None: everything stays.
    pub keep_ms: Option<i64>,
}

pub(super) fn archive(root: &Section<'_>, folder: &Path) -> Option<ArchiveConfig> {
    let at = root.section("archive");
    if !at.is_there() {
        at.finish();
        return None;
    }
    let config = ArchiveConfig {
        folder: folder.join(at.required("folder", "where its files stand, like archive")),
        key_file: at.text("key_file").map(|file| folder.join(file)),
        heads_topic: at.text("heads_topic"),
        keep_ms: at.parsed("keep", |text| parse_span_ms(text).filter(|ms| *ms >= DAY_MS), "at least 1d, like 400d"),
    };
    at.finish();
    Some(config)
}

const DAY_MS: i64 = 86_400_000;
