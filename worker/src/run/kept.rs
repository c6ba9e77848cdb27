//! Copies of the rule sets that ran, beside the control log: so that a replay judges each record as it was judged then.
//!
//! `rulesets/<SHA-256>.json` holds the texts of one set, `rulesets/<SHA-256>.<ending>` one version of a list; the name is
//! the hash of the content, and must never be taken on trust.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use model::Sha256;
use rules::Lists;
use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::enrichment::TableTexts;
use crate::rule_files::RuleText;
use crate::ruleset::RuleSet;

/// Rules and lists as text: everything of a set that is not in the binary or in the events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetTexts {
    /// Values of placeholders.
    pub placeholders: BTreeMap<String, Vec<String>>,
    /// The rule files, those of the pack included.
    pub rules: Vec<RuleText>,
    /// The lists by name.
    lists: BTreeMap<String, ListText>,
    /// The inventory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    inventory: Option<ListText>,
    /// The network tables.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    network: Vec<ListText>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct ListText {
    sha256: Sha256,
    /// Ending of the file's name: it says how the file is read.
    ending: String,
    #[serde(skip)]
    text: String,
}

impl SetTexts {
    /// The texts of a set.
    pub fn new(
        config: &Config,
        rules: &RuleSet,
        lists: Vec<(String, PathBuf, String)>,
        tables: TableTexts,
    ) -> SetTexts {
        let list = |(name, file, text): (String, PathBuf, String)| {
            let structured = file.extension().and_then(|ending| ending.to_str());
            let ending = structured.filter(|ending| ["yml", "yaml", "json"].contains(ending)).unwrap_or("txt");
            (name, ListText::new(ending, text))
        };
        SetTexts {
            placeholders: config.rules.placeholders.clone(),
            rules: rules.texts.clone(),
            lists: lists.into_iter().map(list).collect(),
            inventory: tables.inventory.map(|(_, text)| ListText::new("yaml", text)),
            network: tables.network.into_iter().map(|(_, text)| ListText::new("csv", text)).collect(),
        }
    }

    /// The same with other texts of some lists, which are structured.
    pub fn with_lists(&self, texts: &BTreeMap<String, String>) -> SetTexts {
        let mut set = self.clone();
        set.lists.extend(texts.iter().map(|(name, text)| (name.clone(), ListText::new("json", text.clone()))));
        set
    }

    fn canonical(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// The set's version: SHA-256 of its copy.
    pub fn version(&self) -> Sha256 {
        Sha256::of(self.canonical().as_bytes())
    }

    /// Keeps a copy; it is on disk when this returns.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep(&self, state: &Path) -> anyhow::Result<()> {
        let folder = folder(state);
        fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
        for list in self.lists.values().chain(&self.inventory).chain(&self.network) {
            write(&list.path(&folder), &list.text)?;
        }
        let text = self.canonical();
        write(&set_path(&folder, Sha256::of(text.as_bytes())), &text)
    }

    /// Reads the copy of a version.
    ///
    /// # Errors
    /// When it is not there, or not what its name says.
    pub fn find(state: &Path, version: Sha256) -> anyhow::Result<SetTexts> {
        let path = set_path(&folder(state), version);
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        if Sha256::of(text.as_bytes()) != version {
            bail!("{}: is not what its name says (hint: bring back the copy that the worker made)", path.display());
        }
        serde_json::from_str(&text).with_context(|| path.display().to_string())
    }

    /// The lists of a copy.
    ///
    /// # Errors
    /// When one is not there, or not what its name says.
    pub fn lists(&self, state: &Path) -> anyhow::Result<Lists> {
        let mut lists = Lists::default();
        for (name, list) in &self.lists {
            let path = list.path(&folder(state));
            lists.load(name, &path)?;
            if lists.get(name).is_none_or(|read| read.version != list.sha256) {
                bail!("{}: is not what its name says (hint: bring back the copy that the worker made)", path.display());
            }
        }
        Ok(lists)
    }

    /// The tables' texts of a copy.
    ///
    /// # Errors
    /// When one is not there, or not what its name says.
    pub fn tables(&self, state: &Path) -> anyhow::Result<TableTexts> {
        let read = |kept: &ListText| -> anyhow::Result<(PathBuf, String)> {
            let path = kept.path(&folder(state));
            let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
            if Sha256::of(text.as_bytes()) != kept.sha256 {
                bail!("{}: is not what its name says (hint: bring back the copy that the worker made)", path.display());
            }
            Ok((path, text))
        };
        Ok(TableTexts {
            inventory: self.inventory.as_ref().map(read).transpose()?,
            network: self.network.iter().map(read).collect::<Result<_, _>>()?,
        })
    }
}

impl ListText {
    fn new(ending: &str, text: String) -> ListText {
        ListText { sha256: Sha256::of(text.as_bytes()), ending: ending.to_owned(), text }
    }

    fn path(&self, folder: &Path) -> PathBuf {
        folder.join(format!("{}.{}", self.sha256.hex(), self.ending))
    }
}

fn folder(state: &Path) -> PathBuf {
    state.join("rulesets")
}

fn set_path(folder: &Path, version: Sha256) -> PathBuf {
    folder.join(format!("{}.json", version.hex()))
}

/// Whole or not at all: what is there under its name is complete.
fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    if path.exists() {
        return Ok(());
    }
    let half = path.with_extension("half");
    let written = File::create(&half).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&half, path)?;
        File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
    });
    written.with_context(|| path.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_what_its_name_says_or_is_refused() {
        let state = std::env::temp_dir().join(format!("pipewarden-kept-{}", std::process::id()));
        let rule = RuleText { file: "a.yml".into(), proven: false, text: "title: A".to_owned() };
        let list = ListText { sha256: Sha256::of(b"- a"), ending: "yaml".to_owned(), text: "- a".to_owned() };
        let set = SetTexts {
            placeholders: BTreeMap::new(),
            rules: vec![rule],
            lists: [("known".to_owned(), list)].into_iter().collect(),
            inventory: Some(ListText::new("yaml", "services: {}".to_owned())),
            network: vec![ListText::new("csv", "192.0.2.0/24,,,DE,".to_owned())],
        };
        let version = set.version();
        set.keep(&state).and_then(|()| set.keep(&state)).expect("kept");
        let found = SetTexts::find(&state, version).expect("found");
        assert_eq!((&found.rules, found.version()), (&set.rules, version));
        assert_eq!(found.lists(&state).expect("lists").get("known").expect("known").all.texts, ["a"]);
        let tables = found.tables(&state).expect("tables");
        assert_eq!(tables.inventory.expect("kept").1, "services: {}");
        assert_eq!(tables.network[0].1, "192.0.2.0/24,,,DE,");
        let folder = folder(&state);
        fs::write(&tables.network[0].0, "192.0.2.0/24,,,FR,").expect("written");
        assert!(found.tables(&state).is_err());
        fs::write(folder.join(format!("{}.yaml", Sha256::of(b"- a").hex())), "- b").expect("written");
        assert!(found.lists(&state).is_err());
        fs::write(set_path(&folder, version), "{}").expect("written");
        assert!(SetTexts::find(&state, version).is_err());
        fs::remove_dir_all(state).expect("removed");
    }
}
