//! A text pattern ready to match: anchored segments between `*`.
//!
//! Linear in text for each segment; must never backtrack over a `*`.

use crate::ast::{Pattern, Piece};
use crate::fold::fold;

/// A compiled [`Pattern`]. Uncased ones expect folded text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glob {
    segments: Vec<Vec<Atom>>,
    open_start: bool,
    open_end: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Atom {
    Literal(String),
    One,
}

impl Glob {
    /// Compiles a pattern; literals are folded unless it is cased.
    pub fn new(pattern: &Pattern) -> Glob {
        let mut segments = vec![Vec::new()];
        for piece in &pattern.pieces {
            let atom = match piece {
                Piece::Many => {
                    segments.push(Vec::new());
                    continue;
                }
                Piece::One => Atom::One,
                Piece::Literal(text) if pattern.cased => Atom::Literal(text.clone()),
                Piece::Literal(text) => Atom::Literal(fold(text)),
            };
            if let Some(segment) = segments.last_mut() {
                segment.push(atom);
            }
        }
        let open_start = segments.len() > 1 && segments.first().is_some_and(Vec::is_empty);
        let open_end = segments.len() > 1 && segments.last().is_some_and(Vec::is_empty);
        let alone = segments.len() == 1;
        segments.retain(|segment| alone || !segment.is_empty());
        Glob { segments, open_start, open_end }
    }

    /// Some of it is literal text (or it stands for the empty text).
    pub(crate) fn has_literal(&self) -> bool {
        let atoms = || self.segments.iter().flatten();
        atoms().next().is_none() && !self.open_start || atoms().any(|atom| matches!(atom, Atom::Literal(_)))
    }

    /// The one text that decides: the pattern is `*text*`.
    pub(crate) fn needle(&self) -> Option<&str> {
        match self.segments.as_slice() {
            [segment] if self.open_start && self.open_end => match segment.as_slice() {
                [Atom::Literal(literal)] => Some(literal),
                _ => None,
            },
            _ => None,
        }
    }

    /// The whole text matches.
    pub fn matches(&self, text: &str) -> bool {
        let mut rest = text;
        let last = self.segments.len().saturating_sub(1);
        for (i, segment) in self.segments.iter().enumerate() {
            let anchored_start = i == 0 && !self.open_start;
            let anchored_end = i == last && !self.open_end;
            rest = match (anchored_start, anchored_end) {
                (true, true) => return strip(segment, rest).is_some_and(str::is_empty),
                (true, false) => match strip(segment, rest) {
                    Some(behind) => behind,
                    None => return false,
                },
                (false, true) => return ends(segment, rest),
                (false, false) => match find(segment, rest) {
                    Some(behind) => behind,
                    None => return false,
                },
            };
        }
        true
    }
}

/// What stands behind the segment at the start of the text.
fn strip<'t>(segment: &[Atom], text: &'t str) -> Option<&'t str> {
    segment.iter().try_fold(text, |rest, atom| match atom {
        Atom::Literal(literal) => rest.strip_prefix(literal.as_str()),
        Atom::One => {
            let mut chars = rest.chars();
            chars.next().map(|_| chars.as_str())
        }
    })
}

fn ends(segment: &[Atom], text: &str) -> bool {
    segment
        .iter()
        .rev()
        .try_fold(text, |rest, atom| match atom {
            Atom::Literal(literal) => rest.strip_suffix(literal.as_str()),
            Atom::One => {
                let mut chars = rest.chars();
                chars.next_back().map(|_| chars.as_str())
            }
        })
        .is_some()
}

/// What stands behind the first place at which the segment matches.
fn find<'t>(segment: &[Atom], text: &'t str) -> Option<&'t str> {
    let Some(Atom::Literal(first)) = segment.first() else {
        return text.char_indices().find_map(|(at, _)| strip(segment, text.get(at..)?));
    };
    if let [_] = segment {
        return text.find(first.as_str()).and_then(|at| text.get(at + first.len()..));
    }
    text.match_indices(first.as_str()).find_map(|(at, _)| strip(segment, text.get(at..)?)).or_else(|| {
        // `match_indices` does not overlap, a segment may: `aab` in `aaab`.
        text.char_indices().find_map(|(at, _)| strip(segment, text.get(at..)?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn glob(pattern: &str) -> Glob {
        let mut pieces = Vec::new();
        for c in pattern.chars() {
            match (c, pieces.last_mut()) {
                ('*', Some(Piece::Many)) => {}
                ('*', _) => pieces.push(Piece::Many),
                ('?', _) => pieces.push(Piece::One),
                (c, Some(Piece::Literal(text))) => text.push(c),
                (c, _) => pieces.push(Piece::Literal(c.to_string())),
            }
        }
        Glob::new(&Pattern { pieces, cased: true })
    }

    #[test]
    fn agrees_with_a_backtracking_matcher() {
        fn slow(pattern: &[char], text: &[char]) -> bool {
            match (pattern.split_first(), text.split_first()) {
                (None, None) => true,
                (Some(('*', rest)), _) => slow(rest, text) || text.split_first().is_some_and(|(_, t)| slow(pattern, t)),
                (Some(('?', rest)), Some((_, text))) => slow(rest, text),
                (Some((p, rest)), Some((t, text))) => p == t && slow(rest, text),
                _ => false,
            }
        }
        let words = |letters: &[char], max: usize| {
            let mut all = vec![String::new()];
            let mut from = 0;
            for _ in 0..max {
                let until = all.len();
                for i in from..until {
                    for c in letters {
                        all.push(format!("{}{c}", all[i]));
                    }
                }
                from = until;
            }
            all
        };
        let texts = words(&['a', 'ä'], 5);
        let mut matched = 0;
        for pattern in words(&['a', 'ä', '*', '?'], 5) {
            let compiled = glob(&pattern);
            let letters: Vec<char> = pattern.chars().collect();
            for text in &texts {
                let wanted = slow(&letters, &text.chars().collect::<Vec<_>>());
                assert_eq!(compiled.matches(text), wanted, "{pattern} on {text}");
                matched += usize::from(wanted);
            }
        }
        assert!(matched > 1000);
    }
}
