//! What a rule remembers: the value before (E8), and intervals that other events open and close (E10).
//!
//! Must never compare with a value that is older than its time to live.

use rules::ast::{Interval, Previous, PreviousTest};

use super::world::{Input, Log, Step, World};

impl World<'_> {
    /// `x-prev`: notes the event and says whether the test holds at it, under any of its keys.
    pub(super) fn previous(&mut self, log: Log, previous: &Previous, step: Step) -> bool {
        let value_of = |event: usize| self.events[event].texts(&previous.field).into_iter().next();
        let Some(value) = value_of(step.event) else { return false };
        let noted = self.note(log, &previous.key, &[], step);
        let inputs = &self.logs[&log];
        noted.iter().any(|&now| {
            let earlier: Vec<&Input> = inputs[..now].iter().filter(|of| of.key == inputs[now].key).collect();
            let Some(last) = earlier.last().filter(|last| last.at_ms >= step.at_ms - previous.ttl_ms) else {
                return false;
            };
            let text = |input: &Input| self.events[input.event].texts(&previous.field)[0].clone();
            let same = |field: &String| {
                let own = self.events[step.event].texts(field).into_iter().next();
                own.is_some() && own == self.events[last.event].texts(field).into_iter().next()
            };
            let holds = match previous.test {
                PreviousTest::Changed => text(last) != *value,
                PreviousTest::Gap(gap) => match (text(last).parse::<i64>(), value.parse::<i64>()) {
                    (Ok(last), Ok(value)) => value > last + gap,
                    _ => false,
                },
                PreviousTest::Returns(span_ms) => {
                    let from = step.at_ms - span_ms.min(previous.ttl_ms);
                    let before = earlier.iter().rev().find(|input| text(input) != text(last));
                    text(last) != *value && before.is_some_and(|of| text(of) == *value && of.at_ms >= from)
                }
            };
            holds && !previous.ignore_same.iter().any(same)
        })
    }

    /// `x-interval`: notes the event and says whether it is known now to lie inside, where that is asked.
    pub(super) fn ask_interval(&mut self, log: Log, interval: &Interval, fields: &[String], step: Step) -> bool {
        let covered = self.events[step.event].tuples(fields).into_iter().any(|key| {
            let asking = Input { at_ms: step.at_ms, number: step.number, event: step.event, key, references: vec![2] };
            self.is_inside(log, interval, &asking)
        });
        if !covered {
            // Decided by a timer: something of the same time may still open one.
            self.note(log, fields, &[2], step);
        }
        covered && interval.inside
    }

    /// An interval of its key covers the input, as far as is known now.
    pub(super) fn is_inside(&self, log: Log, interval: &Interval, input: &Input) -> bool {
        let mut intervals: Vec<(i64, Option<i64>)> = Vec::new();
        for other in self.since(log, &input.key, i64::MIN) {
            let end = |open: i64| open + interval.ttl_ms;
            let open = intervals.last().copied().filter(|(open, close)| close.is_none() && end(*open) >= other.at_ms);
            match (other.references.as_slice(), open) {
                ([0], None) => intervals.push((other.at_ms, None)),
                ([1], Some(_)) => intervals.last_mut().expect("the open one").1 = Some(other.at_ms),
                _ => {}
            }
        }
        intervals.into_iter().any(|(open, close)| {
            let end = close.map_or(open + interval.ttl_ms, |close| close + interval.pad_after_ms);
            (open - interval.pad_before_ms..=end).contains(&input.at_ms)
        })
    }
}
