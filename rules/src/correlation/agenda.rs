//! Where an event goes next in the graph: nodes with the ports through which it comes, the first node first.
//!
//! An event goes to few nodes, so they stand in one sorted piece of memory. Must never hold a port twice.

use super::graph::Port;

/// See the module. The last one is next.
#[derive(Debug, Default)]
pub(super) struct Agenda(Vec<(usize, Port)>, u16);

impl Agenda {
    pub(super) fn insert(&mut self, node: usize, port: Port) {
        if let Err(place) = self.0.binary_search_by(|known| (node, port).cmp(known)) {
            self.0.insert(place, (node, port));
        }
    }

    /// The first node; its ports, ascending, take the place of what `ports` held.
    pub(super) fn pop(&mut self, ports: &mut Vec<Port>) -> Option<usize> {
        ports.clear();
        let (node, _) = *self.0.last()?;
        while let Some((_, port)) = self.0.pop_if(|(next, _)| *next == node) {
            ports.push(port);
        }
        Some(node)
    }

    /// What has not been gone to.
    pub(super) fn iter(&self) -> impl Iterator<Item = &(usize, Port)> {
        self.0.iter().rev()
    }

    /// Another event, which came through a gate.
    pub(super) fn begin(&mut self, gate: u16) {
        self.0.clear();
        self.1 = gate;
    }

    /// The gate that its event came through.
    pub(super) fn gate(&self) -> u16 {
        self.1
    }
}
