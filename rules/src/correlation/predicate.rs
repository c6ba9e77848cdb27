//! `x-where` over several events (E2): each path names the event's rule first.
//!
//! The expressions are those of single events; their fields come from the events that were chosen.

use std::sync::Arc;

use model::{CarriedField, Projection, Row, Slot};

use super::graph::Graph;
use super::state::Seen;
use crate::ast::Correlation;
use crate::lists::Lists;
use crate::where_expr::Where;

/// Expressions with their fields found.
#[derive(Debug, Default)]
pub(super) struct Predicates {
    wheres: Vec<Where>,
    fields: Projection,
    /// (slot, reference, field)
    places: Vec<(Slot, usize, CarriedField)>,
    references: usize,
}

impl Predicates {
    pub(super) fn new(graph: &Graph, correlation: &Correlation) -> Predicates {
        let mut found = Predicates { references: correlation.listed, ..Predicates::default() };
        for path in correlation.wheres.iter().flat_map(|expression| expression.fields()) {
            let of = |name: &str| path.strip_prefix(name)?.strip_prefix('.');
            let mut named = correlation.references.iter().enumerate();
            let place = named.find_map(|(at, reference)| Some((at, graph.field(of(&reference.name)?)?)));
            if let Some((reference, field)) = place {
                found.places.push((found.fields.ask(path), reference, field));
            }
        }
        found.wheres.clone_from(&correlation.wheres);
        found
    }

    /// References that a choice is made of.
    pub(super) fn references(&self) -> usize {
        self.references
    }

    /// There is nothing to choose by.
    pub(super) fn is_empty(&self) -> bool {
        self.wheres.is_empty()
    }

    /// Every expression is true of the events; `of` gives the event of a reference.
    pub(super) fn hold<'s>(&self, of: impl Fn(usize) -> Option<&'s Arc<Seen>>, lists: &Lists, row: &mut Row) -> bool {
        row.reset(self.fields.len());
        for (slot, reference, field) in &self.places {
            for text in of(*reference).into_iter().flat_map(|seen| seen.fields.texts(*field)) {
                row.push_text(*slot, text);
            }
        }
        self.wheres.iter().all(|expression| expression.holds(&self.fields, row.view(""), lists))
    }
}
