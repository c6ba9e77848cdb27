//! SPDX documents: 2.x JSON, and 3.0 as JSON-LD.
//!
//! Must never follow references: a document names what it describes by ids inside itself, and fields are filled only
//! where the value itself stands in the document.

use EventClass as C;
use model::{EventClass, Scalar, Trust, Verdict};

use super::fill::{digest_in, present, purl};
use super::{Class, Classified, Format, Id, Inputs, MapRow, Mapping, Output, on};

/// The format.
pub static FORMAT: Format = Format {
    name: "spdx",
    title: "SPDX (2.x JSON, 3.0 JSON-LD)",
    product: "spdx",
    service: "document",
    marks: &[&["spdxVersion", "SPDXID"], &["@context", "@graph.spdxId"]],
    containers: &[],
    mapping: Some(&MAPPING),
    trust: Trust::Tenant,
};

/// The mapping.
static MAPPING: Mapping = Mapping {
    id: Id::FirstJoined(&[&["documentNamespace", "creationInfo.created"], &["@graph.rootElement", "@graph.created"]]),
    time: &["creationInfo.created", "@graph.created", "@graph.creationInfo.created"],
    action: "spdxVersion",
    classify_paths: &["spdxVersion", "@graph.type"],
    classify,
    rows: ROWS,
};

const SBOM: &[EventClass] = &[C::SbomGenerated];

/// Where package URLs stand: 2.x, then 3.0.
const PURLS: &[&str] =
    &["packages.externalRefs.referenceLocator", "@graph.software_packageUrl", "@graph.externalIdentifier.identifier"];

static ROWS: &[MapRow] = &[
    on(SBOM, "format", &["spdxVersion"], |_, output| output.text("spdx")),
    on(SBOM, "components.purl", PURLS, components),
    on(SBOM, "prov.artifact", PURLS, |inputs, output| image(inputs, |name, _| output.text(name))),
    on(SBOM, "prov.digest", PURLS, |inputs, output| {
        image(inputs, |_, version| {
            digest_in(version).iter().for_each(|digest| output.text(digest));
        });
    }),
];

fn classify(inputs: &Inputs<'_>) -> Classified {
    let is_document = inputs.text(0).is_some_and(|version| version.starts_with("SPDX-"));
    let is_graph = inputs.all(1).any(|kind| matches!(kind, Scalar::Text("SpdxDocument" | "software_Sbom")));
    if is_document || is_graph {
        let (class, action) = (C::SbomGenerated, "generated");
        return Classified::Event(Class { class, action, verdict: Verdict::Success });
    }
    Classified::Invalid("no SPDX document")
}

fn purls<'a>(inputs: &Inputs<'a>) -> impl Iterator<Item = &'a str> + use<'a> {
    let inputs = *inputs;
    (0..PURLS.len()).flat_map(move |i| present(&inputs, i)).filter_map(|value| match value {
        Scalar::Text(text) => purl(text).map(|_| text),
        _ => None,
    })
}

fn components(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    purls(inputs).for_each(|text| output.text(text));
}

/// The one image among the packages: tools that list an image's contents give the image itself as a package, too.
fn image(inputs: &Inputs<'_>, told: impl FnOnce(&str, &str)) {
    let mut images = purls(inputs).filter(|text| text.starts_with("pkg:oci/"));
    if let (Some(image), None) = (images.next(), images.next())
        && let Some((name, version)) = purl(image)
    {
        told(name, version.unwrap_or(""));
    }
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
    fn the_one_image_is_the_artifact() {
        let hex = "0a".repeat(32);
        let image =
            |name: &str| format!(r#"{{"externalRefs":[{{"referenceLocator":"pkg:oci/{name}@sha256:{hex}?arch=x"}}]}}"#);
        let document = |packages: &str| {
            let text = format!(
                r#"{{"spdxVersion":"SPDX-2.3","SPDXID":"SPDXRef-DOCUMENT","documentNamespace":"https://a.example/1",
                "creationInfo":{{"created":"2026-09-01T10:00:00Z"}},"packages":[{packages}]}}"#
            );
            decode_one(&FORMAT, &Arc::from("sbom"), &text).unwrap().remove(0)
        };
        let one = document(&image("app"));
        assert_eq!(one.fields["prov.artifact"], "pkg:oci/app");
        assert_eq!(one.fields["prov.digest"], format!("sha256:{hex}"));
        assert_eq!(one.id.as_deref(), Some("https://a.example/1:2026-09-01T10:00:00Z"));
        let two = document(&format!("{},{}", image("app"), image("base")));
        assert_eq!(two.fields.get("prov.digest"), None, "nobody says which");
    }
}
