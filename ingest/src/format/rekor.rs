//! Entries of Rekor, Sigstore's transparency log, as its API (v1, v2), monitors and cosign write them.
//!
//! Must never say that an entry is in the log, or good: that is what verifiers do. Whoever has a key can write an entry
//! with any certificate beside it.

use EventClass as C;
use model::{EventClass, Scalar, Timestamp, Trust, Verdict};

use super::fill::{digest_of, text_of};
use super::fulcio::{certificate, with_certificate};
use super::in_toto::{payload_digests, sigstore_digest};
use super::{Class, Classified, Container, Format, Id, Inputs, MapRow, Mapping, Output, fulcio, on};

/// The format.
pub static FORMAT: Format = Format {
    name: "rekor",
    title: "Rekor log entries (API answers by UUID, v2 entries, cosign's bundle annotation)",
    product: "sigstore",
    service: "rekor",
    marks: &[
        &["body", "logIndex", "logID"],
        &["canonicalizedBody", "logIndex"],
        &["SignedEntryTimestamp", "Payload.body"],
        &["apiVersion", "kind", "spec.data.hash.value", "spec.signature"],
        &["apiVersion", "kind", "spec.envelopeHash", "spec.signatures"],
        &["apiVersion", "kind", "spec.content.envelope"],
        &["apiVersion", "kind", "spec.content.payloadHash"],
        &["apiVersion", "kind", "spec.proposedContent"],
        &["apiVersion", "kind", "spec.hashedRekordV002"],
        &["apiVersion", "kind", "spec.dsseV002"],
    ],
    containers: &[
        Container::Envelope("Payload"),
        Container::Encoded("body"),
        Container::Encoded("canonicalizedBody"),
        Container::Members,
    ],
    mapping: Some(&MAPPING),
    trust: Trust::Tenant,
};

/// The mapping.
static MAPPING: Mapping = Mapping {
    id: Id::FirstJoined(&[&["^.logIndex", "^.logID", "^.logId.keyId"]]),
    time: &["^.integratedTime"],
    action: "kind",
    classify_paths: PATHS,
    classify,
    rows: &ROWS,
};

const PATHS: &[&str] = &[
    "kind",
    "spec",
    "spec.proposedContent",
    "spec.content.envelope",
    "^.integratedTime",
    "spec.signature.publicKey.content",
    "spec.signatures.verifier",
    "spec.content.envelope.signatures.publicKey",
    "spec.publicKey",
    "spec.hashedRekordV002.signature.verifier.x509Certificate.rawBytes",
    "spec.dsseV002.signatures.verifier.x509Certificate.rawBytes",
];

const CERTIFICATES: usize = 5;

const ENTRY: &[EventClass] = &[C::RekorEntry];

static ROWS: [MapRow; OWN.len() + fulcio::ROWS.len()] = with_certificate(OWN);

const OWN: &[MapRow] = &[
    on(
        ENTRY,
        "prov.digest",
        &[
            "spec.data.hash.algorithm",
            "spec.data.hash.value",
            "spec.hashedRekordV002.data.algorithm",
            "spec.hashedRekordV002.data.digest",
            "^.attestation.data",
        ],
        digest,
    ),
    on(ENTRY, "prov.attestation_id", &["^.logIndex"], text_of),
];

fn classify(inputs: &Inputs<'_>) -> Classified {
    if inputs.text(0).is_none() || !inputs.has(1) {
        return Classified::Invalid("no entry of a log");
    }
    // What a client asks the log to take is no entry yet.
    if inputs.has(2) || inputs.text(3).is_some() {
        return Classified::Filtered;
    }
    let class = Class { class: C::RekorEntry, action: "", verdict: Verdict::Success };
    match dated(inputs) {
        Some(time) => Classified::Dated(class, time),
        None => Classified::Event(class),
    }
}

/// The second version of the log keeps no time: there it is when the signer's certificate begins.
fn dated(inputs: &Inputs<'_>) -> Option<Timestamp> {
    let is_dated = inputs.is_dated() || inputs.first(4).is_some_and(|time| time != Scalar::Int(0));
    if is_dated { None } else { certificate(inputs, CERTIFICATES)?.begins() }
}

/// What was signed: the digest of the artifact, or of the subjects of the statement that the log keeps beside the entry.
/// The hash of an envelope or payload is not that of an artifact.
fn digest(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    let found = match (inputs.text(0), inputs.text(1), inputs.text(2), inputs.text(3)) {
        (Some(algorithm), Some(hex), ..) => digest_of(algorithm, hex),
        (_, _, Some(algorithm), Some(digest)) => sigstore_digest(algorithm, digest),
        _ => return payload_digests(inputs, 4, output),
    };
    found.iter().for_each(|digest| output.text(digest));
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use base64::Engine;

    use super::*;
    use crate::decode_one;

    fn body() -> String {
        let digest = "ab".repeat(32);
        let body = format!(
            r#"{{"apiVersion":"0.0.1","kind":"hashedrekord","spec":{{"data":{{"hash":{{"algorithm":"sha256","value":"{digest}"}}}},
            "signature":{{"content":"AAAA","publicKey":{{"content":"AAAA"}}}}}}}}"#
        );
        base64::engine::general_purpose::STANDARD.encode(body)
    }

    #[test]
    fn the_table_fills_model_fields_once() {
        crate::format::fill::tests::check(&ROWS);
    }

    #[test]
    fn entries_stand_under_their_uuids() {
        let entry = |index: u32| {
            format!(
                r#"{{"body":"{}","integratedTime":1711017244,"logID":"c0d2","logIndex":{index},"verification":{{}}}}"#,
                body()
            )
        };
        let answer = format!(r#"{{"24296fb2":{},"24296fb3":{}}}"#, entry(7), entry(8));
        let events = decode_one(&FORMAT, &Arc::from("rekor"), &answer).unwrap();
        assert_eq!(events.iter().map(|event| event.id.as_deref().unwrap()).collect::<Vec<_>>(), ["7:c0d2", "8:c0d2"]);
        assert_eq!(events[0].time.unwrap().ms(), 1_711_017_244_000);
        assert_eq!(events[0].fields["prov.digest"], format!("sha256:{}", "ab".repeat(32)));
        assert_eq!(events[0].fields["prov.attestation_id"], "7");
        assert_eq!(events[0].action.as_deref(), Some("hashedrekord"));
    }

    #[test]
    fn what_is_no_map_of_entries_is_none() {
        for record in [r#"{"a":{"b":1}}"#, r#"{"a":1}"#, "{}", r#"{"a":{"b":{"c":{"d":{"e":{"f":{}}}}}}}"#] {
            assert!(decode_one(&FORMAT, &Arc::from("rekor"), record).is_err(), "{record}");
        }
    }
}
