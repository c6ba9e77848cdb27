//! Records taken apart and decoded: containers, records of several formats told apart by content, each exactly once.
//!
//! The one way from bytes to events, for runs, proofs and people alike. Must never remember anything between records
//! that could change what the next one is.

mod likely;
mod why;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use model::{Event, EventClass, Invalid, Projection, Row, Scalar, Sha256, Timestamp, Trust, View};

use crate::container::{self, Elements, array, elements, members, payload};
use crate::format::{Container, Decoded, FORMATS, Fields, Format, Held, Outer, Plan, Shape, Wanted};
use crate::scan::{Ahead, is_json};

use likely::Likely;
pub use why::{Near, Opened};

/// Containers within containers end here.
pub const CONTAINER_DEPTH_MAX: usize = 4;

/// Decodes the records of one source.
#[derive(Debug)]
pub struct Decoder {
    plans: Vec<Plan>,
    /// Records are of the first format; otherwise content tells.
    is_one: bool,
}

/// Memory reused from record to record.
#[derive(Debug, Default)]
pub struct Scratch {
    raw: Box<Row>,
    /// Rows of what stands in the record that was scanned last.
    ahead: Ahead,
    /// Rows that no container uses now: those that one is in use by stand by its side.
    #[allow(clippy::vec_box, reason = "rows change hands without being moved")]
    spare: Vec<Box<Row>>,
    likely: Likely,
}

/// What became of one record, or of one record in a container.
#[derive(Debug)]
pub enum Read<'a> {
    /// An event.
    Event(Seen<'a>),
    /// Of no interest.
    Filtered,
    /// It cannot be decoded.
    Invalid(Invalid),
}

/// A decoded record.
#[derive(Debug)]
pub struct Seen<'a> {
    /// Number of its format among the decoder's.
    pub plan: usize,
    /// Its own bytes.
    pub text: &'a str,
    /// Its values.
    pub raw: View<'a>,
    /// Its envelope.
    pub decoded: Decoded<'a>,
    /// The container that it stands in.
    pub outer: Option<Outer<'a>>,
}

/// Where a text stands in the chunk that was read.
#[derive(Debug, Clone)]
enum Place {
    /// From this byte on.
    At(usize),
    /// Nowhere: it was decoded from what stands here.
    From(Range<usize>),
}

impl Place {
    fn of(&self, text: &str) -> Range<usize> {
        match self {
            Place::At(start) => *start..start + text.len(),
            Place::From(range) => range.clone(),
        }
    }
}

/// What a record stands in.
#[derive(Debug, Clone, Copy, Default)]
struct Within<'a> {
    plan: Option<usize>,
    outer: Option<Outer<'a>>,
    carried: Carried<'a>,
    /// What its envelope calls its type, hashed.
    kind: Option<usize>,
    depth: usize,
}

/// What a record of another format has from its envelope where it says nothing itself: the id, with its number behind
/// it in each array on the way (two records never share one), and the time.
#[derive(Debug, Clone, Copy, Default)]
struct Carried<'a> {
    id: Option<&'a str>,
    time: Option<Timestamp>,
}

impl Decoder {
    /// A decoder of formats with what is wanted of each. `is_one`: records are of the first, and others stand in it;
    /// otherwise content tells, the first that recognises a record wins.
    pub fn new(formats: Vec<(&'static Format, Wanted)>, trust: Option<Trust>, is_one: bool) -> Decoder {
        let rivals: Vec<&'static Format> = formats.iter().map(|(format, _)| *format).collect();
        let alone = is_one && rivals.len() == 1;
        let rivals = if alone { &[][..] } else { &rivals };
        let plan = |(format, wanted)| Plan::new(format, wanted, trust, rivals);
        Decoder { plans: formats.into_iter().map(plan).collect(), is_one }
    }

    /// The plans, in the order of the formats.
    pub fn plans(&self) -> &[Plan] {
        &self.plans
    }

    /// Tells `sink` of the record at `start` of its chunk, or of each record in it, with where it stands.
    pub fn read(&self, scratch: &mut Scratch, text: &str, start: usize, sink: &mut impl FnMut(Range<usize>, Read<'_>)) {
        let within = Within { plan: self.is_one.then_some(0), ..Within::default() };
        scratch.ahead.clear();
        self.value(scratch, text, Place::At(start), within, sink);
    }

    fn value(
        &self,
        scratch: &mut Scratch,
        text: &str,
        place: Place,
        within: Within<'_>,
        sink: &mut impl FnMut(Range<usize>, Read<'_>),
    ) {
        match text.as_bytes().first() {
            Some(b'{') => self.object(scratch, text, place, within, sink),
            Some(b'[') => match array(text) {
                Ok(elements) => self.elements(scratch, text, &place, within, elements, sink),
                Err(reason) => sink(place.of(text), Read::Invalid(reason)),
            },
            // White space around the value: rare, and then not part of the record.
            Some(b) if b.is_ascii_whitespace() => {
                let trimmed = text.trim_ascii();
                self.value(scratch, trimmed, inner(&place, text, trimmed), within, sink);
            }
            _ => {
                let reason = if is_json(text) { Invalid::WrongShape } else { Invalid::NotJson };
                sink(place.of(text), Read::Invalid(reason));
            }
        }
    }

    fn elements<'a>(
        &self,
        scratch: &mut Scratch,
        text: &str,
        place: &Place,
        within: Within<'_>,
        elements: impl IntoIterator<Item = &'a str>,
        sink: &mut impl FnMut(Range<usize>, Read<'_>),
    ) {
        if within.depth >= CONTAINER_DEPTH_MAX {
            return sink(place.of(text), Read::Invalid(Invalid::TooDeep));
        }
        let mut elements = elements.into_iter().enumerate().peekable();
        if elements.peek().is_none() {
            sink(place.of(text), Read::Filtered);
        }
        let mut is_list = false;
        while let Some((index, element)) = elements.next() {
            is_list |= elements.peek().is_some();
            let outer = within.outer.map(|outer| Outer { index, ..outer });
            let id =
                within.carried.id.map(|id| if is_list { Cow::from(format!("{id}:{index}")) } else { Cow::from(id) });
            let carried = Carried { id: id.as_deref(), ..within.carried };
            let within = Within { outer, carried, depth: within.depth + 1, ..within };
            self.value(scratch, element, inner(place, text, element), within, sink);
        }
    }

    fn object(
        &self,
        scratch: &mut Scratch,
        text: &str,
        place: Place,
        within: Within<'_>,
        sink: &mut impl FnMut(Range<usize>, Read<'_>),
    ) {
        let (at, plan) = match self.scan(scratch, text, within) {
            Ok(found) => found,
            Err(reason) => return self.members(scratch, text, place, within, reason, sink),
        };
        let raw = scratch.raw.view(text);
        let mut opened = None;
        let held = match plan.shape(raw, within.outer.as_ref()) {
            Err(reason) => return self.members(scratch, text, place, within, reason, sink),
            Ok(Shape::Container(held)) => held,
            Ok(shape) => {
                let parts = plan.parts(raw);
                let read = match shape {
                    Shape::Event(mut decoded) => {
                        let letters = parts.and_then(|held| payload(text, raw, held));
                        opened = letters.and_then(|letters| decoded.payload(letters));
                        decoded.id = decoded.id.or(within.carried.id.map(Cow::Borrowed));
                        decoded.time = decoded.time.or(within.carried.time);
                        Read::Event(Seen { plan: at, text, raw, decoded, outer: within.outer })
                    }
                    Shape::Filtered | Shape::Container(_) => Read::Filtered,
                };
                sink(place.of(text), read);
                match parts {
                    Some(parts) => parts,
                    None => return,
                }
            }
        };
        // The container keeps its row while others scan what stands in it.
        let row = std::mem::replace(&mut scratch.raw, scratch.spare.pop().unwrap_or_default());
        let opened = opened.map(Elements::Encoded);
        if let Err(reason) = self.container(scratch, row.view(text), &place, (plan, at, held, opened), within, sink) {
            sink(place.of(text), Read::Invalid(reason));
        }
        scratch.spare.push(row);
    }

    /// A record that is none itself: the records in it, where it is a map of them, else the reason.
    fn members(
        &self,
        scratch: &mut Scratch,
        text: &str,
        place: Place,
        within: Within<'_>,
        reason: Invalid,
        sink: &mut impl FnMut(Range<usize>, Read<'_>),
    ) {
        match self.members_of(scratch, text, within) {
            Some(members) => self.elements(scratch, text, &place, Within { outer: None, ..within }, members, sink),
            None => sink(place.of(text), Read::Invalid(reason)),
        }
    }

    fn members_of<'a>(&self, scratch: &mut Scratch, text: &'a str, within: Within<'_>) -> Option<Vec<&'a str>> {
        let keeps = |plan: &Plan| plan.format().containers.contains(&Container::Members);
        if !self.plans.iter().any(keeps) {
            return None;
        }
        let members = members(text).ok()?;
        let first = members.first()?;
        let (_, plan) = self.scan(scratch, first, Within { outer: None, ..within }).ok()?;
        (keeps(plan) && plan.shape(scratch.raw.view(first), None).is_ok()).then_some(members)
    }

    /// Scans a record as the format that it is of, and says which that is.
    fn scan(&self, scratch: &mut Scratch, text: &str, within: Within<'_>) -> Result<(usize, &Plan), Invalid> {
        let first = within.plan.unwrap_or(*scratch.likely.of(within.kind));
        let plan = self.plans.get(first).ok_or(Invalid::UnknownFormat)?;
        let Scratch { raw, ahead, .. } = scratch;
        if within.plan.is_none() || !ahead.take(text, raw) {
            plan.scan_ahead(text, raw, ahead)?;
        }
        if within.plan.is_some() {
            return Ok((first, plan));
        }
        let at = plan.recognised(raw.view(text)).ok_or(Invalid::UnknownFormat)?;
        let plan = self.plans.get(at).ok_or(Invalid::UnknownFormat)?;
        if at != first {
            *scratch.likely.of(within.kind) = at;
            plan.scan_ahead(text, &mut scratch.raw, &mut scratch.ahead)?;
        }
        Ok((at, plan))
    }

    fn container(
        &self,
        scratch: &mut Scratch,
        view: View<'_>,
        place: &Place,
        (plan, at, held, opened): (&Plan, usize, Held, Option<Elements<'_>>),
        within: Within<'_>,
        sink: &mut impl FnMut(Range<usize>, Read<'_>),
    ) -> Result<(), Invalid> {
        let text = view.record();
        let found = opened.map_or_else(|| elements(text, view, held), Ok)?;
        let (mut id, mut carried, depth) = (None, within.carried, within.depth);
        let within = if held.container.is_foreign() {
            let fields = Fields::new(view, within.outer.as_ref());
            let (own, time) = plan.named(fields);
            id = own;
            carried.time = time.or(carried.time);
            Within { plan: None, outer: None, carried, kind: Some(likely::kind(plan.action(fields))), depth }
        } else {
            Within { plan: Some(at), outer: Some(plan.outer(view)), carried, kind: None, depth }
        };
        let carried = Carried { id: id.as_deref().or(carried.id), ..carried };
        let within = Within { carried, ..within };
        match found {
            Elements::Standing(standing) => {
                let mut standing = standing.peekable();
                if standing.peek().is_some() || !held.container.is_beside() {
                    self.elements(scratch, text, place, within, standing, sink);
                }
            }
            Elements::Encoded(bytes) => {
                let (place, text) = (Place::From(place.of(text)), container::text(&bytes)?);
                scratch.ahead.clear();
                self.elements(scratch, text, &place, within, [text], sink);
            }
        }
        Ok(())
    }
}

/// Where a part of a text stands.
fn inner(place: &Place, text: &str, part: &str) -> Place {
    match place {
        Place::At(start) => Place::At(start + (part.as_ptr() as usize - text.as_ptr() as usize)),
        Place::From(range) => Place::From(range.clone()),
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
    let classes = || EventClass::ALL.iter().map(|&class| (class, everything.clone())).collect();
    let wanted = || Wanted { classes: classes(), ..Wanted::default() };
    let others = FORMATS.iter().copied().filter(|other| !std::ptr::eq(*other, format) && !other.marks.is_empty());
    let others = others.filter(|_| format.carries_others());
    let formats = std::iter::once(format).chain(others).map(|format| (format, wanted())).collect();
    let decoder = Decoder::new(formats, None, true);
    let (mut events, mut failed) = (Vec::new(), None);
    decoder.read(&mut Scratch::default(), record, 0, &mut |_, read| match read {
        Read::Filtered => {}
        Read::Invalid(reason) => failed = failed.or(Some(reason)),
        Read::Event(seen) => events.extend(decoder.event(&seen, source, &everything)),
    });
    failed.map_or(Ok(events), Err)
}

impl Decoder {
    /// The event of a decoded record, with the fields that were wanted of all its classes.
    pub fn event(&self, seen: &Seen<'_>, source: &Arc<str>, fields: &Projection) -> Option<Event> {
        let plan = self.plans.get(seen.plan)?;
        let decoded = &seen.decoded;
        let mut row = Row::default();
        plan.map(decoded, seen.raw, source, &mut row);
        Some(Event {
            id: decoded.id.as_deref().map(Arc::from),
            class: decoded.class,
            action: (!decoded.action.is_empty()).then(|| decoded.action.to_owned()),
            outcome: decoded.verdict,
            time: decoded.time,
            source: source.clone(),
            trust: plan.trust(),
            sha256: Sha256::of(seen.text.as_bytes()),
            fields: fields_of(fields, row.view(seen.text)),
        })
    }
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

#[cfg(test)]
mod tests;
