//! What is read and how, as `replay`, `why` and `verify` are told: rules, formats, times, lists, tables.
//!
//! Everything wrong is said at once, with a hint. Must never write anything.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use ingest::TimePolicy;
use ingest::enrich::Tables;
use ingest::format::{FORMATS, Format, by_name, json};
use model::{Timestamp, parse_span_ms};
use rules::ast::LogSource;
use rules::parse::Settings as ParseSettings;
use rules::{CompileError, Lists};

use super::inputs;
use super::scenario::Scenario;
use crate::engine::{Engine, Keys, Reading, Speaks, guessable};
use crate::enrichment::TableTexts;
use crate::ruleset::{self, RuleSet, Unproven};

/// See the module.
#[derive(Debug, clap::Args)]
pub struct ReadingArgs {
    /// Rule files and folders, beside the pack; may be repeated
    #[arg(long, value_name = "PATH")]
    pub rules: Vec<PathBuf>,
    /// Leave the built-in rule pack out
    #[arg(long)]
    pub no_pack: bool,
    /// What the records are: auto (told by content), json (any object, fields by path), or a name of `pipewarden formats list`
    #[arg(long, default_value = "auto")]
    pub format: String,
    /// Log source of the raw records: product=P,service=S,category=C. Without it, every rule sees raw JSON
    #[arg(long, value_name = "KEY=VALUE,…")]
    pub logsource: Option<String>,
    /// Field that holds the time (RFC 3339, epoch seconds or milliseconds), for json; may be repeated, the first present
    /// counts. Without it records have no time
    #[arg(long, value_name = "FIELD", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub time_field: Vec<String>,
    /// Field that holds the event id, for json; without it the hash of the record is its id
    #[arg(long, value_name = "FIELD", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub id_field: Option<String>,
    /// How much later than the newest record of its file a record may be
    #[arg(long, value_name = "SPAN")]
    pub lateness: Option<String>,
    /// Name of the source that all inputs belong to
    #[arg(long, value_name = "NAME", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub source: Option<String>,
    /// Fill a live list from a file; may be repeated
    #[arg(long, value_name = "NAME=FILE")]
    pub list: Vec<String>,
    /// Inventory that tells what events do not: teams, tiers, expectations (YAML or JSON)
    #[arg(long, value_name = "FILE")]
    pub inventory: Option<PathBuf>,
    /// Network table that tells what is known of addresses (CSV); may be repeated, the later wins
    #[arg(long, value_name = "FILE")]
    pub network: Vec<PathBuf>,
    /// Values of a placeholder that rules expand; may be repeated
    #[arg(long, value_name = "NAME=VALUE,…")]
    pub placeholder: Vec<String>,
    /// Judge objectives at each minute's close: `pack`, or a file as `slo check` reads it; may be repeated
    #[arg(long, value_name = "FILE")]
    pub objectives: Vec<String>,
    /// Load rules whose status is deprecated or unsupported, too
    #[arg(long)]
    pub include_deprecated: bool,
    /// Records later than this count as early: they stand alone and move no watermark
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
    /// What happened before is history: rules and detectors remember it, and nobody is told
    #[arg(long, value_name = "TIME")]
    pub backfill_until: Option<String>,
    /// Threads that decode and evaluate
    #[arg(long, value_name = "N")]
    pub threads: Option<NonZeroUsize>,
    /// Somebody asks for lineage.
    #[arg(skip)]
    pub lineage: bool,
    /// An archive is written.
    #[arg(skip)]
    pub archive: bool,
}

/// Everything that is needed to read and judge.
pub(crate) struct Reader {
    pub(crate) engine: Arc<Engine>,
    pub(crate) tables: Option<Arc<Tables>>,
    pub(crate) time: TimePolicy,
    /// The built-in rule `id-reuse` is on.
    pub(crate) id_reuse: bool,
    pub(crate) inputs: inputs::Found,
    pub(crate) until: Option<Timestamp>,
    /// See [`crate::pipeline::Settings::since`].
    pub(crate) backfill_until: Timestamp,
    /// Where buckets close at the latest; see [`crate::pipeline::Settings::end`].
    pub(crate) end: Timestamp,
    pub(crate) threads: usize,
}

/// Without `--lateness`, for records with a time.
const LATENESS: &str = "60s";

/// Entries of the table of duplicates of a replay.
const DUPLICATES_MAX: usize = 4_000_000;

/// Everything that is wrong, in the order in which it was found.
#[derive(Default)]
pub(crate) struct Mistakes(pub(crate) Vec<String>);

impl Mistakes {
    /// What is there; or what is wrong, said later with the rest.
    pub(crate) fn keep<T>(&mut self, found: anyhow::Result<T>) -> Option<T> {
        found.map_err(|error| self.0.push(format!("{error:#}"))).ok()
    }

    pub(crate) fn say(&self) -> anyhow::Result<()> {
        match self.0.as_slice() {
            [] => Ok(()),
            [one] => bail!("{one}"),
            all => bail!("{} problems:\n  {}", all.len(), all.join("\n  ")),
        }
    }
}

impl ReadingArgs {
    /// What the arguments mean for some inputs, among which may be rules and a scenario. None: something is wrong.
    pub(crate) fn reader(
        &mut self,
        paths: &mut Vec<PathBuf>,
        mistakes: &mut Mistakes,
        keys: Keys,
    ) -> Option<Result<Reader, CompileError>> {
        self.sort_out_rules(paths);
        let scenario = mistakes.keep(self.scenario(paths));
        let inputs = inputs::find(paths);
        if scenario.is_some() && inputs.files.is_empty() {
            mistakes.0.push(inputs.nothing());
        }
        let speaks = mistakes.keep(speaks(&self.format));
        let is_json = matches!(&speaks, Some(Speaks::One(format)) if std::ptr::eq(*format, &json::FORMAT));
        if speaks.is_some() && !is_json && (!self.time_field.is_empty() || self.id_field.is_some()) {
            let why = "--time-field and --id-field are for --format json (hint: the other formats know theirs)";
            mistakes.0.push(why.to_owned());
        }
        let rules = self.rule_set(!is_json, mistakes);
        let scenario = scenario.flatten();
        let end = scenario.as_ref().and_then(|scenario| scenario.end).unwrap_or(Timestamp::MIN);
        let mut lists = self.lists(scenario.as_ref(), mistakes);
        let tables = TableTexts::read(self.inventory.as_deref(), &self.network).and_then(|of| of.build(&mut lists));
        let tables = tables.map_err(|wrong| mistakes.0.extend(wrong)).ok().flatten();
        let logsource = mistakes.keep(self.logsource.as_deref().map(logsource).transpose());
        let lateness_ms = mistakes.keep(self.lateness_ms());
        let time = |name: &'static str, text: &Option<String>| text.as_deref().map(|text| time(name, text)).transpose();
        let until = mistakes.keep(time("--until", &self.until));
        let backfill_until = mistakes.keep(time("--backfill-until", &self.backfill_until)).flatten();
        let reading = Reading {
            source: self.source.as_deref().unwrap_or("replay").into(),
            speaks: speaks?,
            logsource: logsource.flatten(),
            time: self.time_field.clone(),
            id: self.id_field.iter().cloned().collect(),
            classes: None,
            trust: None,
            lineage: self.lineage,
        };
        let (rules, lateness_ms) = (Arc::new(rules?), lateness_ms?);
        let threads = self.threads.or_else(|| std::thread::available_parallelism().ok()).map_or(1, usize::from);
        let objectives = mistakes.keep(crate::objectives::read(&self.objectives, Path::new("."))).flatten();
        let ready = |engine: Engine| Reader {
            id_reuse: !self.no_pack && engine.is_timed(),
            engine: Arc::new(engine.reading_all(self.archive, objectives, tables.as_ref())),
            tables: tables.clone(),
            time: TimePolicy { lateness_ms, duplicates_max: DUPLICATES_MAX },
            inputs,
            until: until.flatten(),
            backfill_until: backfill_until.unwrap_or(Timestamp::MIN),
            end,
            threads,
        };
        Some(Engine::new(reading, rules, Arc::new(lists), tables.clone(), keys).map(ready))
    }

    fn lateness_ms(&self) -> anyhow::Result<i64> {
        let lateness = self.lateness.as_deref().unwrap_or(LATENESS);
        parse_span_ms(lateness).with_context(|| {
            format!("--lateness {lateness}: not a span (hint: a number and ms, s, m, h or d, like 60s)")
        })
    }

    /// `--rules a.yml b.yml events.jsonl`: inputs are never YAML, so YAML among the inputs is rules.
    fn sort_out_rules(&mut self, paths: &mut Vec<PathBuf>) {
        let is_rule = |path: &PathBuf| path.extension().is_some_and(|end| end == "yml" || end == "yaml");
        let (rules, inputs) = std::mem::take(paths).into_iter().partition(is_rule);
        *paths = inputs;
        self.rules.extend::<Vec<PathBuf>>(rules);
    }

    /// A folder with a scenario.yaml says itself what it holds; what was typed wins.
    fn scenario(&mut self, paths: &mut Vec<PathBuf>) -> anyhow::Result<Option<Scenario>> {
        let [folder] = paths.as_slice() else { return Ok(None) };
        let file = folder.join("scenario.yaml");
        if !file.is_file() {
            return Ok(None);
        }
        let scenario = Scenario::read(&file)?;
        paths.clone_from(&scenario.inputs);
        self.inventory = self.inventory.take().or_else(|| scenario.inventory.clone());
        self.network.splice(..0, scenario.network.iter().cloned());
        self.lateness = self.lateness.take().or_else(|| scenario.lateness.clone());
        self.source = self.source.take().or_else(|| scenario.source.clone());
        if self.format == "auto" {
            self.format.clone_from(&scenario.format);
        }
        Ok(Some(scenario))
    }

    /// The rules that are named; None: there are none.
    pub(crate) fn rule_set(&self, pack: bool, mistakes: &mut Mistakes) -> Option<RuleSet> {
        let mut settings = ParseSettings {
            include_deprecated: self.include_deprecated,
            model_fields: pack.then_some(model::field_hint as fn(&str) -> Option<String>),
            ..ParseSettings::default()
        };
        for given in &self.placeholder {
            match given.split_once('=') {
                Some((name, values)) => {
                    settings.placeholders.insert(name.to_owned(), values.split(',').map(str::to_owned).collect());
                }
                None => mistakes.0.push(format!("--placeholder {given}: no value (hint: NAME=VALUE,VALUE)")),
            }
        }
        if self.rules.is_empty() && (self.no_pack || !pack) {
            let why = "there are no rules (hint: name some with --rules; the built-in pack needs a format it knows)";
            mistakes.0.push(why.to_owned());
            return None;
        }
        let rules = RuleSet::load(pack && !self.no_pack, &self.rules, &settings, Unproven::Warn);
        for message in &rules.refused {
            tracing::error!("refused: {message}");
        }
        for message in rules.skipped.iter().chain(&rules.warnings) {
            tracing::warn!("{message}");
        }
        if rules.rules.is_empty() {
            mistakes.0.push("no rule could be loaded (hint: the messages before this one say why)".to_owned());
            return None;
        }
        Some(rules)
    }

    fn lists(&self, scenario: Option<&Scenario>, mistakes: &mut Mistakes) -> Lists {
        let mut lists = Lists::default();
        let mut load = |name: &str, file: &Path| {
            mistakes.0.extend(lists.load(name, file).err().map(|error| ruleset::about_list(&error)));
        };
        for (name, file) in scenario.iter().flat_map(|scenario| &scenario.lists) {
            load(name, file);
        }
        let mut nameless = Vec::new();
        for given in &self.list {
            match given.split_once('=') {
                Some((name, file)) => load(name, Path::new(file)),
                None => nameless.push(format!("--list {given}: no file (hint: NAME=FILE)")),
            }
        }
        mistakes.0.extend(nameless);
        lists
    }
}

fn time(name: &str, text: &str) -> anyhow::Result<Timestamp> {
    Timestamp::parse(text).with_context(|| format!("{name} {text}: not a time (hint: 2026-09-01T00:00:00Z)"))
}

fn speaks(name: &str) -> anyhow::Result<Speaks> {
    if name == "auto" {
        return Ok(Speaks::Guess(guessable()));
    }
    let known = || FORMATS.iter().map(|format: &&Format| format.name).collect::<Vec<_>>().join(", ");
    let format = by_name(name).with_context(|| format!("--format {name}: unknown (hint: auto, {})", known()))?;
    if format.carries_others() {
        let others = guessable().into_iter().filter(|other| other.name != format.name);
        return Ok(Speaks::Guess(std::iter::once(format).chain(others).collect()));
    }
    Ok(Speaks::One(format))
}

/// Reads `product=P,service=S,category=C`.
///
/// # Errors
/// Names the part that is no such pair.
pub fn logsource(text: &str) -> anyhow::Result<LogSource> {
    let mut logsource = LogSource::default();
    for part in text.split(',') {
        let (key, value) = part.split_once('=').unwrap_or((part, ""));
        let place = match key.trim() {
            "product" => &mut logsource.product,
            "service" => &mut logsource.service,
            "category" => &mut logsource.category,
            _ => bail!("--logsource {text}: {part:?} is not known (hint: product=P,service=S,category=C)"),
        };
        if value.trim().is_empty() {
            bail!("--logsource {text}: {part:?} has no value (hint: product=P,service=S,category=C)");
        }
        *place = Some(value.trim().to_owned());
    }
    Ok(logsource)
}
