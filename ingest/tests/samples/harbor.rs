//! Harbor: both forms of its webhooks.

use model::Invalid;

use super::written::{Written, all_told, check_written, events};
use super::{Expected, check_all};

#[rustfmt::skip]
const HARBOR: &[Expected] = &[
    Expected("PUSH_ARTIFACT.json", 0, "registry.push", "push", "success", &[
        "repo=harbor/alpine", "tag=", "prov.actor_id=harbor-jobservice", "prov.actor_kind=service",
        "prov.digest=sha256:954b378c375d852eb3c63ab88978f640b4348b01c1b3456a024a81536dafbbf4",
        "prov.artifact=pkg:oci/alpine?repository_url=localhost/harbor/alpine"]),
    Expected("PULL_ARTIFACT.json", 0, "registry.pull", "pull", "success", &[
        "repo=harbor/alpine", "prov.actor_kind=bot",
        "prov.actor_id=robot$harbor+wHSYCuGD-Trivy-8e2e7505-d1e6-11ed-9e71-0242ac130009"]),
    Expected("DELETE_ARTIFACT.json", 0, "registry.delete", "delete", "success", &[
        "repo=harbor/alpine", "tag=3.8", "prov.artifact=pkg:oci/alpine?repository_url=localhost/harbor/alpine",
        "prov.digest=sha256:2bb501e6173d9d006e56de5bce2720eb06396803300fe1687b58a7ff32bf4c14"]),
    Expected("QUOTA_EXCEED.json", 0, "registry.push", "push", "failure", &[
        "repo=harbor/alpine", "prov.digest=sha256:402d21757a03a114d273bbe372fa4b9eca567e8b6c332fa7ebf982b902207242",
        "prov.actor_id="]),
    Expected("SCANNING_COMPLETED.json", 0, "scan.result", "finished", "success", &[
        "prov.digest=sha256:954b378c375d852eb3c63ab88978f640b4348b01c1b3456a024a81536dafbbf4",
        "prov.artifact=pkg:oci/alpine?repository_url=localhost/harbor/alpine"]),
    Expected("SCANNING_FAILED.json", 0, "scan.result", "finished", "error", &[
        "prov.digest=sha256:dabea2944dcc2b86482b4f0b0fb62da80e0673e900c46c0e03b45919881a5d84"]),
    Expected("SCANNING_STOPPED.json", 0, "scan.result", "finished", "failure", &[
        "prov.digest=sha256:e802987f152d7826cf929ad4999fb3bb956ce7a30966aeb46c749f9120eaf22c"]),
    Expected("TAG_RETENTION.json", 0, "registry.delete", "expire", "success", &[
        "repo=harbor/alpine", "tag=3.8", "kind=image", "prov.actor_id=retention:2", "prov.actor_kind=service"]),
    Expected("cloudevents.harbor.artifact.deleted.json", 0, "registry.delete", "delete", "success", &[
        "repo=harbor/alpine", "tag=3.8", "prov.actor_id=harbor-jobservice",
        "prov.digest=sha256:2bb501e6173d9d006e56de5bce2720eb06396803300fe1687b58a7ff32bf4c14"]),
    Expected("cloudevents.harbor.quota.exceeded.json", 0, "registry.push", "push", "failure", &["repo=harbor/alpine"]),
    Expected("cloudevents.harbor.scan.completed.json", 0, "scan.result", "finished", "success", &[
        "prov.artifact=pkg:oci/alpine?repository_url=localhost/harbor/alpine"]),
    Expected("cloudevents.harbor.scan.failed.json", 0, "scan.result", "finished", "error", &[]),
    Expected("cloudevents.harbor.scan.stopped.json", 0, "scan.result", "finished", "failure", &[]),
    Expected("cloudevents.harbor.tag_retention.finished.json", 0, "registry.delete", "expire", "success", &[
        "repo=harbor/alpine", "tag=3.8", "prov.actor_id=retention:2"]),
];

const REFUSED: &[(&str, &str, Option<Invalid>)] = &[
    ("QUOTA_WARNING.json", "the push that it warns of has an event of its own", None),
    ("REPLICATION.json", "it came in: each artifact has a push of its own", None),
    ("cloudevents.harbor.quota.warned.json", "the push that it warns of has an event of its own", None),
    ("cloudevents.harbor.replication.status.changed.json", "it came in: each artifact has a push of its own", None),
    ("cloudevents.harbor.artifact.pulled.as-printed.txt", "a comma is missing", Some(Invalid::NotJson)),
    ("cloudevents.harbor.artifact.pushed.as-printed.txt", "it has comments", Some(Invalid::NotJson)),
];

#[test]
fn harbor() {
    check_all("harbor", "harbor", HARBOR, REFUSED);
    all_told("harbor", "harbor");
}

#[rustfmt::skip]
const WRITTEN: &[Written] = &[
    // Two tags of one digest deleted at once, two robots at the same second.
    Written(r#"{"type":"DELETE_ARTIFACT","occur_at":1788220800,"operator":"amy","event_data":{"resources":[
        {"digest":"sha256:aa","tag":"1.0","resource_url":"harbor.example:8443/shop/web:1.0"},
        {"digest":"sha256:aa","tag":"1.1","resource_url":"harbor.example:8443/shop/web:1.1"}],
        "repository":{"name":"web","namespace":"shop","repo_full_name":"shop/web","repo_type":"private"}}}"#,
        1, "registry.delete", "delete", "success", &[
        "tag=1.1", "prov.actor_id=amy", "prov.actor_kind=", "prov.artifact=pkg:oci/web?repository_url=harbor.example:8443/shop/web"]),
    Written(r#"{"specversion":"1.0","id":"u1","source":"/projects/1/webhook/policies/1","type":"harbor.replication.status.changed",
        "time":"2026-09-01T10:00:00Z","operator":"SCHEDULED","data":{"replication":{"harbor_hostname":"harbor.example","job_status":"Error",
        "src_resource":{"registry_type":"harbor","endpoint":"https://harbor.example","namespace":"shop"},
        "dest_resource":{"registry_name":"mirror","registry_type":"docker-hub","endpoint":"https://Hub.Example:443","namespace":"x"},
        "failed_artifact":[{"type":"image","status":"Error","name_tag":"web [1 item(s) in total]"}]}}}"#,
        0, "registry.pull", "replicate", "error", &["repo=shop/web", "dst.domain=hub.example", "prov.actor_id=", "tag="]),
];

#[test]
fn what_the_samples_do_not_show() {
    check_written("harbor", WRITTEN);
    let empty =
        r#"{"type":"TAG_RETENTION","occur_at":1788220800,"operator":"MANUAL","event_data":{"retention":{"total":0}}}"#;
    assert_eq!(events("harbor", empty), Ok(Vec::new()));
    let at = |operator: &str| {
        let record = WRITTEN[0].0.replace("amy", operator);
        events("harbor", &record).expect("a record of Harbor")[0].id.clone()
    };
    assert_ne!(at("amy"), at("bob"), "who did it is part of the id: the artifact's bytes do not say it");
}
