//! New terms, detectors and sums of risk in words.
//!
//! Must never leave a part out that decides whether an alert is told.

use model::DetectorSpec as Spec;

use super::span;
use crate::ast::{DetectorUse, NewTerms, Observed, RiskSum};

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

/// What a detector must find: one clause.
pub fn detector(of: &DetectorUse) -> String {
    let what = match &of.spec {
        Spec::Counts(is) => format!("counts more than such hours hold (p < {}, at least {})", is.p, is.count_min),
        Spec::PeerZ(is) => format!("finds it unlike its peers (one z of {} or two of {})", is.z_one, is.z_two),
        Spec::Cusum(is) => format!("sees the rate creep up ({} times, a false alarm in {})", is.ratio, is.run_length),
        Spec::Duration(is) => format!("sees runs take longer (k {}, h {}, p < {})", is.slack, is.threshold, is.p),
        Spec::Ratio(is) => {
            format!("counts more bad ones than there used to be (p < {}, at least {})", is.p, is.bad_min)
        }
        Spec::Beacon(is) => format!("finds it like clockwork (score {})", is.score_min),
        Spec::Entropy(is) => format!("finds it drawn at random (above {} bits a character)", is.bits),
        Spec::Mix(is) => format!("finds another mix (p < {}, divergence above {})", is.p, is.divergence),
        Spec::Silence(is) => {
            format!("hears nothing (p < {}, for {} or longer)", is.p, span(is.silence_min_ms))
        }
        Spec::FirstSeen(_) | Spec::GeoVelocity(_) | Spec::Risk(_) => "speaks".to_owned(),
    };
    let mut words = format!("the detector {} {what}", of.algo);
    if !of.key.is_empty() {
        words.push_str(&format!(" by {}", of.key.join(", ")));
    }
    if let Some(Observed::Fields(peers)) = of.observed.get(1).filter(|of| **of != Observed::Fields(Vec::new())) {
        words.push_str(&format!(", peers by {}", peers.join(", ")));
    }
    if let Some(frame) = of.spec.frame() {
        words.push_str(&format!(", in buckets of {}", span(frame.bucket_ms)));
        if frame.shadow_ms > 0 {
            words.push_str(&format!(", told {} after a key is known", span(frame.shadow_ms)));
        }
    }
    if of.is_health {
        words.push_str(", and meanwhile deadlines do not count the time of what the source should say");
    }
    words
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
