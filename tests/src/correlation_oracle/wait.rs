//! Absences (E1): what starts a wait, what is expected, what ends it.
//!
//! Must never look at what comes behind the timer.

use std::collections::BTreeMap;

use rules::ast::{Absence, Correlation, Memory, Target};

use super::world::{Input, Log, Step, World};

fn is(input: &Input, of: &[usize]) -> bool {
    of.iter().any(|reference| input.references.contains(reference))
}

impl World<'_> {
    /// When the timer of an input is due; None: it sets none.
    pub(super) fn due(&self, log: Log, input: &Input) -> Option<i64> {
        match log.0 {
            Target::Rule(at) => match &self.documents.rules[at].memories[log.1] {
                Memory::Interval(interval) => is(input, &[2]).then_some(input.at_ms + interval.pad_before_ms),
                Memory::Previous(_) => None,
            },
            Target::Correlation(at) => {
                let correlation = &self.documents.correlations[at];
                match &correlation.absence {
                    Some(absence) => is(input, &[absence.start]).then(|| self.absence_due(absence, input)),
                    None => self.complete_at(correlation, input),
                }
            }
        }
    }

    /// Nothing that satisfies a start or ends its wait has come until now.
    pub(super) fn is_missed(&self, log: Log, correlation: &Correlation, absence: &Absence, start: &Input) -> bool {
        let came = self.since(log, &start.key, i64::MIN);
        let due = self.absence_due(absence, start);
        let satisfies = |input: &&&Input| {
            is(input, &absence.expect)
                && if input.at_ms < start.at_ms { self.precedes(absence, start, input) } else { input.at_ms <= due }
                && self.fits(correlation, absence, start, input)
        };
        let ends = |input: &&&Input| is(input, &absence.until) && (start.at_ms..=due).contains(&input.at_ms);
        !came.iter().any(|input| satisfies(&input) || ends(&input))
    }

    /// The expressions are true of a start and what was expected.
    fn fits(&self, correlation: &Correlation, absence: &Absence, start: &Input, expected: &Input) -> bool {
        let of = |at: &usize| (*at, if *at == absence.start { start } else { expected });
        let both: BTreeMap<usize, &Input> = [absence.start].iter().chain(&absence.expect).map(of).collect();
        correlation.wheres.is_empty() || self.predicates_hold(correlation, &both)
    }

    /// The input that has just come is what a start waited for that was told as missed: that alert is resolved.
    pub(super) fn resolve(&mut self, log: Log, correlation: &Correlation, key: &[String], step: Step) {
        let Some(absence) = &correlation.absence else { return };
        let inputs = &self.logs[&log];
        let Some(came) = inputs.last().filter(|input| is(input, &absence.expect)) else { return };
        let answered = |start: &Input, told_at: usize| {
            let before = |input: &&Input| (told_at..step.number).contains(&input.number) && input.key == key;
            inputs
                .iter()
                .filter(before)
                .any(|input| is(input, &absence.expect) && self.fits(correlation, absence, start, input))
        };
        let waits = |(of, number, told_at): &(Log, usize, usize)| {
            let Some(start) = inputs.get(*number).filter(|start| *of == log && start.key == key) else { return false };
            self.fits(correlation, absence, start, came) && !answered(start, *told_at)
        };
        if self.fired.iter().any(waits)
            && let Target::Correlation(at) = log.0
        {
            self.tell_resolved(at, key, step);
        }
    }
}
