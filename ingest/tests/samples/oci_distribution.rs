//! OCI registries: notifications and access log.

use model::Invalid;

use super::written::{Written, all_told, check_written, events};
use super::{Expected, check_all};

#[rustfmt::skip]
const OCI: &[Expected] = &[
    // Of the three pushes in the envelope two are layers.
    Expected("envelope-3-push-events.json", 0, "registry.push", "push", "success", &[
        "repo=library/test", "prov.digest=sha256:fea8895f450959fa676bcc1df0611ea93823a735a01205fd8622846041d0c7cf",
        "prov.actor_id=test-actor", "prov.actor=test-actor", "ua=test/0.1", "ua_family=test", "bytes=1", "tag=", "src.ip="]),
    Expected("event-pull-1.json", 0, "registry.pull", "pull", "success", &[
        "repo=hello-world", "tag=latest", "src.ip=192.168.64.11", "ua_family=curl", "bytes=708", "prov.actor_id=",
        "prov.digest=sha256:fea8895f450959fa676bcc1df0611ea93823a735a01205fd8622846041d0c7cf"]),
];

const REFUSED: &[(&str, &str, Option<Invalid>)] =
    &[("envelope-3-push-events.http.txt", "an HTTP request, headers and all", Some(Invalid::NotJson))];

#[test]
fn oci_distribution() {
    check_all("oci-distribution", "docker-distribution", OCI, REFUSED);
    all_told("oci-distribution", "docker-distribution");
}

#[rustfmt::skip]
const WRITTEN: &[Written] = &[
    Written(r#"{"id":"e1","timestamp":"2026-09-01T10:00:00Z","action":"delete","target":{"repository":"shop/web","tag":"1.4.0"},
        "request":{"id":"r","addr":"[2001:db8::7]:5000","method":"DELETE","useragent":"skopeo/1.14"},"actor":{"name":"ci-prune"}}"#,
        0, "registry.delete", "delete", "success", &[
        "kind=tag", "tag=1.4.0", "prov.digest=", "src.ip=2001:db8::7", "prov.actor_id=ci-prune"]),
    Written(r#"{"events":[{"id":"e2","timestamp":"2026-09-01T10:00:00Z","action":"mount","target":{"digest":"sha256:aa",
        "repository":"mallory/x","fromRepository":"shop/web","url":"https://r.example/v2/mallory/x/blobs/sha256:aa"}},
        {"id":"e3","timestamp":"2026-09-01T10:00:01Z","action":"pull","target":{"digest":"sha256:aa","size":9,
        "repository":"shop/web","url":"https://r.example/v2/shop/web/blobs/sha256:aa"}}]}"#,
        0, "registry.pull", "mount", "success", &["repo=shop/web", "prov.digest="]),
    Written(r#"{"events":[{"id":"e3","timestamp":"2026-09-01T10:00:01Z","action":"pull","target":{"digest":"sha256:aa","size":9,
        "repository":"shop/web","url":"https://r.example/v2/shop/web/blobs/sha256:aa"}}]}"#,
        0, "registry.pull", "pull", "success", &["repo=shop/web", "prov.digest=", "bytes=9"]),
    Written(r#"{"auth.user.name":"robot","http.request.host":"r.example","http.request.id":"q1","http.request.method":"GET",
        "http.request.remoteaddr":"192.0.2.9","http.request.uri":"/v2/shop/web/manifests/1.4.0","http.request.useragent":"containerd/1.7",
        "http.response.duration":"2.5s","http.response.status":503,"http.response.written":120,"level":"error",
        "msg":"response completed with error","time":"2026-09-01T10:00:00.5Z","vars.name":"shop/web","vars.reference":"1.4.0"}"#,
        0, "registry.request", "get", "error", &[
        "status=503", "latency=2500", "repo=shop/web", "tag=1.4.0", "src.ip=192.0.2.9", "prov.actor_id=robot", "ua_family=containerd"]),
    Written(r#"{"http.request.id":"q2","http.request.method":"PUT","http.request.uri":"/v2/shop/web/manifests/sha256:aa",
        "http.response.status":403,"time":"2026-09-01T10:00:00Z","vars.name":"shop/web","vars.reference":"sha256:aa"}"#,
        0, "registry.request", "put", "denied", &["prov.digest=sha256:aa", "tag=", "latency="]),
];

#[test]
fn what_the_samples_do_not_show() {
    check_written("oci-distribution", WRITTEN);
    let unknown = r#"{"id":"e","timestamp":"2026-09-01T10:00:00Z","action":"dance","target":{"repository":"a"}}"#;
    assert_eq!(events("oci-distribution", unknown), Err(Invalid::WrongShape));
}
