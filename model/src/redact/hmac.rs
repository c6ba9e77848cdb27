//! Names for secrets that are part of a key: HMAC-SHA256 under a key of the installation.
//!
//! Equal secrets have equal names, and nobody without the key can try guesses. Must never print the key.

use std::fmt;

use sha2::{Digest, Sha256 as Hasher};

use crate::fingerprint::hex;

const BLOCK_BYTES: usize = 64;

/// The key under which secrets in alert keys and ids are named.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RedactionKey([u8; 32]);

impl RedactionKey {
    /// A key of any bytes: their SHA-256.
    pub fn of(bytes: &[u8]) -> RedactionKey {
        RedactionKey(Hasher::digest(bytes).into())
    }

    /// `hmac-sha256:` and 64 hexadecimal digits.
    pub fn name(&self, secret: &str) -> String {
        format!("hmac-sha256:{}", hex(&hmac(&self.0, secret.as_bytes())))
    }
}

/// The key of replays that are given none: public, so that the same records always give the same bytes.
impl Default for RedactionKey {
    fn default() -> RedactionKey {
        RedactionKey::of(b"pipewarden/replay")
    }
}

impl fmt::Debug for RedactionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RedactionKey")
    }
}

/// RFC 2104, for keys of at most a block.
fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let pad = |with: u8| {
        let mut block = [with; BLOCK_BYTES];
        block.iter_mut().zip(key).for_each(|(pad, key)| *pad ^= key);
        block
    };
    let inner = Hasher::new().chain_update(pad(0x36)).chain_update(message).finalize();
    Hasher::new().chain_update(pad(0x5c)).chain_update(inner).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cases_of_rfc_4231_hold() {
        let case = |key: &[u8], data: &[u8]| hex(&hmac(key, data));
        assert_eq!(case(&[0x0b; 20], b"Hi There"), "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
        assert_eq!(
            case(b"Jefe", b"what do ya want for nothing?"),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
        assert!(!format!("{:?}", RedactionKey::of(b"k")).contains(&hex(&RedactionKey::of(b"k").0)));
    }
}
