//! What a replay says when it is done: what became of every record and event, what was told, how fast.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::ExitCode;

use comfy_table::Table;
use comfy_table::presets::NOTHING;
use ingest::enrich::Misses;
use model::{AlertState, Invalid, Ledger};
use serde_json::{Value as Json, json};
use slis::live::{LiveValues, span};

use super::inputs::Inputs;
use crate::pipeline::{Held, Pipeline, Told};
use crate::ruleset::RuleSet;

/// The figures of a finished replay.
pub(super) struct Summary {
    ledger: Ledger,
    told: Vec<(String, Told)>,
    held: Held,
    misses: Misses,
    loaded: usize,
    refused: Vec<String>,
    skipped: usize,
    problems: Vec<String>,
    seconds: f64,
    objectives: Option<Json>,
}

impl Summary {
    pub(super) fn new(pipeline: &Pipeline, rules: &RuleSet, inputs: &Inputs, seconds: f64) -> Summary {
        Summary {
            ledger: pipeline.total(),
            told: pipeline.told().iter().map(|(id, told)| (id.clone(), told.clone())).collect(),
            held: pipeline.held(),
            misses: pipeline.misses().clone(),
            loaded: rules.rules.len(),
            refused: rules.refused.iter().map(ToString::to_string).collect(),
            skipped: rules.skipped.len(),
            problems: inputs.problems().to_vec(),
            seconds,
            objectives: pipeline.objectives().map(|(_, values)| standing(&values)),
        }
    }

    pub(super) fn exit_code(&self) -> ExitCode {
        for problem in &self.problems {
            tracing::error!("not read: {problem}");
        }
        let (pages, tickets) = (self.held.lost.pages, self.held.lost.tickets);
        if pages + tickets > 0 {
            tracing::warn!(
                "lost at the limit of findings that wait: {pages} of pages, {tickets} of tickets (hint: a smaller --lateness)"
            );
        }
        ExitCode::from(match (self.problems.is_empty(), self.refused.is_empty()) {
            (false, _) => 3,
            (true, false) => 2,
            (true, true) => 0,
        })
    }

    fn per_second(&self) -> f64 {
        if self.seconds > 0.0 { self.ledger.events.seen as f64 / self.seconds } else { 0.0 }
    }

    fn sum(&self, count: impl Fn(&Told) -> u64) -> u64 {
        self.told.iter().map(|(_, told)| count(told)).sum()
    }

    pub(super) fn print_json(&self) -> anyhow::Result<()> {
        let states = |told: &Told| -> serde_json::Map<String, serde_json::Value> {
            told.states.iter().map(|(state, count)| (state.name().to_owned(), json!(count))).collect()
        };
        let by_rule: Vec<_> = self
            .told
            .iter()
            .map(|(id, told)| {
                json!({"id": id, "title": told.title, "pages": told.pages, "tickets": told.tickets, "records": states(told)})
            })
            .collect();
        let invalid: serde_json::Map<String, serde_json::Value> =
            reasons(&self.ledger).map(|(reason, count)| (reason.name().to_owned(), json!(count))).collect();
        let (records, events) = (&self.ledger.records, &self.ledger.events);
        let mut summary = json!({
            "records": {"read": records.read, "decoded": records.decoded, "filtered": records.filtered,
                        "invalid": records.invalid, "dropped": records.dropped},
            "invalid": invalid,
            "events": {"accepted": events.accepted, "late": events.late, "early": events.early,
                       "duplicate": events.duplicate, "dropped": events.dropped},
            "alerts": {"pages": self.sum(|told| told.pages), "tickets": self.sum(|told| told.tickets), "by_rule": by_rule},
            "rules": {"loaded": self.loaded, "refused": self.refused, "skipped": self.skipped},
            "enrichment_misses": self.misses.counts().collect::<BTreeMap<_, _>>(),
            "inputs_not_read": self.problems,
            "silences": {"findings": self.held.silenced.findings, "late": self.held.silenced.late},
            "limits": {"silences_evicted": self.held.silenced.evicted,
                "open_alerts_evicted": self.held.evicted, "findings_lost": self.held.lost.pages + self.held.lost.tickets,
                "occurrences_lost": self.held.lost_events, "keys_evicted": self.held.remembered.evicted,
                "lineage_edges_evicted": self.held.lineage.evicted.iter().sum::<u64>(),
                "lineage_asks_cut": self.held.lineage.asks_cut, "duplicates_forgotten": self.held.forgotten},
            "seconds": self.seconds,
            "events_per_second": self.per_second(),
        });
        if let (Some(summary), Some(objectives)) = (summary.as_object_mut(), &self.objectives) {
            summary.insert("objectives".to_owned(), objectives.clone());
        }
        writeln!(std::io::stdout().lock(), "{summary}")?;
        Ok(())
    }

    pub(super) fn print_table(&self) -> anyhow::Result<()> {
        let (records, events) = (&self.ledger.records, &self.ledger.events);
        let mut counts = Table::new();
        counts.load_style(NOTHING);
        counts.set_header(["records", "read", "decoded", "filtered", "invalid", "dropped"]);
        counts.add_row(numbers([records.read, records.decoded, records.filtered, records.invalid, records.dropped]));
        counts.add_row(["events", "seen", "accepted", "late", "duplicate", "dropped"]);
        counts.add_row(numbers([events.seen, events.accepted, events.late, events.duplicate, events.dropped]));
        let mut alerts = Table::new();
        alerts.load_style(NOTHING);
        alerts.set_header(["alerts by rule", "pages", "tickets", "repeat", "expired", "suppressed"]);
        for (_, told) in &self.told {
            let state = |state| told.states.get(&state).copied().unwrap_or(0);
            let others = [AlertState::Repeat, AlertState::Expired, AlertState::Suppressed].map(state);
            let counts = [&[told.pages, told.tickets][..], &others].concat();
            alerts.add_row(std::iter::once(told.title.clone()).chain(counts.iter().map(ToString::to_string)));
        }
        let mut out = std::io::stdout().lock();
        writeln!(out, "\n{counts}")?;
        if !self.told.is_empty() {
            writeln!(out, "\n{alerts}")?;
        }
        let reasons: Vec<String> =
            reasons(&self.ledger).map(|(reason, count)| format!("{} {count}", reason.name())).collect();
        if !reasons.is_empty() {
            writeln!(out, "\ninvalid: {} (see them with --dead-letters FILE)", reasons.join(", "))?;
        }
        let misses: Vec<String> = self.misses.counts().map(|(table, count)| format!("{table} {count}")).collect();
        if !misses.is_empty() {
            writeln!(out, "\nnot in the tables (events): {}", misses.join(", "))?;
        }
        writeln!(
            out,
            "\n{} rules, {} refused; {} events in {:.2} s, {:.0} events/s",
            self.loaded,
            self.refused.len(),
            events.seen,
            self.seconds,
            self.per_second()
        )?;
        Ok(())
    }
}

/// What objectives came to: what was counted, less what was taken back, and where each stands at the last close.
fn standing(values: &LiveValues) -> Json {
    let net = |all: u64, taken_back: u64| all as i64 - taken_back as i64;
    let counted = values.counters.iter().map(|((indicator, team, environment), of)| {
        json!({"indicator": indicator, "team": team, "environment": environment,
               "good": net(of.good, of.good_corrected), "total": net(of.total, of.total_corrected)})
    });
    let burns = values.burns.iter().map(|of| {
        let rates: BTreeMap<String, f64> = of.rates.iter().map(|(ms, rate)| (span(*ms), *rate)).collect();
        json!({"slo": of.slo, "key": of.key, "burn_rates": rates, "budget_left": of.budget_left,
               "urgency": of.urgency.map(|urgency| urgency.name())})
    });
    json!({"as_of": values.as_of.map(|at| at.to_string()), "counted": counted.collect::<Vec<_>>(),
           "burns": burns.collect::<Vec<_>>()})
}

fn numbers(counts: [u64; 5]) -> impl Iterator<Item = String> {
    std::iter::once(String::new()).chain(counts.map(|count| count.to_string()))
}

fn reasons(ledger: &Ledger) -> impl Iterator<Item = (Invalid, u64)> + '_ {
    Invalid::ALL.into_iter().zip(ledger.invalid).filter(|(_, count)| *count > 0)
}
