//! One rule document to a [`Draft`]: the rule, but for the rules that its intervals name.
//!
//! Must never know of other documents: names across documents are the load's business.

use std::path::PathBuf;
use std::sync::Arc;

use super::context::{Context, Fields};
use super::header::{self, Header};
use super::memory::IntervalDraft;
use super::problem::Problem;
use super::yaml::{Document, Node};
use super::{Settings, alert, detection, detector, extension, learned, lineage, memory};
use crate::ast::{LogSource, Memory, Origin, Rule};
use crate::where_expr::Function;
use model::{Severity, Sha256};

/// Logsource product of pipewarden's own events.
const OWN_PRODUCT: &str = "pipewarden";

/// Extensions that change what a rule means, with their codes.
const CHANGING: [(&str, &str); 5] =
    [("x-prev", "E8"), ("x-interval", "E10"), ("x-new-terms", "E4"), ("x-detector", "E6"), ("x-lineage", "E13")];

/// The same of `x-where` where it asks for a speed.
const SPEED: [(&str, &str); 1] = [("x-where", "E7")];

/// A rule whose intervals have not been resolved.
#[derive(Debug)]
pub(super) struct Draft {
    /// Complete but for the memory that `interval` becomes.
    pub(super) rule: Rule,
    pub(super) interval: Option<IntervalDraft>,
}

/// Reads a rule whose header has been read; its lints are added to `warnings`.
pub(super) fn parse(
    header: Header,
    document: &Document<'_>,
    node: &Node,
    file: &Arc<PathBuf>,
    settings: &Settings,
    warnings: &mut Vec<Problem>,
) -> Result<Draft, Problem> {
    let codes = extension::requires(node)?;
    let custom = header::custom(node.map().unwrap_or_default(), &extension::OF_RULES)?;
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
    let memories = memory::previous(&mut cx, node)?.map(Memory::Previous).into_iter().collect();
    let interval = memory::interval(&mut cx, node)?;
    let new_terms = learned::new_terms(&mut cx, node)?;
    let lineage = lineage::ask(&mut cx, node, &header.logsource)?;
    let risk_weight = learned::weight(node)?;
    let alert = alert::parse(&mut cx, node)?;
    let detector = detector::parse(&mut cx, node, alert.as_ref())?;
    extension::lint_lists(&mut cx, document.line);
    extension::lint_requires(node, &codes, &CHANGING, &mut cx.warnings);
    if wheres.iter().any(|expression| expression.calls(Function::GeoSpeedKmh)) {
        extension::lint_requires(node, &codes, &SPEED, &mut cx.warnings);
    }
    warnings.append(&mut cx.warnings);
    let version = Sha256::of(document.text.as_bytes());
    let rule = Rule {
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
        memories,
        new_terms,
        lineage,
        detector,
        risk_weight,
        lists: cx.lists,
        alert,
        custom,
    };
    lineage::alone(node, rule.lineage.is_some() && (rule.remembers() || interval.is_some()))?;
    Ok(Draft { rule, interval })
}

/// The context of a document with this header.
pub(super) fn context<'a>(settings: &'a Settings, header: &Header, lists: Vec<crate::ast::ListUse>) -> Context<'a> {
    let fields = if is_about_own_events(&header.logsource) { Fields::Model } else { Fields::Any };
    Context::new(settings, lists, fields)
}

/// Whether the log source names pipewarden's own events.
pub(super) fn is_about_own_events(logsource: &LogSource) -> bool {
    logsource.product.as_deref() == Some(OWN_PRODUCT)
}
