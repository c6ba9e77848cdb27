//! AWS's own delivery tools through EventBridge: CodeBuild, CodePipeline and CodeDeploy; and the call by which Secrets
//! Manager finishes a rotation.
//!
//! Must never map a build's plain environment variables: their values are anything, secrets among them.

use EventClass as C;
use model::{EventClass, Scalar, Trust, Verdict};

use super::cloudtrail::{role_of, secret, secret_name};
use super::fill::{coalesce, env_class, lower_case};
use super::{Class, Classified, Format, Id, Inputs, MapRow, Mapping, Output, all, on};

/// The format.
pub static FORMAT: Format = Format {
    name: "aws-codebuild-codepipeline",
    title: "AWS CodeBuild, CodePipeline and CodeDeploy through EventBridge",
    product: "aws",
    service: "codebuild",
    marks: &[
        &["detail-type", "detail.build-id", "detail.project-name"],
        &["detail-type", "detail.pipeline", "detail.execution-id"],
        &["detail-type", "detail.deploymentId", "detail.application"],
        &["Step", "SecretId", "ClientRequestToken"],
    ],
    containers: &[],
    mapping: Some(&MAPPING),
    trust: Trust::ControlPlane,
};

static MAPPING: Mapping = Mapping {
    id: Id::First(&["id", "ClientRequestToken"]),
    time: &["time"],
    action: "detail-type",
    classify_paths: &[
        "detail-type",
        "detail.build-status",
        "detail.completed-phase",
        "detail.completed-phase-status",
        "detail.state",
        "detail.type.category",
        "Step",
    ],
    classify,
    rows: ROWS,
};

const RUN: &[EventClass] = &[C::CiRun, C::CiJob];
const JOB: &[EventClass] = &[C::CiJob];
const BUILD: &[EventClass] = &[C::BuildFinished];
const ROTATED: &[EventClass] = &[C::SecretRotated];

/// How it ended, in whichever of the three forms.
const STATE: &[&str] = &["detail.completed-phase-status", "detail.build-status", "detail.state"];
const SOURCE: &[&str] = &["detail.additional-information.source.location"];
const REVISION: &[&str] = &["detail.additional-information.source-version"];
const OUTPUT: &[&str] = &["detail.additional-information.artifact.sha256sum"];
/// What set a build, a run off.
const ACTOR: &[&str] = &["detail.additional-information.initiator", "detail.execution-trigger.trigger-detail"];

#[rustfmt::skip]
static ROWS: &[MapRow] = &[
    all("prov.org", &["account"], coalesce),
    all("prov.region", &["region"], coalesce),
    all("prov.actor_id", ACTOR, actor_id),
    all("prov.actor", ACTOR, actor),
    all("prov.trigger", &["detail.execution-trigger.trigger-type"], trigger),
    all("prov.workflow", &["detail.build-id", "detail.pipeline", "resources"], workflow),
    all(
        "prov.run_id",
        &["detail.execution-id", "detail.build-id", "detail.additional-information.initiator"], run_id,
    ),
    all("prov.attempt", &["detail.pipeline-execution-attempt"], whole),
    all("prov.job_id", &["detail.build-id"], coalesce),
    all("prov.build_id", &["detail.build-id"], coalesce),
    all("prov.repo", SOURCE, source_repo),
    all("prov.commit", REVISION, commit),
    all("prov.ref", REVISION, git_ref),
    all("prov.change_id", REVISION, change),
    all("prov.digest", OUTPUT, sha256),
    all("prov.service", &["detail.application"], coalesce),
    all("prov.env", &["detail.deploymentGroup"], env_class),
    // Runs, jobs, steps.
    on(RUN, "result", STATE, result),
    on(RUN, "cause", STATE, cause),
    on(JOB, "duration", &["detail.build-status", "detail.additional-information.phases.duration-in-seconds"], duration),
    on(JOB, "job_name", &["detail.stage", "detail.project-name"], coalesce),
    on(JOB, "step.name", &["detail.action", "detail.completed-phase"], coalesce),
    on(JOB, "step.state", &["detail.completed-phase", "detail.action", "detail.state"], step_state),
    on(JOB, "secrets_declared", VARIABLES, secrets),
    on(JOB, "secrets_count", VARIABLES, secrets_count),
    // Builds.
    on(BUILD, "result", STATE, result),
    on(BUILD, "outputs", OUTPUT, sha256),
    on(BUILD, "materials", SOURCE, coalesce),
    on(BUILD, "builder", &["detail.build-id"], workflow),
    // Deployments: CodeDeploy acts for somebody whom CloudTrail names.
    on(&[C::DeployStarted], "src.service", &["source"], deployer),
    // Rotations: the secret's name, never what it was called with to prove who calls.
    on(ROTATED, "store_kind", &["SecretId"], store_kind),
    on(ROTATED, "secret", &["SecretId"], secret),
    on(ROTATED, "fp", &["SecretId"], secret),
];

fn classify(inputs: &Inputs<'_>) -> Classified {
    let event = |class, action, verdict| Classified::Event(Class { class, action, verdict });
    let Some(native) = inputs.text(0) else {
        return match inputs.text(6) {
            // The value that was made becomes the secret's value now; before, nothing has changed yet.
            Some("finishSecret") => event(C::SecretRotated, "rotated", Verdict::Unknown),
            Some("createSecret" | "setSecret" | "testSecret") => Classified::Filtered,
            _ => Classified::Invalid("no event of EventBridge, no step of a rotation"),
        };
    };
    let (status, phase, state) = (inputs.text(1), inputs.text(2), inputs.text(4).unwrap_or(""));
    match native {
        "CodeBuild Build State Change" => match status {
            Some("IN_PROGRESS") => event(C::CiJob, "started", Verdict::Success),
            Some(status) => event(C::CiJob, "finished", verdict(status)),
            None => Classified::Invalid("a build without `build-status`"),
        },
        "CodeBuild Build Phase Change" => match (phase, verdict(inputs.text(3).unwrap_or(""))) {
            (Some("COMPLETED"), ended) => event(C::BuildFinished, "finished", ended),
            (Some(_), ended) => event(C::CiJob, "step", ended),
            (None, _) => Classified::Invalid("a phase without its name"),
        },
        "CodePipeline Pipeline Execution State Change" => progress(C::CiRun, state),
        "CodePipeline Stage Execution State Change" => progress(C::CiJob, state),
        "CodePipeline Action Execution State Change" => match (inputs.text(5), state) {
            (Some("Approval"), "SUCCEEDED") => event(C::CiRun, "approved", Verdict::Success),
            (Some("Approval"), "FAILED") => event(C::CiRun, "rejected", Verdict::Denied),
            (_, "STARTED") => event(C::CiJob, "step", Verdict::Success),
            (_, state) => event(C::CiJob, "step", verdict(state)),
        },
        "CodeDeploy Deployment State-change Notification" => match state {
            "START" => event(C::DeployStarted, "started", Verdict::Success),
            "SUCCESS" | "FAILURE" | "STOP" => event(C::DeployFinished, "finished", verdict(state)),
            _ => Classified::Filtered,
        },
        // Rules of EventBridge are often wider than what is wanted of them.
        _ => Classified::Filtered,
    }
}

/// A run or a stage. What is being stopped says so again when it has stopped.
fn progress(class: EventClass, state: &str) -> Classified {
    let (action, verdict) = match state {
        "STARTED" | "RESUMED" => ("started", Verdict::Success),
        "STOPPING" => return Classified::Filtered,
        "CANCELED" => ("cancelled", Verdict::Unknown),
        state => ("finished", verdict(state)),
    };
    Classified::Event(Class { class, action, verdict })
}

/// What somebody stopped or something newer overtook neither succeeded nor failed.
fn verdict(status: &str) -> Verdict {
    match status {
        "SUCCEEDED" | "SUCCESS" => Verdict::Success,
        "FAILED" | "FAILURE" | "TIMED_OUT" | "CLIENT_ERROR" => Verdict::Failure,
        "FAULT" => Verdict::Error,
        _ => Verdict::Unknown,
    }
}

fn result(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    let Some(status) = (0..3).find_map(|i| inputs.text(i)) else { return };
    match status {
        "SUCCEEDED" | "SUCCESS" => output.text("success"),
        "FAILED" | "FAILURE" | "CLIENT_ERROR" => output.text("failure"),
        "FAULT" => output.text("error"),
        "STOPPED" | "STOP" | "CANCELED" | "ABANDONED" | "SUPERSEDED" => output.text("cancelled"),
        "TIMED_OUT" => output.text("timed_out"),
        // Still running.
        _ => {}
    }
}

/// CodeBuild tells its own faults from the caller's.
fn cause(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    match (0..3).find_map(|i| inputs.text(i)) {
        Some("FAULT") => output.text("system"),
        Some("CLIENT_ERROR") => output.text("config"),
        _ => {}
    }
}

/// The user, or the role that issued the session; a pipeline as it is.
fn actor_id(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if let Some(initiator) = inputs.text(0) {
        return output.text(issuer(initiator));
    }
    // A start by hand names the caller; a connection or a webhook is nobody.
    match inputs.text(1) {
        Some(arn) if arn.contains(":assumed-role/") => output.text(&role_of(arn)),
        Some(arn) if arn.contains(":iam::") => output.text(arn),
        _ => {}
    }
}

fn actor(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    match (inputs.text(0), inputs.text(1)) {
        (Some(initiator), _) => output.text(issuer(initiator)),
        (None, Some(arn)) if arn.contains(":assumed-role/") || arn.contains(":iam::") => {
            let role = role_of(arn);
            output.text(role.rsplit('/').next().unwrap_or(&role));
        }
        _ => {}
    }
}

/// `ROLE/SESSION` → `ROLE`: whoever takes the role chooses the session's name. `codepipeline/NAME`, `rule/NAME` stay.
fn issuer(initiator: &str) -> &str {
    match initiator.split_once('/') {
        Some(("codepipeline" | "rule", _)) | None => initiator,
        Some((role, _)) => role,
    }
}

fn trigger(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    match inputs.text(0) {
        Some("Webhook" | "WebhookV2" | "PollForSourceChanges" | "CloudWatchEvent") => output.text("push"),
        Some("StartPipelineExecution") => output.text("workflow_dispatch"),
        Some(native) => output.text(native),
        None => {}
    }
}

/// The definition's ARN: of a build its project's, of a run its pipeline's.
fn workflow(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if let Some((head, build)) = inputs.text(0).and_then(|arn| arn.split_once(":build/")) {
        let project = build.split(':').next().unwrap_or(build);
        output.text(&format!("{head}:project/{project}"));
    } else if inputs.text(1).is_some()
        && let Some(arn) = inputs.text(2)
    {
        output.text(arn);
    }
}

/// A pipeline's execution; a build that no pipeline started is a run of its own.
fn run_id(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    let alone = !inputs.text(2).is_some_and(|initiator| initiator.starts_with("codepipeline/"));
    if let Some(id) = inputs.text(0).or(inputs.text(1).filter(|_| alone)) {
        output.text(id);
    }
}

/// A whole number, which EventBridge writes as `1`, `1.0` or text.
fn whole(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if let Some(number) = inputs.first(0).and_then(Scalar::as_number).filter(|n| n.fract() == 0.0) {
        output.scalar(Scalar::Int(number as i64));
    }
}

/// `https://host/owner/name.git` → `host/owner/name`, lower case; buckets and pipelines are no repositories.
fn source_repo(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    let Some(path) = inputs.text(0).and_then(|location| location.strip_prefix("https://")) else { return };
    // A user before the host would be a credential.
    let path = path.split_once('@').map_or(path, |(_, host)| host);
    let path = path.strip_suffix(".git").unwrap_or(path);
    if path.matches('/').count() >= 2 {
        output.text(&lower_case(path));
    }
}

fn commit(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    let is_hash = |text: &&str| text.len() == 40 && text.bytes().all(|b| b.is_ascii_hexdigit());
    if let Some(hash) = inputs.text(0).filter(is_hash) {
        output.text(&lower_case(hash));
    }
}

fn git_ref(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if let Some(name) = inputs.text(0).filter(|version| version.starts_with("refs/")) {
        output.text(name.split('^').next().unwrap_or(name));
    }
}

fn change(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if let Some(number) = inputs.text(0).and_then(|version| version.strip_prefix("pr/")) {
        output.text(number);
    }
}

fn sha256(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if let Some(sum) = inputs.text(0).filter(|sum| sum.len() == 64) {
        output.text(&format!("sha256:{}", lower_case(sum)));
    }
}

/// Milliseconds: the sum of a finished build's phases.
fn duration(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if inputs.text(0).is_some_and(|status| status != "IN_PROGRESS") && inputs.has(1) {
        let seconds: f64 = inputs.all(1).filter_map(Scalar::as_number).sum();
        output.scalar(Scalar::Int((seconds * 1000.0) as i64));
    }
}

fn step_state(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    match (inputs.text(0), inputs.text(1), inputs.text(2)) {
        (Some(_), ..) => output.text("completed"),
        (None, Some(_), Some("STARTED")) => output.text("in_progress"),
        (None, Some(_), Some(_)) => output.text("completed"),
        _ => {}
    }
}

/// A build's variables: name, kind and value of each; of those of a secret store the value is the secret's name.
const VARIABLES: &[&str] = &[
    "detail.additional-information.environment.environment-variables.type",
    "detail.additional-information.environment.environment-variables.value",
];

/// The names of the secrets; nothing when a variable lacks its kind or its value, since then they do not pair up.
fn declared<'a>(inputs: &Inputs<'a>) -> Option<Vec<&'a str>> {
    let (kinds, values): (Vec<_>, Vec<_>) = (inputs.all(0).collect(), inputs.all(1).collect());
    let stored = |kind: &Scalar<'_>| matches!(kind, Scalar::Text("SECRETS_MANAGER" | "PARAMETER_STORE"));
    let text = |value| if let Scalar::Text(text) = value { Some(text) } else { None };
    let paired = kinds.len() == values.len();
    paired.then(|| kinds.iter().zip(values).filter(|(kind, _)| stored(kind)).filter_map(|(_, v)| text(v)).collect())
}

fn secrets(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    for value in declared(inputs).unwrap_or_default() {
        output.text(secret_name(secret_id(value)));
    }
}

/// `NAME:JSON-KEY:STAGE:VERSION` → `NAME`, which may be an ARN with six colons of its own.
fn secret_id(value: &str) -> &str {
    let own = if value.starts_with("arn:") { 6 } else { 0 };
    value.match_indices(':').nth(own).and_then(|(at, _)| value.get(..at)).unwrap_or(value)
}

fn secrets_count(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if let Some(names) = declared(inputs).filter(|_| inputs.has(0)) {
        output.scalar(Scalar::Int(i64::try_from(names.len()).unwrap_or(i64::MAX)));
    }
}

fn deployer(_: &Inputs<'_>, output: &mut Output<'_>) {
    output.text("codedeploy.amazonaws.com");
}

fn store_kind(_: &Inputs<'_>, output: &mut Output<'_>) {
    output.text("aws_secrets_manager");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_fills_model_fields_once() {
        crate::format::fill::tests::check(super::ROWS);
    }

    #[test]
    fn secrets_have_their_stores_names() {
        for (value, id) in [
            ("prod/db", "prod/db"),
            ("prod/db:password:AWSCURRENT", "prod/db"),
            ("arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/db-AbC123:password", "prod/db"),
            ("/build/token", "/build/token"),
        ] {
            assert_eq!(secret_name(secret_id(value)), id, "{value}");
        }
    }

    #[test]
    fn session_names_are_nobody() {
        assert_eq!(issuer("Deployer/looks-like-admin"), "Deployer");
        assert_eq!(issuer("codepipeline/release"), "codepipeline/release");
        assert_eq!(issuer("amy"), "amy");
    }

    #[test]
    fn states_have_verdicts() {
        assert_eq!(verdict("FAULT"), Verdict::Error);
        assert_eq!(verdict("TIMED_OUT"), Verdict::Failure);
        assert_eq!(verdict("SUPERSEDED"), Verdict::Unknown);
        assert_eq!(progress(C::CiRun, "STOPPING"), Classified::Filtered);
    }
}
