//! What a Sigma document means once its text has been read: the one shape that parser, compiler and oracle share.
//!
//! The parser resolves modifiers, wildcards and placeholders here, so that nothing behind it knows YAML or modifier
//! names. Must never hold anything that depends on a particular event, list content or log source of an input.

mod correlation;
mod learned;

use std::path::PathBuf;
use std::sync::Arc;

use model::{Severity, Sha256, Urgency};

pub use correlation::{
    Absence, Condition, Correlation, CorrelationType, GroupField, Interval, Memory, Occur, Operator, Previous,
    PreviousTest, Reference, Target,
};
pub use learned::{DetectorUse, NewTerms, Observed, Prevalence, RiskSum};

/// Where a document stood: for messages, `rules list` and `why`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The file as the user named it.
    pub file: Arc<PathBuf>,
    /// Line of the document's first key, counted from 1.
    pub line: usize,
}

/// One detection rule, resolved.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Where it was read.
    pub origin: Origin,
    /// `id`, lower-case UUID text; rules without one get the SHA-256 (hex, first 32 digits) of their document's text.
    pub id: String,
    /// SHA-256 of the document's text: the rule's version.
    pub version: Sha256,
    /// `name`, where given: other documents may refer to it.
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
    /// `logsource`.
    pub logsource: LogSource,
    /// The searches by name, in document order.
    pub searches: Vec<(String, Search)>,
    /// All entries of `condition`, resolved to the searches they name and joined by `Any`; filters already appended.
    pub condition: Search,
    /// `x-where`: every expression must be true of the event.
    pub wheres: Vec<crate::where_expr::Where>,
    /// `x-prev`, `x-interval`: what it remembers.
    pub memories: Vec<Memory>,
    /// `x-new-terms` (E4).
    pub new_terms: Option<NewTerms>,
    /// `x-lineage` (E13): what it asks of lineage.
    pub lineage: Option<crate::lineage::Ask>,
    /// `x-detector` (E6).
    pub detector: Option<DetectorUse>,
    /// `x-risk.weight` (E11): what each of its alerts adds to a sum of risk, above zero.
    pub risk_weight: Option<f64>,
    /// `x-lists` by name, and every list that the rule uses.
    pub lists: Vec<ListUse>,
    /// `x-alert`.
    pub alert: Option<AlertSpec>,
    /// Top-level keys that neither Sigma nor pipewarden define, kept and passed to alerts.
    pub custom: serde_json::Map<String, serde_json::Value>,
}

impl Rule {
    /// A bare condition as a rule: of no document, with neither id nor version.
    pub fn of_condition(title: &str, logsource: LogSource, condition: Search) -> Rule {
        Rule {
            origin: Origin { file: Arc::default(), line: 0 },
            id: String::new(),
            version: Sha256::of(b""),
            name: None,
            title: title.to_owned(),
            status: None,
            level: Severity::Medium,
            description: None,
            tags: Vec::new(),
            falsepositives: Vec::new(),
            logsource,
            searches: Vec::new(),
            condition,
            wheres: Vec::new(),
            memories: Vec::new(),
            new_terms: None,
            lineage: None,
            detector: None,
            risk_weight: None,
            lists: Vec::new(),
            alert: None,
            custom: serde_json::Map::new(),
        }
    }

    /// Earlier events decide, too, whether it holds: it remembers, or asks what has been learned.
    pub fn remembers(&self) -> bool {
        let speed = |expression: &crate::where_expr::Where| expression.calls(crate::where_expr::Function::GeoSpeedKmh);
        let learns = self.new_terms.is_some() || self.detector.is_some();
        learns || !self.memories.is_empty() || self.wheres.iter().any(speed)
    }
}

/// Sigma's `status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Status {
    Stable,
    Test,
    Experimental,
    Deprecated,
    Unsupported,
}

/// `logsource`: a key that is absent does not narrow.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct LogSource {
    /// `category`, as written.
    pub category: Option<String>,
    /// `product`, as written.
    pub product: Option<String>,
    /// `service`, as written.
    pub service: Option<String>,
}

/// A truth-valued expression over one event. Empty `All` is true, empty `Any` is false.
#[derive(Debug, Clone, PartialEq)]
pub enum Search {
    /// Every part is true.
    All(Vec<Search>),
    /// At least one part is true.
    Any(Vec<Search>),
    /// The part is false.
    Not(Box<Search>),
    /// A test of one field.
    Field(FieldTest),
    /// A pattern that some value anywhere in the event contains (keyword). Keys are not searched.
    Keyword(Pattern),
}

/// One test of one field. A field with several values (an array) passes when any of its values does; tests that speak
/// of the field as a whole (`Exists`, `Null`) look at all of them.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldTest {
    /// Field path as written: `a.b` is the literal key `a.b` or `b` inside `a`.
    pub field: String,
    /// What must hold.
    pub test: Test,
}

/// What one value (or the field as a whole) must satisfy.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    /// The whole value as text matches the pattern (`contains` is a pattern with `*` at both ends). Numbers and booleans
    /// of the event take part as text (`42`, `1.5`, `true`).
    Text(Pattern),
    /// The value is this number, or a text that reads as it.
    Number(f64),
    /// The field is missing or JSON null.
    Null,
    /// The field is present (null and empty count as present), or with `false` absent.
    Exists(bool),
    /// The regular expression (syntax of the `regex` crate, flags already inside as `(?ims)`) is found in the text.
    Regex(String),
    /// The text is an IP address inside the network.
    Cidr(ipnet::IpNet),
    /// Number comparison; texts that read as numbers take part.
    Compare(Comparison, f64),
    /// Comparison with the values of another field of the same event (any with any).
    FieldRef {
        /// The other field's path.
        other: String,
        /// How the two are compared.
        how: TextHow,
        /// Case matters.
        cased: bool,
    },
    /// A part of a time (RFC 3339 text or epoch number, UTC) compared with a number.
    TimePart(TimePart, Comparison, i64),
    /// The text is in a live list.
    InList {
        /// List name without `%`.
        list: String,
        /// How an entry and the text are compared.
        how: ListHow,
        /// Case matters.
        cased: bool,
    },
}

/// Comparison operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Comparison {
    Eq,
    Lt,
    Lte,
    Gt,
    Gte,
}

/// How a field's text and another field's text are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum TextHow {
    Equals,
    Contains,
    StartsWith,
    EndsWith,
}

/// How a text and a list's entries are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum ListHow {
    Equals,
    Contains,
    StartsWith,
    EndsWith,
    Cidr,
}

/// The calendar part that `|minute` … `|year` look at. Week is the ISO 8601 week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum TimePart {
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Year,
}

/// A text pattern: literals with wildcards between them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Pattern {
    /// The pieces, no two literals adjacent, no two `Many` adjacent.
    pub pieces: Vec<Piece>,
    /// Case matters (`cased`); otherwise both sides are compared under Unicode simple case folding.
    pub cased: bool,
}

/// One piece of a [`Pattern`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Piece {
    /// These characters, unescaped and unfolded.
    Literal(String),
    /// `*`: any number of any characters, newlines included.
    Many,
    /// `?`: exactly one character.
    One,
}

/// A live list that a rule reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListUse {
    /// List name without `%`.
    pub name: String,
    /// `ttl` in milliseconds: a version older than this (event time) is stale. None: never.
    pub ttl_ms: Option<i64>,
    /// What a missing, empty or stale list does to the rule.
    pub on_missing: OnMissing,
}

/// What a rule does while a list it reads is missing, empty or stale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnMissing {
    /// `fail_open_ticket` (the default): it still matches, but never above ticket.
    FailOpenTicket,
    /// `fail_closed`: it matches nothing.
    FailClosed,
}

/// `x-alert` (extension E12).
#[derive(Debug, Clone, PartialEq)]
pub struct AlertSpec {
    /// Routes in order; the first whose selection is true of the deciding event wins; none true: ticket.
    pub routes: Vec<AlertRoute>,
    /// `fingerprint`: the fields that make the key. None: the default key.
    pub fingerprint: Option<Vec<String>>,
    /// `realert` in milliseconds.
    pub realert_ms: Option<i64>,
    /// `owner`: the team that is told.
    pub owner: Option<String>,
    /// `runbook`: link or file name.
    pub runbook: Option<String>,
    /// `group`: the fields by which alerts are told together. None: as the route has it.
    pub group: Option<Vec<String>>,
    /// `suppress_when`: names of rules (operations) while one of which holds the alert is not told.
    pub suppress_when: Vec<String>,
    /// The rules that `suppress_when` names, by index; what names none is told when the set is loaded.
    pub suppressors: Vec<usize>,
    /// `shadow`: it is on trial, and tells nobody.
    pub shadow: bool,
    /// `never_suppress`: nothing may silence it.
    pub never_suppress: bool,
    /// `composite`: it speaks of a joined incident and tells it once more.
    pub composite: bool,
}

/// One entry of `x-alert.route`.
#[derive(Debug, Clone, PartialEq)]
pub struct AlertRoute {
    /// `when`; none: always.
    pub when: Option<Search>,
    /// `route`.
    pub urgency: Urgency,
}
