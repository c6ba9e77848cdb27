//! Secrets that scanners found: gitleaks' report and TruffleHog's lines, alone or in an envelope that says when and where.
//!
//! Must never map what was found to a field: a finding is known by a hash of it, or by the place where it stood.

use EventClass as C;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use model::{EventClass, Scalar, Sha256, Trust, Verdict};

use super::fill::{bool_of, coalesce, first_present, lower, lower_case, repo, text_of};
use super::{Class, Classified, Container, Format, Id, Inputs, MapRow, Mapping, Output, on};

/// The format.
pub static FORMAT: Format = Format {
    name: "secret-scan",
    title: "Findings of secret scanners (gitleaks JSON, TruffleHog JSON lines)",
    product: "secret-scan",
    service: "finding",
    marks: &[
        &["RuleID", "Fingerprint", "StartLine"],
        &["DetectorName", "SourceMetadata", "Verified"],
        &["scanned_at", "findings"],
    ],
    containers: &[Container::Array("findings")],
    mapping: Some(&MAPPING),
    trust: Trust::Tenant,
};

/// The mapping. A finding's id is where it stands, and in which scan.
static MAPPING: Mapping = Mapping {
    id: Id::FirstJoined(&[
        &["^.scanned_at", "^.repository", "^.run_id", "^index"],
        &["Fingerprint", "Date"],
        &[
            "DetectorName",
            "SourceMetadata.Data.Git.repository",
            "SourceMetadata.Data.Git.commit",
            "SourceMetadata.Data.Git.file",
            "SourceMetadata.Data.Git.line",
            "SourceMetadata.Data.Github.link",
            "SourceMetadata.Data.Gitlab.link",
            "SourceMetadata.Data.Filesystem.file",
            "SourceMetadata.Data.Filesystem.line",
            "SourceMetadata.Data.Docker.image",
            "SourceMetadata.Data.Docker.file",
            "SourceMetadata.Data.S3.link",
        ],
    ]),
    time: &[
        "^.scanned_at",
        "Date",
        "SourceMetadata.Data.Git.timestamp",
        "SourceMetadata.Data.Github.timestamp",
        "SourceMetadata.Data.Gitlab.timestamp",
        "SourceMetadata.Data.S3.timestamp",
    ],
    action: "RuleID",
    classify_paths: &["RuleID", "DetectorName"],
    classify,
    rows: ROWS,
};

const FOUND: &[EventClass] = &[C::SecretFinding];

#[rustfmt::skip]
static ROWS: &[MapRow] = &[
    on(
        FOUND, "fp",
        &[
            "Secret", "Raw", "Fingerprint", "DetectorName", "SourceMetadata.Data.Git.commit",
            "SourceMetadata.Data.Git.file", "SourceMetadata.Data.Github.link", "SourceMetadata.Data.Gitlab.link",
            "SourceMetadata.Data.Filesystem.file", "SourceMetadata.Data.Docker.image",
            "SourceMetadata.Data.Docker.file", "SourceMetadata.Data.S3.link", "SourceMetadata.Data.Git.line",
            "SourceMetadata.Data.Filesystem.line",
        ],
        fingerprint,
    ),
    on(FOUND, "kind", &["RuleID", "DetectorName"], lower),
    on(FOUND, "verified", &["Verified"], bool_of),
    on(
        FOUND, "where",
        &[
            "Commit", "SourceMetadata.Data.Git.commit", "SourceMetadata.Data.Github.commit",
            "SourceMetadata.Data.Gitlab.commit", "SourceMetadata.Data.Docker.image",
            "SourceMetadata.Data.Filesystem.file", "SourceMetadata.Data.S3.bucket", "^.where",
        ],
        place,
    ),
    on(FOUND, "scope", &["^.scope"], coalesce),
    on(
        FOUND, "object",
        &[
            "File", "SourceMetadata.Data.Git.file", "SourceMetadata.Data.Github.file", "SourceMetadata.Data.Gitlab.file",
            "SourceMetadata.Data.Filesystem.file", "SourceMetadata.Data.Docker.file", "SourceMetadata.Data.S3.file",
        ],
        coalesce,
    ),
    on(
        FOUND, "prov.repo",
        &[
            "^.repository", "SourceMetadata.Data.Git.repository", "SourceMetadata.Data.Github.repository",
            "SourceMetadata.Data.Gitlab.repository",
        ],
        repo,
    ),
    on(
        FOUND, "prov.commit",
        &[
            "Commit", "SourceMetadata.Data.Git.commit", "SourceMetadata.Data.Github.commit",
            "SourceMetadata.Data.Gitlab.commit",
        ],
        lower,
    ),
    on(FOUND, "prov.run_id", &["^.run_id"], text_of),
    on(FOUND, "prov.job_id", &["^.job_id"], text_of),
];

fn classify(inputs: &Inputs<'_>) -> Classified {
    if inputs.text(0).or(inputs.text(1)).is_none() {
        return Classified::Invalid("no finding of a scanner");
    }
    Classified::Event(Class { class: C::SecretFinding, action: "opened", verdict: Verdict::Unknown })
}

/// What is shorter than this may be a password that somebody thought of: its hash could be guessed from a list.
const GUESSABLE: usize = 20;

/// GitHub's tokens, by their beginnings.
const GITHUB: [&str; 6] = ["ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"];

/// A hash of the secret where it is too long to be guessed: for GitHub's tokens the one that GitHub's audit log writes.
/// For anything else, and where the scanner hides what it found, the place.
fn fingerprint(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if let Some(secret) = inputs.text(0).or(inputs.text(1)).filter(|secret| is_whole(secret)) {
        let hash = Sha256::of(secret.as_bytes());
        if GITHUB.iter().any(|prefix| secret.starts_with(prefix)) {
            if let Some(bytes) = bytes_of(&hash.hex()) {
                output.text(&STANDARD.encode(bytes));
            }
        } else {
            output.text(&format!("sha256:{}", hash.hex()));
        }
    } else if let Some(own) = inputs.text(2) {
        output.text(own);
    } else {
        let parts: Vec<_> = (3..14).filter_map(|i| inputs.string(i)).collect();
        output.text(&parts.join(":"));
    }
}

/// Not hidden by the scanner, not cut, and no password.
fn is_whole(secret: &str) -> bool {
    let is_hidden = secret.contains("REDACTED") || secret.contains("***") || secret.ends_with("...");
    secret.len() >= GUESSABLE && !is_hidden && !secret.contains(char::is_whitespace)
        || secret.starts_with("-----BEGIN") && secret.len() > 200 && !is_hidden
}

fn bytes_of(hex: &str) -> Option<Vec<u8>> {
    let pairs = (0..hex.len()).step_by(2).map(|at| hex.get(at..at + 2));
    pairs.map(|pair| u8::from_str_radix(pair?, 16).ok()).collect()
}

/// commit, artifact (an image, a bucket, a file outside a repository), or what the envelope says.
fn place(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    let found = match inputs.text(7) {
        Some(told) => lower_case(told),
        None => match first_present(inputs) {
            Some(0..=3) => "commit".into(),
            Some(4..=6) => "artifact".into(),
            _ => return,
        },
    };
    output.scalar(Scalar::Text(&found));
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use model::Event;

    use super::*;
    use crate::decode_one;

    fn found(text: &str) -> Vec<Event> {
        decode_one(&FORMAT, &Arc::from("scan"), text).unwrap()
    }

    fn gitleaks(secret: &str) -> String {
        format!(
            r#"{{"RuleID":"generic-api-key","Description":"d","StartLine":5,"EndLine":5,"StartColumn":1,"EndColumn":9,
            "Match":"key = {secret}","Secret":"{secret}","File":"src/a.py","SymlinkFile":"","Commit":"0A1B",
            "Entropy":4.1,"Author":"n","Email":"e@x.example","Date":"2026-09-01T10:00:00Z","Message":"m","Tags":[],
            "Fingerprint":"0A1B:src/a.py:generic-api-key:5"}}"#
        )
    }

    #[test]
    fn the_table_fills_model_fields_once() {
        crate::format::fill::tests::check(ROWS);
    }

    #[test]
    fn no_field_holds_the_secret() {
        let secrets = ["S3cretS3cretS3cretS3cret", "hunter2", "ghp_0123456789abcdefghijABCDEFGHIJ012345"];
        for secret in secrets {
            let trufflehog = format!(
                r#"{{"SourceMetadata":{{"Data":{{"Git":{{"commit":"0a1b","file":"keys","email":"e","repository":"https://github.com/acme/app",
                "timestamp":"2026-09-01 10:00:00 +0000","line":4}}}}}},"SourceID":0,"SourceType":16,"SourceName":"s","DetectorType":2,
                "DetectorName":"AWS","DecoderName":"PLAIN","Verified":true,"Raw":"{secret}","RawV2":"x{secret}","Redacted":"{secret}",
                "ExtraData":{{"k":"{secret}"}},"StructuredData":null}}"#
            );
            for event in found(&format!("[{}]", gitleaks(secret))).into_iter().chain(found(&trufflehog)) {
                let printed = format!("{:?}{:?}{:?}", event.fields, event.id, event.action);
                assert!(!printed.contains(secret), "{printed}");
                assert!(event.time.is_some());
            }
        }
    }

    #[test]
    fn fingerprints_join_and_cannot_be_guessed() {
        let fp = |secret: &str| found(&gitleaks(secret)).remove(0).fields["fp"].as_str().unwrap().to_owned();
        let place = "0A1B:src/a.py:generic-api-key:5";
        assert_eq!(fp("hunter2"), place, "a password's hash could be guessed");
        assert_eq!(fp("REDACTED"), place);
        assert_eq!(fp("S3cretS3cretS3cretS3..."), place);
        let long = Sha256::of(b"S3cretS3cretS3cretS3cret").hex();
        assert_eq!(fp("S3cretS3cretS3cretS3cret"), format!("sha256:{long}"));
        // printf %s ghp_0123456789abcdefghijABCDEFGHIJ012345 | openssl dgst -sha256 -binary | base64
        assert_eq!(fp("ghp_0123456789abcdefghijABCDEFGHIJ012345"), "2P52tCi5nJHVEl+w1DwjsRC0a5ZdEmjxS5MCCMVCMqk=");
    }

    #[test]
    fn an_envelope_says_when_and_where() {
        let wrapped = format!(
            r#"{{"scanned_at":"2026-09-02T08:00:00Z","repository":"https://github.com/Acme/App","run_id":77,"scope":"prod",
            "findings":[{},{}]}}"#,
            gitleaks("hunter2"),
            gitleaks("REDACTED")
        );
        let events = found(&wrapped);
        assert_eq!(events[1].id.as_deref(), Some("2026-09-02T08:00:00Z:https://github.com/Acme/App:77:1"));
        assert_eq!(events[0].time.unwrap().to_string(), "2026-09-02T08:00:00.000Z");
        for (field, value) in [
            ("prov.repo", "github.com/acme/app"),
            ("prov.run_id", "77"),
            ("prov.commit", "0a1b"),
            ("scope", "prod"),
            ("where", "commit"),
            ("kind", "generic-api-key"),
            ("object", "src/a.py"),
        ] {
            assert_eq!(events[0].fields[field], value, "{field}");
        }
    }
}
