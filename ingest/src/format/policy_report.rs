//! Policy reports of a cluster: each result of a PolicyReport (Kyverno and others, openreports.io too) and each
//! violation that Gatekeeper's audit found is an event.
//!
//! A report says what is, not what was refused: must never call a failed result a denial.

use EventClass as C;
use model::{EventClass, Scalar, Trust, Verdict};

use super::fill::{coalesce, env_class, lower};
use super::{Class, Classified, Container, Format, Id, Inputs, MapRow, Mapping, Output, all, on};

/// The format.
pub static FORMAT: Format = Format {
    name: "policy-report",
    title: "Policy reports (wgpolicyk8s.io, openreports.io) and Gatekeeper constraints",
    product: "kubernetes",
    service: "policy_report",
    marks: &[
        &["apiVersion", "kind", "results.policy", "results.result"],
        &["apiVersion", "kind", "status.violations", "status.auditTimestamp"],
        &["apiVersion", "kind", "items.results.policy"],
        &["apiVersion", "kind", "items.status.violations", "items.status.auditTimestamp"],
    ],
    containers: &[Container::Array("items"), Container::Array("results"), Container::Array("status.violations")],
    mapping: Some(&MAPPING),
    trust: Trust::Agent,
};

/// The mapping.
static MAPPING: Mapping = Mapping {
    // A report is written anew for every change in it: what makes a result is the policy, the thing and the time.
    id: Id::Joined(&[
        "^.metadata.name",
        "^.metadata.namespace",
        "policy",
        "rule",
        "resources.kind",
        "resources.name",
        "kind",
        "namespace",
        "name",
        "result",
        "timestamp.seconds",
        "^.status.auditTimestamp",
        "^index",
    ]),
    time: &["timestamp.seconds", "timestamp", "^.status.auditTimestamp", "^.metadata.creationTimestamp"],
    action: "result",
    classify_paths: &["result", "enforcementAction", "source", "^.source", "kind", "apiVersion"],
    classify,
    rows: ROWS,
};

/// Engines that check an image's signature before it may run.
const IMAGE_POLICY: &[&str] = &["kyvernoimagevalidatingpolicy", "policy-controller", "ratify"];
/// Scanners that write their findings as reports.
const SCANNERS: &[&str] = &["trivy", "kube-bench", "kube-hunter", "kubescape", "falco", "tracee"];

/// A report without results, and a list or constraint without any, has nothing to say.
fn classify(inputs: &Inputs<'_>) -> Classified {
    if inputs.text(1).is_some() && inputs.text(0).is_none() {
        return Classified::Event(Class { class: C::PolicyDecision, action: "fail", verdict: Verdict::Failure });
    }
    let Some(result) = inputs.text(0) else {
        let is_object = inputs.text(4).is_some() && inputs.text(5).is_some();
        return if is_object { Classified::Filtered } else { Classified::Invalid("no `result`") };
    };
    let source = inputs.text(2).or(inputs.text(3)).unwrap_or("");
    let begins = |with: &str| {
        let mut letters = source.bytes().zip(with.bytes());
        source.len() >= with.len() && letters.all(|(is, wanted)| is.eq_ignore_ascii_case(&wanted))
    };
    let class = if IMAGE_POLICY.iter().any(|engine| source.eq_ignore_ascii_case(engine)) {
        C::VerifySignature
    } else if SCANNERS.iter().any(|scanner| begins(scanner)) {
        C::ScanFinding
    } else {
        C::PolicyDecision
    };
    let verdict = match result {
        "pass" => Verdict::Success,
        "fail" => Verdict::Failure,
        "error" => Verdict::Error,
        _ => Verdict::Unknown,
    };
    Classified::Event(Class { class, action: "", verdict })
}

const DECISION: &[EventClass] = &[C::PolicyDecision];
const VERIFY: &[EventClass] = &[C::VerifySignature];
const SCAN: &[EventClass] = &[C::ScanFinding];

#[rustfmt::skip]
static ROWS: &[MapRow] = &[
    all("prov.service", &["resources.name", "^.scope.name", "name"], coalesce),
    all(
        "prov.env",
        &["resources.namespace", "^.scope.namespace", "namespace", "^.metadata.namespace", "^.scope.name"],
        env_class,
    ),
    // A result's policy; a violation's constraint, whose kind is the template.
    on(DECISION, "rule", &["policy", "^.metadata.name"], coalesce),
    on(DECISION, "path", &["rule", "^.kind"], coalesce),
    on(DECISION, "result", &["result", "enforcementAction"], result),
    on(DECISION, "mode", &["result", "enforcementAction"], mode),
    on(VERIFY, "ok", &["result"], ok),
    on(VERIFY, "reason", &["message"], coalesce),
    on(SCAN, "tool", &["source", "^.source"], coalesce),
    on(SCAN, "rule", &["rule", "policy"], coalesce),
    on(SCAN, "kind", &["category"], coalesce),
    on(SCAN, "sev", &["severity"], lower),
];

/// `allow` for what passed; the source's word for the rest, which nobody refused.
fn result(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    match inputs.text(0) {
        Some("pass") => output.text("allow"),
        Some(word) => output.text(word),
        None if inputs.text(1).is_some() => output.text("fail"),
        None => {}
    }
}

/// A violation's constraint says what it does at admission. What failed under a policy was let in all the same.
fn mode(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    match (inputs.text(0), inputs.text(1)) {
        (_, Some("deny")) => output.text("enforce"),
        (_, Some("dryrun" | "warn" | "scoped")) | (Some("fail"), None) => output.text("audit"),
        _ => {}
    }
}

/// Passed or failed; what was skipped was not checked.
fn ok(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    match inputs.text(0) {
        Some("pass") => output.scalar(Scalar::Bool(true)),
        Some("fail" | "error") => output.scalar(Scalar::Bool(false)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_table_fills_model_fields_once() {
        crate::format::fill::tests::check(super::ROWS);
    }
}
