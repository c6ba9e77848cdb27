//! Records inside records: arrays and envelopes taken apart by their own bytes.
//!
//! Each element keeps exactly the bytes it has in its container, since hashes cover them. Never builds a tree.

use std::borrow::Cow;
use std::fmt;

use model::Invalid;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::format::Container;

/// The records under a container's key.
///
/// # Errors
/// `NotJson` where the text is none; `WrongShape` where the key holds something else than the format says.
pub fn elements(record: &str, container: Container) -> Result<Vec<&str>, Invalid> {
    let inner = member(record, container.key())?;
    match container {
        Container::Array(_) => array(inner),
        Container::Envelope(_) if inner.starts_with('{') => Ok(vec![inner]),
        Container::Envelope(_) => Err(Invalid::WrongShape),
    }
}

/// The elements of a JSON array.
///
/// # Errors
/// `WrongShape` where the text is no array.
pub fn array(text: &str) -> Result<Vec<&str>, Invalid> {
    let elements: Vec<&RawValue> = serde_json::from_str(text).map_err(|_| Invalid::WrongShape)?;
    Ok(elements.into_iter().map(RawValue::get).collect())
}

fn member<'a>(record: &'a str, key: &str) -> Result<&'a str, Invalid> {
    struct Member<'k>(&'k str);
    impl<'de> Visitor<'de> for Member<'_> {
        type Value = Option<&'de RawValue>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut found = None;
            while let Some(key) = map.next_key::<Cow<'de, str>>()? {
                if key == self.0 {
                    found = Some(map.next_value::<&RawValue>()?);
                } else {
                    map.next_value::<IgnoredAny>()?;
                }
            }
            Ok(found)
        }
    }
    let mut json = serde_json::Deserializer::from_str(record);
    let found = json.deserialize_map(Member(key)).map_err(|_| Invalid::NotJson)?;
    found.map(RawValue::get).ok_or(Invalid::WrongShape)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_keep_their_bytes() {
        let record = r#"{"Records": [ {"a" : 1}, {"a":"]"} ], "x": 1}"#;
        assert_eq!(elements(record, Container::Array("Records")), Ok(vec![r#"{"a" : 1}"#, r#"{"a":"]"}"#]));
        assert_eq!(elements(r#"{"detail": {"b":2}}"#, Container::Envelope("detail")), Ok(vec![r#"{"b":2}"#]));
        assert_eq!(elements(r#"{"Records": 1}"#, Container::Array("Records")), Err(Invalid::WrongShape));
        assert_eq!(elements(r#"{"detail": [1]}"#, Container::Envelope("detail")), Err(Invalid::WrongShape));
    }
}
