//! Sigma documents to [`Rule`]s and [`Correlation`]s: the one door between rule texts and everything behind them.
//!
//! Rules, correlations and filters are read with their lines, checked, and resolved: modifiers, wildcards, placeholders, conditions
//! and filters leave nothing to interpret. Must never look at an event, nor drop a document without a message.
//!
//! Why not `rsigma-parser` (0.23, tried): a misspelt modifier or a missing key comes back as bare text without file,
//! line or hint; a condition that names no search, `re|cidr`, a bad regular expression and an unresolved `%x%` all load;
//! and its searches sit in a `HashMap`, so that their order changes from run to run.

mod alert;
mod condition;
mod context;
mod correlation;
mod detection;
mod detector;
mod encode;
mod extension;
mod filter;
mod header;
pub(crate) mod hint;
mod learned;
mod lineage;
mod load;
mod memory;
mod modifier;
mod names;
pub(crate) mod pattern;
mod placeholder;
mod problem;
mod resolve;
mod rule;
mod span;
mod suppressing;
mod value;
mod yaml;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::ast::{Correlation, Rule};
use load::Load;

pub use problem::Diagnostic;

/// Folders inside folders.
const FOLDERS_MAX: usize = 32;

/// What a load may assume.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Values of `%name%` placeholders, by name.
    pub placeholders: BTreeMap<String, Vec<String>>,
    /// Rules whose status is deprecated or unsupported load too.
    pub include_deprecated: bool,
    /// For rules about our own events (`product: pipewarden`): None when the model has the field, else a hint.
    pub model_fields: Option<fn(&str) -> Option<String>>,
}

/// What a load found. `documents` = rules + correlations + `filters` + refused + skipped; a path that cannot be read counts as one.
#[derive(Debug, Default)]
pub struct Loaded {
    /// The rules, filters applied, in the order of files and documents.
    pub rules: Vec<Rule>,
    /// The correlations, in the same order.
    pub correlations: Vec<Correlation>,
    /// Rules, by index, that tell no alerts of their own: another document refers to them, they have no `x-alert`, and no
    /// correlation that lists them says `generate`.
    pub silent_rules: BTreeSet<usize>,
    /// The same of correlations.
    pub silent_correlations: BTreeSet<usize>,
    /// Documents that are wrong; one message each.
    pub refused: Vec<Diagnostic>,
    /// Documents that are left out on purpose; one message each.
    pub skipped: Vec<Diagnostic>,
    /// Lints; they stop nothing.
    pub warnings: Vec<Diagnostic>,
    /// Filters that loaded.
    pub filters: usize,
    /// Documents seen.
    pub documents: usize,
}

/// Loads files and folders (recursively, `*.yml` and `*.yaml`, sorted by path) as one set.
///
/// Names in folders that start with a dot are left out, and links to folders are not followed (a Kubernetes volume has
/// each file three times otherwise). A file that is named twice is read once.
pub fn load_paths(paths: &[PathBuf], settings: &Settings) -> Loaded {
    load(&[], paths, settings)
}

/// Loads texts as one set; the paths are for messages.
pub fn load_texts(texts: &[(PathBuf, &str)], settings: &Settings) -> Loaded {
    load(texts, &[], settings)
}

/// Loads texts, then files and folders, as one set: the files' filters can name the texts' rules.
pub fn load(texts: &[(PathBuf, &str)], paths: &[PathBuf], settings: &Settings) -> Loaded {
    let mut load = Load::new(settings);
    for (path, text) in texts {
        load.text(path, text);
    }
    let mut seen = BTreeSet::new();
    for path in paths {
        let mut files = Vec::new();
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => {
                collect(path, FOLDERS_MAX, &mut files, &mut load);
                files.sort();
                if files.is_empty() {
                    load.warn_path(path.clone(), "holds no *.yml or *.yaml file");
                }
            }
            Ok(_) => files.push(path.clone()),
            Err(error) => load.refuse_path(path.clone(), error.to_string(), "name a rule file or a folder of them"),
        }
        for file in files {
            if seen.insert(file.clone()) {
                read_file(file, &mut load);
            }
        }
    }
    load.finish()
}

fn read_file(file: PathBuf, load: &mut Load<'_>) {
    match fs::read(&file).map(String::from_utf8) {
        Ok(Ok(text)) => load.text(&file, &text),
        Ok(Err(_)) => load.refuse_path(file, "is not UTF-8".to_owned(), "rule files are UTF-8 text"),
        Err(error) => load.refuse_path(file, error.to_string(), "make the file readable, or name another"),
    }
}

fn collect(folder: &Path, depth: usize, files: &mut Vec<PathBuf>, load: &mut Load<'_>) {
    let entries = match fs::read_dir(folder) {
        Ok(entries) if depth > 0 => entries,
        Ok(_) => {
            return load.refuse_path(
                folder.to_owned(),
                format!("lies deeper than {FOLDERS_MAX} folders"),
                "name it itself",
            );
        }
        Err(error) => return load.refuse_path(folder.to_owned(), error.to_string(), "make the folder readable"),
    };
    for entry in entries {
        let path = match entry {
            Ok(entry) => entry.path(),
            Err(error) => {
                load.refuse_path(folder.to_owned(), error.to_string(), "make the folder readable");
                continue;
            }
        };
        if path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b".")) {
            continue;
        }
        let is_rule_file = path.extension().is_some_and(|extension| extension == "yml" || extension == "yaml");
        if path.is_dir() {
            if path.is_symlink() {
                load.warn_path(path, "links to a folder, which is not followed");
            } else {
                collect(&path, depth - 1, files, load);
            }
        } else if is_rule_file {
            files.push(path);
        }
    }
}
