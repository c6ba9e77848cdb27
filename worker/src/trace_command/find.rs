//! Which key is meant by what somebody typed.
//!
//! Must never choose between two things that are both meant.

use rules::lineage::{Key, Kind, Lineage};

use super::told::Words;

/// What was found.
pub(super) enum Found<'t> {
    /// The key.
    One(&'t Key),
    /// Several.
    Many(Vec<&'t Key>),
    /// None; these are the nearest.
    None(Vec<&'t Key>),
}

/// The start of a digest or a commit says which one is meant from so many digits on.
const DIGITS_MIN: usize = 7;

/// Stands in the name that a report gives to a secret.
const HMAC: &str = "hmac-sha256:";

/// Looks a key up, as the records, a report or a person writes it.
pub(super) fn find<'t>(lineage: &'t Lineage, text: &str, kind: Option<Kind>, words: &Words) -> Found<'t> {
    let kinds = kind.map_or_else(|| by_form(text), |kind| vec![kind]);
    let lower = text.to_ascii_lowercase();
    let keys: Vec<&'t Key> = kinds.iter().flat_map(|kind| lineage.keys(*kind)).collect();
    let all =
        |matches: &dyn Fn(&Key) -> bool| -> Vec<&'t Key> { keys.iter().copied().filter(|key| matches(key)).collect() };
    let digits = |key: &'_ Key| match key.kind {
        Kind::Digest => key.text.split_once(':').map(|(_, digits)| digits.to_owned()),
        Kind::Commit => Some(key.text.to_string()),
        _ => None,
    };
    let hashed = |key: &Key| matches!(key.kind, Kind::Digest | Kind::Commit);
    let is_start = lower.rsplit(':').next().is_some_and(|digits| digits.len() >= DIGITS_MIN && is_hex(digits));
    let ways: [&dyn Fn(&Key) -> bool; 4] = [
        &|key| *key.text == *text || (hashed(key) && *key.text == *lower),
        &|key| key.kind == Kind::Digest && digits(key).is_some_and(|digits| digits == lower),
        // A report names a secret by its HMAC.
        &|key| text.contains(HMAC) && words.key(key) == text,
        &|key| match key.kind {
            Kind::Digest | Kind::Commit if is_start => {
                key.text.starts_with(&lower) || digits(key).is_some_and(|digits| digits.starts_with(&lower))
            }
            // Without a version every version is meant.
            Kind::Purl => key.text.strip_prefix(text).is_some_and(|rest| rest.starts_with('@')),
            _ => false,
        },
    ];
    for way in ways {
        match all(way).as_slice() {
            [] => {}
            [one] => return Found::One(one),
            several => return Found::Many(several.to_vec()),
        }
    }
    Found::None(lineage.nearest(text, &kinds))
}

/// Kinds of keys that have the form of the text.
fn by_form(text: &str) -> Vec<Kind> {
    let (algorithm, digits) = text.split_once(':').unwrap_or_default();
    if text.starts_with("pkg:") {
        vec![Kind::Purl]
    } else if algorithm.starts_with("sha") && is_hex(digits) {
        vec![Kind::Digest, Kind::Attestation, Kind::Cache]
    } else if matches!(text.len(), 40 | 64) && is_hex(text) {
        vec![Kind::Commit, Kind::Digest, Kind::Attestation, Kind::Token]
    } else {
        Kind::ALL.to_vec()
    }
}

fn is_hex(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_hexdigit())
}
