//! Live lists (extension E3): named sets and keyed maps that rules ask at evaluation time.
//!
//! A set of lists is immutable; a new version replaces the whole. Must never answer "yes" because a list is missing:
//! what then happens is the rule's `on_missing`.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ipnet::IpNet;
use model::{Sha256, Timestamp};
use rustc_hash::FxHashSet;

use crate::ast::{ListHow, ListUse, OnMissing};
use crate::compile::Glob;
use crate::fold::fold;
use crate::parse::pattern;

/// All lists by name.
#[derive(Debug, Clone, Default)]
pub struct Lists {
    by_name: BTreeMap<String, Arc<List>>,
}

/// One version of a list.
#[derive(Debug, Clone)]
pub struct List {
    /// SHA-256 of the file it was read from.
    pub version: Sha256,
    /// From when it holds (`as_of`); None: from ever, and never stale.
    pub as_of: Option<Timestamp>,
    /// Every entry; of a keyed map, those of all keys.
    pub all: Entries,
    /// Entries by folded key.
    pub keyed: BTreeMap<String, Entries>,
}

/// Entries of a list, ready to be asked.
#[derive(Debug, Clone, Default)]
pub struct Entries {
    /// The entries as written, in order.
    pub texts: Vec<String>,
    exact: FxHashSet<String>,
    globs: Vec<Glob>,
    networks: Vec<IpNet>,
}

/// Why a list could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    /// The file could not be read.
    #[error("list {name}: {file}: {error}", file = file.display())]
    Unreadable {
        /// List name.
        name: String,
        /// Its file.
        file: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// The file is no list.
    #[error("list {name}: {file}: {reason} (hint: one entry a line, or YAML with `entries:` or `map:`)", file = file.display())]
    Malformed {
        /// List name.
        name: String,
        /// Its file.
        file: PathBuf,
        /// What is wrong.
        reason: String,
    },
}

impl Lists {
    /// Reads a list from a file and adds it.
    ///
    /// Text files hold one entry a line, `#` starts a comment. YAML and JSON files hold an array of entries, or an object
    /// with `entries: […]` or `map: {key: […]}` and, where the list goes stale, `as_of:` (RFC 3339).
    ///
    /// # Errors
    /// When the file cannot be read or is no list.
    pub fn load(&mut self, name: &str, file: &Path) -> Result<(), ListError> {
        let text = std::fs::read_to_string(file).map_err(|error| ListError::Unreadable {
            name: name.to_owned(),
            file: file.to_owned(),
            error,
        })?;
        let structured = matches!(file.extension().and_then(|e| e.to_str()), Some("yml" | "yaml" | "json"));
        let list = if structured { parse_structured(&text) } else { Ok(parse_lines(&text)) };
        let list =
            list.map_err(|reason| ListError::Malformed { name: name.to_owned(), file: file.to_owned(), reason })?;
        self.by_name.insert(name.to_owned(), Arc::new(list));
        Ok(())
    }

    /// Adds a list whose text is structured, as a file of YAML or JSON is.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn read(&mut self, name: &str, text: &str) -> Result<(), String> {
        self.by_name.insert(name.to_owned(), Arc::new(parse_structured(text)?));
        Ok(())
    }

    /// Adds a list of entries.
    pub fn insert(&mut self, name: &str, entries: &[&str]) {
        self.by_name.insert(name.to_owned(), Arc::new(parse_lines(&entries.join("\n"))));
    }

    /// Adds a list that is ready.
    pub fn set(&mut self, name: &str, list: List) {
        self.by_name.insert(name.to_owned(), Arc::new(list));
    }

    /// The list of that name.
    pub fn get(&self, name: &str) -> Option<&List> {
        self.by_name.get(name).map(Arc::as_ref)
    }

    /// Names and versions, in order.
    pub fn versions(&self) -> impl Iterator<Item = (&str, Sha256)> {
        self.by_name.iter().map(|(name, list)| (name.as_str(), list.version))
    }

    /// Whether a rule that uses these lists may run at a time, and whether it may page.
    pub fn standing(&self, uses: &[ListUse], at: Option<Timestamp>) -> Standing {
        let mut standing = Standing::Full;
        for wanted in uses {
            let usable =
                self.get(&wanted.name).is_some_and(|list| !list.is_empty() && !list.is_stale(wanted.ttl_ms, at));
            if !usable {
                match wanted.on_missing {
                    OnMissing::FailClosed => return Standing::Silent,
                    OnMissing::FailOpenTicket => standing = Standing::TicketOnly,
                }
            }
        }
        standing
    }
}

/// What the lists a rule reads let it do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// All are there and fresh.
    Full,
    /// One is missing, empty or stale: a ticket at most.
    TicketOnly,
    /// One is missing, empty or stale: nothing.
    Silent,
}

impl List {
    /// A keyed list that does not come from a file of its own.
    pub fn of_map(version: Sha256, as_of: Option<Timestamp>, map: BTreeMap<String, Vec<String>>) -> List {
        let all = Entries::new(map.values().flatten().cloned().collect());
        let keyed = map.into_iter().map(|(key, texts)| (fold(&key), Entries::new(texts))).collect();
        List { version, as_of, all, keyed }
    }

    fn is_empty(&self) -> bool {
        self.all.texts.is_empty()
    }

    fn is_stale(&self, ttl_ms: Option<i64>, at: Option<Timestamp>) -> bool {
        match (self.as_of, ttl_ms, at) {
            (Some(as_of), Some(ttl_ms), Some(at)) => at > as_of.plus_ms(ttl_ms),
            _ => false,
        }
    }
}

impl Entries {
    /// Makes entries ready.
    pub fn new(texts: Vec<String>) -> Entries {
        let mut entries = Entries { texts, ..Entries::default() };
        for text in &entries.texts {
            if text.contains(['*', '?']) {
                entries.globs.push(Glob::new(&pattern::parse(text, false)));
            } else {
                entries.exact.insert(fold(text));
            }
            let address = text.parse::<IpAddr>().map(IpNet::from);
            if let Ok(network) = text.parse::<IpNet>().or(address) {
                entries.networks.push(network);
            }
        }
        entries
    }

    /// An entry and the value agree. For `Equals`, entries with `*` or `?` are patterns, and networks hold their addresses.
    pub fn has(&self, value: &str, how: ListHow, cased: bool) -> bool {
        let folded = fold(value);
        match how {
            ListHow::Equals if cased => self.texts.iter().any(|text| text == value),
            ListHow::Equals => {
                let listed = self.exact.contains(&folded) || self.globs.iter().any(|glob| glob.matches(&folded));
                listed || (!self.networks.is_empty() && self.has_address(value))
            }
            ListHow::Cidr => self.has_address(value),
            _ if cased => self.texts.iter().any(|text| compare(how, value, text)),
            _ => self.texts.iter().any(|text| compare(how, &folded, &fold(text))),
        }
    }

    /// The value is an IP address inside one of the networks.
    pub fn has_address(&self, value: &str) -> bool {
        value.trim().parse::<IpAddr>().is_ok_and(|ip| self.networks.iter().any(|network| network.contains(&ip)))
    }
}

fn compare(how: ListHow, value: &str, entry: &str) -> bool {
    match how {
        ListHow::Contains => value.contains(entry),
        ListHow::StartsWith => value.starts_with(entry),
        ListHow::EndsWith => value.ends_with(entry),
        ListHow::Equals | ListHow::Cidr => value == entry,
    }
}

fn parse_lines(text: &str) -> List {
    let lines = text.lines().map(|line| line.split_once(" #").map_or(line, |(entry, _)| entry).trim());
    let texts = lines.filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned).collect();
    List { version: Sha256::of(text.as_bytes()), as_of: None, all: Entries::new(texts), keyed: BTreeMap::new() }
}

fn parse_structured(text: &str) -> Result<List, String> {
    use saphyr::{LoadableYamlNode, Yaml};
    let documents = Yaml::load_from_str(text).map_err(|error| error.to_string())?;
    let root = documents.first().ok_or("the file is empty")?;
    let mut list =
        List { version: Sha256::of(text.as_bytes()), as_of: None, all: Entries::default(), keyed: BTreeMap::new() };
    if root.as_sequence().is_some() {
        list.all = Entries::new(texts_of(root)?);
        return Ok(list);
    }
    let mapping = root.as_mapping().ok_or("neither an array nor an object")?;
    let mut all = Vec::new();
    for (key, value) in mapping {
        match key.as_str() {
            Some("as_of") => {
                let at = value.as_str().and_then(Timestamp::parse).ok_or("`as_of` is no RFC 3339 time")?;
                list.as_of = Some(at);
            }
            Some("entries") => all.extend(texts_of(value)?),
            Some("map") => {
                for (name, entries) in value.as_mapping().ok_or("`map` is no object")? {
                    let texts = texts_of(entries)?;
                    all.extend(texts.iter().cloned());
                    list.keyed.insert(fold(&text_of(name)?), Entries::new(texts));
                }
            }
            other => {
                return Err(format!("unknown key {}; known: as_of, entries, map", other.unwrap_or("that is no text")));
            }
        }
    }
    list.all = Entries::new(all);
    Ok(list)
}

fn texts_of(node: &saphyr::Yaml<'_>) -> Result<Vec<String>, String> {
    match node.as_sequence() {
        Some(items) => items.iter().map(text_of).collect(),
        None => text_of(node).map(|text| vec![text]),
    }
}

fn text_of(node: &saphyr::Yaml<'_>) -> Result<String, String> {
    if let Some(text) = node.as_str() {
        return Ok(text.to_owned());
    }
    let number = node.as_integer().map(|n| n.to_string()).or_else(|| node.as_bool().map(|b| b.to_string()));
    number.ok_or_else(|| "an entry is neither text nor number".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_lines_and_maps() {
        let lines = parse_lines("# controllers\narc-*\n10.0.0.0/8 # office\n\nbot\n");
        assert_eq!(lines.all.texts, ["arc-*", "10.0.0.0/8", "bot"]);
        assert!(lines.all.has("ARC-scaler", ListHow::Equals, false));
        assert!(!lines.all.has("ARC-scaler", ListHow::Equals, true));
        assert!(lines.all.has("10.9.8.7", ListHow::Cidr, false));
        assert!(lines.all.has("10.9.8.7", ListHow::Equals, false));
        assert!(!lines.all.has("11.9.8.7", ListHow::Cidr, false));
        let map = parse_structured("as_of: 2026-09-01T00:00:00Z\nmap:\n  Deploy: [a, 2]\n  x: y\n").expect("a map");
        assert_eq!(map.keyed["deploy"].texts, ["a", "2"]);
        assert_eq!(map.all.texts.len(), 3);
        assert!(parse_structured("entry: [a]").is_err());
    }

    #[test]
    fn a_missing_empty_or_stale_list_never_lets_a_rule_page() {
        let mut lists = Lists::default();
        let used = |on_missing| [ListUse { name: "known".into(), ttl_ms: Some(1000), on_missing }];
        let at = Some(Timestamp::from_ms(10_000));
        assert_eq!(lists.standing(&used(OnMissing::FailOpenTicket), at), Standing::TicketOnly);
        assert_eq!(lists.standing(&used(OnMissing::FailClosed), at), Standing::Silent);
        lists.insert("known", &[]);
        assert_eq!(lists.standing(&used(OnMissing::FailOpenTicket), at), Standing::TicketOnly);
        lists.insert("known", &["a"]);
        assert_eq!(lists.standing(&used(OnMissing::FailClosed), at), Standing::Full);
        let mut stale = parse_lines("a");
        stale.as_of = Some(Timestamp::from_ms(8_999));
        lists.by_name.insert("known".into(), Arc::new(stale));
        assert_eq!(lists.standing(&used(OnMissing::FailOpenTicket), at), Standing::TicketOnly);
    }
}
