//! Ids and names of a set: what a reference stands for.
//!
//! Must never guess: what is unknown or stands for two documents is an error that says so.

use std::collections::BTreeMap;

use super::header::is_uuid;
use super::hint::nearest;
use super::problem::Problem;
use super::resolve::{Document, Link};
use crate::ast::Origin;

/// What ids and names stand for.
pub(super) struct Names<'d> {
    documents: &'d [Document<'d>],
    by_name: BTreeMap<&'d str, usize>,
    by_id: BTreeMap<&'d str, usize>,
    absent: &'d BTreeMap<String, Origin>,
}

impl<'d> Names<'d> {
    pub(super) fn of(documents: &'d [Document<'d>], absent: &'d BTreeMap<String, Origin>) -> Names<'d> {
        let by_name = documents.iter().enumerate().filter_map(|(at, of)| Some((of.name?, at))).collect();
        let by_id = documents.iter().enumerate().map(|(at, of)| (of.id, at)).collect();
        Names { documents, by_name, by_id, absent }
    }

    /// The document that a link of the one at `from` names.
    pub(super) fn find(&self, link: &Link, from: usize) -> Result<usize, Problem> {
        let name = link.name.as_str();
        let id = name.to_ascii_lowercase();
        let claims = [self.by_name.get(name), self.by_id.get(id.as_str())];
        let mut found: Vec<usize> = claims.into_iter().flatten().copied().collect();
        found.dedup();
        let absent = self.absent.get(name).or_else(|| self.absent.get(&id));
        let place = |origin: &Origin| format!("{}:{}", origin.file.display(), origin.line);
        let of = |at: &usize| self.documents.get(*at).map(|of| place(of.origin)).unwrap_or_default();
        match (found.as_slice(), absent) {
            ([only], None) => self.allowed(*only, link),
            ([], Some(origin)) => {
                Err(Problem::new(link.line, format!("refers to `{name}`, which did not load ({})", place(origin)))
                    .hint("see the message about that document"))
            }
            ([], None) => {
                // An id that is made of the text helps nobody.
                let others = self.documents.iter().enumerate().filter(|(at, _)| *at != from).map(|(_, of)| of);
                let known = others.flat_map(|of| of.name.into_iter().chain(Some(of.id).filter(|id| is_uuid(id))));
                Err(Problem::new(link.line, format!("refers to an unknown rule `{name}`")).hint(nearest(name, known)))
            }
            (several, absent) => {
                let mut places: Vec<String> = several.iter().map(of).chain(absent.map(place)).collect();
                places.sort_unstable();
                Err(Problem::new(
                    link.line,
                    format!("`{name}` is what several documents call themselves: {}", places.join(", ")),
                )
                .hint("give each document an id and a name of its own"))
            }
        }
    }

    fn allowed(&self, at: usize, link: &Link) -> Result<usize, Problem> {
        match self.documents.get(at) {
            Some(of) if link.only_rules && !of.is_rule => Err(Problem::new(
                link.line,
                format!("`{}` is a correlation ({}): an interval is opened and closed by rules", link.name, of.title),
            )
            .hint("name a rule")),
            _ => Ok(at),
        }
    }
}
