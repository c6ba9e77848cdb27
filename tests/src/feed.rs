//! Correlations fed event by event, without decoding: what the engine itself costs and keeps.
//!
//! One lane, in order. Must never do for an event what the product would not do behind its cursor.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;

use model::{
    Arrival, CarriedField, Carrying, Correlator, Derived, DetectorSpec, EVENTS_AT_ONCE, EventOrder, Held, Occurrence,
    Partition, Position, RuleInfo, Severity, Sha256, Timestamp,
};
use rules::ast::Rule;
use rules::correlation::{Correlations, Graph, Limits};
use rules::parse::{Settings, load_texts};
use rules::{Lists, Program};

/// Three rules, `a`, `b` and `c`, for correlations to refer to.
pub const STEPS: &str = "\
title: a
name: a
id: 00000000-0000-4000-8000-0000000000a1
logsource: {product: pipewarden, category: ci.runner}
detection: {s: {t: a}, condition: s}
---
title: b
name: b
id: 00000000-0000-4000-8000-0000000000a2
logsource: {product: pipewarden, category: ci.runner}
detection: {s: {t: b}, condition: s}
---
title: c
name: c
id: 00000000-0000-4000-8000-0000000000a3
logsource: {product: pipewarden, category: ci.runner}
detection: {s: {t: c}, condition: s}
";

/// Correlations with what feeds them.
pub struct Feed {
    program: Program,
    /// What feeds what.
    pub graph: Arc<Graph>,
    correlations: Correlations,
    rules: Vec<String>,
    fields: Vec<(CarriedField, String)>,
    carrying: Carrying,
    place: Position,
    number: u64,
}

impl Feed {
    /// The correlations of some documents, with no state yet.
    ///
    /// # Panics
    /// When a document is refused.
    pub fn new(documents: &str, keys_max: usize) -> Feed {
        let loaded = load_texts(&[(PathBuf::from("rules.yml"), documents)], &Settings::default());
        assert!(loaded.refused.is_empty(), "{}", loaded.refused[0]);
        let rules: Vec<Arc<Rule>> = loaded.rules.into_iter().map(Arc::new).collect();
        let correlations: Vec<_> = loaded.correlations.into_iter().map(Arc::new).collect();
        let graph = Arc::new(Graph::new(&rules, &correlations, |index| index as usize >= rules.len()));
        let program = Program::compile_with(&rules, &graph, |at, _| graph.watched(at).is_some()).expect("compiles");
        let of_rules = rules.iter().map(|rule| (rule.id.clone(), rule.title.clone(), rule.version));
        let of_correlations = correlations.iter().map(|of| (of.id.clone(), of.title.clone(), of.version));
        let infos: Vec<Arc<RuleInfo>> = of_rules.chain(of_correlations).map(info).collect();
        let detector = |spec: &DetectorSpec| detectors::detector(spec, detectors::Limits { keys_max });
        let made = Correlations::new(
            graph.clone(),
            Arc::new(Lists::default()),
            Limits { keys_max },
            |index| infos.get(index as usize).cloned(),
            |index| graph.decides(index),
            &detector,
        );
        Feed {
            program,
            correlations: made.expect("compiles"),
            fields: graph.named_fields(),
            rules: rules.iter().map(|rule| rule.name.clone().unwrap_or_default()).collect(),
            carrying: Carrying::default(),
            place: Position { partition: Partition { source: "feed".into(), name: "0".into() }, offset: 0 },
            graph,
            number: 0,
        }
    }

    /// An event at which these rules hold, with the texts of the fields that the correlations ask for.
    pub fn event(&mut self, rules: &[&str], at_ms: i64, texts: &[(&str, &str)]) -> Occurrence {
        for (field, text) in texts {
            if let Some((number, _)) = self.fields.iter().find(|(_, name)| name == field) {
                self.carrying.push(*number, text);
            }
        }
        let held = rules.iter().filter_map(|name| self.rules.iter().position(|known| known == name));
        let held = held.map(|rule| Held { rule: rule as u32, finding: None }).collect();
        self.of(held, at_ms)
    }

    /// The same for what stage one found: rules by number, texts by field.
    pub fn of(&mut self, held: Vec<Held>, at_ms: i64) -> Occurrence {
        self.number += 1;
        let mut name = [0; 20];
        let sha256 = Sha256::of(&self.number.to_le_bytes());
        let id = digits(self.number, &mut name);
        Occurrence {
            order: EventOrder {
                time: Timestamp::from_ms(at_ms),
                source: self.place.partition.source.clone(),
                id: id.into(),
                sha256,
            },
            arrival: Arrival::OnTime,
            position: self.place.clone(),
            fields: self.carrying.take(),
            held,
            gate: 0,
        }
    }

    /// Stage one's program, and where it puts the texts of an event.
    pub fn stage_one(&mut self) -> (&Program, &mut Carrying) {
        (&self.program, &mut self.carrying)
    }

    /// Applies events as a lane does, which announces some before it applies the first; gives how often a correlation held.
    pub fn apply_all(&mut self, events: Vec<Occurrence>) -> u64 {
        let mut events = VecDeque::from(events);
        let (mut held, mut announced) = (0, 0);
        while !events.is_empty() {
            if announced == 0 {
                announced = EVENTS_AT_ONCE.min(events.len());
                self.correlations.approach(&mut events.iter().take(announced));
            }
            announced -= 1;
            held += events.pop_front().map_or(0, |event| self.apply(event));
        }
        held
    }

    /// Events that windows hold, and the bytes of their places.
    pub fn events_held(&self) -> (usize, usize) {
        self.correlations.events_held()
    }

    /// Applies an event, after the timers before it; gives how often a correlation held.
    pub fn apply(&mut self, event: Occurrence) -> u64 {
        let mut held = 0;
        let mut tell = |derived: Derived| held += u64::from(matches!(derived, Derived::Holds(_)));
        while self.correlations.next_timer().is_some_and(|due| due < event.order.time) {
            self.correlations.run_timers(&mut tell);
        }
        self.correlations.apply(event, &mut tell);
        held
    }

    /// Keys held and keys given up.
    pub fn keys(&self) -> (usize, u64) {
        let held = self.correlations.held();
        (held.keys, held.evicted)
    }
}

fn digits(mut number: u64, into: &mut [u8; 20]) -> &str {
    let mut at = into.len();
    while number > 0 {
        at -= 1;
        into[at] = b'0' + (number % 10) as u8;
        number /= 10;
    }
    std::str::from_utf8(&into[at..]).expect("digits")
}

/// What is said of a rule that has nothing but an id, a title and a version.
pub(crate) fn info((id, title, version): (String, String, Sha256)) -> Arc<RuleInfo> {
    Arc::new(RuleInfo {
        id: id.into(),
        name: None,
        title,
        severity: Severity::Medium,
        version,
        tags: Vec::new(),
        realert_ms: None,
        owner: None,
        runbook: None,
        group: Vec::new(),
        suppress_when: Vec::new(),
        shadow: false,
        custom: serde_json::Map::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::Random;

    #[test]
    fn events_that_were_announced_tell_what_others_tell() {
        let correlation = |number: u32, body: &str| {
            format!(
                "---\ntitle: c{number}\nid: 00000000-0000-4000-8000-0000000003{number:02}\ncorrelation: {{{body}}}\n"
            )
        };
        let documents = [
            STEPS.to_owned(),
            correlation(1, "type: event_count, rules: [a, b], group-by: [k], timespan: 60s, condition: {gte: 3}"),
            correlation(
                2,
                "type: value_count, rules: [a], group-by: [k], timespan: 60s, condition: {field: v, gte: 2}",
            ),
            correlation(3, "type: temporal_ordered, rules: [a, b], group-by: [k], timespan: 60s"),
            correlation(4, "type: temporal, rules: [a, b, c], group-by: [v, k], timespan: 60s"),
        ]
        .concat();
        // More keys than are in a cache anyway, which are read ahead; some fields are missing, and some events are equal.
        let (mut announced, mut alone, mut random) =
            (Feed::new(&documents, 100_000), Feed::new(&documents, 100_000), Random(3));
        let mut events: Vec<Occurrence> = Vec::new();
        for at in 0..60_000i64 {
            let (key, value) = (format!("key-{}", random.below(8_000)), format!("v{}", random.below(3)));
            let texts = [("k", key.as_str()), ("v", value.as_str())];
            let rules = random.pick(&[&["a"][..], &["b"], &["a", "b"], &["c"]]);
            events.push(announced.event(rules, at * 2, &texts[..usize::from(random.below(9) > 0) + random.below(2)]));
            events.extend(events.last().filter(|_| at % 50 == 0).cloned());
        }
        let (mut told, mut wanted) = (0, 0);
        for some in events.chunks(1_000) {
            // Now and then one comes that was not announced.
            let (first, rest) = some.split_first().expect("events");
            wanted += some.iter().map(|event| alone.apply(event.clone())).sum::<u64>();
            told += announced.apply(first.clone()) + announced.apply_all(rest.to_vec());
            assert_eq!((told, announced.keys()), (wanted, alone.keys()));
        }
        assert!(told > 10_000 && announced.keys().0 > 8_000, "{told} told, {:?}", announced.keys());
    }
}
