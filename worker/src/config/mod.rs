//! The worker's configuration: read, checked as a whole, then built. Unknown keys are errors; all errors come at once.
//!
//! Secrets are never in it: they are named, as files or environment variables, and read when a connection is opened.

mod alerts;
mod archive;
mod files;
mod limits;
mod lists;
pub(crate) mod yaml;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use ingest::format::{FORMATS, Format, by_name};
use ingest::kafka::{KafkaError, KafkaSettings, SecretFrom};
use ingest::source::kafka::Reset;
use model::{EventClass, Timestamp, Trust, parse_span_ms};
use rules::ast::LogSource;
use sinks::{IncidentLimits, Limits};
use slis::live::ObjectiveSet;

use crate::pipeline::LineageLimits;
pub use alerts::AlertsConfig;
pub use archive::ArchiveConfig;
pub use lists::ListFrom;
use yaml::{Problems, Section};

/// A checked configuration.
#[derive(Debug)]
pub struct Config {
    /// The Kafka cluster.
    pub kafka: KafkaSettings,
    /// Consumer group.
    pub group: String,
    /// Static membership.
    pub instance: Option<String>,
    /// Where a partition without a committed offset begins.
    pub start: Reset,
    /// The sources.
    pub sources: Vec<SourceConfig>,
    /// Rules.
    pub rules: RulesConfig,
    /// Live lists by name.
    pub lists: Vec<(String, ListFrom)>,
    /// Entries that a list from a topic may have.
    pub list_entries_max: usize,
    /// Tables for what events do not say.
    pub enrichment: EnrichmentConfig,
    /// Where alerts go.
    pub alerts: AlertsConfig,
    /// Objectives that are judged; None: there is none.
    pub objectives: Option<Arc<ObjectiveSet>>,
    /// Topic of the release throttle's decisions.
    pub throttle_topic: Option<String>,
    /// The archive of events and alerts; None: none is written.
    pub archive: Option<ArchiveConfig>,
    /// Folder of control log and seal log.
    pub state: PathBuf,
    /// Where the key stands under which secrets in alert keys are named; None: in the state folder.
    pub redaction_key: Option<SecretFrom>,
    /// Health and metrics; loopback.
    pub http: Option<SocketAddr>,
    /// A partition without records for this long counts as idle, milliseconds.
    pub idle_after_ms: i64,
    /// What happened before is history: rules remember it, and nobody is told.
    pub backfill_until: Timestamp,
    /// The state is kept so often, milliseconds, or as often as a twentieth of the time allows.
    pub snapshot_every_ms: i64,
    /// What the rules that read the same sources may hold.
    pub limits: Limits,
    /// What their correlations may hold.
    pub correlations: rules::correlation::Limits,
    /// What lineage and incidents hold.
    pub lineage: (LineageLimits, IncidentLimits),
    /// Entries of a source's table of duplicates.
    pub duplicates_max: usize,
}

/// One source: topics that carry one format, or several that content tells apart.
#[derive(Debug)]
pub struct SourceConfig {
    /// Its name: part of total order and of every event.
    pub name: String,
    /// Its topics.
    pub topics: Vec<String>,
    /// The formats they carry, in the order in which content is guessed; at least one.
    pub formats: Vec<&'static Format>,
    /// For json: the log source of its records.
    pub logsource: Option<LogSource>,
    /// For json: paths of the time.
    pub time: Vec<String>,
    /// For json: paths of the id.
    pub id: Vec<String>,
    /// Classes it may speak; None: any.
    pub classes: Option<BTreeSet<EventClass>>,
    /// Its trust, instead of the format's.
    pub trust: Option<Trust>,
    /// Allowed lateness, milliseconds.
    pub lateness_ms: i64,
    /// How far ahead of its append or fetch time an event may be, milliseconds.
    pub skew_max_ms: i64,
    /// A source whose heartbeats are missed for so long is not heard, milliseconds; None: nobody watches it.
    pub heartbeat_missing_ms: Option<i64>,
}

/// Which rules run.
#[derive(Debug)]
pub struct RulesConfig {
    /// The pack is in.
    pub pack: bool,
    /// The user's files and folders.
    pub paths: Vec<PathBuf>,
    /// Values of placeholders.
    pub placeholders: BTreeMap<String, Vec<String>>,
}

/// Files of tables for enrichment.
#[derive(Debug, Default)]
pub struct EnrichmentConfig {
    /// The inventory.
    pub inventory: Option<PathBuf>,
    /// Network tables, the later over the earlier.
    pub network: Vec<PathBuf>,
}

const DEFAULT_LATENESS_MS: i64 = 60_000;
const DEFAULT_SKEW_MAX_MS: i64 = 300_000;
const DEFAULT_IDLE_AFTER_MS: i64 = 30_000;

impl Config {
    /// Reads and checks a file.
    ///
    /// # Errors
    /// Everything that is wrong, one line each with path and hint.
    pub fn load(file: &Path) -> anyhow::Result<Config> {
        let text = std::fs::read_to_string(file).with_context(|| format!("{}: cannot be read", file.display()))?;
        let name = file.display().to_string();
        let documents = yaml::parse(&text).map_err(|error| anyhow::anyhow!("{name}: {error}"))?;
        let problems = Problems::default();
        let root = Section::root(documents.first(), &problems);
        let config = read(&root, file.parent().unwrap_or(Path::new(".")));
        root.finish();
        let found = problems.list(&name);
        if !found.is_empty() {
            bail!("{} in the configuration:\n  {}", plural(found.len()), found.join("\n  "));
        }
        Ok(config)
    }
}

fn objectives(root: &Section<'_>, folder: &Path) -> Option<Arc<ObjectiveSet>> {
    let read = crate::objectives::read(&root.texts("objectives"), folder);
    read.unwrap_or_else(|error| {
        root.problem("objectives", &format!("{error:#}"));
        None
    })
}

fn plural(n: usize) -> String {
    if n == 1 { "1 problem".to_owned() } else { format!("{n} problems") }
}

fn read(root: &Section<'_>, folder: &Path) -> Config {
    let kafka = root.section("kafka");
    if !kafka.is_there() {
        root.problem("kafka", "is missing (hint: kafka: {bootstrap: HOST:9092})");
    }
    let settings = kafka_settings(&kafka, folder);
    let start = kafka.parsed("start", reset, "error, earliest or latest").unwrap_or(Reset::Error);
    let group = kafka.text("group").unwrap_or_else(|| "pipewarden".to_owned());
    let instance = kafka.text("instance");
    kafka.finish();
    let mut sources: Vec<SourceConfig> =
        root.entries("sources").into_iter().map(|(name, at)| source(name, at)).collect();
    if root.lacks("sources") {
        root.problem("sources", "is missing (hint: sources: {github: {topics: [github-audit], format: github-audit}})");
    }
    sources.sort_by(|a, b| a.name.cmp(&b.name));
    shared_topics(root, &sources);
    let limits = root.section("limits");
    let lists = lists::lists(root, folder, &sources);
    let config = Config {
        kafka: settings,
        group,
        instance,
        start,
        sources,
        rules: rules(root, folder),
        lists,
        list_entries_max: limits.parsed("list_entries_max", limits::positive, "a number above 0").unwrap_or(100_000),
        enrichment: files::enrichment(root, folder),
        alerts: alerts::alerts(root, folder),
        objectives: objectives(root, folder),
        throttle_topic: root.text("throttle_topic"),
        archive: archive::archive(root, folder),
        state: folder.join(root.text("state").unwrap_or_else(|| "state".to_owned())),
        redaction_key: files::redaction_key(root, folder),
        http: root.parsed("http", loopback, "a loopback address and port, like 127.0.0.1:9464"),
        idle_after_ms: root.parsed("idle_after", parse_span_ms, "a span like 30s").unwrap_or(DEFAULT_IDLE_AFTER_MS),
        backfill_until: root
            .parsed("backfill_until", Timestamp::parse, "a time like 2026-09-01T00:00:00Z")
            .unwrap_or(Timestamp::MIN),
        snapshot_every_ms: limits::snapshot_every_ms(root),
        limits: limits::of_lanes(&limits),
        correlations: limits::of_correlations(&limits),
        lineage: limits::of_lineage(&limits),
        duplicates_max: limits.parsed("duplicates_max", limits::positive, "a number above 0").unwrap_or(1_000_000),
    };
    limits.finish();
    config
}

fn kafka_settings(kafka: &Section<'_>, folder: &Path) -> KafkaSettings {
    let mut secrets = BTreeMap::new();
    for (property, from) in kafka.entries("secrets") {
        match (from.text("file"), from.text("env")) {
            (Some(file), None) => drop(secrets.insert(property, SecretFrom::File(folder.join(file)))),
            (None, Some(name)) => drop(secrets.insert(property, SecretFrom::Env(name))),
            _ => from.problem("file", "say where the secret is (hint: {file: PATH} or {env: NAME})"),
        }
        from.finish();
    }
    let settings = KafkaSettings {
        bootstrap: if kafka.is_there() {
            kafka.required("bootstrap", "HOST:PORT, several with commas")
        } else {
            String::new()
        },
        client_id: kafka.text("client_id").unwrap_or_else(|| "pipewarden".to_owned()),
        properties: kafka.named_texts("properties").into_iter().collect(),
        secrets,
    };
    // What is not there has been said.
    let there = |error: &KafkaError| !settings.bootstrap.is_empty() || !error.concerns("bootstrap.servers");
    for error in settings.validate().iter().filter(|error| there(error)) {
        kafka.problem("properties", &format!("{error} (hint: {})", error.hint()));
    }
    settings
}

fn source(name: String, at: Section<'_>) -> SourceConfig {
    let formats = formats(&at);
    let topics = at.texts("topics");
    if topics.is_empty() {
        at.problem("topics", "name at least one topic");
    }
    let logsource = at.section("logsource");
    let given = LogSource {
        product: logsource.text("product"),
        service: logsource.text("service"),
        category: logsource.text("category"),
    };
    let given = logsource.is_there().then_some(given);
    logsource.finish();
    let (time, id) = (at.texts("time"), at.texts("id"));
    let is_raw = formats.iter().any(|format| format.mapping.is_none());
    let names_places = !time.is_empty() || !id.is_empty();
    if names_places && !is_raw {
        at.problem("time", "time and id are for format json; the other formats know theirs");
    }
    if is_raw && time.is_empty() {
        at.problem("time", "is missing (hint: the field that holds the event time; a worker needs one)");
    }
    let trust = at.parsed("trust", Trust::by_name, "control_plane, agent, tenant or attacker_controlled");
    let has_control = formats.iter().all(|format| trust.unwrap_or(format.trust) == Trust::ControlPlane);
    let config = SourceConfig {
        classes: may_say(classes(&at), has_control, &at),
        trust,
        lateness_ms: at.parsed("lateness", parse_span_ms, "a span like 60s or 15m").unwrap_or(DEFAULT_LATENESS_MS),
        skew_max_ms: at.parsed("skew_max", parse_span_ms, "a span like 5m").unwrap_or(DEFAULT_SKEW_MAX_MS),
        heartbeat_missing_ms: heartbeat(&at),
        name,
        topics,
        formats,
        logsource: given,
        time,
        id,
    };
    at.finish();
    config
}

/// `heartbeat`: how long a source may be silent, three times the span between two heartbeats where it says only that.
fn heartbeat(at: &Section<'_>) -> Option<i64> {
    let at_heart = at.section("heartbeat");
    let span = |key| at_heart.parsed(key, |text| parse_span_ms(text).filter(|ms| *ms > 0), "a span like 3m");
    let (every, missing_after) = (span("every"), span("missing_after"));
    let missing_ms = missing_after.or(every.map(|ms| ms.saturating_mul(3)));
    if at_heart.is_there() && missing_ms.is_none() {
        at_heart.problem("missing_after", "is missing (hint: heartbeat: {every: 60s, missing_after: 3m})");
    }
    at_heart.finish();
    missing_ms
}

/// The classes that a source may speak: those it lists; and what only control sources say, for control sources alone.
fn may_say(listed: Option<BTreeSet<EventClass>>, has_control: bool, at: &Section<'_>) -> Option<BTreeSet<EventClass>> {
    if has_control {
        return listed;
    }
    for class in listed.iter().flatten().filter(|class| class.is_for_control()) {
        let why = "only a control source may say this (hint: trust: control_plane, where nobody else can write to its topics)";
        at.problem("classes", &format!("{}: {why}", class.name()));
    }
    let all = || EventClass::ALL.iter().copied();
    Some(listed.unwrap_or_else(|| all().filter(|class| !class.is_for_control()).collect()))
}

/// The formats of a source: one, or a list that content tells apart. What is wrong leaves raw JSON in its place.
fn formats(at: &Section<'_>) -> Vec<&'static Format> {
    let known = || FORMATS.iter().map(|format| format.name).collect::<Vec<_>>().join(", ");
    let names = at.texts("format");
    if !at.has("format") {
        at.problem("format", &format!("is missing (hint: {})", known()));
    } else if at.is_empty_list("format") {
        at.problem("format", &format!("names no format (hint: {})", known()));
    }
    let mut found: Vec<&'static Format> = Vec::new();
    for name in &names {
        match by_name(name) {
            None => at.problem("format", &format!("{name:?} is unknown (hint: {})", known())),
            Some(format) if found.iter().any(|other| other.name == format.name) => {
                at.problem("format", &format!("{name:?} is named twice (hint: once is enough)"));
            }
            Some(format) => found.push(format),
        }
    }
    let unmarked = found.iter().find(|format| format.marks.is_empty());
    if let Some(format) = unmarked.filter(|_| names.len() > 1) {
        let why = "cannot be told from others by its content";
        at.problem("format", &format!("{:?} {why} (hint: a source of its own, with format: {0})", format.name));
    }
    let carriers = found.iter().filter(|format| format.is_envelope());
    if let Some(envelope) = found.first().filter(|_| carriers.count() == names.len()) {
        let hint = format!("format: [{}, cdevents]", envelope.name);
        let what = format!("{:?} is an envelope: name what stands in it, too", envelope.name);
        at.problem("format", &format!("{what} (hint: {hint})"));
    }
    found.sort_by_key(|format| FORMATS.iter().position(|known| known.name == format.name));
    if found.is_empty() { vec![&ingest::format::json::FORMAT] } else { found }
}

fn classes(at: &Section<'_>) -> Option<BTreeSet<EventClass>> {
    let names = at.texts("classes");
    let mut classes = BTreeSet::new();
    for name in &names {
        match EventClass::by_name(name) {
            Some(class) => drop(classes.insert(class)),
            None => at.problem(
                "classes",
                &format!("{name:?} is no class of the model (hint: like ci.runner, secret.access)"),
            ),
        }
    }
    (!names.is_empty()).then_some(classes)
}

fn shared_topics(root: &Section<'_>, sources: &[SourceConfig]) {
    let mut owners: BTreeMap<&str, &str> = BTreeMap::new();
    for source in sources {
        for topic in &source.topics {
            if let Some(other) = owners.insert(topic, &source.name) {
                root.problem("sources", &format!("topic {topic:?} belongs to both {other:?} and {:?}", source.name));
            }
        }
    }
}

fn rules(root: &Section<'_>, folder: &Path) -> RulesConfig {
    let at = root.section("rules");
    let flag = |text: &str| text.parse::<bool>().ok();
    let config = RulesConfig {
        pack: at.parsed("pack", flag, "true or false").unwrap_or(true),
        paths: at.texts("paths").into_iter().map(|path| folder.join(path)).collect(),
        placeholders: at.named_lists("placeholders").into_iter().collect(),
    };
    at.finish();
    config
}

fn reset(text: &str) -> Option<Reset> {
    match text {
        "error" => Some(Reset::Error),
        "earliest" => Some(Reset::Earliest),
        "latest" => Some(Reset::Latest),
        _ => None,
    }
}

/// Health and metrics are for the pod itself and its sidecars.
fn loopback(text: &str) -> Option<SocketAddr> {
    text.parse::<SocketAddr>().ok().filter(|address| address.ip().is_loopback())
}
