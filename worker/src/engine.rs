//! One source's formats and the rule programs compiled for them: built once, shared by all threads that judge.
//!
//! Wiring only: what a format is stands in `ingest`, what a rule is in `rules`. Immutable; a new rule set is a new engine.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ingest::enrich::Tables;
use ingest::format::{FORMATS, Format, MapRow, Plan, Wanted};
use ingest::{Decoder, IdentityKey, Read};
use model::{EventClass, Projection, RedactionKey, Sha256, Slot, Trust};
use rules::ast::{LogSource, Rule};
use rules::lineage::{Ask, Kind, LinkReader, StartReader};
use rules::{CompileError, Lists, Program};

use slis::live::ObjectiveSet;

use crate::archiving::Archiving;
use crate::health::Listening;
use crate::ruleset::RuleSet;

/// What a person wants to see of an event of any format, beside what its rule looks at.
pub const FACTS: [&str; 21] = [
    "event.class",
    "event.action",
    "event.outcome",
    "prov.actor",
    "prov.actor_id",
    "prov.actor_kind",
    "prov.org",
    "prov.team",
    "prov.repo",
    "prov.repo_id",
    "prov.run_id",
    "prov.job_id",
    "prov.runner_name",
    "prov.token_id",
    "prov.token_kind",
    "prov.env",
    "prov.service",
    "src.ip",
    "src.country",
    "ua",
    "object",
];

/// Fields of the default key, first present wins: repository id, its full name, actor id.
pub const DEFAULT_KEY: [&str; 3] = ["prov.repo_id", "prov.repo", "prov.actor_id"];

/// Which formats a source speaks.
#[derive(Debug, Clone)]
pub enum Speaks {
    /// One.
    One(&'static Format),
    /// Any of these, told apart by content.
    Guess(Vec<&'static Format>),
}

/// How one source's records are read.
#[derive(Debug, Clone)]
pub struct Reading {
    /// The source's name.
    pub source: Arc<str>,
    /// Its formats.
    pub speaks: Speaks,
    /// Log source of raw records, instead of the format's own.
    pub logsource: Option<LogSource>,
    /// For raw JSON: paths of the time. None: records have no time.
    pub time: Vec<String>,
    /// For raw JSON: paths of the id.
    pub id: Vec<String>,
    /// Classes that the source may speak; None: any.
    pub classes: Option<BTreeSet<EventClass>>,
    /// Its trust, instead of the format's.
    pub trust: Option<Trust>,
    /// Its events tell of lineage.
    pub lineage: bool,
}

/// A source's formats and programs.
#[derive(Debug)]
pub struct Engine {
    pub(crate) reading: Reading,
    pub(crate) decoder: Arc<Decoder>,
    /// For each of the decoder's formats.
    pub(crate) routes: Arc<[Route]>,
    pub(crate) rules: Arc<RuleSet>,
    pub(crate) lists: Arc<Lists>,
    pub(crate) keys: Keys,
    /// For each of the decoder's formats, where an archive is written or objectives run.
    pub(crate) archiving: Arc<[Archiving]>,
    /// Every event is archived.
    pub(crate) archives: bool,
    /// The objectives that look at events.
    pub(crate) objectives: Option<Arc<ObjectiveSet>>,
}

/// Keys of an installation or a run.
#[derive(Debug, Clone, Copy)]
pub struct Keys {
    /// With which duplicates are found.
    pub identity: IdentityKey,
    /// Under which secrets are named.
    pub redaction: RedactionKey,
}

impl Keys {
    /// Of a process that nobody goes on from: duplicates by a key of its own, secrets by the public one of replays.
    pub fn of_replay() -> Keys {
        Keys { identity: IdentityKey(crate::clock::random_key()), redaction: RedactionKey::default() }
    }
}

/// One format with the programs that its records run through.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) raw: Program,
    pub(crate) classes: BTreeMap<EventClass, Program>,
    /// Of each class, the lineage keys, out of the same view as its program; empty: nobody asks.
    pub(crate) links: BTreeMap<EventClass, LinkReader>,
    /// Of each class, where rules (by version) ask lineage: the keys from which they do.
    pub(crate) starts: BTreeMap<EventClass, Vec<(Sha256, StartReader)>>,
    /// The same format with [`FACTS`] wanted, for records that matched.
    pub(crate) facts: Plan,
    pub(crate) fact_fields: Projection,
    /// Where its records may say how sources are.
    pub(crate) listening: Option<Listening>,
}

impl Engine {
    /// Compiles the rules for a source's formats.
    ///
    /// # Errors
    /// When the rules' texts do not fit an automaton.
    pub fn new(
        reading: Reading,
        rules: Arc<RuleSet>,
        lists: Arc<Lists>,
        tables: Option<Arc<Tables>>,
        keys: Keys,
    ) -> Result<Engine, CompileError> {
        let (formats, is_one) = match &reading.speaks {
            Speaks::One(format) => (vec![*format], true),
            Speaks::Guess(formats) => (formats.clone(), false),
        };
        let (mut routes, mut wanted) = (Vec::new(), Vec::new());
        for format in formats {
            let route = Route::new(format, &reading, &rules, tables.clone())?;
            wanted.push((format, route.wanted(&reading, tables.clone())));
            routes.push(route);
        }
        let decoder = Arc::new(Decoder::new(wanted, reading.trust, is_one));
        let (archiving, archives, objectives) = Default::default();
        Ok(Engine { reading, decoder, routes: routes.into(), rules, lists, keys, archiving, archives, objectives })
    }

    /// The same, and its events are read in full: all of them for an archive, and those that objectives look at.
    pub fn reading_all(
        self,
        archives: bool,
        objectives: Option<Arc<ObjectiveSet>>,
        tables: Option<&Arc<Tables>>,
    ) -> Engine {
        let objectives = objectives.filter(|of| !of.is_empty());
        if !archives && objectives.is_none() {
            return self;
        }
        let of = |plan: &Plan| Archiving::new(plan.format(), self.reading.trust, tables.cloned());
        let archiving = self.decoder.plans().iter().map(of).collect();
        Engine { archiving, archives, objectives, ..self }
    }

    /// Events of this class are wanted in full.
    pub(crate) fn wants_all(&self, class: Option<EventClass>) -> bool {
        self.archives || class.zip(self.objectives.as_ref()).is_some_and(|(class, of)| of.hears(class))
    }

    /// The same with other lists.
    pub fn with_lists(&self, lists: Arc<Lists>) -> Engine {
        let Engine { reading, decoder, routes, rules, keys, archiving, archives, objectives, .. } = self;
        Engine {
            reading: reading.clone(),
            decoder: decoder.clone(),
            routes: routes.clone(),
            rules: rules.clone(),
            lists,
            keys: *keys,
            archiving: archiving.clone(),
            archives: *archives,
            objectives: objectives.clone(),
        }
    }

    /// Records of this source have times.
    pub fn is_timed(&self) -> bool {
        self.decoder.plans().iter().any(|plan| plan.format().mapping.is_some()) || !self.reading.time.is_empty()
    }

    /// Id of one record, read again: for reports about ids, which are rare.
    pub fn id_of(&self, record: &[u8]) -> String {
        let text = std::str::from_utf8(record).unwrap_or_default();
        let mut id = String::new();
        self.decoder.read(&mut ingest::Scratch::default(), text, 0, &mut |_, read| {
            if let Read::Event(seen) = read {
                id = seen.decoded.id.map(Cow::into_owned).unwrap_or_default();
            }
        });
        id
    }

    /// Some record of this source can make an edge of lineage that somebody asks for, by what its formats fill.
    pub fn tells_of_edges(&self) -> bool {
        let routes = self.routes.iter().zip(self.decoder.plans());
        routes
            .into_iter()
            .any(|(route, plan)| route.links.iter().any(|(class, reader)| makes_edges(plan.format(), *class, reader)))
    }

    /// Rules (by index) that records of this source can reach.
    pub fn reads(&self) -> BTreeSet<u32> {
        self.routes
            .iter()
            .flat_map(|route| std::iter::once(&route.raw).chain(route.classes.values()))
            .flat_map(Program::rule_indexes)
            .collect()
    }
}

impl Route {
    fn new(
        format: &'static Format,
        reading: &Reading,
        rules: &RuleSet,
        tables: Option<Arc<Tables>>,
    ) -> Result<Route, CompileError> {
        let compile = |takes: &dyn Fn(&Rule) -> bool| {
            Program::compile_with(&rules.rules, &rules.graph, |at, rule| rules.takes_part(at) && takes(rule))
        };
        let raw = compile(&|rule| takes_raw(format, reading.logsource.as_ref(), &rule.logsource))?;
        let (mut classes, mut links, mut starts) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        // Incidents are joined over every joint; without them nothing is kept that no rule asks for.
        let joints = Kind::ALL.into_iter().filter(|kind| reading.lineage && kind.is_joint());
        let kinds: BTreeSet<Kind> = rules.asked().flat_map(|(_, ask)| ask.needs()).chain(joints).collect();
        if format.mapping.is_some() {
            // What it may not speak of it feeds no rule with, and no rule waits for it.
            let may = |class: &&EventClass| reading.classes.as_ref().is_none_or(|allowed| allowed.contains(class));
            for class in EventClass::ALL.iter().filter(may) {
                let program = compile(&|rule| takes_class(class.name(), &rule.logsource))?;
                if !kinds.is_empty() {
                    let mut fields = program.projection().clone();
                    let asked = rules.asked().filter(|(rule, _)| takes_class(class.name(), &rule.logsource));
                    let read = |(rule, ask): (&Rule, &Ask)| (rule.version, StartReader::new(ask, &mut fields));
                    let asked: Vec<_> = asked.map(read).collect();
                    let reader = LinkReader::of_kinds(*class, fields, &kinds);
                    if reading.lineage || !asked.is_empty() || makes_edges(format, *class, &reader) {
                        links.insert(*class, reader);
                        starts.insert(*class, asked);
                    }
                }
                if !program.is_empty() {
                    classes.insert(*class, program);
                }
            }
        }
        let mut fact_fields = Projection::default();
        FACTS.iter().for_each(|field| {
            let _: Slot = fact_fields.ask(field);
        });
        let all_facts = EventClass::ALL.iter().map(|class| (*class, fact_fields.clone())).collect();
        let facts = Plan::new(format, Wanted { classes: all_facts, tables, ..Wanted::default() }, reading.trust, &[]);
        let listening = Listening::new(format, reading);
        Ok(Route { raw, classes, links, starts, facts, fact_fields, listening })
    }

    /// What its programs ask of records.
    fn wanted(&self, reading: &Reading, tables: Option<Arc<Tables>>) -> Wanted {
        let programs = self.classes.iter().map(|(class, program)| (*class, program.projection().clone()));
        // They want what the programs want, and their own.
        let links = self.links.iter().map(|(class, reader)| (*class, reader.fields().clone()));
        Wanted {
            raw: self.raw.projection().clone(),
            classes: programs.chain(links).collect(),
            id: reading.id.clone(),
            time: reading.time.clone(),
            tables,
        }
    }
}

/// Some event of a class makes an edge, by what the format fills of what is read.
fn makes_edges(format: &Format, class: EventClass, reader: &LinkReader) -> bool {
    let rows = format.mapping.map_or(&[][..], |mapping| mapping.rows);
    let fills = |row: &MapRow| row.classes.is_empty() || row.classes.contains(&class);
    // A form without rows takes every field by its name.
    reader.may_join(|field| rows.is_empty() || rows.iter().any(|row| row.field == field && fills(row)))
}

/// Raw records of a format run through rules whose log source does not contradict theirs. Where the user names the log
/// source (or a format has none), only what both sides name is compared; a native format has no category.
fn takes_raw(format: &Format, given: Option<&LogSource>, rule: &LogSource) -> bool {
    let agree = |ours: Option<&str>, theirs: &Option<String>| match (ours, theirs) {
        (Some(ours), Some(theirs)) => ours.eq_ignore_ascii_case(theirs),
        _ => true,
    };
    match given {
        Some(given) => {
            agree(given.product.as_deref(), &rule.product)
                && agree(given.service.as_deref(), &rule.service)
                && agree(given.category.as_deref(), &rule.category)
        }
        None if format.mapping.is_none() => true,
        None => {
            rule.category.is_none()
                && agree(Some(format.product), &rule.product)
                && agree(Some(format.service), &rule.service)
        }
    }
}

fn takes_class(class: &str, rule: &LogSource) -> bool {
    rule.product.as_deref() == Some("pipewarden") && rule.category.as_deref().is_none_or(|category| category == class)
}

/// Every format whose records can be told apart by content.
pub fn guessable() -> Vec<&'static Format> {
    FORMATS.iter().copied().filter(|format| !format.marks.is_empty()).collect()
}
