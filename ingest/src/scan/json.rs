//! JSON by its bytes: where values start and end, and that they are what RFC 8259 allows, no more and no less.
//!
//! The text is known to be UTF-8. Takes exactly what `serde_json` takes when it skips a value; what texts with escapes
//! and numbers with fractions mean is left to it. Must never allocate, and never recurse.

use model::Invalid;

/// A JSON text and how far it has been read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Json<'t> {
    bytes: &'t [u8],
    at: usize,
}

/// A text: where it stands, without its quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Quoted {
    pub(super) start: usize,
    pub(super) end: usize,
    /// Escapes stand in it: its bytes are not its letters.
    pub(super) escaped: bool,
}

/// A value without parts and quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    Null,
    Bool(bool),
    /// A whole number of so few digits that it fits.
    Int(i64),
    /// Any other number, from here on.
    Number(usize),
}

/// So many digits fit in 64 bits with a sign.
const DIGITS_MAX: usize = 18;

impl<'t> Json<'t> {
    pub(super) fn new(text: &'t str) -> Json<'t> {
        Json { bytes: text.as_bytes(), at: 0 }
    }

    /// How far the text has been read.
    #[inline(always)]
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// The bytes of the whole text.
    #[inline(always)]
    pub(super) fn bytes(&self) -> &'t [u8] {
        self.bytes
    }

    /// The next byte that is not white space, which is passed; 0 at the end, and where no value can stand.
    #[inline(always)]
    pub(super) fn peek(&mut self) -> u8 {
        loop {
            match self.bytes.get(self.at) {
                Some(&byte) if byte > b' ' => return byte,
                Some(b' ' | b'\n' | b'\r' | b'\t') => self.at += 1,
                _ => return 0,
            }
        }
    }

    /// Passes the byte that was peeked at.
    #[inline(always)]
    pub(super) fn pass(&mut self) {
        self.at += 1;
    }

    /// Nothing but white space follows.
    pub(super) fn is_at_end(&mut self) -> bool {
        self.peek() == 0 && self.at == self.bytes.len()
    }

    /// Reads a key and the colon behind it.
    #[inline(always)]
    pub(super) fn key(&mut self) -> Result<Quoted, Invalid> {
        if self.peek() != b'"' {
            return Err(Invalid::NotJson);
        }
        let key = self.text()?;
        if self.peek() != b':' {
            return Err(Invalid::NotJson);
        }
        self.pass();
        Ok(key)
    }

    /// Reads a text whose first quote is next.
    #[inline(always)]
    pub(super) fn text(&mut self) -> Result<Quoted, Invalid> {
        let start = self.at + 1;
        let end = self.plain_end(start);
        if self.bytes.get(end) == Some(&b'"') {
            self.at = end + 1;
            return Ok(Quoted { start, end, escaped: false });
        }
        self.escaped_text(start, end)
    }

    /// The rest of a text in which something else than letters stands.
    #[inline(never)]
    fn escaped_text(&mut self, start: usize, mut at: usize) -> Result<Quoted, Invalid> {
        loop {
            at = match (self.bytes.get(at), self.bytes.get(at + 1)) {
                (Some(b'"'), _) => break,
                (Some(b'\\'), Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't')) => at + 2,
                (Some(b'\\'), Some(b'u')) => {
                    let digits = self.bytes.get(at + 2..at + 6).ok_or(Invalid::NotJson)?;
                    if !digits.iter().all(u8::is_ascii_hexdigit) {
                        return Err(Invalid::NotJson);
                    }
                    at + 6
                }
                _ => return Err(Invalid::NotJson),
            };
            at = self.plain_end(at);
        }
        self.at = at + 1;
        Ok(Quoted { start, end: at, escaped: true })
    }

    /// The first quote, backslash or control character from `at` on, eight bytes at a time; the end where there is none.
    #[inline(always)]
    fn plain_end(&self, mut at: usize) -> usize {
        for _ in 0..4 {
            let Some(chunk) = self.bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) else {
                return self.plain_end_of_few(at);
            };
            let found = special(u64::from_le_bytes(*chunk));
            if found != 0 {
                return at + (found.trailing_zeros() / 8) as usize;
            }
            at += 8;
        }
        self.plain_end_of_long(at)
    }

    /// The same for long texts: 32 bytes at a time, which processors compare at once.
    #[inline(never)]
    fn plain_end_of_long(&self, mut at: usize) -> usize {
        while let Some(chunk) = self.bytes.get(at..).and_then(|rest| rest.first_chunk::<32>()) {
            let found = chunk.iter().fold(false, |found, &byte| found | ends_plain(byte));
            if found {
                break;
            }
            at += 32;
        }
        self.plain_end_of_few(at)
    }

    #[cold]
    fn plain_end_of_few(&self, at: usize) -> usize {
        let rest = self.bytes.get(at..).unwrap_or_default();
        at + rest.iter().position(|&byte| ends_plain(byte)).unwrap_or(rest.len())
    }

    /// Reads a value that starts with neither quote nor bracket, whose first byte is `first`.
    #[inline(always)]
    pub(super) fn word(&mut self, first: u8) -> Result<Word, Invalid> {
        let (letters, word): (&[u8], Word) = match first {
            b'0'..=b'9' | b'-' => return self.number(),
            b't' => (b"true", Word::Bool(true)),
            b'f' => (b"false", Word::Bool(false)),
            b'n' => (b"null", Word::Null),
            _ => return Err(Invalid::NotJson),
        };
        if !self.bytes.get(self.at..).is_some_and(|rest| rest.starts_with(letters)) {
            return Err(Invalid::NotJson);
        }
        self.at += letters.len();
        Ok(word)
    }

    #[inline]
    fn number(&mut self) -> Result<Word, Invalid> {
        let start = self.at;
        let negative = self.bytes.get(start) == Some(&b'-');
        self.at += usize::from(negative);
        let first = self.at;
        let whole = self.digits();
        let digits = self.at - first;
        let leading_zero = digits > 1 && self.bytes.get(first) == Some(&b'0');
        if digits == 0 || leading_zero {
            return Err(Invalid::NotJson);
        }
        let mut is_whole = true;
        if self.bytes.get(self.at) == Some(&b'.') {
            self.at += 1;
            is_whole = false;
            self.some_digits()?;
        }
        if let Some(b'e' | b'E') = self.bytes.get(self.at) {
            self.at += 1;
            is_whole = false;
            if let Some(b'+' | b'-') = self.bytes.get(self.at) {
                self.at += 1;
            }
            self.some_digits()?;
        }
        // Minus zero is no whole number.
        let fits = is_whole && digits <= DIGITS_MAX && !(negative && whole == 0);
        Ok(if fits { Word::Int(if negative { -whole } else { whole }) } else { Word::Number(start) })
    }

    /// Passes digits and says what they make, where they are few.
    #[inline(always)]
    fn digits(&mut self) -> i64 {
        let mut whole = 0i64;
        while let Some(digit @ b'0'..=b'9') = self.bytes.get(self.at) {
            whole = whole.wrapping_mul(10).wrapping_add(i64::from(digit - b'0'));
            self.at += 1;
        }
        whole
    }

    fn some_digits(&mut self) -> Result<(), Invalid> {
        let start = self.at;
        self.digits();
        if self.at > start { Ok(()) } else { Err(Invalid::NotJson) }
    }

    /// Passes the next value. Within it at most `room` values may stand in each other, fewer than 128.
    #[inline]
    pub(super) fn skip(&mut self, room: usize) -> Result<(), Invalid> {
        match self.peek() {
            b'"' => self.text().map(|_| ()),
            b'{' | b'[' => self.skip_all(room),
            first => self.word(first).map(|_| ()),
        }
    }

    #[inline(never)]
    fn skip_all(&mut self, room: usize) -> Result<(), Invalid> {
        // One bit for each object or list that is open, 1 for objects; the innermost is the lowest.
        let (mut open, mut objects) = (0, 0u128);
        loop {
            match self.peek() {
                b'"' => {
                    self.text()?;
                }
                first @ (b'{' | b'[') => {
                    if open == room {
                        return Err(Invalid::TooDeep);
                    }
                    let is_object = first == b'{';
                    self.pass();
                    if self.peek() == first + 2 {
                        self.pass();
                    } else {
                        open += 1;
                        objects = objects << 1 | u128::from(is_object);
                        if is_object {
                            self.key()?;
                        }
                        continue;
                    }
                }
                first => {
                    self.word(first)?;
                }
            }
            loop {
                if open == 0 {
                    return Ok(());
                }
                let in_object = objects & 1 == 1;
                match self.peek() {
                    b',' => {
                        self.pass();
                        if in_object {
                            self.key()?;
                        }
                        break;
                    }
                    last @ (b'}' | b']') if in_object == (last == b'}') => {
                        self.pass();
                        open -= 1;
                        objects >>= 1;
                    }
                    _ => return Err(Invalid::NotJson),
                }
            }
        }
    }
}

/// No letter of a text as it stands.
#[inline(always)]
fn ends_plain(byte: u8) -> bool {
    (byte == b'"') | (byte == b'\\') | (byte < b' ')
}

const ONES: u64 = u64::MAX / 255;

/// The highest bit of the first byte that [`ends_plain`]; what bits behind it say means nothing.
#[inline(always)]
fn special(word: u64) -> u64 {
    let quote = word ^ (ONES * b'"' as u64);
    let slash = word ^ (ONES * b'\\' as u64);
    let is_quote = quote.wrapping_sub(ONES) & !quote;
    let is_slash = slash.wrapping_sub(ONES) & !slash;
    let is_control = word.wrapping_sub(ONES * b' ' as u64) & !word;
    (is_quote | is_slash | is_control) & (ONES << 7)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_end_at_their_quotes_wherever_they_stand() {
        for length in 0..100 {
            for (inside, escaped) in [("", false), ("\\\"", true), ("\\u00e9", true), ("é", false), ("\u{7f}", false)]
            {
                for place in [0, length / 2, length] {
                    let letters = "x".repeat(length);
                    let text = format!("{}{inside}{}", &letters[..place], &letters[place..]);
                    for behind in ["", ",", "    ,\"other text that follows\""] {
                        let whole = format!("\"{text}\"{behind}");
                        let mut json = Json::new(&whole);
                        let wanted = Quoted { start: 1, end: 1 + text.len(), escaped };
                        assert_eq!(json.text(), Ok(wanted), "{whole}");
                        assert_eq!(json.at(), text.len() + 2);
                    }
                    for wrong in ["\u{1}", "\n", "\u{1f}", "\\x", "\\u12g4", "\\u1"] {
                        let whole = format!("\"{}{wrong}{}\"", &letters[..place], &letters[place..]);
                        assert_eq!(Json::new(&whole).text(), Err(Invalid::NotJson), "{whole}");
                    }
                    assert_eq!(Json::new(&format!("\"{text}")).text(), Err(Invalid::NotJson), "{text}");
                }
            }
        }
    }

    #[test]
    fn numbers_are_what_they_say() {
        for (text, wanted) in [
            ("0", Ok(Word::Int(0))),
            ("-7", Ok(Word::Int(-7))),
            ("999999999999999999", Ok(Word::Int(999_999_999_999_999_999))),
            ("1000000000000000000", Ok(Word::Number(0))),
            ("-0", Ok(Word::Number(0))),
            ("1.5", Ok(Word::Number(0))),
            ("1e9", Ok(Word::Number(0))),
            ("01", Err(Invalid::NotJson)),
            ("-", Err(Invalid::NotJson)),
            ("1.", Err(Invalid::NotJson)),
            ("1e+", Err(Invalid::NotJson)),
            ("nul", Err(Invalid::NotJson)),
            ("nan", Err(Invalid::NotJson)),
        ] {
            assert_eq!(Json::new(text).word(text.as_bytes()[0]), wanted, "{text}");
        }
    }
}
