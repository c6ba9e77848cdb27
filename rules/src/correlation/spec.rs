//! What a node of the graph does, compiled: fields by number, conditions exact, sequences flat.
//!
//! Immutable. Must never hold state of a key.

use std::collections::BTreeMap;

use model::CarriedField;
use smallvec::SmallVec;

use super::absence::Spans;
use super::detecting::{Asked, Detectors, Summing};
use super::few::{self, Few};
use super::graph::{Graph, Kind, Node};
use super::group::Tuple;
use super::join::Choice;
use super::measure::Measure;
use super::predicate::Predicates;
use super::state::State;
use super::temporal::{Wanted, affirmed, denies};
use super::values::Statistic;
use super::watching::Watching;
use super::{absence, interval, join, previous, temporal, temporal_ordered, value_count, values};
use crate::ast::{Condition, Correlation, CorrelationType, Interval, Memory, Occur, Previous};

/// Members that one window keeps at most; beyond it a measure is a lower bound, and says so.
pub(super) const MEMBERS_MAX: usize = 10_000;

/// Members of one rule that a predicate over several events tries.
const JOINED_MAX: usize = 1_000;

/// References of a correlation that hold at an event, ascending: nearly always one.
pub(super) type References = SmallVec<[usize; 4]>;

/// Lists of fields that nodes group by.
pub(super) type Tuples = BTreeMap<Vec<Option<CarriedField>>, Tuple>;

/// See the module.
#[derive(Debug)]
pub(super) struct Spec {
    pub(super) work: Work,
    /// Names of the key's fields.
    pub(super) group: Vec<String>,
    /// For each reference where its events have them, and the number of that list.
    pub(super) keyed: Vec<(Tuple, Vec<Option<CarriedField>>)>,
    pub(super) span_ms: i64,
}

/// What is done with an event.
#[derive(Debug)]
pub(super) enum Work {
    /// A rule: what it remembers must agree.
    Rule(Vec<Remembered>),
    Count(Measure),
    Distinct(Measure, Vec<Option<CarriedField>>),
    Values(Measure, Statistic, Option<CarriedField>),
    Present(Occurring),
    Chains(Sequence),
    Join(Choice, Predicates),
    Absence(Waiting),
    /// A sum of risk; a detector holds its keys.
    Risk(Summing),
}

/// A memory with its fields' numbers.
#[derive(Debug)]
pub(super) enum Remembered {
    Previous {
        rule: Previous,
        key: Vec<Option<CarriedField>>,
        field: Option<CarriedField>,
        same: Vec<Option<CarriedField>>,
    },
    Interval {
        rule: Interval,
        key: [Vec<Option<CarriedField>>; 3],
    },
    /// Detectors hold the keys.
    Detected(Asked),
    /// A detector holds what it knows of a key, the state who was seen last.
    Watched(Watching),
}

#[derive(Debug)]
pub(super) struct Occurring {
    pub(super) wanted: Wanted,
    pub(super) references: usize,
    pub(super) listed: usize,
    /// The condition denies: decided when the window after one of these events is complete.
    pub(super) decided_after: Option<Vec<usize>>,
    /// Those that must occur have to in this order.
    pub(super) sequence: Option<Sequence>,
}

#[derive(Debug)]
pub(super) struct Sequence {
    /// For each step its reference.
    pub(super) steps: Vec<usize>,
    /// For each step the first one of the same rule.
    pub(super) same: Vec<usize>,
    /// Of the number of steps in order; None: all of them.
    pub(super) measure: Option<Measure>,
}

#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) start: usize,
    pub(super) expect: Vec<usize>,
    pub(super) until: Vec<usize>,
    pub(super) spans: Spans,
    pub(super) predicates: Predicates,
}

impl Occurring {
    /// The last event of each of a few references is all that counts.
    fn is_plain(&self) -> bool {
        self.references <= few::ROOM && self.decided_after.is_none() && self.sequence.is_none()
    }
}

impl Sequence {
    /// The steps that events of these references are.
    pub(super) fn steps_of(&self, references: &[usize]) -> References {
        let place = |reference: &usize| self.steps.iter().position(|step| step == reference);
        references.iter().filter_map(place).collect()
    }
}

impl Spec {
    pub(super) fn new(graph: &Graph, node: &Node, detectors: &mut Detectors<'_>, tuples: &mut Tuples) -> Spec {
        match &node.kind {
            Kind::Rule(memories) => {
                let mut remembered: Vec<Remembered> =
                    memories.iter().map(|memory| Remembered::new(graph, memory)).collect();
                remembered.extend(node.asks.iter().map(|ask| Remembered::Detected(Asked::new(graph, ask, detectors))));
                remembered.extend(node.watch.iter().map(|of| Remembered::Watched(Watching::new(graph, of, detectors))));
                Spec { work: Work::Rule(remembered), group: Vec::new(), keyed: Vec::new(), span_ms: 0 }
            }
            Kind::Correlation(correlation) => {
                let number = |at: usize| {
                    let fields: Vec<_> =
                        correlation.group_by.iter().map(|by| graph.field(by.fields.get(at)?)).collect();
                    let next = tuples.len() as Tuple;
                    (*tuples.entry(fields.clone()).or_insert(next), fields)
                };
                let keyed = (0..correlation.references.len()).map(number).collect();
                let group = correlation.group_by.iter().map(|field| field.name.clone()).collect();
                let work = work(graph, correlation, &node.weights, detectors);
                Spec { work, group, keyed, span_ms: correlation.timespan_ms }
            }
        }
    }

    /// An empty window.
    pub(super) fn state(&self) -> State {
        match &self.work {
            Work::Rule(_) | Work::Count(_) | Work::Risk(_) => State::default(),
            Work::Distinct(..) => State::Distinct(value_count::Distinct::default()),
            Work::Values(..) => State::Values(Box::<values::Values>::default()),
            Work::Present(occurring) if occurring.is_plain() => State::default(),
            Work::Present(occurring) => State::Present(Box::new(temporal::Present::new(
                occurring.references,
                occurring.sequence.as_ref().map(|sequence| sequence.steps.len()),
            ))),
            Work::Chains(Sequence { steps, same, measure: None }) if steps.len() == 2 && *same == [0, 1] => {
                State::Pair(Few::default())
            }
            Work::Chains(Sequence { steps, measure: None, .. }) if steps.len() > 1 => State::Opened(Few::default()),
            Work::Chains(sequence) => State::Chains(Box::new(temporal_ordered::Chains::new(sequence.steps.len()))),
            Work::Join(_, predicates) => State::Join(Box::new(join::Join::new(predicates.references()))),
            Work::Absence(_) => State::Waits(Box::<absence::Waits>::default()),
        }
    }

    /// How long after an event its key counts, in milliseconds.
    pub(super) fn kept_ms(&self) -> i64 {
        match &self.work {
            Work::Absence(waiting) => waiting.spans.before_ms.saturating_add(waiting.spans.wait_ms),
            _ => self.span_ms,
        }
    }
}

impl Remembered {
    fn new(graph: &Graph, memory: &Memory) -> Remembered {
        let numbers = |fields: &[String]| fields.iter().map(|field| graph.field(field)).collect::<Vec<_>>();
        match memory {
            Memory::Previous(rule) => Remembered::Previous {
                rule: rule.clone(),
                key: numbers(&rule.key),
                field: graph.field(&rule.field),
                same: numbers(&rule.ignore_same),
            },
            Memory::Interval(rule) => {
                let side = |at: usize| rule.key.iter().map(|key| graph.field(key.get(at)?)).collect();
                Remembered::Interval { rule: rule.clone(), key: [side(0), side(1), side(2)] }
            }
        }
    }

    pub(super) fn state(&self) -> State {
        match self {
            Remembered::Previous { .. } => State::Last(Box::<previous::Last>::default()),
            Remembered::Interval { .. } => State::Intervals(Box::<interval::Intervals>::default()),
            Remembered::Detected(_) | Remembered::Watched(_) => State::default(),
        }
    }
}

fn work(graph: &Graph, correlation: &Correlation, weights: &[f64], detectors: &mut Detectors<'_>) -> Work {
    let measure = || match &correlation.condition {
        Condition::Measure { tests, .. } => Measure::new(tests),
        Condition::Occur(_) => Measure::default(),
    };
    let numbers = || match &correlation.condition {
        Condition::Measure { fields, .. } => fields.iter().map(|field| graph.field(field)).collect(),
        Condition::Occur(_) => Vec::new(),
    };
    let value = |statistic| Work::Values(measure(), statistic, numbers().into_iter().next().flatten());
    let percentile = match &correlation.condition {
        Condition::Measure { percentile, .. } => *percentile,
        Condition::Occur(_) => 50.0,
    };
    if let Some(absence) = &correlation.absence {
        let spans =
            Spans { wait_ms: absence.deadline_ms.saturating_add(absence.grace_ms), before_ms: absence.before_ms };
        let predicates = Predicates::new(graph, correlation);
        let (expect, until) = (absence.expect.clone(), absence.until.clone());
        return Work::Absence(Waiting { start: absence.start, expect, until, spans, predicates });
    }
    if let Some(summing) = Summing::new(graph, correlation, measure(), weights, detectors) {
        return Work::Risk(summing);
    }
    match correlation.kind {
        CorrelationType::EventCount => Work::Count(measure()),
        CorrelationType::ValueCount => Work::Distinct(measure(), numbers()),
        CorrelationType::ValueSum => value(Statistic::Sum),
        CorrelationType::ValueAvg => value(Statistic::Mean),
        CorrelationType::ValuePercentile | CorrelationType::ValueMedian => value(Statistic::Percentile(percentile)),
        CorrelationType::Temporal | CorrelationType::TemporalOrdered => temporal_work(graph, correlation),
    }
}

fn temporal_work(graph: &Graph, correlation: &Correlation) -> Work {
    let ordered = correlation.kind == CorrelationType::TemporalOrdered;
    if !correlation.wheres.is_empty() {
        let choice = Choice { span_ms: correlation.timespan_ms, ordered, members_max: JOINED_MAX };
        return Work::Join(choice, Predicates::new(graph, correlation));
    }
    match &correlation.condition {
        Condition::Measure { tests, .. } if ordered => {
            let steps: Vec<usize> = (0..correlation.listed).collect();
            let measure = (!tests.is_empty()).then(|| Measure::new(tests));
            Work::Chains(sequence(correlation, steps, measure))
        }
        Condition::Occur(occur) if ordered && !denies(occur) => {
            let mut steps = Vec::new();
            affirmed(occur, &mut steps);
            steps.sort_unstable();
            steps.dedup();
            Work::Chains(sequence(correlation, steps, None))
        }
        Condition::Measure { tests, .. } => {
            let wanted = if tests.is_empty() {
                Wanted::Occur(Occur::All((0..correlation.listed).map(Occur::Reference).collect()))
            } else {
                Wanted::Distinct(Measure::new(tests))
            };
            occurring(correlation, wanted, None, None)
        }
        Condition::Occur(occur) => {
            let decided_after = denies(occur).then(|| {
                let mut found = Vec::new();
                affirmed(occur, &mut found);
                found
            });
            let in_order = decided_after.clone().filter(|_| ordered).map(|mut steps| {
                steps.sort_unstable();
                steps.dedup();
                sequence(correlation, steps, None)
            });
            occurring(correlation, Wanted::Occur(occur.clone()), decided_after, in_order)
        }
    }
}

fn occurring(
    correlation: &Correlation,
    wanted: Wanted,
    decided_after: Option<Vec<usize>>,
    sequence: Option<Sequence>,
) -> Work {
    let (references, listed) = (correlation.references.len(), correlation.listed);
    Work::Present(Occurring { wanted, references, listed, decided_after, sequence })
}

fn sequence(correlation: &Correlation, steps: Vec<usize>, measure: Option<Measure>) -> Sequence {
    let target = |step: &usize| correlation.references.get(*step).map(|reference| reference.target);
    let first = |step: &usize| steps.iter().position(|earlier| target(earlier) == target(step)).unwrap_or(0);
    Sequence { same: steps.iter().map(first).collect(), steps: steps.clone(), measure }
}
