//! What an indicator is: which events it counts, which others decide about them, until when, and the SQL that makes its value.
//!
//! Definitions are data (`definitions/*.yaml`); a new one is a file. Must never decide anything itself.

mod filter;
mod read;

use std::sync::Arc;

use include_dir::{Dir, include_dir};
use model::EventClass;
use thiserror::Error;

use crate::burn::Objective;
pub use filter::{Filter, values};

/// The definitions that come along.
static SHIPPED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/definitions");

/// What an indicator's value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The share that is good.
    Ratio,
    /// The share that is not: violations, rollbacks.
    Rate,
    /// How many: what should not happen at all.
    Count,
    /// A duration: its mean and quantiles, and the share that is within the target.
    Duration,
}

impl Kind {
    /// As definitions write it.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Ratio => "ratio",
            Kind::Rate => "rate",
            Kind::Count => "count",
            Kind::Duration => "duration",
        }
    }

    fn by_name(name: &str) -> Option<Kind> {
        [Kind::Ratio, Kind::Rate, Kind::Count, Kind::Duration].into_iter().find(|kind| kind.name() == name)
    }
}

/// When an anchor is good.
#[derive(Debug, Clone, PartialEq)]
pub enum Good {
    /// When its matches are there, or always where there are none to wait for.
    Matched,
    /// When it says so itself (and its matches are there).
    When(Filter),
    /// It adds so many to the good ones, whatever it says.
    Adds(i64),
}

/// An event that an indicator counts.
#[derive(Debug, Clone, PartialEq)]
pub struct Anchor {
    /// Its classes.
    pub classes: Vec<EventClass>,
    /// Which of them.
    pub filter: Filter,
    /// The fields that join it with others: all of them, in order.
    pub key: Vec<String>,
    /// How many it counts as.
    pub total: i64,
    /// When it is good.
    pub good: Good,
}

/// An event that decides about anchors of the same key.
#[derive(Debug, Clone, PartialEq)]
pub struct Match {
    /// Its classes.
    pub classes: Vec<EventClass>,
    /// Which of them.
    pub filter: Filter,
    /// As an anchor's.
    pub key: Vec<String>,
    /// How long before its anchor it may be, in milliseconds.
    pub before_ms: i64,
    /// Its anchor needs it; else its anchor is bad when it is there.
    pub is_needed: bool,
}

/// What is measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Measure {
    /// Nothing.
    Nothing,
    /// From the anchor to its first match.
    ToMatch,
    /// A field of the anchor, in microseconds a unit.
    Field(String, u32),
    /// From the first event that an alert names as evidence to the alert.
    Evidence,
}

/// One indicator.
#[derive(Debug, Clone, PartialEq)]
pub struct Definition {
    /// `A-M1`.
    pub code: Arc<str>,
    /// In words.
    pub name: String,
    /// One sentence: what exactly is counted.
    pub description: String,
    /// What its value is.
    pub kind: Kind,
    /// What it counts.
    pub anchors: Vec<Anchor>,
    /// Classes that are there when somebody looks: without any event of them a count is no data and not 0.
    pub hears: Vec<EventClass>,
    /// What decides about that.
    pub matches: Vec<Match>,
    /// How long an anchor waits for its matches, in milliseconds of event time, inclusive.
    pub deadline_ms: i64,
    /// What is measured.
    pub measure: Measure,
    /// Good is what is measured within this, in microseconds.
    pub within_us: Option<u64>,
    /// Field that tells anchors apart within a scope.
    pub label: Option<String>,
    /// Field that numbers the events of a source without gaps: what is missing counts, too.
    pub sequence: Option<String>,
    /// Anchors within announced maintenance do not count, and are shown.
    pub excludes_maintenance: bool,
    /// The share that should be good.
    pub objective: Option<Objective>,
    /// The target in words.
    pub target: String,
    /// Its value, from the sums that are its own.
    pub sql: String,
}

/// A definition that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{}", .0.join("\n"))]
pub struct DefinitionError(pub Vec<String>);

impl Definition {
    /// Reads one definition; `file` is how problems name it.
    ///
    /// # Errors
    /// Every problem at once, with file, path and hint.
    pub fn parse(file: &str, text: &str) -> Result<Definition, DefinitionError> {
        read::definition(text)
            .map_err(|problems| DefinitionError(problems.into_iter().map(|of| format!("{file}: {of}")).collect()))
    }

    /// The indicators that come along, by code.
    ///
    /// # Errors
    /// When one of them is broken: a test holds that none is.
    pub fn shipped() -> Result<Vec<Definition>, DefinitionError> {
        let mut found = Vec::new();
        for file in SHIPPED.files() {
            found
                .push(Definition::parse(&file.path().display().to_string(), file.contents_utf8().unwrap_or_default())?);
        }
        found.sort_by_key(|of: &Definition| order(&of.code));
        Ok(found)
    }

    /// The fields that it looks at.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        let of_anchors = self.anchors.iter().flat_map(|of| {
            let good = match &of.good {
                Good::When(filter) => Some(filter.fields()),
                Good::Matched | Good::Adds(_) => None,
            };
            of.filter.fields().chain(of.key.iter().map(String::as_str)).chain(good.into_iter().flatten())
        });
        let of_matches = self.matches.iter().flat_map(|of| of.filter.fields().chain(of.key.iter().map(String::as_str)));
        let measured = match &self.measure {
            Measure::Field(field, _) => Some(field.as_str()),
            Measure::Evidence => Some(crate::matcher::EVIDENCE_FIELD),
            Measure::Nothing | Measure::ToMatch => None,
        };
        of_anchors.chain(of_matches).chain(measured).chain(self.label.as_deref()).chain(self.sequence.as_deref())
    }
}

/// A-M1 before A-M2 before A-M10 before B-M1.
fn order(code: &str) -> (String, u32) {
    let (set, number) = code.split_once("-M").unwrap_or((code, "0"));
    (set.to_owned(), number.parse().unwrap_or(0))
}
