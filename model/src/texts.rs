//! Many texts joined into one, a line feed behind each: what is searched at once for keywords.
//!
//! ASCII letters are put into lower case on the way. No text is found across two of them unless it holds a line feed
//! itself. Must never lose a byte of a text.

/// Texts in the order in which they were added. Memory is reused.
#[derive(Debug, Default)]
pub struct Texts {
    /// The texts and their ends; what stands behind `len` is room.
    bytes: Vec<u8>,
    len: usize,
    /// Where each text ends; one [`Texts::END`] follows.
    ends: Vec<usize>,
    /// All bytes so far, one upon the other: the highest bit says whether any was not ASCII.
    bits: u8,
}

/// Texts are copied by this many bytes at once: copies of a length that the compiler knows are the fast ones.
const CHUNK: usize = 32;

impl Texts {
    /// Stands behind each text.
    pub const END: u8 = b'\n';

    /// Forgets all texts.
    #[inline]
    pub fn clear(&mut self) {
        self.len = 0;
        self.ends.clear();
        self.bits = 0;
    }

    /// Adds a text.
    #[inline]
    pub fn push(&mut self, text: &str) {
        self.push_part(text.as_bytes(), 0, text.len());
    }

    /// Adds the text that stands in `bytes` from `start`, `len` bytes. What lies behind may be copied with it, and is
    /// overwritten.
    #[inline]
    pub fn push_part(&mut self, bytes: &[u8], start: usize, len: usize) {
        let end = self.len + len;
        if self.bytes.len() <= end + CHUNK {
            self.bytes.resize((end + CHUNK + 1).next_power_of_two(), 0);
        }
        let mut copied = 0;
        while copied < len {
            let (from, to) = (start + copied, self.len + copied);
            match (bytes.get(from..from + CHUNK), self.bytes.get_mut(to..to + CHUNK)) {
                (Some(from), Some(to)) => {
                    to.copy_from_slice(from);
                    to.make_ascii_lowercase();
                    self.bits |= from.iter().fold(0, |bits, byte| bits | byte);
                }
                _ => return self.push_rest(bytes, start, len),
            }
            copied += CHUNK;
        }
        self.finish(end);
    }

    /// The last bytes of `bytes`, behind which no chunk can be read.
    #[inline(never)]
    fn push_rest(&mut self, bytes: &[u8], start: usize, len: usize) {
        let end = self.len + len;
        if let (Some(from), Some(to)) = (bytes.get(start..start + len), self.bytes.get_mut(self.len..end)) {
            to.copy_from_slice(from);
            to.make_ascii_lowercase();
            self.bits |= from.iter().fold(0, |bits, byte| bits | byte);
        }
        self.finish(end);
    }

    /// Adds a number or a truth value as JSON writes it: short, of ASCII, in lower case.
    #[inline]
    pub fn push_word(&mut self, word: &str) {
        let (from, end) = (word.as_bytes(), self.len + word.len());
        if self.bytes.len() <= end {
            self.bytes.resize((end + CHUNK + 1).next_power_of_two(), 0);
        }
        let to = self.bytes.get_mut(self.len..end).unwrap_or_default();
        match from.len() {
            8..=16 => copy_ends::<8>(from, to),
            4..=7 => copy_ends::<4>(from, to),
            _ => to.iter_mut().zip(from).for_each(|(to, from)| *to = *from),
        }
        self.finish(end);
    }

    #[inline]
    fn finish(&mut self, end: usize) {
        if let Some(behind) = self.bytes.get_mut(end) {
            *behind = Self::END;
        }
        self.ends.push(end);
        self.len = end + 1;
    }

    /// All texts, joined.
    #[inline]
    pub fn joined(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    /// Each text.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        let starts = std::iter::once(0).chain(self.ends.iter().map(|end| end + 1));
        let texts = starts.zip(&self.ends).filter_map(|(start, &end)| self.bytes.get(start..end));
        texts.map(|text| std::str::from_utf8(text).unwrap_or_default())
    }

    /// Nothing but ASCII was added, nor stood next to it: these are the texts in lower case.
    pub fn is_ascii(&self) -> bool {
        self.bits < 0x80
    }
}

/// Copies a text of N to 2 N bytes: its first N and its last N.
#[inline]
fn copy_ends<const N: usize>(from: &[u8], to: &mut [u8]) {
    if let (Some(from), Some(to)) = (from.first_chunk::<N>(), to.first_chunk_mut::<N>()) {
        *to = *from;
    }
    if let (Some(from), Some(to)) = (from.last_chunk::<N>(), to.last_chunk_mut::<N>()) {
        *to = *from;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_comes_out_as_it_went_in() {
        let all: String = ('a'..='z').chain('A'..='Z').cycle().take(300).collect();
        let mut texts = Texts::default();
        for round in 0..2 {
            texts.clear();
            let mut wanted = Vec::new();
            for len in [0, 1, 31, 32, 33, 64, 65, 100, 7] {
                for start in [0, 5, 300 - len] {
                    texts.push_part(all.as_bytes(), start, len);
                    wanted.push(all[start..start + len].to_lowercase());
                }
            }
            texts.push("é\nß");
            wanted.push("é\nß".to_owned());
            assert_eq!(texts.iter().collect::<Vec<_>>(), wanted, "round {round}");
            assert!(!texts.is_ascii());
            assert_eq!(texts.joined(), format!("{}\n", wanted.join("\n")).as_bytes());
        }
    }

    #[test]
    fn words_of_every_length_stand_among_texts() {
        let mut texts = Texts::default();
        let words: Vec<&str> = (0..=20).map(|len| &"12345678901234567890"[..len]).collect();
        for word in &words {
            texts.push_word(word);
            texts.push("x");
        }
        let wanted: Vec<&str> = words.iter().flat_map(|&word| [word, "x"]).collect();
        assert_eq!(texts.iter().collect::<Vec<_>>(), wanted);
        assert!(texts.is_ascii());
    }

    #[test]
    fn ascii_is_told_from_the_rest() {
        let mut texts = Texts::default();
        texts.push("MiXed");
        assert!(texts.is_ascii());
        assert_eq!(texts.iter().collect::<Vec<_>>(), ["mixed"]);
        texts.push("É");
        assert!(!texts.is_ascii());
        texts.clear();
        assert!(texts.is_ascii());
    }
}
