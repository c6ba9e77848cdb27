//! One pass over a record's bytes: the values of exactly the fields that were asked for, and a full syntax check.
//!
//! Values nobody asks for are skipped, never built. Must never recurse deeper than [`DEPTH_MAX`], whatever the input, and
//! never accept bytes that are not one JSON value.

mod ahead;
mod json;

use model::{Cut, Edge, Invalid, NodeId, Projection, Row, Scalar, Slot};
use serde::de::IgnoredAny;

pub(crate) use self::ahead::Ahead;
use self::json::{Json, Quoted, Word};
use crate::mend::mend;

/// Records nested deeper than this are invalid(too_deep): the JSON library's own limit for what is read, so that it is the
/// same for what is skipped.
pub const DEPTH_MAX: usize = 127;

/// Fills `row` with the values of `record` that `projection` asks for. Values of a key that occurs twice are all found.
///
/// # Errors
/// `NotJson` or `TooDeep`; the row then holds what was found before.
pub fn scan(record: &str, projection: &Projection, row: &mut Row) -> Result<(), Invalid> {
    pass(record, projection, row, None).or_else(|reason| pass_again(record, projection, row, reason))
}

/// The same, and fills rows for records of the same kind that the projection cuts out of this one.
///
/// # Errors
/// As [`scan`].
pub(crate) fn scan_ahead(
    record: &str,
    projection: &Projection,
    row: &mut Row,
    ahead: &mut Ahead,
) -> Result<(), Invalid> {
    ahead.clear();
    let is_ahead = projection.has_cuts() && !projection.keeps_all() && record.len() <= ahead::RECORD_BYTES_MAX;
    pass(record, projection, row, is_ahead.then_some(&mut *ahead)).or_else(|reason| {
        // What nobody asked the container for may have been at fault.
        let reread = if ahead.is_empty() { Err(reason) } else { pass(record, projection, row, None) };
        ahead.clear();
        reread.or_else(|reason| pass_again(record, projection, row, reason))
    })
}

/// The second chance of a record that was read in part only because of what was asked of it.
#[cold]
#[inline(never)]
fn pass_again(record: &str, projection: &Projection, row: &mut Row, reason: Invalid) -> Result<(), Invalid> {
    if too_deep(record.as_bytes()) {
        row.reset(projection.len());
        return Err(Invalid::TooDeep);
    }
    pass(&mend(record).ok_or(reason)?, projection, row, None)?;
    row.set_whole(false);
    Ok(())
}

fn pass(record: &str, projection: &Projection, row: &mut Row, ahead: Option<&mut Ahead>) -> Result<(), Invalid> {
    row.reset(projection.len());
    let keeps_all = projection.keeps_all();
    if !keeps_all {
        row.set_whole(false);
    }
    let mut scan = Scan { json: Json::new(record), record, base: 0, projection, keeps_all, row, ahead };
    scan.value(&ROOT, Way { literal: false, cuts: true, room: DEPTH_MAX })?;
    if scan.json.is_at_end() { Ok(()) } else { Err(Invalid::NotJson) }
}

/// The text is one JSON value, not nested too deep.
pub fn is_json(text: &str) -> bool {
    !too_deep(text.as_bytes()) && serde_json::from_str::<IgnoredAny>(text).is_ok()
}

/// Decided by counting brackets, which is nearly free and settles it for nearly every record, and only then by walking.
fn too_deep(bytes: &[u8]) -> bool {
    let brackets: usize = bytes.chunks(usize::from(u8::MAX)).map(|chunk| usize::from(opening(chunk))).sum();
    brackets > DEPTH_MAX && depth(bytes) > DEPTH_MAX
}

/// How many of at most 255 bytes are `{` or `[`, which differ in one bit.
fn opening(chunk: &[u8]) -> u8 {
    chunk.iter().map(|&byte| u8::from(byte | 0x20 == b'{')).sum()
}

fn depth(bytes: &[u8]) -> usize {
    let (mut depth, mut deepest, mut in_text, mut escaped) = (0usize, 0usize, false, false);
    for &byte in bytes {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            _ if in_text => {}
            b'{' | b'[' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// What is asked of a record as a whole.
const ROOT: Edge = Edge { slot: None, child: Some(Projection::ROOT), cut: None, is_literal: false };

/// One pass: what is read, what is asked of it, where values go.
struct Scan<'p, 'r> {
    json: Json<'r>,
    record: &'r str,
    /// Where the record begins that the row is of.
    base: usize,
    projection: &'p Projection,
    keeps_all: bool,
    row: &'p mut Row,
    /// Rows of what is cut out, where they are filled now.
    ahead: Option<&'p mut Ahead>,
}

/// How a value was come to.
#[derive(Clone, Copy)]
struct Way {
    /// By the record's literal key: nested finds give way to it.
    literal: bool,
    /// Through no list: what is asked to be cut out is.
    cuts: bool,
    /// So many values may stand in each other from here on.
    room: usize,
}

impl<'p> Scan<'p, '_> {
    /// One value that was asked for, or that holds something that was.
    #[inline(always)]
    fn value(&mut self, edge: &Edge, way: Way) -> Result<(), Invalid> {
        match self.json.peek() {
            b'"' => self.text(edge, way),
            b'{' => self.object(edge, way),
            b'[' => self.list(edge, way),
            first => self.word(first, edge, way),
        }
    }

    /// The slot that the value itself goes to.
    #[inline(always)]
    fn slot(&self, edge: &Edge, way: Way) -> Option<Slot> {
        edge.slot.filter(|&slot| way.literal || !self.row.is_literal(slot))
    }

    #[inline(always)]
    fn put(&mut self, edge: &Edge, way: Way, value: Scalar<'_>) {
        if let Some(slot) = self.slot(edge, way) {
            self.row.push_scalar(slot, value);
        }
    }

    #[inline(always)]
    fn text(&mut self, edge: &Edge, way: Way) -> Result<(), Invalid> {
        let text = self.json.text()?;
        if text.escaped {
            return self.escaped(edge, way, text);
        }
        let length = text.end - text.start;
        if self.keeps_all {
            self.row.all_mut().push_part(self.json.bytes(), text.start, length);
        }
        if let Some(slot) = self.slot(edge, way) {
            self.row.push_record_text(slot, text.start - self.base, length);
        }
        Ok(())
    }

    #[inline(never)]
    fn escaped(&mut self, edge: &Edge, way: Way, text: Quoted) -> Result<(), Invalid> {
        if !self.keeps_all && edge.slot.is_none() {
            return Ok(());
        }
        let text = unescaped(self.record, text)?;
        if self.keeps_all {
            self.row.all_mut().push(&text);
        }
        self.put(edge, way, Scalar::Text(&text));
        Ok(())
    }

    fn word(&mut self, first: u8, edge: &Edge, way: Way) -> Result<(), Invalid> {
        let value = match self.json.word(first)? {
            Word::Null => {
                if let Some(Cut::Each(slot)) = edge.cut.filter(|_| way.cuts) {
                    self.row.literal(slot);
                    self.row.push_scalar(slot, Scalar::Null);
                }
                Scalar::Null
            }
            Word::Bool(is) => Scalar::Bool(is),
            Word::Int(n) => Scalar::Int(n),
            Word::Number(start) => number(self.record.get(start..self.json.at()).unwrap_or_default())?,
        };
        if self.keeps_all {
            match value {
                Scalar::Bool(is) => self.row.all_mut().push_word(if is { "true" } else { "false" }),
                Scalar::Int(n) => self.row.all_mut().push_word(itoa::Buffer::new().format(n)),
                Scalar::UInt(n) => self.row.all_mut().push_word(itoa::Buffer::new().format(n)),
                // What a fraction was written like is not known any more.
                Scalar::Float(_) => self.row.set_whole(false),
                Scalar::Null | Scalar::Empty | Scalar::Text(_) => {}
            }
        }
        self.put(edge, way, value);
        Ok(())
    }

    fn list(&mut self, edge: &Edge, way: Way) -> Result<(), Invalid> {
        let cut = edge.cut.filter(|_| way.cuts);
        let inside = self.inside(Way { cuts: false, ..way })?;
        let mut is_empty = true;
        if let Some(Cut::Each(slot)) = cut {
            self.row.literal(slot);
            self.row.push_scalar(slot, Scalar::Empty);
            let edge = Edge { cut: None, ..*edge };
            self.members(b']', |scan| {
                is_empty = false;
                scan.element(slot, &edge, inside)
            })?;
        } else {
            self.members(b']', |scan| {
                is_empty = false;
                scan.value(edge, inside)
            })?;
        }
        if is_empty {
            self.put(edge, way, Scalar::Empty);
        }
        Ok(())
    }

    fn object(&mut self, edge: &Edge, way: Way) -> Result<(), Invalid> {
        self.put(edge, way, Scalar::Empty);
        if edge.child.is_none() && !self.keeps_all {
            return self.json.skip(way.room);
        }
        let inside = self.inside(way)?;
        self.members(b'}', |scan| {
            let key = scan.json.key()?;
            let found = match edge.child {
                Some(node) => scan.edge(node, key)?,
                None => None,
            };
            match found {
                Some(edge) => scan.member(edge, inside),
                None if scan.keeps_all => scan.value(&Edge::default(), Way { literal: false, ..inside }),
                None => scan.json.skip(inside.room),
            }
        })
    }

    /// What stands in an object or a list whose first bracket is next, up to its last.
    #[inline(always)]
    fn members(&mut self, last: u8, mut each: impl FnMut(&mut Self) -> Result<(), Invalid>) -> Result<(), Invalid> {
        self.json.pass();
        if self.json.peek() == last {
            self.json.pass();
            return Ok(());
        }
        loop {
            each(self)?;
            let next = self.json.peek();
            self.json.pass();
            if next == last {
                return Ok(());
            }
            if next != b',' {
                return Err(Invalid::NotJson);
            }
        }
    }

    #[inline(always)]
    fn inside(&self, way: Way) -> Result<Way, Invalid> {
        way.room.checked_sub(1).map(|room| Way { room, ..way }).ok_or(Invalid::TooDeep)
    }

    /// Where a key leads.
    #[inline(always)]
    fn edge(&self, node: NodeId, key: Quoted) -> Result<Option<&'p Edge>, Invalid> {
        if key.escaped {
            let key = unescaped(self.record, key)?;
            return Ok(self.projection.edge(node, key.as_bytes(), 0, key.len()));
        }
        Ok(self.projection.edge(node, self.json.bytes(), key.start, key.end))
    }

    #[inline(always)]
    fn member(&mut self, edge: &Edge, inside: Way) -> Result<(), Invalid> {
        let literal = edge.is_literal;
        if literal && let Some(slot) = edge.slot {
            self.takes_literally(slot);
        }
        let way = Way { literal, ..inside };
        match edge.cut {
            Some(Cut::Whole(slot)) if way.cuts => {
                self.row.literal(slot);
                self.cut_out(slot, &Edge { cut: None, ..*edge }, way)
            }
            Some(Cut::Members(slot)) if way.cuts => {
                self.row.literal(slot);
                self.cut_members(slot, &Edge { cut: None, ..*edge }, way)
            }
            _ => self.value(edge, way),
        }
    }

    /// Keeps where the next value stands, and finds in it what else is asked of it.
    fn cut_out(&mut self, slot: Slot, edge: &Edge, way: Way) -> Result<(), Invalid> {
        self.json.peek();
        let start = self.json.at();
        if edge.slot.is_none() && edge.child.is_none() && !self.keeps_all {
            self.json.skip(way.room)?;
        } else {
            self.value(edge, way)?;
        }
        self.row.push_record_text(slot, start - self.base, self.json.at() - start);
        Ok(())
    }

    /// Keeps where the keys and values of the next value stand, where that is all that is asked of it.
    fn cut_members(&mut self, slot: Slot, edge: &Edge, way: Way) -> Result<(), Invalid> {
        if self.json.peek() != b'{' || edge.child.is_some() || self.keeps_all {
            return self.cut_out(slot, edge, way);
        }
        self.put(edge, way, Scalar::Empty);
        self.row.push_scalar(slot, Scalar::Empty);
        let inside = self.inside(way)?;
        self.members(b'}', |scan| {
            let key = scan.json.key()?;
            scan.row.push_record_text(slot, key.start - 1 - scan.base, key.end - key.start + 2);
            scan.cut_out(slot, &Edge::default(), inside)
        })
    }

    /// Keeps where an element of a list stands; a record of the kind that is scanned is read ahead.
    fn element(&mut self, slot: Slot, edge: &Edge, way: Way) -> Result<(), Invalid> {
        let is_record = self.json.peek() == b'{' && edge.child.is_none();
        let start = self.json.at();
        let address = self.json.bytes().as_ptr() as usize + start;
        let ahead = self.ahead.as_deref_mut().filter(|_| is_record);
        let Some((number, mut row)) = ahead.and_then(|ahead| ahead.begin(address)) else {
            return self.cut_out(slot, edge, way);
        };
        self.put(edge, way, Scalar::Empty);
        row.reset(self.projection.len());
        row.set_whole(false);
        let ahead = self.ahead.as_deref_mut();
        let mut inner = Scan { json: self.json, base: start, row: &mut row, ahead, ..*self };
        let read = inner.object(&ROOT, Way { literal: false, cuts: true, room: way.room });
        self.json = inner.json;
        if let Some(ahead) = self.ahead.as_deref_mut() {
            ahead.end(number, row);
        }
        self.row.push_record_text(slot, start - self.base, self.json.at() - start);
        read
    }

    /// A dotted path found as one key of the record itself replaces what was found inside nested objects.
    fn takes_literally(&mut self, slot: Slot) {
        if !self.row.is_literal(slot) {
            self.row.literal(slot);
        }
    }
}

/// The letters of a text with escapes; half of a surrogate pair is none.
fn unescaped(record: &str, text: Quoted) -> Result<String, Invalid> {
    let quoted = record.get(text.start - 1..=text.end).unwrap_or_default();
    serde_json::from_str(quoted).map_err(|_| Invalid::NotJson)
}

/// A number that is not a short whole one; one that no double holds is none.
#[inline(never)]
fn number(text: &str) -> Result<Scalar<'static>, Invalid> {
    let number: serde_json::Number = serde_json::from_str(text).map_err(|_| Invalid::NotJson)?;
    let whole = number.as_i64().map(Scalar::Int).or_else(|| number.as_u64().map(Scalar::UInt));
    whole.or_else(|| number.as_f64().map(Scalar::Float)).ok_or(Invalid::NotJson)
}

#[cfg(test)]
mod tests;
