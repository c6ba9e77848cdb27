//! Metrics of lineage and incidents.
//!
//! Must never count anything itself: it shows what the pipeline has counted.

use prometheus::IntGauge;

use crate::told::Held;

/// See the module.
#[derive(Debug)]
pub(super) struct JoinedMetrics(Vec<(IntGauge, Counted)>);

/// Where the pipeline counts something.
type Counted = fn(&Held) -> u64;

/// Name, help, and where the pipeline counts it.
type Row = (&'static str, &'static str, Counted);

const ROWS: [Row; 14] = [
    ("pipewarden_lineage_halves", "Edges of lineage under their ends: twice their number.", |of| {
        of.lineage.halves as u64
    }),
    ("pipewarden_lineage_evicted", "Halves of edges given up because lineage_edges_max was reached.", |of| {
        of.lineage.evicted[0]
    }),
    ("pipewarden_lineage_purls_evicted", "Halves of packages' edges given up at lineage_purl_edges_max.", |of| {
        of.lineage.evicted[1]
    }),
    ("pipewarden_lineage_asks_cut", "Questions of rules to lineage that a limit cut short.", |of| of.lineage.asks_cut),
    ("pipewarden_lineage_cut", "Edges left out because one event had too many.", |of| of.lineage.cut),
    ("pipewarden_lineage_waiting", "Events that wait to go into lineage.", |of| of.lineage.waiting as u64),
    ("pipewarden_lineage_early", "Events that went in early because lineage_waiting_max was reached.", |of| {
        of.lineage.early
    }),
    ("pipewarden_lineage_forgotten", "Events of alerts forgotten because lineage_evidence_max was reached.", |of| {
        of.lineage.forgotten
    }),
    ("pipewarden_incidents", "Open incidents.", |of| of.joined.of.open as u64),
    ("pipewarden_incidents_waiting", "Alerts that wait for their incident.", |of| of.joined.waiting as u64),
    ("pipewarden_incidents_evicted", "Incidents closed because incidents_max was reached.", |of| of.joined.of.evicted),
    ("pipewarden_incidents_merged", "Incidents that became one with an older one.", |of| of.joined.of.merged),
    ("pipewarden_incident_pages_folded", "Pages that nobody was told of because they joined an incident.", |of| {
        of.joined.of.folded
    }),
    ("pipewarden_incident_cut", "Alerts, joints and walks cut at a limit of incidents.", |of| {
        of.joined.of.cut + of.joined.cut
    }),
];

impl JoinedMetrics {
    pub(super) fn new(
        gauge: impl Fn(&str, &str) -> Result<IntGauge, prometheus::Error>,
    ) -> Result<JoinedMetrics, prometheus::Error> {
        let made = ROWS.iter().map(|(name, help, of)| Ok((gauge(name, help)?, *of)));
        made.collect::<Result<_, prometheus::Error>>().map(JoinedMetrics)
    }

    pub(super) fn update(&self, held: &Held) {
        self.0.iter().for_each(|(gauge, of)| gauge.set(of(held) as i64));
    }
}
