//! The files that a replay writes.
//!
//! Must never empty a file before it is known that everything else can be written.

use std::fs::File;
use std::path::Path;

use anyhow::Context;
use sinks::{JsonLines, Outlet};

/// Records as lines of a file; `-` is standard output.
///
/// # Errors
/// When the file cannot be written.
pub(crate) fn lines_to(path: &Path) -> anyhow::Result<Box<dyn Outlet>> {
    if path == Path::new("-") {
        return Ok(Box::new(JsonLines::new("standard output", std::io::stdout())));
    }
    Ok(Box::new(JsonLines::new(path.display().to_string(), create(path)?)))
}

pub(super) fn create(path: &Path) -> anyhow::Result<File> {
    File::create(path).with_context(|| cannot_write(path))
}

/// Looks whether a file could be written, and changes nothing.
pub(super) fn writable(path: &Path) -> anyhow::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let looked =
        if path.exists() { File::options().append(true).open(path).map(drop) } else { folder.metadata().map(drop) };
    looked.with_context(|| cannot_write(path))
}

fn cannot_write(path: &Path) -> String {
    format!("{}: cannot be written (hint: name a file in a folder that is there and yours)", path.display())
}
