//! Which fields a node of the graph reads: of the event at which it holds, and of what feeds it.
//!
//! Must never ask for a field that nothing behind it looks at: each is carried by every event.

use std::collections::BTreeSet;

use super::detecting::{self, Ask};
use super::graph::{Kind, Node, Port};
use super::silence::{announced_needs, scope_needs};
use super::watching::Watch;
use crate::ast::Memory;

/// Fields that a node reads of the event at which it holds, whatever feeds it.
pub(super) fn own_needs(node: &Node) -> BTreeSet<String> {
    match &node.kind {
        Kind::Rule(memories) => {
            let asked = node.asks.iter().flat_map(Ask::fields).map(str::to_owned);
            let watched = node.watch.iter().flat_map(Watch::fields).map(str::to_owned);
            memories.iter().flat_map(memory_fields).chain(asked).chain(watched).collect()
        }
        Kind::Correlation(correlation) => {
            let mut needs = BTreeSet::new();
            match (detecting::risk_fields(correlation), &correlation.condition) {
                (Some(class), _) => needs.extend([class.to_owned()]),
                (None, crate::ast::Condition::Measure { fields, .. }) => needs.extend(fields.iter().cloned()),
                (None, crate::ast::Condition::Occur(_)) => {}
            }
            if let Some(alert) = &correlation.alert {
                needs.extend(alert.fingerprint.iter().flatten().cloned());
                needs.extend(alert.group.iter().flatten().cloned());
                needs.extend(scope_needs(alert));
                for when in alert.routes.iter().filter_map(|route| route.when.as_ref()) {
                    let mut fields = Vec::new();
                    crate::compile::searched_fields(when, &mut fields);
                    needs.extend(fields.into_iter().map(str::to_owned));
                }
            }
            needs
        }
    }
}

fn memory_fields(memory: &Memory) -> Vec<String> {
    match memory {
        Memory::Previous(previous) => {
            previous.key.iter().chain(&previous.ignore_same).chain([&previous.field]).cloned().collect()
        }
        Memory::Interval(interval) => interval.key.iter().map(|[own, ..]| own.clone()).collect(),
    }
}

/// Fields that a node reads of the events that come through one of its ports.
pub(super) fn asked_through(node: &Node, port: Port) -> Vec<String> {
    match (&node.kind, port) {
        (Kind::Correlation(correlation), Port::Reference(at)) => {
            let keys = correlation.group_by.iter().filter_map(|field| field.fields.get(at).cloned());
            let name = correlation.references.get(at).map_or("", |reference| reference.name.as_str());
            let own = |path: &str| path.strip_prefix(name)?.strip_prefix('.').map(str::to_owned);
            let paths = correlation.wheres.iter().flat_map(|expression| expression.fields());
            keys.chain(paths.filter_map(own)).collect()
        }
        (Kind::Rule(_), Port::Announce) => announced_needs(),
        (Kind::Rule(memories), Port::Open(at) | Port::Close(at)) => match memories.get(at) {
            Some(Memory::Interval(interval)) => {
                let side = if port == Port::Open(at) { 1 } else { 2 };
                interval.key.iter().filter_map(|key| key.get(side).cloned()).collect()
            }
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}
