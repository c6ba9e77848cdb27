//! Signing certificates of Sigstore's Fulcio: who signed, from which workflow, repository, commit and run.
//!
//! The numbers are those of Fulcio's directory of extensions (1.3.6.1.4.1.57264.1.N). Reading a certificate is not
//! verifying it: nothing here looks at signatures, chains or times, and nothing may ever say that something is valid.

use std::rc::Rc;

use EventClass as C;
use model::EventClass;

use super::certificate::Certificate;
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
pub(super) fn certificate(inputs: &Inputs<'_>, from: usize) -> Option<Rc<Certificate>> {
    (from..from + CERTIFICATE.len()).find_map(|i| inputs.certificate(i))
}

/// Tells `told` of an extension of the record's certificate, where it has one.
fn extension(inputs: &Inputs<'_>, number: u8, told: impl FnOnce(&str)) {
    if let Some(certificate) = certificate(inputs, 0)
        && let Some(text) = certificate.extension(number)
    {
        told(text);
    }
}

fn text(inputs: &Inputs<'_>, output: &mut Output<'_>, number: u8) {
    extension(inputs, number, |text| output.text(text));
}

/// `sha1:abc…` or `abc…` → `abc…`.
fn hexadecimal(inputs: &Inputs<'_>, output: &mut Output<'_>, number: u8) {
    extension(inputs, number, |text| {
        let digest = text.rsplit(':').next().unwrap_or(text);
        if !digest.is_empty() && digest.bytes().all(|b| b.is_ascii_hexdigit()) {
            output.text(&lower_case(digest));
        }
    });
}

fn repo(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    extension(inputs, 12, |url| repo_of(url).iter().for_each(|repo| output.text(repo)));
}

/// The definition as audit logs write it: without the scheme, and without the host where that is GitHub.
fn workflow(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    extension(inputs, 18, |uri| output.text(definition(uri)));
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
    extension(inputs, 21, |uri| part(run_of(uri)).into_iter().for_each(|id| output.text(id)));
}

fn attempt(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    extension(inputs, 21, |uri| {
        if let Some(attempt) = run_of(uri).attempt {
            output.scalar(model::Scalar::Int(attempt));
        }
    });
}

fn kind_of_runner(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    extension(inputs, 11, |environment| runner_kind(environment).into_iter().for_each(|kind| output.text(kind)));
}

/// `self-hosted` is self_hosted, `github-hosted`, `gitlab-hosted` … are hosted; anything else says nothing.
pub(super) fn runner_kind(environment: &str) -> Option<&'static str> {
    match environment {
        "self-hosted" => Some("self_hosted"),
        other => other.ends_with("-hosted").then_some("hosted"),
    }
}

fn env(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    extension(inputs, 23, |name| class_of_env(name).into_iter().for_each(|class| output.text(class)));
}

/// The subject: an address of a workflow, a mail address, a name of a service.
fn san(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if let Some(certificate) = certificate(inputs, 0) {
        certificate.names(|name| output.text(name));
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
