//! Whose events are: the same texts again and again, kept once, so that a contribution carries one handle of them.
//!
//! A handle says nothing but its texts. Must never matter to what is told: when there are too many, all are forgotten here and
//! live on where they are in use.

use std::sync::Arc;

use hashbrown::HashTable;
use model::Event;

use crate::contribution::Scope;
use crate::definition::{Definition, values};

/// Scopes that are known at a time.
const SCOPES_MAX: usize = 100_000;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Scopes(HashTable<Arc<Scope>>);

impl Scopes {
    /// Whose an event is.
    pub(super) fn of(&mut self, definition: &Definition, event: &Event) -> Arc<Scope> {
        let fields = [Some("prov.team"), Some("prov.env"), Some("prov.repo"), definition.label.as_deref()];
        let texts = fields.map(|field| field.and_then(|field| values(event, field).into_iter().next()));
        let texts = texts.each_ref().map(|text| text.as_deref().unwrap_or_default());
        let hash = Scope::hash_of(texts);
        if let Some(known) = self.0.find(hash, |known| known.texts() == texts) {
            return known.clone();
        }
        if self.0.len() >= SCOPES_MAX {
            self.0.clear();
        }
        let scope = Arc::new(Scope::new(texts.map(Arc::from)));
        self.0.insert_unique(hash, scope.clone(), |known| Scope::hash_of(known.texts()));
        scope
    }
}
