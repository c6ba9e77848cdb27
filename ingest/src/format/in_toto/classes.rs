//! What an attestation is: told by its type, never by its text.
//!
//! Must never take one statement for two events of the same class: what an envelope has told, its payload does not repeat.

use model::{EventClass as C, Timestamp, Verdict};

use crate::format::fulcio::certificate;
use crate::format::{Class, Classified, Inputs};

/// What [`classify`] reads. From `CERTIFICATES` on: where certificates stand, in the record and then in its container.
pub(super) const PATHS: &[&str] = &[
    "_type",
    "predicateType",
    "payload",
    "dsseEnvelope.payload",
    "messageSignature.messageDigest.digest",
    "messageSignature.signature",
    "^index",
    "verificationMaterial.tlogEntries.integratedTime",
    "^.verificationMaterial.tlogEntries.integratedTime",
    "predicate.metadata.scanFinishedOn",
    "verificationMaterial.certificate.rawBytes",
    "verificationMaterial.x509CertificateChain.certificates.rawBytes",
    "signatures.cert",
    "^.verificationMaterial.certificate.rawBytes",
    "^.verificationMaterial.x509CertificateChain.certificates.rawBytes",
    "^.signatures.cert",
];

const CERTIFICATES: usize = 10;

pub(super) fn classify(inputs: &Inputs<'_>) -> Classified {
    let payload = inputs.text(2).or(inputs.text(3));
    let class = if payload.is_some() {
        Class { class: C::SignAttestation, action: "attested", verdict: Verdict::Unknown }
    } else if inputs.has(4) || inputs.has(5) {
        Class { class: C::SignSignature, action: "signed", verdict: Verdict::Unknown }
    } else if inputs.text(0).is_some_and(|kind| kind.starts_with("https://in-toto.io/Statement/")) {
        match of_predicate(inputs.text(1).unwrap_or("")) {
            Some(class) => class,
            // Its envelope was the event.
            None if inputs.has(6) => return Classified::Filtered,
            None => Class { class: C::SignAttestation, action: "attested", verdict: Verdict::Unknown },
        }
    } else {
        return Classified::Invalid("neither statement nor envelope nor bundle");
    };
    match time(inputs, payload) {
        Some(time) => Classified::Dated(class, time),
        None => Classified::Event(class),
    }
}

/// Statements that say that something happened.
fn of_predicate(kind: &str) -> Option<Class> {
    let class = |class, action, verdict| Some(Class { class, action, verdict });
    match kind {
        _ if kind.starts_with("https://slsa.dev/provenance/") => class(C::BuildFinished, "finished", Verdict::Success),
        _ if kind.starts_with("https://cyclonedx.org/bom") || kind.starts_with("https://spdx.dev/Document") => {
            class(C::SbomGenerated, "generated", Verdict::Success)
        }
        "https://cosign.sigstore.dev/attestation/vuln/v1" => class(C::ScanResult, "finished", Verdict::Success),
        _ => None,
    }
}

/// Where no log says when: when the certificate begins, else what the statement in the envelope says.
fn time(inputs: &Inputs<'_>, payload: Option<&str>) -> Option<Timestamp> {
    if inputs.is_dated() || inputs.has(7) || inputs.has(8) {
        return None;
    }
    let begins = certificate(inputs, CERTIFICATES).and_then(|certificate| certificate.begins());
    begins.or_else(|| inputs.memo().statement(payload?)?.predicate.time())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn predicates_have_classes() {
        let class = |kind| of_predicate(kind).map(|class| class.class);
        assert_eq!(class("https://slsa.dev/provenance/v0.2"), Some(C::BuildFinished));
        assert_eq!(class("https://slsa.dev/provenance/v1"), Some(C::BuildFinished));
        assert_eq!(class("https://spdx.dev/Document/v2.3"), Some(C::SbomGenerated));
        assert_eq!(class("https://cyclonedx.org/bom"), Some(C::SbomGenerated));
        assert_eq!(class("https://slsa.dev/verification_summary/v1"), None);
    }
}
