//! What an exercise stands in: rules, lists, inventory, networks; and, where it is asked for, ordinary days of another
//! organisation beside it, whose lists and inventory stand beside its own.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Context;
use baseline::Baseline;
use ingest::enrich::Tables;
use ingest::format::by_name;
use model::{EventClass, Sha256, Timestamp, Trust};
use rules::Lists;
use rules::lists::List;
use saphyr::{LoadableYamlNode, Mapping, Yaml, YamlEmitter};

use super::exercise::{Exercise, Input};
use super::records::Arriving;
use crate::engine::{Engine, Keys, Reading, Speaks};
use crate::enrichment::TableTexts;
use crate::ruleset::{self, RuleSet};

const DAY_MS: i64 = 86_400_000;
/// What the days beside an exercise are drawn from when it says nothing itself.
const SEED: u64 = 42;

/// A source with its programs.
pub(super) struct Source {
    pub engine: Arc<Engine>,
    pub lateness_ms: i64,
}

/// Ordinary days up to the last one of an exercise.
pub(super) fn ordinary_days(exercise: &Exercise, days: u32) -> Option<Baseline> {
    let midnight = exercise.end.ms().div_euclid(DAY_MS) * DAY_MS;
    (days > 0).then(|| Baseline::new(SEED, days, midnight - (i64::from(days) - 1) * DAY_MS))
}

/// The sources of an exercise in the order of its inputs, then those of the ordinary days.
///
/// # Errors
/// A list or a table that cannot be read; everything that is wrong with it.
pub(super) fn sources(
    exercise: &Exercise,
    days: Option<&Baseline>,
    rules: &Arc<RuleSet>,
) -> anyhow::Result<Vec<Source>> {
    let (lists, tables) = lists_and_tables(exercise, days)?;
    let (lists, key) = (Arc::new(lists), Keys::of_replay());
    let objectives = crate::objectives::pack()?;
    let source = |input: &Input| -> anyhow::Result<Source> {
        let reading = Reading {
            source: input.source.as_str().into(),
            speaks: Speaks::One(input.format),
            logsource: None,
            time: Vec::new(),
            id: Vec::new(),
            classes: input.classes.clone(),
            trust: input.trust,
            lineage: true,
        };
        let engine = Engine::new(reading, rules.clone(), lists.clone(), tables.clone(), key)?;
        let engine = Arc::new(engine.reading_all(false, objectives.clone(), tables.as_ref()));
        Ok(Source { engine, lateness_ms: input.lateness_ms })
    };
    exercise.inputs.iter().chain(&days.map(|_| inputs_of_days()).unwrap_or_default()).map(source).collect()
}

/// The sources of the ordinary days. Their names say whose they are: some of the exercise's are called the same.
fn inputs_of_days() -> Vec<Input> {
    let input = |source: &baseline::sources::Source| {
        Some(Input {
            source: format!("ordinary-{}", source.name),
            file: Default::default(),
            arrivals: None,
            history: None,
            format: by_name(source.format)?,
            trust: Trust::by_name(source.trust),
            lateness_ms: source.longest_ms,
            classes: Some(source.classes.iter().filter_map(|class| EventClass::by_name(class)).collect()),
        })
    };
    baseline::sources::SOURCES.iter().filter_map(input).collect()
}

/// Records of the ordinary days; their sources follow the exercise's `first`.
pub(super) fn records_of_days(days: &Baseline, first: usize) -> impl Iterator<Item = Arriving> + use<> {
    let numbers: BTreeMap<&str, usize> =
        baseline::sources::SOURCES.iter().enumerate().map(|(at, source)| (source.name, first + at)).collect();
    days.records().filter_map(move |record| {
        let source = numbers.get(record.source).copied()?;
        Some(Arriving { source, at: Timestamp::from_ms(record.arrival_ms), bytes: record.bytes })
    })
}

fn lists_and_tables(exercise: &Exercise, days: Option<&Baseline>) -> anyhow::Result<(Lists, Option<Arc<Tables>>)> {
    let wrong = |wrong: Vec<String>| anyhow::anyhow!(wrong.join("\n  "));
    let mut lists = Lists::default();
    for (name, file) in &exercise.lists {
        lists.load(name, file).map_err(|error| anyhow::anyhow!(ruleset::about_list(&error)))?;
    }
    let mut texts = TableTexts::read(exercise.inventory.as_deref(), &exercise.network).map_err(wrong)?;
    let Some(days) = days else {
        let tables = texts.build(&mut lists).map_err(wrong)?;
        return Ok((lists, tables));
    };
    // Each organisation's inventory fills its own lists; then the lists of both are one.
    texts.build(&mut lists).map_err(wrong)?;
    let theirs = TableTexts { inventory: Some(("ordinary days".into(), days.inventory())), network: Vec::new() };
    let mut other = lists_of_days(days)?;
    theirs.build(&mut other).map_err(wrong)?;
    let names: Vec<String> = other.versions().map(|(name, _)| name.to_owned()).collect();
    for name in names {
        let union = [lists.get(&name), other.get(&name)].into_iter().flatten().fold(BTreeMap::new(), added);
        lists.set(&name, List::of_map(Sha256::of(name.as_bytes()), None, union));
    }
    let networks = ("ordinary networks".into(), baseline::network_csv().to_owned());
    let inventory = match &texts.inventory {
        Some((file, text)) => (file.clone(), side_by_side(text, &days.inventory())?),
        None => ("ordinary days".into(), days.inventory()),
    };
    texts.inventory = Some(inventory);
    texts.network.insert(0, networks);
    let tables = texts.build(&mut lists).map_err(wrong)?;
    Ok((lists, tables))
}

fn lists_of_days(days: &Baseline) -> anyhow::Result<Lists> {
    let mut lists = Lists::default();
    for (file, text) in days.lists() {
        let (name, ending) = file.split_once('.').unwrap_or((&file, "txt"));
        if ending == "txt" {
            lists.insert(name, &text.lines().collect::<Vec<_>>());
            continue;
        }
        let documents = Yaml::load_from_str(&text).with_context(|| file.clone())?;
        let mut map = BTreeMap::new();
        let keyed = documents.first().and_then(|root| root.as_mapping_get("map")).and_then(Yaml::as_mapping);
        for (key, values) in keyed.into_iter().flatten() {
            let texts = values.as_sequence().into_iter().flatten().filter_map(Yaml::as_str).map(str::to_owned);
            map.insert(key.as_str().unwrap_or_default().to_owned(), texts.collect());
        }
        lists.set(name, List::of_map(Sha256::of(text.as_bytes()), None, map));
    }
    Ok(lists)
}

/// Entries of a list beside those of another; entries without a key stand under the empty one.
fn added(mut map: BTreeMap<String, Vec<String>>, list: &List) -> BTreeMap<String, Vec<String>> {
    for (key, entries) in &list.keyed {
        map.entry(key.clone()).or_default().extend(entries.texts.iter().cloned());
    }
    let is_keyed = |text: &String| list.keyed.values().any(|entries| entries.texts.contains(text));
    map.entry(String::new()).or_default().extend(list.all.texts.iter().filter(|text| !is_keyed(text)).cloned());
    map.retain(|_, texts| !texts.is_empty());
    map
}

/// Two inventories as one: the entries of each section together, the first's where both have one.
fn side_by_side(first: &str, second: &str) -> anyhow::Result<String> {
    let (first, second) = (Yaml::load_from_str(first)?, Yaml::load_from_str(second)?);
    let mut merged: Mapping<'_> = first.first().and_then(Yaml::as_mapping).cloned().unwrap_or_default();
    for (section, entries) in second.first().and_then(Yaml::as_mapping).into_iter().flatten() {
        match merged.get_mut(section) {
            None => drop(merged.insert(section.clone(), entries.clone())),
            Some(mine) => {
                let mut together = entries.as_mapping().cloned().unwrap_or_default();
                together.extend(mine.as_mapping().into_iter().flatten().map(|(key, of)| (key.clone(), of.clone())));
                *mine = Yaml::Mapping(together);
            }
        }
    }
    let mut text = String::new();
    YamlEmitter::new(&mut text).dump(&Yaml::Mapping(merged))?;
    Ok(text)
}
