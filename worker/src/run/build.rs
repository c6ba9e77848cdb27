//! A configuration made ready: rules, lists, engines, the pipeline with its outlets. The same for `run` and for a replay
//! of what it read.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use ingest::enrich::Tables;
use ingest::kafka::{Attempt, Connection, SecretFrom};
use ingest::{IdentityKey, TimePolicy};
use model::{RedactionKey, Sha256, Timestamp};
use rules::parse::Settings as ParseSettings;
use rules::{CompileError, Lists};
use sinks::Mode;

use super::fed::Texts;
use super::kept::SetTexts;
use crate::config::{Config, ListFrom, SourceConfig};
use crate::engine::{Engine, Keys, Reading, Speaks};
use crate::enrichment::TableTexts;
use crate::judge::Judge;
use crate::pipeline::{Before, Outlets, Pipeline, Settings};
use crate::ruleset::{RuleSet, Unproven, about_list};

/// Rules, lists and engines of a configuration.
pub struct Built {
    /// The rules.
    pub rules: Arc<RuleSet>,
    /// The lists.
    pub lists: Arc<Lists>,
    /// One engine a source, in the order of the configuration.
    pub engines: Vec<Arc<Engine>>,
    /// What it was made of; None where not every rule file could be read.
    pub texts: Option<SetTexts>,
    /// The same for all sets of one run.
    pub keys: Keys,
}

impl Built {
    /// Loads rules and lists and compiles them for every source. `fed`: what topics gave for lists.
    ///
    /// # Errors
    /// When a list cannot be read, or no rule can.
    pub fn new(config: &Config, fed: &Texts, unproven: Unproven, keys: Keys) -> anyhow::Result<Built> {
        let rules = rules_of(config, unproven);
        for message in &rules.refused {
            tracing::error!("refused: {message}");
        }
        let read = lists_of(config, fed).and_then(|of| tables_of(config, of));
        let Read { lists, list_texts, tables, table_texts } =
            read.map_err(|wrong| anyhow::anyhow!(wrong.join("\n  ")))?;
        let texts = rules.whole.then(|| SetTexts::new(config, &rules, list_texts, table_texts));
        Built::of(config, rules, (lists, tables), texts, keys)
    }

    /// Reads the same files again, for a worker that goes on with this one where the new set is not good in every part.
    ///
    /// # Errors
    /// Every mistake: a rule that `run` refuses, a file that cannot be read.
    pub fn again(&self, config: &Config, fed: &Texts) -> Result<Built, Vec<String>> {
        let rules = rules_of(config, Unproven::Refuse);
        let mut mistakes: Vec<String> = rules.refused.iter().map(ToString::to_string).collect();
        let read = lists_of(config, fed).and_then(|of| tables_of(config, of)).unwrap_or_else(|wrong| {
            mistakes.extend(wrong);
            Default::default()
        });
        if !mistakes.is_empty() {
            return Err(mistakes);
        }
        let texts = SetTexts::new(config, &rules, read.list_texts, read.table_texts);
        Built::of(config, rules, (read.lists, read.tables), Some(texts), self.keys)
            .map_err(|error| vec![format!("{error:#}")])
    }

    /// The same rules with what topics gave for lists since.
    ///
    /// # Errors
    /// When a text is no list.
    pub fn with_lists(&self, fed: &Texts) -> Result<Built, String> {
        let mut lists = Lists::clone(&self.lists);
        fed.iter().try_for_each(|(name, text)| lists.read(name, text))?;
        let lists = Arc::new(lists);
        Ok(Built {
            rules: self.rules.clone(),
            engines: self.engines.iter().map(|engine| Arc::new(engine.with_lists(lists.clone()))).collect(),
            texts: self.texts.as_ref().map(|texts| texts.with_lists(fed)),
            lists,
            keys: self.keys,
        })
    }

    /// A set that a worker kept a copy of in its state folder.
    ///
    /// # Errors
    /// When the copy is not there, or not whole.
    pub fn kept(config: &Config, state: &Path, version: Sha256, keys: Keys) -> anyhow::Result<Built> {
        let texts = SetTexts::find(state, version)?;
        let rules = RuleSet::of(texts.rules.clone(), &parse_settings(&texts.placeholders), Unproven::Refuse);
        let mut lists = texts.lists(state)?;
        let tables = texts.tables(state)?.build(&mut lists).map_err(|wrong| anyhow::anyhow!(wrong.join("\n  ")))?;
        Built::of(config, rules, (lists, tables), Some(texts), keys)
    }

    fn of(
        config: &Config,
        rules: RuleSet,
        (lists, tables): (Lists, Option<Arc<Tables>>),
        texts: Option<SetTexts>,
        keys: Keys,
    ) -> anyhow::Result<Built> {
        for message in rules.skipped.iter().chain(&rules.warnings) {
            tracing::warn!("{message}");
        }
        if rules.rules.is_empty() {
            bail!("no rule could be loaded (hint: rules.pack: true, or name files under rules.paths)");
        }
        let (rules, lists) = (Arc::new(rules), Arc::new(lists));
        let engine = |source: &SourceConfig| {
            let engine = Engine::new(reading(source), rules.clone(), lists.clone(), tables.clone(), keys)?;
            let objectives = config.objectives.clone();
            Ok::<_, CompileError>(Arc::new(engine.reading_all(config.archive.is_some(), objectives, tables.as_ref())))
        };
        let engines = config.sources.iter().map(engine).collect::<Result<_, _>>()?;
        Ok(Built { rules, lists, engines, texts, keys })
    }

    /// SHA-256 of the set's texts.
    pub fn version(&self) -> Option<Sha256> {
        self.texts.as_ref().map(SetTexts::version)
    }

    /// Rule id → SHA-256 of its document.
    pub fn rule_versions(&self) -> BTreeMap<String, Sha256> {
        self.rules.infos.iter().map(|rule| (rule.id.to_string(), rule.version)).collect()
    }

    /// List name → SHA-256 of its file.
    pub fn list_versions(&self) -> BTreeMap<String, Sha256> {
        self.lists.versions().map(|(name, version)| (name.to_owned(), version)).collect()
    }

    /// A judge for each source.
    pub fn judges(&self) -> Vec<Judge> {
        self.engines.iter().map(|engine| Judge::new(engine.clone())).collect()
    }

    /// The pipeline. With `merge`, records of all rules leave in one total order. `before`: what it goes on from, if anything.
    ///
    /// # Errors
    /// When a correlation cannot be compiled.
    pub fn pipeline(
        &self,
        config: &Config,
        outlets: Outlets,
        merge: bool,
        before: Option<Before<'_>>,
    ) -> Result<Pipeline, CompileError> {
        let redaction = self.keys.redaction;
        let (limits, id_reuse) = (config.limits, config.rules.pack);
        let correlations = config.correlations;
        let (lineage, incidents) = (Some(config.lineage.0), config.lineage.1);
        let (mode, since, end) = (Mode::Alerts, config.backfill_until, Timestamp::MIN);
        let settings =
            Settings { mode, merge, id_reuse, limits, correlations, lineage, incidents, since, end, redaction };
        let policy = |source: &SourceConfig| TimePolicy {
            lateness_ms: source.lateness_ms,
            duplicates_max: config.duplicates_max,
        };
        let sources = self.engines.iter().cloned().zip(config.sources.iter().map(policy)).collect();
        Pipeline::new(settings, sources, outlets, before)
    }

    /// Topic → source.
    pub fn topics(config: &Config) -> BTreeMap<String, usize> {
        let sources = config.sources.iter().enumerate();
        sources.flat_map(|(at, source)| source.topics.iter().map(move |topic| (topic.clone(), at))).collect()
    }
}

/// A key that nobody outside of this process knows.
pub fn new_key() -> IdentityKey {
    IdentityKey(crate::clock::random_key())
}

fn parse_settings(placeholders: &BTreeMap<String, Vec<String>>) -> ParseSettings {
    ParseSettings {
        placeholders: placeholders.clone(),
        model_fields: Some(model::field_hint as fn(&str) -> Option<String>),
        ..ParseSettings::default()
    }
}

fn rules_of(config: &Config, unproven: Unproven) -> RuleSet {
    let settings = parse_settings(&config.rules.placeholders);
    RuleSet::load(config.rules.pack, &config.rules.paths, &settings, unproven)
}

/// Name, file and text of each list.
type ListTexts = Vec<(String, PathBuf, String)>;

/// The lists, with their texts; or everything that is wrong with them.
fn lists_of(config: &Config, fed: &Texts) -> Result<(Lists, ListTexts), Vec<String>> {
    let (mut lists, mut texts, mut mistakes) = (Lists::default(), Vec::new(), Vec::new());
    for (name, from) in &config.lists {
        let file = match from {
            ListFrom::File(file) => file,
            ListFrom::Topic(_) => {
                let text = fed.get(name).map_or(super::fed::EMPTY, String::as_str);
                mistakes.extend(lists.read(name, text).err());
                texts.push((name.clone(), "topic.json".into(), text.to_owned()));
                continue;
            }
        };
        match lists.load(name, file).map(|()| std::fs::read_to_string(file)) {
            Err(error) => mistakes.push(about_list(&error)),
            Ok(Ok(text)) if lists.get(name).is_some_and(|list| list.version == Sha256::of(text.as_bytes())) => {
                texts.push((name.clone(), file.clone(), text));
            }
            Ok(_) => mistakes.push(format!("list {name}: {}: changed while it was read (hint: again)", file.display())),
        }
    }
    if mistakes.is_empty() { Ok((lists, texts)) } else { Err(mistakes) }
}

/// What a set reads beside its rules.
#[derive(Default)]
struct Read {
    lists: Lists,
    list_texts: ListTexts,
    tables: Option<Arc<Tables>>,
    table_texts: TableTexts,
}

/// The tables for enrichment beside the lists, which take from the inventory what has no file of its own.
fn tables_of(config: &Config, (mut lists, list_texts): (Lists, ListTexts)) -> Result<Read, Vec<String>> {
    let table_texts = TableTexts::read(config.enrichment.inventory.as_deref(), &config.enrichment.network)?;
    let tables = table_texts.build(&mut lists)?;
    Ok(Read { lists, list_texts, tables, table_texts })
}

fn reading(source: &SourceConfig) -> Reading {
    Reading {
        source: source.name.as_str().into(),
        speaks: match source.formats.as_slice() {
            &[format] => Speaks::One(format),
            formats => Speaks::Guess(formats.to_vec()),
        },
        logsource: source.logsource.clone(),
        time: source.time.clone(),
        id: source.id.clone(),
        classes: source.classes.clone(),
        trust: source.trust,
        lineage: true,
    }
}

/// Makes the folder of control log and seal log, and keeps other workers out of it for as long as the file lives.
///
/// # Errors
/// When the folder cannot be made, or another worker has it.
pub fn state_folder(config: &Config) -> anyhow::Result<File> {
    let folder = config.state.display();
    std::fs::create_dir_all(&config.state).with_context(|| format!("state: {folder}"))?;
    let lock = File::create(config.state.join("lock")).with_context(|| format!("state: {folder}"))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(_) => bail!("state: another worker uses {folder} (hint: each worker needs a state folder of its own)"),
    }
}

/// The key under which secrets in alert keys are named: the configuration's, else the one that stands in the state folder.
/// None: there is neither.
///
/// # Errors
/// When a key that is there, or has to be, cannot be read.
pub fn redaction_key(config: &Config, state: &Path) -> anyhow::Result<Option<RedactionKey>> {
    if let Some(from) = &config.redaction_key {
        let key = secret(from).map_err(|error| anyhow::anyhow!("redaction: {error}"))?;
        if key.is_empty() {
            bail!("redaction: the key is empty (hint: 32 random bytes as text, `openssl rand -hex 32`)");
        }
        return Ok(Some(RedactionKey::of(key.as_bytes())));
    }
    let file = state.join(REDACTION_KEY_FILE);
    match std::fs::read(&file) {
        Ok(key) if !key.is_empty() => Ok(Some(RedactionKey::of(&key))),
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error).context(file.display().to_string()),
        _ => Ok(None),
    }
}

/// The same for `run`, which makes a key where there is none and keeps it in its state folder.
///
/// # Errors
/// As there, and when it cannot be written.
pub fn redaction_key_or_new(config: &Config) -> anyhow::Result<RedactionKey> {
    if let Some(key) = redaction_key(config, &config.state)? {
        return Ok(key);
    }
    let file = config.state.join(REDACTION_KEY_FILE);
    let text: String = crate::clock::random_key().iter().map(|part| format!("{part:016x}")).collect();
    let mut options = File::options();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(&file).and_then(|mut open| {
        std::io::Write::write_all(&mut open, text.as_bytes())?;
        open.sync_all()
    });
    written.with_context(|| file.display().to_string())?;
    Ok(RedactionKey::of(text.as_bytes()))
}

/// In the state folder.
pub const SEAL_LOG: &str = "seal.jsonl";

/// In the state folder.
pub const INCIDENTS: &str = "incidents.jsonl";

/// In the state folder.
pub const CONTROL_LOG: &str = "control.jsonl";

/// In the state folder.
const REDACTION_KEY_FILE: &str = "redaction.key";

/// The connection, with secrets read from where the configuration says.
///
/// # Errors
/// Every problem at once.
pub fn connection(config: &Config) -> anyhow::Result<Connection> {
    config.kafka.resolve(&secret).map_err(|errors| {
        let lines: Vec<String> = errors.iter().map(|error| format!("{error} (hint: {})", error.hint())).collect();
        anyhow::anyhow!("kafka: {}", lines.join("\n  "))
    })
}

#[allow(clippy::disallowed_methods, reason = "secrets come from files or the environment, read here and nowhere else")]
fn secret(from: &SecretFrom) -> Result<String, String> {
    match from {
        SecretFrom::File(path) => {
            let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
            Ok(text.trim_end_matches(['\r', '\n']).to_owned())
        }
        SecretFrom::Env(name) => std::env::var(name).map_err(|_| format!("environment variable {name} is not set")),
    }
}

/// Says that an attempt to connect failed.
pub fn tell_attempt(attempt: &Attempt) {
    let next =
        attempt.next_wait.map_or_else(|| "giving up".to_owned(), |wait| format!("next in {} ms", wait.as_millis()));
    let (error, hint) = (&attempt.error, attempt.error.hint());
    tracing::warn!("kafka: attempt {} of {}: {error} (hint: {hint}); {next}", attempt.number, attempt.of);
}
