//! How single fields of statements and bundles become ours.
//!
//! Must never take what a payload says for what its signer's certificate says: fields are of one or of the other.

use model::{Scalar, Timestamp};
use serde::Deserialize;

use crate::format::fill::{digest_of, each_text, lower_case, present, purl};
use crate::format::fulcio::run_of;
use crate::format::{Inputs, Output};
use crate::letters;

/// What an envelope's event needs of the statement in it.
#[derive(Debug, Default, Clone, PartialEq, Deserialize)]
#[serde(default)]
pub(in crate::format) struct Statement {
    /// Type of the predicate.
    #[serde(rename = "predicateType")]
    predicate_type: String,
    subject: Vec<Subject>,
    /// The predicate.
    pub(super) predicate: Predicate,
}

#[derive(Debug, Default, Clone, PartialEq, Deserialize)]
#[serde(default)]
struct Subject {
    digest: Digests,
}

#[derive(Debug, Default, Clone, PartialEq, Deserialize)]
#[serde(default)]
struct Digests {
    sha256: Option<String>,
    sha384: Option<String>,
    sha512: Option<String>,
}

/// What is read of predicates: SLSA v0.2 and v1, and times of others.
#[derive(Debug, Default, Clone, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Predicate {
    builder: Builder,
    run_details: RunDetails,
    metadata: Metadata,
    time_verified: Option<String>,
}

#[derive(Debug, Default, Clone, PartialEq, Deserialize)]
#[serde(default)]
struct Builder {
    id: Option<String>,
}

#[derive(Debug, Default, Clone, PartialEq, Deserialize)]
#[serde(default)]
struct RunDetails {
    builder: Builder,
    metadata: Metadata,
}

#[derive(Debug, Default, Clone, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Metadata {
    finished_on: Option<String>,
    build_finished_on: Option<String>,
    scan_finished_on: Option<String>,
}

impl Predicate {
    /// Who built.
    pub(super) fn builder_id(&self) -> Option<&str> {
        self.run_details.builder.id.as_deref().or(self.builder.id.as_deref())
    }

    /// When it ended.
    pub(super) fn time(&self) -> Option<Timestamp> {
        let (inner, own) = (&self.run_details.metadata, &self.metadata);
        let times = [&inner.finished_on, &own.build_finished_on, &own.scan_finished_on, &self.time_verified];
        times.into_iter().flatten().find_map(|text| Timestamp::parse(text))
    }
}

impl Statement {
    /// The statement in the bytes of an envelope's payload, where they have the shape of one.
    pub(in crate::format) fn read(payload: &[u8]) -> Option<Statement> {
        serde_json::from_slice(payload).ok()
    }

    /// Type of the predicate.
    pub(super) fn predicate_type(&self) -> Option<&str> {
        Some(&self.predicate_type)
    }
}

/// The first path's text, else what `part` finds in the statement of a payload (the other paths).
pub(super) fn from_payload(inputs: &Inputs<'_>, output: &mut Output<'_>, part: fn(&Statement) -> Option<&str>) {
    if let Some(text) = inputs.text(0) {
        return output.text(text);
    }
    let statement = inputs.text(1).or(inputs.text(2)).and_then(|payload| inputs.memo().statement(payload));
    if let Some(text) = statement.as_deref().and_then(part).filter(|text| !text.is_empty()) {
        output.text(text);
    }
}

const ALGORITHMS: [&str; 3] = ["sha256", "sha384", "sha512"];

/// `algorithm:hex` for each digest. Paths: those of SHA-256, SHA-384 and SHA-512.
pub(super) fn outputs(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    digests(inputs, output, 0);
}

fn digests(inputs: &Inputs<'_>, output: &mut Output<'_>, from: usize) {
    for (i, algorithm) in ALGORITHMS.into_iter().enumerate() {
        for value in present(inputs, from + i) {
            if let Scalar::Text(hex) = value {
                digest_of(algorithm, hex).iter().for_each(|digest| output.text(digest));
            }
        }
    }
}

/// What was signed. Paths: the payloads of envelopes, algorithm and digest of a signed message, digests of a statement.
pub(super) fn bundle_digest(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if let Some(i) = (0..2).find(|&i| inputs.text(i).is_some()) {
        payload_digests(inputs, i, output);
    } else if let (Some(algorithm), Some(digest)) = (inputs.text(2), inputs.text(3)) {
        sigstore_digest(algorithm, digest).iter().for_each(|digest| output.text(digest));
    } else {
        digests(inputs, output, 4);
    }
}

/// A digest as Sigstore's messages write it: `SHA2_256` and base64.
pub(in crate::format) fn sigstore_digest(algorithm: &str, digest: &str) -> Option<String> {
    let hex = letters::hexadecimal(&letters::in_lines(digest.as_bytes())?);
    match algorithm {
        "SHA2_256" => digest_of("sha256", &hex),
        "SHA2_384" => digest_of("sha384", &hex),
        "SHA2_512" => digest_of("sha512", &hex),
        _ => None,
    }
}

/// The digests of the subjects of the statement in the payload that the `i`-th path has.
pub(in crate::format) fn payload_digests(inputs: &Inputs<'_>, i: usize, output: &mut Output<'_>) {
    let Some(statement) = inputs.text(i).and_then(|payload| inputs.memo().statement(payload)) else { return };
    for Subject { digest } in &statement.subject {
        let of = [&digest.sha256, &digest.sha384, &digest.sha512];
        for (algorithm, hex) in ALGORITHMS.into_iter().zip(of) {
            hex.as_ref().and_then(|hex| digest_of(algorithm, hex)).iter().for_each(|digest| output.text(digest));
        }
    }
}

/// The first value that is a Git commit.
pub(super) fn commit(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    let is_commit = |text: &&str| matches!(text.len(), 40 | 64) && text.bytes().all(|b| b.is_ascii_hexdigit());
    if let Some(commit) = (0..6).filter_map(|i| inputs.text(i)).find(is_commit) {
        output.text(&lower_case(commit));
    }
}

/// A ref as it stands, or behind the `@` of an address.
pub(super) fn git_ref(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    let refs = (0..6).filter_map(|i| inputs.text(i));
    let found = refs.map(|text| if text.starts_with("refs/") { Some(text) } else { ref_of(text) });
    if let Some(name) = found.flatten().next() {
        output.text(name);
    }
}

fn ref_of(address: &str) -> Option<&str> {
    address.split_once("@refs/").and_then(|(before, _)| address.get(before.len() + 1..))
}

/// `owner/name/path@ref`. Paths: it as it stands (two), repository, path, ref, configuration's address, its path.
pub(super) fn workflow(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if let Some(workflow) = inputs.text(0).or(inputs.text(1)) {
        return output.text(workflow);
    }
    let (repo, path, at) = match (inputs.text(2), inputs.text(5)) {
        (Some(repo), _) => (repo, inputs.text(3), inputs.text(4)),
        (None, Some(uri)) => (uri.split('@').next().unwrap_or(uri), inputs.text(6), ref_of(uri)),
        (None, None) => return,
    };
    if let (Some(path), Some(at)) = (path, at) {
        let repo = repo.strip_prefix("git+").unwrap_or(repo);
        let repo = crate::format::fulcio::definition(repo);
        output.text(&format!("{repo}/{path}@{at}"));
    }
}

/// A number as text: builders that write 0 or nothing say nothing.
pub(super) fn repo_id(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    each_text(inputs, |id| {
        if id.bytes().any(|b| b != b'0') {
            output.text(id);
        }
    });
}

/// The run in the invocation's address, else the builder's variable.
pub(super) fn run_id(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if let Some(id) = inputs.text(0).and_then(|uri| run_of(uri).run) {
        output.text(id);
    } else if let Some(id) = (1..4).find_map(|i| inputs.string(i)) {
        output.text(&id);
    }
}

/// The attempt in the invocation's address, else the builder's variable.
pub(super) fn attempt(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    let variable = || (1..4).find_map(|i| inputs.string(i)).and_then(|text| text.parse().ok());
    if let Some(attempt) = inputs.text(0).and_then(|uri| run_of(uri).attempt).or_else(variable) {
        output.scalar(Scalar::Int(attempt));
    }
}

/// hosted or self_hosted.
pub(super) fn runner_kind(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if let Some(kind) = inputs.text(0).and_then(crate::format::fulcio::runner_kind) {
        output.text(kind);
    }
}

/// cyclonedx or spdx, by the predicate's type.
pub(super) fn sbom_format(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if let Some(kind) = inputs.text(0) {
        output.text(if kind.contains("cyclonedx") { "cyclonedx" } else { "spdx" });
    }
}

/// The package URLs among all values.
pub(super) fn components(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    for value in (0..3).flat_map(|i| present(inputs, i)) {
        if let Scalar::Text(text) = value
            && purl(text).is_some()
        {
            output.text(text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payloads_of_another_shape_are_none() {
        assert!(Statement::read(b"{}").is_some_and(|statement| statement.predicate_type.is_empty()));
        for payload in ["[]", r#"{"predicate":[],"subject":1}"#, "%%"] {
            let found = Statement::read(payload.as_bytes());
            assert!(found.is_none_or(|statement| statement.subject.is_empty()), "{payload}");
        }
    }

    #[test]
    fn addresses_hold_refs() {
        assert_eq!(ref_of("git+https://github.com/o/n@refs/tags/v1@x"), Some("refs/tags/v1@x"));
        assert_eq!(ref_of("https://github.com/o/n"), None);
    }
}
