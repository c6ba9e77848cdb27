//! One pass over a record's bytes: the values of exactly the fields that were asked for, and a full syntax check.
//!
//! Values nobody asks for are skipped, never built. Must never recurse with the input's depth, and never accept bytes
//! that are not one JSON value.

use std::fmt;

use model::{Cut, Edge, Invalid, NodeId, Projection, Row, Scalar, Slot};
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::mend::mend;

/// Records nested deeper than this are invalid(too_deep): the JSON library's own limit for what is read, so that it is the
/// same for what is skipped.
pub const DEPTH_MAX: usize = 127;

/// Fills `row` with the values of `record` that `projection` asks for. Values of a key that occurs twice are all found.
///
/// # Errors
/// `NotJson` or `TooDeep`; the row then holds what was found before.
pub fn scan(record: &str, projection: &Projection, row: &mut Row) -> Result<(), Invalid> {
    // The library limits the depth of what is read, not of what is skipped; where all is kept, nothing is skipped unless
    // it is cut out.
    if (!projection.keeps_all() || projection.has_cuts()) && too_deep(record.as_bytes()) {
        row.reset(projection.len());
        return Err(Invalid::TooDeep);
    }
    match pass(record, projection, row) {
        Ok(()) => Ok(()),
        Err(reason) => pass_again(record, projection, row, reason),
    }
}

/// The second chance of a record that was read in part only because of what was asked of it.
#[cold]
#[inline(never)]
fn pass_again(record: &str, projection: &Projection, row: &mut Row, reason: Invalid) -> Result<(), Invalid> {
    if too_deep(record.as_bytes()) {
        row.reset(projection.len());
        return Err(Invalid::TooDeep);
    }
    pass(&mend(record).ok_or(reason)?, projection, row)?;
    row.set_whole(false);
    Ok(())
}

#[inline(always)]
fn pass(record: &str, projection: &Projection, row: &mut Row) -> Result<(), Invalid> {
    row.reset(projection.len());
    if !projection.keeps_all() {
        row.set_whole(false);
    }
    let mut json = serde_json::Deserializer::from_str(record);
    let root = Into { projection, node: Projection::ROOT, row, record: record.as_bytes(), cuts: true };
    Value { into: root, edge: Edge { child: Some(Projection::ROOT), ..Edge::default() }, literal: false }
        .deserialize(&mut json)
        .map_err(|_| Invalid::NotJson)?;
    json.end().map_err(|_| Invalid::NotJson)
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

/// Where values go.
struct Into<'p, 'r> {
    projection: &'p Projection,
    node: NodeId,
    row: &'r mut Row,
    record: &'r [u8],
    /// No list was entered on the way here: what is asked to be cut out is.
    cuts: bool,
}

impl<'p> Into<'p, '_> {
    fn again(&mut self, node: NodeId) -> Into<'p, '_> {
        Into { projection: self.projection, node, row: &mut *self.row, record: self.record, cuts: self.cuts }
    }
}

/// One value that was asked for, or that holds something that was.
struct Value<'p, 'r> {
    into: Into<'p, 'r>,
    edge: Edge,
    literal: bool,
}

impl Value<'_, '_> {
    /// The slot that the value itself goes to: nested finds give way to the record's literal key.
    fn slot(&self) -> Option<Slot> {
        self.edge.slot.filter(|&slot| self.literal || !self.into.row.is_literal(slot))
    }

    fn put(self, value: Scalar<'_>) {
        if let Some(slot) = self.slot() {
            self.into.row.push_scalar(slot, value);
        }
    }
}

impl<'de> DeserializeSeed<'de> for Value<'_, '_> {
    type Value = ();

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Value<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    #[inline]
    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<(), E> {
        let start = (text.as_ptr() as usize).wrapping_sub(self.into.record.as_ptr() as usize);
        if start > self.into.record.len() {
            return self.visit_str(text);
        }
        if self.into.projection.keeps_all() {
            self.into.row.all_mut().push_part(self.into.record, start, text.len());
        }
        if let Some(slot) = self.slot() {
            self.into.row.push_record_text(slot, start, text.len());
        }
        Ok(())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        if self.into.projection.keeps_all() {
            self.into.row.all_mut().push(text);
        }
        self.put(Scalar::Text(text));
        Ok(())
    }

    fn visit_i64<E: Error>(self, n: i64) -> Result<(), E> {
        if self.into.projection.keeps_all() {
            self.into.row.all_mut().push_word(itoa::Buffer::new().format(n));
        }
        self.put(Scalar::Int(n));
        Ok(())
    }

    fn visit_u64<E: Error>(self, n: u64) -> Result<(), E> {
        if self.into.projection.keeps_all() {
            self.into.row.all_mut().push_word(itoa::Buffer::new().format(n));
        }
        self.put(i64::try_from(n).map_or(Scalar::UInt(n), Scalar::Int));
        Ok(())
    }

    fn visit_f64<E: Error>(self, n: f64) -> Result<(), E> {
        // What a fraction was written like is not known any more.
        self.into.row.set_whole(false);
        self.put(Scalar::Float(n));
        Ok(())
    }

    fn visit_bool<E: Error>(self, b: bool) -> Result<(), E> {
        if self.into.projection.keeps_all() {
            self.into.row.all_mut().push_word(if b { "true" } else { "false" });
        }
        self.put(Scalar::Bool(b));
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        if let Some(Cut::Each(slot)) = self.edge.cut.filter(|_| self.into.cuts) {
            self.into.row.literal(slot);
            self.into.row.push_scalar(slot, Scalar::Null);
        }
        self.put(Scalar::Null);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<(), A::Error> {
        let cut = self.edge.cut.filter(|_| self.into.cuts);
        self.into.cuts = false;
        let mut members = 0usize;
        if let Some(Cut::Each(slot)) = cut {
            self.into.row.literal(slot);
            self.into.row.push_scalar(slot, Scalar::Empty);
            while let Some(raw) = seq.next_element::<&RawValue>()? {
                self.cut_out(slot, raw)?;
                members += 1;
            }
        } else {
            loop {
                let node = self.into.node;
                let member = Value { into: self.into.again(node), edge: self.edge, literal: self.literal };
                if seq.next_element_seed(member)?.is_none() {
                    break;
                }
                members += 1;
            }
        }
        if members == 0 {
            self.put(Scalar::Empty);
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        if let Some(slot) = self.slot() {
            self.into.row.push_scalar(slot, Scalar::Empty);
        }
        let keeps_all = self.into.projection.keeps_all();
        let Some(node) = self.edge.child else {
            let node = self.into.node;
            while map.next_key::<IgnoredAny>()?.is_some() {
                if keeps_all {
                    map.next_value_seed(Value { into: self.into.again(node), edge: Edge::default(), literal: false })?;
                } else {
                    map.next_value::<IgnoredAny>()?;
                }
            }
            return Ok(());
        };
        while let Some(edge) = map.next_key_seed(Key { projection: self.into.projection, node })? {
            match edge {
                None if keeps_all => {
                    map.next_value_seed(Value { into: self.into.again(node), edge: Edge::default(), literal: false })?;
                }
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
                Some(edge) => {
                    let literal = edge.slot.is_some_and(|slot| self.takes_literally(node, slot));
                    match edge.cut {
                        Some(Cut::Whole(slot)) if self.into.cuts => {
                            let raw = map.next_value::<&RawValue>()?;
                            self.into.row.literal(slot);
                            Value { into: self.into.again(node), edge, literal }.cut_out(slot, raw)?;
                        }
                        _ => map.next_value_seed(Value { into: self.into.again(node), edge, literal })?,
                    }
                }
            }
        }
        Ok(())
    }
}

impl Value<'_, '_> {
    /// Keeps where `raw` stands, and finds in it what else is asked of it.
    fn cut_out<E: Error>(&mut self, slot: Slot, raw: &RawValue) -> Result<(), E> {
        let text = raw.get();
        let start = (text.as_ptr() as usize).wrapping_sub(self.into.record.as_ptr() as usize);
        self.into.row.push_record_text(slot, start, text.len());
        let (node, edge) = (self.into.node, Edge { cut: None, ..self.edge });
        let value = Value { into: self.into.again(node), edge, literal: self.literal };
        if edge.child.is_none() && !value.into.projection.keeps_all() {
            if edge.slot.is_none() {
                return Ok(());
            }
            // Of an object only that it is there.
            if text.starts_with('{') {
                value.put(Scalar::Empty);
                return Ok(());
            }
        }
        value.deserialize(&mut serde_json::Deserializer::from_str(text)).map_err(E::custom)
    }

    /// A dotted path found as one key of the record itself replaces what was found inside nested objects.
    fn takes_literally(&mut self, node: NodeId, slot: Slot) -> bool {
        let literal = node == Projection::ROOT && self.into.projection.is_dotted(slot);
        if literal && !self.into.row.is_literal(slot) {
            self.into.row.literal(slot);
        }
        literal
    }
}

/// Looks a key up without keeping it.
struct Key<'p> {
    projection: &'p Projection,
    node: NodeId,
}

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = Option<Edge>;

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<Edge>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = Option<Edge>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    #[inline]
    fn visit_str<E: Error>(self, key: &str) -> Result<Option<Edge>, E> {
        Ok(self.projection.edge(self.node, key))
    }
}

#[cfg(test)]
mod tests;
