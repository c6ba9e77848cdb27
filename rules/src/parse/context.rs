//! What the reading of one document knows and collects.
//!
//! Must never outlive its document: budgets and warnings are per rule.

use std::collections::BTreeSet;

use super::Settings;
use super::problem::Problem;
use crate::ast::ListUse;

/// Patterns that placeholders and modifiers may make of one rule's values.
const VARIANTS_MAX: usize = 200_000;

/// One document's context.
pub(super) struct Context<'a> {
    pub(super) settings: &'a Settings,
    /// Lists declared under `x-lists`.
    pub(super) lists: Vec<ListUse>,
    /// Names of lists that something reads.
    pub(super) lists_used: BTreeSet<String>,
    pub(super) warnings: Vec<Problem>,
    /// The rule is about our own events, so every field must be one of the model's.
    own_events: bool,
    variants: usize,
}

impl<'a> Context<'a> {
    pub(super) fn new(settings: &'a Settings, lists: Vec<ListUse>, own_events: bool) -> Context<'a> {
        Context { settings, lists, lists_used: BTreeSet::new(), warnings: Vec::new(), own_events, variants: 0 }
    }

    pub(super) fn is_list(&self, name: &str) -> bool {
        self.lists.iter().any(|list| list.name == name)
    }

    /// Refuses a field that the model does not have, in rules about our own events.
    pub(super) fn check_field(&self, field: &str, line: usize) -> Result<(), Problem> {
        match self.settings.model_fields.filter(|_| self.own_events).and_then(|known| known(field)) {
            Some(hint) => Err(Problem::new(line, format!("unknown field `{field}`")).hint(hint)),
            None => Ok(()),
        }
    }

    /// Counts patterns against the rule's budget.
    pub(super) fn count(&mut self, patterns: usize, line: usize) -> Result<(), Problem> {
        self.variants = self.variants.saturating_add(patterns);
        if self.variants > VARIANTS_MAX {
            return Err(Problem::new(line, format!("the rule's values expand to more than {VARIANTS_MAX} patterns"))
                .hint("use a live list, or fewer placeholders in one value"));
        }
        Ok(())
    }
}
