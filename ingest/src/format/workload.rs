//! What Kubernetes tools have in common: images, revisions and repositories as their objects write them.
//!
//! Must never take a tag for a digest or a branch's name for a commit: what is not pinned gives no value.

use super::fill::{lower_case, present};
use super::{Inputs, Output};

/// The digests of all images that are pinned by one, each once: `registry/name:tag@sha256:…`, or the digest alone.
pub(super) fn pinned(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    let mut told: Vec<&str> = Vec::new();
    for image in (0..inputs.len()).flat_map(|i| present(inputs, i)) {
        let model::Scalar::Text(image) = image else { continue };
        if let Some(digest) = digest_of(image).filter(|digest| !told.contains(digest)) {
            told.push(digest);
            output.text(digest);
        }
    }
}

/// Length of a SHA-256 in hexadecimal.
const SHA256_HEX: usize = 64;

fn digest_of(image: &str) -> Option<&str> {
    let digest = image.rsplit('@').next()?;
    let hex = digest.strip_prefix("sha256:")?;
    (hex.len() == SHA256_HEX && hex.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))).then_some(digest)
}

/// A full commit hash: alone, or in a revision as `main@sha1:…` and `main/…`.
pub(super) fn commit(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    let texts = (0..inputs.len()).filter_map(|i| inputs.text(i));
    if let Some(commit) = texts.into_iter().find_map(commit_of) {
        output.text(&lower_case(commit));
    }
}

fn commit_of(revision: &str) -> Option<&str> {
    let hash = revision.rsplit(['/', ':', '@']).next()?;
    let is_digest = revision.contains("sha256:");
    (!is_digest && matches!(hash.len(), 40 | 64) && hash.bytes().all(|b| b.is_ascii_hexdigit())).then_some(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    #[test]
    fn only_pins_are_digests() {
        let digest = format!("sha256:{HEX}");
        assert_eq!(digest_of(&format!("ghcr.io/acme/pay:1@{digest}")), Some(digest.as_str()));
        assert_eq!(digest_of(&digest), Some(digest.as_str()));
        for tagged in ["nginx", "ghcr.io/acme/pay:1", "a@sha256:12", "sha512:0123"] {
            assert_eq!(digest_of(tagged), None, "{tagged}");
        }
    }

    #[test]
    fn branches_are_no_commits() {
        let commit = "731f7eaddfb6af01cb2173e18f0f75b0ba780ef1";
        for revision in [commit.to_owned(), format!("main@sha1:{commit}"), format!("main/{commit}")] {
            assert_eq!(commit_of(&revision), Some(commit), "{revision}");
        }
        for revision in ["main", "6.5.0", &format!("6.5.0@sha256:{HEX}")] {
            assert_eq!(commit_of(revision), None, "{revision}");
        }
    }
}
