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

/// Cuts a buffer: appends the bounds of finished records and returns how many bytes are settled. With `at_end` the rest
/// is a record too.
pub fn split(cut: Cut, bytes: &[u8], at_end: bool, records: &mut Vec<Bounds>) -> usize {
    match cut {
        Cut::Lines => lines(bytes, at_end, records),
        Cut::Values => values(bytes, at_end, records),
    }
}

/// How to cut a file that may hold either: lines, when its first line is a whole object and another one follows.
pub fn guess(start: &[u8]) -> Cut {
    let Some(end) = memchr::memchr(b'\n', start) else { return Cut::Values };
    let first = trim(start, 0..end);
    let first = start.get(first).unwrap_or_default();
    let is_object = first.starts_with(b"{") && value_end(first, 0).is_some_and(|value| value == first.len());
    if is_object { Cut::Lines } else { Cut::Values }
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

fn values(bytes: &[u8], at_end: bool, records: &mut Vec<Bounds>) -> usize {
    let mut at = 0;
    let mut settled = 0;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            // White space, and what stands around the elements of a document that is one array.
            b' ' | b'\t' | b'\r' | b'\n' | b',' | b'[' | b']' => at += 1,
            b'{' => match value_end(bytes, at) {
                Some(end) => {
                    records.push(at..end);
                    at = end;
                }
                None if at_end => {
                    push(bytes, at..bytes.len(), records);
                    return bytes.len();
                }
                None => return settled,
            },
            _ => match memchr::memchr(b'\n', bytes.get(at..).unwrap_or_default()) {
                Some(line) => {
                    push(bytes, at..at + line, records);
                    at += line + 1;
                }
                None if at_end => {
                    push(bytes, at..bytes.len(), records);
                    return bytes.len();
                }
                None => return settled,
            },
        }
        settled = at;
    }
    settled
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

    fn records(cut: Cut, text: &str) -> Vec<&str> {
        let mut bounds = Vec::new();
        let settled = split(cut, text.as_bytes(), true, &mut bounds);
        assert_eq!(settled, text.len());
        bounds.into_iter().map(|b| &text[b]).collect()
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
    fn any_cut_of_the_stream_gives_the_same_records() {
        for (cut, text) in
            [(Cut::Values, "[{\"a\":\"\\\\\"},\n{\"b\":[{}]} ,{\"c\":1}]\n"), (Cut::Lines, "{\"a\":1}\n\n{\"b\":2}\nx")]
        {
            let whole = records(cut, text);
            for at in 0..=text.len() {
                let mut bounds = Vec::new();
                let settled = split(cut, &text.as_bytes()[..at], false, &mut bounds);
                let mut cut_up: Vec<&str> = bounds.into_iter().map(|b| &text[b]).collect();
                let mut bounds = Vec::new();
                split(cut, &text.as_bytes()[settled..], true, &mut bounds);
                cut_up.extend(bounds.into_iter().map(|b| &text[settled..][b]));
                assert_eq!(cut_up, whole, "cut at {at}");
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
