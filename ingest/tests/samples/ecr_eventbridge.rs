//! Amazon ECR and Inspector through EventBridge.

use super::written::{Written, all_told, check_written, events};
use super::{Expected, check};

#[rustfmt::skip]
const ECR: &[Expected] = &[
    Expected("ecr-image-push-event.json", 0, "registry.push", "push", "success", &[
        "repo=my-repository-name", "tag=latest", "prov.org=123456789012", "prov.region=us-west-2", "prov.actor_id=",
        "prov.digest=sha256:7f5b2640fe6fb4f46592dfd3410c4a79dac4f89e4782432e0378abcd1234",
        "prov.artifact=pkg:oci/my-repository-name?repository_url=123456789012.dkr.ecr.us-west-2.amazonaws.com/my-repository-name"]),
    Expected("ecr-image-scan-event.json", 0, "scan.result", "finished", "success", &[
        "sev=critical", "tool=ecr", "prov.org=123456789012", "prov.region=eu-north-1",
        "prov.digest=sha256:d4a96ee9443e641fc100e763a0c10928720b50c6e3ea3342d05d7c3435fc5355"]),
];

#[test]
fn ecr_eventbridge() {
    check("ecr-eventbridge", ECR);
    all_told("ecr-eventbridge", "ecr-eventbridge");
}

#[rustfmt::skip]
const WRITTEN: &[Written] = &[
    Written(r#"{"id":"1","detail-type":"ECR Referrer Action","source":"aws.ecr","account":"111122223333","time":"2026-09-01T10:00:00Z",
        "region":"cn-north-1","resources":[],"detail":{"action-type":"DELETE","image-digest":"sha256:aa","repository-name":"shop/web",
        "result":"SUCCESS","artifact-media-type":"application/vnd.dev.sigstore.bundle.v0.3+json"}}"#,
        0, "registry.delete", "delete", "success", &["kind=application/vnd.dev.sigstore.bundle.v0.3+json", "repo=shop/web",
        "prov.artifact=pkg:oci/web?repository_url=111122223333.dkr.ecr.cn-north-1.amazonaws.com.cn/shop/web"]),
    Written(r#"{"id":"2","detail-type":"ECR Image Action","account":"111122223333","time":"2026-09-01T10:00:00Z","region":"eu-west-1",
        "detail":{"action-type":"UPDATE_STORAGE_CLASS","target-storage-class":"ARCHIVE","image-digest":"sha256:aa",
        "repository-name":"shop/web","result":"SUCCESS"}}"#,
        0, "registry.delete", "archive", "success", &["kind=image"]),
    Written(r#"{"id":"3","detail-type":"ECR Replication Action","account":"111122223333","time":"2026-09-01T10:00:00Z","region":"eu-west-1",
        "detail":{"action-type":"REPLICATE","result":"FAILED","repository-name":"shop/web","image-digest":"sha256:aa",
        "image-tag":"1.0","source-account":"444455556666","source-region":"us-east-1"}}"#,
        0, "registry.push", "replicate", "failure", &[
        "prov.actor_id=ecr.amazonaws.com", "prov.actor_kind=service", "src.service=ecr.amazonaws.com", "tag=1.0"]),
    Written(r#"{"id":"4","detail-type":"ECR Pull Through Cache Action","account":"111122223333","time":"2026-09-01T10:00:00Z",
        "region":"eu-west-1","detail":{"sync-status":"SUCCESS","repository-name":"hub/alpine","image-tag":"3","image-digest":"sha256:aa"}}"#,
        0, "registry.push", "cache", "success", &["repo=hub/alpine", "prov.actor_id=ecr.amazonaws.com"]),
    Written(r#"{"id":"5","detail-type":"ECR Scan Resource Change","account":"111122223333","time":"2026-09-01T10:00:00Z","region":"eu-west-1",
        "detail":{"action-type":"SCAN_FREQUENCY_CHANGE","resource-type":"REPOSITORY","repositories":[
        {"repository-name":"a","scan-frequency":"SCAN_ON_PUSH","previous-scan-frequency":"MANUAL"},
        {"repository-name":"b","scan-frequency":"MANUAL","previous-scan-frequency":"CONTINUOUS_SCAN"}]}}"#,
        0, "registry.acl", "scan_frequency", "success", &["repo=b", "scan_off=true", "op=SCAN_FREQUENCY_CHANGE"]),
    Written(r#"{"id":"6","detail-type":"ECR Scan Resource Change","account":"111122223333","time":"2026-09-01T10:00:00Z","region":"eu-west-1",
        "detail":{"action-type":"SCAN_FREQUENCY_CHANGE","repositories":[
        {"repository-name":"a","scan-frequency":"SCAN_ON_PUSH","previous-scan-frequency":"MANUAL"}]}}"#,
        0, "registry.acl", "scan_frequency", "success", &["repo=a", "scan_off=false"]),
    Written(r#"{"id":"7","detail-type":"Inspector2 Scan","source":"aws.inspector2","account":"111122223333","time":"2026-09-01T10:00:00Z",
        "region":"eu-west-1","detail":{"scan-status":"INITIAL_SCAN_COMPLETE","image-digest":"sha256:aa","image-tags":["1.0"],
        "repository-name":"arn:aws:ecr:eu-west-1:111122223333:repository/shop/web",
        "finding-severity-counts":{"CRITICAL":0,"HIGH":0,"MEDIUM":3,"TOTAL":3}}}"#,
        0, "scan.result", "finished", "success", &["sev=medium", "tool=inspector", "prov.digest=sha256:aa",
        "prov.artifact=pkg:oci/web?repository_url=111122223333.dkr.ecr.eu-west-1.amazonaws.com/shop/web"]),
    Written(r#"{"id":"8","detail-type":"Inspector2 Finding","source":"aws.inspector2","account":"111122223333","time":"2026-09-01T10:00:00Z",
        "region":"eu-west-1","detail":{"status":"SUPPRESSED","severity":"HIGH","type":"PACKAGE_VULNERABILITY",
        "packageVulnerabilityDetails":{"vulnerabilityId":"CVE-2026-1000"},"resources":[{"type":"AWS_ECR_CONTAINER_IMAGE",
        "details":{"awsEcrContainerImage":{"imageHash":"sha256:aa","repositoryName":"shop/web","registry":"444455556666"}}}]}}"#,
        0, "vuln.finding", "dismissed", "success", &["cve=CVE-2026-1000", "sev=high", "dismissed=true", "tool=inspector",
        "prov.digest=sha256:aa", "prov.artifact=pkg:oci/web?repository_url=444455556666.dkr.ecr.eu-west-1.amazonaws.com/shop/web"]),
];

#[test]
fn what_the_samples_do_not_show() {
    check_written("ecr-eventbridge", WRITTEN);
    let restored = WRITTEN[1].0.replace("ARCHIVE", "STANDARD");
    assert_eq!(events("ecr-eventbridge", &restored), Ok(Vec::new()));
    // What does not pair up says nothing.
    let odd = WRITTEN[4].0.replace(r#","previous-scan-frequency":"MANUAL""#, "");
    let odd = events("ecr-eventbridge", &odd).expect("a record of ECR");
    assert!(!odd[0].fields.contains_key("scan_off") && !odd[0].fields.contains_key("repo"), "{odd:?}");
}
