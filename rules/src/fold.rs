//! Case folding: how two texts are compared when case does not matter.
//!
//! Unicode simple case folding (CaseFolding.txt, statuses C and S): one character to one character, so that `?` and
//! positions mean the same before and after. Must never depend on a locale.

/// Appends the folded text.
pub fn fold_into(folded: &mut String, text: &str) {
    if text.is_ascii() {
        let start = folded.len();
        folded.push_str(text);
        if let Some(tail) = folded.get_mut(start..) {
            tail.make_ascii_lowercase();
        }
    } else {
        folded.extend(text.chars().map(fold_char));
    }
}

/// Folded values of one record. Where many are asked for, a record of ASCII is folded as a whole, and its values stand in
/// it where they stood; otherwise they are folded one by one.
#[derive(Debug, Default)]
pub(crate) struct Folded {
    /// Empty: not folded yet, or not of ASCII.
    record: String,
    /// Folded as a whole, if that is to be.
    is_known: bool,
    value: String,
}

impl Folded {
    /// Forgets the last record; of the next one many values are asked for, or few.
    pub(crate) fn clear(&mut self, many: bool) {
        self.record.clear();
        self.is_known = !many;
    }

    /// A value of the record, folded.
    #[inline]
    pub(crate) fn of(&mut self, text: &str, record: &str) -> &str {
        if !self.is_known {
            self.is_known = true;
            if record.is_ascii() {
                self.record.push_str(record);
                self.record.make_ascii_lowercase();
            }
        }
        let start = (text.as_ptr() as usize).wrapping_sub(record.as_ptr() as usize);
        if let Some(end) = start.checked_add(text.len())
            && let Some(folded) = self.record.get(start..end)
        {
            return folded;
        }
        self.value.clear();
        fold_into(&mut self.value, text);
        &self.value
    }
}

/// The folded text.
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    fold_into(&mut folded, text);
    folded
}

pub(crate) fn fold_char(c: char) -> char {
    if c.is_ascii() {
        return c.to_ascii_lowercase();
    }
    unicode_case_mapping::case_folded(c).and_then(|folded| char::from_u32(folded.get())).unwrap_or(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_a_record_are_folded_wherever_they_stand() {
        for record in ["{\"a\":\"MiXed\"}", "{\"Ä\":\"MiXed\"}"] {
            let mut folded = Folded::default();
            folded.clear(true);
            let at = record.find("MiXed").unwrap_or(0);
            assert_eq!(folded.of(&record[at..at + 5], record), "mixed");
            assert_eq!(folded.of("ElseWhere", record), "elsewhere");
            folded.clear(true);
            let other = "XY";
            assert_eq!(folded.of(other, other), "xy");
        }
    }

    #[test]
    fn folds_beyond_ascii() {
        assert_eq!(fold("ÄÖÜ STRASSE Σίσυφος"), fold("äöü strasse ΣΊΣΥΦΟΣ"));
        assert_eq!(fold("\u{212A}"), "k");
        assert_eq!(fold("ẞ"), "ß");
        assert_eq!(fold("MiXed"), "mixed");
    }
}
