//! Base64 as records hold it: one reader for certificates, payloads and digests.
//!
//! Must never take letters that stand for more bits than bytes need: two texts would be one value.

use base64_simd::STANDARD_NO_PAD;

/// The bytes behind text of the standard alphabet, with any padding or none.
pub fn standard(text: &str) -> Option<Vec<u8>> {
    decode(text.trim_end_matches('=').as_bytes())
}

/// The same of either alphabet.
pub fn either(text: &str) -> Option<Vec<u8>> {
    standard(text).or_else(|| standard(&text.replace('-', "+").replace('_', "/")))
}

/// The same of the standard alphabet in lines; white space and padding are ignored wherever they stand.
pub fn in_lines(text: &[u8]) -> Option<Vec<u8>> {
    let whole = text.trim_ascii();
    let found = match memchr::memchr(b'\n', whole) {
        Some(width) => decode(unpadded(&joined(whole, width))),
        None => decode(unpadded(whole)),
    };
    found.or_else(|| {
        let letters: Vec<u8> = text.iter().copied().filter(|b| !b.is_ascii_whitespace() && *b != b'=').collect();
        decode(&letters)
    })
}

fn unpadded(text: &[u8]) -> &[u8] {
    let end = text.iter().rposition(|byte| *byte != b'=').map_or(0, |last| last + 1);
    text.get(..end).unwrap_or_default()
}

/// Lines in a row. All but the last are nearly always as wide as the first: looked for is only what ends another one.
fn joined(text: &[u8], width: usize) -> Vec<u8> {
    let (mut lines, mut rest) = (Vec::with_capacity(text.len()), text);
    loop {
        let end = match rest.get(width) {
            Some(b'\n') => Some(width),
            _ => memchr::memchr(b'\n', rest),
        };
        let Some((line, more)) = end.and_then(|end| rest.split_at_checked(end)) else { break };
        lines.extend_from_slice(line.trim_ascii());
        rest = more.get(1..).unwrap_or_default();
    }
    lines.extend_from_slice(rest.trim_ascii());
    lines
}

/// The bytes in hexadecimal digits, in lower case.
pub fn hexadecimal(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    let digit = |of: u8| DIGITS.get(usize::from(of)).copied().unwrap_or_default();
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

fn decode(letters: &[u8]) -> Option<Vec<u8>> {
    STANDARD_NO_PAD.decode_to_vec(letters).ok()
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD_NO_PAD as REFERENCE;

    use super::*;

    #[test]
    fn white_space_and_padding_do_not_count() {
        for text in ["YWI=", "YWI", "Y W\nI=\n", "YWI==", "YW\r\nI=", "\nY\n\nWI"] {
            assert_eq!(in_lines(text.as_bytes()).as_deref(), Some(&b"ab"[..]), "{text}");
        }
        assert_eq!(in_lines(b"%%"), None);
        assert_eq!(standard("Y WI"), None, "white space counts where no lines are");
        assert_eq!((standard("_-8="), either("_-8=")), (None, Some(vec![255, 239])));
    }

    /// Another reader says the same of texts of all lengths, good ones and bad ones: a letter that is none, one letter too
    /// many, bits that no byte needs.
    #[test]
    fn letters_are_what_another_reader_takes_them_for() {
        let mut seed = 7u32;
        let mut next = |below: u32| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 8) % below
        };
        let (mut good, mut bad) = (0, 0);
        for length in (0..200).flat_map(|length| [length; 40]) {
            let bytes: Vec<u8> = (0..length).map(|_| next(256) as u8).collect();
            let mut text = REFERENCE.encode(&bytes).into_bytes();
            match next(4) {
                0 if !text.is_empty() => {
                    let at = next(text.len() as u32) as usize;
                    text[at] = next(256) as u8;
                }
                1 => text.push(b'A'),
                _ => {}
            }
            let wanted = REFERENCE.decode(&text).ok();
            *(if wanted.is_some() { &mut good } else { &mut bad }) += 1;
            assert_eq!(decode(&text), wanted, "{}", String::from_utf8_lossy(&text));
            let wide = 1 + next(70) as usize;
            let lines: Vec<&[u8]> = text.chunks(wide).collect();
            if wanted.is_some() && text.iter().all(u8::is_ascii_alphanumeric) {
                assert_eq!(in_lines(&lines.join(&b"\r\n"[..])), wanted);
            }
        }
        assert!(good > 1000 && bad > 1000, "{good} {bad}");
    }
}
