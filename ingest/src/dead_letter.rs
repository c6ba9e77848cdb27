//! Dead letters: what became of a record that could not be decoded, kept with position, reason and redacted bytes.
//!
//! A dead letter never holds a known secret shape and is never read back as an event: replaying one reads its source
//! position again.

use model::{Invalid, Position, Sha256};
use serde::{Deserialize, Serialize};

/// At most this many bytes of a record are kept.
pub const KEPT_BYTES_MAX: usize = 16_384;

/// One record that could not be decoded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeadLetter {
    /// Where it was read: source, partition, offset.
    #[serde(flatten)]
    pub position: Position,
    /// Why.
    pub reason: Invalid,
    /// SHA-256 of the record's raw bytes.
    pub sha256: Sha256,
    /// Its length in bytes.
    pub bytes: usize,
    /// SHA-256 of the redacted text, whole; None where nothing was redacted or replaced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redacted_sha256: Option<Sha256>,
    /// Its text, redacted, cut after [`KEPT_BYTES_MAX`] bytes; what is not UTF-8 is replaced.
    pub text: String,
}

impl DeadLetter {
    /// Makes one of a record's raw bytes.
    pub fn new(position: Position, reason: Invalid, record: &[u8]) -> DeadLetter {
        // Redacted before it is cut: a cut secret would no longer look like one.
        let text = String::from_utf8_lossy(record);
        let text = model::redact(&text);
        let redacted_sha256 = (text.as_bytes() != record).then(|| Sha256::of(text.as_bytes()));
        let mut end = text.len().min(KEPT_BYTES_MAX);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        DeadLetter {
            position,
            reason,
            sha256: Sha256::of(record),
            bytes: record.len(),
            redacted_sha256,
            text: text.get(..end).unwrap_or_default().to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::Partition;

    #[test]
    fn keeps_no_secret_and_no_end_of_a_character() {
        let position = Position { partition: Partition { source: "s".into(), name: "f".into() }, offset: 3 };
        let token = format!("ghp_{}", "a1B2".repeat(9));
        let mut record = format!("{{\"t\":\"{token}\"").into_bytes();
        record.push(0xff);
        let letter = DeadLetter::new(position.clone(), Invalid::NotUtf8, &record);
        assert!(!letter.text.contains(&token) && letter.text.contains("[redacted:github_token]"));
        let json = serde_json::to_string(&letter).expect("serializes");
        assert!(json.starts_with(r#"{"source":"s","name":"f","offset":3,"reason":"not_utf8","#), "{json}");
        assert_eq!(serde_json::from_str::<DeadLetter>(&json).ok(), Some(letter.clone()), "it is read back as it was");
        assert!(letter.redacted_sha256.is_some_and(|hash| hash == Sha256::of(letter.text.as_bytes())));
        assert_eq!(DeadLetter::new(position.clone(), Invalid::NotJson, b"plain").redacted_sha256, None);
        let long = "ä".repeat(KEPT_BYTES_MAX);
        assert_eq!(DeadLetter::new(position, Invalid::NotJson, long.as_bytes()).text.len(), KEPT_BYTES_MAX);
    }
}
