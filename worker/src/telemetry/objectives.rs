//! Metrics of indicators and objectives: the counters that recording rules read, and what this worker itself has judged.
//!
//! Must never take a counter back: what a late event corrects is counted beside it.

use prometheus::{Error, GaugeVec, IntCounterVec, Opts, Registry};
use slis::live::{LiveValues, ObjectiveSet};

/// See the module.
#[derive(Debug)]
pub struct ObjectiveMetrics {
    good: IntCounterVec,
    total: IntCounterVec,
    good_corrected: IntCounterVec,
    total_corrected: IntCounterVec,
    objective: GaugeVec,
    burn_rate: GaugeVec,
    budget_left: GaugeVec,
    as_of: GaugeVec,
}

impl ObjectiveMetrics {
    /// Registers them.
    ///
    /// # Errors
    /// When a name is taken.
    pub fn new(registry: &Registry) -> Result<ObjectiveMetrics, Error> {
        let counter = |name: &str, help: &str| -> Result<IntCounterVec, Error> {
            let counter = IntCounterVec::new(Opts::new(name, help), &["indicator", "team", "environment"])?;
            registry.register(Box::new(counter.clone()))?;
            Ok(counter)
        };
        let gauge = |name: &str, help: &str, labels: &[&str]| -> Result<GaugeVec, Error> {
            let gauge = GaugeVec::new(Opts::new(name, help), labels)?;
            registry.register(Box::new(gauge.clone()))?;
            Ok(gauge)
        };
        Ok(ObjectiveMetrics {
            good: counter("pipewarden_sli_good_total", "Events that an indicator counted as good.")?,
            total: counter("pipewarden_sli_total", "Events that an indicator counted.")?,
            good_corrected: counter(
                "pipewarden_sli_good_corrections_total",
                "Good ones among them that later events took back.",
            )?,
            total_corrected: counter("pipewarden_sli_corrections_total", "Events that later ones took back.")?,
            objective: gauge("pipewarden_slo_objective", "Share that should be good.", &["slo"])?,
            burn_rate: gauge(
                "pipewarden_slo_burn_rate",
                "How fast the budget burns over a window: 1 spends it in its period.",
                &["slo", "key", "window"],
            )?,
            budget_left: gauge(
                "pipewarden_slo_budget_left",
                "Share of the period's budget that is left.",
                &["slo", "key"],
            )?,
            as_of: gauge("pipewarden_slo_as_of_seconds", "The minute's close that was judged last.", &[])?,
        })
    }

    /// Shows what is known now.
    pub fn update(&self, set: &ObjectiveSet, values: &LiveValues) {
        for ((indicator, team, environment), counted) in &values.counters {
            let labels: [&str; 3] = [indicator, team, environment];
            let all = [
                (&self.good, counted.good),
                (&self.total, counted.total),
                (&self.good_corrected, counted.good_corrected),
                (&self.total_corrected, counted.total_corrected),
            ];
            for (counter, now) in all {
                let counter = counter.with_label_values(&labels);
                counter.inc_by(now.saturating_sub(counter.get()));
            }
        }
        for (slo, percent) in set.objectives() {
            self.objective.with_label_values(&[slo]).set(percent / 100.0);
        }
        // What is no longer judged has no rate: it must not stand at its last one.
        self.burn_rate.reset();
        self.budget_left.reset();
        for burns in &values.burns {
            let (slo, key) = (burns.slo.as_str(), &*burns.key);
            for (length_ms, rate) in &burns.rates {
                let window = slis::live::span(*length_ms);
                self.burn_rate.with_label_values(&[slo, key, window.as_str()]).set(*rate);
            }
            if let Some(left) = burns.budget_left {
                self.budget_left.with_label_values(&[slo, key]).set(left);
            }
        }
        if let Some(as_of) = values.as_of {
            self.as_of.with_label_values::<&str>(&[]).set(as_of.ms() as f64 / 1e3);
        }
    }
}
