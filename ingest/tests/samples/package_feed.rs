//! Feeds of npm and PyPI, written from their documentation: there are no samples.

use super::written::{Written, check_written, events};

/// A row of npm's replication feed: of three versions one was published by this change.
const NPM: &str = r#"{"seq":90001,"id":"@acme/pad","changes":[{"rev":"7-a"}],"doc":{"_id":"@acme/pad","name":"@acme/pad",
    "dist-tags":{"latest":"1.1.0"},
    "time":{"created":"2026-08-01T10:00:00Z","modified":"2026-09-01T10:00:00.400Z","1.0.0":"2026-08-01T10:00:00Z",
    "1.1.0":"2026-09-01T10:00:00Z"},
    "versions":{"1.0.0":{"_id":"@acme/pad@1.0.0","name":"@acme/pad","version":"1.0.0","dist":{"tarball":"https://r.example/a.tgz"}},
    "1.1.0":{"_id":"@acme/pad@1.1.0","name":"@acme/pad","version":"1.1.0","_npmUser":{"name":"mallory","email":"m@example.com"},
    "repository":{"url":"git+https://github.com/acme/pad.git"},"gitHead":"65bf499d0e5f60718293a4b5c6d7e8f901122334",
    "scripts":{"test":"node t","postinstall":"node x"},
    "dist":{"integrity":"sha512-AQID","shasum":"00","tarball":"https://r.example/b.tgz"}}}}}"#;

const PYPI: &str = r#"{"info":{"name":"Acme_Pad","version":"2.0","author":"mallory"},"last_serial":4,"urls":[
    {"filename":"acme_pad-2.0-py3-none-any.whl","packagetype":"bdist_wheel","size":4661,"digests":{"md5":"00","sha256":"AA11"},
    "upload_time":"2026-09-01T10:00:00","upload_time_iso_8601":"2026-09-01T10:00:00.220617Z","yanked":false},
    {"filename":"acme_pad-2.0.tar.gz","packagetype":"sdist","size":5760,"digests":{"sha256":"bb22"},
    "upload_time":"2026-09-01T10:00:01","upload_time_iso_8601":"2026-09-01T10:00:01.868088Z","yanked":false}],
    "ownership":{"roles":[{"role":"Owner","user":"alice"}],"organization":"acme"}}"#;

#[rustfmt::skip]
const WRITTEN: &[Written] = &[
    Written(NPM, 0, "registry.publish", "publish", "success", &[
        "repo=@acme/pad", "prov.artifact=pkg:npm/%40acme/pad", "prov.version=1.1.0", "prov.digest=sha512:010203",
        "prov.actor_id=mallory", "prov.actor=mallory", "prov.actor_kind=", "install_script=true", "prov.repo=", "prov.commit="]),
    Written(PYPI, 0, "registry.publish", "publish", "success", &[
        "repo=Acme_Pad", "prov.artifact=pkg:pypi/acme-pad", "prov.version=2.0", "prov.digest=sha256:aa11", "bytes=4661",
        "install_script=false", "prov.org=acme", "prov.actor_id=", "prov.actor="]),
    Written(PYPI, 1, "registry.publish", "publish", "success", &["prov.digest=sha256:bb22", "install_script=true"]),
    Written(r#"{"name":"acme-pad","version":"2.0","timestamp":1788256800,"action":"add py3 file acme_pad-2.0-py3-none-any.whl","serial":41}"#,
        0, "registry.publish", "publish", "success", &["repo=acme-pad", "prov.version=2.0", "prov.artifact=pkg:pypi/acme-pad", "install_script="]),
    Written(r#"{"name":"acme-pad","version":"2.0","timestamp":1788256800,"action":"yank release","serial":42}"#,
        0, "registry.delete", "yank", "success", &["kind=release"]),
    Written(r#"{"name":"acme-pad","version":null,"timestamp":1788256800,"action":"accepted Owner mallory","serial":43}"#,
        0, "registry.acl", "role_added", "success", &["op=role_added", "prov.version="]),
    Written(r#"{"seq":90002,"id":"left","changes":[{"rev":"9-b"}],"doc":{"_id":"left","name":"left","time":{"modified":"2026-09-01T10:00:00Z",
        "unpublished":{"name":"alice","time":"2026-09-01T10:00:00Z","versions":["1.0.0"]}}}}"#,
        0, "registry.delete", "delete", "success", &["kind=project", "repo=left", "prov.actor_id=alice", "prov.artifact=pkg:npm/left"]),
    Written(r#"{"seq":90003,"id":"left","changes":[{"rev":"9-b"}],"deleted":true,"time":"2026-09-01T10:00:00Z"}"#,
        0, "registry.delete", "delete", "success", &["repo=left"]),
];

#[test]
fn package_feed() {
    check_written("package-feed", WRITTEN);
}

#[test]
fn only_publications_are_published() {
    let count = |record: &str| events("package-feed", record).expect("a record").len();
    assert_eq!(count(NPM), 1, "old versions are history");
    assert_eq!(count(&NPM.replace("2026-09-01T10:00:00.400Z", "2026-09-20T10:00:00Z")), 0, "a tag was moved");
    assert_eq!(count(r#"{"seq":1,"id":"left","changes":[{"rev":"1-a"}]}"#), 0, "a row without its document");
    assert_eq!(count(r#"{"name":"a","version":"1","timestamp":1788256800,"action":"new release","serial":1}"#), 0);
}

/// Who publishes by a trusted workflow is its configuration, whatever the account is called.
#[test]
fn a_trusted_publisher_is_its_configuration() {
    let trusted = r#"{"name":"GitHub Actions","trustedPublisher":{"id":"github","oidcConfigId":"oidc:6b5b"}}"#;
    let record = NPM.replace(r#"{"name":"mallory","email":"m@example.com"}"#, trusted);
    let fields = &events("package-feed", &record).expect("a record")[0].fields;
    for (field, value) in
        [("prov.actor_id", "oidc:6b5b"), ("prov.actor_kind", "workload"), ("prov.token_kind", "web_identity")]
    {
        assert_eq!(fields.get(field).and_then(|value| value.as_str()), Some(value), "{field}");
    }
}
