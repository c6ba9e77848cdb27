//! Records written for these tests from the products' documentation, where there are no real ones or too few.

use std::sync::Arc;

use ingest::format::{FORMATS, by_name};
use ingest::{Decoder, decode_one};
use model::{Event, Row};

use super::{folder, printed};

const COMMIT: &str = "731f7eaddfb6af01cb2173e18f0f75b0ba780ef1";
const DIGEST: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

fn filled(record: &str) -> String {
    record.replace("COMMIT", COMMIT).replace("DIGEST", DIGEST)
}

fn decoded(format: &str, record: &str) -> Vec<Event> {
    decode_one(by_name(format).expect("the format is known"), &Arc::from("tests"), &filled(record))
        .unwrap_or_else(|error| panic!("{record}: {error:?}"))
}

/// A record; of each event in it the class, action, outcome and some fields.
pub fn check(format: &str, record: &str, wanted: &[(&str, &str, &str, &[&str])]) {
    let events = decoded(format, record);
    assert_eq!(events.len(), wanted.len(), "{record}");
    for (event, (class, action, outcome, fields)) in events.iter().zip(wanted) {
        let is = (event.class.map_or("", |class| class.name()), event.action.as_deref().unwrap_or(""));
        assert_eq!((is, event.outcome.name()), ((*class, *action), *outcome), "{record}");
        assert!(event.time.is_some(), "{record} has a time");
        for field in *fields {
            let (name, value) = field.split_once('=').expect("name=value");
            assert!(model::field(name).is_some(), "{name} is a model field");
            assert_eq!(printed(&event.fields, name), filled(value), "{name} of {record}");
        }
    }
    let ids: std::collections::BTreeSet<_> = events.iter().map(|event| event.id.clone()).collect();
    assert_eq!(ids.len(), events.len(), "ids of {record} differ");
    assert!(!ids.contains(&None), "{record} has an id");
    assert_eq!(told(&filled(record)), [format], "{record} is recognised");
}

/// The format that a record's content is told to be of; of an array's records, whichever they are of.
fn told(record: &str) -> Vec<&'static str> {
    let formats = FORMATS.iter().filter(|format| !format.marks.is_empty()).map(|format| (*format, Default::default()));
    let decoder = Decoder::new(formats.collect(), None, false);
    let records = match serde_json::from_str(record) {
        Ok(serde_json::Value::Array(records)) => records.iter().map(ToString::to_string).collect(),
        _ => vec![record.to_owned()],
    };
    let mut names = Vec::new();
    for record in records {
        let mut row = Row::default();
        let Some(plan) = decoder.plans().first().filter(|plan| plan.scan(&record, &mut row).is_ok()) else {
            continue;
        };
        let at = plan.recognised(row.view(&record));
        names.extend(at.and_then(|at| decoder.plans().get(at)).map(|plan| plan.format().name));
    }
    names.dedup();
    names
}

/// (folder of samples, the format that its records are of).
const FOLDERS: &[(&str, &str)] = &[
    ("falco", "falco"),
    ("kubernetes-audit", "kubernetes-audit"),
    ("opa-decision-log", "opa-decision-log"),
    ("vault-audit", "vault-audit"),
];

/// Content tells these formats from every other that there are samples of.
#[test]
fn no_format_takes_what_is_of_another() {
    let Ok(folders) = std::fs::read_dir(folder("")) else {
        return println!("skipped: no samples beside this workspace");
    };
    let mine = ["policy-report", "argocd", "flux", "rollouts"].into_iter().chain(FOLDERS.iter().map(|(_, name)| *name));
    let mine: Vec<_> = mine.collect();
    for path in folders.flatten().filter_map(|entry| std::fs::read_dir(entry.path()).ok()).flatten().flatten() {
        let path = path.path();
        let name = path.parent().and_then(|folder| folder.file_name()).and_then(|name| name.to_str());
        let wanted = FOLDERS.iter().find(|(folder, _)| Some(*folder) == name).map(|(_, format)| *format);
        let text = std::fs::read_to_string(&path).expect("the sample can be read");
        let whole = text.trim_start().starts_with('[') || ingest::is_json(&text);
        let records = if whole { vec![text.as_str()] } else { text.lines().collect() };
        for record in records.into_iter().filter(|record| ingest::is_json(record)) {
            let told: Vec<_> = told(record).into_iter().filter(|name| mine.contains(name)).collect();
            assert_eq!(told, Vec::from_iter(wanted), "{}", path.display());
        }
    }
}

#[test]
fn vault() {
    check(
        "vault-audit",
        r#"{"time":"2026-03-01T10:00:00Z","type":"response","auth":{"display_name":"root","policies":["root"],
            "token_type":"service","accessor":"hmac-sha256:aa"},"request":{"id":"r1","operation":"delete",
            "mount_type":"system","mount_point":"sys/","path":"sys/audit/file","remote_address":"192.0.2.7"}}"#,
        &[(
            "secret.admin",
            "audit_device_disabled",
            "success",
            &[
                "object=sys/audit/file",
                "object_kind=audit_device",
                "prov.actor_id=name:root",
                "prov.token_kind=vault_root",
            ],
        )],
    );
    check(
        "vault-audit",
        r#"{"time":"2026-03-01T10:00:00Z","type":"response","auth":{},"request":{"id":"r2","operation":"update",
            "mount_type":"jwt","mount_point":"auth/jwt/","path":"auth/jwt/login"},"response":{"auth":{
            "accessor":"hmac-sha256:bb","client_token":"hmac-sha256:cc","token_ttl":600,"metadata":{"role":"ci"}}}}"#,
        &[("identity.exchange", "update", "success", &["issued_key=hmac-sha256:bb", "role=ci", "ttl_s=600"])],
    );
    check(
        "vault-audit",
        r#"{"time":"2026-03-01T10:00:00Z","type":"request","auth":{"entity_id":"e1","policy_results":{"allowed":true}},
            "request":{"id":"r3","operation":"update","mount_type":"transit","mount_point":"team/transit/",
            "path":"team/transit/sign/release/sha2-256"}}"#,
        &[("kms.sign", "sign", "unknown", &["key=team/transit/keys/release", "op=update"])],
    );
}

#[test]
fn kubernetes() {
    check(
        "kubernetes-audit",
        r#"{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":[
            {"auditID":"a1","stage":"RequestReceived","verb":"list","requestURI":"/api/v1/secrets",
             "requestReceivedTimestamp":"2026-03-01T10:00:00Z","user":{"username":"amy"},"objectRef":{"resource":"secrets"}},
            {"auditID":"a1","stage":"ResponseComplete","verb":"list","requestURI":"/api/v1/secrets","user":{"username":"amy",
             "extra":{"authentication.kubernetes.io/credential-id":["JTI=7"]}},"sourceIPs":["10.9.9.9","192.0.2.7"],
             "objectRef":{"resource":"secrets","namespace":"pay-prod"},"responseStatus":{"code":200},
             "stageTimestamp":"2026-03-01T10:00:01Z"},
            {"auditID":"a2","stage":"ResponseStarted","verb":"watch","requestURI":"/","objectRef":{"resource":"pods"},
             "stageTimestamp":"2026-03-01T10:00:01Z"}]}"#,
        &[(
            "secret.access",
            "list",
            "success",
            &["secret=pay-prod/*", "prov.env=prod", "src.ip=192.0.2.7", "prov.token_id=JTI=7", "op=list"],
        )],
    );
    check(
        "kubernetes-audit",
        r#"{"auditID":"a3","stage":"ResponseComplete","verb":"patch","requestURI":"/","user":{"username":"amy"},
            "objectRef":{"resource":"validatingwebhookconfigurations","name":"gate","apiGroup":"admissionregistration.k8s.io"},
            "requestObject":{"webhooks":[{"failurePolicy":"Fail"},{"failurePolicy":"Ignore"}]},"responseStatus":{"code":200},
            "stageTimestamp":"2026-03-01T10:00:01Z"}"#,
        &[("policy.change", "patch", "success", &["rule=gate", "failure_policy=Ignore", "mode="])],
    );
    check(
        "kubernetes-audit",
        r#"{"auditID":"a4","stage":"ResponseComplete","verb":"update","requestURI":"/","user":{"username":"amy"},
            "objectRef":{"resource":"clusterpolicies","name":"signed","apiGroup":"kyverno.io"},"requestObject":{"spec":{
            "validationFailureAction":"Audit"}},"responseStatus":{"code":200},"stageTimestamp":"2026-03-01T10:00:01Z"}"#,
        &[("policy.change", "update", "success", &["rule=signed", "mode=audit"])],
    );
}

#[test]
fn kubernetes_refusals_and_tokens() {
    check(
        "kubernetes-audit",
        r#"{"auditID":"a5","stage":"ResponseComplete","verb":"create","requestURI":"/","user":{"username":"cd"},
            "objectRef":{"resource":"deployments","namespace":"prod","name":"pay","apiGroup":"apps"},"responseStatus":{
            "code":403,"message":"admission webhook \"gate.example.org\" denied the request: not signed"},
            "requestObject":{"spec":{"template":{"metadata":{"labels":{"image-policy.k8s.io/break-glass":"true"}},
            "spec":{"containers":[{"image":"r/pay:1@DIGEST"},{"image":"r/side:2"}]}}}},
            "stageTimestamp":"2026-03-01T10:00:01Z"}"#,
        &[(
            "policy.decision",
            "deny",
            "denied",
            &[
                "rule=gate.example.org",
                "result=deny",
                "prov.digest=DIGEST",
                "prov.service=pay",
                "prov.env=prod",
                "break_glass=true",
            ],
        )],
    );
    check(
        "kubernetes-audit",
        r#"{"auditID":"a6","stage":"ResponseComplete","verb":"create","requestURI":"/","user":{"username":"amy"},
            "objectRef":{"resource":"serviceaccounts","subresource":"token","namespace":"ci","name":"bot"},
            "requestObject":{"spec":{"audiences":["vault"],"expirationSeconds":3600}},"responseStatus":{"code":201},
            "annotations":{"authentication.kubernetes.io/issued-credential-id":"JTI=9"},
            "stageTimestamp":"2026-03-01T10:00:01Z"}"#,
        &[(
            "identity.exchange",
            "create",
            "success",
            &["role=system:serviceaccount:ci:bot", "aud=vault", "ttl_s=3600", "issued_key=JTI=9"],
        )],
    );
}

/// A managed cluster's log as CloudWatch hands it on: events as text in a list. Its marks are those of any log group.
#[test]
fn kubernetes_from_cloudwatch() {
    let record = r#"{"messageType":"DATA_MESSAGE","logGroup":"/aws/eks/c/cluster","logEvents":[{"id":"1","timestamp":1,
        "message":"{\"auditID\":\"a7\",\"stage\":\"ResponseStarted\",\"verb\":\"create\",\"stageTimestamp\":\"2026-03-01T10:00:01Z\",\"objectRef\":{\"resource\":\"pods\",\"subresource\":\"portforward\"}}"}]}"#;
    let events = decoded("kubernetes-audit", record);
    let is: Vec<_> = events.iter().map(|event| (event.id.as_deref(), event.action.as_deref())).collect();
    assert_eq!(is, [(Some("a7:ResponseStarted"), Some("portforward"))]);
}

#[test]
fn policy_reports() {
    check(
        "policy-report",
        r#"{"apiVersion":"v1","kind":"List","items":[{"apiVersion":"wgpolicyk8s.io/v1alpha2","kind":"PolicyReport",
            "metadata":{"name":"p1","namespace":"prod"},"scope":{"kind":"Deployment","name":"pay","namespace":"prod"},
            "results":[{"policy":"labels","rule":"team","result":"fail","source":"kyverno","timestamp":{"seconds":1772359200}},
            {"policy":"signed","result":"fail","source":"KyvernoImageValidatingPolicy","message":"no signature",
            "timestamp":{"seconds":1772359200}},
            {"policy":"labels","rule":"team","result":"pass","source":"kyverno","timestamp":{"seconds":1772359201}}]}]}"#,
        &[
            (
                "policy.decision",
                "fail",
                "failure",
                &["rule=labels", "path=team", "result=fail", "mode=audit", "prov.service=pay", "prov.env=prod"],
            ),
            ("verify.signature", "fail", "failure", &["ok=false", "reason=no signature", "prov.service=pay"]),
            ("policy.decision", "pass", "success", &["result=allow", "mode="]),
        ],
    );
    check(
        "policy-report",
        r#"{"apiVersion":"constraints.gatekeeper.sh/v1beta1","kind":"K8sRequiredLabels","metadata":{"name":"need-team"},
            "status":{"auditTimestamp":"2026-03-01T10:00:00Z","violations":[{"enforcementAction":"deny","kind":"Pod",
            "name":"a","namespace":"staging","message":"no team"},{"enforcementAction":"dryrun","kind":"Pod","name":"b"}]}}"#,
        &[
            (
                "policy.decision",
                "fail",
                "failure",
                &["rule=need-team", "path=K8sRequiredLabels", "mode=enforce", "prov.service=a", "prov.env=staging"],
            ),
            ("policy.decision", "fail", "failure", &["mode=audit", "prov.service=b"]),
        ],
    );
    assert!(decoded("policy-report", r#"{"apiVersion":"v1","kind":"PolicyReport","results":[]}"#).is_empty());
}

#[test]
fn opa() {
    check(
        "opa-decision-log",
        r#"[{"decision_id":"d1","path":"deploy/deny","timestamp":"2026-03-01T10:00:00Z","result":["not signed"],
             "input":{"image":"r/pay@DIGEST","environment":"production","service":"pay","commit":"COMMIT"},
             "metrics":{"timer_rego_query_eval_ns":2500000},"requested_by":"192.0.2.7:1234"},
            {"decision_id":"d2","path":"deploy/decision","timestamp":"2026-03-01T10:00:00Z","result":{"allow":true}},
            {"decision_id":"d3","path":"deploy/allow","timestamp":"2026-03-01T10:00:00Z","error":{"code":"x"}},
            {"decision_id":"d4","path":"deploy/deny","timestamp":"2026-03-01T10:00:00Z","result":[]}]"#,
        &[
            (
                "policy.decision",
                "deny",
                "denied",
                &[
                    "result=deny",
                    "prov.digest=DIGEST",
                    "prov.env=prod",
                    "prov.service=pay",
                    "prov.commit=COMMIT",
                    "eval_ms=2.5",
                    "src.ip=192.0.2.7",
                ],
            ),
            ("policy.decision", "allow", "success", &["result=allow"]),
            ("policy.decision", "error", "error", &["result=error"]),
            ("policy.decision", "deploy/deny", "unknown", &["result="]),
        ],
    );
}
