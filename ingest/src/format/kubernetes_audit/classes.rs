//! Which class a Kubernetes audit event is of, by the resource, the verb and the stage.
//!
//! What the tables do not name is `identity.use`. Must never take a label or an owner reference, which any writer sets,
//! for proof that a controller acted: that is for the user name, which the API server sets.

use EventClass as C;
use model::{EventClass, Scalar, Verdict};

use crate::format::{Class, Classified, Inputs};

/// What [`classify`] reads, in its order.
pub(super) const PATHS: &[&str] = &[
    "stage",
    "verb",
    "objectRef.resource",
    "objectRef.subresource",
    "objectRef.apiGroup",
    "user.username",
    "responseStatus.code",
    "responseStatus.message",
    r"annotations.authorization\.k8s\.io/decision",
    r"annotations.validation\.policy\.admission\.k8s\.io/validation_failure",
];

/// API groups whose every write changes what is allowed in.
const POLICY_GROUPS: &[&str] = &[
    "admissionregistration.k8s.io",
    "config.gatekeeper.sh",
    "constraints.gatekeeper.sh",
    "kyverno.io",
    "mutations.gatekeeper.sh",
    "policies.kyverno.io",
    "policy.sigstore.dev",
    "templates.gatekeeper.sh",
];

/// Resources that run code.
const WORKLOADS: &[&str] = &[
    "cronjobs",
    "daemonsets",
    "deployments",
    "jobs",
    "pods",
    "replicasets",
    "replicationcontrollers",
    "rollouts",
    "statefulsets",
];

/// (resource, our actions when it was created, changed and deleted): who may do what.
const GRANTS: &[(&str, [&str; 3])] = &[
    (
        "certificatesigningrequests",
        ["certificate_request.create", "certificate_request.update", "certificate_request.destroy"],
    ),
    (
        "clusterrolebindings",
        ["cluster_role_binding.create", "cluster_role_binding.update", "cluster_role_binding.destroy"],
    ),
    ("clusterroles", ["cluster_role.create", "cluster_role.update", "cluster_role.destroy"]),
    ("namespaces", ["namespace.create", "namespace.update", "namespace.destroy"]),
    ("networkpolicies", ["network_policy.create", "network_policy.update", "network_policy.destroy"]),
    ("rolebindings", ["role_binding.create", "role_binding.update", "role_binding.destroy"]),
    ("roles", ["role.create", "role.update", "role.destroy"]),
    ("serviceaccounts", ["service_account.create", "service_account.update", "service_account.destroy"]),
];

/// Heartbeats and questions that every component asks all the time.
const NOISE: &[&str] = &[
    "events",
    "leases",
    "localsubjectaccessreviews",
    "selfsubjectaccessreviews",
    "subjectaccessreviews",
    "tokenreviews",
];

/// An event without a stage or verb is none of an API server's audit log.
pub(super) fn classify(inputs: &Inputs<'_>) -> Classified {
    let (Some(stage), Some(verb)) = (inputs.text(0), inputs.text(1)) else {
        return Classified::Invalid("no `stage` or `verb`");
    };
    let resource = inputs.text(2).unwrap_or("");
    let subresource = inputs.text(3).unwrap_or("");
    let session = session(resource, subresource);
    // Every request that is received is answered; of the answers of long ones only a session's beginning matters.
    if stage == "RequestReceived" || (stage == "ResponseStarted" && session.is_none()) {
        return Classified::Filtered;
    }
    let code = inputs.first(6).and_then(|code| if let Scalar::Int(code) = code { Some(code) } else { None });
    let verdict = verdict(stage, code, inputs.text(8));
    if let Some(action) = session {
        return Classified::Event(Class { class: C::IdentityUse, action, verdict });
    }
    let refused = code.is_some_and(|code| code >= 400) && (inputs.has(9) || inputs.text(7).and_then(refusal).is_some());
    if refused && writes(verb) {
        return Classified::Event(Class { class: C::PolicyDecision, action: "deny", verdict: Verdict::Denied });
    }
    let group = inputs.text(4).unwrap_or("");
    match class_of(verb, resource, subresource, group, inputs.text(5).unwrap_or("")) {
        Some((class, action)) => Classified::Event(Class { class, action, verdict }),
        None => Classified::Filtered,
    }
}

/// Who refused, where a message of the API server says that admission did: the webhook or policy by name.
pub(super) fn refusal(message: &str) -> Option<&str> {
    if let Some(webhook) = message.strip_prefix("admission webhook \"") {
        return webhook.split('"').next();
    }
    // Before these stand the object's kind and name, which cannot hold spaces.
    if let Some((_, policy)) = message.split_once(" forbidden: ValidatingAdmissionPolicy '") {
        return policy.split('\'').next();
    }
    message.contains(" forbidden: violates PodSecurity ").then_some("PodSecurity")
}

/// Interactive access to a container.
fn session(resource: &str, subresource: &str) -> Option<&'static str> {
    match (resource, subresource) {
        ("pods", "exec" | "attach") => Some("exec"),
        ("pods", "portforward") => Some("portforward"),
        _ => None,
    }
}

pub(super) fn writes(verb: &str) -> bool {
    matches!(verb, "create" | "update" | "patch" | "delete" | "deletecollection")
}

fn class_of(
    verb: &str,
    resource: &str,
    subresource: &str,
    group: &str,
    user: &str,
) -> Option<(EventClass, &'static str)> {
    if NOISE.contains(&resource) || (subresource == "status" && writes(verb)) {
        return None;
    }
    match (resource, subresource) {
        ("secrets", _) => return Some(secret(verb)),
        ("serviceaccounts", "token") if verb == "create" => return Some((C::IdentityExchange, "")),
        // A container put into a running pod, to look around in it.
        ("pods", "ephemeralcontainers") if writes(verb) => return Some((C::IdentityUse, "exec")),
        ("certificatesigningrequests", "approval") => return Some((C::ScmAdmin, "certificate_request.approve")),
        _ => {}
    }
    if !writes(verb) {
        return Some((C::IdentityUse, ""));
    }
    if POLICY_GROUPS.contains(&group) {
        return Some((C::PolicyChange, ""));
    }
    if WORKLOADS.contains(&resource) {
        return match (is_controller(user), resource, verb) {
            (true, "pods", "create") if subresource.is_empty() => Some((C::RuntimeInventory, "")),
            (true, ..) => None,
            (false, ..) if matches!(subresource, "" | "scale") => Some((C::DeployStarted, "")),
            (false, ..) => Some((C::IdentityUse, "")),
        };
    }
    let grant = GRANTS.iter().find(|(grant, _)| *grant == resource).filter(|_| subresource.is_empty());
    Some(match (grant, verb) {
        (Some((_, [create, ..])), "create") => (C::ScmAdmin, create),
        (Some((_, [_, _, destroy])), "delete" | "deletecollection") => (C::ScmAdmin, destroy),
        (Some((_, [_, update, _])), _) => (C::ScmAdmin, update),
        (None, _) => (C::IdentityUse, ""),
    })
}

/// Kubernetes' own controllers carry out what somebody else wrote: a deployment's sets, a set's pods.
fn is_controller(user: &str) -> bool {
    let own = user.strip_prefix("system:serviceaccount:kube-system:");
    own.is_some_and(|name| {
        name.ends_with("-controller") || matches!(name, "horizontal-pod-autoscaler" | "pod-garbage-collector")
    }) || matches!(user, "system:kube-controller-manager" | "system:kube-scheduler")
        || user.starts_with("system:node:")
}

/// A list or watch of secrets carries their values.
fn secret(verb: &str) -> (EventClass, &'static str) {
    match verb {
        "create" => (C::SecretAdmin, "created"),
        "delete" | "deletecollection" => (C::SecretAdmin, "deleted"),
        "update" | "patch" => (C::SecretRotated, "rotated"),
        _ => (C::SecretAccess, ""),
    }
}

fn verdict(stage: &str, code: Option<i64>, decision: Option<&str>) -> Verdict {
    match code {
        _ if stage == "Panic" => Verdict::Error,
        Some(401 | 403) => Verdict::Denied,
        Some(500..) => Verdict::Error,
        Some(400..) => Verdict::Failure,
        Some(_) => Verdict::Success,
        None if decision == Some("forbid") => Verdict::Denied,
        None => Verdict::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_have_classes() {
        let rs = "system:serviceaccount:kube-system:replicaset-controller";
        for ((verb, resource, subresource, group, user), wanted) in [
            (("create", "deployments", "", "apps", "amy"), Some((C::DeployStarted, ""))),
            (("patch", "deployments", "scale", "apps", "amy"), Some((C::DeployStarted, ""))),
            (("patch", "deployments", "status", "apps", "amy"), None),
            (("create", "pods", "", "", rs), Some((C::RuntimeInventory, ""))),
            (
                ("create", "pods", "", "", "system:serviceaccount:ci:replicaset-controller"),
                Some((C::DeployStarted, "")),
            ),
            (("create", "pods", "binding", "", "system:kube-scheduler"), None),
            (("get", "secrets", "", "", "amy"), Some((C::SecretAccess, ""))),
            (("list", "secrets", "", "", "amy"), Some((C::SecretAccess, ""))),
            (("patch", "secrets", "", "", "amy"), Some((C::SecretRotated, "rotated"))),
            (("deletecollection", "rolebindings", "", "", "amy"), Some((C::ScmAdmin, "role_binding.destroy"))),
            (("patch", "clusterroles", "", "", "amy"), Some((C::ScmAdmin, "cluster_role.update"))),
            (("create", "serviceaccounts", "token", "", "amy"), Some((C::IdentityExchange, ""))),
            (
                ("delete", "validatingwebhookconfigurations", "", "admissionregistration.k8s.io", "amy"),
                Some((C::PolicyChange, "")),
            ),
            (("get", "clusterpolicies", "", "kyverno.io", "amy"), Some((C::IdentityUse, ""))),
            (("update", "leases", "", "coordination.k8s.io", "amy"), None),
            (("patch", "pods", "ephemeralcontainers", "", "amy"), Some((C::IdentityUse, "exec"))),
        ] {
            assert_eq!(class_of(verb, resource, subresource, group, user), wanted, "{verb} {resource} {user}");
        }
    }

    #[test]
    fn refusals_name_who_refused() {
        for (message, wanted) in [
            ("admission webhook \"gate.example.org\" denied the request: no", Some("gate.example.org")),
            (
                "deployments.apps \"a\" is forbidden: ValidatingAdmissionPolicy 'signed' with binding 'b' denied",
                Some("signed"),
            ),
            ("pods \"a\" is forbidden: violates PodSecurity \"restricted:latest\": privileged", Some("PodSecurity")),
            ("pods \"a\" is forbidden: User \"amy\" cannot create resource \"pods\"", None),
        ] {
            assert_eq!(refusal(message), wanted, "{message}");
        }
    }

    #[test]
    fn answers_have_verdicts() {
        assert_eq!(verdict("ResponseStarted", Some(101), Some("allow")), Verdict::Success);
        assert_eq!(verdict("ResponseComplete", Some(403), Some("forbid")), Verdict::Denied);
        assert_eq!(verdict("ResponseComplete", Some(409), None), Verdict::Failure);
        assert_eq!(verdict("Panic", Some(200), None), Verdict::Error);
        assert_eq!(verdict("ResponseComplete", None, Some("forbid")), Verdict::Denied);
    }
}
