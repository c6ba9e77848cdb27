//! What a rule asks of things that are learned over days: new terms (E4), detectors (E6) and risk (E11).
//!
//! Must never hold what has been learned: that is state of a run.

use model::DetectorSpec;

use crate::where_expr::Where;

/// `x-new-terms` (E4): the rule holds when its detection matches and the tuple of fields is new.
#[derive(Debug, Clone, PartialEq)]
pub struct NewTerms {
    /// The fields of the tuple.
    pub fields: Vec<String>,
    /// How long a tuple is known after it was last seen, in milliseconds.
    pub memory_ms: i64,
    /// How common the tuple may be among others.
    pub prevalence: Option<Prevalence>,
    /// Events of the first field's value before the rule may hold.
    pub warmup_events: u64,
    /// Days of the first field's value before the rule may hold.
    pub warmup_days: u64,
    /// The rule is silent while more than this part of tuples is new, 0 to 1.
    pub novelty_max: Option<f64>,
    /// How long a new tuple waits before it counts as known, in milliseconds.
    pub quarantine_ms: i64,
}

/// `x-new-terms.prevalence`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prevalence {
    /// The field whose values are counted.
    pub over: String,
    /// The tuple has been seen with fewer values than this.
    pub below: u64,
}

/// `x-risk` of a correlation (E11): how the risk of alerts adds up.
#[derive(Debug, Clone, PartialEq)]
pub struct RiskSum {
    /// After so many milliseconds a weight counts half. None: it does not fade.
    pub half_life_ms: Option<i64>,
    /// A rule counts once, with its greatest weight.
    pub cap_per_detector: bool,
    /// Fewer rules than this never suffice.
    pub detectors_min: u64,
    /// Alerts of fewer classes than this never suffice.
    pub classes_min: u64,
}

/// `x-detector` (E6): the rule holds where the detector finds remarkable what the events show at which the detection matches.
#[derive(Debug, Clone, PartialEq)]
pub struct DetectorUse {
    /// Name of the algorithm, as the rule has it.
    pub algo: String,
    /// Which detector, with its parameters.
    pub spec: DetectorSpec,
    /// Fields of the key: an event that lacks one is not observed. Empty: the detector knows no keys.
    pub key: Vec<String>,
    /// What it observes of an event, in the order that the detector states.
    pub observed: Vec<Observed>,
    /// The key is a source, and its silence says that it cannot be heard.
    pub is_health: bool,
}

/// One part of what a detector observes of an event.
#[derive(Debug, Clone, PartialEq)]
pub enum Observed {
    /// The key.
    Key,
    /// The first text of each field that the event has.
    Fields(Vec<String>),
    /// `true` or `false`: whether the expression holds.
    Test(Where),
    /// The amount of a field (none: one event); where the expression holds the event is exposure and counts nothing.
    AmountUnless(Option<String>, Where),
    /// `1` where the expression holds, else `0`.
    OneWhere(Where),
}

impl DetectorUse {
    /// Every field that it reads, repetitions included.
    pub fn fields(&self) -> Vec<&str> {
        let mut fields: Vec<&str> = self.key.iter().map(String::as_str).collect();
        for part in &self.observed {
            match part {
                Observed::Key => {}
                Observed::Fields(of) => fields.extend(of.iter().map(String::as_str)),
                Observed::Test(expression) | Observed::OneWhere(expression) => fields.extend(expression.fields()),
                Observed::AmountUnless(field, expression) => {
                    fields.extend(field.as_deref().into_iter().chain(expression.fields()));
                }
            }
        }
        fields
    }
}
