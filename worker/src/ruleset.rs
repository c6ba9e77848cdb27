//! The rules a run uses: the pack, the user's own files, and what had to be refused.
//!
//! Loading never stops at a bad rule: every message is kept, everything else runs. `run` leaves out rules that would wake
//! somebody without owner, runbook and proof; `replay`, which wakes nobody, only warns.

use std::path::PathBuf;
use std::sync::Arc;

use model::{RuleInfo, Urgency};
use rules::ast::{AlertSpec, Correlation, Origin, Rule};
use rules::correlation::Graph;
use rules::lineage::Ask;
use rules::lists::ListError;
use rules::parse::{Diagnostic, Loaded, Settings, load_texts};

use crate::rule_files::{self, RuleText};

/// Rules ready to be compiled, and what is known about the others.
#[derive(Debug, Default)]
pub struct RuleSet {
    /// The rules; their index is how programs and matches name them.
    pub rules: Vec<Arc<Rule>>,
    /// The correlations; their index follows that of the last rule.
    pub correlations: Vec<Arc<Correlation>>,
    /// What alerts repeat of each rule and correlation, by the same index.
    pub infos: Vec<Arc<RuleInfo>>,
    /// By the same index: it tells alerts of its own.
    pub speaks: Vec<bool>,
    /// What feeds what.
    pub graph: Arc<Graph>,
    /// Documents that are wrong.
    pub refused: Vec<Diagnostic>,
    /// Documents left out on purpose.
    pub skipped: Vec<Diagnostic>,
    /// Messages that stop nothing.
    pub warnings: Vec<Diagnostic>,
    /// What it was loaded from.
    pub texts: Vec<RuleText>,
    /// Every file that was named could be read.
    pub whole: bool,
}

/// What happens to a rule that pages without owner, runbook or proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unproven {
    /// It is loaded, with a warning.
    Warn,
    /// It is refused.
    Refuse,
}

impl RuleSet {
    /// Loads the pack (unless told not to) and the rules under the paths, as one set: filters among the user's files can
    /// name rules of the pack.
    pub fn load(pack: bool, paths: &[PathBuf], settings: &Settings, unproven: Unproven) -> RuleSet {
        let pack = if pack { rules::pack::pack() } else { Vec::new() };
        let carried = pack.into_iter().map(|of| RuleText { proven: of.has_proof(), file: of.file, text: of.rule_text });
        let found = rule_files::read(paths);
        let mut set = RuleSet::of(carried.chain(found.texts).collect(), settings, unproven);
        set.whole = found.refused.is_empty();
        set.refused.extend(found.refused);
        set.warnings.extend(found.warnings);
        set
    }

    /// A set of these texts.
    pub fn of(texts: Vec<RuleText>, settings: &Settings, unproven: Unproven) -> RuleSet {
        let named: Vec<(PathBuf, &str)> = texts.iter().map(|of| (of.file.clone(), of.text.as_str())).collect();
        let proven = |origin: &Origin| texts.iter().any(|of| of.proven && of.file == *origin.file);
        let mut set = RuleSet::default();
        set.add(load_texts(&named, settings), proven, unproven);
        RuleSet { texts, whole: true, ..set }
    }

    /// A set of documents that have been loaded, proven or not.
    pub fn of_documents(documents: Loaded) -> RuleSet {
        let mut set = RuleSet { whole: true, ..RuleSet::default() };
        set.add(documents, |_| true, Unproven::Warn);
        set
    }

    fn add(&mut self, loaded: Loaded, proven: impl Fn(&Origin) -> bool, unproven: Unproven) {
        self.refused.extend(loaded.refused);
        self.skipped.extend(loaded.skipped);
        self.warnings.extend(loaded.warnings);
        let (silent_rules, silent_correlations) = (loaded.silent_rules, loaded.silent_correlations);
        let ids: Vec<Arc<str>> = loaded.rules.iter().map(|rule| rule.id.as_str().into()).collect();
        for (at, rule) in loaded.rules.into_iter().enumerate() {
            let about = About::rule(&rule);
            let speaks = !silent_rules.contains(&at) && self.may_speak(&about, proven(&rule.origin), unproven);
            self.speaks.push(speaks);
            self.infos.push(Arc::new(about.info(&ids)));
            self.rules.push(Arc::new(rule));
        }
        for (at, correlation) in loaded.correlations.into_iter().enumerate() {
            let about = About::correlation(&correlation);
            let speaks =
                !silent_correlations.contains(&at) && self.may_speak(&about, proven(&correlation.origin), unproven);
            self.speaks.push(speaks);
            self.infos.push(Arc::new(about.info(&ids)));
            self.correlations.push(Arc::new(correlation));
        }
        let speaks = |index: u32| self.speaks.get(index as usize).copied().unwrap_or(false);
        self.graph = Arc::new(Graph::new(&self.rules, &self.correlations, speaks));
    }

    /// A rule that would page without owner, runbook or proof is silent in `run`; others may still refer to it.
    fn may_speak(&mut self, about: &About<'_>, proven: bool, unproven: Unproven) -> bool {
        let Some(problem) = paging_problem(about, proven) else { return true };
        match unproven {
            Unproven::Refuse => self.refused.push(problem),
            Unproven::Warn => self.warnings.push(problem),
        }
        unproven == Unproven::Warn
    }

    /// The rules that ask lineage, with what they ask.
    pub fn asked(&self) -> impl Iterator<Item = (&Rule, &Ask)> {
        let speaking = self.rules.iter().zip(&self.speaks).filter(|(_, speaks)| **speaks);
        speaking.filter_map(|(rule, _)| Some((rule.as_ref(), rule.lineage.as_ref()?)))
    }

    /// The rule is evaluated: it speaks, or something remembers it.
    pub fn takes_part(&self, rule: u32) -> bool {
        self.speaks.get(rule as usize).copied().unwrap_or(false) || self.graph.watched(rule).is_some()
    }
}

/// What rules and correlations have in common.
struct About<'r> {
    id: &'r str,
    name: &'r Option<String>,
    title: &'r str,
    severity: model::Severity,
    version: model::Sha256,
    tags: &'r [String],
    alert: Option<&'r AlertSpec>,
    custom: &'r serde_json::Map<String, serde_json::Value>,
    origin: &'r Origin,
}

/// What is wrong with a list, with a hint.
pub fn about_list(error: &ListError) -> String {
    match error {
        ListError::Unreadable { .. } => format!("{error} (hint: make the file readable, or name another)"),
        ListError::Malformed { .. } => error.to_string(),
    }
}

impl<'r> About<'r> {
    fn rule(rule: &'r Rule) -> About<'r> {
        let Rule { id, name, title, level, version, tags, alert, custom, origin, .. } = rule;
        About { id, name, title, severity: *level, version: *version, tags, alert: alert.as_ref(), custom, origin }
    }

    fn correlation(correlation: &'r Correlation) -> About<'r> {
        let Correlation { id, name, title, level, version, tags, alert, custom, origin, .. } = correlation;
        About { id, name, title, severity: *level, version: *version, tags, alert: alert.as_ref(), custom, origin }
    }

    /// `ids` are those of the rules, by index.
    fn info(&self, ids: &[Arc<str>]) -> RuleInfo {
        let suppressors = self.alert.iter().flat_map(|alert| &alert.suppressors);
        RuleInfo {
            id: self.id.into(),
            name: self.name.clone(),
            title: self.title.to_owned(),
            severity: self.severity,
            version: self.version,
            tags: self.tags.to_vec(),
            realert_ms: self.alert.and_then(|alert| alert.realert_ms),
            owner: self.alert.and_then(|alert| alert.owner.clone()),
            runbook: self.alert.and_then(|alert| alert.runbook.clone()),
            group: self.alert.and_then(|alert| alert.group.clone()).unwrap_or_default(),
            suppress_when: suppressors.filter_map(|at| ids.get(*at).cloned()).collect(),
            shadow: self.alert.is_some_and(|alert| alert.shadow),
            custom: self.custom.clone(),
        }
    }
}

/// Why a rule may not page, if it would.
fn paging_problem(rule: &About<'_>, proven: bool) -> Option<Diagnostic> {
    let alert = rule.alert?;
    if !alert.routes.iter().any(|route| route.urgency == Urgency::Page) {
        return None;
    }
    let mut missing = Vec::new();
    if alert.owner.is_none() {
        missing.push("x-alert.owner");
    }
    if alert.runbook.is_none() {
        missing.push("x-alert.runbook");
    }
    if !proven {
        missing.push("a proof (fires.jsonl and silent.jsonl beside it)");
    }
    (!missing.is_empty()).then(|| Diagnostic {
        file: rule.origin.file.as_ref().clone(),
        line: rule.origin.line,
        rule: Some(rule.title.to_owned()),
        message: format!("the rule pages and has no {}", missing.join(", no ")),
        hint: Some("add what is missing, or route it as a ticket".to_owned()),
    })
}
