//! OSV records, written from the schema: there are no samples.

use model::Invalid;

use super::written::{Written, check_written, events};

const MALWARE: &str = r#"{"schema_version":"1.7.4","id":"MAL-2026-1","modified":"2026-09-02T10:00:00Z","published":"2026-09-01T10:00:00Z",
    "summary":"Malicious code in pad (npm)","affected":[
    {"package":{"ecosystem":"npm","name":"@acme/pad","purl":"pkg:npm/%40acme/pad"},"versions":["1.1.0","1.1.1"]},
    {"package":{"ecosystem":"PyPI","name":"Acme_Pad"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"}]}]}],
    "database_specific":{"malicious-packages-origins":[{"source":"reporter","sha256":"00","import_time":"2026-09-01T11:00:00Z"}]}}"#;

#[rustfmt::skip]
const WRITTEN: &[Written] = &[
    Written(MALWARE, 0, "threat.intel", "malicious", "success", &[
        "purl=pkg:npm/%40acme/pad", r#"versions=["1.1.0","1.1.1"]"#, "valid_from=1788256800000", "source=reporter", "cve=MAL-2026-1"]),
    Written(MALWARE, 1, "threat.intel", "malicious", "success", &["purl=pkg:pypi/acme-pad", "versions=*"]),
    Written(r#"{"id":"GHSA-xxxx","modified":"2026-09-02T10:00:00Z","affected":[{"package":{"ecosystem":"crates.io","name":"acme"},
        "ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"1.2.0"}]}]}],"database_specific":{"cwe_ids":["CWE-79"]}}"#,
        0, "threat.intel", "vulnerable", "success", &["purl=pkg:cargo/acme", "versions=", "valid_from=1788343200000", "source=GHSA"]),
    Written(r#"{"id":"GHSA-yyyy","modified":"2026-09-02T10:00:00Z","affected":[{"package":{"ecosystem":"npm","name":"pad"},"versions":["1"]}],
        "database_specific":{"cwe_ids":["CWE-506"]}}"#, 0, "threat.intel", "malicious", "success", &["purl=pkg:npm/pad", "versions=1"]),
    Written(r#"{"vulns":[{"id":"MAL-2026-2","modified":"2026-09-02T10:00:00Z","withdrawn":"2026-09-02T10:00:00Z",
        "affected":[{"package":{"ecosystem":"Linux","name":"x"},"versions":["1"]}]}]}"#,
        0, "threat.intel", "withdrawn", "success", &["purl=", "source=MAL"]),
];

#[test]
fn osv() {
    check_written("osv", WRITTEN);
}

#[test]
fn what_names_no_package_matches_nothing() {
    let no_package = r#"{"schema_version":"1.0.0","id":"CVE-1","modified":"2026-09-02T10:00:00Z","affected":[
        {"ranges":[{"type":"GIT","repo":"https://x.example/y","events":[{"introduced":"0"}]}]}]}"#;
    assert_eq!(events("osv", no_package), Ok(Vec::new()));
    let nothing = r#"{"schema_version":"1.0.0","id":"CVE-1","modified":"2026-09-02T10:00:00Z","published":"2026-09-02T10:00:00Z"}"#;
    assert_eq!(events("osv", nothing), Ok(Vec::new()));
    assert_eq!(events("osv", "{}"), Err(Invalid::WrongShape));
    // Written anew it is another event.
    let id = |record: &str| events("osv", record).expect("a record")[0].id.clone();
    assert_ne!(id(MALWARE), id(&MALWARE.replace("2026-09-02", "2026-09-03")));
}
