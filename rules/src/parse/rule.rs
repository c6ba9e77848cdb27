//! One rule document to one [`Rule`].
//!
//! Must never know of other documents: names across documents are the load's business.

use std::path::PathBuf;
use std::sync::Arc;

use super::context::Context;
use super::header::{self, Header};
use super::problem::Problem;
use super::yaml::{Document, Node};
use super::{Settings, detection, extension};
use crate::ast::{Origin, Rule};
use model::{Severity, Sha256};

/// Logsource product of pipewarden's own events.
const OWN_PRODUCT: &str = "pipewarden";

/// Reads a rule whose header has been read; its lints are added to `warnings`.
pub(super) fn parse(
    header: Header,
    document: &Document<'_>,
    node: &Node,
    file: &Arc<PathBuf>,
    settings: &Settings,
    warnings: &mut Vec<Problem>,
) -> Result<Rule, Problem> {
    extension::requires(node)?;
    let custom = header::custom(node.map().unwrap_or_default(), &extension::KEYS)?;
    let mut cx = context(settings, &header, extension::lists(node)?);
    let Some(body) = node.get("detection") else {
        return Err(
            Problem::new(document.line, "no `detection`").hint("add `detection:` with searches and a condition")
        );
    };
    let Some(entries) = body.map() else {
        return Err(Problem::new(body.line, format!("`detection` must be a map, not {}", body.kind()))
            .hint("it holds searches by name and a `condition`"));
    };
    let line =
        node.map().and_then(|keys| keys.iter().find(|key| key.key == "detection")).map_or(body.line, |key| key.line);
    let detection = detection::parse(&mut cx, entries, line, &[])?;
    let wheres = extension::wheres(&mut cx, node)?;
    let alert = extension::alert(&mut cx, node)?;
    for list in cx.lists.iter().filter(|list| !cx.lists_used.contains(&list.name)) {
        let problem =
            Problem::new(document.line, format!("list `{}` is declared under x-lists and never read", list.name));
        warnings.push(problem.hint(format!("read it with `field|expand: '%{}%'` or list('{}')", list.name, list.name)));
    }
    warnings.append(&mut cx.warnings);
    let version = Sha256::of(document.text.as_bytes());
    Ok(Rule {
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
        logsource: header.logsource,
        searches: detection.searches,
        condition: detection.condition,
        wheres,
        memories: Vec::new(),
        lists: cx.lists,
        alert,
        custom,
    })
}

/// The context of a document with this header.
pub(super) fn context<'a>(settings: &'a Settings, header: &Header, lists: Vec<crate::ast::ListUse>) -> Context<'a> {
    let own_events = header.logsource.product.as_deref() == Some(OWN_PRODUCT);
    Context::new(settings, lists, own_events)
}
