//! Records inside records: arrays and envelopes taken apart by their own bytes.
//!
//! Each element keeps exactly the bytes it has in its container, since hashes cover them. Never builds a tree.

use std::borrow::Cow;
use std::fmt;
use std::rc::Rc;

use model::{Invalid, Scalar, Timestamp, Values, View};
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::format::{Container, Held};
use crate::letters;
use crate::mend::mend;

/// The records in a container.
#[derive(Debug)]
pub enum Elements<'a> {
    /// They stand in it.
    Standing(Standing<'a>),
    /// One that it holds in other letters; see [`text`].
    Encoded(Rc<Vec<u8>>),
}

/// Records that stand in a container, one after the other.
#[derive(Debug)]
pub enum Standing<'a> {
    /// Cut out of it by its scan.
    Cut {
        /// The container.
        record: &'a str,
        /// Where they stand.
        values: Values<'a>,
    },
    /// One, unless it has been taken.
    One(Option<&'a str>),
    /// Found by looking at what stands there.
    Listed(std::vec::IntoIter<&'a str>),
}

impl<'a> Iterator for Standing<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        match self {
            Standing::Cut { record, values } => values.find_map(|part| standing(record, part)),
            Standing::One(record) => record.take(),
            Standing::Listed(records) => records.next(),
        }
    }
}

fn listed(records: Vec<&str>) -> Elements<'_> {
    Elements::Standing(Standing::Listed(records.into_iter()))
}

/// The records in a container of `record`, whose scan gave `view`.
///
/// # Errors
/// `WrongShape` where the path holds something else than the format says, and `UnknownFormat` where that may be anything
/// and is no record; `NotUtf8` for bytes that are no text.
pub fn elements<'t>(record: &'t str, view: View<'t>, held: Held) -> Result<Elements<'t>, Invalid> {
    if held.container == Container::Members {
        return members(record).map(listed);
    }
    let mut values = view.values(held.records);
    let first = values.next();
    if matches!(held.container, Container::Array(_) | Container::Parts(_)) {
        return match (first, held.container) {
            (Some(Scalar::Empty), _) => Ok(Elements::Standing(Standing::Cut { record, values })),
            (Some(Scalar::Null), Container::Parts(_)) => Ok(Elements::Standing(Standing::One(None))),
            _ => Err(Invalid::WrongShape),
        };
    }
    if let Container::Newest { .. } = held.container {
        let times = view.values(held.times).next().and_then(|whole| standing(record, whole));
        let times = times.ok_or(Invalid::WrongShape)?;
        return match first {
            Some(Scalar::Empty) => newest_members(record, values, times),
            _ => newest_mended(first.and_then(|whole| standing(record, whole)).ok_or(Invalid::WrongShape)?, times),
        }
        .map(listed);
    }
    let inner = first.and_then(|whole| standing(record, whole)).ok_or(Invalid::WrongShape)?;
    match held.container {
        Container::Envelope(_) | Container::Foreign(_) if inner.starts_with(['{', '[']) => {
            Ok(Elements::Standing(Standing::One(Some(inner))))
        }
        Container::Foreign(_) => Err(Invalid::UnknownFormat),
        Container::Encoded(_) | Container::ForeignEncoded(_) | Container::EncodedPart(_) => {
            let decoded = decode(inner).or_else(|reason| decode(&mend(inner).ok_or(reason)?));
            decoded.map(|bytes| Elements::Encoded(Rc::new(bytes)))
        }
        _ => Err(Invalid::WrongShape),
    }
}

/// The letters of one more record that `record` holds as base64: as they stand, nothing in them escaped.
pub fn payload<'t>(record: &'t str, view: View<'_>, held: Held) -> Option<&'t str> {
    if !matches!(held.container, Container::EncodedPart(_)) {
        return None;
    }
    unescaped(standing(record, view.values(held.records).next()?)?).filter(|letters| !is_json(letters))
}

/// What stands between the quotes of a JSON text without escapes.
fn unescaped(text: &str) -> Option<&str> {
    let inside = text.strip_prefix('"')?.strip_suffix('"')?;
    memchr::memchr(b'\\', inside.as_bytes()).is_none().then_some(inside)
}

/// The text is no base64.
fn is_json(text: &str) -> bool {
    text.trim_ascii_start().starts_with(['{', '['])
}

/// The text of an encoded record.
///
/// # Errors
/// `NotUtf8`.
pub fn text(encoded: &[u8]) -> Result<&str, Invalid> {
    simdutf8::basic::from_utf8(encoded).map_err(|_| Invalid::NotUtf8)
}

/// The part of `record` that a value of its row is.
fn standing<'t>(record: &'t str, part: Scalar<'_>) -> Option<&'t str> {
    let Scalar::Text(part) = part else { return None };
    let start = (part.as_ptr() as usize).checked_sub(record.as_ptr() as usize)?;
    record.get(start..start + part.len())
}

/// A version that is dated within this time of a package's last change came with that change. Registries write both
/// at once; the span only allows for two clocks.
const SAME_CHANGE_MS: u64 = 60_000;

/// Those that [`newest`] finds, and where a key or text is none, those that it then finds in their place.
fn newest_mended<'a>(versions: &'a str, times: &str) -> Result<Vec<&'a str>, Invalid> {
    newest(|| Object::of(versions), times).or_else(|reason| {
        let mended = [mend(versions), mend(times)];
        if mended.iter().all(Option::is_none) {
            return Err(reason);
        }
        let [mended, times] = [mended[0].as_deref().unwrap_or(versions), mended[1].as_deref().unwrap_or(times)];
        let places = newest(|| Object::of(mended), times)?
            .into_iter()
            .map(|part| (part.as_ptr() as usize - mended.as_ptr() as usize, part.len()));
        Ok(places.filter_map(|(start, length)| versions.get(start..start + length)).collect())
    })
}

/// The same for versions whose scan has told where their keys and values stand.
fn newest_members<'a>(record: &'a str, versions: Values<'_>, times: &str) -> Result<Vec<&'a str>, Invalid> {
    let find = |times: &str| newest(|| Some(Object::of_members(record, versions)), times);
    find(times).or_else(|reason| find(&mend(times).ok_or(reason)?))
}

/// The members of `versions` that `times` dates at its `modified`, in the order of their keys.
fn newest<'a>(versions: impl FnOnce() -> Option<Object<'a>>, times: &str) -> Result<Vec<&'a str>, Invalid> {
    let times = Object::of(times).ok_or(Invalid::WrongShape)?;
    let dated = |key: &str| {
        let text = serde_json::from_str::<Cow<'_, str>>(times.get(key)?).ok()?;
        Timestamp::parse(&text).map(Timestamp::ms)
    };
    let changed = dated("modified").ok_or(Invalid::NoTime)?;
    let is_new = |version: &str| dated(version).is_some_and(|at| at.abs_diff(changed) <= SAME_CHANGE_MS);
    let versions = versions().ok_or(Invalid::WrongShape)?;
    Ok(versions.0.into_iter().filter(|(version, _)| is_new(version)).map(|(_, value)| value).collect())
}

/// The members of an object, sorted by their keys; of a key that occurs twice the last.
struct Object<'a>(Vec<(Cow<'a, str>, &'a str)>);

impl<'a> Object<'a> {
    fn of(object: &'a str) -> Option<Object<'a>> {
        serde_json::from_str::<Object<'a>>(object).ok().map(|object| Object::sorted(object.0))
    }

    /// Of the keys and values that a scan cut out of `record`.
    fn of_members(record: &'a str, cut: Values<'_>) -> Object<'a> {
        let mut cut = cut.filter_map(|part| standing(record, part));
        let mut members = Vec::new();
        while let (Some(key), Some(value)) = (cut.next(), cut.next()) {
            members.push((letters_of(key), value));
        }
        Object::sorted(members)
    }

    fn sorted(mut members: Vec<(Cow<'a, str>, &'a str)>) -> Object<'a> {
        // Reversed, so that of equal keys the last is the one that is kept.
        members.reverse();
        members.sort_by(|(a, _), (b, _)| a.cmp(b));
        members.dedup_by(|(a, _), (b, _)| a == b);
        Object(members)
    }

    fn get(&self, key: &str) -> Option<&'a str> {
        let at = self.0.binary_search_by(|(known, _)| (**known).cmp(key)).ok()?;
        self.0.get(at).map(|(_, value)| *value)
    }
}

/// The letters of a JSON text; where some are none, what stands in their place.
fn letters_of(quoted: &str) -> Cow<'_, str> {
    let read = |quoted: &str| serde_json::from_str::<String>(quoted).ok();
    match unescaped(quoted) {
        Some(text) => Cow::Borrowed(text),
        None => Cow::Owned(read(quoted).or_else(|| read(&mend(quoted)?)).unwrap_or_default()),
    }
}

/// A key, which stands in the object unless escapes stand in it.
#[derive(serde::Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de> serde::Deserialize<'de> for Object<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Each;
        impl<'de> Visitor<'de> for Each {
            type Value = Object<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some((Key(key), value)) = map.next_entry::<_, &RawValue>()? {
                    members.push((key, value.get()));
                }
                Ok(Object(members))
            }
        }
        deserializer.deserialize_map(Each)
    }
}

/// The values of an object, all of which must be objects, and one there must be.
///
/// # Errors
/// `NotJson`, or `WrongShape` where it is no such object.
pub fn members(record: &str) -> Result<Vec<&str>, Invalid> {
    struct Members;
    impl<'de> Visitor<'de> for Members {
        type Value = Vec<&'de str>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut values = Vec::new();
            while let Some((IgnoredAny, value)) = map.next_entry::<_, &RawValue>()? {
                values.push(value.get());
            }
            Ok(values)
        }
    }
    let mut json = serde_json::Deserializer::from_str(record);
    let values = json.deserialize_map(Members).map_err(|_| Invalid::NotJson)?;
    let are_objects = !values.is_empty() && values.iter().all(|value| value.starts_with('{'));
    if are_objects { Ok(values) } else { Err(Invalid::WrongShape) }
}

/// JSON in a JSON text, or in the base64 (of either alphabet, padded or not) in one.
fn decode(inner: &str) -> Result<Vec<u8>, Invalid> {
    let text: Cow<'_, str> = match unescaped(inner) {
        Some(text) => Cow::Borrowed(text),
        None => serde_json::from_str(inner).map_err(|_| Invalid::WrongShape)?,
    };
    if is_json(&text) {
        return Ok(text.into_owned().into_bytes());
    }
    letters::either(&text).ok_or(Invalid::WrongShape)
}

/// The elements of a JSON array.
///
/// # Errors
/// `WrongShape` where the text is no array.
pub fn array(text: &str) -> Result<Vec<&str>, Invalid> {
    let elements: Vec<&RawValue> = serde_json::from_str(text).map_err(|_| Invalid::WrongShape)?;
    Ok(elements.into_iter().map(RawValue::get).collect())
}

#[cfg(test)]
mod tests {
    use model::{Projection, Row};

    use super::*;
    use crate::scan::scan;

    fn elements(record: &str, container: Container) -> Result<Vec<String>, Invalid> {
        let (mut projection, mut row) = (Projection::default(), Row::default());
        let held = Held::ask(&mut projection, container);
        scan(record, &projection, &mut row)?;
        match super::elements(record, row.view(record), held)? {
            Elements::Standing(standing) => Ok(standing.map(str::to_owned).collect()),
            Elements::Encoded(bytes) => text(&bytes).map(|text| vec![text.to_owned()]),
        }
    }

    fn standing(elements: &[&str]) -> Result<Vec<String>, Invalid> {
        Ok(elements.iter().map(|&element| element.to_owned()).collect())
    }

    #[test]
    fn elements_keep_their_bytes() {
        let record = r#"{"Records": [ {"a" : 1}, {"a":"]"} ], "x": 1}"#;
        assert_eq!(elements(record, Container::Array("Records")), standing(&[r#"{"a" : 1}"#, r#"{"a":"]"}"#]));
        assert_eq!(elements(r#"{"detail": {"b":2}}"#, Container::Envelope("detail")), standing(&[r#"{"b":2}"#]));
        assert_eq!(elements(r#"{"a": {"b":[{"c":2}]}}"#, Container::Array("a.b")), standing(&[r#"{"c":2}"#]));
        assert_eq!(elements(r#"{"Records": 1}"#, Container::Array("Records")), Err(Invalid::WrongShape));
        assert_eq!(elements(r#"{"detail": 1}"#, Container::Envelope("detail")), Err(Invalid::WrongShape));
        assert_eq!(elements(r#"{"data": "text"}"#, Container::Foreign("data")), Err(Invalid::UnknownFormat));
    }

    #[test]
    fn a_key_that_no_text_can_be_hides_no_records() {
        let record = r#"{"\ud800":1,"Records":[{"a":"\udc00"}]}"#;
        assert_eq!(elements(record, Container::Array("Records")), standing(&[r#"{"a":"\udc00"}"#]));
    }

    #[test]
    fn records_under_unknown_keys_and_beside_their_record_are_found() {
        assert_eq!(elements(r#"{"a": {"b":1}, "c":{ }}"#, Container::Members), standing(&[r#"{"b":1}"#, "{ }"]));
        for none in ["{}", r#"{"a":{},"b":1}"#, r#"{"a":[]}"#] {
            assert_eq!(elements(none, Container::Members), Err(Invalid::WrongShape), "{none}");
        }
        assert_eq!(elements(r#"{"results":null}"#, Container::Parts("results")), standing(&[]));
        assert_eq!(elements(r#"{"results":[{}]}"#, Container::Parts("results")), standing(&["{}"]));
        assert_eq!(elements(r#"{"results":1}"#, Container::Parts("results")), Err(Invalid::WrongShape));
    }

    #[test]
    fn encoded_elements_are_decoded() {
        let wanted = || standing(&[r#"{"a":"?>"}"#]);
        for payload in [r#""eyJhIjoiPz4ifQ==""#, r#""eyJhIjoiPz4ifQ""#, r#""{\"a\":\"?>\"}""#] {
            let record = format!(r#"{{"payload":{payload}}}"#);
            assert_eq!(elements(&record, Container::Encoded("payload")), wanted(), "{payload}");
        }
        assert_eq!(elements(r#"{"payload":"%%"}"#, Container::Encoded("payload")), Err(Invalid::WrongShape));
        assert_eq!(elements(r#"{"payload":"/w=="}"#, Container::Encoded("payload")), Err(Invalid::NotUtf8));
    }

    #[test]
    fn only_what_a_change_brought_is_new() {
        let at = |modified: &str| {
            let record = format!(
                r#"{{"doc":{{"versions":{{"1.0.0":{{"v":1}},"1.0.1":{{"v":2}},"2.0.0-rc":{{"v":3}}}},
                "time":{{"created":"2026-09-01T10:00:00Z","modified":"{modified}","1.0.0":"2026-09-01T10:00:00Z",
                "1.0.1":"2026-09-02T10:00:00Z","2.0.0-rc":"2026-09-02T10:00:30Z"}}}}}}"#
            );
            let container = Container::Newest { versions: "doc.versions", times: "doc.time" };
            elements(&record, container)
        };
        assert_eq!(at("2026-09-02T10:00:31Z"), standing(&[r#"{"v":2}"#, r#"{"v":3}"#]));
        assert_eq!(at("2026-09-03T10:00:00Z"), standing(&[]), "a tag was moved");
        let twice = r#"{"v":{"2":{"a":1},"1":{"a":2},"2":{"a":3}},
            "t":{"modified":"2026-09-02T10:00:00Z","1":"2026-09-02T10:00:00Z","2":"never","2":"2026-09-02T10:00:00Z"}}"#;
        let container = Container::Newest { versions: "v", times: "t" };
        assert_eq!(elements(twice, container), standing(&[r#"{"a":2}"#, r#"{"a":3}"#]), "the last counts, in order");
        assert_eq!(at("never"), Err(Invalid::NoTime));
        // Keys that are written otherwise, or that no text can be.
        let odd = r#"{"v":{"\u0031":{"a":1},"\ud800":{"a":2},"3":4},
            "t":{"\u006dodified":"2026-09-02T10:00:00Z","1":"2026-09-02T10:00:00Z","\ufffd":"2026-09-02T10:00:00Z","\udc00":1}}"#;
        assert_eq!(elements(odd, container), standing(&[r#"{"a":1}"#]), "two that are none are one: the last");
        let odd = odd.replace(r#","\udc00":1"#, "");
        assert_eq!(elements(&odd, container), standing(&[r#"{"a":1}"#, r#"{"a":2}"#]));
        for versions in ["[]", "1", "null", r#""a""#] {
            let record = format!(r#"{{"v":{versions},"t":{{"modified":"2026-09-02T10:00:00Z"}}}}"#);
            assert_eq!(elements(&record, container), Err(Invalid::WrongShape), "{versions}");
        }
        assert_eq!(elements(r#"{"v":{},"t":{"modified":"2026-09-02T10:00:00Z"}}"#, container), standing(&[]));
    }
}
