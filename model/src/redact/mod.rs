//! Secrets never leave: known shapes of credentials, and values that look random behind a secret's name, are replaced
//! wherever text is written.
//!
//! Works on text that is about to leave (alerts, dead letters, logs); must never run on what rules and keys see, and
//! must never let a known shape through because it looks like an identifier. Linear in the text.

mod encoded;
mod entropy;
mod find;
mod hmac;
mod shapes;

use std::borrow::Cow;
use std::ops::Range;

pub use hmac::RedactionKey;

/// A secret in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Secret {
    /// Its bytes, at bounds of characters.
    at: Range<usize>,
    /// The name of its shape.
    name: &'static str,
}

/// Replaces every secret in the text by `[redacted:NAME]`. Borrows where there is none.
pub fn redact(text: &str) -> Cow<'_, str> {
    replace(text, 0, |_, name| format!("[redacted:{name}]"))
}

/// The same for the text of a field: some secrets are known only by the name that stands before them.
pub fn redact_field<'t>(field: &str, text: &'t str) -> Cow<'t, str> {
    in_field(field, text, |_, name| format!("[redacted:{name}]"))
}

impl RedactionKey {
    /// The text of a field that is part of a key or an id: secrets become names that tell equal ones from others.
    pub fn name_field<'t>(&self, field: &str, text: &'t str) -> Cow<'t, str> {
        in_field(field, text, |secret, _| self.name(secret))
    }
}

fn in_field<'t>(field: &str, text: &'t str, name: impl Fn(&str, &'static str) -> String) -> Cow<'t, str> {
    let named = format!("{field}={text}");
    match replace(&named, field.len() + 1, name) {
        Cow::Borrowed(_) => Cow::Borrowed(text),
        Cow::Owned(clean) => Cow::Owned(clean),
    }
}

/// What stands behind the first `from` bytes, with its secrets replaced. Borrowed: as it was.
fn replace(text: &str, from: usize, name: impl Fn(&str, &'static str) -> String) -> Cow<'_, str> {
    let secrets = find::secrets(text);
    if secrets.iter().all(|secret| secret.at.end <= from) {
        return Cow::Borrowed(text.get(from..).unwrap_or_default());
    }
    let mut clean = String::with_capacity(text.len());
    let mut done = from;
    for secret in secrets.iter().filter(|secret| secret.at.end > from) {
        let start = secret.at.start.max(from);
        clean.push_str(text.get(done..start).unwrap_or_default());
        clean.push_str(&name(text.get(start..secret.at.end).unwrap_or_default(), secret.name));
        done = secret.at.end;
    }
    clean.push_str(text.get(done..).unwrap_or_default());
    Cow::Owned(clean)
}

/// Cuts text to at most `max` characters; a cut text ends in `…`.
pub fn cut(text: &str, max: usize) -> Cow<'_, str> {
    match text.char_indices().nth(max) {
        None => Cow::Borrowed(text),
        Some(_) => {
            let end = text.char_indices().nth(max.saturating_sub(1)).map_or(0, |(at, _)| at);
            Cow::Owned(format!("{}…", &text[..end]))
        }
    }
}

#[cfg(test)]
mod tests;
