//! Documents tried on timelines: what proofs of rules that look at several events are judged by.
//!
//! The same judge and the same pipeline as in a run, with one source and an end of input that lets every deadline run.
//! Formats are told by content, record by record. Must never make an event late that stands in a case.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ingest::TimePolicy;
use model::{AlertState, RedactionKey, Timestamp, Urgency};
use rules::Lists;
use rules::parse::Loaded;
use rules::proof::Spoken;
use sinks::{IncidentLimits, Limits, Mode};

use crate::engine::{Engine, Keys, Reading, Speaks, guessable};
use crate::judge::{Fate, Judge, Judgement};
use crate::pipeline::{Outlets, Pipeline, Settings};
use crate::repeating;
use crate::ruleset::RuleSet;

/// Name of the source that tells the records.
pub const SOURCE: &str = "proof";

/// Longer than any window: nothing that stands in a case is late.
const TIME: TimePolicy = TimePolicy { lateness_ms: 3_650 * 86_400_000, duplicates_max: 1_000_000 };

/// What a case may hold.
const MOST: usize = 1_000_000;

/// Tries the documents in each case, each with nothing remembered: where the rules that speak send their alerts, by id.
///
/// # Errors
/// When the documents cannot be compiled, or the pipeline fails.
pub fn spoken(documents: Loaded, cases: &[&str], lists: Lists) -> Result<Vec<Spoken>, String> {
    let reading = Reading {
        source: SOURCE.into(),
        speaks: Speaks::Guess(guessable()),
        logsource: None,
        time: Vec::new(),
        id: Vec::new(),
        classes: None,
        trust: None,
        lineage: false,
    };
    let rules = Arc::new(RuleSet::of_documents(documents));
    let engine = Engine::new(reading, rules, Arc::new(lists), None, Keys::of_replay());
    let engine = Arc::new(engine.map_err(|error| error.to_string())?);
    let mut judge = Judge::new(engine.clone());
    cases.iter().map(|case| tell(&engine, &mut judge, case)).collect()
}

/// Tells one case from its first record to its end.
fn tell(engine: &Arc<Engine>, judge: &mut Judge, case: &str) -> Result<Spoken, String> {
    let records = match repeating::records(case) {
        Ok(records) => records,
        Err(why) => return Ok(Err(why)),
    };
    let settings = Settings {
        mode: Mode::Alerts,
        merge: false,
        id_reuse: false,
        limits: Limits {
            open_alerts_max: MOST,
            findings_waiting_max: MOST,
            occurrences_waiting_max: MOST,
            silences_max: MOST,
        },
        correlations: rules::correlation::Limits { keys_max: MOST },
        lineage: None,
        incidents: IncidentLimits::DEFAULT,
        since: Timestamp::MIN,
        end: Timestamp::MIN,
        redaction: RedactionKey::default(),
    };
    let mut pipeline = Pipeline::new(settings, vec![(engine.clone(), TIME)], Outlets::default(), None)
        .map_err(|error| error.to_string())?;
    pipeline.add_partition(0, SOURCE);
    let Some(partition) = pipeline.partition(0, 0).cloned() else { return Err("no partition".to_owned()) };
    for (at, record) in records.iter().enumerate() {
        let mut judgements: Vec<Judgement> = Vec::new();
        judge.record(record.as_bytes(), 0..record.len(), &partition, at as i64, &mut judgements);
        for judgement in &judgements {
            if let Fate::Invalid(reason) = &judgement.fate {
                return Ok(Err(format!("record {} cannot be read: {}", at + 1, reason.name())));
            }
        }
        let taken = pipeline.take(0, 0, record.as_bytes(), &mut judgements, None);
        taken.map_err(|error| error.to_string())?;
    }
    pipeline.complete(0, 0, Timestamp::MAX);
    pipeline.advance().and_then(|()| pipeline.settle()).map_err(|error| error.to_string())?;
    let firing = pipeline.told().iter().filter(|(_, told)| told.states.contains_key(&AlertState::Firing));
    let urgencies = |pages: u64, tickets: u64| {
        let told = [(Urgency::Page, pages), (Urgency::Ticket, tickets)];
        told.into_iter().filter(|(_, count)| *count > 0).map(|(urgency, _)| urgency).collect::<BTreeSet<_>>()
    };
    let spoken: BTreeMap<_, _> = firing.map(|(id, told)| (id.clone(), urgencies(told.pages, told.tickets))).collect();
    Ok(Ok(spoken))
}
