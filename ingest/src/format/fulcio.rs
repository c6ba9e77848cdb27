//! Signing certificates of Sigstore's Fulcio: who signed, from which workflow, repository, commit and run.
//!
//! The numbers are those of Fulcio's directory of extensions (1.3.6.1.4.1.57264.1.N). Reading a certificate is not
//! verifying it: nothing here looks at signatures, chains or times, and nothing may ever say that something is valid.

use EventClass as C;
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use model::{EventClass, Timestamp};
use x509_cert::Certificate;
use x509_cert::der::asn1::Utf8StringRef;
use x509_cert::der::{Decode, Tag, Tagged, asn1::AnyRef};
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

use super::fill::{class_of_env, lower_case, repo_of};
use super::{Inputs, MapRow, Output, all, on};

/// Where certificates stand: in bundles, in DSSE envelopes, in log entries of each kind and version. All are base64 of
/// DER, or PEM, or the base64 of PEM.
pub(super) const CERTIFICATE: &[&str] = &[
    "verificationMaterial.certificate.rawBytes",
    "verificationMaterial.x509CertificateChain.certificates.rawBytes",
    "signatures.cert",
    "spec.signature.publicKey.content",
    "spec.signatures.verifier",
    "spec.content.envelope.signatures.publicKey",
    "spec.publicKey",
    "spec.hashedRekordV002.signature.verifier.x509Certificate.rawBytes",
    "spec.dsseV002.signatures.verifier.x509Certificate.rawBytes",
];

const SIGNED: &[EventClass] = &[C::SignSignature, C::SignAttestation, C::RekorEntry];

/// What a certificate fills, wherever it stands.
pub(super) static ROWS: &[MapRow] = &[
    on(SIGNED, "prov.org", CERTIFICATE, |i, o| text(i, o, 17)),
    on(SIGNED, "prov.repo", CERTIFICATE, repo),
    on(SIGNED, "prov.repo_id", CERTIFICATE, |i, o| text(i, o, 15)),
    on(SIGNED, "prov.commit", CERTIFICATE, |i, o| hexadecimal(i, o, 13)),
    on(SIGNED, "prov.ref", CERTIFICATE, |i, o| text(i, o, 14)),
    on(SIGNED, "prov.workflow", CERTIFICATE, workflow),
    on(SIGNED, "prov.workflow_sha", CERTIFICATE, |i, o| hexadecimal(i, o, 19)),
    on(SIGNED, "prov.trigger", CERTIFICATE, |i, o| text(i, o, 20)),
    on(SIGNED, "prov.run_id", CERTIFICATE, |i, o| run(i, o, |run| run.run)),
    on(SIGNED, "prov.attempt", CERTIFICATE, attempt),
    on(SIGNED, "prov.job_id", CERTIFICATE, |i, o| run(i, o, |run| run.job)),
    on(SIGNED, "prov.runner_kind", CERTIFICATE, kind_of_runner),
    on(SIGNED, "prov.env", CERTIFICATE, env),
    on(SIGNED, "issuer", CERTIFICATE, |i, o| text(i, o, 8)),
    on(SIGNED, "san", CERTIFICATE, san),
    on(SIGNED, "signer_uri", CERTIFICATE, |i, o| text(i, o, 9)),
    on(SIGNED, "runner_env", CERTIFICATE, |i, o| text(i, o, 11)),
    on(SIGNED, "source_repo", CERTIFICATE, |i, o| text(i, o, 12)),
    on(&[C::SignAttestation, C::RekorEntry], "run_uri", CERTIFICATE, |i, o| text(i, o, 21)),
];

/// `rows` and then those of certificates, as one table. `N` is the length of both.
pub(super) const fn with_certificate<const N: usize>(rows: &[MapRow]) -> [MapRow; N] {
    let mut joined = [all("prov.org", CERTIFICATE, san); N];
    let mut at = 0;
    while at < N {
        joined[at] = if at < rows.len() { rows[at] } else { ROWS[at - rows.len()] };
        at += 1;
    }
    joined
}

/// The first certificate among the inputs from the `from`-th on.
pub(super) fn certificate(inputs: &Inputs<'_>, from: usize) -> Option<Certificate> {
    (from..from + CERTIFICATE.len()).find_map(|i| inputs.text(i).and_then(parse))
}

/// When the certificate begins. Fulcio makes one for each signature and lets it live for ten minutes, so this is when
/// the signer was let in.
pub(super) fn begins(certificate: &Certificate) -> Option<Timestamp> {
    let since = certificate.tbs_certificate().validity().not_before.to_unix_duration();
    i64::try_from(since.as_millis()).ok().map(Timestamp::from_ms)
}

/// Base64 of DER, PEM, or base64 of PEM; None for a bare key and for everything else.
fn parse(text: &str) -> Option<Certificate> {
    let bytes = if text.starts_with(BEGIN) { text.as_bytes().to_vec() } else { base64(text)? };
    if !bytes.starts_with(BEGIN.as_bytes()) {
        return Certificate::from_der(&bytes).ok();
    }
    let pem = std::str::from_utf8(&bytes).ok()?;
    let body = pem.split_once(BEGIN)?.1.split_once("-----END")?.0;
    Certificate::from_der(&base64(body)?).ok()
}

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";

/// The bytes behind base64 text, white space and padding ignored.
pub(super) fn base64(text: &str) -> Option<Vec<u8>> {
    let letters: Vec<u8> = text.bytes().filter(|b| !b.is_ascii_whitespace() && *b != b'=').collect();
    STANDARD_NO_PAD.decode(letters).ok()
}

/// The value of extension `.1.number`; where a certificate is older than that extension, of the one it replaced.
fn extension(certificate: &Certificate, number: u32) -> Option<String> {
    let older = match number {
        8 => Some(1),
        13 => Some(3),
        14 => Some(6),
        20 => Some(2),
        _ => None,
    };
    let value = |number: u32| {
        let oid = format!("1.3.6.1.4.1.57264.1.{number}");
        let extensions = certificate.tbs_certificate().extensions()?;
        let found = extensions.iter().find(|extension| extension.extn_id.to_string() == oid)?;
        Some(found.extn_value.as_bytes())
    };
    let der = |bytes| Utf8StringRef::from_der(bytes).ok().map(|text| text.as_str().to_owned());
    // The first six were written without DER.
    let raw = |bytes| std::str::from_utf8(bytes).ok().map(str::to_owned);
    value(number).and_then(der).or_else(|| value(older?).and_then(raw)).filter(|text| !text.is_empty())
}

fn text(inputs: &Inputs<'_>, output: &mut Output<'_>, number: u32) {
    if let Some(text) = certificate(inputs, 0).and_then(|certificate| extension(&certificate, number)) {
        output.text(&text);
    }
}

/// `sha1:abc…` or `abc…` → `abc…`.
fn hexadecimal(inputs: &Inputs<'_>, output: &mut Output<'_>, number: u32) {
    if let Some(text) = certificate(inputs, 0).and_then(|certificate| extension(&certificate, number)) {
        let digest = text.rsplit(':').next().unwrap_or(&text);
        if !digest.is_empty() && digest.bytes().all(|b| b.is_ascii_hexdigit()) {
            output.text(&lower_case(digest));
        }
    }
}

fn repo(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    let Some(certificate) = certificate(inputs, 0) else { return };
    if let Some(repo) = extension(&certificate, 12).and_then(|url| repo_of(&url)) {
        output.text(&repo);
    }
}

/// The definition as audit logs write it: without the scheme, and without the host where that is GitHub.
fn workflow(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    let Some(certificate) = certificate(inputs, 0) else { return };
    if let Some(uri) = extension(&certificate, 18) {
        output.text(definition(&uri));
    }
}

/// `https://github.com/owner/name/.github/workflows/x.yml@refs/…` → `owner/name/.github/workflows/x.yml@refs/…`.
pub(super) fn definition(uri: &str) -> &str {
    let rest = uri.strip_prefix("https://").unwrap_or(uri);
    rest.strip_prefix("github.com/").unwrap_or(rest)
}

/// What the address of a run or job says.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Run<'a> {
    /// Run id.
    pub(super) run: Option<&'a str>,
    /// Attempt.
    pub(super) attempt: Option<i64>,
    /// Job id.
    pub(super) job: Option<&'a str>,
}

/// GitHub's `…/actions/runs/ID/attempts/N`, GitLab's `…/-/jobs/ID` (which names no run).
pub(super) fn run_of(uri: &str) -> Run<'_> {
    let number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let behind = |mark: &str| {
        let rest = uri.split_once(mark)?.1;
        rest.split(['/', '#', '?']).next().filter(|id| number(id))
    };
    let attempt = behind("/attempts/").and_then(|text| text.parse().ok());
    Run { run: behind("/actions/runs/"), attempt, job: behind("/-/jobs/") }
}

fn run(inputs: &Inputs<'_>, output: &mut Output<'_>, part: fn(Run<'_>) -> Option<&str>) {
    let Some(uri) = certificate(inputs, 0).and_then(|certificate| extension(&certificate, 21)) else { return };
    if let Some(id) = part(run_of(&uri)) {
        output.text(id);
    }
}

fn attempt(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    let Some(uri) = certificate(inputs, 0).and_then(|certificate| extension(&certificate, 21)) else { return };
    if let Some(attempt) = run_of(&uri).attempt {
        output.scalar(model::Scalar::Int(attempt));
    }
}

fn kind_of_runner(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    let Some(environment) = certificate(inputs, 0).and_then(|certificate| extension(&certificate, 11)) else { return };
    if let Some(kind) = runner_kind(&environment) {
        output.text(kind);
    }
}

/// `self-hosted` is self_hosted, `github-hosted`, `gitlab-hosted` … are hosted; anything else says nothing.
pub(super) fn runner_kind(environment: &str) -> Option<&'static str> {
    match environment {
        "self-hosted" => Some("self_hosted"),
        other => other.ends_with("-hosted").then_some("hosted"),
    }
}

fn env(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    let Some(certificate) = certificate(inputs, 0) else { return };
    if let Some(class) = extension(&certificate, 23).and_then(|name| class_of_env(&name)) {
        output.text(class);
    }
}

/// The subject: an address of a workflow, a mail address, a name of a service.
fn san(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    let Some(certificate) = certificate(inputs, 0) else { return };
    let Ok(Some((_, SubjectAltName(names)))) = certificate.tbs_certificate().get_extension::<SubjectAltName>() else {
        return;
    };
    for name in &names {
        match name {
            GeneralName::UniformResourceIdentifier(name)
            | GeneralName::Rfc822Name(name)
            | GeneralName::DnsName(name) => {
                output.text(name.as_str());
            }
            // A user name that is no mail address: the certificate repeats it as extension 7.
            GeneralName::OtherName(other) => {
                let value = AnyRef::from(&other.value);
                if value.tag() == Tag::Utf8String
                    && let Ok(name) = std::str::from_utf8(value.value())
                {
                    output.text(name);
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_fills_model_fields_once() {
        crate::format::fill::tests::check(ROWS);
    }

    #[test]
    fn what_is_no_certificate_is_none() {
        for text in
            ["", "AAAA", "-----BEGIN CERTIFICATE-----", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END", "%%", "MIIB"]
        {
            assert!(parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn runs_have_addresses() {
        let run = |uri| run_of(uri);
        let github = run("https://github.com/o/n/actions/runs/8373487016/attempts/2");
        assert_eq!(github, Run { run: Some("8373487016"), attempt: Some(2), job: None });
        assert_eq!(run("https://gitlab.com/g/p/-/jobs/77").job, Some("77"));
        assert_eq!(run("https://example.com/actions/runs/../x"), Run::default());
        assert_eq!(runner_kind("self-hosted"), Some("self_hosted"));
        assert_eq!(runner_kind("gitlab-hosted"), Some("hosted"));
        assert_eq!(runner_kind("ssh-rerun"), None);
        assert_eq!(definition("https://github.com/o/n/w.yml@r"), "o/n/w.yml@r");
        assert_eq!(definition("https://gitlab.com/g/p//.gitlab-ci.yml@r"), "gitlab.com/g/p//.gitlab-ci.yml@r");
    }
}
