//! The keys that documents share: identity, state, and the log source of rules and filters.
//!
//! Must never take a misspelt level, status or id for a missing one.

use super::extension;
use super::hint::nearest;
use super::problem::Problem;
use super::yaml::{Entry, Node, Value};
use crate::ast::{LogSource, Status};
use model::Severity;

/// The top-level keys that Sigma defines for rules, correlations and filters.
pub(super) const SIGMA_KEYS: [&str; 22] = [
    "title",
    "id",
    "name",
    "taxonomy",
    "related",
    "status",
    "description",
    "license",
    "author",
    "references",
    "date",
    "modified",
    "logsource",
    "detection",
    "correlation",
    "filter",
    "fields",
    "falsepositives",
    "level",
    "tags",
    "scope",
    "generate",
];

const STATUSES: [(&str, Status); 5] = [
    ("stable", Status::Stable),
    ("test", Status::Test),
    ("experimental", Status::Experimental),
    ("deprecated", Status::Deprecated),
    ("unsupported", Status::Unsupported),
];

const RELATIONS: [&str; 5] = ["derived", "obsolete", "merged", "renamed", "similar"];

/// What a document says about itself.
#[derive(Debug)]
pub(super) struct Header {
    pub(super) title: String,
    pub(super) id: Option<String>,
    pub(super) name: Option<String>,
    pub(super) status: Option<Status>,
    pub(super) level: Option<Severity>,
    /// Empty in correlations.
    pub(super) logsource: LogSource,
}

/// Reads and checks the shared keys of a document.
pub(super) fn parse(document: &Node) -> Result<Header, Problem> {
    let title = scalar(document, "title")?.filter(|title| !title.trim().is_empty());
    let title = title.ok_or_else(|| Problem::new(document.line, "no `title`").hint("every document needs `title:`"))?;
    if let Some(node) = document.get("taxonomy") {
        taxonomy(node)?;
    }
    if let Some(node) = document.get("related") {
        related(node)?;
    }
    Ok(Header {
        title,
        id: document.get("id").map(uuid).transpose()?,
        name: scalar(document, "name")?,
        status: document.get("status").map(|node| one_of(node, "status", &STATUSES)).transpose()?,
        level: document
            .get("level")
            .map(|node| one_of(node, "level", &Severity::ALL.map(|level| (level.name(), level))))
            .transpose()?,
        logsource: match document.get("correlation") {
            Some(_) => LogSource::default(),
            None => logsource(document)?,
        },
    })
}

/// The text under a key; none when the key is missing or empty.
pub(super) fn scalar(document: &Node, key: &str) -> Result<Option<String>, Problem> {
    match document.get(key) {
        None | Some(Node { value: Value::Null, .. }) => Ok(None),
        Some(node) => {
            match node.text() {
                Some(text) => Ok(Some(text)),
                None => Err(Problem::new(node.line, format!("`{key}` must be text, not {}", node.kind()))
                    .hint("put it in quotes")),
            }
        }
    }
}

/// The texts under a key that holds a list or a single text.
pub(super) fn texts(document: &Node, key: &str) -> Result<Vec<String>, Problem> {
    match document.get(key) {
        None | Some(Node { value: Value::Null, .. }) => Ok(Vec::new()),
        Some(node) => list_of_texts(node, key),
    }
}

/// The texts of a list or of a single text.
pub(super) fn list_of_texts(node: &Node, key: &str) -> Result<Vec<String>, Problem> {
    let text = |member: &Node| {
        member.text().ok_or_else(|| {
            Problem::new(member.line, format!("`{key}` lists text, here is {}", member.kind()))
                .hint("put each entry in quotes")
        })
    };
    node.members().iter().map(text).collect()
}

fn taxonomy(node: &Node) -> Result<(), Problem> {
    match node.text().as_deref() {
        None | Some("sigma") => Ok(()),
        Some(other) => Err(Problem::new(node.line, format!("taxonomy `{other}` is not supported"))
            .hint("rewrite the field names to Sigma's own taxonomy and drop the key")),
    }
}

fn uuid(node: &Node) -> Result<String, Problem> {
    let text = node.text().unwrap_or_default().to_ascii_lowercase();
    match is_uuid(&text) {
        true => Ok(text),
        false => Err(Problem::new(node.line, format!("id `{text}` is no UUID"))
            .hint("make one with uuidgen; short names go under `name`")),
    }
}

/// Whether the text has a UUID's shape, in any case.
pub(super) fn is_uuid(text: &str) -> bool {
    let mut groups = text.split('-').map(str::len);
    [8, 4, 4, 4, 12].iter().all(|length| groups.next() == Some(*length))
        && groups.next().is_none()
        && text.bytes().all(|b| b == b'-' || b.is_ascii_hexdigit())
}

pub(super) fn one_of<T: Copy>(node: &Node, key: &str, known: &[(&str, T)]) -> Result<T, Problem> {
    let text = node.text().unwrap_or_default();
    let found = known.iter().find(|(name, _)| *name == text).map(|(_, value)| *value);
    found.ok_or_else(|| {
        Problem::new(node.line, format!("unknown {key} `{text}`"))
            .hint(nearest(&text, known.iter().map(|(name, _)| *name)))
    })
}

fn related(node: &Node) -> Result<(), Problem> {
    for member in node.members() {
        let Some(kind) = member.get("type") else {
            return Err(
                Problem::new(member.line, "an entry of `related` has no `type`").hint("write `- id: …` and `type: …`")
            );
        };
        one_of(kind, "relation", &RELATIONS.map(|name| (name, ())))?;
        let Some(id) = member.get("id") else {
            return Err(
                Problem::new(member.line, "an entry of `related` has no `id`").hint("write `- id: …` and `type: …`")
            );
        };
        uuid(id)?;
    }
    Ok(())
}

fn logsource(document: &Node) -> Result<LogSource, Problem> {
    let hint = "name at least one of category, product, service";
    let Some(node) = document.get("logsource") else {
        return Err(Problem::new(document.line, "no `logsource`").hint(hint));
    };
    if node.map().is_none() {
        return Err(Problem::new(node.line, format!("`logsource` must be a map, not {}", node.kind())).hint(hint));
    }
    let found = LogSource {
        category: scalar(node, "category")?,
        product: scalar(node, "product")?,
        service: scalar(node, "service")?,
    };
    if found == LogSource::default() {
        return Err(Problem::new(node.line, "`logsource` names no category, product or service").hint(hint));
    }
    Ok(found)
}

/// Top-level keys that nobody defines are kept; `x-` keys that are not among `extensions` are refused, as they might change
/// the document's meaning.
pub(super) fn custom(
    entries: &[Entry],
    extensions: &[&str],
) -> Result<serde_json::Map<String, serde_json::Value>, Problem> {
    let mut kept = serde_json::Map::new();
    for entry in entries {
        let key = entry.key.as_str();
        if SIGMA_KEYS.contains(&key) || extensions.contains(&key) {
            continue;
        }
        if key.starts_with("x-") {
            return Err(match extension::belongs_to(key) {
                Some(place) => Problem::new(entry.line, format!("`{key}` is an extension of {place}"))
                    .hint(format!("here can stand: {}", extensions.join(", "))),
                None => Problem::new(entry.line, format!("unknown extension `{key}`"))
                    .hint(nearest(key, extensions.iter().copied())),
            });
        }
        kept.insert(entry.key.clone(), entry.node.json());
    }
    Ok(kept)
}
