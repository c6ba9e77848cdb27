//! How good the detectors are: labelled anomalies put into made-up histories, each detector beside the naive way.
//!
//! Everything comes of a seed. Incidents are scored, not points: an alert is true when its key matches and it lies within the
//! labelled time. Must never let a detector see ahead: events go in in order, and buckets close as they come due.

mod counting;
mod generator;
pub mod nab;
mod peers;
mod terms;

use detectors::{Limits, detector};
use model::{Detector, DetectorSpec, Evidence, Observation, Sha256, Standing, Timestamp, Told};
use std::sync::Arc;

pub use generator::Random;

/// One row of the table.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Detector, or the naive way.
    pub who: String,
    /// Alerts that were true, of all.
    pub precision: f64,
    /// Incidents that were found, of all.
    pub recall: f64,
    /// False alarms per key and week (first seen: a day, for all repositories).
    pub false_alarms: f64,
    /// Median minutes from the start of an incident to its first alert.
    pub minutes: Option<f64>,
    /// What it must reach, and whether it does. None: it is here for comparison.
    pub bar: Option<(String, bool)>,
}

/// How much is evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Keys whose counts are evaluated.
    pub keys: usize,
    /// Weeks of them.
    pub weeks: usize,
    /// Repositories whose first sights are evaluated.
    pub repositories: usize,
    /// Jobs that are held against their peers.
    pub jobs: usize,
}

impl Size {
    /// What docs/detectors.md shows.
    pub const FULL: Size = Size { keys: 200, weeks: 12, repositories: 300, jobs: 20_000 };

    /// What a test has time for.
    pub const SMALL: Size = Size { keys: 25, weeks: 8, repositories: 60, jobs: 4_000 };
}

/// Every row.
pub fn evaluate(size: Size, seed: u64) -> Vec<Row> {
    let mut rows = counting::rows(size, seed);
    rows.extend(terms::rows(size, seed));
    rows.extend(peers::rows(size, seed));
    rows
}

/// The rows as a table of Markdown.
pub fn table(rows: &[Row]) -> String {
    let mut text =
        "| detector | precision | recall | false alarms | median time to detect | bar |\n|---|---|---|---|---|---|\n"
            .to_owned();
    for row in rows {
        let minutes = row.minutes.map_or("".to_owned(), |minutes| format!("{minutes:.0} min"));
        let bar = row
            .bar
            .as_ref()
            .map_or(String::new(), |(words, is_met)| format!("{words}: {}", if *is_met { "met" } else { "MISSED" }));
        text.push_str(&format!(
            "| {} | {:.2} | {:.2} | {:.3} | {minutes} | {bar} |\n",
            row.who, row.precision, row.recall, row.false_alarms
        ));
    }
    text
}

/// A detector that is driven as the engine drives one.
pub struct Driven {
    of: Box<dyn Detector>,
    evidence: Arc<Evidence>,
    /// What closes told, of what is to be told.
    pub told: Vec<Told>,
}

impl Driven {
    /// Nothing is known yet.
    pub fn new(spec: &DetectorSpec) -> Driven {
        let evidence = Arc::new(Evidence { id: "e".into(), sha256: Sha256::of(b"e") });
        Driven { of: detector(spec, Limits { keys_max: 100_000 }), evidence, told: Vec::new() }
    }

    /// Closes what is due before events of a time.
    pub fn until(&mut self, at: i64) {
        if self.of.due().is_some_and(|due| due.ms() <= at) {
            let told = self.of.close(Timestamp::from_ms(at));
            self.told.extend(told.into_iter().filter(|told| told.anomaly.standing == Standing::Active));
        }
    }

    /// An event; its value where it is remarkable and to be told.
    pub fn event(&mut self, at: i64, texts: &[&str]) -> Option<f64> {
        self.until(at);
        let fields: Vec<Vec<&str>> =
            texts.iter().map(|text| if text.is_empty() { vec![] } else { vec![*text] }).collect();
        let observation =
            Observation { at: Timestamp::from_ms(at), texts: &fields, teaches: true, evidence: &self.evidence };
        self.of.observe(&observation).filter(|found| found.standing == Standing::Active).map(|found| found.value)
    }
}

/// The median; None of nothing.
pub fn median(mut of: Vec<f64>) -> Option<f64> {
    of.sort_by(f64::total_cmp);
    of.get(of.len() / 2).copied()
}
