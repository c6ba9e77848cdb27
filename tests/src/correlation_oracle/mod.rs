//! What rules that look at more than one event must say, found by brute force: for every event and every timer everything
//! is recomputed from the events that lie before it.
//!
//! Written from the promises (windows, equal times, timers, life of an alert), not from the engine. It shares the parsed
//! documents and the slow evaluator of single events and nothing else. Must never become clever, nor keep a window.

pub mod arrival;
pub mod draw;
mod draw_rules;
pub mod engine;
pub mod health;
mod life;
mod measure;
mod occur;
pub mod previews;
mod remember;
mod wait;
mod world;

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::path::PathBuf;

use model::Sha256;
use rules::ast::{AlertSpec, Correlation, Memory, Rule, Target};
use rules::parse::{Settings, load_texts};
use serde_json::Value;

/// Name of the source.
pub const SOURCE: &str = "replay";

/// One event: what its record says.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Event time in milliseconds.
    pub at_ms: i64,
    /// Event id: the record's own, else the hash of its bytes.
    pub id: String,
    /// The record has an id of its own, so that a copy of it is a duplicate.
    pub has_id: bool,
    /// Its bytes.
    pub line: String,
    /// Its fields.
    pub fields: Value,
}

impl Event {
    /// Reads a record: time in `t`, id (where it has one) in `id`.
    pub fn read(line: &str) -> Event {
        let fields: Value = serde_json::from_str(line).expect("a record");
        let at_ms = model::Timestamp::parse(fields["t"].as_str().expect("a time")).expect("a time").ms();
        let own = fields["id"].as_str().map(str::to_owned);
        let has_id = own.is_some();
        Event { at_ms, id: own.unwrap_or_else(|| Sha256::of(line.as_bytes()).hex()), has_id, line: line.into(), fields }
    }

    /// Hash of its bytes.
    pub fn sha256(&self) -> String {
        Sha256::of(self.line.as_bytes()).hex()
    }

    /// The texts of a field, numbers as they are written.
    fn texts(&self, field: &str) -> Vec<String> {
        let text = |value: &Value| match value {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        match &self.fields[field] {
            Value::Array(members) => members.iter().filter_map(text).collect(),
            one => text(one).into_iter().collect(),
        }
    }

    /// Every way to take one text of each field, each once, in order of appearance; none where a field is missing.
    fn tuples(&self, fields: &[String]) -> Vec<Vec<String>> {
        let mut tuples = vec![Vec::new()];
        for field in fields {
            let texts = self.texts(field);
            let longer = |tuple: &Vec<String>| {
                texts.iter().map(|text| tuple.iter().chain([text]).cloned().collect()).collect::<Vec<_>>()
            };
            tuples = tuples.iter().flat_map(longer).collect();
        }
        let mut seen = BTreeSet::new();
        tuples.retain(|tuple| seen.insert(tuple.clone()));
        tuples
    }

    /// Total order of events.
    pub fn order(&self, other: &Event) -> Ordering {
        let key = |event: &Event| (event.at_ms, event.id.clone(), event.sha256());
        key(self).cmp(&key(other))
    }
}

/// Rules and correlations, those that are fed behind those that feed them.
pub struct Documents {
    rules: Vec<Rule>,
    correlations: Vec<Correlation>,
    /// All, by depth and id.
    order: Vec<Target>,
}

impl Documents {
    /// Reads YAML. Panics where a document is refused.
    pub fn read(text: &str) -> Documents {
        Documents::try_read(text).unwrap_or_else(|why| panic!("{why}\n{text}"))
    }

    /// Reads YAML.
    ///
    /// # Errors
    /// The messages, where a document is refused.
    pub fn try_read(text: &str) -> Result<Documents, String> {
        let loaded = load_texts(&[(PathBuf::from("rules.yml"), text)], &Settings::default());
        if !loaded.refused.is_empty() {
            return Err(format!("{:?}", loaded.refused));
        }
        let mut documents = Documents { rules: loaded.rules, correlations: loaded.correlations, order: Vec::new() };
        let all = (0..documents.rules.len()).map(Target::Rule);
        let mut order: Vec<Target> = all.chain((0..documents.correlations.len()).map(Target::Correlation)).collect();
        order.sort_by_key(|target| (documents.depth(*target), documents.id(*target).to_owned()));
        documents.order = order;
        Ok(documents)
    }

    fn id(&self, target: Target) -> &str {
        match target {
            Target::Rule(at) => &self.rules[at].id,
            Target::Correlation(at) => &self.correlations[at].id,
        }
    }

    fn alert(&self, target: Target) -> Option<&AlertSpec> {
        match target {
            Target::Rule(at) => self.rules[at].alert.as_ref(),
            Target::Correlation(at) => self.correlations[at].alert.as_ref(),
        }
    }

    /// What a document refers to.
    fn refers_to(&self, target: Target) -> Vec<Target> {
        match target {
            Target::Correlation(at) => self.correlations[at].references.iter().map(|of| of.target).collect(),
            Target::Rule(at) => {
                let ends = |memory: &Memory| match memory {
                    Memory::Interval(interval) => vec![interval.open.target, interval.close.target],
                    Memory::Previous(_) => Vec::new(),
                };
                self.rules[at].memories.iter().flat_map(ends).collect()
            }
        }
    }

    /// Longest way to an event.
    fn depth(&self, target: Target) -> usize {
        self.refers_to(target).into_iter().map(|of| 1 + self.depth(of)).max().unwrap_or(0)
    }

    /// It tells alerts: it has an `x-alert`, or nobody refers to it, or a correlation that lists it says `generate`.
    fn speaks(&self, target: Target) -> bool {
        let generates = |of: &Correlation| of.generate && of.references[..of.listed].iter().any(|r| r.target == target);
        self.alert(target).is_some()
            || !self.order.iter().any(|other| self.refers_to(*other).contains(&target))
            || self.correlations.iter().any(generates)
    }
}

/// Where something is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    at_ms: i64,
    /// 0 at an event, 1 at a timer at which a rule holds, 2 at one that expires.
    kind: u8,
    /// Number of the event in total order; 0 at timers.
    event: usize,
}

/// A rule holds (or closing evidence came) somewhere.
#[derive(Debug, Clone)]
struct Told {
    place: Place,
    target: Target,
    key: Vec<(String, String)>,
    pages: bool,
    /// Numbers of the events, in total order.
    evidence: Vec<usize>,
    value: Option<f64>,
    /// One event decided, at that event.
    by_one_event: bool,
    /// Closing evidence.
    resolves: bool,
}

/// What must be told of events (each once, in total order, none late), with what is said of their source: alerts, or with
/// `every_match` each match.
pub fn expected(documents: &Documents, events: &[Event], health: &[health::Said], every_match: bool) -> Vec<Value> {
    let told = world::World::new(documents, events, health).run();
    life::records(documents, events, told, every_match)
}
