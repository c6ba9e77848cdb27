//! `limits`: what the rules that read the same sources may hold, and its defaults.
//!
//! Must never leave anything without a limit.

use model::parse_span_ms;
use sinks::IncidentLimits;

use super::yaml::Section;
use crate::pipeline::LineageLimits;

/// How often the state is kept.
pub(super) fn snapshot_every_ms(root: &Section<'_>) -> i64 {
    root.parsed("snapshot_every", parse_span_ms, "a span like 10s").unwrap_or(10_000)
}

/// Open alerts, and what waits for its cursor.
pub(super) fn of_lanes(limits: &Section<'_>) -> sinks::Limits {
    let limit = |name, default| limits.parsed(name, positive, "a number above 0").unwrap_or(default);
    sinks::Limits {
        open_alerts_max: limit("open_alerts_max", 1_000_000),
        findings_waiting_max: limit("findings_waiting_max", 500_000),
        occurrences_waiting_max: limit("occurrences_waiting_max", 1_000_000),
        silences_max: limit("silences_max", 10_000),
    }
}

/// What lineage and incidents hold.
pub(super) fn of_lineage(limits: &Section<'_>) -> (LineageLimits, IncidentLimits) {
    let (mut of, mut incidents) = (LineageLimits::DEFAULT, IncidentLimits::DEFAULT);
    let limit = |name, default| limits.parsed(name, positive, "a number above 0").unwrap_or(default);
    of.table.edges_max = limit("lineage_edges_max", of.table.edges_max);
    of.table.purl_edges_max = limit("lineage_purl_edges_max", of.table.purl_edges_max);
    of.table.degree_max = limit("degree_max", of.table.degree_max);
    of.waiting_max = limit("lineage_waiting_max", of.waiting_max);
    of.evidence_max = limit("lineage_evidence_max", of.evidence_max);
    incidents.incidents_max = limit("incidents_max", incidents.incidents_max);
    incidents.members_max = limit("incident_members_max", incidents.members_max);
    (of, incidents)
}

/// What correlations remember.
pub(super) fn of_correlations(limits: &Section<'_>) -> rules::correlation::Limits {
    rules::correlation::Limits {
        keys_max: limits.parsed("keys_max", positive, "a number above 0").unwrap_or(1_000_000),
    }
}

pub(super) fn positive(text: &str) -> Option<usize> {
    text.parse().ok().filter(|&n| n > 0)
}
