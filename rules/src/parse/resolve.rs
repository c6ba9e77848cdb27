//! References of correlations and intervals to what they name, once every document has been read.
//!
//! Must never let a document load whose references did not: it would be silent and nobody would know why.

use std::collections::{BTreeMap, BTreeSet};

use super::context::known_field;
use super::names::Names;
use super::problem::Problem;
use super::{Settings, correlation, lineage, rule};
use crate::ast::{Correlation, Memory, Origin, Reference, Rule, Target};
use crate::correlation::{asks_a_detector, is_about_anomalies};

/// A reference as it was written.
#[derive(Debug, Clone)]
pub(super) struct Link {
    /// Name or id.
    pub(super) name: String,
    pub(super) line: usize,
    /// It may name no correlation.
    pub(super) only_rules: bool,
}

/// What resolution hands back.
#[derive(Debug, Default)]
pub(super) struct Resolved {
    pub(super) rules: Vec<Rule>,
    pub(super) correlations: Vec<Correlation>,
    pub(super) silent_rules: BTreeSet<usize>,
    pub(super) silent_correlations: BTreeSet<usize>,
    /// Documents that are refused after all, with their reasons.
    pub(super) refused: Vec<Refused>,
}

/// A document that was read and cannot be kept.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) origin: Origin,
    pub(super) title: String,
    /// Its id and its name.
    pub(super) names: Vec<String>,
    pub(super) why: Problem,
}

/// A document that others can refer to: rules first, then correlations.
pub(super) struct Document<'a> {
    pub(super) origin: &'a Origin,
    pub(super) id: &'a str,
    pub(super) name: Option<&'a str>,
    pub(super) title: &'a str,
    links: Vec<&'a Link>,
    pub(super) is_rule: bool,
}

#[derive(Debug, Clone, PartialEq)]
enum State {
    Waiting,
    Kept,
    Refused(Problem),
}

/// Resolves all references; `absent` holds ids and names of documents that were refused or skipped before.
pub(super) fn resolve(
    rules: Vec<rule::Draft>,
    correlations: Vec<correlation::Draft>,
    absent: &BTreeMap<String, Origin>,
    settings: &Settings,
) -> Resolved {
    let (targets, states) = {
        let documents = documents(&rules, &correlations);
        let links = |at: usize| documents.get(at).map_or(&[][..], |document| document.links.as_slice());
        let unreferred = |at: usize, targets: &[usize]| lineage::unreferred(&rules, targets, links(at));
        let mut pass = Pass::new(&documents, absent);
        pass.run(|at, targets, own| match at.checked_sub(rules.len()) {
            _ if unreferred(at, targets).is_err() => (unreferred(at, targets), false),
            None => rules.get(at).map_or((Ok(()), false), |draft| check_rule(draft, targets, own, settings)),
            Some(at) => {
                correlations.get(at).map_or((Ok(()), false), |draft| check_correlation(draft, targets, own, settings))
            }
        });
        (pass.targets, pass.states)
    };
    assemble(rules, correlations, &targets, states)
}

fn documents<'a>(rules: &'a [rule::Draft], correlations: &'a [correlation::Draft]) -> Vec<Document<'a>> {
    let of_rule = |draft: &'a rule::Draft| Document {
        origin: &draft.rule.origin,
        id: &draft.rule.id,
        name: draft.rule.name.as_deref(),
        title: &draft.rule.title,
        links: draft.interval.iter().flat_map(|interval| &interval.links).collect(),
        is_rule: true,
    };
    let of_correlation = |draft: &'a correlation::Draft| Document {
        origin: &draft.correlation.origin,
        id: &draft.correlation.id,
        name: draft.correlation.name.as_deref(),
        title: &draft.correlation.title,
        links: draft.links.iter().collect(),
        is_rule: false,
    };
    rules.iter().map(of_rule).chain(correlations.iter().map(of_correlation)).collect()
}

/// One walk over all documents, those that others refer to first.
struct Pass<'d> {
    documents: &'d [Document<'d>],
    /// For each document what its links name.
    targets: Vec<Vec<usize>>,
    states: Vec<State>,
    /// Whether only our own events can reach the document.
    own: Vec<bool>,
    /// Who refers to each document.
    referring: Vec<Vec<usize>>,
    /// How many of its references have not been decided.
    open: Vec<usize>,
    ready: Vec<usize>,
}

impl<'d> Pass<'d> {
    fn new(documents: &'d [Document<'d>], absent: &BTreeMap<String, Origin>) -> Pass<'d> {
        let names = Names::of(documents, absent);
        let count = documents.len();
        let mut pass = Pass {
            documents,
            targets: vec![Vec::new(); count],
            states: vec![State::Waiting; count],
            own: vec![false; count],
            referring: vec![Vec::new(); count],
            open: vec![0; count],
            ready: Vec::new(),
        };
        for (at, document) in documents.iter().enumerate() {
            let found: Result<Vec<usize>, Problem> = document.links.iter().map(|link| names.find(link, at)).collect();
            match found {
                Ok(targets) => {
                    for to in &targets {
                        if let Some(referring) = pass.referring.get_mut(*to) {
                            referring.push(at);
                        }
                    }
                    set(&mut pass.open, at, targets.len());
                    set(&mut pass.targets, at, targets);
                }
                Err(why) => set(&mut pass.states, at, State::Refused(why)),
            }
            if pass.open.get(at) == Some(&0) {
                pass.ready.push(at);
            }
        }
        pass
    }

    /// Decides every document. `check` tells whether one may stay whose references all have, and whether only our own
    /// events reach it.
    fn run(&mut self, check: impl Fn(usize, &[usize], &[bool]) -> (Result<(), Problem>, bool)) {
        loop {
            while let Some(at) = self.ready.pop() {
                if self.states.get(at) == Some(&State::Waiting) {
                    let state = match self.broken(at) {
                        Some(why) => State::Refused(why),
                        None => {
                            let targets = self.targets.get(at).map_or(&[][..], Vec::as_slice);
                            let (found, own) = check(at, targets, &self.own);
                            set(&mut self.own, at, own);
                            found.map_or_else(State::Refused, |()| State::Kept)
                        }
                    };
                    set(&mut self.states, at, state);
                }
                self.decided(at);
            }
            let Some(start) = self.states.iter().position(|state| *state == State::Waiting) else { return };
            self.refuse_cycle(start);
        }
    }

    fn decided(&mut self, at: usize) {
        for referring in self.referring.get_mut(at).map(std::mem::take).unwrap_or_default() {
            if let Some(open) = self.open.get_mut(referring) {
                *open = open.saturating_sub(1);
                if *open == 0 {
                    self.ready.push(referring);
                }
            }
        }
    }

    /// Why the document cannot stay: one that it refers to did not.
    fn broken(&self, at: usize) -> Option<Problem> {
        let links = &self.documents.get(at)?.links;
        for (to, link) in self.targets.get(at)?.iter().zip(links) {
            if let Some(State::Refused(why)) = self.states.get(*to) {
                let origin = self.documents.get(*to)?.origin;
                let place = format!("{}:{}", origin.file.display(), why.line);
                return Some(
                    Problem::new(link.line, format!("refers to `{}`, which is refused ({place})", link.name))
                        .hint("see the message about that document"),
                );
            }
        }
        None
    }

    /// Every waiting document refers to a waiting one, so following them from anywhere ends in a circle.
    fn refuse_cycle(&mut self, start: usize) {
        let mut path: Vec<usize> = Vec::new();
        let mut seen = BTreeMap::new();
        let mut at = start;
        let first = loop {
            if let Some(first) = seen.get(&at) {
                break *first;
            }
            seen.insert(at, path.len());
            path.push(at);
            let targets = self.targets.get(at).map_or(&[][..], Vec::as_slice);
            at = targets.iter().copied().find(|to| self.states.get(*to) == Some(&State::Waiting)).unwrap_or(at);
        };
        let circle = path.split_off(first);
        for (position, member) in circle.iter().enumerate() {
            let around = circle.iter().cycle().skip(position).take(circle.len() + 1);
            let names: Vec<&str> = around.map(|at| self.called(*at)).collect();
            let line = self.documents.get(*member).and_then(|of| of.links.first()).map_or(0, |link| link.line);
            let why = Problem::new(line, format!("refers to itself: {}", names.join(" → ")))
                .hint("a correlation can only build on what stands without it");
            set(&mut self.states, *member, State::Refused(why));
        }
        self.ready.extend(circle);
    }

    fn called(&self, at: usize) -> &str {
        self.documents.get(at).map_or("", |of| of.name.unwrap_or(of.id))
    }
}

fn set<T>(of: &mut [T], at: usize, value: T) {
    if let Some(slot) = of.get_mut(at) {
        *slot = value;
    }
}

fn check_rule(
    draft: &rule::Draft,
    targets: &[usize],
    own: &[bool],
    settings: &Settings,
) -> (Result<(), Problem>, bool) {
    if is_about_anomalies(&draft.rule) && asks_a_detector(&draft.rule) {
        let name = draft.rule.name.as_deref().unwrap_or(&draft.rule.id);
        let why = format!("refers to itself: {name} → anomaly → {name}");
        let hint = "a detector looks at what happened, not at what detectors find: name another category, or drop it";
        return (Err(Problem::new(draft.rule.origin.line, why).hint(hint)), true);
    }
    let is_own = |of: &usize| targets.get(*of).and_then(|at| own.get(*at)).copied().unwrap_or(false);
    let mut fields = draft.interval.iter().flat_map(|interval| &interval.fields);
    let found = fields.try_for_each(|(of, field, line)| match is_own(of) {
        true => known_field(settings, field, *line),
        false => Ok(()),
    });
    (found, rule::is_about_own_events(&draft.rule.logsource))
}

fn check_correlation(
    draft: &correlation::Draft,
    targets: &[usize],
    own: &[bool],
    settings: &Settings,
) -> (Result<(), Problem>, bool) {
    let is_own = |at: &usize| own.get(*at).copied().unwrap_or(false);
    let listed = targets.get(..draft.correlation.listed).unwrap_or(targets);
    let all_own = listed.iter().all(is_own);
    for (position, (target, link)) in listed.iter().zip(&draft.links).enumerate() {
        if let Some(twice) = listed.iter().take(position).position(|other| other == target) {
            let first = draft.links.get(twice).map_or("", |link| link.name.as_str());
            let why =
                Problem::new(link.line, format!("`{}` and `{first}` in `rules` are the same document", link.name))
                    .hint("list it once; event_count counts how often it holds");
            return (Err(why), all_own);
        }
    }
    let found = draft.fields.iter().try_for_each(|used| {
        let checked = match used.of {
            Some(of) => targets.get(of).is_some_and(is_own),
            None => all_own,
        };
        if checked { known_field(settings, &used.field, used.line) } else { Ok(()) }
    });
    (found, all_own)
}

/// Puts what stays into its final order, with references by final index.
fn assemble(
    rules: Vec<rule::Draft>,
    correlations: Vec<correlation::Draft>,
    targets: &[Vec<usize>],
    states: Vec<State>,
) -> Resolved {
    let mut finals: Vec<Option<Target>> = Vec::with_capacity(states.len());
    let (mut rules_kept, mut correlations_kept) = (0, 0);
    for (at, state) in states.iter().enumerate() {
        let kept = *state == State::Kept;
        let (counter, target): (&mut usize, fn(usize) -> Target) = match at < rules.len() {
            true => (&mut rules_kept, Target::Rule),
            false => (&mut correlations_kept, Target::Correlation),
        };
        finals.push(kept.then(|| target(*counter)));
        *counter += usize::from(kept);
    }
    let final_of = |at: &usize| finals.get(*at).copied().flatten();
    let mut resolved = Resolved::default();
    let mut states = states.into_iter().zip(targets);
    for (draft, (state, targets)) in rules.into_iter().zip(states.by_ref()) {
        let mut rule = draft.rule;
        if let State::Refused(why) = state {
            resolved.refused.push(Refused {
                names: [rule.id].into_iter().chain(rule.name).collect(),
                origin: rule.origin,
                title: rule.title,
                why,
            });
            continue;
        }
        if let (Some(draft), [open, close]) = (draft.interval, targets.as_slice())
            && let (Some(open), Some(close)) = (final_of(open), final_of(close))
        {
            let mut interval = draft.interval;
            (interval.open.target, interval.close.target) = (open, close);
            rule.memories.push(Memory::Interval(interval));
        }
        resolved.rules.push(rule);
    }
    for (draft, (state, targets)) in correlations.into_iter().zip(states) {
        let mut correlation = draft.correlation;
        if let State::Refused(why) = state {
            resolved.refused.push(Refused {
                names: [correlation.id].into_iter().chain(correlation.name).collect(),
                origin: correlation.origin,
                title: correlation.title,
                why,
            });
            continue;
        }
        let reference = |(link, to): (Link, &usize)| Some(Reference { name: link.name, target: final_of(to)? });
        correlation.references = draft.links.into_iter().zip(targets).filter_map(reference).collect();
        resolved.correlations.push(correlation);
    }
    silence(&mut resolved);
    resolved
}

/// What another document refers to tells nothing of its own, unless it has an `x-alert`, or a correlation that lists it
/// says `generate`.
fn silence(resolved: &mut Resolved) {
    let mut referred: BTreeMap<Target, bool> = BTreeMap::new();
    for correlation in &resolved.correlations {
        for (at, reference) in correlation.references.iter().enumerate() {
            *referred.entry(reference.target).or_default() |= correlation.generate && at < correlation.listed;
        }
    }
    for memory in resolved.rules.iter().flat_map(|rule| &rule.memories) {
        if let Memory::Interval(interval) = memory {
            referred.entry(interval.open.target).or_default();
            referred.entry(interval.close.target).or_default();
        }
    }
    for (target, generated) in referred {
        match target {
            _ if generated => {}
            Target::Rule(at) if resolved.rules.get(at).is_some_and(|rule| rule.alert.is_none()) => {
                resolved.silent_rules.insert(at);
            }
            Target::Correlation(at) if resolved.correlations.get(at).is_some_and(|of| of.alert.is_none()) => {
                resolved.silent_correlations.insert(at);
            }
            Target::Rule(_) | Target::Correlation(_) => {}
        }
    }
}
