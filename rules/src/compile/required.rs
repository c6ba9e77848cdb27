//! The text that everything a regular expression matches must hold, so that an index can look for it.
//!
//! Read off the parsed expression (`regex_syntax::hir`): texts that stand next to one another in what cannot be left out. Must
//! never name a text that some match lacks: the expression would be asked too seldom.

use regex_syntax::hir::{Class, Hir, HirKind};

use crate::fold::{fold, fold_char};

/// Shorter texts are in too many values to be worth looking for.
const LENGTH_MIN: usize = 3;

/// The longest text, folded, that stands in every match; None: there is none worth looking for.
pub(crate) fn required_text(expression: &str) -> Option<String> {
    let hir = regex_syntax::parse(expression).ok()?;
    let mut texts = Texts::default();
    texts.read(&hir);
    texts.cut();
    texts.longest.filter(|text| text.len() >= LENGTH_MIN)
}

/// The text that is being put together, and the longest that was.
#[derive(Default)]
struct Texts {
    current: String,
    longest: Option<String>,
}

impl Texts {
    /// Something stands here that is not one certain text.
    fn cut(&mut self) {
        let text = std::mem::take(&mut self.current);
        if text.len() > self.longest.as_ref().map_or(0, String::len) {
            self.longest = Some(text);
        }
    }

    fn read(&mut self, hir: &Hir) {
        match hir.kind() {
            HirKind::Empty => {}
            HirKind::Literal(literal) => match std::str::from_utf8(&literal.0) {
                Ok(text) => self.current.push_str(&fold(text)),
                Err(_) => self.cut(),
            },
            HirKind::Class(class) => match one_folded(class) {
                Some(c) => self.current.push(c),
                None => self.cut(),
            },
            HirKind::Capture(capture) => self.read(&capture.sub),
            HirKind::Concat(parts) => parts.iter().for_each(|part| self.read(part)),
            // Once for certain; what else stands there is not known.
            HirKind::Repetition(repetition) if repetition.min > 0 => {
                self.cut();
                self.read(&repetition.sub);
                self.cut();
            }
            HirKind::Look(_) => {}
            HirKind::Repetition(_) | HirKind::Alternation(_) => self.cut(),
        }
    }
}

/// The one character that all of a class are when case is left aside: what `(?i)` makes of a letter.
fn one_folded(class: &Class) -> Option<char> {
    /// More characters than any one has spellings.
    const SPELLINGS_MAX: usize = 4;
    let Class::Unicode(class) = class else { return None };
    let mut spellings = class.iter().flat_map(|range| range.start()..=range.end()).take(SPELLINGS_MAX + 1);
    let first = fold_char(spellings.next()?);
    let mut seen = 1;
    let all_same = spellings.all(|c| {
        seen += 1;
        fold_char(c) == first
    });
    (all_same && seen <= SPELLINGS_MAX).then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_every_match_holds() {
        let cases = [
            (".+:assumed-role/aws:.+", Some(":assumed-role/aws:")),
            ("^abc$", Some("abc")),
            ("(?i)AbcDe", Some("abcde")),
            ("ab(cde)+f", Some("cde")),
            ("ab(cd)?efg", Some("efg")),
            ("(abc|abd)", None),
            ("x{2}abc", Some("abc")),
            ("a[bB]c[de]fghi", Some("fghi")),
            ("a[bB]c", Some("abc")),
            ("(?i)straße\\d", Some("straße")),
            ("(?i)k123", Some("k123")),
            ("ab", None),
            (".*", None),
            ("a\\bbcd", Some("abcd")),
        ];
        for (expression, wanted) in cases {
            assert_eq!(required_text(expression).as_deref(), wanted, "{expression}");
        }
    }
}
