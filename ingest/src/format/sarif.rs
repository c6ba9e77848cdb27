//! SARIF 2.1.0: a run of a scanner is `scan.result`, each of its results `scan.finding` or, for a known vulnerability,
//! `vuln.finding`.
//!
//! Must never judge a result by its message: that is text, and often quotes the code that was scanned.

use EventClass as C;
use model::{EventClass, Scalar, Trust, Verdict};

use super::fill::{coalesce, lower, lower_case, repo, text_of};
use super::{Class, Classified, Container, Format, Id, Inputs, MapRow, Mapping, Output, on};

/// The format.
pub static FORMAT: Format = Format {
    name: "sarif",
    title: "SARIF 2.1.0 (runs of scanners and their results)",
    product: "sarif",
    service: "log",
    marks: &[&["version", "runs.tool.driver"]],
    containers: &[Container::Array("runs"), Container::Parts("results")],
    mapping: Some(&MAPPING),
    trust: Trust::Tenant,
};

/// The mapping. A run's id is its own; a result's that of its run and its number there.
static MAPPING: Mapping = Mapping {
    id: Id::FirstJoined(&[
        &["^.automationDetails.guid", "^index"],
        &[
            "^.invocations.endTimeUtc",
            "^.tool.driver.name",
            "^.automationDetails.id",
            "^.versionControlProvenance.revisionId",
            "^index",
        ],
        &["automationDetails.guid"],
        &["invocations.endTimeUtc", "tool.driver.name", "automationDetails.id", "versionControlProvenance.revisionId"],
    ]),
    time: &[
        "invocations.endTimeUtc",
        "invocations.startTimeUtc",
        "^.invocations.endTimeUtc",
        "^.invocations.startTimeUtc",
    ],
    action: "ruleId",
    classify_paths: &[
        "tool.driver.name",
        "^.tool.driver.name",
        "invocations.executionSuccessful",
        "results.level",
        "results",
        "ruleId",
        "rule.id",
        "kind",
        "baselineState",
        "suppressions.kind",
        "suppressions.status",
    ],
    classify,
    rows: ROWS,
};

const RUN: &[EventClass] = &[C::ScanResult];
const RESULT: &[EventClass] = &[C::ScanFinding, C::VulnFinding];
const FINDING: &[EventClass] = &[C::ScanFinding];
const VULN: &[EventClass] = &[C::VulnFinding];

#[rustfmt::skip]
static ROWS: &[MapRow] = &[
    on(RUN, "tool", &["tool.driver.name"], lower),
    on(RUN, "kind", &["automationDetails.id"], kind),
    on(RUN, "db_version", &["tool.extensions.version"], text_of),
    on(RUN, "prov.repo", &["versionControlProvenance.repositoryUri"], repo),
    on(RUN, "prov.commit", &["versionControlProvenance.revisionId"], lower),
    on(RUN, "prov.ref", &["versionControlProvenance.branch"], branch),
    on(RUN, "prov.digest", &["properties.imageID", "properties.repoDigests", "properties.digest"], digest),
    on(RUN, "prov.run_id", &["properties.runId"], text_of),
    on(RESULT, "tool", &["^.tool.driver.name"], lower),
    on(FINDING, "kind", &["^.automationDetails.id"], kind),
    on(RESULT, "sev", &["properties.security-severity", "level"], severity),
    on(RESULT, "dismissed", &["suppressions.kind", "suppressions.status"], |inputs, output| {
        if inputs.has(0) {
            output.scalar(Scalar::Bool(is_suppressed(inputs, 0)));
        }
    }),
    on(FINDING, "rule", &["ruleId", "rule.id"], coalesce),
    on(VULN, "cve", &["ruleId", "rule.id"], |inputs, output| {
        if let Some(id) = inputs.text(0).or(inputs.text(1)).and_then(advisory) {
            output.text(id);
        }
    }),
    on(RESULT, "prov.repo", &["^.versionControlProvenance.repositoryUri"], repo),
    on(RESULT, "prov.commit", &["^.versionControlProvenance.revisionId"], lower),
    on(RESULT, "prov.ref", &["^.versionControlProvenance.branch"], branch),
    on(RESULT, "prov.digest", &["^.properties.imageID", "^.properties.repoDigests", "^.properties.digest"], digest),
    on(RESULT, "prov.run_id", &["^.properties.runId"], text_of),
];

fn classify(inputs: &Inputs<'_>) -> Classified {
    if inputs.text(0).is_some() {
        let verdict = verdict(inputs);
        return Classified::Event(Class { class: C::ScanResult, action: "finished", verdict });
    }
    if inputs.text(1).is_none() {
        return Classified::Invalid("neither run nor result");
    }
    // Only what failed or is open is a finding.
    if !matches!(inputs.text(7), None | Some("fail" | "open" | "review")) {
        return Classified::Filtered;
    }
    let action = match inputs.text(8) {
        Some("absent") => "closed",
        _ if is_suppressed(inputs, 9) => "dismissed",
        _ => "opened",
    };
    let known = inputs.text(5).or(inputs.text(6)).and_then(advisory).is_some();
    let class = if known { C::VulnFinding } else { C::ScanFinding };
    Classified::Event(Class { class, action, verdict: Verdict::Unknown })
}

/// A tool that broke is an error; one that found something of level error failed its run.
fn verdict(inputs: &Inputs<'_>) -> Verdict {
    let found = inputs.all(3).any(|level| level == Scalar::Text("error"));
    match inputs.bool(2) {
        Some(false) => Verdict::Error,
        _ if found => Verdict::Failure,
        // Without results the tool did not look.
        None if !inputs.has(4) => Verdict::Unknown,
        _ => Verdict::Success,
    }
}

/// Somebody closed the result: a suppression that is not under review or rejected.
fn is_suppressed(inputs: &Inputs<'_>, at: usize) -> bool {
    let open = |value| matches!(value, Scalar::Text("underReview" | "rejected"));
    inputs.first(at).is_some() && !inputs.all(at + 1).any(open)
}

/// What stands before the first slash of the run's category.
fn kind(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    let category = inputs.text(0).map(|id| id.trim_start_matches('/').split(['/', ':']).next().unwrap_or(""));
    if let Some(kind) = category.filter(|kind| !kind.is_empty()) {
        output.text(&lower_case(kind));
    }
}

/// Branches are named without `refs/heads/`.
fn branch(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    match inputs.text(0) {
        Some(name) if name.starts_with("refs/") => output.text(name),
        Some(name) => output.text(&format!("refs/heads/{name}")),
        None => {}
    }
}

/// The first SHA-256 that scanners of images put into the run's properties: `name@sha256:…` or `sha256:…`. An image id
/// is not the digest of its manifest, so it counts only where nothing else stands.
fn digest(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    let of = |i: usize| {
        inputs.all(i).find_map(|value| match value {
            Scalar::Text(text) => text.rfind("sha256:").and_then(|at| text.get(at..)),
            _ => None,
        })
    };
    if let Some(digest) = of(2).or_else(|| of(1)) {
        output.text(digest);
    }
}

/// The score of the result where it has one (CVSS bands), else its level.
fn severity(inputs: &Inputs<'_>, output: &mut Output<'_>) {
    let score = inputs.first(0).and_then(Scalar::as_number);
    output.text(match (score, inputs.text(1)) {
        (Some(score), _) if score >= 9.0 => "critical",
        (Some(score), _) if score >= 7.0 => "high",
        (Some(score), _) if score >= 4.0 => "medium",
        (Some(score), _) if score > 0.0 => "low",
        (Some(_), _) | (None, Some("none")) => "none",
        (None, Some("error")) => "high",
        (None, Some("note")) => "low",
        // No level means warning.
        (None, _) => "medium",
    });
}

/// The id of a known vulnerability, where a rule is one: `CVE-2026-1234-libssl` → `CVE-2026-1234`.
fn advisory(rule: &str) -> Option<&str> {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    if rule.starts_with("GHSA-") {
        return rule.get(.."GHSA-xxxx-xxxx-xxxx".len());
    }
    let rest = rule.strip_prefix("CVE-")?;
    let year = digits(rest);
    let number = digits(rest.get(year..)?.strip_prefix('-')?);
    (year == 4 && number >= 4).then(|| rule.get(.."CVE-".len() + year + 1 + number))?
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use model::Event;

    use super::*;
    use crate::decode_one;

    fn scan(run: &str) -> Vec<Event> {
        let log = format!(
            r#"{{"version":"2.1.0","runs":[{{"tool":{{"driver":{{"name":"CodeQL"}}}},"automationDetails":{{"id":"sast/main"}},
            "invocations":[{{"executionSuccessful":true,"endTimeUtc":"2026-09-01T10:00:00Z"}}],
            "versionControlProvenance":[{{"repositoryUri":"https://github.com/Acme/App","revisionId":"AB12","branch":"main"}}],{run}}}]}}"#
        );
        decode_one(&FORMAT, &Arc::from("sarif"), &log).unwrap()
    }

    #[test]
    fn the_table_fills_model_fields_once() {
        crate::format::fill::tests::check(ROWS);
    }

    #[test]
    fn a_run_and_its_results_are_events() {
        let events = scan(
            r#""results":[{"ruleId":"js/sql-injection","level":"error","message":{"text":"x"}},
            {"ruleId":"CVE-2026-12345-libssl","properties":{"security-severity":"9.8"}},
            {"rule":{"id":"GHSA-aaaa-bbbb-cccc"},"suppressions":[{"kind":"external","status":"accepted"}]},
            {"ruleId":"style","kind":"pass"}]"#,
        );
        let told: Vec<_> = events
            .iter()
            .map(|event| (event.class.unwrap().name(), event.action.as_deref().unwrap(), event.outcome.name()))
            .collect();
        assert_eq!(
            told,
            [
                ("scan.result", "finished", "failure"),
                ("scan.finding", "opened", "unknown"),
                ("vuln.finding", "opened", "unknown"),
                ("vuln.finding", "dismissed", "unknown"),
            ]
        );
        let run = "2026-09-01T10:00:00Z:CodeQL:sast/main:AB12";
        assert_eq!(events[0].id.as_deref(), Some(run));
        assert_eq!(events[2].id.as_deref(), Some(format!("{run}:1").as_str()));
        for event in &events {
            assert_eq!(event.fields["tool"], "codeql");
            assert_eq!(event.fields["prov.repo"], "github.com/acme/app");
            assert_eq!(event.fields["prov.commit"], "ab12");
            assert_eq!(event.fields["prov.ref"], "refs/heads/main");
            assert_eq!(event.time.unwrap().to_string(), "2026-09-01T10:00:00.000Z");
        }
        assert_eq!((&events[0].fields["kind"], &events[1].fields["kind"]), (&"sast".into(), &"sast".into()));
        assert_eq!((&events[1].fields["rule"], &events[1].fields["sev"]), (&"js/sql-injection".into(), &"high".into()));
        assert_eq!(
            (&events[2].fields["cve"], &events[2].fields["sev"]),
            (&"CVE-2026-12345".into(), &"critical".into())
        );
        assert_eq!(events[3].fields["dismissed"], true);
    }

    #[test]
    fn a_clean_scan_is_a_scan_too() {
        for results in [r#""results":[]"#, r#""results":null"#, r#""columnKind":"utf16CodeUnits""#] {
            let events = scan(results);
            assert_eq!(events.len(), 1, "{results}");
            assert_eq!(events[0].outcome, Verdict::Success, "{results}");
        }
    }

    #[test]
    fn advisories_are_told_from_rules() {
        assert_eq!(advisory("CVE-2021-3711"), Some("CVE-2021-3711"));
        assert_eq!(advisory("CVE-21-3711"), None);
        assert_eq!(advisory("GHSA-abcd-efgh-ijkl-name"), Some("GHSA-abcd-efgh-ijkl"));
        assert_eq!(advisory("GHSA-"), None);
        assert_eq!(advisory("py/path-injection"), None);
    }
}
