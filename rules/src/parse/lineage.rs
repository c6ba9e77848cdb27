//! `x-lineage` (E13): what a rule asks of lineage at its event.
//!
//! Must never let a question pass that is not answered: a rule that has one means more without it.

use model::EventClass;

use super::context::Context;
use super::extension::{check_keys, entries};
use super::header::{self, scalar};
use super::hint::nearest;
use super::problem::Problem;
use super::resolve::Link;
use super::rule::{Draft, is_about_own_events};
use super::yaml::Node;
use crate::ast::LogSource;
use crate::lineage::{ASKED_FOR, ASKED_FROM, Ask, Enough, Kind};

const HINT: &str = "for example `x-lineage: {from: prov.token_id, reaches: [run, artifact], at_least: 1}`";

/// Reads `x-lineage`.
pub(super) fn ask(cx: &mut Context<'_>, document: &Node, of: &LogSource) -> Result<Option<Ask>, Problem> {
    let Some(body) = document.get("x-lineage") else { return Ok(None) };
    check_keys(
        entries(body, "x-lineage")?,
        "x-lineage",
        &["from", "versions", "reaches", "reaches_none", "through", "at_least"],
    )?;
    if !is_about_own_events(of) {
        return Err(Problem::new(body.line, "`x-lineage` is for rules on the model's fields")
            .hint("lineage joins events of every format: write `logsource: {product: pipewarden, category: …}`"));
    }
    if of.category.as_deref() == Some(EventClass::Anomaly.name()) {
        return Err(Problem::new(body.line, "`x-lineage` does not go with category anomaly")
            .hint("ask lineage in a rule on the events that the detector looks at"));
    }
    let Some(from) = scalar(body, "from")? else {
        return Err(Problem::new(body.line, "`x-lineage` has no `from`").hint(HINT));
    };
    cx.check_field(&from, body.line)?;
    let Some((_, kind)) = ASKED_FROM.iter().find(|(field, _)| *field == from) else {
        let known = ASKED_FROM.map(|(field, _)| field);
        return Err(Problem::new(body.line, format!("lineage does not know keys of `{from}`"))
            .hint(format!("it knows {}", known.join(", "))));
    };
    let versions = scalar(body, "versions")?;
    if let Some(field) = &versions {
        cx.check_field(field, body.line)?;
        if *kind != Kind::Purl {
            return Err(Problem::new(body.line, "`versions` goes with `from: purl`").hint("leave it out"));
        }
    }
    let (wanted, unwanted) = (header::texts(body, "reaches")?, header::texts(body, "reaches_none")?);
    let (names, enough) = match (wanted.is_empty(), unwanted.is_empty()) {
        (false, true) => (wanted, Enough::AtLeast(at_least(body)?)),
        (true, false) if body.get("at_least").is_none() => (unwanted, Enough::None),
        (true, false) => return Err(Problem::new(body.line, "`at_least` goes with `reaches`").hint(HINT)),
        _ => {
            return Err(Problem::new(body.line, "`x-lineage` needs one of `reaches` and `reaches_none`").hint(HINT));
        }
    };
    let kinds = known(&names, body)?;
    let through = body.get("through").map(|_| known(&header::texts(body, "through")?, body)).transpose()?;
    if through.iter().flatten().any(|kind| !kind.is_joint()) {
        return Err(Problem::new(body.line, "no way goes through a service").hint("`through` names what it may pass"));
    }
    Ok(Some(Ask { from, kind: *kind, versions, kinds, through, enough }))
}

/// The kinds of these names, each once.
fn known(names: &[String], body: &Node) -> Result<Vec<Kind>, Problem> {
    let mut kinds = Vec::new();
    for name in names {
        let Some((_, kind, _)) = ASKED_FOR.iter().find(|(known, ..)| known == name) else {
            let known = ASKED_FOR.iter().map(|(known, ..)| *known);
            return Err(
                Problem::new(body.line, format!("`{name}` is nothing that lineage reaches")).hint(nearest(name, known))
            );
        };
        if !kinds.contains(kind) {
            kinds.push(*kind);
        }
    }
    Ok(kinds)
}

fn at_least(body: &Node) -> Result<usize, Problem> {
    let Some(node) = body.get("at_least") else { return Ok(1) };
    node.text().and_then(|text| text.parse().ok()).ok_or_else(|| {
        Problem::new(node.line, "`at_least` needs a whole number")
            .hint("with 0 the rule holds as it is, and its alert lists what was reached")
    })
}

/// Refuses a rule that asks lineage and earlier events at once: `both`.
pub(super) fn alone(document: &Node, both: bool) -> Result<(), Problem> {
    let Some(body) = document.get("x-lineage").filter(|_| both) else { return Ok(()) };
    let others = "x-prev, x-interval, x-new-terms or geo_speed_kmh";
    Err(Problem::new(body.line, format!("`x-lineage` does not go together with {others}")).hint("write two rules"))
}

/// Refuses what refers to a rule whose question decides: who refers to it does not wait for the answer.
pub(super) fn unreferred(rules: &[Draft], targets: &[usize], links: &[&Link]) -> Result<(), Problem> {
    for (target, link) in targets.iter().zip(links) {
        let ask = rules.get(*target).and_then(|draft| draft.rule.lineage.as_ref());
        if ask.is_some_and(|ask| ask.enough != Enough::AtLeast(0)) {
            let why = format!("`{}` asks lineage, and nothing can refer to it", link.name);
            return Err(Problem::new(link.line, why).hint("refer to a rule without `x-lineage`, or with `at_least: 0`"));
        }
    }
    Ok(())
}
