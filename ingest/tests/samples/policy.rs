//! Policy engines and Falco: what a report, a decision log and an alert say.

use model::Invalid;

use super::{Expected, check, check_all};

#[test]
fn policy_report() {
    check_all(
        "policy-report",
        "kyverno-policyreport",
        &[],
        &[("policyreport-fail.yaml", "YAML as it is applied, never as it is sent", Some(Invalid::NotJson))],
    );
}

#[rustfmt::skip]
const OPA: &[Expected] = &[
    Expected("decision-array.json", 0, "policy.decision", "allow", "success", &[
        "result=allow", "rule=http/example/authz/allow", "path=http/example/authz/allow", "src.ip=::1",
        "bundle_rev=W3sibCI6InN5cy9jYXRhbG9nIiwicyI6NDA3MX1d", "prov.digest=",
        "event.id=4ca636c1-55e4-417a-b1d8-4aceb67960d1"]),
];

#[test]
fn opa_decision_log() {
    check("opa-decision-log", OPA);
}

#[rustfmt::skip]
const FALCO: &[Expected] = &[
    Expected("falcosidekick-readme.json", 0, "runtime.integrity", "Write below binary dir", "unknown", &[
        "path=/bin/hack", "prov.actor=root", "exe=", "exe_upper_layer=", "dst.ip=", "prov.service=",
        "event.id=2019-05-17T15:31:56.746609046Z:localhost:Write below binary dir:/bin/hack"]),
];

#[test]
fn falco() {
    check("falco", FALCO);
}
