//! One pass over a record's bytes: the values of exactly the fields that were asked for, and a full syntax check.
//!
//! Values nobody asks for are skipped, never built. Must never recurse with the input's depth, and never accept bytes
//! that are not one JSON value.

use std::fmt;

use model::{Edge, Invalid, NodeId, Projection, Row, Scalar, Slot};
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::mend::mend;

/// Records nested deeper than this are invalid(too_deep): the JSON library's own limit for what is read, so that it is the
/// same for what is skipped.
pub const DEPTH_MAX: usize = 127;

/// Fills `row` with the values of `record` that `projection` asks for. Values of a key that occurs twice are all found.
///
/// # Errors
/// `NotJson` or `TooDeep`; the row then holds what was found before.
pub fn scan(record: &str, projection: &Projection, row: &mut Row) -> Result<(), Invalid> {
    // The library limits the depth of what is read, not of what is skipped; where all is kept, nothing is skipped.
    if !projection.keeps_all() && too_deep(record.as_bytes()) {
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
    let root = Into { projection, node: Projection::ROOT, row, record: record.as_bytes() };
    Value { into: root, edge: Edge { slot: None, child: Some(Projection::ROOT) }, literal: false }
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
}

impl<'p> Into<'p, '_> {
    fn again(&mut self, node: NodeId) -> Into<'p, '_> {
        Into { projection: self.projection, node, row: &mut *self.row, record: self.record }
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
        self.put(Scalar::Null);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<(), A::Error> {
        let mut members = 0usize;
        loop {
            let node = self.into.node;
            let member = Value { into: self.into.again(node), edge: self.edge, literal: self.literal };
            if seq.next_element_seed(member)?.is_none() {
                break;
            }
            members += 1;
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
                    map.next_value_seed(Value { into: self.into.again(node), edge, literal })?;
                }
            }
        }
        Ok(())
    }
}

impl Value<'_, '_> {
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
mod tests {
    use super::*;

    fn found(record: &str, paths: &[&str]) -> Vec<String> {
        let mut projection = Projection::default();
        let slots: Vec<Slot> = paths.iter().map(|path| projection.ask(path)).collect();
        let mut row = Row::default();
        scan(record, &projection, &mut row).expect("valid");
        let view = row.view(record);
        slots.iter().map(|&slot| view.values(slot).map(|v| format!("{v:?}")).collect::<Vec<_>>().join(",")).collect()
    }

    #[test]
    fn finds_every_kind_of_value() {
        let record =
            r#"{"s":"x","e":"a\"b","i":-3,"u":18446744073709551615,"f":1.5,"b":true,"n":null,"o":{},"l":[],"x":9}"#;
        assert_eq!(
            found(record, &["s", "e", "i", "u", "f", "b", "n", "o", "l", "missing"]),
            [
                "Text(\"x\")",
                "Text(\"a\\\"b\")",
                "Int(-3)",
                "UInt(18446744073709551615)",
                "Float(1.5)",
                "Bool(true)",
                "Null",
                "Empty",
                "Empty",
                ""
            ]
        );
    }

    #[test]
    fn nested_arrays_and_literal_keys() {
        assert_eq!(found(r#"{"a":{"b":1}}"#, &["a.b"]), ["Int(1)"]);
        assert_eq!(found(r#"{"a":[{"b":1},{"b":[2,3]},4]}"#, &["a.b"]), ["Int(1),Int(2),Int(3)"]);
        assert_eq!(found(r#"{"a":{"b":1},"a.b":2}"#, &["a.b"]), ["Int(2)"]);
        assert_eq!(found(r#"{"a.b":2,"a":{"b":1}}"#, &["a.b"]), ["Int(2)"]);
        assert_eq!(found(r#"{"a":{"b":1}}"#, &["a", "a.b"]), ["Empty", "Int(1)"]);
        assert_eq!(found(r#"{"a":1,"a":2}"#, &["a"]), ["Int(1),Int(2)"]);
        assert_eq!(found(r#"{"\u0061":1}"#, &["a"]), ["Int(1)"]);
        let annotated = r#"{"a":{"k8s.io/b":1,"k8s":{"io/b":2}}}"#;
        assert_eq!(found(annotated, &[r"a.k8s\.io/b", "a.k8s.io/b"]), ["Int(1)", "Int(2)"]);
    }

    #[test]
    fn a_record_is_valid_or_not_whatever_is_asked_of_it() {
        for record in [r#"{"a":"x\ud800","b":"y"}"#, r#"{"a":1e999,"b":"y"}"#, r#"{"\udc00":1,"b":"y"}"#] {
            assert_eq!(found(record, &["b"]), ["Text(\"y\")"], "{record}");
            assert_eq!(found(record, &["a", "b"])[1], "Text(\"y\")", "{record}");
        }
        assert_eq!(found(r#"{"a":"x\ud800"}"#, &["a"]), ["Text(\"x\u{fffd}\")"]);
        assert_eq!(found(r#"{"a":1e999}"#, &["a"]), ["Null"]);
    }

    #[test]
    fn what_is_not_one_value_is_invalid() {
        let mut row = Row::default();
        let mut projection = Projection::default();
        projection.ask("a");
        for record in [
            "",
            "{",
            r#"{"a":1"#,
            r#"{"a":1}x"#,
            r#"{"a":1}{"a":2}"#,
            r#"{"b":{"c":[1,}}"#,
            "{\"b\":\"\u{1}\"}",
            "nul",
            r#"{"b":01}"#,
        ] {
            assert_eq!(scan(record, &projection, &mut row), Err(Invalid::NotJson), "{record}");
        }
        let deep = format!("{}{}", "[".repeat(1_000_000), "]".repeat(1_000_000));
        assert_eq!(scan(&deep, &projection, &mut row), Err(Invalid::TooDeep));
        // The deepest record that is one is one whatever is asked of it.
        for (depth, wanted) in [(126, Ok(())), (127, Err(Invalid::TooDeep))] {
            let mut all = projection.clone();
            all.keep_all();
            for (key, asked) in [("a", &projection), ("b", &projection), ("b", &all)] {
                let record = format!("{{\"{key}\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
                assert_eq!(scan(&record, asked, &mut row), wanted, "{depth} {key}");
            }
        }
        let wide = format!("[{}1]", "[],".repeat(10_000));
        assert_eq!(scan(&wide, &projection, &mut row), Ok(()));
        let text = format!("{{\"b\":\"{}\"}}", "[".repeat(10_000));
        assert_eq!(scan(&text, &projection, &mut row), Ok(()));
    }
}
