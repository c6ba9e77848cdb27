//! Metrics of a worker, by name: every one is registered here and nowhere else.
//!
//! Counters follow the pipeline's own books; nothing is counted twice, and nothing here decides anything.

mod joined;
mod objectives;

use std::collections::BTreeMap;

use ingest::enrich::Missed;
use model::{Invalid, Ledger, Partition, Timestamp, Urgency};
use prometheus::{IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry};

use crate::pipeline::Pipeline;
use crate::run::Cost;
use crate::told::Held;
use joined::JoinedMetrics;
use objectives::ObjectiveMetrics;

/// What becomes of a reload.
const RELOADS: [&str; 2] = ["ok", "refused"];

/// What becomes of what a rule remembers when other rules take effect.
const STATES: [&str; 2] = ["kept", "begun"];

/// What became of what rules remember; there from the start.
fn states(registry: &Registry) -> Result<IntCounterVec, prometheus::Error> {
    let help = "Rules that remember, when other rules took effect: they go on with what they had, or begin.";
    let states = IntCounterVec::new(Opts::new("pipewarden_rule_states_total", help), &["result"])?;
    registry.register(Box::new(states.clone()))?;
    STATES.iter().for_each(|result| states.with_label_values(&[*result]).inc_by(0));
    Ok(states)
}

/// The worker's metrics.
#[derive(Debug)]
pub struct Metrics {
    records: IntCounterVec,
    events: IntCounterVec,
    invalid: IntCounterVec,
    alerts: IntCounterVec,
    watermark: IntGaugeVec,
    heard: Heard,
    position: IntGaugeVec,
    waiting: IntGauge,
    lost: IntGaugeVec,
    correlations: Correlations,
    snapshots: Kept,
    silences: Silences,
    joined: JoinedMetrics,
    /// Of indicators and objectives.
    pub objectives: ObjectiveMetrics,
    open_alerts: IntGauge,
    evicted: IntGauge,
    forgotten: IntGauge,
    rules: IntGauge,
    refused: IntGauge,
    reloads: IntCounterVec,
    states: IntCounterVec,
    misses: IntCounterVec,
    booked: BTreeMap<Partition, Ledger>,
    told: BTreeMap<(String, &'static str), u64>,
}

/// What correlations hold and lose.
#[derive(Debug)]
struct Correlations {
    waiting: IntGauge,
    lost: IntGauge,
    keys: IntGauge,
    evicted: IntGauge,
    keyless: IntGauge,
}

impl Correlations {
    fn new(
        gauge: impl Fn(&str, &str) -> Result<IntGauge, prometheus::Error>,
    ) -> Result<Correlations, prometheus::Error> {
        Ok(Correlations {
            waiting: gauge("pipewarden_occurrences_waiting", "Events that correlations wait for.")?,
            lost: gauge(
                "pipewarden_occurrences_lost",
                "Such events lost because occurrences_waiting_max was reached.",
            )?,
            keys: gauge("pipewarden_correlation_keys", "Groups that correlations and detectors hold.")?,
            evicted: gauge("pipewarden_correlation_keys_evicted", "Groups given up because keys_max was reached.")?,
            keyless: gauge(
                "pipewarden_correlation_keyless",
                "Events that lacked a field of a group, by correlation summed.",
            )?,
        })
    }

    fn update(&self, held: &Held) {
        self.waiting.set(held.waiting_events as i64);
        self.lost.set(held.lost_events as i64);
        self.keys.set(held.remembered.keys as i64);
        self.evicted.set(held.remembered.evicted as i64);
        self.keyless.set(held.remembered.keyless as i64);
    }
}

/// What is heard beside events: how sources are, and lists.
#[derive(Debug)]
struct Heard {
    unhealthy: IntGaugeVec,
    lists: IntCounterVec,
}

impl Heard {
    fn new(
        gauges: impl Fn(&str, &str, &[&str]) -> Result<IntGaugeVec, prometheus::Error>,
        counter: impl Fn(&str, &str, &[&str]) -> Result<IntCounterVec, prometheus::Error>,
    ) -> Result<Heard, prometheus::Error> {
        Ok(Heard {
            unhealthy: gauges(
                "pipewarden_source_unhealthy",
                "1 where a source is known not to be heard: deadlines of what it should say wait.",
                &["source"],
            )?,
            lists: counter(
                "pipewarden_list_records_total",
                "Records of topics that lists come from, by list and what became of them.",
                &["list", "result"],
            )?,
        })
    }
}

/// What keeping the state costs.
#[derive(Debug)]
struct Kept {
    bytes: IntGauge,
    milliseconds: IntGauge,
    total: IntCounterVec,
}

impl Kept {
    fn new(
        gauge: impl Fn(&str, &str) -> Result<IntGauge, prometheus::Error>,
        total: IntCounterVec,
    ) -> Result<Kept, prometheus::Error> {
        ["ok", "failed"].iter().for_each(|result| total.with_label_values(&[*result]).inc_by(0));
        Ok(Kept {
            bytes: gauge("pipewarden_snapshot_bytes", "Length of the last snapshot.")?,
            milliseconds: gauge("pipewarden_snapshot_milliseconds", "How long the worker stood still for it.")?,
            total,
        })
    }
}

/// What announcements keep from being told.
#[derive(Debug)]
struct Silences {
    held: IntGauge,
    findings: IntGauge,
    evicted: IntGauge,
    late: IntGauge,
}

impl Silences {
    fn new(gauge: impl Fn(&str, &str) -> Result<IntGauge, prometheus::Error>) -> Result<Silences, prometheus::Error> {
        Ok(Silences {
            held: gauge("pipewarden_silences", "Announcements that are held.")?,
            findings: gauge("pipewarden_findings_silenced", "Findings not told because an announcement covers them.")?,
            evicted: gauge(
                "pipewarden_silences_evicted",
                "Announcements given up because silences_max was reached: alerts are told.",
            )?,
            late: gauge("pipewarden_silences_late", "Announcements that came too late to silence anything.")?,
        })
    }

    fn update(&self, held: &Held) {
        self.held.set(held.silenced.held as i64);
        self.findings.set(held.silenced.findings as i64);
        self.evicted.set(held.silenced.evicted as i64);
        self.late.set(held.silenced.late as i64);
    }
}

impl Metrics {
    /// Registers all metrics.
    ///
    /// # Errors
    /// When a name is registered already.
    pub fn new(registry: &Registry) -> Result<Metrics, prometheus::Error> {
        let counter = |name: &str, help: &str, labels: &[&str]| -> Result<IntCounterVec, prometheus::Error> {
            let counter = IntCounterVec::new(Opts::new(name, help), labels)?;
            registry.register(Box::new(counter.clone()))?;
            Ok(counter)
        };
        let gauges = |name: &str, help: &str, labels: &[&str]| -> Result<IntGaugeVec, prometheus::Error> {
            let gauge = IntGaugeVec::new(Opts::new(name, help), labels)?;
            registry.register(Box::new(gauge.clone()))?;
            Ok(gauge)
        };
        let gauge = |name: &str, help: &str| -> Result<IntGauge, prometheus::Error> {
            let gauge = IntGauge::new(name, help)?;
            registry.register(Box::new(gauge.clone()))?;
            Ok(gauge)
        };
        let by = ["source", "partition", "outcome"];
        let reloads = counter("pipewarden_reloads_total", "Times that rules and lists were read again.", &["result"])?;
        // There from the start: what appears with its first increase looks like no increase.
        RELOADS.iter().for_each(|result| reloads.with_label_values(&[*result]).inc_by(0));
        let misses = counter(
            "pipewarden_enrichment_misses_total",
            "Events of which a rule wanted what no table knows, by table.",
            &["table"],
        )?;
        let snapshots = counter("pipewarden_snapshots_total", "Snapshots of the state.", &["result"])?;
        Missed::tables().for_each(|table| misses.with_label_values(&[table]).inc_by(0));
        Ok(Metrics {
            records: counter(
                "pipewarden_records_total",
                "Records by their single outcome; `read` is all of them.",
                &by,
            )?,
            events: counter("pipewarden_events_total", "Events by their single outcome; `seen` is all of them.", &by)?,
            invalid: counter(
                "pipewarden_invalid_records_total",
                "Invalid records by reason.",
                &["source", "partition", "reason"],
            )?,
            alerts: counter("pipewarden_alert_records_total", "Sealed records by rule and state.", &["rule", "state"])?,
            watermark: gauges(
                "pipewarden_watermark_milliseconds",
                "Watermark of a source, milliseconds since the epoch.",
                &["source"],
            )?,
            heard: Heard::new(gauges, counter)?,
            position: gauges("pipewarden_position", "Offset of the next record.", &["source", "partition"])?,
            waiting: gauge("pipewarden_findings_waiting", "Findings that wait for their cursor.")?,
            lost: gauges(
                "pipewarden_findings_lost",
                "Findings lost because findings_waiting_max was reached.",
                &["urgency"],
            )?,
            correlations: Correlations::new(gauge)?,
            snapshots: Kept::new(gauge, snapshots)?,
            silences: Silences::new(gauge)?,
            joined: JoinedMetrics::new(gauge)?,
            objectives: ObjectiveMetrics::new(registry)?,
            open_alerts: gauge("pipewarden_open_alerts", "Open alerts.")?,
            evicted: gauge("pipewarden_open_alerts_evicted", "Alerts closed because open_alerts_max was reached.")?,
            forgotten: gauge("pipewarden_duplicates_forgotten", "Ids forgotten because duplicates_max was reached.")?,
            rules: gauge("pipewarden_rules_loaded", "Rules that run.")?,
            refused: gauge("pipewarden_rules_refused", "Rules that were refused.")?,
            reloads,
            states: states(registry)?,
            misses,
            booked: BTreeMap::new(),
            told: BTreeMap::new(),
        })
    }

    /// Says how many rules run.
    pub fn rules(&self, loaded: usize, refused: usize) {
        self.rules.set(loaded as i64);
        self.refused.set(refused as i64);
    }

    /// Rules and lists were read again: the new ones run, or they were refused.
    pub fn reloaded(&self, ok: bool) {
        let [good, refused] = RELOADS;
        self.reloads.with_label_values(&[if ok { good } else { refused }]).inc();
    }

    /// Other rules took effect: of those that remember, so many went on, and so many began.
    pub fn begun(&self, kept: usize, begun: usize) {
        for (result, rules) in STATES.iter().zip([kept, begun]) {
            self.states.with_label_values(&[*result]).inc_by(rules as u64);
        }
    }

    /// The state was kept; None: it could not be, because not every rule file could be read.
    pub fn kept(&self, cost: Option<Cost>) {
        let Some(Cost { bytes, seconds }) = cost else { return };
        self.snapshots.bytes.set(bytes as i64);
        self.snapshots.milliseconds.set((seconds * 1e3) as i64);
        self.snapshots.total.with_label_values(&["ok"]).inc();
    }

    /// The state could not be written.
    pub fn not_kept(&self) {
        self.snapshots.total.with_label_values(&["failed"]).inc();
    }

    /// A record of a topic that a list comes from was read.
    pub fn list(&self, list: &str, result: &str) {
        self.heard.lists.with_label_values(&[list, result]).inc();
    }

    /// Says whether a source can be heard.
    pub fn health(&self, source: &str, is_unhealthy: bool) {
        self.heard.unhealthy.with_label_values(&[source]).set(i64::from(is_unhealthy));
    }

    /// Says how far a partition has been read.
    pub fn position(&self, source: &str, partition: &str, next: i64) {
        self.position.with_label_values(&[source, partition]).set(next);
    }

    /// Brings everything up to date with the pipeline's books.
    pub fn update(&mut self, pipeline: &Pipeline, sources: &[String]) {
        for (partition, ledger) in pipeline.ledgers() {
            let before = self.booked.insert(partition.clone(), *ledger).unwrap_or_default();
            self.book(partition, &before, ledger);
        }
        for (rule, told) in pipeline.told() {
            for (state, count) in &told.states {
                let before = self.told.insert((rule.clone(), state.name()), *count).unwrap_or(0);
                self.alerts.with_label_values(&[rule.as_str(), state.name()]).inc_by(count - before);
            }
        }
        for (table, count) in pipeline.misses().counts() {
            let counter = self.misses.with_label_values(&[table]);
            counter.inc_by(count - counter.get());
        }
        for (at, source) in sources.iter().enumerate() {
            let watermark = pipeline.watermark(at);
            if watermark != Timestamp::MIN && watermark != Timestamp::MAX {
                self.watermark.with_label_values(&[source.as_str()]).set(watermark.ms());
            }
        }
        let held = pipeline.held();
        self.waiting.set(held.waiting as i64);
        for (urgency, lost) in [(Urgency::Page, held.lost.pages), (Urgency::Ticket, held.lost.tickets)] {
            let gauge = self.lost.with_label_values(&[urgency.name()]);
            if lost > gauge.get() as u64 {
                tracing::warn!(
                    "findings_waiting_max: {lost} findings were lost so far ({}; hint: a source whose watermark stands \
                     still, or a flood under one key; raise the limit where memory allows)",
                    urgency.name()
                );
            }
            gauge.set(lost as i64);
        }
        self.correlations.update(&held);
        self.silences.update(&held);
        self.joined.update(&held);
        self.open_alerts.set(held.open_alerts as i64);
        self.evicted.set(held.evicted as i64);
        self.forgotten.set(held.forgotten as i64);
    }

    fn book(&self, partition: &Partition, before: &Ledger, now: &Ledger) {
        let (source, name) = (partition.source.as_ref(), partition.name.as_ref());
        let (r, b) = (&now.records, &before.records);
        let records = [
            ("read", r.read - b.read),
            ("decoded", r.decoded - b.decoded),
            ("filtered", r.filtered - b.filtered),
            ("invalid", r.invalid - b.invalid),
            ("dropped", r.dropped - b.dropped),
        ];
        for (outcome, more) in records {
            self.records.with_label_values(&[source, name, outcome]).inc_by(more);
        }
        let (e, b) = (&now.events, &before.events);
        let events = [
            ("seen", e.seen - b.seen),
            ("accepted", e.accepted - b.accepted),
            ("late", e.late - b.late),
            ("duplicate", e.duplicate - b.duplicate),
            ("dropped", e.dropped - b.dropped),
        ];
        for (outcome, more) in events {
            self.events.with_label_values(&[source, name, outcome]).inc_by(more);
        }
        for ((reason, count), before) in Invalid::ALL.iter().zip(now.invalid).zip(before.invalid) {
            if count > before {
                self.invalid.with_label_values(&[source, name, reason.name()]).inc_by(count - before);
            }
        }
    }
}
