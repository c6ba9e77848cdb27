//! A format compiled for what a rule set asks: one scan of the record, then only the mapping rows somebody wants.
//!
//! The same code with every field wanted gives the full [`Event`] that people see; there is no second decoder.

mod asking;
mod fields;
mod marks;
mod named;
mod origin;
mod rows;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use model::{EventClass, Invalid, Projection, Rfc3339, Row, Slot, Timestamp, Trust, Verdict, View};

use self::asking::Asking;
pub use self::asking::Held;
pub use self::fields::Fields;
use self::marks::Marks;
use self::rows::Rows;
use super::{Classified, Container, Format, Inputs, LATEST, Memo, Output, fill};
use crate::enrich::{Lookups, Missed, Tables};
use crate::scan::{Ahead, scan, scan_ahead};

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
    /// What fills the fields that records do not carry; None: nothing does.
    pub tables: Option<Arc<Tables>>,
}

/// A format compiled for a rule set.
#[derive(Debug)]
pub struct Plan {
    format: &'static Format,
    projection: Projection,
    /// Where this format's records find the values that those in them have from them.
    told: Vec<Slot>,
    /// By which paths those ask for them.
    told_paths: Vec<Box<str>>,
    /// Lists of parts; the first list whose first part is there gives the id.
    id: Vec<Vec<Slot>>,
    time: Vec<Slot>,
    latest: Vec<Slot>,
    action: Slot,
    classify: Vec<Slot>,
    containers: Vec<(Slot, Held)>,
    marks: Marks,
    classes: BTreeMap<EventClass, ClassPlan>,
    tables: Option<Arc<Tables>>,
    trust: Trust,
}

#[derive(Debug, Default)]
struct ClassPlan {
    slots: usize,
    rows: Rows,
    lookups: Lookups,
    envelope: Vec<(Slot, Envelope)>,
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

/// The container that a record stands in: what its plan wants of it, and the record's number in it.
#[derive(Debug, Clone, Copy)]
pub struct Outer<'a> {
    /// The container's values.
    pub view: View<'a>,
    /// Where its plan has what is told of containers: in the same order in all plans of its format.
    pub(crate) told: &'a [Slot],
    /// The record's number in it, from 0.
    pub index: usize,
}

/// Envelope of one decoded record.
#[derive(Debug, Clone)]
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
    /// What it stands in.
    outer: Option<&'a Outer<'a>>,
    /// What was opened to tell so much, for the rows that ask for more of it.
    memo: Memo,
}

impl Decoded<'_> {
    /// The bytes of a payload in the record, which its rows may want, too.
    pub(crate) fn payload(&self, letters: &str) -> Option<Rc<Vec<u8>>> {
        self.memo.payload(letters)
    }
}

/// What a scanned record turned out to be.
#[derive(Debug, Clone)]
pub enum Shape<'a> {
    /// One event.
    Event(Decoded<'a>),
    /// It carries other records.
    Container(Held),
    /// Of no interest.
    Filtered,
}

impl Plan {
    /// Compiles a format; `rivals` are the formats that a record may be of, this one among them, where content tells.
    pub fn new(format: &'static Format, wanted: Wanted, trust: Option<Trust>, rivals: &[&'static Format]) -> Plan {
        let Wanted { raw, classes, id, time, tables } = wanted;
        let mut asking = Asking::of(raw);
        let mapping = format.mapping;
        // All that any rule could want of a container, so that every plan of a format reads containers alike.
        for path in mapping.iter().flat_map(|mapping| mapping.rows).flat_map(|row| row.paths) {
            if let Some(outer) = path.strip_prefix("^.") {
                asking.ask_outer(outer);
            }
        }
        let mut latest = Vec::new();
        let (id, time) = match mapping {
            Some(mapping) => {
                let mut times = mapping.time.splitn(2, |path| *path == LATEST);
                let time = times.next().map(|paths| asking.ask_all(paths)).unwrap_or_default();
                latest = times.next().map(|paths| asking.ask_all(paths)).unwrap_or_default();
                (asking.ask_id(mapping.id), time)
            }
            None => {
                let mut ask_all = |paths: &[String]| paths.iter().map(|path| asking.ask(path)).collect::<Vec<_>>();
                (ask_all(&id).into_iter().map(|slot| vec![slot]).collect(), ask_all(&time))
            }
        };
        let action = mapping.map_or(Slot::MAX, |mapping| asking.ask(mapping.action));
        let classify = mapping.map_or_else(Vec::new, |mapping| asking.ask_all(mapping.classify_paths));
        let containers = format.containers.iter().filter(|container| **container != Container::Members);
        let containers = containers
            .map(|&container| (asking.ask(container.path()), Held::ask(&mut asking.record, container)))
            .collect();
        let marks = Marks::new(rivals, &mut asking);
        let classes = classes
            .into_iter()
            .map(|(class, fields)| (class, ClassPlan::new(format, class, fields, tables.as_deref(), &mut asking)))
            .collect();
        let Asking { record: projection, told, outer } = asking;
        let told_paths = (0..).take(told.len()).map(|slot| format!("^.{}", outer.name(slot)).into()).collect();
        let trust = trust.unwrap_or(format.trust);
        Plan {
            format,
            projection,
            told,
            told_paths,
            id,
            time,
            latest,
            action,
            classify,
            containers,
            marks,
            classes,
            tables,
            trust,
        }
    }

    /// The format.
    pub fn format(&self) -> &'static Format {
        self.format
    }

    /// Who writes what it decodes.
    pub fn trust(&self) -> Trust {
        self.trust
    }

    /// Scans a record into `raw`.
    ///
    /// # Errors
    /// When it is not one JSON value, or nested too deep.
    pub fn scan(&self, record: &str, raw: &mut Row) -> Result<(), Invalid> {
        scan(record, &self.projection, raw)
    }

    /// The same, and fills rows for what stands in it.
    pub(crate) fn scan_ahead(&self, record: &str, raw: &mut Row, ahead: &mut Ahead) -> Result<(), Invalid> {
        scan_ahead(record, &self.projection, raw, ahead)
    }

    /// What the records in a scanned container have of it.
    pub fn outer<'a>(&'a self, container: View<'a>) -> Outer<'a> {
        Outer { view: container, told: &self.told, index: 0 }
    }

    /// What a scanned record is that stands in this container, if in any.
    ///
    /// # Errors
    /// When it is no record of this format.
    pub fn shape<'a>(&'a self, view: View<'a>, outer: Option<&'a Outer<'a>>) -> Result<Shape<'a>, Invalid> {
        if let Some(held) = self.held(view, false) {
            return Ok(Shape::Container(held));
        }
        let fields = Fields::new(view, outer);
        let (id, time) = self.named(fields);
        let action = self.action(fields);
        let memo = Memo::default();
        let mut decoded = Decoded { id, time, class: None, action, verdict: Verdict::Unknown, outer, memo };
        if let Some(mapping) = self.format.mapping {
            let inputs = Inputs::new(fields, &self.classify, &decoded.memo).dated(time.is_some());
            let classified = (mapping.classify)(&inputs);
            if let Classified::Dated(_, time) = classified {
                decoded.time = decoded.time.or(Some(time));
            }
            match classified {
                Classified::Filtered => return Ok(Shape::Filtered),
                Classified::Invalid(_) => return Err(Invalid::WrongShape),
                Classified::Unknown => return Err(Invalid::UnknownFormat),
                Classified::Event(class) | Classified::Dated(class, _) => {
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

    /// The action of a scanned record, as it calls it.
    pub fn action<'a>(&self, fields: Fields<'a>) -> &'a str {
        fields.text(self.action).unwrap_or("")
    }

    /// The records beside a scanned record that is an event itself.
    pub fn parts(&self, view: View<'_>) -> Option<Held> {
        self.held(view, true)
    }

    fn held(&self, view: View<'_>, beside: bool) -> Option<Held> {
        let mut held = self.containers.iter().filter(|(_, held)| held.container.is_beside() == beside);
        held.find(|(slot, _)| view.has(*slot)).map(|&(_, held)| held)
    }

    /// Which of the formats that it might be of has its keys in the scanned record; the first of several.
    pub fn recognised(&self, view: View<'_>) -> Option<usize> {
        self.marks.recognised(view)
    }

    /// Fills `row` with the model fields that rules of the event's class ask for, and says which tables were asked for
    /// some of them in vain. None: no rule asks for any.
    pub fn map(&self, decoded: &Decoded<'_>, raw: View<'_>, source: &str, row: &mut Row) -> Option<Missed> {
        let plan = decoded.class.and_then(|class| self.classes.get(&class))?;
        row.reset(plan.slots);
        plan.rows.fill(Fields::new(raw, decoded.outer), &decoded.memo, row);
        for &(slot, what) in &plan.envelope {
            let mut output = Output::new(row, slot, raw.record());
            match what {
                Envelope::Id => decoded.id.iter().for_each(|id| output.text(id)),
                Envelope::Class => decoded.class.iter().for_each(|class| output.text(class.name())),
                Envelope::Action => output.text(decoded.action),
                Envelope::Outcome => output.text(decoded.verdict.name()),
                Envelope::Time => decoded.time.iter().for_each(|time| match time.write(&mut Rfc3339::default()) {
                    Some(text) => output.text(text),
                    None => output.text(&time.to_string()),
                }),
                Envelope::Source => output.text(source),
                Envelope::Trust => output.text(self.trust.name()),
            }
        }
        let tables = self.tables.as_deref();
        Some(tables.map_or_else(Missed::default, |of| plan.lookups.fill(of, decoded.time, raw.record(), row)))
    }
}

impl ClassPlan {
    fn new(
        format: &Format,
        class: EventClass,
        mut fields: Projection,
        tables: Option<&Tables>,
        raw: &mut Asking,
    ) -> ClassPlan {
        let lookups = tables.map(|tables| Lookups::new(tables, class, &mut fields)).unwrap_or_default();
        let mut plan = ClassPlan { slots: fields.len(), lookups, ..ClassPlan::default() };
        for slot in 0..fields.len() as Slot {
            let field = fields.name(slot);
            if let Some((_, what)) = ENVELOPE.iter().find(|(name, _)| *name == field) {
                plan.envelope.push((slot, *what));
            } else if let Some(path) = field.strip_prefix("raw.") {
                plan.rows.push(slot, &[raw.ask(path)], fill::copy);
            } else if format.mapping.is_some_and(|mapping| mapping.rows.is_empty()) {
                plan.rows.push(slot, &[raw.ask(field)], fill::copy);
            }
            for row in format.mapping.map_or(&[][..], |mapping| mapping.rows) {
                if row.field == field && (row.classes.is_empty() || row.classes.contains(&class)) {
                    plan.rows.push(slot, &raw.ask_all(row.paths), row.fill);
                }
            }
        }
        plan
    }
}
