//! Tekton's CloudEvents.

use super::{Expected, check};

#[rustfmt::skip]
const TEKTON: &[Expected] = &[
    Expected("taskrun.unknown.v1.json", 0, "ci.job", "running", "unknown", &[
        "prov.job_id=4ccb4f01-3ecc-4eb4-87e1-76f04efeee5c", "prov.run_id=", "job_name=curl", "prov.workflow=default/curl",
        "result=", "duration=", "prov.digest="]),
];

#[test]
fn tekton_cloudevents() {
    check("tekton-cloudevents", TEKTON);
}
