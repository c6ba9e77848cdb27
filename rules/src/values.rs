//! All values of a record as text, for keywords. Keys are not values.
//!
//! They come out of the record's row, or are read again where it does not hold all of them as written. Must never fail:
//! a record that came this far is JSON.

use model::{Texts, View};

use crate::compile::Glob;
use crate::fold::fold;

/// The texts of a record's values that its row does not hold as they are asked for, read when that happens. Memory is
/// reused from record to record.
#[derive(Debug, Default)]
pub(crate) struct Values {
    is_read: bool,
    cased: Vec<String>,
    folded: Texts,
}

impl Values {
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
        collect(record, &mut self.cased);
        self.folded.clear();
        self.cased.iter().for_each(|text| self.folded.push(&fold(text)));
    }

    /// Some value of the record matches.
    pub(crate) fn any(&mut self, view: View<'_>, glob: &Glob, cased: bool) -> bool {
        if cased {
            self.read(view.record());
            return self.cased.iter().any(|text| glob.matches(text));
        }
        let texts = self.folded(view);
        match glob.needle() {
            Some(needle) if !needle.as_bytes().contains(&Texts::END) => {
                memchr::memmem::find(texts.joined(), needle.as_bytes()).is_some()
            }
            _ => texts.iter().any(|text| glob.matches(text)),
        }
    }

    /// All values of the record, folded.
    pub(crate) fn folded<'a>(&'a mut self, view: View<'a>) -> &'a Texts {
        if let Some(texts) = view.all() {
            return texts;
        }
        self.read(view.record());
        &self.folded
    }
}

/// Adds the text between two quotes of the record.
fn push_text(values: &mut Vec<String>, record: &str, quote: usize, end: usize, escaped: bool) {
    if escaped {
        let text = record.get(quote..=end).and_then(|text| serde_json::from_str::<String>(text).ok());
        values.push(text.unwrap_or_default());
    } else {
        values.push(record.get(quote + 1..end).unwrap_or_default().to_owned());
    }
}

/// Appends the values of a record that is known to be JSON: texts unescaped, numbers and booleans as written, no nulls.
fn collect(record: &str, values: &mut Vec<String>) {
    let bytes = record.as_bytes();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' => {
                let (end, escaped) = text_end(bytes, at + 1);
                let behind = bytes.get(end + 1..).unwrap_or_default();
                let is_key = behind.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b':');
                if !is_key {
                    push_text(values, record, at, end, escaped);
                }
                at = end + 1;
            }
            b'-' | b'0'..=b'9' | b't' | b'f' | b'n' => {
                let rest = bytes.get(at..).unwrap_or_default();
                let ends = |byte: &u8| matches!(byte, b',' | b']' | b'}') || byte.is_ascii_whitespace();
                let length = rest.iter().position(ends).unwrap_or(rest.len());
                if byte != b'n' {
                    values.push(record.get(at..at + length).unwrap_or_default().to_owned());
                }
                at += length;
            }
            _ => at += 1,
        }
    }
}

/// Where the text that begins here ends (at its closing quote), and whether it holds escapes.
fn text_end(bytes: &[u8], start: usize) -> (usize, bool) {
    let (mut at, mut escaped) = (start, false);
    while let Some(found) = bytes.get(at..).and_then(|rest| memchr::memchr2(b'"', b'\\', rest)) {
        at += found;
        if bytes.get(at) == Some(&b'"') {
            return (at, escaped);
        }
        escaped = true;
        at += 2;
    }
    (bytes.len(), escaped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_without_keys_and_nulls() {
        let record = r#" {"a" : "b\u0041\"c", "n": [1e-5, -2.50,null ,true], "o":{"k":"v","e":""}, "d":{"a":["x"]} } "#;
        let mut values = Vec::new();
        collect(record, &mut values);
        assert_eq!(values, ["bA\"c", "1e-5", "-2.50", "true", "v", "", "x"]);
    }
}
