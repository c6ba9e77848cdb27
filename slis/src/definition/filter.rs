//! Which events an indicator means: clauses over the fields of the event model.
//!
//! Text is compared as it is written; numbers by value. Must never look at a field that the model does not know.

use std::borrow::Cow;

use model::Event;
use saphyr::Yaml;
use serde_json::Value;

use crate::places::{Section, text_of, texts_of};

/// All clauses hold. Empty: every event.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Filter(Vec<Clause>);

#[derive(Debug, Clone, PartialEq)]
struct Clause {
    field: String,
    test: Test,
}

#[derive(Debug, Clone, PartialEq)]
enum Test {
    /// One of the values is one of these.
    Is(Vec<String>),
    /// None of the values is one of these; an absent field passes.
    Not(Vec<String>),
    /// A value begins with one of these.
    Begins(Vec<String>),
    /// A value is a number within these bounds, both inclusive.
    Within(f64, f64),
    /// There is a value, or there is none.
    Present(bool),
}

impl Filter {
    /// Reads `field: value`, `field: [value, …]`, `field: {not: …}`, `{begins: …}`, `{min: …, max: …}` and
    /// `{present: true}`.
    pub(super) fn read(section: Option<Section<'_>>) -> Filter {
        let Some(section) = section else { return Filter::default() };
        let mut clauses = Vec::new();
        for (field, node) in section.entries() {
            if let Some(hint) = model::field_hint(&field).or_else(|| field.starts_with("raw.").then(of_raw)) {
                section.problem(&field, &format!("unknown field (hint: {hint})"));
            }
            match test(node) {
                Some(test) => clauses.push(Clause { field, test }),
                None => section.problem(
                    &field,
                    "is no test (hint: a value, a list of values, {not: …}, {begins: …}, {min: …, max: …} or {present: true})",
                ),
            }
        }
        Filter(clauses)
    }

    /// The event is meant.
    pub fn holds(&self, event: &Event) -> bool {
        self.0.iter().all(|clause| clause.test.holds(&values(event, &clause.field)))
    }

    /// The fields that it looks at.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|clause| clause.field.as_str())
    }
}

fn of_raw() -> String {
    "the archive holds fields of the model only".to_owned()
}

fn test(node: &Yaml<'_>) -> Option<Test> {
    let Some(map) = node.as_mapping() else { return texts_of(node).filter(|texts| !texts.is_empty()).map(Test::Is) };
    let entries: Vec<(String, &Yaml<'_>)> =
        map.iter().filter_map(|(name, value)| Some((text_of(name)?, value))).collect();
    let number = |key: &str, none: f64| match entries.iter().find(|(name, _)| name == key) {
        Some((_, value)) => text_of(value)?.parse().ok().filter(|number: &f64| number.is_finite()),
        None => Some(none),
    };
    match entries.as_slice() {
        [(name, value)] if name == "not" => texts_of(value).map(Test::Not),
        [(name, value)] if name == "begins" => texts_of(value).map(Test::Begins),
        [(name, value)] if name == "present" => value.as_bool().map(Test::Present),
        [_, ..] if entries.iter().all(|(name, _)| name == "min" || name == "max") => {
            Some(Test::Within(number("min", f64::NEG_INFINITY)?, number("max", f64::INFINITY)?))
        }
        _ => None,
    }
}

impl Test {
    fn holds(&self, values: &[Cow<'_, str>]) -> bool {
        let any = |texts: &[String]| values.iter().any(|value| texts.iter().any(|text| text == value));
        match self {
            Test::Is(texts) => any(texts),
            Test::Not(texts) => !any(texts),
            Test::Begins(texts) => values.iter().any(|value| texts.iter().any(|text| value.starts_with(text.as_str()))),
            Test::Within(min, max) => {
                values.iter().any(|value| value.parse().is_ok_and(|number: f64| (*min..=*max).contains(&number)))
            }
            Test::Present(present) => values.is_empty() != *present,
        }
    }
}

/// The values of a field as text.
pub fn values<'e>(event: &'e Event, field: &str) -> Vec<Cow<'e, str>> {
    let envelope = match field {
        "event.class" => event.class.map(|class| Cow::Borrowed(class.name())),
        "event.action" => event.action.as_deref().map(Cow::Borrowed),
        "event.outcome" => Some(Cow::Borrowed(event.outcome.name())),
        "event.source" => Some(Cow::Borrowed(&*event.source)),
        "event.trust" => Some(Cow::Borrowed(event.trust.name())),
        "event.id" => event.id.as_deref().map(Cow::Borrowed),
        _ => match event.fields.get(field) {
            Some(Value::Array(items)) => return items.iter().filter_map(text).collect(),
            value => value.and_then(text),
        },
    };
    envelope.into_iter().collect()
}

fn text(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Number(number) => Some(Cow::Owned(number.to_string())),
        Value::Bool(value) => Some(Cow::Borrowed(if *value { "true" } else { "false" })),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}
