//! All values of a record as text, for keywords. Keys are not values.
//!
//! Built only for records in which a keyword's text was seen. Must never fail: a record that came this far is JSON.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::compile::Glob;
use crate::fold::{fold, fold_into};

/// The texts of a record's values, in order.
#[derive(Debug, Default)]
pub(crate) struct Texts {
    texts: Vec<String>,
}

impl Texts {
    /// Collects them.
    pub(crate) fn of(record: &str) -> Texts {
        let mut texts = Texts::default();
        let mut json = serde_json::Deserializer::from_str(record);
        // What was collected before an error stands: the scan has refused what is not JSON.
        let _ = Collect(&mut texts.texts).deserialize(&mut json);
        texts
    }

    /// Some value matches.
    pub(crate) fn any(&self, glob: &Glob, cased: bool) -> bool {
        self.texts.iter().any(|text| if cased { glob.matches(text) } else { glob.matches(&fold(text)) })
    }

    /// Appends all of them, folded, with line feeds between.
    pub(crate) fn fold_into(&self, folded: &mut String) {
        for text in &self.texts {
            fold_into(folded, text);
            folded.push('\n');
        }
    }
}

struct Collect<'t>(&'t mut Vec<String>);

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
        self.0.push(text.to_owned());
        Ok(())
    }

    fn visit_i64<E: Error>(self, n: i64) -> Result<(), E> {
        self.0.push(n.to_string());
        Ok(())
    }

    fn visit_u64<E: Error>(self, n: u64) -> Result<(), E> {
        self.0.push(n.to_string());
        Ok(())
    }

    fn visit_f64<E: Error>(self, n: f64) -> Result<(), E> {
        self.0.push(format!("{n:?}"));
        Ok(())
    }

    fn visit_bool<E: Error>(self, b: bool) -> Result<(), E> {
        self.0.push(b.to_string());
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
