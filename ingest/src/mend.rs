//! JSON that says what no value can be: half of a surrogate pair, a number that no double holds.
//!
//! The grammar allows both, and a parser refuses them only where it reads the value. A record must be the same whatever
//! is asked of it, and nobody may hide an event by writing one of them into it: texts get U+FFFD in their place, numbers
//! are null. Must never change a record's length, so that places in the mended text are places in the record.

use serde::de::IgnoredAny;

/// The record with what no value can be replaced; None where it is not JSON at all, or nothing is to replace.
pub fn mend(record: &str) -> Option<String> {
    serde_json::from_str::<IgnoredAny>(record).ok()?;
    let (old, mut new) = (record.as_bytes(), Vec::new());
    let (mut at, mut in_text) = (0, false);
    while let Some(&byte) = old.get(at) {
        let (length, put): (usize, Option<&[u8]>) = match byte {
            b'"' => {
                in_text = !in_text;
                (1, None)
            }
            b'\\' if in_text => match (escaped(old, at), escaped(old, at + 6)) {
                (Some(0xD800..=0xDBFF), Some(0xDC00..=0xDFFF)) => (12, None),
                (Some(0xD800..=0xDFFF), _) => (6, Some(b"\\ufffd")),
                _ => (2, None),
            },
            b'-' | b'0'..=b'9' if !in_text => {
                let rest = record.get(at..)?;
                let length = rest.find([',', ']', '}', ' ', '\t', '\r', '\n']).unwrap_or(rest.len());
                let fits = serde_json::from_str::<serde_json::Number>(rest.get(..length)?).is_ok();
                (length, (!fits).then_some(b"null"))
            }
            _ => (1, None),
        };
        let end = at + length;
        new.extend_from_slice(put.unwrap_or(old.get(at..end)?));
        new.resize(end, b' ');
        at = end;
    }
    String::from_utf8(new).ok().filter(|mended| mended != record)
}

/// The number that an escape `\uXXXX` at a place names.
fn escaped(text: &[u8], at: usize) -> Option<u32> {
    let digits = text.get(at..at + 6)?.strip_prefix(b"\\u")?;
    u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_value_can_be_is_replaced_in_place() {
        for (record, wanted) in [
            (r#"{"a":"\ud800"}"#, r#"{"a":"\ufffd"}"#),
            (r#"{"\udc00":"x\uD83Dy"}"#, r#"{"\ufffd":"x\ufffdy"}"#),
            (r#"["\ud800\ud83d\ude00\udc00"]"#, r#"["\ufffd\ud83d\ude00\ufffd"]"#),
            (r#"{"a":1e999, "b":-1e999}"#, r#"{"a":null , "b":null  }"#),
            ("[1e309]", "[null ]"),
        ] {
            assert_eq!(mend(record).as_deref(), Some(wanted), "{record}");
            assert_eq!(record.len(), wanted.len(), "{record}");
        }
        for record in
            [r#"{"a":"\ud83d\ude00","b":1e308}"#, r#"{"a":"\\ud800"}"#, r#"{"a":"1e999"}"#, r#"{"a":"\ud800""#, ""]
        {
            assert_eq!(mend(record), None, "{record}");
        }
    }
}
