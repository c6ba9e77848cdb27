//! Goes through events and timers in total order and asks every document, with all that came before at hand.
//!
//! A log is what has come to a document so far, and nothing that was computed of it. Must never drop anything of a log.

use std::collections::{BTreeMap, BTreeSet};

use rules::ast::{AlertSpec, Correlation, Memory, Search, Target};

use super::health::Said;
use super::{Documents, Event, Place, Told, life};
use crate::oracle;

/// A document and, of a rule, the number of its memory.
pub(super) type Log = (Target, usize);

/// One event, or a timer's derived one, as it came to a document.
#[derive(Debug, Clone)]
pub(super) struct Input {
    /// Event time, or the timer's.
    pub(super) at_ms: i64,
    /// The step at which it came.
    pub(super) number: usize,
    /// The event, or the one that set the timer.
    pub(super) event: usize,
    /// The group.
    pub(super) key: Vec<String>,
    /// The references that hold at it; of an interval 0 opens, 1 closes, 2 asks.
    pub(super) references: Vec<usize>,
}

/// What a window says where its condition is true: the value, and the events that made it.
pub(super) type Verdict = (Option<f64>, Vec<usize>);

/// An event, or a timer that an event set.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step {
    pub(super) at_ms: i64,
    pub(super) timer: bool,
    pub(super) event: usize,
    pub(super) number: usize,
}

/// See the module.
pub(super) struct World<'a> {
    pub(super) documents: &'a Documents,
    pub(super) events: &'a [Event],
    pub(super) health: &'a [Said],
    pub(super) logs: BTreeMap<Log, Vec<Input>>,
    /// Timers that have run, by log and the number of the input there.
    ran: BTreeSet<(Log, usize)>,
    /// Absences that were told, with the step.
    pub(super) fired: Vec<(Log, usize, usize)>,
    number: usize,
    told: Vec<Told>,
}

impl<'a> World<'a> {
    pub(super) fn new(documents: &'a Documents, events: &'a [Event], health: &'a [Said]) -> World<'a> {
        let (logs, ran, fired, told) = Default::default();
        World { documents, events, health, logs, ran, fired, number: 0, told }
    }

    /// Everything that is told, in the order in which it came.
    pub(super) fn run(mut self) -> Vec<Told> {
        let events = self.events;
        for (number, event) in events.iter().enumerate() {
            while self.run_timer_before(event.at_ms) {}
            self.event(number, event);
        }
        while self.run_timer_before(i64::MAX) {}
        self.told
    }

    fn event(&mut self, number: usize, event: &Event) {
        let lists = BTreeMap::new();
        let matched = |at: &usize| oracle::holds(&self.documents.rules[*at], &event.fields, &lists);
        let matched: BTreeSet<usize> = (0..self.documents.rules.len()).filter(matched).collect();
        let step = self.next_step(event.at_ms, false, number);
        self.walk(step, &matched, BTreeSet::new());
    }

    fn next_step(&mut self, at_ms: i64, timer: bool, event: usize) -> Step {
        self.number += 1;
        Step { at_ms, timer, event, number: self.number }
    }

    /// Asks every document that something holds for, those that feed others first.
    fn walk(&mut self, step: Step, matched: &BTreeSet<usize>, mut holding: BTreeSet<Target>) {
        for target in self.documents.order.clone() {
            let holds = match target {
                Target::Rule(at) => self.rule(at, step, matched.contains(&at), &holding),
                Target::Correlation(at) => self.correlation(at, step, &holding),
            };
            if holds {
                holding.insert(target);
            }
        }
    }

    fn rule(&mut self, at: usize, step: Step, matched: bool, holding: &BTreeSet<Target>) -> bool {
        let rule = &self.documents.rules[at];
        let mut holds = matched;
        for (number, memory) in rule.memories.iter().enumerate() {
            let log = (Target::Rule(at), number);
            match memory {
                Memory::Previous(previous) => {
                    if matched && holds {
                        holds = self.previous(log, previous, step);
                    }
                }
                Memory::Interval(interval) => {
                    for (side, of) in [&interval.open, &interval.close].into_iter().enumerate() {
                        if holding.contains(&of.target) {
                            let fields = interval.key.iter().map(|names| names[side + 1].clone()).collect::<Vec<_>>();
                            self.note(log, &fields, &[side], step);
                        }
                    }
                    if matched && holds {
                        let fields = interval.key.iter().map(|names| names[0].clone()).collect::<Vec<_>>();
                        holds = self.ask_interval(log, interval, &fields, step);
                    }
                }
            }
        }
        if holds {
            self.tell_rule(at, step);
        }
        holds
    }

    /// A rule that one event decides, or that one event decides with what is remembered.
    fn tell_rule(&mut self, at: usize, step: Step) {
        let rule = &self.documents.rules[at];
        let event = &self.events[step.event];
        let key = life::rule_key(rule, event);
        let pages = pages(rule.alert.as_ref(), event);
        self.tell(Target::Rule(at), step, (key, pages), (None, vec![step.event]));
    }

    /// Adds an event to a log, once for each of its keys; says which inputs those are.
    pub(super) fn note(&mut self, log: Log, fields: &[String], references: &[usize], step: Step) -> Vec<usize> {
        let inputs = self.logs.entry(log).or_default();
        let first = inputs.len();
        for key in self.events[step.event].tuples(fields) {
            let (at_ms, number, event) = (step.at_ms, step.number, step.event);
            inputs.push(Input { at_ms, number, event, key, references: references.to_vec() });
        }
        (first..inputs.len()).collect()
    }

    fn correlation(&mut self, at: usize, step: Step, holding: &BTreeSet<Target>) -> bool {
        let documents = self.documents;
        let correlation = &documents.correlations[at];
        let mut groups: Vec<(Vec<String>, Vec<usize>)> = Vec::new();
        for (reference, _) in correlation.references.iter().enumerate().filter(|(_, of)| holding.contains(&of.target)) {
            let fields: Vec<String> =
                correlation.group_by.iter().map(|field| field.fields[reference].clone()).collect();
            for key in self.events[step.event].tuples(&fields) {
                match groups.iter_mut().find(|(known, _)| *known == key) {
                    Some((_, references)) => references.push(reference),
                    None => groups.push((key, vec![reference])),
                }
            }
        }
        let log = (Target::Correlation(at), 0);
        let mut holds = false;
        for (key, references) in groups {
            let Step { at_ms, number, event, .. } = step;
            let input = Input { at_ms, number, event, key: key.clone(), references };
            self.logs.entry(log).or_default().push(input);
            if correlation.absence.is_some() {
                self.resolve(log, correlation, &key, step);
                continue;
            }
            if let Some(verdict) = self.window(log, correlation, &key, step.at_ms) {
                self.tell_correlation(at, &key, step, verdict);
                holds = true;
            }
        }
        holds
    }

    /// What came to a log for one key, as far as `from`.
    pub(super) fn since(&self, log: Log, key: &[String], from: i64) -> Vec<&Input> {
        let inputs = self.logs.get(&log).map(Vec::as_slice).unwrap_or_default();
        inputs.iter().filter(|input| input.key == key && input.at_ms >= from).collect()
    }

    /// Tells that a correlation holds.
    pub(super) fn tell_correlation(&mut self, at: usize, key: &[String], step: Step, verdict: Verdict) {
        let correlation = &self.documents.correlations[at];
        let event = &self.events[step.event];
        let told = (alert_key(correlation, key, event), pages(correlation.alert.as_ref(), event));
        self.tell(Target::Correlation(at), step, told, verdict);
    }

    fn tell(&mut self, target: Target, step: Step, (key, pages): (Vec<(String, String)>, bool), verdict: Verdict) {
        if !self.documents.speaks(target) {
            return;
        }
        let (value, evidence) = verdict;
        let by_one_event = matches!(target, Target::Rule(_)) && !step.timer;
        let place = place_of(step);
        let value = value.filter(|_| !step.timer);
        self.told.push(Told { place, target, key, pages, evidence, value, by_one_event, resolves: false });
    }

    /// Closing evidence for the alert of a group.
    pub(super) fn tell_resolved(&mut self, at: usize, key: &[String], step: Step) {
        let target = Target::Correlation(at);
        if self.documents.speaks(target) {
            let key = alert_key(&self.documents.correlations[at], key, &self.events[step.event]);
            let place = place_of(step);
            let (pages, value, by_one_event) = (false, None, false);
            let evidence = vec![step.event];
            self.told.push(Told { place, target, key, pages, evidence, value, by_one_event, resolves: true });
        }
    }

    /// Runs the timer that comes first, if it is due before a time (an event of its own time comes first). Of one time
    /// those run first that feed others, then by rule id and group.
    fn run_timer_before(&mut self, before: i64) -> bool {
        let mut pending = Vec::new();
        for (log, inputs) in &self.logs {
            for (number, input) in inputs.iter().enumerate() {
                let due = self.due(*log, input).filter(|due| *due < before && !self.ran.contains(&(*log, number)));
                pending.extend(due.map(|due| (due, *log, number)));
            }
        }
        let rank = |log: &Log, number: usize| {
            let depth_and_id = self.documents.order.iter().position(|known| *known == log.0);
            let key = &self.logs[log][number].key;
            let key: Vec<(usize, &String)> = key.iter().map(|text| (text.len(), text)).collect();
            (depth_and_id, log.1, key, number)
        };
        let Some((due, log, number)) = pending.into_iter().min_by_key(|(due, log, number)| (*due, rank(log, *number)))
        else {
            return false;
        };
        self.ran.insert((log, number));
        let event = self.logs[&log][number].event;
        let step = self.next_step(due, true, event);
        if self.timer(log, number, step) {
            self.walk(step, &BTreeSet::new(), BTreeSet::from([log.0]));
        }
        true
    }

    /// What a timer finds when it runs: the document holds.
    fn timer(&mut self, log: Log, number: usize, step: Step) -> bool {
        let input = self.logs[&log][number].clone();
        match log.0 {
            Target::Rule(at) => {
                let Memory::Interval(interval) = &self.documents.rules[at].memories[log.1] else { return false };
                let holds = self.is_inside(log, interval, &input) == interval.inside;
                if holds {
                    self.tell_rule(at, step);
                }
                holds
            }
            Target::Correlation(at) => {
                let correlation = &self.documents.correlations[at];
                let verdict = match &correlation.absence {
                    Some(absence) => {
                        let missed = self.is_missed(log, correlation, absence, &input);
                        self.fired.extend(missed.then_some((log, number, step.number)));
                        missed.then(|| (None, vec![input.event]))
                    }
                    None => self.window_after(log, correlation, &input),
                };
                let holds = verdict.is_some();
                if let Some(verdict) = verdict {
                    self.tell_correlation(at, &input.key, step, verdict);
                }
                holds
            }
        }
    }
}

fn place_of(step: Step) -> Place {
    Place { at_ms: step.at_ms, kind: u8::from(step.timer), event: if step.timer { 0 } else { step.event } }
}

/// The alert's key: the group, or the declared fields (of the group, else of the deciding event); the event where one is
/// missing.
fn alert_key(correlation: &Correlation, key: &[String], event: &Event) -> Vec<(String, String)> {
    let group: Vec<(String, String)> =
        correlation.group_by.iter().map(|field| field.name.clone()).zip(key.iter().cloned()).collect();
    let Some(declared) = correlation.alert.as_ref().and_then(|alert| alert.fingerprint.as_ref()) else { return group };
    let pair = |name: &String| {
        let of_group = group.iter().find(|(known, _)| known == name).map(|(_, text)| text.clone());
        Some((name.clone(), of_group.or_else(|| event.texts(name).into_iter().next())?))
    };
    let key: Option<Vec<_>> = declared.iter().map(pair).collect();
    key.unwrap_or_else(|| vec![("event.id".to_owned(), event.id.clone())])
}

/// The first route that is true of the deciding event is a page.
pub(super) fn pages(alert: Option<&AlertSpec>, event: &Event) -> bool {
    let is_true =
        |when: &Option<Search>| when.as_ref().is_none_or(|when| oracle::search(when, &event.fields, &BTreeMap::new()));
    let routes = alert.map(|alert| alert.routes.as_slice()).unwrap_or_default();
    routes.iter().find(|route| is_true(&route.when)).is_some_and(|route| route.urgency == model::Urgency::Page)
}
