//! All values of a record as text, for keywords. Keys are not values.
//!
//! Built only for records in which a keyword's text was seen. Must never fail: a record that came this far is JSON.

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
        collect(record, &mut self.cased);
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
            Some(needle) if !needle.contains(END) => {
                memchr::memmem::find(texts.text.as_bytes(), needle.as_bytes()).is_some()
            }
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

    fn push(&mut self, value: &str) {
        self.text.push_str(value);
        self.end();
    }

    /// The text between two quotes of the record.
    fn push_text(&mut self, record: &str, quote: usize, end: usize, escaped: bool) {
        if escaped {
            let text = record.get(quote..=end).and_then(|text| serde_json::from_str::<String>(text).ok());
            self.push(&text.unwrap_or_default());
        } else {
            self.push(record.get(quote + 1..end).unwrap_or_default());
        }
    }

    fn iter(&self) -> impl Iterator<Item = &str> {
        let starts = std::iter::once(0).chain(self.ends.iter().map(|end| end + END.len_utf8()));
        starts.zip(&self.ends).filter_map(|(start, &end)| self.text.get(start..end))
    }
}

/// Appends the values of a record that is known to be JSON: texts unescaped, numbers and booleans as written, no nulls.
fn collect(record: &str, values: &mut Joined) {
    let bytes = record.as_bytes();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' => {
                let (end, escaped) = text_end(bytes, at + 1);
                let behind = bytes.get(end + 1..).unwrap_or_default();
                let is_key = behind.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b':');
                if !is_key {
                    values.push_text(record, at, end, escaped);
                }
                at = end + 1;
            }
            b'-' | b'0'..=b'9' | b't' | b'f' | b'n' => {
                let rest = bytes.get(at..).unwrap_or_default();
                let ends = |byte: &u8| matches!(byte, b',' | b']' | b'}') || byte.is_ascii_whitespace();
                let length = rest.iter().position(ends).unwrap_or(rest.len());
                if byte != b'n' {
                    values.push(record.get(at..at + length).unwrap_or_default());
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
        let mut values = Joined::default();
        collect(record, &mut values);
        assert_eq!(values.iter().collect::<Vec<_>>(), ["bA\"c", "1e-5", "-2.50", "true", "v", "", "x"]);
    }
}
