//! Cutting a byte stream into records: one a line, or one JSON value after another.
//!
//! Works on whatever has been read so far and says how much of it is settled. Must never hold a record back because its
//! neighbour is broken, and never keep more of an overlong record than its start.

/// How a stream is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// One record a line.
    Lines,
    /// Values one after another, on as many lines as they take; the elements of an array that is the whole document.
    Values,
}

/// Bounds of a record in a buffer, white space cut off.
pub type Bounds = std::ops::Range<usize>;

/// Cuts one stream, buffer after buffer.
#[derive(Debug, Clone, Copy)]
pub struct Cutter {
    cut: Cut,
    /// Arrays around the next value that are still open.
    open: usize,
    /// Something has been cut, so that a comma may follow.
    begun: bool,
    /// A stretch of the stream was left out: which arrays are open is no longer known.
    lost: bool,
}

/// What a buffer was cut into, beside its records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settled {
    /// How many bytes are settled: the next buffer starts behind them.
    pub bytes: usize,
    /// The stream ends in the middle: the last record is what there is of one (nothing, where an array is not closed).
    pub torn: bool,
}

impl Settled {
    fn whole(bytes: usize) -> Settled {
        Settled { bytes, torn: false }
    }
}

impl Cutter {
    /// A cutter at the start of a stream.
    pub fn new(cut: Cut) -> Cutter {
        Cutter { cut, open: 0, begun: false, lost: false }
    }

    /// The next buffer does not start where the last one was settled.
    pub fn lose(&mut self) {
        self.lost = true;
    }

    /// Cuts a buffer: appends the bounds of finished records. With `at_end` the rest is a record too.
    pub fn split(&mut self, bytes: &[u8], at_end: bool, records: &mut Vec<Bounds>) -> Settled {
        match self.cut {
            Cut::Lines => Settled::whole(lines(bytes, at_end, records)),
            Cut::Values => self.values(bytes, at_end, records),
        }
    }

    fn values(&mut self, bytes: &[u8], at_end: bool, records: &mut Vec<Bounds>) -> Settled {
        let mut at = 0;
        let mut settled = 0;
        while let Some(&byte) = bytes.get(at) {
            let end = match byte {
                b' ' | b'\t' | b'\r' | b'\n' => {
                    at += 1;
                    settled = at;
                    continue;
                }
                // What stands around the elements of a document that is one array.
                b',' if self.begun || self.lost => Piece::Between(at + 1),
                b']' if self.open > 0 || self.lost => {
                    self.open = self.open.saturating_sub(1);
                    Piece::Between(at + 1)
                }
                b'[' => self.opened(bytes, at),
                b'{' => value_end(bytes, at).map_or(Piece::Open, Piece::Record),
                _ if self.open > 0 => scalar_end(bytes, at),
                _ => match memchr::memchr(b'\n', bytes.get(at..).unwrap_or_default()) {
                    Some(line) => Piece::Record(at + line),
                    None if at_end => Piece::Record(bytes.len()),
                    None => return Settled::whole(settled),
                },
            };
            match end {
                Piece::Between(end) => at = end,
                Piece::Record(end) => {
                    push(bytes, at..end, records);
                    self.begun = true;
                    at = end;
                }
                Piece::Open if at_end => {
                    push(bytes, at..bytes.len(), records);
                    return Settled { bytes: bytes.len(), torn: true };
                }
                Piece::Open => return Settled::whole(settled),
            }
            settled = at;
        }
        let torn = at_end && self.open > 0 && !self.lost;
        if torn {
            records.push(bytes.len()..bytes.len());
        }
        Settled { bytes: settled, torn }
    }

    /// An array starts here: one without elements is a record, of others the elements are.
    fn opened(&mut self, bytes: &[u8], at: usize) -> Piece {
        let inside = trim(bytes, at + 1..bytes.len());
        match bytes.get(inside.start) {
            None => Piece::Open,
            Some(b']') => Piece::Record(inside.start + 1),
            Some(_) => {
                self.open += 1;
                Piece::Between(at + 1)
            }
        }
    }
}

/// What starts at a place of a stream of values, and where it ends.
enum Piece {
    /// No record.
    Between(usize),
    /// A record.
    Record(usize),
    /// It does not end in this buffer.
    Open,
}

/// End of an array's element that is neither object nor array: broken or not, it ends with its line at the latest.
fn scalar_end(bytes: &[u8], start: usize) -> Piece {
    let (mut in_text, mut at) = (false, start);
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\n' => return Piece::Record(at),
            b',' | b']' if !in_text => return Piece::Record(at),
            b'"' => in_text = !in_text,
            b'\\' if in_text => at += 1,
            _ => {}
        }
        at += 1;
    }
    Piece::Open
}

/// The record is one object or array from its first byte to its last.
pub fn is_whole(record: &[u8]) -> bool {
    matches!(record.first(), Some(b'{' | b'[')) && value_end(record, 0) == Some(record.len())
}

/// How to cut a file that may hold either: lines, when its first line is a whole object and another one follows.
pub fn guess(start: &[u8]) -> Cut {
    let Some(end) = memchr::memchr(b'\n', start) else { return Cut::Values };
    let first = trim(start, 0..end);
    let first = start.get(first).unwrap_or_default();
    if first.starts_with(b"{") && is_whole(first) { Cut::Lines } else { Cut::Values }
}

fn lines(bytes: &[u8], at_end: bool, records: &mut Vec<Bounds>) -> usize {
    let mut start = 0;
    for newline in memchr::memchr_iter(b'\n', bytes) {
        push(bytes, start..newline, records);
        start = newline + 1;
    }
    if at_end {
        push(bytes, start..bytes.len(), records);
        start = bytes.len();
    }
    start
}

fn push(bytes: &[u8], bounds: Bounds, records: &mut Vec<Bounds>) {
    let bounds = trim(bytes, bounds);
    if !bounds.is_empty() {
        records.push(bounds);
    }
}

fn trim(bytes: &[u8], mut bounds: Bounds) -> Bounds {
    let white = |at: usize| bytes.get(at).is_some_and(|b| matches!(b, b' ' | b'\t' | b'\r' | b'\n'));
    while bounds.start < bounds.end && white(bounds.start) {
        bounds.start += 1;
    }
    while bounds.start < bounds.end && white(bounds.end - 1) {
        bounds.end -= 1;
    }
    bounds
}

/// End of the object or array that starts here; None: it is not there yet.
fn value_end(bytes: &[u8], start: usize) -> Option<usize> {
    let (mut depth, mut in_text, mut at) = (0usize, false, start);
    while at < bytes.len() {
        let rest = bytes.get(at..)?;
        if in_text {
            at += memchr::memchr2(b'"', b'\\', rest)?;
            match bytes.get(at) {
                Some(b'\\') => at += 2,
                _ => {
                    in_text = false;
                    at += 1;
                }
            }
            continue;
        }
        match rest.first()? {
            b'"' => in_text = true,
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
        at += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(cut: Cut, text: &str) -> (Vec<&str>, bool) {
        let mut bounds = Vec::new();
        let settled = Cutter::new(cut).split(text.as_bytes(), true, &mut bounds);
        assert_eq!(settled.bytes, text.len());
        (bounds.into_iter().map(|b| &text[b]).collect(), settled.torn)
    }

    fn records(how: Cut, text: &str) -> Vec<&str> {
        cut(how, text).0
    }

    #[test]
    fn lines_with_mixed_ends_and_blank_ones() {
        assert_eq!(records(Cut::Lines, "{\"a\":1}\r\n\n  x \n{\"b\":2}"), ["{\"a\":1}", "x", "{\"b\":2}"]);
    }

    #[test]
    fn values_on_many_lines_and_in_one_array() {
        assert_eq!(records(Cut::Values, "{\n\"a\": \"}\\\"\"\n}\n{}"), ["{\n\"a\": \"}\\\"\"\n}", "{}"]);
        assert_eq!(records(Cut::Values, "[\n {\"a\":[1]},\n {\"b\":2} ]\n"), ["{\"a\":[1]}", "{\"b\":2}"]);
        assert_eq!(records(Cut::Values, "{\"a\":1} garbage\n{\"b\":2}"), ["{\"a\":1}", "garbage", "{\"b\":2}"]);
        assert_eq!(records(Cut::Values, "{\"a\":1}{\"b\":"), ["{\"a\":1}", "{\"b\":"]);
    }

    #[test]
    fn an_array_without_elements_is_a_record_and_so_is_what_stands_outside_of_any() {
        for (text, expected) in [
            ("", vec![]),
            (" \n", vec![]),
            ("[]", vec!["[]"]),
            (" [ \n ]\n", vec!["[ \n ]"]),
            ("[[]]", vec!["[]"]),
            ("[[],\n[ ]]", vec!["[]", "[ ]"]),
            ("{}", vec!["{}"]),
            ("[{}]", vec!["{}"]),
            ("[1, \"a],\\\"\", null]", vec!["1", "\"a],\\\"\"", "null"]),
            ("[{\"a\":1}, oops\n]", vec!["{\"a\":1}", "oops"]),
            ("]", vec!["]"]),
            (",", vec![","]),
            ("[]]\n{}", vec!["[]", "]", "{}"]),
            ("{},{}", vec!["{}", "{}"]),
        ] {
            assert_eq!(cut(Cut::Values, text), (expected, false), "{text}");
        }
    }

    #[test]
    fn a_stream_that_ends_in_the_middle_says_so() {
        for (text, expected) in [
            ("[", vec!["["]),
            ("[[", vec!["["]),
            ("[{\"a\":1}", vec!["{\"a\":1}", ""]),
            ("[{\"a\":1},\n", vec!["{\"a\":1}", ""]),
            ("[{\"a\":1},{\"b\":", vec!["{\"a\":1}", "{\"b\":"]),
            ("[[{\"a\":1}]", vec!["{\"a\":1}", ""]),
            ("[1, 2", vec!["1", "2"]),
            ("{\"a\":1}{\"b\":", vec!["{\"a\":1}", "{\"b\":"]),
        ] {
            assert_eq!(cut(Cut::Values, text), (expected, true), "{text}");
        }
        assert!(!cut(Cut::Lines, "{\"a\":1}\n{\"b\":").1);
    }

    #[test]
    fn any_cut_of_the_stream_gives_the_same_records() {
        for (how, text) in [
            (Cut::Values, "[{\"a\":\"\\\\\"},\n{\"b\":[{}]} ,{\"c\":1}, 17, [ ], [[{}]]]\n[]"),
            (Cut::Values, "[ {\"a\":1}, \"x\\\"]\", {"),
            (Cut::Lines, "{\"a\":1}\n\n{\"b\":2}\nx"),
        ] {
            let whole = cut(how, text);
            for at in 0..=text.len() {
                let (mut cutter, mut bounds) = (Cutter::new(how), Vec::new());
                let settled = cutter.split(&text.as_bytes()[..at], false, &mut bounds).bytes;
                let mut cut_up: Vec<&str> = bounds.into_iter().map(|b| &text[b]).collect();
                let mut bounds = Vec::new();
                let end = cutter.split(&text.as_bytes()[settled..], true, &mut bounds);
                cut_up.extend(bounds.into_iter().map(|b| &text[settled..][b]));
                assert_eq!((cut_up, end.torn), whole, "cut at {at}");
            }
        }
    }

    #[test]
    fn guesses_lines_where_the_first_line_is_whole() {
        assert_eq!(guess(b"{\"a\":1}\n{\"b\": \n"), Cut::Lines);
        assert_eq!(guess(b"{\n\"a\":1}\n"), Cut::Values);
        assert_eq!(guess(b"[{\"a\":1},\n{}]"), Cut::Values);
        assert_eq!(guess(b"{\"Records\":[]}"), Cut::Values);
    }
}
