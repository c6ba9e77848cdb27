//! In which order nodes whose timers are due at one time have their turn.
//!
//! Must never depend on the order in which rules were loaded.

use std::sync::Arc;

use model::RuleInfo;

use super::graph::Graph;

/// For each node its place by longest way from an event, then by id.
pub(super) fn ranks(graph: &Graph, info: &impl Fn(u32) -> Option<Arc<RuleInfo>>) -> Vec<u32> {
    let mut depths = vec![0usize; graph.nodes.len()];
    for (at, node) in graph.nodes.iter().enumerate() {
        let behind = depths.get(at).map_or(0, |depth| depth + 1);
        for (fed, _) in &node.feeds {
            if let Some(depth) = depths.get_mut(*fed) {
                *depth = behind.max(*depth);
            }
        }
    }
    let named = graph.nodes.iter().zip(depths).enumerate();
    let mut order: Vec<_> =
        named.map(|(at, (node, depth))| (depth, info(node.index).map(|info| info.id.clone()), at)).collect();
    order.sort();
    let mut ranks = vec![0; order.len()];
    for (rank, (.., at)) in (0..).zip(order) {
        if let Some(place) = ranks.get_mut(at) {
            *place = rank;
        }
    }
    ranks
}
