//! Which class a CDEvents type is of.
//!
//! Types are `dev.cdevents.SUBJECT.PREDICATE.VERSION`; what a type means has not changed between versions, so the
//! version decides nothing. Must never read a subject's free texts.

use EventClass as C;
use model::{EventClass, Verdict};

use super::fields::is_package;
use crate::format::{Class, Classified, Inputs};

/// What [`classify`] reads, in its order.
pub(super) const PATHS: &[&str] = &[
    "context.type",
    "subject.content.outcome",
    "subject.content.decision",
    "subject.id",
    "subject.content.testCase.type",
    "subject.content.status",
];

/// (subject, predicate, class and action); none: filtered, the page of the format says why.
type Row = (&'static str, &'static str, Option<(EventClass, &'static str)>);

/// Every type of event.
#[rustfmt::skip]
const TABLE: &[Row] = &[
    ("approval", "closed", Some((C::CiRun, "approved"))),
    ("approval", "created", Some((C::CiRun, "approval_requested"))),
    ("approval", "updated", Some((C::CiRun, "approval_updated"))),
    ("artifact", "deleted", Some((C::RegistryDelete, "deleted"))),
    ("artifact", "downloaded", Some((C::RegistryPull, "downloaded"))),
    ("artifact", "packaged", Some((C::BuildFinished, "packaged"))),
    ("artifact", "published", Some((C::RegistryPush, "published"))),
    ("artifact", "signed", Some((C::SignSignature, "signed"))),
    ("branch", "created", Some((C::ScmRef, "created"))),
    ("branch", "deleted", Some((C::ScmRef, "deleted"))),
    ("build", "finished", Some((C::BuildFinished, "finished"))),
    ("build", "queued", None),
    ("build", "started", None),
    ("change", "abandoned", Some((C::ScmChange, "closed"))),
    ("change", "created", Some((C::ScmChange, "opened"))),
    ("change", "merged", Some((C::ScmChange, "merged"))),
    ("change", "reviewed", Some((C::ScmChange, "reviewed"))),
    ("change", "updated", Some((C::ScmChange, "updated"))),
    ("environment", "created", Some((C::ScmAdmin, "environment.created"))),
    ("environment", "deleted", Some((C::ScmAdmin, "environment.deleted"))),
    ("environment", "modified", Some((C::ScmAdmin, "environment.modified"))),
    ("incident", "detected", Some((C::OpsResponse, "detected"))),
    ("incident", "reported", Some((C::OpsResponse, "reported"))),
    ("incident", "resolved", Some((C::OpsResponse, "resolved"))),
    ("pipelinerun", "finished", Some((C::CiRun, "finished"))),
    ("pipelinerun", "queued", Some((C::CiRun, "requested"))),
    ("pipelinerun", "started", Some((C::CiRun, "started"))),
    ("repository", "created", Some((C::ScmAdmin, "repository.created"))),
    ("repository", "deleted", Some((C::ScmAdmin, "repository.deleted"))),
    ("repository", "modified", Some((C::ScmAdmin, "repository.modified"))),
    ("service", "deployed", Some((C::DeployFinished, "deployed"))),
    ("service", "published", None),
    ("service", "removed", Some((C::DeployFinished, "removed"))),
    ("service", "rolledback", Some((C::DeployRolledback, "rolledback"))),
    ("service", "upgraded", Some((C::DeployFinished, "upgraded"))),
    ("taskrun", "finished", Some((C::CiJob, "finished"))),
    ("taskrun", "started", Some((C::CiJob, "started"))),
    ("testcaserun", "finished", Some((C::ScanResult, "finished"))),
    ("testcaserun", "queued", None),
    ("testcaserun", "skipped", None),
    ("testcaserun", "started", None),
    ("testoutput", "published", None),
    ("testsuiterun", "finished", Some((C::ScanResult, "finished"))),
    ("testsuiterun", "queued", None),
    ("testsuiterun", "started", None),
    ("ticket", "closed", None),
    ("ticket", "created", None),
    ("ticket", "updated", None),
];

/// Subject and predicate of a type, as written; None: no type of CDEvents.
pub(super) fn split(native: &str) -> Option<(&str, &str)> {
    let (subject, rest) = native.strip_prefix("dev.cdevents.")?.split_once('.')?;
    Some((subject, rest.split('.').next()?))
}

/// Types of a vendor's own (`dev.cdeventsx.`) are of no interest; one that the specification adds tomorrow is seen.
pub(super) fn classify(inputs: &Inputs<'_>) -> Classified {
    let Some(native) = inputs.text(0) else {
        return Classified::Invalid("no `context.type`");
    };
    if native.starts_with("dev.cdeventsx.") {
        return Classified::Filtered;
    }
    let Some((subject, predicate)) = split(native) else { return Classified::Unknown };
    let same = |row: &&(&str, &str, _)| row.0.eq_ignore_ascii_case(subject) && row.1.eq_ignore_ascii_case(predicate);
    let Some(&(subject, predicate, meaning)) = TABLE.iter().find(same) else { return Classified::Unknown };
    let Some((class, action)) = meaning else { return Classified::Filtered };
    match (subject, predicate) {
        ("testcaserun", _) if !inputs.text(4).is_some_and(is_security_test) => Classified::Filtered,
        ("artifact", "published") if inputs.text(3).is_some_and(is_package) => {
            Classified::Event(Class { class: C::RegistryPublish, action, verdict: Verdict::Success })
        }
        ("approval", "closed") => {
            let (action, verdict) = decided(inputs.text(2).or_else(|| inputs.text(5)));
            Classified::Event(Class { class, action, verdict })
        }
        (_, "finished") => Classified::Event(Class { class, action, verdict: outcome(subject, inputs.text(1)) }),
        _ => Classified::Event(Class { class, action, verdict: Verdict::Success }),
    }
}

fn is_security_test(kind: &str) -> bool {
    kind.eq_ignore_ascii_case("security") || kind.eq_ignore_ascii_case("compliance")
}

fn decided(decision: Option<&str>) -> (&'static str, Verdict) {
    match decision {
        Some("approved") => ("approved", Verdict::Success),
        Some("rejected" | "denied") => ("rejected", Verdict::Denied),
        _ => ("approval_closed", Verdict::Unknown),
    }
}

/// A build's end has no outcome: it is told of builds that made something.
fn outcome(subject: &str, outcome: Option<&str>) -> Verdict {
    match outcome {
        None if subject == "build" => Verdict::Success,
        Some("success" | "pass") => Verdict::Success,
        Some("failure" | "fail") => Verdict::Failure,
        Some("error") => Verdict::Error,
        _ => Verdict::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_of_every_version_are_told_apart() {
        assert_eq!(split("dev.cdevents.pipelinerun.finished.0.3.0-draft"), Some(("pipelinerun", "finished")));
        assert_eq!(split("dev.cdevents.pipelineRun.queued.0.1.0"), Some(("pipelineRun", "queued")));
        assert_eq!(split("dev.cdevents.change.merged"), Some(("change", "merged")));
        for no in ["dev.cdevents.", "dev.cdevents.change", "dev.tekton.event.taskrun.started.v1", ""] {
            assert_eq!(split(no), None, "{no}");
        }
    }

    #[test]
    fn decisions_and_outcomes_have_verdicts() {
        assert_eq!(decided(Some("rejected")), ("rejected", Verdict::Denied));
        assert_eq!(decided(Some("cancelled")), ("approval_closed", Verdict::Unknown));
        assert_eq!(outcome("taskrun", Some("error")), Verdict::Error);
        assert_eq!(outcome("taskrun", None), Verdict::Unknown);
        assert_eq!(outcome("build", None), Verdict::Success);
        assert_eq!(outcome("pipelinerun", Some("cancel")), Verdict::Unknown);
    }

    #[test]
    fn each_type_stands_once() {
        assert!(TABLE.windows(2).all(|pair| (pair[0].0, pair[0].1) < (pair[1].0, pair[1].1)), "sorted, each once");
    }
}
