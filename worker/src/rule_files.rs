//! Rule files and folders read into memory: one moment's texts, from which a set is compiled and of which a copy is kept.
//!
//! Must never leave a file out without a message: what cannot be read is refused by name.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use rules::parse::Diagnostic;
use serde::{Deserialize, Serialize};

/// Folders inside folders.
const FOLDERS_MAX: usize = 32;

/// One rule file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleText {
    /// Where it was read, as the user named it.
    pub file: PathBuf,
    /// A proof stands beside it.
    pub proven: bool,
    /// What it says: one document or several.
    pub text: String,
}

/// What stood under some paths.
#[derive(Debug, Default)]
pub struct Found {
    /// The rule files, each once.
    pub texts: Vec<RuleText>,
    /// What could not be read.
    pub refused: Vec<Diagnostic>,
    /// What was left out on purpose.
    pub warnings: Vec<Diagnostic>,
    seen: BTreeSet<PathBuf>,
}

/// Reads files and folders (recursively, `*.yml` and `*.yaml`, sorted by path). Names in folders that start with a dot are
/// left out, and links to folders are not followed: a Kubernetes volume has each file three times otherwise.
pub fn read(paths: &[PathBuf]) -> Found {
    let mut found = Found::default();
    for path in paths {
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => {
                let mut files = Vec::new();
                found.folder(path, FOLDERS_MAX, &mut files);
                files.sort();
                if files.is_empty() {
                    found.warnings.push(about(path, "holds no *.yml or *.yaml file", None));
                }
                files.into_iter().for_each(|file| found.file(file));
            }
            Ok(_) => found.file(path.clone()),
            Err(error) => found.refuse(path, &error.to_string(), "name a rule file or a folder of them"),
        }
    }
    found
}

impl Found {
    fn refuse(&mut self, path: &Path, why: &str, hint: &str) {
        self.refused.push(about(path, why, Some(hint)));
    }

    fn file(&mut self, file: PathBuf) {
        if !self.seen.insert(file.clone()) {
            return;
        }
        match fs::read(&file).map(String::from_utf8) {
            Ok(Ok(text)) => self.texts.push(RuleText { proven: has_proof(&file), file, text }),
            Ok(Err(_)) => self.refuse(&file, "is not UTF-8", "rule files are UTF-8 text"),
            Err(error) => self.refuse(&file, &error.to_string(), "make the file readable, or name another"),
        }
    }

    fn folder(&mut self, folder: &Path, depth: usize, files: &mut Vec<PathBuf>) {
        let entries = match fs::read_dir(folder) {
            Ok(entries) if depth > 0 => entries,
            Ok(_) => {
                return self.refuse(folder, &format!("lies deeper than {FOLDERS_MAX} folders"), "name it itself");
            }
            Err(error) => return self.refuse(folder, &error.to_string(), "make the folder readable"),
        };
        for entry in entries {
            let path = match entry {
                Ok(entry) => entry.path(),
                Err(error) => {
                    self.refuse(folder, &error.to_string(), "make the folder readable");
                    continue;
                }
            };
            if path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b".")) {
                continue;
            }
            let is_rule_file = path.extension().is_some_and(|extension| extension == "yml" || extension == "yaml");
            if !path.is_dir() {
                files.extend(is_rule_file.then_some(path));
            } else if path.is_symlink() {
                self.warnings.push(about(&path, "links to a folder, which is not followed", None));
            } else {
                self.folder(&path, depth - 1, files);
            }
        }
    }
}

fn about(path: &Path, message: &str, hint: Option<&str>) -> Diagnostic {
    let (file, hint) = (path.to_owned(), hint.map(str::to_owned));
    Diagnostic { file, line: 0, rule: None, message: message.to_owned(), hint }
}

fn has_proof(file: &Path) -> bool {
    let beside = |name: &str| file.with_file_name(name).is_file();
    beside("fires.jsonl") && beside("silent.jsonl")
}
