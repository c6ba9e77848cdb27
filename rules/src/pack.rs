//! The rule pack that the binary carries, and the same structure read from a folder of one's own.
//!
//! `<folder>/<rule>/{rule.yml, fires.jsonl, silent.jsonl, runbook.md, lists.json}`; a folder may also hold plain rule files
//! without proofs. Must never change a text: lines and diagnostics point into the files as they are.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use include_dir::{Dir, include_dir};
use serde::Deserialize;

use crate::fold::fold;
use crate::lists::{Entries, List, Lists};
use crate::proof::Line;

static LIBRARY: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/library");

const HINT: &str = r#"write {"name": ["entry"]}, or {"name": {"map": {"key": ["entry"]}}}"#;

/// The folder of rules that others refer to, without proofs of their own.
pub const BUILDING_BLOCKS: &str = "building-blocks";

/// Folders inside folders.
const FOLDERS_MAX: usize = 32;

/// One rule file with what stands beside it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PackRule {
    /// Name of the rule's folder; of a plain rule file its name without the ending.
    pub folder: String,
    /// The rule file: inside the pack (`pack/<folder>/rule.yml`), or where the user has it.
    pub file: PathBuf,
    /// Text of the rule file: one document or several.
    pub rule_text: String,
    /// Records, or timelines of them, on which a rule of the file fires; blank lines left out.
    pub fires: Vec<Line>,
    /// Records on which none does.
    pub silent: Vec<Line>,
    /// Text of `runbook.md`.
    pub runbook: Option<String>,
    /// Text of `lists.json`: the live lists of the proof.
    pub lists: Option<String>,
}

/// Why a folder of rules or a proof's lists cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// A file or folder cannot be read.
    #[error("{file}: {error} (hint: name a rule file or a folder of them)", file = file.display())]
    Unreadable {
        /// Which.
        file: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// Folders lie too deep.
    #[error("{}: lies deeper than {FOLDERS_MAX} folders (hint: name it itself)", .0.display())]
    TooDeep(PathBuf),
    /// `lists.json` is no object of lists.
    #[error("{file}: {error} (hint: {HINT})", file = file.display())]
    Lists {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        error: serde_json::Error,
    },
}

/// The rules that the binary carries, by folder.
pub fn pack() -> Vec<PackRule> {
    let text = |folder: &Dir<'static>, name: &str| {
        let file = folder.get_file(folder.path().join(name));
        file.and_then(|file| file.contents_utf8()).map(str::to_owned)
    };
    let mut rules = Vec::new();
    for folder in LIBRARY.dirs() {
        let name = folder.path().to_string_lossy().into_owned();
        for file in folder.files().filter(|file| file.path().extension().is_some_and(|ending| ending == "yml")) {
            let Some(rule_text) = file.contents_utf8().map(str::to_owned) else { continue };
            let file = Path::new("pack").join(file.path());
            rules.push(match file.file_name().is_some_and(|name| name == "rule.yml") {
                // What others refer to is proven by them.
                false => PackRule { folder: stem(&file), file, rule_text, ..PackRule::default() },
                true => PackRule {
                    folder: name.clone(),
                    file,
                    rule_text,
                    fires: lines(text(folder, "fires.jsonl")),
                    silent: lines(text(folder, "silent.jsonl")),
                    runbook: text(folder, "runbook.md"),
                    lists: text(folder, "lists.json"),
                },
            });
        }
    }
    rules.sort_by(|a, b| a.file.cmp(&b.file));
    rules
}

/// The rules of a file or folder (with all folders in it), by path. Names that start with a dot are left
/// out, as are links to folders.
///
/// # Errors
/// When a file or folder cannot be read.
pub fn read(path: &Path) -> Result<Vec<PackRule>, PackError> {
    let mut files = Vec::new();
    if fs::metadata(path).map_err(unreadable(path))?.is_dir() {
        collect(path, FOLDERS_MAX, &mut files)?;
        files.sort();
    } else {
        files.push(path.to_owned());
    }
    files.into_iter().map(|file| read_rule(&file)).collect()
}

fn collect(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), PackError> {
    if depth == 0 {
        return Err(PackError::TooDeep(folder.to_owned()));
    }
    for entry in fs::read_dir(folder).map_err(unreadable(folder))? {
        let path = entry.map_err(unreadable(folder))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with('.') {
            continue;
        }
        if path.is_dir() {
            if !path.is_symlink() {
                collect(&path, depth - 1, files)?;
            }
        } else if is_rule_file(&path) {
            files.push(path);
        }
    }
    Ok(())
}

fn is_rule_file(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "yml" || ending == "yaml")
}

fn read_rule(file: &Path) -> Result<PackRule, PackError> {
    let rule_text = fs::read_to_string(file).map_err(unreadable(file))?;
    let plain = |folder: String| PackRule {
        folder,
        file: file.to_owned(),
        rule_text: rule_text.clone(),
        ..PackRule::default()
    };
    let folder = file.parent().unwrap_or(Path::new(""));
    if file.file_name().is_none_or(|name| name != "rule.yml") {
        return Ok(plain(stem(file)));
    }
    let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Ok(PackRule {
        fires: lines(beside(folder, "fires.jsonl")?),
        silent: lines(beside(folder, "silent.jsonl")?),
        runbook: beside(folder, "runbook.md")?,
        lists: beside(folder, "lists.json")?,
        ..plain(name)
    })
}

fn stem(file: &Path) -> String {
    file.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// The text of a file that may be missing.
fn beside(folder: &Path, name: &str) -> Result<Option<String>, PackError> {
    let file = folder.join(name);
    match fs::read_to_string(&file) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unreadable(&file)(error)),
    }
}

fn unreadable(file: &Path) -> impl Fn(io::Error) -> PackError + use<> {
    let file = file.to_owned();
    move |error| PackError::Unreadable { file: file.clone(), error }
}

fn lines(text: Option<String>) -> Vec<Line> {
    let text = text.unwrap_or_default();
    let numbered = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    numbered.map(|(at, line)| Line { number: at + 1, text: line.to_owned() }).collect()
}

impl PackRule {
    /// The file has a proof beside it.
    pub fn has_proof(&self) -> bool {
        !self.fires.is_empty() && !self.silent.is_empty()
    }

    /// The live lists of the proof.
    ///
    /// # Errors
    /// When `lists.json` is not an object of names to entries, or to `{"map": …}` of keys to entries.
    pub fn lists(&self) -> Result<Lists, PackError> {
        let mut lists = Lists::default();
        self.lists_into(&mut lists)?;
        Ok(lists)
    }

    /// Adds the live lists of the proof to others; of two with one name its own counts.
    ///
    /// # Errors
    /// As of [`PackRule::lists`].
    pub fn lists_into(&self, lists: &mut Lists) -> Result<(), PackError> {
        let Some(text) = &self.lists else { return Ok(()) };
        let named: BTreeMap<String, ListText> = serde_json::from_str(text)
            .map_err(|error| PackError::Lists { file: self.file.with_file_name("lists.json"), error })?;
        for (name, list) in named {
            lists.set(&name, list.ready());
        }
        Ok(())
    }
}

/// A list of a proof as written.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum ListText {
    Entries(Vec<String>),
    Keyed(Keyed),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Keyed {
    map: BTreeMap<String, Vec<String>>,
}

impl ListText {
    fn ready(self) -> List {
        let version = model::Sha256::of(b"");
        match self {
            ListText::Entries(texts) => List { version, as_of: None, all: Entries::new(texts), keyed: BTreeMap::new() },
            ListText::Keyed(Keyed { map }) => List {
                version,
                as_of: None,
                all: Entries::new(map.values().flatten().cloned().collect()),
                keyed: map.into_iter().map(|(key, texts)| (fold(&key), Entries::new(texts))).collect(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ast::ListHow;

    #[test]
    fn a_proof_has_lists_and_maps() {
        let rule = |lists: &str| PackRule { lists: Some(lists.to_owned()), ..PackRule::default() };
        let lists = rule(r#"{"known": ["bot-*"], "roles": {"map": {"Deploy": ["repo:a/*"]}}}"#).lists().expect("lists");
        assert!(lists.get("known").expect("known").all.has("bot-1", ListHow::Equals, false));
        assert_eq!(lists.get("roles").expect("roles").keyed["deploy"].texts, ["repo:a/*"]);
        for wrong in
            [r#"{"known": "a"}"#, r#"["a"]"#, r#"{"known": {"entries": ["a"]}}"#, r#"{"known": {"map": ["a"]}}"#]
        {
            assert!(rule(wrong).lists().is_err(), "{wrong}");
        }
    }

    #[test]
    fn blank_lines_keep_their_number() {
        let read = lines(Some("{}\n\n{\"a\":1}\n".to_owned()));
        assert_eq!(read.iter().map(|line| line.number).collect::<Vec<_>>(), [1, 3]);
    }

    #[test]
    fn the_pack_is_carried_and_reads_the_same_from_its_folder() {
        let carried = pack();
        assert!(carried.len() >= 140, "{} files", carried.len());
        let read = read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("library")).expect("the library");
        let same = |rules: Vec<PackRule>| {
            rules.into_iter().map(|rule| PackRule { file: PathBuf::new(), ..rule }).collect::<Vec<_>>()
        };
        assert_eq!(same(carried), same(read));
    }
}
