//! Fixed hashes: the SHA-256 of an event's bytes and the fingerprint of an alert.
//!
//! Both are part of what users store and compare: their definition never changes, golden tests hold it.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256 as Hasher};

/// SHA-256 of an event's own bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sha256([u8; 32]);

impl Sha256 {
    /// Hashes bytes.
    pub fn of(bytes: &[u8]) -> Sha256 {
        Sha256(Hasher::digest(bytes).into())
    }

    /// 64 hexadecimal digits, lower case.
    pub fn hex(&self) -> String {
        hex(&self.0)
    }
}

impl fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.hex())
    }
}

impl Serialize for Sha256 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.serialize_str(&self.hex())
        } else {
            self.0.serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for Sha256 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if !deserializer.is_human_readable() {
            return <[u8; 32]>::deserialize(deserializer).map(Sha256);
        }
        let text = String::deserialize(deserializer)?;
        unhex(&text).map(Sha256).ok_or_else(|| serde::de::Error::custom("not 64 hexadecimal digits"))
    }
}

/// Names an alert: 128 bits of SHA-256 over the rule id and its key, printed as 32 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint([u8; 16]);

impl Fingerprint {
    /// Before every other.
    pub const LEAST: Fingerprint = Fingerprint([0; 16]);

    /// Fingerprint of a rule (its id, without version) and a key of (field, value) pairs in the rule's order.
    ///
    /// Definition: the first 16 bytes of SHA-256 over `pipewarden/1`, then the rule id, then each field name and value,
    /// every one of them preceded by its length in bytes as 8 bytes, big-endian: no two keys run into each other.
    pub fn new<'a>(rule_id: &str, key: impl IntoIterator<Item = (&'a str, &'a str)>) -> Fingerprint {
        let mut hasher = Hasher::new();
        let mut part = |text: &str| {
            hasher.update((text.len() as u64).to_be_bytes());
            hasher.update(text.as_bytes());
        };
        part("pipewarden/1");
        part(rule_id);
        for (field, value) in key {
            part(field);
            part(value);
        }
        let digest: [u8; 32] = hasher.finalize().into();
        let mut short = [0; 16];
        short.copy_from_slice(&digest[..16]);
        Fingerprint(short)
    }

    /// 32 hexadecimal digits, lower case.
    pub fn hex(&self) -> String {
        hex(&self.0)
    }

    /// The virtual shard of what is limited for each shard: 0 to [`crate::VIRTUAL_SHARDS`] - 1.
    pub fn shard(&self) -> usize {
        usize::from(self.0[0]) % crate::VIRTUAL_SHARDS
    }

    /// Reads 32 hexadecimal digits.
    pub fn parse(text: &str) -> Option<Fingerprint> {
        unhex(text).map(Fingerprint)
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.hex())
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.hex())
    }
}

impl Serialize for Fingerprint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.serialize_str(&self.hex())
        } else {
            self.0.serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for Fingerprint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if !deserializer.is_human_readable() {
            return <[u8; 16]>::deserialize(deserializer).map(Fingerprint);
        }
        let text = String::deserialize(deserializer)?;
        Fingerprint::parse(&text).ok_or_else(|| serde::de::Error::custom("not 32 hexadecimal digits"))
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(DIGITS[usize::from(byte >> 4)] as char);
        text.push(DIGITS[usize::from(byte & 15)] as char);
    }
    text
}

fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits = text.as_bytes();
    if digits.len() != 2 * N {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let digit = |c: u8| (c as char).to_digit(16).filter(|_| !c.is_ascii_uppercase());
        *byte = (digit(pair[0])? * 16 + digit(pair[1])?) as u8;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn golden() {
        let print = Fingerprint::new(
            "5f0c6f3e-3a1c-4a7e-9d8e-0f2b8a1c0001",
            [("prov.repo", "github.com/acme/app"), ("object", "")],
        );
        assert_eq!(print.hex(), "0ce4fd1177e13b28c885f659f64c1df2");
        assert_eq!(Fingerprint::parse(&print.hex()), Some(print));
        assert_eq!(Sha256::of(b"abc").hex(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }

    #[test]
    fn keys_do_not_run_into_each_other() {
        assert_ne!(Fingerprint::new("r", [("a", "bc")]), Fingerprint::new("r", [("ab", "c")]));
        assert_ne!(Fingerprint::new("r", [("a", "")]), Fingerprint::new("r", []));
    }
}
