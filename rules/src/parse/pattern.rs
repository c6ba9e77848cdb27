//! Sigma's strings: wildcards, escapes, and what the modifiers add to them.
//!
//! A backslash takes the special meaning from `*`, `?` and a backslash that follow it; before anything else (and at the
//! end) it is a backslash. Must never produce two adjacent literals or two adjacent `Many`.

use crate::ast::{Pattern, Piece, TextHow};

/// Reads a string as written in a rule.
pub(crate) fn parse(text: &str, cased: bool) -> Pattern {
    let mut pieces = Vec::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '*' => push(&mut pieces, Piece::Many),
            '?' => push(&mut pieces, Piece::One),
            '\\' => {
                let escaped = chars.next_if(|next| matches!(next, '*' | '?' | '\\'));
                push_char(&mut pieces, escaped.unwrap_or('\\'));
            }
            c => push_char(&mut pieces, c),
        }
    }
    Pattern { pieces, cased }
}

/// A pattern that is this text and nothing else.
pub(crate) fn literal(text: String, cased: bool) -> Pattern {
    let pieces = if text.is_empty() { Vec::new() } else { vec![Piece::Literal(text)] };
    Pattern { pieces, cased }
}

/// The text of a pattern without wildcards.
pub(crate) fn plain(pattern: &Pattern) -> Option<String> {
    match pattern.pieces.as_slice() {
        [] => Some(String::new()),
        [Piece::Literal(text)] => Some(text.clone()),
        _ => None,
    }
}

/// Opens the ends that the modifier leaves open.
pub(crate) fn open(pattern: &mut Pattern, how: TextHow) {
    let mut pieces = Vec::with_capacity(pattern.pieces.len() + 2);
    if matches!(how, TextHow::Contains | TextHow::EndsWith) {
        pieces.push(Piece::Many);
    }
    for piece in pattern.pieces.drain(..) {
        push(&mut pieces, piece);
    }
    if matches!(how, TextHow::Contains | TextHow::StartsWith) {
        push(&mut pieces, Piece::Many);
    }
    pattern.pieces = pieces;
}

fn push(pieces: &mut Vec<Piece>, piece: Piece) {
    if piece == Piece::Many && pieces.last() == Some(&Piece::Many) {
        return;
    }
    pieces.push(piece);
}

fn push_char(pieces: &mut Vec<Piece>, c: char) {
    match pieces.last_mut() {
        Some(Piece::Literal(text)) => text.push(c),
        _ => pieces.push(Piece::Literal(c.to_string())),
    }
}
