//! Holds an archive against its manifest: what was changed, what is gone without a word, what somebody put in.
//!
//! Reads everything and changes nothing. Must never stop at the first: the first by name is the first that is told, and all
//! others follow.

use std::path::Path;

use super::manifest::{FILE, Manifest, digest};
use super::{ArchiveError, COMING, PublicKey, at};

/// What is wrong with one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// Its bytes are not those that the manifest names.
    Changed(String),
    /// It is gone, and no line of the manifest says that it expired or was compacted.
    Missing(String),
    /// It is there, and no line of the manifest says so.
    Added(String),
    /// The manifest does not end where somebody else saw it end.
    CutOff {
        /// The hash that was kept elsewhere.
        kept: String,
        /// The hash at which the manifest ends.
        found: String,
    },
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Finding::Changed(path) => write!(f, "{path}: was changed"),
            Finding::Missing(path) => write!(f, "{path}: was removed, and nothing says that it expired"),
            Finding::Added(path) => write!(f, "{path}: was added, and the manifest does not name it"),
            Finding::CutOff { kept, found } => write!(f, "{FILE}: ends at {found} and not at {kept}"),
        }
    }
}

impl Finding {
    fn path(&self) -> &str {
        match self {
            Finding::Changed(path) | Finding::Missing(path) | Finding::Added(path) => path,
            Finding::CutOff { .. } => "",
        }
    }
}

/// Every finding, in order of paths; with them the manifest that was held against. `head`: a hash that was kept elsewhere,
/// which has to be one of the manifest's.
///
/// # Errors
/// When the manifest's own chain is broken, or something cannot be read.
pub fn verify(
    folder: &Path,
    key: Option<&PublicKey>,
    head: Option<&str>,
) -> Result<(Manifest, Vec<Finding>), ArchiveError> {
    let manifest = Manifest::read(folder, key)?;
    let mut findings = Vec::new();
    for entry in manifest.files() {
        let place = folder.join(&entry.path);
        // A crash may have left it on its way.
        let coming = folder.join(COMING).join(entry.path.replace('/', "+"));
        let place = if place.exists() || !coming.exists() { place } else { coming };
        match digest(&place) {
            Ok((sha256, bytes)) if (&sha256, bytes) == (&entry.sha256, entry.bytes) => {}
            Ok(_) => findings.push(Finding::Changed(entry.path.clone())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                findings.push(Finding::Missing(entry.path.clone()));
            }
            Err(error) => return Err(at(&place)(error)),
        }
    }
    let mut there = Vec::new();
    list(folder, "", &mut there)?;
    let is_known = |path: &String| manifest.file(path).is_some() || manifest.removed(path).is_some();
    findings.extend(there.into_iter().filter(|path| !is_known(path)).map(Finding::Added));
    findings.sort_by(|a, b| a.path().cmp(b.path()));
    if let Some(kept) = head.filter(|kept| !manifest.had_head(kept)) {
        let found = manifest.head().to_owned();
        findings.insert(0, Finding::CutOff { kept: kept.to_owned(), found });
    }
    Ok((manifest, findings))
}

/// Every file below a folder but the manifest and what is on its way.
fn list(folder: &Path, within: &str, found: &mut Vec<String>) -> Result<(), ArchiveError> {
    for entry in std::fs::read_dir(folder).map_err(at(folder))? {
        let path = entry.map_err(at(folder))?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let inner = if within.is_empty() { name.clone() } else { format!("{within}/{name}") };
        if within.is_empty() && (name == FILE || name == COMING) {
            continue;
        }
        if path.is_dir() { list(&path, &inner, found)? } else { found.push(inner) }
    }
    Ok(())
}
