//! New terms and sums of risk in words.
//!
//! Must never leave a part out that decides whether an alert is told.

use super::span;
use crate::ast::{NewTerms, RiskSum};

/// When new terms agree: one clause.
pub fn new_terms(of: &NewTerms) -> String {
    let mut words = format!("{} has not been seen together in {}", of.fields.join(" and "), span(of.memory_ms));
    if let Some(prevalence) = &of.prevalence {
        let term = of.fields.last().map_or("", String::as_str);
        words.push_str(&format!(", {term} with fewer than {} values of {}", prevalence.below, prevalence.over));
    }
    if of.warmup_events > 0 || of.warmup_days > 0 {
        let whose = if of.fields.len() > 1 { of.fields.first().map_or("", String::as_str) } else { "all" };
        words.push_str(&format!(", after {} events and {} days of {whose}", of.warmup_events, of.warmup_days));
    }
    if let Some(most) = of.novelty_max {
        words.push_str(&format!(", while no more than {most} of what comes is new"));
    }
    format!("{words} (known {} after it was first seen)", span(of.quarantine_ms))
}

/// How risk adds up: one clause.
pub(super) fn risk(of: &RiskSum) -> String {
    let counts = if of.cap_per_detector { "each rule counts once" } else { "each alert counts" };
    let fades = of.half_life_ms.map_or(String::new(), |ms| format!(", half of it after {}", span(ms)));
    format!(
        "where risk is the sum of the rules' weights: {counts}{fades}, of at least {} rules and {} classes of events",
        of.detectors_min, of.classes_min
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ast::Prevalence;

    #[test]
    fn what_is_learned_reads_as_words() {
        let day = 86_400_000;
        let mut terms = NewTerms {
            fields: vec!["repo".to_owned(), "domain".to_owned()],
            memory_ms: 30 * day,
            prevalence: Some(Prevalence { over: "repo".to_owned(), below: 3 }),
            warmup_events: 10,
            warmup_days: 7,
            novelty_max: Some(0.05),
            quarantine_ms: day,
        };
        assert_eq!(
            new_terms(&terms),
            "repo and domain has not been seen together in 30d, domain with fewer than 3 values of repo, after 10 events and \
             7 days of repo, while no more than 0.05 of what comes is new (known 1d after it was first seen)"
        );
        terms = NewTerms { prevalence: None, novelty_max: None, warmup_events: 0, warmup_days: 0, ..terms };
        assert_eq!(
            new_terms(&terms),
            "repo and domain has not been seen together in 30d (known 1d after it was first seen)"
        );
        let sum = RiskSum { half_life_ms: Some(1_800_000), cap_per_detector: true, detectors_min: 2, classes_min: 2 };
        assert_eq!(
            risk(&sum),
            "where risk is the sum of the rules' weights: each rule counts once, half of it after 30m, of at least 2 rules \
             and 2 classes of events"
        );
    }
}
