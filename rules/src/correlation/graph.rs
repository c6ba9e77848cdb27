//! Which rule feeds what: correlations, and rules that remember, in an order in which each comes behind what feeds it.
//!
//! Built once from a rule set, immutable, shared by everything that judges or correlates. Must never hold state of a run.

use std::collections::{BTreeMap, BTreeSet};

use std::hash::BuildHasher;
use std::sync::Arc;

use model::{Carried, CarriedField, Sha256};
use rustc_hash::FxBuildHasher;

use super::content;
use super::deriving;
use super::detecting::{self, Ask};
use super::needs::{asked_through, own_needs};
use super::silence::Silencing;
use super::watching::{self, Watch};
use crate::ast::{Correlation, ListUse, Memory, Reference, Rule, Target};

/// Whose event it is: a flood of keys costs its author's keys first.
const PRINCIPAL: &str = "prov.actor_id";

/// What feeds what in a rule set. Rules are numbered as in the set; correlations behind them, in their order.
#[derive(Debug)]
pub struct Graph {
    /// In an order in which each comes behind what feeds it.
    pub(super) nodes: Vec<Node>,
    /// By index in the set.
    of_index: BTreeMap<u32, usize>,
    /// Names of carried fields, by number.
    fields: Vec<String>,
    /// The field that names whose event it is.
    principal: Option<CarriedField>,
    watched: BTreeMap<u32, Watched>,
    pub(super) silencing: Silencing,
    /// By node: what it is made of.
    pub(super) contents: Vec<Sha256>,
    version: Sha256,
}

impl Default for Graph {
    fn default() -> Graph {
        let (nodes, of_index, fields, watched, contents) = Default::default();
        let silencing = Silencing::default();
        Graph { nodes, of_index, fields, principal: None, watched, silencing, contents, version: Sha256::of(b"") }
    }
}

/// A rule or a correlation that takes part.
#[derive(Debug)]
pub(super) struct Node {
    /// In the set: rules, then correlations.
    pub(super) index: u32,
    pub(super) kind: Kind,
    /// Whom it feeds, and through which port.
    pub(super) feeds: Vec<(usize, Port)>,
    /// It tells alerts of its own.
    pub(super) speaks: bool,
    /// Lists that it and what feeds it read: where one is missing, it wakes nobody.
    pub(super) lists: Vec<ListUse>,
    /// What a rule asks of detectors.
    pub(super) asks: Vec<Ask>,
    /// What a rule lets a detector watch.
    pub(super) watch: Option<Watch>,
    /// A rule on anomalies: they are judged where they are found.
    pub(super) on_anomalies: Option<Arc<Rule>>,
    /// What each reference of a correlation adds to a sum of risk.
    pub(super) weights: Vec<f64>,
}

impl Node {
    /// A rule that earlier events decide, too.
    fn remembers(&self) -> bool {
        let learns = !self.asks.is_empty() || self.watch.is_some() || self.on_anomalies.is_some();
        learns || matches!(&self.kind, Kind::Rule(memories) if !memories.is_empty())
    }
}

#[derive(Debug)]
pub(super) enum Kind {
    /// A rule, with what it remembers.
    Rule(Vec<Memory>),
    /// A correlation.
    Correlation(Box<Correlation>),
}

/// Through which part a node is fed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Port {
    /// The rule's own detection matched.
    Own,
    /// A correlation's reference holds.
    Reference(usize),
    /// The opening event of a rule's memory, by its number.
    Open(usize),
    /// The closing event.
    Close(usize),
    /// An announced period, which explains what a detector finds.
    Announce,
    /// What the rule's detector finds is an event for this one.
    Anomaly,
}

/// What judging has to carry for a rule.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Watched {
    /// Fields that those it feeds ask for, and their numbers.
    pub fields: Vec<(CarriedField, String)>,
    /// What it remembers decides whether it holds: nothing is told before.
    pub remembers: bool,
    /// It tells alerts of its own.
    pub speaks: bool,
}

impl Graph {
    /// The graph of a set. `speaks` says by index whether a rule or correlation tells alerts of its own.
    pub fn new(
        rules: &[impl AsRef<Rule>],
        correlations: &[impl AsRef<Correlation>],
        speaks: impl Fn(u32) -> bool,
    ) -> Graph {
        let mut building = Building {
            rules: rules.iter().map(AsRef::as_ref).collect(),
            correlations: correlations.iter().map(AsRef::as_ref).collect(),
            graph: Graph::default(),
            on_the_way: BTreeSet::new(),
        };
        for at in 0..building.correlations.len() {
            building.add(Target::Correlation(at), &speaks);
        }
        for at in 0..building.rules.len() {
            if building.rules.get(at).is_some_and(|rule| rule.remembers() || deriving::is_about_anomalies(rule)) {
                building.add(Target::Rule(at), &speaks);
            }
        }
        let silencing = Silencing::new(&building.rules, &building.correlations);
        for rule in silencing.announcing() {
            building.add(Target::Rule(rule as usize), &speaks);
        }
        building.graph.silencing = silencing;
        building.finish()
    }

    /// Nothing remembers anything.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// What has to be carried of a rule; None: nothing remembers it.
    pub fn watched(&self, rule: u32) -> Option<&Watched> {
        self.watched.get(&rule)
    }

    /// A correlation, or a rule that remembers: more than one event decides whether it holds.
    pub fn decides(&self, index: u32) -> bool {
        let node = self.node(index).and_then(|at| self.nodes.get(at));
        node.is_some_and(|node| node.remembers() || matches!(node.kind, Kind::Correlation(_)))
    }

    /// Names all that takes part, by what it is made of and where it stands: equal graphs number all of it equally.
    pub fn version(&self) -> Sha256 {
        self.version
    }

    /// Numbers and names of the fields that events carry.
    pub fn named_fields(&self) -> Vec<(CarriedField, String)> {
        self.fields.iter().enumerate().map(|(at, name)| (at as CarriedField, name.clone())).collect()
    }

    /// Whose event it is, as a hash; 0 where nobody says.
    pub(super) fn principal(&self, carried: &Carried) -> u32 {
        let text = self.principal.and_then(|field| carried.text(field));
        text.map_or(0, |text| (FxBuildHasher.hash_one(text) >> 32) as u32)
    }

    /// Number of a carried field.
    pub(super) fn field(&self, name: &str) -> Option<CarriedField> {
        self.fields.iter().position(|known| known == name).map(|at| at as CarriedField)
    }

    /// Where a rule or correlation of the set stands.
    pub(super) fn node(&self, index: u32) -> Option<usize> {
        self.of_index.get(&index).copied()
    }

    /// The rules and correlations (by index) that decide, and for each the rules that feed it, over any number of steps.
    pub fn feeders(&self) -> BTreeMap<u32, BTreeSet<u32>> {
        let mut feeders: Vec<BTreeSet<u32>> = vec![BTreeSet::new(); self.nodes.len()];
        let mut by_index = BTreeMap::new();
        for (at, node) in self.nodes.iter().enumerate() {
            let mut own = feeders.get_mut(at).map(std::mem::take).unwrap_or_default();
            if matches!(node.kind, Kind::Rule(_)) {
                own.insert(node.index);
            }
            for (fed, _) in &node.feeds {
                if let Some(fed) = feeders.get_mut(*fed) {
                    fed.extend(&own);
                }
            }
            by_index.insert(node.index, own);
        }
        by_index
    }

    /// For each of those, the rules that open and close the intervals that decide it, its own or those of what feeds it.
    pub fn bounders(&self) -> BTreeMap<u32, BTreeSet<u32>> {
        let feeders = self.feeders();
        let mut bounders: Vec<BTreeSet<u32>> = vec![BTreeSet::new(); self.nodes.len()];
        for (at, node) in self.nodes.iter().enumerate() {
            let own = bounders.get(at).cloned().unwrap_or_default();
            for (fed, port) in &node.feeds {
                let Some(fed) = bounders.get_mut(*fed) else { continue };
                fed.extend(&own);
                if let Port::Open(_) | Port::Close(_) = port {
                    fed.extend(feeders.get(&node.index).into_iter().flatten());
                }
            }
        }
        self.nodes.iter().map(|node| node.index).zip(bounders).collect()
    }
}

struct Building<'a> {
    rules: Vec<&'a Rule>,
    correlations: Vec<&'a Correlation>,
    graph: Graph,
    /// Guards against a cycle, which the parser refuses.
    on_the_way: BTreeSet<Target>,
}

impl Building<'_> {
    fn index(&self, target: Target) -> u32 {
        match target {
            Target::Rule(at) => at as u32,
            Target::Correlation(at) => (self.rules.len() + at) as u32,
        }
    }

    /// Adds what a target is fed by, then the target; gives its place.
    fn add(&mut self, target: Target, speaks: &impl Fn(u32) -> bool) -> Option<usize> {
        let index = self.index(target);
        if let Some(known) = self.graph.node(index) {
            return Some(known);
        }
        if !self.on_the_way.insert(target) {
            return None;
        }
        let (kind, references) = match target {
            Target::Rule(at) => {
                let rule = self.rules.get(at)?;
                let mut references = memory_references(&rule.memories);
                references.extend(watching::announcers(rule).map(|of| (Target::Rule(of), Port::Announce)));
                if deriving::is_about_anomalies(rule) {
                    let feeding = self.rules.iter().enumerate().filter(|(_, of)| deriving::feeds(of, rule));
                    references.extend(feeding.map(|(of, _)| (Target::Rule(of), Port::Anomaly)));
                }
                (Kind::Rule(rule.memories.clone()), references)
            }
            Target::Correlation(at) => {
                let correlation = (*self.correlations.get(at)?).clone();
                let numbered = correlation.references.iter().enumerate();
                let references = numbered.map(|(at, of)| (of.target, Port::Reference(at))).collect();
                (Kind::Correlation(Box::new(correlation)), references)
            }
        };
        let feeders: Vec<(usize, Port)> =
            references.into_iter().filter_map(|(target, port)| Some((self.add(target, speaks)?, port))).collect();
        let at = self.graph.nodes.len();
        let mut lists = match target {
            Target::Rule(at) => self.rules.get(at).map(|rule| crate::compile::list_uses(rule)).unwrap_or_default(),
            Target::Correlation(at) => self.correlations.get(at).map(|of| of.lists.clone()).unwrap_or_default(),
        };
        for use_of in
            feeders.iter().filter_map(|(feeder, _)| self.graph.nodes.get(*feeder)).flat_map(|node| &node.lists)
        {
            if !lists.contains(use_of) {
                lists.push(use_of.clone());
            }
        }
        let (speaks, feeds) = (speaks(index), Vec::new());
        let node = Node { index, kind, feeds, speaks, lists, ..self.asking(target) };
        self.graph.nodes.push(node);
        self.graph.of_index.insert(index, at);
        for (feeder, port) in feeders {
            if let Some(feeder) = self.graph.nodes.get_mut(feeder) {
                feeder.feeds.push((at, port));
            }
        }
        Some(at)
    }

    /// A node with no more than what its document asks of detectors, or of what they find.
    fn asking(&self, target: Target) -> Node {
        let (asks, watch, on_anomalies, weights) = Default::default();
        let (index, kind, feeds, lists) = (self.index(target), Kind::Rule(Vec::new()), Vec::new(), Vec::new());
        let node = Node { index, kind, feeds, speaks: false, lists, asks, watch, on_anomalies, weights };
        match target {
            Target::Rule(at) => match self.rules.get(at) {
                None => node,
                Some(rule) => Node {
                    asks: detecting::asks(rule),
                    watch: Watch::of(rule),
                    on_anomalies: deriving::is_about_anomalies(rule).then(|| Arc::new((*rule).clone())),
                    ..node
                },
            },
            Target::Correlation(at) => {
                let weights = |of: &&Correlation| detecting::weights(of, &self.rules, &self.correlations);
                Node { weights: self.correlations.get(at).map(weights).unwrap_or_default(), ..node }
            }
        }
    }

    /// What each node needs of an event, handed down to the rules that its events come from.
    fn finish(mut self) -> Graph {
        let mut needs: Vec<BTreeSet<String>> = self.graph.nodes.iter().map(own_needs).collect();
        for (node, needs) in self.graph.nodes.iter().zip(&mut needs) {
            needs.extend(self.graph.silencing.needs(node.index));
        }
        for at in (0..self.graph.nodes.len()).rev() {
            let Some(node) = self.graph.nodes.get(at) else { continue };
            let mut asked = needs.get(at).cloned().unwrap_or_default();
            for (fed, port) in &node.feeds {
                let Some(fed_node) = self.graph.nodes.get(*fed) else { continue };
                let handed_on = || needs.get(*fed).into_iter().flatten().cloned();
                if let (Port::Anomaly, Some(rule)) = (port, &fed_node.on_anomalies) {
                    asked.extend(deriving::asked_of_parent(rule, handed_on()));
                }
                asked.extend(asked_through(fed_node, *port));
                // What holds at this event may feed others, which read their fields from the same event.
                if let Port::Reference(_) = port {
                    asked.extend(handed_on());
                }
            }
            if let Some(own) = needs.get_mut(at) {
                *own = asked;
            }
        }
        for (node, needs) in self.graph.nodes.iter().zip(&mut needs) {
            let rule = self.rules.get(node.index as usize);
            if rule.is_some_and(|rule| rule.logsource.product.as_deref() == Some("pipewarden")) {
                needs.insert(PRINCIPAL.to_owned());
            }
        }
        let mut names: BTreeSet<&String> = needs.iter().flatten().collect();
        self.graph.fields = std::mem::take(&mut names).into_iter().cloned().collect();
        self.graph.principal = self.graph.field(PRINCIPAL);
        self.graph.contents = content::contents(&self.graph.nodes, &self.rules, &self.correlations);
        let mut documents = String::new();
        for (node, content) in self.graph.nodes.iter().zip(&self.graph.contents) {
            documents.push_str(&format!("{} {} {} {:?}\n", node.index, content.hex(), node.speaks, node.feeds));
        }
        self.graph.version = Sha256::of(documents.as_bytes());
        for (at, node) in self.graph.nodes.iter().enumerate() {
            let Kind::Rule(_) = &node.kind else { continue };
            let fields = needs.get(at).into_iter().flatten();
            let fields = fields.filter_map(|name| Some((self.graph.field(name)?, name.clone()))).collect();
            self.graph.watched.insert(node.index, Watched { fields, remembers: node.remembers(), speaks: node.speaks });
        }
        self.graph
    }
}

fn memory_references(memories: &[Memory]) -> Vec<(Target, Port)> {
    let mut references = Vec::new();
    for (at, memory) in memories.iter().enumerate() {
        if let Memory::Interval(interval) = memory {
            let Reference { target: open, .. } = interval.open;
            let Reference { target: close, .. } = interval.close;
            references.extend([(open, Port::Open(at)), (close, Port::Close(at))]);
        }
    }
    references
}
