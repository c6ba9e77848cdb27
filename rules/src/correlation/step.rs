//! One event entering one window: the same for what is sealed and for what is told ahead.
//!
//! Must never look outside the window, nor set a timer: what is due later is for the caller to arrange.

use std::sync::Arc;

use model::Row;

use super::decimal::Decimal;
use super::group;
use super::handles::{Handle, Handles};
use super::spec::{MEMBERS_MAX, Sequence, Spec, Work};
use super::state::{Member, Seen, State, Verdict};
use super::temporal_ordered::Chains;
use super::{event_count, temporal, temporal_ordered};
use crate::lists::Lists;

/// What a step reads, and memory that it uses.
pub(super) struct Means<'m> {
    pub(super) lists: &'m Lists,
    pub(super) handles: &'m Handles,
    pub(super) row: &'m mut Row,
    pub(super) text: &'m mut String,
}

/// Adds an event of these references to a window and says whether the condition is true at it. Absences, and conditions
/// that deny, are decided by timers: None.
pub(super) fn step(
    spec: &Spec,
    state: &mut State,
    references: &[usize],
    (seen, of): (&Arc<Seen>, Handle),
    Means { lists, handles, row, text }: Means<'_>,
) -> Option<Verdict> {
    let window = (spec.span_ms, MEMBERS_MAX);
    let start = seen.at.saturating_sub(spec.span_ms);
    let member = Member { at: seen.at, of };
    match (&spec.work, &mut *state) {
        (Work::Count(measure), _) => event_count::add(state, member, window, measure, handles),
        (Work::Distinct(measure, fields), State::Distinct(distinct)) => {
            distinct.drop_before(start);
            group::keys(fields, &seen.fields, text, &mut |value| distinct.add(value, member, MEMBERS_MAX));
            distinct.holds(start, measure, handles)
        }
        (Work::Values(measure, statistic, field), State::Values(values)) => {
            let texts = field.iter().flat_map(|field| seen.fields.texts(*field));
            values.add(member, texts.filter_map(Decimal::parse), window, *statistic, (measure, handles))
        }
        (Work::Present(occurring), State::Few(few)) => {
            temporal::see_few(few, references, member);
            let wanted = (&occurring.wanted, occurring.listed);
            temporal::holds(|reference| few.get(reference), wanted, start, handles)
        }
        (Work::Present(occurring), State::Present(present)) => {
            present.see(references, member);
            if let Some(sequence) = &occurring.sequence {
                present.see_in_order(&sequence.steps_of(references), member, &sequence.same);
            }
            if occurring.decided_after.is_some() {
                return None;
            }
            present.holds((&occurring.wanted, occurring.listed), start, handles)
        }
        (Work::Chains(sequence), State::Pair(few)) => {
            temporal_ordered::see_pair(few, &sequence.steps_of(references), member);
            temporal_ordered::pair_holds(few, start, handles)
        }
        (Work::Chains(sequence), State::Opened(few)) => {
            let steps = sequence.steps_of(references);
            if temporal_ordered::opens(few, &steps, member) {
                return None;
            }
            let mut chains = Chains::opened(few, sequence.steps.len());
            chains.see(&steps, member, &sequence.same);
            let verdict = chained(sequence, &chains, start, handles);
            *state = State::Chains(Box::new(chains));
            verdict
        }
        (Work::Chains(sequence), State::Chains(chains)) => {
            chains.see(&sequence.steps_of(references), member, &sequence.same);
            chained(sequence, chains, start, handles)
        }
        (Work::Join(choice, predicates), State::Join(join)) => {
            join.see(references, seen, *choice, &mut |chosen| predicates.hold(|at| chosen.get(at), lists, row))
        }
        _ => None,
    }
}

fn chained(sequence: &Sequence, chains: &Chains, start: i64, handles: &Handles) -> Option<Verdict> {
    let Some(measure) = &sequence.measure else { return chains.holds(sequence.steps.len(), start, handles) };
    let longest = chains.longest(start);
    let verdict = || chains.holds(longest, start, handles).unwrap_or_default();
    measure.holds(Decimal::whole(longest)).then(|| Verdict { value: Some(longest as f64), ..verdict() })
}
