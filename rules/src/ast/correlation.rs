//! What a Sigma correlation document means once it has been read, and the extensions that remember (E1, E2, E8, E10).
//!
//! References are resolved: nothing behind the parser looks a rule up by its name. Must never hold state of a run.

use model::{Severity, Sha256};

use super::{AlertSpec, ListUse, Origin, RiskSum, Status};
use crate::where_expr::Where;

/// A correlation, resolved.
#[derive(Debug, Clone, PartialEq)]
pub struct Correlation {
    /// Where it was read.
    pub origin: Origin,
    /// `id`, as of [`super::Rule::id`].
    pub id: String,
    /// SHA-256 of the document's text.
    pub version: Sha256,
    /// `name`, where given.
    pub name: Option<String>,
    /// `title`.
    pub title: String,
    /// `status`.
    pub status: Option<Status>,
    /// `level`; a missing one is `medium`.
    pub level: Severity,
    /// `description`.
    pub description: Option<String>,
    /// `tags`, as written.
    pub tags: Vec<String>,
    /// `falsepositives`, as written.
    pub falsepositives: Vec<String>,
    /// `type`.
    pub kind: CorrelationType,
    /// `rules` in document order, then what extensions refer to beside them.
    pub references: Vec<Reference>,
    /// How many of the references `rules` lists.
    pub listed: usize,
    /// `group-by`: the fields of the key in order.
    pub group_by: Vec<GroupField>,
    /// `timespan` in milliseconds, above zero.
    pub timespan_ms: i64,
    /// `condition`.
    pub condition: Condition,
    /// `generate`: the rules it refers to speak too.
    pub generate: bool,
    /// `x-absence` (E1).
    pub absence: Option<Absence>,
    /// `x-where` (E2): paths start with a reference's name.
    pub wheres: Vec<Where>,
    /// `x-risk` (E11).
    pub risk: Option<RiskSum>,
    /// `x-lists` by name, and every list that its expressions use.
    pub lists: Vec<ListUse>,
    /// `x-alert`.
    pub alert: Option<AlertSpec>,
    /// Top-level keys that neither Sigma nor pipewarden define.
    pub custom: serde_json::Map<String, serde_json::Value>,
}

/// `correlation.type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum CorrelationType {
    EventCount,
    ValueCount,
    Temporal,
    TemporalOrdered,
    ValueSum,
    ValueAvg,
    ValuePercentile,
    ValueMedian,
}

/// A rule or a correlation that a document refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// As it was written: a name or an id.
    pub name: String,
    /// What it names.
    pub target: Target,
}

/// Index of what a reference names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Target {
    /// In the set's rules.
    Rule(usize),
    /// In the set's correlations.
    Correlation(usize),
}

/// One field of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupField {
    /// The field, or the alias, as `group-by` names it.
    pub name: String,
    /// For each reference the field that its events have it in.
    pub fields: Vec<String>,
}

/// `condition`.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// A measure of the window compared: every test must hold. Count of events, of distinct values, a sum …; for temporal
    /// types the number of distinct rules.
    Measure {
        /// `field` of value types: the value; for `value_count` several make a tuple. Empty for the others.
        fields: Vec<String>,
        /// Operators and bounds, one or two.
        tests: Vec<(Operator, f64)>,
        /// `percentile`, 0 to 100; 50 where it is not given and for `value_median`.
        percentile: f64,
    },
    /// A boolean expression over which references occur in the window.
    Occur(Occur),
}

/// Operators of a measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Operator {
    Gt,
    Gte,
    Lt,
    Lte,
    Eq,
    Neq,
}

/// An expression over references, by index in [`Correlation::references`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Occur {
    /// An event of the reference is in the window.
    Reference(usize),
    /// Every part is true.
    All(Vec<Occur>),
    /// Some part is true.
    Any(Vec<Occur>),
    /// The part is false.
    Not(Box<Occur>),
}

/// `x-absence` (E1). References by index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Absence {
    /// What starts the wait.
    pub start: usize,
    /// What is waited for: any of these.
    pub expect: Vec<usize>,
    /// What ends the wait without an alert: any of these.
    pub until: Vec<usize>,
    /// How long after the start, in milliseconds.
    pub deadline_ms: i64,
    /// How long before the start an expected event counts too, in milliseconds.
    pub before_ms: i64,
    /// Added to the deadline, in milliseconds.
    pub grace_ms: i64,
}

/// What a rule remembers of earlier events of its key; all of a rule's must hold.
#[derive(Debug, Clone, PartialEq)]
pub enum Memory {
    /// `x-prev` (E8).
    Previous(Previous),
    /// `x-interval` (E10).
    Interval(Interval),
}

/// `x-prev` (E8).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Previous {
    /// Fields of the key.
    pub key: Vec<String>,
    /// The field whose values are compared.
    pub field: String,
    /// How.
    pub test: PreviousTest,
    /// Where one of these is present in both events and equal, the rule does not hold.
    pub ignore_same: Vec<String>,
    /// How long a value is remembered, in milliseconds.
    pub ttl_ms: i64,
}

/// How a value and the one before it are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PreviousTest {
    /// `changed: true`: they differ.
    Changed,
    /// `gap: n`: the number is more than n above the last.
    Gap(i64),
    /// `returns: span`: it differs from the last, equals the one before that, and all three lie within so many milliseconds.
    Returns(i64),
}

/// `x-interval` (E10).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interval {
    /// Opens an interval.
    pub open: Reference,
    /// Closes it.
    pub close: Reference,
    /// Fields of the key: of the rule's own event, of the opening one, of the closing one.
    pub key: Vec<[String; 3]>,
    /// The interval begins so many milliseconds before its opening event.
    pub pad_before_ms: i64,
    /// The interval ends so many milliseconds after its closing event.
    pub pad_after_ms: i64,
    /// `expect: inside`: the rule holds inside an interval; otherwise outside every one.
    pub inside: bool,
    /// An interval that nothing closes is open for so many milliseconds.
    pub ttl_ms: i64,
}
