//! The documents of one file with all that they refer to, and the same with every mutant beside its original.
//!
//! A mutant is a document of its own: whatever leads from it to a rule that speaks is there once more and refers to the
//! mutant, so that one run judges the rules and all of their mutants. Must never let a mutant feed an original.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::name_of;
use super::remembering::{of_correlation, of_rule};
use crate::ast::{Correlation, Memory, Reference, Rule, Target};
use crate::parse::Loaded;

/// Documents of one file with all that they refer to.
#[derive(Debug, Default)]
pub struct Subject {
    /// The documents, and no others.
    pub(super) documents: Loaded,
    /// Those of the file itself.
    own: BTreeSet<Target>,
}

/// A change, and under which ids those who speak stand with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Variant {
    /// Name of the changed document.
    pub(super) rule: String,
    /// What was changed, in words.
    pub(super) change: String,
    /// Ids of rules that speak, without the change and with it.
    pub(super) speakers: Vec<(String, String)>,
}

/// A document of either kind.
#[derive(Clone)]
enum Document {
    Rule(Box<Rule>),
    Correlation(Box<Correlation>),
}

impl Subject {
    /// The documents of a file of a set that has been loaded.
    pub fn of(loaded: &Loaded, file: &Path) -> Subject {
        let own_rules = loaded.rules.iter().enumerate().filter(|(_, rule)| rule.origin.file.as_path() == file);
        let own_correlations =
            loaded.correlations.iter().enumerate().filter(|(_, of)| of.origin.file.as_path() == file);
        let own: BTreeSet<Target> = own_rules
            .map(|(at, _)| Target::Rule(at))
            .chain(own_correlations.map(|(at, _)| Target::Correlation(at)))
            .collect();
        let mut wanted = BTreeSet::new();
        let mut open: Vec<Target> = own.iter().copied().collect();
        while let Some(target) = open.pop() {
            if wanted.insert(target) {
                open.extend(references(loaded, target));
            }
        }
        let (mut documents, mut places) = (Loaded::default(), BTreeMap::new());
        for target in &wanted {
            if let Some(found) = document(loaded, *target) {
                places.insert(*target, push(&mut documents, found, is_silent(loaded, *target)));
            }
        }
        documents.rules.iter_mut().for_each(|rule| retarget(rule_references(rule), &places));
        let rules = documents.rules.iter_mut().filter_map(|rule| rule.alert.as_mut());
        for alert in rules.chain(documents.correlations.iter_mut().filter_map(|of| of.alert.as_mut())) {
            let place = |at: usize| match places.get(&Target::Rule(at)) {
                Some(Target::Rule(at)) => Some(*at),
                _ => None,
            };
            alert.suppressors = alert.suppressors.iter().filter_map(|at| place(*at)).collect();
        }
        documents.correlations.iter_mut().for_each(|of| retarget(of.references.iter_mut().collect(), &places));
        Subject { documents, own: own.iter().filter_map(|target| places.get(target)).copied().collect() }
    }

    /// Some document of the file looks at more than one event.
    pub fn remembers(&self) -> bool {
        self.own.iter().any(|target| match target {
            Target::Rule(at) => self.documents.rules.get(*at).is_some_and(Rule::remembers),
            Target::Correlation(_) => true,
        })
    }

    /// The rules of the file that look at one event.
    pub fn own_rules(&self) -> Vec<Rule> {
        let own = self.documents.rules.iter().enumerate().filter(|(at, _)| self.own.contains(&Target::Rule(*at)));
        own.map(|(_, rule)| rule.clone()).collect()
    }

    /// Names of the documents of the file.
    pub fn names(&self) -> Vec<String> {
        self.own.iter().filter_map(|target| document(&self.documents, *target)).map(|of| of.name()).collect()
    }

    /// The files that the documents stand in.
    pub fn files(&self) -> impl Iterator<Item = PathBuf> + '_ {
        let (rules, correlations) = (&self.documents.rules, &self.documents.correlations);
        let origins = rules.iter().map(|rule| &rule.origin).chain(correlations.iter().map(|of| &of.origin));
        origins.map(|origin| origin.file.as_ref().clone())
    }

    /// Ids and names of the documents of the file that speak.
    pub fn speakers(&self) -> Vec<(String, String)> {
        let speaking = self.own.iter().filter(|target| !is_silent(&self.documents, **target));
        speaking
            .filter_map(|target| document(&self.documents, *target))
            .map(|document| (document.id().to_owned(), document.name()))
            .collect()
    }

    /// Adds every mutant of every document of the file.
    pub(super) fn add_variants(&mut self) -> Vec<Variant> {
        // All of it before the first mutant is there: a copy refers to originals, and is none.
        let speaks = |target: &&Target| self.own.contains(target) && !is_silent(&self.documents, **target);
        let affected: Vec<(Target, BTreeSet<Target>)> =
            self.own.iter().map(|target| (*target, self.affected(*target))).collect();
        let affected: Vec<_> = affected.into_iter().filter(|(_, all)| all.iter().any(|of| speaks(&of))).collect();
        let mut found = Vec::new();
        for (target, affected) in affected {
            let Some(original) = document(&self.documents, target) else { continue };
            for (change, mutant) in original.mutants() {
                let speakers = self.add(target, mutant, &affected, found.len());
                found.push(Variant { rule: original.name(), change, speakers });
            }
        }
        found
    }

    /// The document and all that it feeds over any number of steps.
    fn affected(&self, target: Target) -> BTreeSet<Target> {
        let rules = (0..self.documents.rules.len()).map(Target::Rule);
        let all = rules.chain((0..self.documents.correlations.len()).map(Target::Correlation));
        let references: Vec<(Target, Vec<Target>)> =
            all.map(|target| (target, references(&self.documents, target))).collect();
        let mut affected = BTreeSet::from([target]);
        loop {
            let before = affected.len();
            let fed = references.iter().filter(|(_, references)| references.iter().any(|of| affected.contains(of)));
            let fed: Vec<Target> = fed.map(|(target, _)| *target).collect();
            affected.extend(fed);
            if affected.len() == before {
                return affected;
            }
        }
    }

    /// Adds a mutant and what it affects; gives the ids of those who speak, without and with it.
    fn add(
        &mut self,
        target: Target,
        mutant: Document,
        affected: &BTreeSet<Target>,
        number: usize,
    ) -> Vec<(String, String)> {
        let (mut places, mut speakers) = (BTreeMap::new(), Vec::new());
        for of in affected {
            let Some(found) = document(&self.documents, *of) else { continue };
            let is_silent = is_silent(&self.documents, *of);
            let mut copy = if *of == target { mutant.clone() } else { found.clone() };
            let id = format!("{}+{number}", found.id());
            copy.rename(&id);
            if self.own.contains(of) && !is_silent {
                speakers.push((found.id().to_owned(), id));
            }
            places.insert(*of, push(&mut self.documents, copy, is_silent));
        }
        for place in places.values() {
            match place {
                Target::Rule(at) => {
                    let rule = self.documents.rules.get_mut(*at);
                    rule.into_iter().for_each(|rule| retarget(rule_references(rule), &places));
                }
                Target::Correlation(at) => {
                    let correlation = self.documents.correlations.get_mut(*at);
                    correlation.into_iter().for_each(|of| retarget(of.references.iter_mut().collect(), &places));
                }
            }
        }
        speakers
    }
}

impl Document {
    fn id(&self) -> &str {
        match self {
            Document::Rule(rule) => &rule.id,
            Document::Correlation(correlation) => &correlation.id,
        }
    }

    fn rename(&mut self, id: &str) {
        match self {
            Document::Rule(rule) => rule.id = id.to_owned(),
            Document::Correlation(correlation) => correlation.id = id.to_owned(),
        }
    }

    fn name(&self) -> String {
        match self {
            Document::Rule(rule) => name_of(rule),
            Document::Correlation(of) => of.name.clone().unwrap_or_else(|| of.title.clone()),
        }
    }

    fn mutants(&self) -> Vec<(String, Document)> {
        match self {
            Document::Rule(rule) => {
                let changed = of_rule(rule).into_iter();
                changed.map(|mutant| (mutant.change, Document::Rule(Box::new(mutant.rule)))).collect()
            }
            Document::Correlation(correlation) => {
                let changed = of_correlation(correlation).into_iter();
                changed.map(|(change, of)| (change, Document::Correlation(Box::new(of)))).collect()
            }
        }
    }
}

fn document(loaded: &Loaded, target: Target) -> Option<Document> {
    Some(match target {
        Target::Rule(at) => Document::Rule(Box::new(loaded.rules.get(at)?.clone())),
        Target::Correlation(at) => Document::Correlation(Box::new(loaded.correlations.get(at)?.clone())),
    })
}

/// What a document refers to.
fn references(loaded: &Loaded, target: Target) -> Vec<Target> {
    match target {
        Target::Correlation(at) => {
            let references = loaded.correlations.get(at).map(|of| of.references.as_slice()).unwrap_or_default();
            references.iter().map(|reference| reference.target).collect()
        }
        Target::Rule(at) => {
            let memories = loaded.rules.get(at).map(|rule| rule.memories.as_slice()).unwrap_or_default();
            let intervals = memories.iter().filter_map(|memory| match memory {
                Memory::Interval(interval) => Some([interval.open.target, interval.close.target]),
                Memory::Previous(_) => None,
            });
            let announcers = loaded.rules.get(at).filter(|rule| rule.detector.is_some());
            let announcers = announcers.and_then(|rule| rule.alert.as_ref()).into_iter().flat_map(|of| &of.suppressors);
            intervals.flatten().chain(announcers.map(|at| Target::Rule(*at))).collect()
        }
    }
}

fn is_silent(loaded: &Loaded, target: Target) -> bool {
    match target {
        Target::Rule(at) => loaded.silent_rules.contains(&at),
        Target::Correlation(at) => loaded.silent_correlations.contains(&at),
    }
}

fn push(documents: &mut Loaded, document: Document, is_silent: bool) -> Target {
    match document {
        Document::Rule(rule) => {
            let at = documents.rules.len();
            documents.rules.push(*rule);
            documents.silent_rules.extend(is_silent.then_some(at));
            Target::Rule(at)
        }
        Document::Correlation(correlation) => {
            let at = documents.correlations.len();
            documents.correlations.push(*correlation);
            documents.silent_correlations.extend(is_silent.then_some(at));
            Target::Correlation(at)
        }
    }
}

fn rule_references(rule: &mut Rule) -> Vec<&mut Reference> {
    let intervals = rule.memories.iter_mut().filter_map(|memory| match memory {
        Memory::Interval(interval) => Some([&mut interval.open, &mut interval.close]),
        Memory::Previous(_) => None,
    });
    intervals.flatten().collect()
}

fn retarget(references: Vec<&mut Reference>, places: &BTreeMap<Target, Target>) {
    for reference in references {
        if let Some(target) = places.get(&reference.target) {
            reference.target = *target;
        }
    }
}
