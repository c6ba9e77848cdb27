//! Decision logs of Open Policy Agent: one event for each decision, alone or in the arrays that OPA uploads.
//!
//! What a policy answers has the shape its author gave it: must never read an answer as allow or deny that does not say
//! so, and never map the input beyond the named keys of a deployment gate.

use EventClass as C;
use model::{EventClass, Scalar, Trust, Verdict};

use super::fill::{bool_of, coalesce, each_text, env_class, is_address, present};
use super::workload::{commit, pinned};
use super::{Class, Classified, Format, Id, Inputs, MapRow, Mapping, Output, all, on};

/// The format.
pub static FORMAT: Format = Format {
    name: "opa-decision-log",
    title: "Open Policy Agent decision log",
    product: "opa",
    service: "decision_log",
    marks: &[&["decision_id", "path"], &["decision_id", "query"], &["decision_id", "labels"]],
    containers: &[],
    mapping: Some(&MAPPING),
    trust: Trust::ControlPlane,
};

/// The mapping.
static MAPPING: Mapping = Mapping {
    id: Id::First(&["decision_id"]),
    time: &["timestamp"],
    action: "path",
    classify_paths: ANSWER,
    classify,
    rows: ROWS,
};

/// What says how a decision went.
const ANSWER: &[&str] = &[
    "path",
    "error",
    "result",
    "result.allow",
    "result.allowed",
    "result.response.allowed",
    "result.msg",
    "result.message",
    "decision_id",
];

fn classify(inputs: &Inputs<'_>) -> Classified {
    if inputs.first(8).is_none() {
        return Classified::Invalid("no `decision_id`");
    }
    let (action, verdict) = match answer(inputs) {
        Some(Answer::Allow) => ("allow", Verdict::Success),
        Some(Answer::Deny) => ("deny", Verdict::Denied),
        Some(Answer::Error) => ("error", Verdict::Error),
        None => ("", Verdict::Unknown),
    };
    Classified::Event(Class { class: C::PolicyDecision, action, verdict })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Allow,
    Deny,
    Error,
}

/// Rules whose answer is the list of what speaks against.
const AGAINST: &[&str] = &["deny", "denied", "violation", "violations"];

fn answer(inputs: &Inputs<'_>) -> Option<Answer> {
    if inputs.has(1) && !matches!(inputs.all(1).next(), Some(Scalar::Null)) {
        return Some(Answer::Error);
    }
    let against =
        inputs.text(0).and_then(|path| path.rsplit(['/', '.']).next()).is_some_and(|rule| AGAINST.contains(&rule));
    if against {
        let told = [2, 6, 7].into_iter().flat_map(|i| inputs.all(i));
        return against_answer(told);
    }
    let word = inputs.text(2).map(str::to_ascii_lowercase);
    let says = inputs.bool(2).or_else(|| (3..=5).find_map(|i| inputs.bool(i))).or(match word.as_deref() {
        Some("allow" | "allowed") => Some(true),
        Some("deny" | "denied") => Some(false),
        _ => None,
    });
    says.map(|allow| if allow { Answer::Allow } else { Answer::Deny })
}

/// Anything that is told, and `true`, is against. An empty list and a list of unknown objects look alike: no answer.
fn against_answer<'a>(told: impl Iterator<Item = Scalar<'a>>) -> Option<Answer> {
    let mut found = None;
    for value in told {
        match value {
            Scalar::Bool(false) | Scalar::Text("false") => found = found.or(Some(Answer::Allow)),
            Scalar::Null | Scalar::Empty | Scalar::Text("") => {}
            _ => return Some(Answer::Deny),
        }
    }
    found
}

const DECISION: &[EventClass] = &[C::PolicyDecision];

#[rustfmt::skip]
static ROWS: &[MapRow] = &[
    all("src.ip", &["requested_by"], caller),
    all("trace_id", &["trace_id"], coalesce),
    // What was judged, where the gate's input has the usual names.
    all(
        "prov.digest",
        &[
            "input.digest", "input.image", "input.request.object.spec.template.spec.containers.image",
            "input.request.object.spec.containers.image", "input.review.object.spec.template.spec.containers.image",
            "input.review.object.spec.containers.image",
        ],
        pinned,
    ),
    all("prov.commit", &["input.commit"], commit),
    all("prov.service", &["input.service", "input.request.name", "input.review.name"], coalesce),
    all(
        "prov.env",
        &["input.environment", "input.env", "input.request.namespace", "input.review.namespace", "labels.environment"],
        env_class,
    ),
    all("prov.cluster", &["labels.cluster"], coalesce),
    on(DECISION, "rule", &["path", "query"], coalesce),
    on(DECISION, "path", &["path"], coalesce),
    on(DECISION, "result", ANSWER, result),
    on(
        DECISION, "bundle_rev",
        &[
            "revision", "bundles.authz.revision", "bundles.bundle.revision", "bundles.main.revision",
            "bundles.policy.revision",
        ],
        coalesce,
    ),
    on(DECISION, "eval_ms", &["metrics.timer_rego_query_eval_ns"], eval_ms),
    on(DECISION, "break_glass", &["result.break_glass"], bool_of),
];

/// `[::1]:59943` and `192.0.2.7:1234` without their port.
fn caller(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    each_text(inputs, |peer| {
        let host = peer.rsplit_once(':').map_or(peer, |(host, _)| host).trim_matches(['[', ']']);
        if is_address(host) {
            output.text(host);
        }
    });
}

/// allow, deny, error, or nothing that can be told.
fn result(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    match answer(inputs) {
        Some(Answer::Allow) => output.text("allow"),
        Some(Answer::Deny) => output.text("deny"),
        Some(Answer::Error) => output.text("error"),
        None => {}
    }
}

fn eval_ms(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if let Some(ns) = present(inputs, 0).find_map(Scalar::as_number) {
        output.scalar(Scalar::Float(ns / 1e6));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_fills_model_fields_once() {
        crate::format::fill::tests::check(super::ROWS);
    }

    #[test]
    fn reasons_against_deny() {
        let of = |values: &[Scalar<'static>]| against_answer(values.iter().copied());
        assert_eq!(of(&[Scalar::Text("no signature")]), Some(Answer::Deny));
        assert_eq!(of(&[Scalar::Empty, Scalar::Text("no signature")]), Some(Answer::Deny));
        assert_eq!(of(&[Scalar::Bool(true)]), Some(Answer::Deny));
        assert_eq!(of(&[Scalar::Bool(false)]), Some(Answer::Allow));
        assert_eq!(of(&[Scalar::Empty]), None);
    }
}
