//! Modifiers that rewrite a value before it is compared: `windash`, the UTF-16 encodings, `base64`, `base64offset`.
//!
//! Works on patterns and bytes only. Must never guess: what cannot be encoded is an error with the way out.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::problem::Problem;
use crate::ast::{Pattern, Piece};

/// The characters that `windash` treats as one: hyphen, slash, en dash, em dash, horizontal bar.
const DASHES: [char; 5] = ['-', '/', '\u{2013}', '\u{2014}', '\u{2015}'];

/// Dashes in one value; 5⁶ = 15,625 variants.
const DASHES_MAX: usize = 6;

/// A value on its way through the modifiers.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Stage {
    /// Text with wildcards.
    Text(Pattern),
    /// Bytes that an encoding has made.
    Bytes(Vec<u8>),
}

/// An encoding modifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Windash,
    Utf16Le,
    Utf16Be,
    /// With the byte order mark FF FE.
    Utf16,
    Base64,
    Base64Offset,
}

/// Applies one modifier to one value: the variants that it makes.
pub(super) fn apply(stage: Stage, encoding: Encoding, line: usize) -> Result<Vec<Stage>, Problem> {
    if encoding == Encoding::Windash {
        return match stage {
            Stage::Text(pattern) => windash(&pattern, line),
            Stage::Bytes(_) => Err(Problem::new(line, "windash cannot follow an encoding").hint("write windash first")),
        };
    }
    let bytes = bytes_of(stage, line)?;
    if bytes.is_empty() {
        return Err(Problem::new(line, "an empty value cannot be encoded").hint("give it a text, or drop the encoding"));
    }
    Ok(match encoding {
        Encoding::Utf16Le => vec![Stage::Bytes(utf16(&bytes, line, u16::to_le_bytes)?)],
        Encoding::Utf16Be => vec![Stage::Bytes(utf16(&bytes, line, u16::to_be_bytes)?)],
        Encoding::Utf16 => {
            let mut with_mark = vec![0xff, 0xfe];
            with_mark.extend(utf16(&bytes, line, u16::to_le_bytes)?);
            vec![Stage::Bytes(with_mark)]
        }
        Encoding::Base64 => vec![Stage::Bytes(STANDARD.encode(&bytes).into_bytes())],
        Encoding::Base64Offset | Encoding::Windash => offsets(&bytes),
    })
}

/// The value as a pattern again.
pub(super) fn finish(stage: Stage, cased: bool, line: usize) -> Result<Pattern, Problem> {
    match stage {
        Stage::Text(pattern) => Ok(Pattern { cased, ..pattern }),
        Stage::Bytes(bytes) => match String::from_utf8(bytes) {
            Ok(text) => Ok(super::pattern::literal(text, cased)),
            Err(_) => Err(Problem::new(line, "the encoded value is no text")
                .hint("put base64 or base64offset behind the UTF-16 modifier")),
        },
    }
}

fn bytes_of(stage: Stage, line: usize) -> Result<Vec<u8>, Problem> {
    match stage {
        Stage::Bytes(bytes) => Ok(bytes),
        Stage::Text(pattern) => super::pattern::plain(&pattern).map(String::into_bytes).ok_or_else(|| {
            Problem::new(line, "a wildcard cannot be encoded").hint("write \\* or \\? for the character itself")
        }),
    }
}

fn utf16(bytes: &[u8], line: usize, order: fn(u16) -> [u8; 2]) -> Result<Vec<u8>, Problem> {
    let text = std::str::from_utf8(bytes).map_err(|_| {
        Problem::new(line, "only text can be encoded as UTF-16").hint("use one UTF-16 modifier, before base64")
    })?;
    Ok(text.encode_utf16().flat_map(order).collect())
}

/// The three encodings of a value inside a longer base64 text, cut to the characters that its neighbours do not touch.
fn offsets(bytes: &[u8]) -> Vec<Stage> {
    (0..3_usize)
        .filter_map(|offset| {
            let mut padded = vec![b' '; offset];
            padded.extend_from_slice(bytes);
            let encoded = STANDARD.encode(&padded);
            let start = [0, 2, 3].get(offset).copied()?;
            let cut = [0, 3, 2].get(padded.len() % 3).copied()?;
            let stable = encoded.get(start..encoded.len().checked_sub(cut)?)?;
            (!stable.is_empty()).then(|| Stage::Bytes(stable.as_bytes().to_vec()))
        })
        .collect()
}

/// Every hyphen, and the other four where they open a word, in all permutations.
fn windash(pattern: &Pattern, line: usize) -> Result<Vec<Stage>, Problem> {
    let mut dashes = 0;
    let mut variants: Vec<Vec<Piece>> = vec![Vec::new()];
    for piece in &pattern.pieces {
        let Piece::Literal(text) = piece else {
            variants.iter_mut().for_each(|variant| variant.push(piece.clone()));
            continue;
        };
        variants.iter_mut().for_each(|variant| variant.push(Piece::Literal(String::new())));
        let mut before = ' ';
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            let opens_word = !is_word(before) && chars.peek().is_some_and(|next| is_word(*next));
            before = c;
            if c == '-' || (DASHES.contains(&c) && opens_word) {
                dashes += 1;
                if dashes > DASHES_MAX {
                    return Err(Problem::new(line, format!("windash: more than {DASHES_MAX} dashes in one value"))
                        .hint("split the value into several with |contains|all"));
                }
                variants =
                    variants.iter().flat_map(|variant| DASHES.iter().map(|dash| with_char(variant, *dash))).collect();
            } else {
                variants.iter_mut().for_each(|variant| append(variant, c));
            }
        }
    }
    Ok(variants.into_iter().map(|pieces| Stage::Text(Pattern { pieces, cased: pattern.cased })).collect())
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn with_char(variant: &[Piece], c: char) -> Vec<Piece> {
    let mut copy = variant.to_vec();
    append(&mut copy, c);
    copy
}

fn append(variant: &mut [Piece], c: char) {
    if let Some(Piece::Literal(text)) = variant.last_mut() {
        text.push(c);
    }
}
