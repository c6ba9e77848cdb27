//! Falco, Argo CD, Flux, Argo Rollouts and Flagger: records written for these tests from their documentation.

use super::clusters::check;

#[test]
fn falco_on_runners() {
    check(
        "falco",
        r#"{"time":"2026-03-01T10:00:00.000000001Z","rule":"memory","priority":"Critical","source":"syscall","hostname":"n1",
            "output_fields":{"evt.type":"ptrace","evt.arg.pid":"812(Runner.Worker)","proc.exepath":"/tmp/x",
            "proc.pname":"bash","proc.aname[2]":"node","proc.cmdline":"x 812","evt.res":"SUCCESS",
            "proc.env":"HOME=/root TOKEN=s RUNNER_TRACKING_ID=0"}}"#,
        &[(
            "runner.process",
            "ptrace",
            "success",
            &[
                "op=ptrace",
                "target.name=Runner.Worker",
                "exe=/tmp/x",
                r#"ancestors=["bash","node"]"#,
                "parent=bash",
                "env.runner_tracking_id=0",
                "prov.runner_name=n1",
            ],
        )],
    );
    check(
        "falco",
        r#"{"time":"2026-03-01T10:00:00.1Z","rule":"out","priority":"Notice","tags":["ci_runner"],"hostname":"n1",
            "output_fields":{"evt.type":"connect","fd.name":"10.0.0.1:43210->192.0.2.7:443","fd.type":"ipv4",
            "fd.rip.name":"Webhook.Example.org"}}"#,
        &[(
            "runner.net",
            "connect",
            "unknown",
            &["dst.ip=192.0.2.7", "dst.port=443", "dst.domain=webhook.example.org"],
        )],
    );
    check(
        "falco",
        r#"{"time":"2026-03-01T10:00:00.2Z","rule":"shell","priority":"Critical","hostname":"ci-runner-1",
            "output_fields":{"evt.type":"dup2","fd.type":"ipv4","proc.pname":"npm"}}"#,
        &[("runner.process", "redirect", "unknown", &["fd_redirect=socket", "ancestors=npm", "op="])],
    );
}

#[test]
fn falco_in_workloads() {
    check(
        "falco",
        r#"{"time":"2026-03-01T10:00:00.3Z","rule":"drop","priority":"Critical","tags":["container"],"hostname":"n2",
            "output_fields":{"evt.type":"execve","proc.is_exe_upper_layer":true,"proc.exepath":"/tmp/miner",
            "container.name":"pay","container.image.digest":"DIGEST","k8s.ns.name":"prod"}}"#,
        &[(
            "runtime.integrity",
            "drop",
            "unknown",
            &["exe_upper_layer=true", "exe=/tmp/miner", "prov.service=pay", "prov.digest=DIGEST", "prov.env=prod"],
        )],
    );
    check(
        "falco",
        r#"{"time":"2026-03-01T10:00:00.4Z","rule":"Falco internal: metrics snapshot","priority":"Informational",
            "source":"internal","hostname":"n2","output_fields":{"evt.time":1772359200000000000}}"#,
        &[("runtime.heartbeat", "alive", "unknown", &["node=n2"])],
    );
    check(
        "falco",
        r#"{"time":"2026-03-01T10:00:00.5Z","rule":"k","priority":"Error","source":"k8s_audit","hostname":"n2","output_fields":{}}"#,
        &[("scan.finding", "k", "unknown", &["tool=k8s_audit", "rule=k", "sev=high"])],
    );
}

const APP: &str = r#""metadata":{"name":"pay","namespace":"argocd","uid":"u1","resourceVersion":"7"},"spec":{"project":"p",
    "source":{"repoURL":"https://github.com/Acme/Deploy.git"},"destination":{"name":"eu-1","namespace":"prod"}},
    "status":{"summary":{"images":["r/pay:1@DIGEST","r/side:2"]},"operationState":{"phase":"PHASE",
    "startedAt":"2026-03-01T10:00:00Z","finishedAt":"2026-03-01T10:01:00Z","syncResult":{"revision":"COMMIT"},
    "operation":{"initiatedBy":BY,"sync":{}}}}"#;

#[test]
fn argocd() {
    let app = |phase: &str, by: &str| APP.replace("PHASE", phase).replace("BY", by);
    check(
        "argocd",
        &format!(r#"{{"trigger":"on-deployed","app":{{{}}}}}"#, app("Succeeded", r#"{"automated":true}"#)),
        &[(
            "deploy.finished",
            "sync",
            "success",
            &[
                "prov.service=pay",
                "prov.env=prod",
                "prov.cluster=eu-1",
                "prov.digest=DIGEST",
                "prov.commit=COMMIT",
                "prov.repo=github.com/acme/deploy",
                "prov.actor_id=argocd",
                "prov.actor_kind=service",
            ],
        )],
    );
    check(
        "argocd",
        &format!(
            r#"{{"apiVersion":"argoproj.io/v1alpha1","kind":"Application",{}}}"#,
            app("Running", r#"{"username":"amy"}"#)
        ),
        &[("deploy.started", "sync", "success", &["prov.actor_id=argocd:amy", "prov.actor=amy", "op=sync"])],
    );
    check(
        "argocd",
        &format!(
            r#"{{"trigger":"on-out-of-sync","at":"2026-03-02T10:00:00Z","app":{{{}}}}}"#,
            app("Succeeded", r#"{"automated":true}"#)
        ),
        &[("runtime.config_drift", "out_of_sync", "success", &["resource=Application/argocd/pay", "kind=out_of_sync"])],
    );
    check(
        "argocd",
        &format!(
            r#"{{"type":"MODIFIED","object":{{"kind":"Application",{}}}}}"#,
            app("Error", r#"{"username":"amy"}"#)
        ),
        &[("deploy.finished", "sync", "error", &[])],
    );
}

#[test]
fn flux() {
    check(
        "flux",
        r#"{"involvedObject":{"kind":"Kustomization","namespace":"apps","name":"pay","uid":"u1"},"severity":"info",
            "timestamp":"2026-03-01T10:00:00Z","message":"done","reason":"ReconciliationSucceeded",
            "metadata":{"kustomize.toolkit.fluxcd.io/revision":"refs/heads/main@sha1:COMMIT","env":"prod","cluster":"eu-1",
            "region":"eu-west-1"},"reportingController":"kustomize-controller","reportingInstance":"k-1"}"#,
        &[(
            "deploy.finished",
            "ReconciliationSucceeded",
            "success",
            &[
                "prov.commit=COMMIT",
                "prov.service=pay",
                "prov.env=prod",
                "prov.cluster=eu-1",
                "prov.region=eu-west-1",
                "prov.actor_id=flux:kustomize-controller",
                "prov.ref=refs/heads/main",
                "prov.digest=",
            ],
        )],
    );
    check(
        "flux",
        r#"{"involvedObject":{"kind":"HelmRelease","namespace":"prod","name":"pay"},"severity":"error",
            "timestamp":"2026-03-01T10:00:00Z","message":"m","reason":"UpgradeFailed","metadata":{"revision":"6.5.0@DIGEST"},
            "reportingController":"helm-controller"}"#,
        &[(
            "deploy.finished",
            "UpgradeFailed",
            "failure",
            &["prov.version=6.5.0", "prov.digest=DIGEST", "prov.env=prod"],
        )],
    );
}

#[test]
fn flagger() {
    check(
        "rollouts",
        r#"{"name":"pay","namespace":"prod","phase":"Failed","checksum":"c1","metadata":{"eventType":"Warning",
            "eventMessage":"Canary failed! Scaling down pay.prod","timestamp":"1772359200000"}}"#,
        &[("deploy.canary", "rolled_back", "failure", &["result=rolled_back", "prov.service=pay", "prov.env=prod"])],
    );
}

#[test]
fn argo_rollouts() {
    let record = |trigger: &str, strategy: &str| {
        format!(
            r#"{{"trigger":"{trigger}","metadata":{{"timestamp":"2026-03-01T10:00:00Z"}},"rollout":{{"metadata":{{"name":"pay",
            "namespace":"prod"}},"spec":{{"strategy":{{"{strategy}":{{}}}},"template":{{"spec":{{"containers":[
            {{"image":"r/pay@DIGEST"}}]}}}}}},"status":{{"phase":"Progressing"}}}}}}"#
        )
    };
    let fields: &[&str] = &["prov.service=pay", "prov.env=prod", "prov.digest=DIGEST"];
    check(
        "rollouts",
        &record("on-rollout-aborted", "canary"),
        &[("deploy.rolledback", "rolled_back", "success", fields)],
    );
    check("rollouts", &record("on-rollout-completed", "canary"), &[("deploy.canary", "promoted", "success", fields)]);
    check(
        "rollouts",
        &record("on-rollout-completed", "blueGreen"),
        &[("deploy.finished", "rollout", "success", fields)],
    );
    check("rollouts", &record("on-rollout-updated", "canary"), &[("deploy.started", "rollout", "success", fields)]);
}
