//! The texts that rules look for in one field, all at once: one hash probe and one search for each value.
//!
//! Cost follows what is found, not how many rules look. Must find every text that a full scan would find: the tests
//! hold it against one.

use model::{Scalar, Slot, View};
use regex::Regex;
use rustc_hash::FxHashMap;

use super::Glob;
use super::needles::Needles;
use crate::ast::{Pattern, Piece};
use crate::fold::{Folded, fold};

/// Number of a predicate in its program.
pub(crate) type PredicateId = u32;

/// Everything that is looked for in one field (or, for keywords, in the whole record).
#[derive(Debug, Default)]
pub(crate) struct TextIndex {
    exact: FxHashMap<Box<str>, Vec<Exact>>,
    needles: FxHashMap<Box<str>, Vec<Needle>>,
    found: Needles,
    /// By number of the text found.
    targets: Vec<Vec<Needle>>,
}

#[derive(Debug, Clone)]
struct Exact {
    predicate: PredicateId,
    /// Case matters: the value must be exactly this.
    cased: Option<Box<str>>,
}

#[derive(Debug, Clone)]
struct Needle {
    predicate: PredicateId,
    /// What the value is held against where the needle was found.
    verify: Verify,
}

#[derive(Debug, Clone)]
enum Verify {
    /// The needle alone decides.
    Nothing,
    /// The whole value, folded.
    Folded(Glob),
    /// The whole value as it is.
    Cased(Glob),
    Regex(Regex),
}

/// The text an index would look for, folded; None: a pattern without any, which no index can answer.
pub(crate) fn literal_of(pattern: &Pattern) -> Option<String> {
    if pattern.pieces.is_empty() {
        return Some(String::new());
    }
    let literals = pattern.pieces.iter().filter_map(|piece| match piece {
        Piece::Literal(text) => Some(text),
        _ => None,
    });
    literals.max_by_key(|text| text.len()).map(|text| fold(text))
}

impl TextIndex {
    /// Looks for a whole value that matches the pattern.
    pub(crate) fn add_value(&mut self, pattern: &Pattern, predicate: PredicateId) {
        let Some(literal) = literal_of(pattern) else { return };
        match pattern.pieces.as_slice() {
            [] => self.add_exact("", pattern.cased, predicate),
            [Piece::Literal(text)] => self.add_exact(text, pattern.cased, predicate),
            [Piece::Many, Piece::Literal(_), Piece::Many] if !pattern.cased => {
                self.add_needle(literal, predicate, Verify::Nothing)
            }
            _ if pattern.cased => self.add_needle(literal, predicate, Verify::Cased(Glob::new(pattern))),
            _ => self.add_needle(literal, predicate, Verify::Folded(Glob::new(pattern))),
        }
    }

    /// Looks for a value in which the expression is found, every one of which holds the text (folded).
    pub(crate) fn add_regex(&mut self, regex: Regex, text: String, predicate: PredicateId) {
        self.add_needle(text, predicate, Verify::Regex(regex));
    }

    /// Looks for a keyword: whoever finds it verifies it himself.
    pub(crate) fn add_keyword(&mut self, pattern: &Pattern, predicate: PredicateId) {
        if let Some(literal) = literal_of(pattern) {
            self.add_needle(literal, predicate, Verify::Nothing);
        }
    }

    fn add_exact(&mut self, text: &str, cased: bool, predicate: PredicateId) {
        let cased = cased.then(|| text.into());
        self.exact.entry(fold(text).into()).or_default().push(Exact { predicate, cased });
    }

    fn add_needle(&mut self, literal: String, predicate: PredicateId, verify: Verify) {
        self.needles.entry(literal.into()).or_default().push(Needle { predicate, verify });
    }

    /// Builds the search; nothing may be added afterwards.
    ///
    /// # Errors
    /// When there are more texts than an automaton can hold.
    pub(crate) fn finish(&mut self) -> Result<(), aho_corasick::BuildError> {
        let mut needles: Vec<_> = std::mem::take(&mut self.needles).into_iter().collect();
        needles.sort_by(|a, b| a.0.cmp(&b.0));
        let (texts, targets) = needles.into_iter().unzip();
        self.found = Needles::new(texts)?;
        self.targets = targets;
        Ok(())
    }

    /// Nothing is looked for.
    pub(crate) fn is_empty(&self) -> bool {
        self.exact.is_empty() && self.found.is_empty() && self.needles.is_empty()
    }

    /// Calls `found` with every predicate that a value of the slot satisfies, some of them more than once.
    #[inline]
    pub(crate) fn search(&self, view: View<'_>, slot: Slot, folded: &mut Folded, mut found: impl FnMut(PredicateId)) {
        for value in view.values(slot) {
            let mut digits = itoa::Buffer::new();
            match value {
                Scalar::Text(text) => self.search_text(text, folded.of(text, view.record()), &mut found),
                // Numbers are in every record: their text needs no memory, and no folding.
                Scalar::Int(n) => {
                    let text = digits.format(n);
                    self.search_text(text, text, &mut found);
                }
                other => {
                    let text = other.as_text();
                    text.iter().for_each(|text| self.search_text(text, text, &mut found));
                }
            }
        }
    }

    /// The same for one text.
    #[inline]
    fn search_text(&self, text: &str, folded: &str, mut found: impl FnMut(PredicateId)) {
        if let Some(hits) = self.exact.get(folded) {
            for hit in hits {
                if hit.cased.as_deref().is_none_or(|wanted| wanted == text) {
                    found(hit.predicate);
                }
            }
        }
        self.found.search(folded.as_bytes(), |number| {
            for needle in self.targets.get(number as usize).into_iter().flatten() {
                let holds = match &needle.verify {
                    Verify::Nothing => true,
                    Verify::Folded(glob) => glob.matches(folded),
                    Verify::Cased(glob) => glob.matches(text),
                    Verify::Regex(regex) => regex.is_match(text),
                };
                if holds {
                    found(needle.predicate);
                }
            }
        });
    }

    /// Calls `found` with the predicates of texts that occur in many values joined, verified or not.
    #[inline]
    pub(crate) fn search_texts(&self, folded: &[u8], mut found: impl FnMut(PredicateId)) {
        self.found.search(folded, |number| {
            self.targets.get(number as usize).into_iter().flatten().for_each(|needle| found(needle.predicate));
        });
    }
}
