//! Which objectives run: those that come along, files, both.
//!
//! Must never run some of what is asked: one that is broken is an error, with its file, path and hint.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};
use slis::live::ObjectiveSet;

/// The objectives that come along, among the files.
const PACK: &str = "pack";

/// The objectives that come along.
///
/// # Errors
/// When one of them is broken: a test holds that none is.
pub(crate) fn pack() -> anyhow::Result<Option<Arc<ObjectiveSet>>> {
    read(&[PACK.to_owned()], Path::new("."))
}

/// Reads objectives: `pack`, and files relative to a folder.
///
/// # Errors
/// Every problem at once.
pub(crate) fn read(names: &[String], folder: &Path) -> anyhow::Result<Option<Arc<ObjectiveSet>>> {
    let mut texts: Vec<(String, String)> = Vec::new();
    for name in names {
        if name == PACK {
            texts.extend(ObjectiveSet::shipped().map(|(file, text)| (file.to_owned(), text.to_owned())));
        } else {
            let file = folder.join(name);
            let text = std::fs::read_to_string(&file).with_context(|| format!("objectives: {}", file.display()))?;
            texts.push((file.display().to_string(), text));
        }
    }
    match ObjectiveSet::read(texts.iter().map(|(file, text)| (file.as_str(), text.as_str()))) {
        Ok(set) => Ok(Some(Arc::new(set)).filter(|set| !set.is_empty())),
        Err(problems) => bail!("objectives: {}", problems.join("\n  ")),
    }
}
