//! A definition's YAML: read, checked, built. All problems at once.
//!
//! Must never guess: what a definition does not say is a problem or a default that its documentation names.

use model::EventClass;
use model::parse_span_ms;

use super::{Anchor, Definition, Filter, Good, Kind, Match, Measure};
use crate::burn::Objective;
use crate::places::{Problems, Section, document};

/// Reads a definition.
///
/// # Errors
/// What is wrong, each with its path and a hint.
pub(super) fn definition(text: &str) -> Result<Definition, Vec<String>> {
    let document = document(text).map_err(|error| vec![error])?;
    let problems = Problems::default();
    let definition = read(Section::new(String::new(), &document, &problems));
    match problems.into_vec() {
        none if none.is_empty() => Ok(definition),
        problems => Err(problems),
    }
}

fn read(root: Section<'_>) -> Definition {
    let code = root.required("code", "its code, like A-M1");
    let kind = root.parsed("kind", Kind::by_name, "ratio, rate, count or duration").unwrap_or_else(|| {
        if root.get("kind").is_none() {
            root.problem("kind", "is missing (hint: ratio, rate, count or duration)");
        }
        Kind::Ratio
    });
    let anchors: Vec<Anchor> = root.items("anchors").into_iter().map(anchor).collect();
    if anchors.is_empty() {
        root.problem("anchors", "is missing (hint: the events that it counts: - class: ci.run)");
    }
    let needs = root.items("needs").into_iter().map(|item| of_match(item, true));
    let matches: Vec<Match> = needs.chain(root.items("unless").into_iter().map(|item| of_match(item, false))).collect();
    let span = |key| root.parsed(key, parse_span_ms, "a number and ms, s, m, h or d, like 10m");
    let (deadline_ms, within_ms) = (span("deadline"), span("within"));
    if !matches.is_empty() && deadline_ms.is_none() {
        root.problem("deadline", "is missing (hint: how long an anchor waits for its matches, like 1h)");
    }
    if !matches.is_empty() && anchors.iter().any(|anchor| anchor.key.is_empty()) {
        root.problem("anchors", "have no key (hint: key: prov.digest, the field that matches have, too)");
    }
    let measure = measure(&root);
    if measure == Measure::Nothing && (kind == Kind::Duration || within_ms.is_some()) {
        root.problem("measure", "is missing (hint: match, evidence, or {field: eval_ms, unit: ms})");
    }
    if measure == Measure::ToMatch && !matches.iter().any(|of| of.is_needed) {
        root.problem("measure", "there is no match to measure to (hint: needs: - class: …)");
    }
    let definition = Definition {
        code: code.into(),
        name: root.required("name", "what it is called"),
        description: root.required("description", "what exactly is counted, in one sentence"),
        kind,
        anchors,
        hears: if root.get("hears").is_some() { classes(&root, "hears") } else { Vec::new() },
        matches,
        deadline_ms: deadline_ms.unwrap_or(0),
        measure,
        within_us: within_ms.and_then(|ms| u64::try_from(ms).ok()).map(|ms| ms.saturating_mul(1_000)),
        label: field(&root, "label"),
        sequence: field(&root, "sequence"),
        excludes_maintenance: root
            .parsed("maintenance", |text| (text == "excluded").then_some(true), "excluded")
            .unwrap_or(false),
        objective: root.parsed("objective", Objective::percent, "a percentage above 0 and below 100, like 99.5%"),
        target: root.required("target", "the target in words, like 95 %"),
        sql: root.required("sql", "SELECT … FROM own, one row a key"),
    };
    root.finish();
    definition
}

fn anchor(section: Section<'_>) -> Anchor {
    let total = section.parsed("total", |text| text.parse().ok(), "a whole number").unwrap_or(1);
    let good = match section.get("good") {
        None => Good::Matched,
        Some(node) if node.as_mapping().is_some() => Good::When(Filter::read(section.section("good"))),
        Some(_) => Good::Adds(section.parsed("good", |text| text.parse().ok(), "a whole number or tests").unwrap_or(0)),
    };
    let anchor = Anchor {
        classes: classes(&section, "class"),
        filter: Filter::read(section.section("where")),
        key: fields(&section, "key"),
        total,
        good,
    };
    section.finish();
    anchor
}

fn of_match(section: Section<'_>, is_needed: bool) -> Match {
    let of = Match {
        classes: classes(&section, "class"),
        filter: Filter::read(section.section("where")),
        key: fields(&section, "key"),
        before_ms: section.parsed("before", parse_span_ms, "a span like 10m").unwrap_or(0),
        is_needed,
    };
    if of.key.is_empty() {
        section.problem("key", "is missing (hint: the field that it shares with its anchor)");
    }
    section.finish();
    of
}

fn measure(root: &Section<'_>) -> Measure {
    let Some(node) = root.get("measure") else { return Measure::Nothing };
    if node.as_mapping().is_none() {
        let known = |text: &str| match text {
            "match" => Some(Measure::ToMatch),
            "evidence" => Some(Measure::Evidence),
            _ => None,
        };
        return root.parsed("measure", known, "match, evidence or {field: …, unit: …}").unwrap_or(Measure::Nothing);
    }
    let Some(section) = root.section("measure") else { return Measure::Nothing };
    let unit =
        |text: &str| [("us", 1), ("ms", 1_000), ("s", 1_000_000)].iter().find(|(name, _)| *name == text).map(|of| of.1);
    let us = section.parsed("unit", unit, "us, ms or s").unwrap_or(1_000);
    let measure = field(&section, "field").map_or(Measure::Nothing, |field| Measure::Field(field, us));
    section.finish();
    measure
}

fn classes(section: &Section<'_>, key: &'static str) -> Vec<EventClass> {
    let names = section.texts(key);
    if names.is_empty() {
        section.problem(key, "is missing (hint: an event class, like ci.run, or any)");
    }
    if names == ["any"] {
        return EventClass::ALL.to_vec();
    }
    let class = |name: &String| {
        let class = EventClass::by_name(name);
        if class.is_none() {
            section.problem(key, &format!("no class {name:?} (hint: docs/event-model.md lists them)"));
        }
        class
    };
    names.iter().filter_map(class).collect()
}

fn field(section: &Section<'_>, key: &'static str) -> Option<String> {
    fields(section, key).into_iter().next()
}

fn fields(section: &Section<'_>, key: &'static str) -> Vec<String> {
    let names = section.texts(key);
    for name in &names {
        if let Some(hint) = model::field_hint(name) {
            section.problem(key, &format!("unknown field (hint: {hint})"));
        }
    }
    names
}
