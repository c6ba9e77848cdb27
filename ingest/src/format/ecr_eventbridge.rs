//! Amazon ECR through EventBridge: images pushed, deleted, replicated, cached and scanned, and what Amazon Inspector
//! finds in them.
//!
//! Must never take these for complete: they name nobody. Who pushed is in CloudTrail only.

use EventClass as C;
use model::{EventClass, Scalar, Trust, Verdict};

use super::fill::coalesce;
use super::purl;
use super::{Class, Classified, Format, Id, Inputs, MapRow, Mapping, Output, all, on};

/// The format.
pub static FORMAT: Format = Format {
    name: "ecr-eventbridge",
    title: "Amazon ECR and Amazon Inspector events through EventBridge",
    product: "aws",
    service: "ecr",
    marks: &[
        &["detail-type", "detail.repository-name"],
        &["detail-type", "detail.repositories.repository-name"],
        &["detail-type", "detail.resources.details.awsEcrContainerImage.imageHash"],
    ],
    containers: &[],
    mapping: Some(&MAPPING),
    trust: Trust::ControlPlane,
};

static MAPPING: Mapping = Mapping {
    id: Id::First(&["id"]),
    time: &["time"],
    action: "detail-type",
    classify_paths: &[
        "detail-type",
        "detail.action-type",
        "detail.result",
        "detail.sync-status",
        "detail.scan-status",
        "detail.status",
        "detail.target-storage-class",
        "detail.type",
    ],
    classify,
    rows: ROWS,
};

const REGISTRY: &[EventClass] = &[C::RegistryPush, C::RegistryPull, C::RegistryDelete];
const SCAN: &[EventClass] = &[C::ScanResult];
const FINDING: &[EventClass] = &[C::VulnFinding];

/// The names that scanning was configured for, the frequency now and before: for [`scan_frequency`].
const FREQUENCY: &[&str] = &[
    "detail.repositories.repository-name",
    "detail.repositories.scan-frequency",
    "detail.repositories.previous-scan-frequency",
];

#[rustfmt::skip]
static ROWS: &[MapRow] = &[
    all("prov.org", &["account"], coalesce),
    all("prov.region", &["region"], coalesce),
    all(
        "prov.digest", &["detail.image-digest", "detail.resources.details.awsEcrContainerImage.imageHash"], coalesce,
    ),
    all(
        "prov.artifact",
        &[
            "account", "region", "detail.repository-name", "detail.resources.details.awsEcrContainerImage.registry",
            "detail.resources.details.awsEcrContainerImage.repositoryName",
        ],
        artifact,
    ),
    all("src.service", &["detail-type"], service),
    on(REGISTRY, "prov.actor_id", &["detail-type"], service),
    on(REGISTRY, "prov.actor_kind", &["detail-type"], service_kind),
    on(REGISTRY, "repo", &["detail.repository-name"], repo),
    on(REGISTRY, "tag", &["detail.image-tag"], coalesce),
    on(&[C::RegistryDelete], "kind", &["detail-type", "detail.artifact-media-type"], kind),
    // Scanning switched off.
    on(&[C::RegistryAcl], "repo", FREQUENCY, frequency_repos),
    on(&[C::RegistryAcl], "scan_off", FREQUENCY, scan_off),
    on(&[C::RegistryAcl], "op", &["detail.action-type"], coalesce),
    // Scans and findings.
    on(SCAN, "tool", &["detail-type"], tool),
    on(SCAN, "sev", COUNTS, worst),
    on(FINDING, "tool", &["detail-type"], tool),
    on(FINDING, "sev", &["detail.severity"], severity),
    on(FINDING, "cve", &["detail.packageVulnerabilityDetails.vulnerabilityId"], coalesce),
    on(FINDING, "dismissed", &["detail.status"], dismissed),
];

fn classify(inputs: &Inputs<'_>) -> Classified {
    let event = |class, action, verdict| Classified::Event(Class { class, action, verdict });
    let result = verdict(inputs.text(2).or(inputs.text(3)));
    match (inputs.text(0), inputs.text(1)) {
        (Some("ECR Image Action" | "ECR Referrer Action" | "ECR Artifact Action"), Some(action)) => match action {
            "PUSH" => event(C::RegistryPush, "push", result),
            "PULL" => event(C::RegistryPull, "pull", result),
            "DELETE" => event(C::RegistryDelete, "delete", result),
            // What is archived cannot be pulled: gone, as far as a deployment is concerned.
            "UPDATE_STORAGE_CLASS" if inputs.text(6) == Some("ARCHIVE") => event(C::RegistryDelete, "archive", result),
            _ => Classified::Filtered,
        },
        (Some("ECR Replication Action"), _) => event(C::RegistryPush, "replicate", result),
        (Some("ECR Pull Through Cache Action"), _) => event(C::RegistryPush, "cache", result),
        (Some("ECR Scan Resource Change"), Some("SCAN_FREQUENCY_CHANGE")) => {
            event(C::RegistryAcl, "scan_frequency", Verdict::Success)
        }
        (Some("ECR Image Scan" | "Inspector2 Scan"), _) => match inputs.text(4) {
            Some("FAILED" | "SCAN_ELIGIBILITY_EXPIRED") => event(C::ScanResult, "finished", Verdict::Error),
            Some("COMPLETE" | "INITIAL_SCAN_COMPLETE") => event(C::ScanResult, "finished", Verdict::Success),
            _ => Classified::Filtered,
        },
        (Some("Inspector2 Finding"), _) if inputs.text(7) == Some("PACKAGE_VULNERABILITY") => match inputs.text(5) {
            Some("CLOSED") => event(C::VulnFinding, "closed", Verdict::Success),
            Some("SUPPRESSED") => event(C::VulnFinding, "dismissed", Verdict::Success),
            _ => event(C::VulnFinding, "opened", Verdict::Success),
        },
        // Rules of EventBridge are often wider than what is wanted of them.
        (Some(_), _) => Classified::Filtered,
        (None, _) => Classified::Invalid("no `detail-type`"),
    }
}

fn verdict(result: Option<&str>) -> Verdict {
    match result {
        Some("SUCCESS") => Verdict::Success,
        Some(_) => Verdict::Failure,
        None => Verdict::Unknown,
    }
}

/// Replication and caching are the registry's own doing; of everything else it does not say whose.
fn is_service(detail_type: Option<&str>) -> bool {
    matches!(detail_type, Some("ECR Replication Action" | "ECR Pull Through Cache Action"))
}

fn service(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if is_service(inputs.text(0)) {
        output.text("ecr.amazonaws.com");
    }
}

fn service_kind(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if is_service(inputs.text(0)) {
        output.text("service");
    }
}

/// Inspector writes the repository's ARN.
fn repo_name(native: &str) -> &str {
    native.split_once(":repository/").map_or(native, |(_, name)| name)
}

fn repo(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if let Some(name) = inputs.text(0) {
        output.text(repo_name(name));
    }
}

/// `ACCOUNT.dkr.ecr.REGION.amazonaws.com/NAME`; a finding says in which account the image stands.
fn artifact(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    let account = inputs.text(3).or(inputs.text(0));
    let name = inputs.text(4).or_else(|| inputs.text(2).map(repo_name));
    let (Some(account), Some(region), Some(name)) = (account, inputs.text(1), name) else { return };
    let partition = if region.starts_with("cn-") { ".cn" } else { "" };
    if let Some(purl) = purl::oci(&format!("{account}.dkr.ecr.{region}.amazonaws.com{partition}/{name}")) {
        output.text(&purl);
    }
}

/// A referrer's media type tells signatures, SBOMs and attestations apart.
fn kind(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    match (inputs.text(0), inputs.text(1)) {
        (Some("ECR Image Action"), _) => output.text("image"),
        (_, Some(media_type)) => output.text(media_type),
        _ => output.text("referrer"),
    }
}

/// For each repository: its name, and whether scanning stopped being automatic. None when they do not pair up.
fn scan_frequency<'a>(inputs: &Inputs<'a>) -> Option<Vec<(&'a str, bool)>> {
    let texts = |i| {
        let text = |value| if let Scalar::Text(text) = value { text } else { "" };
        inputs.all(i).map(text).collect::<Vec<_>>()
    };
    let (names, now, before) = (texts(0), texts(1), texts(2));
    let paired = names.len() == now.len() && names.len() == before.len();
    let off = |(now, before): (&str, &str)| now == "MANUAL" && !matches!(before, "" | "MANUAL");
    paired.then(|| names.into_iter().zip(now.into_iter().zip(before).map(off)).collect())
}

/// The repositories whose scanning was switched off; none was: all whose frequency changed.
fn frequency_repos(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    let repos = scan_frequency(inputs).unwrap_or_default();
    let any_off = repos.iter().any(|(_, off)| *off);
    repos.iter().filter(|(_, off)| *off || !any_off).for_each(|(name, _)| output.text(name));
}

fn scan_off(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if let Some(repos) = scan_frequency(inputs) {
        output.scalar(Scalar::Bool(repos.iter().any(|(_, off)| *off)));
    }
}

fn tool(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    let inspector = inputs.text(0).is_some_and(|kind| kind.starts_with("Inspector2"));
    output.text(if inspector { "inspector" } else { "ecr" });
}

/// Worst first, as [`SEVERITIES`].
const COUNTS: &[&str] = &[
    "detail.finding-severity-counts.CRITICAL",
    "detail.finding-severity-counts.HIGH",
    "detail.finding-severity-counts.MEDIUM",
    "detail.finding-severity-counts.LOW",
    "detail.finding-severity-counts",
];
const SEVERITIES: &[&str] = &["critical", "high", "medium", "low"];

/// The worst severity that was found; `none` when a scan counted and found nothing that has one.
fn worst(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    let found = |i| inputs.first(i).and_then(Scalar::as_number).is_some_and(|count| count > 0.0);
    match SEVERITIES.iter().enumerate().find(|(i, _)| found(*i)) {
        Some((_, severity)) => output.text(severity),
        None if inputs.has(SEVERITIES.len()) => output.text("none"),
        None => {}
    }
}

fn severity(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    let Some(native) = inputs.text(0) else { return };
    match SEVERITIES.iter().find(|severity| native.eq_ignore_ascii_case(severity)) {
        Some(severity) => output.text(severity),
        None if native == "INFORMATIONAL" => output.text("none"),
        None => {}
    }
}

fn dismissed(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    if let Some(status) = inputs.text(0) {
        output.scalar(Scalar::Bool(status == "SUPPRESSED"));
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_table_fills_model_fields_once() {
        crate::format::fill::tests::check(super::ROWS);
    }

    #[test]
    fn repositories_lose_their_arn() {
        assert_eq!(super::repo_name("arn:aws:ecr:eu-west-1:111122223333:repository/shop/web"), "shop/web");
        assert_eq!(super::repo_name("shop/web"), "shop/web");
    }
}
