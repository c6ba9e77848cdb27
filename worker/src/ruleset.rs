//! The rules a run uses: the pack, the user's own files, and what had to be refused.
//!
//! Loading never stops at a bad rule: every message is kept, everything else runs. `run` leaves out rules that would wake
//! somebody without owner, runbook and proof; `replay`, which wakes nobody, only warns.

use std::path::PathBuf;
use std::sync::Arc;

use model::{RuleInfo, Urgency};
use rules::ast::Rule;
use rules::lists::ListError;
use rules::parse::{Diagnostic, Loaded, Settings, load_texts};

use crate::rule_files::{self, RuleText};

/// Rules ready to be compiled, and what is known about the others.
#[derive(Debug, Default)]
pub struct RuleSet {
    /// The rules; their index is how programs and matches name them.
    pub rules: Vec<Arc<Rule>>,
    /// What alerts repeat of each rule, by the same index.
    pub infos: Vec<Arc<RuleInfo>>,
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
        let proven = |rule: &Rule| texts.iter().any(|of| of.proven && of.file == *rule.origin.file);
        let mut set = RuleSet::default();
        set.add(load_texts(&named, settings), proven, unproven);
        RuleSet { texts, whole: true, ..set }
    }

    fn add(&mut self, loaded: Loaded, proven: impl Fn(&Rule) -> bool, unproven: Unproven) {
        self.refused.extend(loaded.refused);
        self.skipped.extend(loaded.skipped);
        self.warnings.extend(loaded.warnings);
        for rule in loaded.rules {
            if let Some(problem) = paging_problem(&rule, proven(&rule)) {
                match unproven {
                    Unproven::Refuse => {
                        self.refused.push(problem);
                        continue;
                    }
                    Unproven::Warn => self.warnings.push(problem),
                }
            }
            self.infos.push(Arc::new(info(&rule)));
            self.rules.push(Arc::new(rule));
        }
    }
}

/// What is wrong with a list, with a hint.
pub fn about_list(error: &ListError) -> String {
    match error {
        ListError::Unreadable { .. } => format!("{error} (hint: make the file readable, or name another)"),
        ListError::Malformed { .. } => error.to_string(),
    }
}

fn info(rule: &Rule) -> RuleInfo {
    let alert = rule.alert.as_ref();
    RuleInfo {
        id: rule.id.as_str().into(),
        name: rule.name.clone(),
        title: rule.title.clone(),
        severity: rule.level,
        version: rule.version,
        tags: rule.tags.clone(),
        realert_ms: alert.and_then(|alert| alert.realert_ms),
        owner: alert.and_then(|alert| alert.owner.clone()),
        runbook: alert.and_then(|alert| alert.runbook.clone()),
        custom: rule.custom.clone(),
    }
}

/// Why a rule may not page, if it would.
fn paging_problem(rule: &Rule, proven: bool) -> Option<Diagnostic> {
    let alert = rule.alert.as_ref()?;
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
        rule: Some(rule.title.clone()),
        message: format!("the rule pages and has no {}", missing.join(", no ")),
        hint: Some("add what is missing, or route it as a ticket".to_owned()),
    })
}
