//! All values of a record as text, for keywords. Keys are not values.
//!
//! Built only for records in which a keyword's text was seen. Must never fail: a record that came this far is JSON.

use std::fmt::{self, Write};

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::compile::Glob;
use crate::fold::fold_into;

/// Stands behind each value, so that no text is found across two of them.
const END: char = '\n';

/// The texts of a record's values, in order, read when first asked for. Memory is reused from record to record.
#[derive(Debug, Default)]
pub(crate) struct Texts {
    is_read: bool,
    cased: Joined,
    folded: Joined,
}

#[derive(Debug, Default)]
struct Joined {
    text: String,
    /// Where each value ends, in bytes; one [`END`] follows.
    ends: Vec<usize>,
}

impl Texts {
    /// Forgets the last record.
    pub(crate) fn clear(&mut self) {
        self.is_read = false;
    }

    fn read(&mut self, record: &str) {
        if self.is_read {
            return;
        }
        self.is_read = true;
        self.cased.clear();
        self.folded.clear();
        let mut json = serde_json::Deserializer::from_str(record);
        // What was collected before an error stands: the scan has refused what is not JSON.
        let _ = Collect(&mut self.cased).deserialize(&mut json);
        for text in self.cased.iter() {
            fold_into(&mut self.folded.text, text);
            self.folded.end();
        }
    }

    /// Some value of the record matches.
    pub(crate) fn any(&mut self, record: &str, glob: &Glob, cased: bool) -> bool {
        self.read(record);
        let texts = if cased { &self.cased } else { &self.folded };
        match glob.needle() {
            Some(needle) if !needle.contains(END) => memchr::memmem::find(texts.text.as_bytes(), needle.as_bytes()).is_some(),
            _ => texts.iter().any(|text| glob.matches(text)),
        }
    }

    /// All values of the record, folded, a line feed behind each.
    pub(crate) fn folded(&mut self, record: &str) -> &str {
        self.read(record);
        &self.folded.text
    }
}

impl Joined {
    fn clear(&mut self) {
        self.text.clear();
        self.ends.clear();
    }

    fn end(&mut self) {
        self.ends.push(self.text.len());
        self.text.push(END);
    }

    fn push(&mut self, value: impl fmt::Display) {
        // Writing to memory does not fail.
        let _ = write!(self.text, "{value}");
        self.end();
    }

    fn iter(&self) -> impl Iterator<Item = &str> {
        let starts = std::iter::once(0).chain(self.ends.iter().map(|end| end + END.len_utf8()));
        starts.zip(&self.ends).filter_map(|(start, &end)| self.text.get(start..end))
    }
}

struct Collect<'t>(&'t mut Joined);

impl<'de> DeserializeSeed<'de> for Collect<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Collect<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.0.text.push_str(text);
        self.0.end();
        Ok(())
    }

    fn visit_i64<E: Error>(self, n: i64) -> Result<(), E> {
        self.0.push(n);
        Ok(())
    }

    fn visit_u64<E: Error>(self, n: u64) -> Result<(), E> {
        self.0.push(n);
        Ok(())
    }

    fn visit_f64<E: Error>(self, n: f64) -> Result<(), E> {
        self.0.push(format_args!("{n:?}"));
        Ok(())
    }

    fn visit_bool<E: Error>(self, b: bool) -> Result<(), E> {
        self.0.push(b);
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element_seed(Collect(&mut *self.0))?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while map.next_key::<IgnoredAny>()?.is_some() {
            map.next_value_seed(Collect(&mut *self.0))?;
        }
        Ok(())
    }
}
