//! One event entering one window: the same for what is sealed and for what is told ahead.
//!
//! Must never look outside the window, nor set a timer: what is due later is for the caller to arrange.

use std::sync::Arc;

use model::Row;

use super::decimal::Decimal;
use super::group;
use super::spec::{MEMBERS_MAX, Spec, Work};
use super::state::{Seen, State, Verdict};
use crate::lists::Lists;

/// Adds an event of these references to a window and says whether the condition is true at it. Absences, and conditions
/// that deny, are decided by timers: None.
pub(super) fn step(
    spec: &Spec,
    state: &mut State,
    references: &[usize],
    seen: &Arc<Seen>,
    (lists, row, text): (&Lists, &mut Row, &mut String),
) -> Option<Verdict> {
    let window = (spec.span_ms, MEMBERS_MAX);
    let start = seen.at.saturating_sub(spec.span_ms);
    match (&spec.work, state) {
        (Work::Count(measure), State::Count(count)) => count.add(seen.member(), window.0, window.1, measure),
        (Work::Distinct(measure, fields), State::Distinct(distinct)) => {
            let mut values = Vec::new();
            group::keys(fields, &seen.fields, text, &mut |value| values.push(value.to_owned()));
            distinct.add(&seen.member(), seen.number, values.into_iter(), window, measure)
        }
        (Work::Values(measure, statistic, field), State::Values(values)) => {
            let texts = field.iter().flat_map(|field| seen.fields.texts(*field));
            values.add(&seen.member(), texts.filter_map(Decimal::parse), window, *statistic, measure)
        }
        (Work::Present(occurring), State::Present(present)) => {
            present.see(references, seen);
            if let Some(sequence) = &occurring.sequence {
                present.see_in_order(&sequence.steps_of(references), seen, &sequence.same);
            }
            if occurring.decided_after.is_some() {
                return None;
            }
            present.holds(&occurring.wanted, occurring.listed, start)
        }
        (Work::Chains(sequence), State::Chains(chains)) => {
            chains.see(&sequence.steps_of(references), seen, &sequence.same);
            let Some(measure) = &sequence.measure else { return chains.holds(sequence.steps.len(), start) };
            let longest = chains.longest(start);
            let verdict = || chains.holds(longest, start).unwrap_or_default();
            measure.holds(Decimal::whole(longest)).then(|| Verdict { value: Some(longest as f64), ..verdict() })
        }
        (Work::Join(choice, predicates), State::Join(join)) => {
            join.see(references, seen, *choice, &mut |chosen| predicates.hold(|at| chosen.get(at), lists, row))
        }
        _ => None,
    }
}
