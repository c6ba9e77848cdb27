//! Harbor's webhooks, in its own form and as CloudEvents: each artifact that one names is an event.
//!
//! Must never take the operator of a replication or a retention run for somebody: there it is what set the run off.

use EventClass as C;
use model::{EventClass, Trust, Verdict};

use super::fill::coalesce;
use super::purl;
use super::{Class, Classified, Container, Format, Id, Inputs, MapRow, Mapping, Output, all, on};

/// The format.
pub static FORMAT: Format = Format {
    name: "harbor",
    title: "Harbor webhooks (default and CloudEvents payloads)",
    product: "harbor",
    service: "webhook",
    marks: &[
        &["type", "occur_at", "event_data"],
        &["specversion", "operator", "data.resources.digest"],
        &["specversion", "operator", "data.replication.harbor_hostname"],
        &["specversion", "operator", "data.retention.retention_policy_id"],
    ],
    containers: &[
        Container::Array("event_data.resources"),
        Container::Array("event_data.retention.deleted_artifact"),
        Container::Array("event_data.replication.successful_artifact"),
        Container::Array("event_data.replication.failed_artifact"),
        Container::Array("data.resources"),
        Container::Array("data.retention.deleted_artifact"),
        Container::Array("data.replication.successful_artifact"),
        Container::Array("data.replication.failed_artifact"),
    ],
    mapping: Some(&MAPPING),
    trust: Trust::ControlPlane,
};

static MAPPING: Mapping = Mapping {
    // Its own form has no id: what names the event instead. The operator stands in the envelope, which an artifact's
    // hash does not cover, so it must be part of the id.
    id: Id::Joined(&[
        "^.type",
        "^.id",
        "^.occur_at",
        "^.operator",
        "^.event_data.repository.repo_full_name",
        "digest",
        "tag",
        "name_tag",
        "^index",
    ]),
    time: &["^.occur_at", "^.time"],
    action: "^.type",
    classify_paths: &[
        "^.type",
        "status",
        "^.event_data.replication.dest_resource.registry_name",
        "^.data.replication.dest_resource.registry_name",
        "type",
    ],
    classify,
    rows: ROWS,
};

const REGISTRY: &[EventClass] = &[C::RegistryPush, C::RegistryPull, C::RegistryDelete];

/// Whose policy deleted, who acted: see [`actor`].
const ACTOR: &[&str] =
    &["^.type", "^.operator", "^.event_data.retention.retention_policy_id", "^.data.retention.retention_policy_id"];

/// Full name; else the project (retention, replication) and the artifact's name.
const NAME: &[&str] = &[
    "^.event_data.repository.repo_full_name",
    "^.data.repository.repo_full_name",
    "^.event_data.retention.project_name",
    "^.data.retention.project_name",
    "^.event_data.replication.src_resource.namespace",
    "^.data.replication.src_resource.namespace",
    "name_tag",
];

#[rustfmt::skip]
static ROWS: &[MapRow] = &[
    all("prov.actor_id", ACTOR, actor),
    all("prov.actor", ACTOR, actor),
    all("prov.actor_kind", ACTOR, actor_kind),
    all("prov.digest", &["digest"], coalesce),
    all("prov.artifact", &["resource_url"], artifact),
    on(REGISTRY, "repo", NAME, repo),
    on(REGISTRY, "tag", &["tag", "name_tag"], tag),
    on(&[C::RegistryDelete], "kind", &["type"], coalesce),
    on(
        &[C::RegistryPull], "dst.domain",
        &["^.event_data.replication.dest_resource.endpoint", "^.data.replication.dest_resource.endpoint"], domain,
    ),
];

/// What a webhook is about, whatever its form calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Push,
    Pull,
    Delete,
    QuotaExceeded,
    QuotaWarned,
    ScanCompleted,
    ScanFailed,
    ScanStopped,
    Replication,
    Retention,
}

fn kind(native: &str) -> Option<Kind> {
    Some(match native {
        // A tag that is set on an artifact makes it what the tag's pullers get.
        "PUSH_ARTIFACT" | "harbor.artifact.pushed" | "CREATE_TAG" | "harbor.tag.created" => Kind::Push,
        "PULL_ARTIFACT" | "harbor.artifact.pulled" => Kind::Pull,
        "DELETE_ARTIFACT" | "harbor.artifact.deleted" => Kind::Delete,
        "QUOTA_EXCEED" | "harbor.quota.exceeded" => Kind::QuotaExceeded,
        "QUOTA_WARNING" | "harbor.quota.warned" => Kind::QuotaWarned,
        "SCANNING_COMPLETED" | "harbor.scan.completed" => Kind::ScanCompleted,
        "SCANNING_FAILED" | "harbor.scan.failed" => Kind::ScanFailed,
        "SCANNING_STOPPED" | "harbor.scan.stopped" => Kind::ScanStopped,
        "REPLICATION" | "harbor.replication.status.changed" => Kind::Replication,
        "TAG_RETENTION" | "harbor.tag_retention.finished" => Kind::Retention,
        _ => return None,
    })
}

fn classify(inputs: &Inputs<'_>) -> Classified {
    let event = |class, action, verdict| Classified::Event(Class { class, action, verdict });
    let Some(native) = inputs.text(0) else {
        // A run that moved or deleted nothing names no artifact.
        let known = inputs.text(4).and_then(kind).is_some();
        return if known { Classified::Filtered } else { Classified::Invalid("no webhook of Harbor") };
    };
    match kind(native) {
        Some(Kind::Push) => event(C::RegistryPush, "push", Verdict::Success),
        Some(Kind::Pull) => event(C::RegistryPull, "pull", Verdict::Success),
        Some(Kind::Delete) => event(C::RegistryDelete, "delete", Verdict::Success),
        Some(Kind::Retention) => event(C::RegistryDelete, "expire", verdict(inputs.text(1))),
        // The push it refused.
        Some(Kind::QuotaExceeded) => event(C::RegistryPush, "push", Verdict::Failure),
        Some(Kind::ScanCompleted) => event(C::ScanResult, "finished", Verdict::Success),
        Some(Kind::ScanFailed) => event(C::ScanResult, "finished", Verdict::Error),
        Some(Kind::ScanStopped) => event(C::ScanResult, "finished", Verdict::Failure),
        // Only the remote side has a name. What comes in has a push of its own for each artifact.
        Some(Kind::Replication) if inputs.text(2).or(inputs.text(3)).is_some() => {
            event(C::RegistryPull, "replicate", verdict(inputs.text(1)))
        }
        Some(Kind::Replication | Kind::QuotaWarned) => Classified::Filtered,
        None => Classified::Invalid("no type of Harbor"),
    }
}

fn verdict(status: Option<&str>) -> Verdict {
    match status {
        Some(status) if status.eq_ignore_ascii_case("success") => Verdict::Success,
        Some(status) if status.eq_ignore_ascii_case("error") => Verdict::Error,
        Some(_) => Verdict::Failure,
        None => Verdict::Unknown,
    }
}

/// The operator; of a retention run `retention:` and the policy's id; of a replication nobody.
fn actor(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    match inputs.text(0).and_then(kind) {
        Some(Kind::Replication) | None => {}
        Some(Kind::Retention) => {
            if let Some(policy) = inputs.string(2).or(inputs.string(3)) {
                output.text(&format!("retention:{policy}"));
            }
        }
        Some(_) => {
            if let Some(operator) = inputs.text(1) {
                output.text(operator);
            }
        }
    }
}

/// Harbor keeps `$` out of the names of users, and its job service for itself.
fn actor_kind(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    match (inputs.text(0).and_then(kind), inputs.text(1)) {
        (Some(Kind::Retention), _) => output.text("service"),
        (_, Some("harbor-jobservice")) => output.text("service"),
        (_, Some(operator)) if operator.contains('$') => output.text("bot"),
        _ => {}
    }
}

fn repo(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if let Some(full) = inputs.text(0).or(inputs.text(1)) {
        return output.text(full);
    }
    if let (Some(project), Some(name)) = ((2..6).find_map(|i| inputs.text(i)), inputs.text(6)) {
        output.text(&format!("{project}/{}", bare_name(name)));
    }
}

/// `alpine:3.8`, `alpine@sha256:…`, `alpine [2 item(s) in total]` → `alpine`.
fn bare_name(name: &str) -> &str {
    name.split([':', '@', ' ']).next().unwrap_or(name)
}

/// An artifact without a tag has its digest in the tag's place.
fn tag(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    let named = || inputs.text(1).filter(|name| !name.contains(['@', ' '])).and_then(|name| name.split_once(':'));
    if let Some(tag) = inputs.text(0).or_else(|| named().map(|(_, tag)| tag)).filter(|tag| !tag.contains(':')) {
        output.text(tag);
    }
}

/// The address that Harbor is configured with, then repository and reference.
fn artifact(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    let Some(url) = inputs.text(0) else { return };
    let pinned = url.split('@').next().unwrap_or(url);
    let repository = match (pinned.rfind('/'), pinned.rfind(':')) {
        (Some(slash), Some(colon)) if colon > slash => pinned.get(..colon).unwrap_or(pinned),
        _ => pinned,
    };
    if let Some(purl) = purl::oci(repository) {
        output.text(&purl);
    }
}

/// The host of an endpoint, without port, lower case.
fn domain(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    let Some(endpoint) = inputs.text(0).or(inputs.text(1)) else { return };
    let host = endpoint.split_once("://").map_or(endpoint, |(_, rest)| rest);
    let host = host.split(['/', ':']).next().unwrap_or(host);
    if !host.is_empty() {
        output.text(&host.to_lowercase());
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
    fn names_lose_their_references() {
        for name in ["alpine", "alpine:3.8", "alpine@sha256:1", "alpine [1 item(s) in total]", "alpine:[a,b]"] {
            assert_eq!(bare_name(name), "alpine", "{name}");
        }
    }

    #[test]
    fn both_forms_mean_the_same() {
        for (own, cloud) in [
            ("PUSH_ARTIFACT", "harbor.artifact.pushed"),
            ("TAG_RETENTION", "harbor.tag_retention.finished"),
            ("QUOTA_EXCEED", "harbor.quota.exceeded"),
        ] {
            assert!(kind(own).is_some() && kind(own) == kind(cloud), "{own}");
        }
        assert_eq!(kind("push_artifact"), None);
    }
}
