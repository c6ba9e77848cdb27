//! Values that look random behind a name that says secret: `"db_password": "…"`, `token=…`, `--api-key …`.
//!
//! Identifiers (commits, digests, UUIDs, key ids, numbers, ARNs, package URLs, hashed tokens) are exempt here, and only
//! here. Must never look at more than a fixed stretch of a value to judge it.

use super::Secret;

/// Ends of names whose values are secrets, in lower case.
pub(super) const NAMES: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "passcode",
    "pwd",
    "secret",
    "token",
    "credential",
    "credentials",
    "api_key",
    "apikey",
    "api-key",
    "access_key",
    "accesskey",
    "access-key",
    "private_key",
    "privatekey",
    "private-key",
    "auth_key",
    "authkey",
    "auth-key",
    "signing_key",
    "signingkey",
    "signing-key",
    "encryption_key",
    "encryptionkey",
    "encryption-key",
    "account_key",
    "accountkey",
    "account-key",
    "master_key",
    "masterkey",
    "session_key",
    "sessionkey",
    "shared_key",
    "sharedkey",
    "webhook_key",
    "license_key",
];

/// Names with one of these words in them hold what was derived from a secret, or no secret.
const DERIVED: &[&str] =
    &["hash", "digest", "fingerprint", "public", "checksum", "sha1", "sha256", "etag", "next_token", "page", "continu"];

/// So many bytes of a name are looked at, and so many of a value.
const NAME_BYTES_MAX: usize = 64;
const JUDGED_BYTES_MAX: usize = 256;

const SHORTEST_PASSWORD: usize = 8;
const SHORTEST: usize = 16;
/// Of 16 and more random characters that are no words.
const BITS_A_CHARACTER: f64 = 3.0;
/// Of a whole password.
const BITS_OF_A_PASSWORD: f64 = 20.0;

/// Finds the values behind names that end at `ends`.
pub(super) fn secrets(text: &str, ends: &[usize], found: &mut Vec<Secret>) {
    let mut done = 0;
    for &end in ends {
        if end < done {
            continue;
        }
        let Some(name) = name(text, end) else { continue };
        let Some((start, quote)) = value_start(text.as_bytes(), end, name.starts_with("--")) else { continue };
        let value = value(text, start, quote, JUDGED_BYTES_MAX);
        let is_password = ["pass", "pwd"].iter().any(|word| name.contains(word));
        if is_secret(value, is_password) {
            done = start + self::value(text, start, quote, usize::MAX).len();
            let name = if is_password { "password" } else { "secret" };
            found.push(Secret { at: start..done, name });
        }
    }
}

/// The name that ends here, in lower case; None where it goes on or names something derived.
fn name(text: &str, end: usize) -> Option<String> {
    let bytes = text.as_bytes();
    let is_part = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
    let from = end.saturating_sub(NAME_BYTES_MAX);
    let length = bytes.get(from..end)?.iter().rev().take_while(|b| is_part(b)).count();
    let name = text.get(end - length..end)?.to_ascii_lowercase();
    (!DERIVED.iter().any(|word| name.contains(word))).then_some(name)
}

/// Where the value behind a name starts, and the quote around it.
fn value_start(bytes: &[u8], end: usize, is_flag: bool) -> Option<(usize, Option<u8>)> {
    let skip = |at: usize, of: &[u8], most: usize| {
        at + bytes.get(at..).unwrap_or_default().iter().take(most).take_while(|b| of.contains(b)).count()
    };
    // `password2`, `tokens`, `secret_1`.
    let at = skip(end, b"s_0123456789", 4);
    let closed = skip(at, b"\"'`]", 2);
    let spaced = skip(closed, b" \t", 8);
    let separated = match bytes.get(spaced) {
        Some(b':' | b'=') => skip(spaced, b":=>", 3),
        // An entry of a list of names and values.
        Some(b',') if closed > at => {
            let name = skip(spaced + 1, b" \t\r\n\"'", 24);
            let rest = bytes.get(name..).filter(|rest| rest.len() > 5 && rest[..5].eq_ignore_ascii_case(b"value"))?;
            let colon = rest.iter().take(16).position(|&b| b == b':')?;
            name + colon + 1
        }
        _ if is_flag && spaced > closed => spaced,
        _ => return None,
    };
    let start = skip(separated, b" \t\r\n", 8);
    let opened = skip(start, b"[\"'`", 3);
    let quote =
        bytes.get(opened.checked_sub(1)?).copied().filter(|b| opened > start && matches!(b, b'"' | b'\'' | b'`'));
    Some((opened, quote))
}

/// The value from here to its end, or to `most` bytes.
fn value(text: &str, start: usize, quote: Option<u8>, most: usize) -> &str {
    let rest = text.get(start..).unwrap_or_default();
    let ends = |b: u8| match quote {
        Some(quote) => b == quote || matches!(b, b'\\' | b'\n'),
        None => b.is_ascii_whitespace() || b"\"'`,;&<>()[]{}\\|".contains(&b),
    };
    let mut length = rest.bytes().take(most).position(ends).unwrap_or(rest.len().min(most));
    while !rest.is_char_boundary(length) {
        length -= 1;
    }
    rest.get(..length).unwrap_or_default()
}

fn is_secret(value: &str, is_password: bool) -> bool {
    let least = if is_password { SHORTEST_PASSWORD } else { SHORTEST };
    if value.len() < least || is_placeholder(value) || is_identifier(value) {
        return false;
    }
    let has = |kind: fn(&u8) -> bool| value.as_bytes().iter().any(kind);
    if is_password {
        // One word says what is wrong with a password; a name in capitals says where it is.
        let is_word = value.bytes().all(|b| b.is_ascii_alphabetic());
        let is_variable = value.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
        let plain_word = is_word && (value == value.to_ascii_lowercase() || value == value.to_ascii_uppercase());
        return !plain_word && !is_variable && entropy(value) * value.len() as f64 >= BITS_OF_A_PASSWORD;
    }
    let mixed = has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic);
    mixed && !is_words(value) && entropy(value) >= BITS_A_CHARACTER
}

/// What stands for a value that is elsewhere, or has been taken out.
fn is_placeholder(value: &str) -> bool {
    let starts =
        ["redacted:", "[redacted", "hmac-sha256:", "$", "{{", "<", "%(", "env:", "file:", "vault:", "secret://"];
    starts.iter().any(|start| value.starts_with(start)) || value.bytes().all(|b| matches!(b, b'*' | b'x' | b'X' | b'.'))
}

/// Words and numbers with signs between them: `deploy-token-1`, `registry.k8s.io/pause`.
fn is_words(value: &str) -> bool {
    let is_word = |part: &str| {
        let tail = part.trim_start_matches(|c: char| c.is_ascii_alphabetic());
        part.len() <= 24 && tail.len() <= 4 && tail.bytes().all(|b| b.is_ascii_digit())
            || part.bytes().all(|b| b.is_ascii_digit())
    };
    value.split(|c: char| !c.is_ascii_alphanumeric()).all(is_word)
}

fn is_identifier(value: &str) -> bool {
    let bytes = value.as_bytes();
    let is_hex = bytes.iter().all(u8::is_ascii_hexdigit);
    let is_uuid = bytes.len() == 36
        && bytes.iter().enumerate().all(|(at, b)| match at {
            8 | 13 | 18 | 23 => *b == b'-',
            _ => b.is_ascii_hexdigit(),
        });
    let is_key_id = (16..=24).contains(&bytes.len())
        && ["AKIA", "ASIA", "AROA", "AIDA", "ABIA", "ACCA", "AGPA", "LTAI"]
            .iter()
            .any(|start| value.starts_with(start))
        && bytes.iter().all(u8::is_ascii_alphanumeric);
    let is_number =
        bytes.iter().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-' | b':' | b'T' | b'Z' | b'+' | b' '));
    let named = [
        "sha1:",
        "sha256:",
        "sha384:",
        "sha512:",
        "SHA256:",
        "md5:",
        "arn:",
        "pkg:",
        "urn:",
        "spiffe://",
        "https://",
        "http://",
    ];
    is_uuid
        || is_key_id
        || is_number
        || (is_hex && matches!(bytes.len(), 40 | 56 | 64 | 96 | 128))
        || named.iter().any(|start| value.starts_with(start))
}

/// Bits a character, by how often each byte stands in the value.
fn entropy(value: &str) -> f64 {
    let mut counts = [0_u32; 256];
    for byte in value.bytes() {
        if let Some(count) = counts.get_mut(usize::from(byte)) {
            *count += 1;
        }
    }
    let all = value.len() as f64;
    counts.iter().filter(|&&count| count > 0).map(|&count| f64::from(count) / all).map(|p| -p * p.log2()).sum()
}
