//! Canaries and rollbacks: events of Flagger, and notifications of Argo Rollouts with the rollout and the trigger.
//!
//! Must never read a rollout's phase where the notification names its trigger: the object may be a version behind.

use EventClass as C;
use model::{EventClass, Trust, Verdict};

use super::fill::{coalesce, env_class};
use super::workload::pinned;
use super::{Class, Classified, Format, Id, Inputs, MapRow, Mapping, Output, all, on};

/// The format.
pub static FORMAT: Format = Format {
    name: "rollouts",
    title: "Canaries and rollbacks (Argo Rollouts, Flagger)",
    product: "rollouts",
    service: "event",
    marks: &[
        &["name", "namespace", "phase", "metadata.eventType"],
        &["name", "namespace", "phase", "metadata.eventMessage"],
        &["trigger", "rollout.metadata", "rollout.spec"],
    ],
    containers: &[],
    mapping: Some(&MAPPING),
    trust: Trust::ControlPlane,
};

/// The mapping.
static MAPPING: Mapping = Mapping {
    id: Id::Joined(&[
        "metadata.timestamp",
        "namespace",
        "name",
        "phase",
        "checksum",
        "rollout.metadata.namespace",
        "rollout.metadata.name",
        "trigger",
    ]),
    // Flagger's own; a rollout has none, so the documented template adds one in the same place.
    time: &["metadata.timestamp", "rollout.status.abortedAt"],
    action: "phase",
    classify_paths: WHAT,
    classify,
    rows: ROWS,
};

/// What says what happened.
const WHAT: &[&str] =
    &["phase", "metadata.eventType", "metadata.eventMessage", "trigger", "rollout.spec.strategy.canary"];

/// What happened to a release, whichever tool says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// A new version begins.
    Begins,
    /// It goes on, waits or is being promoted: this word.
    Goes(&'static str),
    /// A check failed; the canary goes on for now.
    Halts,
    /// It is judged good.
    Promoted,
    /// It is judged bad.
    Failed,
    /// Traffic goes back to the version before.
    RolledBack,
}

fn classify(inputs: &Inputs<'_>) -> Classified {
    if inputs.first(0).is_none() && inputs.first(3).is_none() {
        return Classified::Invalid("no `phase` and no trigger");
    }
    let Some(step) = step(inputs) else { return Classified::Filtered };
    let canary = inputs.has(4) || inputs.first(0).is_some();
    let (class, action, verdict) = match step {
        Step::Begins => (C::DeployStarted, "rollout", Verdict::Success),
        Step::Goes(word) => (C::DeployCanary, word, Verdict::Unknown),
        Step::Halts => (C::DeployCanary, "halted", Verdict::Failure),
        Step::Promoted if canary => (C::DeployCanary, "promoted", Verdict::Success),
        Step::Promoted => (C::DeployFinished, "rollout", Verdict::Success),
        Step::Failed => (C::DeployCanary, "rolled_back", Verdict::Failure),
        Step::RolledBack => (C::DeployRolledback, "rolled_back", Verdict::Success),
    };
    Classified::Event(Class { class, action, verdict })
}

fn step(inputs: &Inputs<'_>) -> Option<Step> {
    match inputs.text(3) {
        Some(trigger) => triggered(trigger),
        None => flagger(inputs.text(0)?, inputs.text(1) == Some("Warning"), inputs.text(2).unwrap_or("")),
    }
}

/// Argo Rollouts: the names of its own triggers.
fn triggered(trigger: &str) -> Option<Step> {
    match trigger.strip_prefix("on-").unwrap_or(trigger) {
        "rollout-updated" => Some(Step::Begins),
        "rollout-completed" => Some(Step::Promoted),
        "rollout-aborted" => Some(Step::RolledBack),
        "analysis-run-failed" | "analysis-run-error" => Some(Step::Failed),
        "rollout-paused" => Some(Step::Goes("waiting")),
        "rollout-step-completed" | "analysis-run-running" => Some(Step::Goes("progressing")),
        _ => None,
    }
}

/// Flagger: the phase; the two turns that have none by how their messages begin.
fn flagger(phase: &str, warning: bool, message: &str) -> Option<Step> {
    match phase {
        _ if message.starts_with("Rolling back ") => Some(Step::RolledBack),
        _ if message.starts_with("New revision detected!") => Some(Step::Begins),
        "Failed" => Some(Step::Failed),
        "Succeeded" => Some(Step::Promoted),
        "Progressing" if warning => Some(Step::Halts),
        "Progressing" => Some(Step::Goes("progressing")),
        "Waiting" | "WaitingPromotion" => Some(Step::Goes("waiting")),
        "Promoting" | "Finalising" => Some(Step::Goes("promoting")),
        _ => None,
    }
}

#[rustfmt::skip]
static ROWS: &[MapRow] = &[
    all("prov.service", &["name", "rollout.metadata.name"], coalesce),
    all("prov.env", &["namespace", "rollout.metadata.namespace"], env_class),
    all(
        "prov.digest",
        &["rollout.spec.template.spec.containers.image", "rollout.spec.template.spec.initContainers.image"],
        pinned,
    ),
    on(&[C::DeployCanary], "result", WHAT, result),
    on(&[C::DeployStarted], "op", &["name"], op),
];

/// promoted and rolled_back; of a canary that goes on where it stands.
fn result(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    output.text(match step(inputs) {
        Some(Step::Promoted) => "promoted",
        Some(Step::Failed) => "rolled_back",
        Some(Step::Halts) => "halted",
        Some(Step::Goes(word)) => word,
        _ => return,
    });
}

fn op(_: &Inputs<'_>, output: &mut Output<'_>) {
    output.text("rollout");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_fills_model_fields_once() {
        crate::format::fill::tests::check(super::ROWS);
    }

    #[test]
    fn phases_and_triggers_are_steps() {
        for (phase, warning, message, wanted) in [
            ("Progressing", false, "New revision detected! Scaling up pay.prod", Some(Step::Begins)),
            ("Progressing", true, "Halt pay.prod advancement success rate 55.06% < 99%", Some(Step::Halts)),
            ("Progressing", true, "Rolling back pay.prod failed checks threshold reached 5", Some(Step::RolledBack)),
            ("Failed", true, "Canary failed! Scaling down pay.prod", Some(Step::Failed)),
            ("Succeeded", false, "Promotion completed!", Some(Step::Promoted)),
            ("Initialized", false, "Initialization done!", None),
        ] {
            assert_eq!(flagger(phase, warning, message), wanted, "{phase} {message}");
        }
        assert_eq!(triggered("on-rollout-aborted"), Some(Step::RolledBack));
        assert_eq!(triggered("on-scaling-replica-set"), None);
    }
}
