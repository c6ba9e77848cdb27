//! How single fields of a Kubernetes audit event become ours.
//!
//! Must never take an address that the client sent along for the one that it came from.

use model::Scalar;

use super::classes::{refusal, writes};
use crate::format::fill::{is_address, present};
use crate::format::{Inputs, Output};

/// Service accounts are workloads, nodes and components of the cluster services. Of others the name says nothing.
pub(super) fn actor_kind(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    match inputs.text(0) {
        Some(user) if user.starts_with("system:serviceaccount:") => output.text("workload"),
        Some("system:anonymous") | None => {}
        Some(user) if user.starts_with("system:") => output.text("service"),
        Some(_) => {}
    }
}

/// The last address is the connection's own; those before it stand in headers that the client may write.
pub(super) fn peer(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    let last = present(inputs, 0).last();
    if let Some(Scalar::Text(address)) = last.filter(|last| matches!(last, Scalar::Text(text) if is_address(text))) {
        output.text(address);
    }
}

/// `namespace/name`; `*` for each part that the request left open.
pub(super) fn namespaced(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    let (namespace, name) = (inputs.text(0), inputs.text(1));
    output.text(&format!("{}/{}", namespace.unwrap_or("*"), name.unwrap_or("*")));
}

/// The object's own name, with its namespace where it has one.
pub(super) fn object(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    match (inputs.text(0), inputs.text(1)) {
        (Some(namespace), Some(name)) => output.text(&format!("{namespace}/{name}")),
        (None, Some(name)) | (Some(name), None) => output.text(name),
        (None, None) => {}
    }
}

/// `kubernetes.exec`, `kubernetes.write` or `kubernetes.read`.
pub(super) fn op_class(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    let Some(verb) = inputs.text(0) else { return };
    output.text(match inputs.text(1) {
        Some("exec" | "attach" | "portforward" | "ephemeralcontainers") => "kubernetes.exec",
        _ if writes(verb) => "kubernetes.write",
        _ => "kubernetes.read",
    });
}

/// The user name of the service account that a token was asked for.
pub(super) fn service_account(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if let (Some(namespace), Some(name)) = (inputs.text(0), inputs.text(1)) {
        output.text(&format!("system:serviceaccount:{namespace}:{name}"));
    }
}

pub(super) fn store(_: &Inputs<'_>, output: &mut Output<'_>) {
    output.text("kubernetes");
}

pub(super) fn deny(_: &Inputs<'_>, output: &mut Output<'_>) {
    output.text("deny");
}

/// What is in a namespace reaches no further.
pub(super) fn scope(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    output.text(if inputs.text(0).is_some() { "namespace" } else { "cluster" });
}

/// The webhook or policy that refused.
pub(super) fn refused_by(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if let Some(name) = inputs.text(0).and_then(refusal) {
        output.text(name);
    }
}

/// What engines call refusing; whatever else they call it, they let pass.
const ENFORCING: &[&str] = &["enforce", "deny"];
const AUDITING: &[&str] = &["audit", "dryrun", "scoped", "warn"];

/// Of several rules of one policy the weakest counts: through it the bad passes.
pub(super) fn mode(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    let says = |words: &[&str]| {
        (0..inputs.len())
            .flat_map(|i| present(inputs, i))
            .filter_map(Scalar::as_text)
            .any(|text| words.iter().any(|word| text.eq_ignore_ascii_case(word)))
    };
    // A binding that denies and audits denies.
    let binding_denies = present(inputs, 0).filter_map(Scalar::as_text).any(|text| text.as_ref() == "Deny");
    if binding_denies {
        output.text("enforce");
    } else if says(AUDITING) {
        output.text("audit");
    } else if says(ENFORCING) {
        output.text("enforce");
    }
}

/// Of several webhooks of one configuration the one that fails open counts.
pub(super) fn failure_policy(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    let says = |wanted: &str| (0..inputs.len()).any(|i| present(inputs, i).any(|value| value == Scalar::Text(wanted)));
    if let Some(word) = ["Ignore", "Fail"].into_iter().find(|word| says(word)) {
        output.text(word);
    }
}

/// What an exception names; `*` counts before any other.
pub(super) fn exception(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    let mut names = (0..inputs.len()).flat_map(|i| present(inputs, i)).filter_map(|value| match value {
        Scalar::Text(text) => Some(text),
        _ => None,
    });
    let Some(first) = names.next() else { return };
    output.text(if first == "*" || names.any(|name| name == "*") { "*" } else { first });
}
