//! Where secrets stand in a text: as they are, behind JSON escapes and percent signs, in base64.
//!
//! One automaton over the literals of all shapes decides which expressions run; a text without any costs one pass.
//! Must never look at a byte more often than a fixed number of times.

use std::borrow::Cow;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use regex::{Regex, RegexBuilder};

use super::encoded::{self, Decoded};
use super::shapes::SHAPES;
use super::{Secret, entropy};

/// A text is decoded this often: text in JSON text in JSON text.
const DECODINGS_MAX: usize = 3;

/// Expressions, and one automaton over all their needles and the names of secrets.
struct Search {
    needles: AhoCorasick,
    /// By needle: the shape; None: the name of a secret.
    means: Vec<Option<usize>>,
    /// By shape.
    expressions: Vec<Option<Regex>>,
    /// Shapes without needles.
    always: Vec<usize>,
}

static SEARCH: LazyLock<Option<Search>> = LazyLock::new(|| {
    let of_shapes = SHAPES.iter().enumerate().flat_map(|(at, shape)| shape.needles.iter().map(move |n| (*n, Some(at))));
    let (texts, means): (Vec<&str>, Vec<Option<usize>>) =
        of_shapes.chain(entropy::NAMES.iter().map(|name| (*name, None))).unzip();
    let needles = AhoCorasick::builder().ascii_case_insensitive(true).kind(Some(AhoCorasickKind::DFA)).build(texts);
    Some(Search {
        needles: needles.ok()?,
        means,
        expressions: SHAPES
            .iter()
            .map(|shape| RegexBuilder::new(shape.expression).case_insensitive(true).build().ok())
            .collect(),
        always: SHAPES.iter().enumerate().filter(|(_, shape)| shape.needles.is_empty()).map(|(at, _)| at).collect(),
    })
});

/// Every secret of the text, in order, none over another.
pub(super) fn secrets(text: &str) -> Vec<Secret> {
    let Some(search) = SEARCH.as_ref() else {
        // Nothing is known to be safe then. A test holds that this does not happen.
        return vec![Secret { at: 0..text.len(), name: "everything" }];
    };
    let mut found = search.everywhere(text);
    // In PyPI's names each underscore is a dash; both are a byte, so places stay.
    if text.contains("pkg:pypi/") {
        found.extend(search.everywhere(&text.replace('-', "_")));
    }
    merged(found)
}

/// Overlapping secrets are one, with the name of the first.
fn merged(mut found: Vec<Secret>) -> Vec<Secret> {
    found.sort_by(|a, b| (a.at.start, b.at.end).cmp(&(b.at.start, a.at.end)));
    let mut merged: Vec<Secret> = Vec::with_capacity(found.len());
    for secret in found {
        match merged.last_mut() {
            Some(last) if secret.at.start < last.at.end => last.at.end = last.at.end.max(secret.at.end),
            _ => merged.push(secret),
        }
    }
    merged
}

/// Base64 whose bytes hold a known shape, or a text with a value under a secret's name, is a secret as a whole.
fn in_base64(search: &Search, text: &str, found: &mut Vec<Secret>) {
    for run in encoded::base64_runs(text) {
        let Some(run_text) = text.get(run.clone()) else { continue };
        let name = encoded::base64_readings(run_text).find_map(|bytes| {
            let mut names = Vec::new();
            let mut wanted = search.wanted(&bytes, &mut names);
            // Random bytes are ASCII half of the time, text nearly always.
            let is_text = bytes.iter().filter(|byte| byte.is_ascii()).count() * 4 > bytes.len() * 3;
            if is_text {
                wanted.extend(&search.always);
            }
            let text = (!(wanted.is_empty() && names.is_empty())).then(|| String::from_utf8_lossy(&bytes))?;
            let shown = |&&shape: &&usize| search.expression(shape).is_some_and(|found| found.is_match(&text));
            let shape = wanted.iter().find(shown).and_then(|&shape| SHAPES.get(shape)).map(|shape| shape.name);
            // Where all is ASCII, places in the bytes are places in the text.
            let mut named = Vec::new();
            if shape.is_none() && is_text && text.is_ascii() {
                entropy::secrets(&text, &names, &mut named);
            }
            shape.or(named.first().map(|secret| secret.name))
        });
        found.extend(name.map(|name| Secret { at: run, name }));
    }
}

impl Search {
    /// Secrets as they stand, in base64, and behind escapes.
    fn everywhere(&self, text: &str) -> Vec<Secret> {
        let mut found = Vec::new();
        self.plain(text, &mut found);
        in_base64(self, text, &mut found);
        let mut view = Decoded::of(Cow::Borrowed(text));
        for _ in 0..DECODINGS_MAX {
            let Some(next) = view.decode() else { break };
            view = next;
            let mut inner = Vec::new();
            self.plain(&view.text, &mut inner);
            in_base64(self, &view.text, &mut inner);
            found.extend(inner.into_iter().map(|secret| Secret { at: view.place(&secret.at), ..secret }));
        }
        found
    }

    /// Known shapes and named values, as they stand.
    fn plain(&self, text: &str, found: &mut Vec<Secret>) {
        let mut names = Vec::new();
        let wanted = self.wanted(text.as_bytes(), &mut names);
        for shape in wanted.iter().chain(&self.always).copied() {
            let (Some(expression), Some(shape)) = (self.expression(shape), SHAPES.get(shape)) else { continue };
            let name = shape.name;
            if expression.captures_len() == 1 {
                found.extend(expression.find_iter(text).map(|hit| Secret { at: hit.range(), name }));
                continue;
            }
            for hit in expression.captures_iter(text) {
                let whole = hit.get(0);
                let inner = hit.iter().skip(1).flatten().next().or(whole);
                found.extend(
                    inner
                        .filter(|inner| is_telling(name, inner.as_str()))
                        .map(|inner| Secret { at: inner.range(), name }),
                );
            }
        }
        entropy::secrets(text, &names, found);
    }

    fn expression(&self, shape: usize) -> Option<&Regex> {
        self.expressions.get(shape)?.as_ref()
    }

    /// Shapes of which a needle stands in the text, in order; `names` gets the ends of secrets' names.
    fn wanted(&self, bytes: &[u8], names: &mut Vec<usize>) -> Vec<usize> {
        let mut wanted = Vec::new();
        for hit in self.needles.find_overlapping_iter(bytes) {
            match self.means.get(hit.pattern().as_usize()) {
                Some(Some(shape)) if !wanted.contains(shape) => wanted.push(*shape),
                Some(None) => names.push(hit.end()),
                _ => {}
            }
        }
        wanted.sort_unstable();
        wanted
    }
}

/// `basic infrastructure-as-code` is no credential.
fn is_telling(name: &str, secret: &str) -> bool {
    name != "authorization" || secret.bytes().any(|b| b.is_ascii_digit() || b.is_ascii_uppercase() || b == b'=')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_expression_compiles_and_every_needle_is_in_lower_case() {
        let search = SEARCH.as_ref().expect("an automaton");
        for (shape, expression) in SHAPES.iter().zip(&search.expressions) {
            assert!(expression.is_some(), "{}", shape.name);
            assert!(shape.needles.iter().all(|needle| *needle == needle.to_ascii_lowercase()), "{}", shape.name);
        }
    }
}
