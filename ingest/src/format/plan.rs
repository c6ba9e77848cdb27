//! A format compiled for what a rule set asks: one scan of the record, then only the mapping rows somebody wants.
//!
//! The same code with every field wanted gives the full [`Event`] that people see; there is no second decoder.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use model::{Event, EventClass, Invalid, Projection, Row, Scalar, Sha256, Slot, Timestamp, Trust, Verdict, View};

use super::{Classified, Container, Fill, Format, Inputs, Output, fill};
use crate::scan::scan;

/// What a rule set asks of records of one format.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Raw paths, with the slots that the raw rules know.
    pub raw: Projection,
    /// For each class, the model fields that its rules ask for, with the slots that those rules know.
    pub classes: BTreeMap<EventClass, Projection>,
    /// Paths of the id, for a format without a mapping.
    pub id: Vec<String>,
    /// Paths of the time, for a format without a mapping, first that parses wins.
    pub time: Vec<String>,
}

/// A format compiled for a rule set.
#[derive(Debug)]
pub struct Plan {
    format: &'static Format,
    projection: Projection,
    id: Vec<Slot>,
    time: Vec<Slot>,
    action: Slot,
    classify: Vec<Slot>,
    containers: Vec<(Slot, Container)>,
    marks: Vec<Vec<Slot>>,
    classes: BTreeMap<EventClass, ClassPlan>,
    trust: Trust,
}

#[derive(Debug, Default)]
struct ClassPlan {
    slots: usize,
    rows: Vec<RowPlan>,
    envelope: Vec<(Slot, Envelope)>,
}

#[derive(Debug)]
struct RowPlan {
    slot: Slot,
    inputs: Vec<Slot>,
    fill: Fill,
}

#[derive(Debug, Clone, Copy)]
enum Envelope {
    Id,
    Class,
    Action,
    Outcome,
    Time,
    Source,
    Trust,
}

const ENVELOPE: &[(&str, Envelope)] = &[
    ("event.id", Envelope::Id),
    ("event.class", Envelope::Class),
    ("event.action", Envelope::Action),
    ("event.outcome", Envelope::Outcome),
    ("event.time", Envelope::Time),
    ("event.source", Envelope::Source),
    ("event.trust", Envelope::Trust),
];

/// Envelope of one decoded record.
#[derive(Debug, Clone, PartialEq)]
pub struct Decoded<'a> {
    /// Provider id.
    pub id: Option<Cow<'a, str>>,
    /// Event time.
    pub time: Option<Timestamp>,
    /// Class; None for raw JSON.
    pub class: Option<EventClass>,
    /// Action.
    pub action: &'a str,
    /// Outcome.
    pub verdict: Verdict,
}

/// What a scanned record turned out to be.
#[derive(Debug, Clone, PartialEq)]
pub enum Shape<'a> {
    /// One event.
    Event(Decoded<'a>),
    /// It carries other records.
    Container(Container),
    /// Of no interest.
    Filtered,
}

impl Plan {
    /// Compiles a format.
    pub fn new(format: &'static Format, wanted: Wanted, trust: Option<Trust>) -> Plan {
        let Wanted { raw: mut projection, classes, id, time } = wanted;
        let mapping = format.mapping;
        let mut ask_all = |paths: &[&str]| paths.iter().map(|path| projection.ask(path)).collect::<Vec<_>>();
        let (id, time) = match mapping {
            Some(mapping) => (ask_all(mapping.id), ask_all(mapping.time)),
            None => {
                let mut ask_all = |paths: &[String]| paths.iter().map(|path| projection.ask(path)).collect::<Vec<_>>();
                (ask_all(&id), ask_all(&time))
            }
        };
        let action = mapping.map_or(Slot::MAX, |mapping| projection.ask(mapping.action));
        let classify = mapping.map_or_else(Vec::new, |m| m.classify_paths.iter().map(|p| projection.ask(p)).collect());
        let containers = format.containers.iter().map(|c| (projection.ask(c.key()), *c)).collect();
        let marks = format.marks.iter().map(|set| set.iter().map(|p| projection.ask(p)).collect()).collect();
        let classes = classes
            .into_iter()
            .map(|(class, fields)| (class, ClassPlan::new(format, class, &fields, &mut projection)))
            .collect();
        let trust = trust.unwrap_or(format.trust);
        Plan { format, projection, id, time, action, classify, containers, marks, classes, trust }
    }

    /// The format.
    pub fn format(&self) -> &'static Format {
        self.format
    }

    /// Scans a record into `raw`.
    ///
    /// # Errors
    /// When it is not one JSON value, or nested too deep.
    pub fn scan(&self, record: &str, raw: &mut Row) -> Result<(), Invalid> {
        scan(record, &self.projection, raw)
    }

    /// What a scanned record is.
    ///
    /// # Errors
    /// When it is no record of this format.
    pub fn shape<'a>(&'a self, view: View<'a>) -> Result<Shape<'a>, Invalid> {
        if let Some(&(_, container)) = self.containers.iter().find(|(slot, _)| view.has(*slot)) {
            return Ok(Shape::Container(container));
        }
        let mut decoded = Decoded {
            id: (0..self.id.len()).find_map(|i| Inputs::new(view, &self.id).string(i)),
            time: self.time.iter().find_map(|&slot| view.values(slot).find_map(read_time)),
            class: None,
            action: view.text(self.action).unwrap_or(""),
            verdict: Verdict::Unknown,
        };
        if let Some(mapping) = self.format.mapping {
            match (mapping.classify)(&Inputs::new(view, &self.classify)) {
                Classified::Filtered => return Ok(Shape::Filtered),
                Classified::Invalid(_) => return Err(Invalid::WrongShape),
                Classified::Event(class) => {
                    decoded.class = Some(class.class);
                    decoded.verdict = class.verdict;
                    if !class.action.is_empty() {
                        decoded.action = class.action;
                    }
                }
            }
        }
        Ok(Shape::Event(decoded))
    }

    /// The scanned record has the keys by which this format is recognised.
    pub fn recognises(&self, view: View<'_>) -> bool {
        self.marks.iter().any(|set| set.iter().all(|&slot| view.has(slot)))
    }

    /// Fills `row` with the model fields that rules of the event's class ask for. False: none ask for any.
    pub fn map(&self, decoded: &Decoded<'_>, raw: View<'_>, source: &str, row: &mut Row) -> bool {
        let Some(plan) = decoded.class.and_then(|class| self.classes.get(&class)) else {
            return false;
        };
        row.reset(plan.slots);
        for planned in &plan.rows {
            let mut output = Output::new(row, planned.slot, raw.record());
            (planned.fill)(&Inputs::new(raw, &planned.inputs), &mut output);
        }
        for &(slot, what) in &plan.envelope {
            let mut output = Output::new(row, slot, raw.record());
            match what {
                Envelope::Id => decoded.id.iter().for_each(|id| output.text(id)),
                Envelope::Class => decoded.class.iter().for_each(|class| output.text(class.name())),
                Envelope::Action => output.text(decoded.action),
                Envelope::Outcome => output.text(decoded.verdict.name()),
                Envelope::Time => decoded.time.iter().for_each(|time| output.text(&time.to_string())),
                Envelope::Source => output.text(source),
                Envelope::Trust => output.text(self.trust.name()),
            }
        }
        true
    }
}

impl ClassPlan {
    fn new(format: &Format, class: EventClass, fields: &Projection, raw: &mut Projection) -> ClassPlan {
        let mut plan = ClassPlan { slots: fields.len(), ..ClassPlan::default() };
        for slot in 0..fields.len() as Slot {
            let field = fields.name(slot);
            if let Some((_, what)) = ENVELOPE.iter().find(|(name, _)| *name == field) {
                plan.envelope.push((slot, *what));
            } else if let Some(path) = field.strip_prefix("raw.") {
                plan.rows.push(RowPlan { slot, inputs: vec![raw.ask(path)], fill: fill::copy });
            } else if format.mapping.is_some_and(|mapping| mapping.rows.is_empty()) {
                plan.rows.push(RowPlan { slot, inputs: vec![raw.ask(field)], fill: fill::copy });
            }
            for row in format.mapping.map_or(&[][..], |mapping| mapping.rows) {
                if row.field == field && (row.classes.is_empty() || row.classes.contains(&class)) {
                    let inputs = row.paths.iter().map(|path| raw.ask(path)).collect();
                    plan.rows.push(RowPlan { slot, inputs, fill: row.fill });
                }
            }
        }
        plan
    }
}

fn read_time(value: Scalar<'_>) -> Option<Timestamp> {
    match value {
        Scalar::Text(text) => Timestamp::parse(text),
        Scalar::Int(n) => Timestamp::from_epoch(n as f64),
        Scalar::UInt(n) => Timestamp::from_epoch(n as f64),
        Scalar::Float(n) => Timestamp::from_epoch(n),
        Scalar::Bool(_) | Scalar::Null | Scalar::Empty => None,
    }
}

/// Decodes one record in full, every model field wanted; a container gives an event for each record in it.
///
/// # Errors
/// Why the record (or, in a container, the first bad one) is invalid.
pub fn decode_one(format: &'static Format, source: &Arc<str>, record: &str) -> Result<Vec<Event>, Invalid> {
    let mut everything = Projection::default();
    for doc in model::FIELDS.iter() {
        everything.ask(doc.name);
    }
    let classes = EventClass::ALL.iter().map(|&class| (class, everything.clone())).collect();
    let plan = Plan::new(format, Wanted { classes, ..Wanted::default() }, None);
    let mut events = Vec::new();
    decode_with(&plan, &everything, source, record, &mut events)?;
    Ok(events)
}

fn decode_with(
    plan: &Plan,
    fields: &Projection,
    source: &Arc<str>,
    record: &str,
    events: &mut Vec<Event>,
) -> Result<(), Invalid> {
    let mut raw = Row::default();
    plan.scan(record, &mut raw)?;
    let view = raw.view(record);
    match plan.shape(view)? {
        Shape::Filtered => {}
        Shape::Container(container) => {
            for element in crate::container::elements(record, container)? {
                decode_with(plan, fields, source, element, events)?;
            }
        }
        Shape::Event(decoded) => {
            let mut row = Row::default();
            plan.map(&decoded, view, source, &mut row);
            events.push(Event {
                id: decoded.id.as_deref().map(Arc::from),
                class: decoded.class,
                action: (!decoded.action.is_empty()).then(|| decoded.action.to_owned()),
                outcome: decoded.verdict,
                time: decoded.time,
                source: source.clone(),
                trust: plan.trust,
                sha256: Sha256::of(record.as_bytes()),
                fields: fields_of(fields, row.view(record)),
            });
        }
    }
    Ok(())
}

fn fields_of(fields: &Projection, view: View<'_>) -> BTreeMap<String, serde_json::Value> {
    let mut named = BTreeMap::new();
    for &slot in view.touched() {
        let mut values: Vec<serde_json::Value> = view.values(slot).filter_map(json_of).collect();
        let value = match values.len() {
            0 => continue,
            1 => values.swap_remove(0),
            _ => values.into(),
        };
        named.insert(fields.name(slot).to_owned(), value);
    }
    named
}

fn json_of(value: Scalar<'_>) -> Option<serde_json::Value> {
    match value {
        Scalar::Text(text) => Some(text.into()),
        Scalar::Int(n) => Some(n.into()),
        Scalar::UInt(n) => Some(n.into()),
        Scalar::Float(n) => Some(n.into()),
        Scalar::Bool(b) => Some(b.into()),
        Scalar::Null | Scalar::Empty => None,
    }
}
