//! AWS CodeBuild, CodePipeline, CodeDeploy, and rotations of Secrets Manager.

use model::Invalid;

use super::written::{Written, all_told, check_written, events};
use super::{Expected, check_all};

#[rustfmt::skip]
const AWS: &[Expected] = &[
    Expected("codebuild-phase-change.json", 0, "build.finished", "finished", "success", &[
        "prov.build_id=arn:aws:codebuild:us-west-2:123456789012:build/my-sample-project:8745a7a9-c340-456a-9166-edf953571bEX",
        "builder=arn:aws:codebuild:us-west-2:123456789012:project/my-sample-project", "result=success",
        "outputs=sha256:6ccc2ae1df9d155ba83c597051611c42d60e09c6329dcb14a312cecc0a8e39ex", "prov.repo=",
        "materials=codebuild-123456789012-input-bucket/my-input-artifact.zip", "prov.org=123456789012", "prov.region=us-west-2"]),
    Expected("codebuild-state-change.json", 0, "ci.job", "finished", "success", &[
        "prov.job_id=arn:aws:codebuild:us-west-2:123456789012:build/my-sample-project:8745a7a9-c340-456a-9166-edf953571bEX",
        "prov.run_id=arn:aws:codebuild:us-west-2:123456789012:build/my-sample-project:8745a7a9-c340-456a-9166-edf953571bEX",
        "prov.workflow=arn:aws:codebuild:us-west-2:123456789012:project/my-sample-project", "job_name=my-sample-project",
        "prov.actor_id=MyCodeBuildDemoUser", "prov.actor=MyCodeBuildDemoUser", "result=success", "duration=114000",
        "secrets_declared=", "secrets_count=0", "prov.commit=", "step.name="]),
    Expected("codedeploy-deployment-event.json", 0, "deploy.finished", "finished", "success", &[
        "prov.service=myApplication", "prov.env=", "prov.org=123456789012", "prov.region=us-east-1"]),
    Expected("codepipeline-execution-stage-change-event.json", 0, "ci.job", "started", "success", &[
        "prov.run_id=01234567-0123-0123-0123-012345678901", "prov.actor_id=",
        "prov.workflow=arn:aws:codepipeline:us-east-1:123456789012:pipeline:myPipeline"]),
    Expected("codepipeline-execution-state-change-event.json", 0, "ci.run", "started", "success", &[
        "prov.run_id=01234567-0123-0123-0123-012345678901", "result=",
        "prov.workflow=arn:aws:codepipeline:us-east-1:123456789012:pipeline:myPipeline"]),
];

const REFUSED: &[(&str, &str, Option<Invalid>)] = &[
    ("kafka-event.json", "what a function reads from Kafka: no event of a delivery tool", Some(Invalid::WrongShape)),
    ("secretsmanager-secret-rotation-event.json", "the first step of a rotation: nothing has changed yet", None),
];

#[test]
fn aws_codebuild_codepipeline() {
    check_all("aws-codebuild-codepipeline", "aws-codebuild-codepipeline", AWS, REFUSED);
    all_told("aws-codebuild-codepipeline", "aws-codebuild-codepipeline");
}

#[rustfmt::skip]
const WRITTEN: &[Written] = &[
    Written(r#"{"id":"1","detail-type":"CodeBuild Build State Change","account":"111122223333","time":"2026-09-01T10:00:00Z","region":"eu-west-1",
        "detail":{"build-status":"FAULT","project-name":"web","build-id":"arn:aws:codebuild:eu-west-1:111122223333:build/web:u",
        "additional-information":{"initiator":"Deployer/looks-like-admin","source-version":"65BF499D0E5F60718293A4B5C6D7E8F901122334",
        "source":{"type":"GITHUB","location":"https://github.com/Shop/Web.git"},"environment":{"environment-variables":[
        {"name":"A","type":"PLAINTEXT","value":"hunter2"},{"name":"B","type":"SECRETS_MANAGER","value":"prod/db:password"},
        {"name":"C","type":"PARAMETER_STORE","value":"/web/token"}]},"phases":[{"duration-in-seconds":1.5}]}}}"#,
        0, "ci.job", "finished", "error", &["result=error", "cause=system", "prov.repo=github.com/shop/web",
        "prov.commit=65bf499d0e5f60718293a4b5c6d7e8f901122334", "prov.actor_id=Deployer", "duration=1500",
        r#"secrets_declared=["prod/db","/web/token"]"#, "secrets_count=2"]),
    Written(r#"{"id":"2","detail-type":"CodeBuild Build Phase Change","account":"1","time":"2026-09-01T10:00:00Z","detail":{
        "completed-phase":"PRE_BUILD","completed-phase-status":"FAILED","project-name":"web","build-id":"arn:aws:codebuild:r:1:build/web:u",
        "additional-information":{"initiator":"codepipeline/release","source-version":"pr/12"}}}"#,
        0, "ci.job", "step", "failure", &["step.name=PRE_BUILD", "step.state=completed", "prov.run_id=",
        "prov.actor_id=codepipeline/release", "prov.change_id=12"]),
    Written(r#"{"id":"3","detail-type":"CodePipeline Pipeline Execution State Change","account":"1","time":"2026-09-01T10:00:00Z","resources":
        ["arn:aws:codepipeline:r:1:release"],"detail":{"pipeline":"release","execution-id":"x","state":"STARTED","pipeline-execution-attempt":1.0,
        "execution-trigger":{"trigger-type":"StartPipelineExecution","trigger-detail":"arn:aws:sts::1:assumed-role/Admin/amy"}}}"#,
        0, "ci.run", "started", "success", &["prov.actor_id=arn:aws:iam::1:role/Admin", "prov.actor=Admin", "prov.attempt=1",
        "prov.trigger=workflow_dispatch", "prov.workflow=arn:aws:codepipeline:r:1:release"]),
    Written(r#"{"id":"4","detail-type":"CodePipeline Action Execution State Change","account":"1","time":"2026-09-01T10:00:00Z",
        "detail":{"pipeline":"release","execution-id":"x","stage":"Gate","action":"Ask","state":"FAILED","type":{"category":"Approval"}}}"#,
        0, "ci.run", "rejected", "denied", &["prov.run_id=x", "result=failure"]),
    Written(r#"{"id":"5","detail-type":"CodePipeline Action Execution State Change","account":"1","time":"2026-09-01T10:00:00Z",
        "detail":{"pipeline":"release","execution-id":"x","stage":"Build","action":"Compile","state":"STARTED","type":{"category":"Build"}}}"#,
        0, "ci.job", "step", "success", &["job_name=Build", "step.name=Compile", "step.state=in_progress"]),
    Written(r#"{"id":"6","detail-type":"CodeDeploy Deployment State-change Notification","source":"aws.codedeploy","account":"1",
        "time":"2026-09-01T10:00:00Z","detail":{"application":"web","deploymentGroup":"web-production","deploymentId":"d-1","state":"START"}}"#,
        0, "deploy.started", "started", "success", &["prov.service=web", "prov.env=prod", "src.service=codedeploy.amazonaws.com"]),
    Written(r#"{"Step":"finishSecret","SecretId":"arn:aws:secretsmanager:r:1:secret:prod/db-AbC123","ClientRequestToken":"v2",
        "RotationToken":"proof","time":"2026-09-01T10:00:00Z"}"#,
        0, "secret.rotated", "rotated", "unknown", &["secret=prod/db", "fp=prod/db", "store_kind=aws_secrets_manager"]),
];

#[test]
fn what_the_samples_do_not_show() {
    check_written("aws-codebuild-codepipeline", WRITTEN);
    for (record, secret) in [(WRITTEN[0].0, "hunter2"), (WRITTEN[6].0, "proof")] {
        let fields = format!("{:?}", events("aws-codebuild-codepipeline", record).expect("a record")[0].fields);
        assert!(!fields.contains(secret), "{fields}");
    }
    // A variable without a kind: which value is whose cannot be told, so none is shown.
    let odd = WRITTEN[0].0.replace(r#""type":"PLAINTEXT","#, "");
    let odd = events("aws-codebuild-codepipeline", &odd).expect("a record");
    assert!(!odd[0].fields.contains_key("secrets_declared"), "{odd:?}");
}
