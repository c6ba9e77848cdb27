//! Lists of components: CycloneDX and SPDX.

use super::{Expected, check};

#[rustfmt::skip]
const CYCLONEDX: &[Expected] = &[
    // Without a time in it, so that a stream refuses it as no_time.
    Expected("laravel-1.4.json", 0, "sbom.generated", "generated", "success", &[
        "format=cyclonedx", "prov.artifact=pkg:composer/cyclonedx/cyclonedx-php-composer-demo", "prov.version=dev-master",
        "prov.digest=", "event.time="]),
    Expected("proton-bridge-v1.8.0.json", 0, "sbom.generated", "generated", "success", &[
        "prov.artifact=pkg:golang/github.com/ProtonMail/proton-bridge", "prov.version=v1.8.0"]),
    Expected("vex-case-1.json", 0, "vuln.finding", "dismissed", "unknown", &[
        "cve=CVE-2020-25649", "sev=high", "dismissed=true", "reason=code_not_reachable", "prov.version=2.4.0"]),
];

#[rustfmt::skip]
const SPDX: &[Expected] = &[
    Expected("spdx2.2-appbomination.json", 0, "sbom.generated", "generated", "success", &[
        "format=spdx", "prov.artifact=", "prov.digest=",
        "components.purl=[\"pkg:maven/org.hamcrest/hamcrest-core@1.3\",\"pkg:maven/org.apache.commons/commons-lang3@3.4\",\
        \"pkg:maven/junit/junit@4.12\",\"pkg:maven/org.slf4j/slf4j-api@1.7.21\"]"]),
    Expected("spdx2.3-hello-source.json", 0, "sbom.generated", "generated", "success", &["format=spdx", "components.purl="]),
    Expected("spdx3.0-hello-source.json", 0, "sbom.generated", "generated", "success", &["format=spdx", "components.purl="]),
];

#[test]
fn cyclonedx() {
    check("cyclonedx", CYCLONEDX);
}

#[test]
fn spdx() {
    check("spdx", SPDX);
}
