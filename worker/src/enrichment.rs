//! Tables for enrichment, from files: the inventory (YAML or JSON) and the network tables (CSV).
//!
//! Everything wrong is said at once, with its line and a hint. What the tables answer stands in `ingest`; nothing is
//! decided here.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ingest::enrich::{Attribute, Kind, NetworkLines, SECTIONS, Tables, Value, Version};
use model::{Sha256, Timestamp};
use rules::Lists;
use rules::lists::List;

use crate::config::yaml::{self, Problems, Section};

/// The files, as text.
#[derive(Debug, Default)]
pub struct TableTexts {
    /// The inventory.
    pub inventory: Option<(PathBuf, String)>,
    /// The network tables, the later over the earlier.
    pub network: Vec<(PathBuf, String)>,
}

impl TableTexts {
    /// Reads the files.
    ///
    /// # Errors
    /// Each file that cannot be read.
    pub fn read(inventory: Option<&Path>, network: &[PathBuf]) -> Result<TableTexts, Vec<String>> {
        let mut mistakes = Vec::new();
        let mut read = |file: &Path| match std::fs::read_to_string(file) {
            Ok(text) => Some((file.to_owned(), text)),
            Err(error) => {
                mistakes.push(format!("{}: {error} (hint: make the file readable, or name another)", file.display()));
                None
            }
        };
        let inventory = inventory.and_then(&mut read);
        let network = network.iter().filter_map(|file| read(file)).collect();
        if mistakes.is_empty() { Ok(TableTexts { inventory, network }) } else { Err(mistakes) }
    }

    /// The tables, None where there are no files; and into `lists` the lists that the inventory gives and nobody else has.
    ///
    /// # Errors
    /// Everything that is wrong in any of the files.
    pub fn build(&self, lists: &mut Lists) -> Result<Option<Arc<Tables>>, Vec<String>> {
        let (mut tables, mut mistakes) = (Tables::default(), Vec::new());
        if let Some((file, text)) = &self.inventory {
            mistakes.extend(inventory(&file.display().to_string(), text, &mut tables, lists));
        }
        let mut lines = NetworkLines::default();
        for (file, text) in &self.network {
            let bad = lines.read(text).err().unwrap_or_default();
            mistakes.extend(
                bad.iter().map(|bad| format!("{}:{}: {} (hint: {})", file.display(), bad.line, bad.reason, bad.hint)),
            );
        }
        if !mistakes.is_empty() {
            return Err(mistakes);
        }
        tables.network = (!self.network.is_empty()).then(|| lines.table());
        Ok((self.inventory.is_some() || tables.network.is_some()).then(|| Arc::new(tables)))
    }
}

/// Reads an inventory into the tables and lists, and gives everything that is wrong with it.
fn inventory(file: &str, text: &str, tables: &mut Tables, lists: &mut Lists) -> Vec<String> {
    let documents = match yaml::parse(text) {
        Ok(documents) => documents,
        Err(error) => return vec![format!("{file}: {error}")],
    };
    let problems = Problems::default();
    let root = Section::root(documents.first(), &problems);
    for (number, section) in SECTIONS.iter().enumerate() {
        for (key, entry) in root.entries(section.name) {
            let versions = entry.versions().into_iter().map(|at| version(at, section.attributes)).collect::<Vec<_>>();
            let mut times: Vec<Timestamp> = versions.iter().map(|version| version.from).collect();
            times.sort();
            times.dedup();
            if times.len() < versions.len() {
                entry.problem("from", "two versions begin at one time (hint: from: 2026-01-31T00:00:00Z)");
            }
            if !tables.inventory.add(number, &key, versions) {
                entry.problem("", "the key is there twice (hint: repositories count in lower case)");
            }
        }
    }
    let as_of = root.parsed("as_of", Timestamp::parse, "a time like 2026-01-31T00:00:00Z");
    let version = Sha256::of(text.as_bytes());
    let mut given: BTreeMap<String, BTreeMap<String, Vec<String>>> =
        tables.inventory.lists().into_iter().map(|(name, map)| (name.to_owned(), map)).collect();
    for (name, at) in root.entries("lists") {
        given.entry(name).or_default().extend(at.keyed_texts());
    }
    root.finish();
    for (name, map) in given {
        if lists.get(&name).is_none() {
            lists.set(&name, List::of_map(version, as_of, map));
        }
    }
    problems.list(file)
}

fn version(at: Section<'_>, attributes: &'static [Attribute]) -> Version {
    let from = at.parsed("from", Timestamp::parse, "a time like 2026-01-31T00:00:00Z").unwrap_or(Timestamp::MIN);
    let values = attributes.iter().filter_map(|attribute| Some((attribute.name, value(&at, attribute)?))).collect();
    at.finish();
    Version { from, values }
}

fn value(at: &Section<'_>, attribute: &Attribute) -> Option<Value> {
    let name = attribute.name;
    match attribute.kind {
        Kind::Text => at.text(name).map(|text| Value::Text(text.into())),
        Kind::OneOf(known) => {
            let one = |text: &str| known.contains(&text).then(|| Value::Text(text.into()));
            at.parsed(name, one, &known.join(", "))
        }
        Kind::Whole => {
            let whole = |text: &str| text.parse().ok().filter(|&n| n > 0).map(Value::Whole);
            at.parsed(name, whole, "a whole number from 1")
        }
        Kind::Flag => at.parsed(name, |text| text.parse().ok().map(Value::Flag), "true or false"),
        Kind::Texts => {
            at.has(name).then(|| Value::Texts(at.texts(name).into_iter().map(String::into_boxed_str).collect()))
        }
    }
}

#[cfg(test)]
mod tests {
    use rules::ast::ListHow;

    use super::*;

    fn build(inventory: &str, lists: &mut Lists) -> Result<Option<Arc<Tables>>, Vec<String>> {
        let texts = TableTexts { inventory: Some(("i.yaml".into(), inventory.to_owned())), ..TableTexts::default() };
        texts.build(lists)
    }

    #[test]
    fn everything_wrong_is_said_at_once_with_its_line() {
        let text = "repositories:\n  h/a/b:\n    tem: x\n    tier: zero\n  H/A/B: {team: y}\nservices:\n  s:\n    - {exposure: moon}\n    \
                    - {from: soon}\n  t: 5\nteams: {}\n";
        let mistakes = build(text, &mut Lists::default()).expect_err("mistakes");
        for (at, part) in [
            ("i.yaml:3: repositories.h/a/b.tem: unknown key", "known: from, team, tier"),
            ("i.yaml:4: repositories.h/a/b.tier: \"zero\" does not fit", "a whole number from 1"),
            ("i.yaml:5: repositories.H/A/B", "the key is there twice"),
            ("i.yaml:8: services.s[0].exposure: \"moon\" does not fit", "internet, internal"),
            ("i.yaml:9: services.s[1].from: \"soon\" does not fit", "2026-01-31"),
            ("i.yaml:10: services.t", "a map is expected"),
            ("i.yaml:11: teams: unknown key", "known: repositories"),
        ] {
            assert!(mistakes.iter().any(|of| of.starts_with(at) && of.contains(part)), "{at}: {mistakes:#?}");
        }
    }

    #[test]
    fn lists_come_from_entries_and_from_their_own_section_and_files_win() {
        let text = "as_of: 2026-09-01T00:00:00Z\nidentities:\n  role/a: {ci: true, secrets: [x, y]}\nlists:\n  bad: [a, b*]\n  \
                    pairs: {K: [v]}\n  mine: [other]\n";
        let mut lists = Lists::default();
        lists.insert("mine", &["file"]);
        build(text, &mut lists).expect("good");
        let has = |name: &str, value| lists.get(name).is_some_and(|list| list.all.has(value, ListHow::Equals, false));
        assert!(has("bad", "bcd") && has("ci_identities", "role/a") && has("secret_manifests", "y"));
        assert!(has("mine", "file") && !has("mine", "other"));
        assert_eq!(lists.get("pairs").expect("there").keyed["k"].texts, ["v"]);
        assert_eq!(lists.get("bad").expect("there").as_of, Timestamp::parse("2026-09-01T00:00:00Z"));
    }
}
