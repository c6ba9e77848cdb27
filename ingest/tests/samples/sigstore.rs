//! What is signed: in-toto statements, DSSE envelopes, Sigstore bundles, entries of Rekor. The folders hold all of them
//! mixed, so each file is decoded as what its content says. Bundles that a verifier must refuse decode like any other:
//! decoding is not verifying, and nothing in an event says that a signature is good.

use std::collections::BTreeSet;
use std::sync::Arc;

use ingest::format::{FORMATS, Wanted, by_name};
use ingest::{Decoder, Read, Scratch, decode_one};
use model::{Event, EventClass, Projection, Row};

use super::{Expected, folder, printed};

const BEACON: &str = "https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/.github/workflows/extremely-dangerous-oidc-beacon.yml@refs/heads/main";

/// Format, and what its file holds.
struct Mixed(&'static str, Expected);

#[rustfmt::skip]
fn in_toto() -> Vec<Mixed> {
    vec![
        Mixed("in-toto", Expected("dsse-slsa-v0.2-generic-generator.jsonl", 0, "sign.attestation", "attested", "unknown", &[
            "predicate_type=https://slsa.dev/provenance/v0.2", "prov.repo=github.com/slsa-framework/example-package",
            "prov.trigger=push", "prov.run_id=8373487016", "prov.attempt=1",
            "prov.digest=sha256:2892146b063a94cb4a4318c0e98d38af12dcf2b1e29237486b58463b59607bbd",
            "builder=https://github.com/slsa-framework/slsa-github-generator/.github/workflows/generator_generic_slsa3.yml@refs/tags/v1.10.0"])),
        Mixed("in-toto", Expected("dsse-slsa-v0.2-generic-generator.jsonl", 1, "build.finished", "finished", "success", &[
            "outputs=sha256:2892146b063a94cb4a4318c0e98d38af12dcf2b1e29237486b58463b59607bbd"])),
        Mixed("sigstore-bundle", Expected("npm-attestations-ossf.json", 0, "sign.attestation", "attested", "unknown", &[
            "predicate_type=https://github.com/npm/attestation/tree/main/specs/publish/v0.1", "prov.attestation_id=20994827", "san=",
            "prov.digest=sha512:563bc6d88c7cc60917b13cf4838473eeea6ec7ea0430f2672b16f43c2a5c82c239949c7cae7fe13bbe3b30d0571c3e56de624aa31ea43c98c12f1f190b8a7ca0"])),
        Mixed("sigstore-bundle", Expected("npm-attestations-ossf.json", 1, "sign.attestation", "attested", "unknown", &[
            "prov.attestation_id=20994759", "prov.run_id=5016782196", "prov.repo=github.com/laurentsimon/provenance-npm-test"])),
        Mixed("sigstore-bundle", Expected("npm-attestations-ossf.json", 2, "build.finished", "finished", "success", &[
            "prov.artifact=pkg:npm/%40laurentsimon/provenance-npm-test", "prov.version=1.0.5", "prov.build_id=5016782196-1",
            "prov.trigger=workflow_dispatch", "prov.commit=34490b44db557f009617bcb92b8780f972c189ab", "prov.ref=refs/heads/main",
            "prov.repo=github.com/laurentsimon/provenance-npm-test", "prov.repo_id=602223945", "prov.org=64505099",
            "prov.workflow=laurentsimon/provenance-npm-test/.github/workflows/release-slsa3.yml@refs/heads/main",
            "prov.run_id=5016782196", "prov.attempt=1", "prov.actor_id=64505099"])),
        Mixed("sigstore-bundle", Expected("sigstore-bundle-slsa-v1-container-based.json", 0, "sign.attestation", "attested", "unknown", &[
            "issuer=https://token.actions.githubusercontent.com", "runner_env=github-hosted", "prov.runner_kind=hosted",
            "source_repo=https://github.com/slsa-framework/example-package", "prov.repo_id=486325809", "prov.org=80431187",
            "prov.repo=github.com/slsa-framework/example-package", "prov.commit=d37a7f740ee7404914456f24dcd90e865a0509e8",
            "prov.ref=refs/tags/v14.2", "prov.trigger=push", "prov.run_id=8373487016", "prov.attempt=1",
            "prov.workflow=slsa-framework/example-package/.github/workflows/verifier-e2e.all.workflow_dispatch.main.all.slsa3.yml@refs/tags/v14.2",
            "prov.workflow_sha=d37a7f740ee7404914456f24dcd90e865a0509e8", "prov.attestation_id=80008308",
            "run_uri=https://github.com/slsa-framework/example-package/actions/runs/8373487016/attempts/1",
            "signer_uri=https://github.com/slsa-framework/slsa-github-generator/.github/workflows/builder_container-based_slsa3.yml@refs/tags/v1.10.0",
            "san=https://github.com/slsa-framework/slsa-github-generator/.github/workflows/builder_container-based_slsa3.yml@refs/tags/v1.10.0",
            "predicate_type=https://slsa.dev/provenance/v1",
            "prov.digest=sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"])),
        Mixed("sigstore-bundle", Expected("sigstore-bundle-slsa-v1-container-based.json", 1, "build.finished", "finished", "success", &[
            "prov.attestation_id=80008308", "outputs=sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"])),
        Mixed("in-toto", Expected("statement-slsa-v0.2-decoded.json", 0, "build.finished", "finished", "success", &[
            "prov.repo=github.com/slsa-framework/example-package", "prov.repo_id=486325809", "prov.org=80431187",
            "prov.commit=d37a7f740ee7404914456f24dcd90e865a0509e8", "prov.ref=refs/tags/v14.2", "prov.trigger=push",
            "prov.workflow=slsa-framework/example-package/.github/workflows/verifier-e2e.all.workflow_dispatch.main.all.slsa3.yml@refs/tags/v14.2",
            "prov.run_id=8373487016", "prov.attempt=1", "prov.build_id=8373487016-1", "prov.actor_id=49289", "event.time=",
            "prov.digest=sha256:2892146b063a94cb4a4318c0e98d38af12dcf2b1e29237486b58463b59607bbd",
            "materials=git+https://github.com/slsa-framework/example-package@refs/tags/v14.2"])),
        Mixed("in-toto", Expected("statement-slsa-v1-decoded.json", 0, "build.finished", "finished", "success", &[
            "prov.repo=github.com/slsa-framework/example-package", "prov.repo_id=486325809", "prov.org=80431187",
            "prov.commit=d37a7f740ee7404914456f24dcd90e865a0509e8", "prov.ref=refs/tags/v14.2", "prov.trigger=push",
            "prov.workflow=slsa-framework/example-package/.github/workflows/verifier-e2e.all.workflow_dispatch.main.all.slsa3.yml@refs/tags/v14.2",
            "prov.workflow_sha=d37a7f740ee7404914456f24dcd90e865a0509e8", "prov.run_id=8373487016", "prov.attempt=1",
            "prov.build_id=https://github.com/slsa-framework/example-package/actions/runs/8373487016/attempts/1",
            "builder=https://github.com/slsa-framework/slsa-github-generator/.github/workflows/builder_container-based_slsa3.yml@refs/tags/v1.10.0"])),
        Mixed("in-toto", Expected("vsa-gce-v1.jsonl", 0, "sign.attestation", "attested", "unknown", &[
            "predicate_type=https://slsa.dev/verification_summary/v1", "prov.digest=", "ok="])),
    ]
}

#[rustfmt::skip]
fn rekor() -> Vec<Mixed> {
    let signed = "prov.digest=sha256:a0cfc71271d6e278e57cd332ff957c3f7043fdda354c4cbb190a30d56efa01bf";
    let beacon: &'static str = Box::leak(format!("san={BEACON}").into_boxed_str());
    let bundle = |file, fields: Vec<&'static str>| {
        let mut all = vec![signed, beacon, "ok=", "source_repo=https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon"];
        all.extend(fields);
        Mixed("sigstore-bundle", Expected(file, 0, "sign.signature", "signed", "unknown", Vec::leak(all)))
    };
    vec![
        Mixed("rekor", Expected("cosign-bundle-annotation.json", 0, "rekor.entry", "dsse", "success", &[
            "prov.attestation_id=80008005", "prov.repo=github.com/slsa-framework/example-package", "prov.run_id=8373487125",
            "run_uri=https://github.com/slsa-framework/example-package/actions/runs/8373487125/attempts/1", "prov.ref=refs/tags/v13.0.30",
            "prov.repo_id=486325809", "prov.trigger=push", "prov.digest=", "runner_env=github-hosted",
            "signer_uri=https://github.com/slsa-framework/slsa-github-generator/.github/workflows/generator_container_slsa3.yml@refs/tags/v1.10.0"])),
        Mixed("rekor", Expected("entry-body-decoded.json", 0, "rekor.entry", "dsse", "success", &[
            "prov.attestation_id=", "prov.run_id=8373487125", "issuer=https://token.actions.githubusercontent.com"])),
        // No time and no certificate in it: a stream refuses it as no_time.
        Mixed("rekor", Expected("proposed-hashedrekord.json", 0, "rekor.entry", "hashedrekord", "success", &[
            "prov.digest=sha256:c98c24b677eff44860afea6f493bbaec5bb1c4cbb209c6fc2bbb47f66ff2ad31", "san="])),
        bundle("sigstore-bundle.happy-path-v0.3.json", vec!["prov.attestation_id=79571823", "prov.trigger=workflow_dispatch",
            "prov.run_id=8347481628", "prov.commit=c7b3dfb335f051e1c86bda4c716fac97df62ad81", "prov.ref=refs/heads/main"]),
        bundle("sigstore-bundle.rekor2-happy-path.json", vec!["prov.attestation_id=735"]),
        bundle("sigstore-bundle.rekor2-no-inclusion-proof_fail.json", vec!["prov.attestation_id=735"]),
        bundle("sigstore-bundle.wrong-hashedrekord-entry_fail.json", vec!["prov.attestation_id=151778873"]),
    ]
}

/// A decoder that knows every format, and tells which by content.
fn guessing() -> Decoder {
    let formats = FORMATS.iter().filter(|format| !format.marks.is_empty());
    Decoder::new(formats.map(|format| (*format, Wanted::default())).collect(), None, false)
}

/// The format whose marks a record has, whatever becomes of it then.
fn recognised(decoder: &Decoder, text: &str) -> Option<&'static str> {
    let (plan, mut row) = (&decoder.plans()[0], Row::default());
    plan.scan(text, &mut row).ok()?;
    plan.recognised(row.view(text)).map(|at| decoder.plans()[at].format().name)
}

/// The format that content tells.
fn guessed(decoder: &Decoder, text: &str) -> Option<&'static str> {
    let mut found = None;
    decoder.read(&mut Scratch::default(), text, 0, &mut |_, read| {
        if let Read::Event(seen) = read {
            found = found.or(Some(decoder.plans()[seen.plan].format().name));
        }
    });
    found
}

fn events(format: &str, text: &str) -> Vec<Event> {
    let format = by_name(format).expect("the format is known");
    decode_one(format, &Arc::from("samples"), text.trim()).expect("it decodes")
}

fn check(samples: &str, expected: &[Mixed], refused: &[(&str, &str)]) {
    if !folder(samples).is_dir() {
        println!("skipped: no samples of {samples} beside this workspace");
        return;
    }
    let read = |file: &str| std::fs::read_to_string(folder(samples).join(file)).expect("the sample can be read");
    let (decoder, mut wrong) = (guessing(), Vec::new());
    for Mixed(format, Expected(file, at, class, action, outcome, fields)) in expected {
        let text = read(file);
        let all = events(format, &text);
        let Some(event) = all.get(*at) else {
            wrong.push(format!("{file}: {} events", all.len()));
            continue;
        };
        let mut same = |what: &str, is: &str, wanted: &str| {
            if is != wanted {
                wrong.push(format!("{file}[{at}] {what}: `{is}`, wanted `{wanted}`"));
            }
        };
        same("format", guessed(&decoder, text.trim()).unwrap_or(""), format);
        same("class", event.class.map_or("", |class| class.name()), class);
        same("action", event.action.as_deref().unwrap_or(""), action);
        same("outcome", event.outcome.name(), outcome);
        for field in *fields {
            let (name, value) = field.split_once('=').expect("name=value");
            same(name, &printed(&event.fields, name), value);
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
    for (file, why) in refused {
        let text = read(file);
        let format = by_name("rekor").expect("the format is known");
        assert_eq!(decode_one(format, &Arc::from("samples"), text.trim()), Ok(Vec::new()), "{file}: {why}");
    }
    let files = expected.iter().map(|mixed| mixed.1.0).chain(refused.iter().map(|refused| refused.0));
    let files: BTreeSet<String> = files.map(str::to_owned).collect();
    let there = std::fs::read_dir(folder(samples)).expect("the folder can be read").flatten();
    let there: BTreeSet<String> = there.map(|file| file.file_name().to_string_lossy().into_owned()).collect();
    assert_eq!(files, there, "every sample of {samples} is looked at");
}

/// Marks are narrow: no record of another format's samples is taken for a document, a signature or a scan.
#[test]
fn records_of_other_formats_are_left_to_them() {
    let own = ["in-toto", "sigstore-bundle", "rekor", "cyclonedx", "spdx", "sarif", "secret-scan", "oidc-exchange"];
    let folders = ["in-toto-slsa", "rekor", "cyclonedx", "spdx"];
    let Ok(there) = std::fs::read_dir(folder("")) else {
        println!("skipped: no samples beside this workspace");
        return;
    };
    let decoder = guessing();
    for samples in there.flatten().filter(|entry| entry.path().is_dir()) {
        let name = samples.file_name().to_string_lossy().into_owned();
        for file in std::fs::read_dir(samples.path()).expect("the folder can be read").flatten() {
            let Ok(text) = std::fs::read_to_string(file.path()) else { continue };
            let lines = text.lines().filter(|line| line.starts_with('{'));
            for record in std::iter::once(text.trim()).chain(lines) {
                let taken = recognised(&decoder, record).filter(|format| own.contains(format));
                assert!(taken.is_none() || folders.contains(&name.as_str()), "{}: {taken:?}", file.path().display());
            }
        }
    }
}

#[test]
fn attestations() {
    check("in-toto-slsa", &in_toto(), &[]);
}

#[test]
fn log_entries() {
    let request = "a request to the log, no entry of it";
    check("rekor", &rekor(), &[("proposed-dsse.json", request), ("proposed-intoto.json", request)]);
}

/// Where no log gives a time, the signer's certificate does.
#[test]
fn the_second_log_has_no_times() {
    let file = folder("rekor").join("sigstore-bundle.rekor2-happy-path.json");
    let Ok(text) = std::fs::read_to_string(file) else {
        println!("skipped: no samples of rekor beside this workspace");
        return;
    };
    let events = events("sigstore-bundle", &text);
    assert_eq!(events[0].time.expect("a time").to_string(), "2025-06-12T12:02:16.000Z");
}

/// Damaged certificates, payloads and documents are refused or lose fields; nothing panics.
#[test]
fn damage_is_survived() {
    let mut everything = Projection::default();
    model::FIELDS.iter().for_each(|doc| _ = everything.ask(doc.name));
    let classes = || EventClass::ALL.iter().map(|&class| (class, everything.clone())).collect();
    let formats = FORMATS.iter().filter(|format| !format.marks.is_empty());
    let formats = formats.map(|format| (*format, Wanted { classes: classes(), ..Wanted::default() }));
    let decoder = Decoder::new(formats.collect(), None, false);
    let (source, mut scratch, mut decoded) = (Arc::from("samples"), Scratch::default(), 0);
    for samples in ["in-toto-slsa", "rekor"] {
        let Ok(there) = std::fs::read_dir(folder(samples)) else {
            println!("skipped: no samples of {samples} beside this workspace");
            return;
        };
        for file in there.flatten() {
            let text = std::fs::read_to_string(file.path()).expect("the sample can be read");
            for n in 0..300 {
                let mut damaged = text.trim().as_bytes().to_vec();
                let at = n * damaged.len() / 300;
                damaged[at] = [b'A', b'9', b'['][n % 3];
                let Ok(damaged) = String::from_utf8(damaged) else { continue };
                decoder.read(&mut scratch, &damaged, 0, &mut |_, read| {
                    if let Read::Event(seen) = read {
                        decoded += usize::from(decoder.event(&seen, &source, &everything).is_some());
                    }
                });
            }
        }
    }
    assert!(decoded > 2_000, "most decode still: {decoded}");
}
