//! What is told ahead: an event that has just come walks through what it feeds, over states that hold all that waits.
//!
//! On input in order what is told ahead comes true: what a timer decides waits until its time has passed, and where timers
//! take part in what feeds a condition, only one that more events cannot make false is told. Deadlines and denials wait for
//! the cursor. Sealed state is never changed.

use std::sync::Arc;

use model::{Arrival, Derived, Finding, Occurrence};

use super::engine::{Active, Correlations, Walk, node_of};
use super::graph::{Graph, Kind, Port};
use super::group::Groups;
use super::keys::Key;
use super::measure::Measure;
use super::spec::{Occurring, References, Remembered, Sequence, Work};
use super::state::{Seen, Verdict};
use super::step::{Means, step};
use super::temporal::Wanted;

/// A timer decides whether it holds.
fn takes_its_time(work: &Work) -> bool {
    match work {
        Work::Absence(_) => true,
        Work::Present(occurring) => occurring.decided_after.is_some(),
        Work::Rule(memories) => {
            memories.iter().any(|memory| matches!(memory, Remembered::Interval { .. } | Remembered::Watched(_)))
        }
        _ => false,
    }
}

/// More events in its window cannot make it false.
fn only_grows(work: &Work) -> bool {
    match work {
        Work::Count(measure) | Work::Distinct(measure, _) => measure.only_grows(),
        Work::Chains(Sequence { measure, .. }) => measure.as_ref().is_none_or(Measure::only_grows),
        Work::Present(Occurring { wanted: Wanted::Distinct(measure), .. }) => measure.only_grows(),
        Work::Present(occurring) => occurring.decided_after.is_none(),
        Work::Join(..) => true,
        Work::Risk(summing) => summing.only_grows(),
        Work::Rule(_) | Work::Values(..) | Work::Absence(_) => false,
    }
}

/// For each node whether timers take part, over any number of steps, in what it is fed.
fn uncertain(graph: &Graph, nodes: &[Option<Active>]) -> Vec<bool> {
    let mut uncertain = vec![false; graph.nodes.len()];
    for (at, node) in graph.nodes.iter().enumerate() {
        let work = nodes.get(at).and_then(Option::as_ref).map(|active| &active.spec.work);
        if work.is_some_and(takes_its_time) || uncertain.get(at) == Some(&true) {
            node.feeds.iter().for_each(|(fed, _)| {
                if let Some(fed) = uncertain.get_mut(*fed) {
                    *fed = true;
                }
            });
        }
    }
    uncertain
}

impl Correlations {
    /// Tells what holds at an event that has just come, as far as is known.
    pub(super) fn look_ahead(&mut self, event: &Occurrence, tell: &mut dyn FnMut(Derived)) {
        if self.ahead.uncertain.is_empty() {
            self.ahead.uncertain = uncertain(&self.graph, &self.nodes);
            self.ahead.detectors = self.detectors.iter().map(|detector| detector.ahead()).collect();
        }
        let number = self.ahead.number();
        let walk = self.enter(event.clone(), number, tell);
        self.walk_ahead(walk);
    }

    /// As sealing walks.
    pub(super) fn walk_ahead(&mut self, mut walk: Walk<'_>) {
        let (graph, nodes) = (self.graph.clone(), self.nodes.clone());
        let mut ports = Vec::new();
        while let Some(at) = walk.agenda.pop(&mut ports) {
            let Some(active) = nodes.get(at).and_then(Option::as_ref) else { continue };
            let holds = match (graph.nodes.get(at).map(|node| &node.kind), &active.spec.work) {
                (Some(Kind::Rule(_)), Work::Rule(memories)) => self.rule_ahead(at, &ports, memories, &mut walk),
                (Some(Kind::Correlation(_)), _) => self.correlation_ahead(at, active, &ports, &mut walk),
                _ => false,
            };
            if holds {
                self.feed(at, &mut walk.agenda);
            }
        }
        let Walk { seen, found, timer, tell, .. } = walk;
        for found in found {
            if let Some(walk) = self.derived(&found, (&seen, timer), |of| of.ahead.number(), &mut *tell) {
                self.walk_ahead(walk);
            }
        }
    }

    fn correlation_ahead(&mut self, at: usize, active: &Active, ports: &[Port], walk: &mut Walk<'_>) -> bool {
        let work = &active.spec.work;
        if takes_its_time(work) || self.is_uncertain(at) && !only_grows(work) {
            return false;
        }
        let (mut groups, mut entering) = (Groups::default(), Vec::new());
        self.groups(at, ports, &walk.seen, &mut groups, &mut entering);
        let mut holds = false;
        for (key, references) in entering {
            let key = groups.key(key);
            let found = match work {
                Work::Risk(summing) => {
                    let seen = walk.seen.clone();
                    let Correlations { detectors, ahead, .. } = self;
                    let verdict = summing.add(key.text, &references, &seen, &mut |number, observation| {
                        detectors.get(number)?.peek(ahead.detectors.get_mut(number)?.as_mut(), observation)
                    });
                    verdict.map(|verdict| (seen, verdict))
                }
                _ => self.step_ahead(at, active, key, references, walk),
            };
            let Some((seen, verdict)) = found else { continue };
            let Some(urgency) = self.urgency(at, &seen) else { continue };
            holds = true;
            if active.speaks {
                let told = (urgency, Arrival::OnTime);
                let finding: Finding = active.voice.finding(key.text, &seen, &verdict, walk.timer, told);
                (walk.tell)(Derived::Holds(finding));
            }
        }
        holds
    }

    pub(super) fn is_uncertain(&self, at: usize) -> bool {
        self.ahead.uncertain.get(at) == Some(&true)
    }

    /// The event enters its key's state ahead; gives the first event from it on at which the condition is true.
    fn step_ahead(
        &mut self,
        at: usize,
        active: &Active,
        key: Key<'_>,
        references: References,
        walk: &Walk<'_>,
    ) -> Option<(Arc<Seen>, Verdict)> {
        let (spec, node) = (&active.spec, node_of(at, 0));
        let Correlations { keys, handles, ahead, lists, scratch, .. } = self;
        let sealed = || keys.get(node, key).map_or_else(|| spec.state(), |entry| entry.state.clone());
        let entering = (walk.spot(), (walk.seen.clone(), walk.handle), references);
        ahead.enter((node, key.text), entering, &sealed, &mut |state, references, event| {
            let means = Means { lists, handles, row: &mut scratch.row, text: &mut scratch.key };
            step(spec, state, references, event, means)
        })
    }
}
