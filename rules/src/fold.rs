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

/// The folded text.
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    fold_into(&mut folded, text);
    folded
}

fn fold_char(c: char) -> char {
    if c.is_ascii() {
        return c.to_ascii_lowercase();
    }
    unicode_case_mapping::case_folded(c).and_then(|folded| char::from_u32(folded.get())).unwrap_or(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_beyond_ascii() {
        assert_eq!(fold("ÄÖÜ STRASSE Σίσυφος"), fold("äöü strasse ΣΊΣΥΦΟΣ"));
        assert_eq!(fold("\u{212A}"), "k");
        assert_eq!(fold("ẞ"), "ß");
        assert_eq!(fold("MiXed"), "mixed");
    }
}
