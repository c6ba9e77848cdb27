//! Text behind text: JSON escapes and percent signs undone with the way back, and base64 read at every phase.
//!
//! Must never fail: what cannot be decoded stands for itself.

use std::borrow::Cow;
use std::ops::Range;

/// Shorter runs of base64 hold no known shape.
const RUN_BYTES_MIN: usize = 24;

/// A text with its escapes undone, and where each byte came from.
#[derive(Debug)]
pub(super) struct Decoded<'t> {
    pub(super) text: Cow<'t, str>,
    /// By byte of the text, and one more for its end: the place in the raw text. Empty: the same place.
    places: Vec<u32>,
}

impl<'t> Decoded<'t> {
    pub(super) fn of(text: Cow<'t, str>) -> Decoded<'t> {
        Decoded { text, places: Vec::new() }
    }

    /// One level of escapes less; None where there is none.
    pub(super) fn decode(&self) -> Option<Decoded<'static>> {
        let bytes = self.text.as_bytes();
        // Places are 32 bits wide: a record is smaller than that.
        let first = bytes.iter().position(|&b| b == b'\\' || b == b'%').filter(|_| bytes.len() < u32::MAX as usize)?;
        let mut text = String::with_capacity(bytes.len());
        let mut places = Vec::with_capacity(bytes.len() + 1);
        let mut at = 0;
        let mut changed = false;
        while at < bytes.len() {
            let run = if at < first { first } else { next_escape(bytes, at) };
            text.push_str(self.text.get(at..run).unwrap_or_default());
            places.extend((at..run).map(|byte| self.raw(byte)));
            at = run;
            if at == bytes.len() {
                break;
            }
            let (decoded, length) = escape(bytes.get(at..).unwrap_or_default());
            changed |= length > 1;
            let before = text.len();
            text.push(decoded);
            places.extend(std::iter::repeat_n(self.raw(at), text.len() - before));
            at += length;
        }
        places.push(self.raw(bytes.len()));
        changed.then_some(Decoded { text: text.into(), places })
    }

    fn raw(&self, at: usize) -> u32 {
        if self.places.is_empty() { at as u32 } else { self.places.get(at).copied().unwrap_or(u32::MAX) }
    }

    /// Where a stretch of the text stands in the raw text.
    pub(super) fn place(&self, at: &Range<usize>) -> Range<usize> {
        self.raw(at.start) as usize..self.raw(at.end) as usize
    }
}

fn next_escape(bytes: &[u8], from: usize) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    rest.iter().position(|&b| b == b'\\' || b == b'%').map_or(bytes.len(), |at| from + at)
}

/// The character that an escape stands for, and how many bytes it takes. What is no escape stands for its first byte.
fn escape(bytes: &[u8]) -> (char, usize) {
    let hex = |from: usize, digits: usize| {
        let digits = std::str::from_utf8(bytes.get(from..from + digits)?).ok()?;
        digits.bytes().all(|b| b.is_ascii_hexdigit()).then(|| u32::from_str_radix(digits, 16).ok()).flatten()
    };
    match bytes {
        [b'\\', b'u', ..] => match hex(2, 4) {
            // Halves of a surrogate pair are no part of a credential.
            Some(code) => (char::from_u32(code).unwrap_or('\u{fffd}'), 6),
            None => ('\\', 1),
        },
        [b'\\', next @ (b'"' | b'\\' | b'/' | b'\''), ..] => (*next as char, 2),
        [b'\\', b'n', ..] => ('\n', 2),
        [b'\\', b'r', ..] => ('\r', 2),
        [b'\\', b't', ..] => ('\t', 2),
        [b'\\', b'b' | b'f', ..] => (' ', 2),
        [b'\\', b'x', ..] => ascii(hex(2, 2)).map_or(('\\', 1), |c| (c, 4)),
        [b'%', ..] => ascii(hex(1, 2)).map_or(('%', 1), |c| (c, 3)),
        [first, ..] => (*first as char, 1),
        [] => (' ', 1),
    }
}

fn ascii(code: Option<u32>) -> Option<char> {
    char::from_u32(code?).filter(char::is_ascii)
}

/// Stretches that can be base64, in either alphabet, with what pads them.
pub(super) fn base64_runs(text: &str) -> impl Iterator<Item = Range<usize>> {
    let bytes = text.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let start = at + bytes.get(at..)?.iter().position(|&b| value(b).is_some())?;
            let rest = bytes.get(start..)?;
            let length = rest.iter().position(|&b| value(b).is_none()).unwrap_or(rest.len());
            let padding = rest.iter().skip(length).take(2).take_while(|&&b| b == b'=').count();
            at = start + length + padding;
            if length >= RUN_BYTES_MIN {
                return Some(start..at);
            }
        }
    })
}

/// The bytes of a run of base64, from each of its first four characters on: what stands before it may have run into it.
pub(super) fn base64_readings(run: &str) -> impl Iterator<Item = Vec<u8>> {
    (0..4).filter_map(move |phase| {
        let mut bytes = Vec::with_capacity(run.len() / 4 * 3 + 3);
        for group in run.as_bytes().get(phase..)?.chunks(4) {
            let values = group.iter().map_while(|&b| value(b));
            let (bits, known) = values.fold((0, 0), |(bits, known), six| (bits << 6 | u32::from(six), known + 1));
            let bits = bits << (6 * (4 - known));
            let whole = [(bits >> 16) as u8, (bits >> 8) as u8, bits as u8];
            bytes.extend(whole.iter().take(if known < 2 { 0 } else { known - 1 }));
        }
        Some(bytes)
    })
}

fn value(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' | b'-' => Some(62),
        b'/' | b'_' => Some(63),
        _ => None,
    }
}
