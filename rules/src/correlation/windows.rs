//! Events entering the windows of correlations, behind the cursor.
//!
//! Must never tell what a timer has to decide.

use std::sync::Arc;

use model::{Derived, Place, Resolution, Timestamp};

use super::absence::Clock;
use super::engine::{Correlations, Walk, node_of};
use super::keys::{Key, SlotId};
use super::spec::{Occurring, Work};
use super::state::{Seen, State};
use super::step::{Means, step};
use super::waiting::fits;

impl Correlations {
    /// The event enters the window of one group; says whether the correlation holds at it.
    pub(super) fn group(&mut self, at: usize, key: Key<'_>, references: &[usize], walk: &mut Walk<'_>) -> bool {
        let Correlations { nodes, keys, handles, ahead, timers, lists, scratch, .. } = self;
        let Some(active) = nodes.get(at).and_then(Option::as_ref) else { return false };
        let (spec, seen) = (&active.spec, &walk.seen);
        if let Work::Risk(summing) = &spec.work {
            let detectors = &mut self.detectors;
            let verdict =
                summing.add(key.text, references, seen, &mut |number, event| detectors.get_mut(number)?.observe(event));
            return verdict.is_some_and(|verdict| self.holds(at, key.text, &verdict, walk));
        }
        let kept_ms = spec.kept_ms();
        let slot = keys.slot(node_of(at, 0), key, (seen.at.saturating_add(kept_ms), kept_ms), || spec.state());
        let Some(entry) = keys.entry_mut(slot) else { return false };
        ahead.sealed(node_of(at, 0), key.text, || walk.spot());
        entry.fed_at = seen.at;
        entry.principal = walk.principal;
        if let Work::Absence(_) = &spec.work {
            self.absence(at, slot, references, key.text, walk);
            return false;
        }
        let means = Means { lists, handles, row: &mut scratch.row, text: &mut scratch.key };
        let verdict = step(spec, &mut entry.state, references, (seen, walk.handle), means);
        if let (Work::Present(Occurring { decided_after: Some(after), .. }), State::Present(present)) =
            (&spec.work, &mut entry.state)
            && references.iter().any(|reference| after.contains(reference))
        {
            let due = seen.later(spec.span_ms);
            present.decide_later(due, seen.clone());
            timers.insert((due, slot));
        }
        verdict.is_some_and(|verdict| self.holds(at, key.text, &verdict, walk))
    }

    /// What starts a wait, what is waited for, what ends it: in the order that lets equal times satisfy either.
    fn absence(&mut self, at: usize, slot: SlotId, references: &[usize], key: &str, walk: &mut Walk<'_>) {
        let Correlations { nodes, keys, timers, health, lists, scratch, .. } = self;
        let Some(active) = nodes.get(at).and_then(Option::as_ref) else { return };
        let Work::Absence(waiting) = &active.spec.work else { return };
        let clock = Clock { spans: waiting.spans, gaps: health.gaps(at) };
        keys.keep_until(slot, clock.counts_until(walk.seen.at));
        let Some(State::Waits(waits)) = keys.entry_mut(slot).map(|entry| &mut entry.state) else { return };
        let row = &mut scratch.row;
        let mut fits = |start: &Arc<Seen>, expected: &Arc<Seen>| fits(waiting, start, expected, lists, row);
        let is = |of: &[usize]| of.iter().any(|reference| references.contains(reference));
        let seen = &walk.seen;
        if is(&waiting.expect) && waits.expect(seen, clock, !waiting.predicates.is_empty(), &mut fits) {
            let alert_key = active.voice.key(key, seen);
            let place = walk.timer.map_or_else(
                || Place::Event(seen.order.clone()),
                |time| Place::Timer { time: Timestamp::from_ms(time), expires: false },
            );
            if active.speaks {
                (walk.tell)(Derived::Resolves(Resolution {
                    rule: active.voice.info.clone(),
                    fingerprint: active.voice.fingerprint(&alert_key),
                    place,
                    evidence: seen.evidence(),
                }));
            }
        }
        if is(&waiting.until) {
            waits.give_up(seen.at);
        }
        if is(&[waiting.start]) && waits.start(seen.clone(), clock, &mut fits) {
            timers.insert((clock.due(seen.at), slot));
        }
    }
}
