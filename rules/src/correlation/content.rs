//! What a rule or a correlation is made of, as a hash: itself and all that feeds it, whatever stands beside it in the set.
//!
//! Two sets in which something is made of the same can share what it remembers. Must never depend on where a document stands in
//! a file or a set, nor on rules that feed it nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use model::Sha256;

use super::graph::{Graph, Node, Port};
use crate::ast::{AlertSpec, Correlation, Rule};

/// For each node what it is made of. Documents that are equal to the last byte are told apart by their order.
pub(super) fn contents(nodes: &[Node], rules: &[&Rule], correlations: &[&Correlation]) -> Vec<Sha256> {
    let mut fed_by: Vec<Vec<(Port, Sha256)>> = vec![Vec::new(); nodes.len()];
    let (mut contents, mut known) = (Vec::new(), BTreeSet::new());
    for (at, node) in nodes.iter().enumerate() {
        let mut text = own(node.index as usize, rules, correlations);
        let mut feeders = fed_by.get_mut(at).map(std::mem::take).unwrap_or_default();
        feeders.sort_unstable();
        for (port, of) in feeders {
            let _ = writeln!(text, "{port:?} {}", of.hex());
        }
        while !known.insert(text.clone()) {
            text.push_str("again\n");
        }
        let content = Sha256::of(text.as_bytes());
        for (fed, port) in &node.feeds {
            fed_by.get_mut(*fed).into_iter().for_each(|of| of.push((*port, content)));
        }
        contents.push(content);
    }
    contents
}

/// A document as it works: with the filters that were appended to it and the placeholders that were resolved.
fn own(at: usize, rules: &[&Rule], correlations: &[&Correlation]) -> String {
    let silenced_by = |alert: &Option<AlertSpec>| {
        let named = alert.iter().flat_map(|alert| &alert.suppressors);
        named.filter_map(|at| rules.get(*at)).map(|rule| rule.id.clone()).collect::<Vec<_>>()
    };
    if let Some(rule) = rules.get(at) {
        let works = (&rule.logsource, &rule.searches, &rule.condition, &rule.wheres);
        return format!("{} {} {works:?} {:?}\n", rule.id, rule.version.hex(), silenced_by(&rule.alert));
    }
    let of = at.checked_sub(rules.len()).and_then(|at| correlations.get(at));
    of.map_or_else(String::new, |of| {
        format!("{} {} {:?} {:?}\n", of.id, of.version.hex(), of.wheres, silenced_by(&of.alert))
    })
}

impl Graph {
    /// What a rule or correlation (by index) is made of. None: it takes no part.
    pub fn content(&self, index: u32) -> Option<Sha256> {
        self.contents.get(self.node(index)?).copied()
    }

    /// The same, and whether it tells alerts of its own: what decides under equal names decides the same.
    pub fn name(&self, index: u32) -> Option<Sha256> {
        let speaks = self.node(index).and_then(|at| self.nodes.get(at)).is_some_and(|node| node.speaks);
        let content = self.content(index)?;
        Some(if speaks { content } else { Sha256::of(format!("silent {}", content.hex()).as_bytes()) })
    }

    /// All that takes part, by what it is made of.
    pub fn by_content(&self) -> BTreeMap<Sha256, u32> {
        self.contents.iter().copied().zip(self.nodes.iter().map(|node| node.index)).collect()
    }
}
