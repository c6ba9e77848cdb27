//! What the reading of one document knows and collects.
//!
//! Must never outlive its document: budgets and warnings are per rule.

use std::collections::BTreeSet;

use super::Settings;
use super::problem::Problem;
use crate::ast::ListUse;

/// Patterns that placeholders and modifiers may make of one rule's values.
const VARIANTS_MAX: usize = 200_000;

/// What becomes of the names of fields.
#[derive(Debug)]
pub(super) enum Fields {
    /// Native records may have any.
    Any,
    /// The document is about our own events: every field must be one of the model's.
    Model,
    /// Only its references tell, which are resolved later: fields are kept, with their lines.
    Later(Vec<(String, usize)>),
}

/// One document's context.
pub(super) struct Context<'a> {
    pub(super) settings: &'a Settings,
    /// Lists declared under `x-lists`.
    pub(super) lists: Vec<ListUse>,
    /// Names of lists that something reads.
    pub(super) lists_used: BTreeSet<String>,
    pub(super) warnings: Vec<Problem>,
    fields: Fields,
    variants: usize,
}

impl<'a> Context<'a> {
    pub(super) fn new(settings: &'a Settings, lists: Vec<ListUse>, fields: Fields) -> Context<'a> {
        Context { settings, lists, lists_used: BTreeSet::new(), warnings: Vec::new(), fields, variants: 0 }
    }

    pub(super) fn is_list(&self, name: &str) -> bool {
        self.lists.iter().any(|list| list.name == name)
    }

    /// Refuses a field that the model does not have, in rules about our own events.
    pub(super) fn check_field(&mut self, field: &str, line: usize) -> Result<(), Problem> {
        match &mut self.fields {
            Fields::Any => Ok(()),
            Fields::Model => known_field(self.settings, field, line),
            Fields::Later(fields) => {
                fields.push((field.to_owned(), line));
                Ok(())
            }
        }
    }

    /// The fields that were kept for later.
    pub(super) fn kept_fields(&mut self) -> Vec<(String, usize)> {
        match &mut self.fields {
            Fields::Later(fields) => std::mem::take(fields),
            Fields::Any | Fields::Model => Vec::new(),
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

/// Refuses a field that the model does not have.
pub(super) fn known_field(settings: &Settings, field: &str, line: usize) -> Result<(), Problem> {
    match settings.model_fields.and_then(|known| known(field)) {
        Some(hint) => Err(Problem::new(line, format!("unknown field `{field}`")).hint(hint)),
        None => Ok(()),
    }
}
