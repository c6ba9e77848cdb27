//! `alerts`: where records go.
//!
//! Must never name a place for them that nobody asked for.

use std::path::{Path, PathBuf};

use super::yaml::Section;

/// Where alerts go. The seal log is always written.
#[derive(Debug)]
pub struct AlertsConfig {
    /// Topic of sealed records, keyed by fingerprint.
    pub topic: Option<String>,
    /// Topic of provisional records.
    pub provisional_topic: Option<String>,
    /// Topic of incident records, keyed by incident.
    pub incidents_topic: Option<String>,
    /// A file of sealed records.
    pub file: Option<PathBuf>,
    /// Standard output.
    pub stdout: bool,
    /// A file of dead letters.
    pub dead_letters: Option<PathBuf>,
}

pub(super) fn alerts(root: &Section<'_>, folder: &Path) -> AlertsConfig {
    let at = root.section("alerts");
    let config = AlertsConfig {
        topic: at.text("topic"),
        provisional_topic: at.text("provisional_topic"),
        incidents_topic: at.text("incidents_topic"),
        file: at.text("file").map(|file| folder.join(file)),
        stdout: at.parsed("stdout", |text| text.parse().ok(), "true or false").unwrap_or(false),
        dead_letters: at.text("dead_letters").map(|file| folder.join(file)),
    };
    at.finish();
    config
}
