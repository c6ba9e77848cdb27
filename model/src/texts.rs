//! Many texts joined into one, a line feed behind each: what is searched at once for keywords.
//!
//! No text is found across two of them unless it holds a line feed itself. Must never lose a byte of a text.

/// Texts in the order in which they were added. Memory is reused.
#[derive(Debug, Default)]
pub struct Texts {
    /// The texts and their ends; what stands behind `len` is room.
    bytes: Vec<u8>,
    len: usize,
    /// Where each text ends; one [`Texts::END`] follows.
    ends: Vec<usize>,
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
                (Some(from), Some(to)) => to.copy_from_slice(from),
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

    /// Replaces these texts by those of `cased` in lower case, if all are ASCII; false: some are not, and nothing is done.
    pub fn copy_lower_case(&mut self, cased: &Texts) -> bool {
        let joined = cased.joined();
        if !joined.is_ascii() {
            return false;
        }
        self.clear();
        self.bytes.clear();
        self.bytes.extend_from_slice(joined);
        self.bytes.make_ascii_lowercase();
        self.len = joined.len();
        self.ends.extend_from_slice(&cased.ends);
        true
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
                    wanted.push(&all[start..start + len]);
                }
            }
            texts.push("é\nß");
            wanted.push("é\nß");
            assert_eq!(texts.iter().collect::<Vec<_>>(), wanted, "round {round}");
            assert_eq!(texts.joined(), format!("{}\n", wanted.join("\n")).as_bytes());
        }
    }

    #[test]
    fn lower_case_is_for_ascii() {
        let (mut cased, mut lower) = (Texts::default(), Texts::default());
        cased.push("MiXed");
        cased.push("");
        assert!(lower.copy_lower_case(&cased));
        assert_eq!(lower.iter().collect::<Vec<_>>(), ["mixed", ""]);
        lower.clear();
        lower.push("again");
        assert_eq!(lower.iter().collect::<Vec<_>>(), ["again"]);
        cased.push("É");
        assert!(!lower.copy_lower_case(&cased));
    }
}
