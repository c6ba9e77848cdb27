//! One correlation document to a [`Draft`]: everything but what its references name.
//!
//! Must never know of other documents: references are resolved by the load, when all files have been read.

mod absence;
mod condition;
mod key;
mod where_paths;

use std::path::PathBuf;
use std::sync::Arc;

use super::condition::same_reference;
use super::context::{Context, Fields};
use super::header::{self, Header};
use super::problem::Problem;
use super::resolve::Link;
use super::yaml::{Document, Node, Value};
use super::{Settings, alert, extension, learned, span};
use crate::ast::{Correlation, CorrelationType, Origin};
use model::{Severity, Sha256};

const KEYS: [&str; 7] = ["type", "rules", "group-by", "timespan", "aliases", "condition", "generate"];

const TYPES: [(&str, CorrelationType); 8] = [
    ("event_count", CorrelationType::EventCount),
    ("value_count", CorrelationType::ValueCount),
    ("temporal", CorrelationType::Temporal),
    ("temporal_ordered", CorrelationType::TemporalOrdered),
    ("value_sum", CorrelationType::ValueSum),
    ("value_avg", CorrelationType::ValueAvg),
    ("value_percentile", CorrelationType::ValuePercentile),
    ("value_median", CorrelationType::ValueMedian),
];

/// Rules that one correlation may list.
const RULES_MAX: usize = 256;

/// Extensions that change what a correlation means, with their codes.
const CHANGING: [(&str, &str); 3] = [("x-absence", "E1"), ("x-where", "E2"), ("x-risk", "E11")];

/// A correlation whose references have not been resolved.
#[derive(Debug)]
pub(super) struct Draft {
    /// Complete but for `references`, which is empty.
    pub(super) correlation: Correlation,
    /// Its references, in their order.
    pub(super) links: Vec<Link>,
    /// Fields that its references must have.
    pub(super) fields: Vec<FieldUse>,
}

/// A field that events of a reference are asked for.
#[derive(Debug)]
pub(super) struct FieldUse {
    /// Which reference; none: the event that decides, of whichever it is.
    pub(super) of: Option<usize>,
    pub(super) field: String,
    pub(super) line: usize,
}

/// What a correlation refers to while it is read: `rules`, then what extensions add.
struct References {
    links: Vec<Link>,
    listed: usize,
}

impl References {
    fn names(&self) -> Vec<String> {
        self.links.iter().map(|link| link.name.clone()).collect()
    }

    /// The position of a name among what `rules` lists.
    fn listed(&self, name: &str) -> Option<usize> {
        self.links.iter().take(self.listed).position(|link| same_reference(&link.name, name))
    }

    /// The position of a name, added when it is new.
    fn position_or_add(&mut self, name: &str, line: usize) -> usize {
        if let Some(at) = self.links.iter().position(|link| same_reference(&link.name, name)) {
            return at;
        }
        self.links.push(Link { name: name.to_owned(), line, only_rules: false });
        self.links.len() - 1
    }
}

/// Reads a correlation whose header has been read; its lints are added to `warnings`.
pub(super) fn parse(
    header: Header,
    document: &Document<'_>,
    node: &Node,
    file: &Arc<PathBuf>,
    settings: &Settings,
    warnings: &mut Vec<Problem>,
) -> Result<Draft, Problem> {
    let top = node.map().unwrap_or_default();
    if let Some(entry) = top.iter().find(|entry| matches!(entry.key.as_str(), "detection" | "logsource" | "filter")) {
        return Err(Problem::new(entry.line, format!("a correlation has no `{}`", entry.key))
            .hint("put it into a rule of its own, and refer to that"));
    }
    let codes = extension::requires(node)?;
    let custom = header::custom(top, &extension::OF_CORRELATIONS)?;
    let body = body(node)?;
    let kind = kind(body)?;
    let mut references = rules(body)?;
    let mut cx = Context::new(settings, extension::lists(node)?, Fields::Later(Vec::new()));
    let condition = condition::parse(&mut cx, body, kind, &references)?;
    let absence = absence::parse(node, kind, &condition, &mut references)?;
    let timespan_ms = timespan(body)?;
    let mut fields = condition.fields;
    let wheres = where_paths::parse(&mut cx, node, kind, &references, &mut fields)?;
    let group_by = key::parse(&mut cx, body, &references, &mut fields)?;
    let risk = learned::sum(node, kind, &condition.condition)?;
    let alert = alert::parse(&mut cx, node)?;
    let key = |field: &String| group_by.iter().any(|of| of.name == *field);
    let of_the_event = cx.kept_fields().into_iter().filter(|(field, _)| !key(field));
    fields.extend(of_the_event.map(|(field, line)| FieldUse { of: None, field, line }));
    extension::lint_lists(&mut cx, document.line);
    extension::lint_requires(node, &codes, &CHANGING, &mut cx.warnings);
    warnings.append(&mut cx.warnings);
    let version = Sha256::of(document.text.as_bytes());
    let correlation = Correlation {
        origin: Origin { file: Arc::clone(file), line: document.line },
        id: header.id.unwrap_or_else(|| version.hex().chars().take(32).collect()),
        version,
        name: header.name,
        title: header.title,
        status: header.status,
        level: header.level.unwrap_or(Severity::Medium),
        description: header::scalar(node, "description")?,
        tags: header::texts(node, "tags")?,
        falsepositives: header::texts(node, "falsepositives")?,
        kind,
        references: Vec::new(),
        listed: references.listed,
        group_by,
        timespan_ms,
        condition: condition.condition,
        generate: generate(node, body)?,
        absence,
        wheres,
        risk,
        lists: cx.lists,
        alert,
        custom,
    };
    Ok(Draft { correlation, links: references.links, fields })
}

/// The map under `correlation`, of known keys.
fn body(node: &Node) -> Result<&Node, Problem> {
    let body = node.get("correlation").unwrap_or(node);
    let Some(entries) = body.map() else {
        return Err(Problem::new(body.line, format!("`correlation` must be a map, not {}", body.kind()))
            .hint("it holds `type`, `rules`, `timespan` and a `condition`"));
    };
    extension::check_keys(entries, "correlation", &KEYS)?;
    Ok(body)
}

fn kind(body: &Node) -> Result<CorrelationType, Problem> {
    match body.get("type") {
        Some(node) => header::one_of(node, "correlation type", &TYPES),
        None => Err(Problem::new(body.line, "no `type` in the correlation")
            .hint(format!("one of {}", TYPES.map(|(name, _)| name).join(", ")))),
    }
}

fn rules(body: &Node) -> Result<References, Problem> {
    let hint = "list the names or ids of rules or correlations";
    let Some(node) = body.get("rules") else {
        return Err(Problem::new(body.line, "no `rules` in the correlation").hint(hint));
    };
    let names = match node.value {
        Value::Null => Vec::new(),
        _ => header::list_of_texts(node, "rules").map_err(|problem| problem.hint(hint))?,
    };
    if names.is_empty() {
        return Err(Problem::new(node.line, "the correlation names no `rules`").hint(hint));
    }
    if names.len() > RULES_MAX {
        return Err(Problem::new(node.line, format!("`rules` lists more than {RULES_MAX}"))
            .hint("split it, and correlate the correlations"));
    }
    let mut links: Vec<Link> = Vec::new();
    for (name, member) in names.into_iter().zip(node.members()) {
        if links.iter().any(|link| same_reference(&link.name, &name)) {
            return Err(Problem::new(member.line, format!("`{name}` stands twice in `rules`"))
                .hint("list it once; event_count counts how often it holds"));
        }
        links.push(Link { name, line: member.line, only_rules: false });
    }
    Ok(References { listed: links.len(), links })
}

fn timespan(body: &Node) -> Result<i64, Problem> {
    match body.get("timespan") {
        Some(node) => span::window(node, "timespan"),
        None => Err(Problem::new(body.line, "no `timespan` in the correlation").hint("add `timespan: 10m`")),
    }
}

/// `generate` inside `correlation` or, as the specification has it, at top level.
fn generate(node: &Node, body: &Node) -> Result<bool, Problem> {
    let (outer, inner) = (alert::flag(node, "generate")?, alert::flag(body, "generate")?);
    match (node.get("generate"), body.get("generate")) {
        (Some(_), Some(twice)) if outer != inner => {
            Err(Problem::new(twice.line, "`generate` stands twice and says two things").hint("keep one of them"))
        }
        _ => Ok(outer || inner),
    }
}
