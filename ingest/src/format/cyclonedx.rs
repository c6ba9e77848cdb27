//! CycloneDX documents: lists of components, and vulnerabilities with what became of them (VEX, VDR).
//!
//! A document with components is `sbom.generated`; each of its vulnerabilities is a `vuln.finding` of its own. Must never
//! take a document's promise (`not_affected`) for more than what its author says.

use EventClass as C;
use model::{EventClass, Scalar, Trust, Verdict};

use super::fill::{coalesce, digest_in, digest_of, gather, lower, present, purl, purl_name, text_of};
use super::{Class, Classified, Container, Format, Id, Inputs, MapRow, Mapping, Output, on};

/// The format.
pub static FORMAT: Format = Format {
    name: "cyclonedx",
    title: "CycloneDX JSON (SBOM, VEX)",
    product: "cyclonedx",
    service: "bom",
    marks: &[&["bomFormat", "specVersion"]],
    containers: &[Container::Parts("vulnerabilities")],
    mapping: Some(&MAPPING),
    trust: Trust::Tenant,
};

/// The mapping.
static MAPPING: Mapping = Mapping {
    id: Id::FirstJoined(&[
        &["^.serialNumber", "^.version", "^index"],
        &["^.metadata.timestamp", "^.metadata.component.bom-ref", "^.metadata.component.version", "^index"],
        &["serialNumber", "version"],
        &["metadata.timestamp", "metadata.component.bom-ref", "metadata.component.version"],
    ]),
    time: &["metadata.timestamp", "^.metadata.timestamp"],
    action: "bomFormat",
    classify_paths: &["bomFormat", "components", "^.bomFormat", "id", "analysis.state"],
    classify,
    rows: ROWS,
};

const SBOM: &[EventClass] = &[C::SbomGenerated];
const VULN: &[EventClass] = &[C::VulnFinding];

/// Where the artifact's digest stands: algorithms and digests of its hashes, its version, its package URL.
const DIGEST: &[&str] = &[
    "metadata.component.hashes.alg",
    "metadata.component.hashes.content",
    "metadata.component.version",
    "metadata.component.purl",
];
const OUTER_DIGEST: &[&str] = &[
    "^.metadata.component.hashes.alg",
    "^.metadata.component.hashes.content",
    "^.metadata.component.version",
    "^.metadata.component.purl",
];

#[rustfmt::skip]
static ROWS: &[MapRow] = &[
    on(SBOM, "format", &["bomFormat"], lower),
    on(
        SBOM, "components.purl",
        &["components.purl", "components.components.purl", "components.components.components.purl"], gather,
    ),
    on(SBOM, "prov.artifact", &["metadata.component.purl"], purl_name),
    on(SBOM, "prov.version", &["metadata.component.version"], text_of),
    on(SBOM, "prov.digest", DIGEST, digest),
    on(VULN, "prov.artifact", &["^.metadata.component.purl"], purl_name),
    on(VULN, "prov.version", &["^.metadata.component.version", "^.metadata.component.purl"], version),
    on(VULN, "prov.digest", OUTER_DIGEST, digest),
    on(VULN, "cve", &["id"], coalesce),
    on(VULN, "sev", &["ratings.severity"], severity),
    on(VULN, "dismissed", &["analysis.state"], dismissed),
    on(VULN, "reason", &["analysis.justification"], coalesce),
    on(VULN, "tool", &["tools.name", "tools.components.name", "^.metadata.tools.name", "^.metadata.tools.components.name"], coalesce),
];

fn classify(inputs: &Inputs<'_>) -> Classified {
    let class = |class, action, verdict| Classified::Event(Class { class, action, verdict });
    if inputs.text(0).is_some_and(|name| name.eq_ignore_ascii_case("CycloneDX")) {
        // A document of vulnerabilities only is no list of components: its parts are the events.
        return if inputs.has(1) {
            class(C::SbomGenerated, "generated", Verdict::Success)
        } else {
            Classified::Filtered
        };
    }
    if inputs.has(2) && inputs.has(3) {
        return class(C::VulnFinding, state(inputs.text(4).unwrap_or("")), Verdict::Unknown);
    }
    Classified::Invalid("no CycloneDX document")
}

/// What the author's analysis comes to.
fn state(state: &str) -> &'static str {
    match state {
        "resolved" | "resolved_with_pedigree" => "closed",
        "false_positive" | "not_affected" => "dismissed",
        _ => "opened",
    }
}

fn dismissed(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if let Some(text) = inputs.text(0) {
        output.scalar(Scalar::Bool(state(text) == "dismissed"));
    }
}

/// The worst of the ratings.
fn severity(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    const WORST_FIRST: [(&str, &str); 6] = [
        ("critical", "critical"),
        ("high", "high"),
        ("medium", "medium"),
        ("low", "low"),
        ("info", "none"),
        ("none", "none"),
    ];
    let is =
        |name: &str| inputs.all(0).any(|value| matches!(value, Scalar::Text(text) if text.eq_ignore_ascii_case(name)));
    if let Some((_, ours)) = WORST_FIRST.into_iter().find(|(name, _)| is(name)) {
        output.text(ours);
    }
}

fn version(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    match inputs.text(0) {
        Some(version) => output.text(version),
        None => inputs.text(1).and_then(|text| purl(text)?.1).into_iter().for_each(|version| output.text(version)),
    }
}

/// SHA-256 of the artifact: among its hashes; an image's also as its version or in its package URL.
fn digest(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    let hashes = present(inputs, 0).zip(present(inputs, 1));
    let sha256 = hashes.filter_map(|pair| match pair {
        (Scalar::Text("SHA-256"), Scalar::Text(hex)) => digest_of("sha256", hex),
        _ => None,
    });
    let in_purl = inputs.text(3).and_then(|text| purl(text)?.1);
    let named = inputs.text(2).into_iter().chain(in_purl).filter_map(digest_in);
    sha256.chain(named).take(1).for_each(|digest| output.text(&digest));
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::decode_one;

    #[test]
    fn the_table_fills_model_fields_once() {
        crate::format::fill::tests::check(ROWS);
    }

    #[test]
    fn an_image_and_its_vulnerabilities_are_events_of_one_digest() {
        let digest = format!("sha256:{}", "0a".repeat(32));
        let document = format!(
            r#"{{"bomFormat":"CycloneDX","specVersion":"1.6","serialNumber":"urn:uuid:1","version":2,
            "metadata":{{"timestamp":"2026-09-01T10:00:00Z","tools":{{"components":[{{"name":"scanner"}}]}},
              "component":{{"type":"container","name":"app","purl":"pkg:oci/app@sha256%3A{}?arch=amd64"}}}},
            "components":[{{"purl":"pkg:deb/a@1","components":[{{"purl":"pkg:deb/b@2"}}]}},{{"name":"no purl"}}],
            "vulnerabilities":[{{"id":"CVE-2026-1","ratings":[{{"severity":"low"}},{{"severity":"critical"}}]}},
              {{"id":"CVE-2026-2","analysis":{{"state":"false_positive"}}}},{{"id":"CVE-2026-3","analysis":{{"state":"resolved"}}}}]}}"#,
            "0a".repeat(32)
        );
        let events = decode_one(&FORMAT, &Arc::from("sbom"), &document).unwrap();
        let ids: Vec<&str> = events.iter().filter_map(|event| event.id.as_deref()).collect();
        assert_eq!(ids, ["urn:uuid:1:2", "urn:uuid:1:2:0", "urn:uuid:1:2:1", "urn:uuid:1:2:2"]);
        let actions: Vec<&str> = events.iter().filter_map(|event| event.action.as_deref()).collect();
        assert_eq!(actions, ["generated", "opened", "dismissed", "closed"]);
        assert!(events.iter().all(|event| event.fields["prov.digest"] == digest && event.time.is_some()));
        assert_eq!(events[0].fields["components.purl"], serde_json::json!(["pkg:deb/a@1", "pkg:deb/b@2"]));
        assert_eq!(events[1].fields["sev"], "critical");
        assert_eq!(events[1].fields["tool"], "scanner");
        assert_eq!(events[2].fields["dismissed"], true);
    }

    #[test]
    fn no_vulnerabilities_are_no_parts() {
        for list in ["[]", "null"] {
            let document =
                format!(r#"{{"bomFormat":"CycloneDX","specVersion":"1.7","components":[],"vulnerabilities":{list}}}"#);
            let events = decode_one(&FORMAT, &Arc::from("sbom"), &document).unwrap();
            assert_eq!(events.len(), 1, "{list}");
            assert_eq!((events[0].time, events[0].id.as_deref()), (None, None));
        }
    }
}
