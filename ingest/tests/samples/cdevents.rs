//! CDEvents: every event of the specification's draft 0.6.

use super::{Expected, check_all};

const DIGEST: &str = "prov.digest=sha256:0b31b1c02ff458ad9b7b81cbdf8f028bd54699fa151f221d1e8de6817db93427";
const APP: &str = "prov.artifact=pkg:golang/mygit.com/myorg/myapp";
const VERSION: &str = "prov.version=234fd47e07d1004f0aed9c";
const REPO: &str = "prov.repo=example.org/testrepo/testorg";
const OWN_REPO: &str = "prov.repo=example.org/testorg/testrepo";
const BOT: &str = "prov.actor_id=mybot-myapp";

#[rustfmt::skip]
const CDEVENTS: &[Expected] = &[
    Expected("approval_closed.json", 0, "ci.run", "approved", "success", &["approved_by=urn:user:bob", "prov.run_id="]),
    Expected("approval_created.json", 0, "ci.run", "approval_requested", "success", &["approved_by=", "result="]),
    Expected("approval_updated.json", 0, "ci.run", "approval_updated", "success", &["approved_by=urn:user:bob"]),
    Expected("artifact_deleted.json", 0, "registry.delete", "deleted", "success", &[APP, VERSION, BOT]),
    Expected("artifact_downloaded.json", 0, "registry.pull", "downloaded", "success", &[APP, VERSION, BOT]),
    Expected("artifact_packaged.json", 0, "build.finished", "packaged", "success", &[
        APP, VERSION, "prov.repo=my-git.example/an-org/a-repo", "prov.change_id=myChange123", "prov.commit=", "prov.build_id="]),
    Expected("artifact_published.json", 0, "registry.publish", "published", "success", &[
        APP, VERSION, BOT, "repo=mygit.com/myorg/myapp", "prov.digest="]),
    Expected("artifact_signed.json", 0, "sign.signature", "signed", "success", &[APP, VERSION]),
    Expected("branch_created.json", 0, "scm.ref", "created", "success", &[
        REPO, "name=mySubject123", "prov.ref=refs/heads/mySubject123", "type=branch"]),
    Expected("branch_deleted.json", 0, "scm.ref", "deleted", "success", &[REPO, "name=mySubject123"]),
    Expected("build_finished.json", 0, "build.finished", "finished", "success", &[
        DIGEST, "prov.artifact=pkg:oci/myapp", "prov.build_id=mySubject123", "prov.version=",
        "outputs=sha256:0b31b1c02ff458ad9b7b81cbdf8f028bd54699fa151f221d1e8de6817db93427"]),
    Expected("change_abandoned.json", 0, "scm.change", "closed", "success", &[REPO, "prov.change_id=mySubject123"]),
    Expected("change_created.json", 0, "scm.change", "opened", "success", &[REPO, "prov.change_id=mySubject123"]),
    Expected("change_merged.json", 0, "scm.change", "merged", "success", &[REPO]),
    Expected("change_reviewed.json", 0, "scm.change", "reviewed", "success", &[REPO]),
    Expected("change_updated.json", 0, "scm.change", "updated", "success", &[REPO]),
    Expected("environment_created.json", 0, "scm.admin", "environment.created", "success", &[
        "object_kind=environment", "object=mySubject123", "env=testEnv", "prov.repo="]),
    Expected("environment_deleted.json", 0, "scm.admin", "environment.deleted", "success", &["env=testEnv"]),
    Expected("environment_modified.json", 0, "scm.admin", "environment.modified", "success", &["env=testEnv"]),
    Expected("incident_detected.json", 0, "ops.response", "detected", "success", &[
        DIGEST, "prov.service=myApp", "object_kind=incident", "object=incident-123"]),
    Expected("incident_reported.json", 0, "ops.response", "reported", "success", &["object=incident-123"]),
    Expected("incident_resolved.json", 0, "ops.response", "resolved", "success", &["object=incident-123"]),
    Expected("pipelinerun_finished.json", 0, "ci.run", "finished", "failure", &[
        "prov.run_id=mySubject123", "prov.workflow=myPipeline", "result=failure", "system_outcome=ok", "cause="]),
    Expected("pipelinerun_queued.json", 0, "ci.run", "requested", "success", &["prov.run_id=mySubject123", "result="]),
    Expected("pipelinerun_started.json", 0, "ci.run", "started", "success", &["prov.run_id=mySubject123"]),
    Expected("repository_created.json", 0, "scm.admin", "repository.created", "success", &[
        OWN_REPO, "object_kind=repo", "object=mySubject123", "env="]),
    Expected("repository_deleted.json", 0, "scm.admin", "repository.deleted", "success", &[OWN_REPO]),
    Expected("repository_modified.json", 0, "scm.admin", "repository.modified", "success", &[OWN_REPO]),
    Expected("service_deployed.json", 0, "deploy.finished", "deployed", "success", &[DIGEST, "prov.service=mySubject123"]),
    Expected("service_removed.json", 0, "deploy.finished", "removed", "success", &["prov.service=mySubject123", "prov.digest="]),
    Expected("service_rolledback.json", 0, "deploy.rolledback", "rolledback", "success", &[DIGEST, "prov.artifact=pkg:oci/myapp"]),
    Expected("service_upgraded.json", 0, "deploy.finished", "upgraded", "success", &[DIGEST]),
    Expected("taskrun_finished.json", 0, "ci.job", "finished", "failure", &[
        "prov.job_id=mySubject123", "prov.run_id=mySubject123", "job_name=myTask", "result=failure"]),
    Expected("taskrun_started.json", 0, "ci.job", "started", "success", &["prov.job_id=mySubject123", "job_name=myTask"]),
    Expected("testsuiterun_finished.json", 0, "scan.result", "finished", "failure", &[
        "tool=Auth TestSuite", "kind=test_suite", "sev=critical", "prov.env=dev"]),
];

#[test]
fn cdevents() {
    let (build, test, ticket) =
        ("a build's end is its event", "no security test, or not ended", "another system's list");
    let refused = [
        ("build_queued.json", build, None),
        ("build_started.json", build, None),
        ("service_published.json", "deployed says it", None),
        ("testcaserun_finished.json", test, None),
        ("testcaserun_queued.json", test, None),
        ("testcaserun_skipped.json", test, None),
        ("testcaserun_started.json", test, None),
        ("testoutput_published.json", test, None),
        ("testsuiterun_queued.json", test, None),
        ("testsuiterun_started.json", test, None),
        ("ticket_closed.json", ticket, None),
        ("ticket_created.json", ticket, None),
        ("ticket_updated.json", ticket, None),
    ];
    check_all("cdevents", "cdevents", CDEVENTS, &refused);
}
