//! Every field of the event model: its type, its unit, which native fields fill it and which classes have it.
//!
//! The one list of field names: rules, mappings, keys and documentation are checked against it. Must never hold a field
//! that nothing can fill, nor two names for one thing.

mod artifact;
mod ci;
mod delivery;
mod envelope;
mod network;
mod own;
mod provenance;
mod scm;

use crate::class::EventClass;

/// Type of a field's values. A list is several values of one field: a rule matches when any of them does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum FieldKind {
    Text,
    TextList,
    Integer,
    IntegerList,
    Float,
    Bool,
    BoolList,
    /// Milliseconds since the epoch.
    Time,
    /// IPv4 or IPv6 address as text.
    Ip,
    /// Text values under keys that the source chooses: `claims.repository`. Any `name.<key>` is a field.
    Map,
}

impl FieldKind {
    /// The type in words.
    pub fn name(self) -> &'static str {
        match self {
            FieldKind::Text => "text",
            FieldKind::TextList => "list of text",
            FieldKind::Integer => "integer",
            FieldKind::IntegerList => "list of integers",
            FieldKind::Float => "number",
            FieldKind::Bool => "true or false",
            FieldKind::BoolList => "list of true or false",
            FieldKind::Time => "time",
            FieldKind::Ip => "IP address",
            FieldKind::Map => "map of text",
        }
    }
}

/// What the model says about one field.
#[derive(Debug, Clone, Copy)]
pub struct FieldDoc {
    /// The dotted name that rules use.
    pub name: &'static str,
    /// Type of its values.
    pub kind: FieldKind,
    /// Unit of a number or time.
    pub unit: Option<&'static str>,
    /// What it means.
    pub doc: &'static str,
    /// (format, native field): what fills it. The format `enrichment` stands for tables that ingest looks up.
    pub sources: &'static [(&'static str, &'static str)],
    /// Classes that have it; empty: all (envelope, provenance, network).
    pub classes: &'static [EventClass],
    /// Somebody outside can choose its text: it may raise a finding, and never feeds an allow list or a suppression.
    pub attacker_controlled: bool,
}

type Sources = &'static [(&'static str, &'static str)];

const fn of(kind: FieldKind, name: &'static str, doc: &'static str, sources: Sources) -> FieldDoc {
    FieldDoc { name, kind, unit: None, doc, sources, classes: &[], attacker_controlled: false }
}

const fn text(name: &'static str, doc: &'static str, sources: Sources) -> FieldDoc {
    of(FieldKind::Text, name, doc, sources)
}

const fn texts(name: &'static str, doc: &'static str, sources: Sources) -> FieldDoc {
    of(FieldKind::TextList, name, doc, sources)
}

const fn integer(name: &'static str, doc: &'static str, sources: Sources) -> FieldDoc {
    of(FieldKind::Integer, name, doc, sources)
}

const fn integers(name: &'static str, doc: &'static str, sources: Sources) -> FieldDoc {
    of(FieldKind::IntegerList, name, doc, sources)
}

const fn float(name: &'static str, doc: &'static str, sources: Sources) -> FieldDoc {
    of(FieldKind::Float, name, doc, sources)
}

const fn boolean(name: &'static str, doc: &'static str, sources: Sources) -> FieldDoc {
    of(FieldKind::Bool, name, doc, sources)
}

const fn booleans(name: &'static str, doc: &'static str, sources: Sources) -> FieldDoc {
    of(FieldKind::BoolList, name, doc, sources)
}

const fn time(name: &'static str, doc: &'static str, sources: Sources) -> FieldDoc {
    of(FieldKind::Time, name, doc, sources)
}

const fn ip(name: &'static str, doc: &'static str, sources: Sources) -> FieldDoc {
    of(FieldKind::Ip, name, doc, sources)
}

const fn map(name: &'static str, doc: &'static str, sources: Sources) -> FieldDoc {
    of(FieldKind::Map, name, doc, sources)
}

impl FieldDoc {
    const fn unit(self, unit: &'static str) -> FieldDoc {
        FieldDoc { unit: Some(unit), ..self }
    }

    const fn on(self, classes: &'static [EventClass]) -> FieldDoc {
        FieldDoc { classes, ..self }
    }

    const fn attacker_controlled(self) -> FieldDoc {
        FieldDoc { attacker_controlled: true, ..self }
    }

    /// Events of this class can have the field.
    pub fn is_on(&self, class: EventClass) -> bool {
        self.classes.is_empty() || self.classes.contains(&class)
    }
}

/// The parts in the order in which documentation shows them.
const PARTS: [&[FieldDoc]; 8] = [
    envelope::FIELDS,
    provenance::FIELDS,
    artifact::FIELDS,
    network::FIELDS,
    scm::FIELDS,
    ci::FIELDS,
    delivery::FIELDS,
    own::FIELDS,
];

const fn count() -> usize {
    let (mut part, mut sum) = (0, 0);
    while part < PARTS.len() {
        sum += PARTS[part].len();
        part += 1;
    }
    sum
}

const fn joined() -> [FieldDoc; count()] {
    let mut fields = [PARTS[0][0]; count()];
    let (mut part, mut at) = (0, 0);
    while part < PARTS.len() {
        let mut row = 0;
        while row < PARTS[part].len() {
            fields[at] = PARTS[part][row];
            at += 1;
            row += 1;
        }
        part += 1;
    }
    fields
}

static JOINED: [FieldDoc; count()] = joined();

/// Every field: envelope, provenance, network, then the classes' own.
pub static FIELDS: &[FieldDoc] = &JOINED;

/// The field of that name; `claims.repository` is the map `claims`. `raw.…` is no field of the model.
pub fn field(name: &str) -> Option<&'static FieldDoc> {
    FIELDS.iter().find(|field| field.name == name).or_else(|| {
        FIELDS.iter().find(|field| {
            let key = name.strip_prefix(field.name).and_then(|rest| rest.strip_prefix('.'));
            field.kind == FieldKind::Map && key.is_some_and(|key| !key.is_empty())
        })
    })
}

/// Hints name at most this many fields.
const HINTS_MAX: usize = 3;

/// Jaro–Winkler similarity from which a name is worth mentioning.
const NEAR: f64 = 0.85;

/// None when the name is a field of the model or a native one (`raw.…`); else a sentence with the nearest names.
pub fn field_hint(name: &str) -> Option<String> {
    if field(name).is_some() || name.strip_prefix("raw.").is_some_and(|native| !native.is_empty()) {
        return None;
    }
    let near = nearest(name);
    Some(match near.as_slice() {
        [] => format!("`{name}` is no field of the model; native fields are written `raw.{name}`"),
        near => format!("`{name}` is no field of the model; the nearest are {}", near.join(", ")),
    })
}

/// Names that end in the wanted one (`digest`: `prov.digest`) first, then by likeness of the whole or of the last part.
fn nearest(name: &str) -> Vec<String> {
    let wanted = name.to_lowercase();
    // The one shorthand whose field has another word.
    if matches!(wanted.as_str(), "principal" | "user") {
        return vec!["`prov.actor_id`".to_owned()];
    }
    let last = |name: &str| name.rsplit('.').next().unwrap_or_default().to_owned();
    let mut scored: Vec<(f64, &str)> = FIELDS
        .iter()
        .map(|field| {
            let suffix = field.name.strip_suffix(wanted.as_str()).is_some_and(|head| head.ends_with('.'));
            let whole = strsim::jaro_winkler(field.name, &wanted);
            let part = strsim::jaro_winkler(&last(field.name), &last(&wanted));
            (if suffix { 2.0 } else { whole.max(part * 0.99) }, field.name)
        })
        .filter(|(score, _)| *score >= NEAR)
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    scored.into_iter().take(HINTS_MAX).map(|(_, name)| format!("`{name}`")).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_unique_lower_case_and_dotted() {
        let mut seen = BTreeSet::new();
        for field in FIELDS {
            assert!(seen.insert(field.name), "`{}` stands twice", field.name);
            let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
            assert!(field.name.split('.').all(|part| !part.is_empty() && part.bytes().all(plain)), "{}", field.name);
            assert!(!field.name.starts_with("raw"), "`{}`: `raw.` is the native record's", field.name);
        }
        println!("{} fields, {} classes", FIELDS.len(), EventClass::ALL.len());
    }

    #[test]
    fn every_field_is_explained_and_filled() {
        for field in FIELDS {
            assert!(field.doc.len() > 10 && field.doc.ends_with(['.', '…']), "{}: {}", field.name, field.doc);
            assert!(!field.sources.is_empty(), "{}: nothing fills it", field.name);
            let wants_unit = matches!(field.kind, FieldKind::Time) || field.name.ends_with("_s");
            assert!(!wants_unit || field.unit.is_some(), "{}: no unit", field.name);
            let classes: BTreeSet<_> = field.classes.iter().collect();
            assert_eq!(classes.len(), field.classes.len(), "{}: a class stands twice", field.name);
        }
    }

    #[test]
    fn every_class_has_fields_of_its_own() {
        for class in EventClass::ALL {
            let own = FIELDS.iter().filter(|field| field.classes.contains(class)).count();
            assert!(own > 0, "{} has no field of its own", class.name());
        }
    }

    #[test]
    fn fields_are_found_by_name() {
        assert_eq!(field("prov.token_id").unwrap().kind, FieldKind::Text);
        assert_eq!(field("claims.repository").unwrap().name, "claims");
        assert!(field("claims.").is_none() && field("claimsx").is_none() && field("secret.name").is_none());
        assert!(field("src.ip").unwrap().is_on(EventClass::CiRun));
        assert!(!field("secrets_passed").unwrap().is_on(EventClass::CiRun));
    }

    #[test]
    fn hints_name_what_was_meant() {
        assert_eq!(field_hint("secrets_passed"), None);
        assert_eq!(field_hint("raw.requestParameters.roleArn"), None);
        assert_eq!(field_hint("claims.environment"), None);
        assert!(field_hint("raw.").is_some());
        for (wrong, meant) in [
            ("digest", "`prov.digest`"),
            ("actor_id", "`prov.actor_id`"),
            ("secret_passed", "`secrets_passed`"),
            ("prov.tokenid", "`prov.token_id`"),
            ("src_ip", "`src.ip`"),
            ("principal", "`prov.actor_id`"),
            ("EVENT.ACTION", "`event.action`"),
        ] {
            let hint = field_hint(wrong).unwrap();
            let nearest = hint.split(" the nearest are ").nth(1).unwrap();
            assert!(nearest.starts_with(meant), "{wrong}: {hint}");
        }
        assert!(field_hint("zzz.qqq").unwrap().contains("raw.zzz.qqq"));
    }
}
